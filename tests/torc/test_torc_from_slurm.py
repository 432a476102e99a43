"""From Slurm: each option of `sbatch` is in the output or told at its line, and scripts find what they asked for."""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from torc_files import must_read, written

from pwxc import api
from pwxc.ir.data import Variable
from pwxc.ir.expr import Ref, Root
from pwxc.ir.found import Found, Launch, Layer, Use
from pwxc.ir.resources import Resources
from pwxc.ir.sweep import Parameter, Range, Sweep, Values
from pwxc.ir.task import Script, Step, Task
from pwxc.ir.template import Template, text
from pwxc.ir.workflow import Workflow
from pwxc.registry import ReadSettings
from pwxc.source import Source
from pwxc_targets.slurm.batch.table import by_name
from pwxc_targets.torc.linting.verdict import judge
from pwxc_targets.torc.units import parse_duration, parse_walltime

ASKED = "torc-allocations"
EXTRA = (
    *("batch=big", "bb=capacity=1G", "bbf=bb.txt", "cluster-constraint=x", "consolidate-segments", "container-id=a"),
    *("constraint=a&b", "contiguous", "core-spec=1", "cores-per-socket=4", "cpu-freq=high"),
    *(
        "container-type=b",
        "cpus-per-gpu=4",
        "delay-boot=5",
        "distribution=block",
        "exclude=n[1-2],n9",
        "exclusive=user",
    ),
    *("extra-node-info=2:4", "gpu-bind=closest", "gpu-freq=high", "gpus-per-socket=1"),
    *("gpus-per-task=1", "gres-flags=enforce-binding", "hint=nomultithread", "licenses=matlab:1"),
    *("mem-bind=local", "mem-per-gpu=4G", "mem-update=1@1", "mincpus=8", "network=x", "nodefile=nf"),
    *("nodelist=n1", "ntasks-per-core=1", "ntasks-per-gpu=1", "ntasks-per-socket=2"),
    *("ntasks-per-tres=1", "oom-kill-step", "overcommit", "power=level", "prefer=x", "propagate=STACK"),
    *("reboot", "reservation=r", "resources=x", "resv-ports", "segment=2", "sockets-per-node=2"),
    *("spread-job", "spread-segments", "stepmgr", "switches=1", "thread-spec=1", "threads-per-core=2"),
    *("tres-bind=gres/gpu:closest", "tres-per-task=cpu=2", "use-min-nodes", "qos=high", "mem=0"),
)
"""What an allocation has as it is."""
TOLD = (
    *("begin=2030-01-01", "cluster=c1", "clusters=c1", "container=/bundle", "dependency=afterok:12"),
    *("get-user-env", "hold", "exclusive"),
)
"""What an allocation has too, but acts on the worker: this is told."""
INCIDENTAL = (
    *("acctg-freq=task=30", "comment=hello", "deadline=2030-01-01", "mail-type=END", "mail-user=a@b"),
    *("mcs-label=l", "nice=10", "no-requeue", "oversubscribe", "priority=10", "profile=all", "requeue"),
    *("time-min=10", "wait-all-nodes=1", "wckey=w"),
)
"""What is no reason for an allocation: told where there is none, in `extra` where there is one."""
LOST = (*("export-file=f", "external", "gid=0", "no-kill", "test-only", "uid=0"),)
CLIENT = (
    *("help", "ignore-pbs", "kill-on-invalid-dep=yes", "parsable", "quiet", "usage", "verbose"),
    *("version", "wait", "wrap=ls"),
)
"""What concerns `sbatch` as a program alone."""
ELSEWHERE = {
    "account=lab": "account: lab",
    "array=1,3,7": "index: '[1,3,7]'",
    "chdir=/work/x": "cd /work/x",
    "cpus-per-task=4": "num_cpus: 4",
    "error=e.txt": "exec 2> e.txt",
    "export=ALL,A=1": "export A=1",
    "gpus=4": "num_gpus: 4",
    "gpus-per-node=a100:2": "gres: gpu:a100:2",
    "gres=gpu:2,shard:1": "extra: --gres=gpu:2,shard:1",
    "gres=shard:1": "gres: shard:1",
    "input=in.txt": "exec < in.txt",
    "job-name=j": "name: j",
    "mem=8G": "memory: 8g",
    "mem-per-cpu=2G": "memory: 2g",
    "nodes=2": "num_nodes: 2",
    "ntasks=8": "num_cpus: 8",
    "ntasks-per-node=4": "num_cpus: 4",
    "output=o.txt": "exec > o.txt 2>&1",
    "partition=a,b": "partition: a,b",
    "signal=B:USR1@90": "termination_signal: SIGUSR1",
    "tasks-per-node=4": "num_cpus: 4",
    "time=2:00:00": "runtime: PT2H",
    "time=0": "runtime: P365D",
    "tmp=4G": "tmp: 4g",
}
"""What has a key or a line of its own."""
AT_ITS_LINE = {
    "dependency=singleton": "torc-option-lost",
    "exclusive": "torc-of-allocation",
    "ntasks=8": "torc-by-node",
    "open-mode=append": "torc-stream",
    "output=%j.out": "torc-stream",
    "export=NONE": "torc-stream",
    "export=A=1": "torc-stream",
    "signal=USR1": "torc-signal",
    "time=0": "torc-chosen-runtime",
    **dict.fromkeys(TOLD, "torc-of-allocation"),
    **dict.fromkeys(INCIDENTAL, "torc-allocation-only"),
    **dict.fromkeys(LOST, "torc-option-lost"),
}
OTHERS = {"extra"}
"""What is read as the beginning of another option in the version of Slurm that is followed."""


