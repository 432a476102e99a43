"""Jobs and steps of ACTIVATE that stand for torc's actions, as our own output has them, back into actions.

A job is one when its name and the title of its only step say so, its failure fails nothing, its text is nothing but
calls of `bash -c`, and it waits for just what the action would wait for (torc.md §25.6).
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Iterable
from itertools import takewhile

import attrs

from pwxc.fidelity import Fate, Ledger
from pwxc.ir.entity import changed
from pwxc.ir.expr import Ref, Root
from pwxc.ir.task import Edge, Outcome, Script, Step, Task
from pwxc.ir.workflow import Trigger, Workflow
from pwxc.shell.text import FILL
from pwxc_targets.torc.reading.hooks import OF_TASKS, OF_WORKERS
from pwxc_targets.torc.writing import codes as C  # noqa: N812

_NAME = re.compile(r"on-(?:workflow|jobs|worker)-[a-z]+(?:-[0-9]+)?\Z")
_TITLES = {
    "At workflow start": Trigger.WORKFLOW_START,
    "At workflow complete": Trigger.WORKFLOW_COMPLETE,
    "At jobs ready": Trigger.TASKS_READY,
    "At jobs complete": Trigger.TASKS_COMPLETE,
    "At worker start": Trigger.WORKER_START,
    "At worker complete": Trigger.WORKER_COMPLETE,
}
_FILL = FILL % "" + "\n"
_OPENED = re.compile(r"fill (\w+) <<'(\w+)'\Z")
_EMPTY = re.compile(r"\w+=''\Z")
_CAPTURED = re.compile(r'bash -c "\$(\w+)"\Z')
_STARTS = (Trigger.WORKFLOW_START, Trigger.WORKER_START)
_ALWAYS = Ref(Root.STATUS, ("always",))


@attrs.frozen
class FoundHook:
    """An action that jobs or steps stand for."""

    trigger: Trigger
    commands: tuple[str, ...]
    tasks: tuple[str, ...] = ()
    persistent: bool = False


@attrs.define
class HookTasks:
    """What was found: `workflow` has neither the jobs nor the steps any more, `originals` gives what tasks were."""

    workflow: Workflow
    hooks: list[FoundHook] = attrs.field(factory=list)
    originals: dict[str, Task] = attrs.field(factory=dict)


def find_hooks(workflow: Workflow, ledger: Ledger) -> HookTasks:
    """Take the jobs and steps that stand for actions out of a workflow."""
    if workflow.dialect != "pw" or not any(_NAME.match(task.name) or _around(task) for task in workflow.tasks):
        return HookTasks(workflow)
    removed = {task.name: found for task in workflow.tasks if (found := _hook(task, workflow)) is not None}
    kept = [task for task in workflow.tasks if task.name not in removed]
    shared = _shared_steps(kept)
    made = HookTasks(workflow, [*removed.values(), *_worker_hooks(shared)])
    if not made.hooks:
        return made
    for task in workflow.tasks:
        if task.name in removed:
            ledger.of(task).whole(Fate.EMULATED)
    tasks = []
    for task in kept:
        steps = tuple(step for step in task.steps if id(step) not in shared)
        needs = tuple(edge for edge in task.needs if edge.parent not in removed)
        for step in task.steps:
            if id(step) in shared:
                _settle_worker_step(ledger, step)
        for edge in task.needs:
            if edge.parent in removed:
                _settle_awaited(ledger, edge)
        reduced = changed(task, steps=steps, needs=needs)
        made.originals[task.name] = task
        tasks.append(reduced)
    made.workflow = changed(workflow, tasks=tuple(tasks))
    return made


def _commands(step: Step) -> tuple[str, ...] | None:
    """Give the commands of a step that only calls `bash -c`, and whose failure does not matter."""
    text = step.work.text.literal if isinstance(step.work, Script) else None
    if text is None or step.ignore_errors is not True or not text.startswith("set -e\n"):
        return None
    found: list[str] = []
    texts: dict[str, str] = {}
    lines = iter(text.removeprefix("set -e\n").replace(_FILL, "").rstrip("\n").split("\n"))
    for line in lines:
        opened = _OPENED.match(line)
        if opened is not None:
            body = list(takewhile(lambda each, end=opened[2]: each != end, lines))  # type: ignore[misc]
            texts[opened[1]] = "\n".join(body)
        elif _EMPTY.match(line) is None:
            command = _called(line, texts)
            if command is None:
                return None
            found.append(command)
    return tuple(found) or None


def _called(line: str, texts: dict[str, str]) -> str | None:
    """Give the command that a line hands to `bash -c`; None for other lines."""
    captured = _CAPTURED.match(line)
    if captured is not None:
        return texts.get(captured[1])
    try:
        words = shlex.split(line)
    except ValueError:
        return None
    return words[2] if words[:2] == ["bash", "-c"] and len(words) == 3 else None


def _title(step: Step) -> Trigger | None:
    return _TITLES.get(step.name.literal or "") if step.name is not None else None


def _hook(task: Task, workflow: Workflow) -> FoundHook | None:
    if not _NAME.match(task.name) or len(task.steps) != 1 or task.cleanup or task.sweep is not None:
        return None
    trigger, commands = _title(task.steps[0]), _commands(task.steps[0])
    if trigger is None or commands is None or task.condition is not None:
        return None
    others = [other for other in workflow.tasks if not _NAME.match(other.name)]
    needs = [edge for edge in task.needs if not _NAME.match(edge.parent)]
    awaited = any(edge.parent == task.name for other in workflow.tasks for edge in other.needs)
    if trigger in _STARTS:
        return FoundHook(trigger, commands) if not needs else None
    if awaited:
        return None
    if trigger is Trigger.TASKS_READY:
        chosen = _made_ready(needs, others)
        return FoundHook(trigger, commands, chosen) if chosen else None
    parents = [edge.parent for edge in needs]
    if not parents or any(edge.when is not Outcome.END for edge in needs):
        return None
    if trigger in OF_TASKS:
        return FoundHook(trigger, commands, tuple(parents))
    return FoundHook(trigger, commands) if {task.name for task in others} <= set(parents) else None


def _made_ready(needs: Collection[Edge], tasks: Iterable[Task]) -> tuple[str, ...]:
    """Give the tasks that are ready when some edges hold: together they wait for just these."""
    wanted = {(edge.parent, edge.when) for edge in needs}
    chosen = {
        task.name: {(edge.parent, edge.when) for edge in task.needs if not _NAME.match(edge.parent)} for task in tasks
    }
    chosen = {name: pairs for name, pairs in chosen.items() if pairs <= wanted and (pairs or not wanted)}
    return tuple(chosen) if set().union(*chosen.values()) == wanted else ()


def _around(task: Task) -> bool:
    return any(_title(step) in OF_WORKERS for step in task.steps)


def _shared_steps(tasks: list[Task]) -> dict[int, Step]:
    """Give the first and last steps that all jobs have alike for their worker's start and end."""
    found: dict[int, Step] = {}
    for trigger, condition in ((Trigger.WORKER_START, None), (Trigger.WORKER_COMPLETE, _ALWAYS)):
        steps = [
            [step for step in task.steps if _title(step) is trigger and step.condition == condition] for task in tasks
        ]
        texts = {tuple(_commands(step) for step in each) for each in steps}
        if len(texts) == 1 and None not in next(iter(texts)):
            found.update({id(step): step for each in steps for step in each})
    return found


def _worker_hooks(shared: dict[int, Step]) -> list[FoundHook]:
    made: dict[FoundHook, None] = {}
    for step in shared.values():
        trigger, commands = _title(step), _commands(step)
        if trigger is not None and commands is not None:
            made[FoundHook(trigger, commands, persistent=True)] = None
    return list(made)


def _settle_worker_step(ledger: Ledger, step: Step) -> None:
    with ledger.of(step) as entry:
        entry.whole(Fate.EMULATED)
        message = "what is done around each job is done once by each worker"
        entry.approximate("work", C.WORKER_STEPS, message, once=True)


def _settle_awaited(ledger: Ledger, edge: Edge) -> None:
    with ledger.of(edge) as entry:
        entry.whole(Fate.EMULATED)
        message = f"jobs may start while the commands of `{edge.parent}` still run"
        entry.approximate("parent", C.NOT_AWAITED, message, once=True)
