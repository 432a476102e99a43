"""The texts that a driver consists of: itself and the files that it reads in, in one row of places."""

from __future__ import annotations

import attrs

from pwxc.source import Source, Span


@attrs.define
class Texts:
    """Texts one after the other; a place is an offset in the row, so that it tells the text as well."""

    sources: list[Source] = attrs.field(factory=list)
    starts: list[int] = attrs.field(factory=list)

    def add(self, source: Source) -> int:
        """Put a text at the end of the row; gives the place of its first character."""
        start = self.starts[-1] + len(self.sources[-1].text) + 1 if self.sources else 0
        self.sources.append(source)
        self.starts.append(start)
        return start

    def _number(self, place: int) -> int:
        return next((at for at in reversed(range(len(self.starts))) if self.starts[at] <= place), 0)

    def source(self, place: int) -> Source:
        """Give the text that a place lies in."""
        return self.sources[self._number(place)]

    def span(self, start: int, end: int) -> Span:
        """Give the span between two places of one text."""
        number = self._number(start)
        source, first = self.sources[number], self.starts[number]
        return source.span(min(start - first, len(source.text)), max(0, min(end - first, len(source.text))))

    def cut(self, start: int, end: int) -> str:
        """Give the characters between two places of one text."""
        return self.span(start, end).text

    def rest(self, start: int) -> str:
        """Give the characters of a text from a place on."""
        number = self._number(start)
        return self.sources[number].text[start - self.starts[number] :]

    def find(self, text: str, start: int, end: int) -> int:
        """Give the first place of a piece of text between two places, -1 if there is none."""
        number = self._number(start)
        first = self.starts[number]
        found = self.sources[number].text.find(text, start - first, end - first)
        return found if found < 0 else found + first
