"""One instance from its start to its end: steps, attempts, exit rules, limits and clean-up."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import TypeAlias

import attrs

from pwxc.expr.values import EvaluationError, truth
from pwxc.ir.data import Checkpoint, Variable
from pwxc.ir.expr import Expr
from pwxc.ir.task import ExitAction, ExitRule, Step, Task
from pwxc.ir.template import Template
from pwxc.semantics.clock import Clock, Life, Process, StoppedError
from pwxc.semantics.expansion import Row
from pwxc.semantics.resolve import Scope
from pwxc.semantics.trace import Instance, Moment, Part, Ran, Record, State
from pwxc.semantics.world import World

STOPPED_CODE = 124
"""What a step ends with that ran into its own limit; the same as `timeout` gives."""

Stage: TypeAlias = Generator[float, None, int]


class EndedError(StoppedError):
    """Thrown into a run to end it in a certain state."""

    def __init__(self, state: State, reason: str) -> None:
        super().__init__(reason)
        self.state, self.reason = state, reason


class RestartError(StoppedError):
    """Thrown into a member of a gang whose commands are to begin again (osmo.md §20.4)."""


class AnotherFailedError(StoppedError):
    """Thrown into a run whose present step stops when another task fails (pw.md §5 `early-cancel`)."""


@attrs.define(eq=False)
class Run:
    """A run of one instance; `on_end` and `on_retry` are told what happens."""

    world: World
    clock: Clock
    task: Task
    instance: Instance
    row: Row
    on_end: Callable[[Run], None]
    on_retry: Callable[[Run], None] = lambda run: None
    deadline: float | None = None
    state: State | None = None
    reason: str = ""
    began: Moment | None = None
    ended: Moment | None = None
    attempts: int = 0
    retries: int = 0
    ran: list[Ran] = attrs.field(factory=list)
    process: Process | None = None
    stoppable: bool = False
    scope: Scope = attrs.field(init=False)
    _started: list[tuple[int, Step]] = attrs.field(factory=list)
    _asked: dict[int, int] = attrs.field(factory=dict)
    _failed: bool = False
    _cancelled: bool = False

    def __attrs_post_init__(self) -> None:
        self.scope = Scope(self.world, self.instance, self.row)

    @property
    def publishes(self) -> bool:
        """Whether what it published can be read: a cancelled job's outputs cannot (pw.md §11)."""
        return self.began is not None and self.state is not State.CANCELLED

    def has_run(self, step: str) -> bool:
        """Whether the step with this id has started."""
        return any(each.id == step for _, each in self._started)

    def start(self, delay: float = 0.0) -> None:
        """Begin; commands start after the delay, for what has to be there first."""
        self.began = self.clock.now
        limit = self.world.time_limit(self.task, self.scope)
        if limit:
            ends = self.clock.time + limit
            self.deadline = ends if self.deadline is None else min(self.deadline, ends)
        self.process = self.clock.start(self._life(delay))

    def stop(self, fault: StoppedError) -> None:
        """Throw something into the run, if it is still going on."""
        if self.process is not None and self.state is None:
            self.clock.stop(self.process, fault)

    def end(self, state: State, reason: str) -> None:
        """End without ever having begun."""
        self.state, self.reason, self.ended = state, reason, self.clock.now
        self.on_end(self)

    # the whole

    def _life(self, delay: float) -> Life:
        try:
            yield from self._wait(delay)
            yield from self._attempts()
        except EndedError as ending:
            self.state, self.reason = ending.state, ending.reason
        except StoppedError:
            self.state, self.reason = State.CANCELLED, "stopped"
        self._clean_up()
        self.ended = self.clock.now
        self.on_end(self)

    def _wait(self, seconds: float) -> Life:
        """Let time pass, up to the limit of the task; work that ends just at the limit has ended in time."""
        if self.deadline is None or self.clock.time + seconds <= self.deadline:
            if seconds > 0:
                yield seconds
            return
        if self.deadline > self.clock.time:
            yield self.deadline - self.clock.time
        raise EndedError(State.TIMED_OUT, "its time was up")

    def _attempts(self) -> Life:
        while True:
            self.attempts += 1
            try:
                code = yield from self._steps()
                again = self._judge(code)
                if again is None:
                    return
                self.on_retry(self)
                yield from self._wait(again)
            except RestartError:
                continue

    def _judge(self, code: int) -> float | None:
        """Decide the state by an attempt's exit code, or give the seconds until the next attempt.

        The first rule that matches counts; where a retry is not allowed any more, the code decides as if there were
        no rule (osmo.md §15, torc.md §10).
        """
        if self._cancelled:
            self.state, self.reason = State.CANCELLED, "another task failed"
            return None
        rule = next((rule for rule in self.task.exit_rules if _matches(rule, code)), None)
        if rule is not None and rule.action is ExitAction.RETRY and self._may_retry(rule):
            self.retries += 1
            if rule.recovery is not None:
                self._note(Part.RECOVERY, 0, self.retries - 1, rule.recovery, 0)
            return self.scope.number(rule.retry.interval) or 0.0 if rule.retry is not None else 0.0
        failed = code != 0
        if rule is not None and rule.action is not ExitAction.RETRY:
            failed = rule.action is ExitAction.FAIL
        self.state = State.FAILED if failed else State.SUCCEEDED
        self.reason = f"exit code {code}" if code or failed else ""
        return None

    def _may_retry(self, rule: ExitRule) -> bool:
        return self.retries < self._limit(rule.retry.limit if rule.retry is not None else None)

    def _limit(self, limit: int | Expr | None) -> float:
        if limit is None:
            return self.world.environment.site_retries()
        return self.scope.number(limit) or 0

    # the steps of one attempt

    def _steps(self) -> Stage:
        """Run the steps in order and give the exit code: that of the first one that failed (pw.md §11)."""
        code = 0
        self._failed, self._started, self._cancelled = False, [], False
        for number, step in enumerate(self.task.steps):
            self.scope.attempt = self.attempts - 1 if self.task.exit_rules else 0
            if step.condition is not None:
                self.scope.variables = self.variables(step)
            wanted = self._is_wanted(step.condition)
            if wanted is None:
                code, self._failed = code or 1, True
            if not wanted:
                continue
            self._started.append((number, step))
            ended = yield from self._step(number, step)
            if ended and not self.scope.truth(step.ignore_errors):
                code, self._failed = code or ended, True
        return code

    def _is_wanted(self, condition: Expr | None) -> bool | None:
        """Test a step's condition; None when it has no value."""
        fine = not self._failed and not self._cancelled
        if condition is None:
            return fine
        self.scope.status = {
            "always": True, "completed": fine, "error": self._failed, "canceled": self._cancelled,
        }  # fmt: skip
        try:
            return truth(self.scope.value(condition))
        except EvaluationError:
            return None

    def _step(self, number: int, step: Step) -> Stage:
        """Run a step with its further attempts and the waits between them, and give its exit code.

        What is stopped because another task failed has not failed itself (pw.md §11, `canceled`).
        """
        self.stoppable = step.stop_when_another_fails or self.task.stop_when_another_fails
        try:
            return (yield from self._tries(number, step))
        except AnotherFailedError:
            self._cancelled = True
            return 0
        finally:
            self.stoppable = False

    def _tries(self, number: int, step: Step) -> Stage:
        limit = self.scope.number(step.timeout)
        until = self.clock.time + limit if limit else None
        tries = 0
        while True:
            if step.retry is not None:
                self.scope.attempt = tries
            code = yield from self._try(number, step, until)
            if code == 0 or step.retry is None or tries >= self._limit(step.retry.limit):
                return code
            if until is not None and self.clock.time >= until:
                return code
            tries += 1
            wait = self.scope.number(step.retry.interval) or 0.0
            if until is not None and self.clock.time + wait >= until:
                yield from self._wait(until - self.clock.time)
                return STOPPED_CODE
            yield from self._wait(wait)

    def _try(self, number: int, step: Step, until: float | None) -> Stage:
        """Run a step once."""
        asked = self._asked.get(number, 0)
        self._asked[number] = asked + 1
        result = self.world.environment.result(self.instance, number, asked)
        limits = [] if until is None else [until - self.clock.time]
        if step.retry is not None and (most := self.scope.number(step.retry.attempt_timeout)):
            limits.append(most)
        duration = min([result.duration, *limits])
        code = result.code if duration >= result.duration else STOPPED_CODE
        self.scope.variables = self.variables(step)
        text = self.scope.work(step.work)
        at = len(self.ran)
        ran = Ran(Part.WORK, number, asked, text, None, tuple(sorted(self.scope.variables.items())))
        self.ran.append(ran)
        yield from self._wait(duration)
        self.ran[at] = attrs.evolve(ran, code=code)
        return code

    def variables(self, step: Step | None) -> dict[str, str]:
        """Give the variables that are set for a step: its own win over the task's, those over the workflow's.

        A value may name a variable of an outer level, or one of its own that comes first by name (osmo.md §11).
        """
        found: dict[str, str] = {}
        for level in (self.world.workflow.environment, self.task.environment, step.environment if step else ()):
            self.scope.variables = found
            for variable in sorted(level, key=_name) if len(level) > 1 else level:
                found[variable.name] = self.scope.text(variable.value)
        return found

    # afterwards

    def _clean_up(self) -> None:
        """Run what steps clean up, the last one first, then the task's own clean-up; none of it changes the state."""
        for number, step in reversed(self._started):
            if step.cleanup is not None:
                self.scope.variables = self.variables(step)
                self._note(Part.CLEANUP, number, 0, step.cleanup, 0)
        for number, step in enumerate(self.task.cleanup, len(self.task.steps)):
            wanted = step.condition is None or self._is_wanted(step.condition)
            if wanted:
                self.ran.append(Ran(Part.CLEANUP, number, 0, self.scope.work(step.work), 0))

    def _note(self, part: Part, step: int, attempt: int, text: Template, code: int) -> None:
        self.ran.append(Ran(part, step, attempt, self.scope.text(text), code))

    def record(self) -> Record:
        """Give what happened."""
        state = self.state if self.state is not None else State.CANCELLED
        self.scope.variables = self.variables(None)
        moved = moves(self.task, self.scope) if self.began is not None else ()
        return Record(state, self.attempts, tuple(self.ran), self.began, self.ended, self.reason, moved)


