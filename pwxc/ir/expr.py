"""One expression tree for all dialects.

A dialect's parser makes these nodes from its own syntax and its printer turns them back; nothing here knows a
spelling. What stands in a shell's `$X` is text, not an expression.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

import attrs

from pwxc.frozen import frozen
from pwxc.source import Span


class Root(StrEnum):
    """What a reference starts from. The path that follows is given in brackets."""

    INPUT = "input"
    """A value given at submission (names of groups and the input)."""
    SWEEP = "sweep"
    """A variable of the task's own sweep (name, then keys of its value)."""
    SWEEP_INDEX = "sweep-index"
    """The running number of the instance, from 0 ()."""
    OUTPUT_FOLDER = "output-folder"
    """The folder that a task fills: its own (), or that of another task (task)."""
    READ_FOLDER = "read-folder"
    """Where one of the task's own reads is found (name of the read)."""
    FILE = "file"
    """The path of a named file of the workflow (name)."""
    DATUM = "datum"
    """A named value that tasks publish and read (name)."""
    RUN_ID = "run-id"
    """The name of this run ()."""
    RUN_FOLDER = "run-folder"
    """The folder of this run, shared by its tasks ()."""
    HOST = "host"
    """The address of a member of the same gang (task)."""
    TASK_OUTPUT = "task-output"
    """A value that a task published while it ran (task, key) or (task, step, key)."""
    ENVIRONMENT = "environment"
    """An environment variable of the task (name)."""
    ATTEMPT = "attempt"
    """The number of the attempt, from 0 ()."""
    SESSION = "session"
    """The full name of a session (name)."""
    ORGANISATION = "organisation"
    """A variable kept by the organisation, perhaps secret (name)."""
    USER = "user"
    """A variable kept by the user (name)."""
    STATUS = "status"
    """How what came before has ended (always, never, completed, error, canceled)."""
    SELF = "self"
    """Another attribute of the input in which the expression stands (hidden, ignore)."""
    ROW = "row"
    """A field of the same row of a list input (names of groups and the list, then `[index]`, then the field)."""
    APP = "app"
    """The cluster that an app is bound to (keys)."""


@frozen
class Node:
    """What all expressions have: a place, and how the dialect wrote them where it has several ways.

    Neither takes part in equality. `spelling` holds marks that only the printer of the same dialect looks at
    (`===` for an equality, the delimiters of a hole); a printer leaves out those that it does not know.
    """

    span: Span | None = attrs.field(default=None, eq=False, repr=False, kw_only=True)
    spelling: tuple[str, ...] = attrs.field(default=(), eq=False, repr=False, kw_only=True)


@frozen
class Literal(Node):
    """A text, number, boolean, null, or `undefined` (`UNDEFINED`)."""

    value: str | int | float | bool | None


@frozen
class Undefined(Node):
    """A value that was never given."""


@frozen
class Ref(Node):
    """A reference to something that has a name."""

    root: Root
    path: tuple[str, ...] = ()


@frozen
class Unary(Node):
    """`!` or `-` before an operand."""

    operator: str
    operand: Expr


@frozen
class Binary(Node):
    """An operator between two operands; `&&` and `||` give back an operand."""

    operator: str
    left: Expr
    right: Expr


@frozen
class Conditional(Node):
    """One of two values, by a test."""

    test: Expr
    then: Expr
    otherwise: Expr


@frozen
class Index(Node):
    """An item of a list by number, or of a map by key."""

    value: Expr
    key: Expr


@frozen
class Slice(Node):
    """A part of a list, from `start` up to but not including `stop`."""

    value: Expr
    start: Expr | None = None
    stop: Expr | None = None


@frozen
class Listing(Node):
    """A list written out."""

    items: tuple[Expr, ...]


@frozen
class Call(Node):
    """A function of the dialects' common stock, applied."""

    function: str
    arguments: tuple[Expr, ...] = ()


Expr: TypeAlias = Literal | Undefined | Ref | Unary | Binary | Conditional | Index | Slice | Listing | Call


def operands(expr: Expr) -> tuple[Expr, ...]:
    """Give the expressions directly below one."""
    match expr:
        case Unary():
            return (expr.operand,)
        case Binary():
            return (expr.left, expr.right)
        case Conditional():
            return (expr.test, expr.then, expr.otherwise)
        case Index():
            return (expr.value, expr.key)
        case Slice():
            return (expr.value, *(part for part in (expr.start, expr.stop) if part is not None))
        case Listing():
            return expr.items
        case Call():
            return expr.arguments
        case _:
            return ()


def refs(expr: Expr) -> list[Ref]:
    """Give all references in an expression, from left to right."""
    if isinstance(expr, Ref):
        return [expr]
    return [ref for part in operands(expr) for ref in refs(part)]
