"""The further options of a class of resources: which of them belong to an allocation, to a job's command, to nothing.

torc's jobs ask for nothing at Slurm. An option about nodes goes into `extra` of a scheduler, one about the script's
streams and environment becomes lines of the command, and what concerns `sbatch` as a program is left out (slurm.md
§21.1, torc.md §8, §26).
"""

from __future__ import annotations

import re
from functools import lru_cache

import attrs

from pwxc.fidelity import Account
from pwxc.ir.entity import place_of
from pwxc.ir.resources import Resources
from pwxc.shell import quote
from pwxc.source import Span
from pwxc_targets.torc.writing import codes as C  # noqa: N812
from pwxc_targets.torc.writing.state import Writing

STREAMS = ("output", "error", "input", "open-mode")
IN_COMMAND = frozenset((*STREAMS, "export"))
"""What becomes lines of the command."""
OF_CLIENT = frozenset(
    ("help", "ignore-pbs", "parsable", "quiet", "usage", "verbose", "version", "wait", "wrap", "kill-on-invalid-dep")
)
"""What only concerns `sbatch` as a program; dependants of what failed are always cancelled by torc."""
INCIDENTAL = frozenset(
    (
        *("mail-type", "mail-user", "nice", "priority", "comment", "wckey", "mcs-label", "acctg-freq", "profile"),
        *("requeue", "no-requeue", "oversubscribe", "wait-all-nodes", "time-min", "deadline"),
    )
)
"""What says something about an allocation, but is no reason to ask for one."""
_PYXIS = re.compile(r"(?:no-)?container-(?!id\Z|type\Z|image\Z|mounts\Z)")
"""Options of the plug-in for containers, without the two that the reader makes a container of."""
_AS_APPTAINER = frozenset(
    (
        *("container-env", "container-readonly", "container-mount-home", "container-workdir"),
        *("no-container-entrypoint", "no-container-remap-root", "no-container-mount-home"),
    )
)
"""Those that Apptainer does of itself or by an option of its own."""
_OF_ALLOCATION = {
    "mail-type": "mails tell of allocations, not of jobs",
    "mail-user": "mails tell of allocations, not of jobs",
    "begin": "the allocation waits for `{option}`; the job starts in any that has room for it",
    "deadline": "`{option}` holds for the allocation, not for the job",
    "nice": "`{option}` holds for the allocation, not for the job",
    "priority": "`{option}` holds for the allocation, not for the job",
    "hold": "the allocation is held, and somebody has to release it",
    "time-min": "an allocation that `{option}` shortens has no room for jobs whose `runtime` is longer",
    "requeue": "`{option}` brings back the allocation; jobs that were lost with it are run again by `torc recover`",
    "no-requeue": "`{option}` holds for the allocation, not for the job",
    "dependency": "the allocation waits for `{option}`; the job starts in any that has room for it",
    "clusters": "`{option}` sends the allocation away; torc looks for it on its own cluster",
    "cluster": "`{option}` sends the allocation away; torc looks for it on its own cluster",
    "container": "the worker is put into the container with the job",
    "get-user-env": "`{option}` gives the worker the environment of a login, which its jobs have too",
}
"""What is said of options that act on the allocation and its worker."""
_LOST = {
    "no-kill": "the loss of a node ends a worker of torc",
    "test-only": "with `{option}` nothing is submitted; torc runs the job",
    "uid": "torc submits as the person who runs it",
    "gid": "torc submits as the person who runs it",
    "export-file": "the job has the environment of the worker, not that of `{option}`",
    "external": "steps of a worker of torc are its own",
}
_SIGNAL = re.compile(r"(?:[RB]+:)?(?:SIG)?(?P<name>[A-Za-z0-9]+)(?:@(?P<seconds>\d+))?\Z")
_NUMBERED = {"1": "HUP", "2": "INT", "3": "QUIT", "10": "USR1", "12": "USR2", "15": "TERM", "18": "CONT"}
_FOR_GPUS = re.compile(r"--(gpus(?:-per-node)?)\b|(-G)")
_NEEDS_QUOTES = re.compile(r"""[\s#"'\\]|\A:""")


@attrs.frozen
class Option:
    """An option as its long name, its value, and the text in which it stands for one directive line."""

    name: str
    value: str | None
    text: str
    raw: bool = False

    @property
    def shown(self) -> str:
        """Give the option as a user would know it."""
        return f"--{self.name}" + ("" if self.value is None else f"={self.value}")

    @property
    def line(self) -> str:
        """Give the option for a directive line, quoted by the rules of such lines (slurm.md §3).

        A text that is a piece of such a line already is kept.
        """
        if self.raw or not self.name:
            return " ".join(self.text.splitlines())
        if self.value is None:
            return f"--{self.name}"
        value = " ".join(self.value.splitlines())
        if _NEEDS_QUOTES.search(value):
            value = '"' + re.sub(r'(["\\])', r"\\\1", value) + '"'
        return f"--{self.name}={value}"


