"""Expressions as the platform writes them, with no more parentheses than are needed (pw.md §10.1)."""

from __future__ import annotations

import math

from pwxc.ir.expr import (
    Binary,
    Call,
    Conditional,
    Expr,
    Index,
    Listing,
    Literal,
    Ref,
    Slice,
    Unary,
    Undefined,
    operands,
)
from pwxc_targets.pw.expressions.references import FUNCTIONS, INCOMPLETE, PATH, UNKNOWN, spell

_LEVELS = {
    "?": 1,
    "??": 2,
    "||": 3,
    "&&": 4,
    **dict.fromkeys(("==", "!="), 5),
    **dict.fromkeys(("<", ">", "<=", ">=", "in", "!in", "includes", "!includes"), 6),
    "get": 7,
    "range": 8,
    **dict.fromkeys("+-", 9),
    **dict.fromkeys(("*", "/", "//"), 10),
    "**": 11,
    "unary": 12,
}
"""How tightly an operator binds; what needs no parentheses anywhere binds tightest."""
_TIGHTEST = 13

_EQUALITIES = {"==": "===", "!=": "!=="}
_LITERALS = {True: "true", False: "false", None: "null"}
_CLOSERS = ("${{", "}}", "$<<")
"""What a text in quotes must not hold: the platform looks for the end of an expression first (uncertain)."""


class UnspellableError(ValueError):
    """The platform has no expression for a part of a tree; `expr` is that part."""

    def __init__(self, expr: Expr) -> None:
        super().__init__(f"no expression for {expr}")
        self.expr = expr


def print_expression(expr: Expr) -> str:
    """Write an expression, without delimiters.

    Raises:
        UnspellableError: it refers to something, or uses an operator, that the platform does not have. A writer that
            cannot rule this out asks `unspellable` first.
    """
    return _Printer().write(expr, 0)


def unspellable(expr: Expr) -> list[Expr]:
    """Give the parts of an expression that the platform has no words for, from left to right."""
    own = [] if _is_spellable(expr) else [expr]
    return own + [found for part in operands(expr) for found in unspellable(part)]


def _is_spellable(expr: Expr) -> bool:
    match expr:
        case Ref():
            return spell(expr) is not None
        case Unary():
            return expr.operator in ("!", "-")
        case Binary():
            return expr.operator in _LEVELS and expr.operator not in ("?", "get", "range", "unary")
        case Call():
            return expr.function in FUNCTIONS or UNKNOWN in expr.spelling
        case Literal():
            return not (isinstance(expr.value, float) and math.isnan(expr.value))
    return True


