"""Commands that a shell has built in, and small ones that only print."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Sequence

from pwxc.ir.task import Outcome
from pwxc.shell.grammar import Command, parse
from pwxc.shell.words import ShellError
from pwxc_targets.slurm.drivers.running.calls import LeaveError
from pwxc_targets.slurm.drivers.running.copying import COPYING
from pwxc_targets.slurm.drivers.running.counting import arithmetic, sequence_of
from pwxc_targets.slurm.drivers.running.interpreter import Interpreter
from pwxc_targets.slurm.drivers.running.printing import document, file_argument, tell
from pwxc_targets.slurm.drivers.running.rules import CALL
from pwxc_targets.slurm.drivers.running.sourcing import read_in
from pwxc_targets.slurm.drivers.running.testing import both, either, test
from pwxc_targets.slurm.drivers.running.waiting import wait_for
from pwxc_targets.slurm.drivers.text.braces import MOST_WORDS
from pwxc_targets.slurm.drivers.text.expansion import here
from pwxc_targets.slurm.drivers.text.expressions import expression
from pwxc_targets.slurm.drivers.text.formats import printf
from pwxc_targets.slurm.drivers.text.marks import (
    HERE,
    INPUT,
    JOB,
    LOGIN,
    PROCESS,
    TEMPORARY,
    UNKNOWN,
    is_fixed,
    mark,
    names_in,
)
from pwxc_targets.slurm.drivers.text.paths import joined
from pwxc_targets.slurm.drivers.text.probing import probed

Builtin = Callable[[Interpreter, Command, list[str]], "bool | None"]


def _echo(shell: Interpreter, command: Command, words: list[str]) -> bool:
    end, escapes = "\n", False
    while words and re.fullmatch(r"-[neE]+", words[0]):
        end = "" if "n" in words[0] else end
        escapes = "e" in words[0]
        words = words[1:]
    text = " ".join(words)
    if escapes:
        text = re.sub(r"\\([nt\\])", lambda found: {"n": "\n", "t": "\t", "\\": "\\"}[found.group(1)], text)
    tell(shell, command.redirects, text + end)
    return True


def _printf(shell: Interpreter, command: Command, words: list[str]) -> bool:
    if words[:1] == ["-v"] and len(words) > 2:
        value = printf([word for word in words[2:] if word != "--"], shell.frames.refuse)
        named = re.fullmatch(r"(\w+)\[(.*)\]", words[1])
        if named is not None:
            shell.state.lists.setdefault(named.group(1), {})[named.group(2)] = value
        else:
            shell.state.put(words[1], value)
    else:
        tell(shell, command.redirects, printf([word for word in words if word != "--"], shell.frames.refuse))
    return True


def _cat(shell: Interpreter, command: Command, words: list[str]) -> bool | None:
    files = [word for word in words if word == "-" or not word.startswith("-")]
    if files:
        text = "".join(file_argument(shell, word) for word in files)
    else:
        found = document(shell, command.redirects)
        text = UNKNOWN if found is None else found
    tell(shell, command.redirects, text if len(files) == len(words) else UNKNOWN)
    return True


def _seq(shell: Interpreter, command: Command, words: list[str]) -> bool:
    between = "\n"
    while words and (found := re.fullmatch(r"-s(.*)|--separator=(.*)", words[0], re.DOTALL)) is not None:
        between = found.group(1) or found.group(2) or words[1]
        words = words[1 if found.group(1) or found.group(2) else 2 :]
    for word in words:
        shell.frames.refuse(word)
    told = _formatted_sequence(shell, words) if all(is_fixed(word) for word in words) else None
    tell(shell, command.redirects, UNKNOWN if told is None else between.join(told) + "\n" if told else "")
    return True


def _formatted_sequence(shell: Interpreter, words: list[str]) -> list[str] | None:
    form = None
    if words[:1] == ["-f"] or (words and words[0].startswith(("-f", "--format="))):
        form = words[1] if words[0] == "-f" else words[0].removeprefix("--format=").removeprefix("-f")
        words = words[2 if words[0] == "-f" else 1 :]
    items = sequence_of(shell, f"$(seq {' '.join(words)})")
    if items is None or len(items.values) > MOST_WORDS:
        return None
    texts = list(items.texts())
    if form is None:
        return texts
    found = re.fullmatch(r"([^%]*)%(0?\d*)(?:\.0)?[gf]([^%]*)", form)
    if found is None or ("f" in form and ".0" not in form):
        return None
    head, width, tail = found.groups()
    return [f"{head}{format(int(text), f'{width}d')}{tail}" for text in texts]


def _path(shell: Interpreter, command: Command, words: list[str]) -> bool:
    name = command.words[0].text
    paths = [word for word in words if not word.startswith("-")]
    value = paths[0] if paths else ""
    if not paths or not is_fixed("".join(paths).replace(INPUT, "").replace(LOGIN, "").replace(HERE, "")):
        shell.frames.refuse(value)
        told = UNKNOWN
    elif name == "basename":
        suffix = next((word.partition("=")[2] for word in words if word.startswith("--suffix=")), "")
        last = value.rstrip("/").rpartition("/")[2]
        told = last.removesuffix(paths[1] if len(paths) > 1 else suffix) if HERE not in last else UNKNOWN
    elif name == "dirname":
        told = "\n".join(UNKNOWN if path == HERE else posixpath.dirname(path) or "." for path in paths)
    else:
        told = here(joined(shell.state.folder, value))
    tell(shell, command.redirects, told + "\n")
    return True


def _pwd(shell: Interpreter, command: Command, words: list[str]) -> bool:
    tell(shell, command.redirects, here(shell.state.folder) + "\n")
    return True


def _cd(shell: Interpreter, command: Command, words: list[str]) -> bool:
    paths = [word for word in words if word not in ("-P", "-L", "--")]
    state = shell.state
    if command.words[0].text == "popd" or paths == ["-"]:
        before = state.values.get("OLDPWD", here(""))
        state.values["OLDPWD"] = here(state.folder)
        state.folder = joined("", before)
        return True
    path = paths[0] if paths else mark(INPUT, "HOME")
    if ".." in path.split("/") and not is_fixed(state.folder):
        # how many folders a value names is not known
        shell.frames.refuse(state.folder)
        path = UNKNOWN
    state.values["OLDPWD"] = here(state.folder)
    state.folder = joined(state.folder, path) if UNKNOWN not in path else UNKNOWN
    return True


def _read(shell: Interpreter, command: Command, words: list[str]) -> bool | None:
    names, skip, into = [], False, ""
    for word in words:
        if skip or word.startswith("-"):
            into = into or ("list" if re.fullmatch(r"-\w*a", word) and not skip else "")
            skip = not skip and re.fullmatch(r"-\w*[pdntuNi]", word) is not None
            continue
        names.append(word)
    own = any(token.redirect for token in command.redirects)
    text = document(shell, command.redirects)
    if text is None:
        for name in names or ["REPLY"]:
            default = shell.state.values.get(name)
            shell.inputs.setdefault(name, default if default and is_fixed(default) else None)
            shell.state.put(name, (default or "") if name in shell.expander.frozen else mark(INPUT, name))
        return True
    line, _, rest = text.partition("\n")
    if not own:
        shell.given = rest
    separator = shell.state.values.get("IFS", "").strip()
    if into:
        fields = re.split(f"[{re.escape(separator)}]", line) if separator else line.split()
        shell.state.put_list(names[0] if names else "REPLY", fields if UNKNOWN not in line else [UNKNOWN])
    else:
        read_line(shell, names, line, separator)
    return True if text else False if is_fixed(text) else None


def read_line(shell: Interpreter, names: Sequence[str], line: str, separator: str) -> None:
    """Give a line's fields to variables; the last one takes the rest."""
    shell.frames.refuse_gathered(line)
    if not is_fixed(line.replace(JOB, "")):
        shell.frames.refuse(re.sub(f"{JOB}\\d+{JOB}", "", line))
    if UNKNOWN in line:
        for name in names or ["REPLY"]:
            shell.state.put(name, UNKNOWN)
        return
    if not names:
        shell.state.put("REPLY", line)
        return
    if separator:
        fields = re.split(f"[{re.escape(separator)}]", line, maxsplit=max(len(names) - 1, 0))
    else:
        fields = line.split(None, max(len(names) - 1, 0))
    for place, name in enumerate(names):
        shell.state.put(name, fields[place].strip() if place < len(fields) else "")


