"""Batch scripts as OSMO tasks: what their text becomes, what is said of it and where (slurm.md §21, column OSMO)."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Callable
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pwxc
from pwxc import compiler, registry
from pwxc.compiler import Policy
from pwxc.fidelity import Fate
from pwxc.ir.entity import changed
from pwxc.ir.task import Command, Script, Step
from pwxc.ir.template import Template
from pwxc_targets.osmo.writing.scripts.files import submitted_file
from tests.osmo.test_osmo_from_slurm_runs import IMAGE, body
from tests.osmo.test_osmo_writing import loaded


@attrs.frozen
class Made:
    """A compiled script: its tasks after OSMO's own passes, and what was said, with the line of each."""

    tasks: list[dict[str, Any]]
    said: list[tuple[str, str, int]]
    fates: set[Fate]
    """What became of the steps."""

    @property
    def text(self) -> str:
        """The script of the first task."""
        return str(self.tasks[0]["files"][0]["contents"])

    def of(self, code: str) -> list[tuple[str, int]]:
        return [(message, line) for name, message, line in self.said if name == code]


def compiled(script: str, *, origin: str = "slurm", **options: str) -> Made:
    given = {**({} if options.pop("bare", "") else IMAGE), **options}
    made = pwxc.compile(script, to="osmo", origin=origin, options=given, lossy=True)
    assert made.files, [item.message for item in made.diagnostics]
    again, told = pwxc.read(made.files[0].text, origin="osmo")
    faults = [item.message for item in told if item.code.id not in ("PWX2120", "PWX2150")]
    assert again is not None, faults
    assert not faults
    back = pwxc.compile(made.files[0].text, to="osmo", origin="osmo", lossy=True)
    assert back.files, "what was written is read and written again"
    said = []
    for item in made.diagnostics:
        if "begins with an empty folder" in item.message:  # has a test of its own
            continue
        place = item.span.resolve() if item.span is not None else None
        said.append((item.code.name, item.message, place.source.position(place.start)[0] if place is not None else 0))
    flow = loaded(made.files[0].text)
    tasks = [task for group in flow.get("groups", [flow]) for task in group["tasks"]]
    return Made(tasks, said, {entry.fate for entry in made.report.entries if entry.construct.endswith("step.work")})


# the image

NAMED = [
    ("apptainer exec docker://python:3.11 python a.py", "python:3.11", "python a.py"),
    ("apptainer exec docker://nvcr.io/nvidia/pytorch:24.01-py3 true", "nvcr.io/nvidia/pytorch:24.01-py3", "true"),
    ("IMG=docker://r-base:4.3\nsingularity exec --nv $IMG Rscript a.R", "r-base:4.3", "Rscript a.R"),
    ("srun -n 1 apptainer exec docker://a/b:1 ./x 'y z' && echo ok", "a/b:1", "./x 'y z' && echo ok"),
    ("srun --container-image=nvcr.io#nvidia/cuda:12 nvidia-smi", "nvcr.io/nvidia/cuda:12", "nvidia-smi"),
    ("docker run --rm -it --gpus all python:3.12 python -V", "python:3.12", "python -V"),
    ("podman run -e N=5 --env M python:3.12 ./n", "python:3.12", "env N=5 ./n"),
    ("apptainer exec --env 'A=1,B=x y' docker://a/b:1 ./n", "a/b:1", "env 'A=1' 'B=x y' ./n"),
    ("apptainer exec --pwd /x docker://a/b:1 ./n > log", "a/b:1", 'sh -c \'cd "$0" && exec "$@"\' /x ./n > log'),
    ("module load apptainer\napptainer pull p.sif docker://a/b:1\napptainer exec p.sif ./n", "a/b:1", "./n"),
    ("for i in 1 2; do apptainer exec docker://a/b:1 ./n $i; done", "a/b:1", "for i in 1 2; do ./n $i; done"),
]


@pytest.mark.parametrize(("text", "image", "command"), NAMED)
def test_an_image_that_the_script_names_is_that_of_the_task(text: str, image: str, command: str) -> None:
    made = compiled(body(text), bare="yes")
    assert made.tasks[0]["image"] == image
    assert made.text.rstrip("\n").endswith(command)
    assert not made.said


MOUNTS = [
    ("--bind /data:/mnt:ro,/scratch", ["/data:/mnt", "/scratch"], 0),
    ("--bind $PWD", None, 0),
    ("--bind $PWD:/work", None, 0),
    ("--bind $DATA:/data", None, 1),
]


@pytest.mark.parametrize(("options", "mounts", "faults"), MOUNTS)
def test_folders_of_a_container(options: str, mounts: list[str] | None, faults: int) -> None:
    made = compiled(body(f"apptainer exec {options} docker://a/b:1 ./n"))
    assert made.tasks[0].get("volumeMounts") == mounts
    assert len(made.of("osmo-bind")) == faults
    assert ('ln -s "$PWD" /work' in made.text) is ("/work" in options)


