"""One batch script into a task and its class of resources."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePath

import attrs

from pwxc.ir.data import Variable
from pwxc.ir.entity import Passthrough
from pwxc.ir.expr import Ref, Root
from pwxc.ir.resources import Container, Resources
from pwxc.ir.sweep import Parameter, Sweep
from pwxc.ir.task import Script, Step, Task
from pwxc.ir.template import Template, text
from pwxc.source import Span
from pwxc_targets.slurm.batch.directives import Component, Reading
from pwxc_targets.slurm.batch.lists import array
from pwxc_targets.slurm.batch.values import limit_minutes, mebibytes, node_range
from pwxc_targets.slurm.batch.wordvalues import BadValueError
from pwxc_targets.slurm.containers import take_apart

INDEX = "index"
"""The name of the sweep variable that an array's index becomes."""
TASK_ID = "SLURM_ARRAY_TASK_ID"
_MIB = 1024 * 1024
_TEXTS = {
    "partition": "partition", "account": "account", "qos": "quality", "constraint": "constraint",
    "reservation": "reservation",
}  # fmt: skip
_HANDLED = frozenset(
    {*_TEXTS, "job-name", "array", "nodes", "ntasks", "ntasks-per-node", "tasks-per-node", "cpus-per-task", "mem"}
    | {"mem-per-cpu", "tmp", "gres", "gpus-per-node", "gpus", "time", "exclude", "nodelist", "exclusive", "chdir"}
    | {"dependency"}
)
_FIELDS = {
    **_TEXTS, "nodes": "nodes", "ntasks": "tasks", "ntasks-per-node": "tasks_per_node",
    "tasks-per-node": "tasks_per_node", "cpus-per-task": "cpus", "mem": "memory", "mem-per-cpu": "memory_per_cpu",
    "tmp": "storage", "gres": "gpus",
    "gpus-per-node": "gpus", "gpus": "gpus", "time": "walltime", "exclude": "exclude_nodes", "nodelist": "node_list",
    "exclusive": "exclusive",
}  # fmt: skip
_SHELLS = {"/bin/bash": "bash", "/usr/bin/bash": "bash", "/usr/local/bin/bash": "bash", "/bin/sh": "sh"}


@attrs.frozen
class Lowered:
    """What a script became: the task, what it asks for, and what its dependency says."""

    task: Task
    resources: Resources | None
    dependency: str | None = None


def shell_words(shebang: str) -> tuple[str, ...]:
    """Give the program that a first line names, with its options."""
    words = shebang.removeprefix("#!").split()
    if words[:1] == ["/usr/bin/env"] and len(words) > 1:
        words = words[1:] if words[1] != "-S" else words[2:]
    if not words:
        return ("bash",)
    return (_SHELLS.get(words[0], words[0]), *words[1:])


def unlike(name: str, names: dict[str, int]) -> str:
    """Give a name that is not yet taken, and take it; `names` has how often each was asked for."""
    found = name
    while found in names:
        names[name] += 1
        found = f"{name}-{names[name]}"
    names[found] = 1
    return found


def default_name(component: Component, filename: str) -> str:
    """Give the name of a job: its own, or that of its file."""
    return component.value("job-name") or PurePath(filename).name or "job"


def lower(reading: Reading, content: str, name: str, span: Span | None) -> Lowered:
    """Turn a script into a task with the name `name`.

    The task's script is the text from the first command on; comments among the directives stay behind.
    """
    component = reading.components[0]
    body = content[reading.body :]
    shell = shell_words(reading.shebang)
    container = _container(component, span)
    resources = _resources(reading, name, span)
    contained = take_apart(body) if container is None and shell[0] in ("bash", "sh") else None
    if contained is not None and (not contained.gpus or (resources is not None and resources.gpus)):
        container = Container(image=text(contained.image), mounts=contained.mounts, span=span)
        body = contained.command
    step = Step(work=Script(text(body), shell), span=span)
    sweep, variables = _sweep(component, span)
    chdir = component.value("chdir")
    task = Task(
        name=name,
        steps=(step,),
        resources=name if resources is not None else None,
        container=container,
        environment=variables,
        working_directory=text(chdir) if chdir else None,
        sweep=sweep,
        span=span,
    )
    return Lowered(task, resources, component.value("dependency"))


def _sweep(component: Component, span: Span | None) -> tuple[Sweep | None, tuple[Variable, ...]]:
    value = component.value("array")
    if not value:
        return None, ()
    try:
        read = array(value)
    except BadValueError:
        return None, ()
    sweep = Sweep(parameters=(Parameter(name=INDEX, values=read.indexes, span=span),), limit=read.limit, span=span)
    return sweep, (Variable(name=TASK_ID, value=Template((Ref(Root.SWEEP, (INDEX,)),)), span=span),)


