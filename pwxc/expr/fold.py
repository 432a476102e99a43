"""Expressions made smaller by what is known already. The value never changes, nor does an expression gain one."""

from __future__ import annotations

import math
from collections.abc import Sequence

import attrs

from pwxc.expr.evaluate import NOTHING_KNOWN, Environment, UnknownValueError, evaluate
from pwxc.expr.place import rebuild
from pwxc.expr.values import EvaluationError, Value, is_list, truth
from pwxc.ir.expr import Binary, Conditional, Expr, Listing, Literal, Undefined, operands


def fold(expr: Expr, known: Environment = NOTHING_KNOWN) -> Expr:
    """Replace what can be worked out by its value, and what cannot be reached by nothing.

    `known` gives the references that are known; in every environment that agrees with it the result has the value of
    the original, and has none where that has none.
    """
    if isinstance(expr, Literal | Undefined):
        return expr
    found = _value(expr, known)
    if found is not None and (made := literal(found[0])) is not None:
        return attrs.evolve(made, span=expr.span)
    if isinstance(expr, Binary) and expr.operator in ("&&", "||", "??"):
        return _fold_logic(expr, known)
    if isinstance(expr, Conditional) and (test := _value(expr.test, known)) is not None:
        return fold(expr.then if truth(test[0]) else expr.otherwise, known)
    return rebuild(expr, [fold(part, known) for part in operands(expr)])


def _fold_logic(expr: Binary, known: Environment) -> Expr:
    left = _value(expr.left, known)
    if left is None:
        return rebuild(expr, [fold(expr.left, known), fold(expr.right, known)])
    return fold(expr.right if _goes_on(expr.operator, left[0]) else expr.left, known)


def _goes_on(operator: str, left: Value) -> bool:
    """Whether the right operand is the result."""
    if operator == "??":
        return isinstance(left, Undefined)
    return truth(left) is (operator == "&&")


def _value(expr: Expr, known: Environment) -> tuple[Value] | None:
    try:
        return (evaluate(expr, known),)
    except (EvaluationError, UnknownValueError):
        return None


def literal(value: Value) -> Expr | None:
    """Give the expression that says a value, or None when no expression does: for maps and infinite numbers."""
    if isinstance(value, Undefined):
        return Undefined()
    if value is None or isinstance(value, str | int):
        return Literal(value)
    if isinstance(value, float):
        return Literal(value) if math.isfinite(value) else None
    if not is_list(value) or not isinstance(value, Sequence) or len(value) > 1000:
        return None
    items = [literal(part) for part in value]
    kept = tuple(part for part in items if part is not None)
    return Listing(kept) if len(kept) == len(items) else None
