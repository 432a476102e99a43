"""What the holes of scripts are: expressions that the platform fills, or variables that the script sets."""

from __future__ import annotations

import re

from pwxc.ir.expr import Expr, Ref, Root
from pwxc.ir.inputs import InputType
from pwxc.shell import is_variable_name
from pwxc_targets.pw.expressions import print_expression
from pwxc_targets.pw.names import quote_always
from pwxc_targets.pw.writing.spelling import Spelling

_OPENING = re.compile(r"\$(?=\{\{|<<)")
RUN_ID = "${PW_RUN_SLUG:-${PW_JOB_DIR##*/}}"
ATTEMPT = "${tries-${PW_WORKFLOW_STEP_CURRENT_RETRY-0}}"
"""The number of the attempt: that of a script's own loop, or of the platform's; both count from 0."""
_TAME = frozenset({InputType.INTEGER, InputType.NUMBER, InputType.BOOLEAN})


class NativeNames:
    """The names of one task's holes (`pwxc.shell.Names`), for templates that `Spelling.expand` has gone over."""

    def __init__(self, spelling: Spelling) -> None:
        self.spelling = spelling

    def inline(self, expr: Expr) -> str | None:
        """Give the `${{ … }}` text of a hole that the platform replaces."""
        return "${{ " + print_expression(expr) + " }}" if self.spelling.is_inline(expr) else None

    def is_tame(self, expr: Expr) -> bool:
        """Whether the hole is a number or a boolean of the form, or a value of the matrix that is a plain word."""
        if not isinstance(expr, Ref):
            return False
        if expr.root is Root.SWEEP:
            return expr.path in self.spelling.tame
        item = self.spelling.writing.inputs.get(expr.path) if expr.root is Root.INPUT else None
        return item is not None and item.type in _TAME

    def variable(self, expr: Expr) -> tuple[str, str]:
        """Give the mark and the shell expression of a run-time hole; one that has none (`is_known`) is empty."""
        if not isinstance(expr, Ref):
            return "nothing", ""
        name = expr.path[0] if expr.path else ""
        match expr.root:
            case Root.RUN_FOLDER:
                return "run", "${PW_JOB_DIR:-$PWD}"
            case Root.RUN_ID:
                return "run_id", RUN_ID
            case Root.SWEEP_INDEX:
                return "index", "${PW_MATRIX_INDEX-}"
            case Root.ATTEMPT:
                return "attempt", ATTEMPT
            case Root.ENVIRONMENT if is_variable_name(name):
                return f"variable:{name}", f"${{{name}-}}"
        return "nothing", ""

    def is_known(self, expr: Expr) -> bool:
        """Whether a hole has a value here at all."""
        return self.inline(expr) is not None or self.variable(expr)[1] != ""

    def protect(self, text: str) -> str | None:
        """Quote text in which the platform would see an expression, with the opening broken up (pw.md §10)."""
        if _OPENING.search(text) is None:
            return None
        return "'$'".join(quote_always(piece) for piece in _OPENING.split(text))
