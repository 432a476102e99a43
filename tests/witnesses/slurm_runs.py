"""A driver run twice: by bash and the small Slurm, and read and lowered by the machine; and in what the two differ."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path

import attrs

from pwxc.diagnostics import Diagnostics
from pwxc.ir.workflow import Workflow
from pwxc.registry import ReadSettings
from pwxc.semantics.environment import NOTHING_FAILS, Fact, Result, Scenario
from pwxc.semantics.expansion import expand
from pwxc.semantics.machine import execute
from pwxc.semantics.resolve import Scope
from pwxc.semantics.trace import Instance, Record
from pwxc.semantics.world import World
from pwxc.source import Source
from pwxc_targets.slurm.read import read
from tests.witnesses.outcomes import Ending, Witnessed, differences
from tests.witnesses.slurm_calls import Call, calls_of
from tests.witnesses.slurm_drivers import TAG
from tests.witnesses.slurm_witness import Cluster, Job

INDEX = "SLURM_ARRAY_TASK_ID"


@attrs.frozen
class Both:
    """What a driver submits, and how it was read; `names` gives the tag of each instance, with its index."""

    calls: list[Call]
    workflow: Workflow
    names: Mapping[Instance, str]

    def disagreements(self, facts: Iterable[Fact] = ()) -> list[str]:
        """Run both in one world and give a line for everything in which they differ."""
        world = Scenario(facts)
        instances = {name: instance for instance, name in self.names.items()}

        def run(job: Job) -> Result:
            instance = instances.get(name_of(job))
            return world.result(instance, 0, 0) if instance is not None else Result()

        cluster = Cluster(self.calls, run, decided=True)
        cluster.play()
        trace = execute(self.workflow, world)
        renamed = {Instance(self.names[each]): _plain(record) for each, record in trace.instances.items()}
        return differences(attrs.evolve(trace, instances=renamed), witnessed(cluster))


def _plain(record: Record) -> Record:
    """Give a record with its arguments in plain quotes."""
    return attrs.evolve(record, ran=tuple(attrs.evolve(ran, text=_plain_text(ran.text)) for ran in record.ran))


def _plain_text(text: str) -> str:
    first, _, rest = text.partition("\n")
    return f"{shlex.join(shlex.split(first))}\n{rest}" if first.startswith("set -- ") else text


def name_of(job: Job) -> str:
    """Give the tag of a job, with its index in an array."""
    tag = tag_of(" ".join([*job.call.arguments, job.call.script]))
    return tag if job.index is None else f"{tag}.{job.index}"


def tag_of(text: str) -> str:
    """Give the first tag in a text."""
    found = TAG.search(text)
    assert found is not None, text
    return found[0]


def witnessed(cluster: Cluster) -> Witnessed:
    """Give what the small Slurm says of all jobs."""
    return Witnessed({name_of(job): _ending(job) for job in cluster.tasks})


def _ending(job: Job) -> Ending:
    assert job.state is not None, f"{name_of(job)} has not ended"
    if job.began is None:
        return Ending(job.state, 0, (), (), began=None, ended=job.ended)
    set_words = f"set -- {shlex.join(job.call.arguments)}\n" if job.call.arguments else ""
    variables = {**job.call.variables, **({} if job.index is None else {INDEX: str(job.index)})}
    return Ending(
        job.state,
        attempts=1,
        work=((set_words + job.call.body, job.code),),
        variables=(tuple(sorted(variables.items())),),
        began=job.began,
        ended=job.ended,
    )


def load(driver: Path) -> Both | None:
    """Run a driver and read it, with what lies beside it; None when the reader cannot follow it."""
    told = Diagnostics()
    source = Source(driver.name, driver.read_text(), path=driver)
    workflow = read((source,), ReadSettings(folder=driver.parent), told)
    if workflow is None or any(each.code.name == "slurm-driver-kept-as-script" for each in told):
        return None
    return Both(calls_of(driver), workflow, _names(workflow))


def _names(workflow: Workflow) -> Mapping[Instance, str]:
    """Find the tag of each instance in the text that it would run."""
    world = World(workflow, NOTHING_FAILS)
    found = {}
    for task in workflow.tasks:
        rows = [{}] if task.sweep is None else expand(task.sweep, Scope(world).value)
        for number, row in enumerate(rows):
            instance = Instance(task.name, None if task.sweep is None else number)
            scope = Scope(world, instance, row)
            own = [scope.text(each.value) for each in task.environment if each.name == INDEX]
            found[instance] = ".".join([tag_of(scope.work(task.steps[0].work)), *own])
    return found
