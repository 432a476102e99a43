"""Which template variables stay parameters.

The concrete reading has every variable replaced. A second rendering puts a mark in the place of each variable that is
only ever printed as it is (`{{ x }}`, also with `default`, `indent` or `string`). Where the two documents agree but
for the marks, and the mark stands in a text that may hold a reference, the mark is a hole; a variable with any other
use decides the structure, so it is frozen at its value and a warning says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from pwxc.diagnostics import Diagnostics
from pwxc.frozen import frozen
from pwxc.ir.expr import Conditional, Expr, Literal, Ref, Root
from pwxc.source import Source, Span
from pwxc.yaml.schema import yaml11
from pwxc_targets.osmo.template import codes as C  # noqa: N812
from pwxc_targets.osmo.template.expand import Expanded, Settings, expand
from pwxc_targets.osmo.template.text import needs_rendering
from pwxc_targets.osmo.tokens import MARK, OWN_PATH, TOKEN

Path = tuple[str, ...]

_HARMLESS_FILTERS = frozenset({"default", "d", "indent", "string"})
MARK_LETTER = "\ue000"
_TEXTS = re.compile(
    r"(?:groups/\d+/)?tasks/\d+/(?:image|command/\d+|args/\d+|environment/[^/]+|credentials/[^/]+|inputs/\d+/url"
    r"|(?:inputs|outputs)/\d+/(?:dataset|update_dataset)/(?:name|path|paths/\d+)|outputs/\d+/url"
    r"|files/\d+/(?:path|contents)|checkpoint/\d+/(?:path|url|frequency))"
    r"|resources/[^/]+/(?:cpu|gpu|memory|storage|platform)|timeout/(?:exec_timeout|queue_timeout)|name"
)
"""Places below `workflow` where the IR can hold a reference (the workflow's name takes part in no run)."""
_ARGUMENTS = re.compile(r".*/tasks/\d+/(?:command|args|environment)/[^/]+")
_PLAIN_FRACTION = re.compile(r"-?\d+\.\d*[1-9]")
_KUBERNETES = re.compile(r"\$\$|\$\([-._a-zA-Z0-9]+\)")
"""What Kubernetes may replace in a container's arguments and variables (§11)."""


@attrs.define
class Parameters:
    """The variables of a file: their values, and the marked text of every scalar that has holes."""

    paths: list[Path] = attrs.field(factory=list)
    values: dict[Path, Any] = attrs.field(factory=dict)
    holes: dict[int, str] = attrs.field(factory=dict)
    """By the id of a concrete scalar node, its text with marks."""
    marks: list[Expr] = attrs.field(factory=list)
    """What each mark stands for, by its number."""
    frozen: dict[Path, Span | None] = attrs.field(factory=dict)
    """Frozen variables with a place that made them so."""


def find_parameters(source: Source, settings: Settings, expanded: Expanded) -> Parameters:
    """Find the variables that stay parameters; gives nothing for a file that is no template."""
    found = Parameters()
    if not expanded.values:
        return found
    leaves = dict(value_leaves(expanded.values))
    section = source.text[slice(*expanded.section)]
    # an escape can make a mark in a scalar, which the second pass renders
    marked = needs_rendering(section) or "\\" in section
    if MARK_LETTER in source.text or any(MARK_LETTER in str(value) for value in leaves.values()):
        uses = None
    else:
        uses = _uses(section) if marked else _Uses({}, frozenset())
    for path, value in leaves.items():
        if uses is None or path[0] in uses.structural or not can_be_open(value):
            if uses is None or path[0] in uses.structural or path[0] in uses.printed:
                place = uses.structural.get(path[0]) if uses is not None else None
                start = expanded.section[0]
                found.frozen[path] = source.span(start + place[0], start + place[1]) if place is not None else None
        else:
            found.paths.append(path)
            value = _as_printed(value)
        found.values[path] = value
    if marked:
        _mark(source, settings, expanded, found)
    found.marks = [printed_parameter(path, found.values[path]) for path in found.paths]
    return found


def _as_printed(value: Any) -> Any:
    """Give the text of a number that Python prints as no other language does: `1.0`, `1e-05`, `inf`."""
    return str(value) if isinstance(value, float) and not _PLAIN_FRACTION.fullmatch(str(value)) else value


def printed_parameter(path: Path, value: Any) -> Expr:
    """Give what a variable prints: a truth value as Python spells it."""
    ref = Ref(Root.INPUT, path)
    return Conditional(ref, Literal("True"), Literal("False")) if isinstance(value, bool) else ref


def value_leaves(values: Mapping[str, Any], prefix: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Give the values of all variables, those inside of maps by their paths."""
    for name, value in values.items():
        path = (*prefix, str(name))
        if isinstance(value, dict) and value:
            yield from value_leaves(value, path)
        else:
            yield path, value


def can_be_open(value: object) -> bool:
    """Say whether a variable of this value may be a parameter."""
    return isinstance(value, str | int | float) and not _has_token(value)


def _has_token(value: object) -> bool:
    return isinstance(value, str) and (TOKEN.search(value) or OWN_PATH.search(value)) is not None


@frozen
class _Uses:
    structural: dict[str, tuple[int, int]]
    """The names that decide something, with a place in the section's text."""
    printed: frozenset[str]


def _uses(section: str) -> _Uses | None:
    """Sort the names of a template by how they are used; None when it cannot be told."""
    import jinja2
    from jinja2 import nodes

    text = TOKEN.sub(lambda token: " " * len(token[0]), section)
    try:
        tree = jinja2.Environment(autoescape=False).parse(text)  # nothing is rendered here
    except (jinja2.TemplateError, RecursionError):
        return None
    printed: set[str] = set()
    plain: set[int] = set()
    for output in tree.find_all(nodes.Output):
        for child in output.nodes:
            name = _printed_name(child)
            if name is not None:
                printed.add(name.name)
                plain.add(id(name))
    structural: dict[str, tuple[int, int]] = {}
    lines = text.splitlines(keepends=True)
    for name in tree.find_all(nodes.Name):
        if id(name) not in plain and name.name not in structural:
            before = sum(map(len, lines[: name.lineno - 1]))
            found = re.compile(rf"\b{re.escape(name.name)}\b").search(text, before)
            structural[name.name] = found.span() if found is not None else (before, before)
    return _Uses(structural, frozenset(printed - structural.keys()))


def _printed_name(node: Any) -> Any:
    """Give the name at the root of `{{ a.b | default(…) }}`, or None for any other expression."""
    from jinja2 import nodes

    while True:
        if isinstance(node, nodes.Filter) and node.name in _HARMLESS_FILTERS and node.node is not None:
            if any(not isinstance(argument, nodes.Const) for argument in node.args):
                return None
            node = node.node
        elif isinstance(node, nodes.Getattr) or (isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const)):
            node = node.node
        else:
            return node if isinstance(node, nodes.Name) and node.ctx == "load" else None


def _mark(source: Source, settings: Settings, expanded: Expanded, found: Parameters) -> None:
    """Render with marks until the rest agrees with the concrete document."""
    while found.paths:
        context = _marked_context(expanded.values, found.paths)
        marked = expand(source, settings, Diagnostics(), context=context)
        found.holes = {}
        culprits: set[int] = set()
        if marked is None:
            culprits = set(range(len(found.paths)))
        else:
            comparison = _Comparison(expanded, found, culprits)
            comparison.compare(expanded.document.root, marked.document.root, "")
        if not culprits:
            return
        for number in sorted(culprits, reverse=True):
            found.frozen.setdefault(found.paths[number], None)
            del found.paths[number]


def _marked_context(values: Mapping[str, Any], paths: list[Path], prefix: Path = ()) -> dict[str, Any]:
    numbers = {path: number for number, path in enumerate(paths)}
    context: dict[str, Any] = {}
    for name, value in values.items():
        path = (*prefix, str(name))
        if path in numbers:
            context[name] = f"\ue000{numbers[path]}\ue001"
        elif isinstance(value, dict) and value:
            context[name] = _marked_context(value, paths, path)
        else:
            context[name] = value
    return context


@attrs.define
class _Comparison:
    """Walks the concrete and the marked document side by side."""

    expanded: Expanded
    found: Parameters
    culprits: set[int]

    def compare(self, concrete: Node, marked: Node, place: str) -> None:
        if isinstance(concrete, ScalarNode) and isinstance(marked, ScalarNode):
            if "\ue000" in marked.value:
                self._scalar(concrete, marked, place)
            elif concrete.value != marked.value:
                self._blame(marked)
        elif isinstance(concrete, SequenceNode) and isinstance(marked, SequenceNode):
            self._sequence(concrete, marked, place)
        elif isinstance(concrete, MappingNode) and isinstance(marked, MappingNode):
            self._mapping(concrete, marked, place)
        else:
            self._blame(marked, concrete)

    def _sequence(self, concrete: SequenceNode, marked: SequenceNode, place: str) -> None:
        if len(concrete.value) != len(marked.value):
            self._blame(marked, concrete)
            return
        for number, (one, other) in enumerate(zip(concrete.value, marked.value, strict=True)):
            self.compare(one, other, f"{place}/{number}")

    def _mapping(self, concrete: MappingNode, marked: MappingNode, place: str) -> None:
        if len(concrete.value) != len(marked.value):
            self._blame(marked, concrete)
            return
        for (key, one), (other_key, other) in zip(concrete.value, marked.value, strict=True):
            if "\ue000" in str(other_key.value) or key.value != other_key.value:
                self._blame(other_key, key)
            self.compare(one, other, f"{place}/{key.value}")

    def _scalar(self, concrete: ScalarNode, marked: ScalarNode, place: str) -> None:
        ranges, filled = _filled(marked.value, self._value)
        retyped = str(yaml11(concrete)) != concrete.value  # YAML reads the value as something else
        possible = holds_reference(place.removeprefix("/workflow/"))
        if filled != concrete.value or retyped or not possible or _meets(_patterns(place), filled, ranges):
            self._blame(marked, concrete)
        else:
            self.found.holes[id(concrete)] = marked.value

    def _value(self, number: int) -> str:
        return str(self.found.values[self.found.paths[number]])

    def _blame(self, marked: Node, concrete: Node | None = None) -> None:
        numbers = [int(mark[1]) for node in _scalars(marked) for mark in MARK.finditer(node.value)]
        span = self.expanded.document.span(concrete) if concrete is not None else None
        for number in numbers or range(len(self.found.paths)):
            self.culprits.add(number)
            self.found.frozen.setdefault(self.found.paths[number], span)


def holds_reference(place: str) -> bool:
    """Say whether the IR can hold a reference at a place below `workflow`."""
    return _TEXTS.fullmatch(place) is not None


def meets_token(place: str, marked: str, value: Callable[[int], str]) -> bool:
    """Say whether a mark's value becomes a part of something that is replaced later: another would change it."""
    ranges, filled = _filled(marked, value)
    return _meets(_patterns(f"/{place}"), filled, ranges)


def _filled(marked: str, value: Callable[[int], str]) -> tuple[list[tuple[int, int]], str]:
    """Put the values of marks into a text, and say where they stand."""
    parts: list[str] = []
    ranges: list[tuple[int, int]] = []
    at = length = 0
    for mark in MARK.finditer(marked):
        parts += [marked[at : mark.start()], value(int(mark[1]))]
        at = mark.end()
        length += len(parts[-2]) + len(parts[-1])
        ranges.append((length - len(parts[-1]), length))
    return ranges, "".join((*parts, marked[at:]))


def _patterns(place: str) -> tuple[re.Pattern[str], ...]:
    return (TOKEN, OWN_PATH, _KUBERNETES) if _ARGUMENTS.fullmatch(place) else (TOKEN, OWN_PATH)


def _meets(patterns: tuple[re.Pattern[str], ...], text: str, ranges: list[tuple[int, int]]) -> bool:
    """Say whether a value is a part of something that is replaced later, so that another value would change it."""
    found = [match.span() for pattern in patterns for match in pattern.finditer(text)]
    return any(low < end and start < high for low, high in ranges for start, end in found)


def _scalars(node: Node) -> Iterator[ScalarNode]:
    from pwxc.yaml.nodes import walk

    return (found for found in walk(node) if isinstance(found, ScalarNode))


def report_frozen(found: Parameters, spans: dict[Path, Span], diagnostics: Diagnostics) -> None:
    """Warn for every variable that is no parameter any more."""
    for path, place in found.frozen.items():
        name = ".".join(path)
        value = found.values[path]
        reason = (
            "its value holds what OSMO replaces later" if _has_token(value) else "the file's structure depends on it"
        )
        diagnostics.add(
            C.FROZEN_PARAMETER,
            f"parameter `{name}` is frozen at `{value}`: {reason}",
            place or spans.get(path),
            help=f"compile again with `--set {name}=VALUE` for another value",
        )


def report_used_in_file(text: str, found: Parameters, place: Span, diagnostics: Diagnostics) -> None:
    """Warn when a local file uses parameters: it is rendered once, with their values of now (§13)."""
    if not found.paths or not needs_rendering(text):
        return
    uses = _uses(text)
    for path in found.paths:
        if uses is None or path[0] in uses.structural or path[0] in uses.printed:
            name = ".".join(path)
            message = f"the local file is built in with `{name}` at `{found.values[path]}`"
            diagnostics.add(C.FROZEN_PARAMETER, message, place, help=f"put it into `contents` to keep `{name}` open")
