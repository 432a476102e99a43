"""Probes of ACTIVATE's language: every key of a workflow file and of its form, and what expressions can say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from probes.probe import Probe, of_keys, of_lines, of_value
from pwxc.yaml.structure import keys_of
from pwxc_targets.pw import form as f
from pwxc_targets.pw import model as m

_RUN = {"run": "make"}
_FORM = {"execute": {"inputs": {"word": {"type": "string", "default": "x"}}}}
_IP = "${{ inputs.resource.ip }}"


def _flow(**job: Any) -> dict[str, Any]:
    return {"jobs": {"a": {"steps": [_RUN]}, "b": {"steps": [_RUN], **job}}}


def _step(**more: Any) -> dict[str, Any]:
    return {"jobs": {"a": {"steps": [{**_RUN, **more}]}}}


def _field(kind: str, **more: Any) -> dict[str, Any]:
    cluster = {"resource": {"type": "compute-clusters"}} if kind != "compute-clusters" else {}
    return {**_step(), "on": {"execute": {"inputs": {**cluster, "x": {"type": kind, **more}}}}}


_JOB: dict[str, Any] = {
    "needs": ["a"],
    "if": "${{ never }}",
    "runs-on": {"environment": {"cluster": "me/cluster", "name": "gpu"}},
    "ssh": {"remoteHost": "login.example.org"},
    "working-directory": "/data",
    "env": {"LEVEL": "1"},
    "timeout": "1h",
    "outputs": {"VALUE": "${{ steps.one.outputs.VALUE }}"},
    "strategy": {"matrix": {"i": [1, 2]}},
    "steps": [_RUN, {"run": "make test"}],
    "cleanup": "rm -f x",
}
_STEP: dict[str, Any] = {
    "name": "build",
    "id": "one",
    "if": "${{ error }}",
    "uses": ...,
    "with": ...,
    "run": "make all",
    "shell": "bash -l",
    "ssh": {"remoteHost": "login.example.org"},
    "working-directory": "/data",
    "env": {"LEVEL": "1"},
    "timeout": "10m",
    "ignore-errors": True,
    "early-cancel": "any-job-failed",
    "retry": {"max-retries": 2, "interval": "5s", "timeout": "1m"},
    "cleanup": "rm -f x",
}
_TOP: dict[str, Any] = {
    "name": ...,
    "permissions": ["*"],
    "needs": {"userVariables": ["TOKEN"]},
    "app": {"target": "${{ inputs.word }}"},
    "sessions": {"view": {"redirect": True}},
    "links": {"page": {"url": "https://example.org"}},
    "env": {"LEVEL": "1"},
    "timeout": "1h",
    "on": _FORM,
    "configurations": {"small": {"variables": {"word": "y"}}},
    "jobs": {"a": {"steps": [_RUN]}, "b": {"steps": [_RUN]}},
}
_SLURM = {"partition": "fast", "account": "proj", "time": "01:00:00", "nodes": 1, "cpus_per_task": 4, "mem": "8G"}
_LINES = (
    (
        "`needs` with `if: ${{ error }}`",
        "a job that runs after a failure",
        """
jobs:
  a: {steps: [{run: make}]}
  b:
    needs: [a]
    if: ${{ error }} #+
    steps: [{run: make}]
""",
    ),
    (
        "`needs` with `if: ${{ always }}`",
        "a job that runs after any end",
        """
jobs:
  a: {steps: [{run: make}]}
  b:
    needs: [a]
    if: ${{ always }} #+
    steps: [{run: make}]
""",
    ),
    (
        "`if` over an input",
        "a job that an input decides about",
        """
jobs:
  a:
    if: ${{ inputs.fast }} #+
    steps: [{run: make}]
'on': {execute: {inputs: {fast: {type: boolean, default: true}}}}
""",
    ),
    (
        "`if` over an output",
        "a job that a value of the run decides about",
        """
jobs:
  a: {steps: [{run: echo n=1 >> $OUTPUTS}]}
  b:
    needs: [a]
    if: ${{ needs.a.outputs.n == 1 }} #+
    steps: [{run: make}]
