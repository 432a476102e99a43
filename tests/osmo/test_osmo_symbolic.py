"""The symbolic reading: a loop over tasks is a sweep, and what is written out is the same."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from osmo_specs import frozen, loop, meaning, read, read_concretely, spec, task, when

import pwxc
from pwxc.diagnostics import Diagnostics
from pwxc.expr.values import as_text
from pwxc.ir.expr import Ref, Root
from pwxc.ir.sweep import Range, Sweep, SweepMode, Values
from pwxc.ir.task import Edge
from pwxc.ir.workflow import Workflow
from pwxc.registry import ReadSettings
from pwxc.source import Source
from pwxc_targets.osmo import read as reading
from pwxc_targets.osmo.template.expand import Settings, expand


def swept(workflow: Workflow) -> dict[str, Sweep | None]:
    return {each.name: each.sweep for each in workflow.tasks}


def columns(workflow: Workflow, name: str) -> dict[str, Any]:
    sweep = swept(workflow)[name]
    assert sweep is not None
    return {each.name: each.values for each in sweep.parameters}


I = Ref(Root.SWEEP, ("i",))  # noqa: E741
FLAG = Ref(Root.INPUT, ("flag",))

# what loops become: the template, and for each task its parameters

LOOPS: dict[str, tuple[str, dict[str, dict[str, Any]]]] = {
    "a range": (loop("i in range(4)", task("t-{{ i }}", "{{ i }}")), {"t-{i}": {"i": Range(0, 3)}}),
    "a range with ends": (loop("i in range(2, 9, 3)", task("t-{{ i }}")), {"t-{i}": {"i": Range(2, 8, 3)}}),
    "a range downwards": (loop("i in range(3, 0, -1)", task("t-{{ i }}")), {"t-{i}": {"i": Range(3, 1, -1)}}),
    "a parameter's range": (loop("i in range(n)", task("t-{{ i }}")), {"t-{i}": {"i": Range(0, 2)}}),
    "a computed range": (loop("i in range(n * 2 - 1)", task("t-{{ i }}")), {"t-{i}": {"i": Range(0, 4)}}),
    "a list": (loop("i in ['a', 'b']", task("t-{{ i }}")), {"t-{i}": {"i": Values(("a", "b"))}}),
    "a tuple without parentheses": (loop("i in 'a', 3", task("t-{{ i }}")), {"t-{i}": {"i": Values(("a", 3))}}),
    "a parameter's list": (loop("i in names", task("t-{{ i }}")), {"t-{i}": {"i": Values(("x", "y"))}}),
    "numbers print as Python prints them": (
        loop("r in rates", task("t-{{ loop.index }}", "{{ r }}")),
        {"t-{index}": {"index": Range(1, 2), "r": Values((0.1, "1.0"))}},
    ),
    "arithmetic": (
        loop("i in range(3)", task("t-{{ i }}", "{{ i * 10 + 1 }}")),
        {"t-{i}": {"i": Range(0, 2), "i_2": Range(1, 21, 10)}},
    ),
    "a name that is given": (
        loop("i in range(3)", "{% set seed = 2 ** i %}", task("t-{{ i }}", "{{ seed }}")),
        {"t-{i}": {"i": Range(0, 2), "seed": Values((1, 2, 4))}},
    ),
    "a filter and a format": (
        loop("i in names", task("t-{{ i }}", "{{ i | upper }}", "{{ '%02d' | format(loop.index0) }}")),
        {"t-{i}": {"i": Values(("x", "y")), "i_2": Values(("X", "Y")), "index": Values(("00", "01"))}},
    ),
    "the number alone": (loop("i in names", task("t-{{ loop.index0 }}")), {"t-{index}": {"index": Range(0, 1)}}),
    "first and last": (
        loop("i in range(3)", task("t-{{ i }}", "{{ loop.first }}", "{{ 'z' if loop.last else i }}")),
        {"t-{i}": {"i": Range(0, 2), "index": Values(("True", "False", "False")), "index_2": Values((0, 1, "z"))}},
    ),
    "loops inside loops": (
        loop("i in range(2)", loop("s in names", task("t-{{ i }}-{{ s }}"))),
        {"t-{i}-{s}": {"i": Range(0, 1), "s": Values(("x", "y"))}},
    ),
    "two values at a time": (
        loop("i, s in [(1, 'a'), (2, 'b')]", task("t-{{ i }}", "{{ s }}")),
        {"t-{i}": {"i": Values((1, 2)), "s": Values(("a", "b"))}},
    ),
    "several tasks in one loop": (
        loop("i in range(2)", task("a-{{ i }}"), task("b-{{ i }}", inputs="- task: a-{{ i }}")),
        {"a-{i}": {"i": Range(0, 1)}, "b-{i}": {"i": Range(0, 1)}},
    ),
    "one loop behind another": (
        loop("i in range(n)", task("a-{{ i }}")) + "\n" + loop("j in range(n)", task("b-{{ j }}")),
        {"a-{i}": {"i": Range(0, 2)}, "b-{j}": {"j": Range(0, 2)}},
    ),
    "a loop in a text of a loop's task": (
        loop("i in range(2)", task("t-{{ i }}", "{% for k in range(n) %}{{ k }}{% endfor %}")),
        {"t-{i}": {"i": Range(0, 1)}},
    ),
    "white space control": (
        "{%- for i in range(2) %}\n" + task("t-{{ i }}") + "\n{%- endfor %}",
        {"t-{i}": {"i": Range(0, 1)}},
    ),
    "comments and raw text": (
        loop("i in range(2)", "{# - not an item #}", task("t-{{ i }}", "{% raw %}$ {% endraw %}{{ i }}")),
        {"t-{i}": {"i": Range(0, 1)}},
    ),
}


@pytest.mark.parametrize("name", LOOPS)
def test_a_loop_over_tasks_is_a_sweep(name: str) -> None:
    text, expected = LOOPS[name]
    made, _ = read(spec(text))
    assert {each: columns(made, each) for each in expected} == expected
    assert len(made.tasks) == len(expected)
    assert meaning(made) == meaning(read_concretely(spec(text)))


def test_values_that_go_together_are_zipped_and_others_are_not() -> None:
    made, _ = read(spec(loop("i in range(2)", loop("s in names", task("t-{{ i }}-{{ s }}")))))
    zipped, _ = read(spec(loop("i in range(2)", task("t-{{ i }}", "{{ i + 1 }}"))))
    assert [each.sweep.mode for made in (made, zipped) for each in made.tasks if each.sweep] == [
        SweepMode.PRODUCT,
        SweepMode.ZIP,
    ]


def test_a_parameter_beside_a_loop_stays_one() -> None:
    made, said = read(spec(loop("i in range(n)", task("t-{{ i }}", "{{ lr }}-{{ i }}"))))
    (step,) = made.tasks[0].steps
    assert step.work.arguments[1].parts == (Ref(Root.INPUT, ("lr",)), "-", I)  # type: ignore[union-attr]
    assert frozen(said) == {"n": "n"}


# who waits for whom

PAIRS = loop("i in range(3)", task("a-{{ i }}"))
EDGES: dict[str, tuple[str, dict[str, list[Edge]]]] = {
    "the partner in the same loop": (
        loop("i in range(2)", task("a-{{ i }}"), task("b-{{ i }}", "{{input:0}}", inputs="- task: a-{{ i }}")),
        {"b-{i}": [Edge(parent="a-{i}", same_instance=True, implied=True)]},
    ),
    "the partner in another loop": (
        PAIRS + "\n" + loop("j in range(3)", task("b-{{ j }}", "{{input:0}}", inputs="- task: a-{{ j }}")),
        {"b-{i}": [Edge(parent="a-{i}", same_instance=True, implied=True)]},
    ),
    "all of them": (
        PAIRS + "\n" + task("b", inputs=loop("k in range(3)", "- task: a-{{ k }}")),
        {"b": [Edge(parent="a-{i}")]},
    ),
    "all of them, for each": (
        PAIRS
        + "\n"
        + loop("j in names", task("b-{{ j }}", "{{ j }}", inputs=loop("k in range(3)", "- task: a-{{ k }}"))),
        {"b-{j}": [Edge(parent="a-{i}")]},
    ),
    "a single one": (
        task("a") + "\n" + loop("i in range(2)", task("b-{{ i }}", "{{input:0}}/x", inputs="- task: a")),
        {"b-{i}": [Edge(parent="a", implied=True)]},
    ),
}


@pytest.mark.parametrize("name", EDGES)
def test_an_input_is_an_edge_between_whole_tasks(name: str) -> None:
    text, expected = EDGES[name]
    made, _ = read(spec(text))
    assert {each.name: list(each.needs) for each in made.tasks if each.needs} == expected
    assert meaning(made) == meaning(read_concretely(spec(text)))


GROUPS = """\
    {% for i in range(2) %}
    - name: g-{{ i }}
      tasks:
      - {name: lead-{{ i }}, lead: true, image: ubuntu:22.04, command: [run, "{% raw %}{{host:w-{% endraw %}{{ i }}{% raw %}}}{% endraw %}"]}
      - {name: w-{{ i }}, image: ubuntu:22.04, command: [run]}
    {% endfor %}
    {% if flag %}
    - name: h
      tasks:
      - {name: last, lead: true, image: ubuntu:22.04, command: [run], inputs: [{task: w-1}]}
      - {name: other, image: ubuntu:22.04, command: [run]}
    {% endif %}
