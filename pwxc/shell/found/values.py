"""Words of a shell text as far as they are known: without their quotes, variables that are set once filled in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

import attrs

from pwxc.shell.found.commands import Simple, pieces
from pwxc.shell.words import Token, brace_end, tokenize

ASSIGNED = re.compile(r"([A-Za-z_]\w*)(\[[^]]*\])?(\+?)=")
_NAME = re.compile(r"\$(?:\{(\w+)(\[[@*]\])?\}|(\w+))")
_DECLARING = frozenset(["export", "declare", "typeset", "local", "readonly"])
_READING = frozenset(["read", "mapfile", "readarray", "getopts", "unset", "let", "printf", "set", "setenv"])
_COUNTED = re.compile(r"\b([A-Za-z_]\w*)\s*(?:[-+*/%&|^]|<<|>>)?=(?!=)|(?:\+\+|--)\s*([A-Za-z_]\w*)|\b(\w+)(?:\+\+|--)")
_PLAIN = re.compile(r"[\w./:@%+,=-]*", re.ASCII)
_HOLES = 0xF0000
JOINER = "\u2060"
"""A letter without a width, which stands for what is no part of a value and must not end a word."""
_ESCAPES = '$`"\\\n'
_LOOKED_UP = re.compile(r"(?:\$\(|`)\s*(?:which|command -v|type -P)\s+([\w./+-]+)\s*[)`]")
"""A program whose place is asked for first: `$(which conda)`."""
_DEFAULT = re.compile(r"\$\{\w+:?-([\w./+-]+)\}")
"""A program that is run unless a variable names another: `${LAUNCHER:-srun}`."""
_UNSPLITTABLE = re.compile(r"\$\(|`|\$\{[^}]*\s")
Field = tuple[str, bool]
"""The value of a word, and whether all of it is known."""


def hole(number: int) -> str:
    """Give the letter that stands for a hole of a template while its text is read."""
    return chr(_HOLES + number)


def hole_number(letter: str) -> int | None:
    """Give the number of the hole that a letter stands for; None for other letters."""
    return ord(letter) - _HOLES if ord(letter) >= _HOLES else None


@attrs.frozen
class Word:
    """A word of a command: its value without quotes, and the place of the token that it comes from.

    What is not known stays in the value as it stands. `first` and `last` say whether it is the first and the last
    word that came out of its token: a variable may hold several.
    """

    value: str
    start: int
    end: int
    known: bool = True
    first: bool = True
    last: bool = True

    @property
    def program(self) -> str:
        """The name of the program, when this is the word that names it."""
        found = None if self.known else _LOOKED_UP.fullmatch(self.value) or _DEFAULT.fullmatch(self.value)
        return (found.group(1) if found is not None else self.value).rpartition("/")[2]

    @property
    def is_default(self) -> bool:
        """Whether the program is only what is run where a variable names no other."""
        return not self.known and _DEFAULT.fullmatch(self.value) is not None


@attrs.frozen
class _Constant:
    fields: tuple[Field, ...]
    array: bool


@attrs.define
class Values:
    """What variables are known to hold: those that the text sets once, where it surely comes by."""

    counts: dict[str, int] = attrs.field(factory=dict)
    constants: dict[str, _Constant] = attrs.field(factory=dict)

    @classmethod
    def of(cls, commands: Iterable[Simple]) -> Values:
        """Count how often each variable is set anywhere in the text."""
        made = cls()
        for command in commands:
            for name in _set_by(command):
                made.counts[name] = made.counts.get(name, 0) + 1
        return made

    def assign(self, token: Token, *, nested: bool) -> str | None:
        """Take an assignment; gives the name of the variable."""
        found = ASSIGNED.match(token.text)
        if found is None:
            return None
        name, index, adds = found.groups()
        if nested or index or adds or self.counts.get(name, 0) != 1:
            return str(name)
        rest = token.text[found.end() :]
        if rest.startswith("("):
            inner = [item for item in tokenize(rest[1:-1]) if not item.operator]
            fields = tuple((word.value, word.known) for word in self.words(inner))
            self.constants[name] = _Constant(fields, array=True)
        else:
            self.constants[name] = _Constant((self.value(rest),), array=False)
        return str(name)

    def words(self, tokens: Sequence[Token]) -> list[Word]:
        """Give the words that tokens are; a variable that is known and holds several is several."""
        made: list[Word] = []
        for token in tokens:
            fields = self._fields(token.text)
            for number, (value, known) in enumerate(fields):
                ends = number == 0, number == len(fields) - 1
                made.append(Word(value, token.start, token.end, known, *ends))
        return made

    def _fields(self, text: str) -> Sequence[Field]:
        bare = text[1:-1] if text[:2] == '"$' and text[-1:] == '"' else text
        found = _NAME.fullmatch(bare)
        constant = self._constant(found) if found is not None else None
        if found is None or constant is None or constant.array is not (found.group(2) is not None):
            return (self.value(text),)
        if constant.array or bare is not text:
            return constant.fields
        value, known = constant.fields[0]
        if _UNSPLITTABLE.search(value):
            return ((text, False),)
        return [(word, known or "$" not in word) for word in value.split()]

    def _constant(self, found: re.Match[str]) -> _Constant | None:
        return self.constants.get(found.group(1) or found.group(3))

    def value(self, text: str) -> Field:
        """Give a word without its quotes, and whether all of it is known."""
        if _PLAIN.fullmatch(text):
            return text, True
        parts = list(self._parts(text))
        return "".join(part for part, _ in parts), all(known for _, known in parts)

    def _parts(self, text: str) -> Iterator[Field]:
        at, double = 0, False
        marked = {piece.begin: piece for piece in pieces(text)}
        while at < len(text):
            piece = marked.get(at)
            if piece is not None:
                at = piece.stop
                if piece.kind == "inner":
                    yield text[piece.begin : piece.stop], False
                else:
                    inner = text[piece.start : piece.end]
                    yield _escaped(inner, double=double) if piece.kind == "escaped" else inner, True
            elif text[at] == JOINER:
                at += 1
            elif text[at] == '"':
                double, at = not double, at + 1
            elif text[at] == "$":
                field, at = self._expansion(text, at)
                yield field
            else:
                yield text[at], hole_number(text[at]) is None
                at += 1

    def _expansion(self, text: str, at: int) -> tuple[Field, int]:
        """Give what a `$` brings at a place, and where it ends; what is not known comes as it stands."""
        found = _NAME.match(text, at)
        if found is not None:
            constant = self._constant(found)
            known = constant is not None and not constant.array
            return (constant.fields[0] if constant and known else (found.group(), False)), found.end()
        end = brace_end(text, at + 2) if text.startswith("${", at) else at + 1
        return (text[at:end], end == at + 1 == len(text)), end


def _escaped(letter: str, *, double: bool) -> str:
    if letter == "\n":
        return ""
    return f"\\{letter}" if double and letter not in _ESCAPES else letter


def _set_by(command: Simple) -> Iterator[str]:
    yield from command.sets
    texts = [token.text for token in command.words]
    for text in (*texts, *(token.text for token in command.others)):
        if text.startswith("(("):
            yield from (name for found in _COUNTED.findall(text) for name in found if name)
    place = 0
    while place < len(texts) and (found := ASSIGNED.match(texts[place])) is not None:
        yield found.group(1)
        place += 1
    program, rest = (texts[place], texts[place + 1 :]) if place < len(texts) else ("", [])
    if program in _DECLARING:
        yield from (found.group(1) for text in rest if (found := ASSIGNED.match(text)) is not None)
    elif program in _READING:
        yield from (found.group() for text in rest if (found := re.match(r"[A-Za-z_]\w*", text)) is not None)
