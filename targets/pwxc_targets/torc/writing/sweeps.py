"""Sweeps as torc's parameters: names, values, and the writing out of what they cannot hold (torc.md §13, §23)."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any

import attrs

from pwxc.ir.expr import Call, Expr, Ref, Root
from pwxc.ir.sweep import Parameter, Range, Sweep, SweepMode, Values
from pwxc.ir.template import Template
from pwxc_targets.torc.parameters import listed, show, write
from pwxc_targets.torc.records import hole_of, tokens_of
from pwxc_targets.torc.writing import codes as C  # noqa: N812
from pwxc_targets.torc.writing.state import Writing

_WORD = re.compile(r"\W")
Path = tuple[str, ...]


@attrs.define
class Plan:
    """How a sweep is written: `columns` as parameters with their texts, or one record for each of `rows`.

    `names` turns the path of a sweep variable into the name of a parameter.
    """

    columns: dict[str, str] = attrs.field(factory=dict)
    mode: SweepMode = SweepMode.PRODUCT
    names: dict[Path, str] = attrs.field(factory=dict)
    values: dict[str, Range | Values] = attrs.field(factory=dict)
    rows: list[dict[Path, Any]] | None = None
    shared: tuple[str, ...] = ()

    def token(self, expr: Expr) -> str | None:
        """Write a hole as torc's token; None for holes of another kind."""
        path, form = sweep_path(expr)
        if path is None or path not in self.names:
            return None
        return "{" + self.names[path] + (f":{form}" if form else "") + "}"


def sweep_path(expr: Expr) -> tuple[Path | None, str]:
    """Give the variable that a hole prints and its format; None for other holes."""
    if isinstance(expr, Call) and expr.function == "format":
        return hole_of(expr)[0:1], hole_of(expr)[1]
    if isinstance(expr, Ref) and expr.root is Root.SWEEP:
        return expr.path, ""
    return None, ""


class SweepWriter:
    """Plans the sweeps of a workflow; parameters that texts would hit by accident get other names."""

    def __init__(self, writing: Writing) -> None:
        self.writing = writing
        self.plans: dict[int, Plan] = {}
        self.avoid: set[str] = set()

    def collect(self, texts: Iterator[str]) -> None:
        """Note the words that stand in braces in the literal texts of the workflow."""
        for text in texts:
            if "{" in text:
                self.avoid.update(re.findall(r"\{([^{}:]+)[:}]", text))

    def plan(self, sweep: Sweep | None) -> Plan:
        """Give the plan of a sweep, the same one each time."""
        if sweep is None:
            return Plan()
        if id(sweep) not in self.plans:
            self.plans[id(sweep)] = self._plan(sweep)
        return self.plans[id(sweep)]

    def _name(self, path: Path) -> str:
        if self.writing.workflow.dialect == "torc":
            return path[0]
        name = _WORD.sub("_", "_".join(path)) or "value"
        name = name if not name[0].isdigit() else f"p_{name}"
        while name in self.avoid:
            name += "_"
        return name

    def _plan(self, sweep: Sweep) -> Plan:
        parameters = [(item.name, self._values(item)) for item in sweep.parameters]
        lengths = {len(values) for _, values in parameters if values is not None}
        uneven = sweep.mode is SweepMode.ZIP and len(lengths) > 1
        if uneven:
            # torc wants equally many values; pairs end with the shortest
            parameters = [
                (name, None if values is None else _first(values, min(lengths))) for name, values in parameters
            ]
        simple = all(values is not None and not _has_maps(values) for _, values in parameters)
        if simple and not sweep.include and not sweep.exclude and parameters:
            made = self._columns({(name,): values for name, values in parameters if values is not None}, sweep.mode)
            if made is not None:
                shared = [item.shared for item in sweep.parameters]
                made.shared = tuple(name for name in shared if name is not None) if all(shared) and not uneven else ()
                return made
        rows = self._rows(sweep, parameters)
        if rows is None:
            return Plan()
        paths = list(rows[0]) if rows else []
        if rows and all(list(row) == paths for row in rows) and paths:
            columns: dict[Path, Range | Values] = {path: listed(row[path] for row in rows) for path in paths}
            made = self._columns(columns, SweepMode.ZIP)
            if made is not None:
                return made
        return Plan(rows=rows)

    def _values(self, item: Parameter) -> Range | Values | None:
        if isinstance(item.values, Range | Values):
            return item.values
        found = self.writing.value(item.values)
        return listed(found) if isinstance(found, list | tuple) else None

    def _columns(self, columns: dict[Path, Range | Values], mode: SweepMode) -> Plan | None:
        plan = Plan(mode=mode)
        for path, values in columns.items():
            text = write(values)
            if text is None:
                return None
            name = self._name(path)
            plan.names[path] = name
            plan.columns[name] = text
            plan.values[name] = values
        return plan

    def _rows(self, sweep: Sweep, parameters: list[tuple[str, Range | Values | None]]) -> list[dict[Path, Any]] | None:
        unknown = [name for name, values in parameters if values is None]
        with self.writing.ledger.of(sweep) as account:
            if unknown:
                message = f"the values of `{unknown[0]}` are known only at submission"
                account.drop("parameters", C.UNKNOWN_SWEEP, message)
                return None
            if sweep.size is not None and sweep.size > self.writing.limit:
                message = f"{sweep.size:,} instances would have to be written out one by one"
                help_text = f"`--option torc.expansion_limit={sweep.size}` allows it"
                account.drop("parameters", C.SWEEP_TOO_LARGE, message, help=help_text)
                return None
        columns = [list(values or ()) for _, values in parameters]
        names = [name for name, _ in parameters]
        combine = zip(*columns, strict=False) if sweep.mode is SweepMode.ZIP else itertools.product(*columns)
        rows = [dict(zip(names, row, strict=True)) for row in combine] if columns else []
        kept = [row for row in rows if not any(_covers(row, out) for out in sweep.exclude if isinstance(out, dict))]
        return [_leaves(row) for row in _include(kept, [item for item in sweep.include if isinstance(item, dict)])]


