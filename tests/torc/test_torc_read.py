"""Reading torc: names, sweeps, order, actions, and the traps of torc that become diagnostics."""

# ruff: noqa: E501 - a row of a table stays on its line

from __future__ import annotations

import time

import pytest
from torc_files import codes, expand, must_read, read_text

from pwxc import api
from pwxc.ir.resources import Resources
from pwxc.ir.sweep import Range
from pwxc.ir.task import Outcome
from pwxc.ir.workflow import RequestAllocation, RunCommands, Trigger

TIDES = """
name: tides
parameters:
  port: "['brest','cuxhaven']"
  year: "1999:2001"
files:
  - {name: "gauge_{port}", path: "in/{port}.csv", use_parameters: [port]}
  - {name: "fit_{port}_{year}", path: "out/{port}-{year}.json", use_parameters: [port, year]}
  - {name: report, path: report.txt}
resource_requirements:
  - {name: tiny, num_cpus: 1, memory: 512m, runtime: PT5M}
  - {name: fits, num_cpus: 8, num_gpus: 1, memory: 16g, runtime: PT1H30M}
failure_handlers:
  - name: disk
    rules: [{match_all_exit_codes: true, max_retries: 2}, {exit_codes: [74, 75], recovery_script: ./sweep.sh, max_retries: 4}]
slurm_schedulers:
  - {name: gpus, account: sea, walltime: "02:00:00", gres: "gpu:2", extra: --mail-type=END}
jobs:
  - {name: "get_{port}", command: "./get {port} ${files.output.gauge_{port}}", use_parameters: [port], resource_requirements: tiny}
  - name: fit_{port}_{year:04d}
    command: ./fit {year} < ${files.input.gauge_{port}} > ${files.output.fit_{port}_{year}}
    use_parameters: [port, year]
    resource_requirements: fits
    failure_handler: disk
    scheduler: gpus
  - name: report
    command: cat out/*.json > ${files.output.report}
    input_file_regexes: ["^fit_"]
    cancel_on_blocking_job_failure: false
actions:
  - {trigger_type: on_workflow_start, action_type: run_commands, commands: [mkdir -p in out]}
  - {trigger_type: on_jobs_ready, action_type: schedule_nodes, job_name_regexes: ["^fit_"], scheduler: gpus, scheduler_type: slurm, num_allocations: 3}
"""


def test_sweeps_stay_sweeps_and_expand_as_torc_does():
    workflow = must_read(TIDES)
    assert [task.sweep.size if task.sweep else 1 for task in workflow.tasks] == [2, 6, 1]
    jobs = expand(workflow)
    assert len(jobs) == 9
    assert jobs["fit_brest_2000"] == "./fit 2000 < in/brest.csv > out/brest-2000.json"
    assert jobs["get_cuxhaven"] == "./get cuxhaven in/cuxhaven.csv"


def test_order_follows_from_files():
    get, fit, report = must_read(TIDES).tasks
    assert get.needs == ()
    assert [(edge.parent, edge.same_instance, edge.implied, edge.when) for edge in fit.needs] == [
        ("get_{port}", True, True, Outcome.SUCCESS)
    ]
    assert [(edge.parent, edge.same_instance, edge.when) for edge in report.needs] == [
        ("fit_{port}_{year:04d}", False, Outcome.END)
    ]


def test_exact_exit_codes_come_before_rules_for_all():
    rules = must_read(TIDES).tasks[1].exit_rules
    assert [rule.codes for rule in rules] == [((74, 74), (75, 75)), ()]
    assert [rule.retry.limit for rule in rules] == [3, 1]


def test_resources_and_allocations():
    workflow = must_read(TIDES)
    records = {item.name: item for item in workflow.resources}
    assert records["fits"] == Resources(name="fits", nodes=1, cpus=8, gpus=1, memory=16 * 2**30, walltime=5400)
    assert records["gpus"].gpus == 2
    assert records["gpus"].walltime == 7200
    assert workflow.allocations[0].resources == "gpus"


def test_actions_select_whole_sweeps():
    start, ready = must_read(TIDES).hooks
    assert start.trigger is Trigger.WORKFLOW_START
    assert isinstance(start.action, RunCommands)
    assert ready.tasks == ("fit_{port}_{year:04d}",)
    assert ready.patterns == ("^fit_",)
    assert ready.action == RequestAllocation("gpus", count=3)


