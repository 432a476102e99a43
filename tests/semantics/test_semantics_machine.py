"""The rules of the reference machine, one table for each; the sections of the references stand with the rules."""

from __future__ import annotations

import time

import pytest

from pwxc.ir.data import File as WorkflowFile
from pwxc.ir.data import NamedFile, Read, TaskOutput, Variable, Write
from pwxc.ir.entity import changed
from pwxc.ir.expr import Binary, Call, Literal, Ref, Root
from pwxc.ir.inputs import Input, InputType
from pwxc.ir.resources import Resources
from pwxc.ir.sweep import Parameter, Range, Sweep, Values
from pwxc.ir.task import (
    ActionCall,
    Command,
    Edge,
    ExitAction,
    ExitRule,
    Gang,
    GangStatus,
    Outcome,
    Publication,
    Retry,
    Script,
    Step,
    Task,
)
from pwxc.ir.template import Template, text
from pwxc.ir.workflow import Hook, RequestAllocation, RunCommands, Trigger, Workflow
from pwxc.semantics.environment import (
    Fact,
    Fails,
    Given,
    Publishes,
    Queues,
    Scenario,
    SiteRetries,
    Stages,
    Takes,
)
from pwxc.semantics.hooks import selected
from pwxc.semantics.machine import execute
from pwxc.semantics.trace import Instance, Part, Trace

OK, END, BAD, START = Outcome.SUCCESS, Outcome.END, Outcome.FAILURE, Outcome.START
NEVER = Literal(False)


def step(command: str = "run", **fields: object) -> Step:
    return Step(work=Script(text(command)), **fields)  # type: ignore[arg-type]


def task(name: str, *needs: Edge | str, **fields: object) -> Task:
    edges = tuple(edge if isinstance(edge, Edge) else Edge(parent=edge) for edge in needs)
    return Task(**{"name": name, "steps": (step(f"run {name}"),), "needs": edges, **fields})  # type: ignore[arg-type]


def edge(parent: str, when: Outcome = OK, **fields: object) -> Edge:
    return Edge(parent=parent, when=when, **fields)  # type: ignore[arg-type]


def flow(*tasks: Task, **fields: object) -> Workflow:
    return Workflow(name="w", tasks=tasks, **fields)  # type: ignore[arg-type]


def run(workflow: Workflow, *facts: Fact) -> Trace:
    return execute(workflow, Scenario(facts))


def states(trace: Trace) -> dict[str, str]:
    return {str(instance): record.state.value for instance, record in trace.instances.items()}


def ended(trace: Trace, name: str) -> float:
    record = trace.instances[Instance(name)]
    assert record.ended is not None
    return record.ended.time


def began(trace: Trace, name: str, index: int | None = None) -> float | None:
    moment = trace.instances[Instance(name, index)].began
    return None if moment is None else moment.time


def texts(trace: Trace, name: str, index: int | None = None) -> list[str]:
    return [ran.text for ran in trace.instances[Instance(name, index)].ran]


LARGE = flow(
    *(task(f"t{at}", *([edge(f"t{at // 2}", list(Outcome)[at % 4])] if at else [])) for at in range(60)),
    task("all", *(f"t{at}" for at in range(60))),
)


# edges: torc.md §16, slurm.md §8, osmo.md §20.6

CHAIN = (task("a"), task("b", "a"), task("c", "b"))
DIAMOND = (task("a"), task("b", "a"), task("c", "a"), task("d", "b", "c"))


