"""The marks of a document as expressions of the IR, and the texts of the first rounds that hold them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from pwxc.ir.expr import Expr, Literal, Ref
from pwxc.yaml.nodes import Document
from pwxc.yaml.schema import yaml11
from pwxc_targets.osmo.symbolic.compare import Comparison
from pwxc_targets.osmo.symbolic.evaluate import evaluate, printed
from pwxc_targets.osmo.symbolic.links import Links, Named, parts_of
from pwxc_targets.osmo.symbolic.lowering import printed_text, text_with, tree_of
from pwxc_targets.osmo.symbolic.scope import Row, open_leaves
from pwxc_targets.osmo.symbolic.shapes import Place, Shape, UnexplainedError, blame
from pwxc_targets.osmo.symbolic.sketch import CulpritError
from pwxc_targets.osmo.symbolic.sweeps import Columns, Nest, first_row
from pwxc_targets.osmo.symbolic.tree import Expression, Param, Path, Varying
from pwxc_targets.osmo.template.parameters import holds_reference, meets_token, printed_parameter
from pwxc_targets.osmo.tokens import MARK

_NUMERIC = re.compile(r"resources/.*|timeout/.*|.*/checkpoint/\d+/frequency")
_NAMING = re.compile(r"(?:tasks|groups)/\d+/(?:tasks/\d+/)?(?:name|inputs/\d+/task)")
_NAMED_TOKEN = re.compile(r"\{\{(host|input):([^{}]*)\}\}")
_READ = re.compile(r"\{\{input:(\d+)\}\}|/osmo/data/input(?:/(\d+))?")


@attrs.define(eq=False)
class Holes:
    """Goes through the document with marks and that of the first rounds side by side."""

    comparison: Comparison
    first: Document
    links: Links
    params: Mapping[Path, Any]
    assigned: Sequence[tuple[Expression, str]]
    """The names of what was given one."""
    columns: dict[tuple[int, ...], Columns] = attrs.field(factory=dict)
    """The columns of each nest that stands for itself and those tied to it."""
    made: dict[int, Expr] = attrs.field(factory=dict)
    """What each mark stands for."""
    faults: list[CulpritError] = attrs.field(factory=list)
    texts: dict[int, str] = attrs.field(factory=dict)
    """By the id of a scalar of the first rounds, its text with marks."""

    @property
    def marked(self) -> Document:
        """The document with marks."""
        return self.comparison.marked

    @property
    def shape(self) -> Shape:
        """The regions of the document."""
        return self.comparison.shape

    def find(self) -> None:
        """Make the expression of every mark.

        Raises:
            CulpritError: a mark stands where the IR holds no reference, or says what the IR cannot.
        """
        for named in (*self.links.groups, *self.links.tasks):
            if named.nest:
                self.pattern(named)
        self._nodes(self.marked.root, self.first.root, ())
        self._check_gathered()
        if self.faults:
            raise CulpritError.together(self.faults)

    def columns_of(self, nest: Nest) -> Columns:
        """Give the columns of a nest."""
        root = self.links.root(nest)
        return self.columns.setdefault(tuple(frame.loop for frame in root), Columns(root))

    def pattern(self, named: Named) -> str:
        """Give the name of a swept task: each hole is the name of a parameter in braces."""
        return "".join(
            part if isinstance(part, str) else "{" + self._varying(part, named.nest).path[0] + "}"
            for part in named.parts
        )

    def _varying(self, expr: Expression, nest: Nest) -> Ref:
        wanted = next((name for known, name in self.assigned if known == expr), "")
        return self.columns_of(nest).ref(self.links.canonical(expr, nest), wanted)

    def _nodes(self, marked: Node, first: Node, place: Place) -> None:
        if isinstance(marked, ScalarNode) and isinstance(first, ScalarNode):
            try:
                self._scalar(marked, first, place)
            except CulpritError as fault:
                self.faults.append(fault)
        elif isinstance(marked, SequenceNode) and isinstance(first, SequenceNode):
            for number, (one, other) in enumerate(zip(marked.value, first.value, strict=True)):
                self._nodes(one, other, (*place, number))
        elif isinstance(marked, MappingNode) and isinstance(first, MappingNode):
            for (key, one), (_, other) in zip(marked.value, first.value, strict=True):
                if MARK.search(str(key.value)) is not None:
                    raise self._blame(key)
                self._nodes(one, other, (*place, key.value))
        else:
            raise UnexplainedError

    def _scalar(self, marked: ScalarNode, first: ScalarNode, place: Place) -> None:
        item = place[2] if len(place) > 2 and place[1] == self.shape.key else None
        nest = self.shape.loops(item) if isinstance(item, int) else ()
        text = self._with_names(marked, item, nest)
        if MARK.search(text) is None:
            if text != marked.value:
                self.texts[id(first)] = text
            return
        where = "/".join(map(str, place[1:]))
        if _NAMING.fullmatch(where):
            return
        if not holds_reference(where) or str(yaml11(first)) != first.value:
            raise self._blame(marked)
        row = Row(self.params, first_row(nest))
        found = [self._mark(int(mark[1]), nest, marked, where) for mark in MARK.finditer(text)]
        if meets_token(where, text, lambda number: printed(evaluate(self.comparison.marks[number], row))):
            raise self._blame(marked)
        if found:
            self.texts[id(first)] = text

    def _mark(self, number: int, nest: Nest, node: ScalarNode, where: str) -> Expr:
        expr = self.comparison.marks[number]
        leaves = list(open_leaves(expr))
        params = [leaf for leaf in leaves if isinstance(leaf, Param)]
        made: Expr | None
        if not params:
            if not {leaf.loop for leaf in leaves if isinstance(leaf, Varying)} <= {frame.loop for frame in nest}:
                raise self._blame(node)
            made = self._varying(expr, nest)
        else:
            made = printed_text(expr) if len(params) == len(leaves) else None
            if isinstance(made, Ref):
                made = printed_parameter(made.path, self.params[made.path])
            numeric = _NUMERIC.fullmatch(where) is not None and not isinstance(made, Ref)
            if made is None or numeric or not self.prints(expr, made, self.params):
                raise CulpritError(params, [], [], self.marked.span(node))
        assert made is not None
        self.made[number] = made
        return made

    def prints(self, expr: Expression, made: Expr, params: Mapping[Path, Any]) -> bool:
        """Say whether both expressions print the same; a plain reference does by definition."""
        if isinstance(made, Ref):
            return True
        return text_with(made, tree_of(dict(params))) == printed(evaluate(expr, Row(params, {})))

    def _blame(self, node: Node) -> CulpritError:
        leaves = [leaf for expr in self.comparison.expressions(node) for leaf in open_leaves(expr)]
        return CulpritError(leaves, [], [], self.marked.span(node))

    # tokens that name tasks

    def _with_names(self, node: ScalarNode, item: int | str | None, nest: Nest) -> str:
        """Write the names of the first round into tokens that name a task of the same round."""
        text: str = node.value
        if "{{" not in text or not isinstance(item, int):
            return text
        return _NAMED_TOKEN.sub(lambda token: self._token(token, item, nest), text)

    def _token(self, token: re.Match[str], item: int, nest: Nest) -> str:
        parts = parts_of(token[2], self.comparison.marks)
        marked = any(not isinstance(part, str) for part in parts)
        if token[1] == "input" and token[2].isdecimal():
            return token[0]
        known = self.links.by_item[item] if token[1] == "host" else self.links.tasks
        for task in known:
            if marked and task.parts == parts and task.nest == nest:
                return f"{{{{{token[1]}:{task.name}}}}}"
            if not marked and task.nest and task.name == token[2]:
                raise blame(*task.nest)
        if marked:
            leaves = [leaf for part in parts if not isinstance(part, str) for leaf in open_leaves(part)]
            raise CulpritError(leaves, [], [], nest[0].place if nest else (0, 0))
        return token[0]

    def _check_gathered(self) -> None:
        """Hold that nothing looks at the single folders of inputs that stand for many."""
        first_at: dict[str, int] = {}
        for task, number in sorted(self.links.gathered):
            first_at.setdefault(task, number)
        for item, members in self.links.by_item.items():
            for member, named in enumerate(members):
                if named.name not in first_at:
                    continue
                place: Place = ("workflow", self.shape.key, item)
                place = place if self.shape.key == "tasks" else (*place, "tasks", member)
                node = self.marked.find(self.marked.root, *place)
                for scalar in _scalars(node):
                    if any(
                        int(found[1] or found[2] or 10**6) >= first_at[named.name] for found in _READ.finditer(scalar)
                    ):
                        raise blame(*self._gathering(place))
                gathered = [number for name, number in self.links.gathered if name == named.name]
                if any(self.marked.find(node, "inputs", number, "regex") for number in gathered):
                    raise blame(*self._gathering(place))

    def _gathering(self, place: Place) -> Sequence[Any]:
        return [
            region.frame for at, regions in self.shape.inputs.items() if at[: len(place)] == place for region in regions
        ]


def _reads(text: str) -> Iterator[int]:
    """Give the numbers of the inputs whose folders a text names; a name without a number means all of them."""
    return (int(found[1] or found[2] or 10**6) for found in _READ.finditer(text))


def _scalars(node: Node | None) -> Iterator[str]:
    if isinstance(node, ScalarNode):
        yield node.value
    elif isinstance(node, SequenceNode):
        for item in node.value:
            yield from _scalars(item)
    elif isinstance(node, MappingNode):
        for key, value in node.value:
            yield from _scalars(key)
            yield from _scalars(value)


def marks_in_order(made: Mapping[int, Expr], count: int) -> list[Expr]:
    """Give the expressions by the numbers of their marks; those of names stand for nothing."""
    return [made.get(number, Literal("")) for number in range(count)]