"""  # noqa: E501


def test_a_condition_of_a_group_is_its_leads_and_a_loop_over_groups_is_written_out() -> None:
    text = spec(GROUPS, key="groups")
    made, _ = read(text)
    assert [each.name for each in made.gangs] == ["g-0", "g-1", "h"]
    assert {each.name: each.condition for each in made.tasks if each.condition} == {"last": FLAG}
    for values in ({"flag": True}, {"flag": False}):
        other = text.replace("flag: true", f"flag: {as_text(values['flag'])}")
        assert meaning(made, **values)["groups"] == meaning(read_concretely(other))["groups"]


# very many rounds


def million(count: int) -> str:
    body = loop("i in range(n)", task("a-{{ i }}", "{{ i }}", "{{ i * 2 }}"))
    body += "\n" + loop("j in range(n)", task("b-{{ j }}", "{{input:0}}", inputs="- task: a-{{ j }}"))
    body += "\n" + task("z", inputs=loop("k in range(n)", "- task: b-{{ k }}"))
    return spec(body, f"n: {count}")


def test_a_million_rounds_are_never_gone_through() -> None:
    few, _ = read(million(10))
    many, said = read(million(1_000_000), allow="osmo-long-range")
    assert columns(many, "a-{i}") == {"i": Range(0, 999_999), "i_2": Range(0, 1_999_998, 2)}
    assert [each.needs for each in many.tasks] == [each.needs for each in few.tasks]
    expanded = expand(Source("f", million(1_000_000)), Settings(), Diagnostics(), whole=False)
    assert expanded is not None
    assert len(expanded.document.source.text) < 2 * len(million(10))
    message = "the workflow has 2,000,001 tasks; OSMO takes 20 unless the site allows more"
    assert message in [item.message for item in said]


def test_a_range_that_the_service_refuses_is_an_error_at_its_place() -> None:
    diagnostics = Diagnostics()
    assert reading.read((Source("f", million(100_001)),), ReadSettings(), diagnostics) is None
    assert [(item.code.id, item.span.resolve().text) for item in diagnostics.errors if item.span is not None] == [
        ("PWX2112", "{% for i in range(n) %}"),
        ("PWX2112", "{% for j in range(n) %}"),
        ("PWX2112", "{% for k in range(n) %}"),
    ]
    read(million(100_000))


@pytest.mark.parametrize("rounds", [65, 300])
def test_a_long_loop_that_is_no_sweep_is_gone_through_to_its_end(rounds: int) -> None:
    text = spec(
        task("s-0") + "\n" + loop("i in range(1, n)", task("s-{{ i }}", inputs="- task: s-{{ i - 1 }}")), f"n: {rounds}"
    )
    made, _ = read(text)
    assert [each.name for each in made.tasks] == [f"s-{number}" for number in range(rounds)]


@pytest.mark.parametrize("name", ["'{{ i % 100 }}'", "b-{{ i // 2 }}", "b-{{ i }}{{ i }}"])
def test_names_of_a_long_loop_have_to_differ_for_sure(name: str) -> None:
    diagnostics = Diagnostics()
    text = spec(loop("i in range(200)", task(name.replace("'{{", "'a{{"))))
    made = reading.read((Source("f", text),), ReadSettings(), diagnostics)
    assert (made is None) == ("{{ i }}{{ i }}" not in name)
    assert made is None or columns(made, "b-{i}{i}") == {"i": Range(0, 199)}


# the whole way


@pytest.mark.parametrize("to", ["osmo", "torc", "pw", "slurm"])
def test_a_sweep_stays_one_in_every_system(to: str) -> None:
    text = spec(
        loop("i in range(n)", task("a-{{ i }}", "{{ i }}", "{{output}}/x"))
        + "\n"
        + loop("j in range(n)", task("b-{{ j }}", "{{input:0}}/x", inputs="- task: a-{{ j }}"))
        + "\n"
        + when("flag", task("c", "{{ lr }}"))
    )
    made = pwxc.compile(text, to=to, origin="osmo")
    assert not made.refused
    written = "\n".join(file.text for file in made.files)
    expected = {
        "osmo": "{% for i in range(0, 3) %}",
        "torc": "0:2",
        "pw": "i: [0, 1, 2]",
        "slurm": "job a-_i_ 'a-{i}' a-_i_.sbatch 3",
    }
    assert written.count(expected[to]) >= (1 if to == "slurm" else 2)
    assert "a-1" not in written
    if to == "osmo":
        again, _ = read(written)
        first, _ = read(text)
        assert meaning(again) == meaning(first)
        assert [(each.name, each.sweep, each.needs) for each in again.tasks] == [
            (each.name, each.sweep, each.needs) for each in first.tasks
        ]


@pytest.mark.parametrize("default", ["true", "false", "''", "off", "0", "'false'"])
def test_a_switch_goes_back_to_osmo_as_it_was(default: str) -> None:
    """OSMO's template takes the text `false` for true, and prints a truth value with a capital letter."""
    text = spec(task("a") + "\n" + when("flag", task("c", "{{ flag }}")), f"flag: {default}")
    again = pwxc.compile(text, to="osmo", origin="osmo").files[0].text
    assert "{% if flag %}" in again
    assert meaning(read(again)[0]) == meaning(read_concretely(text)) == meaning(read_concretely(again))


