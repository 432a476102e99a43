"""One expression tree for all dialects.

A dialect's parser makes these nodes from its own syntax and its printer turns them back; nothing here knows a
spelling. What stands in a shell's `$X` is text, not an expression.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

import attrs

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
    """A field of the same row of a list input (names of groups and the list, then the field)."""
    APP = "app"
    """The cluster that an app is bound to (keys)."""


@attrs.frozen
class Literal:
    """A text, number, boolean, null, or `undefined` (`UNDEFINED`)."""

    value: str | int | float | bool | None
    span: Span | None = attrs.field(default=None, eq=False, repr=False, kw_only=True)


@attrs.frozen
class Undefined:
    """A value that was never given."""

    span: Span | None = attrs.field(default=None, eq=False, repr=False, kw_only=True)


@attrs.frozen
class Ref:
    """A reference to something that has a name."""

    root: Root
    path: tuple[str, ...] = ()
    span: Span | None = attrs.field(default=None, eq=False, repr=False, kw_only=True)


@attrs.frozen
class Unary:
    """`!` or `-` before an operand."""

    operator: str
    operand: Expr
    span: Span | None = attrs.field(default=None, eq=False, repr=False, kw_only=True)


@attrs.frozen
class Binary:
    """An operator between two operands; `&&` and `||` give back an operand."""

    operator: str
    left: Expr
    right: Expr
    span: Span | None = attrs.field(default=None, eq=False, repr=False, kw_only=True)


@attrs.frozen
class Conditional:
    """One of two values, by a test."""

    test: Expr
    then: Expr
    otherwise: Expr
    span: Span | None = attrs.field(default=None, eq=False, repr=False, kw_only=True)


@attrs.frozen
class Index:
    """An item of a list by number, or of a map by key."""

    value: Expr
    key: Expr
    span: Span | None = attrs.field(default=None, eq=False, repr=False, kw_only=True)


@attrs.frozen
class Slice:
    """A part of a list, from `start` up to but not including `stop`."""

    value: Expr
    start: Expr | None = None
    stop: Expr | None = None
    span: Span | None = attrs.field(default=None, eq=False, repr=False, kw_only=True)


@attrs.frozen
class Listing:
    """A list written out."""

    items: tuple[Expr, ...]
    span: Span | None = attrs.field(default=None, eq=False, repr=False, kw_only=True)


@attrs.frozen
class Call:
    """A function of the dialects' common stock, applied."""

    function: str
    arguments: tuple[Expr, ...] = ()
    span: Span | None = attrs.field(default=None, eq=False, repr=False, kw_only=True)


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
