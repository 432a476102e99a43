"""The normal form of a workflow: what counts for a run, in one order; two that are equal here are equivalent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs

from pwxc.ir.entity import changed
from pwxc.ir.expr import Expr, Root
from pwxc.ir.inputs import Input
from pwxc.ir.sweep import Sweep, SweepMode
from pwxc.ir.task import Edge, Gang, Step, Task, Work
from pwxc.ir.template import Template
from pwxc.ir.workflow import Hook, RunCommands, Trigger, Workflow
from pwxc.semantics.hooks import OF_TASKS, selected
from pwxc.semantics.programs import join_lines, plain_work, trimmed, unfold


def canonical(workflow: Workflow) -> Workflow:
    """Give a workflow without what cannot affect a run of the machine: presentation, placement, what was only kept.

    Resources, hosts, pools and priorities are placement: they say where and how soon, not what. Only the time limit
    of a class of resources is kept, as the task's own.
    """
    walltimes = {record.name: record.walltime for record in workflow.resources}
    return Workflow(
        name="",
        inputs=tuple(_input(each) for each in workflow.inputs),
        environment=workflow.environment,
        secrets=workflow.secrets,
        tasks=tuple(_task(task, walltimes.get(task.resources or "")) for task in workflow.tasks),
        gangs=tuple(_gang(gang, workflow) for gang in workflow.gangs),
        files=tuple(changed(file, passthrough=()) for file in workflow.files),
        data=tuple(changed(datum, passthrough=()) for datum in workflow.data),
        hooks=_hooks(workflow),
        timeout=workflow.timeout or None,
    )


def normal_form(workflow: Workflow) -> Workflow:
    """Give the canonical workflow with everything sorted whose order has no meaning."""
    return in_order(canonical(workflow))


def in_order(plain: Workflow) -> Workflow:
    """Sort what has no order in a canonical workflow."""
    return changed(
        plain,
        inputs=_sorted(plain.inputs),
        environment=_sorted(plain.environment),
        secrets=_sorted(plain.secrets),
        tasks=_sorted([_with_sorted_variables(task) for task in plain.tasks]),
        gangs=_sorted([_with_sorted_members(gang) for gang in plain.gangs]),
        files=_sorted(plain.files),
        data=_sorted(plain.data),
        hooks=tuple(sorted(plain.hooks, key=repr)),
    )


def _sorted(nouns: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(sorted(nouns, key=lambda noun: str(noun.name)))


def _with_sorted_variables(task: Task) -> Task:
    return changed(task, environment=_sorted(task.environment)) if len(task.environment) > 1 else task


def _with_sorted_members(gang: Gang) -> Gang:
    return changed(gang, members=tuple(sorted(gang.members)))


def _input(given: Input) -> Input:
    return changed(
        given,
        label="",
        help="",
        form={},
        passthrough=(),
        items=tuple(_input(each) for each in given.items),
        choices=tuple(changed(choice, label=None) for choice in given.choices),
    )


def _edges(edges: Sequence[Edge]) -> tuple[Edge, ...]:
    plain = tuple(changed(edge, implied=False) if edge.implied else edge for edge in edges)
    if len(plain) < 2:
        return plain
    return tuple(sorted(set(plain), key=lambda edge: (edge.parent, edge.when, repr(edge))))


def _gang(gang: Gang, workflow: Workflow) -> Gang:
    """Give a gang; nobody can see a barrier where no member has data to wait for."""
    idle = not any(task.reads for task in workflow.tasks if task.name in gang.members)
    return changed(gang, needs=_edges(gang.needs), barrier=gang.barrier or idle, passthrough=())


def _hooks(workflow: Workflow) -> tuple[Hook, ...]:
    """Give the hooks, of which those that run commands at the same point are one: they run one after the other."""
    merged: dict[tuple[Trigger, tuple[str, ...]], Hook] = {}
    others: list[Hook] = []
    for each in workflow.hooks:
        hook = _hook(each, workflow)
        if not isinstance(hook.action, RunCommands):
            others.append(hook)
            continue
        before = merged.get((hook.trigger, hook.tasks))
        commands = before.action.commands if before is not None and isinstance(before.action, RunCommands) else ()
        action = RunCommands((join_lines((*commands, *hook.action.commands)),))
        merged[hook.trigger, hook.tasks] = changed(hook, action=action)
    return (*merged.values(), *others)


def _hook(hook: Hook, workflow: Workflow) -> Hook:
    """Give a hook with the names of the tasks that its patterns find; other triggers look at no tasks."""
    tasks = tuple(sorted(selected(hook, workflow))) if hook.trigger in OF_TASKS else ()
    return changed(hook, tasks=tasks, patterns=(), persistent=False, passthrough=())


def _task(task: Task, walltime: int | Expr | None) -> Task:
    """Make the task anew from what counts; fields that are not named here are left out."""
    works, files = unfold(task)
    container = task.container
    if container is not None:
        container = changed(container, mounts=(), privileged=False, host_network=False, passthrough=())
    return Task(
        name=task.name,
        steps=tuple(_step(step, work) for step, work in zip(task.steps, works, strict=True)),
        cleanup=tuple(_step(step, plain_work(step.work)) for step in task.cleanup),
        needs=_edges(task.needs),
        condition=task.condition,
        container=container,
        reads=tuple(changed(read, implied=False) if read.implied else read for read in task.reads),
        writes=tuple(changed(write, implied=False) if write.implied else write for write in task.writes),
        files=files,
        environment=task.environment,
        secrets=task.secrets,
        checkpoints=task.checkpoints,
        outputs=task.outputs,
        working_directory=task.working_directory,
        run_timeout=_least(task.run_timeout, walltime),
        queue_timeout=task.queue_timeout or None,
        exit_rules=task.exit_rules,
        sweep=_sweep(task),
        stop_when_another_fails=task.stop_when_another_fails,
    )


def _least(own: float | Expr | None, walltime: int | Expr | None) -> float | Expr | None:
    """Give the limit that ends a task first; of two that an input decides, the task's own."""
    numbers = [limit for limit in (own, walltime) if isinstance(limit, int | float) and limit]
    return min(numbers) if numbers else own or walltime or None


