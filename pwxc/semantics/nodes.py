"""Units and their instances: what they wait for, and how the members of a gang share a fate."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterable, Mapping

import attrs

from pwxc.ir.expr import Expr
from pwxc.ir.sweep import Sweep
from pwxc.ir.task import Edge, Gang, GangStatus, Outcome, Task
from pwxc.semantics.clock import Clock
from pwxc.semantics.environment import Environment
from pwxc.semantics.expansion import Pairing, Row
from pwxc.semantics.resolve import Scope
from pwxc.semantics.running import EndedError, Run
from pwxc.semantics.trace import Moment, State

Ready = Callable[["Slot"], None]


@attrs.define(eq=False)
class Gate:
    """One edge between two units, with what it still keeps closed.

    It opens when what it waits for has happened or cannot happen any more; which of both is asked afterwards.
    """

    edge: Edge
    parent: Node
    child: Node
    pairing: Pairing | None = None
    partners: dict[int, list[Slot]] = attrs.field(factory=dict)
    """For the number of each instance of the parent, the instances of the child that belong to it."""
    alone: list[Slot] = attrs.field(factory=list)
    """Instances of the child without a partner."""
    is_open: bool = False

    def close(self) -> None:
        """Keep the instances of the child from starting, if there is anything to wait for."""
        if not self.parent.slots:
            return
        if self.pairing is None:
            self.child.closed += 1
            return
        for slot in self.child.slots:
            slot.closed += 1
            own = self.pairing.find(slot.order, slot.row)
            if own is None:
                self.alone.append(slot)
            else:
                self.partners.setdefault(own, []).append(slot)

    def states(self, slot: Slot) -> Collection[State]:
        """Give the ways in which the parents of an instance have ended, as far as they have."""
        if self.pairing is not None:
            own = self.pairing.find(slot.order, slot.row)
            if own is not None:
                state = self.parent.by_order[own].state
                return [state] if state is not None else []
        if self.edge.any_instance and self.parent.first is not None:
            return [self.parent.first]
        return self.parent.endings

    def when(self, slot: Slot) -> Outcome:
        """Give what is asked of the parents; an instance without a partner waits for the end of all (slurm.md §8)."""
        if self.pairing is not None and self.pairing.find(slot.order, slot.row) is None:
            return Outcome.END
        return self.edge.when

    def note(self, parent: Slot, ready: Ready, clock: Clock, *, last: bool) -> None:
        """Open for whom an instance of the parent has done enough; `last` says that no other is outstanding."""
        freed = self.partners.pop(parent.order, [])
        if last:
            freed += self.alone
            self.alone = []
        if freed:
            self._later(clock, lambda: _free(freed, ready))
        if self.pairing is None and not self.is_open and (last or self.edge.any_instance):
            self.is_open = True
            self._later(clock, lambda: self._open(ready))

    def _later(self, clock: Clock, action: Callable[[], None]) -> None:
        if self.edge.delay > 0:
            clock.after(self.edge.delay, action)
        else:
            action()

    def _open(self, ready: Ready) -> None:
        self.child.closed -= 1
        for slot in self.child.slots if self.child.closed == 0 else ():
            ready(slot)


def _free(slots: list[Slot], ready: Ready) -> None:
    for slot in slots:
        slot.closed -= 1
        ready(slot)


@attrs.define(eq=False)
class Slot:
    """One instance of a unit: a task's, or that of all members of a gang together."""

    node: Node
    index: int | None
    row: Row
    order: int
    runs: list[Run] = attrs.field(factory=list)
    state: State | None = None
    ended: Moment | None = None
    closed: int = 0
    """How many edges of its own, to single instances, are not open yet."""
    decided: bool = False
    started: bool = False
    begun: bool = False

    @property
    def lead(self) -> Run:
        """The run whose task stands for the unit: the gang's lead, or the task itself."""
        unit = self.node.unit
        if isinstance(unit, Gang):
            return next((run for run in self.runs if run.task.name == unit.lead), self.runs[0])
        return self.runs[0]

    def is_open(self) -> bool:
        """Whether nothing is left to wait for."""
        return self.closed == 0 and self.node.closed == 0

    def verdicts(self) -> Iterable[tuple[Outcome, Collection[State]]]:
        """Give, for each edge, what is asked for and how the parents ended."""
        return ((gate.when(self), gate.states(self)) for gate in self.node.gates)

    # start and end

    def start(self, clock: Clock, environment: Environment, ready: Ready) -> None:
        """Begin after the time in the queue: all members at the same time (osmo.md §20.2)."""
        waits = max(environment.queued(run.instance) for run in self.runs)
        limit = self.node.queue_timeout(self.lead.scope)
        if limit and waits > limit:
            clock.after(limit, lambda: self._never(State.TIMED_OUT, "no machine came free in time"))
        elif waits > 0:
            clock.after(waits, lambda: self._begin(clock, environment, ready))
        else:
            self._begin(clock, environment, ready)

    def _never(self, state: State, reason: str) -> None:
        if self.state is None:
            for run in self.runs:
                run.end(state, reason)

    def _begin(self, clock: Clock, environment: Environment, ready: Ready) -> None:
        if any(run.state is not None for run in self.runs):
            return
        self.begun = True
        unit = self.node.unit
        delays = [environment.staging(run.instance) for run in self.runs]
        limit = self.lead.scope.number(unit.run_timeout) if isinstance(unit, Gang) else None
        if isinstance(unit, Gang) and unit.barrier:
            delays = [max(delays)] * len(delays)
        for run, delay in zip(self.runs, delays, strict=True):
            if limit:
                run.deadline = clock.time + limit
            run.start(delay)
        self.node.note_begin(self, ready, clock)

    def followers(self, run: Run) -> list[Run]:
        """Give the members that begin again with one that does: all others, or none if only the lead counts.

        The lead is followed in any case. What still waits for its data goes on waiting (osmo.md §20.4).
        """
        unit = self.node.unit
        if not isinstance(unit, Gang) or (unit.status is GangStatus.LEAD and run is not self.lead):
            return []
        return [other for other in self.runs if other is not run and other.attempts]

    def settle(self, clock: Clock) -> None:
        """Work out what the ends of members mean for the others and for the unit (osmo.md §20.3)."""
        unit = self.node.unit
        if isinstance(unit, Gang) and self.state is None:
            self._share_fate(unit)
        if all(run.state is not None for run in self.runs) and self.state is None:
            self.state = self._result()
            self.ended = clock.now

    def _share_fate(self, gang: Gang) -> None:
        lead = self.lead
        failed = next((run for run in self.runs if run.state in (State.FAILED, State.TIMED_OUT)), None)
        if gang.status is GangStatus.ALL and failed is not None:
            self._end_others(State.FAILED, f"`{failed.task.name}` failed")
        elif lead.state is not None:
            self._end_others(State.SUCCEEDED if lead.state is State.SUCCEEDED else State.FAILED, "the lead ended")

    def _end_others(self, state: State, reason: str) -> None:
        for run in self.runs:
            run.stop(EndedError(state, reason))

    def _result(self) -> State:
        states = [run.state for run in self.runs if run.state is not None]
        unit = self.node.unit
        if isinstance(unit, Gang) and unit.status is GangStatus.ALL:
            for state in (State.TIMED_OUT, State.FAILED, State.CANCELLED):
                if state in states:
                    return state
            return State.SUCCEEDED
        return self.lead.state or State.CANCELLED


