"""Quoting for bash."""

from __future__ import annotations

import re
from functools import lru_cache
from zlib import crc32

_SAFE = re.compile(r"[A-Za-z0-9_@%+=:,./-]+\Z")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


@lru_cache(maxsize=4096)
def quote(text: str) -> str:
    """Quote a text so that bash reads it as one word with exactly these characters."""
    if _SAFE.match(text) and not text.startswith("="):
        return text
    return "'" + text.replace("'", "'\\''") + "'"


def is_variable_name(text: str) -> bool:
    """Whether a shell variable can have this name."""
    return _NAME.match(text) is not None


def delimiter(text: str, *, open_ended: bool = False) -> str:
    """Give a here-document's delimiter that is no line of the text.

    With `open_ended` the text holds values that nobody knows yet; the delimiter is then one that no value has but on
    purpose.
    """
    word = f"PWXC_EOF_{crc32(text.encode(errors='replace')):08x}" if open_ended else "PWXC_EOF"
    found, number = word, 1
    lines = set(text.split("\n")) if word in text else frozenset()
    while found in lines:
        number += 1
        found = f"{word}_{number}"
    return found
