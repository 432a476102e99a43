"""Conditions as tests of bash."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pwxc.expr.fold import fold
from pwxc.expr.place import rebuild
from pwxc.expr.values import as_text
from pwxc.ir.expr import Binary, Conditional, Expr, Listing, Literal, Ref, Root, Unary, Undefined, operands
from pwxc.shell import quote
from pwxc_targets.torc.writing.holes import Holes
from pwxc_targets.torc.writing.state import Writing

IN_TASK = {"always": ":", "completed": '[ "$rc" -eq 0 ]', "error": '[ "$rc" -ne 0 ]'}
"""What the status words mean between the steps of a script that keeps its first failure in `rc`."""


class UnsupportedError(Exception):
    """A condition that bash cannot work out."""


def settled(writing: Writing, expr: Expr) -> Expr:
    """Put in the inputs' values; those without one count as never given."""
    return fold(_without_inputs(fold(expr, writing.known)))


def _without_inputs(expr: Expr) -> Expr:
    if isinstance(expr, Ref):
        return Undefined() if expr.root is Root.INPUT else expr
    parts = operands(expr)
    return rebuild(expr, [_without_inputs(part) for part in parts]) if parts else expr


class Tests:
    """Turns conditions into tests; `status` has the commands for the status words."""

    def __init__(self, holes: Holes, status: Mapping[str, str]) -> None:
        self.holes, self.status = holes, status

    def test(self, expr: Expr) -> str:
        """Give a command that succeeds when a condition holds.

        Raises:
            UnsupportedError: bash cannot work it out.
        """
        match expr:
            case Literal(value=value):
                return ":" if value not in ("", 0, False, None) else "false"
            case Undefined():
                return "false"
            case Ref(root=Root.STATUS, path=path):
                return self.status.get(path[0], "false")
            case Ref():
                word = self.word(expr)
                return f"[[ -n {word} && {word} != false && {word} != 0 ]]"
            case Unary(operator="!"):
                return f"! {{ {self.test(expr.operand)}; }}"
            case Conditional():
                then, otherwise = self.test(expr.then), self.test(expr.otherwise)
                return f"if {self.test(expr.test)}; then {then}; else {otherwise}; fi"
            case Binary():
                return self._binary(expr)
        raise UnsupportedError

    def _binary(self, expr: Binary) -> str:
        match expr.operator:
            case "&&" | "||":
                return f"{{ {self.test(expr.left)} {expr.operator} {self.test(expr.right)}; }}"
            case "==" | "!=":
                return f"[[ {self.word(expr.left)} {expr.operator} {self.word(expr.right)} ]]"
            case "<" | "<=" | ">" | ">=":
                sides = f"{self.word(expr.left)} {self.word(expr.right)}"
                return f"awk 'BEGIN {{ exit !(ARGV[1] + 0 {expr.operator} ARGV[2] + 0) }}' {sides}"
            case "in":
                return self._member(expr.left, expr.right)
            case "includes":
                return f"[[ {self.word(expr.left)} == *{self.word(expr.right)}* ]]"
            case "!in" | "!includes":
                return f"! {{ {self._binary(Binary(expr.operator[1:], expr.left, expr.right))}; }}"
        raise UnsupportedError

    def _member(self, part: Expr, whole: Expr) -> str:
        if not isinstance(whole, Listing):
            raise UnsupportedError
        word = self.word(part)
        tests = " || ".join(f"[[ {word} == {self.word(item)} ]]" for item in whole.items)
        return f"{{ {tests or 'false'}; }}"

    def word(self, expr: Expr) -> str:
        """Give the value of an expression as a word.

        Raises:
            UnsupportedError: bash cannot work it out.
        """
        match expr:
            case Literal(value=value):
                return quote(as_text(value))
            case Undefined():
                return "''"
            case Ref(root=Root.STATUS):
                raise UnsupportedError
            case Ref():
                inline = self.holes.inline(expr)
                return f'"{self.holes.variable(expr)[1]}"' if inline is None else quote(inline)
        raise UnsupportedError


def is_constant(expr: Any) -> bool:
    """Whether a settled condition has a value already."""
    return isinstance(expr, Literal | Undefined)
