"""Values for a rendering: as JSON for another process, and stand-ins for those that are missing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any


def pack(value: object) -> object:
    """Turn a value of a YAML document into JSON; what JSON does not have becomes a list with a tag."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, dict):
        return ["map", [[pack(key), pack(item)] for key, item in value.items()]]
    if isinstance(value, dt.datetime):
        return ["datetime", value.isoformat()]
    if isinstance(value, dt.date):
        return ["date", value.isoformat()]
    if isinstance(value, bytes):
        return ["bytes", value.hex()]
    if not isinstance(value, Iterable):
        return str(value)
    tag = "set" if isinstance(value, set) else "tuple" if isinstance(value, tuple) else "list"
    return [tag, [pack(item) for item in value]]


_READERS: dict[str, Callable[[Any], object]] = {
    "map": lambda pairs: {unpack(key): unpack(item) for key, item in pairs},
    "list": lambda items: [unpack(item) for item in items],
    "tuple": lambda items: tuple(unpack(item) for item in items),
    "set": lambda items: {unpack(item) for item in items},
    "datetime": dt.datetime.fromisoformat,
    "date": dt.date.fromisoformat,
    "bytes": bytes.fromhex,
}


def unpack(value: Any) -> object:
    """Undo `pack`."""
    if not isinstance(value, list):
        return value
    tag, inner = value
    return _READERS[tag](inner)


class StandIn(str):
    """A value for an undefined name that lets the rest of the template be looked at."""

    __slots__ = ()

    def __getattr__(self, name: str) -> StandIn:
        if name.startswith("_"):
            raise AttributeError(name)
        return self

    def __call__(self, *args: object, **named: object) -> StandIn:
        """Be called like anything else."""
        return self

    def __index__(self) -> int:
        return 0

    __int__ = __index__

    def __float__(self) -> float:
        return 0.0

    def _same(self, other: object = None, *more: object) -> StandIn:
        return self

    def _no(self, other: object) -> bool:
        return False


_ARITHMETIC = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow")
for _name in (*_ARITHMETIC, *(f"r{name}" for name in _ARITHMETIC), "neg", "pos", "getitem"):
    setattr(StandIn, f"__{_name}__", StandIn._same)  # noqa: SLF001
for _name in ("lt", "le", "gt", "ge", "contains"):
    setattr(StandIn, f"__{_name}__", StandIn._no)  # noqa: SLF001
