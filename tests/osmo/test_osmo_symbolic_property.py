"""For generated files: what is read symbolically and written out is what is read concretely, also for other values."""

from __future__ import annotations

from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from osmo_specs import loop, meaning, read_concretely, spec, task, when

from pwxc.diagnostics import Diagnostics
from pwxc.ir.workflow import Workflow
from pwxc.registry import ReadSettings
from pwxc.source import Source
from pwxc_targets.osmo import read as reading

SPELLED = {"n": "3", "flag": "true", "mode": "gpu", "names": "[x, y]"}
OTHERS: dict[str, dict[Any, str]] = {
    "n": {0: "0", 1: "1", 5: "5"},
    "flag": {False: "false"},
    "mode": {"cpu": "cpu", "": "''", "gpux": "gpux"},
}
"""Other values of the parameters, and how they are written."""
RANGES = (
    "range(n)", "range(n)", "range(3)", "range(1, 4)", "range(4, 0, -2)", "names", "['x', 'y']", "[1, 5]", "range(0)",
    "range(n + 1)",
)  # fmt: skip
CONDITIONS = (
    "flag", "not flag", "mode == 'gpu'", "n > 2", "n", "flag and mode != 'cpu'", "mode in ['gpu', 'tpu']", "true",
    "n < 9", "mode",
)  # fmt: skip
WORDS = (
    "a", "{{ n }}", "{{ mode }}-{{ n }}", "{{ n * 2 }}", "{{ mode ~ n }}", "{{ 'on' if flag else 'off' }}",
    "{{output}}/x", "{{ mode | upper }}", "{% if flag %}f{% endif %}", "{% for k in range(n) %}{{ k }},{% endfor %}",
    "{{ n / 2 }}", "{{ n if n else mode }}", "{# nothing #}b", "{% raw %}{ {% endraw %}", "{{ other is defined }}",
)  # fmt: skip
ROUND_WORDS = (
    "{{ i }}", "{{ i }}", "{{ loop.index }}/{{ loop.length }}", "{{ i ~ '-' ~ n }}", "{{ loop.first }}",
    "{{ i }}-{{ n }}", "{{ loop.revindex0 }}", "{{ '%03d' | format(loop.index0) }}", "{% if loop.last %}z{% endif %}",
    "{{ [7, 8, 9, 10, 11, 12, 13][loop.index0] }}",
)  # fmt: skip
NAMES = ("{{ i }}", "{{ i }}", "{{ i }}", "{{ loop.index }}", "{{ i }}-b")


class Generator:
    """Makes a file of a few parts, of which later ones may read from earlier ones in many ways."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.loops: list[tuple[str, str]] = []
        """The name and the values of each loop so far."""
        self.tasks: list[str] = []

    def pick(self, choices: Any) -> Any:
        return self.random.choice(choices)

    def file(self) -> str:
        parts = [self.part(f"t{number}") for number in range(self.random.randint(1, 4))]
        defaults = ", ".join(f"{name}: {value}" for name, value in SPELLED.items())
        return spec("\n".join([*parts, task("last", "z")]), defaults)

    def part(self, name: str) -> str:
        text = self.loop(name) if self.random.random() < 0.6 else self.task(name)
        return when(self.pick(CONDITIONS), text) if self.random.random() < 0.3 else text

    def words(self, choices: tuple[str, ...]) -> list[str]:
        return [self.pick(choices) for _ in range(self.random.randint(1, 3))]

    def task(self, name: str) -> str:
        inputs = self.inputs("")
        self.tasks.append(name)
        return task(name, *self.words(WORDS), inputs=inputs)

    def inputs(self, values: str) -> str:
        kind = self.random.random()
        if kind < 0.4 or not (self.loops or self.tasks):
            return ""
        if not self.loops or kind < 0.5:
            return f"- task: {self.pick(self.tasks)}" if self.tasks else ""
        parent, over = self.pick(self.loops)
        if kind < 0.55:
            return f"- task: {parent.replace('{{ i }}', '1')}"
        if over == values and kind < 0.85:
            return f"- task: {parent}"
        return loop(f"k in {over}", f"- task: {parent.replace('{{ i }}', '{{ k }}')}")

    def loop(self, name: str) -> str:
        values = self.pick([over for _, over in self.loops]) if self.loops and self.random.random() < 0.6 else None
        values = values or self.pick(RANGES)
        called = f"{name}-{self.pick(NAMES)}"
        inputs = self.inputs(values)
        again = ["{% set i = loop.index0 + 1 %}"] if self.random.random() < 0.1 else []
        items = [task(called, *self.words(WORDS + ROUND_WORDS), inputs=inputs)]
        if self.random.random() < 0.2:
            items.append(task(f"also-{called}", "{{input:0}}/x", inputs=f"- task: {called}"))
        self.loops.append((called, values))
        return loop(f"i in {values}", *again, *items)


def attempt(text: str) -> tuple[Workflow | None, list[str]]:
    diagnostics = Diagnostics()
    made = reading.read((Source("f", text),), ReadSettings(), diagnostics)
    return made, [item.message for item in diagnostics.errors]


@settings(max_examples=40)
@given(st.integers(0, 2**40))
def test_what_is_read_symbolically_means_what_is_read_concretely(seed: int) -> None:
    generator = Generator(seed)
    text = generator.file()
    made, errors = attempt(text)
    if made is None:
        assert errors
        return
    assert meaning(made) == meaning(read_concretely(text))
    names = [item.name for item in made.inputs if item.name in OTHERS]
    for name in generator.random.sample(names, min(1, len(names))):
        value = generator.pick(list(OTHERS[name]))
        changed = text.replace(f"{name}: {SPELLED[name]}", f"{name}: {OTHERS[name][value]}", 1)
        assert changed != text
        if attempt(changed)[0] is not None:
            assert meaning(made, **{name: value})["groups"] == meaning(read_concretely(changed))["groups"]
