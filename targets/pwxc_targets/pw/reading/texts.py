"""Values of the surface model into the IR's terms: templates, expressions, times, switches; each with its place.

Every method takes the construct and the name of the key whose value it reads, so that it can point there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import attrs

from pwxc.diagnostics import Code
from pwxc.ir.entity import Passthrough
from pwxc.ir.expr import Expr, Literal
from pwxc.ir.template import Template
from pwxc.source import InnerSpan, Span
from pwxc.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from pwxc.yaml.structure import Reading, Surface
from pwxc_targets.pw.expressions import parse_expression, parse_template
from pwxc_targets.pw.reading import codes as C  # noqa: N812

SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"\s*(-?\d+)\s*([dhms]?)\s*\Z")
_NAME = re.compile(r"[a-zA-Z0-9_-]+\Z")
_OLD_HOLE = re.compile(r"\s*\{\{(.*)\}\}\s*\Z", re.DOTALL)

_PLACES = {
    "PwWorkflow": "workflow.",
    "Job": "job.",
    "Step": "step.",
    "Retry": "retry.",
    "Strategy": "strategy.",
    "Ssh": "ssh.",
    "Session": "sessions.",
    "RunsOn": "runs-on.",
}
"""How the place of a construct's key begins; what is none of these is a field of the form."""

Locate = Callable[[int, int], Span]


def parse_duration(value: object) -> int | None:
    """Give the seconds of a time such as `90`, `10m`, `2h`; None when it is none (§2)."""
    if isinstance(value, bool):
        return None
    matched = _DURATION.match(str(value))
    return int(matched[1]) * SECONDS[matched[2]] if matched is not None else None


def has_hole(value: object) -> bool:
    """Whether a value is text with an expression in it, in either spelling of the delimiters."""
    return isinstance(value, str) and ("${{" in value or "$<<" in value)


@attrs.frozen
class Use:
    """An expression and where it stands: the place by its name in `contexts`, and the job, if it is in one."""

    place: str
    job: str | None
    expr: Expr


