"""Places inside scalars.

libyaml gives the value of a scalar and where its token begins and ends, but not which character of the value stands
where. The token is decoded a second time here, with a note of the place of every character. If that does not give
libyaml's value, the place is the whole scalar, never a wrong one.
"""

from __future__ import annotations

import re
from bisect import bisect_right

import attrs
from yaml.nodes import ScalarNode

__all__ = ["ScalarMap", "decode"]

# libyaml breaks lines at these (YAML 1.1); NEL becomes a line feed, the separators U+2028 and U+2029 are kept
_BREAKS = "\r\n\x85\u2028\u2029"
_BREAK = re.compile(f"\r\n|[{_BREAKS}]")
_FOLD = re.compile(f"(?:(?:\r\n|[{_BREAKS}])[ \t]*)+")
_PROPERTIES = re.compile(rf"(?:&[^\s{_BREAKS}]+|!<[^>]*>|![^\s{_BREAKS}]*|[ \t{_BREAKS}]|(?<=\s)#[^{_BREAKS}]*)+")
_HEADER = re.compile(rf"[|>]([-+0-9]*)[ \t]*(?:#[^{_BREAKS}]*)?")
_INK = re.compile(f"[^ {_BREAKS}]")
_SINGLE = re.compile(f"''|[{_BREAKS}]")
_DOUBLE = re.compile(rf"\\|[{_BREAKS}]")
_ESCAPES = {
    "0": "\0",
    "a": "\a",
    "b": "\b",
    "t": "\t",
    "\t": "\t",
    "n": "\n",
    "v": "\v",
    "f": "\f",
    "r": "\r",
    "e": "\x1b",
    " ": " ",
    '"': '"',
    "/": "/",
    "\\": "\\",
    "N": "\x85",
    "_": "\xa0",
    "L": "\u2028",
    "P": "\u2029",
}
_DIGITS = {"x": 2, "u": 4, "U": 8}


class _UndecodableError(Exception):
    """The token is not what libyaml took it for."""


@attrs.define(eq=False)
class ScalarMap:
    """Where the characters of a value stand, as runs.

    A run is either characters that stand in the text as they are, or one character that was made of several
    (an escape, a folded line break).
    """

    text: str
    end: int
    """The place behind the last character, also of an empty value."""
    parts: list[str] = attrs.field(factory=list, init=False)
    """The decoded text while it is being decoded."""
    length: int = attrs.field(default=0, init=False)
    at: list[int] = attrs.field(factory=list, init=False)
    """Where in the value each run begins."""
    starts: list[int] = attrs.field(factory=list, init=False)
    stops: list[int] = attrs.field(factory=list, init=False)

    def copy(self, low: int, high: int) -> None:
        """Add a run that stands in the text as it is."""
        if low < high:
            self._add(self.text[low:high], low, high)

    def make(self, character: str, low: int, high: int) -> None:
        """Add a character that the text from `low` to `high` stands for."""
        self._add(character, low, high)

    def _add(self, part: str, low: int, high: int) -> None:
        self.at.append(self.length)
        self.starts.append(low)
        self.stops.append(high)
        self.parts.append(part)
        self.length += len(part)
        self.end = high

    def start_of(self, index: int) -> int:
        """Give where the character at an index begins, or for the length of the value where it ends."""
        if index >= self.length:
            return self.end
        run = bisect_right(self.at, index) - 1
        return self.starts[run] + index - self.at[run]

    def stop_of(self, index: int) -> int:
        """Give where the character at an index ends."""
        run = bisect_right(self.at, index) - 1
        last = (self.at[run + 1] if run + 1 < len(self.at) else self.length) - 1
        return self.stops[run] if index == last else self.starts[run] + index - self.at[run] + 1

    def place(self, low: int, high: int) -> tuple[int, int]:
        """Give where `value[low:high]` stands in the text.

        An empty range is an empty place. Indexes outside of the value are moved to its nearest end.
        """
        low = min(max(low, 0), self.length)
        high = min(max(high, low), self.length)
        start = self.start_of(low)
        return start, self.stop_of(high - 1) if low < high else start


def decode(text: str, node: ScalarNode) -> ScalarMap | None:
    """Decode a scalar that stands in a text once more, with places; None if that does not give its value."""
    start, end = node.start_mark.index, node.end_mark.index
    if start < end and text[start] in "&!":
        start = _skip_properties(text, start, end)
    scalar = ScalarMap(text, start)
    try:
        match node.style:
            case "'":
                _single(scalar, start, end)
            case '"':
                _double(scalar, start, end)
            case "|" | ">":
                _block(scalar, start, end, node.value, literal=node.style == "|")
            case _:
                _plain(scalar, start, end)
    except _UndecodableError:
        return None
    decoded = "".join(scalar.parts)
    scalar.parts.clear()
    return scalar if decoded == node.value else None


def _skip_properties(text: str, start: int, end: int) -> int:
    """Skip an anchor and a tag in either order, and the blanks, line breaks and comments behind them."""
    found = _PROPERTIES.match(text, start, end)
    return found.end() if found is not None else start


def _plain(scalar: ScalarMap, start: int, end: int) -> None:
    at = start
    while (found := _BREAK.search(scalar.text, at, end)) is not None:
        scalar.copy(at, _before_blanks(scalar.text, at, found.start()))
        at = _fold(scalar, found.start(), end)
    scalar.copy(at, end)


