"""What the properties found, each as its smallest example."""

from __future__ import annotations

import pytest

from pwxc import api
from pwxc.ir.entity import changed
from pwxc.ir.expr import Ref, Root
from pwxc.ir.inputs import Choice, Input, InputType
from pwxc.ir.resources import Container, Placement, Resources
from pwxc.ir.sweep import Parameter, Range, Sweep
from pwxc.ir.task import Edge, ExitAction, ExitRule, Gang, Outcome, Retry, Script, Step, Task
from pwxc.ir.template import Template, text
from pwxc.ir.workflow import Hook, RunCommands, Trigger, Workflow
from pwxc.semantics.equivalence import equivalent
from pwxc.source import Source
from tests.contract.trips import Trip

IMAGE = Container(image=text("alpine:3.20"))
STEP = Step(work=Script(text("true")))
ONE = Task(name="one", steps=(STEP,))


def flow(*tasks: Task, **more: object) -> Workflow:
    return Workflow(name="found", tasks=tasks, **more)  # type: ignore[arg-type]


def told(trip: Trip) -> set[str]:
    return {item.code.name for item in trip.said}


def test_slurm_sets_what_a_clean_up_reads():
    """A clean-up that reads what its own step has published found the variable unset."""
    source = """\
'on': {execute: {inputs: {}}}
jobs:
  main:
    steps:
      - run: echo done=true >> $OUTPUTS
        cleanup: test "${{ needs.main.outputs.done }}" = true || scancel 1
"""
    made = api.compile(source, to="slurm", origin="pw")
    script = next(file.text for file in made.files if file.path == "main.sbatch")
    body = script.partition("step_1_cleanup() {\n")[2].partition("\n}\n")[0]
    assert body.index("PWXC_VALUE_main_done=$(") < body.index("${PWXC_VALUE_main_done}")


def test_slurm_says_that_the_limit_of_a_step_holds_for_each_attempt():
    step = changed(STEP, timeout=60, retry=Retry(limit=2))
    assert told(Trip.of(flow(changed(ONE, steps=(step,))), "slurm")) == {"slurm-limit-of-attempts"}


def test_osmo_puts_no_shell_before_a_script_of_another_language():
    python = Step(work=Script(text("print(1)\n"), ("python3",)))
    written = Trip.of(flow(changed(ONE, steps=(python,), container=IMAGE)), "osmo").back()
    scripts = [file.contents.literal for file in written.tasks[0].files]
    assert "print(1)\n" in scripts


def test_osmo_says_that_a_limit_in_the_queue_is_everybodys():
    tasks = [changed(ONE, container=IMAGE, queue_timeout=60), changed(ONE, name="two", container=IMAGE)]
    assert "osmo-queue-limit" in told(Trip.of(flow(*tasks), "osmo"))


@pytest.mark.parametrize(("own", "walltime", "expected"), [(60, 3600, 60), (3600, 60, 60)])
def test_torc_keeps_the_smaller_of_two_limits(own: int, walltime: int, expected: int):
    task = changed(ONE, run_timeout=own, resources="big")
    back = Trip.of(flow(task, resources=(Resources(name="big", walltime=walltime),)), "torc").back()
    assert [each.walltime for each in back.resources if each.name == back.tasks[0].resources] == [expected]


def test_torc_says_that_it_chose_a_limit():
    assert told(Trip.of(flow(ONE), "torc")) == {"torc-chosen-runtime"}
    assert told(Trip.of(flow(changed(ONE, run_timeout=60)), "torc")) == set()


def test_torc_says_that_an_input_without_a_default_is_empty():
    step = Step(work=Script(Template.of("echo ", Ref(Root.INPUT, ("kind",)))))
    kind = Input(name="kind", type=InputType.CHOICE, choices=(Choice(value="a"),))
    assert "torc-frozen-inputs" in told(Trip.of(flow(changed(ONE, steps=(step,)), inputs=(kind,)), "torc"))


