"""What torc's dry run, its creation and good habit say."""

# ruff: noqa: E501 - a row of a table stays on its line

from __future__ import annotations

import pytest

from pwxc.diagnostics import Diagnostics
from pwxc.registry import ReadSettings
from pwxc.source import Source
from pwxc_targets.torc.lint import lint
from pwxc_targets.torc.linting.verdict import verdicts

JOB = "name: w\njobs: [{name: a, command: x}]\n"
SCHEDULER = "slurm_schedulers: [{name: s, account: a, nodes: 2, mem: 8G, walltime: '01:00:00', gres: 'gpu:1'}]\n"
START = (
    "actions: [{trigger_type: on_workflow_start, action_type: schedule_nodes, scheduler: s, scheduler_type: slurm}]\n"
)
ON_S = "name: w\njobs: [{name: a, command: x, scheduler: s, resource_requirements: r}]\n" + SCHEDULER + START
ROWS = [
    (JOB, set()),
    ('name: w\njobs: [{name: a, command: "x {i}", parameters: {i: "1:3"}}]', {"torc-dry-run-refuses"}),
    ("name: w\njobs: [{name: a, command: x}, {name: b, command: x, depends_on: [a, a]}]", {"torc-twice-in-list"}),
    ('name: w\njobs: [{name: "a{i}", command: "echo ${i}", parameters: {i: "1:3"}}]', {"torc-shell-token"}),
    ('name: w\njobs: [{name: "a{i}", command: "echo {i} {i:03d}", parameters: {i: "1:3"}}]', {"torc-two-spellings-of-a-parameter"}),
    (
        'name: w\njobs: [{name: "a{i}", command: x, parameters: {i: "1:3"}}]\n'
        'actions: [{trigger_type: on_workflow_start, action_type: run_commands, commands: ["x {i}"]}]',
        {"torc-literal-action"},
    ),
    ("name: w\njobs: [{name: a, command: x, invocation_script: srun}]", {"torc-lost-script"}),
    (JOB + "execution_config: {mode: direct, srun_termination_signal: TERM@60}", {"torc-wrong-mode"}),
    (JOB + "execution_config: {mode: slurm, sigterm_lead_seconds: 3}", {"torc-wrong-mode"}),
    ("name: w\njobs: [{name: a, command: x, priority: -1}]", {"torc-wrong-mode"}),
    (ON_S + "resource_requirements: [{name: r, num_cpus: 1, num_nodes: 2, memory: 8g, runtime: PT1H}]", set()),
    (ON_S + "resource_requirements: [{name: r, num_cpus: 1, num_nodes: 1, memory: 8g, runtime: PT1H}]", {"torc-node-mismatch"}),
    (ON_S + "resource_requirements: [{name: r, num_cpus: 1, num_nodes: 2, memory: 9g, runtime: PT1H}]", {"torc-does-not-fit"}),
    (ON_S + "resource_requirements: [{name: r, num_cpus: 1, num_nodes: 2, memory: 8g, runtime: PT2H}]", {"torc-does-not-fit"}),
    (ON_S + "resource_requirements: [{name: r, num_cpus: 1, num_gpus: 2, num_nodes: 2, memory: 8g, runtime: PT1H}]", {"torc-does-not-fit"}),
    (JOB + "files: [{name: f, path: p}, {name: g, path: p}]", {"torc-same-path"}),
    (JOB + "parameters: {k: '1:2'}", {"torc-unused"}),
    (JOB + SCHEDULER, {"torc-unused", "torc-no-allocation"}),
    ("name: w\nfiles: [{name: f, path: p}]\njobs: [{name: a, command: 'cat ${files.input.f}'}]", {"torc-invisible-order"}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), ROWS)
def test_rules(text, expected):
    diagnostics = Diagnostics()
    lint((Source("w.yaml", text),), ReadSettings(), diagnostics)
    assert {item.code.name for item in diagnostics} == expected
    assert all(item.span is not None for item in diagnostics)


OK, UNPARSED, CREATE, DRY = "ok", "unparsed", "create-error", "create-ok,dry-run-error"
VERDICTS = [
    (JOB, (UNPARSED, OK, OK, OK)),
    ("name: w\ndescription: d\njobs: [{name: a, command: x}]", (OK, OK, OK, OK)),
    (JOB.replace("name: w", "name: 5"), (UNPARSED, OK, UNPARSED, UNPARSED)),
    ("name: w\njobs: [{name: a, command: x}, {name: b, command: x, blocked_by: [a]}]", (UNPARSED, OK, UNPARSED, UNPARSED)),
    ("name: w\njobs: [{name: b, command: x, blocked_by: [q]}]", (UNPARSED, CREATE, UNPARSED, UNPARSED)),
    ("name: w\njobs: [{name: b, command: x, depends_on: [q]}]", (UNPARSED, OK, CREATE, CREATE)),
    ("name: w\njobs: [{name: a, command: x, priority: 3}]", (UNPARSED, OK, UNPARSED, OK)),
    ("name: w\njobs: [{name: a, command: x, priority: -3}]", (UNPARSED, OK, UNPARSED, CREATE)),
    (JOB + "jobs_sort_method: none", (UNPARSED, OK, OK, UNPARSED)),
    ('name: w\njobs: [{name: a, command: "{i}", parameters: {i: "1:2"}}]', (UNPARSED, OK, DRY, DRY)),
    ("name: w\nname: v\njobs: []", (UNPARSED, UNPARSED, OK, OK)),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), VERDICTS)
def test_verdicts_of_four_versions(text, expected):
    assert tuple(verdicts(Source("w.yaml", text), ReadSettings()).values()) == expected
