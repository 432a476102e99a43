"""What the parts of the lowering share: the specification, its places, what is said, and the jobs of names."""

from __future__ import annotations

from typing import Any

from pwxc.diagnostics import Diagnostics
from pwxc.source import Span
from pwxc.yaml.nodes import Document, Node
from pwxc_targets.torc.model import Spec
from pwxc_targets.torc.parameters import Context
from pwxc_targets.torc.reading.relations import Resolver


class Reader:
    """One specification that is being read."""

    def __init__(self, spec: Spec, document: Document, diagnostics: Diagnostics, context: Context) -> None:
        self.spec, self.document, self.diagnostics, self.context = spec, document, diagnostics, context
        self.resolver = Resolver(document, [], [], [], context.limit)

    def span(self, surface: Any, *path: str | int) -> Span | None:
        """Give the place of a value of a record, or of the record itself."""
        node: Node | None = self.document.find(surface.node, *path) or surface.node
        return self.document.span(node) if node is not None else None

    def head(self, surface: Any) -> Span | None:
        """Give the place of a record's name, or of the record."""
        return self.span(surface, "name")
