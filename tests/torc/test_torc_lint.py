"""What torc's dry run, its creation and good habit say."""

# ruff: noqa: E501 - a row of a table stays on its line

from __future__ import annotations

import pytest

from pwxc.diagnostics import Diagnostics
from pwxc.registry import ReadSettings
from pwxc.source import Source
from pwxc_targets.torc.lint import lint

JOB = "name: w\njobs: [{name: a, command: x}]\n"
SCHEDULER = "slurm_schedulers: [{name: s, account: a, nodes: 2, mem: 8G, walltime: '01:00:00', gres: 'gpu:1'}]\n"
START = (
    "actions: [{trigger_type: on_workflow_start, action_type: schedule_nodes, scheduler: s, scheduler_type: slurm}]\n"
)
ON_S = "name: w\njobs: [{name: a, command: x, scheduler: s, resource_requirements: r}]\n" + SCHEDULER + START
THREE = "name: w\njobs: [{name: work_1, command: x}, {name: work_10, command: x}, {name: rework_1, command: x}, {name: z, command: x, depends_on_regexes: ['%s']}]"
ROWS = [
    (JOB, set()),
    ('name: w\njobs: [{name: a, command: "x {i}", parameters: {i: "1:3"}}]', {"torc-dry-run-refuses", "torc-versions"}),
    ("name: w\njobs: [{name: a, command: x}, {name: b, command: x, depends_on: [a, a]}]", {"torc-twice-in-list"}),
    ('name: w\njobs: [{name: "a{i}", command: "echo ${i}", parameters: {i: "1:3"}}]', {"torc-shell-token"}),
    ('name: w\njobs: [{name: "a{i}", command: "echo {i} {i:03d}", parameters: {i: "1:3"}}]', {"torc-two-spellings-of-a-parameter"}),
    (
        'name: w\njobs: [{name: "a{i}", command: x, parameters: {i: "1:3"}}]\n'
        'actions: [{trigger_type: on_workflow_start, action_type: run_commands, commands: ["x {i}"]}]',
        {"torc-literal-action"},
    ),
    ("name: w\njobs: [{name: a, command: x, invocation_script: srun}]", {"torc-lost-script"}),
    (JOB + "execution_config: {mode: direct, srun_termination_signal: TERM@60}", {"torc-wrong-mode", "torc-versions"}),
    (JOB + "execution_config: {mode: slurm, sigterm_lead_seconds: 3}", {"torc-wrong-mode", "torc-versions"}),
    ("name: w\njobs: [{name: a, command: x, priority: -1}]", {"torc-wrong-mode", "torc-versions"}),
    (ON_S + "resource_requirements: [{name: r, num_cpus: 1, num_nodes: 2, memory: 8g, runtime: PT1H}]", set()),
    (ON_S + "resource_requirements: [{name: r, num_cpus: 1, num_nodes: 1, memory: 8g, runtime: PT1H}]", {"torc-node-mismatch", "torc-versions"}),
    (ON_S + "resource_requirements: [{name: r, num_cpus: 1, num_nodes: 2, memory: 9g, runtime: PT1H}]", {"torc-does-not-fit", "torc-versions"}),
    (ON_S + "resource_requirements: [{name: r, num_cpus: 1, num_nodes: 2, memory: 8g, runtime: PT2H}]", {"torc-does-not-fit", "torc-versions"}),
    (ON_S + "resource_requirements: [{name: r, num_cpus: 1, num_gpus: 2, num_nodes: 2, memory: 8g, runtime: PT1H}]", {"torc-does-not-fit", "torc-versions"}),
    (JOB + "files: [{name: f, path: p}, {name: g, path: p}]", {"torc-same-path"}),
    (JOB + "parameters: {k: '1:2'}", {"torc-unused"}),
    (JOB + SCHEDULER, {"torc-unused", "torc-no-allocation"}),
    ("name: w\nfiles: [{name: f, path: p}]\njobs: [{name: a, command: 'cat ${files.input.f}'}]", {"torc-invisible-order"}),
    (JOB.replace("command: x", 'command: "x {i}"') + 'parameters: {i: "1:2"}', {"torc-unused", "torc-untaken-parameter"}),
    ('name: w\njobs: [{name: "a{i}", command: x, parameters: {i: "[\'p,q\', r]"}}]', {"torc-odd-parameter"}),
    ('name: w\njobs: [{name: "a{i}", command: x, parameters: {i: "[[1,2],[3]]"}}]', {"torc-odd-parameter"}),
    ('name: w\njobs: [{name: "a{i}", command: x, parameters: {i: "[1,]"}}]', {"torc-odd-parameter"}),
    ('name: w\njobs: [{name: "a{i}", command: x, parameters: {i: "0.0001:0.01:10"}}]', {"torc-odd-parameter"}),
    ('name: w\njobs: [{name: "a{i}", command: x, parameters: {i: "[\'{j}\']"}}]', {"torc-odd-parameter"}),
    ('name: w\njobs: [{name: "a{i}", command: x, parameters: {i: "1:10:20"}}]', {"torc-odd-parameter"}),
    ('name: w\njobs: [{name: "a{i}", command: x, parameters: {i: "[\'p\',\'q\']"}}]', set()),
    (
        'name: w\njobs: [{name: "a{i}", command: x, parameters: {i: "[0.1]"}}, {name: "b{i}", command: x, depends_on_regexes: ["^a{i}$"], parameters: {i: "[0.1]"}}]',
        {"torc-unescaped-value"},
    ),
    ('name: w\njobs: [{name: "a{i}", command: x, parameters: {i: "1:2"}}, {name: "b{i}", command: x, depends_on_regexes: ["^a{i}$"], parameters: {i: "1:2"}}]', set()),
    (JOB.replace("command: x", "command: x, env: {A: '${files.input.f}'}"), {"torc-literal-text", "torc-versions"}),
    (JOB + "user: me", {"torc-no-effect"}),
    (JOB + "resource_monitor: {metrics: [cpu]}", {"torc-ignored-setting"}),
    (JOB + "resource_monitor: {enabled: true, jobs: {enabled: true}}", set()),
    (JOB + "resource_monitor: {jobs: {enable: true}}", {"torc-ignored-setting"}),
    ("name: w\njobs: [{name: a, command: x, resource_requirements: default}]\nresource_requirements: [{name: default, num_cpus: 1, memory: 1g}]", {"torc-reserved-name"}),
    (ON_S.replace("slurm}]", "slurm, max_parallel_jobs: 2}]") + "resource_requirements: [{name: r, num_cpus: 1, num_nodes: 2, memory: 8g}]", {"torc-counting-worker"}),
    (
        "name: w\njobs: [{name: a, command: x}, {name: b, command: x, depends_on: [a]}]\nactions: [{trigger_type: on_jobs_complete, action_type: run_commands, commands: [x], jobs: [b]}]",
        {"torc-missed-trigger"},
    ),
    (
        "name: w\njobs: [{name: a, command: x}, {name: b, command: x, depends_on: [a]}]\nactions: [{trigger_type: on_jobs_complete, action_type: run_commands, commands: [x], jobs: [a]}]",
        set(),
    ),
    ("name: w\njobs: [{name: a, command: x}, {name: b, command: x, depends_on: [a]}, {name: c, command: x, depends_on: [b]}]", {"torc-far-cancel"}),
    (
        "name: w\njobs: [{name: a, command: x}, {name: b, command: x, depends_on: [a]}, {name: c, command: x, depends_on: [b], cancel_on_blocking_job_failure: false}]",
        set(),
    ),
    (JOB + "jobs_sort_method: none", {"torc-versions"}),
    (THREE % "work_1", {"torc-loose-pattern"}),
    (THREE % "^work_1", {"torc-loose-pattern"}),
    (THREE % "^work_1$", set()),
    (THREE % "^work_.*", set()),
    (THREE % "work_[0-9]+", {"torc-loose-pattern"}),
    (THREE % "^work_[0-9]+", set()),
    (JOB.replace("command: x", "command: x, resource_requirements: r") + "resource_requirements: [{name: r, num_cpus: 1, num_nodes: 2, memory: 1g}]", {"torc-planner"}),
    (JOB.replace("command: x", "command: x, resource_requirements: r") + "resource_requirements: [{name: r, num_cpus: 1, memory: 1t}]", {"torc-planner"}),
    (JOB.replace("command: x", "command: x, resource_requirements: r") + "resource_requirements: [{name: r, num_cpus: 1, memory: 1024m}]", set()),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), ROWS)
def test_rules(text, expected):
    diagnostics = Diagnostics()
    lint((Source("w.yaml", text),), ReadSettings(), diagnostics)
    assert {item.code.name for item in diagnostics} == expected
    assert all(item.span is not None for item in diagnostics)