def _single(scalar: ScalarMap, start: int, end: int) -> None:
    at, end = _inside(scalar, start, end)
    while (found := _SINGLE.search(scalar.text, at, end)) is not None:
        if found.group() == "''":
            scalar.copy(at, found.start())
            scalar.make("'", *found.span())
            at = found.end()
        else:
            scalar.copy(at, _before_blanks(scalar.text, at, found.start()))
            at = _fold(scalar, found.start(), end)
    scalar.copy(at, end)


def _double(scalar: ScalarMap, start: int, end: int) -> None:
    at, end = _inside(scalar, start, end)
    while (found := _DOUBLE.search(scalar.text, at, end)) is not None:
        if found.group() == "\\":
            scalar.copy(at, found.start())
            at = _escape(scalar, found.start(), end)
        else:
            scalar.copy(at, _before_blanks(scalar.text, at, found.start()))
            at = _fold(scalar, found.start(), end)
    scalar.copy(at, end)


def _inside(scalar: ScalarMap, start: int, end: int) -> tuple[int, int]:
    """Give where the text between two quotes begins and ends."""
    text = scalar.text
    if end - start < 2 or text[start] not in "'\"" or text[end - 1] != text[start]:
        raise _UndecodableError
    scalar.end = start + 1
    return start + 1, end - 1


def _before_blanks(text: str, floor: int, at: int) -> int:
    while at > floor and text[at - 1] in " \t":
        at -= 1
    return at


def _fold(scalar: ScalarMap, at: int, end: int, *, escaped: bool = False) -> int:
    """Fold the line breaks from a place on: one is a blank, or nothing if it is escaped; of more the first is lost."""
    found = _FOLD.match(scalar.text, at, end)
    if found is None:
        raise _UndecodableError
    first, *rest = _BREAK.finditer(scalar.text, at, found.end())
    if first.group() in "\u2028\u2029" and not escaped:
        rest.insert(0, first)
    elif not rest and not escaped:
        scalar.make(" ", *first.span())
    for one in rest:
        scalar.make(_normal(one.group()), *one.span())
    return found.end()


def _normal(line_break: str) -> str:
    return line_break if line_break in "\u2028\u2029" else "\n"


def _escape(scalar: ScalarMap, at: int, end: int) -> int:
    """Decode the escape at a backslash and give the place behind it."""
    text = scalar.text
    sign = text[at + 1 : at + 2]
    if sign in _DIGITS:
        stop = at + 2 + _DIGITS[sign]
        try:
            scalar.make(chr(int(text[at + 2 : stop], 16)), at, stop)
        except (ValueError, OverflowError):
            raise _UndecodableError from None
        return stop
    if sign in _ESCAPES:
        scalar.make(_ESCAPES[sign], at, at + 2)
        return at + 2
    return _fold(scalar, at + 1, end, escaped=True)


def _block(scalar: ScalarMap, start: int, end: int, value: str, *, literal: bool) -> None:
    text = scalar.text
    header = _HEADER.match(text, start, end)
    if header is None:
        raise _UndecodableError
    scalar.end = header.end(1)
    line_end = _BREAK.match(text, header.end(), end)
    if line_end is None:
        return
    body = _Block(scalar, _indent(text, line_end.end(), end, value), literal)
    low = line_end.end()
    for found in _BREAK.finditer(text, low, end):
        body.line(low, found.start(), found.span())
        low = found.end()
    if low < end:
        body.line(low, end, None)
    body.chomp(header.group(1))


def _indent(text: str, start: int, end: int, value: str) -> int:
    """Give how many blanks the block's lines lost.

    The first line with something other than blanks is the same in text and value, but for the indentation. This
    holds for a found indentation as for a written one, so the indentation of what is around is not needed.
    """
    ink = _INK.search(text, start, end)
    value_ink = _INK.search(value)
    if ink is not None and value_ink is not None:
        return _blanks_before(text, start, ink.start()) - _blanks_before(value, 0, value_ink.start())
    widest = max(map(len, _BREAK.split(text[start:end])))
    kept = max(map(len, _BREAK.split(value)))
    return widest - kept


def _blanks_before(text: str, floor: int, at: int) -> int:
    start = at
    while start > floor and text[start - 1] == " ":
        start -= 1
    return at - start


@attrs.define
class _Block:
    """The lines of a block scalar, taken one after the other as libyaml does."""

    scalar: ScalarMap
    indent: int
    literal: bool
    last: tuple[int, int] | None = None
    """The break of the last line with text, not yet added: it may be folded or chomped."""
    empty: list[tuple[int, int]] = attrs.field(factory=list)
    """The breaks of the empty lines since."""
    was_indented: bool = False

    def line(self, low: int, high: int, line_break: tuple[int, int] | None) -> None:
        text = self.scalar.text
        content = low + self.indent
        if content >= high:
            if line_break is not None:
                self.empty.append(line_break)
            return
        is_indented = text[content] in " \t"
        if self.last is not None:
            folds = not self.literal and not self.was_indented and not is_indented and self._is_feed(self.last)
            if not folds:
                self._add(self.last)
            elif not self.empty:
                self.scalar.make(" ", *self.last)
        self._add_empty()
        self.scalar.copy(content, high)
        self.was_indented = is_indented
        self.last = line_break

    def chomp(self, header: str) -> None:
        if "-" not in header and self.last is not None:
            self._add(self.last)
        if "+" in header:
            self._add_empty()

    def _is_feed(self, span: tuple[int, int]) -> bool:
        return self.scalar.text[span[0]] not in "\u2028\u2029"

    def _add(self, span: tuple[int, int]) -> None:
        self.scalar.make(_normal(self.scalar.text[slice(*span)]), *span)

    def _add_empty(self) -> None:
        for span in self.empty:
            self._add(span)
        self.empty.clear()