@pytest.mark.parametrize(
    ("tasks", "failing", "expected"),
    [
        (CHAIN, None, "succeeded succeeded succeeded"),
        (CHAIN, "a", "failed cancelled cancelled"),
        (CHAIN, "b", "succeeded failed cancelled"),
        (DIAMOND, "a", "failed cancelled cancelled cancelled"),
        (DIAMOND, "b", "succeeded failed succeeded cancelled"),
        ((task("a"), task("b", "a"), task("c", edge("b", END))), "a", "failed cancelled succeeded"),
        ((task("a"), task("b", edge("a", END))), "a", "failed succeeded"),
        ((task("a"), task("b", edge("a", BAD))), "a", "failed succeeded"),
        ((task("a"), task("b", edge("a", BAD))), None, "succeeded skipped"),
        ((task("a"), task("b", edge("a", BAD)), task("c", "b")), None, "succeeded skipped skipped"),
        ((task("a"), task("b", "a"), task("c", edge("b", BAD))), "a", "failed cancelled succeeded"),
        ((task("a"), task("x"), task("b", edge("a", END), edge("x", OK))), "a", "failed succeeded succeeded"),
        ((task("a"), task("x"), task("b", edge("a", OK), edge("x", END))), "a", "failed succeeded cancelled"),
        ((task("a"), task("b", edge("a", START))), "a", "failed succeeded"),
        ((task("a", condition=NEVER), task("b", "a")), None, "skipped skipped"),
        ((task("a", condition=NEVER), task("b", edge("a", END))), None, "skipped succeeded"),
        ((task("a", condition=NEVER), task("b", edge("a", BAD))), None, "skipped skipped"),
        ((task("a", "b"), task("b", "a")), None, "cancelled cancelled"),
        ((task("a", "nobody"),), None, "succeeded"),
    ],
)
def test_edges(tasks: tuple[Task, ...], failing: str | None, expected: str):
    trace = run(flow(*tasks), *([Fails(failing)] if failing else []))
    assert list(states(trace).values()) == expected.split()


@pytest.mark.parametrize(("when", "time_of_b"), [(OK, 5.0), (END, 5.0), (START, 0.0)])
def test_when_a_child_begins(when: Outcome, time_of_b: float):
    assert began(run(flow(task("a"), task("b", edge("a", when))), Takes("a", 5)), "b") == time_of_b


def test_a_delay_counts_from_the_event():
    tasks = (task("a"), task("b", edge("a", START, delay=60)), task("c", edge("a", OK, delay=10)))
    trace = run(flow(*tasks), Takes("a", 5))
    assert (began(trace, "b"), began(trace, "c")) == (60, 15)


def test_the_order_holds_what_ended_before_what_began():
    trace = run(flow(task("a"), task("b", "a"), task("c")), Takes("c", 3))
    assert [tuple(map(str, pair)) for pair in trace.order()] == [("a", "b")]


# conditions: pw.md §11


def status(word: str) -> Ref:
    return Ref(Root.STATUS, (word,))


@pytest.mark.parametrize(
    ("word", "after_success", "after_failure"),
    [
        ("always", "succeeded", "succeeded"),
        ("never", "skipped", "skipped"),
        ("completed", "succeeded", "skipped"),
        ("error", "skipped", "succeeded"),
        ("canceled", "skipped", "skipped"),
    ],
)
def test_status_words_of_a_task(word: str, after_success: str, after_failure: str):
    workflow = flow(task("a"), task("b"), task("c", edge("a", END), edge("b", END), condition=status(word)))
    assert states(run(workflow))["c"] == after_success
    assert states(run(workflow, Fails("b")))["c"] == after_failure


def test_a_condition_over_an_output():
    condition = Binary("<=", Literal(3), Ref(Root.TASK_OUTPUT, ("a", "n")))
    workflow = flow(task("a"), task("b", "a", condition=condition))
    assert states(run(workflow, Publishes("a", "n", 3)))["b"] == "succeeded"
    assert states(run(workflow, Publishes("a", "n", 2)))["b"] == "skipped"
    assert states(run(workflow, Publishes("a", "n", "many")))["b"] == "failed"


def test_a_cancelled_task_publishes_nothing():
    condition = Binary("==", Ref(Root.TASK_OUTPUT, ("b", "n")), Literal(1))
    workflow = flow(task("a"), task("b", "a"), task("c", edge("b", END), condition=condition))
    assert states(run(workflow))["c"] == "succeeded"
    assert states(run(workflow, Fails("a")))["c"] == "skipped"


# steps: pw.md §5, §6, §11


def test_steps_after_a_failure():
    steps = (
        step("one"),
        step("two"),
        step("on error", condition=status("error")),
        step("always", condition=status("always")),
        step("never", condition=status("never")),
    )
    workflow = flow(task("a", steps=steps))
    assert texts(run(workflow), "a") == ["one", "two", "always"]
    trace = run(workflow, Fails("a", codes=(3,)))
    assert texts(trace, "a") == ["one", "on error", "always"]
    assert states(trace)["a"] == "failed"
    assert trace.instances[Instance("a")].reason == "exit code 3"


