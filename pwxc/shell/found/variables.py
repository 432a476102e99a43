"""Variables of the scheduler that a text reads."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pwxc.shell.found.commands import pieces, place_in
from pwxc.shell.words import Token

_NAME = r"(?:SLURMD?|SBATCH)_\w+"
_READ = re.compile(rf"\$\{{?[!#]?({_NAME})")
_BARE = re.compile(rf"\b({_NAME})")
_HERE = re.compile(rf"(?<!\\)(?:\\\\)*\$\{{?[!#]?({_NAME})")
_ARITHMETIC = re.compile(r"\(\((?:[^()]|\([^()]*\))*\)\)|\[[^]]*\]")


def reads(token: Token, text: str) -> Iterator[tuple[str, int]]:
    """Give the variables that a word reads, each with its place in the text; commands in it are left to others."""
    if token.here is not None:
        yield from _here(token, text)
        return
    plain = _masked(token.text)
    for found in _READ.finditer(plain):
        yield found.group(1), place_in(token, found.start(1))
    for part in _ARITHMETIC.finditer(plain):
        for found in _BARE.finditer(plain, part.start(), part.end()):
            if plain[found.start() - 1] not in "${":
                yield found.group(1), place_in(token, found.start(1))


def _masked(word: str) -> str:
    """Give a word with blanks where it is quoted, escaped, or holds commands."""
    if not any(mark in word for mark in "\\'`(<>"):
        return word
    letters = list(word)
    for piece in pieces(word):
        letters[piece.begin : piece.stop] = " " * (piece.stop - piece.begin)
    return "".join(letters)


def _here(token: Token, text: str) -> Iterator[tuple[str, int]]:
    """Look into a here-document in which variables are replaced; a tab that `<<-` takes away moves no line's order."""
    if not token.expanded or token.here is None:
        return
    for found in _HERE.finditer(token.here):
        name = found.group(1)
        place = text.find(name, token.end)
        if place >= 0:
            yield name, place
