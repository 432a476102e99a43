"""What could be read of a specification that has faults, so that one run reports the faults of all stages."""

from __future__ import annotations

from typing import Any

import attrs

from pwxc.yaml.nodes import Document, MappingNode, Node, ScalarNode, SequenceNode
from pwxc.yaml.structure import INVALID, Surface
from pwxc_targets.osmo import model


@attrs.define
class Mended:
    """What is known of the parts that could not be read; the model itself holds nothing invalid any more."""

    lost_names: set[str] = attrs.field(factory=set)
    """The names of tasks that are not in the model, or not under their name."""
    partial: set[int] = attrs.field(factory=set)
    """By id, the groups and workflows whose tasks or leads are not all known, and tasks whose resource is not."""


def mend(workflow: model.Workflow, document: Document) -> Mended:
    """Put something that no rule objects to in the place of all that could not be read."""
    mended = Mended()
    for holder in (workflow, *(group for group in _valid(workflow.groups))):
        _note_lost_tasks(holder, document, mended)
    for number, named in enumerate((*_valid(workflow.groups), *_all_tasks(workflow))):
        if named.name is INVALID:
            named.name = model.Name(f"unread-{number}")
    for task in _all_tasks(workflow):
        _mend_task(task, mended)
    _fill(workflow)
    return mended


def _valid(items: Any) -> list[Any]:
    return [item for item in items if item is not INVALID] if isinstance(items, list) else []


def _all_tasks(workflow: model.Workflow) -> list[model.Task]:
    groups = _valid(workflow.groups)
    return [task for holder in (workflow, *groups) for task in _valid(holder.tasks)]


def _note_lost_tasks(holder: model.Workflow | model.Group, document: Document, mended: Mended) -> None:
    lists: list[Any] = [holder.tasks]
    if isinstance(holder, model.Workflow):
        lists.append(holder.groups)
    lost = any(not isinstance(items, list) or INVALID in items for items in lists)
    leads = any(task.lead is INVALID for task in _valid(holder.tasks))
    if lost or leads:
        mended.partial.add(id(holder))
    if lost and holder.node is not None:
        mended.lost_names |= _names_below(holder.node)
    for task in _valid(holder.tasks):
        name = document.find(task.node, "name") if task.name is INVALID else None
        if isinstance(name, ScalarNode):
            mended.lost_names.add(name.value)


def _names_below(node: Node) -> set[str]:
    """Give every name in a part of the document: more than the tasks', so that nothing is blamed for a lost one."""
    if isinstance(node, SequenceNode):
        return {name for item in node.value for name in _names_below(item)}
    if not isinstance(node, MappingNode):
        return set()
    names = {value.value for key, value in node.value if key.value == "name" and isinstance(value, ScalarNode)}
    return names.union(*(_names_below(value) for key, value in node.value if key.value in ("groups", "tasks")))


def _mend_task(task: model.Task, mended: Mended) -> None:
    if task.resource is INVALID:
        mended.partial.add(id(task))
    if task.command is INVALID:
        task.command = [model.Text("x")]
    if task.image is INVALID:
        task.image = model.Text("x")
    for item in (*_valid(task.inputs), *_valid(task.outputs)):
        _mend_data(item)
    for at, file in enumerate(_valid(task.files)):
        if file.path is INVALID:
            file.path = f"/unread-{at}"
        if file.contents is INVALID or file.localpath is INVALID:
            file.contents, file.localpath = "", None
    for point in _valid(task.checkpoint):
        _mend_data(point)


def _mend_data(item: model.TaskInput | model.TaskOutput | model.Checkpoint) -> None:
    """Let the item have the form that it has, with something allowed in it."""
    instead = {
        "url": "s3://unread",
        "task": "A:unread",
        "dataset": model.DatasetRef(name=model.StrictText("unread")),
        "update_dataset": model.DatasetUpdate(name=model.StrictText("unread")),
    }
    for name, value in instead.items():
        if getattr(item, name, None) is INVALID:
            setattr(item, name, value)


def _fill(made: Surface) -> None:
    """Give what is left its default, and take it out of lists and maps."""
    for field in attrs.fields(type(made)):
        value = getattr(made, field.name)
        if value is INVALID:
            default: Any = field.default
            if default is attrs.NOTHING:
                default = [] if field.name == "tasks" else "x"
            setattr(made, field.name, default.factory() if isinstance(default, attrs.Factory) else default)  # type: ignore[arg-type]
        elif isinstance(value, list) and INVALID in value:
            plain = not any(isinstance(item, Surface) for item in value) and field.name in ("command", "args")
            value[:] = ["x" if item is INVALID else item for item in value if plain or item is not INVALID]
        elif field.name == "resources" and isinstance(value, dict):
            value.update({name: model.Resource() for name, record in value.items() if record is INVALID})
        elif isinstance(value, dict):
            for name in [name for name, item in value.items() if item is INVALID]:
                del value[name]
        _fill_below(getattr(made, field.name))


def _fill_below(value: Any) -> None:
    if isinstance(value, Surface):
        _fill(value)
    elif isinstance(value, list):
        for item in value:
            _fill_below(item)
    elif isinstance(value, dict):
        for item in value.values():
            _fill_below(item)
