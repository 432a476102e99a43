"""The workflow of the first rounds made into that of all: names, sweeps, conditions, and who waits for whom."""

from __future__ import annotations

from pwxc.ir.entity import changed
from pwxc.ir.expr import Expr
from pwxc.ir.task import Edge, Gang, Task
from pwxc.ir.workflow import Workflow
from pwxc.semantics.renaming import rename
from pwxc_targets.osmo.symbolic.reading import Symbolic


def apply(found: Symbolic, workflow: Workflow) -> Workflow:
    """Give the workflow that a symbolic reading stands for; `workflow` was lowered from its first rounds."""
    return _Applying(found).workflow(workflow)


class _Applying:
    def __init__(self, found: Symbolic) -> None:
        links = found.links
        self.found = found
        self.links = links
        self.sweeps = found.sweeps
        self.names: dict[str, str] = {}
        self.conditions: dict[str, Expr] = {}
        for named in (*links.groups, *links.tasks):
            if named.nest:
                self.names[named.name] = found.holes.pattern(named)
        for item, condition in found.conditions.items():
            self.conditions |= {task.name: condition for task in links.by_item[item]}
        self.leads: set[str] = set()

    def workflow(self, workflow: Workflow) -> Workflow:
        self.leads = {gang.lead for gang in workflow.gangs}
        tasks = tuple(self._task(task) for task in workflow.tasks)
        gangs = tuple(self._gang(gang) for gang in workflow.gangs)
        return rename(changed(workflow, tasks=tasks, gangs=gangs), self.names)

    def _task(self, task: Task) -> Task:
        gathered = {str(number) for name, number in self.links.gathered if name == task.name}
        return changed(
            task,
            sweep=self.sweeps.get(task.name),
            condition=self.conditions.get(task.name) if self._decides(task) else None,
            reads=tuple(read for read in task.reads if read.name not in gathered),
            needs=tuple(self._edge(task.name, edge) for edge in task.needs),
        )

    def _decides(self, task: Task) -> bool:
        """Say whether a task's condition counts: in a gang only the lead's does."""
        return self.found.shape.key != "groups" or task.name in self.leads

    def _gang(self, gang: Gang) -> Gang:
        return changed(gang, needs=tuple(self._edge(gang.name, edge) for edge in gang.needs))

    def _edge(self, unit: str, edge: Edge) -> Edge:
        pair = unit, edge.parent
        whole = pair in self.links.whole
        return changed(edge, same_instance=pair in self.links.paired, implied=edge.implied and not whole)
