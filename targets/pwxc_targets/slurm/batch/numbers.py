"""Numbers as C reads them: ASCII digits with white space and a sign in front, and as many bits as fit."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"[ \t\n\v\f\r]*([+-]?[0-9]+)")
_LONG = 2**63


def leading(text: str) -> tuple[int | None, str]:
    """Read a number at the start as C's `strtol` does; give it and the rest."""
    found = _NUMBER.match(text)
    if found is None:
        return None, text
    return int(found.group(1)), text[found.end() :]


def wrapped(number: int) -> int:
    """Give what is left of a number in 32 bits."""
    number = max(-_LONG, min(_LONG - 1, number))
    return (number + 2**31) % 2**32 - 2**31


def is_number(text: str) -> bool:
    """Whether a text is a row of digits and nothing else."""
    return text.isascii() and text.isdigit()
