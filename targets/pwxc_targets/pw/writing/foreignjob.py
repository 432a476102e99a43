"""Tasks of systems that run commands on the machines of a cluster (torc, Slurm), as jobs.

A command that needs nothing around it stands as it is. Otherwise it goes into a file, which is run between what comes
before it (variables, tests of input files) and after it (exit rules, tests of output files).
"""

from __future__ import annotations

import attrs

from pwxc.fidelity import Account, Fate
from pwxc.ir.data import NamedDatum, NamedFile, Variable
from pwxc.ir.task import ActionCall, Script, Step
from pwxc.ir.template import Template
from pwxc.shell import ShellText
from pwxc_targets.pw import model
from pwxc_targets.pw.writing import codes as C  # noqa: N812
from pwxc_targets.pw.writing.commandjob import CommandJob
from pwxc_targets.pw.writing.context import Writing, project_folder
from pwxc_targets.pw.writing.exits import Loop, settle_rules
from pwxc_targets.pw.writing.kept import settle_kept
from pwxc_targets.pw.writing.nativenames import NativeNames
from pwxc_targets.pw.writing.scheduling import is_submitted
from pwxc_targets.pw.writing.scriptbody import MISSING, UNWRITTEN, Body, file_test
from pwxc_targets.pw.writing.spelling import is_plain, show_hole
from pwxc_targets.pw.writing.steps import StepWriter, write_place
from pwxc_targets.pw.writing.strategy import write_sweep
from pwxc_targets.pw.writing.submitted import Submitted
from pwxc_targets.pw.writing.toplevel import plain_environment


