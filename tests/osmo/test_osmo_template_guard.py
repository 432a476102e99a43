"""A template can hurt nothing but itself."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Iterator

import pytest

from pwxc.diagnostics import Diagnostics
from pwxc.source import Source
from pwxc_targets.osmo.template.expand import Settings, expand
from pwxc_targets.osmo.template.packing import pack, unpack
from pwxc_targets.osmo.template.render import Answer, Question
from pwxc_targets.osmo.template.render import render as render_question


def render(text: str, values: dict[str, object]) -> Answer:
    return render_question(Question(text, values))


HEAD = "workflow:\n  name: "

COSTLY = [
    ("{{ 9**(9**9) }}", "{{ 9**(9**9) }}", "PWX2106"),
    ("{{ 'x' * 10**10 }}", "{{ 'x' * 10**10 }}", "PWX2106"),
    ("{{ 'x' | center(10**11) }}", "{{ 'x' | center(10**11) }}", "PWX2106"),
    ("{{ '%99999999999d' | format(1) }}", "{{ '%99999999999d' | format(1) }}", "PWX2106"),
    ("{% for i in range(10**9) %}{% endfor %}", "{% for i in range(10**9) %}", "PWX2106"),
    (
        "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
        "{% for j in range(99999) %}",
        "PWX2106",
    ),
    ("{% macro f(n) %}{{ f(n) }}{% endmacro %}{{ f(1) }}", "{{ f(n) }}", "PWX2106"),
    ("{% for i in range(1000) %}{{ 'y' * 100000 }}{% endfor %}", "{{ 'y' * 100000 }}", "PWX2106"),
    ("{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}", "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}", "PWX2106"),
    ("{{ " + "-" * 3000 + "1 }}", "{{ " + "-" * 3000 + "1 }}", "PWX2106"),
    ("{{ " + "9" * 5000 + " }}", "{{ " + "9" * 5000 + " }}", "PWX2105"),
]


@pytest.mark.parametrize(("text", "place", "code"), COSTLY, ids=[case[0][:30] for case in COSTLY])
def test_a_costly_template_is_stopped_and_shown(text: str, place: str, code: str) -> None:
    diagnostics = Diagnostics()
    start = time.monotonic()
    assert expand(Source("f", HEAD + text + "\n"), Settings(), diagnostics) is None
    assert time.monotonic() - start < 3
    (item,) = diagnostics.errors
    assert item.code.id == code
    assert item.span is not None
    assert item.span.resolve().text == place


@pytest.fixture
def other_thread() -> Iterator[None]:
    """A second thread, with which a fork is not safe."""
    end = threading.Event()
    thread = threading.Thread(target=end.wait)
    thread.start()
    yield
    end.set()
    thread.join()


def render_both(text: str, values: dict[str, object]) -> list[object]:
    answers: list[object] = [render(text, values)]
    end = threading.Event()
    thread = threading.Thread(target=end.wait)
    thread.start()
    try:
        answers.append(render(text, values))
    finally:
        end.set()
        thread.join()
    return answers


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("{{ a }} {{ b }} {{ c }} {{ d }}", {"a": 1, "b": None, "c": [1, {"k": dt.date(2024, 1, 2)}], "d": 1.5}),
        ("{{ a }} é {{ b + 1 }} {{ c }}", {"a": "\ud7ff\U0001f600"}),
        ("{% if %}", {}),
        ("{{ a.b }}", {"a": {}}),
        ("{{ 'x' * 10**10 }}", {}),
    ],
)
def test_a_fork_and_a_fresh_interpreter_answer_alike(text: str, values: dict[str, object]) -> None:
    fork, fresh = render_both(text, values)
    assert fork == fresh


def test_a_fresh_interpreter_is_stopped_too(other_thread: None) -> None:
    answer = render("{{ 9**(9**9) }}", {})
    assert answer.fault is not None
    assert answer.fault.kind == "Time"


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        1,
        1.5,
        "text",
        b"\x00\xff",
        [1, [2, "map"]],
        (1, 2),
        {1, 2},
        {1: "a", None: {"k": [dt.datetime(2024, 1, 2, 3, tzinfo=dt.UTC), dt.date(2024, 1, 2)]}},
    ],
)
def test_values_survive_packing(value: object) -> None:
    import json

    assert unpack(json.loads(json.dumps(pack(value)))) == value


def test_undefined_names_are_told_though_the_rest_runs_away() -> None:
    answer = render(
        "{{ a }}{{ 9**(9**b) }}{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}", {}
    )
    assert [missing.name for missing in answer.missing] == ["a", "b"]
    assert answer.text is None


def test_random_choices_are_the_same_each_time() -> None:
    first, second = (render("{{ range(1000000000000000000 // 10**13) | random }}", {}).text for _ in range(2))
    assert first is not None
    assert first == second