STAYING = [
    ("apptainer exec tools.sif ./a", ["is a file of the machine"]),
    ("srun --container-image=/shared/t.sqsh ./a", ["is a file of the machine"]),
    ("apptainer exec $IMAGE ./a", ["known only in the run"]),
    ("docker run python:3.11", ["a command of its own"]),
    ("apptainer run docker://a/b:1 x", ["own entry point"]),
    ("apptainer exec docker://a/b:1 ./a\napptainer exec docker://a/c:1 ./b", ["several images", "several images"]),
    ("apptainer exec docker://a/b:1 ./a\napptainer exec t.sif ./b", ["another call", "is a file of the machine"]),
    ("apptainer run docker://a/b:1 x\napptainer exec docker://a/c:1 y", ["own entry point", "another call"]),
    ("apptainer run docker://a/b:1 x\ndocker run --rm ubuntu:22.04 ls", ["own entry point", "another call"]),
    ("srun docker run a/b:1 ls; docker run $I ls\nshifter --image=a/b:1 x", ["another", "known only", "another"]),
    ("apptainer exec oras://ghcr.io/x/y:1 z", ["in a registry, but is no OCI image"]),
    ("I=library://x/y:1\nsingularity exec $I z", ["in a registry, but is no OCI image"]),
    ("singularity exec shub://x/y z", ["in a registry, but is no OCI image"]),
    ("apptainer exec docker-archive://x.tar z", ["is a file of the machine"]),
    ("apptainer exec sandbox z", ["is a file of the machine"]),
    ("make && apptainer exec docker://Foo/Bar z", ["no image as registries name them"]),
]


@pytest.mark.parametrize(("text", "reasons"), STAYING)
def test_calls_that_stay_are_told(text: str, reasons: list[str]) -> None:
    made = compiled(body(text))
    assert made.tasks[0]["image"] == IMAGE["osmo.image"]
    assert made.text.endswith(text + "\n")
    said = made.of("osmo-container-call")
    assert [reason in message for reason, (message, _) in zip(reasons, said, strict=True)] == [True] * len(reasons)
    assert said[-1][1] == 2 + len(text.splitlines())
    assert Fate.MANUAL in made.fates


def test_what_runs_outside_of_the_containers_is_told() -> None:
    text = "set -e\necho hello\ncd /x\n{}apptainer exec docker://a/b:1 ./a\n"
    assert not compiled(body(text.format(""))).said
    ((message, line),) = compiled(body(text.format("python before.py\n"))).of("osmo-script-image")
    assert "`a/b:1`" in message
    assert line == 7


def test_without_an_image_a_person_has_to_name_one() -> None:
    made = compiled(body("make"), bare="yes")
    assert Fate.MANUAL in made.fates
    assert [name for name, _, _ in made.said] == ["osmo-no-image"]
    refused = pwxc.compile(body("make"), to="osmo", origin="slurm")
    assert not refused.files


# software

LOADS = [
    ("module load gcc/12.1 openmpi", ": module load gcc/12.1 openmpi", "the modules `gcc/12.1`, `openmpi`"),
    ("ml R && Rscript a.R", ": ml R && Rscript a.R", "the module `R`"),
    ("conda activate 'my env'", ": \"conda activate 'my env'\"", "the environment `my env`"),
    ("source ~/venv/bin/activate", ': "source ~/venv/bin/activate"', "the environment `~/venv`"),
    ('module load "$(cat m)"', ': "module load \\"\\$(cat m)\\""', "what it loads"),
    ("source /opt/x/setvars.sh intel64", ": source /opt/x/setvars.sh intel64", "`/opt/x/setvars.sh`"),
    ("spack load hdf5", ": spack load hdf5", "the package `hdf5`"),
]


@pytest.mark.parametrize(("command", "inert", "needs"), LOADS)
def test_loads_do_nothing_and_are_told(command: str, inert: str, needs: str) -> None:
    made = compiled(body(f"echo a\n{command}\necho b"))
    assert f"echo a\n{inert}\necho b" in made.text
    ((message, line),) = made.of("osmo-machine-software")
    assert line == 4
    assert "`$(cat m)`" in message or needs in message


def test_what_only_readies_the_shell_is_not_told() -> None:
    made = compiled(body('module purge\nmodule use /sw\neval "$(conda shell.bash hook)"\nmake'))
    assert not made.said
    assert "\nmake\n" in made.text


# launchers

