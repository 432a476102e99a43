"""The symbolic reading of a file, where it is the same as the concrete one (docs/architecture.md).

A first try leaves everything open that may be: every parameter, every loop and every condition. What turns out to
decide something that the IR cannot leave open is closed, and the next try is made, until one holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs

from pwxc.diagnostics import Diagnostics
from pwxc.ir.expr import Expr, Ref
from pwxc.ir.sweep import Sweep
from pwxc.source import Source, Span
from pwxc.yaml.nodes import Document
from pwxc_targets.osmo.symbolic.compare import Comparison
from pwxc_targets.osmo.symbolic.evaluate import FailsError, evaluate, printed
from pwxc_targets.osmo.symbolic.holes import Holes, marks_in_order
from pwxc_targets.osmo.symbolic.links import Links, find_links
from pwxc_targets.osmo.symbolic.long import check_names
from pwxc_targets.osmo.symbolic.lowering import tree_of, truth_with, value
from pwxc_targets.osmo.symbolic.output import Output
from pwxc_targets.osmo.symbolic.parsing import Body, bind_tokens, parse
from pwxc_targets.osmo.symbolic.probes import find_probes
from pwxc_targets.osmo.symbolic.scope import Row
from pwxc_targets.osmo.symbolic.shapes import Shape, UnexplainedError, find_shape
from pwxc_targets.osmo.symbolic.sketch import CulpritError, Decisions, Region, Sketch, TestFrame, begins_item, sketch
from pwxc_targets.osmo.symbolic.sweeps import first_row
from pwxc_targets.osmo.symbolic.tree import (
    Condition,
    Expression,
    Filter,
    Loop,
    Name,
    NotInSubsetError,
    Param,
    Path,
    Statement,
    expressions,
    leaves,
    statements,
)
from pwxc_targets.osmo.template.expand import Expanded, Settings, expand, finish
from pwxc_targets.osmo.template.parameters import MARK_LETTER, Parameters, can_be_open, value_leaves
from pwxc_targets.osmo.template.text import mask, without_last_newline

MOST_TRIES = 40


@attrs.define(eq=False)
class Symbolic:
    """A file read symbolically: its document has the first round of every loop and every branch."""

    document: Document
    parameters: Parameters
    shape: Shape
    links: Links
    holes: Holes
    sweeps: dict[str, Sweep]
    """The sweep of each task that has one, by its name in the first round."""
    conditions: dict[int, Expr]
    """The condition of each item of `tasks` or `groups` that has one."""


def read_symbolically(
    source: Source, settings: Settings, expanded: Expanded, holds: Callable[[Document], bool]
) -> Symbolic | None:
    """Read a template symbolically; None when it cannot be.

    `holds` says whether a document keeps the rules of the service.
    """
    part = expanded.part
    if part is None or MARK_LETTER in source.text:
        return None
    masked = mask(without_last_newline(part.text))
    try:
        body = bind_tokens(parse(masked.text), masked.tokens)
        tries = _Tries(source, settings, expanded, body, frozenset(masked.tokens), holds)
        return tries.first_that_holds()
    except (NotInSubsetError, FailsError, UnexplainedError, RecursionError):
        return None


@attrs.define(eq=False)
class _Tries:
    source: Source
    settings: Settings
    expanded: Expanded
    body: Body
    tokens: frozenset[str]
    holds: Callable[[Document], bool]
    params: dict[Path, Any] = attrs.field(factory=dict)
    places: dict[Path, Span] = attrs.field(factory=dict)
    """Where a parameter turned out to decide the structure."""

    def first_that_holds(self) -> Symbolic | None:
        values = dict(value_leaves(self.expanded.values))
        if any(MARK_LETTER in str(item) for item in values.values()):
            return None
        self.params = values
        decisions = Decisions(
            frozenset(path for path, item in values.items() if can_be_open(item)),
            frozenset(_likely_loops(self.body)),
            frozenset(item.start for item in statements(self.body) if isinstance(item, Condition)),
        )
        for _ in range(MOST_TRIES):
            try:
                found = self._try(decisions)
            except CulpritError as culprit:
                decisions = self._without(decisions, culprit)
            except UnexplainedError:
                if not decisions.conditions and not decisions.loops:
                    return None
                kept = decisions.loops if decisions.conditions else frozenset()
                decisions = attrs.evolve(decisions, loops=kept, conditions=frozenset())
            else:
                return found
        return None

    def _without(self, decisions: Decisions, culprit: CulpritError) -> Decisions:
        fewer = Decisions(
            decisions.params - culprit.params,
            decisions.loops - culprit.loops,
            decisions.conditions - culprit.conditions,
        )
        if fewer == decisions:
            raise UnexplainedError
        assert self.expanded.part is not None
        for path, at in culprit.places.items():
            self.places.setdefault(path, at if isinstance(at, Span) else self._place(path[0], at))
        return fewer

    def _place(self, name: str, tag: tuple[int, int]) -> Span:
        """Give where a tag names a parameter."""
        part = self.expanded.part
        assert part is not None
        found = re.compile(rf"\b{re.escape(name)}\b").search(part.text, *tag)
        return part.span(*(found.span() if found is not None else tag))

    def _try(self, decisions: Decisions) -> Symbolic:
        made = sketch(self.body, self.expanded.values, decisions)
        marks = [_unindented(segment.expr) for segment in made.segments if segment.expr is not None]
        output, composed = self._composed(made, _Marks())
        shape = find_shape(composed, output)
        marked = self._finished(composed)
        rows = first_row(_loops(made.regions))
        _, composed = self._composed(made, lambda expr: printed(evaluate(expr, Row(self.params, rows))))
        first = self._finished(composed)
        comparison = Comparison(marked, shape, marks, self.expanded.rounds)
        comparison.check(self.expanded.document, self.params)
        links = find_links(marked, first, shape, marks)
        check_names(links, self.expanded.rounds)
        holes = Holes(comparison, first, links, self.params, made.assigned)
        holes.find()
        conditions = self._conditions(shape)
        sweeps = self._sweeps(links, holes)
        self._probe(comparison, holes, shape)
        found = Parameters(
            paths=[path for path in self.params if path in decisions.params],
            values=self.params,
            holes=holes.texts,
            marks=marks_in_order(holes.made, len(marks)),
        )
        self._freeze(found, decisions)
        if not self.holds(first):
            raise UnexplainedError
        return Symbolic(first, found, shape, links, holes, sweeps, conditions)

    def _composed(self, made: Sketch, fill: Callable[[Expression], str]) -> tuple[Output, Document]:
        assert self.expanded.part is not None
        output = Output.of(made, self.expanded.part, fill)
        if any(letter in output.text for letter in {token[0] for token in self.tokens}):
            raise NotInSubsetError("a token inside a tag")
        document = output.document()
        if document is None:
            raise UnexplainedError
        return output, document

    def _finished(self, document: Document) -> Document:
        finished = finish(document, self.expanded.again, Diagnostics())
        if finished is None:
            raise UnexplainedError
        return finished

    def _sweeps(self, links: Links, holes: Holes) -> dict[str, Sweep]:
        names: dict[str, str] = {}
        for named in (*links.groups, *links.tasks):
            if named.nest and names.setdefault(named.name, pattern := holes.pattern(named)) != pattern:
                raise UnexplainedError
        assert self.expanded.part is not None
        made: dict[int, Sweep] = {}
        found: dict[str, Sweep] = {}
        for task in links.tasks:
            if task.nest:
                columns = holes.columns_of(task.nest)
                if id(columns) not in made:
                    made[id(columns)] = columns.sweep(self.expanded.part)
                found[task.name] = made[id(columns)]
        return found

    def _conditions(self, shape: Shape) -> dict[int, Expr]:
        found: dict[int, Expr] = {}
        for item in shape.items:
            whole: Expr | None = None
            for test in shape.tests(item):
                made = self._test(test)
                whole = made if whole is None else _both(whole, made)
            if whole is not None:
                found[item] = whole
        return found

    def _test(self, frame: TestFrame) -> Expr:
        made = value(frame.test) if all(isinstance(leaf, Param) for leaf in frame.open) else None
        if made is None or truth_with(made, tree_of(self.params)) is not bool(
            evaluate(frame.test, Row(self.params, {}))
        ):
            raise CulpritError(frame.open, [], [frame.condition], frame.place)
        return made

    def _probe(self, comparison: Comparison, holes: Holes, shape: Shape) -> None:
        """Compare with what other values give."""
        tests = {id(region): region.frame for regions in shape.items.values() for region in regions}
        frames = [frame for frame in tests.values() if isinstance(frame, TestFrame)]
        computed = {
            number: comparison.marks[number]
            for number, made in holes.made.items()
            if not isinstance(made, Ref) and next(iter(leaves(comparison.marks[number])), None) is not None
        }
        for probe, suspects in find_probes(frames, list(computed.values()), self.params):
            params = {**self.params, **probe}
            for frame in frames:
                if truth_with(self._test(frame), tree_of(params)) is not bool(evaluate(frame.test, Row(params, {}))):
                    raise suspects
            if not all(holes.prints(expr, holes.made[number], params) for number, expr in computed.items()):
                raise suspects
            context = _changed(self.expanded.values, probe)
            whole = not self.expanded.rounds
            again = expand(self.source, self.settings, Diagnostics(), context=context, whole=whole)
            if again is None or again.rounds.keys() != self.expanded.rounds.keys():
                raise suspects
            try:
                comparison.check(again.document, params)
            except (CulpritError, UnexplainedError):
                raise suspects from None

    def _freeze(self, found: Parameters, decisions: Decisions) -> None:
        names = {
            leaf.name
            for statement in statements(self.body)
            for expr in expressions(statement)
            for leaf in leaves(expr)
            if isinstance(leaf, Name)
        }
        for path in self.params:
            if path not in decisions.params and path[0] in names:
                found.frozen[path] = self.places.get(path)


class _Marks:
    """Numbers the marks in the order of the text."""

    def __init__(self) -> None:
        self.count = -1

    def __call__(self, expr: Expression) -> str:
        self.count += 1
        return f"\ue000{self.count}\ue001"


def _unindented(expr: Expression) -> Expression:
    """Leave out what only keeps a value of several lines inside its block, which YAML takes off again."""
    while isinstance(expr, Filter) and expr.name == "indent":
        expr = expr.value
    return expr


def _both(one: Expr, other: Expr) -> Expr:
    from pwxc.ir.expr import Binary

    return Binary("&&", one, other)


def _loops(regions: list[Region]) -> Any:
    return tuple(region.frame for region in regions if not isinstance(region.frame, TestFrame))


def _likely_loops(body: tuple[Statement, ...]) -> Iterator[int]:
    """Give the loops whose text begins with an item of a list."""
    for statement in statements(body):
        if isinstance(statement, Loop) and begins_item(statement.body):
            yield statement.start


def _changed(values: Mapping[str, Any], probe: Mapping[Path, Any], prefix: Path = ()) -> dict[str, Any]:
    """Give the context with other values for some parameters."""
    made: dict[str, Any] = {}
    for name, item in values.items():
        path = (*prefix, str(name))
        inside = isinstance(item, dict) and item
        made[name] = _changed(item, probe, path) if inside else probe.get(path, item)
    return made
