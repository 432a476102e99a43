"""What we write for Slurm reads back to the workflow that was written."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pwxc import compiler
from pwxc.compiler import Policy
from pwxc.diagnostics import Diagnostics
from pwxc.ir.data import Datum, File, NamedFile, Secret, Write
from pwxc.ir.entity import changed
from pwxc.ir.expr import Binary, Expr, Literal, Ref, Root
from pwxc.ir.inputs import Choice, Input, InputType
from pwxc.ir.resources import Container, Resources
from pwxc.ir.sweep import Parameter, Range, Sweep, SweepMode, Values
from pwxc.ir.task import Edge, ExitAction, ExitRule, Gang, Outcome, Publication, Retry, Script, Task
from pwxc.ir.template import Template, text
from pwxc.ir.workflow import Hook, RunCommands, Trigger, Workflow
from pwxc.registry import ReadSettings
from pwxc.semantics.equivalence import equivalent
from pwxc.source import Source
from pwxc_targets.slurm import TARGET
from pwxc_targets.slurm.read import read
from tests.slurm.flows import OUTPUT, after, command, flow, put, reads, script, task, variable, written

HOSTILE = st.text(st.sampled_from("ab '\"$`\\\n;&|(){}<>*?~#!%=-:,.\té漢@"), min_size=1, max_size=14)
NAMES = ("first", "second task", "third-é$x", "fourth'\"")
X = Ref(Root.INPUT, ("x",))
MIB = 1024 * 1024


def back(files: dict[str, str]) -> tuple[Workflow | None, Diagnostics]:
    found = Diagnostics()
    sources = tuple(Source(name, files[name]) for name in sorted(files, key=lambda name: name != "submit.sh"))
    return read(sources, ReadSettings(folder=Path("/nowhere")), found), found


def texts(workflow: Workflow, **options: str) -> dict[str, str]:
    # the folder in which the steps of another system work would come back as the task's own
    return {path: file.text for path, file in written(changed(workflow, dialect="slurm"), **options).items()}


def again(workflow: Workflow, **options: str) -> tuple[Workflow, dict[str, str]]:
    """Write a workflow and read it; gives what was read and what writing that gives."""
    found, told = back(texts(workflow, **options))
    assert found is not None, [item.message for item in told]
    assert list(told) == [], [item.message for item in told]
    return found, texts(changed(found, origin=None), **options)


def essence(item: Task) -> tuple[object, ...]:
    """What of a task comes back; a script ends with a line break."""
    steps = tuple(
        (changed(step, work=text(""), span=None), ended(step.work) if isinstance(step.work, Script) else step.work)
        for step in item.steps
    )
    parts = (item.needs, item.condition, item.environment, item.outputs, item.exit_rules, item.working_directory)
    return (item.name, steps, *parts, item.container, item.files, item.reads, item.sweep)


def ended(work: Script) -> tuple[tuple[str | Expr, ...], tuple[str, ...]]:
    last = work.text.parts[-1] if work.text.parts else ""
    complete = isinstance(last, str) and last.endswith("\n")
    return (work.text if complete else Template.of(*work.text.parts, "\n")).parts, work.shell


def requests(workflow: Workflow) -> dict[str, Resources | None]:
    """What each task asks for, whatever the class is called; a class that asks for nothing is none."""
    nothing = Resources(name="")
    classes = {item.name: changed(item, name="", span=None) for item in workflow.resources}
    found = {item.name: classes.get(item.resources or "") for item in workflow.tasks}
    return {name: asked if asked != nothing else None for name, asked in found.items()}


@st.composite
def sweeps(draw: st.DrawFn) -> Sweep:
    scalars = st.lists(HOSTILE, min_size=2, max_size=2) | st.just([1, 20]) | st.just([0.5, 2.0])
    values: list[Values | Range] = [
        Values(draw(scalars)),
        draw(st.sampled_from([Range(0, 3, 3), Range(5, 4, -1), Range(0.1, 0.3, 0.2)])),
    ]
    both = draw(st.booleans())
    parameters = tuple(Parameter(name=name, values=item) for name, item in zip("pq", values, strict=True))
    mode = draw(st.sampled_from(list(SweepMode))) if both else SweepMode.PRODUCT
    return Sweep(parameters=parameters if both else parameters[:1], mode=mode, limit=draw(st.none() | st.just(2)))


@st.composite
def resources(draw: st.DrawFn, name: str) -> Resources:
    small = st.none() | st.integers(1, 9)
    return Resources(
        name=name, nodes=draw(small), tasks=draw(small), cpus=draw(st.just(X) | small), gpus=draw(small),
        memory=draw(st.none() | st.integers(1, 4096).map(lambda size: size * MIB)),
        walltime=None, partition=draw(st.none() | st.just(text("long")) | st.just(Template.of(X))),
        account=draw(st.none() | st.just(text("a b"))),
    )  # fmt: skip


@st.composite
def workflows(draw: st.DrawFn) -> Workflow:
    tasks: list[Task] = []
    classes: list[Resources] = []
    for number, name in enumerate(NAMES[: draw(st.integers(1, 4))]):
        parents = draw(st.lists(st.sampled_from(tasks), unique_by=lambda item: item.name)) if tasks else []
        needs = tuple(
            Edge(parent=item.name, when=when, delay=draw(st.sampled_from([0, 120])) if when is Outcome.START else 0)
            for item in parents
            for when in [draw(st.sampled_from(list(Outcome)))]
        )
        asked = draw(st.none() | resources(name=f"class{number}"))
        classes += [asked] if asked is not None else []
        value = Template.of(draw(HOSTILE), X, draw(HOSTILE))
        made = Task(
            name=name, needs=needs, resources=asked.name if asked is not None else None,
            sweep=draw(st.none() | sweeps()), environment=(variable("V", value),),
            steps=(command("echo", value, draw(HOSTILE)),
                   script("echo '", X, "' \"", X, "\" # ", X, "\n", draw(HOSTILE))),
            condition=draw(st.none() | st.just(Binary("==", X, Literal(draw(HOSTILE))))),
            outputs=draw(st.just(()) | st.just((Publication("o", value),))),
        )  # fmt: skip
        tasks.append(made)
    inputs = (Input(name="x", default=draw(HOSTILE), has_default=True),)
    return flow(*tasks, name=draw(HOSTILE), inputs=inputs, resources=tuple(classes))


@settings(max_examples=60, deadline=None)
@given(workflows())
def test_what_is_written_reads_back(workflow: Workflow) -> None:
    found, files = again(workflow)
    assert found.name == workflow.name
    assert [essence(item) for item in found.tasks] == [essence(item) for item in workflow.tasks]
    assert requests(found) == requests(workflow)
    assert [(item.name, item.default) for item in found.inputs] == [("x", workflow.inputs[0].default)]
    assert files == texts(workflow)


@settings(max_examples=10, deadline=None)
@given(workflows())
def test_one_file_reads_back_as_a_folder_does(workflow: Workflow) -> None:
    alone, _ = again(workflow, single_file="true")
    folder, _ = again(workflow)
    assert changed(alone, origin=None) == changed(folder, origin=None)


@st.composite
def component(draw: st.DrawFn, name: str, before: Resources | None) -> Resources:
    """A class of fixed numbers; what `sbatch` takes over from the component before is there too."""
    count = st.none() | st.integers(1, 9)
    made = Resources(
        name=name, nodes=draw(count), tasks=draw(count), tasks_per_node=draw(count), cpus=draw(count),
        gpus=draw(count), partition=draw(st.none() | st.just(text("long"))),
        memory=draw(st.none() | st.integers(1, 4096).map(lambda size: size * MIB)),
        account=draw(st.none() | st.just(text("a b"))), walltime=draw(st.none() | st.just(7200)),
        directives=draw(st.just(()) | st.just((text("--output=x y"), text("--licenses=a:2")))),
    )  # fmt: skip
    if before is None:
        return made
    kept = {field: getattr(made, field) or getattr(before, field) for field in ("memory", "account", "walltime")}
    return changed(made, **kept)


@st.composite
def heterogeneous(draw: st.DrawFn) -> Workflow:
    classes = [draw(component(name="one", before=None))]
    for number in range(1, draw(st.integers(2, 4))):
        classes.append(draw(component(name=f"one+{number}", before=classes[-1])))
    beside = tuple(item.name for item in classes[1:])
    made = Task(name="one", resources="one", beside=beside, steps=(script("srun ./a : ./b\n"),))
    return flow(made, resources=tuple(classes))


@settings(max_examples=40, deadline=None)
@given(heterogeneous())
def test_components_come_back(workflow: Workflow) -> None:
    found, files = again(workflow)
    expected = [item for item in workflow.resources if item != Resources(name="one")]
    assert [changed(item, span=None) for item in found.resources] == expected
    assert found.tasks[0].beside == workflow.tasks[0].beside
    assert files["one.sbatch"].count("#SBATCH hetjob") == len(workflow.tasks[0].beside)
    assert files == texts(workflow)


def test_what_is_recognised_in_steps_has_its_place() -> None:
    steps = (script("ml gcc\nsrun -n ", X, " ./a '", X, "'\n"), script("ls\n"), command("echo", text("srun")))
    workflow = flow(Task(name="a", steps=steps), inputs=(Input(name="x", default="1", has_default=True),))
    found, _ = again(workflow)
    told = [step.found for step in found.tasks[0].steps]
    assert told[0] is not None
    places = [told[0].software[0].span, told[0].launches[0].span]
    assert [place and place.text for place in places] == [
        "ml gcc", "srun -n ${PWXC_IN_x} ./a ''\"${PWXC_IN_x}\"''",
    ]  # fmt: skip
    assert all(place is not None and place.source.name == "a.sbatch" for place in places)
    assert told[1] is not None
    assert (told[1].launches, told[2]) == ((), None)


def test_gangs_hooks_rules_and_kinds_of_inputs_come_back() -> None:
    sweep = Sweep(parameters=(Parameter(name="i", values=Range(1, 5)),), limit=2)
    retry = Retry(limit=2, interval=5)
    workflow = flow(
        task("lead", "echo ", Ref(Root.HOST, ("worker",)), "\n"),
        task("worker", "echo hi\n"),
        task("many", "echo ", Ref(Root.SWEEP, ("i",)), "\n", sweep=sweep, needs=["group"],
             container=Container(image=text("a/b"))),
        task("paired", "true\n", sweep=sweep, needs=[after("many", Outcome.SUCCESS, same_instance=True)]),
        task("some", "cat ", Ref(Root.READ_FOLDER, ("0",)), "/f\n",
             needs=[after("many", Outcome.SUCCESS, any_instance=True), "lone"], reads=(reads("0", "lone"),)),
        task("lone", "echo >", OUTPUT, "/f\n", exit_rules=(
            ExitRule(action=ExitAction.RETRY, codes=((3, 5), (9, 9)), retry=retry, recovery=text("echo again")),
            ExitRule(action=ExitAction.COMPLETE, codes=((7, 7),)),
            ExitRule(action=ExitAction.FAIL, codes=((0, 0),)),
        )),
        gangs=(Gang(name="group", members=("lead", "worker"), lead="lead"),),
        hooks=(
            Hook(trigger=Trigger.WORKFLOW_START, action=RunCommands((text("date"),))),
            Hook(trigger=Trigger.TASKS_COMPLETE, action=RunCommands((text("echo done\n"),)), tasks=("lone",)),
            Hook(trigger=Trigger.WORKFLOW_COMPLETE, action=RunCommands((text("echo all\n"),))),
        ),
        inputs=(
            Input(name="n", type=InputType.INTEGER, default=3, has_default=True, minimum=1, maximum=9,
                  label="how many"),
            Input(name="b", type=InputType.BOOLEAN, default=True, has_default=True),
            Input(name="c", type=InputType.CHOICE, choices=(Choice(value="p q"), Choice(value="r"))),
            Input(name="g", type=InputType.GROUP, items=(
                Input(name="k", default=Template.of("k-", Ref(Root.INPUT, ("n",))), has_default=True),
            )),
        ),
        description="one\ntwo",
    )  # fmt: skip
    found, files = again(workflow, container="apptainer")
    by_name = {item.name: item for item in workflow.tasks}
    assert {item.name: essence(item) for item in found.tasks} == {name: essence(item) for name, item in by_name.items()}
    assert found.gangs == workflow.gangs
    assert found.inputs == workflow.inputs
    hooks = {hook.trigger: (hook.action, hook.tasks) for hook in found.hooks}
    assert {hook.trigger: hook.action for hook in workflow.hooks} == {key: action for key, (action, _) in hooks.items()}
    assert hooks[Trigger.TASKS_COMPLETE][1] == ("lone",)
    assert found.description == workflow.description
    assert files == texts(workflow, container="apptainer")


def test_the_folder_is_found_and_written_again_as_it_stands(tmp_path: Path) -> None:
    files = written(flow(task("a", "true\n"), task("b", "true\n", needs=["a"])))
    submit = put(files, tmp_path / "out")
    source = Source(str(submit), submit.read_text(), submit)
    found, told, _ = compiler.read([source], origin=TARGET, settings=ReadSettings(folder=submit.parent))
    assert found is not None, [item.message for item in told]
    assert [item.name for item in found.tasks] == ["a", "b"]
    same, report, _ = compiler.write(found, to=TARGET, options={}, policy=Policy())
    assert {file.path: file.text for file in same} == {path: file.text for path, file in files.items()}
    assert report.clean


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("a.sbatch", "bash \"$work/step_1\"", "bash \"$work/step_1\" | tee log"),
        ("a.sbatch", "steps() {", "rm -rf /tmp/mine\nsteps() {"),
        ("submit.sh", "job a a", "mail me\njob a a"),
    ],
)  # fmt: skip
def test_a_line_that_was_changed_by_hand_is_told(file: str, old: str, new: str) -> None:
    files = texts(flow(task("a", "true\n"), name="w"))
    assert old in files[file]
    files[file] = files[file].replace(old, new)
    _, told = back(files)
    assert [item.code.id for item in told] == ["PWX2426"]
    span = told.errors[0].span
    assert span is not None
    assert (span.source.name, span.text) == (file, new.split("\n")[0])


def test_a_script_that_is_missing_is_told() -> None:
    files = texts(flow(task("a", "true\n"), task("b", "true\n")))
    del files["b.sbatch"]
    found, told = back(files)
    assert found is None
    assert [item.code.id for item in told] == ["PWX2421"]


ODD = 'it\'s a "b" $x.y-é'


def test_names_that_no_variable_can_have_come_back() -> None:
    value, inner = Ref(Root.INPUT, (ODD,)), Ref(Root.INPUT, ("g.h", ODD))
    maps = Values(({"a.b": "p", "c": 1}, {"a.b": "q", "c": 2}))
    product = Sweep(parameters=(Parameter(name=ODD, values=Range(1, 3)), Parameter(name="m.n", values=maps)))
    holes = (Ref(Root.READ_FOLDER, (ODD,)), Ref(Root.FILE, (ODD,)), Ref(Root.DATUM, (ODD,)),
             Ref(Root.SWEEP, (ODD,)), Ref(Root.SWEEP, ("m.n", "a.b")), Ref(Root.SWEEP, ("m.n", "c")))  # fmt: skip
    workflow = flow(
        task("make", "echo ", OUTPUT, value, inner, "\n", writes=(Write(destination=NamedFile(ODD)),)),
        task(ODD, "echo ", *holes, "\n", needs=["make"], sweep=product, reads=(reads(ODD, "make"),)),
        name=ODD, files=(File(name=ODD, path=text("/tmp/x")),), data=(Datum(name=ODD, value={"a": 1}),),
        inputs=(
            Input(name=ODD, default="v", has_default=True),
            Input(name="g.h", type=InputType.GROUP, items=(Input(name=ODD, default="w", has_default=True),)),
        ),
    )  # fmt: skip
    found, _ = again(workflow)
    verdict = equivalent(workflow, found)
    assert verdict.proved, verdict.story


def test_limits_and_what_others_do_come_back() -> None:
    ties = Sweep(parameters=(Parameter(name="i", values=Range(1, 3)),), fail_fast=True)
    nothing = Sweep(parameters=(Parameter(name="i", values=Range(1, 1)),), exclude=({"i": 1},))
    stops = script("true\n", stop_when_another_fails=True, retry=Retry(limit=2), condition=Ref(Root.STATUS, ("error",)))
    workflow = flow(
        task("exact", "true\n", run_timeout=90.0, resources="short"),
        task("whole", "true\n", run_timeout=600.0, queue_timeout=60.0),
        Task(name="clean", steps=(script("true\n", cleanup=text("rm -f x\n")),), run_timeout=120.0),
        Task(name="stops", steps=(script("true\n", stop_when_another_fails=True), stops)),
        task("many", "true\n", sweep=ties),
        task("none", "true\n", sweep=nothing),
        task("first", "true\n", needs=[after("many", Outcome.END, any_instance=True), "none"]),
        task("a", "true\n", run_timeout=30.0, secrets=(Secret(name="s", folder=text("/s")),)),
        task("b", "true\n"),
        gangs=(Gang(name="pair", members=("a", "b"), lead="b", barrier=False, run_timeout=45.0),),
        hooks=(
            Hook(trigger=Trigger.TASKS_READY, action=RunCommands((text("date\n"),)), tasks=("a", "whole")),
            Hook(trigger=Trigger.TASKS_COMPLETE, action=RunCommands((text("pwd\n"),)), patterns=("^e",)),
        ),
        resources=(Resources(name="short", walltime=75),),
        timeout=3600.0,
    )
    found, _ = again(workflow, retry="inside")
    kept = {item.name: (item.run_timeout, item.queue_timeout, item.secrets) for item in workflow.tasks}
    assert {item.name: (item.run_timeout, item.queue_timeout, item.secrets) for item in found.tasks} == kept
    assert found.gangs == workflow.gangs
    assert found.hooks == workflow.hooks
    assert found.timeout == 3600
    verdict = equivalent(workflow, found)
    assert verdict.equal, verdict.story


def test_the_folder_that_tasks_share_is_kept() -> None:
    files = written(changed(flow(task("a", "true\n")), dialect="pw"))
    found, told = back({path: file.text for path, file in files.items()})
    assert found is not None
    assert list(told) == []
    assert found.tasks[0].working_directory == Template.of(Ref(Root.RUN_FOLDER))


def test_a_comment_that_looks_like_the_writers_is_a_comment() -> None:
    workflow = flow(task("a", "true\n"), description="this means [nothing]\nx means [1]\ny means []")
    found, _ = again(workflow)
    assert found.description == workflow.description


@pytest.mark.parametrize("word", ["always", "completed", "error", "canceled"])
def test_a_condition_on_how_the_parents_ended_comes_back(word: str) -> None:
    many = task("many", "true\n", sweep=Sweep(parameters=(Parameter(name="i", values=Range(1, 3)),)))
    watch = task("watch", "true\n", needs=[after("many"), after("one")], condition=Ref(Root.STATUS, (word,)))
    found, _ = again(flow(many, task("one", "true\n"), watch))
    assert found.tasks[2].condition == watch.condition
