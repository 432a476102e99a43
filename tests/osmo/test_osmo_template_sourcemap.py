"""Every character of a rendered text leads back to where it came from."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jinja2 import StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

from pwxc.diagnostics import Diagnostics
from pwxc.source import Source
from pwxc_targets.osmo.template.onepass import Turn, render_part
from pwxc_targets.osmo.template.text import Lines

VALUES: Mapping[str, object] = {"x": "value", "n": 3, "yes": True, "no": False, "items": ["p", "q"]}

# literal text is lower case and blanks, values never are letters of it: upper case below
SHOUTED: Mapping[str, object] = {**VALUES, "x": "VALUE", "items": ["P", "QQ"]}

literals = st.text("abc \n-:", min_size=1, max_size=8)
open_signs = st.sampled_from(["", "-", "+"])
close_signs = st.sampled_from(["", "-"])


@st.composite
def tag(draw: st.DrawFn, body: str) -> str:
    return "{%" + draw(open_signs) + " " + body + " " + draw(close_signs) + "%}"


@st.composite
def variable(draw: st.DrawFn) -> str:
    body = draw(st.sampled_from(["x", "n", "x ~ n", "x | lower | upper", "[n, 'B'][1]", "{'k': n}['k']", "-n"]))
    return "{{" + draw(close_signs) + " " + body + " " + draw(close_signs) + "}}"


@st.composite
def raw(draw: st.DrawFn) -> str:
    return "{% raw " + draw(close_signs) + "%}" + draw(literals) + "{%" + draw(close_signs) + " endraw %}"


comments = st.sampled_from(["{# note #}", "{#- note -#}", "{{output}}", "{{input:0}}", "{% set k = 1 -%}"])


def blocks(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    heads = {
        "if yes": ("endif",),
        "if no": ("else", "endif"),
        "for i in items": ("endfor",),
        "for i in range(n)": ("endfor",),
        "filter upper": ("endfilter",),
        "set kept": ("endset",),
    }

    @st.composite
    def block(draw: st.DrawFn) -> str:
        head = draw(st.sampled_from(sorted(heads)))
        parts = [draw(tag(head)), draw(inner)]
        for word in heads[head]:
            parts += [draw(tag(word)), draw(inner) if word == "else" else ""]
        return "".join(parts) + ("{{ kept }}" if head == "set kept" else "")

    return block()


templates = st.recursive(
    st.one_of(literals, variable(), raw(), comments),
    lambda inner: st.one_of(st.lists(inner, min_size=1, max_size=4).map("".join), blocks(inner)),
    max_leaves=10,
)


def rendered(text: str, values: Mapping[str, object] = SHOUTED) -> Source:
    diagnostics = Diagnostics()
    result = render_part(Lines.of(Source("t", text)), Turn(values), diagnostics)
    assert result is not None, [item.message for item in diagnostics]
    return result.source


def reference(text: str) -> str:
    """What Jinja itself gives; tokens are put back by hand."""
    env = SandboxedEnvironment(undefined=StrictUndefined)
    masked = text.replace("{{output}}", "{{ '{' }}{output}}").replace("{{input:0}}", "{{ '{' }}{input:0}}")
    return env.from_string(masked).render(SHOUTED)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(templates, st.booleans())
def test_text_is_that_of_jinja_and_every_literal_character_leads_to_its_like(text: str, windows: bool) -> None:
    if windows:
        text = text.replace("\n", "\r\n")
    source = rendered(text)
    assert source.text == reference(text)
    for at, character in enumerate(source.text):
        span = source.span(at, at + 1).resolve()
        assert 0 <= span.start < span.end <= len(text)
        if span.end - span.start == 1:
            assert span.text == character or (span.text == character.lower() and "filter" in text)
        # text that a filter or a variable took up may be coarse; all other literal text is exact
        assert span.end - span.start == 1 or character not in "abc" or "filter" in text or "kept" in text


@settings(max_examples=80, deadline=None)
@given(st.lists(st.one_of(literals, variable(), raw(), comments), min_size=1, max_size=6).map("".join))
def test_without_blocks_only_values_are_coarse(text: str) -> None:
    source = rendered(text)
    for at, character in enumerate(source.text):
        span = source.span(at, at + 1).resolve()
        if character in "abc :" and "{{" not in span.text:
            assert span.text == character
        elif character in "VALUE3":
            assert span.text.startswith("{{")


TEXT = """workflow:
  name: {{ x }}-run
  tasks:
  {%- for i in items %}
  - name: t{{ i }}
    args: [{{ x }}]
  {%- endfor %}
"""


@pytest.mark.parametrize(
    ("made", "place"),
    [
        ("VALUE-run", "{{ x }}-run"),
        ("-run", "-run"),
        ("tP", "t{{ i }}"),
        ("tQQ", "t{{ i }}"),
        ("QQ", "{{ i }}"),
        ("args: [", "args: ["),
    ],
)
def test_place_of_a_phrase(made: str, place: str) -> None:
    source = rendered(TEXT)
    at = source.text.index(made)
    assert source.span(at, at + len(made)).resolve().text == place


def test_both_iterations_lead_to_one_place() -> None:
    source = rendered(TEXT)
    first, second = source.text.index("args"), source.text.rindex("args")
    assert first != second
    assert source.span(first, first + 4).resolve() == source.span(second, second + 4).resolve()


def test_text_of_a_macro_leads_into_the_macro() -> None:
    source = rendered("{% macro m(a) %}lit {{ a }}{% endmacro %}{{ m(x) }}!")
    assert source.text == "lit VALUE!"
    assert source.span(0, 3).resolve().start == len("{% macro m(a) %}")
    assert source.span(4, 9).resolve().text == "{{ a }}"
    assert source.span(9, 10).resolve().text == "!"


def test_a_block_that_is_measured_is_coarse_but_right() -> None:
    text = "{% set kept %}abc{% endset %}{{ kept | length }} {{ kept }} end"
    source = rendered(text)
    assert source.text == "3 abc end"
    assert source.span(0, 1).resolve().text == "{{ kept | length }}"
    assert source.span(2, 5).resolve().text == "{{ kept }}"
    assert source.span(6, 9).resolve().text == "end"


def test_a_filtered_block_is_one_place() -> None:
    text = "a {% filter replace('b', 'c') %}bbb{% endfilter %} d"
    source = rendered(text)
    assert source.text == "a ccc d"
    assert source.span(3, 4).resolve().text in ("bbb", "{% filter replace('b', 'c') %}bbb{% endfilter %}")
    assert source.span(6, 7).resolve().text == "d"


def test_a_value_with_private_characters_gives_up_fine_places() -> None:
    source = rendered("a {{ x }} b", {"x": "\U000f0001"})
    assert source.span(0, 1).resolve().text == "a {{ x }} b"
