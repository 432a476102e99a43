"""Tasks of scripts and calls as jobs: steps in order, as the platform has them (pw.md §4, §5)."""

from __future__ import annotations

from typing import Any

import attrs

from pwxc.fidelity import Account, Fate
from pwxc.ir.expr import Expr, Ref, Root
from pwxc.ir.resources import Placement, Resources
from pwxc.ir.task import ActionCall, Script, Step, Task
from pwxc_targets.pw import model
from pwxc_targets.pw.expressions import print_expression
from pwxc_targets.pw.writing import codes as C  # noqa: N812
from pwxc_targets.pw.writing.context import Writing
from pwxc_targets.pw.writing.kept import settle_kept
from pwxc_targets.pw.writing.order import settle_condition, settle_edges, wait_for
from pwxc_targets.pw.writing.scheduling import SCRIPT_SUBMITTER, Request, beside_of, is_submitted, runner_for
from pwxc_targets.pw.writing.sessionrunner import SESSION_RUNNER, find_session, service_of
from pwxc_targets.pw.writing.spelling import Spelling, kept_by
from pwxc_targets.pw.writing.steps import StepWriter, write_place
from pwxc_targets.pw.writing.strategy import Matrix, write_sweep
from pwxc_targets.pw.writing.toplevel import write_environment


