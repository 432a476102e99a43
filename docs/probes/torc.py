"""Probes of torc's language: every key of a specification, and what its texts can hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from probes.probe import Probe, of_keys, of_lines
from pwxc_targets.torc import model as m

_RECORD = {"name": "small", "num_cpus": 1, "memory": "1g", "runtime": "PT1H"}
_SCHEDULER = {"name": "nodes", "account": "proj", "walltime": "01:00:00"}
_HANDLER = {"name": "again", "rules": [{"exit_codes": [75]}]}


def _spec(**job: Any) -> dict[str, Any]:
    jobs = [{"name": "a", "command": "make a"}, {"name": "b", "command": "make b", **job}]
    return {
        "name": "w",
        "jobs": jobs,
        "files": [{"name": "in", "path": "in.txt"}, {"name": "out", "path": "out.txt"}],
        "user_data": [{"name": "config", "data": {"x": 1}}, {"name": "made"}],
        "resource_requirements": [_RECORD],
        "slurm_schedulers": [_SCHEDULER],
        "failure_handlers": [_HANDLER],
    }


def _alone(**more: Any) -> dict[str, Any]:
    return {"name": "w", "jobs": [{"name": "a", "command": "make"}], **more}


_JOB: dict[str, Any] = {
    "parameters": ...,
    "parameter_mode": ...,
    "use_parameters": ...,
    "parameters_file": ...,
    "use_parameters_file": ...,
    "name": "c",
    "command": "make c",
    "invocation_script": "nice",
    "env": {"LEVEL": "1"},
    "cancel_on_blocking_job_failure": False,
    "supports_termination": True,
    "resource_requirements": "small",
    "failure_handler": "again",
    "depends_on": ["a"],
    "depends_on_regexes": ["^a"],
    "input_files": ["in"],
    "input_file_regexes": ["^in"],
    "output_files": ["out"],
    "output_file_regexes": ["^out"],
    "input_user_data": ["config"],
    "input_user_data_regexes": ["^config"],
    "output_user_data": ["made"],
    "output_user_data_regexes": ["^made"],
    "scheduler": "nodes",
    "stdio": {"mode": "combined"},
    "priority": 5,
    "label": "second",
}
_SPEC: dict[str, Any] = {
    "name": "v",
    "user": "me",
    "description": "what it does",
    "project": "p",
    "metadata": '{"a": 1}',
    "parameters": {"n": "1:3"},
    "parameters_file": ...,
    "variables": ...,
    "env": {"LEVEL": "1"},
    "jobs": [{"name": "a", "command": "make"}, {"name": "b", "command": "make b"}],
    "files": [{"name": "in", "path": "in.txt"}],
    "user_data": [{"name": "config", "data": {"x": 1}}],
    "resource_requirements": [_RECORD],
    "failure_handlers": [_HANDLER],
    "slurm_schedulers": [_SCHEDULER],
    "slurm_defaults": {"constraint": "fast"},
    "resource_monitor": {"enabled": True},
    "actions": [{"trigger_type": "on_workflow_start", "action_type": "run_commands", "commands": ["date"]}],
    "execution_config": {"mode": "direct"},
    "slurm_config": {"limit_resources": True},
    "use_pending_failed": True,
    "enable_ro_crate": True,
    "jobs_sort_method": "gpus_runtime_memory",
    "compute_node_wait_for_new_jobs_seconds": 60,
    "compute_node_expiration_buffer_seconds": 60,
    "compute_node_ignore_workflow_completion": True,
    "compute_node_wait_for_healthy_database_minutes": 5,
    "dynamic_jobs": {"enabled": True},
    "access_groups": ["team"],
}
_LATER = {"cancel_on_blocking_job_failure": _spec(depends_on=["a"])}
_TRIGGERS = {
    "on_workflow_start": {},
    "on_workflow_complete": {},
    "on_jobs_ready": {"jobs": ["b"]},
    "on_jobs_complete": {"jobs": ["a"]},
    "on_worker_start": {},
    "on_worker_complete": {},
}
_LINES = (
    (
        "`jobs[].parameters`",
        "a job for each value",
        """
name: w
jobs:
- name: a #-
  command: run 1 #-
- name: a_{i} #+
  command: run {i} #+
  parameters: {i: "1:3"} #+