""",
    ),
    (
        "`needs: [J:any]`",
        "the first instance of a matrix",
        """
jobs:
  a:
    strategy: {matrix: {i: [1, 2]}}
    steps: [{run: make}]
  b:
    needs: [a] #-
    needs: ["a:any"] #+
    steps: [{run: make}]
""",
    ),
    (
        "`${{ inputs.x }}` in a script",
        "a value that is given at submission",
        """
jobs:
  a:
    steps:
    - run: make x #-
    - run: make ${{ inputs.word }} #+
'on': {execute: {inputs: {word: {type: string, default: x}}}}
""",
    ),
    (
        "`${{ needs.J.outputs.K }}`",
        "a value that another job publishes",
        """
jobs:
  a: {steps: [{run: echo n=1 >> $OUTPUTS}]}
  b:
    needs: [a]
    steps:
    - run: make 1 #-
    - run: make ${{ needs.a.outputs.n }} #+
""",
    ),
    (
        "`${{ a && b || c }}`",
        "a choice inside a text",
        """
jobs:
  a:
    steps:
    - run: make x #-
    - run: make ${{ inputs.fast && 'x' || 'y' }} #+
'on': {execute: {inputs: {fast: {type: boolean, default: true}}}}
""",
    ),
    (
        "`${{ org.NAME }}`",
        "a variable of the organisation",
        """
jobs:
  a:
    steps:
    - run: make x #-
    - run: make ${{ org.TOKEN }} #+
""",
    ),
    (
        "`$PW_JOB_DIR`, `$PW_RUN_SLUG` and the like",
        "variables that the platform sets",
        """
jobs:
  a:
    steps:
    - run: make x #-
    - run: make $PW_RUN_SLUG #+
""",
    ),
    (
        "`strategy.matrix.include`",
        "rows of a matrix",
        """
jobs:
  a:
    strategy:
      matrix:
        i: [1, 2]
        include: [{i: 7}] #+
    steps: [{run: 'make ${{ matrix.i }}'}]
""",
    ),
    (
        "`strategy.matrix.exclude`",
        "rows that are left out",
        """
jobs:
  a:
    strategy:
      matrix:
        i: [1, 2]
        exclude: [{i: 1}] #+
    steps: [{run: 'make ${{ matrix.i }}'}]
""",
    ),
    (
        "a matrix from an input",
        "instances that are known at submission",
        """
jobs:
  a:
    strategy:
      matrix:
        i: [1, 2] #-
        i: ${{ inputs.list }} #+
    steps: [{run: 'make ${{ matrix.i }}'}]
'on': {execute: {inputs: {list: {type: multi-dropdown, options: [{value: p}, {value: q}], default: [p, q]}}}}
""",
    ),
    (
        "steps on different hosts",
        "`ssh` of a step",
        """
jobs:
  a:
    ssh: {remoteHost: one.example.org}
    steps:
    - run: make
    - run: make
      ssh: {remoteHost: two.example.org} #+
