"""Where the text of a step stands in a job script that the writer made."""

from __future__ import annotations

import re
from collections.abc import Callable

import attrs

from pwxc.ir.entity import changed
from pwxc.ir.task import Script, Step, Task
from pwxc.ir.template import Template
from pwxc.shell.found import recognise
from pwxc.source import Source, Span

_HOLE = r"(?:'\")?\$\{?\w+-?\}?(?:\"'\$?)?|@\w+@"
"""What the writer puts in the place of a hole."""


def with_found(task: Task, source: Source) -> Task:
    """Note in the steps of a task what is recognised in their scripts, with its places."""
    steps, cleanup = (tuple(_with_found(step, source) for step in part) for part in (task.steps, task.cleanup))
    return changed(task, steps=steps, cleanup=cleanup)


def _with_found(step: Step, source: Source) -> Step:
    work = step.work
    if not isinstance(work, Script):
        return step
    found = recognise(work.text, None, work.shell)
    if found.software or found.launches or found.uses or found.calls:
        found = recognise(work.text, _places(work.text, source), work.shell)
    return changed(step, found=found)


@attrs.frozen
class _Part:
    """A part of a script, `low` to `high` in its text, and `first` to `last` in the file; a hole is not divided."""

    low: int
    high: int
    first: int
    last: int
    hole: bool

    def start(self, offset: int) -> int:
        """Give where a place of the script is in the file."""
        return self.first if self.hole else self.first + offset - self.low

    def end(self, offset: int) -> int:
        """Give where a place of the script before which something ends is in the file."""
        return self.last if self.hole else self.first + offset - self.low


def _places(template: Template, source: Source) -> Callable[[int, int], Span | None]:
    """Give what finds the place of a range of a script, if the script stands in the file once."""
    patterns = (re.escape(part) if isinstance(part, str) else _HOLE for part in template.parts)
    found = list(re.finditer("".join(f"({pattern})" for pattern in patterns), source.text))
    parts: list[_Part] = []
    for number, part in enumerate(template.parts if len(found) == 1 else (), 1):
        low = parts[-1].high if parts else 0
        length = len(part) if isinstance(part, str) else 1
        parts.append(_Part(low, low + length, *found[0].span(number), hole=not isinstance(part, str)))

    def span_of(start: int, end: int) -> Span | None:
        first = next((part for part in parts if part.low <= start < part.high), None)
        last = next((part for part in parts if part.low < end <= part.high), None)
        return source.span(first.start(start), last.end(end)) if first is not None and last is not None else None

    return span_of
