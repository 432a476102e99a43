"""The report of a compilation: every leaf of the source with its fate, and totals that add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import attrs

from pwxc.diagnostics import Diagnostic, Severity
from pwxc.fidelity.fate import Fate
from pwxc.fidelity.ledger import Entry
from pwxc.frozen import frozen


@frozen
class Report:
    """The account of one compilation."""

    entries: Sequence[Entry] = ()
    refused: tuple[Diagnostic, ...] = ()
    """Losses that were not allowed."""

    @property
    def totals(self) -> dict[Fate, int]:
        """How many leaves met each fate; the sum is the number of leaves."""
        counted = Counter(entry.fate for entry in self.entries)
        return {fate: counted[fate] for fate in Fate}

    @property
    def clean(self) -> bool:
        """Whether everything is kept: the output then means what the source means."""
        return all(entry.code is None for entry in self.entries) and not self.refused


def judge(
    diagnostics: list[Diagnostic], *, allow: frozenset[str], lossy: bool, strict: bool
) -> tuple[list[Diagnostic], list[Diagnostic]]:
    """Apply the user's policy to the diagnostics of a writer.

    Gives all of them with the severities that count now, and those that refuse the output. A loss that is allowed
    becomes a warning; under `strict` a warning refuses as well.
    """
    judged, refused = [], []
    for item in diagnostics:
        allowed = lossy or item.code.id in allow or item.code.name in allow
        if item.severity is Severity.ERROR and allowed:
            item = attrs.evolve(item, severity=Severity.WARNING)
        elif item.severity is Severity.WARNING and strict and not allowed:
            item = attrs.evolve(item, severity=Severity.ERROR)
        judged.append(item)
        if item.severity is Severity.ERROR:
            refused.append(item)
    return judged, refused
