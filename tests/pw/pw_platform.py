"""A stand-in for the platform: runs a compiled workflow's jobs in bash on this machine, in the order of `needs`.

It knows what the outputs of the compiler use and no more: expressions that are a form value, `env`, `timeout`,
jobs that are skipped behind a failed one. Everything else raises, so that a test cannot pass by accident.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import attrs
import yaml

_EXPRESSION = re.compile(r"\$\{\{ (.*?) \}\}")
_TERNARY = re.compile(r"inputs\.([\w.-]+) \? '(.*)' : '(.*)'")


@attrs.define
class JobRun:
    """How a job ended: `completed`, `error` or `skipped`; its exit status and what it printed."""

    status: str
    code: int | None = None
    output: str = ""
    began: float = 0.0
    ended: float = 0.0


def run_workflow(text: str, folder: Path, given: dict[str, Any] | None = None, path: str = "") -> dict[str, JobRun]:
    """Run every job of a workflow in a folder that stands for the run's; `path` goes before PATH."""
    data = yaml.safe_load(text)
    values = _values(data["on"]["execute"]["inputs"], given or {})
    done: dict[str, JobRun] = {}
    waiting = dict(data["jobs"])
    while waiting:
        ready = [name for name, job in waiting.items() if all(need in done for need in job.get("needs", []))]
        assert ready, f"the jobs {sorted(waiting)} wait for each other"
        for name in ready:
            job = waiting.pop(name)
            assert "if" not in job, "conditions are not known to this stand-in"
            failed = any(done[need].status != "completed" for need in job.get("needs", []))
            done[name] = JobRun("skipped") if failed else _run_job(job, folder, values, path)
    return done


def _values(fields: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, field in fields.items():
        if field["type"] == "group":
            values[name] = _values(field["items"], given.get(name, {}))
        else:
            values[name] = given.get(name, field.get("default", ""))
    return values


def _run_job(job: dict[str, Any], folder: Path, values: dict[str, Any], path: str) -> JobRun:
    run = JobRun("completed", 0, began=time.monotonic())
    assert job["ssh"] == {"remoteHost": "${{ inputs.cluster.ip }}"}
    for step in job["steps"]:
        environment = {name: fill(value, values) for name, value in step.get("env", {}).items()}
        seconds = _seconds(fill(job["timeout"], values)) if "timeout" in job else 60.0
        search = f"{path}:{os.environ['PATH']}" if path else os.environ["PATH"]
        base = {"PATH": search, "HOME": str(folder), "PW_JOB_DIR": str(folder), "PW_RUN_SLUG": "run-7"}
        try:
            ended = subprocess.run(
                ["bash", "-c", fill(step["run"], values)],
                cwd=folder,
                env=base | environment,
                capture_output=True,
                text=True,
                timeout=seconds,
            )
        except subprocess.TimeoutExpired:
            run.status, run.code = "error", None
            break
        run.output += ended.stdout + ended.stderr
        run.code = ended.returncode
        if ended.returncode != 0:
            run.status = "error"
            break
    run.ended = time.monotonic()
    return run


def fill(text: str, values: dict[str, Any]) -> str:
    """Replace the expressions of a text as the platform does, before any shell sees it."""
    return _EXPRESSION.sub(lambda found: _evaluate(found[1], values), text)


def _evaluate(expression: str, values: dict[str, Any]) -> str:
    if (ternary := _TERNARY.fullmatch(expression)) is not None:
        return ternary[2] if _lookup(ternary[1], values) is True else ternary[3]
    assert expression.startswith("inputs."), expression
    value = _lookup(expression.removeprefix("inputs."), values)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _lookup(path: str, values: dict[str, Any]) -> Any:
    found: Any = values
    for name in path.split("."):
        found = found[name]
    return found


def _seconds(text: str) -> float:
    units = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    return float(text[:-1]) * units[text[-1]]
