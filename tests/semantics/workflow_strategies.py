"""Strategies for whole workflows of the IR, and for environments to run them in.

`workflows()` gives small graphs with everything that the machine knows; `workflows({Feature.SWEEPS, …})` gives only
what is asked for, so that tests of a writer can leave out what its system has no means for.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import Enum, auto

from hypothesis import strategies as st

from pwxc.ir.data import InlineFile, Variable
from pwxc.ir.expr import Binary, Expr, Literal, Ref, Root, Unary
from pwxc.ir.inputs import Input, InputType
from pwxc.ir.sweep import Parameter, Range, Sweep, SweepMode, Values
from pwxc.ir.task import Edge, ExitAction, ExitRule, Gang, GangStatus, Outcome, Retry, Script, Step, Task
from pwxc.ir.template import Template, text
from pwxc.ir.workflow import Hook, RunCommands, Trigger, Workflow, units
from pwxc.semantics.environment import Fact, Fails, Given, Publishes, Queues, Scenario, SiteRetries, Takes


class Feature(Enum):
    """A part of the IR that a workflow may use."""

    OUTCOMES = auto()
    """Edges on anything but success."""
    SWEEPS = auto()
    GANGS = auto()
    STEPS = auto()
    """Several steps, with conditions, repetitions and clean-ups."""
    EXIT_RULES = auto()
    CONDITIONS = auto()
    INPUTS = auto()
    TIMEOUTS = auto()
    HOOKS = auto()
    ENVIRONMENT = auto()
    STOPS = auto()
    """Work that stops when another task fails."""


EVERYTHING = frozenset(Feature)
WORDS = st.sampled_from(["python train.py", "./solve --fast", "echo done", "true", "wc -l data.csv"])
SECONDS = st.sampled_from([1, 2, 5, 30])
STATUS = st.sampled_from(["always", "completed", "error", "canceled"]).map(lambda word: Ref(Root.STATUS, (word,)))


def scripts(roots: Collection[Expr]) -> st.SearchStrategy[Script]:
    """Give scripts of a command and perhaps a reference."""
    if not roots:
        return WORDS.map(lambda words: Script(text(words)))
    holes = st.sampled_from(list(roots))
    return st.builds(lambda words, hole: Script(Template.of(f"{words} ", hole)), WORDS, holes) | WORDS.map(
        lambda words: Script(text(words))
    )


def retries() -> st.SearchStrategy[Retry]:
    """Give retries of one to three further attempts."""
    return st.builds(Retry, limit=st.integers(1, 3), interval=st.sampled_from([0, 5]))


@st.composite
def steps(draw: st.DrawFn, rich: bool, roots: Collection[Expr], number: int, stops: bool) -> Step:
    """Give a step; a rich one has a condition, retries and so on."""
    work = draw(scripts(roots))
    if not rich:
        return Step(work=work, stop_when_another_fails=stops and draw(st.booleans()))
    return Step(
        work=work,
        id=f"s{number}",
        condition=draw(st.none() | STATUS),
        timeout=draw(st.none() | SECONDS),
        retry=draw(st.none() | retries()),
        cleanup=draw(st.none() | st.just(text("rm -rf scratch"))),
        ignore_errors=draw(st.booleans()),
        stop_when_another_fails=stops and draw(st.booleans()),
    )


def exit_rules() -> st.SearchStrategy[tuple[ExitRule, ...]]:
    """Give none to two rules for small exit codes."""
    codes = st.sampled_from([((3, 3),), ((1, 5),), ((0, 0),), ((7, 9), (2, 2)), ()])
    rule = st.builds(ExitRule, action=st.sampled_from([ExitAction.COMPLETE, ExitAction.FAIL]), codes=codes)
    again = st.builds(ExitRule, action=st.just(ExitAction.RETRY), codes=codes, retry=retries())
    return st.lists(rule | again, max_size=2).map(tuple)


def sweeps() -> st.SearchStrategy[Sweep]:
    """Give sweeps of one or two variables and at most nine instances."""
    one = st.integers(1, 3).map(lambda stop: (Parameter(name="i", values=Range(1, stop)),))
    values = st.sampled_from([("a", "b"), (0.5, 1.5), ("x", "y", "z")]).map(Values)
    two = st.builds(lambda first, other: (*first, Parameter(name="v", values=other)), one, values)
    return st.builds(
        Sweep,
        parameters=one | two,
        mode=st.sampled_from(SweepMode),
        limit=st.none() | st.integers(1, 2),
        fail_fast=st.booleans(),
    )


def conditions(parents: list[str]) -> st.SearchStrategy[Expr]:
    """Give conditions over the input `fast` and over what parents publish."""
    found: list[st.SearchStrategy[Expr]] = [
        st.just(Ref(Root.INPUT, ("fast",))),
        st.just(Unary("!", Ref(Root.INPUT, ("fast",)))),
    ]
    if parents:
        published = st.sampled_from(parents).map(lambda name: Ref(Root.TASK_OUTPUT, (name, "n")))
        found.append(
            st.builds(Binary, st.sampled_from(["<=", "=="]), published, st.sampled_from([Literal(1), Literal(3)]))
        )
    return st.one_of(found)


@st.composite
def workflows(draw: st.DrawFn, features: Collection[Feature] = EVERYTHING, most: int = 5) -> Workflow:
    """Give a workflow of one to `most` tasks; edges lead to tasks that stand earlier."""
    inputs = _inputs() if {Feature.INPUTS, Feature.CONDITIONS} & set(features) else ()
    count = draw(st.integers(1, most))
    tasks: list[Task] = []
    gangs: list[Gang] = []
    parents: list[str] = []
    while len(tasks) < count:
        if Feature.GANGS in features and draw(st.integers(0, 4)) == 0:
            members = [draw(_tasks(features, f"t{len(tasks) + more}", None, ())) for more in range(2)]
            gangs.append(draw(_gangs(features, f"g{len(gangs)}", members, parents)))
            tasks += members
            parents.append(gangs[-1].name)
        else:
            tasks.append(draw(_tasks(features, f"t{len(tasks)}", parents, tasks)))
            parents.append(tasks[-1].name)
    return Workflow(
        name="generated",
        inputs=inputs,
        tasks=tuple(tasks),
        gangs=tuple(gangs),
        hooks=tuple(draw(st.lists(_hooks([task.name for task in tasks]), max_size=2)))
        if Feature.HOOKS in features
        else (),
        environment=(Variable(name="LEVEL", value=text("1")),) if Feature.ENVIRONMENT in features else (),
    )


def _inputs() -> tuple[Input, ...]:
    return (
        Input(name="fast", type=InputType.BOOLEAN, default=True, has_default=True),
        Input(name="size", type=InputType.INTEGER, default=4, has_default=True),
        Input(name="mode", type=InputType.STRING, default="low", has_default=True),
    )


@st.composite
def _tasks(
    draw: st.DrawFn, features: Collection[Feature], name: str, parents: list[str] | None, earlier: Collection[Task]
) -> Task:
    alone = parents is not None  # otherwise it is a member of a gang, which has the edges
    sweep = draw(st.none() | sweeps()) if Feature.SWEEPS in features and alone else None
    roots: list[Expr] = []
    if Feature.INPUTS in features:
        roots += [Ref(Root.INPUT, ("size",)), Ref(Root.INPUT, ("mode",))]
    if sweep is not None:
        roots.append(Ref(Root.SWEEP, ("i",)))
    rich = Feature.STEPS in features
    number = draw(st.integers(1, 3)) if rich else 1
    stops = Feature.STOPS in features
    made = tuple(draw(steps(rich, roots, at, stops)) for at in range(number))
    needs = draw(_edges(features, parents or []))
    single = [edge.parent for edge in needs if any(task.name == edge.parent and task.sweep is None for task in earlier)]
    condition = draw(st.none() | conditions(single)) if Feature.CONDITIONS in features and alone else None
    variables = ()
    if Feature.ENVIRONMENT in features:
        variables = (Variable(name="WHO", value=text(name)),) if draw(st.booleans()) else ()
    return Task(
        name=name,
        steps=made,
        needs=needs,
        condition=condition,
        sweep=sweep,
        exit_rules=draw(exit_rules()) if Feature.EXIT_RULES in features else (),
        run_timeout=draw(st.none() | SECONDS) if Feature.TIMEOUTS in features else None,
        queue_timeout=draw(st.none() | st.just(60)) if Feature.TIMEOUTS in features else None,
        environment=variables,
        files=draw(st.just(()) | st.just((InlineFile(path=text("/tmp/a"), contents=text("1")),))) if rich else (),
    )


@st.composite
def _edges(draw: st.DrawFn, features: Collection[Feature], parents: list[str]) -> tuple[Edge, ...]:
    chosen = draw(st.lists(st.sampled_from(parents), max_size=3, unique=True)) if parents else []
    outcomes = st.sampled_from(Outcome) if Feature.OUTCOMES in features else st.just(Outcome.SUCCESS)
    paired = Feature.SWEEPS in features
    return tuple(
        Edge(
            parent=parent,
            when=draw(outcomes),
            same_instance=paired and draw(st.booleans()),
            any_instance=paired and draw(st.integers(0, 3)) == 0,
        )
        for parent in chosen
    )


@st.composite
def _gangs(draw: st.DrawFn, features: Collection[Feature], name: str, members: list[Task], parents: list[str]) -> Gang:
    names = tuple(task.name for task in members)
    return Gang(
        name=name,
        members=names,
        lead=draw(st.sampled_from(names)),
        barrier=draw(st.booleans()),
        status=draw(st.sampled_from(GangStatus)),
        needs=draw(_edges(features, parents)),
        run_timeout=draw(st.none() | SECONDS) if Feature.TIMEOUTS in features else None,
    )


def _hooks(names: list[str]) -> st.SearchStrategy[Hook]:
    over = st.sampled_from([Trigger.TASKS_READY, Trigger.TASKS_COMPLETE])
    whole = st.sampled_from([Trigger.WORKFLOW_START, Trigger.WORKFLOW_COMPLETE])
    action = RunCommands((text("echo hook"),))
    chosen = st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True).map(tuple)
    return st.builds(Hook, trigger=over, action=st.just(action), tasks=chosen) | st.builds(
        Hook, trigger=whole, action=st.just(action)
    )


@st.composite
def scenarios(draw: st.DrawFn, workflow: Workflow) -> Scenario:
    """Give an environment with up to five facts about a workflow's tasks."""
    names = st.sampled_from([task.name for task in workflow.tasks])
    fact: st.SearchStrategy[Fact] = st.one_of(
        st.builds(
            Fails,
            task=names,
            index=st.none() | st.integers(0, 2),
            step=st.integers(0, 2),
            codes=st.lists(st.sampled_from([1, 2, 3, 5, 8, 137]), min_size=1, max_size=3).map(tuple),
            goes_on=st.booleans(),
        ),
        st.builds(Takes, task=names, seconds=st.sampled_from([0.5, 2.0, 5.0, 31.0, 1000.0])),
        st.builds(Queues, task=names, seconds=st.sampled_from([10.0, 100.0])),
        st.builds(Publishes, task=names, key=st.just("n"), value=st.sampled_from([0, 3, "x"])),
        st.builds(Given, path=st.just(("fast",)), value=st.booleans()),
        st.builds(SiteRetries, count=st.integers(0, 2)),
    )
    return Scenario(draw(st.lists(fact, max_size=5)))


def unit_names(workflow: Workflow) -> list[str]:
    """Give the names that edges may lead to."""
    return [unit.name for unit in units(workflow)]
