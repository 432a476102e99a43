"""What all of OSMO's rules look at, and how they report."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from pwxc.diagnostics import Code, Related, did_you_mean
from pwxc.source import Span
from pwxc.yaml.nodes import Node
from pwxc.yaml.structure import Reading, Surface
from pwxc_targets.osmo import model
from pwxc_targets.osmo.reading.mending import Mended


@attrs.define
class Check:
    """The reading with what the rules need: faults are reported at a key of a model."""

    context: Reading
    workflow: model.Workflow
    mended: Mended

    def at(self, construct: Surface, *path: str | int) -> Span:
        """Give the place of something below a construct, or of the construct."""
        node: Node | None = self.context.document.find(construct.node, *path)
        found = node if node is not None else construct.node
        assert found is not None
        return self.context.document.span(found)

    def suggest(self, word: str, known: Iterable[str]) -> str:
        """Give a help text that names what may be meant, unless so much is wrong that it would take long."""
        return did_you_mean(word, known) if len(self.context.diagnostics) < 200 else ""

    def fault(self, code: Code, message: str, span: Span, *, help: str = "", related: Span | None = None) -> None:
        """Report a fault."""
        places = (Related(related, "the other one"),) if related is not None else ()
        self.context.diagnostics.add(code, message, span, help=help, related=places)
