"""Jobs that reach a compute node through `scheduler-agent` and `wait-for-agent` (pw.md §8), as scheduled tasks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs

from pwxc.ir.entity import changed
from pwxc.ir.expr import Ref, Root, refs
from pwxc.ir.resources import Placement, Resources
from pwxc.ir.task import ActionCall, Step, Task
from pwxc.ir.template import Template
from pwxc.ir.walking import holes_in
from pwxc_targets.pw.reading.scheduler_options import OptionReader, as_template

_AGENT, _WAIT = "parallelworks/scheduler-agent", "parallelworks/wait-for-agent"


def absorb_agent(task: Task) -> tuple[Task, Resources] | None:
    """Make steps that run on an agent's node scheduled ones, and give the resources that the agent asked for.

    None when the job has no agent, or when anything but its own steps' hosts uses what the two actions publish.
    """
    agents = [step for step in task.steps if _calls(step, _AGENT)]
    waits = [step for step in task.steps if _calls(step, _WAIT)]
    if len(agents) != 1 or len(waits) != 1 or waits[0].id is None:
        return None
    agent, wait = agents[0], waits[0]
    assert wait.id is not None
    rest = [step for step in task.steps if step is not agent and step is not wait]
    moved = [_scheduled(step, task.name, wait.id) for step in rest]
    ids = {agent.id, wait.id}
    if any(ref.path[0] == task.name and ref.path[1] in ids for step in moved for ref in _outputs(step)):
        return None
    if not any(step.placement is not None and step.placement.scheduled for step in moved):
        return None
    resources = _resources(agent, task.name)
    return changed(task, steps=tuple(moved), resources=resources.name), resources


def _calls(step: Step, action: str) -> bool:
    return isinstance(step.work, ActionCall) and step.work.name == action


def _scheduled(step: Step, task: str, wait: str) -> Step:
    place = step.placement
    first = place.host.parts[0] if place is not None and place.host else None
    if place is None or first != Ref(Root.TASK_OUTPUT, (task, wait, "remoteHost")):
        return step
    whole = place.jump_host.whole if place.jump_host is not None else None
    cluster = (
        attrs.evolve(whole, path=whole.path[:-1]) if isinstance(whole, Ref) and whole.path[-1:] == ("ip",) else None
    )
    moved = Placement(
        host=place.jump_host, cluster=cluster, scheduled=True, passthrough=place.passthrough, span=place.span
    )
    return changed(step, placement=moved)


def _resources(agent: Step, name: str) -> Resources:
    assert isinstance(agent.work, ActionCall)
    arguments: dict[str, Any] = agent.work.arguments
    reader = OptionReader(name, agent.span)
    reader.values["nodes"] = 1
    flags = arguments.get("scheduler-flags")
    if isinstance(flags, dict):
        for option, value in flags.items():
            reader.take(option.lstrip("-").replace("_", "-"), as_template(value))
    elif flags is not None:
        reader.take_lines(_as_lines(as_template(flags)), ("scheduler-flags",))
    reader.take_lines(as_template(arguments.get("script-headers")), ("script-headers",))
    return reader.resources()


def _as_lines(flags: Template) -> Template:
    literal = flags.literal
    if literal is None or "#SBATCH" in literal:
        return flags
    return Template(("\n".join(f"#SBATCH {line.strip()}" for line in literal.splitlines() if line.strip()),))


def _outputs(step: Step) -> Iterator[Ref]:
    """Give all references to published values with a step's id, anywhere in a step."""
    named = (ref for hole in holes_in(step) for ref in refs(hole))
    return (ref for ref in named if ref.root is Root.TASK_OUTPUT and len(ref.path) == 3)
