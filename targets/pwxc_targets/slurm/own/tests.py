"""Tests and values that the writer made of expressions, turned back."""

from __future__ import annotations

import re

from pwxc.ir.expr import Binary, Conditional, Expr, Literal, Ref, Root, Unary
from pwxc.ir.template import Template
from pwxc_targets.slurm.own.lines import Names, UnreadableError, template_of, words_of

_STATUS = {
    "true": "always", "false": "never", "((failed == 0))": "completed", "((failed))": "error",
    "! { parents failed || parents cancelled || parents skipped || missing; }": "completed",
    "{ parents failed || parents cancelled || missing; }": "error", "{ parents cancelled || missing; }": "canceled",
    "((failed == 0 && another == 0))": "completed", "((another))": "canceled",
}  # fmt: skip
_TRUTH = re.compile(r"\[\[ -n (\S+)(?: && (\S+) != false)?(?: && (\S+) != 0)? \]\]")
_CHOICE = re.compile(r"if (.*); then (PWXC_[XT]\d+)=(.*); else \2=(.*); fi", re.DOTALL)
_MATH = re.compile(r"(PWXC_[XT]\d+)=\$\(math '([^']+)' (.*)\)", re.DOTALL)


def test_of(line: str, names: Names) -> Expr:
    """Give the condition that a test stands for.

    Raises:
        UnreadableError: it is not one of the tests that are known.
    """
    if line in _STATUS:
        return Ref(Root.STATUS, (_STATUS[line],))
    if f"! {line}" in _STATUS:
        return Unary("!", Ref(Root.STATUS, (_STATUS[f"! {line}"],)))
    if line.startswith("! "):
        return Unary("!", test_of(line[2:], names))
    if line.startswith("{ ") and line.endswith("; }"):
        return _joined(line[2:-3], names)
    if (found := _TRUTH.fullmatch(line)) is not None and len({item for item in found.groups() if item}) == 1:
        return _value(found.group(1), names)
    if line.startswith("below "):
        low, high = words_of(line.removeprefix("below "))
        return Binary("<", _value(low, names), _value(high, names))
    if line.startswith("[[ ") and line.endswith(" ]]"):
        return _compared(words_of(line[3:-3]), names)
    raise UnreadableError


def _compared(words: list[str], names: Names) -> Expr:
    if len(words) != 3 or words[1] not in ("==", "!="):
        raise UnreadableError
    left, right = _value(words[0], names), _value(words[2], names)
    # a value of yes or no is compared with a bare word, a text that happens to be `true` with a quoted one
    return left if words[1:] == ["==", "true"] else Binary(words[1], left, right)


def _joined(line: str, names: Names) -> Expr:
    """Read two tests with `&&` or `||` between them: the first place at which both sides are tests."""
    for found in re.finditer(r" (&&|\|\|) ", line):
        try:
            left, right = test_of(line[: found.start()], names), test_of(line[found.end() :], names)
        except UnreadableError:
            continue
        return Binary(found.group(1), left, right)
    raise UnreadableError


def _value(word: str, names: Names) -> Expr:
    made: Template = template_of(word, names)
    if made.literal is not None:
        return Literal(made.literal)
    if made.whole is None:
        raise UnreadableError
    return made.whole


def worked_out(line: str, names: Names) -> bool:
    """Take a line that works a value out; gives whether it was one.

    Raises:
        UnreadableError: it is one, and cannot be turned back.
    """
    if (found := _MATH.fullmatch(line)) is not None:
        left, right = words_of(found.group(3))
        names[found.group(1)] = (Binary(found.group(2), _value(left, names), _value(right, names)),)
        return True
    if (found := _CHOICE.fullmatch(line)) is None:
        return False
    test, name, then, otherwise = found.groups()
    asked = test_of(test, names)
    if (then, otherwise) == ("true", "false"):
        names[name] = (asked,)
        return True
    first, second = _value(then, names), _value(otherwise, names)
    made = Conditional(asked, first, second)
    if first == asked:
        names[name] = (Binary("||", asked, second),)
    elif second == asked:
        names[name] = (Binary("&&", asked, first),)
    else:
        names[name] = (made,)
    return True
