"""What torc takes without a word and reads in another way than it looks (torc.md §4 to §16)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import attrs

from pwxc_targets.torc import regexes
from pwxc_targets.torc.linting import codes as C  # noqa: N812
from pwxc_targets.torc.linting.rulebook import RuleBook
from pwxc_targets.torc.model import Job
from pwxc_targets.torc.parameters import Context, ParameterError, parse, show
from pwxc_targets.torc.reading.relations import VARIABLE
from pwxc_targets.torc.records import tokens_of

_META = re.compile(r"[.+*?()|\[\]{}^$\\]")
_BRACES = re.compile(r"\{[^{},:]*\}")
_MONITOR = {"enabled", "granularity", "sample_interval_seconds", "generate_plots", "flush_interval_seconds"}
_MONITOR_BLOCKS = {
    "jobs": {"enabled", "granularity"},
    "compute_node": {"enabled", "granularity", "cpu", "memory"},
}
_PATTERNS = (
    "depends_on_regexes",
    "input_file_regexes",
    "output_file_regexes",
    "input_user_data_regexes",
    "output_user_data_regexes",
)
_JOB_TRIGGERS = ("on_jobs_ready", "on_jobs_complete")


@attrs.frozen
class _Printer:
    """Prints a value in the format of a token."""

    value: Any

    def __call__(self, token: re.Match[str]) -> str:
        return show(self.value, token[2] or "")


class Traps(RuleBook):
    """Silent traps of torc."""

    def _swept(self) -> Iterator[Any]:
        yield from self.spec.jobs
        yield from self.spec.files or []

    def check_untaken_parameters(self) -> None:
        """Find tokens of shared parameters in records that do not take them: they stay as they are."""
        shared = tuple(self.spec.parameters or ())
        if not shared:
            return
        tokens = tokens_of(shared)
        for record in self._swept():
            own = self.parameters(record)
            for key in ("name", "command", "path"):
                text = getattr(record, key, None) or ""
                found = next((one for one in tokens.finditer(text) if one[1] not in own), None)
                if found is not None:
                    message = f"`{found[0]}` stays as it is: `{record.name}` does not take the shared parameter"
                    help_text = f"add `use_parameters: [{found[1]}]`"
                    self.say(C.UNTAKEN_PARAMETER, message, record, key, help=help_text)
                    break

    def check_parameter_texts(self) -> None:
        """Find values that look like one thing and are read as another."""
        for owner in (self.spec, *self._swept(), *(self.spec.user_data or [])):
            for name, text in (owner.parameters or {}).items():
                if isinstance(text, str):
                    for message in _odd_values(text.strip()):
                        self.say(C.ODD_PARAMETER, f"parameter `{name}`: {message}", owner, "parameters", name)

    def check_unescaped_values(self) -> None:
        """Find parameters in patterns whose values hold signs that mean something there."""
        for job in self.spec.jobs:
            parameters = self.parameters(job)
            if not parameters:
                continue
            for key in _PATTERNS:
                for number, pattern in enumerate(getattr(job, key) or ()):
                    for token in tokens_of(tuple(parameters)).finditer(pattern):
                        value = _loose_value(parameters[token[1]], token[2] or "")
                        if value is not None:
                            message = f"`{value}` goes into the pattern as it is, so it is no literal text there"
                            self.say(C.UNESCAPED_VALUE, message, job, key, number)
                            break

    def check_literal_texts(self) -> None:
        """Find variables and tokens where nothing is replaced."""
        for owner, key, text in self._never_replaced():
            found = VARIABLE.search(text)
            if found is not None:
                self.say(C.LITERAL_TEXT, f"`{found[0]}` stays as it is: torc replaces nothing in `{key}`", owner, key)

    def _never_replaced(self) -> Iterator[tuple[Any, str, str]]:
        for text in (self.spec.env or {}).values():
            yield self.spec, "env", text
        for job in self.spec.jobs:
            for text in (job.env or {}).values():
                yield job, "env", text
        for handler in self.spec.failure_handlers or []:
            for rule in handler.rules:
                if rule.recovery_script is not None:
                    yield rule, "recovery_script", rule.recovery_script

    def check_no_effect(self) -> None:
        """Find keys that torc reads and does nothing with."""
        spec = self.spec
        if spec.user is not None:
            self.say(C.NO_EFFECT, "`user` counts for nothing: the person who creates the workflow does", spec, "user")
        if spec.compute_node_expiration_buffer_seconds is not None:
            key = "compute_node_expiration_buffer_seconds"
            self.say(C.NO_EFFECT, f"`{key}` counts for nothing from 0.16 on", spec, key)
        for scheduler in spec.slurm_schedulers or []:
            handed_on = f"--ntasks-per-node={scheduler.ntasks_per_node}" in (scheduler.more_options or "")
            if scheduler.ntasks_per_node is not None and not handed_on:
                message = "`ntasks_per_node` is stored and never passed on to Slurm"
                self.say(C.NO_EFFECT, message, scheduler, "ntasks_per_node", help="put it into `extra`")
        for job in spec.jobs:
            if job.supports_termination is not None:
                self.say(C.NO_EFFECT, "`supports_termination` counts for nothing in 0.25", job, "supports_termination")

    def check_monitor(self) -> None:
        """Find keys of the monitor that torc does not know: it is the one block that takes any."""
        monitor = self.spec.resource_monitor or {}
        unknown: list[tuple[str, ...]] = [
            (name,) for name in monitor if name not in _MONITOR and name not in _MONITOR_BLOCKS
        ]
        for block, known in _MONITOR_BLOCKS.items():
            inner = monitor.get(block)
            unknown.extend((block, name) for name in (inner if isinstance(inner, dict) else ()) if name not in known)
        for path in unknown:
            message = f"torc ignores `{path[-1]}` of `resource_monitor`"
            self.say(C.IGNORED_SETTING, message, self.spec, "resource_monitor", *path)

    def check_default_class(self) -> None:
        """Find a resource record with the name of torc's own."""
        for record in self.spec.resource_requirements or []:
            if record.name == "default":
                message = "every workflow has a resource record `default` of torc's own"
                self.say(C.RESERVED_NAME, message, record, "name", help="choose another name")

    def check_counting(self) -> None:
        """Find workers that count jobs: they look at no resources."""
        for action in self.spec.actions or []:
            if action.max_parallel_jobs is not None:
                message = "with `max_parallel_jobs` a worker counts its jobs and looks at none of their resources"
                self.say(C.COUNTING_WORKER, message, action, "max_parallel_jobs")

    def check_missed_triggers(self) -> None:
        """Find actions on jobs that may be cancelled: such a job is never counted."""
        may_be = [job for job in self.spec.jobs if _waits(job) and job.cancel_on_blocking_job_failure is not False]
        names = {job.name for job in may_be}
        for action in self.spec.actions or []:
            if action.trigger_type not in _JOB_TRIGGERS or not may_be:
                continue
            if action.job_name_regexes or names.intersection(action.jobs or ()):
                message = "the action does not fire when one of its jobs is cancelled: torc does not count that one"
                self.say(C.MISSED_TRIGGER, message, action, "trigger_type")

    def check_loose_patterns(self) -> None:
        """Find patterns that find more than they look as if they did: they are searched anywhere in a name."""
        names = [name for job in self.spec.jobs if (name := self._sample(job)) is not None]
        owners: list[tuple[Any, str]] = [(job, "depends_on_regexes") for job in self.spec.jobs]
        owners.extend((action, "job_name_regexes") for action in self.spec.actions or [])
        for owner, key in owners:
            for number, text in enumerate(getattr(owner, key) or ()):
                surprise = _surprise(text, names)
                if surprise is not None:
                    message = f"`{text}` is searched anywhere in a name, so it finds `{surprise}` too"
                    self.say(C.LOOSE_PATTERN, message, owner, key, number, help="anchor it with `^` and `$`")

    def _sample(self, job: Job) -> str | None:
        """Give the name of a job, or of its first instance."""
        name = job.name
        for parameter, text in self.parameters(job).items():
            try:
                values = parse(text, Context()) if isinstance(text, str) else None
            except ParameterError:
                return None
            if values is None or not len(values):
                return None
            name = tokens_of((parameter,)).sub(_Printer(values[0]), name)
        return name

    def check_planner(self) -> None:
        """Find resource records that the planner of allocations takes amiss."""
        if self.spec.slurm_schedulers is not None:
            return
        for record in self.spec.resource_requirements or []:
            if (record.num_nodes or 1) > 1:
                message = f"for `{record.name}` the planner asks for {record.num_nodes} allocations of one node each"
                self.say(C.PLANNER, message, record, "num_nodes", help="write the scheduler yourself")
            elif record.memory[-1:] in "kKtT" and record.memory[-1:]:
                message = f"the planner does not understand `{record.memory}`: it knows `m` and `g`"
                self.say(C.PLANNER, message, record, "memory")

    def check_far_cancel(self) -> None:
        """Find a job two steps behind another: releases to 0.25 let it run when the first one fails."""
        waiting = {job.name: job for job in self.spec.jobs if job.depends_on}
        for job in waiting.values():
            if job.cancel_on_blocking_job_failure is False:
                continue
            between = next((waiting[name] for name in job.depends_on or () if name in waiting), None)
            if between is not None and between.cancel_on_blocking_job_failure is not False:
                first = (between.depends_on or [""])[0]
                message = f"when `{first}` fails, torc 0.12 and 0.25 may let `{job.name}` run: they look one step far"
                self.say(C.FAR_CANCEL, message, job, "depends_on", help="later versions cancel it, as it is read here")
                return


