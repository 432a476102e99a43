"""Probes of OSMO's language: every key of the specification, the template language, and special tokens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from probes.probe import Probe, of_keys, of_lines
from pwxc_targets.osmo import model as m

_A = {"name": "a", "image": "ubuntu:24.04", "command": ["make"]}
_URL = "s3://bucket/folder"


def _task(**more: Any) -> dict[str, Any]:
    tasks = [_A, {**_A, "name": "b", **more}]
    return {"workflow": {"name": "w", "tasks": tasks, "resources": {"default": {}, "big": {"cpu": 2}}}}


def _group(**more: Any) -> dict[str, Any]:
    members = [{**_A, "lead": True}, {**_A, "name": "b"}]
    return {"workflow": {"name": "w", "groups": [{"name": "g", "tasks": members, **more}]}}


_POINT = {"path": "/x", "url": _URL, "frequency": "5m"}
_SET = {"name": "data"}
_TASK: dict[str, Any] = {
    "name": "c",
    "image": "registry.example.org/tool:1",
    "command": ["python"],
    "args": ["--fast"],
    "lead": True,
    "resource": "big",
    "environment": {"LEVEL": "1"},
    "credentials": {"store": {"TOKEN": "key"}},
    "inputs": [{"task": "a"}],
    "outputs": [{"url": _URL}],
    "files": [{"path": "/tmp/x", "contents": "x\n"}],
    "exitActions": {"COMPLETE": "3"},
    "checkpoint": [_POINT],
    "volumeMounts": ["/data:/data"],
    "privileged": True,
    "hostNetwork": True,
    "downloadType": "download",
    "cacheSize": "2Gi",
    "kpis": [{"index": "k", "path": "k.json"}],
    "resources": {"cpu": 4},
    "backend": "b",
}
_RESOURCE: dict[str, Any] = {
    "cpu": 4,
    "gpu": 1,
    "memory": "8Gi",
    "storage": "10Gi",
    "platform": "dgx",
    "nodesExcluded": ["n1"],
    "topology": [{"key": "rack"}],
}
_LINES = (
    (
        "`default-values` in a text",
        "a parameter inside a text",
        """
workflow:
  name: w
  tasks:
  - name: a
    image: ubuntu:24.04
    command: [echo, fixed] #-
    command: [echo, "{{ word }}"] #+
default-values: #+
  word: x #+
""",
    ),
    (
        "`default-values` in `resources`",
        "a parameter as an amount",
        """
workflow:
  name: w
  tasks:
  - {name: a, image: "ubuntu:24.04", command: [make]}
  resources:
    default:
      cpu: 2 #-
      cpu: "{{ cores }}" #+
default-values: #+
  cores: 2 #+
""",
    ),
    (
        "`{% for %}` over tasks",
        "a loop that decides how many tasks there are",
        """
workflow:
  name: w
  tasks:
  {% for i in range(count) %} #+
  - {name: "a-{{ i }}", image: "ubuntu:24.04", command: [make]} #+
  {% endfor %} #+
  - {name: b, image: "ubuntu:24.04", command: [make]}
default-values: #+
  count: 2 #+
""",
    ),
    (
        "`{% if %}` around a task",
        "a condition that decides which tasks there are",
        """
workflow:
  name: w
  tasks:
  - {name: b, image: "ubuntu:24.04", command: [make]}
  {% if more %} #+
  - {name: a, image: "ubuntu:24.04", command: [make]} #+
  {% endif %} #+
default-values: #+
  more: true #+
""",
    ),
    ("`{{output}}`", "the folder of the task's results", "{{output}}"),
    ("`{{input:0}}`", "the folder of an input, by number", "{{input:0}}"),
    ("`{{input:NAME}}`", "the folder of an input, by task", "{{input:a}}"),
    ("`{{workflow_id}}`", "the name of the run", "{{workflow_id}}"),
    ("`{{uuid}}`", "a token that nothing replaces", "{{uuid}}"),
    (
        "`{{host:TASK}}`",
        "the address of a member of the group",
        """
workflow:
  name: w
  groups:
  - name: g
    tasks:
    - {name: a, image: "ubuntu:24.04", command: [make], lead: true}
    - name: b
      image: ubuntu:24.04
      command: [ping, host] #-
      command: [ping, "{{host:a}}"] #+
""",
    ),
    (
        "`inputs[].task: RUN:TASK`",
        "the output of an earlier run",
        """
workflow:
  name: w
  tasks:
  - name: a
    image: ubuntu:24.04
    command: [make]
    inputs: [{task: "old-7:train"}] #+
""",
    ),
    (
        "`exitActions.FAIL`",
        "codes that count as a failure",
        """
workflow:
  name: w
  tasks:
  - {name: a, image: "ubuntu:24.04", command: [make]} #-
  - {name: a, image: "ubuntu:24.04", command: [make], exitActions: {FAIL: "0"}} #+
""",
    ),
    (
        "`exitActions.RESCHEDULE`",
        "codes after which the task runs again",
        """
workflow:
  name: w
  tasks:
  - {name: a, image: "ubuntu:24.04", command: [make]} #-
  - {name: a, image: "ubuntu:24.04", command: [make], exitActions: {RESCHEDULE: "75"}} #+
""",
    ),
    (
        "`exitActions` for codes above 255",
        "codes that the platform gives",
        """
workflow:
  name: w
  tasks:
  - {name: a, image: "ubuntu:24.04", command: [make]} #-
  - {name: a, image: "ubuntu:24.04", command: [make], exitActions: {RESCHEDULE: "3006"}} #+
