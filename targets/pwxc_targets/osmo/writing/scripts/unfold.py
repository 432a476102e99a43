"""Commands that a script starts on all nodes of its job, dealt out to the members of a group (slurm.md §21)."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence

import attrs

from pwxc.ir.found import Found, Launch
from pwxc.shell.grammar import Background
from pwxc_targets.osmo.writing.scripts.job import Job, spread
from pwxc_targets.osmo.writing.scripts.launcher import can_spread, is_lookup, parts_of, ranks, single_rank, surroundings
from pwxc_targets.osmo.writing.scripts.launches import lists_hosts
from pwxc_targets.osmo.writing.scripts.marked import Edit, edited
from pwxc_targets.osmo.writing.scripts.prologue import Statement, is_plain, is_repeatable, starts_in, statements

SINGLE = "a command over all nodes becomes the members of a group only where it is the single one of its script"
_BEFORE = "what the script does before it would be done by every member of a group"
_WITHIN = "a command over all nodes that stands in a loop, a condition or a function is not dealt out to a group"
_USED = "a command over all nodes that stands inside of another one is not dealt out to a group"
_QUOTED = "a command over all nodes that stands in a text for another shell is not dealt out to a group"
_BESIDE = "it becomes the members of a group only together with the other commands over all nodes, of which one stays"
_PART = "it runs on some of the nodes of the job, and the members of a group stand for all of them"
_IDLE = "nothing would be left for the first member of the group"
_TOGETHER = "several commands that start together have no counterpart"
_UNREAD = "the script is not understood to its end"
_ERREXIT = re.compile(r"^\s*set\s+(?:-\w*e|-o\s+errexit)", re.MULTILINE)


@attrs.frozen
class Share:
    """The ranks of one member of a group: how many there are, the first one's number, and the number of all."""

    count: int
    first: int
    total: int
    node: int
    """The number of the node among those that the command runs on."""


@attrs.frozen
class Wide:
    """A statement that starts work on several nodes; of several commands joined by `:`, all."""

    statement: Statement
    launches: tuple[Launch, ...]

    @property
    def background(self) -> bool:
        """Whether the script goes on beside it."""
        return isinstance(self.statement.node, Background)


@attrs.frozen
class Unfolding:
    """What each node of a job does: the statements in which it takes part, and its ranks there."""

    text: str
    parts: tuple[Wide, ...]
    shares: dict[int, tuple[Wide, Launch, Share]]
    """For the number of a node in the whole job; nodes without a share have nothing to do."""
    strict: bool
    """Whether a failure of any member is one of the whole."""

    def node_text(self, node: int, edits: Sequence[Edit], gpus: int | None) -> str:
        """Give the script of a node, which is not the first one's only up to the end of its own work."""
        own = self.shares.get(node)
        made = list(edits)
        for part in self.parts:
            if own is not None and part is own[0]:
                made.append(self._own(own[1], own[2], part, edits, gpus))
            else:
                made.append(Edit(part.statement.start, part.statement.end, ":"))
        if not node or own is None:
            return edited(self.text, made)
        after = own[0].statement.after
        text = edited(self.text[:after], [edit for edit in made if edit.end <= after]).rstrip("\n")
        return f"{text}\nwait $!\nexit\n" if own[0].background else f"{text}\nexit\n"

    def _own(self, launch: Launch, share: Share, part: Wide, edits: Sequence[Edit], gpus: int | None) -> Edit:
        """Put a node's own command in the place of all that start together."""
        parts = parts_of(launch, self.text)
        if share.count == 1:
            before = single_rank(share.first, share.node, share.total)
        else:
            before = ranks(str(share.count), launch, self.text, parts, gpus=gpus)
        inside = [Edit(item.layer.start, item.layer.command, "") for item in parts[1:]]
        inside += [edit for edit in edits if launch.command <= edit.start and edit.end <= launch.end]
        moved = [Edit(edit.start - launch.start, edit.end - launch.start, edit.text) for edit in inside]
        first = Edit(0, parts[0].layer.command - launch.start, " ".join([before, *surroundings(parts), ""]))
        command = edited(self.text[launch.start : launch.end], [first, *moved])
        return Edit(part.launches[0].start, part.launches[-1].end, command)


