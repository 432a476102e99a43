"""The values that are made of known words: kinds of mail, signals, bindings, frequencies (slurm.md §5.9)."""

from __future__ import annotations

import re

from pwxc_targets.slurm.batch.numbers import is_number, leading, wrapped


class BadValueError(Exception):
    """A value that `sbatch` refuses; the text says what is due."""


def _one_of(words: tuple[str, ...]) -> str:
    return "one of " + ", ".join(f"`{word}`" for word in words) + " is due"


MAILS = (
    "INVALID_DEPEND", "BEGIN", "END", "FAIL", "REQUEUE", "STAGE_OUT",
    "TIME_LIMIT_50", "TIME_LIMIT_80", "TIME_LIMIT_90", "TIME_LIMIT",
)  # fmt: skip
_ALL_MAILS = frozenset(MAILS[:6])


def mail_set(text: str) -> frozenset[str] | None:
    """Read kinds of mail; None is `NONE`. Words after a known one that are unknown are dropped without a word."""
    found: set[str] = set()
    for word in (part.upper() for part in text.split(",")):
        if word == "NONE":
            return None
        if word == "ALL":
            found |= _ALL_MAILS
        elif word in MAILS or word == "ARRAY_TASKS":
            found.add(word)
    if not found:
        raise BadValueError(_one_of(("NONE", "ALL", *MAILS, "ARRAY_TASKS")))
    return frozenset(found)


def tell_mail(found: frozenset[str]) -> str:
    """Write kinds of mail in the order of `sbatch`."""
    return ",".join(word for word in ("ARRAY_TASKS", *MAILS) if word in found) or "NONE"


def mail(text: str) -> str:
    """Read kinds of mail."""
    return tell_mail(mail_set(text) or frozenset())


_SIGNALS = {
    "HUP": 1, "INT": 2, "QUIT": 3, "ABRT": 6, "KILL": 9, "USR1": 10, "USR2": 12, "ALRM": 14, "TERM": 15, "CONT": 18,
    "STOP": 19, "TSTP": 20, "TTIN": 21, "TTOU": 22, "URG": 23, "XCPU": 24,
}  # fmt: skip
_NAMES = {number: name for name, number in _SIGNALS.items()}


_NUMBERED = re.compile(r"[ \t\n\v\f\r]*[+-]?[0-9]+[ \t]*\Z")


def signal_parts(text: str, before: str = "") -> tuple[str, str, int]:
    """Read a warning signal: its flags with those of an earlier option, the signal, the seconds before the limit."""
    flags, colon, rest = text.partition(":")
    if not colon:
        flags, rest = "", text
    elif flags.upper() not in ("", "B", "R", "RB", "BR"):
        raise BadValueError("before the colon stands `B`, `R` or `RB`")
    word, at, late = rest.partition("@")
    number, _ = leading(word)
    if number is None:
        number = _SIGNALS.get(word.strip(" \t").upper().removeprefix("SIG"), 0)
    elif _NUMBERED.match(word) is None:
        number = 0
    number = wrapped(number) & 0xFFFF
    if number == 0:
        raise BadValueError("a signal is due, `USR1@120` for instance")
    seconds, tail = leading(late) if late else (0, "")
    if at and (seconds is None or tail or not 0 <= seconds <= 65535):
        raise BadValueError("the seconds before the limit are a number from 0 to 65535")
    kept, there_are, _ = before.partition(":")
    order = "".join(letter for letter in "RB" if letter in flags.upper() or (there_are and letter in kept))
    return order, _NAMES.get(number, str(number)), (seconds or 0) if at else 60


def signal(text: str, before: str = "") -> str:
    """Read a warning signal."""
    flags, name, late = signal_parts(text, before)
    return (f"{flags}:" if flags else "") + name + (f"@{late}" if late != 60 else "")


_PROFILES = ("energy", "lustre", "network", "task")


def profile(text: str) -> str:
    """Read kinds of time series."""
    lowered = text.lower()
    if "none" in lowered:
        return "None"
    found = _PROFILES if "all" in lowered else [word for word in _PROFILES if word in lowered]
    if not found:
        raise BadValueError(_one_of(("all", "none", *_PROFILES)))
    return ",".join(word.capitalize() for word in found)


def distribution(text: str) -> str:
    """Read how tasks are laid out over nodes, sockets and cores."""
    lowered = text.lower()
    if lowered.startswith("plane"):
        number, rest = leading(lowered.removeprefix("plane="))
        if number is None or rest or not lowered.startswith("plane=") or not 0 < number < 2**31:
            raise BadValueError("the size of a plane is due: `plane=4`")
        return f"plane={number}"
    layout, _, packing = lowered.partition(",")
    if lowered in ("pack", "nopack"):
        return lowered
    if packing and packing not in ("pack", "nopack"):
        raise BadValueError("after the comma stands `Pack` or `NoPack`")
    parts = [part for part in layout.split(":") if part]
    allowed = [("block", "cyclic", "*"), *[("block", "cyclic", "fcyclic", "*")] * 2]
    if layout != "arbitrary" and (
        not 0 < len(parts) <= 3 or any(part not in names for part, names in zip(parts, allowed, strict=False))
    ):
        raise BadValueError(_one_of(("block", "cyclic", "arbitrary", "plane=N")))
    told = [("block" if place == 0 else "cyclic") if part == "*" else part for place, part in enumerate(parts)]
    return ":".join(told) + (f",{packing}" if packing else "")


