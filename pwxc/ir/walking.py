"""Walks through everything that stands below a noun of the IR, places left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs

from pwxc.ir.expr import Expr
from pwxc.ir.template import Template


def rebuilt(value: Any, change: Callable[[Any], Any]) -> Any:
    """Give a noun, or a value of one, with `change` applied to what it wants to change.

    Where `change` gives `NotImplemented` for a value, the walk goes on below it.
    """
    made = change(value)
    if made is not NotImplemented:
        return made
    if isinstance(value, tuple | list):
        return type(value)(rebuilt(item, change) for item in value)
    if isinstance(value, Mapping):
        return {rebuilt(key, change): rebuilt(item, change) for key, item in value.items()}
    if attrs.has(type(value)):
        fields = [field for field in attrs.fields(type(value)) if field.init and field.eq]
        return attrs.evolve(value, **{field.alias: rebuilt(getattr(value, field.name), change) for field in fields})
    return value


def holes_in(value: Any) -> Iterator[Expr]:
    """Give every expression that stands anywhere in a noun."""
    if isinstance(value, Template):
        yield from value.holes
    elif isinstance(value, Expr):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from holes_in(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from holes_in(item)
    elif attrs.has(type(value)):
        for field in attrs.fields(type(value)):
            if field.eq:
                yield from holes_in(getattr(value, field.name))
