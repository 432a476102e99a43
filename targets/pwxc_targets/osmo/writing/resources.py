"""Resource records, and the one time limit of the file (osmo.md §8, §9, §30)."""

from __future__ import annotations

from typing import Any

from pwxc.fidelity import Account, Fate
from pwxc.ir.entity import place_of
from pwxc.ir.expr import Binary, Call, Expr, Literal, Ref, Root
from pwxc.ir.resources import Resources
from pwxc.ir.task import Gang, Task
from pwxc_targets.osmo.reading.scalars import parse_quantity
from pwxc_targets.osmo.writing import amounts
from pwxc_targets.osmo.writing import codes as C  # noqa: N812
from pwxc_targets.osmo.writing.context import EXPRESSIONS, Writing
from pwxc_targets.osmo.writing.directives import derived, settle_directives
from pwxc_targets.osmo.writing.emit import Hole, Text
from pwxc_targets.osmo.writing.holes import Holes

_SITE = ("partition", "account", "quality", "constraint", "reservation", "generic", "gpu_type", "node_list")
_WRITTEN = {"gpu_type": ("gpus",), "generic": ("gpus", "--gres")}
"""Other fields whose place in the source tells that of one."""
_UNITS = {1: "", 2**10: "Ki", 2**20: "Mi", 2**30: "Gi", 2**40: "Ti"}


def write_resources(writing: Writing) -> dict[str, Any]:
    """Give the records by name; in a foreign workflow those that a task uses."""
    used = {task.resources for task in writing.workflow.tasks}
    made: dict[str, Any] = {}
    for record in writing.workflow.resources:
        with writing.ledger.of(record, where=f"resources.{record.name}") as account:
            if not writing.own and record.name not in used:
                account.whole(Fate.COSMETIC)
                continue
            name = writing.classes[record.name] = account.take("name")
            made[name] = _Record(writing, record, account).tree()
    if made and any(task.resources not in writing.classes for task in writing.workflow.tasks):
        name = "default" if "default" not in made else "none"
        while name in made:
            name += "-"
        writing.empty_class = name
        made[name] = {}
    return made


