"""Diagnostics as text: the source line, the carets under the right cells, nothing that harms a terminal."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pwxc.diagnostics import Diagnostic, Related, error, warning
from pwxc.diagnostics.render import LONGEST_LINE, render_text, summarise
from pwxc.diagnostics.visible import width
from pwxc.source import Source, Span

BAD = error("PWX9001", "bad", "It is bad.", "Make it good.")
ODD = warning("PWX9002", "odd", "It is odd.", "Make it even.")


def at(text: str, marked: str, **more) -> Diagnostic:
    source = Source("a.yaml", text)
    start = text.index(marked)
    return Diagnostic(BAD, "it is bad", source.span(start, start + len(marked)), **more)


def test_the_shape():
    lines = "\n" * 40 + "        torchrun --nproc ${{ inputs.n_gpu }} train.py\n"
    item = at(lines, "inputs.n_gpu", notes=("`inputs` has `n_gpus`",), help="did you mean `n_gpus`?", label="unknown")
    assert render_text([item]) == (
        "error[PWX9001]: it is bad\n"
        "  --> a.yaml:41:30\n"
        "   |\n"
        "41 |         torchrun --nproc ${{ inputs.n_gpu }} train.py\n"
        "   |                              ^^^^^^^^^^^^ unknown\n"
        "   = note: `inputs` has `n_gpus`\n"
        "   = help: did you mean `n_gpus`?\n"
    )


def test_without_a_place_there_is_no_snippet():
    assert (
        render_text([Diagnostic(ODD, "it is odd", help="even it")])
        == "warning[PWX9002]: it is odd\n  = help: even it\n"
    )


def test_a_related_place_has_its_own_snippet_and_the_gutter_fits_both():
    source = Source("a.yaml", "name: x\n" + "\n" * 8 + "name: y\n")
    first, second = source.span(0, 4), source.span(16, 20)
    assert render_text([Diagnostic(BAD, "twice", second, related=(Related(first, "first here"),))]) == (
        "error[PWX9001]: twice\n"
        "  --> a.yaml:10:1\n"
        "   |\n"
        "10 | name: y\n"
        "   | ^^^^\n"
        "  ::: a.yaml:1:1\n"
        "   |\n"
        " 1 | name: x\n"
        "   | ---- first here\n"
    )


@pytest.mark.parametrize(
    ("text", "marked", "shown", "carets"),
    [
        ("a: b", "b", "a: b", "   ^"),
        ("a: b\n", "a: b\n", "a: b", "^^^^"),
        ("a: |\n  one\n  two\n", "|\n  one\n  two", "a: |", "   ^"),
        ("\ta: b", "b", "    a: b", "       ^"),
        ("a:\tb\tc", "b\tc", "a:    b    c", "      ^^^^^^"),
        ("名前: b", "b", "名前: b", "      ^"),
        ("a: 名前", "名前", "a: 名前", "   ^^^^"),
        ("e\u0301: b", "b", "e\u0301: b", "   ^"),
        ("a\u200bb: c", "c", "a\u200bb: c", "    ^"),
        ("a: \x1b[31mred", "red", "a: ␛[31mred", "        ^^^"),
        ("a\u202eb: c", "c", "a\ufffdb: c", "     ^"),
        ("a: b\r\nc: d\r\n", "b", "a: b", "   ^"),
    ],
)
def test_carets_stand_under_what_they_mark(text, marked, shown, carets):
    lines = render_text([at(text, marked)]).splitlines()
    assert lines[3:5] == [f"1 | {shown}", f"  | {carets}"]


@pytest.mark.parametrize(
    ("text", "start", "end", "place", "shown", "carets"),
    [
        ("", 0, 0, "1:1", "", "^"),
        ("a", 1, 1, "1:2", "a", " ^"),
        ("a\n", 2, 2, "2:1", "", "^"),
        ("a\n", 99, 120, "2:1", "", "^"),
        ("ab", 1, 0, "1:2", "ab", " ^"),
        ("ab\ncd", 2, 3, "1:3", "ab", "  ^"),
    ],
)
def test_places_at_the_edges(text, start, end, place, shown, carets):
    item = Diagnostic(BAD, "it is bad", Span(Source("x", text), start, end))
    assert render_text([item]).splitlines()[1:] == [
        f" --> x:{place}",
        "  |",
        f"{place[0]} | {shown}".rstrip(),
        f"  | {carets}",
    ]


def test_the_place_is_that_in_the_users_own_file():
    own = Source("own.yaml", "first\nsecond {{ x }}\n")
    made = Source("made", "made text", back=lambda start, end: own.span(16, 17))
    assert " --> own.yaml:2:11\n" in render_text([Diagnostic(BAD, "it is bad", made.span(0, 4))])


@pytest.mark.parametrize("at_start", [0, 5000, 9990])
def test_a_long_line_is_cut_round_the_place(at_start):
    text = "x" * at_start + "HERE" + "y" * (10_000 - at_start)
    lines = render_text([at(text, "HERE")]).splitlines()
    assert len(lines[3]) <= LONGEST_LINE + 10
    begin = lines[4].index("^")
    assert lines[3][begin : begin + 4] == "HERE"
    assert lines[4].count("^") == 4


def test_messages_stay_on_one_line_and_cannot_move_the_cursor():
    shown = render_text([Diagnostic(BAD, "name `a\nb\x1b[2J` is bad", notes=("one\ntwo",))])
    assert shown == "error[PWX9001]: name `a\\nb\\x1b[2J` is bad\n  = note: one\n          two\n"


def test_colours_change_nothing_but_colours():
    import re

    items = [at("a: b", "b", label="here", notes=("n",)), Diagnostic(ODD, "it is odd")]
    coloured = render_text(items, colour=True)
    assert "\x1b[1;31m" in coloured
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == render_text(items)


def test_the_summary_counts_errors_and_warnings():
    wrong, odd = Diagnostic(BAD, "a"), Diagnostic(ODD, "b")
    assert summarise([]) == ""
    assert summarise([odd]) == "1 warning"
    assert summarise([wrong, odd, wrong]) == "2 errors, 1 warning"


@given(st.text(), st.integers(0, 40), st.integers(0, 40))
def test_no_text_can_break_the_picture(text, start, length):
    item = Diagnostic(BAD, "it is bad", Span(Source("x", text), start, start + length))
    shown = render_text([item])
    lines = shown.split("\n")
    assert len(lines) == 6
    assert not any(unicodedata.category(character) == "Cc" for character in shown.replace("\n", ""))
    assert set(lines[4].partition("| ")[2].strip()) == {"^"}


@given(st.text(st.characters(categories=("L", "N", "Mn", "Zs")), max_size=30), st.text("abc", min_size=1, max_size=5))
def test_carets_begin_at_the_cell_of_the_mark(before, marked):
    lines = render_text([Diagnostic(BAD, "x", Source("x", before + marked).span(len(before), len(before + marked)))])
    carets = lines.split("\n")[4].partition("| ")[2]
    assert carets == " " * width(before) + "^" * len(marked)
