"""What torc cannot wait for, by tests: jobs note how they ended, and those that ask look at the notes (torc.md §26).

torc has one rule for all blockers of a job: all must succeed, or all must have ended. A job that waits for a failure,
for the success of some and the end of others, or under a condition is started when all have ended, and tests at its
head how. Where the test fails the job ends as completed without having done anything, so those behind it that need its
success test too.
"""

from __future__ import annotations

import attrs

from pwxc.ir.expr import Expr, Root, refs
from pwxc.ir.task import Edge, Gang, Outcome, Task
from pwxc.ir.workflow import Unit, units
from pwxc.shell import quote
from pwxc_targets.torc.writing.conditions import Tests, is_constant, settled
from pwxc_targets.torc.writing.holes import Holes
from pwxc_targets.torc.writing.naming import Named, is_aligned
from pwxc_targets.torc.writing.state import Writing
from pwxc_targets.torc.writing.sweeps import Plan

_RUN = "run=${PWXC_RUN:-$PWD/run_$TORC_WORKFLOW_ID}"
_COUNT = """\
count() { find "$run/states/$1" -type f -exec cat {} + 2> /dev/null | grep -cxE "$2" || :; }"""
_RAN = "[0-9]+|skipped|started"


def lead_of(unit: Unit, tasks: dict[str, Task]) -> Task:
    """Give the task whose condition counts for a unit."""
    return tasks[unit.lead] if isinstance(unit, Gang) else unit


@attrs.frozen
class Place:
    """A job that is being written: its name, its sweep and the holes of its texts."""

    unit: Unit
    name: str
    plan: Plan
    holes: Holes
    index: int | None = None
    """Its number, where the instances of a sweep are written out."""


class Outcomes:
    """Decides which units test and which leave notes, and writes both."""

    def __init__(self, writing: Writing, named: dict[str, Named]) -> None:
        self.writing, self.named = writing, named
        self.conditions: dict[str, Expr] = {}
        self.tested: set[str] = set()
        self.noted: set[str] = set()
        found = units(writing.workflow)
        for unit in found:
            self._look_at(unit)
        grown = bool(self.tested)
        while grown:
            more = {unit.name for unit in found if unit.name not in self.tested and self._needs_tested(unit)}
            self.tested |= more
            grown = bool(more)
        for unit in found:
            if unit.name in self.tested:
                self.noted.update(edge.parent for edge in unit.needs if edge.when in (Outcome.SUCCESS, Outcome.FAILURE))
                if self._asks_status(unit):
                    self.noted.update(edge.parent for edge in unit.needs)

    def _look_at(self, unit: Unit) -> None:
        condition = lead_of(unit, self.writing.tasks).condition
        if condition is not None:
            made = settled(self.writing, condition)
            if not is_constant(made) or Tests(_NO_HOLES, {}).test(made) != ":":
                self.conditions[unit.name] = made
        asked = {edge.when for edge in unit.needs if edge.when is not Outcome.START}
        if Outcome.FAILURE in asked or len(asked) > 1 or unit.name in self.conditions:
            self.tested.add(unit.name)

    def _needs_tested(self, unit: Unit) -> bool:
        return any(edge.when is Outcome.SUCCESS and edge.parent in self.tested for edge in unit.needs)

    def _asks_status(self, unit: Unit) -> bool:
        condition = self.conditions.get(unit.name)
        return condition is not None and any(ref.root is Root.STATUS for ref in refs(condition))

    def wrap(self, place: Place, command: str) -> str:
        """Put the tests and the notes around a job's command.

        Raises:
            UnsupportedError: the unit's condition cannot be tested.
        """
        name = place.unit.name
        if name not in self.tested and name not in self.noted:
            return command
        lines = [_RUN]
        note = f'"$run"/{_state(name, place.name)}' if name in self.noted else None
        if note is not None:
            lines.append(f'mkdir -p "$run"/{quote(f"states/{_safe(name)}")}')
        if name in self.tested:
            lines.extend(self._tests(place, note))
        if note is None:
            return "\n".join([*lines, command])
        body = ["(", command, ")", "rc=$?"]
        return "\n".join([*lines, f"echo started > {note}", *body, f'echo "$rc" > {note}', 'exit "$rc"'])

    def _tests(self, place: Place, note: str | None) -> list[str]:
        needed = [edge for edge in place.unit.needs if edge.when is Outcome.SUCCESS]
        feared = [edge for edge in place.unit.needs if edge.when is Outcome.FAILURE]
        lines = [_COUNT] if needed or feared or self._asks_status(place.unit) else []
        if needed and note is not None:
            # a failure of what has to succeed counts as one for those behind too, a skip does not
            blocked = " || ".join(self._failed(place, edge) for edge in needed)
            lines.append(f"if {blocked}; then echo cancelled > {note}; exit 0; fi")
        wanted = [*(self._succeeded(place, edge) for edge in needed), *(self._failed(place, edge) for edge in feared)]
        condition = self.conditions.get(place.unit.name)
        if condition is not None:
            wanted.append(Tests(place.holes, self._status(place)).test(condition))
        leave = "exit 0" if note is None else f"echo skipped > {note}; exit 0"
        return [*lines, f"if ! {{ {' && '.join(wanted)}; }}; then {leave}; fi"]

    def _status(self, place: Place) -> dict[str, str]:
        edges = place.unit.needs
        return {
            "always": ":",
            "completed": f"{{ {' && '.join(self._succeeded(place, edge) for edge in edges) or ':'}; }}",
            "error": f"{{ {' || '.join(self._failed(place, edge) for edge in edges) or 'false'}; }}",
            "canceled": f"{{ {' || '.join(self._below(place, edge, _RAN) for edge in edges) or 'false'}; }}",
        }

    def _succeeded(self, place: Place, edge: Edge) -> str:
        path, size = self._where(place, edge.parent, edge.same_instance)
        return f'[ "$(count {path} 0)" -eq {size} ]'

    def _failed(self, place: Place, edge: Edge) -> str:
        return self._below(place, edge, "0|skipped")

    def _below(self, place: Place, edge: Edge, words: str) -> str:
        path, size = self._where(place, edge.parent, edge.same_instance)
        return f"[ \"$(count {path} '{words}')\" -lt {size} ]"

    def _where(self, place: Place, parent: str, same: bool) -> tuple[str, int]:
        """Give the notes of a parent, below the folder of notes, and how many there are when all have run."""
        named = self.named[parent]
        swept = bool(named.plan.columns) or named.names is not None
        if not swept:
            return quote(f"{_safe(parent)}/{_safe(named.text)}"), 1
        if same and is_aligned(named.plan, place.plan):
            return quote(f"{_safe(parent)}/{_safe(named.text)}"), 1
        partner = named.partner(place.index) if same else None
        if partner is not None:
            return quote(f"{_safe(parent)}/{_safe(partner)}"), 1
        return quote(_safe(parent)), named.size


def _state(unit: str, name: str) -> str:
    return quote(f"states/{_safe(unit)}/{_safe(name)}")


def _safe(name: str) -> str:
    return name.replace("/", "_") or "_"


_NO_HOLES = Holes(Task(name=""), Plan(), None, {})