TAKEN_OUT = [
    ("srun ./a", "./a"),
    ("srun -n1 --exact ./a & srun -n 1 ./b &\nwait", "./a & ./b &\nwait"),
    ("OMP_NUM_THREADS=4 srun --cpu-bind=cores -u ./a > log", "OMP_NUM_THREADS=4 ./a > log"),
    ("mpirun -np 1 ./a", "./a"),
    ("time srun --chdir='a b' ./a", "time sh -c 'cd \"$0\" && exec \"$@\"' 'a b' ./a"),
    ("srun -o out.txt ./a", 'sh -c \'exec "$@" > "$0" 2>&1\' out.txt ./a'),
    ("srun --export=ALL,A=1 ./a", "env A=1 ./a"),
    ("if srun ./a; then srun ./b; fi", "if ./a; then ./b; fi"),
    ("OPTIONS='--mpi=pmix -K'\nsrun $OPTIONS ./a", "OPTIONS='--mpi=pmix -K'\n./a"),
    ("bash -c 'srun ./a'", "bash -c './a'"),
    ("echo 'srun ./a'  # srun ./b", "echo 'srun ./a'  # srun ./b"),
]


@pytest.mark.parametrize(("text", "command"), TAKEN_OUT)
def test_a_launcher_of_one_task_goes(text: str, command: str) -> None:
    made = compiled(body(text))
    assert made.text.endswith(f"\n{command}\n")
    assert not made.said


TOLD = [
    ("srun ./a", ("--ntasks=4",), "osmo-ranks", "the 4 copies of `./a`"),
    ("srun -n $N ./a", (), "osmo-ranks", "the copies of `./a`"),
    ("mpirun ./a", ("--ntasks=4",), "osmo-launcher", "the image has to have `mpirun`"),
    ("srun --multi-prog conf", ("--ntasks=2",), "osmo-launcher", "the command of each rank"),
    ("srun $ARGS ./a", (), "osmo-launcher", "known only in the run"),
    ("srun -w $second ./a", ("--nodes=2",), "osmo-launcher", "chosen in the run"),
    ("mpirun ./a", ("--nodes=2",), "osmo-launcher", "reach the other nodes"),
    ("while true; do srun ./a; done", ("--nodes=2",), "osmo-launcher", "in a loop, a condition or a function"),
    ("srun ./a\nsrun ./b", ("--nodes=2",), "osmo-launcher", "the single one"),
    ("A=$(srun ./a)", ("--nodes=2",), "osmo-launcher", "inside of another"),
    ("bash -c 'srun ./a'", ("--nodes=2",), "osmo-launcher", "text for another shell"),
    ("srun -N 2 ./a", ("--nodes=3",), "osmo-launcher", "some of the nodes"),
    ("srun ./a & mpirun ./a", ("--nodes=2",), "osmo-launcher", "other"),
]


@pytest.mark.parametrize(("text", "options", "code", "part"), TOLD)
def test_what_a_launcher_loses_is_told_at_its_line(text: str, options: tuple[str, ...], code: str, part: str) -> None:
    said = compiled(body(text, *options)).of(code)
    assert said
    assert all(part in message for message, _ in said)
    assert said[0][1] == 3 + len(options)


@pytest.mark.parametrize("options", [("--ntasks=4",), ("--nodes=2",), ("--nodes=2", "--ntasks-per-node=2")])
def test_a_container_runtime_alone_starts_its_command_once(options: tuple[str, ...]) -> None:
    made = compiled(body("apptainer exec docker://a/b:1 ./a", *options))
    assert made.text.endswith("\n./a\n")
    assert {name for name, _, _ in made.said} <= {"osmo-several-nodes"}
    both = compiled(body("apptainer exec docker://a/b:1 ./a && srun apptainer exec docker://a/b:1 ./b", "--ntasks=2"))
    assert both.text.endswith("\n./a && sh /tmp/pwxc/ranks.sh 2 ./b\n")


def test_mpirun_gets_the_number_of_the_job() -> None:
    assert "mpirun -n 6 --bind-to core ./a" in compiled(body("mpirun --bind-to core ./a", "--ntasks=6")).text
    assert "mpirun -n 2 ./a" in compiled(body("mpirun -n 2 apptainer exec docker://a/b:1 ./a", "--ntasks=6")).text


HARD = ["-o 'a; touch x'", "--chdir='$(touch x)'", "--export=ALL,A='`touch x`'"]


@pytest.mark.parametrize("option", HARD)
def test_values_of_options_stay_quoted(option: str) -> None:
    value = re.split(r"[ =]", option, maxsplit=1)[1].removeprefix("ALL,")
    assert value.replace("A='", "'A=") in compiled(body(f"srun {option} ./a")).text


# several nodes

UNFOLDED = [
    "srun ./a",
    "set -e\nmodule load x\nexport A=$(scontrol show hostnames $SLURM_JOB_NODELIST | head -n 1)\nsrun ./a x | tee log",
    "mkdir -p out && cd out && srun ./a",
    "if [ -z $A ]; then A=1; fi\nsrun ./a || exit 3",
    "srun ./a &\nwait $!\npython after.py",
]
UNREPEATABLE = "python before.py\nsrun ./a"
FOLDED = [
    UNREPEATABLE,
    "A=$(mktemp)\nsrun ./a",
    "A=$$\nsrun ./a",
    "f() { srun ./a; }\nf",
    "A=$(srun ./a)\necho $A",
    "srun -N 1 -n 1 ./a &\nsrun ./b\nwait",
]


