"""Sweeps of other systems as matrices."""

import math

import pytest
from native_flows import compiled, flow, run, task, torc

from pwxc.ir.expr import Ref, Root
from pwxc.ir.sweep import Parameter, Range, Sweep, SweepMode, Values
from pwxc.ir.task import Edge
from pwxc.ir.template import Template
from pwxc_targets.pw.writing.strategy import show

SPEC = """\
name: sweep
jobs:
  - name: NAME
    command: COMMAND
    parameters: {i: '1:3', x: '[0.5, 1e-07]'}
"""


def swept(name: str, command: str, **options: str):
    spec = SPEC.replace("NAME", f"'{name}'").replace("COMMAND", f"'{command}'")
    return compiled(torc(spec), **options)


def test_a_product_is_a_matrix_and_the_names_lose_their_variables():
    data, said = swept("run_{i:03d}_{x}", "solve {i} {x}")
    job = data["jobs"]["run"]
    assert job["strategy"] == {"matrix": {"i": [1, 2, 3], "x": [0.5, "0.0000001"]}, "fail-fast": False}
    assert job["steps"][0]["run"] == "solve ${{ matrix.i }} ${{ matrix.x }}"
    assert said == []


def test_a_format_is_folded_into_the_values():
    data, _ = swept("run_{i}_{x}", "solve {i:03d} {x}")
    assert data["jobs"]["run"]["strategy"]["matrix"]["i"] == ["001", "002", "003"]
    data, _ = swept("run_{i}_{x}", "solve {i:03d} {i} {x}")
    job = data["jobs"]["run"]
    assert job["strategy"]["matrix"]["i"][0] == {"as_03d": "001", "value": 1}
    assert job["steps"][0]["run"] == "solve ${{ matrix.i.as_03d }} ${{ matrix.i.value }} ${{ matrix.x }}"


def test_zipped_parameters_are_rows():
    spec = SPEC.replace("NAME", "'run_{i}'").replace("COMMAND", "'solve {i} {x}'").replace("1:3", "1:2")
    data, _ = compiled(torc(spec + "    parameter_mode: zip\n"))
    job = data["jobs"]["run"]
    assert job["strategy"]["matrix"] == {"row": [{"i": 1, "x": 0.5}, {"i": 2, "x": "0.0000001"}]}
    assert job["steps"][0]["run"] == "solve ${{ matrix.row.i }} ${{ matrix.row.x }}"


def wide(size: int):
    sweep = Sweep(parameters=(Parameter(name="i", values=Range(1, size)),))
    return flow(task("a", Template.of("echo ", Ref(Root.SWEEP, ("i",))), sweep=sweep))


def test_values_are_written_out_up_to_a_limit():
    data, said = compiled(wide(40), expansion_limit="40")
    assert data["jobs"]["a"]["strategy"]["matrix"]["i"] == list(range(1, 41))
    assert said == []
    data, said = compiled(wide(10**6), expansion_limit="40")
    assert len(data["jobs"]["a"]["strategy"]["matrix"]["i"]) == 40
    assert said == ["PWX3221"]


def test_the_newer_generation_says_a_long_range_in_short():
    data, said = compiled(wide(10**6), generation="4")
    assert data["jobs"]["a"]["strategy"]["matrix"]["i"] == "${{ 1 range 1000001 }}"
    assert said == []
    assert isinstance(compiled(wide(9), generation="4")[0]["jobs"]["a"]["strategy"]["matrix"]["i"], list)


def test_limits_and_odd_combinations_are_kept():
    sweep = Sweep(
        parameters=(Parameter(name="include", values=Values((1, 2))), Parameter(name="b", values=Values((3, 4)))),
        include=({"include": 9, "b": 9},),
        exclude=({"include": 1, "b": 4},),
        limit=2,
        fail_fast=True,
    )
    data, _ = compiled(flow(task("a", Template.of("echo ", Ref(Root.SWEEP, ("include",))), sweep=sweep)))
    assert data["jobs"]["a"]["strategy"] == {
        "matrix": {"include_": [1, 2], "b": [3, 4], "include": [{"include_": 9, "b": 9}],
                   "exclude": [{"include_": 1, "b": 4}]},
        "fail-fast": True,
        "max-parallel": 2,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("value", "form", "shown"),
    [(7, "03d", "007"), (0.5, ".2f", "0.50"), (7, ".2f", "7"), (0.5, "03d", "0.5"), (2.0, "", "2"),
     (1e-5, "", "0.00001"), (0.25, "", 0.25), (math.inf, "", "inf"), ("a", "", "a"), (-3, "", -3)],
)  # fmt: skip
def test_values_are_shown_as_torc_prints_them(value, form, shown):
    assert show(value, form) == shown
    assert type(show(value, form)) is type(shown)


def test_an_instance_that_waits_for_its_own_is_told():
    sweep = Sweep(parameters=(Parameter(name="i", values=Range(1, 3)),))
    later = task("b", sweep=sweep, needs=(Edge(parent="a", same_instance=True),))
    data, said = compiled(flow(task("a", sweep=sweep), later))
    assert data["jobs"]["b"]["needs"] == ["a"]
    assert said == ["PWX3222"]
    single = task("b", needs=(Edge(parent="a", same_instance=True),))
    assert compiled(flow(task("a", sweep=sweep), single))[1] == []


def test_sweeps_that_differ_in_the_name_alone_are_two_jobs():
    sweep = Sweep(parameters=(Parameter(name="i", values=Range(1, 3)),))
    data, _ = compiled(flow(task("a_{i}", sweep=sweep), task("a", needs=(Edge(parent="a_{i}"),))))
    assert data["jobs"]["a-2"]["needs"] == ["a"]


def test_each_instance_that_is_submitted_has_a_status_of_its_own(tmp_path):
    values = Values(("x y", "it's"))
    sweep = Sweep(parameters=(Parameter(name="v", values=values),), mode=SweepMode.PRODUCT)
    script = Template.of('[ "', Ref(Root.SWEEP, ("v",)), '" = "x y" ] || exit 4\n')
    data, _ = compiled(flow(task("a", script, sweep=sweep), dialect="slurm"))
    for index, (value, expected) in enumerate(zip(values, (0, 4), strict=True)):
        assert run(data["jobs"]["a"], tmp_path, {"v": value}, index)[0] == expected
    assert sorted(path.name for path in (tmp_path / "jobs").iterdir()) == ["a.0", "a.1"]
