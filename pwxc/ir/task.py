"""Tasks: what is scheduled and has an exit status; and gangs of tasks that start together."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

import attrs

from pwxc.frozen import frozen
from pwxc.ir.data import Checkpoint, InlineFile, Read, Secret, Variable, Write
from pwxc.ir.entity import Passthrough, Plain, entity, place
from pwxc.ir.expr import Expr
from pwxc.ir.resources import Container, Placement
from pwxc.ir.sweep import Sweep
from pwxc.ir.template import Template
from pwxc.source import Span

if TYPE_CHECKING:
    from pwxc.ir.found import Found


class Outcome(StrEnum):
    """What has to have happened to the parent before a child may start."""

    SUCCESS = "success"
    FAILURE = "failure"
    END = "end"
    START = "start"


@entity
class Edge:
    """A unit (a task outside gangs, or a gang) waits for another unit.

    `same_instance` ties instance i of a sweep to instance i of the parent's sweep over the same parameters;
    `any_instance` is satisfied by the first instance that ends. `delay` is in seconds after the event.
    """

    parent: str
    when: Outcome = Outcome.SUCCESS
    same_instance: bool = False
    any_instance: bool = False
    delay: int = 0
    implied: bool = False
    """Follows from data that is passed; not written as an order of its own."""
    span: Span | None = place()


@frozen
class Script:
    """Shell text. `shell` is the program that runs it, with its options."""

    text: Template
    shell: tuple[str, ...] = ("bash",)


@frozen
class Command:
    """A program and its arguments, started without a shell."""

    arguments: tuple[Template, ...]


@frozen
class ActionCall:
    """A call of a named action or of another workflow. Templates may stand anywhere in `arguments`."""

    name: str
    arguments: Plain = attrs.field(factory=dict)


Work: TypeAlias = Script | Command | ActionCall


@entity
class Retry:
    """Further attempts after a failure. Times are seconds; `limit` counts attempts after the first."""

    limit: int | Expr | None
    """None leaves the number to the site."""
    interval: float | Expr = 0
    attempt_timeout: float | Expr | None = None
    clean: bool | Expr = False
    span: Span | None = place()


class ExitAction(StrEnum):
    """What an exit code turns into."""

    COMPLETE = "complete"
    FAIL = "fail"
    RETRY = "retry"


@entity
class ExitRule:
    """Exit codes, as inclusive ranges in order, and what they turn into. The first rule that matches counts."""

    action: ExitAction
    codes: tuple[tuple[int, int], ...]
    """Empty means every code but 0."""
    retry: Retry | None = None
    recovery: Template | None = None
    """A script that runs before the next attempt."""
    span: Span | None = place()


@entity
class Step:
    """One piece of work of a task; steps run in order in one place."""

    work: Work
    name: Template | None = None
    id: str | None = None
    condition: Expr | None = None
    """None: nothing has failed so far in this task."""
    environment: tuple[Variable, ...] = ()
    placement: Placement | None = None
    working_directory: Template | None = None
    timeout: float | Expr | None = None
    retry: Retry | None = None
    cleanup: Template | None = None
    """Shell text that runs when the task ends, whatever the outcome, if the step had started."""
    ignore_errors: bool | Expr = False
    stop_when_another_fails: bool = False
    passthrough: tuple[Passthrough, ...] = ()
    found: Found | None = place()
    """What was recognised in the script's text, if somebody looked."""
    span: Span | None = place()


@frozen
class Publication:
    """A value that a task hands to those that wait for it."""

    name: str
    value: Expr | Template


@entity
class Task:
    """The unit that is scheduled and has an exit status.

    `needs` is empty for members of a gang; the gang has them. `condition` None means: what `needs` says.
    `resources` names a class of the workflow. Timeouts are seconds.
    """

    name: str
    steps: tuple[Step, ...] = ()
    cleanup: tuple[Step, ...] = ()
    needs: tuple[Edge, ...] = ()
    condition: Expr | None = None
    container: Container | None = None
    resources: str | None = None
    beside: tuple[str, ...] = ()
    """Further classes whose nodes are given together with the task's own; what runs there, its steps start."""
    placement: Placement | None = None
    reads: tuple[Read, ...] = ()
    writes: tuple[Write, ...] = ()
    files: tuple[InlineFile, ...] = ()
    environment: tuple[Variable, ...] = ()
    secrets: tuple[Secret, ...] = ()
    checkpoints: tuple[Checkpoint, ...] = ()
    outputs: tuple[Publication, ...] = ()
    working_directory: Template | None = None
    run_timeout: float | Expr | None = None
    queue_timeout: float | Expr | None = None
    exit_rules: tuple[ExitRule, ...] = ()
    sweep: Sweep | None = None
    priority: int | None = None
    stop_when_another_fails: bool = False
    passthrough: tuple[Passthrough, ...] = ()
    places: Mapping[str, Span] | None = place()
    """Where some of the fields stand in the source, by their names."""
    span: Span | None = place()


class GangStatus(StrEnum):
    """Whose status is the gang's."""

    LEAD = "lead"
    ALL = "all"
    """The first member that fails ends the gang with a failure."""


@entity
class Gang:
    """Tasks that start together and end when the lead ends. Members can name each other's host.

    With a `barrier` no member's command starts before every member's reads are there.
    """

    name: str
    members: tuple[str, ...]
    lead: str
    barrier: bool = True
    status: GangStatus = GangStatus.LEAD
    needs: tuple[Edge, ...] = ()
    run_timeout: float | Expr | None = None
    queue_timeout: float | Expr | None = None
    passthrough: tuple[Passthrough, ...] = ()
    places: Mapping[str, Span] | None = place()
    """Where some of the fields stand in the source, by their names."""
    span: Span | None = place()
