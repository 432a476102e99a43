"""What a shell makes of tests, modifications and sequences, on values that are partly known."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from pwxc_targets.slurm.drivers.words import Branch, Command, Function, Loop, Node, Opaque

JOB = "\ue000"
"""Stands before and behind the number of a job whose id a value has."""
INPUT = "\ue001"
"""Stands before and behind the name of an input."""
UNKNOWN = "\ue002"
"""Stands for what is known only when the script runs."""
QUIET = frozenset([
    "echo", "printf", "set", "shopt", "export", "mkdir", "cd", ":", "true", "exit", "return", "local",
    "declare", "typeset", "unset", "sleep", "source", ".", "pwd", "test", "[", "[[", "squeue", "shift", "read",
    "wait", "trap", "umask", "ulimit", "module", "ml", "date", "hostname", "break", "continue", "let", "((",
])  # fmt: skip
"""Commands that change nothing of the workflow."""
LONGEST_LOOP = 10_000
DEEPEST = 20


def sequence(numbers: Sequence[int]) -> Iterator[str]:
    """Give the numbers that `seq` prints."""
    start, step, stop = (1, 1, numbers[0]) if len(numbers) == 1 else (
        (numbers[0], 1, numbers[1]) if len(numbers) == 2 else tuple(numbers))  # fmt: skip
    if step == 0 or abs(stop - start) > LONGEST_LOOP * abs(step):
        return
    yield from (str(number) for number in range(start, stop + (1 if step > 0 else -1), step))


def modified(value: str, rest: str, expand: Callable[[str], str]) -> str:
    """Apply what follows the name in `${NAME…}`."""
    if not rest or rest[:2] in (":-", ":=", ":?"):
        return expand(rest[2:]) if rest[:2] in (":-", ":=") and value == "" else value
    if rest[:2] == ":+":
        return expand(rest[2:]) if value else ""
    if rest.startswith("//"):
        old, _, new = rest[2:].partition("/")
        return value.replace(expand(old), expand(new))
    if rest[0] in "#%":
        greedy = rest[:2] in ("##", "%%")
        pattern = expand(rest[2:] if greedy else rest[1:])
        if JOB in value and ("*" in pattern or pattern in (";",)):
            return value
        if "*" not in pattern:
            return value.removeprefix(pattern) if rest[0] == "#" else value.removesuffix(pattern)
    return UNKNOWN


def tested(words: Sequence[str]) -> bool | None:
    """Work out a test on values; None when it cannot be."""
    if len(words) == 1:
        return words[0] != ""
    if len(words) == 2 and words[0] in ("-n", "-z"):
        return (words[1] != "") is (words[0] == "-n")
    if len(words) == 3:
        left, operator, right = words
        if operator in ("=", "==", "!="):
            return (left == right) is (operator != "!=")
        comparisons = {"-eq": "==", "-ne": "!=", "-lt": "<", "-le": "<=", "-gt": ">", "-ge": ">="}
        if operator in comparisons and re.fullmatch(r"-?\d+", left) and re.fullmatch(r"-?\d+", right):
            a, b = int(left), int(right)
            return {"-eq": a == b, "-ne": a != b, "-lt": a < b, "-le": a <= b, "-gt": a > b, "-ge": a >= b}[operator]
    return None


def submits(nodes: Sequence[Node], functions: dict[str, tuple[Node, ...]], depth: int = 0) -> bool:
    """Whether commands submit jobs, or call a function that does."""
    for node in nodes:
        match node:
            case Command():
                if any(re.search(r"\bsbatch\b", token.text) for token in node.words):
                    return True
                name = node.words[0].text if node.words else ""
                if name in functions and depth < DEEPEST and submits(functions[name], functions, depth + 1):
                    return True
            case Loop():
                if submits(node.body, functions, depth):
                    return True
            case Branch():
                if any(submits(body, functions, depth) for _, body in node.arms):
                    return True
            case Opaque():
                if node.submits:
                    return True
            case Function():
                pass
    return False


def tokens(text: str) -> list[str]:
    """Give the words of a list."""
    from pwxc_targets.slurm.drivers.words import tokenize

    return [token.text for token in tokenize(text) if not token.operator]


def escaped(text: str) -> str:
    """Give a text as it stands within double quotes, expansions left alone."""
    return text.replace('"', '\\"')
