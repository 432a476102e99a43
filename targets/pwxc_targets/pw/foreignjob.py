"""Tasks of systems that run commands on the machines of a cluster (torc, Slurm), as jobs.

A command that needs nothing around it stands as it is. Otherwise it goes into a file, which is run between what comes
before it (variables, tests of input files) and after it (exit rules, tests of output files).
"""

from __future__ import annotations

import re
from typing import Any

import attrs

from pwxc.fidelity import Account, Fate
from pwxc.ir.data import NamedDatum, NamedFile, Variable
from pwxc.ir.resources import Resources
from pwxc.ir.task import ActionCall, Script, Step
from pwxc.ir.template import Template, join, text
from pwxc.shell import ShellText, is_variable_name, quote
from pwxc_targets.pw import model
from pwxc_targets.pw import writing_codes as C  # noqa: N812
from pwxc_targets.pw.context import Writing
from pwxc_targets.pw.exits import Loop, settle_rules
from pwxc_targets.pw.form import StringField
from pwxc_targets.pw.kept import settle_kept
from pwxc_targets.pw.nativejob import NativeJob
from pwxc_targets.pw.nativenames import NativeNames
from pwxc_targets.pw.runner import indent
from pwxc_targets.pw.scheduling import JOB_RUNNER, Request, is_submitted, merged, records_of
from pwxc_targets.pw.sourcevariables import source_variables
from pwxc_targets.pw.spelling import Spelling
from pwxc_targets.pw.steps import StepWriter, write_place
from pwxc_targets.pw.strategy import write_sweep

FOLDER = "folder"
_PLAIN_VALUE = re.compile(r"[^$`\\\"'\n\r{]*\Z")
_RUN = "run=${PW_JOB_DIR:-$PWD}"


