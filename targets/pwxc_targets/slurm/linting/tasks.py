"""What a script asks for against what it starts: tasks and steps (slurm.md §14)."""

from __future__ import annotations

import re
from collections.abc import Iterator

import attrs

from pwxc.ir.found import Found, Launch
from pwxc.shell.found import recognise
from pwxc.shell.found.commands import Around, Simple, Walk
from pwxc.shell.found.containers import READERS as RUNTIMES
from pwxc_targets.slurm import codes as C  # noqa: N812
from pwxc_targets.slurm.batch.directives import Component
from pwxc_targets.slurm.batch.numbers import is_number
from pwxc_targets.slurm.linting.subject import Subject
from pwxc_targets.slurm.lower import shell_words

_DEEPEST = 5_000
"""More brackets than that are not looked into."""
_SHELLS = frozenset(["bash", "sh", "dash", "ksh", "zsh"])
_STARTERS = re.compile(
    r"(?:torchrun|accelerate|deepspeed|colossalai|horovodrun|parallel|xargs|flux|charmrun|mpi\w*|salloc|sbatch|ray|dask\S*|"
    r"wait|pdsh|clush|rsh|ssh|make|ninja|cmake|snakemake|nextflow|spark\S*|start-\w+\.sh|julia|Rscript|R|matlab|"
    r"orca|fluent|starccm\+|abaqus|ansys\w*|comsol|cfx5solve|g09|g16|namd[23]|gmx\w*|lmp\S*|vasp\S*|singlepoint|"
    r"bash|sh|zsh|csh|tcsh|ksh|source|\.|exec|eval|time|nohup|env|\S+\.(?:sh|bash|csh|job|slurm|run|py|pl))\Z"
)
"""Programs that start processes themselves, and scripts, in which anything may stand."""
_COUNTED = re.compile(
    r"\$\{?SLURM_(?:N|STEP_N|TASKS|JOB_N|JOB_CPUS|CPUS_ON|GPUS|NODE|JOB_GPUS)|scontrol\s+show\s+hostname"
)
_STEP_NUMBER = re.compile(r"(?:\s-n[ \t=]*|\s--ntasks[= ][ \t]*)(?P<number>[0-9]+)\b")
_CPUS = re.compile(r"\s(?:-c|--cpus-per-task)")
_LOOKS = re.compile(
    r"(?:\S*/)?(?:hostname|echo|date|nvidia-smi|rocm-smi|env|printenv|lscpu|uname|whoami|pwd|sleep|true)\b"
)
"""What only looks at a node has no use for its processors."""
_MORE = re.compile(r"\s(?:--overcommit|-[A-Za-z]*O)")


def check_tasks(subject: Subject) -> None:
    """Hold what a shell script starts against the tasks and processors that it asks for."""
    shell = shell_words(subject.reading.shebang)
    if shell[0].rpartition("/")[2] not in _SHELLS or not subject.components:
        return
    body = _Body(subject, subject.text[subject.reading.body :], shell)
    body.check()


