"""Text from a user's file as it may be shown on a terminal: nothing that moves the cursor or turns the direction."""

from __future__ import annotations

import unicodedata

TAB = "    "
_DIRECTION = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def is_plain(text: str) -> bool:
    """Whether a text is one cell a character and can be shown as it is."""
    return text.isascii() and text.isprintable()


def show_character(character: str) -> str:
    """Give what stands for a character in a source line: tabs as blanks, control characters as pictures."""
    if character == "\t":
        return TAB
    if character < " ":
        return chr(0x2400 + ord(character))
    if character == "\x7f":
        return "\u2421"
    if character in _DIRECTION or unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp"):
        return "\ufffd"
    return character


def show_line(text: str) -> str:
    """Give a source line as it is shown."""
    return text if is_plain(text) else "".join(map(show_character, text))


def show_message(text: str) -> str:
    """Give a message on one line; characters that cannot be shown are written as escapes."""
    if is_plain(text):
        return text
    return "".join(character if _can_show(character) else _escape(character) for character in text)


def _can_show(character: str) -> bool:
    return character not in _DIRECTION and unicodedata.category(character) not in ("Cc", "Cs", "Zl", "Zp")


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def width(text: str) -> int:
    """Give how many cells of a terminal a shown text takes."""
    if is_plain(text):
        return len(text)
    return sum(_cells(character) for character in text)


def _cells(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1