def unfold(text: str, found: Found, jobs: Sequence[Job], untouched: Sequence[Launch]) -> Unfolding | str:
    """Deal out what a script starts on several nodes; or say why that would change what the script does.

    Args:
        text: the script.
        found: what was recognised in it.
        jobs: the components of the job, of which the script runs in the first one's first node.
        untouched: launches that have to stay as they stand.
    """
    wide = _wide(text, found, jobs)
    kept = {id(launch) for launch in untouched}
    if not wide or not found.complete:
        return _UNREAD if wide else ""
    if any(id(launch) in kept and launch.container is None for launch in wide):
        return _QUOTED
    if any(id(launch) in kept or not can_spread(launch, text) for launch in wide):
        return _BESIDE
    parts = _parts(text, wide)
    if isinstance(parts, str):
        return parts
    fault = "" if _is_in_order(parts) else SINGLE
    fault = fault or _uncovered(wide, found, jobs, text)
    if fault:
        return fault
    last = parts[-1].statement
    known = [*wide, *(item for item in found.launches if is_lookup(item, text) or lists_hosts(item, jobs[0], text))]
    if not is_repeatable(text, found, before=last.after, launches=known):
        return _BEFORE
    strict = not text[last.after :].strip() or _ERREXIT.search(text[: last.start]) is not None
    return Unfolding(text, parts, _shares(parts, jobs), strict)


def _components(launch: Launch) -> tuple[int, ...]:
    return launch.components or (0,)


def _wide(text: str, found: Found, jobs: Sequence[Job]) -> list[Launch]:
    """Give the launches that run on other nodes than the first, too."""
    made = []
    for number, launch in enumerate(found.launches):
        joins = launch.joined or any(item.joined for item in found.launches[number + 1 : number + 2])
        if joins or _components(launch) != (0,) or jobs[0].nodes_of(launch) > 1:
            listing = len(jobs) == 1 and lists_hosts(launch, jobs[0], text)
            made += [] if listing or is_lookup(launch, text) else [launch]
    return made


def _uncovered(wide: Sequence[Launch], found: Found, jobs: Sequence[Job], text: str) -> str:
    """Say why not each component has at most one command, on all of its nodes, with the first one among them."""
    used: list[int] = []
    for launch in wide:
        for component in _components(launch):
            if component >= len(jobs) or jobs[component].nodes_of(launch) != jobs[component].nodes:
                return _PART
            used.append(component)
    if len(used) != len(set(used)):
        return SINGLE
    starting = {id(launch) for launch in wide}
    others = any(id(launch) not in starting and not is_lookup(launch, text) for launch in found.launches)
    return "" if 0 in used or others else _IDLE


def _parts(text: str, wide: Sequence[Launch]) -> tuple[Wide, ...] | str:
    """Find the statement of each launch; or say why there is none: it stands in a loop, a condition or a function."""
    cut = statements(text) or []
    starts = [item.start for item in cut]
    found: dict[int, list[Launch]] = {}
    for launch in wide:
        number = bisect_right(starts, launch.start) - 1
        if number < 0 or launch.start >= cut[number].end:
            return _UNREAD
        if not is_plain(cut[number].node):
            return _WITHIN
        if not launch.joined and not starts_in(cut[number].node, launch.start):
            return _USED
        found.setdefault(number, []).append(launch)
    if any(item.joined for group in found.values() for item in group[:1]):
        return _TOGETHER
    if any(not item.joined for group in found.values() for item in group[1:]):
        return SINGLE
    return tuple(Wide(cut[number], tuple(group)) for number, group in found.items())


def _is_in_order(parts: Sequence[Wide]) -> bool:
    """Whether all statements but the last are started beside the script, so that they run at the same time."""
    return all(part.background for part in parts[:-1])


def _shares(parts: Iterable[Wide], jobs: Sequence[Job]) -> dict[int, tuple[Wide, Launch, Share]]:
    before = [sum(job.nodes for job in jobs[:number]) for number in range(len(jobs))]
    shares: dict[int, tuple[Wide, Launch, Share]] = {}
    for part in parts:
        dealt = [
            (before[component] + node, launch, count)
            for launch in part.launches
            for component in _components(launch)
            for node, count in enumerate(spread(jobs[component].tasks_of(launch), jobs[component].nodes))
        ]
        total, first = sum(count for _, _, count in dealt), 0
        for number, (node, launch, count) in enumerate(dealt):
            shares[node] = part, launch, Share(count, first, total, number)
            first += count
    return shares
