"""A small `sed`: substitutions, printed and deleted lines."""

from __future__ import annotations

import re
from collections.abc import Sequence

import attrs

from pwxc_targets.slurm.drivers.text.expressions import expression


@attrs.frozen
class _Order:
    """A command of a script with the lines that it is for; numbers from 1, `last` for the last one."""

    command: str
    number: int | None = None
    last: bool = False
    where: re.Pattern[str] | None = None
    pattern: re.Pattern[str] | None = None
    replacement: str = ""
    flags: str = ""


def sed(words: Sequence[str], value: str) -> str | None:
    """Give what `sed` makes of a text; None if its script is not understood."""
    scripts: list[str] = []
    extended = quiet = False
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word in ("-E", "-r", "--regexp-extended"):
            extended = True
        elif word in ("-n", "--quiet", "--silent"):
            quiet = True
        elif word == "-e" and rest:
            scripts.append(rest.pop(0))
        elif re.fullmatch(r"-[nEr]+e?", word):
            quiet, extended = quiet or "n" in word, extended or bool(set("Er") & set(word))
            scripts += [rest.pop(0)] if word.endswith("e") and rest else []
        elif word.startswith("-"):
            return None
        else:
            scripts.append(word)
    orders = _orders("\n".join(scripts), extended=extended)
    return None if not orders else _run(orders, value, quiet=quiet)


_ADDRESS = re.compile(r"\s*(?:(\d+)|(\$)|/((?:[^/\\]|\\.)*)/)?\s*([sdpqc])")


def _orders(script: str, *, extended: bool) -> list[_Order] | None:
    found: list[_Order] = []
    at = 0
    while at < len(script):
        if script[at] in " \t\n;":
            at += 1
            continue
        head = _ADDRESS.match(script, at)
        if head is None:
            return None
        number, last, where, command = head.groups()
        line = expression(where, extended=extended) if where is not None else None
        if where is not None and line is None:
            return None
        order = _Order(command, int(number) if number else None, bool(last), line)
        at = head.end()
        if command == "s":
            told = _substitution(script, at, order, extended=extended)
            if told is None:
                return None
            order, at = told
        if command == "c":
            stop = script.find("\n", at + (script[at : at + 2] == "\\\n") * 2)
            stop = len(script) if stop < 0 else stop
            text = script[at:stop].lstrip(" ")
            text = text.removeprefix("\\").lstrip("\n \t")
            if "\\" in text:
                return None
            order, at = attrs.evolve(order, replacement=text), stop
        found.append(order)
        if at < len(script) and script[at] not in " \t\n;":
            return None
    return found


def _substitution(script: str, at: int, order: _Order, *, extended: bool) -> tuple[_Order, int] | None:
    between = script[at : at + 1]
    parts: list[str] = []
    start = at = at + 1
    while at < len(script) and len(parts) < 2:
        if script[at] == "\\":
            at += 2
        elif script[at] == between:
            parts.append(script[start:at])
            at = start = at + 1
        else:
            at += 1
    if len(parts) < 2 or not between:
        return None
    flags = re.compile(r"[gpI\d]*").match(script, at)
    assert flags is not None
    pattern, replacement = (part.replace(f"\\{between}", between) for part in parts)
    compiled = expression(pattern, extended=extended)
    if compiled is None or not pattern or re.search(r"\\[^0-9&\\/n.\-:_ $*[\]]", replacement):
        return None
    if "I" in flags.group():
        compiled = re.compile(compiled.pattern, re.IGNORECASE)
    return attrs.evolve(order, pattern=compiled, replacement=replacement, flags=flags.group()), flags.end()


def _run(orders: Sequence[_Order], value: str, *, quiet: bool) -> str:
    lines = value.removesuffix("\n").split("\n") if value else []
    told: list[str] = []
    for number, text in enumerate(lines, 1):
        line: str | None = text
        for order in orders:
            if line is None or not _is_for(order, number, len(lines), line):
                continue
            line, shown = _applied(order, line)
            told += shown
        told += [line] if line is not None and not quiet else []
        if any(order.command == "q" and _is_for(order, number, len(lines), text) for order in orders):
            break
    return "".join(f"{line}\n" for line in told)


def _is_for(order: _Order, number: int, count: int, line: str) -> bool:
    if order.number is not None:
        return order.number == number
    if order.last:
        return number == count
    return order.where is None or order.where.search(line) is not None


def _applied(order: _Order, line: str) -> tuple[str | None, list[str]]:
    if order.command == "d":
        return None, []
    if order.command == "c":
        return None, [order.replacement]
    if order.command == "p":
        return line, [line]
    if order.command == "q" or order.pattern is None:
        return line, []
    which = int(re.sub(r"\D", "", order.flags) or 1)
    turn = 0

    def one(found: re.Match[str]) -> str:
        nonlocal turn
        turn += 1
        if turn < which or ("g" not in order.flags and turn > which):
            return found.group()
        return _filled(order.replacement, found)

    changed, count = order.pattern.subn(one, line)
    return changed, [changed] if "p" in order.flags and count >= which else []


def _filled(replacement: str, found: re.Match[str]) -> str:
    def one(piece: re.Match[str]) -> str:
        text = piece.group()
        if text == "&":
            return found.group()
        if text[1].isdigit():
            return (found.group(int(text[1])) or "") if int(text[1]) <= (found.re.groups or 0) else ""
        return "\n" if text[1] == "n" else text[1]

    return re.sub(r"\\.|&", one, replacement)
