"""Scripts that submit jobs, read by following them: what is submitted, and what waits for what (slurm.md §20)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePath
from typing import cast

import attrs

from pwxc.diagnostics import Diagnostic, Diagnostics, Severity
from pwxc.ir.entity import changed, fields_of, is_entity
from pwxc.ir.expr import Expr, Ref, Root
from pwxc.ir.expr import Node as Expression
from pwxc.ir.inputs import Input
from pwxc.ir.task import Script
from pwxc.ir.template import Template
from pwxc.ir.workflow import Workflow
from pwxc.registry import ReadSettings
from pwxc.shell.grammar import Node, parse
from pwxc.shell.words import ShellError
from pwxc.source import Source
from pwxc_targets.slurm import codes as C  # noqa: N812
from pwxc_targets.slurm.drivers.running.files import Files
from pwxc_targets.slurm.drivers.running.frames import UnsweepableError
from pwxc_targets.slurm.drivers.running.shell import Shell
from pwxc_targets.slurm.drivers.running.sourcing import is_shell
from pwxc_targets.slurm.drivers.running.turns import LONGEST_LOOP
from pwxc_targets.slurm.drivers.submissions import Submissions
from pwxc_targets.slurm.drivers.text.marks import may_be_marks

_MOST_FROZEN = 20
_NO_MATCH = "read the driver where its files are, or write their names into it"
_RULE = re.compile(r"^[\w./%$()-]+(?: [\w./%$()-]+)*\s*::?(?!=)[^=\n]*\n\t", re.MULTILINE)
"""A rule of `make`: a target, and a recipe behind a tab."""


def read_driver(
    driver: Source, sources: tuple[Source, ...], settings: ReadSettings, diagnostics: Diagnostics
) -> Workflow | None:
    """Read a driver and the scripts that it submits; what cannot be followed is a diagnostic at its place."""
    nodes = _parsed(driver, diagnostics)
    if nodes is None:
        return None
    followed = _settled(nodes, driver, sources, settings)
    if settings.folder is not None and _leads_above(followed):
        # a driver in a folder of its own may be called from the one above
        above = attrs.evolve(settings, folder=settings.folder.resolve().parent)
        again = _settled(nodes, driver, sources, above)
        followed = followed if again.diagnostics.failed else again
    shell, taken = followed.shell, followed.taken
    diagnostics.extend(_once(followed.diagnostics))
    if diagnostics.failed:
        dynamic = any(item.code is C.DYNAMIC for item in diagnostics)
        for pattern, span in shell.without_match.items() if dynamic else ():
            diagnostics.add(C.AS_IT_IS, f"no file matches `{pattern}` now", span, help=_NO_MATCH)
        return None
    if not taken.tasks:
        diagnostics.add(C.NO_JOBS, f"`{driver.name}` submits nothing that can be read", driver.span(0, 0))
        return None
    if shell.strangers:
        first = shell.strangers[0]
        message = f"`{first.text}` and other commands of the driver are not part of the workflow"
        diagnostics.add(C.LOGIN_COMMANDS, message, first)
    for source in taken.unused():
        message = f"`{source.name}` is not submitted by `{driver.name}`"
        diagnostics.add(C.NOT_SUBMITTED, message, source.span(0, 0))
    workflow = Workflow(
        name=PurePath(driver.name).stem or "workflow",
        dialect="slurm",
        tasks=tuple(taken.tasks),
        resources=tuple(taken.resources),
        origin=tuple(taken.sources),
        span=driver.span(0, len(driver.text)),
    )
    inputs = _inputs(workflow, followed)
    for text, name in shell.made.items():
        if any(item.name == name for item in inputs):
            diagnostics.add(C.MADE_UP, f"what `{text}` prints is an input, `{name}`", shell.places[name])
    return changed(workflow, inputs=inputs)


def _inputs(workflow: Workflow, followed: _Followed) -> tuple[Input, ...]:
    """Give the inputs that reach a job, its options or a decision; what a dropped command needs is none."""
    shell = followed.shell
    used = {ref.path[0]: None for ref in _refs((workflow.tasks, workflow.resources)) if ref.root is Root.INPUT}
    names = [name for name in shell.inputs if name in used]
    # a variable of the login that an option needs is an input too: no shell reads it there
    names += [name for name in used if name not in shell.inputs]
    return tuple(
        Input(name=name, default=value, has_default=value is not None, span=shell.places.get(name))
        for name in names
        for value in [shell.inputs.get(name)]
    )


def _refs(item: object) -> Iterator[Ref]:
    """Go through the references in a noun and in all that is below it."""
    if isinstance(item, Template):
        yield from item.refs()
    elif isinstance(item, Expression):
        yield from Template((cast("Expr", item),)).refs()
    elif isinstance(item, tuple):
        for part in item:
            yield from _refs(part)
    elif is_entity(item) or isinstance(item, Script):
        for field in fields_of(item):
            yield from _refs(getattr(item, field.name))


def _leads_above(followed: _Followed) -> bool:
    """Whether scripts are not there, or jobs run above the folder in which the driver is taken to be called."""
    folders = [task.working_directory for task in followed.taken.tasks]
    above = any(folder is not None and ".." in (folder.literal or "").split("/") for folder in folders)
    return above or any(item.code is C.NO_FILE for item in followed.diagnostics)


def _once(diagnostics: Diagnostics) -> list[Diagnostic]:
    """Give diagnostics without those that stand there already: a loop's body is followed once a turn."""
    found: dict[object, Diagnostic] = {}
    for item in diagnostics:
        place = item.span and (id(item.span.source), item.span.start, item.span.end)
        found.setdefault((item.code.id, item.message, place), item)
    return list(found.values())


