"""The script of one task: where it works, what it waits for, its attempts, and how it tells its end."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from pwxc.ir.expr import Ref, Root
from pwxc.ir.task import Script, Task
from pwxc.ir.workflow import RunCommands, Trigger
from pwxc_targets.slurm.writing import jobtext as J  # noqa: N812
from pwxc_targets.slurm.writing.context import Context, Holes
from pwxc_targets.slurm.writing.datalines import Data
from pwxc_targets.slurm.writing.decisions import Decision, fail_fast, fail_fast_lines
from pwxc_targets.slurm.writing.expressions import MATH
from pwxc_targets.slurm.writing.limits import own_limits
from pwxc_targets.slurm.writing.naming import means
from pwxc_targets.slurm.writing.quoting import assigned
from pwxc_targets.slurm.writing.quoting import word as quoted
from pwxc_targets.slurm.writing.retries import Attempts
from pwxc_targets.slurm.writing.steps import Steps
from pwxc_targets.slurm.writing.sweeps import FLOATS, Decoded

_NAMED = frozenset({Root.INPUT, Root.FILE, Root.DATUM})
FUNCTIONS = {
    "secret-folder": J.SECRET_FOLDER,
    "value": J.VALUE, "pick": J.SELECT, "transfer": J.TRANSFER, "secret": J.SECRET, "math": MATH,
    "clocks": J.CLOCKS,
    "again": J.AGAIN, "timer": J.TIMER, "others": J.OTHERS, "seconds": J.SECONDS, "watch": J.WATCHED,
}  # fmt: skip


@attrs.define
class JobScript:
    """The text below the directives of a task's script; of a gang's member when `member` is true."""

    context: Context
    task: Task
    decoded: Decoded | None = None
    decision: Decision = Decision()
    member: bool = False
    slug: str = ""
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
        lines = [*self._meanings(), *start, *self._functions(), *bound, *middle]
        return "\n".join(lines) + "\n"

    def _start(self) -> list[str]:
        lines = J.HEAD.splitlines()
        lines.append(f"slug={assigned(self.slug or self.context.slugs.of(self.task.name))}")
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
        lines += ["attempt=0"] if self.task.exit_rules else []
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
        lines = self._ending()
        lines += self.decision.lines(self.holes)
        lines += self._limits()
        lines += self.data.secrets()
        lines += self.data.reads()
        lines += ["gather"] if self.member else []
        lines += self.data.files()
        lines += self.data.environment()
        lines += self._working_directory()
        container = self._container()
        hooks = self._hooks(Trigger.WORKER_START)
        functions = list(self.steps.functions(self.task.steps, "step"))
        functions += self.steps.functions(self.task.cleanup, "cleanup")
        # steps on other hosts and calls of actions do not run in the container
        lines += container if any("${container[@]}" in line for line in functions) else []
        lines += [*hooks, *functions]
        lines += self.steps.sequence()
        lines += self.data.checkpoints()
        if "ready=0" in lines:
            lines.append("ready=1")
        lines += self._attempts()
        return lines

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
        binds = [quoted(mount) for mount in container.mounts]
        places = [file.path for file in self.task.files]
        places += [secret.folder for secret in self.task.secrets if secret.folder is not None]
        binds += [f'"$PWXC_FILES"{word}:{word}' for path in places if (word := self.holes.word(path))]
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
        if any(step.cleanup is not None for step in self.task.steps):
            before.append('for number in "${started[@]}"; do run "step_${number}_cleanup" || :; done')
        if self.task.cleanup:
            before += [f"run cleanup_{number} || :" for number, _ in enumerate(self.task.cleanup, 1)]
        before += self.data.last_copies()
        before += self.data.uploads()
        before += self._hooks(Trigger.WORKER_COMPLETE)
        if before:
            before = ["if ((ready)); then", *before, "fi"]
        text = J.ENDING % ("".join(f"  {line}\n" for line in before), "" if self.member else self._afterwards())
        lines = (text + J.TERMINATED).splitlines()
        first = ["ready=0"] if before else []
        if self.decoded is not None and not self.member:
            first += fail_fast_lines(self.task.sweep, self.holes)
        return [*first, *(["started=()"] if any("started" in line for line in before) else []), *lines]

    def _afterwards(self) -> str:
        """Give what the end of this task means for others."""
        text = noted(self.context)
        if self.task.name in self.context.hurrying:
            self.data.needs.add("clocks")
            text += J.START_CLOCKS
        ended = fail_fast(self.task.sweep if self.decoded is not None else None)
        if ended:
            self.data.needs.add("others")
        text += ended
        return text + (J.CANCEL if self.context.workflow.timeout is not None or self.steps.watched else "")

    def _limits(self) -> list[str]:
        """Start what ends the task in time, where Slurm's own limit in whole minutes does not."""
        lines = []
        if self.context.workflow.timeout is not None and not self.member:
            lines += J.DEADLINE.splitlines()
        limit = self.task.run_timeout
        lines += own_limits(self.context, self.task, limit, self.holes, self.data.needs, member=self.member)
        if any("timer " in line for line in lines):
            self.data.needs.add("timer")
        return lines

    def _meanings(self) -> list[str]:
        """Say what variables stand for whose names do not show it."""
        known = self.context.variables
        refs = [ref for ref in self.holes.used if ref.root in _NAMED]
        refs += [Ref(Root.READ_FOLDER, (read.name,)) for read in self.task.reads]
        found = {known.of(ref): ref.path for ref in refs if not known.is_plain(ref)}
        for (root, path), name in known.found.items():
            if root is Root.SWEEP and self.decoded is not None and not known.is_plain(Ref(root, path)):
                found[name] = path
        return [means(token, path) for token, path in sorted({**found, **self.data.meanings}.items())]

    def _functions(self) -> list[str]:
        if self.holes.translator.needs_math:
            self.data.needs.add("math")
        text = (J.MEMBER_STATE if self.member else J.STATE) + J.RUN
        text += self.decision.functions()
        if self.steps.watched:
            self.data.needs.add("watch")
        for name in sorted(self.data.needs):
            text += FUNCTIONS[name]
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
        after = [*self.data.expectations(), *self.data.publications()]
        checked = ["if ((rc == 0)); then", *after, "fi"] if after else []
        attempts = Attempts(self.context, self.task, self.holes, self.data.needs, member=self.member)
        ended = ["if ((another)); then stop cancelled 143; fi"] if self.steps.watched else []
        return [*attempts.lines(ended), *checked, '(exit "$rc")']


def noted(context: Context) -> str:
    """Give the line that writes a failure down, where another task stops for it."""
    return J.NOTE_FAILURE if context.watches else ""


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
