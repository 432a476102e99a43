"""One walk through a template that leaves some things open.

Parameters that are open stay expressions, an open loop is gone through once, and of an open condition every branch is
taken. With nothing open the walk renders the template.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from time import process_time
from typing import Any, TypeAlias

import attrs

from pwxc.frozen import frozen
from pwxc.source import Span
from pwxc_targets.osmo.symbolic.evaluate import (
    LONGEST_RANGE,
    MISSING,
    FailsError,
    make_range,
    present,
    printed,
)
from pwxc_targets.osmo.symbolic.scope import NOTHING, LoopState, Names, Open, close, open_leaves
from pwxc_targets.osmo.symbolic.tree import (
    Assignment,
    Branch,
    Call,
    Condition,
    Const,
    Expression,
    Joined,
    Logic,
    Loop,
    Name,
    Not,
    NotInSubsetError,
    Param,
    Path,
    Print,
    Statement,
    Text,
    Varying,
    leaves,
)

MOST_STEPS = 200_000
"""How many statements a walk may meet."""
SECONDS = 1.0
"""Processor time of one walk."""
LONGEST_OUTPUT = 16_000_000


@frozen
class Decisions:
    """What is left open: paths of parameters, and where loops and conditions begin."""

    params: frozenset[Path] = frozenset()
    loops: frozenset[int] = frozenset()
    conditions: frozenset[int] = frozenset()
    rows: Mapping[int, Sequence[Any]] = attrs.field(factory=dict)
    """What loops that are not open go through, where that is not all."""


class CulpritError(Exception):
    """Some of what is open decides the structure, so it cannot be open."""

    def __init__(
        self,
        leaves: Sequence[Param | Varying],
        loops: Sequence[int],
        conditions: Sequence[int],
        at: tuple[int, int] | Span,
    ) -> None:
        super().__init__()
        self.params = frozenset(leaf.path for leaf in leaves if isinstance(leaf, Param))
        self.loops = frozenset([*loops, *(leaf.loop for leaf in leaves if isinstance(leaf, Varying))])
        self.conditions = frozenset(conditions)
        self.places: dict[Path, tuple[int, int] | Span] = dict.fromkeys(self.params, at)

    @classmethod
    def together(cls, found: Sequence[CulpritError]) -> CulpritError:
        """Make one of several."""
        made = cls([], [], [], (0, 0))
        for culprit in found:
            made.params |= culprit.params
            made.loops |= culprit.loops
            made.conditions |= culprit.conditions
            made.places = {**culprit.places, **made.places}
        return made


@frozen
class LoopFrame:
    """An open loop around something."""

    loop: int
    targets: tuple[str, ...]
    values: Sequence[Any]
    place: tuple[int, int]
    """Where its first tag stands in the template."""

    def row(self, number: int) -> dict[tuple[int, str], Any]:
        """Give the values of one round."""
        value = self.values[number]
        columns = (value,) if len(self.targets) == 1 else tuple(value)
        made: dict[tuple[int, str], Any] = {
            (self.loop, name): item for name, item in zip(self.targets, columns, strict=True)
        }
        made[self.loop, "loop.index0"] = number
        return made


@frozen
class TestFrame:
    """An open condition around something; `test` says when it is there."""

    condition: int
    test: Expression
    place: tuple[int, int]

    @property
    def open(self) -> list[Param | Varying]:
        """What the test depends on."""
        return list(open_leaves(self.test))


Frame: TypeAlias = LoopFrame | TestFrame


@frozen
class Segment:
    """A part of the output: text, or an expression that is open; and where it comes from."""

    text: str
    expr: Expression | None
    start: int
    end: int
    literal: bool


@attrs.define(eq=False)
class Region:
    """What an open loop or a branch of an open condition makes: segments from `first` up to but not `last`."""

    frame: Frame
    first: int
    last: int = 0


@attrs.define(eq=False)
class Sketch:
    """What a walk gave."""

    segments: list[Segment] = attrs.field(factory=list)
    regions: list[Region] = attrs.field(factory=list)
    """The outer ones first."""
    assigned: list[tuple[Expression, str]] = attrs.field(factory=list)
    """What is open and has been given a name by `set`."""

    @property
    def text(self) -> str:
        """The text, when nothing is open."""
        return "".join(segment.text for segment in self.segments)


def sketch(body: tuple[Statement, ...], values: Mapping[str, Any], decisions: Decisions) -> Sketch:
    """Walk through a template.

    Raises:
        CulpritError: something that is open decides the structure.
        FailsError: rendering fails.
        NotInSubsetError: the walk is too long, or a value is outside of the subset.
    """
    walk = _Walk(decisions)
    scope = Names({name: _bound(value, (name,), decisions.params) for name, value in values.items()})
    try:
        walk.body(body, scope)
    except RecursionError:
        raise NotInSubsetError("a template nested so deeply") from None
    return walk.made


def _bound(value: Any, path: Path, params: frozenset[Path]) -> Any:
    """Give what a name of the context stands for: a value, an open expression, or a map with open values."""
    if path in params:
        return Param(path)
    if isinstance(value, dict) and any(open_path[: len(path)] == path for open_path in params):
        return Open(path, {key: _bound(item, (*path, str(key)), params) for key, item in value.items()})
    return Const(value)


class _Walk:
    def __init__(self, decisions: Decisions) -> None:
        self.decisions = decisions
        self.made = Sketch()
        self.steps = self.size = 0
        self.began = process_time()

    def body(self, body: tuple[Statement, ...], scope: Names) -> None:
        for statement in body:
            self.step()
            match statement:
                case Text():
                    self.emit(
                        Segment(statement.text, None, statement.start, statement.start + len(statement.text), True)
                    )
                case Print():
                    self.print(statement, scope)
                case Assignment():
                    value = close(statement.value, scope, (statement.start, statement.end))
                    scope.assign(statement.name, value)
                    if not isinstance(value, Const):
                        self.made.assigned.append((value, statement.name))
                case Condition():
                    self.condition(statement, scope)
                case Loop():
                    self.loop(statement, scope)

    def step(self) -> None:
        self.steps += 1
        late = self.steps % 256 == 0 and process_time() - self.began > SECONDS
        if late or self.steps > MOST_STEPS or self.size > LONGEST_OUTPUT:
            raise NotInSubsetError("a template of so much work")

    def emit(self, segment: Segment) -> None:
        self.size += len(segment.text)
        self.made.segments.append(segment)

    def print(self, statement: Print, scope: Names) -> None:
        place = statement.start, statement.end
        value = close(statement.value, scope, place)
        for part in value.items if isinstance(value, Joined) else (value,):
            if isinstance(part, Const):
                self.emit(Segment(printed(part.value), None, *place, False))
            else:
                self.emit(Segment("", part, *place, False))

    # conditions

    def condition(self, statement: Condition, scope: Names) -> None:
        place = statement.start, statement.end
        before: list[Expression] = []
        for branch in statement.branches:
            test = Const(True) if branch.test is None else close(branch.test, scope, place)
            if isinstance(test, Const):
                if test.value is MISSING:
                    raise FailsError("a value is undefined")
                if test.value:
                    self.branch(statement, branch, before, scope)
                    return
                continue
            if statement.start not in self.decisions.conditions or _assigns(branch.body):
                raise CulpritError(list(open_leaves(test)), [], [statement.start], place)
            self.branch(statement, branch, [*before, test], scope)
            before.append(Not(test))

    def branch(self, statement: Condition, branch: Branch, tests: list[Expression], scope: Names) -> None:
        if not tests:
            self.body(branch.body, scope)
            return
        if _assigns(branch.body):
            leaves = [leaf for test in tests for leaf in open_leaves(test)]
            raise CulpritError(leaves, [], [statement.start], (statement.start, statement.end))
        whole = tests[0]
        for test in tests[1:]:
            whole = Logic("and", whole, test)
        self.region(TestFrame(statement.start, whole, (statement.start, statement.end)), branch.body, scope)

    def region(self, frame: Frame, body: tuple[Statement, ...], scope: Names) -> None:
        region = Region(frame, len(self.made.segments))
        self.made.regions.append(region)
        self.body(body, scope)
        region.last = len(self.made.segments)

    # loops

    def loop(self, statement: Loop, scope: Names) -> None:
        place = statement.start, statement.end
        values = self.decisions.rows.get(statement.start)
        values = loop_values(statement, scope) if values is None else values
        if statement.start in self.decisions.loops:
            if not len(values) or statement.when is not None:
                raise CulpritError([], [statement.start], [], place)
            frame = LoopFrame(statement.start, statement.targets, values, place)
            _check_rows(frame)
            names = {name: Varying(statement.start, name) for name in statement.targets}
            state = LoopState(len(values), None, Varying(statement.start, "loop.index0"))
            self.region(frame, statement.body, scope.inner({**names, "loop": state}))
            return
        if isinstance(values, range) and len(values) > LONGEST_RANGE:
            raise FailsError("the range is too long")
        rows = list(self.rows(statement, values, scope))
        for number, row in enumerate(rows):
            self.body(statement.body, scope.inner({**row, "loop": LoopState(len(rows), number, None)}))
        if not rows:
            self.body(statement.otherwise, scope.inner({}))

    def rows(self, statement: Loop, values: Sequence[Any], scope: Names) -> Iterator[dict[str, Any]]:
        for value in values:
            self.step()
            columns = (value,) if len(statement.targets) == 1 else _unpacked(value, len(statement.targets))
            row = {name: Const(item) for name, item in zip(statement.targets, columns, strict=True)}
            if statement.when is not None:
                if any(leaf == Name("loop") for leaf in leaves(statement.when)):
                    raise NotInSubsetError("`loop` in a loop's own test")
                test = close(statement.when, scope.inner(dict(row)), (statement.start, statement.end))
                if not isinstance(test, Const):
                    raise CulpritError(list(open_leaves(test)), [], [], (statement.start, statement.end))
                if test.value is MISSING:
                    raise FailsError("a value is undefined")
                if not test.value:
                    continue
            yield row


def loop_values(statement: Loop, scope: Names) -> Sequence[Any]:
    """Give what a loop goes through, also when that is more than the service lets a range have."""
    place = statement.start, statement.end
    value: Any = None
    if isinstance(statement.values, Call) and statement.values.function == "range":
        ends = [close(end, scope, place) for end in statement.values.arguments]
        found = [leaf for end in ends for leaf in open_leaves(end)]
        value = make_range([present(end, NOTHING) for end in ends]) if not found else None
    else:
        closed = close(statement.values, scope, place)
        found = list(open_leaves(closed))
        value = present(closed, NOTHING) if not found else None
    if found:
        raise CulpritError(found, [], [], place)
    if isinstance(value, dict):
        value = list(value)
    if not isinstance(value, str | list | tuple | range):
        raise NotInSubsetError("a loop over this value", *place)
    return value


def begins_item(body: tuple[Statement, ...]) -> bool:
    """Say whether the first text of a body, comments left out, is an item of a list."""
    for statement in body:
        if isinstance(statement, Text):
            lines = [line.strip() for line in statement.text.splitlines()]
            first = next((line for line in lines if line and not line.startswith("#")), "")
            if first:
                return first.startswith("- ") or first == "-"
        elif isinstance(statement, Loop):
            return begins_item(statement.body)
        elif isinstance(statement, Condition):
            return begins_item(statement.branches[0].body)
    return False


def _unpacked(value: Any, count: int) -> tuple[Any, ...]:
    if not isinstance(value, str | list | tuple) or len(value) != count:
        raise FailsError("this value cannot be taken apart")
    return tuple(value)


def _check_rows(frame: LoopFrame) -> None:
    if len(frame.targets) > 1:
        for value in frame.values:
            _unpacked(value, len(frame.targets))


def _assigns(body: tuple[Statement, ...]) -> bool:
    """Say whether a branch gives values to names that are seen behind it."""
    for statement in body:
        if isinstance(statement, Assignment):
            return True
        if isinstance(statement, Condition) and any(_assigns(branch.body) for branch in statement.branches):
            return True
    return False
