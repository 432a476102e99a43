"""Resource records, schedulers, failure handlers and actions, out of the IR."""

from __future__ import annotations

from typing import Any

from pwxc.fidelity import Account
from pwxc.ir.entity import place_of
from pwxc.ir.resources import Allocation, Resources
from pwxc.ir.task import ExitAction, ExitRule, Task
from pwxc.ir.workflow import Hook, RequestAllocation, Trigger
from pwxc_targets.torc.reading.hooks import OF_TASKS, OF_WORKERS, TRIGGERS
from pwxc_targets.torc.reading.site import EXCLUDED_DEFAULTS
from pwxc_targets.torc.units import format_duration, format_memory, format_walltime
from pwxc_targets.torc.writing import codes as C  # noqa: N812
from pwxc_targets.torc.writing.amounts import UNLIMITED, amounts
from pwxc_targets.torc.writing.hooktasks import FoundHook
from pwxc_targets.torc.writing.options import option_for_gpus, settle_options
from pwxc_targets.torc.writing.schedulers import SITE_FIELDS, Asked
from pwxc_targets.torc.writing.state import FIRST_RUNTIME, Writing

_KEPT = ("serialize_allocations",)
_WORDS = {trigger: word for word, trigger in TRIGGERS.items()}
_ELSEWHERE = (*SITE_FIELDS, "platform", "topology", "storage", "gpu_type")
"""What torc's jobs cannot ask for."""


def write_resources(writing: Writing, members: dict[str, int], covered: set[str]) -> list[dict[str, Any]]:
    """Write the classes of resources that tasks use; `members` multiplies the nodes of some (gangs).

    The site of the `covered` ones is said by schedulers.
    """
    records = []
    of_allocations = {item.resources for item in writing.workflow.allocations}
    used = {task.resources for task in writing.workflow.tasks}
    for record in writing.workflow.resources:
        if record.name in of_allocations and record.name not in used:
            continue
        with writing.ledger.of(record) as account:
            records.append(_record(writing, account, record))
            if record.name not in covered:
                settle_options(writing, account, record, None)
            said = {*SITE_FIELDS, "gpu_type", "storage"} if record.name in covered else ()
            for name in _ELSEWHERE:
                if getattr(record, name) and name not in said:
                    shown = name.replace("_", " ")
                    message = f"`{shown}` of `{record.name}` belongs to an allocation; torc's jobs do not ask for it"
                    account.approximate(name, C.ALLOCATION_ONLY, message, once=True)
            account.cosmetic("passthrough")
    for name, nodes in members.items():
        base = next((item for item in records if item["name"] == name), None) or _fallback(name)
        records.append({**base, "name": gang_class(name, nodes), "num_nodes": nodes})
    return records


def gang_class(name: str | None, nodes: int) -> str:
    """Give the name of a class for a gang of so many members."""
    return f"{name or 'gang'}_x{nodes}"


def _fallback(name: str) -> dict[str, Any]:
    return {"name": name, "num_cpus": 1, "num_gpus": 0, "num_nodes": 1, "memory": "1g", "runtime": "PT1H"}


