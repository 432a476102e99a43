"""A real Slurm for the tests that run workflows: the one that `SLURM_CONF` names, if it answers."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import attrs
import pytest

from pwxc.ir.workflow import Workflow
from tests.slurm.flows import put, written
from tests.slurm.stage import StageMaker


@attrs.frozen
class Ran:
    """What a run left behind."""

    folder: Path
    code: int
    output: str

    def state(self, name: str) -> str:
        path = self.folder / "state" / name
        return path.read_text().strip() if path.exists() else "none"

    @property
    def order(self) -> list[str]:
        path = self.folder / "order"
        return path.read_text().split() if path.exists() else []

    def ids(self) -> dict[str, list[str]]:
        """The ids under which each job was submitted, by its name in files."""
        found: dict[str, list[str]] = {}
        for line in (self.folder / "submitted.tsv").read_text().splitlines():
            name, number, *_ = line.split("\t")
            found.setdefault(name, []).append(number)
        return found

    def slurm_state(self, name: str) -> str:
        """The state that Slurm itself shows for a job."""
        number = self.ids()[name][-1]
        shown = subprocess.run(
            ["scontrol", "show", "job", "-o", number], capture_output=True, text=True, check=False
        ).stdout
        return next((word.removeprefix("JobState=") for word in shown.split() if word.startswith("JobState=")), "")


def _why_not() -> str:
    if shutil.which("sbatch") is None:
        return "Slurm is not installed"
    if not os.environ.get("SLURM_CONF"):
        return "SLURM_CONF does not name a running Slurm"
    done = subprocess.run(["scontrol", "ping"], capture_output=True, text=True, timeout=20, check=False)
    return "" if "UP" in done.stdout else "the Slurm that SLURM_CONF names does not answer"


@pytest.fixture(scope="session")
def slurm() -> str:
    reason = _why_not()
    if reason:
        pytest.skip(reason)
    return os.environ["SLURM_CONF"]


Run = Callable[..., Ran]


@pytest.fixture
def run(slurm: str, tmp_path: Path) -> Run:
    """Compile a workflow, submit it, and wait for its end."""

    def go(workflow: Workflow, *arguments: str, again: bool = False, **options: str) -> Ran:
        submit = put(written(workflow, **options), tmp_path / "out") if not again else tmp_path / "out" / "submit.sh"
        folder = tmp_path / "run"
        words = [str(submit), "--run-dir", str(folder), "--wait", *arguments]
        environment = {**os.environ, "PWXC_PAUSE": "0.5"}
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=240, check=False, env=environment, cwd=tmp_path
        )
        return Ran(folder, done.returncode, done.stdout + done.stderr)

    return go


@pytest.fixture
def stage(tmp_path: Path) -> StageMaker:
    return StageMaker(tmp_path)
