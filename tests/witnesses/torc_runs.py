"""A specification of torc run twice: by the witness, and lowered by the machine; and in what the two differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import attrs

from pwxc.diagnostics import Diagnostics
from pwxc.ir.data import NamedFile
from pwxc.ir.sweep import Sweep
from pwxc.ir.task import Task
from pwxc.ir.workflow import Hook, RequestAllocation, RunCommands, Workflow
from pwxc.registry import ReadSettings
from pwxc.semantics.environment import NOTHING_FAILS, Fact, Result, Scenario
from pwxc.semantics.expansion import expand
from pwxc.semantics.machine import execute
from pwxc.semantics.resolve import Scope
from pwxc.semantics.trace import Instance, Part, Trace
from pwxc.semantics.world import World
from pwxc.source import Source
from pwxc_targets.torc import TARGET
from pwxc_targets.torc.model import Action
from pwxc_targets.torc.read import load_spec, read
from tests.witnesses.outcomes import differences
from tests.witnesses.torc_values import filled
from tests.witnesses.torc_witness import Creation, Live, Server, numbered, witness


@attrs.frozen
class Both:
    """A specification as torc creates it and lowered; `names` gives torc's name for each instance."""

    creation: Creation
    workflow: Workflow
    names: Mapping[Instance, str]
    files: Mapping[str, set[str]]
    """The parameters of each file."""

    def disagreements(self, facts: Iterable[Fact] = ()) -> list[str]:
        """Run both in one world and give a line for everything in which they differ."""
        world = Scenario(facts)
        instances = {name: instance for instance, name in self.names.items()}

        def ask(name: str, attempt: int) -> Result:
            instance = instances.get(name)
            return world.result(instance, 0, attempt) if instance is not None else Result()

        seen, server = witness(self.creation, ask)
        trace = execute(self.workflow, world)
        found = differences(self._renamed(trace), seen)
        return found + self._recoveries(trace, server) + self._items(trace, server) + self._hooks(trace, server)

    def _renamed(self, trace: Trace) -> Trace:
        """Give the trace with torc's names; the machine numbers the instances instead."""
        return attrs.evolve(
            trace, instances={Instance(self.names[each]): record for each, record in trace.instances.items()}
        )

    def _recoveries(self, trace: Trace, server: Server) -> list[str]:
        machine = {
            self.names[each]: [ran.text for ran in record.ran if ran.part is Part.RECOVERY]
            for each, record in trace.instances.items()
        }
        seen = {name: live.recoveries for name, live in server.jobs.items()}
        return [
            f"{name}: recoveries: the machine has {machine[name]}, the witness {seen[name]}"
            for name in machine.keys() & seen.keys()
            if machine[name] != seen[name]
        ]

    def _items(self, trace: Trace, server: Server) -> list[str]:
        """Compare what jobs read and write, but not where a whole sweep of files is one item to the machine."""
        found = []
        gathering = {task.name for task in self.workflow.tasks if self._gathers(task)}
        for instance, record in trace.instances.items():
            live = server.jobs.get(self.names[instance])
            if live is None or record.began is None or instance.task in gathering:
                continue
            machine, seen = {text for text in record.moved if not text.startswith("uses")}, _items_of(server, live)
            if machine != seen:
                found.append(f"{instance}: items: the machine has {machine}, the witness {seen}")
        return found

    def _gathers(self, task: Task) -> bool:
        own = _parameters(task.sweep)
        named = {each.origin.name for each in task.reads if isinstance(each.origin, NamedFile)}
        named |= {each.destination.name for each in task.writes if isinstance(each.destination, NamedFile)}
        return any(not self.files[name] <= own for name in named)

    def _hooks(self, trace: Trace, server: Server) -> list[str]:
        machine = Counter((_of_hook(self.workflow.hooks[run.hook]), run.at.time) for run in trace.hooks)
        actions = self.creation.spec.actions or []
        seen = Counter((_of_action(actions[each.action]), each.at) for each in server.executed)
        return [] if machine == seen else [f"actions: the machine has {machine}, the witness {seen}"]


def _parameters(sweep: Sweep | None) -> set[str]:
    return {parameter.name for parameter in sweep.parameters} if sweep is not None else set()


def _items_of(server: Server, live: Live) -> set[str]:
    pairs = [("reads", item) for item in live.made.reads] + [("writes", item) for item in live.made.writes]
    files = server.creation.files
    return {f"{verb} file {files[name]}" if kind == "files" else f"{verb} datum {name}" for verb, (kind, name) in pairs}


def _of_hook(hook: Hook) -> tuple[object, ...]:
    match hook.action:
        case RunCommands(commands=commands):
            return (hook.trigger.value, *(command.literal for command in commands))
        case RequestAllocation() as request:
            return (hook.trigger.value, request.allocation, request.kind, request.count, request.max_parallel)


_TRIGGERS = {
    "on_workflow_start": "workflow-start",
    "on_workflow_complete": "workflow-complete",
    "on_jobs_ready": "tasks-ready",
    "on_jobs_complete": "tasks-complete",
    "on_worker_start": "worker-start",
    "on_worker_complete": "worker-complete",
}


def _of_action(action: Action) -> tuple[object, ...]:
    trigger = _TRIGGERS[action.trigger_type]
    if action.action_type == "run_commands":
        return (trigger, *(action.commands or ()))
    count = 1 if action.num_allocations is None else action.num_allocations
    return (trigger, action.scheduler, action.scheduler_type, count, action.max_parallel_jobs)


def load(text: str, name: str = "w.yaml", folder: Path | None = None) -> Both | None:
    """Read a specification both ways; None when the reader refuses it.

    Raises:
        UnknownError: the specification has something that the witness does not know.
    """
    source = Source(name, text)
    diagnostics = Diagnostics()
    settings = ReadSettings(folder=folder or Path(), options=TARGET.settle_options({}))
    workflow = read((source,), settings, diagnostics)
    if workflow is None:
        return None
    loaded = load_spec(source, Diagnostics())
    assert loaded is not None
    files = {file.name: _parameters(file.sweep) for file in workflow.files}
    return Both(Creation(loaded.spec), workflow, _names(workflow), files)


def _names(workflow: Workflow) -> dict[Instance, str]:
    """Give torc's name for each instance: that of the task with the values of the instance."""
    scope = Scope(World(workflow, NOTHING_FAILS))
    found: dict[str, Instance] = {}
    for task in workflow.tasks:
        rows: Any = [{}] if task.sweep is None else expand(task.sweep, scope.value)
        for number, row in enumerate(rows):
            name = numbered(filled(task.name, row), found)
            found[name] = Instance(task.name, None if task.sweep is None else number)
    return {instance: name for name, instance in found.items()}
