"""A script under lint: how it was read, and where findings go."""

from __future__ import annotations

import attrs

from pwxc.diagnostics import Code, Diagnostics
from pwxc.source import Source
from pwxc_targets.slurm.batch.directives import Component, Reading
from pwxc_targets.slurm.batch.getopt import Given


@attrs.frozen
class Subject:
    """A script with its reading."""

    source: Source
    reading: Reading
    diagnostics: Diagnostics

    @property
    def text(self) -> str:
        """The whole text."""
        return self.source.text

    @property
    def components(self) -> list[Component]:
        """What the components of the job ask for."""
        return self.reading.components

    def tell(self, code: Code, message: str, start: int, end: int, help_text: str = "") -> None:
        """Report something at a place."""
        self.diagnostics.add(code, message, self.source.span(start, end), help=help_text)

    def tell_option(self, code: Code, message: str, given: Given, help_text: str = "", *, value: bool = False) -> None:
        """Report something at an option, or at its value."""
        start, end = given.start, given.end
        if value and given.value_start is not None and given.value_end is not None:
            start, end = given.value_start, given.value_end
        self.tell(code, message, start, end, help_text)
