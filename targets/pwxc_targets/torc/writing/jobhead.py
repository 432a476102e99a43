"""The lines before a script of Slurm: its streams, its `--export`, and the variables that `sbatch` would have set.

A job of torc runs inside the allocation of a worker, whose `SLURM_…` variables describe that allocation. Where a script
reads them, or starts steps that take their numbers from them, the job sets those that its own options stood for
(slurm.md §11, §12, §14; torc.md §12, §16).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import attrs

from pwxc.fidelity import Account
from pwxc.ir.entity import place_of
from pwxc.ir.found import Found, Launch, Use
from pwxc.ir.resources import Resources
from pwxc.ir.task import Script, Task
from pwxc.ir.template import Template
from pwxc.shell import is_variable_name, quote
from pwxc.shell.arrays import array_variables
from pwxc_targets.torc.writing import codes as C  # noqa: N812
from pwxc_targets.torc.writing.holes import Holes
from pwxc_targets.torc.writing.options import option_for_gpus, options_of
from pwxc_targets.torc.writing.schedulers import needs_scheduler
from pwxc_targets.torc.writing.state import Writing

TASK_ID = "SLURM_ARRAY_TASK_ID"
_MIB = 1024 * 1024
_NO_INDEX = "4294967294"
"""What `%a` is outside an array."""
_BY_OPTION = {
    name: "SLURM_" + name.upper().replace("-", "_")
    for name in (
        *("cpus-per-gpu", "distribution", "gpus-per-socket", "gpus-per-task", "hint", "ntasks-per-core"),
        *("ntasks-per-gpu", "ntasks-per-socket", "profile", "threads-per-core", "tres-per-task"),
    )
}
_GPU_NAMES = {"gpus": "SLURM_GPUS", "gpus-per-node": "SLURM_GPUS_PER_NODE"}
_MEMORY = ("SLURM_MEM_PER_NODE", "SLURM_MEM_PER_CPU", "SLURM_MEM_PER_GPU")
_OF_STEPS = (
    *("SLURM_NTASKS", "SLURM_NPROCS", "SLURM_NTASKS_PER_NODE", "SLURM_CPUS_PER_TASK", "SLURM_NNODES"),
    *("SLURM_JOB_NUM_NODES", "SLURM_TASKS_PER_NODE", "SLURM_GPUS", "SLURM_GPUS_PER_NODE", *_MEMORY[:2]),
    *_BY_OPTION.values(),
)
"""What launchers of steps read, where they are not told by options."""
_SAME_THERE = frozenset(
    (
        *("SLURM_JOB_PARTITION", "SLURM_JOB_ACCOUNT", "SLURM_JOB_QOS", "SLURM_JOB_RESERVATION", "SLURM_CLUSTER_NAME"),
        *("SLURM_CONF", "SLURM_JOB_USER", "SLURM_JOB_UID", "SLURM_JOB_GID", "SLURM_SUBMIT_HOST", "SLURMD_NODENAME"),
        *("SLURM_EXPORT_ENV", "SLURM_TOPOLOGY_ADDR", "SLURM_PROCID", "SLURM_LOCALID", "SLURM_NODEID"),
    )
)
"""What is right in any allocation that the job may be in, and what steps have of their own."""
_SHAPE = frozenset(
    (
        *("SLURM_JOB_NODELIST", "SLURM_NODELIST", "SLURM_JOB_CPUS_PER_NODE", "SLURM_CPUS_ON_NODE", "SLURM_JOB_GPUS"),
        *("SLURM_TASKS_PER_NODE", "SLURM_GPUS_ON_NODE", "SLURM_NNODES", "SLURM_JOB_NUM_NODES", *_OF_STEPS),
    )
)
"""What an allocation of the job's own kind has as the job would have it."""
_CALLS = {
    "sbatch": "`sbatch` makes a job that torc does not know",
    "salloc": "`salloc` makes an allocation that torc does not know",
    "scancel": "`scancel` may end the worker and the jobs beside this one",
}
_NUMBERS = ("SLURM_JOB_ID", "SLURM_JOBID")
_VARIABLE = re.compile(r"\bSLURM_\w+")
_REQUEUE = re.compile(r"scontrol\s+(?:-\S+\s+)*(requeue(?:hold)?|update|hold|release|suspend)\b")
_STARTER = re.compile(r"(?:srun|ibrun|orterun|prun|aprun|mpirun|mpiexec)\b")
_PATTERN = re.compile(r"%(\d*)([a-zA-Z%])")


