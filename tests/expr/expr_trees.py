"""Strategies for expression trees that any dialect could have made."""

from __future__ import annotations

from hypothesis import strategies as st

from pwxc.expr.evaluate import Bindings
from pwxc.ir.expr import Binary, Call, Conditional, Expr, Index, Listing, Literal, Ref, Root, Slice, Unary, Undefined

NAMES = st.sampled_from(["a", "b-c", "get", "in", "always", "n_1", "0"])
OPERATORS = ["==", "!=", "<", "<=", ">", ">=", "&&", "||", "??", "+", "-", "*", "/", "//", "**", "in", "!in"]
OPERATORS += ["includes", "!includes"]

scalars = (
    st.booleans()
    | st.none()
    | st.integers(-50, 50)
    | st.floats(-100, 100).map(lambda number: round(number, 3))
    | st.text("ab1'\" ${}<>:.\n", max_size=6)
    | st.sampled_from(["5", "true", "", "-1"])
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b-c", "0"]), inner, max_size=2),
    max_leaves=5,
)
refs = st.one_of(
    st.builds(
        Ref,
        st.sampled_from([Root.INPUT, Root.SWEEP, Root.ORGANISATION, Root.USER, Root.SESSION, Root.APP]),
        st.lists(NAMES, min_size=1, max_size=3).map(tuple),
    ),
    st.builds(Ref, st.just(Root.TASK_OUTPUT), st.lists(NAMES, min_size=2, max_size=3).map(tuple)),
    st.builds(Ref, st.just(Root.STATUS), st.sampled_from([("always",), ("error",)])),
    st.just(Ref(Root.SELF, ("hidden",))),
    st.just(Ref(Root.ATTEMPT)),
    st.just(Ref(Root.ROW, ("a", "[index]", "b-c"))),
)
leaves: st.SearchStrategy[Expr] = refs | scalars.map(Literal) | st.just(Undefined())


def _negated(operand: Expr) -> Expr:
    """A minus before a number is the number's own sign wherever it is read."""
    number = isinstance(operand, Literal) and type(operand.value) in (int, float) and str(operand.value)[0] != "-"
    return Literal(-operand.value) if number else Unary("-", operand)  # type: ignore[operator, union-attr]


def _branch(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    return st.one_of(
        inner.map(_negated),
        inner.map(lambda operand: Unary("!", operand)),
        st.builds(Binary, st.sampled_from(OPERATORS), inner, inner),
        st.builds(Conditional, inner, inner, inner),
        st.builds(Index, inner, inner),
        st.builds(Slice, inner, inner | st.none(), inner | st.none()),
        st.builds(Listing, st.lists(inner, max_size=3).map(tuple)),
        st.builds(Call, st.just("range"), st.lists(inner, min_size=1, max_size=2).map(tuple)),
        st.builds(Call, st.just("fromJSON"), inner.map(lambda operand: (operand,))),
    )


trees: st.SearchStrategy[Expr] = st.recursive(leaves, _branch, max_leaves=12)

roots = st.sampled_from([Root.INPUT, Root.SWEEP, Root.TASK_OUTPUT, Root.STATUS, Root.SELF, Root.ORGANISATION])
maps = st.dictionaries(st.sampled_from(["a", "b-c", "0", "get", "always", "error", "hidden"]), values, max_size=4)
environments = st.builds(Bindings, st.dictionaries(roots, maps), st.sampled_from([0, 1, None]))