@attrs.define
class Texts:
    """Reads the values of one document, and remembers every expression that it has read.

    `place` and `job` say what is being read; methods that take a construct and a key set the place by themselves.
    """

    context: Reading
    place: str = ""
    job: str | None = None
    uses: list[Use] = attrs.field(factory=list, repr=False)

    def node(self, construct: Surface | Node | None, *path: str | int) -> Node | None:
        """Find the node of a value below a construct."""
        node = construct.node if isinstance(construct, Surface) else construct
        if len(path) != 1 or not isinstance(node, MappingNode):
            return self.context.document.find(node, *path)
        found, name = None, path[0]
        for key, value in node.value:
            if key.value == name:
                found = value
        return found

    def span(self, node: Node | None) -> Span | None:
        """Give a node's place; of a map or list, that of its beginning."""
        if node is None:
            return None
        source = self.context.document.source
        if isinstance(node, ScalarNode):
            return InnerSpan(source, node.start_mark.index, node.end_mark.index, self._exact(node), 0, len(node.value))
        if node.value:
            first = node.value[0]
            return self.span(first[0] if isinstance(node, MappingNode) else first)
        return source.span(node.start_mark.index, node.end_mark.index)

    def at(self, construct: Surface | Node | None, *path: str | int) -> Span | None:
        """Give the place of a value below a construct."""
        return self.span(self.node(construct, *path))

    def key_span(self, node: Node | None, name: str) -> Span | None:
        """Give the place of a key itself."""
        pairs = node.value if isinstance(node, MappingNode) else ()
        return next((self.span(key) for key, _ in pairs if key.value == name), None)

    def report(self, code: Code, message: str, span: Span | None, **more: Any) -> None:
        """Add a diagnostic."""
        self.context.diagnostics.add(code, message, span, **more)

    def _exact(self, node: ScalarNode) -> Locate:
        return lambda low, high: self.context.document.inner(node, low, high)

    def locate(self, node: Node | None) -> Locate:
        """Give the way from offsets of a scalar's value to places of the file."""
        if not isinstance(node, ScalarNode):
            place = self.span(node) or self.context.document.source.span(0, 0)
            return lambda low, high: place
        source, exact = self.context.document.source, self._exact(node)
        start, end = node.start_mark.index, node.end_mark.index
        return lambda low, high: InnerSpan(source, start, end, exact, low, high)

    def check_name(self, name: str, kind: str, span: Span | None) -> None:
        """Report a name that the platform does not take for inputs, outputs and matrix variables (§2)."""
        if not _NAME.match(name):
            self.report(C.BAD_NAME, f"`{name}` is no name of {kind}: letters, digits, `_` and `-`", span)

    # texts and data

    def template(self, value: object, node: Node | None) -> Template:
        """Read a scalar as text with holes. Numbers and booleans are the text that was written."""
        if not isinstance(value, str):
            value = node.value if isinstance(node, ScalarNode) and value is not None else _text(value)
        if not has_hole(value):
            return Template((value,) if value else ())
        made = parse_template(value, self.locate(node), self.context.diagnostics)
        for part in made.parts:
            if not isinstance(part, str):
                self.uses.append(Use(self.place, self.job, part))
        return made

    def template_of(self, construct: Surface, value: object, name: str) -> Template | None:
        """Read the value of a key as text with holes; None when it is absent or null."""
        if value is None:
            return None
        self._enter(construct, name)
        return self.template(value, self.node(construct, name))

    def _enter(self, construct: Surface, name: str) -> None:
        self.place = _PLACES.get(type(construct).__name__, "input.") + name

    def data(self, value: Any, node: Node | None) -> Any:
        """Read plain data in which texts with holes become templates."""
        if isinstance(value, str):
            return self.template(value, node) if has_hole(value) else value
        if isinstance(value, dict):
            return {name: self.data(item, self.node(node, name)) for name, item in value.items()}
        if isinstance(value, list):
            children = node.value if isinstance(node, SequenceNode) else [None] * len(value)
            return [self.data(item, child) for item, child in zip(value, children, strict=False)]
        return value

    # single values

    def expression(self, value: object, node: Node | None) -> Expr | None:
        """Read a condition: one hole, or an expression without delimiters (§11); None when it cannot be read."""
        if not isinstance(value, str):
            return Literal(value, span=self.span(node)) if isinstance(value, bool | int | float) else None
        if has_hole(value):
            return self.template(value, node).whole or self._mixed(value, node)
        old = _OLD_HOLE.match(value)
        inner, start = (old[1], old.start(1)) if old is not None else (value, 0)
        if old is not None:
            self.old_form("`{{ … }}` was the spelling of 2024", self.span(node), "write `${{ … }}`")
        locate = self.locate(node)
        return parse_expression(inner, lambda low, high: locate(low + start, high + start), self.context.diagnostics)

    def _mixed(self, value: str, node: Node | None) -> Expr | None:
        """Read one hole with blanks around it; anything else that stands there makes it a text, which is true."""
        found = self.template(value, node)
        holes = found.holes
        if len(holes) == 1 and all(not isinstance(part, str) or part.isspace() for part in found.parts):
            return holes[0]
        if holes:
            message = "text stands beside the expression, so the whole is text and always true"
            self.report(C.BAD_VALUE, message, self.span(node), help="put everything into one `${{ … }}`")
        return None

    def whole(self, value: object, node: Node | None) -> Expr | None:
        """Give the expression when a value is one hole and nothing else."""
        return self.template(value, node).whole if has_hole(value) else None

    def switch(self, construct: Surface, value: object, name: str, *, default: bool = False) -> bool | Expr:
        """Read a boolean or an expression. Text that is neither is reported and counts as the default."""
        if value is None or isinstance(value, bool):
            return default if value is None else value
        node = self.node(construct, name)
        self._enter(construct, name)
        if has_hole(value) or (isinstance(value, str) and _OLD_HOLE.match(value)):
            found = self.expression(value, node)
            return default if found is None else found
        message = f"`{name}` is `true`, `false` or an expression"
        self.report(C.BAD_VALUE, message, self.span(node))
        return {"true": True, "false": False}.get(str(value).lower(), default)

    def count(self, construct: Surface, value: object, name: str) -> int | Expr | None:
        """Read a whole number or an expression."""
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        node = self.node(construct, name)
        self._enter(construct, name)
        if (found := self.whole(value, node)) is not None:
            return found
        if isinstance(value, str) and value.strip().isdigit():
            return int(value)
        if not has_hole(value):
            self.report(C.BAD_VALUE, f"`{name}` is a whole number or an expression", self.span(node))
        return None

    def duration(self, construct: Surface, value: object, name: str) -> int | Expr | None:
        """Read a time in seconds or an expression (§2)."""
        if value is None:
            return None
        node = self.node(construct, name)
        self._enter(construct, name)
        if has_hole(value):
            found = self.template(value, node)
            return found.whole if found.whole is not None else None
        seconds = parse_duration(value)
        if seconds is None:
            self.report(C.BAD_DURATION, f"`{value}` is no time", self.span(node), help="for example `30s`, `10m`, `2h`")
        return seconds

    def old_form(self, message: str, span: Span | None, help: str) -> None:
        """Report a form from before the language was settled."""
        self.report(C.OLD_FORM, message, span, help=help)

    def plain(self, node: Node) -> Any:
        """Give a node's content as it is written."""
        return _plain(node, self.context)

    # what only this dialect knows

    def kept(self, construct: Surface | None, *names: str, under: tuple[str, ...] = ()) -> list[Passthrough]:
        """Keep the values of keys as they are written."""
        found: list[Passthrough] = []
        for name in names:
            node = self.node(construct, name)
            if node is not None:
                found.append(Passthrough("pw", (*under, name), _plain(node, self.context), self.span(node)))
        return found

    def unknown(self, construct: Surface | None, *under: str) -> list[Passthrough]:
        """Keep the keys that the language does not know."""
        return self.kept(construct, *construct.extra, under=under) if construct is not None else []


def _plain(node: Node, context: Reading) -> Any:
    if isinstance(node, ScalarNode):
        return context.schema(node)
    if isinstance(node, SequenceNode):
        return [_plain(child, context) for child in node.value]
    return {key.value: _plain(value, context) for key, value in node.value}


def _text(value: object) -> str:
    if value is None:
        return ""
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
