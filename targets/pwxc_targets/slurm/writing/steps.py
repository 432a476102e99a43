"""The steps of a task as shell functions, with their conditions, repetitions and clean-ups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import attrs

from pwxc.ir.expr import Expr, Ref, Root
from pwxc.ir.task import ActionCall, Command, Script, Step, Task
from pwxc.ir.template import Template
from pwxc.shell import delimiter
from pwxc_targets.slurm import codes as C  # noqa: N812
from pwxc_targets.slurm.contexts import render
from pwxc_targets.slurm.writing.context import Context, Holes
from pwxc_targets.slurm.writing.datalines import Data
from pwxc_targets.slurm.writing.expressions import UnsupportedError
from pwxc_targets.slurm.writing.naming import step_label
from pwxc_targets.slurm.writing.quoting import word as quoted

_SHELLS = frozenset({"bash", "sh", "dash", "ksh", "zsh", "/bin/bash", "/bin/sh", "/usr/bin/bash"})
_STATUS = {
    "always": "true", "never": "false", "completed": "((failed == 0))", "error": "((failed))", "canceled": "false",
}  # fmt: skip
_WATCHED_STATUS = {**_STATUS, "completed": "((failed == 0 && another == 0))", "canceled": "((another))"}


@attrs.define
class Steps:
    """Writes the functions of the steps of one task."""

    context: Context
    task: Task
    holes: Holes
    data: Data
    in_container: bool = False
    uses_math: bool = False

    @property
    def watched(self) -> bool:
        """Whether a step is stopped when another task fails."""
        return self.task.stop_when_another_fails or any(step.stop_when_another_fails for step in self.task.steps)

    def _runner(self, step: Step) -> str:
        return "run_watched" if self.task.stop_when_another_fails or step.stop_when_another_fails else "run"

    def functions(self, steps: Sequence[Step], prefix: str) -> Iterator[str]:
        """Give a function for each step, and one for what it cleans up."""
        for number, step in enumerate(steps, 1):
            yield f"{prefix}_{number}() {{"
            yield from self._body(step, f"{prefix}_{number}")
            yield "}"
            if step.cleanup is not None:
                yield f"{prefix}_{number}_cleanup() {{"
                yield from self._own_values(step.cleanup.refs())
                yield from self._script(Script(step.cleanup), f"{prefix}_{number}_cleanup", timed="")
                yield "}"

    def _body(self, step: Step, name: str) -> Iterator[str]:
        yield from self._own_values(_refs_of(step))
        yield f"export OUTPUTS=$values/{self._label(step, name)}"
        for variable in step.environment:
            yield from self.data.export(variable.name, variable.value)
        if step.working_directory is not None:
            word = self.holes.word(step.working_directory)
            yield from self.holes.take_lines()
            yield f"cd -- {word} || return 1"
        timed = self._timed(step)
        yield from self.holes.take_lines()
        match step.work:
            case Command():
                yield from self._command(step.work, timed)
            case Script():
                yield from self._script(step.work, name, timed=timed, step=step)
            case ActionCall():
                yield from self._action(step.work)

    def _label(self, step: Step, name: str) -> str:
        return step_label(self.task, step.id) if step.id else name

    def _own_values(self, refs: Iterable[Ref]) -> Iterator[str]:
        """Read again what earlier steps of the task have published."""
        for ref in dict.fromkeys(refs):
            if ref.root is Root.TASK_OUTPUT and ref.path[0] == self.task.name:
                yield self.data.own_value(ref)

    def _timed(self, step: Step) -> str:
        limit = step.retry.attempt_timeout if step.retry is not None else None
        limit = step.timeout if limit is None else limit
        if limit is None:
            return ""
        return f"timeout --kill-after=10 {self._seconds(limit)} "

    def _seconds(self, value: float | Expr) -> str:
        if isinstance(value, int | float):
            return f"{value:g}"
        return f'"${{{self.holes.name(value)}:-0}}"'

    def _command(self, work: Command, timed: str) -> Iterator[str]:
        words = [self.data.word(self.data.here(argument)) for argument in work.arguments]
        yield from self.data.take_lines()
        # an array, so that nothing in it is taken for a command of the shell
        yield f"local -a argv=({' '.join(words)})"
        yield f'{timed}{self._prefix()}"${{argv[@]}}"'

    def _prefix(self) -> str:
        return '"${container[@]}" ' if self.in_container else ""

    def _script(self, work: Script, name: str, *, timed: str, step: Step | None = None) -> Iterator[str]:
        program = work.shell[:-1] if work.shell[-1:] == ("-c",) else work.shell
        template = self.data.here(work.text)
        rendered = render(template, self.holes.name) if program[:1] and program[0] in _SHELLS else None
        if rendered is None or rendered.verbatim:
            self.data.text.write_file(f'"$work/{name}"', template)
            yield from self.data.take_lines()
        else:
            yield from self.holes.take_lines()
            yield from self._file(name, rendered.text)
        words = " ".join(quoted(word) for word in program) or "bash"
        host = self._host(step)
        yield from self.holes.take_lines()
        if host:
            yield f'{timed}ssh -o BatchMode=yes -- {host} {words} -s <"$work/{name}"'
        else:
            yield f'{timed}{self._prefix()}{words} "$work/{name}"'

    @staticmethod
    def _file(name: str, text: str) -> Iterator[str]:
        if not text:
            yield f': >"$work/{name}"'
            return
        word = delimiter(text)
        yield f"cat >\"$work/{name}\" <<'{word}'"
        yield from text.removesuffix("\n").split("\n")
        yield word

    def _host(self, step: Step | None) -> str:
        """Give the host of a step that runs elsewhere than its task."""
        placement = step.placement if step is not None else None
        if placement is None or placement.host is None or placement == self.task.placement:
            return ""
        user = f"{self.holes.word(placement.user)}@" if placement.user is not None else ""
        return user + self.holes.word(placement.host)

    def _action(self, work: ActionCall) -> Iterator[str]:
        if work.name == "parallelworks/checkout" and isinstance(work.arguments, Mapping):
            yield from self._checkout(work.arguments)
            return
        self.context.say(C.ACTION, f"the action `{work.name}` of task `{self.task.name}` is not at hand")
        yield ":"

    def _checkout(self, arguments: Mapping[str, object]) -> Iterator[str]:
        given = {key: self._argument(value) for key, value in arguments.items() if not isinstance(value, list | tuple)}
        yield from self.holes.take_lines()
        branch = f" --branch {given['branch']}" if "branch" in given else ""
        yield 'rm -rf "$work/checkout"'
        yield f'git clone --quiet --depth 1{branch} -- {given.get("repo", "")} "$work/checkout" || return 1'
        yield f'cp -R "$work/checkout/." {given.get("path", "./")} && rm -rf ./.git'

    def _argument(self, value: object) -> str:
        return self.holes.word(value) if isinstance(value, Template) else quoted(str(value))

    def sequence(self) -> Iterator[str]:
        """Give the function `steps`, which runs them in order and returns the first failure."""
        yield "steps() {"
        if len(self.task.steps) == 1 and _is_plain(self.task.steps[0]):
            yield f"{self._runner(self.task.steps[0])} step_1"
            yield "}"
            return
        yield "local rc=0 failed=0 last"
        if any(step.cleanup is not None for step in self.task.steps):
            yield "started=()"
        for number, step in enumerate(self.task.steps, 1):
            yield from self._one(number, step)
        yield 'return "$rc"'
        yield "}"

    def _one(self, number: int, step: Step) -> Iterator[str]:
        yield f"if {self._condition(step)}; then"
        if step.cleanup is not None:
            yield f'started=({number} "${{started[@]}}")'
        yield from self._attempts(number, step)
        if step.ignore_errors is True:
            yield "last=0"
        elif step.ignore_errors:
            yield f"if {self._test(step.ignore_errors)}; then last=0; fi"
        yield "if ((last)); then failed=1; if ((rc == 0)); then rc=$last; fi; fi"
        yield "fi"

    def _attempts(self, number: int, step: Step) -> Iterator[str]:
        retry = step.retry
        if retry is None:
            yield "last=0"
            yield f"{self._runner(step)} step_{number} || last=$?"
            return
        limit = str(self.context.retries) if retry.limit is None else self._seconds(retry.limit)
        interval = self._seconds(retry.interval)
        yield from self.holes.take_lines()
        yield "export PWXC_TRY=0"
        yield "while :; do"
        if self.context.workflow.dialect == "pw":
            yield f"export PW_WORKFLOW_STEP_CURRENT_RETRY=$PWXC_TRY PW_WORKFLOW_STEP_MAX_RETRIES={limit}"
        yield "last=0"
        yield f"{self._runner(step)} step_{number} || last=$?"
        yield f"if ((last == 0)) || [[ $PWXC_TRY -ge {limit} ]]; then break; fi"
        yield "PWXC_TRY=$((PWXC_TRY + 1))"
        if retry.clean and step.cleanup is not None:
            yield f"run step_{number}_cleanup || :"
        if interval != "0":
            yield f"run sleep {interval}"
        yield "done"

    def _condition(self, step: Step) -> str:
        if step.condition is None:
            return "((failed == 0 && another == 0))" if self.watched else "((failed == 0))"
        return self._test(step.condition)

    def _test(self, expr: Expr) -> str:
        translator = self.holes.translator
        for ref in _refs(expr):
            self.holes.used[ref] = self.context.variables.of(ref)
        words = _WATCHED_STATUS if self.watched else _STATUS
        translator.status = lambda word: words.get(word, "false")
        try:
            test = translator.test(expr)
        except UnsupportedError:
            self.context.refuse_expression(expr, f"a step of task `{self.task.name}`")
            return "true"
        if translator.lines:
            # the lines run where the condition is tested: a group of commands whose last one is the test
            lines = "; ".join(translator.lines)
            translator.lines = []
            return f"{{ {lines}; {test}; }}"
        return test


def _is_plain(step: Step) -> bool:
    return step.condition is None and step.retry is None and step.cleanup is None and step.ignore_errors is False


def _refs(expr: Expr) -> list[Ref]:
    from pwxc.ir.expr import refs

    return refs(expr)


def _refs_of(step: Step) -> Iterator[Ref]:
    for template in _templates(step):
        yield from template.refs()


def _templates(step: Step) -> Iterator[Template]:
    match step.work:
        case Script(text=text):
            yield text
        case Command(arguments=arguments):
            yield from arguments
        case ActionCall(arguments=given) if isinstance(given, Mapping):
            yield from (value for value in given.values() if isinstance(value, Template))
    yield from (variable.value for variable in step.environment)
    if step.working_directory is not None:
        yield step.working_directory
