"""What the parts of the writer share while one workflow is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from pwxc.fidelity import Ledger
from pwxc.ir.expr import Binary, Call, Expr, Root, refs
from pwxc.ir.resources import Resources
from pwxc.ir.sweep import Sweep
from pwxc.ir.task import Edge, Gang, Step, Task
from pwxc.ir.workflow import Unit, Workflow, gang_of, units
from pwxc_targets.osmo.reading.scalars import parse_duration, parse_quantity
from pwxc_targets.osmo.writing import codes as C  # noqa: N812
from pwxc_targets.osmo.writing.naming import LONGEST_IN_LIST, Names
from pwxc_targets.osmo.writing.scripts.job import Job
from pwxc_targets.osmo.writing.scripts.worth import asks
from pwxc_targets.osmo.writing.standins import MOST_NODES, StandIns, with_stand_ins
from pwxc_targets.osmo.writing.sweeps import LONGEST_LOOP, Loop, has_hard_values, make_loop
from pwxc_targets.osmo.writing.variables import Variables

if TYPE_CHECKING:
    from pwxc_targets.osmo.writing.scripts.adapt import Adapted

EXPRESSIONS: tuple[type, ...] = tuple(Expr.__args__)


@attrs.define(eq=False)
class Writing:
    """One workflow on its way into an OSMO file."""

    workflow: Workflow
    """The workflow with what stands in for hooks and several nodes."""
    ledger: Ledger
    options: Mapping[str, str]
    source: Workflow = attrs.field(init=False)
    """The workflow as it was read."""
    added: StandIns = attrs.field(init=False)
    scripts: dict[str, Adapted] = attrs.field(init=False)
    """The tasks whose scripts are changed, or that have several nodes."""
    own: bool = attrs.field(init=False)
    """Whether it was read from OSMO, so that names, numbers and texts stay as they are."""
    grouped: bool = attrs.field(init=False)
    variables: Variables = attrs.field(init=False)
    tasks: dict[str, Task] = attrs.field(init=False)
    resources: dict[str, Resources] = attrs.field(init=False)
    gangs: dict[str, Gang] = attrs.field(init=False)
    """The gang of each task that is a member of one."""
    order: list[Unit] = attrs.field(init=False)
    names: dict[str, str] = attrs.field(factory=dict)
    """What each task is called, without the number of its instance."""
    groups: dict[str, str] = attrs.field(factory=dict)
    """What each unit's group is called."""
    loops: dict[str, Loop] = attrs.field(factory=dict)
    """The loops of the units that are swept."""
    classes: dict[str, str] = attrs.field(factory=dict)
    empty_class: str | None = None
    """The record for tasks that ask for nothing, where others ask for something."""
    timeout: float | Expr | None = None
    """The limit that the file sets for every group."""

    def __attrs_post_init__(self) -> None:
        """Index the workflow."""
        self.source = self.workflow
        self.own = self.workflow.dialect == "osmo"
        self.variables = Variables(self.workflow.inputs, own=self.own)
        self.resources = {record.name: record for record in self.workflow.resources}
        self.scripts = {} if self.own else self._adapted()
        self.added = with_stand_ins(self.workflow, self.scripts)
        self.workflow = self.added.workflow
        self.grouped = bool(self.workflow.gangs)
        self.tasks = {task.name: task for task in self.workflow.tasks}
        self.gangs = gang_of(self.workflow)
        self.order = self._sorted_units()
        self._plan_loops()
        self._claim_names()

    @property
    def shared_folder(self) -> bool:
        """Whether the source's tasks share a folder, which OSMO's do not."""
        return not self.own

    @property
    def most_tasks(self) -> int:
        """How many tasks the site takes."""
        return int(self.options["max_tasks"])

    def home(self, name: str) -> str:
        """Give the unit of a task."""
        gang = self.gangs.get(name)
        return gang.name if gang is not None else name

    def members(self, unit: Unit) -> list[Task]:
        """Give the tasks of a unit."""
        return [self.tasks[name] for name in unit.members] if isinstance(unit, Gang) else [unit]

    def lead(self, unit: Unit) -> Task:
        """Give the task of a unit, or the lead of a gang."""
        return self.tasks[unit.lead] if isinstance(unit, Gang) else unit

    def needs(self, unit: Unit) -> tuple[Edge, ...]:
        """Give the edges of a unit, those to tasks that were added with them."""
        return (*unit.needs, *self.added.edges.get(unit.name, ()))

    def steps(self, task: Task) -> tuple[Step, ...]:
        """Give the steps of a task with what is done around every task's work."""
        if task.name in self.added.tasks:
            return task.steps
        adapted = self.scripts.get(task.name)
        return (*self.added.before, *(task.steps if adapted is None else adapted.steps), *self.added.after)

    def cleanup(self, task: Task) -> tuple[Step, ...]:
        """Give the steps with which a task ends in any case."""
        adapted = self.scripts.get(task.name)
        return task.cleanup if adapted is None else adapted.cleanup

    def adapted_of(self, task: Task) -> tuple[Adapted | None, int]:
        """Give the task whose changed scripts a task runs, and the number of its node there."""
        name, node = self.added.nodes.get(task.name, (task.name, 0))
        return self.scripts.get(name), node

    def _adapted(self) -> dict[str, Adapted]:
        members = gang_of(self.workflow)
        found = {}
        for task in self.workflow.tasks:
            jobs = [Job.of(self.resources.get(name or ""), self.number) for name in (task.resources, *task.beside)]
            if task.name in members or sum(job.nodes for job in jobs) > MOST_NODES:
                jobs = [attrs.evolve(jobs[0], nodes=1)]
            if len(jobs) > 1 or jobs[0].nodes > 1 or asks(task):
                from pwxc_targets.osmo.writing.scripts.adapt import adapt

                made = adapt(task, jobs[0], tuple(jobs[1:]), self.variables.fold)
                if made is not None:
                    found[task.name] = made
        return found

    def loop_of(self, task: str) -> Loop | None:
        """Give the loops in which a task stands."""
        return self.loops.get(self.home(task))

    def number(self, value: Any, kind: str = "") -> int | float | None:
        """Give a number that may be an expression over inputs, a quantity (`kind` "quantity") or a duration."""
        if isinstance(value, Call) and value.function in ("quantity", "duration"):
            return self.number(value.arguments[0], value.function)
        if isinstance(value, EXPRESSIONS):
            if isinstance(value, Binary) and value.operator == "*":
                left, right = self.number(value.left), self.number(value.right)
                return None if left is None or right is None else left * right
            value = self.variables.value(value)
        if isinstance(value, str):
            return _read_number(value.strip(), kind)
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None

    def _sorted_units(self) -> list[Unit]:
        """Give the units with every parent before its children, otherwise in the order of the source (osmo.md §19)."""
        waiting = units(self.workflow)
        known = {unit.name for unit in waiting}
        done: set[str] = set()
        found: list[Unit] = []
        while waiting:
            left: list[Unit] = []
            for unit in waiting:
                parents = {edge.parent for edge in self.needs(unit)} & known - {unit.name}
                if parents <= done:
                    found.append(unit)
                    done.add(unit.name)
                else:
                    left.append(unit)
            if len(left) == len(waiting):
                return [*found, *left]
            waiting = left
        return found

    def built_in(self, value: Any, kind: str = "") -> int | float | None:
        """Give a number for a script, which holds it as it is now; says so where an input decides it."""
        self.say_built_in(value)
        return self.number(value, kind)

    def say_built_in(self, value: Any) -> None:
        """Say that a script holds a value as it is now, if an input decides it."""
        expr: Any = value if isinstance(value, EXPRESSIONS) else None
        if expr is not None and any(ref.root is Root.INPUT for ref in refs(expr)):
            message = "a value that depends on an input is built in with the input's default"
            self.ledger.add_once(C.FROZEN_VALUE, message, getattr(expr, "span", None))

    def _plan_loops(self) -> None:
        seen: dict[int, Loop | None] = {}
        for unit in self.order:
            sweep = next((task.sweep for task in self.members(unit) if task.sweep is not None), None)
            if sweep is None:
                continue
            if id(sweep) not in seen:
                same = next((loop for other, loop in self._swept() if _same_instances(other, sweep)), None)
                seen[id(sweep)] = same or self._loop(sweep)
            loop = seen[id(sweep)]
            if loop is not None:
                self.loops[unit.name] = loop

    def _swept(self) -> list[tuple[Sweep, Loop]]:
        found = []
        for name, loop in self.loops.items():
            first = next(task for task in self.workflow.tasks if self.home(task.name) == name and task.sweep)
            assert first.sweep is not None
            found.append((first.sweep, loop))
        return found

    def _loop(self, sweep: Sweep) -> Loop | None:
        loop = make_loop(sweep, self.variables)
        with self.ledger.of(sweep) as account:
            if loop is None or has_hard_values(sweep):
                account.drop("parameters", C.UNKNOWN_SWEEP, "the values of this sweep cannot stand in the file")
                return None
            if loop.longest > LONGEST_LOOP:
                message = f"a loop over {loop.longest:,} values is longer than OSMO renders"
                account.drop("parameters", C.SWEEP_TOO_LARGE, message)
        return loop

    def _claim_names(self) -> None:
        names = Names(keep=self.own)
        limit = LONGEST_IN_LIST
        if self.own:
            names.keep_patterns({path[0] for loop in self.loops.values() for path in loop.values})
        for unit in self.order:
            loop = self.loops.get(unit.name)
            width = loop.width if loop is not None else 0
            if isinstance(unit, Gang):
                added = unit.name in self.added.hosts
                if not added:
                    self.groups[unit.name] = names.claim(unit.name, suffix=width)
                for task in self.members(unit):
                    self.names[task.name] = names.claim(task.name, suffix=width)
                if added:  # the task keeps its name
                    self.groups[unit.name] = names.claim(f"{unit.name}-group", suffix=width)
            else:
                self.names[unit.name] = names.claim(unit.name, limit=limit, suffix=width, list_item=True)
                self.groups[unit.name] = f"{self.names[unit.name]}"


