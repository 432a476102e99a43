"""Template texts as trees, by the grammar `jinja.lark`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pwxc_targets.osmo.symbolic.tree import (
    Assignment,
    Attribute,
    Binary,
    Branch,
    Call,
    Choice,
    Comparison,
    Condition,
    Const,
    Expression,
    Filter,
    Item,
    Joined,
    Listing,
    Logic,
    Loop,
    Name,
    Not,
    NotInSubsetError,
    Print,
    Statement,
    Test,
    Text,
    Unary,
)

if TYPE_CHECKING:
    from lark import Token

LONGEST = 4_000_000
"""How many characters a template may have."""
MOST_TAGS = 40_000

_RAW = re.compile(r"(\{%[-+]?\s*raw\s*(?:-%\}\s*|%\}))(.*?)\{%([-+]?)\s*endraw\s*(?:\+%\}|-%\}\s*|%\})", re.DOTALL)
_CONSTANTS = {"true": True, "True": True, "false": False, "False": False, "none": None, "None": None}
_RESERVED = frozenset({"self", "super", "caller", "varargs", "kwargs"})

Body = tuple[Statement, ...]


@lru_cache(maxsize=8)
def parse(text: str) -> Body:
    """Give the statements of a template.

    Raises:
        NotInSubsetError: the template uses more than the subset, or is none.
    """
    from lark.exceptions import UnexpectedInput, VisitError

    from pwxc_grammars import load

    if len(text) > LONGEST or text.count("{%") + text.count("{{") > MOST_TAGS:
        raise NotInSubsetError("a template of this size")
    try:
        return load("jinja", "template", _BUILDER).parse(text)  # type: ignore[return-value]
    except UnexpectedInput as fault:
        at = fault.pos_in_stream or 0
        raise NotInSubsetError(_what(text, at), at, at + 1) from None
    except VisitError as fault:
        if isinstance(fault.orig_exc, NotInSubsetError):
            raise fault.orig_exc from None
        raise


_TAG = re.compile(r"\{%[-+]?\s*(\w+)")


def _what(text: str, at: int) -> str:
    """Name the tag in which the grammar gave up."""
    opening = max(text.rfind("{%", 0, at + 2), text.rfind("{{", 0, at + 2))
    tag = _TAG.match(text, opening) if opening >= 0 else None
    return f"`{{% {tag[1]} %}}`" if tag is not None else "this expression"


def bind_tokens(body: Body, tokens: Mapping[str, str]) -> Body:
    """Make plain text of the special tokens' placeholders that are printed."""
    if not tokens:
        return body
    made: list[Statement] = []
    for statement in body:
        match statement:
            case Print(Name(name)) if name in tokens:
                made.append(Text(tokens[name], statement.start))
            case Loop():
                inner = bind_tokens(statement.body, tokens), bind_tokens(statement.otherwise, tokens)
                made.append(_changed(statement, body=inner[0], otherwise=inner[1]))
            case Condition():
                branches = tuple(Branch(one.test, bind_tokens(one.body, tokens)) for one in statement.branches)
                made.append(_changed(statement, branches=branches))
            case _:
                made.append(statement)
    return tuple(made)


def _changed(statement: Any, **fields: Any) -> Any:
    import attrs

    return attrs.evolve(statement, **fields)


def _string(token: str) -> str:
    """Read a text as Jinja does."""
    return token[1:-1].encode("ascii", "backslashreplace").decode("unicode-escape")


def _start(token: Token) -> int:
    return token.start_pos or 0


def _end(token: Token) -> int:
    """Give where a closing ends, the white space that it takes along left out."""
    return _start(token) + len(token.rstrip())


