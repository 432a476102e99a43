"""Places inside scalars of every style."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from yaml_trees import composed, scalars_of

from pwxc.diagnostics import Diagnostics
from pwxc.source import Source
from pwxc.yaml.nodes import Document, ScalarNode, compose
from pwxc.yaml.scalars import decode

BREAKS = "\r\n\x85\u2028\u2029"


def scalar(text: str, *path: str | int) -> tuple[Document, ScalarNode]:
    document = composed(text)
    node = document.find(document.root, *path)
    assert isinstance(node, ScalarNode)
    return document, node


def marked(text: str) -> tuple[str, int, int]:
    """Give the text without the marks « », and the places where they stood."""
    low = text.index("«")
    high = text.index("»") - 1
    return text.replace("«", "").replace("»", ""), low, high


# the value's text on the right must be found between the marks on the left
PLACES = [
    ("k: «ab» cd", "ab"),
    ("k: ab «cd»  # comment", "cd"),
    ("k: ab\n  cd\n\n   «ef» gh", "ef"),
    ("k: one\ttwo\r\n   \r\n  «three»", "three"),
    ("k: 'it''s «here»'", "here"),
    ("k: 'it«''»s'", "'"),
    ("k: 'a\n\n   b «c»'", "c"),
    ('k: "a«\\t»b"', "\t"),
    ('k: "a\\x41\\u00e9\\U0001f600«z»"', "z"),
    ('k: "a«\\U0001f600»z"', "\U0001f600"),
    ('k: "a \\\n     «b»"', "b"),
    ('k: "a\n\n\n  \\  «b»"', "b"),
    ('k: "«\\/»"', "/"),
    ("k: |\n  one\n  «two»\n", "two"),
    ("k: |\n  one\n   «two»\n", "two"),
    ("k: |2\n    one\n  «two»\n", "two"),
    ("k: |-2 # comment\n    one\n  «two»\n\n\n", "two"),
    ("k: |+\n\n\n  one\n\n  «two»\n\n", "two"),
    ("k: |\r\n  one\r\n  «two»\r\n", "two"),
    ("k: |\n  one«\n»  two\n", "\n"),
    ("k: |\n  one\n\n  t«wo\n  th»ree", "wo\nth"),
    ("k: >\n  one\n  «two»\n\n  three\n", "two"),
    ("k: >\n  one\n    more\n  «two»\n", "two"),
    ("k: >-\n  one\n  two\n  \tthree\n  «four»", "four"),
    ("k: >\n  one«\n»  xyz\n", " "),
    ("- - k: |\n      one\n      «two»\n    z: 1", "two"),
    ("k: &name !!str # comment\n  'x «y»'", "y"),
    ("k: !!str &name |\n  x «y»", "y"),
    ("k: !<tag:yaml.org,2002:str> «y» z", "y"),
    ("k: é\U0001f600 «y» z", "y"),
    ("{k: [a, 'b', «see» d]}", "see"),
    ("k: a\x85  «b»", "b"),
    ("k: |\n  a\u2028  «b»", "b"),
]


@pytest.mark.parametrize(("text", "part"), PLACES)
def test_a_part_of_a_value_is_found_where_it_stands(text: str, part: str) -> None:
    source, low, high = marked(text)
    document = composed(source)
    node = next(node for node in scalars_of(document) if part in node.value)
    at = node.value.index(part)
    span = document.inner(node, at, at + len(part))
    assert (span.start, span.end) == (low, high)
    assert document.inner(node, at, at + len(part)) == span


# an empty range at an index of the value is at ‸
POINTS = [
    ("k: ab‸c", 2),
    ("k: abc‸", 3),
    ("k: abc‸", 99),
    ("k: '‸'", 0),
    ("k: '''‸'", 1),
    ('k: "‸"', 0),
    ("k:‸", 0),
    ("k: |\n  one\n  ‸two\n", 4),
    ("k: |\n  one\n‸", 4),
    ("k: |-\n  one‸\n\n", 3),
    ("k: |-‸ # comment\n\n\n", 0),
    ("k: &a‸\nz: 1", 0),
]


@pytest.mark.parametrize(("text", "index"), POINTS)
def test_an_empty_range_is_an_empty_span(text: str, index: int) -> None:
    at = text.index("‸")
    document, node = scalar(text.replace("‸", ""), "k")
    span = document.inner(node, index, index)
    assert (span.start, span.end) == (at, at)


def offsets(document: Document, node: ScalarNode) -> list[int] | None:
    """Give where each character of a value begins, and last where the value ends; None if that is not known."""
    found = decode(document.source.text, node)
    return None if found is None else [found.place(at, at)[0] for at in range(found.length + 1)]


@pytest.mark.parametrize("sign", '0abtnvfre "/\\N_LP\t')
def test_every_short_escape_is_known(sign: str) -> None:
    document, node = scalar(f'k: "a\\{sign}b"', "k")
    assert offsets(document, node) == [4, 5, 7, 8]


def test_a_value_that_is_not_the_tokens_is_placed_as_a_whole() -> None:
    document, node = scalar("k: abc\n", "k")
    node.value = "abcd"
    assert offsets(document, node) is None
    assert document.inner(node, 1, 2).text == "abc"


def test_an_alias_is_placed_at_its_anchor() -> None:
    document = composed("a: &x some text\nb: *x\n")
    node = document.find(document.root, "b")
    assert isinstance(node, ScalarNode)
    assert document.inner(node, 5, 9).text == "text"
    assert document.inner(node, 5, 9).start == 11


def test_a_long_block_is_decoded_in_linear_time() -> None:
    def seconds(lines: int) -> float:
        document, node = scalar("k: |\n" + "  echo 'a line of a script'\n\n" * lines, "k")
        started = time.perf_counter()
        found = offsets(document, node)
        assert found is not None
        assert found[-1] == len(document.source.text) - 1
        return time.perf_counter() - started

    seconds(100)
    assert seconds(10_000) < 1.0


# --- generated scalars: each strategy makes the token's text; `contexts` puts it into a document

WORDS = st.sampled_from(
    [
        "a",
        "bc",
        "x:y",
        "a#b",
        "it's",
        'q"q',
        "é",
        "\U0001f600",
        "-f",
        "--x=1",
        "$(id)",
        "\\n",
        "a,b",
        "[0]",
        "{x}",
        "%",
        "&&",
        "*",
    ]
)
END_OF_LINE = st.sampled_from(["\n", "\r\n", "\r"])
BLANKS = st.text(" \t", max_size=3)
FOLDS = st.builds(
    lambda before, ends, indent: before + "".join(end + " " * width for end, width in ends) + " " * 8 + indent,
    BLANKS,
    st.lists(st.tuples(END_OF_LINE, st.integers(0, 4)), min_size=1, max_size=4),
    BLANKS,
)
GAPS = st.one_of(st.sampled_from([" ", "  ", "\t", " \t "]), FOLDS)


@st.composite
def plains(draw: st.DrawFn) -> str:
    text = draw(st.sampled_from(["a", "Bc", "é", "-f", "/bin", "$x", "12", "(x"]))
    for gap, word in draw(st.lists(st.tuples(GAPS, WORDS.filter(lambda word: word not in "{}[]")), max_size=8)):
        text += gap + word
    return text


PRINTABLE = st.characters(
    exclude_categories=["Cs", "Cc"], exclude_characters="'\"\\\u2028\u2029\ufeff\ufffe\uffff", max_codepoint=0x1F6FF
)
LITERALS = st.text(st.one_of(PRINTABLE, st.sampled_from(" \t#:-")), max_size=6)


@st.composite
def singles(draw: st.DrawFn) -> str:
    pieces = draw(st.lists(st.one_of(LITERALS, st.sampled_from(["''", '"', "\\"]), FOLDS), max_size=10))
    return "'" + "".join(pieces) + "'"


ESCAPES = st.one_of(
    st.sampled_from(["\\" + sign for sign in '0abtnvfre "/\\N_LP\t']),
    st.integers(0, 0xFF).map(lambda code: f"\\x{code:02x}"),
    st.integers(0, 0xD7FF).map(lambda code: f"\\u{code:04X}"),
    st.integers(0xE000, 0x10FFFF).map(lambda code: f"\\U{code:08x}"),
)


@st.composite
def doubles(draw: st.DrawFn) -> str:
    hidden = st.builds(lambda fold: "\\" + fold.lstrip(" \t"), FOLDS)
    pieces = draw(st.lists(st.one_of(LITERALS, ESCAPES, FOLDS, hidden, st.just("'")), max_size=12))
    return '"' + "".join(pieces) + '"'


@st.composite
def blocks(draw: st.DrawFn) -> str:
    """Make a block for a parent whose lines begin in column 2: the text is indented by `2 + indicator`."""
    chomp = draw(st.sampled_from(["", "-", "+"]))
    width = draw(st.integers(1, 9))
    explicit = draw(st.booleans())
    end = draw(END_OF_LINE)
    line = st.one_of(st.just(""), st.text(st.one_of(PRINTABLE, st.sampled_from("'\"\\#:- \t")), max_size=8))
    lines = draw(st.lists(line, max_size=8))
    inked = next((line for line in lines if line), "")
    if not explicit and inked[:1] in (" ", "\t"):
        lines.insert(0, "ink")
    indicator = str(width) if explicit else ""
    header = draw(st.sampled_from("|>")) + (chomp + indicator if draw(st.booleans()) else indicator + chomp)
    text = header + draw(st.sampled_from(["", " ", "\t", " # a comment: |", "   #"])) + end
    for line in lines:
        text += (" " * (2 + width) + line if line else " " * draw(st.integers(0, 2 + width))) + end
    return text


PROPERTIES = st.sampled_from(
    ["", "&name ", "!!str ", "!local ", "&n !!str ", "!!str  &n # comment\n     ", "!<x:y>\n   "]
)


def check_places(text: str, style: str) -> None:
    document, node = scalar(text, "outer", "key")
    assert (node.style or "") == style
    places = offsets(document, node)
    assert places is not None
    assert len(places) == len(node.value) + 1
    assert sorted(set(places)) == places
    for index, character in enumerate(node.value):
        at = places[index]
        span = document.inner(node, index, index + 1)
        assert span.start == at < span.end <= node.end_mark.index
        same = text[at] == character
        folded = character in " \n" and text[at] in BREAKS
        escaped = style == '"' and text[at] == "\\"
        assert same or folded or escaped
        assert (span.end - at == 1) or escaped or folded or span.text == "''"
    tail = document.find(document.root, "z")
    assert isinstance(tail, ScalarNode)
    assert tail.value == "end"


@given(st.data(), PROPERTIES)
@settings(max_examples=300, deadline=None)
def test_generated_flow_scalars_never_fall_back(data: st.DataObject, properties: str) -> None:
    style = data.draw(st.sampled_from(["", "'", '"']))
    token = data.draw({"": plains(), "'": singles(), '"': doubles()}[style])
    check_places(f"outer:\n  first: 1\n  key: {properties}{token}\nz: end\n", style)


@given(blocks(), PROPERTIES)
@settings(max_examples=400, deadline=None)
def test_generated_blocks_never_fall_back(token: str, properties: str) -> None:
    check_places(f"outer:\n  first: 1\n  key: {properties}{token}z: end\n", token[0])


@given(blocks())
@settings(max_examples=100, deadline=None)
def test_a_block_may_end_with_the_text(token: str) -> None:
    text = f"outer:\n  key: {token}".rstrip("\r\n")
    document, node = scalar(text, "outer", "key")
    assert offsets(document, node) is not None


@pytest.mark.corpus
def test_no_scalar_of_real_files_falls_back() -> None:
    corpus = Path(os.environ.get("PWXC_CORPUS", Path(__file__).parents[2].parent / "shared" / "corpus"))
    files = sorted(corpus.rglob("*.yaml"))[::4]
    if not files:
        pytest.skip(f"no corpus at {corpus}")
    seen = 0
    for path in files:
        document = compose(Source(path.name, path.read_text(encoding="utf-8")), Diagnostics())
        for node in scalars_of(document) if document is not None else ():
            assert offsets(document, node) is not None, (path.name, node.start_mark.line + 1)
            seen += 1
    assert seen > 1000
