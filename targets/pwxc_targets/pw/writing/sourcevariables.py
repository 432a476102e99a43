"""Variables that the source's system gives its jobs, set where a script names them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pwxc.fidelity import Account
from pwxc.ir.sweep import Range, Sweep, Values
from pwxc.ir.template import Template
from pwxc.shell import quote
from pwxc.source import Span
from pwxc_targets.pw.writing import codes as C  # noqa: N812
from pwxc_targets.pw.writing.nativenames import ATTEMPT, RUN_ID

if TYPE_CHECKING:
    from pwxc_targets.pw.writing.nativejob import NativeJob

_NAME = re.compile(r"\b(TORC_[A-Z_]+|SLURM_ARRAY_[A-Z_]+)\b")
_TORC_COMMAND = re.compile(r"(?:^|[\s;&|(`])torc\s+(?:-\S+\s+\S+\s+)*[a-z]", re.MULTILINE)


def source_variables(job: NativeJob, account: Account, text: Template) -> list[str]:
    """Give the lines that export the variables that a script names, and say which of them have no value here."""
    literal = "".join(part for part in text.parts if isinstance(part, str))
    named = dict.fromkeys(_NAME.findall(literal))
    dialect = job.writing.workflow.dialect
    known = _torc(job) if dialect == "torc" else _slurm(job.task.sweep) if dialect == "slurm" else {}
    lines = [f"export {name}={known[name]}" for name in named if name in known]
    given = {item.name for item in job.task.environment}
    if dialect in ("torc", "slurm"):
        missing = [name for name in named if name not in known and name not in given and _belongs(name, dialect)]
        if missing:
            shown = ", ".join(f"`{name}`" for name in missing)
            message = f"`{job.task.name}` uses {shown}, which has no value here"
            account.approximate("work", C.SOURCE_SYSTEM, message, span=_place(job, missing[0]))
        elif dialect == "torc" and _TORC_COMMAND.search(literal):
            account.approximate("work", C.SOURCE_SYSTEM, f"`{job.task.name}` runs `torc`, which has no server here")
    return lines


def _place(job: NativeJob, name: str) -> Span | None:
    """Give where a script first reads a variable, if the reader has looked."""
    found = (step.found for step in job.task.steps)
    return next((use.span for item in found if item is not None for use in item.uses if use.name == name), None)


def _belongs(name: str, dialect: str) -> bool:
    return name.startswith(f"{dialect.upper()}_")


def _torc(job: NativeJob) -> dict[str, str]:
    return {
        "TORC_WORKFLOW_ID": f'"{RUN_ID}"',
        "TORC_JOB_NAME": quote(job.task.name),
        "TORC_JOB_ID": '"${PW_MATRIX_INDEX-0}"',
        "TORC_ATTEMPT_ID": f'"$(({ATTEMPT} + 1))"',
        "TORC_OUTPUT_DIR": '"${PW_JOB_DIR:-$PWD}"',
    }


def _slurm(sweep: Sweep | None) -> dict[str, str]:
    values = sweep.parameters[0].values if sweep is not None and sweep.parameters else None
    if not isinstance(values, Range | Values) or not len(values):
        return {}
    numbers: Any = [value for value in (values[0], values[len(values) - 1]) if isinstance(value, int)]
    listed = list(values) if isinstance(values, Values) else numbers
    if not numbers or not all(isinstance(value, int) for value in listed):
        return {}
    step = values.step if isinstance(values, Range) else 1
    return {
        "SLURM_ARRAY_TASK_COUNT": str(len(values)),
        "SLURM_ARRAY_TASK_MIN": str(min(listed)),
        "SLURM_ARRAY_TASK_MAX": str(max(listed)),
        "SLURM_ARRAY_TASK_STEP": str(step),
    }
