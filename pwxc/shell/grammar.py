"""Shell tokens read into commands."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import attrs

from pwxc.shell.words import ShellError, Token, tokenize


@attrs.frozen
class Command:
    """A simple command: its words and its redirections."""

    words: tuple[Token, ...]
    redirects: tuple[Token, ...] = ()


@attrs.frozen
class Pipeline:
    """Commands that are joined by `|`; `negated` by a `!`."""

    parts: tuple[Node, ...]
    negated: bool = False


@attrs.frozen
class AndOr:
    """Commands that are joined by `&&` and `||`, each with the operator before it; the first has none."""

    parts: tuple[tuple[str, Node], ...]


@attrs.frozen
class Background:
    """A command that is started with `&`."""

    body: Node


@attrs.frozen
class For:
    """A `for` over words; None stands for the arguments. A person chooses one of the items where it is a `select`."""

    variable: str
    items: tuple[Token, ...] | None
    body: tuple[Node, ...]
    start: int
    end: int
    redirects: tuple[Token, ...] = ()
    select: bool = False


@attrs.frozen
class Count:
    """A `for ((first; test; step))`."""

    first: str
    test: str
    step: str
    body: tuple[Node, ...]
    start: int
    end: int
    redirects: tuple[Token, ...] = ()


@attrs.frozen
class While:
    """A `while`, or an `until`, with its test; `redirects` stand behind the `done`."""

    test: tuple[Node, ...]
    body: tuple[Node, ...]
    until: bool
    start: int
    end: int
    redirects: tuple[Token, ...] = ()


@attrs.frozen
class If:
    """An `if` with its tests and bodies; a test that is empty is `else`."""

    arms: tuple[tuple[tuple[Node, ...], tuple[Node, ...]], ...]
    start: int
    end: int
    redirects: tuple[Token, ...] = ()


@attrs.frozen
class Case:
    """A `case` with its patterns and bodies; `stops` has the operator behind each body, perhaps none."""

    word: Token
    arms: tuple[tuple[tuple[Token, ...], tuple[Node, ...]], ...]
    start: int
    end: int
    redirects: tuple[Token, ...] = ()
    stops: tuple[str, ...] = ()


@attrs.frozen
class Group:
    """Commands in braces, or in parentheses, which leave the variables outside alone."""

    body: tuple[Node, ...]
    subshell: bool
    redirects: tuple[Token, ...] = ()


@attrs.frozen
class Function:
    """The definition of a function."""

    name: str
    body: tuple[Node, ...]


Node = Command | Pipeline | AndOr | Background | For | Count | While | If | Case | Group | Function
_ENDS = frozenset({"do", "done", "then", "elif", "else", "fi", "}", "esac"})
_STOPS = frozenset({")", ";;", ";&", ";;&"})
_DEEPEST = 100
"""How many lists of commands may stand within each other."""


def children(node: Node) -> tuple[Node, ...]:
    """Give the nodes right below a node."""
    match node:
        case Pipeline(parts=parts):
            return parts
        case AndOr(parts=pairs):
            return tuple(part for _, part in pairs)
        case Background(body=body):
            return (body,)
        case While(test=test, body=inner):
            return (*test, *inner)
        case If(arms=arms):
            return tuple(part for test, inner in arms for part in (*test, *inner))
        case Case(arms=choices):
            return tuple(part for _, inner in choices for part in inner)
        case For() | Count() | Group() | Function():
            return node.body
        case Command():
            return ()


class Parser:
    """Reads tokens into nodes."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.tokens = tokens
        self.at = 0
        self.depth = 0

    def parse(self) -> tuple[Node, ...]:
        """Read everything; what cannot be read is a `ShellError`."""
        nodes = self._list()
        if self.at < len(self.tokens):
            token = self.tokens[self.at]
            raise ShellError(f"`{token.text.strip()}` is not expected here", token.start, token.end)
        return nodes

    def _peek(self) -> Token | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def _is(self, *texts: str, operator: bool = False) -> bool:
        token = self._peek()
        return token is not None and token.operator is operator and not token.redirect and token.text in texts

    def _take(self) -> Token:
        token = self._peek()
        if token is None:
            last = self.tokens[-1] if self.tokens else Token("", 0, 0)
            raise ShellError("the script ends too early", last.start, last.end)
        self.at += 1
        return token

    def _expect(self, word: str, *, operator: bool = False) -> Token:
        self._newlines()
        if not self._is(word, operator=operator):
            place = self._peek() or self.tokens[-1]
            raise ShellError(f"`{word}` is due here", place.start, place.end)
        return self._take()

    def _newlines(self) -> None:
        while self._is("\n", operator=True):
            self.at += 1

    def _list(self) -> tuple[Node, ...]:
        self.depth += 1
        if self.depth > _DEEPEST:
            place = self.tokens[self.at - 1]
            raise ShellError("commands are nested too deeply", place.start, place.end)
        nodes = self._commands()
        self.depth -= 1
        return nodes

    def _commands(self) -> tuple[Node, ...]:
        nodes: list[Node] = []
        while True:
            while self._is("\n", ";", "&", operator=True):
                self.at += 1
            token = self._peek()
            if token is None or (not token.redirect and token.text in (_STOPS if token.operator else _ENDS)):
                return tuple(nodes)
            node = self._and_or()
            nodes.append(Background(node) if self._is("&", operator=True) else node)

    def _and_or(self) -> Node:
        parts: list[tuple[str, Node]] = [("", self._pipeline())]
        while self._is("&&", "||", operator=True):
            operator = self._take().text
            self._newlines()
            parts.append((operator, self._pipeline()))
        return parts[0][1] if len(parts) == 1 else AndOr(tuple(parts))

    def _pipeline(self) -> Node:
        negated = False
        while self._is("!", "time"):
            negated = (self._take().text == "!") is not negated
        parts = [self._node()]
        while self._is("|", "|&", operator=True):
            self._take()
            self._newlines()
            parts.append(self._node())
        return Pipeline(tuple(parts), negated) if len(parts) > 1 or negated else parts[0]

    def _node(self) -> Node:
        token = self._peek()
        if token is not None and token.operator and token.text == "(":
            self._take()
            body = self._list()
            self._expect(")", operator=True)
            return Group(body, True, self._redirects())
        if token is None or token.operator or token.redirect:
            return self._command()
        match token.text:
            case "for" | "select":
                return self._for()
            case "while" | "until":
                return self._while()
            case "if":
                return self._if()
            case "case":
                return self._case()
            case "{":
                self._take()
                body = self._list()
                self._expect("}")
                return Group(body, False, self._redirects())
            case "function":
                self._take()
                return self._function(self._take())
        return self._command()

    def _redirects(self) -> tuple[Token, ...]:
        found: list[Token] = []
        while (token := self._peek()) is not None and token.redirect:
            found.append(self._take())
        return tuple(found)

    def _body(self, start: str, end: str) -> tuple[tuple[Node, ...], Token]:
        self._separator()
        self._expect(start)
        body = self._list()
        return body, self._expect(end)

    def _separator(self) -> None:
        while self._is(";", "\n", operator=True):
            self.at += 1

    def _for(self) -> Node:
        start = self._take()
        name = self._take()
        if name.text.startswith("(("):
            parts = [*name.text[2:-2].split(";"), "", "", ""]
            braces = self._braces()
            if braces is not None:
                stop = self.tokens[self.at - 1].end
                return Count(parts[0], parts[1], parts[2], braces, start.start, stop, self._redirects())
            body, end = self._body("do", "done")
            return Count(parts[0], parts[1], parts[2], body, start.start, end.end, self._redirects())
        items: list[Token] | None = None
        self._newlines()
        if self._is("in"):
            self._take()
            items = []
            while (token := self._peek()) is not None and not token.operator:
                items.append(self._take())
        body, end = self._body("do", "done")
        over = None if items is None else tuple(items)
        return For(name.text, over, body, start.start, end.end, self._redirects(), start.text == "select")

    def _braces(self) -> tuple[Node, ...] | None:
        self._separator()
        if not self._is("{"):
            return None
        self._take()
        body = self._list()
        self._expect("}")
        return body

    def _while(self) -> Node:
        start = self._take()
        test = self._list()
        body, end = self._body("do", "done")
        return While(test, body, start.text == "until", start.start, end.end, self._redirects())

    def _if(self) -> Node:
        arms: list[tuple[tuple[Node, ...], tuple[Node, ...]]] = []
        start = self._take()
        test = self._list()
        self._expect("then")
        arms.append((test, self._list()))
        while self._is("elif", "else"):
            if self._take().text == "elif":
                test = self._list()
                self._expect("then")
                arms.append((test, self._list()))
            else:
                arms.append(((), self._list()))
        end = self._expect("fi")
        return If(tuple(arms), start.start, end.end, self._redirects())

    def _case(self) -> Node:
        start = self._take()
        word = self._take()
        self._expect("in")
        arms: list[tuple[tuple[Token, ...], tuple[Node, ...]]] = []
        stops: list[str] = []
        self._newlines()
        while not self._is("esac"):
            if self._is("(", operator=True):
                self._take()
            patterns = [self._take()]
            while self._is("|", operator=True):
                self._take()
                patterns.append(self._take())
            self._expect(")", operator=True)
            arms.append((tuple(patterns), self._list()))
            stops.append(self._take().text if self._is(";;", ";&", ";;&", operator=True) else "")
            self._newlines()
        end = self._take()
        return Case(word, tuple(arms), start.start, end.end, self._redirects(), tuple(stops))

    def _command(self) -> Node:
        words: list[Token] = []
        redirects: list[Token] = []
        while (token := self._peek()) is not None:
            if token.operator and token.text == "(" and len(words) == 1 and not redirects:
                return self._function(words[0])
            if token.operator:
                break
            (redirects if token.redirect else words).append(self._take())
        if token is not None and token.text == "(":
            raise ShellError("a parenthesis is not expected here", token.start, token.end)
        if not words and not redirects:
            place = token or self.tokens[-1]
            raise ShellError(f"`{place.text.strip()}` is not expected here", place.start, place.end)
        return Command(tuple(words), tuple(redirects))

    def _function(self, name: Token) -> Node:
        if self._is("(", operator=True):
            self._take()
            self._expect(")", operator=True)
        self._newlines()
        body = self._node()
        if isinstance(body, Group) and not body.subshell and not body.redirects:
            return Function(name.text, body.body)
        return Function(name.text, (body,))


def parse(text: str, base: int = 0) -> tuple[Node, ...]:
    """Read a shell text.

    Raises:
        ShellError: a part of it is not understood, or it is nested too deeply.
    """
    found = _parsed(text, base)
    if isinstance(found, ShellError):
        raise ShellError(str(found), found.start, found.end)
    return found


@lru_cache(maxsize=8)
def _parsed(text: str, base: int) -> tuple[Node, ...] | ShellError:
    """Read a shell text, once for all that ask for it: each that recognises something in a script reads it anew."""
    try:
        return Parser(tokenize(text, base)).parse()
    except RecursionError:
        return ShellError("it is nested too deeply", base, base)
    except ShellError as error:
        return ShellError(str(error), error.start, error.end)
