"""Words into options, as `getopt_long` does it for `sbatch` (slurm.md §4)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs

from pwxc_targets.slurm.batch.cutting import Word
from pwxc_targets.slurm.batch.table import NONE, OPTIONAL, REQUIRED, Option, by_name, by_short


@attrs.frozen
class Given:
    """An option that was given, with its value; `option` is None when no version of Slurm knows the name.

    `value_start` is where the value stands when it can be told.
    """

    name: str
    option: Option | None
    value: str | None
    start: int
    end: int
    value_start: int | None = None
    abbreviated: str | None = None
    dashes: str = "--"
    takes_next: bool = False


@attrs.frozen
class Stray:
    """A word that is neither an option nor the value of one; nothing after it is looked at."""

    word: Word


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
            yield Stray(word)
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
    option = known[full]
    short = name if name != full else None
    at = word.end - len(value) if equals else None
    if option.value == NONE and equals:
        return Misuse("no-value", f"`--{full}` takes no value", word, f"write `--{full}`")
    if option.value == REQUIRED and not equals:
        if following is None:
            return Misuse("needs-value", f"`--{full}` needs a value", word, f"write `--{full}=VALUE`")
        return Given(full, option, following.text, word.start, following.end, following.start, short, takes_next=True)
    return Given(full, option, value if equals else None, word.start, word.end, at, short)


def _complete(name: str, names: Sequence[str]) -> str | list[str] | None:
    """Give the option that a beginning means, those that it may mean, or nothing."""
    if name in names:
        return name
    near = [item for item in names if item.startswith(name)] if name else []
    if not near:
        return None
    return near[0] if len(near) == 1 else near


def _short(word: Word, following: Word | None) -> Iterator[Found]:
    rest = word.text[1:]
    while rest:
        letter, rest = rest[0], rest[1:]
        option = by_short().get(letter)
        if option is None:
            yield Misuse("unknown-short", f"`sbatch` has no option `-{letter}`", word)
            return
        if option.value == NONE:
            yield Given(option.name, option, None, word.start, word.end, dashes="-")
            continue
        at = word.end - len(rest) if rest else None
        if rest or option.value == OPTIONAL:
            yield Given(option.name, option, rest or None, word.start, word.end, at, dashes="-")
        elif following is None:
            yield Misuse("needs-value", f"`-{letter}` needs a value", word)
        else:
            yield Given(
                option.name,
                option,
                following.text,
                word.start,
                following.end,
                following.start,
                dashes="-",
                takes_next=True,
            )
        return