def test_the_first_code_counts():
    workflow = flow(task("a", steps=(step("one"), step("two", condition=status("always")))))
    trace = run(workflow, Fails("a", step=0, codes=(3,)), Fails("a", step=1, codes=(5,)))
    assert trace.instances[Instance("a")].reason == "exit code 3"


def test_a_task_that_was_stopped_publishes_nothing():
    condition = Binary("==", Ref(Root.TASK_OUTPUT, ("b", "n")), Literal(1))
    stopped = task("b", steps=(step("x", stop_when_another_fails=True),))
    workflow = flow(task("a"), stopped, task("c", edge("b", END), condition=condition))
    assert states(run(workflow, Takes("b", 5), Fails("a")))["c"] == "skipped"
    assert states(run(workflow, Takes("b", 5)))["c"] == "succeeded"


def test_ignored_errors_are_no_errors():
    workflow = flow(task("a", steps=(step("one", ignore_errors=True), step("two"))))
    trace = run(workflow, Fails("a"))
    assert texts(trace, "a") == ["one", "two"]
    assert states(trace) == {"a": "succeeded"}


@pytest.mark.parametrize(
    ("failures", "tries", "state", "lasts"), [(0, 1, "succeeded", 1), (2, 3, "succeeded", 13), (3, 3, "failed", 13)]
)
def test_retries_of_a_step(failures: int, tries: int, state: str, lasts: float):
    workflow = flow(task("a", steps=(step("one", retry=Retry(limit=2, interval=5)),)))
    facts = [Fails("a", codes=(1,) * failures, goes_on=False)] if failures else []
    trace = run(workflow, *facts)
    assert (len(texts(trace, "a")), states(trace)["a"], ended(trace, "a")) == (tries, state, lasts)


def test_an_attempt_that_takes_too_long_is_a_failed_attempt():
    workflow = flow(task("a", steps=(step("one", retry=Retry(limit=1, attempt_timeout=4)),)))
    trace = run(workflow, Takes("a", 10))
    assert [ran.code for ran in trace.instances[Instance("a")].ran] == [124, 124]
    assert (states(trace)["a"], ended(trace, "a")) == ("failed", 8)


def test_a_step_timeout_covers_its_attempts():
    workflow = flow(task("a", steps=(step("one", timeout=5, retry=Retry(limit=9)), step("two"))))
    trace = run(workflow, Takes("a", 2), Fails("a"))
    assert len(texts(trace, "a")) == 3
    assert ended(trace, "a") == 5


def test_each_attempt_sees_its_number():
    work = Script(Template.of("try ", Ref(Root.ATTEMPT)))
    workflow = flow(task("a", steps=(Step(work=work, retry=Retry(limit=2)),)))
    assert texts(run(workflow, Fails("a")), "a") == ["try 0", "try 1", "try 2"]


def test_clean_ups_run_backwards_whatever_the_outcome():
    steps = (
        step("one", cleanup=text("undo one")),
        step("two", cleanup=text("undo two")),
        step("three", cleanup=text("no")),
    )
    workflow = flow(task("a", steps=steps, cleanup=(step("last"),)))
    trace = run(workflow, Fails("a", step=1))
    assert texts(trace, "a") == ["one", "two", "undo two", "undo one", "last"]
    parts = [ran.part for ran in trace.instances[Instance("a")].ran]
    assert parts == [Part.WORK, Part.WORK, Part.CLEANUP, Part.CLEANUP, Part.CLEANUP]


@pytest.mark.parametrize(
    ("first_ends", "expected"),
    [(2.0, ["one", "undo"]), (5.0, ["one", "two", "undo"]), (0.5, ["one", "undo"])],
)
def test_a_step_stops_when_another_task_fails_while_it_runs(first_ends: float, expected: list[str]):
    steps = (step("one", stop_when_another_fails=True, cleanup=text("undo")), step("two"))
    workflow = flow(task("a"), task("b", steps=steps))
    trace = run(workflow, Fails("a"), Takes("a", first_ends), Takes("b", 3))
    assert texts(trace, "b") == expected
    assert states(trace)["b"] == ("cancelled" if first_ends < 3 else "succeeded")


