"""What our IR says, and what OSMO's own resolved `spec` says, as the same plain data.

Nothing of the reader is used here: quantities, durations, exit codes and Kubernetes' `$(NAME)` are worked out anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from osmo_unrolled import default_values, unrolled

from pwxc.expr.evaluate import Bindings, evaluate
from pwxc.expr.values import as_text
from pwxc.ir.data import Dataset, TaskOutput, Url
from pwxc.ir.expr import Binary, Call, Literal, Ref, Root, refs
from pwxc.ir.inputs import Input
from pwxc.ir.resources import Resources
from pwxc.ir.task import ExitAction, Gang, GangStatus, Task
from pwxc.ir.template import Template
from pwxc.ir.workflow import Workflow, gang_of, units

SITE_LIMIT = 60 * 86400.0
"""What the judge's site allows and gives at most."""
_BYTES = {"": 1, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "G": 2**30, "GiB": 2**30, "B": 1, "m": 2**-10}
_SECONDS = {"d": 86400, "h": 3600, "m": 60, "s": 1, "ms": 1e-3, "us": 1e-6}
_ACTIONS = {ExitAction.FAIL: "FAIL", ExitAction.COMPLETE: "COMPLETE", ExitAction.RETRY: "RESCHEDULE"}
_SITE_VARIABLES = {"OSMO_CONFIG_FILE_DIR", "NVIDIA_VISIBLE_DEVICES"}
CODES = range(4100)


def bytes_of(text: str | None) -> int | None:
    if text is None:
        return None
    number = re.match(r"[0-9.]+", text)[0]
    return int(float(number) * _BYTES[text[len(number) :]])


def seconds_of(value: Any) -> float:
    if not isinstance(value, str):
        return float(value)
    plain = re.fullmatch(r"\s*(-?[\d_]+)\s*([a-z]+)", value)
    if plain:
        return int(plain[1]) * _SECONDS[plain[2]]
    days, hours, minutes, rest = re.fullmatch(r"P(?:(\d+)D)?T?(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?", value).groups()
    return int(days or 0) * 86400 + int(hours or 0) * 3600 + int(minutes or 0) * 60 + float(rest or 0)


def expand_kubernetes(text: str, known: set[str]) -> str:
    """Do what Kubernetes' own expansion does, with `<NAME>` for a variable's value."""
    out, at = [], 0
    while at < len(text):
        if text.startswith("$$", at):
            out.append("$")
            at += 2
        elif text.startswith("$(", at) and (end := text.find(")", at)) > 0 and text[at + 2 : end] in known:
            out.append(f"<{text[at + 2 : end]}>")
            at = end + 1
        else:
            out.append(text[at])
            at += 1
    return "".join(out)


# what OSMO says


def theirs(spec: dict[str, Any]) -> dict[str, Any]:
    """Give the meaning of a `spec` of the corpus."""
    return {
        "name": spec["name"],
        "labels": spec["labels"],
        "depends_on": {name: sorted(needs) for name, needs in spec["depends_on"].items()},
        "timeouts": (spec["timeout_seconds"]["exec"], spec["timeout_seconds"]["queue"]),
        "groups": {group["name"]: _their_group(group) for group in spec["groups"]},
    }


def _their_group(group: dict[str, Any]) -> dict[str, Any]:
    return {
        "barrier": group["barrier"],
        "ignore": group["ignoreNonleadStatus"],
        "lead": [task["name"] for task in group["tasks"] if task["lead"]],
        "tasks": {task["name"]: _their_task(task) for task in group["tasks"]},
    }


