"""What becomes of the commands that a script starts through launchers, on one node or on the nodes of a group."""

from __future__ import annotations

import re
from collections.abc import Sequence

import attrs

from pwxc.ir.found import Found, Launch
from pwxc_targets.osmo.writing import codes as C  # noqa: N812
from pwxc_targets.osmo.writing.scripts.job import Job
from pwxc_targets.osmo.writing.scripts.launcher import (
    Part,
    is_container,
    is_lookup,
    is_mpi,
    is_naming,
    is_placed,
    loads_mpi,
    parts_of,
    patterned_streams,
    ranks,
    shown,
    shown_command,
    surroundings,
    wants_mpi,
)
from pwxc_targets.osmo.writing.scripts.marked import Edit, Told

_WORD = re.compile(r"\S+")


@attrs.define
class Outcome:
    """What a script's launches became: changes of the text, and what is said."""

    edits: list[Edit] = attrs.field(factory=list)
    told: list[Told] = attrs.field(factory=list)
    mpi: bool = False
    """Whether an MPI's own launcher stays."""
    copies: bool = False
    """Whether a command is started more than once, so that the program for it is needed."""


class Launches:
    """Takes the launchers out of one script; `kept` are launches that stay for another reason.

    `wide` says that the job has more than the first node, of its own or of further components; `folded` says why a
    command over all of them is not dealt out to the members of a group.
    """

    def __init__(
        self,
        text: str,
        found: Found,
        job: Job,
        kept: Sequence[Launch],
        quoted: Sequence[Launch],
        *,
        wide: bool,
        folded: str = "",
    ) -> None:
        self.text, self.job, self.wide, self.folded = text, job, wide, folded
        self.loaded = loads_mpi(found.software)
        self.kept = {id(launch) for launch in kept}
        self.quoted = {id(launch) for launch in quoted}
        """Launches in the text of another shell, in which nothing can be quoted."""
        self.made = Outcome()

    def one_node(self, launches: Sequence[Launch]) -> Outcome:
        """Take out the launchers of a script that runs on one node, or in the first of several."""
        for number, launch in enumerate(launches):
            if id(launch) in self.kept:
                continue
            if launch.joined or any(item.joined for item in launches[number + 1 : number + 2]):
                self._keep(launch, "several commands that start together have no counterpart")
            else:
                self._launch(launch)
        return self.made

    def _launch(self, launch: Launch) -> None:
        parts = parts_of(launch, self.text)
        if lists_hosts(launch, self.job, self.text) and id(launch) not in self.quoted:
            self._list_hosts(launch)
            return
        fault = self._fault(launch, parts)
        if fault is not None:
            self._keep(launch, fault)
            return
        count = "1" if is_lookup(launch, self.text) else self._count(launch, parts)
        if is_mpi(parts[0].layer):
            self._mpi(launch, parts, count)
        elif count == "1":
            self._replace(launch, parts, "")
        else:
            self.made.copies = True
            mpi = wants_mpi(parts, loaded=self.loaded)
            self._replace(launch, parts, ranks(count, launch, self.text, parts, gpus=self.job.gpus_each, mpi=mpi))
            shown_count = f"the {count} copies" if count.isdecimal() else "the copies"
            means = (
                "with the image's `mpirun`, or without MPI if it has none" if mpi else "beside each other, without MPI"
            )
            message = f"{shown_count} of `{shown_command(launch, self.text)}` start {means}"
            self.made.told.append(Told(C.RANKS, message, launch.span))

    def _list_hosts(self, launch: Launch) -> None:
        """Print the members' addresses instead, each as often as it has ranks."""
        each = self.job.tasks_of(launch) // self.job.nodes
        repeated = f" | awk '{{ for (i = 0; i < {each}; i++) print }}'" if each > 1 else ""
        text = f'scontrol show hostnames "$SLURM_JOB_NODELIST"{repeated}'
        self.made.edits.append(Edit(launch.start, launch.end, text))

    def _keep(self, launch: Launch, fault: str) -> None:
        message = f"`{shown(launch, self.text)}`: {fault}"
        self.made.told.append(Told(C.LAUNCHER, message, launch.span, manual=True))

    def _fault(self, launch: Launch, parts: list[Part]) -> str | None:
        """Say why a launcher stays in the text."""
        first = parts[0]
        if launch.multi:
            return "the file with the command of each rank is known only in the run"
        if launch.command >= launch.end:
            return "there is no command behind the launcher"
        if not all(part.understood for part in parts):
            return "some of its options are known only in the run"
        if is_mpi(first.layer) and self.job.nodes > 1 and launch.tasks != 1:
            return "its ranks reach the other nodes only if the image lets them log in there"
        if self.wide and not is_mpi(first.layer):
            return self._fault_of_nodes(launch, first)
        return None

    def _fault_of_nodes(self, launch: Launch, first: Part) -> str | None:
        if is_lookup(launch, self.text):
            return None
        if is_placed(first):
            return "the step runs on nodes that are chosen in the run"
        if launch.components and launch.components != (0,):
            return "the step runs in another component of the job"
        if self.job.nodes_of(launch) > 1:
            return self.folded or "it starts work on other nodes than the first"
        return None

    def _count(self, launch: Launch, parts: list[Part]) -> str:
        """Give how many copies run, as a word of the script."""
        if launch.open and launch.tasks is None:
            raw = parts[0].value("ntasks", "n", "np")
            if raw is not None and not raw.isdecimal():
                return raw if raw.startswith('"') or not raw.startswith("$") else f'"{raw}"'
        return str(self.job.tasks_of(launch))

    def _mpi(self, launch: Launch, parts: list[Part], count: str) -> None:
        """Leave an MPI's own launcher, which has to be in the image; a single rank needs none."""
        if count == "1":
            self._replace(launch, parts, "")
            return
        first = parts[0].layer
        name = self.text[first.start : first.start + len(_name(self.text, first.start))]
        given = launch.tasks is not None or launch.tasks_per_node is not None or launch.open
        own = self.text[first.start + len(name) : first.command]
        self._replace(launch, parts, f"{name}{'' if given else f' -n {count}'}{own}".rstrip())
        self.made.mpi = True
        message = f"`{shown(launch, self.text)}`: the image has to have `{first.program}`"
        self.made.told.append(Told(C.LAUNCHER, message, launch.span, manual=True))

    def _replace(self, launch: Launch, parts: list[Part], before: str) -> None:
        """Put what stands for the launchers in their place."""
        pattern = patterned_streams(parts)
        if pattern is not None:
            message = f"`{pattern}`: what the ranks print goes to the log of the task"
            self.made.told.append(Told(C.LAUNCHER, message, launch.span))
        inside = surroundings(parts)
        if inside and id(launch) in self.quoted:
            self._keep(launch, "its options cannot be written inside a quoted text")
            return
        words = " ".join([*([before] if before else []), *inside])
        start = launch.start
        end = parts[0].layer.command
        self.made.edits.append(Edit(start, end, f"{words} " if words else ""))
        for part in parts[1:]:
            if is_container(part.layer) or not is_mpi(part.layer):
                self.made.edits.append(Edit(part.layer.start, part.layer.command, ""))


def lists_hosts(launch: Launch, job: Job, text: str) -> bool:
    """Whether a launch prints the names of all nodes (`srun hostname`)."""
    even = job.tasks_of(launch) % job.nodes == 0
    return even and job.nodes_of(launch) == job.nodes > 1 and is_naming(launch, text) and not launch.container


def _name(text: str, at: int) -> str:
    found = _WORD.match(text, at)
    return found.group() if found is not None else ""
