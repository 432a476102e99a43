"""The environments that two workflows are compared in: single facts, pairs of them, and random handfuls."""

from __future__ import annotations

import random
from collections.abc import Collection, Hashable, Iterator, Sequence
from functools import cache
from itertools import combinations
from typing import Any, cast

import attrs

from pwxc.expr.values import Value
from pwxc.ir.expr import Binary, Expr, Literal, Ref, Root, operands
from pwxc.ir.inputs import Input, InputType
from pwxc.ir.task import Step, Task
from pwxc.ir.template import Template
from pwxc.ir.workflow import Workflow
from pwxc.semantics.environment import Fact, Fails, Given, Publishes, Queues, SiteRetries, Stages, Takes
from pwxc.semantics.resolve import Scope
from pwxc.semantics.world import World

LONG = 1000.0
"""Seconds that count as long; everything takes a second if nothing is said."""
_FOR_EVER = 360 * 86400.0
"""Limits from here on are no limits: systems that must have one are given one so long."""
_CODES_AT_MOST = 12
_OUTPUTS: tuple[Value, ...] = (0, 2, 5, "true", "false", "")


def single_facts(
    first: Workflow, second: Workflow, worlds: tuple[World, World], left_out: Collection[str] = ()
) -> list[Fact]:
    """Give all facts that may show a difference: each failure, length, published value and input by itself."""
    sides = [{task.name: task for task in workflow.tasks} for workflow in (first, second)]
    shared = [name for name in sides[0] if name in sides[1] and name not in left_out]
    both = [(sides[0][name], sides[1][name]) for name in shared]
    facts: list[Fact] = []
    for a, b in both:
        facts += _failures(a, b)
    for a, b in both:
        facts.append(Takes(a.name, LONG))
        if a.sweep is not None or b.sweep is not None:
            facts += [Fails(a.name, 0), Fails(a.name, 1), Takes(a.name, LONG, 0), Takes(a.name, LONG, 1)]
    for a, b in both:
        facts += _limits(a, b, worlds)
    facts += [Publishes(task, key, value) for task, key in _published((first, second), shared) for value in _OUTPUTS]
    facts += [Given(path, value) for path, value in _inputs(first.inputs, second.inputs)]
    if any(_leaves_to_site(task) for pair in both for task in pair):
        facts.append(SiteRetries(2))
    facts += [Stages(name, 5.0) for name in shared if any(sides[at][name].reads for at in (0, 1))]
    return list(dict.fromkeys(facts))


def _failures(a: Task, b: Task) -> Iterator[Fact]:
    """Give failures of each step, with the codes at the edges of exit rules, for good and for some attempts only."""
    codes = sorted({1} | {code for task in (a, b) for code in _edge_codes(task)})[:_CODES_AT_MOST]
    for step in range(max(len(a.steps), len(b.steps), 1)):
        for code in codes:
            if code:
                yield Fails(a.name, None, step, (code,))
            for times in _times(a, b, step):
                yield Fails(a.name, None, step, (code,) * times, goes_on=False)


def _edge_codes(task: Task) -> Iterator[int]:
    for rule in task.exit_rules:
        for low, high in rule.codes[:4]:
            # no process ends with 256, and no platform has this code
            yield from (code for code in (low - 1, low, high, high + 1) if 0 <= code <= 4000 and code != 256)


def _times(a: Task, b: Task, step: int) -> list[int]:
    """Give numbers of failing attempts that tell limits apart."""
    limits: set[int] = set()
    for task in (a, b):
        retries = [rule.retry for rule in task.exit_rules if rule.retry is not None]
        if step < len(task.steps) and task.steps[step].retry is not None:
            retries.append(task.steps[step].retry)  # type: ignore[arg-type]
        limits |= {retry.limit if isinstance(retry.limit, int) else 2 for retry in retries}
    return sorted(
        {1 for _ in limits} | {limit for limit in limits if 0 < limit < 50} | {min(m + 1, 50) for m in limits}
    )


def _limits(a: Task, b: Task, worlds: tuple[World, World]) -> Iterator[Fact]:
    """Give lengths that lie just on either side of a time limit."""
    for task, world in zip((a, b), worlds, strict=True):
        scope = Scope(world)
        for limit in (task.run_timeout, *(limit for step in task.steps for limit in _limits_of(step))):
            seconds = scope.number(limit)
            if seconds and seconds < _FOR_EVER:
                yield from (Takes(a.name, seconds), Takes(a.name, seconds * 1.01 + 0.01))
        seconds = scope.number(task.queue_timeout)
        if seconds:
            yield from (Queues(a.name, seconds), Queues(a.name, seconds * 1.01))