# exit rules: osmo.md §15, torc.md §10


def rule(action: str, *codes: tuple[int, int], limit: int | None = None, recovery: str = "") -> ExitRule:
    retry = Retry(limit=limit) if action == "retry" else None
    return ExitRule(action=ExitAction(action), codes=codes, retry=retry, recovery=text(recovery) if recovery else None)


@pytest.mark.parametrize(
    ("rules", "codes", "state", "attempts"),
    [
        ([], (3,), "failed", 1),
        ([rule("complete", (3, 3))], (3,), "succeeded", 1),
        ([rule("complete", (3, 3))], (4,), "failed", 1),
        ([rule("fail", (0, 0))], (0,), "failed", 1),
        ([rule("fail", (3, 5)), rule("complete", (4, 9))], (4,), "failed", 1),
        ([rule("complete", (4, 9)), rule("fail", (3, 5))], (4,), "succeeded", 1),
        ([rule("retry", limit=2)], (1,), "failed", 3),
        ([rule("retry", limit=2)], (1, 0), "succeeded", 2),
        ([rule("retry", limit=2)], (0,), "succeeded", 1),
        ([rule("retry", (3, 3), limit=1), rule("complete")], (3,), "failed", 2),
        ([rule("retry", (3, 3), limit=2), rule("retry", (4, 4), limit=1)], (3, 4, 3), "failed", 2),
        ([rule("retry", (0, 0), limit=1)], (0,), "succeeded", 2),
    ],
)
def test_exit_rules(rules: list[ExitRule], codes: tuple[int, ...], state: str, attempts: int):
    trace = run(flow(task("a", exit_rules=tuple(rules))), Fails("a", codes=codes))
    record = trace.instances[Instance("a")]
    assert (record.state.value, record.attempts) == (state, attempts)


@pytest.mark.parametrize(("site", "attempts"), [(0, 1), (2, 3)])
def test_a_retry_without_a_number_is_the_sites(site: int, attempts: int):
    trace = run(flow(task("a", exit_rules=(rule("retry"),))), Fails("a"), SiteRetries(site))
    assert trace.instances[Instance("a")].attempts == attempts


def test_a_recovery_runs_before_the_next_attempt():
    trace = run(flow(task("a", exit_rules=(rule("retry", limit=1, recovery="repair"),))), Fails("a"))
    assert texts(trace, "a") == ["run a", "repair", "run a"]


# time limits: osmo.md §20.5, slurm.md §13


@pytest.mark.parametrize(("seconds", "state"), [(9, "succeeded"), (10, "succeeded"), (10.5, "timed out")])
def test_a_time_limit(seconds: float, state: str):
    workflow = flow(task("a", run_timeout=10, exit_rules=(rule("complete"),)), task("b", edge("a", BAD)))
    trace = run(workflow, Takes("a", seconds))
    assert states(trace)["a"] == state
    assert states(trace)["b"] == ("succeeded" if state == "timed out" else "skipped")


@pytest.mark.parametrize(("own", "seconds"), [(None, 8), (5, 5), (20, 8)])
def test_the_time_of_an_allocation_is_a_limit(own: float | None, seconds: float):
    workflow = flow(task("a", resources="r", run_timeout=own), resources=(Resources(name="r", walltime=8),))
    trace = run(workflow, Takes("a", 100))
    assert (states(trace)["a"], ended(trace, "a")) == ("timed out", seconds)


def test_attempts_share_the_time_limit():
    trace = run(flow(task("a", run_timeout=10, exit_rules=(rule("retry", limit=9),))), Takes("a", 4), Fails("a"))
    assert (states(trace)["a"], trace.instances[Instance("a")].attempts, ended(trace, "a")) == ("timed out", 3, 10)


