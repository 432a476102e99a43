"""Directive lines cut into words by the rules of `sbatch`, which are like the shell's and not the shell's (§3)."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

MAGIC = "#SBATCH"
OLD_MAGIC = "#SLURM"
_BLANK = " \t\n\v\f\r"


@attrs.frozen
class Word:
    """A word of a directive with its place in the text; `spots` are the places of its letters if they lie apart.

    `cut_short` says that a `#` in the middle of unquoted text ends it.
    """

    text: str
    start: int
    end: int
    spots: tuple[int, ...] = ()
    cut_short: bool = False

    def range(self, first: int) -> tuple[int, int]:
        """Give where the letters from the one at `first` on stand in the text, without quotes around them."""
        if first >= len(self.text):
            return self.end, self.end
        if not self.spots:
            return self.start + first, self.end
        return self.spots[first], self.spots[-1] + 1


@attrs.frozen
class Line:
    """A line of the text, without its end; `start` is its place."""

    number: int
    start: int
    text: str

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.start + len(self.text)


class CuttingError(Exception):
    """A line that cannot be cut into words: an open quote, or a word that starts with a colon."""

    def __init__(self, message: str, start: int, end: int) -> None:
        super().__init__(message)
        self.message = message
        self.start = start
        self.end = end


def lines(text: str) -> Iterator[Line]:
    """Go through the lines of a text."""
    start = 0
    number = 1
    while start < len(text):
        stop = text.find("\n", start)
        stop = len(text) if stop < 0 else stop
        yield Line(number, start, text[start:stop])
        start = stop + 1
        number += 1


def is_command(line: str) -> bool:
    """Whether a line ends the directives: it has something, and that is no comment."""
    stripped = line.lstrip(_BLANK)
    return bool(stripped) and not stripped.startswith("#")


def directive_start(line: str) -> int | None:
    """Give where the words of a directive line start; None for other lines."""
    for magic in (MAGIC, OLD_MAGIC):
        if line.startswith(magic):
            return len(magic)
    return None


def cut(line: Line, at: int) -> Iterator[Word]:
    """Cut the words of a directive line that starts at `at`.

    Raises:
        CuttingError: a quote is open at the end, or a word starts with a colon.
    """
    place = at
    while True:
        word, place = _next(line, place)
        if word is None:
            return
        yield word


def _next(line: Line, at: int) -> tuple[Word | None, int]:
    """Give the next word and where it ended; an empty word ends the line."""
    text = line.text
    while at < len(text) and text[at] in _BLANK:
        at += 1
    if text[at : at + 1] == ":":
        raise CuttingError("a word starts with `:`", line.start + at, line.end)
    start = at
    found: list[str] = []
    spots: list[int] = []
    quote, opened, end = "", start, -1
    escaped = False
    while at < len(text) and (quote or text[at] not in _BLANK):
        letter = text[at]
        at += 1
        if escaped:
            escaped = False
        elif letter == "\\":
            escaped = True
            continue
        elif quote and letter == quote:
            quote = ""
            continue
        elif not quote and letter in "\"'":
            quote, opened = letter, at - 1
            continue
        elif not quote and letter == "#":
            end, at = at - 1, len(text)
            break
        found.append(letter)
        spots.append(line.start + at - 1)
    if quote:
        raise CuttingError(f"the quote {quote} is open at the end of the line", line.start + opened, line.end)
    if not found:
        return None, at
    end = line.start + (at if end < 0 else end)
    apart = spots[-1] - spots[0] != len(found) - 1 or spots[0] != line.start + start or spots[-1] + 1 != end
    cut_short = end == spots[-1] + 1 and text[end - line.start : end - line.start + 1] == "#"
    return Word("".join(found), line.start + start, end, tuple(spots) if apart else (), cut_short), at


def join(value: str) -> str:
    """Write a word of a directive so that cutting it gives the same text."""
    if value and not any(letter in value for letter in f"{_BLANK}\"'\\#") and not value.startswith(":"):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
