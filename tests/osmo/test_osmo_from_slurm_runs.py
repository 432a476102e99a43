"""Batch scripts as OSMO runs them: the tasks of the written file, started by bash beside each other as a group is."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import attrs
import pytest

import pwxc
from tests.osmo.test_osmo_writing import loaded
from tests.slurm.conftest import slurm  # noqa: F401, a fixture

IMAGE = {"osmo.image": "ubuntu:24.04"}
_TOKEN = re.compile(r"\{\{(output|workflow_id|host:([\w-]+))\}\}")


def tasks_of(script: str) -> list[dict[str, Any]]:
    """Give the tasks of a batch script, those of one group or of none."""
    made = pwxc.compile(script, to="osmo", origin="slurm", options=IMAGE, lossy=True)
    assert made.files, [item.message for item in made.diagnostics]
    again, said = pwxc.read(made.files[0].text, origin="osmo")
    assert again is not None, list(said)
    assert not [item for item in said if item.severity == "error"]
    flow = loaded(made.files[0].text)
    return [task for group in flow.get("groups", [flow]) for task in group["tasks"]]


@attrs.frozen
class Member:
    """A task that was started, in a folder of its own."""

    process: subprocess.Popen[str]
    home: Path

    @property
    def said(self) -> str:
        return (self.home / "log").read_text()


def start(task: dict[str, Any], folder: Path) -> Member:
    """Start a task as OSMO does: tokens replaced, files in their places."""
    home = folder / task["name"]
    (home / "output").mkdir(parents=True)

    def place(text: str) -> str:
        values = {"output": str(home / "output"), "workflow_id": "flow-17"}
        text = text.replace("/tmp/", f"{home}/tmp/")
        return _TOKEN.sub(lambda found: values.get(found[1], f"at-{found[2]}"), text)

    for file in task["files"]:
        path = Path(place(file["path"]))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(place(file["contents"]))
    words = [place(word) for word in (*task["command"], *task.get("args", []))]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SLURM")}
    variables = {name: place(value) for name, value in task.get("environment", {}).items()}
    (home / "tmp").mkdir(exist_ok=True)
    with (home / "log").open("a") as log:
        process = subprocess.Popen(
            words, env={**clean, **variables}, cwd=home, stdin=subprocess.DEVNULL, stdout=log, stderr=log, text=True
        )
    return Member(process, home)


def run(script: str, folder: Path) -> list[Member]:
    """Run a script's task, or its group to the end of each member that ends by itself."""
    members = [start(task, folder) for task in tasks_of(script) if task["command"] != ["sleep"]]
    for member in members:
        member.process.wait(timeout=20)
    return members


def body(script: str, *options: str) -> str:
    return "\n".join(["#!/bin/bash", *(f"#SBATCH {option}" for option in options), "", script, ""])


def lines(member: Member) -> list[str]:
    return sorted(member.said.splitlines())


# copies on one node

RANKS = "srun bash -c 'echo rank $SLURM_PROCID of $SLURM_NTASKS, local $SLURM_LOCALID on $SLURM_NODEID'"
STATUS = [
    ("exit $((SLURM_PROCID + 3))", 5),
    ("[ $SLURM_PROCID != 1 ] || kill -9 $$", 137),
    ("[ $SLURM_PROCID = 1 ] || exit 7", 7),
    ("true", 0),
]
"""What each of three ranks does, and how `srun` ends then: as a real one was seen to."""


def test_each_copy_has_its_rank(tmp_path: Path) -> None:
    (member,) = run(body(f"set -euo pipefail\n{RANKS}\n", "--ntasks=3"), tmp_path)
    assert lines(member) == [f"rank {rank} of 3, local {rank} on 0" for rank in range(3)]
    assert member.process.returncode == 0


@pytest.mark.parametrize(("command", "status"), STATUS)
def test_the_highest_status_counts(command: str, status: int, tmp_path: Path) -> None:
    (member,) = run(body(f"srun bash -c '{command}'\n", "--ntasks=3"), tmp_path)
    assert member.process.returncode == status


WAITED = [
    ("srun -n 2 sh -c 'exit $((SLURM_PROCID + 4))' & wait $!", 5),
    ("srun -n 1 sh -c 'exit 3' &\npid=$!\nwait $pid", 3),
    ("srun -n 2 sleep 20 & pid=$!; sleep 0.2; kill $pid; wait $pid", 143),
    ("srun -n 2 false & srun -n 1 true & wait", 0),
    ("exec srun -n 2 sh -c 'exit $((SLURM_PROCID + 8))'", 9),
    ("timeout 10 srun -n 2 false", 1),
    ("if ! srun -n 2 true; then exit 1; fi; srun -n 2 false || exit 12", 12),
]


@pytest.mark.parametrize(("text", "status"), WAITED)
def test_steps_beside_each_other(text: str, status: int, tmp_path: Path) -> None:
    (member,) = run(body(text, "--ntasks=2"), tmp_path)
    assert member.process.returncode == status, member.said


