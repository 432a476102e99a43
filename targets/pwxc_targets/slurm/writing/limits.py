"""Time limits, the signals before them, and deadlines."""

from __future__ import annotations

import math
from collections.abc import Iterator

from pwxc.ir.expr import Expr
from pwxc.ir.task import Task
from pwxc.ir.workflow import Unit
from pwxc_targets.slurm.writing.context import Context, Holes
from pwxc_targets.slurm.writing.requests import LateWord, Request, time_limit

SLACK = 180
"""Seconds that a job with clean-up work gets beyond its limit."""
SLACK_SIGNAL = f"B:TERM@{SLACK - 60}"
DEADLINE_SLACK = 60
"""Seconds between the end that the time limit makes and the deadline."""
TIMER_SLACK = 60
"""Seconds beyond a limit that the script itself keeps."""


def limit_request(context: Context, request: Request, task: Task, timeout: float | Expr | None, late: LateWord) -> None:
    """Set the time limit of a job: what its task may run, but not more than its class of resources has.

    A job that cleans up gets some minutes more and is told before they begin.
    """
    walltime = _walltime(context, task)
    known = [float(value) for value in (timeout, walltime) if isinstance(value, int | float) and value > 0]
    if known:
        request.set("time", slurm_time(task, min(known)))
        if cleans_up(task):
            request.set("signal", SLACK_SIGNAL)
    elif isinstance(walltime, Expr):
        request.late["time"] = late(walltime, "time")
    elif isinstance(timeout, Expr):
        request.late["time"] = late(timeout, "limit")
    if task.priority:
        request.set("nice", str(-task.priority))


def patience(unit: Unit, request: Request) -> int | None:
    """Give the seconds within which a job has to end, from when it may start; None if its wait is not limited.

    Slurm ends a job whose time limit does not fit before its deadline any more, so this is the longest wait and the
    time limit that Slurm itself knows.
    """
    minutes = request.fixed.get("time") or ""
    if not isinstance(unit.queue_timeout, int | float) or not unit.queue_timeout or not minutes.isdigit():
        return None
    return math.ceil(unit.queue_timeout) + int(minutes) * 60 + DEADLINE_SLACK


def slurm_time(task: Task, limit: float) -> str:
    """Give the time limit of a job whose script keeps the exact one, if that is not whole minutes or has work after."""
    if cleans_up(task):
        return time_limit(limit + SLACK)
    return time_limit(limit + (TIMER_SLACK if limit % 60 else 0))


def _walltime(context: Context, task: Task) -> float | Expr | None:
    resources = context.resources_of(task)
    return resources.walltime if resources is not None else None


def own_limits(
    context: Context, task: Task, timeout: float | Expr | None, holes: Holes, needs: set[str], *, member: bool = False
) -> Iterator[str]:
    """Give the lines that name the limits of a task, and those that keep the ones which Slurm's own cannot.

    A member of a gang has no limit of Slurm's that is its own.
    """
    walltime = _walltime(context, task)
    if isinstance(timeout, int | float) and timeout > 0:
        yield f"export PWXC_LIMIT={timeout:g}"
    elif timeout and not isinstance(timeout, int | float):
        name = holes.name(timeout)
        yield from holes.take_lines()
        needs.add("seconds")
        yield f'PWXC_LIMIT=$(seconds "${{{name}:-0}}"); export PWXC_LIMIT'
        yield 'if [[ $PWXC_LIMIT != 0 ]]; then timer "$PWXC_LIMIT"; fi'
    if isinstance(walltime, int | float) and walltime % 60:
        yield f"export PWXC_WALLTIME={walltime:g}"
    known = [float(value) for value in (timeout, walltime) if isinstance(value, int | float) and value > 0]
    if known and (min(known) % 60 or cleans_up(task) or (member and timeout)):
        yield f"timer {min(known):g}"


def cleans_up(task: Task) -> bool:
    """Whether a task has work to do at its end, whatever the outcome."""
    return bool(task.cleanup) or any(step.cleanup is not None for step in task.steps)
