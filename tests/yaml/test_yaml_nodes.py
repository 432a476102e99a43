"""`compose`: every fault of a text is a diagnostic at its place, within bounds of time and depth."""

from __future__ import annotations

import time

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from yaml_trees import composed, tree_of

from pwxc.diagnostics import Diagnostic, Diagnostics
from pwxc.diagnostics import codes as C  # noqa: N812
from pwxc.source import Source
from pwxc.yaml.nodes import Limits, ScalarNode, compose
from pwxc.yaml.schema import yaml11


def fault(text: str, limits: Limits | None = None) -> Diagnostic:
    found = Diagnostics()
    assert compose(Source("test.yaml", text), found, limits) is None
    (one,) = found
    return one


# the text, the diagnostic's code, the part of the text at which it points
FAULTS = [
    ("", C.EMPTY_DOCUMENT, 0, ""),
    ("# only a comment\n", C.EMPTY_DOCUMENT, 0, ""),
    ("a: 1\n---\nb: 2\n", C.SEVERAL_DOCUMENTS, 5, "---"),
    ("a: 1\n---", C.SEVERAL_DOCUMENTS, 5, "---"),
    ("a: b: c\n", C.YAML_SYNTAX, 4, ":"),
    ("a: [1, 2\n", C.YAML_SYNTAX, 9, ""),
    ("a:\n\tb: 1\n", C.YAML_SYNTAX, 3, "\t"),
    ('a: "\\q"\n', C.YAML_SYNTAX, 4, "\\"),
    ("a: *nobody\n", C.YAML_SYNTAX, 3, "*"),
    ("a: &x 1\nb: &x 2\n", C.YAML_SYNTAX, 11, "&"),
    ("é: 1\nb: \x00\n", C.NOT_TEXT, 8, "\x00"),
    ("a: \x1b[1m\n", C.NOT_TEXT, 3, "\x1b"),
    ("a: \x7f\n", C.NOT_TEXT, 3, "\x7f"),
    ("é: \x80\n", C.NOT_TEXT, 3, "\x80"),
    ("é: \ud800\n", C.NOT_TEXT, 3, "\ud800"),
    ("é: \ufffe\n", C.NOT_TEXT, 3, "\ufffe"),
    ("a: &x [*x]\n", C.ALIAS_BOMB, 3, "&"),
    ("a: &x {b: [1, {c: *x}]}\n", C.ALIAS_BOMB, 3, "&"),
]


@pytest.mark.parametrize(("text", "code", "at", "part"), FAULTS)
def test_a_fault_is_a_diagnostic_at_its_place(text: str, code: object, at: int, part: str) -> None:
    found = fault(text)
    assert found.code is code
    assert found.span is not None
    assert (found.span.start, found.span.text) == (at, part)
    assert found.message[:1].islower()
    assert not found.message.endswith(".")


def test_a_tab_is_explained() -> None:
    assert "tab" in fault("a:\n\tb: 1\n").help
    assert fault("a: b: c\n").help == ""


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ("{a: ", "}"), ("- ", "")])
def test_depth_is_limited(opening: str, closing: str) -> None:
    limits = Limits(depth=20)
    deepest = opening * 19 + "x" + closing * 19
    assert compose(Source("test.yaml", deepest), Diagnostics(), limits) is not None
    found = fault(opening + deepest + closing, limits)
    assert found.code is C.TOO_DEEP
    assert "20" in found.message


def test_a_depth_that_would_end_the_stack_is_a_diagnostic() -> None:
    assert fault("[" * 200_000).code in (C.TOO_DEEP, C.YAML_SYNTAX)
    assert fault("- " * 5_000 + "x").code is C.TOO_DEEP


def test_the_number_of_nodes_is_limited() -> None:
    limits = Limits(nodes=100)
    assert compose(Source("test.yaml", "- x\n" * 99), Diagnostics(), limits) is not None
    assert fault("- x\n" * 100, limits).code is C.TOO_MANY_NODES


def test_the_size_of_the_text_is_limited() -> None:
    assert fault("abcdef", Limits(characters=5)).code is C.TOO_LARGE
    assert compose(Source("test.yaml", "abcde"), Diagnostics(), Limits(characters=5)) is not None


def bomb(levels: int) -> str:
    first = "a0: &a0 [" + ", ".join("x" * 10) + "]\n"
    return first + "".join(f"a{n}: &a{n} [" + ", ".join([f"*a{n - 1}"] * 10) + "]\n" for n in range(1, levels))


def test_an_alias_bomb_is_refused_fast() -> None:
    started = time.perf_counter()
    found = fault(bomb(60))
    assert found.code is C.ALIAS_BOMB
    assert time.perf_counter() - started < 1
    assert fault(bomb(9)).code is C.ALIAS_BOMB


def test_a_bomb_is_seen_wherever_its_anchors_stand() -> None:
    inner = "{'a':&a [" + "x, " * 200 + "], 'b':&b [" + "*a, " * 200 + "]}"
    assert fault(inner).code is C.ALIAS_BOMB


def test_a_chain_of_aliases_counts_as_depth() -> None:
    chain = "".join(f"a{n}: &a{n} [*a{n - 1}]\n" if n else "a0: &a0 [x]\n" for n in range(3_000))
    assert fault(chain).code is C.TOO_DEEP