def _record(writing: Writing, account: Account, record: Resources) -> dict[str, Any]:
    for name in ("name", "cpus", "nodes", "gpus", "memory", "walltime"):
        account.take(name)
    account.emulate("tasks_per_node", "tasks", "memory_per_cpu")
    for name in ("cpus", "gpus", "nodes", "memory", "walltime"):
        if getattr(record, name) is not None and writing.number(getattr(record, name)) is None:
            message = f"`{name}` of `{record.name}` is known only at submission"
            account.approximate(name, C.UNKNOWN_AMOUNT, message)
    amount = amounts(writing, record)
    if record.nodes is None and writing.workflow.dialect == "slurm" and amount.tasks > 1:
        message = f"all {amount.tasks} processes of `{record.name}` are put on one node; Slurm may spread them"
        account.approximate("tasks", C.BY_NODE, message, help="say how many with `--nodes`")
    if amount.gpus and (amount.nodes or 1) > 1 and option_for_gpus(record) == "gpus":
        message = f"each of the {amount.nodes} nodes of `{record.name}` has {amount.gpus} of the graphics processors"
        account.approximate("gpus", C.BY_NODE, message)
    if amount.memory is None and writing.workflow.dialect == "slurm" and writing.knows("spec", "execution_config"):
        message = "tasks that name no memory get 1 GiB, and are ended when they use more"
        writing.ledger.add_once(C.CHOSEN_MEMORY, message, record.span, help="say how much with `--mem`")
    if amount.walltime == UNLIMITED:
        message = f"`{record.name}` has no time limit; torc needs one, and gets {UNLIMITED // 86_400} days"
        account.approximate("directives", C.CHOSEN_RUNTIME, message, span=place_of(record, "--time"))
    return {
        "name": record.name,
        "num_cpus": amount.cores if record.cpus != 0 else 0,
        "num_gpus": amount.gpus or 0,
        "num_nodes": 1 if amount.nodes is None else amount.nodes,
        "memory": format_memory(amount.memory) if amount.memory is not None else "1g",
        "runtime": format_duration(amount.walltime if amount.walltime is not None else FIRST_RUNTIME),
    }


def write_allocations(writing: Writing) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Write the allocations as Slurm schedulers, and the options that all of them share."""
    made: list[dict[str, Any]] = []
    options: list[dict[str, str]] = []
    rest: list[list[str]] = []
    for item in writing.workflow.allocations:
        with writing.ledger.of(item) as account:
            account.take("name")
            account.take("resources")
            record = writing.resources.get(item.resources or "")
            kept = {entry.path[0]: entry.value for entry in account.take("passthrough") if entry.dialect == "torc"}
            if item.count is not None:
                account.approximate("count", C.ALLOCATION_ONLY, "torc counts allocations in actions", once=True)
            scheduler = _scheduler(writing, item, record)
            pairs, others = _split_options(writing, record)
            made.append({**scheduler, **{name: kept[name] for name in _KEPT if name in kept}})
            options.append(pairs)
            rest.append(others)
    shared = _shared(options) if len(options) > 1 else {}
    for scheduler, pairs, others in zip(made, options, rest, strict=True):
        own = [f"--{key}={value}" for key, value in pairs.items() if key not in shared]
        if own or others:
            scheduler["extra"] = " ".join([*own, *others])
    return made, shared if writing.knows("spec", "slurm_defaults") else {}


def _shared(options: list[dict[str, str]]) -> dict[str, Any]:
    first, *others = options
    return {
        key: value
        for key, value in first.items()
        if key not in EXCLUDED_DEFAULTS and all(other.get(key) == value for other in others)
    }


def _split_options(writing: Writing, record: Resources | None) -> tuple[dict[str, str], list[str]]:
    pairs: dict[str, str] = {}
    others: list[str] = []
    for directive in record.directives if record is not None else ():
        text = writing.literal(directive) or ""
        key, equals, value = text.removeprefix("--").partition("=")
        if text.startswith("--") and equals and " " not in text and key not in pairs:
            pairs[key] = value
        elif text:
            others.append(text)
    if record is not None:
        for name in ("constraint", "reservation"):
            chosen = writing.literal(getattr(record, name))
            if chosen:
                pairs[name] = chosen
        if record.exclude_nodes:
            pairs["exclude"] = ",".join(record.exclude_nodes)
        if record.node_list:
            pairs["nodelist"] = ",".join(record.node_list)
        if record.exclusive:
            others.append("--exclusive")
    return pairs, others


def _scheduler(writing: Writing, item: Allocation, record: Resources | None) -> dict[str, Any]:
    if record is None:
        return {"name": item.name, "account": _account(writing, item, None)}
    kept = {entry.path[0]: entry.value for entry in record.passthrough if entry.dialect == "torc"}
    with writing.ledger.of(record) as account:
        for name in ("name", "account", "partition", "quality", "walltime", "nodes", "memory", "storage", "gpus"):
            account.take(name)
        account.emulate("directives", "constraint", "reservation", "exclude_nodes", "node_list", "exclusive")
        account.take("generic")
        account.take("gpu_type")
        account.take("tasks_per_node")
        account.take("passthrough")
        for name in ("cpus", "tasks", "memory_per_cpu", "platform", "topology"):
            message = f"a scheduler of torc has no `{name.replace('_', ' ')}`"
            account.approximate(name, C.ALLOCATION_ONLY, message, once=True)
    made: dict[str, Any] = {"name": item.name, "account": _account(writing, item, record)}
    walltime = writing.number(record.walltime)
    values = {
        "partition": writing.literal(record.partition),
        "qos": writing.literal(record.quality),
        "walltime": kept.get("walltime") or (format_walltime(walltime) if walltime is not None else None),
        "nodes": writing.number(record.nodes),
        "mem": kept.get("mem") or _memory(writing, record.memory),
        "gres": writing.literal(record.generic) or _gres(writing, record),
        "tmp": kept.get("tmp") or _memory(writing, record.storage),
        "ntasks_per_node": writing.number(record.tasks_per_node),
    }
    made.update({name: value for name, value in values.items() if value is not None})
    return made


def _memory(writing: Writing, value: Any) -> str | None:
    size = writing.number(value)
    return None if size is None else format_memory(size) if size else "0"


def _gres(writing: Writing, record: Resources) -> str | None:
    count = writing.number(record.gpus)
    if count is None:
        return None
    return ":".join(part for part in ("gpu", record.gpu_type, str(count)) if part)


def _account(writing: Writing, item: Allocation, record: Resources | None) -> str:
    found = writing.literal(record.account) if record is not None else None
    if found or writing.options["account"]:
        return found or writing.options["account"]
    with writing.ledger.of(item) as account:
        message = f"the scheduler `{item.name}` needs an account"
        help_text = "give it with `--option torc.account=NAME`"
        account.manual("name", C.ACCOUNT, message, help=help_text)
    return "ACCOUNT"


def write_handler(writing: Writing, task: Task) -> str | None:
    """Give the name of the failure handler for a task's retry rules, or None when it has none."""
    retries = [rule for rule in task.exit_rules if rule.action is ExitAction.RETRY]
    for rule in task.exit_rules:
        _settle_rule(writing, rule)
    if not retries:
        return None
    if not writing.knows("spec", "failure_handlers"):
        with writing.ledger.of(retries[0]) as entry:
            entry.drop("action", C.NO_RETRIES, f"torc {writing.version} tries no job again")
        return None
    records = [_rule(writing, rule) for rule in retries]
    key = tuple(repr(sorted(record.items())) for record in records)
    if key not in writing.handlers:
        name = _handler_name(records)
        while name in writing.handlers.values():
            name += "_"
        writing.handlers[key] = name
        writing.handler_records.append({"name": name, "rules": records})
    return writing.handlers[key]


