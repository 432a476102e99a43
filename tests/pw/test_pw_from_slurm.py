"""What ACTIVATE's job runner submits for a Slurm script, read again as `sbatch` would read it (slurm.md §6, §21)."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import pwxc
from pwxc.compiler import Compilation
from pwxc.diagnostics import Severity
from pwxc.source import Source
from pwxc_targets.slurm.batch.directives import read_directives
from pwxc_targets.slurm.batch.table import NONE, OPTIONS

FIELDS = ("account", "partition", "qos", "time", "nodes", "cpus_per_task", "gres", "mem", "constraint", "array")
OF_RUNNER = {"job-name": "x", "chdir": "/run", "output": "/run/out", "error": "/run/out"}
"""What the job runner asks for itself, where the lines behind do not say it again."""


def compiled(text: str, **options: str) -> Compilation:
    return pwxc.compile(text, to="pw", origin="slurm", options=options)


def script(*lines: str, body: str = "srun ./a\n") -> str:
    return "#!/bin/bash\n" + "".join(f"#SBATCH {line}\n" for line in lines) + body


def jobs(done: Compilation) -> dict[str, Any]:
    assert done.files, [item.message for item in done.diagnostics]
    found: dict[str, Any] = yaml.safe_load(done.files[0].text)["jobs"]
    return found


def call(done: Compilation) -> dict[str, Any]:
    """Give what the job runner of the only job is called with."""
    (job,) = jobs(done).values()
    inputs: dict[str, Any] = next(step["with"] for step in job["steps"] if "uses" in step)
    return inputs


def submitted(inputs: dict[str, Any]) -> str:
    """Write the script that the job runner makes of its inputs: `echo "#SBATCH …"` and what it takes out again."""
    group = {name: str(value).replace("${{ inputs.folder }}", "/work") for name, value in inputs["slurm"].items()}
    shell = [f'echo "#SBATCH --{name}={value}"' for name, value in OF_RUNNER.items()]
    given = [name for name in FIELDS if group.get(name, "undefined") not in ("", "undefined")]
    shell += [f'echo "#SBATCH --{name.replace("_", "-")}={group[name]}"' for name in given]
    if (lines := group.get("scheduler_directives")) is not None:
        shell.append(f'echo "{lines}"')
    told = subprocess.run(["bash", "-c", "\n".join(shell)], capture_output=True, text=True, check=True).stdout
    kept = [
        line
        for line in told.split("\n")
        if line.strip() and not re.search(r"^#SBATCH --[^=]*=$|^#SBATCH.*undefined|^#SBATCH.*=none$", line)
    ]
    return "\n".join([inputs["shebang"], *kept, "echo"]) + "\n"


def told(text: str) -> list[dict[str, str | None]]:
    newest = read_directives(text, version="26.05", folder="/work")
    reading = newest if newest.accepted else read_directives(text, folder="/work")
    assert reading.accepted, reading.faults
    return [component.settings.told() for component in reading.components]


VALUES = {
    "flag": "", "text": "some", "acctg": "task=30", "moment": "2030-01-01", "folder": "/data", "count": "2",
    "duration": "2:00:00", "delay": "10", "size": "2G", "nodes": "2", "gres": "gpu:a100:2", "spec": "1",
    "cpu_freq": "low", "distribution": "block:cyclic", "stream": "/data/%j.out", "exclusive": "user", "shape": "1:2",
    "user_env": "10", "identity": "0", "gpu_bind": "closest", "gpu_freq": "low", "gres_flags": "disable-binding",
    "yes_no": "yes", "mail": "END", "mem_bind": "local", "nice": "10", "no_kill": "off", "nodefile": "/data/nodes",
    "nodelist": "n1", "open_mode": "append", "power": "level", "priority": "5", "profile": "task", "propagate": "STACK",
    "signal": "R:USR1@60", "switches": "1@10", "zero_one": "1", "requeue": "", "early": "x",
}  # fmt: skip
OWN_VALUES = {
    "array": "1-3", "dependency": "singleton", "exclude": "n1,n[2-3]", "gpus": "2", "gpus-per-node": "a100:2",
    "gpus-per-task": "1", "gpus-per-socket": "1", "export": "ALL,A=1", "mem-per-gpu": "2G", "constraint": "a&(b|c)",
    "licenses": "x:1", "bb": "#BB create", "comment": "it's # 5 $HOME \"q\" \\ `x`", "hint": "nomultithread",
    "account": "a$(echo b)", "wckey": "a\\b", "network": "undefined", "reservation": "none",
}  # fmt: skip


def directive(name: str, value: str) -> str:
    """Write an option with its value in quotes."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'--{name}="{escaped}"' if value else f"--{name}"


