"""Tasks and gangs under other names, with everything that refers to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import attrs

from pwxc.expr.place import rebuild
from pwxc.ir.data import TaskOutput
from pwxc.ir.entity import changed, fields_of
from pwxc.ir.expr import Expr, Ref, Root, operands
from pwxc.ir.task import Edge, Gang, Task
from pwxc.ir.template import Template
from pwxc.ir.walking import rebuilt
from pwxc.ir.workflow import Hook, Workflow
from pwxc.semantics.hooks import selected

_T = TypeVar("_T")
_TASK_FIRST = frozenset({Root.OUTPUT_FOLDER, Root.HOST, Root.TASK_OUTPUT})
"""References whose path begins with the name of a task."""


def rename(workflow: Workflow, names: Mapping[str, str]) -> Workflow:
    """Give a workflow in which tasks and gangs have other names; names that are not in the map stay.

    Patterns of hooks become lists of names.
    """
    if all(before == after for before, after in names.items()):
        return workflow
    renaming = _Renaming(names)
    return changed(
        workflow,
        tasks=tuple(renaming.task(task) for task in workflow.tasks),
        gangs=tuple(renaming.gang(gang) for gang in workflow.gangs),
        hooks=tuple(renaming.hook(hook, workflow) for hook in workflow.hooks),
    )


@attrs.frozen
class _Renaming:
    names: Mapping[str, str]

    def name(self, name: str) -> str:
        return self.names.get(name, name)

    def edge(self, edge: Edge) -> Edge:
        return changed(edge, parent=self.name(edge.parent))

    def task(self, task: Task) -> Task:
        found: dict[str, Any] = {field.name: self.inside(getattr(task, field.name)) for field in fields_of(task)}
        return changed(
            task, **{**found, "name": self.name(task.name), "needs": tuple(self.edge(edge) for edge in task.needs)}
        )

    def gang(self, gang: Gang) -> Gang:
        return changed(
            gang,
            name=self.name(gang.name),
            members=tuple(self.name(member) for member in gang.members),
            lead=self.name(gang.lead),
            needs=tuple(self.edge(edge) for edge in gang.needs),
        )

    def hook(self, hook: Hook, workflow: Workflow) -> Hook:
        return changed(hook, tasks=tuple(self.name(task) for task in selected(hook, workflow)), patterns=())

    def expr(self, expr: Expr) -> Expr:
        if isinstance(expr, Ref):
            if expr.root in _TASK_FIRST and expr.path and expr.path[0] in self.names:
                return attrs.evolve(expr, path=(self.names[expr.path[0]], *expr.path[1:]))
            return expr
        return rebuild(expr, [self.expr(part) for part in operands(expr)])

    def inside(self, value: Any) -> Any:
        """Rename in whatever stands below a task."""
        return rebuilt(value, self._changed)

    def _changed(self, value: Any) -> Any:
        if isinstance(value, str | int | float | None):
            return value
        if isinstance(value, Template):
            return value.map(self.expr) if value.holes else value
        if isinstance(value, Expr):
            return self.expr(value)
        if isinstance(value, TaskOutput):
            return value if value.run is not None else attrs.evolve(value, task=self.name(value.task))
        return NotImplemented
