"""Other values for parameters, with which the symbolic reading has to hold as well."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, product
from typing import Any

from pwxc_targets.osmo.symbolic.evaluate import FailsError, evaluate
from pwxc_targets.osmo.symbolic.scope import Row, open_leaves
from pwxc_targets.osmo.symbolic.sketch import CulpritError, TestFrame
from pwxc_targets.osmo.symbolic.tree import Const, Expression, NotInSubsetError, Param, Path, leaves

_MOST_COMBINATIONS = 256
MOST_PROBES = 12


def find_probes(
    tests: Sequence[TestFrame], computed: Sequence[Expression], params: Mapping[Path, Any]
) -> Iterator[tuple[dict[Path, Any], CulpritError]]:
    """Give sets of values, each with what is to blame when it shows a difference.

    Every condition gets values that turn it round, and everything computed gets other values.

    Raises:
        CulpritError: a condition cannot be turned round, so it is none.
    """
    seen: list[dict[Path, Any]] = []
    for frame in tests:
        suspects = CulpritError(frame.open, [], [frame.condition], frame.place)
        probe = _turn_round(frame.test, params)
        if probe is None or len(seen) >= MOST_PROBES:
            raise suspects
        if probe not in seen:
            seen.append(probe)
            yield probe, suspects
    for expr in computed:
        names = _paths(expr)
        suspects = CulpritError([Param(path) for path in names], [], [], (0, 0))
        probe = {path: _candidates(params[path], _constants(expr))[0] for path in names}
        if len(seen) >= MOST_PROBES:
            raise suspects
        if probe not in seen:
            seen.append(probe)
            yield probe, suspects


def _turn_round(test: Expression, params: Mapping[Path, Any]) -> dict[Path, Any] | None:
    names = _paths(test)
    now = bool(evaluate(test, Row(params, {})))
    choices = [[*_candidates(params[path], _constants(test)), params[path]] for path in names]
    for combination in islice(product(*choices), _MOST_COMBINATIONS):
        probe = dict(zip(names, combination, strict=True))
        try:
            if bool(evaluate(test, Row({**params, **probe}, {}))) is not now:
                return probe
        except (FailsError, NotInSubsetError):
            continue
    return None


def _paths(expr: Expression) -> list[Path]:
    return list(dict.fromkeys(leaf.path for leaf in open_leaves(expr) if isinstance(leaf, Param)))


def _constants(expr: Expression) -> list[Any]:
    found: list[Any] = []
    for leaf in leaves(expr):
        if isinstance(leaf, Const):
            found += leaf.value if isinstance(leaf.value, list | tuple) else [leaf.value]
    return found


def _candidates(value: Any, constants: Sequence[Any]) -> list[Any]:
    """Give other values of the same kind, those first that an expression names."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        near = [item + step for item in (value, *constants) if isinstance(item, int) for step in (1, -1, 0)]
        return [item for item in dict.fromkeys((*near, 0, 1)) if item != value]
    if isinstance(value, float):
        numbers = [item for item in (value, *constants) if isinstance(item, int | float)]
        around = [item + step for item in numbers for step in (0.5, -0.5, 0.0)]
        return [item for item in dict.fromkeys((*around, 0.0)) if item != value]
    named = [item for item in constants if isinstance(item, str)]
    return [item for item in dict.fromkeys((*named, f"{value}x", "")) if item != value]
