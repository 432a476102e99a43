"""Strategies for workflows whose commands are probes, to be written for Slurm, and for what happens in them."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from pwxc.ir.expr import Binary, Expr, Literal, Ref, Root
from pwxc.ir.inputs import Input
from pwxc.ir.sweep import Parameter, Range, Sweep
from pwxc.ir.task import Edge, ExitAction, ExitRule, Outcome, Retry, Script, Step, Task
from pwxc.ir.template import Template
from pwxc.ir.workflow import Hook, RunCommands, Trigger, Workflow
from pwxc.semantics.environment import Fact, Fails, Takes

CODES = [1, 3, 4, 7]
_MODE = Ref(Root.INPUT, ("mode",))
_WORDS = ("always", "error", "completed")


@st.composite
def flows(draw: st.DrawFn) -> Workflow:
    """Give a small workflow; the number of an instance is the last word but one of each probe."""
    tasks: list[Task] = []
    for number in range(draw(st.integers(1, 5))):
        tasks.append(draw(_tasks(f"t{number}", tasks)))
    order = draw(st.permutations(tasks))
    names = [task.name for task in tasks]
    hooks = [draw(_hooks(names)) for _ in range(draw(st.integers(0, 1)))]
    inputs = (Input(name="mode", default="quick", has_default=True),)
    return Workflow(name="w", tasks=tuple(order), hooks=tuple(hooks), inputs=inputs)


def is_told_apart(workflow: Workflow) -> bool:
    """Whether the folder does what the machine does; the exceptions are known, and nobody depends on them.

    Slurm decides about a hopeless job at once, so a hook after it may fire early; and what submit.sh skips would be
    cancelled where a parent fails.
    """
    return not (_skips_early(workflow) or (workflow.hooks and _looks_at_unneeded(workflow)))


def _skips_early(workflow: Workflow) -> bool:
    """Whether a job that is skipped at submission would have had to be cancelled because of a parent."""
    early: set[str] = set()
    for task in sorted(workflow.tasks, key=lambda task: task.name):
        strict = [edge for edge in task.needs if edge.when in (Outcome.SUCCESS, Outcome.FAILURE)]
        own = isinstance(task.condition, Binary)
        if own or any(edge.parent in early for edge in strict):
            early.add(task.name)
            if (own and strict) or len(task.needs) > 1:
                return True
    return False


def _looks_at_unneeded(workflow: Workflow) -> bool:
    """Whether somebody asks if a job failed that may not be needed, which then waits for all its parents."""
    unneeded: set[str] = set()
    for task in sorted(workflow.tasks, key=lambda task: task.name):
        if any(edge.when is Outcome.FAILURE or edge.parent in unneeded for edge in task.needs):
            unneeded.add(task.name)
    asks = [task for task in workflow.tasks if task.condition is not None]
    return any(edge.parent in unneeded for task in asks for edge in task.needs) or any(
        edge.parent in unneeded and edge.when is Outcome.FAILURE for task in workflow.tasks for edge in task.needs
    )


@st.composite
def _tasks(draw: st.DrawFn, name: str, earlier: Sequence[Task]) -> Task:
    sweep = None
    if draw(st.integers(0, 2)) == 0:
        values = Range(*draw(st.sampled_from([(0, 2), (1, 3), (5, 9, 2)])))
        limit = draw(st.sampled_from([None, None, 1, 2]))
        sweep = Sweep(parameters=(Parameter(name="i", values=values),), limit=limit)
    steps = [draw(_steps(name, at, swept=sweep is not None)) for at in range(draw(st.sampled_from([1, 1, 2, 3])))]
    parents = draw(st.lists(st.sampled_from(earlier), max_size=2, unique_by=id)) if earlier else []
    return Task(
        name=name,
        steps=tuple(steps),
        needs=tuple(draw(_edges(parent, swept=sweep is not None)) for parent in parents),
        condition=draw(st.none() | st.none() | _conditions(bool(parents))),
        exit_rules=tuple(draw(st.lists(_rules(), max_size=2))),
        sweep=sweep,
    )


@st.composite
def _steps(draw: st.DrawFn, task: str, at: int, *, swept: bool) -> Step:
    index: str | Expr = Ref(Root.SWEEP_INDEX) if swept else "-"
    return Step(
        work=Script(Template.of(f"probe {task} ", index, f" {at}\n")),
        condition=Ref(Root.STATUS, (draw(st.sampled_from(_WORDS)),)) if draw(st.integers(0, 4)) == 0 else None,
        ignore_errors=draw(st.integers(0, 4)) == 0,
        retry=Retry(limit=draw(st.integers(1, 2))) if draw(st.integers(0, 4)) == 0 else None,
    )


@st.composite
def _edges(draw: st.DrawFn, parent: Task, *, swept: bool) -> Edge:
    when = draw(st.sampled_from([Outcome.SUCCESS, Outcome.SUCCESS, Outcome.END, Outcome.FAILURE, Outcome.START]))
    same = swept and parent.sweep is not None and when is Outcome.SUCCESS and draw(st.booleans())
    return Edge(parent=parent.name, when=when, same_instance=same)


@st.composite
def _conditions(draw: st.DrawFn, parents: bool) -> Expr:
    early = Binary("==", _MODE, Literal(draw(st.sampled_from(["quick", "full"]))))
    return Ref(Root.STATUS, (draw(st.sampled_from(_WORDS)),)) if parents and draw(st.booleans()) else early


@st.composite
def _rules(draw: st.DrawFn) -> ExitRule:
    action = draw(st.sampled_from([ExitAction.RETRY, ExitAction.RETRY, ExitAction.COMPLETE, ExitAction.FAIL]))
    codes = draw(st.sampled_from([(), ((3, 4),), ((1, 1), (7, 9)), ((0, 0),)]))
    retry = Retry(limit=draw(st.integers(0, 2))) if action is ExitAction.RETRY else None
    return ExitRule(action=action, codes=codes, retry=retry)


@st.composite
def _hooks(draw: st.DrawFn, names: Sequence[str]) -> Hook:
    trigger = draw(st.sampled_from([Trigger.TASKS_COMPLETE, Trigger.TASKS_READY, Trigger.WORKFLOW_COMPLETE]))
    chosen = draw(st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True))
    selected = () if trigger is Trigger.WORKFLOW_COMPLETE else tuple(chosen)
    return Hook(trigger=trigger, action=RunCommands((Template.of("true"),)), tasks=selected)


@st.composite
def happenings(draw: st.DrawFn, workflow: Workflow) -> list[Fact]:
    """Give what happens in some steps of a workflow, and how long some tasks take."""
    found: list[Fact] = []
    for task in draw(st.lists(st.sampled_from(workflow.tasks), max_size=3, unique_by=id)):
        index = draw(st.sampled_from([None, 0, 1])) if task.sweep is not None else None
        step = draw(st.integers(0, len(task.steps) - 1))
        codes = draw(st.lists(st.sampled_from([*CODES, 0]), min_size=1, max_size=3))
        found.append(Fails(task.name, index, step, tuple(codes), goes_on=draw(st.booleans())))
        if draw(st.integers(0, 2)) == 0:
            found.append(Takes(task.name, draw(st.sampled_from([2.0, 10.0])), index))
    return found
