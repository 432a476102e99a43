"""ACTIVATE's expressions, read and worked out straight from their text (pw.md §10); nothing of `pwxc.expr` is used."""

from __future__ import annotations

import json
import math
import operator as op
import re
from collections.abc import Callable, Iterator
from typing import Any

import attrs

STATUS = {"always": "always", "never": "never", "completed": "completed", "error": "error", "canceled": "canceled"}
CALLS = {"always": "always", "success": "completed", "failure": "error", "cancelled": "canceled"}

_TOKEN = re.compile(
    r"""\s*(?:(?P<string>'[^']*'|"[^"]*")
    |(?P<path>[A-Za-z_][\w-]*(?:\.(?:[\w-]+|\[index\]))+)
    |(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w-]))
    |(?P<own>\.[A-Za-z_][\w-]*)
    |(?P<word>\d*[A-Za-z_][\w-]*)
    |(?P<sign>===|!==|==|!=|<=|>=|&&|\|\||\?\?|\*\*|//|[-+*/!?:<>()\[\],]))""",
    re.VERBOSE,
)
_HOLE = re.compile(r"\$\{\{((?:[^}'\"]|'[^']*'|\"[^\"]*\"|\}(?!\}))*)\}\}")


class Nothing:
    """A value that was never given."""

    def __repr__(self) -> str:
        return "nothing"


NOTHING = Nothing()
Tree = tuple[Any, ...]
"""An expression: what it is, then its parts; `("name", TEXT)` is what has to be looked up."""
Look = Callable[[str], Any]


class FaultError(Exception):
    """An expression has no value, or is none."""


# reading


def parse(text: str) -> Tree:
    """Read an expression."""
    reader = _Reader([*_tokens(text), ("end", "")])
    tree = reader.ternary(slices=True)
    if reader.peek()[0] != "end":
        raise FaultError(f"`{text}` goes on after its end")
    return tree


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at, text = 0, text.rstrip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            raise FaultError(f"`{text}` is no expression")
        yield found.lastgroup, found[found.lastgroup]
        at = found.end()


@attrs.define
class _Reader:
    tokens: list[tuple[str, str]]
    at: int = 0

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.at]

    def take(self, *texts: str) -> str | None:
        kind, text = self.peek()
        if kind in ("sign", "word") and text in texts:
            self.at += 1
            return text
        return None

    def need(self, text: str) -> None:
        if self.take(text) is None:
            raise FaultError(f"`{text}` is missing")

    def ternary(self, *, slices: bool) -> Tree:
        test = self._left(0, slices=slices)
        if self.take("?") is None:
            return test
        then = self._middle()
        self.need(":")
        return ("if", test, then, self.ternary(slices=slices))

    def _middle(self) -> Tree:
        return self.ternary(slices=False)

    _LEVELS = (("??",), ("||",), ("&&",), ("===", "!==", "==", "!="))

    def _left(self, level: int, *, slices: bool) -> Tree:
        if level == len(self._LEVELS):
            return self._relation(slices=slices)
        left = self._left(level + 1, slices=slices)
        while (sign := self.take(*self._LEVELS[level])) is not None:
            left = ("two", {"===": "==", "!==": "!="}.get(sign, sign), left, self._left(level + 1, slices=slices))
        return left

    def _relation(self, *, slices: bool) -> Tree:
        left = self._access(slices=slices)
        while True:
            turned = self.peek() == ("sign", "!") and self.tokens[self.at + 1] in (("word", "in"), ("word", "includes"))
            self.at += turned
            sign = self.take("<=", ">=", "<", ">", "in", "includes")
            if sign is None:
                return left
            made = ("two", sign, left, self._access(slices=slices))
            left = ("one", "!", made) if turned else made

    def _access(self, *, slices: bool) -> Tree:
        left = self._range()
        while self.take("get") is not None:
            start = None if slices and self.peek() == ("sign", ":") else self._range()
            if slices and self.take(":") is not None:
                bare = self.peek()[0] in ("end", "sign") and self.peek()[1] not in ("(", "[", "-", "!")
                left = ("slice", left, start, None if bare else self._range())
            else:
                left = ("get", left, start)
        return left

    def _range(self) -> Tree:
        left = self._sum()
        return ("call", "range", (left, self._sum())) if self.take("range") is not None else left

    def _sum(self) -> Tree:
        left = self._product()
        while (sign := self.take("+", "-")) is not None:
            left = ("two", sign, left, self._product())
        return left

    def _product(self) -> Tree:
        left = self._power()
        while (sign := self.take("*", "//", "/")) is not None:
            left = ("two", sign, left, self._power())
        return left

    def _power(self) -> Tree:
        left = self._unary()
        return ("two", "**", left, self._power()) if self.take("**") is not None else left

    def _unary(self) -> Tree:
        sign = self.take("!", "-")
        return ("one", sign, self._unary()) if sign is not None else self._primary()

    def _primary(self) -> Tree:
        kind, text = self.peek()
        self.at += 1
        match kind:
            case "string":
                return ("value", text[1:-1])
            case "number":
                return ("value", int(text) if text.isdigit() else float(text))
            case "path" | "own":
                return ("name", text)
            case "word" if self.peek() == ("sign", "("):
                return self._call(text)
            case "word":
                return _word(text)
        if text == "(":
            inner = self.ternary(slices=True)
            self.need(")")
            return inner
        if text == "[":
            return ("list", self._items("]"))
        raise FaultError(f"`{text}` stands where a value is due")

    def _call(self, name: str) -> Tree:
        self.need("(")
        arguments = self._items(")")
        return ("status", CALLS[name]) if name in CALLS and not arguments else ("call", name, arguments)

    def _items(self, end: str) -> tuple[Tree, ...]:
        items: list[Tree] = []
        while self.take(end) is None:
            items.append(self.ternary(slices=True))
            if self.take(",") is None:
                self.need(end)
                break
        return tuple(items)


