"""A task that is submitted through the job runner (pw.md §13.2).

The job runner hides how a script ended, keeps files of fixed names in its folder, and takes blank lines out of the
script. So each job (and each instance) has a folder of its own below the run's, where a script that must stay as it
is lies beside the file with its status. The variables of the platform are not there in the scheduler's job; the
folder's place tells them.
"""

from __future__ import annotations

import re
from typing import Any

import attrs

from pwxc.fidelity import Account, Fate
from pwxc.ir.entity import changed
from pwxc.ir.expr import Root
from pwxc.ir.resources import Resources
from pwxc.ir.task import Script, Step
from pwxc.ir.template import Template, text
from pwxc.shell import ShellText
from pwxc_targets.pw import model
from pwxc_targets.pw.writing import codes as C  # noqa: N812
from pwxc_targets.pw.writing.commandjob import CommandJob
from pwxc_targets.pw.writing.exits import Loop
from pwxc_targets.pw.writing.jobrunner import JOB_RUNNER, STATUS, job_folder, place_lines, runner_inputs
from pwxc_targets.pw.writing.nativenames import NativeNames
from pwxc_targets.pw.writing.pyxis import without_options
from pwxc_targets.pw.writing.scheduling import Request, beside_of, merged, records_of
from pwxc_targets.pw.writing.scriptbody import Body
from pwxc_targets.pw.writing.steps import StepWriter

_OF_STEPS = (
    *("condition", "environment", "working_directory", "timeout", "retry", "cleanup", "ignore_errors"),
    "stop_when_another_fails",
)
_BLANK = re.compile(r"\n[ \t]*\n|\A[ \t]*\n")
_SIGNALS_SHELL = re.compile(r"--signal=\w*B\w*:")


