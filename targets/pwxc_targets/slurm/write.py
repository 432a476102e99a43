"""The IR into a folder of batch scripts with a submit script, or back into the scripts that were read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import PurePath

from pwxc.diagnostics import Diagnostics
from pwxc.fidelity import Fate, Ledger
from pwxc.ir.entity import changed
from pwxc.ir.task import ExitAction, Gang, Task
from pwxc.ir.workflow import Hook, RunCommands, Unit, Workflow
from pwxc.registry import OutputFile, ReadSettings, Written
from pwxc.source import Source
from pwxc_targets.slurm import codes as C  # noqa: N812
from pwxc_targets.slurm.writing import gangs
from pwxc_targets.slurm.writing.context import Context
from pwxc_targets.slurm.writing.jobscript import JobScript, plain_script
from pwxc_targets.slurm.writing.limits import limit_request
from pwxc_targets.slurm.writing.naming import SELECTS
from pwxc_targets.slurm.writing.plan import Job, Plan
from pwxc_targets.slurm.writing.requests import Request, one_line, request
from pwxc_targets.slurm.writing.retries import requeues
from pwxc_targets.slurm.writing.settle import settle
from pwxc_targets.slurm.writing.submit import SubmitScript


def write(workflow: Workflow, ledger: Ledger, options: Mapping[str, str]) -> Written:
    """Write a workflow. What was read from Slurm and is unchanged is written as it stood."""
    verbatim = _verbatim(workflow, options)
    if verbatim is not None:
        with ledger.of(workflow) as account:
            account.whole(Fate.EXACT)
        return Written(verbatim)
    return Written(_Writer(Context(workflow, ledger, options)).files())


def _verbatim(workflow: Workflow, options: Mapping[str, str]) -> tuple[OutputFile, ...] | None:
    """Give the texts that the workflow was read from, if reading them again gives the same workflow."""
    origin = workflow.origin
    if workflow.dialect != "slurm" or not isinstance(origin, tuple) or not origin:
        return None
    sources = tuple(item for item in origin if isinstance(item, Source))
    from pwxc_targets.slurm.read import read

    folder = sources[0].path.parent if sources[0].path is not None else None
    settings = ReadSettings(folder=folder, options={**options, "plugins": "any"})
    again = read(sources, settings, Diagnostics())
    if again is None or changed(again, dialect="slurm") != workflow:
        return None
    return tuple(OutputFile(_path(source), source.text, executable=True) for source in sources)


def _path(source: Source) -> str:
    name = PurePath(source.name).name
    return name if name and not name.startswith("<") else "job.sbatch"


class _Writer:
    """Writes the scripts of one workflow."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.plan = Plan(context)
        self.scripts: list[OutputFile] = []
        self.submit = SubmitScript(context, [], self.scripts)

    def files(self) -> tuple[OutputFile, ...]:
        jobs = [self._job(unit) for unit in self.plan.order]
        jobs += [self._hook(number, hook) for number, hook in enumerate(self.plan.jobs_hooks(), 1)]
        self.submit.jobs = jobs
        settle(self.context, self.plan)
        submit = OutputFile("submit.sh", self.submit.text(), executable=True)
        if self.context.options.get("single_file") == "true":
            return (submit,)
        return (submit, *self.scripts)

    def _job(self, unit: Unit) -> Job:
        slug = self.plan.slug(unit)
        job = Job(slug, unit.name, self.plan.edges(unit), decoded=self.plan.decoded.get(unit.name))
        sweep = self.plan.sweeps.get(unit.name)
        if sweep is not None and isinstance(sweep.limit, int) and sweep.limit > 0:
            job.limit = sweep.limit
        condition = self.plan.condition(unit)
        late = None
        if condition is not None and self.plan.is_early(condition):
            job.condition = condition
        else:
            late = condition
        if isinstance(unit, Task):
            self._task(unit, job, late)
        else:
            self._gang(unit, job)
        return job

    def _task(self, task: Task, job: Job, late: object) -> None:
        job.request = self._request(task)
        limit_request(self.context, job.request, task, task.run_timeout, self.submit.late_word)
        if requeues(self.context, task):
            job.request.set("requeue", None)
            job.request.set("open-mode", "append")
        script = JobScript(
            self.context,
            task,
            job.decoded,
            self.plan.parents(task),
            self.plan.tested(task),
            condition=late,  # type: ignore[arg-type]
        )
        self._add(job, [job.request], script.text())

    def _request(self, task: Task) -> Request:
        resources = self.context.resources_of(task)
        return request(resources, self.context.options, self.submit.late_word)

    def _gang(self, gang: Gang, job: Job) -> None:
        members = []
        for name in gang.members:
            task = self.context.tasks[name]
            file = f"{job.slug}.{self.context.slugs.of(name)}.sh"
            members.append((task, file, self._request(task)))
            script = JobScript(self.context, task, job.decoded, member=True)
            self.scripts.append(OutputFile(file, "#!/bin/bash\n" + script.text()))
        self._gang_losses(gang, [task for task, _, _ in members])
        requests = [item for _, _, item in members]
        uniform = gangs.is_uniform(requests) or job.decoded is not None
        job.request = gangs.whole_request(requests)
        if not uniform:
            self._late_members(gang, members)
        parts = [job.request] if uniform else gangs.components(requests)
        lead = self.context.tasks[gang.lead]
        limit_request(self.context, parts[0], lead, gangs.job_limit(gang, lead), self.submit.late_word)
        job.request = parts[0]
        text = gangs.body(
            self.context, gang, job.slug, members, job.decoded, uniform=uniform, tested=self.plan.tested(gang)
        )
        self._add(job, parts, text)

    def _late_members(self, gang: Gang, members: list[tuple[Task, str, Request]]) -> None:
        """Tell what members ask for that is known at submission only, where each has a component of its own."""
        for task, _, asked in members:
            for name in asked.late:
                message = f"`--{name}` of `{task.name}` comes from an input; the component of `{gang.name}` is fixed"
                self.context.say(C.FIXED_DIRECTIVE, message, task.span)

    def _gang_losses(self, gang: Gang, members: list[Task]) -> None:
        lead = self.context.tasks[gang.lead]
        for task in members:
            if any(rule.action is ExitAction.RETRY for rule in task.exit_rules):
                message = f"`{task.name}` is started again in its place, while the others of `{gang.name}` go on"
                self.context.say(C.GANG_RETRY, message, task.span)
            if task.sweep != lead.sweep:
                message = f"the sweep of `{task.name}` is not that of `{lead.name}`, the lead of `{gang.name}`"
                self.context.say(C.MIXED_SWEEP, message, task.span)

    def _hook(self, number: int, hook: Hook) -> Job:
        name = self.context.slugs.of(f"hook.{hook.trigger.value}.{number}")
        edges = self.plan.hook_edges(hook)
        job = Job(name, name, edges, is_hook=True)
        commands = hook.action.commands if isinstance(hook.action, RunCommands) else ()
        from pwxc.ir.task import Script, Step

        task = changed(
            plain_script("", name), steps=tuple(Step(work=Script(command), ignore_errors=True) for command in commands)
        )
        job.request = request(None, self.context.options, self.submit.late_word)
        chosen = {"tasks": list(hook.tasks), "patterns": list(hook.patterns)}
        told = f"# {SELECTS} {json.dumps(chosen)}\n" if hook.tasks or hook.patterns else ""
        self._add(job, [job.request], told + JobScript(self.context, task, None, []).text())
        return job

    def _add(self, job: Job, parts: list[Request], text: str) -> None:
        lines = ["#!/bin/bash", f"#SBATCH --job-name={_word(job.name)}"]
        for number, part in enumerate(parts):
            if number:
                lines.append("#SBATCH hetjob")
            lines += part.lines()
        lines.append(f"# {one_line(job.name)}: a job of the workflow that submit.sh submits.")
        self.scripts.append(OutputFile(f"{job.slug}.sbatch", "\n".join(lines) + "\n" + text))


def _word(name: str) -> str:
    from pwxc_targets.slurm.batch.cutting import join

    return join(one_line(name))
