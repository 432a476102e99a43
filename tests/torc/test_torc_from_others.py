"""From the other systems: nodes that jobs ask for become allocations, and actions of ACTIVATE become lines."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from torc_files import must_read
from torc_worker import run_jobs

from pwxc import api
from pwxc.registry import OutputFile, ReadSettings, Written
from pwxc.source import Source
from pwxc_targets.torc.linting.verdict import judge

SCRIPT = """#!/bin/bash
#SBATCH --job-name=fit
#SBATCH --account=lab
#SBATCH --partition=gpu
#SBATCH --qos=high
#SBATCH --nodes=2
#SBATCH --cpus-per-task=8
#SBATCH --mem=32G
#SBATCH --gres=gpu:a100:2
#SBATCH --constraint=nvme
#SBATCH --time=02:00:00
./fit
"""
DRIVER = """#!/bin/bash
a=$(sbatch --parsable -A lab -p cpu -t 10 --wrap ./a)
b=$(sbatch --parsable -A lab -p cpu -t 10 -d afterok:$a --wrap ./b)
sbatch -A lab -p cpu -t 10 -d afterok:$b --wrap ./c
sbatch -A lab -p cpu -t 10 -d afternotok:$a --wrap ./sorry
"""


def compiled(text: str, source: str, **options: str) -> tuple[dict[str, Any], set[str]]:
    made = api.compile(
        text, origin=source, to="torc", options={f"torc.{name}": value for name, value in options.items()}
    )
    assert made.files, [(item.code.id, item.message) for item in made.diagnostics]
    verdict = judge(Source("w.yaml", made.files[0].text), "0.25", ReadSettings())
    assert verdict.word == "ok", verdict.reason
    return yaml.safe_load(made.files[0].text), {item.code.name for item in made.diagnostics}


def test_a_script_becomes_a_scheduler_and_asks_for_it():
    data, said = compiled(SCRIPT, "slurm")
    (scheduler,) = data["slurm_schedulers"]
    assert scheduler == {
        "name": "gpu",
        "account": "lab",
        "partition": "gpu",
        "qos": "high",
        "walltime": "02:10:00",
        "nodes": 2,
        "mem": "32g",
        "gres": "gpu:a100:2",
        "extra": "--cpus-per-task=8 --constraint=nvme",
    }
    assert data["jobs"][0]["scheduler"] == "gpu"
    assert data["actions"] == [
        {
            "trigger_type": "on_workflow_start",
            "action_type": "schedule_nodes",
            "scheduler": "gpu",
            "scheduler_type": "slurm",
            "num_allocations": 1,
        }
    ]
    assert data["resource_requirements"][0]["runtime"] == "PT2H"
    assert said == {"torc-allocations"}


def test_equal_options_share_a_scheduler_and_each_stage_asks_when_it_is_ready():
    data, _ = compiled(DRIVER, "slurm")
    assert len(data["slurm_schedulers"]) == 1
    asked = [(action["trigger_type"], action.get("jobs"), action["num_allocations"]) for action in data["actions"]]
    triggers = [trigger for trigger, _, _ in asked]
    assert triggers == ["on_workflow_start", "on_jobs_ready", "on_jobs_ready", "on_jobs_ready"]
    assert sorted(len(jobs or ()) for _, jobs, _ in asked) == [0, 1, 1, 1]
    assert {count for _, _, count in asked} == {1}


def test_all_allocations_may_be_asked_for_at_the_start_or_by_nobody():
    data, _ = compiled(DRIVER, "slurm", allocations="start")
    assert [(action["trigger_type"], action["num_allocations"]) for action in data["actions"]] == [
        ("on_workflow_start", 4)
    ]
    data, said = compiled(DRIVER, "slurm", allocations="none")
    assert "slurm_schedulers" not in data
    assert "actions" not in data
    assert "torc-allocation-only" in said


def test_an_account_is_never_invented():
    without = SCRIPT.replace("#SBATCH --account=lab\n", "")
    data, said = compiled(without, "slurm")
    assert "torc-account" in said
    data, said = compiled(without, "slurm", account="given")
    assert data["slurm_schedulers"][0]["account"] == "given"
    assert "torc-account" not in said


def test_an_array_asks_for_as_many_allocations_as_it_has_jobs():
    data, _ = compiled(SCRIPT.replace("--nodes=2", "--nodes=1\n#SBATCH --array=1-30"), "slurm")
    assert data["actions"][0]["num_allocations"] == 30
    data, said = compiled(SCRIPT.replace("--nodes=2", "--nodes=1\n#SBATCH --array=1-3000"), "slurm")
    assert data["actions"][0]["num_allocations"] == 1000
    assert "torc-many-allocations" in said


CHECKOUT = """
jobs:
  get:
    steps:
      - uses: parallelworks/checkout
        with:
          repo: file://%s
          branch: %s
          path: src
