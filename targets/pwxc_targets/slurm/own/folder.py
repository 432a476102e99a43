"""A folder of scripts that the writer made, back into the workflow.

Writer and reader share the fixed texts of the scripts; what is between them is read line by line. Names that a file
name or a variable cannot hold come back as they stand there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

import attrs

from pwxc.diagnostics import Diagnostics
from pwxc.ir.data import File
from pwxc.ir.entity import changed
from pwxc.ir.expr import Call, Expr, Ref, Root
from pwxc.ir.resources import Resources
from pwxc.ir.sweep import Parameter, Sweep, Values
from pwxc.ir.task import ExitAction, Gang, GangStatus, Script, Task
from pwxc.ir.template import Template
from pwxc.ir.workflow import Hook, RunCommands, Trigger, Workflow
from pwxc.registry import ReadSettings
from pwxc.source import Source
from pwxc_targets.slurm import codes as C  # noqa: N812
from pwxc_targets.slurm.batch.directives import Component, Reading
from pwxc_targets.slurm.batch.getopt import Given
from pwxc_targets.slurm.batch.report import read_source, report_faults
from pwxc_targets.slurm.drivers.companions import find_script
from pwxc_targets.slurm.lower import buffers, classes
from pwxc_targets.slurm.own.job import OwnJobScript
from pwxc_targets.slurm.own.lines import Statement, UnreadableError, template_of, typed
from pwxc_targets.slurm.own.places import with_found
from pwxc_targets.slurm.own.submit import OwnJob, OwnSubmit, option_expression
from pwxc_targets.slurm.own.tests import test_of
from pwxc_targets.slurm.writing import jobtext as J  # noqa: N812
from pwxc_targets.slurm.writing.gangs import WAITS_FOR_EVERY
from pwxc_targets.slurm.writing.limits import DEADLINE_SLACK, SLACK, SLACK_SIGNAL, TIMER_SLACK, slurm_time
from pwxc_targets.slurm.writing.naming import SELECTS
from pwxc_targets.slurm.writing.requests import NUMBERS, SIZES, TEXTS

_FIELDS = {name: field for fields in (NUMBERS, SIZES, TEXTS) for field, name in fields.items()} | {"time": "walltime"}
_MEMBER = re.compile(r'^srun .* bash "\$PWXC_RUN/scripts/(\S+)" "\$PWXC_RUN"', re.MULTILINE)
_HOST = re.compile(r"^export (PWXC_HOST_\w+)=\$\{hosts\[(\d+)\]\}$", re.MULTILINE)
_TASK = re.compile(r"^slug=(\S+)$", re.MULTILINE)
_NO_BARRIER = "PWXC_BARRIER=''\n"
_GANG_LIMIT = re.compile(
    r"^(?:export PWXC_LIMIT=(\d+(?:\.\d+)?)|PWXC_LIMIT=\$\(seconds (.*)\); export PWXC_LIMIT)$", re.MULTILINE
)
_FAIL_FAST = re.compile(r"^if (.*); then fail_fast=1; else fail_fast=0; fi$", re.MULTILINE)
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
        timeout=submit.timeout,
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
    walltimes: dict[str, float | None] = attrs.field(factory=dict)
    slugs: dict[str, str] = attrs.field(init=False)
    names: dict[str, int] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Note which name belongs to which file."""
        self.slugs = {job.slug: job.title for job in self.submit.jobs}
        self.names = dict.fromkeys(self.slugs.values(), 1)

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
        reading = read_source(source, self.settings)
        if not report_faults(reading, source, self.diagnostics):
            return
        if _MEMBER.search(source.text):
            self._gang(job, source, reading)
            return
        task = self._task(job, source, reading, job.title, {})
        if job.slug.startswith("hook."):
            self._hook(task, source)
        else:
            self.tasks.append(changed(task, needs=self.submit.edges(job)))

    def _task(
        self, job: OwnJob, source: Source, reading: Reading, name: str, hosts: dict[str, Ref], *, member: bool = False
    ) -> Task:
        span = source.span(0, reading.body)
        kept = tuple(buffers(reading, (source, 0)))
        task = Task(name=name, span=span, condition=job.condition, passthrough=kept)
        names = {**self.submit.names, **{variable: (ref,) for variable, ref in hosts.items()}}
        script = OwnJobScript(source, task, job.count, self.slugs, names, self.files)
        task = with_found(script.read(reading.body), source)
        self.tell(source, script.strange)
        self._worker_hooks(Trigger.WORKER_START, script.first)
        self._worker_hooks(Trigger.WORKER_COMPLETE, script.last)
        if job.is_empty:
            task = changed(task, sweep=Sweep(parameters=(Parameter(name="index", values=Values(())),)))
        if job.limit is not None and task.sweep is not None:
            task = changed(task, sweep=changed(task.sweep, limit=job.limit))
        self.walltimes[name] = script.walltime
        return task if member else self._request(task, job, source, reading)

    def _request(
        self,
        task: Task,
        job: OwnJob,
        source: Source,
        reading: Reading,
        *,
        limit: float | Expr | None = None,
        in_gang: bool = False,
    ) -> Task:
        """Give a task its class of resources, with what the writer made options of taken out.

        `limit` is how long the gang of the task may run.
        """
        component = reading.components[0]
        limit = task.run_timeout if limit is None and not in_gang else limit
        if (nice := component.value("nice")) is not None and re.fullmatch(r"-?\d+", nice):
            task = changed(task, priority=-int(nice))
        cleans = component.value("signal") == SLACK_SIGNAL
        dropped = {"nice", "job-name"} | ({"signal"} if cleans else set())
        if any(rule.action is ExitAction.RETRY for rule in task.exit_rules):
            dropped |= {"requeue", "open-mode"}
        if not in_gang:
            task = changed(task, queue_timeout=_queue_timeout(job, component))
        walltime = self.walltimes.get(task.name)
        known = [value for value in (limit, walltime) if isinstance(value, int | float)]
        own = [task.run_timeout + TIMER_SLACK] if isinstance(task.run_timeout, int | float) else []
        if any(component.value("time") == slurm_time(task, limit) for limit in (min(known, default=0), *own) if limit):
            dropped.add("time")
        component.given = [given for given in component.given if given.name not in dropped]
        resources, beside = classes(reading, task.name, task.span, self.names)
        if walltime is not None:
            resources = changed(resources or Resources(name=task.name, span=task.span), walltime=walltime)
        elif resources is not None and cleans and isinstance(resources.walltime, int):
            resources = changed(resources, walltime=resources.walltime - SLACK)
        if resources is not None and isinstance(resources.walltime, int | float):
            known.append(resources.walltime)
        late = {
            name: word for name, word in job.late.items() if name != "time" or isinstance(limit, int | float | None)
        }
        if late:
            resources = self._late(resources or Resources(name=task.name, span=task.span), late)
        if resources is not None:
            self.resources.append(resources)
            # a component takes the time limit over from the one before
            beside = tuple(
                changed(item, walltime=resources.walltime) if item.walltime is None else item for item in beside
            )
        self.resources.extend(beside)
        return changed(
            task,
            resources=resources.name if resources is not None else None,
            beside=tuple(item.name for item in beside),
        )

    def _late(self, resources: Resources, late: dict[str, str]) -> Resources:
        """Set what the submit script works out from inputs."""
        for name, word in late.items():
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
            component.given = list(_of_member(component, len(members) if uniform else 1))
        limit = self._gang_limit(source)
        queue_timeout = _queue_timeout(job, reading.components[0])
        for number, (script, name) in enumerate(zip(found, members, strict=True)):
            task = self._task(job, script, Reading([Component()]), name, hosts, member=True)
            component = reading.components[0 if uniform else number]
            own = attrs.evolve(reading, components=[component])
            if task.sweep is not None:
                task = changed(task, sweep=changed(task.sweep, fail_fast=self._gang_fail_fast(source)))
            self.tasks.append(self._request(task, job, source, own, limit=limit, in_gang=True))
        lead = re.search(r"^lead=(\d+)$", source.text, re.MULTILINE)
        self.gangs.append(
            Gang(
                name=job.title,
                members=tuple(members),
                lead=members[int(lead.group(1)) if lead is not None else 0],
                status=GangStatus.ALL if WAITS_FOR_EVERY in source.text else GangStatus.LEAD,
                needs=self.submit.edges(job),
                barrier=_NO_BARRIER not in source.text,
                run_timeout=limit,
                queue_timeout=queue_timeout,
                span=source.span(0, reading.body),
            )
        )

    def _gang_fail_fast(self, source: Source) -> bool | Expr:
        found = _FAIL_FAST.search(source.text)
        if found is None:
            return J.CANCEL_OTHERS in source.text
        try:
            return test_of(found.group(1), self.submit.names)
        except UnreadableError:
            return False

    def _gang_limit(self, source: Source) -> float | Expr | None:
        found = _GANG_LIMIT.search(source.text)
        if found is None:
            return None
        if found.group(1):
            return typed([found.group(1)])[0]  # type: ignore[no-any-return]
        try:
            made = template_of(found.group(2), self.submit.names)
        except UnreadableError:
            return None
        return Call("duration", (made.whole,)) if made.whole is not None else None

    def _worker_hooks(self, trigger: Trigger, commands: Sequence[Template]) -> None:
        """Take what every job does for the workers of the source: it stands in each script, and counts once."""
        if commands and not any(hook.trigger is trigger for hook in self.hooks):
            self.hooks.append(Hook(trigger=trigger, action=RunCommands(tuple(commands))))

    def _hook(self, task: Task, source: Source) -> None:
        trigger = Trigger(task.name.split(".")[1])
        commands = tuple(step.work.text for step in task.steps if isinstance(step.work, Script))
        found = re.search(rf"^# {SELECTS} (.*)$", source.text, re.MULTILINE)
        chosen = _selection(found.group(1)) if found is not None else {}
        self.hooks.append(
            Hook(
                trigger=trigger,
                action=RunCommands(commands),
                tasks=tuple(chosen.get("tasks", ())),
                patterns=tuple(chosen.get("patterns", ())),
                span=task.span,
            )
        )


def _of_member(component: Component, count: int) -> Iterator[Given]:
    """Give the options of one of the members that share a component; one node and one task go without saying."""
    for given in component.given:
        value = given.value or ""
        if given.name == "nodes" and value.isdigit() and int(value) % count == 0:
            value = str(int(value) // count)
        if given.name not in _OF_GANG or value != "1":
            yield attrs.evolve(given, value=value) if given.name == "nodes" else given


def _queue_timeout(job: OwnJob, component: Component) -> int | None:
    """Give how long a job may wait for a machine, of which the submit script knows the end only."""
    minutes = component.value("time") or ""
    if job.patience is None or not minutes.isdigit():
        return None
    return job.patience - int(minutes) * 60 - DEADLINE_SLACK


def _selection(told: str) -> dict[str, list[str]]:
    """Read what a hook belongs to; nothing, if a person changed the line."""
    try:
        chosen = json.loads(told)
    except ValueError:
        return {}
    if not isinstance(chosen, dict):
        return {}
    return {key: [str(item) for item in items] for key, items in chosen.items() if isinstance(items, list)}


def _unquoted(word: str) -> str:
    from pwxc_targets.slurm.own.lines import literal_of

    return literal_of(word)
