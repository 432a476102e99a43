"""What moves between tasks and the outside: reads, writes, files that are injected, named files and data."""

from __future__ import annotations

from typing import TypeAlias

from pwxc.frozen import frozen
from pwxc.ir.entity import Passthrough, Plain, entity, place
from pwxc.ir.expr import Expr
from pwxc.ir.sweep import Sweep
from pwxc.ir.template import Template
from pwxc.source import Span


@frozen
class TaskOutput:
    """The output folder of another task; of an earlier run of the workflow `run`, if that is given."""

    task: str
    run: str | None = None


@frozen
class Url:
    """Objects in a store, or one of them."""

    url: Template


@frozen
class Dataset:
    """A named, versioned set of files in a store of the source's system."""

    name: Template
    local_path: str | None = None
    path: Template | None = None
    """The part below the output folder that goes in."""
    update: tuple[Template, ...] | None = None
    """What is added to a set that exists, if that is what happens."""
    metadata: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


@frozen
class NamedFile:
    """A file of the workflow, by its name in `Workflow.files`."""

    name: str


@frozen
class NamedDatum:
    """A datum of the workflow, by its name in `Workflow.data`."""

    name: str


Origin: TypeAlias = TaskOutput | Url | Dataset | NamedFile | NamedDatum
Destination: TypeAlias = Url | Dataset | NamedFile | NamedDatum


@entity
class Read:
    """Something that has to be there before a task starts.

    `name` is how the task's templates refer to its place (`Root.READ_FOLDER`). `pattern` is a Python regular
    expression, matched at the start of each path below the source; None takes everything.
    """

    name: str
    origin: Origin
    pattern: str | None = None
    implied: bool = False
    """Found in the task's text rather than declared."""
    span: Span | None = place()


@entity
class Write:
    """Something that a task leaves behind for others or for the outside."""

    destination: Destination
    pattern: str | None = None
    implied: bool = False
    span: Span | None = place()


@entity
class InlineFile:
    """A file that is put at `path` before the task's command starts.

    `contents` is base64 text when `encoded` is true. `local_path` is the file of the user's that it came from.
    """

    path: Template
    contents: Template
    encoded: bool = False
    executable: bool = False
    local_path: str | None = None
    span: Span | None = place()


@entity
class File:
    """A file of the workflow that tasks write and read, with its path on the shared file system."""

    name: str
    path: Template
    modified: float | None = None
    """Seconds since 1970, for a file that is there before the run."""
    sweep: Sweep | None = None
    """One file for each instance; a task with the same parameters means the file with the same values."""
    passthrough: tuple[Passthrough, ...] = ()
    span: Span | None = place()


@entity
class Datum:
    """A named JSON value of the workflow that tasks publish and read."""

    name: str
    value: Plain = None
    ephemeral: bool = False
    passthrough: tuple[Passthrough, ...] = ()
    span: Span | None = place()


@entity
class Checkpoint:
    """A folder that is copied to a store while the command runs and once more when it has ended."""

    path: Template
    url: Template
    interval: float | Expr
    """Seconds between the end of one copy and the start of the next."""
    pattern: str | None = None
    span: Span | None = place()


@entity
class Variable:
    """An environment variable."""

    name: str
    value: Template
    span: Span | None = place()


@entity
class Secret:
    """A value from a managed store, given to a task as variables (`variables`: name → key) or as a folder of files."""

    name: str
    variables: tuple[tuple[str, str], ...] = ()
    folder: Template | None = None
    span: Span | None = place()
