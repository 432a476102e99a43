"""The corpus through all pairs: every file that can be read, written for every system and read again.

`PWXC_CORPUS` names the folder with a folder for each system.
"""

from __future__ import annotations

import csv
import os
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from unittest.mock import patch
from zlib import crc32

import attrs

from pwxc import compiler, registry
from pwxc.compiler import Policy
from pwxc.diagnostics import Diagnostic, Severity
from pwxc.ir.workflow import Workflow
from pwxc.registry import OutputFile, ReadSettings, Target
from pwxc.source import Source

CORPUS = Path(os.environ.get("PWXC_CORPUS", Path(__file__).parents[3] / "shared" / "corpus"))
SYSTEMS = ("osmo", "pw", "torc", "slurm")
OPTIONS = {"osmo": {"image": "ubuntu:24.04"}}
"""Every task of OSMO needs an image, which files of other systems do not name."""
LOSSY = Policy(lossy=True)
OUR_FAULTS = frozenset({"PWX3001", "PWX0999"})
"""Not carried, internal error: what no file may lead to."""
WHOLE = 5
"""One in so many OSMO files is read again with its loops and conditions."""
NO_FAULTS = frozenset({"PWX2120", "PWX2150"})
"""What OSMO's reader says about templates that decide structure, and about many tasks."""


@attrs.frozen
class File:
    """A file of the corpus, with the values that it asks for."""

    system: str
    path: Path
    values: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Its path in the corpus."""
        return self.path.relative_to(CORPUS).as_posix()


@attrs.define
class Result:
    """What became of one file in one target: `exact`, `with warnings`, `refused` or `failed`, and why it failed."""

    file: File
    to: str
    outcome: str
    why: str = ""
    files: tuple[OutputFile, ...] = attrs.field(default=(), repr=False)


def corpus_files(system: str) -> list[File]:
    """Give the workflow files of a system: those of its index, or all; OSMO's probes too."""
    folder = CORPUS / system
    index = folder / "INDEX.tsv"
    if index.is_file():
        with index.open(encoding="utf-8", newline="") as rows:
            found = [
                File(system, folder / row["file"], tuple((row.get("set") or "").split()))
                for row in csv.DictReader(rows, delimiter="\t", quoting=csv.QUOTE_NONE)
            ]
    else:
        found = [File(system, path) for path in sorted(folder.rglob("*")) if path.suffix in (".yaml", ".yml")]
    return found + [File(system, path) for path in sorted((folder / "probes").glob("*.yaml"))]


def read_file(file: File) -> tuple[Workflow | None, list[Diagnostic]]:
    """Read a file of the corpus."""
    source = Source(str(file.path), file.path.read_bytes().decode("utf-8-sig"), path=file.path)
    settings = ReadSettings(values=file.values, folder=file.path.parent)
    workflow, said, _ = compiler.read([source], origin=registry.find(file.system), settings=settings)
    return workflow, list(said)


def read_again(
    system: str, files: tuple[OutputFile, ...], *, whole: bool = True
) -> tuple[Workflow | None, list[Diagnostic]]:
    """Read what was written; a folder of Slurm is one workflow together.

    Without `whole` an OSMO template is only rendered and checked as the service does it, and not read for its loops
    and conditions, which costs many times as much.
    """
    chosen = files if system == "slurm" else files[:1]
    sources = [Source(file.path, file.text) for file in chosen]
    settings = ReadSettings(folder=Path("/nowhere"))
    reader = registry.find(system)
    with nullcontext() if whole else patch("pwxc_targets.osmo.read._read_symbolically", return_value=None):
        workflow, said, _ = compiler.read(sources, origin=reader, settings=settings)
    return workflow, list(said)


def compile_to(file: File, workflow: Workflow, before: list[Diagnostic], to: str) -> Result:
    """Write a workflow for a system, read the output again, and judge both."""
    target = registry.find(to)
    assert target is not None
    try:
        return _compiled(file, workflow, before, target)
    except Exception:  # a fault of ours, of whatever kind, is what the table counts
        return Result(file, to, "failed", traceback.format_exc(limit=-2))


def _compiled(file: File, workflow: Workflow, before: list[Diagnostic], target: Target) -> Result:
    files, _, said = compiler.write(workflow, to=target, options=OPTIONS.get(target.name, {}), policy=LOSSY)
    ours = [item for item in said if item.code.id in OUR_FAULTS]
    if ours or not files:
        return Result(file, target.name, "failed", ours[0].message if ours else "no files", files)
    again, told = read_again(target.name, files, whole=crc32(file.name.encode()) % WHOLE == 0 and not _is_long(said))
    known = {item.code.id for item in before}
    faults = [item for item in told if _is_fault(item, target.name) and item.code.id not in known]
    if again is None or faults:
        return Result(file, target.name, "failed", "read again: " + "; ".join(_shown(item) for item in faults), files)
    if any(item.code.severity is Severity.ERROR for item in said):
        return Result(file, target.name, "refused", files=files)
    told_of = [item for item in (*before, *said) if item.severity is not Severity.NOTE]
    return Result(file, target.name, "with warnings" if told_of else "exact", files=files)


def _is_long(said: list[Diagnostic]) -> bool:
    """Whether there are so many tasks that it takes long to look for the loops that made them."""
    return any(item.code.name == "osmo-too-many-tasks" for item in said)


def _is_fault(item: Diagnostic, system: str) -> bool:
    strict = system == "osmo" and item.severity is Severity.WARNING and item.code.id not in NO_FAULTS
    return item.severity is Severity.ERROR or strict


def _shown(item: Diagnostic) -> str:
    return f"{item.code.id} {item.message}"


def sweep(system: str) -> Iterator[Result]:
    """Go through the files of a system that can be read, and through all targets."""
    for file in corpus_files(system):
        try:
            workflow, said = read_file(file)
        except Exception:  # counted like a writer's fault
            yield Result(file, system, "failed", traceback.format_exc(limit=-2))
            continue
        if workflow is None:
            yield Result(file, "", "not read")
            continue
        for to in SYSTEMS:
            yield compile_to(file, workflow, said, to)


def table(results: list[Result]) -> list[str]:
    """Give the counts of each pair as lines of text."""
    counted = Counter((result.file.system, result.to, result.outcome) for result in results)
    lines = [f"{'from':<6} {'to':<6} {'exact':>6} {'with warnings':>14} {'refused':>8} {'failed':>7}"]
    for system in SYSTEMS:
        for to in SYSTEMS:
            counts = [counted[system, to, outcome] for outcome in ("exact", "with warnings", "refused", "failed")]
            lines.append("{:<6} {:<6} {:>6} {:>14} {:>8} {:>7}".format(system, to, *counts))
    unread = ", ".join(f"{counted[system, '', 'not read']} of {system}" for system in SYSTEMS)
    return [*lines, f"files that their own system refuses: {unread}"]
