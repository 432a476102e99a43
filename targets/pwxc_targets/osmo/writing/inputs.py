"""The `inputs` of a task: its reads and the order of the units, with their numbers (osmo.md §12, §19)."""

from __future__ import annotations

from typing import Any

import attrs

from pwxc.fidelity import Account
from pwxc.ir.data import Dataset, NamedDatum, NamedFile, Read, TaskOutput, Url
from pwxc.ir.task import Edge, Gang, Outcome, Task
from pwxc.ir.workflow import Unit
from pwxc_targets.osmo.writing import codes as C  # noqa: N812
from pwxc_targets.osmo.writing.context import Writing
from pwxc_targets.osmo.writing.emit import Guarded, Tag, text_of
from pwxc_targets.osmo.writing.holes import Holes
from pwxc_targets.osmo.writing.plan import Plan
from pwxc_targets.osmo.writing.sweeps import Loop, instance_parts


@attrs.define
class Inputs:
    """What a task's `inputs` are: the items of the list, and the folders where other tasks' data arrive.

    A folder is a token, or a shell pattern where a loop makes the items.
    """

    items: list[Any] = attrs.field(factory=list)
    folders: list[str] = attrs.field(factory=list)
    tests: list[str] = attrs.field(factory=list)
    """The conditions of the items that have one."""
    looped: bool = False
    """Whether loops or conditions make some of the items, so that the numbers behind them are not known."""
    sure: bool = False
    """Whether there is an item without a condition."""
    parents: list[Edge] = attrs.field(factory=list)

    def written(self) -> list[Any] | Guarded:
        """Give the list for the file."""
        if self.items and not self.sure:
            return Guarded(self.items, f"({' or '.join(f'({test})' for test in dict.fromkeys(self.tests))})")
        return self.items


def write_inputs(writing: Writing, task: Task, unit: Unit, holes: Holes, plan: Plan) -> Inputs:
    """Write the reads of a task first, as their numbers count, then the order that no read of the unit says."""
    found = Inputs()
    for read in task.reads:
        with writing.ledger.of(read) as account:
            _read(writing, account, read, holes, found)
    first = writing.lead(unit) is task or task.name in writing.added.nodes
    read_from = {
        writing.home(read.origin.task)
        for member in writing.members(unit)
        for read in member.reads
        if isinstance(read.origin, TaskOutput) and read.origin.run is None
    }
    known = plan.units
    conditions = plan.conditions
    for edge in sorted(writing.needs(unit), key=lambda edge: _is_unsure(writing, edge, conditions)):
        if edge.parent not in known or edge.when is Outcome.START:
            continue
        found.parents.append(edge)
        if first and edge.parent not in read_from:
            _edge(writing, unit, edge, known[edge.parent], found, holes, conditions)
    return found


def _is_unsure(writing: Writing, edge: Edge, conditions: dict[str, str]) -> bool:
    return edge.parent in writing.loops or edge.parent in conditions


def _read(writing: Writing, account: Account, read: Read, holes: Holes, found: Inputs) -> None:
    origin = account.take("origin")
    account.take("name")
    pattern = account.take("pattern")
    account.cosmetic("implied")
    number = str(len(found.folders))
    item: dict[str, Any]
    match origin:
        case TaskOutput(task=name, run=None):
            item = {"task": _instance(writing, name, holes.loop)}
            holes.numbers.setdefault(f"task:{name}", number)
        case TaskOutput(task=name, run=run):
            item = {"task": f"{run}:{name}"}
        case Url(url=url):
            item = {"url": holes.text(url, address=True)}
        case Dataset():
            account.approximate("origin", C.DATASET, "datasets end with OSMO's release 6.3", once=True)
            item = {"dataset": _dataset(origin, holes, pattern)}
            pattern = None
        case NamedFile() | NamedDatum():
            _named(writing, account, origin)
            return
    if pattern is not None:
        item["regex"] = holes.literal(pattern)
    holes.numbers[read.name] = number
    found.sure = True
    found.items.append(item)
    found.folders.append("{{input:" + number + "}}" if isinstance(origin, TaskOutput) else "")


