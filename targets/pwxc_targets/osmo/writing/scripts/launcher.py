"""Launchers that are taken out of a script: what they would have done, done by the shell (slurm.md §14, §15)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

import attrs

from pwxc.ir.found import Launch, Layer, Software
from pwxc.shell import quote
from pwxc.shell.found import containers, launchers
from pwxc.shell.found.commands import Around, Walk
from pwxc.shell.found.options import Taken
from pwxc.shell.found.values import ASSIGNED, Values, Word
from pwxc.shell.words import Token, tokenize
from pwxc_targets.osmo.writing.scripts.marked import readable
from pwxc_targets.osmo.writing.scripts.ranks import RANKS_FILE

_PIPED = re.compile(r"(?:\A|[^|])\|&?\Z")
_PLACED = ("nodelist", "relative", "exclude", "nodefile")
_NAMING = re.compile(r"(?:\S*/)?hostname\b")
_MPI = re.compile(r"mpi(?!4py)|mvapich|hpcx", re.IGNORECASE)
_COMMA = re.compile(r",(?=[A-Za-z_]\w*=)")
_LISTING = frozenset(["apptainer", "singularity"])
_DECLARING = frozenset(["export", "declare", "typeset", "readonly", "local"])


@attrs.frozen
class Part:
    """A launcher of a launch with its own options, and the raw words that they had as values."""

    layer: Layer
    taken: Taken
    text: str
    """The whole script."""

    @property
    def understood(self) -> bool:
        """Whether every word between the launcher and its command is known to be an option or a value."""
        return self.taken.understood

    def value(self, *names: str) -> str | None:
        """Give an option's value as a word of the script."""
        word = self.taken.last(*names)
        return None if word is None else self.raw(word)

    def values(self, *names: str) -> list[str]:
        """Give all values of options that mean the same, as words of the script."""
        return [self.raw(word) for word in self.taken.all(*names)]

    def raw(self, word: Word) -> str:
        """Give the text of a word without the option that stands before it in one word."""
        if word.known and not word.value.startswith("~"):
            return quote(word.value)
        whole = self.text[word.start : word.end]
        if word.value not in whole.replace('"', ""):  # it came out of a variable
            return f'"{word.value}"'
        if whole.startswith("--") and "=" in whole:
            return whole.partition("=")[2]
        return whole[2:] if whole.startswith("-") and len(whole) > 2 else whole


def parts_of(launch: Launch, text: str) -> list[Part]:
    """Read the options of each launcher once more, with the words as they stand."""
    return [Part(layer, _taken(layer, text), text) for layer in launch.layers]


def _taken(layer: Layer, text: str) -> Taken:
    tokens = [token for token in tokenize(text[layer.start : layer.command], layer.start) if not token.redirect]
    words = constants(text).words(tokens)
    if words and words[0].program == layer.program:  # not in the further parts of `srun a : b`
        words = words[1:]
    reader = launchers.READERS.get(layer.program) or containers.READERS.get(layer.program)
    call = reader([*words, *_filler(layer)]) if reader is not None else None
    return call.taken if call is not None else Taken(understood=False)


def _filler(layer: Layer) -> list[Word]:
    """Stand for the command, without which a variable before it could not be told from it."""
    return [Word("command", layer.command, layer.command)]


@lru_cache(maxsize=32)
def constants(text: str) -> Values:
    """Give what the variables of a script are known to hold: those that it sets once, on its own level."""
    commands = list(Walk().text(text, 0, Around()))
    values = Values.of(commands)
    for command in commands:
        tokens, nested = list(command.words), command.around.nested
        if tokens and tokens[0].text in _DECLARING:
            tokens.pop(0)
        elif not all(ASSIGNED.match(token.text) for token in tokens):
            continue
        for token in tokens:
            values.assign(token, nested=nested)
    return values


def loads_mpi(software: Iterable[Software]) -> bool:
    """Whether a script has loaded an MPI."""
    return any(_MPI.search(name) for item in software for name in item.names)


def wants_mpi(parts: list[Part], *, loaded: bool) -> bool:
    """Whether a step is started for an MPI: it names the way to do so, or the script has loaded one."""
    named = parts[0].value("mpi") if parts[0].layer.program == "srun" else None
    return loaded if named is None else named.strip("\"'") not in ("none", "list")


def is_container(layer: Layer) -> bool:
    """Whether a launcher is a container runtime; `srun` with an image is not one."""
    return layer.program in containers.READERS or layer.program not in launchers.READERS


def is_mpi(layer: Layer) -> bool:
    """Whether a launcher belongs to an MPI or to a site, and not to the scheduler."""
    return layer.program in launchers.READERS and layer.program != "srun"


def surroundings(parts: list[Part]) -> list[str]:
    """Give the words before a command that stand for the folder, files and variables of its launchers."""
    made: list[str] = []
    for part in parts:
        folder = part.value("chdir") if part.layer.program == "srun" else part.value("pwd", "cwd", "workdir", "cd")
        folder = part.value("container-workdir") or folder
        if folder is not None:
            made.append(f'sh -c \'cd "$0" && exec "$@"\' {folder}')
        made += _streams(part)
        variables = _variables(part)
        if variables:
            made.append(" ".join(["env", *variables]))
    return made


