"""What the submit script does when something goes wrong, and afterwards: undoing, --resume, --status, --wait."""

from __future__ import annotations

import os
import signal
import subprocess
import time

import pytest

from pwxc.ir.expr import Binary, Literal, Ref, Root
from pwxc.ir.inputs import Input
from pwxc.ir.task import Outcome
from tests.slurm.flows import after, flow, sweep, task
from tests.slurm.stage import StageMaker, chain

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
    # the call that went on when the key was pressed was accepted too
    assert run.others("scancel") == [["101", "102"]]
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


def test_resume_of_a_split_array_submits_the_missing_indexes_of_each_part(stage: StageMaker) -> None:
    ties = sweep("i", 1, 10)
    tied = after("many", Outcome.SUCCESS, same_instance=True)
    run = stage(flow(task("many", "true", sweep=ties), task("tied", "true", sweep=ties, needs=[tied]),
                     task("first", "true", needs=[after("many", any_instance=True)])), max_array_size="4")  # fmt: skip
    run("--run-dir", "run")
    assert [options["--array"] for options in run.all_options("many")] == ["0-3", "0-3", "0-1"]
    assert [options["--dependency"] for options in run.all_options("tied")] == [
        "aftercorr:101", "aftercorr:102", "aftercorr:103",
    ]  # fmt: skip
    for index in {0, 1, 2, 3, 4, 6, 8, 9}:
        run.tell("run", **{f"many__{index}": "succeeded"})
    for index in {0, 2, 4, 6, 8}:
        run.tell("run", **{f"tied__{index}": "succeeded"})
    (run.folder / "calls").unlink()
    run("--run-dir", "run", "--resume")
    assert [options["--array"] for options in run.all_options("many")] == ["1,3"]
    assert [(options["--array"], options.get("--dependency", "")) for options in run.all_options("tied")] == [
        ("1,3", ""), ("1,3", "aftercorr:109"), ("1", ""),
    ]  # fmt: skip
    assert "--dependency" not in run.options("first"), "an instance has ended before"


def test_resume_decides_anew_about_what_was_skipped(stage: StageMaker) -> None:
    fine = Ref(Root.STATUS, ("completed",))
    run = stage(flow(task("a", "true"), task("b", "true", needs=[after("a")], condition=fine),
                     task("c", "true", needs=["b"])))  # fmt: skip
    run("--run-dir", "run")
    run.tell("run", a="failed", b="skipped", c="skipped")
    (run.folder / "calls").unlink()
    run("--run-dir", "run", "--resume")
    assert [run.options(name).get("--dependency") for name in ("a", "b", "c")] == [
        None, "afterany:104", "afterok:105",
    ]  # fmt: skip
    assert list((run.folder / "run/state").iterdir()) == []


@pytest.mark.parametrize("word", ["--resume", "--dry-run", ""])
def test_a_folder_has_one_run_and_one_script_at_work(stage: StageMaker, word: str) -> None:
    run = stage(flow(task("a", "true")))
    run("--run-dir", "run")
    words = [word] if word else []
    if not word:
        assert "has a run already" in run("--run-dir", "run", code=2)
        return
    (run.folder / "run/.submitting").mkdir()
    assert ("another submit.sh works in" in run("--run-dir", "run", *words, code=None)) is (word == "--resume")
    (run.folder / "run/.submitting").rmdir()
    run.queue("101 N/A PENDING Resources")
    assert ("have not ended" in run("--run-dir", "run/", *words, code=None)) is (word == "--resume")


def test_the_scripts_are_found_through_a_link_from_anywhere(stage: StageMaker) -> None:
    run = stage(flow(task("a", "true")))
    link = run.folder / "an other\nplace" / "go"
    link.parent.mkdir()
    link.symlink_to(run.submit)
    words = [str(link), "--run-dir", "../run//"]
    subprocess.run(words, env=run.environment(), cwd=link.parent, check=False, capture_output=True)
    assert run.calls() == []  # the name of the folder that it is called from would be in the name of the run
    subprocess.run([str(link), "--run-dir", str(run.folder / "run//")], env=run.environment(), check=True)
    assert "PWXC_RUN_ID=run " in (run.folder / "run/inputs.sh").read_text()


def test_resume_with_another_value_decides_anew(stage: StageMaker) -> None:
    mode = Ref(Root.INPUT, ("mode",))
    full = Input(name="mode", default="quick", has_default=True)
    run = stage(flow(task("a", "true", condition=Binary("==", mode, Literal("full"))), inputs=(full,)))
    run("--run-dir", "run")
    run("--run-dir", "run", "--resume")
    assert run.calls() == []
    run("--run-dir", "run", "--resume", "--mode", "full")
    assert len(run.all_options("a")) == 1


def test_resume_keeps_the_inputs(stage: StageMaker) -> None:
    run = stage(flow(task("t", "true"), inputs=(Input(name="must"),)))
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


def test_what_never_began_of_an_array_is_one_line_of_slurms(stage: StageMaker) -> None:
    run = stage(flow(task("many", "true", sweep=sweep("i", 0, 5))), max_array_size="4")
    run("--run-dir", "run")
    run.tell("run", many__0="succeeded", many__1="failed", many__4="succeeded")
    run.queue("101 0 COMPLETED None", "101 1 FAILED NonZeroExitCode", "101 N/A CANCELLED None", "102 0 COMPLETED None",
              "102 1 TIMEOUT TimeLimit")  # fmt: skip
    shown = run("--status", "--run-dir", "run").splitlines()[1].split(None, 2)[2]
    assert set(shown.split(", ")) == {"succeeded 2 of 6", "failed 1 of 6", "cancelled 2 of 6", "timeout 1 of 6"}


def test_what_slurm_has_forgotten_follows_from_the_rest(stage: StageMaker) -> None:
    """Slurm forgets a job some minutes after its end; what was not needed has told nothing."""
    run = stage(flow(task("a", "true"), task("rescue", "true", needs=[after("a", Outcome.FAILURE)]),
                     task("behind", "true", needs=["rescue"])))  # fmt: skip
    run("--run-dir", "run")
    run.tell("run", a="succeeded")
    assert run("--status", "--run-dir", "run").count("skipped") == 2
    run.tell("run", a="failed")
    shown = run("--status", "--run-dir", "run")
    assert ("unknown" in shown, "cancelled" in shown, "skipped" in shown) == (True, True, False)


def test_a_silent_squeue_is_no_end(stage: StageMaker) -> None:
    run = stage(flow(task("a", "true")))
    (run.folder / "bin/squeue").write_text("#!/bin/sh\nexit 1\n")
    run("--run-dir", "run")
    assert "squeue gives no answer" in run("--status", "--run-dir", "run")
    assert "squeue does not say" in run("--resume", "--run-dir", "run", code=2)
    answers = '#!/bin/sh\n[ -e "$PLACE/asked" ] || { touch "$PLACE/asked"; exit 1; }\necho "102 N/A COMPLETED None"\n'
    (run.folder / "bin/squeue").write_text(answers)
    run("--wait", "--run-dir", "other")


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
