"""What a script does around its launches: whether it does any harm to do that elsewhere too, or more than once."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence

import attrs

from pwxc.ir.found import Found, Launch, Software, Use
from pwxc.shell.found.commands import UNREADABLE, Around, Simple, Walk
from pwxc.shell.found.options import behind_wrappers, listed
from pwxc.shell.found.values import Values
from pwxc.shell.grammar import (
    AndOr,
    Background,
    Case,
    Command,
    Count,
    For,
    Function,
    Group,
    If,
    Node,
    Pipeline,
    While,
    children,
    parse,
)
from pwxc.shell.words import Token, tokenize
from pwxc_targets.osmo.writing.scripts.marked import Places

_SETTING = frozenset(
    listed(
        "export declare typeset readonly local set shopt unset ulimit umask cd pushd popd mkdir echo printf "
        ": true [ [[ test trap shift alias unalias hash exit return exec"
    )
)
"""Commands that only ready the shell, make folders or print."""
_LOOKING = frozenset(
    listed(
        "date hostname pwd env printenv nvidia-smi rocm-smi lscpu nproc free uname id whoami which type "
        "command sleep cat head tail tr cut sed awk grep egrep expr seq wc sort tee clear sync uniq tac paste "
        "basename dirname realpath readlink bc df lsb_release ls touch ln cp rm chmod getconf numfmt rev "
        "fold ip ifconfig wait let (( local"
    )
)
"""Commands that look at the machine, or change only the files around the script."""
_IDLE = _SETTING | {"", "wait"}
_REPEATABLE = _SETTING | _LOOKING | {"", "scontrol"}
_DIFFERING = re.compile(r"\$\$|\$BASHPID|/dev/u?random")
"""What is another value each time."""


@attrs.frozen
class Statement:
    """A command of the script's own level, with the characters that it takes, up to the next one."""

    node: Node
    start: int
    end: int
    after: int


def statements(text: str) -> list[Statement] | None:
    """Cut a script into the statements of its own level; None where it cannot be read."""
    try:
        nodes, tokens = parse(text), tokenize(text)
    except UNREADABLE:
        return None
    words = [token.start for token in tokens if not _separates(token)]
    made: list[Statement] = []
    for node in nodes:
        ends = [place for token in _tokens(node) for place in (token.start, token.end)] or [0]
        start, end = min(ends), max(ends)
        behind = bisect_left(words, end)
        made.append(Statement(node, start, end, words[behind] if behind < len(words) else len(text)))
    return made


def _separates(token: Token) -> bool:
    return token.operator and token.text in ("\n", ";", "&", "}", ")")


def _tokens(node: Node) -> Iterable[Token]:
    match node:
        case Command(words=words, redirects=redirects):
            yield from (*words, *redirects)
        case Pipeline(parts=parts):
            yield from (token for part in parts for token in _tokens(part))
        case AndOr(parts=pairs):
            yield from (token for _, part in pairs for token in _tokens(part))
        case Background(body=body):
            yield from _tokens(body)
        case For() | Count() | While() | If() | Case():
            yield Token("", node.start, node.end)
            yield from node.redirects
        case Group(body=body, redirects=redirects):
            yield from (token for part in body for token in _tokens(part))
            yield from redirects
        case Function(body=body):
            yield from (token for part in body for token in _tokens(part))


def is_plain(node: Node) -> bool:
    """Whether a statement is made of commands alone, each of which comes by at most once."""
    simple = isinstance(node, Command | Pipeline | AndOr | Background | Group)
    return simple and all(is_plain(part) for part in children(node))


def starts_in(node: Node, place: int) -> bool:
    """Whether a word of a statement itself starts at a place, and not one of a text or substitution in it."""
    return any(token.start == place for token in _tokens(node))


def is_idle(text: str, found: Found, *, within: Sequence[Launch]) -> bool:
    """Whether a script needs nothing of an image besides some launches: it only sets, prints, changes folder."""
    commands = _commands(text)
    if commands is None:
        return False
    making = [use for use in found.calls if use.name.endswith(("pull", "build", "import", "create"))]
    ranges: list[Launch | Software | Use] = [*within, *found.software, *making]
    known = Places.of((item.start, item.end) for item in ranges)
    return all(_program(command) in _IDLE or _lies_in(command, known) for command in commands)


def is_repeatable(text: str, found: Found, *, before: int, launches: Sequence[Launch]) -> bool:
    """Whether every node of a job may do what stands before a place, as the first one does in the source."""
    commands = _commands(text[:before])
    if commands is None or _DIFFERING.search(text[:before]):
        return False
    ranges: list[Launch | Software] = [*found.software, *launches]
    known = Places.of((item.start, item.end) for item in ranges)
    return all(_program(command) in _REPEATABLE or _lies_in(command, known) for command in commands)


def _commands(text: str) -> list[Simple] | None:
    walk = Walk()
    found = list(walk.text(text, 0, Around()))
    return found if walk.complete else None


def _lies_in(command: Simple, places: Places) -> bool:
    return any(token.start in places for token in command.words)


def _program(command: Simple) -> str:
    """Give the program of a command; nothing for assignments and for words of compound ones."""
    words = Values().words(command.words)
    if (words and words[0].value in ("[[", "((")) or (words and words[0].value.startswith(("((", "[["))):
        return "[["
    place = behind_wrappers(words) if words else 0
    return words[place].program if place < len(words) else ""


def word_starts(text: str) -> frozenset[int]:
    """Give where the words of commands start that the script itself runs, not those of a text in quotes."""
    return frozenset(token.start for command in Walk().text(text, 0, Around()) for token in command.words)
