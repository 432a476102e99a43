"""`write_yaml`: what is written reads back, under YAML 1.1 and 1.2, and looks as it should."""

from __future__ import annotations

import math
import re
from enum import StrEnum

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from yaml_trees import composed, tree_of

from pwxc.yaml.schema import core, yaml11
from pwxc.yaml.writer import Commented, Flow, Quoted, write_yaml

WORDS = r"""
    on On ON off yes Yes no y Y n true True false null Null NULL ~ = << - ? :
    0 00 0123 0o17 0x1F 0b11 1e3 1E3 1e+3 1.0e+3 .5 5. 1. +1 -1 +.5 1_000 1_0.5 0_ 0x_ 0b_ 0x 0x1G 1e 1e+
    . .. ... --- -- -. .inf -.Inf +.INF .nan .NaN inf NaN 1,000 1.2.3 10.0.0.1 e3 .e3 ._1 +e 0o8 09 08.5
    12:00:00 12:30 1:1 190:20:30.15 2024-01-02 2024-1-2 2024-01-02T03:04:05Z 2024-13-45
    #a a#b &a *a !a !!str |a >a 'a "a %a @a `a {a} [a] {{x}} ${{x}} ,a a,b a, a:b a: :a ?a -a a? } ]
"""
HOSTILE = [
    *WORDS.split(),
    *["'", '"', "''", '""', "it's", "\\", "\\n", "a\\", "'a'", '"a"', "a'", 'a"', "a: b", "a :b", "a #b", "a# b"],
    *["", " ", "  ", "a ", " a", "\t", "a\t", "\ta", "a\tb", "a:\tb", "a\t#b", "- a", "-\ta", "? a", ": a", "--- a"],
    *["... a", "---\ta", "a, b", "[a, b]", "{a: b}", "a - b", "key: value", "2024-01-02 03:04:05", "2024-01-02 x"],
    *["\n", "\n\n", "a\n", "a\nb", "a\nb\n", "a\nb\n\n", "a\n\n\n", "\na", "\n\na\n", " a\nb", "\n a\nb\n", "\ta\nb"],
    *[
        "a\n b\n",
        "a\n\tb",
        "a\n ",
        "a\n  \n",
        " \n",
        " \na",
        "a \nb ",
        "\n \n",
        "\n\t\n",
        "#a\nb",
        "- a\n- b",
        "--- \na",
    ],
    *["...\nb", "a\r\nb", "a\rb", "\r", "a\x85b", "a\u2028b", "a\u2029\nb", "\ufeff", "\ufeffa", "a\ufeff\nb", "\x00"],
    *["a\x00\nb", "\x07\x1b\x7f", "\x80\x9f", "\xa0", "\xa0a\xa0", "\ufffe\uffff", "\ud7ff\ue000\ufffd", "\U0010ffff"],
    *["é", "日本", "\U0001f600", "é: ü", "x" * 119, "x" * 121, "x " * 700, "'" * 600, "\x01" * 400, "a\n" * 200],
    *["| a", "|\n a", "a: |\n  b\n", "null\n", "true\nfalse", "%YAML 1.2", "%YAML 1.2\n---\n", "!!python/object:x"],
]
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]))
NUMBERLIKE = st.text("0123456789+-._:eExXobBTZtinfa ", max_size=12)
LINES = st.lists(st.text(" \t#:-'\"ab", max_size=5), max_size=6).map("\n".join)
TEXTS = st.one_of(st.sampled_from(HOSTILE), ANY_TEXT, NUMBERLIKE, LINES, st.text("-?:,[]{}#&*!|>'\"%@` a\n\t"))
NUMBERS = st.one_of(st.integers(), st.floats(allow_nan=False))
SCALARS = st.one_of(TEXTS, TEXTS, NUMBERS, st.booleans(), st.none())
TREES = st.recursive(
    SCALARS,
    lambda below: st.one_of(st.lists(below, max_size=5), st.dictionaries(TEXTS, below, max_size=5)),
    max_leaves=25,
)


def same(left: object, right: object) -> bool:
    """Compare, with types: 1 is not 1.0 is not true."""
    if isinstance(left, dict) and isinstance(right, dict):
        # the order of the keys counts
        return list(left) == list(right) and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return type(left) is type(right) and left == right


