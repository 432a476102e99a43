"""Jobs whose nodes are of several kinds (heterogeneous jobs), as jobs with nodes like the largest (slurm.md §21.3)."""

from __future__ import annotations

from collections.abc import Iterable

from pwxc.fidelity import Fate, Ledger
from pwxc.ir.entity import changed, place_of
from pwxc.ir.resources import Resources
from pwxc.ir.task import Task
from pwxc.ir.workflow import Workflow
from pwxc_targets.torc.writing import codes as C  # noqa: N812


def join_kinds(workflow: Workflow, ledger: Ledger) -> tuple[Workflow, dict[str, Task]]:
    """Give the tasks with several kinds of nodes one class each; the second part gives what those tasks were."""
    if not any(task.beside for task in workflow.tasks):
        return workflow, {}
    records = {record.name: record for record in workflow.resources}
    originals: dict[str, Task] = {}
    made: dict[str, Resources] = {}
    tasks = []
    for task in workflow.tasks:
        if not task.beside:
            tasks.append(task)
            continue
        own = records.get(task.resources or "", Resources(name=task.name, span=task.span))
        parts = [own, *(records[name] for name in task.beside if name in records)]
        record = _joined(f"{parts[0].name}_together", parts)
        made[record.name] = record
        originals[task.name] = task
        tasks.append(changed(task, resources=record.name, beside=()))
        _settle(ledger, task, record, parts)
    used = {task.resources for task in tasks}
    left = {name for task in originals.values() for name in (task.resources, *task.beside)} - used
    for record in workflow.resources:
        if record.name in left:
            ledger.of(record).whole(Fate.EMULATED)
    kept = tuple(record for record in workflow.resources if record.name not in left)
    return changed(workflow, tasks=tuple(tasks), resources=(*kept, *made.values())), originals


def _joined(name: str, parts: list[Resources]) -> Resources:
    """Give a class with the nodes of all and, for each of them, the most that any asks for."""
    cores = _most(_product(part.cpus, part.tasks_per_node or _by_node(part)) for part in parts)
    memory = [part.memory if part.memory is not None else _product(part.memory_per_cpu, cores) for part in parts]
    widest = max(parts, key=lambda part: (_number(part.gpus), _number(part.cpus)))
    return changed(
        parts[0],
        name=name,
        nodes=sum(_number(part.nodes) or 1 for part in parts),
        tasks=None,
        tasks_per_node=None,
        cpus=cores or None,
        memory=_most(memory) or None,
        memory_per_cpu=None,
        gpus=_most(part.gpus for part in parts) or None,
        gpu_type=widest.gpu_type,
        generic=next((part.generic for part in parts if part.generic is not None), None),
        storage=_most(part.storage for part in parts) or None,
        walltime=_most(part.walltime for part in parts) or parts[0].walltime,
        exclusive=True if any(part.exclusive for part in parts) else parts[0].exclusive,
    )


def _settle(ledger: Ledger, task: Task, record: Resources, parts: list[Resources]) -> None:
    kinds = len(parts)
    with ledger.of(task) as account:
        message = f"`{task.name}` gets {record.nodes} nodes like the largest of its {kinds} components"
        known = [place for part in parts[1:] for place in (part.places or {}).values()]
        last = max(known, key=lambda place: place.start, default=parts[-1].span)
        account.approximate("beside", C.TOGETHER, message, span=(task.places or {}).get("beside") or last)
    for part in parts[1:]:
        for field in ("partition", "constraint", "quality", "reservation", "node_list"):
            value = getattr(part, field)
            if value and value != getattr(parts[0], field):
                with ledger.of(part) as account:
                    message = f"all nodes of `{task.name}` come from where the first component's do"
                    account.approximate(field, C.TOGETHER, message, once=True)
        for item in part.directives:
            option = item.literal or ""
            with ledger.of(part) as account:
                message = f"`{option}` of a further component is left out"
                span = place_of(part, option.partition("=")[0]) or place_of(part, "directives")
                account.approximate("directives", C.TOGETHER, message, span=span)


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _by_node(part: Resources) -> int:
    return -(-_number(part.tasks) // (_number(part.nodes) or 1))


def _product(left: object, right: object) -> int | None:
    """Multiply two amounts of which one may be left out; None where both are."""
    return (_number(left) or 1) * (_number(right) or 1) if _number(left) or _number(right) else None


def _most(values: Iterable[object]) -> int:
    return max((_number(value) for value in values), default=0)
