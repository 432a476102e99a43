"""The values of expressions, as Jinja with OSMO's settings gives them (osmo.md §4).

What is unsure, dear or unbounded is left to the service's own renderer: it is said to be outside of the subset.
"""

from __future__ import annotations

import operator as op
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from pwxc_targets.osmo.symbolic.tree import (
    Attribute,
    Binary,
    Call,
    Choice,
    Comparison,
    Const,
    Expression,
    Filter,
    Item,
    Joined,
    Listing,
    Logic,
    Name,
    Not,
    NotInSubsetError,
    Param,
    Test,
    Unary,
    Varying,
)

LONGEST_RANGE = 100_000
"""What the service's sandbox lets a `range` have."""
_LONGEST_TEXT = 100_000
_LARGEST_NUMBER = 10**30
_SPEC = re.compile(r"[^{}]*\{0?(?::([<>=^+\- ]?0?\d{0,2}(?:\.\d{1,2})?[bdeEfFgGosxX%]?))?\}[^{}]*")
_PERCENT = re.compile(r"[^%]*%[+\- 0]?\d{0,2}(?:\.\d{1,2})?[dsf][^%]*")
FILTERS = frozenset((
    "abs", "capitalize", "count", "d", "default", "first", "float", "format", "indent", "int", "join", "last",
    "length", "list", "lower", "max", "min", "replace", "reverse", "round", "sort", "string", "sum", "title", "tojson",
    "trim", "unique", "upper",
))  # fmt: skip
"""The filters that are read; Jinja's own functions work them out."""
_TESTS = frozenset(("boolean", "divisibleby", "even", "false", "float", "integer", "in", "iterable", "lower", "mapping",
                    "none", "number", "odd", "sequence", "string", "true", "upper"))  # fmt: skip


class FailsError(Exception):
    """Rendering fails here too."""


class _Missing:
    """A value that was never given."""

    def __bool__(self) -> bool:
        return False


MISSING = _Missing()
LENIENT = _Missing()
"""What an inline `if` without `else` gives: it prints nothing, where `MISSING` makes rendering fail."""


class Scope(Protocol):
    """What names stand for."""

    def find(self, name: str) -> Any:
        """Give the value of a name, `MISSING` when it has none."""

    def opened(self, leaf: Param | Varying) -> Any:
        """Give the value of what is left open."""


def evaluate(expr: Expression, scope: Scope) -> Any:
    """Give the value of an expression, which may be `MISSING`.

    Raises:
        FailsError: rendering fails.
        NotInSubsetError: the value is not worked out here.
    """
    return _METHODS[type(expr)](expr, scope)


def present(expr: Expression, scope: Scope) -> Any:
    """Give the value of an expression that has to have one."""
    value = evaluate(expr, scope)
    if value is MISSING:
        raise FailsError("a value is undefined")
    if value is LENIENT:
        raise NotInSubsetError("an `if` without `else`")
    return value


def truth(expr: Expression, scope: Scope) -> bool:
    """Say whether an expression counts as true."""
    return bool(present(expr, scope))


def printed(value: Any) -> str:
    """Give what a value prints."""
    if value is MISSING:
        raise FailsError("a value is undefined")
    if value is LENIENT:
        return ""
    return _short(value) if isinstance(value, str) else str(value)


def _short(text: str) -> str:
    if len(text) > _LONGEST_TEXT:
        raise NotInSubsetError("a text of this length")
    return text


def _attribute(expr: Attribute, scope: Scope) -> Any:
    return _member(present(expr.value, scope), expr.name, by_name=True)


def _item(expr: Item, scope: Scope) -> Any:
    value, key = present(expr.value, scope), evaluate(expr.key, scope)
    if isinstance(key, _Missing):
        raise NotInSubsetError("an undefined key")
    if isinstance(key, str):
        return _member(value, key, by_name=False)
    if isinstance(value, Mapping):
        try:
            return value.get(key, MISSING)
        except TypeError:
            return MISSING
    if isinstance(value, str | Sequence) and isinstance(key, int):
        return value[key] if -len(value) <= key < len(value) else MISSING
    if isinstance(value, str | int | float | None | Sequence) and isinstance(key, int | float | None):
        return MISSING
    raise NotInSubsetError("this item")