@pytest.mark.parametrize(("waits", "state", "start"), [(60, "succeeded", 60), (61, "timed out", None)])
def test_a_limit_for_the_queue(waits: float, state: str, start: float | None):
    trace = run(flow(task("a", queue_timeout=60, run_timeout=5)), Queues("a", waits))
    assert (states(trace)["a"], began(trace, "a")) == (state, start)


def test_the_run_has_a_limit():
    trace = run(flow(task("a"), task("b", "a"), task("c", edge("b", END)), timeout=5), Takes("b", 9))
    assert states(trace) == {"a": "succeeded", "b": "cancelled", "c": "cancelled"}
    assert ended(trace, "b") == 5
    just = run(flow(task("a"), task("b", "a"), timeout=5), Takes("a", 5))
    assert states(just) == {"a": "succeeded", "b": "cancelled"}


# sweeps: pw.md §6, torc.md §13.2, slurm.md §8 and §9

THREE = Sweep(parameters=(Parameter(name="i", values=Range(1, 3)),))
PAIRS = Sweep(parameters=(Parameter(name="i", values=Range(1, 2)), Parameter(name="v", values=Values(["x", "y"]))))


def swept(name: str, *needs: Edge | str, sweep: Sweep = THREE, **fields: object) -> Task:
    holes = [part for each in sweep.parameters for part in (" ", Ref(Root.SWEEP, (each.name,)))]
    work = Script(Template.of(name, *holes))
    return task(name, *needs, steps=(Step(work=work),), sweep=sweep, **fields)


def test_each_instance_has_its_values():
    trace = run(flow(swept("a", sweep=PAIRS)))
    assert [texts(trace, "a", index) for index in range(4)] == [["a 1 x"], ["a 1 y"], ["a 2 x"], ["a 2 y"]]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, "cancelled cancelled cancelled"),
        ({"same_instance": True}, "succeeded cancelled succeeded"),
        ({"any_instance": True}, "succeeded succeeded succeeded"),
    ],
)
def test_edges_between_sweeps(fields: dict[str, bool], expected: str):
    workflow = flow(swept("a"), swept("b", edge("a", **fields)))
    trace = run(workflow, Fails("a", 1), Takes("a", 0.5, 0))
    assert [record.state.value for record in trace.of("b")] == expected.split()


def test_a_pair_does_not_wait_for_other_pairs():
    trace = run(flow(swept("a"), swept("b", edge("a", same_instance=True))), Takes("a", 50, 1))
    assert [began(trace, "b", index) for index in range(3)] == [1, 50, 1]


def test_instances_belong_together_by_values_if_the_child_has_them():
    other = Sweep(parameters=(Parameter(name="v", values=Values(["x", "y"])), Parameter(name="i", values=Range(1, 3))))
    trace = run(flow(swept("a"), swept("b", edge("a", same_instance=True), sweep=other)), Fails("a", 1))
    expected = "succeeded cancelled succeeded succeeded cancelled succeeded"
    assert [record.state.value for record in trace.of("b")] == expected.split()


def test_an_instance_without_a_partner_waits_for_the_end_of_all():
    five = Sweep(parameters=(Parameter(name="n", values=Range(1, 5)),))
    trace = run(
        flow(swept("a"), swept("b", edge("a", same_instance=True), sweep=five)), Fails("a", 0), Takes("a", 9, 2)
    )
    assert [record.state.value for record in trace.of("b")] == [
        "cancelled",
        "succeeded",
        "succeeded",
        "succeeded",
        "succeeded",
    ]
    assert [began(trace, "b", index) for index in (1, 2, 3, 4)] == [1, 9, 9, 9]


def test_the_first_end_counts_for_any():
    trace = run(flow(swept("a"), task("b", edge("a", any_instance=True))), Takes("a", 7, 0), Takes("a", 5, 2))
    assert began(trace, "b") == 1


def test_of_several_first_ends_the_lowest_number_counts():
    workflow = flow(swept("a"), task("b", edge("a", any_instance=True)))
    assert states(run(workflow, Fails("a", 1)))["b"] == "succeeded"
    assert states(run(workflow, Fails("a", 0)))["b"] == "cancelled"


def test_only_some_run_at_a_time():
    trace = run(flow(swept("a", sweep=changed(THREE, limit=2))), Takes("a", 4, 0))
    assert [began(trace, "a", index) for index in range(3)] == [0, 0, 1]


