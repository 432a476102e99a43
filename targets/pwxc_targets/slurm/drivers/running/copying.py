"""Commands of a driver that copy, move and list files."""

from __future__ import annotations

import posixpath
from collections.abc import Callable

from pwxc.shell.grammar import Command
from pwxc_targets.slurm.drivers.running.interpreter import Interpreter
from pwxc_targets.slurm.drivers.running.printing import document, path_of, tell, write
from pwxc_targets.slurm.drivers.text.marks import UNKNOWN, is_fixed

_Copying = Callable[[Interpreter, Command, list[str]], "bool | None"]


def _copy(shell: Interpreter, command: Command, words: list[str]) -> bool:
    shell.strangers.append(shell.span(command.words[0].start, command.words[0].end))
    paths = [word for word in words if not word.startswith("-")]
    if len(paths) < 2:
        return True
    *sources, target = paths
    whole = path_of(shell, target)
    into = len(sources) > 1 or target.endswith(("/", ".")) or whole == "" or _is_folder(shell, whole)
    for source in sources:
        path = path_of(shell, source)
        text = shell.files.read(path, quietly=True)
        place = posixpath.join(whole, posixpath.basename(source)) if into else whole
        shell.files.write(place, UNKNOWN if text is None else text)
        if command.words[0].text == "mv":
            shell.files.written.pop(path, None)
    return True


def _is_folder(shell: Interpreter, path: str) -> bool:
    files = shell.files
    return not is_fixed(path) or path in files.made or (files.exists(path) and not files.is_file(path))


def _make_folder(shell: Interpreter, command: Command, words: list[str]) -> bool:
    shell.files.made.update(path_of(shell, word) for word in words if not word.startswith("-"))
    return True


def _tee(shell: Interpreter, command: Command, words: list[str]) -> bool:
    text = document(shell, command.redirects)
    text = UNKNOWN if text is None else text
    more = any(word in ("-a", "--append") for word in words)
    for word in words:
        if not word.startswith("-"):
            write(shell, path_of(shell, word), text, more=more)
    tell(shell, command.redirects, text)
    return True


def _list(shell: Interpreter, command: Command, words: list[str]) -> bool | None:
    """Follow `ls` of files that are known; anything else is not."""
    files = [word for word in words if word not in ("-1", "-d", "-1d", "-d1")]
    known = bool(files) and all(is_fixed(word) and shell.files.is_file(path_of(shell, word)) for word in files)
    tell(shell, command.redirects, "".join(f"{word}\n" for word in sorted(files)) if known else UNKNOWN + "\n")
    return True if known else None


COPYING: dict[str, _Copying] = {"cp": _copy, "mv": _copy, "mkdir": _make_folder, "tee": _tee, "ls": _list}
