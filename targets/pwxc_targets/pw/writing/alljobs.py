"""All jobs of a workflow: their names, and which way each task takes into the output."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pwxc.ir.data import NamedDatum, NamedFile
from pwxc.ir.names import free_name
from pwxc.ir.task import ActionCall, Script, Task
from pwxc.ir.workflow import Unit, units
from pwxc_targets.pw import model
from pwxc_targets.pw.names import unique_names
from pwxc_targets.pw.same import write_job
from pwxc_targets.pw.writing.context import Writing
from pwxc_targets.pw.writing.hookjobs import Hooks
from pwxc_targets.pw.writing.jobs import write_unit

_HOLE = re.compile(r"[-_.]?\{[^{}]*\}")


def name_jobs(parts: Iterable[Unit]) -> dict[str, str]:
    """Give the name of each unit's job; the variables of a sweep, which torc's names show, are left out."""
    plain = {unit.name: _HOLE.sub("", unit.name).lstrip("-_.") if is_swept(unit) else unit.name for unit in parts}
    if all(name == new for name, new in plain.items()):
        return unique_names(plain)
    named: dict[str, str] = {}
    taken: set[str] = set()
    for name, new in plain.items():
        base = unique_names([new or "job"])[new or "job"]
        named[name] = free_name(base, taken)
        taken.add(named[name])
    return named


def is_swept(unit: Unit) -> bool:
    """Whether a unit is a task that is repeated."""
    return isinstance(unit, Task) and unit.sweep is not None


def write_jobs(writing: Writing) -> dict[str, model.Job]:
    """Write every unit as a job, and the jobs that stand between and around them."""
    hooks = Hooks(writing)
    hooks.read()
    jobs = {writing.jobs[unit.name]: _job(writing, hooks, unit) for unit in units(writing.workflow)}
    hooks.finish()
    if hooks.first:
        for job in jobs.values():
            job.needs = job.needs or list(hooks.first)
    early = {name: writing.extra.pop(name) for name in hooks.first}
    made = {**early, **jobs, **writing.extra}
    return made or {"nothing": model.Job(steps=[model.Step(run=":\n")])}


def _job(writing: Writing, hooks: Hooks, unit: Unit) -> model.Job:
    if not isinstance(unit, Task) or not (is_native(unit) and (writing.own or _is_local(unit))):
        writing.uses_cluster = True
        return write_unit(writing, unit)
    if (same := write_job(writing.workflow, unit, writing.ledger)) is not None:
        return same
    with writing.ledger.of(unit, where=f"jobs.{writing.jobs[unit.name]}") as account:
        account.take("name")
        if writing.own and unit.container is None:
            from pwxc_targets.pw.writing.nativejob import NativeJob

            return NativeJob(writing, unit).write(account)
        from pwxc_targets.pw.writing.foreignjob import ForeignJob

        account.take("container")
        return ForeignJob(writing, unit, hooks=(hooks.before, hooks.after), around=hooks.around).write(account)


def is_native(task: Task) -> bool:
    """Whether a task is one of scripts and calls only, so that the platform's steps are the same thing."""
    plain = all(isinstance(step.work, Script | ActionCall) for step in task.steps)
    return plain and not (task.files or task.checkpoints or task.secrets)


def _is_local(task: Task) -> bool:
    """Whether all that a task reads and writes lies on the cluster's own file system."""
    places = [*(read.origin for read in task.reads), *(write.destination for write in task.writes)]
    return all(isinstance(place, NamedFile | NamedDatum) for place in places)