@pytest.mark.parametrize(
    ("fails_fast", "expected"), [(True, "failed cancelled cancelled"), (False, "failed succeeded succeeded")]
)
def test_failing_fast(fails_fast: bool, expected: str):
    sweep = changed(THREE, fail_fast=fails_fast, limit=2)
    trace = run(flow(swept("a", sweep=sweep)), Fails("a", 0), Takes("a", 5, 1))
    assert [record.state.value for record in trace.of("a")] == expected.split()


def test_a_sweep_without_values_has_ended_well():
    nothing = Sweep(parameters=(Parameter(name="i", values=Range(2, 1)),))
    assert states(run(flow(swept("a", sweep=nothing), task("b", "a"), task("c", edge("a", BAD))))) == {
        "b": "succeeded",
        "c": "skipped",
    }


def test_of_a_large_sweep_some_are_enough():
    million = Sweep(parameters=(Parameter(name="i", values=Range(1, 1_000_000)),))
    trace = execute(flow(swept("a", sweep=million), swept("b", edge("a", same_instance=True), sweep=million)), most=3)
    assert [texts(trace, "b", index) for index in (0, 1, 999_999)] == [["b 1"], ["b 2"], ["b 1000000"]]


# gangs: osmo.md §20.2 to §20.5


def gang(status: GangStatus = GangStatus.LEAD, lead: str = "a", **fields: object) -> Workflow:
    made = Gang(name="g", members=("a", "b"), lead=lead, status=status, **fields)  # type: ignore[arg-type]
    rules = (rule("retry", (9, 9), limit=1),)
    tasks = (task("a", exit_rules=rules), task("b", exit_rules=rules), task("after", "g"))
    return flow(*tasks, gangs=(made,))


ALL, LEAD = GangStatus.ALL, GangStatus.LEAD


@pytest.mark.parametrize(
    ("status", "facts", "expected"),
    [
        (LEAD, [], "succeeded succeeded succeeded succeeded"),
        (LEAD, [Takes("b", 9)], "succeeded succeeded succeeded succeeded"),
        (LEAD, [Takes("a", 9), Fails("b")], "succeeded failed succeeded succeeded"),
        (LEAD, [Fails("a"), Takes("b", 9)], "failed failed failed cancelled"),
        (ALL, [Takes("a", 9), Fails("b")], "failed failed failed cancelled"),
        (ALL, [Takes("a", 9)], "succeeded succeeded succeeded succeeded"),
        (ALL, [Fails("a"), Takes("b", 9)], "failed failed failed cancelled"),
        (ALL, [Takes("b", 9)], "succeeded succeeded succeeded succeeded"),
        (ALL, [Fails("b")], "succeeded failed failed cancelled"),
    ],
)
def test_how_members_share_a_fate(status: GangStatus, facts: list[Fact], expected: str):
    trace = run(gang(status), *facts)
    assert [*[*states(trace).values()][:2], trace.units["g"].value, states(trace)["after"]] == expected.split()


def test_the_lead_may_be_any_member():
    trace = run(gang(lead="b"), Takes("a", 50))
    assert ended(trace, "a") == 1
    assert states(run(gang(lead="b"), Fails("a")))["after"] == "succeeded"
    assert states(run(gang(lead="b"), Fails("b")))["after"] == "cancelled"


@pytest.mark.parametrize(
    ("status", "again", "attempts"), [(LEAD, "a", (2, 2)), (LEAD, "b", (1, 2)), (ALL, "a", (2, 2)), (ALL, "b", (2, 2))]
)
def test_who_begins_again_with_a_member(status: GangStatus, again: str, attempts: tuple[int, int]):
    other = "b" if again == "a" else "a"
    trace = run(gang(status), Fails(again, codes=(9,), goes_on=False), Takes(again, 1), Takes(other, 5))
    assert tuple(trace.instances[Instance(name)].attempts for name in "ab") == attempts


@pytest.mark.parametrize(("barrier", "seconds"), [(True, 8), (False, 1)])
def test_a_barrier_waits_for_everybodys_data(barrier: bool, seconds: float):
    trace = run(gang(barrier=barrier), Stages("b", 7))
    assert began(trace, "a") == began(trace, "b") == 0
    assert ended(trace, "a") == seconds


