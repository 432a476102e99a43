"""A workflow's way into a system and back, with the account of each of its leaves."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeAlias, cast

import attrs

from pwxc import compiler, registry
from pwxc.compiler import Policy
from pwxc.diagnostics import Diagnostic, Severity
from pwxc.fidelity.fate import KEEPING
from pwxc.fidelity.ledger import Entry
from pwxc.ir.entity import changed, fields_of, is_entity
from pwxc.ir.expr import Literal, Ref, Root
from pwxc.ir.inputs import Input
from pwxc.ir.resources import Container
from pwxc.ir.task import Edge, Task
from pwxc.ir.template import Template, fold_literals, text
from pwxc.ir.workflow import Workflow, units
from pwxc.registry import OutputFile, Target
from pwxc.source import Source

Path: TypeAlias = tuple[tuple[str, int], ...]
"""The way from a workflow to one of its leaves: fields, and which of several nouns in them."""

TARGETS = ("osmo", "pw", "torc", "slurm")


def leaves(noun: Any, above: Path = ()) -> Iterator[Path]:
    """Give the way to each field that is not at its default and holds no further nouns, in the ledger's order."""
    for field in fields_of(noun):
        value = getattr(noun, field.name)
        if value == field.default:
            continue
        below = nouns(value)
        for at, child in enumerate(below):
            yield from leaves(child, (*above, (field.name, at)))
        if not below:
            yield (*above, (field.name, 0))


def nouns(value: object) -> tuple[Any, ...]:
    """Give the nouns that are the value of a field."""
    several = value if isinstance(value, tuple) else (value,)
    return several if several and is_entity(several[0]) else ()


def erase(workflow: Workflow, paths: Collection[Path]) -> Workflow:
    """Give a workflow in which these leaves are at their defaults; a noun that cannot do without one is left out."""
    frozen = {given.name: given for given in (workflow.inputs[path[0][1]] for path in paths if path[0][0] == "inputs")}
    left = _without(workflow, frozenset(path for path in paths if path[0][0] != "inputs"))
    return _tidied(_freeze(left, frozen) if left is not None else Workflow(name="nothing"))


def _freeze(workflow: Workflow, inputs: Mapping[str, Input]) -> Workflow:
    """Put the default in the place of inputs that a system does not know, and leave these out."""
    left = changed(workflow, inputs=tuple(given for given in workflow.inputs if given.name not in inputs))
    return cast("Workflow", _with_defaults(left, inputs)) if inputs else left


def _with_defaults(value: Any, inputs: Mapping[str, Input]) -> Any:
    if isinstance(value, Ref) and value.root is Root.INPUT and value.path[0] in inputs:
        return Literal(_default(inputs[value.path[0]], value.path[1:]))
    if isinstance(value, tuple | list):
        return type(value)(_with_defaults(part, inputs) for part in value)
    if isinstance(value, dict):
        return {key: _with_defaults(part, inputs) for key, part in value.items()}
    if isinstance(value, Template):
        return fold_literals(value.map(lambda hole: _with_defaults(hole, inputs)))
    if attrs.has(type(value)) and not isinstance(value, Literal):
        names = [field.name for field in attrs.fields(type(value)) if field.init and field.eq]
        return attrs.evolve(value, **{name: _with_defaults(getattr(value, name), inputs) for name in names})
    return value


def _default(given: Input, path: Sequence[str]) -> Any:
    if path:
        return next((_default(each, path[1:]) for each in given.items if each.name == path[0]), "")
    return given.default if isinstance(given.default, str | int | float) else ""


def _without(noun: Any, paths: frozenset[Path]) -> Any:
    changes: dict[str, Any] = {}
    if isinstance(noun, Edge) and any(path[0][0] != "any_instance" for path in paths):
        return None  # what is left would be another order
    for field in fields_of(noun):
        inside = {path for path in paths if path[0][0] == field.name}
        if not inside:
            continue
        value, below = getattr(noun, field.name), nouns(getattr(noun, field.name))
        if not below:
            if field.default is attrs.NOTHING:
                return None
            changes[field.name] = field.default
            continue
        kept = [_without(child, _below(inside, at)) for at, child in enumerate(below)]
        some = tuple(child for child in kept if child is not None)
        changes[field.name] = some if isinstance(value, tuple) else (some[0] if some else field.default)
    return changed(noun, **changes)


