"""A workflow with every sweep written out and every condition decided, as OSMO's service sees it.

The reader is not used here, only what the IR promises: a task's name has its parameters in braces.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import attrs

from pwxc.expr.evaluate import Bindings, evaluate
from pwxc.expr.values import as_text, truth
from pwxc.ir.data import Read, TaskOutput
from pwxc.ir.expr import Ref, Root
from pwxc.ir.inputs import Input
from pwxc.ir.task import Edge, Gang, Task
from pwxc.ir.template import Template
from pwxc.ir.workflow import Workflow, gang_of, units
from pwxc.semantics.expansion import expand

_IN_BRACES = re.compile(r"\{(\w+)\}")
Row = dict[str, Any]


def default_values(inputs: tuple[Input, ...]) -> dict[str, Any]:
    return {item.name: default_values(item.items) if item.items else item.default for item in inputs}


def unrolled(workflow: Workflow, **values: Any) -> Workflow:
    """Write a workflow out with its parameters at their defaults, or at other values."""
    inputs = tuple(
        attrs.evolve(item, default=values[item.name]) if item.name in values else item for item in workflow.inputs
    )
    return _Unrolling(attrs.evolve(workflow, inputs=inputs), default_values(inputs)).workflow()


class _Unrolling:
    def __init__(self, workflow: Workflow, values: dict[str, Any]) -> None:
        self.source = workflow
        self.values = values
        self.sweeps = {task.name: task.sweep for task in workflow.tasks}
        self.home = {name: gang.name for name, gang in gang_of(workflow).items()}
        self.sweeps |= {gang.name: self.sweeps[gang.lead] for gang in workflow.gangs}

    def workflow(self) -> Workflow:
        if not any(task.sweep is not None or task.condition is not None for task in self.source.tasks):
            return self.source
        gangs: list[Gang] = []
        tasks: list[Task] = []
        by_name = {task.name: task for task in self.source.tasks}
        for unit in units(self.source):
            members = [by_name[name] for name in unit.members] if isinstance(unit, Gang) else [unit]
            lead = by_name[unit.lead] if isinstance(unit, Gang) else unit
            if lead.condition is not None and not truth(evaluate(lead.condition, self._bindings({}, 0))):
                continue
            for number, row in enumerate(self._rows(lead)):
                if isinstance(unit, Gang):
                    gangs.append(self._gang(unit, row))
                tasks += [self._task(task, row, number) for task in members]
        return attrs.evolve(self.source, tasks=tuple(tasks), gangs=tuple(gangs))

    def _rows(self, task: Task) -> Iterator[Row]:
        yield from [{}] if task.sweep is None else expand(task.sweep, lambda expr: expr)

    def _bindings(self, row: Row, number: int) -> Bindings:
        return Bindings({Root.INPUT: self.values, Root.SWEEP: row, Root.SWEEP_INDEX: number})

    def _name(self, name: str, row: Row) -> str:
        return _IN_BRACES.sub(lambda found: as_text(row[found[1]]), name) if self.sweeps.get(name) else name

    def _gang(self, gang: Gang, row: Row) -> Gang:
        return attrs.evolve(
            gang,
            name=self._name(gang.name, row),
            members=tuple(self._name(name, row) for name in gang.members),
            lead=self._name(gang.lead, row),
            needs=tuple(self._edges(gang.needs, row)),
        )

    def _task(self, task: Task, row: Row, number: int) -> Task:
        made = self._inside(task, row, number)
        more = [
            Read(name=f"all {name}", origin=TaskOutput(name))
            for edge in task.needs
            if not edge.implied and not edge.same_instance and self.sweeps.get(edge.parent)
            for name in (each.parent for each in self._edges((edge,), row))
        ]
        return attrs.evolve(
            made,
            name=self._name(task.name, row),
            needs=tuple(self._edges(task.needs, row)),
            sweep=None,
            condition=None,
            reads=(*made.reads, *more),
        )

    def _edges(self, edges: tuple[Edge, ...], row: Row) -> Iterator[Edge]:
        for edge in edges:
            sweep = self.sweeps.get(edge.parent)
            if sweep is None or edge.same_instance:
                yield attrs.evolve(edge, parent=self._name(edge.parent, row), same_instance=False)
            else:
                for other in expand(sweep, lambda expr: expr):
                    yield attrs.evolve(edge, parent=self._name(edge.parent, dict(other)))

    def _inside(self, value: Any, row: Row, number: int) -> Any:
        """Fill in what the sweep decides, below a task."""
        if isinstance(value, Template):
            return value.map(lambda hole: self._hole(hole, row, number))
        if isinstance(value, TaskOutput):
            return attrs.evolve(value, task=self._name(value.task, row))
        if isinstance(value, tuple):
            return tuple(self._inside(part, row, number) for part in value)
        if attrs.has(type(value)) and not isinstance(value, Edge | Ref):
            fields = {field.name: getattr(value, field.name) for field in attrs.fields(type(value)) if field.eq}
            return attrs.evolve(value, **{name: self._inside(part, row, number) for name, part in fields.items()})
        return value

    def _hole(self, hole: Any, row: Row, number: int) -> Any:
        if isinstance(hole, Ref) and hole.root is Root.HOST:
            return attrs.evolve(hole, path=(self._name(hole.path[0], row),))
        if isinstance(hole, Ref) and hole.root not in (Root.SWEEP, Root.SWEEP_INDEX):
            return hole
        return as_text(evaluate(hole, self._bindings(row, number)))