""",
    ),
    (
        "`files[].localpath`",
        "a text file beside the workflow",
        """
workflow:
  name: w
  tasks:
  - name: a
    image: ubuntu:24.04
    command: [make]
    files: [{path: /tmp/x, localpath: "../LICENSE"}] #+
""",
    ),
    (
        "`credentials` as a folder",
        "secrets as files",
        """
workflow:
  name: w
  tasks:
  - name: a
    image: ubuntu:24.04
    command: [make]
    credentials: {store: /secrets} #+
""",
    ),
    (
        "members with different resources",
        "a group on unlike machines",
        """
workflow:
  name: w
  groups:
  - name: g
    tasks:
    - {name: a, image: "ubuntu:24.04", command: [make], lead: true}
    - name: b
      image: ubuntu:24.04
      command: [make]
      resource: big #+
  resources:
    default: {cpu: 1}
    big: {cpu: 8} #+
""",
    ),
    (
        "a member's `inputs[].task`",
        "an order between groups",
        """
workflow:
  name: w
  groups:
  - name: g
    tasks: [{name: a, image: "ubuntu:24.04", command: [make]}]
  - name: h
    tasks:
    - name: b
      image: ubuntu:24.04
      command: [make]
      inputs: [{task: a}] #+
""",
    ),
)
_TOKEN = """
workflow:
  name: w
  tasks:
  - {name: a, image: "ubuntu:24.04", command: [make]}
  - name: b
    image: ubuntu:24.04
    command: [ls, folder] #-
    command: [ls, "TOKEN"] #+
    inputs: [{task: a}]
"""


def probes() -> Iterator[Probe]:
    """Give the probes of OSMO."""
    one = {"workflow": {"name": "w", "tasks": [_A]}}
    whole: dict[str, Any] = {
        "name": "v",
        "tasks": [_A, {**_A, "name": "b"}],
        "groups": [],
        "resources": {"default": {"cpu": 2}},
        "timeout": {"exec_timeout": "1h"},
        "labels": {"team": "robots"},
        "pool": "p",
        "backend": "b",
    }
    yield from of_keys(m.Workflow, one, "workflow", whole)
    limits = {"exec_timeout": "1h", "queue_timeout": "10m"}
    yield from of_keys(m.Timeout, one, "workflow.timeout", limits)
    records = {"workflow": {**one["workflow"], "resources": {"default": {}}}}
    yield from of_keys(m.Resource, records, "workflow.resources.default", _RESOURCE, shown="workflow.resources.NAME")
    placed = {"workflow": {**one["workflow"], "resources": {"default": {"topology": [{"key": "rack"}]}}}}
    near = {"key": "zone", "group": "pair", "requirementType": "preferred"}
    yield from of_keys(m.Topology, placed, "workflow.resources.default.topology.0", near, shown="topology[]")
    members = {"name": "h", "tasks": [{**_A, "lead": True}], "barrier": False, "ignoreNonleadStatus": False}
    yield from of_keys(m.Group, _group(), "workflow.groups.0", members)
    yield from of_keys(m.Task, _task(), "workflow.tasks.1", _TASK)
    yield from _data()
    for title, meaning, text in _LINES:
        yield of_lines(title, meaning, text if "\n" in text else _TOKEN.replace("TOKEN", text))


def _data() -> Iterator[Probe]:
    read = {"task": "a", "url": _URL, "dataset": _SET, "regex": ".*[.]txt"}
    matched = {"regex": _task(inputs=[{"task": "a"}])}
    yield from of_keys(m.TaskInput, _task(), "workflow.tasks.1.inputs.0", read, bases=matched)
    left = {"url": _URL, "dataset": _SET, "update_dataset": _SET, "regex": ".*[.]txt"}
    matched = {"regex": _task(outputs=[{"url": _URL}])}
    yield from of_keys(m.TaskOutput, _task(), "workflow.tasks.1.outputs.0", left, bases=matched)
    file = {"path": "/tmp/y", "contents": "z", "base64": True, "localpath": ...}
    plain = {"path": "/tmp/x", "contents": "eA=="}
    yield from of_keys(m.InjectedFile, _task(files=[plain]), "workflow.tasks.1.files.0", file)
    upload = {"path": "/y", "url": "s3://bucket/other", "frequency": "1h", "regex": ".*[.]bin"}
    yield from of_keys(m.Checkpoint, _task(checkpoint=[_POINT]), "workflow.tasks.1.checkpoint.0", upload)
    kpi = {"index": "l", "path": "l.json"}
    yield from of_keys(m.Kpi, _task(kpis=[{"index": "k", "path": "k.json"}]), "workflow.tasks.1.kpis.0", kpi)
    dataset = {
        "name": "other",
        "regex": ".*x",
        "localpath": "probes",
        "path": "out",
        "metadata": ["m.yaml"],
        "labels": ["l.yaml"],
    }
    read_from = "workflow.tasks.1.inputs.0.dataset"
    yield from of_keys(m.DatasetRef, _task(inputs=[{"dataset": _SET}]), read_from, dataset)
    update = {"name": "other", "paths": ["x"], "metadata": ["m.yaml"], "labels": ["l.yaml"]}
    added_to = "workflow.tasks.1.outputs.0.update_dataset"
    yield from of_keys(m.DatasetUpdate, _task(outputs=[{"update_dataset": _SET}]), added_to, update)
