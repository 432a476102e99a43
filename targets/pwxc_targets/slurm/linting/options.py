"""What the options of one component say, and what they do not do (slurm.md §4, §5, §11, §12)."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from itertools import takewhile

from pwxc_targets.slurm import codes as C  # noqa: N812
from pwxc_targets.slurm.batch.directives import Component
from pwxc_targets.slurm.batch.getopt import Given
from pwxc_targets.slurm.batch.lists import array, dependency
from pwxc_targets.slurm.batch.table import by_name
from pwxc_targets.slurm.batch.wordvalues import MAILS, BadValueError
from pwxc_targets.slurm.linting.subject import Subject

_VARIABLE = re.compile(r"\$(?:\{?[A-Za-z_]\w*|\{?[0-9@*#]|\()|`")
_FILES = frozenset(["output", "error", "input", "chdir"])
_MEMORY = ("mem", "mem-per-cpu", "mem-per-gpu")
_SMALL = 128
"""A plain number of MiB below this is taken for a number of GiB that lacks its unit."""
_TWO_FIELDS = re.compile(r"0*([0-9]+):([0-9]+)")
_KNOWN_FOLDERS = ("", "/", ".", "/dev", "/tmp", "/var/tmp", "/dev/shm")
_MAIL_WORDS = frozenset([*MAILS, "NONE", "ALL", "ARRAY_TASKS"])


def check_options(component: Component, subject: Subject) -> None:
    """Hold the options of a component against all rules."""
    for check in _CHECKS:
        check(component, subject)


def _values(component: Component, *names: str) -> Iterator[tuple[Given, str]]:
    """Give the options that count and have a value, of those that are named."""
    for name in names:
        given = component.find(name)
        if given is not None and given.value is not None:
            yield given, given.value


def _check_variables(component: Component, subject: Subject) -> None:
    for given in component.given:
        value = given.value or ""
        found = _VARIABLE.search(value)
        if found is not None and not (given.name == "comment" and found.group()[1:2].isdigit()):
            message = f"`{value}` stays as it is written: nothing is expanded in a directive"
            subject.tell_option(C.VARIABLE_IN_DIRECTIVE, message, given, value=True)
        elif given.name in _FILES and value.startswith("~"):
            message = f"`{value}` stays as it is written: `~` is not the home folder in a directive"
            subject.tell_option(C.VARIABLE_IN_DIRECTIVE, message, given, value=True)


def _check_lists(component: Component, subject: Subject) -> None:
    for name, read, code in (("array", array, C.BAD_ARRAY), ("dependency", dependency, C.BAD_DEPENDENCY)):
        for given, value in _values(component, name):
            try:
                read(value)
            except BadValueError as error:
                subject.tell_option(code, f"the controller refuses `{value}`", given, str(error), value=True)
    for given, _ in _values(component, "array"):
        if len(subject.components) > 1:
            subject.tell_option(C.BAD_ARRAY, "a heterogeneous job cannot be an array", given)


def _check_spelling(component: Component, subject: Subject) -> None:
    for given in component.given:
        if given.abbreviated is not None:
            message = f"`--{given.abbreviated}` is short for `--{given.name}`"
            subject.tell_option(C.ABBREVIATED, message, given, f"write `--{given.name}`")
        value = given.value or ""
        if given.dashes != "-" or given.option is None:
            continue
        whole = f"{given.option.short}{value}".partition("=")[0]
        if value.startswith("="):
            message = f"the value of `-{given.option.short}` is `{value}`, with the `=`"
            subject.tell_option(C.SHORT_EQUALS, message, given, f"write `--{given.name}{value}`")
        elif len(whole) > 2 and whole in by_name():
            message = f"`-{whole}` is read as `-{given.option.short}` with the value `{value}`"
            subject.tell_option(C.SINGLE_DASH, message, given, f"write `--{whole}`")


def _check_repetition(component: Component, subject: Subject) -> None:
    seen: dict[str, Given] = {}
    for given in component.given:
        before = seen.get(given.name)
        if before is not None and before.value != given.value and given.name != "mail-type":
            subject.tell_option(C.REPEATED, f"`--{given.name}` was given before with another value", given)
        seen[given.name] = given


def _check_memory(component: Component, subject: Subject) -> None:
    """Report memory that is asked for in two ways, of which an earlier component may have one (slurm.md §10)."""
    found: dict[str, Given] = {}
    for part in takewhile(lambda item: item is not component, subject.components):
        found |= {name: given for name in _MEMORY if by_name()[name].kept and (given := part.find(name)) is not None}
    own = {name: given for name in _MEMORY if (given := component.find(name)) is not None}
    memory = sorted((found | own).values(), key=lambda given: given.start)
    for given in memory[1:]:
        if given.name in own:
            message = f"`--{given.name}` and `--{memory[0].name}` exclude each other"
            subject.tell_option(C.MEMORY_TWICE, message, given)


def _check_amounts(component: Component, subject: Subject) -> None:
    for given, value in _values(component, *_MEMORY):
        if value.isascii() and value.isdigit() and 0 < int(value) < _SMALL:
            message = f"`{value}` is {value} MiB"
            subject.tell_option(C.SMALL_MEMORY, message, given, f"write `{value}G` for GiB", value=True)
    for given, value in _values(component, "time"):
        found = _TWO_FIELDS.fullmatch(value)
        if found is not None:
            minutes, seconds = int(found[1]), int(found[2])
            message = f"`{value}` is {minutes} minutes and {seconds} seconds"
            subject.tell_option(C.TWO_FIELDS, message, given, f"write `{value}:00` for hours and minutes", value=True)


def _check_environment(component: Component, subject: Subject) -> None:
    for given, value in _values(component, "export"):
        words = value.split(",")
        if "ALL" not in [word.upper() for word in words] and words[0].upper() not in ("NONE", "NIL"):
            subject.tell_option(C.EXPORT_WITHOUT_ALL, f"`--export={value}` takes `PATH` from the steps", given)
    for given in component.given:
        for word in (given.value or "").split(",") if given.name == "mail-type" else ():
            if word and word.upper() not in _MAIL_WORDS:
                subject.tell_option(C.MAIL_WORD, f"`{word}` is no kind of mail and is dropped", given, value=True)


def _check_folders(component: Component, subject: Subject) -> None:
    for given, value in _values(component, "output", "error"):
        folder = posixpath.dirname(value)
        if folder not in _KNOWN_FOLDERS:
            message = f"the folder `{folder}` has to be there before the job starts"
            subject.tell_option(C.MISSING_FOLDER, message, given, value=True)


_CHECKS: tuple[Callable[[Component, Subject], None], ...] = (
    _check_variables,
    _check_lists,
    _check_spelling,
    _check_repetition,
    _check_memory,
    _check_amounts,
    _check_environment,
    _check_folders,
)
