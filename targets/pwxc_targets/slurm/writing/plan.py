"""What is submitted: a job for each unit of the workflow, in an order in which parents come first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

from pwxc.diagnostics import Code
from pwxc.ir.expr import Expr, Root, refs
from pwxc.ir.sweep import Sweep
from pwxc.ir.task import Edge, Outcome, Task
from pwxc.ir.workflow import Hook, RunCommands, Trigger, Unit, units
from pwxc_targets.slurm import codes as C  # noqa: N812
from pwxc_targets.slurm.writing.context import Context
from pwxc_targets.slurm.writing.requests import Request
from pwxc_targets.slurm.writing.sweeps import Decoded, NotFixedError, decode

_EARLY = frozenset({Root.INPUT, Root.RUN_ID, Root.RUN_FOLDER})


@attrs.define
class Job:
    """A job with its script. `edges` are words of the submit script: a kind, a colon, the parent's slug."""

    slug: str
    name: str
    edges: list[str]
    request: Request = attrs.field(factory=Request)
    body: str = ""
    decoded: Decoded | None = None
    limit: int | None = None
    condition: Expr | None = None
    members: list[tuple[str, str]] = attrs.field(factory=list)
    components: list[Request] = attrs.field(factory=list)
    is_hook: bool = False


@attrs.define
class Plan:
    """The units of a workflow in submission order, with what is known about each before it is written."""

    context: Context
    order: list[Unit] = attrs.field(factory=list)
    decoded: dict[str, Decoded] = attrs.field(factory=dict)
    sweeps: dict[str, Sweep] = attrs.field(factory=dict)
    skippable: set[str] = attrs.field(factory=set)
    losses: list[tuple[Edge, str, Code, str]] = attrs.field(factory=list)
    """What of an edge Slurm says in another way."""

    def __attrs_post_init__(self) -> None:
        """Sort the units, and look at their sweeps and conditions."""
        found = units(self.context.workflow)
        self.order = _sorted(found)
        for unit in self.order:
            self._look_at(unit)

    def slug(self, unit: Unit | str) -> str:
        """Give the file name of a unit."""
        name = unit if isinstance(unit, str) else unit.name
        is_gang = any(gang.name == name for gang in self.context.workflow.gangs)
        if is_gang and name in self.context.tasks:
            return self.context.slugs.of(f"{name}.gang")
        return self.context.slugs.of(name)

    def lead(self, unit: Unit) -> Task:
        """Give the task of a unit, or the lead of a gang."""
        return unit if isinstance(unit, Task) else self.context.tasks[unit.lead]

    def condition(self, unit: Unit) -> Expr | None:
        """Give the condition of a unit."""
        return self.lead(unit).condition

    def is_early(self, condition: Expr) -> bool:
        """Whether a condition is decided when the workflow is submitted."""
        return all(ref.root in _EARLY for ref in refs(condition))

    def _look_at(self, unit: Unit) -> None:
        sweep = self.lead(unit).sweep
        if sweep is not None:
            try:
                self.decoded[unit.name] = decode(sweep, self.context.variables)
                self.sweeps[unit.name] = sweep
            except NotFixedError:
                message = f"the sweep of `{unit.name}` has no fixed size"
                self.context.say(C.SWEEP_FROM_INPUT, message, sweep.span)
        if self.condition(unit) is not None or any(
            edge.parent in self.skippable for edge in unit.needs if edge.when is Outcome.SUCCESS
        ):
            self.skippable.add(unit.name)

    def edges(self, unit: Unit) -> list[str]:
        """Give the edges of a unit as words of the submit script."""
        return [self._edge(unit, edge) for edge in unit.needs]

    def _edge(self, unit: Unit, edge: Edge) -> str:
        slug = self.slug(edge.parent)
        if edge.same_instance and unit.name in self.decoded and edge.parent in self.decoded:
            if edge.when is Outcome.SUCCESS and self._are_paired(unit.name, edge.parent):
                return f"same:{slug}"
            message = f"`{unit.name}` waits for all of `{edge.parent}`"
            self.losses.append((edge, "same_instance", C.PAIRING, message))
        elif edge.any_instance and edge.parent in self.decoded:
            if edge.when in (Outcome.SUCCESS, Outcome.FAILURE):
                message = f"`{unit.name}` follows the first instance of `{edge.parent}` with that outcome"
                self.losses.append((edge, "any_instance", C.ANY_INSTANCE, message))
            return f"any-{edge.when.value}:{slug}"
        if edge.when is Outcome.START and edge.delay:
            return f"start+{-(-edge.delay // 60)}:{slug}"
        return f"{edge.when.value}:{slug}"

    def _are_paired(self, child: str, parent: str) -> bool:
        """Whether instance belongs to instance by their numbers: no variable that both have differs."""
        if self.decoded[child].size != self.decoded[parent].size:
            return False
        own, other = self.sweeps[child], self.sweeps[parent]
        names = {parameter.name for parameter in own.parameters}
        if not all(parameter.name in names for parameter in other.parameters):
            return True
        alike = (own.mode, own.include, own.exclude) == (other.mode, other.include, other.exclude)
        return alike and [(each.name, each.values) for each in own.parameters] == [
            (each.name, each.values) for each in other.parameters
        ]

    def tested(self, unit: Unit) -> list[str]:
        """Give the parents whose being skipped means that the unit is skipped."""
        names = (edge.parent for edge in unit.needs if edge.when in (Outcome.SUCCESS, Outcome.FAILURE))
        return [self.slug(name) for name in dict.fromkeys(names) if name in self.skippable]

    def parents(self, unit: Unit) -> list[str]:
        """Give all parents; with a colon and their number, if there are several instances."""
        names = dict.fromkeys(edge.parent for edge in unit.needs)
        sizes = {name: f":{self.decoded[name].size}" for name in names if name in self.decoded}
        return [self.slug(name) + sizes.get(name, "") for name in names]

    def hook_edges(self, hook: Hook) -> list[str]:
        """Give what a hook waits for: the ends of the tasks that it selects, or what they wait for."""
        chosen = [unit for unit in self.order if self._is_selected(hook, unit)]
        if hook.trigger is Trigger.TASKS_READY:
            return list(dict.fromkeys(word for unit in chosen for word in self.edges(unit) if word[:4] != "same"))
        return [f"end:{self.slug(unit)}" for unit in chosen]

    def _is_selected(self, hook: Hook, unit: Unit) -> bool:
        if hook.trigger is Trigger.WORKFLOW_COMPLETE:
            return True
        names = {unit.name} if isinstance(unit, Task) else {unit.name, *unit.members}
        return bool(names & set(hook.tasks)) or any(
            _matches(pattern, name) for pattern in hook.patterns for name in names
        )

    def jobs_hooks(self) -> list[Hook]:
        """Give the hooks that become jobs."""
        kinds = (Trigger.WORKFLOW_COMPLETE, Trigger.TASKS_READY, Trigger.TASKS_COMPLETE)
        hooks = self.context.workflow.hooks
        return [hook for hook in hooks if hook.trigger in kinds and isinstance(hook.action, RunCommands)]


def _matches(pattern: str, name: str) -> bool:
    import re

    try:
        return re.search(pattern, name) is not None
    except re.error:
        return False


def _sorted(found: Sequence[Unit]) -> list[Unit]:
    """Put parents before children, otherwise in the order in which they stand."""
    by_name = {unit.name: unit for unit in found}
    done: dict[str, None] = {}
    for unit in found:
        stack: list[tuple[str, Iterable[str]]] = [(unit.name, iter(_parents(unit)))]
        seen = {unit.name}
        while stack:
            name, parents = stack[-1]
            following = next((item for item in parents if item in by_name and item not in done), None)
            if following is None:
                stack.pop()
                done[name] = None
            elif following not in seen:
                seen.add(following)
                stack.append((following, iter(_parents(by_name[following]))))
    return [by_name[name] for name in done]


def _parents(unit: Unit) -> list[str]:
    return [edge.parent for edge in unit.needs]
