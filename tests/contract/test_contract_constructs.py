"""The contract for each construct by itself: what is clean means the same, and what is read is something."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

import pytest

from pwxc import api, compiler, registry
from pwxc.diagnostics import Severity
from pwxc.ir.workflow import Workflow
from pwxc.registry import ReadSettings
from pwxc.semantics.equivalence import Effort, equivalent
from pwxc.source import Source
from tests.contract.trips import TARGETS, Trip

DOCS = Path(__file__).parents[2] / "docs"
sys.path.insert(0, str(DOCS))
from probes import osmo, pw, slurm, torc  # noqa: E402
from probes.probe import Probe  # noqa: E402

sys.path.remove(str(DOCS))
PROBES = {"osmo": osmo.probes, "pw": pw.probes, "torc": torc.probes, "slurm": slurm.probes}
EFFORT = Effort(environments=40, runs=800)


@cache
def probes_of(system: str) -> tuple[Probe, ...]:
    return tuple(PROBES[system]())


@cache
def read(system: str, text: str) -> Workflow | None:
    settings = ReadSettings(folder=DOCS)
    workflow, said, _ = compiler.read([Source("probe", text)], origin=registry.find(system), settings=settings)
    warned = any(item.severity is not Severity.NOTE for item in said)
    return None if warned else workflow


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("system", TARGETS)
def test_a_construct_that_is_clean_means_the_same(system: str, target: str):
    different = {}
    for probe in probes_of(system):
        workflow = read(system, probe.text)
        if workflow is None:
            continue
        trip = Trip.of(workflow, target)
        if trip.clean:
            verdict = equivalent(workflow, trip.back(), effort=EFFORT)
            if not verdict.equal:
                different[probe.title] = verdict.story
    assert different == {}


@pytest.mark.parametrize("system", TARGETS)
def test_a_construct_is_read_as_something(system: str):
    """With a construct and without it, a file does not read as the same workflow, unless a diagnostic says why."""
    same = []
    for probe in probes_of(system):
        before, said_before = api.read(Source("probe", probe.without), origin=system)
        after, said = api.read(Source("probe", probe.text), origin=system)
        if before == after and {item.message for item in said} <= {item.message for item in said_before}:
            same.append(probe.title)
    assert sorted(same) == NOTHING[system]


NOTHING = {
    "osmo": ["`workflow.groups`", "`workflow.tasks[].lead`"],
    "pw": [f"`on.execute.inputs.*.{key}`" for key in ("nextLabel", "option-key", "prevLabel", "validateOnNext")],
    "torc": ["`actions[].persistent`", "`failure_handlers[].name`", "`failure_handlers`", "`user`", "`variables`"],
    "slurm": ["`mkdir` before a submission"],
}
"""Constructs that mean nothing by themselves: another way to write the same, or what only another part makes count."""
