"""Jobs that submit through the common sub-workflows are scheduled tasks."""

import pytest

from pwxc.diagnostics import Diagnostics
from pwxc.ir.expr import Ref, Root
from pwxc.ir.resources import Placement
from pwxc.ir.task import ActionCall, Script
from pwxc.ir.template import Template, text
from pwxc.registry import ReadSettings
from pwxc.source import Source
from pwxc_targets.pw.read import read
from pwxc_targets.pw.reading.actions import SubWorkflow, sub_workflow
from pwxc_targets.pw.reading.scheduler_options import OptionReader, parse_memory, parse_slurm_time

FORM = """\
'on':
  execute:
    inputs:
      site: {type: compute-clusters, label: S}
      batch: {type: boolean, default: true}
      slurm:
        type: group
        items: {partition: {type: string, default: p}, time: {type: string, default: '01:00:00'}}
"""


def load(jobs):
    diagnostics = Diagnostics()
    workflow = read((Source("w.yaml", FORM + jobs),), ReadSettings(), diagnostics)
    assert not diagnostics.errors, [item.message for item in diagnostics]
    return workflow


SITE = Ref(Root.INPUT, ("site",))
HOST = Template((Ref(Root.INPUT, ("site", "ip")),))

RUNNER = """\
jobs:
  train:
    steps:
      - name: Train
        uses: marketplace/job_runner/v4.0
        early-cancel: any-job-failed
        with:
          resource: ${{ inputs.site }}
          shebang: '#!/bin/bash -l'
          rundir: ${PW_PARENT_JOB_DIR}
          script: |
            srun ./train
          scheduler: true
          slurm:
            partition: gpu
            account: lab
            time: 02:30:00
            cpus_per_task: 8
            mem: 64G
            gres: gpu:a100:2
            scheduler_directives: |
              #SBATCH --mail-type=END
              #SBATCH -N 2
              echo dropped
"""


def test_a_job_of_the_job_runner_is_a_scheduled_task():
    workflow = load(RUNNER)
    (task,) = workflow.tasks
    (record,) = workflow.resources
    assert task.placement == Placement(host=HOST, cluster=SITE, scheduled=True)
    assert task.resources == record.name == "train"
    (step,) = task.steps
    assert step.work == Script(Template(("srun ./train\n",)), ("bash", "-l"))
    assert step.placement is None
    assert step.working_directory == text("${PW_PARENT_JOB_DIR}")
    assert step.stop_when_another_fails
    assert (record.nodes, record.cpus, record.gpus, record.gpu_type) == (2, 8, 2, "a100")
    assert (record.memory, record.walltime) == (64 * 2**30, 9000)
    assert (record.partition, record.account) == (text("gpu"), text("lab"))
    assert record.directives == (text("--mail-type=END"),)


def test_the_runner_s_own_defaults_count():
    workflow = load(RUNNER[: RUNNER.index("          slurm:")])
    record = workflow.resources[0]
    assert (record.nodes, record.cpus, record.walltime) == (1, 4, 4 * 3600)


def test_a_group_of_the_form_given_as_a_whole():
    start = RUNNER.index("          slurm:")
    workflow = load(RUNNER[:start] + "          slurm: ${{ inputs.slurm }}\n")
    record = workflow.resources[0]
    assert record.partition == Template((Ref(Root.INPUT, ("slurm", "partition")),))
    assert record.walltime == Ref(Root.INPUT, ("slurm", "time"))


def test_whether_it_is_scheduled_may_be_an_input():
    workflow = load(RUNNER.replace("scheduler: true", "scheduler: ${{ inputs.batch }}"))
    assert workflow.tasks[0].placement.scheduled == Ref(Root.INPUT, ("batch",))


def test_without_scheduler_it_runs_on_the_login_node():
    workflow = load(RUNNER.replace("scheduler: true", "scheduler: false"))
    assert workflow.tasks[0].placement == Placement(host=HOST, cluster=SITE)
    assert not workflow.resources
    assert workflow.tasks[0].resources is None


def test_steps_beside_the_submission_stay_where_they_are():
    workflow = load(RUNNER.replace("    steps:", "    ssh: {remoteHost: gate}\n    steps:\n      - run: echo first"))
    (task,) = workflow.tasks
    assert task.placement == Placement(host=text("gate"))
    first, second = task.steps
    assert first.placement is None
    assert second.placement == Placement(host=HOST, cluster=SITE, scheduled=True)
    assert task.resources == "train"


SUBMITTER = """\
jobs:
  train:
    steps:
      - uses: github/parallelworks/interactive_session@main
        with:
          $yaml: workflow/script_submitter/v3.6/noaa.yaml
          resource: ${{ inputs.site }}
          use_existing_script: true
          script_path: ${PW_JOB_DIR}/run.sh
          define_cleanup_script: true
          cleanup_script_path: ./cancel.sh
          submit_and_exit: true
          scheduler: true
          slurm: {is_enabled: true, ntasks: 16, nodes: 2, gpus: 4}
          pbs: {is_enabled: false}
"""