@attrs.define
class _Body:
    subject: Subject
    text: str
    shell: tuple[str, ...]

    def check(self) -> None:
        found = recognise(self.text, shell=self.shell)
        steps = [launch for launch in found.launches if _srun(launch) is not None]
        self._check_steps(steps)
        self._check_processors(steps)
        self._check_tasks(found)

    def _head(self, launch: Launch) -> str:
        """Give the text of `srun` with its options."""
        start, end = _srun(launch) or (0, 0)
        return self.text[start:end]

    def _check_steps(self, steps: list[Launch]) -> None:
        """Find steps that ask for more tasks than the job has; `srun` refuses them."""
        tasks = _tasks(self.subject.components[0])
        if len(self.subject.components) > 1 or tasks is None:
            return
        for launch in steps:
            head = self._head(launch)
            asked = _STEP_NUMBER.search(head)
            if launch.tasks is None or launch.tasks <= tasks or asked is None or _MORE.search(head):
                continue
            message = f"the step asks for {launch.tasks} tasks, and the job has {tasks}"
            at = self.subject.reading.body + (_srun(launch) or (0, 0))[0]
            self.subject.tell(C.STEP_TASKS, message, at + asked.start("number"), at + asked.end("number"))

    def _check_processors(self, steps: list[Launch]) -> None:
        """Find the first step that may not get the processors of its job's tasks."""
        given = self.subject.components[0].find("cpus-per-task")
        number = (given.value or "").strip() if given is not None else ""
        if not is_number(number) or int(number) < 2 or "SRUN_CPUS_PER_TASK" in self.text:
            return
        for launch in steps:
            looks = _LOOKS.match(self.text, launch.command)
            if launch.cpus is None and not looks and not _CPUS.search(self._head(launch)):
                at = self.subject.reading.body + (_srun(launch) or (0, 0))[0]
                message = f"the step may not get the {number} processors of `--cpus-per-task`"
                self.subject.tell(C.SRUN_CPUS, message, at, at + len("srun"))
                return

    def _check_tasks(self, found: Found) -> None:
        component = self.subject.components[0]
        asked = [component.find(name) for name in ("ntasks", "ntasks-per-node", "tasks-per-node")]
        several = [given for given in asked if given is not None and _above_one(given.value)]
        if not several or self._starts_tasks(found, [(given.value or "").strip() for given in several]):
            return
        given = several[0]
        message = f"nothing starts the {(given.value or '').strip()} tasks: the script itself runs once"
        self.subject.tell_option(C.TASKS_WITHOUT_SRUN, message, given)

    def _starts_tasks(self, found: Found, numbers: list[str]) -> bool:
        """Whether something in the script may start several processes, or be told their number."""
        if any(layer.program not in RUNTIMES for launch in found.launches for layer in launch.layers):
            return True
        if self.text.count("(") > _DEEPEST:
            return True  # no script of a user's
        walk = Walk()
        commands = list(walk.text(self.text, 0, Around()))
        if not walk.complete or any(command.around.background for command in commands):
            return True
        texts = list(_texts(commands))
        if any(_COUNTED.search(text) for text in texts):
            return True
        mentioned = re.compile(rf"(?<![0-9.])(?:{'|'.join(map(re.escape, numbers))})(?![0-9.])")
        return any(mentioned.search(text) for text in texts) or any(_may_start(command) for command in commands)


def _texts(commands: list[Simple]) -> Iterator[str]:
    for command in commands:
        yield from (token.text for token in (*command.words, *command.others))
        yield from (token.here for token in command.others if isinstance(token.here, str))


_ASSIGNED = re.compile(r"[A-Za-z_]\w*\+?=")


def _may_start(command: Simple) -> bool:
    words = [token.text for token in command.words if not _ASSIGNED.match(token.text)]
    if not words:
        return False
    # a variable may hold a launcher
    return "$" in words[0] or any(_STARTERS.match(word.rpartition("/")[2].strip("\"'")) for word in words[:1])


def _srun(launch: Launch) -> tuple[int, int] | None:
    """Give the place of `srun` with its options."""
    return next(((layer.start, layer.command) for layer in launch.layers if layer.program == "srun"), None)


def _above_one(value: str | None) -> bool:
    text = (value or "").strip()
    return is_number(text) and int(text) > 1


def _tasks(component: Component) -> int | None:
    """Give how many tasks a job has where its directives say so."""
    told = {name: (component.value(name) or "").strip() for name in ("ntasks", "nodes", "ntasks-per-node")}
    if is_number(told["ntasks"]):
        return int(told["ntasks"])
    per_node = told["ntasks-per-node"] or (component.value("tasks-per-node") or "").strip()
    if is_number(told["nodes"]) and is_number(per_node):
        return int(told["nodes"]) * int(per_node)
    return None
