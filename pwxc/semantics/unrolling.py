"""Sweeps of one workflow whose instances are written out as tasks in the other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import attrs

from pwxc.expr.place import rebuild
from pwxc.expr.values import EvaluationError, as_text
from pwxc.ir.data import Read, TaskOutput
from pwxc.ir.entity import changed, fields_of
from pwxc.ir.expr import Expr, Literal, Ref, Root, operands, refs
from pwxc.ir.sweep import Sweep
from pwxc.ir.task import Edge, Outcome, Task
from pwxc.ir.template import Template
from pwxc.ir.walking import rebuilt
from pwxc.ir.workflow import Workflow, gang_of, units
from pwxc.semantics.environment import NOTHING_FAILS
from pwxc.semantics.expansion import Pairing, Row, TooManyInstancesError, expand
from pwxc.semantics.resolve import Scope
from pwxc.semantics.trace import Instance
from pwxc.semantics.world import World

LARGEST = 2_000
"""How many instances of a sweep are written out at most."""
_HOLE = re.compile(r"\{(\w+)(?::([^{}]*))?\}")
_OF_INSTANCES = frozenset({Root.SWEEP, Root.SWEEP_INDEX})


def plain(name: str) -> str:
    """Give a name without what systems write differently: letter case, punctuation, parameters in braces."""
    return re.sub(r"[^a-z0-9]+", "", re.sub(r"\{[^{}]*\}", "", name).lower())


def unroll_where_other_is(
    workflow: Workflow, other: Workflow, given: Mapping[str, str]
) -> tuple[Workflow, dict[str, str]]:
    """Give a workflow whose sweeps are tasks where the other has a task for each instance, and what those are called.

    A task made from an instance is called `task[0]` and so on, which is also its name in `given`.
    """
    own, theirs = _unit_names(workflow), _unit_names(other)
    free = [task.name for task in other.tasks if task.sweep is None and task.name not in {*own, *given.values()}]
    by_plain = _unique((plain(name), name) for name in free)
    world = World(workflow, NOTHING_FAILS)
    rows: dict[str, Sequence[Row]] = {}
    names: dict[str, str] = {}
    for task in workflow.tasks:
        if task.name in theirs or task.name in given or not _can_be_tasks(task, workflow):
            continue
        table = _rows(task, world)
        found = _find(task.name, table, by_plain, given)
        if table and len(found) * 2 >= len(table):
            rows[task.name] = table
            names |= {called(task.name, number): name for number, name in found.items()}
    return (_unrolled(workflow, rows, world), names) if rows else (workflow, {})


def called(task: str, number: int) -> str:
    """Give the name of an instance that is written out."""
    return str(Instance(task, number))


def _unit_names(workflow: Workflow) -> set[str]:
    return {task.name for task in workflow.tasks} | {gang.name for gang in workflow.gangs}


def _unique(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Give a map of the keys that stand for one thing only."""
    found: dict[str, str] = {}
    twice: set[str] = set()
    for key, value in pairs:
        if key in found:
            twice.add(key)
        found[key] = value
    return {key: value for key, value in found.items() if key not in twice}


def _can_be_tasks(task: Task, workflow: Workflow) -> bool:
    """Whether tasks can do what the instances of a sweep do: they have no limit in common, and no edge means any."""
    sweep = task.sweep
    if sweep is None or sweep.limit is not None or sweep.fail_fast or task.name in gang_of(workflow):
        return False
    edges = [edge for unit in units(workflow) for edge in unit.needs if edge.parent == task.name]
    return not any(edge.any_instance or edge.when is Outcome.FAILURE for edge in edges)


def _rows(task: Task, world: World) -> Sequence[Row]:
    assert task.sweep is not None
    try:
        table = expand(task.sweep, Scope(world).value)
    except (TooManyInstancesError, EvaluationError):
        return []
    return table if len(table) <= LARGEST else []


def _find(name: str, table: Sequence[Row], free: Mapping[str, str], given: Mapping[str, str]) -> dict[int, str]:
    """Give the tasks that belong to instances: those that the user names, or else those of the best way of naming."""
    mapped = {at: given[called(name, at)] for at in range(len(table)) if called(name, at) in given}
    best: dict[int, str] = {}
    for scheme in _schemes(name, table):
        if len(set(scheme)) == len(scheme):
            found = {at: free[text] for at, text in enumerate(scheme) if text in free}
            best = max(best, found, key=len)
    return best | mapped


def _schemes(name: str, table: Sequence[Row]) -> Iterator[list[str]]:
    """Give the ways to name instances: values in the name, or after it, places of values, a number."""
    yield [plain(_HOLE.sub(lambda hole, row=row: _shown(hole, row), name)) for row in table]  # type: ignore[misc]
    yield [plain(f"{name} {' '.join(as_text(value) for value in row.values())}") for row in table]
    places: dict[str, dict[str, int]] = {}
    for row in table:
        for key, value in row.items():
            seen = places.setdefault(key, {})
            seen.setdefault(as_text(value), len(seen))
    for first in (0, 1):
        yield [_by_place(name, row, places, first, whole=False) for row in table]
        yield [_by_place(name, row, places, first, whole=True) for row in table]
        yield [plain(f"{name} {number + first}") for number in range(len(table))]