def compiled(script: str, **options: str) -> tuple[dict[str, Any], str, list[tuple[str, int]]]:
    """Compile a script; give the output as data and as text, and what was said of which line."""
    given = {f"torc.{name}": value for name, value in options.items()}
    made = api.compile(script, origin="slurm", to="torc", options=given, allow=["PWX3315"])
    assert made.files, [(item.code.id, item.message) for item in made.diagnostics]
    whole = made.files[0].text
    verdict = judge(Source("w.yaml", whole), options.get("version", "0.25"), ReadSettings())
    assert verdict.word == "ok", verdict.reason
    said = []
    for item in made.diagnostics:
        place = item.span.resolve() if item.span is not None else None
        said.append((item.code.name, place.source.position(place.start)[0] if place is not None else 0))
    return yaml.safe_load(whole), whole, said


def one(option: str, *more: str) -> str:
    return "\n".join(["#!/bin/bash", f"#SBATCH --{option}", *(f"#SBATCH --{item}" for item in more), "./run"]) + "\n"


def test_no_option_is_forgotten_here():
    rows = [*EXTRA, *TOLD, *INCIDENTAL, *LOST, *CLIENT, *ELSEWHERE, *AT_ITS_LINE]
    assert {row.partition("=")[0] for row in rows} | OTHERS == set(by_name())


@pytest.mark.parametrize("option", [*EXTRA, *TOLD])
def test_what_an_allocation_has(option: str) -> None:
    data, _, said = compiled(one(option))
    (scheduler,) = data["slurm_schedulers"]
    if option.startswith("qos"):
        assert scheduler["qos"] == "high"
    else:
        assert f"--{option}" in scheduler["extra"].split()
    assert data["jobs"][0]["scheduler"] == scheduler["name"]
    assert [action["scheduler"] for action in data["actions"]] == [scheduler["name"]]
    assert (ASKED, 2) in said
    assert ("torc-account", 2) in said


@pytest.mark.parametrize(("option", "expected"), ELSEWHERE.items())
def test_what_has_a_place_of_its_own(option: str, expected: str) -> None:
    assert (
        expected in [line.strip(" -") for line in compiled(one(option))[1].splitlines()]
        or expected in (compiled(one(option))[1])
    )


@pytest.mark.parametrize(("option", "code"), AT_ITS_LINE.items())
def test_what_is_told_at_its_line(option: str, code: str) -> None:
    assert (code, 2) in compiled(one(option))[2]


@pytest.mark.parametrize("option", INCIDENTAL)
def test_what_is_no_reason_for_an_allocation_goes_with_one(option: str) -> None:
    assert "slurm_schedulers" not in compiled(one(option))[0]
    data, _, said = compiled(one(option, "partition=cpu"))
    assert f"--{option}" in data["slurm_schedulers"][0]["extra"].split()
    assert ("torc-allocation-only", 2) not in said


@pytest.mark.parametrize("option", CLIENT)
def test_what_concerns_the_program_alone_is_nowhere(option: str) -> None:
    data, whole, said = compiled(one(option, "partition=cpu"))
    assert "extra" not in data["slurm_schedulers"][0]
    assert data["jobs"][0]["command"] == "./run\n"
    assert {name for name, _ in said} == {ASKED, "torc-account", "torc-chosen-runtime", "torc-chosen-memory"}
    assert option not in whole


def test_a_plain_script_has_no_scheduler():
    script = "#!/bin/bash\n#SBATCH -J fit -N 1 -n 1 -c 4 --mem=8G -t 60\n./fit\n"
    data, _, said = compiled(script)
    assert data["jobs"] == [{"name": "fit", "command": "./fit\n", "resource_requirements": "fit"}]
    assert set(data) == {"name", "jobs", "resource_requirements"}
    assert not said


