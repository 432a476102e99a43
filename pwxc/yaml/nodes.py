"""Text to positioned nodes.

The nodes are PyYAML's own, composed by its C parser without resolving types: a node keeps the text of a scalar, its
style (empty for a plain one) and its marks. What a plain scalar *is* (text, number, boolean) is the dialect's
business, see `schema`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import attrs
from yaml import MarkedYAMLError, YAMLError
from yaml._yaml import CParser
from yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode, SequenceNode

from pwxc.diagnostics import Diagnostics
from pwxc.diagnostics import codes as C  # noqa: N812
from pwxc.frozen import frozen
from pwxc.source import InnerSpan, Source, Span

if TYPE_CHECKING:
    from pwxc.yaml.scalars import ScalarMap

__all__ = ["Document", "Limits", "MappingNode", "Node", "ScalarNode", "SequenceNode", "compose"]


@frozen
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
    maps: dict[int, ScalarMap | None] = attrs.field(factory=dict, init=False, repr=False)
    """The scalars that were decoded again, by the `id` of their node; None where that failed."""

    def span(self, node: Node) -> Span:
        """Give the place of a node, with its anchor and tag, without the comments behind it."""
        if isinstance(node, ScalarNode) and node.style not in ("|", ">"):
            return Span(self.source, node.start_mark.index, node.end_mark.index)
        return Span(self.source, node.start_mark.index, self._end(node))

    def _end(self, node: Node) -> int:
        start, end = node.start_mark.index, node.end_mark.index
        text = self.source.text
        if isinstance(node, ScalarNode):
            return max(start, start + len(text[start:end].rstrip(_BLANK))) if node.style in ("|", ">") else end
        if isinstance(node, CollectionNode) and node.flow_style:
            return end
        # a block collection ends where the next token begins
        inside = [child for child in children(node) if start <= child.start_mark.index <= end]
        last = max(inside, key=lambda child: child.start_mark.index, default=None)
        floor = start if last is None else self._end(last)
        code = floor
        for line in _LINE.finditer(text, floor, end):
            if line.start(1) < line.end(1):
                code = line.end(1)
        return code

    def inner(self, node: ScalarNode, low: int, high: int) -> Span:
        """Give the place of `node.value[low:high]`, exact in every style."""
        key = id(node)
        if key not in self.maps:
            from pwxc.yaml.scalars import decode

            self.maps[key] = decode(self.source.text, node)
        scalar = self.maps[key]
        return self.span(node) if scalar is None else Span(self.source, *scalar.place(low, high))

    def inner_later(self, node: ScalarNode) -> Callable[[int, int], Span]:
        """Give what makes the spans of `inner` without decoding the scalar yet; it keeps nothing but the node."""
        source, start, end = self.source, node.start_mark.index, node.end_mark.index

        def exact(low: int, high: int) -> Span:
            return Document(source, node).inner(node, low, high)

        return lambda low, high: InnerSpan(source, start, end, exact, low, high)

    def find(self, node: Node | None, *path: str | int) -> Node | None:
        """Follow keys and indexes down from a node."""
        for step in path:
            if isinstance(step, int) and isinstance(node, SequenceNode) and step < len(node.value):
                node = node.value[step]
            elif isinstance(step, str) and isinstance(node, MappingNode):
                for key, value in reversed(node.value):
                    if key.value == step:
                        node = value
                        break
                else:
                    return None
            else:
                return None
        return node


_BLANK = " \t\r\n"
_LINE = re.compile(r"[ \t]*((?:[^#\s]|(?<!\s)#|[ \t]+(?![\s#]))*)[^\n]*\n?")
"""A line without its comment: group 1 is what remains."""
_ANCHOR = re.compile(r"&(?<![^\s,\[{:?-]&)[0-9A-Za-z_-]")
_ALIAS = re.compile(r"\*(?<![^\s,\[{:?-]\*)[0-9A-Za-z_-]")
_MERGED = re.compile(r"<<(?<![^\s{,:?-]<<)\s*:")
_REFUSED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_MARK = "\ufeff"


def compose(source: Source, diagnostics: Diagnostics, limits: Limits | None = None) -> Document | None:
    """Read the one document of a text; on any fault say so and give None.

    Every fault of the text itself is a diagnostic: syntax, limits, alias bombs, several documents, no content.
    """
    limits = limits or Limits()
    if source.text.startswith(_MARK):
        source = _without_mark(source)
    text = source.text
    if len(text) > limits.characters:
        diagnostics.add(C.TOO_LARGE, f"the text has {len(text):,} characters, the limit is {limits.characters:,}")
        return None
    if (refused := _REFUSED.search(text)) is not None:
        at = refused.start()
        kind = "a control character" if text[at] < "\xa0" else "a character that is no text"
        diagnostics.add(C.NOT_TEXT, f"the text has {kind} (0x{ord(text[at]):02x})", source.span(at, at + 1))
        return None
    root = _compose_node(source, diagnostics, limits)
    if root is None:
        return None
    if _has_aliases(text) and not _expansion_is_small(root, source, diagnostics, limits):
        return None
    if "<<" in text and _MERGED.search(text) is not None:
        _flatten_merges(root, set())
    return Document(source, root)


def _without_mark(source: Source) -> Source:
    # the parser drops a byte order mark and does not count it
    return Source(source.name, source.text[1:], source.path, lambda low, high: source.span(low + 1, high + 1))


def _has_aliases(text: str) -> bool:
    if "&" not in text or "*" not in text:
        return False
    return _ANCHOR.search(text) is not None and _ALIAS.search(text) is not None


def _place(source: Source, at: int, width: int = 1) -> Span:
    length = len(source.text)
    return source.span(min(at, length), min(at + width, length))


def _compose_node(source: Source, diagnostics: Diagnostics, limits: Limits) -> Node | None:
    try:
        composer = _Composer(source.text, limits)
        try:
            root: Node | None = composer.get_single_node()
        finally:
            composer.dispose()
    except _LimitError as fault:
        code, message, at = fault.args
        diagnostics.add(code, message, _place(source, at))
        return None
    except RecursionError:
        diagnostics.add(C.TOO_DEEP, "nested too deeply")
        return None
    except MarkedYAMLError as fault:
        _add_syntax_error(fault, source, diagnostics)
        return None
    except (YAMLError, UnicodeError) as fault:
        diagnostics.add(C.NOT_TEXT, str(fault).splitlines()[0])
        return None
    if root is None:
        diagnostics.add(C.EMPTY_DOCUMENT, "the document is empty", source.span(0, 0))
    return root


def _add_syntax_error(fault: MarkedYAMLError, source: Source, diagnostics: Diagnostics) -> None:
    mark = fault.problem_mark or fault.context_mark
    at = mark.index if mark is not None else 0
    if fault.context == "expected a single document in the stream":
        diagnostics.add(C.SEVERAL_DOCUMENTS, "a second document begins here", _place(source, at, 3))
        return
    problem = fault.problem or fault.context or "not YAML"
    context = fault.context
    if context is not None and context.startswith("found duplicate anchor"):
        problem, context = "the anchor is defined twice", None
    notes = (context,) if context and context != problem else ()
    tab = source.text[at : at + 1] == "\t"
    help_text = "indent with blanks: YAML has no tabs" if tab else ""
    diagnostics.add(C.YAML_SYNTAX, problem, _place(source, at), notes=notes, help=help_text)


def _expansion_is_small(root: Node, source: Source, diagnostics: Diagnostics, limits: Limits) -> bool:
    """Count nodes and levels as if every alias were written out, without writing them out."""
    sizes: dict[int, tuple[int, int]] = {}
    written = 1
    open_nodes: set[int] = set()
    stack = [root]
    while stack:
        node = stack[-1]
        if id(node) in sizes:
            stack.pop()
        elif id(node) in open_nodes:
            stack.pop()
            below = [sizes[id(child)] for child in children(node)]
            written += len(below)
            sizes[id(node)] = 1 + sum(size for size, _ in below), 1 + max((depth for _, depth in below), default=0)
            open_nodes.discard(id(node))
        else:
            open_nodes.add(id(node))
            for child in children(node):
                if id(child) in open_nodes:
                    diagnostics.add(C.ALIAS_BOMB, "an alias contains itself", _place(source, child.start_mark.index))
                    return False
                if id(child) not in sizes:
                    stack.append(child)
    total, depth = sizes[id(root)]
    if depth > limits.depth:
        diagnostics.add(C.TOO_DEEP, f"aliases nest values {depth} levels deep, the limit is {limits.depth}")
        return False
    if total > 10_000 + limits.expansion * written:
        worst = max((node for node in walk(root) if node is not root), key=lambda node: sizes[id(node)][0])
        diagnostics.add(
            C.ALIAS_BOMB,
            f"aliases turn {written:,} values into {total:,}",
            _place(source, worst.start_mark.index),
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
        if id(node) in seen:
            continue
        seen.add(id(node))
        yield node
        if isinstance(node, SequenceNode):
            stack.extend(node.value)
        elif isinstance(node, MappingNode):
            for pair in node.value:
                stack.extend(pair)


def _flatten_merges(node: Node, done: set[int]) -> None:
    """Replace `<<` keys by what they merge in; the map's own keys win, then the earlier map of a list.

    Of two `<<` keys the later wins, as in PyYAML. A `<<` that merges no map stays, for the reader to refuse.
    """
    if id(node) in done:
        return
    done.add(id(node))
    for child in children(node):
        _flatten_merges(child, done)
    if not isinstance(node, MappingNode):
        return
    merges = [value for key, value in node.value if _is_merge(key, value)]
    if not merges:
        return
    own = [(key, value) for key, value in node.value if not _is_merge(key, value)]
    seen = {key.value for key, _ in own if isinstance(key, ScalarNode)}
    merged: list[tuple[Node, Node]] = []
    for value in reversed(merges):
        for mapping in value.value if isinstance(value, SequenceNode) else [value]:
            fresh = [pair for pair in mapping.value if not isinstance(pair[0], ScalarNode) or pair[0].value not in seen]
            seen.update(key.value for key, _ in fresh if isinstance(key, ScalarNode))
            merged.extend(fresh)
    node.value = merged + own


def _is_merge(key: Node, value: Node) -> bool:
    if not isinstance(key, ScalarNode) or key.value != "<<" or key.style:
        return False
    merged = value.value if isinstance(value, SequenceNode) else [value]
    return all(isinstance(mapping, MappingNode) for mapping in merged)