@attrs.frozen
class Signal:
    """A warning before the end: the signal's name with `SIG`, and how many seconds before."""

    name: str
    seconds: int


@lru_cache(maxsize=4096)
def split_option(text: str, *, raw: bool) -> Option:
    """Read a directive's text; one that is no single long option has no name."""
    found = re.match(r"--([a-z][\w-]*)(?:=(.*))?\Z", text, re.S)
    if found is None:
        return Option("", None, text, raw)
    value = found[2]
    quoted = re.fullmatch(r"""(["'])([^"'\\]*)\1""", value) if raw and value else None
    return Option(found[1], quoted[2] if quoted is not None else value, text, raw)


def options_of(writing: Writing, record: Resources) -> list[Option]:
    """Give the further options of a class of resources."""
    # only the reader of scripts takes the quotes away
    raw = writing.workflow.dialect != "slurm"
    return [split_option(text, raw=raw) for item in record.directives if (text := writing.literal(item))]


def value_of(writing: Writing, record: Resources | None, name: str) -> str | None:
    """Give the value of a further option; an option without value has the empty one."""
    if record is None:
        return None
    return next((item.value or "" for item in options_of(writing, record) if item.name == name), None)


def option_for_gpus(record: Resources) -> str | None:
    """Give the option by which the source asks for graphics processors, where its place is known and it is no list."""
    span = (record.places or {}).get("gpus")
    found = None if span is None else _FOR_GPUS.match(span.text)
    return None if found is None else found[1] or "gpus"


def for_allocation(writing: Writing, record: Resources) -> list[Option]:
    """Give the options that a scheduler's `extra` has."""
    return [
        item
        for item in options_of(writing, record)
        if item.name not in IN_COMMAND | OF_CLIENT
        and item.name not in _LOST
        and item.name not in ("signal", "job-name", "array", "chdir")
        and not _PYXIS.match(item.name)
        and not is_unlimited(item)
        and not is_singleton(item)
    ]


def is_unlimited(item: Option) -> bool:
    """Whether an option asks for a time without end, which is a number in torc."""
    return item.name == "time" and item.value == "0"


def place_of_option(record: Resources, item: Option) -> Span | None:
    """Give the place of a further option."""
    return place_of(record, f"--{item.name}" if f"--{item.name}" in (record.places or {}) else "directives")


def is_singleton(item: Option) -> bool:
    """Whether an option asks for a time without other jobs of the same name."""
    return item.name == "dependency" and "singleton" in (item.value or "").lower()


def container_options(writing: Writing, record: Resources | None) -> str:
    """Give the options of Apptainer that those of the plug-in for containers stand for, each with a blank behind."""
    folder = value_of(writing, record, "container-workdir")
    alone = value_of(writing, record, "no-container-mount-home") is not None
    return (f"--pwd {quote(folder)} " if folder else "") + ("--no-home " if alone else "")


def signal_of(writing: Writing, record: Resources | None) -> Signal | None:
    """Give the signal that a job wants before its end."""
    found = _SIGNAL.match(value_of(writing, record, "signal") or "")
    if found is None:
        return None
    name = _NUMBERED.get(found["name"], found["name"].upper())
    return Signal(f"SIG{name}", int(found["seconds"] or 60))


def settle_options(writing: Writing, account: Account, record: Resources, scheduler: str | None) -> None:
    """Say what becomes of each further option; `scheduler` is the one that has them, None where there is none."""
    account.emulate("directives")
    kept = {item.name for item in for_allocation(writing, record)} if scheduler is not None else set()
    for item in options_of(writing, record):
        if item.name in OF_CLIENT | IN_COMMAND | {"signal"}:
            continue
        span = place_of_option(record, item)
        lost = _LOST.get(item.name)
        if _PYXIS.match(item.name):
            if item.name not in _AS_APPTAINER:
                message = f"Apptainer has nothing for `{item.shown}`"
                account.drop("directives", C.OPTION_LOST, message, span=span)
        elif is_singleton(item):
            message = "jobs of torc do not wait for jobs of the same name in other runs"
            account.drop("directives", C.OPTION_LOST, message, span=span)
        elif lost is not None:
            account.drop("directives", C.OPTION_LOST, lost.format(option=item.shown), span=span)
        elif item.name in _OF_ALLOCATION and item.name in kept:
            message = _OF_ALLOCATION[item.name].format(option=item.shown)
            account.approximate("directives", C.OF_ALLOCATION, message, span=span)
        elif scheduler is None and not is_unlimited(item):
            message = f"`{item.shown}` belongs to an allocation; torc's jobs do not ask for it"
            account.approximate("directives", C.ALLOCATION_ONLY, message, span=span)