def _member(value: Any, name: str, *, by_name: bool) -> Any:
    """Give a map's value; names of Python's own attributes and methods are left alone."""
    if isinstance(value, dict) and not by_name and name in value:
        return value[name]
    if hasattr(value, name) or not isinstance(value, str | int | float | list | tuple | dict | range | None):
        raise NotInSubsetError(f"the attribute `{name}`")
    return value.get(name, MISSING) if isinstance(value, dict) else MISSING


def _listing(expr: Listing, scope: Scope) -> Any:
    items = [evaluate(item, scope) for item in expr.items]
    if any(isinstance(item, _Missing) for item in items):
        raise NotInSubsetError("a list with an undefined value")
    return tuple(items) if expr.is_tuple else items


def _unary(expr: Unary, scope: Scope) -> Any:
    value = present(expr.operand, scope)
    if not isinstance(value, int | float):
        raise FailsError("a number is due")
    return -value if expr.operator == "-" else +value


_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": op.add, "-": op.sub, "*": op.mul, "/": op.truediv, "//": op.floordiv, "%": op.mod, "**": op.pow,
}  # fmt: skip


def _binary(expr: Binary, scope: Scope) -> Any:
    left = present(expr.left, scope)
    if isinstance(left, str) and expr.operator == "%":
        raise NotInSubsetError("`%` of a text")
    right = present(expr.right, scope)
    numbers = isinstance(left, int | float) and isinstance(right, int | float)
    alike = type(left) is type(right) and isinstance(left, str | list | tuple)
    if not numbers and not (expr.operator == "+" and alike):
        if isinstance(left, str) and expr.operator == "+":
            raise FailsError("texts and numbers cannot be added")
        raise NotInSubsetError(f"`{expr.operator}` of these values")
    if numbers and expr.operator == "**" and not (0 <= left <= 10**6 and 0 <= right <= 5):
        # of a number below zero Jinja makes another power where it is written out, and not where it is computed
        raise NotInSubsetError("a power of this size")
    try:
        result = _ARITHMETIC[expr.operator](left, right)
    except (ArithmeticError, ValueError) as fault:
        raise FailsError(str(fault)) from None
    if numbers and abs(result) > _LARGEST_NUMBER:
        raise NotInSubsetError("a number of this size")
    return _short(result) if isinstance(result, str) else result


def _joined(expr: Joined, scope: Scope) -> str:
    return _short("".join(printed(evaluate(item, scope)) for item in expr.items))


def _logic(expr: Logic, scope: Scope) -> Any:
    left = present(expr.left, scope)
    return evaluate(expr.right, scope) if bool(left) is (expr.operator == "and") else left


def _not(expr: Not, scope: Scope) -> bool:
    return not truth(expr.operand, scope)


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": op.eq, "!=": op.ne, "<": op.lt, "<=": op.le, ">": op.gt, ">=": op.ge,
    "in": lambda left, right: left in right, "not in": lambda left, right: left not in right,
}  # fmt: skip


def _comparison(expr: Comparison, scope: Scope) -> bool:
    left = present(expr.first, scope)
    for name, operand in expr.rest:
        right = present(operand, scope)
        try:
            holds = _COMPARISONS[name](left, right)
        except TypeError as fault:
            raise FailsError(str(fault)) from None
        if not holds:
            return False
        left = right
    return True


def _choice(expr: Choice, scope: Scope) -> Any:
    if truth(expr.test, scope):
        return evaluate(expr.then, scope)
    return LENIENT if expr.otherwise is None else evaluate(expr.otherwise, scope)


def _filter(expr: Filter, scope: Scope) -> Any:
    if expr.name not in FILTERS:
        raise NotInSubsetError(f"the filter `{expr.name}`")
    arguments = [evaluate(argument, scope) for argument in expr.arguments]
    named = {name: evaluate(argument, scope) for name, argument in expr.named}
    value = evaluate(expr.value, scope)
    if expr.name in ("default", "d"):
        return _default(value, arguments, named)
    if any(item is LENIENT for item in (value, *arguments, *named.values())):
        raise NotInSubsetError("an `if` without `else`")
    if any(item is MISSING for item in (value, *arguments, *named.values())):
        raise FailsError("a value is undefined")
    if not isinstance(value, str | int | float | list | tuple | range | None) or not _is_cheap(
        expr.name, value, arguments
    ):
        raise NotInSubsetError(f"the filter `{expr.name}` of this value")
    return _call_filter(expr.name, value, arguments, named)


