"""The lowering of OSMO files against an interpreter of the specifications themselves.

The table is the reference's own rules, worked out by hand; the property and the corpus hold the two against each
other where nobody has worked anything out.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from osmo_files import files, happenings, text_of
from osmo_instances import run_as_rendered
from osmo_witness import witness
from outcomes import differences, states

from pwxc.diagnostics import Diagnostics
from pwxc.ir.workflow import Workflow
from pwxc.registry import ReadSettings
from pwxc.semantics.environment import Fact, Fails, Queues, Scenario, SiteRetries, Stages, Takes
from pwxc.source import Source
from pwxc.yaml.schema import yaml11
from pwxc.yaml.structure import Reading, structure
from pwxc_targets.osmo import model
from pwxc_targets.osmo.read import read
from pwxc_targets.osmo.reading.scalars import osmo_converter
from pwxc_targets.osmo.template.expand import Settings, expand

CORPUS = Path(os.environ.get("PWXC_CORPUS", Path(__file__).parents[3] / "shared" / "corpus")) / "osmo"


def both(text: str, name: str = "file.yaml", folder: Path | None = None) -> tuple[model.Workflow, Workflow] | None:
    """Read a text as it is written and as the compiler lowers it; None when the compiler reports errors."""
    diagnostics = Diagnostics()
    lowered = read((Source(name, text),), ReadSettings(folder=folder), diagnostics)
    if lowered is None or diagnostics.failed:
        return None
    expanded = expand(Source(name, text), Settings(folder=folder), Diagnostics())
    assert expanded is not None
    section = expanded.document.find(expanded.document.root, "workflow")
    assert section is not None
    context = Reading(expanded.document, Diagnostics(), yaml11)
    written = structure(model.Workflow, expanded.document, section, osmo_converter(), context)
    assert written is not None
    return written, lowered


def names_of(written: model.Workflow) -> list[str]:
    """Give the names of all tasks."""
    return [task.name for tasks in (written.tasks, *(group.tasks for group in written.groups)) for task in tasks]


def disagreements(written: model.Workflow, lowered: Workflow, environment: Scenario) -> list[str]:
    """Run both. Of a task that reads a whole loop's tasks the lowered workflow has the order alone."""
    seen = witness(written, environment)
    if any(task.sweep is not None for task in lowered.tasks):
        endings = {name: attrs.evolve(ending, moved=None) for name, ending in seen.endings.items()}
        seen = attrs.evolve(seen, endings=endings)
    return differences(run_as_rendered(lowered, environment), seen)


# the rules of the reference, by hand


def task(name: str, more: str = "") -> str:
    return f"{{name: {name}, image: ubuntu, command: [{name}]{more and ', ' + more}}}"


def reads(*names: str) -> str:
    return f"inputs: [{', '.join(f'{{task: {name}}}' for name in names)}]"


def group(name: str, *tasks: str, more: str = "") -> str:
    return f"{{name: {name}{more and ', ' + more}, tasks: [{', '.join(tasks)}]}}"


LEAD = "lead: true"
EVERY = "ignoreNonleadStatus: false"
PAIR = group("g", task("a", LEAD), task("b"))
STRICT = group("g", task("a", LEAD), task("b"), more=EVERY)
TRIED_AGAIN = "exitActions: {RESCHEDULE: 1-255}"
ROW = f"tasks: [{task('a')}, {task('b', reads('a'))}, {task('c', reads('b'))}]"
ONCE = ((1,), False)

