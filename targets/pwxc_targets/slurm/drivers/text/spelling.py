"""The parts of words of a shell, as they are written."""

from __future__ import annotations

import re

from pwxc.shell.words import brace_end, parenthesis_end

_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", '"': '"', "e": "\x1b", "0": "\0"}


def split_at(part: str, blanks: str, fields: list[str], current: str | None) -> str | None:
    """Cut a part of a word at blanks: whole words go into `fields`; gives the word that goes on behind, if any."""
    white = re.escape("".join(letter for letter in blanks if letter.isspace()))
    hard = re.escape("".join(letter for letter in blanks if not letter.isspace()))
    between = f"[{white}]+" if not hard else f"[{white}]*[{hard}][{white}]*|[{white}]+" if white else f"[{hard}]"
    pieces = re.split(between, part) if blanks else [part]
    for place, piece in enumerate(pieces):
        if place and (current is not None or hard):
            fields.append(current or "")
            current = None
        if piece:
            current = (current or "") + piece
    return current


def index_behind(text: str, at: int) -> tuple[str | None, str]:
    """Give the index in brackets behind a name, and what follows it."""
    if text[at : at + 1] != "[":
        return None, text[at:]
    depth, stop = 0, at
    while stop < len(text):
        depth += (text[stop] == "[") - (text[stop] == "]")
        stop += 1
        if depth == 0:
            return text[at + 1 : stop - 1], text[stop:]
    return None, text[at:]


def arithmetic_end(word: str, at: int) -> int:
    """Give where a `$(( ))` ends that was opened before `at`, -1 if it is none."""
    depth = 0
    while at < len(word):
        if word.startswith("))", at) and depth == 0:
            return at + 2
        depth += (word[at] == "(") - (word[at] == ")")
        at += 1
    return -1


def quote_end(word: str, at: int) -> int:
    """Give where a double quote stands that closes the one before `at`."""
    while at < len(word) and word[at] != '"':
        if word[at] == "\\":
            at += 2
        elif word.startswith("$(", at):
            at = parenthesis_end(word, at + 2)
        elif word.startswith("${", at):
            at = brace_end(word, at + 2)
        elif word[at] == "`":
            at += 1
            while at < len(word) and word[at] != "`":
                at += 2 if word[at] == "\\" else 1
            at += 1
        else:
            at += 1
    return min(at, len(word))


def ansi_text(word: str, at: int) -> tuple[str, int]:
    """Read what stands in `$' '`; gives the place behind it too."""
    found: list[str] = []
    while at < len(word) and word[at] != "'":
        if word[at] == "\\":
            found.append(_ESCAPES.get(word[at + 1 : at + 2], word[at : at + 2]))
            at += 2
        else:
            found.append(word[at])
            at += 1
    return "".join(found), at + 1
