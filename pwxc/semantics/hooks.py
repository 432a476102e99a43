"""Hooks: what happens at points of a run beside the graph (torc.md §9)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pwxc.ir.workflow import Hook, RequestAllocation, RunCommands, Trigger, Workflow
from pwxc.semantics.clock import Clock
from pwxc.semantics.resolve import Scope
from pwxc.semantics.trace import HookRun

if TYPE_CHECKING:
    from pwxc.semantics.nodes import Slot
    from pwxc.semantics.running import Run
    from pwxc.semantics.world import World

OF_TASKS = (Trigger.TASKS_READY, Trigger.TASKS_COMPLETE)


class Hooks:
    """Counts, for each hook over tasks, what it still waits for, and fires it once.

    One worker is taken to run everything, so a hook of workers fires once, persistent or not.
    """

    def __init__(self, workflow: Workflow, world: World, clock: Clock) -> None:
        self.workflow, self.world, self.clock = workflow, world, clock
        self.fired: list[HookRun] = []
        self._left: dict[int, int] = {}
        self._watching: dict[Trigger, dict[str, list[int]]] = {trigger: {} for trigger in OF_TASKS}
        for number, hook in enumerate(workflow.hooks):
            if hook.trigger in OF_TASKS:
                self._left[number] = 0
                for task in selected(hook, workflow):
                    self._watching[hook.trigger].setdefault(task, []).append(number)

    def begin(self) -> None:
        """Fire what fires when the run starts, and count instances, which are known now (torc.md §9.3)."""
        for watched in self._watching.values():
            for task, numbers in watched.items():
                for number in numbers:
                    self._left[number] += len(self.world.runs.get(task, {}))
        self._fire_all(Trigger.WORKFLOW_START)
        self._fire_all(Trigger.WORKER_START)

    def complete(self) -> None:
        """Fire what fires when everything has ended."""
        self._fire_all(Trigger.WORKFLOW_COMPLETE)
        self._fire_all(Trigger.WORKER_COMPLETE)

    def ready(self, slot: Slot) -> None:
        """Count instances of which all that they need has happened."""
        for run in slot.runs:
            self._count(Trigger.TASKS_READY, run)

    def ended(self, run: Run) -> None:
        """Count an instance that ended, however (docs/semantics.md, "Hooks")."""
        self._count(Trigger.TASKS_COMPLETE, run)

    def _count(self, trigger: Trigger, run: Run) -> None:
        for number in self._watching[trigger].get(run.task.name, ()):
            self._left[number] -= 1
            if self._left[number] == 0:
                self._fire(number)

    def _fire_all(self, trigger: Trigger) -> None:
        for number, hook in enumerate(self.workflow.hooks):
            if hook.trigger is trigger:
                self._fire(number)

    def _fire(self, number: int) -> None:
        self.fired.append(HookRun(number, self.clock.now, actions(self.workflow.hooks[number], Scope(self.world))))


def selected(hook: Hook, workflow: Workflow) -> list[str]:
    """Give the tasks that a hook is about: those that it names, and those whose name a pattern finds (torc.md §9.1)."""
    patterns = []
    for pattern in hook.patterns:
        try:
            patterns.append(re.compile(pattern))
        except re.error:
            continue
    named = frozenset(hook.tasks)
    return [
        task.name
        for task in workflow.tasks
        if task.name in named or any(pattern.search(task.name) for pattern in patterns)
    ]


def actions(hook: Hook, scope: Scope) -> tuple[str, ...]:
    """Give what a hook does, as text."""
    match hook.action:
        case RunCommands(commands=commands):
            return tuple(scope.text(command) for command in commands)
        case RequestAllocation() as request:
            each = ", a worker on each node" if request.start_one_worker_per_node else ""
            return (f"request {request.count} of {request.kind} {request.allocation}{each}",)
