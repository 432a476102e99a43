"""Following a shell script on values that are known, that are inputs, or that are ids of submitted jobs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

import attrs

from pwxc.diagnostics import Code, Diagnostics
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
from pwxc.shell.words import ShellError, Token, brace_end
from pwxc.source import Source, Span
from pwxc_targets.slurm import codes as C  # noqa: N812
from pwxc_targets.slurm.drivers.running import commands
from pwxc_targets.slurm.drivers.running.branches import run_case, run_if
from pwxc_targets.slurm.drivers.running.calls import LeaveError, Submission, Submitted
from pwxc_targets.slurm.drivers.running.files import Files
from pwxc_targets.slurm.drivers.running.frames import Frames
from pwxc_targets.slurm.drivers.running.interpreter import Waits
from pwxc_targets.slurm.drivers.running.joins import run_and_or, run_pipeline
from pwxc_targets.slurm.drivers.running.printing import document, redirected, tell
from pwxc_targets.slurm.drivers.running.rules import UNDECIDED, assigned_in, ends, prints, submits, walk
from pwxc_targets.slurm.drivers.running.sourcing import register
from pwxc_targets.slurm.drivers.running.texts import Texts
from pwxc_targets.slurm.drivers.running.turns import run_loop
from pwxc_targets.slurm.drivers.text.expansion import Expander
from pwxc_targets.slurm.drivers.text.marks import PROCESS, UNKNOWN, mark
from pwxc_targets.slurm.drivers.text.paths import joined
from pwxc_targets.slurm.drivers.text.state import Key, State

_COMPOUND = (For, Count, While, If, Case, Group)


@attrs.define
class Shell:
    """Runs the commands of a script on values: an `Interpreter`, and what surrounds the expansion of words."""

    source: Source
    script: str
    diagnostics: Diagnostics
    take: Callable[[Submission], Submitted]
    find: Callable[[str], Source | None]
    files: Files
    unrolled: frozenset[int] = frozenset()
    frozen: frozenset[str] = frozenset()
    texts: Texts = attrs.field(factory=Texts)
    state: State = attrs.field(factory=State)
    functions: dict[str, tuple[Node, ...]] = attrs.field(factory=dict)
    strangers: list[Span] = attrs.field(factory=list)
    without_match: dict[str, Span] = attrs.field(factory=dict)
    """Patterns that no file matches now."""
    places: dict[str, Span] = attrs.field(factory=dict)
    """Where inputs are met first."""
    settings: set[str] = attrs.field(factory=set)
    locals: list[dict[str, tuple[str | None, dict[Key, str] | None]]] = attrs.field(factory=list)
    conditions: list[Expr] = attrs.field(factory=list)
    waits: Waits = attrs.field(factory=list)
    waited: int | None = None
    processes: list[Waits] = attrs.field(factory=list)
    behind: bool = False
    given: str | None = None
    submitted: int = 0
    made: dict[str, str] = attrs.field(factory=dict)
    status: bool | None = True
    substituted: bool | None = True
    polled: tuple[int, int] | None = None
    printed: list[str] | None = None
    at: tuple[int, int] = (0, 0)
    pinned: Span | None = None
    depth: int = 0
    turns: int = 0
    frames: Frames = attrs.field(init=False)
    expander: Expander = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Get ready for the first command."""
        self.texts.add(self.source)
        self.frames = Frames(self.state)
        self.expander = Expander(self.state, self.script, self, self.frozen)
        self.files.tell = self._looked_at

    @property
    def inputs(self) -> dict[str, str | None]:
        """The inputs that were met, with their defaults."""
        return self.expander.inputs

    def run(self, nodes: Sequence[Node]) -> None:
        """Run a script to its end."""
        self.expander.assigned |= assigned_in(nodes, {})
        register(self, nodes)
        try:
            self.all(nodes)
        except LeaveError:
            return

    def all(self, nodes: Iterable[Node]) -> bool | None:
        """Run commands one after the other; give whether the last one succeeded, None when it is not known."""
        status: bool | None = True
        for node in nodes:
            status = self.status = self._one(node)
        return status

    # places

    def span(self, start: int, end: int) -> Span:
        """Give the span between two places."""
        return self.pinned or self.texts.span(start, end)

    def dynamic(self, message: str, start: int, end: int) -> None:
        """Report what is known only when the driver runs."""
        self.report(C.DYNAMIC, message, self.span(start, end))

    def report(self, code: Code, message: str, span: Span) -> None:
        """Add a diagnostic."""
        self.diagnostics.add(code, message, span)

    def _looked_at(self, path: str) -> None:
        message = f"what the driver finds in `{path}` is taken as it is now"
        self.report(C.AS_IT_IS, message, self.span(*self.at))

    # running

    def words(self, tokens: Iterable[Token]) -> list[str]:
        """Give the words that tokens become."""
        return [value for token in tokens for value in self.expander.words(token.text)]

    def _one(self, node: Node) -> bool | None:
        if isinstance(node, _COMPOUND) and node.redirects:
            return self._with_redirects(node, node.redirects)
        return self._plain(node)

    def _plain(self, node: Node) -> bool | None:
        match node:
            case Command():
                kept, self.at = self.at, _place([node]) or self.at
                try:
                    return commands.run(self, node)
                finally:
                    self.at = kept
            case AndOr():
                return run_and_or(self, node)
            case Pipeline():
                return run_pipeline(self, node)
            case Background():
                return self._in_background(node)
            case For() | Count() | While():
                self.at = node.start, node.end
                run_loop(self, node)
                return True
            case If():
                return run_if(self, node)
            case Case():
                self.at = node.start, node.end
                return run_case(self, node)
            case Group():
                return self.apart(lambda: self.all(node.body)) if node.subshell else self.all(node.body)
            case Function():
                self.functions[node.name] = node.body
                return True

    def _with_redirects(self, node: Node, redirects: Sequence[Token]) -> bool | None:
        """Run commands whose input or output leads elsewhere."""
        start = node.start if isinstance(node, For | Count | While | If | Case) else redirects[0].start
        self.at = start, redirects[-1].end
        kept, self.given = self.given, document(self, redirects)
        try:
            if not redirected(redirects):
                return self._plain(node)
            status: list[bool | None] = []
            text = self.captured(lambda: status.append(self._plain(node)))
            tell(self, redirects, text)
            return status[0]
        finally:
            self.given = kept

    def apart(self, run: Callable[[], bool | None]) -> bool | None:
        """Run something that leaves variables and the folder as they were."""
        kept = self.state.copy()
        functions = dict(self.functions)
        try:
            return run()
        except LeaveError:
            return True
        finally:
            self.state.restore(kept)
            self.functions = functions

    def _in_background(self, node: Background) -> bool | None:
        kept, self.waits = self.waits, list(self.waits)
        before, self.behind = self.behind, not isinstance(node.body, Group | For | While | Count)
        try:
            self.apart(lambda: self._one(node.body))
            self.processes.append([item for item in self.waits if item not in kept])
        finally:
            self.waits, self.behind = kept, before
        return True

    def perhaps(self, nodes: Sequence[Node]) -> None:
        """Note what commands may do of which it is not known whether they run."""
        if submits(nodes, self.functions):
            start, end = _place(nodes) or self.at
            self.dynamic(UNDECIDED, start, end)
        elif not ends(nodes, self.functions):
            if self.printed is not None and prints(nodes):
                self.show(UNKNOWN)
            self.forget(nodes)
            for node in walk(nodes):
                if isinstance(node, Command) and node.words and node.words[0].text in ("source", "."):
                    message = "whether this file is read in is known only when the driver runs"
                    self.report(C.NOT_READ_IN, message, self.span(node.words[0].start, node.words[-1].end))

    def forget(self, nodes: Iterable[Node]) -> None:
        """Note that nothing is known of the variables that commands set."""
        for name in assigned_in(nodes, self.functions):
            self.state.values[name] = UNKNOWN
            self.state.lists.pop(name, None)

    # what is printed

    def show(self, text: str) -> None:
        """Print a text."""
        if self.printed is not None:
            self.printed.append(text)

    def captured(self, run: Callable[[], object]) -> str:
        """Run something and give what it prints."""
        before, self.printed = self.printed, []
        try:
            run()
            return "".join(self.printed)
        finally:
            self.printed = before

    # what the expansion of words needs

    def substitute(self, text: str) -> str:
        """Run commands and give what they print, without line ends behind."""
        place = self.texts.find(text, *self.at)
        try:
            nodes = parse(text, max(place, 0))
        except ShellError:
            return UNKNOWN
        if not nodes:
            return ""
        kept, self.pinned = self.pinned, self.pinned or (None if place >= 0 else self.span(*self.at))
        try:
            return self.captured(lambda: self.apart(lambda: self._kept(nodes))).rstrip("\n")
        finally:
            self.pinned = kept

    def _kept(self, nodes: Sequence[Node]) -> bool | None:
        """Run the commands of a substitution; where nothing else happens its status is that of the command."""
        self.substituted = self.all(nodes)
        return self.substituted

    def special(self, name: str) -> str:
        """Give the value of `$?` or `$!`."""
        if name == "!":
            return mark(PROCESS, len(self.processes) - 1) if self.processes else ""
        return UNKNOWN if self.status is None else str(int(not self.status))

    def matching(self, pattern: str) -> list[str] | None:
        """Give the files that match a pattern; None if it is not known which there are."""
        whole = joined(self.state.folder, pattern)
        found = self.files.matching(whole)
        if found is None or whole == pattern:
            return found
        plain = pattern.removeprefix("./")
        if not whole.endswith(plain):
            return None
        head = whole.removesuffix(plain)
        return [pattern[: 2 * pattern.startswith("./")] + path.removeprefix(head) for path in found]

    def met(self, name: str) -> None:
        """Note where an input is met."""
        if name in self.places:
            return
        argument = re.fullmatch(r"arg(\d+)", name)
        spelled = str(int(argument.group(1)) - self.state.shifted) if argument is not None else name
        used = re.compile(rf"\$\{{?{spelled}(?!\w)")
        start, end = self.at
        text = self.texts.cut(start, end)
        found = used.search(text) or re.search(rf"\b{spelled}(?==)", text)
        if found is None:
            text = self.texts.rest(start)  # a here-document stands behind its command
            found = used.search(text)
        if found is not None:
            stop = brace_end(text, found.end()) if found.group().startswith("${") else found.end()
            start, end = start + found.start(), start + stop
        self.places[name] = self.span(start, end)

    def unmatched(self, pattern: str) -> None:
        """Note that no file matches a pattern now."""
        start = self.texts.find(pattern, *self.at)
        place = self.at if start < 0 else (start, start + len(pattern))
        self.without_match.setdefault(pattern, self.span(*place))

    def refuse(self, value: str) -> None:
        """Give up reading a loop as a sweep if the value comes from one."""
        self.frames.refuse(value)

    def refuse_gathered(self, value: str) -> None:
        """Give up reading a loop as a sweep if one id in the value stands for those of all its turns."""
        self.frames.refuse_gathered(value)

    def refuse_split(self, value: str, blanks: str) -> None:
        """Give up reading a loop as a sweep if a value of its variable would be cut into several words."""
        self.frames.refuse_split(value, blanks)

    def find_item(self, items: dict[Key, str], key: Key) -> str | None:
        """Find the item of a list under a key with a mark."""
        return self.frames.find_item(items, key)

    def load(self, path: str) -> tuple[Node, ...] | None:
        """Read a shell script that the driver runs or reads in; None if there is none, or it cannot be followed."""
        source = self.find(path)
        if source is None:
            return None
        try:
            nodes = parse(source.text, self.texts.add(source))
        except ShellError:
            return None
        self.expander.assigned |= assigned_in(nodes, {})
        register(self, nodes)
        return nodes

    def pin(self, span: Span | None) -> Span | None:
        """Let a span stand for all places from now on, as in a text that was made; gives the one before."""
        kept, self.pinned = self.pinned, span
        return kept


def _place(nodes: Sequence[Node]) -> tuple[int, int] | None:
    """Give where commands stand."""
    tokens = [token for node in walk(nodes) if isinstance(node, Command) for token in (*node.words, *node.redirects)]
    return (min(token.start for token in tokens), max(token.end for token in tokens)) if tokens else None
