"""Regular expressions of torc, which are those of Rust's `regex` crate, matched in bounded time (torc.md §15).

A pattern is translated to Python's syntax and parsed by Python's own parser; what Rust does not have is refused.
Patterns that could make Python's matcher blow up are matched by walking all their states at once instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import attrs

parser: Any = vars(re)["_parser"]
constants: Any = vars(re)["_constants"]

MAX_STATES = 20_000
"""How large a pattern may become; Rust's crate has a limit of the same kind."""
_POSIX = {
    "alpha": "a-zA-Z",
    "digit": "0-9",
    "alnum": "a-zA-Z0-9",
    "upper": "A-Z",
    "lower": "a-z",
    "space": r"\t\n\v\f\r ",
    "punct": r"!-/:-@\[-`{-~",
    "word": r"\w",
    "xdigit": "0-9A-Fa-f",
    "blank": r" \t",
}
_TRANSLATE = re.compile(
    r"\\(?P<escape>x\{[0-9A-Fa-f]+\}|[pP](?:\{\^?\w+\}|\w)|.)|(?P<posix>\[:(?P<negated>\^?)(?P<class>\w+):\])"
    r"|(?P<named>\(\?<(?![=!])\w+>)|(?P<end>\$)|(?P<open>\[)|(?P<close>\])",
    re.DOTALL,
)
_UNICODE = {"L": r"^\W\d_", "N": r"\d", "Alphabetic": r"^\W\d_", "Nd": r"\d", "Letter": r"^\W\d_"}


class PatternError(Exception):
    """Rust refuses the pattern, or it grows too large; the message says why."""


@attrs.frozen
class Pattern:
    """A compiled pattern. `search` is unanchored, as all of torc's selections are."""

    text: str
    tree: Any
    compiled: re.Pattern[str]
    tame: bool

    def search(self, name: str) -> bool:
        """Whether the pattern matches somewhere in a name."""
        if self.tame or len(name) < 8:
            return self.compiled.search(name) is not None
        return _walk(_automaton(self.text), name)

    @property
    def ignores_digits(self) -> bool:
        """Whether all digits are alike to the pattern, so that one number of each length speaks for all."""
        return all(len({_admits(test, digit) for digit in "0123456789"}) == 1 for test in _tests(self.tree))


@lru_cache(maxsize=4096)
def compile(text: str) -> Pattern:  # noqa: A001
    """Compile a pattern.

    Raises:
        PatternError: it is no pattern of Rust's crate.
    """
    translated = _translate(text)
    try:
        tree = parser.parse(translated)
        _refuse_foreign(tree)
        compiled = re.compile(translated)
    except (re.error, OverflowError, RecursionError) as fault:
        raise PatternError(str(fault) or "nested too deeply") from None
    return Pattern(text, tree, compiled, _is_tame(tree))


def _translate(text: str) -> str:
    inside = False
    parts: list[str] = []
    last = 0
    for found in _TRANSLATE.finditer(text):
        parts.append(text[last : found.start()])
        last = found.end()
        kind = found.lastgroup if found.lastgroup != "negated" else "posix"
        whole = found[0]
        if found["escape"] is not None:
            whole = _escape(found["escape"], inside)
        elif found["posix"] is not None and inside:
            whole = _posix(found["class"], found["negated"])
        elif kind == "named":
            whole = "(?:"
        elif kind == "end" and not inside:
            whole = r"\Z"
        elif found[0] == "[":
            whole = r"\[" if inside else "["
            inside = True
        elif found[0] == "]":
            inside = False
        parts.append(whole)
    return "".join(parts) + text[last:]