def test_values_with_blanks_are_quoted_as_in_a_directive():
    script = '#!/bin/bash\n#SBATCH -p cpu --comment="two \\"words\\" \\#1"\n./run\n'
    (scheduler,) = compiled(script)[0]["slurm_schedulers"]
    assert scheduler["extra"] == '--comment="two \\"words\\" #1"'
    again = compiled(f"#!/bin/bash\n#SBATCH -p cpu\n#SBATCH {scheduler['extra']}\n./run\n")
    assert again[0]["slurm_schedulers"] == [scheduler]


def test_lines_of_another_system_keep_their_quotes():
    lines = tuple(text(line) for line in ('--comment="a b"', "--licenses=x --switches=1", "-m block", "--output='o 1'"))
    record = Resources(name="r", account=text("lab"), directives=lines)
    task = Task(name="a", resources="r", steps=(Step(work=Script(text("x"))),))
    made, _, _ = written(Workflow(name="w", dialect="pw", tasks=(task,), resources=(record,)))
    data = yaml.safe_load(made.files[0].text)
    assert data["slurm_schedulers"][0]["extra"] == '--comment="a b" --licenses=x --switches=1 -m block'
    assert data["jobs"][0]["command"] == "exec > 'o 1' 2>&1\nx"


LAYOUTS = [
    # options, cores and graphics processors of a node, bytes, what the allocation is told
    ("-N 2 --ntasks-per-node=4 -c 8", 32, 0, None, "--ntasks-per-node=4 --cpus-per-task=8"),
    ("-N 2 -n 8 -c 8", 32, 0, None, "--ntasks=8 --cpus-per-task=8"),
    ("-N 1 -n 4 --gpus-per-task=2", 4, 8, None, "--ntasks=4 --gpus-per-task=2"),
    ("-N 1 -n 4 --mem-per-cpu=2G -c 3 -p x", 12, 0, "24g", "--ntasks=4 --cpus-per-task=3"),
    ("-N 1 --gres=gpu:4 --cpus-per-gpu=6 --mem-per-gpu=10G", 24, 4, "40g", "--cpus-per-gpu=6 --mem-per-gpu=10G"),
    ("-N 1 -n 8 --ntasks-per-gpu=4", 8, 2, None, "--ntasks=8 --ntasks-per-gpu=4"),
    ("-N 1 -n 2 --tres-per-task=cpu=3,gres/gpu:a100:2", 6, 4, None, "--ntasks=2 --tres-per-task=cpu=3,gres/gpu:a100:2"),
    ("-N 4 --mincpus=16", 16, 0, None, "--mincpus=16"),
]


@pytest.mark.parametrize(("options", "cores", "gpus", "memory", "extra"), LAYOUTS)
def test_amounts_by_task_and_by_processor_are_multiplied_out(
    options: str, cores: int, gpus: int, memory: str | None, extra: str
) -> None:
    data, _, _ = compiled(f"#!/bin/bash\n#SBATCH {options}\nsrun ./a\n")
    (record,), (scheduler,) = data["resource_requirements"], data["slurm_schedulers"]
    assert (record["num_cpus"], record["num_gpus"]) == (cores, gpus)
    assert memory is None or memory == record["memory"] == scheduler.get("mem", memory)
    assert scheduler["extra"] == extra
    assert scheduler["nodes"] == record["num_nodes"]


@pytest.mark.parametrize("time", ["", "-t 1", "-t 2:30:00", "-t 5-0", "-t 0"])
def test_an_allocation_outlasts_its_jobs(time: str) -> None:
    data, _, _ = compiled(f"#!/bin/bash\n#SBATCH -p cpu {time}\n./a\n")
    walltime = parse_walltime(data["slurm_schedulers"][0]["walltime"])
    runtime = parse_duration(data["resource_requirements"][0]["runtime"])
    assert walltime is not None
    assert runtime is not None
    assert walltime > runtime


def test_a_number_for_the_whole_job_is_told_where_nodes_share_it():
    script = "#!/bin/bash\n#SBATCH -N 2\n#SBATCH --gpus=4\n./a\n"
    assert ("torc-by-node", 3) in compiled(script)[2]
    assert "torc-by-node" not in {name for name, _ in compiled(script.replace("--gpus=4", "--gres=gpu:2"))[2]}


def test_a_worker_with_nodes_of_its_own_runs_one_job_at_once():
    data, _, _ = compiled("#!/bin/bash\n#SBATCH -p cpu --exclusive\n./a\n")
    assert data["actions"][0]["max_parallel_jobs"] == 1


def test_the_limit_of_an_array_is_told_at_its_line():
    assert ("torc-sweep-limit", 3) in compiled("#!/bin/bash\n#SBATCH -t 5\n#SBATCH -a 1-9%3\n./a\n")[2]


