"""What decides whether a unit runs: conditions, and ends of other units than success (osmo.md §20.6, §30).

A condition that inputs decide is an `{% if %}`. Everything else is tested when the task has started: the tasks before
leave their status in files, and a task that does not run ends at once with success. Where a task has to run after a
failure, the one that fails is *masked*: to OSMO it has completed.
"""

from __future__ import annotations

import attrs

from pwxc.fidelity import Account, Fate
from pwxc.ir.entity import changed
from pwxc.ir.expr import Binary, Expr, Literal, Ref, Root, Unary, refs
from pwxc.ir.resources import further_options
from pwxc.ir.task import Edge, Outcome, Task
from pwxc.ir.workflow import Unit
from pwxc_targets.osmo.writing import codes as C  # noqa: N812
from pwxc_targets.osmo.writing.context import Writing
from pwxc_targets.osmo.writing.holes import Holes

_STATIC = frozenset({Root.INPUT, Root.SWEEP, Root.SWEEP_INDEX})
_CANCELED = Ref(Root.STATUS, ("canceled",))
_OPPOSITE: dict[tuple[str, ...], tuple[str, ...]] = {
    ("completed",): ("error",),
    ("error",): ("completed",),
    ("always",): ("never",),
    ("never",): ("always",),
}
_ENDS = {"always": Outcome.END, "error": Outcome.FAILURE, "completed": Outcome.SUCCESS}


