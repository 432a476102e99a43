"""Pairs of workflows that mean the same, and pairs that do not, with the story that tells them apart."""

from __future__ import annotations

import attrs
import pytest
from test_semantics_machine import BAD, END, START, THREE, edge, flow, gang, hook, rule, step, swept, task

from pwxc import api
from pwxc.ir.data import Checkpoint, InlineFile, Read, Secret, TaskOutput, Url, Variable, Write
from pwxc.ir.entity import changed
from pwxc.ir.expr import Binary, Literal, Ref, Root
from pwxc.ir.inputs import Input, InputType
from pwxc.ir.resources import Container, Resources
from pwxc.ir.sweep import Parameter, Range, Sweep, Values
from pwxc.ir.task import Command, GangStatus, Publication, Retry, Script, Step, Task
from pwxc.ir.template import Template, text
from pwxc.ir.workflow import Trigger, Workflow
from pwxc.semantics.differences import Aspect, find_difference
from pwxc.semantics.environment import Fails, Scenario, Takes
from pwxc.semantics.equivalence import equivalent, shrink
from pwxc.semantics.machine import execute
from pwxc.semantics.normal import normal_form
from pwxc.semantics.renaming import rename


def ran(name: str, work: Script | Command, **fields: object) -> Task:
    return task(name, steps=(Step(work=work),), **fields)


def variable(name: str, value: str) -> Variable:
    return Variable(name=name, value=text(value))


def command(*words: str) -> Command:
    return Command(tuple(text(word) for word in words))


def in_dialect(dialect: str, *tasks: Task, **fields: object) -> Workflow:
    return changed(flow(*tasks, **fields), dialect=dialect)


def swept_steps(name: str) -> tuple[Step, ...]:
    return (Step(work=Script(Template.of("a ", Ref(Root.SWEEP, (name,))))),)


def reader(*parents: str) -> Task:
    reads = tuple(Read(name=str(number), origin=TaskOutput(parent)) for number, parent in enumerate(parents))
    work = Script(Template.of("cat ", Ref(Root.READ_FOLDER, ("0",))))
    return task("c", *parents, steps=(Step(work=work),), reads=reads)


def over_output(operator: str, number: int) -> Binary:
    return Binary(operator, Ref(Root.TASK_OUTPUT, ("a", "n")), Literal(number))


LIST_FILES = text("#!/bin/bash\nls\n")
FAST = Input(name="fast", type=InputType.BOOLEAN, default=True, has_default=True)
SIZE = Input(name="size", type=InputType.INTEGER, default=4, has_default=True)
TO_FIVE = Sweep(parameters=(Parameter(name="n", values=Values([1, 2, 3])),))