@attrs.define
class ForeignJob(NativeJob):
    """Writes one task of a system whose jobs are commands on a shared file system."""

    hooks: tuple[list[model.Step], list[model.Step]] = ((), ())  # type: ignore[assignment]
    """Steps before and after those of the task."""
    around: tuple[list[str], list[str]] = ((), ())  # type: ignore[assignment]
    """The same as lines, for a task that is submitted."""
    exports: list[tuple[str, Template]] = attrs.field(factory=list)

    def write(self, account: Account) -> model.Job:
        """Write the job; every field of the task is settled."""
        writing, task = self.writing, self.task
        self.matrix = write_sweep(writing, account, task)
        settle_kept(writing, account, task.passthrough, "jobs", self.job)
        account.emulate("resources", "steps")
        made = model.Job(steps=[])
        made.needs, made.if_ = self.order(account)
        account.take("placement")
        made.ssh = self._ssh()
        self.common(account, made)
        self._folder(account, made)
        submitted = is_submitted(writing, task) is not False
        made.env = self._environment(account, submitted=submitted)
        before, after = self._data(account)
        rules = settle_rules(writing, account, task)
        if submitted:
            made.working_directory, folder = None, made.working_directory
            made.steps = self._submitted_steps(account, before, after, rules, str(folder))
        else:
            made.steps = [*self.hooks[0], *self._local_steps(before, after, rules), *self.hooks[1]]
        if self.matrix is not None:
            strategy = self.matrix.strategy
            made.strategy = model.Strategy()
            made.strategy.matrix, made.strategy.fail_fast = strategy.get("matrix"), strategy.get("fail-fast")
            made.strategy.max_parallel = strategy.get("max-parallel")
        for step in task.cleanup:
            with writing.ledger.of(step) as entry:
                entry.drop("work", C.NO_COUNTERPART, f"the cleanup of `{task.name}` is left out")
        return made

    # where

    def _ssh(self) -> model.Ssh | None:
        place = self.task.placement
        if place is not None and place.host is not None:
            return write_place(self.writing, self.spelling, place, "jobs", self.job)
        if place is not None:
            with self.writing.ledger.of(place) as account:
                account.whole(Fate.EMULATED)
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
        if rules and len(steps) > 1:
            rules = rules.refuse(self.writing)
        made = []
        for at, step in enumerate(steps):
            first, last = at == 0, at == len(steps) - 1
            made.append(self._step(step, at, before if first else [], after if last else [], rules))
        return made or [model.Step(run=":\n")]

    def _step(self, step: Step, at: int, before: list[Template], after: list[Template], rules: Loop) -> model.Step:
        place = ("jobs", self.job, "steps", at)
        with self.writing.ledger.of(step, where=f"jobs.{self.job}.steps.{at}") as account:
            made = StepWriter(self.writing, self.spelling).write(step, account, *place)
            if made.name is None:
                made.name = self.task.name if not self.matrix else None
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
                made.run = self._script(account, step.work, before, after, rules)
        return made

    def _script(
        self, account: Account, work: Script, before: list[Template], after: list[Template], rules: Loop
    ) -> str:
        body = Body(self, account, work, self.task.container)
        if body.is_simple and not (after or rules):
            shell = ShellText(body.names)
            lines = body.before(shell, before)
            plain = self.spelling.text(account, "work", work.text)
            if not lines:
                return plain
            return "\n".join([*shell.preamble, *lines]) + "\n" + plain
        shell = ShellText(body.names)
        lines = ["set -euo pipefail", *body.before(shell, before), *body.wrapped(shell, after, rules), 'exit "$rc"']
        return "\n".join([lines[0], *shell.preamble, *lines[1:]]) + "\n"

    # the scheduler

    def _submitted_steps(
        self, account: Account, before: list[Template], after: list[Template], rules: Loop, folder: str
    ) -> list[model.Step]:
        steps = self.task.steps
        if rules and len(steps) > 1:
            rules = rules.refuse(self.writing)
        own, allocation = records_of(self.writing, self.task)
        record = merged(own, allocation) or Resources(name=self.task.name)
        if record.walltime is None and isinstance(self.task.run_timeout, int | float):
            record = attrs.evolve(record, walltime=int(self.task.run_timeout))
        if self.writing.workflow.dialect == "slurm":
            record = attrs.evolve(record, directives=(text(f"--job-name={self.task.name}"), *record.directives))
        request = Request(self.writing, account, record)
        array = self._array_index()
        group = {"is_disabled": False, **request.build(array)}
        shell: ShellText | None = None
        lines: list[str] = []
        for at, step in enumerate(steps):
            with self.writing.ledger.of(step, where=f"jobs.{self.job}.steps") as entry:
                self._settle_step(entry, step)
                if not isinstance(step.work, Script):
                    entry.drop("work", C.NO_COUNTERPART, "an action cannot be called from a submitted script")
                    continue
                body = Body(self, entry, step.work, self.task.container)
                shell = shell or ShellText(body.names)
                lines += body.before(shell, before if at == 0 else [])
                lines += body.wrapped(shell, after if at == len(steps) - 1 else [], rules)
                lines.append('[ "$rc" -eq 0 ] || exit "$rc"')
        script = [*(shell.preamble if shell is not None else []), *self.around[0], *lines, *self.around[1], "exit 0"]
        return self._around_runner(script, group, folder)

    def _settle_step(self, entry: Account, step: Step) -> None:
        entry.emulate("work", "placement", "name", "id")
        if step.placement is not None:
            with self.writing.ledger.of(step.placement) as placed:
                placed.whole(Fate.EMULATED)
        entry.cosmetic("passthrough")

    def _array_index(self) -> str | None:
        sweep = self.task.sweep
        if sweep is None or self.matrix is None or len(self.matrix.leaves) != 1:
            return None
        return "${{ matrix." + ".".join(self.matrix.leaves[0]) + " }}"

    def _around_runner(self, script: list[str], group: dict[str, Any], folder: str) -> list[model.Step]:
        """Give the steps that submit a script, wait for it and end with its status, which the job runner hides."""
        key = self._instance()
        status = f'"$run/.pwxc/{self.job}.status"' if not key else f'"$run/.pwxc/{self.job}.$instance.status"'
        prepare = ["set -euo pipefail", _RUN, *key, 'mkdir -p "$run/.pwxc"', f"rm -f {status}"]
        trap = f"trap 'echo \"$?\" > {status}' EXIT"
        head = ["set -euo pipefail", 'run=${PW_JOB_DIR:-$PWD}', *key, trap]
        submitted = [*head, *self._enter(folder), *script]
        check = [
            "set -euo pipefail",
            _RUN,
            *key,
            f"if ! read -r rc < {status}; then",
            '  echo "the scheduler ended the job before its script did" >&2',
            "  exit 1",
            "fi",
            'exit "$rc"',
        ]
        runner = {
            "resource": "${{ inputs." + self.writing.cluster + " }}",
            "shebang": "#!/bin/bash",
            "rundir": "${PWD}",
            "scheduler": True,
            "use_existing_script": False,
            "script": "\n".join(submitted) + "\n",
            "slurm": group,
        }
        return [
            model.Step(name="Prepare", run="\n".join(prepare) + "\n"),
            model.Step(name=self.task.name, uses=JOB_RUNNER, with_=runner),
            model.Step(name="Status", run="\n".join(check) + "\n"),
        ]

    def _enter(self, folder: str) -> list[str]:
        if folder in ("None", ""):
            return []
        return [f"cd {folder}" if folder.startswith("~") else f'cd "{folder}"']

    def _instance(self) -> list[str]:
        """Give the lines that tell one instance of a sweep from the others, on the login node and in the job alike."""
        if self.matrix is None:
            return []
        leaves = " ".join("${{ matrix." + ".".join(path) + " }}" for path in self.matrix.leaves)
        return ["instance=$(cksum <<'PWXC_EOF' | cut -d ' ' -f 1", leaves, "PWXC_EOF", ")"]


