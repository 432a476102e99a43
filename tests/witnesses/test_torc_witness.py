"""The lowering of torc's specifications against a small torc that knows their surface model only."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pwxc.semantics.environment import Fact, Fails, Result, Scenario, Takes
from tests.witnesses.torc_runs import Both, load
from tests.witnesses.torc_specs import happenings, specs, text_of
from tests.witnesses.torc_values import UnknownError, values_of
from tests.witnesses.torc_witness import witness

FOLDER = Path(os.environ.get("PWXC_CORPUS", Path(__file__).parents[3] / "shared" / "corpus")) / "torc"
WORDS = {"ok": "succeeded", "bad": "failed", "no": "cancelled", "late": "timed out"}


@attrs.frozen
class Case:
    """A specification, what happens, and what torc.md says of it: a word for each job, with attempts if not 1."""

    why: str
    text: str
    facts: Sequence[Fact]
    expected: str
    executed: Mapping[str, float] = attrs.field(factory=dict)
    """When which actions are executed, by their first command."""


def _jobs(text: str) -> str:
    """Give a specification of jobs for lines `name: blocker blocker !`, where `!` is the flag set to false."""
    made = ["name: w", "jobs:"]
    for line in text.split(","):
        name, _, rest = line.strip().partition(":")
        words = rest.split()
        flag = ", cancel_on_blocking_job_failure: false" if "!" in words else ""
        blockers = ", ".join(word for word in words if word != "!")
        made.append(f"  - {{name: {name}, command: run {name}, depends_on: [{blockers}]{flag}}}")
    return "\n".join(made) + "\n"


HANDLED = """
name: w
failure_handlers:
  - name: h
    rules:
      - {match_all_exit_codes: true, max_retries: 2, recovery_script: ./any}
      - {exit_codes: [10, 11], recovery_script: ./fix}
      - {max_retries: 9}
      - {exit_codes: [12], max_retries: 1}
      - {exit_codes: [0, 13]}
jobs:
  - {name: a, command: run, failure_handler: h}
  - {name: b, command: after, depends_on: [a]}
"""
ONLY_TEN = "name: w\nfailure_handlers: [{name: h, rules: [{exit_codes: [10]}]}]\n"
LIMITED = """
name: w
resource_requirements:
  - {name: short, num_cpus: 1, memory: 1g, runtime: PT10S}
  - {name: hour, num_cpus: 1, memory: 1g}
jobs:
  - {name: a, command: run, resource_requirements: short}
  - {name: b, command: run, resource_requirements: hour}
  - {name: c, command: run}
  - {name: d, command: run, depends_on: [a]}
"""
SWEPT = """
name: w
parameters: {i: "1:3"}
files:
  - {name: "f_{i}", path: "d/{i}.nc", use_parameters: [i]}
jobs:
  - {name: "make_{i:02d}", command: "make {i} > ${files.output.f_{i}}", use_parameters: [i]}
  - {name: "use_{i}", command: "use {i}", input_files: ["f_{i}"], use_parameters: [i]}
  - {name: "check_{i}", command: "check", depends_on: ["make_{i:02d}"], use_parameters: [i]}
  - {name: all, command: gather, depends_on_regexes: ["^use_"]}
  - {name: some, command: gather, depends_on_regexes: ["_[13]$"], cancel_on_blocking_job_failure: false}
  - {name: one, command: gather, depends_on: ["make_02"]}
"""
ALIGNED = """
name: w
parameters: {i: "1:3", k: "['x','y']"}
jobs:
  - {name: "a_{i}", command: "a {i}", use_parameters: [i]}
  - {name: "b_{i}_{k}", command: "b {i} {k}", depends_on: ["a_{i}"], use_parameters: [i, k]}
"""
ACTED = """
name: w
jobs:
  - {name: a, command: run}
  - {name: b, command: run}
  - {name: c, command: run, depends_on: [a]}
  - {name: d, command: run, depends_on: [a, b], cancel_on_blocking_job_failure: false}
actions:
  - {trigger_type: on_workflow_start, action_type: run_commands, commands: [start]}
  - {trigger_type: on_workflow_complete, action_type: run_commands, commands: [end]}
  - {trigger_type: on_jobs_ready, action_type: run_commands, commands: [roots], jobs: [a, b]}
  - {trigger_type: on_jobs_ready, action_type: run_commands, commands: [c-ready], jobs: [c]}
  - {trigger_type: on_jobs_ready, action_type: run_commands, commands: [d-ready], job_name_regexes: [d]}
  - {trigger_type: on_jobs_complete, action_type: run_commands, commands: [ab], job_name_regexes: ["[ab]"]}
  - {trigger_type: on_jobs_complete, action_type: run_commands, commands: [all], jobs: [a], job_name_regexes: ["b|c|d"]}
  - {trigger_type: on_jobs_complete, action_type: run_commands, commands: [never]}