MEANT_OTHERWISE = {
    # the run's folder, a matrix, or nothing that a job has
    "chdir": 'cd "/data" || exit', "array": "matrix",
}  # fmt: skip
AS_WELL = {"gpus": "--gres=gpu:2", "gpus-per-node": "--gres=gpu:a100:2"}
"""Options for which there is another that says the same of a job on one node."""
SILENT = frozenset(
    ["help", "usage", "version", "verbose", "quiet", "wrap", "parsable", "wait", "test-only", "ignore-pbs"]
)
"""Options that say something to the caller of `sbatch` only: here that is the job runner, which reads what it says."""


def test_options_for_the_caller_are_left_out() -> None:
    done = compiled(script("--parsable --quiet --wait --ignore-pbs -v", "--test-only"))
    assert call(done)["slurm"]["scheduler_directives"] == "#SBATCH --job-name=<text>\n"
    (found,) = [item for item in done.diagnostics if "--test-only" in item.message]
    assert found.span is not None
    assert found.span.text == "--test-only"


@pytest.mark.parametrize(
    "option", [option for option in OPTIONS if option.name not in SILENT], ids=lambda item: item.name
)
def test_every_option_reaches_the_scheduler_or_is_told(option: Any) -> None:
    name = option.name
    value = "" if option.value == NONE else OWN_VALUES.get(name, VALUES[option.codec])
    text = script(directive(name, value))
    done = compiled(text)
    if name in MEANT_OTHERWISE:
        assert MEANT_OTHERWISE[name] in done.files[0].text
        return
    asked = told(script(AS_WELL[name]) if name in AS_WELL else text)[0]
    got = told(submitted(call(done)))[0]
    assert {key: got.get(key) for key in asked} == asked
    inputs = call(done)["slurm"]
    lines = inputs.get("scheduler_directives", "")
    assert not [
        key for key in FIELDS if inputs.get(key, "undefined") != "undefined" and f"--{key.replace('_', '-')}=" in lines
    ]


EXACT = [
    "--nodes=2-4", "--nodes=-3", "--nodes=1k", "--gres=gpu:a100:2,lscratch:5", "--gres=gpu:2,gpu:1",
    "--gres=lscratch:5",
    "--gres=gpu:1g.5gb:1", "--gres=none", "--exclusive", "--time=1-2:3:4", "--time=90", "--time=UNLIMITED",
    "--time=0:30",
    "--mem=0", "--mem=1025K", "--mem=1T", "--mem=8G --mem=0", "-t 0 -t 5", "--mem-per-cpu=1500M", "--gpus=a100:2 -N2",
    "--gpus=3 -N2", "--gpus=2 -n8", "--gpus-per-node=a100:1,v100:1", "--gres=gpu:2 --gpus=4", "--output=none",
    "--gres=lscratch:5 --gpus=3 -N2", "--gres=gpu:1 --gpus-per-node=2", "--gpus-per-node=1 --gpus=2 -N2", "--nice",
    "--propagate", "--no-kill", "--exclusive --oversubscribe", "--requeue --no-requeue", "-w n1,n[2-3] -x n5",
    "--mail-type=END --mail-type=FAIL", "--dependency=afterok:12:13", "-J 'a b'", "-S 2 --thread-spec=2",
    "--signal=B:USR1@60", "--distribution=*", "--export=NONE", "--tasks-per-node=4", "--ntasks=4 --ntasks=2",
]  # fmt: skip


@pytest.mark.parametrize("line", EXACT)
def test_ranges_lists_and_repetitions_mean_the_same(line: str) -> None:
    text = script(line)
    asked, got = told(text)[0], told(submitted(call(compiled(text))))[0]
    assert {key: got.get(key) for key in asked} == asked


