"""Actions into hooks (torc.md §9)."""

from __future__ import annotations

from pwxc.diagnostics import did_you_mean
from pwxc.ir.entity import Passthrough
from pwxc.ir.template import Template, text
from pwxc.ir.workflow import Hook, HookAction, RequestAllocation, RunCommands, Trigger
from pwxc_targets.torc import regexes
from pwxc_targets.torc.model import Action
from pwxc_targets.torc.reading import codes as C  # noqa: N812
from pwxc_targets.torc.reading.reader import Reader
from pwxc_targets.torc.reading.selection import TooManyError, Unroll
from pwxc_targets.torc.reading.site import ignored
from pwxc_targets.torc.records import Record

TRIGGERS = {
    "on_workflow_start": Trigger.WORKFLOW_START,
    "on_workflow_complete": Trigger.WORKFLOW_COMPLETE,
    "on_jobs_ready": Trigger.TASKS_READY,
    "on_jobs_complete": Trigger.TASKS_COMPLETE,
    "on_worker_start": Trigger.WORKER_START,
    "on_worker_complete": Trigger.WORKER_COMPLETE,
}
OF_TASKS = (Trigger.TASKS_READY, Trigger.TASKS_COMPLETE)
OF_WORKERS = (Trigger.WORKER_START, Trigger.WORKER_COMPLETE)


def lower_hooks(low: Reader) -> tuple[Hook, ...]:
    """Read the actions."""
    made = [_hook(low, action) for action in low.spec.actions or [] if isinstance(action, Action)]
    return tuple(hook for hook in made if hook is not None)


def _hook(low: Reader, action: Action) -> Hook | None:
    trigger = TRIGGERS.get(action.trigger_type)
    if trigger is None:
        message = f"`{action.trigger_type}` is no trigger; torc takes the action and never runs it"
        at = low.span(action, "trigger_type")
        low.diagnostics.add(C.UNKNOWN_TRIGGER, message, at, help=did_you_mean(action.trigger_type, TRIGGERS))
        return None
    operation = _operation(low, action)
    tasks = _selection(low, action, trigger)
    if operation is None:
        return None
    kept = list(ignored(action.extra))
    if action.start_server_on_head_node is not None:
        value = action.start_server_on_head_node
        kept.append(Passthrough("torc", ("start_server_on_head_node",), value, low.span(action), inert=True))
    return Hook(
        trigger=trigger,
        action=operation,
        tasks=tasks,
        patterns=_kept_patterns(low, action, tasks),
        persistent=_persistence(low, action, trigger),
        passthrough=tuple(kept),
        span=low.span(action),
    )


def _kept_patterns(low: Reader, action: Action, tasks: tuple[str, ...]) -> tuple[str, ...]:
    """Give the patterns as written, without those that would find more if they met a sweep's own name `work_{n}`."""
    others = {record.id for record in low.resolver.jobs} - set(tasks)
    kept = []
    for text_of_pattern in action.job_name_regexes or ():
        try:
            pattern = regexes.compile(text_of_pattern)
        except regexes.PatternError:
            continue
        if not any(pattern.search(name) for name in others):
            kept.append(text_of_pattern)
    return tuple(kept)


def _persistence(low: Reader, action: Action, trigger: Trigger) -> bool:
    if action.persistent is None and trigger in OF_WORKERS:
        low.diagnostics.add(
            C.UNSAID_PERSISTENCE,
            f"`{action.trigger_type}` without `persistent`: the guide says that every worker runs it, torc's code"
            " runs it once; it is read as the guide says",
            low.span(action, "trigger_type"),
            help="write `persistent: true` or `persistent: false`",
        )
        return True
    if action.persistent and trigger not in OF_WORKERS:
        low.diagnostics.add(
            C.RESTLESS_ACTION,
            "`persistent` on this trigger makes every worker run the action again and again",
            low.span(action, "persistent"),
            help="use it with `on_worker_start` and `on_worker_complete` only",
        )
    return bool(action.persistent)


