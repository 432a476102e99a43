"""Sweeps as loops of the template. What a loop costs to write does not depend on how often it runs."""

from __future__ import annotations

from typing import Any

import attrs

from pwxc.expr.values import as_text
from pwxc.ir.sweep import Range, Sweep, SweepMode, Values
from pwxc.semantics.expansion import TooManyInstancesError, expand
from pwxc_targets.osmo.writing.emit import Hole
from pwxc_targets.osmo.writing.escape import has_marks, has_tokens, is_blocky, jinja_text
from pwxc_targets.osmo.writing.naming import PARAMETER, identifier
from pwxc_targets.osmo.writing.variables import Variables

LONGEST_LOOP = 100_000
"""What OSMO's sandbox lets a `range` have."""
MOST_ROWS = 10_000
Path = tuple[str, ...]


@attrs.define
class Loop:
    """A sweep as loops: `heads` open them and set the values; `ends` close them."""

    heads: list[str] = attrs.field(factory=list)
    ends: list[str] = attrs.field(factory=list)
    marks: dict[str, str] = attrs.field(factory=dict)
    """For each parameter the expression of the number that stands in an instance's name."""
    values: dict[Path, tuple[str, bool]] = attrs.field(factory=dict)
    """The expression of each variable, and whether all that it prints is tame."""
    index: str = "0"
    size: int = 1
    longest: int = 0
    """How many loops the largest single one makes."""
    width: int = 0
    """How many characters the instance's part of a name takes at most."""

    @property
    def suffix(self) -> list[str]:
        """The expressions whose numbers make an instance's name."""
        return list(self.marks.values())


def instance_parts(called: str, loop: Loop) -> list[str | Hole]:
    """Put the numbers of an instance behind a name, or the values of its parameters where it has these in braces."""
    pieces = PARAMETER.split(called)
    if len(pieces) > 1:
        return [Hole(loop.values[(piece,)][0], tame=True) if at % 2 else piece for at, piece in enumerate(pieces)]
    parts: list[str | Hole] = [called]
    for number in loop.suffix:
        parts += ["-", Hole(number, tame=True)]
    return parts


def make_loop(sweep: Sweep, variables: Variables) -> Loop | None:
    """Plan a sweep; None when its values are known only in the run or there are too many to write out."""
    columns: list[tuple[str, Range | Values]] = []
    for parameter in sweep.parameters:
        values: Any = parameter.values
        if not isinstance(values, Range | Values):
            found = variables.value(values)
            values = Values(tuple(found)) if isinstance(found, list | tuple | range) else None
        if values is None:
            return None
        columns.append((parameter.name, values))
    plain = all(name and (isinstance(values, Range) or _is_flat(values)) for name, values in columns)
    if plain and not sweep.include and not sweep.exclude:
        return _product(columns, variables) if sweep.mode is SweepMode.PRODUCT else _zipped(columns, variables)
    return _rows(sweep, variables)


def _is_flat(values: Values) -> bool:
    return not any(isinstance(item, dict | list) for item in values.items)


def _product(columns: list[tuple[str, Range | Values]], variables: Variables) -> Loop:
    made = Loop()
    places: list[tuple[str, int]] = []
    for name, values in columns:
        at = identifier((name, "index"), variables.taken)
        count = len(values)
        if isinstance(values, Range) and _is_natural(values):
            number = identifier((name,), variables.taken)
            last = values.stop + (1 if values.step > 0 else -1)
            by = f", {values.step}" if values.step != 1 else ""
            made.heads.append(f"{{% for {number} in range({values.start}, {last}{by}) %}}")
            made.values[(name,)] = number, True
            made.marks[name] = number
            place = f"({number} - {values.start}) // {values.step}"
            made.width += 1 + max(len(str(values.start)), len(str(values.stop)))
        else:
            value, tame = _item(values, at)
            called = identifier((name,), variables.taken)
            made.heads.append(f"{{% for {at} in range({count}) %}}{{% set {called} = {value} %}}")
            made.values[(name,)] = called, tame
            made.marks[name] = at
            place = at
            made.width += 1 + len(str(max(0, count - 1)))
        places.append((place, count))
        made.size *= count
        made.longest = max(made.longest, count)
        made.ends.append("{% endfor %}")
    made.index = _running(places)
    return made


