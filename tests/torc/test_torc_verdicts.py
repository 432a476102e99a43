"""What four versions of torc say, rule by rule: each fault with a near miss (torc.md §19)."""

# ruff: noqa: E501 - a row of a table stays on its line

from __future__ import annotations

import pytest

from pwxc.registry import ReadSettings
from pwxc.source import Source
from pwxc_targets.torc.linting.verdict import judge, verdicts

OK, UNPARSED, CREATE, DRY = "ok", "unparsed", "create-error", "create-ok,dry-run-error"
ALL_OK = (OK, OK, OK, OK)
HEAD = "name: w\ndescription: d\n"
JOB = HEAD + "jobs: [{name: a, command: x}]\n"
TWO = HEAD + "jobs: [{name: a, command: x}, {name: b, command: x%s}]\n"
RECORD = "{name: r, num_cpus: 1, num_gpus: 0, num_nodes: 1, memory: 1g, runtime: PT1H}"
SCHEDULER = "{name: s, account: a, nodes: 1, walltime: '01:00:00'}"
WIDE = SCHEDULER.replace("nodes: 1", "nodes: 2")
ACTION = JOB + "actions: [{trigger_type: on_workflow_start, action_type: run_commands, commands: [x]}]"
NODES = JOB + "actions: [{trigger_type: on_workflow_start, action_type: schedule_nodes%s}]\n"
OLD_NODES = NODES % ", scheduler_name: s, scheduler_type: slurm" + f"slurm_schedulers: [{SCHEDULER}]"
NEW_NODES = NODES % ", scheduler: s, scheduler_type: slurm" + f"slurm_schedulers: [{SCHEDULER}]"
SWEPT = HEAD + "jobs: [{name: 'a{i}', command: x, parameters: {i: '%s'}}]"
FILES = "files: [{name: f, path: p}]\n"


def fitting(record: str, scheduler: str, job: str = ", scheduler: s") -> str:
    """Give a workflow of one job with a resource record, a scheduler and the action that starts it."""
    return (
        HEAD
        + f"jobs: [{{name: a, command: x, resource_requirements: r{job}}}]\nresource_requirements: [{record}]\n"
        + f"slurm_schedulers: [{scheduler}]\n"
        + "actions: [{trigger_type: on_workflow_start, action_type: schedule_nodes, scheduler: s, scheduler_type: slurm}]"
    )


def late(old: str, new: str, r1: str = OK, r0: str = OK) -> tuple[str, str, str, str]:
    """Give the verdicts on what 0.12 and 0.25 look at."""
    return r0, r1, old, new