def test_one_instance_that_is_meant_alone_is_written_out():
    workflow = must_read(
        'name: w\njobs:\n  - {name: "a_{i}", command: x, parameters: {i: "1:3"}}\n'
        '  - {name: "b_{i}", command: x, depends_on: ["a_{i}"], parameters: {i: "1:3"}}\n'
        "  - {name: c, command: y, depends_on: [a_2]}\n"
    )
    assert [task.name for task in workflow.tasks] == ["a_1", "a_2", "a_3", "b_1", "b_2", "b_3", "c"]
    assert workflow.tasks[6].needs[0].parent == "a_2"
    assert workflow.tasks[4].needs[0].parent == "a_2"


def test_patterns_are_not_anchored():
    workflow = must_read(
        "name: w\njobs:\n  - {name: work_1, command: x}\n  - {name: rework_10, command: x}\n"
        "  - {name: z, command: x, depends_on_regexes: [work_1]}\n"
    )
    assert [edge.parent for edge in workflow.tasks[2].needs] == ["work_1", "rework_10"]


@pytest.mark.parametrize("count", [10, 1_000_000])
def test_a_pattern_selects_a_large_sweep_without_expanding_it(count):
    workflow = must_read(
        f'name: w\njobs:\n  - {{name: "a_{{i:03d}}", command: x, parameters: {{i: "1:{count}"}}}}\n'
        '  - {name: z, command: x, depends_on_regexes: ["^a_\\\\d+$"]}\n'.replace('"^a_\\\\d+$"', "'^a_[0-9]+$'")
    )
    assert workflow.tasks[0].sweep.parameters[0].values == Range(1, count, 1)
    assert workflow.tasks[1].needs[0].parent == "a_{i:03d}"


def test_reading_a_million_instances_costs_as_much_as_ten():
    def cost(count: int) -> float:
        text = TIDES.replace("1999:2001", f"1:{count}")
        best = 1e9
        for _ in range(5):
            start = time.perf_counter()
            must_read(text)
            best = min(best, time.perf_counter() - start)
        return best

    cost(3)
    assert cost(1_000_000) < 1.5 * cost(10) + 0.005


def test_command_variables_replace_lists():
    workflow, diagnostics = read_text(
        "name: w\nfiles: [{name: a, path: a}, {name: b, path: b}]\n"
        "jobs: [{name: j, command: 'cat ${files.input.a}', input_files: [b]}]\n"
    )
    assert codes(diagnostics) == {"torc-list-replaced"}
    assert [item.name for item in workflow.tasks[0].reads] == ["a"]


OLD = """
name: w
description: d
user: u
jobs:
  - {name: a, command: x, resource_requirements_name: r}
  - {name: b, command: y, blocked_by_job_names: [a]}
  - {name: c, command: z, blocked_by_job_name_regexes: ["^b$"]}
resource_requirements: [{name: r, num_cpus: 1, num_gpus: 0, num_nodes: 1, memory: 1g, runtime: PT1M}]
slurm_schedulers: [{name: s, account: a, nodes: 1, walltime: "01:00:00"}]
actions:
  - {trigger_type: on_jobs_complete, action_type: schedule_nodes, job_names: [a], scheduler_name: s, scheduler_type: slurm}
"""


def test_names_of_the_first_generation():
    workflow, diagnostics = read_text(OLD)
    assert codes(diagnostics) == {"torc-old-names"}
    assert [[edge.parent for edge in task.needs] for task in workflow.tasks] == [[], ["a"], ["b"]]
    assert workflow.tasks[0].resources == "r"
    assert workflow.hooks[0].tasks == ("a",)


def test_the_oldest_files_have_schedulers_and_scripts_elsewhere():
    workflow = must_read(
        "name: w\nschedulers: {slurm_schedulers: [{name: s, account: a}]}\n"
        "config: {worker_startup_script: ./up, compute_node_wait_for_new_jobs_seconds: 5}\n"
        "jobs: [{name: a, command: x, scheduler: slurm_schedulers/s}, {name: b, command: x, blocked_by: [a]}]\n"
    )
    assert workflow.tasks[0].placement.allocation == "s"
    assert workflow.resources[-1].quality.literal == "normal"
    assert workflow.hooks[0].trigger is Trigger.WORKER_START
    assert workflow.tasks[1].needs[0].parent == "a"


