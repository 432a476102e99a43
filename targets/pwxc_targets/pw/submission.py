"""A job's work through the scheduler: the job runner's inputs and the steps around it (pw.md §13.2)."""

from __future__ import annotations

from typing import Any

from pwxc.fidelity import Account, Fate
from pwxc.ir.expr import Binary, Call, Expr, Literal, Ref
from pwxc.ir.resources import Resources
from pwxc.ir.template import Template
from pwxc.shell import quote
from pwxc_targets.pw import writing_codes as C  # noqa: N812
from pwxc_targets.pw.context import Writing
from pwxc_targets.pw.expressions import print_expression, print_template
from pwxc_targets.pw.model import Step

RUNNER = "marketplace/job_runner/v4.0"
_MEBIBYTE = 1024**2


def slurm_group(writing: Writing, record: Resources | None, walltime: Any, nodes: int) -> dict[str, Any]:
    """Give the job runner's `slurm` inputs for a class of resources."""
    slurm: dict[str, Any] = {"is_disabled": False, "time": _clock(writing, walltime), "nodes": nodes}
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
            slurm["mem"] = _memory(writing, account, memory)
        if (constraint := account.take("constraint")) is not None:
            slurm["constraint"] = print_template(constraint)
        directives = _directives(writing, account, record)
        _places(account, record)
    if directives:
        slurm["scheduler_directives"] = "".join(f"#SBATCH {line}\n" for line in directives)
    return slurm


def _number(value: int | Expr) -> Any:
    return value if isinstance(value, int) else "${{ " + print_expression(value) + " }}"


def _memory(writing: Writing, account: Account, memory: int | Expr) -> str:
    match memory:
        case int():
            return f"{-(-memory // _MEBIBYTE)}M"
        case Binary(operator="*", left=Ref() as ref, right=Literal(value=int() as unit)) if unit >= 1024:
            letter = {2**10: "K", 2**20: "M", 2**30: "G", 2**40: "T"}[unit]
            return "${{ " + print_expression(ref) + " }}" + letter
        case _:
            default = writing.default_of(memory)
            account.approximate("memory", C.FROZEN_VALUE, f"memory is frozen at `{default}`")
            return str(default).removesuffix("B").removesuffix("i")


def _directives(writing: Writing, account: Account, record: Resources) -> list[str]:
    lines = []
    storage = account.take("storage", Fate.EMULATED)
    if isinstance(storage, int):
        lines.append(f"--tmp={-(-storage // _MEBIBYTE)}M")
    elif storage is not None:
        account.approximate("storage", C.FROZEN_VALUE, "the request for local disk is left out")
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
        lines.append(f"--mem-per-cpu={-(-int(record.memory_per_cpu) // _MEBIBYTE)}M")
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
    writing: Writing, name: str, script: list[str], environment: dict[str, str], slurm: dict[str, Any]
) -> list[Step]:
    """Give the steps that submit a script, wait for it and end with its status, which the job runner hides."""
    status = f'"$run/.pwxc/{quote(name)}.status"'
    secrets = f'"$run/.pwxc/{quote(name)}.secrets"'
    run = "run=${PW_JOB_DIR:-$PWD}"
    prepare = ["set -euo pipefail", run, 'mkdir -p "$run/.pwxc"', f"rm -f {status}"]
    head, body = script[:2], script[2:]
    if environment:
        leave = [f"  printf 'export {name}=%q\\n' \"${name}\"" for name in environment]
        prepare += ["umask 077", "{", *leave, f"}} > {secrets}"]
        head = [*head, "# shellcheck source=/dev/null", f". {secrets}"]
    submitted = [*head, f"trap 'echo \"$?\" > {status}' EXIT", *body]
    check = [
        "set -euo pipefail",
        run,
        f"if ! read -r rc < {status}; then",
        '  echo "the scheduler ended the job before its script did" >&2',
        "  exit 1",
        "fi",
        'exit "$rc"',
    ]
    runner = {
        "resource": "${{ inputs." + writing.cluster + " }}",
        "rundir": "${PWD}",
        "scheduler": True,
        "use_existing_script": False,
        "script": "\n".join(submitted) + "\n",
        "slurm": slurm,
    }
    return [
        Step(name="Prepare", run="\n".join(prepare) + "\n", env=dict(environment) or None),
        Step(name=name, uses=RUNNER, with_=runner),
        Step(name="Status", run="\n".join(check) + "\n"),
    ]