ROWS = [
    # keys and types
    (JOB, ALL_OK),
    (JOB.replace("description: d\n", ""), (UNPARSED, OK, OK, OK)),
    ("name: w\ndescription: d\n", (UNPARSED,) * 4),
    ("name: w\ndescription: d\njobs: null\n", (UNPARSED,) * 4),
    (HEAD + "jobs: []", ALL_OK),
    (JOB + "files: null", ALL_OK),
    (JOB + "colour: red", late(UNPARSED, UNPARSED)),
    (JOB.replace("name: w", "name: 5"), late(UNPARSED, UNPARSED)),
    (JOB.replace("command: x", "command: [x, y]"), (UNPARSED,) * 4),
    (JOB.replace("name: w", "name: w\nname: v"), (UNPARSED, UNPARSED, OK, OK)),
    (JOB + "---\nname: v\njobs: []\n", (UNPARSED,) * 4),
    (JOB.replace("command: x", "command: x, supports_termination: yes"), (UNPARSED,) * 4),
    (JOB.replace("command: x", "command: x, supports_termination: True"), ALL_OK),
    (JOB.replace("command: x", "command: x, <<: {priority: 1}"), (UNPARSED,) * 4),
    (JOB.replace("command: x", "command: x, priority: 3"), late(UNPARSED, OK)),
    (JOB.replace("command: x", "command: x, env: {A: b}"), late(UNPARSED, OK)),
    (JOB.replace("command: x", "command: x, env: {1A: b}"), late(UNPARSED, CREATE)),
    (JOB.replace("command: x", "command: x, priority: -3"), late(UNPARSED, CREATE)),
    (JOB.replace("command: x", "command: x, stdio: {mode: combined}"), late(UNPARSED, OK)),
    (JOB.replace("command: x", "command: x, stdio: {mode: Combined}"), late(UNPARSED, UNPARSED)),
    (JOB.replace("command: x", "command: x, stdio: {colour: red}"), late(UNPARSED, UNPARSED)),
    (JOB.replace("command: x", "command: x, label: here"), late(UNPARSED, UNPARSED)),
    (JOB + "jobs_sort_method: none", (OK, OK, OK, UNPARSED)),
    (JOB + "jobs_sort_method: None", (UNPARSED, UNPARSED, UNPARSED, UNPARSED)),
    (JOB + "metadata: '{}'\nproject: p", ALL_OK),
    (JOB + "metadata: {a: b}", late(UNPARSED, UNPARSED)),
    (JOB + "slurm_config: {use_srun: true}", late(UNPARSED, UNPARSED)),
    (JOB + "execution_config: {mode: slurm}", late(UNPARSED, OK)),
    (JOB + "execution_config: {mode: Slurm}", late(UNPARSED, UNPARSED)),
    (JOB + "execution_config: {colour: red}", late(UNPARSED, UNPARSED)),
    (JOB + "resource_monitor: {enabled: true, granularity: TimeSeries}", (UNPARSED,) * 4),
    (JOB + "resource_monitor: {enabled: true, colour: red}", ALL_OK),
    (JOB + "resource_monitor: {granularity: summary}", (UNPARSED, OK, OK, OK)),
    (JOB + "files: [{name: f, path: p, st_mtime: 1.5}]", (OK, OK, UNPARSED, OK)),
    (JOB + "user_data: [{name: u, data: 1, parameters: {i: '1:2'}}]", late(UNPARSED, UNPARSED)),
    # names of other generations
    (TWO % ", depends_on: [a]", ALL_OK),
    (TWO % ", blocked_by: [a]", (OK, OK, UNPARSED, UNPARSED)),
    (TWO % ", blocked_by: [q]", (OK, CREATE, UNPARSED, UNPARSED)),
    (TWO % ", blocked_by_job_names: [q]", (CREATE, OK, UNPARSED, UNPARSED)),
    (TWO % ", blocked_by_job_name_regexes: [q]", (OK, OK, UNPARSED, UNPARSED)),
    (TWO % ", blocked_by_regexes: [q]", (OK, CREATE, UNPARSED, UNPARSED)),
    (JOB + "files: []\nschedulers: {slurm_schedulers: []}", late(UNPARSED, UNPARSED)),
    # resource records
    (JOB + f"resource_requirements: [{RECORD}]", ALL_OK),
    (JOB + f"resource_requirements: [{RECORD.replace('num_gpus: 0, ', '')}]", (UNPARSED, OK, OK, OK)),
    (JOB + f"resource_requirements: [{RECORD.replace('num_cpus: 1, ', '')}]", (UNPARSED,) * 4),
    (JOB + f"resource_requirements: [{RECORD.replace('num_cpus: 1', 'num_cpus: 4.0')}]", (UNPARSED,) * 4),
    (JOB + f"resource_requirements: [{RECORD.replace('num_cpus: 1', 'num_cpus: -1')}]", ALL_OK),
    (JOB + f"resource_requirements: [{RECORD.replace('1g', '1024')}]", late(UNPARSED, UNPARSED)),
    (JOB + f"resource_requirements: [{RECORD.replace('1g', '1.5g')}]", (CREATE,) * 4),
    (JOB + f"resource_requirements: [{RECORD.replace('1g', '1G')}]", ALL_OK),
    (JOB + f"resource_requirements: [{RECORD.replace('PT1H', '1h')}]", (CREATE,) * 4),
    (JOB + f"resource_requirements: [{RECORD.replace('PT1H', 'PT1.5H')}]", ALL_OK),
    (JOB + f"resource_requirements: [{RECORD}, {RECORD}]", (CREATE,) * 4),
    (JOB.replace("command: x", "command: x, resource_requirements: q"), late(CREATE, CREATE, CREATE)),
    (JOB.replace("command: x", "command: x, resource_requirements_name: q"), (CREATE, OK, UNPARSED, UNPARSED)),
    # names that must be there
    (TWO % ", depends_on: [q]", late(CREATE, CREATE)),
    (TWO % ", depends_on: [a, a]", ALL_OK),
    (TWO % ", depends_on_regexes: [^a]", ALL_OK),
    (TWO % ", depends_on_regexes: [q]", late(CREATE, CREATE)),
    (TWO % ", depends_on_regexes: ['(']", late(CREATE, CREATE)),
    (TWO % ", depends_on_regexes: ['a(?=x)']", late(CREATE, CREATE)),
    (TWO % ", depends_on: [a], depends_on_regexes: [^a]", late(CREATE, CREATE)),
    (TWO % ", depends_on_regexes: [^a, a$]", late(CREATE, CREATE)),
    (TWO % ", depends_on_regexes: ['.']", late(CREATE, CREATE)),
    (TWO.replace("command: x}, ", "command: x, depends_on: [b]}, ") % ", depends_on: [a]", late(CREATE, CREATE)),
    (HEAD + "jobs: [{name: a, command: x}, {name: a, command: y}]", late(DRY, DRY)),
    (SWEPT % "1:3", ALL_OK),
    ((SWEPT % "1:3").replace("'a{i}'", "a"), late(DRY, DRY)),
    ((SWEPT % "5:5").replace("'a{i}'", "a"), ALL_OK),
    (JOB.replace("command: x", "command: x, input_files: [f]") + FILES, ALL_OK),
    (JOB.replace("command: x", "command: x, input_files: [g]") + FILES, late(CREATE, CREATE, CREATE)),
    (JOB.replace("command: x", "command: x, output_files: [g]") + FILES, late(CREATE, CREATE, CREATE)),
    (JOB.replace("command: x", "command: x, input_file_regexes: [g]") + FILES, late(CREATE, CREATE, CREATE)),
    (JOB.replace("command: x", "command: x, input_files: [f], input_file_regexes: [f]") + FILES, late(CREATE, CREATE, CREATE)),
    (JOB.replace("command: x", "command: x, input_files: [f], output_file_regexes: [f]") + FILES, ALL_OK),
    (JOB.replace("command: x", "command: x, input_user_data: [u]"), late(CREATE, CREATE, CREATE)),
    (JOB.replace("command: x", "command: x, input_user_data: [u]") + "user_data: [{name: u}]", ALL_OK),
    (JOB.replace("command: x", "command: 'cat ${files.input.q}'"), ALL_OK),
    (JOB + FILES.replace("}]", "}, {name: f, path: q}]"), (CREATE,) * 4),
    (JOB + FILES.replace("}]", "}, {name: g, path: p}]"), ALL_OK),
    (JOB + "user_data: [{name: u, data: 1}, {name: u, data: 2}]", (CREATE,) * 4),
    (JOB + "user_data: [{data: 1}, {data: 2}]", ALL_OK),
    (JOB + f"slurm_schedulers: [{SCHEDULER}, {SCHEDULER}]", (CREATE,) * 4),
    (JOB + "slurm_schedulers: [{name: s, nodes: 1, walltime: '01:00:00'}]", (UNPARSED,) * 4),
    (JOB.replace("command: x", "command: x, scheduler: q"), late(CREATE, CREATE, CREATE)),
    (JOB.replace("command: x", "command: x, failure_handler: q"), late(CREATE, CREATE)),
    (JOB + "failure_handlers: [{name: h, rules: []}]", ALL_OK),
    (JOB + "failure_handlers: [{name: h, rules: []}, {name: h, rules: []}]", late(CREATE, CREATE)),
    (JOB + "failure_handlers: [{name: h, rules: [{colour: red}]}]", late(UNPARSED, UNPARSED)),
    (JOB + "failure_handlers: [{name: h, rules: [{exit_codes: [a]}]}]", late(UNPARSED, UNPARSED)),
    # parameters
    (SWEPT % "1:10:0", (CREATE,) * 4),
    (SWEPT % "a:b", (CREATE,) * 4),
    (SWEPT % "1:10:-1", ALL_OK),
    (SWEPT % "0:1:0.25", (CREATE,) * 4),
    (SWEPT % "0.0:1.0:0.25", ALL_OK),
    (SWEPT % "1:2:3:4", (CREATE,) * 4),
    (SWEPT % "http://x", (CREATE,) * 4),
    (SWEPT % "@nowhere.txt", (OK, OK, OK, CREATE)),
    ((SWEPT % "1:3").replace("'1:3'", "13"), late(UNPARSED, UNPARSED)),
    ((SWEPT % "1:3").replace("'1:3'", "[1, 2]"), (UNPARSED,) * 4),
    (JOB + "parameters: {i: 'a:b'}", ALL_OK),
    (HEAD + "parameters: {i: 'a:b'}\njobs: [{name: 'a{i}', command: x, use_parameters: [i]}]", late(CREATE, CREATE, CREATE)),
    (HEAD + "jobs: [{name: 'a{i}{j}', command: x, parameters: {i: '1:2', j: '1:3'}, parameter_mode: zip}]", late(CREATE, CREATE)),
    (HEAD + "jobs: [{name: 'a{i}{j}', command: x, parameters: {i: '1:2', j: '1:3'}, parameter_mode: Zip}]", ALL_OK),
    (HEAD + "jobs: [{name: 'a{i}', command: x, parameters: {i: '5:1'}}, {name: b, command: x, depends_on: [a1]}]", late(CREATE, CREATE)),
    # actions
    (ACTION, ALL_OK),
    (ACTION.replace("on_workflow_start", "on_start"), ALL_OK),
    (ACTION.replace("run_commands", "run"), (CREATE,) * 4),
    (ACTION.replace(", commands: [x]", ""), (CREATE,) * 4),
    (ACTION.replace("commands: [x]", "commands: []"), (CREATE,) * 4),
    (ACTION.replace("on_workflow_start", "on_jobs_ready"), ALL_OK),
    (ACTION.replace("on_workflow_start", "on_jobs_ready, jobs: [q]"), late(CREATE, CREATE, CREATE)),
    (ACTION.replace("on_workflow_start", "on_jobs_ready, job_names: [q]"), (CREATE, OK, UNPARSED, UNPARSED)),
    (ACTION.replace("on_workflow_start", "on_jobs_ready, job_name_regexes: [q]"), (CREATE,) * 4),
    (ACTION.replace("on_workflow_start", "on_jobs_ready, job_name_regexes: [q, a]"), ALL_OK),
    (ACTION.replace("on_workflow_start", "on_jobs_ready, job_name_regexes: ['(']"), (CREATE,) * 4),
    (ACTION.replace("commands: [x]", "commands: [x], start_server_on_head_node: true"), late(UNPARSED, UNPARSED)),
    (OLD_NODES, (OK, CREATE, UNPARSED, UNPARSED)),
    (NEW_NODES, (CREATE, OK, OK, OK)),
    (NEW_NODES.replace("type: slurm", "type: pbs"), (CREATE, OK, OK, OK)),
    (NEW_NODES.replace("scheduler: s", "scheduler: t"), (CREATE, CREATE, CREATE, CREATE)),
    (NEW_NODES.replace("scheduler: s", "scheduler: t").replace("type: slurm", "type: pbs"), (CREATE, OK, OK, OK)),
    (NODES % ", scheduler: s" + f"slurm_schedulers: [{SCHEDULER}]", (CREATE,) * 4),
    # allocations
    (fitting(RECORD, SCHEDULER), (CREATE, OK, OK, OK)),
    (fitting(RECORD, WIDE), (CREATE, OK, CREATE, OK)),
    (fitting(RECORD.replace("num_nodes: 1", "num_nodes: 2"), WIDE), (CREATE, OK, OK, OK)),
    (fitting(RECORD.replace("num_nodes: 1", "num_nodes: 3"), WIDE), (CREATE, OK, CREATE, DRY)),
    (fitting(RECORD, WIDE, job=""), (CREATE, OK, OK, OK)),
    (fitting(RECORD, WIDE).replace("type: slurm}", "type: slurm, start_one_worker_per_node: true}"), (CREATE, OK, OK, OK)),
    (fitting(RECORD.replace("PT1H", "PT2H"), SCHEDULER), (CREATE, OK, OK, DRY)),
    (fitting(RECORD.replace("PT1H", "PT2H"), SCHEDULER, job=""), (CREATE, OK, OK, DRY)),
    (fitting(RECORD, SCHEDULER.replace("}", ", mem: 1g}")), (CREATE, OK, OK, OK)),
    (fitting(RECORD, SCHEDULER.replace("}", ", mem: 512m}")), (CREATE, OK, OK, DRY)),
    (fitting(RECORD.replace("num_gpus: 0", "num_gpus: 2"), SCHEDULER), (CREATE, OK, OK, OK)),
    (fitting(RECORD.replace("num_gpus: 0", "num_gpus: 2"), SCHEDULER.replace("}", ", gres: 'gpu:a100:2'}")), (CREATE, OK, OK, OK)),
    (fitting(RECORD.replace("num_gpus: 0", "num_gpus: 2"), SCHEDULER.replace("}", ", gres: 'gpu:1'}")), (CREATE, OK, OK, DRY)),
    (fitting(RECORD.replace("num_gpus: 0", "num_gpus: 2"), SCHEDULER.replace("}", ", gres: licence}")), (CREATE, OK, OK, DRY)),
    (fitting(RECORD.replace("num_gpus: 0", "num_gpus: -2"), SCHEDULER), (CREATE, OK, OK, DRY)),
    (fitting(RECORD, SCHEDULER.replace("01:00:00", "UNLIMITED")), (CREATE, OK, OK, DRY)),
    (JOB + f"slurm_schedulers: [{SCHEDULER}]\nslurm_defaults: {{qos: normal, account: a}}", ALL_OK),
    (JOB + f"slurm_schedulers: [{SCHEDULER}]\nslurm_defaults: {{Job_Name: n}}", late(CREATE, CREATE)),
    # execution_config
    (JOB + "execution_config: {mode: direct, termination_signal: SIGINT}", late(UNPARSED, OK)),
    (JOB + "execution_config: {mode: slurm, termination_signal: SIGINT}", late(UNPARSED, CREATE)),
    (JOB + "execution_config: {mode: auto, oom_exit_code: 5}", late(UNPARSED, OK)),
    (JOB + f"slurm_schedulers: [{SCHEDULER}]\nexecution_config: {{mode: auto, oom_exit_code: 5}}", late(UNPARSED, CREATE)),
    (JOB + "execution_config: {mode: slurm, limit_resources: false}", late(UNPARSED, CREATE)),
    (JOB + "execution_config: {mode: slurm, limit_resources: true}", late(UNPARSED, OK)),
    (JOB + "execution_config: {srun_termination_signal: TERM@9}", late(UNPARSED, CREATE)),
    (JOB + "execution_config: {enable_cpu_bind: false}", late(UNPARSED, OK)),
    (JOB + "execution_config: {enable_cpu_bind: true}", late(UNPARSED, CREATE)),
    (JOB + "execution_config: {srun_mpi: pmix}", late(UNPARSED, CREATE)),
    (NEW_NODES.replace("type: slurm}", "type: slurm, start_one_worker_per_node: true}") + "\nexecution_config: {srun_mpi: pmix}", (CREATE, OK, UNPARSED, OK)),
    (NEW_NODES.replace("type: slurm}", "type: slurm, start_one_worker_per_node: true}") + "\nexecution_config: {srun_mpi: 'pm ix'}", (CREATE, OK, UNPARSED, CREATE)),
    (NEW_NODES.replace("type: slurm}", "type: slurm, start_one_worker_per_node: true}") + "\nexecution_config: {mode: slurm}", (CREATE, OK, UNPARSED, CREATE)),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), ROWS)
