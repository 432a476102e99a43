"""Loops over very many tasks: the concrete reading goes through a few of their rounds, so that it costs what ten cost.

That is enough where the symbolic reading holds, which says what all rounds are. Where it does not, the file is read
again with every round.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pwxc.frozen import frozen
from pwxc_targets.osmo.symbolic.evaluate import LONGEST_RANGE, FailsError
from pwxc_targets.osmo.symbolic.links import Links, Named
from pwxc_targets.osmo.symbolic.output import Output
from pwxc_targets.osmo.symbolic.parsing import Body, bind_tokens, parse
from pwxc_targets.osmo.symbolic.scope import Names
from pwxc_targets.osmo.symbolic.shapes import UnexplainedError
from pwxc_targets.osmo.symbolic.sketch import CulpritError, Decisions, begins_item, loop_values, sketch
from pwxc_targets.osmo.symbolic.tree import (
    Assignment,
    Attribute,
    Const,
    Expression,
    Loop,
    Name,
    NotInSubsetError,
    Varying,
    children,
    expressions,
    leaves,
    statements,
)
from pwxc_targets.osmo.template.text import Lines, Masked

LONG = 64
"""From so many rounds on a loop over tasks is long."""

_FROM_THE_START = {"index", "index0", "first"}


@frozen
class LongLoop:
    """A loop over very many tasks, and the rounds that are gone through: the first ones and the last."""

    start: int
    end: int
    word: int
    values: Sequence[Any]
    rounds: tuple[int, ...]

    @property
    def too_long(self) -> bool:
        """Whether the service refuses to go through it."""
        return isinstance(self.values, range) and len(self.values) > LONGEST_RANGE

    @property
    def few(self) -> list[Any]:
        """The values of the rounds that are gone through."""
        return [self.values[number] for number in self.rounds]


@frozen
class LongLoops:
    """The long loops of a template."""

    body: Body
    loops: tuple[LongLoop, ...]

    @property
    def rows(self) -> dict[int, list[Any]]:
        """The values to render with, by where the word `for` stands."""
        return {loop.word: loop.few for loop in self.loops}

    def output(self, part: Lines, values: Mapping[str, Any]) -> Output | None:
        """Give the text with these rounds alone and its way back; None when it is outside of the subset."""
        few = Decisions(rows={loop.start: loop.few for loop in self.loops})
        try:
            made = sketch(self.body, values, few)
        except (CulpritError, FailsError, NotInSubsetError):
            return None
        return Output.of(made, part, lambda expr: "")


def find_long_loops(masked: Masked, values: Mapping[str, Any]) -> LongLoops | None:
    """Find the loops over very many tasks, if there are any that can be read in part."""
    try:
        return _find(bind_tokens(parse(masked.text), masked.tokens), values)
    except (NotInSubsetError, RecursionError):
        return None


def _find(body: Body, values: Mapping[str, Any]) -> LongLoops | None:
    scope = Names({name: Const(value) for name, value in values.items()})
    changing = {item.name for item in statements(body) if isinstance(item, Assignment)}
    changing |= {name for item in statements(body) if isinstance(item, Loop) for name in item.targets}
    likely = [item for item in statements(body) if isinstance(item, Loop) and _may_be_long(item)]
    counts = any(_looks_at(loop) for loop in likely)  # the last round would have the number of the fourth
    found = [
        LongLoop(loop.start, loop.end, loop.word, items, (0, 1, 2, 3 if counts else len(items) - 1))
        for loop in likely
        if not _names(loop.values) & changing and (items := _values(loop, scope)) is not None
    ]
    return LongLoops(body, tuple(found)) if found else None


def _may_be_long(loop: Loop) -> bool:
    """Say whether a loop makes items of a list and none of them looks at how many rounds there are."""
    if not begins_item(loop.body) or loop.when is not None or len(loop.targets) != 1:
        return False
    return _looks_at(loop) <= _FROM_THE_START


def _looks_at(loop: Loop) -> set[str]:
    """Give the attributes of `loop` that a body names."""
    inside = [expr for item in statements(loop.body) for expr in expressions(item)]
    found: set[str] = set()
    while inside:
        expr = inside.pop()
        if isinstance(expr, Attribute) and expr.value == Name("loop"):
            found.add(expr.name)
        elif expr == Name("loop"):
            found.add("")
        else:
            inside += children(expr)
    return found


def _names(expr: Expression) -> set[str]:
    return {leaf.name for leaf in leaves(expr) if isinstance(leaf, Name)}


def _values(loop: Loop, scope: Names) -> Sequence[Any] | None:
    try:
        values = loop_values(loop, scope)
    except (CulpritError, FailsError, NotInSubsetError):
        return None
    return values if len(values) > LONG else None


def check_names(links: Links, loops: Mapping[int, Sequence[int]]) -> None:
    """Hold that all rounds of long loops give different names, of which only a few have been looked at.

    Raises:
        UnexplainedError: two names may be the same.
    """
    if not loops:
        return
    everything = (*links.groups, *links.tasks)
    skeletons = [_skeleton(named) for named in everything]
    for named in everything:
        if not any(frame.loop in loops for frame in named.nest):
            continue
        own = _skeleton(named)
        pattern = re.compile(re.escape(own).replace("\0", ".+") + "(-group)?")
        others = [other for other in everything if other is not named]
        if not _tells_apart(named) or skeletons.count(own) > 1 + (named.name == named.unit and named in links.groups):
            raise UnexplainedError
        if any(pattern.fullmatch(_folded(other.name)) for other in others):
            raise UnexplainedError


def _folded(text: str) -> str:
    return text.lower().replace("_", "-")


def _skeleton(named: Named) -> str:
    return "".join(_folded(part) if isinstance(part, str) else "\0" for part in named.parts)


def _tells_apart(named: Named) -> bool:
    """Say whether a name shows the variable of every loop, with text between any two."""
    shown = [part.loop for part in named.parts if isinstance(part, Varying) and part.name != "loop.index0"]
    apart = all(
        isinstance(one, str) or isinstance(other, str) for one, other in zip(named.parts, named.parts[1:], strict=False)
    )
    different = all(
        isinstance(frame.values, range) or len({_folded(str(value)) for value in frame.values}) == len(frame.values)
        for frame in named.nest
    )
    return apart and different and {frame.loop for frame in named.nest} == set(shown)
