"""Values that a person gives when a workflow is submitted, and saved sets of them."""

from __future__ import annotations

from enum import StrEnum

import attrs

from pwxc.ir.entity import Passthrough, Plain, entity, place
from pwxc.ir.expr import Expr
from pwxc.ir.template import Template
from pwxc.source import Span


class InputType(StrEnum):
    """What kind of value it is. What a dialect knows beyond these stands in the input's `form`."""

    STRING = "string"
    TEXT = "text"
    """Text of several lines."""
    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    CHOICES = "choices"
    DURATION = "duration"
    SECRET = "secret"
    CLUSTER = "cluster"
    STORAGE = "storage"
    FILE = "file"
    LIST = "list"
    """Rows; `items` are the fields of a row."""
    GROUP = "group"
    """Inputs below a common name; `items` are they."""
    OTHER = "other"


@entity
class Choice:
    """One of the values that an input may have."""

    value: str | int | float | bool
    label: str | None = None
    span: Span | None = place()


@entity
class Input:
    """A parameter of the workflow.

    `default` is the value that counts when none is given: plain data, or a template over other inputs. `hidden` and
    `ignored` say when it is not shown and when it is not passed. `form` is presentation that cannot affect a run
    (labels, help, layout, pickers), by the names of the dialect in `form_dialect`.
    """

    name: str
    type: InputType = InputType.STRING
    default: Plain | Template = None
    has_default: bool = False
    optional: bool | Expr = False
    hidden: bool | Expr = False
    ignored: bool | Expr = False
    minimum: int | float | None = None
    maximum: int | float | None = None
    choices: tuple[Choice, ...] = ()
    items: tuple[Input, ...] = ()
    label: str = ""
    help: str = ""
    form: Plain = attrs.field(factory=dict)
    passthrough: tuple[Passthrough, ...] = ()
    span: Span | None = place()


@entity
class Preset:
    """A named set of input values that comes with the workflow."""

    name: str
    values: Plain = attrs.field(factory=dict)
    passthrough: tuple[Passthrough, ...] = ()
    span: Span | None = place()
