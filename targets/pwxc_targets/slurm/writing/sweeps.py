"""Sweeps as arrays: the values of an instance worked out from its number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product

import attrs

from pwxc.expr.values import as_text
from pwxc.ir.expr import Ref, Root
from pwxc.ir.sweep import Parameter, Range, Sweep, SweepMode, Values
from pwxc_targets.slurm.writing.naming import Variables
from pwxc_targets.slurm.writing.quoting import word

LARGEST_TABLE = 100_000
"""Rows that are written out at most, where a sweep leaves instances out or adds some."""

FLOATS = r"""
# Gives the number START + INDEX * STEP with as few digits as name it, and a point.
step() {
  awk 'BEGIN { x = ARGV[1] + ARGV[3] * ARGV[2]
    for (p = 1; p < 17; p++) if (sprintf("%." p "g", x) + 0 == x) break
    s = sprintf("%." p - 1 "e", x); e = substr(s, index(s, "e") + 1) + 0; d = p - 1 - e
    if (e < -4 || e > 15) printf "%." p "g", x; else printf "%.*f", (d < 1 ? 1 : d), x }' "$1" "$2" "$3"
}
"""


@attrs.frozen
class Decoded:
    """How many instances there are, and the shell lines that set the variables from `index`."""

    size: int
    lines: tuple[str, ...]
    steps: bool = False


class NotFixedError(Exception):
    """The values of a sweep are not known, or their table would be too large."""


def decode(sweep: Sweep, variables: Variables) -> Decoded:
    """Give the lines that work out an instance's values; a range is never written out.

    Raises:
        NotFixedError: the values come from an input, or there are too many to leave some out.
    """
    fixed: list[tuple[Parameter, Range | Values]] = []
    for parameter in sweep.parameters:
        if not isinstance(parameter.values, Range | Values):
            raise NotFixedError
        fixed.append((parameter, parameter.values))
    if sweep.include or sweep.exclude:
        return _table(sweep, fixed, variables)
    size = sweep.size or 0
    lines: list[str] = []
    stride = size
    for parameter, values in fixed:
        if sweep.mode is SweepMode.ZIP:
            place = "index"
        else:
            stride //= max(1, len(values))
            place = _place(stride, len(values), size)
        lines.extend(_lines(parameter.name, values, place, variables))
    return Decoded(size, tuple(lines), any(_is_float(values) for _, values in fixed))


def _place(stride: int, count: int, size: int) -> str:
    divided = f"index / {stride}" if stride > 1 else "index"
    return divided if stride * count == size else f"{divided} % {count}"


def _is_float(values: Range | Values) -> bool:
    return isinstance(values, Range) and any(isinstance(part, float) for part in (values.start, values.step))


def _lines(name: str, values: Range | Values, place: str, variables: Variables) -> Iterator[str]:
    variable = variables.of(Ref(Root.SWEEP, (name,)))
    if isinstance(values, Range):
        if _is_float(values):
            yield f"{variable}=$(step {values.start} {values.step} $(({place})))"
        else:
            scaled = f"({place})" if values.step == 1 else f"({place}) * {values.step}"
            yield f"{variable}=$(({values.start} + {scaled}))"
        yield f"export {variable}"
        return
    keys = _keys(values)
    if not keys:
        yield from _look_up(variable, [as_text(value) for value in values], place)
    for key in keys:
        column = variables.of(Ref(Root.SWEEP, (name, key)))
        texts = [as_text(value.get(key, "")) if isinstance(value, Mapping) else "" for value in values]
        yield from _look_up(column, texts, place)


def _keys(values: Values) -> list[str]:
    found: dict[str, None] = {}
    for value in values:
        if isinstance(value, Mapping):
            found.update(dict.fromkeys(value))
    return list(found)


def _look_up(variable: str, texts: list[str], place: str) -> Iterator[str]:
    yield f"table=({' '.join(word(text) for text in texts)})"
    yield f"export {variable}=${{table[{place}]}}"


def _table(sweep: Sweep, fixed: list[tuple[Parameter, Range | Values]], variables: Variables) -> Decoded:
    if (sweep.size or 0) > LARGEST_TABLE:
        raise NotFixedError
    rows = list(rows_of(sweep, fixed))
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines: list[str] = []
    for name in names:
        values = Values(tuple(row.get(name, "") for row in rows))
        lines.extend(_lines(name, values, "index", variables))
    return Decoded(len(rows), tuple(lines))


def rows_of(sweep: Sweep, fixed: list[tuple[Parameter, Range | Values]]) -> Iterator[dict[str, object]]:
    """Go through the instances of a sweep with exclusions and additions, as maps of their values."""
    names = [parameter.name for parameter, _ in fixed]
    columns = [list(values) for _, values in fixed]
    combined = zip(*columns, strict=False) if sweep.mode is SweepMode.ZIP else product(*columns)
    rows = [dict(zip(names, row, strict=True)) for row in combined] if names else []
    rows = [row for row in rows if not any(_matches(row, rule) for rule in sweep.exclude)]
    extra: list[dict[str, object]] = []
    for addition in sweep.include:
        given = dict(addition)
        own = {name: value for name, value in given.items() if name in names}
        fitting = [row for row in rows if _matches(row, own)]
        if fitting and (own or rows) and len(own) < len(given):
            for row in fitting:
                row.update({name: value for name, value in given.items() if name not in names})
        else:
            extra.append(given)
    yield from rows
    yield from extra


def _matches(row: Mapping[str, object], rule: Mapping[str, object]) -> bool:
    return all(row.get(name) == value for name, value in rule.items())
