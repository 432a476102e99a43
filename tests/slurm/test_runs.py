"""Workflows that are compiled, submitted to a real Slurm, and looked at when they have ended."""

from __future__ import annotations

import re
import subprocess
from datetime import datetime

import pytest

from pwxc.ir.expr import Binary, Expr, Literal, Ref, Root
from pwxc.ir.inputs import Input
from pwxc.ir.resources import Resources
from pwxc.ir.sweep import Parameter, Range, Sweep, SweepMode, Values
from pwxc.ir.task import ExitAction, ExitRule, Gang, Outcome, Publication, Retry, Task
from pwxc.ir.template import Template, text
from pwxc.ir.workflow import Hook, RunCommands, Trigger
from tests.slurm.conftest import Run
from tests.slurm.flows import OUTPUT, RUN, after, command, flow, note, script, sweep, task, variable

pytestmark = pytest.mark.slurm

HOSTILE = "a'b\"c $(touch pwned) `touch pwned` ${HOME} \\ ;&|<>*?~ # %j ä漢\nsecond line"


def test_a_failure_ends_what_waits_for_it_and_nothing_else(run: Run) -> None:
    ran = run(
        flow(
            task("good", *note("good")),
            task("bad", *note("bad"), "exit 3", needs=["good"]),
            task("child", *note("child"), needs=["bad"]),
            task("grandchild", *note("grandchild"), needs=["child"]),
            task("cleanup", *note("cleanup"), needs=[after("grandchild")]),
            task("rescue", *note("rescue"), needs=[after("bad", Outcome.FAILURE)]),
            task("unneeded", *note("unneeded"), needs=[after("good", Outcome.FAILURE)]),
            task("behind-it", *note("behind-it"), needs=["unneeded"]),
            task("rescue-it", *note("rescue-it"), needs=[after("behind-it", Outcome.FAILURE)]),
            task("beside", *note("beside"), needs=["good"]),
        )
    )
    assert ran.code == 1
    assert sorted(ran.order) == ["bad", "beside", "cleanup", "good", "rescue"]
    assert ran.slurm_state("bad") == "FAILED"
    assert ran.slurm_state("grandchild") == "CANCELLED"
    assert ran.state("child") == "none"
    # Slurm would take a job that it cancels for one that failed
    assert (ran.state("unneeded"), ran.state("behind-it")) == ("skipped", "skipped")


def test_tied_sweeps_are_split_where_the_site_says(run: Run) -> None:
    value, ties = Ref(Root.SWEEP, ("i",)), sweep("i", 0, 9, limit=3)
    twin = after("many", Outcome.SUCCESS, same_instance=True)
    ran = run(
        flow(
            task("many", "echo ", value, " >", OUTPUT, "/i; touch ", RUN, "/done.", value, sweep=ties),
            task("tied", "[ -e ", RUN, "/done.", value, " ]", sweep=ties, needs=[twin]),
        ),
        max_array_size="4",
    )
    assert ran.code == 0, ran.output
    assert {name: len(ids) for name, ids in ran.ids().items()} == {"many": 3, "tied": 3}
    assert sorted(int(path.read_text()) for path in (ran.folder / "output/many").glob("*/i")) == list(range(10))


def test_values_of_a_sweep_are_those_of_python(run: Run) -> None:
    parameters = (
        Parameter(name="x", values=Range(0.1, 0.5, 0.2)),
        Parameter(name="name", values=Values(("plain", HOSTILE))),
        Parameter(name="n", values=Range(10, 8, -1)),
    )
    step = command("printf", "%s|%s|%s", *(Template.of(Ref(Root.SWEEP, (name,))) for name in ("x", "name", "n")))
    ran = run(flow(Task(name="t", steps=(step,), sweep=Sweep(parameters=parameters))))
    assert ran.code == 0, ran.output
    logs = {path.read_text() for path in (ran.folder / "logs").glob("t.*.out")}
    values = [0.1 + index * 0.2 for index in range(3)]
    assert logs == {f"{x}|{name}|{n}" for x in values for name in ("plain", HOSTILE) for n in (10, 9, 8)}


