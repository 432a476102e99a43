"""The comparison of real runs with the machine, on what Slurm 22.05 printed about such runs."""

from __future__ import annotations

import pytest

from pwxc.ir.task import ExitAction, ExitRule, Gang, Outcome, Retry
from pwxc.ir.template import Template
from pwxc.ir.workflow import Hook, RunCommands, Trigger, Workflow
from pwxc.semantics.environment import Fact, Fails, Publishes, Takes
from tests.slurm.flows import after, flow, sweep, task
from tests.slurm.predicted import History, differences, history

_RETRY = ExitRule(action=ExitAction.RETRY, codes=((3, 4),), retry=Retry(limit=2))
_HOOK = Hook(trigger=Trigger.TASKS_COMPLETE, tasks=("a",), action=RunCommands((Template.of("echo done"),)))


def _flow() -> Workflow:
    return flow(
        task("a", "exit 3", exit_rules=(_RETRY,)),
        task("x", "sleep 1"),
        task("b {i}", "sleep 1", needs=["x"], sweep=sweep("i", 1, 3)),
        task("c", "sleep 1", needs=[after("a")]),
        task("d", "sleep 1", needs=["a"]),
        task("e", "sleep 1", needs=[after("d")]),
        task("f", "sleep 1", needs=["d"], sweep=sweep("i", 0, 4)),
        task("g1", "sleep 1"),
        task("g2", "sleep 100"),
        gangs=(Gang(name="pair", members=("g1", "g2"), lead="g1"),),
        hooks=(_HOOK,),
    )


_FACTS: tuple[Fact, ...] = (Fails("a", codes=(3,)), Fails("b {i}", 1), Takes("g2", 100.0))

_SUBMITTED = """\
a	1	a
x	2	x
b_i_	3	b {i}
c	4	c
d	5	d
e	6	e
f	20	f
f	21	f
pair	19	pair
hook.tasks-complete.1	7	hook.tasks-complete.1
"""

_LINE = (
    "JobId={id} {array}JobName={name} UserId=root(0) Priority=4294901754 JobState={state} Reason=None Requeue=1 "
    "Restarts=0 ExitCode={code}:0 RunTime=00:00:01 StartTime={began} EndTime={ended} Deadline=N/A "
    "NodeList=n1 Command=/tmp/the run/scripts/x.sbatch /tmp/the run {offset} WorkDir=/tmp "
    "StdErr=/tmp/the run/logs/{log}.out StdIn=/dev/null StdOut=/tmp/the run/logs/{log}.out Power= "
    "KillOInInvalidDependent=Yes \n"
)


def _line(
    number: str, name: str, state: str, began: str, ended: str, *, array: str = "", offset: int = 0, code: int = 0
) -> str:
    moments = {
        key: at if at == "Unknown" else f"2026-11-21T{at}" for key, at in {"began": began, "ended": ended}.items()
    }
    log = f"{name}.{number}"
    return _LINE.format(id=number, array=array, name=name, state=state, offset=offset, log=log, code=code, **moments)


