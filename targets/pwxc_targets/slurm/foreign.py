"""`#PBS` and `#BSUB` lines, which `sbatch` translates, and which win over its own (slurm.md §3)."""

from __future__ import annotations

import attrs


@attrs.frozen
class Translated:
    """A word of a foreign line as an option of `sbatch`, or why it is refused."""

    text: str
    start: int
    end: int
    fault: str = ""


def words(text: str) -> list[Translated]:
    """Translate the foreign lines of a script."""
    return []
