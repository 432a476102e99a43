"""`((…))`, which counts and compares, and `seq`."""

from __future__ import annotations

import re

from pwxc.shell.words import tokenize
from pwxc_targets.slurm.drivers.running.frames import Items, counted
from pwxc_targets.slurm.drivers.running.interpreter import Interpreter

_MOVED = re.compile(r"\s*(?:(\+\+|--)\s*(\w+)|(\w+)\s*(\+\+|--)|(\w+)\s*([-+*/%]?)=(?!=)(.*))\s*\Z", re.DOTALL)


def arithmetic(shell: Interpreter, text: str) -> bool | None:
    """Work out `((…))`, which may set a variable; gives whether the result is not 0."""
    results = [_step(shell, part) for part in text.split(",")] if text.strip() else ["1"]
    value = results[-1]
    shell.frames.refuse(value)
    return int(value) != 0 if re.fullmatch(r"-?\d+", value) else None


def _step(shell: Interpreter, text: str) -> str:
    found = _MOVED.match(text)
    if found is None:
        return shell.expander.number(text)
    sign, before, after, after_sign, name, operator, right = found.groups()
    if name is not None:
        value = shell.expander.number(f"{name} {operator} ({right})" if operator else right)
        result = value
    else:
        name = before or after
        value = shell.expander.number(f"{name} {(sign or after_sign)[0]} 1")
        result = value if before else shell.expander.number(name)
    shell.state.put(name, value)
    return result


def sequence_of(shell: Interpreter, word: str) -> Items | None:
    """Read `$(seq …)` as a range."""
    found = re.fullmatch(r"(?:\$\(|`)\s*seq\s+(.*?)\s*(?:\)|`)", word, re.DOTALL)
    if found is None:
        return None
    values = [value for token in tokenize(found.group(1)) for value in shell.expander.words(token.text)]
    numbers = [value for value in values if re.fullmatch(r"-?\d+", value)]
    if len(numbers) != len([value for value in values if value != "-w"]) or not 1 <= len(numbers) <= 3:
        return None
    first, step, last = ("1", "1", *numbers) if len(numbers) == 1 else (
        (numbers[0], "1", numbers[1]) if len(numbers) == 2 else tuple(numbers))  # fmt: skip
    if int(step) == 0:
        return None
    width = max(len(first), len(last)) if "-w" in values else 0
    return counted(int(first), int(last), int(step), width)
