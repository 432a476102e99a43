"""Calls of `sbatch` into tasks: the script that is named, with the options of the call over its own."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Sequence
from pathlib import PurePath

import attrs

from pwxc.diagnostics import Diagnostics
from pwxc.ir.data import Variable
from pwxc.ir.entity import changed
from pwxc.ir.expr import Expr
from pwxc.ir.resources import Resources
from pwxc.ir.sweep import Sweep, Values
from pwxc.ir.task import Script, Task
from pwxc.ir.template import Template, text
from pwxc.registry import ReadSettings
from pwxc.shell import quote
from pwxc.source import Source, Span
from pwxc_targets.slurm import codes as C  # noqa: N812
from pwxc_targets.slurm.batch.cutting import Word
from pwxc_targets.slurm.batch.directives import Component, Reading
from pwxc_targets.slurm.batch.getopt import Given, Misuse, Stray, options
from pwxc_targets.slurm.batch.report import read_source, report_faults, tell_components, tolerated_options
from pwxc_targets.slurm.batch.table import NONE, OPTIONS, names_of
from pwxc_targets.slurm.batch.wordvalues import BadValueError
from pwxc_targets.slurm.drivers.calls import Submission, Submitted
from pwxc_targets.slurm.drivers.companions import find_script
from pwxc_targets.slurm.drivers.edges import Edges
from pwxc_targets.slurm.drivers.frames import Frames
from pwxc_targets.slurm.drivers.marks import (
    INPUT,
    JOB,
    SWEEP,
    UNKNOWN,
    as_template,
    is_fixed,
    mark,
    names_in,
    replace_marks,
)
from pwxc_targets.slurm.lower import Lowered, lower, unlike

_CLIENT = frozenset(
    ["wrap", "parsable", "quiet", "wait", "test-only", "verbose", "ignore-pbs", "help", "usage", "version"]
)
"""Options that say how the client behaves, and nothing about the job."""
_SHELLS = frozenset(["bash", "sh", "dash", "ksh", "zsh", "mksh", "ash"])
_HARMLESS = re.compile(r"[\w.,:/@%+= -]*")
_FREE = frozenset(["comment", "job-name"])
"""Options that may differ from instance to instance of a sweep, since nothing depends on them."""


@attrs.define
class Submissions:
    """Takes submissions one after the other."""

    driver: Source
    sources: list[Source]
    settings: ReadSettings
    diagnostics: Diagnostics
    tasks: list[Task] = attrs.field(factory=list)
    resources: list[Resources] = attrs.field(factory=list)
    used: dict[str, int] = attrs.field(factory=dict)
    names: list[str | None] = attrs.field(factory=list)
    taken: set[int] = attrs.field(factory=set)
    readings: dict[int, Reading] = attrs.field(factory=dict)
    found: dict[tuple[str, str], Source] = attrs.field(factory=dict)
    edges: Edges = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Let dependencies see the names of the tasks."""
        self.edges = Edges(self.names, self.diagnostics)

    def take(self, submission: Submission) -> Submitted:
        """Take a submission; what it prints has a mark for its id."""
        number = len(self.names)
        self.names.append(None)
        span = self.driver.span(submission.start, submission.end)
        if any(value.endswith("Submitted") for value in submission.words) and "batch" in submission.words:
            message = "a value holds all that `sbatch` prints, and not the id alone"
            self.diagnostics.add(C.BAD_VALUE, message, span, help="submit with `--parsable`, or cut the id out")
            return Submitted(number, mark(JOB, number))
        given, script, arguments = self._cut(submission, span)
        flags = {item.name for item in given}
        if UNKNOWN in submission.folder:
            self._dynamic("in which folder the job runs is known only when the driver runs", span)
            return Submitted(number, mark(JOB, number))
        source = self._script(submission, script, given, span)
        if source is not None:
            self._add(number, submission, source, given, arguments, script, span)
        told = "" if "quiet" in flags else mark(JOB, number)
        if told and "parsable" not in flags:
            told = f"Submitted batch job {told}"
        return Submitted(number, told, "wait" in flags)

    def unused(self) -> list[Source]:
        """Give the sources that nothing submits."""
        return [item for item in self.sources if item is not self.driver and id(item) not in self.taken]

    def _cut(self, submission: Submission, span: Span) -> tuple[list[Given], str | None, list[str]]:
        """Give the options of a call, the script, and the script's arguments."""
        words = [Word(value, submission.start, submission.end) for value in submission.words]
        given = [*self._from_environment(submission)]
        if ":" in submission.words:
            self._dynamic("a heterogeneous job with `:` between its parts is not followed", span)
        for item in options(words, (*names_of("26.05"), *tolerated_options(self.settings, ""))):
            if isinstance(item, Given):
                if item.option is None and item.name not in tolerated_options(self.settings, ""):
                    self.diagnostics.add(C.UNKNOWN_OPTION, f"`sbatch` has no option `--{item.name}`", span)
                given.append(item)
            elif isinstance(item, Misuse):
                self.diagnostics.add(C.OPTION_USE, item.message, span, help=item.help)
            elif isinstance(item, Stray):
                # everything from the first word that is no option on is the script with its arguments
                place = next(number for number, word in enumerate(words) if word is item.word)
                return given, words[place].text, [word.text for word in words[place + 1 :]]
        return given, None, []

    def _from_environment(self, submission: Submission) -> Iterable[Given]:
        for option in OPTIONS:
            for name in option.variables.split(",") if option.variables else ():
                value = submission.settings.get(name)
                if value is None:
                    continue
                if option.value == NONE and value not in ("", "yes") and not re.fullmatch(r"-?0*[1-9]\d*", value):
                    continue
                kept = None if option.value == NONE else value
                yield Given(option.name, option, kept, submission.start, submission.end)

    def _script(self, submission: Submission, script: str | None, given: Sequence[Given], span: Span) -> Source | None:
        wrap = next((item.value for item in reversed(given) if item.name == "wrap"), None)
        if wrap is not None:
            if script is not None:
                self.diagnostics.add(C.OPTION_USE, "`--wrap` and a script exclude each other", span)
            return Source(self.driver.name, f"#!/bin/sh\n# This script was created by sbatch --wrap.\n\n{wrap}\n")
        if script is None or script in ("-", "/dev/stdin"):
            if submission.here is not None and UNKNOWN not in submission.here:
                return Source(self.driver.name, submission.here)
            self._dynamic("what is submitted comes from standard input", span)
            return None
        submission.frames.refuse(script)
        place = posixpath.normpath(posixpath.join(submission.folder, script))
        for path in (script, place, f"./{script}"):
            if path in submission.files and is_fixed(path):
                if UNKNOWN in submission.files[path]:
                    self._dynamic(f"what `{script}` holds is known only when the driver runs", span)
                    return None
                return Source(script, submission.files[path])
        if not is_fixed(script):
            self._dynamic("which script is submitted is known only when the driver runs", span)
            return None
        if PurePath(script).name == PurePath(self.driver.name).name:
            self._dynamic("the driver submits itself", span)
            return None
        if (place, script) not in self.found:
            folder = self.settings.folder
            source = find_script((place, script), self.driver, self.sources, folder, self.diagnostics, span)
            if source is None:
                return None
            self.found[place, script] = source
        return self.found[place, script]

    def _add(
        self,
        number: int,
        submission: Submission,
        source: Source,
        given: Sequence[Given],
        arguments: Sequence[str],
        script: str | None,
        span: Span,
    ) -> None:
        own = any(source is item for item in self.sources)
        self.taken.add(id(source))
        reading = self._reading(source, own=own)
        within = None if own else Word("", submission.start, submission.end)
        if not report_faults(reading, source if own else self.driver, self.diagnostics, within):
            return
        tell_components(reading, span, self.diagnostics)
        component = reading.components[0]
        component.foreign = True
        late = self._override(component, given, span)
        stacked = bool(submission.frames.stack)
        if stacked:
            self._check_sweep(component, source, submission.frames)
        default = (
            "wrap" if any(item.name == "wrap" for item in given) else PurePath(script).name if script else "sbatch"
        )
        name = unlike(_plain(component.value("job-name") or default), self.used)
        self.names[number] = name
        lowered = lower(reading, source.text, name, span)
        self._keep(_with_late(lowered, late), submission, arguments, span, own=own)

    def _reading(self, source: Source, *, own: bool) -> Reading:
        """Read a script; one that is submitted again is not read again."""
        if not own:
            return read_source(source, self.settings)
        if id(source) not in self.readings:
            self.readings[id(source)] = read_source(source, self.settings)
        return self.readings[id(source)].copy()

    def _override(self, component: Component, given: Sequence[Given], span: Span) -> list[Given]:
        """Put the options of a call over those of the script; give those whose values are inputs."""
        late: dict[str, Given] = {}
        for item in given:
            if item.option is None or item.name in _CLIENT:
                continue
            component.given.append(item)
            late.pop(item.name, None)
            value = item.value or ""
            if UNKNOWN in value or (JOB in value and item.name != "dependency"):
                self._dynamic(f"the value of `--{item.name}` is known only when the driver runs", span)
                component.given.pop()
                continue
            try:
                component.settings.set(item.option, item.value)
            except BadValueError as error:
                component.given.pop()
                if SWEEP in value:
                    component.given.append(item)  # refused as a part of a sweep
                elif INPUT in value:
                    component.given = [other for other in component.given if other.name != item.name]
                    late[item.name] = item
                else:
                    message = f"`{item.value}` is not a value of `--{item.name}`"
                    self.diagnostics.add(C.BAD_VALUE, message, span, help=str(error))
        return list(late.values())

    def _check_sweep(self, component: Component, source: Source, frames: Frames) -> None:
        """See that nothing but the script's text differs between the instances of a loop.

        Raises:
            UnsweepableError: an option does, or the script has indexes of its own.
        """
        named = False
        for item in component.given:
            value = item.value or ""
            if SWEEP in value:
                if item.name not in _FREE and not (item.name == "export" and _assignments(value)):
                    frames.refuse(value)
                named = named or item.name == "job-name"
        if component.find("array") is not None:
            frames.refuse(mark(SWEEP, frames.stack[0].variable))
        shown = any("%x" in (component.value(name) or "") for name in ("output", "error", "input"))
        if named and (shown or re.search(r"SLURM_JOB_NAME", source.text)):
            frames.refuse(mark(SWEEP, frames.stack[-1].variable))

    def _dynamic(self, message: str, span: Span) -> None:
        self.diagnostics.add(C.DYNAMIC, message, span)

    def _keep(
        self, lowered: Lowered, submission: Submission, arguments: Sequence[str], span: Span, *, own: bool
    ) -> None:
        task = lowered.task
        variables = [Variable(name=key, value=as_template(value)) for key, value in submission.exported.items()]
        steps = list(task.steps)
        work = steps[0].work
        if isinstance(work, Script):
            body = work.text if own else as_template(work.text.literal or "")
            start, named = _set_arguments(arguments, submission.frames)
            variables.extend(named)
            if arguments and work.shell[0].rpartition("/")[2] not in _SHELLS:
                message = f"`{work.shell[0]}` cannot be given the arguments of the script"
                self.diagnostics.add(C.ARGUMENTS, message, span)
            given = [*arguments, *([] if own else [work.text.literal or ""])]
            if any(UNKNOWN in word or JOB in word for word in given):
                self._dynamic("what the script is given is known only when the driver runs", span)
            steps[0] = changed(steps[0], work=Script(Template.of(*start, *body.parts), work.shell))
        edges, extra = self.edges.read(lowered.dependency, submission.after, submission.frames, span)
        resources, exported = _with_templates(lowered.resources)
        variables.extend(exported)
        if extra:
            resources = resources or Resources(name=task.name, span=task.span)
            resources = changed(resources, directives=(*resources.directives, text(f"--dependency={extra}")))
        if resources is not None:
            self.resources.append(resources)
        folder = task.working_directory
        if submission.folder:
            folder = as_template(
                posixpath.join(submission.folder, folder.literal or "") if folder else submission.folder
            )
        elif folder is not None and folder.literal is not None:
            folder = as_template(folder.literal)
        frames = submission.frames.stack
        sweep = task.sweep
        if frames:
            sweep = Sweep(parameters=tuple(frame.items.parameter(frame.variable) for frame in frames), span=span)
        task = changed(
            task,
            steps=tuple(steps),
            environment=(*variables, *task.environment),
            working_directory=folder,
            needs=tuple(edges),
            condition=submission.condition,
            sweep=sweep,
            resources=resources.name if resources is not None else None,
        )
        self.tasks.append(task)