def _their_task(task: dict[str, Any]) -> dict[str, Any]:
    variables = {name for use in task["credentials"].values() if isinstance(use, dict) for name in use}
    known = {*task["environment"], *variables, *_SITE_VARIABLES}
    environment: dict[str, str] = {}
    for name in sorted(task["environment"]):
        environment[name] = expand_kubernetes(task["environment"][name], {*environment, *_SITE_VARIABLES})
    resources = task["resources"]
    return {
        "command": [expand_kubernetes(word, known) for word in (*task["command"], *task["args"])],
        "image": task["image"],
        "environment": environment,
        "files": [(file["path"], file["contents"], file["base64"]) for file in task["files"]],
        "exits": _their_exits(task["exitActions"]),
        "checkpoint": [
            (
                "/" + point["path"].removeprefix("/"),
                point["url"],
                seconds_of(point["frequency"]),
                point["regex"] or None,
            )
            for point in task["checkpoint"]
        ],
        "credentials": task["credentials"],
        "inputs": [_their_data(item) for item in task["inputs"]],
        "outputs": [_their_data(item) for item in task["outputs"]],
        "cpu": resources["cpu"] or None,
        "gpu": resources["gpu"] or None,
        "memory": bytes_of(resources["memory"]),
        "storage": bytes_of(resources["storage"]),
        "platform": resources["platform"],
        "nodes": resources["nodesExcluded"],
        "topology": [(item["key"], item["group"], item["requirementType"]) for item in resources["topology"]],
        "mounts": task["volumeMounts"],
        "rights": (task["privileged"], task["hostNetwork"]),
    }


def _their_exits(actions: dict[str, str]) -> dict[int, str]:
    found: dict[int, str] = {}
    for action in ("FAIL", "COMPLETE", "RESCHEDULE"):
        for written, codes in actions.items():
            if written.upper() == action:
                for part in codes.split(","):
                    low, *_, high = (part + "-" + part).split("-") if "-" not in part else part.split("-")
                    for code in range(int(low), int(high) + 1):
                        found.setdefault(code, action)
    return {code: action for code, action in found.items() if code in CODES}


def _their_data(item: dict[str, Any]) -> Any:
    if "task" in item:
        return ("task", item["task"], item["regex"] or None)
    if "url" in item:
        return ("url", item["url"], item["regex"] or None)
    if "dataset" in item:
        data = item["dataset"]
        details = (data["path"] or None, data["localpath"], tuple(data["metadata"]), tuple(data["labels"]))
        return ("dataset", _in_bucket(data["name"]), data["regex"] or None, *details)
    data = item["update_dataset"]
    details = (tuple(data["paths"]), tuple(data["metadata"]), tuple(data["labels"]))
    return ("update_dataset", _in_bucket(data["name"]), *details)


def _in_bucket(name: str) -> str:
    """Put a dataset without a bucket into the judge's, and take the tag off that every name has in the end."""
    return name if "/" in name else f"oracle/{name}"


# what we say


