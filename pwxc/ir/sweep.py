"""Sweeps: one task, many instances. A range is never a list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from math import floor
from typing import TypeAlias

import attrs

from pwxc.frozen import frozen
from pwxc.ir.entity import Plain, entity, place
from pwxc.ir.expr import Expr
from pwxc.source import Span


@frozen
class Range:
    """Numbers from `start` to `stop` (inclusive) in steps of `step`, which is not zero."""

    start: int | float
    stop: int | float
    step: int | float = 1

    def __len__(self) -> int:
        """How many numbers there are."""
        if all(isinstance(number, int) for number in (self.start, self.stop, self.step)):
            return max(0, int((self.stop - self.start) // self.step) + 1)
        return max(0, floor((self.stop - self.start) / self.step + 1e-9) + 1)

    def __getitem__(self, index: int) -> int | float:
        """Give one of the numbers."""
        if not 0 <= index < len(self):
            raise IndexError(index)
        return self.start + index * self.step

    def __iter__(self) -> Iterator[int | float]:
        """Go through the numbers."""
        return (self[index] for index in range(len(self)))


def _as_tuple(items: Iterable[Plain]) -> tuple[Plain, ...]:
    return tuple(items)  # attrs takes long to find out the type of `tuple` itself


@frozen
class Values:
    """Values written out: scalars, or maps of scalars."""

    items: tuple[Plain, ...] = attrs.field(converter=_as_tuple)

    def __len__(self) -> int:
        """How many values there are."""
        return len(self.items)

    def __getitem__(self, index: int) -> Plain:
        """Give one of the values."""
        return self.items[index]

    def __iter__(self) -> Iterator[Plain]:
        """Go through the values."""
        return iter(self.items)


SweepValues: TypeAlias = Range | Values | Expr
"""An expression stands for values that are known at submission, from inputs."""


class SweepMode(StrEnum):
    """How several parameters are combined."""

    PRODUCT = "product"
    """Every value with every other; the first parameter varies slowest."""
    ZIP = "zip"
    """First with first, second with second."""


@entity
class Parameter:
    """One variable of a sweep. `format` is how its value is printed by default, in Python's format language."""

    name: str
    values: SweepValues
    format: str = ""
    shared: str | None = None
    """The name of the workflow-wide parameter that this is, so that two sweeps are known to be over the same."""
    span: Span | None = place()


@entity
class Sweep:
    """The parameters over which a task is repeated."""

    parameters: tuple[Parameter, ...]
    mode: SweepMode = SweepMode.PRODUCT
    include: tuple[Plain, ...] = ()
    exclude: tuple[Plain, ...] = ()
    limit: int | Expr | None = None
    """How many instances may run at the same time."""
    fail_fast: bool | Expr = False
    """Whether a failing instance cancels the others."""
    span: Span | None = place()

    @property
    def size(self) -> int | None:
        """How many instances there are before `include` and `exclude`; None when an input decides."""
        total = 1
        for parameter in self.parameters:
            if not isinstance(parameter.values, Range | Values):
                return None
            if self.mode is SweepMode.ZIP:
                return len(parameter.values)
            total *= len(parameter.values)
        return total
