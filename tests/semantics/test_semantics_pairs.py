"""Pairs of files that mean the same, whatever system they are written for, and pairs that do not."""

from __future__ import annotations

import pytest

from pwxc import api
from pwxc.ir.workflow import Workflow
from pwxc.semantics.equivalence import Verdict, equivalent

TORC = {
    "sweep": """\
name: s
jobs:
  - {name: prepare, command: ./prepare}
  - {name: "train_{i}", command: "python train.py --seed {i}", depends_on: [prepare], parameters: {i: "1:3"}}
  - {name: "score_{i}", command: "python score.py {i}", depends_on: ["train_{i}"], parameters: {i: "1:3"}}
  - {name: report, command: ./report, depends_on_regexes: ['^score_\\d+$']}
""",
    "unrolled": """\
name: s
jobs:
  - {name: report, command: ./report, depends_on: [score_1, score_2, score_3]}
  - {name: score_2, command: python score.py 2, depends_on: [train_2]}
  - {name: score_1, command: python score.py 1, depends_on: [train_1]}
  - {name: score_3, command: python score.py 3, depends_on: [train_3]}
  - {name: train_1, command: python train.py --seed 1, depends_on: [prepare]}
  - {name: train_2, command: python train.py --seed 2, depends_on: [prepare]}
  - {name: train_3, command: python train.py --seed 3, depends_on: [prepare]}
  - {name: prepare, command: ./prepare}
""",
}
PW_MATRIX = """\
'on': {execute: {inputs: {}}}
jobs:
  prepare: {steps: [{run: ./prepare}]}
  train:
    needs: [prepare]
    strategy: {fail-fast: false, matrix: {seed: [1, 2, 3]}}
    steps: [{run: "python train.py --seed ${{ matrix.seed }}"}]
  report: {needs: [train], steps: [{run: ./report}]}
"""
PW_UNROLLED = """\
'on': {execute: {inputs: {}}}
jobs:
  report: {needs: [train-1, train-2, train-3], steps: [{run: ./report}]}
  train-3: {needs: [prepare], steps: [{run: python train.py --seed 3}]}
  train-1: {needs: [prepare], steps: [{run: python train.py --seed 1}]}
  train-2: {needs: [prepare], steps: [{run: python train.py --seed 2}]}
  prepare: {steps: [{run: ./prepare}]}
"""
TORC_SAME = """\
name: s
jobs:
  - {name: prepare, command: ./prepare}
  - {name: "train_{k}", command: "python train.py --seed {k}", depends_on: [prepare], parameters: {k: "[1,2,3]"}}
  - {name: report, command: ./report, depends_on_regexes: ['^train_']}
"""


def read(source: str, system: str) -> Workflow:
    workflow, said = api.read(source, origin=system)
    assert workflow is not None, [item.message for item in said]
    return workflow


def both_ways(first: Workflow, second: Workflow, names: dict[str, str] | None = None) -> Verdict:
    back = {b: a for a, b in (names or {}).items()}
    one, other = equivalent(first, second, names), equivalent(second, first, back)
    assert one.equal == other.equal, (one.story, other.story)
    assert one.unknown == ()
    return one


SAME = {
    "torc, a sweep and its jobs": (TORC["sweep"], "torc", TORC["unrolled"], "torc"),
    "pw, a matrix and its jobs": (PW_MATRIX, "pw", PW_UNROLLED, "pw"),
    "pw's matrix and torc's parameters": (PW_MATRIX, "pw", TORC_SAME, "torc"),
    "pw's jobs and torc's parameters": (PW_UNROLLED, "pw", TORC_SAME, "torc"),
}


@pytest.mark.parametrize("name", SAME)
def test_a_sweep_is_the_tasks_that_it_stands_for(name: str):
    first, system, second, other = SAME[name]
    verdict = both_ways(read(first, system), read(second, other))
    assert verdict.equal, verdict.story


CHANGES = {
    "a value": ("--seed 2", "--seed 4", "`python train.py --seed 2`"),
    "a missing order": ("score.py 2, depends_on: [train_2]", "score.py 2", "score_{i}[1]"),
    "a crossed order": ("score.py 3, depends_on: [train_3]", "score.py 3, depends_on: [train_2]", "score_{i}[2]"),
    "another partner": ("[score_1, score_2, score_3]", "[score_1, score_2]", "report"),
    "a job less": ("  - {name: score_3, command: python score.py 3, depends_on: [train_3]}\n", "", "`score_{i}[2]`"),
    "the flag": ("[train_2]}", "[train_2], cancel_on_blocking_job_failure: false}", "`score_{i}[1]`"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_difference_in_one_instance_is_told(name: str):
    old, new, shown = CHANGES[name]
    other = TORC["unrolled"].replace(old, new).replace(", score_3]", "]" if name == "a job less" else ", score_3]")
    assert other != TORC["unrolled"]
    verdict = both_ways(read(TORC["sweep"], "torc"), read(other, "torc"))
    assert not verdict.equal
    assert shown in verdict.story


def test_instances_are_mapped_by_name():
    odd = PW_UNROLLED.replace("train-1", "red").replace("train-2", "green").replace("train-3", "blue")
    names = {"train[0]": "red", "train[1]": "green", "train[2]": "blue"}
    verdict = both_ways(read(PW_MATRIX, "pw"), read(odd, "pw"), names)
    assert verdict.equal, verdict.story
    swapped = equivalent(read(PW_MATRIX, "pw"), read(odd, "pw"), {**names, "train[0]": "green", "train[1]": "red"})
    assert "train.py --seed" in swapped.story
    assert not equivalent(read(PW_MATRIX, "pw"), read(odd, "pw"))


def test_a_sweep_with_a_limit_is_more_than_its_tasks():
    limited = PW_MATRIX.replace("fail-fast: false,", "fail-fast: false, max-parallel: 1,")
    assert not equivalent(read(limited, "pw"), read(PW_UNROLLED, "pw"))


GATED = """\
'on': {execute: {inputs: {}}}
jobs:
  a: {steps: [{run: ./a}]}
  b: {steps: [{run: ./b}]}
  gate: {needs: [a], if: "${{ error }}", steps: [{run: ":"}]}
  c: {needs: [gate, b], steps: [{run: ./c}]}
"""


def test_a_job_that_only_passes_an_order_on_is_none():
    plain = read(GATED, "pw")
    shorter = GATED.replace("{needs: [gate, b]", "{needs: [b]").replace(
        '  gate: {needs: [a], if: "${{ error }}", steps: [{run: ":"}]}\n', ""
    )
    verdict = equivalent(plain, read(shorter, "pw"))
    assert not verdict.equal
    assert verdict.difference is not None
    assert verdict.difference.instance == "c"


def test_a_group_of_one_is_a_task():
    tasks = "workflow:\n  name: w\n  tasks:\n  - {name: a, image: x, command: [./a]}\n"
    groups = (
        "workflow:\n  name: w\n  groups:\n  - name: g\n    tasks:\n"
        "    - {name: a, lead: true, image: x, command: [./a]}\n"
    )
    assert both_ways(read(tasks, "osmo"), read(groups, "osmo")).proved
