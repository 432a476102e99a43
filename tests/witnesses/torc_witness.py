"""A small torc: it expands a specification, keeps the counts of the server, and runs it with one worker (torc.md).

It knows the surface model only and nothing of how that becomes the IR. Where torc.md calls torc's own behaviour faulty
or uncertain, it does what docs/semantics.md says, and the place is marked "decided".
"""

from __future__ import annotations

import heapq
import itertools
import json
import re
from collections.abc import Callable, Container, Iterable, Mapping
from enum import Enum
from typing import Any

import attrs

from pwxc.semantics.environment import Result
from pwxc.semantics.trace import State
from pwxc_targets.torc.model import Action, FailureRule, FileSpec, Job, Spec
from tests.witnesses.outcomes import Ending, Witnessed
from tests.witnesses.torc_values import Row, UnknownError, filled, printed, rows_of, values_of

Ask = Callable[[str, int], Result]
"""Says, for the name of a job and the number of an attempt from 0, how it goes."""


# what the server is given, torc.md §14 and §15


@attrs.define
class Made:
    """A job as the server has it after creation."""

    name: str
    command: str
    script: str | None
    environment: dict[str, str]
    cancels: bool
    limit: float | None
    rules: list[FailureRule]
    blockers: set[str] = attrs.field(factory=set)
    reads: set[tuple[str, str]] = attrs.field(factory=set)
    writes: set[tuple[str, str]] = attrs.field(factory=set)

    @property
    def text(self) -> str:
        """What bash runs: the invocation script goes in front, on lines of its own if it has several (§4)."""
        if self.script is None:
            return self.command
        return self.script + ("\n" if "\n" in self.script.strip() else " ") + self.command


class Creation:
    """Creates the jobs of a specification: records are expanded, variables replaced, names and patterns looked up.

    Raises:
        UnknownError: the specification has something that the witness does not know.
    """

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.files: dict[str, str] = {}
        for file in spec.files or ():
            if isinstance(file, FileSpec):
                self.files.update({filled(file.name, row): filled(file.path, row) for row in rows_of(file, spec)})
        self.data: dict[str, Any] = {}
        for datum in spec.user_data or ():
            if datum.name is not None:
                self.data.update({filled(datum.name, row): _deep(datum.data, row) for row in rows_of(datum, spec)})
        self.limits = {record.name: seconds(record.runtime or "PT1H") for record in spec.resource_requirements or ()}
        self.handlers = {handler.name: handler.rules for handler in spec.failure_handlers or ()}
        self.environment = {name: self._common(value) for name, value in (spec.env or {}).items()}
        self._found: dict[tuple[str, int], set[str]] = {}
        self.jobs: dict[str, Made] = {}
        given = [(self._add(self._job(job, row)), job, row) for job in spec.jobs for row in rows_of(job, spec)]
        for made, job, row in given:
            made.blockers |= {self._last(filled(name, row)) for name in job.depends_on or ()}
            made.blockers |= self._matching(job.depends_on_regexes, row, self.jobs)
        writers: dict[tuple[str, str], set[str]] = {}
        for made in self.jobs.values():
            for item in made.writes:
                writers.setdefault(item, set()).add(made.name)
        for made in self.jobs.values():
            for item in made.reads:
                made.blockers |= writers.get(item, set())

    def _add(self, made: Made) -> Made:
        """Add a job; further ones of the same name, which torc takes too, get a number for us (§15)."""
        made.name = numbered(made.name, self.jobs)
        self.jobs[made.name] = made
        return made

    def _last(self, name: str) -> str:
        """Give the job that a name means: of several, the one that was created last (§15)."""
        if f"{name}#2" in self.jobs:
            raise UnknownError("a name that several jobs have")
        return name

    def _common(self, value: str) -> str:
        for name, raw in (self.spec.parameters or {}).items():
            found = values_of(raw)
            value = value.replace("{" + name + "}", printed(found[0]) if len(found) == 1 else str(raw))
        return value

    def _job(self, job: Job, row: Row) -> Made:
        own = {name: filled(value, row) for name, value in (job.env or {}).items()}
        limit = None  # decided: the server's own record, with its minute, is no limit
        if job.resource_requirements is not None:
            limit = self.limits[filled(job.resource_requirements, row)]
        made = Made(
            name=filled(job.name, row),
            command=filled(job.command, row),
            script=None if job.invocation_script is None else filled(job.invocation_script, row),
            environment={**self.environment, **own},
            cancels=job.cancel_on_blocking_job_failure is not False,
            limit=limit,
            rules=self.handlers[job.failure_handler] if job.failure_handler is not None else [],
        )
        self._relate(made, job, row)
        return made

    def _relate(self, made: Made, job: Job, row: Row) -> None:
        """Find the files and data of a job; variables of the command take the place of a list (§14)."""
        lists: tuple[tuple[str, str, str, str, Mapping[str, Any]], ...] = (
            ("files", "input", "input_files", "input_file_regexes", self.files),
            ("files", "output", "output_files", "output_file_regexes", self.files),
            ("user_data", "input", "input_user_data", "input_user_data_regexes", self.data),
            ("user_data", "output", "output_user_data", "output_user_data_regexes", self.data),
        )
        command, script = made.command, made.script or ""
        for kind, way, named, patterns, known in lists:
            usable = [name for name in known if kind == "files" or known[name] is not None]
            in_text = {name: f"${{{kind}.{way}.{name}}}" for name in usable} if "${" in command + script else {}
            in_command = {name for name, token in in_text.items() if token in command}
            chosen = in_command or {filled(name, row) for name in getattr(job, named) or ()}
            chosen |= {name for name, token in in_text.items() if token in script}
            chosen |= self._matching(getattr(job, patterns), row, known)
            (made.reads if way == "input" else made.writes).update((kind, name) for name in chosen)
            for name, token in in_text.items():
                value = known[name] if kind == "files" else _compact(known[name])
                made.command = made.command.replace(token, value)
                made.script = None if made.script is None else made.script.replace(token, value)

    def _matching(self, patterns: Iterable[str] | None, row: Row, names: Mapping[str, Any]) -> set[str]:
        found: set[str] = set()
        for pattern in patterns or ():
            key = filled(pattern, row), id(names)
            if key not in self._found:
                self._found[key] = {name for name in names if re.search(key[0], own_name(name))}
            found |= self._found[key]
        return found


