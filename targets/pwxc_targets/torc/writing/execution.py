"""How workers start and end processes, where the source's jobs depend on it (torc.md §12)."""

from __future__ import annotations

from typing import Any

from pwxc.ir.entity import place_of
from pwxc.ir.resources import Resources
from pwxc_targets.torc.writing import codes as C  # noqa: N812
from pwxc_targets.torc.writing.jobhead import starts_steps
from pwxc_targets.torc.writing.options import Signal, signal_of
from pwxc_targets.torc.writing.state import Writing


def execution_config(writing: Writing) -> dict[str, Any]:
    """Give the settings that the jobs need; a job that starts steps of Slurm must not run in a step itself."""
    if writing.workflow.dialect == "torc":
        return {}
    signal = _signal(writing)
    if not writing.knows("spec", "execution_config"):
        return {}
    several = any(len(gang.members) > 1 for gang in writing.workflow.gangs)
    direct = signal is not None or several or any(starts_steps(task) for task in writing.workflow.tasks)
    made: dict[str, Any] = {"mode": "direct"} if direct else {}
    if signal is not None:
        made |= {"termination_signal": signal.name, "sigterm_lead_seconds": signal.seconds}
    return made


def _signal(writing: Writing) -> Signal | None:
    """Give the signal before the end, which one workflow has one of, and say so of each job that wants one."""
    chosen: Signal | None = None
    known = writing.knows("spec", "execution_config")
    for name in dict.fromkeys(task.resources for task in writing.workflow.tasks):
        record = writing.resources.get(name or "")
        wanted = signal_of(writing, record)
        if wanted is None or record is None:
            continue
        chosen = chosen or wanted
        if not known:
            message = f"torc {writing.version} sends `SIGTERM` before the end, not `{wanted.name}`"
        elif wanted == chosen:
            message = f"`{wanted.name}` is sent {wanted.seconds} seconds before the end to all jobs of the workflow"
        else:
            message = (
                f"all jobs get `{chosen.name}` before the end, not `{wanted.name}` {wanted.seconds} seconds before"
            )
        _say(writing, record, message)
    return chosen


def _say(writing: Writing, record: Resources, message: str) -> None:
    span = place_of(record, "--signal") or place_of(record, "directives")
    with writing.ledger.of(record) as account:
        account.approximate("directives", C.SIGNAL, message, span=span)


def wants_signal(writing: Writing, resources: str | None) -> bool:
    """Whether a job of a class is to be told before its end, in a version where each job says so itself."""
    if writing.knows("spec", "execution_config") or writing.workflow.dialect == "torc":
        return False
    return signal_of(writing, writing.resources.get(resources or "")) is not None
