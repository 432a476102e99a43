"""What Slurm's rules and good habit say about batch scripts."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator

from pwxc.diagnostics import Diagnostics
from pwxc.registry import ReadSettings
from pwxc.source import Source, Span
from pwxc_targets.slurm import codes as C  # noqa: N812
from pwxc_targets.slurm.batch.cutting import MAGIC
from pwxc_targets.slurm.batch.directives import Component, Reading
from pwxc_targets.slurm.batch.getopt import Given
from pwxc_targets.slurm.batch.lists import array, dependency
from pwxc_targets.slurm.batch.report import read_source, report_faults
from pwxc_targets.slurm.batch.table import by_name
from pwxc_targets.slurm.batch.wordvalues import MAILS, BadValueError
from pwxc_targets.slurm.contexts import Place, Scanner

_LAUNCHER = re.compile(
    r"\b(srun|mpirun|mpiexec|mpirun_rsh|aprun|ibrun|jsrun|prun|torchrun|accelerate|deepspeed|parallel|mpiexec\.hydra|orterun|flux"
    r"|charmrun|horovodrun|dask-mpi|multiprocessing|salloc|ray|wait)\b"
)
_ELSEWHERE = re.compile(
    r"^\s*(?:source|\.|bash|sh|exec|eval|time|\$\{?\w+\}?)\s|(?<![\w$])[\w./-]+\.(?:sh|bash|job)\b|^\s*\$\{?\w+",
    re.MULTILINE,
)
"""Commands behind which another script may start the tasks."""
_STEP = re.compile(
    r"^[^#\n]*?\bsrun\b(?:[ \t]+(?:--?[\w-]+(?:[= ][\w./:,@%-]+)?))*?[ \t]+(?:-n[ \t]*|--ntasks[= ])(?P<number>\d+)\b",
    re.MULTILINE,
)
_ALMOST = re.compile(r"^(?:[ \t]+#SBATCH|#[ \t]+SBATCH|#(?!SBATCH)[Ss][Bb][Aa][Tt][Cc][Hh])[ \t]+-", re.MULTILINE)
_VARIABLE = re.compile(r"\$(?:\{?[A-Za-z_]\w*\}?|\()|`")
_MEMORY = ("mem", "mem-per-cpu", "mem-per-gpu")


def lint(sources: tuple[Source, ...], settings: ReadSettings, diagnostics: Diagnostics) -> None:
    """Check scripts one by one; a text without directives is left alone."""
    for source in sources:
        if MAGIC not in source.text and not source.text.startswith("#!"):
            continue
        reading = read_source(source, settings)
        if not reading.directives and not reading.late:
            continue
        report_faults(reading, source, diagnostics)
        _check_lines(reading, source, diagnostics)
        for component in reading.components:
            for check in _CHECKS:
                check(component, source, diagnostics)
        _check_body(reading, source, diagnostics)


def _check_lines(reading: Reading, source: Source, diagnostics: Diagnostics) -> None:
    scanner = Scanner()
    at = reading.body
    for line in reading.late:
        scanner.feed(source.text[at : line.start])
        at = line.start
        if scanner.place is not Place.PLAIN:
            continue  # a line of a here-document or of a quoted text: it belongs to another script
        told = line.text.strip()[:60]
        diagnostics.add(
            C.LATE_DIRECTIVE, f"Slurm ignores `{told}`: it stands after a command", source.span(line.start, line.end)
        )
    for found in _ALMOST.finditer(source.text, 0, reading.body):
        span = source.span(found.start(), found.end())
        diagnostics.add(C.ALMOST_DIRECTIVE, "the line is a comment, not a directive", span)


def _span(source: Source, given: Given, *, value: bool = False) -> Span:
    start = given.value_start if value and given.value_start is not None else given.start
    return source.span(start, given.end)


def _check_values(component: Component, source: Source, diagnostics: Diagnostics) -> None:
    for given in component.given:
        if given.value is not None and _VARIABLE.search(given.value):
            message = f"`{given.value}` stays as it is written: nothing is expanded in a directive"
            diagnostics.add(C.VARIABLE_IN_DIRECTIVE, message, _span(source, given, value=True))
        if given.abbreviated is not None:
            message = f"`--{given.abbreviated}` is short for `--{given.name}`"
            diagnostics.add(C.ABBREVIATED, message, _span(source, given), help=f"write `--{given.name}`")
    _check_lists(component, source, diagnostics)


def _check_lists(component: Component, source: Source, diagnostics: Diagnostics) -> None:
    for name, read, code in (("array", array, C.BAD_ARRAY), ("dependency", dependency, C.BAD_DEPENDENCY)):
        given = component.find(name)
        if given is None or given.value is None:
            continue
        try:
            read(given.value)
        except BadValueError as error:
            message = f"the controller refuses `{given.value}`"
            diagnostics.add(code, message, _span(source, given, value=True), help=str(error))


def _check_spelling(component: Component, source: Source, diagnostics: Diagnostics) -> None:
    for given in component.given:
        value = given.value or ""
        if given.dashes != "-" or given.option is None:
            continue
        whole = f"{given.option.short}{value}".partition("=")[0]
        if value.startswith("="):
            message = f"the value of `-{given.option.short}` is `{value}`, with the `=`"
            diagnostics.add(C.SHORT_EQUALS, message, _span(source, given), help=f"write `--{given.name}{value}`")
        elif len(whole) > 2 and whole in by_name():
            message = f"`-{whole}` is read as `-{given.option.short}` with the value `{value}`"
            diagnostics.add(C.SINGLE_DASH, message, _span(source, given), help=f"write `--{whole}`")


def _check_repetition(component: Component, source: Source, diagnostics: Diagnostics) -> None:
    seen: dict[str, Given] = {}
    for given in component.given:
        before = seen.get(given.name)
        if before is not None and before.value != given.value and given.name != "mail-type":
            message = f"`--{given.name}` was given before with another value"
            diagnostics.add(C.REPEATED, message, _span(source, given))
        seen[given.name] = given
    memory = [seen[name] for name in _MEMORY if name in seen]
    for given in memory[1:]:
        message = f"`--{given.name}` and `--{memory[0].name}` exclude each other"
        diagnostics.add(C.MEMORY_TWICE, message, _span(source, given))


def _check_environment(component: Component, source: Source, diagnostics: Diagnostics) -> None:
    given = component.find("export")
    words = (given.value or "").split(",") if given is not None else []
    if given is not None and "ALL" not in [word.upper() for word in words] and words[0].upper() not in ("NONE", "NIL"):
        message = f"`--export={given.value}` takes `PATH` from the steps"
        diagnostics.add(C.EXPORT_WITHOUT_ALL, message, _span(source, given))
    mail = component.find("mail-type")
    for word in (mail.value or "").split(",") if mail is not None else ():
        if word and word.upper() not in (*MAILS, "NONE", "ALL", "ARRAY_TASKS") and mail is not None:
            message = f"`{word}` is no kind of mail and is dropped"
            diagnostics.add(C.MAIL_WORD, message, _span(source, mail, value=True))


def _check_folders(component: Component, source: Source, diagnostics: Diagnostics) -> None:
    for name in ("output", "error"):
        given = component.find(name)
        folder = posixpath.dirname(given.value or "") if given is not None else ""
        if given is not None and folder not in ("", "/", ".", "/dev", "/tmp"):
            message = f"the folder `{folder}` has to be there before the job starts"
            diagnostics.add(C.MISSING_FOLDER, message, _span(source, given, value=True))


_CHECKS: tuple[Callable[[Component, Source, Diagnostics], None], ...] = (
    _check_values,
    _check_spelling,
    _check_repetition,
    _check_environment,
    _check_folders,
)


def _check_body(reading: Reading, source: Source, diagnostics: Diagnostics) -> None:
    component = reading.components[0]
    body = "\n".join(_code_lines(source.text[reading.body :]))
    launched = _LAUNCHER.search(body) is not None or _ELSEWHERE.search(body) is not None
    _check_steps(reading, source, diagnostics)
    for name in ("ntasks", "ntasks-per-node"):
        given = component.find(name)
        several = given is not None and (given.value or "").strip().isdigit() and int(given.value or 0) > 1
        if given is not None and several and not launched and "SLURM_N" not in body:
            message = f"nothing starts the {given.value} tasks: the script itself runs once"
            diagnostics.add(C.TASKS_WITHOUT_SRUN, message, _span(source, given))
    cpus = component.find("cpus-per-task")
    if cpus is None or (cpus.value or "") in ("", "1") or not re.search(r"\bsrun\b", body):
        return
    if not re.search(r"--cpus-per-task|\bsrun\b[^\n]*\s-c|SRUN_CPUS_PER_TASK", body):
        diagnostics.add(C.SRUN_CPUS, "`srun` may not get `--cpus-per-task` from the job", _span(source, cpus))


def _check_steps(reading: Reading, source: Source, diagnostics: Diagnostics) -> None:
    """Find steps that ask for more tasks than the job has; `srun` refuses them."""
    tasks = _tasks(reading.components[0])
    if len(reading.components) > 1 or tasks is None:
        return
    for found in _STEP.finditer(source.text, reading.body):
        number = int(found.group("number"))
        if number > tasks and "#" not in found.group():
            message = f"the step asks for {number} tasks, and the job has {tasks}"
            diagnostics.add(C.STEP_TASKS, message, source.span(found.start("number"), found.end("number")))


def _tasks(component: Component) -> int | None:
    """Give how many tasks a job has where its directives say so."""
    told = {name: (component.value(name) or "").strip() for name in ("ntasks", "nodes", "ntasks-per-node")}
    if told["ntasks"].isdigit():
        return int(told["ntasks"])
    per_node = told["ntasks-per-node"] or (component.value("tasks-per-node") or "").strip()
    if told["nodes"].isdigit() and per_node.isdigit():
        return int(told["nodes"]) * int(per_node)
    return None


def _code_lines(text: str) -> Iterator[str]:
    return (line for line in text.splitlines() if not line.lstrip().startswith("#"))
