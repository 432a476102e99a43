"""JSON, JSON5 and KDL are read through the same tree as YAML."""

# ruff: noqa: E501 - a row of a table stays on its line

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from torc_files import again, codes, must_read, read_text

from pwxc.diagnostics import Diagnostics
from pwxc.source import Source
from pwxc_targets.torc.blocks import plain_tree
from pwxc_targets.torc.formats.kdl import parse
from pwxc_targets.torc.formats.loading import format_of, load
from pwxc_targets.torc.writing.emit import emit

YAML = """
name: w
description: "a 'b' \\" c"
jobs:
  - {name: "a_{i}", command: "echo {i}\\n\\ttab", parameters: {i: "1:3"}, output_files: ["f_{i}"]}
  - {name: b, command: "cat x", depends_on_regexes: ["^a_\\\\d$"], cancel_on_blocking_job_failure: false}
files: [{name: "f_{i}", path: "f/{i}", parameters: {i: "1:3"}}]
user_data: [{name: d, data: {"k": [1, 2.5, null, true, "ü"]}}]
resource_requirements: [{name: r, num_cpus: 2, num_gpus: 0, num_nodes: 1, memory: 1g, runtime: PT1M}]
slurm_schedulers: [{name: s, account: a, walltime: "01:00:00", nodes: 1}]
failure_handlers: [{name: h, rules: [{exit_codes: [1, 2], max_retries: 3}]}]
actions:
  - {trigger_type: on_jobs_complete, action_type: run_commands, job_name_regexes: ["^a_"], commands: ["ls -l", "du"]}
  - {trigger_type: on_workflow_start, action_type: schedule_nodes, scheduler: s, scheduler_type: slurm, num_allocations: 2}
"""


@pytest.mark.parametrize("kind", ["yaml", "json", "json5", "kdl"])
def test_every_format_carries_the_whole_meaning(kind):
    workflow = must_read(YAML)
    assert again(workflow, format=kind) == workflow


JSON5 = """// a comment
{
  name: 'w', /* and
  another */ "jobs": [
    {name: "a", command: 'it\\'s \\
done', },
  ],
  compute_node_wait_for_new_jobs_seconds: 0x10,
}
"""


def test_json5_has_comments_names_and_commas():
    workflow = must_read(JSON5, "w.json5")
    assert workflow.tasks[0].steps[0].work.text.literal == "it's done"
    assert workflow.passthrough[0].value == 16


def test_places_in_json5_are_exact():
    _, diagnostics = read_text("{name: 'w', jobs: [{name: 'a', command: 'x', depends_on: ['zz']}]}", "w.json5")
    assert diagnostics.errors[0].span.text == "'zz'"


@pytest.mark.parametrize(
    "text", ["{name: 'w', jobs: [}", "{name: `w`, jobs: []}", "{name: w, jobs: []}", "", "{", "[1 2]"]
)
def test_bad_json5_is_a_diagnostic(text):
    _, diagnostics = read_text(text, "w.json5")
    assert codes(diagnostics) == {"torc-json-syntax"}


def test_strict_json_has_no_comments_but_tabs_and_surrogates():
    _, diagnostics = read_text('{"name": "w", "jobs": [], }', "w.json")
    assert codes(diagnostics) == {"torc-json-syntax"}
    workflow = must_read('{\t"name": "\\ud83d\\ude00\\/",\n\t"jobs": []}', "w.json")
    assert workflow.name == "\N{GRINNING FACE}/"


KDL = '''
name "w"
parameters { i "1:3" }
/- job "gone" { command "x" }
job "a_{i}" {
    command """
        one
          two "quoted"
        """
    use_parameters "i"
    depends_on "b"
    supports_termination #true
}
job "b" { command #"raw \\n "text""#; input_file "f" }
file "f" path="p/q" // a comment
action {
    trigger_type "on_jobs_ready"
    action_type "run_commands"
    jobs "b"
    command "ls"
    command "du"
}
'''


def test_kdl_as_torc_reads_it():
    workflow = must_read(KDL, "w.kdl")
    a, b = workflow.tasks
    assert a.steps[0].work.text.literal == 'one\n  two "quoted"'
    assert a.sweep.parameters[0].shared == "i"
    assert a.needs[0].parent == "b"
    assert b.steps[0].work.text.literal == 'raw \\n "text"'
    assert b.reads[0].name == "f"
    assert [item.literal for item in workflow.hooks[0].action.commands] == ["ls", "du"]


TRAPS = [
    ('name "w"\njob "a" { command "x" }\njob "b" { command "x"; blocked_by "a" }', "blocked_by"),
    ('name "w"\njob "a" { command "x" }\njob "b" { command "x"; depends_on_job "a" }', "depends_on_job"),
    ('name "w"\nproject "p"', "project"),
    ('name "w"\njob "a" { command "x" }\njob "c" { command "x" }\njob "b" { command "x"; depends_on "a" "c" }', '"c"'),
]


@pytest.mark.parametrize(("text", "place"), TRAPS)
def test_what_torc_ignores_in_kdl_is_told(text, place):
    workflow, diagnostics = read_text(text, "w.kdl")
    assert workflow is not None
    assert [(item.code.name, item.span.text) for item in diagnostics] == [("torc-kdl-ignored", place)]


@pytest.mark.parametrize("text", ['name "w', "use_pending_failed true", 'job "a" {', 'name "\\q"', 'name """x"""', "}"])
def test_bad_kdl_is_a_diagnostic(text):
    _, diagnostics = read_text(text, "w.kdl")
    assert codes(diagnostics) == {"torc-kdl-syntax"}


def test_the_format_is_told_by_the_name_or_the_text():
    assert format_of(Source("w.YML", "{}")) == "yaml"
    assert format_of(Source("w", '{"name": 1}')) == "json"
    assert format_of(Source("w", "// x\n{name: 1}")) == "json5"
    assert format_of(Source("w", 'name "w"\njob "a" {\n}')) == "kdl"
    assert format_of(Source("w", "name: w")) == "yaml"


TEXTS = st.text(st.characters(blacklist_categories=("Cs",)), max_size=12)
TREES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(TEXTS, TREES, max_size=3))
def test_any_json_reads_as_json5(tree):
    diagnostics = Diagnostics()
    document = load(Source("w.json5", json.dumps(tree)), diagnostics)
    assert document is not None
    assert plain_tree(document.root) == tree


@given(TEXTS, st.booleans())
def test_texts_survive_kdl(text, escaped):
    value = json.dumps(text) if escaped and text.isascii() and text.isprintable() else None
    line = f"name {value}" if value else emit({"name": text}, "kdl", []).strip()
    knots = parse(Source("w.kdl", line), Diagnostics())
    assert knots is not None
    assert knots[0].arguments[0].value == text


@given(st.text(alphabet="{}[]\",:'/*\\ \nab1#=;-", max_size=25))
def test_no_text_raises(text):
    for name in ("w.json5", "w.kdl", "w.json", "w.yaml"):
        read_text(text, name)


@given(st.text(alphabet='{}"#=;-/*\\ \nab1', max_size=20))
def test_kdl_agrees_with_another_reader(text):
    ckdl = pytest.importorskip("ckdl")
    try:
        expected = ckdl.parse(text, version=2)
    except ckdl.ParseError:
        return
    knots = parse(Source("w.kdl", text), Diagnostics())
    if knots is None:
        return
    assert [knot.name for knot in knots] == [node.name for node in expected.nodes]
