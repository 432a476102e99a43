"""What the writer's parts share while one workflow is written."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import attrs

from pwxc.fidelity import Ledger
from pwxc.ir.data import Datum, File, NamedDatum, NamedFile
from pwxc.ir.expr import Expr, Literal, Ref, Root
from pwxc.ir.inputs import Input
from pwxc.ir.names import free_name
from pwxc.ir.resources import Resources
from pwxc.ir.task import Gang, Task
from pwxc.ir.workflow import Workflow
from pwxc_targets.pw.form import Field, GroupField, StringField, ValueField
from pwxc_targets.pw.names import flatten_inputs


@attrs.define(eq=False)
class Writing:
    """The workflow, the ledger, the options, and the fields that the form gains on the way."""

    workflow: Workflow
    ledger: Ledger
    options: Mapping[str, str]
    inputs: dict[tuple[str, ...], Input] = attrs.field(init=False)
    tasks: dict[str, Task] = attrs.field(init=False)
    gangs: dict[str, Gang] = attrs.field(init=False)
    resources: dict[str, Resources] = attrs.field(init=False)
    jobs: dict[str, str] = attrs.field(factory=dict)
    """The job's name for each unit's name."""
    cluster: str = "cluster"
    """The name of the input that says where to run."""
    added: dict[str, Field] = attrs.field(factory=dict)
    """Fields of the form that the source does not have, by name."""
    files: dict[str, File] = attrs.field(init=False)
    data: dict[str, Datum] = attrs.field(init=False)
    extra: dict[str, Any] = attrs.field(factory=dict)
    """Jobs that the writer adds, by name."""
    gates: dict[Hashable, str] = attrs.field(factory=dict)
    """The added jobs that stand between two others, by what they wait for."""
    patches: list[tuple[tuple[str | int, ...], Any]] = attrs.field(factory=list)
    """Values that this dialect alone knows, with their places in the output."""
    uses_cluster: bool = False
    """Whether anything refers to the input that says where to run."""
    plain_environment: bool | None = attrs.field(default=None, init=False)
    """Whether variables can stand at the top of the file; None until somebody has asked."""
    _written: set[str] | None = attrs.field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        """Index the workflow."""
        self.inputs = flatten_inputs(self.workflow.inputs)
        self.tasks = {task.name: task for task in self.workflow.tasks}
        self.gangs = {gang.name: gang for gang in self.workflow.gangs}
        self.resources = {record.name: record for record in self.workflow.resources}
        self.files = {file.name: file for file in self.workflow.files}
        self.data = {datum.name: datum for datum in self.workflow.data}

    @property
    def own(self) -> bool:
        """Whether the workflow was read from a file of this dialect."""
        return self.workflow.dialect == "pw"

    def is_written(self, name: str) -> bool:
        """Whether a task leaves the named file or datum behind."""
        if self._written is None:
            places = (write.destination for task in self.workflow.tasks for write in task.writes)
            self._written = {place.name for place in places if isinstance(place, NamedFile | NamedDatum)}
        return name in self._written

    def new_job(self, base: str) -> str:
        """Give a name for a job that is added."""
        return free_name(base[:240], {*self.jobs.values(), *self.extra})

    @property
    def contained(self) -> bool:
        """Whether images are used."""
        return self.options["container"] == "apptainer"

    @property
    def scheduled(self) -> bool:
        """Whether work is submitted to the scheduler."""
        return self.options["submit"] == "job_runner"

    def ask(self, group: str, name: str, field: Field) -> str:
        """Add a field to a group of the form and give the expression text that reads it."""
        taken = {item.name for item in self.workflow.inputs}
        while group in taken or group == self.cluster:
            group += "_"
        found = self.added.setdefault(group, GroupField(type="group", label=group.replace("_", " ").capitalize()))
        assert isinstance(found, GroupField)
        found.items.setdefault(name, field)
        return f"inputs.{group}.{name}"

    def default_of(self, expr: Expr | Any) -> Any:
        """Give the value that an expression over inputs has with the form's defaults; None if it has none."""
        if not isinstance(expr, Literal | Ref) and hasattr(expr, "arguments") and len(expr.arguments) == 1:
            return self.default_of(expr.arguments[0])
        if isinstance(expr, Literal):
            return expr.value
        if isinstance(expr, Ref) and expr.root is Root.INPUT and expr.path in self.inputs:
            return self.inputs[expr.path].default
        return None


def folder_field(label: str, description: str) -> StringField:
    """Make a field that asks for a folder on the cluster."""
    return StringField(type="string", label=label, description=description)


def password_field(label: str) -> ValueField:
    """Make a field that asks for a secret."""
    return ValueField(type="password", label=label)


def project_folder(writing: Writing) -> str:
    """Give the folder that the source's relative paths start from, which the form asks for."""
    name = "folder"
    while (name,) in writing.inputs:
        name += "_"
    if name not in writing.added:
        writing.added[name] = StringField(
            type="string",
            label="Folder",
            description="Where the files of the workflow are on the cluster; its paths start here",
            default="${PW_PARENT_JOB_DIR}",
        )
    return "${{ inputs." + name + " }}"
