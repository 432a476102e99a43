"""A folder of scripts that the writer made, back into the workflow.

Writer and reader share the fixed texts of the scripts; what is between them is read line by line. Names that a file
name or a variable cannot hold come back as they stand there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import attrs

from pwxc.diagnostics import Diagnostics
from pwxc.ir.data import File
from pwxc.ir.entity import changed
from pwxc.ir.expr import Ref, Root
from pwxc.ir.resources import Resources
from pwxc.ir.task import Gang, GangStatus, Script, Task
from pwxc.ir.template import Template
from pwxc.ir.workflow import Hook, RunCommands, Trigger, Workflow
from pwxc.registry import ReadSettings
from pwxc.source import Source
from pwxc_targets.slurm import codes as C  # noqa: N812
from pwxc_targets.slurm.batch.directives import Component, Reading, read_directives
from pwxc_targets.slurm.batch.report import report_faults, tolerated_options
from pwxc_targets.slurm.drivers.companions import find_script
from pwxc_targets.slurm.lower import lower
from pwxc_targets.slurm.own.job import OwnJobScript
from pwxc_targets.slurm.own.lines import Statement
from pwxc_targets.slurm.own.submit import OwnJob, OwnSubmit, option_expression
from pwxc_targets.slurm.writing.gangs import WAITS_FOR_EVERY
from pwxc_targets.slurm.writing.limits import SLACK, SLACK_SIGNAL
from pwxc_targets.slurm.writing.requests import NUMBERS, SIZES, TEXTS

_FIELDS = {name: field for fields in (NUMBERS, SIZES, TEXTS) for field, name in fields.items()} | {"time": "walltime"}
_MEMBER = re.compile(r'^srun .* bash "\$PWXC_RUN/scripts/(\S+)" "\$PWXC_RUN"', re.MULTILINE)
_HOST = re.compile(r"^export (PWXC_HOST_\w+)=\$\{hosts\[(\d+)\]\}$", re.MULTILINE)
_TASK = re.compile(r"^slug=(\S+)$", re.MULTILINE)
_OF_GANG = ("nodes", "ntasks", "ntasks-per-node")


def read_own(
    driver: Source, sources: tuple[Source, ...], settings: ReadSettings, diagnostics: Diagnostics
) -> Workflow | None:
    """Read a submit script of the writer's with the scripts that it submits."""
    submit = OwnSubmit(driver)
    submit.read()
    reader = _Folder(submit, list(sources), settings, diagnostics)
    reader.tell(driver, submit.strange)
    for job in submit.jobs:
        reader.take(job)
    if any(item.code is C.NO_FILE for item in diagnostics.errors):
        return None
    return Workflow(
        name=submit.name,
        dialect="slurm",
        description=submit.description,
        inputs=submit.declared(),
        tasks=tuple(reader.tasks),
        gangs=tuple(reader.gangs),
        resources=tuple(reader.resources),
        files=tuple(reader.files.values()),
        data=tuple(submit.data),
        hooks=(*submit.hooks, *reader.hooks),
        origin=tuple(reader.sources),
        span=driver.span(0, len(driver.text)),
    )


