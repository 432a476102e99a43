"""Compiles workflows of other systems to ACTIVATE, and runs the steps of one of their jobs in bash."""

from __future__ import annotations

import os
import re
import subprocess
import textwrap
from pathlib import Path
from typing import Any

import yaml

from pwxc.compiler import Policy, read, write
from pwxc.diagnostics import Severity
from pwxc.ir.task import Script, Step, Task
from pwxc.ir.template import Template, text
from pwxc.ir.workflow import Workflow
from pwxc.source import Source
from pwxc_targets.pw import TARGET
from pwxc_targets.torc import TARGET as TORC

LOSSY = Policy(lossy=True)


def torc(spec: str) -> Workflow:
    """Read a torc specification."""
    workflow, diagnostics, _ = read([Source("w.yaml", textwrap.dedent(spec))], origin=TORC)
    assert workflow is not None, [item.message for item in diagnostics]
    return workflow


def task(name: str, script: str | Template = "true\n", **fields: Any) -> Task:
    """Make a task of one script."""
    body = script if isinstance(script, Template) else text(script)
    return Task(name=name, steps=(Step(work=Script(body)),), **fields)


def flow(*tasks: Task, dialect: str = "torc", **fields: Any) -> Workflow:
    """Make a workflow that was read from another system."""
    return Workflow(name="w", dialect=dialect, tasks=tasks, **fields)


def compiled(workflow: Workflow, **options: str) -> tuple[dict[str, Any], list[str]]:
    """Compile with all losses allowed; give the output's data and the codes that were said.

    The output has to be one that the reader takes without errors.
    """
    files, _, said = write(workflow, to=TARGET, options=options, policy=LOSSY)
    again, diagnostics, _ = read([Source("out/workflow.yaml", files[0].text)], origin=TARGET)
    assert again is not None, [item.message for item in diagnostics] + [files[0].text]
    assert not [item.message for item in diagnostics if item.severity is Severity.ERROR]
    assert "PWX3001" not in [item.code.id for item in said], [item.message for item in said]
    data: dict[str, Any] = yaml.safe_load(files[0].text)
    return data, [item.code.id for item in said]


def run(job: dict[str, Any], folder: Path, matrix: dict[str, Any] | None = None, index: int = 0) -> tuple[int, str]:
    """Run a job's steps in order; give the status of the first that fails and all that was printed.

    What is submitted runs in its folder, without the platform's variables and without the blank lines that the job
    runner takes out; its status is not seen.
    """
    printed = ""
    for step in job["steps"]:
        submitted = step.get("with", {})
        place = submitted.get("rundir", step.get("working-directory", str(folder)))
        place = place.replace("${PW_PARENT_JOB_DIR}", str(folder)).replace("${PW_MATRIX_INDEX}", str(index))
        Path(place).mkdir(parents=True, exist_ok=True)
        script = submitted["script"] if submitted else step["run"]
        script = re.sub(r"(?m)^[ \t]*\n", "", script) if submitted else script
        known = {"PW_JOB_DIR": str(folder), "PW_PARENT_JOB_DIR": str(folder), "PW_RUN_SLUG": "slug"}
        ended = subprocess.run(
            ["bash", "-c", fill(script, matrix or {}, folder)],
            cwd=place,
            env={"PATH": os.environ["PATH"]} | ({} if submitted else known | job.get("env", {})),
            capture_output=True,
            text=True,
            timeout=20,
        )
        printed += ended.stdout
        if ended.returncode and not step.get("ignore-errors") and not submitted:
            return ended.returncode, printed
    return 0, printed


def fill(script: str, matrix: dict[str, Any], folder: Path) -> str:
    """Put values into the expressions that the scripts of these tests have."""
    values = {f"matrix.{name}": value for name, value in _flat(matrix)} | {"inputs.folder": str(folder)}
    return re.sub(r"\$\{\{ ([\w.-]+) \}\}", lambda found: str(values[found[1]]), script)


def _flat(value: dict[str, Any]) -> list[tuple[str, Any]]:
    found = []
    for name, item in value.items():
        found += [(f"{name}.{key}", one) for key, one in _flat(item)] if isinstance(item, dict) else [(name, item)]
    return found


def is_clean(script: str) -> str:
    """Give what shellcheck says about a script that was made; nothing when it is not installed."""
    plain = re.sub(r"\$\{\{.*?\}\}", "1", script)
    assert subprocess.run(["bash", "-n"], input=plain, text=True, check=False).returncode == 0
    try:
        command = ["shellcheck", "-S", "warning", "-s", "bash", "-"]
        return subprocess.run(command, input=plain, text=True, capture_output=True, check=False).stdout
    except FileNotFoundError:
        return ""
