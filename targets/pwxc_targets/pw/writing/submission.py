"""A job's work through the scheduler: the job runner's inputs and the steps around it (pw.md §13.2)."""

from __future__ import annotations

from typing import Any

from pwxc.fidelity import Account, Fate
from pwxc.ir.entity import fields
from pwxc.ir.expr import Binary, Call, Expr, Literal, Ref
from pwxc.ir.resources import Resources
from pwxc.ir.template import Template
from pwxc.shell import delimiter
from pwxc_targets.pw.expressions import print_expression, print_template
from pwxc_targets.pw.model import Step
from pwxc_targets.pw.writing import codes as C  # noqa: N812
from pwxc_targets.pw.writing.context import Writing
from pwxc_targets.pw.writing.jobrunner import JOB_RUNNER, STATUS, job_folder, place_lines, runner_inputs

REQUESTS = tuple(field.name for field in fields(Resources) if field.name not in ("name", "passthrough"))
"""The fields of a class of resources that ask for something."""
_UNITS = (("T", 2**40), ("G", 2**30), ("M", 2**20))


def slurm_group(writing: Writing, record: Resources | None, walltime: Any, nodes: int) -> dict[str, Any]:
    """Give the job runner's `slurm` inputs for a class of resources."""
    slurm: dict[str, Any] = {"is_disabled": False}
    if clock := _clock(writing, walltime):
        slurm["time"] = clock
    slurm["nodes"] = nodes
    if record is None:
        return slurm
    with writing.ledger.of(record) as account:
        for key, field in (("partition", "partition"), ("account", "account"), ("qos", "quality")):
            if (value := account.take(field)) is not None:
                slurm[key] = print_template(value)
        if (cpus := account.take("cpus")) is not None:
            slurm["cpus_per_task"] = _number(cpus)
        if (gpus := account.take("gpus")) is not None:
            kind = f"{record.gpu_type}:" if account.take("gpu_type") else ""
            slurm["gres"] = f"gpu:{kind}{_number(gpus)}"
        if (memory := account.take("memory")) is not None:
            slurm["mem"] = _size(writing, account, "memory", memory)
        if (constraint := account.take("constraint")) is not None:
            slurm["constraint"] = print_template(constraint)
        directives = _directives(writing, account, record)
        _places(account, record)
    if directives:
        slurm["scheduler_directives"] = "".join(f"#SBATCH {line}\n" for line in directives)
    return slurm


def settle_smaller(writing: Writing, chosen: Resources, others: list[Resources]) -> None:
    """Settle the classes of a gang's other members: every node gets the largest."""
    for record in others:
        if record is not chosen:
            with writing.ledger.of(record) as account:
                account.emulate("name")
                message = f"every member gets the resources of `{chosen.name}`, also those that ask for `{record.name}`"
                for field in REQUESTS:
                    account.approximate(field, C.LARGEST, message, once=True)
                account.cosmetic("passthrough")


def _number(value: int | Expr) -> Any:
    return value if isinstance(value, int) else "${{ " + print_expression(value) + " }}"


def _size(writing: Writing, account: Account, field: str, size: int | Expr) -> str:
    """Give a number of bytes in Slurm's words, in the largest unit that keeps it whole; mebibytes are rounded up."""
    match size:
        case int():
            letter, unit = next((pair for pair in _UNITS if size % pair[1] == 0), ("M", 2**20))
            return f"{-(-size // unit)}{letter}"
        case Binary(operator="*", left=Ref() as ref, right=Literal(value=int() as unit)) if unit >= 1024:
            letter = {size: letter for letter, size in (*_UNITS, ("K", 2**10))}[unit]
            return "${{ " + print_expression(ref) + " }}" + letter
        case _:
            default = str(writing.default_of(size))
            account.approximate(field, C.FROZEN_VALUE, f"the request for {field} is frozen at `{default}`")
            return default.removesuffix("B").removesuffix("i")