NAMES = ["comment", "account", "qos", "partition", "constraint", "reservation", "wckey", "licenses", "mail-user"]
HOSTILE = st.text(st.sampled_from("ab '\"\\$`#(){}!;&|*=:,none-éundefined\t"), min_size=1, max_size=12)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(NAMES), HOSTILE), min_size=1, max_size=6))
def test_no_value_changes_on_its_way_or_is_executed(options: list[tuple[str, str]]) -> None:
    text = script(*(directive(name, value) for name, value in options if "${{" not in value))
    asked = told(text)[0]
    got = told(submitted(call(compiled(text))))[0]
    assert {key: got.get(key) for key in asked} == asked


HETEROGENEOUS = script(
    "--job-name=two --time=1:00:00 --account=a",
    "--nodes=1 --ntasks=4 --mem=8G --partition=cpu",
    "hetjob",
    "-N 2 -p gpu --gres=gpu:2 --exclusive -C 'a|b' --comment='two words'",
    "hetjob",
    "-n 1 --mem=1G",
    body="srun --het-group=0,1,2 ./a\n",
)


def test_components_of_a_heterogeneous_job_are_asked_for_together() -> None:
    done = compiled(HETEROGENEOUS)
    assert done.ok
    asked, got = told(HETEROGENEOUS), told(submitted(call(done)))
    assert len(got) == len(asked)
    for wanted, found in zip(asked, got, strict=True):
        assert {key: found.get(key) for key in wanted} == {**wanted, "account": "a", "time": "01:00:00"}
    # the queue shows such jobs by other names than the job runner looks for
    assert "wait" in got[0]


def test_components_are_read_again() -> None:
    (file,) = compiled(HETEROGENEOUS).files
    back = pwxc.compile(file.text, to="slurm", origin="pw")
    (text,) = [item.text for item in back.files if item.text.startswith("#!") and "hetjob" in item.text]
    found = told(text)
    assert [part.get("ntasks") for part in found] == ["4", None, "1"]
    assert [part.get("nodes") for part in found] == ["1", "2", None]
    assert [part.get("partition") for part in found] == ["cpu", "gpu", None]
    assert found[1]["comment"] == "two words"
    assert not any("wait" in part for part in found)
    again = pwxc.compile(file.text, to="pw", origin="pw")
    assert yaml.safe_load(again.files[0].text) == yaml.safe_load(file.text)


def test_components_are_a_loss_where_nothing_is_submitted() -> None:
    done = compiled(HETEROGENEOUS, **{"pw.submit": "ssh"})
    assert "pw-requests-not-enforced" in [item.code.name for item in done.diagnostics]


def swept(*lines: str) -> tuple[Any, dict[str, Any]]:
    """Give the strategy of the only job, and what its job runner is called with."""
    done = compiled(script(*lines, body="./a $SLURM_ARRAY_TASK_ID ${SLURM_ARRAY_TASK_MAX}\n"))
    (job,) = jobs(done).values()
    return job.get("strategy"), call(done)


@pytest.mark.parametrize(
    ("array", "values", "limit"),
    [
        ("0-3", [0, 1, 2, 3], None),
        ("1-4%2", [1, 2, 3, 4], 2),
        ("1,3,9", [1, 3, 9], None),
        ("0-10:5", [0, 5, 10], None),
        ("1-2,7-8%3", [1, 2, 7, 8], 3),
        ("5", [5], None),
        ("[1-3]", [1, 2, 3], None),
    ],
)
def test_an_array_becomes_a_matrix_whose_values_the_script_reads(
    array: str, values: list[int], limit: int | None
) -> None:
    strategy, inputs = swept(f"--array={array}")
    assert strategy["matrix"] == {"index": values}
    assert strategy.get("max-parallel") == limit
    assert "array" not in inputs["slurm"]
    assert "--array" not in inputs["slurm"]["scheduler_directives"]
    assert "export SLURM_ARRAY_TASK_ID='${{ matrix.index }}'\n" in inputs["script"]
    assert f"export SLURM_ARRAY_TASK_MAX={max(values)}\n" in inputs["script"]


