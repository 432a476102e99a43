"""Workflows with actions of every kind, to ACTIVATE and to torc again: the same actions come back.

The first four have the shapes of the examples that came with the project; those are read too where they are at hand.
"""

# ruff: noqa: E501 - a record stays on its line

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from torc_files import must_read
from torc_worker import instances

from pwxc import api
from pwxc.ir.workflow import Hook, RequestAllocation, RunCommands, Workflow
from pwxc.semantics.equivalence import equivalent
from pwxc_targets.torc.reading.hooks import OF_TASKS

SETUP = """
name: survey
user: someone
jobs:
  - {name: fetch, command: "curl -sO https://example.org/survey.csv"}
  - {name: clean, command: python clean.py, blocked_by_job_names: [fetch]}
  - {name: report, command: python report.py, blocked_by_job_names: [clean]}
actions:
  - trigger_type: on_workflow_start
    action_type: run_commands
    commands: ["echo 'begun at $(date)' > run.log", "mkdir -p out tmp"]
  - trigger_type: on_workflow_complete
    action_type: run_commands
    commands: ["echo 'ended at $(date)' >> run.log", "rm -rf tmp"]
"""
SCALING = """
name: grids
jobs:
  - {name: prepare, command: python prepare.py, resource_requirements_name: small}
  - name: fit_{grid}
    command: python fit.py --grid {grid}
    resource_requirements_name: large
    blocked_by_job_names: [prepare]
    parameters: {grid: "[1,2,3,4]"}
  - name: score_{grid}
    command: python score.py --grid {grid}
    resource_requirements_name: small
    blocked_by_job_names: ["fit_{grid}"]
    parameters: {grid: "[1,2,3,4]"}
resource_requirements:
  - {name: small, num_cpus: 2, memory: 4g}
  - {name: large, num_cpus: 8, num_gpus: 1, memory: 32g, runtime: PT4H}
slurm_schedulers:
  - {name: gpus, account: lab, partition: gpu, nodes: 2, walltime: "04:00:00", gres: "gpu:1"}
actions:
  - trigger_type: on_jobs_ready
    action_type: schedule_nodes
    job_name_regexes: ["fit_.*"]
    scheduler_name: gpus
    scheduler_type: slurm
    num_allocations: 2
    start_one_worker_per_node: true
    max_parallel_jobs: 4
  - {trigger_type: on_jobs_complete, action_type: run_commands, job_name_regexes: ["fit_.*"], commands: ["tar cf fits.tar fits"]}
  - {trigger_type: on_workflow_complete, action_type: run_commands, commands: [python gather.py, tar cf all.tar out]}
"""
STAGES = """
name: tables
jobs:
  - {name: "get_{site}", command: "python get.py {site}", parameters: {site: "['n','s','w']"}}
  - {name: "turn_{site}", command: "python turn.py {site}", blocked_by_job_names: ["get_{site}"], parameters: {site: "['n','s','w']"}}
  - {name: "put_{site}", command: "python put.py {site}", blocked_by_job_names: ["turn_{site}"], parameters: {site: "['n','s','w']"}}
actions:
  - {trigger_type: on_workflow_start, action_type: run_commands, commands: [mkdir -p raw done]}
  - {trigger_type: on_jobs_complete, action_type: run_commands, job_name_regexes: ["turn_.*"], commands: [rm -rf raw]}
  - {trigger_type: on_jobs_complete, action_type: run_commands, job_name_regexes: ["put_.*"], commands: ["tar cf done_$(date +%F).tar done"]}
  - {trigger_type: on_workflow_complete, action_type: run_commands, commands: [python summary.py]}
"""
WORKERS = """
name: workers
jobs:
  - {name: a, command: ./a}
  - {name: b, command: ./b, blocked_by_job_names: [a]}
actions:
  - {trigger_type: on_worker_start, action_type: run_commands, persistent: true, commands: ["mkdir -p tmp_$(hostname)"]}
  - {trigger_type: on_worker_complete, action_type: run_commands, persistent: true, commands: ["rm -rf tmp_$(hostname)"]}
"""
EVERYTHING = """
name: everything
jobs:
  - {name: a, command: ./a}
  - {name: b, command: ./b, depends_on: [a]}
  - {name: c, command: ./c, depends_on: [a]}
  - {name: d, command: ./d, depends_on: [b, c], cancel_on_blocking_job_failure: false}
actions:
  - {trigger_type: on_workflow_start, action_type: run_commands, commands: ["echo 'it''s'", "echo \\"two  blanks\\" $HOME"]}
  - {trigger_type: on_jobs_ready, action_type: run_commands, commands: [echo r], jobs: [b], job_name_regexes: ["^c$"]}
  - {trigger_type: on_jobs_complete, action_type: run_commands, commands: [echo c], jobs: [b], job_name_regexes: ["^c$"]}
  - {trigger_type: on_jobs_complete, action_type: run_commands, commands: ["echo one\\necho two"], jobs: [a]}
  - {trigger_type: on_workflow_complete, action_type: run_commands, commands: [echo w]}
  - {trigger_type: on_worker_start, action_type: run_commands, commands: [echo s], persistent: true}
  - {trigger_type: on_worker_complete, action_type: run_commands, commands: [echo e], persistent: true}
  - {trigger_type: on_worker_start, action_type: run_commands, commands: [echo once], persistent: false}
  - {trigger_type: on_worker_complete, action_type: run_commands, commands: [echo at the end], persistent: false}
"""
SEED = (
    Path(os.environ.get("PWXC_SEEDS", Path(__file__).parents[3] / "shared" / "seeds")) / "003-torc-workflow-actions.md"
)


