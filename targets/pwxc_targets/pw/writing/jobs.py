"""Units (tasks outside gangs, and gangs) into jobs (osmo.md §29.2, §29.3)."""

from __future__ import annotations

from pwxc.fidelity import Account, Fate
from pwxc.ir.expr import Call, Expr
from pwxc.ir.resources import Resources
from pwxc.ir.task import ExitAction, Gang, Task
from pwxc.shell.stores import Transfers
from pwxc_targets.pw.expressions import print_expression
from pwxc_targets.pw.model import Job, Ssh, Step, Strategy
from pwxc_targets.pw.writing import codes as C  # noqa: N812
from pwxc_targets.pw.writing.context import Writing
from pwxc_targets.pw.writing.order import settle_condition, settle_edges, wait_for
from pwxc_targets.pw.writing.runner import prologue, run_alone, run_gang
from pwxc_targets.pw.writing.spelling import span_of
from pwxc_targets.pw.writing.strategy import Matrix, write_sweep
from pwxc_targets.pw.writing.submission import settle_smaller, slurm_group, submitted_steps
from pwxc_targets.pw.writing.taskscript import TaskScript


def write_unit(writing: Writing, unit: Task | Gang) -> Job:
    """Turn a unit into a job that ends with the unit's status."""
    with writing.ledger.of(unit, where=f"jobs.{writing.jobs[unit.name]}") as account:
        account.take("name")
        job = _gang_job(writing, account, unit) if isinstance(unit, Gang) else _task_job(writing, account, unit)
        lead = writing.tasks[unit.lead] if isinstance(unit, Gang) else unit
        condition = settle_condition(writing.ledger.of(lead), lead.condition)
        edges = settle_edges(writing, unit, account.take("needs"), lead.sweep)
        needs, job.if_ = wait_for(writing, account, writing.jobs[unit.name], edges, condition)
        job.needs = needs or None
    return job


def _task_job(writing: Writing, account: Account, task: Task) -> Job:
    transfers = Transfers(writing.options["copy"])
    matrix = write_sweep(writing, account, task)
    script = TaskScript(writing, task, {}, transfers, alone=not writing.scheduled, matrix=matrix)
    script.build(account)
    _settle_task(writing, account, task)
    retries = int(writing.options["retries"])
    body = run_alone(script, retries)
    lines = prologue(writing.workflow.name, [script], transfers, body)
    return _job(writing, account, task, lines, script.environment, [task], matrix)


def _gang_job(writing: Writing, account: Account, gang: Gang) -> Job:
    members = [writing.tasks[name] for name in gang.members]
    alone = len(members) == 1
    transfers = Transfers(writing.options["copy"])
    spread = writing.scheduled and not alone
    hosts = {member.name: f"$node_{at}" if spread else "127.0.0.1" for at, member in enumerate(members)}
    scripts = []
    for member in members:
        with writing.ledger.of(member, where=f"jobs.{writing.jobs[gang.name]}") as own:
            own.take("name")
            own.emulate("condition")  # the lead's counts for all
            script = TaskScript(writing, member, hosts, transfers, alone=alone and not writing.scheduled)
            script.build(own)
            _settle_task(writing, own, member)
        scripts.append(script)
    account.emulate("members", "lead", "barrier", "status")
    if not alone and not writing.scheduled:
        account.approximate("members", C.ONE_MACHINE, f"the members of `{gang.name}` share one machine")
    retries = int(writing.options["retries"])
    if alone:
        body = run_alone(scripts[0], retries)
    else:
        launch = [f'srun --nodes=1 --ntasks=1 --exact --nodelist="{host}"' for host in hosts.values()]
        body = run_gang(gang, scripts, retries, launch if spread else None)
    lines = prologue(writing.workflow.name, scripts, transfers, body, spread=spread)
    environment = {name: value for script in scripts for name, value in script.environment.items()}
    return _job(writing, account, gang, lines, environment, members)