def test_the_oldest_resource_records_may_be_empty():
    workflow = must_read(
        "name: w\nschedulers: {slurm_schedulers: []}\nresource_requirements: [{name: r}]\n"
        "jobs: [{name: a, command: x, resource_requirements: r}]\n"
    )
    record = workflow.resources[0]
    assert (record.cpus, record.gpus, record.nodes, record.memory, record.walltime) == (1, 0, 1, 2**20, 60)


JOB = "name: w\njobs: [{name: a, command: x}]\n"
FAULTS = [
    (
        "two spellings",
        "name: w\njobs: [{name: a, command: x}, {name: b, command: x, depends_on: [a], blocked_by: [a]}]",
        "torc-two-spellings",
        "blocked_by",
    ),
    (
        "zero step",
        'name: w\njobs: [{name: "a{i}", command: x, parameters: {i: "1:10:0"}}]',
        "torc-bad-range",
        '"1:10:0"',
    ),
    ("no numbers", 'name: w\njobs: [{name: "a{i}", command: x, parameters: {i: "a:b"}}]', "torc-bad-range", '"a:b"'),
    (
        "wrong direction",
        'name: w\njobs: [{name: "a{i}", command: x, parameters: {i: "1:10:-1"}}]',
        "torc-empty-sweep",
        '"1:10:-1"',
    ),
    (
        "zip",
        'name: w\njobs: [{name: "a{i}{j}", command: x, parameters: {i: "1:3", j: "1:2"}, parameter_mode: zip}]',
        "torc-zip-lengths",
        '{i: "1:3", j: "1:2"}',
    ),
    (
        "mode",
        'name: w\njobs: [{name: "a{i}", command: x, parameters: {i: "1:3"}, parameter_mode: Zip}]',
        "torc-unknown-mode",
        "Zip",
    ),
    ("shared", 'name: w\njobs: [{name: "a", command: x, use_parameters: [k]}]', "torc-unknown-parameter", "k"),
    ("job", "name: w\njobs: [{name: a, command: x, depends_on: [bb]}]", "torc-unknown-job", "bb"),
    ("file", "name: w\njobs: [{name: a, command: x, input_files: [f]}]", "torc-unknown-file-or-datum", "f"),
    ("resources", "name: w\njobs: [{name: a, command: x, resource_requirements: r}]", "torc-unknown-resources", "r"),
    ("scheduler", "name: w\njobs: [{name: a, command: x, scheduler: s}]", "torc-unknown-scheduler", "s"),
    ("handler", "name: w\njobs: [{name: a, command: x, failure_handler: h}]", "torc-unknown-handler", "h"),
    ("no match", "name: w\njobs: [{name: a, command: x, depends_on_regexes: [^b]}]", "torc-nothing-matches", "^b"),
    (
        "look-ahead",
        "name: w\njobs: [{name: a, command: x, depends_on_regexes: ['b(?=c)']}]",
        "torc-bad-pattern",
        "'b(?=c)'",
    ),
    ("double", "name: w\njobs: [{name: a, command: x}, {name: a, command: y}]", "torc-double-job", "a"),
    ("double file", JOB + "files: [{name: f, path: p}, {name: f, path: q}]", "torc-double-name", "f"),
    ("double key", "name: w\nname: v\njobs: []", "torc-double-key", "name"),
    ("merge", "name: w\njobs: [{name: a, command: x, <<: {priority: 1}}]", "torc-merge-key", "<<"),
    (
        "nothing new",
        "name: w\njobs: [{name: a, command: x}, {name: b, command: x, depends_on: [a], depends_on_regexes: [^a]}]",
        "torc-nothing-new",
        "^a",
    ),
    ("idle parameter", JOB + "parameters: {i: 'a:b'}", "torc-idle-parameter", "'a:b'"),
    (
        "fraction",
        JOB + "resource_requirements: [{name: r, num_cpus: 1, memory: 1g, runtime: PT1.5H}]",
        "torc-odd-duration",
        "PT1.5H",
    ),
    ("count", JOB + "resource_requirements: [{name: r, num_cpus: -1, memory: 1g}]", "torc-bad-count", "-1"),
    (
        "no version",
        "name: w\njobs: [{name: a, command: x}, {name: b, command: x, blocked_by_job_names: [a]}]",
        "torc-no-version",
        "blocked_by_job_names",
    ),
    ("same name", 'name: w\njobs: [{name: a, command: "x {i}", parameters: {i: "1:3"}}]', "torc-same-name", "a"),
    ("self", "name: w\njobs: [{name: a, command: x, depends_on_regexes: [a]}]", "torc-cycle", "a"),
    (
        "file cycle",
        "name: w\nfiles: [{name: f, path: f}]\njobs: [{name: a, command: x, input_files: [f], output_files: [f]}]",
        "torc-file-cycle",
        "a",
    ),
    (
        "variable",
        "name: w\njobs: [{name: a, command: 'cat ${files.input.q}'}]",
        "torc-unknown-variable",
        "'cat ${files.input.q}'",
    ),
    ("memory", JOB + "resource_requirements: [{name: r, num_cpus: 1, memory: 1.5g}]", "torc-bad-memory", "1.5g"),
    (
        "bare memory",
        JOB + "resource_requirements: [{name: r, num_cpus: 1, memory: '1024'}]",
        "torc-bare-memory",
        "'1024'",
    ),
    (
        "duration",
        JOB + "resource_requirements: [{name: r, num_cpus: 1, memory: 1g, runtime: 2h}]",
        "torc-bad-duration",
        "2h",
    ),
    ("walltime", JOB + "slurm_schedulers: [{name: s, account: a, walltime: '4:00'}]", "torc-odd-walltime", "'4:00'"),
    (
        "excluded",
        JOB + "slurm_schedulers: [{name: s, account: a}]\nslurm_defaults: {mem: 1G}",
        "torc-excluded-default",
        "1G",
    ),
    ("rule", JOB + "failure_handlers: [{name: h, rules: [{max_retries: 3}]}]", "torc-idle-rule", "{max_retries: 3}"),
    (
        "retries",
        JOB + "failure_handlers: [{name: h, rules: [{exit_codes: [1], max_retries: 1}]}]",
        "torc-no-retry",
        "1",
    ),
    (
        "trigger",
        JOB + "actions: [{trigger_type: on_start, action_type: run_commands, commands: [x]}]",
        "torc-unknown-trigger",
        "on_start",
    ),
    (
        "never",
        JOB + "actions: [{trigger_type: on_jobs_ready, action_type: run_commands, commands: [x]}]",
        "torc-never-fires",
        "on_jobs_ready",
    ),
    (
        "persistence",
        JOB + "actions: [{trigger_type: on_worker_start, action_type: run_commands, commands: [x]}]",
        "torc-unsaid-persistence",
        "on_worker_start",
    ),
    (
        "restless",
        JOB
        + "actions: [{trigger_type: on_jobs_ready, jobs: [a], action_type: run_commands, commands: [x], persistent: true}]",
        "torc-restless-action",
        "true",
    ),
    (
        "commands",
        JOB + "actions: [{trigger_type: on_workflow_start, action_type: run_commands}]",
        "torc-incomplete-action",
        "run_commands",
    ),
    (
        "granularity",
        JOB + "resource_monitor: {granularity: TimeSeries}",
        "torc-bad-setting",
        "{granularity: TimeSeries}",
    ),
    ("unknown key", "name: w\njobs: [{name: a, command: x, depend_on: [b]}]", "unknown-key", "depend_on"),
    ("unnamed", JOB + "user_data: [{data: 1}]", "torc-unnamed", "{data: 1}"),
    ("number as text", "name: 5\njobs: []", "wrong-type", "5"),
]