class Node:
    """A unit with its instances, and the edges that lead to and from it."""

    def __init__(self, unit: Task | Gang, members: tuple[Task, ...], rows: Mapping[int | None, Row], scope: Scope):
        self.unit, self.members, self.name = unit, members, unit.name
        self.slots = [Slot(self, index, row, order=index or 0) for index, row in rows.items()]
        self.by_order = {slot.order: slot for slot in self.slots}
        self.sweep: Sweep | None = next((task.sweep for task in members if task.sweep is not None), None)
        limit = scope.number(self.sweep.limit) if self.sweep is not None else None
        self.limit = limit if limit and limit >= 1 else None
        self.running = 0
        self.queue: list[tuple[int, Slot]] = []
        """Instances that are ready while as many run as may, as a heap."""
        self.gates: list[Gate] = []
        self.onward: list[Gate] = []
        self.closed = 0
        """How many edges that all instances share are not open yet."""
        self.left = self.unbegun = len(self.slots)
        self.first: State | None = None
        self.endings: set[State] = set()
        """The states in which instances have ended so far."""

    @property
    def condition(self) -> Expr | None:
        """The condition of the unit: the task's, or that of the gang's lead."""
        if isinstance(self.unit, Gang):
            return next((task.condition for task in self.members if task.name == self.unit.lead), None)
        return self.unit.condition

    def queue_timeout(self, scope: Scope) -> float | None:
        """Give the longest time that an instance may wait for a machine."""
        return scope.number(self.unit.queue_timeout)

    def connect(self, nodes: Mapping[str, Node]) -> None:
        """Make the gates to the parents; an edge from nowhere is left out."""
        for edge in self.unit.needs:
            parent = nodes.get(edge.parent)
            if parent is None:
                continue
            paired = edge.same_instance and self.sweep is not None and parent.sweep is not None
            pairing = None
            if paired:
                rows = [{slot.order: slot.row for slot in node.slots} for node in (self, parent)]
                pairing = Pairing.of(rows[0], rows[1])
            gate = Gate(edge, parent, self, pairing)
            self.gates.append(gate)
            parent.onward.append(gate)
            gate.close()

    def admit(self) -> list[Slot]:
        """Take from the queue the instances that may run now."""
        chosen: list[Slot] = []
        while self.queue and self.limit is not None and self.running + len(chosen) < self.limit:
            _, slot = heapq.heappop(self.queue)
            if slot.state is None:
                chosen.append(slot)
        return chosen

    def note_begin(self, slot: Slot, ready: Ready, clock: Clock) -> None:
        """Tell the children that wait for a start."""
        self.unbegun -= 1
        for gate in self.onward:
            if gate.edge.when is Outcome.START:
                gate.note(slot, ready, clock, last=self.unbegun == 0)

    def note_end(self, slot: Slot, ready: Ready, clock: Clock) -> None:
        """Tell the children that an instance has ended; one that never began counts as begun (slurm.md §8)."""
        if not slot.begun:
            self.note_begin(slot, ready, clock)
        if slot.state is not None:
            self.first = self.first or slot.state
            self.endings.add(slot.state)
        self.left -= 1
        for gate in self.onward:
            if gate.edge.when is not Outcome.START:
                gate.note(slot, ready, clock, last=self.left == 0)
