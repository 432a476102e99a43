"""Text to positioned nodes.

The nodes are PyYAML's own, composed by its C parser without resolving types: a node keeps the text of a scalar, its
style and its marks. What a plain scalar *is* (text, number, boolean) is the dialect's business, see `schema`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import attrs
from yaml import MarkedYAMLError, YAMLError
from yaml._yaml import CParser
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from pwxc.diagnostics import Diagnostics
from pwxc.diagnostics import codes as C  # noqa: N812
from pwxc.source import Source, Span

__all__ = ["Document", "Limits", "MappingNode", "Node", "ScalarNode", "SequenceNode", "compose"]


@attrs.frozen
class Limits:
    """What a document may cost before it is refused."""

    characters: int = 64 * 1024 * 1024
    depth: int = 100
    nodes: int = 5_000_000
    expansion: int = 10
    """How many times more nodes the aliases may make of a document than it has (beyond a free 10,000)."""


class _LimitError(Exception):
    """A limit was passed; `args` are the code, the message and the offset."""


class _Composer(CParser):
    """PyYAML's C composer, with the resolver's places taken by our limits."""

    def __init__(self, text: str, limits: Limits) -> None:
        CParser.__init__(self, text)
        self.limits = limits
        self.depth = 0
        self.count = 0

    def descend_resolver(self, parent: Node | None, index: Any) -> None:
        self.depth += 1
        self.count += 1
        if self.depth > self.limits.depth:
            at = parent.start_mark.index if parent is not None else 0
            raise _LimitError(C.TOO_DEEP, f"nested deeper than {self.limits.depth} levels", at)
        if self.count > self.limits.nodes:
            raise _LimitError(C.TOO_MANY_NODES, f"more than {self.limits.nodes:,} values", 0)

    def ascend_resolver(self) -> None:
        self.depth -= 1

    def resolve(self, kind: type[Node], value: Any, implicit: Any) -> str:
        return ""


@attrs.define(eq=False)
class Document:
    """A YAML document: its nodes and the text in which they stand."""

    source: Source
    root: Node

    def span(self, node: Node) -> Span:
        """Give the place of a node."""
        source = self.source
        start, end = node.start_mark.index, node.end_mark.index
        if not isinstance(node, ScalarNode) or node.style in ("|", ">"):
            # a block ends where the next token begins: keep the blank lines and comments behind it out
            end = start + len(source.text[start:end].rstrip())
        return Span(source, start, max(start, end))

    def inner(self, node: ScalarNode, low: int, high: int) -> Span:
        """Give the place of `node.value[low:high]`, exact in every style."""
        from pwxc.yaml.scalars import locate

        return locate(self, node, low, high)

    def find(self, node: Node | None, *path: str | int) -> Node | None:
        """Follow keys and indexes down from a node."""
        for step in path:
            if isinstance(step, int) and isinstance(node, SequenceNode) and step < len(node.value):
                node = node.value[step]
            elif isinstance(step, str) and isinstance(node, MappingNode):
                node = next((value for key, value in reversed(node.value) if key.value == step), None)
            else:
                return None
        return node


_ANCHORED = re.compile(r"(?<![^\s,\[{-])&[^\s,\[\]{}]+")
_MERGED = re.compile(r"(?m)(?:^|[\s{,-])<<\s*:")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def compose(source: Source, diagnostics: Diagnostics, limits: Limits | None = None) -> Document | None:
    """Read the one document of a text; on any fault say so and give None.

    Every fault of the text itself is a diagnostic: syntax, limits, alias bombs, several documents, no content.
    """
    limits = limits or Limits()
    text = source.text
    if len(text) > limits.characters:
        diagnostics.add(C.TOO_LARGE, f"the text has {len(text):,} characters, the limit is {limits.characters:,}")
        return None
    if (control := _CONTROL.search(text)) is not None:
        at = control.start()
        diagnostics.add(
            C.NOT_TEXT,
            f"the text has a control character (0x{ord(text[at]):02x})",
            source.span(at, at + 1),
        )
        return None
    root = _compose_node(source, diagnostics, limits)
    if root is None:
        return None
    if _ANCHORED.search(text) is not None and not _expansion_is_small(root, source, diagnostics, limits):
        return None
    if _MERGED.search(text) is not None:
        _flatten_merges(root, set())
    return Document(source, root)


def _compose_node(source: Source, diagnostics: Diagnostics, limits: Limits) -> Node | None:
    try:
        composer = _Composer(source.text, limits)
        try:
            root: Node | None = composer.get_single_node()
        finally:
            composer.dispose()
    except _LimitError as fault:
        code, message, at = fault.args
        diagnostics.add(code, message, source.span(at, at + 1))
        return None
    except RecursionError:
        diagnostics.add(C.TOO_DEEP, "nested too deeply")
        return None
    except MarkedYAMLError as fault:
        mark = fault.problem_mark or fault.context_mark
        at = min(mark.index, len(source.text)) if mark is not None else 0
        if fault.context == "expected a single document in the stream":
            diagnostics.add(C.SEVERAL_DOCUMENTS, "a second document begins here", source.span(at, at + 3))
            return None
        problem = fault.problem or fault.context or "not YAML"
        notes = (fault.context,) if fault.context and fault.context != problem else ()
        help_text = (
            "indent with blanks: YAML has no tabs" if "tab" in source.text[at : at + 1].replace("\t", "tab") else ""
        )
        diagnostics.add(C.YAML_SYNTAX, problem, source.span(at, at + 1), notes=notes, help=help_text)
        return None
    except (YAMLError, UnicodeError) as fault:
        at = getattr(fault, "position", 0)
        diagnostics.add(C.NOT_TEXT, str(fault).splitlines()[0], source.span(at, at + 1))
        return None
    if root is None:
        diagnostics.add(C.EMPTY_DOCUMENT, "the document is empty", source.span(0, 0))
    return root


def _expansion_is_small(root: Node, source: Source, diagnostics: Diagnostics, limits: Limits) -> bool:
    """Count the nodes as if every alias were written out, without writing them out."""
    sizes: dict[int, int] = {}
    open_nodes: set[int] = set()

    def size(node: Node) -> int:
        key = id(node)
        if key in sizes:
            return sizes[key]
        if key in open_nodes:
            raise _LimitError(node)
        open_nodes.add(key)
        total = 1 + sum(size(child) for child in children(node))
        open_nodes.discard(key)
        sizes[key] = total
        return total

    try:
        total = size(root)
    except _LimitError as fault:
        node = fault.args[0]
        at = node.start_mark.index
        diagnostics.add(C.ALIAS_BOMB, "an alias contains itself", source.span(at, at + 1))
        return False
    if total > 10_000 + limits.expansion * len(sizes):
        worst = max(sizes, key=lambda key: sizes[key] if key != id(root) else 0)
        node = next(node for node in walk(root) if id(node) == worst)
        at = node.start_mark.index
        diagnostics.add(
            C.ALIAS_BOMB,
            f"aliases turn {len(sizes):,} values into {total:,}",
            source.span(at, at + 1),
            label="most of them are below this one",
        )
        return False
    return True


def children(node: Node) -> Iterator[Node]:
    """Give the nodes directly below a node, keys included."""
    if isinstance(node, SequenceNode):
        yield from node.value
    elif isinstance(node, MappingNode):
        for key, value in node.value:
            yield key
            yield value


def walk(root: Node) -> Iterator[Node]:
    """Give every node once, parents first."""
    seen: set[int] = set()
    stack = [root]
    while stack:
        node = stack.pop()
        if id(node) not in seen:
            seen.add(id(node))
            yield node
            stack.extend(children(node))


def _flatten_merges(node: Node, done: set[int]) -> None:
    """Replace `<<` keys by what they merge in; the map's own keys win, then the earlier merge."""
    if id(node) in done:
        return
    done.add(id(node))
    for child in children(node):
        _flatten_merges(child, done)
    if not isinstance(node, MappingNode):
        return
    merges = [value for key, value in node.value if _is_merge(key)]
    if not merges:
        return
    own = [(key, value) for key, value in node.value if not _is_merge(key)]
    seen = {key.value for key, _ in own if isinstance(key, ScalarNode)}
    merged = []
    for value in merges:
        for mapping in value.value if isinstance(value, SequenceNode) else [value]:
            if isinstance(mapping, MappingNode):
                fresh = [pair for pair in mapping.value if pair[0].value not in seen]
                seen.update(key.value for key, _ in fresh)
                merged.extend(fresh)
    node.value = merged + own


def _is_merge(key: Node) -> bool:
    return isinstance(key, ScalarNode) and key.value == "<<" and key.style is None
