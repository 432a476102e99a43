"""The way back from a rendered text to its template, worked out when the first place is asked for.

The template is rendered a second time with a mark before each piece of literal text and around each expression. What
stands behind a literal piece's mark is that piece, character by character; what stands between an expression's marks
was computed there. If the marks change what comes out (a filter that measures its block), the places of the template
are given up from fine to coarse, never wrong.
"""

from __future__ import annotations

import re
from bisect import bisect_right

import attrs

from pwxc.frozen import frozen
from pwxc.source import Span
from pwxc_targets.osmo.template.render import Question, render
from pwxc_targets.osmo.template.text import Lexeme, Lines, fold_tokens, keyword, lex, tags

_FIRST = (0xF0000, 0x100000)
"""The private planes: a mark is one character there, the number of its piece."""
_PLANE = 0xFFFD
_END = chr(_FIRST[1] + _PLANE)
_MARKS = re.compile(f"([{chr(_FIRST[0])}-{_END}])")


@frozen
class Piece:
    """A part of the template that makes text: literal, or an expression with all of its tag."""

    start: int
    end: int
    literal: bool


@frozen
class Run:
    """Characters of the rendered text from `at` on, and the piece that made them."""

    at: int
    piece: Piece


@attrs.define(eq=False)
class WayBack:
    """Finds where the characters of a rendered text stand in the template; usable as `Source.back`."""

    lines: Lines
    question: Question
    """What was rendered: a text as long as that of `lines` but for a last newline."""
    rendered: str
    _runs: list[Run] | None = attrs.field(default=None, init=False)
    _starts: list[int] = attrs.field(factory=list, init=False)

    def __call__(self, start: int, end: int) -> Span:
        """Give the place that `rendered[start:end]` came from."""
        first = self._locate(start)
        if end <= start:
            return self.lines.span(first[0], first[0] if self.run_at(start).piece.literal else first[1])
        last = self._locate(end - 1)
        return self.lines.span(min(first[0], last[0]), max(first[1], last[1]))

    def run_at(self, at: int) -> Run:
        """Give the run in which a character of the rendered text stands."""
        if self._runs is None:
            self._runs = self._trace()
            self._starts = [run.at for run in self._runs]
        return self._runs[max(0, bisect_right(self._starts, at) - 1)]

    def _locate(self, at: int) -> tuple[int, int]:
        run = self.run_at(at)
        if not run.piece.literal:
            return run.piece.start, run.piece.end
        low = min(run.piece.start + at - run.at, run.piece.end)
        return low, min(low + 1, run.piece.end)

    def _trace(self) -> list[Run]:
        template = self.question.text
        whole = Piece(0, len(template.rstrip()), literal=False)
        if _MARKS.search(self.rendered) is None and _MARKS.search(template) is None:
            lexemes = fold_tokens(lex(template)[0], self.question.tokens)
            for inside in (True, False):
                marker = _Marker(inside)
                marked = marker.mark(lexemes)
                if marked is None:
                    break
                text = render(Question(marked, self.question.values)).text
                if text is not None and _MARKS.sub("", text) == self.rendered:
                    return _runs(text, marker.pieces, self.lines.text, whole)
        return [Run(0, whole)]