"""
FAILS_A, DIAMOND = (Fails("a"),), "a, b: a, c: a, d: b c"

CASES = [
    Case("§16 everything runs in order", _jobs(DIAMOND), (), "a ok, b ok, c ok, d ok"),
    Case("§16 a failure reaches the end of a chain", _jobs("a, b: a, c: b"), FAILS_A, "a bad, b no, c no"),
    Case("§16 and both arms of a diamond", _jobs(DIAMOND), FAILS_A, "a bad, b no, c no, d no"),
    Case("§16 one arm is enough", _jobs(DIAMOND), (Fails("b"),), "a ok, b bad, c ok, d no"),
    Case("§16 from afar", _jobs("a, b: a, x, y: x, d: b y"), FAILS_A, "a bad, b no, x ok, y ok, d no"),
    Case("§16 without the flag after the end", _jobs("a, b: a !, c: b"), FAILS_A, "a bad, b ok, c ok"),
    Case("§16 also after what was canceled", _jobs("a, b: a, c: b !"), FAILS_A, "a bad, b no, c ok"),
    Case("§16 others go on", _jobs("a, b: a, x, y: x"), FAILS_A, "a bad, b no, x ok, y ok"),
    Case("§10 three attempts by default", HANDLED, (Fails("a", codes=(10,)),), "a bad*3, b no"),
    Case("§10 two retries are enough", HANDLED, (Fails("a", codes=(10, 11), goes_on=False),), "a ok*3, b ok"),
    Case("§10 exact codes come first, `max_retries: 1` is none", HANDLED, (Fails("a", codes=(12,)),), "a bad, b no"),
    Case("§10 the rest meets the rule for all", HANDLED, (Fails("a", codes=(1,)),), "a bad*2, b no"),
    Case("§10 attempts of all rules count together", HANDLED, (Fails("a", codes=(10, 1, 10)),), "a bad*2, b no"),
    Case("§10 a handler is asked after failures only", HANDLED, (), "a ok, b ok"),
    Case("§10 no rule, no retry", ONLY_TEN + "jobs: [{name: a, command: x, failure_handler: h}]", FAILS_A, "a bad"),
    Case("§16 over its runtime a job is terminated", LIMITED,
         (Takes("a", 11.0), Takes("b", 3601.0), Takes("c", 9e6)), "a late, b late, c ok, d no"),
    Case("§16 just in time", LIMITED, (Takes("a", 10.0), Takes("b", 3600.0)), "a ok, b ok, c ok, d ok"),
    Case("§13.2, §15 sweeps meet one by one, patterns meet all", SWEPT, (Fails("make_{i:02d}", 1),),
         "make_01 ok, make_02 bad, make_03 ok, use_1 ok, use_2 no, use_3 ok, check_1 ok, check_2 no, check_3 ok,"
         " all no, some ok, one no"),
    Case("§13.2 each instance waits for its own", ALIGNED, (Fails("a_{i}", 1),),
         "a_1 ok, a_2 bad, a_3 ok, b_1_x ok, b_1_y ok, b_2_x no, b_2_y no, b_3_x ok, b_3_y ok"),
    Case("§9.2 actions over sets of jobs", ACTED, (Takes("b", 5.0),), "a ok, b ok, c ok, d ok",
         {"start": 0, "end": 6, "roots": 0, "c-ready": 1, "d-ready": 5, "ab": 5, "all": 6}),
    Case("§9.2 a canceled job was never ready", ACTED, FAILS_A, "a bad, b ok, c no, d ok",
         {"start": 0, "end": 2, "roots": 0, "d-ready": 1, "ab": 1, "all": 2}),
]  # fmt: skip


def _read(text: str, name: str = "w.yaml", folder: Path | None = None) -> Both:
    both = load(text, name, folder)
    assert both is not None
    return both


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.why)
def test_what_the_reference_says(case: Case) -> None:
    both = _read(case.text)
    expected = {}
    for part in case.expected.split(","):
        name, word = part.split()
        word, _, attempts = word.partition("*")
        expected[name] = (WORDS[word], int(attempts or (word != "no")))
    world = Scenario(_settled(case.facts, both))
    instances = {name: instance for instance, name in both.names.items()}
    seen, server = witness(both.creation, lambda name, attempt: world.result(instances[name], 0, attempt))
    assert {name: (ending.state.value, ending.attempts) for name, ending in seen.endings.items()} == expected
    actions = both.creation.spec.actions or []
    executed = {(actions[each.action].commands or [""])[0]: each.at for each in server.executed}
    assert executed == case.executed
    assert both.disagreements(world.facts) == []


def _settled(facts: Sequence[Fact], both: Both) -> list[Fact]:
    """Leave out the numbers of instances where the reader had to write out a sweep."""
    by_name = {name: instance for instance, name in both.names.items()}
    found: list[Fact] = []
    for fact in facts:
        if isinstance(fact, Fails) and fact.index is not None:
            instance = by_name[
                fact.task.replace("{i:02d}", f"{fact.index + 1:02d}").replace("{i}", f"{fact.index + 1}")
            ]
            fact = attrs.evolve(fact, task=instance.task, index=instance.index)
        found.append(fact)
    return found


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1:5", [1, 2, 3, 4, 5]), ("1:10:3", [1, 4, 7, 10]), ("10:1:-3", [10, 7, 4, 1]), ("5:1", []),
        ("0.0:1.0:0.5", [0.0, 0.5, 1.0]), ("0.1:0.5:0.1", [0.1, 0.2, 0.1 + 0.1 + 0.1, 0.4, 0.5]),
        ("1.5:3", [1.5, 2.5]), ("[1,2,3]", [1, 2, 3]), ("['a','b']", ["a", "b"]), ('["1","2"]', ["1", "2"]),
        ("['a,b']", ["a", "b"]), ("[1,]", [1, ""]), ("[]", []), ("[[1,2],[3,4]]", [1, "2]", "[3", 4]),
        ("[01,02]", [1, 2]), ("007", [7]), ("1e3", [1000.0]), ("", [""]), ("{1:3}", [1, 2, 3]),
        ([1, True], [1, "true"]),
    ],
)  # fmt: skip
def test_the_witness_reads_values_as_torc_was_measured_to(text: object, values: list[object]) -> None:
    assert [repr(value) for value in values_of(text)] == [repr(value) for value in values]


def test_a_pattern_of_an_action_does_not_meet_the_name_of_a_sweep() -> None:
    """`n` is in the name of the sweep `a_{n}`, but in that of none of its jobs."""
    both = _read(
        "name: w\njobs:\n  - {name: 'a_{n}', command: run, parameters: {n: '1:2'}}\n  - {name: end, command: run}\n"
        "actions:\n  - {trigger_type: on_jobs_complete, action_type: run_commands, commands: [x],"
        " job_name_regexes: [n]}\n"
    )
    assert both.disagreements([Takes("a_{n}", 9.0)]) == []


def test_jobs_of_one_name_cannot_be_told_apart() -> None:
    """The action takes one instance, so the sweep is written out, and three jobs would have one name."""
    text = (
        "name: w\njobs: [{name: 'a_{x}', command: 'run {n} {x}', parameters: {n: '1:3', x: '1:2'}}]\n"
        "actions: [{trigger_type: on_jobs_ready, action_type: run_commands, commands: [x], jobs: [a_1]}]\n"
    )
    assert load(text) is None


@settings(max_examples=250, suppress_health_check=list(HealthCheck))
@given(st.data(), specs())
def test_the_lowered_workflow_runs_as_torc_does(data: st.DataObject, spec: dict[str, Any]) -> None:
    text = text_of(spec)
    try:
        both = load(text, "w.json")
    except UnknownError:
        return
    if both is not None:
        facts = data.draw(happenings(sorted(both.names)))
        assert both.disagreements(facts) == [], f"{text}\n{facts}"


def test_the_witness_disagrees_with_another_world() -> None:
    """Were nothing compared, everything would agree."""
    both = _read(CASES[1].text)
    world = Scenario([Fails("a")])
    seen, _ = witness(both.creation, lambda name, attempt: Result(5, 2.0))
    from pwxc.semantics.machine import execute
    from tests.witnesses.outcomes import differences

    assert differences(execute(both.workflow, world), seen) != []


@pytest.mark.corpus
@pytest.mark.skipif(not FOLDER.is_dir(), reason="PWXC_CORPUS is not set")
def test_real_specifications_run_as_torc_does() -> None:
    wrong, known, unknown = [], 0, []
    for path in sorted(FOLDER.iterdir()):
        try:
            both = load(path.read_text(), path.name, FOLDER) if path.suffix != ".tsv" else None
        except UnknownError as fault:
            unknown.append((path.name, str(fault)))
            continue
        if both is None:
            continue
        known += 1
        instances = list(both.names)
        chosen = instances[:: max(1, len(instances) // 4)][: 500 // (len(instances) + 1)]
        failures: list[Fact] = [Fails(each.task, each.index, codes=(3,)) for each in chosen]
        worlds = [[], *([failure] for failure in failures)]
        wrong += [(path.name, facts, found) for facts in worlds if (found := both.disagreements(facts))]
    assert wrong == []
    assert len(unknown) < known / 10, unknown
