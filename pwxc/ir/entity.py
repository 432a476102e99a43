"""What all nouns of the IR share: they are frozen, know their place, and may carry what one dialect alone knows."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from functools import cache
from typing import Any, TypeVar, cast, dataclass_transform

import attrs

from pwxc.frozen import frozen
from pwxc.source import Span

Plain = Any
"""Data as YAML or JSON has it: None, booleans, numbers, text, lists and maps."""

_T = TypeVar("_T")
_ENTITIES: set[type] = set()


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(attrs.field,))
def entity(cls: type[_T]) -> type[_T]:
    """Make a class a noun of the IR: a frozen, slotted attrs class whose fields the ledger counts."""
    made = frozen(kw_only=True)(cls)
    _ENTITIES.add(made)
    return made


def is_entity(value: object) -> bool:
    """Whether a value is a noun of the IR."""
    return type(value) in _ENTITIES


@frozen
class Passthrough:
    """What only one dialect knows, verbatim: `path` says where it stood below the noun that carries it."""

    dialect: str
    path: tuple[str, ...]
    value: Plain
    span: Span | None = attrs.field(default=None, eq=False, repr=False)
    inert: bool = attrs.field(default=False, eq=False, repr=False)
    """Whether it cannot affect what runs: its own system ignores it, or only shows it."""


@frozen
class Field:
    """A field of a noun that counts: everything but places."""

    name: str
    default: object


@cache
def fields(cls: Hashable) -> tuple[Field, ...]:
    """Give the fields of a noun that the ledger accounts for, with their defaults."""
    return tuple(
        Field(field.name, _default(field))
        for field in attrs.fields(cast("type", cls))
        if field.eq and field.name != "span"
    )


def _default(field: Any) -> object:
    default = field.default
    return default.factory() if isinstance(default, attrs.Factory) else default  # type: ignore[arg-type]


def fields_of(noun: object) -> tuple[Field, ...]:
    """Give the fields of a noun that count."""
    return fields(cast("Hashable", type(noun)))


def place_of(noun: object, field: str) -> Span | None:
    """Give the place of a noun's field where the reader knows it, else the noun's own."""
    places: Mapping[str, Span] | None = getattr(noun, "places", None)
    return (places or {}).get(field) or getattr(noun, "span", None)


def changed(noun: _T, **fields: Any) -> _T:
    """Give a noun with other values for some of its fields."""
    return cast("_T", attrs.evolve(cast("Any", noun), **fields))


def place(default: None = None) -> Any:
    """Make the field for a noun's span; it takes no part in equality."""
    return attrs.field(default=default, eq=False, repr=False)
