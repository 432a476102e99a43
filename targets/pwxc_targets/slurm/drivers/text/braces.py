"""Braces in words of a shell: `{1..9}` and `{a,b}`."""

from __future__ import annotations

import re

from pwxc.shell.words import brace_end, piece_end
from pwxc_targets.slurm.drivers.text.marks import UNKNOWN

_RANGE = re.compile(r"\{(-?\d+)\.\.(-?\d+)(?:\.\.(-?\d+))?\}")
_LETTERS = re.compile(r"\{([A-Za-z])\.\.([A-Za-z])\}")
MOST_WORDS = 10_000


def braced_range(word: str) -> tuple[int, int, int, int] | None:
    """Read `{FIRST..LAST..STEP}`; gives first, last, step, and how many digits the numbers have at least."""
    found = _RANGE.fullmatch(word)
    if found is None:
        return None
    first, last, step = int(found.group(1)), int(found.group(2)), abs(int(found.group(3) or 1)) or 1
    padded = any(re.match(r"-?0\d", part) for part in found.groups()[:2])
    width = max(len(found.group(1)), len(found.group(2))) if padded else 0
    return first, last, step if first <= last else -step, width


def written_out(word: str) -> list[str]:
    """Write braces out; what is quoted stays."""
    if "{" not in word:
        return [word]
    at = 0
    while at < len(word):
        if word[at] == "{":
            stop = brace_end(word, at + 1)
            items = _items(word[at:stop])
            if items is not None:
                return _joined(word[:at], items, written_out(word[stop:]))
            at += 1
        elif word[at] in "\\'\"$`":
            at = piece_end(word, at)
        else:
            at += 1
    return [word]


def _joined(head: str, items: list[str], tails: list[str]) -> list[str]:
    if len(items) * len(tails) > MOST_WORDS:
        return [UNKNOWN]
    inner = [each for item in items for each in written_out(item)]
    return [head + item + tail for item in inner for tail in tails]


def _items(text: str) -> list[str] | None:
    """Give what a pair of braces stands for; None if it is only text."""
    letters = _LETTERS.fullmatch(text)
    if letters is not None:
        first, last = (ord(letter) for letter in letters.groups())
        step = 1 if first <= last else -1
        return [chr(number) for number in range(first, last + step, step)]
    ranged = braced_range(text)
    if ranged is not None:
        first, last, step, width = ranged
        if abs(last - first) // abs(step) >= MOST_WORDS:
            return [UNKNOWN]
        return [_padded(number, width) for number in range(first, last + (1 if step > 0 else -1), step)]
    return _alternatives(text)


def _padded(number: int, width: int) -> str:
    return str(number).zfill(width)


def _alternatives(text: str) -> list[str] | None:
    """Cut `{a,b}` at its commas."""
    if not text.endswith("}"):
        return None
    found: list[str] = []
    at = start = 1
    while at < len(text) - 1:
        if text[at] == ",":
            found.append(text[start:at])
            at = start = at + 1
        elif text[at] == "{":
            at = brace_end(text, at + 1)
        elif text[at] in "\\'\"$`":
            at = piece_end(text, at)
        else:
            at += 1
    return [*found, text[start : len(text) - 1]] if found else None
