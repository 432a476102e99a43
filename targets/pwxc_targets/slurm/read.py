"""Batch scripts and their drivers into the IR."""

from __future__ import annotations

import re
from pathlib import PurePath

import attrs

from pwxc.diagnostics import Diagnostics, Severity
from pwxc.ir.entity import changed
from pwxc.ir.resources import Resources
from pwxc.ir.task import Task
from pwxc.ir.template import text
from pwxc.ir.workflow import Workflow
from pwxc.registry import ReadSettings
from pwxc.source import Source
from pwxc_targets.slurm import codes as C  # noqa: N812
from pwxc_targets.slurm.batch.directives import Reading, read_directives
from pwxc_targets.slurm.batch.report import read_source, report_faults, tell_components
from pwxc_targets.slurm.lower import Lowered, default_name, lower, unlike
from pwxc_targets.slurm.writing.submittext import CORE, FINISH, OPTIONS

_SUBMISSION = re.compile(r"\bsbatch\b")


def read(sources: tuple[Source, ...], settings: ReadSettings, diagnostics: Diagnostics) -> Workflow | None:
    """Read one script, a driver with its scripts, or a folder of scripts."""
    drivers = _find_drivers(sources)
    driver = drivers[0] if drivers else None
    if len(drivers) > 1 and drivers[0] is not sources[0]:
        others = ", ".join(f"`{item.name}`" for item in drivers)
        diagnostics.add(C.SEVERAL_DRIVERS, f"{others} all submit jobs", drivers[1].span(0, 0))
        return None
    if driver is not None and is_own(driver.text):
        from pwxc_targets.slurm.own.folder import read_own

        return read_own(driver, sources, settings, diagnostics)
    if driver is not None:
        from pwxc_targets.slurm.drivers.driver import read_driver

        found = Diagnostics()
        workflow = read_driver(driver, sources, settings, found)
        alone = len(sources) == 1 and driver.text.startswith("#!")
        if workflow is not None or not alone:
            diagnostics.extend(found)
            return workflow
        # `sbatch` would take the driver itself: it is kept as a script, and what could not be followed is told
        diagnostics.extend(attrs.evolve(item, severity=Severity.WARNING) for item in found)
        message = "the submissions cannot all be followed, so the driver is read as one script that makes them"
        diagnostics.add(C.KEPT_AS_SCRIPT, message, driver.span(0, 0))
    return _read_scripts(sources, settings, diagnostics)


def _find_drivers(sources: tuple[Source, ...]) -> list[Source]:
    """Find the sources that submit others: they call `sbatch` outside comments and have no directives themselves."""
    return [
        source
        for source in sources
        if _SUBMISSION.search(source.text) and not _has_directives(source.text) and _submits(source.text)
    ]


def _submits(content: str) -> bool:
    """Whether a script calls `sbatch`, and does not only speak of it."""
    from pwxc.shell.grammar import parse
    from pwxc.shell.words import ShellError
    from pwxc_targets.slurm.drivers.rules import submits

    if is_own(content):
        return True
    try:
        return submits(parse(content), {})
    except (ShellError, RecursionError):
        return True


def is_own(content: str) -> bool:
    """Whether the writer made a submit script: it has the writer's own functions, unchanged."""
    return CORE in content and OPTIONS in content and FINISH in content


def _has_directives(text: str) -> bool:
    return "#SBATCH" in text and bool(read_directives(text).directives)


def _read_scripts(sources: tuple[Source, ...], settings: ReadSettings, diagnostics: Diagnostics) -> Workflow | None:
    tasks: list[Task] = []
    resources: list[Resources] = []
    names: dict[str, int] = {}
    for source in sources:
        lowered = read_script(source, settings, diagnostics, names)
        if lowered is None:
            continue
        tasks.append(lowered.task)
        if lowered.resources is not None:
            resources.append(lowered.resources)
    if diagnostics.failed:
        return None
    name = tasks[0].name if len(tasks) == 1 else _folder_name(sources[0])
    span = sources[0].span(0, len(sources[0].text))
    return Workflow(
        name=name, dialect="slurm", tasks=tuple(tasks), resources=tuple(resources), origin=sources, span=span
    )


def _folder_name(source: Source) -> str:
    return (source.path.resolve().parent.name if source.path else "") or PurePath(source.name).stem


def read_script(
    source: Source, settings: ReadSettings, diagnostics: Diagnostics, names: dict[str, int]
) -> Lowered | None:
    """Read a script that stands alone; its name is made unlike those in `names`."""
    reading = read_source(source, settings)
    if not report_faults(reading, source, diagnostics):
        return None
    tell_components(reading, source.span(0, reading.body), diagnostics)
    name = unlike(default_name(reading.components[0], source.name), names)
    lowered = lower(reading, source.text, name, source.span(0, len(source.text)))
    return _with_own_dependency(lowered, reading)


def _with_own_dependency(lowered: Lowered, reading: Reading) -> Lowered:
    """Keep a dependency that stands in the script as a directive: it names jobs of the outside, or `singleton`."""
    if lowered.dependency is None:
        return lowered
    line = text(f"--dependency={lowered.dependency}")
    resources = lowered.resources or Resources(name=lowered.task.name, span=lowered.task.span)
    resources = changed(resources, directives=(*resources.directives, line))
    return changed(lowered, resources=resources, task=changed(lowered.task, resources=resources.name))
