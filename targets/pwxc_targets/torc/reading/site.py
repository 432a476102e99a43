"""What torc jobs run in: resource records, Slurm schedulers and failure handlers, into the IR (torc.md §7, §8, §10)."""

from __future__ import annotations

import re
import shlex
from typing import Any

from pwxc.diagnostics import did_you_mean
from pwxc.ir.entity import Passthrough
from pwxc.ir.resources import Allocation, Resources
from pwxc.ir.task import ExitAction, ExitRule, Retry
from pwxc.ir.template import Template, text
from pwxc_targets.torc.model import Job, ResourceRequirements, SlurmScheduler
from pwxc_targets.torc.reading import codes as C  # noqa: N812
from pwxc_targets.torc.reading.reader import Reader
from pwxc_targets.torc.units import (
    format_duration,
    is_plain_walltime,
    is_whole_duration,
    parse_duration,
    parse_memory,
    parse_slurm_memory,
    parse_walltime,
)

DEFAULT_RUNTIME = 3600
DEFAULT_WALLTIME = "01:00:00"
DEFAULT_RETRIES = 3
EXCLUDED_DEFAULTS = frozenset({"partition", "nodes", "walltime", "time", "mem", "gres", "name", "job-name"})
_GRES = re.compile(r"gpu(?::([A-Za-z][\w.-]*))?(?::([0-9]+))?\Z")


def lower_resources(low: Reader) -> tuple[Resources, ...]:
    """Read the resource records."""
    made: dict[str, Resources] = {}
    for record in low.spec.resource_requirements or []:
        if not hasattr(record, "name"):
            continue
        if record.name in made:
            message = f"there are two resource records called `{record.name}`"
            low.diagnostics.add(C.DOUBLE_NAME, message, low.head(record))
            continue
        memory = parse_memory(record.memory)
        if memory is None:
            message = f"torc does not take `{record.memory}` for an amount of memory"
            help_text = "a whole number with one of `k`, `m`, `g`, `t`: `1536m`"
            low.diagnostics.add(C.BAD_MEMORY, message, low.span(record, "memory"), help=help_text)
        elif record.memory.isdecimal():
            message = f"`{record.memory}` without a unit means bytes to torc's server and MiB to its planner"
            low.diagnostics.add(C.BARE_MEMORY, message, low.span(record, "memory"))
        runtime = DEFAULT_RUNTIME if record.runtime is None else parse_duration(record.runtime)
        if runtime is None:
            message = f"`{record.runtime}` is no duration that torc reads rightly"
            help_text = "ISO 8601 without fractions: `PT90M`, `P1DT12H`"
            low.diagnostics.add(C.BAD_DURATION, message, low.span(record, "runtime"), help=help_text)
        elif record.runtime is not None and not is_whole_duration(record.runtime):
            message = f"torc reads `{record.runtime}` as `{format_duration(runtime)}`"
            help_text = "write whole numbers, each with its unit: `PT1H30M`"
            low.diagnostics.add(C.ODD_DURATION, message, low.span(record, "runtime"), help=help_text)
        made[record.name] = Resources(
            name=record.name,
            nodes=_count(low, record, "num_nodes", 1),
            cpus=_count(low, record, "num_cpus", 0),
            gpus=_count(low, record, "num_gpus", 0),
            memory=memory,
            walltime=runtime,
            passthrough=ignored(record.extra),
            span=low.head(record),
        )
    return tuple(made.values())


def _count(low: Reader, record: ResourceRequirements, name: str, least: int) -> int:
    value = getattr(record, name)
    if value is None:
        return least
    if value < least:
        low.diagnostics.add(C.BAD_COUNT, f"`{name}` of {value} is taken for {least}", low.span(record, name))
    return int(max(value, least))


def ignored(extra: dict[str, Any]) -> tuple[Passthrough, ...]:
    """Keep keys that torc does not know: where they are no errors, the first versions took no notice of them."""
    return tuple(Passthrough("torc", (name,), value, inert=True) for name, value in extra.items())