def _named(writing: Writing, account: Account, origin: NamedFile | NamedDatum) -> None:
    """Settle a named file, which comes through the shared folder; without a task that writes it, it has to be there."""
    writers = [
        task.name
        for task in writing.workflow.tasks
        if any(getattr(write.destination, "name", None) == origin.name for write in task.writes)
    ]
    known = next((datum for datum in writing.workflow.data if datum.name == origin.name), None)
    if isinstance(origin, NamedDatum) and known is not None and known.value is not None:
        account.emulate("origin")  # its value stands in the text
    elif not writers:
        message = f"nothing writes the file `{origin.name}`, so it is not there"
        account.manual("origin", C.MISSING_FILE, message)


def _dataset(dataset: Dataset, holes: Holes, pattern: str | None) -> dict[str, Any]:
    made: dict[str, Any] = {"name": holes.text(dataset.name, address=True)}
    if pattern is not None:
        made["regex"] = holes.literal(pattern)
    if dataset.local_path is not None:
        made["localpath"] = dataset.local_path
    if dataset.path is not None:
        made["path"] = holes.text(dataset.path, address=True)
    return made | _details(dataset, holes)


def _details(dataset: Dataset, holes: Holes) -> dict[str, Any]:
    lists = (("metadata", dataset.metadata), ("labels", dataset.labels))
    return {key: [holes.literal(item) for item in items] for key, items in lists if items}


def write_dataset(dataset: Dataset, holes: Holes, pattern: str | None) -> dict[str, Any]:
    """Give the output item of a dataset of release 6.3."""
    if dataset.update is None:
        return {"dataset": _dataset(dataset, holes, pattern)}
    made: dict[str, Any] = {"name": holes.text(dataset.name, address=True)}
    if dataset.update:
        made["paths"] = [holes.text(path, address=True) for path in dataset.update]
    return {"update_dataset": made | _details(dataset, holes)}


# order without data


def _edge(
    writing: Writing, unit: Unit, edge: Edge, parent: Unit, found: Inputs, holes: Holes, conditions: dict[str, str]
) -> None:
    name = parent.lead if isinstance(parent, Gang) else parent.name
    loop = writing.loops.get(parent.name)
    condition = conditions.get(parent.name)
    if loop is None or (edge.same_instance and _pairs(loop, holes.loop)):
        heads, ends = ([], []) if condition is None or condition in conditions.get(unit.name, "") else _test(condition)
        item = {"task": _instance(writing, name, loop and holes.loop)}
    else:
        heads, ends = list(loop.heads), list(loop.ends)
        if condition is not None:
            tests = _test(condition)
            heads, ends = [*heads, *tests[0]], [*tests[1], *ends]
        item = {"task": _instance(writing, name, loop)}
    if not heads and not found.looped:
        holes.numbers.setdefault(f"task:{name}", str(len(found.folders)))
        found.folders.append("{{input:" + str(len(found.folders)) + "}}")
    elif heads:
        found.looped = True
    else:
        found.folders.append("")
    if loop is not None and not loop.size:
        return
    if condition is not None and heads:
        found.tests.append(condition)
    else:
        found.sure = True
    found.items += [*map(Tag, heads), item, *map(Tag, ends)]


def _test(condition: str) -> tuple[list[str], list[str]]:
    return [f"{{% if {condition} %}}"], ["{% endif %}"]


def _pairs(parent: Loop, child: Loop | None) -> bool:
    """Whether the child's loop has a number for each part of the parent's names."""
    return child is parent


def _instance(writing: Writing, name: str, loop: Loop | None) -> Any:
    """Give the name of a task, of one instance where it stands in a loop."""
    return instance_name(writing.names.get(name, name), loop if writing.loop_of(name) is not None else None)


def instance_name(called: str, loop: Loop | None) -> Any:
    """Put the numbers of an instance behind a name."""
    if loop is None:
        return called
    return text_of(instance_parts(called, loop), address=True)