@attrs.define
class _Folder:
    submit: OwnSubmit
    sources: list[Source]
    settings: ReadSettings
    diagnostics: Diagnostics
    tasks: list[Task] = attrs.field(factory=list)
    gangs: list[Gang] = attrs.field(factory=list)
    resources: list[Resources] = attrs.field(factory=list)
    hooks: list[Hook] = attrs.field(factory=list)
    files: dict[str, File] = attrs.field(factory=dict)
    slugs: dict[str, str] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Note which name belongs to which file."""
        self.slugs = {job.slug: job.title for job in self.submit.jobs}

    def tell(self, source: Source, strange: Sequence[Statement]) -> None:
        """Report lines that are not the writer's."""
        for statement in strange:
            first, _, _ = statement.text.partition("\n")
            span = source.span(statement.start, statement.start + len(first))
            self.diagnostics.add(C.OWN_LINE, f"`{first}` does not read back", span)

    def _script(self, file: str, job: OwnJob) -> Source | None:
        if file in self.submit.scripts:
            return Source(file, self.submit.scripts[file])
        driver = self.submit.source
        span = driver.span(job.start, job.end)
        return find_script(file, driver, self.sources, self.settings.folder, self.diagnostics, span)

    def take(self, job: OwnJob) -> None:
        """Read the script of a job: a task, a gang or a hook."""
        source = self._script(job.script, job)
        if source is None:
            return
        reading = read_directives(source.text, tolerated=tolerated_options(self.settings, source.text))
        if not report_faults(reading, source, self.diagnostics):
            return
        if _MEMBER.search(source.text):
            self._gang(job, source, reading)
            return
        task = self._task(job, source, reading, job.title, {})
        if job.title.startswith("hook."):
            self._hook(task)
        else:
            self.tasks.append(changed(task, needs=self.submit.edges(job)))

    def _task(
        self, job: OwnJob, source: Source, reading: Reading, name: str, hosts: dict[str, Ref], *, member: bool = False
    ) -> Task:
        span = source.span(0, reading.body)
        task = Task(name=name, span=span, condition=job.condition)
        names = {**self.submit.names, **{variable: (ref,) for variable, ref in hosts.items()}}
        script = OwnJobScript(source, task, job.count, self.slugs, names, self.files)
        task = script.read(reading.body)
        self.tell(source, script.strange)
        self._worker_hooks(Trigger.WORKER_START, script.first)
        self._worker_hooks(Trigger.WORKER_COMPLETE, script.last)
        if job.limit is not None and task.sweep is not None:
            task = changed(task, sweep=changed(task.sweep, limit=job.limit))
        return task if member else self._request(task, job, source, reading)

    def _request(self, task: Task, job: OwnJob, source: Source, reading: Reading) -> Task:
        """Give a task its class of resources, with what the writer made options of taken out."""
        component = reading.components[0]
        if (nice := component.value("nice")) is not None and re.fullmatch(r"-?\d+", nice):
            task = changed(task, priority=-int(nice))
        cleans = component.value("signal") == SLACK_SIGNAL
        deadline = re.fullmatch(r"now\+(\d+)seconds", component.value("deadline") or "")
        dropped = {"nice", "job-name"} | ({"signal"} if cleans else set()) | ({"deadline"} if deadline else set())
        component.given = [given for given in component.given if given.name not in dropped]
        resources = lower(reading, source.text, task.name, task.span).resources
        if resources is not None and cleans and isinstance(resources.walltime, int):
            resources = changed(resources, walltime=resources.walltime - SLACK)
        if deadline and resources is not None and isinstance(resources.walltime, int):
            task = changed(task, queue_timeout=int(deadline.group(1)) - resources.walltime - SLACK)
        if job.late:
            resources = self._late(resources or Resources(name=task.name, span=task.span), job)
        if resources is None:
            return task
        self.resources.append(resources)
        return changed(task, resources=resources.name)

    def _late(self, resources: Resources, job: OwnJob) -> Resources:
        """Set what the submit script works out from inputs."""
        for name, word in job.late.items():
            gpus = re.fullmatch(r"gpu(?::(\w+))?:(\".*)", word)
            value = option_expression(gpus.group(2) if gpus else word, self.submit.names)
            if gpus is not None:
                resources = changed(resources, gpus=value, gpu_type=gpus.group(1))
            elif name in _FIELDS:
                field = _FIELDS[name]
                made = value if field not in TEXTS or isinstance(value, Template) else Template((value,))
                resources = changed(resources, **{field: made})
            else:
                parts = value.parts if isinstance(value, Template) else (value,)
                line = Template.of(f"--{name}=", *parts)
                resources = changed(resources, directives=(*resources.directives, line))
        return resources

    def _gang(self, job: OwnJob, source: Source, reading: Reading) -> None:
        """Read a gang: the script names the files of its members, in their order."""
        scripts = [self._script(file, job) for file in _MEMBER.findall(source.text)]
        found = [script for script in scripts if script is not None]
        members = []
        for script in found:
            match = re.search(r"^export PWXC_TASK=(.*)$", script.text, re.MULTILINE)
            members.append(_unquoted(match.group(1)) if match is not None else script.name)
        self.slugs |= {
            _unquoted(match.group(1)): name
            for script, name in zip(found, members, strict=True)
            if (match := _TASK.search(script.text)) is not None
        }
        hosts = {name: Ref(Root.HOST, (members[int(number)],)) for name, number in _HOST.findall(source.text)}
        uniform = len(reading.components) == 1
        for component in reading.components:
            component.given = [given for given in component.given if given.name not in _OF_GANG]
        for number, (script, name) in enumerate(zip(found, members, strict=True)):
            task = self._task(job, script, Reading([Component()]), name, hosts, member=True)
            component = reading.components[0 if uniform else number]
            own = attrs.evolve(reading, components=[component])
            self.tasks.append(self._request(task, job, source, own))
        lead = re.search(r"^lead=(\d+)$", source.text, re.MULTILINE)
        self.gangs.append(
            Gang(
                name=job.title,
                members=tuple(members),
                lead=members[int(lead.group(1)) if lead is not None else 0],
                status=GangStatus.ALL if WAITS_FOR_EVERY in source.text else GangStatus.LEAD,
                needs=self.submit.edges(job),
                span=source.span(0, reading.body),
            )
        )

    def _worker_hooks(self, trigger: Trigger, commands: Sequence[Template]) -> None:
        """Take what every job does for the workers of the source: it stands in each script, and counts once."""
        if commands and not any(hook.trigger is trigger for hook in self.hooks):
            self.hooks.append(Hook(trigger=trigger, action=RunCommands(tuple(commands))))

    def _hook(self, task: Task) -> None:
        trigger = Trigger(task.name.split(".")[1])
        commands = tuple(step.work.text for step in task.steps if isinstance(step.work, Script))
        job = next(item for item in self.submit.jobs if item.title == task.name)
        edges = self.submit.edges(job)
        chosen: tuple[str, ...] = ()
        if trigger is Trigger.TASKS_COMPLETE:
            chosen = tuple(edge.parent for edge in edges)
        elif trigger is Trigger.TASKS_READY:
            parents = {edge.parent for edge in edges}
            chosen = tuple(
                other.title
                for other in self.submit.jobs
                if not other.title.startswith("hook.")
                and (needs := {edge.parent for edge in self.submit.edges(other)}) <= parents
                and bool(needs) is bool(parents)
            )
        self.hooks.append(Hook(trigger=trigger, action=RunCommands(commands), tasks=chosen, span=task.span))


def _unquoted(word: str) -> str:
    from pwxc_targets.slurm.own.lines import literal_of

    return literal_of(word)