class _Builder:
    """Makes nodes while lark parses: a method for each rule of the grammar."""

    def template(self, parts: list[Any]) -> Body:
        return tuple(part for part in parts if part is not None)

    body = template

    def text(self, parts: list[Token]) -> Text | None:
        (token,) = parts
        text, start = str(token), _start(token)
        if token.type == "COMMENT":
            return None
        if token.type == "RAW":
            raw = _RAW.fullmatch(text)
            assert raw is not None
            text, start = raw[2].rstrip() if raw[3] == "-" else raw[2], start + len(raw[1])
        elif token.type == "CUT":
            text = text.rstrip()
        return Text(text, start) if text else None

    def print(self, parts: list[Any]) -> Print:
        opening, value, closing = parts
        return Print(value, _start(opening), _end(closing))

    def condition(self, parts: list[Any]) -> Condition:
        opening, test, closing, body, *others = parts
        further = [other for other in others if isinstance(other, Branch)]
        return Condition((Branch(test, body), *further), _start(opening), _end(closing))

    def elif_(self, parts: list[Any]) -> Branch:
        return Branch(parts[1], parts[3])

    def else_(self, parts: list[Any]) -> Branch:
        return Branch(None, parts[2])

    def loop(self, parts: list[Any]) -> Loop:
        opening, targets, values, *rest = parts
        when = rest.pop(0) if len(rest) > 1 and not _is_token(rest[0]) else None
        closing, body, *others = rest
        otherwise = next((other.body for other in others if isinstance(other, Branch)), ())
        word = _start(opening) + len(opening) - len("for")
        return Loop(targets, values, when, body, otherwise, _start(opening), _end(closing), word)

    def target(self, parts: list[Token]) -> tuple[str, ...]:
        names = tuple(str(part) for part in parts)
        if "loop" in names or any(name in _CONSTANTS for name in names) or len(set(names)) < len(names):
            raise NotInSubsetError("this loop's target")
        return names

    def assignment(self, parts: list[Any]) -> Assignment:
        opening, name, value, closing = parts
        if name in _CONSTANTS or name == "loop":
            raise NotInSubsetError(f"a value for `{name}`", _start(opening), _end(closing))
        return Assignment(str(name), value, _start(opening), _end(closing))

    # expressions

    def choice(self, parts: list[Expression]) -> Choice:
        return Choice(parts[0], parts[1], parts[2] if len(parts) > 2 else None)

    def logic(self, parts: list[Any]) -> Logic:
        left, operator, right = parts
        return Logic(str(operator), left, right)

    def denial(self, parts: list[Any]) -> Not:
        return Not(parts[1])

    def comparison(self, parts: list[Any]) -> Comparison:
        operators = [" ".join(operator.split()) for operator in parts[1::2]]
        return Comparison(parts[0], tuple(zip(operators, parts[2::2], strict=True)))

    def binary(self, parts: list[Any]) -> Binary:
        left, operator, right = parts
        return Binary(str(operator), left, right)

    def joined(self, parts: list[Expression]) -> Joined:
        return Joined(tuple(parts))

    def filter(self, parts: list[Any]) -> Filter:
        value, name, *arguments = parts
        given, named = arguments[0] if arguments else ((), ())
        return Filter(value, str(name), given, named)

    def test(self, parts: list[Any]) -> Test:
        value, word, name, *arguments = parts
        given: tuple[Expression, ...] = ()
        if arguments:
            given, named = arguments[0] if isinstance(arguments[0], tuple) else ((arguments[0],), ())
            if named:
                raise NotInSubsetError(f"the test `{name}`")
        return Test(value, str(name), given, negated=str(word) != "is")

    def arguments(self, parts: list[Any]) -> tuple[tuple[Expression, ...], tuple[tuple[str, Expression], ...]]:
        given = [part for part in parts if not isinstance(part, tuple)]
        named = [part for part in parts if isinstance(part, tuple)]
        if parts != [*given, *named] or len({name for name, _ in named}) < len(named):
            raise NotInSubsetError("these arguments")
        return tuple(given), tuple(named)

    def named(self, parts: list[Any]) -> tuple[str, Expression]:
        return str(parts[0]), parts[1]

    def unary(self, parts: list[Any]) -> Unary:
        return Unary(str(parts[0]), parts[1])

    def attribute(self, parts: list[Any]) -> Attribute:
        return Attribute(parts[0], str(parts[1]))

    def item(self, parts: list[Expression]) -> Item:
        return Item(parts[0], parts[1])

    def call(self, parts: list[Any]) -> Call:
        callee, (given, named) = parts
        if not named and isinstance(callee, Name) and callee.name == "range":
            return Call("range", given)
        if not named and isinstance(callee, Attribute) and callee.name == "format" and isinstance(callee.value, Const):
            return Call("format", (callee.value, *given))
        raise NotInSubsetError("a call")

    def name(self, parts: list[Token]) -> Const | Name:
        word = str(parts[0])
        if word in _RESERVED:
            raise NotInSubsetError(f"`{word}`", _start(parts[0]), _end(parts[0]))
        return Const(_CONSTANTS[word]) if word in _CONSTANTS else Name(word)

    def string(self, parts: list[Token]) -> Const:
        return Const("".join(_string(part) for part in parts))

    def integer(self, parts: list[Token]) -> Const:
        if len(parts[0]) > 18:
            raise NotInSubsetError("a number of this size", _start(parts[0]), _end(parts[0]))
        return Const(int(parts[0]))

    def float(self, parts: list[Token]) -> Const:
        return Const(float(parts[0]))

    def listing(self, parts: list[Expression]) -> Listing:
        return Listing(tuple(parts))

    def listing_in_parentheses(self, parts: list[Expression]) -> Listing:
        return Listing(tuple(parts), is_tuple=True)


def _is_token(value: object) -> bool:
    return hasattr(value, "start_pos")


_BUILDER = _Builder()
