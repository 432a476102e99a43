"""Expressions over inputs and sweeps in Jinja's words; None for what it cannot say with the same meaning."""

from __future__ import annotations

from collections.abc import Callable

from pwxc.expr.values import as_text, truth
from pwxc.ir.expr import Binary, Call, Conditional, Expr, Listing, Literal, Ref, Root, Unary, Undefined
from pwxc_targets.osmo.writing.escape import jinja_text

Spell = Callable[[Ref], str | None]
"""Gives the Jinja expression of a reference, or None."""


class Jinja:
    """Prints expressions; every value is compared as the text that it prints.

    With `own` the expressions are this language's own: a value is true and a number when Python takes it for one.
    """

    def __init__(self, spell: Spell, *, own: bool = False) -> None:
        self.spell = spell
        self.own = own

    def value(self, expr: Expr) -> str | None:
        """Give an expression whose value is the text that the hole prints."""
        match expr:
            case Literal() | Undefined():
                return jinja_text(as_text(getattr(expr, "value", None)))
            case Ref():
                spelled = self.spell(expr)
                return None if spelled is None else f"({spelled} | string)"
            case Conditional():
                return _chosen(self.test(expr.test), self.value(expr.then), self.value(expr.otherwise))
            case Binary("&&", left, right):
                return _chosen(self.test(left), self.value(right), self.value(left))
            case Binary("||", left, right):
                return _chosen(self.test(left), self.value(left), self.value(right))
            case Binary("+", left, right) if _is_text(left) or _is_text(right):
                return _joined("~", self.value(left), self.value(right))
            case Binary("+" | "-" | "*" | "//", left, right) if self.own:
                return _joined(expr.operator, self._own_number(left), self._own_number(right))
            case Call("format", (Ref(Root.SWEEP) as ref, Literal(str() as form))):
                spelled = self.spell(ref)
                kind = " | float" if form[-1:] in tuple("eEfFgG%") else " | int" if form[-1:] in tuple("bdoxX") else ""
                return None if spelled is None else f"'{{:{form}}}'.format({spelled}{kind})"
        return None

    def test(self, expr: Expr) -> str | None:
        """Give an expression that is true when this one counts as true."""
        match expr:
            case Literal() | Undefined():
                return "true" if truth(getattr(expr, "value", None)) else "false"
            case Unary("!", operand):
                inner = self.test(operand)
                return None if inner is None else f"(not {inner})"
            case Binary("&&", left, right):
                return _joined("and", self.test(left), self.test(right))
            case Binary("||", left, right):
                return _joined("or", self.test(left), self.test(right))
            case Binary("==" | "!=", left, right):
                return _joined(expr.operator, self.value(left), self.value(right))
            case Binary("<" | "<=" | ">" | ">=", left, right):
                return _joined(expr.operator, self._number(left), self._number(right))
            case Binary("includes", left, right):
                return _joined("in", self.value(right), self.value(left))
            case Binary("!includes", left, right):
                return _joined("not in", self.value(right), self.value(left))
            case Binary("in" | "!in", left, Listing(items)):
                listed = [self.value(item) for item in items]
                whole = None if None in listed else f"[{', '.join(item for item in listed if item is not None)}]"
                return _joined("in" if expr.operator == "in" else "not in", self.value(left), whole)
            case Ref() if self.own:
                return self.spell(expr)
            case Ref() | Conditional():
                value = self.value(expr)
                return None if value is None else f"({value} not in ('', '0', 'false'))"
        return None

    def _own_number(self, expr: Expr) -> str | None:
        if isinstance(expr, Ref):
            return self.spell(expr)
        if isinstance(expr, Literal) and isinstance(expr.value, int) and not isinstance(expr.value, bool):
            return repr(expr.value)
        return self.value(expr) if isinstance(expr, Binary) else None

    def _number(self, expr: Expr) -> str | None:
        if isinstance(expr, Literal) and isinstance(expr.value, int | float):
            return repr(expr.value)
        value = self.value(expr)
        return None if value is None else f"({value} | float)"


def _is_text(expr: Expr) -> bool:
    return isinstance(expr, Literal) and isinstance(expr.value, str)


def _joined(operator: str, left: str | None, right: str | None) -> str | None:
    return None if left is None or right is None else f"({left} {operator} {right})"


def _chosen(test: str | None, then: str | None, otherwise: str | None) -> str | None:
    if test is None or then is None or otherwise is None:
        return None
    return f"({then} if {test} else {otherwise})"
