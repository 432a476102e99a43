"""Runs the tasks of a workflow that was read, with bash and in the order in which they stand, to see their texts."""

from __future__ import annotations

import base64
import os
import subprocess
from pathlib import Path

from pwxc.expr.values import as_text
from pwxc.ir.expr import Expr, Literal, Ref, Root
from pwxc.ir.task import ActionCall, Command, Task
from pwxc.ir.template import Template
from pwxc.ir.workflow import Workflow

SHOW = """\
#!/bin/bash
# Leaves its arguments, what it reads, variables or files behind, each with a zero byte after it.
case $1 in
  args) shift; (($# == 0)) || printf '%s\\0' "$@" ;;
  stdin) cat; printf '\\0' ;;
  env) shift; for name; do printf '%s\\0' "${!name}"; done ;;
  files) shift; for file; do cat "$file"; printf '\\0'; done ;;
esac >> "$SHOWN"
"""


def shown(workflow: Workflow, folder: Path) -> list[str]:
    """Run a workflow's tasks, and give what `show` has left behind."""
    tools = folder / "tools"
    tools.mkdir(parents=True)
    (tools / "show").write_text(SHOW)
    (tools / "show").chmod(0o755)
    left = folder / "shown"
    left.touch()
    for task in workflow.tasks:
        _run(workflow, task, folder, {"PATH": f"{tools}:{os.environ['PATH']}", "SHOWN": str(left)})
    return left.read_bytes().decode().split("\0")[:-1]


def _run(workflow: Workflow, task: Task, folder: Path, variables: dict[str, str]) -> None:
    home = folder / task.name
    output = home / "output"
    output.mkdir(parents=True)

    def text(template: Template) -> str:
        return template.fill(lambda hole: as_text(_value(hole, output, folder)))

    def moved(path: str) -> str:
        return path.replace("/tmp/", f"{home}/tmp/", 1) if path.startswith("/tmp/") else path

    for file in task.files:
        path = Path(moved(text(file.path)))
        path.parent.mkdir(parents=True, exist_ok=True)
        contents = text(file.contents)
        path.write_bytes(base64.b64decode(contents) if file.encoded else _local(contents, home).encode())
    for step in task.steps:
        environment = (*workflow.environment, *task.environment, *step.environment)
        given = {**variables, "PW_JOB_DIR": str(home), **{item.name: text(item.value) for item in environment}}
        work = step.work
        assert not isinstance(work, ActionCall)
        if isinstance(work, Command):
            words = [moved(text(word)) for word in work.arguments]
        else:
            script = home / "step.sh"
            script.write_bytes(text(work.text).encode())
            words = [*(word for word in work.shell if word != "-c"), str(script)]
        done = subprocess.run(words, cwd=home, env=given, capture_output=True, timeout=60, check=False)
        assert done.returncode == 0, (done.stderr.decode()[-2000:], words)


def _local(contents: str, home: Path) -> str:
    """Let the driver of an OSMO task find the files that stand beside it."""
    return contents.replace("bash /tmp/", f"bash {home}/tmp/").replace("fill /tmp/", f"fill {home}/tmp/")


def _value(hole: Expr, output: Path, folder: Path) -> object:
    match hole:
        case Literal(value=value):
            return value
        case Ref(root=Root.OUTPUT_FOLDER, path=()):
            return str(output)
        case Ref(root=Root.RUN_FOLDER):
            return str(folder)
        case Ref(root=Root.RUN_ID):
            return "w-1"
    raise AssertionError(hole)