RULES: dict[str, tuple[str, tuple[Fact, ...], str]] = {
    # §20.2, §20.6: upstream
    "all well": (ROW, (), "succeeded succeeded succeeded"),
    "failed upstream": (ROW, (Fails("a"),), "failed cancelled cancelled"),
    "independent tasks go on": (f"tasks: [{task('a')}, {task('b')}]", (Fails("a"),), "failed succeeded"),
    "one of two": (
        f"tasks: [{task('a')}, {task('b')}, {task('c', reads('a', 'b'))}]",
        (Fails("b"),),
        "succeeded failed cancelled",
    ),
    "a group waits for a group": (
        f"groups: [{PAIR}, {group('h', task('c', LEAD), task('d', reads('b')))}]",
        (Fails("a"), Takes("b", 5)),
        "failed failed cancelled cancelled",
    ),
    "an input of an earlier run is no edge": (
        f"tasks: [{task('b')}, {task('a', reads('old-3:b'))}]",
        (Fails("b"),),
        "failed succeeded",
    ),
    # §20.3: the end of a group
    "the lead ends the group": (f"groups: [{PAIR}]", (Takes("b", 100),), "succeeded succeeded"),
    "the lead fails the group": (f"groups: [{PAIR}]", (Takes("b", 100), Fails("a")), "failed failed"),
    "the lead may be any member": (
        f"groups: [{group('g', task('a'), task('b', LEAD))}]",
        (Takes("a", 100), Fails("b")),
        "failed failed",
    ),
    "another's failure is ignored": (f"groups: [{PAIR}]", (Fails("b"), Takes("a", 5)), "succeeded failed"),
    "another's failure counts": (f"groups: [{STRICT}]", (Fails("b"), Takes("a", 5)), "failed failed"),
    "a failure counts before the lead's end": (f"groups: [{STRICT}]", (Fails("b"),), "succeeded failed"),
    "another's ignored failure stops nobody": (
        f"groups: [{PAIR}, {group('h', task('c', LEAD + ', ' + reads('b')))}]",
        (Fails("b"), Takes("a", 5)),
        "succeeded failed succeeded",
    ),
    "another's failure stops what is downstream": (
        f"groups: [{STRICT}, {group('h', task('c', LEAD + ', ' + reads('a')))}]",
        (Fails("b"),),
        "succeeded failed cancelled",
    ),
    # §15: exit actions
    "complete": (f"tasks: [{task('a', 'exitActions: {COMPLETE: 3-5}')}]", (Fails("a", codes=(4,)),), "succeeded"),
    "not complete": (f"tasks: [{task('a', 'exitActions: {COMPLETE: 3-5}')}]", (Fails("a", codes=(6,)),), "failed"),
    "fail on 0": (f"tasks: [{task('a', 'exitActions: {FAIL: 0}')}]", (), "failed"),
    "fail before complete": (
        f"tasks: [{task('a', 'exitActions: {COMPLETE: 0-255, FAIL: 7}')}]",
        (Fails("a", codes=(7,)),),
        "failed",
    ),
    "complete before reschedule": (
        f"tasks: [{task('a', 'exitActions: {RESCHEDULE: 0-255, complete: 7}')}]",
        (Fails("a", codes=(7, 1)), SiteRetries(3)),
        "succeeded",
    ),
    "no retries unless the site allows them": (
        f"tasks: [{task('a', TRIED_AGAIN)}]",
        (Fails("a", None, 0, *ONCE),),
        "failed",
    ),
    "a retry": (f"tasks: [{task('a', TRIED_AGAIN)}]", (Fails("a", None, 0, *ONCE), SiteRetries(1)), "succeeded"),
    "retries run out": (f"tasks: [{task('a', TRIED_AGAIN)}]", (Fails("a"), SiteRetries(4)), "failed"),
    # §20.5: time
    "the limit is for each group": (
        f"timeout: {{exec_timeout: 3s}}\n  {ROW}",
        (Takes("a", 2), Takes("b", 4)),
        "succeeded timed out cancelled",
    ),
    "a group's limit ends who still runs": (
        f"timeout: {{exec_timeout: 3s}}\n  groups: [{PAIR}]",
        (Takes("a", 4),),
        "timed out succeeded",
    ),
    "work up to the limit": (f"timeout: {{exec_timeout: 3}}\n  tasks: [{task('a')}]", (Takes("a", 3),), "succeeded"),
    "staging counts": (
        f"timeout: {{exec_timeout: 3}}\n  tasks: [{task('a')}]",
        (Takes("a", 2), Stages("a", 2)),
        "timed out",
    ),
    "a retry does not reset the clock": (
        f"timeout: {{exec_timeout: 3}}\n  tasks: [{task('a', TRIED_AGAIN)}]",
        (Takes("a", 2), Fails("a", None, 0, *ONCE), SiteRetries(1)),
        "timed out",
    ),
    "too long in the queue": (
        f"timeout: {{queue_timeout: 1m}}\n  groups: [{PAIR}]",
        (Queues("b", 61),),
        "timed out timed out",
    ),
    "not too long in the queue": (
        f"timeout: {{queue_timeout: 1m}}\n  groups: [{PAIR}]",
        (Queues("b", 60),),
        "succeeded succeeded",
    ),
    "zero is no limit": (f"timeout: {{queue_timeout: 0, exec_timeout: 0}}\n  tasks: [{task('a')}]", (), "succeeded"),
}


def specification(text: str) -> str:
    return f"workflow:\n  name: w\n  {text}\n"


@pytest.mark.parametrize("rule", RULES)
def test_rules_of_the_reference(rule: str):
    text, facts, expected = RULES[rule]
    found = both(specification(text))
    assert found is not None
    environment = Scenario(facts)
    seen, trace = witness(found[0], environment), run_as_rendered(found[1], environment)
    assert states(seen) == expected
    assert differences(trace, seen) == []


THREE = (task("a", LEAD + ", " + TRIED_AGAIN), task("b", TRIED_AGAIN), task("c"))
LONG = (Takes("a", 9), Takes("b", 9), Takes("c", 9))