def _mapfile(shell: Interpreter, command: Command, words: list[str]) -> bool:
    text = document(shell, command.redirects)
    name = words[-1] if words and words[-1].isidentifier() else "MAPFILE"
    if text is not None:
        shell.frames.refuse_gathered(text)
    known = text is not None and UNKNOWN not in text and (not is_fixed(text) or "-t" in "".join(words))
    shell.state.put_list(name, (text or "").splitlines() if known and "t" in "".join(words) else [UNKNOWN])
    return True


def _unset(shell: Interpreter, command: Command, words: list[str]) -> bool:
    for word in words:
        shell.state.values.pop(word, None)
        shell.state.lists.pop(word, None)
        shell.state.exported.pop(word, None)
        shell.state.references.pop(word, None)
        shell.expander.assigned.add(word)
    return True


def _set(shell: Interpreter, command: Command, words: list[str]) -> bool:
    for place, word in enumerate(words):
        if word == "--" or word[:1] not in ("-", "+"):
            if word == "--" or not (place and words[place - 1] in ("-o", "+o", "-eo", "-euo")):
                shell.state.arguments, shell.state.shifted = words[place + (word == "--") :], 0
                break
            continue
        for letter in word[1:]:
            (shell.settings.discard if word[0] == "+" else shell.settings.add)(f"-{letter}")
        if word[-1] == "o" and words[place + 1 : place + 2] == ["errexit"]:
            (shell.settings.discard if word[0] == "+" else shell.settings.add)("-e")
        if word[-1] == "o" and words[place + 1 : place + 2] == ["allexport"]:
            (shell.settings.discard if word[0] == "+" else shell.settings.add)("-a")
    return True