def test_torc_reads_what_it_wrote_with_scripts_beside_it():
    long = Step(work=Script(text("".join(f"echo {number}\n" for number in range(30)))))
    trip = Trip.of(flow(changed(ONE, steps=(long,), run_timeout=60)), "torc")
    assert len(trip.files) == 2
    sources = [Source(file.path, file.text) for file in reversed(trip.files)]
    workflow, _ = api.read(sources, origin="torc")
    assert workflow is not None
    assert [task.name for task in workflow.tasks] == ["one"]


def test_torc_finds_the_jobs_of_a_sweep_over_fractions():
    sweep = Sweep(parameters=(Parameter(name="i", values=Range(0.1, 0.3, 0.1)),))
    many = changed(ONE, sweep=sweep, run_timeout=60)
    after = changed(ONE, name="after", needs=(Edge(parent="one"),), run_timeout=60)
    back = Trip.of(flow(many, after), "torc").back()
    assert equivalent(flow(many, after), back), "a pattern for whole numbers selects nothing"


def test_torc_says_that_it_does_not_repeat_what_succeeded():
    rule = ExitRule(action=ExitAction.RETRY, codes=((0, 3),), retry=Retry(limit=1))
    assert "torc-no-retries" in told(Trip.of(flow(changed(ONE, exit_rules=(rule,), run_timeout=60)), "torc"))


@pytest.mark.parametrize("container", [None, IMAGE])
def test_pw_waits_for_different_outcomes_of_different_jobs(container: Container | None):
    two, three = (changed(ONE, name=name, container=container) for name in ("two", "three"))
    three = changed(three, needs=(Edge(parent="one"), Edge(parent="two", when=Outcome.FAILURE)))
    workflow = flow(ONE, two, three)
    verdict = equivalent(workflow, Trip.of(workflow, "pw").back())
    assert verdict.equal, verdict.story


@pytest.mark.parametrize("trigger", [Trigger.TASKS_READY, Trigger.TASKS_COMPLETE])
def test_a_hook_over_a_member_waits_for_the_gang(trigger: Trigger):
    gang = Gang(name="both", members=("two", "three"), lead="two", needs=(Edge(parent="one"),))
    hook = Hook(trigger=trigger, action=RunCommands((text("date"),)), tasks=("three",))
    tasks = (ONE, changed(ONE, name="two"), changed(ONE, name="three"))
    job = next(
        job for job in Trip.of(flow(*tasks, gangs=(gang,), hooks=(hook,)), "pw").back().tasks if "date" in repr(job)
    )
    assert [edge.parent for edge in job.needs] == ["one" if trigger is Trigger.TASKS_READY else "both"]


@pytest.mark.parametrize("container", [None, IMAGE])
def test_pw_says_that_a_pool_is_the_sources(container: Container | None):
    task = changed(ONE, container=container, placement=Placement(pool=text("gpus")))
    trip = Trip.of(flow(task), "pw")
    assert [path[-1][0] for path in trip.lost if path[-1][0] == "pool"] == ["pool"]


@pytest.mark.parametrize("seconds", [60, 3600, 5400, 86400, 90000, 172800])
@pytest.mark.parametrize("system", ["osmo", "pw", "torc"])
def test_a_time_limit_is_as_long_there(system: str, seconds: int):
    back = Trip.of(flow(changed(ONE, container=IMAGE, run_timeout=seconds)), system).back()
    classes = {each.name: each.walltime for each in back.resources}
    assert (back.tasks[0].run_timeout or classes[back.tasks[0].resources or ""]) == seconds


def test_slurm_gives_a_gang_a_node_for_each_member():
    gang = Gang(name="both", members=("one", "two"), lead="one")
    trip = Trip.of(flow(ONE, changed(ONE, name="two"), gangs=(gang,)), "slurm")
    assert "#SBATCH --nodes=2\n" in trip.texts["both.sbatch"]
    assert "#SBATCH --ntasks-per-node=1\n" in trip.texts["both.sbatch"]
