"""Sweeps as `strategy.matrix` (pw.md §6): values written out, formats folded, zipped parameters as rows."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import islice
from typing import Any

import attrs

from pwxc.fidelity import Account, Fate
from pwxc.ir.expr import Call, Literal
from pwxc.ir.sweep import Parameter, Range, Sweep, SweepMode, Values
from pwxc.ir.task import Task
from pwxc.yaml.writer import Flow
from pwxc_targets.pw.expressions import print_expression
from pwxc_targets.pw.names import unique_names
from pwxc_targets.pw.writing import codes as C  # noqa: N812
from pwxc_targets.pw.writing.context import Writing
from pwxc_targets.pw.writing.spelling import Spelling, sweep_uses

ROW = "row"
"""The variable of a zipped sweep, whose values are maps."""
_SHORT_FLOAT = re.compile(r"-?(0|[1-9]\d*)\.\d*[1-9]\Z")
_NOT_NAME = re.compile(r"[^A-Za-z0-9_-]")
_TAME = re.compile(r"[\w./:@%+,=-]*\Z", re.ASCII)
_LONGEST_RANGE = 64
"""How many numbers a range may have that is written out although an expression could say it."""


@attrs.define
class Matrix:
    """A sweep as the platform has it: its `strategy`, and where each variable is found below `matrix`."""

    strategy: dict[str, Any] = attrs.field(factory=dict)
    paths: dict[tuple[str, str], tuple[str, ...]] = attrs.field(factory=dict)
    tame: set[tuple[str, ...]] = attrs.field(factory=set)
    """The places of values that are plain words, which no quoting can break."""

    def note(self, path: tuple[str, ...], values: Iterable[Any]) -> None:
        """Remember whether the values at a place are plain words."""
        if all(_TAME.match(str(value)) for value in values):
            self.tame.add(path)

    def path(self, name: str, form: str) -> tuple[str, ...] | None:
        """Give where a variable is found in a format."""
        return self.paths.get((name, form)) or self.paths.get((name, ""))

    @property
    def leaves(self) -> list[tuple[str, ...]]:
        """Give the places of the values that tell one instance from another."""
        return sorted(set(self.paths.values()))


def write_sweep(writing: Writing, account: Account, task: Task) -> Matrix | None:
    """Write a task's sweep; None when it has none."""
    sweep: Sweep | None = account.take("sweep")
    if sweep is None:
        return None
    with writing.ledger.of(sweep) as entry:
        matrix = _own(writing, entry, sweep) if _is_own(writing, sweep) else _foreign(writing, entry, task, sweep)
        spelling = Spelling(writing, matrix.path)
        fail_fast = entry.take("fail_fast")
        matrix.strategy["fail-fast"] = spelling.switch(entry, "fail_fast", fail_fast)
        if (limit := entry.take("limit")) is not None:
            matrix.strategy["max-parallel"] = spelling.value(entry, "limit", limit)
        for parameter in sweep.parameters:
            with writing.ledger.of(parameter) as own:
                for field in ("name", "values", "format"):
                    own.take(field, Fate.EXACT if writing.own else Fate.EMULATED)
                own.cosmetic("shared")
    return matrix


def _is_own(writing: Writing, sweep: Sweep) -> bool:
    """Whether a sweep is one that a file of this dialect can have had."""
    zipped = sweep.mode is SweepMode.ZIP and len(sweep.parameters) > 1
    return writing.own and not zipped and not any(isinstance(item.values, Range) for item in sweep.parameters)


def _own(writing: Writing, entry: Account, sweep: Sweep) -> Matrix:
    """Write a sweep that this dialect can say as it is."""
    spelling = Spelling(writing)
    made: dict[str, Any] = {}
    for field in ("parameters", "mode", "include", "exclude"):
        entry.take(field)
    for parameter in sweep.parameters:
        values = parameter.values
        shown = list(values) if isinstance(values, Values) else values
        made[parameter.name] = _flow(spelling.value(entry, "parameters", shown))
    if list(made) == [""]:
        return Matrix({"matrix": made[""]})
    for name, entries in (("include", sweep.include), ("exclude", sweep.exclude)):
        if entries:
            made[name] = spelling.value(entry, name, list(entries))
    return Matrix({"matrix": made})


def _foreign(writing: Writing, entry: Account, task: Task, sweep: Sweep) -> Matrix:
    names = unique_names((item.name for item in sweep.parameters), "A-Za-z0-9_-", lower=False)
    names = {name: f"{new}_" if new in ("include", "exclude") else new for name, new in names.items()}
    uses = _formats(writing, task, sweep)
    entry.emulate("parameters", "mode")
    columns = {item.name: _items(writing, entry, sweep, item, uses[item.name]) for item in sweep.parameters}
    if sweep.mode is SweepMode.ZIP and len(columns) > 1:
        return _rows(names, uses, columns)
    made: dict[str, Any] = {}
    matrix = Matrix({"matrix": made})
    for name, values in columns.items():
        made[names[name]] = _column(matrix, names[name], name, uses[name], values)
    spelling = Spelling(writing)
    for field, entries in (("include", sweep.include), ("exclude", sweep.exclude)):
        if entries:
            renamed = [{names.get(name, name): value for name, value in row.items()} for row in entries]
            made[field] = spelling.value(entry, field, renamed)
            entry.take(field)
    return matrix