def _word(text: str) -> Tree:
    if text in STATUS:
        return ("status", text)
    constants = {"true": True, "false": False, "null": None, "undefined": NOTHING}
    return ("value", constants.get(text, text))


def looks_at_status(tree: Tree) -> bool:
    """Whether a status word stands in an expression."""
    return tree[0] == "status" or any(looks_at_status(part) for part in tree[1:] if isinstance(part, tuple) and part)


def conjuncts(tree: Tree) -> list[Tree]:
    """Give what has to be true together."""
    return [*conjuncts(tree[2]), *conjuncts(tree[3])] if tree[:2] == ("two", "&&") else [tree]


# values


def value_of(tree: Tree, look: Look, status: dict[str, bool]) -> Any:
    """Work out an expression; `look` gives the values of paths."""

    def go(part: Tree) -> Any:
        return value_of(part, look, status)

    match tree:
        case ("value" | "name" | "status", word):
            return look(word) if tree[0] == "name" else status.get(word, False) if tree[0] == "status" else word
        case ("if", test, then, otherwise):
            return go(then) if truth(go(test)) else go(otherwise)
        case ("one", "!", operand):
            return not truth(go(operand))
        case ("one", _, operand):
            return -number(go(operand))
        case ("list", items):
            return [go(item) for item in items]
        case ("get", value, key):
            return item(go(value), go(key))
        case ("slice", value, start, stop):
            whole, ends = go(value), [None if end is None else int(number(go(end))) for end in (start, stop)]
            return whole if whole is NOTHING else whole[ends[0] : ends[1]]
        case ("call", name, arguments):
            return _called(name, [go(argument) for argument in arguments])
        case ("two", sign, left, right):
            return _lazy(sign, go(left), lambda: go(right))
    raise FaultError(f"what is {tree[0]}?")


def _lazy(sign: str, left: Any, right: Callable[[], Any]) -> Any:
    if sign == "&&":
        return right() if truth(left) else left
    if sign == "||":
        return left if truth(left) else right()
    if sign == "??":
        return right() if left is NOTHING else left
    return _two(sign, left, right())


