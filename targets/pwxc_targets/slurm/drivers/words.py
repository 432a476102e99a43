"""Shell text cut into commands: enough of the grammar to follow a script that submits jobs."""

from __future__ import annotations

import re
from collections.abc import Sequence

import attrs

_OPERATORS = re.compile(r"&&|\|\||;;|[;&|()\n]")
_HERE = re.compile(r"<<(-?)[ \t]*(['\"]?)([\w.+-]+)\2")
_REDIRECT = re.compile(r"[0-9]*(?:>>|>&|&>|<<<|<|>)")


@attrs.frozen
class Token:
    """A word as it stands in the text, or an operator; `here` is the here-document that follows a `<<`."""

    text: str
    start: int
    end: int
    operator: bool = False
    here: str | None = None
    expanded: bool = True


class ShellError(Exception):
    """The text is not understood from a place on."""

    def __init__(self, message: str, start: int, end: int) -> None:
        super().__init__(message)
        self.start = start
        self.end = end


def tokenize(text: str, base: int = 0) -> list[Token]:
    """Cut a shell text into words and operators; comments and redirections are left out."""
    tokens: list[Token] = []
    pending: list[tuple[str, bool, bool, int]] = []
    at = 0
    while at < len(text):
        if text.startswith("\\\n", at):
            at += 2
        elif text[at] in " \t\r":
            at += 1
        elif text[at] == "#" and (at == 0 or text[at - 1] in " \t\n;&|("):
            stop = text.find("\n", at)
            at = len(text) if stop < 0 else stop
        elif (here := _HERE.match(text, at)) is not None and not text.startswith("<<<", at):
            pending.append((here.group(3), bool(here.group(1)), not here.group(2), at))
            at = here.end()
        elif (redirect := _REDIRECT.match(text, at)) is not None:
            at = _skip_target(text, redirect.end())
        elif (operator := _OPERATORS.match(text, at)) is not None:
            at = operator.end()
            if operator.group() == "\n" and pending:
                at = _here_documents(text, at, pending, tokens, base)
            tokens.append(Token(operator.group(), base + operator.start(), base + operator.end(), operator=True))
        else:
            stop = word_end(text, at)
            tokens.append(Token(text[at:stop], base + at, base + stop))
            at = stop
    return tokens


