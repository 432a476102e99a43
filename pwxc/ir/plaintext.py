"""A workflow with all of its texts replaced."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

import attrs

from pwxc.source import Source, Span

_T = TypeVar("_T")


def with_texts(value: _T, replace: Callable[[str], str]) -> _T:
    """Give a noun, or a value of one, with `replace` applied to every text in it; places stay what they are."""
    return cast("_T", _replaced(value, replace))


def _replaced(value: Any, replace: Callable[[str], str]) -> Any:
    if type(value) is str:
        return replace(value)
    if isinstance(value, Source | Span):
        return value
    if isinstance(value, tuple | list):
        return type(value)(_replaced(item, replace) for item in value)
    if isinstance(value, Mapping):
        return {_replaced(key, replace): _replaced(item, replace) for key, item in value.items()}
    if attrs.has(type(value)):
        fields = {field.alias: _replaced(getattr(value, field.name), replace) for field in attrs.fields(type(value))}
        return attrs.evolve(value, **fields)
    return value
