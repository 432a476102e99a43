"""Jobs of one name that run one at a time (`--dependency=singleton`), as chains (slurm.md §8, torc.md §26)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pwxc.ir.entity import changed
from pwxc.ir.resources import Resources
from pwxc.ir.task import Edge, Outcome, Task
from pwxc.ir.workflow import Workflow

_SINGLETON = re.compile(r"--dependency=.*\bsingleton\b", re.I)
_NUMBERED = re.compile(r"(.+)-[0-9]+\Z")
"""The reader numbers further tasks of one name."""


def is_one_at_a_time(record: Resources | None) -> bool:
    """Whether a job asks for a time without other jobs of its name."""
    return record is not None and any(_SINGLETON.match(item.literal or "") for item in record.directives)


def take_turns(workflow: Workflow) -> tuple[Workflow, dict[str, Task]]:
    """Let jobs that exclude those of their name wait for the earlier ones; the second part gives what they were."""
    if workflow.dialect != "slurm":
        return workflow, {}
    records = {record.name: record for record in workflow.resources}
    if not any(is_one_at_a_time(record) for record in workflow.resources):
        return workflow, {}
    originals: dict[str, Task] = {}
    earlier: dict[str, list[str]] = {}
    tasks = []
    for task in workflow.tasks:
        before = earlier.setdefault(_name(task.name, earlier), [])
        if before and is_one_at_a_time(records.get(task.resources or "")):
            originals[task.name] = task
            awaited = {edge.parent for edge in task.needs}
            more = (Edge(parent=name, when=Outcome.END, span=task.span) for name in before if name not in awaited)
            task = changed(task, needs=(*task.needs, *more))
        before.append(task.name)
        tasks.append(task)
    return changed(workflow, tasks=tuple(tasks)), originals


def _name(task: str, known: Mapping[str, object]) -> str:
    found = _NUMBERED.match(task)
    return found[1] if found is not None and found[1] in known else task
