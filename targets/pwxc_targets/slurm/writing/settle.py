"""The account of what the writer did: a fate for each leaf of the workflow (osmo.md §29, pw.md §20, torc.md §25)."""

from __future__ import annotations

from collections.abc import Iterable

from pwxc.fidelity import Account, Fate
from pwxc.ir.data import Dataset, Read, TaskOutput, Url, Write
from pwxc.ir.entity import Passthrough
from pwxc.ir.expr import Expr
from pwxc.ir.inputs import Input, InputType
from pwxc.ir.resources import Container, Placement, Resources
from pwxc.ir.sweep import Range, Sweep, Values
from pwxc.ir.task import ActionCall, ExitRule, Gang, Step, Task
from pwxc.ir.workflow import Hook, RequestAllocation, Trigger, Unit
from pwxc_targets.slurm import codes as C  # noqa: N812
from pwxc_targets.slurm.writing.context import Context
from pwxc_targets.slurm.writing.leaves import settle_leaves
from pwxc_targets.slurm.writing.plan import Plan
from pwxc_targets.slurm.writing.retries import requeues

_FORM_DIALECTS = ("osmo", "pw", "torc", "slurm")


def settle(context: Context, plan: Plan) -> None:
    """Settle every leaf of the workflow."""
    workflow = context.workflow
    settle_leaves(workflow, context.ledger)
    with context.ledger.of(workflow) as account:
        account.cosmetic("description", "labels", "presets", "dialect")
        account.take("name")
        account.emulate("environment", "files", "data", "parameters")
        account.take("tasks", Fate.EMULATED)
        account.take("gangs", Fate.EMULATED)
        account.emulate("inputs")
        account.emulate("timeout")
        if workflow.sessions:
            account.drop("sessions", C.PLATFORM, "sessions belong to the platform of the source")
        if workflow.permissions:
            account.drop("permissions", C.PLATFORM, "permissions belong to the platform of the source")
        if workflow.secrets:
            account.manual("secrets", C.SECRET, "secrets are read from the environment or from files of mode 600")
        _passthrough(account, workflow.passthrough)
        account.emulate("hooks", "allocations")
        account.take("resources")
    _parts(context, plan)


def _parts(context: Context, plan: Plan) -> None:
    workflow = context.workflow
    for edge, field, code, message in plan.losses:
        with context.ledger.of(edge) as account:
            account.approximate(field, code, message)
    for item in workflow.inputs:
        _input(context, item)
    requeued = {task.resources: task.name for task in reversed(workflow.tasks) if requeues(context, task)}
    for resources in workflow.resources:
        _resources(context, resources, requeued.get(resources.name))
    for allocation in workflow.allocations:
        with context.ledger.of(allocation) as account:
            account.emulate("name", "resources", "count")
            _passthrough(account, allocation.passthrough)
    for file in workflow.files:
        with context.ledger.of(file) as account:
            _passthrough(account, file.passthrough)
        if file.sweep is not None:
            context.ledger.of(file.sweep).whole(Fate.EMULATED)
    for datum in workflow.data:
        with context.ledger.of(datum) as account:
            _passthrough(account, datum.passthrough)
    for hook in workflow.hooks:
        _hook(context, hook)
    for task in workflow.tasks:
        _task(context, plan, task)
    for gang in workflow.gangs:
        _gang(context, plan, gang)


def _passthrough(account: Account, items: Iterable[Passthrough]) -> None:
    told = ", ".join(sorted({".".join(item.path) for item in items if not item.inert}))
    if not told:
        account.cosmetic("passthrough")
        return
    account.drop("passthrough", C.NO_COUNTERPART, f"Slurm has nothing for `{told}` of the source")


def _input(context: Context, item: Input) -> None:
    with context.ledger.of(item) as account:
        account.take("name", Fate.EMULATED)
        account.emulate("type", "default", "has_default", "optional", "minimum", "maximum", "choices", "items")
        account.cosmetic("label", "help", "form")
        for name in ("hidden", "ignored"):
            if isinstance(getattr(item, name), bool):
                account.cosmetic(name)
            else:
                account.cosmetic(name)
        if item.type is InputType.SECRET:
            account.manual(
                "type", C.SECRET, f"the secret `{item.name}` is read from the environment of the submit script"
            )
        _passthrough(account, item.passthrough)
    for child in item.items:
        _input(context, child)


_RESOURCES = (
    "name", "nodes", "tasks", "tasks_per_node", "cpus", "memory", "memory_per_cpu", "storage", "gpus", "gpu_type",
    "generic", "walltime", "partition", "account", "quality", "constraint", "exclude_nodes", "node_list", "exclusive",
    "reservation", "directives",
)  # fmt: skip