def _formats(writing: Writing, task: Task, sweep: Sweep) -> dict[str, list[str]]:
    """Give, for each parameter, the formats in which the task prints it; an empty one is the value itself."""
    found: dict[str, dict[str, None]] = {item.name: {} for item in sweep.parameters}
    paths = [file.path for file in writing.workflow.files if file.sweep is not None]
    defaults = {item.name: item.format for item in sweep.parameters}
    for name, form in sweep_uses((task, paths)):
        if name in found:
            found[name][form or defaults[name]] = None
    return {name: list(forms) or [defaults[name]] for name, forms in found.items()}


def _items(
    writing: Writing, entry: Account, sweep: Sweep, parameter: Parameter, forms: Sequence[str]
) -> Sequence[Any] | str:
    """Give the values of a parameter, at most as many as may be written out, or an expression.

    A value that is printed in a format (`forms`) is written out: an expression gives bare numbers.
    """
    values = parameter.values
    if not isinstance(values, Range | Values):
        return str(Spelling(writing).value(entry, "parameters", values))
    limit = int(writing.options["expansion_limit"])
    count = len(values)
    alone = sweep.mode is SweepMode.PRODUCT and not any(forms)
    if writing.options["generation"] == "4" and alone and count > _LONGEST_RANGE and _is_plain(values):
        assert isinstance(values, Range)
        called = Call("range", (Literal(values.start), Literal(int(values.stop) + 1)))
        return "${{ " + print_expression(called) + " }}"
    if count > limit:
        message = f"`{parameter.name}` has {count:,} values, and at most {limit:,} are written out"
        entry.drop("parameters", C.TOO_MANY_VALUES, message, span=parameter.span, help=_wider(values))
    return list(islice(values, limit))


def _is_plain(values: Range | Values) -> bool:
    return isinstance(values, Range) and values.step == 1 and isinstance(values.start, int)


def _wider(values: Range | Values) -> str:
    more = "raise it with `--option pw.expansion_limit=N`"
    return f"{more}, or write a range with `--option pw.generation=4`" if _is_plain(values) else more


def _column(matrix: Matrix, new: str, name: str, forms: list[str], values: Sequence[Any] | str) -> Any:
    """Give the values of one variable: texts, or maps where it is printed in several ways."""
    if isinstance(values, str) or len(forms) == 1:
        for form in forms:
            matrix.paths[name, form] = (new,)
        if isinstance(values, str):
            return values
        shown = [show(value, forms[0]) for value in values]
        matrix.note((new,), shown)
        return _flow(shown)
    keys = _keys(forms)
    for form, key in keys.items():
        matrix.paths[name, form] = (new, key)
        matrix.note((new, key), [show(value, form) for value in values])
    return _flow([{key: show(value, form) for form, key in keys.items()} for value in values])


def _keys(forms: Iterable[str]) -> dict[str, str]:
    named = {form: "value" if not form else "as_" + _NOT_NAME.sub("_", form).lstrip("_") for form in forms}
    unique = unique_names(named.values(), "A-Za-z0-9_-", lower=False)
    return {form: unique[name] for form, name in named.items()}


def _rows(names: dict[str, str], uses: dict[str, list[str]], columns: dict[str, Sequence[Any] | str]) -> Matrix:
    matrix = Matrix()
    keys: dict[tuple[str, str], str] = {}
    for name, forms in uses.items():
        for form in forms:
            key = names[name] if len(forms) == 1 else f"{names[name]}_{_keys([form])[form]}"
            keys[name, form] = key
            matrix.paths[name, form] = (ROW, key)
            matrix.note((ROW, key), [show(value, form) for value in columns[name]])
    lists = [values for values in columns.values() if not isinstance(values, str)]
    rows = []
    for row in zip(*lists, strict=False):
        given = dict(zip(columns, row, strict=True)) if len(lists) == len(columns) else {}
        rows.append({key: show(given[name], form) for (name, form), key in keys.items()})
    matrix.strategy["matrix"] = {ROW: [Flow(row) for row in rows]}
    return matrix


def show(value: Any, form: str = "") -> Any:
    """Give a value as it is written into a matrix: text wherever systems print it in different ways."""
    if form:
        return _formatted(value, form)
    if isinstance(value, bool) or not isinstance(value, float):
        return value
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "inf" if value > 0 else "-inf"
    plain = f"{Decimal(repr(value)):f}".removesuffix(".0")
    return value if _SHORT_FLOAT.match(plain) and plain == str(value) else plain


def _formatted(value: Any, form: str) -> str:
    """Print a value in Python's format language; a format for another kind of value changes nothing."""
    wanted = {"d": int, "f": float}.get(form[-1])
    if wanted is not None and type(value) is not wanted:
        return str(show(value))
    try:
        return format(value, form)
    except ValueError:
        return str(show(value))


def _flow(values: Any) -> Any:
    """Have a list of scalars written on one line, and maps of them on a line each."""
    if not isinstance(values, list) or not values:
        return values
    if all(isinstance(value, dict) and _flat(value.values()) for value in values):
        return [Flow(value) for value in values]
    return Flow(values) if _flat(values) else values


def _flat(values: Iterable[Any]) -> bool:
    return all(isinstance(value, str | int | float | None) and "\n" not in str(value) for value in values)


def instances(sweep: Sweep | None) -> Iterator[int]:
    """Give the number of a sweep's instances, if it is known."""
    if sweep is not None and sweep.size is not None:
        yield sweep.size


def is_repeated(sweep: Sweep | None) -> bool:
    """Whether a task runs, or may run, more than once."""
    return sweep is not None and (sweep.size is None or sweep.size > 1 or bool(sweep.include))
