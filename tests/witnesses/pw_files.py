"""Strategies for ACTIVATE workflow files, as the plain data of their YAML, and for what happens to them."""

from __future__ import annotations

from typing import Any

import yaml
from hypothesis import strategies as st

from pwxc.semantics.environment import Fact, Fails, Given, Publishes, Scenario, Takes

NAMES = ("a", "b", "c", "d", "e")
_TIMES = st.sampled_from(["1", "3s", 2, "10m", "${{ inputs.n }}"])


def _hole(expression: str) -> str:
    return "${{ " + expression + " }}"


def text_of(data: dict[str, Any]) -> str:
    """Give the file."""
    return yaml.safe_dump(data, sort_keys=False)


def _one_in(number: int) -> st.SearchStrategy[bool]:
    """Say yes once in so many times; an example that fails shrinks to no."""
    return st.integers(1, number).map(lambda drawn: drawn == number)


@st.composite
def files(draw: st.DrawFn) -> dict[str, Any]:
    """Give a workflow file of up to five jobs; their order in the file is any."""
    names = NAMES[: draw(st.integers(1, 5))]
    jobs: dict[str, Any] = {}
    for at, name in enumerate(names):
        jobs[name] = draw(_jobs(name, {parent: jobs[parent] for parent in names[:at]}))
    file: dict[str, Any] = {"on": {"execute": {"inputs": draw(_forms())}}}
    if draw(st.booleans()):
        file["env"] = {"MODE": draw(st.sampled_from(["fast", _hole("inputs.word"), 3])), "WHO": "w"}
    if draw(_one_in(6)):
        file["timeout"] = draw(st.sampled_from(["3s", "5", "1m"]))
    file["jobs"] = dict(draw(st.permutations(list(jobs.items()))))
    return file


@st.composite
def _forms(draw: st.DrawFn) -> dict[str, Any]:
    flag = st.sampled_from([True, False, _hole("inputs.n > 1"), _hole("inputs.word == 'x'")])
    form: dict[str, Any] = {
        "n": {"type": "number", "default": draw(st.integers(0, 3))},
        "flag": {"type": "boolean", "default": draw(flag)},
        "word": {"type": "dropdown", "options": [{"value": "x"}, "y"]},
        "site": {"type": "compute-clusters"},
    }
    if draw(st.booleans()):
        form["word"]["hidden"] = draw(flag)
        form["word"]["ignore"] = draw(st.sampled_from([_hole(".hidden"), False, _hole("inputs.flag")]))
        if form["flag"]["default"] == _hole("inputs.word == 'x'"):
            form["flag"]["default"] = True
    return form


@st.composite
def _jobs(draw: st.DrawFn, name: str, above: dict[str, Any]) -> dict[str, Any]:
    chosen = draw(st.lists(st.sampled_from(sorted(above)), max_size=3, unique=True)) if above else []
    matrix = draw(_matrices()) if draw(_one_in(4)) else None
    readable = [parent for parent in chosen if "strategy" not in above[parent]]
    values = _values(readable, above, matrix)
    job: dict[str, Any] = {}
    if chosen:
        swept = {parent for parent in chosen if "strategy" in above[parent]}
        needs = [f"{each}:any" if each in swept and draw(st.booleans()) else each for each in chosen]
        job["needs"] = needs[0] if len(needs) == 1 and draw(_one_in(4)) else needs
    if draw(st.booleans()):
        job["if"] = draw(_conditions(values))
    if matrix is not None:
        job["strategy"] = matrix
    if draw(_one_in(6)):
        job["timeout"] = draw(_TIMES)
    if draw(_one_in(4)):
        job["env"] = {"MODE": _hole(draw(values)), "OWN": "1"}
    if draw(_one_in(5)):
        job["working-directory"] = f"/run/{_hole(draw(values))}"
    steps: list[dict[str, Any]] = []
    for at in range(draw(st.integers(1, 3))):
        ids = [step["id"] for step in steps if "id" in step]
        own = values | st.sampled_from([f"needs.{name}.steps.{each}.outputs.k" for each in ids]) if ids else values
        steps.append(draw(_steps(at, own)))
    job["steps"] = steps
    if draw(_one_in(8)):
        job["cleanup"] = [{"run": f"sweep {_hole(draw(values))}"}]
    ids = [step["id"] for step in steps if "id" in step]
    if ids and draw(_one_in(2)):
        job["outputs"] = {"k": _hole(f"needs.{name}.steps.{ids[-1]}.outputs.k")}
    return job


def _values(parents: list[str], above: dict[str, Any], matrix: dict[str, Any] | None) -> st.SearchStrategy[str]:
    """Give expressions of one value."""
    found = ["inputs.n", "inputs.flag", "inputs.word", "inputs.site.ip", "env.MODE", "'x'", "2", "inputs.n + 1"]
    found += ["inputs.flag && 'on' || 'off'", "inputs.word != y ? inputs.n : 7", "inputs.nothing ?? 4"]
    if matrix is not None:
        found += ["matrix.v", "matrix.w", "[5, 6, 7] get matrix.v"]
    for parent in parents:
        found.append(f"needs.{parent}.outputs.k")
        found += [f"needs.{parent}.steps.{each['id']}.outputs.k" for each in above[parent]["steps"] if "id" in each]
    return st.sampled_from(found)