@pytest.mark.parametrize("text", UNFOLDED)
def test_every_member_runs_its_part(text: str) -> None:
    made = compiled(body(text, "--nodes=2"))
    assert [task["command"] for task in made.tasks] == [["bash"], ["bash"]]
    assert "after.py" not in made.tasks[1]["files"][0]["contents"]
    assert made.of("osmo-unfolded")
    assert not made.of("osmo-several-nodes")


@pytest.mark.parametrize("text", FOLDED)
def test_other_scripts_run_in_the_first_member(text: str) -> None:
    made = compiled(body(text, "--nodes=2"))
    assert [task["command"] for task in made.tasks] == [["bash"], ["sleep"]]
    assert not made.of("osmo-unfolded")
    assert made.of("osmo-several-nodes")[0][1] == 2


@pytest.mark.parametrize(
    ("options", "work"),
    [
        (("--nodes=2",), "each of 2 members of the group runs `./a`"),
        (("--nodes=2", "--ntasks-per-node=4"), "each of 2 members of the group runs 4 copies of `./a`"),
        (("--nodes=2", "--ntasks=5"), "each of 2 members of the group runs 2 to 3 copies of `./a`"),
        (("--ntasks=4", "hetjob", "--ntasks=1"), "one member of the group runs 4 copies of `./a`"),
    ],
)
def test_what_each_member_runs_is_told(options: tuple[str, ...], work: str) -> None:
    text = "srun ./a : ./b" if "hetjob" in options else "srun ./a"
    assert compiled(body(text, *options)).of("osmo-unfolded")[0][0].startswith(work)


def test_components_of_a_job_are_members_with_their_own_resources() -> None:
    options = ("--job-name=het", "--cpus-per-task=2", "hetjob", "--nodes=2 --mem=4G")
    made = compiled(body("srun --het-group=0 ./a : --het-group=1 ./b\n", *options))
    assert [task["resource"] for task in made.tasks] == ["het", "het+1", "het+1"]
    programs = [re.findall(r"\./\w", task["files"][0]["contents"]) for task in made.tasks]
    assert programs == [["./a"], ["./b"], ["./b"]]
    assert not made.of("osmo-components")
    waiting = compiled(body("./a $SLURM_JOB_NODELIST_HET_GROUP_1\n", *options))
    assert [task["command"] for task in waiting.tasks] == [["bash"], ["sleep"], ["sleep"]]
    assert waiting.of("osmo-components")


# the scheduler


def test_unknown_variables_are_told_once_at_their_place() -> None:
    text = 'set -u\necho "$SLURM_CLUSTER_NAME"\necho $SLURM_CLUSTER_NAME $MY_OWN\nSLURM_MINE=1; echo $SLURM_MINE'
    assert compiled(body(text)).said == [
        ("osmo-scheduler-variable", "the value of `SLURM_CLUSTER_NAME` is not known in OSMO", 4)
    ]


SITE = [
    ('cd $TMPDIR\ncp a "$TMPDIR"', ["TMPDIR"], []),
    ("export TMPDIR=$TMPDIR/own; mkdir $TMPDIR", ["TMPDIR"], []),
    ("TMPDIR=/x\ncd $TMPDIR", [], []),
    ("cd ${TMPDIR:-/tmp}; cd ${SCRATCH-/x}", [], []),
    ("echo '$TMPDIR $SCRATCH' \\$WORK", [], []),
    ("cd $SCRATCH\ncd ${SCRATCH%/}/x", [], ["SCRATCH"]),
    ('cp a "$WORK/$PROJECT"\ncd $MY_OWN $HOME', [], ["WORK", "PROJECT"]),
    ("if [ -z $SCRATCH ]; then SCRATCH=/x; fi\ncd $SCRATCH", [], []),
    (": ${SCRATCH:=/x}\ncd $SCRATCH", [], []),
    ("read -r WORK < f\ncd $WORK", [], []),
    ("cat <<E > f\ncd $SCRATCH\nE\ncat <<'E'\n$WORK\nE", [], ["SCRATCH"]),
    ("A=$(ls $VSC_SCRATCH)", [], ["VSC_SCRATCH"]),
]


@pytest.mark.parametrize(("text", "made_here", "unknown"), SITE)
def test_folders_of_the_site(text: str, made_here: list[str], unknown: list[str]) -> None:
    made = compiled(body(text))
    assert re.findall(r'^(\w+)="\$\(mktemp -d\)"$', made.text, re.MULTILINE) == made_here
    said = made.of("osmo-scheduler-variable")
    assert [message.split("`")[1] for message, _ in said] == unknown
    first = next((number for number, line in enumerate(text.split("\n")) if unknown and unknown[0] in line), 0)
    assert all(line == 3 + first for _, line in said)