@attrs.define
class JobHead:
    """Makes the lines that stand before the steps of one job."""

    writing: Writing
    task: Task
    holes: Holes
    lines: list[str] = attrs.field(factory=list)

    def build(self) -> list[str]:
        """Give the lines, and say what is different."""
        record = self.writing.own_resources(self.task)
        if record is not None and record.directives:
            with self.writing.ledger.of(record) as account:
                self._exported(account, record)
                self._streams(account, record)
        found = list(_found(self.task))
        if found:
            self._variables(record, found)
            for script, item in found:
                self._calls(script, item)
        return self.lines

    # variables

    def _variables(self, record: Resources | None, found: list[tuple[str, Found]]) -> None:
        values = dict(self._values(record))
        wanted: dict[str, None] = {}
        uses: dict[str, Use] = {}
        for script, item in found:
            for use in _uses(script, item):
                wanted[use.name] = None
                if item.complete or use in item.uses or use.name in _NUMBERS:
                    uses.setdefault(use.name, use)
            for launch in item.launches:
                wanted.update(dict.fromkeys(name for name in _read_by(launch) if name in values))
        given = {variable.name for variable in (*self.task.environment, *self.writing.workflow.environment)}
        memory = [name for name in _MEMORY if name in wanted and name in values]
        if memory:
            # `srun` refuses to start where two of them are set
            self.lines.append("unset " + " ".join(name for name in _MEMORY if name not in memory))
        for name in wanted:
            if name in values and name not in given:
                self.lines.append(f"export {name}={values[name]}")
        placed = record is not None and needs_scheduler(self.writing, record)
        for name in wanted:
            if name in uses and name not in given:
                self._tell(uses[name], known=name in values, placed=placed)

    def _tell(self, use: Use, *, known: bool, placed: bool) -> None:
        name = use.name
        if name in _STANDS_FOR:
            message = _STANDS_FOR[name]
        elif known or name in _SAME_THERE or name.startswith("SLURM_STEP_") or (placed and name in _SHAPE):
            return
        elif name in _NUMBERS:
            message = f"`{name}` is the number of the worker's allocation, in which other jobs may run too"
        elif name in _OF_STEPS or name == TASK_ID:
            return
        else:
            message = f"`{name}` says what the worker's allocation has, not what this job asked for"
        self.writing.tell(C.ALLOCATION_VARIABLE, message, use.span or self.task.span)

    def _values(self, record: Resources | None) -> Iterator[tuple[str, str]]:
        """Give what Slurm would set for the script, as shell words."""
        yield "SLURM_JOB_NAME", quote(self.task.name)
        yield "SLURM_SUBMIT_DIR", '"$PWD"'
        yield from self._array()
        if record is None:
            yield from (("SLURM_NNODES", "1"), ("SLURM_JOB_NUM_NODES", "1"))
            return
        number = self.writing.number
        nodes, tasks, by_node = number(record.nodes), number(record.tasks), number(record.tasks_per_node)
        yield from ((name, str(nodes or 1)) for name in ("SLURM_NNODES", "SLURM_JOB_NUM_NODES"))
        if tasks or by_node:
            total = tasks or (by_node or 1) * (nodes or 1)
            yield from ((name, str(total)) for name in ("SLURM_NTASKS", "SLURM_NPROCS"))
            each = total // (nodes or 1)
            if each * (nodes or 1) == total:
                yield "SLURM_TASKS_PER_NODE", f"'{each}(x{nodes})'" if nodes and nodes > 1 else str(each)
        amounts = {"SLURM_NTASKS_PER_NODE": by_node, "SLURM_CPUS_PER_TASK": number(record.cpus)}
        for name, size in (("SLURM_MEM_PER_NODE", record.memory), ("SLURM_MEM_PER_CPU", record.memory_per_cpu)):
            amounts[name] = (number(size) or 0) // _MIB
        yield from ((name, str(value)) for name, value in amounts.items() if value)
        yield from self._by_option(record)

    def _by_option(self, record: Resources) -> Iterator[tuple[str, str]]:
        gpus = self.writing.number(record.gpus)
        name = _GPU_NAMES.get(option_for_gpus(record) or "")
        if gpus and name is not None:
            total = gpus * (self.writing.number(record.nodes) or 1) if name == "SLURM_GPUS" else gpus
            yield name, quote(":".join(part for part in (record.gpu_type, str(total)) if part))
        for item in options_of(self.writing, record):
            if item.name in _BY_OPTION and item.value:
                yield _BY_OPTION[item.name], quote(item.value)

    def _array(self) -> Iterator[tuple[str, str]]:
        arrays = self.writing.arrays
        sweep = self.task.sweep
        if sweep is None or len(sweep.parameters) != 1 or _index(self.task) is None:
            return
        number = "$TORC_WORKFLOW_ID"
        if len(arrays) > 1:
            number = f"$((TORC_WORKFLOW_ID * {len(arrays)} + {arrays[self.task.name]}))"
        yield "SLURM_ARRAY_JOB_ID", f'"{number}"' if len(arrays) == 1 else number
        yield from array_variables(sweep).items()

    def _calls(self, script: str, found: Found) -> None:
        for call in found.calls:
            message = _CALLS.get(call.name)
            asked = _REQUEUE.match(script, call.start) if call.name == "scontrol" else None
            if asked is not None:
                message = f"`scontrol {asked[1]}` acts on the allocation of the worker, with all jobs in it"
            if message is not None:
                self.writing.tell(C.SCHEDULER_CALL, message, call.span or self.task.span)
        original = self.writing.found.originals.get(self.task.name, self.task)
        for launch in found.launches if original.beside else ():
            if any(launch.components):
                numbers = ", ".join(str(number) for number in launch.components)
                message = f"`{launch.program}` starts in component {numbers}, and all nodes of the job are of one kind"
                if "-group" in script[launch.start : launch.command]:
                    message = f"`{launch.program}` asks for component {numbers}, which the allocation does not have"
                self.writing.tell(C.TOGETHER, message, launch.span or self.task.span)

    # streams and the environment

    def _exported(self, account: Account, record: Resources) -> None:
        value = next((item.value or "" for item in options_of(self.writing, record) if item.name == "export"), "")
        parts = [part for part in value.split(",") if part]
        words = {part.upper() for part in parts if "=" not in part}
        if parts and "ALL" not in words:
            message = f"`--export={value}` is a new environment; jobs of torc have that of their worker"
            account.approximate("directives", C.STREAM, message, span=place_of(record, "--export"))
        for part in parts:
            name, equals, text = part.partition("=")
            if equals and is_variable_name(name):
                self.lines.append(f"export {name}={quote(text)}")
            elif equals or not (is_variable_name(name) or words & {"NONE", "NIL"}):
                message = f"no shell can set the variable `{name}`"
                account.drop("directives", C.VARIABLE_NAME, message, span=place_of(record, "--export"))

    def _streams(self, account: Account, record: Resources) -> None:
        given = {item.name: item.value or "" for item in options_of(self.writing, record)}
        arrow = ">>" if given.get("open-mode", "").lower().startswith("a") else ">"
        output, error, source = given.get("output"), given.get("error"), given.get("input")
        parts = []
        for name, sign, value in (("input", "<", source), ("output", arrow, output), ("error", f"2{arrow}", error)):
            if value is None or (name == "error" and value == output):
                continue
            parts.append(f"{sign} {self._file(account, record, name, value)}")
        if output is not None and error in (None, output):
            parts.append("2>&1")
        if parts:
            self.lines.append(f"exec {' '.join(parts)}")
        elif "open-mode" in given:
            message = "torc keeps the output of each attempt in a file of its own"
            account.approximate("directives", C.STREAM, message, span=place_of(record, "--open-mode"))

    def _file(self, account: Account, record: Resources, option: str, value: str) -> str:
        if value.lower() in ("none", "/dev/null"):
            return "/dev/null"
        folder, slash, _ = value.rpartition("/")
        if option != "input" and (folder or self._folder()):
            # a driver makes such folders before it submits, and is not there any more
            made = f"mkdir -p {self._word(folder + slash) or self._folder()}"
            self.lines += [made] if made not in self.lines else []
        numbers = [found[0] for found in _PATTERN.finditer(value) if found[2] in "jAJr"]
        if numbers and "\\" not in value:
            message = f"`{numbers[0]}` in `--{option}={value}` becomes a number of torc's own"
            account.approximate("directives", C.STREAM, message, span=place_of(record, f"--{option}"))
        return self._word(value)

    def _folder(self) -> str:
        """Give the shell word of the folder in which the script starts, with a slash; none for the worker's own."""
        where = self.task.working_directory
        literal = self.writing.literal(where) if where is not None else None
        return f"{quote(literal.rstrip('/'))}/" if literal else ""

    def _word(self, value: str) -> str:
        """Give the shell word of a name with the letters that Slurm replaces (slurm.md §12)."""
        before = "" if value.startswith("/") or not value else self._folder()
        if "\\" in value:
            return before + quote(value.replace("\\", ""))
        parts, last = [], 0
        for found in _PATTERN.finditer(value):
            word = self._letter(found[2], found[1])
            if word is None:
                continue
            parts += [quote(value[last : found.start()])] if value[last : found.start()] else []
            parts.append(word)
            last = found.end()
        parts += [quote(value[last:])] if value[last:] else []
        return before + "".join(parts)

    def _letter(self, letter: str, width: str) -> str | None:
        """Give what a letter after `%` stands for as a shell word; None for letters that mean nothing."""
        index = _index(self.task)
        number = self.holes.text(self.writing.fold(index)) if index is not None else None
        array = next((word for name, word in self._array() if name == "SLURM_ARRAY_JOB_ID"), '"$TORC_JOB_ID"')
        numbers = {
            "j": '"$TORC_JOB_ID"',
            "J": '"$TORC_JOB_ID"',
            "A": array,
            "a": number or _NO_INDEX,
            "n": "0",
            "t": "0",
            "r": '"$((TORC_ATTEMPT_ID - 1))"',
        }
        if letter in numbers:
            word = numbers[letter]
            return f'"$(printf %0{min(int(width), 10)}d {word})"' if width.strip("0") else word
        words: Mapping[str, str] = {
            "x": quote(self.task.name),
            "u": '"$USER"',
            "N": '"${HOSTNAME%%.*}"',
            "s": "batch",
            "%": "%",
        }
        return words.get(letter)


