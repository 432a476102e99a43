"""A careful look at a shell text line by line, for texts that cannot be read as a whole."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pwxc.shell.found.commands import UNREADABLE, Around, Simple, Walk, read

_HERE = re.compile(r"<<-?[ \t]*\\?(['\"]?)([\w.+-]+)\1")
_TEST = r"(?:if|while|for|foreach)\s*\w*\s*\([^()]*(?:\([^()]*\)[^()]*)*\)\s+(?!then\b)"
"""A test or a list in parentheses, as the C shell and zsh have them before a command."""
_LEADING = re.compile(rf"(?:{_TEST}|(?:then|do|else|if|elif|while|until|!|\{{|\(|time)\s+)+")
_TRAILING = re.compile(r"\s*(?:;\s*(?:then|do)|\bthen|\bdo|;;|\}|\)|\{)\s*\Z")


def commands(text: str, walk: Walk, *, c_shell: bool = False) -> Iterator[Simple]:
    """Give the commands of the lines that can be read alone, without those of here-documents and of open quotes."""
    at, quote = 0, ""
    while at < len(text):
        end = _line_end(text, at)
        line = text[at:end]
        if quote:
            quote = _open_quote(line, quote)
        else:
            quote = "" if c_shell else _open_quote(line, "")
            if not quote:
                yield from _commands(line, at, walk)
            end = _behind_here_document(text, line, end)
        at = end + 1


def _line_end(text: str, at: int) -> int:
    """Give the end of a line with those that continue it."""
    end = text.find("\n", at)
    while end > at and text[end - 1] == "\\":
        end = text.find("\n", end + 1)
    return len(text) if end < 0 else end


def _open_quote(line: str, quote: str) -> str:
    """Give the quote that is open at the end of a line."""
    at = 0
    while at < len(line):
        letter = line[at]
        if letter == "\\" and quote != "'":
            at += 1
        elif quote:
            quote = "" if letter == quote else quote
        elif letter == "#" and (at == 0 or line[at - 1] in " \t;&|("):
            break
        elif letter in "'\"":
            quote = letter
        at += 1
    return quote


def _behind_here_document(text: str, line: str, end: int) -> int:
    for found in _HERE.finditer(line) if "<<" in line and "<<<" not in line else ():
        closing = re.compile(rf"^\t*{re.escape(found.group(2))}$", re.MULTILINE).search(text, end)
        if closing is not None:
            end = max(end, closing.end())
    return end


def _commands(line: str, base: int, walk: Walk) -> Iterator[Simple]:
    start = len(line) - len(line.lstrip())
    nested = start > 0
    leading = _LEADING.match(line, start)
    while True:
        try:
            nodes = read(line[start:], base + start)
        except UNREADABLE:
            if leading is not None and start < leading.end():
                start, nested = leading.end(), True
            elif (trailing := _TRAILING.search(line, start)) is not None and trailing.start() > start:
                line, nested = line[: trailing.start()], True
            else:
                return
            continue
        yield from walk.nodes(nodes, Around(nested=nested))
        return
