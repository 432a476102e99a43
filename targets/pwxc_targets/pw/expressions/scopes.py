"""What an expression can refer to at a place of a workflow, and what is said when it refers to something else."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import attrs

from pwxc.diagnostics import Code, Diagnostics
from pwxc.expr.check import Fault, Finding, Scope, check
from pwxc.expr.types import OPEN, Kind, MapOf, Type, type_of_inputs
from pwxc.ir.expr import Expr, Ref, Root
from pwxc.ir.inputs import Input, InputType
from pwxc_targets.pw.expressions import codes as C  # noqa: N812
from pwxc_targets.pw.expressions.contexts import CONTEXTS, RUNTIME
from pwxc_targets.pw.expressions.references import CONTEXTS as WORDS
from pwxc_targets.pw.expressions.references import STATUS_WORDS, spell

CLUSTER = MapOf(
    dict.fromkeys(
        ("id", "ip", "name", "namespace", "user", "type", "provider", "schedulerType", "uri"),
        Kind.TEXT,
    ),
    open=True,
)
"""A resource object (pw.md §9.5). It is open: the platform adds fields, and a list of clusters is one too."""

_SELF = MapOf(dict.fromkeys(("hidden", "ignore"), Kind.ANYTHING))
_STATUS = MapOf(dict.fromkeys(STATUS_WORDS, Kind.BOOLEAN))


@attrs.frozen
class Names:
    """The names that a workflow declares; None where it is not known what there is."""

    form: MapOf = OPEN
    sessions: frozenset[str] | None = None
    needs: frozenset[str] | None = None
    """The jobs that the present job waits for, and the job itself."""
    matrix: frozenset[str] | None = None


def form_type(inputs: Iterable[Input], flattened: Callable[[Input], bool] = lambda group: False) -> MapOf:
    """Give the type of `inputs` for a form."""
    return type_of_inputs(inputs, {InputType.CLUSTER: CLUSTER, InputType.STORAGE: OPEN}, flattened)


def scope_of(place: str, names: Names) -> Scope:
    """Give what is known at a place, which is a key of `contexts.CONTEXTS`; elsewhere it is what a step knows."""
    types: dict[Root, Type] = {
        Root.INPUT: names.form,
        Root.ROW: names.form,
        Root.SESSION: _declared(names.sessions, Kind.TEXT),
        Root.TASK_OUTPUT: _declared(names.needs, Kind.ANYTHING),
        Root.SWEEP: _declared(names.matrix, Kind.ANYTHING),
        Root.ATTEMPT: Kind.NUMBER,
        Root.STATUS: _STATUS,
        Root.SELF: _SELF,
    }
    return Scope({root: types.get(root, OPEN) for root in CONTEXTS.get(place, RUNTIME)})


def _declared(names: frozenset[str] | None, type: Type) -> MapOf:
    return OPEN if names is None else MapOf(dict.fromkeys(names, type))


def check_expression(expr: Expr, scope: Scope, diagnostics: Diagnostics) -> None:
    """Say what is wrong with an expression in a scope."""
    for finding in check(expr, scope, _spell):
        code = _code(finding)
        message, hint = finding.message, finding.help
        if code is C.JOB_NOT_NEEDED:
            message = f"job `{finding.name}` is not in `needs`"
            hint = "add the job to `needs`" + (f"; {hint}" if hint else "")
        diagnostics.add(code, message, finding.span, help=hint)


def _code(finding: Finding) -> Code:
    match finding.fault, finding.root:
        case Fault.NO_SUCH_NAME, Root.TASK_OUTPUT:
            return C.JOB_NOT_NEEDED
        case Fault.NO_SUCH_NAME, Root.INPUT | Root.ROW:
            return C.UNKNOWN_INPUT
        case Fault.NO_SUCH_NAME, _:
            return C.UNKNOWN_NAME
        case Fault.OUT_OF_PLACE, _:
            return C.CONTEXT_NOT_HERE
        case Fault.NO_SUCH_CHOICE, _:
            return C.NO_SUCH_CHOICE
    return C.WRONG_OPERAND


def _spell(ref: Ref) -> str:
    spelled = spell(ref) if ref.path or ref.root in WORDS else None
    return ".".join((spelled[0], *spelled[1])) if spelled else ".".join((str(ref.root), *ref.path))