@attrs.define
class Plan:
    """For the units of one workflow: what has to hold before rendering, and in the run."""

    writing: Writing
    conditions: dict[str, str] = attrs.field(factory=dict)
    """The template's condition of each unit that has one, those of its parents included."""
    left_out: set[str] = attrs.field(factory=set)
    """Units whose condition never holds."""
    late: dict[str, Expr] = attrs.field(factory=dict)
    """Conditions that only the run can decide."""
    masked: set[str] = attrs.field(factory=set)
    """Tasks whose failure is hidden from OSMO."""
    masked_units: set[str] = attrs.field(factory=set)
    """The units of these."""
    units: dict[str, Unit] = attrs.field(factory=dict)
    """The units that are written, by name."""
    skipping: set[str] = attrs.field(factory=set)
    """Units that may end at once because their work is not wanted."""
    ends: dict[tuple[str, str], Outcome] = attrs.field(factory=dict)
    """What a unit waits for in each parent."""

    def __attrs_post_init__(self) -> None:
        """Work it out, parents first."""
        for unit in self.writing.order:
            self._unit(unit)
        for (_, parent), when in self.ends.items():
            if when in (Outcome.END, Outcome.FAILURE):
                self._mask(parent)
        for unit in self.writing.order:
            ends = {edge.parent: self.ends.get((unit.name, edge.parent)) for edge in self.writing.needs(unit)}
            after = any(parent in self.skipping and when is not Outcome.END for parent, when in ends.items())
            if Outcome.FAILURE in ends.values() or after or unit.name in self.late:
                self.skipping.add(unit.name)

        self.units = {unit.name: unit for unit in self.writing.order if unit.name not in self.left_out}

    def _mask(self, parent: str) -> None:
        for unit in self.writing.order:
            if unit.name == parent:
                self.masked_units.add(parent)
                self.masked.update(task.name for task in self.writing.members(unit))

    def _unit(self, unit: Unit) -> None:
        loop = self.writing.loops.get(unit.name)
        if loop is not None and not loop.size:
            self.left_out.add(unit.name)
        whole = self.writing.lead(unit).condition
        over = Outcome.SUCCESS
        condition, ending = _split(whole)
        if ending is not None:
            over = _ENDS[ending]
        elif condition is not None and any(ref.root is Root.STATUS for ref in refs(condition)):
            over = Outcome.END
        if whole is not None and _CANCELED in refs(whole):
            message = f"`{unit.name}` is wanted when a run is cancelled, and OSMO then starts nothing"
            self.writing.ledger.of(self.writing.lead(unit)).drop("condition", C.CONDITION, message)
        tests: list[str] = []
        if condition is not None:
            self._condition(unit, condition, tests)
        for edge in self.writing.needs(unit):
            when = edge.when if edge.when is not Outcome.SUCCESS else over
            self.ends[unit.name, edge.parent] = when
            if edge.parent in self.left_out and when is Outcome.SUCCESS:
                self.left_out.add(unit.name)
            inherited = self.conditions.get(edge.parent)
            looped = edge.parent in self.writing.loops
            if inherited is not None and when is Outcome.SUCCESS and not looped and inherited not in tests:
                tests.append(inherited)
        if tests:
            self.conditions[unit.name] = " and ".join(dict.fromkeys(tests))

    def _condition(self, unit: Unit, condition: Expr, tests: list[str]) -> None:
        if not all(ref.root in _STATIC for ref in refs(condition)):
            self.late[unit.name] = condition
            return
        holes = Holes(self.writing, None, self.writing.loops.get(unit.name))
        test = holes.jinja.test(condition)
        if test == "false" or (isinstance(condition, Ref) and condition.path == ("never",)):
            self.left_out.add(unit.name)
        elif test is None:
            value = self.writing.variables.value(condition)
            self.writing.ledger.add_once(
                C.FROZEN_VALUE, f"the condition of `{unit.name}` is decided with the inputs' defaults", unit.span
            )
            if not value:
                self.left_out.add(unit.name)
        elif test != "true":
            tests.append(test)

    def tests_of(self, unit: Unit) -> list[tuple[str, Outcome]]:
        """Give the parents whose status a unit's script has to look at."""
        found = []
        for edge in self.writing.needs(unit):
            when = self.ends.get((unit.name, edge.parent), Outcome.SUCCESS)
            if edge.parent in self.skipping or edge.parent in self.masked_units:
                found.append((edge.parent, when))
        return found

    def reports(self, unit: Unit) -> bool:
        """Whether others look at how a unit has ended."""
        return unit.name in self.skipping or unit.name in self.masked_units

    def settle_edges(self, unit: Unit, account: Account) -> None:
        """Settle the edges of a unit, and its condition."""
        account.take("needs")
        for edge in unit.needs:
            with self.writing.ledger.of(edge) as entry:
                entry.take("parent")
                entry.take("when", Fate.EMULATED)
                self._settle_pairs(unit, edge, entry)
                entry.cosmetic("implied")
                if edge.any_instance:
                    message = f"`{unit.name}` waits for all of `{edge.parent}` and not for the first one"
                    entry.drop("any_instance", C.EDGE, message)
                if edge.when is Outcome.START:
                    entry.drop("when", C.EDGE, f"`{unit.name}` cannot wait for the start of `{edge.parent}`")
                elif edge.when is not Outcome.SUCCESS:
                    entry.approximate("when", C.OUTCOME, f"a failure of `{edge.parent}` is hidden from OSMO")
                elif self._may_wait_for_ever(unit):
                    message = f"`{unit.name}` is cancelled when `{edge.parent}` has failed, and does not wait for ever"
                    entry.approximate("parent", C.NO_WAIT, message)
                if edge.delay:
                    entry.approximate("delay", C.DELAY, f"`{unit.name}` sleeps before it begins")

    def _may_wait_for_ever(self, unit: Unit) -> bool:
        """Whether the job keeps waiting in Slurm when what it needs has failed."""
        if self.writing.workflow.dialect != "slurm":
            return False
        record = self.writing.resources.get(self.writing.lead(unit).resources or "")
        return record is None or further_options(record).get("kill-on-invalid-dep") != "yes"

    def _settle_pairs(self, unit: Unit, edge: Edge, entry: Account) -> None:
        entry.emulate("same_instance")
        loops = self.writing.loops
        if edge.same_instance and loops.get(edge.parent) is not loops.get(unit.name):
            message = f"each instance of `{unit.name}` waits for all of `{edge.parent}`"
            entry.approximate("same_instance", C.PAIRS, message)

    def settle_condition(self, task: Task, unit: Unit, account: Account) -> None:
        """Settle the condition of a task; in a gang the lead's counts for all (docs/semantics.md)."""
        if task.condition is None or _CANCELED in refs(task.condition):
            return
        account.take("condition", Fate.EMULATED)
        if self.writing.lead(unit) is not task:
            return
        if unit.name in self.late:
            account.approximate("condition", C.LATE_CONDITION, f"`{unit.name}` starts and tests its condition")
        elif _split(task.condition)[1] not in (None, "completed"):
            account.approximate("condition", C.OUTCOME, f"`{unit.name}` runs although others have failed")


def _plain(condition: Expr) -> Expr:
    """Write `!completed` and `!error` as the words that say the same of tasks that are not cancelled."""
    if isinstance(condition, Unary) and isinstance(condition.operand, Ref) and condition.operand.root is Root.STATUS:
        word = _OPPOSITE.get(condition.operand.path)
        return Ref(Root.STATUS, word) if word is not None else condition
    return condition


def _split(condition: Expr | None) -> tuple[Expr | None, str | None]:
    """Take a status word off a condition: `always && x` is `x` after any end."""
    if condition is None:
        return None, None
    condition = _plain(condition)
    if isinstance(condition, Ref) and condition.root is Root.STATUS:
        named = condition.path[0] if condition.path else "never"
        return (None, named) if named in _ENDS else (Literal(False), None)
    if isinstance(condition, Binary) and condition.operator == "&&":
        left, word = _split(condition.left)
        right, second = _split(condition.right)
        if word is not None or second is not None:
            rest = [part for part in (left, right) if part is not None]
            if len(rest) == 2:
                return changed(condition, left=rest[0], right=rest[1]), word or second
            return (rest[0] if rest else None), word or second
    return condition, None