def _step(step: Step, work: Work) -> Step:
    return Step(
        work=work,
        id=step.id,
        condition=step.condition,
        environment=step.environment,
        working_directory=step.working_directory,
        timeout=step.timeout or None,
        retry=step.retry,
        cleanup=(trimmed(step.cleanup) or None) if step.cleanup is not None else None,
        ignore_errors=step.ignore_errors,
        stop_when_another_fails=step.stop_when_another_fails,
    )


def _sweep(task: Task) -> Sweep | None:
    """Give the sweep with its parameters sorted, unless the number of an instance can be seen."""
    sweep = task.sweep
    if sweep is None:
        return None
    plain = changed(sweep, parameters=tuple(changed(each, shared=None) for each in sweep.parameters))
    if len(sweep.parameters) == 1:
        return changed(plain, mode=SweepMode.PRODUCT)
    if sweep.include or sweep.limit is not None or _uses_number(task):
        return plain
    return changed(plain, parameters=tuple(sorted(plain.parameters, key=lambda parameter: parameter.name)))


def _uses_number(value: object) -> bool:
    if isinstance(value, Template):
        return value.uses(Root.SWEEP_INDEX)
    if isinstance(value, tuple | list):
        return any(_uses_number(part) for part in value)
    if isinstance(value, dict):
        return any(_uses_number(part) for part in value.values())
    if attrs.has(type(value)) and not isinstance(value, Sweep):
        if getattr(value, "root", None) is Root.SWEEP_INDEX:
            return True
        return any(_uses_number(getattr(value, field.name)) for field in _fields(value))
    return False


def _fields(value: Any) -> Sequence[Any]:
    return [field for field in attrs.fields(type(value)) if field.eq]