def test_the_signal_is_a_setting_of_the_workflow():
    script = "#!/bin/bash\n#SBATCH --signal=B:10@300\n./a\n"
    data, _, _ = compiled(script)
    wanted = {"mode": "direct", "termination_signal": "SIGUSR1", "sigterm_lead_seconds": 300}
    assert data["execution_config"] == wanted
    old, _, said = compiled(script, version="0.12")
    assert "execution_config" not in old
    assert old["jobs"][0]["supports_termination"] is True
    assert ("torc-signal", 2) in said


def test_a_waiting_for_ever_is_told_unless_the_job_ends_it():
    driver = "#!/bin/bash\na=$(sbatch --parsable --wrap ./a)\nsbatch -d afterok:$a{} --wrap ./b\n"
    assert "torc-no-wait" in {name for name, _ in compiled(driver.format(""))[2]}
    assert "torc-no-wait" not in {name for name, _ in compiled(driver.format(" --kill-on-invalid-dep=yes"))[2]}


def test_jobs_that_exclude_each_other_run_one_after_the_other():
    lines = "sbatch -J b --wrap ./0\nsbatch -J a --wrap ./1\nsbatch -J a -d singleton --wrap ./2\n"
    data, _, said = compiled("#!/bin/bash\n" + lines + "sbatch -J a -d singleton --wrap ./3\n")
    assert [job.get("depends_on") for job in data["jobs"]] == [None, None, ["a"], ["a", "a-2"]]
    assert {job.get("cancel_on_blocking_job_failure") for job in data["jobs"][2:]} == {False}
    assert "torc-option-lost" in {name for name, _ in said}


def test_options_of_the_plug_in_for_containers():
    script = "#!/bin/bash\n#SBATCH -t 5 --container-image=ubuntu:24.04 --container-workdir='/a b'\n"
    more = "#SBATCH --no-container-mount-home\n#SBATCH --container-name=x\n"
    made = api.compile(f"{script}{more}./a\n", origin="slurm", to="torc", options={"slurm.plugins": "pyxis"})
    (job,) = yaml.safe_load(made.files[0].text)["jobs"]
    assert "apptainer exec --pwd '/a b' --no-home " in job["command"]
    places = {item.message: item.span.text for item in made.diagnostics if item.span is not None}
    assert places["Apptainer has nothing for `--container-name=x`"] == "--container-name=x"
    assert "slurm_schedulers" not in made.files[0].text


def test_a_line_for_the_plain_shell_stays_a_line():
    (job,) = compiled("#!/bin/sh\n#SBATCH -J a -t 5\necho 'a  b'\n")[0]["jobs"]
    assert job["command"] == "sh -c 'echo '\\''a  b'\\'''"


# streams and the environment, really run


