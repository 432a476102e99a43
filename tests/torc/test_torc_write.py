"""Writing torc: identity on meaning, emission rules, and workflows of other systems."""

# ruff: noqa: E501 - a row of a table stays on its line

from __future__ import annotations

import subprocess

import pytest
import yaml
from torc_files import again, expand, must_read, written

from pwxc.ir.data import InlineFile, Read, TaskOutput, Url, Variable, Write
from pwxc.ir.expr import Ref, Root
from pwxc.ir.inputs import Input
from pwxc.ir.resources import Container, Resources
from pwxc.ir.sweep import Parameter, Range, Sweep, SweepMode, Values
from pwxc.ir.task import Command, Edge, ExitAction, ExitRule, Gang, GangStatus, Outcome, Retry, Script, Step, Task
from pwxc.ir.template import Template, text
from pwxc.ir.workflow import Hook, RunCommands, Trigger, Workflow

SETUP = """
name: soil samples
jobs:
  - {name: fetch, command: curl -O https://example.org/soil.tgz}
  - {name: grind, command: ./grind soil.tgz, blocked_by_job_names: [fetch]}
  - {name: weigh, command: ./weigh, blocked_by_job_names: [grind]}
actions:
  - {trigger_type: on_workflow_start, action_type: run_commands, commands: ["mkdir -p out tmp", "date > out/log"]}
  - {trigger_type: on_workflow_complete, action_type: run_commands, commands: ["rm -rf tmp"]}
"""
SCALING = """
name: nets
jobs:
  - {name: clean, command: ./clean, resource_requirements_name: small}
  - name: fit_{k}
    command: ./fit {k}
    resource_requirements_name: big
    blocked_by_job_names: [clean]
    parameters: {k: "[1,2,3,4]"}
  - name: score_{k}
    command: ./score {k}
    blocked_by_job_names: ["fit_{k}"]
    parameters: {k: "[1,2,3,4]"}
resource_requirements:
  - {name: small, num_cpus: 2, memory: 4g}
  - {name: big, num_cpus: 8, num_gpus: 1, memory: 32g, runtime: PT4H}
slurm_schedulers: [{name: cluster, account: nets, partition: gpu, nodes: 2, walltime: "04:00:00", gres: "gpu:1"}]
actions:
  - trigger_type: on_jobs_ready
    action_type: schedule_nodes
    job_name_regexes: ["fit_.*"]
    scheduler_name: cluster
    scheduler_type: slurm
    num_allocations: 2
    start_one_worker_per_node: true
    max_parallel_jobs: 4
  - {trigger_type: on_jobs_complete, action_type: run_commands, job_name_regexes: ["fit_.*"], commands: ["tar cf c.tar c"]}
"""
STAGES = """
name: rivers
jobs:
  - {name: "pull_{r}", command: "./pull {r}", parameters: {r: "['elbe', 'oder']"}}
  - {name: "turn_{r}", command: "./turn {r}", blocked_by_job_names: ["pull_{r}"], parameters: {r: "['elbe', 'oder']"}}
  - {name: last, command: ./last, blocked_by_job_names: [turn_elbe, turn_oder]}
actions:
  - {trigger_type: on_jobs_complete, action_type: run_commands, job_names: [last], job_name_regexes: ["^turn_"], commands: ["rm -rf raw"]}
"""
WORKERS = """
name: workers
jobs: [{name: a, command: "true"}]
actions:
  - {trigger_type: on_worker_start, action_type: run_commands, persistent: true, commands: ["mkdir -p /tmp/w"]}
  - {trigger_type: on_worker_complete, action_type: run_commands, commands: ["rm -rf /tmp/w"]}
"""


@pytest.mark.parametrize("source", [SETUP, SCALING, STAGES, WORKERS])
@pytest.mark.parametrize("version", ["r0", "r1", "0.12", "0.25", "0.33"])
def test_actions_survive_in_the_names_of_every_version(source, version):
    workflow = must_read(source)
    assert again(workflow, version=version) == workflow


def test_names_and_rules_of_the_current_generation():
    made, _, _ = written(must_read(SCALING))
    tree = yaml.safe_load(made.files[0].text)
    fit = tree["jobs"][1]
    assert fit["depends_on"] == ["clean"]
    assert fit["cancel_on_blocking_job_failure"] is True
    assert fit["parameters"] == {"k": "[1,2,3,4]"}
    assert tree["resource_requirements"][0] == {
        "name": "small", "num_cpus": 2, "num_gpus": 0, "num_nodes": 1, "memory": "4g", "runtime": "PT1H",
    }  # fmt: skip
    assert tree["actions"][0]["scheduler"] == "cluster"


