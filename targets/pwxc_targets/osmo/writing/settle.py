"""The account of what has no place of its own in an OSMO file (osmo.md §30 and the other references' tables)."""

from __future__ import annotations

from typing import Any

from pwxc.fidelity import Account, Fate
from pwxc.ir.inputs import Input, InputType
from pwxc.ir.resources import Placement
from pwxc.ir.task import ActionCall, Command, Retry, Step, Task
from pwxc.ir.workflow import Hook, RequestAllocation, Trigger
from pwxc_targets.osmo.writing import codes as C  # noqa: N812
from pwxc_targets.osmo.writing.context import Writing
from pwxc_targets.osmo.writing.standins import NAMES


def settle_workflow(writing: Writing, account: Account) -> None:
    """Settle the parts of the workflow that become nothing, or something elsewhere."""
    workflow = writing.workflow
    for field in ("name", "inputs", "tasks", "gangs", "resources", "environment", "secrets"):
        account.take(field)
    account.cosmetic("description")
    account.emulate("parameters", "files", "data")
    for parameter in workflow.parameters:
        writing.ledger.of(parameter).whole(Fate.EMULATED)
    for noun in (*workflow.files, *workflow.data):
        writing.ledger.of(noun).whole(Fate.EMULATED)
    for record in workflow.files:
        if record.sweep is not None:
            writing.ledger.of(record.sweep).whole(Fate.EMULATED)
    if workflow.timeout is not None:
        account.approximate("timeout", C.RUN_LIMIT, "the time of the whole run is not limited")
    if workflow.permissions:
        account.approximate("permissions", C.PERMISSIONS, "a run has no rights on the source's platform")
    foreign = [item for item in workflow.passthrough if item.dialect != "osmo" and not item.inert]
    account.take("passthrough")
    if foreign:
        told = ", ".join(sorted({f"`{'.'.join(item.path)}`" for item in foreign}))
        account.approximate("passthrough", C.FOREIGN_KEYS, f"only {foreign[0].dialect} knows {told}")
    _inputs(writing, workflow.inputs)
    for preset in workflow.presets:
        with writing.ledger.of(preset) as entry:
            entry.cosmetic("name", "passthrough")
            entry.approximate("values", C.INPUTS_FORM, f"the saved values `{preset.name}` are left out")
    _site(writing, account)


def _site(writing: Writing, account: Account) -> None:
    workflow = writing.workflow
    for field in ("hooks", "sessions", "allocations"):
        account.take(field)
    for hook in workflow.hooks:
        with writing.ledger.of(hook) as entry:
            entry.emulate("trigger", "tasks", "patterns", "persistent")
            entry.cosmetic("passthrough")
            if isinstance(hook.action, RequestAllocation):
                message = "blocks of nodes are not asked for: every task asks for what it needs"
                entry.approximate("action", C.ALLOCATION, message, once=True)
            else:
                _commands(entry, hook)
    for session in workflow.sessions:
        with writing.ledger.of(session) as entry:
            entry.emulate("name")
            entry.cosmetic("passthrough")
            for field in ("kind", "options"):
                message = f"the session `{session.name}` is opened by hand"
                entry.approximate(field, C.SESSION, message, once=True)
    for allocation in workflow.allocations:
        with writing.ledger.of(allocation) as entry:
            entry.cosmetic("name", "resources", "passthrough")
            message = "blocks of nodes are not asked for: every task asks for what it needs"
            entry.approximate("count", C.ALLOCATION, message, once=True)


def _commands(entry: Account, hook: Hook) -> None:
    """Settle the commands of a hook, for which a task or lines of every task stand."""
    entry.emulate("action")
    around = hook.persistent and hook.trigger in (Trigger.WORKER_START, Trigger.WORKER_COMPLETE)
    if around:
        entry.approximate("action", C.HOOK, "what every worker does is done for every task")
    elif hook.trigger in (Trigger.WORKFLOW_COMPLETE, Trigger.WORKER_COMPLETE, Trigger.TASKS_COMPLETE):
        message = f"the commands at {NAMES[hook.trigger]} run only when the tasks before have succeeded"
        entry.approximate("action", C.HOOK, message)


def _inputs(writing: Writing, inputs: tuple[Input, ...]) -> None:
    for item in inputs:
        with writing.ledger.of(item) as account:
            for field in ("name", "items"):
                account.take(field)
            account.take("type", Fate.EXACT if writing.own else Fate.EMULATED)
            account.take("default")
            account.take("has_default")
            account.cosmetic("label", "help", "form", "passthrough")
            if writing.own:
                account.cosmetic("optional")
            else:
                _form(writing, account, item)
        if item.type is not InputType.LIST:
            _inputs(writing, item.items)
        else:
            for child in item.items:
                writing.ledger.of(child).whole(Fate.COSMETIC)


