"""One run of an ACTIVATE job: whether it runs at all, its steps, attempts, limits, clean-ups (pw.md §4 to §6, §11)."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Generator, Mapping
from typing import Any, Protocol

import attrs
from outcomes import CANCELLED, FAILED, SKIPPED, SUCCEEDED, TIMED_OUT, Ending
from pw_expressions import (
    FaultError,
    Tree,
    as_text,
    conjuncts,
    fill,
    item,
    looks_at_status,
    number,
    parse,
    truth,
    value_of,
    whole,
)

from pwxc.semantics.environment import Environment
from pwxc.semantics.trace import Instance, State
from pwxc_targets.pw import model

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_SHORT = frozenset({"checkout", "scheduler-agent", "wait-for-agent", "cancel-jobs", "update-session"})
_BAD = (FAILED, CANCELLED, TIMED_OUT)
Going = Generator[float, None, None]
Trying = Generator[float, None, int]


class Around(Protocol):
    """The run that a job is a part of."""

    written: model.PwWorkflow
    environment: Environment
    time: float
    round: int

    def look(self, name: str) -> Any:
        """Give the value of a path that does not belong to the job."""
        ...

    def output(self, asking: Copy, job: str, step: str | None, key: str) -> Any:
        """Give what a job published."""
        ...

    def endings(self, copy: Copy) -> list[State]:
        """Give how what a job needs has ended."""
        ...

    def is_opaque(self, job: model.Job) -> bool:
        """Whether a job's commands are not told."""
        ...


class StopError(Exception):
    """Thrown into a job: the present step is stopped because another job failed."""


class EndError(Exception):
    """Thrown into a job to end it."""

    def __init__(self, state: State) -> None:
        super().__init__(state)
        self.state = state


