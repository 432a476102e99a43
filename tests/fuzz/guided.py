"""A small fuzzer: texts are changed at random, and one that reaches new lines of code is changed further."""

from __future__ import annotations

import os
import random
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

ROOT = Path(__file__).parents[2]
CORPUS = Path(os.environ.get("PWXC_CORPUS", ROOT.parent / "shared" / "corpus"))
WORDS = [
    "{{",
    "}}",
    "{%",
    "%}",
    "{%endfor%}",
    "{{input:0}}",
    "{{output}}",
    "{{host:x}}",
    "${{",
    "}}",
    "${{inputs.x}}",
    "${files.input.x}",
    "{i}",
    "{i:03d}",
    "%j\n%A_%a",
    "#SBATCH",
    "--array=0-9",
    "--dependency=afterok:$id",
    "<<EOF",
    "EOF",
    "$(",
    ")",
    "$((",
    "`",
    "'",
    '"',
    "\\",
    "\\n",
    "|",
    ">",
    "|-",
    "&",
    "*",
    "!",
    "!!binary",
    "!!python/object:x",
    "?\n-",
    ":",
    ",",
    "[",
    "]",
    "{",
    "}",
    "#",
    "---",
    "...",
    "@",
    "%",
    "~",
    "null",
    "true",
    "yes",
    "0x1F",
    "1e999",
    ".inf",
    "99999999999999999999",
    "-1",
    "0",
    "1:2:3",
    "\ufeff",
    "\u2028",
    "\x00",
    "\x85",
    "é",
    "漢\n",
]
"""Pieces with a meaning in one of the languages, or in none."""
LONGEST = 20_000
"""Characters; limits of size have tests of their own."""


class HangError(Exception):
    """A text took longer than it may."""


def seeds(system: str, suffixes: tuple[str, ...]) -> list[str]:
    """Give texts to begin with: our examples and small files of the corpus, if it is there."""
    places = [*sorted((ROOT / "docs" / "examples").rglob("*")), *sorted((CORPUS / system).glob("*"))]
    texts = [path.read_text(errors="replace") for path in places if path.is_file() and path.suffix in suffixes]
    return [text for text in texts if len(text) < 6_000] or ["jobs:\n"]


def changed(text: str, other: str, source: random.Random) -> str:
    """Change a text in one place."""
    lines = text.split("\n")
    at, to = sorted((source.randrange(len(lines)), source.randrange(len(lines))))
    place = source.randrange(len(text) + 1)
    match source.randrange(9):
        case 0:
            return "\n".join([*lines[:at], *lines[at + 1 :]])
        case 1:
            return "\n".join([*lines[:to], *lines[at : at + 8], *lines[to:]])
        case 2:
            lines[at], lines[to] = lines[to], lines[at]
            return "\n".join(lines)
        case 3:
            lines[at] = source.choice(["  ", "\t", "- "]) + lines[at] if source.random() < 0.5 else lines[at][2:]
            return "\n".join(lines)
        case 4:
            return text[:place] + source.choice(WORDS) + text[place:]
        case 5:
            return text[:place] + source.choice(WORDS) + text[place + source.randrange(1, 8) :]
        case 6:
            cut = source.randrange(len(other) + 1)
            return text[:place] + other[cut : cut + source.randrange(1, 200)] + text[place:]
        case 7:
            return text[:place] + text[place : place + 20] * source.randrange(2, 60) + text[place:]
        case _:
            return text[:place]


@contextmanager
def lines_of(*roots: str) -> Iterator[set[tuple[CodeType, int]]]:
    """Collect the lines below some folders that are run meanwhile."""
    seen: set[tuple[CodeType, int]] = set()

    def note(frame: FrameType, event: str, argument: Any) -> Any:
        seen.add((frame.f_code, frame.f_lineno))
        return note

    def enter(frame: FrameType, event: str, argument: Any) -> Any:
        return note if frame.f_code.co_filename.startswith(roots) else None

    before = sys.gettrace()
    sys.settrace(enter)
    try:
        yield seen
    finally:
        sys.settrace(before)


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Stop what takes too long."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise HangError(f"more than {seconds:g} seconds")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def fault_of(check: Callable[[str], None], text: str, seconds: float = 20) -> str | None:
    """Say what goes wrong with a text, in a line; None if nothing does."""
    try:
        with time_limit(seconds):
            check(text)
    except (Exception, RecursionError, MemoryError) as fault:
        return f"{type(fault).__name__}: {fault}".splitlines()[0][:200]
    return None


def search(
    check: Callable[[str], None], texts: list[str], more: Callable[[], bool], seed: int
) -> Iterator[tuple[str, str]]:
    """Give texts for which the check fails, with what it said; each kind of fault once, as long as there is `more`."""
    source = random.Random(seed)
    pool = list(texts)
    known: set[tuple[CodeType, int]] = set()
    told: set[str] = set()
    folders = tuple(str(ROOT / name) for name in ("pwxc", "targets"))
    while more():
        # those that were found last are changed most
        text = pool[-1 - min(int(source.expovariate(0.1)), len(pool) - 1)]
        for _ in range(source.randrange(1, 4)):
            text = changed(text, source.choice(texts), source)[:LONGEST]
        with lines_of(*folders) as seen:
            fault = fault_of(check, text)
        if fault is not None and fault not in told:
            told.add(fault)
            yield smallest(check, text, fault), fault
        elif not seen <= known:
            known |= seen
            pool.append(text)


def smallest(check: Callable[[str], None], text: str, fault: str) -> str:
    """Leave out lines, and then parts of lines, as long as the same fault is found."""
    for pieces in ("\n", " "):
        parts, at = text.split(pieces), 0
        while at < len(parts) and len(parts) > 1:
            fewer = [*parts[:at], *parts[at + 1 :]]
            if fault_of(check, pieces.join(fewer)) == fault:
                parts = fewer
            else:
                at += 1
        text = pieces.join(parts)
    return text
