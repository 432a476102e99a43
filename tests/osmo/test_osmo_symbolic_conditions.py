"""Conditions and expressions over parameters, and all that is read concretely as it stands."""

from __future__ import annotations

import textwrap
from typing import Any

import pytest
from osmo_specs import frozen, loop, meaning, read, read_concretely, spec, task, when

from pwxc.expr.values import as_text
from pwxc.ir.expr import Binary, Conditional, Literal, Ref, Root, Unary

FLAG, N = Ref(Root.INPUT, ("flag",)), Ref(Root.INPUT, ("n",))

CONDITIONS: dict[str, tuple[str, Any, list[dict[str, Any]]]] = {
    "a switch": (when("flag", task("c")), FLAG, [{"flag": False}]),
    "a switch that is not set": (when("dry", task("c")), Ref(Root.INPUT, ("dry",)), [{"dry": True}]),
    "a denial": (when("not flag", task("c")), Unary("!", FLAG), [{"flag": False}]),
    "a text": (
        when("mode == 'cpu'", task("c")),
        Binary("==", Ref(Root.INPUT, ("mode",)), Literal("cpu")),
        [{"mode": "cpu"}, {"mode": "other"}],
    ),
    "a text that may be empty": (when("empty", task("c")), Ref(Root.INPUT, ("empty",)), [{"empty": "x"}]),
    "a number": (
        when("n > 2 and flag", task("c")),
        Binary("&&", Binary(">", N, Literal(2)), FLAG),
        [{"n": 2}, {"n": 9}],
    ),
    "otherwise": (
        "{% if flag %}\n" + task("c") + "\n{% else %}\n" + task("d") + "\n{% endif %}",
        FLAG,
        [{"flag": False}],
    ),
    "one of three": (
        "\n".join(
            ("{% if n == 1 %}", task("c"), "{% elif n == 2 %}", task("d"), "{% else %}", task("e"), "{% endif %}")
        ),
        Binary("==", N, Literal(1)),
        [{"n": 1}, {"n": 2}],
    ),
    "with what waits for it": (when("flag", task("c"), task("d", inputs="- task: c")), FLAG, [{"flag": False}]),
    "twice": (
        when("flag", task("c")) + "\n" + when("flag", task("d", inputs="- task: c")),
        FLAG,
        [{"flag": False}],
    ),
    "around a loop": (when("flag", loop("i in range(2)", task("c-{{ i }}"))), FLAG, [{"flag": False}]),
    "in a loop": (loop("i in range(2)", task("a-{{ i }}"), when("flag", task("c-{{ i }}"))), FLAG, [{"flag": False}]),
}  # fmt: skip


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_condition_on_a_parameter_is_a_condition(name: str) -> None:
    text, expected, others = CONDITIONS[name]
    text = spec(task("first") + "\n" + text)
    made, said = read(text)
    assert next(each for each in made.tasks if each.name.startswith("c")).condition == expected
    assert not frozen(said)
    assert meaning(made) == meaning(read_concretely(text))
    for values in others:
        changed = text
        for key, value in values.items():
            before = {"flag": "flag: true", "dry": "dry: false", "mode": "mode: gpu", "n": "n: 3", "empty": "empty: ''"}
            changed = changed.replace(before[key], f"{key}: {as_text(value)}", 1)
        assert changed != text
        assert meaning(made, **values)["groups"] == meaning(read_concretely(changed))["groups"]


HOLES: dict[str, tuple[str, Any]] = {
    "a sum": ("{{ n + 1 }}", Binary("+", N, Literal(1))),
    "a rest": ("{{ n % 2 }}", Binary("-", N, Binary("*", Literal(2), Binary("//", N, Literal(2))))),
    "one of two texts": ("{{ 'a' if flag else 'b' }}", Conditional(FLAG, Literal("a"), Literal("b"))),
    "a comparison": ("{{ n == 3 }}", Conditional(Binary("==", N, Literal(3)), Literal("True"), Literal("False"))),
}


@pytest.mark.parametrize("name", HOLES)
def test_an_expression_over_parameters_stays_one(name: str) -> None:
    hole, expected = HOLES[name]
    made, said = read(spec(task("t", hole)))
    assert made.tasks[0].steps[0].work.arguments[1].whole == expected  # type: ignore[union-attr]
    assert not frozen(said)
    joined, _ = read(spec(task("t", "{{ lr ~ '-' ~ n }}")))
    assert joined.tasks[0].steps[0].work.arguments[1].parts == (  # type: ignore[union-attr]
        Ref(Root.INPUT, ("lr",)), "-", N,
    )  # fmt: skip


# what is read concretely

CONCRETE: dict[str, tuple[str, dict[str, str]]] = {
    "a chain": (
        task("s-0") + "\n" + loop("i in range(1, n)", task("s-{{ i }}", inputs="- task: s-{{ i - 1 }}")),
        {"n": "n"},
    ),
    "one instance by its name": (
        loop("i in range(n)", task("a-{{ i }}")) + "\n" + task("b", inputs="- task: a-1"),
        {"n": "n"},
    ),
    "a folder of one of all": (
        loop("i in range(n)", task("a-{{ i }}"))
        + "\n"
        + task("b", "{{input:1}}", inputs=loop("k in range(n)", "- task: a-{{ k }}")),
        {"n": "n"},
    ),
    "a structure that the round decides": (
        loop("i in range(n)", task("a-{{ i }}", more="  {% if i == 0 %}privileged: true{% endif %}")),
        {"n": "n"},
    ),
    "a name that no round tells from another": (
        loop("i in range(1)", task("a", "{{ i }}")),
        {},
    ),
    "a condition around a part of a task": (
        task("a", more="{% if flag %}  privileged: true{% endif %}"),
        {"flag": "flag"},
    ),
    "a condition of what something else waits for": (
        when("flag", task("c")) + "\n" + task("d", inputs="{% if flag %}- task: c{% endif %}"),
        {"flag": "flag"},
    ),
    "a macro": (
        "{% macro t(name) %}\n" + task("{{ name }}") + "\n{% endmacro %}{{ t('a') }}"
        + loop("i in range(n)", task("b-{{ i }}")),
        {"n": "n"},
    ),
    "a loop of a group's members": (
        "- name: g\n  tasks:\n"
        + textwrap.indent(loop("i in range(m)", task("w-{{ i }}", more="  lead: {{ i == 0 }}")), "  "),
        {"m": "m"},
    ),
    "a different class of resources for each": (
        loop("i in names", task("a-{{ i }}", more="  resource: {{ i }}")) + "\n" + task("z", more="  resource: x"),
        {"names": "names"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CONCRETE)
def test_everything_else_is_read_concretely(name: str) -> None:
    text, expected = CONCRETE[name]
    text = spec(text, key="groups" if "members" in name else "tasks")
    if "resources" in name:
        text += "  resources: {x: {cpu: 1}, y: {cpu: 2}}\n"
    made, said = read(text)
    assert not any(each.sweep or each.condition for each in made.tasks)
    assert frozen(said) == expected
    assert meaning(made) == meaning(read_concretely(text))


def test_a_fault_in_a_task_that_is_not_there_is_none() -> None:
    """OSMO does not see it; so its condition is decided now."""
    missing = task("c", more="  files: [{path: /tmp/x, localpath: no/such/file}]")
    made, said = read(spec(task("a") + "\n" + when("dry", missing)))
    assert [each.name for each in made.tasks] == ["a"]
    assert frozen(said) == {"dry": "dry"}