def test_the_output_of_an_array_tells_its_instances_apart() -> None:
    _, inputs = swept("--array=1-3", "--output=/logs/%A_%a.out", "--error='/a b/e-%3a'")
    lines = inputs["slurm"]["scheduler_directives"]
    assert "--output=/logs/%j_${{ matrix.index }}.out\n" in lines
    assert "--error='/a b/e-${{ matrix.index }}'\n" in lines


def untold(done: Compilation) -> list[str]:
    """Give the texts at which a variable without a value is told, with what is said there."""
    found = [item for item in done.diagnostics if item.code.name == "pw-source-system"]
    return [item.span.text if item.span is not None else item.message for item in found]


def exported(done: Compilation) -> dict[str, str]:
    """Give the variables of Slurm that a script sets, as the shell words that it has."""
    text = done.files[0].text
    return dict(re.findall(r"^\s*export (SLURM_\w+)=(.*)$", text, re.MULTILINE))


@pytest.mark.parametrize(
    ("lines", "body", "told"),
    [
        (["--array=1-3"], "echo\n./a $SLURM_ARRAY_JOB_ID\n", ["SLURM_ARRAY_JOB_ID"]),
        (["--array=1-3"], "echo # $SLURM_ARRAY_JOB_ID\n", []),
        ([], 'echo "$SLURM_JOB_ID $SLURM_NTASKS $SLURM_JOB_NAME ${SLURM_RESTART_COUNT:-0}"\n', []),
        (["--dependency=singleton"], "echo $SLURM_JOB_DEPENDENCY\n", []),
    ],
)
def test_a_variable_without_a_value_is_told_where_it_stands(lines: list[str], body: str, told: list[str]) -> None:
    assert untold(compiled(script(*lines, body=body))) == told


def test_what_a_job_waits_for_is_not_in_its_variables() -> None:
    driver = "#!/bin/bash\na=$(sbatch --parsable a.sh)\nsbatch -d afterok:$a a.sh\n"
    sources = [Source("submit.sh", driver), Source("a.sh", script("-J a", body="echo $SLURM_JOB_DEPENDENCY\n"))]
    assert untold(pwxc.compile(sources, to="pw", origin="slurm")) == ["SLURM_JOB_DEPENDENCY"]


FOLDER = '"${{ inputs.folder }}"'


@pytest.mark.parametrize("lines", [["-t 5"], ["-t 5", "--chdir=sub"], ["-t 5", "--chdir=/data"]])
@pytest.mark.parametrize("body", ["cd $SLURM_SUBMIT_DIR\n", 'cp r.txt "${SLURM_SUBMIT_DIR:?}/"\n'])
@pytest.mark.parametrize("submit", ["auto", "ssh"])
def test_the_folder_of_submission_is_the_one_in_which_paths_start(lines: list[str], body: str, submit: str) -> None:
    done = compiled(script(*lines, body=body), **{"pw.submit": submit})
    assert exported(done) == {"SLURM_SUBMIT_DIR": FOLDER}
    assert untold(done) == []
    form = yaml.safe_load(done.files[0].text)["on"]["execute"]["inputs"]
    assert form["folder"]["default"] == "${PW_PARENT_JOB_DIR}"


def test_a_job_that_is_submitted_runs_where_its_files_are(tmp_path: Path) -> None:
    body = 'cd $SLURM_SUBMIT_DIR\ncp r.txt "$SLURM_SUBMIT_DIR/copy.txt"\n'
    folder, here = tmp_path / "work", tmp_path / "jobs" / "x"
    for place in (folder, here):
        place.mkdir(parents=True)
    (folder / "r.txt").write_text("result")
    text = call(compiled(script("-t 5", body=body)))["script"].replace("${{ inputs.folder }}", str(folder))
    environment = {"PATH": os.environ["PATH"], "SLURM_SUBMIT_DIR": str(here)}
    subprocess.run(["bash", "-c", text], cwd=here, env=environment, check=True)
    assert (folder / "copy.txt").read_text() == "result"


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("sbatch a.sh", FOLDER),
        ("cd sub; sbatch ../a.sh", FOLDER + "/sub"),
        ("sbatch -D sub a.sh", FOLDER),
        ("sbatch --chdir=/data a.sh", FOLDER),
    ],
)
def test_a_driver_submits_from_the_folder_that_it_has_gone_to(line: str, word: str) -> None:
    sources = [Source("submit.sh", f"#!/bin/bash\n{line}\n"), Source("a.sh", script(body="cd $SLURM_SUBMIT_DIR\n"))]
    assert exported(pwxc.compile(sources, to="pw", origin="slurm")) == {"SLURM_SUBMIT_DIR": word}


