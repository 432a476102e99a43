"""Scripts that submit jobs, read by following them: what is submitted, and what waits for what (slurm.md §20)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePath

import attrs

from pwxc.diagnostics import Diagnostics
from pwxc.ir.data import Variable
from pwxc.ir.entity import changed
from pwxc.ir.inputs import Input
from pwxc.ir.resources import Resources
from pwxc.ir.task import Edge, Outcome, Script, Task
from pwxc.ir.template import Template, text
from pwxc.ir.workflow import Workflow
from pwxc.registry import ReadSettings
from pwxc.shell import quote
from pwxc.source import Source
from pwxc_targets.slurm import codes as C  # noqa: N812
from pwxc_targets.slurm.batch.cutting import Word
from pwxc_targets.slurm.batch.directives import Component, Reading, read_directives
from pwxc_targets.slurm.batch.getopt import Given, Stray, options
from pwxc_targets.slurm.batch.lists import Term, dependency
from pwxc_targets.slurm.batch.report import report_faults, tell_components, tolerated_options
from pwxc_targets.slurm.batch.table import names_of
from pwxc_targets.slurm.batch.wordvalues import BadValueError
from pwxc_targets.slurm.drivers.companions import find_script
from pwxc_targets.slurm.drivers.rules import JOB, UNKNOWN
from pwxc_targets.slurm.drivers.values import Shell, Submission, as_template
from pwxc_targets.slurm.drivers.words import ShellError, parse
from pwxc_targets.slurm.lower import Lowered, lower

_KINDS = {
    "afterok": Outcome.SUCCESS, "aftercorr": Outcome.SUCCESS, "afterany": Outcome.END, "afternotok": Outcome.FAILURE,
    "after": Outcome.START, "afterburstbuffer": Outcome.END,
}  # fmt: skip
_FIRST_NUMBER = 900_000_000
"""Ids of jobs of the driver are numbers from here on while a dependency is read."""


def read_driver(
    driver: Source, sources: tuple[Source, ...], settings: ReadSettings, diagnostics: Diagnostics
) -> Workflow | None:
    """Read a driver and the scripts that it submits; what cannot be followed is a diagnostic at its place."""
    reader = _Reader(driver, list(sources), settings, diagnostics)
    try:
        nodes = parse(driver.text)
    except ShellError as error:
        message = f"the script cannot be followed: {error}"
        diagnostics.add(C.DYNAMIC, message, driver.span(error.start, error.end))
        return None
    shell = Shell(driver, diagnostics, reader.submit)
    shell.run(nodes)
    if diagnostics.failed:
        return None
    if not reader.tasks:
        diagnostics.add(C.NO_JOBS, f"`{driver.name}` submits nothing that can be read", driver.span(0, 0))
        return None
    if shell.commands:
        first = shell.commands[0]
        message = f"`{first.text}` and other commands of the driver are not part of the workflow"
        diagnostics.add(C.LOGIN_COMMANDS, message, driver.span(first.start, first.end))
    inputs = tuple(
        Input(name=name, default=value, has_default=value is not None) for name, value in shell.inputs.items()
    )
    return Workflow(
        name=PurePath(driver.name).stem or "workflow",
        dialect="slurm",
        inputs=inputs,
        tasks=tuple(reader.tasks),
        resources=tuple(reader.resources),
        origin=tuple(reader.sources),
        span=driver.span(0, len(driver.text)),
    )


@attrs.define
class _Reader:
    driver: Source
    sources: list[Source]
    settings: ReadSettings
    diagnostics: Diagnostics
    tasks: list[Task] = attrs.field(factory=list)
    resources: list[Resources] = attrs.field(factory=list)
    names: set[str] = attrs.field(factory=set)

    def submit(self, submission: Submission) -> str:
        """Take a submission; gives the marker that stands for its id."""
        words = [Word(value, submission.start, submission.end) for value in submission.words]
        given: list[Given] = []
        script: str | None = None
        arguments: list[str] = []
        for item in options(words, (*names_of("26.05"), *tolerated_options(self.settings, ""))):
            if isinstance(item, Given):
                given.append(item)
            elif isinstance(item, Stray):
                # everything from the first word that is no option on is the script with its arguments
                place = next(number for number, word in enumerate(words) if word is item.word)
                script, arguments = words[place].text, [word.text for word in words[place + 1 :]]
        found = self._script(submission, script, given)
        if found is None:
            return f"{JOB}{len(self.tasks)}{JOB}"
        return self._add(submission, found, given, arguments, script)

    def _script(self, submission: Submission, script: str | None, given: Sequence[Given]) -> Source | None:
        span = self.driver.span(submission.start, submission.end)
        wrap = next((item.value for item in given if item.name == "wrap"), None)
        if wrap is not None:
            return Source(self.driver.name, f"#!/bin/sh\n{wrap}\n")
        if script is None:
            if submission.here is not None:
                return Source(self.driver.name, submission.here)
            self.diagnostics.add(C.DYNAMIC, "what is submitted comes from standard input", span)
            return None
        if UNKNOWN in script or JOB in script or as_template(script).literal is None:
            self.diagnostics.add(C.DYNAMIC, "which script is submitted is known only when the driver runs", span)
            return None
        if script in submission.files:
            return Source(script, submission.files[script])
        return find_script(script, self.driver, self.sources, self.settings.folder, self.diagnostics, span)

    def _add(
        self,
        submission: Submission,
        source: Source,
        given: Sequence[Given],
        arguments: Sequence[str],
        script: str | None,
    ) -> str:
        marker = f"{JOB}{len(self.tasks)}{JOB}"
        within = Word("", submission.start, submission.end)
        own = source in self.sources
        reading = read_directives(source.text, tolerated=tolerated_options(self.settings, source.text))
        if not report_faults(reading, source if own else self.driver, self.diagnostics, None if own else within):
            return marker
        tell_components(reading, self.driver.span(submission.start, submission.end), self.diagnostics)
        self._override(reading.components[0], given, submission)
        component = reading.components[0]
        default = (
            "wrap" if any(item.name == "wrap" for item in given) else PurePath(script).name if script else "sbatch"
        )
        name = self._unlike(_plain(component.value("job-name") or default))
        span = self.driver.span(submission.start, submission.end)
        lowered = lower(reading, source.text, name, span)
        self._keep(lowered, reading, submission, arguments)
        return marker

    def _override(self, component: Component, given: Sequence[Given], submission: Submission) -> None:
        for item in given:
            if item.option is None or item.name in ("wrap", "parsable", "quiet", "wait", "test-only"):
                continue
            component.given.append(item)
            try:
                component.settings.set(item.option, item.value)
            except BadValueError as error:
                if as_template(item.value or "").literal is None or UNKNOWN in (item.value or ""):
                    message = f"the value of `--{item.name}` is known only when the driver runs"
                    self._dynamic(message, submission)
                    component.given.pop()
                    continue
                message = f"`{item.value}` is not a value of `--{item.name}`"
                span = self.driver.span(submission.start, submission.end)
                self.diagnostics.add(C.BAD_VALUE, message, span, help=str(error))
                component.given.pop()

    def _dynamic(self, message: str, submission: Submission) -> None:
        self.diagnostics.add(C.DYNAMIC, message, self.driver.span(submission.start, submission.end))

    def _unlike(self, name: str) -> str:
        from pwxc_targets.slurm.read import unlike

        return unlike(name, self.names)

    def _keep(self, lowered: Lowered, reading: Reading, submission: Submission, arguments: Sequence[str]) -> None:
        task = lowered.task
        steps = list(task.steps)
        work = steps[0].work
        if arguments and isinstance(work, Script):
            words = [quote(word) if as_template(word).literal is not None else _word(word) for word in arguments]
            start = as_template(f"set -- {' '.join(words)}\n")
            steps[0] = changed(steps[0], work=Script(Template.of(*start.parts, *work.text.parts), work.shell))
        variables = tuple(Variable(name=key, value=as_template(value)) for key, value in submission.exported.items())
        task = changed(task, steps=tuple(steps), environment=(*variables, *task.environment))
        edges, extra = self._edges(lowered.dependency, submission)
        resources = lowered.resources
        if extra:
            resources = resources or Resources(name=task.name, span=task.span)
            resources = changed(resources, directives=(*resources.directives, text(f"--dependency={extra}")))
            task = changed(task, resources=resources.name)
        if resources is not None:
            self.resources.append(_with_templates(resources))
        self.tasks.append(changed(task, needs=tuple(edges)))

    def _edges(self, value: str | None, submission: Submission) -> tuple[list[Edge], str]:
        """Read a dependency into edges; `singleton` stays text."""
        if not value:
            return [], ""
        if UNKNOWN in value or as_template(value).literal is None:
            self._dynamic("what the job waits for is known only when the driver runs", submission)
            return [], ""
        numbered = re.sub(f"{JOB}(\\d+){JOB}", lambda found: str(_FIRST_NUMBER + int(found.group(1))), value)
        try:
            read = dependency(numbered)
        except BadValueError as error:
            span = self.driver.span(submission.start, submission.end)
            self.diagnostics.add(C.BAD_VALUE, "the dependency is not one", span, help=str(error))
            return [], ""
        if read.any:
            self._dynamic("conditions joined by `?` have no counterpart in the workflow", submission)
        edges = [edge for term in read.terms for edge in self._edge(term, submission)]
        return list(dict.fromkeys(edges)), "singleton" if any(term.kind == "singleton" for term in read.terms) else ""

    def _edge(self, term: Term, submission: Submission) -> Iterator[Edge]:
        span = self.driver.span(submission.start, submission.end)
        for number, instance, delay in term.jobs:
            place = int(number) - _FIRST_NUMBER
            if not 0 <= place < len(self.tasks):
                self.diagnostics.add(C.UNKNOWN_ID, f"the driver submits no job with the id `{number}`", span)
                continue
            if instance not in (None, "*"):
                self._dynamic("a dependency on one task of an array has no counterpart", submission)
            yield Edge(
                parent=self.tasks[place].name, when=_KINDS[term.kind], same_instance=term.kind == "aftercorr",
                delay=delay * 60 if term.kind == "after" else 0, span=span,
            )  # fmt: skip


def _plain(name: str) -> str:
    """Give a name without what is known only when the driver runs."""
    return as_template(re.sub(UNKNOWN, "", name)).fill(lambda hole: "_".join(getattr(hole, "path", ("x",)))) or "job"


def _word(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _with_templates(resources: Resources) -> Resources:
    """Turn marks of inputs in the texts of a class of resources into references."""
    fields = {}
    for name in ("partition", "account", "quality", "constraint", "reservation", "generic"):
        template = getattr(resources, name)
        if template is not None and template.literal is not None:
            fields[name] = as_template(template.literal)
    directives = tuple(as_template(item.literal) if item.literal else item for item in resources.directives)
    return changed(resources, directives=directives, **fields)
