"""`#PBS` and `#BSUB` lines, which `sbatch` translates, and which win over its own (slurm.md §3)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import attrs

from pwxc_targets.slurm.batch.cutting import CuttingError, Word, cut, lines

_PBS_VALUED = "aAcCeJjklmMNopqrStuvW"
_PBS_FLAGS = "hIVz"
_BSUB_VALUED = "ceJmMnoqVW"
_BSUB_FLAGS = "hx"
_PBS_PLAIN = {
    "A": "account", "N": "job-name", "o": "output", "e": "error", "q": "partition", "t": "array", "J": "array",
    "M": "mail-user", "p": "nice", "a": "begin", "v": "export",
}  # fmt: skip
_BSUB_PLAIN = {
    "J": "job-name", "q": "partition", "W": "time", "o": "output", "e": "error", "m": "nodelist", "c": "chdir",
}  # fmt: skip
_MAILS = {"a": "FAIL", "b": "BEGIN", "e": "END", "n": "NONE"}


@attrs.frozen
class Translated:
    """A foreign option as a word of `sbatch`, or why it is refused."""

    text: str
    start: int
    end: int
    fault: str = ""


def words(text: str) -> list[Translated]:
    """Translate the foreign lines of a script; only those of LSF count if there are any."""
    if "#PBS" not in text and "#BSUB" not in text:
        return []
    for magic, translate in (("#BSUB", _bsub), ("#PBS", _pbs)):
        found = list(_collect(text, magic))
        if found:
            return list(translate(found))
    return []


def _collect(text: str, magic: str) -> Iterator[Word]:
    for line in lines(text):
        if not line.text.startswith(magic):
            continue
        try:
            yield from cut(line, len(magic))
        except CuttingError:
            return


@attrs.frozen
class _Option:
    letter: str
    value: str
    word: Word
    fault: str = ""


def _getopt(found: Sequence[Word], valued: str, flags: str) -> Iterator[_Option]:
    place = 0
    while place < len(found):
        word = found[place]
        place += 1
        if word.text == "-cwd" and valued == _BSUB_VALUED and place < len(found):
            yield _Option("c", found[place].text, word)
            place += 1
            continue
        if not word.text.startswith("-") or len(word.text) < 2:
            yield _Option("", "", word, f"`{word.text}` is not an option")
            return
        letter, value = word.text[1], word.text[2:]
        if letter in flags:
            yield _Option(letter, "", word)
        elif letter not in valued:
            yield _Option(letter, "", word, f"`sbatch` does not know `-{letter}` of the other system")
        elif value or place < len(found):
            place += not value
            yield _Option(letter, value or found[place - 1].text, word)
        else:
            yield _Option(letter, "", word, f"`-{letter}` needs a value")


def _pbs(found: Sequence[Word]) -> Iterator[Translated]:
    for option in _getopt(found, _PBS_VALUED, _PBS_FLAGS):
        texts: list[str] = []
        if option.letter in _PBS_PLAIN:
            texts.append(f"--{_PBS_PLAIN[option.letter]}={option.value}")
        elif option.letter == "l":
            texts.extend(_resources(option.value))
        elif option.letter == "m":
            kinds = ",".join(_MAILS[letter] for letter in option.value if letter in _MAILS)
            texts.append(f"--mail-type={kinds or 'NONE'}")
        elif option.letter == "h":
            texts.append("--hold")
        elif option.letter == "W" and option.value.startswith("depend="):
            texts.append(f"--dependency={option.value.removeprefix('depend=')}")
        yield from _told(option, texts)


def _told(option: _Option, texts: Sequence[str]) -> Iterator[Translated]:
    if option.fault:
        yield Translated("", option.word.start, option.word.end, option.fault)
    for text in texts:
        yield Translated(text, option.word.start, option.word.end)


def _resources(text: str) -> Iterator[str]:
    for item in text.split(","):
        key, _, value = item.partition("=")
        if key in ("walltime", "cput"):
            yield f"--time={value}"
        elif key == "nodes":
            yield from _nodes(value)
        elif key == "select":
            yield from _select(value)
        elif key in ("mem", "ncpus", "file"):
            yield f"--{ {'mem': 'mem', 'ncpus': 'mincpus', 'file': 'tmp'}[key] }={value}"


def _nodes(text: str) -> Iterator[str]:
    if not text[:1].isdigit():
        yield f"--nodelist={','.join(part.partition(':')[0] for part in text.split('+'))}"
        return
    number, *parts = text.split(":")
    yield f"--nodes={number}"
    for part in parts:
        key, _, value = part.partition("=")
        if key == "ppn" and value.isdigit() and number.isdigit():
            yield f"--ntasks={int(number) * int(value)}"
        elif key == "gpus":
            yield f"--gpus-per-node={value}"
        elif "=" not in part and part:
            yield f"--nodelist={part}"


def _select(text: str) -> Iterator[str]:
    number, *parts = text.split(":")
    if number.isdigit():
        yield f"--nodes={number}"
    for part in parts:
        key, _, value = part.partition("=")
        if key in ("ncpus", "mem"):
            yield f"--{'mincpus' if key == 'ncpus' else 'mem'}={value}"


def _bsub(found: Sequence[Word]) -> Iterator[Translated]:
    for option in _getopt(found, _BSUB_VALUED, _BSUB_FLAGS):
        texts: list[str] = []
        if option.letter in _BSUB_PLAIN:
            texts.append(f"--{_BSUB_PLAIN[option.letter]}={option.value}")
        elif option.letter == "n":
            texts.append(f"--ntasks={option.value.rpartition(',')[2]}")
        elif option.letter == "M":
            size = re.match(r"\d+", option.value)
            texts.append(f"--mem-per-cpu={size.group() if size else option.value}K")
        elif option.letter == "x":
            texts.append("--exclusive")
        yield from _told(option, texts)
