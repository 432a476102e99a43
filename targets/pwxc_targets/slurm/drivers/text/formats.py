"""What `printf` prints."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from pwxc_targets.slurm.drivers.text.marks import UNKNOWN, is_fixed

_FIELD = re.compile(r"%%|\\.|%([0-9-]*)([sdiqgb])|%.", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "\\": "\\", "r": "\r"}


def printf(words: Sequence[str], refuse: Callable[[str], None]) -> str:
    """Give what `printf` prints; the format is used again while there are arguments.

    `refuse` is told of values that are given a width or made numbers.
    """
    if not words:
        return ""
    form, arguments = words[0], list(words[1:])
    told: list[str] = []
    while True:
        piece, used = _formatted(form, arguments, refuse)
        told.append(piece)
        arguments = arguments[used:]
        if not arguments or not used or UNKNOWN in piece:
            return "".join(told)


def _formatted(form: str, arguments: Sequence[str], refuse: Callable[[str], None]) -> tuple[str, int]:
    used = 0

    def one(found: re.Match[str]) -> str:
        nonlocal used
        if found.group() == "%%":
            return "%"
        if found.group().startswith("\\"):
            return _ESCAPES.get(found.group()[1], found.group())
        value = arguments[used] if used < len(arguments) else ""
        used += 1
        return _field(found.group(1), found.group(2), value, refuse)

    return _FIELD.sub(one, form), used


def _field(width: str, kind: str | None, value: str, refuse: Callable[[str], None]) -> str:
    if kind is None:
        return UNKNOWN
    if not width and kind in "sdi":
        return value
    if not is_fixed(value):
        refuse(value)
        return UNKNOWN
    if kind in "qgb":
        return value if kind == "g" or re.fullmatch(r"[\w./:=@%+,-]+", value) else UNKNOWN
    if kind in "di":
        if not re.fullmatch(r"-?\d*", value) or re.fullmatch(r"-?0\d+", value):
            return UNKNOWN if not re.fullmatch(r"-?[0-7]+", value) else f"%{width}d" % int(value, 8)
        return f"%{width}d" % int(value or 0)
    return f"%{width}s" % value
