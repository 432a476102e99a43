"""Texts and places in them.

A `Span` counts characters; lines and columns are worked out when something is printed. A text that was made
from another one (a rendered template) keeps a way back, so that every place can be told in the user's file.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from pathlib import Path

import attrs

from pwxc.frozen import frozen


@attrs.define(eq=False)
class Source:
    """A text with a name, and where it came from if it is not a file itself.

    `back` maps a range of this text to a span of another source. It is called only when a place is printed.
    `encoding` says how the file's bytes became the text: `utf-8`, `utf-8-sig` if a byte-order mark was dropped, or
    `bytes` if it is no UTF-8 text; bytes that cannot be decoded stand in it as lone surrogates (PEP 383).
    """

    name: str
    text: str
    path: Path | None = None
    back: Callable[[int, int], Span | None] | None = None
    encoding: str = "utf-8"
    _starts: list[int] | None = attrs.field(default=None, init=False, repr=False)

    def position(self, offset: int) -> tuple[int, int]:
        """Give the line and the column of an offset, both counted from 1."""
        if self._starts is None:
            self._starts = _line_starts(self.text)
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def line(self, number: int) -> str:
        """Give the text of a line, counted from 1, without its end."""
        if self._starts is None:
            self._starts = _line_starts(self.text)
        start = self._starts[number - 1]
        end = self._starts[number] if number < len(self._starts) else len(self.text)
        return self.text[start:end].rstrip("\r\n")

    def span(self, start: int, end: int) -> Span:
        """Give the span of `text[start:end]`."""
        return Span(self, start, end)


def _line_starts(text: str) -> list[int]:
    starts = [0]
    at = text.find("\n")
    while at >= 0:
        starts.append(at + 1)
        at = text.find("\n", at + 1)
    return starts


@frozen
class Span:
    """The characters `start` to `end` (exclusive) of a source."""

    source: Source = attrs.field(repr=lambda source: source.name)
    start: int
    end: int

    def resolve(self) -> Span:
        """Follow the way back to the text that the user wrote."""
        span = self
        while span.source.back is not None:
            earlier = span.source.back(span.start, span.end)
            if earlier is None:
                return Span(span.source, 0, 0)
            span = earlier
        return span

    @property
    def text(self) -> str:
        """The characters themselves."""
        return self.source.text[self.start : self.end]


@frozen
class InnerSpan(Span):
    """A part of a scalar's value; its place in the file is worked out when it is asked for.

    `start` and `end` are those of the whole scalar in `source`; `locate` turns the value's offsets `low` and
    `high` into a span of the source.
    """

    locate: Callable[[int, int], Span] = attrs.field(repr=False, eq=False)
    low: int
    high: int

    def resolve(self) -> Span:
        """Decode the scalar and point into it."""
        return self.locate(self.low, self.high).resolve()