def test_folders_of_the_site_that_the_job_sets() -> None:
    made = compiled(body("cd $SCRATCH; cd $TMPDIR", "--export=ALL,SCRATCH=/x,TMPDIR=/y"))
    assert not made.said
    assert "mktemp" not in made.text


CALLS = [
    ("sbatch next.sh", ["sbatch"]),
    ("squeue -u me | wc -l", ["squeue"]),
    ("scontrol show hostnames $SLURM_JOB_NODELIST", []),
    ("echo a\nscontrol requeue $SLURM_JOB_ID", ["scontrol"]),
    ("H=$(scontrol show hostname | head -1)\nscontrol update job=$SLURM_JOB_ID", ["scontrol"]),
]


@pytest.mark.parametrize(("text", "names"), CALLS)
def test_programs_of_the_scheduler_are_told(text: str, names: list[str]) -> None:
    said = compiled(body(text)).of("osmo-scheduler-command")
    assert [message.split("`")[1] for message, _ in said] == names
    assert all(line == 2 + len(text.splitlines()) for _, line in said)


OPTIONS = [
    ("--mail-type=END", "`--mail-type=END`: OSMO sends no mail"),
    ("--mail-type=ALL", "`--mail-type=ALL`: OSMO sends no mail"),
    ("--mail-type=time_limit,all", "`--mail-type=ALL,TIME_LIMIT`: OSMO sends no mail"),
    ("--begin=now+1hour", "starts as soon as"),
    ("--licenses=matlab:2", "no licences"),
    ("--requeue", "only where the site allows"),
    ("--signal=B:USR1@60", "before its time ends"),
    ("--output=log-%j.txt", "is in its log"),
    ("--hold", "until somebody releases it"),
    ("--deadline=now+1day", "given up"),
    ("--nice=10", "given at submission"),
    ("--hint=nomultithread", "no such option"),
    ("--mem=0", "the whole memory"),
    ("--partition=gpu", "the partition"),
    ("--account=me", "the account"),
    ("--qos=high", "the quality"),
    ("--constraint=a100", "the constraint"),
    ("--reservation=r", "the reservation"),
    ("--nodelist=n1", "the node list"),
    ("--gres=nvme:1", "the generic"),
    ("--gres=gpu:a100:1", "the gpu type"),
    ("--exclusive", "for itself alone"),
]
SILENT = ["--time=0", "--export=ALL", "--exclude=n1", "--no-requeue", "--mail-type=NONE", "--ntasks-per-node=1"]


@pytest.mark.parametrize(("option", "part"), OPTIONS)
def test_every_option_that_is_lost_is_told_at_its_line(option: str, part: str) -> None:
    ((message, line),) = compiled(body("make", "--time=10", option)).of("osmo-site-request")
    assert part in message
    assert line == 3


@pytest.mark.parametrize("option", SILENT)
def test_options_that_are_kept_or_change_nothing(option: str) -> None:
    assert not compiled(body("make", option)).said


def test_a_script_reads_from_the_file_that_its_option_names() -> None:
    assert "exec < 'a b' || exit 1\nmake" in compiled(body("make", '--input="a b"')).text
    assert "exec < x/in || exit 1\n" in compiled(body("make", "--input=in", "--chdir=x")).text
    assert len(compiled(body("make", "--input=in-%j")).of("osmo-site-request")) == 1


AMOUNTS = [
    (("--ntasks=4", "--gpus-per-task=2"), {"gpu": 8}),
    (("--nodes=2", "--ntasks-per-node=2", "--gpus-per-task=1"), {"gpu": 2}),
    (("--gpus=4", "--cpus-per-gpu=6", "--mem-per-gpu=10G"), {"gpu": 4, "cpu": 24, "memory": "40Gi"}),
    (("--ntasks=8", "--ntasks-per-gpu=4"), {"gpu": 2, "cpu": 8}),
    (("--ntasks=3", "--cpus-per-task=2", "--mem-per-cpu=1G"), {"cpu": 6, "memory": "6Gi"}),
]


@pytest.mark.parametrize(("options", "amounts"), AMOUNTS)
def test_amounts_for_tasks_and_gpus_are_multiplied_out(options: tuple[str, ...], amounts: dict[str, Any]) -> None:
    made = pwxc.compile(body("make", "--job-name=a", *options), to="osmo", origin="slurm", options=IMAGE, lossy=True)
    found = loaded(made.files[0].text)["resources"]["a"]
    assert {name: str(found.get(name)) for name in amounts} == {name: str(value) for name, value in amounts.items()}


