"""Gangs: one allocation, a node for each member, the members as steps beside each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pwxc.ir.expr import Expr, Ref, Root
from pwxc.ir.task import Gang, GangStatus, Task
from pwxc.shell import quote
from pwxc_targets.slurm.writing import jobtext as J  # noqa: N812
from pwxc_targets.slurm.writing.context import Context, Holes
from pwxc_targets.slurm.writing.jobscript import noted
from pwxc_targets.slurm.writing.limits import TIMER_SLACK, own_limits
from pwxc_targets.slurm.writing.requests import Request
from pwxc_targets.slurm.writing.sweeps import FLOATS, Decoded

_PER_NODE = ("cpus-per-task", "mem", "gres")
_WHOLE = """\
# Waits for the lead; what the others do counts for nothing.
await() {
  local rc=0
  wait "${pids[lead]}" || rc=$?
  return "$rc"
}
"""
WAITS_FOR_EVERY = """\
# Waits for the lead, or for the first member that fails.
await() {
  local rc number over=0
  local -A seen=()
  while ((!over)); do
    for number in "${!pids[@]}"; do
      if [[ -n ${seen[$number]-} ]] || kill -0 "${pids[number]}" 2>/dev/null; then continue; fi
      rc=0 seen[$number]=1
      wait "${pids[number]}" || rc=$?
      if ((rc)); then return "$rc"; fi
      if ((number == lead)); then over=1; fi
    done
    sleep 0.3 &
    wait "$!"
  done
}
"""
_END = """\
# Ends what still runs, with some time for what members do at their end.
end_members() {
  local pid tries alive=1
  for pid in "${pids[@]}"; do kill -TERM "$pid" 2>/dev/null; done
  for ((tries = 0; alive && tries < 200; tries++)); do
    alive=0
    for pid in "${pids[@]}"; do if kill -0 "$pid" 2>/dev/null; then alive=1; fi; done
    if ((alive)); then sleep 0.1; fi
  done
  for pid in "${pids[@]}"; do kill -KILL "$pid" 2>/dev/null; done
  wait
}
"""


def is_uniform(requests: Sequence[Request]) -> bool:
    """Whether all members ask for the same."""
    return all(item.fixed == requests[0].fixed and item.late == requests[0].late for item in requests)


def whole_request(requests: Sequence[Request]) -> Request:
    """Give what a gang of equal members asks for: a node for each."""
    made = Request(dict(requests[0].fixed), dict(requests[0].late))
    for name in ("nodes", "ntasks", "ntasks-per-node"):
        made.late.pop(name, None)
        made.fixed.pop(name, None)
    made.set("nodes", str(len(requests)))
    made.set("ntasks-per-node", "1")
    return made


def components(requests: Sequence[Request]) -> list[Request]:
    """Give what the components of a heterogeneous job ask for, a node each; time and names count once."""
    made = []
    for request in requests:
        part = Request(dict(request.fixed), {})
        part.fixed.pop("tmp", None) if part.fixed.get("tmp") is None else None
        part.set("nodes", "1")
        part.set("ntasks", "1")
        made.append(part)
    return made


def body(
    context: Context, gang: Gang, slug: str, members: Sequence[tuple[Task, str, Request]], decoded: Decoded | None, *,
    uniform: bool, tested: Sequence[str],
) -> str:  # fmt: skip
    """Give the text of a gang's script below its directives; the members' scripts are files of their own."""
    lines = J.HEAD.splitlines()
    lines += [f"slug='{slug}'"]
    lines += [*J.INSTANCE.splitlines(), "instance=.$index"] if decoded is not None else ["instance=''"]
    functions = J.STATE + (WAITS_FOR_EVERY if gang.status is GangStatus.ALL else _WHOLE) + _END
    lines += (functions + (FLOATS if decoded is not None and decoded.steps else "")).splitlines()
    for parent in tested:
        lines.append(f'if grep -qsx skipped "$PWXC_RUN/state/{parent}" "$PWXC_RUN/state/{parent}".*; then skip; fi')
    lines += (J.GANG_ENDING % _afterwards(context) + J.TERMINATED).splitlines()
    lines += _hosts(len(members), uniform=uniform)
    for number, (task, _, _) in enumerate(members):
        variable = context.variables.of(Ref(Root.HOST, (task.name,)))
        lines.append(f"export {variable}=${{hosts[{number}]}}")
    name = f"$PWXC_RUN/work/.{slug}$instance.${{SLURM_JOB_ID-}}.${{SLURM_RESTART_COUNT-0}}"
    lines.append(f"export PWXC_MEMBERS={len(members)} PWXC_BARRIER={name if gang.barrier else chr(39) * 2}")
    lines += ['mkdir -p "$PWXC_BARRIER"'] if gang.barrier else []
    lines += _limits(context, gang)
    lines += _starts(context, members, decoded, uniform=uniform)
    lead = next(number for number, (task, _, _) in enumerate(members) if task.name == gang.lead)
    lines += [f"lead={lead}", "rc=0", "await || rc=$?", "end_members", "pids=()", '(exit "$rc")']
    return "\n".join(lines) + "\n"


def _hosts(count: int, *, uniform: bool) -> Iterator[str]:
    if uniform:
        yield 'mapfile -t hosts < <(scontrol show hostnames "$SLURM_JOB_NODELIST")'
        return
    yield "hosts=()"
    for number in range(count):
        yield f'hosts+=("$(scontrol show hostnames "$SLURM_JOB_NODELIST_HET_GROUP_{number}" | head -n 1)")'


def job_limit(gang: Gang, lead: Task) -> float | Expr | None:
    """Give how long the job of a gang may run; a limit of the lead's own is kept by its own script."""
    if gang.run_timeout is not None:
        return gang.run_timeout
    return lead.run_timeout + TIMER_SLACK if isinstance(lead.run_timeout, int | float) else None


def _afterwards(context: Context) -> str:
    return noted(context) + (J.CANCEL if context.workflow.timeout is not None else "")


def _limits(context: Context, gang: Gang) -> list[str]:
    lead = context.tasks[gang.lead]
    needs: set[str] = set()
    holes = Holes(context, f"gang `{gang.name}`")
    limits = list(own_limits(context, lead, gang.run_timeout, holes, needs))
    lines = J.SECONDS.splitlines() if "seconds" in needs else []
    lines += J.TIMER.splitlines() if any("timer " in line for line in limits) else []
    return [*lines, *(J.DEADLINE.splitlines() if context.workflow.timeout is not None else []), *limits]


def _starts(
    context: Context, members: Sequence[tuple[Task, str, Request]], decoded: Decoded | None, *, uniform: bool
) -> Iterator[str]:
    instance = ' "${2:-0}"' if decoded is not None else ""
    for number, (task, file, request) in enumerate(members):
        words = ["srun", "--export=ALL", "--ntasks=1", "--nodes=1"]
        if uniform:
            words += [f'--nodelist="${{hosts[{number}]}}"', "--exact"]
        else:
            words.append(f"--het-group={number}")
        for name in _PER_NODE:
            value = request.fixed.get(name)
            if value is not None:
                words.append(f"--{name}={quote(value)}")
            elif name == "cpus-per-task" and name in request.late:
                words.append('--cpus-per-task="${SLURM_CPUS_PER_TASK:-1}"')
        own = context.slugs.of(task.name)
        words.append(f'--output="${{PWXC_RUN//%/%%}}/logs/{own}$instance.%j.out"')
        yield f'{" ".join(words)} bash "$PWXC_RUN/scripts/{file}" "$PWXC_RUN"{instance} &'
        yield "pids+=($!)"
