"""Hooks of other systems as jobs and steps."""

import pytest
from native_flows import compiled, flow, is_clean, run, task, torc

from pwxc.ir.task import Edge
from pwxc.ir.template import text
from pwxc.ir.workflow import Hook, RequestAllocation, RunCommands, Trigger

SPEC = """\
name: hooks
jobs:
  - {name: a, command: 'true'}
  - {name: b, command: 'true', depends_on: [a]}
  - {name: c1, command: 'true', depends_on: [b], cancel_on_blocking_job_failure: false}
  - {name: c2, command: 'true'}
actions:
  - ACTION
"""


def hooked(action: str):
    return compiled(torc(SPEC.replace("ACTION", action)))


def test_what_the_start_sets_off_comes_before_every_first_job():
    data, said = hooked("{trigger_type: on_workflow_start, action_type: run_commands, commands: [mkdir out]}")
    jobs = data["jobs"]
    assert next(iter(jobs)) == "on-workflow-start"
    assert {name: job.get("needs") for name, job in jobs.items()} == {
        "on-workflow-start": None,
        "a": ["on-workflow-start"],
        "b": ["a"],
        "c1": ["b"],
        "c2": ["on-workflow-start"],
    }
    assert said == []


def test_the_first_command_that_fails_ends_the_hook_and_nothing_else(tmp_path):
    commands = "[echo \"it's on\", 'false', echo never]"
    data, _ = hooked(f"{{trigger_type: on_workflow_start, action_type: run_commands, commands: {commands}}}")
    job = data["jobs"]["on-workflow-start"]
    assert job["steps"][0]["ignore-errors"] is True
    assert is_clean(job["steps"][0]["run"]) == ""
    assert run(job, tmp_path) == (0, "it's on\n")


def test_what_the_end_sets_off_comes_after_all_jobs_however_they_ended():
    data, _ = hooked("{trigger_type: on_workflow_complete, action_type: run_commands, commands: [ls]}")
    last = data["jobs"]["on-workflow-complete"]
    assert (sorted(last["needs"]), last["if"]) == (["a", "b", "c1", "c2"], "${{ always }}")


def test_selected_jobs_are_waited_for_together():
    data, _ = hooked(
        "{trigger_type: on_jobs_complete, action_type: run_commands, commands: [ls], jobs: [a],"
        " job_name_regexes: ['^c']}"
    )
    job = data["jobs"]["on-jobs-complete"]
    assert (sorted(job["needs"]), job["if"]) == (["a", "c1", "c2"], "${{ always }}")


def test_ready_is_when_what_all_selected_jobs_wait_for_is_done():
    data, _ = hooked("{trigger_type: on_jobs_ready, action_type: run_commands, commands: [ls], jobs: [b, c1]}")
    job = data["jobs"]["on-jobs-ready"]
    # b waits for the success of a, c1 for any end of b
    assert job["needs"] == ["a", "b-ended"]
    assert "if" not in job


def test_what_every_worker_does_is_done_around_every_job():
    action = "{trigger_type: on_worker_start, action_type: run_commands, commands: [date], persistent: true}"
    data, said = hooked(action)
    assert [len(job["steps"]) for job in data["jobs"].values()] == [2, 2, 2, 2]
    assert said == ["PWX3224"]
    data, _ = hooked(action.replace("worker_start", "worker_complete"))
    assert data["jobs"]["a"]["steps"][1]["if"] == "${{ always }}"


def test_what_one_worker_does_is_done_once():
    data, said = hooked(
        "{trigger_type: on_worker_start, action_type: run_commands, commands: [date], persistent: false}"
    )
    assert data["jobs"]["a"]["needs"] == ["on-worker-start"]
    assert said == []


def test_jobs_that_run_in_an_allocation_ask_for_their_own_nodes():
    spec = """\
    name: alloc
    jobs: [{name: a, command: ls}]
    slurm_schedulers: [{name: s, account: x, walltime: '00:10:00'}]
    actions:
      - {trigger_type: on_workflow_start, action_type: schedule_nodes, scheduler: s, scheduler_type: slurm,
         num_allocations: 2}
    """
    data, said = compiled(torc(spec))
    assert data["jobs"]["a"]["steps"][1]["with"]["slurm"]["account"] == "x"
    assert said == ["PWX3223"]


@pytest.mark.parametrize("persistent", [False, True])
@pytest.mark.parametrize("trigger", Trigger)
@pytest.mark.parametrize("action", [RunCommands((text("ls"),)), RequestAllocation("nowhere")])
def test_every_hook_is_settled(trigger, persistent, action):
    hooks = (Hook(trigger=trigger, action=action, tasks=("b",), patterns=("(",), persistent=persistent),)
    compiled(flow(task("a"), task("b", needs=(Edge(parent="a"),)), hooks=hooks))