def _streams(part: Part) -> list[str]:
    """Give what stands for the files that a step reads and writes."""
    if part.layer.program != "srun":
        return []
    made = []
    for option, mark in (("input", "<"), ("output", ">"), ("error", "2>")):
        value = part.value(option)
        if value is not None and "%" not in value and value.strip("\"'") not in ("none", "all"):
            made.append(f'sh -c \'exec "$@" {mark} "$0"\' {value}')
    output, error = part.value("output"), part.value("error")
    if made and output is not None and error is None and "%" not in output:
        made[-1] = made[-1].replace('> "$0"\'', '> "$0" 2>&1\'')
    return made


def _variables(part: Part) -> list[str]:
    option, splits = ("export", True) if part.layer.program == "srun" else ("env", part.layer.program in _LISTING)
    values = [item for value in part.values(option) for item in (_split(value) if splits else [value])]
    return [value for value in values if "=" in value]


def _split(value: str) -> list[str]:
    """Split variables that stand in one word with commas between them, perhaps in quotes."""
    mark = value[0] if value[:1] in ("'", '"') and value.endswith(value[:1]) else ""
    items = _COMMA.split(value[1:-1] if mark else value)
    if not mark and any(item.count(sign) % 2 for item in items for sign in "'\""):
        return [value]
    return [f"{mark}{item}{mark}" for item in items]


def patterned_streams(parts: list[Part]) -> str | None:
    """Give a file name with a pattern of Slurm's that a step writes to, which nothing here fills in."""
    for part in parts:
        if part.layer.program == "srun":
            for option in ("output", "error"):
                value = part.value(option)
                if value is not None and "%" in value:
                    return value
    return None


def ranks(
    count: str, launch: Launch, text: str, parts: list[Part], *, gpus: int | None = None, mpi: bool = False
) -> str:
    """Give the command that starts copies.

    `gpus` is how many each gets, where the job says so; with `mpi` the image's MPI starts them, if it has one.
    """
    first = parts[0]
    settings = ["PWXC_MPI=1"] if mpi else []
    if reads_input(launch, text):
        settings.append("PWXC_INPUT=all")
    each = first.value("gpus-per-task") if first.layer.program == "srun" else None
    number = (each or str(gpus or "")).rpartition(":")[2]
    if number.isdecimal() and int(number):
        settings.append(f"PWXC_GPUS={number}")
    return " ".join([*(["env", *settings] if settings else []), "sh", RANKS_FILE, count])


def single_rank(rank: int, node: int, total: int) -> str:
    """Give what stands before a command that runs once on a node."""
    numbers = {"PROCID": rank, "LOCALID": 0, "NODEID": node, "NTASKS": total, "NPROCS": total, "STEP_NUM_TASKS": total}
    return " ".join(["env", *(f"SLURM_{name}={number}" for name, number in numbers.items())])


def reads_input(launch: Launch, text: str) -> bool:
    """Whether something is put into a launch: a file, a text, or what another command prints."""
    if _is_behind_pipe(text, launch.start):
        return True
    line_end = text.find("\n", launch.end)
    rest = text[launch.start : line_end if line_end >= 0 else len(text)]
    return any(token.redirect.lstrip("0") in ("<", "<<", "<<<") for token in _tokens(rest) if token.redirect)


def _is_behind_pipe(text: str, at: int) -> bool:
    while at and (text[at - 1].isspace() or text[at - 1 : at + 1] == "\\\n"):
        at -= 1
    return _PIPED.search(text[max(0, at - 3) : at]) is not None


def _tokens(text: str) -> list[Token]:
    found = []
    for token in tokenize(text):
        if token.operator:
            break
        found.append(token)
    return found


def shown(launch: Launch, text: str) -> str:
    """Give the beginning of a launch for a message."""
    return readable(text[launch.start : launch.end], 60)


def shown_command(launch: Launch, text: str) -> str:
    """Give the program that a launch starts, for a message."""
    return readable((text[launch.command : launch.end].split() or [""])[0])


def as_word(count: int | str) -> str:
    """Give a number as a word of the script."""
    return quote(str(count)) if isinstance(count, int) else count


def is_lookup(launch: Launch, text: str) -> bool:
    """Whether a launch only asks one node for its name or address, as those do that look for the first one."""
    single = launch.tasks == 1 or (launch.nodes == 1 and launch.tasks is None)
    return single and is_naming(launch, text)


def is_naming(launch: Launch, text: str) -> bool:
    """Whether a launch prints the names of hosts."""
    return _NAMING.match(text, launch.command) is not None


def is_placed(part: Part) -> bool:
    """Whether a step names the nodes that it wants."""
    return part.taken.has(*_PLACED)


def can_spread(launch: Launch, text: str) -> bool:
    """Whether the copies of a launch can be dealt out to all nodes: it is `srun`, with options that are known."""
    parts = parts_of(launch, text)
    return parts[0].layer.program == "srun" and all(part.understood for part in parts) and not is_placed(parts[0])
