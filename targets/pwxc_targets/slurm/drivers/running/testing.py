"""Tests of a driver: `[ ]`, `test` and `[[ ]]`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pwxc.shell.words import Token, tokenize
from pwxc_targets.slurm.drivers.running.interpreter import Interpreter
from pwxc_targets.slurm.drivers.running.printing import path_of
from pwxc_targets.slurm.drivers.running.rules import tested
from pwxc_targets.slurm.drivers.text.expressions import expression
from pwxc_targets.slurm.drivers.text.marks import CARRIED, HERE, IF_CARRIED, INPUT, SWEEP, UNKNOWN, is_fixed, names_in
from pwxc_targets.slurm.drivers.text.probing import probed

_SCRIPT = re.compile(r"\.(?:sh|bash|sbatch|slurm|env|conf|cfg|config|rc|vars)\Z")
_FILES = ("-f", "-e", "-s", "-r")


def test(shell: Interpreter, words: Sequence[str], *, patterns: bool) -> bool | None:
    """Work out the words of a test."""
    if len(words) == 2 and words[0] in _FILES:
        return _is_there(shell, path_of(shell, words[1]))
    if words[:1] == ["!"] and len(words) > 1:
        found = test(shell, words[1:], patterns=patterns)
        return None if found is None else not found
    for word in words:
        shell.frames.refuse(word)
    if not all(is_fixed(word) for word in words):
        shell.expander.tested.update(name for word in words for name in names_in(INPUT, word))
        return _test_of_marks(words)
    return tested(words, patterns=patterns)


def _is_there(shell: Interpreter, path: str) -> bool | None:
    """Tell of scripts and of what the driver has written that they are there; of data nobody knows."""
    if path in shell.files.written:
        return True
    text = shell.files.read(path, quietly=True) if is_fixed(path) else None
    if text is None or not (text.startswith("#!") or _SCRIPT.search(path)):
        return None
    return shell.files.read(path) is not None


def _test_of_marks(words: Sequence[str]) -> bool | None:
    """Work out whether a value is there; the id of a job is."""
    if len(words) == 2 and words[0] in ("-n", "-z") and UNKNOWN not in words[1] and INPUT not in words[1]:
        return words[0] == "-n"
    if len(words) == 1 and UNKNOWN not in words[0] and INPUT not in words[0]:
        return True
    if len(words) == 3 and not any(UNKNOWN in word or INPUT in word or HERE in word for word in words):
        said = probed(words, lambda texts: str(tested(texts, patterns=False)))
        return {"True": True, "False": False}.get(said)
    return None


def double_test(shell: Interpreter, text: str) -> bool | None:
    """Work out `[[ … ]]`."""
    verdict: bool | None = True
    operator = "&&"
    group: list[Token] = []
    for token in (*_tokens(text[2:-2]), Token("&&", 0, 0, operator=True)):
        if token.operator and token.text in ("&&", "||"):
            found = verdict if _is_decided(verdict, operator) else _simple_test(shell, group)
            verdict = both(verdict, found) if operator == "&&" else either(verdict, found)
            operator, group = token.text, []
        elif token.operator:
            return None
        else:
            group.append(token)
    return verdict


def _is_decided(verdict: bool | None, operator: str) -> bool:
    return verdict is (operator == "||")


def both(left: bool | None, right: bool | None) -> bool | None:
    """Give whether both hold, None when that is not known."""
    return False if left is False or right is False else None if None in (left, right) else True


def either(left: bool | None, right: bool | None) -> bool | None:
    """Give whether one holds, None when that is not known."""
    return True if left or right else None if None in (left, right) else False


def _tokens(text: str) -> list[Token]:
    """Cut a test into words; a regular expression may have parentheses and bars."""
    found = re.match(r"(.*?\s=~\s+)((?:\\.|[^\s\\])+(?:\\ \S*)*)\s*(.*)\Z", text, re.DOTALL)
    if found is None:
        return tokenize(text)
    return [*tokenize(found.group(1)), Token(found.group(2), 0, 0), *tokenize(found.group(3))]


def _simple_test(shell: Interpreter, tokens: Sequence[Token]) -> bool | None:
    if len(tokens) == 3 and tokens[1].text == "=~":
        return _matches(shell, shell.expander.value(tokens[0].text), tokens[2].text)
    if len(tokens) >= 1 and tokens[0].text == "!" and len(tokens) > 1:
        found = _simple_test(shell, tokens[1:])
        return None if found is None else not found
    if any(token.redirect for token in tokens):
        return None
    quoted = bool(tokens) and tokens[-1].text[:1] in "\"'"
    return test(shell, [shell.expander.value(token.text) for token in tokens], patterns=not quoted)


def _matches(shell: Interpreter, value: str, written: str) -> bool | None:
    """Work out `=~`, which leaves the parts that match in a list."""
    pattern = shell.expander.value(written) if re.search(r"[$\"'`]", written.rstrip("$")) else written
    whole = value + pattern
    if UNKNOWN in whole or INPUT in whole or HERE in whole:
        shell.state.put_list("BASH_REMATCH", [UNKNOWN] * 10)
        return None
    if SWEEP in whole or CARRIED in whole or IF_CARRIED in whole or not is_fixed(pattern):
        shell.frames.refuse(whole)
    shell.frames.refuse_gathered(value)
    regular = expression(pattern.replace("\\ ", " "), extended=True)
    if regular is None or not is_fixed(pattern):
        shell.state.put_list("BASH_REMATCH", [UNKNOWN] * 10)
        return None

    def work(texts: list[str]) -> str | None:
        found = regular.search(texts[0])
        return "" if found is None else "\0".join(["", found.group(), *(item or "" for item in found.groups())])

    said = probed([value], work)
    if UNKNOWN in said:
        return None
    shell.state.put_list("BASH_REMATCH", said.split("\0")[1:])
    return said != ""
