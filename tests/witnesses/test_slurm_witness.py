"""What drivers submit, and what we write for Slurm, against a small Slurm that knows submissions only."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from pwxc import compiler
from pwxc.diagnostics import Diagnostics
from pwxc.ir.expr import Binary, Literal, Ref, Root
from pwxc.ir.inputs import Input
from pwxc.ir.task import ExitAction, ExitRule, Gang, Outcome, Retry, Task
from pwxc.ir.template import Template
from pwxc.ir.workflow import Hook, RunCommands, Trigger, Workflow
from pwxc.registry import OutputFile, ReadSettings
from pwxc.semantics.environment import Fact, Fails, Result, Scenario, Takes
from pwxc.semantics.machine import execute
from pwxc.semantics.trace import Instance
from pwxc.source import Source
from pwxc_targets.slurm import TARGET
from pwxc_targets.slurm.read import read
from tests.slurm.flows import after, flow, put, script, sweep, task
from tests.slurm.predicted import History, differences
from tests.witnesses.slurm_calls import Call, calls_of, directives
from tests.witnesses.slurm_drivers import SCRIPTS, drivers
from tests.witnesses.slurm_drivers import happenings as driver_happenings
from tests.witnesses.slurm_flows import flows, happenings, is_told_apart
from tests.witnesses.slurm_folder import EPOCH, Folder
from tests.witnesses.slurm_runs import Both, load
from tests.witnesses.slurm_witness import Cluster, Job, indexes, seconds, terms

CORPUS = Path(os.environ.get("PWXC_CORPUS", Path(__file__).parents[3] / "shared" / "corpus")) / "slurm"

QUICK = (Phase.explicit, Phase.reuse, Phase.generate)
"""Making an example smaller would run many scripts, and takes minutes."""

# the small Slurm itself, by slurm.md


@attrs.frozen
class Case:
    """Submissions, what happens, and what Slurm was seen to do: a word and a start for each job."""

    why: str
    jobs: str
    """Lines `NAME OPTION…`; `@NAME` is the id of a job above."""
    happens: Mapping[str, tuple[int, float]]
    """Exit code and duration of jobs, or of one task as `NAME_INDEX`; 0 and one second where nothing is said."""
    expected: str


CASES = [
    Case("afterok", "a\nb -d=afterok:@a", {}, "a ok 0, b ok 1"),
    Case("afterok in vain", "a\nb -d=afterok:@a\nc -d=afterok:@b", {"a": (3, 1)}, "a bad 0, b no, c no"),
    Case("afterany", "a\nb -d=afterany:@a\nc -d=@a", {"a": (3, 5)}, "a bad 0, b ok 5, c ok 5"),
    Case("afterany of what never ran", "a\nb -d=afterok:@a\nc -d=afterany:@b", {"a": (1, 2)}, "a bad 0, b no, c ok 2"),
    Case("afternotok", "a\nb -d=afternotok:@a\nc -d=afternotok:@x", {"a": (1, 1)}, "a bad 0, b ok 1, x ok 0, c no"),
    Case("afternotok of what never ran", "a\nb -d=afterok:@a\nc -d=afternotok:@b", {"a": (1, 1)},
         "a bad 0, b no, c ok 1"),
    Case("after, also some minutes later", "a\nb -d=after:@a\nc -d=after:@a+2", {"a": (0, 300)},
         "a ok 0, b ok 0, c ok 120"),
    Case("all of several", "a\nb\nc -d=afterok:@a:@b\nd -d=afterok:@a,afterany:@b", {"b": (1, 3)},
         "a ok 0, b bad 0, c no, d ok 3"),
    Case("one of several", "a\nb\nc -d=afterok:@a?afterok:@b", {"a": (0, 9), "b": (0, 2)}, "a ok 0, b ok 0, c ok 2"),
    Case("hopeless at once", "a\nb\nc -d=afterok:@a:@b\nd -d=afterany:@c", {"a": (1, 2), "b": (0, 50)},
         "a bad 0, b ok 0, c no, d ok 2"),
    Case("an array as a whole", "a --array=1-3\nb -d=afterok:@a\nc -d=afterany:@a\nd -d=afternotok:@a",
         {"a_2": (1, 4)}, "a_1 ok 0, a_2 bad 0, a_3 ok 0, b no, c ok 4, d ok 4"),
    Case("one task of an array", "a --array=1-2\nb -d=afterok:@a_1", {"a_2": (1, 9)}, "a_1 ok 0, a_2 bad 0, b ok 1"),
    Case("aftercorr", "a --array=0-2\nb --array=1-3 -d=aftercorr:@a\nc -d=aftercorr:@a",
         {"a_1": (0, 5), "a_2": (1, 2)}, "a_0 ok 0, a_1 ok 0, a_2 bad 0, b_1 ok 5, b_2 no, b_3 ok 5, c no"),
    Case("a limit", "a --array=0-5%2", {}, "a_0 ok 0, a_1 ok 0, a_2 ok 1, a_3 ok 1, a_4 ok 2, a_5 ok 2"),
    Case("a time limit", "a --time=1\nb -d=afternotok:@a", {"a": (0, 61)}, "a late 0, b ok 60"),
    Case("held for ever", "a --hold\nb -d=afterany:@a", {}, "a -, b -"),
    Case("hopeless without the switch", "a\n!b -d=afterok:@a\nc -d=afterany:@b", {"a": (1, 1)}, "a bad 0, b -, c -"),
]  # fmt: skip
_WORDS = {"succeeded": "ok", "failed": "bad", "cancelled": "no", "timed out": "late"}


def _calls(text: str) -> list[Call]:
    """Make the submissions of a case; `!` before a name leaves out the switch that all others have."""
    found: list[Call] = []
    ids = {"x": 1}
    lines = text.split("\n")
    for line in [*(["x"] if "@x" in text else []), *lines]:
        name, *words = line.split()
        number = 100 + len(found)
        ids[name.strip("!")] = number
        options = {} if name.startswith("!") else {"kill-on-invalid-dep": "yes"}
        for word in words:
            key, _, value = word.lstrip("-").partition("=")
            for known in sorted(ids, key=len, reverse=True):
                value = value.replace(f"@{known}", str(ids[known]))
            options["dependency" if key == "d" else key] = value
        found.append(Call(number, options, "", name.strip("!"), (), {}))
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.why)
def test_the_small_slurm_does_what_the_real_one_was_seen_to_do(case: Case) -> None:
    def name_of(job: Job) -> str:
        return job.call.name if job.index is None else f"{job.call.name}_{job.index}"

    cluster = Cluster(_calls(case.jobs), lambda job: Result(*case.happens.get(name_of(job), (0, 1.0))), decided=False)
    cluster.play()
    found = {}
    for job in cluster.tasks:
        word = "-" if job.state is None else _WORDS[job.state.value]
        found[name_of(job)] = word if job.began is None else f"{word} {job.began:g}"
    assert found == dict(part.strip().split(" ", 1) for part in case.expected.split(","))


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("5", 5), ("90", 90), ("5:30", 6), ("1:2:3", 63), ("1-2", 26 * 60), ("1-2:3", 26 * 60 + 3), ("1-", 24 * 60),
     ("24:00:00", 24 * 60), ("0:30", 1), ("00:00:30", 1), ("1-25:61:61", 50 * 60 + 3), ("0", None), ("infinite", None)],
)  # fmt: skip
def test_time_limits_are_read_as_by_slurm(text: str, minutes: int | None) -> None:
    assert seconds(text) == (None if minutes is None else minutes * 60)


@pytest.mark.parametrize(
    ("text", "found"),
    [("0-7:3", ([0, 3, 6], 0)), ("3,1,2", ([1, 2, 3], 0)), ("1-3,2-5%2", ([1, 2, 3, 4, 5], 2)), ("007%0", ([7], 0))],
)
def test_arrays_are_read_as_by_slurm(text: str, found: tuple[list[int], int]) -> None:
    assert indexes(text) == found


def test_options_and_dependencies_are_read_as_by_slurm() -> None:
    text = "#!/bin/sh\n#SBATCH -J 'a b' -N2 # a comment\n# no\n#SBATCH --time 5\n\nset -e\n#SBATCH --time=9\n"
    assert directives(text) == {"job-name": "a b", "nodes": "2", "time": "5"}
    read_terms, is_any = terms("AFTEROK:1:2_3,4,after:5+6")
    assert [(term.kind, term.number, term.task, term.minutes) for term in read_terms] == [
        ("afterok", 1, None, 0), ("afterok", 2, 3, 0), ("afterany", 4, None, 0), ("after", 5, None, 6)
    ]  # fmt: skip
    assert not is_any


# drivers


def _driver(folder: Path, text: str) -> Both | None:
    for name, text_of_script in SCRIPTS.items():
        (folder / name).write_text(text_of_script)
    (folder / "driver.sh").write_text(text)
    return load(folder / "driver.sh")


DRIVERS = {
    "a chain, a fan and a join": """
        a=$(sbatch --parsable plain.sh job_a)
        all=
        for x in 1 2 3; do one=$(sbatch --parsable -d afterok:$a plain.sh job_f_$x); all=$all:$one; done
        sbatch -d afterany$all plain.sh job_end
        sbatch --dependency=afternotok:$a plain.sh job_rescue
        """,
    "arrays that meet index by index": """
        a=$(sbatch --parsable many.sh job_a)
        b=$(sbatch --parsable -a 2-4 --dependency=aftercorr:$a plain.sh job_b)
        sbatch -d afternotok:$b short.sh job_c
        """,
    "starts and their delays": """
        export MODE=slow SIZE=3
        LOCAL=1
        a=$(sbatch --parsable short.sh job_a)
        b=$(sbatch --parsable -d after:$a+1 plain.sh job_b)
        sbatch --dependency=after:$b,afterok:$a --wrap 'echo job_c'
        """,
    # the list is quoted and empty, which is no word at all
    "options in a list": """
        options=()
        sbatch "${options[@]}" plain.sh job_a
        options+=(--time=1)
        sbatch "${options[@]}" plain.sh job_b
        """,
}


@pytest.mark.parametrize("name", DRIVERS)
def test_a_driver_runs_as_bash_submits_it(name: str, tmp_path: Path) -> None:
    both = _driver(tmp_path, "#!/bin/bash\n" + "\n".join(line.strip() for line in DRIVERS[name].splitlines()))
    assert both is not None
    assert both.disagreements() == []
    for instance in both.names:
        for code, duration in ((1, 1.0), (0, 61.0), (2, 121.0)):
            facts: list[Fact] = [Takes(instance.task, duration, instance.index)]
            facts += [Fails(instance.task, instance.index, codes=(code,))] if code else []
            assert both.disagreements(facts) == [], facts


@settings(max_examples=70, suppress_health_check=list(HealthCheck), phases=QUICK)
@given(st.data(), drivers())
def test_any_driver_runs_as_bash_submits_it(data: st.DataObject, text: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        both = _driver(Path(name), text)
        assert both is not None, text
        facts = data.draw(driver_happenings(list(both.names)))
        assert both.disagreements(facts) == [], f"{text}\n{facts}"


# folders that we write


def _written(workflow: Workflow, **options: str) -> Sequence[OutputFile]:
    """Write a workflow; nothing if there is anything to say about it."""
    given_options = {"container": "none", **options}
    files, _, told = compiler.write(workflow, to=TARGET, options=given_options, policy=compiler.Policy())
    return files if not list(told) else ()


def _read_back(files: Sequence[OutputFile]) -> Workflow:
    ordered = sorted(files, key=lambda file: file.path != "submit.sh")
    told = Diagnostics()
    found = read(tuple(Source(file.path, file.text) for file in ordered), ReadSettings(folder=Path("/nowhere")), told)
    assert found is not None, [item.message for item in told]
    return found


def _disagreements(workflow: Workflow, files: Sequence[OutputFile], facts: Sequence[Fact]) -> list[str]:
    """Run what was written, and compare with the machine: what was written, and what is read from it again."""
    with tempfile.TemporaryDirectory() as name:
        put({file.path: file for file in files}, Path(name))
        steps = {task.name: len(task.steps) for task in workflow.tasks}
        history = Folder(Path(name), Scenario(facts), steps).history()
    found = []
    for how, each in (("written", workflow), ("read back", _read_back(files))):
        found += [f"{how}: {line}" for line in [*differences(each, history, facts), *_late(each, history, facts)]]
    return found


def _late(workflow: Workflow, history: History, facts: Sequence[Fact]) -> list[str]:
    """Give what begins later than it could, and hooks that are early.

    An array in parts with a limit begins later, and members are not timed.
    """
    if workflow.gangs or any(each.sweep is not None and each.sweep.limit for each in workflow.tasks):
        return []
    trace = execute(workflow, Scenario(facts))
    fired = {f"hook.{workflow.hooks[run.hook].trigger.value}.{run.hook + 1}": run.at.time for run in trace.hooks}
    found = []
    for job in history.jobs:
        if job.began is not None and (job.began - EPOCH).total_seconds() < fired.get(job.name, 0.0):
            found.append(f"`{job.name}`: predicted to fire at {fired[job.name]}")
        record = trace.instances.get(Instance(job.name, job.index))
        if record is None or record.began is None or job.began is None:
            continue
        began = (job.began - EPOCH).total_seconds()
        if began > record.began.time:
            found.append(f"`{job.name}`: predicted to begin at {record.began.time}, began at {began}")
    return found


_AGAIN = ExitRule(action=ExitAction.RETRY, codes=((7, 9),), retry=Retry(limit=2))
_NOTHING = RunCommands((Template.of("true"),))
_FINE = ExitRule(action=ExitAction.COMPLETE, codes=((3, 3),))
FLOWS: dict[str, tuple[Workflow, Sequence[Sequence[Fact]]]] = {
    "outcomes": (
        flow(
            task("a", "probe a - 0"),
            task("b", "probe b - 0", needs=["a"]),
            task("c", "probe c - 0", needs=[after("b")]),
            task("d", "probe d - 0", needs=[after("a", Outcome.FAILURE)]),
            task("e", "probe e - 0", needs=[after("a", Outcome.START), "b0"]),
            task("b0", "probe b0 - 0"),
        ),
        [(), [Fails("a")], [Fails("b")], [Takes("a", 9.0)], [Fails("a"), Fails("d")]],
    ),
    "a job that is not needed": (
        flow(
            task("a", "probe a - 0"),
            task("b", "probe b - 0", needs=[after("a", Outcome.FAILURE)]),
            task("c", "probe c - 0", needs=[after("b", Outcome.FAILURE)]),
            task("d", "probe d - 0", needs=["b"]),
            task("e", "probe e - 0", needs=[after("d")], condition=Ref(Root.STATUS, ("error",))),
        ),
        [(), [Fails("a")], [Fails("a"), Fails("b")]],
    ),
    "a failure beside a job that is skipped": (
        flow(
            task("a", "probe a - 0"),
            task("b", "probe b - 0", condition=Binary("==", Ref(Root.INPUT, ("mode",)), Literal("full"))),
            task("c", "probe c - 0", needs=["a", "b"]),
            task("d", "probe d - 0", needs=[after("c", Outcome.FAILURE)]),
        ),
        [(), [Fails("a")]],
    ),
    "a look at what has only begun": (
        flow(
            task("a", "probe a - 0"),
            task("b", "probe b - 0", needs=[after("a", Outcome.START)], condition=Ref(Root.STATUS, ("completed",))),
        ),
        [(), [Takes("a", 5.0)]],
    ),
    "tied arrays and a hook before the second": (
        flow(
            task("a", "probe a $PWXC_INDEX 0", sweep=sweep("i", 1, 3)),
            task("b", "probe b $PWXC_INDEX 0", needs=[after("a", Outcome.SUCCESS, same_instance=True)],
                 sweep=sweep("i", 1, 3)),
            hooks=(Hook(trigger=Trigger.TASKS_READY, tasks=("b",), action=_NOTHING),),
        ),
        [(), [Fails("a")]],
    ),
    "hooks": (
        flow(
            task("a", "probe a - 0"),
            task("b", "probe b - 0", needs=["a"]),
            hooks=(
                Hook(trigger=Trigger.TASKS_COMPLETE, tasks=("a",), action=_NOTHING),
                Hook(trigger=Trigger.TASKS_READY, tasks=("b",), action=_NOTHING),
                Hook(trigger=Trigger.WORKFLOW_COMPLETE, action=_NOTHING),
            ),
        ),
        [(), [Takes("a", 3.0), Fails("b")]],
    ),
    "retries": (
        flow(task("a", "probe a - 0", exit_rules=(_FINE, _AGAIN)), task("b", "probe b - 0", needs=["a"])),
        [[Fails("a", codes=(7, 9), goes_on=False)], [Fails("a", codes=(8,))], [Fails("a", codes=(7, 3))]],
    ),
    "a step's own attempts": (
        flow(Task(name="a", steps=(script("probe a - 0", retry=Retry(limit=1)), script("probe a - 1")))),
        [[Fails("a", codes=(1,), goes_on=False)], [Fails("a", codes=(1, 1), goes_on=False)]],
    ),
    "a sweep with a limit, and one beside it": (
        flow(
            task("a", "probe a $PWXC_INDEX 0", sweep=sweep("i", 1, 4, limit=2)),
            task("b", "probe b $PWXC_INDEX 0", needs=[after("a", Outcome.SUCCESS, same_instance=True)],
                 sweep=sweep("i", 1, 4)),
        ),
        [(), [Fails("a", 2)], [Takes("a", 5.0, 0), Fails("b", 1)]],
    ),
    "a job that is skipped at once": (
        flow(
            task("a", "probe a - 0"),
            task("b", "probe b - 0", needs=[after("a")],
                 condition=Binary("==", Ref(Root.INPUT, ("mode",)), Literal("full"))),
            task("c", "probe c - 0", needs=[after("b")]),
            task("d", "probe d - 0", needs=[after("b", Outcome.START)]),
            inputs=(Input(name="mode", default="quick", has_default=True),),
        ),
        [(), [Fails("a"), Takes("a", 5.0)]],
    ),
    # in parts of two: an `afternotok` on both would ask that both have failed
    "the failure of an array in parts": (
        flow(
            task("a", "probe a $PWXC_INDEX 0", sweep=sweep("i", 1, 3)),
            task("b", "probe b - 0", needs=[after("a", Outcome.FAILURE)]),
            task("c", "probe c - 0", needs=[after("b")]),
        ),
        [(), [Fails("a", 0), Takes("a", 5.0, 2)], [Fails("a", 2)], [Fails("a")]],
    ),
    "a gang": (
        flow(
            task("g1", "probe g1 - 0"), task("g2", "probe g2 - 0"), task("end", "probe end - 0", needs=["pair"]),
            gangs=(Gang(name="pair", members=("g1", "g2"), lead="g1"),),
        ),
        [(), [Fails("g1")]],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FLOWS)
def test_a_folder_runs_as_the_machine_says(name: str) -> None:
    workflow, worlds = FLOWS[name]
    files = _written(workflow, max_array_size="2" if "parts" in name else "1001")
    assert files
    for facts in worlds:
        assert _disagreements(workflow, files, facts) == [], facts


@settings(max_examples=40, suppress_health_check=list(HealthCheck), phases=QUICK)
@given(st.data(), flows(), st.sampled_from([1001, 2]))
def test_any_folder_runs_as_the_machine_says(data: st.DataObject, workflow: Workflow, size: int) -> None:
    assume(is_told_apart(workflow))
    files = _written(workflow, max_array_size=str(size))
    if files:
        facts = data.draw(happenings(workflow))
        assert _disagreements(workflow, files, facts) == [], facts


# real files


def _played(calls: Sequence[Call], results: Mapping[int, Result]) -> Cluster:
    """Run submissions of which each has one result."""
    cluster = Cluster(calls, lambda job: results[job.call.number], decided=True)
    cluster.play()
    return cluster


def _rows() -> list[dict[str, str]]:
    index = CORPUS / "INDEX.tsv"
    lines = index.read_text().splitlines() if index.is_file() else []
    return [dict(zip(lines[0].split("\t"), line.split("\t"), strict=False)) for line in lines[1:]]


@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS.is_dir(), reason="PWXC_CORPUS is not set")
def test_real_scripts_run_as_slurm_does() -> None:
    """Single scripts: their arrays and time limits."""
    wrong, seen = [], 0
    for row in _rows():
        text = (CORPUS / row["file"]).read_text()
        workflow = read((Source(row["file"], text),), ReadSettings(folder=Path("/nowhere")), Diagnostics())
        if workflow is None or len(workflow.tasks) != 1 or "driver" in row["kind"]:
            continue
        seen += 1
        call = Call(100, directives(text), text, row["file"], (), {})
        limit = seconds(call.options.get("time", ""))
        name = workflow.tasks[0].name
        for facts in ([], [Fails(name)], [Takes(name, limit or 9.0)], [Takes(name, (limit or 9.0) + 1)]):
            world = Scenario(facts)
            cluster = _played([call], {100: world.result(Instance(name), 0, 0)})
            mine = Counter((job.state, job.began, job.ended) for job in cluster.tasks)
            trace = execute(workflow, world)
            theirs = Counter(
                (each.state, each.began and each.began.time, each.ended and each.ended.time)
                for each in trace.instances.values()
            )
            if mine != theirs:
                wrong.append((row["file"], facts, mine, theirs))
    assert wrong == []
    assert seen > 30


@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS.is_dir(), reason="PWXC_CORPUS is not set")
def test_real_drivers_run_as_bash_submits_them(tmp_path: Path) -> None:
    """Drivers that can be followed: what ends how and when, if nothing fails and if any one job does."""
    for row in _rows():
        path = tmp_path / row["repo"].replace("/", "_") / row["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text((CORPUS / row["file"]).read_text())
    seen = 0
    for row in _rows():
        path = tmp_path / row["repo"].replace("/", "_") / row["path"]
        source = Source(path.name, path.read_text(), path=path)
        told = Diagnostics()
        workflow = read((source,), ReadSettings(folder=path.parent), told)
        if workflow is None or len(workflow.tasks) < 2:
            continue
        seen += 1
        calls = calls_of(path, "one", "two")
        assert _all_outcomes_of_calls(calls) == _all_outcomes(workflow), row["file"]
    assert seen > 0


def _all_outcomes(workflow: Workflow) -> Counter[object]:
    instances = list(execute(workflow).instances)
    worlds = [Scenario(), *(Scenario([Fails(each.task, each.index)]) for each in instances)]
    traces = [execute(workflow, world) for world in worlds]
    return Counter(
        frozenset(Counter((each.state, each.began and each.began.time) for each in trace.instances.values()).items())
        for trace in traces
    )


def _all_outcomes_of_calls(calls: Sequence[Call]) -> Counter[object]:
    found: Counter[object] = Counter()
    for number in range(-1, len(calls)):
        bad = calls[number].number if number >= 0 else None
        cluster = _played(calls, {call.number: Result(int(call.number == bad)) for call in calls})
        found[frozenset(Counter((job.state, job.began) for job in cluster.tasks).items())] += 1
    return found