""",
    ),
    (
        "`parameters` with a format, as `{i:03d}`",
        "how a value is printed",
        """
name: w
jobs:
- name: a_{i}
  command: run {i} #-
  command: run {i:03d} #+
  parameters: {i: "1:3"}
""",
    ),
    (
        "`parameters` over fractions",
        "a range of numbers that are not whole",
        """
name: w
jobs:
- name: a #-
  command: run 1 #-
- name: a_{x} #+
  command: run {x} #+
  parameters: {x: "0.1:0.3:0.1"} #+
""",
    ),
    (
        "`jobs[].parameter_mode: zip`",
        "values side by side",
        """
name: w
jobs:
- name: a_{i}_{s}
  command: run {i} {s}
  parameters: {i: "1:2", s: "['x','y']"}
  parameter_mode: zip #+
""",
    ),
    (
        "`jobs[].use_parameters`",
        "shared parameters",
        """
name: w
parameters: {i: "1:3"}
jobs:
- name: a #-
  command: run #-
- name: a_{i} #+
  command: run {i} #+
  use_parameters: [i] #+
""",
    ),
    (
        "instance after instance",
        "`depends_on` over the same parameters",
        """
name: w
jobs:
- name: a_{i}
  command: run {i}
  parameters: {i: "1:3"}
- name: b_{i}
  command: run {i}
  parameters: {i: "1:3"}
  depends_on: ["a_{i}"] #+
""",
    ),
    (
        "all instances before one job",
        "`depends_on_regexes` over a sweep",
        """
name: w
jobs:
- name: a_{i}
  command: run {i}
  parameters: {i: "1:3"}
- name: b
  command: gather
  depends_on_regexes: ["^a_"] #+
""",
    ),
    (
        "`files[].parameters`",
        "a file for each value",
        """
name: w
jobs:
- name: a_{i}
  command: run {i}
  parameters: {i: "1:3"}
  output_files: ["f_{i}"] #+
files: #+
- {name: "f_{i}", path: "f_{i}.txt", parameters: {i: "1:3"}} #+
""",
    ),
    (
        "`${files.input.NAME}`",
        "the path of a file in a command",
        """
name: w
jobs:
- name: a
  command: cat x.txt #-
  command: cat ${files.input.in} #+
files:
- {name: in, path: x.txt, st_mtime: 1.0}
""",
    ),
    (
        "`${user_data.input.NAME}`",
        "a datum in a command",
        """
name: w
jobs:
- name: a
  command: echo 1 #-
  command: echo ${user_data.input.config} #+
user_data:
- {name: config, data: {x: 1}}
""",
    ),
    (
        "order by files",
        "one job writes what another one reads",
        """
name: w
jobs:
- {name: a, command: make, output_files: [f]}
- {name: b, command: make} #-
- {name: b, command: make, input_files: [f]} #+
files:
- {name: f, path: f.txt}
""",
    ),
    (
        "`variables`",
        "constants, since 0.26",
        """
name: w
variables: {WORD: x} #+
jobs:
- name: a
  command: echo x #-
  command: echo {WORD} #+
""",
    ),
    (
        "`TORC_WORKFLOW_ID` and the like",
        "variables that torc sets",
        """
name: w
jobs:
- name: a
  command: echo fixed #-
  command: echo $TORC_WORKFLOW_ID #+
""",
    ),
    (
        "`failure_handlers` on some codes",
        "a job that runs again",
        """
