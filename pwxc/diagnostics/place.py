"""Places as people and tools count them: files, lines and columns."""

from __future__ import annotations

from pwxc.frozen import frozen
from pwxc.source import Source, Span


@frozen
class Place:
    """A span in the user's own file. Lines and columns count from 1; the end column is the one behind the last.

    Columns count characters, not bytes and not cells of a terminal.
    """

    source: Source
    file: str
    line: int
    column: int
    end_line: int
    end_column: int


def find_place(span: Span | None) -> Place | None:
    """Follow a span to the file that the user wrote; None when there is none."""
    if span is None:
        return None
    span = span.resolve()
    length = len(span.source.text)
    start = min(max(span.start, 0), length)
    end = min(max(span.end, start), length)
    line, column = span.source.position(start)
    end_line, end_column = span.source.position(end)
    if end_column == 1 and end_line > line:
        # a span that takes a line's end with it ends on that line
        end_line, end_column = end_line - 1, len(span.source.line(end_line - 1)) + 1
    return Place(span.source, span.source.name, line, column, end_line, max(end_column, 1))