@attrs.define
class Submitted:
    """Writes the steps of one task that is submitted."""

    job: CommandJob
    account: Account
    folder: str
    prepare: list[str] = attrs.field(factory=lambda: ["set -euo pipefail", "rm -f exit-status"])
    """The lines that run on the login node first."""
    made: model.Step = attrs.field(factory=model.Step)
    """The step that submits, with what the source's only step says about it."""

    def steps(self, before: list[Template], after: list[Template], rules: Loop) -> list[model.Step]:
        """Give the steps that submit the work, wait for it and end with its status."""
        steps = self.job.task.steps
        if rules and len(steps) > 1:
            rules = rules.refuse(self.job.writing)
        beside = beside_of(self.job.writing, self.job.task)
        lines_of_source = [item.value for item in self.job.task.passthrough if item.dialect == "slurm"]
        group = {"is_disabled": False, **self._request().build(self._array_index(), beside, lines_of_source)}
        shell = ShellText(NativeNames(self.job.spelling))
        lines: list[str] = []
        inline = False
        for at, step in enumerate(steps):
            with self.job.writing.ledger.of(step, where=f"jobs.{self.job.job}.steps") as entry:
                self._settle(entry, step)
                if not isinstance(step.work, Script):
                    entry.drop("work", C.NO_COUNTERPART, "an action cannot be called from a submitted script")
                    continue
                body = Body(self.job, entry, step.work, self.job.task.container)
                lines += body.before(shell, before if at == 0 else [])
                inline = len(steps) == 1 and self._is_inline(body) and not (after or rules or self.job.around[1])
                if inline:
                    lines += self.job.spelling.text(entry, "work", step.work.text).removesuffix("\n").split("\n")
                    break
                file = self._file(body, "task.sh" if len(steps) == 1 else f"task-{at + 1}.sh")
                lines += body.wrapped(shell, after if at == len(steps) - 1 else [], rules, file)
                lines.append('[ "$rc" -eq 0 ] || exit "$rc"')
        script = [*shell.preamble, *self.job.around[0], *lines, *self.job.around[1]]
        if not inline:
            self._mind_signals(group)
        return self._runner(script if inline else [*script, "exit 0"], group, strict=not inline)

    def _is_inline(self, body: Body) -> bool:
        """Whether a script can stand in the job runner's, which loses its blank lines and tells its status."""
        if not body.can_stand:
            return False
        literal = "".join(part for part in body.text.parts if isinstance(part, str))
        # a blank line counts in a here-document and in a text in quotes
        quoted = any(line.count("'") % 2 or line.count('"') % 2 for line in literal.split("\n"))
        return _BLANK.search(literal) is None or not ("<<" in literal or quoted)

    def _file(self, body: Body, name: str) -> str | None:
        """Have a script written by the first step; None when it holds what only the submitted one knows."""
        if body.text.uses(Root.ATTEMPT, Root.ENVIRONMENT):
            return None
        shell = ShellText(body.names)
        shell.write_file(name, body.whole)
        self.prepare += [*shell.preamble, *shell.lines]
        return name

    def _request(self) -> Request:
        task, writing = self.job.task, self.job.writing
        record = merged(*records_of(writing, task)) or Resources(name=task.name)
        if record.walltime is None and isinstance(task.run_timeout, int | float):
            record = changed(record, walltime=int(task.run_timeout))
        if writing.workflow.dialect == "slurm":
            record = changed(record, directives=(text(f"--job-name={task.name}"), *record.directives))
        return Request(writing, self.account, without_options(task, record), folder=self.folder)

    def _settle(self, entry: Account, step: Step) -> None:
        if step.placement is not None:
            with self.job.writing.ledger.of(step.placement) as placed:
                placed.whole(Fate.EMULATED)
        entry.emulate("work", "placement")
        if len(self.job.task.steps) == 1:
            place = ("jobs", self.job.job, "steps", 1)
            self.made = StepWriter(self.job.writing, self.job.spelling).write(step, entry, *place)
            self.job.exports += [(item.name, self.job.spelling.expand(item.value)) for item in step.environment]
            self.made.env = self.made.working_directory = None
            if self.job.task.stop_when_another_fails:
                self.made.early_cancel = "any-job-failed"
            if step.working_directory is not None:
                self.folder = self.job.spelling.text(entry, "working_directory", step.working_directory)
            return
        entry.cosmetic("name", "id", "passthrough")
        for field in _OF_STEPS:
            entry.drop(field, C.NO_COUNTERPART, "steps that are submitted together are one script")

    def _mind_signals(self, group: dict[str, Any]) -> None:
        if _SIGNALS_SHELL.search(str(group.get("scheduler_directives", ""))):
            message = "the signal of `--signal` reaches the script around the command, not the command"
            self.account.approximate("resources", C.SIGNAL, message)

    def _array_index(self) -> str | None:
        matrix = self.job.matrix
        if matrix is None or len(matrix.leaves) != 1:
            return None
        return "${{ matrix." + ".".join(matrix.leaves[0]) + " }}"

    def _runner(self, script: list[str], group: dict[str, Any], *, strict: bool) -> list[model.Step]:
        swept = self.job.matrix is not None
        folder = "${PW_PARENT_JOB_DIR}/" + job_folder(self.job.job, swept=swept)
        where, *which = place_lines(swept=swept)
        head = [
            "pwxc_here=$PWD",
            where,
            "export PW_PARENT_JOB_DIR=$PW_JOB_DIR",
            *which,
            'trap \'echo "$?" > "$pwxc_here/exit-status"\' EXIT',
            *self._enter(),
        ]
        self.job.writing.uses_cluster = True
        self.made.uses = JOB_RUNNER
        self.made.name = self.made.name or self.job.task.name
        lines = [*(["set -euo pipefail"] if strict else []), *head, *script]
        self.made.with_ = runner_inputs(self.job.writing.cluster, folder, lines, group)
        return [
            model.Step(name="Prepare", working_directory=folder, run="\n".join(self.prepare) + "\n"),
            self.made,
            model.Step(
                name="Status",
                if_=self.made.if_,
                working_directory=folder,
                run=STATUS,
                ignore_errors=self.made.ignore_errors,
            ),
        ]

    def _enter(self) -> list[str]:
        if not self.folder:
            return []
        return [f"cd {self.folder} || exit" if self.folder.startswith("~") else f'cd "{self.folder}" || exit']
