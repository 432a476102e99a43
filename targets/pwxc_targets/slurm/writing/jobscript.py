"""The script of one task: where it works, what it waits for, its attempts, and how it tells its end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs

from pwxc.ir.expr import Expr, Ref, Root
from pwxc.ir.task import ExitAction, ExitRule, Retry, Script, Task
from pwxc.ir.template import Template
from pwxc.ir.workflow import RunCommands, Trigger
from pwxc.shell import quote
from pwxc_targets.slurm.writing import jobtext as J  # noqa: N812
from pwxc_targets.slurm.writing.context import Context, Holes
from pwxc_targets.slurm.writing.datalines import Data
from pwxc_targets.slurm.writing.expressions import MATH, UnsupportedError
from pwxc_targets.slurm.writing.quoting import assigned
from pwxc_targets.slurm.writing.steps import Steps
from pwxc_targets.slurm.writing.sweeps import FLOATS, Decoded

_FUNCTIONS = {
    "value": J.VALUE, "pick": J.SELECT, "transfer": J.TRANSFER, "secret": J.SECRET, "math": MATH,
}  # fmt: skip
_JOB_STATUS = {
    "always": "true", "never": "false", "completed": "! { parents failed || parents skipped || missing; }",
    "error": "parents failed", "canceled": "missing",
}  # fmt: skip


@attrs.define
class JobScript:
    """The text below the directives of a task's script; of a gang's member when `member` is true.

    `parents` are the units that it waits for; `tested` those whose being skipped means that this is skipped too.
    """

    context: Context
    task: Task
    decoded: Decoded | None = None
    parents: Sequence[str] = ()
    tested: Sequence[str] = ()
    member: bool = False
    condition: Expr | None = None
    holes: Holes = attrs.field(init=False)
    data: Data = attrs.field(init=False)
    steps: Steps = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Make the parts."""
        parameters = {item.name: item for item in self.task.sweep.parameters} if self.task.sweep is not None else {}
        self.holes = Holes(self.context, f"task `{self.task.name}`", parameters)
        self.data = Data(self.context, self.task, self.holes)
        contained = self.task.container is not None and self.context.container != "none"
        self.steps = Steps(self.context, self.task, self.holes, self.data, contained)

    def text(self) -> str:
        """Give the text."""
        start, middle = self._start(), self._middle()
        bound = self._bindings()
        lines = [*start, *self._functions(), *bound, *middle]
        return "\n".join(lines) + "\n"

    def _start(self) -> list[str]:
        lines = J.HEAD.splitlines()
        lines.append(f"slug={assigned(self.context.slugs.of(self.task.name))}")
        lines.append(f"export PWXC_TASK={assigned(self.task.name)}")
        if self.decoded is not None:
            lines += [*J.INSTANCE.splitlines(), "instance=.$index"]
        else:
            lines.append("instance=''")
        lines += J.PLACES.splitlines()
        if self.decoded is not None:
            lines += FLOATS.strip("\n").splitlines() if self.decoded.steps else []
            lines += self.decoded.lines
        lines += self._folder()
        return lines

    def _folder(self) -> list[str]:
        """Say where the steps work, as the source's system has it."""
        match self.context.workflow.dialect:
            case "pw":
                return ["export PW_JOB_DIR=$PWXC_RUN PW_PARENT_JOB_DIR=$PWXC_RUN PW_RUN_SLUG=$PWXC_RUN_ID",
                        'export PW_JOB_ID=$PWXC_RUN_ID PW_WORKFLOW_NAME=$PWXC_WORKFLOW PW_USER=${USER-}',
                        *(["export PW_MATRIX_INDEX=$index"] if self.decoded is not None else []),
                        'cd -- "$PWXC_RUN" || exit 1']  # fmt: skip
            case "torc":
                return ["export TORC_WORKFLOW_ID=$PWXC_RUN_ID TORC_JOB_NAME=$PWXC_TASK TORC_OUTPUT_DIR=$PWXC_RUN",
                        "export TORC_JOB_ID=${SLURM_JOB_ID-} TORC_ATTEMPT_ID=1"]  # fmt: skip
            case "slurm":
                return []
        return ['cd -- "$work" || exit 1']

    def _middle(self) -> list[str]:
        """Give everything that uses holes; it is made before the bindings, which depend on it."""
        lines: list[str] = []
        if self.tested:
            for parent in self.tested:
                files = f'"$PWXC_RUN/state/{parent}" "$PWXC_RUN/state/{parent}".*'
                lines.append(f"if grep -qsx skipped {files}; then skip; fi")
        if self.condition is not None:
            lines += self._tested_condition(self.condition)
        lines += self.data.secrets()
        lines += self.data.reads()
        lines += self.data.files()
        lines += self.data.environment()
        lines += self._working_directory()
        lines += self._container()
        lines += self._hooks(Trigger.WORKER_START)
        lines += self.steps.functions(self.task.steps, "step")
        lines += self.steps.functions(self.task.cleanup, "cleanup")
        lines += self.steps.sequence()
        lines += self.data.checkpoints()
        lines += self._ending()
        lines += self._attempts()
        return lines

    def _tested_condition(self, condition: Expr) -> list[str]:
        translator = self.holes.translator
        translator.status = lambda word: _JOB_STATUS.get(word, "false")
        for ref in _refs(condition):
            if ref.root is not Root.STATUS:
                self.holes.used[ref] = self.context.variables.of(ref)
        try:
            test = translator.test(condition)
        except UnsupportedError:
            self.context.refuse_expression(condition, f"the condition of task `{self.task.name}`")
            return []
        return [*self.holes.take_lines(), f"if ! {{ {test}; }}; then skip; fi"]

    def _working_directory(self) -> list[str]:
        if self.task.working_directory is None:
            return []
        word = self.holes.word(self.task.working_directory)
        return [*self.holes.take_lines(), f"mkdir -p -- {word} && cd -- {word} || exit 1"]

    def _container(self) -> list[str]:
        container = self.task.container
        if container is None or self.context.container == "none":
            return []
        image = self.holes.word(container.image)
        lines = [*self.holes.take_lines(), f"image={image}"]
        binds = [quote(mount) for mount in container.mounts]
        binds += [f'"$PWXC_FILES"{word}:{word}' for file in self.task.files if (word := self.holes.word(file.path))]
        lines += self.holes.take_lines()
        if self.context.container == "pyxis":
            return [*lines, *_pyxis(binds)]
        gpus = self.context.resources_of(self.task)
        nv = " --nv" if gpus is not None and gpus.gpus else ""
        options = "".join(f" --bind {bind}" for bind in binds)
        lines.append("case $image in *://* | *.sif | /* | ./*) ;; *) image=docker://$image ;; esac")
        lines.append(f'container=(apptainer exec{nv} --bind "$PWXC_RUN"{options} "$image")')
        return lines

    def _hooks(self, trigger: Trigger) -> list[str]:
        """Give the commands that were meant for each worker, which here is each job."""
        lines: list[str] = []
        for hook in self.context.workflow.hooks:
            if hook.trigger is trigger and isinstance(hook.action, RunCommands):
                for command in hook.action.commands:
                    word = self.holes.word(command)
                    lines += [*self.holes.take_lines(), f"bash -c {word} || :"]
        return lines

    def _ending(self) -> list[str]:
        before: list[str] = []
        if self.task.cleanup:
            before += [f"run cleanup_{number} || :" for number, _ in enumerate(self.task.cleanup, 1)]
        if any(step.cleanup is not None for step in self.task.steps):
            before.append('for number in "${started[@]}"; do run "step_${number}_cleanup" || :; done')
        before += self.data.last_copies()
        before += self.data.uploads()
        before += self._hooks(Trigger.WORKER_COMPLETE)
        text = J.ENDING % "".join(f"  {line}\n" for line in before)
        lines = text.splitlines()
        return (["started=()"] if any("started" in line for line in before) else []) + lines

    def _functions(self) -> list[str]:
        if self.holes.translator.needs_math:
            self.data.needs.add("math")
        text = (J.MEMBER_STATE if self.member else J.STATE) + J.RUN
        if self.condition is not None and any(ref.root is Root.STATUS for ref in _refs(self.condition)):
            text += J.PARENTS % " ".join(self.parents) + J.MISSING % " ".join(self.parents)
        for name in sorted(self.data.needs):
            text += _FUNCTIONS[name]
        return [*text.strip("\n").splitlines(), *self.data.text.preamble]

    def _bindings(self) -> list[str]:
        done: set[Ref] = set()
        lines: list[str] = []
        while True:
            left = [ref for ref in self.holes.used if ref not in done]
            if not left:
                return lines
            done.update(left)
            lines = [*self.data.bindings(left), *lines]

    def _attempts(self) -> list[str]:
        rules = self.task.exit_rules
        after = [*self.data.expectations(), *self.data.publications()]
        checked = ["if ((rc == 0)); then", *after, "fi"] if after else []
        if not rules:
            return ["export PWXC_ATTEMPT=0", "rc=0", "steps || rc=$?", *checked, '(exit "$rc")']
        lines = ["attempt=0", "while :; do", "export PWXC_ATTEMPT=$attempt"]
        if self.context.workflow.dialect == "torc":
            lines.append("export TORC_ATTEMPT_ID=$((attempt + 1))")
        lines += ["rc=0", "steps || rc=$?", *self._rules(rules), "break", "done"]
        return [*lines, *checked, '(exit "$rc")']

    def _rules(self, rules: Sequence[ExitRule]) -> Iterator[str]:
        for number, rule in enumerate(rules):
            yield f"{'elif' if number else 'if'} {_codes(rule)}; then"
            match rule.action:
                case ExitAction.COMPLETE:
                    yield 'printf \'exit-code=%s\\n\' "$rc" >>"$values/published"'
                    yield "rc=0"
                case ExitAction.FAIL:
                    yield "if ((rc == 0)); then rc=1; fi"
                case ExitAction.RETRY:
                    yield from self._retry(rule, rule.retry or Retry(limit=None))
        yield "fi"

    def _retry(self, rule: ExitRule, retry: Retry) -> Iterator[str]:
        limit = self._number(self.context.retries if retry.limit is None else retry.limit)
        interval = self._number(retry.interval)
        lines = self.holes.take_lines()
        yield from lines
        yield f"if [[ $attempt -lt {limit} ]]; then"
        yield "attempt=$((attempt + 1))"
        yield 'echo "exit code $rc: attempt $((attempt + 1)) follows" >&2'
        if rule.recovery is not None:
            yield "export TORC_RETURN_CODE=$rc PWXC_EXIT_CODE=$rc"
            yield from self._recovery(rule.recovery)
        if interval != "0":
            yield f"sleep {interval}"
        yield "continue"
        yield "fi"
        yield "if ((rc == 0)); then rc=1; fi"

    def _recovery(self, recovery: Template) -> Iterator[str]:
        word = self.holes.word(recovery)
        yield from self.holes.take_lines()
        yield f"run bash -c {word} || :"

    def _number(self, value: float | Expr) -> str:
        if isinstance(value, int | float):
            return f"{value:g}"
        return f'"${{{self.holes.name(value)}-0}}"'