@attrs.define
class NativeJob:
    """Writes one task that this dialect can say as it is."""

    writing: Writing
    task: Task
    matrix: Matrix | None = None

    @property
    def job(self) -> str:
        """The job's name."""
        return self.writing.jobs[self.task.name]

    @property
    def spelling(self) -> Spelling:
        """How texts are written."""
        matrix = self.matrix
        return Spelling(self.writing) if matrix is None else Spelling(self.writing, matrix.path, matrix.tame)

    def write(self, account: Account) -> model.Job:
        """Write the job; every field of the task is settled."""
        task = self.task
        self.matrix = write_sweep(self.writing, account, task)
        settle_kept(self.writing, account, task.passthrough, "jobs", self.job)
        account.take("resources", Fate.EXACT)
        account.take("beside")
        made = model.Job(steps=[])
        made.needs, made.if_ = self.order(account)
        account.take("placement")
        made.ssh = write_place(self.writing, self.spelling, self._place(), "jobs", self.job)
        self.common(account, made)
        made.env = write_environment(self.writing, account, account.take("environment"))
        account.take("steps")
        submitted = is_submitted(self.writing, task)
        made.steps = list(self._steps(submitted))
        if cleanup := account.take("cleanup"):
            made.cleanup = [self._plain(step, "cleanup", at) for at, step in enumerate(cleanup)]
        if self.matrix is not None:
            made.strategy = model.Strategy()
            strategy = self.matrix.strategy
            made.strategy.matrix = strategy.get("matrix")
            made.strategy.fail_fast = strategy.get("fail-fast")
            made.strategy.max_parallel = strategy.get("max-parallel")
        return made

    def order(self, account: Account) -> tuple[list[str] | None, str | None]:
        """Give what the job waits for."""
        edges = settle_edges(self.writing, self.task, account.take("needs"), self.task.sweep)
        condition = settle_condition(account, self.task.condition)
        needs, test = wait_for(self.writing, account, self.job, edges, condition)
        return needs or None, test

    def common(self, account: Account, made: model.Job) -> None:
        """Write what all jobs may have."""
        task, spelling = self.task, self.spelling
        folder = account.take("working_directory")
        if folder is not None and folder.whole != Ref(Root.RUN_FOLDER):  # there they work anyway
            made.working_directory = spelling.text(account, "working_directory", folder)
        if (limit := account.take("run_timeout")) is not None:
            made.timeout = spelling.duration(account, "run_timeout", limit)
        if task.outputs:
            made.outputs = {
                item.name: spelling.value(account, "outputs", item.value) for item in account.take("outputs")
            }
        if task.queue_timeout is not None:
            account.approximate("queue_timeout", C.QUEUE_LIMIT, "the time in the queue is not limited", once=True)
        if task.priority is not None:
            message = "the platform starts jobs that are ready in no order of priority"
            account.approximate("priority", C.PRIORITY, message, once=True)
        account.take("stop_when_another_fails", Fate.EMULATED)

    def _place(self) -> Placement | None:
        if ("runs-on",) in kept_by(self.task.passthrough, "pw"):
            with self.writing.ledger.of(self.task.placement or self.task) as account:
                if self.task.placement is not None:
                    account.whole(Fate.EXACT)
            return None
        return self.task.placement

    # steps

    def _steps(self, submitted: bool | Expr) -> list[model.Step]:
        task = self.task
        if ("runs-on",) in kept_by(task.passthrough, "pw"):
            submitted = False
        made: list[model.Step] = []
        skip = False
        for at in range(len(task.steps) - 1, -1, -1):
            step = task.steps[at]
            place = step.placement if step.placement is not None else task.placement
            scheduled = step.placement.scheduled if step.placement is not None else submitted
            if skip:
                skip = False
                with self.writing.ledger.of(step) as account:
                    account.whole(Fate.EMULATED)
            elif isinstance(step.work, Script) and (scheduled is not False or _is_call(step)):
                made.insert(0, written := self._submitted(at, place, scheduled))
                skip = "controller_script" in (written.with_ or {}).get("service", {})
            else:
                made.insert(0, self._plain(step, "steps", at))
        self._mind_skipped(len(task.steps) - len(made))
        return made or [model.Step(run=":\n")]

    def _mind_skipped(self, count: int) -> None:
        """Drop what was to be put back into steps that have moved."""
        if count:
            head = ("jobs", self.job, "steps")
            self.writing.patches[:] = [
                (path, value) if path[:3] != head else ((*head, int(path[3]) - count, *path[4:]), value)
                for path, value in self.writing.patches
            ]

    def _plain(self, step: Step, key: str, at: int) -> model.Step:
        place = ("jobs", self.job, key, at)
        with self.writing.ledger.of(step, where=".".join(map(str, place))) as account:
            made = StepWriter(self.writing, self.spelling).write(step, account, *place)
            account.take("placement")
            made.ssh = write_place(self.writing, self.spelling, step.placement, *place)
            account.take("work")
            if isinstance(step.work, ActionCall):
                made.uses = step.work.name
                made.with_ = self._arguments(account, step.work) or None
            elif isinstance(step.work, Script):
                made.run = self.spelling.text(account, "work", step.work.text)
                if step.work.shell != ("bash",):
                    made.shell = " ".join(step.work.shell)
            if self.task.stop_when_another_fails:
                made.early_cancel = "any-job-failed"
        return made

    def _arguments(self, account: Account, call: ActionCall) -> dict[str, Any]:
        arguments: dict[str, Any] = self.spelling.value(account, "work", call.arguments)
        jobs = arguments.get("jobs")
        if call.name == "parallelworks/cancel-jobs" and isinstance(jobs, list):
            names = self.writing.jobs
            arguments["jobs"] = [names.get(name, name) if isinstance(name, str) else name for name in jobs]
        return arguments

    def _submitted(self, at: int, place: Placement | None, scheduled: bool | Expr) -> model.Step:
        """Write a step that the scheduler runs as the call of a sub-workflow."""
        step = self.task.steps[at]
        where = ("jobs", self.job, "steps", at)
        session = find_session(step)
        service = service_of(self.task.steps, at) if session is not None else None
        with self.writing.ledger.of(step, where=".".join(map(str, where))) as account:
            made = StepWriter(self.writing, self.spelling).write(step, account, *where)
            self.writing.patches[:] = [item for item in self.writing.patches if item[0][:5] != (*where, "with")]
            made.working_directory = None
            account.take("placement")
            account.take("work")
            record = self.writing.resources.get(self.task.resources or "") or Resources(name="")
            if step.placement is not None:
                with self.writing.ledger.of(step.placement) as placed:
                    placed.whole(Fate.EXACT)
            common = {
                "resource": self._cluster(account, place),
                "scheduler": self.spelling.switch(account, "placement", scheduled),
            }
            kept = {path[1]: value for path, value in kept_by(step.passthrough, "pw").items() if path[0] == "with"}
            rest = {name: self.spelling.value(account, "passthrough", value) for name, value in kept.items()}
            runner = SCRIPT_SUBMITTER if service is not None else runner_for(record, frozenset(rest))
            group = self._group(account, record, runner, place) if scheduled is not False else {}
            if service is not None:
                paths = {name: self.spelling.text(account, "work", value) for name, value in service[0].items()}
                made.uses = SESSION_RUNNER
                made.with_ = {
                    "$yaml": "workflow/session_runner/v1.4/general.yaml",
                    **rest,
                    "resource": common["resource"],
                    "cluster": {"scheduler": common["scheduler"], **group},
                    "service": paths,
                }
            else:
                made.uses = runner
                groups = {
                    name: {**rest.pop(name, {}), **value} for name, value in group.items() if isinstance(value, dict)
                }
                made.with_ = {**common, **self._runner_script(account, step), **rest, **groups}
        return made

    def _group(self, account: Account, record: Resources, runner: str, place: Placement | None) -> dict[str, Any]:
        slurm = Request(self.writing, account, record, runner).build(beside=beside_of(self.writing, self.task))
        pbs = next((item.value for item in record.passthrough if item.path == ("pbs",)), None)
        switch = "is_enabled" if runner == SCRIPT_SUBMITTER else "is_disabled"
        enabled = runner == SCRIPT_SUBMITTER
        cluster = place.cluster if place is not None else None
        if pbs is None or cluster is None:
            return {"slurm": {switch: enabled, **slurm}} | ({} if pbs is None else {"pbs": self._pbs(account, pbs)})
        kind = print_expression(self.spelling.translate(cluster)) + ".schedulerType"
        test = f"${{{{ {kind} {'==' if enabled else '!='} 'slurm' }}}}"
        return {"slurm": {switch: test, **slurm}, "pbs": self._pbs(account, pbs)}

    def _pbs(self, account: Account, pbs: Any) -> Any:
        return self.spelling.value(account, "resources", pbs)

    def _cluster(self, account: Account, place: Placement | None) -> str:
        if place is not None and place.cluster is not None:
            return str(self.spelling.value(account, "placement", place.cluster))
        self.writing.uses_cluster = True
        return "${{ inputs." + self.writing.cluster + " }}"

    def _runner_script(self, account: Account, step: Step) -> dict[str, Any]:
        assert isinstance(step.work, Script)
        made: dict[str, Any] = {}
        if (first := shebang(step.work.shell)) is not None:
            made["shebang"] = first
        folder = step.working_directory
        made["rundir"] = "${PWD}" if folder is None else self.spelling.text(account, "working_directory", folder)
        made["use_existing_script"] = False
        made["script"] = self.spelling.text(account, "work", step.work.text)
        return made


def _is_call(step: Step) -> bool:
    """Whether a step was the call of a sub-workflow that does more than run a script."""
    return any(path[0] == "with" for path in kept_by(step.passthrough, "pw"))


def shebang(shell: tuple[str, ...]) -> str | None:
    """Give the first line of a script that a program runs; None for plain bash."""
    if shell == ("bash",):
        return None
    program, *options = shell
    if program in ("bash", "sh"):
        return " ".join((f"#!/bin/{program}", *options))
    if program.startswith("/"):
        return " ".join((f"#!{program}", *options))
    return " ".join(("#!/usr/bin/env", *(["-S"] if options else []), program, *options))
