"""What becomes of every real file on its way into every system, and whether it still means the same there."""

from __future__ import annotations

import csv
import hashlib
import os
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import attrs

from pwxc import api
from pwxc.diagnostics import Severity
from pwxc.ir.workflow import Workflow
from pwxc.semantics.equivalence import Effort, Verdict, equivalent
from pwxc.source import Source
from tests.contract.trips import TARGETS

CORPUS = Path(os.environ.get("PWXC_CORPUS", Path(__file__).parents[3] / "shared" / "corpus"))
EFFORT = Effort(environments=60, runs=2_000)
"""Bounded, so that large files cost as much as small ones."""


@attrs.frozen
class Outcome:
    """What became of one file in one system.

    `end` is unread (the file is faulty in its own system), refused, warned or clean. Clean output is compared with its
    source: `verdict` says how that ended, and `fault` what is wrong with it.
    """

    file: str
    target: str
    end: str
    verdict: str = ""
    fault: str = ""


def files(dialect: str) -> list[Path]:
    """Give the files of the corpus that are written for a system."""
    index = CORPUS / dialect / "INDEX.tsv"
    if not index.is_file():
        return []
    with index.open(encoding="utf-8", newline="") as lines:
        names = [row["file"] for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)]
    return [path for name in names if (path := CORPUS / dialect / name).is_file()]


def fingerprint() -> str:
    """Give what tells one state of the corpus from another; nothing where there is none."""
    found = hashlib.sha256()
    paths = [path for dialect in TARGETS for path in files(dialect)]
    for path in paths:
        found.update(f"{path.relative_to(CORPUS)} {path.stat().st_size}\n".encode())
    return found.hexdigest()[:16] if paths else ""


@cache
def survey(dialect: str) -> tuple[Outcome, ...]:
    """Compile the files of a system into every system."""
    return tuple(_outcome(path, dialect, target) for path in files(dialect) for target in TARGETS)


def _outcome(path: Path, dialect: str, target: str) -> Outcome:
    made = api.compile(path, to=target, origin=dialect)
    if made.workflow is None:
        return Outcome(path.name, target, "unread")
    if made.refused:
        return Outcome(path.name, target, "refused")
    if any(item.severity is Severity.WARNING for item in made.diagnostics):
        return Outcome(path.name, target, "warned")
    back, said = api.read([Source(file.path, file.text) for file in made.files], origin=target)
    if back is None:
        return Outcome(path.name, target, "clean", "unreadable", "; ".join(item.message for item in said))
    return _compared(path, target, made.workflow, back)


def _compared(path: Path, target: str, source: Workflow, back: Workflow) -> Outcome:
    found = equivalent(source, back, effort=EFFORT)
    return Outcome(path.name, target, "clean", _word(found), "" if found.equal else found.story)


def _word(verdict: Verdict) -> str:
    if not verdict.equal:
        return "different"
    if verdict.notes:
        return "order"
    return "proved" if verdict.proved else "tried"


def numbers() -> dict[str, dict[str, dict[str, int]]] | None:
    """Count the outcomes by source, target and end; None where there is no corpus."""
    if not any(files(dialect) for dialect in TARGETS):
        return None
    return {
        dialect: {target: dict(sorted(_count(dialect, target).items())) for target in TARGETS} for dialect in TARGETS
    }


def _count(dialect: str, target: str) -> Counter[str]:
    outcomes = [outcome for outcome in survey(dialect) if outcome.target == target]
    return Counter({"files": len(outcomes)}) + Counter(_words(outcomes))


def _words(outcomes: list[Outcome]) -> Iterator[str]:
    for outcome in outcomes:
        yield outcome.end
        if outcome.verdict:
            yield outcome.verdict
