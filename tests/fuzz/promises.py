"""What every reader promises for every text: a diagnostic or a workflow that can be written, never a traceback."""

from __future__ import annotations

from collections.abc import Callable

from pwxc import compiler, registry
from pwxc.compiler import Policy
from pwxc.diagnostics.render import render_text
from pwxc.source import Source
from tests.contract.trips import TARGETS

SUFFIXES = {
    "osmo": (".yaml", ".yml"),
    "pw": (".yaml", ".yml"),
    "torc": (".yaml", ".yml", ".json", ".json5", ".kdl"),
    "slurm": (".sh", ".sbatch", ".slurm", ".sub", ".job"),
}


def reader_check(system: str) -> Callable[[str], None]:
    """Give a check for the reader and the linter of a system, and for one writer a text."""
    origin = registry.find(system)
    assert origin is not None

    def check(text: str) -> None:
        source = Source("input", text)
        workflow, said, _ = compiler.read([source], origin=origin)
        assert workflow is not None or said.failed, "neither a workflow nor an error"
        render_text([*said, *compiler.lint(source, origin=origin)])
        if workflow is not None:
            target = registry.find(TARGETS[len(text) % len(TARGETS)])
            assert target is not None
            compiler.write(workflow, to=target, options={}, policy=Policy(lossy=True))

    return check
