"""Allocations for jobs whose source asks for nodes itself: a scheduler for each set of options, and who asks for it.

torc's jobs ask for nothing at Slurm; workers in allocations run them. So each job gets an allocation of the kind that
it would have asked for, when it is ready or at the start (torc.md §18, §26).
"""

from __future__ import annotations

from typing import Any

import attrs

from pwxc.ir.resources import Resources
from pwxc.ir.workflow import Unit, gang_of
from pwxc.source import Span
from pwxc_targets.torc.units import format_memory, format_walltime
from pwxc_targets.torc.writing import codes as C  # noqa: N812
from pwxc_targets.torc.writing.amounts import Amounts, amounts
from pwxc_targets.torc.writing.naming import Named, safe
from pwxc_targets.torc.writing.options import INCIDENTAL, for_allocation, place_of_option, settle_options
from pwxc_targets.torc.writing.state import FIRST_RUNTIME, Writing

SITE_FIELDS = (
    "partition", "account", "quality", "constraint", "reservation", "node_list", "exclude_nodes", "exclusive",
    "generic",
)  # fmt: skip
"""What a class of resources says about a place in a cluster, not about a job; its further options apart."""
_SUBMITTING = ("slurm", "pw")
"""Systems that submit each job to Slurm: several nodes, disks and kinds of processors are asked for there."""
MARGIN = 600
"""Seconds that an allocation lasts longer than its jobs, which start after the worker and end before it."""
MAX_ALLOCATIONS = 1000
"""How many allocations of a kind an action asks for at once."""


@attrs.define
class Scheduler:
    """A kind of allocation, and the units whose jobs are to run in it."""

    name: str
    record: dict[str, Any]
    units: dict[str, Unit] = attrs.field(factory=dict)
    alone: bool = False
    """A job there has the nodes for itself."""


@attrs.frozen
class Asked:
    """A request for allocations: of a kind, when some units are ready (none: at the start), how many."""

    scheduler: str
    units: tuple[str, ...]
    count: int
    alone: bool = False


