"""Kinds of values, as far as they are known before a run, and the kinds of a workflow's inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import TypeAlias

import attrs

from pwxc.expr.values import Value, as_text
from pwxc.ir.inputs import Input, InputType


class Kind(StrEnum):
    """A value without parts. `ANYTHING` may be whatever it is, also a list or a map."""

    ANYTHING = "anything"
    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    NOTHING = "nothing"


@attrs.frozen
class Choices:
    """One of some values, compared as text."""

    values: frozenset[str]


@attrs.frozen
class ListOf:
    """A list with items of one type."""

    item: Type


@attrs.frozen
class MapOf:
    """A map; one that is open may have more than the fields that are known."""

    fields: Mapping[str, Type] = attrs.field(factory=dict)
    open: bool = False


Type: TypeAlias = Kind | Choices | ListOf | MapOf

OPEN = MapOf(open=True)
"""A map of which nothing is known."""

_KINDS = {
    InputType.STRING: Kind.TEXT,
    InputType.TEXT: Kind.TEXT,
    InputType.SECRET: Kind.TEXT,
    InputType.NUMBER: Kind.NUMBER,
    InputType.INTEGER: Kind.NUMBER,
    InputType.BOOLEAN: Kind.BOOLEAN,
}
"""The inputs whose value has one kind. Dialects differ in what durations and files are, so those may be anything."""


def type_of_inputs(
    inputs: Iterable[Input],
    objects: Mapping[InputType, Type] | None = None,
    flattened: Callable[[Input], bool] = lambda group: False,
) -> MapOf:
    """Give the type of all values that a form gives.

    `objects` has the dialect's types for inputs whose value has parts, such as a cluster; `flattened` says whether
    the items of a group stand beside it and not below it.
    """
    fields: dict[str, Type] = {}
    for given in inputs:
        if given.type is InputType.GROUP and flattened(given):
            fields.update(type_of_inputs(given.items, objects, flattened).fields)
        else:
            fields[given.name] = _type_of(given, objects or {}, flattened)
    return MapOf(fields)


def _type_of(given: Input, objects: Mapping[InputType, Type], flattened: Callable[[Input], bool]) -> Type:
    if given.type in objects:
        return objects[given.type]
    if given.type is InputType.GROUP:
        return type_of_inputs(given.items, objects, flattened)
    if given.type is InputType.LIST:
        return ListOf(type_of_inputs(given.items, objects, flattened) if given.items else Kind.ANYTHING)
    if given.type is InputType.CHOICE and given.choices:
        return Choices(frozenset(as_text(choice.value) for choice in given.choices))
    if given.type is InputType.CHOICES:
        return ListOf(Kind.TEXT)
    return _KINDS.get(given.type, Kind.ANYTHING)


def type_of_value(value: Value) -> Type:
    """Give the type of a value that is known."""
    if isinstance(value, bool):
        return Kind.BOOLEAN
    if isinstance(value, int | float):
        return Kind.NUMBER
    if isinstance(value, str):
        return Kind.TEXT
    return Kind.NOTHING


def either(left: Type, right: Type) -> Type:
    """Give the type of a value that is one of two."""
    return left if left == right else Kind.ANYTHING


def name_of(type: Type) -> str:
    """Give a word for a type, with its article."""
    if isinstance(type, Kind):
        return type.value if type in (Kind.ANYTHING, Kind.NOTHING) else f"a {type}"
    return {Choices: "a text", ListOf: "a list", MapOf: "a map"}[type.__class__]
