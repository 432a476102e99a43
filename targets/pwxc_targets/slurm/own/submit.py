"""A submit script that the writer made, taken apart: its inputs, its jobs and what they wait for."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import attrs

from pwxc.ir.data import Datum
from pwxc.ir.entity import changed
from pwxc.ir.expr import Call, Expr, Ref, Root
from pwxc.ir.inputs import Choice, Input, InputType
from pwxc.ir.task import Edge, Outcome
from pwxc.ir.template import Template
from pwxc.ir.workflow import Hook, RunCommands, Trigger
from pwxc.source import Source
from pwxc_targets.slurm.own.lines import (
    FIXED,
    Names,
    Statement,
    UnreadableError,
    literal_of,
    statements,
    template_of,
    typed,
    words_of,
)  # fmt: skip
from pwxc_targets.slurm.own.tests import test_of, worked_out
from pwxc_targets.slurm.writing import jobtext as J  # noqa: N812
from pwxc_targets.slurm.writing import submittext as S  # noqa: N812
from pwxc_targets.slurm.writing.expressions import MATH
from pwxc_targets.slurm.writing.naming import meanings
from pwxc_targets.slurm.writing.submit import CHECKS, CONVERSIONS

_HEAD = re.compile(re.escape(S.HEAD % {"size": "@@"}).replace("@@", r"\d+"))
_BLOCKS: list[str | re.Pattern[str]] = [
    _HEAD,
    S.OPTIONS,
    MATH.lstrip("\n"),
    CONVERSIONS.lstrip("\n"),
    S.CORE,
    S.REPORT,
    S.PREPARE,
    S.FINISH,
    S.LAST,
    S.DEADLINE,
    J.SECONDS,
]
_TYPES = {pattern: kind for kind, (pattern, _) in CHECKS.items()}
_START_HOOK = re.compile(r"if \[\[ \$mode == submit \]\] && \(\(! resume\)\); then bash -c (.*) \|\| :; fi", re.DOTALL)
_DATUM = re.compile(r"printf '%s\\n' (.*) >\"\$run/data/([\w.-]+)\"", re.DOTALL)
_SCRIPT = re.compile(r'cat >"\$run/scripts/([^"]+)" <<')
_CONDITIONAL = re.compile(r"if (.*); then ((?:job|empty) .*); else skip .*; fi", re.DOTALL)
_QUIET = re.compile(
    r"here=\$\(readlink |here=\$\{here|decides\[|slug=|known\(\)|usage\(\) \{|"
    r"\}|for |value=|case \$\{given|\*\) : ;;|esac|done|fi|:\Z|cp -- |"
    r"if \[\[ \$mode == (?:submit|status) \]\](?: && \(\(! resume\)\))?; then\Z|(?:job|skip)\(\) \{ order|"
    r"empty\(\) \{ skip"
)
_DEFAULT = re.compile(r"if \[\[ -z \$\{(\w+)\+x\} \]\]; then(?: \w+=(?:''|\$\{(PWXC_SECRET_\w+)-\}); fi)?\Z")
_WORK_OUT = re.compile(r"export (PWXC_[XT]\d+)=(.*)", re.DOTALL)
_EDGE = re.compile(r"(?:any-)?(?:success|same|failure|end|start(?:\+\d+)?):(.+)")
_TOLD = r"  (\S+) VALUE(?:  (.*?))?(?: \(one of: .*?\))?(?: \(default: .*\)| \(required\))?"
_LIMIT = re.compile(r"limit=(?:(\d+)|\$\(seconds (.*)\))", re.DOTALL)
_WORDS = {
    "success": Outcome.SUCCESS, "same": Outcome.SUCCESS, "failure": Outcome.FAILURE, "end": Outcome.END,
    "start": Outcome.START,
}  # fmt: skip


@attrs.define
class OwnJob:
    """A call of `job`: what it submits, and on what conditions."""

    slug: str
    title: str
    script: str
    count: int
    limit: int | Expr | None
    edges: list[str]
    late: dict[str, str]
    start: int
    end: int
    condition: Expr | None = None
    is_empty: bool = False
    patience: int | None = None


@attrs.define
class OwnSubmit:
    """Reads a submit script of the writer's; lines that are not the writer's are collected in `strange`."""

    source: Source
    name: str = ""
    description: str = ""
    names: Names = attrs.field(factory=lambda: dict(FIXED))
    inputs: dict[tuple[str, ...], Input] = attrs.field(factory=dict)
    jobs: list[OwnJob] = attrs.field(factory=list)
    scripts: dict[str, str] = attrs.field(factory=dict)
    data: list[Datum] = attrs.field(factory=list)
    hooks: list[Hook] = attrs.field(factory=list)
    timeout: float | Expr | None = None
    strange: list[Statement] = attrs.field(factory=list)
    _options: dict[str, tuple[str, ...]] = attrs.field(factory=dict)
    _labels: dict[str, str] = attrs.field(factory=dict)
    _pattern: str = ""
    _patience: dict[str, int] = attrs.field(factory=dict)
    _told: dict[str, tuple[str, ...]] = attrs.field(factory=dict)

    def read(self) -> None:
        """Read the whole script."""
        content = self.source.text
        self._title(content)
        self._told = meanings(content)
        found = list(statements(content, _BLOCKS, content.index("\n") + 1))
        for statement in found:
            self._declare(statement)
        place = 0
        while place < len(found):
            try:
                place += self._take(found, place)
            except (UnreadableError, ValueError):
                self.strange.append(found[place])
                place += 1
        self._check_edges()

    def _check_edges(self) -> None:
        """Leave out what a job waits for if there is nothing of that name."""
        slugs = {job.slug for job in self.jobs}
        for job in self.jobs:
            fine = [word for word in job.edges if (found := _EDGE.fullmatch(word)) and found.group(1) in slugs]
            if fine != job.edges:
                job.edges = fine
                self.strange.append(Statement(self.source.text[job.start : job.end], job.start))

    def _title(self, content: str) -> None:
        lines = content.split("\n")
        told = []
        for line in lines[2:]:
            if not line.startswith("#"):
                break
            told.append(line[2:])
        self.description = "\n".join(told)

    def _declare(self, statement: Statement) -> None:
        """Note the options and the variables that they set, which defaults further up refer to."""
        if statement.text.startswith("workflow="):
            self.name = literal_of(statement.text.removeprefix("workflow="))
        elif statement.text.startswith("names=("):
            for name in statement.text[7:-1].split()[1:]:
                self._known(name, self._told.get(name, (name.removeprefix("PWXC_IN_"),)))
        elif (found := re.fullmatch(r"(\S+)\) (\w+)=\$value ;;", statement.text)) is not None:
            option = literal_of(found.group(1))
            bare = option.removeprefix("--input-" if option.startswith("--input-") else "--")
            path = self._told.get(found.group(2), tuple(bare.split(".")))
            self._options[option] = path
            self._known(found.group(2), path)
        elif statement.here is not None and statement.text.startswith("cat <<"):
            for line in statement.here.splitlines():
                line = re.sub(r"^  \(variable (\w+)\)  ", r"  \1 VALUE  ", line)
                if (told := re.fullmatch(_TOLD, line)) is not None:
                    self._labels[told.group(1)] = told.group(2) or ""

    def _known(self, name: str, path: tuple[str, ...]) -> None:
        self.names[name] = (Ref(Root.INPUT, path),)

    def _path(self, name: str) -> tuple[str, ...]:
        ref = self.names.get(name, ("",))[0]
        if not isinstance(ref, Ref) or ref.root is not Root.INPUT:
            raise UnreadableError
        return ref.path

    def _take(self, found: Sequence[Statement], place: int) -> int:
        """Take a statement; gives how many were used."""
        statement = found[place]
        line = statement.text
        if (default := _DEFAULT.match(line)) is not None:
            return self._default(found, place, default)
        if line.startswith(("job ", "empty ")):
            self._job(statement, line)
        elif (hurry := re.fullmatch(r"patience\[(\S+)\]=(\d+)", line)) is not None:
            self._patience[hurry.group(1)] = int(hurry.group(2))
        elif (early := _CONDITIONAL.fullmatch(line)) is not None:
            self._job(statement, early.group(2))
            self.jobs[-1].condition = test_of(early.group(1), self.names)
        elif (work := _WORK_OUT.fullmatch(line)) is not None:
            self.names[work.group(1)] = template_of(work.group(2), self.names).parts
        elif (limit := _LIMIT.fullmatch(line)) is not None:
            made = template_of(limit.group(2) or "", self.names)
            self.timeout = int(limit.group(1)) if limit.group(1) else made.whole
        elif worked_out(line, self.names):
            return 1
        elif not self._checked(line) and not self._put(statement):
            quiet = _QUIET.match(line) or re.match(r"workflow=|names=\(|\S+\) \w+=\$value ;;|cat <<", line)
            if quiet is None:
                raise UnreadableError
        return 1

    def _default(self, found: Sequence[Statement], place: int, default: re.Match[str]) -> int:
        name, secret = default.groups()
        if secret:
            self._known(name, self._told.get(name, (secret.removeprefix("PWXC_SECRET_"),)))
        path = self._path(name)
        # what need not be given and has no default is optional; a line further down says what must be given
        kind = InputType.SECRET if secret else InputType.STRING
        self.inputs[path] = Input(name=path[-1], type=kind, optional=True)
        option = next((option for option, other in self._options.items() if other == path), secret or "")
        if label := self._labels.get(option, ""):
            self.inputs[path] = changed(self.inputs[path], label=label)
        if not default.group(0).endswith("then"):
            return 1
        used = 1
        while found[place + used].text != "fi":
            line = found[place + used].text
            if line.startswith(f"{name}="):
                value = template_of(line.removeprefix(f"{name}="), self.names)
                given: Any = value if value.literal is None else value.literal
                self.inputs[path] = changed(self.inputs[path], default=given, has_default=True, optional=False)
            else:
                self._take(found, place + used)
            used += 1
        return used + 1

    def _checked(self, line: str) -> bool:
        """Take what the script checks about a value."""
        if line.startswith("pattern="):
            self._pattern = literal_of(line.removeprefix("pattern="))
            return True
        if (found := re.match(r"\[\[ -n \$(\w+) \|\| \$mode == status \]\] \|\| die ", line)) is not None:
            path = self._path(found.group(1))
            self.inputs[path] = changed(self.inputs[path], optional=False)
            return True
        if (found := re.match(r"\[\[ (?:-z \$\w+ \|\| )?\$(\w+) =~ \$pattern \]\]", line)) is not None:
            self._type(self._path(found.group(1)), _TYPES[self._pattern])
            return True
        if (found := re.match(r"case \$(\w+) in (.*?)\) ;; \*\) die ", line, re.DOTALL)) is not None:
            values = [literal_of(word) for word in words_of(found.group(2).replace(" | ", " ")) if word != "''"]
            path = self._path(found.group(1))
            choices = tuple(Choice(value=value) for value in typed(values))
            self.inputs[path] = changed(self.inputs[path], type=InputType.CHOICE, choices=choices)
            return True
        bound = re.match(r"if \[\[ -n \$(\w+) \]\] && awk .*? ([<>]) .*? \"\$\w+\" (\S+); then die ", line)
        if bound is not None:
            name = "minimum" if bound.group(2) == "<" else "maximum"
            path = self._path(bound.group(1))
            self.inputs[path] = changed(self.inputs[path], **{name: typed([bound.group(3)])[0]})
            return True
        return False

    def _type(self, path: tuple[str, ...], kind: InputType) -> None:
        item = self.inputs[path]
        default: Any = item.default
        if isinstance(default, str) and default:
            default = default == "true" if kind is InputType.BOOLEAN else typed([default])[0]
        self.inputs[path] = changed(item, type=kind, default=default)

    def _put(self, statement: Statement) -> bool:
        """Take what the script puts into the run's folder, and what it runs first."""
        if (found := _SCRIPT.match(statement.text)) is not None and statement.here is not None:
            self.scripts[found.group(1)] = statement.here
        elif (found := _DATUM.fullmatch(statement.text)) is not None:
            name = self._told.get(found.group(2), (found.group(2),))[0]
            self.data.append(Datum(name=name, value=json.loads(literal_of(found.group(1)))))
        elif (found := _START_HOOK.fullmatch(statement.text)) is not None:
            command = template_of(found.group(1), self.names)
            self.hooks.append(Hook(trigger=Trigger.WORKFLOW_START, action=RunCommands((command,))))
        else:
            return False
        return True

    def _job(self, statement: Statement, call: str) -> None:
        is_empty = call.startswith("empty ")
        words = words_of(f"{call} 0 '' ''" if is_empty else call)
        if len(words) < 7:
            raise UnreadableError
        slug, title, script, count, edges = (literal_of(word) for word in (*words[1:5], words[6]))
        most = template_of(words[5], self.names)
        late = dict(word.removeprefix("--").partition("=")[::2] for word in words[7:])
        end = statement.start + len(statement.text)
        self.jobs.append(
            OwnJob(
                slug, title, script, int(count), most.whole or int(most.literal or 0) or None, edges.split(), late,
                statement.start, end, is_empty=is_empty, patience=self._patience.get(slug),
            )
        )  # fmt: skip

    def edges(self, job: OwnJob) -> tuple[Edge, ...]:
        """Give what a job waits for."""
        titles = {item.slug: item.title for item in self.jobs}
        found = []
        for word in job.edges:
            kind, _, parent = word.partition(":")
            kind, _, minutes = kind.partition("+")
            found.append(
                Edge(
                    parent=titles[parent], when=_WORDS[kind.removeprefix("any-")], same_instance=kind == "same",
                    any_instance=kind.startswith("any-"),
                    delay=int(minutes or 0) * 60, span=self.source.span(job.start, job.end),
                )
            )  # fmt: skip
        return tuple(found)

    def declared(self) -> tuple[Input, ...]:
        """Give the inputs, those with a dot in their option as parts of groups."""
        return _grouped(self.inputs, 0)


def _grouped(inputs: dict[tuple[str, ...], Input], depth: int) -> tuple[Input, ...]:
    made: dict[str, Input] = {}
    for path, item in inputs.items():
        name = path[depth]
        if len(path) == depth + 1:
            made[name] = item
        elif name not in made:
            below = {other: each for other, each in inputs.items() if other[: depth + 1] == path[: depth + 1]}
            below = {other: each for other, each in below.items() if len(other) > depth + 1}
            made[name] = Input(name=name, type=InputType.GROUP, items=_grouped(below, depth + 1))
    return tuple(made.values())


def option_expression(word: str, names: Names) -> Expr | Template:
    """Give the value of an option that the submit script works out from an input."""
    inner = re.fullmatch(r"\"\$\((mebibytes|minutes) (.*)\)\"", word)
    made = template_of(inner.group(2) if inner is not None else word, names)
    if made.whole is None:
        return made
    if inner is None:
        return made.whole
    return Call("quantity" if inner.group(1) == "mebibytes" else "duration", (made.whole,))
