"""How the tests of torc read, write and expand specifications."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pwxc.diagnostics import Diagnostics
from pwxc.fidelity import Ledger
from pwxc.ir.sweep import Range, Values
from pwxc.ir.workflow import Workflow
from pwxc.registry import ReadSettings, Written
from pwxc.source import Source
from pwxc_targets.torc import TARGET
from pwxc_targets.torc.read import read
from pwxc_targets.torc.records import assignments, print_hole, substitute
from pwxc_targets.torc.write import write


def read_text(text: str, name: str = "w.yaml", **options: str) -> tuple[Workflow | None, Diagnostics]:
    """Read a specification."""
    diagnostics = Diagnostics()
    settings = ReadSettings(folder=Path(), options=TARGET.settle_options(options))
    return read((Source(name, text),), settings, diagnostics), diagnostics


def must_read(text: str, name: str = "w.yaml", **options: str) -> Workflow:
    """Read a specification that has no errors."""
    workflow, diagnostics = read_text(text, name, **options)
    assert workflow is not None, [(item.code.id, item.message) for item in diagnostics.errors]
    return workflow


def written(workflow: Workflow, **options: str) -> tuple[Written, Ledger, list[Any]]:
    """Write a workflow; the last part is the account of every leaf."""
    ledger = Ledger()
    made = write(workflow, ledger, TARGET.settle_options(options))
    return made, ledger, ledger.close(workflow)


def again(workflow: Workflow, **options: str) -> Workflow:
    """Write a workflow and read it back."""
    made, _, _ = written(workflow, **options)
    return must_read(made.files[0].text, made.files[0].path)


def codes(diagnostics: Diagnostics) -> set[str]:
    """Give the names of the codes that were used."""
    return {item.code.name for item in diagnostics}


def expand(workflow: Workflow) -> dict[str, str]:
    """Give the command of every instance by its name, as torc makes them."""
    paths = {item.name: item.path for item in workflow.files}
    found: dict[str, str] = {}
    for task in workflow.tasks:
        open_values = {
            item.name: item.values
            for item in (task.sweep.parameters if task.sweep else ())
            if isinstance(item.values, Range | Values)
        }
        name = substitute(task.name, open_values, {})
        for values in assignments(task.sweep):

            def give(hole: Any, values: dict[str, Any] = values) -> str:
                if getattr(hole, "root", "") == "file":
                    return paths[hole.path[0]].fill(give)
                if getattr(hole, "root", "") == "datum":
                    return "<datum>"
                return print_hole(hole, values)

            found[name.fill(give)] = task.steps[0].work.text.fill(give)
    return found
