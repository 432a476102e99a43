"""`#PBS` and `#BSUB` lines, which `sbatch` translates, and which win over its own (slurm.md §3)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import attrs

from pwxc_targets.slurm.batch.cutting import CuttingError, Word, cut, lines
from pwxc_targets.slurm.batch.numbers import is_number

_PBS_VALUED = "aAcCeJjklmMNopqrStuvW"
_PBS_FLAGS = "hIVz"
_BSUB_VALUED = "ceJmMnoqW"
_BSUB_FLAGS = "x"
_PBS_PLAIN = {
    "A": "account", "N": "job-name", "o": "output", "e": "error", "q": "partition", "t": "array", "J": "array",
    "M": "mail-user", "p": "nice", "a": "begin", "v": "export",
}  # fmt: skip
_BSUB_PLAIN = {
    "J": "job-name", "q": "partition", "W": "time", "o": "output", "e": "error", "c": "chdir",
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
        if not text.startswith(magic) and f"\n{magic}" not in text:
            continue
        try:
            return list(translate(list(_collect(text, magic))))
        except CuttingError as error:
            return [Translated("", error.start, error.end, error.message)]
    return []


def _collect(text: str, magic: str) -> Iterator[Word]:
    for line in lines(text):
        if not line.text.startswith(magic):
            continue
        yield from cut(line, len(magic))


@attrs.frozen
class _Option:
    letter: str
    value: str
    word: Word
    fault: str = ""


def _getopt(found: Sequence[Word], valued: str, flags: str) -> Iterator[_Option]:
    """Go through the options of the words; nothing after a fault is looked at."""
    place = 0
    while place < len(found):
        word = found[place]
        place += 1
        if word.text == "--" and place == len(found):
            return
        rest = word.text[1:]
        if not word.text.startswith("-") or rest.startswith("-") or not rest:
            yield _Option("", "", word, f"`{word.text}` is not an option")
            return
        while rest:
            letter, rest = rest[0], rest[1:]
            if letter in flags:
                yield _Option(letter, "", word)
                continue
            if letter not in valued:
                yield _Option(letter, "", word, f"`sbatch` does not know `-{letter}` of the other system")
                return
            if not rest and place == len(found):
                yield _Option(letter, "", word, f"`-{letter}` needs a value")
                return
            place += not rest
            yield _Option(letter, rest or found[place - 1].text, word)
            break


def _pbs(found: Sequence[Word]) -> Iterator[Translated]:
    for option in _getopt(found, _PBS_VALUED, _PBS_FLAGS):
        texts: list[str] = []
        if option.letter in _PBS_PLAIN:
            texts.append(f"--{_PBS_PLAIN[option.letter]}={option.value}")
        elif option.letter == "l":
            texts.extend(_resources(option.value))
        elif option.letter == "m":
            kinds = ",".join(_MAILS[letter] for letter in option.value if letter in _MAILS)
            texts.append(f"--mail-type={kinds or option.value}")
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


_SIZES = {"mem": "mem", "file": "tmp"}
_TIMES = frozenset({"walltime", "cput", "pcput"})
_IGNORED = frozenset({"arch", "host", "opsys", "other", "pmem", "pvmem", "software", "vmem"})
_KEY = re.compile(
    r"(?i:(?P<any>accelerator|mpiprocs|naccelerators|ncpus|proc|select))=|(?P<exact>"
    + "|".join(sorted(_TIMES | _IGNORED | {"mem", "file", "nice", "nodes"}, key=len, reverse=True))
    + ")="
)


def _resources(text: str) -> Iterator[str]:
    """Read what `-l` asks for, as `sbatch` does: a name that it knows is found wherever it stands in the text."""
    at, devices = 0, 0
    found: dict[str, int] = {}
    while at < len(text):
        key = _KEY.match(text, at)
        if key is None:
            at += 1
            continue
        name = (key["exact"] or key["any"]).lower()
        end = _value_end(text, key.end(), ":" if name in ("mpiprocs", "ncpus", "select") else ",")
        value, at = text[key.end() : end], end + 1
        if name == "accelerator":
            devices = devices or int(value.lower().startswith("true"))
        elif name == "naccelerators":
            if value and not is_number(value):
                yield f"--cpus-per-task={value}"  # refused, as the number of devices is
            devices = int(value) if is_number(value) else devices
        elif name == "proc":
            yield from () if name in found else (f"--constraint={value}",)
            found[name] = 1
        elif name in ("mpiprocs", "ncpus"):
            found[name] = int(value) if is_number(value) else 0
            yield f"--{'mincpus' if name == 'ncpus' else 'ntasks-per-node'}={value}"
        else:
            found |= {"select": 1} if name == "select" else {}
            yield from _resource(name, value)
    if {"ncpus", "mpiprocs", "select"} <= found.keys() and found["ncpus"] > found["mpiprocs"] > 0:
        yield f"--cpus-per-task={found['ncpus'] // found['mpiprocs']}"
    if devices:
        yield f"--gres=gpu:{devices}"


def _value_end(text: str, at: int, mark: str) -> int:
    end = text.find(mark, at)
    return len(text) if end < 0 else end


def _resource(name: str, value: str) -> Iterator[str]:
    if name in _TIMES:
        yield f"--time={value}"
    elif name in _SIZES:
        yield f"--{_SIZES[name]}={value}"
    elif name == "nodes":
        yield from _nodes(value)
    elif name == "select":
        yield f"--nodes={value}"
    elif name == "nice":
        yield f"--nice={value}"


def _nodes(text: str) -> Iterator[str]:
    """Read `N:ppn=M` or names of nodes, joined by `+`; counts add up."""
    nodes = tasks = 0
    names: list[str] = []
    devices = ""
    for part in re.split(r"[+:]", text):
        if part.startswith("ppn="):
            tasks += _leading_number(part[4:])
        elif part.startswith("gpus="):
            devices = part[5:]
        elif is_number(part[:1]):
            nodes += _leading_number(part)
        elif part[:1].isalpha():
            names.append(part)
    if nodes:
        yield f"--nodes={nodes}"
    if tasks:
        yield f"--ntasks={tasks * (nodes or 1)}"
    if devices:
        yield f"--gpus-per-node={devices}"
    if names:
        yield f"--nodelist={_ranged(names)}"


def _leading_number(text: str) -> int:
    found = re.match(r"[0-9]+", text)
    return int(found.group()) if found else 0


def _ranged(names: Sequence[str]) -> str:
    """Write names with numbers at their ends as ranges: `n[1-2]`."""
    groups: dict[str, list[str]] = {}
    for name in names:
        stem = name.rstrip("0123456789")
        groups.setdefault(stem, []).append(name[len(stem) :])
    return ",".join(stem + _numbers(found) for stem, found in groups.items())


def _numbers(found: Sequence[str]) -> str:
    if len(found) == 1:
        return found[0]
    runs: list[list[str]] = []
    for number in found:
        after = bool(runs and number and runs[-1][1] and int(number) == int(runs[-1][1]) + 1)
        if after and len(number) == len(runs[-1][1]):
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return f"[{','.join(low if low == high else f'{low}-{high}' for low, high in runs)}]"


def _bsub(found: Sequence[Word]) -> Iterator[Translated]:
    # it looks for `-cwd` at every second word only, and writes `-c` instead
    words = [
        attrs.evolve(word, text="-c") if word.text == "-cwd" and not at % 2 else word for at, word in enumerate(found)
    ]
    for option in _getopt(words, _BSUB_VALUED, _BSUB_FLAGS):
        texts: list[str] = []
        if option.letter == "m":
            texts.append(f"--nodelist={','.join(option.value.split())}")
        elif option.letter in _BSUB_PLAIN:
            texts.append(f"--{_BSUB_PLAIN[option.letter]}={option.value}")
        elif option.letter == "n":
            texts.append(f"--ntasks={option.value.rpartition(',')[2]}")
        elif option.letter == "M":
            # a number alone is in KiB
            texts.append(f"--mem-per-cpu={option.value}{'K' if is_number(option.value) else ''}")
        elif option.letter == "x":
            texts.append("--exclusive")
        yield from _told(option, texts)
