"""Texts with holes while they are changed: a letter of its own stands for each hole, as where they were recognised."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable

import attrs

from pwxc.diagnostics.code import Code
from pwxc.ir.template import Template
from pwxc.shell.found.values import hole, hole_number
from pwxc.source import Span

_HOLE = re.compile(f"([{hole(0)}-\U0010ffff])")


@attrs.frozen
class Told:
    """Something that is said of a step: a difference that the output has, or with `manual` a person's task."""

    code: Code
    message: str
    span: Span | None
    manual: bool = False


@attrs.frozen
class Edit:
    """The characters `start` to `end` of a text become `text`."""

    start: int
    end: int
    text: str


def unflattened(text: str, template: Template) -> Template:
    """Put the holes of a template back in the places of their letters."""
    holes = template.holes
    if not holes:
        return Template.of(text)
    pieces = _HOLE.split(text)
    return Template.of(*(holes[hole_number(piece) or 0] if at % 2 else piece for at, piece in enumerate(pieces)))


def readable(text: str, longest: int = 1000) -> str:
    """Give a text for a message, in one line."""
    words = _HOLE.sub("…", " ".join(text.replace("\\\n", " ").split()))
    return words if len(words) <= longest else words[: longest - 3] + "..."


@attrs.define
class Places:
    """Ranges of a text, to be asked whether one of them holds a place."""

    starts: list[int] = attrs.field(factory=list)
    ends: list[int] = attrs.field(factory=list)
    """How far the ranges that start so far reach."""

    @classmethod
    def of(cls, ranges: Iterable[tuple[int, int]]) -> Places:
        """Put ranges in order; the end of a range is no part of it."""
        made, reach = cls(), 0
        for start, end in sorted(ranges):
            reach = max(reach, end)
            made.starts.append(start)
            made.ends.append(reach)
        return made

    def __contains__(self, place: int) -> bool:
        """Whether a range holds a place."""
        at = bisect_right(self.starts, place) - 1
        return at >= 0 and place < self.ends[at]


def edited(text: str, edits: Iterable[Edit]) -> str:
    """Make changes; of two that overlap, the one that starts later is left out."""
    made, at = [], 0
    for edit in sorted(edits, key=lambda edit: (edit.start, -edit.end)):
        if edit.start >= at:
            made += [text[at : edit.start], edit.text]
            at = edit.end
    return "".join([*made, text[at:]])