def _escape(escape: str, inside: bool) -> str:
    if escape == "z":
        return r"\Z"
    if escape == "Z" or (escape.isdigit() and not inside):
        raise PatternError(f"`\\{escape}` is not known here")
    if escape.startswith("x{"):
        point = int(escape[2:-1], 16)
        if point > 0x10FFFF:
            raise PatternError("no such character")
        return re.escape(chr(point))
    if escape[0] in "pP":
        body = _UNICODE.get(escape[1:].strip("{}"))
        if body is None or (inside and body.startswith("^")):
            raise PatternError(f"the class `\\{escape}` is not supported by this checker")
        return body if inside else f"[{body}]"
    return "\\" + escape


def _posix(name: str, negated: str) -> str:
    if name not in _POSIX or negated:
        raise PatternError(f"the class `[:{negated}{name}:]` is not supported by this checker")
    return _POSIX[name]


def _refuse_foreign(tree: Any) -> None:
    for operation, argument in _operations(tree):
        if operation in (constants.ASSERT, constants.ASSERT_NOT):
            raise PatternError("look-around is not supported")
        if operation in (constants.GROUPREF, constants.GROUPREF_EXISTS):
            raise PatternError("back-references are not supported")
        if operation in (constants.ATOMIC_GROUP, constants.POSSESSIVE_REPEAT):
            raise PatternError("atomic groups and possessive repetition are not supported")
        if operation in _REPEATS and argument[1] not in (constants.MAXREPEAT,) and argument[1] > 1000:
            raise PatternError("the pattern repeats too often")


_REPEATS = (constants.MAX_REPEAT, constants.MIN_REPEAT)


