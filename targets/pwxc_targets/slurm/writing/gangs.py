"""Gangs: one allocation, a node for each member, the members as steps beside each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pwxc.ir.expr import Ref, Root
from pwxc.ir.task import Gang, GangStatus, Task
from pwxc.shell import quote
from pwxc_targets.slurm.writing import jobtext as J  # noqa: N812
from pwxc_targets.slurm.writing.context import Context
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
  local rc=0 pid number
  local -a left=("${pids[@]}")
  while ((${#left[@]})); do
    rc=0
    wait -n -p pid "${left[@]}" || rc=$?
    if ((rc)) || [[ ${pid-} == "${pids[lead]}" || -z ${pid-} ]]; then return "$rc"; fi
    for number in "${!left[@]}"; do
      if [[ ${left[number]} == "$pid" ]]; then unset "left[number]"; fi
    done
  done
  return 0
}
"""
_END = """\
# Ends what still runs. srun takes a second signal for meant.
end_members() {
  local pid
  for pid in "${pids[@]}"; do kill -TERM "$pid" 2>/dev/null; done
  sleep 1
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
    lines += _hosts(len(members), uniform=uniform)
    for number, (task, _, _) in enumerate(members):
        variable = context.variables.of(Ref(Root.HOST, (task.name,)))
        lines.append(f"export {variable}=${{hosts[{number}]}}")
    lines += _ending()
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


def _ending() -> list[str]:
    return [
        "pids=()",
        "finish() {",
        "  local rc=$?",
        "  trap - EXIT",
        "  trap '' TERM INT",
        "  if ((${#pids[@]})); then end_members; fi",
        "  if ((rc == 0)); then tell succeeded; else tell failed; fi",
        '  exit "$rc"',
        "}",
        "trap finish EXIT",
        "trap 'exit 143' TERM INT",
    ]


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
        own = context.slugs.of(task.name)
        words.append(f'--output="${{PWXC_RUN//%/%%}}/logs/{own}$instance.%j.out"')
        yield f'{" ".join(words)} bash "$PWXC_RUN/scripts/{file}" "$PWXC_RUN"{instance} &'
        yield "pids+=($!)"