def _first(values: Range | Values, count: int) -> Range | Values:
    """Give the first of some values."""
    if isinstance(values, Values):
        return Values(values.items[:count])
    return Range(values.start, values.start + (count - 1) * values.step, values.step) if count else Values(())


def _has_maps(values: Range | Values) -> bool:
    return isinstance(values, Values) and any(isinstance(item, dict | list) for item in values.items)


def _covers(row: dict[str, Any], part: dict[str, Any]) -> bool:
    return all(name in row and row[name] == value for name, value in part.items())


def _include(rows: list[dict[str, Any]], extra: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Add entries as matrices do: to the rows whose own values they leave alone, else as rows of their own."""
    originals = [dict(row) for row in rows]
    for entry in extra:
        hit = False
        for row, original in zip(rows, originals, strict=False):
            if all(original.get(name, value) == value for name, value in entry.items()) and original:
                row.update(entry)
                hit = True
        if not hit:
            rows.append(dict(entry))
    return rows


def _leaves(row: dict[str, Any], before: Path = ()) -> dict[Path, Any]:
    found: dict[Path, Any] = {}
    for name, value in row.items():
        if isinstance(value, dict):
            found.update(_leaves(value, (*before, name)))
        else:
            found[(*before, name)] = value
    return found


def show_value(value: Any, format: str = "") -> str:
    """Print a value of a row."""
    if value is None or isinstance(value, bool):
        return "" if value is None else str(value).lower()
    return show(value, format) if isinstance(value, str | int | float) else str(value)


def instance_name(name: str, plan: Plan, swept: bool, keep: bool) -> str:
    """Give the name of a task with tokens for its parameters, unless it has them already."""
    if not swept or not plan.columns:
        return name
    named = {found[1] for found in tokens_of(tuple(plan.columns)).finditer(name)}
    missing = [] if keep else [parameter for parameter in plan.columns if parameter not in named]
    return "_".join([name, *("{" + parameter + "}" for parameter in missing)])


def literal_texts(templates: Iterator[Template]) -> Iterator[str]:
    """Give the literal texts in templates."""
    for template in templates:
        yield from (part for part in template.parts if isinstance(part, str))
