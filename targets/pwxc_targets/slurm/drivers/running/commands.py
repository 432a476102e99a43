"""Simple commands: assignments, submissions, calls of functions."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from pwxc.ir.task import Outcome
from pwxc.shell.grammar import Command
from pwxc.shell.words import Token
from pwxc_targets.slurm.drivers.running.assignments import MADE_UP, assign, declare, made_up
from pwxc_targets.slurm.drivers.running.branches import whole
from pwxc_targets.slurm.drivers.running.builtin import BUILTINS
from pwxc_targets.slurm.drivers.running.calls import LeaveError, Submission
from pwxc_targets.slurm.drivers.running.counting import arithmetic
from pwxc_targets.slurm.drivers.running.interpreter import Interpreter
from pwxc_targets.slurm.drivers.running.pipes import run_filter
from pwxc_targets.slurm.drivers.running.printing import document, path_of, tell
from pwxc_targets.slurm.drivers.running.rules import (
    ASSIGNMENT,
    CALL,
    DECLARING,
    DEEPEST,
    QUIET,
    RUNNERS,
    SUCCEEDS,
    is_sbatch,
)
from pwxc_targets.slurm.drivers.running.sourcing import called_script, run_script
from pwxc_targets.slurm.drivers.running.testing import double_test
from pwxc_targets.slurm.drivers.running.waiting import wait_for
from pwxc_targets.slurm.drivers.text.filters import FILTERS
from pwxc_targets.slurm.drivers.text.marks import CARRIED, HERE, IF_CARRIED, JOB, UNKNOWN, is_fixed, is_told

_T = TypeVar("_T")
_TRANSPARENT = frozenset(["nohup", "command", "exec", "builtin", "time", "nice", "stdbuf", "setsid"])
"""Commands that run the one that follows."""


def run(shell: Interpreter, command: Command) -> bool | None:
    """Run a simple command; give whether it succeeds, None when that is not known."""
    shell.waited = None
    words = list(command.words)
    assigned: dict[str, str] = {}
    shell.substituted = True
    while words and (found := ASSIGNMENT.match(words[0].text)) is not None:
        assign(shell, found, assigned if _is_prefix(words) else None)
        words = words[1:]
    if not words:
        return _of_assignments(shell, command)
    words = _without_runners(shell, words, assigned)
    text = words[0].text
    if text.startswith("((") and text.endswith("))"):
        return arithmetic(shell, text[2:-2])
    if text.startswith("[["):
        return double_test(shell, text)
    if is_sbatch(text):
        return _submit(shell, command, words[0], shell.words(words[1:]), assigned)
    if text in BUILTINS or text in shell.functions or text in DECLARING:
        return _known(shell, text, command, words, assigned)
    values = shell.words(words)
    if not values:
        return _of_assignments(shell, command)
    if is_sbatch(values[0]):
        return _submit(shell, command, words[0], values[1:], assigned)
    if values[0] in BUILTINS or values[0] in shell.functions:
        return _known(shell, values[0], command, words, assigned, values[1:])
    return _other(shell, values[0], command, words, values[1:], assigned)


def _of_assignments(shell: Interpreter, command: Command) -> bool:
    """Give whether assignments succeed: what they run decides. A redirection alone makes an empty file."""
    for token in command.redirects:
        if token.redirect in (">", ">|"):
            tell(shell, [token], "")
        elif token.redirect == "<" and not command.words:
            shell.show(document(shell, command.redirects) or UNKNOWN)
    return shell.substituted is not False


def _is_prefix(words: Sequence[Token]) -> bool:
    """Whether assignments stand before a command, so that they hold for it alone."""
    return any(ASSIGNMENT.match(token.text) is None for token in words)


def _without_runners(shell: Interpreter, words: list[Token], assigned: dict[str, str]) -> list[Token]:
    """Leave out commands that only run the one behind them."""
    while len(words) > 1:
        text = words[0].text
        if text in _TRANSPARENT and not words[1].text.startswith(("-", "+")):
            words = words[1:]
        elif text == "env" and ASSIGNMENT.match(words[1].text) and any(is_sbatch(item.text) for item in words):
            words = words[1:]
            while (found := ASSIGNMENT.match(words[0].text)) is not None:
                assign(shell, found, assigned)
                words = words[1:]
        elif text == "timeout" and len(words) > 2 and re.fullmatch(r"\d+[smhd]?", words[1].text):
            words = words[2:]
        else:
            break
    return words


def _known(
    shell: Interpreter,
    name: str,
    command: Command,
    words: Sequence[Token],
    assigned: dict[str, str],
    values: list[str] | None = None,
) -> bool | None:
    """Run a function, or a command that is built in."""
    if name in DECLARING:
        return declare(shell, name, words[1:])
    values = shell.words(words[1:]) if values is None else values
    if name in shell.functions:
        return _with(shell, assigned, lambda: _call(shell, name, command, values))
    status = _with(shell, assigned, lambda: BUILTINS[name](shell, command, values))
    if name != "eval":
        shell.waited = None
    return status


def _submit(
    shell: Interpreter, command: Command, name: Token, values: list[str], assigned: dict[str, str]
) -> bool | None:
    if shell.polled is not None:
        shell.dynamic("the driver waits for jobs by asking the queue, so it is not clear for which", *shell.polled)
        shell.polled = None
    if any(CARRIED in value or IF_CARRIED in value for value in values):
        shell.frames.refuse("".join(values))
    state = shell.state
    exported = {name: state.values[name] for name in state.exported if name in state.values} | assigned
    settings = {name: value for name, value in exported.items() if name.startswith(("SBATCH_", "SLURM_"))}
    exported = {name: value for name, value in exported.items() if name not in settings}
    for value in exported.values():
        if CARRIED in value or IF_CARRIED in value:
            shell.frames.refuse(value)
    kept = {name: value for name, value in exported.items() if is_told(value.replace(HERE, ""))}
    span = shell.span(name.start, command.words[-1].end)
    lost = sorted(exported.keys() - kept.keys())
    submission = Submission(
        tuple(values), document(shell, command.redirects), _script_read(shell, command), kept, settings, shell.files,
        state.folder, tuple(shell.waits), shell.frames, whole(shell.conditions), span, tuple(lost),
    )  # fmt: skip
    given = shell.take(submission)
    shell.submitted += 1
    shell.frames.of_job[given.number] = tuple(shell.frames.stack)
    shell.waited = None
    if given.waits:
        wait_for(shell, [given.number], Outcome.SUCCESS if "-e" in shell.settings else Outcome.END)
        shell.waited = given.number
    tell(shell, command.redirects, given.printed + "\n" if given.printed else "")
    return None if given.waits else True


def _script_read(shell: Interpreter, command: Command) -> str | None:
    """Give the path of the file that `sbatch` reads as the script."""
    for token in reversed(command.redirects):
        if token.redirect.lstrip("0") == "<" and not token.text.startswith("<("):
            return path_of(shell, shell.expander.value(token.text))
    return None


def _call(shell: Interpreter, name: str, command: Command, arguments: list[str]) -> bool | None:
    if shell.depth >= DEEPEST:
        start, end = command.words[0].start, command.words[-1].end
        shell.dynamic(f"`{name}` calls itself again and again", start, end)
        raise LeaveError("exit")
    state = shell.state
    before = state.arguments, state.shifted
    state.arguments, state.shifted = arguments, 0
    kept, shell.given = shell.given, document(shell, command.redirects)
    shell.depth += 1
    shell.locals.append({})
    status: list[bool | None] = []

    def run_() -> None:
        try:
            status.append(shell.all(shell.functions[name]))
        except LeaveError as leave:
            if leave.kind != "return":
                raise
            status.append(leave.status)

    try:
        told = shell.captured(run_)
        tell(shell, command.redirects, told)
        return status[0]
    finally:
        state.arguments, state.shifted = before
        shell.given = kept
        shell.depth -= 1
        for key, (value, items) in shell.locals.pop().items():
            state.references.pop(key, None)
            _put(state.values, key, value)
            _put(state.lists, key, items)


def _put(values: dict[str, _T], key: str, value: _T | None) -> None:
    if value is None:
        values.pop(key, None)
    else:
        values[key] = value


def _with(shell: Interpreter, assigned: dict[str, str], run_: Callable[[], bool | None]) -> bool | None:
    """Run something with variables that hold for it alone."""
    before = {name: shell.state.values.get(name) for name in assigned}
    exported = [name for name in assigned if name not in shell.state.exported]
    shell.state.values.update(assigned)
    shell.state.exported.update(dict.fromkeys(exported))
    try:
        return run_()
    finally:
        for name, value in before.items():
            _put(shell.state.values, name, value)
        for name in exported:
            shell.state.exported.pop(name, None)


def _other(
    shell: Interpreter,
    name: str,
    command: Command,
    words: Sequence[Token],
    values: list[str],
    assigned: dict[str, str],
) -> bool | None:
    """Go over a command that is not built in."""
    script = called_script(shell, name, values)
    if script is not None:
        return _with(shell, assigned, lambda: _run_script(shell, command, *script, exported=assigned))
    plain = posixpath.basename(name)
    if plain in FILTERS:
        return run_filter(shell, plain, command, values)
    read = [token.here for token in command.redirects if token.here is not None and plain in RUNNERS]
    told = [value for value in (*values, *read) if CALL.search(value)]
    if told and (plain in RUNNERS or any(is_sbatch(value) for value in told)):
        shown = plain if is_fixed(plain) else words[0].text
        shell.dynamic(f"`{shown}` submits jobs in a way that is not followed", words[0].start, words[-1].end)
    if plain not in QUIET:
        shell.strangers.append(shell.span(words[0].start, words[0].end))
        if plain not in SUCCEEDS:
            for value in values:
                if is_fixed(value) and shell.files.is_file(path_of(shell, value)):
                    shell.files.spoil(path_of(shell, value))
    if plain in ("srun", "salloc") and JOB in "".join(values):
        shell.dynamic(f"`{plain}` waits for jobs in a way that is not followed", words[0].start, words[-1].end)
    if plain in MADE_UP and not command.redirects:
        shell.show(made_up(shell, plain, " ".join([plain, *values]), words[0].start, words[-1].end) + "\n")
        return True
    if plain == "scontrol":
        _control(shell, values, words)
    tell(shell, command.redirects, UNKNOWN + "\n")
    return True if plain in SUCCEEDS else None


def _run_script(
    shell: Interpreter, command: Command, path: str, arguments: list[str], *, exported: dict[str, str]
) -> bool | None:
    status: list[bool | None] = []
    told = shell.captured(lambda: status.append(run_script(shell, path, arguments, exported)))
    tell(shell, command.redirects, told)
    return status[0]


def _control(shell: Interpreter, values: Sequence[str], words: Sequence[Token]) -> None:
    """Follow `scontrol` where it says what jobs wait for, or waits for one."""
    text = " ".join(values)
    if values[:1] == ["wait_job"] and re.fullmatch(f"{JOB}\\d+{JOB}", values[-1]):
        wait_for(shell, [int(values[-1].strip(JOB))])
    elif values[:1] == ["update"] and re.search(r"\bDependency\w*=", text, re.IGNORECASE):
        message = "what a job waits for is changed after it was submitted, which is not followed"
        shell.dynamic(message, words[0].start, words[-1].end)