FILES = [
    ("./solve in.txt", "./solve", 3),
    ("set -e\npython train.py --lr 1", "train.py", 4),
    ("srun -n 1 bin/run", "bin/run", 3),
    ("cd x && Rscript a/b.R", "a/b.R", 3),
    ("make", None, 0),
    ("echo 1 > a.txt\ncat a.txt", None, 0),
    ("echo run.py\ncompute > out.txt", None, 0),
    ("for i in 1 2; do\n" + "  compute $i --all > /x/log\n" * 900 + "  ./solve\ndone", "./solve", 904),
    ("/opt/x/run /data/in.txt", None, 0),
]


@pytest.mark.parametrize(("text", "file", "line"), FILES)
def test_files_of_the_folder_of_submission_are_told(text: str, file: str | None, line: int) -> None:
    made = pwxc.compile(body(text), to="osmo", origin="slurm", options=IMAGE, lossy=True)
    said = [item for item in made.diagnostics if "begins with an empty folder" in item.message]
    assert [item.message.split("`")[1] for item in said] == ([] if file is None else [file])
    assert [item.span.source.position(item.span.start)[0] for item in said if item.span] == ([line] if line else [])


# drivers

DRIVER = """\
#!/bin/bash
a=$(sbatch --parsable -J A_B --array=0-3%2 --wrap='./a $SLURM_ARRAY_TASK_ID')
b=$(sbatch --parsable -J a-b --dependency=aftercorr:$a --array=ARRAY --wrap='./b')
c=$(sbatch --parsable -J last --dependency=afterany:$b --wrap='module load x; ./c')
"""


def test_a_driver_with_arrays() -> None:
    made = compiled(DRIVER.replace("ARRAY", "0-3"))
    names = [task["name"] for task in made.tasks]
    assert len(set(names)) == 9
    assert all(re.fullmatch("[a-z][a-z0-9-]*", name) for name in names)
    pairs = {task["name"][-1]: task["inputs"][0]["task"][-1] for task in made.tasks[4:8]}
    assert pairs == {str(at): str(at) for at in range(4)}
    assert ("all instances of `A_B` may run at the same time", 2) in made.of("osmo-sweep-limit")
    assert made.of("osmo-hidden-failure")[0][1] == 4
    assert made.of("osmo-machine-software")[0][1] == 4
    assert not made.of("osmo-pairs")


CHAIN = """\
#!/bin/bash
J=$(sbatch --parsable -J one -N 2 --wrap='srun ./a')
sbatch -J two -N 2 -d EDGE:$J --wrap='srun ./a'
"""
TESTS = {
    "afterok": None,
    "afterany": "case $ended in 0 | skipped)",
    "afternotok": '[ "$ended" != 0 ] || skip',
    "after": None,
}


@pytest.mark.parametrize("edge", TESTS)
def test_gangs_of_a_chain_keep_their_steps(edge: str) -> None:
    """Each member tests how the job before has ended, as the first one does."""
    made = compiled(CHAIN.replace("EDGE", edge))
    assert [task["name"] for task in made.tasks] == ["one", "one-node-1", "two", "two-node-1"]
    assert not [message for message, _ in made.of("osmo-launcher")]
    assert len(made.of("osmo-unfolded")) == 2
    for task in made.tasks[2:]:
        texts = [file["contents"] for file in task["files"]]
        assert any(re.search(r"SLURM_NTASKS=2 .* \./a$", text, re.MULTILINE) for text in texts)
        test = TESTS[edge]
        assert test is None or test in texts[0]


def test_members_wait_as_long_as_the_first_one() -> None:
    made = compiled(CHAIN.replace("EDGE:$J", "after:$J+3"))
    assert all("sleep 180\n" in task["files"][0]["contents"] for task in made.tasks[2:])


def test_a_wait_for_ever_is_told_where_it_becomes_a_skip() -> None:
    made = compiled(CHAIN.replace("EDGE", "afterok"))
    message = "`two` is cancelled when `one` has failed, and does not wait for ever"
    assert made.of("osmo-no-wait") == [(message, 3)]
    for other in ("afterok:$J --kill-on-invalid-dep=yes", "afterany:$J", "afternotok:$J"):
        assert not compiled(CHAIN.replace("EDGE:$J", other)).of("osmo-no-wait")
    assert len(compiled(CHAIN.replace("EDGE:$J", "afterok:$J --kill-on-invalid-dep=no")).of("osmo-no-wait")) == 1
    edges = CHAIN + "K=$(sbatch --parsable -J k --wrap=a)\nsbatch -J l -d afterok:$J:$K --wrap=b\n"
    assert len(compiled(edges.replace("EDGE", "afterany")).of("osmo-no-wait")) == 2


TURNS = """\
#!/bin/bash
for lr in 1 2; do
sbatch TIES<<EOF
#!/bin/bash
#SBATCH -o logs/%x.out
python train.py --lr $lr
EOF
done
"""