@attrs.define
class ForeignJob(CommandJob):
    """Writes one task of a system whose jobs are commands on a shared file system."""

    def write(self, account: Account) -> model.Job:
        """Write the job; every field of the task is settled."""
        writing, task = self.writing, self.task
        self.matrix = write_sweep(writing, account, task)
        submitted = is_submitted(writing, task) is not False
        kept = [item for item in task.passthrough if not (submitted and item.dialect == "slurm")]
        settle_kept(writing, account, kept, "jobs", self.job)
        account.emulate("resources", "steps", "beside")
        made = model.Job(steps=[])
        made.needs, made.if_ = self.order(account)
        account.take("placement")
        made.ssh = self._ssh()
        self.common(account, made)
        self._folder(account, made)
        made.env = self._environment(account, submitted=submitted)
        before, after = self._data(account)
        rules = settle_rules(writing, account, task)
        if submitted:
            made.working_directory, folder = None, made.working_directory
            made.steps = Submitted(self, account, str(folder or "")).steps(before, after, rules)
        else:
            made.steps = [*self.hooks[0], *self._local_steps(before, after, rules), *self.hooks[1]]
            self._shift_kept(len(self.hooks[0]))
        if self.matrix is not None:
            strategy = self.matrix.strategy
            made.strategy = model.Strategy()
            made.strategy.matrix, made.strategy.fail_fast = strategy.get("matrix"), strategy.get("fail-fast")
            made.strategy.max_parallel = strategy.get("max-parallel")
        for step in task.cleanup:
            with writing.ledger.of(step) as entry:
                entry.drop("work", C.NO_COUNTERPART, f"the cleanup of `{task.name}` is left out")
        return made

    def _shift_kept(self, by: int) -> None:
        """Move what is to be put back into steps that stand further down."""
        head = ("jobs", self.job, "steps")
        moved = [
            (path if path[:3] != head else (*head, int(path[3]) + by, *path[4:]), value)
            for path, value in self.writing.patches
        ]
        self.writing.patches[:] = moved if by else self.writing.patches

    # where

    def _ssh(self) -> model.Ssh | None:
        place = self.task.placement
        if place is not None and place.host is not None:
            return write_place(self.writing, self.spelling, place, "jobs", self.job)
        if place is not None:
            with self.writing.ledger.of(place) as account:
                account.whole(Fate.EMULATED)
                if place.pool is not None:
                    account.approximate("pool", C.PLACE, "a pool is a name of the source's site")
        return cluster_ssh(self.writing)

    def _folder(self, account: Account, made: model.Job) -> None:
        folder = self.task.working_directory
        start = folder.parts[0] if folder is not None and folder.parts else ""
        if folder is not None and isinstance(start, str) and start.startswith(("/", "~", "$")):
            return
        base = project_folder(self.writing)
        made.working_directory = base if made.working_directory is None else f"{base}/{made.working_directory}"

    # before and after the command

    def _environment(self, account: Account, *, submitted: bool) -> dict[str, str] | None:
        """Put variables into the job's `env` where the platform takes them as they are, else into its scripts."""
        made: dict[str, str] = {}
        variables: tuple[Variable, ...] = account.take("environment")
        shared = self.writing.workflow.environment if not plain_environment(self.writing) else ()
        for item in variables:
            with self.writing.ledger.of(item) as entry:
                entry.take("name")
                entry.take("value")
        expanded = [(item.name, self.spelling.expand(item.value)) for item in (*shared, *variables)]
        names = NativeNames(self.spelling)
        for hole in (hole for _, value in expanded for hole in value.holes if not names.is_known(hole)):
            account.drop("environment", C.NO_EXPRESSION, f"nothing here can stand for {show_hole(hole)}")
        if not submitted and all(is_plain(self.spelling, name, value) for name, value in expanded):
            for name, value in expanded:
                made[name] = self.spelling.text(account, "environment", value)
        else:
            self.exports.extend(expanded)
        return made or None

    def _data(self, account: Account) -> tuple[list[Template], list[Template]]:
        """Give the paths that have to be there before the command, and those that have to be there after it."""
        before: list[Template] = []
        after: list[Template] = []
        for read in account.take("reads"):
            with self.writing.ledger.of(read) as entry:
                entry.emulate("name", "origin", "pattern", "implied")
                match read.origin:
                    case NamedFile(name=name):
                        if not self.writing.is_written(name):
                            before += self._path(name)
                    case NamedDatum(name=name):
                        if self.writing.is_written(name):
                            message = f"`{name}` is filled while the workflow runs, through the source's own server"
                            entry.drop("origin", C.DATUM, message)
                    case _:
                        entry.drop("origin", C.NO_COUNTERPART, f"`{self.task.name}` reads what is not brought here")
        for write in account.take("writes"):
            with self.writing.ledger.of(write) as entry:
                entry.emulate("destination", "pattern", "implied")
                match write.destination:
                    case NamedFile(name=name):
                        after += self._path(name)
                    case NamedDatum(name=name):
                        message = f"nothing receives `{name}`: the source's server is not there"
                        entry.drop("destination", C.DATUM, message)
                    case _:
                        entry.drop("destination", C.NO_COUNTERPART, f"what `{self.task.name}` leaves stays where it is")
        return before, after

    def _path(self, name: str) -> list[Template]:
        """Give the path of a file, unless it is one of many and the task is not repeated with it."""
        file = self.writing.files.get(name)
        if file is None:
            return []
        own = {item.name for item in self.task.sweep.parameters} if self.task.sweep is not None else set()
        swept = {item.name for item in file.sweep.parameters} if file.sweep is not None else set()
        return [self.spelling.expand(file.path)] if swept <= own else []

    # steps

    def _local_steps(self, before: list[Template], after: list[Template], rules: Loop) -> list[model.Step]:
        steps = self.task.steps
        if rules and (len(steps) > 1 or not all(isinstance(step.work, Script) for step in steps)):
            rules = rules.refuse(self.writing)
        inner = after if rules else []
        shift = 1 if before else 0
        made = [self._step(step, at, at + shift, inner, rules) for at, step in enumerate(steps)]
        made = made or [model.Step(run=":\n")]
        if before:
            made.insert(0, self._check("Check the files that it reads", before, MISSING))
        if after and not inner:
            made.append(self._check("Check the files that it writes", after, UNWRITTEN))
        return made

    def _check(self, name: str, paths: list[Template], what: str) -> model.Step:
        shell = ShellText(NativeNames(self.spelling))
        tests = [file_test(shell.word(path), what) for path in paths]
        return model.Step(name=name, run="\n".join([*shell.preamble, *shell.lines, *tests]) + "\n")

    def _step(self, step: Step, at: int, shown: int, after: list[Template], rules: Loop) -> model.Step:
        """Write the step `at`, which is the step `shown` of the job."""
        place = ("jobs", self.job, "steps", shown)
        with self.writing.ledger.of(step, where=f"jobs.{self.job}.steps.{shown}") as account:
            made = StepWriter(self.writing, self.spelling).write(step, account, *place)
            if made.name is None:
                made.name = self.task.name if len(self.task.steps) == 1 and self.matrix is None else None
            account.take("placement")
            made.ssh = write_place(self.writing, self.spelling, step.placement, *place)
            if self.task.stop_when_another_fails:
                made.early_cancel = "any-job-failed"
            if isinstance(step.work, ActionCall):
                account.take("work")
                made.uses, made.with_ = step.work.name, self._arguments(account, step.work) or None
            elif isinstance(step.work, Script):
                account.take("work")
                simple = rules.native()
                if simple is not None and not after:
                    made.retry, rules = simple, Loop()
                made.run = self._script(account, step.work, after, rules)
        return made

    def _script(self, account: Account, work: Script, after: list[Template], rules: Loop) -> str:
        body = Body(self, account, work, self.task.container)
        if body.is_simple and not (after or rules):
            shell = ShellText(body.names)
            lines = body.before(shell, [])
            plain = self.spelling.text(account, "work", work.text)
            if not lines:
                return plain
            return "\n".join([*shell.preamble, *lines]) + "\n" + plain
        shell = ShellText(body.names)
        lines = ["set -euo pipefail", *body.before(shell, []), *body.wrapped(shell, after, rules), 'exit "$rc"']
        return "\n".join([lines[0], *shell.preamble, *lines[1:]]) + "\n"


def cluster_ssh(writing: Writing) -> model.Ssh:
    """Give the login node of the cluster that the form asks for."""
    writing.uses_cluster = True
    return model.Ssh(remote_host="${{ inputs." + writing.cluster + ".ip }}")
