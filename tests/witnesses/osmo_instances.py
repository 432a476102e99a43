"""Runs of lowered OSMO workflows under the names that the rendered specification has.

A loop over tasks is lowered to one task with a sweep whose name holds the loop's variables, and a task that a tag
leaves out to one whose condition is false; a specification after rendering has neither.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import attrs

from pwxc.expr.values import Value, as_text
from pwxc.ir.workflow import Workflow
from pwxc.semantics.environment import Environment, Result
from pwxc.semantics.expansion import Row, expand
from pwxc.semantics.machine import execute
from pwxc.semantics.resolve import Scope
from pwxc.semantics.trace import Instance, Ran, Record, State, Trace
from pwxc.semantics.world import World

_VARIABLE = re.compile(r"\{(\w+)\}")
_FOLDER = re.compile(r"<output-folder ([^<>]*)>")


def run_as_rendered(lowered: Workflow, environment: Environment) -> Trace:
    """Run a lowered workflow in an environment that speaks of the specification's tasks."""
    rows = _rows(lowered, environment)
    if not rows and not any(task.condition is not None for task in lowered.tasks):
        return execute(lowered, environment)
    trace = execute(lowered, Renamed(environment, rows))
    world = World(lowered, environment)
    instances = {
        Instance(_name(instance, rows)): _record(record, instance, rows)
        for instance, record in trace.instances.items()
        if _is_there(instance, world, rows)
    }
    gangs = {name: _unit(name, lowered, rows) for name in trace.units}
    units: dict[str, State] = {gangs[name]: state for name, state in trace.units.items() if state is not State.SKIPPED}
    return attrs.evolve(trace, instances=instances, units=units)


def _is_there(instance: Instance, world: World, rows: Mapping[str, Mapping[int, Row]]) -> bool:
    """Whether the tags that stand around a task leave it in."""
    condition = world.tasks[instance.task].condition
    row: Row = rows.get(instance.task, {}).get(instance.index or 0, {})
    return condition is None or Scope(world, instance, row).truth(condition)


@attrs.frozen
class Renamed:
    """An environment in which instances have the names of the specification's tasks."""

    inner: Environment
    rows: Mapping[str, Mapping[int, Row]]

    def _of(self, instance: Instance) -> Instance:
        return Instance(_name(instance, self.rows))

    def result(self, instance: Instance, step: int, attempt: int) -> Result:
        return self.inner.result(self._of(instance), step, attempt)

    def output(self, instance: Instance, step: str | None, key: str) -> Value:
        return self.inner.output(self._of(instance), step, key)

    def queued(self, instance: Instance) -> float:
        return self.inner.queued(self._of(instance))

    def staging(self, instance: Instance) -> float:
        return self.inner.staging(self._of(instance))

    def inputs(self) -> Mapping[str, Value]:
        return self.inner.inputs()

    def site_retries(self) -> int:
        return self.inner.site_retries()


def _rows(lowered: Workflow, environment: Environment) -> dict[str, dict[int, Row]]:
    scope = Scope(World(lowered, environment))
    swept = [(task.name, task.sweep) for task in lowered.tasks if task.sweep is not None]
    return {name: dict(enumerate(expand(sweep, scope.value))) for name, sweep in swept}


def _name(instance: Instance, rows: Mapping[str, Mapping[int, Row]]) -> str:
    if instance.index is None or instance.task not in rows:
        return instance.task
    return _filled(instance.task, rows[instance.task][instance.index])


def _filled(name: str, row: Row) -> str:
    return _VARIABLE.sub(lambda found: as_text(row.get(found[1], found[0])), name)


def _record(record: Record, instance: Instance, rows: Mapping[str, Mapping[int, Row]]) -> Record:
    """Name the folders of swept tasks by the instances that are meant: those with the same values."""
    own: Row = rows.get(instance.task, {}).get(instance.index or 0, {})

    def folder(found: re.Match[str]) -> str:
        return f"<output-folder {_filled(found[1], own)}>"

    def renamed(text: str) -> str:
        return _FOLDER.sub(folder, text)

    def ran(each: Ran) -> Ran:
        settings = tuple((name, renamed(value)) for name, value in each.environment)
        return attrs.evolve(each, text=renamed(each.text), environment=settings)

    return attrs.evolve(record, ran=tuple(map(ran, record.ran)), moved=tuple(map(renamed, record.moved)))


def _unit(name: str, lowered: Workflow, rows: Mapping[str, Mapping[int, Row]]) -> str:
    plain, _, index = name.partition("[")
    gang: Any = next((gang for gang in lowered.gangs if gang.name == plain), None)
    swept = next((member for member in gang.members if member in rows), None) if gang is not None else None
    return _filled(plain, rows[swept][int(index[:-1])]) if swept is not None and index else name
