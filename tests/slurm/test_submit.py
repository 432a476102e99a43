"""What the submit script does, sentence by sentence, with stand-ins for Slurm that write down how they are called."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

import pytest

from pwxc import api, compiler
from pwxc.compiler import Policy
from pwxc.diagnostics import Severity
from pwxc.ir.expr import Binary, Call, Literal, Ref, Root
from pwxc.ir.inputs import Choice, Input, InputType
from pwxc.ir.resources import Resources
from pwxc.ir.sweep import Parameter, Range, Sweep
from pwxc.ir.task import ExitAction, ExitRule, Gang, Outcome, Retry
from pwxc.ir.template import Template, text
from pwxc.ir.workflow import Hook, RunCommands, Trigger, Workflow
from pwxc.source import Source
from pwxc_targets.slurm import TARGET
from tests.slurm.flows import OUTPUT, after, flow, sweep, task, written
from tests.slurm.stage import StageMaker, chain

X = Ref(Root.INPUT, ("x",))


# calls of sbatch


def test_every_kind_of_edge_has_its_dependency(stage: StageMaker) -> None:
    ties = sweep("i", 1, 3)
    run = stage(
        flow(
            task("a", "true"), task("b", "true"), task("many", "true", sweep=ties),
            task("ok", "true", needs=["a", "b"]), task("any", "true", needs=[after("a")]),
            task("not", "true", needs=[after("a", Outcome.FAILURE)]),
            task("begun", "true", needs=[after("a", Outcome.START)]),
            task("later", "true", needs=[after("a", Outcome.START, delay=90)]),
            task("mixed", "true", needs=["a", after("b")]),
            task("all", "true", needs=["many"]),
            task("tied", "true", sweep=ties, needs=[after("many", Outcome.SUCCESS, same_instance=True)]),
        )
    )  # fmt: skip
    run("--run-dir", "run")
    found = {name: run.options(name).get("--dependency") for name in (
        "a", "many", "ok", "any", "not", "begun", "later", "mixed", "all", "tied")}  # fmt: skip
    assert found == {
        "a": None, "many": None, "ok": "afterok:101,afterok:102", "any": "afterany:101", "not": "afternotok:101",
        "begun": "after:101", "later": "after:101+2", "mixed": "afterok:101,afterany:102", "all": "afterok:103",
        "tied": "aftercorr:103",
    }  # fmt: skip
    assert run.options("tied")["--array"] == "0-2"


def test_the_first_instance_is_waited_for_by_a_job_of_its_own(stage: StageMaker) -> None:
    run = stage(
        flow(
            task("a", "true"), task("many", "true", sweep=sweep("i", 1, 3)),
            task("child", "true", needs=["a", after("many", Outcome.END, any_instance=True)]),
        )
    )  # fmt: skip
    run("--run-dir", "run")
    gate = next(call for call in run.calls() if "--wrap=:" in call)
    assert "--dependency=afterany:102_0?afterany:102_1?afterany:102_2" in gate
    assert run.options("child")["--dependency"] == "afterok:101,afterok:103"


@pytest.mark.parametrize(
    ("value", "asked"),
    [
        ("singleton", ["afterok:101,singleton"]),
        ("afterok:7:8", ["afterok:101,afterok:7:8"]),
        ("afterok:7?afterany:8", ["afterok:7?afterany:8", "afterok:101,afterok:102"]),
    ],
)
def test_jobs_of_others_are_waited_for_as_well(stage: StageMaker, value: str, asked: list[str]) -> None:
    """An option on the command line takes the place of the script's own (slurm.md §7); a list of `?` asks for any."""
    outside = Resources(name="r", directives=(text(f"--dependency={value}"),))
    run = stage(flow(task("a", "true"), task("b", "true", needs=["a"], resources="r"), resources=(outside,)))
    run("--run-dir", "run")
    given = [word.removeprefix("--dependency=") for call in run.calls() for word in call if "--dependency" in word]
    assert given == asked
    assert "--dependency" not in (run.submit.parent / "b.sbatch").read_text()


def test_every_submission_is_safe(stage: StageMaker) -> None:
    run = stage(flow(*chain("a", "b"), task("many", "true", sweep=sweep("i", 1, 3, limit=2))))
    run("--run-dir", "run")
    for call in run.calls():
        assert "--parsable" in call
        assert "--kill-on-invalid-dep=yes" in call
        assert "--export=ALL" in call
    assert run.options("many")["--array"] == "0-2%2"
    roots = [call for call in run.calls() if "--hold" in call]
    assert len(roots) == 2
    assert run.others("scontrol") == [["release", "101,103"]]


