"""When the value of an expression is known (pw.md §10.5)."""

from __future__ import annotations

from enum import IntEnum

from pwxc.ir.expr import Expr, Ref, Root, refs
from pwxc.ir.template import Template


class Phase(IntEnum):
    """The moment from which a value is known; later ones are larger."""

    ALWAYS = 0
    """It depends on nothing."""
    SUBMISSION = 1
    """It is known once the inputs are given, and is the same for all instances of a task."""
    INSTANCE = 2
    """It is known at submission too, but each instance of a sweep has its own."""
    RUN = 3
    """It is known only while the workflow runs."""


_PHASES = {
    Root.INPUT: Phase.SUBMISSION,
    Root.ORGANISATION: Phase.SUBMISSION,
    Root.USER: Phase.SUBMISSION,
    Root.SESSION: Phase.SUBMISSION,
    Root.APP: Phase.SUBMISSION,
    Root.SELF: Phase.SUBMISSION,
    Root.ROW: Phase.SUBMISSION,
    Root.SWEEP: Phase.INSTANCE,
    Root.SWEEP_INDEX: Phase.INSTANCE,
}
"""The roots that are known before anything runs; all others are not."""


def phase(expr: Expr | Template) -> Phase:
    """Give the moment from which a value or a text is known: the latest of what it refers to."""
    found = refs(expr) if not isinstance(expr, Template) else expr.refs()
    return max((_phase(ref) for ref in found), default=Phase.ALWAYS)


def _phase(ref: Ref) -> Phase:
    return _PHASES.get(ref.root, Phase.RUN)


def is_static(expr: Expr | Template) -> bool:
    """Whether a value can be worked out at submission, perhaps for each instance."""
    return phase(expr) < Phase.RUN
