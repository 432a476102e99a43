"""Units (tasks outside gangs, and gangs) into jobs (osmo.md §29.2, §29.3)."""

from __future__ import annotations

from typing import Any

from pwxc.fidelity import Account, Fate
from pwxc.ir.expr import Call, Expr
from pwxc.ir.resources import Resources
from pwxc.ir.task import Edge, ExitAction, Gang, Outcome, Task
from pwxc.shell.stores import Transfers
from pwxc_targets.pw.expressions import print_expression
from pwxc_targets.pw.model import Job, Ssh, Step
from pwxc_targets.pw.writing import codes as C  # noqa: N812
from pwxc_targets.pw.writing.context import Writing
from pwxc_targets.pw.writing.runner import prologue, run_alone, run_gang
from pwxc_targets.pw.writing.submission import settle_smaller, slurm_group, submitted_steps
from pwxc_targets.pw.writing.taskscript import TaskScript

_CONDITIONS = {Outcome.END: "${{ always }}", Outcome.FAILURE: "${{ error }}"}


def write_unit(writing: Writing, unit: Task | Gang) -> Job:
    """Turn a unit into a job that ends with the unit's status."""
    with writing.ledger.of(unit, where=f"jobs.{writing.jobs[unit.name]}") as account:
        account.take("name")
        job = _gang_job(writing, account, unit) if isinstance(unit, Gang) else _task_job(writing, account, unit)
        job.needs, job.if_ = _needs(writing, account, unit)
    return job


def _task_job(writing: Writing, account: Account, task: Task) -> Job:
    transfers = Transfers(writing.options["copy"])
    script = TaskScript(writing, task, {}, transfers, alone=not writing.scheduled)
    script.build(account)
    _settle_task(writing, account, task)
    retries = int(writing.options["retries"])
    body = run_alone(script, retries)
    lines = prologue(writing.workflow.name, [script], transfers, body)
    return _job(writing, account, task, lines, script.environment, [task])


def _gang_job(writing: Writing, account: Account, gang: Gang) -> Job:
    members = [writing.tasks[name] for name in gang.members]
    alone = len(members) == 1
    transfers = Transfers(writing.options["copy"])
    spread = writing.scheduled and not alone
    hosts = {member.name: f"$node_{at}" if spread else "127.0.0.1" for at, member in enumerate(members)}
    scripts = []
    for member in members:
        script = TaskScript(writing, member, hosts, transfers, alone=alone and not writing.scheduled)
        with writing.ledger.of(member, where=f"jobs.{writing.jobs[gang.name]}") as own:
            own.take("name")
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
) -> Job:
    name = unit.name
    ssh = Ssh(remote_host="${{ inputs." + writing.cluster + ".ip }}")
    walltime = account.take("run_timeout", Fate.EXACT)
    _queue_limit(account, unit)
    if not writing.scheduled:
        step = Step(name=name, run="\n".join(lines) + "\n", env=environment or None)
        return Job(ssh=ssh, timeout=_timeout(writing, account, walltime), steps=[step])
    records = [writing.resources[task.resources] for task in tasks if task.resources in writing.resources]
    record = _largest(records)
    slurm = slurm_group(writing, record, walltime, max(1, len(tasks)))
    if record is not None:
        settle_smaller(writing, record, records)
    if "time" not in slurm:
        account.warn(C.SITE_TIME, f"`{name}` has no time limit, so the job runner's own of 4 hours applies", once=True)
    return Job(ssh=ssh, steps=submitted_steps(writing, name, lines, environment, slurm))


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
    seconds = max(1, int(-(-value // 1)))
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def _needs(writing: Writing, account: Account, unit: Task | Gang) -> tuple[list[str] | None, Any]:
    """Give the jobs that a unit waits for, and the condition that says for which outcome."""
    names: list[str] = []
    outcomes: set[Outcome] = set()
    for edge in account.take("needs"):
        with writing.ledger.of(edge) as entry:
            entry.take("parent")
            entry.take("when")
            entry.take("same_instance", Fate.EMULATED)
            entry.cosmetic("implied")
            _settle_edge(entry, edge)
        if edge.when is Outcome.START:
            continue
        job = writing.jobs[edge.parent]
        names.append(f"{job}:any" if edge.any_instance else job)
        outcomes.add(edge.when)
    if len(outcomes) > 1 and Outcome.SUCCESS in outcomes:
        outcomes = {Outcome.END} if Outcome.END in outcomes else outcomes
    condition = next((_CONDITIONS[outcome] for outcome in outcomes if outcome in _CONDITIONS), None)
    return names or None, condition


def _settle_edge(entry: Account, edge: Edge) -> None:
    entry.take("any_instance")
    if edge.when is Outcome.START:
        entry.drop("when", C.NO_COUNTERPART, f"a job cannot wait for the start of `{edge.parent}`")
    if edge.delay:
        entry.drop("delay", C.NO_COUNTERPART, f"the delay after `{edge.parent}` is left out")
