"""How much of a node a job takes: the numbers of a class of resources and of its further options, multiplied out."""

from __future__ import annotations

import re

import attrs

from pwxc.ir.resources import Resources
from pwxc_targets.torc.writing.options import options_of
from pwxc_targets.torc.writing.state import Writing

UNLIMITED = 365 * 86_400
"""Seconds that stand for a time limit of none."""
_COUNT = re.compile(r"(?:[A-Za-z][\w.-]*:)?(\d+)\Z")
_SIZE = re.compile(r"(\d+)([KMGT]?)B?\Z", re.I)
_PART = re.compile(r"(cpu|gres/gpu)(?::[A-Za-z][\w.-]*)?[=:](\d+)\Z")


@attrs.frozen
class Amounts:
    """What one node gives: processes, cores, bytes, graphics processors; and how many nodes, for how many seconds.

    None is what the source leaves to its site.
    """

    nodes: int | None
    tasks: int
    cores: int
    memory: int | None
    gpus: int | None
    walltime: int | None


def amounts(writing: Writing, record: Resources) -> Amounts:
    """Multiply out what a class asks for by task, by core and by graphics processor."""
    number = writing.number
    nodes, total = number(record.nodes), number(record.tasks)
    tasks = number(record.tasks_per_node) or 1
    if total and tasks == 1:
        tasks = max(1, -(-total // (nodes or 1)))
    given = {item.name: item.value or "" for item in options_of(writing, record)}
    parts = dict(_PART.findall(part)[0] for part in given.get("tres-per-task", "").split(",") if _PART.match(part))
    gpus = number(record.gpus)
    if gpus is None:
        gpus = _gpus(given, int(parts.get("gres/gpu", 0)), tasks)
    cpus = number(record.cpus) or int(parts.get("cpu", 0))
    cores = (cpus or 1) * tasks
    per_gpu = _count(given.get("cpus-per-gpu"))
    if not cpus and per_gpu and gpus:
        cores = max(cores, per_gpu * gpus)
    cores = max(cores, _count(given.get("mincpus")) or 0)
    return Amounts(nodes, tasks, cores, _memory(writing, record, given, cores, gpus), gpus, _walltime(record, writing))


def _gpus(given: dict[str, str], each: int, tasks: int) -> int | None:
    by_task = _count(given.get("gpus-per-task")) or each
    if by_task:
        return by_task * tasks
    by_socket = _count(given.get("gpus-per-socket"))
    if by_socket:
        return by_socket * (_count(given.get("sockets-per-node")) or 1)
    sharing = _count(given.get("ntasks-per-gpu"))
    return -(-tasks // sharing) if sharing else None


def _memory(writing: Writing, record: Resources, given: dict[str, str], cores: int, gpus: int | None) -> int | None:
    whole, each = writing.number(record.memory), writing.number(record.memory_per_cpu)
    if whole is not None or each:
        return whole if whole is not None else (each or 0) * cores
    found = _SIZE.match(given.get("mem-per-gpu", ""))
    if found is None or not gpus:
        return None
    power: int = "KMGT".index(found[2].upper() or "M") + 1
    return int(found[1]) * int(1024**power) * gpus


def _walltime(record: Resources, writing: Writing) -> int | None:
    if record.walltime is None and any(
        item.name == "time" and item.value == "0" for item in options_of(writing, record)
    ):
        return UNLIMITED
    return writing.number(record.walltime)


def _count(value: str | None) -> int | None:
    """Read `[TYPE:]N`, or a list of such, as a number."""
    if not value:
        return None
    found = [_COUNT.match(part) for part in value.split(",")]
    return sum(int(part[1]) for part in found if part) if all(found) else None