def test_a_value_that_an_input_leaves_empty_is_not_asked_for(stage: StageMaker) -> None:
    inputs = tuple(Input(name=name, optional=True) for name in ("part", "time", "gpus", "memory"))
    part, limit, gpus, memory = (Ref(Root.INPUT, (item.name,)) for item in inputs)
    asked = Resources(
        name="r", partition=Template.of(part), walltime=limit, gpus=gpus, memory=Call("quantity", (memory,))
    )
    run = stage(flow(task("t", "true", resources="r"), inputs=inputs, resources=(asked,)))
    run("--run-dir", "one")
    assert set(run.options("t")) & {"--partition", "--time", "--gres", "--mem"} == set()
    run("--run-dir", "two", "--part=long", "--time=1-00:00:00", "--gpus", "2", "--memory", "3Gi")
    given = run.options("t")
    assert (given["--partition"], given["--time"], given["--gres"], given["--mem"]) == (
        "long", "1-00:00:00", "gpu:2", "3072M",
    )  # fmt: skip


def test_a_requeued_job_may_be_requeued(stage: StageMaker) -> None:
    rule = ExitRule(action=ExitAction.RETRY, codes=(), retry=Retry(limit=2))
    files = written(flow(task("t", "false", exit_rules=(rule,))))
    assert "#SBATCH --requeue\n#SBATCH --open-mode=append\n" in files["t.sbatch"].text
    inside = written(flow(task("t", "false", exit_rules=(rule,))), retry="inside")
    assert "requeue" not in inside["t.sbatch"].text


# its own options


def inputs_of_every_kind() -> tuple[Input, ...]:
    return (
        Input(name="count", type=InputType.INTEGER, default=3, has_default=True, minimum=1, maximum=9,
              label="How many"),
        Input(name="flag", type=InputType.BOOLEAN, default=True, has_default=True),
        Input(name="kind", type=InputType.CHOICE, choices=(Choice(value="a b"), Choice(value="c")), default="c",
              has_default=True),
        Input(name="must"),
        Input(name="help", default="x", has_default=True),
    )  # fmt: skip


def test_inputs_are_options_with_defaults(stage: StageMaker) -> None:
    run = stage(flow(task("t", "true"), inputs=inputs_of_every_kind()))
    shown = run("--help")
    assert "--count VALUE  How many (default: 3)" in shown
    assert "--kind VALUE (one of: a b, c) (default: c)" in shown
    assert "--must VALUE (required)" in shown
    assert "--input-help VALUE" in shown
    for own in ("--dry-run", "--run-dir", "--resume", "--wait", "--status"):
        assert own in shown
    run("--must", "v", "--count=5", "--kind", "a b", "--run-dir", "run")
    kept = subprocess.run(
        ["bash", "-c", 'source run/inputs.sh; echo "$PWXC_IN_count|$PWXC_IN_flag|$PWXC_IN_kind|$PWXC_IN_must"'],
        capture_output=True, text=True, check=True, cwd=run.folder,
    )  # fmt: skip
    assert kept.stdout == "5|true|a b|v\n"
    assert (run.folder / "run/inputs.sh").stat().st_mode & 0o77 == 0


def test_inputs_whose_names_are_alike_have_options_of_their_own(stage: StageMaker) -> None:
    inputs = [Input(name=name, default="", has_default=True) for name in ("a b", "a$b", "a-b", "help", "input-help")]
    run = stage(flow(task("t", "true"), inputs=tuple(inputs)))
    run("--a-b=1", "--a-b-2=2", "--a-b-3=3", "--input-help=4", "--input-help-2=5", "--run-dir", "run")
    kept = (run.folder / "run/inputs.sh").read_text()
    assert [line.partition("=")[2] for line in kept.splitlines()[1:]] == ["1", "2", "3", "4", "5"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--other", "1"], "there is no option --other"),
        (["--must"], "--must needs a value"),
        ([], "--must needs a value"),
        (["--must=1", "--count=x"], "a whole number is due"),
        (["--must=1", "--count=10"], "must be at most 9"),
        (["--must=1", "--flag=maybe"], "true or false is due"),
        (["--must=1", "--kind=d"], "not one of the choices"),
        (["--must=1", "--kind="], "not one of the choices"),
        (["--must=1", "--count", ""], "a whole number is due"),
        (["--must=1", "--count=-1"], "must be at least 1"),
        (["--must=1", "--count=3; touch x"], "a whole number is due"),
        (["--must=1", "--dry-run=yes"], "there is no option --dry-run"),
        (["--must=1", "--resume"], "need --run-dir"),
        (["--must=1", "--run-dir", "a\nb"], "cannot have a line break"),
        (["stray"], "there is no option stray"),
    ],
)
def test_a_wrong_option_is_said(stage: StageMaker, words: Sequence[str], said: str) -> None:
    run = stage(flow(task("t", "true"), inputs=inputs_of_every_kind()))
    assert said in run(*words, code=2)
    assert run.calls() == []