def _resources(context: Context, resources: Resources, requeued: str | None) -> None:
    with context.ledger.of(resources) as account:
        for name in _RESOURCES:
            account.take(name)
        if requeued is not None and resources.walltime is not None:
            account.approximate("walltime", C.STEP_LIMIT, f"`{requeued}`: each attempt has the whole time limit")
        if resources.platform is not None:
            message = f"`{resources.platform.literal or 'a platform'}` is the source's name for a kind of machine"
            account.approximate("platform", C.SITE_MAPPING, message, help="name a partition with `slurm.partition`")
        if resources.topology:
            account.approximate("topology", C.TOPOLOGY, "nearness is asked for with `--switches=1`")
        _passthrough(account, tuple(item for item in resources.passthrough if item.dialect != "slurm"))


def _hook(context: Context, hook: Hook) -> None:
    with context.ledger.of(hook) as account:
        account.emulate("trigger", "action", "tasks", "patterns", "persistent")
        if isinstance(hook.action, RequestAllocation):
            account.approximate("action", C.WORKER_HOOK, "no allocation is asked for: every job is one of its own")
        elif hook.trigger in (Trigger.WORKER_START, Trigger.WORKER_COMPLETE):
            account.approximate("action", C.WORKER_HOOK, "the commands for each worker run in each job")
        _passthrough(account, hook.passthrough)


def _task(context: Context, plan: Plan, task: Task) -> None:
    with context.ledger.of(task) as account:
        for name in ("name", "needs", "resources"):
            account.take(name)
        account.emulate(
            "steps", "cleanup", "condition", "reads", "writes", "files", "environment", "outputs",
            "working_directory", "exit_rules", "sweep", "run_timeout",
        )  # fmt: skip
        if task.beside and (task.sweep is not None or task.name in context.gangs):
            message = f"`{task.name}`: an array, or a member of a gang, has no further components"
            account.drop("beside", C.NO_COMPONENTS, message)
        else:
            account.take("beside")
        _task_losses(context, plan, task, account)
    _task_parts(context, plan, task)


def _task_losses(context: Context, plan: Plan, task: Task, account: Account) -> None:
    if task.placement is not None:
        account.emulate("placement")
        _placement(context, task.placement)
    if task.container is not None:
        account.emulate("container")
        _container(context, task.container)
    _queue(account, task, plan)
    if task.priority is not None:
        account.approximate("priority", C.PRIORITY, f"`{task.name}`: the priority becomes a `--nice` value")
    account.emulate("stop_when_another_fails")
    _task_data(context, task, account)


def _task_data(context: Context, task: Task, account: Account) -> None:
    if task.secrets:
        account.manual("secrets", C.SECRET, f"`{task.name}`: secrets are read from the environment or from files")
        for secret in task.secrets:
            if secret.folder is not None:
                with context.ledger.of(secret) as part:
                    part.emulate("folder")
    if task.checkpoints:
        account.approximate("checkpoints", C.CHECKPOINT, f"`{task.name}`: a loop copies the checkpoint away")
    _passthrough(account, [item for item in task.passthrough if item.dialect != "slurm"])


def _task_parts(context: Context, plan: Plan, task: Task) -> None:
    for step in (*task.steps, *task.cleanup):
        _step(context, step)
    for read in task.reads:
        _read(context, read)
    for write in task.writes:
        _write(context, write)
    for rule in task.exit_rules:
        _rule(context, rule)
    if task.sweep is not None:
        _sweep(context, task.name, task.sweep, fixed=task.name in plan.decoded or task.name in context.gangs)


def _placement(context: Context, placement: Placement) -> None:
    with context.ledger.of(placement) as account:
        if placement.host is not None or placement.cluster is not None:
            message = "the work is submitted to the Slurm where the submit script runs"
            field = "host" if placement.host is not None else "cluster"
            account.approximate(field, C.HOST, message)
        account.cosmetic("user", "jump_host", "jump_user", "scheduled", "allocation")
        if placement.host is not None:
            account.emulate("cluster")
        if placement.pool is not None:
            account.approximate("pool", C.SITE_MAPPING, "the pool is the source's name for a group of machines")
        _passthrough(account, placement.passthrough)


def _container(context: Context, container: Container) -> None:
    with context.ledger.of(container) as account:
        account.cosmetic("host_network")
        if context.container == "none":
            account.approximate("image", C.CONTAINER_NOT_USED, f"the image `{_told(container)}` is not used")
            if container.mounts:
                account.approximate("mounts", C.CONTAINER_NOT_USED, "mounts are not made without a container")
        else:
            account.emulate("image", "mounts")
        if container.privileged:
            account.drop("privileged", C.PRIVILEGE, "a job has no more rights than its user")
        _passthrough(account, container.passthrough)


