"""A template's text: line ends, special tokens, lexemes with their offsets (osmo.md §4, §5).

Nothing here renders. Jinja is imported only where its lexer is used.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

import attrs

from pwxc.frozen import frozen
from pwxc.source import Source, Span

if TYPE_CHECKING:
    from jinja2.sandbox import SandboxedEnvironment

MARKS = ("{%", "{{", "{#")

_TOKEN = r"\{\{(?:uuid|workflow_id|output|(?:input|host):[^}]{1,128})\}\}"
TOKEN = re.compile(_TOKEN)
_CLEAR_TOKEN = re.compile(r"(?<!\{)" + _TOKEN)
LOOSE_TOKEN = re.compile(r"<<(workflow_id|output|input:[^<>{}\s]+|host:[^<>{}\s]+)>>")
"""Our second spelling of a token, which YAML takes without quotes."""

_MARK = re.compile(r"\{[{%#]")
_ALPHABETS = (0xA500, 0xA000, 0xA6A0)
"""From each 64 letters make placeholders, and two more begin and end them: Vai, Yi, Bamum."""


def is_template(text: str) -> bool:
    """Say whether OSMO's client takes a text for a template."""
    if any(mark in text for mark in MARKS) or "default-values" in text:
        return True
    return "<<" in text and LOOSE_TOKEN.search(text) is not None


def needs_rendering(text: str) -> bool:
    """Say whether a text has any mark besides special tokens, which render to themselves."""
    if "{" not in text or _MARK.search(text) is None:
        return False
    return _MARK.search(_CLEAR_TOKEN.sub("\0", text)) is not None


def spell_tokens(text: str) -> str:
    """Write the tokens of our second spelling as OSMO does; the length stays."""
    if "<<" not in text:
        return text
    return LOOSE_TOKEN.sub(r"{{\1}}", text)


@attrs.frozen(eq=False)
class Lines:
    """A part of a source with line feeds as its only line ends, as OSMO's client reads it, and the way back."""

    source: Source
    text: str
    start: int = 0
    """Where the text begins in the text of the whole source, counted with line feeds."""
    returns: tuple[int, ...] = ()
    """Where a carriage return was taken out, counted likewise."""

    @classmethod
    def of(cls, source: Source) -> Lines:
        """Take a whole source."""
        text = source.text
        if "\r" not in text:
            return cls(source, text)
        found = tuple(match.start() - number for number, match in enumerate(re.finditer("\r\n", text)))
        return cls(source, text.replace("\r\n", "\n").replace("\r", "\n"), 0, found)

    def part(self, start: int, end: int) -> Lines:
        """Take a part; the offsets count from the start of this text."""
        return Lines(self.source, self.text[start:end], self.start + start, self.returns)

    def offset(self, at: int) -> int:
        """Give a character's offset in the source."""
        at += self.start
        return at + bisect_right(self.returns, at)

    def span(self, low: int, high: int) -> Span:
        """Give the place of `text[low:high]` in the source."""
        start = self.offset(low)
        return Span(self.source, start, self.offset(high - 1) + 1 if high > low else start)

    def as_source(self) -> Source:
        """Give the text as a source of its own that leads back."""
        return Source(self.source.name, self.text, self.source.path, self.span)


@frozen
class Masked:
    """A text in which each special token's name is a placeholder of the same length."""

    text: str
    tokens: dict[str, str]
    """What a placeholder stands for, braces included: the value to render it with."""


def mask(text: str) -> Masked:
    """Put a variable of an unlikely name in the place of each special token, wherever it stands."""
    names: dict[str, str] = {}
    taken: dict[int, int] = {}
    first = next((base for base in _ALPHABETS if not any(chr(base + i) in text for i in range(66))), _ALPHABETS[0])

    def name_of(token: str) -> str:
        if token not in names:
            length = len(token) - 4
            number = taken.get(length, 0)
            taken[length] = number + 1
            digits = "".join(chr(first + (number >> 6 * i & 63)) for i in range(length - 2))
            names[token] = chr(first + 64) + digits + chr(first + 65)  # so none is a part of another
        return names[token]

    masked = TOKEN.sub(lambda match: "{{" + name_of(match[0]) + "}}", text)
    return Masked(masked, {name: token for token, name in names.items()})


