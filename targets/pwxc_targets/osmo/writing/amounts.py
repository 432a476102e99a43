"""Durations, quantities, exit codes as OSMO writes them (osmo.md §8, §9, §15, §30)."""

from __future__ import annotations

from collections.abc import Iterable

from pwxc.ir.task import ExitAction, ExitRule
from pwxc_targets.osmo.reading.taskrules import EXIT_ORDER

ACTIONS = {ExitAction.FAIL: "FAIL", ExitAction.COMPLETE: "COMPLETE", ExitAction.RETRY: "RESCHEDULE"}
_TIMES = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
_SIZES = (("Ti", 2**40), ("Gi", 2**30), ("Mi", 2**20), ("Ki", 2**10))
Ranges = tuple[tuple[int, int], ...]


def duration(seconds: float) -> str | float:
    """Write a time with one unit; a fraction of a second is a bare number of seconds."""
    if seconds <= 0 or seconds != int(seconds):
        return seconds if seconds != int(seconds) else int(seconds)
    whole = int(seconds)
    unit, size = next((unit, size) for unit, size in _TIMES if whole % size == 0)
    return f"{whole // size}{unit}"


def quantity(size: int, *, exact: bool) -> str:
    """Write an amount in whole units; with `exact` an odd number of bytes stays one, otherwise it is rounded up."""
    if size == 0 or (size % 1024 and exact):
        return str(size)
    size = -(-size // 1024) * 1024
    unit, power = next((unit, power) for unit, power in _SIZES if size % power == 0)
    return f"{size // power}{unit}"


def exit_codes(ranges: Ranges) -> str:
    """Write ranges of codes."""
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in ranges)


def exit_actions(rules: Iterable[ExitRule]) -> tuple[dict[str, str], bool]:
    """Give the map of exit actions, and whether codes had to be taken from rules that others precede."""
    given = [(ACTIONS[rule.action], rule.codes or ((1, 255),)) for rule in rules]
    order = [EXIT_ORDER.index(action) for action, _ in given]
    if order == sorted(set(order)):
        return {action: exit_codes(codes) for action, codes in given}, False
    claimed: Ranges = ()
    found: dict[str, Ranges] = {}
    changed = False
    for action, codes in given:
        left = _without(codes, claimed)
        changed = changed or left != codes
        found[action] = (*found.get(action, ()), *left)
        claimed = (*claimed, *left)
    return {action: exit_codes(codes) for action, codes in found.items() if codes}, changed


def _without(ranges: Ranges, claimed: Ranges) -> Ranges:
    for low, high in claimed:
        pieces = [((a, min(b, low - 1)), (max(a, high + 1), b)) for a, b in ranges]
        ranges = tuple(piece for pair in pieces for piece in pair if piece[0] <= piece[1])
    return ranges