@pytest.mark.parametrize(
    ("more", "facts", "attempts"),
    [
        # §20.4: who begins again
        ("", (Fails("a", None, 0, *ONCE), Takes("a", 1)), [2, 2, 2]),
        ("", (Fails("b", None, 0, *ONCE), Takes("b", 1)), [1, 2, 1]),
        (EVERY, (Fails("b", None, 0, *ONCE), Takes("b", 1)), [2, 2, 2]),
        (EVERY, (*(Fails(each, None, 0, *ONCE) for each in "ab"), *(Takes(each, 1) for each in "ab")), [2, 2, 2]),
        ("", (Takes("c", 0.5), Fails("a", None, 0, *ONCE), Takes("a", 1)), [2, 2, 1]),
        # what still waits for its data ignores a restart
        ("barrier: false", (Stages("c", 5), Fails("a", None, 0, *ONCE), Takes("a", 1), Takes("c", 1)), [2, 2, 0]),
        ("barrier: false", (Stages("c", 5), Fails("a", None, 0, *ONCE), Takes("a", 3), Takes("c", 1)), [2, 2, 1]),
    ],
)
def test_who_begins_again(more: str, facts: tuple[Fact, ...], attempts: list[int]):
    found = both(specification(f"groups: [{group('g', *THREE, more=more)}]"))
    assert found is not None
    environment = Scenario((*LONG, *facts, SiteRetries(1)))
    seen = witness(found[0], environment)
    assert [ending.attempts for ending in seen.endings.values()] == attempts
    assert differences(run_as_rendered(found[1], environment), seen) == []


def test_the_barrier_waits_for_everybody():
    for barrier, ended in (("true", 8), ("false", 1)):
        found = both(specification(f"groups: [{group('g', task('a', LEAD), task('b'), more='barrier: ' + barrier)}]"))
        assert found is not None
        seen = witness(found[0], environment := Scenario([Stages("b", 7)]))
        assert seen.endings["a"].ended == ended
        assert differences(run_as_rendered(found[1], environment), seen) == []


# generated files


@settings(max_examples=250, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data(), files())
def test_the_lowered_workflow_runs_as_the_specification_says(data: st.DataObject, file: dict[str, Any]):
    text = text_of(file)
    found = both(text)
    assert found is not None, text
    written, lowered = found
    environment = data.draw(happenings(names_of(written)))
    assert disagreements(written, lowered, environment) == [], f"{text}\n{environment.facts}"


# loops and tags: the specification is the rendered one

TAGS = {
    "a loop over tasks": """\
  tasks:
  - {name: first, image: ubuntu, command: [first]}
{% for i in range(n) %}
  - name: work-{{ i }}
    image: ubuntu
    command: [work, "{{ i }}", "{{ rate }}"]
    inputs: [{task: first}]
{% endfor %}
  - name: last
    image: ubuntu
    command: [last]
    inputs:
{% for i in range(n) %}
    - task: work-{{ i }}
{% endfor %}
""",
    "a row of tasks": """\
  tasks:
{% for i in range(n) %}
  - name: work-{{ i }}
    image: ubuntu
    command: [work]
{% if i > 0 %}
    inputs: [{task: "work-{{ i - 1 }}"}]
{% endif %}
{% endfor %}
""",
    "a group of workers": """\
  groups:
  - name: all
    ignoreNonleadStatus: false
    tasks:
{% for i in range(n) %}
    - name: worker_{{ i }}
      image: ubuntu
      command: [work, "{{host:worker_0}}"]
{% if i == 0 %}
      lead: true
{% endif %}
{% endfor %}
""",
    "a task that is left out": """\
  tasks:
  - {name: first, image: ubuntu, command: [first]}
{% if extra %}
  - {name: second, image: ubuntu, command: [second], inputs: [{task: first}]}
{% endif %}
  - name: third
    image: ubuntu
    command: [third]
    inputs:
    - task: first
{% if extra %}
    - task: second
{% endif %}
""",
    "two loops, one in the other": """\
  tasks:
{% for i in range(n) %}{% for kind in ['a', 'b'] %}
  - {name: "{{ kind }}-{{ i }}", image: ubuntu, command: [work, "{{ i }}", "{{ kind }}"]}
{% endfor %}{% endfor %}
""",
}


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("extra", ["true", "false"])
@pytest.mark.parametrize("tags", TAGS)
def test_loops_and_tags(tags: str, extra: str, count: int):
    defaults = f"default-values: {{n: {count}, extra: {extra}, rate: 0.5}}\n"
    found = both(f"workflow:\n  name: w\n{TAGS[tags]}{defaults}")
    assert found is not None
    written, lowered = found
    for facts in [(), *((Fails(name), Takes(name, 2)) for name in names_of(written))]:
        environment = Scenario(facts)
        assert disagreements(written, lowered, environment) == []


# real files


@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS.is_dir(), reason="PWXC_CORPUS does not name the corpus")
def test_real_files():
    wrong: list[str] = []
    read_files = 0
    for path in sorted((*CORPUS.glob("*.yaml"), *CORPUS.glob("probes/*.yaml"))):
        found = both(path.read_text(), path.name, path.parent)
        if found is None:
            continue
        read_files += 1
        written, lowered = found
        failing = [(Fails(name), Takes(name, 2.0)) for name in names_of(written)[:12]]
        for facts in [(), *failing]:
            environment = Scenario((*facts, SiteRetries(1)))
            lines = disagreements(written, lowered, environment)
            wrong += [f"{path.name} {facts}: {line}" for line in lines]
    assert wrong == []
    assert read_files > 200
