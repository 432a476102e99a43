"""Expressions as they are read: the grammar, our words for it, and what is said about what is wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

from pwxc.diagnostics import Diagnostics, did_you_mean
from pwxc.expr.place import Locate, place
from pwxc.ir.expr import Call, Expr, Literal, operands
from pwxc.source import Span
from pwxc_targets.pw.expressions import codes as C  # noqa: N812
from pwxc_targets.pw.expressions.references import (
    FUNCTIONS,
    INCOMPLETE,
    ROOTS,
    STATUS_CALLS,
    UNKNOWN,
    read_call,
    read_name,
)

if TYPE_CHECKING:
    from lark import Lark

    from pwxc.expr.parse import Parser

_PLAIN = re.compile(rf"\s*((?:{'|'.join(ROOTS)}|needs)(?:\.[\w-]+)+)\s*")
"""A path and nothing else: nine in ten of all expressions, for which lark need not even be imported."""


class _Vocabulary:
    operators: Mapping[str, str] = {"===": "==", "!==": "!="}

    def load(self, callbacks: object) -> Lark:
        from pwxc_grammars import load

        return load("pw_expr", "expression", callbacks)

    def name(self, text: str, span: Span) -> Expr:
        return read_name(text, span)

    def call(self, function: str, arguments: tuple[Expr, ...], span: Span) -> Expr:
        return read_call(function, arguments, span)


@cache
def _parser() -> Parser:
    from pwxc.expr.parse import Parser

    return Parser(_Vocabulary())


def parse_expression(text: str, locate: Locate, diagnostics: Diagnostics) -> Expr | None:
    """Read what stands between the delimiters, or a bare condition of the newer generation.

    `locate` turns two offsets of `text` into a place. A text that is no expression gives an error and None; what the
    platform does not know (another context, another function) gives a warning and is kept as it is written.
    """
    plain = _PLAIN.fullmatch(text)
    if plain is not None:
        expr = read_name(plain[1], locate(plain.start(1), plain.end(1)))
        _remark(expr, diagnostics)
        return expr
    from pwxc.expr.explain import Failure

    found = _parser().parse(text)
    if isinstance(found, Failure):
        code = C.EXPRESSION_TOO_LARGE if found.too_large else C.EXPRESSION_SYNTAX
        diagnostics.add(code, found.message, locate(found.low, found.high), help=found.help)
        return None
    expr = place(found, locate)
    _remark(expr, diagnostics)
    return expr


def _remark(expr: Expr, diagnostics: Diagnostics) -> None:
    """Warn of what was read but means nothing to the platform."""
    if isinstance(expr, Literal) and UNKNOWN in expr.spelling:
        context = str(expr.value).partition(".")[0]
        hint = did_you_mean(context, (*ROOTS, "needs"))
        if context == "secrets":
            hint = "secrets are variables of the organisation: `org.NAME`"
        diagnostics.add(C.UNKNOWN_CONTEXT, f"`{expr.value}` begins with no known context", expr.span, help=hint)
    elif isinstance(expr, Literal) and INCOMPLETE in expr.spelling:
        hint = "write `needs.JOB.outputs.NAME`"
        diagnostics.add(C.INCOMPLETE_REFERENCE, f"`{expr.value}` names no output of a job", expr.span, help=hint)
    elif isinstance(expr, Call) and UNKNOWN in expr.spelling:
        hint = did_you_mean(expr.function, (*FUNCTIONS, *STATUS_CALLS))
        diagnostics.add(C.UNKNOWN_FUNCTION, f"there is no function `{expr.function}`", expr.span, help=hint)
    for part in operands(expr):
        _remark(part, diagnostics)
