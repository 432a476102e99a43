"""Variables that the source's system gives its jobs, set where a script names them.

A submitted script has the scheduler's own variables. What differs there is where it was submitted from, what it waits
for, and the array, which is a matrix here; over ssh there are none at all (slurm.md §11).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pwxc.fidelity import Account
from pwxc.ir.resources import Resources, further_options
from pwxc.ir.task import Task
from pwxc.ir.template import Template
from pwxc.shell import quote
from pwxc.shell.arrays import array_variables
from pwxc.source import Span
from pwxc_targets.pw.writing import codes as C  # noqa: N812
from pwxc_targets.pw.writing.context import project_folder
from pwxc_targets.pw.writing.nativenames import ATTEMPT, RUN_ID
from pwxc_targets.pw.writing.scheduling import is_submitted, records_of

if TYPE_CHECKING:
    from pwxc_targets.pw.writing.nativejob import NativeJob

_NAME = re.compile(r"\b(?:TORC_[A-Z_]+|SLURMD?_\w+)")
_TORC_COMMAND = re.compile(r"(?:^|[\s;&|(`])torc\s+(?:-\S+\s+\S+\s+)*[a-z]", re.MULTILINE)
_OWN_FOLDER = re.compile(r"\s(?:-\w*D|--chdir\b)")
_GRES = re.compile(r"\s*--gr")
_DEPENDENCY = "SLURM_JOB_DEPENDENCY"
_NOT_ALWAYS = frozenset(["SLURM_RESTART_COUNT", "SLURM_EXPORT_ENV"])
"""What a first attempt of an ordinary job does not have either."""


def source_variables(job: NativeJob, account: Account, text: Template) -> list[str]:
    """Give the lines that export the variables that a script names, and say which of them have no value here."""
    literal = "".join(part for part in text.parts if isinstance(part, str))
    named = dict.fromkeys(_NAME.findall(literal))
    dialect = job.writing.workflow.dialect
    if dialect == "slurm":
        known = dict(_slurm(job, named))
        missing = [name for name in _read(job, named) if name not in known and _is_missing(job, name)]
    else:
        known = _torc(job) if dialect == "torc" else {}
        missing = [name for name in named if name.startswith("TORC_") and name not in known and dialect == "torc"]
    given = {item.name for item in job.task.environment}
    missing = [name for name in missing if name not in given]
    if missing:
        shown = ", ".join(f"`{name}`" for name in missing)
        message = f"`{job.task.name}` uses {shown}, which {'has' if len(missing) == 1 else 'have'} no value here"
        account.approximate("work", C.SOURCE_SYSTEM, message, span=_place(job, missing[0]))
    elif dialect == "torc" and _TORC_COMMAND.search(literal):
        account.approximate("work", C.SOURCE_SYSTEM, f"`{job.task.name}` runs `torc`, which has no server here")
    return [f"export {name}={known[name]}" for name in named if name in known]


def _place(job: NativeJob, name: str) -> Span | None:
    """Give where a script first reads a variable, if the reader has looked."""
    found = (step.found for step in job.task.steps)
    return next((use.span for item in found if item is not None for use in item.uses if use.name == name), None)


def _read(job: NativeJob, named: dict[str, None]) -> list[str]:
    """Give those of the named variables that a script reads; in a text that is not understood, any may be one."""
    found = [step.found for step in job.task.steps]
    if not all(item is not None and item.complete for item in found):
        return list(named)
    read = {name for item in found if item is not None for name in item.variables}
    return [name for name in named if name in read]


def _is_missing(job: NativeJob, name: str) -> bool:
    """Whether a job of Slurm has a variable that the job here does not have, or not with that meaning."""
    if name == _DEPENDENCY:
        return bool(job.task.needs)
    return name.startswith("SLURM_ARRAY_") or not (name in _NOT_ALWAYS or is_submitted(job.writing, job.task))


def _torc(job: NativeJob) -> dict[str, str]:
    return {
        "TORC_WORKFLOW_ID": f'"{RUN_ID}"',
        "TORC_JOB_NAME": quote(job.task.name),
        "TORC_JOB_ID": '"${PW_MATRIX_INDEX-0}"',
        "TORC_ATTEMPT_ID": f'"$(({ATTEMPT} + 1))"',
        "TORC_OUTPUT_DIR": '"${PW_JOB_DIR:-$PWD}"',
    }


def _slurm(job: NativeJob, named: dict[str, None]) -> Iterator[tuple[str, str]]:
    """Give what Slurm would set for the script and what is not there by itself, as shell words."""
    if "SLURM_SUBMIT_DIR" in named:
        yield "SLURM_SUBMIT_DIR", _submit_folder(job)
    yield from array_variables(job.task.sweep).items()
    record, _ = records_of(job.writing, job.task)
    if record is not None:
        yield from _graphics(record)
    if is_submitted(job.writing, job.task) is False:
        yield "SLURM_JOB_NAME", quote(job.task.name)
        yield from _amounts(record or Resources(name=""))


def _submit_folder(job: NativeJob) -> str:
    """Give the folder in which the source calls `sbatch`; its `--chdir` is another thing."""
    base = project_folder(job.writing)
    where = _called_in(job.task)
    if where.startswith("/"):
        return quote(where)
    return f'"{base}"{"/" + quote(where) if where else ""}'


def _called_in(task: Task) -> str:
    """Give the folder to which a driver has gone before it submits; empty for its own."""
    folder = task.working_directory.literal if task.working_directory is not None else None
    call = task.span.text if task.span is not None else ""
    if not folder or call.startswith("#!") or _OWN_FOLDER.search(call):
        return ""
    return posixpath.normpath(folder)


def _graphics(record: Resources) -> Iterator[tuple[str, str]]:
    """Give what `--gpus` and `--gpus-per-node` set: both are asked for as generic resources here, which set neither."""
    span = (record.places or {}).get("gpus")
    asked = further_options(record)
    if not isinstance(record.gpus, int) or not record.gpus or (span is not None and _GRES.match(span.text)):
        return
    if "gpus" in asked or "gpus-per-node" in asked:
        return
    nodes = record.nodes if isinstance(record.nodes, int) else 1
    for name, count in (("SLURM_GPUS", record.gpus * nodes), ("SLURM_GPUS_PER_NODE", record.gpus)):
        yield name, quote(":".join(part for part in (record.gpu_type, str(count)) if part))


def _amounts(record: Resources) -> Iterator[tuple[str, str]]:
    """Give the numbers that a script over ssh finds in the same place."""
    nodes = record.nodes if isinstance(record.nodes, int) else 1
    for value, names in (
        (nodes, ("SLURM_NNODES", "SLURM_JOB_NUM_NODES")),
        (record.tasks, ("SLURM_NTASKS", "SLURM_NPROCS")),
        (record.tasks_per_node, ("SLURM_NTASKS_PER_NODE",)),
        (record.cpus, ("SLURM_CPUS_PER_TASK",)),
    ):
        if isinstance(value, int) and value:
            yield from ((name, str(value)) for name in names)
