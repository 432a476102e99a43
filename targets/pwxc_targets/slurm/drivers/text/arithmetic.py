"""Shell arithmetic on whole numbers."""

from __future__ import annotations

import re
from collections.abc import Callable

_TOKEN = re.compile(
    r"\s*(\*\*|<<|>>|<=|>=|==|!=|&&|\|\||\d+#\w+|0[xX][0-9a-fA-F]+|\d+|[A-Za-z_]\w*|[-+*/%<>()!~?:&|^])"
)
_LEVELS = (
    ("||",), ("&&",), ("|",), ("^",), ("&",), ("==", "!="), ("<", ">", "<=", ">="), ("<<", ">>"), ("+", "-"),
    ("*", "/", "%"),
)  # fmt: skip
_MOST = 2**63


class NotKnownError(Exception):
    """The value is known only when the script runs, or the text is no arithmetic."""


def evaluate(text: str, value: Callable[[str], str]) -> int:
    """Work out an arithmetic text without assignments; `value` gives the value of a variable.

    Raises:
        NotKnownError: it cannot be worked out.
    """
    parser = _Parser(text, value)
    found = parser.level(0)
    if parser.at != len(parser.tokens):
        raise NotKnownError
    return found


class _Parser:
    def __init__(self, text: str, value: Callable[[str], str]) -> None:
        self.tokens: list[str] = []
        self.value = value
        self.at = 0
        place = 0
        stripped = text.rstrip()
        while place < len(stripped):
            found = _TOKEN.match(stripped, place)
            if found is None:
                raise NotKnownError
            self.tokens.append(found.group(1))
            place = found.end()
        if not self.tokens:
            raise NotKnownError

    def _peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def level(self, number: int) -> int:
        """Read operators of a level and all that bind tighter."""
        if number == len(_LEVELS):
            return self._unary()
        left = self.level(number + 1)
        while self._peek() in _LEVELS[number]:
            operator = self.tokens[self.at]
            self.at += 1
            left = _apply(operator, left, self.level(number + 1))
        return left

    def _unary(self) -> int:
        token = self._peek()
        self.at += 1
        if token in ("-", "+", "!", "~"):
            inner = self._unary()
            return {"-": -inner, "+": inner, "!": int(not inner), "~": ~inner}[token]
        found = self._atom(token)
        if self._peek() == "**":
            self.at += 1
            power = self._unary()
            if not 0 <= power < 64:
                raise NotKnownError
            return int(found**power)
        return found

    def _atom(self, token: str) -> int:
        if token == "(":
            found = self.level(0)
            if self._peek() != ")":
                raise NotKnownError
            self.at += 1
            return found
        if token[:1].isdigit():
            return _number(token)
        if not token.isidentifier():
            raise NotKnownError
        value = self.value(token).strip()
        if not re.fullmatch(r"-?\d*", value):
            raise NotKnownError
        return _number(value) if value else 0


def _number(text: str) -> int:
    base, hash_sign, digits = text.partition("#")
    try:
        if hash_sign:
            return int(digits, int(base))
        octal = re.fullmatch(r"-?0\d+", text) is not None
        return int(text, 8 if octal else 16 if text[:2].lower() == "0x" else 10)
    except ValueError:
        raise NotKnownError from None


def _apply(operator: str, left: int, right: int) -> int:
    if operator in ("/", "%"):
        if right == 0:
            raise NotKnownError
        quotient = abs(left) // abs(right) * (1 if (left < 0) is (right < 0) else -1)
        return quotient if operator == "/" else left - quotient * right
    if operator in ("<<", ">>") and not 0 <= right < 64:
        raise NotKnownError
    results: dict[str, Callable[[], int]] = {
        "+": lambda: left + right, "-": lambda: left - right, "*": lambda: left * right, "<": lambda: left < right,
        ">": lambda: left > right, "<=": lambda: left <= right, ">=": lambda: left >= right,
        "==": lambda: left == right, "!=": lambda: left != right, "&&": lambda: bool(left and right),
        "||": lambda: bool(left or right), "&": lambda: left & right, "|": lambda: left | right,
        "^": lambda: left ^ right, "<<": lambda: left << right, ">>": lambda: left >> right,
    }  # fmt: skip
    found = results[operator]()
    if abs(found) >= _MOST:
        raise NotKnownError
    return int(found)
