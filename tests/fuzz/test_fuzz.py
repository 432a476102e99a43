"""The fuzzer finds what is there to be found, and nothing in a few seconds with our readers."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from tests.fuzz.guided import fault_of, search, seeds
from tests.fuzz.promises import SUFFIXES, reader_check

FOUND = sorted((Path(__file__).parent / "found").glob("*.txt"))


@pytest.mark.parametrize("system", SUFFIXES)
def test_no_text_breaks_the_promise_of_a_reader(system: str):
    turns = itertools.count()
    found = search(reader_check(system), seeds(system, SUFFIXES[system]), lambda: next(turns) < 40, seed=1)
    assert list(found) == []


def test_what_was_found_stays_mended():
    """The name of each file in the folder begins with the system's."""
    faults = {path.name: fault_of(reader_check(path.name.partition("-")[0]), path.read_text()) for path in FOUND}
    assert faults == dict.fromkeys(faults)


def test_a_fault_deep_inside_is_found_and_made_small():
    def check(text: str) -> None:
        depth = 0
        for line in text.split("\n"):
            if line == "{{":
                depth += 1
            if depth == 2 and "jobs" in line:
                raise ValueError("two marks and a job")

    turns = itertools.count()
    found = list(search(check, ["a\n{{\nb", "{{\n{{\njobs"], lambda: next(turns) < 200, seed=0))
    assert [fault for _, fault in found] == ["ValueError: two marks and a job"]
    assert found[0][0].count("\n") == 2


def test_a_text_that_takes_too_long_is_a_fault():
    def check(text: str) -> None:
        while True:
            pass

    assert fault_of(check, "x", seconds=0.1) == "HangError: more than 0.1 seconds"
