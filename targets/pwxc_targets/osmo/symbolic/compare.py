"""The check that the symbolic reading is the concrete one: with values put in, item by item and text by text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from pwxc.yaml.nodes import Document
from pwxc.yaml.schema import yaml11
from pwxc_targets.osmo.symbolic.evaluate import evaluate, printed, truth
from pwxc_targets.osmo.symbolic.scope import Row, open_leaves
from pwxc_targets.osmo.symbolic.shapes import Place, Shape, UnexplainedError, blame
from pwxc_targets.osmo.symbolic.sketch import CulpritError, LoopFrame, Region
from pwxc_targets.osmo.symbolic.tree import Expression, Path
from pwxc_targets.osmo.tokens import MARK


@attrs.define(eq=False)
class Comparison:
    """Compares the document with marks to concrete ones."""

    marked: Document
    shape: Shape
    marks: Sequence[Expression]
    """What each mark stands for."""
    rounds: Mapping[int, Sequence[int]]
    """The rounds of long loops that the concrete documents have."""
    faults: list[CulpritError] = attrs.field(factory=list)

    def check(self, concrete: Document, params: Mapping[Path, Any]) -> None:
        """Compare with what the values of the parameters gave.

        Raises:
            CulpritError, UnexplainedError: there is a difference.
        """
        self.faults.clear()
        self._nodes(self.marked.root, concrete.root, (), Row(params, {}))
        if self.faults:
            raise CulpritError.together(self.faults)

    def _nodes(self, marked: Node, concrete: Node, place: Place, row: Row) -> None:
        if isinstance(marked, ScalarNode) and isinstance(concrete, ScalarNode):
            self._scalar(marked, concrete, row)
        elif isinstance(marked, SequenceNode) and isinstance(concrete, SequenceNode):
            self._sequence(marked, concrete, place, row)
        elif isinstance(marked, MappingNode) and isinstance(concrete, MappingNode):
            if len(marked.value) != len(concrete.value):
                self._differ(marked)
                return
            for (key, value), (other_key, other) in zip(marked.value, concrete.value, strict=True):
                if MARK.search(str(key.value)) is not None or key.value != other_key.value:
                    self._differ(key)
                self._nodes(value, other, (*place, key.value), row)
        else:
            self._differ(marked)

    def _scalar(self, marked: ScalarNode, concrete: ScalarNode, row: Row) -> None:
        if marked.value == concrete.value:
            return
        if self.fill(marked.value, row) != concrete.value or str(yaml11(concrete)) != concrete.value:
            self._differ(marked)

    def fill(self, text: str, row: Row) -> str:
        """Put values into a text."""
        return MARK.sub(lambda mark: printed(evaluate(self.marks[int(mark[1])], row)), text)

    def _sequence(self, marked: SequenceNode, concrete: SequenceNode, place: Place, row: Row) -> None:
        if place == ("workflow", self.shape.key):
            around = {number: self.shape.items.get(number, ()) for number in range(len(marked.value))}
        elif place and place[-1] == "inputs":
            around = {number: self.shape.inputs.get((*place, number), ()) for number in range(len(marked.value))}
        else:
            around = dict.fromkeys(range(len(marked.value)), ())
        expected = list(self._expected(list(around), around, 0, row))
        if len(expected) != len(concrete.value):
            frames = [region.frame for regions in around.values() for region in regions]
            if frames:
                raise blame(*frames)
            self._differ(marked)
            return
        for (number, inner), other in zip(expected, concrete.value, strict=True):
            self._nodes(marked.value[number], other, (*place, number), inner)

    def _expected(
        self, numbers: list[int], around: Mapping[int, tuple[Region, ...]], depth: int, row: Row
    ) -> Iterator[tuple[int, Row]]:
        """Give the items that are there in the end: the number in the marked document, and the values of the round."""
        at = 0
        while at < len(numbers):
            regions = around[numbers[at]]
            region = regions[depth] if depth < len(regions) else None
            last = at + 1
            if region is None:
                yield numbers[at], row
            else:
                while last < len(numbers) and around[numbers[last]][depth : depth + 1] == (region,):
                    last += 1
                for inner in self._rows(region, row):
                    yield from self._expected(numbers[at:last], around, depth + 1, inner)
            at = last

    def _rows(self, region: Region, row: Row) -> Iterator[Row]:
        frame = region.frame
        if isinstance(frame, LoopFrame):
            for number in self.rounds.get(frame.loop, range(len(frame.values))):
                yield Row(row.params, {**row.varying, **frame.row(number)})
        elif truth(frame.test, row):
            yield row

    def _differ(self, marked: Node) -> None:
        leaves = [leaf for expr in self.expressions(marked) for leaf in open_leaves(expr)]
        if not leaves:
            raise UnexplainedError
        self.faults.append(CulpritError(leaves, [], [], self.marked.span(marked)))

    def expressions(self, node: Node) -> Iterator[Expression]:
        """Give what the marks in a node and below stand for."""
        if isinstance(node, ScalarNode):
            yield from (self.marks[int(mark[1])] for mark in MARK.finditer(node.value))
        elif isinstance(node, SequenceNode):
            for item in node.value:
                yield from self.expressions(item)
        elif isinstance(node, MappingNode):
            for key, value in node.value:
                yield from self.expressions(key)
                yield from self.expressions(value)