@pytest.mark.parametrize("ties", ["", "-J t$lr ", "-J t --time=$lr "])
def test_jobs_of_a_loop_are_told_of_once(ties: str) -> None:
    made = pwxc.compile(TURNS.replace("TIES", ties), to="osmo", origin="slurm", options=IMAGE, lossy=True)
    keys = [(item.code.id, item.message, item.span) for item in made.diagnostics]
    assert len(keys) == len(set(keys))
    assert {code for code, _, _ in keys} >= {"PWX3114"}


def test_a_plain_command_keeps_its_own_time_limit() -> None:
    """OSMO has one limit for all; a task of one command has no script in which a smaller one could stand."""
    flow, _ = pwxc.read("#!/bin/bash\nmake\n", origin="slurm")
    assert flow is not None
    work = Command((Template.of("python"), Template.of("a.py")))
    first = changed(flow.tasks[0], name="a", steps=(Step(work=work),), run_timeout=90)
    flow = changed(flow, tasks=(first, changed(first, name="b", run_timeout=None)))
    target = registry.find("osmo")
    assert target is not None
    files, report, said = compiler.write(flow, to=target, options={"image": "a/b:1"}, policy=Policy())
    one, other = loaded(files[0].text)["tasks"]
    assert [one["command"], *one["args"]] == [["timeout"], "90s", "python", "a.py"]
    assert other["command"] == ["python"]
    assert [item.code.id for item in said] == ["PWX3103"]
    assert Fate.APPROXIMATED in {entry.fate for entry in report.entries if entry.construct.endswith("run_timeout")}


# long scripts


def _seconds(script: str) -> float:
    start = time.process_time()
    assert pwxc.compile(script, to="osmo", origin="slurm", options=IMAGE, lossy=True).files
    return time.process_time() - start


LONG = [
    (lambda n: "".join(f"module load m{i}\nsrun -n 4 ./a{i} | tee log{i}\n" for i in range(n)), ()),
    (lambda n: "".join(f'module load "$(cat m{i})"\n' for i in range(n)), ()),
    (lambda n: "".join(f"apptainer exec docker://a/b:1 ./a{i} x\n" for i in range(n)), ()),
    (lambda n: "".join(f"echo {i}\nsrun ./a{i} &\n" for i in range(n)), ("--nodes=2",)),
]


@pytest.mark.parametrize(("text", "options"), LONG)
def test_long_scripts_take_time_in_proportion(text: Callable[[int], str], options: tuple[str, ...]) -> None:
    _seconds(body(text(20), *options))
    once, more = (_seconds(body(text(size), *options)) for size in (150, 1200))
    assert more < 24 * once + 0.5, "eight times the text, a little more than eight times the time"


PLAIN = ["echo hello {} and so on\n", "echo {0} > out{0}.txt\n", "python /opt/x{}/run.py\n", "./run {} > log\n"]


@pytest.mark.parametrize("line", PLAIN)
def test_a_long_plain_script_is_not_read_as_a_whole(line: str) -> None:
    step = Step(work=Script(Template.of("".join(line.format(number) for number in range(60_000)))))
    start = time.process_time()
    found = submitted_file(step)
    assert (found is None) is ("./run" not in line)
    assert time.process_time() - start < 1


WIDE = """\
#!/bin/bash
a=$(sbatch --parsable -J prep --wrap="echo 1 > data")
sbatch -J wide -N 2 --array=1-2 --dependency=afterok:$a --wrap='srun cat data $SLURM_ARRAY_TASK_ID'
"""


def test_every_member_has_what_the_tasks_before_have_left() -> None:
    made = compiled(WIDE)
    assert [task["name"] for task in made.tasks[1:]] == ["wide-1", "wide-node-1-1", "wide-2", "wide-node-1-2"]
    for task in made.tasks[1:]:
        assert task["inputs"] == [{"task": "prep"}]
        assert "cp -R" in task["files"][0]["contents"]
        assert set(task["environment"]) == {"SLURM_ARRAY_TASK_ID"}


def test_arrays_that_do_not_pair() -> None:
    ((message, line),) = compiled(DRIVER.replace("ARRAY", "1-2")).of("osmo-pairs")
    assert "waits for all of `A_B`" in message
    assert line == 3


# other systems whose jobs run on clusters

PW = """\
jobs:
  train:
    steps:
      - run: |
          module load gcc/${{ inputs.v }}
          srun -n ${{ inputs.n }} ./a "${{ inputs.v }}"
      - run: apptainer exec docker://a/b:1 ./b ${{ inputs.v }}
on: {execute: {inputs: {v: {type: string, default: "12"}, n: {type: number, default: 2}}}}
"""
TORC = """\
name: w
jobs:
  - {name: "a_{i}", command: "module load x && srun ./a {i}", parameters: {i: "1:2"}, resource_requirements: r}
resource_requirements:
  - {name: r, num_nodes: 2, num_cpus: 4, memory: 1g, runtime: PT1H}
"""


