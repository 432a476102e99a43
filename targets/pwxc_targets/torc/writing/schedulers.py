"""Allocations for jobs whose source asks for nodes itself: a scheduler for each set of options, and who asks for it.

torc's jobs ask for nothing at Slurm; workers in allocations run them. So each job gets an allocation of the kind that
it would have asked for, when it is ready or at the start (torc.md §18, §26).
"""

from __future__ import annotations

from typing import Any

import attrs

from pwxc.ir.resources import Resources
from pwxc.ir.workflow import Unit, gang_of
from pwxc_targets.torc.units import format_memory, format_walltime
from pwxc_targets.torc.writing import codes as C  # noqa: N812
from pwxc_targets.torc.writing.naming import Named, safe
from pwxc_targets.torc.writing.state import Writing

SITE_FIELDS = (
    "partition", "account", "quality", "constraint", "reservation", "node_list", "exclude_nodes", "exclusive",
    "directives", "generic",
)  # fmt: skip
"""What a class of resources says about a place in a cluster, not about a job."""
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
        self.wanted = writing.options["allocations"] != "none" and writing.workflow.dialect != "torc"

    def place(self, record: Resources | None, unit: Unit, nodes: int = 1) -> str | None:
        """Give the name of the scheduler for a unit whose lead has a class of resources; None when it needs none."""
        if record is None or not self.wanted or not any(getattr(record, name) for name in SITE_FIELDS):
            return None
        if (record.name, nodes) not in self._chosen:
            values = self._values(record, nodes)
            key = tuple(values.items())
            if key not in self.made:
                self.made[key] = Scheduler(self._name(record), values)
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
            if record.account is None and not self.writing.options["account"]:
                message = f"the scheduler for `{record.name}` needs an account"
                field = next(field for field in SITE_FIELDS if getattr(record, field))
                account.manual(field, C.ACCOUNT, message, help="give it with `--option torc.account=NAME`")

    def _values(self, record: Resources, nodes: int) -> dict[str, Any]:
        writing = self.writing
        account = writing.literal(record.account) or writing.options["account"]
        walltime = writing.number(record.walltime)
        cores = (writing.number(record.cpus) or 1) * (writing.number(record.tasks_per_node) or 1)
        memory = writing.number(record.memory)
        each = writing.number(record.memory_per_cpu)
        storage = writing.number(record.storage)
        values = {
            "account": account or "ACCOUNT",
            "partition": writing.literal(record.partition),
            "qos": writing.literal(record.quality),
            "walltime": format_walltime(walltime + MARGIN) if walltime else None,
            "nodes": (writing.number(record.nodes) or 1) * nodes,
            "mem": format_memory(memory) if memory else format_memory(each * cores) if each else None,
            "gres": self._gres(record),
            "tmp": format_memory(storage) if storage else None,
            "extra": " ".join(self._options(record, cores)) or None,
        }
        return {name: value for name, value in values.items() if value is not None}

    def _gres(self, record: Resources) -> str | None:
        count = self.writing.number(record.gpus)
        gpus = ":".join(part for part in ("gpu", record.gpu_type, str(count)) if part) if count else None
        found = [part for part in (self.writing.literal(record.generic), gpus) if part]
        return ",".join(found) or None

    def _options(self, record: Resources, cores: int) -> list[str]:
        writing = self.writing
        found = [f"--cpus-per-task={cores}"] if cores > 1 else []
        for name in ("constraint", "reservation"):
            chosen = writing.literal(getattr(record, name))
            if chosen:
                found.append(f"--{name}={chosen}")
        if record.exclude_nodes:
            found.append(f"--exclude={','.join(record.exclude_nodes)}")
        if record.node_list:
            found.append(f"--nodelist={','.join(record.node_list)}")
        if record.exclusive:
            found.append("--exclusive")
        return [*found, *(text for item in record.directives if (text := writing.literal(item)))]

    def records(self) -> list[dict[str, Any]]:
        """Give the schedulers."""
        return [{"name": item.name, **item.record} for item in self.made.values()]

    def requests(self, named: dict[str, Named]) -> list[tuple[str, tuple[str, ...], int]]:
        """Give what is asked for: a scheduler, the units that have to be ready (none: at the start), how many."""
        found: list[tuple[str, tuple[str, ...], int]] = []
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
                found.append((item.name, () if waits is None else tuple(names), min(count, MAX_ALLOCATIONS)))
        return found
