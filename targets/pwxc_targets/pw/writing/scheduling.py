"""Which tasks are submitted to the scheduler, and what is asked of it (pw.md §13, §20.7).

Work that its source submits (batch scripts, jobs with a scheduler or an allocation) is submitted here too; what the
source runs on the machine itself runs over ssh, unless the user says otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
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
_PATH_OPTION = re.compile(r"(--(?:output|error|input)=)(.+)\Z")
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


_FROM_ALLOCATION = (
    *("partition", "account", "quality", "constraint", "reservation", "storage", "generic", "walltime"),
    *("tasks_per_node", "directives", "exclude_nodes", "node_list", "exclusive"),
)


def merged(own: Resources | None, allocation: Resources | None) -> Resources | None:
    """Give what a task asks for when it does not share its allocation with others.

    Its own requests count for size, the allocation's for place and time: the time of a job that runs in an
    allocation is an estimate, and what ends it is the allocation.
    """
    if own is None or allocation is None:
        return own or allocation
    default = {field.name: field.default for field in fields_of(own)}
    taken = {name: value for name in _FROM_ALLOCATION if (value := getattr(allocation, name)) != default[name]}
    if own.gpus and own.gpu_type is None:
        taken["gpu_type"] = allocation.gpu_type
    return changed(own, **taken)


def settle_requests(writing: Writing) -> None:
    """Settle the classes of resources and the allocations of the whole workflow."""
    used: dict[str, bool] = {}
    for task in writing.workflow.tasks:
        submitted = is_submitted(writing, task) is not False or any(_is_scheduled(step) for step in task.steps)
        for record in records_of(writing, task):
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

    def build(self, array: str | None = None) -> dict[str, Any]:
        """Give the `slurm` group; `array` is the text that stands for the index of an instance."""
        record, known = self.record, _FIELDS[self.runner]
        for name, option, value in self._pairs():
            if value is None:
                continue
            if name in known:
                self.group[name] = value
            else:
                self.lines.append(f"--{option}={value}")
        for name in _DEFAULTED[self.runner]:
            self.group.setdefault(name, NOTHING)
        if record.exclusive:
            self.lines.append("--exclusive")
        for template in record.directives:
            self.lines.append(self._directive(template, array))
        kept = list(self._kept())
        if self.lines or kept:
            written = [f"#SBATCH {line}" for line in self.lines] + kept
            self.group["scheduler_directives"] = written[0] if len(written) == 1 and kept else "\n".join(written) + "\n"
        return self.group

    def _directive(self, template: Template, array: str | None) -> str:
        """Write an option; the job runner's shell reads it as text in double quotes, on the login node."""
        if self.writing.own:
            return self.spelling.text(self.account, "resources", template)
        parts = [_ESCAPED.sub(r"\\\g<0>", part) if isinstance(part, str) else part for part in template.parts]
        line = self.spelling.text(self.account, "resources", Template.of(*parts))
        if self.writing.workflow.dialect != "slurm":
            return line
        found = _PATH_OPTION.match(line)
        if found is not None and self.folder and not found[2].startswith("/"):
            line = f"{found[1]}{self.folder}/{found[2]}"
        name, equals, value = line.partition("=")
        line = f"{name}='{value}'" if equals and " " in value and "'" not in value and "${{" not in value else line
        return _without_array(line, array) if array is not None else line

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
        return None if value is None else self.spelling.text(self.account, "resources", value)

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


def _without_array(line: str, index: str) -> str:
    """Replace the marks of an array's job and index in a file's name: each instance is a job of its own."""
    if not re.match(r"--(?:output|error|input)=", line):
        return line
    return _ARRAY_MARKS.sub(lambda found: index if found[2] == "a" else f"%{found[1]}j", line)


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