def _by_place(name: str, row: Row, places: Mapping[str, Mapping[str, int]], first: int, *, whole: bool) -> str:
    """Give a name with the places of the values among all; whole numbers may stand for themselves."""
    shown = [
        as_text(value) if whole and isinstance(value, int) else str(places[key][as_text(value)] + first)
        for key, value in row.items()
    ]
    return plain(f"{name} {' '.join(shown)}")


def _shown(hole: re.Match[str], row: Row) -> str:
    value: Any = row.get(hole[1], "")
    try:
        return format(value, hole[2] or "")
    except (ValueError, TypeError):
        return as_text(value)


# writing out


def _unrolled(workflow: Workflow, rows: Mapping[str, Sequence[Row]], world: World) -> Workflow:
    tables = {name: dict(enumerate(table)) for name, table in rows.items()}
    tasks: list[Task] = []
    for task in workflow.tasks:
        if task.name in rows:
            tasks += [_Copy(world, task, number, row, tables).task() for number, row in enumerate(rows[task.name])]
        else:
            tasks.append(_Copy(world, task, None, {}, tables).task())
    gangs = tuple(
        changed(gang, needs=tuple(_Copy(world, Task(name=gang.name), None, {}, tables).edges(gang.needs)))
        for gang in workflow.gangs
    )
    hooks = tuple(
        changed(
            hook,
            tasks=tuple(
                each
                for name in hook.tasks
                for each in ([called(name, number) for number in tables[name]] if name in tables else [name])
            ),
        )
        for hook in workflow.hooks
    )
    return changed(workflow, tasks=tuple(tasks), gangs=gangs, hooks=hooks)


@attrs.frozen
class _Copy:
    """One instance of a task, or a task without a sweep, beside sweeps that are written out."""

    world: World
    original: Task
    number: int | None
    row: Row
    tables: Mapping[str, Mapping[int, Row]]

    def task(self) -> Task:
        """Give the task."""
        names = {field.name for field in fields_of(self.original)} - {"name", "sweep", "needs"}
        made = {name: self._inside(getattr(self.original, name)) for name in names}
        name, sweep = self.original.name, self.original.sweep
        if self.number is not None:
            name, sweep = called(name, self.number), None
        return changed(
            self.original, **{**made, "name": name, "sweep": sweep, "needs": tuple(self.edges(self.original.needs))}
        )

    def edges(self, edges: Iterable[Edge]) -> Iterator[Edge]:
        """Give the edges, each to one task."""
        for edge in edges:
            if edge.parent not in self.tables:
                yield edge
                continue
            partner = self._partner(edge.parent) if edge.same_instance else None
            numbers = self.tables[edge.parent] if partner is None else [partner]
            when = Outcome.END if edge.same_instance and partner is None else edge.when
            for number in numbers:
                yield changed(edge, parent=called(edge.parent, number), same_instance=False, when=when)

    def _partner(self, parent: str) -> int | None:
        if self.number is None:
            return None
        own = self.tables[self.original.name]
        return Pairing.of(own, self.tables[parent]).find(self.number, self.row)

    @property
    def _scope(self) -> Scope:
        return Scope(self.world, Instance(self.original.name, self.number), self.row)

    def _inside(self, value: Any) -> Any:
        """Put the values of this instance wherever they are referred to."""
        return rebuilt(value, self._changed)

    def _changed(self, value: Any) -> Any:
        if isinstance(value, str | int | float | Sweep | None):
            return value
        if isinstance(value, Template):
            return value.map(self._hole) if value.holes else value
        if isinstance(value, Expr):
            return self._expr(value)
        if isinstance(value, Read) and isinstance(value.origin, TaskOutput) and value.origin.task in self.tables:
            return changed(value, origin=attrs.evolve(value.origin, task=self._peer(value.origin.task)))
        return NotImplemented

    def _hole(self, hole: Expr) -> str | Expr:
        named = refs(hole)
        if self.number is not None and named and all(self._is_settled(ref) for ref in named):
            return self._scope.text(Template.of(hole))
        return self._expr(hole)

    def _is_settled(self, ref: Ref) -> bool:
        if ref.root is Root.FILE and ref.path:
            file = self.world.files.get(ref.path[0])
            return file is not None and file.sweep is not None
        return ref.root in _OF_INSTANCES

    def _expr(self, expr: Expr) -> Expr:
        if not isinstance(expr, Ref):
            return rebuild(expr, [self._expr(part) for part in operands(expr)])
        if self.number is not None and expr.root in _OF_INSTANCES:
            value = self._scope.lookup(expr)
            return Literal(value) if isinstance(value, str | int | float | bool | None) else expr
        if expr.root in (Root.TASK_OUTPUT, Root.OUTPUT_FOLDER) and expr.path and expr.path[0] in self.tables:
            return attrs.evolve(expr, path=(self._peer(expr.path[0]), *expr.path[1:]))
        return expr

    def _peer(self, task: str) -> str:
        """Give the instance that is meant where another sweep is named: the one of the same number, or the first."""
        number = self.number if self.number in self.tables[task] else next(iter(self.tables[task]), 0)
        return called(task, number or 0)
