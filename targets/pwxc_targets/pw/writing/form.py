"""The form: the workflow's inputs as fields, and those that the writer adds (pw.md §9)."""

from __future__ import annotations

import re
from typing import Any

from pwxc.ir.inputs import Input, InputType
from pwxc.ir.template import Template
from pwxc_targets.pw import form
from pwxc_targets.pw.expressions import print_expression, print_template
from pwxc_targets.pw.form import ABSENT, Field
from pwxc_targets.pw.names import unique_names
from pwxc_targets.pw.writing.context import Writing

_TYPES: dict[InputType, tuple[str, type[Field]]] = {
    InputType.STRING: ("string", form.StringField),
    InputType.TEXT: ("editor", form.EditorField),
    InputType.NUMBER: ("number", form.NumberField),
    InputType.INTEGER: ("number", form.NumberField),
    InputType.BOOLEAN: ("boolean", form.ValueField),
    InputType.CHOICE: ("dropdown", form.ChoiceField),
    InputType.CHOICES: ("multi-dropdown", form.ChoiceField),
    InputType.DURATION: ("string", form.StringField),
    InputType.SECRET: ("password", form.ValueField),
    InputType.CLUSTER: ("compute-clusters", form.ClusterField),
    InputType.STORAGE: ("bucket", form.BucketField),
    InputType.FILE: ("string", form.StringField),
    InputType.LIST: ("list", form.ListField),
    InputType.GROUP: ("group", form.GroupField),
    InputType.OTHER: ("string", form.StringField),
}
_SHORT_FLOAT = re.compile(r"-?(0|[1-9]\d*)\.\d*[1-9]\Z")
"""Floats that every system prints as they are written: no exponent, no zero at the end."""


def write_fields(writing: Writing, items: tuple[Input, ...]) -> dict[str, Any]:
    """Turn inputs into fields of the form, in their order."""
    names = unique_names((item.name for item in items), "A-Za-z0-9_-", lower=False)
    return {names[item.name]: _field(writing, item) for item in items}


def _field(writing: Writing, item: Input) -> Field:
    name, kind = _TYPES[item.type]
    default = item.default
    if isinstance(default, float) and not _SHORT_FLOAT.match(str(default)):
        # a number would be printed in another way than the source prints it
        name, kind, default = "string", form.StringField, str(default)
    with writing.ledger.of(item, where=f"on.execute.inputs: {item.name}") as account:
        account.cosmetic("label", "help", "form")
        common: dict[str, Any] = {"type": name, "label": item.label or item.name}
        if item.help:
            common["description"] = item.help
        for key, value in (("hidden", account.take("hidden")), ("ignore", account.take("ignored"))):
            if value is not False:
                common[key] = _switch(value)
        for key in ("name", "type", "has_default", "passthrough"):
            account.take(key)
        if item.type is InputType.GROUP:
            return form.GroupField(items=write_fields(writing, account.take("items")), **common)
        optional = account.take("optional")
        if optional is not False:
            common["optional"] = _switch(optional)
        account.take("default")
        common["default"] = _default(default) if item.has_default else ABSENT
        if item.type in (InputType.NUMBER, InputType.INTEGER) and name == "number":
            common["min"], common["max"] = account.take("minimum"), account.take("maximum")
        if item.choices:
            common["options"] = [_option(writing, choice) for choice in account.take("choices")]
        if item.type is InputType.LIST:
            common["template"] = write_fields(writing, account.take("items"))
    return kind(**common)


def _option(writing: Writing, choice: Any) -> form.Option:
    with writing.ledger.of(choice) as account:
        return form.Option(value=account.take("value"), label=account.take("label") or str(choice.value))


def _default(value: Any) -> Any:
    return print_template(value) if isinstance(value, Template) else value


def _switch(value: Any) -> Any:
    return value if isinstance(value, bool) else "${{ " + print_expression(value) + " }}"


def cluster_field() -> form.ClusterField:
    """Make the field that says where the work runs."""
    return form.ClusterField(
        type="compute-clusters", label="Cluster", description="Where the jobs run", include_workspace=False
    )


def settle_name(writing: Writing) -> None:
    """Choose a name for the cluster's input that no input of the workflow has."""
    taken = {path[0] for path in writing.inputs} | {item.name for item in writing.workflow.inputs}
    while writing.cluster in taken:
        writing.cluster += "_"
