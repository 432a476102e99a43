"""A call of `sbatch` as a driver makes it, and what it gives."""

from __future__ import annotations

import attrs

from pwxc.ir.expr import Expr
from pwxc_targets.slurm.drivers.frames import Frames


@attrs.frozen
class Submission:
    """A call of `sbatch`: its words, what it reads, what it finds in its environment, and where it stands."""

    words: tuple[str, ...]
    here: str | None
    exported: dict[str, str]
    settings: dict[str, str]
    files: dict[str, str]
    folder: str
    after: tuple[tuple[int, bool], ...]
    frames: Frames
    condition: Expr | None
    start: int
    end: int


@attrs.frozen
class Submitted:
    """What a submission gave: its number, what `sbatch` prints, and whether it waits for the end of the job."""

    number: int
    printed: str
    waits: bool = False


class LeaveError(Exception):
    """The script, a function or a loop is left."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind
