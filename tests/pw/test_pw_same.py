"""ACTIVATE to ACTIVATE: the same data, in the same order, and nothing dropped."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pw_workflows import BASIC, EVERYTHING

from pwxc.compiler import compile_sources
from pwxc.diagnostics import Diagnostics
from pwxc.fidelity import Fate, Ledger
from pwxc.ir.entity import changed
from pwxc.registry import ReadSettings
from pwxc.source import Source
from pwxc.yaml.nodes import compose
from pwxc.yaml.structure import Reading, plain, within
from pwxc.yaml.writer import write_yaml
from pwxc_targets.pw import TARGET
from pwxc_targets.pw.lint import lint
from pwxc_targets.pw.read import read
from pwxc_targets.pw.same import own_of, write_form, write_job, write_own

CORPUS = Path(os.environ.get("PWXC_CORPUS", Path(__file__).parents[3] / "shared" / "corpus")) / "pw"
BROKEN = {"interactive_session__workflow-yamls-postgress-general_k8s.yaml"}
"""Files with an expression that is closed by one brace."""


def data(text):
    """Give the data of a text with the order of its keys, by YAML 1.2."""
    diagnostics = Diagnostics()
    document = compose(Source("x", text), diagnostics)
    assert document is not None, list(diagnostics)
    with within(Reading(document, diagnostics)):
        return ordered(plain(document.root))


def ordered(value):
    if isinstance(value, dict):
        return [(key, ordered(item)) for key, item in value.items()]
    return [ordered(item) for item in value] if isinstance(value, list) else value


def tree(text):
    diagnostics = Diagnostics()
    document = compose(Source("x", text), diagnostics)
    with within(Reading(document, diagnostics)):
        return plain(document.root)


def through(text):
    made = compile_sources([Source("a/workflow.yaml", text)], to=TARGET, origin=TARGET)
    assert not made.report.refused
    assert made.files, [item.message for item in made.diagnostics]
    return made.files[0].text, made


SPELLINGS = """\
on: {execute: {inputs: {a: {type: string, default: 0123}, b: {type: number, default: 1.0}}}}
jobs:
  a:
    timeout: 010
    env: {A: yes, B: 12:00:00, C: 1e3, D: 'true', E: , F: ~, G: "a\\tb", H: $<< inputs.a >>}
    steps:
      - run: >
          folded
          text
      - run: |+
          kept

      - name: 'it''s'
        run: "${{ inputs.a=='x' }}"
"""


@pytest.mark.parametrize("text", [BASIC, EVERYTHING, SPELLINGS], ids=["basic", "everything", "spellings"])
def test_the_data_and_its_order_stay(text):
    once, _ = through(text)
    assert data(once) == data(text)
    again, _ = through(once)
    assert again == once


def test_everything_is_accounted_for_as_exact():
    _, made = through(BASIC)
    assert {entry.fate for entry in made.report.entries} == {Fate.EXACT}


def maps(value, path=()):
    """Give the path of every map of a tree."""
    if isinstance(value, dict):
        yield path
        for key, item in value.items():
            yield from maps(item, (*path, key))
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from maps(item, (*path, index))


def paths(value, path=()):
    """Give the path of every value of a tree."""
    if path:
        yield path
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in pairs:
        yield from paths(item, (*path, key))


def put(value, path):
    for step in path:
        value = value[step]
    value["frobnicate"] = 1


FREE = ("env", "outputs", "params", "include", "exclude", "host")
"""Maps in which any name may stand."""
PLACES = [(text, path) for text in (BASIC, EVERYTHING) for path in maps(tree(text))]


@pytest.mark.parametrize(("text", "path"), PLACES, ids=lambda value: "/".join(map(str, value))[:60])
def test_an_unknown_key_is_reported_and_kept(text, path):
    changed_tree = tree(text)
    put(changed_tree, path)
    source = write_yaml(changed_tree)
    written, made = through(source)
    assert data(written) == data(source)
    named = [step for step in path if isinstance(step, str)]
    if not set(named) & set(FREE):
        found = [item for item in made.diagnostics if "frobnicate" in item.message]
        assert found, path
        assert any(item.span.resolve().text in ("frobnicate", "1") for item in found)


NONSENSE = (
    *(None, "", 1, 1.5, True, [], {}, [1], [None], [[1]], {"a": 1}, {"type": "group"}, [{"a": {"b": 1}}]),
    *("${{ inputs.x }}", "${{", "${{ error }}", "x${{ a b }}", "{{ x }}", "~", {"value": {"a": 1}}, 10**30),
)
WHERE = [(text, path) for text in (BASIC, EVERYTHING) for path in paths(tree(text))]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(WHERE), st.sampled_from(NONSENSE))
def test_nonsense_anywhere_is_told_or_kept(where, value):
    text, path = where
    whole = tree(text)
    below = whole
    for step in path[:-1]:
        below = below[step]
    below[path[-1]] = value
    written = write_yaml(whole)
    diagnostics = Diagnostics()
    workflow = read((Source("a/workflow.yaml", written),), ReadSettings(), diagnostics)
    assert all(item.span is None or item.span.resolve() for item in diagnostics)
    if not diagnostics.errors:
        assert data(write_yaml(write_own(workflow, Ledger()))) == data(written)
    lint((Source("a/workflow.yaml", written),), ReadSettings(), Diagnostics())


def load(text):
    return read((Source("a/workflow.yaml", text),), ReadSettings(), Diagnostics())


def test_a_changed_workflow_is_not_written_as_it_was():
    workflow = load(BASIC)
    first = workflow.tasks[0]
    renamed = changed(workflow, tasks=(changed(first, run_timeout=60), *workflow.tasks[1:]))
    assert write_own(renamed, Ledger()) is None
    assert write_job(renamed, renamed.tasks[0], Ledger()) is None


def test_an_equal_workflow_is_written_as_it_was():
    workflow = load(BASIC)
    rebuilt = changed(workflow, tasks=tuple(changed(task) for task in workflow.tasks))
    ledger = Ledger()
    assert write_own(rebuilt, ledger) is not None
    assert not list(ledger.diagnostics)


def test_parts_that_are_unchanged_can_be_taken_over():
    workflow = load(BASIC)
    without = changed(workflow, tasks=workflow.tasks[:2], inputs=workflow.inputs[:3])
    assert write_own(without, Ledger()) is None
    assert write_form(without, Ledger()) is None
    assert write_form(workflow, Ledger()) is own_of(workflow).written.on
    assert write_job(without, without.tasks[1], Ledger()) is own_of(workflow).written.jobs["solve"]


@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS.is_dir(), reason="there is no corpus; PWXC_CORPUS names its place")
def test_the_corpus_is_read_without_false_errors_and_comes_back_the_same():
    wrong, different = set(), []
    for path in sorted(CORPUS.glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        diagnostics = Diagnostics()
        workflow = read((Source(path.name, text),), ReadSettings(), diagnostics)
        if diagnostics.errors:
            wrong.add(path.name)
        once = write_yaml(write_own(workflow, Ledger()))
        again = load(once)
        if data(once) != data(text) or write_yaml(write_own(again, Ledger())) != once:
            different.append(path.name)
        assert changed(again, name=workflow.name) == workflow, path.name
    assert wrong == BROKEN
    assert not different
