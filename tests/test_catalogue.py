"""The catalogue of codes: unique, explained, numbered by owner, and all of them used."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pwxc import registry
from pwxc.catalogue import catalogue, page
from pwxc.diagnostics import Code, codes, codes_of, did_you_mean, error
from pwxc.diagnostics.code import Catalogue

ROOT = Path(__file__).parents[1]
OWNERS = {"osmo": "1", "pw": "2", "torc": "3", "slurm": "4"}
CORE = codes_of(vars(codes))
ROWS = list(catalogue())


def test_ids_and_names_are_unique():
    assert len({row.id for row in ROWS}) == len({row.name for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize(
    "second", [error("PWX9001", "other", "x", "y"), error("PWX9002", "same", "x", "y")], ids=["id", "name"]
)
def test_a_row_that_stands_twice_is_refused(second):
    with pytest.raises(ValueError, match="twice"):
        Catalogue.of([error("PWX9001", "same", "x", "y"), second])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_every_row_is_explained(row: Code):
    assert re.fullmatch(r"PWX\d{4}", row.id)
    assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", row.name)
    for text in (row.meaning, row.remedy):
        assert len(text) >= 6
        assert text[-1] in ".!?`", text
        assert text.count("`") % 2 == 0
    assert row.id in page(row)


@pytest.mark.parametrize("row", CORE, ids=lambda row: row.id)
def test_the_core_leaves_the_numbers_of_the_systems_alone(row: Code):
    assert row.id[3] in "0123" or row.id[3:5] == "40"
    assert row.id[3] in "01" or row.id[4] == "0"


@pytest.mark.parametrize("target", registry.all_targets(), ids=lambda target: target.name)
def test_a_system_numbers_its_codes_in_its_own_range(target: registry.Target):
    owner = OWNERS[target.name]
    for row in registry.target_codes(target):
        assert row.id[3] in "234", row.id
        assert row.id[4] == owner, row.id


def names_in(path: Path) -> set[str]:
    return set(re.findall(r"^([A-Z][A-Z0-9_]*) = (?:error|warning|note)\(", path.read_text(), re.MULTILINE))


CODE_MODULES = [ROOT / "pwxc/diagnostics/codes.py", *sorted((ROOT / "targets").rglob("*codes.py"))]


@pytest.mark.parametrize("module", CODE_MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_code_is_used(module: Path):
    system = ROOT / "targets/pwxc_targets"
    folders = [ROOT / "pwxc", ROOT / "targets"]
    if module.is_relative_to(system):
        folders = [system / module.relative_to(system).parts[0]]
    texts = [path.read_text() for folder in folders for path in folder.rglob("*.py") if path != module]
    used = set(re.findall(r"[A-Z][A-Z0-9_]{2,}", "\n".join(texts)))
    assert names_in(module) - used == set()


def test_did_you_mean_names_the_nearest_or_all_of_few():
    assert did_you_mean("slrum", ["slurm", "osmo"]) == "did you mean `slurm`?"
    assert did_you_mean("xyz", ["slurm", "osmo"]) == "known here: `osmo`, `slurm`"
    assert did_you_mean("xyz", [f"name{number}" for number in range(20)]) == ""