def check(tree: object, text: str) -> None:
    assert same(yaml.safe_load(text), tree), text
    document = composed(text)
    assert same(tree_of(document.root, core), tree), text
    assert same(tree_of(document.root, yaml11), tree), text


@given(TREES)
@settings(max_examples=400, deadline=None)
def test_a_tree_reads_back(tree: object) -> None:
    check(tree, write_yaml(tree))


@given(TREES)
@settings(max_examples=200, deadline=None)
def test_a_tree_in_flow_style_reads_back_and_is_one_line(tree: object) -> None:
    if isinstance(tree, (list, dict)):
        text = write_yaml([Flow(tree), {"k": Flow(tree)}])
        check([tree, {"k": tree}], text)
        assert text.count("\n") == 2


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_reads_back_anywhere(text: str) -> None:
    nested = {text: text, "k": [text, [text], {text: [text]}], "z": {"a": {text: {"b": text}}}}
    for tree in (text, nested, [[text, text], {"a": text, "b": 1}]):
        check(tree, write_yaml(tree))
    check([[text], {text: text}], write_yaml([Flow([text]), Flow({text: text})]))


# what the specification's core schema (YAML 1.2.2, 10.3.2) takes for something else than a text
CORE = re.compile(
    r"|null|Null|NULL|~|true|True|TRUE|false|False|FALSE|[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+"
    r"|[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?(\.inf|\.Inf|\.INF)|\.nan|\.NaN|\.NAN"
)


@given(st.one_of(NUMBERLIKE, st.sampled_from(HOSTILE)))
@settings(max_examples=500, deadline=None)
def test_no_plain_text_is_a_number_or_word_of_yaml_1_2(text: str) -> None:
    assert CORE.fullmatch(write_yaml([text])[2:-1]) is None


LAYOUT = [
    ({}, "{}\n"),
    ([], "[]\n"),
    ("a", "a\n"),
    (None, "null\n"),
    ({"a": {}, "b": [], "c": ()}, "a: {}\nb: []\nc: []\n"),
    ({"a": [1, "b"]}, "a:\n  - 1\n  - b\n"),
    ({"a": {"b": {"c": True}}}, "a:\n  b:\n    c: true\n"),
    ([{"a": 1, "b": {"c": 2}}, {"d": [3]}], "- a: 1\n  b:\n    c: 2\n- d:\n    - 3\n"),
    ([[1, [2]], [{"a": 3}]], "- - 1\n  - - 2\n- - a: 3\n"),
    ([[], {}, None], "- []\n- {}\n- null\n"),
    ({"on": "on", "y": "no"}, "'on': 'on'\n'y': 'no'\n"),
    ({"run": "a\nb\n"}, "run: |\n  a\n  b\n"),
    ({"run": "a\n\n b"}, "run: |-\n  a\n\n   b\n"),
    ({"run": "a\nb\n\n"}, "run: |+\n  a\n  b\n\n"),
    ({"run": " a\nb\n"}, "run: |2\n   a\n  b\n"),
    ({"run": "\n\n a\nb"}, "run: |2-\n\n\n   a\n  b\n"),
    ([{"run": "a\nb\n"}, "a\nb"], "- run: |\n    a\n    b\n- |-\n  a\n  b\n"),
    ("a\nb\n", "|\n  a\n  b\n"),
    ({"run": "\n\n"}, 'run: "\\n\\n"\n'),
    ({"run": "a\r\nb\x00"}, 'run: "a\\r\\nb\\0"\n'),
    ({"a": "it's: \\ so"}, "a: 'it''s: \\ so'\n"),
    ({"a": "x\ty\u2028\U0010ffff\ufeff"}, 'a: "x\\ty\\u2028\U0010ffff\\ufeff"\n'),
    ({"a": "${{ inputs.x }}", "b": "{{x}}", "c": "x, y {{z}}"}, "a: ${{ inputs.x }}\nb: '{{x}}'\nc: x, y {{z}}\n"),
    ({"a": "x" * 500 + " y"}, "a: " + "x" * 500 + " y\n"),
    ({"k" * 121: 1}, "? " + "k" * 121 + "\n: 1\n"),
    ([{"k" * 121: {"a": [1]}}], "- ? " + "k" * 121 + "\n  :\n    a:\n      - 1\n"),
    ({"a\nb": 1}, '"a\\nb": 1\n'),
    ([1e-05, 1e16, 1.5e300, -0.0, 2.0], "- 1.0e-05\n- 1.0e+16\n- 1.5e+300\n- -0.0\n- 2.0\n"),
    ([math.inf, -math.inf], "- .inf\n- -.inf\n"),
    ([True, False, 0, -7, 10**30], f"- true\n- false\n- 0\n- -7\n- {10**30}\n"),
    (["--export=NONE", "./a.sh", "-x", "none"], "- --export=NONE\n- ./a.sh\n- -x\n- none\n"),
    (["1.2.3", "10Gi", "/x:/y", "8080:80"], "- 1.2.3\n- 10Gi\n- /x:/y\n- '8080:80'\n"),
    ([Quoted("a"), Quoted("a\nb"), "a"], "- 'a'\n- \"a\\nb\"\n- a\n"),
    ({Quoted("a"): 1, "b": {"a": 2}}, "'a': 1\nb:\n  a: 2\n"),
    ({"needs": Flow(["a", "b c", "d, e", "1", 1])}, "needs: [a, b c, 'd, e', '1', 1]\n"),
    ([Flow({"a": [], "b": {"c": "x:y"}}), Flow([])], "- {a: [], b: {c: 'x:y'}}\n- []\n"),
    ({"a": 1, "b": Commented(2, "why"), "c": Commented({"d": 3}, "two\nlines")},
     "a: 1\n# why\nb: 2\n# two\n# lines\nc:\n  d: 3\n"),
    ([Commented(1, "first"), {"a": Commented([Commented("b", "in")], "key")}],
     "# first\n- 1\n- # key\n  a:\n    # in\n    - b\n"),
]  # fmt: skip


