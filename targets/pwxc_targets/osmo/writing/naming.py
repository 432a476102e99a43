"""Names that OSMO takes (osmo.md §10, §19) and names that an expression can say (osmo.md §4)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from zlib import crc32

from pwxc.ir.names import free_name
from pwxc_targets.osmo.reading.scalars import NAME

LONGEST = 64
LONGEST_IN_LIST = 58
"""A task of a plain list becomes the group `NAME-group`."""

_WORDS = frozenset((
    "and", "or", "not", "in", "is", "if", "else", "elif", "for", "true", "false", "none", "True", "False",
    "None", "loop", "self", "super", "caller", "varargs", "kwargs", "range", "dict", "lipsum", "cycler",
    "joiner", "namespace", "block", "macro", "call", "filter", "set", "raw", "include", "import", "extends",
))  # fmt: skip
PARAMETER = re.compile(r"\{(\w+)\}")
"""A parameter in the name of a swept task."""
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*", re.ASCII)


class Names:
    """Gives names that are valid, unique after folding, and as near to the wanted ones as can be."""

    def __init__(self, *, keep: bool) -> None:
        self.keep = keep
        """Whether names that are valid stay as they are."""
        self._parameters: frozenset[str] = frozenset()
        self._taken: set[str] = {"osmo-ctrl"}
        self._families: list[str] = []

    def keep_patterns(self, parameters: Iterable[str]) -> None:
        """Keep names that have some of these parameters in braces: they have come from loops of this language."""
        self._parameters = frozenset(parameters)

    def claim(self, wanted: str, *, limit: int = LONGEST, suffix: int = 0, list_item: bool = False) -> str:
        """Take a name; `suffix` is how many characters will be put behind it for each instance of a sweep.

        With `list_item` the name of the group that OSMO makes of it is taken too.
        """
        in_braces = PARAMETER.findall(wanted)
        if suffix and in_braces and self._parameters.issuperset(in_braces):
            return wanted
        limit -= suffix
        plain = wanted if self.keep and NAME.match(wanted) else _plain(wanted)
        if len(plain) > limit:
            plain = f"{plain[: limit - 9].rstrip('-_')}-{crc32(wanted.encode(errors='replace')):08x}"
        candidate, number = plain, 2
        while self._clashes(candidate, family=suffix > 0, list_item=list_item):
            tail = f"-{number}" if suffix == 0 else f"-v{number}"
            candidate = plain[: limit - len(tail)].rstrip("-_") + tail
            number += 1
        self._taken.add(_fold(candidate))
        if list_item:
            self._taken.add(_fold(candidate) + "-group")
        if suffix:
            self._families.append(_fold(candidate))
        return candidate

    def _clashes(self, name: str, *, family: bool, list_item: bool) -> bool:
        folded = _fold(name)
        if folded in self._taken or (list_item and f"{folded}-group" in self._taken):
            return True
        if any(_is_instance(folded, other) for other in self._families):
            return True
        return family and any(_is_instance(other, folded) or other.startswith(f"{folded}-") for other in self._taken)


def _is_instance(name: str, family: str) -> bool:
    return re.fullmatch(re.escape(family) + r"(-\d+)+(-group)?", name) is not None


def _fold(name: str) -> str:
    return name.lower().replace("_", "-")


def _plain(wanted: str) -> str:
    wanted = re.sub(r"\{[^{}]*\}", "", wanted)
    plain = re.sub(r"[^a-z0-9]+", "-", wanted.lower()).strip("-") or "task"
    return plain if plain[0].isalpha() else f"t-{plain}"


def identifier(words: Iterable[str], taken: set[str]) -> str:
    """Give a name that an expression can say and that is not taken yet, and take it."""
    plain = re.sub(r"\W+", "_", "_".join(words), flags=re.ASCII).strip("_") or "value"
    plain = plain if _IDENTIFIER.fullmatch(plain) and plain not in _WORDS else f"p_{plain}"
    name = free_name(plain, taken, "_")
    taken.add(name)
    return name


def is_identifier(word: str) -> bool:
    """Whether an expression can say a word as a name."""
    return _IDENTIFIER.fullmatch(word) is not None and word not in _WORDS
