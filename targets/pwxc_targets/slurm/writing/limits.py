"""Time limits, the signals before them, and deadlines."""

from __future__ import annotations

import math

from pwxc.ir.expr import Expr
from pwxc.ir.task import Task
from pwxc_targets.slurm.writing.context import Context
from pwxc_targets.slurm.writing.requests import LateWord, Request, time_limit

SLACK = 180
"""Seconds that a job with clean-up work gets beyond its limit."""
SLACK_SIGNAL = f"B:TERM@{SLACK - 60}"


def limit_request(context: Context, request: Request, task: Task, timeout: float | Expr | None, late: LateWord) -> None:
    """Set the time limit of a job: what its task may run, but not more than its class of resources has.

    A job that cleans up gets some minutes more and is told before they begin.
    """
    resources = context.resources_of(task)
    walltime = resources.walltime if resources is not None else None
    known = [float(value) for value in (timeout, walltime) if isinstance(value, int | float)]
    unknown = [value for value in (timeout, walltime) if value is not None and not isinstance(value, int | float)]
    if known:
        limit = min(known)
        if cleans_up(task):
            request.set("time", time_limit(limit + SLACK))
            request.set("signal", SLACK_SIGNAL)
        else:
            request.set("time", time_limit(limit))
    elif unknown:
        request.late["time"] = late(unknown[0], "time")
    queue = task.queue_timeout
    if isinstance(queue, int | float) and known:
        request.set("deadline", f"now+{math.ceil(queue + min(known)) + SLACK}seconds")
    if task.priority:
        request.set("nice", str(-task.priority))


def cleans_up(task: Task) -> bool:
    """Whether a task has work to do at its end, whatever the outcome."""
    return bool(task.cleanup) or any(step.cleanup is not None for step in task.steps)