def lower_schedulers(low: Reader) -> tuple[tuple[Resources, ...], tuple[Allocation, ...]]:
    """Read the Slurm schedulers, each as an allocation and its own class of resources."""
    classes: list[Resources] = []
    allocations: dict[str, Allocation] = {}
    taken = {record.name for record in low.spec.resource_requirements or [] if hasattr(record, "name")}
    defaults = _defaults(low)
    for record in low.spec.slurm_schedulers or []:
        if not isinstance(record, SlurmScheduler):
            continue
        if record.name is None:
            low.diagnostics.add(C.UNNAMED, "torc drops a scheduler without a name", low.span(record))
            continue
        if record.name in allocations:
            message = f"there are two schedulers called `{record.name}`"
            low.diagnostics.add(C.DOUBLE_NAME, message, low.head(record))
            continue
        name = record.name
        while name in taken:
            name += "-allocation"
        taken.add(name)
        classes.append(_scheduler_class(low, record, name, defaults))
        serialised = record.serialize_allocations
        kept = Passthrough("torc", ("serialize_allocations",), serialised, inert=not serialised)
        allocations[record.name] = Allocation(
            name=record.name,
            resources=name,
            passthrough=(*ignored(record.extra), *((kept,) if serialised is not None else ())),
            span=low.head(record),
        )
    return tuple(classes), tuple(allocations.values())


def _defaults(low: Reader) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in (low.spec.slurm_defaults or {}).items():
        option = key.lower().replace("_", "-")
        at = low.span(low.spec, "slurm_defaults", key)
        if option in EXCLUDED_DEFAULTS:
            low.diagnostics.add(C.EXCLUDED_DEFAULT, f"`slurm_defaults` cannot have `{key}`: torc writes it itself", at)
        elif isinstance(value, bool):
            found[key.replace("_", "-")] = str(value).lower()
            message = f"torc writes `--{option}={str(value).lower()}`, which sbatch may refuse"
            low.diagnostics.add(C.BOOLEAN_DEFAULT, message, at, help=f"put `--{option}` into `extra` of the schedulers")
        elif isinstance(value, str | int | float):
            found[key.replace("_", "-")] = str(value)
        else:
            low.diagnostics.add(C.SKIPPED_DEFAULT, f"torc skips `{key}`: it is no text, number or boolean", at)
    return found


def _scheduler_class(low: Reader, record: SlurmScheduler, name: str, defaults: dict[str, str]) -> Resources:
    kept: list[Passthrough] = []
    walltime_text = record.walltime or DEFAULT_WALLTIME
    walltime = parse_walltime(walltime_text)
    if not is_plain_walltime(walltime_text):
        message = f"versions of torc and Slurm read `{walltime_text}` differently"
        help_text = "write `HH:MM:SS` or `D-HH:MM:SS`"
        low.diagnostics.add(C.ODD_WALLTIME, message, low.span(record, "walltime"), help=help_text)
        at = low.span(record, "walltime")
        kept.append(Passthrough("torc", ("walltime",), walltime_text, at, inert=True))
    gpus, gpu_type, generic = _gres(record.gres)
    sizes: dict[str, int | None] = {}
    for key in ("mem", "tmp"):
        value = getattr(record, key)
        sizes[key] = None if value is None else parse_slurm_memory(value)
        if value is not None and sizes[key] is None:
            kept.append(Passthrough("torc", (key,), value, low.span(record, key)))
    used = {"account", *(("qos",) if record.qos is not None else ())}
    quality = record.qos if record.qos is not None else defaults.get("qos")
    directives = [f"--{key}={value}" for key, value in defaults.items() if key not in used and key != "qos"]
    directives.extend(_extra(record.more_options))
    return Resources(
        name=name,
        nodes=1 if record.nodes is None else record.nodes,
        tasks_per_node=record.ntasks_per_node,
        memory=sizes["mem"],
        storage=sizes["tmp"],
        gpus=gpus,
        gpu_type=gpu_type,
        generic=generic,
        walltime=walltime,
        partition=_maybe(record.partition),
        account=text(record.account),
        quality=_maybe(quality),
        directives=tuple(text(item) for item in directives),
        passthrough=tuple(kept),
        span=low.head(record),
    )


