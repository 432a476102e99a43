"""What commands and tests of a driver say without running it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase

from pwxc.shell.grammar import Command, For, Group, Node, Pipeline, children

QUIET = frozenset([
    "echo", "printf", "set", "shopt", "export", "mkdir", "cd", ":", "true", "false", "exit", "return", "local",
    "declare", "typeset", "unset", "sleep", "pwd", "test", "[", "shift", "read", "wait", "trap",
    "umask", "ulimit", "module", "ml", "date", "hostname", "break", "continue", "let", "squeue", "sinfo", "pushd",
    "popd", "hash", "type", "command", "which", "ls", "cat", "alias", "unalias", "readonly", "getopts", "mapfile",
    "readarray", "eval", "clear", "whoami", "dirname", "basename", "realpath", "readlink", "seq", "exec", "tput", "id",
    "scancel", "sacct", "chmod", "tee", "awk", "cut", "grep", "sed", "tr", "head", "tail", "sort", "wc", "uniq",
    "paste", "mktemp", "env", "uname", "stat", "du", "df", "fi",
])  # fmt: skip
"""Commands that change nothing of the workflow, or whose effect is followed."""
SUCCEEDS = frozenset([
    "echo", "printf", "set", "shopt", "export", "mkdir", "cd", ":", "true", "local", "declare", "typeset", "unset",
    "sleep", "source", ".", "pwd", "shift", "read", "wait", "trap", "umask", "ulimit", "module", "ml", "date", "let",
    "cp", "mv", "rm", "touch", "chmod", "ln", "pushd", "popd", "readonly", "hash", "clear", "cat", "tee", "rsync",
])  # fmt: skip
"""Commands that are taken to succeed: where one of them fails, what is submitted is not what the driver is for."""
RUNNERS = frozenset([
    "srun", "trap", "at", "batch", "ssh", "xargs", "parallel", "watch", "bash", "sh", "env", "python", "python3", "su",
    "sudo",
])  # fmt: skip
"""Commands that run others in a way of their own."""
CALL = re.compile(r"(?<![\w.-])sbatch(?![\w./=-])")
"""The name of the command, and not a part of the name of a file."""
QUEUE = re.compile(r"\b(squeue|sacct|scontrol)\b")
DEEPEST = 20
UNDECIDED = "what is submitted depends on a test that is made when the driver runs"
ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)(?:\[(.*?)\])?(\+?)=(.*)\Z", re.DOTALL)
DECLARING = frozenset(["export", "declare", "local", "typeset", "readonly"])


def is_sbatch(text: str) -> bool:
    """Whether a word is the command `sbatch`."""
    return text == "sbatch" or text.endswith("/sbatch") or text in ("'sbatch'", '"sbatch"')


def walk(nodes: Iterable[Node]) -> Iterator[Node]:
    """Go through nodes and all that is below them."""
    for node in nodes:
        yield node
        yield from walk(children(node))


def submits(nodes: Iterable[Node], functions: dict[str, tuple[Node, ...]], depth: int = 0) -> bool:
    """Whether commands submit jobs, or call a function that does."""
    for node in walk(nodes):
        if isinstance(node, Pipeline) and _runs_what_it_reads(node):
            return True
        if not isinstance(node, Command):
            continue
        words = [*node.words, *node.redirects]
        if any(CALL.search(token.text) for token in words if not _is_told(node, token.text)):
            return True
        if node.words and node.words[0].text in RUNNERS and CALL.search(_here(node)):
            return True
        if depth < DEEPEST:
            for name in _called(node, functions):
                if submits(functions[name], functions, depth + 1):
                    return True
    return False


def _here(node: Command) -> str:
    """Give the texts of the here-documents of a command."""
    return "\n".join(token.here for token in node.redirects if token.here is not None)


def _runs_what_it_reads(node: Pipeline) -> bool:
    """Whether a pipeline gives calls of `sbatch` to something that runs them."""
    words = [[*(token.text for token in part.words), _here(part)] for part in node.parts if isinstance(part, Command)]
    told = any(CALL.search(text) for texts in words for text in texts)
    return told and any(texts[:1] and texts[0] in RUNNERS for texts in words[1:])


def _is_told(node: Command, text: str) -> bool:
    """Whether a word is only printed."""
    if not node.words or node.words[0].text not in ("echo", "printf", "log", "#"):
        return False
    return not re.search(r"(?:\$\((?!\()|`)[^`]*(?<![\w.-])sbatch(?![\w./=-])", text)


SCRIPT = "script "
"""Stands before the name of a script that submits jobs, among the functions."""


VARIABLE = "variable "
"""Stands before the name of a variable that holds the name of `sbatch`, among the functions."""


def _called(node: Command, functions: dict[str, tuple[Node, ...]]) -> set[str]:
    found = {token.text for token in node.words}
    for place, token in enumerate(node.words):
        before = r"^\"?" if place == 0 else r"(?:\$\(|`)\s*\"?"
        found.update(VARIABLE + name for name in re.findall(before + r"\$\{?(\w+)", token.text))
    for token in node.words:
        found.update(re.findall(r"(?:\$\(|`)\s*([\w-]+)", token.text))
        found.update(SCRIPT + name for name in re.findall(r"[^/\s\"']+", token.text))
    return found & functions.keys()


def assigned_in(nodes: Iterable[Node], functions: dict[str, tuple[Node, ...]], depth: int = 0) -> set[str]:
    """Give the variables that commands set."""
    found: set[str] = set()
    for node in walk(nodes):
        if isinstance(node, For):
            found.add(node.variable)
        if not isinstance(node, Command):
            continue
        found |= _assigned_by(node)
        name = node.words[0].text if node.words else ""
        if name in functions and depth < DEEPEST:
            found |= assigned_in(functions[name], functions, depth + 1)
    return found


def _assigned_by(node: Command) -> set[str]:
    found: set[str] = set()
    leading = True
    declaring = bool(node.words) and node.words[0].text in (*DECLARING, "read", "getopts", "mapfile", "readarray")
    for token in node.words:
        assignment = ASSIGNMENT.match(token.text)
        if assignment is not None and (leading or declaring):
            found.add(assignment.group(1))
        elif declaring and token.text.isidentifier():
            found.add(token.text)
        leading = leading and assignment is not None
        found.update(re.findall(r"(?:\(\(|let\s).*?([A-Za-z_]\w*)\s*(?:\+\+|--|[-+*/%]?=(?!=))", token.text))
        found.update(re.findall(r"(?:\+\+|--)([A-Za-z_]\w*)", token.text) if token.text.startswith("((") else ())
    if node.words and node.words[0].text == "printf" and len(node.words) > 2 and node.words[1].text == "-v":
        found.add(node.words[2].text)
    return found


_SILENT = frozenset([
    ":", "true", "false", "export", "local", "declare", "typeset", "set", "shift", "unset", "mkdir", "cd", "cp", "mv",
    "rm", "touch", "exit", "return", "break", "continue", "[", "test", "read", "sleep", "let", "source", ".", "chmod",
    "ln",
])  # fmt: skip


def prints(nodes: Iterable[Node]) -> bool:
    """Whether commands print, as far as one can see; what goes to the error output does not count."""
    for node in walk(nodes):
        if not isinstance(node, Command):
            continue
        words = [token.text for token in node.words if ASSIGNMENT.match(token.text) is None]
        away = any(token.redirect.lstrip("1") in (">", ">>", "&>", ">&") for token in node.redirects)
        if words and not away and words[0] not in _SILENT and not words[0].startswith(("[[", "((")):
            return True
    return False


def ends(nodes: Sequence[Node], functions: dict[str, tuple[Node, ...]] | None = None, depth: int = 0) -> bool:
    """Whether commands end with leaving the script."""
    last = nodes[-1] if nodes else None
    if isinstance(last, Group) and not last.subshell:
        return ends(last.body, functions, depth)
    if not isinstance(last, Command) or not last.words:
        return False
    name = last.words[0].text
    if functions is not None and name in functions and depth < DEEPEST:
        inner = functions[name]
        return ends(inner, functions, depth + 1) and not _returns(inner)
    return name in ("exit", "return")


def _returns(nodes: Sequence[Node]) -> bool:
    return any(isinstance(node, Command) and node.words and node.words[0].text == "return" for node in walk(nodes))


_NUMBERS = {"-eq": "==", "-ne": "!=", "-lt": "<", "-le": "<=", "-gt": ">", "-ge": ">="}


def tested(words: Sequence[str], *, patterns: bool) -> bool | None:
    """Work out a test on fixed values; None when it cannot be. With `patterns` the right side may be one."""
    if len(words) == 1:
        return words[0] != ""
    if words[:1] == ["!"]:
        found = tested(words[1:], patterns=patterns)
        return None if found is None else not found
    if len(words) == 2 and words[0] in ("-n", "-z"):
        return (words[1] != "") is (words[0] == "-n")
    if len(words) == 3:
        left, operator, right = words
        if operator in ("=", "==", "!="):
            equal = fnmatchcase(left, right.replace("[^", "[!")) if patterns else left == right
            return equal is (operator != "!=")
        if operator in _NUMBERS and re.fullmatch(r"-?\d+", left) and re.fullmatch(r"-?\d+", right):
            a, b = int(left), int(right)
            return {"==": a == b, "!=": a != b, "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[_NUMBERS[operator]]
    return None
