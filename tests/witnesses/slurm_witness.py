"""A small Slurm: it starts what was submitted when its dependencies say so (slurm.md §8, §9, §13).

It knows submissions only and nothing of how they become the IR. It can be the real scheduler, or one that follows
docs/semantics.md where that has decided something else; these places are marked "decided".
"""

from __future__ import annotations

import heapq
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

import attrs

from pwxc.semantics.environment import Result
from pwxc.semantics.trace import State
from tests.witnesses.slurm_calls import Call

_TERM = re.compile(
    r"(?:(?P<kind>after\w*):)?(?P<jobs>\d+(?:_\d+|_\*)?(?:\+\d+)?(?::\d+(?:_\d+|_\*)?(?:\+\d+)?)*)\Z", re.IGNORECASE
)
_BAD = (State.FAILED, State.CANCELLED, State.TIMED_OUT)


class RefusedError(Exception):
    """Slurm would refuse the submission."""


@attrs.frozen
class Term:
    """One condition on one job: `task` is the index of an array, `minutes` the wait after a start."""

    kind: str
    number: int
    task: int | None = None
    minutes: int = 0


@attrs.define(eq=False)
class Job:
    """A submitted job, or one task of an array."""

    call: Call
    index: int | None
    terms: list[Term]
    any: bool
    """Whether one of the terms is enough."""
    limit: float | None
    """Seconds that it may run."""
    kills: bool
    held: bool
    state: State | None = None
    began: float | None = None
    ended: float | None = None
    code: int | None = None


def terms(text: str) -> tuple[list[Term], bool]:
    """Read a dependency; gives also whether one of the terms is enough (§8)."""
    if not text:
        return [], False
    found: list[Term] = []
    for part in re.split("[,?]", text):
        if part == "singleton":
            continue  # jobs of other runs are not known here
        read = _TERM.match(part)
        if read is None:
            raise RefusedError(f"`{part}` is no dependency")
        kind = (read["kind"] or "afterany").lower()
        for job in read["jobs"].split(":"):
            name, _, minutes = job.partition("+")
            number, _, task = name.partition("_")
            found.append(Term(kind, int(number), int(task) if task.isdigit() else None, int(minutes or 0)))
    return found, "?" in text


def indexes(text: str) -> tuple[list[int | None], int]:
    """Read an array: its indexes in order, and how many may run at once, 0 for no limit (§9)."""
    if not text:
        return [None], 0
    parts, _, most = text.strip("[]").partition("%")
    found: set[int] = set()
    for part in parts.split(","):
        span, _, step = part.partition(":")
        first, _, last = span.partition("-")
        found |= set(range(int(first), int(last or first) + 1, int(step or 1)))
    return [*sorted(found)], int(most) if most.isdigit() else 0


def seconds(text: str) -> float | None:
    """Read a time limit, which is rounded up to whole minutes; None for no limit (§5.1)."""
    if text.upper() in ("", "0", "-1", "UNLIMITED", "INFINITE"):
        return None
    days, dash, rest = text.rpartition("-")
    fields = [int(field) for field in rest.split(":") if field]
    fields = fields or [0]
    if dash or len(fields) == 3:
        hours, minutes, left = [*fields, 0, 0][:3]
    else:
        hours, minutes, left = 0, fields[0], [*fields, 0][1]
    total = ((int(days or 0) * 24 + hours) * 60 + minutes) * 60 + left
    return math.ceil(total / 60) * 60.0


Run = Callable[[Job], Result]
"""Says, when a job starts, how long it takes and how it ends."""


