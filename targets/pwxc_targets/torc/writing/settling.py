"""What the writer says about steps, and which exit codes a script has to turn into others."""

from __future__ import annotations

from typing import Any

from pwxc.fidelity import Fate
from pwxc.ir.entity import fields_of
from pwxc.ir.task import ActionCall, ExitAction, ExitRule, Step, Task
from pwxc_targets.torc.writing import codes as C  # noqa: N812
from pwxc_targets.torc.writing.actions import is_checkout
from pwxc_targets.torc.writing.state import Writing

_PLAIN_STEP = frozenset({"work", "name", "id", "passthrough", "working_directory"})


def is_plain_step(step: Step) -> bool:
    """Whether a step is nothing but its work."""
    return all(
        field.name in _PLAIN_STEP or field.name == "placement" or getattr(step, field.name) == field.default
        for field in fields_of(step)
    )


def recodes(rules: tuple[ExitRule, ...]) -> bool:
    """Whether there are rules that turn an exit code into another end."""
    return any(rule.action is not ExitAction.RETRY for rule in rules)


def recoding(rules: tuple[ExitRule, ...]) -> list[str]:
    """Give the lines that turn exit codes into success or failure; the first rule that matches counts."""
    if not recodes(rules):
        return []
    lines = []
    for number, rule in enumerate(rules):
        tests = [f'[ "$rc" -ge {low} ] && [ "$rc" -le {high} ]' for low, high in rule.codes] or ['[ "$rc" -ne 0 ]']
        test = " || ".join(f"{{ {one}; }}" for one in tests)
        result = {ExitAction.COMPLETE: "rc=0", ExitAction.FAIL: "rc=$((rc ? rc : 1))"}.get(rule.action, ":")
        lines.extend([f"{'elif' if number else 'if'} {test}; then", f"  {result}"])
    return [*lines, "fi"]


def settle_steps(writing: Writing, task: Task) -> None:
    """Settle the fields of a task's steps, which all become lines of the command."""
    for step in (*task.steps, *task.cleanup):
        with writing.ledger.of(step) as entry:
            entry.take("work", Fate.EXACT if len(task.steps) == 1 else Fate.EMULATED)
            entry.emulate(
                "condition", "timeout", "retry", "cleanup", "working_directory", "ignore_errors", "environment"
            )
            entry.cosmetic("name", "id", "passthrough")
            if isinstance(step.work, ActionCall) and not is_checkout(step.work):
                entry.drop("work", C.ACTION_CALL, f"`{step.work.name}` is an action of the source's platform")
            if step.stop_when_another_fails:
                entry.drop("stop_when_another_fails", C.EARLY_CANCEL, "torc does not stop a job when another fails")
            settle_children(writing, step)


def settle_children(writing: Writing, step: Step) -> None:
    """Settle what hangs below a step: its variables, its retry rule, its place."""
    for item in step.environment:
        with writing.ledger.of(item) as entry:
            entry.emulate("name", "value")
    if step.retry is not None:
        with writing.ledger.of(step.retry) as entry:
            entry.emulate("limit", "interval", "attempt_timeout", "clean")
    if step.placement is not None:
        settle_placement(writing, step.placement)


def settle_placement(writing: Writing, placement: Any) -> None:
    """Say that torc's workers decide where a job runs."""
    with writing.ledger.of(placement) as entry:
        entry.take("allocation")
        entry.emulate("scheduled")
        entry.cosmetic("passthrough")
        for name in ("host", "user", "jump_host", "jump_user", "cluster", "pool"):
            message = "jobs run where torc's workers are started, not on the machine that the source names"
            entry.approximate(name, C.WORKERS_PLACE, message, once=True)