def _limits_of(step: Step) -> Sequence[float | Expr | None]:
    return (step.timeout, step.retry.attempt_timeout if step.retry is not None else None)


def _leaves_to_site(task: Task) -> bool:
    own = [rule.retry for rule in task.exit_rules] + [step.retry for step in task.steps]
    return any(retry is not None and retry.limit is None for retry in own)


# what conditions and texts look at


def _published(workflows: Sequence[Workflow], shared: Sequence[str]) -> list[tuple[str, str]]:
    found: dict[tuple[str, str], None] = {}
    for workflow in workflows:
        for ref in references(workflow.tasks):
            if ref.root is Root.TASK_OUTPUT and len(ref.path) >= 2 and ref.path[0] in shared:
                found[ref.path[0], ref.path[-1]] = None
    return list(found)


def references(value: Any) -> Iterator[Ref]:
    """Give every reference in whatever stands below a noun."""
    if value is None or isinstance(value, str | int | float):
        return
    if isinstance(value, Template):
        yield from value.refs()
    elif isinstance(value, Ref):
        yield value
    elif isinstance(value, Expr):
        for part in operands(value):
            yield from references(part)
    elif isinstance(value, tuple | list):
        for part in value:
            yield from references(part)
    elif isinstance(value, dict):
        yield from references(list(value.values()))
    else:
        for name in _field_names(cast("Hashable", type(value))):
            yield from references(getattr(value, name))


@cache
def _field_names(cls: Hashable) -> tuple[str, ...]:
    return (
        tuple(field.name for field in attrs.fields(cast("type", cls)) if field.eq)
        if attrs.has(cast("type", cls))
        else ()
    )


def _inputs(first: Sequence[Input], second: Sequence[Input], above: tuple[str, ...] = ()) -> Iterator[Any]:
    """Give other values for the inputs that both have."""
    theirs = {each.name: each for each in second}
    for given in first:
        other = theirs.get(given.name)
        path = (*above, given.name)
        if other is None:
            continue
        if given.type is InputType.GROUP and other.type is InputType.GROUP:
            yield from _inputs(given.items, other.items, path)
            continue
        for value in _values(given):
            yield path, value


def _values(given: Input) -> Iterator[Value]:
    default = given.default
    if given.type is InputType.BOOLEAN or isinstance(default, bool):
        yield from (value for value in (True, False) if value is not default)
    elif given.choices:
        yield from [choice.value for choice in given.choices if choice.value != default][:5]
    elif given.type in (InputType.NUMBER, InputType.INTEGER) or isinstance(default, int | float):
        base = default if isinstance(default, int | float) else 1
        yield from (value for value in (base + 1, 0) if _allowed(given, value) and value != default)
    elif given.type in (InputType.STRING, InputType.TEXT) and not isinstance(default, list | dict):
        yield from (value for value in ("other", "") if value != default)


def _allowed(given: Input, value: float) -> bool:
    low, high = given.minimum, given.maximum
    return (low is None or value >= low) and (high is None or value <= high)


def compared_values(workflows: Sequence[Workflow]) -> list[Fact]:
    """Give inputs and outputs the values that conditions compare them with."""
    found: dict[Fact, None] = {}
    for workflow in workflows:
        for task in workflow.tasks:
            conditions = [task.condition, *(step.condition for step in task.steps)]
            for condition in conditions:
                for fact in _comparisons(condition) if condition is not None else ():
                    found[fact] = None
    return list(found)


def _comparisons(expr: Expr) -> Iterator[Fact]:
    if isinstance(expr, Binary):
        for one, other in ((expr.left, expr.right), (expr.right, expr.left)):
            if isinstance(one, Ref) and isinstance(other, Literal):
                if one.root is Root.INPUT:
                    yield Given(one.path, other.value)
                elif one.root is Root.TASK_OUTPUT and len(one.path) >= 2:
                    yield Publishes(one.path[0], one.path[-1], other.value)
    for part in operands(expr):
        yield from _comparisons(part)


def handfuls(facts: Sequence[Fact], seed: int) -> Iterator[tuple[Fact, ...]]:
    """Give nothing at all, each fact, pairs of facts, then random handfuls without end."""
    yield ()
    for fact in facts:
        yield (fact,)
    pairs = list(combinations(range(len(facts)), 2)) if len(facts) <= 400 else []
    source = random.Random(seed)
    source.shuffle(pairs)
    for number, (one, other) in enumerate(pairs):
        yield facts[one], facts[other]
        if number % 4 == 3:
            yield _some(facts, source)
    while len(facts) > 1:
        yield _some(facts, source)


def _some(facts: Sequence[Fact], source: random.Random) -> tuple[Fact, ...]:
    return tuple(source.sample(facts, min(len(facts), source.randint(2, 6))))
