"""Values for parameters: `NAME=VALUE` items and files that hold a map of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import attrs

from pwxc.diagnostics import Diagnostics
from pwxc.diagnostics import codes as C  # noqa: N812
from pwxc.source import Source

if TYPE_CHECKING:
    from pwxc.yaml.nodes import Document, Node


@attrs.define
class Values:
    """Values by parameter: those that are typed by how they look, and those that are text whatever they look like."""

    values: dict[str, str] = attrs.field(factory=dict)
    texts: dict[str, str] = attrs.field(factory=dict)

    def update(self, other: Values) -> None:
        """Let other values win over these, of whichever kind."""
        for name in (*other.values, *other.texts):
            self.values.pop(name, None)
            self.texts.pop(name, None)
        self.values.update(other.values)
        self.texts.update(other.texts)


def split_items(items: Iterable[str], switch: str, diagnostics: Diagnostics) -> dict[str, str]:
    """Split `NAME=VALUE` items at their first `=`; of two values for a name the later wins."""
    found: dict[str, str] = {}
    for item in items:
        name, equals, value = item.partition("=")
        if not equals or not name:
            diagnostics.add(C.BAD_OPTION, f"`{switch} {item}` is not of the form `NAME=VALUE`")
        else:
            found[name] = value
    return found


def read_values(source: Source, diagnostics: Diagnostics) -> Values:
    """Read a YAML or JSON map of names to single values; text stays text, numbers and booleans are typed."""
    from pwxc.yaml.nodes import MappingNode, ScalarNode, compose

    found = Values()
    document = compose(source, diagnostics)
    if document is None:
        return found
    if not isinstance(document.root, MappingNode):
        message = "a map of names to values is expected"
        diagnostics.add(C.WRONG_TYPE, message, document.span(document.root), help="write a line `NAME: VALUE` for each")
        return found
    seen: set[str] = set()
    for key, value in document.root.value:
        if not isinstance(key, ScalarNode):
            diagnostics.add(C.WRONG_TYPE, "a name is expected here", document.span(key))
            continue
        if key.value in seen:
            diagnostics.add(C.DUPLICATE_KEY, f"`{key.value}` has a value already", document.span(key))
        seen.add(key.value)
        _read_value(key.value, value, document, found, diagnostics)
    return found


def _read_value(name: str, node: Node, document: Document, found: Values, diagnostics: Diagnostics) -> None:
    from pwxc.yaml.nodes import ScalarNode
    from pwxc.yaml.schema import core

    if not isinstance(node, ScalarNode):
        message = f"`{name}` has to be a single value: text, a number or a boolean"
        diagnostics.add(C.WRONG_TYPE, message, document.span(node))
        return
    value = core(node)
    if value is None:
        diagnostics.add(
            C.WRONG_TYPE, f"`{name}` has no value", document.span(node), help='write `""` for an empty text'
        )
    elif isinstance(value, str):
        found.texts[name] = value
    elif isinstance(value, bool):
        found.values[name] = str(value).lower()
    else:
        found.values[name] = str(value) if isinstance(value, int) else node.value