def _with_late(lowered: Lowered, late: Sequence[Given]) -> Lowered:
    """Keep options whose values are inputs as texts."""
    if not late:
        return lowered
    resources = lowered.resources or Resources(name=lowered.task.name, span=lowered.task.span)
    texts = tuple(text(f"--{item.name}={item.value}") for item in late)
    return changed(lowered, resources=changed(resources, directives=(*resources.directives, *texts)))


def _plain(name: str) -> str:
    """Give a name without what differs between instances or is known only when the driver runs."""
    bare = replace_marks(SWEEP, name, lambda found: "").strip("_-. ") if SWEEP in name else name
    bare = bare or replace_marks(SWEEP, name, lambda found: found)
    filled = as_template(re.sub(UNKNOWN, "", bare)).fill(lambda hole: "_".join(getattr(hole, "path", ("x",))))
    return filled if is_fixed(filled) and filled else "job"


def _set_arguments(arguments: Sequence[str], frames: Frames) -> tuple[Sequence[str | Expr], list[Variable]]:
    """Give the start of a script that sets its arguments, and variables for those that only a variable can hold."""
    words: list[str] = []
    variables: list[Variable] = []
    for number, value in enumerate(arguments, 1):
        if is_fixed(value):
            words.append(quote(value))
        elif _is_harmless(value, frames):
            words.append(f'"{value}"')
        else:
            variables.append(Variable(name=f"PWXC_ARGUMENT_{number}", value=as_template(value)))
            words.append(f'"$PWXC_ARGUMENT_{number}"')
    return as_template(f"set -- {' '.join(words)}\n").parts if arguments else (), variables


