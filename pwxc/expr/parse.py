"""Text to expression trees, for every dialect whose grammar uses our names for rules and terminals.

The grammar gives the shape, the dialect says what its words mean. lark needs about 0.1 ms for an expression and the
same text comes again and again, so a tree is made once for each distinct text, with spans counted from the
beginning of that text; `place` gives an occurrence its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from math import copysign
from typing import TYPE_CHECKING, Protocol

import attrs

from pwxc.expr.explain import Failure, explain
from pwxc.expr.place import RELATIVE, depth
from pwxc.expr.values import is_number, number
from pwxc.ir.expr import Binary, Conditional, Expr, Index, Listing, Literal, Slice, Unary
from pwxc.source import Span

if TYPE_CHECKING:
    from lark import Lark, Token

LONGEST = 20_000
"""How many characters an expression may have."""
DEEPEST = 150
"""How many levels a tree may have: all that walk trees do so by recursion."""


class Vocabulary(Protocol):
    """What the words of a dialect mean."""

    operators: Mapping[str, str]
    """Operators that the IR spells differently; the dialect's own spelling is kept as a mark."""

    def load(self, callbacks: object) -> Lark:
        """Give the dialect's parser, which calls the methods of `callbacks`."""

    def name(self, text: str, span: Span) -> Expr:
        """Give what a word or a dotted path stands for."""

    def call(self, function: str, arguments: tuple[Expr, ...], span: Span) -> Expr:
        """Give what a call stands for."""


class Parser:
    """Reads the expressions of one dialect."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._builder = _Builder(vocabulary)
        self._load = vocabulary.load
        self.parse: Callable[[str], Expr | Failure] = lru_cache(maxsize=16_384)(self._parse)
        """Gives the tree of a text, with relative spans, or why there is none. Never raises."""

    def _parse(self, text: str) -> Expr | Failure:
        from lark.exceptions import UnexpectedInput

        if not text or text.isspace():
            return Failure(0, len(text), "the expression is empty", "write a value between the delimiters")
        if len(text) > LONGEST:
            message = f"the expression has {len(text):,} characters, the limit is {LONGEST:,}"
            return Failure(0, len(text), message, "compute the value in a script", too_large=True)
        try:
            expr: Expr = self._load(self._builder).parse(text)  # type: ignore[assignment]
        except UnexpectedInput as fault:
            return explain(fault, text)
        if depth(expr, DEEPEST) > DEEPEST:
            message = f"the expression is nested deeper than {DEEPEST} levels"
            return Failure(0, len(text), message, "compute the value in a script", too_large=True)
        return expr


@attrs.frozen
class _Bounds:
    """The two ends of a slice, before it is known what is sliced."""

    start: Expr | None
    stop: Expr | None
    high: int


def _between(low: int, high: int) -> Span:
    return Span(RELATIVE, low, high)


def _start(expr: Expr) -> int:
    return expr.span.start if expr.span is not None else 0


def _end(expr: Expr) -> int:
    return expr.span.end if expr.span is not None else 0


def _over(first: Expr, last: Expr) -> Span:
    return _between(_start(first), _end(last))


def _of(token: Token) -> Span:
    low = token.start_pos or 0
    return _between(low, low + len(token))


class _Builder:
    """Makes nodes while lark parses: a method for each rule of the grammar, so that no lark tree is ever built."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary

    def string(self, children: list[Token]) -> Expr:
        return Literal(str(children[0])[1:-1], span=_of(children[0]))

    def number(self, children: list[Token]) -> Expr:
        return Literal(number(str(children[0])), span=_of(children[0]))

    def name(self, children: list[Token]) -> Expr:
        return self._vocabulary.name(str(children[0]), _of(children[0]))

    def call(self, children: list[Token | Expr]) -> Expr:
        function, *arguments, end = children
        span = _between(_of(function).start, _of(end).end)  # type: ignore[arg-type]
        return self._vocabulary.call(str(function), tuple(arguments), span)  # type: ignore[arg-type]

    def listing(self, children: list[Token | Expr]) -> Expr:
        first, *items, last = children
        span = _between(_of(first).start, _of(last).end)  # type: ignore[arg-type]
        return Listing(tuple(items), span=span)  # type: ignore[arg-type]

    def parentheses(self, children: tuple[Token, Expr, Token]) -> Expr:
        first, inner, last = children
        return attrs.evolve(inner, span=_between(_of(first).start, _of(last).end))

    def unary(self, children: tuple[Token, Expr]) -> Expr:
        sign, operand = children
        span = _between(_of(sign).start, _end(operand))
        value = operand.value if isinstance(operand, Literal) else None
        if sign == "-" and isinstance(value, int | float) and is_number(value) and copysign(1, value) > 0:
            return Literal(-value, span=span)
        return Unary(str(sign), operand, span=span)

    def binary(self, children: tuple[Expr, Token, Expr]) -> Expr:
        left, token, right = children
        written = str(token)
        operator = self._vocabulary.operators.get(written, written)
        spelling = (written,) if operator != written else ()
        return Binary(operator, left, right, span=_over(left, right), spelling=spelling)

    def conditional(self, children: tuple[Expr, Expr, Token, Expr]) -> Expr:
        test, then, _, otherwise = children
        return Conditional(test, then, otherwise, span=_over(test, otherwise))

    def range(self, children: tuple[Expr, Expr]) -> Expr:
        return self._vocabulary.call("range", tuple(children), _over(*children))

    def bounds(self, children: list[Token | Expr]) -> _Bounds:
        from lark import Token

        at = next(index for index, child in enumerate(children) if isinstance(child, Token))
        start = children[0] if at == 1 else None
        stop = children[at + 1] if at + 1 < len(children) else None
        high = _end(stop) if stop is not None else _of(children[at]).end  # type: ignore[arg-type]
        return _Bounds(start, stop, high)  # type: ignore[arg-type]

    def access(self, children: tuple[Expr, Expr | _Bounds]) -> Expr:
        value, key = children
        if isinstance(key, _Bounds):
            return Slice(value, key.start, key.stop, span=_between(_start(value), key.high))
        return Index(value, key, span=_over(value, key))
