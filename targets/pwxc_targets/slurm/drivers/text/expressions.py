"""Patterns of `grep`, `sed` and bash as regular expressions of Python."""

from __future__ import annotations

import re

_CLASSES = {
    "digit": "0-9", "alpha": "A-Za-z", "alnum": "A-Za-z0-9", "upper": "A-Z", "lower": "a-z", "space": r"\s",
    "blank": r" \t", "xdigit": "0-9A-Fa-f",
}  # fmt: skip
_NAMED = re.compile(r"\[:(\w+):\]")
_IN_BRACKETS = {**{f"[:{name}:]": letters for name, letters in _CLASSES.items()}, **{c: f"\\{c}" for c in "[]\\&~|"}}


def expression(pattern: str, *, extended: bool) -> re.Pattern[str] | None:
    """Read a POSIX regular expression, basic or extended; None if it is none that is understood."""
    told: list[str] = []
    at = 0
    while at < len(pattern):
        piece, at = _piece(pattern, at, extended=extended)
        if piece is None:
            return None
        told.append(piece)
    return compiled("".join(told))


def compiled(pattern: str) -> re.Pattern[str] | None:
    """Read a regular expression of Python or Perl; None if it is none."""
    try:
        return re.compile(pattern, re.MULTILINE)
    except re.error:
        return None


def _piece(pattern: str, at: int, *, extended: bool) -> tuple[str | None, int]:
    letter = pattern[at]
    if letter == "[":
        return _bracket(pattern, at)
    if letter == "\\":
        following = pattern[at + 1 : at + 2]
        if following in ("<", ">"):
            return r"\b", at + 2
        if not extended and following in ("(", ")", "{", "}", "+", "?"):
            return following, at + 2
        # alternatives match the longest one in POSIX, and the first one in Python
        return (None if following in ("", "|") else f"\\{following}"), at + 2
    if letter == "|" and extended:
        return None, at
    if letter in "(){}+?|" and not extended:
        return f"\\{letter}", at + 1
    if letter == "*" and at == 0:
        return r"\*", at + 1
    return letter, at + 1


def _bracket(pattern: str, at: int) -> tuple[str | None, int]:
    stop = at + 1
    stop += pattern[stop : stop + 1] in ("^", "!")
    stop += pattern[stop : stop + 1] == "]"
    while stop < len(pattern) and pattern[stop] != "]":
        named = _NAMED.match(pattern, stop)
        stop = named.end() if named else stop + 1
    if stop >= len(pattern):
        return None, at
    inside = pattern[at + 1 : stop]
    negated = inside[:1] in ("^", "!")
    inside = inside[negated:]
    if "--" in inside or not set(_NAMED.findall(inside)) <= _CLASSES.keys():
        return None, at
    told = "".join(_IN_BRACKETS.get(part, part) for part in re.split(r"(\[:\w+:\]|[\]\[\\&~|])", inside))
    return f"[{'^' if negated else ''}{told}]", stop + 1