@pytest.mark.parametrize(("tree", "text"), LAYOUT)
def test_layout(tree: object, text: str) -> None:
    assert write_yaml(tree) == text


def bare(tree: object) -> object:
    match tree:
        case Flow(value=value) | Commented(value=value):
            return bare(value)
        case dict():
            return {str(key): bare(value) for key, value in tree.items()}
        case list() | tuple():
            return [bare(value) for value in tree]
        case str():
            return str(tree)
    return tree


@pytest.mark.parametrize("tree", [tree for tree, _ in LAYOUT])
def test_what_the_layout_table_shows_reads_back(tree: object) -> None:
    check(bare(tree), write_yaml(tree))


def test_quotes_that_were_asked_for_do_not_stick_to_the_text() -> None:
    assert write_yaml([Quoted("sticky"), "sticky", Quoted("sticky")]) == "- 'sticky'\n- sticky\n- 'sticky'\n"


def test_comments_stand_at_the_top_and_cannot_break_out() -> None:
    text = write_yaml({"a": 1}, comments=["made by pwxc", "", "two\nlines\x00 \x85b: 2"])
    assert text == "# made by pwxc\n#\n# two\n# lines\\0\n# b: 2\na: 1\n"
    assert yaml.safe_load(text) == {"a": 1}


def test_an_enumeration_is_its_text() -> None:
    class Color(StrEnum):
        RED = "on"

    assert write_yaml({Color.RED: [Color.RED, Flow([Color.RED])]}) == "'on':\n  - 'on'\n  - ['on']\n"


@pytest.mark.parametrize("text", ["2024-01-02", "2024-01-02T03:04:05+01:00", "!!binary 'AP8='"])
def test_values_of_yaml_1_1_read_back(text: str) -> None:
    value = yaml.safe_load(text)
    assert yaml.safe_load(write_yaml({"a": value})) == {"a": value}


def test_not_a_number_and_huge_numbers_read_back() -> None:
    assert math.isnan(yaml.safe_load(write_yaml(math.nan)))
    huge = int("f" * 6000, 16)
    assert yaml.safe_load(write_yaml(huge)) == huge


def test_a_value_of_another_type_is_refused() -> None:
    with pytest.raises(TypeError, match="set"):
        write_yaml({"a": {1}})
