"""Frozen classes that are quick to make.

attrs compiles source text for every method of every class, which for the nouns of the IR alone is a tenth of a small
compilation. `frozen` lets it do so for the constructor; the other methods are made from the names of the fields.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import attrs


def make_frozen(cls: type | None = None, /, *, kw_only: bool = False) -> Any:
    """Make a class a frozen, slotted attrs class, equal by its fields and with a hash of them."""
    if cls is None:
        return lambda cls: make_frozen(cls, kw_only=kw_only)
    made: Any = attrs.frozen(cls, kw_only=kw_only, eq=False, repr=False, weakref_slot=False)
    add_methods(made, hashable=True)
    return made


def add_methods(cls: Any, *, hashable: bool) -> None:
    """Give an attrs class that was made without them equality, a hash and a text, unless it has its own."""
    fields: tuple[attrs.Attribute[Any], ...] = attrs.fields(cls)
    methods = _comparing(tuple(field.name for field in fields if field.eq))
    methods |= {"__repr__": _showing(fields)} | ({} if hashable else {"__hash__": None})
    for name, method in methods.items():
        if name not in vars(cls):
            setattr(cls, name, method)


def _comparing(names: tuple[str, ...]) -> dict[str, Callable[..., Any] | None]:
    values: Callable[[object], object] = attrgetter(*names) if names else type

    def equal(self: object, other: object) -> bool:
        return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

    def hashed(self: object) -> int:
        return hash((self.__class__, values(self)))

    return {"__eq__": equal, "__hash__": hashed}


def _showing(fields: tuple[attrs.Attribute[Any], ...]) -> Callable[[object], str]:
    def show(self: object) -> str:
        shown = []
        for field in fields:
            if field.repr:
                value = getattr(self, field.name)
                shown.append(f"{field.name}={field.repr(value) if callable(field.repr) else repr(value)}")
        return f"{type(self).__qualname__}({', '.join(shown)})"

    return show


if TYPE_CHECKING:
    from attrs import frozen as frozen
else:
    frozen = make_frozen
