"""Words into options, as `getopt_long` does it for `sbatch` (slurm.md §4)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs

from pwxc_targets.slurm.batch.cutting import Word
from pwxc_targets.slurm.batch.table import NONE, OPTIONAL, REQUIRED, Option, by_name, by_short, plugin_value


@attrs.frozen
class Given:
    """An option that was given, with its value; `option` is None when no version of Slurm knows the name.

    `value_start` to `value_end` is where the value stands when it can be told.
    """

    name: str
    option: Option | None
    value: str | None
    start: int
    end: int
    value_start: int | None = None
    value_end: int | None = None
    abbreviated: str | None = None
    dashes: str = "--"
    takes_next: bool = False


@attrs.frozen
class Stray:
    """A word that is neither an option nor the value of one; nothing after it is looked at."""

    word: Word
    before: str = ""
    """The word before it."""


@attrs.frozen
class Misuse:
    """An option that was given in a way that is refused."""

    kind: str
    message: str
    word: Word
    help: str = ""


Found = Given | Stray | Misuse


def options(words: Sequence[Word], names: Sequence[str]) -> Iterator[Found]:
    """Go through the options of the words; `names` are the long names that are known."""
    known = by_name()
    place = 0
    while place < len(words):
        word = words[place]
        place += 1
        if word.text == "--":
            if place < len(words):
                yield Stray(words[place])
            return
        if not word.text.startswith("-") or word.text == "-":
            yield Stray(word, words[place - 2].text if place > 1 else "")
            return
        following = words[place] if place < len(words) else None
        if word.text.startswith("--"):
            found = _long(word, following, names, known)
            taken = isinstance(found, Given) and found.takes_next
            yield found
        else:
            taken = False
            for item in _short(word, following):
                taken = taken or (isinstance(item, Given) and item.takes_next)
                yield item
        place += taken


def _long(word: Word, following: Word | None, names: Sequence[str], known: dict[str, Option]) -> Found:
    name, equals, value = word.text[2:].partition("=")
    full = _complete(name, names)
    if isinstance(full, list):
        near = ", ".join(f"`--{item}`" for item in full)
        return Misuse("ambiguous", f"`--{name}` may be several options", word, f"write one of {near} in full")
    if full is None:
        return Given(name, known.get(name), value if equals else None, word.start, word.end)
    option = known.get(full)  # None for one of a plug-in
    takes = option.value if option is not None else plugin_value(full)
    short = name if name != full else None
    if takes == NONE and equals:
        return Misuse("no-value", f"`--{full}` takes no value", word, f"write `--{full}`")
    if takes == REQUIRED and not equals and following is None:
        return Misuse("needs-value", f"`--{full}` needs a value", word, f"write `--{full}=VALUE`")
    # of an unknown plug-in's option, what follows and is no option is the value
    may = option is None and takes == OPTIONAL and following is not None and not following.text.startswith("-")
    if following is not None and not equals and (takes == REQUIRED or may):
        at, end = following.range(0)
        return Given(full, option, following.text, word.start, following.end, at, end, short, takes_next=True)
    if not equals:
        return Given(full, option, None, word.start, word.end, abbreviated=short)
    at, end = word.range(len(word.text) - len(value))
    return Given(full, option, value, word.start, word.end, at, end, short)


def _complete(name: str, names: Sequence[str]) -> str | list[str] | None:
    """Give the option that a beginning means, those that it may mean, or nothing."""
    if name in names:
        return name
    near = [item for item in names if item.startswith(name)] if name else []
    if not near:
        return None
    return near[0] if len(near) == 1 else near


def _short_help(word: Word) -> str:
    name = word.text[1:].partition("=")[0]
    return f"write `--{name}`" if name in by_name() else ""


def _short(word: Word, following: Word | None) -> Iterator[Found]:
    rest = word.text[1:]
    while rest:
        letter, rest = rest[0], rest[1:]
        option = by_short().get(letter)
        if option is None:
            yield Misuse("unknown-short", f"`sbatch` has no option `-{letter}`", word, _short_help(word))
            return
        if option.value == NONE:
            yield Given(option.name, option, None, word.start, word.end, dashes="-")
            continue
        if rest:
            at, end = word.range(len(word.text) - len(rest))
            yield Given(option.name, option, rest, word.start, word.end, at, end, dashes="-")
        elif option.value == OPTIONAL:
            yield Given(option.name, option, None, word.start, word.end, dashes="-")
        elif following is None:
            yield Misuse("needs-value", f"`-{letter}` needs a value", word)
        else:
            at, end = following.range(0)
            text = following.text
            yield Given(option.name, option, text, word.start, following.end, at, end, dashes="-", takes_next=True)
        return