def _shift(shell: Interpreter, command: Command, words: list[str]) -> bool | None:
    count = int(words[0]) if words and words[0].isdigit() else 1
    state = shell.state
    if words and not words[0].isdigit():
        return None
    if state.arguments is None:
        state.shifted += count
    else:
        state.arguments = state.arguments[count:]
    return True


def _wait(shell: Interpreter, command: Command, words: list[str]) -> bool:
    if words and not all(re.fullmatch(f"{PROCESS}\\d+{PROCESS}", word) for word in words):
        if any(shell.processes) and not all(is_fixed(word) for word in words):
            shell.dynamic("for which of the jobs the driver waits is not clear", command.words[0].start,
                          command.words[-1].end)  # fmt: skip
        return True
    chosen = [int(number) for word in words for number in names_in(PROCESS, word)]
    for number, waits in enumerate(shell.processes):
        if waits and (not words or number in chosen):
            for job, outcome in waits:
                if words:
                    shell.frames.refuse_gathered(mark(JOB, job))
                wait_for(shell, [job], Outcome.END if outcome is Outcome.SUCCESS and not words else outcome)
            waits.clear()
    return True


def _leave(shell: Interpreter, command: Command, words: list[str]) -> bool:
    kind = command.words[0].text
    number = words[0] if words else ""
    if kind in ("break", "continue"):
        raise LeaveError(kind, int(number) if number.isdigit() else 1)
    # a code that is neither 0 nor 1 may be told from others
    raise LeaveError(kind, status=shell.status if not number else {"0": True, "1": False}.get(number))


