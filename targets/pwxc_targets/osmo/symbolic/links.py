"""Which task an input names when loops make the tasks: its partner in the same round, all rounds, or a single task."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import attrs
from yaml.nodes import ScalarNode, SequenceNode

from pwxc.frozen import frozen
from pwxc.yaml.nodes import Document
from pwxc_targets.osmo.symbolic.scope import open_leaves
from pwxc_targets.osmo.symbolic.shapes import Place, Shape, UnexplainedError, blame
from pwxc_targets.osmo.symbolic.sketch import CulpritError, LoopFrame, TestFrame
from pwxc_targets.osmo.symbolic.sweeps import Nest
from pwxc_targets.osmo.symbolic.tree import Expression, Param, Varying, rebuilt
from pwxc_targets.osmo.tokens import MARK

Parts = tuple[str | Expression, ...]
Renaming = Mapping[tuple[int, str], tuple[int, str]]


def parts_of(text: str, marks: Sequence[Expression]) -> Parts:
    """Cut a text with marks into texts and expressions."""
    made: list[str | Expression] = []
    at = 0
    for mark in MARK.finditer(text):
        made += [text[at : mark.start()]] if mark.start() > at else []
        made.append(marks[int(mark[1])])
        at = mark.end()
    return (*made, *([text[at:]] if at < len(text) else []))


def renamed(expr: Expression, names: Renaming) -> Expression:
    """Put the variables of one nest in the place of another's."""
    if isinstance(expr, Varying):
        return Varying(*names.get((expr.loop, expr.name), (expr.loop, expr.name)))
    return rebuilt(expr, lambda part: renamed(part, names))


def _renamed_parts(parts: Parts, names: Renaming) -> Parts:
    return tuple(part if isinstance(part, str) else renamed(part, names) for part in parts)


def match_nests(one: Nest, other: Nest) -> dict[tuple[int, str], tuple[int, str]] | None:
    """Give the variables of `other` for those of `one`, if both go through the same values."""
    if len(one) != len(other):
        return None
    names: dict[tuple[int, str], tuple[int, str]] = {}
    for mine, theirs in zip(one, other, strict=True):
        alike = type(mine.values) is type(theirs.values) and mine.values == theirs.values
        if not alike or len(mine.targets) != len(theirs.targets):
            return None
        pairs = zip((*mine.targets, "loop.index0"), (*theirs.targets, "loop.index0"), strict=True)
        names |= {(mine.loop, name): (theirs.loop, called) for name, called in pairs}
    return names


@frozen
class Named:
    """A task or a group: what it is called in the first round, and how that name is made."""

    name: str
    parts: Parts
    unit: str
    """The name of its unit: of its group, or its own."""
    nest: Nest
    tests: tuple[TestFrame, ...]

    @property
    def swept(self) -> bool:
        """Whether it is made by a loop."""
        return bool(self.nest)


@attrs.define(eq=False)
class Links:
    """The tasks of a document, and how they are tied."""

    tasks: list[Named] = attrs.field(factory=list)
    groups: list[Named] = attrs.field(factory=list)
    by_item: dict[int, list[Named]] = attrs.field(factory=dict)
    """The tasks of each item of `tasks` or `groups`."""
    paired: set[tuple[str, str]] = attrs.field(factory=set)
    """Units of which each instance waits for its partner: child and parent."""
    whole: set[tuple[str, str]] = attrs.field(factory=set)
    """Units that wait for all instances of another."""
    gathered: set[tuple[str, int]] = attrs.field(factory=set)
    """Inputs that stand for those of all rounds: the task and the number."""
    renaming: dict[tuple[int, ...], Renaming] = attrs.field(factory=dict)
    """For the loops of each nest that is tied to another, the variables of the nest that stands for both."""
    nests: dict[tuple[int, ...], Nest] = attrs.field(factory=dict)

    def root(self, nest: Nest) -> Nest:
        """Give the nest that stands for one and all that are tied to it."""
        key = tuple(frame.loop for frame in nest)
        return self.nests.get(key, nest)

    def canonical(self, expr: Expression, nest: Nest) -> Expression:
        """Write an expression with the variables of the nest that stands for this one."""
        names = self.renaming.get(tuple(frame.loop for frame in nest))
        return expr if names is None else renamed(expr, names)

    def tie(self, child: Nest, parent: Nest) -> None:
        """Make one sweep of two nests that go through the same values."""
        mine, theirs = self.root(child), self.root(parent)
        if mine is theirs:
            return
        old = tuple(frame.loop for frame in mine)
        names = match_nests(mine, theirs)
        assert names is not None
        self.renaming.setdefault(old, {})
        self.nests.setdefault(old, mine)
        for key, nest in list(self.nests.items()):
            if nest is mine or key == old:
                before = self.renaming.get(key) or {}
                self.renaming[key] = {**names, **{one: names[two] for one, two in before.items()}}
                self.nests[key] = theirs


