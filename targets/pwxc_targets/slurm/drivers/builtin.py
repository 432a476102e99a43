"""Commands that a shell has built in, and small ones that only print."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pwxc.shell.grammar import Command, parse
from pwxc.shell.words import ShellError
from pwxc_targets.slurm.drivers.calls import LeaveError
from pwxc_targets.slurm.drivers.counting import arithmetic, sequence_of
from pwxc_targets.slurm.drivers.expansion import MOST_WORDS
from pwxc_targets.slurm.drivers.filters import printf
from pwxc_targets.slurm.drivers.marks import INPUT, JOB, UNKNOWN, is_fixed, mark
from pwxc_targets.slurm.drivers.printing import document, tell

if TYPE_CHECKING:
    from pwxc_targets.slurm.drivers.shell import Shell

_Builtin = Callable[["Shell", Command, list[str]], bool | None]


def _echo(shell: Shell, command: Command, words: list[str]) -> bool:
    end = "\n"
    while words and re.fullmatch(r"-[neE]+", words[0]):
        end = "" if "n" in words[0] else end
        words = words[1:]
    tell(shell, command, " ".join(words) + end)
    return True


def _printf(shell: Shell, command: Command, words: list[str]) -> bool:
    if words[:1] == ["-v"] and len(words) > 2:
        shell.state.values[words[1]] = printf(words[2:])
    else:
        tell(shell, command, printf([word for word in words if word != "--"]))
    return True


def _cat(shell: Shell, command: Command, words: list[str]) -> bool | None:
    text = document(shell, command)
    if text is None:
        known = [shell.files.get(word) for word in words]
        text = "".join(item for item in known if item is not None) if known and None not in known else UNKNOWN
    tell(shell, command, text)
    return True


def _seq(shell: Shell, command: Command, words: list[str]) -> bool:
    items = sequence_of(shell, f"$(seq {' '.join(words)})") if all(is_fixed(word) for word in words) else None
    for word in words:
        shell.frames.refuse(word)
    known = items is not None and len(items.values) <= MOST_WORDS
    tell(shell, command, "".join(f"{text}\n" for text in items.texts()) if known and items is not None else UNKNOWN)
    return True


def _path(shell: Shell, command: Command, words: list[str]) -> bool:
    name = command.words[0].text
    paths = [word for word in words if not word.startswith("-")]
    value = paths[0] if paths else ""
    if not paths or UNKNOWN in value or not is_fixed(value.replace(INPUT, "")):
        shell.frames.refuse(value)
        told = UNKNOWN
    elif name == "basename":
        told = value.rstrip("/").rpartition("/")[2].removesuffix(paths[1] if len(paths) > 1 else "")
    elif name == "dirname":
        told = posixpath.dirname(value) or "."
    else:
        told = value
    tell(shell, command, told + "\n")
    return True


def _pwd(shell: Shell, command: Command, words: list[str]) -> bool:
    tell(shell, command, (shell.state.folder or ".") + "\n")
    return True


def _cd(shell: Shell, command: Command, words: list[str]) -> bool:
    paths = [word for word in words if word not in ("-P", "-L", "--")]
    state = shell.state
    if command.words[0].text == "popd" or paths == ["-"]:
        state.folder, state.values["OLDPWD"] = state.values.get("OLDPWD", ""), state.folder
        return True
    path = paths[0] if paths else mark(INPUT, "HOME")
    if ".." in path.split("/") and not is_fixed(state.folder):
        # how many folders a value names is not known
        shell.frames.refuse(state.folder)
        path = UNKNOWN
    state.values["OLDPWD"] = state.folder
    state.folder = posixpath.normpath(posixpath.join(state.folder, path)) if UNKNOWN not in path else UNKNOWN
    state.folder = "" if state.folder == "." else state.folder
    return True


def _read(shell: Shell, command: Command, words: list[str]) -> bool:
    names, skip = [], False
    for word in words:
        if skip or word.startswith("-"):
            skip = not skip and re.fullmatch(r"-\w*[pdntuNi]", word) is not None
            continue
        names.append(word)
    text = document(shell, command)
    if text is not None and is_fixed(text.replace(JOB, "")):
        read_line(shell, names, text.partition("\n")[0], shell.state.values.get("IFS", "").strip())
        return True
    for name in names or ["REPLY"]:
        shell.inputs.setdefault(name, None)
        shell.state.values[name] = mark(INPUT, name)
    return True


def read_line(shell: Shell, names: Sequence[str], line: str, separator: str) -> None:
    """Give a line's fields to variables; the last one takes the rest."""
    if separator:
        fields = re.split(f"[{re.escape(separator)}]", line, maxsplit=max(len(names) - 1, 0))
    else:
        fields = line.split(None, max(len(names) - 1, 0))
    for place, name in enumerate(names or ["REPLY"]):
        shell.state.values[name] = fields[place].strip() if place < len(fields) else ""


