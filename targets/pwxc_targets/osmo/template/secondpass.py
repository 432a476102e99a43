"""The second pass: what the client sends is dumped YAML, and the service renders that again (osmo.md §4).

It matters only where a scalar still holds a mark after the first pass, and for the content of local files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import attrs
import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from pwxc.diagnostics import Diagnostics
from pwxc.source import Source, Span
from pwxc.yaml.nodes import Document, compose
from pwxc_targets.osmo.template import sections as cutting
from pwxc_targets.osmo.template.loading import check_loadable, load_data
from pwxc_targets.osmo.template.onepass import Turn, render_part, settle_leaks
from pwxc_targets.osmo.template.text import Lines, needs_rendering, spell_tokens


@attrs.frozen
class _Origin:
    """The scalar of the first pass that a piece of the dumped text was made from."""

    value: str
    whole: Span
    inner: Callable[[int, int], Span]

    def locate(self, dumped: str, low: int, high: int) -> Span:
        """Find `dumped[low:high]` in the value, by counting where it occurs; else give the whole scalar."""
        text = dumped[low:high]
        count = dumped.count(text) if text else 0
        if not count or self.value.count(text) != count:
            return self.whole
        at = -1
        for _ in range(dumped.count(text, 0, high)):
            at = self.value.find(text, at + 1)
        return self.inner(at, at + len(text))


def second_pass(document: Document, chosen: Mapping[str, object], diagnostics: Diagnostics) -> Document | None:
    """Dump a document as the client does, and render and read it again with the values of `--set` alone."""
    loaded, data = load_data(document, diagnostics)
    if not loaded:
        return None
    dumped = yaml.dump(data)
    return _again(dumped, _Dumped(document, dumped), document.source, chosen, diagnostics)


def render_file(
    text: Source, chosen: Mapping[str, object], diagnostics: Diagnostics, *, grouped: bool = False
) -> str | None:
    """Give what the second pass makes of a local file; `chosen` are the values of the command line.

    `grouped` says that the file's task stands in a group, which decides where the dump folds lines.
    """
    if not needs_rendering(text.text):
        return spell_tokens(text.text)
    data: object = {"tasks": [{"files": [{"contents": text.text}]}]}
    if grouped:
        data = {"groups": [data]}
    dumped = yaml.dump({"workflow": data})
    origin = _Origin(text.text, text.span(0, len(text.text.rstrip())), text.span)
    start = dumped.index("contents:") + len("contents:")

    def back(low: int, high: int) -> Span:
        return origin.locate(dumped[start:], max(0, low - start), max(0, high - start))

    document = _again(dumped, back, text, chosen, diagnostics)
    if document is None:
        return None
    path: tuple[str | int, ...] = ("tasks", 0, "files", 0, "contents")
    node = document.find(document.root, "workflow", *(("groups", 0) if grouped else ()), *path)
    return spell_tokens(node.value) if isinstance(node, ScalarNode) else ""


def _again(
    dumped: str,
    back: Callable[[int, int], Span | None],
    source: Source,
    chosen: Mapping[str, object],
    diagnostics: Diagnostics,
) -> Document | None:
    lines = Lines(Source(source.name, dumped, source.path, back), dumped)
    workflow = cutting.cut(dumped).get("workflow")
    if workflow is None:
        return None
    part = lines.part(workflow.start, workflow.end)
    rendered = render_part(part, Turn(chosen, second=True), diagnostics)
    if rendered is None:
        return None
    document = compose(rendered.source, diagnostics)
    if document is not None:
        document = settle_leaks(rendered, document, diagnostics)
    return document if document is not None and check_loadable(document, diagnostics) else None


@attrs.define(eq=False)
class _Dumped:
    """Leads from a dumped text to the document it was made from."""

    document: Document
    text: str
    _root: Node | None = attrs.field(default=None, init=False)

    def __call__(self, start: int, end: int) -> Span | None:
        """Give the place of `text[start:end]`, at least the scalar in which it begins."""
        if self._root is None:
            dumped = compose(Source("", self.text), Diagnostics())
            if dumped is None:
                return None
            self._root = dumped.root
        low, high, node = self._find(start)
        span = self.document.span(node)
        if not isinstance(node, ScalarNode) or end > high:
            return span
        origin = _Origin(node.value, span, lambda first, last: self.document.inner(node, first, last))
        return origin.locate(self.text[low:high], start - low, end - low)

    def _find(self, at: int) -> tuple[int, int, Node]:
        """Walk down both documents to the value or key at an offset."""
        here, there = self._root, self.document.root
        while True:
            step = _child_at(here, at)
            if step is None or (other := _same_child(there, *step)) is None:
                break
            here, there = step[1], other
        if here is None:
            return 0, 0, there
        return here.start_mark.index, here.end_mark.index, there


def _child_at(node: Node | None, at: int) -> tuple[str | int | None, Node] | None:
    """Give the child at an offset, and its key or number; None for the key of a key."""
    if isinstance(node, SequenceNode):
        for number, item in enumerate(node.value):
            if item.start_mark.index <= at < item.end_mark.index:
                return number, item
    elif isinstance(node, MappingNode):
        for key, value in node.value:
            if value.start_mark.index <= at < value.end_mark.index:
                return key.value, value
            if key.start_mark.index <= at < key.end_mark.index:
                return None, key
    return None


def _same_child(node: Node, step: str | int | None, child: Node) -> Node | None:
    if isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
        found: Node = node.value[step]
        return found
    if not isinstance(node, MappingNode):
        return None
    wanted = child.value if step is None else step
    for key, value in reversed(node.value):
        if key.value == wanted:
            match: Node = key if step is None else value
            return match
    return None