def test_ordinary_aliases_are_kept() -> None:
    document = composed("a: &x [1, 2]\nb: *x\nc: [*x, *x]\nd: 'a & b *'\n")
    assert tree_of(document.root) == {"a": [1, 2], "b": [1, 2], "c": [[1, 2], [1, 2]], "d": "a & b *"}
    many = "base: &x {k: v}\nall:\n" + "  - *x\n" * 5_000
    assert composed(many).root is not None


MERGES = [
    "a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  y: 3\n",
    "a: &a {x: 1, y: 2}\nb:\n  y: 3\n  <<: *a\n",
    "a: &a {x: 1}\nb: &b {x: 2, z: 2}\nc: {<<: [*a, *b], q: 0}\n",
    "a: &a {x: 1}\nb: &b {<<: *a, y: 2}\nc:\n  <<: *b\n",
    "a: &a {x: 1}\nb: &b {x: 2}\nc:\n  <<: *a\n  <<: *b\n",
    "a: {<<: {x: 1}, x: 2}\n",
    "a: {<<: []}\n",
    "a: &a {x: 1}\nb: {k: 1,<<: *a}\n",
    "a: {'<<': 1}\n",
    "- &a {x: {<<: {q: 1}}}\n- {<<: *a}\n",
]


@pytest.mark.parametrize("text", MERGES)
def test_merges_are_what_pyyaml_makes_of_them(text: str) -> None:
    assert tree_of(composed(text).root, yaml11) == yaml.safe_load(text)


@pytest.mark.parametrize("text", ["a: {<<: 5}\n", "a:\n  <<: [1]\n"])
def test_a_merge_of_no_map_is_left_for_the_reader(text: str) -> None:
    document = composed(text)
    assert document.find(document.root, "a", "<<") is not None


def test_a_merge_of_maps_with_keys_that_are_no_texts() -> None:
    document = composed("a: &a {[1]: 2, x: 1}\nb: {<<: *a, [1]: 3}\n")
    assert len(document.find(document.root, "b").value) == 3  # type: ignore[union-attr]


def test_line_ends_do_not_matter() -> None:
    text = "a: 1\nb:\n  - x y\n    z\n  - |\n    one\n    two\nc: 'd\n\n  e'\n"
    for end in ("\r\n", "\r"):
        assert tree_of(composed(text.replace("\n", end)).root) == tree_of(composed(text).root)


def test_a_byte_order_mark_is_skipped_and_places_stay_right() -> None:
    source = Source("test.yaml", "\ufeffa: é\nbc: word\n")
    document = compose(source, Diagnostics())
    assert document is not None
    node = document.find(document.root, "bc")
    assert isinstance(node, ScalarNode)
    span = document.inner(node, 1, 3)
    assert span.text == "or"
    assert span.resolve().source is source
    assert span.resolve().text == "or"
    found = Diagnostics()
    assert compose(Source("test.yaml", "\ufeffa: [\x00"), found) is None
    (one,) = found
    assert one.span is not None
    assert one.span.resolve().text == "\x00"


# the span of the value of `k` is what stands between the marks
SPANS = [
    "k: «a b»  # comment\nz: 1\n",
    "k: «&n !!str 'a'» # comment\n",
    "k: «|\n  a\n  # no comment»\n\n# comment\nz: 1\n",
    "k: «[a, b]» # comment\n",
    "k:\n  «x: 1\n  y: [2]»  # comment\n\n# comment\nz: 1\n",
    "k:\n  «- 1\n  - x: |\n      # no comment»\n\n# comment\nz: 1\n",
    "k:\n  «x: 1\n  y:» # comment\n\nz: 1\n",
    "z: &z [1, 2]\nk:\n  «- *z\n  - *z» # comment\n# comment\n",
    "k:\n  «- &a 1\n  - 2 # inner\n  - *a» # comment\n# comment\n",
    "k:\n«- a\n- b#c»\n#d\nz: 1\n",
    "k:«»\nz: 1\n",
]


@pytest.mark.parametrize("text", SPANS)
def test_the_span_of_a_node(text: str) -> None:
    low, high = text.index("«"), text.index("»") - 1
    document = composed(text.replace("«", "").replace("»", ""))
    node = document.find(document.root, "k")
    assert node is not None
    span = document.span(node)
    assert (span.start, span.end) == (low, high)


def test_find_follows_keys_and_indexes() -> None:
    document = composed("a:\n  - x: 1\n  - x: 2\nb: 3\n")
    node = document.find(document.root, "a", 1, "x")
    assert isinstance(node, ScalarNode)
    assert node.value == "2"
    for path in (("c",), ("a", 2), ("a", "x"), ("b", 0), ("b", "c")):
        assert document.find(document.root, *path) is None


@given(st.text(st.sampled_from("ab:-[]{},&*!|>'\"%#?<\\ \t\r\n\x00\x85\u2028\ufeffé0123456789~"), max_size=40))
@settings(max_examples=600, deadline=None)
def test_any_text_is_a_document_or_one_diagnostic_inside_the_text(text: str) -> None:
    found = Diagnostics()
    document = compose(Source("test.yaml", text), found)
    assert len(found) == (document is None)
    for item in found:
        span = item.span.resolve() if item.span is not None else None
        assert span is None or 0 <= span.start <= span.end <= len(text)
    if document is not None:
        span = document.span(document.root)
        assert 0 <= span.start <= span.end <= len(document.source.text)
