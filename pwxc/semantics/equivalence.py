"""Whether two workflows mean the same: by their normal forms, then by running both in many environments."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import attrs

from pwxc.ir.workflow import Workflow
from pwxc.semantics.differences import Aspect, Difference, find_difference
from pwxc.semantics.environment import NOTHING_FAILS, Fact, Scenario, Takes
from pwxc.semantics.expansion import TooManyInstancesError
from pwxc.semantics.machine import execute
from pwxc.semantics.matching import Pair, match
from pwxc.semantics.normal import in_order
from pwxc.semantics.scenarios import compared_values, handfuls, single_facts
from pwxc.semantics.story import tell
from pwxc.semantics.trace import Trace
from pwxc.semantics.world import World

INSTANCES_OF_A_SWEEP = 4
"""How many instances of each sweep are run: the first ones and the last."""


@attrs.frozen
class Effort:
    """How much is tried. `runs` limits the instances run on each side, all environments together."""

    environments: int = 600
    runs: int = 30_000
    seed: int = 0


@attrs.frozen
class Verdict:
    """Whether two workflows are equivalent, and if not, the smallest environment that shows it.

    `proved` says that the normal forms are equal; otherwise `environments` were tried. `notes` say what was left out
    of the comparison.
    """

    equal: bool
    proved: bool = False
    environments: int = 0
    facts: tuple[Fact, ...] = ()
    difference: Difference | None = None
    story: str = ""
    notes: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    """Names in the map that no workflow has."""

    def __bool__(self) -> bool:
        """Whether they are equivalent."""
        return self.equal


def equivalent(
    first: Workflow, second: Workflow, names: Mapping[str, str] | None = None, effort: Effort | None = None
) -> Verdict:
    """Compare the meaning of two workflows.

    `names` says what tasks and gangs of the first are called in the second, where they are called differently.
    """
    effort = effort or Effort()
    pair = match(first, second, names)
    known = Verdict(True, notes=pair.notes, unknown=pair.unknown)
    missing = _missing(pair)
    if missing is not None:
        return attrs.evolve(known, equal=False, difference=missing, story=tell((), missing))
    if in_order(pair.first) == in_order(pair.second):
        return attrs.evolve(known, proved=True)
    try:
        return _by_environments(pair, effort, known)
    except TooManyInstancesError:
        note = "a sweep with `include` or `exclude` is too large to be compared"
        return attrs.evolve(known, equal=False, notes=(*pair.notes, note), story=note)


def _missing(pair: Pair) -> Difference | None:
    mine, theirs = pair.alone
    for name in mine:
        return Difference(Aspect.TASKS, name, f"has `{name}`", "has nothing of that name")
    for name in theirs:
        return Difference(Aspect.TASKS, name, f"has no `{name}`", "has it")
    return None


def _by_environments(pair: Pair, effort: Effort, known: Verdict) -> Verdict:
    worlds = World(pair.first, NOTHING_FAILS), World(pair.second, NOTHING_FAILS)
    facts = [
        *compared_values((pair.first, pair.second)),
        *single_facts(pair.first, pair.second, worlds, pair.hooks),
    ]
    facts = list(dict.fromkeys(facts))
    tried = runs = 0
    for handful in handfuls(facts, effort.seed):
        if tried and (tried >= effort.environments or runs >= effort.runs):
            break
        difference, count = _compare(pair, handful)
        tried, runs = tried + 1, runs + count
        if difference is not None:
            smallest = shrink(handful, lambda some: _compare(pair, some)[0] is not None)
            shown = _compare(pair, smallest)[0] or difference
            return attrs.evolve(
                known, equal=False, environments=tried, facts=smallest, difference=shown, story=tell(smallest, shown)
            )
    return attrs.evolve(known, environments=tried)


def _compare(pair: Pair, facts: Sequence[Fact]) -> tuple[Difference | None, int]:
    scenario = Scenario([*(Takes(hook, 0.0) for hook in sorted(pair.hooks)), *facts])
    first, second = (_run(workflow, scenario) for workflow in (pair.first, pair.second))
    found = find_difference(first, second, pair.likeness, same_dialect=pair.same_dialect, unordered=pair.unordered)
    return found, len(first.instances)


def _run(workflow: Workflow, scenario: Scenario) -> Trace:
    return execute(workflow, scenario, most=INSTANCES_OF_A_SWEEP)


def shrink(facts: Sequence[Fact], shows: Callable[[tuple[Fact, ...]], bool]) -> tuple[Fact, ...]:
    """Leave out facts one by one as long as the rest still shows the difference."""
    left = tuple(facts)
    at = 0
    while at < len(left):
        fewer = left[:at] + left[at + 1 :]
        if shows(fewer):
            left = fewer
        else:
            at += 1
    return left
