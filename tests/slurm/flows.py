"""Workflows for the tests, built in the IR, and what is done with them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pwxc import compiler
from pwxc.compiler import Policy
from pwxc.ir.data import Read, TaskOutput, Variable
from pwxc.ir.expr import Expr, Ref, Root
from pwxc.ir.sweep import Parameter, Range, Sweep
from pwxc.ir.task import Command, Edge, Outcome, Script, Step, Task
from pwxc.ir.template import Template, text
from pwxc.ir.workflow import Workflow
from pwxc.registry import OutputFile
from pwxc_targets.slurm import TARGET

OUTPUT = Ref(Root.OUTPUT_FOLDER)
RUN = Ref(Root.RUN_FOLDER)


def script(*parts: str | Expr, **more: object) -> Step:
    return Step(work=Script(Template.of(*parts)), **more)  # type: ignore[arg-type]


def command(*arguments: str | Template) -> Step:
    words = tuple(text(word) if isinstance(word, str) else word for word in arguments)
    return Step(work=Command(words))


def task(name: str, *parts: str | Expr, needs: Sequence[Edge | str] = (), **more: object) -> Task:
    """A task of one script; a need that is a name is a success."""
    edges = tuple(Edge(parent=need) if isinstance(need, str) else need for need in needs)
    return Task(name=name, steps=(script(*parts),), needs=edges, **more)  # type: ignore[arg-type]


def note(name: str) -> tuple[str | Expr, ...]:
    """Parts of a script that write down that a task ran, in the order of the runs."""
    return (f"echo {name} >>", RUN, "/order\n")


def after(parent: str, when: Outcome = Outcome.END, **more: object) -> Edge:
    return Edge(parent=parent, when=when, **more)  # type: ignore[arg-type]


def sweep(name: str, start: int, stop: int, **more: object) -> Sweep:
    return Sweep(parameters=(Parameter(name=name, values=Range(start, stop)),), **more)  # type: ignore[arg-type]


def reads(name: str, parent: str) -> Read:
    return Read(name=name, origin=TaskOutput(parent))


def variable(name: str, value: str | Template) -> Variable:
    return Variable(name=name, value=text(value) if isinstance(value, str) else value)


def flow(*tasks: Task, name: str = "flow", **more: object) -> Workflow:
    return Workflow(name=name, tasks=tasks, **more)  # type: ignore[arg-type]


def written(workflow: Workflow, **options: str) -> dict[str, OutputFile]:
    """Compile a workflow to Slurm; a loss that is not accepted fails the test."""
    done = compiler.write(workflow, to=TARGET, options={"container": "none", **options}, policy=Policy())
    assert done[0], [f"{item.code.id} {item.message}" for item in done[2]]
    return {file.path: file for file in done[0]}


def put(files: dict[str, OutputFile], folder: Path) -> Path:
    """Write files to disk; gives the submit script."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in files.values():
        path = folder / file.path
        path.write_text(file.text)
        if file.executable:
            path.chmod(0o755)
    return folder / "submit.sh"
