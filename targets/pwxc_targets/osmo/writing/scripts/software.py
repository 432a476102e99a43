"""Software that a script takes from its machine: the command becomes one that does nothing, and each load is told."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pwxc.ir.found import Found, Software, SoftwareKind
from pwxc.shell.words import ShellError, tokenize
from pwxc_targets.osmo.writing import codes as C  # noqa: N812
from pwxc_targets.osmo.writing.scripts.marked import Edit, Places, Told, readable

_PLAIN = re.compile(r"(?:[\w@%+=:,./ \t…-]|\\\n)*\Z")
"""Words that a shell neither expands nor splits otherwise than they stand."""
_ALIVE = re.compile(r'["$`\\]')
"""What a shell does not take as it stands between double quotes."""
_WHAT = {
    SoftwareKind.MODULE: "module",
    SoftwareKind.CONDA: "environment",
    SoftwareKind.VIRTUALENV: "environment",
    SoftwareKind.SPACK: "package",
    SoftwareKind.SETUP: "software that is set up by",
}
_RUNTIME = re.compile(r"(?:apptainer|singularity|podman|docker|enroot|pyxis|shifter|sarus|charliecloud)\w*(?:/|\Z)")
_RUN_VALUES = frozenset(["-n", "--name", "-p", "--prefix", "--cwd"])


def silence(text: str, found: Found, *, contained: bool) -> tuple[list[Edit], list[Told]]:
    """Give what makes a script do without the machine's software, and what has to be in the image.

    With `contained` the calls of container runtimes are taken out of the script.
    """
    within = _quoted(text, found.software)
    edits = [_edit(text, item, within) for item in found.software]
    return edits, [
        _told(text, item) for item in found.software if not item.prepares and not (contained and is_runtime(item))
    ]


def is_runtime(item: Software) -> bool:
    """Whether a command takes nothing but a container runtime, which goes with its calls."""
    return bool(item.names) and all(_RUNTIME.match(name) for name in item.names)


def _edit(text: str, item: Software, within: Places) -> Edit:
    command = text[item.start : item.end]
    if item.verb == "run":
        return Edit(item.start, _command_of_run(text, item), "")
    if _is_plain(command) or item.start in within:
        return Edit(item.start, item.start, ": ")
    inert = _ALIVE.sub(r"\\\g<0>", command)
    return Edit(item.start, item.end, f': "{inert}"')


def _is_plain(command: str) -> bool:
    return _PLAIN.match(readable(command)) is not None


def _quoted(text: str, software: Iterable[Software]) -> Places:
    """Give the texts in quotes that another shell may be given, where it matters."""
    if all(item.verb == "run" or _is_plain(text[item.start : item.end]) for item in software):
        return Places()
    try:
        words = tokenize(text)
    except ShellError:
        return Places()
    return Places.of((word.start + 1, word.end) for word in words if word.text[:1] in ("'", '"') and not word.operator)


def _command_of_run(text: str, item: Software) -> int:
    """Give where the command of `conda run -n NAME COMMAND` starts."""
    words = tokenize(text[item.start : item.end], item.start)[2:]
    place = 0
    while place < len(words) and words[place].text.startswith("-"):
        place += 2 if words[place].text in _RUN_VALUES else 1
    return words[place].start if place < len(words) else item.end


def _told(text: str, item: Software) -> Told:
    shown = readable(text[item.start : item.end])
    if item.verb == "run":
        shown = "conda run"
    names = ", ".join(f"`{readable(name)}`" for name in item.names)
    what = _WHAT[item.kind] + ("s" if len(item.names) > 1 and item.kind is not SoftwareKind.SETUP else "")
    needs = f"the {what} {names}" if names else "what it loads"
    return Told(C.MODULES, f"`{shown}`: the image has to have {needs}", item.span, manual=True)