def _running(places: list[tuple[str, int]]) -> str:
    """Give the running number; the first loop varies slowest."""
    total = ""
    for place, count in places:
        total = f"({place})" if not total else f"({total} * {count} + {place})"
    return total or "0"


def _zipped(columns: list[tuple[str, Range | Values]], variables: Variables) -> Loop:
    count = min((len(values) for _, values in columns), default=0)
    at = identifier((columns[0][0] if columns else "value", "index"), variables.taken)
    made = Loop([f"{{% for {at} in range({count}) %}}"], ["{% endfor %}"], {"": at}, index=at)
    _set_values(made, {(name,): values for name, values in columns}, at, variables)
    made.size = made.longest = count
    made.width = 1 + len(str(max(0, count - 1)))
    return made


def _rows(sweep: Sweep, variables: Variables) -> Loop | None:
    try:
        rows = expand(sweep, variables.value)
    except TooManyInstancesError:
        return None
    if len(rows) > MOST_ROWS:
        return None
    at = identifier(("row",), variables.taken)
    made = Loop([f"{{% for {at} in range({len(rows)}) %}}"], ["{% endfor %}"], {"": at}, index=at)
    flat = [dict(_leaves(row)) for row in rows]
    paths = dict.fromkeys(path for row in flat for path in row)
    _set_values(made, {path: Values(tuple(row.get(path) for row in flat)) for path in paths}, at, variables)
    made.size = made.longest = len(rows)
    made.width = 1 + len(str(max(0, len(rows) - 1)))
    return made


def _set_values(made: Loop, columns: dict[Path, Any], at: str, variables: Variables) -> None:
    for path, values in columns.items():
        value, tame = _item(values, at)
        called = identifier(path, variables.taken)
        made.heads[0] += f"{{% set {called} = {value} %}}"
        made.values[path] = called, tame


def _leaves(row: Any, before: Path = ()) -> list[tuple[Path, Any]]:
    found: list[tuple[Path, Any]] = []
    for name, value in row.items():
        if isinstance(value, dict):
            found += _leaves(value, (*before, str(name)))
        else:
            found.append(((*before, str(name)), value))
    return found


def _is_natural(values: Range) -> bool:
    numbers = (values.start, values.stop, values.step)
    return all(isinstance(number, int) for number in numbers) and min(values.start, values.stop) >= 0


def _item(values: Range | Values, at: str) -> tuple[str, bool]:
    """Give the expression of the value with a number, and whether it is tame."""
    whole = isinstance(values, Range) and isinstance(values[0] if len(values) else 0, int)
    if isinstance(values, Range) and (whole or len(values) > MOST_ROWS):
        return f"({values.start!r} + {at} * {values.step!r})", True
    if isinstance(values, Range):
        values = Values(tuple(values))
    texts = [as_text(value) for value in values.items]
    tame = all("'" not in text and "\n" not in text and is_blocky(text) and not has_marks(text) for text in texts)
    listed = ", ".join(
        repr(value) if isinstance(value, int) and not isinstance(value, bool) else jinja_text(as_text(value))
        for value in values.items
    )
    return f"[{listed}][{at}]", tame


def has_hard_values(sweep: Sweep) -> bool:
    """Whether a value holds what no text of this language can: a special token or a control character."""
    items = [
        item for parameter in sweep.parameters if isinstance(parameter.values, Values) for item in parameter.values
    ]
    return any(isinstance(item, str) and (has_tokens(item) or not is_blocky(item)) for item in items)
