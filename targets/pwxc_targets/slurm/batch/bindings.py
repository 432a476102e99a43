"""Bindings of tasks to memory and to GPUs (slurm.md §5.9)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pwxc_targets.slurm.batch.numbers import is_number, leading
from pwxc_targets.slurm.batch.wordvalues import BadValueError

_MEMORY_WORDS = {
    "quiet": "quiet", "q": "quiet", "verbose": "verbose", "v": "verbose", "no": "none", "none": "none",
    "sort": "sort", "nosort": "nosort", "prefer": "prefer", "p": "prefer", "rank": "rank", "local": "local",
}  # fmt: skip
_SHOWN = ("verbose", "prefer", "sort")
_OPPOSITE = {"quiet": "verbose", "nosort": "sort"}
_NEXT_WORD = re.compile(r";|,(?![0-9]|[0-9A-Fa-f]*(?:,|\Z))")
"""A comma before a number belongs to the list of a map or a mask."""
_MOST, _DIGITS = 10_000, 10
"""How often a number of a list is repeated at most: no node has more processors."""
_LISTS = {"map_mem": r"[0-9]*", "mask_mem": r"[0-9a-f]*"}


def mem_bind(text: str, before: str = "") -> str:
    """Read the binding of tasks to memory; flags of an earlier option stay, and the last kind that is named counts."""
    told = [] if before in ("", "unset") else before.split(",")
    flags = {word for word in told if word in _SHOWN}
    # of a map that is told without a list, only its kind is known
    kind = next((word.partition(":")[0] for word in told if word not in _SHOWN and not word[0].isdigit()), "")
    for part in _NEXT_WORD.split(text):
        word = _MEMORY_WORDS.get(part.lower())
        if word is None:
            kind = _listed(part)
        elif word in ("none", "rank", "local"):
            kind = word
        elif word in _OPPOSITE:
            flags.discard(_OPPOSITE[word])
        else:
            flags.add(word)
    shown = [word for word in _SHOWN if word in flags]
    return ",".join([*shown, kind] if kind else shown) or "unset"


def _listed(part: str) -> str:
    found = re.match(r"(?i)(map|mask)_?mem", part)
    if found is None:
        raise BadValueError("`none`, `local`, `rank`, `map_mem:…` or `mask_mem:…` is due")
    name = f"{found.group(1).lower()}_mem"
    _, *lists = re.split(r"[:=]", part)
    if not lists or not lists[0]:
        raise BadValueError(f"`{name}:` needs a list")
    return f"{name}:{','.join(_items(name, lists[0]))}"


def _items(name: str, listed: str) -> Iterator[str]:
    for item in filter(None, listed.split(",")):
        value, times, number = item.removeprefix("0x" if name == "mask_mem" else "").partition("*")
        repeated = min(int(number), _MOST) if is_number(number) and len(number) < _DIGITS else 0
        bare = name == "mask_mem" and not value
        if not re.fullmatch(_LISTS[name], value, re.I) or (times and not repeated):
            raise BadValueError("a list of numbers is due, `0,1` or `0*4`; of a mask, `0x3,0xc`")
        yield from [value] * (0 if bare and times else repeated or 1)


_GPU_LISTS = {"map_gpu": r"[0-9*,]*", "mask_gpu": r"(?:(?:0x)?[0-9A-Fa-f]*(?:\*[0-9]*)?(?:,|\Z))*"}


def gpu_bind(text: str) -> str:
    """Read which task sees which GPU."""
    rest = re.sub(r"^verbose,", "", text, flags=re.I)
    kind, colon, listed = rest.partition(":")
    kind = kind.lower()
    if kind.startswith(("c", "n")):  # only the first letter is compared
        return text
    good = bool(colon)
    if kind in ("single", "per_task"):
        good = good and (leading(listed)[0] or 0) >= 0
    else:
        good = good and kind in _GPU_LISTS and re.fullmatch(_GPU_LISTS[kind], listed) is not None
    if not good:
        raise BadValueError("`none`, `closest`, `single:N`, `per_task:N`, `map_gpu:…` or `mask_gpu:…` is due")
    return text
