"""Open loops as sweeps. What is computed from a loop's variables is a further parameter that goes along with them."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import attrs

from pwxc.expr.values import as_text
from pwxc.ir.expr import Ref, Root
from pwxc.ir.names import free_name
from pwxc.ir.sweep import Parameter, Range, Sweep, SweepMode, Values
from pwxc_targets.osmo.symbolic.evaluate import FailsError, evaluate
from pwxc_targets.osmo.symbolic.scope import Row
from pwxc_targets.osmo.symbolic.shapes import blame
from pwxc_targets.osmo.symbolic.sketch import LoopFrame
from pwxc_targets.osmo.symbolic.tree import Binary, Const, Expression, NotInSubsetError, Unary, Varying, children
from pwxc_targets.osmo.template.text import Lines

MOST_ROWS = 4096
"""How many values are written out where a range cannot say them."""

Nest = tuple[LoopFrame, ...]


@attrs.define(eq=False)
class Columns:
    """The sweep of one nest of loops while it is found out what its tasks use."""

    nest: Nest
    used: list[tuple[Expression, str]] = attrs.field(factory=list)
    """What is used besides the loops' own variables, and its name."""
    names: dict[tuple[int, str], str] = attrs.field(factory=dict)
    printed: set[tuple[int, str]] = attrs.field(factory=set)
    """The loops' own variables that are used as they are."""
    taken: set[str] = attrs.field(factory=set)

    def __attrs_post_init__(self) -> None:
        """Name the loops' own variables."""
        for frame in self.nest:
            for target in frame.targets:
                self.names[frame.loop, target] = self._free(target)

    def _free(self, wanted: str) -> str:
        name = free_name(wanted, self.taken, "_")
        self.taken.add(name)
        return name

    def ref(self, expr: Expression, wanted: str = "") -> Ref:
        """Give the reference to what an expression over the loops' variables gives, by a wanted name if it is free."""
        if isinstance(expr, Varying) and (expr.loop, expr.name) in self.names:
            self.printed.add((expr.loop, expr.name))
            return Ref(Root.SWEEP, (self.names[expr.loop, expr.name],))
        for known, name in self.used:
            if known == expr:
                return Ref(Root.SWEEP, (name,))
        first = next(leaf for leaf in _varying(expr))
        name = self._free(wanted or ("index" if first.name == "loop.index0" else first.name))
        self.used.append((expr, name))
        return Ref(Root.SWEEP, (name,))

    @property
    def size(self) -> int:
        """How many instances there are."""
        return prod(len(frame.values) for frame in self.nest)

    def sweep(self, lines: Lines) -> Sweep:
        """Make the sweep.

        Raises:
            CulpritError: it would have to be written out and is too long for that.
        """
        span = lines.span(*self.nest[0].place)
        own = [(Varying(*key), called) for key, called in self.names.items() if key in self.printed]
        wanted: list[tuple[Expression, str]] = [*own, *self.used]
        single = self._one_for_each_loop(wanted)
        if single is not None:
            parameters = [
                Parameter(name=name, values=self._column(expr, (frame,)), span=lines.span(*frame.place))
                for frame, (expr, name) in zip(self.nest, single, strict=True)
            ]
            return Sweep(parameters=tuple(parameters), span=span)
        parameters = [Parameter(name=name, values=self._column(expr, self.nest), span=span) for expr, name in wanted]
        return Sweep(parameters=tuple(parameters), mode=SweepMode.ZIP, span=span)

    def _one_for_each_loop(self, wanted: list[tuple[Expression, str]]) -> list[tuple[Expression, str]] | None:
        """Give the column of each loop when none has two, so that every value can go with every other."""
        found: dict[int, tuple[Expression, str]] = {}
        for expr, name in wanted:
            loops = {leaf.loop for leaf in _varying(expr)}
            if len(loops) > 1 or loops & found.keys():
                return None
            found[loops.pop()] = expr, name
        for frame in self.nest:
            if frame.loop not in found:
                found[frame.loop] = Varying(frame.loop, "loop.index0"), self._free(f"{frame.targets[0]}_index")
        return [found[frame.loop] for frame in self.nest]

    def _column(self, expr: Expression, nest: Nest) -> Range | Values:
        """Give the values of an expression for all rounds of a nest."""
        (frame, *others) = nest
        even = isinstance(frame.values, range) or all(leaf.name == "loop.index0" for leaf in _varying(expr))
        if not others and even and _is_linear(expr):
            size = len(frame.values)
            first, last = self._at(expr, nest, 0), self._at(expr, nest, size - 1)
            step = self._at(expr, nest, 1) - first if size > 1 else 1
            if step:
                return Range(first, last, step)
        size = prod(len(frame.values) for frame in nest)
        own = isinstance(expr, Varying) and expr.name in frame.targets
        if size > MOST_ROWS and not (own and not others):
            raise blame(*self.nest)
        values = [self._at(expr, nest, number) for number in range(size)]
        return Values(tuple(item if as_text(item) == str(item) else str(item) for item in values))

    def _at(self, expr: Expression, nest: Nest, number: int) -> Any:
        try:
            value = evaluate(expr, Row({}, row_of(nest, number)))
        except (FailsError, NotInSubsetError):
            raise blame(*self.nest) from None
        if not isinstance(value, str | int | float | None):
            raise blame(*self.nest)
        return value


def row_of(nest: Nest, number: int) -> dict[tuple[int, str], Any]:
    """Give the values of an instance; the outer loop varies slowest."""
    found: dict[tuple[int, str], Any] = {}
    for frame in reversed(nest):
        number, at = divmod(number, len(frame.values))
        found |= frame.row(at)
    return found


def _varying(expr: Expression) -> Iterator[Varying]:
    if isinstance(expr, Varying):
        yield expr
    for part in children(expr):
        yield from _varying(part)


def _is_linear(expr: Expression) -> bool:
    """Say whether equal steps of the variable are equal steps of the value."""
    match expr:
        case Varying():
            return True
        case Const(int()):
            return True
        case Unary(_, operand):
            return _is_linear(operand)
        case Binary("+" | "-", left, right):
            return _is_linear(left) and _is_linear(right)
        case Binary("*", left, right):
            return (_is_linear(left) and isinstance(right, Const) and isinstance(right.value, int)) or (
                isinstance(left, Const) and isinstance(left.value, int) and _is_linear(right)
            )
    return False


def first_row(nest: Nest) -> dict[tuple[int, str], Any]:
    """Give the values of the first instance."""
    found: dict[tuple[int, str], Any] = {}
    for frame in nest:
        found |= frame.row(0)
    return found