@pytest.mark.parametrize(
    ("line", "set_there"),
    [
        ("--gpus=2", {"SLURM_GPUS": "2", "SLURM_GPUS_PER_NODE": "2"}),
        ("--gpus-per-node=a100:4", {"SLURM_GPUS": "a100:4", "SLURM_GPUS_PER_NODE": "a100:4"}),
        ("--gres=gpu:2", {}),
        ("-N2 -G 4", {}),
        ("-n1", {}),
    ],
)
def test_numbers_of_gpus_are_there_where_the_source_has_them(line: str, set_there: dict[str, str]) -> None:
    done = compiled(script(line, body="./a $SLURM_GPUS $SLURM_GPUS_PER_NODE\n"))
    assert exported(done) == set_there
    assert ("--gpus=4" in str(call(done)["slurm"].get("scheduler_directives"))) is (line == "-N2 -G 4")


def test_a_script_over_ssh_has_the_numbers_that_it_asks_for() -> None:
    body = 'echo "$SLURM_JOB_NAME $SLURM_NTASKS $SLURM_CPUS_PER_TASK $SLURM_NNODES"\nls /tmp/$SLURM_JOB_ID\n'
    done = compiled(script("-J 'x y' -n 4 -c 2", body=body), **{"pw.submit": "ssh"})
    assert exported(done) == {
        "SLURM_JOB_NAME": "'x y'", "SLURM_NTASKS": "4", "SLURM_CPUS_PER_TASK": "2", "SLURM_NNODES": "1",
    }  # fmt: skip
    assert untold(done) == ["SLURM_JOB_ID"]


@pytest.mark.parametrize(
    ("first", "told_by"),
    [
        ("#!/bin/bash -l", "bash -l"),
        ("#!/usr/bin/env python3", "python3"),
        ("#!/bin/zsh", "zsh"),
        ("#!/bin/sh", "sh"),
        ("#!/usr/bin/env Rscript", "Rscript"),
    ],
)
def test_an_interpreter_runs_the_script_that_it_is_named_in(first: str, told_by: str) -> None:
    done = compiled(f"{first}\n#SBATCH -n1\nprint('hello')\n")
    (job,) = jobs(done).values()
    assert f'{told_by} "$script"' in call(done)["script"]
    assert any("print('hello')" in step.get("run", "") for step in job["steps"])


@pytest.mark.parametrize(
    ("lines", "line"),
    [
        ("--chdir=/data/x", 'cd "/data/x" || exit'),
        ("--chdir=sub/x", 'cd "${{ inputs.folder }}/sub/x" || exit'),
        ("--ntasks=1", 'cd "${{ inputs.folder }}" || exit'),
    ],
)
def test_a_script_runs_in_the_folder_that_it_was_submitted_from(lines: str, line: str) -> None:
    assert line in call(compiled(script(lines)))["script"]


def test_files_of_a_job_lie_where_they_did() -> None:
    got = told(submitted(call(compiled(script("-D /data", "-o logs/%x.out", "-e /e/%j", "-i in.txt")))))[0]
    assert {key: got[key] for key in ("output", "error", "input")} == {
        "output": "/data/logs/%x.out", "error": "/e/%j", "input": "/data/in.txt",
    }  # fmt: skip


PYXIS = (
    "--container-image=nvcr.io\\#nvidia/pytorch:24.01\n--container-mounts=/d:/d:ro\n--container-workdir=/w\n"
    "--no-container-mount-home\n--container-name=kept"
)


