"""What a gang's one job does, really run with stand-ins for the scheduler's programs; and edges that data implies."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from torc_files import again, written
from torc_worker import run_jobs

from pwxc.ir.data import File, NamedFile, Read, TaskOutput, Write
from pwxc.ir.task import Edge, Gang, GangStatus, Script, Step, Task
from pwxc.ir.template import text
from pwxc.ir.workflow import Workflow

STAND_INS = {"srun": 'while [[ $1 == -* ]]; do shift; done; exec "$@"', "scontrol": "printf '%s\\n' n1 n2"}


def task(name: str, script: str, **fields: object) -> Task:
    """Make a task of one script."""
    return Task(name=name, steps=(Step(work=Script(text(script))),), **fields)  # type: ignore[arg-type]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Give a folder with the stand-ins below `bin`."""
    (tmp_path / "bin").mkdir()
    for name, body in STAND_INS.items():
        program = tmp_path / "bin" / name
        program.write_text(f"#!/bin/bash\n{body}\n")
        program.chmod(program.stat().st_mode | stat.S_IEXEC)
    return tmp_path


LEAD_ENDS = {"first": "sleep 0.2; exit 3", "second": 'sleep 1.5; echo late >> "$HOME/log"'}


@pytest.mark.parametrize(
    ("lead", "status", "scripts", "code"),
    [
        ("first", GangStatus.LEAD, LEAD_ENDS, 3),
        ("second", GangStatus.LEAD, {"first": LEAD_ENDS["second"], "second": "sleep 0.2; exit 4"}, 4),
        ("first", GangStatus.LEAD, {"first": "sleep 0.4", "second": "exit 5"}, 0),
        ("first", GangStatus.ALL, {"first": "sleep 1.5", "second": "sleep 0.2; exit 5"}, 5),
    ],
)
def test_the_lead_ends_the_gang(place: Path, lead: str, status: GangStatus, scripts: dict[str, str], code: int) -> None:
    """osmo.md §20.3: the lead's end is the gang's, and with `ALL` the first failure is."""
    members = tuple(task(name, script) for name, script in scripts.items())
    gang = Gang(name="g", members=("first", "second"), lead=lead, status=status)
    made, _, _ = written(Workflow(name="w", dialect="osmo", tasks=members, gangs=(gang,)))
    path = {"PATH": f"{place / 'bin'}:/usr/bin:/bin", "SLURM_JOB_NODELIST": "n[1-2]"}
    assert run_jobs(made, place, path) == {"g": code}
    assert not (place / "log").exists()


def test_an_edge_stays_that_no_file_of_its_parent_implies() -> None:
    """A file that comes from elsewhere makes nobody wait for the parent (torc.md §15)."""
    files = (File(name="own", path=text("own.txt")), File(name="given", path=text("given.txt")))
    parent = task("up", "echo up", writes=(Write(destination=NamedFile("own")),))
    data = (Read(name="0", origin=TaskOutput("up")), Read(name="given", origin=NamedFile("given")))
    child = task("down", "echo down", needs=(Edge(parent="up", implied=True),), reads=data)
    read = again(Workflow(name="w", dialect="torc", files=files, tasks=(parent, child)))
    assert [edge.parent for edge in read.tasks[1].needs] == ["up"]