_SHOWN = {
    "a": _line("1", "a", "FAILED", "09:27:03", "09:27:06", code=3),
    "x": _line("2", "x", "COMPLETED", "09:27:03", "09:27:04"),
    "b2": _line("3", "b {i}", "COMPLETED", "09:27:05", "09:27:06", array="ArrayJobId=3 ArrayTaskId=2 "),
    "b1": _line("9", "b {i}", "FAILED", "09:27:05", "09:27:06", array="ArrayJobId=3 ArrayTaskId=1 ", code=1),
    "b0": _line("8", "b {i}", "COMPLETED", "09:27:04", "09:27:06", array="ArrayJobId=3 ArrayTaskId=0 "),
    "c": _line("4", "c", "COMPLETED", "09:27:06", "09:27:07"),
    "d": _line("5", "d", "CANCELLED", "Unknown", "09:27:07"),
    "e": _line("6", "e", "COMPLETED", "09:27:07", "09:27:07"),
    "f": _line("20", "f", "CANCELLED", "Unknown", "09:27:07", array="ArrayJobId=20 ArrayTaskId=0-1,3 "),
    "f2": _line("22", "f", "CANCELLED", "09:27:07", "09:27:07", array="ArrayJobId=20 ArrayTaskId=2 "),
    "f4": _line("21", "f", "CANCELLED", "Unknown", "09:27:07", array="ArrayJobId=21 ArrayTaskId=0 ", offset=4),
    "pair": _line("19", "pair", "COMPLETED", "09:27:03", "09:27:05"),
    "hook": _line("7", "hook.tasks-complete.1", "COMPLETED", "09:27:07", "09:27:07"),
}
_MARKS = {"a": "failed", "x": "succeeded", "b_i_.0": "succeeded", "b_i_.1": "failed", "b_i_.2": "succeeded"}
_AGAIN = {"a.1.out": 2}


def _history(
    *, without: str = "", marks: dict[str, str] = _MARKS, again: dict[str, int] = _AGAIN, **lines: str
) -> History:
    shown = {**_SHOWN, **lines}
    shown.pop(without, None)
    return history(_SUBMITTED, "".join(shown.values()), marks, again)


def test_a_run_as_predicted_has_no_differences() -> None:
    assert differences(_flow(), _history(), _FACTS) == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"x": _SHOWN["x"].replace("COMPLETED", "FAILED")}, ["`x`: predicted succeeded, was FAILED"]),
        ({"a": _SHOWN["a"].replace("FAILED", "TIMEOUT")}, ["`a`: predicted failed, was TIMEOUT"]),
        ({"b1": _SHOWN["b1"].replace("FAILED", "COMPLETED")}, ["`b {i}[1]`: predicted failed, was COMPLETED"]),
        ({"b1": _SHOWN["b1"].replace("Restarts=0", "Restarts=1")}, ["`b {i}[1]`: Slurm started it again 1 times"]),
        ({"x": _SHOWN["x"].replace("COMPLETED", "RUNNING")}, ["`x`: predicted succeeded, was RUNNING"]),
        ({"again": {}}, ["`a`: predicted 3 attempts, had 1"]),
        ({"marks": {**_MARKS, "x": "skipped"}},
         ["`x`: predicted succeeded, was skipped", "`x`: predicted that it begins, it never began"]),
        ({"d": _line("5", "d", "COMPLETED", "09:27:07", "09:27:07")},
         ["`d`: predicted cancelled, was COMPLETED", "`d`: predicted that it never begins, it began"]),
        ({"f4": _line("21", "f", "CANCELLED", "09:27:07", "09:27:08", array="ArrayJobId=21 ArrayTaskId=0 ", offset=4)},
         ["`f[4]`: predicted that it never begins, it began"]),
        ({"c": _line("4", "c", "COMPLETED", "09:27:05", "09:27:07")},
         ["`c`: began at 09:27:05, has to wait for `a`, which ended at 09:27:06"]),
        ({"e": _line("6", "e", "COMPLETED", "09:27:03", "09:27:07")},
         ["`e`: began at 09:27:03, has to wait for `a`, which ended at 09:27:06"]),
        ({"b0": _SHOWN["b0"].replace("09:27:04", "09:27:03")},
         ["`b {i}[0]`: began at 09:27:03, has to wait for `x`, which ended at 09:27:04"]),
        ({"without": "c"}, ["`c`: predicted succeeded, was not submitted"]),
        ({"without": "hook"}, ["`hook.tasks-complete.1`: predicted that it fires, it did not run"]),
        ({"f4": _SHOWN["f4"].replace(" 4 WorkDir", " 5 WorkDir")},
         ["`f[5]` ran and is no task of `flow`", "`f[4]`: predicted cancelled, was not submitted"]),
    ],
)  # fmt: skip
def test_whatever_differs_is_told(changes: dict[str, str], told: list[str]) -> None:
    assert differences(_flow(), _history(**changes), _FACTS) == told  # type: ignore[arg-type]


