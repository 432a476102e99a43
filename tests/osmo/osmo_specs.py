"""Small OSMO files with loops and conditions, and both readings of them."""

from __future__ import annotations

import textwrap
from typing import Any

import pytest
from osmo_meaning import Ours
from osmo_unrolled import unrolled

from pwxc.diagnostics import Diagnostics
from pwxc.ir.workflow import Workflow
from pwxc.registry import ReadSettings
from pwxc.source import Source
from pwxc_targets.osmo import read as reading

DEFAULTS = "n: 3, m: 2, lr: '0.1', flag: true, dry: false, mode: gpu, names: [x, y], rates: [0.1, 1.0], empty: ''"


def spec(tasks: str, defaults: str = DEFAULTS, key: str = "tasks") -> str:
    body = textwrap.indent(textwrap.dedent(tasks).strip("\n"), "  ")
    return f"default-values: {{{defaults}}}\nworkflow:\n  name: w\n  {key}:\n{body}\n"


def task(name: str, *words: str, inputs: str = "", more: str = "") -> str:
    """Write an item of `tasks`; `inputs` are the lines of its list."""
    lines = [f"- name: {name}", "  image: ubuntu:22.04", *(more.splitlines())]
    if inputs:
        lines += ["  inputs:", *(f"  {line}" for line in inputs.splitlines())]
    listed = ", ".join(f'"{word}"' for word in words or ("a",))
    return "\n".join([*lines, f"  command: [run, {listed}]"])


def loop(head: str, *items: str) -> str:
    return "\n".join([f"{{% for {head} %}}", *items, "{% endfor %}"])


def when(test: str, *items: str) -> str:
    return "\n".join([f"{{% if {test} %}}", *items, "{% endif %}"])


def read(text: str, *values: str, allow: str = "") -> tuple[Workflow, Diagnostics]:
    diagnostics = Diagnostics()
    settings = ReadSettings(values=values, allow=frozenset([allow]))
    made = reading.read((Source("f.yaml", text),), settings, diagnostics)
    assert made is not None, [item.message for item in diagnostics]
    return made, diagnostics


def read_concretely(text: str, *values: str) -> Workflow:
    """Read as if nothing could be read symbolically."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "_read_symbolically", lambda *arguments: None)
        return read(text, *values)[0]


def meaning(workflow: Workflow, **values: Any) -> dict[str, Any]:
    """Give what a workflow means; the order of inputs that are gathered from all rounds is left out."""
    found = Ours(unrolled(workflow, **values)).meaning()
    for group in found["groups"].values():
        for each in group["tasks"].values():
            each["inputs"] = sorted(map(str, each["inputs"]))
    return found


def frozen(said: Diagnostics) -> dict[str, str]:
    """Give the frozen parameters, each with the text that is shown for it."""
    return {
        item.message.split("`")[1]: item.span.resolve().text
        for item in said
        if item.code.name == "osmo-frozen-parameter" and item.span is not None
    }
