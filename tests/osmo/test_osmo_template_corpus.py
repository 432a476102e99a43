"""Probes and real files, judged by what OSMO's own code said."""

from __future__ import annotations

import csv
import json
import os
import shlex
from pathlib import Path
from typing import Any

import pytest

from pwxc.diagnostics import Diagnostics
from pwxc.source import Source
from pwxc.yaml.nodes import MappingNode, Node, ScalarNode
from pwxc.yaml.schema import yaml11
from pwxc_targets.osmo.template.expand import Expanded, Settings, expand

pytestmark = pytest.mark.corpus

ROOT = Path(__file__).resolve().parents[2]
CORPUS = Path(os.environ.get("PWXC_CORPUS", ROOT.parent / "shared" / "corpus")) / "osmo"
PROBES = CORPUS / "probes"

if not CORPUS.is_dir():
    pytest.skip(f"no corpus at {CORPUS}; PWXC_CORPUS names another place", allow_module_level=True)

STAGES = frozenset({"template", "template-second-pass", "client-yaml"})
ELSEWHERE = frozenset({"file-local-braces.yaml"})
"""Refused in these stages for a reason that is not in the file's own text."""
EMPTY = frozenset({"doc-empty.yaml", "doc-no-workflow.yaml"})


def rows(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def settings_of(args: str) -> Settings:
    words = shlex.split(args)
    pairs = list(zip(words[::2], words[1::2], strict=False))
    return Settings(
        set=tuple(value for option, value in pairs if option == "--set"),
        set_string=tuple(value for option, value in pairs if option == "--set-string"),
    )


def data_of(node: Node) -> Any:
    if isinstance(node, ScalarNode):
        return yaml11(node)
    if isinstance(node, MappingNode):
        return {yaml11(key): data_of(value) for key, value in node.value}
    return [data_of(item) for item in node.value]


def run(path: Path, settings: Settings) -> tuple[Expanded | None, Diagnostics]:
    diagnostics = Diagnostics()
    return expand(Source(path.name, path.read_text(encoding="utf-8")), settings, diagnostics), diagnostics


PROBE_ROWS = [row for row in rows(PROBES / "PROBES.tsv") if (PROBES / row["file"]).is_file()]
FILE_ROWS = [row for row in rows(CORPUS / "INDEX.tsv") if (CORPUS / "expected" / f"{row['file'][:-5]}.json").is_file()]
VERDICTS = {}
if (PROBES / "EXPECTED.jsonl").is_file():
    for line in (PROBES / "EXPECTED.jsonl").read_text(encoding="utf-8").splitlines():
        item = json.loads(line)
        VERDICTS[item["name"], item["args"]] = item


@pytest.mark.parametrize("row", PROBE_ROWS, ids=lambda row: row["file"])
def test_probe_is_refused_when_osmo_refuses_it(row: dict[str, str]) -> None:
    _, diagnostics = run(PROBES / row["file"], settings_of(row["args"]))
    here = row["main_stage"] in STAGES and not row["file"].startswith("label-") and row["file"] not in ELSEWHERE
    refused = here or row["file"] in EMPTY
    assert diagnostics.failed == refused, [item.message for item in diagnostics]


TOKENS = {"{{output}}": "/osmo/data/output", "{{input:0}}": "/osmo/data/input/0"}


def texts_of(task: dict[str, Any]) -> list[str]:
    found = [*task.get("command", []), *task.get("args", [])]
    for token, value in TOKENS.items():
        found = [str(text).replace(token, value) for text in found]
    return found


def tasks_of(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [*workflow.get("tasks", []), *(task for group in workflow.get("groups", []) for task in group["tasks"])]


@pytest.mark.parametrize(
    "row",
    [row for row in PROBE_ROWS if row["file"].startswith(("tpl-", "doc-")) and row["main"] == "accepted"],
    ids=lambda row: row["file"],
)
def test_accepted_probe_has_the_tasks_that_osmo_ran(row: dict[str, str]) -> None:
    expanded, _ = run(PROBES / row["file"], settings_of(row["args"]))
    assert expanded is not None
    verdict = VERDICTS[row["file"][:-5], row["args"]]
    spec = verdict["main"]["spec"]
    workflow = data_of(expanded.document.root)["workflow"]
    theirs = {task["name"]: task for group in spec["groups"] for task in group["tasks"]}
    ours = {str(task["name"]): task for task in tasks_of(workflow)}
    assert workflow["name"] == spec["name"]
    assert ours.keys() == theirs.keys()
    for name, task in ours.items():
        assert task["image"] == theirs[name]["image"]
        wanted = [*theirs[name]["command"], *theirs[name]["args"]]
        for mine, other in zip(texts_of(task), wanted, strict=True):
            assert mine == other or "{{" in mine  # a token that the run decides
        contents = [file["contents"] for file in task.get("files", []) if "contents" in file]
        assert contents == [file["contents"] for file in theirs[name]["files"][: len(contents)]]
        for key, value in (task.get("environment") or {}).items():
            assert str(value) == theirs[name]["environment"][key]


def as_json(value: Any) -> Any:
    return json.loads(json.dumps(value, default=str))


def drop_local(ours: Any, theirs: Any) -> None:
    for mine, other in zip(tasks_of(ours), tasks_of(theirs), strict=True):
        for file, their_file in zip(mine.get("files") or [], other.get("files") or [], strict=True):
            if isinstance(file, dict) and "localpath" in file:
                file.pop("localpath")
                their_file.pop("localpath", None)
                their_file.pop("contents", None)


@pytest.mark.parametrize("row", FILE_ROWS, ids=lambda row: row["file"])
def test_file_expands_as_in_osmo(row: dict[str, str]) -> None:
    expected = json.loads((CORPUS / "expected" / f"{row['file'][:-5]}.json").read_text(encoding="utf-8"))
    if "expanded" not in expected:
        pytest.skip("what OSMO made of it is not recorded")
    given = tuple(f"{name}={value}" for name, value in expected["set"].items()) or tuple(row["set"].split())
    expanded, diagnostics = run(CORPUS / row["file"], Settings(set=given))
    assert expanded is not None, [item.message for item in diagnostics]
    ours = as_json(data_of(expanded.document.root))
    theirs = expected["expanded"]
    drop_local(ours["workflow"], theirs["workflow"])
    assert ours["workflow"] == theirs["workflow"]
