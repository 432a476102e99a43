"""Which of some files is the driver: it submits the others, or runs those that do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from pwxc.diagnostics import Diagnostics
from pwxc.shell.grammar import Command, Function, Node, parse
from pwxc.shell.words import ShellError, Token
from pwxc.source import Source
from pwxc_targets.slurm import codes as C  # noqa: N812
from pwxc_targets.slurm.batch.directives import read_directives
from pwxc_targets.slurm.drivers.running.files import Files
from pwxc_targets.slurm.drivers.running.rules import CALL, is_sbatch, submits, walk
from pwxc_targets.slurm.drivers.running.sourcing import is_shell, scripts_of, submitting

_MOST_FILES = 500


def find_drivers(sources: Sequence[Source], folder: Path | None) -> list[Source]:
    """Find the sources that submit jobs and are not run by another one; if none is given, in their folder.

    A driver has no directives of its own.
    """
    files = Files(folder, list(sources), lambda path: None)
    drivers = [source for source in sources if _drives(source.text, files)]
    called = {name for source in drivers for name in _called(source.text)}
    top = [source for source in drivers if _name(source) not in called] or drivers
    if len(sources) > 1 and len(top) != 1 and folder is not None:
        callers = list(_callers(sources, folder, {_name(source) for source in top}, files))
        if len(callers) == 1:
            return callers
    return top or (_below(sources, folder, files) if len(sources) > 1 and folder is not None else [])


def _below(sources: Sequence[Source], folder: Path, files: Files) -> list[Source]:
    """Find the one script in a folder below that submits what was given."""
    names = [_name(source) for source in sources]
    try:
        paths = sorted(folder.glob("*/*.sh"))[:_MOST_FILES]
        beside = {path.name for end in ("sh", "sbatch", "slurm") for path in folder.glob(f"*.{end}")}
    except OSError:
        return []
    if any("#SBATCH" in (files.read(name, quietly=True) or "") for name in beside - set(names)):
        return []  # some scripts were chosen, and not the folder as a whole
    found = []
    for path in paths:
        text = files.read(path.relative_to(folder).as_posix(), quietly=True)
        if text is not None and _drives(text, files) and any(name in text for name in names):
            found.append(Source(str(path), text, path))
    return found if len(found) == 1 else []


def _name(source: Source) -> str:
    return re.split(r"[/\\]", source.name)[-1]


def _drives(text: str, files: Files) -> bool:
    """Whether a script calls `sbatch`, or a script that does, and does not only speak of it."""
    own = CALL.search(text) is not None
    if not own and not (text.startswith("#!") and ".sh" in text):
        return False
    if "#SBATCH" in text and read_directives(text).directives:
        return False
    if not is_shell(text):
        return own
    try:
        nodes = parse(text)
    except (ShellError, RecursionError):
        return own
    return (own and _submits(nodes)) or any(submitting(files.somewhere(path)) for path in _paths(nodes))


def _submits(nodes: Sequence[Node]) -> bool:
    """Whether commands submit jobs; functions that are only defined do not."""
    functions = {node.name: node.body for node in nodes if isinstance(node, Function)}
    return submits([node for node in nodes if not isinstance(node, Function)], functions)


def _paths(nodes: Sequence[Node]) -> set[str]:
    """Give the paths of the scripts that commands run or read in."""
    return {path for node in walk(nodes) if isinstance(node, Command) for path in scripts_of(node)}


def _called(text: str) -> set[str]:
    try:
        return {path.rpartition("/")[2] for path in _paths(parse(text))}
    except (ShellError, RecursionError):
        return set()


def _callers(sources: Sequence[Source], folder: Path, names: set[str], files: Files) -> Iterator[Source]:
    """Find the scripts of a folder that call all drivers, or read in what submits."""
    known = {_name(source) for source in sources}
    try:
        paths = sorted(folder.glob("*.sh"))[:_MOST_FILES]
    except OSError:
        return
    for path in paths:
        text = files.read(path.name, quietly=True) if path.name not in known else None
        if text is not None and _drives(text, files) and names <= _called(text):
            yield Source(str(path), text, path)


def tell_inner_submissions(source: Source, body: int, diagnostics: Diagnostics) -> None:
    """Say that a batch script submits jobs while it runs: they are no part of the workflow (slurm.md §20)."""
    if not CALL.search(source.text, body) or not is_shell(source.text):
        return
    try:
        nodes = parse(source.text)
    except (ShellError, RecursionError):
        return
    for node in walk(nodes):
        words = node.words if isinstance(node, Command) else ()
        place = _call_in(words)
        if place is None:
            continue
        again = any(re.search(r"\$\{?0\b|BASH_SOURCE", token.text) or _is_name(token, source) for token in words)
        message = "the job submits itself again" if again else "the job submits others while it runs"
        diagnostics.add(C.SUBMITS_INSIDE, message, source.span(place.start, words[-1].end))
        return


def _is_name(token: Token, source: Source) -> bool:
    return token.text.strip("\"'").rpartition("/")[2] == _name(source)


def _call_in(words: Sequence[Token]) -> Token | None:
    """Give the word of a command that calls `sbatch`."""
    for token in words:
        if is_sbatch(token.text) or re.search(r"(?:\$\(|`)\s*(?:\S*/)?sbatch\s", token.text):
            return token
    return None
