"""Text with `${{ … }}` in it. What the shell writes alike (`${X}`, `$(…)`, `$((…))`) is text."""

from __future__ import annotations

import re
from collections.abc import Iterator

import attrs

from pwxc.diagnostics import Diagnostics
from pwxc.expr.place import Locate
from pwxc.ir.expr import Expr, Literal
from pwxc.ir.template import Template
from pwxc.source import Span
from pwxc_targets.pw.expressions import codes as C  # noqa: N812
from pwxc_targets.pw.expressions.parser import parse_expression
from pwxc_targets.pw.expressions.text import print_expression

ANGLED = "$<<"
"""Marks a hole that is delimited by `$<<` and `>>`, which some templates use in place of the braces (pw.md §18)."""

_OPENING = re.compile(r"\$\{\{|\$<<(?!<)")
_SINGLE = re.compile(r"[^}$\n]*\}(?!\})")
_WHOLE = re.compile(r"\$\{\{([^{}'\"]*)\}\}")
"""A text that is one hole in which nothing can hide its end: most of all texts with holes."""
_TO_BRACES = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"|(\}\})")
_TO_ANGLES = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"|(>>)|\n")


@attrs.frozen
class _Hole:
    """An expression in a text: `text[low:high]` with its delimiters, or an opening that is never closed."""

    low: int
    high: int
    closed: bool = True
    angled: bool = False

    @property
    def body(self) -> slice:
        return slice(self.low + 3, self.high - 2)


def parse_template(text: str, locate: Locate, diagnostics: Diagnostics) -> Template:
    """Read a scalar. What is wrong in it is said, and stays in the template as text.

    `locate` turns two offsets of `text` into a place.
    """
    whole = _WHOLE.fullmatch(text)
    if whole is not None:
        only = parse_expression(whole[1], lambda low, high: locate(low + 3, high + 3), diagnostics)
        return Template((text,) if only is None else (only,))
    parts: list[str | Expr] = []
    done = 0
    for hole in _holes(text):
        if not hole.closed:
            _unclosed(text, hole, locate, diagnostics)
            continue
        base = hole.low + 3

        def shifted(low: int, high: int, base: int = base) -> Span:
            return locate(base + low, base + high)

        expr = parse_expression(text[hole.body], shifted, diagnostics)
        if expr is not None:
            if hole.angled:
                expr = attrs.evolve(expr, spelling=(*expr.spelling, ANGLED))
            parts += (text[done : hole.low], expr)
            done = hole.high
    parts.append(text[done:])
    return Template.of(*parts)


def _unclosed(text: str, hole: _Hole, locate: Locate, diagnostics: Diagnostics) -> None:
    single = _SINGLE.match(text, hole.high)
    hint = "it is closed by one brace, two are needed" if single else "close it with `}}`"
    diagnostics.add(C.UNCLOSED_EXPRESSION, "this expression is never closed", locate(hole.low, hole.high), help=hint)


def _holes(text: str) -> Iterator[_Hole]:
    opening = _OPENING.search(text)
    while opening is not None:
        low = opening.start()
        hole = _angled(text, low) if opening.group() == ANGLED else _braced(text, low)
        if hole is not None:
            yield hole
        opening = _OPENING.search(text, hole.high if hole is not None else low + 3)


def _braced(text: str, low: int) -> _Hole:
    # no expression holds the beginning of another one, so a forgotten end does not swallow what follows
    following = text.find("${{", low + 3)
    limit = len(text) if following < 0 else following
    end = _close(_TO_BRACES, text, low + 3, limit)
    if end is None:
        # a quote that is never closed hides the end: let the expression's own syntax error tell
        raw = text.find("}}", low + 3, limit)
        end = raw + 2 if raw >= 0 else None
    return _Hole(low, low + 3, closed=False) if end is None else _Hole(low, end)


def _angled(text: str, low: int) -> _Hole | None:
    """Find a hole in angles, which ends on its own line; otherwise it is the shell's `<<`."""
    following = _OPENING.search(text, low + 3)
    end = _close(_TO_ANGLES, text, low + 3, following.start() if following else len(text))
    return None if end is None else _Hole(low, end, angled=True)


def _close(pattern: re.Pattern[str], text: str, start: int, limit: int) -> int | None:
    for found in pattern.finditer(text, start, limit):
        if found[1] is not None:
            return found.end()
        if found.group() == "\n":
            return None
    return None


def print_template(template: Template) -> str:
    """Write a text with its holes. Text is written as it is: `misread_at` says whether that is safe.

    Raises:
        UnspellableError: a hole has something that the platform has no expression for.
    """
    return template.fill(_print_hole)


def _print_hole(expr: Expr) -> str:
    written = print_expression(expr)
    if ANGLED in expr.spelling and ">>" not in written and "\n" not in written:
        return f"$<< {written} >>"
    return "${{ " + written + " }}"


def misread_at(text: str) -> int | None:
    """Give the first place at which literal text would be taken for an expression, or None."""
    return next((hole.low for hole in _holes(text)), None)


def protect(template: Template) -> Template:
    """Break up all literal text that would be taken for an expression, by a hole that gives the `$`.

    A script breaks it up better by its own quoting; the platform documents no escape.
    """
    parts: list[str | Expr] = []
    for part in template.parts:
        if not isinstance(part, str):
            parts.append(part)
            continue
        done = 0
        for opening in _OPENING.finditer(part):
            parts += (part[done : opening.start()], Literal("$"))
            done = opening.start() + 1
        parts.append(part[done:])
    return Template.of(*parts)
