"""Strategies for specifications of torc, and for worlds to run them in.

Names are chosen so that patterns can catch too much or too little: `a1`, `a1_2` and `ba1` are all about.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import attrs
from hypothesis import strategies as st

from pwxc.semantics.environment import Fact, Fails, Takes
from pwxc.semantics.trace import Instance

VALUES = {
    "n": ["1:3", "3:1:-2", "[2,10]", "7", "0:4:2"],
    "x": ["0.5:1.5:0.5", "[0.125,2.675]", "[1e-05,3.0]"],
    "t": ["['a','b']", "[u, v w]", '["1","2"]'],
}
FORMS = {"n": ["{n}", "{n:02d}", "{n:.1f}"], "x": ["{x}", "{x:.2f}", "{x:03d}"], "t": ["{t}", "{t:02d}"]}
CODES = [1, 2, 3, 7]
TRIGGERS = ["on_jobs_ready", "on_jobs_complete", "on_workflow_start", "on_workflow_complete", "on_worker_start"]


@attrs.frozen
class Record:
    """A job or a file as far as others need to know it: its name with tokens, and its parameters."""

    stem: str
    name: str
    parameters: dict[str, str]


@st.composite
def specs(draw: st.DrawFn) -> dict[str, Any]:
    """Give a specification; most are taken by the reader, some name what is not there."""
    shared = {name: draw(st.sampled_from(VALUES[name])) for name in draw(st.sets(st.sampled_from("nxt"), max_size=2))}
    spec: dict[str, Any] = {"name": "w"}
    if shared:
        spec["parameters"] = shared
    if draw(st.booleans()):
        spec["env"] = {"ALL": draw(st.sampled_from(["1", "{n}", "{t}-{x}"]))}
    files = _files(draw, spec, shared)
    data = _data(draw, spec)
    _blocks(draw, spec)
    jobs: list[Record] = []
    spec["jobs"] = []
    for number in range(draw(st.integers(1, 5))):
        record, job = _job(draw, spec, shared, number, jobs, files, data)
        spec["jobs"].append(job)
        jobs.append(record)
    order = draw(st.permutations(range(len(jobs))))
    spec["jobs"] = [spec["jobs"][at] for at in order]
    spec["actions"] = [_action(draw, jobs) for _ in range(draw(st.integers(0, 2)))]
    return spec


def _sweep(draw: st.DrawFn, owner: dict[str, Any], shared: dict[str, str]) -> dict[str, str]:
    """Give a record parameters, shared or of its own; gives them back."""
    kind = draw(st.sampled_from(["none", "shared", "own", "zip"]))
    if kind == "shared" and shared:
        owner["use_parameters"] = draw(st.lists(st.sampled_from(sorted(shared)), min_size=1, unique=True))
        return {name: shared[name] for name in owner["use_parameters"]}
    if kind == "own":
        names = draw(st.lists(st.sampled_from("nxt"), min_size=1, max_size=2, unique=True))
        owner["parameters"] = {name: draw(st.sampled_from(VALUES[name])) for name in names}
        return dict(owner["parameters"])
    if kind == "zip":
        owner["parameters"] = {"n": "[4,5]", "t": "['a','b']"}
        owner["parameter_mode"] = "zip"
        return dict(owner["parameters"])
    return {}


def _named(draw: st.DrawFn, stem: str, parameters: dict[str, str], *, odd: bool = False) -> str:
    """Give a name that tells the instances apart, rarely one that does not."""
    told = [name for name in parameters if not odd or draw(st.integers(0, 9))]
    return stem + "".join("_" + draw(st.sampled_from(FORMS[name][:2])) for name in told)


def _files(draw: st.DrawFn, spec: dict[str, Any], shared: dict[str, str]) -> list[Record]:
    found = []
    for number in range(draw(st.integers(0, 2))):
        file: dict[str, Any] = {}
        parameters = _sweep(draw, file, shared)
        file["name"] = _named(draw, f"f{number}", parameters)
        file["path"] = "out/" + file["name"] + ".nc"
        spec.setdefault("files", []).append(file)
        found.append(Record(f"f{number}", file["name"], parameters))
    return found


def _data(draw: st.DrawFn, spec: dict[str, Any]) -> list[Record]:
    if not draw(st.booleans()):
        return []
    spec["user_data"] = [{"name": "u0", "data": {"b": [1, "x"], "a": 2.5}}, {"name": "u1"}]
    return [Record("u0", "u0", {}), Record("u1", "u1", {})]


def _blocks(draw: st.DrawFn, spec: dict[str, Any]) -> None:
    """Add failure handlers and resource records."""
    rules = st.fixed_dictionaries(
        {},
        optional={
            "exit_codes": st.lists(st.sampled_from([*CODES, 0]), max_size=2, unique=True),
            "match_all_exit_codes": st.booleans(),
            "max_retries": st.integers(0, 4),
            "recovery_script": st.sampled_from(["./fix", "echo {n}"]),
        },
    )
    if draw(st.booleans()):
        spec["failure_handlers"] = [{"name": "h", "rules": draw(st.lists(rules, max_size=3))}]
    if draw(st.booleans()):
        spec["resource_requirements"] = [
            {"name": name, "num_cpus": 1, "memory": "1g", **({"runtime": runtime} if runtime else {})}
            for name, runtime in (("r1", "PT4S"), ("r2", "PT1M40S"), ("r3", None))
        ]


def _job(
    draw: st.DrawFn,
    spec: dict[str, Any],
    shared: dict[str, str],
    number: int,
    jobs: Sequence[Record],
    files: Sequence[Record],
    data: Sequence[Record],
) -> tuple[Record, dict[str, Any]]:
    job: dict[str, Any] = {}
    parameters = _sweep(draw, job, shared)
    stem = draw(st.sampled_from([f"a{number}", f"ba{number}"]))
    job["name"] = _named(draw, stem, parameters, odd=True)
    words = ["run", *(draw(st.sampled_from(FORMS[name])) for name in parameters), "{z}"]
    if draw(st.integers(0, 3)) == 0:
        job["invocation_script"] = draw(st.sampled_from(["env A=1", "set -e\ncd x\n", "in {n}"]))
    if draw(st.integers(0, 3)) == 0:
        job["env"] = {"OWN": draw(st.sampled_from(["v", "{n}", "{x:.2f}"])), "ALL": "mine"}
    if draw(st.booleans()):
        job["cancel_on_blocking_job_failure"] = draw(st.booleans())
    if "failure_handlers" in spec and draw(st.booleans()):
        job["failure_handler"] = "h"
    if "resource_requirements" in spec and draw(st.booleans()):
        choices = ["r1", "r2", "r3", *(["r{n}"] if parameters.get("n") == "1:3" else [])]
        job["resource_requirements"] = draw(st.sampled_from(choices))
    for other in draw(st.lists(st.sampled_from(jobs), max_size=2, unique_by=id)) if jobs else []:
        key, text = _reference(draw, other, parameters, ("depends_on", "depends_on_regexes"))
        if text not in job.setdefault(key, []):
            job[key].append(text)
    _use_items(draw, job, words, parameters, files, data)
    job["command"] = " ".join(words)
    return Record(stem, job["name"], parameters), job


def _use_items(
    draw: st.DrawFn,
    job: dict[str, Any],
    words: list[str],
    parameters: dict[str, str],
    files: Sequence[Record],
    data: Sequence[Record],
) -> None:
    """Let a job read and write files and data: by lists, patterns and variables of the command."""
    items = [("file", each) for each in files] + [("user_data", each) for each in data]
    for kind, item in (
        draw(st.lists(st.sampled_from(items), max_size=2, unique_by=lambda pair: pair[1].stem)) if items else []
    ):
        way = draw(st.sampled_from(["input", "output"]))
        exact = f"{way}_files" if kind == "file" else f"{way}_user_data"
        pattern = f"{way}_file_regexes" if kind == "file" else f"{way}_user_data_regexes"
        key, text = _reference(draw, item, parameters, (exact, pattern))
        if key == exact and draw(st.booleans()):
            words.append(f"${{{'files' if kind == 'file' else kind}.{way}.{text}}}")
        elif text not in job.setdefault(key, []):
            job[key].append(text)


def _reference(draw: st.DrawFn, other: Record, parameters: dict[str, str], keys: tuple[str, str]) -> tuple[str, str]:
    """Name another record: as it is written, one of its instances, or by a pattern."""
    exact, pattern = keys
    fits = all(parameters.get(name) == values for name, values in other.parameters.items())
    kinds = ["pattern", "loose", "narrow", *(["exact"] * 3 if fits else []), *(["one"] if other.parameters else [])]
    match draw(st.sampled_from(kinds)):
        case "exact":
            return exact, other.name
        case "one":
            return exact, _instance(draw, other)
        case "pattern":
            return pattern, f"^{other.stem}(_|$)"
        case "loose":
            return pattern, draw(st.sampled_from([other.stem, f"{other.stem}$", other.stem[-2:]]))
        case _:
            return pattern, f"^{other.stem}" + draw(st.sampled_from(["_.*[13]$", "_[a1]", "_0", ".*5"]))


def _instance(draw: st.DrawFn, other: Record) -> str:
    from tests.witnesses.torc_values import filled, values_of

    row = {name: draw(st.sampled_from(values_of(raw))) for name, raw in other.parameters.items()}
    return filled(other.name, row)


def _action(draw: st.DrawFn, jobs: Sequence[Record]) -> dict[str, Any]:
    trigger = draw(st.sampled_from(TRIGGERS))
    action: dict[str, Any] = {"trigger_type": trigger, "action_type": "run_commands", "commands": ["echo {n}", trigger]}
    if trigger.startswith("on_jobs_"):
        for other in draw(st.lists(st.sampled_from(jobs), min_size=1, max_size=2, unique_by=id)):
            if draw(st.booleans()):
                action.setdefault("jobs", []).append(_instance(draw, other))
            else:
                texts = [f"^{other.stem}(_|$)", other.stem, f"^{other.stem}_.*1", "[a-z]$", "n"]
                action.setdefault("job_name_regexes", []).append(draw(st.sampled_from(texts)))
    return action


def text_of(spec: dict[str, Any]) -> str:
    """Give the text of a specification, in JSON."""
    return json.dumps(spec, indent=1)


@st.composite
def happenings(draw: st.DrawFn, instances: Sequence[Instance]) -> list[Fact]:
    """Give what happens to some instances: codes of their attempts, and how long they take."""
    found: list[Fact] = []
    for instance in draw(st.lists(st.sampled_from(list(instances)), max_size=4, unique=True)) if instances else []:
        codes = draw(st.lists(st.sampled_from([*CODES, 0]), min_size=1, max_size=3))
        found.append(Fails(instance.task, instance.index, codes=tuple(codes), goes_on=draw(st.booleans())))
        if draw(st.booleans()):
            seconds = draw(st.sampled_from([0.0, 2.0, 4.0, 4.5, 100.0, 101.0, 3601.0]))
            found.append(Takes(instance.task, seconds, instance.index))
    return found