def _directives(writing: Writing, account: Account, record: Resources) -> list[str]:
    lines = []
    storage = account.take("storage", Fate.EMULATED)
    if storage is not None:
        lines.append("--tmp=" + _size(writing, account, "storage", storage))
    if record.exclude_nodes:
        account.approximate("exclude_nodes", C.PLACE, "the names of nodes to avoid are those of the source's site")
        lines.append("--exclude=" + ",".join(record.exclude_nodes))
    for option, field in (
        ("ntasks", "tasks"),
        ("ntasks-per-node", "tasks_per_node"),
        ("reservation", "reservation"),
        ("gres", "generic"),
    ):
        if (value := account.take(field)) is not None:
            shown = print_template(value) if isinstance(value, Template) else _number(value)
            lines.append(f"--{option}={shown}")
    if record.memory_per_cpu is not None and isinstance(account.take("memory_per_cpu"), int):
        lines.append("--mem-per-cpu=" + _size(writing, account, "memory_per_cpu", record.memory_per_cpu))
    if account.take("exclusive"):
        lines.append("--exclusive")
    if record.node_list:
        account.take("node_list")
        lines.append("--nodelist=" + ",".join(record.node_list))
    lines.extend(print_template(line) for line in account.take("directives"))
    return lines


def _places(account: Account, record: Resources) -> None:
    account.emulate("name", "nodes", "walltime")
    account.cosmetic("passthrough")
    if record.platform is not None:
        message = f"platform `{print_template(record.platform)}` is a name of the source's site"
        account.approximate("platform", C.PLACE, message)
    if record.topology:
        account.approximate("topology", C.PLACE, "tasks are not placed near each other")


def _clock(writing: Writing, seconds: Any) -> str:
    """Give a time as `D-HH:MM:SS`, rounded up; nothing leaves it to the scheduler."""
    if isinstance(seconds, Call):
        seconds = writing.default_of(seconds)
        return "" if seconds is None else f"{seconds}"
    if not isinstance(seconds, int | float) or seconds <= 0:
        return ""
    whole = int(-(-seconds // 1))
    days, rest = divmod(whole, 86400)
    clock = f"{rest // 3600:02d}:{rest % 3600 // 60:02d}:{rest % 60:02d}"
    return f"{days}-{clock}" if days else clock


def submitted_steps(
    writing: Writing,
    name: str,
    script: list[str],
    environment: dict[str, str],
    slurm: dict[str, Any],
    *,
    swept: bool = False,
) -> list[Step]:
    """Give the steps that submit a script, wait for it and end with its status.

    The job runner hides the status, takes blank lines out of the script that it is given, and keeps files of fixed
    names in its folder. So the script and its status lie in a folder of the job's own, from whose place the
    scheduler's job, which has none of the platform's variables, tells the run's folder.
    """
    place = job_folder(writing.jobs[name], swept=swept)
    folder = "${PW_PARENT_JOB_DIR}/" + place
    text = "\n".join(script) + "\n"
    word = delimiter(text, open_ended=True)
    prepare = ["set -euo pipefail", "rm -f exit-status", f"cat > task.sh <<'{word}'", *script, word]
    submitted = place_lines(swept=swept)
    if environment:
        leave = [f"  printf 'export {name}=%q\\n' \"${name}\"" for name in environment]
        prepare += ["umask 077", "{", *leave, "} > secrets.sh"]
        submitted += ["# shellcheck source=/dev/null", ". ./secrets.sh", "rm -f secrets.sh"]
    submitted += [
        'trap \'echo "$?" > "${PW_JOB_DIR}/' + place + "/exit-status\"' EXIT",
        "bash task.sh",
    ]
    return [
        Step(
            name="Prepare",
            working_directory=folder,
            run="\n".join(prepare) + "\n",
            env=dict(environment) or None,
        ),
        Step(name=name, uses=JOB_RUNNER, with_=runner_inputs(writing.cluster, folder, submitted, slurm)),
        Step(name="Status", working_directory=folder, run=STATUS),
    ]