@attrs.define
class _Marker:
    """Writes a template with marks, without the white space that its tags strip."""

    inside: bool
    """Whether the text of macros and other blocks whose text is kept, filtered or passed on gets marks too."""
    pieces: list[Piece] = attrs.field(factory=list)
    parts: list[str] = attrs.field(factory=list)
    kept: list[str] = attrs.field(factory=list)
    """The open blocks whose text is not simply printed."""
    raw: bool = False

    def mark(self, lexemes: list[Lexeme]) -> str | None:
        """Give the marked template, or None when there are more pieces than marks."""
        ends = _block_ends(lexemes)
        heads = {tag[0].start: tag for tag in tags(lexemes)}
        for lexeme in lexemes:
            if len(self.pieces) > 2 * _PLANE - 2:
                return None
            self._lexeme(lexeme, heads, ends)
        return "".join(self.parts)

    def _lexeme(self, lexeme: Lexeme, heads: dict[int, list[Lexeme]], ends: dict[int, int]) -> None:
        match lexeme.kind:
            case "data":
                self._open(Piece(lexeme.start, lexeme.start + len(lexeme.text), literal=True))
                bare = self.raw or "{{" not in lexeme.text
                self.parts.append(lexeme.text if bare else "{% raw %}" + lexeme.text + "{% endraw %}")
            case "variable_begin":
                tag = heads[lexeme.start]
                self._open(Piece(lexeme.start, tag[-1].end, literal=False))
                self.parts.append("{{ ")
            case "variable_end":
                self.parts.append(" }}")
                self._close()
            case "block_begin":
                self._block(heads[lexeme.start], ends)
            case "block_end":
                self.parts.append(" %}")
                if self.kept and self.kept[-1] == "-":
                    self.kept.pop()
                    self._close()
            case "raw_begin":
                self.raw = True
                self.parts.append("{% raw %}")
            case "raw_end":
                self.raw = False
                self.parts.append("{% endraw %}")
            case "comment_begin" | "comment" | "comment_end":
                pass
            case _:
                self.parts.append(lexeme.text)

    def _block(self, tag: list[Lexeme], ends: dict[int, int]) -> None:
        word = keyword(tag)
        if word in ("filter", "call"):
            self._open(Piece(tag[0].start, ends.get(tag[0].start, tag[-1].end), literal=False))
        if word in ("filter", "call", "macro") or (word == "set" and not _assigns(tag)):
            self.kept.append(word)
        elif word in ("endfilter", "endcall", "endmacro", "endset") and self.kept:
            self.kept.pop()
            if word in ("endfilter", "endcall"):
                self.kept.append("-")  # its end mark comes behind the tag
        self.parts.append("{% ")

    def _open(self, piece: Piece) -> None:
        if self.inside or not self.kept:
            number = len(self.pieces)
            self.pieces.append(piece)
            self.parts.append(chr(_FIRST[number // _PLANE] + number % _PLANE))

    def _close(self) -> None:
        if self.inside or not self.kept:
            self.parts.append(_END)


def _assigns(tag: list[Lexeme]) -> bool:
    """Say whether a `set` tag has a value, or keeps the text up to its `endset`."""
    for lexeme in tag[2:]:
        if lexeme.kind == "operator" and lexeme.text not in (",", ".", "(", ")"):
            return lexeme.text == "="
    return False


def _block_ends(lexemes: list[Lexeme]) -> dict[int, int]:
    """Give the end of each `filter` and `call` block by where it begins."""
    ends: dict[int, int] = {}
    opened: list[int] = []
    for tag in tags(lexemes):
        word = keyword(tag)
        if word in ("filter", "call"):
            opened.append(tag[0].start)
        elif word in ("endfilter", "endcall") and opened:
            ends[opened.pop()] = tag[-1].end
    return ends


def _runs(marked: str, pieces: list[Piece], original: str, whole: Piece) -> list[Run]:
    """Read the marks of a marked text."""
    parts = _MARKS.split(marked)
    runs: list[Run] = []
    around: list[Piece] = []
    at = 0

    def add(length: int, piece: Piece) -> None:
        nonlocal at
        if length:
            runs.append(Run(at, piece))
            at += length

    add(len(parts[0]), whole)
    for mark, text in zip(parts[1::2], parts[2::2], strict=True):
        if mark == _END:
            if around:
                around.pop()
            add(len(text), around[-1] if around else whole)
            continue
        number = ord(mark)
        piece = pieces[number - _FIRST[0] if number < _FIRST[1] else number - _FIRST[1] + _PLANE]
        literal = original[piece.start : piece.end]
        if not piece.literal:
            around.append(piece)
            add(len(text), piece)
        elif text.startswith(literal):
            add(len(literal), piece)
            add(len(text) - len(literal), around[-1] if around else whole)
        else:
            add(len(text), attrs.evolve(piece, literal=False))
    return runs or [Run(0, whole)]