def test_a_gang_of_unlike_members_starts_together(run: Run) -> None:
    ran = run(
        flow(
            task("big", *note("big"), "sleep 1", resources="big"),
            task("small", *note("small"), "sleep 60", resources="small"),
            gangs=(Gang(name="pair", members=("big", "small"), lead="big"),),
            resources=(Resources(name="big", cpus=4), Resources(name="small", cpus=1, memory=2**28)),
        )
    )
    assert ran.code == 0, ran.output
    assert sorted(ran.order) == ["big", "small"]


def test_a_gang_has_the_nodes_of_its_members_and_a_limit_in_the_queue(run: Run) -> None:
    def show(name: str) -> tuple[str | Expr, ...]:
        return ("echo ", name, " $SLURM_JOB_NUM_NODES $SLURMD_NODENAME >>", RUN, "/nodes\n")

    wide = Resources(name="wide", nodes=2, cpus=1)
    ran = run(
        flow(
            task("first", "sleep 1"),
            task("a", *show("a"), "sleep 1", resources="wide"),
            task("b", *show("b"), "sleep 30", resources="wide"),
            gangs=(
                Gang(name="pair", members=("a", "b"), lead="a", needs=(after("first"),), run_timeout=600,
                     queue_timeout=60),
            ),
            resources=(wide,),
        ),
    )  # fmt: skip
    assert ran.code == 0, ran.output
    found = sorted(line.split() for line in (ran.folder / "nodes").read_text().splitlines())
    assert [(name, nodes) for name, nodes, _ in found] == [("a", "4"), ("b", "4")]
    assert len({node for _, _, node in found}) == 2
    words = ["scontrol", "show", "job", ran.ids()["pair"][0]]
    shown = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    moments = dict(re.findall(r"(EndTime|Deadline)=(\S+)", shown))
    left = datetime.fromisoformat(moments["Deadline"]) - datetime.fromisoformat(moments["EndTime"])
    assert 700 < left.total_seconds() <= 720  # a minute in the queue, ten for the work, one between the two ends


def test_a_retry_ends_at_its_limit(run: Run) -> None:
    rule = ExitRule(action=ExitAction.RETRY, codes=(), retry=Retry(limit=2))
    ran = run(flow(task("t", *note("t"), "exit 4", exit_rules=(rule,))), retry="inside")
    assert ran.order == ["t", "t", "t"]
    assert ran.state("t") == "failed"


def test_hooks_fire_at_their_points(run: Run) -> None:
    def hook(trigger: Trigger, word: str, **more: object) -> Hook:
        return Hook(trigger=trigger, action=RunCommands((Template.of(*note(word)),)), **more)  # type: ignore[arg-type]

    ran = run(
        flow(
            task("a", *note("a")),
            task("b", *note("b"), "exit 1", needs=["a"]),
            hooks=(
                hook(Trigger.WORKFLOW_START, "start"),
                hook(Trigger.TASKS_COMPLETE, "a-done", tasks=("a",)),
                hook(Trigger.WORKFLOW_COMPLETE, "end"),
            ),
        )
    )
    assert ran.order[:2] == ["start", "a"]
    assert sorted(ran.order) == ["a", "a-done", "b", "end", "start"]
    assert ran.order.index("end") > ran.order.index("b")


def test_cleanup_runs_after_a_failure(run: Run) -> None:
    steps = (script(*note("one"), cleanup=Template.of(*note("undo"))), script("exit 5"), script(*note("three")))
    ran = run(flow(Task(name="t", steps=steps, cleanup=(script(*note("last")),))))
    assert ran.order == ["one", "undo", "last"]
    assert ran.state("t") == "failed"