class _Printer:
    """Writes one expression; `slices` says whether a slice may stand here without parentheses."""

    def __init__(self) -> None:
        self.slices = True

    def write(self, expr: Expr, level: int) -> str:
        """Write an operand where anything that binds as tightly as `level` needs no parentheses."""
        if not _is_spellable(expr):
            raise UnspellableError(expr)
        if isinstance(expr, Literal) and isinstance(expr.value, str) and not _is_verbatim(expr):
            expr = _sum(_quotable(expr.value))
        if _level(expr) >= level and (self.slices or not isinstance(expr, Slice)):
            return self._bare(expr)
        return f"({self._inside(expr)})"

    def _inside(self, expr: Expr) -> str:
        outer, self.slices = self.slices, True
        written = self.write(expr, 0)
        self.slices = outer
        return written

    def _bare(self, expr: Expr) -> str:
        match expr:
            case Literal():
                return _literal(expr)
            case Undefined():
                return "undefined"
            case Ref():
                return _reference(expr)
            case Unary():
                return expr.operator + self.write(expr.operand, _LEVELS["unary"])
            case Binary():
                return self._binary(expr)
            case Conditional():
                return self._conditional(expr)
            case Index():
                return f"{self.write(expr.value, _LEVELS['get'])} get {self.write(expr.key, _LEVELS['range'])}"
            case Slice():
                return self._slice(expr)
            case Listing():
                return f"[{', '.join(self._inside(item) for item in expr.items)}]"
            case Call():
                return self._call(expr)

    def _binary(self, expr: Binary) -> str:
        level = _LEVELS[expr.operator]
        left, right = (level + 1, level) if expr.operator == "**" else (level, level + 1)
        written = expr.operator
        if _EQUALITIES.get(written) in expr.spelling:
            written = _EQUALITIES[written]
        return f"{self.write(expr.left, left)} {written} {self.write(expr.right, right)}"

    def _conditional(self, expr: Conditional) -> str:
        test = self.write(expr.test, _LEVELS["??"])
        outer, self.slices = self.slices, False
        then = self.write(expr.then, _LEVELS["?"])
        self.slices = outer
        return f"{test} ? {then} : {self.write(expr.otherwise, _LEVELS['?'])}"

    def _slice(self, expr: Slice) -> str:
        start = "" if expr.start is None else self.write(expr.start, _TIGHTEST)
        stop = "" if expr.stop is None else self.write(expr.stop, _TIGHTEST)
        return f"{self.write(expr.value, _LEVELS['get'])} get {start}:{stop}"

    def _call(self, expr: Call) -> str:
        if expr.function == "range" and len(expr.arguments) == 2:
            first, last = (self.write(part, _LEVELS["+"]) for part in expr.arguments)
            return f"{first} range {last}"
        return f"{expr.function}({', '.join(self._inside(part) for part in expr.arguments)})"


def _level(expr: Expr) -> int:
    match expr:
        case Binary():
            return _LEVELS[expr.operator]
        case Conditional():
            return _LEVELS["?"]
        case Slice(stop=None):
            # what follows an open end would be taken for the end
            return 0
        case Index() | Slice():
            return _LEVELS["get"]
        case Unary():
            return _LEVELS["unary"]
        case Call() if expr.function == "range" and len(expr.arguments) == 2:
            return _LEVELS["range"]
        case Literal() if isinstance(expr.value, int | float) and _number(expr.value).startswith("-"):
            return _LEVELS["unary"]
        case Ref() if (spelled := spell(expr)) is not None and spelled[1]:
            return _LEVELS["get"]
    return _TIGHTEST


def _reference(ref: Ref) -> str:
    spelled = spell(ref)
    if spelled is None:
        raise UnspellableError(ref)
    path, keys = spelled
    return " get ".join((path, *(print_expression(Literal(key)) for key in keys)))


def _literal(expr: Literal) -> str:
    value = expr.value
    if value is None or isinstance(value, bool):
        return _LITERALS[value]
    if isinstance(value, int | float):
        return _number(value)
    if _is_verbatim(expr):
        return value
    return f'"{value}"' if "'" in value else f"'{value}'"


def _is_verbatim(expr: Literal) -> bool:
    marked = UNKNOWN in expr.spelling or INCOMPLETE in expr.spelling
    return marked and PATH.fullmatch(str(expr.value)) is not None


def _number(value: int | float) -> str:
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return "1e999" if value > 0 else "-1e999"
    return str(value) if isinstance(value, bool | int) else repr(value)


def _quotable(text: str) -> list[str]:
    """Cut a text into pieces that each can stand in quotes: there are no escapes."""
    pieces = [""]
    for character in text:
        longer = pieces[-1] + character
        if ("'" in longer and '"' in longer) or longer.endswith(_CLOSERS):
            pieces.append(character)
        else:
            pieces[-1] = longer
    return pieces


def _sum(pieces: list[str]) -> Expr:
    """Join the pieces again, as a tree that is as flat as it can be."""
    if len(pieces) == 1:
        return Literal(pieces[0])
    half = (len(pieces) + 1) // 2
    return Binary("+", _sum(pieces[:half]), _sum(pieces[half:]))