def _default(value: Any, arguments: list[Any], named: dict[str, Any]) -> Any:
    if len(arguments) > 2 or named.keys() - {"default_value", "boolean"} or (arguments and "default_value" in named):
        raise NotInSubsetError("these arguments")
    instead = arguments[0] if arguments else named.get("default_value", "")
    loosely = arguments[1] if len(arguments) > 1 else named.get("boolean", False)
    return instead if isinstance(value, _Missing) or (loosely and not value) else value


def _is_cheap(name: str, value: Any, arguments: list[Any]) -> bool:
    """Say whether a filter's result is not much larger than what it is given."""
    if name == "format":
        return isinstance(value, str) and _PERCENT.fullmatch(value) is not None and len(arguments) == 1
    if name == "indent":
        return all(not isinstance(item, str | float) and 0 <= int(item or 0) <= 200 for item in arguments[:1])
    if name == "replace":
        return isinstance(value, str) and all(isinstance(item, str) and len(item) < 100 for item in arguments)
    if name in ("join", "list", "sort", "unique", "reverse", "sum", "max", "min") and isinstance(value, range):
        return len(value) <= 10_000
    return name != "round" or not arguments or arguments[0] in range(20)


def _call_filter(name: str, value: Any, arguments: list[Any], named: dict[str, Any]) -> Any:
    from jinja2.exceptions import TemplateError

    from pwxc_targets.osmo.template.text import environment

    try:
        result = environment().call_filter(name, value, arguments, named, eval_ctx=_context())
        if name in ("reverse", "unique") and not isinstance(result, str):
            result = list(result)
            raise NotInSubsetError(f"the filter `{name}` of a list")
    except (TemplateError, ArithmeticError, TypeError, ValueError, AttributeError, KeyError, LookupError) as fault:
        raise FailsError(str(fault)) from None
    if hasattr(type(result), "__html__") or not isinstance(result, str | int | float | list | tuple | None):
        if name != "tojson":
            raise NotInSubsetError(f"the filter `{name}` of this value")
        result = str(result)
    return _short(result) if isinstance(result, str) else result


def _context() -> Any:
    from jinja2.nodes import EvalContext

    from pwxc_targets.osmo.template.text import environment

    return EvalContext(environment())


def _test(expr: Test, scope: Scope) -> bool:
    value = evaluate(expr.value, scope)
    if expr.name in ("defined", "undefined") and not expr.arguments:
        return isinstance(value, _Missing) is ((expr.name == "undefined") is not expr.negated)
    arguments = [present(argument, scope) for argument in expr.arguments]
    if expr.name not in _TESTS or isinstance(value, _Missing):
        raise NotInSubsetError(f"the test `{expr.name}`")
    from jinja2.exceptions import TemplateError

    from pwxc_targets.osmo.template.text import environment

    try:
        holds = bool(environment().call_test(expr.name, value, arguments))
    except (TemplateError, ArithmeticError, TypeError, ValueError, AttributeError) as fault:
        raise FailsError(str(fault)) from None
    return holds is not expr.negated


def _call(expr: Call, scope: Scope) -> Any:
    arguments = [present(argument, scope) for argument in expr.arguments]
    if expr.function == "range":
        made = make_range(arguments)
        if len(made) > LONGEST_RANGE:
            raise FailsError("the range is too long")
        return made
    text, *rest = arguments
    matched = _SPEC.fullmatch(text) if isinstance(text, str) else None
    if matched is None or len(rest) != 1 or not isinstance(rest[0], str | int | float):
        raise NotInSubsetError("this format")
    try:
        return text.format(*rest)
    except ValueError as fault:
        raise FailsError(str(fault)) from None


def make_range(ends: list[Any]) -> range:
    """Give the numbers between two ends, however many they are."""
    if not 1 <= len(ends) <= 3 or not all(isinstance(end, int) for end in ends):
        raise FailsError("`range` takes one to three whole numbers")
    if len(ends) == 3 and ends[2] == 0:
        raise FailsError("the step of a range is not zero")
    return range(*ends)


_METHODS: dict[type, Callable[[Any, Any], Any]] = {
    Const: lambda expr, scope: expr.value,
    Name: lambda expr, scope: scope.find(expr.name),
    Param: lambda expr, scope: scope.opened(expr),
    Varying: lambda expr, scope: scope.opened(expr),
    Attribute: _attribute,
    Item: _item,
    Listing: _listing,
    Unary: _unary,
    Binary: _binary,
    Joined: _joined,
    Logic: _logic,
    Not: _not,
    Comparison: _comparison,
    Choice: _choice,
    Filter: _filter,
    Test: _test,
    Call: _call,
}
