"""What the tests of `pwxc.yaml` share: texts read into nodes, nodes into plain trees."""

from __future__ import annotations

from pwxc.diagnostics import Diagnostics
from pwxc.source import Source
from pwxc.yaml.nodes import Document, MappingNode, Node, ScalarNode, SequenceNode, compose, walk
from pwxc.yaml.schema import Schema, core


def composed(text: str) -> Document:
    found = Diagnostics()
    document = compose(Source("test.yaml", text), found)
    assert document is not None, [item.message for item in found]
    assert not list(found)
    return document


def tree_of(node: Node, schema: Schema = core) -> object:
    if isinstance(node, MappingNode):
        return {tree_of(key, schema): tree_of(value, schema) for key, value in node.value}
    if isinstance(node, SequenceNode):
        return [tree_of(item, schema) for item in node.value]
    assert isinstance(node, ScalarNode)
    return schema(node)


def scalars_of(document: Document) -> list[ScalarNode]:
    return [node for node in walk(document.root) if isinstance(node, ScalarNode)]