class _Record:
    def __init__(self, writing: Writing, record: Resources, account: Account) -> None:
        self.writing, self.record, self.account = writing, record, account
        self.holes = Holes(writing)
        self.derived = derived(record, writing.number)

    def tree(self) -> dict[str, Any]:
        record, account = self.record, self.account
        made: dict[str, Any] = {
            "cpu": self._cpus(),
            "gpu": self.derived.gpus if record.gpus is None else self._count("gpus"),
            "memory": self._memory(),
            "storage": self._amount("storage"),
        }
        if record.platform is not None:
            made["platform"] = self.holes.text(account.take("platform"), address=True)
        if record.exclude_nodes:
            made["nodesExcluded"] = [self.holes.literal(node) for node in account.take("exclude_nodes")]
        if record.topology:
            made["topology"] = [
                {"key": item.key, "group": item.group, "requirementType": "required" if item.required else "preferred"}
                for item in account.take("topology")
            ]
        self._rest()
        return {key: value for key, value in made.items() if value is not None}

    def _cpus(self) -> Any:
        record, account = self.record, self.account
        tasks = record.tasks if record.tasks is not None else record.tasks_per_node
        account.emulate("tasks", "tasks_per_node")
        if self.derived.cpus is not None:
            return self.derived.cpus
        if tasks is None or tasks == 1:
            return self._count("cpus")
        each, many = self.writing.number(record.cpus) or 1, self.writing.number(tasks) or 1
        if record.tasks is not None:  # those of all nodes
            many = -(-many // max(1, self.writing.number(record.nodes) or 1))
        account.emulate("cpus")
        self._said_frozen("cpus", record.cpus, tasks)
        return int(each * many)

    def _count(self, field: str) -> Any:
        value = self.account.take(field)
        if not isinstance(value, EXPRESSIONS):
            return value or None
        number = self.writing.number(value)
        if isinstance(value, Ref) and value.root is Root.INPUT and (number is not None or self.writing.own):
            return self.holes.text(_template(value), address=True)
        self._said_frozen(field, value)
        return None if number is None else int(number)

    def _memory(self) -> Any:
        record = self.record
        if self.derived.memory is not None:
            return amounts.quantity(self.derived.memory, exact=False)
        if record.memory is not None or record.memory_per_cpu is None:
            return self._amount("memory")
        each, cpus = self.writing.number(record.memory_per_cpu, "quantity"), self.writing.number(self._cpus()) or 1
        self.account.emulate("memory_per_cpu")
        self._said_frozen("memory_per_cpu", record.memory_per_cpu)
        return None if each is None else amounts.quantity(int(each * cpus), exact=False)

    def _amount(self, field: str) -> Any:
        value = self.account.take(field)
        if value is None:
            return None
        if isinstance(value, int | float):
            exact = self.writing.own
            if value % 1024 and not exact:
                message = f"`{field}` of `{self.record.name}` is rounded up to whole units"
                self.account.approximate(field, C.ROUNDED, message)
            return amounts.quantity(int(value), exact=exact)
        written = self._amount_hole(value)
        if written is not None:
            return written
        self._said_frozen(field, value)
        size = self.writing.number(value, "quantity")
        return None if size is None else amounts.quantity(int(size), exact=False)

    def _amount_hole(self, value: Expr) -> str | Text | None:
        unit = ""
        if isinstance(value, Binary) and value.operator == "*" and isinstance(value.right, Literal):
            if value.right.value not in _UNITS or not isinstance(value.left, Ref):
                return None
            unit, value = _UNITS[int(value.right.value or 0)] or "B", value.left
        elif isinstance(value, Ref) and self.writing.own:
            unit = "m"
        elif isinstance(value, Call) and value.function == "quantity":
            value = value.arguments[0]
        if not isinstance(value, Ref) or value.root is not Root.INPUT:
            return None
        text = self.writing.variables.of(value).text
        if parse_quantity(text + unit) is None:
            return None
        return self.holes.text(_template(value, unit), address=True)

    def _is_waiting(self, users: list[Task]) -> bool:
        """Whether some of the nodes have nothing to do but to be there; those of further components are told of."""
        beside = {name for task in self.writing.workflow.tasks for name in task.beside}
        waiting = [adapted for task in users if (adapted := self.writing.scripts.get(task.name)) is not None]
        return any(not adapted.members for adapted in waiting) and self.record.name not in beside

    def _said_frozen(self, field: str, *values: Any) -> None:
        if any(isinstance(value, EXPRESSIONS) for value in values):
            message = f"`{field.replace('_', ' ')}` of `{self.record.name}` is built in with the inputs' defaults"
            self.account.approximate(field, C.FROZEN_VALUE, message)

    def _rest(self) -> None:
        record, account = self.record, self.account
        nodes = self.writing.number(record.nodes)
        account.take("nodes")
        account.emulate("walltime")
        users = [task for task in self.writing.workflow.tasks if task.resources == record.name]
        spread = all(self.writing.home(task.name) in self.writing.added.hosts for task in users)
        if nodes is not None and nodes > 1 and spread and not self._is_waiting(users):
            account.emulate("nodes")
        elif nodes is not None and nodes > 1 and spread:
            message = f"work on the {int(nodes)} nodes of `{record.name}` runs in the first of as many containers"
            account.approximate("nodes", C.NODES, message)
        elif nodes is not None and nodes > 1 and not spread:
            message = f"`{record.name}` asks for {int(nodes)} nodes; a member of a group runs on one"
            account.drop("nodes", C.NODES_OF_MEMBER, message)
        elif isinstance(record.nodes, EXPRESSIONS):
            self._said_frozen("nodes", record.nodes)
        for field in _SITE:
            if getattr(record, field):
                message = f"OSMO has nothing for the {field.replace('_', ' ')} of `{record.name}`"
                places = record.places or {}
                where = next((places[name] for name in (field, *_WRITTEN.get(field, ())) if name in places), None)
                account.approximate(field, C.SITE, message, once=True, span=where or place_of(record, field))
        if record.directives:
            settle_directives(account, record)
        if record.exclusive:
            account.approximate("exclusive", C.SITE, f"`{record.name}` does not get nodes for itself alone")
        else:
            account.cosmetic("exclusive")
        account.cosmetic("passthrough")


def _template(ref: Ref, unit: str = "") -> Any:
    from pwxc.ir.template import Template

    return Template.of(ref, unit)


# the one time limit


def plan_timeout(writing: Writing) -> None:
    """Choose the limit of the file: the largest, if every unit has one."""
    limits = [limit_of(writing, unit) for unit in writing.order]
    if not limits:
        return
    if all(limit == limits[0] for limit in limits):
        writing.timeout = limits[0]
        return
    seconds = [writing.number(limit, "duration") for limit in limits]
    known = [value for value in seconds if value is not None]
    if len(known) == len(limits):
        writing.timeout = max(known)


def limit_of(writing: Writing, unit: Task | Gang) -> Any:
    """Give the time limit of a unit, from itself or its resources."""
    if unit.run_timeout is not None:
        return unit.run_timeout
    found = []
    members = [writing.lead(unit)] if unit.name in writing.added.hosts else writing.members(unit)
    for task in members:
        record = writing.resources.get(task.resources or "")
        value = task.run_timeout if task.run_timeout is not None else (record.walltime if record is not None else None)
        found.append(_seconds(writing, value))
    known = [value for value in found if value is not None]
    return max(known) if known and len(known) == len(found) else None


def _seconds(writing: Writing, value: Any) -> Any:
    return writing.number(value, "duration") if isinstance(value, EXPRESSIONS) else value


def write_timeout(writing: Writing) -> dict[str, Any]:
    """Give the map `timeout`."""
    made: dict[str, Any] = {}
    if writing.timeout is None and isinstance(writing.workflow.timeout, int | float):
        writing.timeout = writing.workflow.timeout
    if writing.timeout is not None:
        made["exec_timeout"] = written_time(writing, Holes(writing), writing.timeout)
    waits = [unit.queue_timeout for unit in writing.order if unit.queue_timeout is not None]
    if waits:
        chosen = waits[0]
        if any(wait != chosen for wait in waits):
            numbers = [writing.number(wait, "duration") or 0 for wait in waits]
            chosen = max(numbers)
        made["queue_timeout"] = written_time(writing, Holes(writing), chosen)
        owner = next(unit for unit in writing.order if unit.queue_timeout is not None)
        for unit in writing.order:
            if unit.queue_timeout != chosen:
                _settle_queue(writing, unit, owner)
    return {key: value for key, value in made.items() if value is not None}


def _settle_queue(writing: Writing, unit: Task | Gang, owner: Task | Gang) -> None:
    """Say that a unit gets another limit than its own; where it has none, the one that has brought the limit tells."""
    message = f"the time that `{unit.name}` waits in the queue is limited by the largest limit of all"
    with writing.ledger.of(owner if unit.queue_timeout is None else unit) as account:
        account.approximate("queue_timeout", C.QUEUE_LIMIT, message, once=True, span=unit.span)


def written_time(writing: Writing, holes: Holes, value: float | Expr) -> Any:
    """Write a time that may be left to an input."""
    if isinstance(value, int | float):
        return amounts.duration(value)
    ref = value.arguments[0] if isinstance(value, Call) and value.function == "duration" else value
    seconds = writing.number(value, "duration")
    if isinstance(ref, Ref) and ref.root is Root.INPUT:
        variable = writing.variables.of(ref)
        if isinstance(variable.default, int | float):
            return Text((Hole(variable.expression, tame=True), "s"), address=True)
        if seconds is not None and variable.hole() is not None and ":" not in variable.text:
            return holes.text(_template(ref), address=True)
    return None if seconds is None else amounts.duration(seconds)
