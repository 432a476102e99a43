"""Options of a scheduler that OSMO has nothing for: what each would have done (slurm.md §6, §21)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import attrs

from pwxc.fidelity import Account
from pwxc.ir.resources import Resources, further_options
from pwxc.shell import is_variable_name
from pwxc_targets.osmo.writing import codes as C  # noqa: N812

_SIZE = re.compile(r"(\d+)([KMGTP]?)B?\Z", re.IGNORECASE)
_UNITS = {"": 2, "K": 1, "M": 2, "G": 3, "T": 4, "P": 5}
_SILENT = frozenset((
    "verbose", "quiet", "parsable", "job-name", "wait", "chdir", "test-only", "kill-on-invalid-dep",
    "no-requeue",
))  # fmt: skip
"""Options that change nothing here, or are taken up elsewhere."""
_ALL_MAILS = ("INVALID_DEPEND", "BEGIN", "END", "FAIL", "REQUEUE", "STAGE_OUT")
"""What `--mail-type=ALL` stands for."""
_DERIVED = frozenset(["gpus-per-task", "cpus-per-gpu", "mem-per-gpu", "ntasks-per-gpu", "tasks-per-gpu"])
_LOST = {
    "mail-type": "OSMO sends no mail",
    "mail-user": "OSMO sends no mail",
    "begin": "the task starts as soon as there is room",
    "deadline": "there is no time at which a task that has not ended is given up",
    "hold": "the task does not wait until somebody releases it",
    "licenses": "OSMO counts no licences, so more tasks than licences may run",
    "signal": "nothing warns the task before its time ends",
    "requeue": "OSMO starts a task anew after the loss of its node only where the site allows that",
    "nice": "priority is given at submission",
    "priority": "priority is given at submission",
    "switches": "where the nodes stand to each other is not asked for",
    "contiguous": "where the nodes stand to each other is not asked for",
    "no-kill": "the loss of a node ends the group",
    "mem": "a container does not get the whole memory of a node: ask for an amount",
    "time-min": "the time limit is never shortened",
    "singleton": "runs of the same name do not wait for each other",
    "dependency": "OSMO knows no jobs outside of the workflow",
    "bb": "there is no burst buffer",
    "bbf": "there is no burst buffer",
    "reboot": "nodes are not started anew",
    "uid": "the task runs as the user of its image",
    "gid": "the task runs as the user of its image",
}
_CHANGED = {
    "output": "what the task prints is in its log",
    "error": "what the task prints is in its log",
    "open-mode": "what the task prints is in its log",
    "comment": "a remark is no label",
    "wckey": "OSMO has no accounts to charge",
    "ntasks-per-gpu": "all processes of the task see all of its GPUs",
    "tasks-per-gpu": "all processes of the task see all of its GPUs",
    "export": "the environment is that of the image and of the task alone",
}


def standard_input(record: Resources | None) -> str | None:
    """Give the file that a script reads from, if its name is known."""
    name = further_options(record).get("input") if record is not None and record.directives else None
    return name if name and "%" not in name and name.lower() != "none" else None


def exported(record: Resources | None) -> dict[str, str]:
    """Give the variables that `--export` sets (slurm.md §11)."""
    items = further_options(record).get("export", "").split(",") if record is not None and record.directives else []
    pairs = [item.partition("=") for item in items if "=" in item]
    return {name: value for name, _, value in pairs if is_variable_name(name)}


@attrs.frozen
class Derived:
    """Amounts that follow from others: those of GPUs from tasks, or of tasks, cores and memory from GPUs."""

    gpus: int | None = None
    gpus_each: int | None = None
    """For each process."""
    cpus: int | None = None
    """For all processes of a node."""
    memory: int | None = None
    """In bytes, for a node."""


def derived(record: Resources, number: Callable[[Any], int | float | None]) -> Derived:
    """Work out what options for each task or GPU come to on one node."""
    if not record.directives:
        return Derived()
    options = further_options(record)
    tasks = _whole(number(record.tasks_per_node)) or _spread(record, number)
    gpus = _whole(number(record.gpus))
    each = _count(options.get("gpus-per-task"))
    if gpus is None and each is not None:
        gpus = each * tasks
    shared = _count(options.get("ntasks-per-gpu") or options.get("tasks-per-gpu"))
    if gpus is None and shared:
        gpus = -(-tasks // shared)
    cores, size = _count(options.get("cpus-per-gpu")), _bytes(options.get("mem-per-gpu"))
    many = gpus or 0
    return Derived(
        gpus=gpus if record.gpus is None else None,
        gpus_each=each,
        cpus=cores * many if cores and many and record.cpus is None else None,
        memory=size * many if size and many and record.memory is None else None,
    )


def _spread(record: Resources, number: Callable[[Any], int | float | None]) -> int:
    tasks, nodes = _whole(number(record.tasks)), _whole(number(record.nodes)) or 1
    return 1 if tasks is None else -(-tasks // nodes)


def _whole(value: int | float | None) -> int | None:
    return None if value is None else int(value)


def _count(text: str | None) -> int | None:
    number = (text or "").rpartition(":")[2]
    return int(number) if number.isdecimal() and len(number) < 7 else None


def _bytes(text: str | None) -> int | None:
    found = _SIZE.match(text or "")
    return int(found[1]) * 1024 ** _UNITS[found[2].upper()] if found is not None else None


def settle_directives(account: Account, record: Resources) -> None:
    """Say of each option what becomes of it, at its place; those that are lost count for the whole."""
    account.emulate("directives")
    named = sorted(further_options(record).items(), key=lambda pair: pair[0] not in _CHANGED)
    for name, value in named:
        if name in _SILENT or (name in _DERIVED and name not in _CHANGED) or _is_usual(name, value):
            continue
        shown = f"`--{name}={_as_given(name, value)}`" if value else f"`--{name}`"
        what = _CHANGED.get(name) or _LOST.get(name) or "OSMO has no such option"
        settle = account.approximate if name in _CHANGED else account.drop
        places = record.places or {}
        span = places.get(f"--{name}") or places.get("directives") or record.span
        settle("directives", C.SITE, f"{shown}: {what}", span=span)


def _as_given(name: str, value: str) -> str:
    """Give a value as people write it: a word for all kinds of mail, not each of them."""
    kinds = value.split(",")
    if name != "mail-type" or not set(_ALL_MAILS) <= set(kinds):
        return value
    return ",".join(["ALL", *(kind for kind in kinds if kind not in _ALL_MAILS)])


def _is_usual(name: str, value: str) -> bool:
    """Whether an option asks for what happens anyway."""
    if name == "export":
        return all("=" in item or item.upper() in ("ALL", "") for item in value.split(","))
    if name == "mail-type":
        return value.upper() == "NONE"
    if name == "input":
        return "%" not in value
    return name == "time" and value == "0"
