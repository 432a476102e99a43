"""What the reader of Slurm scripts notes of software and launches, and what it makes of heterogeneous jobs."""

from __future__ import annotations

from pathlib import Path

import pytest

from pwxc import api, compiler
from pwxc.compiler import Policy
from pwxc.diagnostics import Diagnostics
from pwxc.ir.entity import changed
from pwxc.ir.found import Found, Launch, Software, Use
from pwxc.ir.resources import Resources
from pwxc.ir.sweep import Parameter, Range, Sweep
from pwxc.ir.task import Script
from pwxc.ir.template import text
from pwxc.ir.workflow import Workflow
from pwxc.registry import ReadSettings
from pwxc.source import Source
from pwxc_targets.slurm import TARGET
from tests.slurm.conftest import Run


def read(*texts: tuple[str, str]) -> tuple[Workflow, Diagnostics]:
    sources = [Source(name, content) for name, content in texts]
    workflow, told, _ = compiler.read(sources, origin=TARGET, settings=ReadSettings(folder=Path("/nowhere")))
    assert workflow is not None, [item.message for item in told]
    return workflow, told


def found_in(*texts: tuple[str, str], task: int = 0) -> Found:
    found = read(*texts)[0].tasks[task].steps[0].found
    assert found is not None
    return found


def places(found: Found) -> list[str | None]:
    """Tell the file and the text at each place."""
    items: list[Software | Launch | Use] = [*found.software, *found.launches, *found.uses, *found.calls]
    return [f"{item.span.source.name}: {item.span.text}" if item.span is not None else None for item in items]


SCRIPT = "#!/bin/bash -l\n#SBATCH -n 4\n# note\nmodule load gcc\nsrun -n 2 ./a $SLURM_JOB_ID # ml x\n"
FOUND = ["module load gcc", "srun -n 2 ./a $SLURM_JOB_ID", "SLURM_JOB_ID"]


def test_places_in_a_script_are_those_of_its_file() -> None:
    found = found_in(("job.sh", SCRIPT))
    assert places(found) == [f"job.sh: {item}" for item in FOUND]
    assert (found.launches[0].tasks, found.complete) == (2, True)


def test_the_body_stays_as_it_is() -> None:
    workflow, _ = read(("job.sh", SCRIPT))
    step = workflow.tasks[0].steps[0]
    assert isinstance(step.work, Script)
    assert step.work.text.literal == SCRIPT[SCRIPT.index("module") :]
    assert changed(step, found=None) == step
    files, report, _ = compiler.write(workflow, to=TARGET, options={}, policy=Policy())
    assert [file.text for file in files] == [SCRIPT]
    assert report.clean


@pytest.mark.parametrize(
    ("driver", "expected"),
    [
        ("sbatch job.sh", [f"job.sh: {item}" for item in FOUND]),
        ("sbatch --parsable job.sh 'a b' c", [f"job.sh: {item}" for item in FOUND]),
        (f"sbatch <<'EOF'\n{SCRIPT}EOF", [f"run.sh: {item}" for item in FOUND]),
        ("sbatch <<EOF\n#!/bin/sh\nsrun -n2 ./b\nEOF", ["run.sh: srun -n2 ./b"]),
        ("sbatch --wrap='ml y; srun -n2 ./b'", ["run.sh: ml y", "run.sh: srun -n2 ./b"]),
        ("sbatch <<EOF\n#!/bin/sh\nsrun -n2 ./b $1\nEOF", [None]),
        ("sbatch --wrap=\"srun -n2 ./b \\$SLURM_JOB_ID\"", [None, None]),
    ],
)  # fmt: skip
def test_places_in_jobs_of_a_driver(driver: str, expected: list[str | None]) -> None:
    found = found_in(("run.sh", f"#!/bin/bash\nset -e\n{driver}\n"), ("job.sh", SCRIPT))
    assert places(found) == expected
    assert found.launches[0].tasks == 2


def test_arguments_before_a_script_move_what_was_found() -> None:
    workflow, _ = read(("run.sh", "#!/bin/bash\nsbatch job.sh x\n"), ("job.sh", SCRIPT))
    step = workflow.tasks[0].steps[0]
    assert isinstance(step.work, Script)
    assert step.found is not None
    launch = step.found.launches[0]
    body = step.work.text.literal or ""
    assert (body[launch.start : launch.command], body[launch.command : launch.end]) == (
        "srun -n 2 ",
        "./a $SLURM_JOB_ID",
    )