def seconds(value: Any) -> float | None:
    """Give a duration: digits, perhaps with a unit (§2)."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    found = re.fullmatch(r"\s*(\d+)\s*([dhms]?)\s*", value) if isinstance(value, str) else None
    return int(found[1]) * _UNITS[found[2]] if found is not None else None


@attrs.define(eq=False)
class Copy:
    """One run of a job: the job itself, or one instance of its matrix."""

    world: Around
    name: str
    job: model.Job
    index: int | None
    row: Mapping[str, Any]
    state: State | None = None
    began: float | None = None
    ended: float | None = None
    ended_in: int = 0
    wake: float | None = None
    queued: bool = False
    decided: bool = False
    going: Going | None = None
    early: bool = False
    """A step is running that stops when another job fails."""
    failed: bool = False
    cancelled: bool = False
    retry: int | None = None
    started: list[model.Step] = attrs.field(factory=list)
    work: list[tuple[str, int | None]] = attrs.field(factory=list)
    settings: list[dict[str, str]] = attrs.field(factory=list)
    cleaned: list[str] = attrs.field(factory=list)
    variables: dict[str, str] = attrs.field(factory=dict)

    @property
    def instance(self) -> Instance:
        return Instance(self.name, self.index)

    # values

    def value(self, text: str, status: dict[str, bool] | None = None) -> Any:
        return value_of(parse(text), self.look, status or {})

    def text(self, written: Any) -> str:
        return fill(written, self.value) if isinstance(written, str) else as_text(written)

    def single(self, written: Any) -> Any:
        """Give a switch, a number or a time: what is written, or the value of the one expression that it is."""
        inner = whole(written)
        if inner is None:
            return written
        try:
            return self.value(inner)
        except FaultError:
            return None

    def settled(self, value: Any) -> Any:
        """Give data in which all expressions have their values; one that is a whole scalar keeps its type."""
        if isinstance(value, dict):
            return {name: self.settled(part) for name, part in value.items()}
        if isinstance(value, list):
            return [self.settled(part) for part in value]
        inner = whole(value)
        return self.value(inner) if inner is not None else self.text(value) if isinstance(value, str) else value

    def look(self, name: str) -> Any:
        root, *path = name.split(".")
        match root:
            case "matrix":
                found: Any = self.row
                for key in path:
                    found = item(found, key)
                return found
            case "needs":
                return self._output(name, path)
            case "env" if path == ["PW_WORKFLOW_STEP_CURRENT_RETRY"]:
                return 0 if self.retry is None else self.retry
            case "env":
                return self.variables.get(path[0], f"<environment {'.'.join(path)}>")
        return self.world.look(name)

    def _output(self, name: str, path: list[str]) -> Any:
        if path[1:2] == ["outputs"] and len(path) > 2:
            found, rest = self.world.output(self, path[0], None, path[2]), path[3:]
        elif path[1:2] == ["steps"] and path[3:4] == ["outputs"] and len(path) > 4:
            found, rest = self.world.output(self, path[0], path[2], path[4]), path[5:]
        else:
            return name
        for key in rest:
            found = item(found, key)
        return found

    def set_variables(self, step: model.Step | None) -> None:
        """Step over job over workflow (§3)."""
        self.variables = {}
        for level in (self.world.written.env, self.job.env, step.env if step is not None else None):
            self.variables = self.variables | {name: self.text(value) for name, value in (level or {}).items()}

    # running

    def start(self) -> None:
        self.began = self.world.time
        self.going = self._run()
        self._resume(None)

    def throw(self, fault: Exception) -> None:
        self._resume(fault)

    def _resume(self, fault: Exception | None) -> None:
        assert self.going is not None
        try:
            self.wake = next(self.going) if fault is None else self.going.throw(fault)
        except StopIteration:
            self.wake = None

    def resume(self) -> None:
        self._resume(None)

    def end(self, state: State) -> None:
        self.state, self.ended, self.ended_in = state, self.world.time, self.world.round

    def _run(self) -> Going:
        limit = seconds(self.single(self.job.timeout))
        until = None if not limit or self.began is None else self.began + limit
        try:
            for at, step in enumerate(self.job.steps):
                yield from self._step(at, step, until)
            state = CANCELLED if self.cancelled else FAILED if self.failed else SUCCEEDED
        except EndError as ending:
            state = ending.state
        self.early = False
        for step in reversed(self.started):
            if step.cleanup is not None:
                self.set_variables(step)
                self.cleaned.append(self.text(step.cleanup))
        for step in self.job.cleanup or ():
            self.cleaned.append(self._command(step))
        self.end(state)

    def _pause(self, length: float, until: float | None) -> Going:
        target = self.world.time + length
        if until is not None and target > until:
            if until > self.world.time:
                yield until
            raise EndError(TIMED_OUT)
        if length > 0:
            yield target

    def _wanted(self, step: model.Step) -> bool:
        fine = not self.failed and not self.cancelled
        if step.if_ is None:
            return fine
        status = {"always": True, "completed": fine, "error": self.failed, "canceled": self.cancelled}
        tree = condition(step.if_)
        if not looks_at_status(tree) and not fine:
            return False
        return truth(value_of(tree, self.look, status))

    def _step(self, at: int, step: model.Step, until: float | None) -> Going:
        self.retry = 0 if step.retry is not None else None
        self.set_variables(step)
        try:
            if not self._wanted(step):
                return
        except FaultError:
            self.failed = True
            return
        self.started.append(step)
        self.early = step.early_cancel == "any-job-failed"
        try:
            code = yield from self._attempts(at, step, until)
        except StopError:
            self.cancelled = True
            return
        finally:
            self.early = False
        if code and not truth(self.single(step.ignore_errors)):
            self.failed = True

    def _attempts(self, at: int, step: model.Step, until: float | None) -> Trying:
        limit = seconds(self.single(step.timeout))
        last = self.world.time + limit if limit else None
        more, interval, most = self._retries(step)
        for attempt in itertools.count():
            if attempt:
                self.retry = attempt
                self.set_variables(step)
            result = self.world.environment.result(self.instance, at, attempt)
            bounds = [result.duration]
            bounds += [most] if most else []
            bounds += [last - self.world.time] if last is not None else []
            self.work.append((self._command(step), None))
            self.settings.append(self.variables)
            yield from self._pause(min(bounds), until)
            code = result.code if min(bounds) >= result.duration else 124
            self.work[-1] = (self.work[-1][0], code)
            if code == 0 or attempt >= more or (last is not None and self.world.time >= last):
                return code
            if last is not None and self.world.time + interval >= last:
                yield from self._pause(last - self.world.time, until)
                return 124
            yield from self._pause(interval, until)
        raise AssertionError

    def _retries(self, step: model.Step) -> tuple[float, float, float | None]:
        """Give the number of further attempts, the wait between them and the limit of each (§6)."""
        if step.retry is None:
            return 0, 0, None
        more, wait, most = step.retry.max_retries, step.retry.interval, step.retry.timeout
        found = [None if value is None else seconds(self.single(value)) for value in (wait, most)]
        return (
            10 if more is None else number(self.single(more)),
            5 if wait is None else found[0] or 0,
            30 if most is None else found[1],
        )

    def _command(self, step: model.Step) -> str:
        if step.uses is None:
            return self.text(step.run if step.run is not None else "")
        name = f"parallelworks/{step.uses}" if step.uses in _SHORT else step.uses
        return f"uses {name} {json.dumps(self._data(step.with_ or {}), sort_keys=True, default=str)}"

    def _data(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self._data(part) for name, part in value.items()}
        if isinstance(value, list):
            return [self._data(part) for part in value]
        return self.text(value) if isinstance(value, str) else value

    # deciding

    def decide(self) -> None:
        """Look whether the job runs, now that all it needs has ended (§4, §11)."""
        self.decided = True
        endings = self.world.endings(self)
        status = {
            "always": True,
            "completed": all(state is SUCCEEDED for state in endings),
            "error": any(state in _BAD for state in endings),
            "canceled": CANCELLED in endings,
        }
        tree = ("value", True) if self.job.if_ is None else condition(self.job.if_)
        parts = conjuncts(tree)
        others = [part for part in parts if part != ("status", "completed")]
        if not any(looks_at_status(part) for part in others) and not status["completed"]:
            self.end(CANCELLED if status["error"] else SKIPPED)
            return
        self.set_variables(None)
        try:
            wanted = truth(value_of(tree, self.look, status))
        except FaultError:
            self.end(FAILED)
            return
        if wanted:
            self.queued = True
        else:
            self.end(SKIPPED)

    def ending(self) -> Ending:
        opaque = self.world.is_opaque(self.job)
        ran = self.began is not None
        folder = self.job.working_directory
        self.set_variables(None)
        return Ending(
            state=self.state or CANCELLED,
            attempts=int(ran),
            work=None if opaque else tuple(self.work),
            variables=None if opaque else tuple(tuple(sorted(each.items())) for each in self.settings),
            cleanups=None if opaque else tuple(self.cleaned),
            moved=(f"works in {self.text(folder)}",) if ran and folder is not None else (),
            began=self.began,
            ended=self.ended,
        )


def condition(written: Any) -> Tree:
    """Read an `if`: an expression with or without its braces, or a plain value."""
    if not isinstance(written, str):
        return ("value", written)
    inner = whole(written.strip())
    if inner is None and "${{" in written:
        return ("value", True)  # a text, which is true
    return parse(inner if inner is not None else written)