def test_verdicts_of_four_versions(text, expected):
    assert tuple(verdicts(Source("w.yaml", text), ReadSettings()).values()) == expected


OTHERS = [
    ("w.json", '{"name": "w", "description": "d", "jobs": []}', ALL_OK),
    ("w.json", '{"name": 5, "description": "d", "jobs": []}', (UNPARSED,) * 4),
    ("w.json", '{"name": "w", "description": "d", "jobs": [],}', (UNPARSED,) * 4),
    ("w.json5", '{name: "w", description: "d", jobs: [],} // end', ALL_OK),
    ("w.kdl", 'name "w"\njob "a" {\n    command "x"\n}\n', ALL_OK),
    ("w.kdl", 'name "w"\njob "a" {\n    command "x"\n    blocked_by "q"\n}\n', ALL_OK),
    ("w.kdl", 'name "w"\njob "a" {\n    command "x"\n    depends_on "q"\n}\n', (OK, OK, CREATE, CREATE)),
    ("w.kdl", 'name "w"\njob "a" {\n    command "x"\n    supports_termination true\n}\n', (UNPARSED,) * 4),
    ("w.kdl", 'name "w"\nfile "f" path="p"\njob "a" {\n    command "x"\n}\n', ALL_OK),
    ("w.kdl", 'name "w"\nfile "f" {\n    path "p"\n}\njob "a" {\n    command "x"\n}\n', (UNPARSED, OK, OK, OK)),
    ("w.kdl", 'name "w"\nfile "f"\njob "a" {\n    command "x"\n}\n', (UNPARSED,) * 4),
    ("w.kdl", 'name "w"\nenv {\n    "1A" "x"\n}\njob "a" {\n    command "x"\n}\n', (OK, OK, OK, CREATE)),
    ("w.kdl", 'name "w"\njob "a{i}" {\n    command "x"\n    parameters {\n        i 3\n    }\n}\n', (UNPARSED,) * 4),
]


@pytest.mark.parametrize(("name", "text", "expected"), OTHERS)
def test_verdicts_on_other_formats(name, text, expected):
    assert tuple(verdicts(Source(name, text), ReadSettings()).values()) == expected


@pytest.mark.parametrize(
    ("text", "version", "reason"),
    [
        (JOB + "colour: red", "0.12", "unknown field `colour`"),
        (JOB.replace("description: d\n", ""), "r0", "missing field `description`"),
        (TWO % ", depends_on: [q]", "0.25", "names `q`"),
        (SWEPT % "1:10:0", "0.12", "the step of `1:10:0` is zero"),
        (fitting(RECORD.replace("PT1H", "PT2H"), SCHEDULER), "0.25", "exceeds the walltime"),
    ],
)
def test_a_verdict_has_its_reason(text, version, reason):
    assert reason in judge(Source("w.yaml", text), version, ReadSettings()).reason
