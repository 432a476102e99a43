"""What stands in for hooks, work on several nodes and conditions of the run, as OSMO's reader and bash see it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from test_osmo_writing import foreign, loaded, read, said, sweep, task, write
from test_osmo_writing_runs import Cluster, compiled, tasks_of

from pwxc.ir.expr import Binary, Expr, Literal, Ref, Root, Unary
from pwxc.ir.resources import Resources
from pwxc.ir.sweep import Range
from pwxc.ir.task import Edge, Gang, Outcome
from pwxc.ir.template import text
from pwxc.ir.workflow import Hook, RunCommands, Trigger, Workflow

IMAGE = {"image": "ubuntu:24.04"}
A, B, C = task("a"), task("b", needs=(Edge(parent="a"),)), task("c")


def hook(trigger: Trigger, *tasks: str, **more: Any) -> Hook:
    return Hook(trigger=trigger, action=RunCommands((text("echo hook"),)), tasks=tasks, **more)


def parents(workflow: Workflow, **options: str) -> dict[str, set[str]]:
    """Give what each task of the output waits for, after reading it again."""
    made = read(write(workflow, lossy=True, **IMAGE, **options))
    return {item.name: {edge.parent for edge in item.needs} for item in made.tasks}


@pytest.mark.parametrize(
    ("given", "waits"),
    [
        (hook(Trigger.WORKFLOW_START), {"workflow-start": set(), "a": {"workflow-start"}, "c": {"workflow-start"}}),
        (hook(Trigger.WORKER_START), {"worker-start": set(), "a": {"worker-start"}, "b": {"a"}}),
        (hook(Trigger.WORKFLOW_COMPLETE), {"workflow-complete": {"b", "c"}, "a": set()}),
        (hook(Trigger.WORKER_COMPLETE), {"worker-complete": {"b", "c"}}),
        (hook(Trigger.TASKS_READY, "b"), {"tasks-ready": {"a"}, "b": {"a"}}),
        (hook(Trigger.TASKS_COMPLETE, "a", "c"), {"tasks-complete": {"a", "c"}}),
        (hook(Trigger.TASKS_COMPLETE, patterns=("^[bc]$",)), {"tasks-complete": {"b", "c"}}),
    ],
)
def test_the_commands_of_a_hook_are_a_task(given: Hook, waits: dict[str, set[str]]) -> None:
    found = parents(foreign(A, B, C, hooks=(given,)))
    assert {name: found[name] for name in waits} == waits
    assert len(found) == 4


def test_a_hook_that_nothing_sets_off_is_no_task() -> None:
    assert set(parents(foreign(A, hooks=(hook(Trigger.TASKS_COMPLETE),)))) == {"a"}


def test_what_is_told_of_hooks() -> None:
    assert "osmo-hook" not in said(foreign(A, hooks=(hook(Trigger.WORKFLOW_START),)), **IMAGE)
    assert "osmo-hook" in said(foreign(A, hooks=(hook(Trigger.WORKFLOW_COMPLETE),)), **IMAGE)


HOOKS = """\
name: w
jobs:
  - {name: a, command: "cat prepared.txt > a.txt; echo a >> order.txt; exit 3"}
  - {name: b, command: "cat prepared.txt > b.txt; echo b >> order.txt"}
actions:
  - {trigger_type: on_workflow_start, action_type: run_commands, commands: ["echo ready > prepared.txt", "false"]}
  - {trigger_type: on_workflow_complete, action_type: run_commands, commands: ["echo end > end.txt"]}
  - {trigger_type: on_worker_start, action_type: run_commands, commands: ["echo start > order.txt"], persistent: true}
  - {trigger_type: on_worker_complete, action_type: run_commands, commands: ["echo end >> order.txt"], persistent: true}