_STANDS_FOR = {
    "SLURM_SUBMIT_DIR": "`SLURM_SUBMIT_DIR` is set to the folder in which the worker runs",
    "SLURM_ARRAY_JOB_ID": "`SLURM_ARRAY_JOB_ID` is set to a number that torc's number of the workflow gives",
}
"""What is said of variables that get a value of another origin."""


def starts_steps(task: Task) -> bool:
    """Whether a task's scripts start steps of Slurm, which cannot be done inside a step that a worker has started."""
    found = [step.found for step in (*task.steps, *task.cleanup) if step.found is not None]
    programs = {layer.program for item in found for launch in item.launches for layer in launch.layers}
    programs.update(launch.program for item in found for launch in item.launches)
    return any(_STARTER.match(program) for program in programs)


def _found(task: Task) -> Iterator[tuple[str, Found]]:
    for step in (*task.steps, *task.cleanup):
        if step.found is not None and isinstance(step.work, Script):
            from pwxc.shell.found import flatten

            yield flatten(step.work.text), step.found


def _uses(script: str, found: Found) -> list[Use]:
    """Give where a script first names each variable; in a text that is not read, any word may be one."""
    if found.complete:
        return list(found.uses)
    named = {item.group(): item for item in reversed(list(_VARIABLE.finditer(script)))}
    read = {use.name: use for use in found.uses}
    return [read.get(name) or Use(name, item.start(), item.end()) for name, item in reversed(named.items())]


def _read_by(launch: Launch) -> Iterator[str]:
    """Give the variables that a launcher takes its numbers from."""
    told = {
        "SLURM_NTASKS": launch.tasks,
        "SLURM_NPROCS": launch.tasks,
        "SLURM_NTASKS_PER_NODE": launch.tasks_per_node,
        "SLURM_NNODES": launch.nodes,
        "SLURM_JOB_NUM_NODES": launch.nodes,
        "SLURM_CPUS_PER_TASK": launch.cpus,
        "SLURM_GPUS": launch.gpus,
        "SLURM_GPUS_PER_NODE": launch.gpus,
    }
    yield from (name for name in _OF_STEPS if launch.open or told.get(name) is None)


def _index(task: Task) -> Template | None:
    """Give the index of an array's instance."""
    return next((item.value for item in task.environment if item.name == TASK_ID), None)
