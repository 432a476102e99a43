"""Texts of the surface model as templates, and the places of what is lowered."""

from __future__ import annotations

from collections.abc import Iterable

from yaml.nodes import ScalarNode

from pwxc.ir.expr import Ref, Root
from pwxc.ir.template import Template
from pwxc.source import Span
from pwxc.yaml.nodes import Node
from pwxc.yaml.structure import Reading, Surface
from pwxc_targets.osmo.reading import codes as C  # noqa: N812
from pwxc_targets.osmo.template.parameters import Parameters
from pwxc_targets.osmo.tokens import (
    OWN_FOLDER,
    OWN_PATH,
    TOKEN,
    Locate,
    Scope,
    StrayToken,
    has_holes,
    lower_text,
)

NO_SCOPE = Scope({}, frozenset())


class Texts:
    """Turns texts into templates, with the tokens that the task in `scope` may use."""

    def __init__(self, context: Reading, parameters: Parameters) -> None:
        self.context = context
        self.document = context.document
        self.parameters = parameters
        self.scope = NO_SCOPE

    def span(self, construct: Surface, *path: str | int) -> Span:
        """Give the place of something below a construct, or of the construct."""
        node = self.document.find(construct.node, *path) or construct.node
        assert node is not None
        return self.document.span(node)

    def _places(self, construct: Surface | None, **keys: str) -> dict[str, Span] | None:
        """Give the places of keys that are written, by the names of the IR's fields."""
        if construct is None or construct.node is None:
            return None
        written = {key_node.value for key_node, _ in construct.node.value}
        places = {field: self.span(construct, key) for field, key in keys.items() if key in written}
        return places or None

    def _hole(self, construct: Surface, key: str) -> str | None:
        if not self.parameters.holes:
            return None
        node: Node | None = self.document.find(construct.node, key)
        return self.parameters.holes.get(id(node)) if node is not None else None

    def text(self, construct: Surface, value: str, *path: str | int) -> Template:
        """Lower a text of the model, whose value after coercion is `value`."""
        if not self.parameters.holes and not has_holes(value):
            return Template((value,) if value else ())
        node = self.document.find(construct.node, *path)
        marked = self.parameters.holes.get(id(node))
        if marked is None and not has_holes(value):
            return Template.of(value)
        locate = self._locate(node, value) if marked is None else self._whole(node)
        template = lower_text(
            value if marked is None else marked,
            self.scope,
            [] if marked is None else self.parameters.marks,
            locate,
            lambda token: self._stray(token, locate(token.low, token.high)),
        )
        self._report_lone_hosts(template)
        return template

    def plain_text(self, value: str, span: Span) -> str:
        """Give a text that the IR keeps as it stands; a token in it is reported."""
        token = TOKEN.search(value) or OWN_PATH.search(value)
        if token is not None:
            message = f"`{token[0]}` cannot be replaced here and stays in the text"
            self.context.diagnostics.add(C.FIXED_TOKEN, message, span)
        return value

    def plain_texts(self, construct: Surface, values: Iterable[str], key: str) -> tuple[str, ...]:
        """Give the texts of a list that the IR keeps as they stand."""
        return tuple(self.plain_text(value, self.span(construct, key, at)) for at, value in enumerate(values))

    def _report_lone_hosts(self, template: Template) -> None:
        if len(self.scope.hosts) != 1:
            return
        for hole in template.holes:
            if isinstance(hole, Ref) and hole.root is Root.HOST:
                message = f"`{{{{host:{hole.path[0]}}}}}` is a name that nothing answers to in a group of one task"
                self.context.diagnostics.add(C.LONE_HOST, message, hole.span)

    def _locate(self, node: Node | None, value: str) -> Locate:
        if isinstance(node, ScalarNode) and node.value == value:
            return self.document.inner_later(node)
        return self._whole(node)

    def _whole(self, node: Node | None) -> Locate:
        assert node is not None
        return lambda low, high: self.document.span(node)

    def _stray(self, token: StrayToken, span: Span) -> None:
        if token.text.startswith(OWN_FOLDER):
            message = f"`{token.text}` is the folder of an input that this task does not have"
        else:
            message = f"`{token.text}` names nothing here, so OSMO leaves it in the text"
        self.context.diagnostics.add(C.STRAY_TOKEN, message, span)
