"""What an `if` means: which outcomes of what came before it asks for, and what remains to be tested (pw.md §11).

An `if` without a status word is read as `completed && (…)`: no source says whether it replaces the default, and
every file that we have seen means the same under both readings.
"""

from __future__ import annotations

from pwxc.ir.expr import Binary, Expr, Literal, Ref, Root, refs
from pwxc.ir.task import Outcome

_OUTCOMES = {"completed": Outcome.SUCCESS, "always": Outcome.END}


def has_status(expr: Expr) -> bool:
    """Whether an expression looks at how something ended."""
    return any(ref.root is Root.STATUS for ref in refs(expr))


def status_word(expr: Expr) -> str | None:
    """Give the status word that an expression is, if it is one."""
    return expr.path[0] if isinstance(expr, Ref) and expr.root is Root.STATUS else None


def read_job_condition(expr: Expr | None, parents: int) -> tuple[Outcome, Expr | None]:
    """Give what all edges of a job ask for, and the condition that is tested besides.

    `error` with one parent is an edge on its failure; with several it is true when *one* has failed, which no edge
    can say, so the job waits for all to end and tests.
    """
    if expr is None:
        return Outcome.SUCCESS, None
    if not has_status(expr):
        return Outcome.SUCCESS, _unless_true(expr)
    word, rest = _split(expr)
    if rest is not None and has_status(rest):
        word = None
    if word in _OUTCOMES:
        return _OUTCOMES[word], rest
    if word == "error" and parents == 1:
        return Outcome.FAILURE, rest
    if word == "never":
        return Outcome.END, Literal(False, span=expr.span)
    return Outcome.END, expr


def read_step_condition(expr: Expr | None) -> Expr | None:
    """Give a step's condition; None when it is that nothing has failed so far."""
    if expr is None or status_word(expr) == "completed":
        return None
    if has_status(expr):
        return Literal(False, span=expr.span) if status_word(expr) == "never" else expr
    rest = _unless_true(expr)
    if rest is None or (isinstance(rest, Literal) and not rest.value):
        return rest
    return Binary("&&", Ref(Root.STATUS, ("completed",)), rest, span=expr.span)


def _split(expr: Expr) -> tuple[str | None, Expr | None]:
    """Take a status word off the front of a conjunction."""
    if (word := status_word(expr)) is not None:
        return word, None
    if isinstance(expr, Binary) and expr.operator == "&&":
        word, rest = _split(expr.left)
        if word is not None:
            return word, expr.right if rest is None else Binary("&&", rest, expr.right, span=expr.span)
        if (word := status_word(expr.right)) is not None:
            return word, expr.left
    return None, expr


def _unless_true(expr: Expr) -> Expr | None:
    return None if isinstance(expr, Literal) and expr.value is True else expr
