"""`make mutate`: break a copy of the compiler in one place after the other, and see whether a test fails.

The score goes into `docs/conformance.json`, from which `make docs` makes the page. Names of areas, or parts of the
names of mutations, given as arguments run only those and record nothing.
"""

# ruff: noqa: T201

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.mutation.mutations import Mutation, mutations  # noqa: E402

RECORD = ROOT / "docs" / "conformance.json"
COPIED = ("pwxc", "targets", "grammars", "tests", "docs", "pyproject.toml", "README.md", "CHANGELOG.md", "Makefile")
CONTRACT = ["tests/contract/test_contract_workflows.py", "tests/contract/test_contract_found.py"]
CONSTRUCTS = "tests/contract/test_contract_constructs.py"
STAGES = {
    "core": [["tests/yaml", "tests/fidelity", "tests/shell", "tests/semantics", "tests/cli"], ["tests/pw", *CONTRACT]],
    "osmo": [CONTRACT, ["tests/osmo", CONSTRUCTS], ["tests/witnesses/test_osmo_witness.py"]],
    "pw": [CONTRACT, ["tests/pw", CONSTRUCTS], ["tests/witnesses/test_pw_witness.py"]],
    "torc": [CONTRACT, ["tests/torc", CONSTRUCTS], ["tests/witnesses/test_torc_witness.py"]],
    "slurm": [CONTRACT, ["tests/slurm", CONSTRUCTS], ["tests/witnesses/test_slurm_witness.py"]],
}
"""The tests that are run for each area, one list after the other until one fails; others are far away."""
LONGEST = 900
"""Seconds for the tests of one mutation; one that makes them hang is noticed."""


def copy_tree(place: Path) -> Path:
    """Copy what the tests need."""
    ignored = shutil.ignore_patterns("__pycache__", ".*")
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, place / name, ignore=ignored)
        else:
            shutil.copy(source, place / name)
    return place


def run_tests(tree: Path, area: str, stage: int, *options: str) -> tuple[int, str]:
    """Run a stage of the tests near an area in a copy; gives pytest's exit status and what it printed."""
    paths = os.pathsep.join(str(tree / name) for name in (".", "grammars", "targets"))
    corpus = os.environ.get("PWXC_CORPUS", str(ROOT.parent / "shared" / "corpus"))
    environment = {**os.environ, "PYTHONPATH": paths, "PWXC_PROFILE": "mutation", "PWXC_CORPUS": corpus}
    names = [name for name in STAGES[area][stage] if (tree / name).exists()]
    command = [sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--no-header", *options, *names]
    if CONTRACT[0] in names and area != "core":
        command += ["-k", f"found or [{area}]"]
    try:
        done = subprocess.run(
            command, cwd=tree, env=environment, capture_output=True, text=True, timeout=LONGEST, check=False
        )
    except subprocess.TimeoutExpired:
        return 1, "FAILED (it took too long)"
    return done.returncode, done.stdout


def failures(output: str) -> list[str]:
    """Give the names of the tests that failed."""
    return re.findall(r"^(?:FAILED|ERROR) (\S+)", output, re.MULTILINE)


def noticed_by(tree: Path, mutation: Mutation, known: list[list[str]]) -> str | None:
    """Break a tree, run the tests and mend it; gives the test that failed, if one did."""
    path = tree / mutation.file
    whole = path.read_text(encoding="utf-8")
    path.write_text(whole.replace(mutation.old, mutation.new), encoding="utf-8")
    try:
        for stage, failing in enumerate(known):
            left_out = [f"--deselect={name}" for name in failing]
            status, output = run_tests(tree, mutation.area, stage, "-x", *left_out)
            if status not in (0, 5):
                return next(iter(failures(output)), f"pytest, which ended with {status}")
        return None
    finally:
        path.write_text(whole, encoding="utf-8")


def chosen(words: list[str]) -> list[Mutation]:
    """Give the mutations that are asked for; without a word all."""
    return [each for each in mutations() if not words or any(word == each.area or word in each.name for word in words)]


def main(words: list[str]) -> int:
    """Run the mutations and record the score of a whole run."""
    wanted = chosen(words)
    trees: SimpleQueue[Path] = SimpleQueue()
    with tempfile.TemporaryDirectory(prefix="pwxc-mutation-") as folder:
        workers = max(1, (os.cpu_count() or 2) // 2)
        for number in range(workers):
            place = Path(folder) / str(number)
            place.mkdir()
            trees.put(copy_tree(place))
        with ThreadPoolExecutor(workers) as pool:
            known = dict(pool.map(lambda area: (area, baseline(trees, area)), sorted({each.area for each in wanted})))
            found = list(pool.map(lambda each: (each, tried(trees, each, known[each.area])), wanted))
    lived = [mutation.name for mutation, test in found if test is None]
    print(f"{len(found) - len(lived)} of {len(found)} mutations were noticed")
    if not words:
        record(found)
    return 1 if lived else 0


def baseline(trees: SimpleQueue[Path], area: str) -> list[list[str]]:
    """Give the tests near an area that fail without a mutation, which prove nothing, for each stage."""
    tree = trees.get()
    known: list[list[str]] = []
    try:
        for stage in range(len(STAGES[area])):
            status, output = run_tests(tree, area, stage)
            if status not in (0, 1, 5):
                raise SystemExit(f"the tests near {area} cannot be run:\n{output}")
            known.append(failures(output))
    finally:
        trees.put(tree)
    for name in (name for names in known for name in names):
        print(f"{area}: fails without a mutation and is left out: {name}", flush=True)
    return known


def tried(trees: SimpleQueue[Path], mutation: Mutation, known: list[list[str]]) -> str | None:
    """Try a mutation in a tree that is free."""
    tree = trees.get()
    began = time.monotonic()
    try:
        test = noticed_by(tree, mutation, known)
    finally:
        trees.put(tree)
    word = f"noticed by {test}" if test is not None else "NOT NOTICED"
    print(f"{mutation.name}: {word} ({time.monotonic() - began:.0f} s)", flush=True)
    return test


def record(found: list[tuple[Mutation, str | None]]) -> None:
    """Write the score beside the other numbers of the page."""
    whole = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.is_file() else {}
    areas: dict[str, dict[str, int]] = {}
    for mutation, test in found:
        counts = areas.setdefault(mutation.area, {"all": 0, "tried": 0, "noticed": 0})
        counts["all"] += 1
        counts["tried"] += 1
        counts["noticed"] += test is not None
    lived = [mutation.name for mutation, test in found if test is None]
    whole["mutation"] = {"areas": areas, "lived": lived}
    RECORD.write_text(json.dumps(whole, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print("recorded; `make docs` puts it into docs/conformance.md")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
