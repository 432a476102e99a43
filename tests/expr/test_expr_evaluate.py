"""What expressions mean."""

from __future__ import annotations

import pytest

from pwxc.expr.evaluate import Bindings, UnknownValueError, evaluate
from pwxc.expr.values import UNDEFINED, EvaluationError, Value, as_number, as_text, equal, truth
from pwxc.ir.expr import Binary, Call, Conditional, Expr, Index, Listing, Literal, Ref, Root, Slice, Unary, Undefined

A = Ref(Root.INPUT, ("a",))
TROUBLE = Binary("/", Literal(1), Literal(0))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", False),
        ("false", True),
        ("0", True),
        (" ", True),
        (0, False),
        (0.0, False),
        (-1, True),
        (float("nan"), False),
        (False, False),
        (None, False),
        (UNDEFINED, False),
        ([], True),
        ({}, True),
    ],
)
def test_truth(value: Value, expected: bool) -> None:
    assert truth(value) is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a b", "a b"),
        (True, "true"),
        (5, "5"),
        (2.0, "2"),
        (0.1, "0.1"),
        (1e300, "1e+300"),
        (float("inf"), "Infinity"),
        (None, ""),
        (UNDEFINED, ""),
        ([1, "a", None, UNDEFINED, True], '[1,"a",null,null,true]'),
        ({"é": [range(2)]}, '{"é":[[0,1]]}'),
    ],
)
def test_as_text(value: Value, expected: str) -> None:
    assert as_text(value) == expected


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (1, 1.0, True),
        (1, "1", True),
        ("1.0", 1, False),
        ("1", "1.0", False),
        (True, "true", True),
        (True, 1, False),
        (False, 0, False),
        (UNDEFINED, "", True),
        (UNDEFINED, UNDEFINED, True),
        (UNDEFINED, "undefined", False),
        (None, "", True),
        ([1, 2], ["1", "2"], True),
        ([1, 2], [1], False),
        ([1, 2], "[1,2]", True),
        (range(2), [0, 1], True),
        ({"a": 1}, {"a": "1"}, True),
        ({"a": 1}, {"b": 1}, False),
    ],
)
def test_equality_compares_different_kinds_as_text(left: Value, right: Value, expected: bool) -> None:
    assert equal(left, right) is expected
    assert equal(right, left) is expected


@pytest.mark.parametrize("value", ["", "abc", "1x", "0x10", "1_000", "١", "inf", "nan", None, UNDEFINED, [1], {}])
def test_what_is_no_number(value: Value) -> None:
    with pytest.raises(EvaluationError, match="needs numbers"):
        as_number(value, "-")


def test_a_long_row_of_digits_is_a_number_all_the_same() -> None:
    assert as_number("9" * 5000, "-") == float("inf")
    assert as_number(" -12 ", "-") == -12


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        (Binary("+", Literal(1), Literal(2)), 3),
        (Binary("+", Literal("1"), Literal(2)), "12"),
        (Binary("+", Undefined(), Literal("/x")), "/x"),
        (Binary("-", Literal("5"), Literal(1)), 4),
        (Binary("/", Literal(4), Literal(2)), 2),
        (Binary("/", Literal(1), Literal(4)), 0.25),
        (Binary("//", Literal(-7), Literal(2)), -4),
        (Binary("//", Literal(7.5), Literal(2)), 3),
        (Binary("**", Literal(2), Literal(10)), 1024),
        (Binary("**", Literal(10), Literal(400)), float("inf")),
        (Binary("<", Literal("9"), Literal("10")), True),
        (Binary("in", Literal("2"), Listing((Literal(1), Literal(2)))), True),
        (Binary("!in", Literal(3), Listing((Literal(1),))), True),
        (Binary("in", Literal(3), Undefined()), False),
        (Binary("includes", Literal("ursa2"), Literal("ursa")), True),
        (Binary("!includes", Undefined(), Literal("x")), True),
        (Binary("??", Undefined(), Literal(1)), 1),
        (Binary("??", Literal(""), Literal(1)), ""),
        (Binary("??", Literal(None), Literal(1)), None),
        (Binary("||", Literal(""), Literal(0)), 0),
        (Binary("&&", Literal(0), Literal(1)), 0),
        (Binary("&&", Literal("false"), Literal("x")), "x"),
        (Unary("!", Literal("")), True),
        (Unary("-", Literal("3")), -3),
        (Index(Listing((Literal("x"),)), Literal("0")), "x"),
        (Index(Listing((Literal("x"),)), Literal(-1)), UNDEFINED),
        (Index(Listing((Literal("x"),)), Literal(1)), UNDEFINED),
        (Index(Literal("x"), Literal(0)), UNDEFINED),
        (Slice(Literal("abc"), Literal(1)), "bc"),
        (Call("fromJSON", (Literal('{"a": [1]}'),)), {"a": [1]}),
    ],
)
def test_operators(expr: Expr, expected: Value) -> None:
    value = evaluate(expr, Bindings())
    assert value == expected
    assert type(value) is type(expected)


def test_ranges_leave_out_their_end() -> None:
    assert list(evaluate(Call("range", (Literal(3),)), Bindings())) == [0, 1, 2]  # type: ignore[arg-type]
    assert list(evaluate(Call("range", (Literal(1), Literal("4"))), Bindings())) == [1, 2, 3]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "expr",
    [
        TROUBLE,
        Binary("**", Literal(-8), Literal(0.5)),
        Binary("-", Literal(True), Literal("x")),
        Binary("<", Literal("a"), Literal("b")),
        Binary("in", Literal("a"), Literal("abc")),
        Binary("%", Literal(1), Literal(1)),
        Unary("~", Literal(1)),
        Slice(Literal(1)),
        Slice(Listing(()), Literal("x")),
        Call("range", (Literal(10**12),)),
        Call("range", (Literal(1.5),)),
        Call("range", ()),
        Call("fromJSON", (Literal("{"),)),
        Call("fromJSON", (Literal("[" * 100_000),)),
        Call("nothing", ()),
    ],
)
def test_what_has_no_value(expr: Expr) -> None:
    with pytest.raises(EvaluationError):
        evaluate(expr, Bindings())


def test_only_what_decides_is_looked_up() -> None:
    unknown = Ref(Root.TASK_OUTPUT, ("j", "k"))
    for part in (unknown, TROUBLE):
        assert evaluate(Binary("&&", Literal(""), part), Bindings()) == ""
        assert evaluate(Binary("||", Literal(1), part), Bindings()) == 1
        assert evaluate(Binary("??", Literal(1), part), Bindings()) == 1
        assert evaluate(Conditional(Literal(True), Literal(1), part), Bindings()) == 1
    with pytest.raises(UnknownValueError):
        evaluate(unknown, Bindings({Root.INPUT: {}}))


def test_bindings_follow_paths_into_maps_lists_and_rows() -> None:
    bindings = Bindings({Root.INPUT: {"w": [{"ip": "x"}, {"ip": "y"}]}, Root.ROW: {"w": [{"ip": "x"}, {"ip": "y"}]}}, 1)
    assert bindings.lookup(Ref(Root.INPUT, ("w", "0", "ip"))) == "x"
    assert bindings.lookup(Ref(Root.INPUT, ("w", "7", "ip"))) == UNDEFINED
    assert bindings.lookup(Ref(Root.INPUT, ("missing",))) == UNDEFINED
    assert bindings.lookup(Ref(Root.ROW, ("w", "[index]", "ip"))) == "y"