def _container(component: Component, span: Span | None) -> Container | None:
    image = component.value("container-image")
    if not image:
        return None
    mounts = component.value("container-mounts") or ""
    return Container(
        image=text(image.replace("#", "/", 1)), mounts=tuple(mounts.split(",")) if mounts else (), span=span
    )


def _resources(reading: Reading, name: str, span: Span | None) -> Resources | None:
    component = reading.components[0]
    fields: dict[str, object] = {}
    _counts(component, fields)
    _sizes(component, fields)
    _gpus(component, fields)
    _names(component, fields)
    directives = _other_directives(component)
    if directives:
        fields["directives"] = directives
    rest = reading.components[1:]
    if rest:
        fields["passthrough"] = (Passthrough("slurm", ("hetjob",), [_as_map(part) for part in rest], span),)
    if not fields:
        return None
    return Resources(name=name, span=span, places=_places(component, fields, span), **fields)  # type: ignore[arg-type]


def _places(component: Component, fields: dict[str, object], span: Span | None) -> dict[str, Span] | None:
    """Give where the directives stand that fields come from."""
    if span is None or component.foreign:
        return None
    found: dict[str, Span] = {}
    for given in component.given:
        field = _FIELDS.get(given.name, "directives")
        if field in fields and given.end <= len(span.source.text):
            found[field] = span.source.span(given.start, given.end)
    return found


def _as_map(component: Component) -> Mapping[str, str | None]:
    return {given.name: given.value for given in component.given}


def _counts(component: Component, fields: dict[str, object]) -> None:
    if (value := component.value("nodes")) is not None:
        fields["nodes"] = node_range(value)[0]
    for name, field in (
        ("ntasks", "tasks"), ("ntasks-per-node", "tasks_per_node"), ("tasks-per-node", "tasks_per_node"),
        ("cpus-per-task", "cpus"),
    ):  # fmt: skip
        if (value := component.value(name)) is not None:
            fields[field] = int(value)
    if (value := component.value("time")) is not None:
        minutes = limit_minutes(value)
        if minutes is not None:
            fields["walltime"] = minutes * 60
    if component.find("exclusive") is not None and not component.value("exclusive"):
        fields["exclusive"] = True


def _sizes(component: Component, fields: dict[str, object]) -> None:
    for name, field in (("mem", "memory"), ("mem-per-cpu", "memory_per_cpu"), ("tmp", "storage")):
        if (value := component.value(name)) is not None and mebibytes(value) > 0:
            fields[field] = mebibytes(value) * _MIB


_GPU = re.compile(r"(?:gres[:/])?gpu(?::(?P<type>[A-Za-z][\w.-]*))?(?::(?P<count>\d+))?\Z")


def _gpus(component: Component, fields: dict[str, object]) -> None:
    others = []
    for item in (component.value("gres") or "").split(","):
        found = _GPU.match(item)
        if found is None or "gpus" in fields:
            others.append(item)
        else:
            fields["gpus"] = int(found["count"] or 1)
            fields |= {"gpu_type": found["type"]} if found["type"] else {}
    if any(others):
        fields["generic"] = text(",".join(others))
    for name in ("gpus-per-node", "gpus"):
        value = component.value(name)
        kind, _, number = (value or "").rpartition(":")
        if value is None or not number.isdigit() or "gpus" in fields:
            continue
        nodes = int(str(fields.get("nodes", 1))) or 1
        fields["gpus"] = int(number) if name == "gpus-per-node" else -(-int(number) // nodes)
        fields |= {"gpu_type": kind} if kind else {}


def _names(component: Component, fields: dict[str, object]) -> None:
    for name, field in _TEXTS.items():
        if (value := component.value(name)) is not None:
            fields[field] = text(value)
    for name, field in (("exclude", "exclude_nodes"), ("nodelist", "node_list")):
        if (value := component.value(name)) is not None:
            fields[field] = tuple(_split_names(value))


def _split_names(value: str) -> list[str]:
    """Split a list of nodes at the commas outside brackets."""
    return [part for part in re.split(r",(?![^\[]*\])", value) if part]


def _other_directives(component: Component) -> tuple[Template, ...]:
    last: dict[str, Template] = {}
    for given in component.given:
        plain = given.name in _HANDLED and not (given.name == "exclusive" and given.value)
        if plain or given.name.startswith("container-"):
            continue
        value = component.settings.fields.get(given.name) if given.name == "mail-type" else given.value
        last.pop(given.name, None)
        last[given.name] = text(f"--{given.name}" + (f"={value}" if value is not None else ""))
    for name, field in (("mem", "0"), ("time", "0")):
        value = component.value(name)
        if value is not None and _is_nothing(name, value):
            last[name] = text(f"--{name}={field}")
    return tuple(last.values())


def _is_nothing(name: str, value: str) -> bool:
    return mebibytes(value) == 0 if name == "mem" else limit_minutes(value) is None
