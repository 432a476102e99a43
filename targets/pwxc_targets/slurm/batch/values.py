"""The values of options as `sbatch` reads them and tells them again (slurm.md §5).

Each codec is a function from the text that was given to the text that `sbatch` tells, or a `BadValueError`. The
oddities are its own: numbers may have white space and a sign in front, sizes are told in the largest whole unit.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from pwxc_targets.slurm.batch import bindings
from pwxc_targets.slurm.batch import wordvalues as W  # noqa: N812
from pwxc_targets.slurm.batch.numbers import leading, wrapped
from pwxc_targets.slurm.batch.wordvalues import BadValueError

_UNIT = {"": 1, "m": 1, "g": 1024, "t": 1024 * 1024}
_NO_LIMIT = -1
_NODE_UNIT = {"k": 1024, "m": 1024 * 1024}


def whole_number(text: str, *, least: int) -> int:
    """Read a whole number that is at least 1, or at least 0."""
    read, rest = leading(text)
    number = read or 0
    if rest or number < least or number >= 2**63 - 1:
        raise BadValueError(f"a whole number above {least - 1} is due")
    return wrapped(number)


def count(text: str) -> str:
    """Read a number of tasks, cores or the like."""
    return str(whole_number(text, least=1))


_DURATION = re.compile(r"(?:(\d+)-(?:(\d+)(?::(\d+)(?::(\d+))?)?)?|(\d+)(?::(\d+)(?::(\d+))?)?)", re.ASCII)


def seconds(text: str) -> int:
    """Read a duration; `-1` means that there is no limit.

    Two fields are minutes and seconds, three start with hours; after a day they count from the hour (§5.1).
    """
    if text == "-1" or text.upper() in ("INFINITE", "UNLIMITED"):
        return _NO_LIMIT
    if re.fullmatch(r"-[0-9]{1,5}", text):
        return int(text) * 86400
    found = _DURATION.fullmatch(text)
    if found is None:
        raise BadValueError("a duration is due: `MINUTES`, `HOURS:MINUTES:SECONDS` or `DAYS-HOURS`")
    days, hours, minutes, rest, first, second, third = (int(part or 0) for part in found.groups())
    if found.group(1) is not None:
        return wrapped(((days * 24 + hours) * 60 + minutes) * 60 + rest)
    if found.group(7) is not None:
        return wrapped((first * 60 + second) * 60 + third)
    return wrapped(first * 60 + second)


def limit_minutes(text: str) -> int | None:
    """Read a time limit in whole minutes, rounded up; None is no limit."""
    read = seconds(text)
    if read == _NO_LIMIT:
        return None
    rounded = wrapped(read + 59)  # C divides towards nothing
    minutes = rounded // 60 if rounded > 0 else -(-rounded // 60)
    return None if minutes in (0, -1) else minutes % 2**32


def duration(text: str) -> str:
    """Read a time limit."""
    minutes = limit_minutes(text)
    return "UNLIMITED" if minutes is None else tell_seconds(minutes * 60)


def tell_seconds(number: int) -> str:
    """Write a duration in seconds as `sbatch` does: `[DAYS-]HH:MM:SS`."""
    minutes, rest = divmod(number, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"{days}-{hours:02}:{minutes:02}:{rest:02}" if days else f"{hours:02}:{minutes:02}:{rest:02}"


def delay(text: str) -> str:
    """Read a duration that may be nothing."""
    read = seconds(text)
    return "UNLIMITED" if read == _NO_LIMIT else tell_seconds(read % 2**32)


def mebibytes(text: str) -> int:
    """Read a size in MiB; kibibytes are rounded up (§5.3)."""
    number, rest = leading(text)
    unit = rest[:1].lower()
    tail = rest[1:].lower()
    if number is None or not 0 <= number < 2**63 or unit not in (*_UNIT, "k") or tail not in ("", "b"):
        raise BadValueError("a size is due: a whole number with `K`, `M`, `G` or `T`")
    return -(-number // 1024) if unit == "k" else number * _UNIT[unit] % 2**64


def size(text: str) -> str:
    """Read a size."""
    number = mebibytes(text)
    units = ["", "G", "T", "P", "?"]
    place = 0
    while place < 4 and number % 1024 == 0:
        number //= 1024
        place += 1
    return f"{number}{units[place]}"


def node_range(text: str) -> tuple[int, int]:
    """Read a number of nodes, or the least and the greatest (§5.4)."""
    low, dash, high = text.partition("-")
    if not dash:
        number = _nodes(text)
        if number < 0:
            raise BadValueError("a number of nodes is due: `N` or `MIN-MAX`")
        return number, number
    least = _nodes(low)
    most = _nodes(high)
    least = 1 if least < 0 else least
    if most != 0 and most < least:
        raise BadValueError(f"the greatest number of nodes, {most}, is below the least, {least}")
    return least, most


def _nodes(text: str) -> int:
    number, rest = leading(text)
    if number is None:
        number = -1
        rest = text
    elif rest[:1].lower() in _NODE_UNIT:
        number *= _NODE_UNIT[rest[:1].lower()]
        rest = rest[1:]
    if rest.strip(" \t\n\v\f\r"):
        raise BadValueError("a number of nodes is due: `N` or `MIN-MAX`")
    return wrapped(number)


def nodes(text: str) -> str:
    """Read a number or a range of nodes."""
    least, most = node_range(text)
    return str(least) if least == most else f"{least}-{most}"


def gres(text: str) -> str:
    """Read a list of generic resources; each gets its kind in front."""
    if text.lower() == "none":
        return text
    if text == "help":
        raise BadValueError("`help` lists the resources of the site and submits nothing")
    return ",".join(item if item.startswith("gres:") else f"gres:{item}" for item in text.split(","))


def stream(text: str) -> str:
    """Read a file name pattern."""
    return "/dev/null" if text.lower() == "none" else text


def switches(text: str) -> str:
    """Read a number of switches and how long to wait for so few."""
    number, at, wait = text.partition("@")
    told = str(whole_number(number, least=1))
    if not at:
        return told
    try:
        read = seconds(wait)
    except BadValueError:
        return f"{told}@INVALID"
    return told if read == _NO_LIMIT else f"{told}@{tell_seconds(read)}"


def nice(text: str) -> str:
    """Read a shift of the priority; what is no number is 0."""
    number = (leading(text)[0] or 0) if text else 100
    if abs(number) > 2**31 - 3:
        raise BadValueError("a number between -2147483645 and 2147483645 is due")
    return str(number)


def priority(text: str) -> str:
    """Read a priority."""
    if text.upper() == "TOP":
        return "-3"
    number = leading(text)[0] or 0
    if not 0 <= number < 2**32 - 2:
        raise BadValueError("a number from 0 to 4294967293, or `TOP`, is due")
    return str(wrapped(number))


def user_env(text: str, before: str = "") -> str:
    """Read how long to wait for the login environment, and its mode; an earlier mode stays."""
    number, rest = leading(text)
    if rest and rest[0].lower() not in "sl":
        raise BadValueError("seconds are due, and `S` or `L`")
    return f"{wrapped(number or 0)}{rest[:1].upper() or before.lstrip('-0123456789')}"


def shape(text: str) -> str:
    """Read sockets, cores and threads; `*` is any."""
    told = ""
    for number, part in enumerate(text.split(":")[:3]):
        if part in ("", "*"):
            continue
        found = re.match(r"[ \t]*\+?([0-9]+)([km]?)(?:-[0-9]+$)?", part, re.I)
        least = int(found.group(1)) * _NODE_UNIT.get(found.group(2).lower(), 1) if found else 0
        if found is None or least >= 2**31 or not (found.group(2) or found.end() == len(part)):
            raise BadValueError("`SOCKETS:CORES:THREADS` is due")
        told += f"{':' if number else ''}{least}"
    return told or "unset"


def zero_one(text: str) -> str:
    """Read a 0 or a 1."""
    number = whole_number(text, least=0)
    if number not in (0, 1):
        raise BadValueError("0 or 1 is due")
    return str(number)


def specialized(text: str, *, least: int) -> str:
    """Read a number of cores or threads set aside."""
    number = whole_number(text, least=least)
    # one bit of a short number says that threads are meant
    if number & 0xFFFF == 0xFFFE or (number & 0x8000 and least == 0):
        return "unset"
    return str(number & ~0x8000)


def propagate(text: str) -> str:
    """Read the limits that are carried over."""
    return text or "ALL"


def power(text: str) -> str:
    """Read the flags of power management; unknown ones are told and dropped."""
    return "LEVEL" if "level" in text.lower().split(",") else "unset"


def plain(text: str) -> str:
    """Take a text as it is."""
    return text


CODECS: dict[str, Callable[[str], str]] = {
    "text": plain,
    "folder": plain,
    "moment": plain,
    "identity": plain,
    "nodelist": plain,
    "nodefile": plain,
    "count": count,
    "duration": duration,
    "delay": delay,
    "size": size,
    "nodes": nodes,
    "gres": gres,
    "stream": stream,
    "switches": switches,
    "nice": nice,
    "priority": priority,
    "user_env": user_env,
    "shape": shape,
    "zero_one": zero_one,
    "propagate": propagate,
    "power": power,
    "mail": W.mail,
    "signal": W.signal,
    "profile": W.profile,
    "distribution": W.distribution,
    "cpu_freq": W.cpu_freq,
    "gpu_freq": W.gpu_freq,
    "gpu_bind": bindings.gpu_bind,
    "mem_bind": bindings.mem_bind,
    "acctg": W.acctg,
    "gres_flags": W.gres_flags,
    "yes_no": W.yes_no,
    "open_mode": W.open_mode,
    "exclusive": W.exclusive,
    "no_kill": W.no_kill,
}
"""How the value of each option is read, by the codec's name in the table."""
