"""Quoting that neither a shell nor a checker of shell text takes for a slip."""

from __future__ import annotations

from pwxc.shell import quote


def in_double_quotes(text: str) -> str:
    """Give a literal text as it stands within double quotes."""
    for letter in '\\"$`':
        text = text.replace(letter, "\\" + letter)
    return text


def word(text: str) -> str:
    """Quote a text; what looks like an expansion that was meant is put so that it plainly was not."""
    if text.startswith("~"):
        return "'~'" + (word(text[1:]) if len(text) > 1 else "")
    if any(letter in text for letter in "$`\\"):
        return f'"{in_double_quotes(text)}"'
    return quote(text)


def assigned(text: str) -> str:
    """Quote a text that is assigned: always in quotes, so that it is not taken for a command."""
    quoted = word(text)
    return f"'{text}'" if quoted == text else quoted