@st.composite
def _conditions(draw: st.DrawFn, values: st.SearchStrategy[str]) -> Any:
    word = draw(
        st.sampled_from(
            [
                *("always", "never", "completed", "error", "canceled", "!completed", "!error", "!canceled"),
                *("success()", "failure()", "cancelled()", "always()", "error || canceled", "!(error || canceled)"),
            ]
        )
    )
    test = draw(st.sampled_from(["{}", "{} == 2", "{} !== 'x'", "{} === '1'", "!{}"])).format(f"({draw(values)})")
    if draw(_one_in(10)):  # has no value where a text is compared
        return draw(st.sampled_from(["{}", "always && {}", "error && {}", "completed && {}"])).format(
            f"{draw(values)} < 2"
        )
    return draw(
        st.sampled_from(
            [
                *(word, word, _hole(word), _hole(test), test, _hole(f"{word} && {test}"), f"{test} && {word}"),
                *(f"{word} || {test}", _hole(f"{test} ? {word} : never"), f"completed && {test}", True, False),
                _hole(f"{test} && always && inputs.flag"),
            ]
        )
    )


@st.composite
def _matrices(draw: st.DrawFn) -> dict[str, Any]:
    matrix: dict[str, Any] = {"v": draw(st.lists(st.integers(0, 3), max_size=3, unique=True))}
    if draw(st.booleans()):
        matrix["w"] = draw(st.sampled_from([["x", "y"], [1, "z"], _hole("[inputs.n, 9]"), _hole("[1, 2, 3] get 0:2")]))
    if draw(_one_in(3)):
        matrix["exclude"] = [{"v": draw(st.integers(0, 3))}]
    if draw(_one_in(3)):
        matrix["include"] = draw(st.sampled_from([[{"v": 1, "more": "m"}], [{"v": 8, "w": "x"}], [{"more": 1}]]))
    strategy: dict[str, Any] = {"matrix": matrix}
    if draw(st.booleans()):
        strategy["fail-fast"] = draw(st.sampled_from([True, False, _hole("inputs.flag")]))
    if draw(st.booleans()):
        strategy["max-parallel"] = draw(st.sampled_from([1, 2, _hole("inputs.n + 1")]))
    return strategy


@st.composite
def _steps(draw: st.DrawFn, at: int, values: st.SearchStrategy[str]) -> dict[str, Any]:
    def sometimes(one_in: int) -> bool:
        return draw(_one_in(one_in))

    step: dict[str, Any] = {}
    text = f"step {at}" + "".join(f" {_hole(draw(values))}" for _ in range(draw(st.integers(0, 2))))
    if sometimes(6):
        step |= {"uses": "workflow/other", "with": {"given": text, "list": [1, _hole(draw(values))]}}
    else:
        step["run"] = text
    if sometimes(3):
        step["id"] = f"s{at}"
    if sometimes(3):
        step["if"] = draw(_conditions(values))
    if sometimes(3):
        step["early-cancel"] = "any-job-failed"
    if sometimes(4):
        step["cleanup"] = f"clean {at} {_hole(draw(values))}"
    if sometimes(5):
        step["ignore-errors"] = draw(st.sampled_from([True, False, _hole("inputs.flag")]))
    if sometimes(5):
        step["timeout"] = draw(_TIMES)
    if sometimes(4):
        step["env"] = {"MODE": f"step-{_hole(draw(values))}"}
    if sometimes(4):
        step["retry"] = draw(_retries())
        step |= {"run": f"{text} try {_hole('env.PW_WORKFLOW_STEP_CURRENT_RETRY')}"} if "run" in step else {}
    return step


def _retries() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {},
        optional={
            "max-retries": st.sampled_from([0, 1, 2, _hole("inputs.n")]),
            "interval": st.sampled_from(["1s", "10s", 0, _hole("inputs.n")]),
            "timeout": st.sampled_from(["1s", "5m", _hole("inputs.n + 1")]),
        },
    )


@st.composite
def happenings(draw: st.DrawFn, names: list[str]) -> Scenario:
    """Give an environment for jobs of these names."""
    name = st.sampled_from(names)
    index = st.none() | st.integers(0, 2)
    fact: st.SearchStrategy[Fact] = st.one_of(
        st.builds(
            Fails,
            task=name,
            index=index,
            step=st.integers(0, 2),
            codes=st.lists(st.sampled_from([1, 2, 137]), min_size=1, max_size=3).map(tuple),
            goes_on=st.booleans(),
        ),
        st.builds(Takes, task=name, seconds=st.sampled_from([0.5, 2.0, 4.0, 31.0, 700.0]), index=index),
        st.builds(Publishes, task=name, key=st.just("k"), value=st.sampled_from([0, 2, "x", ""])),
        st.builds(Given, path=st.just(("flag",)), value=st.booleans()),
        st.builds(Given, path=st.just(("n",)), value=st.integers(0, 3)),
        st.builds(Given, path=st.just(("word",)), value=st.sampled_from(["x", "y", "z"])),
    )
    return Scenario(draw(st.lists(fact, max_size=6)))
