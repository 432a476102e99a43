"""A difference between two workflows in words."""

from __future__ import annotations

from collections.abc import Sequence

from pwxc.expr.values import as_text
from pwxc.semantics.differences import Aspect, Difference
from pwxc.semantics.environment import Fact, Fails, Given, Publishes, Queues, SiteRetries, Stages, Takes


def tell(facts: Sequence[Fact], difference: Difference, names: tuple[str, str] = ("A", "B")) -> str:
    """Give a sentence: when what happens, who does what."""
    first, second = names
    sides = f"{first} {difference.first}, {second} {difference.second}"
    if difference.aspect in (Aspect.TASKS, Aspect.INSTANCES) and not facts:
        return sides
    when = " and ".join(_fact(fact) for fact in facts)
    if not when and difference.aspect in (Aspect.COMMANDS, Aspect.ENVIRONMENT, Aspect.DATA, Aspect.HOOKS):
        return sides
    return f"when {when or 'nothing fails'}, {sides}"


def _fact(fact: Fact) -> str:
    match fact:
        case Fails():
            return _failure(fact)
        case Takes(seconds=seconds):
            return f"{_name(fact.task, fact.index)} takes {seconds:g} seconds"
        case Queues(task=task, seconds=seconds):
            return f"`{task}` waits {seconds:g} seconds for a machine"
        case Stages(task=task, seconds=seconds):
            return f"what `{task}` reads is there after {seconds:g} seconds"
        case Publishes(task=task, key=key, value=value):
            return f"`{task}` publishes `{key}={as_text(value)}`"
        case Given(path=path, value=value):
            return f"the input `{'.'.join(path)}` is `{as_text(value)}`"
        case SiteRetries(count=count):
            return f"the site allows {count} retries"


def _name(task: str, index: int | None) -> str:
    return f"`{task}`" if index is None else f"`{task}[{index}]`"


def _failure(fact: Fails) -> str:
    code = fact.codes[-1]
    step = f"step {fact.step + 1} of " if fact.step else ""
    name = f"{step}{_name(fact.task, fact.index)}"
    if code == 0:
        return f"{name} succeeds"
    with_code = "" if code == 1 else f" with exit code {code}"
    if fact.goes_on:
        return f"{name} fails{with_code}"
    times = {1: "once", 2: "twice"}.get(len(fact.codes), f"{len(fact.codes)} times")
    return f"{name} fails {times}{with_code}"
