"""Texts with holes while they are changed: a letter of its own stands for each hole, as where they were recognised."""

from __future__ import annotations

import re
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


def edited(text: str, edits: Iterable[Edit]) -> str:
    """Make changes; of two that overlap, the one that starts later is left out."""
    made, at = [], 0
    for edit in sorted(edits, key=lambda edit: (edit.start, -edit.end)):
        if edit.start >= at:
            made += [text[at : edit.start], edit.text]
            at = edit.end
    return "".join([*made, text[at:]])
