"""What is wrong with an expression although it can be read: names that do not exist, values of the wrong kind.

A finding is neutral; the dialect gives it a code and prints names in its own spelling.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum, auto

import attrs

from pwxc.diagnostics import did_you_mean
from pwxc.expr.types import Choices, Kind, ListOf, MapOf, Type, either, name_of, type_of_value
from pwxc.expr.values import as_text
from pwxc.ir.expr import (
    Binary,
    Call,
    Conditional,
    Expr,
    Index,
    Listing,
    Literal,
    Ref,
    Root,
    Slice,
    Unary,
    Undefined,
    operands,
)
from pwxc.source import Span


class Fault(Enum):
    """What is wrong."""

    OUT_OF_PLACE = auto()
    """A root of this kind is not known here."""
    NO_SUCH_NAME = auto()
    """A name on the path of a reference does not exist."""
    WRONG_OPERAND = auto()
    """An operator has no meaning for a value of this kind."""
    NO_SUCH_CHOICE = auto()
    """A comparison with a value that an input can never have."""


@attrs.frozen
class Finding:
    """A fault and where it is; `root` is that of the reference, if it is about one, and `name` what is not there."""

    fault: Fault
    message: str
    span: Span | None
    help: str = ""
    root: Root | None = None
    name: str = ""


@attrs.frozen
class Scope:
    """What is known where an expression stands: for each root that may be used, the shape below it."""

    roots: Mapping[Root, Type]


def check(expr: Expr, scope: Scope, spell: Callable[[Ref], str]) -> list[Finding]:
    """Give all that is wrong with an expression in a scope; `spell` writes a reference as the dialect does."""
    checker = _Checker(scope, spell)
    checker.type_of(expr)
    return checker.findings


_NUMERIC = frozenset({"<", "<=", ">", ">=", "-", "*", "/", "//", "**"})


class _Checker:
    def __init__(self, scope: Scope, spell: Callable[[Ref], str]) -> None:
        self.scope = scope
        self.spell = spell
        self.findings: list[Finding] = []

    def _add(self, fault: Fault, message: str, expr: Expr, help: str = "", name: str = "") -> None:
        root = expr.root if isinstance(expr, Ref) else None
        self.findings.append(Finding(fault, message, expr.span, help, root, name))

    def type_of(self, expr: Expr) -> Type:
        match expr:
            case Ref():
                return self._reference(expr)
            case Literal():
                return type_of_value(expr.value)
            case Undefined():
                return Kind.NOTHING
            case Unary():
                return self._unary(expr)
            case Binary():
                return self._binary(expr)
            case Conditional():
                self.type_of(expr.test)
                return either(self.type_of(expr.then), self.type_of(expr.otherwise))
            case Index():
                return self._index(expr)
            case Slice():
                return self._slice(expr)
            case Listing() | Call():
                return self._many(expr)

    def _reference(self, ref: Ref) -> Type:
        if ref.root not in self.scope.roots:
            self._add(Fault.OUT_OF_PLACE, f"`{self.spell(ref)}` is not known here", ref)
            return Kind.ANYTHING
        shape = self.scope.roots[ref.root]
        for at, step in enumerate(ref.path):
            below = _below(shape, step)
            if below is None:
                self._missing(ref, at, shape)
                return Kind.ANYTHING
            shape = below
        return shape

    def _missing(self, ref: Ref, at: int, shape: Type) -> None:
        name = ref.path[at]
        owner = self.spell(attrs.evolve(ref, path=ref.path[:at])) if at else ""
        if isinstance(shape, MapOf):
            message = f"`{owner}` has no `{name}`" if owner else f"there is no `{self.spell(ref)}`"
            hint = did_you_mean(name, shape.fields)
        else:
            message = f"`{owner}` is {name_of(shape)} and has no `{name}`"
            rows = "a row is taken with `get`, or with `[index]` inside the list's own template"
            hint = rows if isinstance(shape, ListOf) else ""
        self._add(Fault.NO_SUCH_NAME, message, ref, hint, name)

    def _unary(self, expr: Unary) -> Type:
        shape = self.type_of(expr.operand)
        if expr.operator == "!":
            return Kind.BOOLEAN
        self._need_number(expr.operator, expr.operand, shape)
        return Kind.NUMBER

    def _binary(self, expr: Binary) -> Type:
        left, right = self.type_of(expr.left), self.type_of(expr.right)
        operator = expr.operator
        if operator in _NUMERIC:
            self._need_number(operator, expr.left, left)
            self._need_number(operator, expr.right, right)
        elif operator in ("in", "!in") and _is_simple(right):
            self._add(Fault.WRONG_OPERAND, f"`{operator}` needs a list or a map, this is {name_of(right)}", expr.right)
        elif operator in ("==", "!="):
            self._compare(expr.right, left)
            self._compare(expr.left, right)
        if operator in ("&&", "||", "??"):
            return either(left, right)
        if operator == "+":
            return _sum_type(left, right)
        return Kind.NUMBER if operator in ("-", "*", "/", "//", "**") else Kind.BOOLEAN

    def _need_number(self, operator: str, expr: Expr, shape: Type) -> None:
        # text may hold a number: outputs and environment variables always are text
        literal = isinstance(expr, Literal) and isinstance(expr.value, str) and not _is_numeric(expr.value)
        if literal or shape is Kind.BOOLEAN or isinstance(shape, ListOf | MapOf):
            self._add(Fault.WRONG_OPERAND, f"`{operator}` needs numbers, this is {name_of(shape)}", expr)

    def _compare(self, value: Expr, other: Type) -> None:
        if not isinstance(value, Literal) or not isinstance(other, Choices) or value.value in ("", None):
            return
        written = as_text(value.value)
        if written not in other.values:
            message = f"`{written}` is none of the options, so this always comes out the same"
            self._add(Fault.NO_SUCH_CHOICE, message, value, did_you_mean(written, other.values))

    def _index(self, expr: Index) -> Type:
        shape = self.type_of(expr.value)
        self.type_of(expr.key)
        if _is_simple(shape):
            self._add(Fault.WRONG_OPERAND, f"only a list or a map has items, this is {name_of(shape)}", expr.value)
            return Kind.ANYTHING
        if isinstance(shape, ListOf):
            return shape.item
        if not isinstance(shape, MapOf) or not isinstance(expr.key, Literal):
            return Kind.ANYTHING
        name = as_text(expr.key.value)
        below = _below(shape, name)
        if below is None:
            self._add(
                Fault.NO_SUCH_NAME, f"there is no `{name}` in this map", expr.key, did_you_mean(name, shape.fields)
            )
        return below or Kind.ANYTHING

    def _slice(self, expr: Slice) -> Type:
        shape, *_ = [self.type_of(part) for part in operands(expr)]
        if shape in (Kind.NUMBER, Kind.BOOLEAN) or isinstance(shape, MapOf):
            self._add(Fault.WRONG_OPERAND, f"a slice needs a list, this is {name_of(shape)}", expr.value)
        return shape

    def _many(self, expr: Listing | Call) -> Type:
        types = [self.type_of(part) for part in operands(expr)]
        if isinstance(expr, Listing):
            return ListOf(types[0] if types and all(shape == types[0] for shape in types) else Kind.ANYTHING)
        return ListOf(Kind.NUMBER) if expr.function == "range" else Kind.ANYTHING


def _below(shape: Type, step: str) -> Type | None:
    """Give the shape of a part, or None when there is no such part."""
    if shape is Kind.ANYTHING:
        return shape
    if isinstance(shape, MapOf):
        return shape.fields.get(step, Kind.ANYTHING if shape.open else None)
    if isinstance(shape, ListOf) and (step == "[index]" or step.isdigit()):
        return shape.item
    return None


def _is_simple(shape: Type) -> bool:
    return isinstance(shape, Choices) or shape in (Kind.TEXT, Kind.NUMBER, Kind.BOOLEAN)


def _is_numeric(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _sum_type(left: Type, right: Type) -> Type:
    if left is Kind.NUMBER and right is Kind.NUMBER:
        return Kind.NUMBER
    return Kind.ANYTHING if Kind.ANYTHING in (left, right) else Kind.TEXT
