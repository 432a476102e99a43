"""What decides a run besides the workflow: the inputs, and what each attempt of each step does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol, TypeAlias

import attrs

from pwxc.expr.values import Value
from pwxc.semantics.trace import Instance


@attrs.frozen
class Result:
    """What one attempt of one step does when nobody stops it. `duration` is in seconds."""

    code: int = 0
    duration: float = 1.0


class Environment(Protocol):
    """The world outside the workflow; everything it says has to be the same each time it is asked."""

    def result(self, instance: Instance, step: int, attempt: int) -> Result:
        """Say how an attempt of a step goes. Attempts of a step count on when its whole task is tried again."""
        ...

    def output(self, instance: Instance, step: str | None, key: str) -> Value:
        """Give a value that an instance publishes while it runs; of a certain step, if one is named."""
        ...

    def queued(self, instance: Instance) -> float:
        """Say how many seconds an instance that is ready waits for a machine."""
        ...

    def staging(self, instance: Instance) -> float:
        """Say how many seconds pass until what it reads is there."""
        ...

    def inputs(self) -> Mapping[str, Value]:
        """Give the values that a person entered, nested as the form is."""
        ...

    def site_retries(self) -> int:
        """Say how many further attempts the site allows where the workflow leaves it to the site."""
        ...


@attrs.frozen
class Fails:
    """The attempts of a step end with these codes, in order; later ones with the last again, or well.

    Of all instances, if `index` is None.
    """

    task: str
    index: int | None = None
    step: int = 0
    codes: tuple[int, ...] = (1,)
    goes_on: bool = True


@attrs.frozen
class Takes:
    """Each attempt of each step of a task takes this many seconds."""

    task: str
    seconds: float
    index: int | None = None


@attrs.frozen
class Queues:
    """The instances of a task wait this many seconds for a machine."""

    task: str
    seconds: float


@attrs.frozen
class Stages:
    """What a task reads is there only after this many seconds."""

    task: str
    seconds: float


@attrs.frozen
class Publishes:
    """A task publishes a value under a name."""

    task: str
    key: str
    value: Value


@attrs.frozen
class Given:
    """A person enters a value for an input."""

    path: tuple[str, ...]
    value: Value


@attrs.frozen
class SiteRetries:
    """The site allows this many further attempts where the workflow does not say."""

    count: int


Fact: TypeAlias = Fails | Takes | Queues | Stages | Publishes | Given | SiteRetries


class Scenario:
    """A world in which every step succeeds after a second and publishes `1`, but for some facts.

    Of facts about the same thing the later counts; one about a single instance wins over one about all.
    """

    def __init__(self, facts: Iterable[Fact] = ()) -> None:
        self.facts = tuple(facts)
        self._codes: dict[tuple[str, int | None, int], Fails] = {}
        self._seconds: dict[tuple[str, int | None], float] = {}
        self._queues: dict[str, float] = {}
        self._stages: dict[str, float] = {}
        self._outputs: dict[tuple[str, str], Value] = {}
        self._given: dict[str, Value] = {}
        self._retries = 0
        for fact in self.facts:
            self._add(fact)

    def _add(self, fact: Fact) -> None:
        match fact:
            case Fails():
                self._codes[fact.task, fact.index, fact.step] = fact
            case Takes():
                self._seconds[fact.task, fact.index] = fact.seconds
            case Queues():
                self._queues[fact.task] = fact.seconds
            case Stages():
                self._stages[fact.task] = fact.seconds
            case Publishes():
                self._outputs[fact.task, fact.key] = fact.value
            case Given():
                self._enter(fact)
            case SiteRetries():
                self._retries = fact.count

    def _enter(self, fact: Given) -> None:
        level: dict[str, Value] = self._given
        for name in fact.path[:-1]:
            below = level.setdefault(name, {})
            if not isinstance(below, dict):
                return
            level = below
        level[fact.path[-1]] = fact.value

    def result(self, instance: Instance, step: int, attempt: int) -> Result:
        """Put the facts about the code and about the duration together."""
        task, index = instance.task, instance.index
        fails = self._codes.get((task, index, step)) or self._codes.get((task, None, step)) if self._codes else None
        code = 0
        if fails is not None and (attempt < len(fails.codes) or fails.goes_on):
            code = fails.codes[min(attempt, len(fails.codes) - 1)]
        if not self._seconds:
            return Result(code)
        seconds = self._seconds.get((task, index), self._seconds.get((task, None), 1.0))
        return Result(code, seconds)

    def output(self, instance: Instance, step: str | None, key: str) -> Value:
        """Give the value for the task and the name, whichever step is asked."""
        return self._outputs.get((instance.task, key), 1)

    def queued(self, instance: Instance) -> float:
        """Give the task's time in the queue, which is none if nothing is said."""
        return self._queues.get(instance.task, 0.0)

    def staging(self, instance: Instance) -> float:
        """Give the task's time for its reads, which is none if nothing is said."""
        return self._stages.get(instance.task, 0.0)

    def inputs(self) -> Mapping[str, Value]:
        """Give what was entered."""
        return self._given

    def site_retries(self) -> int:
        """Give the number for the site: none, as OSMO has it unless configured (osmo.md §15)."""
        return self._retries


NOTHING_FAILS = Scenario()
