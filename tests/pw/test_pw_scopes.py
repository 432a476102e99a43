"""Which expressions make sense where, and what is said about the others."""

from __future__ import annotations

import pytest

from pwxc.diagnostics import Diagnostics
from pwxc.expr.types import MapOf
from pwxc.ir.expr import Root
from pwxc.ir.inputs import Input, InputType
from pwxc.source import Source
from pwxc_targets.pw.expressions import parse_expression
from pwxc_targets.pw.expressions.contexts import CONTEXTS
from pwxc_targets.pw.expressions.scopes import Names, check_expression, form_type, scope_of

FORM: MapOf = form_type(
    [
        Input(name="cluster", type=InputType.CLUSTER),
        Input(name="bucket", type=InputType.STORAGE),
        Input(name="train", type=InputType.GROUP, items=(Input(name="epochs", type=InputType.NUMBER),)),
        Input(name="workers", type=InputType.LIST, items=(Input(name="resource", type=InputType.CLUSTER),)),
    ]
)
NAMES = Names(FORM, frozenset({"web"}), frozenset({"prepare", "self"}), frozenset({"n"}))


def said(place: str, text: str, names: Names = NAMES) -> list[tuple[str, str, str, str]]:
    diagnostics = Diagnostics()
    expr = parse_expression(text, Source("x", text).span, diagnostics)
    assert expr is not None
    check_expression(expr, scope_of(place, names), diagnostics)
    return [(item.code.id, item.message, item.span.text if item.span else "", item.help) for item in diagnostics]


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("step.run", "inputs.train.epochs - 1"),
        ("step.run", "inputs.cluster.schedulerType != 'slurm'"),
        ("step.run", "inputs.bucket.uri"),
        ("step.run", "inputs.workers get env.PW_WORKFLOW_STEP_CURRENT_RETRY get resource get ip"),
        ("step.run", "needs.prepare.outputs.any && needs.self.steps.s.outputs.any && sessions.web && matrix.n.k"),
        ("step.run", "org.ANY || var.ANY || env.ANY || app.target"),
        ("job.if", "always && inputs.train.epochs == 3"),
        ("step.if", "!success()"),
        ("input.hidden", ".ignore || inputs.workers.[index].resource.ip == '' || org.X"),
        ("input.default", ".hidden && 'a' || 'b'"),
        ("job.ssh", "needs.prepare.outputs.host"),
        ("strategy.matrix", "1 range inputs.train.epochs + 1"),
        ("configurations.inputs", "org.X"),
    ],
)
def test_what_is_in_place(place: str, text: str) -> None:
    assert said(place, text) == []


@pytest.mark.parametrize(
    ("place", "text", "expected"),
    [
        (
            "step.run",
            "a && inputs.train.epoch",
            ("PWX2206", "`inputs.train` has no `epoch`", "inputs.train.epoch", "did you mean `epochs`?"),
        ),
        (
            "step.run",
            "inputs.trian",
            ("PWX2206", "there is no `inputs.trian`", "inputs.trian", "did you mean `train`?"),
        ),
        (
            "step.with",
            "needs.prepar.outputs.x",
            (
                "PWX2207",
                "job `prepar` is not in `needs`",
                "needs.prepar.outputs.x",
                "add the job to `needs`; did you mean `prepare`?",
            ),
        ),
        ("step.run", "sessions.wbe", ("PWX2208", "there is no `sessions.wbe`", "sessions.wbe", "did you mean `web`?")),
        ("step.run", "matrix.m", ("PWX2208", "there is no `matrix.m`", "matrix.m", "known here: `n`")),
        (
            "strategy.matrix",
            "needs.prepare.outputs.x",
            ("PWX2209", "`needs.prepare.outputs.x` is not known here", "needs.prepare.outputs.x", ""),
        ),
        ("step.run", "always", ("PWX2209", "`always` is not known here", "always", "")),
        ("job.outputs", ".hidden", ("PWX2209", "`.hidden` is not known here", ".hidden", "")),
        (
            "input.hidden",
            ".hiden",
            ("PWX2208", "there is no `.hiden`", ".hiden", "did you mean `hidden`?"),
        ),
        (
            "step.run",
            "inputs.train - 1",
            ("PWX2210", "`-` needs numbers, this is a map", "inputs.train", ""),
        ),
    ],
)
def test_what_is_out_of_place(place: str, text: str, expected: tuple[str, str, str, str]) -> None:
    assert said(place, text) == [expected]


def test_nothing_is_said_of_names_that_are_not_known() -> None:
    assert said("step.run", "inputs.x.y || needs.x.outputs.y || sessions.z || matrix.w", Names()) == []


@pytest.mark.parametrize("place", sorted(CONTEXTS))
def test_how_things_ended_is_asked_by_conditions_only(place: str) -> None:
    assert (Root.STATUS in CONTEXTS[place]) == place.endswith(".if")


@pytest.mark.parametrize("place", sorted(CONTEXTS))
def test_nothing_of_a_run_is_known_in_the_form(place: str) -> None:
    if place.startswith("input."):
        assert CONTEXTS[place] <= {Root.INPUT, Root.ROW, Root.SELF, Root.ORGANISATION, Root.APP}
