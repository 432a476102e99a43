"""Which items of a document an open loop or condition makes."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import TypeAlias

import attrs
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from pwxc.yaml.nodes import Document
from pwxc_targets.osmo.symbolic.output import Output
from pwxc_targets.osmo.symbolic.sketch import CulpritError, Frame, LoopFrame, Region, TestFrame

Place: TypeAlias = tuple[str | int, ...]
"""Keys and indexes from the root of a document."""

_LISTS = (("workflow", "tasks"), ("workflow", "groups"))


class UnexplainedError(Exception):
    """The document is not what was expected, and no single cause is known."""


@attrs.define(eq=False)
class Shape:
    """The regions around the items of `tasks` or `groups`, and around the items of a task's `inputs`."""

    key: str = "tasks"
    items: dict[int, tuple[Region, ...]] = attrs.field(factory=dict)
    """The regions around an item, the outer ones first."""
    inputs: dict[Place, tuple[Region, ...]] = attrs.field(factory=dict)
    """Likewise for the items of `inputs`, by their places; those around the whole task are left out."""

    def loops(self, item: int) -> tuple[LoopFrame, ...]:
        """Give the loops around an item."""
        return tuple(region.frame for region in self.items.get(item, ()) if isinstance(region.frame, LoopFrame))

    def tests(self, item: int) -> tuple[TestFrame, ...]:
        """Give the conditions around an item."""
        return tuple(region.frame for region in self.items.get(item, ()) if isinstance(region.frame, TestFrame))


def find_shape(document: Document, output: Output) -> Shape:
    """Find the items of each region.

    Raises:
        CulpritError: a region is not made of whole tasks, groups or inputs.
        UnexplainedError: the document has anchors, or both tasks and groups.
    """
    scalars = list(_scalars(document.root, ()))
    if len({id(node) for node, _ in scalars}) < len(scalars):
        raise UnexplainedError
    shape = Shape("groups" if document.find(document.root, "workflow", "groups") is not None else "tasks")
    faults: list[CulpritError] = []
    starts = [node.start_mark.index for node, _ in scalars]
    for region in output.sketch.regions:
        low = bisect_left(starts, output.starts[region.first])
        high = bisect_left(starts, output.starts[region.last])
        around = [scalars[at][1] for at in (low - 1, high) if 0 <= at < len(scalars)]
        places = _items([place for _, place in scalars[low:high]], around)
        repeats_groups = isinstance(region.frame, LoopFrame) and any(
            place[1:2] == ("groups",) for place in places or ()
        )
        if places is None or repeats_groups:  # not every system can repeat a whole gang
            faults.append(blame(region.frame))
        for place in places or ():
            if len(place) == 3:
                if place[1] != shape.key:
                    raise UnexplainedError
                assert isinstance(place[2], int)
                shape.items[place[2]] = (*shape.items.get(place[2], ()), region)
            else:
                if isinstance(region.frame, TestFrame):
                    faults.append(blame(region.frame))
                shape.inputs[place] = (*shape.inputs.get(place, ()), region)
    if faults:
        raise CulpritError.together(faults)
    return shape


def blame(*frames: Frame) -> CulpritError:
    """Say that loops or conditions cannot be open."""
    loops = [frame.loop for frame in frames if isinstance(frame, LoopFrame)]
    tests = [frame.condition for frame in frames if isinstance(frame, TestFrame)]
    leaves = [leaf for frame in frames if isinstance(frame, TestFrame) for leaf in frame.open]
    return CulpritError(leaves if not loops else [], loops, tests, frames[0].place)


def _items(inside: list[Place], around: list[Place]) -> list[Place] | None:
    """Give the places of the items that the scalars inside a region make up, if none has a scalar just outside."""
    for depth in (3, 5, 7):
        places = dict.fromkeys(place[:depth] for place in inside)
        if not places or any(len(place) < depth or not _is_item(place) for place in places):
            continue
        alike = depth == 3 or len({place[:-1] for place in places}) == 1
        if alike and not any(place[:depth] in places for place in around):
            return list(places)
    return None


def _is_item(place: Place) -> bool:
    if len(place) == 3:
        return place[:2] in _LISTS
    in_task = place[:2] == _LISTS[0] and len(place) == 5
    in_member = place[:2] == _LISTS[1] and len(place) == 7 and place[3] == "tasks"
    return (in_task or in_member) and place[-2] == "inputs"


def _scalars(node: Node, place: Place) -> Iterator[tuple[ScalarNode, Place]]:
    if isinstance(node, SequenceNode):
        for number, item in enumerate(node.value):
            yield from _scalars(item, (*place, number))
    elif isinstance(node, MappingNode):
        for key, value in node.value:
            if isinstance(key, ScalarNode):
                yield key, (*place, "", key.value)
                yield from _scalars(value, (*place, key.value))
    elif isinstance(node, ScalarNode):
        yield node, place
