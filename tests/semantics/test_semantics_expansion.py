"""Instances of sweeps: pw.md §6, torc.md §13."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pwxc.expr.evaluate import Bindings, evaluate
from pwxc.ir.expr import Expr, Listing, Literal, Ref, Root
from pwxc.ir.sweep import Parameter, Range, Sweep, SweepMode, Values
from pwxc.ir.template import Template
from pwxc.semantics.expansion import Pairing, TooManyInstancesError, expand, sample

KNOWN = Bindings({Root.INPUT: {"n": 2, "all": [1, 2], "rows": [{"a": 1}, {"a": 2}], "map": {"a": [1, 2], "b": 3}}})


def values_of(expr: Expr) -> Any:
    return evaluate(expr, KNOWN)


def rows(*parameters: Parameter, **fields: Any) -> list[dict[str, Any]]:
    return [dict(row) for row in expand(Sweep(parameters=parameters, **fields), values_of)]


def parameter(name: str, *items: Any) -> Parameter:
    return Parameter(name=name, values=Values(items))


A, B = parameter("a", 1, 2), parameter("b", "x", "y")
PRODUCT = [{"a": 1, "b": "x"}, {"a": 1, "b": "y"}, {"a": 2, "b": "x"}, {"a": 2, "b": "y"}]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (rows(A, B), PRODUCT),
        (rows(A, B, mode=SweepMode.ZIP), [PRODUCT[0], PRODUCT[3]]),
        (rows(A, parameter("b", "x"), mode=SweepMode.ZIP), PRODUCT[:1]),
        (rows(A, parameter("b")), []),
        (rows(A, B, exclude=({"a": 1},)), PRODUCT[2:]),
        (rows(A, B, exclude=({"a": 1, "b": "y"}, {"a": 2, "b": "x"})), [PRODUCT[0], PRODUCT[3]]),
        (rows(A, include=({"a": 2, "c": 5},)), [{"a": 1}, {"a": 2, "c": 5}]),
        (rows(A, include=({"a": 3},)), [{"a": 1}, {"a": 2}, {"a": 3}]),
        (rows(A, include=({"c": 5},)), [{"a": 1, "c": 5}, {"a": 2, "c": 5}]),
        (rows(A, include=({"a": 1, "c": 5}, {"a": 1, "c": 6})), [{"a": 1, "c": 6}, {"a": 2}]),
        (rows(A, exclude=({"a": 1},), include=({"a": 1, "c": 5},)), [{"a": 2}, {"a": 1, "c": 5}]),
        (rows(include=({"a": 1}, {"a": 2})), [{"a": 1}, {"a": 2}]),
        (rows(Parameter(name="a", values=Ref(Root.INPUT, ("all",)))), [{"a": 1}, {"a": 2}]),
        (rows(Parameter(name="a", values=Listing((Literal(1), Ref(Root.INPUT, ("n",)))))), [{"a": 1}, {"a": 2}]),
        (rows(Parameter(name="", values=Ref(Root.INPUT, ("rows",)))), [{"a": 1}, {"a": 2}]),
        (rows(Parameter(name="", values=Ref(Root.INPUT, ("map",)))), [{"a": 1, "b": 3}, {"a": 2, "b": 3}]),
        (rows(parameter("a", {"k": Template.of("n", Ref(Root.INPUT, ("n",)))})), [{"a": {"k": "n2"}}]),
        (rows(parameter("a", Template.of(Ref(Root.INPUT, ("n",))))), [{"a": 2}]),
    ],
)
def test_rows(found: list[dict[str, Any]], expected: list[dict[str, Any]]):
    assert found == expected


def test_a_large_sweep_is_worked_out_row_by_row():
    sweep = Sweep(parameters=(Parameter(name="i", values=Range(0, 999_999)), Parameter(name="j", values=Range(0, 999))))
    found = expand(sweep, values_of)
    assert len(found) == 10**9
    assert found[10**9 - 1] == {"i": 999_999, "j": 999}
    assert found[1000] == {"i": 1, "j": 0}


def test_a_large_sweep_without_some_rows_is_refused():
    sweep = Sweep(parameters=(Parameter(name="i", values=Range(0, 999_999)),), exclude=({"i": 5},))
    with pytest.raises(TooManyInstancesError):
        expand(sweep, values_of)


@given(st.integers(0, 50), st.none() | st.integers(1, 10))
def test_a_sample_has_the_first_ones_and_the_last(count: int, most: int | None):
    found = list(sample(count, most))
    assert len(found) == min(count, most if most is not None else count)
    assert found == sorted(set(found))
    assert not found or found[-1] == count - 1


def test_pairs_by_values_or_by_number():
    parents = {0: {"i": 1}, 1: {"i": 2}}
    by_values = Pairing.of({0: {"i": 2, "v": "x"}, 1: {"i": 3, "v": "x"}}, parents)
    assert [by_values.find(0, {"i": 2, "v": "x"}), by_values.find(1, {"i": 3, "v": "x"})] == [1, None]
    by_number = Pairing.of({0: {"n": 2}, 2: {"n": 4}}, parents)
    assert [by_number.find(0, {"n": 2}), by_number.find(2, {"n": 4})] == [0, None]
