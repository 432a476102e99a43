"""What is submitted: a job for each unit of the workflow, in an order in which parents come first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import attrs

from pwxc.diagnostics import Code
from pwxc.ir.expr import Expr, Root, refs
from pwxc.ir.sweep import Sweep
from pwxc.ir.task import Edge, Outcome, Task
from pwxc.ir.workflow import Hook, RunCommands, Trigger, Unit, units
from pwxc_targets.slurm import codes as C  # noqa: N812
from pwxc_targets.slurm.writing.context import Context
from pwxc_targets.slurm.writing.decisions import Decision
from pwxc_targets.slurm.writing.requests import Request
from pwxc_targets.slurm.writing.sweeps import Decoded, NotFixedError, decode

EARLY = frozenset({Root.INPUT, Root.RUN_ID, Root.RUN_FOLDER})
_STRICT = frozenset({Outcome.SUCCESS, Outcome.FAILURE})


@attrs.define
class Job:
    """A job with its script. `edges` are words of the submit script: a kind, a colon, the parent's slug.

    `limit` is a shell word for how many instances run at a time; `decides` says that the script finds out whether the
    job is needed; `patience` is how many seconds after it may start it has to have ended.
    """

    slug: str
    name: str
    edges: list[str]
    request: Request = attrs.field(factory=Request)
    body: str = ""
    decoded: Decoded | None = None
    limit: str = ""
    condition: Expr | None = None
    decides: bool = False
    patience: int | None = None
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
    deciding: set[str] = attrs.field(factory=set)
    """Units that find out for themselves, when all before them has ended, that they are not needed.

    To Slurm a job that is not needed is a cancelled one, which whoever waits for its failure would take for failed.
    """
    patient: set[str] = attrs.field(factory=set)
    """Units whose wait for a machine is limited."""
    losses: list[tuple[Edge, str, Code, str]] = attrs.field(factory=list)
    """What of an edge Slurm says in another way."""

    def __attrs_post_init__(self) -> None:
        """Sort the units, and look at their sweeps and conditions."""
        found = units(self.context.workflow)
        self.order = _sorted(found)
        self.deciding = self._deciding()
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

    def is_early(self, unit: Unit) -> bool:
        """Whether the condition of a unit is decided when the workflow is submitted."""
        condition = self.condition(unit)
        if condition is None or unit.name in self.deciding:
            return False
        return all(ref.root in EARLY for ref in refs(condition))

    def _deciding(self) -> set[str]:
        """Find the units that may be skipped, or cancelled, of which somebody asks whether they failed."""
        asked: set[str] = set()
        for unit in reversed(self.order):
            condition = self.condition(unit)
            looks = condition is not None and any(ref.root is Root.STATUS for ref in refs(condition))
            for edge in unit.needs:
                passes_on = edge.when is Outcome.SUCCESS and unit.name in asked
                if looks or passes_on or edge.when is Outcome.FAILURE:
                    asked.add(edge.parent)
        skipped: set[str] = set()
        found: set[str] = set()
        for unit in self.order:
            strict = [edge for edge in unit.needs if edge.when in _STRICT]
            if self.condition(unit) is not None or any(
                edge.when is Outcome.FAILURE or edge.parent in skipped for edge in strict
            ):
                skipped.add(unit.name)
                if strict and unit.name in asked:
                    found.add(unit.name)
        return found

    def _look_at(self, unit: Unit) -> None:
        sweep = self.lead(unit).sweep
        if sweep is not None:
            try:
                self.decoded[unit.name] = decode(sweep, self.context.variables)
                self.sweeps[unit.name] = sweep
            except NotFixedError:
                message = f"the sweep of `{unit.name}` has no fixed size"
                self.context.say(C.SWEEP_FROM_INPUT, message, sweep.span)
        if (
            unit.name in self.deciding
            or self.condition(unit) is not None
            or any(edge.parent in self.skippable for edge in unit.needs if edge.when is Outcome.SUCCESS)
        ):
            self.skippable.add(unit.name)

    def edges(self, unit: Unit) -> list[str]:
        """Give the edges of a unit as words of the submit script."""
        return [self._edge(unit, edge) for edge in unit.needs]

    def _edge(self, unit: Unit, edge: Edge) -> str:
        slug = self.slug(edge.parent)
        if edge.when is Outcome.SUCCESS and self._is_tied(unit, edge):
            return f"same:{slug}"
        if edge.same_instance and unit.name in self.decoded and edge.parent in self.decoded:
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

    def decision(self, unit: Unit) -> Decision:
        """Give what a unit decides when all that it waits for has ended."""
        skippable = [edge for edge in unit.needs if edge.when is Outcome.SUCCESS and edge.parent in self.skippable]
        tested = [f'"{self.slug(edge.parent)}$instance"' for edge in skippable if self._is_tied(unit, edge)]
        tested += [self._counted(edge.parent) for edge in skippable if not self._is_tied(unit, edge)]
        failures = [edge for edge in unit.needs if edge.when is Outcome.FAILURE and unit.name in self.deciding]
        condition = self.condition(unit)
        return Decision(
            parents=tuple(dict.fromkeys(self._counted(edge.parent) for edge in unit.needs)),
            ended=tuple(
                dict.fromkeys(self._counted(edge.parent) for edge in unit.needs if edge.when is not Outcome.START)
            ),
            tested=tuple(dict.fromkeys(tested)),
            fallen=tuple(self._counted(edge.parent) for edge in failures if not edge.any_instance),
            condition=None if condition is None or self.is_early(unit) else condition,
        )

    def _counted(self, name: str) -> str:
        """Give the file name of a unit; with a colon and their number, if there are several instances."""
        return self.slug(name) + (f":{self.decoded[name].size}" if name in self.decoded else "")

    def _is_tied(self, unit: Unit, edge: Edge) -> bool:
        return (
            edge.same_instance
            and unit.name in self.decoded
            and edge.parent in self.decoded
            and self._are_paired(unit.name, edge.parent)
        )

    def hook_edges(self, hook: Hook) -> list[str]:
        """Give what a hook waits for: the ends of the tasks that it selects, or what they wait for."""
        chosen = [unit for unit in self.order if self._is_selected(hook, unit)]
        if hook.trigger is Trigger.TASKS_READY:
            words = (word for unit in chosen for word in self.edges(unit))
            # all instances are ready when all that they wait for has happened
            return list(dict.fromkeys(re.sub("^same:", "success:", word) for word in words))
        return [f"end:{self.slug(unit)}" for unit in chosen]

    def hook_decision(self, hook: Hook) -> Decision:
        """Give what the job of a hook looks at: no task is ready of which a parent was skipped."""
        if hook.trigger is not Trigger.TASKS_READY:
            return Decision()
        chosen = [unit for unit in self.order if self._is_selected(hook, unit)]
        parents = (edge.parent for unit in chosen for edge in unit.needs if edge.when is Outcome.SUCCESS)
        return Decision(tested=tuple(dict.fromkeys(self._counted(name) for name in parents if name in self.skippable)))

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
