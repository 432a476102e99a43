"""A call of `sbatch` as a driver makes it, and what it gives."""

from __future__ import annotations

import attrs

from pwxc.ir.expr import Expr
from pwxc.ir.task import Outcome
from pwxc.source import Span
from pwxc_targets.slurm.drivers.running.files import Files
from pwxc_targets.slurm.drivers.running.frames import Frames


@attrs.frozen
class Submission:
    """A call of `sbatch`: its words, what it reads, what it finds in its environment, and where it stands.

    `here` is the text that it reads, `input` the file that it reads. `after` are the jobs for which the driver has
    waited, and what of them. `lost` are exported variables whose values only the run knows.
    """

    words: tuple[str, ...]
    here: str | None
    input: str | None
    exported: dict[str, str]
    settings: dict[str, str]
    files: Files
    folder: str
    after: tuple[tuple[int, Outcome], ...]
    frames: Frames
    condition: Expr | None
    span: Span
    lost: tuple[str, ...] = ()

    @property
    def start(self) -> int:
        """Where the call starts in its text."""
        return self.span.start

    @property
    def end(self) -> int:
        """Where the call ends in its text."""
        return self.span.end


@attrs.frozen
class Submitted:
    """What a submission gave: its number, what `sbatch` prints, and whether it waits for the end of the job."""

    number: int
    printed: str
    waits: bool = False


class LeaveError(Exception):
    """The script, a function or so many loops are left, or the next turn of a loop is begun."""

    def __init__(self, kind: str, levels: int = 1, *, status: bool | None = True) -> None:
        super().__init__(kind)
        self.kind = kind
        self.levels = levels
        self.status = status