def _below(paths: Collection[Path], number: int) -> frozenset[Path]:
    return frozenset(path[1:] for path in paths if path[0][1] == number)


def _tidied(workflow: Workflow) -> Workflow:
    """Leave out edges from units, hooks over tasks and gangs of tasks that are not there any more."""
    names = {task.name for task in workflow.tasks}
    gangs = tuple(gang for gang in workflow.gangs if set(gang.members) <= names)
    known = {unit.name for unit in units(changed(workflow, gangs=gangs))}

    def real(edges: tuple[Edge, ...]) -> tuple[Edge, ...]:
        return tuple(edge for edge in edges if edge.parent in known)

    return changed(
        workflow,
        tasks=tuple(changed(task, needs=real(task.needs)) for task in workflow.tasks),
        gangs=tuple(changed(gang, needs=real(gang.needs)) for gang in gangs),
        hooks=tuple(hook for hook in workflow.hooks if set(hook.tasks) <= names),
    )


@attrs.frozen(slots=False)
class Trip:
    """A workflow that is written for a system, losses and all."""

    workflow: Workflow
    target: Target
    files: tuple[OutputFile, ...]
    entries: tuple[Entry, ...]
    said: tuple[Diagnostic, ...]

    @classmethod
    def of(cls, workflow: Workflow, system: str) -> Trip:
        """Write a workflow."""
        target = registry.find(system)
        assert target is not None
        policy = Policy(lossy=True)
        files, report, said = compiler.write(workflow, to=target, options=target.settle_options({}), policy=policy)
        return cls(workflow, target, files, tuple(report.entries), tuple(said))

    @property
    def texts(self) -> dict[str, str]:
        """The output, by path."""
        return {file.path: file.text for file in self.files}

    @property
    def clean(self) -> bool:
        """Whether there was no error and no warning."""
        return not any(item.severity in (Severity.ERROR, Severity.WARNING) for item in self.said)

    @cached_property
    def fates(self) -> list[tuple[Path, Entry]]:
        """The entry of each leaf."""
        return list(zip(leaves(self.workflow), self.entries, strict=True))

    @property
    def lost(self) -> list[Path]:
        """The leaves that the report names."""
        return [path for path, entry in self.fates if entry.fate not in KEEPING]

    def read(self) -> tuple[Workflow | None, list[Diagnostic]]:
        """Read what was written."""
        sources = [Source(file.path, file.text) for file in self.files]
        workflow, said, _ = compiler.read(sources, origin=self.target)
        return workflow, list(said)

    def back(self) -> Workflow:
        """Read what was written, which must be possible."""
        workflow, said = self.read()
        assert workflow is not None, [item.message for item in said] + [file.text for file in self.files]
        return workflow


def settled(workflow: Workflow, system: str, rounds: int = 6) -> Trip:
    """Leave out of a workflow what a system loses, until nothing is left to lose."""
    trip = Trip.of(workflow, system)
    for _ in range(rounds):
        if not trip.lost:
            break
        trip = Trip.of(erase(trip.workflow, trip.lost), system)
    return trip


IMAGE = Container(image=text("alpine:3.20"))


def at_home(workflow: Workflow, system: str) -> Workflow:
    """Give a workflow what a system cannot do without: for OSMO an image of every task, for torc a time limit."""
    if system == "osmo":
        return _each_task(workflow, lambda task: changed(task, container=task.container or IMAGE))
    if system == "torc":
        classes = {record.name for record in workflow.resources if record.walltime is not None}
        limited = _each_task(
            workflow,
            lambda task: changed(task, run_timeout=task.run_timeout or (None if task.resources in classes else 7200)),
        )
        gangs = tuple(changed(gang, run_timeout=gang.run_timeout or 7200) for gang in workflow.gangs)
        return changed(limited, gangs=gangs)
    return workflow


def _each_task(workflow: Workflow, change: Callable[[Task], Task]) -> Workflow:
    return changed(workflow, tasks=tuple(change(task) for task in workflow.tasks))