def _operations(tree: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    stack = [tree]
    while stack:
        for operation, argument in stack.pop():
            found.append((operation, argument))
            stack.extend(_below(operation, argument))
    return found


def _below(operation: Any, argument: Any) -> list[Any]:
    if operation in _REPEATS or operation is constants.POSSESSIVE_REPEAT:
        return [argument[2]]
    if operation is constants.BRANCH:
        return list(argument[1])
    if operation is constants.SUBPATTERN:
        return [argument[3]]
    return []


def _is_tame(tree: Any) -> bool:
    """Whether Python's matcher is quick for short names: few repetitions, and nothing in them that has a choice."""
    repeats = [argument for operation, argument in _operations(tree) if operation in _REPEATS and argument[1] > 1]
    choices = (*_REPEATS, constants.BRANCH)
    nested = any(operation in choices for outer in repeats for operation, _ in _operations(outer[2]))
    return not nested and len(repeats) <= 2


def _tests(tree: Any) -> list[Any]:
    single = (constants.LITERAL, constants.NOT_LITERAL, constants.ANY, constants.IN)
    return [(operation, argument) for operation, argument in _operations(tree) if operation in single]


_CATEGORIES: dict[Any, Callable[[str], bool]] = {
    constants.CATEGORY_DIGIT: str.isdecimal,
    constants.CATEGORY_SPACE: str.isspace,
    constants.CATEGORY_WORD: lambda sign: sign.isalnum() or sign == "_",
}
_NEGATED = {
    constants.CATEGORY_NOT_DIGIT: constants.CATEGORY_DIGIT,
    constants.CATEGORY_NOT_SPACE: constants.CATEGORY_SPACE,
    constants.CATEGORY_NOT_WORD: constants.CATEGORY_WORD,
}


def _admits(test: Any, sign: str) -> bool:
    operation, argument = test
    if operation is constants.LITERAL:
        return bool(ord(sign) == argument)
    if operation is constants.NOT_LITERAL:
        return bool(ord(sign) != argument)
    if operation is constants.ANY:
        return sign != "\n"
    negate = bool(argument) and argument[0][0] is constants.NEGATE
    return negate != any(_in_class(member, sign) for member in argument)


def _in_class(member: Any, sign: str) -> bool:
    operation, argument = member
    if operation is constants.LITERAL:
        return bool(ord(sign) == argument)
    if operation is constants.RANGE:
        return bool(argument[0] <= ord(sign) <= argument[1])
    if operation is constants.CATEGORY:
        if argument in _NEGATED:
            return not _CATEGORIES[_NEGATED[argument]](sign)
        return bool(_CATEGORIES[argument](sign))
    return False


@attrs.define
class _States:
    """States of a pattern: a test that eats a sign, a place that must hold, or free steps on."""

    tests: list[Any] = attrs.field(factory=list)
    places: list[Any] = attrs.field(factory=list)
    steps: list[list[int]] = attrs.field(factory=list)

    def add(self, test: Any = None, place: Any = None) -> int:
        if len(self.tests) >= MAX_STATES:
            raise PatternError("the pattern is too large")
        self.tests.append(test)
        self.places.append(place)
        self.steps.append([])
        return len(self.tests) - 1


@lru_cache(maxsize=64)
def _automaton(text: str) -> tuple[_States, int, int]:
    states = _States()
    start, end = _build(compile(text).tree, states)
    return states, start, end


def _build(tree: Any, states: _States) -> tuple[int, int]:
    start = end = states.add()
    for operation, argument in tree:
        first, last = _build_one(operation, argument, states)
        states.steps[end].append(first)
        end = last
    return start, end


def _build_one(operation: Any, argument: Any, states: _States) -> tuple[int, int]:
    if operation in _REPEATS:
        return _build_repeat(argument, states)
    if operation is constants.SUBPATTERN:
        return _build(argument[3], states)
    if operation is constants.BRANCH:
        start, end = states.add(), states.add()
        for branch in argument[1]:
            first, last = _build(branch, states)
            states.steps[start].append(first)
            states.steps[last].append(end)
        return start, end
    one = states.add(place=argument) if operation is constants.AT else states.add(test=(operation, argument))
    end = states.add()
    states.steps[one].append(end)
    return one, end


def _build_repeat(argument: Any, states: _States) -> tuple[int, int]:
    low, high, inner = argument
    start = end = states.add()
    for _ in range(low):
        first, last = _build(inner, states)
        states.steps[end].append(first)
        end = last
    if high is constants.MAXREPEAT:
        first, last = _build(inner, states)
        states.steps[end].append(first)
        states.steps[last].append(end)
        return start, end
    final = states.add()
    states.steps[end].append(final)
    for _ in range(high - low):
        first, last = _build(inner, states)
        states.steps[end].append(first)
        states.steps[last].append(final)
        end = last
    return start, final


def _walk(automaton: tuple[_States, int, int], name: str) -> bool:
    states, start, end = automaton
    current: set[int] = set()
    for at in range(len(name) + 1):
        current.add(start)
        current = _closure(states, current, name, at)
        if end in current:
            return True
        if at < len(name):
            sign = name[at]
            current = {
                following
                for state in current
                if states.tests[state] is not None and _admits(states.tests[state], sign)
                for following in states.steps[state]
            }
    return False


def _closure(states: _States, current: set[int], name: str, at: int) -> set[int]:
    reached = set(current)
    stack = list(current)
    while stack:
        state = stack.pop()
        if states.tests[state] is not None or not _holds(states.places[state], name, at):
            continue
        for following in states.steps[state]:
            if following not in reached:
                reached.add(following)
                stack.append(following)
    return reached


def _holds(place: Any, name: str, at: int) -> bool:
    if place is None:
        return True
    if place in (constants.AT_BEGINNING, constants.AT_BEGINNING_STRING):
        return at == 0
    if place in (constants.AT_END, constants.AT_END_STRING):
        return at == len(name)
    is_word = _CATEGORIES[constants.CATEGORY_WORD]
    before = at > 0 and is_word(name[at - 1])
    behind = at < len(name) and is_word(name[at])
    return (before != behind) == (place is constants.AT_BOUNDARY)


def escape(text: str) -> str:
    """Give a pattern that matches a text literally, in torc's syntax."""
    return re.sub(r"([\\.+*?()|\[\]{}^$#&~-])", r"\\\1", text) if re.search(r"[^\w ]", text) else text