def _same_instances(one: Sweep, other: Sweep) -> bool:
    """Whether two sweeps have the same instances, however many of them may run at a time."""
    same = one.parameters == other.parameters and one.mode == other.mode
    return same and one.include == other.include and one.exclude == other.exclude


def _read_number(text: str, kind: str) -> int | float | None:
    if kind == "quantity":
        size = parse_quantity(text)
        return None if size is None else int(size)
    if kind == "duration":
        seconds = parse_duration(text)
        if seconds is not None:
            return seconds
        return _clock(text)
    try:
        return int(text)
    except ValueError:
        return None


def _clock(text: str) -> int | None:
    """Read the times of Slurm: minutes, `M:S`, `H:M:S`, `D-H`, `D-H:M`, `D-H:M:S`."""
    days, dash, rest = text.rpartition("-")
    parts = rest.split(":")
    if not all(part.isdecimal() for part in parts) or (dash and not days.isdecimal()) or len(parts) > 3:
        return None
    numbers = [int(part) for part in parts]
    if dash:
        numbers += [0] * (3 - len(numbers))
    elif len(numbers) == 1:
        numbers = [0, numbers[0], 0]
    elif len(numbers) == 2:
        numbers = [0, *numbers]
    return int(days or 0) * 86400 + numbers[0] * 3600 + numbers[1] * 60 + numbers[2]
