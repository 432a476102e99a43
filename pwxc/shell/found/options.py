"""Options of commands as their programs cut them, as far as recognising needs it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import attrs

from pwxc.shell.found.values import ASSIGNED, Word

NONE, REQUIRED, OPTIONAL = 0, 1, 2
_ARGUMENTS = re.compile(
    r"\$\{?\w*(?:ARG|OPT|FLAG|PARAM|SRUN|EXTRA|BIND|MOUNT|RESUME)\w*\}?|\$\{\w+\[[@*]\]\}|\$\{\w+:?[-+]-.*\}",
    re.IGNORECASE | re.DOTALL,
)
"""Expansions that hold options, by their names or by what they look like."""


def listed(names: str) -> list[str]:
    """Give names that are written with blanks between them."""
    return names.split()


@attrs.frozen
class Table:
    """The options of a program; short ones have the long name that they stand for, or their letter."""

    kinds: Mapping[str, int]
    short: Mapping[str, str] = attrs.field(factory=dict)
    abbreviates: bool = False
    """Whether the beginning of a name is enough."""

    @classmethod
    def of(
        cls, values: str, flags: str = "", optional: str = "", short: str = "", *, abbreviates: bool = False
    ) -> Table:
        """Make a table of names; `short` has items such as `n=ntasks`, or the letter alone where there is no name."""
        kinds = dict.fromkeys(flags.split(), NONE) | dict.fromkeys(values.split(), REQUIRED)
        pairs = [item.partition("=") for item in short.split()]
        names = {letter: name or letter for letter, _, name in pairs}
        return cls(kinds | dict.fromkeys(optional.split(), OPTIONAL), names, abbreviates)

    def complete(self, name: str) -> str | None:
        """Give the option that a name means."""
        if name in self.kinds or not self.abbreviates:
            return name if name in self.kinds else None
        near = [item for item in self.kinds if item.startswith(name)]
        return near[0] if len(near) == 1 else None


@attrs.define
class Taken:
    """The options that were read, each with its value, and the place of the first word behind them.

    `understood` is false where an option is not known, so that the word after it may be its value or not.
    """

    options: list[tuple[str, Word | None]] = attrs.field(factory=list)
    place: int = 0
    understood: bool = True

    def last(self, *names: str) -> Word | None:
        """Give the value that counts of options that mean the same."""
        return next((value for name, value in reversed(self.options) if name in names and value is not None), None)

    def all(self, *names: str) -> list[Word]:
        """Give all values of options that mean the same."""
        return [value for name, value in self.options if name in names and value is not None]

    def has(self, *names: str) -> bool:
        """Whether one of the options was given."""
        return any(name in names for name, _ in self.options)


def take(words: Sequence[Word], table: Table) -> Taken:
    """Read the options at the start of words, by the rules of `getopt_long`."""
    taken = Taken()
    while taken.place < len(words):
        word = words[taken.place]
        if not word.value.startswith("-") or word.value == "-":
            if not _hides_options(words, taken):
                break
            taken.understood = False
            taken.place += 1
            continue
        taken.place += 1
        if word.value == "--":
            break
        if word.value.startswith("--"):
            _long(word, words, table, taken)
        else:
            _short(word, words, table, taken)
    return taken


def _hides_options(words: Sequence[Word], taken: Taken) -> bool:
    """Whether a word that is not known stands where options are due, and is named as if it held some."""
    word = words[taken.place]
    return not word.known and _ARGUMENTS.fullmatch(word.value) is not None and taken.place + 1 < len(words)


def _next(words: Sequence[Word], taken: Taken) -> Word | None:
    if taken.place >= len(words):
        return None
    taken.place += 1
    return words[taken.place - 1]


def _long(word: Word, words: Sequence[Word], table: Table, taken: Taken) -> None:
    name, equals, value = word.value[2:].partition("=")
    full = table.complete(name)
    given = attrs.evolve(word, value=value, known=word.known or not _is_open(value)) if equals else None
    if full is None:
        taken.understood = False
    elif table.kinds[full] == REQUIRED and given is None:
        given = _next(words, taken)
    taken.options.append((full or name, given))


def _short(word: Word, words: Sequence[Word], table: Table, taken: Taken) -> None:
    rest = word.value[1:]
    while rest:
        letter, rest = rest[0], rest[1:]
        name = table.short.get(letter)
        if name is None:
            taken.understood = False
            return
        kind = table.kinds.get(name, NONE)
        if kind == NONE:
            taken.options.append((name, None))
            continue
        given = attrs.evolve(word, value=rest.removeprefix("=") if kind == OPTIONAL else rest) if rest else None
        if given is None and kind == REQUIRED:
            given = _next(words, taken)
        taken.options.append((name, given))
        return


def _is_open(value: str) -> bool:
    return any(mark in value for mark in "$`")


def take_dashed(words: Sequence[Word], values: Mapping[str, int], flags: frozenset[str]) -> Taken:
    """Read options with one dash or two, each with its number of values (`mpirun`, `aprun`)."""
    taken = Taken()
    while taken.place < len(words) and words[taken.place].value.startswith("-"):
        word = words[taken.place]
        taken.place += 1
        name, equals, value = word.value.lstrip("-").partition("=")
        if name not in values and (found := re.fullmatch(r"(n|np|N|d|S|c|a|g|r|ppn)(\d+)", name)) is not None:
            name, equals, value = found.group(1), "=", found.group(2)
        if name not in values:
            taken.understood = taken.understood and (name in flags or bool(equals))
            taken.options.append((name, None))
        elif equals:
            taken.options.append((name, attrs.evolve(word, value=value)))
            taken.place += values[name] - 1
        else:
            following = words[taken.place : taken.place + values[name]]
            taken.place += len(following)
            taken.options.append((name, following[0] if following else None))
    return taken


@attrs.frozen
class _Wrapper:
    """A program that runs its operands as a command: options that take a value, and operands before the command."""

    values: str = ""
    operands: int = 0


_WRAPPERS = {
    "exec": _Wrapper("a"), "command": _Wrapper(), "builtin": _Wrapper(), "nohup": _Wrapper(), "eval": _Wrapper(),
    "time": _Wrapper("f format o output"), "env": _Wrapper("u unset C chdir S split-string"),
    "timeout": _Wrapper("k kill-after s signal", 1), "nice": _Wrapper("n adjustment"),
    "ionice": _Wrapper("c class n classdata"), "stdbuf": _Wrapper("i input o output e error"), "setsid": _Wrapper(),
    "numactl": _Wrapper("i interleave N cpunodebind m membind C physcpubind p preferred l localalloc"),
    "taskset": _Wrapper("", 1), "catchsegv": _Wrapper(), "unbuffer": _Wrapper(), "noglob": _Wrapper(),
    "coproc": _Wrapper(), "repeat": _Wrapper("", 1), "sudo": _Wrapper("u user g group"),
    "strace": _Wrapper("o output e trace p attach s"), "xvfb-run": _Wrapper("n e f s l p w server-num server-args"),
}  # fmt: skip


def behind_wrappers(words: Sequence[Word], at: int = 0) -> int:
    """Give where the command stands behind assignments and programs that only run it (`time`, `env A=1`)."""
    while at < len(words):
        word = words[at]
        if ASSIGNED.match(word.value) is not None or (word.value == "-p" and at == 0):
            at += 1
            continue
        wrapper = _WRAPPERS.get(word.program)
        if wrapper is None or at + 1 >= len(words):
            break
        at += 1
        if word.value == "command" and words[at].value in ("-v", "-V"):
            return len(words)  # only asks whether there is such a program
        while at < len(words) and words[at].value.startswith("-") and len(words[at].value) > 1:
            name, equals, _ = words[at].value.lstrip("-").partition("=")
            at += 1 + (name in wrapper.values.split() and not equals)
        at += wrapper.operands
    return min(at, len(words))