def run(command: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a job's command as a worker does, inside an allocation of its own kind."""
    around = {
        "PATH": f"{folder}/bin:/usr/bin:/bin", "HOME": str(folder), "USER": "me", "TORC_WORKFLOW_ID": "7",
        "TORC_JOB_ID": "31", "TORC_JOB_NAME": "j", "TORC_ATTEMPT_ID": "1", "SLURM_JOB_ID": "999",
        "SLURM_JOB_NAME": "wf7_1_1", "SLURM_MEM_PER_NODE": "64000", "SLURM_NTASKS": "1", "SLURM_CPUS_ON_NODE": "64",
    }  # fmt: skip
    return subprocess.run(
        ["bash", "-c", command], cwd=folder, env={**around, **environment}, capture_output=True, text=True, check=False
    )


STREAMS = [
    ("-o out.txt", {"out.txt": "out\nerr\n"}),
    ("-o out.txt -e err.txt", {"out.txt": "out\n", "err.txt": "err\n"}),
    ("-o a%%b\\\\_%x.txt", {"a%%b_%x.txt": "out\nerr\n"}),
    ("-o %x-%j_%u.txt", {"my job-31_me.txt": "out\nerr\n"}),
    ("-o %5j.txt -e none", {"00031.txt": "out\n"}),
    ("-o '$(touch x) `y`'", {"$(touch x) `y`": "out\nerr\n"}),
    ("-o 'a b/%x/o.txt' -e 'a b/%x/e.txt'", {"a b/my job/o.txt": "out\n", "a b/my job/e.txt": "err\n"}),
    ("-D sub -o o.txt", {"sub/o.txt": "out\nerr\n"}),
    ("-D sub -o deep/o.txt", {"sub/deep/o.txt": "out\nerr\n"}),
    ("-o old.txt --open-mode=append", {"old.txt": "before\nout\nerr\n"}),
    ("-o /dev/null -i in.txt", {}),
]


@pytest.mark.parametrize(("options", "files"), STREAMS)
def test_streams_go_where_they_would_go(options: str, files: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "old.txt").write_text("before\n")
    (tmp_path / "in.txt").write_text("in\n")
    script = f"#!/bin/bash\n#SBATCH -J 'my job' -t 5\n#SBATCH {options}\necho out\necho err >&2\ncat >> got\n"
    command = compiled(script.replace("-D sub", f"-D {tmp_path}/sub"))[0]["jobs"][0]["command"]
    ended = run(command, tmp_path)
    assert (ended.returncode, ended.stdout) == (0, "")
    for name, content in files.items():
        assert (tmp_path / name).read_text() == content
    assert not (tmp_path / "x").exists()
    if "-i" in options:
        assert (tmp_path / "got").read_text() == "in\n"


def test_variables_of_export_are_set_and_never_read_by_the_shell(tmp_path: Path) -> None:
    script = "#!/bin/bash\n#SBATCH --export=ALL,A='$(touch x)',B=it\\'s\nprintf '%s|' \"$A\" \"$B\"\n"
    command = compiled(script)[0]["jobs"][0]["command"]
    assert run(command, tmp_path).stdout == "$(touch x)|it's|"
    assert not (tmp_path / "x").exists()


# variables of Slurm


def use(body: str, *names: str, launches: tuple[Launch, ...] = (), calls: tuple[Use, ...] = ()) -> Step:
    """Give a step with what was recognised in it."""
    found = Found(uses=tuple(Use(name, 0, 0) for name in names), launches=launches, calls=calls)
    return Step(work=Script(text(body)), found=found)


def job_of(task: Task, *resources: Resources, others: tuple[Task, ...] = ()) -> tuple[dict[str, Any], list[str]]:
    """Write a workflow of Slurm; give the first job and what is said."""
    workflow = Workflow(name="w", dialect="slurm", tasks=(task, *others), resources=resources)
    made, ledger, _ = written(workflow, account="lab")
    must_read(made.files[0].text)
    data = yaml.safe_load(made.files[0].text)
    return data["jobs"][0] | {"_config": data.get("execution_config")}, [item.message for item in ledger.diagnostics]


MIB = 1024 * 1024
VARIABLES = [
    ("SLURM_JOB_NAME", {}, "a b"),
    ("SLURM_NTASKS", {"tasks": 8}, "8"),
    ("SLURM_NTASKS", {"nodes": 2, "tasks_per_node": 4}, "8"),
    ("SLURM_NPROCS", {"nodes": 2, "tasks_per_node": 4}, "8"),
    ("SLURM_NTASKS", {"cpus": 2}, "1"),
    ("SLURM_NTASKS_PER_NODE", {"nodes": 2, "tasks_per_node": 4}, "4"),
    ("SLURM_TASKS_PER_NODE", {"nodes": 2, "tasks_per_node": 4}, "4(x2)"),
    ("SLURM_TASKS_PER_NODE", {"nodes": 1, "tasks": 4}, "4"),
    ("SLURM_CPUS_PER_TASK", {"cpus": 2}, "2"),
    ("SLURM_NNODES", {"nodes": 3}, "3"),
    ("SLURM_JOB_NUM_NODES", {"cpus": 1}, "1"),
    ("SLURM_JOB_NUM_NODES", {"tasks": 8}, "1"),
    ("SLURM_MEM_PER_NODE", {"memory": 512 * MIB}, "512"),
    ("SLURM_MEM_PER_CPU", {"memory_per_cpu": 512 * MIB}, "512"),
    ("SLURM_MEM_PER_NODE", {"memory_per_cpu": 512 * MIB, "cpus": 1}, "64000"),
    ("SLURM_GPUS_PER_TASK", {"directives": (text("--gpus-per-task=2"),)}, "2"),
    ("SLURM_HINT", {"directives": (text("--hint=nomultithread"),)}, "nomultithread"),
    ("SLURM_CPUS_ON_NODE", {"cpus": 2}, "64"),
]


@pytest.mark.parametrize(("name", "fields", "expected"), VARIABLES)
def test_a_script_reads_what_it_asked_for(name: str, fields: dict[str, Any], expected: str, tmp_path: Path) -> None:
    record = Resources(name="r", partition=text("cpu"), walltime=60, memory=fields.pop("memory", None), **fields)
    body = f'echo "${name}"'
    job, _ = job_of(Task(name="a b", resources="r", steps=(use(body, name),)), record)
    assert run(job["command"], tmp_path).stdout.strip() == expected
    assert job["command"].endswith(body)


def test_a_script_that_reads_nothing_is_left_alone():
    job, said = job_of(Task(name="a", resources="r", steps=(use("./a"),)), Resources(name="r", tasks=8, nodes=2))
    assert job["command"] == "./a"
    assert job["_config"] is None
    assert not [message for message in said if "SLURM_" in message]


def launch(program: str = "srun", **fields: Any) -> Launch:
    return Launch(program, 0, len(program), 9, layers=(Layer(program, 0, len(program)),), **fields)


def exported(command: str) -> dict[str, str]:
    return dict(re.findall(r"^export (\w+)=(.*)$", command, re.M))


RECORD = Resources(name="r", nodes=2, tasks_per_node=4, cpus=8, memory_per_cpu=100 * MIB)
NUMBERS = {
    "SLURM_NTASKS": "8", "SLURM_NPROCS": "8", "SLURM_NTASKS_PER_NODE": "4", "SLURM_CPUS_PER_TASK": "8",
    "SLURM_NNODES": "2", "SLURM_JOB_NUM_NODES": "2", "SLURM_TASKS_PER_NODE": "'4(x2)'", "SLURM_MEM_PER_CPU": "100",
}  # fmt: skip
TOLD_BY_OPTIONS = {
    "tasks": ("SLURM_NTASKS", "SLURM_NPROCS"),
    "nodes": ("SLURM_NNODES", "SLURM_JOB_NUM_NODES"),
    "cpus": ("SLURM_CPUS_PER_TASK",),
    "tasks_per_node": ("SLURM_NTASKS_PER_NODE",),
}


@pytest.mark.parametrize("given", [(), *((name,) for name in TOLD_BY_OPTIONS), tuple(TOLD_BY_OPTIONS)])
@pytest.mark.parametrize("is_open", [False, True])
def test_a_step_takes_from_the_job_what_it_is_not_told(given: tuple[str, ...], is_open: bool) -> None:
    started = launch(open=is_open, **dict.fromkeys(given, 1))
    job, _ = job_of(Task(name="a", resources="r", steps=(use("srun ./a", launches=(started,)),)), RECORD)
    left = {name for field in given if not is_open for name in TOLD_BY_OPTIONS[field]}
    assert exported(job["command"]) == {name: value for name, value in NUMBERS.items() if name not in left}
    # two amounts of memory at once stop `srun`
    assert "unset SLURM_MEM_PER_NODE SLURM_MEM_PER_GPU" in job["command"].splitlines()
    assert job["_config"] == {"mode": "direct"}


def test_steps_of_a_worker_that_plays_slurm(tmp_path: Path) -> None:
    """A stand-in for `srun` starts as many copies as it reads from its environment."""
    (tmp_path / "bin").mkdir()
    stand_in = tmp_path / "bin" / "srun"
    stand_in.write_text('#!/bin/bash\nfor ((i = 0; i < SLURM_NTASKS; i++)); do SLURM_PROCID=$i "$@"; done\n')
    stand_in.chmod(0o755)
    step = use("srun sh -c 'echo $SLURM_PROCID'", launches=(launch(),))
    job, _ = job_of(Task(name="a", resources="r", steps=(step,)), RECORD)
    assert run(job["command"], tmp_path).stdout.split() == [str(number) for number in range(8)]


@pytest.mark.parametrize("program", ["apptainer", "bash"])
def test_what_starts_no_steps_needs_no_worker_of_a_kind(program: str) -> None:
    assert job_of(Task(name="a", steps=(use("x", launches=(launch(program),)),)))[0]["_config"] is None


def array(name: str, values: Range | Values, *names: str) -> Task:
    index = Variable(name="SLURM_ARRAY_TASK_ID", value=Template((Ref(Root.SWEEP, ("index",)),)))
    sweep = Sweep(parameters=(Parameter(name="index", values=values),))
    body = "echo " + " ".join(f"${each}" for each in names)
    return Task(name=name, steps=(use(body, *names),), environment=(index,), sweep=sweep)


ARRAY = ("SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_MAX", "SLURM_ARRAY_TASK_COUNT", "SLURM_ARRAY_TASK_STEP")


@pytest.mark.parametrize(
    ("values", "expected"), [(Range(0, 9, 3), "0 9 4 3"), (Values((7, 1, 4)), "1 7 3 1"), (Range(5, 5), "5 5 1 1")]
)
def test_the_ends_of_an_array(values: Range | Values, expected: str, tmp_path: Path) -> None:
    job, said = job_of(array("a", values, *ARRAY))
    assert run(job["command"], tmp_path).stdout.strip() == expected
    assert not [message for message in said if "SLURM_ARRAY" in message]


def test_arrays_have_numbers_of_their_own(tmp_path: Path) -> None:
    tasks = [array(name, Range(0, 3), "SLURM_ARRAY_JOB_ID") for name in "abc"]
    numbers = set()
    for at in range(3):
        order = (tasks[at], *(task for task in tasks if task is not tasks[at]))
        workflow = Workflow(name="w", dialect="slurm", tasks=tuple(tasks))
        command = yaml.safe_load(written(workflow)[0].files[0].text)["jobs"][at]["command"]
        numbers.update(run(command, tmp_path, TORC_WORKFLOW_ID=run_id).stdout.strip() for run_id in ("7", "8"))
        assert order
    assert len(numbers) == 6
    assert any("SLURM_ARRAY_JOB_ID" in message for message in job_of(tasks[0])[1])


@pytest.mark.parametrize(
    ("name", "place", "told"),
    [
        ("SLURM_JOB_ID", "cpu", True),
        ("SLURM_JOB_DEPENDENCY", "cpu", True),
        ("SLURM_SUBMIT_DIR", "cpu", True),
        ("SLURM_RESTART_COUNT", "cpu", True),
        ("SLURM_JOB_NODELIST", "cpu", False),
        ("SLURM_JOB_NODELIST", None, True),
        ("SLURM_JOB_PARTITION", "cpu", False),
        ("SLURM_JOB_NAME", "cpu", False),
        ("SLURM_PROCID", None, False),
        ("SLURM_STEP_ID", None, False),
    ],
)
def test_what_cannot_be_right_is_told(name: str, place: str | None, told: bool) -> None:
    record = Resources(name="r", cpus=2, partition=text(place) if place else None)
    said = job_of(Task(name="a", resources="r", steps=(use(f"echo ${name}", name),)), record)[1]
    assert bool([message for message in said if f"`{name}`" in message]) is told


@pytest.mark.parametrize(
    ("script", "line"),
    [
        ("#!/usr/bin/env python3\nimport os\nprint(os.environ['SLURM_JOB_ID'], 'SLURM_FLAGS')\n", 1),
        ("#!/bin/bash\nX=1\nsbatch <<E\n#!/bin/bash\necho $X \\$SLURM_JOB_ID\nE\n", 3),
    ],
)
def test_the_number_of_the_job_is_told_where_no_place_in_the_script_is_known(script: str, line: int):
    assert [place for name, place in compiled(script)[2] if name == "torc-allocation-variable"] == [line]


def test_an_account_is_asked_for_once_for_each_scheduler():
    script = "#!/bin/bash\nfor i in 1 2 3; do d=$(sbatch --parsable -N 2 ${d:+-d afterany:$d} --wrap ./a); done\n"
    assert [name for name, _ in compiled(script)[2]].count("torc-account") == 1


def test_the_folder_of_the_submission_is_that_of_the_worker(tmp_path: Path) -> None:
    step = use("cd /; cd $SLURM_SUBMIT_DIR; pwd", "SLURM_SUBMIT_DIR")
    command = job_of(Task(name="a", steps=(step,)))[0]["command"]
    assert run(command, tmp_path).stdout.strip() == str(tmp_path)


@pytest.mark.parametrize(
    ("body", "program", "told"),
    [
        ("scontrol requeue $SLURM_JOB_ID", "scontrol", True),
        ("scontrol show hostnames", "scontrol", False),
        ("sbatch next.sh", "sbatch", True),
        ("squeue", "squeue", False),
    ],
)
def test_calls_that_act_on_the_allocation(body: str, program: str, told: bool) -> None:
    step = use(body, calls=(Use(program, 0, len(program)),))
    assert bool([message for message in job_of(Task(name="a", steps=(step,)))[1] if program in message]) is told


# nodes of several kinds


def test_components_become_nodes_like_the_largest():
    first = Resources(name="a", nodes=1, tasks=4, cpus=1, memory=16 * 2**30, account=text("lab"), walltime=7200)
    second = Resources(name="a+1", nodes=2, tasks_per_node=8, cpus=4, gpus=2, gpu_type="a100", partition=text("big"))
    step = use("srun ./a", launches=(launch(), launch(components=(1,))))
    task = Task(name="a", resources="a", beside=("a+1",), steps=(step,))
    workflow = Workflow(name="w", dialect="slurm", tasks=(task,), resources=(first, second))
    made, ledger, entries = written(workflow)
    data = yaml.safe_load(made.files[0].text)
    (record,), (scheduler,), (job,) = data["resource_requirements"], data["slurm_schedulers"], data["jobs"]
    assert job["resource_requirements"] == record["name"]
    assert job["scheduler"] == scheduler["name"]
    assert record == {
        "name": "a_together", "num_cpus": 32, "num_gpus": 2, "num_nodes": 3, "memory": "16g", "runtime": "PT2H"
    }  # fmt: skip
    assert (scheduler["nodes"], scheduler["gres"], scheduler["extra"]) == (3, "gpu:a100:2", "--cpus-per-task=32")
    # steps start in the first component unless they say otherwise
    assert {"SLURM_NTASKS": "4", "SLURM_NNODES": "1"}.items() <= exported(job["command"]).items()
    said = [item.message for item in ledger.diagnostics if item.code.name == "torc-together"]
    assert len(said) == 3
    assert not [entry for entry in entries if entry.code is not None and entry.code.name == "not-carried"]


def test_components_of_a_script_are_told_where_they_begin():
    script = "#!/bin/bash\n#SBATCH -A lab -n 1\n#SBATCH hetjob\n#SBATCH -n 8\n./a\n"
    data, _, said = compiled(script)
    assert data["resource_requirements"][0]["num_nodes"] == 2
    assert ("torc-together", 4) in said


@pytest.mark.parametrize(
    ("further", "step", "told"),
    [
        ("#SBATCH hetjob\n", "srun ./a : ./b", "starts in component 1"),
        ("#SBATCH hetjob\n", "srun --het-group=0 ./a : --het-group=1 ./b", "asks for component 1"),
        # steps of several commands need no job of several kinds
        ("", "srun -n 1 ./a : -n 1 ./b", None),
    ],
)
def test_steps_of_several_components(further: str, step: str, told: str | None):
    script = f"#!/bin/bash\n#SBATCH -A lab -t 5\n{further}#SBATCH -n 2\n{step}\n"
    made = api.compile(script, origin="slurm", to="torc", allow=["PWX3315"])
    said = [
        item.message for item in made.diagnostics if "component" in item.message and "nodes like" not in item.message
    ]
    assert len(said) == (told is not None)
    assert told is None or told in said[0]


@pytest.mark.parametrize(
    ("lines", "line"),
    [
        (["-o out.txt", "--comment=x", "-N 4"], 4),
        (["--comment=x", "-N 4", "-C fast"], 4),
        (["-o x", "--licenses=a:1", "-N 2"], 3),
        (["-o x", "--licenses=a:1", "-p big"], 4),
    ],
)
def test_an_account_is_asked_for_at_what_needs_it(lines: list[str], line: int):
    script = "".join(f"{part}\n" for part in ["#!/bin/bash", *(f"#SBATCH {item}" for item in lines), "./a"])
    assert ("torc-account", line) in compiled(script)[2]


def test_braces_in_names_of_files_are_no_parameters():
    data, _, _ = compiled("#!/bin/bash\n#SBATCH -t 5 -a 0-3 -J a{index} -o '{index}.out'\n./a\n")
    (job,) = data["jobs"]
    assert job["parameters"] == {"index_": "0:3"}
    assert job["name"] == "a{index}_{index_}"
    assert job["command"].startswith("exec > '{index}.out' ")


def test_arrays_are_tied_by_index_where_the_other_has_it():
    driver = (
        "#!/bin/bash\na=$(sbatch --parsable -J a -a 1-9 --wrap ./a)\nsbatch -J b -a {} -d aftercorr:$a --wrap ./b\n"
    )
    for indexes, expected in (("1-9", ["a_{index}"]), ("2,3,7", ["a_{index}"]), ("3-9:2", ["a_{index}"])):
        data, _, said = compiled(driver.format(indexes))
        assert data["jobs"][1]["depends_on"] == expected
        assert "torc-whole-sweep" not in {name for name, _ in said}
    data, _, said = compiled(driver.format("1-10"))
    assert data["jobs"][1]["depends_on_regexes"] == ["^a_[0-9]+$"]
    assert "torc-whole-sweep" in {name for name, _ in said}


def test_the_same_script_is_told_once_and_each_script_at_its_place(tmp_path: Path) -> None:
    (tmp_path / "one.sh").write_text("#!/bin/bash\nls $SLURM_JOB_ID\n")
    (tmp_path / "two.sh").write_text("#!/bin/bash\n:\nls $SLURM_JOB_ID\n")
    (tmp_path / "all.sh").write_text("#!/bin/bash\nfor i in 1 2 3; do sbatch one.sh; done\nsbatch two.sh\n")
    made = api.compile(tmp_path / "all.sh", origin="slurm", to="torc")
    places = []
    for item in made.diagnostics:
        if item.code.name == "torc-allocation-variable" and item.span is not None:
            at = item.span.resolve()
            places.append((Path(at.source.name).name, at.source.position(at.start)[0]))
    assert sorted(places) == [("one.sh", 2), ("two.sh", 3)]


HOSTILE = st.text(alphabet="ab $`'\"!*~&;|<>(){}[]#=,é", min_size=1, max_size=12).filter(lambda name: name.strip())


@settings(max_examples=40, deadline=None)
@given(HOSTILE)
def test_names_and_values_are_data(name: str) -> None:
    quoted = '"' + name.replace('"', '\\"') + '"'
    value = name.replace(",", "")
    script = (
        f"#!/bin/bash\n#SBATCH -t 5 -J {quoted} -o {quoted}.out\n#SBATCH --export=ALL,V={quoted.replace(',', '')}\n"
    )
    command = compiled(script + 'printf %s "$V|$SLURM_JOB_NAME"\n')[0]["jobs"][0]["command"]
    with tempfile.TemporaryDirectory() as folder:
        assert run(command, Path(folder)).returncode == 0
        (file,) = Path(folder).iterdir()
        assert file.name == f"{name}.out"
        assert file.read_text() == f"{value}|{name}"
