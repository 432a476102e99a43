"""A million instances take as long as ten, wherever the target has a construct for them; and what is no range is told.

For ACTIVATE, whose matrices are lists, that is a range that an expression says (`pw.generation=4`).
"""

from __future__ import annotations

import time

import pytest
import yaml
from torc_files import must_read

from pwxc import api
from pwxc.ir.sweep import Range, Values
from pwxc_targets.torc.parameters import parse, show

MANY = 1_000_000
SHAPES = {
    "one": '  - {name: "a_{i}", command: "echo {i}", parameters: {i: "1:N"}}\n',
    "format": '  - {name: "a_{i:07d}", command: "echo {i:07d}", parameters: {i: "1:N"}}\n',
    "step": '  - {name: "a_{i}", command: "echo {i}", parameters: {i: "N:1:-1"}}\n',
    "zip": '  - {name: "a_{i}_{k}", command: "x {i} {k}", parameters: {i: "1:N", k: "1:N"}, parameter_mode: zip}\n',
    "product": '  - {name: "a_{i}_{k}", command: "x {i} {k}", parameters: {i: "1:N", k: "[1,2]"}}\n',
    "floats": '  - {name: "a_{i:.1f}", command: "x {i:.1f}", parameters: {i: "0.5:N.0:0.5"}}\n',
    "pairs": (
        '  - {name: "a_{i}", command: "x {i}", parameters: {i: "1:N"}}\n'
        '  - {name: "b_{i}", command: "y {i}", depends_on: ["a_{i}"], parameters: {i: "1:N"}}\n'
        '  - {name: z, command: z, depends_on_regexes: ["^b_"]}\n'
    ),
    "float pairs": (
        '  - {name: "a_{i}", command: "x {i}", parameters: {i: "0.25:N.0:0.25"}}\n'
        '  - {name: "b_{i}", command: "y {i}", depends_on: ["a_{i}"], parameters: {i: "0.25:N.0:0.25"}}\n'
        '  - {name: z, command: z, depends_on_regexes: ["^b_[0-9.]+$"]}\n'
    ),
    "files": (
        '  - {name: "a_{i}", command: "x > ${files.output.f_{i}}", parameters: {i: "1:N"}}\n'
        '  - {name: "b_{i}", command: "y < ${files.input.f_{i}}", parameters: {i: "1:N"}}\n'
        'files:\n  - {name: "f_{i}", path: "f_{i}.txt", parameters: {i: "1:N"}}\n'
    ),
    "action": (
        '  - {name: "a_{i}", command: "x {i}", parameters: {i: "1:N"}}\n'
        "actions:\n  - {trigger_type: on_jobs_complete, action_type: run_commands, commands: [x], jobs: [],"
        ' job_name_regexes: ["^a_"]}\n'
    ),
}
PAIRS = [(shape, to) for shape in SHAPES for to in ("torc", "slurm", "osmo")] + [("one", "pw"), ("pairs", "pw")]
OPTIONS = {"osmo.image": "ubuntu:24.04", "pw.generation": "4"}


def text(shape: str, size: int) -> str:
    return "name: w\njobs:\n" + SHAPES[shape].replace("N", str(size))


def cost(shape: str, to: str, size: int) -> float:
    best = float("inf")
    for _ in range(4):
        start = time.process_time()
        made = api.compile(text(shape, size), origin="torc", to=to, options=OPTIONS, lossy=True)
        best = min(best, time.process_time() - start)
        assert made.files, [item.message for item in made.diagnostics]
    return best


@pytest.mark.parametrize(("shape", "to"), PAIRS)
def test_a_million_costs_what_ten_cost(shape: str, to: str) -> None:
    cost(shape, to, 3)
    assert cost(shape, to, MANY) < 1.5 * cost(shape, to, 10) + 0.005


@pytest.mark.parametrize("shape", SHAPES)
def test_a_million_stay_one_record(shape: str) -> None:
    made = api.compile(text(shape, MANY), origin="torc", to="torc")
    assert must_read(made.files[0].text) == must_read(text(shape, MANY))
    assert len(made.files[0].text) < 1000
    assert len(yaml.safe_load(made.files[0].text)["jobs"]) == SHAPES[shape].count("command:")


@pytest.mark.parametrize(
    "range_text",
    ["0.0:2000.0:0.5", "-3.25:1500.0:0.25", "1500.0:-1.5:-1.0", "0.015625:20.0:0.015625", "1.5:3000", "0:1200.7"],
)
def test_long_ranges_of_floats_have_the_values_of_the_running_sum(range_text: str) -> None:
    start, end, *rest = (float(part) for part in range_text.split(":"))
    step = rest[0] if rest else 1.0
    current, expected = start, []
    while current <= end + 1e-10 if step > 0 else current >= end - 1e-10:
        expected.append(current)
        current += step
    values = parse(range_text)
    assert isinstance(values, Range) is (len(expected) > 1000)
    assert [show(float(value)) for value in values] == [show(value) for value in expected]


def test_a_sum_that_is_rounded_is_written_out():
    values = parse("0.0:500.0:0.1")
    assert isinstance(values, Values)
    assert values[3] == 0.1 + 0.1 + 0.1


SWEPT = 'name: w\njobs:\n  - {name: "a_{i}", command: "echo {i}", parameters: {i: "%s"}}\n'
SINGLE = "  - {name: z, command: x, depends_on: [a_7]}\n"


@pytest.mark.parametrize("to", ["torc", "pw", "osmo", "slurm"])
@pytest.mark.parametrize(
    ("value", "code", "severity"),
    [
        ("1:10:0", "torc-bad-range", "error"),
        ("a:b", "torc-bad-range", "error"),
        ("1:2:3:4", "torc-bad-range", "error"),
        ("0:1:0.25", "torc-bad-range", "error"),
        ("0.0:1.0:0.0", "torc-bad-range", "error"),
        ("1:10:-1", "torc-empty-sweep", "warning"),
        ("5.0:1.0", "torc-empty-sweep", "warning"),
        ("0.0:1000000000000.0:0.1", "torc-too-many-instances", "error"),
    ],
)
def test_bad_ranges_are_told_at_their_place(value: str, code: str, severity: str, to: str) -> None:
    made = api.compile(SWEPT % value, origin="torc", to=to, options=OPTIONS)
    found = [item for item in made.diagnostics if item.code.name == code]
    assert [item.severity for item in found] == [severity]
    assert found[0].span is not None
    assert found[0].span.resolve().text == f'"{value}"'


@pytest.mark.parametrize("to", ["torc", "pw", "osmo", "slurm"])
def test_what_has_to_be_written_out_has_a_limit_that_can_be_raised(to: str) -> None:
    made = api.compile(SWEPT % "1:1000000000000" + SINGLE, origin="torc", to=to, options=OPTIONS)
    found = [item for item in made.diagnostics if item.code.name == "torc-too-many-instances"]
    assert found[0].span.resolve().text == '"1:1000000000000"'
    assert "torc.expansion_limit" in found[0].help
    few = SWEPT % "1:12" + SINGLE
    assert not api.compile(
        few, origin="torc", to=to, options={**OPTIONS, "torc.expansion_limit": "11"}, lossy=True
    ).files
    assert api.compile(few, origin="torc", to=to, options={**OPTIONS, "torc.expansion_limit": "12"}, lossy=True).files