def test_a_job_in_an_image_runs_its_script_there() -> None:
    done = compiled(script(*PYXIS.split("\n")), **{"slurm.plugins": "pyxis"})
    runs = next(line for line in call(done)["script"].split("\n") if line.startswith("apptainer"))
    for word in ("docker://nvcr.io/nvidia/pytorch:24.01", "--bind /d:/d:ro", "--pwd /w", "--no-home"):
        assert word in runs
    assert "container" not in call(done)["slurm"]["scheduler_directives"]
    (found,) = [item for item in done.diagnostics if "--container-name" in item.message]
    assert found.span is not None
    assert found.span.text == "--container-name=kept"


def test_options_of_other_plug_ins_are_directives() -> None:
    text = script("--image=docker:u:1 --volume=/a:/b", body="srun shifter ./a\n")
    lines = call(compiled(text, **{"slurm.plugins": "shifter"}))["slurm"]["scheduler_directives"]
    assert "#SBATCH --image=docker:u:1\n#SBATCH --volume=/a:/b\n" in lines
    assert jobs(compiled(script("--quotatype=spot --x y"), **{"slurm.plugins": "any"}))


def driven(*submissions: str) -> dict[str, Any]:
    """Give the jobs that a driver's submissions become; each submits a script of its own name."""
    lines = [
        f"{name}=$(sbatch --parsable {options} {name}.sh)" for name, options in zip("abcd", submissions, strict=False)
    ]
    sources = [Source("submit.sh", "\n".join(["#!/bin/bash", *lines, ""]))]
    sources += [Source(f"{name}.sh", script(f"-J {name}")) for name in "abcd"[: len(submissions)]]
    return jobs(pwxc.compile(sources, to="pw", origin="slurm"))


DEPENDENCIES = [
    ("afterok:$a", ["a"], None),
    ("afterok:$a:$b", ["a", "b"], None),
    ("afterany:$a", ["a"], "${{ always }}"),
    ("$a", ["a"], "${{ always }}"),
    ("afternotok:$a", ["a"], "${{ error }}"),
    ("aftercorr:$a", ["a"], None),
    ("afterok:$a,afterany:$b", ["a", "b-ended"], None),
    ("afternotok:$a,afterok:$b", ["a-failed", "b"], None),
    ("after:$a", None, None),
    ("after:$a+5", ["a-started"], None),
    ("singleton", None, None),
]


@pytest.mark.parametrize(("dependency", "needs", "condition"), DEPENDENCIES)
def test_a_dependency_becomes_what_a_job_needs(dependency: str, needs: list[str] | None, condition: str | None) -> None:
    made = driven("", "", f"--dependency={dependency}")
    assert (made["c"].get("needs"), made["c"].get("if")) == (needs, condition)
    for name in set(needs or ()) - {"a", "b"}:
        word = {"ended": "${{ always }}", "failed": "${{ error }}", "started": None}[name[2:]]
        assert made[name].get("if") == word
    lines = made["c"]["steps"][1]["with"]["slurm"]["scheduler_directives"]
    assert ("--dependency=singleton" in lines) is (dependency == "singleton")


def test_what_waits_for_a_start_waits_for_what_that_waits_for() -> None:
    made = driven("", "-d afternotok:$a", "-d after:$b+2")
    assert made["c"]["needs"] == ["b-started"]
    assert (made["b-started"]["needs"], made["b-started"]["if"]) == (["a"], "${{ error }}")
    assert made["b-started"]["steps"][0]["run"] == "sleep 120\n"


def test_an_array_that_cannot_be_read_is_kept_and_told() -> None:
    done = compiled(script("--array=1-$N"))
    (found,) = [item for item in done.diagnostics if item.code.name == "slurm-array-kept"]
    assert found.span is not None
    assert found.span.text == "--array=1-$N"
    assert told(submitted(call(done)))[0]["array"] == "1-$N"


def skipped(*submissions: str) -> list[str]:
    """Give the edges of which it is said that a wait for ever becomes a skip."""
    lines = ["#!/bin/bash", *submissions, ""]
    sources = [Source("submit.sh", "\n".join(lines))]
    sources += [Source("a.sh", script("-J a")), Source("k.sh", script("-J k", "--kill-on-invalid-dep=yes"))]
    done = pwxc.compile(sources, to="pw", origin="slurm")
    found = [item for item in done.diagnostics if item.code.name == "pw-no-wait"]
    assert all(item.severity is Severity.NOTE and item.span is not None for item in found)
    return [item.message for item in found]


