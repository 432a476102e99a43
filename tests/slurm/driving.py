"""Drivers read, and run by bash with an `sbatch` that only writes down; and what both make of them, as one graph."""

from __future__ import annotations

import itertools
import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from pwxc import compiler
from pwxc.diagnostics import Diagnostics
from pwxc.ir.sweep import Range, Sweep, Values
from pwxc.ir.task import Outcome, Script, Task
from pwxc.ir.workflow import Workflow
from pwxc.registry import ReadSettings
from pwxc.source import Source
from pwxc_targets.slurm import TARGET

A = "#!/bin/bash\n#SBATCH --time=5\necho a\n"
SCRIPTS = ("a.sh", "b.sh", "c.sh")


def read(driver: str, *more: tuple[str, str]) -> tuple[Workflow | None, Diagnostics]:
    texts = [("driver.sh", "#!/bin/bash\n" + driver), *((name, A) for name in SCRIPTS), *more]
    sources = [Source(name, content) for name, content in texts]
    workflow, found, _ = compiler.read(sources, origin=TARGET, settings=ReadSettings(folder=Path("/nowhere")))
    return workflow, found


# what bash does

STUB = """\
#!/bin/bash
number=$(($(cat "$COUNTER") + 1))
echo $number >"$COUNTER"
printf '%s\\0' "$number" "${TAG-}" "$@" >>"$LOG"
printf '\\n' >>"$LOG"
for word; do [[ $word == --parsable ]] && { echo $number; exit; }; done
echo "Submitted batch job $number"
"""

Call = tuple[str, tuple[str, ...], str]
Graph = dict[Call, frozenset[tuple[Outcome, Call]]]
KINDS = {
    "afterok": Outcome.SUCCESS, "afterany": Outcome.END, "afternotok": Outcome.FAILURE, "after": Outcome.START,
}  # fmt: skip


def ran(driver: str, folder: Path) -> Graph:
    """Run a driver; give the calls with their arguments and `TAG`, and what each waits for."""
    bin_ = folder / "bin"
    bin_.mkdir(exist_ok=True)
    (bin_ / "sbatch").write_text(STUB)
    (bin_ / "sbatch").chmod(0o755)
    (folder / "count").write_text("100\n")
    (folder / "log").write_text("")
    environment = {
        "PATH": f"{bin_}:{os.environ['PATH']}", "COUNTER": str(folder / "count"), "LOG": str(folder / "log"),
    }  # fmt: skip
    bash = shutil.which("bash") or "bash"
    done = subprocess.run(
        [bash, "-c", driver], env=environment, cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    calls: dict[str, Call] = {}
    graph: Graph = {}
    for line in (folder / "log").read_text().split("\0\n")[:-1]:
        number, tag, *words = line.split("\0")
        options = [word for word in words if word.startswith("--")]
        script, *arguments = [word for word in words if not word.startswith("--")]
        call = (script, tuple(arguments), tag)
        assert call not in graph, f"{call} is not the only one of its kind"
        calls[number] = call
        value = next((word.partition("=")[2] for word in options if word.startswith("--dependency=")), "")
        graph[call] = frozenset(
            (KINDS[kind], calls[parent])
            for term in filter(None, value.split(","))
            for kind, *parents in [term.split(":")]
            for parent in parents
        )
    return graph


# what was read


def instances(sweep: Sweep | None) -> Iterator[dict[str, str]]:
    """Go through the values of a sweep as texts."""
    parameters = sweep.parameters if sweep is not None else ()
    columns = []
    for parameter in parameters:
        assert isinstance(parameter.values, Range | Values)
        columns.append([format(item, parameter.format) if parameter.format else str(item) for item in parameter.values])
    for row in itertools.product(*columns):
        yield {parameter.name: value for parameter, value in zip(parameters, row, strict=True)}


def call_of(task: Task, row: dict[str, str]) -> Call:
    """Give the call of an instance of a task."""
    work = task.steps[0].work
    assert isinstance(work, Script)
    first, _, _ = work.text.fill(lambda hole: row[hole.path[0]]).partition("\n")  # type: ignore[attr-defined]
    held = {f"${item.name}": item.value.fill(lambda hole: row[hole.path[0]]) for item in task.environment}  # type: ignore[attr-defined]
    words = shlex.split(first)[2:] if first.startswith("set -- ") else []
    arguments = tuple(held.get(word, word) for word in words)
    told = held.get("$TAG", "")
    return task.name.partition("-")[0], arguments, told


def graph_of(workflow: Workflow) -> Graph:
    """Give the calls that a workflow stands for, and what each waits for."""
    tasks = {task.name: task for task in workflow.tasks}
    graph: Graph = {}
    for task in workflow.tasks:
        for row in instances(task.sweep):
            waits = set()
            for edge in task.needs:
                parent = tasks[edge.parent]
                rows = list(instances(parent.sweep))
                if edge.same_instance:
                    own = list(instances(task.sweep))
                    rows = [rows[own.index(row)]]
                waits.update((edge.when, call_of(parent, other)) for other in rows)
            graph[call_of(task, row)] = frozenset(waits)
    return graph


def same(driver: str, folder: Path, *, sweeps: int | None = None) -> Workflow:
    workflow, found = read(driver)
    assert workflow is not None, [item.message for item in found]
    assert graph_of(workflow) == ran(driver, folder)
    if sweeps is not None:
        assert sum(task.sweep is not None for task in workflow.tasks) == sweeps
    return workflow
