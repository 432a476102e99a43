"""Shell text cut into words, operators and redirections."""

from __future__ import annotations

import re

import attrs

_OPERATORS = re.compile(r"&&|\|\||;;&|;;|;&|\|&|[;&|()\n]")
_HERE = re.compile(r"<<(-?)[ \t]*((?:\\?[\w.+:/!@%,=-]|'[^'\n]*'|\"[^\"\n]*\")+)")
_REDIRECT = re.compile(r"(?:[0-9]+|\{\w+\})?(?:&>>|&>|>>|>&|>\||<<<|<>|<&|<|>)")
_OPENERS = frozenset(["for", "while", "until", "if", "elif", "then", "do", "else", "!", "{", "time"])

_PLAIN = re.compile(r"[^ \t\r\n;&|()<>\\'\"`$=]+")
"""Letters of a word that begin nothing and end nothing."""
_NESTING = {
    "if": 1, "while": 1, "until": 1, "for": 1, "select": 1, "case": 1, "{": 1,
    "fi": -1, "done": -1, "esac": -1, "}": -1,
}  # fmt: skip
"""By how much the words that start and end compound commands change the depth."""
_DEEPEST = 500

_PATIENCE = 1_000_000


@attrs.frozen
class Token:
    """A word as it stands in the text, an operator, or a redirection, whose `text` is its target.

    `here` is the text of the here-document that a `<<` reads; `expanded` says that variables in it are replaced.
    """

    text: str
    start: int
    end: int
    operator: bool = False
    redirect: str = ""
    here: str | None = None
    expanded: bool = True


class ShellError(Exception):
    """The text is not understood from a place on."""

    def __init__(self, message: str, start: int, end: int) -> None:
        super().__init__(message)
        self.start = start
        self.end = end


def tokenize(text: str, base: int = 0) -> list[Token]:
    """Cut a shell text into tokens; comments are left out. `base` is where the text stands in its file."""
    return _Tokenizer(text, base).run()


@attrs.define
class _Pending:
    """A here-document whose text starts on the next line; `place` is the number of its token."""

    word: str
    strips: bool
    expanded: bool
    place: int


@attrs.define
class _Tokenizer:
    text: str
    base: int
    at: int = 0
    lost: int = 0
    """How many letters were looked at for ends that are not there."""
    depth: int = 0
    tokens: list[Token] = attrs.field(factory=list)
    pending: list[_Pending] = attrs.field(factory=list)

    def run(self) -> list[Token]:
        """Cut everything."""
        text = self.text
        while self.at < len(text):
            if text.startswith("\\\n", self.at):
                self.at += 2
            elif text[self.at] in " \t\r":
                self.at += 1
            elif text[self.at] == "#" and (self.at == 0 or text[self.at - 1] in " \t\n;&|()"):
                stop = text.find("\n", self.at)
                self.at = len(text) if stop < 0 else stop
            else:
                self._token()
        return self.tokens

    def _token(self) -> None:
        text, at = self.text, self.at
        opens = self._opens()
        if opens and (text.startswith("((", at) or re.match(r"\[\[\s", text[at : at + 3])):
            close = "))" if text[at] == "(" else "]]"
            stop = _closing(text, at + 2, close)
            if stop >= 0:
                self._word(stop)
                return
            self._count_lost(len(text) - at)
        here = _HERE.match(text, at)
        if here is not None and not text.startswith("<<<", at):
            self._here(here)
        elif text[at : at + 2] in ("<(", ">("):
            self._word(parenthesis_end(text, at + 2))
        elif (redirect := _REDIRECT.match(text, at)) is not None:
            self._redirect(redirect.group(), redirect.end())
        elif (operator := _OPERATORS.match(text, at)) is not None:
            self._operator(operator.group(), operator.end())
        else:
            stop = max(word_end(text, at), at + 1)
            if opens:
                self._count_depth(text[at:stop])
            self._word(stop)

    def _count_depth(self, word: str) -> None:
        """Give up on a text that nests commands without end before all of it is cut: nothing could read it."""
        self.depth += _NESTING.get(word, 0)
        if self.depth > _DEEPEST:
            raise ShellError("commands are nested too deeply", self.base + self.at, self.base + self.at + len(word))

    def _count_lost(self, looked_at: int) -> None:
        """Give up on a text that opens parentheses over and over: each is looked for up to the end."""
        self.lost += looked_at
        if self.lost > _PATIENCE + 20 * len(self.text):
            raise ShellError("these parentheses are never closed", self.base + self.at, self.base + self.at + 1)

    def _opens(self) -> bool:
        """Whether a command may start here."""
        return not self.tokens or self.tokens[-1].operator or self.tokens[-1].text in _OPENERS

    def _add(self, text: str, end: int, **fields: object) -> None:
        token = Token(text, self.base + self.at, self.base + end, **fields)  # type: ignore[arg-type]
        self.tokens.append(token)
        self.at = end

    def _word(self, end: int) -> None:
        self._add(self.text[self.at : end], end)

    def _operator(self, operator: str, end: int) -> None:
        self._add(operator, end, operator=True)
        if operator == "\n" and self.pending:
            self._here_documents()

    def _redirect(self, mark: str, end: int) -> None:
        at = end
        while at < len(self.text) and self.text[at] in " \t":
            at += 1
        stop = parenthesis_end(self.text, at + 2) if self.text[at : at + 2] in ("<(", ">(") else word_end(self.text, at)
        self._add(self.text[at:stop], stop, redirect=mark)

    def _here(self, found: re.Match[str]) -> None:
        word = found.group(2)
        plain = word.replace("'", "").replace('"', "").replace("\\", "")
        self.pending.append(_Pending(plain, bool(found.group(1)), plain == word, len(self.tokens)))
        self._add("", found.end(), redirect="<<")

    def _here_documents(self) -> None:
        text = self.text
        for item in self.pending:
            found: list[str] = []
            while self.at < len(text):
                stop = text.find("\n", self.at)
                stop = len(text) if stop < 0 else stop
                line = text[self.at : stop]
                self.at = min(stop + 1, len(text))
                line = line.lstrip("\t") if item.strips else line
                if line == item.word:
                    break
                found.append(line + "\n")
            token = self.tokens[item.place]
            self.tokens[item.place] = attrs.evolve(token, here="".join(found), expanded=item.expanded)
        self.pending.clear()