@pytest.mark.parametrize(("text", "code", "place"), [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS])
def test_faults_and_traps_are_told_at_their_place(text, code, place):
    _, diagnostics = read_text(text)
    found = [item for item in diagnostics if item.code.name == code]
    assert found, codes(diagnostics)
    assert found[0].span.resolve().text == place


def test_persistence_is_read_as_the_guide_promises():
    head = JOB + "actions: [{trigger_type: on_worker_complete, action_type: run_commands, commands: [x]"
    assert must_read(head + "}]").hooks[0].persistent is True
    assert must_read(head + ", persistent: false}]").hooks[0].persistent is False


def test_a_sweep_that_has_to_be_written_out_has_a_limit():
    text = 'name: w\njobs: [{name: "a_{i}", command: x, parameters: {i: "1:20000"}}, {name: z, command: x, depends_on: [a_7]}]'
    _, diagnostics = read_text(text)
    assert codes(diagnostics) == {"torc-too-many-instances"}
    assert diagnostics.errors[0].span.text == '"1:20000"'
    assert len(must_read(text, expansion_limit="20000").tasks) == 20001


def test_yaml_scalars_are_those_of_yaml_1_2():
    workflow = must_read('name: w\njobs: [{name: "a{i}", command: on, parameters: {i: 1:3}}]')
    assert workflow.tasks[0].sweep.parameters[0].values == Range(1, 3, 1)
    assert workflow.tasks[0].steps[0].work.text.literal == "on"


