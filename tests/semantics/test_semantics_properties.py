"""Laws that hold for every workflow in every environment, each checked from the trace and the workflow alone."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from pwxc.ir.entity import changed
from pwxc.ir.resources import Placement, Resources
from pwxc.ir.task import Edge, ExitAction, Outcome, Task
from pwxc.ir.template import text
from pwxc.ir.workflow import Workflow, gang_of, units
from pwxc.semantics.environment import Fails, Publishes, Queues, Scenario, Takes
from pwxc.semantics.equivalence import Effort, equivalent
from pwxc.semantics.machine import execute
from pwxc.semantics.renaming import rename
from pwxc.semantics.trace import Instance, Record, State, Trace
from tests.semantics.workflow_parts import EVERYTHING, Feature
from tests.semantics.workflow_strategies import scenarios, workflows

FEW = settings(max_examples=25, deadline=None)
BRIEF = Effort(environments=60, runs=2_000)
SIMPLE = {Feature.OUTCOMES}


@st.composite
def runs(draw: st.DrawFn, features: Collection[Feature] = EVERYTHING) -> tuple[Workflow, Scenario, Trace]:
    workflow = draw(workflows(features))
    scenario = draw(scenarios(workflow))
    return workflow, scenario, execute(workflow, scenario)


def records_of(unit: str, workflow: Workflow, trace: Trace) -> list[Record]:
    gang = next((gang for gang in workflow.gangs if gang.name == unit), None)
    return [record for name in (gang.members if gang else (unit,)) for record in trace.of(name)]


def a_second_run_is_the_same(workflow: Workflow, scenario: Scenario, trace: Trace):
    assert execute(workflow, scenario) == trace


@FEW
@given(runs(), st.randoms(use_true_random=False))
def test_the_order_in_the_file_has_no_meaning(run: tuple[Workflow, Scenario, Trace], source: random.Random):
    workflow, scenario, trace = run
    tasks, gangs = list(workflow.tasks), list(workflow.gangs)
    source.shuffle(tasks)
    source.shuffle(gangs)
    other = execute(changed(workflow, tasks=tuple(tasks), gangs=tuple(gangs)), scenario)
    assert other.instances == trace.instances
    assert other.units == trace.units


def renamed_scenario(scenario: Scenario, names: dict[str, str]) -> Scenario:
    facts = [
        attrs.evolve(fact, task=names.get(fact.task, fact.task))
        if isinstance(fact, Fails | Takes | Queues | Publishes)
        else fact
        for fact in scenario.facts
    ]
    return Scenario(facts)


def without_reason(record: Record) -> Record:
    """Reasons are for people and name tasks."""
    return attrs.evolve(record, reason="")


@FEW
@given(runs(EVERYTHING - {Feature.DATA}))
def test_renaming_and_running_commute(run: tuple[Workflow, Scenario, Trace]):
    """But for the folders of tasks, which are shown by their names."""
    workflow, scenario, trace = run
    count = len(workflow.tasks)
    names = {f"t{at}": f"t{(at + 1) % count}" for at in range(count)} | {"g0": "t0-gang"}
    other = execute(rename(workflow, names), renamed_scenario(scenario, names))
    assert {
        Instance(names.get(instance.task, instance.task), instance.index): without_reason(record)
        for instance, record in trace.instances.items()
    } == {instance: without_reason(record) for instance, record in other.instances.items()}
    assert [hook.actions for hook in trace.hooks] == [hook.actions for hook in other.hooks]


@FEW
@given(workflows(EVERYTHING - {Feature.HOOKS}))
def test_renaming_back_gives_the_same_workflow(workflow: Workflow):
    names = {task.name: f"other {task.name}" for task in workflow.tasks}
    assert rename(rename(workflow, names), {after: before for before, after in names.items()}) == workflow


def what_ran_had_what_it_waits_for(workflow: Workflow, scenario: Scenario, trace: Trace):
    for unit in units(workflow):
        for edge in unit.needs:
            if edge.same_instance or edge.any_instance:
                continue
            parents = records_of(edge.parent, workflow, trace)
            for record in records_of(unit.name, workflow, trace):
                if record.began is not None:
                    check_edge(edge, parents, record, is_gang=edge.parent.startswith("g"))


def check_edge(edge: Edge, parents: list[Record], record: Record, *, is_gang: bool):
    assert record.began is not None
    if edge.when is Outcome.START:
        assert all((parent.began or parent.ended) <= record.began for parent in parents)
        return
    assert all(parent.ended is not None and parent.ended < record.began for parent in parents)
    if is_gang:  # whose status counts depends on the gang
        return
    if edge.when is Outcome.SUCCESS:
        assert {parent.state for parent in parents} <= {State.SUCCEEDED}
    if edge.when is Outcome.FAILURE:
        assert {parent.state for parent in parents} & {State.FAILED, State.CANCELLED, State.TIMED_OUT}


def what_did_not_run_says_why(workflow: Workflow, scenario: Scenario, trace: Trace):
    for record in trace.instances.values():
        assert record.ended is not None
        if record.began is None:
            assert record.state is not State.SUCCEEDED
            assert record.reason
            assert record.ran == ()
            assert record.attempts == 0


def no_more_instances_run_than_may(workflow: Workflow, scenario: Scenario, trace: Trace):
    for task in workflow.tasks:
        if task.sweep is None or task.sweep.limit is None or task.queue_timeout is not None:
            continue
        ran = [record for record in trace.of(task.name) if record.began is not None]
        for record in ran:
            running = [other for other in ran if other.began <= record.began < other.ended]
            assert len(running) <= task.sweep.limit


def attempts_stay_within_the_limits(workflow: Workflow, scenario: Scenario, trace: Trace):
    gangs = gang_of(workflow)
    for task in workflow.tasks:
        if task.name in gangs:  # others may make it begin again
            continue
        limits = [rule.retry.limit for rule in task.exit_rules if rule.action is ExitAction.RETRY and rule.retry]
        for record in trace.of(task.name):
            assert record.attempts <= 1 + max(limits, default=0)


def members_of_a_gang_begin_together(workflow: Workflow, scenario: Scenario, trace: Trace):
    for gang in workflow.gangs:
        assert len({record.began for name in gang.members for record in trace.of(name)}) == 1


def a_time_limit_is_a_limit(workflow: Workflow, scenario: Scenario, trace: Trace):
    for task in workflow.tasks:
        for record in trace.of(task.name) if task.run_timeout is not None else ():
            if record.began is not None and record.ended is not None:
                assert record.ended.time - record.began.time <= task.run_timeout


LAWS = [
    what_ran_had_what_it_waits_for,
    what_did_not_run_says_why,
    no_more_instances_run_than_may,
    attempts_stay_within_the_limits,
    members_of_a_gang_begin_together,
    a_time_limit_is_a_limit,
    a_second_run_is_the_same,
]


@settings(max_examples=50, deadline=None)
@given(runs())
def test_the_laws_of_runs(run: tuple[Workflow, Scenario, Trace]):
    for law in LAWS:
        law(*run)


def test_another_hash_seed_changes_nothing():
    """Sets and maps are filled in another order then."""
    root = Path(__file__).parents[2]
    program = (
        "from test_semantics_machine import LARGE; from pwxc.semantics.machine import execute; print(execute(LARGE))"
    )
    shown = set()
    for seed in ("1", "2"):
        paths = os.pathsep.join([str(root), str(Path(__file__).parent)])
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": paths}
        shown.add(
            subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, check=True).stdout
        )
    assert len(shown) == 1


# equivalence


@settings(max_examples=30, deadline=None)
@given(workflows(), st.randoms(use_true_random=False))
def test_a_workflow_is_equivalent_to_itself_in_another_order_and_under_other_names(
    workflow: Workflow, source: random.Random
):
    tasks = list(workflow.tasks)
    source.shuffle(tasks)
    names = {task.name: f"job {task.name}" for task in tasks} | {
        gang.name: f"all {gang.name}" for gang in workflow.gangs
    }
    other = rename(changed(workflow, tasks=tuple(tasks)), names)
    assert equivalent(workflow, other, names, BRIEF).proved


@settings(max_examples=15, deadline=None)
@given(workflows())
def test_without_the_normal_form_no_environment_tells_a_workflow_from_itself(workflow: Workflow):
    """An edge from nowhere has no effect, and keeps the normal forms apart."""
    tasks = [changed(task, needs=(*task.needs, Edge(parent="nobody"))) for task in workflow.tasks]
    verdict = equivalent(workflow, changed(workflow, tasks=tuple(tasks)), effort=BRIEF)
    assert verdict.equal, verdict.story


@st.composite
def cosmetics(draw: st.DrawFn, workflow: Workflow) -> Workflow:
    """Change what a person sees, where tasks run, and the order of what has none."""
    tasks = [
        changed(
            task,
            priority=draw(st.none() | st.integers(0, 9)),
            resources=draw(st.none() | st.just("big")),
            placement=draw(st.none() | st.just(Placement(scheduled=True))),
            needs=tuple(draw(st.permutations(task.needs))),
            environment=tuple(draw(st.permutations(task.environment))),
            steps=tuple(changed(step, name=draw(st.none() | st.just(text("named")))) for step in task.steps),
        )
        for task in workflow.tasks
    ]
    return changed(
        workflow,
        name=draw(st.sampled_from(["generated", "other"])),
        tasks=tuple(draw(st.permutations(tasks))),
        gangs=tuple(changed(gang, members=tuple(draw(st.permutations(gang.members)))) for gang in workflow.gangs),
        inputs=tuple(changed(given, label=draw(st.sampled_from(["", "Label"]))) for given in workflow.inputs),
        resources=(Resources(name="big", cpus=64),),
    )


@FEW
@given(st.data())
def test_what_cannot_affect_a_run_is_not_in_the_normal_form(data: st.DataObject):
    workflow = data.draw(workflows(EVERYTHING - {Feature.RESOURCES}))  # these have a time limit, which counts
    other = data.draw(cosmetics(workflow))
    assert equivalent(workflow, other).proved
    scenario = data.draw(scenarios(workflow))
    traces = [execute(each, scenario).instances for each in (workflow, other)]
    assert [{instance: without_reason(record) for instance, record in trace.items()} for trace in traces[:1]] == [
        {instance: without_reason(record) for instance, record in trace.items()} for trace in traces[1:]
    ]


def chain(workflow: Workflow) -> list[Task]:
    """Tasks with one parent each, which makes every edge count."""
    return [changed(task, needs=task.needs[:1]) for task in workflow.tasks]


@settings(max_examples=30, deadline=None)
@given(workflows(SIMPLE, most=5), st.data())
def test_a_changed_edge_is_found(workflow: Workflow, data: st.DataObject):
    tasks = [
        changed(task, needs=tuple(changed(edge, when=Outcome.SUCCESS) for edge in task.needs))
        for task in chain(workflow)
    ]
    places = [at for at, task in enumerate(tasks) if task.needs]
    if not places:
        return
    at = data.draw(st.sampled_from(places))
    change = data.draw(st.sampled_from([None, Outcome.END, Outcome.FAILURE, Outcome.START]))
    needs = () if change is None else (changed(tasks[at].needs[0], when=change),)
    broken = [*tasks[:at], changed(tasks[at], needs=needs), *tasks[at + 1 :]]
    before, after = (changed(workflow, tasks=tuple(each)) for each in (tasks, broken))
    assert not equivalent(before, after, effort=BRIEF)
    assert not equivalent(after, before, effort=BRIEF)


@settings(max_examples=30, deadline=None)
@given(workflows({Feature.STEPS, Feature.EXIT_RULES}, most=3), st.data())
def test_a_lost_retry_of_a_first_step_is_found(workflow: Workflow, data: st.DataObject):
    tasks = [changed(task, needs=(), exit_rules=()) for task in workflow.tasks]
    places = [
        at
        for at, task in enumerate(tasks)
        if task.steps[0].retry and task.steps[0].condition is None and task.steps[0].timeout is None
    ]
    if not places:
        return
    at = data.draw(st.sampled_from(places))
    first = changed(tasks[at].steps[0], retry=None)
    broken = [*tasks[:at], changed(tasks[at], steps=(first, *tasks[at].steps[1:])), *tasks[at + 1 :]]
    verdict = equivalent(changed(workflow, tasks=tuple(tasks)), changed(workflow, tasks=tuple(broken)), effort=BRIEF)
    assert not verdict
    assert len(verdict.facts) == 1, verdict.story