def test_members_start_when_there_is_room_for_all():
    trace = run(gang(), Queues("b", 30))
    assert began(trace, "a") == began(trace, "b") == 30


def test_a_gang_has_one_time_limit():
    trace = run(gang(run_timeout=5), Takes("a", 9), Takes("b", 9))
    assert states(trace) == {"a": "timed out", "b": "timed out", "after": "cancelled"}


# hooks: torc.md §9


def hook(trigger: Trigger, *tasks: str, **fields: object) -> Hook:
    return Hook(trigger=trigger, action=RunCommands((text(trigger.value),)), tasks=tasks, **fields)  # type: ignore[arg-type]


def test_when_hooks_fire():
    hooks = (
        hook(Trigger.WORKFLOW_COMPLETE),
        hook(Trigger.WORKFLOW_START),
        hook(Trigger.TASKS_READY, "b"),
        hook(Trigger.TASKS_COMPLETE, "a", patterns=("^b",)),
        hook(Trigger.TASKS_COMPLETE),
    )
    trace = run(flow(task("a"), task("b", "a"), task("c", "b"), hooks=hooks), Takes("a", 4))
    assert [(fired.actions[0], fired.at.time) for fired in trace.hooks] == [
        ("workflow-start", 0),
        ("tasks-ready", 4),
        ("tasks-complete", 5),
        ("workflow-complete", 6),
    ]


def test_a_hook_counts_ends_of_any_kind_and_no_start_that_never_was():
    hooks = (hook(Trigger.TASKS_READY, "b"), hook(Trigger.TASKS_COMPLETE, "b"))
    trace = run(flow(task("a"), task("b", "a"), hooks=hooks), Fails("a"))
    assert [fired.hook for fired in trace.hooks] == [1]


def test_patterns_look_anywhere_in_a_name_and_bad_ones_nowhere():
    workflow = flow(task("a"), task("rework_10"), task("work_2"))
    found = selected(hook(Trigger.TASKS_READY, "a", patterns=("work_1", "(")), workflow)
    assert found == ["a", "rework_10"]


def test_a_hook_over_a_sweep_waits_for_all_instances():
    trace = run(flow(swept("a"), hooks=(hook(Trigger.TASKS_COMPLETE, "a"),)), Takes("a", 9, 1))
    assert [fired.at.time for fired in trace.hooks] == [9]


def test_a_hook_may_ask_for_nodes():
    request = Hook(trigger=Trigger.WORKFLOW_START, action=RequestAllocation(allocation="big", count=2))
    assert "2" in run(flow(task("a"), hooks=(request,))).hooks[0].actions[0]


# references: `Root`


def resolved(*parts: object, task_fields: dict[str, object] | None = None, **fields: object) -> str:
    work = Script(Template.of(*parts))  # type: ignore[arg-type]
    workflow = flow(task("up"), task("a", "up", **{"steps": (Step(work=work),), **(task_fields or {})}), **fields)
    return run(workflow, Publishes("up", "n", 5)).instances[Instance("a")].ran[0].text


NUMBER = Input(name="n", type=InputType.INTEGER, default=7, has_default=True)
GROUP = Input(name="g", type=InputType.GROUP, items=(NUMBER,))
COPY = Input(name="copy", default=Template.of("x", Ref(Root.INPUT, ("n",))), has_default=True)