def _skip_target(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t":
        at += 1
    return word_end(text, at)


def _here_documents(
    text: str, at: int, pending: list[tuple[str, bool, bool, int]], tokens: list[Token], base: int
) -> int:
    for word, strips, expanded, place in pending:
        found: list[str] = []
        while at < len(text):
            stop = text.find("\n", at)
            stop = len(text) if stop < 0 else stop
            line = text[at:stop]
            at = min(stop + 1, len(text))
            if (line.lstrip("\t") if strips else line) == word:
                break
            found.append(line.lstrip("\t") if strips else line)
        content = "\n".join(found) + "\n"
        tokens.append(Token("<<", base + place, base + place + 2, here=content, expanded=expanded))
    pending.clear()
    return at


def word_end(text: str, at: int) -> int:
    """Give where the word that starts at `at` ends."""
    while at < len(text):
        letter = text[at]
        if letter in " \t\r\n;&|()<>":
            break
        at = _piece_end(text, at)
    return at


def _piece_end(text: str, at: int) -> int:
    letter = text[at]
    if letter == "\\":
        return at + 2
    if letter == "'":
        return _after(text, "'", at + 1)
    if letter == '"':
        return _double_end(text, at + 1)
    if letter == "`":
        return _after(text, "`", at + 1)
    if text.startswith("$((", at):
        return _after(text, "))", at + 3)
    if text.startswith("$(", at) or (letter == "=" and text.startswith("=(", at)):
        return parenthesis_end(text, at + 2)
    if text.startswith("${", at):
        return _after(text, "}", at + 2)
    return at + 1


def _after(text: str, mark: str, at: int) -> int:
    found = text.find(mark, at)
    return len(text) if found < 0 else found + len(mark)


def _double_end(text: str, at: int) -> int:
    while at < len(text) and text[at] != '"':
        at = _piece_end(text, at) if text[at] in "\\`$" else at + 1
    return at + 1


def parenthesis_end(text: str, at: int) -> int:
    """Give where the parenthesis that was opened before `at` is closed."""
    depth = 1
    while at < len(text) and depth:
        if text[at] in "()":
            depth += 1 if text[at] == "(" else -1
            at += 1
        elif text[at] in "\\'\"`$":
            at = _piece_end(text, at)
        else:
            at += 1
    return at


@attrs.frozen
class Command:
    """A simple command: its words, and the here-document that it reads."""

    words: tuple[Token, ...]
    here: Token | None = None
    piped: bool = False


@attrs.frozen
class Loop:
    """A `for` over words, or a `while` with its test."""

    variable: str
    items: tuple[Token, ...]
    body: tuple[Node, ...]
    test: tuple[Node, ...] = ()
    start: int = 0
    end: int = 0


@attrs.frozen
class Branch:
    """An `if` with its tests and bodies; a test that is empty is `else`."""

    arms: tuple[tuple[tuple[Node, ...], tuple[Node, ...]], ...]
    start: int = 0
    end: int = 0


@attrs.frozen
class Function:
    """The definition of a function."""

    name: str
    body: tuple[Node, ...]


@attrs.frozen
class Opaque:
    """Something that is not followed: a `case`, for instance."""

    tokens: tuple[Token, ...]

    @property
    def submits(self) -> bool:
        """Whether there is a call of `sbatch` in it."""
        return any(re.search(r"\bsbatch\b", token.text) for token in self.tokens)


Node = Command | Loop | Branch | Function | Opaque
_ENDS = frozenset({"do", "done", "then", "elif", "else", "fi", "}", "esac", ")"})


class Parser:
    """Reads tokens into commands, loops, branches and functions."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.tokens = tokens
        self.at = 0

    def parse(self) -> tuple[Node, ...]:
        """Read everything; what cannot be read is a `ShellError`."""
        nodes = self._list()
        if self.at < len(self.tokens):
            token = self.tokens[self.at]
            raise ShellError(f"`{token.text.strip()}` is not expected here", token.start, token.end)
        return nodes

    def _peek(self) -> Token | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def _skip(self) -> None:
        while (
            (token := self._peek()) is not None and token.operator and token.text in ("\n", ";", "&", "&&", "||", "|")
        ):
            self.at += 1

    def _list(self) -> tuple[Node, ...]:
        nodes: list[Node] = []
        while True:
            self._skip()
            token = self._peek()
            if token is None or token.text in _ENDS or token.text == ";;":
                return tuple(nodes)
            nodes.append(self._node(token))

    def _node(self, token: Token) -> Node:
        match token.text:
            case "for":
                return self._for(token)
            case "while" | "until":
                return self._while(token)
            case "if":
                return self._if(token)
            case "case":
                return self._case()
            case "{" | "(":
                self.at += 1
                body = self._list()
                self._expect("}" if token.text == "{" else ")")
                return Branch((((), body),), token.start, token.end)
            case "function":
                self.at += 1
        return self._command()

    def _expect(self, word: str) -> Token:
        self._skip()
        token = self._peek()
        if token is None or token.text != word:
            place = token or self.tokens[-1]
            raise ShellError(f"`{word}` is due here", place.start, place.end)
        self.at += 1
        return token

    def _for(self, start: Token) -> Node:
        self.at += 1
        name = self._peek()
        if name is None or name.operator:
            return self._opaque_until("done")
        self.at += 1
        items: list[Token] = []
        if (token := self._peek()) is not None and token.text == "in":
            self.at += 1
            while (token := self._peek()) is not None and not token.operator:
                items.append(token)
                self.at += 1
        self._expect("do")
        body = self._list()
        end = self._expect("done")
        return Loop(name.text, tuple(items), body, (), start.start, end.end)

    def _while(self, start: Token) -> Node:
        self.at += 1
        test = self._list()
        self._expect("do")
        body = self._list()
        end = self._expect("done")
        return Loop("", (), body, test, start.start, end.end)

    def _if(self, start: Token) -> Node:
        arms: list[tuple[tuple[Node, ...], tuple[Node, ...]]] = []
        self.at += 1
        test = self._list()
        self._expect("then")
        arms.append((test, self._list()))
        while (token := self._peek()) is not None and token.text in ("elif", "else"):
            self.at += 1
            if token.text == "elif":
                test = self._list()
                self._expect("then")
                arms.append((test, self._list()))
            else:
                arms.append(((), self._list()))
        end = self._expect("fi")
        return Branch(tuple(arms), start.start, end.end)

    def _case(self) -> Node:
        return self._opaque_until("esac")

    def _opaque_until(self, word: str) -> Opaque:
        start = self.at
        while (token := self._peek()) is not None and token.text != word:
            self.at += 1
        self.at += 1
        return Opaque(tuple(self.tokens[start : self.at]))

    def _command(self) -> Node:
        words: list[Token] = []
        here: Token | None = None
        while (token := self._peek()) is not None:
            if token.operator and token.text == "(" and len(words) == 1:
                return self._function(words[0])
            if token.operator:
                break
            self.at += 1
            if token.here is not None:
                here = token
            else:
                words.append(token)
        token = self._peek()
        if token is not None and token.text == "(":
            raise ShellError("a parenthesis is not expected here", token.start, token.end)
        # the text of a here-document stands before the line break that ends the command
        return Command(tuple(words), here, piped=token is not None and token.text == "|")

    def _function(self, name: Token) -> Node:
        self.at += 1
        self._expect(")")
        self._skip()
        self._expect("{")
        body = self._list()
        self._expect("}")
        return Function(name.text, body)


def parse(text: str, base: int = 0) -> tuple[Node, ...]:
    """Read a shell text.

    Raises:
        ShellError: a part of it is not understood.
    """
    return Parser(tokenize(text, base)).parse()