def _handler_name(records: list[dict[str, Any]]) -> str:
    codes = [str(code) for record in records for code in record.get("exit_codes", ())]
    return "retry_" + ("_".join(codes[:4]) if 0 < len(codes) <= 4 else "some" if codes else "all")


def _settle_rule(writing: Writing, rule: ExitRule) -> None:
    with writing.ledger.of(rule) as entry:
        entry.take("action")
        entry.take("codes")
        entry.take("recovery")
        entry.take("retry")
        if any(high > 255 for _, high in rule.codes):
            entry.drop("codes", C.PLATFORM_CODES, "exit codes above 255 never reach torc")
        if rule.action is ExitAction.RETRY and any(low <= 0 <= high for low, high in rule.codes):
            entry.drop("codes", C.NO_RETRIES, "a job that ends with 0 has succeeded, and torc does not try it again")
        if rule.retry is not None:
            with writing.ledger.of(rule.retry) as retry:
                retry.take("limit")
                retry.emulate("clean")
                if rule.retry.limit is None:
                    retry.approximate("limit", C.RETRY_LIMIT, "the number of attempts is left to the site: three here")
                for name in ("interval", "attempt_timeout"):
                    message = f"torc has no `{name.replace('_', ' ')}` for further attempts"
                    retry.approximate(name, C.RETRY_LIMIT, message)