def test_facts_that_do_not_hold_show() -> None:
    found = differences(_flow(), _history(), _FACTS[1:])
    assert "`a`: predicted succeeded, was FAILED" in found
    assert "`d`: predicted succeeded, was CANCELLED before it ran" in found


def test_a_failure_edge_that_did_not_happen_is_cancelled_in_slurms_words() -> None:
    workflow = flow(task("a", "true"), task("b", "true", needs=[after("a", Outcome.FAILURE)]))
    shown = _line("1", "a", "COMPLETED", "09:00:00", "09:00:01") + _line("2", "b", "CANCELLED", "09:00:02", "09:00:02")
    found = history("a\t1\ta\nb\t2\tb\n", shown, {"a": "succeeded"}, {})
    assert differences(workflow, found) == []


def test_what_was_not_submitted_has_to_have_a_mark() -> None:
    from pwxc.ir.expr import Binary, Literal, Ref, Root
    from pwxc.ir.inputs import Input

    wanted = Binary("==", Ref(Root.INPUT, ("mode",)), Literal("full"))
    inputs = (Input(name="mode", default="quick", has_default=True),)
    workflow = flow(task("a", "true", condition=wanted), task("b", "true", needs=["a"]), inputs=inputs)
    skipped = {"a": "skipped", "b": "skipped"}
    assert differences(workflow, history("", "", skipped, {})) == []
    assert differences(workflow, history("", "", {"a": "skipped"}, {})) == [
        "`b`: predicted skipped, was not submitted and left no mark"
    ]
    assert "`a`: predicted succeeded, was not submitted" in differences(
        workflow, history("", "", skipped, {}), inputs={"mode": "full"}
    )


def test_a_hopeless_job_need_not_wait_for_the_others() -> None:
    """Slurm cancels `d` as soon as `bad` fails; `e`, which only waits for the end of `d`, is not held up by `slow`."""
    workflow = flow(
        task("bad", "exit 1"),
        task("slow", "sleep 9"),
        task("d", "true", needs=["bad", "slow"]),
        task("e", "true", needs=[after("d")]),
    )
    shown = (
        _line("1", "bad", "FAILED", "09:00:00", "09:00:01") + _line("2", "slow", "COMPLETED", "09:00:00", "09:00:09")
        + _line("3", "d", "CANCELLED", "Unknown", "09:00:01") + _line("4", "e", "COMPLETED", "09:00:02", "09:00:03")
    )  # fmt: skip
    found = history("bad\t1\tbad\nslow\t2\tslow\nd\t3\td\ne\t4\te\n", shown, {}, {})
    assert differences(workflow, found, [Fails("bad"), Takes("slow", 9.0)]) == []


def test_a_job_that_a_condition_at_run_time_skipped() -> None:
    from pwxc.ir.expr import Binary, Literal, Ref, Root

    found = Binary("==", Ref(Root.TASK_OUTPUT, ("probe", "found")), Literal("yes"))
    workflow = flow(task("probe", "true"), task("t", "true", needs=["probe"], condition=found))
    shown = _line("1", "probe", "COMPLETED", "09:00:00", "09:00:01") + _line(
        "2", "t", "COMPLETED", "09:00:01", "09:00:01"
    )
    seen = history("probe\t1\tprobe\nt\t2\tt\n", shown, {"probe": "succeeded", "t": "skipped"}, {})
    assert differences(workflow, seen, [Publishes("probe", "found", "no")]) == []
    assert differences(workflow, seen, [Publishes("probe", "found", "yes")]) == [
        "`t`: predicted succeeded, was skipped",
        "`t`: predicted that it begins, it never began",
    ]
