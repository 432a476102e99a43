"""Calls of `sbatch` into tasks: the script that is named, with the options of the call over its own."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import PurePath

import attrs

from pwxc.diagnostics import Diagnostics
from pwxc.ir.entity import changed
from pwxc.ir.resources import Resources
from pwxc.ir.sweep import Sweep
from pwxc.ir.task import Script, Task
from pwxc.ir.template import Template
from pwxc.registry import ReadSettings
from pwxc.shell.found import flatten
from pwxc.source import Source, Span
from pwxc_targets.slurm import codes as C  # noqa: N812
from pwxc_targets.slurm.batch.cutting import Word
from pwxc_targets.slurm.batch.directives import Component, Reading
from pwxc_targets.slurm.batch.getopt import Given, Misuse, Stray, options
from pwxc_targets.slurm.batch.report import read_source, report_faults, tolerated_options
from pwxc_targets.slurm.batch.table import NONE, OPTIONS, names_of
from pwxc_targets.slurm.batch.wordvalues import BadValueError
from pwxc_targets.slurm.drivers.companions import find_script
from pwxc_targets.slurm.drivers.edges import Edges
from pwxc_targets.slurm.drivers.finding import tell_inner_submissions
from pwxc_targets.slurm.drivers.running.calls import Submission, Submitted
from pwxc_targets.slurm.drivers.running.frames import Frames
from pwxc_targets.slurm.drivers.text.marks import (
    ALIGNED,
    CARRIED,
    HERE,
    INPUT,
    JOB,
    LAST,
    SWEEP,
    UNKNOWN,
    as_template,
    is_fixed,
    is_told,
    mark,
)
from pwxc_targets.slurm.drivers.text.paths import from_folder, joined
from pwxc_targets.slurm.drivers.wording import (
    as_folder,
    assignments,
    exports,
    indexes_of,
    placed,
    plain_name,
    set_arguments,
    tied,
    with_late,
    with_login,
    with_templates,
)
from pwxc_targets.slurm.lower import Lowered, Origin, find, lower, unlike

_CLIENT = frozenset(
    ["wrap", "parsable", "quiet", "wait", "test-only", "verbose", "ignore-pbs", "help", "usage", "version"]
)
"""Options that say how the client behaves, and nothing about the job."""
_WRAPPED = "#!/bin/sh\n# This script was created by sbatch --wrap.\n\n"
_SHELLS = frozenset(["bash", "sh", "dash", "ksh", "zsh", "mksh", "ash"])
_COSMETIC = frozenset(["comment", "job-name", "output", "error"])
"""Options that may be left out where their values are not known: they decide nothing but what things are called."""
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
        span = submission.span
        if any(value.endswith("Submitted") for value in submission.words) and "batch" in submission.words:
            message = "a value holds all that `sbatch` prints, and not the id alone"
            self.diagnostics.add(C.BAD_VALUE, message, span, help="submit with `--parsable`, or cut the id out")
            return Submitted(number, mark(JOB, number))
        for word in (*submission.words, *submission.exported.values()):
            if UNKNOWN in word:
                submission.frames.refuse(word)  # it may be known turn by turn
        groups, script, arguments = self._cut(submission, span)
        if any(HERE in word for word in (*submission.words, *submission.exported.values(), submission.here or "")):
            submission.frames.refuse(submission.folder)
        further = [placed(submission, group, [])[1] for group in groups[1:]]
        submission, given, arguments = placed(submission, groups[0], arguments)
        flags = {item.name for item in given}
        if UNKNOWN in submission.folder:
            self._dynamic("in which folder the job runs is known only when the driver runs", span)
            return Submitted(number, mark(JOB, number))
        source = self._script(submission, script, given, span)
        if source is not None:
            self._add(number, submission, source, [given, *further], arguments, script, span)
        told = "" if "quiet" in flags else mark(JOB, number)
        if told and "parsable" not in flags:
            told = f"Submitted batch job {told}"
        return Submitted(number, told, "wait" in flags)

    def beside(self, path: str) -> Source | None:
        """Find a script that the driver runs or reads in; nothing else needs to submit it."""
        quiet = Diagnostics()
        source = find_script((path,), self.driver, self.sources, self.settings.folder, quiet, self.driver.span(0, 0))
        if source is not None:
            self.taken.add(id(source))
        return source

    def unused(self) -> list[Source]:
        """Give the sources that nothing submits."""
        return [item for item in self.sources if item is not self.driver and id(item) not in self.taken]

    def _cut(self, submission: Submission, span: Span) -> tuple[list[list[Given]], str | None, list[str]]:
        """Give the options of a call for each component, the script, and the script's arguments."""
        words = [Word(value, submission.start, submission.end) for value in submission.words]
        groups: list[list[Given]] = []
        while True:
            given, rest = self._options(words, span)
            groups.append([*self._from_environment(submission), *given])
            if not rest or rest[0].text != ":":
                return groups, rest[0].text if rest else None, self._arguments(rest[1:], span)
            words = rest[1:]

    def _arguments(self, words: Sequence[Word], span: Span) -> list[str]:
        """Give the arguments of a script; `sbatch` leaves out each that is a colon."""
        for word, following in pairwise(words):
            if word.text == ":" and following.text.startswith("-"):
                self._dynamic("`:` and options stand behind the script, which gets them as its arguments", span)
        return [word.text for word in words if word.text != ":"]

    def _options(self, words: list[Word], span: Span) -> tuple[list[Given], list[Word]]:
        """Give the options at the start of words, and the words from the first one on that is none."""
        given: list[Given] = []
        for item in options(words, (*names_of("26.05"), *tolerated_options(self.settings, ""))):
            if isinstance(item, Given):
                if item.option is None and item.name not in tolerated_options(self.settings, ""):
                    self.diagnostics.add(C.UNKNOWN_OPTION, f"`sbatch` has no option `--{item.name}`", span)
                given.append(item)
            elif isinstance(item, Misuse):
                self.diagnostics.add(C.OPTION_USE, item.message, span, help=item.help)
            elif isinstance(item, Stray):
                return given, words[next(number for number, word in enumerate(words) if word is item.word) :]
        return given, []

    def _from_environment(self, submission: Submission) -> Iterable[Given]:
        for option in OPTIONS if submission.settings else ():
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
            return Source(self.driver.name, with_login(f"{_WRAPPED}{wrap}\n"))
        if script is None or script in ("-", "/dev/stdin"):
            return self._read_script(submission, span)
        submission.frames.refuse(script)
        place = joined(submission.folder, script)
        if place in submission.files.written:
            return self._written(submission, place, script, span)
        if not is_fixed(place):
            place = script  # the folder is known only when the driver runs, which script it is may be known
        if not is_fixed(place):
            self._dynamic("which script is submitted is known only when the driver runs", span)
            return None
        if PurePath(place).name == PurePath(self.driver.name).name:
            self._dynamic("the driver submits itself", span)
            return None
        return self._lying(place, script.replace(HERE, "."), span)

    def _read_script(self, submission: Submission, span: Span) -> Source | None:
        """Find the script that `sbatch` reads from its standard input."""
        if submission.input is not None and is_fixed(submission.input):
            if submission.input in submission.files.written:
                return self._written(submission, submission.input, submission.input, span)
            return self._lying(submission.input, submission.input, span)
        if submission.here is None or UNKNOWN in submission.here:
            self._dynamic("what is submitted comes from standard input", span)
            return None
        return Source(self.driver.name, with_login(submission.here))

    def _written(self, submission: Submission, place: str, script: str, span: Span) -> Source | None:
        """Give a script that the driver has written."""
        if UNKNOWN in submission.files.written[place]:
            self._dynamic(f"what `{plain_name(script)}` holds is known only when the driver runs", span)
            return None
        if CARRIED in submission.files.written[place]:
            submission.frames.refuse(submission.files.written[place])
        return Source(script, with_login(from_folder(submission.files.written[place], submission.folder)))

    def _lying(self, place: str, script: str, span: Span) -> Source | None:
        """Find a script among those that were given, or in the driver's folder."""
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
        groups: Sequence[Sequence[Given]],
        arguments: Sequence[str],
        script: str | None,
        span: Span,
    ) -> None:
        given = groups[0]
        own = any(source is item for item in self.sources)
        self.taken.add(id(source))
        reading = self._reading(source, own=own)
        for variable in submission.lost:
            message = f"what the job finds in `{variable}` is known only when the driver runs"
            used = re.search(rf"\b{variable}\b", source.text)
            self.diagnostics.add(C.DYNAMIC if used else C.LEFT_OUT, message, span)
        within = None if own else Word("", submission.start, submission.end)
        if not report_faults(reading, source if own else self.driver, self.diagnostics, within):
            return
        for part in reading.components:
            part.foreign = True
        component = reading.components[0]
        late = self._override(component, given, span)
        self._add_components(reading, groups, span)
        stacked = bool(submission.frames.stack)
        if stacked:
            self._check_sweep(reading, source, submission.frames)
        default = (
            "wrap" if any(item.name == "wrap" for item in given) else PurePath(script).name if script else "sbatch"
        )
        name = unlike(plain_name(component.value("job-name") or default), self.used)
        self.names[number] = name
        indexes = indexes_of(component)
        if indexes is not None:
            self.edges.arrays[number] = indexes
        origin = (source, 0) if own else self._origin(source, submission)
        lowered = lower(reading, source.text, name, self.used, span, origin)
        self._keep(with_late(lowered, late), submission, arguments, span, origin, own=own)

    def _add_components(self, reading: Reading, groups: Sequence[Sequence[Given]], span: Span) -> None:
        """Put the options that a call has for further components over those of the script (slurm.md §10)."""
        for number, given in enumerate(groups[1:], 1):
            if number == len(reading.components):
                settings = reading.components[-1].settings.next_component()
                reading.components.append(Component(settings=settings, foreign=True))
            if self._override(reading.components[number], given, span):
                self._dynamic("what a further component asks for is known only when the driver runs", span)

    def _origin(self, source: Source, submission: Submission) -> Origin | None:
        """Find where a script that the driver holds stands in it, if it does so word by word."""
        wrapped = source.text.startswith(_WRAPPED)
        inner = source.text[len(_WRAPPED) : -1] if wrapped else source.text
        holder = submission.span.source
        first, last = (submission.start, submission.end) if wrapped else (0, len(holder.text))
        at = holder.text.find(inner, first, last) if inner else -1
        if at < 0 or holder.text.find(inner, at + 1, last) >= 0:
            return None
        return holder, at - (len(_WRAPPED) if wrapped else 0)

    def _reading(self, source: Source, *, own: bool) -> Reading:
        """Read a script; one that is submitted again is not read again."""
        if not own:
            return read_source(source, self.settings)
        if id(source) not in self.readings:
            self.readings[id(source)] = reading = read_source(source, self.settings)
            tell_inner_submissions(source, reading.body, self.diagnostics)
        return self.readings[id(source)].copy()

    def _override(self, component: Component, given: Sequence[Given], span: Span) -> list[Given]:
        """Put the options of a call over those of the script; give those whose values are inputs."""
        late: dict[str, Given] = {}
        for item in given:
            if item.option is None or item.name in _CLIENT:
                continue
            if item.name in _COSMETIC and not is_told(item.value or ""):
                message = f"the value of `--{item.name}` is known only when the driver runs, so it is left out"
                self.diagnostics.add(C.LEFT_OUT, message, span)
                continue
            component.given.append(item)
            late.pop(item.name, None)
            value = item.value or ""
            if not is_told(re.sub(f"[{JOB}{LAST}{ALIGNED}]", "", value) if item.name == "dependency" else value):
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

    def _check_sweep(self, reading: Reading, source: Source, frames: Frames) -> None:
        """See that nothing but the script's text differs between the instances of a loop.

        Raises:
            UnsweepableError: an option does, or the script has indexes or components of its own.
        """
        component = reading.components[0]
        named = False
        for item in component.given:
            value = item.value or ""
            if SWEEP in value and item.name != "dependency":
                if item.name not in _FREE and not (item.name == "export" and assignments(value)):
                    frames.refuse(value)
                named = named or item.name == "job-name"
        if component.find("array") is not None or len(reading.components) > 1:
            frames.refuse(mark(SWEEP, frames.stack[0].variable))
        shown = any("%x" in (component.value(name) or "") for name in ("output", "error", "input"))
        if named and (shown or re.search(r"SLURM_JOB_NAME", source.text)):
            frames.refuse(mark(SWEEP, frames.stack[-1].variable))

    def _dynamic(self, message: str, span: Span) -> None:
        self.diagnostics.add(C.DYNAMIC, message, span)

    def _keep(
        self,
        lowered: Lowered,
        submission: Submission,
        arguments: Sequence[str],
        span: Span,
        origin: Origin | None,
        *,
        own: bool,
    ) -> None:
        task = lowered.task
        steps = list(task.steps)
        work = steps[0].work
        in_shell = isinstance(work, Script) and work.shell[0].rpartition("/")[2] in _SHELLS
        lines, variables = exports(submission.exported, is_script=in_shell)
        if isinstance(work, Script):
            body = work.text if own else as_template(work.text.literal or "")
            start, named = set_arguments(arguments, submission.frames)
            start = (*start, lines) if lines else start
            variables.extend(named)
            if arguments and work.shell[0].rpartition("/")[2] not in _SHELLS:
                message = f"`{work.shell[0]}` cannot be given the arguments of the script"
                self.diagnostics.add(C.ARGUMENTS, message, span)
            given = [*arguments, *([] if own else [work.text.literal or ""])]
            if not all(is_told(word) for word in given):
                self._dynamic("what the script is given is known only when the driver runs", span)
            made = Script(Template.of(*start, *body.parts), work.shell)
            if made != work:
                at = lowered.at - len(flatten(Template.of(*start)))
                noted = find(made, origin, at, lowered.image, inside=task.container is not None)
                steps[0] = changed(steps[0], work=made, found=noted)
        edges, extra = self.edges.read(lowered.dependency, submission.after, submission.frames, span)
        resources, exported = with_templates(lowered.resources)
        variables.extend(exported)
        if extra:
            resources = resources or Resources(name=task.name, span=task.span)
            resources = changed(resources, directives=(*resources.directives, as_template(f"--dependency={extra}")))
        if resources is not None:
            self.resources.append(resources)
        self.resources.extend(found for item in lowered.beside if (found := with_templates(item)[0]) is not None)
        folder = task.working_directory
        if submission.folder and not (folder is not None and (folder.literal or "").startswith("~")):
            above = as_folder(submission.folder)
            folder = as_template(posixpath.join(above, folder.literal or "") if folder else above)
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
        self.tasks.append(task if self.edges.tied is None else tied(task, self.edges.tied))
