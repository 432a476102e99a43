"""Branches of a driver: followed where the test can be worked out, made conditions of tasks where inputs decide."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import reduce
from typing import TypeAlias

from pwxc.ir.expr import Binary, Expr, Literal, Ref, Root, Unary
from pwxc.ir.task import Outcome
from pwxc.shell.grammar import Case, Command, If, Node, Pipeline
from pwxc.shell.words import Token, tokenize
from pwxc_targets.slurm.drivers.running.calls import LeaveError
from pwxc_targets.slurm.drivers.running.interpreter import Interpreter
from pwxc_targets.slurm.drivers.running.rules import UNDECIDED, ends, submits
from pwxc_targets.slurm.drivers.running.waiting import settle, under
from pwxc_targets.slurm.drivers.text.marks import INPUT, LOGIN, UNKNOWN, is_fixed
from pwxc_targets.slurm.drivers.text.state import State

_Arm: TypeAlias = tuple[Expr | None, Sequence[Node]]
"""A condition, None for `else`, and what is done under it."""
_WHOLE = re.compile(f"[{INPUT}{LOGIN}]([^{INPUT}{LOGIN}]*)[{INPUT}{LOGIN}]\\Z")


def run_if(shell: Interpreter, node: If) -> bool | None:
    """Follow an `if`."""
    for place, (test, body) in enumerate(node.arms):
        shell.waited = None
        found = shell.all(test) if test else True
        if test and shell.waited is not None:
            return _of_waiting(shell, node, place, shell.waited)
        if found is None:
            rest = node.arms[place:]
            if not submits([part for _, inner in rest for part in inner], shell.functions):
                for _, inner in rest:
                    shell.perhaps(inner)
                return None
            conditions = [_of_test(shell, tests) if tests else None for tests, _ in rest]
            known = all(condition is not None for condition, (tests, _) in zip(conditions, rest, strict=True) if tests)
            arms = list(zip(conditions, [inner for _, inner in rest], strict=True))
            _perhaps(shell, arms, node, known=known)
            return None
        if found:
            return shell.all(body)
    return True


def _of_waiting(shell: Interpreter, node: If, place: int, job: int) -> bool | None:
    """Follow an `if` that goes by the end of a job for which `sbatch --wait` has waited."""
    test, body = node.arms[place]
    good, bad = (Outcome.SUCCESS, Outcome.FAILURE)
    if isinstance(test[-1], Pipeline) and test[-1].negated:
        good, bad = bad, good
    rest = node.arms[place + 1 :]
    if len(test) > 1 or len(rest) > 1 or (rest and rest[0][0]):
        if submits([part for _, inner in node.arms for part in inner], shell.functions):
            shell.dynamic("which end of a job the test is about is not clear", node.start, node.end)
        return None
    shell.waited = None
    for outcome, inner in ((good, body), (bad, rest[0][1] if rest else ())):
        if ends(inner, shell.functions) and not submits(inner, shell.functions):
            shell.waits = settle(shell.waits, job, bad if outcome is good else good)
        else:
            under(shell, job, outcome, lambda inner=inner: shell.all(inner))  # type: ignore[misc]
    return None


def run_case(shell: Interpreter, node: Case) -> bool | None:
    """Follow a `case`."""
    word = shell.expander.value(node.word.text)
    shell.frames.refuse(word)
    falls = False
    for place, (patterns, body) in enumerate(node.arms):
        texts = [shell.expander.value(token.text) for token in patterns]
        if not is_fixed(word) and texts != ["*"]:
            arms = [(_of_patterns(shell, word, tokens), inner) for tokens, inner in node.arms[place:]]
            known = all(found is not None or [token.text for token in tokens] == ["*"]
                        for (found, _), (tokens, _) in zip(arms, node.arms[place:], strict=True))  # fmt: skip
            _perhaps(shell, arms, node, known=known)
            return None
        if falls or any(fnmatchcase(word, text.replace("[^", "[!")) for text in texts):
            status = shell.all(body)
            falls = node.stops[place] == ";&"
            if node.stops[place] not in (";&", ";;&"):
                return status
    return True


def _perhaps(shell: Interpreter, arms: Sequence[_Arm], node: If | Case, *, known: bool) -> None:
    """Follow arms of which inputs decide, or say that it is not known which of them runs."""
    if not submits([part for _, inner in arms for part in inner], shell.functions):
        for _, inner in arms:
            shell.perhaps(inner)
    elif known:
        shell.frames.refuse_here()
        _each(shell, arms, node)
    else:
        shell.dynamic(UNDECIDED, node.start, node.end)


def _each(shell: Interpreter, arms: Sequence[_Arm], node: If | Case) -> None:
    """Follow every arm under its condition; variables that come out unlike are not known afterwards."""
    before = shell.state.copy()
    outcomes: list[State] = []
    failed: list[Expr] = []
    for condition, body in arms:
        shell.state.restore(before.copy())
        own = [*failed, *([condition] if condition is not None else [])]
        shell.conditions.extend(own)
        try:
            shell.all(body)
            outcomes.append(shell.state.copy())
        except LeaveError:
            if submits(body, shell.functions) or not ends(body, shell.functions):
                shell.dynamic("the script is left under a condition, after jobs were submitted", node.start, node.end)
        finally:
            del shell.conditions[len(shell.conditions) - len(own) :]
        if condition is not None:
            failed.append(_negated(condition))
    if all(condition is not None for condition, _ in arms):
        outcomes.append(before)
    shell.state.restore(_merged(outcomes) if outcomes else before)


def _merged(outcomes: Sequence[State]) -> State:
    merged = outcomes[0].copy()
    for name in {name for state in outcomes for name in state.values}:
        if len({state.values.get(name, "") for state in outcomes}) > 1:
            merged.values[name] = UNKNOWN
    for name in {name for state in outcomes for name in state.lists}:
        if any(state.lists.get(name) != merged.lists.get(name) for state in outcomes):
            merged.lists[name] = {"0": UNKNOWN}
    if any(state.folder != merged.folder for state in outcomes):
        merged.folder = UNKNOWN
    return merged


_OPPOSITES = {"==": "!=", "!=": "=="}


def _negated(condition: Expr) -> Expr:
    if isinstance(condition, Binary) and condition.operator in _OPPOSITES:
        return Binary(_OPPOSITES[condition.operator], condition.left, condition.right)
    return Unary("!", condition)


def whole(conditions: Sequence[Expr]) -> Expr | None:
    """Give the condition that all of some conditions hold."""
    return reduce(lambda left, right: Binary("&&", left, right), conditions) if conditions else None


def _of_test(shell: Interpreter, test: Sequence[Node]) -> Expr | None:
    """Read a test on inputs as an expression."""
    node = test[0] if len(test) == 1 else None
    if isinstance(node, Pipeline) and node.negated and len(node.parts) == 1:
        found = _of_test(shell, node.parts)
        return None if found is None else _negated(found)
    if not isinstance(node, Command):
        return None
    texts = list(node.words)
    if len(texts) == 1 and texts[0].text.startswith("[["):
        texts = tokenize(texts[0].text[2:-2])
    elif texts[0].text in ("[", "test"):
        texts = texts[1:-1] if texts[0].text == "[" else texts[1:]
    else:
        return None
    if any(token.operator or token.redirect for token in texts):
        return None
    return _of_words(shell, [shell.expander.value(token.text) for token in texts], texts)


def _of_words(shell: Interpreter, words: Sequence[str], tokens: Sequence[Token]) -> Expr | None:
    if words[:1] == ["!"]:
        found = _of_words(shell, words[1:], tokens[1:])
        return None if found is None else _negated(found)
    if len(words) == 2 and words[0] in ("-n", "-z"):
        return _is_empty(shell, words[1], operator="==" if words[0] == "-z" else "!=")
    if len(words) == 1:
        return _is_empty(shell, words[0], operator="!=")
    if len(words) == 3 and words[1] in ("=", "==", "!="):
        left, right = _side(shell, words[0]), _side(shell, words[2])
        if left is None or right is None or re.search(r"[*?\[]", words[2]):
            return None
        return Binary("!=" if words[1] == "!=" else "==", left, right)
    return None


def _is_empty(shell: Interpreter, value: str, operator: str) -> Expr | None:
    """Read whether an input was given; one of which this is asked may be left out."""
    found = _WHOLE.match(value)
    if found is None or found.group(1) in shell.expander.made_up:
        return None
    if shell.inputs.get(found.group(1)) is None:
        shell.inputs[found.group(1)] = ""
    return Binary(operator, Ref(Root.INPUT, (found.group(1),)), Literal(""))


def _side(shell: Interpreter, value: str) -> Expr | None:
    found = _WHOLE.match(value)
    if found is not None:
        return None if found.group(1) in shell.expander.made_up else Ref(Root.INPUT, (found.group(1),))
    return Literal(value) if is_fixed(value) else None


def _of_patterns(shell: Interpreter, word: str, patterns: Sequence[Token]) -> Expr | None:
    """Read that a word is one of some texts."""
    side = _side(shell, word)
    texts = [shell.expander.value(token.text) for token in patterns]
    if side is None or any(not is_fixed(text) or re.search(r"[*?\[]", text) for text in texts):
        return None
    return reduce(lambda left, right: Binary("||", left, right), [Binary("==", side, Literal(text)) for text in texts])
