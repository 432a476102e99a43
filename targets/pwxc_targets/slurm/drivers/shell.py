"""Following a shell script on values that are known, that are inputs, or that are ids of submitted jobs."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Sequence

import attrs

from pwxc.diagnostics import Diagnostics
from pwxc.ir.expr import Expr
from pwxc.shell.grammar import (
    AndOr,
    Background,
    Case,
    Command,
    Count,
    For,
    Function,
    Group,
    If,
    Node,
    Pipeline,
    While,
    parse,
)
from pwxc.shell.words import ShellError, Token, tokenize
from pwxc.source import Source
from pwxc_targets.slurm import codes as C  # noqa: N812
from pwxc_targets.slurm.drivers import commands
from pwxc_targets.slurm.drivers.branches import run_case, run_if
from pwxc_targets.slurm.drivers.calls import LeaveError, Submission, Submitted
from pwxc_targets.slurm.drivers.expansion import Expander, State
from pwxc_targets.slurm.drivers.filters import filtered
from pwxc_targets.slurm.drivers.frames import Frames
from pwxc_targets.slurm.drivers.marks import INPUT, UNKNOWN, is_fixed
from pwxc_targets.slurm.drivers.rules import RUNNERS, assigned_in, ends, submits, tested, walk
from pwxc_targets.slurm.drivers.turns import run_loop


@attrs.define
class Shell:
    """Runs the commands of a script on values. Loops whose places are in `unrolled` are followed turn by turn."""

    source: Source
    diagnostics: Diagnostics
    take: Callable[[Submission], Submitted]
    unrolled: frozenset[int] = frozenset()
    state: State = attrs.field(factory=State)
    functions: dict[str, tuple[Node, ...]] = attrs.field(factory=dict)
    files: dict[str, str] = attrs.field(factory=dict)
    strangers: list[Token] = attrs.field(factory=list)
    settings: set[str] = attrs.field(factory=set)
    locals: list[dict[str, tuple[str | None, dict[str, str] | None]]] = attrs.field(factory=list)
    conditions: list[Expr] = attrs.field(factory=list)
    waits: list[tuple[int, bool]] = attrs.field(factory=list)
    background: list[int] = attrs.field(factory=list)
    in_background: bool = False
    polled: tuple[int, int] | None = None
    printed: list[str] | None = None
    base: int = 0
    depth: int = 0
    turns: int = 0
    frames: Frames = attrs.field(init=False)
    expander: Expander = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Find the variables that the script sets somewhere."""
        found = re.findall(r"(?:^|[\s;(])([A-Za-z_]\w*)(?:\[[^]]*\])?\+?=", self.source.text)
        found += re.findall(r"\bfor\s+([A-Za-z_]\w*)", self.source.text)
        self.frames = Frames(self.state)
        script = posixpath.basename(self.source.name)
        self.expander = Expander(
            self.state, f"./{script}", frozenset(found), self._substitute, self.frames.refuse, self.frames.find_item
        )

    @property
    def inputs(self) -> dict[str, str | None]:
        """The inputs that were met, with their defaults."""
        return self.expander.inputs

    def run(self, nodes: Sequence[Node]) -> None:
        """Run a script to its end."""
        try:
            self.all(nodes)
        except LeaveError:
            return

    def all(self, nodes: Iterable[Node]) -> bool | None:
        """Run commands one after the other; give whether the last one succeeded, None when it is not known."""
        status: bool | None = True
        for node in nodes:
            status = self._one(node)
        return status

    def dynamic(self, message: str, start: int, end: int) -> None:
        """Report what is known only when the driver runs."""
        self.diagnostics.add(C.DYNAMIC, message, self.source.span(start, end))

    def words(self, tokens: Iterable[Token]) -> list[str]:
        """Give the words that tokens become."""
        return [value for token in tokens for value in self.expander.words(token.text)]

    def _one(self, node: Node) -> bool | None:
        match node:
            case Command():
                return commands.run(self, node)
            case AndOr():
                return self._and_or(node)
            case Pipeline():
                return self._pipeline(node)
            case Background():
                return self._in_background(node)
            case For() | Count() | While():
                run_loop(self, node)
                return True
            case If():
                return run_if(self, node)
            case Case():
                return run_case(self, node)
            case Group():
                return self._group(node)
            case Function():
                self.functions[node.name] = node.body
                return True

    def _group(self, node: Group) -> bool | None:
        if not node.subshell:
            return self.all(node.body)
        return self._apart(lambda: self.all(node.body))

    def _apart(self, run: Callable[[], bool | None]) -> bool | None:
        """Run something that leaves variables and the folder as they were."""
        kept = self.state.copy()
        functions = dict(self.functions)
        try:
            return run()
        except LeaveError:
            return True
        finally:
            self.restore(kept)
            self.functions = functions

    def restore(self, kept: State) -> None:
        """Give variables, lists and the folder the values of another state."""
        for name in ("values", "lists", "exported", "arguments", "shifted", "folder", "keyed"):
            setattr(self.state, name, getattr(kept, name))

    def _in_background(self, node: Background) -> bool | None:
        before, self.in_background = self.in_background, True
        try:
            self._apart(lambda: self._one(node.body))
        finally:
            self.in_background = before
        return True

    def _and_or(self, node: AndOr) -> bool | None:
        status: bool | None = True
        for operator, part in node.parts:
            if operator and status is None:
                self.perhaps([part])
            elif not operator or status is (operator == "&&"):
                status = self._one(part)
        return status

    def perhaps(self, nodes: Sequence[Node]) -> None:
        """Note what commands may do of which it is not known whether they run."""
        if submits(nodes, self.functions):
            start, end = self._place(nodes)
            self.dynamic("what is submitted depends on a test that is made when the driver runs", start, end)
        elif not ends(nodes):
            self.forget(nodes)

    def forget(self, nodes: Sequence[Node]) -> None:
        """Note that nothing is known of the variables that commands set."""
        for name in assigned_in(nodes, self.functions):
            self.state.values[name] = UNKNOWN
            self.state.lists.pop(name, None)

    def _place(self, nodes: Sequence[Node]) -> tuple[int, int]:
        tokens = [token for node in walk(nodes) if isinstance(node, Command) for token in node.words]
        return (tokens[0].start, tokens[-1].end) if tokens else (0, 0)

    def _pipeline(self, node: Pipeline) -> bool | None:
        if len(node.parts) == 1:
            status = self._one(node.parts[0])
            return None if status is None else status is not node.negated
        text = self._captured(lambda: self._apart(lambda: self._one(node.parts[0])))
        for part in node.parts[1:]:
            if isinstance(part, While):
                run_loop(self, part, text)
                return None
            if not isinstance(part, Command):
                self.perhaps([part])
                return None
            words = self.words(part.words)
            if words[:1] == ["read"] or submits([part], self.functions):
                self.perhaps([part])
                return None
            if words and words[0] in RUNNERS and re.search(r"\bsbatch\b", text):
                self.dynamic(f"`{words[0]}` submits jobs in a way that is not followed", *self._place([part]))
            text = filtered(words, text)
        self.show(text + "\n")
        return None

    def show(self, text: str) -> None:
        """Print a text."""
        if self.printed is not None:
            self.printed.append(text)

    def _captured(self, run: Callable[[], object]) -> str:
        before, self.printed = self.printed, []
        try:
            run()
            return "".join(self.printed).rstrip("\n")
        finally:
            self.printed = before

    def _substitute(self, text: str) -> str:
        """Give what a command prints."""
        place = self.source.text.find(text, self.base)
        try:
            nodes = parse(text, max(place, 0))
        except ShellError:
            return UNKNOWN
        if not nodes:
            return ""
        before, self.base = self.base, max(place, 0)
        try:
            return self._captured(lambda: self._apart(lambda: self.all(nodes)))
        finally:
            self.base = before

    # tests

    def test(self, words: Sequence[str], *, patterns: bool) -> bool | None:
        """Work out the words of a test."""
        for word in words:
            self.frames.refuse(word)
        if not all(is_fixed(word) for word in words):
            return self._test_of_marks(words)
        return tested(words, patterns=patterns)

    @staticmethod
    def _test_of_marks(words: Sequence[str]) -> bool | None:
        """Work out whether a value is there; the id of a job is."""
        if len(words) == 2 and words[0] in ("-n", "-z") and UNKNOWN not in words[1] and INPUT not in words[1]:
            return words[0] == "-n"
        if len(words) == 1 and UNKNOWN not in words[0] and INPUT not in words[0]:
            return True
        return None

    def double_test(self, text: str) -> bool | None:
        """Work out `[[ … ]]`."""
        verdict: bool | None = True
        operator = "&&"
        group: list[Token] = []
        for token in (*tokenize(text[2:-2]), Token("&&", 0, 0, operator=True)):
            if token.operator and token.text in ("&&", "||"):
                found = self._simple_test(group)
                if operator == "&&":
                    verdict = (
                        False if verdict is False or found is False else None if None in (verdict, found) else True
                    )
                else:
                    verdict = True if verdict or found else None if None in (verdict, found) else False
                operator, group = token.text, []
            elif token.operator:
                return None
            else:
                group.append(token)
        return verdict

    def _simple_test(self, tokens: Sequence[Token]) -> bool | None:
        if any(token.redirect or token.text == "=~" for token in tokens):
            return None
        quoted = bool(tokens) and tokens[-1].text[:1] in "\"'"
        return self.test([self.expander.value(token.text) for token in tokens], patterns=not quoted)