def _rule(writing: Writing, rule: ExitRule) -> dict[str, Any]:
    record: dict[str, Any] = {}
    if rule.codes:
        record["exit_codes"] = [code for low, high in rule.codes for code in range(low, min(high, 255) + 1)]
    else:
        record["match_all_exit_codes"] = True
    recovery = writing.literal(rule.recovery)
    if recovery:
        record["recovery_script"] = recovery
    limit = writing.number(rule.retry.limit) if rule.retry is not None and rule.retry.limit is not None else 2
    record["max_retries"] = (2 if limit is None else limit) + 1
    return record


def write_hook(writing: Writing, hook: Hook, select: Any) -> dict[str, Any] | None:
    """Write a hook as an action; `select` gives names and patterns for tasks."""
    with writing.ledger.of(hook) as account:
        for name in ("trigger", "action", "tasks", "patterns", "persistent"):
            account.take(name)
        record: dict[str, Any] = {"trigger_type": _WORDS[hook.trigger]}
        record["action_type"] = "schedule_nodes" if isinstance(hook.action, RequestAllocation) else "run_commands"
        kept = {entry.path[0]: entry.value for entry in account.take("passthrough") if entry.dialect == "torc"}
    names, patterns = select(hook)
    if names:
        record["jobs"] = names
    if patterns:
        record["job_name_regexes"] = patterns
    if isinstance(hook.action, RequestAllocation):
        record["scheduler"] = hook.action.allocation
        record["scheduler_type"] = hook.action.kind
        record["num_allocations"] = hook.action.count
        if hook.action.start_one_worker_per_node:
            record["start_one_worker_per_node"] = True
        if hook.action.max_parallel is not None:
            record["max_parallel_jobs"] = hook.action.max_parallel
    else:
        record["commands"] = [_command(writing, hook, item) for item in hook.action.commands]
    if hook.persistent or hook.trigger in OF_WORKERS:
        record["persistent"] = hook.persistent
    if hook.trigger in OF_TASKS and not (names or patterns) and writing.workflow.dialect != "torc":
        return None
    return {**record, **{name: value for name, value in kept.items() if writing.version == "r0"}}


def write_request(asked: Asked, names: list[str], patterns: list[str]) -> dict[str, Any]:
    """Write an action that asks for allocations: when jobs are ready, or at the start if none are named."""
    trigger = Trigger.TASKS_READY if names or patterns else Trigger.WORKFLOW_START
    record: dict[str, Any] = {"trigger_type": _WORDS[trigger], "action_type": "schedule_nodes"}
    if names:
        record["jobs"] = names
    if patterns:
        record["job_name_regexes"] = patterns
    record |= {"scheduler": asked.scheduler, "scheduler_type": "slurm", "num_allocations": asked.count}
    return {**record, "max_parallel_jobs": 1} if asked.alone else record


def write_found(hook: FoundHook, names: list[str], patterns: list[str]) -> dict[str, Any]:
    """Write an action that jobs or steps of the source stood for."""
    record: dict[str, Any] = {"trigger_type": _WORDS[hook.trigger], "action_type": "run_commands"}
    if names:
        record["jobs"] = names
    if patterns:
        record["job_name_regexes"] = patterns
    record["commands"] = list(hook.commands)
    if hook.trigger in OF_WORKERS:
        record["persistent"] = hook.persistent
    return record


def _command(writing: Writing, hook: Hook, template: Any) -> str:
    text = writing.literal(template)
    if text is not None:
        return text
    with writing.ledger.of(hook) as account:
        message = "an action's commands cannot hold values of the run"
        account.drop("action", C.HOOK_HOLES, message)
    folded = writing.fold(template)
    return "".join(part if isinstance(part, str) else "" for part in folded.parts)


def is_on_tasks(hook: Hook) -> bool:
    """Whether a hook's trigger looks at tasks."""
    return hook.trigger in (Trigger.TASKS_READY, Trigger.TASKS_COMPLETE)