def _codes(rule: ExitRule) -> str:
    if not rule.codes:
        return "((rc != 0))"
    tests = [f"rc == {low}" if low == high else f"rc >= {low} && rc <= {high}" for low, high in rule.codes]
    return f"(({' || '.join(f'({test})' if '&&' in test else test for test in tests)}))"


def _pyxis(binds: Sequence[str]) -> list[str]:
    lines = [
        "if [[ $image != *'#'* && ${image%%/*} == *.* && $image == */* && $image != /* ]]; then",
        "image=${image%%/*}#${image#*/}",
        "fi",
        "mounts=$PWXC_RUN:$PWXC_RUN",
    ]
    lines += [f"mounts+=,{bind}" for bind in binds]
    lines.append(
        'container=(srun --nodes=1 --ntasks=1 --export=ALL --cpus-per-task="${SLURM_CPUS_PER_TASK:-1}" '
        '--container-image="$image" --container-mounts="$mounts" --container-workdir="$PWD")'
    )
    return lines


def plain_script(text: str, name: str) -> Task:
    """Make a task of one piece of shell text, for work that the source has no task for."""
    from pwxc.ir.task import Step
    from pwxc.ir.template import text as literal

    return Task(name=name, steps=(Step(work=Script(literal(text))),))


def _refs(expr: Expr) -> list[Ref]:
    from pwxc.ir.expr import refs

    return refs(expr)