def _test(shell: Interpreter, command: Command, words: list[str]) -> bool | None:
    groups: list[tuple[str, list[str]]] = [("-a", [])]
    for word in words[:-1] if words[-1:] == ["]"] else words:
        if word in ("-a", "-o") and groups[-1][1]:
            groups.append((word, []))
        else:
            groups[-1][1].append(word)
    verdict: bool | None = True
    for operator, group in groups:
        found = test(shell, group, patterns=False) if group else False
        verdict = both(verdict, found) if operator == "-a" else either(verdict, found)
    return verdict


def _let(shell: Interpreter, command: Command, words: list[str]) -> bool | None:
    return [arithmetic(shell, word) for word in words][-1] if words else True


def _eval(shell: Interpreter, command: Command, words: list[str]) -> bool | None:
    """Run words that are known as a command; of others nothing is known."""
    text = " ".join(words)
    start, end = command.words[0].start, command.words[-1].end
    if not is_fixed(re.sub("[\ue000\ue008]", "", text)):
        shell.frames.refuse(text)
        if CALL.search(text) or UNKNOWN in text:
            shell.dynamic("`eval` runs a text that is known only when the driver runs", start, end)
        return None
    kept = shell.pin(shell.span(start, end))
    try:
        return shell.all(parse(text))
    except ShellError:
        shell.dynamic("`eval` runs a text that cannot be followed", start, end)
        return None
    finally:
        shell.pin(kept)


def _expr(shell: Interpreter, command: Command, words: list[str]) -> bool:
    found = " ".join(words)
    if len(words) == 3 and words[1] == ":":
        told = probed([words[0]], lambda texts: _matched(texts[0], words[2]))
    else:
        told = shell.expander.number(found)
    tell(shell, command.redirects, told + "\n")
    return True


def _matched(text: str, pattern: str) -> str | None:
    regular = expression(pattern, extended=False)
    found = regular.match(text) if regular is not None else None
    return found.group(1) if found is not None and found.groups() else None


def _which(shell: Interpreter, command: Command, words: list[str]) -> bool | None:
    """Follow `which sbatch`: the program is there, or the driver could do nothing."""
    names = [word for word in words if not word.startswith("-")]
    tell(shell, command.redirects, f"{names[0]}\n" if names == ["sbatch"] else UNKNOWN + "\n")
    return True if names == ["sbatch"] else None


def _xargs(shell: Interpreter, command: Command, words: list[str]) -> bool | None:
    text = shell.given
    if words in ([], ["echo"]) and text is not None:
        tell(shell, command.redirects, " ".join(text.split()) + "\n")
        return True
    if any(CALL.search(word) for word in words):
        start, end = command.words[0].start, command.words[-1].end
        shell.dynamic("`xargs` submits jobs in a way that is not followed", start, end)
    tell(shell, command.redirects, UNKNOWN + "\n")
    return None


def _mktemp(shell: Interpreter, command: Command, words: list[str]) -> bool:
    shell.turns += 1
    tell(shell, command.redirects, mark(TEMPORARY, shell.turns) + "\n")
    return True


def _true(shell: Interpreter, command: Command, words: list[str]) -> bool:
    tell(shell, command.redirects, "")
    return True


def _false(shell: Interpreter, command: Command, words: list[str]) -> bool:
    return False


BUILTINS: dict[str, Builtin] = {
    "echo": _echo, "printf": _printf, "cat": _cat, "seq": _seq, "dirname": _path, "basename": _path,
    "realpath": _path, "readlink": _path, "pwd": _pwd, "cd": _cd, "pushd": _cd, "popd": _cd, "read": _read,
    "unset": _unset, "set": _set, "shift": _shift, "wait": _wait, "exit": _leave, "return": _leave, "break": _leave,
    "continue": _leave, "[": _test, "test": _test, "let": _let, "eval": _eval, "expr": _expr, "true": _true,
    ":": _true, "false": _false, "mapfile": _mapfile, "readarray": _mapfile, "which": _which, "command": _which,
    "xargs": _xargs, "mktemp": _mktemp, "source": read_in, ".": read_in, **COPYING,
}  # fmt: skip
