"""Folding, and when a value is known."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from pwxc.expr.classify import Phase, is_static, phase
from pwxc.expr.evaluate import Bindings, UnknownValueError, evaluate
from pwxc.expr.fold import fold
from pwxc.expr.values import EvaluationError, Value
from pwxc.ir.expr import Binary, Conditional, Expr, Index, Listing, Literal, Ref, Root, Undefined, operands
from pwxc.ir.template import Template
from pwxc.source import Source
from tests.expr.expr_trees import environments, trees

LATER = Ref(Root.TASK_OUTPUT, ("j", "k"))
GIVEN = Ref(Root.INPUT, ("a",))


def outcome(expr: Expr, environment: Bindings) -> str:
    """The value as text that tells 1 from true and a range from nothing, or why there is none."""
    try:
        value = evaluate(expr, environment)
    except (EvaluationError, UnknownValueError) as error:
        return type(error).__name__
    return repr(plain(value))


def plain(value: Value) -> object:
    return [plain(part) for part in value] if isinstance(value, range | list) else value


@given(trees, environments)
@settings(max_examples=300)
def test_folding_never_changes_the_value(tree: Expr, environment: Bindings) -> None:
    before = outcome(tree, environment)
    assert outcome(fold(tree), environment) == before
    assert outcome(fold(tree, environment), environment) == before


@given(trees, environments)
@settings(max_examples=200)
def test_folding_what_is_known_early_keeps_the_value_for_later(tree: Expr, environment: Bindings) -> None:
    early = Bindings({root: value for root, value in environment.roots.items() if root is Root.INPUT})
    assert outcome(fold(tree, early), environment) == outcome(tree, environment)


@given(trees)
def test_folding_twice_is_folding_once(tree: Expr) -> None:
    once = fold(tree)
    assert repr(fold(once)) == repr(once)


@pytest.mark.parametrize(
    ("expr", "folded"),
    [
        (Binary("-", Literal("5"), Literal(1)), Literal(4)),
        (Binary("&&", Literal("x"), LATER), LATER),
        (Binary("||", Undefined(), LATER), LATER),
        (Binary("||", Literal("x"), LATER), Literal("x")),
        (Binary("??", Literal(""), LATER), Literal("")),
        (Conditional(GIVEN, LATER, Literal(2)), LATER),
        (Binary("==", GIVEN, LATER), Binary("==", Literal("yes"), LATER)),
        (Binary("&&", Ref(Root.INPUT, ("group",)), LATER), LATER),
        (Ref(Root.INPUT, ("missing",)), Undefined()),
        (Ref(Root.INPUT, ("group",)), Ref(Root.INPUT, ("group",))),
        (Index(Ref(Root.INPUT, ("group",)), Literal("b")), Listing((Literal(1), Literal(2)))),
        (Binary("/", Literal(1), Literal(0)), Binary("/", Literal(1), Literal(0))),
    ],
)
def test_what_folds_when_inputs_are_known(expr: Expr, folded: Expr) -> None:
    known = Bindings({Root.INPUT: {"a": "yes", "group": {"b": [1, 2]}}})
    assert repr(fold(expr, known)) == repr(folded)


def test_a_folded_value_stands_where_the_expression_stood() -> None:
    source = Source("x", "1 + 2")
    left, right = (Literal(n, span=source.span(at, at + 1)) for n, at in ((1, 0), (2, 4)))
    assert fold(Binary("+", left, right, span=source.span(0, 5))).span == source.span(0, 5)


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        (Literal(1), Phase.ALWAYS),
        (Binary("==", GIVEN, Literal(1)), Phase.SUBMISSION),
        (Binary("==", GIVEN, Ref(Root.SWEEP, ("n",))), Phase.INSTANCE),
        (Binary("==", Ref(Root.SWEEP, ("n",)), LATER), Phase.RUN),
        (Ref(Root.STATUS, ("always",)), Phase.RUN),
        (Ref(Root.ENVIRONMENT, ("X",)), Phase.RUN),
        (Ref(Root.ATTEMPT), Phase.RUN),
        (Ref(Root.SESSION, ("s",)), Phase.SUBMISSION),
        (Ref(Root.ORGANISATION, ("o",)), Phase.SUBMISSION),
        (Ref(Root.USER, ("u",)), Phase.SUBMISSION),
    ],
)
def test_phases(expr: Expr, expected: Phase) -> None:
    assert phase(expr) is expected
    assert phase(Template.of("a", expr)) is expected
    assert is_static(expr) is (expected is not Phase.RUN)


@given(trees)
def test_a_tree_is_never_earlier_than_its_parts(tree: Expr) -> None:
    assert all(phase(part) <= phase(tree) for part in operands(tree))
