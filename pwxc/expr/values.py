"""Values of expressions: what is true, what is equal, and how one kind becomes another (pw.md §10.2)."""

from __future__ import annotations

import json
import math
import operator as op
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from pwxc.ir.expr import Undefined

Value: TypeAlias = "str | int | float | bool | Undefined | Sequence[Value] | Mapping[str, Value] | None"
"""Data as JSON has it, and `UNDEFINED` for what was never given."""

UNDEFINED = Undefined()

_NUMBER = re.compile(r"\s*[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?\s*")
_EXACT = 2**53
"""Up to here a floating-point number holds every integer; a larger product is rounded as it does."""
_DIGITS = 300


class EvaluationError(Exception):
    """An expression has no value: an operand is of the wrong kind, or a result would be too large."""


def number(text: str) -> int | float:
    """Give the number that is written in a text, which must be one."""
    if text.strip().lstrip("+-").isdigit() and len(text) <= _DIGITS:
        return int(text)
    return float(text)


def is_number(value: Value) -> bool:
    """Whether a value is a number itself; a boolean is none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_list(value: Value) -> bool:
    """Whether a value is a list; a text is none."""
    return isinstance(value, Sequence) and not isinstance(value, str)


def truth(value: Value) -> bool:
    """Whether a value counts as true. Empty text, 0, null and what was never given do not; lists and maps do."""
    if isinstance(value, Undefined):
        return False
    if isinstance(value, float):
        return value != 0 and not math.isnan(value)
    if isinstance(value, str | int):
        return bool(value)
    return value is not None


def as_text(value: Value) -> str:
    """Give a value as it stands in a text around it: lists and maps as JSON, what was never given as nothing."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, Undefined):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _float_text(value)
    return json.dumps(_plain(value), separators=(",", ":"), ensure_ascii=False)


def _float_text(value: float) -> str:
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return str(int(value)) if value.is_integer() and abs(value) < 1e21 else repr(value)


def _plain(value: Value) -> object:
    if isinstance(value, Undefined):
        return None
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return value


def as_number(value: Value, operator: str) -> int | float:
    """Give a value as the operand of a numeric operator; numeric text is converted.

    Raises:
        EvaluationError: it is no number.
    """
    if isinstance(value, int | float):
        return int(value) if isinstance(value, bool) else value
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return number(value)
    shown = "an undefined value" if isinstance(value, Undefined) else f"`{as_text(value)[:40]}`"
    raise EvaluationError(f"`{operator}` needs numbers, {shown} is none")


def as_index(value: Value) -> int | None:
    """Give a value as the place of an item, counted from 0, or None when it cannot be one."""
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = number(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if math.isfinite(value) and value == int(value) else None


def equal(left: Value, right: Value) -> bool:
    """Whether two values are equal; of different kinds they are compared as text."""
    if isinstance(left, bool) or isinstance(right, bool):
        same_kind = isinstance(left, bool) and isinstance(right, bool)
        return left == right if same_kind else as_text(left) == as_text(right)
    if (is_number(left) and is_number(right)) or (isinstance(left, str) and isinstance(right, str)):
        return left == right
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(equal(left[key], right[key]) for key in left)
    if isinstance(left, str | Mapping) or isinstance(right, str | Mapping):
        return as_text(left) == as_text(right)
    if isinstance(left, Sequence) and isinstance(right, Sequence):
        return len(left) == len(right) and all(map(equal, left, right))
    return as_text(left) == as_text(right)


def arithmetic(operator: str, left: int | float, right: int | float) -> int | float:
    """Apply a numeric operator.

    Raises:
        EvaluationError: a division by zero, or a root of a negative number.
    """
    try:
        result: int | float | complex = _ARITHMETIC[operator](left, right)
    except ZeroDivisionError:
        raise EvaluationError(f"`{operator}` divides by zero") from None
    except OverflowError:
        result = math.inf
    if isinstance(result, complex):
        raise EvaluationError(f"`{operator}` of {left} and {right} is no real number")
    if isinstance(result, float) and result.is_integer() and abs(result) <= _EXACT:
        return int(result)
    return result


def _times(left: int | float, right: int | float) -> int | float:
    product = left * right
    return float(product) if abs(product) > _EXACT else product


def _floor(left: int | float, right: int | float) -> int | float:
    if isinstance(left, int) and isinstance(right, int):
        return left // right
    quotient = left / right
    return math.floor(quotient) if math.isfinite(quotient) else quotient


def _power(left: int | float, right: int | float) -> float | complex:
    result: float | complex = float(left) ** float(right)
    return result


_ARITHMETIC: dict[str, Callable[[int | float, int | float], int | float | complex]] = {
    "+": op.add,
    "-": op.sub,
    "*": _times,
    "/": op.truediv,
    "//": _floor,
    "**": _power,
}