def _job(
    writing: Writing,
    account: Account,
    unit: Task | Gang,
    lines: list[str],
    environment: dict[str, str],
    tasks: list[Task],
    matrix: Matrix | None = None,
) -> Job:
    name = unit.name
    ssh = Ssh(remote_host="${{ inputs." + writing.cluster + ".ip }}")
    walltime = _shorter(account.take("run_timeout", Fate.EXACT), writing, tasks)
    _queue_limit(account, unit)
    if not writing.scheduled:
        step = Step(name=name, run="\n".join(lines) + "\n", env=environment or None)
        return _repeated(Job(ssh=ssh, timeout=_timeout(writing, account, walltime), steps=[step]), matrix)
    records = [writing.resources[task.resources] for task in tasks if task.resources in writing.resources]
    record = _largest(records)
    slurm = slurm_group(writing, record, walltime, max(1, len(tasks)))
    if record is not None:
        settle_smaller(writing, record, records)
    if "time" not in slurm:
        account.warn(C.SITE_TIME, f"`{name}` has no time limit, so the job runner's own of 4 hours applies", once=True)
    steps = submitted_steps(writing, name, lines, environment, slurm, swept=matrix is not None)
    return _repeated(Job(ssh=ssh, steps=steps), matrix)


def _shorter(limit: float | Expr | None, writing: Writing, tasks: list[Task]) -> float | Expr | None:
    """Give the time limit of a job: its own, or that of its tasks' class of resources where this is less."""
    records = [writing.resources.get(task.resources or "") for task in tasks]
    limits = [record.walltime if record is not None else None for record in records]
    known = [value for value in limits if isinstance(value, int | float)]
    if len(known) != len(tasks) or not known or not isinstance(limit, int | float | None):
        return limit
    return max(known) if limit is None else min(limit, max(known))


def _repeated(job: Job, matrix: Matrix | None) -> Job:
    if matrix is not None:
        strategy = matrix.strategy
        job.strategy = Strategy(matrix=strategy.get("matrix"), fail_fast=strategy.get("fail-fast"))
        job.strategy.max_parallel = strategy.get("max-parallel")
    return job


def _largest(records: list[Resources]) -> Resources | None:
    def weight(record: Resources) -> tuple[int, int]:
        return (
            record.gpus if isinstance(record.gpus, int) else 1,
            record.cpus if isinstance(record.cpus, int) else 1,
        )

    return max(records, key=weight, default=None)


def _settle_task(writing: Writing, account: Account, task: Task) -> None:
    """Settle what is decided for a whole compilation: where requests go, and what retries are."""
    account.emulate("resources", "container")
    account.cosmetic("passthrough")
    if task.beside:
        message = f"`{task.name}` is written as one script for one kind of node"
        account.drop("beside", C.SECOND_COMPONENT, message)
    for rule in task.exit_rules:
        with writing.ledger.of(rule) as entry:
            entry.emulate("action", "codes")
            beyond = [f"{low}-{high}" if low != high else str(low) for low, high in rule.codes if high > 255]
            if beyond:
                message = f"the platform never sees exit codes {', '.join(beyond)}"
                entry.drop("codes", C.PLATFORM_CODES, message)
            if rule.action is ExitAction.RETRY and rule.retry is not None:
                limit = writing.options["retries"]
                with writing.ledger.of(rule.retry) as retry:
                    retry.emulate("interval", "attempt_timeout", "clean")
                    message = f"`{task.name}` is tried again at most {limit} times, on the same machine"
                    retry.approximate("limit", C.RETRY_LIMIT, message)
                entry.approximate("retry", C.RETRY_LIMIT, message)


def _queue_limit(account: Account, unit: Task | Gang) -> None:
    if unit.queue_timeout is not None:
        message = "the time in the queue is not limited"
        account.approximate("queue_timeout", C.QUEUE_LIMIT, message, once=True)


def _timeout(writing: Writing, account: Account, value: float | Expr | None) -> str | None:
    """Give a time limit in the platform's form: whole numbers with one unit."""
    if value is None:
        return None
    if isinstance(value, Call) and value.function == "duration":
        return "${{ " + print_expression(value.arguments[0]) + " }}"
    if not isinstance(value, int | float):
        account.approximate("run_timeout", C.FROZEN_VALUE, "the time limit is left out")
        return None
    return span_of(max(1, value))