def test_every_copy_gets_what_is_put_in(tmp_path: Path) -> None:
    text = "srun cat <<< here\necho piped | srun cat\necho file > in\nsrun -n 2 sort < in > out\nsort -u out"
    (member,) = run(body(text, "--ntasks=2"), tmp_path)
    assert lines(member) == ["file", "here", "here", "piped", "piped"]
    assert (member.home / "output" / "out").read_text() == "file\nfile\n"


def test_a_signal_reaches_every_copy(tmp_path: Path) -> None:
    text = "exec srun bash -c 'trap \"echo got; exit 3\" USR1; echo up; for i in {1..100}; do sleep 0.1; done'"
    (task,) = tasks_of(body(text, "--ntasks=2"))
    member = start(task, tmp_path)
    for _ in range(100):
        if member.said.count("up") == 2:
            break
        time.sleep(0.05)
    member.process.send_signal(signal.SIGUSR1)
    assert member.process.wait(timeout=10) == 3
    assert member.said.count("got") == 2


def test_gpus_are_dealt_out_to_the_copies(tmp_path: Path) -> None:
    text = "srun bash -c 'echo $SLURM_PROCID: $CUDA_VISIBLE_DEVICES'"
    (member,) = run(body(text, "--ntasks=2", "--gpus-per-task=2"), tmp_path)
    assert lines(member) == ["0: 0,1", "1: 2,3"]


def test_the_number_of_copies_may_be_known_only_in_the_run(tmp_path: Path) -> None:
    (member,) = run(body("COUNT=$(echo 2)\nsrun -n $COUNT echo hello\n"), tmp_path)
    assert lines(member) == ["hello", "hello"]


# what does nothing any more

NOTHING = """\
set -euo pipefail
module purge
module load gcc/12.1 "$(touch never; echo openmpi)" && echo loaded
if ! module load cuda; then exit 1; fi
module load none || exit 2
source /opt/never/setvars.sh > /dev/null 2>&1
eval "$(conda shell.bash hook)"
conda activate base
conda run -n base echo inside "a b"
(module load x; echo sub)
bash -c 'module load y && echo quoted'
ls
"""


def test_software_of_the_machine_is_left_out(tmp_path: Path) -> None:
    (member,) = run(body(NOTHING), tmp_path)
    assert (member.process.returncode, member.said.splitlines()) == (0, ["loaded", "inside a b", "sub", "quoted"])


# the scheduler's variables

VARIABLES: list[tuple[str, str, tuple[str, ...]]] = [
    ("echo $SLURM_CPUS_PER_TASK $SLURM_CPUS_ON_NODE", "4 12", ("--ntasks=3", "--cpus-per-task=4")),
    ("echo ${SLURM_CPUS_PER_TASK:-none} ${SLURM_NTASKS:-none}", "none none", ()),
    ("echo ${SLURM_NTASKS:-none} $SLURM_NTASKS_PER_NODE", "2 2", ("--ntasks-per-node=2",)),
    ("echo $SLURM_JOB_NAME", "it's $(me)", ('--job-name="it\'s $(me)"',)),
    ("echo $SLURM_JOB_ID $((SLURM_JOBID % 7))", "17 3", ()),
    ('cd /; cd "$SLURM_SUBMIT_DIR"; basename "$PWD"', "output", ()),
    ("echo $SLURM_MEM_PER_NODE", "2048", ("--mem=2G",)),
    ("echo $SLURM_GPUS_ON_NODE ${SLURM_GPUS_PER_NODE:-unset}", "2 unset", ("--gres=gpu:2",)),
    ("echo $SLURM_GPUS_PER_NODE", "2", ("--gpus-per-node=2",)),
    ("echo $SLURM_JOB_PARTITION", "gpu", ("--partition=gpu",)),
    ("echo [$SLURM_CLUSTER_NAME]", "[]", ()),
    ("SLURM_CLUSTER_NAME=mine; echo $SLURM_CLUSTER_NAME", "mine", ()),
    ("echo ${SLURM_RESTART_COUNT:-0}", "0", ()),
    ("echo $A", "1 2", ('--export="ALL,A=1 2"',)),
    ("scontrol show hostnames $SLURM_JOB_NODELIST | wc -l", "1", ()),
]


@pytest.mark.parametrize(("text", "printed", "options"), VARIABLES)
def test_variables_have_their_values(text: str, printed: str, options: tuple[str, ...], tmp_path: Path) -> None:
    (member,) = run(body(f"set -u\n{text}\n", *options), tmp_path)
    assert member.said == printed + "\n"


def test_the_instances_of_an_array(tmp_path: Path) -> None:
    text = "echo $SLURM_ARRAY_TASK_ID of $SLURM_ARRAY_TASK_COUNT: $SLURM_ARRAY_TASK_MIN to $SLURM_ARRAY_TASK_MAX"
    members = run(body(f"set -u\n{text} in $SLURM_ARRAY_JOB_ID\n", "--array=1-5:2%2"), tmp_path)
    assert [member.said for member in members] == [f"{at} of 3: 1 to 5 in 17\n" for at in (1, 3, 5)]