def test_the_oldest_names_on_request():
    made, _, _ = written(must_read(SCALING), version="r0")
    tree = yaml.safe_load(made.files[0].text)
    assert tree["jobs"][1]["blocked_by_job_names"] == ["clean"]
    assert tree["jobs"][1]["resource_requirements_name"] == "big"
    assert tree["actions"][0]["scheduler_name"] == "cluster"
    assert tree["description"] == ""


def task(name, script, **more):
    return Task(name=name, steps=(Step(work=Script(script if isinstance(script, Template) else text(script))),), **more)


def lint_shell(command):
    assert subprocess.run(["bash", "-n"], input=command, text=True, capture_output=True, check=False).stderr == ""
    found = subprocess.run(
        ["shellcheck", "-S", "style", "-s", "bash", "-"], input=command, text=True, capture_output=True, check=False
    )
    assert found.stdout == ""


FOREIGN = Workflow(
    name="foreign",
    dialect="osmo",
    inputs=(Input(name="n", default=3, has_default=True),),
    resources=(Resources(name="default", cpus=4, memory=8 * 2**30, gpus=1),),
    tasks=(
        Task(
            name="make",
            steps=(Step(work=Command((text("bash"), text("-c"), Template(("echo ", Ref(Root.INPUT, ("n",)), " it's > ", Ref(Root.OUTPUT_FOLDER), "/x"))))),),
            container=Container(image=text("ubuntu:24.04")),
            resources="default",
            files=(InlineFile(path=text("/opt/run.sh"), contents=text("echo '$HOME'\n")),),
            environment=(Variable(name="A", value=text("it's")),),
            writes=(Write(destination=Url(text("s3://b/out"))),),
        ),
        Task(
            name="use",
            steps=(Step(work=Command((text("cat"), Template((Ref(Root.READ_FOLDER, ("0",)), "/x"))))),),
            reads=(Read(name="0", origin=TaskOutput("make")),),
            needs=(Edge(parent="make", implied=True),),
            exit_rules=(
                ExitRule(action=ExitAction.COMPLETE, codes=((3, 4),)),
                ExitRule(action=ExitAction.RETRY, codes=((7, 8),), retry=Retry(limit=2)),
            ),
            run_timeout=5400,
        ),
    ),
)  # fmt: skip


def test_tasks_of_containers():
    made, _, entries = written(FOREIGN)
    tree = yaml.safe_load(made.files[0].text)
    scripts = {file.path: file.text for file in made.files[1:]}
    make, use = tree["jobs"]
    command = scripts.get("scripts/make.sh") or make["command"]
    lint_shell(command)
    lint_shell(use["command"])
    assert "apptainer exec" in command
    assert "echo 3 it's > @output@/x" in command or "'echo 3 it'" in command
    assert use["depends_on"] == ["make"]
    assert tree["failure_handlers"] == [{"name": "retry_7_8", "rules": [{"exit_codes": [7, 8], "max_retries": 3}]}]
    limits = {item["name"]: item["runtime"] for item in tree["resource_requirements"]}
    assert limits[use["resource_requirements"]] == "PT1H30M"
    assert not [entry for entry in entries if entry.code is not None and entry.code.name == "not-carried"]
    must_read(made.files[0].text)


@pytest.mark.parametrize("status", list(GangStatus))
def test_a_gang_is_one_job_on_several_nodes(status):
    members = (task("lead", "echo 1"), task("other", "echo 2"))
    workflow = Workflow(
        name="g",
        dialect="osmo",
        tasks=members,
        gangs=(Gang(name="g", members=("lead", "other"), lead="lead", status=status),),
    )
    made, _, _ = written(workflow)
    tree = yaml.safe_load(made.files[0].text)
    assert [job["name"] for job in tree["jobs"]] == ["g"]
    classes = {item["name"]: item["num_nodes"] for item in tree["resource_requirements"]}
    assert classes[tree["jobs"][0]["resource_requirements"]] == 2
    # the members are steps, which a worker must not have put into a step already
    assert tree["execution_config"] == {"mode": "direct"}
    lint_shell(made.files[1].text if len(made.files) > 1 else tree["jobs"][0]["command"])


def sweep(*parameters, **more):
    return Sweep(parameters=tuple(Parameter(name=name, values=values) for name, values in parameters), **more)