%s      - run: find src -type f | sort > found
"""


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Give a repository with two files on a branch, and its last commit."""
    place = tmp_path_factory.mktemp("repository")
    (place / "docs").mkdir()
    (place / "docs" / "page").write_text("page")
    (place / "top").write_text("top")

    def git(*words: str) -> str:
        who = ["-c", "user.name=n", "-c", "user.email=e@x", "-c", "commit.gpgsign=false"]
        return subprocess.run(["git", *who, *words], cwd=place, check=True, capture_output=True, text=True).stdout

    git("init", "-q", "-b", "main")
    git("add", ".")
    git("commit", "-qm", "first")
    return place, git("rev-parse", "HEAD").strip()


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("commit", [False, True])
def test_a_repository_is_fetched_without_its_history(
    repository: tuple[Path, str], tmp_path: Path, sparse: bool, commit: bool
) -> None:
    place, head = repository
    paths = "          sparse_checkout: [docs]\n" if sparse else ""
    text = CHECKOUT % (place, head if commit else "main", paths)
    made = api.compile(text, origin="pw", to="torc")
    assert {item.code.name for item in made.diagnostics} == {"torc-chosen-runtime"}
    files = tuple(OutputFile(file.path, file.text) for file in made.files)
    assert run_jobs(Written(files), tmp_path) == {"get": 0}
    expected = ["src/docs/page"] if sparse else ["src/docs/page", "src/top"]
    assert (tmp_path / "found").read_text().split() == expected


def test_a_branch_that_is_not_there_fails_the_job(repository: tuple[Path, str], tmp_path: Path) -> None:
    made = api.compile(CHECKOUT % (repository[0], "nowhere", ""), origin="pw", to="torc")
    files = tuple(OutputFile(file.path, file.text) for file in made.files)
    assert run_jobs(Written(files), tmp_path)["get"] != 0
    assert not (tmp_path / "found").exists()


def test_other_actions_of_the_platform_are_refused():
    text = "jobs: {a: {steps: [{uses: parallelworks/update-session, with: {name: s}}]}}\nsessions: {s: {}}\n"
    made = api.compile(text, origin="pw", to="torc")
    assert not made.files
    assert "torc-action-call" in {item.code.name for item in made.diagnostics}


STEPS = """
on: {execute: {inputs: {mode: {type: string, default: fast}, extra: {type: boolean, default: false}}}}
jobs:
  a:
    steps:
      - {run: echo one >> log, if: "${{ inputs.mode == 'fast' }}"}
      - {run: echo two >> log, if: "${{ inputs.extra }}"}
      - {run: exit 3}
      - {run: echo three >> log}
      - {run: echo four >> log, if: "${{ error }}"}
      - {run: echo five >> log, if: "${{ always }}"}
      - {run: mkdir -p x; pwd >> x/log, working-directory: "${PW_PARENT_JOB_DIR}/deep/down", if: "${{ always }}"}
"""


def test_conditions_of_steps_and_folders_that_are_missing(tmp_path: Path) -> None:
    made = api.compile(STEPS, origin="pw", to="torc")
    assert {item.code.name for item in made.diagnostics} == {"torc-chosen-runtime", "torc-frozen-inputs"}
    files = tuple(OutputFile(file.path, file.text) for file in made.files)
    assert run_jobs(Written(files), tmp_path) == {"a": 3}
    assert (tmp_path / "log").read_text().split() == ["one", "four", "five"]
    assert (tmp_path / "deep" / "down" / "x" / "log").read_text().strip() == str(tmp_path / "deep" / "down")


def test_a_step_in_the_folder_of_the_run_needs_no_script():
    text = "jobs: {a: {working-directory: '${PW_PARENT_JOB_DIR}', steps: [{run: ./go}]}}\n"
    assert (
        must_read(api.compile(text, origin="pw", to="torc").files[0].text).tasks[0].steps[0].work.text.literal == "./go"
    )
