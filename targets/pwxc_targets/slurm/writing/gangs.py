"""Gangs: one allocation, a node for each member, the members as steps beside each other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pwxc.ir.expr import Expr, Ref, Root
from pwxc.ir.task import Gang, GangStatus, Task
from pwxc_targets.slurm.writing import jobtext as J  # noqa: N812
from pwxc_targets.slurm.writing.context import Context, Holes
from pwxc_targets.slurm.writing.datalines import Data
from pwxc_targets.slurm.writing.decisions import Decision, fail_fast, fail_fast_lines
from pwxc_targets.slurm.writing.jobscript import FUNCTIONS, noted
from pwxc_targets.slurm.writing.limits import TIMER_SLACK, own_limits
from pwxc_targets.slurm.writing.quoting import word as quoted
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
# Slurm hands the first signal on to the steps; srun itself does not, and kills its step at once.
end_members() {
  local pid tries signal alive=1
  scancel --quiet --signal=TERM "${SLURM_JOB_ID-}" 2>/dev/null
  for signal in 0 TERM KILL; do
    for pid in "${pids[@]}"; do kill "-$signal" "$pid" 2>/dev/null; done
    for ((tries = 0; alive && tries < 150; tries++)); do
      alive=0
      for pid in "${pids[@]}"; do if kill -0 "$pid" 2>/dev/null; then alive=1; fi; done
      if ((alive)); then sleep 0.1; fi
    done
    if ((!alive)); then break; fi
  done
  wait
}
"""


def is_uniform(requests: Sequence[Request]) -> bool:
    """Whether all members ask for the same."""
    return all(item.fixed == requests[0].fixed and item.late == requests[0].late for item in requests)


def nodes_of(request: Request) -> int:
    """Give how many nodes a member asks for; of a range the least."""
    found = re.match(r"\d+", request.fixed.get("nodes") or "")
    return max(1, int(found[0])) if found else 1


def _tasks_per_node(request: Request) -> int:
    found = re.fullmatch(r"\d+", request.fixed.get("ntasks-per-node") or "")
    tasks = re.fullmatch(r"\d+", request.fixed.get("ntasks") or "")
    return max(1, int(found[0]) if found else -(-int(tasks[0]) // nodes_of(request)) if tasks else 1)


def whole_request(requests: Sequence[Request]) -> Request:
    """Give what a gang in one allocation asks for: the nodes of all members, each as the largest member needs it."""
    made = Request(dict(requests[0].fixed), dict(requests[0].late))
    for name in ("nodes", "ntasks", "ntasks-per-node"):
        made.late.pop(name, None)
        made.fixed.pop(name, None)
    for name in ("cpus-per-task", "mem"):
        values = [item.fixed[name] for item in requests if item.fixed.get(name)]
        if len(set(values)) > 1:
            made.set(name, max(values, key=lambda value: int(re.sub(r"\D", "", value or "") or 0)))
    made.set("nodes", str(sum(map(nodes_of, requests))))
    made.set("ntasks-per-node", str(max(map(_tasks_per_node, requests))))
    return made


def components(requests: Sequence[Request]) -> list[Request]:
    """Give what the components of a heterogeneous job ask for; time and names count once."""
    made = []
    for request in requests:
        part = Request(dict(request.fixed), {})
        part.set("nodes", str(nodes_of(request)))
        if "ntasks" not in part.fixed:
            part.set("ntasks", str(nodes_of(request) * _tasks_per_node(request)))
        made.append(part)
    return made


def body(
    context: Context, gang: Gang, slug: str, members: Sequence[tuple[Task, str, Request]], decoded: Decoded | None, *,
    uniform: bool, decision: Decision,
) -> str:  # fmt: skip
    """Give the text of a gang's script below its directives; the members' scripts are files of their own."""
    lines = J.HEAD.splitlines()
    lines += [f"slug='{slug}'"]
    lines += [*J.INSTANCE.splitlines(), "instance=.$index"] if decoded is not None else ["instance=''"]
    functions = J.STATE + (WAITS_FOR_EVERY if gang.status is GangStatus.ALL else _WHOLE) + _END
    lines += (functions + (FLOATS if decoded is not None and decoded.steps else "")).splitlines()
    lines += _decisions(context, gang, decision, decoded)
    ending = noted(context) + fail_fast(context.tasks[gang.lead].sweep if decoded is not None else None)
    ending += J.START_CLOCKS if gang.name in context.hurrying else ""
    ending += J.CANCEL if context.workflow.timeout is not None else ""
    lines += (J.GANG_ENDING % ending + J.TERMINATED).splitlines()
    lines += _hosts([nodes_of(request) for _, _, request in members], uniform=uniform)
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


def _hosts(sizes: Sequence[int], *, uniform: bool) -> Iterator[str]:
    """Name the first node of each member."""
    if uniform:
        yield 'mapfile -t hosts < <(scontrol show hostnames "$SLURM_JOB_NODELIST")'
        if any(size > 1 for size in sizes):
            places = [sum(sizes[:number]) for number in range(len(sizes))]
            words = " ".join(f'"${{hosts[{place}]}}"' for place in places)
            yield f"hosts=({words})"
        return
    yield "hosts=()"
    for number in range(len(sizes)):
        yield f'hosts+=("$(scontrol show hostnames "$SLURM_JOB_NODELIST_HET_GROUP_{number}" | head -n 1)")'


def job_limit(gang: Gang, lead: Task) -> float | Expr | None:
    """Give how long the job of a gang may run; a limit of the lead's own is kept by its own script."""
    if gang.run_timeout is not None:
        return gang.run_timeout
    return lead.run_timeout + TIMER_SLACK if isinstance(lead.run_timeout, int | float) else None


def _decisions(context: Context, gang: Gang, decision: Decision, decoded: Decoded | None) -> list[str]:
    """Give the lines that say whether the gang is needed, and whether a failure of it ends the others of its sweep."""
    lead = context.tasks[gang.lead]
    holes = Holes(context, f"gang `{gang.name}`")
    data = Data(context, lead, holes)
    lines = decision.lines(holes)
    first = fail_fast_lines(lead.sweep, holes) if decoded is not None else []
    bound = list(data.bindings(list(holes.used)))
    if fail_fast(lead.sweep if decoded is not None else None):
        data.needs.add("others")
    if holes.translator.needs_math:
        data.needs.add("math")
    if gang.name in context.hurrying:
        data.needs.add("clocks")
    functions = decision.functions() + "".join(FUNCTIONS[name] for name in sorted(data.needs))
    values = decoded.lines if decoded is not None and any(ref.root is Root.SWEEP for ref in holes.used) else ()
    return [*functions.strip("\n").splitlines(), *values, *bound, *first, *lines]


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
                words.append(f"--{name}={quoted(value)}")
            elif name == "cpus-per-task" and name in request.late:
                words.append('--cpus-per-task="${SLURM_CPUS_PER_TASK:-1}"')
        own = context.slugs.of(task.name)
        words.append(f'--output="${{PWXC_RUN//%/%%}}/logs/{own}$instance.%j.out"')
        yield f'{" ".join(words)} bash "$PWXC_RUN/scripts/{file}" "$PWXC_RUN"{instance} &'
        yield "pids+=($!)"
