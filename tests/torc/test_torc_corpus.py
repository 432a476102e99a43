"""Real specifications: what torc itself says to them, and that writing them again changes no meaning.

Keys that no version knows, and `jobs_sort_method`, which 0.25 refuses, are not written again.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from torc_files import read_text, written

from pwxc import api
from pwxc.registry import ReadSettings
from pwxc.semantics.equivalence import Effort, equivalent
from pwxc.source import Source
from pwxc_targets.torc.linting.verdict import verdicts
from pwxc_targets.torc.model import VERBATIM

FOLDER = Path(os.environ.get("PWXC_CORPUS", Path(__file__).parents[3] / "shared" / "corpus")) / "torc"
pytestmark = [pytest.mark.corpus, pytest.mark.skipif(not FOLDER.is_dir(), reason="PWXC_CORPUS is not set")]
COLUMNS = {"2025-11-13": "r0", "2025-12-07": "r1", "v0.12.0": "0.12", "v0.25.1": "0.25"}


def rows():
    index = FOLDER / "INDEX.tsv"
    if not index.is_file():
        return []
    lines = index.read_text().splitlines()
    names = lines[0].split("\t")
    return [dict(zip(names, line.split("\t"), strict=False)) for line in lines[1:]]


def test_verdicts_equal_those_of_torc():
    wrong = []
    for row in rows():
        text = (FOLDER / row["file"]).read_text()
        ours = verdicts(Source(row["file"], text), ReadSettings(folder=FOLDER))
        for pair in row["real_torc_says"].split():
            column, theirs = pair.split("=", 1)
            version = COLUMNS[column]
            if ours[version] != theirs:
                wrong.append((row["file"], version, ours[version], theirs))
    assert wrong == []


def test_what_a_version_accepts_is_read_without_errors():
    wrong = []
    for row in rows():
        said = row["real_torc_says"]
        workflow, _ = read_text((FOLDER / row["file"]).read_text(), row["file"])
        current = "v0.25.1=ok" in said or "v0.25.1=create-ok" in said
        if current and workflow is None:
            wrong.append(row["file"])
    assert wrong == []


def test_as_many_jobs_as_torc_makes():
    wrong = []
    for row in rows():
        told = re.search(r"jobs=(?:[0-9]+->)?([0-9]+)", row["features"])
        workflow, _ = read_text((FOLDER / row["file"]).read_text(), row["file"])
        if workflow is None or told is None:
            continue
        made = sum(task.sweep.size if task.sweep is not None else 1 for task in workflow.tasks)
        if made != int(told[1]):
            wrong.append((row["file"], made, told[1]))
    assert wrong == []


@pytest.mark.parametrize("kind", ["yaml", "json5"])
def test_written_again_nothing_changes(kind):
    changed = []
    for row in rows():
        workflow, _ = read_text((FOLDER / row["file"]).read_text(), row["file"])
        if workflow is None:
            continue
        made, _, entries = written(workflow, format=kind)
        once, _ = read_text(made.files[0].text, f"w.{kind}")
        if once is None:
            changed.append(row["file"])
            continue
        assert written(once, format=kind)[0] == made, "a second pass changes the text"
        kept = (*workflow.passthrough, *(entry for item in workflow.allocations for entry in item.passthrough))
        lost = {entry.path[0] for entry in kept} - (set(VERBATIM) - {"jobs_sort_method"})
        if once != workflow and not lost:
            changed.append(row["file"])
        assert not [entry for entry in entries if entry.code is not None and entry.code.id == "PWX3001"]
    assert changed == []


@pytest.mark.parametrize(("source", "target"), [("torc", "pw"), ("pw", "torc"), ("osmo", "torc")])
def test_compiled_or_refused_with_reasons_and_read_back(source, target):
    """Nothing fails for an unknown reason; what is written can be read, and means the same when nothing is said."""
    wrong = []
    for path in sorted((FOLDER.parent / source).glob("*")):
        if path.is_dir() or path.name == "INDEX.tsv":
            continue
        workflow = api.read(path, origin=source)[0]
        made = api.compile(path, origin=source, to=target)
        said = {item.code.id for item in made.diagnostics}
        if workflow is None:
            continue
        if said & {"PWX0999", "PWX3001"}:
            wrong.append((path.name, said))
        if not made.files:
            if not any(item.severity == "error" for item in made.diagnostics):
                wrong.append((path.name, "no reason"))
            continue
        back, found = api.read(Source(made.files[0].path, made.files[0].text), origin=target)
        if back is None:
            wrong.append((path.name, [item.message for item in found.errors]))
        elif not any(item.severity in ("error", "warning") for item in made.diagnostics):
            verdict = equivalent(workflow, back, effort=Effort(environments=40, runs=800))
            if not verdict.equal:
                wrong.append((path.name, verdict.story))
    assert wrong == []
