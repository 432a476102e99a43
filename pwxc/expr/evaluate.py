"""The value of an expression in an environment (pw.md §10.2)."""

from __future__ import annotations

import json
import operator as op
from collections.abc import Mapping, Sequence
from typing import Protocol

import attrs

from pwxc.expr.values import (
    UNDEFINED,
    EvaluationError,
    Value,
    arithmetic,
    as_index,
    as_number,
    as_text,
    equal,
    is_list,
    is_number,
    truth,
)
from pwxc.ir.expr import Binary, Call, Conditional, Expr, Index, Listing, Literal, Ref, Root, Slice, Unary, Undefined

LONGEST_RANGE = 100_000
"""How many numbers a range may have before it has no value; a sweep has ranges of its own."""
LONGEST_TEXT = 10_000_000
"""How many characters a text may have before it has no value."""


class UnknownValueError(Exception):
    """A reference has a value, but not one that is known yet."""

    def __init__(self, ref: Ref) -> None:
        super().__init__(f"{ref.root} {'.'.join(ref.path)}")
        self.ref = ref


class Environment(Protocol):
    """What references stand for."""

    def lookup(self, ref: Ref) -> Value:
        """Give the value of a reference, `UNDEFINED` when there is none.

        Raises:
            UnknownValueError: the value is not known yet.
        """


@attrs.frozen
class Bindings:
    """An environment of plain data: for each root that is known, nested maps and lists.

    `row` is the row for which the fields of a list are asked. What is missing below a known root is undefined; a
    root that is not here at all is not known.
    """

    roots: Mapping[Root, Value] = attrs.field(factory=dict)
    row: int | None = None

    def lookup(self, ref: Ref) -> Value:
        """Follow the path of a reference."""
        if ref.root not in self.roots:
            raise UnknownValueError(ref)
        value = self.roots[ref.root]
        for step in ref.path:
            if step != "[index]":
                value = item(value, step)
            elif self.row is None:
                raise UnknownValueError(ref)
            else:
                value = item(value, self.row)
        return value


NOTHING_KNOWN = Bindings()


def evaluate(expr: Expr, environment: Environment) -> Value:
    """Give the value of an expression; only what decides the value is looked up.

    Raises:
        EvaluationError: it has none.
        UnknownValueError: it depends on something that is not known yet.
    """
    match expr:
        case Literal():
            return expr.value
        case Undefined():
            return UNDEFINED
        case Ref():
            return environment.lookup(expr)
        case Unary():
            return _unary(expr, environment)
        case Binary():
            return _binary(expr, environment)
        case Conditional():
            return evaluate(expr.then if truth(evaluate(expr.test, environment)) else expr.otherwise, environment)
        case Index():
            return item(evaluate(expr.value, environment), evaluate(expr.key, environment))
        case Slice():
            return _slice(expr, environment)
        case Listing():
            return [evaluate(part, environment) for part in expr.items]
        case Call():
            return _call(expr, environment)


def item(value: Value, key: Value) -> Value:
    """Give an item of a list by number or of a map by key; what is not there is undefined."""
    if isinstance(value, Mapping):
        return value.get(as_text(key), UNDEFINED)
    if isinstance(value, Sequence) and not isinstance(value, str):
        index = as_index(key)
        return value[index] if index is not None and 0 <= index < len(value) else UNDEFINED
    return UNDEFINED


def _unary(expr: Unary, environment: Environment) -> Value:
    value = evaluate(expr.operand, environment)
    if expr.operator == "!":
        return not truth(value)
    if expr.operator == "-":
        return -as_number(value, "-")
    raise EvaluationError(f"there is no operator `{expr.operator}`")


def _binary(expr: Binary, environment: Environment) -> Value:
    left = evaluate(expr.left, environment)
    match expr.operator:
        case "&&":
            return evaluate(expr.right, environment) if truth(left) else left
        case "||":
            return left if truth(left) else evaluate(expr.right, environment)
        case "??":
            return evaluate(expr.right, environment) if isinstance(left, Undefined) else left
    return apply(expr.operator, left, evaluate(expr.right, environment))


_COMPARISONS = {"<": op.lt, "<=": op.le, ">": op.gt, ">=": op.ge}


def apply(operator: str, left: Value, right: Value) -> Value:
    """Apply an operator that needs both of its operands.

    Raises:
        EvaluationError: an operand is of the wrong kind, or there is no such operator.
    """
    match operator:
        case "==":
            return equal(left, right)
        case "!=":
            return not equal(left, right)
        case "<" | "<=" | ">" | ">=":
            return bool(_COMPARISONS[operator](as_number(left, operator), as_number(right, operator)))
        case "+" if not (is_number(left) and is_number(right)):
            return _joined(as_text(left), as_text(right))
        case "+" | "-" | "*" | "/" | "//" | "**":
            return arithmetic(operator, as_number(left, operator), as_number(right, operator))
        case "in":
            return _contains(right, left)
        case "!in":
            return not _contains(right, left)
        case "includes":
            return _includes(left, right)
        case "!includes":
            return not _includes(left, right)
    raise EvaluationError(f"there is no operator `{operator}`")


def _joined(left: str, right: str) -> str:
    if len(left) + len(right) > LONGEST_TEXT:
        raise EvaluationError(f"the text would have more than {LONGEST_TEXT:,} characters")
    return left + right


def _contains(collection: Value, value: Value) -> bool:
    if isinstance(collection, Mapping):
        return as_text(value) in collection
    if isinstance(collection, Sequence) and not isinstance(collection, str):
        return any(equal(value, part) for part in collection)
    if isinstance(collection, Undefined):
        return False
    raise EvaluationError(f"`in` needs a list or a map, `{as_text(collection)[:40]}` is none")


def _includes(text: Value, part: Value) -> bool:
    return _contains(text, part) if is_list(text) else as_text(part) in as_text(text)


def _slice(expr: Slice, environment: Environment) -> Value:
    value = evaluate(expr.value, environment)
    bounds = [_bound(part, environment) for part in (expr.start, expr.stop)]
    if isinstance(value, Sequence):
        return value[bounds[0] : bounds[1]]
    if isinstance(value, Undefined):
        return value
    raise EvaluationError("a slice needs a list")


def _bound(part: Expr | None, environment: Environment) -> int | None:
    if part is None:
        return None
    index = as_index(evaluate(part, environment))
    if index is None:
        raise EvaluationError("the ends of a slice must be whole numbers")
    return index


def _call(expr: Call, environment: Environment) -> Value:
    arguments = [evaluate(part, environment) for part in expr.arguments]
    if expr.function == "range" and len(arguments) in (1, 2):
        return _range([as_number(part, "range") for part in arguments])
    if expr.function == "fromJSON" and len(arguments) == 1:
        return _from_json(as_text(arguments[0]))
    raise EvaluationError(f"there is no function `{expr.function}` of {len(arguments)} arguments")


def _range(ends: list[int | float]) -> Value:
    whole = [index for end in ends if (index := as_index(end)) is not None]
    if len(whole) < len(ends):
        raise EvaluationError("the ends of a range must be whole numbers")
    start, stop = (0, whole[0]) if len(whole) == 1 else whole
    if stop - start > LONGEST_RANGE:
        raise EvaluationError(f"the range has {stop - start:,} numbers, the limit is {LONGEST_RANGE:,}")
    return range(start, stop)


def _from_json(text: str) -> Value:
    try:
        value: Value = json.loads(text)
    except (ValueError, RecursionError):
        raise EvaluationError(f"`{text[:40]}` is not JSON") from None
    return value
