"""Following a shell script with values that are known, that are inputs, or that are ids of submitted jobs.

A value is a text. Marks of a private range stand in it for what is not known: the id of a job, an input, anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import attrs

from pwxc.diagnostics import Diagnostics
from pwxc.ir.expr import Expr, Ref, Root
from pwxc.ir.template import Template
from pwxc.source import Source
from pwxc_targets.slurm import codes as C  # noqa: N812
from pwxc_targets.slurm.drivers.rules import (
    DEEPEST,
    INPUT,
    JOB,
    LONGEST_LOOP,
    QUIET,
    UNKNOWN,
    escaped,
    modified,
    sequence,
    submits,
    tested,
    tokens,
)  # fmt: skip
from pwxc_targets.slurm.drivers.words import (
    Branch,
    Command,
    Function,
    Loop,
    Node,
    Opaque,
    ShellError,
    Token,
    parenthesis_end,
    parse,
)  # fmt: skip

_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)(\+?)=(.*)\Z", re.DOTALL)
_SPECIAL = re.compile(r"\$(?:\{([^{}]*)\}|([A-Za-z_]\w*|[0-9@*#?$!-]))")


@attrs.frozen
class Submission:
    """A call of `sbatch`: its words, what it reads, the variables that are exported, and files that were written."""

    words: tuple[str, ...]
    here: str | None
    exported: dict[str, str]
    files: dict[str, str]
    start: int
    end: int


def as_template(value: str) -> Template:
    """Turn the marks of inputs into references."""
    parts: list[str | Expr] = []
    for number, piece in enumerate(value.split(INPUT)):
        parts.append(Ref(Root.INPUT, (piece,)) if number % 2 else piece)
    return Template.of(*parts)


def jobs_in(value: str) -> list[int]:
    """Give the numbers of the jobs whose ids stand in a value."""
    return [int(number) for number in re.findall(f"{JOB}(\\d+){JOB}", value)]


class _LeaveError(Exception):
    """The script, a function or a loop is left."""


@attrs.define
class Shell:
    """Runs the commands of a script on values."""

    source: Source
    diagnostics: Diagnostics
    submit: Callable[[Submission], str]
    values: dict[str, str] = attrs.field(factory=dict)
    lists: dict[str, list[str]] = attrs.field(factory=dict)
    exported: dict[str, None] = attrs.field(factory=dict)
    functions: dict[str, tuple[Node, ...]] = attrs.field(factory=dict)
    inputs: dict[str, str | None] = attrs.field(factory=dict)
    files: dict[str, str] = attrs.field(factory=dict)
    commands: list[Token] = attrs.field(factory=list)
    arguments: list[str] | None = None
    depth: int = 0
    turns: int = 0
    assigned: frozenset[str] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Find the variables that the script sets somewhere."""
        found = re.findall(r"(?:^|[\s;])([A-Za-z_]\w*)\+?=", self.source.text)
        self.assigned = frozenset(found)

    def run(self, nodes: Sequence[Node]) -> None:
        """Run a script to its end."""
        try:
            self._all(nodes)
        except _LeaveError:
            return

    def _all(self, nodes: Sequence[Node]) -> None:
        for node in nodes:
            match node:
                case Command():
                    self._command(node)
                case Loop():
                    self._loop(node)
                case Branch():
                    self._branch(node)
                case Function():
                    self.functions[node.name] = node.body
                case Opaque():
                    if node.submits:
                        self._dynamic("jobs are submitted in a branch that depends on a value", node.tokens)

    def _dynamic(self, message: str, tokens: Sequence[Token]) -> None:
        span = self.source.span(tokens[0].start, tokens[-1].end)
        self.diagnostics.add(C.DYNAMIC, message, span)

    def _loop(self, loop: Loop) -> None:
        if not submits(loop.body, self.functions):
            return
        items = [value for token in loop.items for value in self.split(token.text)]
        if loop.test or any(UNKNOWN in item or INPUT in item or re.search(r"[*?]", item) for item in items):
            counted = self._counted(loop)
            if not counted:
                span = self.source.span(loop.start, loop.end)
                self.diagnostics.add(C.DYNAMIC, "the loop runs over what is known only when the driver runs", span)
            return
        for item in items:
            self._count_turn(loop)
            self.values[loop.variable] = item
            self._all(loop.body)

    def _counted(self, loop: Loop) -> bool:
        """Run a loop whose test can be worked out."""
        if not loop.test:
            return False
        verdict = self._verdict(loop.test)
        while verdict:
            self._count_turn(loop)
            self._all(loop.body)
            verdict = self._verdict(loop.test)
        return verdict is not None

    def _count_turn(self, loop: Loop) -> None:
        self.turns += 1
        if self.turns > LONGEST_LOOP:
            span = self.source.span(loop.start, loop.end)
            self.diagnostics.add(C.DYNAMIC, f"the loop runs more than {LONGEST_LOOP:,} times", span)
            raise _LeaveError

    def _branch(self, branch: Branch) -> None:
        for test, body in branch.arms:
            verdict = self._verdict(test) if test else True
            if verdict is None:
                if any(submits(part, self.functions) for _, part in branch.arms):
                    span = self.source.span(branch.start, branch.end)
                    self.diagnostics.add(C.DYNAMIC, "what is submitted depends on a test that is made at the run", span)
                return
            if verdict:
                self._all(body)
                return

    def _verdict(self, test: Sequence[Node]) -> bool | None:
        """Work out a test; None when it cannot be."""
        if len(test) != 1 or not isinstance(test[0], Command):
            return None
        words = [value for token in test[0].words for value in self.words(token.text)]
        turned = False
        if words[:1] == ["!"]:
            turned, words = True, words[1:]
        if words[:1] not in (["["], ["[["], ["test"]) or any(UNKNOWN in word or INPUT in word for word in words):
            return None
        found = tested([word for word in words[1:] if word not in ("]", "]]")])
        return None if found is None else found is not turned

    def _command(self, command: Command) -> None:
        words = list(command.words)
        assigned: dict[str, str] = {}
        while words and (found := _ASSIGNMENT.match(words[0].text)) is not None:
            self._assign(found, assigned, alone=len(words) == 1)
            words = words[1:]
        if not words:
            for name, value in assigned.items():
                self.values[name] = value
            return
        name = words[0].text
        if name in ("export", "declare", "local", "typeset", "readonly"):
            self._declare(name, words[1:])
        elif name == "unset":
            for token in words[1:]:
                self.values.pop(token.text, None)
                self.exported.pop(token.text, None)
        elif name == "sbatch" or name.endswith("/sbatch"):
            self._submit(command, words, assigned)
        elif name in ("exit", "return", "break"):
            if name != "break":
                raise _LeaveError
        elif name in self.functions:
            self._call(name, [value for token in words[1:] for value in self.words(token.text)])
        else:
            self._other(name, command, words)

    def _other(self, name: str, command: Command, words: Sequence[Token]) -> None:
        if name == "cat" and command.here is not None:
            self._write_file(command)
            return
        for token in words[1:]:
            self.words(token.text)
        if name not in QUIET:
            self.commands.append(words[0])

    def _write_file(self, command: Command) -> None:
        here = command.here
        text = self.source.text[command.words[0].start : here.start if here is not None else None]
        line = self.source.line(self.source.position(command.words[0].start)[0])
        found = re.search(r">\s*(\S+)", text + line)
        if found is not None and here is not None and here.here is not None:
            target = self.value(found.group(1))
            self.files[target] = self.value(f'"{escaped(here.here)}"') if here.expanded else here.here

    def _assign(self, found: re.Match[str], assigned: dict[str, str], *, alone: bool) -> None:
        name, plus, right = found.groups()
        if right.startswith("("):
            items = [value for token in tokens(right[1:-1]) for value in self.split(token)]
            self.lists[name] = [*(self.lists.get(name, []) if plus else []), *items]
            return
        value = self.value(right)
        if plus:
            value = self.values.get(name, "") + value
        assigned[name] = value
        if alone:
            self.values[name] = value

    def _declare(self, name: str, words: Sequence[Token]) -> None:
        for token in words:
            found = _ASSIGNMENT.match(token.text)
            if found is not None:
                self._assign(found, {}, alone=True)
            if name == "export" and not token.text.startswith("-"):
                self.exported[token.text.partition("=")[0]] = None

    def _submit(self, command: Command, words: Sequence[Token], assigned: dict[str, str]) -> str:
        values = tuple(value for token in words[1:] for value in self.words(token.text))
        here = command.here
        content = None
        if here is not None and here.here is not None:
            content = self.value(f'"{escaped(here.here)}"') if here.expanded else here.here
        exported = {name: self.values[name] for name in self.exported if name in self.values} | assigned
        exported = {name: value for name, value in exported.items() if not name.startswith("SBATCH_")}
        if any(UNKNOWN in value or JOB in value for value in exported.values()):
            exported = {name: value for name, value in exported.items() if UNKNOWN not in value and JOB not in value}
        start, end = words[0].start, words[-1].end
        if end > len(self.source.text) or start > end:
            start = end = 0
        return self.submit(Submission(values, content, exported, dict(self.files), start, end))

    def _call(self, name: str, arguments: list[str]) -> None:
        if self.depth >= DEEPEST:
            raise _LeaveError
        before, self.arguments = self.arguments, arguments
        self.depth += 1
        try:
            self._all(self.functions[name])
        except _LeaveError:
            pass
        finally:
            self.arguments = before
            self.depth -= 1

    def split(self, word: str) -> list[str]:
        """Give the values of a word with braces and ranges written out."""
        found = re.fullmatch(r"\{(-?\d+)\.\.(-?\d+)(?:\.\.(\d+))?\}", word)
        if found is None:
            return self.words(word)
        low, high, step = int(found.group(1)), int(found.group(2)), int(found.group(3) or 1) or 1
        if abs(high - low) > LONGEST_LOOP * step:
            return [UNKNOWN]
        return [str(number) for number in range(low, high + 1, step)] if low <= high else [
            str(number) for number in range(low, high - 1, -step)
        ]  # fmt: skip

    def words(self, word: str) -> list[str]:
        """Give the words that a word becomes: what is outside quotes is split at blanks."""
        whole = re.fullmatch(r'"?\$\{(\w+)\[@\]\}"?', word)
        if whole is not None and whole.group(1) in self.lists:
            return list(self.lists[whole.group(1)])
        if word in ('"$@"', "$@", "$*"):
            return list(self.arguments) if self.arguments is not None else [UNKNOWN]
        value = self.value(word)
        if '"' in word or "'" in word or not ("$" in word or "`" in word):
            return [value]
        return value.split()

    def value(self, word: str) -> str:
        """Give the value of a word."""
        parts: list[str] = []
        at = 0
        while at < len(word):
            piece, at = self._piece(word, at, quoted=False)
            parts.append(piece)
        return "".join(parts)

    def _piece(self, word: str, at: int, *, quoted: bool) -> tuple[str, int]:
        letter = word[at]
        if letter == "'" and not quoted:
            stop = word.find("'", at + 1)
            return word[at + 1 : stop], stop + 1 if stop >= 0 else len(word)
        if letter == '"' and not quoted:
            parts = []
            at += 1
            while at < len(word) and word[at] != '"':
                piece, at = self._piece(word, at, quoted=True)
                parts.append(piece)
            return "".join(parts), at + 1
        if letter == "\\":
            kept = "" if not quoted or word[at + 1 : at + 2] in '\\"$`\n' else "\\"
            return kept + word[at + 1 : at + 2], at + 2
        if letter in "$`":
            return self._expansion(word, at)
        return letter, at + 1

    def _expansion(self, word: str, at: int) -> tuple[str, int]:
        if word.startswith("$((", at):
            stop = word.find("))", at)
            return self._arithmetic(word[at + 3 : stop]), stop + 2
        if word.startswith("$(", at):
            stop = parenthesis_end(word, at + 2)
            return self._substitution(word[at + 2 : stop - 1]), stop
        if word[at] == "`":
            stop = word.find("`", at + 1)
            return self._substitution(word[at + 1 : stop]), stop + 1 if stop >= 0 else len(word)
        found = _SPECIAL.match(word, at)
        if found is None:
            return "$", at + 1
        return self._parameter(found.group(1) if found.group(1) is not None else found.group(2)), found.end()

    def _parameter(self, text: str) -> str:
        found = re.fullmatch(r"(#?)([A-Za-z_]\w*|[0-9@*#?$!-])(\[[^\]]*\])?(.*)", text, re.DOTALL)
        if found is None:
            return UNKNOWN
        length, name, index, rest = found.groups()
        value = self._indexed(name, index) if index else self._plain(name, rest)
        if length:
            return UNKNOWN
        return modified(value, rest, self.value)

    def _indexed(self, name: str, index: str) -> str:
        items = self.lists.get(name)
        if items is None:
            return UNKNOWN
        if index in ("[@]", "[*]"):
            return self.values.get("IFS", " ")[:1].join(items)
        inner = self.value(index[1:-1])
        return (
            items[int(inner)] if re.fullmatch(r"-?\d+", inner) and -len(items) <= int(inner) < len(items) else UNKNOWN
        )

    def _plain(self, name: str, rest: str) -> str:
        if name.isdigit():
            if self.arguments is not None:
                number = int(name)
                return self.arguments[number - 1] if 0 < number <= len(self.arguments) else ""
            return self._input(f"arg{name}", rest) if name != "0" else UNKNOWN
        if name in self.values:
            return self.values[name]
        if name in self.lists:
            return self.lists[name][0] if self.lists[name] else ""
        if not name[:1].isalpha() and name[:1] != "_":
            return UNKNOWN
        if name in self.assigned:
            return ""  # it is the script's own and has no value yet
        return self._input(name, rest)

    def _input(self, name: str, rest: str) -> str:
        default = self.value(rest[2:]) if rest[:2] in (":-", ":=") else None
        known = default if default is not None and INPUT not in default and UNKNOWN not in default else None
        if self.inputs.get(name) is None:
            self.inputs[name] = known
        return f"{INPUT}{name}{INPUT}"

    def _arithmetic(self, text: str) -> str:
        expanded = re.sub(
            r"\b([A-Za-z_]\w*)\b", lambda found: self.values.get(found.group(1), UNKNOWN), self.value(text)
        )
        found = re.fullmatch(r"\s*(-?\d+)\s*([-+*/%])\s*(-?\d+)\s*", expanded)
        if found is None:
            return expanded.strip() if re.fullmatch(r"\s*-?\d+\s*", expanded) else UNKNOWN
        left, operator, right = int(found.group(1)), found.group(2), int(found.group(3))
        if operator in "/%" and right == 0:
            return UNKNOWN
        return str({"+": left + right, "-": left - right, "*": left * right}.get(
            operator, left // right if operator == "/" else left % right if right else 0))  # fmt: skip

    def _substitution(self, text: str) -> str:
        """Give what a command prints: the id of a submission, numbers of `seq`, a text that is echoed."""
        try:
            nodes = parse(text)
        except ShellError:
            return UNKNOWN
        base = self.source.text.find(text)
        printed: str | None = None
        through = False
        for node in nodes:
            if not isinstance(node, Command):
                return UNKNOWN
            if through and printed is not None:
                printed = self._filtered(node, printed)
            else:
                found = self._printed(node, max(base, 0))
                printed = found if found is not None else printed
            through = node.piped
        return UNKNOWN if printed is None else printed

    def _filtered(self, command: Command, value: str) -> str:
        """Give what a filter makes of a text: cutting tools leave the id of a job, `sed` replaces a fixed text."""
        words = [word for token in command.words for word in self.words(token.text)]
        if re.fullmatch(f"\\s*{JOB}\\d+{JOB}\\s*", value) and words[:1] != ["sed"]:
            return value.strip() if words[0] in ("awk", "cut", "grep", "tr", "tail", "head", "egrep") else UNKNOWN
        if words[:1] == ["sed"] and len(words) == 2 and UNKNOWN not in value:
            if (found := re.fullmatch(r"s(.)([^\\.*[^$]*?)\1([^\\&]*?)\1(g?)", words[1])) is not None:
                return value.replace(found.group(2), found.group(3), -1 if found.group(4) else 1)
            return value if jobs_in(value) and len(jobs_in(value)) == 1 else UNKNOWN
        return UNKNOWN

    def _printed(self, command: Command, base: int) -> str | None:
        words = list(command.words)
        assigned: dict[str, str] = {}
        while words and (found := _ASSIGNMENT.match(words[0].text)) is not None:
            self._assign(found, assigned, alone=len(words) == 1)
            words = words[1:]
        if not words:
            return None
        name = words[0].text
        moved = [attrs.evolve(token, start=token.start + base, end=token.end + base) for token in words]
        if name == "sbatch" or name.endswith("/sbatch"):
            return self._submit(command, moved, assigned)
        values = [value for token in words[1:] for value in self.words(token.text)]
        if name == "echo":
            return " ".join(values)
        if name == "seq" and all(re.fullmatch(r"-?\d+", value) for value in values) and 1 <= len(values) <= 3:
            return " ".join(sequence([int(value) for value in values]))
        if name == "basename" and values and UNKNOWN not in values[0]:
            return values[0].rstrip("/").rpartition("/")[2].removesuffix(values[1] if len(values) > 1 else "")
        if name in self.functions:
            before = len(self.values)
            marker: list[str] = []
            kept, self.submit = self.submit, lambda item: marker.append(kept(item)) or marker[-1]  # type: ignore[func-returns-value]
            self._call(name, values)
            self.submit = kept
            return marker[-1] if marker and before >= 0 else UNKNOWN
        return UNKNOWN
