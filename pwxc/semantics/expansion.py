"""The instances of a sweep: their number, their values, and which belongs to which."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import attrs

from pwxc.expr.values import Value, equal, is_list
from pwxc.ir.expr import Expr
from pwxc.ir.sweep import Range, Sweep, SweepMode, Values
from pwxc.ir.template import Template

Row: TypeAlias = "Mapping[str, Value]"
"""The values of one instance, by variable."""
Evaluate: TypeAlias = Callable[[Expr], Value]

LARGEST_TABLE = 200_000
"""How many rows are worked out at most where `include` or `exclude` make that necessary."""


class TooManyInstancesError(Exception):
    """A sweep has more instances than can be looked at one by one."""


@attrs.frozen
class Grid(Sequence[Row]):
    """The rows of a sweep that leaves none out; a row is worked out when it is asked for."""

    names: tuple[str, ...]
    columns: tuple[Sequence[Any], ...]
    zipped: bool
    evaluate: Evaluate

    def __len__(self) -> int:
        """Count the rows."""
        lengths = [len(column) for column in self.columns]
        return min(lengths) if self.zipped else math.prod(lengths)

    def __getitem__(self, number: Any) -> Any:
        """Work out a row; the first variable varies slowest."""
        if isinstance(number, slice):
            return [self[each] for each in range(*number.indices(len(self)))]
        if not 0 <= number < len(self):
            raise IndexError(number)
        places = [number] * len(self.columns)
        if not self.zipped:
            for at in reversed(range(len(self.columns))):
                number, places[at] = divmod(number, len(self.columns[at]))
        values = (_settled(column[place], self.evaluate) for column, place in zip(self.columns, places, strict=True))
        return dict(zip(self.names, values, strict=True))


def expand(sweep: Sweep, evaluate: Evaluate) -> Sequence[Row]:
    """Give the rows of a sweep.

    `exclude` drops what agrees with an entry in all the entry's variables; then an entry of `include` adds its further
    variables to every row that it agrees with in the variables of the sweep, or is a row of its own (pw.md §6).

    Raises:
        TooManyInstancesError: rows have to be looked at one by one, and there are too many.
    """
    names, columns, rows = _columns(sweep, evaluate)
    grid: Sequence[Row] = Grid(tuple(names), tuple(columns), sweep.mode is SweepMode.ZIP, evaluate) if columns else rows
    if not sweep.include and not sweep.exclude:
        return grid
    if len(grid) > LARGEST_TABLE:
        raise TooManyInstancesError
    excluded = [_settled(entry, evaluate) for entry in sweep.exclude]
    kept = [dict(row) for row in grid if not any(_agree(row, entry, entry) for entry in excluded)]
    return _included(kept, [_settled(entry, evaluate) for entry in sweep.include], names)


def _included(kept: list[dict[str, Value]], entries: Iterable[Row], names: Sequence[str]) -> list[Row]:
    further: list[Row] = []
    original = [dict(row) for row in kept]
    for entry in entries:
        common = [name for name in entry if name in names]
        matching = [at for at, row in enumerate(original) if _agree(row, entry, common)] if kept else []
        for at in matching:
            kept[at].update({name: value for name, value in entry.items() if name not in names})
        if not matching:
            further.append(dict(entry))
    return [*kept, *further]


def _agree(row: Row, entry: Row, names: Iterable[str]) -> bool:
    return all(name in row and equal(row[name], entry[name]) for name in names)


def _columns(sweep: Sweep, evaluate: Evaluate) -> tuple[list[str], list[Sequence[Any]], list[Row]]:
    names: list[str] = []
    columns: list[Sequence[Any]] = []
    for parameter in sweep.parameters:
        values: Any = parameter.values
        if not isinstance(values, Range | Values):
            values = evaluate(values)
        if parameter.name:
            names.append(parameter.name)
            columns.append(values if isinstance(values, Range | Values) or is_list(values) else [values])
        elif isinstance(values, Mapping):  # one expression for all variables
            names.extend(values)
            columns.extend(item if is_list(item) else [item] for item in values.values())
        elif is_list(values):
            return list(values[0]) if values and isinstance(values[0], Mapping) else [], [], list(values)
    return names, columns, []


def _settled(value: Any, evaluate: Evaluate) -> Any:
    """Give plain data for data in which templates may stand."""
    if isinstance(value, Template):
        whole = value.whole
        if whole is not None:
            return evaluate(whole)
        from pwxc.expr.values import as_text

        return value.fill(lambda hole: as_text(evaluate(hole)))
    if isinstance(value, Mapping):
        return {key: _settled(item, evaluate) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_settled(item, evaluate) for item in value]
    return value


def sample(count: int, most: int | None) -> Sequence[int]:
    """Give the numbers of the instances that are looked at: all, or the first ones and the last."""
    if most is None or count <= most:
        return range(count)
    return [*range(most - 1), count - 1]


@attrs.frozen
class Pairing:
    """Finds, for an instance of a child, the instance of the parent that belongs to it.

    Instances belong together by the values of the parent's variables if the child has all of these, and by their
    number otherwise (torc.md §13.2, slurm.md §8 `aftercorr`).
    """

    by_values: dict[tuple[tuple[str, str], ...], int] | None
    names: tuple[str, ...]
    numbers: frozenset[int]

    @classmethod
    def of(cls, child: Mapping[int, Row], parent: Mapping[int, Row]) -> Pairing:
        """Prepare to find instances of the parent."""
        first = next(iter(parent.values()), {})
        own = next(iter(child.values()), {})
        names = tuple(first)
        if not names or not set(names) <= set(own):
            return cls(None, (), frozenset(parent))
        found: dict[tuple[tuple[str, str], ...], int] = {}
        for number, row in parent.items():
            found.setdefault(_key(row, names), number)
        return cls(found, names, frozenset(parent))

    def find(self, number: int, row: Row) -> int | None:
        """Give the number of the parent's instance, None if there is none."""
        if self.by_values is not None:
            return self.by_values.get(_key(row, self.names))
        return number if number in self.numbers else None


def _key(row: Row, names: Iterable[str]) -> tuple[tuple[str, str], ...]:
    from pwxc.expr.values import as_text

    return tuple((name, as_text(row.get(name))) for name in names)