def test_instances_have_folders_of_their_own_on_the_platform() -> None:
    child = task("b-{{ i }}", "{{input:0}}", inputs="- task: a-{{ i }}")
    pair = loop("i in range(2)", task("a-{{ i }}", "{{output}}"), child)
    written = pwxc.compile(spec(pair), to="pw", origin="osmo").files[0].text
    assert 'ln -sfn "$run/tasks"/a."${PW_MATRIX_INDEX}"/output "$task/input/0"' in written
    assert 'task=$run/tasks/a."${PW_MATRIX_INDEX}"' in written


def test_places_lead_into_the_file() -> None:
    text = spec(loop("i in range(n)", task("a-{{ i }}", "{{input:3}}", "{{ i }}")))
    made, said = read(text)
    assert [item.span.resolve().text for item in said if item.code.name == "osmo-stray-token" and item.span] == [
        "{{input:3}}"
    ]
    (each,) = made.tasks
    assert each.span is not None
    assert each.span.resolve().text == "a-{{ i }}"
    assert each.sweep is not None
    assert each.sweep.span is not None
    assert each.sweep.span.resolve().text == "{% for i in range(n) %}"


def test_a_file_without_loops_needs_no_grammar() -> None:
    text = spec(task("a", "{{ lr }}", "{{ n }}", "{{output}}"))
    code = f"import sys, pwxc; pwxc.read({text!r}, origin='osmo'); sys.exit('lark' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
