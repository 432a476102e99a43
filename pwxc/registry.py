"""The systems that are installed, found through the entry points `pwxc.targets`; built-ins and outsiders alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import attrs

from pwxc.diagnostics.code import Code, codes_of
from pwxc.entrypoints import find_entry_points
from pwxc.frozen import frozen

if TYPE_CHECKING:
    from pwxc.diagnostics import Diagnostics
    from pwxc.fidelity import Ledger
    from pwxc.ir.workflow import Workflow
    from pwxc.source import Source

GROUP = "pwxc.targets"


@frozen
class Option:
    """A choice that a target leaves to the user, given as `--option TARGET.NAME=VALUE`.

    `values` lists what may be given; empty means any text that `pattern` matches as a whole.
    """

    name: str
    default: str
    help: str
    values: tuple[str, ...] = ()
    pattern: str = ".*"


@frozen
class ReadSettings:
    """What the user gave for reading: values for the source's parameters, and the options of its target.

    `folder` is where the files that the source names are looked for.
    """

    values: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    folder: Path | None = None
    options: Mapping[str, str] = attrs.field(factory=dict)
    allow: frozenset[str] = frozenset()


@frozen
class OutputFile:
    """One file of the output, with its path below the place that the user names."""

    path: str
    text: str
    executable: bool = False


@frozen
class Written:
    """What a writer gives: the files, the one to show first standing first."""

    files: tuple[OutputFile, ...]


class Reader(Protocol):
    """Turns text into a workflow; None when there are errors, which then stand in the diagnostics."""

    def __call__(
        self, sources: tuple[Source, ...], settings: ReadSettings, diagnostics: Diagnostics
    ) -> Workflow | None:
        """Read texts that are one workflow together."""


class Writer(Protocol):
    """Turns a workflow into files, reading it through the ledger."""

    def __call__(self, workflow: Workflow, ledger: Ledger, options: Mapping[str, str]) -> Written:
        """Write a workflow; never fails."""
        ...


class Linter(Protocol):
    """Adds what a system's own rules and good habit say about a text."""

    def __call__(self, sources: tuple[Source, ...], settings: ReadSettings, diagnostics: Diagnostics) -> None:
        """Check texts that are one workflow together."""


@frozen
class Lazy:
    """A function that is imported when it is first called: `package.module:name`."""

    where: str

    def load(self) -> Any:
        """Import and give it."""
        module, _, name = self.where.partition(":")
        return attrgetter(name)(import_module(module)) if name else import_module(module)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Import and call it."""
        return self.load()(*args, **kwargs)


@frozen
class Target:
    """A system: how its files are recognised, read, written and checked.

    `sniff` takes a text and the file's name and says from 0 to 1 how much it looks like this system's. `codes` is
    the module that holds the target's rows of the catalogue. With `any_bytes` the files need not be UTF-8 text.
    With `folders` a folder of files may be one workflow.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    sniff: Callable[[str, str], float]
    codes: str
    read: Reader | None = None
    write: Writer | None = None
    lint: Linter | None = None
    options: tuple[Option, ...] = ()
    any_bytes: bool = False
    folders: bool = False

    def settle_options(self, given: Mapping[str, str]) -> dict[str, str]:
        """Give every option a value: the user's or the default."""
        return {option.name: given.get(option.name, option.default) for option in self.options}


@cache
def _entry_points() -> dict[str, Lazy]:
    return {name: Lazy(where) for name, where in find_entry_points(GROUP).items()}


def names() -> list[str]:
    """Give the names of the installed systems."""
    return sorted(_entry_points())


@cache
def find(name: str) -> Target | None:
    """Find a system by its name; one that cannot be loaded (see `broken`) is none."""
    point = _entry_points().get(name)
    if point is None:
        return None
    try:
        target: Target = point.load()
    except Exception as fault:  # an outsider's module may raise anything while it is imported
        _faults[name] = f"{type(fault).__name__}: {fault}"
        return None
    return target


_faults: dict[str, str] = {}


def broken() -> dict[str, str]:
    """Give the installed systems that cannot be loaded, with the reason."""
    all_targets()
    return dict(_faults)


def all_targets() -> list[Target]:
    """Load every installed system; those that cannot be loaded are left out, see `broken`."""
    return [target for name in names() if (target := find(name)) is not None]


def guess(text: str, filename: str) -> Target | None:
    """Find the system that a text looks like most; None when it looks like none."""
    scored = [(target.sniff(text, filename), target) for target in all_targets()]
    score, target = max(scored, key=lambda pair: pair[0], default=(0.0, None))
    return target if score > 0 else None


def target_codes(target: Target) -> list[Code]:
    """Give a target's rows of the catalogue."""
    return codes_of(vars(import_module(target.codes)))
