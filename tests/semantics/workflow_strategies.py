"""Strategies for whole workflows of the IR, and for environments to run them in.

`workflows()` gives small graphs with everything that the IR has; `workflows({Feature.SWEEPS, …})` gives only what is
asked for, so that a test of one thing need not know the others.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TypeAlias

from hypothesis import strategies as st

from pwxc.ir.data import (
    Checkpoint,
    Dataset,
    Datum,
    File,
    InlineFile,
    NamedDatum,
    NamedFile,
    Read,
    Secret,
    TaskOutput,
    Url,
    Variable,
    Write,
)
from pwxc.ir.entity import changed
from pwxc.ir.expr import Ref, Root
from pwxc.ir.resources import Allocation, Container, Placement, Resources
from pwxc.ir.task import (
    Edge,
    Gang,
    GangStatus,
    Outcome,
    Publication,
    Script,
    Step,
    Task,
)
from pwxc.ir.template import Template, text
from pwxc.ir.workflow import Hook, RequestAllocation, RunCommands, Session, Trigger, Workflow, gang_of, units
from pwxc.semantics.environment import Fact, Fails, Given, Publishes, Queues, Scenario, SiteRetries, Takes
from tests.semantics.workflow_parts import (
    EVERYTHING,
    GIB,
    SECONDS,
    Feature,
    conditions,
    exit_rules,
    inputs,
    references,
    steps,
    sweeps,
    texts,
)


@st.composite
def workflows(draw: st.DrawFn, features: Collection[Feature] = EVERYTHING, most: int = 5) -> Workflow:
    """Give a workflow of one to `most` tasks; edges lead to tasks that stand earlier."""
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
    whole = Workflow(name="generated", inputs=inputs(features), tasks=tuple(tasks), gangs=tuple(gangs))
    for feature, dress in _DRESSES.items():
        if feature in features:
            whole = draw(dress(whole, features))
    return whole


@st.composite
def _tasks(
    draw: st.DrawFn, features: Collection[Feature], name: str, parents: list[str] | None, earlier: Collection[Task]
) -> Task:
    alone = parents is not None  # otherwise it is a member of a gang, which has the edges
    used = [each.sweep for each in earlier if each.sweep is not None]
    sweep = (
        draw(st.none() | (st.sampled_from(used) if used else sweeps()) | sweeps())
        if Feature.SWEEPS in features and alone
        else None
    )
    roots = references(features, sweep)
    number = draw(st.integers(1, 3)) if Feature.STEPS in features else 1
    twins = [each.name for each in earlier if sweep is not None and each.sweep == sweep]
    needs = draw(_edges(features, parents or [], twins))
    alike = {task.name for task in earlier if task.sweep is None}
    single = [edge.parent for edge in needs if edge.parent in alike and edge.when is not Outcome.START]
    condition = draw(st.none() | conditions(single)) if Feature.CONDITIONS in features and alone else None
    variables = (Variable(name="WHO", value=draw(texts(features, roots, name))),)
    timeouts = Feature.TIMEOUTS in features
    made = tuple(draw(steps(features, roots, at)) for at in range(number))
    elsewhere = Feature.STEPS in features and not any(step.working_directory for step in made)
    return Task(
        name=name,
        steps=made,
        needs=needs,
        condition=condition,
        sweep=sweep,
        exit_rules=draw(exit_rules()) if Feature.EXIT_RULES in features else (),
        run_timeout=draw(st.none() | SECONDS) if timeouts else None,
        queue_timeout=draw(st.none() | st.just(60)) if timeouts else None,
        environment=variables if Feature.ENVIRONMENT in features and draw(st.booleans()) else (),
        working_directory=draw(st.none() | st.just(text("work"))) if elsewhere else None,
    )


@st.composite
def _edges(
    draw: st.DrawFn, features: Collection[Feature], parents: list[str], twins: Collection[str] = ()
) -> tuple[Edge, ...]:
    """Give edges from some of the parents; the `twins` have the same sweep, so that instances can be paired."""
    chosen = draw(st.lists(st.sampled_from(parents), max_size=3, unique=True)) if parents else []
    outcomes = st.sampled_from(Outcome) if Feature.OUTCOMES in features else st.just(Outcome.SUCCESS)
    paired = Feature.SWEEPS in features
    return tuple(
        Edge(
            parent=parent,
            when=draw(outcomes),
            same_instance=parent in twins and draw(st.booleans()),
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


# what a finished graph is dressed with

Features: TypeAlias = Collection[Feature]


def _each(workflow: Workflow, change: Callable[[Task], Task]) -> Workflow:
    return changed(workflow, tasks=tuple(change(task) for task in workflow.tasks))


@st.composite
def _with_hooks(draw: st.DrawFn, workflow: Workflow, features: Features) -> Workflow:
    over = st.sampled_from([Trigger.TASKS_READY, Trigger.TASKS_COMPLETE])
    whole = st.sampled_from([Trigger.WORKFLOW_START, Trigger.WORKFLOW_COMPLETE])
    action = st.sampled_from([RunCommands((text("echo hook"),)), RunCommands((text("echo 'a b'"), text("date")))])
    names = st.sampled_from([task.name for task in workflow.tasks])
    chosen = st.lists(names, min_size=1, max_size=2, unique=True).map(tuple)
    hook = st.builds(Hook, trigger=over, action=action, tasks=chosen) | st.builds(Hook, trigger=whole, action=action)
    return changed(workflow, hooks=tuple(draw(st.lists(hook, max_size=2))))


@st.composite
def _with_environment(draw: st.DrawFn, workflow: Workflow, features: Features) -> Workflow:
    value = draw(texts(features, (), "1"))
    return changed(workflow, environment=(Variable(name="LEVEL", value=value),) if draw(st.booleans()) else ())


@st.composite
def _with_containers(draw: st.DrawFn, workflow: Workflow, features: Features) -> Workflow:
    mounts = st.sampled_from([(), ("/data",), ("/data:/mnt", "/scratch")])
    boxes = st.builds(
        Container, image=st.sampled_from(["alpine:3.20", "nvcr.io/a/b@sha256:00"]).map(text), mounts=mounts
    )
    return _each(workflow, lambda task: changed(task, container=draw(st.none() | boxes)))


@st.composite
def _with_resources(draw: st.DrawFn, workflow: Workflow, features: Features) -> Workflow:
    small = st.none() | st.integers(1, 8)
    record = Resources(
        name="big",
        nodes=draw(st.none() | st.integers(1, 3)),
        cpus=draw(small),
        memory=draw(small.map(lambda size: size and size * 2 * GIB)),
        storage=draw(st.none() | st.just(20 * GIB)),
        gpus=(gpus := draw(small)),
        gpu_type=draw(st.none() | st.just("a100")) if gpus else None,
        walltime=draw(st.none() | st.sampled_from([60, 5400, 90061])),
        partition=draw(st.none() | st.just(text("long"))),
        account=draw(st.none() | st.just(text("project1"))),
        constraint=draw(st.none() | st.just(text("ib"))),
        exclusive=draw(st.none() | st.just(True)),
    )
    gangs = gang_of(workflow)  # whose members have a node each
    classes = st.sampled_from([None, "big"])
    workflow = _each(workflow, lambda task: changed(task, resources=draw(classes) if task.name not in gangs else None))
    used = any(task.resources == "big" for task in workflow.tasks)
    return changed(workflow, resources=(record,) if used else ())


@st.composite
def _with_places(draw: st.DrawFn, workflow: Workflow, features: Features) -> Workflow:
    places = st.none() | st.sampled_from(
        [
            Placement(scheduled=True),
            Placement(host=text("login.example.org"), user=text("me")),
            Placement(pool=text("gpu-pool")),
            Placement(allocation="nodes"),
        ]
    )
    nodes = Resources(name="nodes-class", nodes=2, walltime=7200, account=text("project1"))
    workflow = _each(workflow, lambda task: changed(task, placement=draw(places)))
    if any(task.placement is not None and task.placement.allocation for task in workflow.tasks):
        request = Hook(trigger=Trigger.WORKFLOW_START, action=RequestAllocation(allocation="nodes"))
        hooks = (*workflow.hooks, request) if draw(st.booleans()) else workflow.hooks
        allocation = Allocation(name="nodes", resources="nodes-class")
        workflow = changed(workflow, allocations=(allocation,), resources=(*workflow.resources, nodes), hooks=hooks)
    return workflow


@st.composite
def _with_secrets(draw: st.DrawFn, workflow: Workflow, features: Features) -> Workflow:
    secrets = st.sampled_from(
        [Secret(name="store", variables=(("TOKEN", "key"),)), Secret(name="vault", folder=text("/run/secrets"))]
    )
    some = st.lists(secrets, max_size=1).map(tuple)
    return _each(workflow, lambda task: changed(task, secrets=draw(some)))


@st.composite
def _with_cleanups(draw: st.DrawFn, workflow: Workflow, features: Features) -> Workflow:
    script = Step(work=Script(text("rm -rf /tmp/scratch")))
    return _each(workflow, lambda task: changed(task, cleanup=draw(st.sampled_from([(), (script,)]))))


@st.composite
def _with_the_rest(draw: st.DrawFn, workflow: Workflow, features: Features) -> Workflow:
    sessions = (Session(name="notebook", options={"useTLS": True}),)
    return changed(
        workflow,
        description=draw(st.sampled_from(["", "What it is for"])),
        labels=draw(st.sampled_from([(), (("team", "robots"),)])),
        sessions=draw(st.sampled_from([(), sessions])),
        timeout=draw(st.none() | SECONDS),
    )


@st.composite
def _with_data(draw: st.DrawFn, workflow: Workflow, features: Features) -> Workflow:
    gangs = {member: gang for gang in workflow.gangs for member in gang.members}
    tasks: list[Task] = []
    for task in workflow.tasks:
        needs = gangs[task.name].needs if task.name in gangs else task.needs
        earlier = [
            edge.parent
            for edge in needs
            if edge.when is Outcome.SUCCESS and not edge.any_instance and edge.parent.startswith("t")
        ]
        tasks.append(draw(_with_own_data(task, features, earlier)))
    files = (File(name="f0", path=text("data/f0.csv")), File(name="f1", path=text("f1.bin")))
    return changed(workflow, tasks=tuple(tasks), files=files, data=(Datum(name="d0", value={"a": 1}),))


@st.composite
def _with_own_data(draw: st.DrawFn, task: Task, features: Features, parents: list[str]) -> Task:
    origins = [NamedFile("f0"), Url(text("s3://bucket/in")), Dataset(name=text("set"))]
    origins += [TaskOutput(parent) for parent in parents]
    reads = draw(st.lists(st.sampled_from(origins), max_size=2, unique=True))
    places = [NamedFile("f1"), NamedDatum("d0"), Url(text("s3://bucket/out"))]
    writes = draw(st.lists(st.sampled_from(places), max_size=1))
    named = tuple(Read(name=str(at), origin=origin) for at, origin in enumerate(reads))
    used = [
        Ref(Root.FILE, ("f0",)) if isinstance(read.origin, NamedFile) else Ref(Root.READ_FOLDER, (read.name,))
        for read in named
        if isinstance(read.origin, NamedFile | TaskOutput)
    ]
    work = task.steps[0].work
    if used and isinstance(work, Script):  # which is which must not be mixed up
        more = Script(Template.of(*work.text.parts, "\ncmp ", used[0], " ", used[-1]), work.shell)
        task = changed(task, steps=(changed(task.steps[0], work=more), *task.steps[1:]))
    saved = Checkpoint(path=text("/ckpt"), url=text("s3://bucket/ckpt"), interval=60)
    published = Publication("n", draw(texts(features, (), "1")))
    return changed(
        task,
        reads=named,
        writes=tuple(Write(destination=each) for each in writes),
        files=draw(st.sampled_from([(), (InlineFile(path=text("/tmp/a"), contents=draw(texts(features, (), "1"))),)])),
        checkpoints=draw(st.sampled_from([(), (), (saved,)])),
        outputs=(published,) if task.sweep is None and draw(st.booleans()) else (),
    )


_DRESSES = {
    Feature.DATA: _with_data,
    Feature.ENVIRONMENT: _with_environment,
    Feature.CONTAINERS: _with_containers,
    Feature.RESOURCES: _with_resources,
    Feature.SECRETS: _with_secrets,
    Feature.CLEANUP: _with_cleanups,
    Feature.HOOKS: _with_hooks,
    Feature.PLACEMENT: _with_places,
    Feature.ABOUT: _with_the_rest,
}
"""What each of these features adds to a finished graph, in this order."""


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