@frozen
class Lexeme:
    """A piece of a template as Jinja's lexer sees it, and where it begins in the text."""

    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        """Where it ends, white space that a tag strips left out."""
        return self.start + len(self.text.rstrip() if self.kind.endswith("_end") else self.text)


@frozen
class LexFault:
    """Why the lexer stopped."""

    message: str
    start: int
    end: int


@lru_cache(maxsize=1)
def environment() -> SandboxedEnvironment:
    """Give Jinja as OSMO sets it up, except that the last newline is taken off by `lex`."""
    from jinja2 import StrictUndefined
    from jinja2.sandbox import SandboxedEnvironment

    return SandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True)


def without_last_newline(text: str) -> str:
    """Take one newline off the end, as rendering does."""
    return text[:-1] if text.endswith("\n") else text


def lex(text: str, most: int | None = None) -> tuple[list[Lexeme], LexFault | None]:
    """Cut a template into lexemes, no more than `most`; on a fault give those before it."""
    from jinja2 import TemplateSyntaxError

    found: list[Lexeme] = []
    at = 0
    try:
        for _, kind, piece in islice(environment().lexer.tokeniter(text, None), most):
            while at < len(text) and not text.startswith(piece, at):
                at += 1  # white space that a tag strips is in no lexeme
            found.append(Lexeme(kind, piece, at))
            at += len(piece)
    except TemplateSyntaxError as fault:
        return found, _lex_fault(fault.message or "not a template", text, found, at)
    return found, None


def fold_tokens(lexemes: list[Lexeme], tokens: Mapping[str, str]) -> list[Lexeme]:
    """Make plain text of the special tokens that stand for themselves, which saves Jinja most of its work."""
    folded: list[Lexeme] = []
    at = 0
    while at < len(lexemes):
        lexeme = lexemes[at]
        name = lexemes[at + 1].text if at + 1 < len(lexemes) else ""
        if lexeme.text == "{{" and lexeme.kind == "variable_begin" and name in tokens:
            lexeme = Lexeme("data", tokens[name], lexeme.start)
            at += 2  # nothing but the name can stand between these braces
        at += 1
        folded.append(lexeme)
    return list(_joined(folded))


def _joined(lexemes: list[Lexeme]) -> Iterator[Lexeme]:
    """Join pieces of text that stand side by side."""
    parts: list[Lexeme] = []
    for lexeme in lexemes:
        if parts and (lexeme.kind != "data" or parts[-1].end != lexeme.start):
            yield Lexeme("data", "".join(part.text for part in parts), parts[0].start)
            parts = []
        if lexeme.kind == "data":
            parts.append(lexeme)
        else:
            yield lexeme
    if parts:
        yield Lexeme("data", "".join(part.text for part in parts), parts[0].start)


def _lex_fault(message: str, text: str, found: list[Lexeme], at: int) -> LexFault:
    if found and found[-1].kind in ("comment_begin", "raw_begin"):
        return LexFault(message, found[-1].start, found[-1].end)
    message = re.sub(r" at \d+$", "", message)
    return LexFault(message, at, min(at + 1, len(text)))


def tags(lexemes: list[Lexeme]) -> Iterator[list[Lexeme]]:
    """Give the lexemes of each tag, its delimiters included and its white space left out."""
    tag: list[Lexeme] = []
    for lexeme in lexemes:
        if lexeme.kind in ("variable_begin", "block_begin"):
            tag = [lexeme]
        elif tag and lexeme.kind != "whitespace":
            tag.append(lexeme)
            if lexeme.kind in ("variable_end", "block_end"):
                yield tag
                tag = []
    if tag:
        yield tag


def keyword(tag: list[Lexeme]) -> str:
    """Give a block tag's name, or nothing for an expression."""
    if tag[0].kind == "block_begin" and len(tag) > 1 and tag[1].kind == "name":
        return tag[1].text
    return ""
