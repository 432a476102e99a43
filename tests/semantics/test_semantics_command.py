"""`pwxc equivalent`, with the installed systems."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pwxc.cli import main

TORC = """\
name: t
jobs:
  - {name: train, command: python train.py}
  - {name: cleanup, command: rm -rf scratch, depends_on: [train], cancel_on_blocking_job_failure: false}
"""
PW = """\
'on': {execute: {inputs: {}}}
jobs:
  train:
    steps: [{run: python train.py}]
  cleanup:
    needs: [train]
    steps: [{run: rm -rf scratch}]
"""


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    Path("a.yaml").write_text(TORC)
    Path("b.yaml").write_text(PW)
    Path("same.yaml").write_text(PW.replace("needs: [train]", "needs: [train]\n    if: ${{ always }}"))
    Path("folder").mkdir()
    Path("folder/workflow.yaml").write_text(TORC)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["equivalent", *arguments])
    return code, *capsys.readouterr()


def test_a_difference(capsys: pytest.CaptureFixture[str]):
    code, out, _ = run(capsys, "a.yaml", "b.yaml")
    assert code == 1
    assert out.splitlines() == [
        "different: when `train` fails, A runs `cleanup`, B cancels it",
        "  A is a.yaml (torc)",
        "  B is b.yaml (pw)",
    ]


@pytest.mark.parametrize("first", ["a.yaml", "folder"])
def test_no_difference(first: str, capsys: pytest.CaptureFixture[str]):
    code, out, _ = run(capsys, first, "same.yaml", "--from-a", "torc", "--from-b", "pw")
    assert (code, out) == (0, "equivalent: the same normal form\n")


def test_json(capsys: pytest.CaptureFixture[str]):
    code, out, err = run(capsys, "a.yaml", "b.yaml", "--output-format", "json")
    assert (code, json.loads(err)) == (1, [])
    assert json.loads(out) == {
        "equivalent": False,
        "proved": False,
        "environments": 2,
        "story": "when `train` fails, A runs `cleanup`, B cancels it",
        "difference": {
            "aspect": "state",
            "instance": "cleanup",
            "first": "runs `cleanup`",
            "second": "cancels it",
            "other": "",
        },
        "facts": [{"fact": "fails", "task": "train", "index": None, "step": 0, "codes": [1], "goes_on": True}],
        "notes": [],
        "a": {"file": "a.yaml", "system": "torc"},
        "b": {"file": "b.yaml", "system": "pw"},
    }


def test_a_map(capsys: pytest.CaptureFixture[str]):
    Path("other.yaml").write_text(PW.replace("train:", "fit:").replace("[train]", "[fit]").replace("cleanup:", "tidy:"))
    assert run(capsys, "b.yaml", "other.yaml", "--map", "train=fit", "cleanup=tidy")[:2] == (
        0,
        "equivalent: the same normal form\n",
    )
    code, out, err = run(capsys, "b.yaml", "other.yaml", "--map", "train=fit", "gone=tidy")
    assert (code, out) == (2, "")
    assert "`--map` names `gone`" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["a.yaml", "missing.yaml"], "cannot read `missing.yaml`"),
        (["a.yaml", "bad.yaml", "--from-b", "pw"], "error"),
        (["a.yaml", "b.yaml", "--from-b", "nothing"], "no system is called `nothing`"),
        (["a.yaml", "b.yaml", "--map", "train"], "not of the form"),
        (["a.yaml"], "Missing argument"),
    ],
)
def test_what_cannot_be_read(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]):
    Path("bad.yaml").write_text("jobs: [")
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert said in err