def test_a_dry_run_prints_the_calls_and_does_nothing(stage: StageMaker) -> None:
    hook = Hook(trigger=Trigger.WORKFLOW_START, action=RunCommands((Template.of("touch x"),)))
    run = stage(flow(*chain("a", "b"), hooks=(hook,)))
    shown = run("--dry-run", "--run-dir", "a b").splitlines()
    assert [line.split()[0] for line in shown] == ["sbatch", "sbatch"]
    assert "--dependency=afterok:ID_of_a" in shown[1]
    assert r"a\ b" in shown[0]
    assert run.calls() == []
    assert not (run.folder / "a b").exists()
    assert not (run.folder / "x").exists()


@pytest.mark.parametrize("name", ["plain", "with blank", "100%", "quote'\"$x"])
def test_a_run_has_a_folder_with_what_was_submitted(stage: StageMaker, name: str) -> None:
    run = stage(flow(*chain("a", "b")))
    said = run("--run-dir", name)
    assert ("do not put the run's paths in quotes" in said) is (name not in ("plain", "100%"))
    listed = (run.folder / name / "submitted.tsv").read_text().splitlines()
    assert [line.split("\t")[:2] for line in listed] == [["a", "101"], ["b", "102"]]
    assert run.options("a")["--output"] == f"{run.folder}/{name}/logs/a.%j.out".replace(name, name.replace("%", "%%"))
    assert (run.folder / name / "scripts/a.sbatch").exists()


def test_two_runs_have_two_folders(stage: StageMaker) -> None:
    run = stage(flow(task("a", "true")))
    run()
    run()
    assert len(list((run.folder / "runs").iterdir())) == 2


# size


def test_a_diamond_of_a_thousand_tasks_is_a_call_each(stage: StageMaker) -> None:
    middle = [f"m{number}" for number in range(998)]
    run = stage(
        flow(task("top", "true"), *(task(name, "true", needs=["top"]) for name in middle),
             task("bottom", "true", needs=middle))
    )  # fmt: skip
    run("--run-dir", "run")
    assert len(run.calls()) == 1000
    assert run.options("bottom")["--dependency"].count("afterok:") == 998


def test_a_long_sweep_is_split_where_the_site_says(stage: StageMaker) -> None:
    workflow = flow(task("many", "true", sweep=sweep("i", 1, 2500)), task("end", "true", needs=["many"]))
    run = stage(workflow)
    run("--run-dir", "run")
    arrays = [word for call in run.calls() for word in call if word.startswith("--array=")]
    assert arrays == ["--array=0-1000", "--array=0-1000", "--array=0-497"]
    assert [call[-1] for call in run.calls()[:3]] == ["0", "1001", "2002"]
    assert run.options("end")["--dependency"] == "afterok:101:102:103"
    whole = stage(workflow, max_array_size="10000")
    whole("--run-dir", "two")
    assert whole.options("many")["--array"] == "0-2499"


def test_a_sweep_costs_the_same_whatever_its_size() -> None:
    texts = [written(flow(task("many", "true", sweep=sweep("i", 1, size))))["many.sbatch"].text for size in (10, 10**9)]
    assert abs(len(texts[0]) - len(texts[1])) < 20


def test_a_sweep_of_nothing_has_ended_well(stage: StageMaker) -> None:
    nothing = Sweep(parameters=(Parameter(name="i", values=Range(1, 1)),), exclude=({"i": 1},))
    run = stage(flow(task("none", "true", sweep=nothing), task("after", "true", needs=["none"])))
    run("--run-dir", "run")
    assert len(run.calls()) == 1
    assert "--dependency" not in run.options("after")


