"""Simple commands: assignments, submissions, calls of functions."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from pwxc.shell.grammar import Command
from pwxc.shell.words import Token, tokenize
from pwxc_targets.slurm.drivers.branches import whole
from pwxc_targets.slurm.drivers.builtin import BUILTINS
from pwxc_targets.slurm.drivers.calls import LeaveError, Submission
from pwxc_targets.slurm.drivers.counting import arithmetic
from pwxc_targets.slurm.drivers.expansion import ALL, carried
from pwxc_targets.slurm.drivers.marks import CARRIED, IF_CARRIED, INPUT, SWEEP, UNKNOWN, is_fixed
from pwxc_targets.slurm.drivers.printing import document, tell
from pwxc_targets.slurm.drivers.rules import ASSIGNMENT, DECLARING, DEEPEST, QUIET, RUNNERS, SUCCEEDS, is_sbatch

if TYPE_CHECKING:
    from pwxc_targets.slurm.drivers.shell import Shell

_T = TypeVar("_T")
LONGEST_VALUE = 1_000_000
"""Characters of a value; what is longer has been doubled in every turn of a loop."""
_TRANSPARENT = frozenset(["nohup", "command", "exec", "builtin", "time"])
"""Commands that run the one that follows."""


def run(shell: Shell, command: Command) -> bool | None:
    """Run a simple command; give whether it succeeds, None when that is not known."""
    words = list(command.words)
    assigned: dict[str, str] = {}
    while words and (found := ASSIGNMENT.match(words[0].text)) is not None:
        _assign(shell, found, assigned if _is_prefix(words) else None)
        words = words[1:]
    while len(words) > 1 and words[0].text.startswith("$") and not shell.expander.words(words[0].text):
        words = words[1:]
    if not words:
        return True
    text = words[0].text
    if text.startswith("((") and text.endswith("))"):
        return arithmetic(shell, text[2:-2])
    if text.startswith("[["):
        return shell.double_test(text)
    while text in _TRANSPARENT and len(words) > 1:
        words = words[1:]
        text = words[0].text
    if is_sbatch(text):
        return _submit(shell, command, words, assigned)
    name = text if text in BUILTINS or text in shell.functions or text in DECLARING else _name(shell, text)
    if is_sbatch(name):
        return _submit(shell, command, shell_words(shell, words), assigned)
    if name in shell.functions:
        return _with(shell, assigned, lambda: _call(shell, name, shell.words(words[1:])))
    if name in DECLARING:
        return _declare(shell, name, words[1:])
    if name in BUILTINS:
        values = shell.words(words[1:])
        return _with(shell, assigned, lambda: BUILTINS[name](shell, command, values))
    return _other(shell, name, command, words)


def _is_prefix(words: Sequence[Token]) -> bool:
    """Whether assignments stand before a command, so that they hold for it alone."""
    return any(ASSIGNMENT.match(token.text) is None for token in words)


def _name(shell: Shell, text: str) -> str:
    values = shell.expander.words(text) if "$" in text or "`" in text else [text.strip("\"'")]
    return values[0] if values else ""


def shell_words(shell: Shell, words: Sequence[Token]) -> list[Token]:
    """Give the words of a command whose name stands in a variable, perhaps with options behind it."""
    first = shell.expander.words(words[0].text)
    quoted = [Token("'" + value.replace("'", "'\\''") + "'", words[0].start, words[0].end) for value in first[1:]]
    return [words[0], *quoted, *words[1:]]


def _assign(shell: Shell, found: re.Match[str], only: dict[str, str] | None) -> None:
    name, index, plus, right = found.groups()
    state = shell.state
    if right.startswith("(") and index is None:
        _assign_list(shell, name, right, append=bool(plus))
        return
    value = shell.expander.value(right)
    if index is not None:
        key = shell.expander.key(name, index)
        items = state.lists.setdefault(name, {})
        items[key] = items.get(key, "") + value if plus else value
        return
    if plus:
        value = state.values.get(name, "") + value
    if len(value) > LONGEST_VALUE:
        value = UNKNOWN
    if only is not None:
        only[name] = value
    else:
        state.values[name] = value
        if name in state.lists:
            state.lists[name]["0"] = value
            del state.values[name]


def _assign_list(shell: Shell, name: str, right: str, *, append: bool) -> None:
    items = dict(shell.state.lists.get(name, {})) if append else {}
    if append and name in shell.state.values:
        value = shell.state.values[name]
        items = {f"{ALL}-before" if value == carried(name) else "0": value} if value else {}
    shell.state.values.pop(name, None)
    for token in tokenize(right[1:-1]):
        if token.operator:
            continue
        keyed = re.match(r"\[(.*?)\]=(.*)\Z", token.text, re.DOTALL)
        if keyed is not None:
            items[shell.expander.value(keyed.group(1))] = shell.expander.value(keyed.group(2))
            continue
        for value in shell.expander.words(token.text):
            number = 1 + max((int(key) for key in items if key.isdigit()), default=-1)
            items[str(number)] = value
    shell.state.lists[name] = items


def _declare(shell: Shell, name: str, words: Sequence[Token]) -> bool:
    state = shell.state
    letters = "".join(token.text[1:] for token in words if re.fullmatch(r"-\w+", token.text))
    for token in words:
        found = ASSIGNMENT.match(token.text)
        key = found.group(1) if found is not None else token.text
        if not key.isidentifier():
            continue
        if "A" in letters:
            state.keyed.add(key)
        if name != "export" and name != "readonly" and shell.locals and "g" not in letters:
            shell.locals[-1].setdefault(key, (state.values.get(key), state.lists.get(key)))
            if name == "local" and found is None:
                state.values[key] = ""
                state.lists.pop(key, None)
        if found is not None:
            _assign(shell, found, None)
        elif "a" in letters or "A" in letters:
            state.lists.setdefault(key, {})
        elif name == "local" or (name != "export" and key not in state.lists):
            state.values.setdefault(key, "")
        if name == "export" or "x" in letters:
            state.exported[key] = None
    return True


def _submit(shell: Shell, command: Command, words: Sequence[Token], assigned: dict[str, str]) -> bool:
    start, end = words[0].start, words[-1].end
    if end > len(shell.source.text) or start > end:
        start = end = 0
    if shell.polled is not None:
        shell.dynamic("the driver waits for jobs by asking the queue, so it is not clear for which", *shell.polled)
        shell.polled = None
    values = shell.words(words[1:])
    if any(CARRIED in value or IF_CARRIED in value for value in values):
        shell.frames.refuse("".join(values))
    state = shell.state
    exported = {name: state.values[name] for name in state.exported if name in state.values} | assigned
    settings = {name: value for name, value in exported.items() if name.startswith(("SBATCH_", "SLURM_"))}
    exported = {name: value for name, value in exported.items() if name not in settings and _is_told(value)}
    submission = Submission(
        tuple(values), document(shell, command), exported, settings, dict(shell.files), state.folder,
        tuple(shell.waits), shell.frames, whole(shell.conditions), start, end,
    )  # fmt: skip
    given = shell.take(submission)
    shell.frames.of_job[given.number] = tuple(shell.frames.stack)
    if given.waits:
        (
            shell.background.append(given.number)
            if shell.in_background
            else shell.waits.append((given.number, "-e" in shell.settings))
        )
    tell(shell, command, given.printed + "\n" if given.printed else "")
    return True


def _is_told(value: str) -> bool:
    return is_fixed(re.sub(f"[{INPUT}{SWEEP}][^{INPUT}{SWEEP}]*[{INPUT}{SWEEP}]", "", value))


def _call(shell: Shell, name: str, arguments: list[str]) -> bool | None:
    if shell.depth >= DEEPEST:
        raise LeaveError("exit")
    state = shell.state
    before = state.arguments, state.shifted
    state.arguments, state.shifted = arguments, 0
    shell.depth += 1
    shell.locals.append({})
    try:
        return shell.all(shell.functions[name])
    except LeaveError as leave:
        if leave.kind != "return":
            raise
        return True
    finally:
        state.arguments, state.shifted = before
        shell.depth -= 1
        for key, (value, items) in shell.locals.pop().items():
            _put(state.values, key, value)
            _put(state.lists, key, items)


def _put(values: dict[str, _T], key: str, value: _T | None) -> None:
    if value is None:
        values.pop(key, None)
    else:
        values[key] = value


def _with(shell: Shell, assigned: dict[str, str], run_: Callable[[], bool | None]) -> bool | None:
    """Run something with variables that hold for it alone."""
    before = {name: shell.state.values.get(name) for name in assigned}
    shell.state.values.update(assigned)
    try:
        return run_()
    finally:
        for name, value in before.items():
            _put(shell.state.values, name, value)


def _other(shell: Shell, name: str, command: Command, words: Sequence[Token]) -> bool | None:
    """Go over a command that is not followed."""
    values = shell.words(words[1:])
    plain = posixpath.basename(name)
    told = [value for value in values if re.search(r"\bsbatch\b", value)]
    if told and (plain in RUNNERS or any(is_sbatch(value) for value in told)):
        shown = plain if is_fixed(plain) else words[0].text
        shell.dynamic(f"`{shown}` submits jobs in a way that is not followed", words[0].start, words[-1].end)
    if plain not in QUIET:
        shell.strangers.append(words[0])
    if plain in ("squeue", "sacct", "scontrol", "scancel"):
        tell(shell, command, UNKNOWN)
        return None
    tell(shell, command, UNKNOWN + "\n")
    return True if plain in SUCCEEDS else None
