"""An interpreter of ACTIVATE workflow files as they are written (pw.md §3 to §6, §11, §12).

Jobs are looked at by their text: `needs`, `if`, `strategy`, steps. Where the reference leaves a choice, that of
`docs/semantics.md` is taken. Steps that submit or start an agent are calls, which the environment decides about.
"""

from __future__ import annotations

from typing import Any

import attrs
from outcomes import CANCELLED, FAILED, TIMED_OUT, Witnessed
from pw_copies import Copy, EndError, StopError, seconds
from pw_expressions import NOTHING, number, truth, whole
from pw_form import Form
from pw_matrix import rows_of

from pwxc.ir.expr import Undefined
from pwxc.semantics.environment import Environment
from pwxc.semantics.trace import State
from pwxc_targets.pw import model


@attrs.define(eq=False)
class World:
    """A run of a workflow."""

    written: model.PwWorkflow
    environment: Environment
    form: Form
    jobs: dict[str, list[Copy]] = attrs.field(factory=dict)
    time: float = 0.0
    round: int = 0
    opaque: frozenset[str] = frozenset()
    followed: set[tuple[str, str]] = attrs.field(factory=set)

    def copies(self) -> list[Copy]:
        return [copy for job in self.jobs.values() for copy in job]

    def is_opaque(self, job: model.Job) -> bool:
        """Whether a job calls something that the compiler looks into."""
        calls = [f"{step.uses} {(step.with_ or {}).get('$yaml')}" for step in job.steps if step.uses is not None]
        return any(word in call for call in calls for word in self.opaque)

    # values that do not belong to a job

    def look(self, name: str) -> Any:
        root, *path = name.split(".")
        if root == "inputs":
            return f"<row {'.'.join(path)}>" if "[index]" in path else self.form.value(path)
        words = {"org": "organisation", "var": "user", "sessions": "session", "app": "app", "matrix": "sweep"}
        return f"<{words[root]} {'.'.join(path)}>" if root in words and path else name

    def output(self, asking: Copy, job: str, step: str | None, key: str) -> Any:
        """Give what a job published; a cancelled one publishes nothing (§11)."""
        copies = self.jobs.get(job)
        if copies is None:
            return f"<task-output {'.'.join(part for part in (job, step, key) if part is not None)}>"
        other = next((copy for copy in copies if copy.index == asking.index), copies[0] if copies else None)
        if other is None or other.began is None or other.state is CANCELLED:
            return NOTHING
        if step is not None and not any(each.id == step for each in other.started):
            return NOTHING
        declared = (other.job.outputs or {}).get(key) if step is None and other is not asking else None
        if declared is not None:
            inner = whole(declared)
            return other.text(declared) if inner is None else other.single(declared)
        found = self.environment.output(other.instance, step, key)
        return NOTHING if isinstance(found, Undefined) else found

    def rows(self, job: model.Job) -> list[dict[str, Any]] | None:
        """Give the rows of a job's matrix, None if it has none."""
        matrix = job.strategy.matrix if job.strategy is not None else None
        return None if matrix is None else rows_of(Copy(self, "", job, None, {}).settled(matrix))

    # what jobs wait for

    def needs(self, job: model.Job) -> list[tuple[str, bool]]:
        """Give the names of needed jobs, and whether the first instance of each is enough."""
        written = job.needs if isinstance(job.needs, list) else [] if job.needs is None else [job.needs]
        found = {str(entry).partition(":")[0]: str(entry).endswith(":any") for entry in written}
        return [(name, first) for name, first in found.items() if name in self.jobs]

    def first(self, name: str) -> Copy | None:
        ended = [copy for copy in self.jobs[name] if copy.state is not None and copy.ended_in < self.round]
        return min(ended, key=lambda copy: (copy.ended_in, copy.index or 0), default=None)

    def is_ready(self, copy: Copy) -> bool:
        for name, first in self.needs(copy.job):
            if first and self.first(name) is not None:
                continue
            if any(other.state is None or other.ended_in >= self.round for other in self.jobs[name]):
                return False
        return True

    def parents(self, copy: Copy) -> list[Copy]:
        found: list[Copy] = []
        for name, any_ in self.needs(copy.job):
            first = self.first(name) if any_ else None
            found += self.jobs[name] if first is None else [first]
        return found

    def endings(self, copy: Copy) -> list[State]:
        return [other.state for other in self.parents(copy) if other.state is not None]

    # the run

    def run(self) -> Witnessed:
        for name, job in model.entries(self.written.jobs, model.Job).items():
            rows = self.rows(job)
            numbered: list[tuple[int | None, dict[str, Any]]] = [(None, {})] if rows is None else [*enumerate(rows)]
            self.jobs[name] = [Copy(self, name, job, index, row) for index, row in numbered]
        limit = seconds(Copy(self, "", model.Job(steps=[]), None, {}).single(self.written.timeout)) or None
        while True:
            self._follow()
            due = [copy.wake for copy in self.copies() if copy.wake is not None]
            if not due or (limit is not None and min(due) > limit):
                break
            self.time = min(due)
            self.round += 1
            for copy in [copy for copy in self.copies() if copy.wake == self.time]:
                copy.resume()
        if limit is not None and any(copy.state is None for copy in self.copies()):
            self.time = limit
        for copy in self.copies():
            self._cancel(copy)
        return Witnessed({str(copy.instance): copy.ending() for copy in self.copies()}, {}, frozenset(self.followed))

    def _follow(self) -> None:
        """Do what follows from what ended: stop, decide, start, until nothing more follows."""
        while True:
            ended = [copy for copy in self.copies() if copy.state is not None and copy.ended_in == self.round]
            self.round += 1
            self._stop([copy for copy in ended if copy.state in (FAILED, TIMED_OUT)])
            ready = [copy for copy in self.copies() if not copy.decided and copy.state is None and self.is_ready(copy)]
            for copy in ready:
                copy.decide()
            begun = [copy for job in self.jobs.values() for copy in self._next(job)]
            for copy in begun:
                copy.queued = False
                self.followed |= {
                    (str(other.instance), str(copy.instance)) for other in self.parents(copy) if other.began is not None
                }
                copy.start()
            if not ready and not begun and not any(copy.ended_in == self.round for copy in self.copies() if copy.state):
                return

    def _stop(self, failed: list[Copy]) -> None:
        for copy in self.copies() if failed else ():
            if copy.early and copy.state is None:
                copy.throw(StopError())
        for copy in failed:
            strategy = copy.job.strategy
            if strategy is None or copy.index is None:
                continue
            fast = True if strategy.fail_fast is None else Copy(self, "", copy.job, None, {}).single(strategy.fail_fast)
            for other in self.jobs[copy.name] if truth(fast) else ():
                self._cancel(other)

    def _cancel(self, copy: Copy) -> None:
        if copy.state is not None:
            return
        copy.queued, copy.decided = False, True
        if copy.began is None:
            copy.end(CANCELLED)
        else:
            copy.throw(EndError(CANCELLED))

    def _next(self, job: list[Copy]) -> list[Copy]:
        """Give the instances that begin now, lowest numbers first (`max-parallel`)."""
        waiting = [copy for copy in job if copy.queued]
        strategy = job[0].job.strategy if job else None
        most = None if strategy is None else Copy(self, "", job[0].job, None, {}).single(strategy.max_parallel)
        if most is None:
            return waiting
        running = sum(copy.began is not None and copy.state is None for copy in job)
        return waiting[: max(0, int(number(most)) - running)]


def witness(written: model.PwWorkflow, environment: Environment, *, opaque: frozenset[str] = frozenset()) -> Witnessed:
    """Run a workflow file. Of jobs that call one of the `opaque` the commands are not told."""
    given = environment.inputs()
    return World(written, environment, Form.of(written, given), opaque=opaque).run()
