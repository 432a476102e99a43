"""What a task needs to run, and the allocations in which it may."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pwxc.frozen import frozen
from pwxc.ir.entity import Passthrough, entity, place
from pwxc.ir.expr import Expr
from pwxc.ir.template import Template
from pwxc.source import Span


@frozen
class Topology:
    """Tasks with the same key and group have to be near each other."""

    key: str
    group: str = "default"
    required: bool = True


@entity
class Resources:
    """A named class of resources; sizes are bytes, times are seconds.

    A value is an expression where the source leaves it to an input. `span` is the place of the whole record.
    """

    name: str
    nodes: int | Expr | None = None
    tasks: int | Expr | None = None
    """Processes in all (`--ntasks`)."""
    tasks_per_node: int | Expr | None = None
    cpus: int | Expr | None = None
    """Processor cores of one process."""
    memory: int | Expr | None = None
    """For one node."""
    memory_per_cpu: int | Expr | None = None
    storage: int | Expr | None = None
    """Local disk of one node."""
    gpus: int | Expr | None = None
    """For one node."""
    gpu_type: str | None = None
    generic: Template | None = None
    """Other generic resources (`--gres` text)."""
    walltime: int | Expr | None = None
    partition: Template | None = None
    account: Template | None = None
    quality: Template | None = None
    """Quality of service."""
    constraint: Template | None = None
    platform: Template | None = None
    """A site's name for a kind of machine."""
    exclude_nodes: tuple[str, ...] = ()
    node_list: tuple[str, ...] = ()
    topology: tuple[Topology, ...] = ()
    exclusive: bool | None = None
    reservation: Template | None = None
    directives: tuple[Template, ...] = ()
    """Further scheduler options, each as one long option (`--mail-type=END`)."""
    passthrough: tuple[Passthrough, ...] = ()
    places: Mapping[str, Span] | None = place()
    """Where some of the fields stand in the source, by their names."""
    span: Span | None = place()


_OPTION = re.compile(r"--(?P<name>[\w-]+)(?:[= ](?P<value>.*))?\Z", re.DOTALL)


def further_options(record: Resources) -> dict[str, str]:
    """Give the further options of a class by their long names, without those whose values are not known.

    A flag has the empty value.
    """
    matches = (_OPTION.match(directive.literal or "") for directive in record.directives)
    return {match["name"]: match["value"] or "" for match in matches if match is not None}


@entity
class Allocation:
    """A block of nodes that workers run tasks in (torc's Slurm schedulers)."""

    name: str
    resources: str | None = None
    """The class of `Workflow.resources` with nodes, time, account and so on."""
    count: int | Expr | None = None
    passthrough: tuple[Passthrough, ...] = ()
    span: Span | None = place()


@entity
class Placement:
    """Where a task or a step runs.

    `host` is an address (a template over a cluster input, usually); an empty one, or no placement, is the place from
    which the workflow is run. `scheduled` says that the work is submitted to the scheduler there. `allocation`
    names one of `Workflow.allocations`.
    """

    host: Template | None = None
    user: Template | None = None
    jump_host: Template | None = None
    jump_user: Template | None = None
    cluster: Expr | None = None
    scheduled: bool | Expr = False
    allocation: str | None = None
    pool: Template | None = None
    passthrough: tuple[Passthrough, ...] = ()
    span: Span | None = place()


@entity
class Container:
    """The image in which a task's command runs; its own entry point is not used."""

    image: Template
    mounts: tuple[str, ...] = ()
    """Host folders, `SOURCE` or `SOURCE:TARGET`."""
    privileged: bool = False
    host_network: bool = False
    passthrough: tuple[Passthrough, ...] = ()
    places: Mapping[str, Span] | None = place()
    """Where some of the fields stand in the source, by their names."""
    span: Span | None = place()