def own_name(name: str) -> str:
    """Give a name without our number."""
    return re.sub(r"#\d+\Z", "", name)


def numbered(name: str, taken: Container[str]) -> str:
    """Give a name that nobody has, by a number behind it."""
    if name not in taken:
        return name
    return next(made for number in itertools.count(2) if (made := f"{name}#{number}") not in taken)


def _compact(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _deep(value: Any, row: Row) -> Any:
    if isinstance(value, str):
        return filled(value, row)
    if isinstance(value, list):
        return [_deep(item, row) for item in value]
    if isinstance(value, dict):
        return {key: _deep(item, row) for key, item in value.items()}
    return value


def seconds(text: str) -> float:
    """Give the seconds of a duration of ISO 8601 as torc takes it (§7)."""
    found = re.fullmatch(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", text)
    if found is None:
        raise UnknownError("a duration that torc refuses")
    sizes = (31557600, 2629800, 604800, 86400, 3600, 60, 1)
    return sum(int(number or 0) * size for number, size in zip(found.groups(), sizes, strict=True))


# running, torc.md §9, §10 and §16


class Status(Enum):
    """The states of a job (§16), without those that only a person or a lost node brings."""

    BLOCKED = "blocked"
    READY = "ready"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"
    TERMINATED = "terminated"


_TERMINAL = {
    Status.COMPLETED: State.SUCCEEDED,
    Status.FAILED: State.FAILED,
    Status.CANCELED: State.CANCELLED,
    Status.TERMINATED: State.TIMED_OUT,
}


@attrs.frozen
class Executed:
    """An action that was executed: its number in the specification, and when."""

    action: int
    at: float


@attrs.define
class Live:
    """A job while the workflow runs."""

    made: Made
    status: Status = Status.BLOCKED
    left: int = 0
    """How many blockers are not terminal yet."""
    attempt: int = 1
    """The number of the present attempt, from 1; it counts on when a retry is reserved."""
    work: list[tuple[str, int | None]] = attrs.field(factory=list)
    recoveries: list[str] = attrs.field(factory=list)
    began: float | None = None
    ended: float | None = None


@attrs.define
class Counter:
    """An action: it is pending when `count` has reached `required`, until somebody executes it (§9.2)."""

    action: Action
    jobs: frozenset[str]
    required: int
    count: int = 0
    executed: bool = False


class Server:
    """Keeps the states of jobs and the counters of actions; one worker with room for everything runs them."""

    def __init__(self, creation: Creation, ask: Ask) -> None:
        self.creation, self.ask = creation, ask
        self.jobs = {name: Live(made, left=len(made.blockers)) for name, made in creation.jobs.items()}
        self.blocked: dict[str, list[Live]] = {}
        for live in self.jobs.values():
            for blocker in live.made.blockers:
                self.blocked.setdefault(blocker, []).append(live)
        self._claimable: list[str] = []
        self.counters = [self._counter(action) for action in creation.spec.actions or ()]
        self.now = 0.0
        self.executed: list[Executed] = []
        self._ends: list[tuple[float, str, int | None]] = []

    def _counter(self, action: Action) -> Counter:
        jobs = set(action.jobs or ())
        jobs |= {
            name for name in self.jobs for text in action.job_name_regexes or () if re.search(text, own_name(name))
        }
        of_jobs = action.trigger_type in ("on_jobs_ready", "on_jobs_complete")
        # an action over jobs that selects none has a count that nothing raises
        return Counter(action, frozenset(jobs), (len(jobs) or 1) if of_jobs else 1)

    def run(self) -> None:
        """Initialise, then let the worker go round until nothing is left to wait for."""
        for live in self.jobs.values():
            if not live.made.blockers:
                self._ready(live)
        self._execute("on_workflow_start")
        self._execute("on_worker_start")
        while True:
            self._execute("on_jobs_ready")
            self._execute("on_jobs_complete")
            claimed, self._claimable = self._claimable, []
            for name in claimed:
                self._claim(name, self.jobs[name])
            if not self._ends:
                break
            self.now = self._ends[0][0]
            while self._ends and self._ends[0][0] == self.now:
                _, name, code = heapq.heappop(self._ends)
                self._complete(name, code)
        self._execute("on_workflow_complete")
        self._execute("on_worker_complete")

    def _claim(self, name: str, live: Live) -> None:
        live.status = Status.RUNNING
        if live.began is None:
            live.began = self.now
        result = self.ask(name, live.attempt - 1)
        # decided: the time of all attempts counts
        left = None if not live.made.limit else live.began + live.made.limit - self.now
        if left is not None and result.duration > left:
            heapq.heappush(self._ends, (self.now + left, name, None))
        else:
            heapq.heappush(self._ends, (self.now + result.duration, name, result.code))

    def _complete(self, name: str, code: int | None) -> None:
        """Take note of the end of a process: a retry is reserved, or the job is over (§10)."""
        live = self.jobs[name]
        live.work.append((live.made.text, code))
        if code is None:
            self._over(live, Status.TERMINATED)  # decided: handlers are not asked
            return
        rule = _rule(live.made.rules, code) if code != 0 else None
        if rule is not None and live.attempt < (3 if rule.max_retries is None else rule.max_retries):
            live.attempt += 1
            live.status = Status.READY
            self._claimable.append(name)
            if rule.recovery_script is not None:
                live.recoveries.append(rule.recovery_script)
            return
        self._over(live, Status.FAILED if code else Status.COMPLETED)

    def _over(self, ended: Live, status: Status) -> None:
        """Take note of a job's end, and of all that it decides about others."""
        ended.status, news = status, [ended]
        while news:
            live = news.pop()
            live.ended = self.now
            self._count("on_jobs_complete", live.made.name)  # decided: jobs that were canceled count too
            for other in self.blocked.get(live.made.name, ()):
                self._look_at(other)
                if other.status is Status.CANCELED and other.ended is None:
                    news.append(other)

    def _look_at(self, live: Live) -> None:
        """Note that a blocker is terminal; when all are, the job is decided (§16, the repaired meaning)."""
        live.left -= 1
        if live.left:
            return
        if live.made.cancels and any(self.jobs[name].status is not Status.COMPLETED for name in live.made.blockers):
            live.status = Status.CANCELED
        else:
            self._ready(live)

    def _ready(self, live: Live) -> None:
        live.status = Status.READY
        self._claimable.append(live.made.name)
        self._count("on_jobs_ready", live.made.name)

    def _count(self, trigger: str, job: str) -> None:
        for counter in self.counters:
            if counter.action.trigger_type == trigger and job in counter.jobs:
                counter.count += 1

    def _execute(self, trigger: str) -> None:
        for number, counter in enumerate(self.counters):
            due = counter.count >= counter.required or not trigger.startswith("on_jobs_")
            if counter.action.trigger_type == trigger and due and not counter.executed:
                counter.executed = True
                self.executed.append(Executed(number, self.now))


def _rule(rules: list[FailureRule], code: int) -> FailureRule | None:
    """Choose a rule: exact codes are tried over all rules before the first that matches all (§10)."""
    exact = (rule for rule in rules if code in (rule.exit_codes or ()))
    general = (rule for rule in rules if rule.match_all_exit_codes)
    return next(exact, None) or next(general, None)


def witness(creation: Creation, ask: Ask) -> tuple[Witnessed, Server]:
    """Run a specification; gives also the server, for what else it knows."""
    server = Server(creation, ask)
    server.run()
    endings = {}
    for name, live in server.jobs.items():
        variables = tuple(sorted(live.made.environment.items()))
        endings[name] = Ending(
            _TERMINAL[live.status],
            attempts=live.attempt if live.began is not None else 0,
            work=tuple(live.work),
            variables=(variables,) * len(live.work),
            began=live.began,
            ended=live.ended,
        )
    followed = {
        (blocker, name)
        for name, live in server.jobs.items()
        for blocker in live.made.blockers
        if live.began is not None and server.jobs[blocker].began is not None
    }
    return Witnessed(endings, None, frozenset(followed)), server
