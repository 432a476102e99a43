"""Points in time as `sbatch` reads them (slurm.md §5.2)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import attrs

from pwxc_targets.slurm.batch.wordvalues import BadValueError

_NAMED = {
    "midnight": (0, 0), "noon": (12, 0), "fika": (15, 0), "teatime": (16, 0),
}  # fmt: skip
_UNITS = {
    "": 1, "second": 1, "seconds": 1, "minute": 60, "minutes": 60, "hour": 3600, "hours": 3600,
    "day": 86400, "days": 86400, "week": 604800, "weeks": 604800,
}  # fmt: skip
_WORD = re.compile(r"today|tomorrow|" + "|".join(_NAMED), re.I)
_ASCII = re.ASCII | re.IGNORECASE
_SHIFTED = re.compile(r"now\s*(?:([+-])\s*(\d+)\s*([a-z]*))?", _ASCII)
_CLOCK = re.compile(r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?\s*(?P<half>[ap]m)?", _ASCII)
_DATES = tuple(
    re.compile(pattern, re.ASCII)
    for pattern in (
        r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})",
        r"(?P<month>\d{1,2})[/.](?P<day>\d{1,2})(?:[/.](?P<year>\d{2})(?!\d))?",
        r"(?P<month>\d{2})(?P<day>\d{2})(?P<year>\d{2})?(?!\d)",
    )
)
_EPOCH = datetime(1970, 1, 1)
_DUE = "a time is due: `now+2hours`, `16:00`, `2027-01-31T08:00`"


def moment(text: str, now: datetime) -> str:
    """Read a point in time and tell it as `YYYY-MM-DDTHH:MM:SS`.

    Raises:
        BadValueError: it is none.
    """
    try:
        return _moment(text, now).isoformat(timespec="seconds")
    except (ValueError, OverflowError):
        raise BadValueError(_DUE) from None


@attrs.define
class _Parts:
    """What has been read of a point in time: a day with or without its year, and a time of day."""

    day: datetime | None = None
    yearless: bool = False
    clock: tuple[int, int, int] | None = None


def _moment(text: str, now: datetime) -> datetime:
    """Read days and times of day in any order; blanks, dashes and a `T` may stand between them."""
    start = now.replace(hour=0, minute=0, second=0, microsecond=0)
    parts = _Parts()
    at = 0
    while at < len(text):
        if text[at] in " \t-T":  # also that of `Tomorrow`, which is refused therefore
            at += 1
        elif (shifted := _SHIFTED.match(text, at)) is not None:
            if shifted.end() != len(text):
                raise ValueError
            return now + _shift(shifted)
        else:
            at = _part(text, at, start, parts)
    return _whole(parts, start, now)


def _shift(found: re.Match[str]) -> timedelta:
    sign, number, unit = found.groups()
    seconds = int(number or 0) * _UNITS.get((unit or "").lower(), 0)
    if (unit or "").lower() not in _UNITS:
        raise ValueError
    return timedelta(seconds=-seconds if sign == "-" else seconds)


def _part(text: str, at: int, start: datetime, parts: _Parts) -> int:
    if (word := _WORD.match(text, at)) is not None:
        name = word.group().lower()
        if name in _NAMED:
            parts.clock = (*_NAMED[name], 0)
        else:
            parts.day = start + timedelta(days=name == "tomorrow")
        return word.end()
    if (clock := _CLOCK.match(text, at)) is not None:
        parts.clock = _time_of_day(clock)
        return clock.end()
    for pattern in _DATES:
        found = pattern.match(text, at)
        if found is not None:
            parts.day, parts.yearless = _day(found, start), found["year"] is None
            return found.end()
    raise ValueError


def _day(found: re.Match[str], start: datetime) -> datetime:
    year, month, day = found["year"], int(found["month"]), int(found["day"])
    full = start.year if year is None else int(year) + (2000 if len(year) == 2 else 0)
    if not 1 <= day <= 31:
        raise ValueError
    # a day that the month does not have runs on into the next one
    return start.replace(year=full, month=month, day=1) + timedelta(days=day - 1)


def _time_of_day(found: re.Match[str]) -> tuple[int, int, int]:
    hour, minute, second = int(found["hour"]), int(found["minute"]), int(found["second"] or 0)
    if found["half"]:
        if hour > 12:
            raise ValueError
        hour = hour % 12 + (12 if found["half"].lower() == "pm" else 0)
    return hour, minute, second


def _whole(parts: _Parts, start: datetime, now: datetime) -> datetime:
    hour, minute, second = parts.clock or (0, 0, 0)
    if parts.day is None:
        if parts.clock is None:
            raise ValueError
        return _next(start.replace(hour=hour, minute=minute, second=second), now)
    when = parts.day.replace(hour=hour, minute=minute, second=second)
    if when == _EPOCH:
        raise ValueError  # 0 seconds is what `sbatch` gives for no time
    return when.replace(year=when.year + 1) if parts.yearless and when < now else when


def _next(when: datetime, now: datetime) -> datetime:
    return when + timedelta(days=1) if when < now else when
