"""Faults of the reference machine that the witnesses (tests/witnesses) found, each with its smallest example."""

from __future__ import annotations

import pytest
from test_semantics_machine import edge, ended, flow, rule, run, states, status, step, task, texts

from pwxc.ir.data import Checkpoint, Variable
from pwxc.ir.expr import Binary, Literal, Ref, Root
from pwxc.ir.sweep import Parameter, Sweep, Values
from pwxc.ir.task import Gang, GangStatus, Publication, Retry, Script, Step
from pwxc.ir.template import Template, text
from pwxc.semantics.environment import Fails, SiteRetries, Stages, Takes
from pwxc.semantics.trace import Instance

ONCE = {"codes": (1,), "goes_on": False}


def shows(root: Root, *path: str) -> Template:
    return Template.of("see ", Ref(root, path))


def sweep(*values: int, limit: int | None = None, fail_fast: bool = True) -> Sweep:
    return Sweep(parameters=(Parameter(name="v", values=Values(values)),), limit=limit, fail_fast=fail_fast)


# stopping: pw.md §5, §11


def test_a_step_that_was_stopped_has_not_failed():
    steps = (
        step("one", stop_when_another_fails=True),
        step("on error", condition=status("error")),
        step("on cancel", condition=status("canceled")),
    )
    trace = run(flow(task("a"), task("b", steps=steps)), Fails("a"), Takes("b", 5))
    assert texts(trace, "b") == ["one", "on cancel"]
    assert states(trace)["b"] == "cancelled"


def test_a_step_is_stopped_between_two_attempts():
    steps = (step("one", stop_when_another_fails=True, retry=Retry(limit=1, interval=60)), step("two"))
    trace = run(flow(task("a"), task("b", steps=steps)), Fails("a"), Takes("a", 9), Fails("b", **ONCE))
    assert (texts(trace, "b"), states(trace)["b"], ended(trace, "b")) == (["one"], "cancelled", 9)


def test_a_task_whose_time_is_up_fails_before_others_begin():
    stopping = (step("x", stop_when_another_fails=True),)
    late = task("late", steps=(step("one"), step("two")), run_timeout=1)
    trace = run(flow(late, task("a", steps=stopping, sweep=sweep(1, 2, limit=1))))
    assert states(trace) == {"late": "timed out", "a[0]": "succeeded", "a[1]": "succeeded"}


@pytest.mark.parametrize(("interval", "tries", "ends"), [(3, 2, 5), (10, 1, 5)])
def test_the_limit_of_a_step_covers_the_waits_between_attempts(interval: float, tries: int, ends: float):
    steps = (step("one", timeout=5, retry=Retry(limit=9, interval=interval)),)
    trace = run(flow(task("a", steps=steps)), Fails("a"))
    assert (len(texts(trace, "a")), ended(trace, "a")) == (tries, ends)


# sweeps: pw.md §6


def test_failing_fast_comes_before_the_next_instance():
    trace = run(flow(task("a", sweep=sweep(1, 2, limit=1))), Fails("a", 0))
    assert [record.attempts for record in trace.of("a")] == [1, 0]


def test_of_first_ends_that_began_to_wait_at_different_times_the_lowest_number_counts():
    first = step("one", condition=Binary("==", Ref(Root.SWEEP, ("v",)), Literal(0)))
    swept = task("a", steps=(first, step("two")), sweep=sweep(0, 1, fail_fast=False))
    workflow = flow(swept, task("b", edge("a", any_instance=True)))
    facts = [Fails("a", 0, step=1), Takes("a", 1, 0), Takes("a", 2, 1)]
    assert states(run(workflow, *facts)) == {"a[0]": "failed", "a[1]": "succeeded", "b": "cancelled"}


# values: pw.md §10.3, osmo.md §11


def test_a_variable_may_name_one_of_an_outer_level_or_an_earlier_one_of_its_own():
    own = (Variable(name="B", value=shows(Root.ENVIRONMENT, "A")), Variable(name="A", value=text("1")))
    inner = (Variable(name="A", value=shows(Root.ENVIRONMENT, "A")),)
    workflow = flow(task("a", environment=own, steps=(step("x"), step("y", environment=inner))))
    seen = [dict(ran.environment) for ran in run(workflow).instances[Instance("a")].ran]
    assert seen == [{"A": "1", "B": "see 1"}, {"A": "see 1", "B": "see 1"}]


def test_conditions_and_clean_ups_see_the_variables_of_their_own_level():
    is_set = Binary("==", Ref(Root.ENVIRONMENT, ("A",)), Literal("1"))
    variable = (Variable(name="A", value=text("1")),)
    other = (Variable(name="A", value=text("2")),)
    steps = (
        step("x", condition=is_set, environment=variable, cleanup=shows(Root.ENVIRONMENT, "A")),
        step("y", environment=other),
        step("z", condition=is_set),
    )
    workflow = flow(task("a", condition=is_set, environment=variable, steps=steps))
    assert texts(run(workflow), "a") == ["x", "y", "z", "see 1"]


def test_the_number_of_the_attempt_is_that_of_the_own_step():
    steps = (step("x", retry=Retry(limit=1)), Step(work=Script(shows(Root.ATTEMPT))))
    assert texts(run(flow(task("a", steps=steps)), Fails("a", **ONCE)), "a")[-1] == "see 0"


def test_a_cancelled_tasks_clean_up_reads_what_its_own_steps_published():
    steps = (step("x", id="s"), step("y", stop_when_another_fails=True, cleanup=shows(Root.TASK_OUTPUT, "b", "s", "k")))
    reader = Publication("k", Ref(Root.TASK_OUTPUT, ("b", "s", "k")))
    workflow = flow(task("a"), task("b", steps=steps, outputs=(reader,)))
    trace = run(workflow, Fails("a"), Takes("a", 1.5))
    assert (states(trace)["b"], texts(trace, "b")[-1]) == ("cancelled", "see 1")


def test_the_time_between_uploads_is_worked_out():
    point = Checkpoint(path=text("/w"), url=text("s3://b/x"), interval=Ref(Root.TASK_OUTPUT, ("a", "n")))
    record = run(flow(task("a"), task("b", "a", checkpoints=(point,)))).instances[Instance("b")]
    assert record.moved == ("copies /w to s3://b/x every 1 s",)


# gangs: osmo.md §20.4


@pytest.mark.parametrize(
    ("who", "facts", "attempts"),
    [
        ("ab", [], [2, 2, 2]),  # two that begin again at one time do so once, and so do those that follow them
        ("a", [Stages("c", 1.5)], [2, 2, 1]),  # what waits for its data goes on waiting
        ("b", [Takes("a", 1)], [1, 2, 1]),  # the lead's end ends the gang: nobody follows any more
    ],
)
def test_members_that_begin_again(who: str, facts: list[Fails | Takes | Stages], attempts: list[int]):
    again = (rule("retry"),)
    members = (task("a", exit_rules=again), task("b", exit_rules=again), task("c"))
    gang = Gang(name="g", members=("a", "b", "c"), lead="a", barrier=False, status=GangStatus.ALL)
    failing = [fact for each in who for fact in (Fails(each, **ONCE), Takes(each, 1))]
    long = [Takes("a", 9), Takes("b", 9), Takes("c", 9)]
    trace = run(flow(*members, gangs=(gang,)), *long, *failing, *facts, SiteRetries(1))
    assert [record.attempts for record in trace.instances.values()] == attempts
    assert {*states(trace).values()} == {"succeeded"}
