"""The tree of a template in the subset that is read symbolically. `start` and `end` count characters of its text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from pwxc.frozen import frozen

Path = tuple[str, ...]


class NotInSubsetError(Exception):
    """The template, or what it computes, is outside of what is read symbolically."""

    def __init__(self, what: str, start: int = 0, end: int = 0) -> None:
        super().__init__(what)
        self.what, self.start, self.end = what, start, end


# expressions


@frozen
class Const:
    """A value."""

    value: Any


@frozen
class Name:
    """A name, by the scope that it is met in."""

    name: str


@frozen
class Param:
    """A value of the template's context that is left open, by its path."""

    path: Path


@frozen
class Varying:
    """What changes from one round of an open loop to the next: a variable, or an attribute of `loop`."""

    loop: int
    """Where the loop begins in the text."""
    name: str
    """A target's name, or `loop.index0`."""


@frozen
class Attribute:
    """`value.name`."""

    value: Expression
    name: str


@frozen
class Item:
    """`value[key]`."""

    value: Expression
    key: Expression


@frozen
class Listing:
    """A list, or a tuple."""

    items: tuple[Expression, ...]
    is_tuple: bool = False


@frozen
class Unary:
    """`-x` or `+x`."""

    operator: str
    operand: Expression


@frozen
class Binary:
    """An arithmetic operator."""

    operator: str
    left: Expression
    right: Expression


@frozen
class Joined:
    """`a ~ b ~ c`."""

    items: tuple[Expression, ...]


@frozen
class Logic:
    """`and` and `or`, which give back an operand."""

    operator: str
    left: Expression
    right: Expression


@frozen
class Not:
    """`not x`."""

    operand: Expression


@frozen
class Comparison:
    """A chain of comparisons; `in` and `not in` are among the operators."""

    first: Expression
    rest: tuple[tuple[str, Expression], ...]


@frozen
class Choice:
    """`then if test else otherwise`."""

    then: Expression
    test: Expression
    otherwise: Expression | None


@frozen
class Filter:
    """`value | name(arguments)`."""

    value: Expression
    name: str
    arguments: tuple[Expression, ...] = ()
    named: tuple[tuple[str, Expression], ...] = ()


@frozen
class Test:
    """`value is name(arguments)`."""

    value: Expression
    name: str
    arguments: tuple[Expression, ...]
    negated: bool


@frozen
class Call:
    """`range(…)`, or `'{:03d}'.format(…)` with the text as the first argument."""

    function: str
    arguments: tuple[Expression, ...]


Expression: TypeAlias = (
    Const
    | Name
    | Param
    | Varying
    | Attribute
    | Item
    | Listing
    | Unary
    | Binary
    | Joined
    | Logic
    | Not
    | Comparison
    | Choice
    | Filter
    | Test
    | Call
)


def children(expr: Expression) -> tuple[Expression, ...]:
    """Give the expressions directly below one."""
    match expr:
        case Const() | Name() | Param() | Varying():
            return ()
        case Attribute():
            return (expr.value,)
        case Item():
            return (expr.value, expr.key)
        case Listing() | Joined():
            return expr.items
        case Unary() | Not():
            return (expr.operand,)
        case Binary() | Logic():
            return (expr.left, expr.right)
        case Comparison():
            return (expr.first, *(right for _, right in expr.rest))
        case Choice():
            return (expr.then, expr.test, *((expr.otherwise,) if expr.otherwise is not None else ()))
        case Filter():
            return (expr.value, *expr.arguments, *(value for _, value in expr.named))
        case Test():
            return (expr.value, *expr.arguments)
        case Call():
            return expr.arguments


def leaves(expr: Expression) -> Iterator[Expression]:
    """Give the names, values and variables of an expression, from left to right."""
    below = children(expr)
    if not below and not isinstance(expr, Listing | Call):
        yield expr
    for part in below:
        yield from leaves(part)


def rebuilt(expr: Expression, put: Callable[[Expression], Expression]) -> Expression:
    """Give an expression with others directly below it."""
    match expr:
        case Attribute(value, name):
            return Attribute(put(value), name)
        case Item(value, key):
            return Item(put(value), put(key))
        case Listing(items):
            return Listing(tuple(map(put, items)), expr.is_tuple)
        case Joined(items):
            return Joined(tuple(map(put, items)))
        case Unary(operator, operand):
            return Unary(operator, put(operand))
        case Not(operand):
            return Not(put(operand))
        case Binary(operator, left, right):
            return Binary(operator, put(left), put(right))
        case Logic(operator, left, right):
            return Logic(operator, put(left), put(right))
        case Call(function, arguments):
            return Call(function, tuple(map(put, arguments)))
    return _rebuilt_long(expr, put)


def _rebuilt_long(expr: Expression, put: Callable[[Expression], Expression]) -> Expression:
    match expr:
        case Comparison(first, rest):
            return Comparison(put(first), tuple((operator, put(right)) for operator, right in rest))
        case Choice(then, test, otherwise):
            return Choice(put(then), put(test), None if otherwise is None else put(otherwise))
        case Filter(value, name, arguments, named):
            given = tuple((key, put(item)) for key, item in named)
            return Filter(put(value), name, tuple(map(put, arguments)), given)
        case Test(value, name, arguments, negated):
            return Test(put(value), name, tuple(map(put, arguments)), negated)
    return expr


# statements


@frozen
class Text:
    """Text that comes out as it is; `text` stands at `start` in the template."""

    text: str
    start: int


@frozen
class Print:
    """`{{ value }}`."""

    value: Expression
    start: int
    end: int


@frozen
class Branch:
    """One way of a condition; `test` is None for `else`."""

    test: Expression | None
    body: tuple[Statement, ...]


@frozen
class Condition:
    """`{% if %}` with its branches; `end` is that of its first tag."""

    branches: tuple[Branch, ...]
    start: int
    end: int


@frozen
class Loop:
    """`{% for %}`; `end` is that of its first tag, `word` where the word `for` stands."""

    targets: tuple[str, ...]
    values: Expression
    when: Expression | None
    body: tuple[Statement, ...]
    otherwise: tuple[Statement, ...]
    start: int
    end: int
    word: int


@frozen
class Assignment:
    """`{% set name = value %}`."""

    name: str
    value: Expression
    start: int
    end: int


Statement: TypeAlias = Text | Print | Condition | Loop | Assignment


def statements(body: tuple[Statement, ...]) -> Iterator[Statement]:
    """Give all statements, those inside others included."""
    for statement in body:
        yield statement
        if isinstance(statement, Loop):
            yield from statements(statement.body)
            yield from statements(statement.otherwise)
        elif isinstance(statement, Condition):
            for branch in statement.branches:
                yield from statements(branch.body)


def expressions(statement: Statement) -> Iterator[Expression]:
    """Give the expressions of a statement, those of the statements inside left out."""
    match statement:
        case Print() | Assignment():
            yield statement.value
        case Condition():
            yield from (branch.test for branch in statement.branches if branch.test is not None)
        case Loop():
            yield statement.values
            if statement.when is not None:
                yield statement.when
