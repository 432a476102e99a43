"""Which tasks are submitted to the scheduler, and what is asked of it (pw.md §13, §20.7).

Work that its source submits (batch scripts, jobs with a scheduler or an allocation) is submitted here too; what the
source runs on the machine itself runs over ssh, unless the user says otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator
from typing import Any

import attrs

from pwxc.fidelity import Account, Fate
from pwxc.ir.entity import changed, fields_of
from pwxc.ir.expr import Expr
from pwxc.ir.resources import Resources
from pwxc.ir.task import Task
from pwxc.ir.template import Template
from pwxc.ir.workflow import RequestAllocation, Trigger
from pwxc_targets.pw.writing import codes as C  # noqa: N812
from pwxc_targets.pw.writing.context import Writing
from pwxc_targets.pw.writing.jobrunner import JOB_RUNNER
from pwxc_targets.pw.writing.spelling import Spelling, kept_by

SCRIPT_SUBMITTER = "marketplace/script_submitter/v3.6"
NOTHING = "undefined"
"""What a sub-workflow's field is given so that it does not take its default (§13.2)."""
_MEBIBYTE = 1024**2
_UNITS = ((1024**4, "T"), (1024**3, "G"), (_MEBIBYTE, "M"), (1024, "K"))
_FIELDS = {
    JOB_RUNNER: ("partition", "account", "qos", "time", "nodes", "cpus_per_task", "gres", "mem", "constraint"),
    SCRIPT_SUBMITTER: ("partition", "time", "gpus"),
}
_DEFAULTED = {JOB_RUNNER: ("time", "nodes", "cpus_per_task"), SCRIPT_SUBMITTER: ("time",)}
_FILE_OPTIONS = frozenset(["--output", "--error", "--input"])
_OF_CALLER = frozenset(
    (
        *("--parsable", "--quiet", "--verbose", "--wait", "--test-only", "--ignore-pbs", "--wrap", "--help"),
        *("--usage", "--version"),
    )
)
_QUOTED = re.compile(rf"[\s\"'\\#]|{NOTHING}")
_PLAIN_VALUE = re.compile(r"(--[\w-]+=)([^'\"\\$`]+)\Z")
_IN_QUOTES = re.compile(r"[\\']")
_ESCAPED = re.compile(r"[\\\"$`]")
_ARRAY_MARKS = re.compile(r"%(\d*)([Aa])")


def is_submitted(writing: Writing, task: Task) -> bool | Expr:
    """Whether a task's work is submitted; an expression where the source leaves it to an input."""
    place = task.placement
    if writing.own:
        return place.scheduled if place is not None else False
    if writing.options["submit"] != "auto":
        return writing.scheduled
    if place is not None and (place.scheduled is not False or place.allocation is not None):
        return place.scheduled if place.allocation is None else True
    if writing.workflow.dialect == "slurm":
        return place is None
    return _allocation(writing, task) is not None


def _allocation(writing: Writing, task: Task) -> str | None:
    """Give the allocation in which a task runs: its own, or one that a hook asks for."""
    if task.placement is not None and task.placement.allocation is not None:
        return task.placement.allocation
    found: str | None = None
    for hook in writing.workflow.hooks:
        if not isinstance(hook.action, RequestAllocation):
            continue
        if task.name in hook.tasks:
            return hook.action.allocation
        if hook.trigger is Trigger.WORKFLOW_START or found is None:
            found = hook.action.allocation
    return found


def records_of(writing: Writing, task: Task) -> tuple[Resources | None, Resources | None]:
    """Give the class of a task's own requests and that of the allocation in which it runs."""
    own = writing.resources.get(task.resources or "")
    name = None if writing.own else _allocation(writing, task)
    allocation = next((item for item in writing.workflow.allocations if item.name == name), None)
    return own, writing.resources.get((allocation.resources if allocation is not None else None) or "")


def beside_of(writing: Writing, task: Task) -> list[Resources]:
    """Give the classes of the nodes that a task has beside its own: further components of a heterogeneous job."""
    return [writing.resources.get(name) or Resources(name=name) for name in task.beside]


_FROM_ALLOCATION = (
    *("partition", "account", "quality", "constraint", "reservation", "storage", "generic", "walltime"),
    *("tasks_per_node", "directives", "exclude_nodes", "node_list", "exclusive"),
)


