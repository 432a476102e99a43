"""What a command line asks for, in the terms of the library."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from pwxc.diagnostics import Diagnostics
from pwxc.diagnostics import codes as C  # noqa: N812
from pwxc.files import STDIN, is_folder, load_file, load_folder, load_stream
from pwxc.frozen import frozen
from pwxc.registry import find
from pwxc.source import Source
from pwxc.values import Values, read_values, split_items


@frozen
class Reading:
    """How sources are to be read."""

    values: Values
    options: dict[str, str]


def collect_reading(
    values: Iterable[str], texts: Iterable[str], files: Iterable[str], options: Iterable[str], diagnostics: Diagnostics
) -> Reading:
    """Gather values and options. Files come first, `--set` wins over them, and `--set-string` over `--set`."""
    gathered = Values()
    for name in files:
        source = load_source(name, diagnostics)
        if source is not None:
            gathered.update(read_values(source, diagnostics))
    gathered.update(Values(values=split_items(values, "--set", diagnostics)))
    gathered.update(Values(texts=split_items(texts, "--set-string", diagnostics)))
    return Reading(gathered, split_items(options, "--option", diagnostics))


def load_source(name: str, diagnostics: Diagnostics) -> Source | None:
    """Load a file, or standard input for `-`."""
    if name == "-":
        return load_stream(sys.stdin.buffer, STDIN, diagnostics)
    return load_file(name, diagnostics)


def load_sources(names: Sequence[str], diagnostics: Diagnostics, origin: str | None = None) -> list[Source]:
    """Load every file, so that all that cannot be read are told at once; a folder stands for what is in it."""
    if names.count("-") > 1:
        diagnostics.add(C.BAD_OPTION, "standard input (`-`) can be read only once")
        return []
    reader = find(origin) if origin is not None else None
    loaded: list[Source | None] = []
    for name in names:
        if name != "-" and is_folder(name):
            loaded.extend(load_folder(Path(name), reader, diagnostics))
        else:
            loaded.append(load_source(name, diagnostics))
    return [source for source in loaded if source is not None]
