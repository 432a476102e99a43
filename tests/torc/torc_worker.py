"""A worker of torc that really runs the jobs of a written specification, one after the other."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from torc_files import expand, must_read

from pwxc.ir.sweep import Range, Values
from pwxc.ir.task import Outcome, Task
from pwxc.ir.workflow import Workflow
from pwxc.registry import Written
from pwxc_targets.torc.records import assignments, print_hole, substitute


def run_jobs(made: Written, folder: Path, environment: Mapping[str, str] = {}) -> dict[str, int | None]:
    """Run a specification in a folder; give each job's exit code, None for a cancelled one."""
    for file in made.files:
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.text)
    workflow = must_read(made.files[0].text, made.files[0].path)
    commands, waits = expand(workflow), blockers(workflow)
    codes: dict[str, int | None] = {}
    while len(codes) < len(commands):
        ready = [name for name in commands if name not in codes and waits[name].keys() <= codes.keys()]
        assert ready, "jobs wait for each other"
        for name in ready:
            unmet = any(when is Outcome.SUCCESS and codes[blocker] != 0 for blocker, when in waits[name].items())
            codes[name] = None if unmet else _run(name, commands[name], folder, environment)
    return codes


def _run(name: str, command: str, folder: Path, environment: Mapping[str, str]) -> int:
    variables = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "TORC_WORKFLOW_ID": "1", "TORC_JOB_NAME": name}
    ended = subprocess.run(
        ["bash", "-c", command], cwd=folder, env={**variables, **environment}, capture_output=True, check=False
    )
    return ended.returncode


def instances(task: Task) -> dict[str, dict[str, object]]:
    """Give the values of each instance by its name, as torc makes it."""
    values = {
        item.name: item.values
        for item in (task.sweep.parameters if task.sweep else ())
        if isinstance(item.values, Range | Values)
    }
    name = substitute(task.name, values, {})
    return {
        name.fill(lambda hole, row=row: print_hole(hole, row)): row  # type: ignore[misc]
        for row in assignments(task.sweep)
    }


def blockers(workflow: Workflow) -> dict[str, dict[str, Outcome]]:
    """Give the instances that each instance waits for."""
    tasks = {task.name: task for task in workflow.tasks}
    found: dict[str, dict[str, Outcome]] = {}
    for task in workflow.tasks:
        for name, row in instances(task).items():
            found[name] = {
                other: edge.when
                for edge in task.needs
                for other, theirs in instances(tasks[edge.parent]).items()
                if not edge.same_instance or all(row.get(key) == value for key, value in theirs.items())
            }
    return found
