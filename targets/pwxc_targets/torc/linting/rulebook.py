"""What a book of lint rules is: the specification, and how a rule speaks."""

from __future__ import annotations

from typing import Any

from pwxc.diagnostics import Code, Diagnostics
from pwxc.registry import ReadSettings
from pwxc.source import Source, Span
from pwxc_targets.torc.model import Spec
from pwxc_targets.torc.read import Loaded


class RuleBook:
    """Rules, each a method called `check_…`."""

    def __init__(self, loaded: Loaded, source: Source, settings: ReadSettings, diagnostics: Diagnostics) -> None:
        self.spec: Spec = loaded.spec
        self.document = loaded.document
        self.source, self.settings, self.diagnostics = source, settings, diagnostics

    def run(self) -> None:
        """Apply every rule of the book."""
        for name in sorted(vars(type(self))):
            if name.startswith("check_"):
                getattr(self, name)()

    def say(self, code: Code, message: str, owner: Any, *path: str | int, help: str = "") -> None:
        """Add a diagnostic at a value of a record."""
        self.diagnostics.add(code, message, self.span(owner, *path), help=help)

    def span(self, owner: Any, *path: str | int) -> Span | None:
        """Give the place of a value of a record, or of the record."""
        node = self.document.find(owner.node, *path) or owner.node
        return self.document.span(node) if node is not None else None

    def parameters(self, record: Any) -> dict[str, Any]:
        """Give the parameters that a record takes, with their texts."""
        if record.parameters is not None:
            return dict(record.parameters)
        shared = self.spec.parameters or {}
        return {name: shared[name] for name in record.use_parameters or () if name in shared}