class Ours:
    """The meaning of a workflow of ours, with its parameters at their defaults."""

    def __init__(self, workflow: Workflow) -> None:
        workflow = unrolled(workflow)
        self.workflow = workflow
        self.values = dict(_leaves(workflow.inputs, ()))
        self.gangs = gang_of(workflow)
        self.classes = {record.name: record for record in workflow.resources}

    def meaning(self) -> dict[str, Any]:
        """Give it in the form of `theirs`."""
        found = units(self.workflow)
        timeouts = {(self._limit(unit.run_timeout), self._limit(unit.queue_timeout)) for unit in found}
        assert len(timeouts) == 1
        assert all(task.run_timeout is None for task in self.workflow.tasks if task.name in self.gangs)
        assert not any(task.needs for task in self.workflow.tasks if task.name in self.gangs)
        return {
            "name": self.workflow.name,
            "labels": dict(self.workflow.labels),
            "depends_on": {self._group(unit): sorted(self._parents(unit)) for unit in found},
            "timeouts": timeouts.pop(),
            "groups": {self._group(unit): self._unit(unit) for unit in found},
        }

    def _limit(self, value: Any) -> float:
        return min(SITE_LIMIT, self.number(value) or SITE_LIMIT)

    def _group(self, unit: Task | Gang) -> str:
        return unit.name if isinstance(unit, Gang) else f"{unit.name}-group"

    def _parents(self, unit: Task | Gang) -> Iterator[str]:
        by_name = {other.name: other for other in units(self.workflow)}
        for edge in unit.needs:
            yield self._group(by_name[edge.parent])

    def _unit(self, unit: Task | Gang) -> dict[str, Any]:
        gang = unit if isinstance(unit, Gang) else Gang(name="", members=(unit.name,), lead=unit.name)
        by_name = {task.name: task for task in self.workflow.tasks}
        return {
            "barrier": gang.barrier,
            "ignore": gang.status is GangStatus.LEAD,
            "lead": [gang.lead],
            "tasks": {name: self._task(by_name[name], self._group(unit)) for name in gang.members},
        }

    def _task(self, task: Task, group: str) -> dict[str, Any]:
        (step,) = task.steps
        assert task.container is not None
        record = self.classes.get(task.resources or "", Resources(name=""))

        def text(template: Template) -> str:
            return self.text(template, group)

        return {
            "command": [text(word) for word in step.work.arguments],
            "image": text(task.container.image),
            "environment": {variable.name: text(variable.value) for variable in task.environment},
            "files": [(text(file.path), text(file.contents), file.encoded) for file in task.files],
            "exits": self._exits(task),
            "checkpoint": [
                (text(point.path), text(point.url), self.number(point.interval), point.pattern)
                for point in task.checkpoints
            ],
            "credentials": {
                secret.name: dict(secret.variables) if secret.folder is None else text(secret.folder)
                for secret in task.secrets
            },
            "inputs": [self._data(read.origin, read.pattern, text) for read in task.reads],
            "outputs": [self._data(write.destination, write.pattern, text) for write in task.writes],
            "cpu": self.number(record.cpus),
            "gpu": self.number(record.gpus),
            "memory": self.number(record.memory),
            "storage": self.number(record.storage),
            "platform": "default" if record.platform is None else text(record.platform),
            "nodes": list(record.exclude_nodes),
            "topology": [(t.key, t.group, "required" if t.required else "preferred") for t in record.topology],
            "mounts": list(task.container.mounts),
            "rights": (task.container.privileged, task.container.host_network),
        }

    def _exits(self, task: Task) -> dict[int, str]:
        found: dict[int, str] = {}
        for rule in task.exit_rules:
            for low, high in rule.codes:
                for code in range(low, high + 1):
                    found.setdefault(code, _ACTIONS[rule.action])
        return {code: action for code, action in found.items() if code in CODES}

    def _data(self, end: Any, pattern: str | None, text: Any) -> Any:
        match end:
            case TaskOutput():
                return ("task", f"{end.run}:{end.task}" if end.run else end.task, pattern)
            case Url():
                return ("url", text(end.url), pattern)
            case Dataset() if end.update is not None:
                paths = tuple(text(path) for path in end.update)
                return ("update_dataset", _in_bucket(text(end.name)), paths, end.metadata, end.labels)
            case Dataset():
                path = text(end.path) if end.path is not None else None
                details = (path, end.local_path, end.metadata, end.labels)
                return ("dataset", _in_bucket(text(end.name)), pattern, *details)

    def text(self, template: Template, group: str) -> str:
        """Fill a template as OSMO fills its tokens."""
        return template.fill(lambda hole: str(self._hole(hole, group)))

    def _hole(self, hole: Any, group: str) -> Any:
        match hole:
            case Ref(root=Root.OUTPUT_FOLDER, path=()):
                return "/osmo/data/output"
            case Ref(root=Root.READ_FOLDER, path=(number,)):
                return f"/osmo/data/input/{number}"
            case Ref(root=Root.RUN_ID):
                return f"{self.workflow.name}-1"
            case Ref(root=Root.HOST, path=(task,)):
                return f"uuid({task}).osmo-uuid({group}).osmo.svc.cluster.local"
            case Ref(root=Root.ENVIRONMENT, path=(name,)):
                return f"<{name}>"
            case Ref(root=Root.INPUT, path=path):
                return self.values[path]
        assert {ref.root for ref in refs(hole)} == {Root.INPUT}
        return as_text(evaluate(hole, Bindings({Root.INPUT: default_values(self.workflow.inputs)})))

    def number(self, value: Any) -> Any:
        """Give a number, worked out where it is an expression over a parameter."""
        match value:
            case Ref(root=Root.INPUT, path=path):
                return int(self.values[path])
            case Call(function="duration", arguments=(Ref(path=path),)):
                return seconds_of(self.values[path])
            case Call(function="quantity", arguments=(Ref(path=path),)):
                return bytes_of(str(self.values[path]))
            case Binary(operator="*", left=left, right=Literal(value=factor)):
                return self.number(left) * factor
        return value


def _leaves(inputs: tuple[Input, ...], prefix: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for item in inputs:
        if item.items:
            yield from _leaves(item.items, (*prefix, item.name))
        else:
            yield (*prefix, item.name), item.default
