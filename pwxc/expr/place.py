"""Trees that are shared between occurrences of the same text, and how each occurrence gets its own spans."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import attrs

from pwxc.ir.expr import Binary, Call, Conditional, Expr, Index, Listing, Literal, Ref, Slice, Unary, operands
from pwxc.source import Source, Span

Locate: TypeAlias = Callable[[int, int], Span]
"""Turns two offsets of an expression's text into a place in the user's file."""

RELATIVE = Source("expression", "")
"""The source of spans that are still counted from the beginning of the expression."""


def place(expr: Expr, locate: Locate) -> Expr:
    """Give the tree with its relative spans turned into places of the file."""
    own = expr.span
    span = None if own is None else locate(own.start, own.end)
    if isinstance(expr, Ref):
        return Ref(expr.root, expr.path, span=span, spelling=expr.spelling)
    if isinstance(expr, Literal):
        return Literal(expr.value, span=span, spelling=expr.spelling)
    return _made(expr, [place(part, locate) for part in operands(expr)], span)


def rebuild(expr: Expr, parts: list[Expr]) -> Expr:
    """Give the expression with other operands, which are in the order of `operands`."""
    return _made(expr, parts, expr.span) if parts else expr


def _made(expr: Expr, parts: list[Expr], span: Span | None) -> Expr:
    marks = expr.spelling
    match expr:
        case Binary():
            return Binary(expr.operator, parts[0], parts[1], span=span, spelling=marks)
        case Unary():
            return Unary(expr.operator, parts[0], span=span, spelling=marks)
        case Conditional():
            return Conditional(parts[0], parts[1], parts[2], span=span, spelling=marks)
        case Index():
            return Index(parts[0], parts[1], span=span, spelling=marks)
        case Slice():
            rest = iter(parts[1:])
            start = None if expr.start is None else next(rest)
            stop = None if expr.stop is None else next(rest)
            return Slice(parts[0], start, stop, span=span, spelling=marks)
        case Listing():
            return Listing(tuple(parts), span=span, spelling=marks)
        case Call():
            return Call(expr.function, tuple(parts), span=span, spelling=marks)
    return attrs.evolve(expr, span=span)


def depth(expr: Expr, limit: int) -> int:
    """Give the height of a tree, or a number above the limit as soon as it is passed. Needs no stack."""
    level, height = [expr], 0
    while level and height <= limit:
        level = [part for node in level for part in operands(node)]
        height += 1
    return height
