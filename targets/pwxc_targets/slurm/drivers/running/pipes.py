"""Filters in a driver: what they read, and where it comes from."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pwxc.shell.grammar import Command
from pwxc_targets.slurm.drivers.running.interpreter import Interpreter
from pwxc_targets.slurm.drivers.running.printing import document, file_argument, path_of, tell
from pwxc_targets.slurm.drivers.text.filters import FILTERS, files_of, keeps_all
from pwxc_targets.slurm.drivers.text.marks import CARRIED, IF_CARRIED, INPUT, SWEEP, UNKNOWN, is_fixed
from pwxc_targets.slurm.drivers.text.probing import probed


def run_filter(shell: Interpreter, name: str, command: Command, values: list[str]) -> bool | None:
    """Follow a filter; give whether it succeeds, None when that is not known."""
    if name == "sed" and any(re.fullmatch(r"-\w*i.*|--in-place.*", value) for value in values):
        return _in_place(shell, values)
    options, files = files_of(name, values)
    if files and name != "tr":
        text = "".join(file_argument(shell, path) for path in files)
    else:
        found = document(shell, command.redirects)
        text = UNKNOWN if found is None else found
    told = filtered(shell, name, options, text)
    tell(shell, command.redirects, told)
    if name in ("grep", "egrep"):
        loud = [re.sub(r"^(-\w*)q", r"\1", word) for word in options if word not in ("-q", "--quiet")]
        told = told if loud == options else filtered(shell, name, loud, text)
        return None if UNKNOWN in told else told != ""
    return None if UNKNOWN in told else True


def filtered(shell: Interpreter, name: str, options: Sequence[str], text: str) -> str:
    """Give what a filter makes of a text; what is not known becomes a mark."""
    whole = text + "".join(options)
    if UNKNOWN in whole or INPUT in whole:
        return UNKNOWN
    if SWEEP in whole or CARRIED in whole or IF_CARRIED in whole:
        shell.frames.refuse(whole)
    if not keeps_all(name, options):
        shell.frames.refuse_gathered(text)
    if not all(is_fixed(word) for word in options):
        return UNKNOWN
    return probed([text], lambda texts: FILTERS[name](options, texts[0]))


def _in_place(shell: Interpreter, values: Sequence[str]) -> bool:
    """Follow `sed -i`, which changes files."""
    words = [value for value in values if not re.fullmatch(r"-i\S*|--in-place\S*", value)]
    words = [re.sub(r"^-(\w*)i(\w*)$", r"-\1\2", word) for word in words]
    options, files = files_of("sed", words)
    shell.frames.refuse_here()
    for file in files:
        path = path_of(shell, file)
        text = shell.files.read(path, quietly=True)
        shell.files.write(path, UNKNOWN if text is None else filtered(shell, "sed", options, text))
    return True
