"""What follows the name in `${NAME…}`: defaults, parts that are cut off, replacements."""

from __future__ import annotations

import re
from collections.abc import Callable
from fnmatch import translate

from pwxc_targets.slurm.drivers.marks import CARRIED, IF_CARRIED, INPUT, JOB, UNKNOWN, is_fixed, jobs_in, mark


def modified(value: str, rest: str, expand: Callable[[str], str], refuse: Callable[[str], None]) -> str:
    """Apply a modification to a value; `refuse` is told of marks that it cannot be applied to."""
    if not rest:
        return value
    found = re.match(r":?[-=?+]", rest)
    if found is not None:
        return _defaulted(value, found.group(), rest[found.end() :], expand)
    if rest[0] in "#%":
        greedy = rest[:2] in ("##", "%%")
        return _cut(value, rest[0], expand(rest[2 if greedy else 1 :]), refuse, greedy=greedy)
    if rest[0] == "/":
        return _replaced(value, rest, expand, refuse)
    if not is_fixed(value):
        refuse(value)
        return UNKNOWN
    if rest[0] == ":":
        return _slice(value, rest[1:], expand)
    cases = {
        "^^": value.upper(),
        ",,": value.lower(),
        "^": value[:1].upper() + value[1:],
        ",": value[:1].lower() + value[1:],
    }
    return cases.get(rest, UNKNOWN)


def _defaulted(value: str, operator: str, text: str, expand: Callable[[str], str]) -> str:
    if operator.endswith("+"):
        if re.fullmatch(f"{CARRIED}[^{CARRIED}]*{CARRIED}", value):
            return mark(IF_CARRIED, expand(text))
        if INPUT in value and not re.sub(f"{INPUT}[^{INPUT}]*{INPUT}", "", value):
            return UNKNOWN  # whether an input is there is known only when the driver is called
        return expand(text) if value else ""
    if operator.endswith("?"):
        return value
    return expand(text) if value == "" else value


def _pattern(text: str) -> str:
    """Give a regular expression for a pattern of file names."""
    body = translate(text.replace("[^", "[!"))
    return body.removeprefix("(?s:").removesuffix(")\\Z").removesuffix(")\\z")


def _cut(value: str, side: str, pattern: str, refuse: Callable[[str], None], *, greedy: bool) -> str:
    plain = not re.search(r"[*?\[]", pattern)
    if not is_fixed(value.replace(JOB, "")) or not is_fixed(pattern):
        if plain and is_fixed(pattern) and INPUT not in value:
            return value.removeprefix(pattern) if side == "#" else value.removesuffix(pattern)
        refuse(value + pattern)
        return UNKNOWN
    if plain:
        return value.removeprefix(pattern) if side == "#" else value.removesuffix(pattern)
    whole = re.compile(_pattern(pattern), re.DOTALL)
    places = range(len(value) + 1)
    if side == "#":
        ends = reversed(places) if greedy else places
        return next((value[end:] for end in ends if whole.fullmatch(value[:end])), value)
    starts = places if greedy else reversed(places)
    return next((value[:start] for start in starts if whole.fullmatch(value[start:])), value)


def _replaced(value: str, rest: str, expand: Callable[[str], str], refuse: Callable[[str], None]) -> str:
    every = rest.startswith("//")
    found = re.match(r"((?:\\.|[^/\\])*)(?:/(.*))?\Z", rest[2 if every else 1 :], re.DOTALL)
    if found is None:
        return UNKNOWN
    old, new = expand(found.group(1)), expand(found.group(2) or "")
    if JOB in value and re.fullmatch(r"\[[!^](0-9|:digit:|\[:digit:\])\]\*?", old) and not new and every:
        jobs = set(jobs_in(value))
        return mark(JOB, jobs.pop()) if len(jobs) == 1 else UNKNOWN
    plain = not re.search(r"[*?\[]", old) and old[:1] not in "#%"
    if plain and old and INPUT not in value:
        return value.replace(old, new, -1 if every else 1)
    if not is_fixed(value):
        refuse(value)
        return UNKNOWN
    anchor = old[:1] if not every and old[:1] in "#%" else ""
    expression = _pattern(old[1:] if anchor else old)
    expression = f"\\A(?:{expression})" if anchor == "#" else f"(?:{expression})\\Z" if anchor == "%" else expression
    return re.sub(expression, lambda _: new, value, count=0 if every else 1, flags=re.DOTALL)


def _slice(value: str, text: str, expand: Callable[[str], str]) -> str:
    first, _, length = text.partition(":")
    try:
        start = int(expand(first).strip() or 0)
        count = int(expand(length).strip()) if length else None
    except ValueError:
        return UNKNOWN
    rest = value[start:]
    return rest if count is None else rest[:count]
