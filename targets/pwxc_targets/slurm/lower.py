"""One batch script into a task and its classes of resources."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import PurePath

import attrs

from pwxc.ir.data import Variable
from pwxc.ir.entity import Passthrough
from pwxc.ir.expr import Ref, Root
from pwxc.ir.found import Found
from pwxc.ir.resources import Container, Resources
from pwxc.ir.sweep import Parameter, Sweep
from pwxc.ir.task import Script, Step, Task
from pwxc.ir.template import Template, text
from pwxc.shell.found import image_name, recognise
from pwxc.source import Source, Span
from pwxc_targets.slurm.batch.directives import Component, Reading
from pwxc_targets.slurm.batch.getopt import Given
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


Origin = tuple[Source, int]
"""The text in which a script stands as it is, and where."""
_IMAGE = "container-image"
"""The option by which a whole job runs in an image; that and its mounts are the task's container."""
_OF_JOB = frozenset(["job-name", "array", "chdir", "dependency"])
"""Options that say something about the job, and are handled apart where its first component has them."""


@attrs.frozen
class Lowered:
    """What a script became: the task, what it asks for, and what its dependency says.

    `beside` is what the further components of a heterogeneous job ask for. `at` is where the task's script stands in
    the whole one, `image` the one in which shifter starts what it is given.
    """

    task: Task
    resources: Resources | None
    dependency: str | None = None
    beside: tuple[Resources, ...] = ()
    at: int = 0
    image: str = ""

    @property
    def classes(self) -> tuple[Resources, ...]:
        """All classes of resources."""
        return (*((self.resources,) if self.resources is not None else ()), *self.beside)


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


def lower(
    reading: Reading, content: str, name: str, names: dict[str, int], span: Span | None, origin: Origin | None = None
) -> Lowered:
    """Turn a script into a task with the name `name`, which is one of the `names` that are taken.

    The task's script is the text from the first command on; comments among the directives stay behind.
    """
    component = reading.components[0]
    body, at = content[reading.body :], reading.body
    shell = shell_words(reading.shebang)
    container = _container(component, span)
    resources, beside = classes(reading, name, span, names)
    contained = take_apart(body) if container is None and shell[0] in ("bash", "sh") else None
    if contained is not None and (not contained.gpus or (resources is not None and resources.gpus)):
        container = Container(image=text(contained.image), mounts=contained.mounts, span=span)
        body, at = contained.command, at + contained.start
    work = Script(text(body), shell)
    image = component.value("image") or ""
    step = Step(work=work, span=span, found=find(work, origin, at, image, inside=container is not None))
    sweep, variables = _sweep(component, span)
    chdir = component.value("chdir")
    task = Task(
        name=name,
        steps=(step,),
        resources=name if resources is not None else None,
        beside=tuple(item.name for item in beside),
        container=container,
        environment=variables,
        working_directory=text(chdir) if chdir else None,
        sweep=sweep,
        passthrough=tuple(buffers(reading, origin)),
        span=span,
    )
    return Lowered(task, resources, component.value("dependency"), beside, at, image)


def buffers(reading: Reading, origin: Origin | None) -> Iterator[Passthrough]:
    """Give the lines that ask for a burst buffer: they are no options, and a plug-in reads them from the script."""
    for line in reading.buffers:
        span = None if origin is None else origin[0].span(origin[1] + line.start, origin[1] + line.end)
        yield Passthrough("slurm", (line.text.split(None, 1)[0],), line.text, span)


def find(work: Script, origin: Origin | None, at: int, image: str = "", *, inside: bool = False) -> Found:
    """Recognise what a script takes from its machine; it stands at the place `at` of the text of its origin.

    `inside` says that it runs in an image as a whole.
    """

    def span_of(start: int, end: int) -> Span | None:
        if origin is None:
            return None
        source, base = origin
        return source.span(base + at + start, base + at + end)

    return recognise(work.text, span_of, work.shell, image=image, inside=inside)


