"""Files of every encoding, folders of scripts, and scripts that are taken apart."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pwxc import api, files
from pwxc.diagnostics import Diagnostics
from pwxc.ir.task import Script
from pwxc.registry import ReadSettings
from pwxc.source import Source
from pwxc_targets.slurm import TARGET

LATIN = b'#!/bin/bash\n#SBATCH -J caf\xe9 --time=5\n# d\xe9j\xe0 vu\necho "\xe9\xff" \x80\n'
SCRIPT = "#!/bin/bash\n#SBATCH --job-name={name} --time=5 --gres=gpu:1\n{body}\n"


def put(folder: Path, **scripts: str) -> Path:
    for name, body in scripts.items():
        text = body if body.startswith("#!") else SCRIPT.format(name=name, body=body)
        (folder / f"{name}.sh").write_text(text)
    return folder


def test_a_script_of_another_encoding_comes_back_byte_for_byte(tmp_path: Path) -> None:
    path = tmp_path / "job.sh"
    path.write_bytes(LATIN)
    compiled = api.compile(path, to="slurm", origin="slurm")
    assert [files.encode(file.text) for file in compiled.files] == [LATIN]


@pytest.mark.parametrize("words", [["-"], ["-", "-o", "out.sh"]])
def test_the_command_writes_the_bytes_it_read(tmp_path: Path, words: list[str]) -> None:
    command = [sys.executable, "-m", "pwxc", "compile", *words, "--from", "slurm", "--to", "slurm"]
    done = subprocess.run(command, input=LATIN, capture_output=True, cwd=tmp_path, check=True)
    assert (done.stdout if len(words) == 1 else (tmp_path / "out.sh").read_bytes()) == LATIN


@pytest.mark.parametrize("to", ["osmo", "pw", "torc"])
def test_other_systems_get_text(tmp_path: Path, to: str) -> None:
    path = tmp_path / "job.sh"
    path.write_bytes(LATIN)
    compiled = api.compile(path, to=to, origin="slurm", options={"osmo.image": "x"}, lossy=True)
    text = "".join(file.text for file in compiled.files)
    assert "PWX1014" in {item.code.id for item in compiled.diagnostics}
    assert "\u00e9\u00ff" in text or "\\xE9\\xFF" in text
    text.encode()


def test_other_systems_take_no_other_encoding(tmp_path: Path) -> None:
    path = tmp_path / "wf.yaml"
    path.write_bytes(b"workflow: caf\xe9\n")
    for found in (api.compile(path, to="pw", origin="osmo").diagnostics, api.lint(path, origin="osmo")):
        (told,) = [item for item in found if item.code.id == "PWX1001"]
        assert told.span is not None
        assert told.span.start == 13


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\xef\xbb\xbf#!/bin/bash\n#SBATCH -n2\nsrun x\n", "PWX2400"),
        (b"#!/bin/bash\r\n#SBATCH -n2\r\nsrun x\r\n", "PWX2401"),
        (b"#!/bin/bash\n#SBATCH -n2\nsrun x\0\n", "PWX1001"),
        ("#!/bin/bash\n#SBATCH -n2\n".encode("utf-16"), "PWX1001"),
    ],
)
def test_files_that_sbatch_refuses_are_refused(tmp_path: Path, data: bytes, code: str) -> None:
    path = tmp_path / "job.sh"
    path.write_bytes(data)
    compiled = api.compile(path, to="slurm", origin="slurm")
    assert not compiled.ok
    assert [item.code.id for item in compiled.diagnostics] == [code]


@pytest.mark.parametrize(
    "shell", ["/bin/csh -f", "/usr/bin/env python3", "/bin/tcsh", "/usr/bin/zsh -l", "/usr/bin/perl"]
)
def test_any_interpreter_will_do(shell: str) -> None:
    text = f"#!{shell}\n#SBATCH -J x -c2\nsetenv X 'a\n"
    workflow, _ = api.read(text, origin="slurm")
    assert workflow is not None
    work = workflow.tasks[0].steps[0].work
    assert isinstance(work, Script)
    assert work.shell[0] == shell.removeprefix("/usr/bin/env ").split()[0]
    assert api.compile(text, to="slurm", origin="slurm").files[0].text == text


# folders


def test_a_folder_of_scripts_is_one_workflow(tmp_path: Path) -> None:
    put(tmp_path, b="echo b", a="echo a")
    (tmp_path / "README.md").write_text("sbatch it\n")
    (tmp_path / "data.bin").write_bytes(bytes(range(256)))
    for given in (tmp_path, str(tmp_path)):
        workflow, found = api.read(given, origin="slurm")
        assert workflow is not None, list(found)
        assert [task.name for task in workflow.tasks] == ["a", "b"]
        assert workflow.name == tmp_path.name
    compiled = api.compile(tmp_path, to="slurm")
    assert {file.path: file.text for file in compiled.files} == {
        path.name: path.read_text() for path in tmp_path.glob("*.sh")
    }


def test_a_folder_with_a_driver_is_a_graph(tmp_path: Path) -> None:
    put(
        tmp_path,
        a="echo a",
        b="echo b",
        unused="echo",
        run="#!/bin/bash\nj=$(sbatch --parsable a.sh)\nsbatch -d afterok:$j b.sh\n",
    )
    workflow, found = api.read(tmp_path)
    assert workflow is not None
    assert [(task.name, [edge.parent for edge in task.needs]) for task in workflow.tasks] == [("a", []), ("b", ["a"])]
    assert [item.code.id for item in found] == ["PWX2428"]


def test_which_of_two_drivers_is_meant_has_to_be_said(tmp_path: Path) -> None:
    driver = "#!/bin/bash\nsbatch a.sh\n"
    put(tmp_path, a="echo a", one=driver, two=driver)
    workflow, found = api.read(tmp_path)
    assert workflow is None
    assert "PWX2427" in {item.code.id for item in found}
    workflow, found = api.read([tmp_path / "two.sh", tmp_path / "a.sh", tmp_path / "one.sh"])
    assert workflow is not None
    assert workflow.name == "two"


def test_a_folder_for_a_system_without_folders_is_told(tmp_path: Path) -> None:
    put(tmp_path, a="echo a")
    found = Diagnostics()
    assert files.load_folder(tmp_path, None, found)
    for folder, origin in ((tmp_path, "osmo"), (tmp_path / "none", "slurm"), (tmp_path.parent, "torc")):
        folder.mkdir(exist_ok=True)
        workflow, told = api.read(folder, origin=origin)
        assert workflow is None
        assert [item.code.id for item in told] == ["PWX0001"]


# containers


def container_of(body: str, directive: str = "--gres=gpu:1") -> tuple[str | None, tuple[str, ...], str | None]:
    workflow, _ = api.read(f"#!/bin/bash\n#SBATCH -J x {directive}\n{body}\n", origin="slurm")
    assert workflow is not None
    task = workflow.tasks[0]
    work = task.steps[0].work
    assert isinstance(work, Script)
    if task.container is None:
        return None, (), work.text.literal
    return task.container.image.literal, task.container.mounts, work.text.literal


def test_a_script_that_is_one_call_of_apptainer_is_taken_apart() -> None:
    body = '# note\n\nexec apptainer exec --nv -B /data:/d,/x \\\n  docker://ghcr.io/a/b:1 python x.py "$1"'
    assert container_of(body) == ("ghcr.io/a/b:1", ("/data:/d", "/x"), 'python x.py "$1"\n')
    assert container_of("singularity exec docker://a sh -c 'x; y'", "-c1") == ("a", (), "sh -c 'x; y'\n")


@pytest.mark.parametrize(
    "body",
    [
        "module load apptainer\napptainer exec docker://a x", "apptainer exec docker://a x | tee log",
        "apptainer exec docker://a x > out", "apptainer exec a.sif x", "apptainer exec --cleanenv docker://a x",
        "apptainer exec docker://$IMG x", "apptainer run docker://a x", "srun apptainer exec docker://a x",
        "apptainer exec docker://a x\necho", "apptainer exec -B $PWD docker://a x", "apptainer exec docker://a",
        "docker run a x", "srun --container-image=a x", "X=1 apptainer exec docker://a x",
    ],
)  # fmt: skip
def test_any_other_script_with_a_container_stays_as_it_is(body: str) -> None:
    assert container_of(body) == (None, (), body + "\n")


def test_graphics_are_not_lost() -> None:
    assert container_of("apptainer exec --nv docker://a x", "-c1")[0] is None
    compiled = api.compile(
        "#!/bin/bash\n#SBATCH --gres=gpu:1\napptainer exec --nv docker://a x\n", to="torc", origin="slurm", lossy=True
    )
    assert "apptainer exec --nv" in compiled.files[0].text


# lint


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("#SBATCH -n4\nsrun -n 8 ./x\n", ["PWX4415"]),
        ("#SBATCH -N2 --ntasks-per-node=2\nsrun --mpi=pmix --ntasks=8 ./x\n", ["PWX4415"]),
        ("#SBATCH -n8\nsrun -n 8 ./x\n", []),
        ("#SBATCH -n4\n# srun -n 8 ./x\nsrun ./x -n 8\n", []),
        ("#SBATCH -n4\nsource launch.sh\n", []),
        ("#SBATCH -n4\n$LAUNCHER ./x\n", []),
        ("#SBATCH -n4\n./x\n", ["PWX4407"]),
        ("#SBATCH --tiem=5\n", ["PWX2404"]),
        ("#SBATCH --mem=4Gi\n", ["PWX2406"]),
        ("#SBATCH --time=5:00:00 # fine\n", []),
    ],
)
def test_lint_holds_steps_against_the_job(text: str, codes: list[str]) -> None:
    found = Diagnostics()
    assert TARGET.lint is not None
    TARGET.lint((Source("job.sh", "#!/bin/bash\n" + text),), ReadSettings(), found)
    assert [item.code.id for item in found] == codes


def test_a_misspelt_option_is_corrected() -> None:
    found = api.lint("#!/bin/bash\n#SBATCH --tiem=5\n#SBATCH --container-image=a\n", origin="slurm")
    assert [item.help.partition(" Else ")[0] for item in found] == [
        "did you mean `time`?",
        "it comes with a plug-in: `--option slurm.plugins=pyxis` says that the site has it",
    ]