def merged(own: Resources | None, allocation: Resources | None) -> Resources | None:
    """Give what a task asks for when it does not share its allocation with others.

    Its own requests count for size and for its own time limit, the allocation's for place, and for time where the task
    has no limit.
    """
    if own is None or allocation is None:
        return own or allocation
    default = {field.name: field.default for field in fields_of(own)}
    taken = {name: value for name in _FROM_ALLOCATION if (value := getattr(allocation, name)) != default[name]}
    if own.walltime is not None:
        taken.pop("walltime", None)
    if own.gpus and own.gpu_type is None:
        taken["gpu_type"] = allocation.gpu_type
    return changed(own, **taken)


def settle_requests(writing: Writing) -> None:
    """Settle the classes of resources and the allocations of the whole workflow."""
    used: dict[str, bool] = {}
    for task in writing.workflow.tasks:
        submitted = is_submitted(writing, task) is not False or any(_is_scheduled(step) for step in task.steps)
        for record in (*records_of(writing, task), *beside_of(writing, task)):
            if record is not None:
                used[record.name] = used.get(record.name, True) and submitted
    for record in writing.workflow.resources:
        with writing.ledger.of(record) as account:
            if record.name not in used:
                account.whole(Fate.COSMETIC)
            elif used[record.name]:
                account.whole(Fate.EXACT if writing.own else Fate.EMULATED)
            else:
                _not_enforced(account, record)
    for allocation in writing.workflow.allocations:
        with writing.ledger.of(allocation) as account:
            if allocation.resources not in used:
                # nothing runs in it
                account.whole(Fate.COSMETIC)
                continue
            account.emulate("name", "resources")
            account.cosmetic("passthrough")
            message = "each job asks for its own nodes when it is ready; no nodes are shared or asked for ahead"
            account.approximate("name", C.ALLOCATION, message, once=True)
            account.take("count", Fate.EMULATED)


def _is_scheduled(step: Any) -> bool:
    return step.placement is not None and step.placement.scheduled is not False


def _not_enforced(account: Account, record: Resources) -> None:
    account.emulate("name")
    account.cosmetic("passthrough")
    names = [field.name for field in fields_of(record) if field.name not in ("name", "passthrough")]
    # one node is what there is
    asked = [name for name in names if getattr(record, name) and (name, getattr(record, name)) != ("nodes", 1)]
    shown = ", ".join(name.replace("_", " ") for name in asked)
    for name in names:
        account.emulate(name)
    for name in asked:
        message = f"requests of `{record.name}` are not enforced over ssh: {shown}"
        account.approximate(name, C.REQUESTS_NOT_ENFORCED, message, once=True)


