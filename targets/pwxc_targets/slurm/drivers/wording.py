"""What a call of `sbatch` says, with the marks in it turned into what a workflow has in their place."""

from __future__ import annotations

import re
from collections.abc import Sequence

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
from pwxc_targets.slurm.drivers.calls import Submission
from pwxc_targets.slurm.drivers.frames import Frames
from pwxc_targets.slurm.drivers.marks import SWEEP, UNKNOWN, as_template, is_fixed, names_in, replace_marks
from pwxc_targets.slurm.drivers.paths import from_folder, joined
from pwxc_targets.slurm.lower import INDEX, Lowered

_HARMLESS = re.compile(r"[\w.,:/@%+= -]*")


def placed(
    submission: Submission, given: Sequence[Given], arguments: Sequence[str]
) -> tuple[Submission, list[Given], list[str]]:
    """Tell paths of the folder in which the driver is called from the folder in which the job runs."""
    folder = submission.folder
    chdir = next((item.value for item in reversed(given) if item.name == "chdir" and item.value), None)
    base = joined(folder, chdir) if chdir is not None else folder
    told = [
        attrs.evolve(item, value=from_folder(item.value, folder if item.name == "chdir" else base))
        if item.value
        else item
        for item in given
    ]
    exported = {name: from_folder(value, base) for name, value in submission.exported.items()}
    here = None if submission.here is None else from_folder(submission.here, base)
    moved = attrs.evolve(submission, exported=exported, here=here)
    return moved, told, [from_folder(value, base) for value in arguments]


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


def set_arguments(arguments: Sequence[str], frames: Frames) -> tuple[Sequence[str | Expr], list[Variable]]:
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