def _is_harmless(value: str, frames: Frames) -> bool:
    """Whether a value of a sweep may stand between double quotes as it is."""
    values = {frame.variable: frame.items.values for frame in frames.stack}
    texts = [replace_marks(SWEEP, value, lambda found: "")]
    for name in names_in(SWEEP, value):
        found = values.get(name)
        texts.extend(str(item) for item in found.items) if isinstance(found, Values) else None
    return all(_HARMLESS.fullmatch(text) for text in texts)


def _assignments(value: str) -> list[tuple[str, str]] | None:
    """Give the variables that `--export=ALL,A=1,B=2` sets; None if it does anything else."""
    first, *rest = value.split(",")
    pairs = [part.partition("=") for part in rest]
    if first.upper() != "ALL" or not all(equals and name.isidentifier() for name, equals, _ in pairs):
        return None
    return [(name, item) for name, _, item in pairs]


def _with_templates(resources: Resources | None) -> tuple[Resources | None, list[Variable]]:
    """Turn marks in the texts of a class of resources into references; give variables that are exported with marks."""
    if resources is None:
        return None, []
    fields = {}
    for name in ("partition", "account", "quality", "constraint", "reservation", "generic"):
        template = getattr(resources, name)
        if template is not None and template.literal is not None:
            fields[name] = as_template(template.literal)
    exported: list[Variable] = []
    directives: list[Template] = []
    for item in resources.directives:
        literal = item.literal or ""
        pairs = _assignments(literal.removeprefix("--export=")) if literal.startswith("--export=") else None
        if pairs and not is_fixed(literal):
            exported.extend(Variable(name=name, value=as_template(value)) for name, value in pairs)
        elif literal and not (SWEEP in literal and literal.startswith("--comment")):
            directives.append(as_template(literal))
    return changed(resources, directives=tuple(directives), **fields), exported
