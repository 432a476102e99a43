"""The built wheel, installed into an empty environment, compiles a file: only this finds package data that is lost."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "docs/examples/serial-pipeline.osmo.yaml"
pytestmark = pytest.mark.wheel


def run(*words: str | Path, **more) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL_ENV"))}
    return subprocess.run([str(word) for word in words], env=environment, capture_output=True, text=True, **more)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("build", reason="the package `build` is not installed")
    folder = tmp_path_factory.mktemp("wheel")
    made = run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT)
    assert made.returncode == 0, made.stdout + made.stderr
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def program(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`pwxc` in an environment that holds the wheel and what it says it needs."""
    folder = tmp_path_factory.mktemp("environment")
    if run(sys.executable, "-m", "venv", folder).returncode != 0:
        pytest.skip("this Python cannot make a virtual environment with pip")
    python = folder / "bin/python"
    install = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--retries", "1"]
    if run(*install, "attrs").returncode != 0:
        pytest.skip("there is no package index to install from")
    installed = run(*install, wheel)
    assert installed.returncode == 0, installed.stderr
    return folder / "bin/pwxc"


def test_the_wheel_holds_packages_and_their_data_and_nothing_else(wheel: Path):
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"pwxc", "pwxc_grammars", "pwxc_targets"}
    grammars = {path.name for path in (ROOT / "grammars/pwxc_grammars").glob("*.lark")}
    assert {Path(name).name for name in names if name.endswith(".lark")} == grammars
    assert {f"{top}/py.typed" for top in ("pwxc", "pwxc_grammars", "pwxc_targets")} <= set(names)
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_installed_program_compiles_a_file(program: Path, tmp_path: Path):
    outcome = run(program, "compile", EXAMPLE, "--to", "pw", "--lossy", cwd=tmp_path)
    assert outcome.returncode == 0, outcome.stderr
    assert "jobs:" in outcome.stdout


def test_the_installed_program_finds_every_system_of_the_package(program: Path, tmp_path: Path):
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    outcome = run(program, "targets", cwd=tmp_path)
    listed = {line.split()[0] for line in outcome.stdout.partition("\n\n")[0].splitlines()[1:]}
    assert listed == set(project["entry-points"]["pwxc.targets"])
    assert outcome.stderr == ""