def _closing(text: str, at: int, close: str) -> int:
    """Give where `((` or `[[` is closed, or -1."""
    while at < len(text):
        if text.startswith(close, at):
            return at + 2
        if text[at] == "(" and close == "))":
            at = parenthesis_end(text, at + 1)
        elif text[at] in "\\'\"`$":
            at = piece_end(text, at)
        else:
            at += 1
    return -1


def word_end(text: str, at: int) -> int:
    """Give where the word that starts at `at` ends."""
    while at < len(text):
        if (plain := _PLAIN.match(text, at)) is not None:
            at = plain.end()
        elif text[at] in " \t\r\n;&|()<>":
            break
        else:
            at = piece_end(text, at)
    return at


def piece_end(text: str, at: int) -> int:
    """Give where the piece of a word that starts at `at` ends: something quoted, an expansion, or one letter."""
    letter = text[at]
    if letter == "\\":
        return at + 2
    if letter == "'":
        return _after(text, "'", at + 1)
    if letter == '"':
        return _double_end(text, at + 1)
    if letter == "`":
        return _backtick_end(text, at + 1)
    if text.startswith("$'", at):
        return _ansi_end(text, at + 2)
    if text.startswith("$((", at):
        stop = _closing(text, at + 3, "))")
        return len(text) if stop < 0 else stop
    if text.startswith("$(", at) or (letter == "=" and text.startswith("=(", at)):
        return parenthesis_end(text, at + 2)
    if text.startswith("${", at):
        return brace_end(text, at + 2)
    return at + 1


def _after(text: str, mark: str, at: int) -> int:
    found = text.find(mark, at)
    return len(text) if found < 0 else found + len(mark)


def _ansi_end(text: str, at: int) -> int:
    while at < len(text) and text[at] != "'":
        at += 2 if text[at] == "\\" else 1
    return at + 1


def _backtick_end(text: str, at: int) -> int:
    while at < len(text) and text[at] != "`":
        at += 2 if text[at] == "\\" else 1
    return at + 1


def brace_end(text: str, at: int) -> int:
    """Give where the brace that was opened before `at` is closed."""
    while at < len(text) and text[at] != "}":
        at = piece_end(text, at) if text[at] in "\\'\"`$" else at + 1
    return at + 1


def _double_end(text: str, at: int) -> int:
    while at < len(text) and text[at] != '"':
        at = piece_end(text, at) if text[at] in "\\`" or text[at : at + 2] in ("$(", "${") else at + 1
    return at + 1


def parenthesis_end(text: str, at: int) -> int:
    """Give where the parenthesis that was opened before `at` is closed."""
    depth = 1
    while at < len(text) and depth:
        if text[at] in "()":
            depth += 1 if text[at] == "(" else -1
            at += 1
        elif text[at] in "\\'\"`$":
            at = piece_end(text, at)
        elif text[at] == "#" and text[at - 1] in " \t\n;":
            stop = text.find("\n", at)
            at = len(text) if stop < 0 else stop
        else:
            at += 1
    return at