A, B = "a=$(sbatch --parsable a.sh)", "b=$(sbatch --parsable a.sh)"


@pytest.mark.parametrize(
    ("submission", "count"),
    [
        ("sbatch -d afterok:$a a.sh", 1),
        ("sbatch -d afterok:$a:$b a.sh", 2),
        ("sbatch -d afternotok:$a a.sh", 1),
        ("sbatch -d afterok:$a,afterany:$b a.sh", 1),
        ("sbatch -d afterany:$a a.sh", 0),
        ("sbatch -d after:$a a.sh", 0),
        ("sbatch -d afterok:$a --kill-on-invalid-dep=yes a.sh", 0),
        ("sbatch -d afterok:$a --kill-on-invalid-dep=no a.sh", 1),
        ("sbatch -d afterok:$a k.sh", 0),
        ("sbatch a.sh", 0),
    ],
)
def test_a_wait_for_ever_that_becomes_a_skip_is_told_for_each_edge(submission: str, count: int) -> None:
    assert len(skipped(A, B, submission)) == count


def test_what_a_skip_comes_from_is_said() -> None:
    assert skipped(A, "sbatch -d afterok:$a a.sh") == ["`a-2` is skipped when `a` fails, and does not wait for ever"]
    assert skipped(A, "sbatch -d afternotok:$a a.sh") == [
        "`a-2` is skipped when `a` succeeds, and does not wait for ever"
    ]


def test_our_own_folders_and_other_systems_end_such_jobs_themselves() -> None:
    spec = "name: w\njobs:\n- {name: a, command: ./a}\n- {name: sbatch, command: ./b, depends_on: [a]}\n"
    folder = pwxc.compile(spec, to="slurm", origin="torc")
    again = pwxc.compile([Source(item.path, item.text) for item in folder.files], to="pw", origin="slurm")
    for done in (again, pwxc.compile(spec, to="pw", origin="torc")):
        assert done.files
        assert "pw-no-wait" not in [item.code.name for item in done.diagnostics]


BUFFERS = (
    '#DW jobdw capacity=10GB type=scratch pool="a$b"',
    "#DW stage_in source=/lus/in destination=$DW_JOB_STRIPED/in type=file",
    "#BB create_persistent name=`x` capacity=1TB",
    "#BB_LUA pool=pool1",
)


def test_lines_of_a_burst_buffer_stand_among_the_directives() -> None:
    text = script("-t 5", body="\n".join([*BUFFERS, "# #DW no", "./a", "#DW late", ""]))
    lines = submitted(call(compiled(text))).split("\n")
    assert [line for line in lines if line.startswith(("#DW", "#BB"))] == list(BUFFERS)


@pytest.mark.parametrize(
    ("target", "code", "options"),
    [
        ("pw", "pw-foreign-setting", {"pw.submit": "ssh"}),
        ("torc", "torc-option-lost", {}),
        ("osmo", "osmo-foreign-keys", {"osmo.image": "u"}),
    ],
)
def test_a_burst_buffer_that_nobody_makes_is_told(target: str, code: str, options: dict[str, str]) -> None:
    text = script("-t 5", body=f"{BUFFERS[0]}\n./a\n")
    done = pwxc.compile(text, to=target, origin="slurm", options=options)
    (found,) = [item for item in done.diagnostics if item.code.name == code]
    assert found.span is not None
    assert found.span.text == BUFFERS[0]


def test_an_image_that_a_comment_cuts_is_told() -> None:
    text = script("-t 5 --container-image=nvcr.io#nv/x:1 --gpus=2")
    for target in ("pw", "torc", "osmo"):
        done = pwxc.compile(text, to=target, origin="slurm", options={"slurm.plugins": "pyxis"})
        (found,) = [item for item in done.diagnostics if item.code.name == "slurm-comment-in-value"]
        assert found.span is not None
        assert found.span.text == "#nv/x:1 --gpus=2"
