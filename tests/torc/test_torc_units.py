"""Durations, sizes and times, with the readings that torc's own code gave."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pwxc_targets.torc.units import (
    format_duration,
    format_memory,
    format_walltime,
    is_whole_duration,
    parse_duration,
    parse_memory,
    parse_slurm_memory,
    parse_torc_walltime,
    parse_walltime,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("PT1H", 3600),
        ("PT1H30M", 5400),
        ("PT90S", 90),
        ("P1D", 86400),
        ("P1DT2H", 93600),
        ("P0DT1M", 60),
        ("P1W", 604800),
        ("P1M", 2629800),
        ("P1Y", 31557600),
        ("1h", None),
        ("pt1h", None),
        ("P", None),
        ("", None),
        ("-PT1H", None),
        ("PT0.5H", 0),
        ("PT1.5H", 0),
        ("PT1H30", 3600),
        ("PT1D", 0),
    ],
)
def test_durations(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "whole"), [("PT1H30M", True), ("P1DT2H", True), ("PT1H30", False), ("PT1.5H", False), ("PT1D", False)]
)
def test_durations_that_are_read_to_their_end(text, whole):
    assert is_whole_duration(text) is whole


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("04:00:00", 14400),
        ("4:00", 240),
        ("90", 5400),
        ("2-12:00:00", 216000),
        ("1-12", 87120),
        ("1-12:30", 87150),
        ("UNLIMITED", None),
        ("", None),
        ("1:2:3:4", None),
    ],
)
def test_walltimes_as_torc_0_25_checks_them(text, seconds):
    assert parse_torc_walltime(text) == seconds


@pytest.mark.parametrize(
    ("text", "size"),
    [("1g", 2**30), ("1G", 2**30), ("512m", 2**29), ("1k", 1024), ("2t", 2**41), ("1024", 1024)]
    + [(text, None) for text in ("1.5g", "1gb", "1GiB", "1 g", "g", "", "-1g")],
)
def test_sizes(text, size):
    assert parse_memory(text) == size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("04:00:00", 14400),
        ("1:30:00", 5400),
        ("4:00", 240),
        ("90", 5400),
        ("2-12:00:00", 216000),
        ("1-12", 129600),
        ("1-12:30", 131400),
        ("UNLIMITED", None),
        ("", None),
        ("1:2:3:4", None),
    ],
)
def test_walltimes_are_read_as_slurm_does(text, seconds):
    assert parse_walltime(text) == seconds


def test_bare_sizes_of_slurm_are_mebibytes():
    assert parse_slurm_memory("1024") == 2**30


@given(st.integers(1, 10**9))
def test_what_is_written_reads_back(number):
    assert parse_duration(format_duration(number)) == number
    assert parse_walltime(format_walltime(number)) == number
    assert parse_memory(format_memory(number)) == number
