"""Durations, sizes and times of torc (torc.md §7, §8)."""

from __future__ import annotations

import math
import re

_DURATION = re.compile(
    r"P(?:(?P<Y>[0-9]+)Y)?(?:(?P<M>[0-9]+)M)?(?:(?P<W>[0-9]+)W)?(?:(?P<D>[0-9]+)D)?"
    r"(?:(?P<T>T)(?:(?P<h>[0-9]+)H)?(?:(?P<m>[0-9]+)M)?(?:(?P<s>[0-9]+)S)?)?"
)
_SECONDS = {"Y": 31_557_600, "M": 2_629_800, "W": 604_800, "D": 86_400, "h": 3600, "m": 60, "s": 1}
_MEMORY = re.compile(r"([0-9]+)([kmgtKMGT]?)\Z")
_SLURM_MEMORY = re.compile(r"([0-9]+)([kmgtKMGT]?)[bB]?\Z")
_POWER = {"k": 1, "m": 2, "g": 3, "t": 4}
_LARGEST = (1 << 63) - 1


def parse_duration(text: str) -> int | None:
    """Read an ISO 8601 duration as seconds, as far as torc does; None for what it refuses.

    torc leaves off where it understands no more: `PT1H30` is an hour, `PT1.5H` nothing. See `is_whole_duration`.
    """
    found = _DURATION.match(text)
    if found is None or not any(found.groupdict().values()):
        return None
    total = sum(int(number) * _SECONDS[unit] for unit, number in found.groupdict().items() if number and unit != "T")
    return total if total <= _LARGEST else None


def is_whole_duration(text: str) -> bool:
    """Whether torc reads a duration to its end."""
    found = _DURATION.match(text)
    return found is not None and found.end() == len(text) and not text.endswith("T")


def format_duration(seconds: float) -> str:
    """Write seconds as an ISO 8601 duration, without months, years and fractions; rounded up."""
    rest = max(0, math.ceil(seconds))
    days, rest = divmod(rest, 86_400)
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    time = "".join(f"{number}{unit}" for number, unit in ((hours, "H"), (minutes, "M"), (rest, "S")) if number)
    if not days:
        return f"PT{time or '0S'}"
    return f"P{days}D" + (f"T{time}" if time else "")


def parse_memory(text: str) -> int | None:
    """Read a size as torc's server does: a whole number of bytes, or of a power of 1024."""
    return _size(_MEMORY.match(text), 0)


def parse_slurm_memory(text: str) -> int | None:
    """Read a size as Slurm does: a bare number is MiB."""
    return _size(_SLURM_MEMORY.match(text), 2)


def _size(found: re.Match[str] | None, bare: int) -> int | None:
    if found is None or len(found[1]) > 19:
        return None
    size = int(found[1]) * 1024 ** _POWER.get(found[2].lower(), bare)
    return size if size <= _LARGEST else None


def format_memory(size: int) -> str:
    """Write bytes with the largest unit of `g m k` that loses nothing, else as a bare number of bytes."""
    for unit in "gmk":
        scale = 1024 ** _POWER[unit]
        if size and size % scale == 0:
            return f"{size // scale}{unit}"
    return str(size)


def parse_walltime(text: str) -> int | None:
    """Read a time as Slurm does: `M`, `M:S`, `H:M:S`, `D-H`, `D-H:M`, `D-H:M:S`."""
    days, dash, rest = text.strip().rpartition("-")
    fields = rest.split(":")
    if not all(part.isdecimal() and part.isascii() and len(part) < 12 for part in fields) or len(fields) > 3:
        return None
    if dash and not (days.isdecimal() and days.isascii() and len(days) < 9):
        return None
    numbers = [int(part) for part in fields]
    if dash:
        hours, minutes, seconds = [*numbers, 0, 0][:3]
    elif len(numbers) == 3:
        hours, minutes, seconds = numbers
    else:
        hours, minutes, seconds = 0, numbers[0], [*numbers, 0][1]
    return int(days or 0) * 86_400 + hours * 3600 + minutes * 60 + seconds


def parse_torc_walltime(text: str) -> int | None:
    """Read a time as torc 0.25 does for its checks: as Slurm, but `D-H` and `D-H:M` as days, minutes and seconds."""
    days, dash, rest = text.strip().rpartition("-")
    if not dash:
        return parse_walltime(text)
    behind = parse_walltime(rest)
    before = parse_walltime(f"{days}-0")
    return None if behind is None or before is None else before + behind


def is_plain_walltime(text: str) -> bool:
    """Whether all versions of torc and Slurm read a time alike."""
    return re.match(r"(?:[0-9]+-)?[0-9]+:[0-9]{1,2}:[0-9]{1,2}\Z", text) is not None


def format_walltime(seconds: float) -> str:
    """Write seconds as `HH:MM:SS` or `D-HH:MM:SS`."""
    days, rest = divmod(max(1, math.ceil(seconds)), 86_400)
    clock = f"{rest // 3600:02d}:{rest % 3600 // 60:02d}:{rest % 60:02d}"
    return f"{days}-{clock}" if days else clock