# nothing is executed

HOSTILE = "a'b\"c $(touch pwned) `touch pwned` ${HOME} \\ ;&|<>*?~ # %j ä漢\nsecond line"


def test_a_value_given_at_submission_is_never_executed(stage: StageMaker) -> None:
    condition = Binary("==", X, Literal(HOSTILE))
    asked = Resources(name="r", partition=Template.of(X), account=Template.of("a-", X))
    run = stage(
        flow(
            task("t", "printf %s \"", X, "\" >", OUTPUT, "/x", resources="r", condition=condition),
            inputs=(Input(name="x", default="y", has_default=True),), resources=(asked,),
            hooks=(Hook(trigger=Trigger.WORKFLOW_START, action=RunCommands((Template.of("echo \"", X, "\""),))),),
        )
    )  # fmt: skip
    run("--x", HOSTILE, "--run-dir", "run")
    assert run.options("t")["--account"] == f"a-{HOSTILE}"
    done = subprocess.run(
        ["bash", str(run.folder / "run/scripts/t.sbatch"), str(run.folder / "run")],
        capture_output=True, text=True, check=False, cwd=run.folder,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert (run.folder / "run/output/t/x").read_text() == HOSTILE
    assert not list(run.folder.rglob("pwned"))


@pytest.mark.parametrize(("option", "codes"), [({}, ["PWX3426"]), ({"slurm.instance_limit": "2000000000000"}, [])])
def test_a_sweep_that_no_scheduler_takes_is_refused_at_its_range(option: dict[str, str], codes: list[str]) -> None:
    text = 'name: w\njobs:\n- {name: "a_{i}", command: "echo {i}", parameters: {i: "1:1000000000000"}}\n'
    made = api.compile(Source("w.yaml", text), to="slurm", origin="torc", options=option)
    assert [item.code.id for item in made.diagnostics if item.severity is Severity.ERROR] == codes
    assert [item.span.text for item in made.diagnostics if item.code.id in codes and item.span] == [
        '"1:1000000000000"' for _ in codes
    ]


def codes(workflow: Workflow, **options: str) -> set[str]:
    """The codes of what is told when a workflow is written."""
    return {item.code.id for item in compiler.write(workflow, to=TARGET, options=options, policy=Policy())[2]}


def test_what_the_scheduler_does_otherwise_is_told() -> None:
    again = ExitRule(action=ExitAction.RETRY, codes=(), retry=Retry(limit=2))
    limited = Resources(name="r", walltime=600)
    retried = flow(task("t", "true", resources="r", exit_rules=(again,)), resources=(limited,))
    assert codes(retried) == {"PWX3424"}
    assert codes(retried, retry="inside") == set()
    late = Resources(name="r", nodes=Ref(Root.TASK_OUTPUT, ("a", "n")))
    asked = task("t", "true", needs=["a"], resources="r")
    assert codes(flow(task("a", "true"), asked, resources=(late,))) == {"PWX3415"}
    many = sweep("i", 1, 3, limit=Ref(Root.TASK_OUTPUT, ("a", "n")))
    assert codes(flow(task("a", "true"), task("t", "true", needs=["a"], sweep=many))) == {"PWX3415"}
    pair = Gang(name="g", members=("a", "b"), lead="a")
    wide = Resources(name="wide", nodes=2)
    members = [task(name, "true", resources="wide") for name in ("a", "b")]
    assert codes(flow(*members, gangs=(pair,), resources=(wide,))) == {"PWX3440"}


@pytest.mark.parametrize(("limit", "words"), [(600.0, ["--deadline=now+720seconds"]), (None, [])])
def test_a_root_has_a_deadline_and_what_follows_gets_one_later(
    stage: StageMaker, limit: float | None, words: list[str]
) -> None:
    root = task("a", "true", run_timeout=limit, queue_timeout=60)
    run = stage(flow(root, task("b", "true", needs=["a"], run_timeout=limit, queue_timeout=60)))
    run("--run-dir", "run")
    assert [word for word in run.calls()[0] if word.startswith("--deadline")] == words
    assert "--deadline" not in run.options("b")
    assert (run.folder / "run/deadlines.tsv").exists() is bool(words)