def _waits(job: Job) -> bool:
    return bool(
        job.depends_on
        or job.depends_on_regexes
        or job.input_files
        or job.input_file_regexes
        or "${files.input." in job.command
    )


def _surprise(text: str, names: list[str]) -> str | None:
    """Give a name that a pattern finds by its middle, or as the beginning of another name that is meant."""
    try:
        pattern = regexes.compile(text)
        at_start = regexes.compile(f"^(?:{text})")
    except regexes.PatternError:
        return None
    if not text.startswith("^"):
        middle = next((name for name in names if pattern.search(name) and not at_start.search(name)), None)
        if middle is not None and any(at_start.search(name) for name in names):
            return middle
    literal = text.removeprefix("^")
    if _META.search(literal) is None and literal in names:
        return next((name for name in names if name != literal and pattern.search(name)), None)
    return None


def _odd_values(text: str) -> Iterator[str]:
    try:
        values = parse(text, Context())
    except ParameterError:
        return
    if text.startswith("[") and text.endswith("]"):
        inner = text[1:-1]
        items = [item.strip() for item in inner.split(",")]
        if any(item[:1] in ("'", '"') and (len(item) < 2 or item[-1] != item[0]) for item in items):
            yield "every comma separates values, in quotes too"
        if "[" in inner or "]" in inner:
            yield "lists in lists are cut at their commas"
        if items[-1] == "" and len(items) > 1:
            yield "the last comma makes a value without text"
    elif ":" in text and len(values) == 1 and text.count(":") == 2:
        yield f"the range has one value only, {show_first(values)}: the third number is the step, not a count"
    if any(isinstance(value, str) and _BRACES.search(value) for value in _few(values)):
        yield "braces in a value may be replaced once more"


def _few(values: Any) -> Iterator[Any]:
    items = getattr(values, "items", None)
    return iter(items[:1000] if items is not None else ())


def show_first(values: Any) -> str:
    """Print the first value."""
    return show(values[0])


def _loose_value(text: Any, format: str) -> str | None:
    try:
        values = parse(text, Context()) if isinstance(text, str) else None
    except ParameterError:
        return None
    shown = (show(value, format) for value in _few(values))
    return next((value for value in shown if _META.search(value)), None)
