"""What decides a run besides the workflow: the inputs, and what each attempt of each step does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

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


_SUCCESS = Result()


@attrs.frozen
class Scenario:
    """An environment made of exceptions to a world in which every step succeeds after a second.

    `results` is asked for (task, index, step, attempt), then with `None` for the attempt, then for the index as well:
    the most exact entry counts. In `outputs` the step may be None.
    """

    results: Mapping[tuple[str, int | None, int, int | None], Result] = attrs.field(factory=dict)
    durations: Mapping[str, float] = attrs.field(factory=dict)
    """Seconds that each step of a task takes if `results` does not say."""
    outputs: Mapping[tuple[str, str], Value] = attrs.field(factory=dict)
    """Values by task and key; all others are `1`."""
    given: Mapping[str, Value] = attrs.field(factory=dict)
    queue: Mapping[str, float] = attrs.field(factory=dict)
    stage: Mapping[str, float] = attrs.field(factory=dict)
    retries: int = 0

    def result(self, instance: Instance, step: int, attempt: int) -> Result:
        """Look for the most exact entry."""
        if self.results:
            task, index = instance.task, instance.index
            for key in ((task, index, step, attempt), (task, index, step, None), (task, None, step, attempt)):
                if key in self.results:
                    return self.results[key]
            if (task, None, step, None) in self.results:
                return self.results[task, None, step, None]
        if instance.task in self.durations:
            return Result(0, self.durations[instance.task])
        return _SUCCESS

    def output(self, instance: Instance, step: str | None, key: str) -> Value:
        """Give the value for the task and the key."""
        return self.outputs.get((instance.task, key), 1)

    def queued(self, instance: Instance) -> float:
        """Give the task's time in the queue, which is none if nothing is said."""
        return self.queue.get(instance.task, 0.0)

    def staging(self, instance: Instance) -> float:
        """Give the task's time for its reads, which is none if nothing is said."""
        return self.stage.get(instance.task, 0.0)

    def inputs(self) -> Mapping[str, Value]:
        """Give what was entered."""
        return self.given

    def site_retries(self) -> int:
        """Give the number for the site."""
        return self.retries


NOTHING_FAILS = Scenario()