""",
    ),
)
_USES = {
    "parallelworks/checkout": {"repo": "https://example.org/x.git", "branch": "main"},
    "parallelworks/update-session": {"name": "view", "target": "x"},
    "parallelworks/cancel-jobs": {"jobs": "b"},
    "marketplace/job_runner/v4.0": {"resource": "r", "script": "make", "scheduler": True, "slurm": _SLURM},
    "marketplace/script_submitter/v3.6": {"resource": "r", "script": "make", "scheduler": True, "slurm": _SLURM},
    "workflow/me/other": {"word": "x"},
}


def probes() -> Iterator[Probe]:
    """Give the probes of ACTIVATE."""
    formed = {**_step(), "on": _FORM}
    yield from of_keys(m.PwWorkflow, _step(), "", _TOP, bases={"app": formed, "configurations": formed})
    yield from of_keys(m.Job, _flow(), "jobs.b", _JOB, bases={"outputs": _named("b")})
    yield from of_keys(m.Step, _step(), "jobs.a.steps.0", _STEP)
    again = {"max-retries": 5, "interval": "1m", "timeout": "2m", "clean-on-retry": True}
    yield from of_keys(m.Retry, _step(retry={"max-retries": 2, "timeout": "1m"}), "jobs.a.steps.0.retry", again)
    several = {"matrix": {"i": [1, 2, 3]}, "fail-fast": False, "max-parallel": 2}
    yield from of_keys(m.Strategy, _flow(strategy={"matrix": {"i": [1, 2]}}), "jobs.b.strategy", several)
    there = {
        "remoteHost": "login.example.org",
        "remoteUser": "me",
        "jumpNodeHost": "gate.example.org",
        "jumpNodeUser": "you",
        "disconnect-timeout": "1m",
    }
    yield from of_keys(m.Ssh, _flow(ssh={"remoteHost": "one.example.org"}), "jobs.b.ssh", there)
    yield from _later()
    for name, given in _USES.items():
        step = {"uses": name, "with": given}
        yield of_value(f"`uses: {name}`", "a named action or workflow", _flow(), "jobs.b.steps", [step])
    for title, meaning, text in _LINES:
        yield of_lines(title, meaning, text.lstrip())
    yield from _fields()


def _named(job: str) -> dict[str, Any]:
    flow = _flow()
    flow["jobs"][job] = {"steps": [{"run": "echo VALUE=1 >> $OUTPUTS", "id": "one"}]}
    return flow


def _later() -> Iterator[Probe]:
    """Give the probes of generation 4, of sessions and of what surrounds a run."""
    runs_on = {
        "environment": {"cluster": "me/other", "name": "gpu"},
        "params": {"walltime": "1h"},
        "mode": "login",
        "targetId": "t",
        "environmentId": "e",
        "schedulingParams": {"walltime": "1h"},
        "newWorker": True,
        "workerId": "w",
    }
    placed = _flow(**{"runs-on": {"environment": {"cluster": "me/cluster", "name": "cpu"}}})
    yield from of_keys(m.RunsOn, placed, "jobs.b.runs-on", runs_on)
    named = {"cluster": "me/third", "name": "big"}
    yield from of_keys(m.RunsOnEnvironment, placed, "jobs.b.runs-on.environment", named)
    switches = {"type": "link", "redirect": True, "useTLS": True, "useCustomDomain": True, "openAI": True}
    session = {**switches, "detach": True, "prompt-for-name": {"default": "x"}}
    yield from of_keys(m.Session, {**_step(), "sessions": {"view": {"type": "tunnel"}}}, "sessions.view", session)
    asked = {**_step(), "sessions": {"view": {"prompt-for-name": {}}}}
    yield from of_keys(m.PromptForName, asked, "sessions.view.prompt-for-name", {"default": "x"})
    link = {"endpoint": "/x", "url": "https://example.org/x", "redirect": True, "detach": True}
    yield from of_keys(m.Link, {**_step(), "links": {"page": {"url": "https://example.org"}}}, "links.page", link)
    formed = {**_step(), "on": _FORM}
    wanted = {"organizationVariables": ["TOKEN"], "userVariables": {"KEY": {"hint": "a key"}}}
    yield from of_keys(m.Variables, formed, "needs", wanted)
    hinted = {**formed, "needs": {"userVariables": {"KEY": {}}}}
    yield from of_keys(m.UserVariable, hinted, "needs.userVariables.KEY", {"hint": "a key"})
    saved = {"inputs": {"word": "z"}, "variables": {"word": "y"}}
    yield from of_keys(m.Configuration, formed, "configurations.small", saved)
    yield from of_keys(m.App, formed, "app", {"target": "${{ inputs.word }}"})


_VALUES: dict[str, Any] = {
    "label": "a label",
    "description": "what it is",
    "tooltip": "more",
    "width": "half",
    "hidden": True,
    "ignore": True,
    "default": "y",
    "optional": True,
    "disabled": True,
    "placeholder": "type here",
    "textarea": True,
    "prefillDefault": True,
    "min": 1,
    "max": 9,
    "step": 2,
    "slider": True,
    "disableLabel": "none",
    "disableValue": "0",
    "language": "bash",
    "option-key": "${{ inputs.word }}",
    "autoselect": True,
    "optionLabelPosition": "top",
    "implies": {"p": ["q"]},
    "collapsed": True,
    "flatten": True,
    "items-collapsible": True,
    "size": 20,
    "bold": False,
    "nextLabel": "on",
    "prevLabel": "back",
    "validateOnNext": True,
    "include-workspace": True,
    "include-unprovisioned": True,
    "csp": "aws",
    "provider": ["aws"],
    "multi": True,
    "generateCredentials": True,
    "includeEmpty": False,
}
"""A value for each attribute of a field; those of a kind that has none are shown by the field itself."""
_FIELDS: tuple[tuple[type, str, dict[str, Any]], ...] = (
    (f.StringField, "string", {}),
    (f.NumberField, "number", {"default": 2}),
    (f.DurationField, "duration", {"default": "01:00:00"}),
    (f.ValueField, "boolean", {"default": True}),
    (f.ValueField, "password", {}),
    (f.EditorField, "editor", {"default": "x\n"}),
    (f.ValueField, "color-picker", {}),
    (f.ChoiceField, "dropdown", {"options": [{"value": "p"}, {"value": "q"}]}),
    (f.ChoiceField, "multi-dropdown", {"options": [{"value": "p"}, {"value": "q"}], "default": ["p"]}),
    (f.RadioField, "radio", {"options": [{"value": "p"}]}),
    (f.CheckboxGroupField, "checkbox-group", {"options": [{"value": "p"}, {"value": "q"}]}),
    (f.GroupField, "group", {"items": {"y": {"type": "string", "default": "z"}}}),
    (f.ListField, "list", {"template": {"y": {"type": "string"}}}),
    (f.HeaderField, "header", {"text": "title"}),
    (f.StepField, "step", {"title": "first", "options": {"y": {"type": "string", "default": "z"}}}),
    (f.ClusterField, "compute-clusters", {}),
    (f.ClusterField, "compute-resources", {}),
    (f.ValueField, "compute-target", {}),
    (f.BucketField, "bucket", {}),
    (f.SchedulerField, "slurm-accounts", {"resource": "${{ inputs.resource }}"}),
    (f.PartitionField, "slurm-partitions", {"resource": "${{ inputs.resource }}", "account": "x"}),
    (f.QosField, "slurm-qos", {"resource": "${{ inputs.resource }}", "account": "x", "partition": "x"}),
    (f.SchedulerField, "pbs-queues", {"resource": "${{ inputs.resource }}"}),
    (f.RegionField, "region", {"csp": "aws"}),
    (f.ZoneField, "zone", {"csp": "aws", "region": "x"}),
    (f.ZoneField, "instance-type", {"csp": "aws", "region": "x"}),
    (f.PickerField, "organization-groups", {}),
    (f.PickerField, "ai-model", {}),
    (f.PickerField, "allocations", {}),
    (f.ClusterField, "kubernetes-clusters", {}),
    (f.NamespaceField, "kubernetes-namespaces", {"clusterName": "c"}),
    (f.KubernetesField, "kubernetes-pvc", {"clusterName": "c", "namespace": "n"}),
)


def _fields() -> Iterator[Probe]:
    """Give a probe for each type of field, and one for each attribute, at the first type that has it.

    Raises:
        LookupError: an attribute has no value here: the language has changed.
    """
    for _, kind, more in _FIELDS:
        plain = {**_step(), "on": {"execute": {"inputs": {"resource": {"type": "compute-clusters"}}}}}
        field = {"type": kind, **more}
        yield of_value(
            f"`on.execute.inputs.*` of type `{kind}`", "a field of the form", plain, "on.execute.inputs.x", field
        )
    shown: set[str] = {"type"}
    for cls, kind, more in _FIELDS:
        for info in keys_of(cls):
            if info.name in shown or info.name in more:
                continue
            shown.add(info.name)
            if info.name not in _VALUES:
                raise LookupError(f"no probe knows a value for the attribute `{info.name}` of a field")
            title = f"`on.execute.inputs.*.{info.name}`"
            base = _field(kind, **more)
            base["on"]["execute"]["inputs"]["word"] = {"type": "string", "default": "x"}
            yield of_value(title, info.doc, base, f"on.execute.inputs.x.{info.name}", _VALUES[info.name])
