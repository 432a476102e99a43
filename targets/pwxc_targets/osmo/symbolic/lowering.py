"""Expressions over parameters as expressions of the IR. What these cannot say with the same meaning is None."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pwxc.expr.evaluate import Bindings, UnknownValueError
from pwxc.expr.evaluate import evaluate as evaluate_ir
from pwxc.expr.values import EvaluationError, as_text, truth
from pwxc.ir.expr import Binary as IrBinary
from pwxc.ir.expr import Conditional, Expr, Literal, Ref, Root, Unary
from pwxc.ir.expr import Listing as IrListing
from pwxc_targets.osmo.symbolic.tree import (
    Binary,
    Choice,
    Comparison,
    Const,
    Expression,
    Filter,
    Joined,
    Listing,
    Logic,
    Not,
    Param,
    Path,
    Test,
)

_LOGIC = {"and": "&&", "or": "||"}
_NUMERIC = frozenset(("+", "-", "*", "//"))
_COMPARISONS = {"==": "==", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">=", "in": "in", "not in": "!in"}
_SAME = frozenset(("string", "default", "d", "indent"))
"""Filters that leave a text as it is, as far as a hole is concerned."""


def printed_text(expr: Expression) -> Expr | None:
    """Give the expression whose value is the text that a hole prints."""
    if isinstance(expr, Comparison | Not | Test):  # Python prints truth values with a capital letter
        test = value(expr)
        return None if test is None else Conditional(test, Literal("True"), Literal("False"))
    if isinstance(expr, Choice) and expr.otherwise is not None:
        parts = value(expr.test), printed_text(expr.then), printed_text(expr.otherwise)
        return None if None in parts else Conditional(*parts)  # type: ignore[arg-type]
    if isinstance(expr, Const) and isinstance(expr.value, bool):
        return Literal(str(expr.value))
    return value(expr)


def value(expr: Expression) -> Expr | None:
    """Give an expression with the same value."""
    method = _METHODS.get(type(expr))
    return None if method is None else method(expr)


def _const(expr: Const) -> Expr | None:
    if isinstance(expr.value, list | tuple):
        items = [value(Const(item)) for item in expr.value]
        return None if None in items else IrListing(tuple(item for item in items if item is not None))
    return Literal(expr.value) if isinstance(expr.value, str | int | float | None) else None


def _filter(expr: Filter) -> Expr | None:
    plain = expr.name in _SAME and isinstance(expr.value, Param | Filter) and not expr.named
    return value(expr.value) if plain and len(expr.arguments) <= 1 else None


def _not(expr: Not) -> Expr | None:
    inner = value(expr.operand)
    return None if inner is None else Unary("!", inner)


def _logic(expr: Logic) -> Expr | None:
    left, right = value(expr.left), value(expr.right)
    return None if left is None or right is None else IrBinary(_LOGIC[expr.operator], left, right)


def _binary(expr: Binary) -> Expr | None:
    left, right = value(expr.left), value(expr.right)
    if left is None or right is None:
        return None
    if expr.operator == "%":
        return IrBinary("-", left, IrBinary("*", right, IrBinary("//", left, right)))
    return IrBinary(expr.operator, left, right) if expr.operator in _NUMERIC else None


def _comparison(expr: Comparison) -> Expr | None:
    if len(expr.rest) != 1:
        return None
    operator, operand = expr.rest[0]
    left, right = value(expr.first), value(operand)
    if left is None or right is None or (operator in ("in", "not in") and not isinstance(right, IrListing)):
        return None
    return IrBinary(_COMPARISONS[operator], left, right)


def _choice(expr: Choice) -> Expr | None:
    test, then = value(expr.test), value(expr.then)
    otherwise = None if expr.otherwise is None else value(expr.otherwise)
    return None if test is None or then is None or otherwise is None else Conditional(test, then, otherwise)


def _joined(expr: Joined) -> Expr | None:
    parts = [printed_text(item) for item in expr.items]
    whole: Expr = Literal("")
    for part in parts:
        if part is None:
            return None
        whole = IrBinary("+", whole, part)
    return whole


def _listing(expr: Listing) -> Expr | None:
    items = [value(item) for item in expr.items]
    return None if None in items else IrListing(tuple(item for item in items if item is not None))


def _test(expr: Test) -> Expr | None:
    defined = expr.name in ("defined", "undefined") and isinstance(expr.value, Param)
    return Literal((expr.name == "defined") is not expr.negated) if defined else None


_METHODS: dict[type, Callable[[Any], Expr | None]] = {
    Const: _const,
    Param: lambda expr: Ref(Root.INPUT, expr.path),
    Filter: _filter,
    Not: _not,
    Logic: _logic,
    Binary: _binary,
    Comparison: _comparison,
    Choice: _choice,
    Joined: _joined,
    Listing: _listing,
    Test: _test,
}


def text_with(expr: Expr, values: dict[str, Any]) -> str | None:
    """Give what an expression prints with values for the parameters; None when it has no value."""
    found = _value_with(expr, values)
    return None if found is _NOTHING else as_text(found)


def truth_with(expr: Expr, values: dict[str, Any]) -> bool | None:
    """Say whether an expression counts as true with values for the parameters; None when it has no value."""
    found = _value_with(expr, values)
    return None if found is _NOTHING else truth(found)


_NOTHING: Any = object()


def _value_with(expr: Expr, values: dict[str, Any]) -> Any:
    try:
        return evaluate_ir(expr, Bindings({Root.INPUT: values}))
    except (EvaluationError, UnknownValueError):
        return _NOTHING


def tree_of(params: dict[Path, Any]) -> dict[str, Any]:
    """Give the values of parameters as nested maps."""
    tree: dict[str, Any] = {}
    for path, item in params.items():
        level = tree
        for step in path[:-1]:
            level = level.setdefault(step, {})
        level[path[-1]] = item
    return tree
