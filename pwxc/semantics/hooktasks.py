"""Hooks of one workflow that are tasks in the other, as systems without hooks have them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from pwxc.ir.entity import changed
from pwxc.ir.task import Edge, Outcome, Script, Step, Task
from pwxc.ir.template import Template
from pwxc.ir.workflow import Hook, RunCommands, Trigger, Workflow, gang_of, units
from pwxc.semantics.hooks import selected
from pwxc.semantics.programs import runs_words, words


def turn_hooks_into_tasks(workflow: Workflow, other: Workflow) -> Workflow:
    """Give a workflow whose hooks are tasks where only the other has a task that runs the hook's commands."""
    twins = _twins(workflow, other)
    made = tuple(changed(task, name=name) for name, _, task in twins)
    taken = [hook for _, hook, _ in twins]
    left = tuple(hook for hook in workflow.hooks if not any(hook is each for each in taken))
    return changed(workflow, tasks=(*workflow.tasks, *made), hooks=left) if made else workflow


def hook_tasks(workflow: Workflow, other: Workflow) -> frozenset[str]:
    """Give the tasks of the other that are hooks here."""
    return frozenset(name for name, _, _ in _twins(workflow, other))


def start_hooks(workflow: Workflow, other: Workflow) -> frozenset[str]:
    """Give the tasks of the other that are hooks before work here: nobody waits for these (torc.md §9.3)."""
    before = (Trigger.WORKFLOW_START, Trigger.TASKS_READY)
    return frozenset(name for name, hook, _ in _twins(workflow, other) if hook.trigger in before)


def _twins(workflow: Workflow, other: Workflow) -> list[tuple[str, Hook, Task]]:
    """Give each hook that is a task in the other, with that one's name and as a task."""
    if not workflow.hooks or other.hooks:
        return []
    own = {task.name for task in workflow.tasks}
    free = [task for task in other.tasks if task.name not in own]
    found: list[tuple[str, Hook, Task]] = []
    for hook in workflow.hooks:
        task = _task(hook, workflow)
        fitting = [each for each in free if task is not None and _runs(each, task)]
        # hooks may run the same commands at different points
        fitting.sort(key=lambda each: task is None or _parents(each) != _parents(task))
        twin = next(iter(fitting), None)
        if task is not None and twin is not None:
            free.remove(twin)
            found.append((twin.name, hook, task))
    return found


def _parents(task: Task) -> set[str]:
    return {edge.parent for edge in task.needs}


def _runs(task: Task, hook: Task) -> bool:
    wanted = words(hook.steps)
    return bool(wanted) and runs_words(task, wanted)


def _task(hook: Hook, workflow: Workflow) -> Task | None:
    """Give a task that runs when a hook fires; none for workers, of which the machine has one only."""
    if not isinstance(hook.action, RunCommands):
        return None
    parts = [part for command in hook.action.commands for part in (*command.parts, "\n")]
    steps = (Step(work=Script(Template.of(*parts[:-1])), ignore_errors=True),)
    return (
        None if hook.trigger not in _NEEDS else Task(name="", steps=steps, needs=_NEEDS[hook.trigger](hook, workflow))
    )


def _ends_of(names: Iterable[str], workflow: Workflow) -> tuple[Edge, ...]:
    gangs = gang_of(workflow)
    found = dict.fromkeys(gangs[name].name if name in gangs else name for name in names)
    return tuple(Edge(parent=name, when=Outcome.END) for name in found)


def _readiness(hook: Hook, workflow: Workflow) -> tuple[Edge, ...]:
    """Give the edges of the tasks that have to be ready."""
    chosen = set(selected(hook, workflow))
    gangs = gang_of(workflow)
    chosen |= {gangs[name].name for name in chosen if name in gangs}
    return tuple(dict.fromkeys(edge for unit in units(workflow) if unit.name in chosen for edge in unit.needs))


_NEEDS: Mapping[Trigger, Callable[[Hook, Workflow], tuple[Edge, ...]]] = {
    Trigger.WORKFLOW_START: lambda hook, workflow: (),
    Trigger.WORKFLOW_COMPLETE: lambda hook, workflow: _ends_of((unit.name for unit in units(workflow)), workflow),
    Trigger.TASKS_READY: _readiness,
    Trigger.TASKS_COMPLETE: lambda hook, workflow: _ends_of(selected(hook, workflow), workflow),
}
