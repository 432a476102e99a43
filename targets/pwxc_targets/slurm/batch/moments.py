"""Points in time as `sbatch` reads them (slurm.md §5.2)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from pwxc_targets.slurm.batch.wordvalues import BadValueError

_NAMED = {
    "midnight": (0, 0), "noon": (12, 0), "elevenses": (11, 0), "fika": (15, 0), "teatime": (16, 0),
}  # fmt: skip
_UNITS = {
    "": 1, "second": 1, "seconds": 1, "minute": 60, "minutes": 60, "hour": 3600, "hours": 3600,
    "day": 86400, "days": 86400, "week": 604800, "weeks": 604800,
}  # fmt: skip
_CLOCK = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?\s*(?P<half>[ap]m)?"
_DATES = (
    r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})",
    r"(?P<month>\d{2})(?P<day>\d{2})(?P<year>\d{2})",
    r"(?P<month>\d{1,2})[/.](?P<day>\d{1,2})(?:[/.](?P<year>\d{2,4}))?",
)
_DUE = "a time is due: `now+2hours`, `16:00`, `2027-01-31T08:00`"


def moment(text: str, now: datetime) -> str:
    """Read a point in time and tell it as `YYYY-MM-DDTHH:MM:SS`.

    Raises:
        BadValueError: it is none.
    """
    lowered = text.strip().lower()
    try:
        return _moment(lowered, now).isoformat(timespec="seconds")
    except (ValueError, OverflowError):
        raise BadValueError(_DUE) from None


def _moment(text: str, now: datetime) -> datetime:
    shifted = re.fullmatch(r"now(?:\s*\+\s*(\d+)\s*([a-z]*))?", text)
    if shifted:
        if shifted.group(2) not in (*_UNITS, None):
            raise ValueError
        return now + timedelta(seconds=int(shifted.group(1) or 0) * _UNITS[shifted.group(2) or ""])
    start = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if text in ("today", "tomorrow"):
        return start + timedelta(days=text == "tomorrow")
    if text in _NAMED:
        hour, minute = _NAMED[text]
        return _next(start.replace(hour=hour, minute=minute), now)
    clock = re.fullmatch(_CLOCK, text)
    if clock:
        return _next(_at(start, clock), now)
    return _dated(text, start, now)


def _dated(text: str, start: datetime, now: datetime) -> datetime:
    for pattern in _DATES:
        found = re.fullmatch(rf"{pattern}(?:[t\s-]+{_CLOCK})?", text)
        if found is None:
            continue
        year = found["year"]
        full = start.year if year is None else int(year) + (2000 if len(year) == 2 else 0)
        day = start.replace(year=full, month=int(found["month"]), day=int(found["day"]))
        when = _at(day, found) if found["hour"] else day
        return when.replace(year=full + 1) if year is None and when < now else when
    raise ValueError


def _at(day: datetime, found: re.Match[str]) -> datetime:
    hour = int(found["hour"])
    if found["half"]:
        if not 1 <= hour <= 12:
            raise ValueError
        hour = hour % 12 + (12 if found["half"] == "pm" else 0)
    return day.replace(hour=hour, minute=int(found["minute"]), second=int(found["second"] or 0))


def _next(when: datetime, now: datetime) -> datetime:
    return when + timedelta(days=1) if when < now else when