name: w
jobs:
- {name: a, command: make} #-
- {name: a, command: make, failure_handler: h} #+
failure_handlers: #+
- {name: h, rules: [{exit_codes: [75], max_retries: 3}]} #+
""",
    ),
)


def probes() -> Iterator[Probe]:
    """Give the probes of torc."""
    yield from of_keys(m.Spec, _alone(), "", _SPEC)
    yield from of_keys(m.Job, _spec(), "jobs.1", _JOB, bases=_LATER)
    stdio = {"mode": "none", "delete_on_success": True}
    yield from of_keys(m.Stdio, _spec(stdio={"mode": "separate"}), "jobs.1.stdio", stdio)
    swept = {
        "parameters": ...,
        "parameter_mode": ...,
        "use_parameters": ...,
        "parameters_file": ...,
        "use_parameters_file": ...,
    }
    file = {**swept, "name": "f", "path": "f.txt", "st_mtime": 1.0, "identifier": "doi:1"}
    yield from of_keys(m.FileSpec, _alone(files=[{"name": "in", "path": "in.txt"}]), "files.0", file)
    datum = {**swept, "name": "d", "data": {"x": 2}, "is_ephemeral": True}
    yield from of_keys(m.UserData, _alone(user_data=[{"name": "config", "data": {"x": 1}}]), "user_data.0", datum)
    record = {"name": "s", "num_cpus": 4, "num_gpus": 1, "num_nodes": 2, "memory": "8g", "runtime": "PT2H"}
    used = _alone(resource_requirements=[_RECORD])
    used["jobs"] = [{"name": "a", "command": "make", "resource_requirements": "small"}]
    named = _alone(resource_requirements=[_RECORD])
    yield from of_keys(m.ResourceRequirements, used, "resource_requirements.0", record, bases={"name": named})
    rule = {"exit_codes": [1, 2], "match_all_exit_codes": True, "recovery_script": "rm -f x", "max_retries": 5}
    handled = _alone(failure_handlers=[_HANDLER])
    handled["jobs"] = [{"name": "a", "command": "make", "failure_handler": "again"}]
    spare = _alone(failure_handlers=[_HANDLER])
    other = {"name": "h", "rules": [{"exit_codes": [9]}]}
    yield from of_keys(m.FailureHandler, handled, "failure_handlers.0", other, bases={"name": spare})
    yield from of_keys(m.FailureRule, handled, "failure_handlers.0.rules.0", rule)
    yield from _site()
    for title, meaning, text in _LINES:
        yield of_lines(title, meaning, text)


def _site() -> Iterator[Probe]:
    scheduler = {
        "name": "others",
        "account": "other",
        "partition": "fast",
        "qos": "high",
        "walltime": "02:00:00",
        "nodes": 2,
        "mem": "8G",
        "gres": "gpu:1",
        "tmp": "10G",
        "ntasks_per_node": 2,
        "extra": "--exclusive",
        "serialize_allocations": True,
    }
    placed = _alone(slurm_schedulers=[_SCHEDULER])
    placed["jobs"] = [{"name": "a", "command": "make", "scheduler": "nodes"}]
    spare = _alone(slurm_schedulers=[_SCHEDULER])
    yield from of_keys(m.SlurmScheduler, placed, "slurm_schedulers.0", scheduler, bases={"name": spare})
    asking = {"trigger_type": "on_workflow_start", "action_type": "schedule_nodes", "scheduler": "nodes"}
    asking["scheduler_type"] = "slurm"
    action = {
        "trigger_type": ...,
        "action_type": "schedule_nodes",
        "jobs": ["a"],
        "job_name_regexes": ["^b"],
        "commands": ["date"],
        "scheduler": "nodes",
        "scheduler_type": "slurm",
        "num_allocations": 2,
        "start_one_worker_per_node": True,
        "start_server_on_head_node": True,
        "max_parallel_jobs": 4,
        "persistent": True,
    }
    running = {"trigger_type": "on_workflow_start", "action_type": "run_commands", "commands": ["hostname"]}
    nodes = {**_spec(), "actions": [asking]}
    ready = {**_spec(), "actions": [{**running, "trigger_type": "on_jobs_complete"}]}
    worker = {**_spec(), "actions": [{**running, "trigger_type": "on_worker_start"}]}
    bases = {"jobs": ready, "job_name_regexes": ready, "commands": ready, "persistent": worker, "action_type": _spec()}
    bases["scheduler"] = _spec()
    bases["scheduler_type"] = _spec()
    for name in ("action_type", "scheduler", "scheduler_type"):
        action[name] = ...
    yield from of_keys(m.Action, nodes, "actions.0", action, bases=bases)
    for trigger, more in _TRIGGERS.items():
        for kind in ("run_commands", "schedule_nodes"):
            made = {**(running if kind == "run_commands" else asking), "trigger_type": trigger, **more}
            title = f"`actions[]` {trigger}, {kind}"
            meaning = "commands at a point of the run" if kind == "run_commands" else "nodes that are asked for"
            yield _pair(title, meaning, _spec(), {**_spec(), "actions": [made]})


def _pair(title: str, meaning: str, without: Any, document: Any) -> Probe:
    from probes.probe import dump

    return Probe(title, meaning, dump(without), dump(document))