def _told(container: Container) -> str:
    return container.image.literal or "of an expression"


def _step(context: Context, step: Step) -> None:
    with context.ledger.of(step) as account:
        account.cosmetic("name")
        account.emulate(
            "work",
            "id",
            "condition",
            "environment",
            "working_directory",
            "timeout",
            "retry",
            "cleanup",
            "ignore_errors",
        )
        if isinstance(step.work, ActionCall) and step.work.name != "parallelworks/checkout":
            account.drop("work", C.ACTION, f"the action `{step.work.name}` is not at hand")
        if step.placement is not None:
            account.emulate("placement")
        if step.retry is not None and step.timeout is not None:
            account.approximate("timeout", C.STEP_LIMIT, "the time limit of the step holds for each of its attempts")
        if step.retry is not None and step.retry.limit is None:
            with context.ledger.of(step.retry) as part:
                part.emulate("interval", "attempt_timeout", "clean")
                part.approximate("limit", C.CHOSEN_LIMIT, f"{context.retries} further attempts are made")
        account.emulate("stop_when_another_fails")
        _passthrough(account, step.passthrough)


def _read(context: Context, read: Read) -> None:
    with context.ledger.of(read) as account:
        account.emulate("name", "pattern", "implied")
        match read.origin:
            case Dataset():
                account.drop("origin", C.DATASET, f"the data set of `{read.name}` is not there")
            case TaskOutput(run=run) if run is not None:
                account.drop("origin", C.PLATFORM, f"the earlier run `{run}` is known to the source's system only")
            case Url():
                account.approximate("origin", C.TRANSFER, "objects are fetched with the store's own tool")
            case _:
                account.emulate("origin")


def _write(context: Context, write: Write) -> None:
    with context.ledger.of(write) as account:
        account.emulate("pattern", "implied")
        if isinstance(write.destination, Dataset):
            account.drop("destination", C.DATASET, "the data set is not written")
        elif isinstance(write.destination, Url):
            account.approximate("destination", C.TRANSFER, "objects are sent with the store's own tool")
        else:
            account.emulate("destination")


def _rule(context: Context, rule: ExitRule) -> None:
    with context.ledger.of(rule) as account:
        account.emulate("action", "codes", "retry", "recovery")
    if rule.action.value == "retry" and (rule.retry is None or rule.retry.limit is None):
        message = f"{context.retries} further attempts are made"
        if rule.retry is None:
            context.say(C.CHOSEN_LIMIT, message, rule.span)
            return
        with context.ledger.of(rule.retry) as account:
            account.emulate("interval", "attempt_timeout", "clean")
            context.say(C.CHOSEN_LIMIT, message, rule.span)
            account.emulate("limit")


def _sweep(context: Context, name: str, sweep: Sweep, *, fixed: bool) -> None:
    with context.ledger.of(sweep) as account:
        account.emulate("parameters", "mode", "include", "exclude")
        most = int(context.options["instance_limit"])
        if sweep.size is not None and sweep.size > most:
            lengths = {len(item.values): item for item in sweep.parameters if isinstance(item.values, Range | Values)}
            longest = lengths[max(lengths)]
            message = f"`{name}` has {sweep.size:,} instances, and at most {most:,} are submitted"
            context.say(C.LONG_SWEEP, message, longest.span or sweep.span)
        if len(sweep.parameters) < 2:
            account.cosmetic("mode")
        if not fixed:  # said as a whole
            account.emulate("limit", "fail_fast")
            return
        if isinstance(sweep.limit, int):
            account.take("limit")
        elif isinstance(sweep.limit, Expr):
            account.emulate("limit")
        account.emulate("fail_fast")


def _queue(account: Account, unit: Unit, plan: Plan) -> None:
    if unit.queue_timeout is None:
        return
    told = "the wait in the queue is limited by a deadline, which includes the time limit of the job"
    if unit.name not in plan.patient:
        told = "the wait in the queue is not limited: that takes a number here and for the time limit of the job"
    account.approximate("queue_timeout", C.QUEUE_LIMIT, f"`{unit.name}`: {told}")


def _gang(context: Context, plan: Plan, gang: Gang) -> None:
    with context.ledger.of(gang) as account:
        account.take("name")
        account.take("needs")
        account.emulate("members", "lead", "barrier", "status", "run_timeout")
        _queue(account, gang, plan)
        _passthrough(account, gang.passthrough)
