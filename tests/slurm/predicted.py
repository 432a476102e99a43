"""What the reference machine says about a run, held against what a real Slurm remembers of it.

    found = differences(workflow, collect(ran.folder), [Fails("bad", codes=(3,))])
    assert found == []

The facts say what the commands of the workflow really do; the machine says what follows from it.
"""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import attrs

from pwxc.expr.values import Value
from pwxc.ir.task import Gang
from pwxc.ir.workflow import RunCommands, Trigger, Workflow, units
from pwxc.semantics.environment import Fact, Given, Result, Scenario
from pwxc.semantics.machine import execute
from pwxc.semantics.trace import Instance, Record, State, Trace

_AGAIN = re.compile(r"^exit code \d+: attempt \d+ follows$", re.MULTILINE)
_FIELD = re.compile(r"(?:^| )([A-Za-z]+)=(.*?)(?= [A-Za-z/:]+=|\s*$)")
_BEFORE_IT_RAN = "before it ran"
_OUT_OF_TIME = "FAILED as `timeout` does"
_JOB_HOOKS = (Trigger.WORKFLOW_COMPLETE, Trigger.TASKS_READY, Trigger.TASKS_COMPLETE)
_SHOWN_AS: Mapping[State, frozenset[str]] = {
    State.SUCCEEDED: frozenset({"COMPLETED"}),
    State.FAILED: frozenset({"FAILED", _OUT_OF_TIME, "OUT_OF_MEMORY", "NODE_FAIL", "BOOT_FAIL"}),
    State.TIMED_OUT: frozenset({"TIMEOUT", "DEADLINE", _OUT_OF_TIME}),
    State.CANCELLED: frozenset({"CANCELLED", f"CANCELLED {_BEFORE_IT_RAN}"}),
    # Slurm has no other word for a job whose `afternotok` did not happen (docs/semantics.md, "Edges")
    State.SKIPPED: frozenset({"skipped", f"CANCELLED {_BEFORE_IT_RAN}"}),
}


@attrs.frozen
class Job:
    """What became of one job: a unit of the workflow, or one instance of it.

    `state` is Slurm's word, or `skipped` if the job said so itself. `attempts` counts those of the script's own loop.
    """

    name: str
    index: int | None = None
    state: str = "COMPLETED"
    began: datetime | None = None
    ended: datetime | None = None
    attempts: int = 1
    restarts: int = 0


@attrs.frozen
class History:
    """A run: its jobs, and the marks of those that were never submitted, by their names in files."""

    jobs: tuple[Job, ...]
    marks: Mapping[str, str] = attrs.field(factory=dict)


def collect(folder: Path) -> History:
    """Ask Slurm about the jobs of a run that has ended; `folder` is the run's."""
    listed = folder / "submitted.tsv"
    submitted = listed.read_text() if listed.exists() else ""
    numbers = dict.fromkeys(line.split("\t")[1] for line in submitted.splitlines())
    shown = "".join(
        subprocess.run(["scontrol", "show", "job", "-o", number], capture_output=True, text=True, check=False).stdout
        for number in numbers
    )
    marks = {path.name: path.read_text().strip() for path in (folder / "state").iterdir()}
    again = {path.name: len(_AGAIN.findall(path.read_text(errors="replace"))) for path in (folder / "logs").iterdir()}
    return history(submitted, shown, marks, again)


def history(submitted: str, shown: str, marks: Mapping[str, str], again: Mapping[str, int]) -> History:
    """Put together what is known of a run.

    `submitted` is the run's list of submissions, `shown` what `scontrol show job -o` printed, `marks` what the scripts
    wrote down by their names in files, `again` how often each log announces a further attempt.
    """
    titles: dict[str, tuple[str, str]] = {}
    for line in submitted.splitlines():
        slug, number, title = line.split("\t")[:3]
        titles[number] = (slug, title)
    jobs: dict[tuple[str, int | None], Job] = {}
    for line in shown.splitlines():
        fields = _fields(line)
        number = fields.get("ArrayJobId", fields.get("JobId", ""))
        if number not in titles or fields.get("HetJobOffset", "0") != "0":
            continue
        slug, title = titles[number]
        for index in _indexes(fields):
            mark = marks.get(slug if index is None else f"{slug}.{index}", "")
            jobs[title, index] = _job(title, index, fields, mark, again)
    named = {slug for slug, _ in titles.values()}
    left = {slug: mark for slug, mark in marks.items() if not named & {slug, slug.rpartition(".")[0]}}
    return History(tuple(jobs.values()), left)


