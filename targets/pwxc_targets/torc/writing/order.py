"""Who waits for whom, and which jobs an action looks at, as names and patterns."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from typing import Any

from pwxc.fidelity import Account
from pwxc.ir.data import NamedDatum, NamedFile
from pwxc.ir.task import Edge, Gang, Outcome, Task
from pwxc.ir.workflow import Hook, Unit, gang_of
from pwxc_targets.torc import regexes
from pwxc_targets.torc.parameters import show
from pwxc_targets.torc.writing import codes as C  # noqa: N812
from pwxc_targets.torc.writing.hooktasks import FoundHook
from pwxc_targets.torc.writing.naming import Named, add, instance_names, is_aligned, name_pattern
from pwxc_targets.torc.writing.options import value_of
from pwxc_targets.torc.writing.outcomes import Outcomes, Place
from pwxc_targets.torc.writing.state import Writing


class Order:
    """Writes what jobs wait for."""

    def __init__(self, writing: Writing, named: dict[str, Named], outcomes: Outcomes) -> None:
        self.writing, self.named, self.outcomes = writing, named, outcomes
        self.gangs: dict[str, Gang] = gang_of(writing.workflow)
        self._lists: dict[str, list[str] | None] = {}

    def write(self, account: Account, place: Place) -> dict[str, Any]:
        """Give the keys of a job that say what it waits for."""
        unit = place.unit
        made: dict[str, Any] = {}
        tested = unit.name in self.outcomes.tested
        kinds: set[Outcome] = set()
        account.take("needs")
        for edge in unit.needs:
            with self.writing.ledger.of(edge) as entry:
                for field in ("parent", "when", "same_instance", "implied"):
                    entry.take(field)
                self._settle(entry, edge, place, tested=tested)
            if edge.when is Outcome.START:
                continue
            kinds.add(edge.when)
            if not (edge.implied and self._is_through_item(unit, edge)):
                self._block(made, edge, place)
        if kinds:
            made["cancel_on_blocking_job_failure"] = Outcome.SUCCESS in kinds and not tested
        return made

    def _settle(self, entry: Account, edge: Edge, place: Place, *, tested: bool) -> None:
        if edge.when is Outcome.START:
            entry.drop("when", C.EDGE_KIND, f"torc cannot wait for the start of `{edge.parent}`")
        elif tested:
            message = f"`{place.unit.name}` starts when all before it have ended, and tests how"
            entry.approximate("when", C.TESTED, message, once=True)
        elif edge.when is Outcome.SUCCESS and self._may_wait_for_ever(place.unit):
            message = "a job is cancelled when what it needs has failed, and does not wait for ever"
            entry.approximate("parent", C.NO_WAIT, message, once=True)
        if edge.delay:
            entry.drop("delay", C.EDGE_KIND, f"the delay after `{edge.parent}` is left out")
        message = f"torc waits for all instances of `{edge.parent}`, not for the first"
        entry.approximate("any_instance", C.WHOLE_SWEEP, message)
        named = self.named.get(edge.parent)
        if edge.same_instance and named is not None and named.size > 1 and not self._has_partner(named, place):
            message = f"`{place.unit.name}` waits for all instances of `{edge.parent}`, not for its own"
            entry.approximate("same_instance", C.WHOLE_SWEEP, message)

    def _may_wait_for_ever(self, unit: Unit) -> bool:
        if self.writing.workflow.dialect != "slurm" or isinstance(unit, Gang):
            return False
        return value_of(self.writing, self.writing.own_resources(unit), "kill-on-invalid-dep") != "yes"

    @staticmethod
    def _has_partner(parent: Named, place: Place) -> bool:
        return is_aligned(parent.plan, place.plan) or parent.partner(place.index) is not None

    def _is_through_item(self, unit: Unit, edge: Edge) -> bool:
        parent = self.writing.tasks.get(edge.parent)
        if parent is None or not isinstance(unit, Task):
            return False
        named = (NamedFile, NamedDatum)
        written = {item.destination for item in parent.writes if isinstance(item.destination, named)}
        return any(isinstance(item.origin, named) and item.origin in written for item in unit.reads)

    def _block(self, made: dict[str, Any], edge: Edge, place: Place) -> None:
        parent = self.named.get(edge.parent)
        if parent is None:
            return
        if parent.names is not None:
            partner = parent.partner(place.index) if edge.same_instance else None
            for name in parent.names if partner is None else (partner,):
                add(made, "depends_on", name)
        elif not parent.plan.columns or (edge.same_instance and is_aligned(parent.plan, place.plan)):
            add(made, "depends_on", parent.text)
        else:
            names = self._listed(parent)
            if names is None:
                add(made, "depends_on_regexes", name_pattern(parent.text, parent.plan))
            for name in names or ():
                add(made, "depends_on", name)

    def _listed(self, parent: Named) -> list[str] | None:
        """Give the single names of a sweep where a pattern would match other jobs too; None where it does not."""
        if parent.text not in self._lists:
            self._lists[parent.text] = self._list(parent)
        return self._lists[parent.text]

    def _list(self, parent: Named) -> list[str] | None:
        pattern = regexes.compile(name_pattern(parent.text, parent.plan))
        others = [name for item in self.named.values() if item is not parent for name in item.names or [item.text]]
        if not any(pattern.search(name) for name in others):
            return None
        names = list(itertools.islice(instance_names(parent.text, parent.plan), self.writing.limit + 1))
        return names if len(names) <= self.writing.limit else None

    # actions

    def select(self, hook: Hook) -> tuple[list[str], list[str]]:
        """Give the exact names and the patterns that select a hook's tasks."""
        if hook.patterns and self.writing.workflow.dialect == "torc":
            compiled = [regexes.compile(pattern) for pattern in hook.patterns]
            rest = [name for name in hook.tasks if not self._all_match(name, compiled)]
            names, patterns = self._select(rest)
            return names, [*hook.patterns, *patterns]
        return self._select(list(hook.tasks))

    def select_found(self, hook: FoundHook) -> tuple[list[str], list[str]]:
        """Give the exact names and the patterns for the tasks of an action that jobs stood for."""
        return self.select_units(name for name in hook.tasks if name in self.named)

    def select_units(self, names: Iterable[str]) -> tuple[list[str], list[str]]:
        """Give the exact names and the patterns for some units."""
        return self._select(list(names))

    def _all_match(self, name: str, compiled: list[regexes.Pattern]) -> bool:
        sample = self.named[name]
        first = sample.text
        for parameter, values in sample.plan.values.items():
            first = re.sub(r"\{" + re.escape(parameter) + r"(?::[^}]*)?\}", show(values[0]), first)
        return any(pattern.search(first) for pattern in compiled)

    def _select(self, tasks: list[str]) -> tuple[list[str], list[str]]:
        names: list[str] = []
        patterns: list[str] = []
        for task in tasks:
            gang = self.gangs.get(task)
            named = self.named[gang.name if gang is not None else task]
            if named.names is not None:
                names.extend(named.names)
            elif named.plan.columns:
                listed = self._listed(named)
                names.extend(listed or [])
                patterns.extend([] if listed is not None else [name_pattern(named.text, named.plan)])
            elif named.text not in names:
                names.append(named.text)
        return names, patterns
