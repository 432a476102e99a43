"""The values of torc's parameters and how they are printed; the tables are those that torc's own code gave."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pwxc.ir.sweep import Range
from pwxc_targets.torc.parameters import Context, ParameterError, listed, native, parse, show, write

VALUES = [
    ("1:5", "1 2 3 4 5"),
    ("1:10:3", "1 4 7 10"),
    ("10:1:-3", "10 7 4 1"),
    ("5:1", ""),
    ("0.0:1.0:0.5", "0 0.5 1"),
    ("0.1:0.5:0.1", "0.1 0.2 0.30000000000000004 0.4 0.5"),
    ("1.5:3", "1.5 2.5"),
    ("0.0001:0.01:10", "0.0001"),
    ("[1,2,3]", "1 2 3"),
    ("['a','b']", "a b"),
    ('["a","b"]', "a b"),
    ("[a, b]", "a b"),
    ('["1","2"]', "1 2"),
    ("['a,b']", "a b"),
    ("[]", ""),
    ("[[1,2],[3,4]]", "1 2] [3 4"),
    ("[1:3]", "1:3"),
    ("[01,02]", "1 2"),
    ("007", "7"),
    ("3.0", "3"),
    ("1e3", "1000"),
    ("1e-5", "0.00001"),
    ("nan", "NaN"),
    ("inf", "inf"),
    ("12:14", "12 13 14"),
    ("{1:4}", "1 2 3 4"),
    ("  7  ", "7"),
    ("[x", "[x"),
]


@pytest.mark.parametrize(("text", "expected"), VALUES)
def test_values_are_those_of_torc(text, expected):
    assert " ".join(show(value) for value in parse(text)) == expected


def test_empty_items_and_texts_are_values():
    assert list(parse("[1,]")) == [1, ""]
    assert list(parse("")) == [""]


def test_quoted_numbers_in_lists_stay_text():
    assert list(parse('["1","2"]')) == ["1", "2"]


@pytest.mark.parametrize(
    "text", ["1:10:0", "a:b", "0:1:0.25", "http://x", "'1:3'", "1:2:3:4", "1.0:2.0:0", "0.0:inf", "1::2"]
)
def test_bad_ranges_are_refused(text):
    with pytest.raises(ParameterError):
        parse(text)


def test_large_ranges_are_never_lists():
    assert parse("1:1000000000000") == Range(1, 1_000_000_000_000, 1)


def test_float_ranges_have_a_limit():
    with pytest.raises(ParameterError, match="more than 10 values"):
        parse("0.0:1.0:0.01", Context(limit=10))


def test_values_from_a_file(tmp_path):
    (tmp_path / "v.txt").write_text("# seeds\n3\n\n a b \n")
    assert list(parse("@v.txt", Context(folder=tmp_path))) == [3, "a b"]
    with pytest.raises(ParameterError, match="cannot read"):
        parse("@none.txt", Context(folder=tmp_path))


def test_native_lists_are_taken_and_maps_are_not():
    assert list(native([1, 0.5, "x", True])) == [1, 0.5, "x", "true"]
    with pytest.raises(ParameterError):
        native({"a": 1})


FORMATS = [
    (5, "03d", "005"),
    (-5, "03d", "-05"),
    (5, "003d", "005"),
    (5, "3d", "5"),
    (5, ".2f", "5"),
    (0.125, ".2f", "0.12"),
    (2.675, ".2f", "2.67"),
    (0.5, ".0f", "0"),
    (0.5, "08.3f", "0.5"),
    (1e20, "", "100000000000000000000"),
    (-0.0, "", "-0"),
    ("x", "03d", "x"),
]


@pytest.mark.parametrize(("value", "format", "expected"), FORMATS)
def test_formats(value, format, expected):
    assert show(value, format) == expected


SAFE_TEXT = st.text(st.characters(blacklist_characters=",[]{}'\"\n\r", blacklist_categories=("Cs", "Cc")), max_size=8)
SCALARS = st.one_of(st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), SAFE_TEXT)


@given(st.lists(SCALARS, min_size=1, max_size=6))
def test_what_is_written_reads_back_with_types(values):
    text = write(listed(values))
    found = list(parse(text))
    if values == [""]:
        # a list of one empty text cannot be told from an empty one
        return
    assert [(type(item), item) for item in found] == [(type(item), item) for item in values]


@given(st.integers(-50, 50), st.integers(-50, 50), st.integers(-7, 7).filter(bool))
def test_integer_ranges_are_inclusive(start, stop, step):
    expected = list(range(start, stop + (1 if step > 0 else -1), step))
    assert list(parse(f"{start}:{stop}:{step}")) == expected


@given(st.text(max_size=30))
def test_any_text_gives_values_or_a_parameter_error(text):
    with contextlib.suppress(ParameterError):
        values = parse(text)
        assert len(values) == 0 or isinstance(show(values[0]), str)


@pytest.mark.parametrize("values", [["a,b"], ["x]"], ["'q'"], ["{i}"], ["a\nb"]])
def test_values_that_a_list_cannot_hold_are_not_written(values):
    assert write(listed(values)) is None