SAME = {
    "order": (flow(task("a"), task("b", "a")), flow(task("b", "a"), task("a"))),
    "an edge that another one implies": (
        flow(task("a"), task("b", "a"), task("c", "b")),
        flow(task("a"), task("b", "a"), task("c", "b", "a")),
    ),
    "a spelling of names": (flow(task("Train_All")), flow(task("train-all", steps=(step("run Train_All"),)))),
    "parameters in names": (flow(swept("a_{i}")), flow(changed(swept("a_{i}"), name="a"))),
    "bash -c": (flow(ran("a", command("bash", "-c", "echo hi"))), flow(ran("a", Script(text("echo hi\n"))))),
    "a script that is brought along": (
        flow(
            ran("a", command("bash", "/x.sh"), files=(InlineFile(path=text("/x.sh"), contents=LIST_FILES),)),
        ),
        flow(ran("a", Script(text("ls")))),
    ),
    "words of a program": (flow(ran("a", command("echo", "a b"))), flow(ran("a", Script(text("echo 'a b'"))))),
    "values of a range": (flow(swept("a")), flow(changed(swept("a", sweep=TO_FIVE), steps=swept_steps("n")))),
    "variables that a script names": (
        in_dialect("one", ran("a", Script(text("run $SEED ${SEED}")), environment=(variable("SEED", "5"),))),
        in_dialect("two", ran("a", Script(text("run 5 5")))),
    ),
    "a generated frame around a script": (
        in_dialect("one", task("a"), task("b", "a")),
        in_dialect("two", task("a", steps=(step("set -e\nmkdir -p out\nrun a"),)), task("b", "a")),
    ),
    "a script that is not at hand": (
        in_dialect("one", task("a")), in_dialect("two", task("a", steps=(step("bash scripts/a.sh"),)))
    ),
    "a container that is started by a command": (
        in_dialect("one", task("a", container=Container(image=text("x:1")))),
        in_dialect("two", task("a", steps=(step("apptainer exec docker://x:1 run a"),))),
    ),
    "a hook that is a task": (
        flow(task("a"), task("b", "a"), hooks=(hook(Trigger.WORKFLOW_COMPLETE), hook(Trigger.TASKS_READY, "b"))),
        in_dialect(
            "two",
            task("a"), task("b", "a"),
            task("on-ready", "a", steps=(step("tasks-ready", ignore_errors=True),)),
            task("at-end", edge("b", END), steps=(step("set -e\nworkflow-complete", ignore_errors=True),)),
        ),
    ),
    "a time limit of the task and one of its resources": (
        flow(task("a", run_timeout=60)),
        flow(task("a", resources="r", run_timeout=90), resources=(Resources(name="r", walltime=60),)),
    ),
    "an input without a value by another name": (
        in_dialect("one", ran("a", Script(Template.of("ssh ", Ref(Root.INPUT, ("site", "ip")))))),
        in_dialect("two", ran("a", Script(Template.of("ssh ", Ref(Root.INPUT, ("site_ip",)))))),
    ),
    "the last line of a clean-up": (
        flow(task("a", steps=(step("x", cleanup=text("rm x")),))),
        flow(task("a", steps=(step("x", cleanup=text("rm x\n")),))),
    ),
    "a task that does nothing": (flow(task("a")), flow(task("a"), task("idle", "a", steps=(step(":\n"),)))),
    "a gang and one task in its place": (
        gang(), in_dialect("two", task("g", steps=(step("set -e\nrun a &\nrun b\nwait"),)), task("after", "g"))
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SAME)
def test_pairs_that_mean_the_same(name: str):
    first, second = SAME[name]
    for verdict in (equivalent(first, second), equivalent(second, first)):
        assert verdict.equal, verdict.story
        assert verdict.proved or verdict.environments > 1


TWO = (task("a"), task("b", "a"))
RETRY = rule("retry", limit=2)
DIFFERENT = {
    "a task is missing": (flow(*TWO), flow(task("a")), "A has `b`, B has nothing of that name"),
    "a task is new": (flow(task("a")), flow(*TWO), "A has no `b`, B has it"),
    "an edge is missing": (
        flow(*TWO),
        flow(task("a"), task("b")),
        "when nothing fails, A starts `b` only after `a` has ended, B does not wait for that",
    ),
    "success against end": (
        flow(*TWO),
        flow(task("a"), task("b", edge("a", END))),
        "when `a` fails, A cancels `b`, B runs it",
    ),
    "failure against end": (
        flow(task("train"), task("cleanup", edge("train", BAD))),
        flow(task("train"), task("cleanup", edge("train", END))),
        "when nothing fails, A skips `cleanup`, B runs it",
    ),
    "failure against a condition that is never true": (
        flow(task("train"), task("cleanup", edge("train", BAD))),
        flow(task("train"), task("cleanup", edge("train", END), condition=Literal(False))),
        "when `train` fails, A runs `cleanup`, B skips it",
    ),
    "start against end": (
        flow(task("a"), task("b", edge("a", START))),
        flow(task("a"), task("b", edge("a", END))),
        "when nothing fails, A does not wait with `b` until `a` has ended, B does",
    ),
    "a retry is lost": (
        flow(task("a", exit_rules=(RETRY,))), flow(task("a")), "when `a` fails, A tries `a` 3 times, B once"
    ),
    "a limit is another": (
        flow(task("a", exit_rules=(RETRY,))),
        flow(task("a", exit_rules=(rule("retry", limit=1),))),
        "when `a` fails, A tries `a` 3 times, B twice",
    ),
    "a retry is only for some codes": (
        flow(task("a", exit_rules=(RETRY,))),
        flow(task("a", exit_rules=(rule("retry", (2, 9), limit=2),))),
        "when `a` fails, A tries `a` 3 times, B once",
    ),
    "a rule ends earlier": (
        flow(task("a", exit_rules=(rule("complete", (3, 9)),))),
        flow(task("a", exit_rules=(rule("complete", (3, 8)),))),
        "when `a` fails with exit code 9, A runs `a`, B lets it fail",
    ),
    "a step is tried again": (
        flow(task("a", steps=(step(retry=Retry(limit=1)),))),
        flow(task("a", steps=(step(),))),
        "when `a` fails, A tries step 1 of `a` twice, B once",
    ),
    "a step may fail": (
        flow(task("a", steps=(step("one", ignore_errors=True), step("two")))),
        flow(task("a", steps=(step("one"), step("two")))),
        "when `a` fails, A runs `a`, B lets it fail",
    ),
    "a clean-up is lost": (
        flow(task("a", steps=(step("one", cleanup=text("rm x")),))),
        flow(task("a", steps=(step("one"),))),
        "A runs the clean-up `rm x` in `a`, B does not",
    ),
    "a variable is lost": (
        flow(task("a", environment=(variable("SEED", "5"),))),
        flow(task("a")),
        "A gives `a` `SEED=5`, B gives it no `SEED`"
    ),
    "a variable of the workflow is lost": (
        flow(task("a"), environment=(variable("SEED", "5"),)),
        flow(task("a")),
        "A gives `a` `SEED=5`, B gives it no `SEED`",
    ),
    "a second step is another": (
        flow(task("a", steps=(step("x"), step("y")))),
        flow(task("a", steps=(step("x"), step("z")))),
        "A runs `y` in `a`, B runs `z`",
    ),
    "a line more in the same language": (
        flow(task("a")),
        flow(task("a", steps=(step("run a\nrun b"),))),
        "A runs `run a` in `a`, B runs `run a run b`",
    ),
    "a task that does nothing but is waited for": (
        flow(task("a")),
        flow(task("idle", steps=(step("true"),)), task("a", "idle")),
        "A has no `idle`, B has it",
    ),
    "a command is another": (
        flow(task("a")), flow(task("a", steps=(step("run b"),))), "A runs `run a` in `a`, B runs `run b`"
    ),
    "a command is another in another language": (
        in_dialect("one", task("a")), in_dialect("two", task("a", steps=(step("run b"),))),
        "A runs `run a` in `a`, B runs `run b`",
    ),
    "an image is another": (
        flow(task("a", container=Container(image=text("x:1")))),
        flow(task("a", container=Container(image=text("x:2")))),
        "A `a` uses image x:1, B uses image x:2",
    ),
    "two reads are swapped": (
        flow(task("a"), task("b"), reader("a", "b")), flow(task("a"), task("b"), reader("b", "a")),
        "A runs `cat <read <output-folder a>>` in `c`, B runs `cat <read <output-folder b>>`",
    ),
    "a time limit is lost": (
        flow(task("a", run_timeout=60)),
        flow(task("a")),
        "when `a` takes 1000 seconds, A stops `a` at its time limit, B runs it",
    ),
    "a time limit is another": (
        flow(task("a", run_timeout=3600)),
        flow(task("a", run_timeout=7200)),
        "when `a` takes 3636.01 seconds, A stops `a` at its time limit, B runs it",
    ),
    "another member leads": (
        gang(), gang(lead="b"), "when `a` fails, A cancels `after`, B runs it",
    ),
    "all members count": (gang(), gang(GangStatus.ALL), "when `b` fails, A runs `after`, B cancels it"),
    "a sweep is longer": (
        flow(swept("a")),
        flow(swept("a", sweep=Sweep(parameters=(Parameter(name="i", values=Range(1, 4)),)))),
        "A has no instance `a[3]`, B has one",
    ),
    "a sweep is throttled": (
        flow(swept("a")),
        flow(swept("a", sweep=changed(THREE, limit=1))),
        "when nothing fails, A does not wait with `a[1]` until `a[0]` has ended, B does",
    ),
    "a sweep fails as a whole": (
        flow(swept("a")),
        flow(swept("a", sweep=changed(THREE, fail_fast=True, limit=3))),
        None,
    ),
    "pairs against all": (
        flow(swept("a"), swept("b", edge("a", same_instance=True))),
        flow(swept("a"), swept("b", "a")),
        "when `a[0]` fails, A runs `b[1]`, B cancels it",
    ),
    "a condition is another": (
        flow(task("a", condition=Ref(Root.INPUT, ("fast",))), inputs=(FAST,)),
        flow(task("a"), inputs=(FAST,)),
        "when the input `fast` is `false`, A skips `a`, B runs it",
    ),
    "a condition over an output": (
        flow(task("a"), task("b", "a", condition=over_output("<=", 7))),
        flow(task("a"), task("b", "a", condition=over_output("<", 7))),
        "when `a` publishes `n=7`, A runs `b`, B skips it",
    ),
    "a parameter is frozen": (
        flow(ran("a", Script(Template.of("run ", Ref(Root.INPUT, ("size",))))), inputs=(SIZE,)),
        flow(ran("a", Script(text("run 4"))), inputs=(SIZE,)),
        "when the input `size` is `5`, A runs `run 5` in `a`, B runs `run 4`",
    ),
    "a hook is lost": (
        flow(task("a"), hooks=(hook(Trigger.TASKS_COMPLETE, "a"),)), flow(task("a")),
        "A runs the hook `tasks-complete` once, B not at all",
    ),
    "a hook that is a task behind an end that may be a failure": (
        flow(task("a"), task("b", "a"), hooks=(hook(Trigger.TASKS_COMPLETE, "b"),)),
        flow(task("a"), task("b", "a"), task("x", "b", steps=(step("tasks-complete"),))),
        "when `a` fails, A runs `x`, B cancels it",
    ),
    "a step that stops with others": (
        flow(task("a"), task("b", steps=(step("x", stop_when_another_fails=True),))),
        flow(task("a"), task("b", steps=(step("x"),))),
        "when `a` fails and `b` takes 1000 seconds, A stops `b`, B runs it",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DIFFERENT)
def test_pairs_that_do_not_mean_the_same(name: str):
    first, second, story = DIFFERENT[name]
    verdict = equivalent(first, second)
    assert not verdict.equal
    if story is not None:
        assert verdict.story == story
    assert not equivalent(second, first).equal


def test_names_may_be_mapped():
    first, second = flow(*TWO), flow(task("x", steps=(step("run a"),)), task("y", "x", steps=(step("run b"),)))
    assert equivalent(first, second, {"a": "x", "b": "y"}).proved
    assert equivalent(first, second).story == "A has `a`, B has nothing of that name"
    assert equivalent(first, second, {"a": "x", "b": "z", "q": "y"}).unknown == ("q", "z")


def test_names_may_be_swapped():
    first = flow(task("a", steps=(step("one"),)), task("b", "a", steps=(step("two"),)))
    second = flow(task("b", steps=(step("one"),)), task("a", "b", steps=(step("two"),)))
    assert equivalent(first, second, {"a": "b", "b": "a"}).proved
    assert not equivalent(first, second).equal


def test_shrinking_leaves_what_is_needed():
    facts = [Fails(name) for name in "abcde"]
    assert shrink(facts, lambda some: {"b", "d"} <= {fact.task for fact in some}) == (Fails("b"), Fails("d"))


def test_what_was_not_compared_is_told():
    first, second = SAME["a generated frame around a script"]
    assert "`a`: one side wraps" in equivalent(first, second).notes[0]


def test_a_million_instances_are_compared_by_a_few():
    million = Sweep(parameters=(Parameter(name="i", values=Range(1, 1_000_000)),))
    first = flow(swept("a", sweep=million), task("b", "a"))
    assert equivalent(first, flow(swept("a", sweep=million), task("b", edge("a", END)))).story.startswith(
        "when `a` fails"
    )


def test_an_order_with_as_many_before_is_another_order():
    workflow = flow(task("a"), task("b"), task("c", edge("a", any_instance=True)))
    first = execute(workflow, Scenario([Takes("b", 2)]))
    other = changed(workflow, tasks=(*workflow.tasks[:2], task("c", "b")))
    second = execute(other, Scenario([Takes("a", 2)]))
    found = find_difference(first, second, {}, same_dialect=True)
    assert found is not None
    assert (found.aspect, found.instance, found.other) == (Aspect.ORDER, "c", "a")


def test_only_references_to_tasks_are_renamed():
    holes = (Ref(Root.INPUT, ("a",)), Ref(Root.TASK_OUTPUT, ("a", "a")), Ref(Root.HOST, ("a",)))
    workflow = flow(task("a"), ran("b", Script(Template.of(*holes))))
    renamed = rename(workflow, {"a": "x"}).tasks[1].steps[0].work
    assert isinstance(renamed, Script)
    assert [ref.path for ref in renamed.text.refs()] == [("a",), ("x", "a"), ("x",)]


# files of real dialects

TORC = """\
name: sweep
jobs:
  - name: prepare
    command: python prepare.py
  - name: run_{i}
    command: python run.py {i}
    depends_on: [prepare]
    parameters: {i: "1:3"}
  - name: report
    command: python report.py
    depends_on_regexes: ["^run_.*$"]
    cancel_on_blocking_job_failure: CANCEL
"""
PW = """\
'on': {execute: {inputs: {}}}
jobs:
  report:
    needs: [run]
    IF
    steps: [{run: python report.py}]
  prepare:
    steps: [{run: python prepare.py}]
  run:
    needs: [prepare]
    strategy: {fail-fast: false, matrix: {case: [1, 2, 3]}}
    steps: [{run: "python run.py ${{ matrix.case }}"}]
"""


@pytest.mark.parametrize(
    ("cancel", "condition", "story"),
    [
        ("true", "", ""),
        ("false", "if: ${{ always }}", ""),
        ("false", "", "when `prepare` fails, A runs `report`, B cancels it"),
        ("true", "if: ${{ always }}", "when `prepare` fails, A cancels `report`, B runs it"),
        ("false", "if: ${{ error }}", "when nothing fails, A runs `report`, B skips it"),
    ],
)
def test_two_languages(cancel: str, condition: str, story: str):
    first, found = api.read(TORC.replace("CANCEL", cancel), origin="torc")
    second, said = api.read(PW.replace("IF", condition), origin="pw")
    assert first is not None, list(found)
    assert second is not None, list(said)
    verdict = equivalent(first, second)
    assert verdict.story == story
    assert verdict.equal is not bool(story)


# the normal form

COUNTS: dict[type, dict[str, object]] = {
    Task: {
        "name": "other",
        "steps": (step("x"), step("y")),
        "cleanup": (step("x"),),
        "needs": (edge("up"),),
        "condition": Literal(False),
        "container": Container(image=text("x")),
        "reads": (Read(name="0", origin=TaskOutput("up")),),
        "writes": (Write(destination=Url(text("s3://b"))),),
        "files": (InlineFile(path=text("/f"), contents=text("1")),),
        "environment": (variable("A", "1"),),
        "secrets": (Secret(name="s"),),
        "checkpoints": (Checkpoint(path=text("/c"), url=text("s3://b"), interval=5),),
        "outputs": (Publication("n", Literal(1)),),
        "working_directory": text("/w"),
        "run_timeout": 60,
        "queue_timeout": 60,
        "exit_rules": (RETRY,),
        "sweep": THREE,
        "stop_when_another_fails": True,
    },
    Step: {
        "work": Script(text("other")),
        "id": "s",
        "condition": Literal(False),
        "environment": (variable("A", "1"),),
        "working_directory": text("/w"),
        "timeout": 60,
        "retry": Retry(limit=1),
        "cleanup": text("rm x"),
        "ignore_errors": True,
        "stop_when_another_fails": True,
    },
}
"""A value that counts for each field of tasks and steps."""
LEFT_OUT = {
    Task: {"resources", "beside", "placement", "priority", "passthrough", "places", "span"},
    Step: {"name", "placement", "passthrough", "found", "places", "span"},
}


@pytest.mark.parametrize("noun", [Task, Step])
def test_each_field_counts_or_is_left_out_on_purpose(noun: type):
    names = {field.name for field in attrs.fields(noun)}
    assert set(COUNTS[noun]) == names - LEFT_OUT[noun]
    for name, value in COUNTS[noun].items():
        first = task("a", steps=(step("x"),))
        changes = {name: value} if noun is Task else {"steps": (changed(first.steps[0], **{name: value}),)}
        other = changed(first, **changes)
        assert normal_form(flow(task("up"), first)) != normal_form(flow(task("up"), other)), name
