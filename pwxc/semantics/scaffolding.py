"""What a system needs around the tasks and nobody else sees: gangs of one member, jobs that only pass an order on."""

from __future__ import annotations

from collections.abc import Iterable

from pwxc.ir.entity import changed
from pwxc.ir.expr import Expr
from pwxc.ir.task import Edge, Gang, Outcome, Task
from pwxc.ir.workflow import Workflow, units
from pwxc.semantics.programs import does_something
from pwxc.semantics.renaming import rename


def without_lone_gangs(workflow: Workflow, other: Workflow) -> Workflow:
    """Give a workflow in which a gang of one member is that task; it has the gang's name where the other knows that."""
    lone = {gang.members[0]: gang for gang in workflow.gangs if len(gang.members) == 1}
    known = {task.name for task in other.tasks}
    if not lone:
        return workflow
    tasks = tuple(_with_gang(task, lone[task.name]) if task.name in lone else task for task in workflow.tasks)
    left = tuple(gang for gang in workflow.gangs if len(gang.members) > 1)
    others = changed(workflow, tasks=tasks, gangs=left)
    names: dict[str, str] = {}
    for member, gang in lone.items():
        kept, gone = (gang.name, member) if gang.name in known and member not in known else (member, gang.name)
        names |= {gone: kept} if gone != kept else {}
    return rename(others, names)


def _with_gang(task: Task, gang: Gang) -> Task:
    return changed(
        task,
        needs=gang.needs,
        run_timeout=_less(task.run_timeout, gang.run_timeout),
        queue_timeout=_less(task.queue_timeout, gang.queue_timeout),
    )


def _less(own: float | Expr | None, other: float | Expr | None) -> float | Expr | None:
    numbers = [limit for limit in (own, other) if isinstance(limit, int | float)]
    return min(numbers) if len(numbers) == 2 else own if own is not None else other


def without_gates(workflow: Workflow, other: Workflow) -> Workflow:
    """Give a workflow without tasks that do nothing but wait, which the other does not have.

    Who waits for the success of such a task waits for what it waits for.
    """
    known = {task.name for task in other.tasks} | {gang.name for gang in other.gangs}
    gates = {task.name: task for task in workflow.tasks if task.name not in known and _only_waits(task)}
    awaited = [edge for unit in units(workflow) for edge in unit.needs if edge.parent in gates]
    for edge in awaited:
        if edge.when is not Outcome.SUCCESS or edge.delay:
            gates.pop(edge.parent, None)
    if not gates:
        return workflow
    return changed(
        workflow,
        tasks=tuple(
            changed(task, needs=tuple(_past(task.needs, gates)))
            for task in workflow.tasks
            if task.name not in gates or not any(edge.parent == task.name for edge in awaited)
        ),
        gangs=tuple(changed(gang, needs=tuple(_past(gang.needs, gates))) for gang in workflow.gangs),
    )


def _only_waits(task: Task) -> bool:
    return task.sweep is None and task.condition is None and bool(task.needs) and not does_something(task)


def _past(edges: Iterable[Edge], gates: dict[str, Task]) -> Iterable[Edge]:
    for edge in edges:
        if edge.parent in gates:
            yield from _past(gates[edge.parent].needs, gates)
        else:
            yield edge