def test_conditions_skip_and_those_who_wait_are_skipped(run: Run) -> None:
    wanted = Binary("==", Ref(Root.INPUT, ("mode",)), Literal("full"))
    found = Binary("==", Ref(Root.TASK_OUTPUT, ("probe", "found")), Literal("yes"))
    ran = run(
        flow(
            Task(name="probe", steps=(script("echo found=no >>$OUTPUTS"),), outputs=(
                Publication("found", Ref(Root.TASK_OUTPUT, ("probe", "found"))),)),
            task("dynamic", *note("dynamic"), needs=["probe"], condition=found),
            task("behind", *note("behind"), needs=["dynamic"]),
            task("static", *note("static"), condition=wanted),
            task("behind-static", *note("behind-static"), needs=["static"]),
            task("end", *note("end"), needs=[after("behind"), after("behind-static")]),
            inputs=(Input(name="mode", default="quick", has_default=True),),
        )
    )  # fmt: skip
    assert ran.code == 0, ran.output
    assert ran.order == ["end"]
    assert {ran.state(name) for name in ("dynamic", "behind", "static", "behind-static")} == {"skipped"}


def test_nothing_from_names_and_values_is_executed(run: Run) -> None:
    value = Ref(Root.INPUT, (HOSTILE,))
    say = Ref(Root.INPUT, ("say",))
    ran = run(
        flow(
            Task(
                name=HOSTILE,
                environment=(variable("HOSTILE", HOSTILE),),
                steps=(
                    command("printf", "%s", HOSTILE),
                    script("printf %s \"$HOSTILE\" >", OUTPUT, "/environment"),
                    script("printf %s \"", say, "\" '", say, "' >", OUTPUT, "/given\nprintf %s ", value, " >/dev/null\n"
                           "cat >", OUTPUT, "/here <<EOF\n", say, "\nEOF"),
                ),
            ),
            inputs=(
                Input(name=HOSTILE, default=HOSTILE, has_default=True, label=HOSTILE, help=HOSTILE),
                Input(name="say", default="x", has_default=True),
            ),
            name=HOSTILE,
            description=HOSTILE,
        ),
        "--say", HOSTILE,
    )  # fmt: skip
    assert ran.code == 0, ran.output
    output = next((ran.folder / "output").iterdir())
    assert (output / "environment").read_text() == HOSTILE
    assert (output / "given").read_text() == HOSTILE * 2
    assert (output / "here").read_text() == HOSTILE + "\n"
    assert next((ran.folder / "logs").glob("*.out")).read_text() == HOSTILE
    assert not list(ran.folder.parent.rglob("pwned"))


def test_resume_runs_what_is_missing(run: Run) -> None:
    workflow = flow(
        task("a", *note("a")),
        task("b", *note("b"), "[ -e ", RUN, "/now ] || exit 1", needs=["a"]),
        task("c", *note("c"), needs=["b"]),
        task("many", "[ -e ", RUN, "/now ] || [ ", Ref(Root.SWEEP, ("i",)), " != 2 ]", sweep=sweep("i", 0, 3)),
        task("last", *note("last"), needs=["many"]),
    )
    first = run(workflow)
    assert first.code == 1
    (first.folder / "now").touch()
    second = run(workflow, "--resume", again=True)
    assert second.code == 0, second.output
    assert sorted(second.order) == ["a", "b", "b", "c", "last"]
    assert {name: len(ids) for name, ids in second.ids().items()} == {"a": 1, "b": 2, "c": 2, "many": 2, "last": 2}


def test_what_was_submitted_is_cancelled_when_a_later_submission_fails(run: Run) -> None:
    ran = run(
        flow(
            task("good", *note("good")),
            task("bad", *note("bad"), resources="none", needs=["good"]),
            resources=(Resources(name="none", partition=text("no-such-partition")),),
        )
    )
    assert ran.code != 0
    assert ran.slurm_state("good") == "CANCELLED"
    assert ran.order == []


def test_zip_and_one_file(run: Run) -> None:
    parameters = (Parameter(name="a", values=Values(("x", "y"))), Parameter(name="b", values=Range(1, 2)))
    step = command("printf", "%s%s", Template.of(Ref(Root.SWEEP, ("a",))), Template.of(Ref(Root.SWEEP, ("b",))))
    ran = run(
        flow(Task(name="t", steps=(step,), sweep=Sweep(parameters=parameters, mode=SweepMode.ZIP))), single_file="true"
    )
    assert ran.code == 0, ran.output
    assert {path.read_text() for path in (ran.folder / "logs").glob("t.*.out")} == {"x1", "y2"}
