"""What commands and tests of a driver say without running it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase

from pwxc.shell.grammar import Command, For, Node, Pipeline, children
from pwxc_targets.slurm.drivers.marks import is_fixed

QUIET = frozenset([
    "echo", "printf", "set", "shopt", "export", "mkdir", "cd", ":", "true", "false", "exit", "return", "local",
    "declare", "typeset", "unset", "sleep", "pwd", "test", "[", "shift", "read", "wait", "trap",
    "umask", "ulimit", "module", "ml", "date", "hostname", "break", "continue", "let", "squeue", "sinfo", "pushd",
    "popd", "hash", "type", "command", "which", "ls", "cat", "alias", "unalias", "readonly", "getopts", "mapfile",
    "readarray", "eval", "clear", "whoami", "dirname", "basename", "realpath", "readlink", "seq",
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
QUEUE = re.compile(r"\b(squeue|sacct|scontrol)\b")
DEEPEST = 20
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
        if any(re.search(r"\bsbatch\b", token.text) for token in words if not _is_told(node, token.text)):
            return True
        if depth < DEEPEST:
            for name in _called(node, functions):
                if submits(functions[name], functions, depth + 1):
                    return True
    return False


def _runs_what_it_reads(node: Pipeline) -> bool:
    """Whether a pipeline gives calls of `sbatch` to something that runs them."""
    words = [[token.text for token in part.words] for part in node.parts if isinstance(part, Command)]
    told = any(re.search(r"\bsbatch\b", text) for texts in words for text in texts)
    return told and any(texts[:1] and texts[0] in RUNNERS for texts in words[1:])


def _is_told(node: Command, text: str) -> bool:
    """Whether a word is only printed."""
    return (
        node.words[0].text in ("echo", "printf", "#") and "$(" not in text and "`" not in text if node.words else False
    )


def _called(node: Command, functions: dict[str, tuple[Node, ...]]) -> set[str]:
    found = {node.words[0].text} if node.words else set()
    for token in node.words:
        found.update(re.findall(r"(?:\$\(|`)\s*([\w-]+)", token.text))
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


def ends(nodes: Sequence[Node]) -> bool:
    """Whether commands end with leaving the script."""
    last = nodes[-1] if nodes else None
    return isinstance(last, Command) and bool(last.words) and last.words[0].text in ("exit", "return")


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


def may_test(words: Sequence[str]) -> bool:
    """Whether the outcome of a test depends on nothing but fixed values."""
    return all(is_fixed(word) for word in words)
