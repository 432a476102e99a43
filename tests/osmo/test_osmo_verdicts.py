"""Probes and real files: the reader's verdicts, and what accepted ones mean, by the account of OSMO's own code."""

from __future__ import annotations

import csv
import json
import os
import shlex
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from osmo_meaning import Ours, theirs

from pwxc.diagnostics import Diagnostics
from pwxc.files import decode
from pwxc.ir.workflow import Workflow
from pwxc.registry import ReadSettings
from pwxc_targets.osmo.read import read

pytestmark = pytest.mark.corpus

ROOT = Path(__file__).resolve().parents[2]
CORPUS = Path(os.environ.get("PWXC_CORPUS", ROOT.parent / "shared" / "corpus")) / "osmo"
PROBES = CORPUS / "probes"

if not CORPUS.is_dir():
    pytest.skip(f"no corpus at {CORPUS}; PWXC_CORPUS names another place", allow_module_level=True)

EXPLAINED = {
    "wf-21-tasks.yaml": "20 tasks are a site's setting, and no other system has the limit: PWX2150 warns",
    "label-cli-bad.yaml": "`--label` is an option of OSMO's client that pwxc does not have",
    "setenv-noeq.yaml": "`--set-env` is an option of OSMO's client that pwxc does not have",
    "priv-denied.yaml": "the rights of a platform are a site's setting",
    "hostnet-denied.yaml": "the rights of a platform are a site's setting",
    "topo-denied.yaml": "the topology keys of a pool are a site's setting",
}
"""Probes that OSMO refuses and pwxc reads, each with the reason."""
OTHER_MEANING = {
    "env-token.yaml": "the name of a variable cannot hold a reference: PWX2155 warns",
    "setenv-ok.yaml": "`--set-env` is an option of OSMO's client that pwxc does not have",
}


def rows(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def settings_of(args: str, folder: Path) -> ReadSettings:
    given: dict[str, list[str]] = {"--set": [], "--set-string": []}
    current: list[str] = []
    for word in shlex.split(args):
        if word.startswith("--"):
            current = given.get(word, [])
        else:
            current.append(word)
    return ReadSettings(values=tuple(given["--set"]), texts=tuple(given["--set-string"]), folder=folder)


@cache
def run(path: Path, args: str) -> tuple[Workflow | None, Diagnostics]:
    diagnostics = Diagnostics()
    source = decode(path.name, path.read_bytes(), diagnostics)
    settings = settings_of(args, path.parent)
    return (read((source,), settings, diagnostics) if source is not None else None), diagnostics


def account(name: str, args: str) -> dict[str, Any] | None:
    """Give OSMO's resolved specification of a probe."""
    item = SPECS[name.removesuffix(".yaml"), args]
    return item["main"].get("spec") or (item["6.3"] or {}).get("spec")


PROBE_ROWS = [row for row in rows(PROBES / "PROBES.tsv") if (PROBES / row["file"]).is_file()]
FILE_ROWS = rows(CORPUS / "INDEX.tsv")
SPECS: dict[tuple[str, str], dict[str, Any]] = {}
for line in (PROBES / "EXPECTED.jsonl").read_text(encoding="utf-8").splitlines():
    probe = json.loads(line)
    SPECS[probe["name"], probe["args"]] = probe


@pytest.mark.parametrize("row", PROBE_ROWS, ids=lambda row: row["file"])
def test_a_probe_is_taken_when_osmo_takes_it_and_means_the_same(row: dict[str, str]) -> None:
    workflow, diagnostics = run(PROBES / row["file"], row["args"])
    accepted = "accepted" in (row["main"], row["6.3"])
    if row["file"] in EXPLAINED:
        assert not accepted
        assert workflow is not None, "this is no difference any more: take it out of the table"
        return
    assert (workflow is not None) == accepted, (row["reason"], [item.message for item in diagnostics])
    assert diagnostics.failed != accepted
    if workflow is not None and row["file"] not in OTHER_MEANING:
        assert Ours(workflow).meaning() == theirs(account(row["file"], row["args"]))


@pytest.mark.parametrize("row", FILE_ROWS, ids=lambda row: row["file"])
def test_a_real_file_is_taken_when_osmo_takes_it_and_means_the_same(row: dict[str, str]) -> None:
    workflow, diagnostics = run(CORPUS / row["file"], f"--set {row['set']}")
    accepted = any(row[f"verdict_{state}"].startswith("accepted") for state in ("main", "6_3"))
    assert (workflow is not None) == accepted, (row["reason"], [item.message for item in diagnostics])
    if workflow is not None:
        expected = json.loads((CORPUS / "expected" / f"{row['file'][:-5]}.json").read_text(encoding="utf-8"))
        assert Ours(workflow).meaning() == theirs(expected["spec"])


def test_every_refusal_points_into_the_file() -> None:
    astray = []
    for row in (*PROBE_ROWS, *FILE_ROWS):
        folder = PROBES if "args" in row else CORPUS
        args = row["args"] if "args" in row else f"--set {row['set']}"
        _, diagnostics = run(folder / row["file"], args)
        text = (folder / row["file"]).read_text(encoding="utf-8")
        for item in diagnostics.errors:
            span = item.span.resolve() if item.span is not None else None
            own = span is not None and span.source.text in (text, text.removeprefix("\ufeff"))
            if not own and item.code.id != "PWX2108" and row["file"] != "file-local-braces.yaml":
                astray.append((row["file"], item.code.id, item.message))
            elif span is not None and not 0 <= span.start <= span.end <= len(span.source.text):
                astray.append((row["file"], item.code.id, "outside"))
    assert astray == []


def test_the_tables_of_differences_name_probes_that_exist() -> None:
    assert {*EXPLAINED, *OTHER_MEANING} <= {row["file"] for row in PROBE_ROWS}