_FREQUENCIES = ("low", "medium", "highm1", "high")
_ORDER = ("Low", "Medium", "High", "Highm1")
_GOVERNORS = {
    "co": "Conservative", "onde": "OnDemand", "perf": "Performance", "po": "PowerSave", "sc": "SchedUtil",
    "user": "UserSpace",
}  # fmt: skip
"""Governors by their beginnings, which are all that counts."""
_ALLOWED_GOVERNORS = ("OnDemand", "Performance", "UserSpace")
"""What a site allows unless it says otherwise (`CpuFreqGovernors`)."""


def cpu_freq(text: str) -> str:
    """Read a processor clock: a value, a range with a governor, or a governor."""
    values, colon, governor = text.partition(":")
    low, dash, high = values.partition("-")
    if _find_governor(low):
        if dash or colon:
            raise BadValueError("a governor stands alone or behind a range")
        return _governor(low)
    if colon and not dash:
        raise BadValueError("a governor needs a range before it")
    told = _frequency(low)
    if not dash:
        return told
    top = _frequency(high)
    if _rank(told) > _rank(top):
        raise BadValueError("the lower clock is above the upper one")
    return f"{told}-{top}" + (f":{_governor(governor)}" if colon else "")


def _find_governor(text: str) -> str:
    return next((name for beginning, name in _GOVERNORS.items() if text.lower().startswith(beginning)), "")


def _governor(text: str) -> str:
    found = _find_governor(text)
    if found not in _ALLOWED_GOVERNORS:
        raise BadValueError("the governor is unknown or not allowed by default")
    return found


_CLOCKS = (("lo", "Low"), ("him1", "Highm1"), ("highm1", "Highm1"), ("hi", "High"), ("med", "Medium"))
"""Named clocks by their beginnings, in the order in which they are compared."""


def _frequency(text: str) -> str:
    number, _ = leading(text)
    if number is not None and 0 < number < 2**31:
        return str(number)
    for beginning, name in _CLOCKS:
        if number is None and text.lower().startswith(beginning):
            return name
    raise BadValueError(_one_of((*_FREQUENCIES, *_ALLOWED_GOVERNORS)))


def _rank(told: str) -> int:
    """Give a number by which clocks can be compared; named ones stand above all numbers."""
    return int(told) if told.isdigit() else 2**31 + _ORDER.index(told)


def gpu_freq(text: str) -> str:
    """Read a clock of the processors and of the memory of GPUs."""
    for part in filter(None, text.split(",")) if text else ("",):
        value = part.removeprefix("memory=")
        if value not in _FREQUENCIES and part != "verbose" and not is_number(value):
            raise BadValueError("`low`, `medium`, `high`, `highm1` or megahertz are due")
    return text


_SAMPLED = re.compile(r"(?i)(?:^|(?:task|energy|network|filesystem)=)")


def acctg(text: str) -> str:
    """Read sampling times; `sbatch` finds the names of what is sampled wherever they stand, and -1 is no time."""
    for part in filter(None, text.split(",")):
        numbers = [leading(part[found.end() :])[0] for found in _SAMPLED.finditer(part)]
        if all(number is None or wrapped(number) == -1 for number in numbers):
            raise BadValueError("`task=SECONDS`, `energy=`, `network=` or `filesystem=` is due")
    return text


def gres_flags(text: str) -> str:
    """Read a flag for generic resources."""
    if text.lower() not in ("disable-binding", "enforce-binding"):
        raise BadValueError(_one_of(("disable-binding", "enforce-binding")))
    return text.lower()


def yes_no(text: str) -> str:
    """Read a yes or a no."""
    if text.lower() not in ("yes", "no"):
        raise BadValueError(_one_of(("yes", "no")))
    return text.lower()


def open_mode(text: str) -> str:
    """Read whether output files are appended to; only the first letter counts."""
    if text[:1].lower() not in ("a", "t"):
        raise BadValueError(_one_of(("append", "truncate")))
    return text[:1].lower()


def exclusive(text: str) -> str:
    """Read with whom nodes are shared; empty is with nobody."""
    word = text.lower() or "exclusive"
    if word not in ("exclusive", "oversubscribe", "user", "mcs"):
        raise BadValueError(_one_of(("user", "mcs")))
    return word


def no_kill(text: str) -> str:
    """Read whether the job survives the loss of a node; empty is yes."""
    word = text.lower() or "set"
    if word not in ("set", "off", "no"):
        raise BadValueError(_one_of(("off", "no")))
    return "set" if word == "set" else "unset"
