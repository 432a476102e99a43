"""The lowering of ACTIVATE files against an interpreter of the files themselves.

The tables are the reference's own rules, worked out by hand; the properties and the corpus hold the two against each
other where nobody has worked anything out.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from outcomes import differences, states
from pw_files import files, happenings, text_of
from pw_witness import witness

from pwxc.diagnostics import Diagnostics
from pwxc.ir.workflow import Workflow
from pwxc.registry import ReadSettings
from pwxc.semantics.environment import Fact, Fails, Given, Publishes, Scenario, Takes
from pwxc.semantics.machine import execute
from pwxc.source import Source
from pwxc_targets.pw import model
from pwxc_targets.pw.read import read
from pwxc_targets.pw.reading.surface import read_model

CORPUS = Path(os.environ.get("PWXC_CORPUS", Path(__file__).parents[3] / "shared" / "corpus")) / "pw"
LOOKED_INTO = frozenset({"job_runner", "script_submitter", "session_runner", "scheduler-agent", "wait-for-agent"})
"""Calls that the compiler takes apart, so that the steps of the two sides are not the same ones."""


def both(text: str, name: str = "file.yaml") -> tuple[model.PwWorkflow, Workflow] | None:
    """Read a text as it is written and as the compiler lowers it; None when the compiler reports errors."""
    diagnostics = Diagnostics()
    lowered = read((Source(name, text),), ReadSettings(), diagnostics)
    if lowered is None or diagnostics.failed:
        return None
    found = read_model(Source(name, text), Diagnostics())
    assert found is not None
    return found[1], lowered


# the rules of the reference, by hand


def step(name: str, more: str = "") -> str:
    return f"{{run: {name}{more and ', ' + more}}}"


EARLY = "early-cancel: any-job-failed"
MATRIX = "strategy: {matrix: {v: [1, 2, 3]}"
SIMPLE = "steps: [{run: x}]"
A_B = "a: {steps: [{run: x}]}\nb: {needs: [a], IF steps: [{run: y}]}\nc: {needs: [b], steps: [{run: z}]}"


def after(condition: str) -> str:
    """Give three jobs in a row, the second with a condition."""
    return A_B.replace("IF", f"if: {condition}," if condition else "")


FAILING = (Fails("a"),)

RULES: dict[str, tuple[str, tuple[Fact, ...], str]] = {
    # §4, §11: what keeps a job from running passes on
    "all well": (after(""), (), "succeeded succeeded succeeded"),
    "a failure passes on": (after(""), FAILING, "failed cancelled cancelled"),
    "a late failure": (after(""), (Fails("b"),), "succeeded failed cancelled"),
    "always runs after a failure": (after("always"), FAILING, "failed succeeded succeeded"),
    "never does not run": (after("never"), (), "succeeded skipped skipped"),
    "never is no failure": (after("never"), FAILING, "failed skipped skipped"),
    "completed is the default": (after("completed"), FAILING, "failed cancelled cancelled"),
    "error runs after a failure": (after("error"), FAILING, "failed succeeded succeeded"),
    "error does not run otherwise": (after("'${{ error }}'"), (), "succeeded skipped skipped"),
    "not completed": (after("'${{ !completed }}'"), FAILING, "failed succeeded succeeded"),
    "the newer generation's word": (after("failure()"), FAILING, "failed succeeded succeeded"),
    "success()": (after("success()"), FAILING, "failed cancelled cancelled"),
    "a condition keeps the default": (after("'${{ 1 == 1 }}'"), FAILING, "failed cancelled cancelled"),
    "a false condition": (after("'${{ 1 == 2 }}'"), (), "succeeded skipped skipped"),
    "a word picked by a test": (after("'${{ 1 == 1 ? error : never }}'"), FAILING, "failed succeeded succeeded"),
    "canceled looks at cancelled jobs only": (after("canceled"), FAILING, "failed skipped skipped"),
    "canceled": (
        f"a: {{{SIMPLE}}}\nb: {{steps: [{step('y', EARLY)}]}}\nc: {{needs: [b], if: canceled, {SIMPLE}}}",
        (Fails("a"), Takes("b", 5)),
        "failed cancelled succeeded",
    ),
    "error of one of two": (
        f"a: {{{SIMPLE}}}\nb: {{{SIMPLE}}}\nc: {{needs: [a, b], if: error, {SIMPLE}}}",
        FAILING,
        "failed succeeded succeeded",
    ),
    "other jobs go on": (f"a: {{{SIMPLE}}}\nb: {{{SIMPLE}}}", (Fails("a"), Takes("b", 9)), "failed succeeded"),
    "an output decides": (
        f"a: {{{SIMPLE}}}\nb: {{needs: [a], if: '${{{{ needs.a.outputs.k == 2 }}}}', {SIMPLE}}}",
        (Publishes("a", "k", 2),),
        "succeeded succeeded",
    ),
    "an input decides": (
        f"a: {{if: '${{{{ inputs.site == here }}}}', {SIMPLE}}}",
        (Given(("site",), "there"),),
        "skipped",
    ),
    # §5: steps
    "ignored errors": (f"a: {{steps: [{step('x', 'ignore-errors: true')}, {step('y')}]}}", FAILING, "succeeded"),
    "the step's limit": (f"a: {{steps: [{step('x', 'timeout: 2s')}]}}", (Takes("a", 3),), "failed"),
    "work up to the limit": (f"a: {{steps: [{step('x', 'timeout: 2s')}]}}", (Takes("a", 2),), "succeeded"),
    "the job's limit": (f"a: {{timeout: 2, steps: [{step('x')}, {step('y')}]}}", (Takes("a", 1.5),), "timed out"),
    "an early cancel": (
        f"a: {{{SIMPLE}}}\nb: {{steps: [{step('y', EARLY)}]}}",
        (Fails("a"), Takes("b", 5)),
        "failed cancelled",
    ),
    "an early cancel of what failed itself": (f"a: {{steps: [{step('x', EARLY)}]}}", FAILING, "failed"),
    "an early cancel is for failures while it runs": (
        f"a: {{{SIMPLE}}}\nb: {{needs: [a], if: always, steps: [{step('y', EARLY)}]}}",
        FAILING,
        "failed succeeded",
    ),
    "an early cancel between two attempts": (
        f"a: {{{SIMPLE}}}\nb: {{steps: [{step('y', EARLY + ', retry: {interval: 1m}')}]}}",
        (Fails("a"), Takes("a", 9), Fails("b", codes=(1,), goes_on=False)),
        "failed cancelled",
    ),
    # §6: retry and matrix
    "retries enough": (
        f"a: {{steps: [{step('x', 'retry: {max-retries: 2}')}]}}",
        (Fails("a", codes=(1, 1), goes_on=False),),
        "succeeded",
    ),
    "retries too few": (
        f"a: {{steps: [{step('x', 'retry: {max-retries: 2}')}]}}",
        (Fails("a", codes=(1, 1, 1), goes_on=False),),
        "failed",
    ),
    "ten retries if nothing is said": (
        f"a: {{steps: [{step('x', 'retry: {}')}]}}",
        (Fails("a", codes=(1,) * 10, goes_on=False),),
        "succeeded",
    ),
    "half a minute if nothing is said": (
        f"a: {{steps: [{step('x', 'retry: {max-retries: 0}')}]}}",
        (Takes("a", 31),),
        "failed",
    ),
    "fail-fast": (f"a: {{{MATRIX}}}, {SIMPLE}}}", (Fails("a", 1), Takes("a", 2, 2)), "succeeded failed cancelled"),
    "no fail-fast": (
        f"a: {{{MATRIX}, fail-fast: false}}, {SIMPLE}}}",
        (Fails("a", 1), Takes("a", 2, 2)),
        "succeeded failed succeeded",
    ),
    "fail-fast before the next begins": (
        f"a: {{{MATRIX}, max-parallel: 1}}, {SIMPLE}}}",
        (Fails("a", 0),),
        "failed cancelled cancelled",
    ),
    "all instances are needed": (
        f"a: {{{MATRIX}, fail-fast: false}}, {SIMPLE}}}\nb: {{needs: [a], {SIMPLE}}}",
        (Fails("a", 2),),
        "succeeded succeeded failed cancelled",
    ),
    "the first instance is enough": (
        f"a: {{{MATRIX}, fail-fast: false}}, {SIMPLE}}}\nb: {{needs: ['a:any'], {SIMPLE}}}",
        (Fails("a", 2), Takes("a", 5, 2)),
        "succeeded succeeded failed succeeded",
    ),
    "a condition of each instance": (
        f"a: {{{MATRIX}}}, if: '${{{{ matrix.v <= 2 }}}}', {SIMPLE}}}",
        (),
        "succeeded succeeded skipped",
    ),
    "no instance at all": (
        f"a: {{strategy: {{matrix: {{v: []}}}}, {SIMPLE}}}\nb: {{needs: [a], {SIMPLE}}}",
        (),
        "succeeded",
    ),
    "exclude before include": (
        "a: {strategy: {matrix: {v: [1, 2], exclude: [{v: 2}], include: [{v: 2, w: 1}]}}, steps: [{run: x}]}",
        (),
        "succeeded succeeded",
    ),
}


def jobs(text: str) -> str:
    indented = "".join(f"  {line}\n" for line in text.splitlines())
    return f"'on': {{execute: {{inputs: {{site: {{type: string, default: here}}}}}}}}\njobs:\n{indented}"


@pytest.mark.parametrize("rule", RULES)
def test_rules_of_the_reference(rule: str):
    text, facts, expected = RULES[rule]
    found = both(jobs(text))
    assert found is not None
    environment = Scenario(facts)
    seen, trace = witness(found[0], environment), execute(found[1], environment)
    assert states(seen) == expected
    assert differences(trace, seen) == []


TRUE = "if: '${{ 1 == 1 }}'"
STEPS: dict[str, tuple[str, tuple[Fact, ...], list[str]]] = {
    "the rest is left out": (f"{step('x')}, {step('y')}", FAILING, ["x"]),
    "but for what asks for it": (
        f"{step('x')}, {step('y', 'if: error')}, {step('z', 'if: always')}",
        FAILING,
        ["x y z"],
    ),
    "a condition keeps the default": (f"{step('x')}, {step('y', TRUE)}", FAILING, ["x"]),
    "a true condition": (f"{step('x')}, {step('y', TRUE)}", (), ["x y"]),
    "nothing failed": (f"{step('x')}, {step('y', 'if: error')}, {step('z', 'if: completed')}", (), ["x z"]),
    "clean-ups, the last first": (
        f"{step('x', 'cleanup: cx')}, {step('y', 'cleanup: cy')}, {step('z', 'cleanup: cz')}",
        (Fails("a", step=1),),
        ["x y", "cy cx"],
    ),
    "attempts are told apart": (
        step("'x ${{ env.PW_WORKFLOW_STEP_CURRENT_RETRY }}'", "retry: {max-retries: 1}"),
        (Fails("a"),),
        ["x 0 x 1"],
    ),
}


@pytest.mark.parametrize("rule", STEPS)
def test_what_a_job_runs(rule: str):
    steps, facts, expected = STEPS[rule]
    found = both(jobs(f"a: {{steps: [{steps}]}}"))
    assert found is not None
    seen = witness(found[0], Scenario(facts))
    ran, cleaned = seen.endings["a"].work or (), seen.endings["a"].cleanups or ()
    assert [" ".join(text for text, _ in ran), *([" ".join(cleaned)] if cleaned else [])] == expected
    assert differences(execute(found[1], Scenario(facts)), seen) == []


@pytest.mark.parametrize(("written", "lasts"), [("90", 90), ("30s", 30), ("10m", 600), ("2h", 7200), ("1d", 86400)])
def test_durations(written: str, lasts: float):
    found = both(jobs(f"a: {{timeout: '{written}', {SIMPLE}}}"))
    assert found is not None
    for seconds, state in ((lasts, "succeeded"), (lasts + 0.5, "timed out")):
        environment = Scenario([Takes("a", seconds)])
        seen = witness(found[0], environment)
        assert states(seen) == state
        assert differences(execute(found[1], environment), seen) == []


def test_the_limit_of_the_run():
    found = both(f"timeout: 3s\n{jobs(after('always') + chr(10) + f'd: {{{SIMPLE}}}')}")
    assert found is not None
    environment = Scenario([Takes("b", 2), Takes("d", 9)])
    seen = witness(found[0], environment)
    assert states(seen) == "succeeded succeeded cancelled cancelled"
    assert differences(execute(found[1], environment), seen) == []


# generated files


@settings(max_examples=250, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data(), files())
def test_the_lowered_workflow_runs_as_the_file_says(data: st.DataObject, file: dict[str, Any]):
    text = text_of(file)
    found = both(text)
    assert found is not None, text
    written, lowered = found
    environment = data.draw(happenings(sorted(file["jobs"])))
    assert differences(execute(lowered, environment), witness(written, environment)) == [], (
        f"{text}\n{environment.facts}"
    )


# real files


def surroundings(lowered: Workflow, *, same_steps: bool) -> Iterator[tuple[Fact, ...]]:
    """Give the environments for a file: all well, and single failures."""
    yield ()
    failing = [(task.name, at) for task in lowered.tasks for at in range(len(task.steps) if same_steps else 0)]
    for name, at in failing[:12]:
        yield (Fails(name, step=at), Takes(name, 2.0))


@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS.is_dir(), reason="PWXC_CORPUS does not name the corpus")
def test_real_files():
    wrong: list[str] = []
    read_files = 0
    for path in sorted(CORPUS.glob("*.yaml")):
        found = both(path.read_text(), path.name)
        if found is None:
            continue
        read_files += 1
        written, lowered = found
        same = all(len(task.steps) == len(written.jobs[task.name].steps) for task in lowered.tasks)
        for facts in surroundings(lowered, same_steps=same):
            seen = witness(written, Scenario(facts), opaque=LOOKED_INTO)
            if not same:
                untimed = {name: attrs.evolve(ending, timed=False) for name, ending in seen.endings.items()}
                seen = attrs.evolve(seen, endings=untimed)
            wrong += [f"{path.name} {facts}: {line}" for line in differences(execute(lowered, Scenario(facts)), seen)]
    assert wrong == []
    assert read_files > 90
