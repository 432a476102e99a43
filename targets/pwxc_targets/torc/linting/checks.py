"""Checks that later versions of torc make before they create a workflow (torc.md §12, §19)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pwxc_targets.torc.model import Action, Job, ResourceRequirements, SlurmScheduler, Spec
from pwxc_targets.torc.units import parse_duration, parse_memory, parse_slurm_memory, parse_torc_walltime

Fault = tuple[Any, str, str]
"""A record, one of its keys, and what is wrong."""

_DIRECT_ONLY = ("termination_signal", "sigterm_lead_seconds", "oom_exit_code")
_SAFE_TOKEN = re.compile(r"[A-Za-z0-9+_.-]+\Z")
_GPUS = re.compile(r"gpu(?::[A-Za-z][\w.-]*)?(?::([0-9]+))?\Z")


def check_execution(spec: Spec) -> list[Fault]:
    """Find keys of `execution_config` that belong to the other mode, and negative priorities."""
    found = list(_mode_faults(spec, spec.execution_config or {}))
    found.extend(
        (job, "priority", f"`priority` cannot be {job.priority}")
        for job in spec.jobs
        if job.priority is not None and job.priority < 0
    )
    return found


def _mode_faults(spec: Spec, config: dict[str, Any]) -> Iterator[Fault]:
    mode = config.get("mode", "direct")
    slurm = mode == "slurm" or (mode == "auto" and bool(spec.slurm_schedulers))
    one_each = any(action.start_one_worker_per_node for action in spec.actions or [])
    wrong: list[str] = []
    if slurm:
        wrong = [key for key in _DIRECT_ONLY if config.get(key) is not None]
        wrong += ["limit_resources"] if config.get("limit_resources") is False else []
    else:
        wrong = ["srun_termination_signal"] if config.get("srun_termination_signal") is not None else []
        wrong += ["enable_cpu_bind"] if config.get("enable_cpu_bind") is True else []
    for key in wrong:
        other = "direct" if slurm else "slurm"
        yield spec, "execution_config", f"`{key}` is for mode `{other}` only"
    srun_mpi = config.get("srun_mpi")
    if srun_mpi is not None:
        if not isinstance(srun_mpi, str) or not _SAFE_TOKEN.match(srun_mpi):
            yield spec, "execution_config", "`srun_mpi` has to be one word"
        if not one_each:
            yield spec, "execution_config", "`srun_mpi` needs an action with `start_one_worker_per_node`"
    if one_each and config.get("mode", "direct") != "direct":
        yield spec, "execution_config", "`start_one_worker_per_node` needs mode `direct`"


def check_nodes(spec: Spec, *, new: bool = False) -> list[Fault]:
    """Find schedulers of several nodes whose jobs ask for another number; 0.25 (`new`) lets jobs of one node be."""
    found: list[Fault] = []
    classes = {item.name: item for item in spec.resource_requirements or []}
    schedulers = {item.name: item for item in spec.slurm_schedulers or []}
    for action in spec.actions or []:
        scheduler = schedulers.get(action.scheduler) if action.action_type == "schedule_nodes" else None
        if scheduler is None or (scheduler.nodes or 1) < 2 or action.scheduler_type != "slurm":
            continue
        users = [job for job in spec.jobs if job.scheduler == scheduler.name]
        nodes = [classes[name].num_nodes or 1 for job in users if (name := job.resource_requirements or "") in classes]
        if new:
            wrong = any(count > 1 and count != scheduler.nodes for count in nodes)
        else:
            wrong = bool(users) and not action.start_one_worker_per_node and scheduler.nodes not in nodes
        if wrong:
            found.append(
                (scheduler, "nodes", f"`{scheduler.name}` has {scheduler.nodes} nodes, its jobs ask for others")
            )
    return found


def check_resources(spec: Spec) -> list[Fault]:
    """Find jobs that do not fit into their scheduler, or into any."""
    found: list[Fault] = []
    classes = {item.name: item for item in spec.resource_requirements or []}
    schedulers = {item.name: item for item in spec.slurm_schedulers or [] if item.name is not None}
    if not schedulers:
        return []
    found.extend(_unread(spec, schedulers))
    for job in spec.jobs:
        record = classes.get(job.resource_requirements or "")
        if record is None:
            continue
        found.extend((record, key, f"`{job.name}`: {fault}") for key, fault in _faults_of(record))
        if job.scheduler is not None:
            chosen = schedulers.get(job.scheduler)
            if chosen is not None:
                found.extend(
                    (job, "resource_requirements", f"`{job.name}`: {fault}") for fault in misfits(record, chosen)
                )
        elif all(misfits(record, scheduler) for scheduler in schedulers.values()):
            message = f"`{job.name}` names no scheduler, and fits into none"
            found.append((job, "resource_requirements", message))
    return found


def _unread(spec: Spec, schedulers: dict[str, SlurmScheduler]) -> Iterator[Fault]:
    for scheduler in schedulers.values():
        if scheduler.walltime is not None and parse_torc_walltime(scheduler.walltime) is None:
            yield scheduler, "walltime", f"`{scheduler.walltime}` is no walltime that torc 0.25 reads"
        if scheduler.mem is not None and parse_slurm_memory(scheduler.mem) is None:
            yield scheduler, "mem", f"`{scheduler.mem}` is no amount of memory that torc 0.25 reads"


def _faults_of(record: ResourceRequirements) -> Iterator[tuple[str, str]]:
    if record.num_gpus is not None and record.num_gpus < 0:
        yield "num_gpus", f"`num_gpus` is {record.num_gpus}"
    if parse_memory(record.memory) is None:
        yield "memory", f"`{record.memory}` is no amount of memory"
    if record.runtime is not None and parse_duration(record.runtime) is None:
        yield "runtime", f"`{record.runtime}` is no duration"


def misfits(record: ResourceRequirements, scheduler: SlurmScheduler) -> list[str]:
    """Say in what a class of resources is larger than an allocation."""
    found: list[str] = []
    runtime = parse_duration(record.runtime or "PT1H")
    walltime = parse_torc_walltime(scheduler.walltime or "01:00:00")
    if runtime is not None and walltime is not None and runtime > walltime:
        found.append(f"runtime `{record.runtime or 'PT1H'}` exceeds the walltime of `{scheduler.name}`")
    memory, limit = parse_memory(record.memory), parse_slurm_memory(scheduler.mem or "")
    if memory is not None and limit is not None and memory > limit:
        found.append(f"memory `{record.memory}` exceeds `{scheduler.mem}` of `{scheduler.name}`")
    if scheduler.gres is not None:
        gpus = _GPUS.match(scheduler.gres)
        count = int(gpus[1] or 1) if gpus else 0
        if (record.num_gpus or 0) > count:
            found.append(f"{record.num_gpus} GPUs exceed `{scheduler.gres}` of `{scheduler.name}`")
    return found


def uses(spec: Spec) -> Iterator[tuple[Job | Action, str]]:
    """Give the records that name a scheduler, with its name."""
    for job in spec.jobs:
        if job.scheduler is not None:
            yield job, job.scheduler
    for action in spec.actions or []:
        if action.scheduler is not None:
            yield action, action.scheduler