def _name(variable: Variable) -> str:
    return variable.name


def _matches(rule: ExitRule, code: int) -> bool:
    if not rule.codes:
        return code != 0
    return any(low <= code <= high for low, high in rule.codes)


def moves(task: Task, scope: Scope) -> tuple[str, ...]:
    """Give, as text, all that surrounds a task's commands and is no command: data, files, image, folder, secrets."""
    return tuple(f"{kind} {text}" for kind, make in _MOVES.items() for text in make(task, scope))


def _filter(pattern: str | None) -> str:
    return "" if pattern is None else f" matching {pattern}"


def _seconds(point: Checkpoint, scope: Scope) -> str:
    return f"{scope.number(point.interval) or 0:g} s"


def _secrets(task: Task, scope: Scope) -> Sequence[str]:
    world: Mapping[str, str] = {}
    found = []
    for secret in (*scope.world.workflow.secrets, *task.secrets):
        found.append(" ".join([secret.name, *(f"{name}={key}" for name, key in sorted(secret.variables)), *world]))
        if secret.folder is not None:
            found[-1] += f" in {scope.text(secret.folder)}"
    return sorted(found)


_MOVES: Mapping[str, Callable[[Task, Scope], Sequence[str]]] = {
    "reads": lambda task, scope: [f"{scope.origin(read.origin)}{_filter(read.pattern)}" for read in task.reads],
    "writes": lambda task, scope: [
        f"{scope.origin(write.destination)}{_filter(write.pattern)}" for write in task.writes
    ],
    "gets file": lambda task, scope: [f"{scope.text(file.path)}: {scope.text(file.contents)}" for file in task.files],
    "copies": lambda task, scope: [
        f"{scope.text(point.path)} to {scope.text(point.url)} every {_seconds(point, scope)}{_filter(point.pattern)}"
        for point in task.checkpoints
    ],
    "uses secret": _secrets,
    "uses image": lambda task, scope: [] if task.container is None else [scope.text(task.container.image)],
    "works in": lambda task, scope: [] if task.working_directory is None else [scope.text(task.working_directory)],
}
