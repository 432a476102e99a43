"""What a job waits for, and its `if`: the platform's status words look at all needed jobs together (pw.md §11).

Where a unit asks for different outcomes of different parents, or for a delay, a small job stands between: it is
completed exactly when the one parent had the outcome.
"""

from __future__ import annotations

from collections.abc import Iterable

from pwxc.fidelity import Account, Fate
from pwxc.ir.expr import Binary, Expr, Literal, Ref, Root
from pwxc.ir.resources import further_options
from pwxc.ir.sweep import Sweep
from pwxc.ir.task import Edge, Gang, Outcome, Task
from pwxc_targets.pw.conditions import has_status
from pwxc_targets.pw.model import Job, Step
from pwxc_targets.pw.writing import codes as C  # noqa: N812
from pwxc_targets.pw.writing.context import Writing
from pwxc_targets.pw.writing.spelling import Spelling
from pwxc_targets.pw.writing.strategy import is_repeated

_WORDS = {Outcome.SUCCESS: "completed", Outcome.END: "always", Outcome.FAILURE: "error"}


def settle_edges(writing: Writing, unit: Task | Gang, edges: Iterable[Edge], sweep: Sweep | None = None) -> list[Edge]:
    """Settle a unit's edges in the ledger and give those that its job can wait for."""
    kept: list[Edge] = []
    may_wait = writing.workflow.dialect == "slurm" and not _is_killed(writing, unit)
    for edge in edges:
        with writing.ledger.of(edge) as entry:
            for field in ("parent", "when", "any_instance"):
                entry.take(field)
            entry.cosmetic("implied")
            entry.emulate("delay", "same_instance")
            if edge.when is Outcome.START:
                message = f"it starts when `{edge.parent}` may start, which need not have started yet"
                entry.approximate("when", C.START, message)
            else:
                if may_wait and edge.when is not Outcome.END and not _is_own(edge):
                    message = f"`{unit.name}` is skipped when `{edge.parent}` {_HOPELESS[edge.when]}"
                    entry.approximate("parent", C.NO_WAIT, f"{message}, and does not wait for ever")
                _instances(writing, entry, edge, sweep)
        kept.append(edge)
    return kept


_KILLED = "--kill-on-invalid-dep=yes"
_HOPELESS = {Outcome.SUCCESS: "fails", Outcome.FAILURE: "succeeds"}
"""After what an edge can no longer hold: `sbatch` then keeps the job for ever, unless told otherwise (slurm.md §8)."""


def _is_killed(writing: Writing, unit: Task | Gang) -> bool:
    """Whether the source itself ends a unit that waits in vain."""
    record = writing.resources.get(unit.resources or "") if isinstance(unit, Task) else None
    return record is not None and further_options(record).get("kill-on-invalid-dep") == "yes"


def _is_own(edge: Edge) -> bool:
    """Whether an edge stands in a submit script of ours, which always says what to do with a hopeless job."""
    span = edge.span
    return span is not None and span.text.startswith("job ") and _KILLED in span.source.text


def _instances(writing: Writing, entry: Account, edge: Edge, sweep: Sweep | None) -> None:
    parent = writing.tasks.get(edge.parent)
    if edge.same_instance and is_repeated(sweep) and parent is not None and is_repeated(parent.sweep):
        message = f"every instance waits for all instances of `{edge.parent}`"
        entry.approximate("same_instance", C.ALL_INSTANCES, message)


def wait_for(
    writing: Writing, account: Account, name: str, edges: list[Edge], condition: Expr | None = None
) -> tuple[list[str], str | None]:
    """Give the jobs that a job called `name` needs, and its `if`."""
    edges = [edge for edge in edges if edge.when is not Outcome.START or edge.delay or _waits(writing, edge.parent)]
    outcomes = {edge.when for edge in edges if edge.when is not Outcome.START}
    asked = outcomes.pop() if len(outcomes) == 1 else Outcome.SUCCESS
    mixed = bool(outcomes)
    several = asked is Outcome.FAILURE and len(edges) > 1
    needs: dict[str, None] = {}
    for edge in edges:
        if edge.delay or edge.when is Outcome.START or (mixed and edge.when is not Outcome.SUCCESS) or several:
            needs[_gate(writing, account, edge, name)] = None
        else:
            job = writing.jobs[edge.parent]
            needs[f"{job}:any" if edge.any_instance else job] = None
    if several or all(edge.delay for edge in edges):
        asked = Outcome.SUCCESS
    if not edges and condition is not None and has_status(condition):
        asked = Outcome.END
    return list(needs), _job_condition(Spelling(writing), account, asked, condition)


def _job_condition(spelling: Spelling, account: Account, asked: Outcome, condition: Expr | None) -> str | None:
    status = None if asked is Outcome.SUCCESS else Ref(Root.STATUS, (_WORDS[asked],))
    if condition is None:
        return None if status is None else spelling.condition(account, "condition", status)
    if has_status(condition):
        # `always` looks at nothing, so the condition says everything
        status = None if asked is Outcome.END else Ref(Root.STATUS, (_WORDS[asked],))
    whole = condition if status is None else Binary("&&", status, condition)
    return spelling.condition(account, "condition", whole)


def _waits(writing: Writing, name: str) -> bool:
    """Whether a unit waits for anything, or runs on a condition."""
    unit = _unit(writing, name)
    return bool(unit.needs) or (isinstance(unit, Task) and unit.condition is not None)


def _unit(writing: Writing, name: str) -> Task | Gang:
    return writing.gangs[name] if name in writing.gangs else writing.tasks[name]


def _gate(writing: Writing, account: Account, edge: Edge, child: str) -> str:
    """Give the job that is completed when the parent of an edge had its outcome, and the delay is over."""
    key = (edge.parent, edge.when, edge.any_instance, edge.delay)
    if key not in writing.gates:
        job = writing.jobs[edge.parent]
        made = writing.new_job(f"{job}-{_GATES[edge.when]}")
        writing.gates[key] = made
        step = Step(name=f"Wait for {edge.parent}", run=f"sleep {edge.delay}\n" if edge.delay else ":\n")
        writing.extra[made] = gate = Job(steps=[step])
        if edge.when is Outcome.START:
            # what the parent waits for
            unit = _unit(writing, edge.parent)
            condition = unit.condition if isinstance(unit, Task) else None
            needs, gate.if_ = wait_for(writing, account, made, list(unit.needs), condition)
            gate.needs = needs or None
        else:
            gate.needs = [f"{job}:any" if edge.any_instance else job]
            gate.if_ = None if edge.when is Outcome.SUCCESS else "${{ " + _WORDS[edge.when] + " }}"
    return writing.gates[key]


_GATES = {Outcome.SUCCESS: "waited", Outcome.END: "ended", Outcome.FAILURE: "failed", Outcome.START: "started"}


def settle_condition(account: Account, condition: Expr | None) -> Expr | None:
    """Take a unit's condition; one that always holds is none."""
    account.take("condition", Fate.EXACT)
    return None if isinstance(condition, Literal) and condition.value is True else condition