def test_scripts_of_activate_with_inputs_in_them() -> None:
    made = compiled(PW, origin="pw")
    first, second = (file["contents"] for file in made.tasks[0]["files"][1:3])
    assert first == ': module load gcc/12\nsh /tmp/pwxc/ranks.sh 2 ./a "12"\n'
    assert second.strip() == "./b 12"
    assert made.tasks[0]["image"] == "a/b:1"
    assert {name for name, _, _ in made.said} >= {"osmo-machine-software", "osmo-ranks"}


@pytest.mark.parametrize(
    ("default", "image"), [("a/b:1", "a/b:1"), ("docker://a/b:1", "ubuntu:24.04"), ("", "ubuntu:24.04")]
)
def test_an_image_that_an_input_names(default: str, image: str) -> None:
    """It has to be one of a registry when nobody gives another; the scheme of a runtime would stay before it."""
    text = PW.replace("docker://a/b:1", "${{ inputs.i }}" if "//" in default else "docker://${{ inputs.i }}")
    made = compiled(text.replace("inputs: {", f'inputs: {{i: {{type: string, default: "{default}"}}, '), origin="pw")
    assert made.tasks[0]["image"] == image
    assert bool(made.of("osmo-container-call")) is (image != default)


def test_commands_of_torc_on_several_nodes() -> None:
    made = compiled(TORC, origin="torc")
    assert len(made.tasks) == 4
    script = made.tasks[1]["files"][0]["contents"]
    assert re.search(r"^: module load x && env SLURM_PROCID=1 .*SLURM_NTASKS=2 .*\./a 1$", script, re.MULTILINE)


# hostile texts

PIECES = ["srun ", "-n 2 ", "module load ", "apptainer exec docker://a/b:1 ", "'", '"', "$(", ")", "`", "x", " ", "\n",
          "&& ", "| ", "; ", "{", "}", "{{output}}", "{%", "$SLURM_NTASKS", "\\", "é", "#", "<<E\n", "E\n", "&", "(",
          "for i in a; do ", "done", "if ", "then ", "fi", "--container-image=", ": ", "docker run "]  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from(PIECES), max_size=14), st.sampled_from([(), ("--ntasks=2",), ("--nodes=2",)]))
def test_any_text_is_compiled_and_read_back(pieces: list[str], options: tuple[str, ...]) -> None:
    compiled(body("".join(pieces), *options))


NAMES = st.text(st.sampled_from("aA'\"$`(){}%;& é/-_\\"), min_size=1, max_size=12)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(NAMES)
def test_hostile_names_are_never_run(name: str) -> None:
    flow, _ = pwxc.read("#!/bin/bash\nsrun -n 2 ./a $SLURM_JOB_NAME\n", origin="slurm")
    assert flow is not None
    flow = changed(flow, tasks=(changed(flow.tasks[0], name=f"{name}x"),))
    target = registry.find("osmo")
    assert target is not None
    files, _, said = compiler.write(flow, to=target, options=IMAGE, policy=Policy(lossy=True))
    assert files, [item.message for item in said]
    text = loaded(files[0].text)["tasks"][0]["files"][0]["contents"]
    line = next(line for line in text.split("\n") if line.startswith("export SLURM_JOB_NAME="))
    ran = subprocess.run(
        ["bash", "-c", f'{line}\nprintf %s "$SLURM_JOB_NAME"'], capture_output=True, text=True, check=True
    )
    assert ran.stdout == f"{name}x"


CHECKED = [
    body('module load gcc "$(cat m)"\nscontrol show hostnames "$SLURM_JOB_NODELIST"\nsrun ./a "$SLURM_JOB_ID"', "-n 2"),
    body('set -eu\nA="$(hostname)"\nsrun ./a "$A" "$RANDOM" "$SLURM_TMPDIR" > out', "--nodes=2", "--ntasks-per-node=2"),
    body('apptainer exec --pwd "/x y" --env "A=b c" --bind "$PWD:/x y" docker://a/b:1 ./a'),
    body('cd "$TMPDIR" && cp a "$SCRATCH"', "-n 2"),
    CHAIN.replace("EDGE", "afternotok"),
    body('echo "$SLURM_HET_SIZE" "$SLURM_JOB_NODELIST_HET_GROUP_1"\nsrun ./a : ./b', "-n 2", "hetjob", "-n 3"),
]


@pytest.mark.shellcheck
@pytest.mark.parametrize("script", CHECKED)
def test_shellcheck_finds_nothing(script: str) -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed")
    for task in compiled(script).tasks:
        for file in task.get("files", []):
            shell = "sh" if file["path"].endswith("ranks.sh") else "bash"
            text = re.sub(r"\{\{[\w:-]+\}\}", "x-1", file["contents"])
            words = ["shellcheck", "-S", "style", "-s", shell, "-"]
            ran = subprocess.run(words, input=text, capture_output=True, text=True)
            assert not ran.stdout, ran.stdout + text
