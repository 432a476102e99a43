"""The functions of a job script that the writer made, back into steps."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import attrs

from pwxc.ir.data import Variable
from pwxc.ir.entity import changed
from pwxc.ir.expr import Call, Expr, Literal, Ref, Root
from pwxc.ir.resources import Placement
from pwxc.ir.task import ActionCall, Command, Retry, Script, Step
from pwxc.ir.template import Template
from pwxc_targets.slurm.own.lines import (
    Names,
    Statement,
    UnreadableError,
    literal_of,
    parts_of,
    template_of,
    text_template,
    words_of,
)  # fmt: skip
from pwxc_targets.slurm.own.tests import test_of, worked_out

START = re.compile(r"(step|cleanup)_(\d+)(_cleanup)?\(\) \{")
_VALUE = re.compile(r"(\w+)=\$\(value (\S+) (\S+) (\S+)\); export \1")
_FORMAT = re.compile(r"(\w+)=\$\(LC_ALL=C printf '%([^']+)' \"\$\{(\w+)-?\}\"\); export \1")
_EXPORT = re.compile(r"export (\w+)=(.*)", re.DOTALL)
_TEXT = re.compile(r"((?:text|content)\w*)=(.*)", re.DOTALL)
_FILL = re.compile(r"fill (\w+) <<'\w+'")
_WRITE = re.compile(r"(?:cat|:|printf '%s' \"\$content\") ?> ?\"\$work/\w+\"(?: <<'\w+')?")
_TIMED = re.compile(r"timeout --kill-after=10 (\S+) ")
_TURN = re.compile(r"if \(\(last == 0\)\) \|\| \[\[ \$PWXC_TRY -ge (\S+) \]\]; then break; fi")
_CLONE = re.compile(
    r"git clone --quiet --depth 1(?: --branch (.*))? -- (.*) \"\$work/checkout\" \|\| return 1", re.DOTALL
)
_COPY = re.compile(r"cp -R \"\$work/checkout/\.\" (.*) && rm -rf \./\.git", re.DOTALL)
_REMOTE = re.compile(r"ssh -o BatchMode=yes -- (\S+) (.*) -s <\"\$work/\w+\"", re.DOTALL)
_CHECKOUT = "parallelworks/checkout"
_CONTAINER = '"${container[@]}" '
_OWN_NAME = re.compile(r"PWXC_[XT]\d+")


@attrs.define
class OwnValues:
    """What the lines of a script so far have said of its variables.

    `marks` are those of its `fill` function, with the variables that they stand for.
    """

    task: str
    names: Names
    slugs: dict[str, str] = attrs.field(factory=dict)
    marks: dict[str, str] = attrs.field(factory=dict)

    def take(self, statement: Statement) -> bool:
        """Take a line that only works out a variable."""
        line = statement.text
        if (found := _VALUE.fullmatch(line)) is not None:
            parent = (
                self.task if found.group(2).startswith('"$slug') else self.slugs.get(found.group(2), found.group(2))
            )
            step, key = literal_of(found.group(3)), literal_of(found.group(4))
            path = (parent, key) if step == "*" else (parent, step, key)
            self.names[found.group(1)] = (Ref(Root.TASK_OUTPUT, path),)
        elif (found := _FORMAT.fullmatch(line)) is not None:
            inner = self.names.get(found.group(3), ("",))[0]
            if isinstance(inner, str):
                raise UnreadableError
            self.names[found.group(1)] = (Call("format", (inner, Literal(found.group(2)))),)
        elif (found := _EXPORT.fullmatch(line)) is not None and _OWN_NAME.fullmatch(found.group(1)):
            self.names[found.group(1)] = tuple(parts_of(found.group(2), self.names))
        elif (found := _FILL.fullmatch(line)) is not None and statement.here is not None:
            self.names[found.group(1)] = self._filled(statement.here.removesuffix("\n"))
        elif (found := _TEXT.fullmatch(line)) is not None:
            self.names[found.group(1)] = tuple(parts_of(found.group(2), self.names))
        else:
            return worked_out(line, self.names)
        return True

    def _filled(self, content: str) -> tuple[str | Expr, ...]:
        """Put what the marks stand for in their places."""
        parts: list[str | Expr] = [content]
        for mark, name in self.marks.items():
            value = self.names.get(name) or (Ref(Root.ENVIRONMENT, (name,)),)
            parts = [
                piece for part in parts for piece in (_around(part, mark, value) if isinstance(part, str) else (part,))
            ]
        return Template.of(*parts).parts

    def number(self, word: str) -> float | Expr:
        """Give a number, or the reference that has it."""
        made = template_of(word, self.names)
        if made.literal is None:
            if made.whole is None:
                raise UnreadableError
            return made.whole
        value = float(made.literal)
        return int(value) if value.is_integer() else value


def _around(text: str, mark: str, value: tuple[str | Expr, ...]) -> list[str | Expr]:
    parts: list[str | Expr] = []
    for number, piece in enumerate(text.split(mark)):
        parts += [*(value if number else ()), piece]
    return parts


def read_step(name: str, body: Sequence[Statement], values: OwnValues) -> Step:
    """Read the function of a step.

    Raises:
        UnreadableError: a line of it is not one of the writer's.
    """
    reader = _Body(name, values)
    for statement in body:
        try:
            reader.take(statement)
        except (UnreadableError, ValueError, LookupError):
            raise UnreadableError(statement) from None
    return reader.step


@attrs.define
class _Body:
    """The function of a step: what its lines so far have said."""

    name: str
    values: OwnValues
    step: Step = attrs.field(factory=lambda: Step(work=Command(())))
    arguments: tuple[Template, ...] | None = None
    content: Template | None = None

    def take(self, statement: Statement) -> None:
        """Take a line."""
        line, names = statement.text, self.values.names
        if line.startswith("export OUTPUTS=$values/"):
            label = literal_of(line.removeprefix("export OUTPUTS=$values/"))
            self.step = changed(self.step, id=label if label != self.name else None)
        elif self.values.take(statement):
            return
        elif (found := _EXPORT.fullmatch(line)) is not None:
            variable = Variable(name=found.group(1), value=template_of(found.group(2), names))
            self.step = changed(self.step, environment=(*self.step.environment, variable))
        elif (found := re.fullmatch(r"cd -- (.*) \|\| return 1", line, re.DOTALL)) is not None:
            self.step = changed(self.step, working_directory=template_of(found.group(1), names))
        elif line.startswith("local -a argv=("):
            words = words_of(line.removeprefix("local -a argv=(").removesuffix(")"))
            self.arguments = tuple(template_of(word, names) for word in words)
        elif _WRITE.fullmatch(line) is not None:
            self.content = _content(statement, self.values)
        elif (clone := _CLONE.fullmatch(line)) is not None:
            branch, repository = clone.groups()
            given = {"repo": template_of(repository, names)} | (
                {"branch": template_of(branch, names)} if branch else {}
            )
            self.step = changed(self.step, work=ActionCall(_CHECKOUT, given))
        elif (copy := _COPY.fullmatch(line)) is not None and isinstance(self.step.work, ActionCall):
            self._checked_out(template_of(copy.group(1), names))
        elif line == ":":
            self.step = changed(self.step, work=Script(Template.of(":\n")))
        elif line != 'rm -rf "$work/checkout"':
            self.step = _started(self.step, line, self.values, self.arguments, self.content)

    def _checked_out(self, path: Template) -> None:
        work = self.step.work
        if isinstance(work, ActionCall) and isinstance(work.arguments, Mapping) and path.literal != "./":
            self.step = changed(self.step, work=ActionCall(work.name, {**work.arguments, "path": path}))


def _content(statement: Statement, values: OwnValues) -> Template:
    if statement.text.startswith("printf"):
        return Template.of(*values.names["content"])
    if statement.here is None:
        return Template()
    spaced = statement.text.startswith("cat > ")
    return Template.of(statement.here) if spaced else text_template(statement.here, values.names)


def _started(
    step: Step, line: str, values: OwnValues, arguments: tuple[Template, ...] | None, content: Template | None
) -> Step:
    """Read the line that starts the work of a step."""
    if (timed := _TIMED.match(line)) is not None:
        step = changed(step, timeout=values.number(timed.group(1)))
        line = line[timed.end() :]
    if (remote := _REMOTE.fullmatch(line)) is not None and content is not None:
        address = template_of(remote.group(1), values.names)
        shell = tuple(literal_of(word) for word in words_of(remote.group(2)))
        return changed(step, work=Script(content, shell), placement=_placement(address))
    line = line.removeprefix(_CONTAINER)
    if line == '"${argv[@]}"' and arguments is not None:
        return changed(step, work=Command(arguments))
    words = words_of(line)
    if content is None or len(words) < 2 or not re.fullmatch(r'"\$work/\w+"', words[-1]):
        raise UnreadableError
    return changed(step, work=Script(content, tuple(literal_of(word) for word in words[:-1])))


def _placement(address: Template) -> Placement:
    """Take an address apart at the `@` between user and host."""
    for number, part in enumerate(address.parts):
        if isinstance(part, str) and "@" in part:
            before, _, after = part.partition("@")
            user = Template.of(*address.parts[:number], before)
            return Placement(user=user, host=Template.of(after, *address.parts[number + 1 :]))
    return Placement(host=address)


def read_sequence(lines: Sequence[Statement], steps: list[Step], values: OwnValues) -> None:
    """Read the function that runs the steps: their conditions, attempts, and which failures count for nothing.

    Raises:
        UnreadableError: a line of it is not one of the writer's.
    """
    only = lines[0].text if len(lines) == 1 else ""
    if only in ("run step_1", "run_watched step_1"):
        steps[0] = changed(steps[0], stop_when_another_fails=only.startswith("run_watched"))
        return
    sequence = _Sequence(lines, steps, values)
    for place in range(len(lines)):
        try:
            sequence.take(place)
        except (UnreadableError, ValueError, LookupError, StopIteration):
            raise UnreadableError(lines[place]) from None


@attrs.define
class _Sequence:
    """The function that runs the steps; `number` is the step that its lines are about."""

    lines: Sequence[Statement]
    steps: list[Step]
    values: OwnValues
    number: int = -1

    def _set(self, **fields: object) -> None:
        self.steps[self.number] = changed(self.steps[self.number], **fields)

    def take(self, place: int) -> None:
        """Take a line."""
        line, names = self.lines[place].text, self.values.names
        if (found := re.fullmatch(r"if (.*); then last=0; fi", line, re.DOTALL)) is not None:
            self._set(ignore_errors=test_of(found.group(1), names))
        elif (found := re.fullmatch(r"if (.*); then", line, re.DOTALL)) is not None:
            self.number += 1
            if found.group(1) not in ("((failed == 0))", "((failed == 0 && another == 0))"):
                self._set(condition=test_of(found.group(1), names))
        elif (turn := _TURN.fullmatch(line)) is not None:
            self._retry(place, turn.group(1))
        elif line.startswith("run_watched step_"):
            self._set(stop_when_another_fails=True)
        elif re.fullmatch(r"run step_\d+_cleanup \|\| :", line):
            retry = self.steps[self.number].retry
            self._set(retry=changed(retry, clean=True) if retry is not None else None)
        elif line == "last=0" and self.lines[place - 1].text.startswith(("run", "done")):
            self._set(ignore_errors=True)
        elif not _ROUTINE.fullmatch(line) and not self.values.take(self.lines[place]):
            raise UnreadableError

    def _retry(self, place: int, limit: str) -> None:
        following = [item.text for item in self.lines[place:]]
        after = following[: following.index("done")]
        pause = next((line for line in after if line.startswith("run sleep ")), "run sleep 0")
        interval = self.values.number(pause.removeprefix("run sleep "))
        timeout = self.steps[self.number].timeout
        count = self.values.number(limit)
        retry = Retry(limit=int(count) if isinstance(count, float) else count, interval=interval)
        self._set(retry=changed(retry, attempt_timeout=timeout), timeout=None)


_ROUTINE = re.compile(
    r"local rc=0 failed=0 last|return \"\$rc\"|last=0|run step_\d+ \|\| last=\$\?|fi|done|while :; do|run sleep .*|"
    r"started=\(.*\)|export PW_WORKFLOW_STEP_.*|if \(\(last\)\); then failed=1; .*|export PWXC_TRY=0|PWXC_TRY=.*"
)
