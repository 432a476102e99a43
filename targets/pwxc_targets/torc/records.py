"""Records that are repeated over parameters: their names and texts with holes, and single instances (torc.md §13)."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator

import attrs

from pwxc.ir.expr import Call, Literal, Ref, Root
from pwxc.ir.sweep import Parameter, Range, Sweep, SweepMode, Values
from pwxc.ir.template import Template
from pwxc.source import Span
from pwxc_targets.torc.model import FileSpec, Job, UserData
from pwxc_targets.torc.parameters import Scalar, formats, show

Parameterised = Job | FileSpec | UserData


@attrs.define(eq=False)
class Record:
    """A job, file or datum with its parameters read; `bound` has the values of one instance, if it is one."""

    surface: Parameterised
    index: int
    raw_name: str
    sweep: Sweep | None = None
    bound: dict[str, Scalar] = attrs.field(factory=dict)
    span: Span | None = None
    name: Template = attrs.field(init=False)
    _pattern: re.Pattern[str] | None = attrs.field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self.name = self.text(self.raw_name)

    @property
    def parameters(self) -> dict[str, Range | Values]:
        """The parameters that are still open."""
        if self.sweep is None:
            return {}
        return {item.name: item.values for item in self.sweep.parameters if isinstance(item.values, Range | Values)}

    @property
    def size(self) -> int:
        """How many instances there are."""
        return size_of(self.sweep) if self.sweep is not None else 1

    @property
    def id(self) -> str:
        """How the IR calls the record: its name, with the parameters' holes as torc writes them."""
        return spell(self.name)

    def text(self, raw: str) -> Template:
        """Read a text: tokens of the record's parameters become holes, or the values of the instance."""
        return substitute(raw, self.parameters, self.bound)

    def instances(self) -> Iterator[Record]:
        """Give every instance as a record of its own."""
        for values in assignments(self.sweep):
            yield Record(self.surface, self.index, self.raw_name, None, values, self.span)

    def names(self) -> Iterator[str]:
        """Give the name of every instance."""
        for values in assignments(self.sweep):
            yield self.name.fill(lambda hole, values=values: print_hole(hole, values))  # type: ignore[misc]

    def has_instance(self, name: str) -> bool:
        """Whether one of the instances has this name."""
        if self._pattern is None:
            self._pattern = _name_pattern(self.name, self.parameters)
        found = self._pattern.fullmatch(name)
        if found is None:
            return False
        known = self.parameters
        for number, hole in enumerate(self.name.holes, 1):
            name_of, form = hole_of(hole)
            values = known[name_of]
            if isinstance(values, Range) and not _in_range(values, found[number], form):
                return False
        return self.sweep is None or self.sweep.mode is SweepMode.PRODUCT or name in set(self.names())


def size_of(sweep: Sweep) -> int:
    """Count the instances of a sweep of known values."""
    lengths = [len(item.values) for item in sweep.parameters if isinstance(item.values, Range | Values)]
    return min(lengths) if sweep.mode is SweepMode.ZIP else math.prod(lengths)


def assignments(sweep: Sweep | None) -> Iterator[dict[str, Scalar]]:
    """Give the values of every instance of a sweep."""
    if sweep is None:
        yield {}
        return
    names = [item.name for item in sweep.parameters]
    columns = [item.values for item in sweep.parameters if isinstance(item.values, Range | Values)]
    rows = zip(*columns, strict=False) if sweep.mode is SweepMode.ZIP else itertools.product(*columns)
    for row in rows:
        yield dict(zip(names, row, strict=True))


def _token(names: tuple[str, ...]) -> re.Pattern[str]:
    joined = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    return re.compile(r"\{(" + joined + r")(?::([^}]*))?\}")


_tokens: dict[tuple[str, ...], re.Pattern[str]] = {}


def tokens_of(names: tuple[str, ...]) -> re.Pattern[str]:
    """Give the pattern of the tokens `{name}` and `{name:format}` of some parameters."""
    if names not in _tokens:
        _tokens[names] = _token(names)
    return _tokens[names]


def substitute(raw: str, open: dict[str, Range | Values], bound: dict[str, Scalar]) -> Template:
    """Replace the tokens of parameters by holes, or by values where these are known."""
    if "{" not in raw or not (open or bound):
        return Template((raw,) if raw else ())
    parts: list[str | Ref | Call] = []
    last = 0
    for found in tokens_of((*open, *bound)).finditer(raw):
        name, form = found[1], found[2] or ""
        parts.append(raw[last : found.start()])
        parts.append(show(bound[name], form) if name in bound else hole(name, form, open[name]))
        last = found.end()
    return Template.of(*parts, raw[last:])


def hole(name: str, format: str, values: Range | Values | None = None) -> Ref | Call:
    """Make the hole of a parameter; a format that changes none of the values is left out."""
    ref = Ref(Root.SWEEP, (name,))
    if not format or (values is not None and not formats(values, format)):
        return ref
    return Call("format", (ref, Literal(format)))


def hole_of(expr: object) -> tuple[str, str]:
    """Give the parameter and the format of a hole."""
    if isinstance(expr, Call):
        ref, form = expr.arguments
        assert isinstance(ref, Ref)
        assert isinstance(form, Literal)
        return ref.path[0], str(form.value)
    assert isinstance(expr, Ref)
    return expr.path[0], ""


def print_hole(expr: object, values: dict[str, Scalar]) -> str:
    """Print a hole for an instance."""
    name, form = hole_of(expr)
    return show(values[name], form)


def spell(template: Template) -> str:
    """Write a template of parameter holes as torc does."""
    return template.fill(lambda expr: "{" + ":".join(part for part in hole_of(expr) if part) + "}")


def _name_pattern(name: Template, known: dict[str, Range | Values]) -> re.Pattern[str]:
    parts = []
    for part in name.parts:
        if isinstance(part, str):
            parts.append(re.escape(part))
            continue
        parameter, form = hole_of(part)
        values = known[parameter]
        if isinstance(values, Range):
            parts.append(r"(-?[0-9]+)" if isinstance(values.start, int) else r"(-?[0-9]+(?:\.[0-9]+)?)")
        else:
            texts = sorted({show(value, form) for value in values.items}, key=len, reverse=True)
            parts.append("(" + "|".join(re.escape(text) for text in texts) + ")")
    return re.compile("".join(parts))


def _in_range(values: Range, text: str, format: str) -> bool:
    if len(text) >= 30:
        return False
    number = int(text) if isinstance(values.start, int) else _nearest(values, float(text))
    if show(number, format) != text:
        return False
    low, high = sorted((values.start, values.stop))
    return low <= number <= high and (number - values.start) % values.step == 0


def _nearest(values: Range, number: float) -> float:
    """Give the float of a range that may be printed as a number."""
    index = round((number - values.start) / values.step)
    return values[min(max(index, 0), len(values) - 1)]


def same_values(one: Range | Values, other: Range | Values) -> bool:
    """Whether two parameters have the same values in the same order."""
    if one == other:
        return True
    if len(one) != len(other) or (isinstance(one, Range) and isinstance(other, Range)):
        return isinstance(one, Range) and isinstance(other, Range) and _same_range(one, other)
    return all(type(a) is type(b) and a == b for a, b in zip(one, other, strict=True))


def _same_range(one: Range, other: Range) -> bool:
    return len(one) == len(other) and one[0] == other[0] and one[len(one) - 1] == other[len(other) - 1]


def make_sweep(parameters: list[Parameter], mode: SweepMode) -> Sweep:
    """Make a sweep."""
    return Sweep(parameters=tuple(parameters), mode=mode)