def find_links(marked: Document, first: Document, shape: Shape, marks: Sequence[Expression]) -> Links:
    """Find out what the tasks are called and which they read from.

    Raises:
        CulpritError: a name or an input has no meaning that a sweep can have.
        UnexplainedError: a name is missing.
    """
    links = Links()
    inputs: list[tuple[Named, Place]] = []
    items = marked.find(marked.root, "workflow", shape.key)
    for number in range(len(items.value) if isinstance(items, SequenceNode) else 0):
        place: Place = ("workflow", shape.key, number)
        head = _named(marked, first, place, shape, marks, "")
        if shape.key == "tasks":
            members = [(attrs.evolve(head, unit=head.name), place)]
        else:
            links.groups.append(head)
            inner = marked.find(marked.root, *place, "tasks")
            count = len(inner.value) if isinstance(inner, SequenceNode) else 0
            places = [(*place, "tasks", member) for member in range(count)]
            members = [(_named(marked, first, below, shape, marks, head.name), below) for below in places]
        links.by_item[number] = [named for named, _ in members]
        links.tasks += links.by_item[number]
        inputs += members
    _Resolver(marked, shape, marks, links).resolve(inputs)
    return links


def _named(
    marked: Document, first: Document, place: Place, shape: Shape, marks: Sequence[Expression], unit: str
) -> Named:
    node, other = marked.find(marked.root, *place, "name"), first.find(first.root, *place, "name")
    if not isinstance(node, ScalarNode) or not isinstance(other, ScalarNode):
        raise UnexplainedError
    assert isinstance(place[2], int)
    nest, tests = shape.loops(place[2]), shape.tests(place[2])
    parts = parts_of(node.value, marks)
    _check_leaves(parts, nest)
    if nest and not any(not isinstance(part, str) for part in parts):
        raise blame(*nest)
    return Named(other.value, parts, unit, nest, tests)


def _check_leaves(parts: Parts, nest: Nest) -> None:
    """Hold that a name or an input depends on nothing but the loops around it."""
    loops = {frame.loop for frame in nest}
    leaves = [leaf for part in parts if not isinstance(part, str) for leaf in open_leaves(part)]
    params = [leaf for leaf in leaves if isinstance(leaf, Param)]
    if params:
        raise CulpritError(params, [], [], nest[0].place if nest else (0, 0))
    outside = [leaf for leaf in leaves if isinstance(leaf, Varying) and leaf.loop not in loops]
    if outside:
        raise CulpritError(outside, [], [], (0, 0))


class _Resolver:
    def __init__(self, marked: Document, shape: Shape, marks: Sequence[Expression], links: Links) -> None:
        self.marked, self.shape, self.marks, self.links = marked, shape, marks, links
        self.single = {task.name: task for task in links.tasks if not task.swept}
        self.swept = [task for task in links.tasks if task.swept]

    def resolve(self, tasks: list[tuple[Named, Place]]) -> None:
        for child, place in tasks:
            items = self.marked.find(self.marked.root, *place, "inputs")
            for number in range(len(items.value) if isinstance(items, SequenceNode) else 0):
                node = self.marked.find(self.marked.root, *place, "inputs", number, "task")
                if isinstance(node, ScalarNode):
                    self._input(child, number, (*place, "inputs", number), node.value)
                elif (*place, "inputs", number) in self.shape.inputs:
                    raise blame(*(region.frame for region in self.shape.inputs[*place, "inputs", number]))
        for pair in self.links.paired & self.links.whole:
            raise blame(*next(task.nest for task in self.swept if task.unit == pair[1]))

    def _input(self, child: Named, number: int, place: Place, text: str) -> None:
        parts = parts_of(text, self.marks)
        inner = tuple(
            region.frame for region in self.shape.inputs.get(place, ()) if isinstance(region.frame, LoopFrame)
        )
        _check_leaves(parts, (*child.nest, *inner))
        if inner:
            self._gather(child, number, parts, inner)
        elif all(isinstance(part, str) for part in parts):
            self._single(child, text)
        else:
            self._partner(child, parts)

    def _gather(self, child: Named, number: int, parts: Parts, inner: Nest) -> None:
        for parent in self.swept:
            names = match_nests(parent.nest, inner)
            if self.shape.key == "groups":  # an edge to a group does not say whose data it is
                break
            if names is not None and _renamed_parts(parent.parts, names) == parts:
                self._hold(child, parent)
                self.links.whole.add((child.unit, parent.unit))
                self.links.gathered.add((child.name, number))
                return
        raise blame(*inner)

    def _partner(self, child: Named, parts: Parts) -> None:
        for parent in self.swept:
            names = match_nests(parent.nest, child.nest)
            same = parent.nest == child.nest and parent.parts == parts
            if same or (names is not None and _renamed_parts(parent.parts, names) == parts):
                self._hold(child, parent)
                self.links.tie(child.nest, parent.nest)
                self.links.paired.add((child.unit, parent.unit))
                return
        raise blame(*child.nest)

    def _single(self, child: Named, text: str) -> None:
        if text in self.single:
            self._hold(child, self.single[text])
            return
        for parent in self.swept:
            pattern = "".join(re.escape(part) if isinstance(part, str) else ".+" for part in parent.parts)
            if re.fullmatch(pattern, text):
                raise blame(*parent.nest)
        if ":" not in text:
            raise UnexplainedError

    def _hold(self, child: Named, parent: Named) -> None:
        """Hold that a parent is there whenever its child is."""
        own = [test.test for test in child.tests]
        missing = [test for test in parent.tests if test.test not in own]
        if missing:
            raise blame(*missing)


def patterns(links: Links) -> Iterator[Named]:
    """Give all that has a name, groups first."""
    yield from links.groups
    yield from links.tasks