@pytest.mark.parametrize(
    ("first", "body", "software", "complete"),
    [
        ("#!/usr/bin/env bash", "ml gcc", ["gcc"], True),
        ("#!/usr/bin/env -S bash -e", "ml gcc", ["gcc"], True),
        ("#! /bin/zsh -f", "ml gcc", ["gcc"], True),
        ("#!/bin/tcsh", "module load gcc\nif ($?x) then\n  module load b\nendif", ["gcc", "b"], False),
        ("#!/usr/bin/env python3", "import os  # module load x\nos.system('module load y')", [], False),
        ("#!/usr/bin/Rscript", "system('srun x')", [], False),
    ],
)
def test_the_first_line_says_how_the_body_is_read(first: str, body: str, software: list[str], complete: bool) -> None:
    found = found_in(("job.sh", f"{first}\n#SBATCH -n1\n{body}\n"))
    assert [name for item in found.software for name in item.names] == software
    assert found.complete is complete


def test_the_image_of_a_directive_is_that_of_shifter() -> None:
    workflow = api.read(
        "#!/bin/bash\n#SBATCH --image=docker:u/x:1\nsrun shifter ./a\n",
        origin="slurm",
        options={"slurm.plugins": "any"},
    )[0]
    assert workflow is not None
    found = workflow.tasks[0].steps[0].found
    assert found is not None
    assert found.launches[0].container is not None
    assert found.launches[0].container.image == text("u/x:1")


def test_software_of_a_job_that_runs_in_an_image_is_that_of_the_image() -> None:
    script = "#!/bin/bash\n#SBATCH --container-image=nvcr.io\\#u/x:1\nmodule load gcc\n./a $SLURM_JOB_ID\n"
    workflow, _ = api.read(script, origin="slurm", options={"slurm.plugins": "pyxis"})
    assert workflow is not None
    task = workflow.tasks[0]
    assert task.container is not None
    assert task.container.image == text("nvcr.io/u/x:1")
    assert task.steps[0].found is not None
    assert (task.steps[0].found.software, task.steps[0].found.variables) == ((), ("SLURM_JOB_ID",))


def body_of(script: str) -> tuple[str | None, str | None, list[str | None]]:
    """Give the image of a script's task, what is left of the script, and what is found in it."""
    task = read(("job.sh", f"#!/bin/bash\n#SBATCH -n1\n{script}\n"))[0].tasks[0]
    work, found = task.steps[0].work, task.steps[0].found
    assert isinstance(work, Script)
    assert found is not None
    return task.container.image.literal if task.container is not None else None, work.text.literal, places(found)


def test_what_stands_before_a_call_of_a_container_goes_with_it_where_it_means_the_same() -> None:
    call = "apptainer exec docker://a ./x $SLURM_JOB_ID"
    for before, kept in (
        ("set -euo pipefail\n", None),
        ("# note\nexport OMP_NUM_THREADS=4 A=b; set -x\n\n", "export OMP_NUM_THREADS=4 A=b\nset -x\n"),
    ):
        expected = f"{kept or before}./x $SLURM_JOB_ID\n"
        assert body_of(f"{before}{call}") == ("a", expected, ["job.sh: SLURM_JOB_ID"])
    for before in ("export PATH=/x", "export A=$B", "A=1", "cd x", "set a b", "export APPTAINER_BIND=/x", "export A"):
        image, body, _ = body_of(f"{before}\n{call}")
        assert (image, body) == (None, f"{before}\n{call}\n")


# heterogeneous jobs

HET = """\
#!/bin/bash
#SBATCH -J train --time=1:00:00 -A acc --mem=4G --output=a.out --exclude=n1 --signal=USR1@60
#SBATCH --nodes=1 -c 4 -p cpu
#SBATCH hetjob
#SBATCH --nodes=2 --gres=gpu:a100:4 -p gpu --output=b.out --comment="x y" -J other
#SBATCH hetjob
srun --het-group=0 ./server : --het-group=1,2 ./client
"""
KEPT = Resources(name="train+2", walltime=3600, account=text("acc"), memory=4 * 2**30, exclude_nodes=("n1",))


A = "#!/bin/bash\n#SBATCH --nodes=7\necho a\n"


def classes(workflow: Workflow) -> dict[str, Resources]:
    return {item.name: changed(item, span=None, places=None) for item in workflow.resources}


def test_each_component_becomes_a_class_of_resources() -> None:
    workflow, told = read(("job.sh", HET))
    assert list(told) == []
    task = workflow.tasks[0]
    assert (task.resources, task.beside) == ("train", ("train+1", "train+2"))
    assert list(classes(workflow).values()) == [
        changed(
            KEPT, name="train", nodes=1, cpus=4, partition=text("cpu"),
            directives=(text("--output=a.out"), text("--signal=USR1@60")),
        ),
        changed(
            KEPT, name="train+1", nodes=2, gpus=4, gpu_type="a100", partition=text("gpu"),
            directives=(text("--output=b.out"), text("--comment=x y"), text("--job-name=other")),
        ),
        KEPT,
    ]  # fmt: skip
    assert workflow.resources[1].places is not None
    assert workflow.resources[1].places["nodes"].text == "--nodes=2"
    found = task.steps[0].found
    assert found is not None
    assert [item.components for item in found.launches] == [(0,), (1, 2)]


