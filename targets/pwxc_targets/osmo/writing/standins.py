"""Tasks and groups that stand in for what OSMO does not have: hooks, and work on several nodes.

A hook's commands become a task whose failure does not matter (torc.md §25.6); what every worker does at its start and
end becomes steps of every task. A task on several nodes becomes a group: its own work runs in the lead, which ends the
group, and the other members wait, or do their part of what it starts on all nodes (slurm.md §21.1, pw.md §20.7).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import attrs

from pwxc.ir.entity import changed
from pwxc.ir.expr import Ref, Root
from pwxc.ir.task import Command, Edge, Gang, GangStatus, Script, Step, Task
from pwxc.ir.template import Template, text
from pwxc.ir.workflow import Hook, RunCommands, Trigger, Unit, Workflow, gang_of, units

if TYPE_CHECKING:
    from pwxc_targets.osmo.writing.scripts.adapt import Adapted

MOST_NODES = 1000
"""How many members are written out for one task."""
NAMES = {
    Trigger.WORKFLOW_START: "workflow-start",
    Trigger.WORKFLOW_COMPLETE: "workflow-complete",
    Trigger.TASKS_READY: "tasks-ready",
    Trigger.TASKS_COMPLETE: "tasks-complete",
    Trigger.WORKER_START: "worker-start",
    Trigger.WORKER_COMPLETE: "worker-complete",
}
_WAIT = Command((text("sleep"), text("infinity")))


@attrs.define
class StandIns:
    """What is added to a workflow: `workflow` has it all, and what was there before as the same objects."""

    workflow: Workflow
    edges: dict[str, list[Edge]] = attrs.field(factory=dict)
    """Further edges of units, by name."""
    before: list[Step] = attrs.field(factory=list)
    """Steps before those of every task."""
    after: list[Step] = attrs.field(factory=list)
    hosts: dict[str, tuple[str, ...]] = attrs.field(factory=dict)
    """The members of the group that stands in for a task on several nodes."""
    tasks: set[str] = attrs.field(factory=set)
    """The names of the tasks that were added."""
    nodes: dict[str, tuple[str, int]] = attrs.field(factory=dict)
    """For each added task that does a part of another one's work, that one and the number of its node."""


def with_stand_ins(workflow: Workflow, adapted: Mapping[str, Adapted]) -> StandIns:
    """Add what stands in for hooks and for work on several nodes, of which `adapted` knows."""
    made = StandIns(workflow)
    _add_groups(made, adapted)
    _add_hooks(made)
    return made


def _add_groups(made: StandIns, adapted: Mapping[str, Adapted]) -> None:
    taken = {task.name for task in made.workflow.tasks}
    gangs: list[Gang] = []
    tasks: list[Task] = []
    for task in made.workflow.tasks:
        tasks.append(task)
        wide = adapted.get(task.name)
        if wide is None or wide.nodes == 1:
            continue
        others = _others(made, wide, taken)
        members = (task.name, *(other.name for other in others))
        gangs.append(
            Gang(
                name=task.name,
                members=members,
                lead=task.name,
                needs=task.needs,
                run_timeout=task.run_timeout,
                queue_timeout=task.queue_timeout,
                barrier=bool(wide.members),
                status=GangStatus.ALL if wide.strict else GangStatus.LEAD,
                span=task.span,
            )
        )
        tasks += others
        made.hosts[task.name] = members
        made.tasks.update(other.name for other in others)
    if gangs:
        made.workflow = changed(made.workflow, tasks=tuple(tasks), gangs=(*made.workflow.gangs, *gangs))


def _others(made: StandIns, wide: Adapted, taken: set[str]) -> list[Task]:
    """Give the members that stand for the further nodes of a task."""
    task = wide.task
    found = []
    classes = [task.resources] * (wide.job.nodes - 1)
    for name, job in zip(task.beside, wide.components, strict=True):
        classes += [name] * job.nodes
    for number, resources in enumerate(classes, 1):
        other = Task(
            name=_free(f"{task.name}-node-{number}", taken),
            steps=(Step(work=_WAIT),),
            container=task.container or wide.container,
            resources=resources,
            run_timeout=task.run_timeout,
            queue_timeout=task.queue_timeout,
            span=task.span,
        )
        steps = wide.members[number] if wide.members else None
        if steps is not None:
            other = _member(task, steps, other)
            made.nodes[other.name] = (task.name, number)
        found.append(other)
    return found