@attrs.define
class Request:
    """What one submitted piece of work asks for, as the arguments of a sub-workflow."""

    writing: Writing
    account: Account
    record: Resources
    runner: str = JOB_RUNNER
    folder: str = ""
    """The folder from which the source submits: its relative paths start there."""
    group: dict[str, Any] = attrs.field(factory=dict)
    lines: list[str] = attrs.field(factory=list)

    @property
    def spelling(self) -> Spelling:
        """How texts are written."""
        return Spelling(self.writing)

    def build(
        self, array: str | None = None, beside: Iterable[Resources] = (), further: Iterable[str] = ()
    ) -> dict[str, Any]:
        """Give the `slurm` group.

        Args:
            array: the text that stands for the index of an instance.
            beside: what further components of a heterogeneous job ask for. The job runner writes its own lines
                before those of `scheduler_directives`, so that its fields belong to the first component.
            further: lines that a plug-in of the scheduler reads.
        """
        self._ask(_FIELDS[self.runner], array)
        for name in _DEFAULTED[self.runner]:
            self.group.setdefault(name, NOTHING)
        kept = list(self._kept())
        beside = list(beside)
        if beside or any(line.startswith("--array=") for line in self.lines):
            # the job runner does not find such jobs in the queue, and would take them for ended
            self.lines.append("--wait")
        written = [f"#SBATCH {line}" for line in self.lines] + kept
        for record in beside:
            part = Request(self.writing, self.account, record, self.runner, self.folder)
            part._ask((), array)
            written += ["#SBATCH hetjob", *(f"#SBATCH {line}" for line in part.lines)]
        written += [self.spelling.text(self.account, "resources", _for_shell(Template.of(line))) for line in further]
        if written:
            self.group["scheduler_directives"] = written[0] if len(written) == 1 and kept else "\n".join(written) + "\n"
        return self.group

    def _ask(self, fields: Container[str], array: str | None) -> None:
        """Put each request into its field, or into a line where there is none."""
        again = () if self.writing.own else _options_of(self.record)
        for name, option, value in self._pairs():
            if value is None or f"--{option}" in again:
                continue  # a directive says it in full
            if name in fields:
                self.group[name] = value
            else:
                self.lines.append(f"--{option}={value}")
        if self.record.exclusive:
            self.lines.append("--exclusive")
        self.lines += [self._directive(line, array) for line in self.record.directives if not self._is_of_caller(line)]

    def _is_of_caller(self, line: Template) -> bool:
        """Whether an option is about what `sbatch` tells its caller; the job runner reads that, and waits anyway."""
        start = line.parts[0] if line.parts and isinstance(line.parts[0], str) else ""
        name = start.partition("=")[0]
        if self.writing.own or name not in _OF_CALLER:
            return False
        if name == "--test-only":
            span = (self.record.places or {}).get(name)
            self.account.warn(C.FOREIGN_SETTING, "the job is submitted: `--test-only` is left out", span=span)
        return True

    def _directive(self, template: Template, array: str | None) -> str:
        """Write an option; the job runner's shell reads it as text in double quotes, on the login node."""
        if self.writing.own:
            plain = _PLAIN_VALUE.match(template.literal or "")
            if plain is not None and (plain[2] == "none" or re.search(r"[\s#]", plain[2])) and " -" not in plain[2]:
                return f"{plain[1]}'{plain[2]}'"
            return self.spelling.text(self.account, "resources", template)
        if self.writing.workflow.dialect != "slurm":
            return self.spelling.text(self.account, "resources", _for_shell(template))
        start = template.parts[0] if template.parts else ""
        name, equals, value = start.partition("=") if isinstance(start, str) else ("", "", "")
        if not equals:
            return self.spelling.text(self.account, "resources", _for_shell(template))
        if name in _FILE_OPTIONS:
            value = _without_array(value) if array is not None else value
            below = bool(self.folder and value) and not value.startswith("/") and value.lower() != "none"
            value = f"{_FOLDER}/{value}" if below else value
        quoted = _FOLDER in value and _QUOTED.search(_HOLE.sub("", self.folder)) is not None
        word = _word(Template.of(value, *template.parts[1:]), quoted=quoted)
        line = f"{name}={self.spelling.text(self.account, 'resources', _for_shell(word))}"
        return line.replace(_FOLDER, self.folder).replace(_INSTANCE, array or "")

    def _pairs(self) -> Iterator[tuple[str, str, Any]]:
        """Give each request with the name of the sub-workflow's field, that of the option, and its value."""
        record = self.record
        yield "partition", "partition", self._text(record.partition)
        yield "account", "account", self._text(record.account)
        yield "qos", "qos", self._text(record.quality)
        yield "time", "time", self._time(record.walltime)
        yield "nodes", "nodes", self._number(record.nodes)
        yield "", "ntasks", self._number(record.tasks)
        yield "", "ntasks-per-node", self._number(record.tasks_per_node)
        yield "cpus_per_task", "cpus-per-task", self._number(record.cpus)
        yield "mem", "mem", self._size(record.memory)
        yield "", "mem-per-cpu", self._size(record.memory_per_cpu)
        yield "", "tmp", self._size(record.storage)
        yield from self._gpus(record)
        yield "constraint", "constraint", self._text(record.constraint)
        yield "", "reservation", self._text(record.reservation)
        yield "", "nodelist", ",".join(record.node_list) or None
        yield "", "exclude", ",".join(record.exclude_nodes) or None

    def _gpus(self, record: Resources) -> Iterator[tuple[str, str, Any]]:
        kind = f"{record.gpu_type}:" if record.gpu_type else ""
        generic = self._text(record.generic)
        if not self.writing.own and _options_of(record) & {"--gpus", "--gpus-per-node"}:
            yield "gres", "gres", generic
            return
        if generic is not None and isinstance(record.gpus, int) and record.gpus and not self.writing.own:
            yield "gres", "gres", f"gpu:{kind}{record.gpus},{generic}"
            return
        yield "gres", "gres", generic
        if record.gpus is None or (record.gpus == 0 and not self.writing.own):
            return
        count = self._number(record.gpus)
        if self.runner == SCRIPT_SUBMITTER:
            yield "gpus", "gpus", f"{kind}{count}"
        elif generic is None and isinstance(count, int):
            yield "gres", "gres", f"gpu:{kind}{count}"
        else:
            yield "", "gpus-per-node", f"{kind}{count}"

    def _text(self, value: Template | None) -> str | None:
        if value is None:
            return None
        if self.writing.workflow.dialect == "slurm":
            value = _for_shell(_word(value))
        return self.spelling.text(self.account, "resources", value)

    def _number(self, value: int | Expr | None) -> Any:
        if value is None or isinstance(value, int):
            return value
        return self.spelling.value(self.account, "resources", value)

    def _time(self, value: float | Expr | None) -> str | None:
        if value is None:
            return None
        if not isinstance(value, int | float):
            return str(self.spelling.value(self.account, "resources", value))
        return clock(value)

    def _size(self, value: float | Expr | None) -> str | None:
        if value is None:
            return None
        if not isinstance(value, int | float):
            return str(self.spelling.value(self.account, "resources", value))
        for unit, letter in _UNITS[2:]:
            if value % unit == 0:
                return f"{int(value // unit)}{letter}"
        return f"{int(-(-value // _MEBIBYTE))}M"

    def _kept(self) -> Iterator[str]:
        """Give the lines that are known at submission only; other kept fields go back to their places."""
        for item in self.record.passthrough:
            if item.dialect != "pw":
                continue
            if isinstance(item.value, Template) and item.path[-1] in _LINES:
                yield self.spelling.text(self.account, "resources", item.value)
            elif item.path[0] == "slurm" and len(item.path) == 2:
                self.group[item.path[1]] = self.spelling.value(self.account, "resources", item.value)


