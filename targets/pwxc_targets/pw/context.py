"""What the writer's parts share while one workflow is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from pwxc.fidelity import Ledger
from pwxc.ir.expr import Expr, Literal, Ref, Root
from pwxc.ir.inputs import Input
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

    def __attrs_post_init__(self) -> None:
        """Index the workflow."""
        self.inputs = flatten_inputs(self.workflow.inputs)
        self.tasks = {task.name: task for task in self.workflow.tasks}
        self.gangs = {gang.name: gang for gang in self.workflow.gangs}
        self.resources = {record.name: record for record in self.workflow.resources}

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
