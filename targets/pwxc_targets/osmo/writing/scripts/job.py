"""What a job has been given, as its launchers see it (slurm.md §14)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import attrs

from pwxc.ir.found import Launch
from pwxc.ir.resources import Resources
from pwxc_targets.osmo.writing.directives import derived

_STARTS_MANY = re.compile(r"(?:srun|\w*mpi[\w.]*|orterun|prterun|prun|aprun|ibrun|jsrun|lrun|ccc_mprun|gerun|mpprun)\Z")
"""Launchers that start as many copies as the job has tasks."""
Number = Callable[[Any], int | float | None]


@attrs.frozen
class Job:
    """The numbers of one component of a job; None where the source does not say them."""

    nodes: int = 1
    tasks: int | None = None
    per_node: int | None = None
    cpus: int | None = None
    gpus: int | None = None
    gpus_each: int | None = None
    """For each process, where the job itself says so."""

    @classmethod
    def of(cls, record: Resources | None, number: Number) -> Job:
        """Read a class of resources."""
        if record is None:
            return cls()

        def whole(value: Any) -> int | None:
            found = number(value) if value is not None else None
            return None if found is None else max(0, int(found))

        gpus, more = whole(record.gpus), derived(record, number)
        return cls(
            nodes=max(1, whole(record.nodes) or 1),
            tasks=whole(record.tasks),
            per_node=whole(record.tasks_per_node),
            cpus=whole(record.cpus),
            gpus=more.gpus if gpus is None else gpus,
            gpus_each=more.gpus_each,
        )

    @property
    def given_tasks(self) -> int | None:
        """How many tasks `SLURM_NTASKS` tells: those that were asked for."""
        if self.tasks is not None or self.per_node is None:
            return self.tasks
        return self.per_node * self.nodes

    @property
    def most_tasks(self) -> int:
        """How many tasks a launcher starts that is given no number."""
        return self.given_tasks or self.nodes

    def nodes_of(self, launch: Launch) -> int:
        """Give the number of nodes that a launch covers."""
        if _STARTS_MANY.match(launch.program) is None:
            return 1
        nodes = launch.nodes or self.nodes
        return min(nodes, launch.tasks) if launch.tasks is not None else nodes

    def tasks_of(self, launch: Launch) -> int:
        """Give the number of copies that a launch starts; a container runtime alone starts one."""
        if _STARTS_MANY.match(launch.program) is None:
            return 1
        if launch.tasks is not None:
            return launch.tasks
        if launch.tasks_per_node is not None:
            return launch.tasks_per_node * self.nodes_of(launch)
        return self.given_tasks or self.nodes_of(launch)


def spread(tasks: int, nodes: int) -> list[int]:
    """Give the number of tasks on each node, as Slurm's block distribution deals them out."""
    each, more = divmod(tasks, nodes)
    return [each + (node < more) for node in range(nodes)]


def runs(counts: list[int]) -> str:
    """Write numbers as Slurm does: `2(x3),1`."""
    made: list[list[int]] = []
    for count in counts:
        if made and made[-1][0] == count:
            made[-1][1] += 1
        else:
            made.append([count, 1])
    return ",".join(str(count) if times == 1 else f"{count}(x{times})" for count, times in made)
