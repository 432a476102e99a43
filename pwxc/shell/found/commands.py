"""The simple commands of a shell text, in its order, with what stands around each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import attrs

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
    Parser,
    Pipeline,
    While,
    children,
)
from pwxc.shell.words import ShellError, Token, parenthesis_end, tokenize

UNREADABLE = (ShellError, IndexError, RecursionError)
"""What reading a shell text can end with."""
_SPECIAL = re.compile(r"[\\'\"`$<>]")
_NESTING = (For, Count, While, If, Case, Function)


@attrs.frozen
class Around:
    """What stands around a command: whether it may run never or more than once, is waited for, and whose it is."""

    nested: bool = False
    background: bool = False
    function: str = ""


@attrs.frozen
class Simple:
    """A simple command, or the words of a compound one; `sets` are variables that a compound one sets."""

    words: tuple[Token, ...]
    around: Around
    others: tuple[Token, ...] = ()
    """Words that are no part of the command: where it reads and writes, what a loop goes through."""
    sets: tuple[str, ...] = ()


@attrs.define
class Walk:
    """Goes through nodes; `complete` becomes false where a text inside `$( )` cannot be read."""

    complete: bool = True

    def nodes(self, nodes: Sequence[Node], around: Around) -> Iterator[Simple]:
        """Give the commands of nodes that stand one after the other."""
        for node in nodes:
            yield from self._node(node, around)

    def _node(self, node: Node, around: Around) -> Iterator[Simple]:
        if isinstance(node, Command):
            yield from self._command(node, around)
            return
        if isinstance(node, AndOr):
            for number, (_, part) in enumerate(node.parts):
                yield from self._node(part, attrs.evolve(around, nested=around.nested or number > 0))
            return
        own = _words(node)
        if own is not None:
            yield from self._inner(own.others, around)
            yield attrs.evolve(own, around=around)
        yield from self.nodes(children(node), _inside(node, around))
        if isinstance(node, Group | While | For | Count | If | Case) and node.redirects:
            yield from self._inner(node.redirects, around)
            yield Simple((), around, node.redirects)

    def _command(self, node: Command, around: Around) -> Iterator[Simple]:
        yield from self._inner((*node.words, *node.redirects), around)
        yield Simple(node.words, around, node.redirects)

    def _inner(self, tokens: Sequence[Token], around: Around) -> Iterator[Simple]:
        for token in tokens:
            for piece in pieces(token.text):
                if piece.kind == "inner":
                    text = token.text[piece.start : piece.end]
                    yield from self.text(text, place_in(token, piece.start), around)

    def text(self, text: str, base: int, around: Around) -> Iterator[Simple]:
        """Give the commands of a text that stands at a place of the whole one."""
        try:
            nodes = read(text, base)
        except UNREADABLE:
            self.complete = False
            return
        yield from self.nodes(nodes, around)


def read(text: str, base: int) -> tuple[Node, ...]:
    """Read a text whose quotes are all closed.

    Raises:
        ShellError: it is not understood.
    """
    tokens = tokenize(text, base)
    if tokens and tokens[-1].end > base + len(text):
        raise ShellError("the script ends too early", tokens[-1].start, base + len(text))
    return Parser(tokens).parse()


def _lead(token: Token) -> int:
    """Give how far the text of a token stands behind its start: a redirection has its mark before it."""
    return token.end - token.start - len(token.text) if token.redirect and token.here is None else 0


def place_in(token: Token, at: int) -> int:
    """Give where a place in the text of a token is in the whole text."""
    return token.start + _lead(token) + at


def _inside(node: Node, around: Around) -> Around:
    if isinstance(node, Background):
        return attrs.evolve(around, background=True)
    if isinstance(node, Function):
        return Around(nested=True, function=node.name)
    return attrs.evolve(around, nested=True) if isinstance(node, _NESTING) else around


def _words(node: Node) -> Simple | None:
    match node:
        case For(variable=variable, items=items):
            return Simple((), Around(), items or (), (variable,))
        case Count(first=first, test=test, step=step, start=start):
            text = f"(({first};{test};{step}))"
            return Simple((), Around(), (Token(text, start, start + len(text)),))
        case Case(word=word, arms=arms):
            return Simple((), Around(), (word, *(pattern for patterns, _ in arms for pattern in patterns)))
        case Command() | Pipeline() | AndOr() | Background() | While() | If() | Group() | Function():
            return None


@attrs.frozen
class Piece:
    """A part of a word that is no plain text: the whole is `begin` to `stop`, what its marks enclose `start` to `end`.

    It is `quoted` (between single quotes), `escaped` (a backslash and its letter), or `inner` (commands in `$( )`,
    `<( )` or back-ticks).
    """

    kind: str
    begin: int
    start: int
    end: int
    stop: int


def pieces(text: str) -> Iterator[Piece]:
    """Give the parts of a word that are no plain text."""
    found_at = _SPECIAL.search(text)
    at, double = found_at.start() if found_at is not None else len(text), False
    while at < len(text):
        letter, pair = text[at], text[at : at + 2]
        found = None
        if letter == "\\":
            found = Piece("escaped", at, at + 1, at + 2, at + 2)
        elif (letter == "'" or pair == "$'") and not double:
            start = at + 1 + (letter == "$")
            found = _enclosed("quoted", text, at, start, "'", escapes=letter == "$")
        elif letter == "`":
            found = _enclosed("inner", text, at, at + 1, "`", escapes=True)
        elif text.startswith("$((", at):
            at += 2
        elif pair == "$(" or (pair in ("<(", ">(") and not double):
            stop = parenthesis_end(text, at + 2)
            found = Piece("inner", at, at + 2, stop - 1, stop)
        double = double is not (letter == '"')
        at = found.stop if found is not None else at + 1
        if found is not None:
            yield found


def _enclosed(kind: str, text: str, begin: int, start: int, mark: str, *, escapes: bool) -> Piece:
    end = start
    while end < len(text) and text[end] != mark:
        end += 2 if escapes and text[end] == "\\" else 1
    end = min(end, len(text))
    return Piece(kind, begin, start, end, min(end + 1, len(text)))