def classes(
    reading: Reading, name: str, span: Span | None, names: dict[str, int]
) -> tuple[Resources | None, tuple[Resources, ...]]:
    """Give what a job asks for, and what the further components of a heterogeneous job ask for beside it.

    The class of the job has its name; those of the components have names unlike `names`, which they join.
    """
    first, *others = _with_kept(reading.components)
    beside = []
    for number, part in enumerate(others, 1):
        own = reading.components[number].given
        label = unlike(f"{name}+{number}", names)
        beside.append(_resources(part, own, label, span, further=True) or Resources(name=label, span=span))
    return _resources(first, first.given, name, span), tuple(beside)


def _with_kept(components: Sequence[Component]) -> Iterator[Component]:
    """Give components with the options that each takes over from the one before (slurm.md §10)."""
    kept: list[Given] = []
    for component in components:
        given = [*kept, *component.given]
        yield attrs.evolve(component, given=given)
        kept = [item for item in given if item.option is not None and item.option.kept]


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
    image = component.value(_IMAGE)
    if not image:
        return None
    mounts = component.value("container-mounts") or ""
    return Container(image=text(image_name(image)), mounts=tuple(mounts.split(",")) if mounts else (), span=span)


def _resources(
    component: Component, own: Sequence[Given], name: str, span: Span | None, *, further: bool = False
) -> Resources | None:
    """Give what a component asks for; of options that say nothing about an amount only its `own` are told."""
    fields: dict[str, object] = {}
    _counts(component, fields)
    _sizes(component, fields)
    _gpus(component, fields)
    _names(component, fields)
    directives = _other_directives(component, own, further=further)
    if directives:
        fields["directives"] = directives
    if not fields:
        return None
    return Resources(name=name, span=span, places=find_places(component, fields, span), **fields)  # type: ignore[arg-type]


def find_places(component: Component, fields: Collection[str], span: Span | None) -> dict[str, Span] | None:
    """Give where the directives stand that fields come from, and each further option by its long name with `--`."""
    if span is None or component.foreign:
        return None
    found: dict[str, Span] = {}
    for given in component.given:
        if given.end > len(span.source.text):
            continue
        at = span.source.span(given.start, given.end)
        field = _FIELDS.get(given.name)
        found[field if field is not None and field in fields else f"--{given.name}"] = at
        if given.name not in _HANDLED and "directives" in fields:
            found["directives"] = at
    return found


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
        if value is None or not number.isdigit() or "," in value or "gpus" in fields:
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


def _other_directives(component: Component, own: Sequence[Given], *, further: bool) -> tuple[Template, ...]:
    last: dict[str, Template] = {}
    handled = _HANDLED - _OF_JOB if further else _HANDLED
    for given in own:
        plain = given.name in handled and not (given.name == "exclusive" and given.value)
        plain = plain and not (given.name == "array" and _sweep(component, None)[0] is None)
        if plain or (given.name in (_IMAGE, "container-mounts") and component.value(_IMAGE) and not further):
            continue
        value = component.settings.fields.get(given.name) if given.name == "mail-type" else given.value
        last.pop(given.name, None)
        last[given.name] = text(f"--{given.name}" + (f"={value}" if value is not None else ""))
    for name, field in (("mem", "0"), ("time", "0")):
        value = component.value(name)
        if value is not None and _is_nothing(name, value):
            last[name] = text(f"--{name}={field}")
    for name in ("nodes", "gres", "gpus-per-node", "gpus"):
        if (value := component.value(name)) is not None and _says_more(name, value, component):
            last[name] = text(f"--{name}={value}")
    return tuple(last.values())


def _asks_for_gpus(component: Component, name: str) -> bool:
    value = component.value(name)
    return value is not None and (name != "gres" or any(_GPU.match(item) for item in value.split(",")))


def _says_more(name: str, value: str, component: Component) -> bool:
    """Whether an option says more than the number that is kept of it: a range, a list, or devices of several nodes."""
    if name == "nodes":
        least, most = node_range(value)
        return least != most
    asked = [other for other in ("gres", "gpus-per-node", "gpus") if _asks_for_gpus(component, other)]
    if name == "gres" or len(asked) > 1 or "," in value:
        return name in asked and (name != "gres" or len(asked) > 1)
    one = component.value("nodes") == "1" or not (component.find("nodes") or component.find("ntasks"))
    return name == "gpus" and not one


def _is_nothing(name: str, value: str) -> bool:
    return mebibytes(value) == 0 if name == "mem" else limit_minutes(value) is None
