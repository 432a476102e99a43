"""Text survives every pair: what arrives at a command after any two of the languages is what was meant."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from random import Random

import pytest

from pwxc import compiler, registry
from pwxc.compiler import Policy
from pwxc.ir.data import InlineFile, Variable
from pwxc.ir.expr import Ref, Root
from pwxc.ir.resources import Container
from pwxc.ir.task import Command, Script, Step, Task
from pwxc.ir.template import Template, text
from pwxc.ir.workflow import Workflow
from pwxc.shell import quote
from tests.pairs.running import shown
from tests.pairs.sweep import SYSTEMS, read_again

PIECES = (
    "{{", "}}", "{%", "%}", "{#", "#}", "${{", "$", "'", '"', "\\", ": ", "- ", "-", " #", "\n", "\t", " ", "é", "漢",
    "🚀", "x",
)  # fmt: skip
OPTIONS = {
    "osmo": {"image": "ubuntu:24.04"},
    "pw": {"container": "none", "submit": "ssh"},
    "torc": {"container": "none", "inline_scripts": "always"},
    "slurm": {"container": "none"},
}
SHARE = 40
"""How many texts one workflow has."""
OUTPUT = Ref(Root.OUTPUT_FOLDER)


def all_texts() -> list[str]:
    """Give every piece beside every other one, and longer texts of them."""
    random = Random(7)
    pairs = ["".join(pair) for pair in product(PIECES, PIECES)]
    longer = ["".join(random.choices(PIECES, k=random.randrange(3, 9))) for _ in range(110)]
    return [*dict.fromkeys((*PIECES, *pairs, *longer))]


TEXTS = all_texts()
PARTS = [TEXTS[at : at + SHARE] for at in range(0, len(TEXTS), SHARE)]


def workflow_of(system: str, texts: list[str]) -> Workflow:
    """Give a workflow of a system whose tasks show texts: as arguments, in the environment, and in files or scripts."""
    names = [f"A{at:03}" for at in range(len(texts))]
    variables = tuple(Variable(name=name, value=text(item)) for name, item in zip(names, texts, strict=True))
    if system == "osmo":
        files = tuple(
            InlineFile(path=Template.of(OUTPUT, f"/{name}"), contents=text(item))
            for name, item in zip(names, texts, strict=True)
        )
        paths = [Template.of(OUTPUT, f"/{name}") for name in names]
        steps = [
            [text("show"), text("args"), *map(text, texts)],
            [text("show"), text("env"), *map(text, names)],
            [text("show"), text("files"), *paths],
        ]
        image = Container(image=text("ubuntu:24.04"))
        tasks = tuple(
            Task(name=name, steps=(Step(work=Command(tuple(words))),), container=image, **more)
            for name, words, more in zip("abc", steps, ({}, {"environment": variables}, {"files": files}), strict=True)
        )
        return Workflow(name="w", dialect=system, tasks=tasks)
    documents = "".join(f"show stdin <<'PWXC_HERE'\n{item}\nPWXC_HERE\n" for item in texts)
    exports = "".join(f"export {item.name}={quote(item.value.literal or '')}\n" for item in variables)
    scripts = [
        "show args " + " ".join(map(quote, texts)) + "\n",
        (exports if system == "slurm" else "") + f"show env {' '.join(names)}\n",
        documents,
    ]
    inside = {"environment": variables} if system != "slurm" else {}
    return Workflow(
        name="w",
        dialect=system if system != "pw" else "torc",  # a text of ACTIVATE's own has no literal `${{`
        tasks=tuple(
            Task(name=name, steps=(Step(work=Script(text(script)), **(inside if name == "b" else {})),))
            for name, script in zip("abc", scripts, strict=True)
        ),
    )


def expected(system: str, texts: list[str]) -> list[str]:
    return [*texts, *texts, *(item if system == "osmo" else f"{item}\n" for item in texts)]


def through(workflow: Workflow, system: str) -> Workflow:
    """Write a workflow for a system and read it."""
    target = registry.find(system)
    assert target is not None
    files, _, said = compiler.write(workflow, to=target, options=OPTIONS[system], policy=Policy(lossy=True))
    again, told = read_again(system, files)
    assert again is not None, [item.message for item in (*said, *told)]
    return again


@pytest.mark.parametrize("part", range(len(PARTS)))
@pytest.mark.parametrize("system", SYSTEMS)
def test_texts_survive_all_ways_out_of_a_language(system: str, part: int, tmp_path: Path) -> None:
    given = PARTS[part]
    source = through(workflow_of(system, given), system)
    meant = expected(system, given)
    assert shown(source, tmp_path / "source") == meant
    for to in SYSTEMS:
        found = shown(through(source, to), tmp_path / to)
        assert len(found) == len(meant), to
        assert [pair for pair in zip(meant, found, strict=True) if pair[0] != pair[1]] == [], to
