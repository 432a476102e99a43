"""What follows the name in `${NAME…}`: defaults, parts that are cut off, replacements."""

from __future__ import annotations

import re
from collections.abc import Callable
from fnmatch import translate
from typing import Protocol

from pwxc_targets.slurm.drivers.text.marks import CARRIED, HERE, IF_CARRIED, INPUT, SWEEP, UNKNOWN, is_fixed, mark
from pwxc_targets.slurm.drivers.text.probing import probed


class Refusals(Protocol):
    """Who is told of values that something other than a plain use is made of."""

    def refuse(self, value: str) -> None:
        """Give up reading a loop as a sweep if the value comes from one."""

    def refuse_gathered(self, value: str) -> None:
        """Give up reading a loop as a sweep if one id in the value stands for those of all its turns."""


def modified(value: str, rest: str, expand: Callable[[str], str], refusals: Refusals) -> str:
    """Apply a modification to a value."""
    if not rest:
        return value
    found = re.match(r":?[-=?+]", rest)
    if found is not None:
        return _defaulted(value, found.group(), rest[found.end() :], expand)
    if rest[0] in "#%":
        greedy = rest[:2] in ("##", "%%")
        return _cut(value, rest[0], expand(rest[2 if greedy else 1 :]), refusals, greedy=greedy)
    if rest[0] == "/":
        return _replaced(value, rest, expand, refusals)
    if rest[0] == ":":
        return _slice(value, rest[1:], expand, refusals)
    cases: dict[str, Callable[[str], str]] = {
        "^^": str.upper,
        ",,": str.lower,
        "^": lambda text: text[:1].upper() + text[1:],
        ",": lambda text: text[:1].lower() + text[1:],
        "@Q": lambda text: f"'{text}'" if "'" not in text else UNKNOWN,
        "@U": str.upper,
        "@L": str.lower,
    }
    change = cases.get(rest)
    return UNKNOWN if change is None else _worked(value, refusals, change)


def _worked(value: str, refusals: Refusals, work: Callable[[str], str]) -> str:
    """Do something to a text in which ids may stand, each of which is one."""
    if is_fixed(value):
        return work(value)
    _refuse_others(value, refusals)
    refusals.refuse_gathered(value)
    return probed([value], lambda texts: work(texts[0]))


def _refuse_others(value: str, refusals: Refusals) -> None:
    if SWEEP in value or CARRIED in value or IF_CARRIED in value:
        refusals.refuse(value)


def _defaulted(value: str, operator: str, text: str, expand: Callable[[str], str]) -> str:
    if operator.endswith("+"):
        if re.fullmatch(f"{CARRIED}[^{CARRIED}]*{CARRIED}", value):
            return mark(IF_CARRIED, expand(text))
        if UNKNOWN in value or (INPUT in value and not re.sub(f"{INPUT}[^{INPUT}]*{INPUT}", "", value)):
            return UNKNOWN  # whether an input is there is known only when the driver is called
        return expand(text) if value else ""
    if operator.endswith("?"):
        return value
    return expand(text) if value == "" else value


def pattern_of(text: str) -> str:
    """Give a regular expression for a pattern of file names."""
    body = translate(text.replace("[^", "[!"))
    return body.removeprefix("(?s:").removesuffix(")\\Z").removesuffix(")\\z")


def _cut(value: str, side: str, pattern: str, refusals: Refusals, *, greedy: bool) -> str:
    cut = value.removeprefix if side == "#" else value.removesuffix
    if not re.search(r"[*?\[]", pattern) and is_fixed(pattern.replace(HERE, "")):
        if pattern and not is_fixed(value) and cut(pattern) == value:
            _refuse_start(value, side, refusals)
            return UNKNOWN if _may_start(value, side) else value
        return cut(pattern)
    if not is_fixed(pattern):
        refusals.refuse(value + pattern)
        return UNKNOWN
    whole = re.compile(pattern_of(pattern), re.DOTALL)

    def work(text: str) -> str:
        places = range(len(text) + 1)
        if side == "#":
            ends = reversed(places) if greedy else places
            return next((text[end:] for end in ends if whole.fullmatch(text[:end])), text)
        starts = places if greedy else reversed(places)
        return next((text[:start] for start in starts if whole.fullmatch(text[start:])), text)

    return _worked(value, refusals, work)


def _may_start(value: str, side: str) -> bool:
    """Whether what is not known stands where something is to be cut off."""
    letter = value[:1] if side == "#" else value[-1:]
    return letter in (INPUT, UNKNOWN)


def _refuse_start(value: str, side: str, refusals: Refusals) -> None:
    letter = value[:1] if side == "#" else value[-1:]
    if letter in (SWEEP, CARRIED, IF_CARRIED):
        refusals.refuse(value)


def _replaced(value: str, rest: str, expand: Callable[[str], str], refusals: Refusals) -> str:
    every = rest.startswith("//")
    found = re.match(r"((?:\\.|[^/\\])*)(?:/(.*))?\Z", rest[2 if every else 1 :], re.DOTALL)
    if found is None:
        return UNKNOWN
    old, new = expand(found.group(1)), expand(found.group(2) or "")
    if old in ("#", "%") and not every:
        return new + value if old == "#" else value + new
    plain = not re.search(r"[*?\[]", old) and old[:1] not in "#%"
    if plain and every and old and is_fixed(old) and not re.search(r"\w", old):
        _refuse_others(value, refusals)
        return UNKNOWN if INPUT in value or UNKNOWN in value else value.replace(old, new)
    if not is_fixed(old) or not is_fixed(new):
        refusals.refuse(value + old + new)
        return UNKNOWN
    anchor = old[:1] if not every and old[:1] in "#%" else ""
    expression = pattern_of(old[1:] if anchor else old)
    expression = f"\\A(?:{expression})" if anchor == "#" else f"(?:{expression})\\Z" if anchor == "%" else expression
    changed = re.compile(expression, re.DOTALL)
    return _worked(value, refusals, lambda text: changed.sub(lambda _: new, text, count=0 if every else 1))


def _slice(value: str, text: str, expand: Callable[[str], str], refusals: Refusals) -> str:
    first, _, length = text.partition(":")
    try:
        start = int(expand(first).strip() or 0)
        count = int(expand(length).strip()) if length else None
    except ValueError:
        return UNKNOWN
    cut = value[:start] + value[count or len(value) :]
    if start >= 0 and (count is None or count < 0) and is_fixed(cut):
        return value[start:count]  # only letters that are known go away

    def work(text: str) -> str:
        rest = text[start:] if start >= -len(text) else ""
        return rest if count is None else rest[:count]

    return _worked(value, refusals, work)
