"""The workflow as a whole, hooks and sessions."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

import attrs

from pwxc.frozen import frozen
from pwxc.ir.data import Datum, File, Secret, Variable
from pwxc.ir.entity import Passthrough, Plain, entity, place
from pwxc.ir.expr import Expr
from pwxc.ir.inputs import Input, Preset
from pwxc.ir.resources import Allocation, Resources
from pwxc.ir.sweep import Parameter
from pwxc.ir.task import Gang, Task
from pwxc.ir.template import Template
from pwxc.source import Span


class Trigger(StrEnum):
    """When a hook fires."""

    WORKFLOW_START = "workflow-start"
    WORKFLOW_COMPLETE = "workflow-complete"
    TASKS_READY = "tasks-ready"
    TASKS_COMPLETE = "tasks-complete"
    WORKER_START = "worker-start"
    WORKER_COMPLETE = "worker-complete"


@frozen
class RunCommands:
    """A hook runs shell commands, one after the other."""

    commands: tuple[Template, ...]


@frozen
class RequestAllocation:
    """A hook asks for nodes."""

    allocation: str
    kind: str = "slurm"
    count: int = 1
    start_one_worker_per_node: bool = False
    max_parallel: int | None = None


HookAction: TypeAlias = RunCommands | RequestAllocation


@entity
class Hook:
    """Something that happens at a point of the run without being part of the graph; its failure fails nothing.

    `tasks` and `patterns` (regular expressions) select tasks together: all that match must be ready or complete.
    `persistent` lets every worker run it instead of the first one that claims it.
    """

    trigger: Trigger
    action: HookAction
    tasks: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    persistent: bool = False
    passthrough: tuple[Passthrough, ...] = ()
    span: Span | None = place()


@entity
class Session:
    """A way for a person to reach what a run serves: a tunnel to a port or a link."""

    name: str
    kind: str = "tunnel"
    options: Plain = attrs.field(factory=dict)
    """Switches of the session by the dialect's names; expressions stand as `Expr`."""
    passthrough: tuple[Passthrough, ...] = ()
    span: Span | None = place()


@entity
class Workflow:
    """A graph of tasks with all that belongs to it. `dialect` is the language it was read from."""

    name: str
    dialect: str = attrs.field(default="", eq=False)
    """The system it was read from; no part of what it means."""
    description: str = ""
    inputs: tuple[Input, ...] = ()
    presets: tuple[Preset, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    """Sweep parameters that tasks may share."""
    environment: tuple[Variable, ...] = ()
    secrets: tuple[Secret, ...] = ()
    tasks: tuple[Task, ...] = ()
    gangs: tuple[Gang, ...] = ()
    resources: tuple[Resources, ...] = ()
    allocations: tuple[Allocation, ...] = ()
    files: tuple[File, ...] = ()
    data: tuple[Datum, ...] = ()
    hooks: tuple[Hook, ...] = ()
    sessions: tuple[Session, ...] = ()
    timeout: float | Expr | None = None
    """Seconds for the whole run."""
    labels: tuple[tuple[str, str], ...] = ()
    permissions: tuple[str, ...] = ()
    passthrough: tuple[Passthrough, ...] = ()
    origin: object = place()
    """What the reader keeps for the writer of the same dialect; it takes no part in equality and is no leaf."""
    span: Span | None = place()


def gang_of(workflow: Workflow) -> dict[str, Gang]:
    """Give, for the name of each task that is a member of a gang, that gang."""
    return {member: gang for gang in workflow.gangs for member in gang.members}


Unit: TypeAlias = Task | Gang


def units(workflow: Workflow) -> list[Unit]:
    """Give what edges connect: the tasks outside gangs and the gangs, in the order of their first task."""
    gangs = gang_of(workflow)
    found: dict[str, Unit] = {}
    for task in workflow.tasks:
        unit = gangs.get(task.name, task)
        found.setdefault(unit.name, unit)
    return list(found.values())
