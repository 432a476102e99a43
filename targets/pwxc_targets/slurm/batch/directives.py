"""The directives of one batch script, read as `sbatch` reads them (slurm.md §3 to §7, §10)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime

import attrs

from pwxc_targets.slurm.batch import foreign
from pwxc_targets.slurm.batch.cutting import MAGIC, CuttingError, Line, Word, cut, directive_start, is_command, lines
from pwxc_targets.slurm.batch.getopt import Found, Given, Misuse, Stray, options
from pwxc_targets.slurm.batch.settings import Settings
from pwxc_targets.slurm.batch.table import NEWER_VALUES, REFERENCE, by_name, names_of
from pwxc_targets.slurm.batch.wordvalues import BadValueError

_SEPARATOR = re.compile(r"(?i:hetjob|packjob)(?:[ \t\n\v\f\r]|\Z)")
_BUFFER = re.compile(r"#(?:DW|BB|BB_LUA)[ \t]")
"""A line for the plug-in of a burst buffer, which looks at the comments before the first command itself (§6)."""
_ADDED = ("constraint", "export", "gres")
"""Options to which a foreign line adds instead of replacing what they said."""


@attrs.frozen
class Fault:
    """Something for which `sbatch` refuses the script. `kind` names the row of the catalogue."""

    kind: str
    message: str
    start: int
    end: int
    help: str = ""


@attrs.define
class Component:
    """The options of one component of a job: all that were given, and how `sbatch` tells them."""

    given: list[Given] = attrs.field(factory=list)
    settings: Settings = attrs.field(factory=Settings)
    foreign: bool = False
    """Whether the places of the options are those of another text than the job's."""

    def copy(self) -> Component:
        """Give a copy that may be changed."""
        settings = attrs.evolve(self.settings, fields=dict(self.settings.fields), names=dict(self.settings.names))
        return Component(list(self.given), settings, self.foreign)

    def value(self, name: str) -> str | None:
        """Give the value of an option that counts; empty for a flag, None when it was not given."""
        found = self.find(name)
        return None if found is None else found.value or ""

    def find(self, name: str) -> Given | None:
        """Give the last place where an option was given."""
        return next((given for given in reversed(self.given) if given.name == name), None)


@attrs.define
class Reading:
    """A batch script: its components, its faults, and where its parts are.

    `body` is where the first command starts; `late` are the directive lines after it, which Slurm ignores. `buffers`
    are the lines that ask for a burst buffer, and `cut_short` is where a `#` in the middle of a value ends it.
    """

    components: list[Component]
    faults: list[Fault] = attrs.field(factory=list)
    directives: list[Line] = attrs.field(factory=list)
    late: list[Line] = attrs.field(factory=list)
    buffers: list[Line] = attrs.field(factory=list)
    cut_short: list[tuple[int, int]] = attrs.field(factory=list)
    body: int = 0
    shebang: str = ""
    version: str = REFERENCE
    tolerated: Sequence[str] = ()

    def copy(self) -> Reading:
        """Give a copy whose options may be changed."""
        return attrs.evolve(self, components=[component.copy() for component in self.components])

    @property
    def accepted(self) -> bool:
        """Whether `sbatch` takes the script."""
        return not self.faults

    def answer(self) -> dict[str, object]:
        """Give what `sbatch` would tell: the options of each component as it normalises them, or the first fault."""
        if self.faults:
            return {"ok": False, "error": self.faults[0].message}
        return {"ok": True, "components": [component.settings.told() for component in self.components]}


def read_directives(
    text: str,
    *,
    version: str = REFERENCE,
    now: datetime | None = None,
    folder: str = ".",
    tolerated: Sequence[str] = (),
) -> Reading:
    """Read the directives of a script.

    Args:
        text: the whole script.
        version: the version of Slurm whose options are known.
        now: the time from which `--begin=now+…` counts.
        folder: where `sbatch` is called; a relative `--chdir` is below it.
        tolerated: long options that a plug-in of the site knows, beside Slurm's own.
    """
    reading = Reading([Component()], version=version, tolerated=tolerated)
    _check_file(text, reading)
    groups = _words(text, reading)
    names = (*names_of(version), *tolerated)
    time = now or datetime.now().replace(microsecond=0)
    settings = Settings(now=time, folder=folder)
    reading.components = []
    for group in groups:
        component = Component(settings=settings)
        _apply(options(group, names), component, reading)
        foreign_words = foreign.words(text) if not component.settings.is_set("ignore-pbs") else []
        _apply_foreign(foreign_words, component, reading)
        reading.components.append(component)
        settings = settings.next_component()
    return reading


def _check_file(text: str, reading: Reading) -> None:
    first, _, _ = text.partition("\n")
    reading.shebang = first if first.startswith("#!") else ""
    end = len(first)
    if not text:
        reading.faults.append(Fault("empty", "the batch script is empty", 0, 0))
    elif not text.strip():
        reading.faults.append(Fault("empty", "the batch script has only white space", 0, 0))
    elif not reading.shebang:
        fault = Fault(
            "no-shebang", "the first line is not `#!` with an interpreter", 0, end, "start with `#!/bin/bash`"
        )
        reading.faults.append(fault)
    elif "\r\n" in text:
        at = text.index("\r\n")
        reading.faults.append(
            Fault("dos-lines", "lines end with carriage return and line feed", at, at + 1, "convert with `dos2unix`")
        )
    elif "\0" in text:
        at = text.index("\0")
        reading.faults.append(Fault("nul", "the script has a NUL byte", at, at + 1))


