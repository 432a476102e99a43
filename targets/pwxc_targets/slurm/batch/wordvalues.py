"""The values that are made of known words: kinds of mail, signals, bindings, frequencies (slurm.md §5.9)."""

from __future__ import annotations

import re


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


def signal_parts(text: str) -> tuple[str, str, int]:
    """Read a warning signal: its flags, the signal, and the seconds before the limit."""
    flags, colon, rest = text.partition(":")
    if not colon:
        flags, rest = "", text
    elif flags.upper() not in ("B", "R", "RB", "BR"):
        raise BadValueError("before the colon stands `B`, `R` or `RB`")
    word, at, late = rest.partition("@")
    found = re.match(r"\s*(-?\d+)", word)
    number = int(found.group(1)) if found else _SIGNALS.get(word.upper().removeprefix("SIG"), 0)
    if number < 1 or (found and found.end() != len(word) and not _is_digits(word)):
        raise BadValueError("a signal is due, `USR1@120` for instance")
    if at and (not re.fullmatch(r"\d*", late) or int(late or 0) > 65535):
        raise BadValueError("the seconds before the limit are a number from 0 to 65535")
    order = "".join(letter for letter in "RB" if letter in flags.upper())
    return order, _NAMES.get(number, str(number)), int(late or 0) if at else 60


def _is_digits(word: str) -> bool:
    return word.strip().isdigit()


def signal(text: str) -> str:
    """Read a warning signal."""
    flags, name, late = signal_parts(text)
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
        size = re.fullmatch(r"plane=(\d+)", lowered)
        if size is None or int(size.group(1)) == 0:
            raise BadValueError("the size of a plane is due: `plane=4`")
        return lowered
    layout, comma, packing = lowered.partition(",")
    if lowered in ("pack", "nopack"):
        return lowered
    if comma and packing not in ("pack", "nopack"):
        raise BadValueError("after the comma stands `Pack` or `NoPack`")
    parts = [part for part in layout.split(":") if part]
    allowed = [("block", "cyclic", "*"), *[("block", "cyclic", "fcyclic", "*")] * 2]
    if layout != "arbitrary" and (
        not 0 < len(parts) <= 3 or any(part not in names for part, names in zip(parts, allowed, strict=False))
    ):
        raise BadValueError(_one_of(("block", "cyclic", "arbitrary", "plane=N")))
    told = [("block" if place == 0 else "cyclic") if part == "*" else part for place, part in enumerate(parts)]
    return ":".join(told) + comma + packing


_FREQUENCIES = ("low", "medium", "highm1", "high")
_ORDER = ("Low", "Medium", "High", "Highm1")
_GOVERNORS = {
    "co": "Conservative", "on": "OnDemand", "pe": "Performance", "po": "PowerSave", "sc": "SchedUtil",
    "us": "UserSpace",
}  # fmt: skip
"""Governors by their first two letters, which are all that counts."""
_ALLOWED_GOVERNORS = ("OnDemand", "Performance", "UserSpace")
"""What a site allows unless it says otherwise (`CpuFreqGovernors`)."""


def cpu_freq(text: str) -> str:
    """Read a processor clock: a value, a range with a governor, or a governor."""
    if text[:2].lower() in _GOVERNORS and ":" not in text:
        return _governor(text)
    values, colon, governor = text.partition(":")
    low, dash, high = values.partition("-")
    if colon and not dash:
        raise BadValueError("a governor needs a range before it")
    told = _frequency(low)
    if not dash:
        return told
    top = _frequency(high)
    if _rank(told) > _rank(top):
        raise BadValueError("the lower clock is above the upper one")
    return f"{told}-{top}" + (f":{_governor(governor)}" if colon else "")


def _governor(text: str) -> str:
    found = _GOVERNORS.get(text[:2].lower(), "")
    if found not in _ALLOWED_GOVERNORS:
        raise BadValueError("the governor is unknown or not allowed by default")
    return found


def _frequency(text: str) -> str:
    found = re.match(r"\s*\+?(\d+)", text)
    number = int(found.group(1)) if found else 0
    if 0 < number < 2**31:
        return str(number)
    for beginning, name in (
        ("lo", "Low"),
        ("him1", "Highm1"),
        ("highm1", "Highm1"),
        ("hi", "High"),
        ("medium", "Medium"),
    ):
        if not found and text.lower().startswith(beginning):
            return name
    raise BadValueError(_one_of((*_FREQUENCIES, *_ALLOWED_GOVERNORS)))


def _rank(told: str) -> int:
    """Give a number by which clocks can be compared; named ones stand above all numbers."""
    return int(told) if told.isdigit() else 2**31 + _ORDER.index(told)


def gpu_freq(text: str) -> str:
    """Read a clock of the processors and of the memory of GPUs."""
    for part in text.split(","):
        value = part.removeprefix("memory=")
        if value not in ("low", "medium", "high", "highm1", "verbose") and not value.isdigit():
            raise BadValueError("`low`, `medium`, `high`, `highm1` or megahertz are due")
    return text


def gpu_bind(text: str) -> str:
    """Read which task sees which GPU."""
    rest = re.sub(r"^verbose,", "", text, flags=re.I)
    kind, colon, listed = rest.lower().partition(":")
    if kind.startswith(("c", "n")):  # only the first letter is compared
        return text
    patterns = {
        "map_gpu": r"[0-9*,]*",
        "mask_gpu": r"(?:(?:0x)?[0-9a-f]+(?:\*[0-9]+)?,?)*",
        "single": r".*",
        "per_task": r".*",
    }
    if not colon or kind not in patterns or not re.fullmatch(patterns[kind], listed):
        raise BadValueError("`none`, `closest`, `single:N`, `per_task:N`, `map_gpu:…` or `mask_gpu:…` is due")
    return text


_MEMORY_WORDS = {
    "quiet": "quiet", "q": "quiet", "verbose": "verbose", "v": "verbose", "no": "none", "none": "none",
    "sort": "sort", "nosort": "", "prefer": "prefer", "p": "prefer", "rank": "rank", "local": "local",
}  # fmt: skip


def mem_bind(text: str) -> str:
    """Read the binding of tasks to memory; the last kind that is named counts."""
    kind = ""
    flags: set[str] = set()
    for part in re.split(r",(?=[A-Za-z])", text):
        word, _, listed = part.partition(":")
        word = word.lower()
        if word in ("map_mem", "mask_mem"):
            if not listed:
                raise BadValueError(f"`{word}:` needs a list")
            items = [item.removeprefix("0x") for item in listed.split(",")] if word == "mask_mem" else [listed]
            kind = f"{word}:{','.join(items)}"
        elif word not in _MEMORY_WORDS:
            raise BadValueError("`none`, `local`, `rank`, `map_mem:…` or `mask_mem:…` is due")
        elif _MEMORY_WORDS[word] in ("none", "rank", "local"):
            kind = _MEMORY_WORDS[word]
        else:
            flags.add(_MEMORY_WORDS[word])
            flags -= {"quiet"} if word.startswith("v") else {"verbose"} if word.startswith("q") else set()
    told = [word for word in ("verbose", "prefer", "sort") if word in flags]
    return ",".join([*told, kind] if kind else told) or "unset"


def acctg(text: str) -> str:
    """Read sampling times."""
    for part in text.split(",") if text else ():
        found = re.match(r"(?:(?:task|energy|network|filesystem)=)?\s*([+-]?\d+)", part, re.I)
        if part and (found is None or not 0 <= int(found.group(1)) < 2**31):
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