def seeds() -> list[Any]:
    if not SEED.is_file():
        return []
    examples = SEED.read_text().partition("## Complete Examples")[2]
    found = re.findall(r"### ([^\n]*)\n+```yaml\n(.*?)```", examples, re.DOTALL)
    return [
        pytest.param(text, id=title, marks=pytest.mark.corpus) for title, text in found if title.startswith("Example")
    ]


OWN = [
    pytest.param(text, id=name)
    for name, text in (("setup", SETUP), ("scaling", SCALING), ("stages", STAGES), ("workers", WORKERS))
]
EACH = pytest.mark.parametrize("text", [*OWN, pytest.param(EVERYTHING, id="everything"), *seeds()])


def shown(workflow: Workflow, hook: Hook, *, selected: bool) -> tuple[Any, ...]:
    """Give an action with the names of all jobs that it looks at."""
    tasks = {task.name: task for task in workflow.tasks}
    names = {each for name in hook.tasks for each in instances(tasks[name])} if hook.trigger in OF_TASKS else set()
    what = (
        [command.literal for command in hook.action.commands]
        if isinstance(hook.action, RunCommands)
        else [
            hook.action.allocation,
            hook.action.count,
            hook.action.start_one_worker_per_node,
            hook.action.max_parallel,
        ]
    )
    return hook.trigger.value, tuple(what), frozenset(names) if selected else None, hook.persistent


def actions(workflow: Workflow, *, selected: bool = True, commands_only: bool = False) -> set[tuple[Any, ...]]:
    hooks = [hook for hook in workflow.hooks if not commands_only or not isinstance(hook.action, RequestAllocation)]
    return {shown(workflow, hook, selected=selected) for hook in hooks}


def compiled(text: str, source: str, target: str, **options: str) -> str:
    made = api.compile(text, origin=source, to=target, options=options)
    assert made.files, [(item.code.id, item.message) for item in made.diagnostics]
    return made.files[0].text


@EACH
def test_to_torc_again(text: str) -> None:
    first = must_read(text)
    for version in ("0.12", "0.25"):
        again = must_read(compiled(text, "torc", "torc", **{"torc.version": version}))
        assert actions(again) == actions(first)
        assert equivalent(first, again).proved


@EACH
def test_to_activate(text: str) -> None:
    first = must_read(text)
    data = yaml.safe_load(compiled(text, "torc", "pw"))
    jobs, second = data["jobs"], api.read(compiled(text, "torc", "pw"), origin="pw")[0]
    assert second is not None
    assert len(first.tasks) <= len(jobs) <= len(first.tasks) + len(first.hooks)
    always = {name for name, job in jobs.items() if job.get("if") == "${{ always }}"}
    for name, job in jobs.items():
        if name.startswith(("on-workflow-complete", "on-jobs-complete", "on-worker-complete")):
            assert name in always
            assert job["needs"]
        if name.startswith("on-"):
            assert all(step["ignore-errors"] for step in job["steps"])
            others = [
                other for other, its in jobs.items() if not other.startswith("on-") and name in its.get("needs", ())
            ]
            assert bool(others) is name.endswith("-start")


@EACH
def test_to_activate_and_back_to_actions(text: str) -> None:
    first = must_read(text)
    there = compiled(text, "torc", "pw")
    again = must_read(compiled(there, "pw", "torc"))
    assert {task.name for task in again.tasks} == {task.name for task in first.tasks}
    asked = {hook for hook in first.hooks if isinstance(hook.action, RequestAllocation)}
    if not asked:
        assert actions(again) == actions(first)
    assert actions(again, commands_only=True) == actions(first, commands_only=True)


@EACH
def test_back_from_slurm_to_actions(text: str) -> None:
    made = api.compile(text, origin="torc", to="slurm")
    sources = [api.Source(file.path, file.text) for file in made.files]
    first, second = must_read(text), api.read(sources, origin="slurm")[0]
    assert second is not None
    once = {hook.trigger for hook in first.hooks if not hook.persistent and isinstance(hook.action, RunCommands)}
    assert {hook.trigger for hook in second.hooks} >= {item for item in once if "worker" not in item.value}


@pytest.mark.parametrize("text", OWN)
def test_a_job_that_only_looks_like_an_action_stays_a_job(text: str) -> None:
    there = compiled(text, "torc", "pw").replace("ignore-errors: true", "ignore-errors: false")
    again = must_read(compiled(there, "pw", "torc"))
    assert not [hook for hook in again.hooks if isinstance(hook.action, RunCommands)]
