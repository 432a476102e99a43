"""The IR into a folder of batch scripts with a submit script, or back into the scripts that were read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath

from pwxc.diagnostics import Diagnostics
from pwxc.fidelity import Fate, Ledger
from pwxc.ir.entity import changed
from pwxc.ir.expr import Expr
from pwxc.ir.task import ExitAction, Gang, Task
from pwxc.ir.workflow import Hook, RunCommands, Unit, Workflow
from pwxc.registry import OutputFile, ReadSettings, Written
from pwxc.shell import quote
from pwxc.source import Source
from pwxc_targets.slurm import codes as C  # noqa: N812
from pwxc_targets.slurm.writing import gangs
from pwxc_targets.slurm.writing.context import Context
from pwxc_targets.slurm.writing.jobscript import JobScript, plain_script
from pwxc_targets.slurm.writing.limits import limit_request, patience
from pwxc_targets.slurm.writing.naming import SELECTS
from pwxc_targets.slurm.writing.plan import Job, Plan
from pwxc_targets.slurm.writing.requests import Request, one_line, request, time_limit
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
    top = _top(sources)
    return tuple(OutputFile(_path(source, top), source.text, executable=True) for source in sources)


def _top(sources: Sequence[Source]) -> Path | None:
    """Give the folder that holds all scripts: that of the first one, or the one above."""
    places = [source.path.resolve() for source in sources if source.path is not None]
    if len(places) != len(sources):
        return None
    above = (places[0].parent, places[0].parent.parent)
    return next((top for top in above if all(place.is_relative_to(top) for place in places)), None)


def _path(source: Source, top: Path | None) -> str:
    if top is not None and source.path is not None:
        return source.path.resolve().relative_to(top).as_posix()
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
        if self.context.options["single_file"] == "true":
            return (submit,)
        return (submit, *self.scripts)

    def _job(self, unit: Unit) -> Job:
        slug = self.plan.slug(unit)
        job = Job(slug, unit.name, self.plan.edges(unit), decoded=self.plan.decoded.get(unit.name))
        sweep = self.plan.sweeps.get(unit.name)
        if sweep is not None and sweep.limit is not None:
            job.limit = self._limit(sweep.limit)
        job.decides = unit.name in self.plan.deciding
        if self.plan.is_early(unit):
            job.condition = self.plan.condition(unit)
        if isinstance(unit, Task):
            self._task(unit, job)
        else:
            self._gang(unit, job)
        # what our own limit keeps waiting, and what comes back into the queue, would miss a deadline
        if not job.limit and not (isinstance(unit, Task) and requeues(self.context, unit)):
            job.patience = patience(unit, job.request)
        if job.patience is not None:
            self.plan.patient.add(unit.name)
        return job

    def _limit(self, limit: int | Expr) -> str:
        if isinstance(limit, int):
            return str(limit) if limit > 0 else ""
        return self.submit.late_word(limit, "count")

    def _task(self, task: Task, job: Job) -> None:
        job.request = self._request(task)
        limit_request(self.context, job.request, task, task.run_timeout, self.submit.late_word)
        if requeues(self.context, task):
            job.request.set("requeue", None)
            job.request.set("open-mode", "append")
        script = JobScript(self.context, task, job.decoded, self.plan.decision(task))
        buffers = [f"{item.value}\n" for item in task.passthrough if item.dialect == "slurm"]
        self._add(job, [job.request, *self._beside(task, job)], "".join([*buffers, script.text()]))

    def _beside(self, task: Task, job: Job) -> list[Request]:
        """Give what further components of a job ask for; an array has none."""
        if job.decoded is not None:
            return []
        made = []
        first = self.context.resources_of(task)
        for resources in self.context.resources_beside(task):
            asked = request(resources, self.context.options, self.submit.late_word)
            limit = resources.walltime
            if isinstance(limit, int | float) and (first is None or limit != first.walltime):
                asked.set("time", time_limit(limit))
            made.append(asked)
        for name in (name for asked in made for name in asked.late):
            message = f"`--{name}` of a component of `{task.name}` comes from an input; components are fixed"
            self.context.say(C.FIXED_DIRECTIVE, message, task.span)
        return made

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
        self._gang_shape(gang, members, uniform=uniform)
        job.request = gangs.whole_request(requests)
        if not uniform:
            self._late_members(gang, members)
        parts = [job.request] if uniform else gangs.components(requests)
        lead = self.context.tasks[gang.lead]
        limit_request(self.context, parts[0], lead, gangs.job_limit(gang, lead), self.submit.late_word)
        job.request = parts[0]
        text = gangs.body(
            self.context, gang, job.slug, members, job.decoded, uniform=uniform, decision=self.plan.decision(gang)
        )
        self._add(job, parts, text)

    def _late_members(self, gang: Gang, members: list[tuple[Task, str, Request]]) -> None:
        """Tell what members ask for that is known at submission only, where each has a component of its own."""
        for task, _, asked in members:
            for name in asked.late:
                message = f"`--{name}` of `{task.name}` comes from an input; the component of `{gang.name}` is fixed"
                self.context.say(C.FIXED_DIRECTIVE, message, task.span)

    def _gang_shape(self, gang: Gang, members: list[tuple[Task, str, Request]], *, uniform: bool) -> None:
        """Tell where members share nodes out in another way than jobs of their own would."""
        requests = [asked for _, _, asked in members]
        for task, _, asked in members:
            if gangs.nodes_of(asked) > 1:
                message = f"`{task.name}` begins on the first of its {gangs.nodes_of(asked)} nodes in `{gang.name}`"
                self.context.say(C.GANG_SHAPE, message, task.span)
            for name in ("nodes", "ntasks", "ntasks-per-node"):
                if uniform and name in asked.late:
                    message = f"`--{name}` of `{task.name}` comes from an input, and `{gang.name}` has a fixed shape"
                    self.context.say(C.FIXED_DIRECTIVE, message, task.span)
        if uniform and not gangs.is_uniform(requests):
            message = f"the members of `{gang.name}` ask for different resources, and each node has the most"
            self.context.say(C.GANG_SHAPE, message, gang.span)

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
        name = self.context.slugs.of_hook(hook.trigger.value, number)
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
        self._add(
            job,
            [job.request],
            told + JobScript(self.context, task, decision=self.plan.hook_decision(hook), slug=name).text(),
        )
        return job

    def _add(self, job: Job, parts: list[Request], text: str) -> None:
        outside = parts[0].fixed.pop("dependency", None) if job.edges else None
        if outside is not None:
            # on the command line a dependency takes the place of the script's own: both go there
            job.request.late["dependency"] = quote(outside)
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
