"""Other scripts of a driver: read in with `source`, or run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from pwxc.shell.grammar import Command, Node, parse
from pwxc.shell.words import ShellError
from pwxc_targets.slurm import codes as C  # noqa: N812
from pwxc_targets.slurm.batch.directives import read_directives
from pwxc_targets.slurm.drivers.running.calls import LeaveError
from pwxc_targets.slurm.drivers.running.interpreter import Interpreter
from pwxc_targets.slurm.drivers.running.printing import path_of
from pwxc_targets.slurm.drivers.running.rules import ASSIGNMENT, CALL, DEEPEST, SCRIPT, VARIABLE, submits, walk
from pwxc_targets.slurm.drivers.text.marks import is_fixed

_SHELLS = frozenset(["bash", "sh", "dash", "ksh", "ash", "/bin/bash", "/bin/sh", "/usr/bin/bash"])
_FIRST_LINE = re.compile(r"#!\s*(?:/usr/bin/env\s+(?:-S\s+)?)?(?:\S*/)?(\w[\w.-]*)")
_NAME = re.compile(r"[^\s\"'$`;|&(){}=]+\.(?:sh|bash)\b")
_HELD = re.compile(r"[(\"']*\s*(?:\$\((?:which|command -v) )?(?:[\w./$-]*/)?sbatch(?![\w./=-])")
_MACHINE = re.compile(r"/|~|\.bashrc$|\.bash_profile$|\.profile$|bin/activate$")


def is_shell(text: str) -> bool:
    """Whether a script is one of a Bourne shell, or does not say."""
    found = _FIRST_LINE.match(text)
    return found is None or found.group(1) in ("bash", "sh", "dash", "ksh", "ash", "mksh", "ksh93")


def scripts_of(node: Command) -> list[str]:
    """Give the paths of the scripts that a command may run or read in, as far as they are written."""
    return [name for token in node.words for name in _NAME.findall(token.text)]


def register(shell: Interpreter, nodes: Sequence[Node]) -> None:
    """Note which of the scripts that commands name submit jobs, and which variables hold the name of `sbatch`."""
    for node in walk(nodes):
        for token in node.words if isinstance(node, Command) else ():
            found = ASSIGNMENT.match(token.text)
            if found is not None and _HELD.match(found.group(4)):
                shell.functions.setdefault(VARIABLE + found.group(1), (node,))
        for path in scripts_of(node) if isinstance(node, Command) else ():
            name = path.rpartition("/")[2]
            if SCRIPT + name in shell.functions:
                continue
            inner = submitting(shell.files.somewhere(path))
            if inner is not None:
                shell.functions[SCRIPT + name] = inner


def submitting(text: str | None) -> tuple[Node, ...] | None:
    """Give the commands of a script that submits jobs itself, or has functions that do."""
    if text is None or not CALL.search(text) or not is_shell(text):
        return None
    if re.search(r"^#SBATCH", text, re.MULTILINE) and read_directives(text).directives:
        return None
    try:
        nodes = parse(text)
    except (ShellError, RecursionError):
        return None
    return nodes if submits(nodes, {}) else None


def read_in(shell: Interpreter, command: Command, words: Sequence[str]) -> bool | None:
    """Follow `source`: the commands of a file in the place of the call."""
    path = words[0] if words else ""
    start, end = command.words[0].start, command.words[-1].end
    nodes = shell.load(path_of(shell, path)) if path and is_fixed(path.replace("\ue008", "")) else None
    if nodes is None:
        if not _MACHINE.match(path) and not path.endswith("activate"):
            message = f"what `{command.words[-1].text}` reads in is not there, so what it sets is not known"
            shell.report(C.NOT_READ_IN, message, shell.span(start, end))
        else:
            shell.strangers.append(shell.span(start, command.words[0].end))
        return True
    if shell.depth >= DEEPEST:
        shell.dynamic("the files that are read in are nested too deeply to be followed", start, end)
        raise LeaveError("exit")
    kept = shell.state.arguments, shell.state.shifted
    if len(words) > 1:
        shell.state.arguments, shell.state.shifted = list(words[1:]), 0
    shell.depth += 1
    try:
        return shell.all(nodes)
    except LeaveError as leave:
        if leave.kind != "return":
            raise
        return True
    finally:
        shell.depth -= 1
        if len(words) > 1:
            shell.state.arguments, shell.state.shifted = kept


def called_script(shell: Interpreter, name: str, words: Sequence[str]) -> tuple[str, list[str]] | None:
    """Give the script that a command runs, and its arguments, if it is one of the driver's that submits jobs."""
    rest = list(words)
    if name in _SHELLS:
        while rest and re.fullmatch(r"-[eux]+", rest[0]):
            rest = rest[1:]
        if not rest or rest[0].startswith("-"):
            return None
        name, rest = rest[0], rest[1:]
    if SCRIPT + name.rpartition("/")[2] not in shell.functions or not is_fixed(name.replace("\ue008", "")):
        return None
    return path_of(shell, name), rest


def run_script(shell: Interpreter, path: str, arguments: list[str], exported: Iterable[str]) -> bool | None:
    """Follow another script of the driver, which sees what is exported and its own arguments."""
    nodes = shell.load(path)
    if nodes is None or shell.depth >= DEEPEST:
        return None

    def run() -> bool | None:
        state = shell.state
        seen = {*exported, *state.exported}
        state.values = {name: value for name, value in state.values.items() if name in seen}
        state.lists.clear()
        state.references.clear()
        state.arguments, state.shifted = arguments, 0
        shell.functions = {name: body for name, body in shell.functions.items() if name.startswith(SCRIPT)}
        before, shell.expander.script = shell.expander.script, f"./{path}"
        settings, shell.settings = shell.settings, set()
        own, shell.expander.assigned = shell.expander.assigned, set(shell.expander.assigned)
        shell.depth += 1
        try:
            return shell.all(nodes)
        finally:
            shell.depth -= 1
            shell.expander.script, shell.settings, shell.expander.assigned = before, settings, own

    return shell.apart(run)
