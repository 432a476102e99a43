"""Scripts that submit jobs, read by following them: what is submitted, and what waits for what (slurm.md §20)."""

from __future__ import annotations

from pathlib import PurePath

from pwxc.diagnostics import Diagnostics
from pwxc.ir.inputs import Input
from pwxc.ir.workflow import Workflow
from pwxc.registry import ReadSettings
from pwxc.shell.grammar import Node, parse
from pwxc.shell.words import ShellError
from pwxc.source import Source
from pwxc_targets.slurm import codes as C  # noqa: N812
from pwxc_targets.slurm.drivers.frames import UnsweepableError
from pwxc_targets.slurm.drivers.marks import may_be_marks
from pwxc_targets.slurm.drivers.shell import Shell
from pwxc_targets.slurm.drivers.submissions import Submissions


def read_driver(
    driver: Source, sources: tuple[Source, ...], settings: ReadSettings, diagnostics: Diagnostics
) -> Workflow | None:
    """Read a driver and the scripts that it submits; what cannot be followed is a diagnostic at its place."""
    if may_be_marks(driver.text):
        diagnostics.add(C.DYNAMIC, "the script has characters of a private range", driver.span(0, 0))
        return None
    try:
        nodes = parse(driver.text)
    except ShellError as error:
        message = f"the script cannot be followed: {error}"
        diagnostics.add(C.DYNAMIC, message, driver.span(error.start, min(error.end, len(driver.text))))
        return None
    except RecursionError:
        diagnostics.add(C.DYNAMIC, "the script is nested too deeply to be followed", driver.span(0, 0))
        return None
    found = Diagnostics()
    shell, taken = _follow(nodes, driver, sources, settings, found)
    diagnostics.extend(found)
    if diagnostics.failed:
        return None
    if not taken.tasks:
        diagnostics.add(C.NO_JOBS, f"`{driver.name}` submits nothing that can be read", driver.span(0, 0))
        return None
    if shell.strangers:
        first = shell.strangers[0]
        message = f"`{first.text}` and other commands of the driver are not part of the workflow"
        diagnostics.add(C.LOGIN_COMMANDS, message, driver.span(first.start, first.end))
    for source in taken.unused():
        message = f"`{source.name}` is not submitted by `{driver.name}`"
        diagnostics.add(C.NOT_SUBMITTED, message, source.span(0, 0))
    inputs = tuple(
        Input(name=name, default=value, has_default=value is not None) for name, value in shell.inputs.items()
    )
    return Workflow(
        name=PurePath(driver.name).stem or "workflow",
        dialect="slurm",
        inputs=inputs,
        tasks=tuple(taken.tasks),
        resources=tuple(taken.resources),
        origin=tuple(taken.sources),
        span=driver.span(0, len(driver.text)),
    )


def _follow(
    nodes: tuple[Node, ...],
    driver: Source,
    sources: tuple[Source, ...],
    settings: ReadSettings,
    diagnostics: Diagnostics,
) -> tuple[Shell, Submissions]:
    """Follow a script; what turns out to be no sweep is followed again turn by turn."""
    unrolled: frozenset[int] = frozenset()
    while True:
        diagnostics.items.clear()
        taken = Submissions(driver, list(sources), settings, diagnostics)
        shell = Shell(driver, diagnostics, taken.take, unrolled)
        try:
            shell.run(nodes)
        except UnsweepableError as error:
            if error.loop in unrolled:
                diagnostics.add(C.DYNAMIC, "the loop cannot be followed", driver.span(error.loop, error.loop))
                return shell, taken
            unrolled |= {error.loop}
            continue
        except RecursionError:
            diagnostics.add(C.DYNAMIC, "the script is nested too deeply to be followed", driver.span(0, 0))
        return shell, taken
