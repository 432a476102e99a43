"""The types of a form's fields and the kinds of inputs that they are (pw.md §9)."""

from __future__ import annotations

from pwxc.ir.inputs import InputType

TYPES: dict[str, InputType] = {
    "string": InputType.STRING,
    "number": InputType.NUMBER,
    "integer": InputType.INTEGER,
    "duration": InputType.DURATION,
    "boolean": InputType.BOOLEAN,
    "password": InputType.SECRET,
    "editor": InputType.TEXT,
    "dropdown": InputType.CHOICE,
    "radio": InputType.CHOICE,
    "multi-dropdown": InputType.CHOICES,
    "checkbox-group": InputType.CHOICES,
    "group": InputType.GROUP,
    "step": InputType.GROUP,
    "list": InputType.LIST,
    "header": InputType.OTHER,
    "compute-clusters": InputType.CLUSTER,
    "compute-resources": InputType.CLUSTER,
    "compute-target": InputType.CLUSTER,
    "kubernetes-clusters": InputType.CLUSTER,
    "bucket": InputType.STORAGE,
    "storage": InputType.STORAGE,
    "storage-image": InputType.STORAGE,
}
"""What the values of a field are; all other types give text."""

CANONICAL: dict[InputType, str] = {
    InputType.STRING: "string",
    InputType.TEXT: "editor",
    InputType.NUMBER: "number",
    InputType.INTEGER: "integer",
    InputType.BOOLEAN: "boolean",
    InputType.CHOICE: "dropdown",
    InputType.CHOICES: "multi-dropdown",
    InputType.DURATION: "duration",
    InputType.SECRET: "password",
    InputType.CLUSTER: "compute-clusters",
    InputType.STORAGE: "bucket",
    InputType.LIST: "list",
    InputType.GROUP: "group",
}
"""The field that stands for a kind of input; the form keeps the type's name where it is another."""
