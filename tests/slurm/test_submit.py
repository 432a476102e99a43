"""What the submit script does, sentence by sentence, with stand-ins for Slurm that write down how they are called."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import attrs
import pytest

from pwxc import api
from pwxc.diagnostics import Severity
from pwxc.ir.expr import Binary, Call, Literal, Ref, Root
from pwxc.ir.inputs import Choice, Input, InputType
from pwxc.ir.resources import Resources
from pwxc.ir.sweep import Parameter, Range, Sweep
from pwxc.ir.task import ExitAction, ExitRule, Outcome, Retry, Task
from pwxc.ir.template import Template
from pwxc.ir.workflow import Hook, RunCommands, Trigger, Workflow
from pwxc.source import Source
from tests.slurm.flows import OUTPUT, after, flow, note, put, sweep, task, written

SBATCH = r"""#!/bin/bash
number=100
if [[ -f $PLACE/number ]]; then read -r number <"$PLACE/number"; fi
number=$((number + 1))
echo "$number" >"$PLACE/number"
for word; do
  folder=${word#--output=}
  folder=${folder%/*}
  if [[ $word == --output=/*.out && ! -d ${folder//%%/%} ]]; then exit 9; fi
done
{ printf '%s\037' "$@"; printf '\036'; } >>"$PLACE/calls"
if [[ $number == "${FAILS-}" ]]; then echo 'sbatch: error: refused' >&2; exit 1; fi
if [[ -n ${SLOW-} ]]; then touch "$PLACE/sleeping"; sleep "$SLOW"; fi
echo "$number;cluster"
"""
OTHER = """#!/bin/bash
{ printf '%s\\037' "${0##*/}" "$@"; printf '\\036'; } >>"$PLACE/others"
if [[ ${0##*/} == squeue && -f $PLACE/queue ]]; then cat "$PLACE/queue"; fi
"""
X = Ref(Root.INPUT, ("x",))


@attrs.frozen
class Stage:
    """A folder with the scripts and stand-ins for Slurm's commands."""

    folder: Path
    submit: Path

    def environment(self, **more: str) -> dict[str, str]:
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        return {**os.environ, "PATH": path, "PLACE": str(self.folder), "PWXC_PAUSE": "0.05", **more}

    def __call__(self, *words: str, code: int | None = 0, **more: str) -> str:
        done = subprocess.run(
            [str(self.submit), *words], capture_output=True, text=True, check=False, timeout=60,
            env=self.environment(**more), cwd=self.folder,
        )  # fmt: skip
        assert code is None or done.returncode == code, done.stderr
        return done.stdout + done.stderr

    def calls(self, name: str = "calls") -> list[list[str]]:
        path = self.folder / name
        if not path.exists():
            return []
        return [call.split("\x1f")[:-1] for call in path.read_text().split("\x1e")[:-1]]

    def others(self, command: str) -> list[list[str]]:
        return [call[1:] for call in self.calls("others") if call[0] == command]

    def options(self, name: str) -> dict[str, str]:
        """The options of the latest submission of a job, by its name in files."""
        for call in reversed(self.calls()):
            if any(word.endswith(f"/{name}.sbatch") for word in call):
                return dict(word.partition("=")[::2] for word in call if word.startswith("--"))
        raise KeyError(name)

    def queue(self, *lines: str) -> None:
        (self.folder / "queue").write_text("".join(f"{line}\n" for line in lines))

    def tell(self, run: str, **states: str) -> None:
        for name, state in states.items():
            (self.folder / run / "state" / name.replace("__", ".")).write_text(f"{state}\n")


@pytest.fixture
def stage(tmp_path: Path) -> StageMaker:
    return StageMaker(tmp_path)


@attrs.frozen
class StageMaker:
    folder: Path

    def __call__(self, workflow: Workflow, **options: str) -> Stage:
        programs = self.folder / "bin"
        programs.mkdir(exist_ok=True)
        for name in ("sbatch", "scancel", "scontrol", "squeue"):
            (programs / name).write_text(SBATCH if name == "sbatch" else OTHER)
            (programs / name).chmod(0o755)
        return Stage(self.folder, put(written(workflow, **options), self.folder / "out"))


def chain(*names: str) -> tuple[Task, ...]:
    return tuple(task(name, *note(name), needs=names[at - 1 : at] if at else ()) for at, name in enumerate(names))


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
    run("--run-dir", name)
    listed = (run.folder / name / "submitted.tsv").read_text().splitlines()
    assert [line.split("\t")[:2] for line in listed] == [["a", "101"], ["b", "102"]]
    assert run.options("a")["--output"] == f"{run.folder}/{name}/logs/a.%j.out".replace(name, name.replace("%", "%%"))
    assert (run.folder / name / "scripts/a.sbatch").exists()


def test_two_runs_have_two_folders(stage: StageMaker) -> None:
    run = stage(flow(task("a", "true")))
    run()
    run()
    assert len(list((run.folder / "runs").iterdir())) == 2


# when something goes wrong


def test_what_was_submitted_is_cancelled_when_a_later_submission_fails(stage: StageMaker) -> None:
    run = stage(flow(*chain("a", "b", "c")))
    assert "cancelling" in run("--run-dir", "run", code=1, FAILS="103")
    assert run.others("scancel") == [["101", "102"]]
    assert run.others("scontrol") == []


def test_ctrl_c_cancels_what_was_submitted(stage: StageMaker) -> None:
    run = stage(flow(*chain("a", "b")))
    process = subprocess.Popen(
        [str(run.submit), "--run-dir", "run"], env=run.environment(SLOW="0.5"), cwd=run.folder,
        stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    while len(run.calls()) < 2:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(timeout=20) == 130
    assert run.others("scancel") == [["101"]]
    assert run.others("scontrol") == []


def test_an_answer_that_is_no_id_is_a_failure(stage: StageMaker) -> None:
    run = stage(flow(*chain("a", "b")))
    (run.folder / "bin/sbatch").write_text("#!/bin/sh\nexit 0\n")
    assert "gave no id for a" in run("--run-dir", "run", code=1)


# afterwards


def test_resume_submits_what_did_not_succeed(stage: StageMaker) -> None:
    many = task("many", "true", sweep=sweep("i", 0, 4, limit=2))
    run = stage(flow(*chain("a", "b", "c"), many, task("end", "true", needs=["many"]),
                     task("tidy", "true", needs=[after("b")])))  # fmt: skip
    run("--run-dir", "run")
    run.tell("run", a="succeeded", b="failed", tidy="succeeded", many__0="succeeded", many__1="failed",
             many__2="succeeded")  # fmt: skip
    (run.folder / "calls").unlink()
    run("--run-dir", "run", "--resume")
    names = [next(word for word in call if word.endswith(".sbatch")).rpartition("/")[2] for call in run.calls()]
    assert names == ["b.sbatch", "c.sbatch", "many.sbatch", "end.sbatch", "tidy.sbatch"]
    assert "--dependency" not in run.options("b")
    assert run.options("c")["--dependency"] == "afterok:107"
    assert run.options("many")["--array"] == "1,3,4%2"


def test_resume_keeps_the_inputs(stage: StageMaker) -> None:
    run = stage(flow(task("t", "true"), inputs=inputs_of_every_kind()))
    run("--must", "it's", "--run-dir", "run")
    run("--resume", "--run-dir", "run")
    assert "PWXC_IN_must=it\\'s" in (run.folder / "run/inputs.sh").read_text()


def test_the_state_is_slurms_own_not_only_what_a_job_told(stage: StageMaker) -> None:
    run = stage(flow(*chain("a", "b", "c"), task("many", "true", sweep=sweep("i", 0, 2)), task("never", "true")))
    run("--run-dir", "run")
    run.tell("run", a="succeeded", b="succeeded", many__0="succeeded")
    run.queue(
        "101 N/A COMPLETED None", "102 N/A NODE_FAIL NodeDown", "103 N/A PENDING Dependency",
        "104 0 COMPLETED None", "104 1 TIMEOUT TimeLimit", "104 2 RUNNING None", "999 N/A RUNNING None",
    )  # fmt: skip
    shown = {line.split()[0]: line.split()[1:] for line in run("--status", "--run-dir", "run").splitlines()}
    assert shown["a"] == ["101", "succeeded"]
    assert shown["b"] == ["102", "node_fail"]
    assert shown["c"] == ["103", "pending"]
    assert set(" ".join(shown["many"][1:]).split(", ")) == {"succeeded 1 of 3", "timeout 1 of 3", "running 1 of 3"}
    assert shown["never"] == ["105", "unknown"]


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [
        ("101 N/A COMPLETED None", "102 N/A COMPLETED None", 0),
        ("101 N/A FAILED NonZeroExitCode", "102 N/A CANCELLED DependencyNeverSatisfied", 1),
        ("101 N/A COMPLETED None", "102 N/A CANCELLED None", 1),
        ("101 N/A COMPLETED None", "102 N/A TIMEOUT TimeLimit", 1),
    ],
)
def test_waiting_says_whether_all_succeeded(stage: StageMaker, first: str, second: str, code: int) -> None:
    run = stage(flow(*chain("a", "b")))
    run.queue(first, second)
    run("--wait", "--run-dir", "run", code=code)


def test_what_was_not_needed_is_no_failure(stage: StageMaker) -> None:
    run = stage(flow(task("a", "true"), task("rescue", "true", needs=[after("a", Outcome.FAILURE)]),
                     task("after-rescue", "true", needs=["rescue"])))  # fmt: skip
    hopeless = "N/A CANCELLED DependencyNeverSatisfied"
    run.queue("101 N/A COMPLETED None", f"102 {hopeless}", f"103 {hopeless}")
    assert run("--wait", "--run-dir", "run").count("skipped") == 2


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
