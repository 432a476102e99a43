"""Batch scripts and their drivers into the IR."""

from __future__ import annotations

import re
from pathlib import Path, PurePath

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
from pwxc_targets.slurm.batch.directives import Reading
from pwxc_targets.slurm.batch.report import read_source, report_faults
from pwxc_targets.slurm.lower import Lowered, default_name, find_places, lower, unlike
from pwxc_targets.slurm.writing.submittext import CORE, FINISH, OPTIONS

_SUBMISSION = re.compile(r"\bsbatch\b")


def read(sources: tuple[Source, ...], settings: ReadSettings, diagnostics: Diagnostics) -> Workflow | None:
    """Read one script, a driver with its scripts, or a folder of scripts."""
    drivers = _find_drivers(sources, settings.folder)
    driver = drivers[0] if drivers else None
    if len(drivers) > 1 and drivers[0] is not sources[0]:
        others = ", ".join(f"`{item.name}`" for item in drivers)
        diagnostics.add(C.SEVERAL_DRIVERS, f"{others} all submit jobs", drivers[1].span(0, 0))
        return None
    if driver is not None and is_own(driver.text):
        from pwxc_targets.slurm.own.folder import read_own

        return read_own(driver, sources, settings, diagnostics)
    if driver is not None and driver not in sources:
        sources = (*sources, driver)
    if driver is not None:
        from pwxc_targets.slurm.drivers.driver import read_driver

        found = Diagnostics()
        workflow = read_driver(driver, sources, settings, found)
        from pwxc_targets.slurm.drivers.running.sourcing import is_shell

        alone = driver.text.startswith("#!") and (len(sources) == 1 or not is_shell(driver.text))
        if workflow is not None or not alone:
            diagnostics.extend(found)
            return workflow
        # `sbatch` would take the driver itself: it is kept as a script, and what could not be followed is told
        diagnostics.extend(attrs.evolve(item, severity=Severity.WARNING) for item in found)
        message = "the submissions cannot all be followed, so the driver is read as one script that makes them"
        diagnostics.add(C.KEPT_AS_SCRIPT, message, driver.span(0, 0))
        kept = _read_scripts((driver,), settings, diagnostics)
        return kept and changed(kept, origin=sources)
    return _read_scripts(sources, settings, diagnostics)


def _find_drivers(sources: tuple[Source, ...], folder: Path | None) -> list[Source]:
    """Find the sources that submit others."""
    if len(sources) == 1 and not _SUBMISSION.search(sources[0].text) and ".sh" not in sources[0].text:
        return []
    own = [source for source in sources if is_own(source.text)]
    if own:
        return own
    from pwxc_targets.slurm.drivers.finding import find_drivers

    return find_drivers(sources, folder)


def is_own(content: str) -> bool:
    """Whether the writer made a submit script: it has the writer's own functions, unchanged."""
    return CORE in content and OPTIONS in content and FINISH in content


def _read_scripts(sources: tuple[Source, ...], settings: ReadSettings, diagnostics: Diagnostics) -> Workflow | None:
    tasks: list[Task] = []
    resources: list[Resources] = []
    names: dict[str, int] = {}
    for source in sources:
        lowered = read_script(source, settings, diagnostics, names)
        if lowered is None:
            continue
        tasks.append(lowered.task)
        resources += lowered.classes
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
    name = unlike(default_name(reading.components[0], source.name), names)
    if reading.components[0].given and _SUBMISSION.search(source.text, reading.body):
        from pwxc_targets.slurm.drivers.finding import tell_inner_submissions

        tell_inner_submissions(source, reading.body, diagnostics)
    lowered = lower(reading, source.text, name, names, source.span(0, len(source.text)), (source, 0))
    _tell_array(reading, lowered, source, diagnostics)
    return _with_own_dependency(lowered, reading)


def _tell_array(reading: Reading, lowered: Lowered, source: Source, diagnostics: Diagnostics) -> None:
    """Say of an array whose indexes cannot be read that it is kept as it is written."""
    given = reading.components[0].find("array")
    if given is None or lowered.task.sweep is not None:
        return
    message = f"`{given.value}` are no indexes of an array: the option is kept as it is"
    diagnostics.add(C.ARRAY_KEPT, message, source.span(given.start, given.end))


def _with_own_dependency(lowered: Lowered, reading: Reading) -> Lowered:
    """Keep a dependency that stands in the script as a directive: it names jobs of the outside, or `singleton`."""
    if lowered.dependency is None:
        return lowered
    line = text(f"--dependency={lowered.dependency}")
    places = find_places(reading.components[0], (), lowered.task.span)
    resources = lowered.resources or Resources(name=lowered.task.name, span=lowered.task.span, places=places)
    resources = changed(resources, directives=(*resources.directives, line))
    return changed(lowered, resources=resources, task=changed(lowered.task, resources=resources.name))
