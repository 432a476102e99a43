"""The first thing in which two traces differ."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping
from enum import StrEnum

import attrs

from pwxc.semantics.programs import Likeness, with_plain_inputs
from pwxc.semantics.trace import Instance, Moment, Ran, Record, Trace


class Aspect(StrEnum):
    """What differs."""

    TASKS = "tasks"
    INSTANCES = "instances"
    STATE = "state"
    ATTEMPTS = "attempts"
    COMMANDS = "commands"
    ENVIRONMENT = "environment"
    DATA = "data"
    ORDER = "order"
    HOOKS = "hooks"


@attrs.frozen
class Difference:
    """What differs in one place: `instance` is about whom, `other` who came before in one of the runs.

    `first` and `second` say what each side does, as words for a story.
    """

    aspect: Aspect
    instance: str
    first: str
    second: str
    other: str = ""


def find_difference(
    first: Trace,
    second: Trace,
    likeness: Mapping[str, Likeness],
    *,
    same_dialect: bool,
    unordered: frozenset[str] = frozenset(),
) -> Difference | None:
    """Give the first difference between two traces of tasks with the same names.

    States and order always count; attempts, commands and variables where both sides have the same kind of work; data,
    images and folders besides only within one dialect, as others have other means for them. The order of tasks that
    are `unordered` is left open.
    """
    found = next(_of_states(first, second), None)
    if found is not None:
        return found
    for instance, a in first.instances.items():
        b = second.instances.get(instance)
        if b is None:
            continue
        like = likeness.get(instance.task, Likeness.OTHER)
        found = _of_work(instance, a, b, like, same_dialect=same_dialect)
        if found is not None:
            return found
    return _of_order(first, second, unordered) or _of_hooks(first, second)


def _of_states(first: Trace, second: Trace) -> Iterator[Difference]:
    for instance, a in first.instances.items():
        b = second.instances.get(instance)
        name = str(instance)
        if b is None:
            if any(each.task == instance.task for each in second.instances):
                yield Difference(Aspect.INSTANCES, name, f"has an instance `{name}`", "has no such one")
            continue
        if a.state is not b.state or (a.began is None) is not (b.began is None):
            yield Difference(Aspect.STATE, name, _fate(a, name), _fate(b, "it"))
    for instance in second.instances:
        if instance not in first.instances and any(each.task == instance.task for each in first.instances):
            yield Difference(Aspect.INSTANCES, str(instance), f"has no instance `{instance}`", "has one")
    for name, state in first.units.items():
        if name in second.units and second.units[name] is not state:
            yield Difference(Aspect.STATE, name, f"ends `{name}` as {state}", f"as {second.units[name]}")


def _fate(record: Record, name: str) -> str:
    shown = name if name == "it" else f"`{name}`"
    if record.began is None:
        verb = {"skipped": "skips", "timed out": "gives up waiting for a machine for", "failed": "cannot start"}
        return f"{verb.get(record.state, 'cancels')} {shown}"
    if record.state == "succeeded":
        return f"runs {shown}" if record.attempts < 2 else f"runs {shown} until it succeeds"
    ending = {"failed": "lets {} fail", "timed out": "stops {} at its time limit", "cancelled": "stops {}"}
    return ending[record.state].format(shown)


def _of_work(instance: Instance, a: Record, b: Record, like: Likeness, *, same_dialect: bool) -> Difference | None:
    name = str(instance)
    if like is Likeness.WRAPPED:
        return None
    # between two systems a task's further attempts may be those of its steps
    if a.attempts != b.attempts and like is Likeness.SAME and (same_dialect or len(a.ran) != len(b.ran)):
        return Difference(Aspect.ATTEMPTS, name, f"tries `{name}` {_times(a.attempts)}", _times(b.attempts))
    found = _of_runs(name, a, b)
    if found is not None:
        return found
    if same_dialect and a.moved != b.moved:
        left, right = Counter(a.moved) - Counter(b.moved), Counter(b.moved) - Counter(a.moved)
        first, second = next(iter(left), ""), next(iter(right), "")
        return Difference(Aspect.DATA, name, f"`{name}` {first or 'does not'}", second or "does not")
    return None


def _of_runs(name: str, a: Record, b: Record) -> Difference | None:
    for one, other in zip(a.ran, b.ran, strict=False):
        if one.part is not other.part or not _same_text(one.text, other.text):
            return Difference(Aspect.COMMANDS, name, f"runs {_shown(one)} in `{name}`", f"runs {_shown(other)}")
        if not _same_text(str(one.environment), str(other.environment)):
            return _of_variables(name, one, other)
    if len(a.ran) != len(b.ran):
        at = min(len(a.ran), len(b.ran))
        longer = (a.ran if len(a.ran) > at else b.ran)[at]
        if any((each.part, each.step) == (longer.part, longer.step) for each in _had_run(a, b, at)):
            counts = [sum((r.part, r.step) == (longer.part, longer.step) for r in side.ran) for side in (a, b)]
            aspect, what = Aspect.ATTEMPTS, f"tries step {longer.step + 1} of `{name}`"
            return Difference(aspect, name, f"{what} {_times(counts[0])}", _times(counts[1]))
        words = [f"runs {_shown(longer)}", "does not"]
        first, second = words if len(a.ran) > at else reversed(words)
        return Difference(Aspect.COMMANDS, name, f"{first} in `{name}`", second)
    return None


def _same_text(one: str, other: str) -> bool:
    return one == other or with_plain_inputs(one) == with_plain_inputs(other)


def _had_run(a: Record, b: Record, at: int) -> tuple[Ran, ...]:
    """Give what the record that ran more had run before the point where the other stopped."""
    return (a if len(a.ran) > len(b.ran) else b).ran[:at]


def _of_variables(name: str, one: Ran, other: Ran) -> Difference:
    mine, theirs = dict(one.environment), dict(other.environment)
    key = min(key for key in {*mine, *theirs} if not _same_text(mine.get(key, "<none>"), theirs.get(key, "<none>")))
    shown = [f"`{key}={side[key][:80]}`" if key in side else f"no `{key}`" for side in (mine, theirs)]
    return Difference(Aspect.ENVIRONMENT, name, f"gives `{name}` {shown[0]}", f"gives it {shown[1]}")


def _shown(ran: Ran) -> str:
    text = " ".join(ran.text.split())
    kind = {"work": "", "cleanup": "the clean-up ", "recovery": "the recovery "}[ran.part]
    return f"{kind}`{text if len(text) <= 100 else text[:97] + '…'}`"


def _times(count: int) -> str:
    return {0: "not at all", 1: "once", 2: "twice"}.get(count, f"{count} times")


def _of_order(first: Trace, second: Trace, unordered: frozenset[str]) -> Difference | None:
    """Find two instances of which one ended before the other began in one run only."""
    mine, theirs = _Order.of(first, second, unordered), _Order.of(second, first, unordered)
    same = _equal_prefixes(mine.ended, theirs.ended)
    for later in mine.began:
        counts = mine.count(later), theirs.count(later)
        if counts[0] == counts[1] and same[counts[0]]:
            continue
        before = set(mine.ended[: counts[0]]), set(theirs.ended[: counts[1]])
        earlier = min(before[0] ^ before[1], key=str)
        if earlier in before[0]:
            words = (f"starts `{later}` only after `{earlier}` has ended", "does not wait for that")
        else:
            words = (f"does not wait with `{later}` until `{earlier}` has ended", "does")
        return Difference(Aspect.ORDER, str(later), *words, other=str(earlier))
    return None


@attrs.frozen
class _Order:
    """The instances that ran in both runs, by when they ended in one of them; those before another are a prefix."""

    began: dict[Instance, Moment]
    ended: list[Instance]
    moments: list[Moment]

    @classmethod
    def of(cls, trace: Trace, other: Trace, unordered: frozenset[str]) -> _Order:
        """Sort the instances that both runs have."""
        began: dict[Instance, Moment] = {}
        ends: list[tuple[Moment, Instance]] = []
        for instance, record in trace.instances.items():
            twin = other.instances.get(instance) if instance.task not in unordered else None
            if twin is None or twin.began is None or record.began is None or record.ended is None:
                continue
            began[instance] = record.began
            ends.append((record.ended, instance))
        ends.sort(key=lambda pair: (pair[0], str(pair[1])))
        return cls(began, [instance for _, instance in ends], [moment for moment, _ in ends])

    def count(self, later: Instance) -> int:
        """Count the instances that ended before this one began."""
        return bisect_left(self.moments, self.began[later])


def _equal_prefixes(mine: list[Instance], theirs: list[Instance]) -> list[bool]:
    """Say, for each length, whether the two lists begin with the same instances in whatever order."""
    odd: set[Instance] = set()
    same = [True]
    for one, other in zip(mine, theirs, strict=True):
        odd ^= {one}
        odd ^= {other}
        same.append(not odd)
    return same


def _of_hooks(first: Trace, second: Trace) -> Difference | None:
    mine, theirs = Counter(run.actions for run in first.hooks), Counter(run.actions for run in second.hooks)
    for actions in [*(mine - theirs), *(theirs - mine)]:
        shown = "; ".join(actions)[:100]
        counts = mine[actions], theirs[actions]
        return Difference(Aspect.HOOKS, "", f"runs the hook `{shown}` {_times(counts[0])}", _times(counts[1]))
    return None
