"""The scripts of jobs, run without Slurm: limits, attempts, what others do, secrets and containers."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import attrs
import pytest

from pwxc.ir.data import InlineFile, Read, Secret, TaskOutput
from pwxc.ir.expr import Binary, Expr, Literal, Ref, Root
from pwxc.ir.inputs import Input, InputType
from pwxc.ir.resources import Container, Resources
from pwxc.ir.sweep import Sweep
from pwxc.ir.task import ExitAction, ExitRule, Gang, Retry, Step, Task
from pwxc.ir.template import Template, text
from pwxc.ir.workflow import Workflow
from tests.slurm.flows import after, command, flow, note, put, script, sweep, task, written

SBATCH = "#!/bin/bash\nread -r n <$PLACE/n; echo $((n + 1)) >$PLACE/n; echo $n\n"
SCONTROL = "#!/bin/bash\n[[ $1 == release ]]\n"
HET = '#!/bin/bash\nprintf "%s|" "$@" >>"$PLACE/called"; printf "\\n" >>"$PLACE/called"\n'


@attrs.frozen
class Bench:
    """A run's folder as `submit.sh` makes it, and the scripts in it."""

    folder: Path

    @property
    def run(self) -> Path:
        return self.folder / "run"

    def prepare(self, workflow: Workflow, *arguments: str, **options: str) -> None:
        submit = put(written(workflow, **options), self.folder / "out")
        programs = self.folder / "bin"
        programs.mkdir(exist_ok=True)
        (self.folder / "n").write_text("7\n")
        for name, content in (("sbatch", SBATCH), ("scontrol", SCONTROL), ("scancel", HET), ("squeue", HET)):
            (programs / name).write_text(content)
            (programs / name).chmod(0o755)
        words = [str(submit), "--run-dir", str(self.run), *arguments]
        subprocess.run(words, env=self.environment(), check=False, capture_output=True)

    def environment(self, **more: str) -> dict[str, str]:
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        return {**os.environ, "PATH": path, "PLACE": str(self.folder), "HOME": str(self.folder), **more}

    def start(self, name: str, **more: str) -> subprocess.Popen[str]:
        words = ["bash", str(self.run / "scripts" / name), str(self.run)]
        return subprocess.Popen(
            words, env=self.environment(**more), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def __call__(self, name: str, **more: str) -> tuple[int, str]:
        process = self.start(f"{name}.sbatch", **more)
        out, said = process.communicate(timeout=60)
        return process.returncode, out + said

    def state(self, name: str) -> str:
        return (self.run / "state" / name).read_text().strip()

    @property
    def order(self) -> list[str]:
        path = self.run / "order"
        return path.read_text().split() if path.exists() else []


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def again(*codes: int, limit: int = 2, **more: object) -> ExitRule:
    ranges = tuple((code, code) for code in codes)
    return ExitRule(action=ExitAction.RETRY, codes=ranges, retry=Retry(limit=limit), **more)  # type: ignore[arg-type]


# limits


def test_a_limit_that_is_not_whole_minutes_is_kept_by_the_script(bench: Bench) -> None:
    steps = (script(*note("one"), "sleep 30"), script(*note("two")))
    bench.prepare(flow(Task(name="t", steps=steps, cleanup=(script(*note("clean")),), run_timeout=1.0)))
    began = time.monotonic()
    assert bench("t")[0] == 124
    assert time.monotonic() - began < 10
    assert (bench.order, bench.state("t")) == (["one", "clean"], "failed")


def test_a_class_of_resources_limits_to_the_second(bench: Bench) -> None:
    short = Resources(name="r", walltime=1)
    bench.prepare(flow(task("t", "sleep 30", resources="r"), resources=(short,)))
    assert bench("t")[0] == 124


def test_an_input_says_how_long_a_task_may_run(bench: Bench) -> None:
    limit = Ref(Root.INPUT, ("limit",))
    workflow = flow(
        task("t", "sleep 30", run_timeout=limit), inputs=(Input(name="limit", default="2h", has_default=True),)
    )
    bench.prepare(workflow, "--limit", "1s")
    assert bench("t")[0] == 124


def test_the_whole_run_is_over_in_time(bench: Bench) -> None:
    bench.prepare(flow(task("t", *note("t"), "sleep 30"), task("late", *note("late")), timeout=2.0))
    assert bench("t", SLURM_JOB_ID="7")[0] == 143
    assert bench.state("t") == "cancelled"
    time.sleep(0.5)
    assert bench("late")[0] == 143
    assert bench.order == ["t"]
    cancelled = (bench.folder / "called").read_text()
    assert "--quiet|--state=PENDING|7|" in cancelled
    assert "--quiet|--state=PENDING|8|" in cancelled


# attempts


def test_attempts_stay_inside_where_slurm_takes_no_job_back(bench: Bench) -> None:
    rule = again(8, recovery=Template.of("echo fix$PWXC_EXIT_CODE >>", Ref(Root.RUN_FOLDER), "/order"))
    body = (*note("try"), "[ $PWXC_ATTEMPT = 2 ] || exit 8")
    bench.prepare(flow(task("t", *body, exit_rules=(rule,))))
    assert bench("t", SLURM_JOB_ID="5")[0] == 0
    assert bench.order == ["try", "fix8", "try", "fix8", "try"]


def test_a_requeue_ends_the_attempt_and_the_next_one_counts_on(bench: Bench) -> None:
    bench.prepare(flow(task("t", *note("try"), "exit 8", exit_rules=(again(8),))))
    scontrol = '#!/bin/bash\n[[ $1 == requeue ]] && echo "$*" >>"$PLACE/requeued"\n'
    (bench.folder / "bin/scontrol").write_text(scontrol)
    assert [bench("t", SLURM_JOB_ID="5")[0] for _ in range(3)] == [0, 0, 8]
    assert (bench.folder / "requeued").read_text() == "requeue 5\nrequeue 5\n"
    assert (bench.order, bench.state("t")) == (["try", "try", "try"], "failed")
    assert bench("t", SLURM_JOB_ID="6")[0] == 0, "another submission starts to count anew"


def test_without_a_retry_left_the_code_decides(bench: Bench) -> None:
    bench.prepare(flow(task("t", *note("try"), "exit 0", exit_rules=(again(0, limit=1),))))
    assert bench("t")[0] == 0
    assert (bench.order, bench.state("t")) == (["try", "try"], "succeeded")


def test_cleanups_run_once_in_reverse_after_the_last_attempt(bench: Bench) -> None:
    steps = tuple(script(*note(name), cleanup=Template.of(*note(f"undo-{name}"))) for name in ("a", "b"))
    failing = (*steps, script("exit 3"))
    bench.prepare(
        flow(Task(name="t", steps=failing, cleanup=(script(*note("last")),), exit_rules=(again(3, limit=1),)))
    )
    assert bench("t")[0] == 3
    assert bench.order == ["a", "b", "a", "b", "undo-b", "undo-a", "last"]


# others


def test_a_step_stops_when_another_task_fails(bench: Bench) -> None:
    steps = (
        script("sleep 30", stop_when_another_fails=True),
        script(*note("canceled"), condition=Ref(Root.STATUS, ("canceled",))),
        script(*note("never")),
    )
    bench.prepare(flow(Task(name="t", steps=steps), task("bad", "exit 1")))
    watching = bench.start("t.sbatch")
    time.sleep(1)
    assert bench("bad")[0] == 1
    watching.communicate(timeout=20)
    assert watching.returncode == 143
    assert (bench.order, bench.state("t")) == (["canceled"], "cancelled")


def test_failures_before_its_start_do_not_stop_a_step(bench: Bench) -> None:
    step = script(*note("ran"), stop_when_another_fails=True)
    bench.prepare(flow(Task(name="t", steps=(step,), needs=(after("bad"),)), task("bad", "exit 1")))
    bench("bad")
    assert bench("t")[0] == 0


@pytest.mark.parametrize("said", ["", "true", "false"])
def test_an_instance_that_fails_cancels_the_others(bench: Bench, said: str) -> None:
    strict = Ref(Root.INPUT, ("strict",))
    ties: Sweep = sweep("i", 0, 3, fail_fast=strict if said else True)
    inputs = (Input(name="strict", type=InputType.BOOLEAN, default=True, has_default=True),)
    workflow = flow(task("t", "[ ", Ref(Root.SWEEP, ("i",)), " != 1 ]", sweep=ties), inputs=inputs)
    bench.prepare(workflow, "--strict", said or "true")
    (bench.folder / "bin/squeue").write_text("#!/bin/sh\nprintf '7_0\\n7_1\\n7_2\\n'\n")
    assert bench("t", SLURM_ARRAY_TASK_ID="0", SLURM_ARRAY_JOB_ID="7")[0] == 0
    assert not (bench.folder / "called").exists()
    assert bench("t", SLURM_ARRAY_TASK_ID="1", SLURM_ARRAY_JOB_ID="7")[0] == 1
    if said == "false":
        assert not (bench.folder / "called").exists()
    else:
        assert (bench.folder / "called").read_text() == "--quiet|7_0|7_2|\n"


@pytest.mark.parametrize("strict", [True, Binary("==", Ref(Root.INPUT, ("mode",)), Literal("strict")), False])
def test_a_gang_that_fails_cancels_the_others(bench: Bench, strict: bool | Expr) -> None:
    ties: Sweep = sweep("i", 0, 3, fail_fast=strict)
    workflow = flow(
        task("a", "true", sweep=ties), task("b", "true", sweep=ties),
        gangs=(Gang(name="g", members=("a", "b"), lead="a"),),
        inputs=(Input(name="mode", default="strict", has_default=True),),
    )  # fmt: skip
    bench.prepare(workflow)
    (bench.folder / "bin/squeue").write_text("#!/bin/sh\nprintf '7_0\\n7_1\\n7_2\\n'\n")
    for name, body in (("srun", "exit 3"), ("scontrol", "echo n1; echo n2")):
        (bench.folder / "bin" / name).write_text(f"#!/bin/sh\n{body}\n")
        (bench.folder / "bin" / name).chmod(0o755)
    assert bench("g", SLURM_ARRAY_TASK_ID="1", SLURM_ARRAY_JOB_ID="7", SLURM_JOB_NODELIST="n[1-2]")[0] == 3
    assert ("--quiet|7_0|7_2|" in (bench.folder / "called").read_text()) is bool(strict)


def test_a_job_starts_the_clock_of_what_waits_for_it(bench: Bench) -> None:
    late = task("late", "true", needs=["a", "b"], run_timeout=90, queue_timeout=600)
    bench.prepare(flow(task("a", "true"), task("b", "false"), late, task("c", "true", needs=["a"])))
    scontrol = '#!/bin/bash\n[[ $1 == update ]] && echo "$*" >>"$PLACE/clocks"\n'
    (bench.folder / "bin/scontrol").write_text(scontrol)
    for name in ("a", "b", "c", "late"):
        bench(name)
    # ten minutes in the queue, three for the work, one between the two ends
    assert (bench.folder / "clocks").read_text() == "update JobId=9 Deadline=now+840seconds\n" * 2


def test_what_is_stopped_may_say_good_bye(bench: Bench) -> None:
    body = ("bash -c 'trap \"sleep 0.3; echo bye >>$PWXC_RUN/order; exit\" TERM; sleep 30 & wait'",)
    bench.prepare(flow(task("t", *body, run_timeout=1)))
    assert bench("t")[0] == 124
    assert bench.order == ["bye"]


@pytest.mark.parametrize(("told", "ran"), [(["0", "1"], False), (["0"], True), ([], True)])
def test_an_instance_that_told_nothing_was_cancelled(bench: Bench, told: Sequence[str], ran: bool) -> None:
    watch = task("watch", *note("watch"), needs=[after("many")], condition=Ref(Root.STATUS, ("canceled",)))
    bench.prepare(flow(task("many", "true", sweep=sweep("i", 0, 1)), watch))
    for index in told:
        (bench.run / f"state/many.{index}").write_text("succeeded\n")
    assert bench("watch")[0] == 0
    assert bench.state("watch") == ("succeeded" if ran else "skipped")


def test_a_name_that_looks_like_an_instance_has_files_of_its_own(bench: Bench) -> None:
    bench.prepare(flow(task("a", "true", sweep=sweep("i", 0, 1)), task("a.1", "exit 3")))
    assert bench("a", SLURM_ARRAY_TASK_ID="1")[0] == 0
    assert bench("a_1")[0] == 3
    assert (bench.state("a.1"), bench.state("a_1")) == ("succeeded", "failed")


@pytest.mark.parametrize("barrier", [True, False])
def test_members_wait_for_each_others_data(bench: Bench, barrier: bool) -> None:
    reads = (Read(name="0", origin=TaskOutput("first"), pattern=".*"),)
    workflow = flow(
        task("first", "true"), task("a", *note("a"), reads=reads), task("b", *note("b"), reads=reads),
        gangs=(Gang(name="g", members=("a", "b"), lead="a", barrier=barrier, needs=(after("first"),)),),
    )  # fmt: skip
    bench.prepare(workflow)
    place = bench.folder / "barrier"
    place.mkdir()
    shared = {"PWXC_MEMBERS": "2", "PWXC_BARRIER": str(place) if barrier else ""}
    assert ("PWXC_BARRIER=$PWXC_RUN" in (bench.run / "scripts/g.sbatch").read_text()) is barrier
    first = bench.start("g.a.sh", **shared)
    time.sleep(1)
    assert bench.order == ([] if barrier else ["a"])
    bench.start("g.b.sh", **shared).communicate(timeout=20)
    first.communicate(timeout=20)
    assert sorted(bench.order) == ["a", "b"]


# secrets and containers


def test_a_secret_comes_from_a_file_that_only_its_owner_can_read(bench: Bench) -> None:
    secrets = (Secret(name="store", variables=(("TOKEN", "key"),)), Secret(name="folder", folder=text("/secret/in")))
    steps = (command("bash", "-c", 'printf %s "$TOKEN" "$(cat "$1"/*)"', "x", "/secret/in"),)
    workflow = flow(Task(name="t", steps=steps, secrets=secrets))
    bench.prepare(workflow)
    assert bench("t")[0] == 1
    for name, value in (("store/key", "it's $1"), ("folder/file", "inside")):
        path = bench.folder / ".pwxc/secrets" / name
        path.parent.mkdir(parents=True)
        path.write_text(value)
        path.chmod(0o644)
    code, said = bench("t")
    assert (code, "others can read" in said) == (1, True)
    for name in ("store/key", "folder/file"):
        (bench.folder / ".pwxc/secrets" / name).chmod(0o600)
    assert bench("t") == (0, "it's $1inside")
    assert not any("it's" in path.read_text() for path in bench.run.rglob("*") if path.is_file())


def contained() -> Workflow:
    container = Container(image=text("a.io/b:1"), mounts=("/data:/d:ro",))
    step: Step = command("printf", "%s", "it's")
    files = (InlineFile(path=text("/etc/x"), contents=text("1")),)
    gpus = Resources(name="g", gpus=1)
    return flow(Task(name="t", steps=(step,), container=container, files=files, resources="g"), resources=(gpus,))


@pytest.mark.parametrize(
    ("way", "program", "expected"),
    [
        ("apptainer", "apptainer", ["exec", "--nv", "/data:/d:ro", "docker://a.io/b:1", "it's"]),
        ("pyxis", "srun", ["--container-image=a.io#b:1", "it's"]),
        ("none", "", []),
    ],
)
def test_an_image_is_run_by_the_tool_that_was_asked_for(
    bench: Bench, way: str, program: str, expected: Sequence[str]
) -> None:
    bench.prepare(contained(), container=way)
    for name in ("apptainer", "srun"):
        (bench.folder / "bin" / name).write_text(HET)
        (bench.folder / "bin" / name).chmod(0o755)
    code, said = bench("t")
    assert code == 0
    if not program:
        assert said == "it's"
        return
    words = (bench.folder / "called").read_text().strip().split("|")
    assert [word for word in words if word in expected] == list(expected)
    whole = " ".join(words)
    assert f"{bench.run}" in whole
    assert "/work/t/files/etc/x:/etc/x" in whole