def _two(sign: str, left: Any, right: Any) -> Any:
    if sign in ("==", "!="):
        return equal(left, right) is (sign == "==")
    if sign == "in":
        return as_text(left) in right if isinstance(right, dict) else _is_in(left, right)
    if sign == "includes":
        return _is_in(right, left) if isinstance(left, list | range) else as_text(right) in as_text(left)
    if sign == "+" and not (_is_number(left) and _is_number(right)):
        return as_text(left) + as_text(right)
    return _counted(sign, number(left), number(right))


def _is_in(value: Any, collection: Any) -> bool:
    if collection is NOTHING:
        return False
    if not isinstance(collection, list | range | tuple):
        raise FaultError("`in` needs a list or a map")
    return any(equal(value, part) for part in collection)


_COUNTED: dict[str, Callable[[Any, Any], Any]] = {
    "<": op.lt, "<=": op.le, ">": op.gt, ">=": op.ge,
    "+": op.add, "-": op.sub, "*": op.mul, "/": op.truediv, "//": op.floordiv, "**": op.pow,
}  # fmt: skip


def _counted(sign: str, left: float, right: float) -> Any:
    try:
        result = _COUNTED[sign](left, right)
    except (ArithmeticError, KeyError) as fault:
        raise FaultError(f"{left} {sign} {right}") from fault
    return int(result) if isinstance(result, float) and result.is_integer() else result


def _called(name: str, arguments: list[Any]) -> Any:
    if name == "range":
        return list(range(*(int(number(argument)) for argument in arguments)))
    if name == "fromJSON" and len(arguments) == 1:
        try:
            return json.loads(as_text(arguments[0]))
        except ValueError as fault:
            raise FaultError("no JSON") from fault
    raise FaultError(f"there is no function {name}")


def item(value: Any, key: Any) -> Any:
    """Give an item of a map or a list; nothing where there is none."""
    if isinstance(value, dict):
        return value.get(as_text(key), NOTHING)
    if isinstance(value, list | range):
        try:
            at = number(key)
        except FaultError:
            return NOTHING
        return value[int(at)] if 0 <= at < len(value) else NOTHING
    return NOTHING


def truth(value: Any) -> bool:
    """Whether a value counts as true (§10.2): empty text, 0, null and what was never given do not."""
    if value is NOTHING or value is None:
        return False
    return value != 0 and not math.isnan(value) if isinstance(value, int | float) else value != ""


def equal(left: Any, right: Any) -> bool:
    """Whether two values are equal; of different kinds their texts are compared."""
    if isinstance(left, bool) is isinstance(right, bool) and _kind(left) == _kind(right):
        return bool(left == right)
    return as_text(left) == as_text(right)


def _kind(value: Any) -> str:
    return "number" if _is_number(value) else "list" if isinstance(value, list | range) else type(value).__name__


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def number(value: Any) -> float:
    """Give a value as a number; numeric text is one."""
    if isinstance(value, int | float):
        return int(value) if isinstance(value, bool) else value
    if isinstance(value, str) and re.fullmatch(r"\s*[+-]?\d+(\.\d+)?([eE][+-]?\d+)?\s*", value):
        return int(value) if value.strip().lstrip("+-").isdigit() else float(value)
    raise FaultError(f"`{as_text(value)}` is no number")


def as_text(value: Any) -> str:
    """Give a value as it stands in a text."""
    if value is NOTHING or value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, dict | list | range):
        return json.dumps(_json(value), separators=(",", ":"), ensure_ascii=False)
    return str(value)


def _json(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _json(part) for key, part in value.items()}
    if isinstance(value, list | range):
        return [_json(part) for part in value]
    return None if value is NOTHING else value


# texts


def whole(text: object) -> str | None:
    """Give the expression when a scalar is one hole and nothing else."""
    found = _HOLE.fullmatch(text) if isinstance(text, str) else None
    return found[1] if found is not None else None


def fill(text: str, value: Callable[[str], Any]) -> str:
    """Put the values of all holes of a text in their places; what has no value is shown as a fault."""

    def shown(found: re.Match[str]) -> str:
        try:
            return as_text(value(found[1]))
        except FaultError:
            return "<fault>"

    return _HOLE.sub(shown, text)