def test_classes_of_components_have_names_of_their_own() -> None:
    other = "#!/bin/bash\n#SBATCH -J train+1 -n 7\n./a\n"
    for scripts in ([("a.sh", HET), ("b.sh", other)], [("b.sh", other), ("a.sh", HET)]):
        workflow, _ = read(*scripts)
        assert len({item.name for item in workflow.resources}) == len(workflow.resources) == 4
        asked = {item.name: classes(workflow)[item.resources or ""].tasks for item in workflow.tasks}
        assert sorted(asked.values(), key=str) == [7, None]


def test_a_heterogeneous_job_comes_back_byte_for_byte() -> None:
    workflow, _ = read(("job.sh", HET))
    files, report, _ = compiler.write(workflow, to=TARGET, options={}, policy=Policy())
    assert [file.text for file in files] == [HET]
    assert report.clean


def test_components_are_written_and_read_again() -> None:
    workflow, _ = read(("job.sh", HET))
    made = changed(workflow, dialect="pw", origin=None)
    files, report, told = compiler.write(made, to=TARGET, options={}, policy=Policy())
    assert list(told) == []
    assert report.clean
    script = next(file.text for file in files if file.path == "train.sbatch")
    parts = script.split("#SBATCH hetjob\n")
    assert "#SBATCH --gres=gpu:a100:4\n" in parts[1]
    assert '#SBATCH --comment="x y"\n' in parts[1]
    assert "#SBATCH --nodes" not in parts[2]
    again, _ = read(*((file.path, file.text) for file in files))
    assert classes(again) == classes(workflow)
    assert again.tasks[0].beside == workflow.tasks[0].beside


def test_options_of_a_call_are_those_of_the_first_component_and_what_is_taken_over() -> None:
    workflow, _ = read(("run.sh", "#!/bin/bash\nsbatch -N 3 --time=5 --mem=1G job.sh\n"), ("job.sh", HET))
    found = classes(workflow)
    assert [item.nodes for item in found.values()] == [3, 2, None]
    assert {item.walltime for item in found.values()} == {300}
    assert {item.memory for item in found.values()} == {2**30}


@pytest.mark.parametrize("script", [A, HET])
def test_options_of_a_call_are_given_to_components_in_order(script: str) -> None:
    workflow, _ = read(
        ("run.sh", "#!/bin/bash\nSBATCH_QOS=q sbatch -N 3 --time=5 : -N 4 -p x --time=6 : -c 2 job.sh : y\n"),
        ("job.sh", script),
    )
    found = classes(workflow)
    assert [(item.nodes, item.walltime, item.cpus) for item in found.values()] == [
        (3, 300, 4 if script == HET else None), (4, 360, None), (None, 360, 2),
    ]  # fmt: skip
    assert {item.quality for item in found.values()} == {text("q")}
    assert all(not item.places for item in workflow.resources)
    work = workflow.tasks[0].steps[0].work
    assert isinstance(work, Script)
    assert (work.text.literal or "").startswith("set -- y\n")


def test_a_loop_over_heterogeneous_jobs_is_unrolled() -> None:
    workflow, _ = read(("run.sh", "#!/bin/bash\nfor i in 1 2; do sbatch job.sh $i; done\n"), ("job.sh", HET))
    assert [(item.name, item.beside, item.sweep) for item in workflow.tasks] == [
        ("train", ("train+1", "train+2"), None),
        ("train-2", ("train-2+1", "train-2+2"), None),
    ]
    assert len(classes(workflow)) == 6


@pytest.mark.slurm
def test_components_start_together(run: Run) -> None:
    script = (
        "#!/bin/bash\n#SBATCH -J both -n1 -c2\n#SBATCH hetjob\n#SBATCH -N2 -n2\n"
        'srun --het-group=0,1 bash -c \'echo "$SLURM_PROCID" >>"$PWXC_RUN/ranks"\'\n'
        'srun -N1 -n1 --het-group=1 bash -c \'echo "$SLURM_HET_SIZE" >"$PWXC_RUN/size"\'\n'
    )
    ran = run(changed(read(("job.sh", script))[0], dialect="pw", origin=None))
    assert ran.code == 0, ran.output
    assert sorted((ran.folder / "ranks").read_text().split()) == ["0", "1", "2"]
    assert (ran.folder / "size").read_text() == "2\n"


def test_an_array_has_no_components() -> None:
    workflow, _ = read(("job.sh", HET))
    sweep = Sweep(parameters=(Parameter(name="i", values=Range(1, 3)),))
    made = changed(workflow, dialect="pw", origin=None, tasks=(changed(workflow.tasks[0], sweep=sweep),))
    files, _, told = compiler.write(made, to=TARGET, options={}, policy=Policy())
    assert [item.code.id for item in told] == ["PWX3427"]
    assert not files