class Schedulers:
    """The schedulers that the jobs of other systems need."""

    def __init__(self, writing: Writing) -> None:
        self.writing = writing
        self.made: dict[tuple[Any, ...], Scheduler] = {}
        self._chosen: dict[tuple[str, int], Scheduler] = {}
        self.covered: set[str] = set()
        """Classes of resources whose site is said by a scheduler."""
        self.gangs = gang_of(writing.workflow)
        taken = {item.name for item in writing.workflow.allocations}
        self._taken = taken

    def place(self, record: Resources | None, unit: Unit, nodes: int = 1) -> str | None:
        """Give the name of the scheduler for a unit whose lead has a class of resources; None when it needs none."""
        if record is None or not needs_scheduler(self.writing, record):
            return None
        if (record.name, nodes) not in self._chosen:
            values = self._values(record, nodes)
            key = tuple(values.items())
            if key not in self.made:
                self.made[key] = Scheduler(self._name(record), values, alone=bool(record.exclusive))
            self._chosen[record.name, nodes] = self.made[key]
            self.covered.add(record.name)
            self._settle(record, self.made[key].name)
        chosen = self._chosen[record.name, nodes]
        chosen.units[unit.name] = unit
        return chosen.name

    def _name(self, record: Resources) -> str:
        base = safe(self.writing.literal(record.partition) or self.writing.literal(record.quality) or record.name)
        name, number = base, 1
        while name in self._taken:
            number += 1
            name = f"{base}_{number}"
        self._taken.add(name)
        return name

    def _settle(self, record: Resources, name: str) -> None:
        with self.writing.ledger.of(record) as account:
            account.emulate("gpu_type", "storage")
            message = f"jobs run in allocations of `{name}`, which workers share, and ask for none of their own"
            for field in SITE_FIELDS:
                account.approximate(field, C.ALLOCATIONS, message, once=True)
            for item in for_allocation(self.writing, record):
                span = place_of_option(record, item)
                account.approximate("directives", C.ALLOCATIONS, message, span=span, once=True)
            settle_options(self.writing, account, record, name)
            if record.exclusive:
                message = f"`{name}` has nodes of its own, and a worker there runs one job at once"
                account.approximate("exclusive", C.OF_ALLOCATION, message)
            if record.account is None and not self.writing.options["account"]:
                message = f"the scheduler `{name}` needs an account"
                field, span = self._reason(record)
                help_text = "give it with `--option torc.account=NAME`"
                account.manual(field, C.ACCOUNT, message, span=span, help=help_text, once=True)

    def _reason(self, record: Resources) -> tuple[str, Span | None]:
        """Give the field that makes a scheduler needed, and the place of the option where it is one of several."""
        asked = [item for item in for_allocation(self.writing, record) if item.name not in INCIDENTAL]
        fields = [name for name in (*SITE_FIELDS, "nodes", "gpu_type", "storage") if getattr(record, name)]
        if asked and not (fields and fields[0] in SITE_FIELDS):
            return "directives", place_of_option(record, asked[0])
        return (fields[0] if fields else "name"), None

    def _values(self, record: Resources, nodes: int) -> dict[str, Any]:
        writing = self.writing
        amount = amounts(writing, record)
        account = writing.literal(record.account) or writing.options["account"]
        storage = writing.number(record.storage)
        generic = self._gres(record)
        values = {
            "account": account or "ACCOUNT",
            "partition": writing.literal(record.partition),
            "qos": writing.literal(record.quality),
            "walltime": format_walltime((amount.walltime or FIRST_RUNTIME) + MARGIN),
            "nodes": (amount.nodes or 1) * nodes,
            "mem": format_memory(amount.memory) if amount.memory else None,
            "gres": generic[0] if len(generic) == 1 else None,
            "tmp": format_memory(storage) if storage else None,
            "ntasks_per_node": writing.number(record.tasks_per_node),
            "extra": " ".join(self._options(record, amount, nodes)) or None,
        }
        return {name: value for name, value in values.items() if value is not None}

    def _gres(self, record: Resources) -> list[str]:
        count = self.writing.number(record.gpus)
        gpus = ":".join(part for part in ("gpu", record.gpu_type, str(count)) if part) if count else None
        return [part for part in (gpus, self.writing.literal(record.generic)) if part]

    def _options(self, record: Resources, amount: Amounts, nodes: int) -> list[str]:
        writing = self.writing
        found = self._layout(record, amount, nodes)
        for name in ("constraint", "reservation"):
            chosen = writing.literal(getattr(record, name))
            if chosen:
                found.append(f"--{name}={chosen}")
        generic = self._gres(record)
        if len(generic) > 1:
            # torc compares a list of several kinds as one without graphics processors
            found.append(f"--gres={','.join(generic)}")
        if record.exclude_nodes:
            found.append(f"--exclude={','.join(record.exclude_nodes)}")
        if record.node_list:
            found.append(f"--nodelist={','.join(record.node_list)}")
        if record.exclusive:
            found.append("--exclusive")
        return [*found, *(item.line for item in for_allocation(writing, record))]

    def _layout(self, record: Resources, amount: Amounts, nodes: int) -> list[str]:
        """Give the processes and their cores, which torc itself never hands to `sbatch` (torc.md §8, §17)."""
        number = self.writing.number
        total, by_node, cpus = number(record.tasks), number(record.tasks_per_node), number(record.cpus)
        found = [f"--ntasks={total * nodes}"] if total else []
        found += [f"--ntasks-per-node={by_node}"] if by_node else []
        found += [f"--cpus-per-task={cpus}"] if cpus and (cpus > 1 or found) else []
        return found

    def records(self) -> list[dict[str, Any]]:
        """Give the schedulers."""
        return [{"name": item.name, **item.record} for item in self.made.values()]

    def requests(self, named: dict[str, Named]) -> list[Asked]:
        """Give what is asked for."""
        found: list[Asked] = []
        for item in self.made.values():
            groups: dict[Any, list[str]] = {}
            for unit in item.units.values():
                early = self.writing.options["allocations"] == "start" or not unit.needs
                waits = frozenset((edge.parent, edge.when) for edge in unit.needs)
                groups.setdefault(None if early else waits, []).append(unit.name)
            for waits, names in groups.items():
                count = sum(named[name].size for name in names)
                if count > MAX_ALLOCATIONS:
                    message = f"{MAX_ALLOCATIONS:,} of {count:,} allocations of `{item.name}` are asked for"
                    self.writing.ledger.add_once(C.MANY_ALLOCATIONS, message, item.units[names[0]].span)
                units = () if waits is None else tuple(names)
                found.append(Asked(item.name, units, min(count, MAX_ALLOCATIONS), item.alone))
        return found


def needs_scheduler(writing: Writing, record: Resources) -> bool:
    """Whether a class of resources asks for what only an allocation has."""
    if writing.options["allocations"] == "none" or writing.workflow.dialect == "torc":
        return False
    if any(getattr(record, name) for name in SITE_FIELDS):
        return True
    if any(item.name not in INCIDENTAL for item in for_allocation(writing, record)):
        return True
    submitting = writing.workflow.dialect in _SUBMITTING
    return submitting and ((writing.number(record.nodes) or 1) > 1 or bool(record.gpu_type) or bool(record.storage))