def test_the_script_submitter_of_a_repository():
    workflow = load(SUBMITTER)
    (task,), (record,) = workflow.tasks, workflow.resources
    step = task.steps[0]
    assert step.work.text == text('bash "${PW_JOB_DIR}/run.sh"\n')
    assert "./cancel.sh" in step.cleanup.literal
    assert (record.nodes, record.tasks, record.gpus) == (2, 16, None)
    assert record.directives == (text("--gpus=4"),), "GPUs of all nodes are not those of one"
    assert [kept.path for kept in step.passthrough] == [("with", "submit_and_exit")]


def test_what_is_decided_at_run_time_stays_a_call():
    workflow = load(SUBMITTER.replace("use_existing_script: true", "use_existing_script: '${{ inputs.batch }}'"))
    assert isinstance(workflow.tasks[0].steps[0].work, ActionCall)
    assert not workflow.resources


def test_the_session_runner():
    workflow = load(
        """\
sessions: {web: {}}
jobs:
  serve:
    steps:
      - uses: marketplace/session_runner/v1.4
        with:
          session: ${{ sessions.web }}
          resource: ${{ inputs.site }}
          cluster: {scheduler: true, slurm: {is_enabled: true, partition: web}}
          service: {start_service_script: start.sh, controller_script: control.sh, inputs_sh: inputs.sh, rundir: /r}
"""
    )
    (task,), (record,) = workflow.tasks, workflow.resources
    control, start = task.steps
    assert control.placement.scheduled is False
    assert start.placement.scheduled is True
    assert control.work.text == text('. "inputs.sh"\nbash "control.sh"\n')
    assert start.work.text == text('. "inputs.sh"\nbash "start.sh"\n')
    assert start.working_directory == text("/r")
    assert record.partition == text("web")
    assert ("with", "session") in [kept.path for kept in start.passthrough]


AGENT = """\
jobs:
  run:
    steps:
      - uses: parallelworks/scheduler-agent
        id: agent
        with: {scheduler-type: slurm, scheduler-flags: {--partition: gpu, time: '00:30:00'}}
      - uses: parallelworks/wait-for-agent
        id: wait
        with: {agentId: '${{ needs.run.steps.agent.outputs.agentId }}'}
      - run: ./solve
        ssh:
          jumpNodeHost: ${{ inputs.site.ip }}
          remoteHost: ${{ needs.run.steps.wait.outputs.remoteHost }}:${{ needs.run.steps.wait.outputs.sshPort }}
"""


def test_a_scheduler_agent():
    workflow = load(AGENT)
    (task,), (record,) = workflow.tasks, workflow.resources
    assert [step.work for step in task.steps] == [Script(text("./solve"))]
    assert task.steps[0].placement == Placement(host=HOST, cluster=SITE, scheduled=True)
    assert (record.nodes, record.partition, record.walltime) == (1, text("gpu"), 1800)


def test_an_agent_whose_job_id_is_used_stays_a_call():
    use = "      - run: squeue -j ${{ needs.run.steps.agent.outputs.schedulerJobId }}\n"
    workflow = load(AGENT + use)
    assert len(workflow.tasks[0].steps) == 4
    assert not workflow.resources


@pytest.mark.parametrize(
    ("uses", "path", "found"),
    [
        ("marketplace/job_runner/v4.0", None, SubWorkflow("job_runner", "4.0")),
        ("marketplace/script_submitter@v3.5", None, SubWorkflow("script_submitter", "3.5")),
        ("github/parallelworks/job_runner", "v4.0.yaml", SubWorkflow("job_runner", "4.0")),
        (
            "github/parallelworks/interactive_session@main",
            "workflow/session_runner/v1.4/hsp.yaml",
            SubWorkflow("session_runner", "1.4", "hsp"),
        ),
        ("github/parallelworks/workflows@canary", "spikes/one.yaml", None),
        ("workflow/mine", None, None),
        ("parallelworks/checkout", None, None),
    ],
)
def test_which_sub_workflow_is_meant(uses, path, found):
    assert sub_workflow(uses, path) == found


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("30", 1800),
        ("10:30", 630),
        ("1:00:00", 3600),
        ("1-2", 93600),
        ("1-2:30", 95400),
        ("1-0:0:1", 86401),
        ("x", None),
    ],
)
def test_slurm_times(written, seconds):
    assert parse_slurm_time(written) == seconds


@pytest.mark.parametrize(
    ("written", "size"), [("8G", 2**33), ("512", 2**29), ("1500M", 1500 * 2**20), ("2T", 2**41), ("4x", None)]
)
def test_slurm_sizes(written, size):
    assert parse_memory(written) == size


def test_directives_of_every_spelling():
    reader = OptionReader("x")
    lines = "#SBATCH --nodes=2  # two\n#SBATCH -p gpu\n#SBATCH -c4\n# x\n#SBATCH --exclusive\n#SBATCH --mail-type END\n"
    reader.take_lines(text(lines), ("d",))
    record = reader.resources()
    assert (record.nodes, record.partition, record.cpus, record.exclusive) == (2, text("gpu"), 4, True)
    assert record.directives == (text("--mail-type=END"),)


def test_directives_that_an_input_gives_are_kept():
    reader = OptionReader("x")
    hole = Ref(Root.INPUT, ("more",))
    reader.take_lines(Template((hole, "\n#SBATCH --time=", hole)), ("d",))
    record = reader.resources()
    assert [kept.path for kept in record.passthrough] == [("d",)]
    assert record.walltime == hole
