"""What a run was: how each instance ended, what it ran, and in which order."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from enum import StrEnum
from typing import NamedTuple

import attrs

from pwxc.ir.task import Outcome


class State(StrEnum):
    """How an instance ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SKIPPED = "skipped"
    """Its own condition was false, or nothing happened that it was there for."""
    CANCELLED = "cancelled"
    """Something else kept it from running or ended it."""
    TIMED_OUT = "timed out"

    @property
    def is_failure(self) -> bool:
        """Whether whoever asks for success or failure takes it for a failure (slurm.md §8, `afternotok`)."""
        return self in (State.FAILED, State.CANCELLED, State.TIMED_OUT)


@attrs.frozen(order=True)
class Instance:
    """One run-time copy of a task; `index` is None for a task without a sweep."""

    task: str
    index: int | None = None

    def __str__(self) -> str:
        """Give the name for messages."""
        return self.task if self.index is None else f"{self.task}[{self.index}]"


class Moment(NamedTuple):
    """Seconds from the start of the run, and the number of the phase: causes come in earlier phases than effects."""

    time: float
    phase: int


class Part(StrEnum):
    """Which part of a task ran."""

    WORK = "work"
    CLEANUP = "cleanup"
    RECOVERY = "recovery"


@attrs.frozen
class Ran:
    """Something that was started, with all references resolved.

    `step` counts from 0; `attempt` counts what the environment was asked for this step, from 0. `code` is None for
    what was stopped. Variables are sorted by name.
    """

    part: Part
    step: int
    attempt: int
    text: str
    code: int | None = None
    environment: tuple[tuple[str, str], ...] = ()


@attrs.frozen
class Record:
    """How one instance went. `attempts` counts starts of the whole task; `reason` is for people."""

    state: State
    attempts: int = 0
    ran: tuple[Ran, ...] = ()
    began: Moment | None = None
    ended: Moment | None = None
    reason: str = ""
    moved: tuple[str, ...] = ()
    """What went in and out besides: reads and writes with resolved places."""


@attrs.frozen
class HookRun:
    """A hook fired: its number in the workflow, when, and what it did."""

    hook: int
    at: Moment
    actions: tuple[str, ...]


@attrs.frozen
class Trace:
    """A whole run; instances stand in the order of the workflow."""

    instances: dict[Instance, Record]
    units: dict[str, State]
    """The states of gangs, by name."""
    hooks: tuple[HookRun, ...] = ()
    lasted: float = 0.0

    def before(self, first: Instance, second: Instance) -> bool:
        """Whether one instance ended before another began; both must have run."""
        ended, began = self.instances[first].ended, self.instances[second].began
        return self.instances[first].began is not None and ended is not None and began is not None and ended < began

    def order(self) -> Iterator[tuple[Instance, Instance]]:
        """Give all pairs of which the first ended before the second began."""
        for second in self.instances:
            for first in self.instances:
                if self.before(first, second):
                    yield first, second

    def of(self, task: str) -> list[Record]:
        """Give the records of a task's instances."""
        return [record for instance, record in self.instances.items() if instance.task == task]


def holds(when: Outcome, states: Collection[State]) -> bool:
    """Whether parents that have all ended give a child what it asks for (docs/semantics.md, "Edges")."""
    if when is Outcome.SUCCESS:
        return all(state is State.SUCCEEDED for state in states)
    if when is Outcome.FAILURE:
        return any(state.is_failure for state in states)
    return True