def _unset(shell: Shell, command: Command, words: list[str]) -> bool:
    for word in words:
        shell.state.values.pop(word, None)
        shell.state.lists.pop(word, None)
        shell.state.exported.pop(word, None)
    return True


def _set(shell: Shell, command: Command, words: list[str]) -> bool:
    if words[:1] == ["--"] or (words and words[0][:1] not in ("-", "+")):
        shell.state.arguments, shell.state.shifted = words[words[0] == "--" :], 0
    for place, word in enumerate(words):
        if re.fullmatch(r"-\w*e\w*", word) or (word == "errexit" and words[place - 1] == "-o"):
            shell.settings.add("-e")
    return True


def _shift(shell: Shell, command: Command, words: list[str]) -> bool:
    count = int(words[0]) if words and words[0].isdigit() else 1
    state = shell.state
    if state.arguments is None:
        state.shifted += count
    else:
        state.arguments = state.arguments[count:]
    return True


def _wait(shell: Shell, command: Command, words: list[str]) -> bool:
    shell.waits.extend((number, False) for number in shell.background)
    shell.background.clear()
    return True


def _leave(shell: Shell, command: Command, words: list[str]) -> bool:
    raise LeaveError(command.words[0].text)


def _test(shell: Shell, command: Command, words: list[str]) -> bool | None:
    groups: list[tuple[str, list[str]]] = [("-a", [])]
    for word in words[:-1] if words[-1:] == ["]"] else words:
        if word in ("-a", "-o") and groups[-1][1]:
            groups.append((word, []))
        else:
            groups[-1][1].append(word)
    verdict: bool | None = True
    for operator, group in groups:
        found = shell.test(group, patterns=False)
        if operator == "-a":
            verdict = False if verdict is False or found is False else None if None in (verdict, found) else True
        else:
            verdict = True if verdict or found else None if None in (verdict, found) else False
    return verdict


def _let(shell: Shell, command: Command, words: list[str]) -> bool | None:
    return [arithmetic(shell, word) for word in words][-1] if words else True


def _eval(shell: Shell, command: Command, words: list[str]) -> bool | None:
    """Run words that are known as a command; of others nothing is known."""
    text = " ".join(words)
    start, end = command.words[0].start, command.words[-1].end
    if not re.search(r"\bsbatch\b", text) and UNKNOWN not in text:
        return None
    if not is_fixed(text):
        shell.dynamic("`eval` runs a text that is known only when the driver runs", start, end)
        return None
    try:
        return shell.all(parse(text, start))
    except ShellError:
        shell.dynamic("`eval` runs a text that cannot be followed", start, end)
        return None


def _expr(shell: Shell, command: Command, words: list[str]) -> bool:
    tell(shell, command, shell.expander.number(" ".join(words)) + "\n")
    return True


def _true(shell: Shell, command: Command, words: list[str]) -> bool:
    return True


def _false(shell: Shell, command: Command, words: list[str]) -> bool:
    return False


BUILTINS: dict[str, _Builtin] = {
    "echo": _echo, "printf": _printf, "cat": _cat, "seq": _seq, "dirname": _path, "basename": _path,
    "realpath": _path, "readlink": _path, "pwd": _pwd, "cd": _cd, "pushd": _cd, "popd": _cd, "read": _read,
    "unset": _unset, "set": _set, "shift": _shift, "wait": _wait, "exit": _leave, "return": _leave, "break": _leave,
    "continue": _leave, "[": _test, "test": _test, "let": _let, "eval": _eval, "expr": _expr, "true": _true,
    ":": _true, "false": _false,
}  # fmt: skip