def test_variables_of_the_newest_versions_are_folded():
    workflow = must_read("name: w\nvariables: {site: nord}\njobs: [{name: 'a_{site}', command: 'echo {site} ${site}'}]")
    assert expand(workflow) == {"a_nord": "echo nord ${site}"}


INERT = [
    ("resource_monitor: {enabled: true}", True),
    ("enable_ro_crate: true", True),
    ("compute_node_wait_for_new_jobs_seconds: 5", True),
    ("slurm_defaults: {constraint: x}", True),
    ("use_pending_failed: true", False),
    ("use_pending_failed: false", True),
    ("execution_config: {mode: direct, staggered_start: false, sigkill_headroom_seconds: 9}", True),
    ("execution_config: {limit_resources: true, termination_signal: SIGTERM, oom_exit_code: 137}", True),
    ("execution_config: {limit_resources: false}", False),
    ("execution_config: {termination_signal: SIGUSR1}", False),
    ("execution_config: {srun_termination_signal: TERM@120}", False),
    ("execution_config: {timeout_exit_code: 99}", True),
    ("execution_config: {timeout_exit_code: 99}\nfailure_handlers: [{name: h, rules: [{exit_codes: [99]}]}]", False),
    ("execution_config: {stdio: {mode: separate}}", True),
    ("execution_config: {stdio: {mode: none}}", False),
]


@pytest.mark.parametrize(("setting", "inert"), INERT)
def test_settings_that_cannot_change_what_runs(setting, inert):
    (kept,) = must_read(f"name: w\njobs: [{{name: a, command: x}}]\n{setting}\n").passthrough
    assert kept.inert is inert


@pytest.mark.parametrize(
    ("key", "inert"),
    [
        ("supports_termination: true", False),
        ("supports_termination: false", True),
        ("stdio: {mode: separate, delete_on_success: false}", True),
        ("stdio: {delete_on_success: true}", False),
        ("label: x", True),
    ],
)
def test_settings_of_jobs_that_cannot_change_what_runs(key, inert):
    (kept,) = must_read(f"name: w\njobs: [{{name: a, command: x, {key}}}]\n").tasks[0].passthrough
    assert kept.inert is inert


def test_what_the_first_version_ignored_cannot_change_what_runs():
    text = "name: w\ndescription: d\njobs: [{name: a, command: x, blocked_by_job_names: [], cpus_per_task: 4}]\nrules: []\n"
    workflow = must_read(text)
    kept = (*workflow.passthrough, *workflow.tasks[0].passthrough)
    assert {item.path: item.inert for item in kept} == {("rules",): True, ("cpus_per_task",): True}


@pytest.mark.parametrize("target", ["pw", "slurm", "osmo"])
def test_other_systems_say_nothing_of_settings_that_cannot_matter(target):
    whole = (
        "name: w\nresource_monitor: {enabled: true}\nexecution_config: {mode: direct}\njobs: [{name: a, command: x}]\n"
    )
    made = api.compile(whole, origin="torc", to=target, options={"osmo.image": "x"} if target == "osmo" else {})
    assert made.files
    assert not [item.message for item in made.diagnostics if "resource_monitor" in item.message]
