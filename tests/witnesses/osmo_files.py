"""Strategies for OSMO specifications, as the plain data of their YAML, and for what happens to them."""

from __future__ import annotations

from typing import Any

import yaml
from hypothesis import strategies as st

from pwxc.semantics.environment import Fact, Fails, Queues, Scenario, SiteRetries, Stages, Takes

NAMES = ("alpha", "Beta_2", "gamma-3", "delta", "eps", "zeta", "eta", "theta")
CODES = (0, 1, 2, 5, 137)


def text_of(data: dict[str, Any]) -> str:
    """Give the file; a time that a parameter gives stands there without quotes, so that it may be a number."""
    return yaml.safe_dump(data, sort_keys=False).replace("'{{ long }}'", "{{ long }}")


def _one_in(number: int) -> st.SearchStrategy[bool]:
    return st.integers(1, number).map(lambda drawn: drawn == number)


@st.composite
def files(draw: st.DrawFn) -> dict[str, Any]:
    """Give a file with tasks, or with groups of one to three tasks."""
    workflow: dict[str, Any] = {"name": "w"}
    file: dict[str, Any] = {"workflow": workflow}
    if draw(_one_in(3)):
        file["default-values"] = {
            "long": draw(st.sampled_from([3, 5, "4s"])),
            "word": draw(_words()),
            "n": draw(st.sampled_from([2, 1.0, 1e-5])),
            "flag": draw(st.booleans()),
        }
    templated = "default-values" in file
    above: list[str] = []
    if draw(st.booleans()):
        workflow["tasks"] = [
            draw(_tasks(name, [name], above[:at], templated)) for at, name in enumerate(_some(draw, above))
        ]
    else:
        _some(draw, above)
        workflow["groups"] = groups = []
        done = 0
        while done < len(above):
            members = above[done : done + draw(st.integers(1, 3))]
            groups.append(draw(_groups(f"group-{done}", members, above[:done], templated)))
            done += len(members)
    if draw(_one_in(2)):
        lengths = [*(3, "4s", 0, "PT5S", 2.5), *(["{{ long }}"] if templated else [])]
        workflow["timeout"] = {
            key: draw(st.sampled_from(lengths)) for key in ("exec_timeout", "queue_timeout") if draw(st.booleans())
        }
    return file


def _some(draw: st.DrawFn, above: list[str]) -> list[str]:
    above.extend(NAMES[: draw(st.integers(1, 6))])
    return list(above)


def _words() -> st.SearchStrategy[str]:
    return st.sampled_from(["x", "two words", "$y", "7"])


@st.composite
def _groups(draw: st.DrawFn, name: str, members: list[str], above: list[str], templated: bool) -> dict[str, Any]:
    lead = draw(st.sampled_from(members))
    group: dict[str, Any] = {"name": name, "tasks": []}
    for member in members:
        task = draw(_tasks(member, members, above, templated))
        if member == lead:
            task["lead"] = draw(st.sampled_from([True, "yes", 1]))
        group["tasks"].append(task)
    if draw(_one_in(3)):
        group["barrier"] = False
    if draw(_one_in(2)):
        group["ignoreNonleadStatus"] = False
    return group


@st.composite
def _tasks(draw: st.DrawFn, name: str, members: list[str], above: list[str], templated: bool) -> dict[str, Any]:
    task: dict[str, Any] = {"name": name, "image": "ubuntu:22.04", "command": ["bash"]}
    chosen = draw(st.lists(st.sampled_from(above), max_size=2, unique=True)) if above else []
    inputs = [{"task": parent} | ({"regex": ".*[.]pt"} if draw(_one_in(4)) else {}) for parent in chosen]
    if draw(_one_in(4)):
        inputs.insert(draw(st.integers(0, len(inputs))), {"url": "s3://bucket/data"})
    texts = ["plain", "{{output}}/x", "it's", "a b", "$$HOME", "$(WHO)", "$(OTHER)", "{{workflow_id}}", "{{uuid}}"]
    texts += [f"{{{{input:{at}}}}}/f" for at in range(len(inputs) + 1)] + [f"{{{{host:{each}}}}}" for each in members]
    texts += [f"{{{{input:{each['task']}}}}}" for each in inputs if "task" in each]
    texts += ["--w={{ word }}", "{{ n }}", "-f {{ flag }}", "{{ flag }}"] if templated else []
    argument = st.sampled_from(texts)
    if draw(_one_in(2)):
        task["args"] = [f"/tmp/{name}.sh", *draw(st.lists(argument, max_size=3))]
    if inputs:
        task["inputs"] = inputs
    if draw(_one_in(3)):
        task["environment"] = {"WHO": draw(argument), "ALSO": "x", "Z": draw(st.sampled_from(["$(WHO)", True, 5]))}
    if draw(_one_in(5)):
        task["credentials"] = {"store": draw(st.sampled_from([{"OTHER": "key"}, "/secrets"]))}
    if draw(_one_in(4)):
        task["outputs"] = [{"url": "s3://bucket/{{workflow_id}}"} | ({"regex": "a"} if draw(_one_in(2)) else {})]
    if draw(_one_in(5)):
        every = draw(st.sampled_from([60, "5m", "PT1H"]))
        task["checkpoint"] = [{"path": draw(st.sampled_from(["/w", "w"])), "url": "s3://bucket/c", "frequency": every}]
    if draw(_one_in(4)):
        task["files"] = [{"path": f"/tmp/{name}.sh", "contents": f"run {draw(argument)}\n"}]
    if draw(_one_in(2)):
        task["exitActions"] = draw(_exit_actions())
    return task


def _exit_actions() -> st.SearchStrategy[dict[str, Any]]:
    codes = st.sampled_from([1, "1", "0", "1,5", "2-137", "0-255", "5-2"])
    return st.fixed_dictionaries({}, optional={"RESCHEDULE": codes, "complete": codes, "FAIL": codes})


@st.composite
def happenings(draw: st.DrawFn, names: list[str]) -> Scenario:
    """Give an environment for tasks of these names."""
    name = st.sampled_from(names)
    fact: st.SearchStrategy[Fact] = st.one_of(
        st.builds(
            Fails,
            task=name,
            codes=st.lists(st.sampled_from(CODES), min_size=1, max_size=3).map(tuple),
            goes_on=st.booleans(),
        ),
        st.builds(Takes, task=name, seconds=st.sampled_from([0.5, 2.0, 3.0, 31.0])),
        st.builds(Queues, task=name, seconds=st.sampled_from([2.0, 3.0, 10.0])),
        st.builds(Stages, task=name, seconds=st.sampled_from([1.0, 2.0, 10.0])),
        st.builds(SiteRetries, count=st.integers(1, 2)),
    )
    return Scenario(draw(st.lists(fact, max_size=6)))
