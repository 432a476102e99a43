"""Loops that count, read as ranges: `for ((i = 1; i <= 9; i++))` and `while` with a counter at its end."""

from __future__ import annotations

import re
from collections.abc import Callable

from pwxc.shell.grammar import Command, Count, For, While
from pwxc_targets.slurm.drivers.running.frames import Items, counted
from pwxc_targets.slurm.drivers.running.interpreter import Interpreter
from pwxc_targets.slurm.drivers.running.rules import assigned_in

_FIRST = re.compile(r"\s*(\w+)\s*=\s*(.+?)\s*\Z")
_TEST = re.compile(r"\s*(\w+)\s*(<=|<|>=|>)\s*(.+?)\s*\Z")
_STEP = re.compile(
    r"\s*(?:(\w+)\s*(\+\+|--)|(\+\+|--)(\w+)|(\w+)\s*([+-])=\s*(.+?)|(\w+)\s*=\s*(\w+)\s*([+-])\s*(\w+))\s*\Z"
)
_SIGNS = {"-lt": "<", "-le": "<=", "-gt": ">", "-ge": ">="}
_NUMBER = re.compile(r"-?\d+\Z")


def count_items(shell: Interpreter, node: Count) -> tuple[str, Items] | None:
    """Read a `for ((…))` whose bounds are known."""
    first, test, step = _FIRST.match(node.first), _TEST.match(node.test), _step(node.step, shell.expander.number)
    if first is None or test is None or step is None or not first.group(1) == test.group(1) == step[0]:
        return None
    if first.group(1) in assigned_in(node.body, shell.functions):
        return None
    return _items(first.group(1), shell.expander.number(first.group(2)), test, step[1], shell.expander.number)


def _step(text: str, number: Callable[[str], str]) -> tuple[str, int] | None:
    found = _STEP.match(text)
    if found is None:
        return None
    after, sign, before_sign, before, target, change, amount, left, right, operator, other = found.groups()
    if after or before:
        return after or before, 1 if (sign or before_sign) == "++" else -1
    if target:
        told, name, minus = number(amount), target, change == "-"
    elif left == right:
        told, name, minus = number(other), left, operator == "-"
    else:
        return None
    return (name, -int(told) if minus else int(told)) if _NUMBER.match(told) else None


def _items(
    name: str, first: str, test: re.Match[str], step: int, number: Callable[[str], str]
) -> tuple[str, Items] | None:
    bound = number(test.group(3))
    operator = test.group(2)
    if not _NUMBER.match(first) or not _NUMBER.match(bound) or step == 0 or (step > 0) is not operator.startswith("<"):
        return None
    last = int(bound) if operator.endswith("=") else int(bound) - (1 if step > 0 else -1)
    return name, counted(int(first), last, step)


def is_endless(shell: Interpreter, node: For | Count | While) -> bool:
    """Whether the counter of a loop moves away from its bound, or there is no bound."""
    if isinstance(node, Count):
        if not node.test.strip():
            return True
        test, step = _TEST.match(node.test), _step(node.step, shell.expander.number)
        told = _FIRST.match(node.first)
        first = shell.expander.number(told.group(2)) if told is not None else ""
    elif isinstance(node, While) and node.body and isinstance(last := node.body[-1], Command):
        test, step = _while_test(node), _step(_moved(last), shell.expander.number)
        first = shell.state.values.get(test.group(1), "") if test is not None else ""
    else:
        return False
    if test is None or step is None or step[0] != test.group(1):
        return False
    body = node.body if isinstance(node, Count) else node.body[:-1]
    bound = shell.expander.number(test.group(3))
    if step[0] in assigned_in(body, shell.functions) or not _NUMBER.match(first) or not _NUMBER.match(bound):
        return False
    goes_up = test.group(2).startswith("<")
    begins = int(first) < int(bound) if goes_up else int(first) > int(bound)
    begins = begins or (first == bound and test.group(2).endswith("="))
    return begins and (step[1] == 0 or (step[1] > 0) is not goes_up)


def while_items(shell: Interpreter, node: While) -> tuple[str, Items] | None:
    """Read a `while` whose test compares a counter that the last command of the body moves on."""
    test = _while_test(node)
    last = node.body[-1] if node.body else None
    if test is None or not isinstance(last, Command) or len(node.body) < 2:
        return None
    name = test.group(1)
    step = _step(_moved(last), shell.expander.number)
    if step is None or step[0] != name or name in assigned_in(node.body[:-1], shell.functions):
        return None
    return _items(name, shell.state.values.get(name, ""), test, step[1], shell.expander.number)


def _while_test(node: While) -> re.Match[str] | None:
    if node.until or len(node.test) != 1 or not isinstance(node.test[0], Command):
        return None
    words = [token.text for token in node.test[0].words]
    if len(words) == 1 and words[0].startswith("(("):
        return _TEST.match(words[0][2:-2])
    if len(words) == 1 and words[0].startswith("[["):
        words = ["[[", *words[0][2:-2].split(), "]]"]
    if len(words) == 5 and words[0] in ("[", "[[") and words[2] in _SIGNS:
        name = re.fullmatch(r'"?\$\{?(\w+)\}?"?', words[1])
        return _TEST.match(f"{name.group(1)} {_SIGNS[words[2]]} {words[3].strip(chr(34))}") if name else None
    return None


def _moved(node: Command) -> str:
    """Give the arithmetic by which a command moves a counter on."""
    texts = [token.text for token in node.words]
    if len(texts) == 1 and texts[0].startswith("(("):
        return texts[0][2:-2]
    if len(texts) == 2 and texts[0] == "let":
        return texts[1].strip("\"'")
    found = re.fullmatch(r"(\w+)=\$\(\((.*)\)\)", texts[0]) if len(texts) == 1 else None
    if found is not None:
        return f"{found.group(1)} = {found.group(2).replace('$', '')}"
    found = re.fullmatch(r"(\w+)=(?:\$\(|`)\s*expr\s+(.*?)\s*(?:\)|`)", texts[0]) if len(texts) == 1 else None
    return f"{found.group(1)} = {found.group(2).replace('$', '')}" if found else ""