"""


def test_hooks_run(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path)
    states = cluster.run(tasks_of(compiled(HOOKS, "torc")))
    assert states == {"workflow-start": "completed", "a": "failed", "b": "completed", "workflow-complete": "upstream"}
    assert (tmp_path / "b/output/b.txt").read_text() == "ready\n"
    for name in "ab":
        assert (tmp_path / name / "output/order.txt").read_text() == f"start\n{name}\nend\n"


# several nodes


def test_work_on_several_nodes_is_a_group() -> None:
    wide = Resources(name="wide", nodes=3, tasks=6, cpus=2)
    flow = foreign(A, task("b", "mpirun x\n", needs=(Edge(parent="a"),), resources="wide"), resources=(wide,))
    made = read(write(flow, lossy=True, **IMAGE))
    (group,) = [gang for gang in made.gangs if len(gang.members) > 1]
    assert (group.members, group.lead) == (("b", "b-node-1", "b-node-2"), "b")
    assert {edge.parent for edge in group.needs} == {"a-group"}
    by_name = {item.name: item for item in made.tasks}
    assert {by_name[name].resources for name in group.members} == {"wide"}
    assert made.resources[0].cpus == 4
    script = by_name["b"].files[0].contents
    hosts = [hole.path[0] for hole in script.holes if isinstance(hole, Ref) and hole.root is Root.HOST]
    assert hosts == list(group.members)
    assert "osmo-several-nodes" in said(flow, **IMAGE)


def test_several_nodes_in_a_sweep() -> None:
    wide = Resources(name="wide", nodes=2)
    source = write(foreign(task(resources="wide", sweep=sweep(i=Range(1, 2))), resources=(wide,)), lossy=True, **IMAGE)
    members = [[item["name"] for item in group["tasks"]] for group in loaded(source)["groups"]]
    assert members == [["a-1", "a-node-1-1"], ["a-2", "a-node-1-2"]]


def test_a_member_of_a_group_has_one_node() -> None:
    gang = Gang(name="g", members=("a", "c"), lead="a")
    flow = foreign(task("a", resources="wide"), C, gangs=(gang,), resources=(Resources(name="wide", nodes=2),))
    assert "osmo-nodes-of-a-member" in said(flow, **IMAGE)


# conditions


def flow_with(condition: Expr | None, **edge: Any) -> str:
    second = task("b", "echo ran > ran.txt\n", needs=(Edge(parent="a", **edge),), condition=condition)
    return write(foreign(task("a", "exit $(cat /tmp/code)\n"), second), lossy=True, **IMAGE)


def status(word: str) -> Expr:
    return Ref(Root.STATUS, (word,))


CASES: list[tuple[Expr | None, Outcome, bool, bool]] = [
    (None, Outcome.SUCCESS, True, False),
    (status("completed"), Outcome.SUCCESS, True, False),
    (status("always"), Outcome.SUCCESS, True, True),
    (status("error"), Outcome.SUCCESS, False, True),
    (Unary("!", status("completed")), Outcome.SUCCESS, False, True),
    (Unary("!", status("error")), Outcome.SUCCESS, True, False),
    (Binary("||", status("error"), Literal(False)), Outcome.SUCCESS, False, True),
    (Binary("||", status("error"), status("completed")), Outcome.SUCCESS, True, True),
    (None, Outcome.END, True, True),
    (None, Outcome.FAILURE, False, True),
]


@pytest.mark.parametrize(("condition", "when", "after_success", "after_failure"), CASES)
def test_what_runs_after_which_end(
    condition: Expr | None, when: Outcome, after_success: bool, after_failure: bool, tmp_path: Path
) -> None:
    made = yaml.safe_load(flow_with(condition, when=when))["workflow"]["tasks"]
    for code, expected in ((0, after_success), (4, after_failure)):
        folder = tmp_path / str(code)
        for item in made[0]["files"]:
            item["contents"] = item["contents"].replace("$(cat /tmp/code)", str(code))
        Cluster(folder).run(made)
        assert (folder / "b/output/ran.txt").exists() is expected
        made = yaml.safe_load(flow_with(condition, when=when))["workflow"]["tasks"]


def test_what_runs_after_a_cancellation_is_refused() -> None:
    late = task("b", needs=(Edge(parent="a"),), condition=status("canceled"))
    assert "osmo-condition" in said(foreign(A, late), **IMAGE)
    assert set(parents(foreign(A, late))) == {"a"}


SWEPT = """\
name: w
jobs:
  - {name: "a_{i}", command: "test {i} -ne CODE", parameters: {i: "1:3"}}
  - {name: b, command: "echo b > b.txt", depends_on_regexes: ["^a_"]}
  - {name: c, command: "echo c > c.txt", depends_on_regexes: ["^a_"], cancel_on_blocking_job_failure: false}
"""


@pytest.mark.parametrize(("code", "runs"), [("2", False), ("9", True)])
def test_the_end_of_every_instance_counts(code: str, runs: bool, tmp_path: Path) -> None:
    """An instance whose failure is hidden from OSMO still keeps those from running that need its success."""
    Cluster(tmp_path).run(tasks_of(compiled(SWEPT.replace("CODE", code), "torc")))
    assert (tmp_path / "b/output/b.txt").exists() is runs
    assert (tmp_path / "c/output/c.txt").exists()


PROMISED = """\
name: w
jobs:
  - {name: a, command: "COMMAND", output_files: [f]}
files:
  - {name: f, path: "out put.txt"}
"""


@pytest.mark.parametrize(
    ("command", "state"),
    [("touch 'out put.txt'", "completed"), ("true", "failed"), ("touch 'out put.txt'; exit 2", "failed")],
)
def test_a_task_without_the_file_that_it_promised_has_failed(command: str, state: str, tmp_path: Path) -> None:
    cluster = Cluster(tmp_path)
    assert cluster.run(tasks_of(compiled(PROMISED.replace("COMMAND", command), "torc"))) == {"a": state}