@pytest.mark.parametrize(
    ("part", "fields", "expected"),
    [
        (Ref(Root.INPUT, ("n",)), {"inputs": (NUMBER,)}, "7"),
        (Ref(Root.INPUT, ("g", "n")), {"inputs": (GROUP,)}, "7"),
        (Ref(Root.INPUT, ("copy",)), {"inputs": (NUMBER, COPY)}, "x7"),
        (Ref(Root.INPUT, ("site", "ip")), {"inputs": (Input(name="site", type=InputType.CLUSTER),)}, "<input site.ip>"),
        (Ref(Root.INPUT, ("n",)), {"inputs": (changed(NUMBER, ignored=True),)}, ""),
        (Ref(Root.TASK_OUTPUT, ("up", "n")), {}, "5"),
        (Ref(Root.TASK_OUTPUT, ("up", "nothing", "n")), {}, ""),
        (Ref(Root.OUTPUT_FOLDER), {}, "<output-folder a>"),
        (Ref(Root.OUTPUT_FOLDER, ("up",)), {}, "<output-folder up>"),
        (Ref(Root.HOST, ("up",)), {}, "<host up>"),
        (Ref(Root.RUN_ID), {}, "<run-id>"),
        (Ref(Root.FILE, ("f",)), {"files": (WorkflowFile(name="f", path=text("/data/f")),)}, "/data/f"),
        (
            Ref(Root.READ_FOLDER, ("0",)),
            {"task_fields": {"reads": (Read(name="0", origin=TaskOutput("up")),)}},
            "<read <output-folder up>>",
        ),
        (
            Ref(Root.ENVIRONMENT, ("V",)),
            {"task_fields": {"environment": (Variable(name="V", value=text("5")),)}},
            "5",
        ),
        (Call("format", (Literal(5), Literal("03d"))), {}, "005"),
        (Literal(0.00001), {}, "0.00001"),
        (Binary("/", Literal(1), Literal(0)), {}, "<fault: `/` divides by zero>"),
    ],
)
def test_references(part: object, fields: dict[str, object], expected: str):
    assert resolved(part, **fields) == expected


def test_what_a_person_enters_wins():
    workflow = flow(task("a", steps=(Step(work=Script(Template.of(Ref(Root.INPUT, ("g", "n"))))),)), inputs=(GROUP,))
    assert texts(run(workflow, Given(("g", "n"), 9)), "a") == ["9"]


def test_a_declared_output_selects_one_of_a_step():
    own = Ref(Root.TASK_OUTPUT, ("up", "s", "raw"))
    up = task("up", steps=(step("x", id="s"),), outputs=(Publication("n", own),))
    work = Script(Template.of(Ref(Root.TASK_OUTPUT, ("up", "n"))))
    workflow = flow(up, task("a", "up", steps=(Step(work=work),)))
    assert texts(run(workflow, Publishes("up", "raw", "r"), Publishes("up", "n", "n")), "a") == ["r"]


def test_commands_and_calls_are_text():
    call = ActionCall("site/copy", {"to": Template.of("x", Literal(1)), "deep": [{"a": True}]})
    steps = (Step(work=Command((text("echo"), text("a b")))), Step(work=call))
    expected = ["echo 'a b'", 'uses site/copy {"deep": [{"a": true}], "to": "x1"}']
    assert texts(run(flow(task("a", steps=steps))), "a") == expected


def test_variables_of_a_step_win():
    def variable(name: str, value: str) -> Variable:
        return Variable(name=name, value=text(value))

    workflow = flow(
        task(
            "a",
            steps=(step("x", environment=(variable("A", "step"),)),),
            environment=(variable("A", "task"), variable("B", "task")),
        ),
        environment=(variable("B", "workflow"), variable("C", "workflow")),
    )
    ran = run(workflow).instances[Instance("a")].ran[0]
    assert dict(ran.environment) == {"A": "step", "B": "task", "C": "workflow"}


def test_data_that_moves_is_told():
    fields = {
        "reads": (Read(name="0", origin=TaskOutput("up"), pattern="x"),),
        "writes": (Write(destination=NamedFile("f")),),
    }
    workflow = flow(task("up"), task("a", "up", **fields), files=(WorkflowFile(name="f", path=text("/f")),))
    assert run(workflow).instances[Instance("a")].moved == ("reads <output-folder up> matching x", "writes file /f")


def test_ten_thousand_instances_take_less_than_two_seconds():
    many = Sweep(parameters=(Parameter(name="i", values=Range(1, 5000)),))
    workflow = flow(
        swept("a", sweep=changed(many, limit=100)),
        swept("b", edge("a", same_instance=True), sweep=many),
        task("c", "b"),
    )
    start = time.process_time()
    trace = run(workflow)
    assert time.process_time() - start < 2
    assert len(trace.instances) == 10_001
