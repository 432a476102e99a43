"""Positioned nodes made from other texts than YAML, so that all formats of torc share one reader."""

from __future__ import annotations

import re
from typing import Any

import attrs

from pwxc.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode


@attrs.frozen
class _Place:
    """An offset in a text; stands where PyYAML's nodes have a mark."""

    index: int


def _mark(index: int) -> Any:
    """Make the mark of an offset; only `index` of a mark is ever looked at."""
    return _Place(index)


def text_node(value: str, start: int, end: int, style: str = '"') -> ScalarNode:
    """Make a node for a text."""
    return ScalarNode("", value, _mark(start), _mark(end), style)


def plain_node(value: str, start: int, end: int) -> ScalarNode:
    """Make a node for a number, a boolean or null, in YAML's spelling."""
    return ScalarNode("", value, _mark(start), _mark(end), "")


def map_node(pairs: list[tuple[Node, Node]], start: int, end: int) -> MappingNode:
    """Make a node for a map."""
    return MappingNode("", pairs, _mark(start), _mark(end), True)


def list_node(items: list[Node], start: int, end: int) -> SequenceNode:
    """Make a node for a list."""
    return SequenceNode("", items, _mark(start), _mark(end), True)


def from_value(value: Any, start: int, end: int) -> Node:
    """Make nodes for plain data that all stand at one place."""
    if isinstance(value, dict):
        pairs = [(text_node(key, start, end), from_value(item, start, end)) for key, item in value.items()]
        return map_node(list(pairs), start, end)
    if isinstance(value, list):
        return list_node([from_value(item, start, end) for item in value], start, end)
    if isinstance(value, str):
        return text_node(value, start, end)
    return plain_node("null" if value is None else str(value).lower(), start, end)


def number_text(text: str) -> str:
    """Spell a number of JSON5 or KDL as YAML 1.2 does."""
    text = text.replace("_", "")
    if (special := re.fullmatch(r"([-+]?)#?(Infinity|inf|NaN|nan)", text)) is not None:
        return ".nan" if special[2].lower() == "nan" else f"{special[1]}.inf"
    if re.match(r"[-+]?0[xXoObB]", text):
        return str(int(text, 0))
    return text