I = Ref(Root.SWEEP, ("i",))  # noqa: E741


def test_sweeps_of_others_are_parameters():
    made = Workflow(
        name="s",
        dialect="pw",
        tasks=(
            task("run", Template(("echo ", I, " {i}")), sweep=sweep(("i", Range(1, 1_000_000)))),
            task("end", "echo", needs=(Edge(parent="run"),)),
        ),
    )
    tree = yaml.safe_load(written(made)[0].files[0].text)
    # the text has `{i}` of its own, so the parameter has another name
    assert tree["jobs"][0]["parameters"] == {"i_": "1:1000000"}
    assert tree["jobs"][0]["command"] == "echo {i_} {i}"
    assert tree["jobs"][0]["name"] == "run_{i_}"
    assert tree["jobs"][1]["depends_on_regexes"] == ["^run_[0-9]+$"]


def test_pairs_end_with_the_shortest():
    columns = (("i", Range(1, 9, 2)), ("k", Values(("a", "b", "c"))))
    uneven = Task(name="t", steps=(), sweep=sweep(*columns, mode=SweepMode.ZIP))
    tree = yaml.safe_load(written(Workflow(name="s", dialect="pw", tasks=(uneven,)))[0].files[0].text)
    assert tree["jobs"][0]["parameters"] == {"i": "1:5:2", "k": "['a','b','c']"}
    assert tree["jobs"][0]["parameter_mode"] == "zip"


def test_exclusions_are_zipped_and_odd_texts_written_out():
    cut = sweep(("i", Values((1, 2))), ("k", Values(("a", "b"))), exclude=({"i": 1, "k": "b"},))
    workflow = Workflow(name="s", dialect="pw", tasks=(task("run", Template(("echo ", I)), sweep=cut),))
    tree = yaml.safe_load(written(workflow)[0].files[0].text)
    assert tree["jobs"][0]["parameters"] == {"i": "[1,2,2]", "k": "['a','a','b']"}
    assert tree["jobs"][0]["parameter_mode"] == "zip"
    odd = sweep(("i", Values(("a,b", "c"))))
    workflow = Workflow(name="s", dialect="pw", tasks=(task("run", Template(("echo ", I)), sweep=odd),))
    assert expand(must_read(written(workflow)[0].files[0].text)) == {"run_a_b": "echo a,b", "run_c": "echo c"}


def test_a_sweep_too_large_to_be_written_out_is_refused():
    large = sweep(("i", Range(1, 10**12)), include=({"i": 0},))
    workflow = Workflow(name="s", dialect="pw", tasks=(task("run", Template(("echo ", I)), sweep=large),))
    _, ledger, _ = written(workflow)
    assert "torc-sweep-too-large" in {item.code.name for item in ledger.diagnostics}


def test_orders_that_torc_lacks_are_told():
    tasks = (
        task("a", "x"),
        task("b", "x", needs=(Edge(parent="a", when=Outcome.END),)),
        task("c", "x", needs=(Edge(parent="a", when=Outcome.FAILURE),)),
        task("d", "x", needs=(Edge(parent="a"), Edge(parent="b", when=Outcome.END))),
    )
    made, ledger, _ = written(Workflow(name="o", dialect="slurm", tasks=tasks))
    jobs = {job["name"]: job for job in yaml.safe_load(made.files[0].text)["jobs"]}
    assert jobs["b"]["cancel_on_blocking_job_failure"] is False
    assert "torc-tested" in {item.code.name for item in ledger.diagnostics}
    assert {item.code.severity for item in ledger.diagnostics} == {"warning"}
    late = (task("a", "x"), task("b", "x", needs=(Edge(parent="a", when=Outcome.START, delay=5),)))
    _, ledger, _ = written(Workflow(name="o", dialect="slurm", tasks=late))
    assert "torc-edge-kind" in {item.code.name for item in ledger.diagnostics}


def test_hooks_of_others_select_by_patterns_for_sweeps():
    hook = Hook(trigger=Trigger.TASKS_COMPLETE, action=RunCommands((text("ls"),)), tasks=("one", "many"))
    tasks = (task("one", "x"), task("many", Template(("x ", I)), sweep=sweep(("i", Range(-1, 3)))))
    made, _, _ = written(Workflow(name="h", dialect="pw", tasks=tasks, hooks=(hook,)))
    action = yaml.safe_load(made.files[0].text)["actions"][0]
    assert action["jobs"] == ["one"]
    assert action["job_name_regexes"] == ["^many_-?[0-9]+$"]
