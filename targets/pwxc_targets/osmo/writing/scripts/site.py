"""Variables by which a site names its folders (`$TMPDIR`, `$SCRATCH`), where a script relies on them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pwxc.ir.found import Use
from pwxc.shell.found.commands import Around, Simple, Walk, pieces, place_in
from pwxc.shell.found.values import Values
from pwxc.shell.words import Token
from pwxc_targets.osmo.writing.scripts.marked import Places
from pwxc_targets.osmo.writing.scripts.worth import SITE_VARIABLE

_READ = re.compile(rf"\$(?:\{{(?P<braced>{SITE_VARIABLE})\b(?P<default>:?[-=+])?|(?P<plain>{SITE_VARIABLE})\b)")
_SET = re.compile(rf"\$\{{({SITE_VARIABLE}):?=")
_TESTING = frozenset(["[", "[[", "test"])


def site_variables(text: str) -> tuple[Use, ...]:
    """Give the first place where a script reads each of these variables without having set it or naming a default.

    What only looks whether a variable is set is no reading: the script can do without it.
    """
    if _READ.search(text) is None:
        return ()
    found: dict[str, Use] = {}
    known: set[str] = set()
    for command in Walk().text(text, 0, Around()):
        tokens = (*command.words, *command.others)
        if not command.words or command.words[0].text not in _TESTING:
            for name, place in _reads(tokens, text):
                if name not in known:
                    found.setdefault(name, Use(name, place, place + len(name)))
        known |= _sets(command)
    return tuple(found.values())


def _reads(tokens: tuple[Token, ...], text: str) -> Iterator[tuple[str, int]]:
    for token in tokens:
        here = token.here is not None
        if here and not token.expanded:
            continue
        words = token.here if token.here is not None else token.text
        covered = Places() if here else Places.of((piece.begin, piece.stop) for piece in pieces(words))
        for match in _READ.finditer(words):
            name = match["braced"] or match["plain"]
            if match["default"] or match.start() in covered:
                continue
            start = match.start("braced" if match["braced"] else "plain")
            place = text.find(name, token.end) if here else place_in(token, start)
            if place >= 0:
                yield name, place


def _sets(command: Simple) -> set[str]:
    tokens = (*command.words, *command.others)
    return {*Values.of([command]).counts, *(name for token in tokens for name in _SET.findall(token.text))}
