"""The contract, for workflows that were made up: what is written reads back, and what is not said is not lost."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from pwxc.diagnostics import Severity
from pwxc.ir.workflow import Workflow
from pwxc.semantics.equivalence import Effort, equivalent
from pwxc.semantics.renaming import rename
from tests.contract.changes import changes
from tests.contract.trips import TARGETS, Trip, at_home, erase, settled
from tests.semantics.workflow_parts import EVERYTHING, Feature, some_features
from tests.semantics.workflow_strategies import unit_names, workflows

EACH = pytest.mark.parametrize("system", TARGETS)
SOME = settings(max_examples=int(os.environ.get("PWXC_FUZZ", "50")), suppress_health_check=list(HealthCheck))
BRIEF = Effort(environments=40, runs=800)
UNREADABLE = {"osmo": {Feature.CONDITIONS}}
"""What a system's reader settles by the values of inputs, so that reading does not give the same workflow."""


@st.composite
def some_workflows(draw: st.DrawFn, system: str, without: frozenset[Feature] = frozenset(), most: int = 4) -> Workflow:
    features = draw(some_features()) - without
    return at_home(draw(workflows(features, most)), system)


@st.composite
def clean_trips(draw: st.DrawFn, system: str) -> Trip:
    """Give a trip on which nothing is lost."""
    trip = settled(draw(some_workflows(system, frozenset(UNREADABLE.get(system, ())))), system)
    assert not trip.lost, "what a report names, when it is left out, cannot be lost again"
    return trip


# what is written


@EACH
@SOME
@given(st.data())
def test_what_is_written_can_be_read_whatever_was_lost(system: str, data: st.DataObject):
    trip = Trip.of(data.draw(some_workflows(system, frozenset(UNREADABLE.get(system, ())))), system)
    workflow, said = trip.read()
    assert workflow is not None, [item.message for item in said]


@EACH
@SOME
@given(st.data())
def test_when_nothing_is_lost_the_output_means_the_same(system: str, data: st.DataObject):
    trip = data.draw(clean_trips(system))
    verdict = equivalent(trip.workflow, trip.back(), effort=BRIEF)
    assert verdict.equal, verdict.story


@EACH
@SOME
@given(st.data())
def test_what_is_dropped_is_all_that_is_dropped(system: str, data: st.DataObject):
    """Without the leaves that the report calls dropped, the source means what the output of the whole source means."""
    trip = Trip.of(data.draw(some_workflows(system, frozenset(UNREADABLE.get(system, ())))), system)
    for _ in range(6):
        otherwise = [path for path, entry in trip.fates if path in trip.lost and entry.fate != "dropped"]
        if not otherwise:
            break
        trip = Trip.of(erase(trip.workflow, otherwise), system)
    verdict = equivalent(erase(trip.workflow, trip.lost), trip.back(), effort=BRIEF)
    assert verdict.equal, verdict.story


# every leaf


@EACH
@SOME
@given(st.data())
def test_a_leaf_that_is_kept_can_be_seen_in_the_output(system: str, data: st.DataObject):
    """A leaf that an account calls kept and that nobody ever looked at is a loss in silence."""
    trip = Trip.of(data.draw(some_workflows(system)), system)
    hurt = {path[:-1] for path in trip.lost} - {()}  # what is left of a noun that lost a part need not show
    kept = [
        path
        for path, entry in trip.fates
        if entry.fate in ("exact", "emulated") and not any(path[: len(noun)] == noun for noun in hurt)
    ]
    found = [(path, other) for path in kept for other in changes(trip.workflow, path)]
    assume(found)
    path, other = data.draw(st.sampled_from(found))
    there = Trip.of(other, system)
    told = [(item.code.id, item.message) for item in trip.said], [(item.code.id, item.message) for item in there.said]
    if trip.texts == there.texts and told[0] == told[1]:
        # the other value may mean the same: one instance has no other partner than all of them
        assert equivalent(trip.workflow, other, effort=BRIEF).equal, path


# the same each time


@EACH
@SOME
@given(st.data())
def test_what_came_from_a_system_goes_back_to_it_unchanged(system: str, data: st.DataObject):
    first = data.draw(clean_trips(system)).back()
    assume(first.tasks)
    again = Trip.of(first, system)
    assert not any(item.severity is Severity.ERROR for item in again.said), [item.message for item in again.said]
    second = again.back()
    verdict = equivalent(first, second, effort=BRIEF)
    assert verdict.equal, verdict.story
    # names of loops' variables settle in a second pass
    third = Trip.of(second, system)
    assert again.texts == third.texts or third.texts == Trip.of(third.back(), system).texts


@EACH
@SOME
@given(st.data())
def test_renaming_and_compiling_commute(system: str, data: st.DataObject):
    """Names of equal length and in the same order stand in the output where the others stood."""
    workflow = data.draw(some_workflows(system))
    names = unit_names(workflow) + [task.name for task in workflow.tasks]
    outputs = []
    for stem in ("qjv", "zkw"):
        trip = Trip.of(rename(workflow, {name: f"{stem}{name}" for name in names}), system)
        outputs.append(
            sorted(repr(item).replace(stem, "NAME").replace(stem.upper(), "NAME") for item in trip.texts.items())
        )
    assert outputs[0] == outputs[1]


HASHES = """
import pickle, sys
from tests.contract.trips import TARGETS, Trip
for workflow in pickle.load(sys.stdin.buffer):
    for system in TARGETS:
        print(sorted(Trip.of(workflow, system).texts.items()))
"""


def test_another_process_with_another_hash_seed_writes_the_same():
    made: list[Workflow] = []

    @settings(max_examples=12, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(workflows(EVERYTHING, most=4))
    def collect(workflow: Workflow) -> None:
        made.append(workflow)

    collect()
    root = Path(__file__).parents[2]
    paths = os.pathsep.join(str(root / folder) for folder in (".", "grammars", "targets"))
    outputs = set()
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": paths}
        command = [sys.executable, "-c", HASHES]
        done = subprocess.run(command, input=pickle.dumps(made), env=environment, capture_output=True, check=True)
        outputs.add(done.stdout)
    assert len(outputs) == 1
    assert [sorted(Trip.of(workflow, system).texts.items()) for workflow in made for system in TARGETS] == [
        eval(line) for line in outputs.pop().decode().splitlines()
    ]
