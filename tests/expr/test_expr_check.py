"""What is wrong with expressions that can be read."""

from __future__ import annotations

import pytest

from pwxc.expr.check import Fault, Scope, check
from pwxc.expr.types import OPEN, Choices, Kind, ListOf, MapOf, type_of_inputs
from pwxc.ir.expr import Binary, Call, Conditional, Expr, Index, Listing, Literal, Ref, Root, Slice, Unary
from pwxc.ir.inputs import Choice, Input, InputType

FORM = type_of_inputs(
    [
        Input(name="name"),
        Input(name="n", type=InputType.NUMBER),
        Input(name="flag", type=InputType.BOOLEAN),
        Input(name="mode", type=InputType.CHOICE, choices=(Choice(value="fast"), Choice(value=2))),
        Input(name="later", type=InputType.CHOICE),
        Input(name="cluster", type=InputType.CLUSTER),
        Input(name="odd", type=InputType.OTHER),
        Input(
            name="outer",
            type=InputType.GROUP,
            items=(Input(name="inner", type=InputType.GROUP, items=(Input(name="deep"),)),),
        ),
        Input(name="flat", type=InputType.GROUP, items=(Input(name="beside"),)),
        Input(name="rows", type=InputType.LIST, items=(Input(name="ip"), Input(name="port", type=InputType.NUMBER))),
        Input(name="many", type=InputType.CHOICES),
    ],
    {InputType.CLUSTER: MapOf({"ip": Kind.TEXT})},
    flattened=lambda group: group.name == "flat",
)
SCOPE = Scope({Root.INPUT: FORM, Root.ROW: FORM, Root.SWEEP: OPEN, Root.ATTEMPT: Kind.NUMBER})


def given(*path: str) -> Ref:
    return Ref(Root.INPUT, path)


def faults(expr: Expr) -> list[tuple[Fault, str, str]]:
    findings = check(expr, SCOPE, lambda ref: ".".join(("in", *ref.path)))
    return [(finding.fault, finding.message, finding.help) for finding in findings]


@pytest.mark.parametrize(
    "expr",
    [
        given("name"),
        given("outer"),
        given("outer", "inner", "deep"),
        given("beside"),
        given("cluster", "ip"),
        given("odd", "what", "ever"),
        given("rows", "0", "ip"),
        Ref(Root.ROW, ("rows", "[index]", "port")),
        Index(Index(given("rows"), Ref(Root.ATTEMPT)), Literal("ip")),
        Ref(Root.SWEEP, ("any", "thing")),
        Binary("==", given("mode"), Literal("fast")),
        Binary("==", Literal("2"), given("mode")),
        Binary("!=", given("mode"), Literal("")),
        Binary("==", given("later"), Literal("x")),
        Binary("-", given("name"), Literal("5")),
        Binary("<", given("n"), Conditional(given("flag"), Literal(1), Literal(2))),
        Binary("+", given("flag"), given("rows")),
        Binary("in", given("name"), given("many")),
        Binary("in", Literal("ip"), given("cluster")),
        Slice(given("rows"), Literal(0), given("n")),
        Slice(given("name"), Literal(1)),
        Binary("-", Index(Call("range", (Literal(3),)), Literal(0)), Literal(1)),
        Binary("-", Index(Listing((Literal(1), Literal(True))), Literal(0)), Literal(1)),
    ],
    ids=repr,
)
def test_nothing_is_wrong(expr: Expr) -> None:
    assert faults(expr) == []


@pytest.mark.parametrize(
    ("expr", "fault", "message", "help"),
    [
        (
            Ref(Root.TASK_OUTPUT, ("j", "k")),
            Fault.OUT_OF_PLACE,
            "`in.j.k` is not known here",
            "",
        ),
        (given("nmae"), Fault.NO_SUCH_NAME, "there is no `in.nmae`", "did you mean `name`?"),
        (given("outer", "inner", "deeq"), Fault.NO_SUCH_NAME, "`in.outer.inner` has no `deeq`", "did you mean `deep`?"),
        (given("name", "x"), Fault.NO_SUCH_NAME, "`in.name` is a text and has no `x`", ""),
        (given("mode", "x"), Fault.NO_SUCH_NAME, "`in.mode` is a text and has no `x`", ""),
        (
            given("rows", "ip"),
            Fault.NO_SUCH_NAME,
            "`in.rows` is a list and has no `ip`",
            "a row is taken with `get`, or with `[index]` inside the list's own template",
        ),
        (
            Index(given("cluster"), Literal("ipp")),
            Fault.NO_SUCH_NAME,
            "there is no `ipp` in this map",
            "did you mean `ip`?",
        ),
        (Binary("-", given("flag"), Literal(1)), Fault.WRONG_OPERAND, "`-` needs numbers, this is a boolean", ""),
        (Binary("<", Literal(1), Literal("x")), Fault.WRONG_OPERAND, "`<` needs numbers, this is a text", ""),
        (Unary("-", given("rows")), Fault.WRONG_OPERAND, "`-` needs numbers, this is a list", ""),
        (
            Binary("!in", Literal(1), given("n")),
            Fault.WRONG_OPERAND,
            "`!in` needs a list or a map, this is a number",
            "",
        ),
        (
            Index(given("name"), Literal(0)),
            Fault.WRONG_OPERAND,
            "only a list or a map has items, this is a text",
            "",
        ),
        (Slice(given("cluster")), Fault.WRONG_OPERAND, "a slice needs a list, this is a map", ""),
        (
            Binary("!=", given("mode"), Literal("fats")),
            Fault.NO_SUCH_CHOICE,
            "`fats` is none of the options, so this always comes out the same",
            "did you mean `fast`?",
        ),
        (
            Binary("-", Binary("==", given("n"), Literal(1)), Literal(1)),
            Fault.WRONG_OPERAND,
            "`-` needs numbers, this is a boolean",
            "",
        ),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_one_thing_is_wrong(expr: Expr, fault: Fault, message: str, help: str) -> None:
    assert faults(expr) == [(fault, message, help)]


def test_all_that_is_wrong_is_said() -> None:
    expr = Conditional(given("x1"), Call("f", (given("x2"),)), Listing((given("x3"), Unary("!", given("x4")))))
    assert [message for _, message, _ in faults(expr)] == [f"there is no `in.x{n}`" for n in (1, 2, 3, 4)]


def test_types_of_a_form() -> None:
    assert FORM.fields["mode"] == Choices(frozenset({"fast", "2"}))
    assert FORM.fields["rows"] == ListOf(MapOf({"ip": Kind.TEXT, "port": Kind.NUMBER}))
    assert "flat" not in FORM.fields
