"""The reference machine: a workflow and an environment give a trace (docs/semantics.md)."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping

from pwxc.expr.values import EvaluationError, truth
from pwxc.ir.task import Gang, Outcome, Task
from pwxc.ir.workflow import Workflow, units
from pwxc.semantics.clock import Clock
from pwxc.semantics.environment import NOTHING_FAILS, Environment
from pwxc.semantics.expansion import Row, expand, sample
from pwxc.semantics.hooks import Hooks
from pwxc.semantics.nodes import Node, Slot
from pwxc.semantics.resolve import Scope
from pwxc.semantics.running import AnotherFailedError, EndedError, RestartError, Run
from pwxc.semantics.trace import Instance, State, Trace, holds
from pwxc.semantics.world import World


def execute(workflow: Workflow, environment: Environment = NOTHING_FAILS, *, most: int | None = None) -> Trace:
    """Run a workflow in simulated time.

    Of a sweep with more than `most` instances only the first ones and the last are run.

    Raises:
        TooManyInstancesError: a sweep's rows have to be worked out one by one, and there are too many.
    """
    return Machine(workflow, environment, most).run()


class Machine:
    """One run. Everything that begins, ends or is decided passes through here."""

    def __init__(self, workflow: Workflow, environment: Environment, most: int | None) -> None:
        self.workflow, self.environment, self.most = workflow, environment, most
        self.clock = Clock()
        self.world = World(workflow, environment)
        self.nodes: dict[str, Node] = {}
        for unit in units(workflow):
            self.nodes[unit.name] = self._node(unit)
        for node in self.nodes.values():
            node.connect(self.nodes)
        self.hooks = Hooks(workflow, self.world, self.clock)
        self._ended: list[Slot] = []
        self._runs_ended: list[Run] = []
        self._undecided: list[Slot] = [slot for node in self.nodes.values() for slot in node.slots]
        self._waiting: list[Slot] = []
        self._limited: dict[str, Node] = {}
        self._retried: dict[Run, None] = {}
        self._stoppable: list[Run] = []
        self._slot_of: dict[Run, Slot] = {}
        """The instance of a unit that each run is part of, for those that have started."""

    def _node(self, unit: Task | Gang) -> Node:
        if isinstance(unit, Task):
            members = [unit]
        else:
            members = [self.world.tasks[name] for name in unit.members if name in self.world.tasks]
        swept = next((task for task in members if task.sweep is not None), None)
        rows: dict[int | None, Row] = {None: {}}
        if swept is not None and swept.sweep is not None:
            table = expand(swept.sweep, Scope(self.world).value)
            rows = {number: table[number] for number in sample(len(table), self.most)}
        return Node(unit, tuple(members), rows, Scope(self.world))

    # a run

    def run(self) -> Trace:
        """Run everything and give the trace."""
        self._prepare_runs()
        self.hooks.begin()
        limit = Scope(self.world).number(self.workflow.timeout)
        self.clock.run(self._react, limit or None)
        if any(slot.state is None for slot in self._slots()):
            self._give_up("the run's time was up" if limit else "it waits for itself")
            self.clock.run(self._react)
        self.hooks.complete()
        return self._trace()

    def _slots(self) -> Iterable[Slot]:
        return (slot for node in self.nodes.values() for slot in node.slots)

    def _prepare_runs(self) -> None:
        for node in self.nodes.values():
            for slot in node.slots:
                for task in node.members:
                    instance = Instance(task.name, slot.index)
                    run = Run(self.world, self.clock, task, instance, slot.row, self._on_run_end, self._on_run_retry)
                    slot.runs.append(run)
                    self.world.runs.setdefault(task.name, {})[slot.index] = run
                    if task.stop_when_another_fails or any(step.stop_when_another_fails for step in task.steps):
                        self._stoppable.append(run)

    def _give_up(self, reason: str) -> None:
        self._waiting.clear()
        self._limited.clear()
        for slot in list(self._slots()):
            self._cancel(slot, reason)

    # reactions

    def _react(self) -> bool:
        """Do what follows from what has ended: first stop things, then decide, then start (see `Clock`)."""
        ended, runs, retried = self._ended, self._runs_ended, self._retried
        self._ended, self._runs_ended, self._retried = [], [], {}
        for run in runs:
            self.hooks.ended(run)
        self._stop_others(runs)
        slots = {self._slot_of[run]: None for run in runs if run in self._slot_of}
        for slot in sorted(slots, key=lambda slot: slot.order):
            slot.settle(self.clock)
            if slot.state is not None:
                slot.node.running -= 1
                self._ended.append(slot)
        self._restart_others(retried)
        for slot in (*ended, *self._ended):
            self._fail_fast(slot)
        for slot in ended:
            slot.node.note_end(slot, self._on_ready, self.clock)
        undecided, self._undecided = self._undecided, []
        for slot in undecided:
            if slot.state is None and not slot.decided and slot.is_open():
                self._decide(slot)
        return self._start_waiting() or bool(ended or runs or retried or undecided)

    def _on_run_end(self, run: Run) -> None:
        self._runs_ended.append(run)

    def _on_ready(self, slot: Slot) -> None:
        self._undecided.append(slot)

    def _on_run_retry(self, run: Run) -> None:
        self._retried[run] = None

    def _restart_others(self, retried: Mapping[Run, None]) -> None:
        """Begin again with the members of gangs that have to when others do: once, and not if they do by themselves."""
        asking = [(run, self._slot_of[run]) for run in retried if run in self._slot_of and run.state is None]
        for other in dict.fromkeys(other for run, slot in asking for other in slot.followers(run)):
            if other not in retried:
                other.stop(RestartError())

    def _stop_others(self, runs: list[Run]) -> None:
        """Stop the steps that stop when another task fails; those that begin later are not touched (pw.md §11)."""
        failed = [run for run in runs if run.state in (State.FAILED, State.TIMED_OUT)]
        if not failed or not self._stoppable:
            return
        self._stoppable = [run for run in self._stoppable if run.state is None]
        for run in self._stoppable:
            if run.stoppable:
                run.stop(AnotherFailedError())

    def _fail_fast(self, slot: Slot) -> None:
        """Cancel what is left of a sweep when an instance fails (pw.md §6 `fail-fast`)."""
        sweep = slot.node.sweep
        if sweep is None or slot.state not in (State.FAILED, State.TIMED_OUT):
            return
        if Scope(self.world).truth(sweep.fail_fast):
            for other in slot.node.slots:
                self._cancel(other, f"another instance of `{slot.node.name}` failed")

    def _cancel(self, slot: Slot, reason: str) -> None:
        if slot.state is not None:
            return
        if slot.begun:
            for run in slot.runs:
                run.stop(EndedError(State.CANCELLED, reason))
            return
        if slot.started:
            slot.node.running -= 1
        self._end_early(slot, State.CANCELLED, reason)

    def _end_early(self, slot: Slot, state: State, reason: str) -> None:
        slot.decided = True
        slot.state = state
        slot.ended = self.clock.now
        for run in slot.runs:
            self._slot_of.pop(run, None)
            run.end(state, reason)
        self._ended.append(slot)

    def _decide(self, slot: Slot) -> None:
        """Decide about a unit all of whose parents have done what it waits for, or cannot any more."""
        slot.decided = True
        unmet = [(when, parents) for when, parents in slot.verdicts() if not holds(when, parents)]
        if unmet:
            failed = any(when is Outcome.SUCCESS and any(each.is_failure for each in given) for when, given in unmet)
            if failed:
                self._end_early(slot, State.CANCELLED, "what it needs failed")
            else:
                self._end_early(slot, State.SKIPPED, "what it waits for did not happen")
            return
        self.hooks.ready(slot)
        condition = slot.node.condition
        if condition is not None:
            scope = slot.lead.scope
            scope.status, scope.variables = _statuses(slot), slot.lead.variables(None)
            try:
                wanted = truth(scope.value(condition))
            except EvaluationError as fault:
                self._end_early(slot, State.FAILED, f"its condition has no value: {fault}")
                return
            if not wanted:
                self._end_early(slot, State.SKIPPED, "its condition is false")
                return
        self._waiting.append(slot)

    def _start_waiting(self) -> bool:
        """Start what is ready, in the order of instances where only some may run at a time."""
        ready, self._waiting = self._waiting, []
        for slot in ready:
            if slot.node.limit is not None:
                self._limited[slot.node.name] = slot.node
                heapq.heappush(slot.node.queue, (slot.order, slot))
        chosen = [slot for slot in ready if slot.node.limit is None and slot.state is None]
        for name, node in list(self._limited.items()):
            chosen += node.admit()
            if not node.queue:
                del self._limited[name]
        for slot in chosen:
            slot.node.running += 1
            slot.started = True
            self._slot_of.update(dict.fromkeys(slot.runs, slot))
            slot.start(self.clock, self.environment, self._on_ready)
        return bool(chosen)

    def _trace(self) -> Trace:
        runs = {run.instance: run for slot in self._slots() for run in slot.runs}
        published = (run for task in self.workflow.tasks for run in self.world.runs.get(task.name, {}).values())
        instances = {run.instance: runs[run.instance].record() for run in published}
        gangs = {
            node.name if slot.index is None else f"{node.name}[{slot.index}]": slot.state or State.CANCELLED
            for node in self.nodes.values()
            if isinstance(node.unit, Gang)
            for slot in node.slots
        }
        return Trace(instances, gangs, tuple(self.hooks.fired), self.clock.time)


def _statuses(slot: Slot) -> dict[str, bool]:
    """Give the status words for a condition: they look at what the unit needs (pw.md §11)."""
    states = {state for _, given in slot.verdicts() for state in given}
    return {
        "always": True,
        "completed": holds(Outcome.SUCCESS, states),
        "error": holds(Outcome.FAILURE, states),
        "canceled": State.CANCELLED in states,
    }