def _operation(low: Reader, action: Action) -> HookAction | None:
    if action.action_type == "run_commands":
        if not action.commands:
            message = "`run_commands` needs `commands`, at least one"
            low.diagnostics.add(C.INCOMPLETE_ACTION, message, low.span(action, "action_type"))
            return None
        return RunCommands(tuple(text(command) for command in action.commands))
    if action.action_type == "schedule_nodes":
        return _request(low, action)
    message = f"there is no action type `{action.action_type}`"
    help_text = did_you_mean(action.action_type, ("run_commands", "schedule_nodes"))
    low.diagnostics.add(C.INCOMPLETE_ACTION, message, low.span(action, "action_type"), help=help_text)
    return None


def _request(low: Reader, action: Action) -> RequestAllocation | None:
    missing = [name for name in ("scheduler", "scheduler_type") if getattr(action, name) is None]
    if missing:
        message = "`schedule_nodes` needs " + " and ".join(f"`{name}`" for name in missing)
        low.diagnostics.add(C.INCOMPLETE_ACTION, message, low.span(action, "action_type"))
        return None
    assert action.scheduler is not None
    assert action.scheduler_type is not None
    known = [item.name or "" for item in low.spec.slurm_schedulers or []]
    if action.scheduler_type != "slurm":
        message = f"torc does nothing for the scheduler type `{action.scheduler_type}`"
        low.diagnostics.add(C.IDLE_ACTION, message, low.span(action, "scheduler_type"), help="the type is `slurm`")
    elif action.scheduler not in known:
        message = f"there is no scheduler `{action.scheduler}`"
        help_text = did_you_mean(action.scheduler, known)
        low.diagnostics.add(C.UNKNOWN_SCHEDULER, message, low.span(action, "scheduler"), help=help_text)
    return RequestAllocation(
        allocation=action.scheduler,
        kind=action.scheduler_type,
        count=1 if action.num_allocations is None else action.num_allocations,
        start_one_worker_per_node=bool(action.start_one_worker_per_node),
        max_parallel=action.max_parallel_jobs,
    )


def _selection(low: Reader, action: Action, trigger: Trigger) -> tuple[str, ...]:
    chosen: dict[Record, None] = {}
    index = low.resolver.job_index
    nobody = low.resolver.jobs[0] if low.resolver.jobs else None
    for number, name in enumerate(action.jobs or ()):
        found = index.find(Template((name,) if name else ()), nobody) if nobody is not None else None
        if found is None:
            message = f"the action names the job `{name}`, but there is no such job"
            help_text = did_you_mean(name, [record.id for record in low.resolver.jobs[:2000]])
            low.diagnostics.add(C.UNKNOWN_JOB, message, low.span(action, "jobs", number), help=help_text)
        else:
            chosen[found.records[0] if isinstance(found, Unroll) else found.record] = None
    for number, pattern_text in enumerate(action.job_name_regexes or ()):
        chosen.update(dict.fromkeys(_matched(low, action, number, pattern_text)))
    if trigger in OF_TASKS:
        _check_selection(low, action, chosen)
    elif action.jobs or action.job_name_regexes:
        message = f"`{action.trigger_type}` takes no jobs; they have no effect"
        low.diagnostics.add(C.IDLE_SELECTION, message, low.span(action, "trigger_type"))
    return tuple(record.id for record in chosen)


def _matched(low: Reader, action: Action, number: int, pattern_text: str) -> list[Record]:
    at = low.span(action, "job_name_regexes", number)
    try:
        whole, partial = low.resolver.job_index.select(regexes.compile(pattern_text))
    except regexes.PatternError as fault:
        low.diagnostics.add(C.BAD_PATTERN, f"the bad pattern `{pattern_text}`: {fault}", at)
        return []
    except TooManyError:
        low.diagnostics.add(C.TOO_MANY_INSTANCES, f"too many names to look for `{pattern_text}` in", at)
        return []
    if not whole and not partial and (action.jobs or len(action.job_name_regexes or ()) > 1):
        low.diagnostics.add(C.IDLE_SELECTION, f"no job matches `{pattern_text}`", at)
    return [*whole, *partial]


def _check_selection(low: Reader, action: Action, chosen: dict[Record, None]) -> None:
    if action.jobs is None and action.job_name_regexes is None:
        message = f"`{action.trigger_type}` without `jobs` and `job_name_regexes` never fires"
        low.diagnostics.add(C.NEVER_FIRES, message, low.span(action, "trigger_type"))
    elif not chosen and not low.diagnostics.failed:
        message = "the action selects no job"
        low.diagnostics.add(C.NOTHING_MATCHES, message, low.span(action, "job_name_regexes"))
