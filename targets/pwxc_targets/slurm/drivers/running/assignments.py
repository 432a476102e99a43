"""Assignments and declarations of variables."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pwxc.shell.words import Token, tokenize
from pwxc_targets.slurm.drivers.running.interpreter import Interpreter
from pwxc_targets.slurm.drivers.running.rules import ASSIGNMENT
from pwxc_targets.slurm.drivers.text.expansion import ALL, carried
from pwxc_targets.slurm.drivers.text.marks import LOGIN, UNKNOWN, is_fixed, mark

LONGEST_VALUE = 1_000_000
"""Characters of a value; what is longer has been doubled in every turn of a loop."""
_DEFAULT = re.compile(r'"?\$\{(\w+)(:?[-=].*)\}"?\Z', re.DOTALL)


def assign(shell: Interpreter, found: re.Match[str], only: dict[str, str] | None) -> None:
    """Follow an assignment; one that holds for a single command goes into `only`."""
    name, index, plus, right = found.groups()
    state = shell.state
    name = state.target(name)
    if right.startswith("(") and index is None:
        _assign_list(shell, name, right, append=bool(plus))
        return
    value = _value(shell, name, right)
    if index is None and name in state.lists:
        shell.frames.refuse_here()  # it is the first item that is set
    if index is not None:
        key = shell.expander.key(name, index)
        items = state.lists.setdefault(name, {})
        items[key] = items.get(key, "") + value if plus else value
        return
    if plus:
        value = (state.lists[name].get("0", "") if name in state.lists else state.values.get(name, "")) + value
    if len(value) > LONGEST_VALUE:
        value = UNKNOWN
    if only is not None:
        only[name] = value
        return
    state.put(name, value)
    if "-a" in shell.settings:
        state.exported[name] = None


MADE_UP = frozenset(["date", "uuidgen", "whoami", "hostname", "git", "id", "uname", "logname"])
"""Commands that print something that is made up when the driver runs, and that decides nothing."""
_USER = frozenset(["whoami", "logname", "id -un", "id -nu"])
_MADE = re.compile(r'"?(?:\$\(|`)\s*(\w+)\b[^`()|;&<>]*[`)]"?\Z')


def made_up(shell: Interpreter, name: str, text: str, start: int, end: int) -> str:
    """Make an input of what a command prints; `name` is the variable that gets it, or the command."""
    if not is_fixed(text):
        return UNKNOWN
    expander = shell.expander
    if text in _USER:
        shell.met("USER")
        return mark(LOGIN, "USER")
    known = shell.made.get(text)
    if known is None:
        known, number = name, 1
        while known in expander.inputs:
            number += 1
            known = f"{name}_{number}"
        shell.made[text] = known
        expander.made_up.add(known)
        shell.places[known] = shell.span(start, end)
    return expander.input(known, "")


def _value(shell: Interpreter, name: str, right: str) -> str:
    """Give what a variable gets; one that keeps the value that it may come with is an input."""
    own = _DEFAULT.match(right)
    state = shell.state
    made = _MADE.match(right)
    if made is not None and made.group(1) in MADE_UP and is_fixed(right) and "$" not in right.strip('"')[2:]:
        return made_up(shell, name, right.strip('"$()` '), *shell.at)
    if own is None or own.group(1) != name or name in state.values or name in state.lists or shell.frames.stack:
        return shell.expander.value(right)
    rest = own.group(2)
    default = shell.expander.value(rest.partition(rest[0] if rest[0] != ":" else rest[1])[2])
    if not is_fixed(default) or shell.depth:
        return default
    return shell.expander.input(name, rest)


def _assign_list(shell: Interpreter, name: str, right: str, *, append: bool) -> None:
    items = dict(shell.state.lists.get(name, {})) if append else {}
    if append and name in shell.state.values:
        value = shell.state.values[name]
        items = {f"{ALL}-before" if value == carried(name) else "0": value} if value else {}
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
    shell.state.values.pop(name, None)
    shell.state.lists[name] = items


def declare(shell: Interpreter, name: str, words: Sequence[Token]) -> bool:
    """Follow `declare`, `local`, `export` and their kin."""
    letters = "".join(token.text[1:] for token in words if re.fullmatch(r"-\w+", token.text))
    for token in words:
        found = ASSIGNMENT.match(token.text)
        if found is None and re.search(r"[\"'$`]", token.text):
            made = shell.expander.value(token.text)
            key, equals, value = made.partition("=")
            if key.isidentifier() and equals:
                _declare_one(shell, name, key, letters, has_value=True)
                shell.state.put(key, value)
            continue
        key = found.group(1) if found is not None else token.text
        if not key.isidentifier():
            continue
        if name == "export" and "n" in letters:
            shell.state.exported.pop(key, None)
            continue
        if found is not None and "n" in letters:
            target = shell.expander.value(found.group(4))
            _declare_one(shell, name, key, letters, has_value=True)
            if is_fixed(target) and target != key:
                shell.state.references[key] = target
            continue
        if found is not None and name in ("local", "declare", "typeset"):
            _assign_declared(shell, found, name, letters)
            continue
        _declare_one(shell, name, key, letters, has_value=found is not None)
        if found is not None:
            assign(shell, found, None)
    return True


def _assign_declared(shell: Interpreter, found: re.Match[str], name: str, letters: str) -> None:
    """Follow `local a=$a`: the value is worked out before the variable is a new one."""
    key, index, plus, right = found.groups()
    if index is not None or plus or right.startswith("("):
        _declare_one(shell, name, key, letters, has_value=True)
        assign(shell, found, None)
        return
    value = _value(shell, key, right)
    _declare_one(shell, name, key, letters, has_value=True)
    shell.state.references.pop(key, None)
    shell.state.lists.pop(key, None)
    shell.state.put(key, str(_integer(shell, value)) if "i" in letters else value)


def _integer(shell: Interpreter, value: str) -> str:
    return shell.expander.number(value)


def _declare_one(shell: Interpreter, name: str, key: str, letters: str, *, has_value: bool) -> None:
    state = shell.state
    if "A" in letters:
        state.keyed.add(key)
    if name not in ("export", "readonly") and shell.locals and "g" not in letters:
        shell.locals[-1].setdefault(key, (state.values.get(key), state.lists.get(key)))
        if name == "local" and not has_value:
            state.values[key] = ""
            state.lists.pop(key, None)
    if not has_value:
        if "a" in letters or "A" in letters:
            state.values.pop(key, None)
            state.lists.setdefault(key, {})
        elif name == "local" or (name != "export" and key not in state.lists):
            state.values.setdefault(key, "")
    if name == "export" or "x" in letters:
        state.exported[key] = None
