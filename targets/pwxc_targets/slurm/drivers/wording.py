"""What a call of `sbatch` says, with the marks in it turned into what a workflow has in their place."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import attrs

from pwxc.ir.data import Variable
from pwxc.ir.entity import changed
from pwxc.ir.expr import Expr, Ref, Root
from pwxc.ir.resources import Resources
from pwxc.ir.sweep import Range, Values
from pwxc.ir.task import Script, Task
from pwxc.ir.template import Template, text
from pwxc.shell import quote
from pwxc_targets.slurm.batch.directives import Component
from pwxc_targets.slurm.batch.getopt import Given
from pwxc_targets.slurm.batch.lists import array
from pwxc_targets.slurm.batch.wordvalues import BadValueError
from pwxc_targets.slurm.drivers.running.calls import Submission
from pwxc_targets.slurm.drivers.running.frames import Frames
from pwxc_targets.slurm.drivers.running.sourcing import is_shell
from pwxc_targets.slurm.drivers.text.marks import (
    HERE,
    INPUT,
    LOGIN,
    SWEEP,
    UNKNOWN,
    as_template,
    is_fixed,
    names_in,
    replace_marks,
)
from pwxc_targets.slurm.drivers.text.paths import from_folder, joined
from pwxc_targets.slurm.lower import INDEX, Lowered

_HARMLESS = re.compile(r"[\w.,:/@%+= -]*")

_FILES = frozenset(["output", "error", "input"])
"""Options whose values are names of files, in which Slurm has patterns."""


def placed(
    submission: Submission, given: Sequence[Given], arguments: Sequence[str]
) -> tuple[Submission, list[Given], list[str]]:
    """Tell paths of the folder in which the driver is called from the folder in which the job runs."""
    folder = submission.folder
    chdir = next((item.value for item in reversed(given) if item.name == "chdir" and item.value), None)
    base = joined(folder, chdir) if chdir is not None else folder
    told = [_of_login(_moved(item, folder if item.name == "chdir" else base)) for item in given]
    if any(HERE in value for value in (*submission.exported.values(), submission.here or "")):
        exported = {name: from_folder(value, base) for name, value in submission.exported.items()}
        here = None if submission.here is None else from_folder(submission.here, base)
        submission = attrs.evolve(submission, exported=exported, here=here)
    return submission, told, [from_folder(value, base) for value in arguments]


def _moved(item: Given, folder: str) -> Given:
    if item.value is None or HERE not in item.value:
        return item
    return attrs.evolve(item, value=from_folder(item.value, folder))


def _of_login(item: Given) -> Given:
    if item.value is None or LOGIN not in item.value:
        return item
    if item.name == "wrap":
        return item  # a script
    value = as_folder(item.value) if item.name == "chdir" else item.value
    return attrs.evolve(item, value=as_option(value, named=item.name in _FILES))


def indexes_of(component: Component) -> Range | Values | None:
    """Give the indexes of an array."""
    value = component.value("array")
    try:
        return array(value).indexes if value else None
    except BadValueError:
        return None


def with_late(lowered: Lowered, late: Sequence[Given]) -> Lowered:
    """Keep options whose values are inputs as texts."""
    if not late:
        return lowered
    resources = lowered.resources or Resources(name=lowered.task.name, span=lowered.task.span)
    texts = tuple(text(f"--{item.name}={item.value}") for item in late)
    return changed(lowered, resources=changed(resources, directives=(*resources.directives, *texts)))


def plain_name(name: str) -> str:
    """Give a name without what differs between instances or is known only when the driver runs."""
    bare = replace_marks(SWEEP, name, lambda found: "").strip("_-. ") if SWEEP in name else name
    bare = bare or replace_marks(SWEEP, name, lambda found: found)
    filled = as_template(re.sub(UNKNOWN, "", bare)).fill(lambda hole: "_".join(getattr(hole, "path", ("x",))))
    return filled if is_fixed(filled) and filled else "job"


def with_login(text: str) -> str:
    """Give a script in which the variables of the login are text of the shell again, where the shell reads them."""
    if LOGIN not in text:
        return text
    # inside single quotes, and in the text of a quoted here-document, the shell would not see them
    is_seen = is_shell(text) and not re.search(r"<<-?\s*['\"\\\\]", text)
    return "".join(
        _in_shell(line) if is_seen and not line.startswith("#SBATCH") and not re.search(r"['\\\\]", line)
        else as_option(line, named=re.match(r"#SBATCH\s+(?:-[oei]|--(?:output|error|input))\b", line) is not None)
        for line in text.splitlines(keepends=True)
    )  # fmt: skip


def as_option(value: str, *, named: bool) -> str:
    """Give the value of an option, which no shell reads: `%u` is the user in the name of a file (slurm.md §8)."""
    if named and LOGIN in value:
        value = re.sub(f"{LOGIN}(?:USER|LOGNAME){LOGIN}", "%u", value)
    return value.replace(LOGIN, INPUT)


def as_folder(path: str) -> str:
    """Give the path of a folder; the home of the login has a name that every system knows."""
    return re.sub(f"\\A{LOGIN}HOME{LOGIN}(?=/|\\Z)", "~", path)


def _in_shell(text: str) -> str:
    """Put the names of variables of the login in the place of their marks."""
    return re.sub(
        f"{LOGIN}([^{LOGIN}]*){LOGIN}([\\w[]?)",
        lambda found: f"${{{found.group(1)}}}{found.group(2)}" if found.group(2) else f"${found.group(1)}",
        text,
    )


def _is_of_login(value: str) -> bool:
    """Whether a value with variables of the login may stand between double quotes."""
    return LOGIN in value and _HARMLESS.fullmatch(replace_marks(LOGIN, value, lambda found: "")) is not None


def exports(exported: Mapping[str, str], *, is_script: bool) -> tuple[str, list[Variable]]:
    """Give the lines of a script that export values of the login, and the variables for all others."""
    lines = {name: _in_shell(value) for name, value in exported.items() if is_script and _is_of_login(value)}
    others = [Variable(name=name, value=as_template(value)) for name, value in exported.items() if name not in lines]
    return "".join(f'export {name}="{value}"\n' for name, value in lines.items()), others


def set_arguments(arguments: Sequence[str], frames: Frames) -> tuple[Sequence[str | Expr], list[Variable]]:
    """Give the start of a script that sets its arguments, and variables for those that only a variable can hold."""
    words: list[str] = []
    variables: list[Variable] = []
    for number, value in enumerate(arguments, 1):
        if is_fixed(value):
            words.append(quote(value))
        elif _is_of_login(value):
            words.append(f'"{_in_shell(value)}"')
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


def assignments(value: str) -> list[tuple[str, str]] | None:
    """Give the variables that `--export=ALL,A=1,B=2` sets; None if it does anything else."""
    first, *rest = value.split(",")
    pairs = [part.partition("=") for part in rest]
    if first.upper() != "ALL" or not all(equals and name.isidentifier() for name, equals, _ in pairs):
        return None
    return [(name, item) for name, _, item in pairs]


def with_templates(resources: Resources | None) -> tuple[Resources | None, list[Variable]]:
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
        pairs = assignments(literal.removeprefix("--export=")) if literal.startswith("--export=") else None
        if pairs and not is_fixed(literal):
            exported.extend(Variable(name=name, value=as_template(value)) for name, value in pairs)
        elif literal and not (SWEEP in literal and literal.startswith("--comment")):
            directives.append(as_template(literal))
    return changed(resources, directives=tuple(directives), **fields), exported


def tied(task: Task, variable: str) -> Task:
    """Give a task the index of an array for the variable of its loop, so that the two go together by name."""

    def other(hole: Expr) -> Expr:
        return Ref(Root.SWEEP, (INDEX,)) if hole == Ref(Root.SWEEP, (variable,)) else hole

    steps = []
    for step in task.steps:
        work = step.work
        steps.append(changed(step, work=Script(work.text.map(other), work.shell)) if isinstance(work, Script) else step)
    sweep = task.sweep and changed(
        task.sweep, parameters=tuple(changed(item, name=INDEX) for item in task.sweep.parameters)
    )
    return changed(
        task,
        steps=tuple(steps),
        environment=tuple(changed(item, value=item.value.map(other)) for item in task.environment),
        working_directory=task.working_directory and task.working_directory.map(other),
        sweep=sweep,
    )