def _words(text: str, reading: Reading) -> list[list[Word]]:
    """Collect the words of the directive lines, one list for each component; note where the body starts."""
    groups: list[list[Word]] = [[]]
    ended = False
    reading.body = len(text)
    for line in lines(text):
        if not ended and not line.text.startswith("#") and is_command(line.text):
            ended = True
            reading.body = line.start
        at = directive_start(line.text)
        if at is None:
            if not ended and _BUFFER.match(line.text):
                reading.buffers.append(line)
            continue
        if ended:
            reading.late.append(line)
            continue
        reading.directives.append(line)
        _cut_line(line, at, groups, reading)
    reading.late = [line for line in reading.late if line.text.startswith(MAGIC)]
    return groups


def _cut_line(line: Line, at: int, groups: list[list[Word]], reading: Reading) -> None:
    first = True
    try:
        for word in cut(line, at):
            if _is_separator(line.text[word.start - line.start :]):
                if first:
                    groups.append([])
                return
            groups[-1].append(word)
            first = False
            if word.cut_short:
                reading.cut_short.append((word.end, line.start + len(line.text.rstrip())))
    except CuttingError as error:
        reading.faults.append(Fault("cutting", error.message, error.start, error.end))


def _is_separator(rest: str) -> bool:
    """Whether a line goes on with the word that starts a component, which may not be quoted."""
    return _SEPARATOR.match(rest) is not None


def _apply(found: Iterable[Found], component: Component, reading: Reading) -> None:
    before: Found | None = None
    for item in found:
        match item:
            case Stray() if isinstance(before, Given) and _is_unknown(before, reading) and before.value is None:
                pass  # it is the value of the unknown option
            case Stray():
                message = f"`{item.word.text}` is neither an option nor the value of one"
                reading.faults.append(Fault("stray-word", message, item.word.start, item.word.end, _stray_help(item)))
            case Misuse():
                fault = Fault(item.kind, item.message, item.word.start, item.word.end, item.help)
                reading.faults.append(fault)
            case Given():
                _set(item, component, reading)
        before = item


def _is_unknown(given: Given, reading: Reading) -> bool:
    return given.option is None and given.name not in reading.tolerated


_DASHES = ("–", "—", "‐", "‑", "−")
"""What word processors make of `-`."""


def _stray_help(item: Stray) -> str:
    if item.word.text.startswith(_DASHES):
        return "that is not the dash of the keyboard: write `-` or `--`"
    if item.before.endswith("=") or item.word.text == "=":
        return "write the value directly behind the `=`, without a blank"
    if "$" in item.word.text or item.word.text.endswith((")", "`")):
        return "nothing is expanded in a directive"
    return "put a value with blanks into double quotes, or write `#` before a comment"


def _set(given: Given, component: Component, reading: Reading) -> None:
    component.given.append(given)
    if given.option is None:
        if _is_unknown(given, reading):
            message = f"`sbatch` has no option `--{given.name}`"
            reading.faults.append(Fault("unknown-option", message, given.start, given.end, given.name))
        return
    if not given.option.in_version(reading.version):
        message = f"version {reading.version} of Slurm has no option `--{given.name}`"
        reading.faults.append(Fault("newer-option", message, given.start, given.end))
    try:
        component.settings.set(given.option, given.value)
    except BadValueError as error:
        newer = by_name().get(given.abbreviated or "")
        if newer is not None:  # a later version has an option of this very name
            component.given[-1] = attrs.evolve(given, name=newer.name, option=newer, abbreviated=None)
            message = f"version {reading.version} of Slurm takes `--{newer.name}` for `--{given.name}`"
            reading.faults.append(Fault("newer-option", message, given.start, given.end))
            return
        if (given.value or "").lower() in NEWER_VALUES.get(given.name, ()):
            message = f"version {reading.version} of Slurm has no value `{given.value}` of `--{given.name}`"
            reading.faults.append(Fault("newer-option", message, given.start, given.end))
            return
        start = given.value_start if given.value_start is not None else given.start
        message = f"`{given.value}` is not a value of `--{given.name}`"
        end = given.value_end if given.value_end is not None else given.end
        reading.faults.append(Fault("bad-value", message, start, end, str(error)))


def _apply_foreign(found: Sequence[foreign.Translated], component: Component, reading: Reading) -> None:
    for item in found:
        if item.fault:
            reading.faults.append(Fault("foreign", item.fault, item.start, item.end))
            continue
        name, _, value = item.text.removeprefix("--").partition("=")
        before = component.value(name) if name in _ADDED else None
        if before:
            value = f"{value},{before}" if name == "constraint" else f"{before},{value}"
        text = f"--{name}={value}" if before else item.text
        _apply(options([Word(text, item.start, item.end)], names_of(REFERENCE)), component, reading)