class Cluster:
    """Slurm with machines for everybody; `decided` makes it follow docs/semantics.md instead of the real one."""

    def __init__(self, calls: Sequence[Call], run: Run, *, decided: bool, released: Sequence[int] = ()) -> None:
        self.run, self.decided = run, decided
        self.jobs: dict[int, list[Job]] = {}
        self.limits: dict[int, int] = {}
        for call in calls:
            options = call.options
            found, any_of_them = terms(options.get("dependency", ""))
            unknown = [term.number for term in found if term.number not in self.jobs]
            if unknown:
                raise RefusedError(f"`{call.name}` waits for {unknown}, which nobody submitted")
            numbers, self.limits[call.number] = indexes(options.get("array", ""))
            self.jobs[call.number] = [
                Job(
                    call, index, found, any_of_them, seconds(options.get("time", "")),
                    kills=options.get("kill-on-invalid-dep") == "yes",
                    held="hold" in options and call.number not in released,
                )
                for index in numbers
            ]  # fmt: skip
        self.now = 0.0
        self._due: list[tuple[float, int, Job | None, Result | None]] = []
        self._ticks = 0

    @property
    def tasks(self) -> Iterator[Job]:
        """All jobs, the tasks of arrays one by one."""
        return (job for jobs in self.jobs.values() for job in jobs)

    def play(self) -> None:
        """Run until nothing more happens."""
        while True:
            while self._settle():
                pass
            if not self._due:
                return
            self.now = self._due[0][0]
            while self._due and self._due[0][0] == self.now:
                _, _, job, result = heapq.heappop(self._due)
                if job is not None and result is not None:
                    self._end(job, result)

    def _settle(self) -> bool:
        """Decide about what waits; tells whether anything changed."""
        verdicts = [(job, self._verdict(job)) for job in self.tasks if job.state is None and job.began is None]
        changed = False
        for job, verdict in verdicts:
            if verdict is State.SUCCEEDED:
                changed |= self._start(job)
            elif verdict is not None:
                job.state, job.ended, changed = verdict, self.now, True
        return changed

    def _start(self, job: Job) -> bool:
        number = job.call.number
        running = sum(other.began is not None and other.state is None for other in self.jobs[number])
        if job.held or (self.limits[number] and running >= self.limits[number]):
            return False
        job.began = self.now
        result = self.run(job)
        if job.limit is not None and result.duration > job.limit:
            result = Result(-1, job.limit)
        self._wake(self.now + result.duration, job, result)
        return True

    def _wake(self, at: float, job: Job | None, result: Result | None) -> None:
        self._ticks += 1
        heapq.heappush(self._due, (at, self._ticks, job, result))

    def _end(self, job: Job, result: Result) -> None:
        job.ended = self.now
        job.code = None if result.code == -1 else result.code
        job.state = State.TIMED_OUT if result.code == -1 else State.FAILED if result.code else State.SUCCEEDED

    # dependencies

    def _verdict(self, job: Job) -> State | None:
        """Say what becomes of a job that waits: it may start (succeeded), it never will, or None."""
        answers = [(term, self._holds(term, job)) for term in job.terms]
        if job.any and answers:
            answers = [
                next((pair for pair in answers if pair[1]), None) or max(answers, key=lambda pair: pair[1] is None)
            ]
        waits = any(answer is None for _, answer in answers)
        hopeless = [term for term, answer in answers if answer is False]
        if not hopeless:
            return None if waits else State.SUCCEEDED
        if self.decided:
            # decided: the others are waited for, nothing waits for ever, and what failed nobody is skipped
            return None if waits else self._cause(hopeless, job)
        return State.CANCELLED if job.kills else None

    def _cause(self, hopeless: Sequence[Term], job: Job) -> State:
        for term in hopeless:
            if term.kind in ("afterok", "aftercorr") and any(each.state in _BAD for each in self._parents(term, job)):
                return State.CANCELLED
        return State.SKIPPED

    def _holds(self, term: Term, job: Job) -> bool | None:
        """Say whether a term holds, never will (False), or may yet (None) (§8)."""
        parents = self._parents(term, job)
        if term.kind == "after":
            return self._have_started(parents, term.minutes * 60.0)
        if any(parent.state is None for parent in parents):
            return None
        states = [parent.state for parent in parents]
        if term.kind == "afternotok":
            return any(state in _BAD for state in states)
        if term.kind == "afterok" or (term.kind == "aftercorr" and not self._is_alone(term, job)):
            return all(state is State.SUCCEEDED for state in states)
        return True

    def _have_started(self, parents: Sequence[Job], wait: float) -> bool | None:
        moments = [parent.began if parent.began is not None else parent.ended for parent in parents]
        known = [moment for moment in moments if moment is not None]
        if len(known) < len(moments):
            return None
        if max(known) + wait <= self.now:
            return True
        self._wake(max(known) + wait, None, None)
        return None

    def _parents(self, term: Term, job: Job) -> list[Job]:
        """Give the jobs that a term is about: those of `aftercorr` meet index by index."""
        parents = self.jobs[term.number]
        task = term.task
        if term.kind == "aftercorr" and job.index is not None and not self._is_alone(term, job):
            task = job.index if parents[0].index is not None else None
        return [parent for parent in parents if task is None or parent.index == task]

    def _is_alone(self, term: Term, job: Job) -> bool:
        """Whether a task of an array has no partner in the other array: it waits for the end of all."""
        others = [parent.index for parent in self.jobs[term.number]]
        return job.index is not None and others != [None] and job.index not in others


def names(calls: Sequence[Call]) -> Mapping[int, str]:
    """Give the jobs names that differ: those of one name get numbers, in the order of their submission."""
    found: dict[int, str] = {}
    for call in calls:
        name, number = call.name, 1
        while name in found.values():
            number += 1
            name = f"{call.name}-{number}"
        found[call.number] = name
    return found