def _form(writing: Writing, account: Account, item: Input) -> None:
    message = "inputs become `default-values`: the form and its rules are gone"
    for field in ("optional", "hidden", "ignored", "minimum", "maximum", "choices"):
        account.approximate(field, C.INPUTS_FORM, message, once=True)
    for choice in item.choices:
        writing.ledger.of(choice).whole(Fate.COSMETIC)
    if item.type is InputType.SECRET:
        account.manual("type", C.SECRET_BY_HAND, f"the secret `{item.name}` becomes a credential")
    elif item.type is InputType.LIST:
        account.approximate("type", C.INPUTS_FORM, f"the rows of `{item.name}` are left out")
    elif item in writing.variables.asked:
        account.approximate("type", C.NEEDED_VALUE, f"`{item.name}` has no default")


def settle_task(writing: Writing, task: Task, account: Account) -> None:
    """Settle the fields of a task that are told about and not written, and its steps."""
    account.emulate("outputs", "working_directory", "cleanup", "exit_rules", "secrets", "environment", "checkpoints")
    account.take("run_timeout")
    account.take("queue_timeout")
    if task.placement is not None:
        settle_placement(writing, task.placement)
    account.emulate("placement")
    _beside(writing, account, task)
    if task.priority is not None:
        account.approximate("priority", C.PRIORITY, f"`{task.name}` has no priority of its own")
    if task.stop_when_another_fails:
        account.approximate("stop_when_another_fails", C.EARLY_CANCEL, f"`{task.name}` goes on when another fails")
    if task.sweep is not None:
        _sweep(writing, account, task)
    for step in (*task.steps, *task.cleanup):
        _step(writing, step)


def _beside(writing: Writing, account: Account, task: Task) -> None:
    if not task.beside:
        return
    adapted = writing.scripts.get(task.name)
    waiting = task.beside if adapted is None else adapted.waiting
    names = ", ".join(f"`{name}`" for name in waiting)
    if task.name not in writing.added.hosts:
        message = f"`{task.name}` is a member of a group and cannot have {names} besides"
        account.drop("beside", C.NODES_OF_MEMBER, message)
    elif waiting:
        message = f"`{task.name}` runs in the first member of a group; those with {names} wait for it"
        account.approximate("beside", C.COMPONENTS, message)
    else:
        account.emulate("beside")


def _sweep(writing: Writing, account: Account, task: Task) -> None:
    assert task.sweep is not None
    account.emulate("sweep")
    with writing.ledger.of(task.sweep) as entry:
        record = writing.resources.get(task.resources or "")
        span = (record.places or {}).get("--array") if record is not None else None
        entry.emulate("mode", "include", "exclude")
        if "parameters" not in writing.ledger.fates.get(id(task.sweep), {}):
            entry.emulate("parameters")
        if task.sweep.limit is not None:
            message = f"all instances of `{task.name}` may run at the same time"
            entry.approximate("limit", C.SWEEP_LIMIT, message, span=span)
        if task.sweep.fail_fast:
            entry.approximate("fail_fast", C.SWEEP_LIMIT, f"a failing instance of `{task.name}` stops no others")
    for parameter in task.sweep.parameters:
        writing.ledger.of(parameter).whole(Fate.EMULATED)


def _step(writing: Writing, step: Step) -> None:
    with writing.ledger.of(step) as entry:
        entry.take("work", Fate.EXACT if isinstance(step.work, Command) else Fate.EMULATED)
        entry.emulate("condition", "timeout", "retry", "working_directory", "ignore_errors", "environment", "placement")
        entry.cosmetic("name", "id")
        if step.cleanup is not None:
            entry.approximate("cleanup", C.CLEANUP, "the clean-up runs when the script ends", once=True)
        if step.stop_when_another_fails:
            message = "steps go on when another job fails"
            entry.approximate("stop_when_another_fails", C.EARLY_CANCEL, message, once=True)
        if step.passthrough:
            told = ", ".join(sorted({f"`{'.'.join(item.path)}`" for item in step.passthrough}))
            entry.approximate("passthrough", C.FOREIGN_KEYS, f"the step's {told} have no counterpart")
        if isinstance(step.work, ActionCall) and not is_checkout(step.work):
            entry.drop("work", C.ACTION, f"`{step.work.name}` is an action of the source's platform")
    for item in step.environment:
        writing.ledger.of(item).whole(Fate.EMULATED)
    if step.retry is not None:
        settle_retry(writing, step.retry)
    if step.placement is not None:
        settle_placement(writing, step.placement)


def settle_retry(writing: Writing, retry: Retry) -> None:
    """Settle a rule for attempts, which becomes a loop."""
    writing.ledger.of(retry).whole(Fate.EMULATED)


def settle_placement(writing: Writing, placement: Placement) -> None:
    """Say that the pool decides where a task runs."""
    with writing.ledger.of(placement) as entry:
        entry.emulate("scheduled")
        entry.cosmetic("passthrough")
        message = "tasks run in the pool, not on the machine that the source names"
        for field in ("host", "user", "jump_host", "jump_user", "cluster", "pool"):
            entry.approximate(field, C.PLACE, message, once=True)
        if placement.allocation is not None:
            text = "blocks of nodes are not asked for: every task asks for what it needs"
            entry.approximate("allocation", C.ALLOCATION, text, once=True)


def is_checkout(work: ActionCall) -> bool:
    """Whether a call is one that a script can make: fetching a repository."""
    arguments: Any = work.arguments
    return work.name == "parallelworks/checkout" and isinstance(arguments, dict) and "repo" in arguments
