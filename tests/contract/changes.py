"""Other values for a single leaf of a workflow, so that it can be seen whether anybody looks at it."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Any

import attrs

from pwxc.ir.entity import changed, fields_of
from pwxc.ir.expr import Node, Unary
from pwxc.ir.resources import Resources
from pwxc.ir.template import Template
from pwxc.ir.workflow import Workflow
from tests.contract.trips import Path, erase, nouns

NAMES = {"name", "parent", "members", "lead", "resources", "tasks", "allocation", "scheduled", "barrier"}
"""Fields that are names of something: another value would be another reference, which is no other value.
Whether work is scheduled is the same to systems that schedule everything; a barrier to those that share a folder."""

UNNAMED = {"inputs", "files", "data"}
"""What has no effect unless something else names it."""


def changes(workflow: Workflow, path: Path) -> Iterator[Workflow]:
    """Give the workflow with another value in one place, or with none."""
    field = path[-1][0]
    kind = path[0][0]
    if field in NAMES or kind in UNNAMED:
        return
    noun = _at(workflow, path[:-1])
    if isinstance(noun, Resources) and noun.name not in {task.resources for task in workflow.tasks}:
        return
    value = getattr(noun, field)
    default = next(each.default for each in fields_of(noun) if each.name == field)
    for other in _others(value):
        if other != default:
            yield _with(workflow, path, other)
    if default is not attrs.NOTHING:
        yield erase(workflow, [path])


def _at(noun: Any, path: Path) -> Any:
    for field, number in path:
        noun = nouns(getattr(noun, field))[number]
    return noun


def _with(noun: Any, path: Path, value: Any) -> Any:
    (field, number), *rest = path
    if not rest:
        return changed(noun, **{field: value})
    below = getattr(noun, field)
    made = _with(nouns(below)[number], tuple(rest), value)
    return changed(noun, **{field: (*below[:number], made, *below[number + 1 :]) if isinstance(below, tuple) else made})


def _others(value: Any) -> Iterator[Any]:
    match value:
        case bool():
            yield not value
        case int() | float():
            yield value + 60
        case Enum():
            yield from (other for other in type(value) if other is not value)
        case Template():
            yield Template.of(*value.parts, "-other")
        case Node():
            yield Unary("!", value)  # type: ignore[arg-type]
        case str():
            yield f"{value}-other"