def _maybe(value: str | None) -> Template | None:
    return None if value is None else text(value)


def _gres(value: str | None) -> tuple[int | None, str | None, Template | None]:
    if value is None:
        return None, None, None
    found = _GRES.match(value)
    if found is None:
        return None, None, text(value)
    return int(found[2] or 1), found[1], None


def _extra(value: str | None) -> list[str]:
    if not value or not value.strip():
        return []
    try:
        words = shlex.split(value)
    except ValueError:
        return [value.strip()]
    whole = all(word.startswith("--") and " " not in word for word in words)
    return words if whole and shlex.join(words) == value.strip() else [value.strip()]


def check_scheduler(low: Reader, name: str, job: Job) -> None:
    """Report a job's scheduler that does not exist."""
    known = [item.name or "" for item in low.spec.slurm_schedulers or []]
    if name not in known:
        message = f"`{job.name}`: there is no scheduler `{name}`"
        low.diagnostics.add(C.UNKNOWN_SCHEDULER, message, low.span(job, "scheduler"), help=did_you_mean(name, known))


def check_class(low: Reader, name: str, job: Job) -> None:
    """Report a job's resource record that does not exist."""
    known = [item.name for item in low.spec.resource_requirements or []]
    if name not in known:
        at = low.span(job, "resource_requirements")
        message = f"`{job.name}`: there is no resource record `{name}`"
        low.diagnostics.add(C.UNKNOWN_RESOURCES, message, at, help=did_you_mean(name, known))


def lower_handlers(low: Reader) -> dict[str, tuple[ExitRule, ...]]:
    """Read the failure handlers as exit rules; torc tries exact codes before rules for all codes."""
    made: dict[str, tuple[ExitRule, ...]] = {}
    for handler in low.spec.failure_handlers or []:
        if not hasattr(handler, "name"):
            continue
        if handler.name in made:
            message = f"there are two failure handlers called `{handler.name}`"
            low.diagnostics.add(C.DOUBLE_NAME, message, low.head(handler))
            continue
        exact: list[ExitRule] = []
        general: list[ExitRule] = []
        for rule in handler.rules:
            if not hasattr(rule, "exit_codes"):
                continue
            # handlers are asked about failures only, so a rule for 0 never applies
            codes = tuple((code, code) for code in rule.exit_codes or () if code != 0)
            attempts = DEFAULT_RETRIES if rule.max_retries is None else rule.max_retries
            if not codes and not rule.match_all_exit_codes:
                none = "no exit code but 0" if rule.exit_codes else "no exit codes"
                low.diagnostics.add(C.IDLE_RULE, f"the rule has {none}, so it never applies", low.span(rule))
                continue
            if attempts < 2:
                message = f"`max_retries: {attempts}` counts the first attempt, so nothing is tried again"
                low.diagnostics.add(C.NO_RETRY, message, low.span(rule, "max_retries"))
            recovery = _maybe(rule.recovery_script)
            retry = Retry(limit=max(0, attempts - 1))
            if codes:
                exact.append(
                    ExitRule(action=ExitAction.RETRY, codes=codes, retry=retry, recovery=recovery, span=low.span(rule))
                )
            if rule.match_all_exit_codes:
                general.append(
                    ExitRule(action=ExitAction.RETRY, codes=(), retry=retry, recovery=recovery, span=low.span(rule))
                )
        made[handler.name] = (*exact, *general[:1])
    return made