def _fields(line: str) -> dict[str, str]:
    """Cut a line of `scontrol` into its fields, in whose values blanks may stand."""
    return dict(_FIELD.findall(line))


def _indexes(fields: Mapping[str, str]) -> Iterator[int | None]:
    """Give the numbers of the instances that a line is about; one line may stand for all that never began."""
    text = fields.get("ArrayTaskId", "")
    if not text:
        yield None
        return
    # a long array is submitted in parts, whose scripts get the number of the first index as their last argument
    offset = int(fields.get("Command", "").rpartition(" ")[2] or 0)
    for part in text.partition("%")[0].split(","):
        first, _, rest = part.partition("-")
        last, _, step = rest.partition(":")
        yield from (offset + number for number in range(int(first), int(last or first) + 1, int(step or 1)))


def _job(title: str, index: int | None, fields: Mapping[str, str], mark: str, again: Mapping[str, int]) -> Job:
    state, began, ended = fields["JobState"], _moment(fields.get("StartTime")), _moment(fields.get("EndTime"))
    if state == "CANCELLED" and (began is None or began == ended):
        began, state = None, f"CANCELLED {_BEFORE_IT_RAN}"
    if state == "COMPLETED" and mark == "skipped":
        began, state = None, "skipped"
    if state == "FAILED" and fields.get("ExitCode") == "124:0":
        state = _OUT_OF_TIME
    log = Path(fields.get("StdOut", "")).name
    return Job(title, index, state, began, ended, 1 + again.get(log, 0), int(fields.get("Restarts", "0")))


def _moment(text: str | None) -> datetime | None:
    return None if text in (None, "Unknown", "None") else datetime.fromisoformat(str(text))


# the prediction


@attrs.frozen
class _Delayed:
    """A world in which one instance waits long for a machine."""

    world: Scenario
    instances: frozenset[Instance]
    seconds: float

    def result(self, instance: Instance, step: int, attempt: int) -> Result:
        return self.world.result(instance, step, attempt)

    def output(self, instance: Instance, step: str | None, key: str) -> Value:
        return self.world.output(instance, step, key)

    def queued(self, instance: Instance) -> float:
        return self.world.queued(instance) + (self.seconds if instance in self.instances else 0.0)

    def staging(self, instance: Instance) -> float:
        return self.world.staging(instance)

    def inputs(self) -> Mapping[str, Value]:
        return self.world.inputs()

    def site_retries(self) -> int:
        return self.world.site_retries()


@attrs.frozen
class _Place:
    """One instance of a unit, by its name and number, with its run; of a gang the lead stands for all."""

    name: str
    index: int | None
    state: State
    record: Record
    members: frozenset[Instance]
    is_gang: bool

    def __str__(self) -> str:
        return self.name if self.index is None else f"{self.name}[{self.index}]"


def differences(
    workflow: Workflow, history: History, facts: Iterable[Fact] = (), inputs: Mapping[str, Value] | None = None
) -> list[str]:
    """Say in what a run differs from what the machine says about it; nothing if they agree.

    Compared are the states, who began at all, the attempts of the scripts' own loops, which hooks ran, and the order:
    what has to wait for something, however long that takes, may not have begun before it ended.
    """
    world = Scenario([*facts, *(Given((name,), value) for name, value in (inputs or {}).items())])
    trace = execute(workflow, world)
    places = _places(workflow, trace)
    jobs = {(job.name, job.index): job for job in history.jobs}
    found = list(_strangers(workflow, places, history))
    for place in places:
        job = jobs.get((_title(place.name), place.index))
        found += _of_job(place, job) if job is not None else _unsubmitted(place, history)
    found += _of_hooks(workflow, trace, history)
    return found + list(_of_order(workflow, world, trace, places, jobs))


def _title(name: str) -> str:
    return re.sub(r"[\t\n]", " ", name)


def _places(workflow: Workflow, trace: Trace) -> list[_Place]:
    found: list[_Place] = []
    for unit in units(workflow):
        members = unit.members if isinstance(unit, Gang) else (unit.name,)
        lead = unit.lead if isinstance(unit, Gang) else unit.name
        for instance, record in trace.instances.items():
            if instance.task != lead:
                continue
            name = unit.name if instance.index is None else f"{unit.name}[{instance.index}]"
            state = trace.units[name] if isinstance(unit, Gang) else record.state
            all_of_it = frozenset(Instance(member, instance.index) for member in members)
            found.append(_Place(unit.name, instance.index, state, record, all_of_it, isinstance(unit, Gang)))
    return found