# several nodes

TORCHRUN = """\
set -eu
module load pytorch
nodes=( $( scontrol show hostnames "$SLURM_JOB_NODELIST" ) )
head_node=${nodes[0]}
head_ip=$(srun --nodes=1 --ntasks=1 -w "$head_node" hostname --ip-address)
export MASTER_ADDR=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
mkdir -p logs
srun hostname > hosts.txt
srun bash -c 'echo $SLURM_PROCID/$SLURM_NTASKS $SLURM_LOCALID@$SLURM_NODEID $MASTER_ADDR' | tee logs/out.log
echo $head_ip has $(wc -l < hosts.txt) of $SLURM_JOB_NUM_NODES, $RANDOM
"""


@pytest.mark.parametrize("each", [1, 2])
def test_a_command_over_all_nodes_runs_in_all_members(each: int, tmp_path: Path) -> None:
    options = ("--job-name=t", "--nodes=3", f"--ntasks-per-node={each}")
    members = run(body(TORCHRUN, *options), tmp_path)
    assert [member.process.returncode for member in members] == [0, 0, 0], members[0].said
    said = [lines(member) for member in members]
    for node in range(3):
        ranks = [f"{node * each + at}/{3 * each} {at}@{node} at-t" for at in range(each)]
        assert said[node][:each] == ranks
        assert (members[node].home / "output/logs/out.log").exists()
    assert said[0][each].startswith(f"at-t has {3 * each} of 3, ")
    assert [len(item) for item in said] == [each + 1, each, each]


def test_random_numbers_are_the_same_for_all_members(tmp_path: Path) -> None:
    members = run(body("srun echo $RANDOM\n", "--nodes=2"), tmp_path)
    assert members[0].said == members[1].said


def test_tasks_are_dealt_out_as_slurm_does(tmp_path: Path) -> None:
    members = run(body("srun sh -c 'echo $SLURM_PROCID'\n", "--nodes=2", "--ntasks=3"), tmp_path)
    assert [lines(member) for member in members] == [["0", "1"], ["2"]]


def test_a_failing_member_fails(tmp_path: Path) -> None:
    members = run(body("srun sh -c 'exit $SLURM_PROCID' &\nwait $!\n", "--nodes=2"), tmp_path)
    assert [member.process.returncode for member in members] == [0, 1]


# against a real one

REAL = """\
echo ${SLURM_NTASKS:-unset} ${SLURM_CPUS_PER_TASK:-unset} $SLURM_NNODES $SLURM_PROCID $SLURM_TASKS_PER_NODE
srun bash -c 'echo $SLURM_PROCID $SLURM_LOCALID $SLURM_NODEID $SLURM_NTASKS $SLURM_NPROCS' | sort
for command in 'exit $((SLURM_PROCID + 3))' '[ $SLURM_PROCID != 1 ] || kill -9 $$' 'exit 0'; do
  srun bash -c "$command" 2> /dev/null
  echo $?
done
srun -n 1 cat <<< one
srun -n 2 cat <<< two
srun -n 2 sh -c 'exit 4' 2> /dev/null &
wait $!
echo $?
"""


@pytest.mark.slurm
@pytest.mark.usefixtures("slurm")
@pytest.mark.parametrize("options", [("--ntasks=3",), ("--ntasks=2", "--cpus-per-task=2")])
def test_as_a_real_srun(options: tuple[str, ...], tmp_path: Path) -> None:
    script = body(REAL, "--nodes=1", "--output=out", *options)
    (tmp_path / "job.sh").write_text(script)
    subprocess.run(["sbatch", "--wait", "job.sh"], cwd=tmp_path, check=False, capture_output=True, timeout=120)
    (member,) = run(script, tmp_path)
    assert member.said == (tmp_path / "out").read_text()


# an MPI in the image

MPIRUN = """\
#!/bin/sh
echo "mpirun $2"
shift 2
OMPI_COMM_WORLD_RANK=0 "$@" && OMPI_COMM_WORLD_RANK=1 "$@"
"""


@pytest.mark.parametrize("text", ["srun --mpi=pmix", "module load openmpi/4\nsrun"])
def test_an_mpi_of_the_image_starts_the_copies(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = body(f"{text} sh -c 'echo $SLURM_PROCID of $SLURM_NTASKS'\n", "--ntasks=2")
    (without,) = run(script, tmp_path / "without")
    assert lines(without) == ["0 of 2", "1 of 2"]
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "mpirun").write_text(MPIRUN)
    (tmp_path / "bin" / "mpirun").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    (member,) = run(script, tmp_path)
    assert member.said.splitlines() == ["mpirun 2", "0 of 2", "1 of 2"]
