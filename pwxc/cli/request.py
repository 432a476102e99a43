"""What a command line asks for, in the terms of the library."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from pwxc.diagnostics import Diagnostics
from pwxc.diagnostics import codes as C  # noqa: N812
from pwxc.files import STDIN, load_file, load_stream
from pwxc.frozen import frozen
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


def load_sources(names: Sequence[str], diagnostics: Diagnostics) -> list[Source]:
    """Load every file, so that all that cannot be read are told at once."""
    if names.count("-") > 1:
        diagnostics.add(C.BAD_OPTION, "standard input (`-`) can be read only once")
        return []
    loaded = [load_source(name, diagnostics) for name in names]
    return [source for source in loaded if source is not None]