def _parsed(driver: Source, diagnostics: Diagnostics) -> tuple[Node, ...] | None:
    """Read the text of a driver, if it is one of a shell."""
    if may_be_marks(driver.text):
        diagnostics.add(C.DYNAMIC, "the script has characters of a private range", driver.span(0, 0))
        return None
    stop = driver.text.find("\n") if driver.text.startswith("#!") else 0
    if not is_shell(driver.text):
        message = f"`{driver.text[2:stop].strip()}` is no shell whose scripts are followed"
        diagnostics.add(C.DYNAMIC, message, driver.span(0, stop))
        return None
    if (rule := _RULE.search(driver.text)) is not None and not driver.text.startswith("#!"):
        diagnostics.add(C.DYNAMIC, "the file has rules of `make`, which are not followed", driver.span(*rule.span()))
        return None
    try:
        return parse(driver.text)
    except ShellError as error:
        message = f"the script cannot be followed: {error}"
        diagnostics.add(C.DYNAMIC, message, driver.span(error.start, min(error.end, len(driver.text))))
    except RecursionError:
        diagnostics.add(C.DYNAMIC, "the script is nested too deeply to be followed", driver.span(0, 0))
    return None


@attrs.define
class _Followed:
    """What following a driver gave; inputs in `frozen` were taken at their defaults."""

    shell: Shell
    taken: Submissions
    diagnostics: Diagnostics
    frozen: frozenset[str] = frozenset()


def _settled(nodes: tuple[Node, ...], driver: Source, sources: tuple[Source, ...], settings: ReadSettings) -> _Followed:
    """Follow a driver; inputs that decide what is submitted are taken at their defaults, which is told."""
    first = _follow(nodes, driver, sources, settings, frozenset())
    if not first.diagnostics.failed or len(first.shell.inputs) > _MOST_FROZEN or first.shell.turns > LONGEST_LOOP:
        return first
    given = first.shell.inputs.items()
    some = [name for name, default in given if default is not None]
    # one that is not given is empty, as a switch that nobody sets
    every = [name for name, _ in given if name not in first.shell.expander.made_up]
    for names in filter(None, (some, every if every != some else [])):
        best = _follow(nodes, driver, sources, settings, frozenset(names))
        if best.taken.tasks and not best.diagnostics.failed:
            found = _with_fewest(best, names, lambda frozen: _follow(nodes, driver, sources, settings, frozen))
            if found is not None:
                return found
    return first


def _with_fewest(
    best: _Followed, names: Sequence[str], follow: Callable[[frozenset[str]], _Followed]
) -> _Followed | None:
    """Leave open as many inputs as possible, and tell of the others why they cannot be.

    None if one without a default decides it otherwise than by a test.
    """
    reasons: list[tuple[str, Diagnostic]] = []
    tested: set[str] = set()
    for name in names:
        fewer = follow(best.frozen - {name})
        if fewer.diagnostics.failed:
            tested |= fewer.shell.expander.tested
            reasons.append((name, next(item for item in fewer.diagnostics if item.severity is Severity.ERROR)))
        else:
            best = fewer
    for name, reason in reasons:
        value = best.shell.inputs.get(name)
        if value is None and name not in tested:
            return None
        message = f"`{name}` is taken as {f'`{value}`' if value else 'empty'}, since it decides what is submitted"
        best.diagnostics.add(C.TAKEN_AS_DEFAULT, message, reason.span, help=f"otherwise {reason.message}")
    return best


def _script(driver: Source, folder: Path | None) -> str:
    """Give the path by which a driver is called in a folder."""
    if driver.path is not None and folder is not None:
        place, top = driver.path.resolve(), folder.resolve()
        if place.is_relative_to(top):
            return f"./{place.relative_to(top).as_posix()}"
    return f"./{PurePath(driver.name).name}"


def _follow(
    nodes: tuple[Node, ...],
    driver: Source,
    sources: tuple[Source, ...],
    settings: ReadSettings,
    frozen: frozenset[str],
) -> _Followed:
    """Follow a script; what turns out to be no sweep is followed again turn by turn."""
    unrolled: frozenset[int] = frozenset()
    while True:
        diagnostics = Diagnostics()
        taken = Submissions(driver, list(sources), settings, diagnostics)
        files = Files(settings.folder, [item for item in sources if item is not driver], lambda path: None)
        script = _script(driver, settings.folder)
        shell = Shell(driver, script, diagnostics, taken.take, taken.beside, files, unrolled, frozen)
        followed = _Followed(shell, taken, diagnostics, frozen)
        try:
            shell.run(nodes)
        except UnsweepableError as error:
            if error.loop in unrolled:
                diagnostics.add(C.DYNAMIC, "the loop cannot be followed", shell.texts.span(error.loop, error.loop))
                return followed
            unrolled |= {error.loop}
            continue
        except RecursionError:
            diagnostics.add(C.DYNAMIC, "the script is nested too deeply to be followed", driver.span(0, 0))
        return followed