def cluster_ssh(writing: Writing) -> model.Ssh:
    """Give the login node of the cluster that the form asks for."""
    writing.uses_cluster = True
    return model.Ssh(remote_host="${{ inputs." + writing.cluster + ".ip }}")


def project_folder(writing: Writing) -> str:
    """Give the folder that the source's relative paths start from, which the form asks for."""
    name = FOLDER
    while (name,) in writing.inputs:
        name += "_"
    if name not in writing.added:
        writing.added[name] = StringField(
            type="string",
            label="Folder",
            description="Where the files of the workflow are on the cluster; its paths start here",
            default="${PWD}",
        )
    return "${{ inputs." + name + " }}"


def plain_environment(writing: Writing) -> bool:
    """Whether the workflow's own variables can stand at the top of the file for all jobs."""
    spelling = Spelling(writing)
    tasks = writing.workflow.tasks
    return all(is_plain(spelling, item.name, item.value) for item in writing.workflow.environment) and not any(
        is_submitted(writing, task) is not False for task in tasks
    )


def is_plain(spelling: Spelling, name: str, value: Template) -> bool:
    """Whether `env` takes a variable as it is; what the platform does to `$` and quotes is not documented."""
    if not re.fullmatch(r"[a-zA-Z0-9_]+", name):
        return False
    return all(_PLAIN_VALUE.match(part) if isinstance(part, str) else spelling.is_inline(part) for part in value.parts)


@attrs.define
class Body:
    """One script of a task: what stands before it, around it and after it."""

    job: ForeignJob
    account: Account
    work: Script
    container: Any = None
    names: NativeNames = attrs.field(init=False)
    text: Template = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Look at the text once."""
        self.names = NativeNames(self.job.spelling)
        self.text = self.job.spelling.expand(self.work.text)

    @property
    def is_simple(self) -> bool:
        """Whether the text can stand as it is."""
        late = self.job.spelling.late(self.text)
        return not late and self.work.shell in (("bash",), ("sh",)) and self.container is None

    def before(self, shell: ShellText, paths: list[Template]) -> list[str]:
        """Give the lines that stand before the command."""
        for name, value in self.job.exports:
            word = shell.word(value)
            shell.lines.append(f"export {name}={word}" if is_variable_name(name) else f"# no variable: {quote(name)}")
        shell.lines.extend(source_variables(self.job, self.account, self.text))
        for path in paths:
            shell.lines.append(_test(shell.word(path), "is missing before"))
        lines, shell.lines = shell.lines, []
        return lines

    def wrapped(self, shell: ShellText, after: list[Template], rules: Loop) -> list[str]:
        """Give the lines that run the command and leave its status in `rc`."""
        shell.lines.append("script=$(mktemp)")
        shell.write_file('"$script"', self._whole())
        program = " ".join(quote(word) for word in self.work.shell)
        run = f'{self._launcher(shell)}{program} "$script" || rc=$?'
        tests = []
        for path in after:
            tests.append(_test(shell.word(path), "was not written").replace("exit 1", "rc=1"))
        checked = ['if [ "$rc" -eq 0 ]; then', *indent(tests), "fi"] if tests else []
        loop = rules.lines(shell, ["rc=0", run, *checked])
        lines, shell.lines = [*shell.lines, *loop, 'rm -f "$script"'], []
        return lines

    def _whole(self) -> Template:
        parts = self.text.parts
        ends = bool(parts) and isinstance(parts[-1], str) and parts[-1].endswith("\n")
        return self.text if ends else join((self.text, text("\n")))

    def _launcher(self, shell: ShellText) -> str:
        if self.container is None:
            return ""
        with self.job.writing.ledger.of(self.container) as account:
            account.emulate("image", "mounts", "privileged", "host_network")
            account.cosmetic("passthrough")
            if not self.job.writing.contained:
                message = "the image is not used: commands run on the machine itself"
                account.approximate("image", C.IMAGE_NOT_USED, message, once=True)
                return ""
            image = self.container.image
            first = image.parts[0] if image.parts and isinstance(image.parts[0], str) else ""
            if not first.startswith(("/", ".", "~")) and "://" not in first:
                image = Template.of("docker://", *image.parts)
            binds = "".join(f"--bind {quote(mount)} " for mount in self.container.mounts)
            own, _ = records_of(self.job.writing, self.job.task)
            graphics = "--nv " if own is not None and own.gpus else ""
            word = shell.word(self.job.spelling.expand(image))
        return f'apptainer exec {graphics}--bind "$script" {binds}{word} '


def _test(word: str, what: str) -> str:
    return f'[ -e {word} ] || {{ echo "a file {what} the command:" {word} >&2; exit 1; }}'