def _strangers(workflow: Workflow, places: Sequence[_Place], history: History) -> Iterator[str]:
    known = {(_title(place.name), place.index) for place in places}
    for job in history.jobs:
        if (job.name, job.index) not in known and not job.name.startswith("hook."):
            name = job.name if job.index is None else f"{job.name}[{job.index}]"
            yield f"`{name}` ran and is no task of `{workflow.name}`"


def _of_job(place: _Place, job: Job) -> Iterator[str]:
    if job.state not in _SHOWN_AS[place.state]:
        yield f"`{place}`: predicted {place.state}, was {job.state}"
    if (place.record.began is None) is not (job.began is None):
        words = ("never begins", "began") if place.record.began is None else ("begins", "never began")
        yield f"`{place}`: predicted that it {words[0]}, it {words[1]}"
    elif job.began is not None and not place.is_gang and job.attempts != place.record.attempts:
        yield f"`{place}`: predicted {place.record.attempts} attempts, had {job.attempts}"
    if job.restarts not in (0, job.attempts - 1):
        yield f"`{place}`: Slurm started it again {job.restarts} times"


def _unsubmitted(place: _Place, history: History) -> Iterator[str]:
    """A job that was not needed leaves only a mark."""
    from pwxc_targets.slurm.writing.naming import slug

    if place.state is not State.SKIPPED:
        yield f"`{place}`: predicted {place.state}, was not submitted"
    elif history.marks.get(slug(place.name)) != "skipped":
        yield f"`{place}`: predicted {place.state}, was not submitted and left no mark"


def _of_hooks(workflow: Workflow, trace: Trace, history: History) -> Iterator[str]:
    fired = Counter(run.hook for run in trace.hooks)
    ran = {job.name: job.state == "COMPLETED" for job in history.jobs if job.name.startswith("hook.")}
    numbers = [
        number
        for number, hook in enumerate(workflow.hooks)
        if hook.trigger in _JOB_HOOKS and isinstance(hook.action, RunCommands)
    ]
    for at, number in enumerate(numbers, 1):
        name = f"hook.{workflow.hooks[number].trigger.value}.{at}"
        if bool(fired[number]) is not ran.get(name, False):
            words = ("fires", "did not run") if fired[number] else ("does not fire", "ran")
            yield f"`{name}`: predicted that it {words[0]}, it {words[1]}"


def _of_order(
    workflow: Workflow,
    world: Scenario,
    trace: Trace,
    places: Sequence[_Place],
    jobs: Mapping[tuple[str, int | None], Job],
) -> Iterator[str]:
    for first, second in needed_order(workflow, world, trace, places):
        one, two = (jobs.get((_title(place.name), place.index)) for place in (first, second))
        if one is None or two is None or one.ended is None or two.began is None:
            continue
        if one.ended > two.began:
            yield f"`{second}`: began at {two.began:%T}, has to wait for `{first}`, which ended at {one.ended:%T}"


def needed_order(
    workflow: Workflow, world: Scenario, trace: Trace, places: Sequence[_Place]
) -> Iterator[tuple[_Place, _Place]]:
    """Give the pairs of which the second waits for the end of the first, however late that is.

    That one thing ends before another begins may be by chance; it is not if a long wait of the first makes no
    difference. Left out is what only follows from the machine's deciding about a hopeless unit late, where Slurm does
    so at once (docs/semantics.md, "Edges").
    """
    begun = {place.name for place in places if place.record.began is not None}
    passes = {unit.name for unit in units(workflow) if unit.name in begun or len(unit.needs) == 1}
    followers: dict[str, set[str]] = {}
    for unit in units(workflow):
        for edge in unit.needs:
            followers.setdefault(edge.parent, set()).add(unit.name)
    for first in places:
        if first.record.began is None:
            continue
        late = execute(workflow, _Delayed(world, first.members, 3.0 * trace.lasted + 1000.0))
        for second, after in zip(places, _places(workflow, late), strict=True):
            began = after.record.began
            ends = [late.instances[each].ended for each in first.members]
            waits = began is not None and all(end is not None and end < began for end in ends)
            if waits and second != first and second.name in _reached(first.name, followers, passes):
                yield first, second


def _reached(name: str, followers: Mapping[str, set[str]], passes: Collection[str]) -> set[str]:
    """Give the units that a unit leads to, itself among them, through those that pass its end on at once."""
    found, new = {name}, [name]
    while new:
        at = new.pop()
        if at == name or at in passes:
            more = followers.get(at, set()) - found
            found |= more
            new += more
    return found
