"""Finding records by exact names and by regular expressions, without expanding sweeps where it can be helped."""

from __future__ import annotations

import itertools
import math
import re

import attrs

from pwxc.ir.sweep import Range, SweepMode, Values
from pwxc.ir.template import Template
from pwxc_targets.torc.parameters import Scalar
from pwxc_targets.torc.records import Record, assignments, print_hole, same_values
from pwxc_targets.torc.regexes import Pattern

_DIGIT = re.compile("[0-9]")


@attrs.frozen
class Found:
    """A record that was named; with `same`, each instance means the record's instance with the same values."""

    record: Record
    same: bool = False


@attrs.frozen
class Unroll:
    """A name means one instance of a sweep only: these records have to be written out."""

    records: tuple[Record, ...]


class TooManyError(Exception):
    """More instances would have to be looked at than the limit allows; the argument is the record."""


class Index:
    """The records of one kind, by name."""

    def __init__(self, records: list[Record], limit: int) -> None:
        self.records = records
        self.limit = limit
        self.by_id = {record.id: record for record in records}
        self.single = {record.id: record for record in records if record.sweep is None}
        self.swept = [record for record in records if record.sweep is not None]
        self._selected: dict[str, tuple[list[Record], list[Record]]] = {}

    def find(self, name: Template, by: Record) -> Found | Unroll | None:
        """Find what a name in a record means; None when nothing has it."""
        literal = name.literal
        if literal is not None and literal in self.single:
            return Found(self.single[literal])
        if literal is not None:
            whole = next((record for record in self.swept if record.has_instance(literal)), None)
            if whole is None:
                return None
            # an aggregate that takes a sweep without naming it has many instances of one name: all are meant
            return Found(whole) if whole.name.literal is not None else Unroll((whole,))
        other = self.by_id.get("".join(_keys(name)))
        if other is not None and _is_aligned(other, by):
            return Found(other, same=other.sweep is not None)
        first = next(assignments(by.sweep), None)
        if first is None or by.size > self.limit:
            return Unroll((by,)) if first is not None and self._exists(name, first) else None
        if not self._exists(name, first):
            return None
        return Unroll((by,) if other is None else (by, other))

    def _exists(self, name: Template, values: dict[str, Scalar]) -> bool:
        text = name.fill(lambda hole: print_hole(hole, values))
        return text in self.single or any(record.has_instance(text) for record in self.swept)

    def select(self, pattern: Pattern) -> tuple[list[Record], list[Record]]:
        """Give the records of which all instances match, and those of which some do.

        Raises:
            TooManyError: a sweep is too large to be looked through.
        """
        if pattern.text not in self._selected:
            whole: list[Record] = []
            partial: list[Record] = []
            for record in self.records:
                matched = matches(record, pattern, self.limit)
                if matched is None:
                    partial.append(record)
                elif matched:
                    whole.append(record)
            self._selected[pattern.text] = (whole, partial)
        return self._selected[pattern.text]


def _keys(name: Template) -> list[str]:
    from pwxc_targets.torc.records import spell

    return [spell(name)]


def _is_aligned(other: Record, by: Record) -> bool:
    """Whether each instance of `by` has one partner in `other`, by the values of the parameters that both have."""
    if other.sweep is None:
        return True
    mine, theirs = by.parameters, other.parameters
    if not all(name in mine and same_values(mine[name], values) for name, values in theirs.items()):
        return False
    zipped = other.sweep.mode is SweepMode.ZIP and len(theirs) > 1
    return not zipped or (by.sweep is not None and by.sweep.mode is SweepMode.ZIP)


def matches(record: Record, pattern: Pattern, limit: int) -> bool | None:
    """Whether a pattern matches the names of a record: of all instances, of none, or (None) of some.

    Raises:
        TooManyError: there are more names to look at than `limit`.
    """
    if record.sweep is None:
        return pattern.search(record.id)
    if record.name.literal is not None:
        return pattern.search(record.name.literal)
    results = {pattern.search(name) for name in _representatives(record, pattern, limit)}
    return None if len(results) > 1 else results.pop()


def _representatives(record: Record, pattern: Pattern, limit: int) -> list[str]:
    """Give names that stand for all of a record's; digits are alike to most patterns, so lengths decide."""
    assert record.sweep is not None
    if record.size <= 64 or record.sweep.mode is SweepMode.ZIP:
        if record.size > limit:
            raise TooManyError(record)
        return list(record.names())
    columns = [_distinct(values, ignore_digits=pattern.ignores_digits) for values in record.parameters.values()]
    if any(column is None for column in columns) or math.prod(len(column or ()) for column in columns) > limit:
        raise TooManyError(record)
    names = list(record.parameters)
    rows = itertools.product(*(column for column in columns if column is not None))
    found = []
    for row in rows:
        values = dict(zip(names, row, strict=True))
        found.append(record.name.fill(lambda hole, values=values: print_hole(hole, values)))  # type: ignore[misc]
    return found


def _distinct(values: Range | Values, *, ignore_digits: bool) -> list[Scalar] | None:
    if not ignore_digits:
        return list(values) if len(values) <= 100_000 else None
    if isinstance(values, Values):
        return list({_DIGIT.sub("0", f"{type(item).__name__} {item}"): item for item in values.items}.values())
    if not isinstance(values.start, int):
        return _distinct_floats(values)
    low, high = sorted((int(values.start), int(values[len(values) - 1])))
    step = abs(int(values.step))
    found: set[Scalar] = {low, high}
    for power in range(20):
        for bottom, top in ((10**power, 10 ** (power + 1) - 1), (1 - 10 ** (power + 1), -(10**power))):
            first = low + max(0, -(-(bottom - low) // step)) * step
            if first <= min(top, high) and first >= bottom:
                found.add(first)
    if low <= 0 <= high and -low % step == 0:
        found.add(0)
    return sorted(found, key=lambda value: str(value))


def _distinct_floats(values: Range) -> list[Scalar]:
    """Give floats of every shape: beside each power of ten, as many as it takes for all fractions to occur."""
    first, last = sorted((values[0], values[len(values) - 1]))
    period = 1
    while period < 64 and not float(values.step * period).is_integer():
        period *= 2
    bounds = [sign * 10.0**power for sign in (-1, 1) for power in range(16)]
    found: dict[Scalar, None] = {}
    for bound in [first, 0.0, last, *bounds]:
        if first <= bound <= last:
            at = round((bound - values.start) / values.step)
            near = range(max(0, at - period), min(len(values), at + period + 1))
            found.update(dict.fromkeys(values[index] for index in near))
    return list(found)