def _member(task: Task, steps: tuple[Step, ...], other: Task) -> Task:
    """Give a member that does its part of the work of a task."""
    bare = tuple(
        Step(
            work=step.work, environment=step.environment, working_directory=step.working_directory, timeout=step.timeout
        )
        for step in steps
    )
    return changed(
        other, steps=bare, environment=task.environment, secrets=task.secrets, files=task.files,
        working_directory=task.working_directory,
    )  # fmt: skip


def _free(name: str, taken: set[str]) -> str:
    found, number = name, 2
    while found in taken:
        found, number = f"{name}-{number}", number + 1
    taken.add(found)
    return found


# hooks


def _add_hooks(made: StandIns) -> None:
    hooks = [hook for hook in made.workflow.hooks if isinstance(hook.action, RunCommands)]
    taken = {task.name for task in made.workflow.tasks}
    waited = units(made.workflow)
    roots = [unit for unit in waited if not unit.needs]
    image = next((task.container for task in made.workflow.tasks if task.container is not None), None)
    found: list[Task] = []
    for hook in hooks:
        if hook.persistent and hook.trigger in (Trigger.WORKER_START, Trigger.WORKER_COMPLETE):
            _surround(made, hook)
            continue
        edges = _edges(hook, made.workflow, waited)
        if edges is None:
            continue
        name = _free(NAMES[hook.trigger], taken)
        found.append(Task(name=name, steps=(_step(hook),), needs=tuple(edges), container=image, span=hook.span))
        if hook.trigger in (Trigger.WORKFLOW_START, Trigger.WORKER_START):
            for unit in roots:
                made.edges.setdefault(unit.name, []).append(Edge(parent=name))
    if found:
        made.tasks.update(task.name for task in found)
        made.workflow = changed(made.workflow, tasks=(*made.workflow.tasks, *found))


def _surround(made: StandIns, hook: Hook) -> None:
    if hook.trigger is Trigger.WORKER_START:
        made.before.append(_step(hook))
    else:
        made.after.append(changed(_step(hook), condition=Ref(Root.STATUS, ("always",))))


def _step(hook: Hook) -> Step:
    assert isinstance(hook.action, RunCommands)
    parts = [part for command in hook.action.commands for part in (*command.parts, "\n")]
    return Step(work=Script(Template.of(*parts)), ignore_errors=True)


def _edges(hook: Hook, workflow: Workflow, waited: list[Unit]) -> list[Edge] | None:
    """Give what the task of a hook waits for; None for a hook that nothing sets off."""
    if hook.trigger in (Trigger.WORKFLOW_START, Trigger.WORKER_START):
        return []
    if hook.trigger in (Trigger.WORKFLOW_COMPLETE, Trigger.WORKER_COMPLETE):
        parents = {edge.parent for unit in waited for edge in unit.needs}
        return [Edge(parent=unit.name) for unit in waited if unit.name not in parents]
    gangs = gang_of(workflow)
    names = dict.fromkeys(gangs[name].name if name in gangs else name for name in _selected(hook, workflow))
    if not names:
        return None
    if hook.trigger is Trigger.TASKS_COMPLETE:
        return [Edge(parent=name) for name in names]
    edges = [edge for unit in waited if unit.name in names for edge in unit.needs]
    return list({(edge.parent, edge.when): changed(edge, same_instance=False) for edge in edges}.values())


def _selected(hook: Hook, workflow: Workflow) -> Iterable[str]:
    patterns = []
    for pattern in hook.patterns:
        try:
            patterns.append(re.compile(pattern))
        except re.error:  # another language's regular expression, which its reader has resolved to names
            continue
    named = frozenset(hook.tasks)
    for task in workflow.tasks:
        if task.name in named or any(pattern.search(task.name) for pattern in patterns):
            yield task.name