_LINES = frozenset({"scheduler_directives", "scheduler-flags", "script-headers"})


def _for_shell(template: Template) -> Template:
    """Protect a text from the job runner's shell, which reads it in double quotes."""
    return Template.of(*(_ESCAPED.sub(r"\\\g<0>", part) if isinstance(part, str) else part for part in template.parts))


def _word(template: Template, *, quoted: bool = False) -> Template:
    """Write a value as a word of a directive, in quotes if need be, or if it is to be (slurm.md §3).

    The job runner takes out lines that end with `=none`, and those that have `undefined` anywhere.
    """
    literal = "".join(part for part in template.parts if isinstance(part, str))
    if not quoted and _QUOTED.search(literal) is None and not (literal == "none" and not template.holes):
        return template
    parts = [_IN_QUOTES.sub(r"\\\g<0>", part) if isinstance(part, str) else part for part in template.parts]
    guarded = [part.replace(NOTHING, "undefine\\d") if isinstance(part, str) else part for part in parts]
    return Template.of("'", *guarded, "'")


def _options_of(record: Resources) -> frozenset[str]:
    """Give the names of the options that directives say."""
    return frozenset((line.literal or "").partition("=")[0] for line in record.directives)


_INSTANCE, _FOLDER = "\0", "\1"
"""Stand for the index of an instance and for the source's folder until the rest of a line is written."""
_HOLE = re.compile(r"\$\{\{.*?\}\}")


def _without_array(name: str) -> str:
    """Replace the marks of an array's job and index in a file's name: each instance is a job of its own."""
    return _ARRAY_MARKS.sub(lambda found: _INSTANCE if found[2] == "a" else f"%{found[1]}j", name)


def clock(seconds: float) -> str:
    """Write a time as `D-HH:MM:SS`, rounded up."""
    whole = max(1, int(-(-seconds // 1)))
    days, rest = divmod(whole, 86400)
    shown = f"{rest // 3600:02d}:{rest % 3600 // 60:02d}:{rest % 60:02d}"
    return f"{days}-{shown}" if days else shown


def runner_for(record: Resources | None, given: frozenset[str]) -> str:
    """Choose the sub-workflow: the one that has what the source gave it."""
    only = {"define_cleanup_script", "cleanup_script_path", "use_scheduler_agent", "submit_and_exit"}
    kept = kept_by(record.passthrough, "pw") if record is not None else {}
    if given & {*only, "skip_cleanups_file"} or "is_enabled" in (kept.get(("pbs",)) or ()):
        return SCRIPT_SUBMITTER
    if record is None or isinstance(record.gpus, int | None):
        return JOB_RUNNER
    late = (record.account, record.quality, record.constraint, record.nodes, record.cpus, record.memory)
    return JOB_RUNNER if any(value is not None for value in late) else SCRIPT_SUBMITTER
