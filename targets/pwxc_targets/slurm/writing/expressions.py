"""Expressions as shell text: values that stand in double quotes, and tests."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from pwxc.expr.values import as_text
from pwxc.ir.expr import Binary, Conditional, Expr, Listing, Literal, Ref, Root, Unary, Undefined
from pwxc.ir.inputs import InputType
from pwxc_targets.slurm.writing.naming import Variables
from pwxc_targets.slurm.writing.quoting import in_double_quotes

BOOLEAN = "boolean"
NUMBER = "number"
TEXT = "text"
UNKNOWN = "unknown"

KINDS = {
    InputType.BOOLEAN: BOOLEAN, InputType.NUMBER: NUMBER, InputType.INTEGER: NUMBER, InputType.STRING: TEXT,
    InputType.TEXT: TEXT, InputType.CHOICE: TEXT, InputType.FILE: TEXT, InputType.SECRET: TEXT,
}  # fmt: skip

MATH = r"""
# Works a number out of two others, whatever texts they are.
math() {
  awk 'BEGIN { a = ARGV[2] + 0; b = ARGV[3] + 0; o = ARGV[1]
    if (o == "+") r = a + b; else if (o == "-") r = a - b; else if (o == "*") r = a * b
    else if (o == "**") r = a ^ b; else r = b ? a / b : 0
    if (o == "//") { n = int(r); r = n > r ? n - 1 : n }
    printf "%.15g", r }' "$1" "$2" "$3"
}
# Compares two numbers.
below() { awk 'BEGIN { exit !(ARGV[1] + 0 < ARGV[2] + 0) }' "$1" "$2"; }
"""


class UnsupportedError(Exception):
    """An expression that the shell cannot work out."""


@attrs.frozen
class Atom:
    """A value as text within double quotes, and what kind of value it is."""

    text: str
    kind: str = UNKNOWN

    @property
    def word(self) -> str:
        """The value as a word; a tilde stands by itself, for a checker takes it for a home folder that was meant."""
        if self.text.startswith("~"):
            return f"'~'\"{self.text[1:]}\""
        return f'"{self.text}"'


@attrs.define
class ShellExpressions:
    """Turns expressions into shell text; the lines that have to run before are added to `lines`."""

    variables: Variables
    kind_of: Callable[[Ref], str] = lambda ref: UNKNOWN
    status: Callable[[str], str] | None = None
    lines: list[str] = attrs.field(factory=list)
    needs_math: bool = False
    number: int = 0
    prefix: str = "PWXC_T"

    def fresh(self) -> str:
        """Give a variable that is not yet used."""
        self.number += 1
        return f"{self.prefix}{self.number}"

    def value(self, expr: Expr) -> Atom:
        """Give the value of an expression.

        Raises:
            UnsupportedError: the shell cannot work it out.
        """
        match expr:
            case Literal():
                return Atom(in_double_quotes(as_text(expr.value)), _kind(expr.value))
            case Undefined():
                return Atom("", TEXT)
            case Ref(root=Root.STATUS):
                return self._truth(self.test(expr))
            case Ref():
                name = self.variables.of(expr)
                return Atom(f"${{{name}-}}", self.kind_of(expr))
            case Binary(operator="&&" | "||"):
                return self._choice(expr)
            case Binary(operator="+" | "-" | "*" | "/" | "//" | "**"):
                return self._arithmetic(expr)
            case Conditional():
                return self._conditional(expr)
            case Unary(operator="-"):
                return self._arithmetic(Binary("-", Literal(0), expr.operand))
            case Binary() | Unary():
                return self._truth(self.test(expr))
        raise UnsupportedError

    def _truth(self, test: str) -> Atom:
        name = self.fresh()
        self.lines.append(f"if {test}; then {name}=true; else {name}=false; fi")
        return Atom(f"${{{name}}}", BOOLEAN)

    def _choice(self, expr: Binary) -> Atom:
        left, right = self.value(expr.left), self.value(expr.right)
        name = self.fresh()
        then, otherwise = (right, left) if expr.operator == "&&" else (left, right)
        self.lines.append(f"if {truth(left)}; then {name}={then.word}; else {name}={otherwise.word}; fi")
        return Atom(f"${{{name}}}", left.kind if left.kind == right.kind else UNKNOWN)

    def _conditional(self, expr: Conditional) -> Atom:
        test = self.test(expr.test)
        then, otherwise = self.value(expr.then), self.value(expr.otherwise)
        name = self.fresh()
        self.lines.append(f"if {test}; then {name}={then.word}; else {name}={otherwise.word}; fi")
        return Atom(f"${{{name}}}", then.kind if then.kind == otherwise.kind else UNKNOWN)

    def _arithmetic(self, expr: Binary) -> Atom:
        left, right = self.value(expr.left), self.value(expr.right)
        if expr.operator == "+" and TEXT in (left.kind, right.kind):
            return Atom(left.text + right.text, TEXT)
        if expr.operator == "+" and UNKNOWN in (left.kind, right.kind):
            raise UnsupportedError
        self.needs_math = True
        name = self.fresh()
        self.lines.append(f"{name}=$(math '{expr.operator}' {left.word} {right.word})")
        return Atom(f"${{{name}}}", NUMBER)

    def test(self, expr: Expr) -> str:
        """Give a command that succeeds when an expression is true.

        Raises:
            UnsupportedError: the shell cannot work it out.
        """
        match expr:
            case Literal(value=value):
                return "true" if value not in ("", 0, False, None) else "false"
            case Undefined():
                return "false"
            case Ref(root=Root.STATUS, path=path):
                if self.status is None:
                    raise UnsupportedError
                return self.status(path[0])
            case Unary(operator="!"):
                return negated(self.test(expr.operand))
            case Binary(operator="&&" | "||"):
                return f"{{ {self.test(expr.left)} {expr.operator} {self.test(expr.right)}; }}"
            case Binary(operator="==" | "!="):
                left, right = self.value(expr.left), self.value(expr.right)
                return f"[[ {left.word} {expr.operator} {right.word} ]]"
            case Binary(operator="<" | "<=" | ">" | ">="):
                return self._comparison(expr)
            case Binary(operator="in" | "!in" | "includes" | "!includes"):
                return self._membership(expr)
        return truth(self.value(expr))

    def _comparison(self, expr: Binary) -> str:
        self.needs_math = True
        left, right = self.value(expr.left), self.value(expr.right)
        if expr.operator in (">", "<="):
            left, right = right, left
        turned = "! " if expr.operator in ("<=", ">=") else ""
        return f"{turned}below {left.word} {right.word}"

    def _membership(self, expr: Binary) -> str:
        turned = "! " if expr.operator.startswith("!") else ""
        whole, part = (expr.left, expr.right) if expr.operator.endswith("includes") else (expr.right, expr.left)
        sought = self.value(part)
        if isinstance(whole, Listing):
            tests = [f"[[ {sought.word} == {self.value(item).word} ]]" for item in whole.items]
            return f"{turned}{{ {' || '.join(tests) or 'false'}; }}"
        if expr.operator.endswith("includes"):
            return f"{turned}[[ {self.value(whole).word} == *{sought.word}* ]]"
        raise UnsupportedError


def negated(test: str) -> str:
    """Give a command that succeeds when another fails; bash has no double negation."""
    return test.removeprefix("! ") if test.startswith("! ") else f"! {test}"


def truth(atom: Atom) -> str:
    """Give a command that succeeds when a value counts as true."""
    match atom.kind:
        case "boolean":
            return f"[[ {atom.word} == true ]]"
        case "number":
            return f"[[ -n {atom.word} && {atom.word} != 0 ]]"
        case "text":
            return f"[[ -n {atom.word} ]]"
    return f"[[ -n {atom.word} && {atom.word} != false && {atom.word} != 0 ]]"


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return BOOLEAN
    if isinstance(value, int | float):
        return NUMBER
    return TEXT
