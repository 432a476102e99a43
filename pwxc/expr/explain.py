"""Syntax errors in plain words: what was found, what was expected there, and what was probably meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from lark.exceptions import UnexpectedInput


@attrs.frozen
class Failure:
    """Why a text is no expression: what is wrong with `text[low:high]`, and what to do."""

    low: int
    high: int
    message: str
    help: str = ""
    too_large: bool = False


_EXPECTED = {
    "STRING": "a value",
    "RPAR": "`)`",
    "RSQB": "`]`",
    "COMMA": "`,`",
    "COLON": "`:`",
    "EQUALITY": "an operator",
    "$END": "the end",
}
"""For the terminals that tell most, in the order in which they are named."""

_MEANT = {
    "=": "equality is written `==`",
    "&": "`and` is written `&&`",
    "|": "`or` is written `||`",
    "%": "there is no remainder operator; compute the value in a script",
    "~": "`not` is written `!`",
    "^": "a power is written `**`",
    "and": "`and` is written `&&`",
    "or": "`or` is written `||`",
    "not": "`not` is written `!`",
    "is": "equality is written `==`",
    "if": "a choice is written `condition ? value : other`",
    ":": "a slice needs `get` before it; between `?` and `:` it needs parentheses",
    "$": "write the name alone: a shell variable is not known when expressions are evaluated",
    "{": "an expression has no braces inside",
    "}": "an expression ends with two braces",
    ",": "a list is written in brackets: `[1, 2]`",
    ".": "a path has no blanks and a name behind each dot",
    "[": "an item is taken with `get`: `list get 0`",
    "\\": "text in quotes has no escapes",
}


def explain(fault: UnexpectedInput, text: str) -> Failure:
    """Say why lark could not go on."""
    from lark.exceptions import UnexpectedToken

    at = fault.pos_in_stream or 0
    expected = _expected(fault)
    if isinstance(fault, UnexpectedToken) and fault.token.type == "$END":
        # lark gives the end the place of the last token: what the expression ends too early after
        low, high = fault.token.start_pos or 0, fault.token.end_pos or len(text)
        return Failure(low, high, f"the expression ends where {expected} should follow")
    if text[at] in "'\"":
        message = "the text that begins here has no closing quote"
        return Failure(at, len(text.rstrip()), message, "close it with the same kind of quote; there are no escapes")
    found = str(fault.token) if isinstance(fault, UnexpectedToken) else text[at]
    return Failure(at, at + len(found), f"expected {expected}, found `{found}`", _MEANT.get(found, ""))


def _expected(fault: UnexpectedInput) -> str:
    parser = getattr(fault, "interactive_parser", None)
    accepted = parser.accepts() if parser is not None else set()
    words = [word for terminal, word in _EXPECTED.items() if terminal in accepted]
    if not words:
        # what was found made lark close all that was open: nothing can follow
        return "the end"
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last
