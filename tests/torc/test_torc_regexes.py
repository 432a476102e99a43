"""Patterns of torc: Rust's syntax, bounded time, and the digits that decide nothing."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pwxc_targets.torc import regexes
from pwxc_targets.torc.regexes import PatternError, _automaton, _walk, escape


@pytest.mark.parametrize("text", [r"(?=a)", r"(?<!a)b", r"(a)\1", "[", "a++", "(?>a)", r"a\Z", "a{2000}"])
def test_what_rust_does_not_have_is_refused(text):
    with pytest.raises(PatternError):
        regexes.compile(text)


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("work_1", "rework_10", True),
        ("^work_1$", "work_1\n", False),
        (r"^\w+\z", "a_1", True),
        ("(?P<n>a|b)c", "xbc", True),
        ("(?<n>a)c", "ac", True),
        ("[[:alpha:]_]+[[:digit:]]$", "ab_1", True),
        (r"\x{61}b", "ab", True),
        (r"\bmodel\b", "a model x", True),
        ("a{2,3}$", "aa", True),
        ("(?i)ABC", "xabcx", True),
    ],
)
def test_search(text, name, expected):
    assert regexes.compile(text).search(name) is expected


PIECES = st.sampled_from(
    ["a", "b", "1", ".", "[ab]", "[^a]", r"\d", "(a|b1)", "(ab)*", "a+", "b?", ".*", "a{1,2}", "^", "$", r"\b"]
)


@given(st.lists(PIECES, max_size=6).map("".join), st.text(alphabet="ab1_ ", max_size=10))
def test_walking_all_states_agrees_with_pythons_matcher(text, name):
    expected = re.search(text.replace("$", r"\Z"), name) is not None
    assert _walk(_automaton(text), name) is expected
    assert regexes.compile(text).search(name) is expected


@pytest.mark.parametrize("text", ["^(a+)+$", "^(a|aa)+$", "(.*)*b$", "((a*)*)*c"])
def test_no_pattern_blows_up(text):
    start = time.perf_counter()
    regexes.compile(text).search("a" * 60 + "!")
    assert time.perf_counter() - start < 1


@pytest.mark.parametrize(
    ("text", "alike"), [(r"^a_\d+$", True), ("a_[0-9]*", True), ("a_.", True), ("a_1", False), ("a_[0-5]", False)]
)
def test_patterns_that_take_all_digits_alike(text, alike):
    assert regexes.compile(text).ignores_digits is alike


@given(st.text(st.characters(blacklist_categories=("Cs",)), max_size=12))
def test_escaped_text_matches_itself_alone(text):
    pattern = regexes.compile(f"^{escape(text)}$")
    assert pattern.search(text)
    assert not pattern.search(text + "x")
