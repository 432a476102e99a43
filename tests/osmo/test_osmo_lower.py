"""What becomes of texts, numbers, exit actions and template variables in the IR."""

from __future__ import annotations

import json
import textwrap
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from osmo_meaning import Ours

from pwxc.diagnostics import Diagnostics
from pwxc.ir.data import Dataset, Url
from pwxc.ir.expr import Binary, Call, Conditional, Literal, Ref, Root
from pwxc.ir.inputs import InputType
from pwxc.ir.task import ExitAction
from pwxc.ir.template import Template
from pwxc.ir.workflow import Workflow
from pwxc.registry import ReadSettings
from pwxc.source import Source
from pwxc_targets.osmo.read import read

OUTPUT = Ref(Root.OUTPUT_FOLDER)
RUN = Ref(Root.RUN_ID)


def read_in(number: int) -> Ref:
    return Ref(Root.READ_FOLDER, (str(number),))


def param(*path: str) -> Ref:
    return Ref(Root.INPUT, path)


def variable(name: str) -> Ref:
    return Ref(Root.ENVIRONMENT, (name,))


def host(name: str) -> Ref:
    return Ref(Root.HOST, (name,))


def lower(text: str, *, strict: bool = True, folder: Any = None, **values: object) -> Workflow:
    """Read a text that has no fault; `strict` asks for no warning either."""
    diagnostics = Diagnostics()
    given_values = tuple(f"{name}={value}" for name, value in values.items())
    workflow = read((Source("wf.yaml", text),), ReadSettings(values=given_values, folder=folder), diagnostics)
    assert workflow is not None, [item.message for item in diagnostics]
    assert not strict or [item.message for item in diagnostics] == []
    return workflow


def wf(*keys: str, tail: str = "") -> str:
    """Make a workflow whose second task `a` reads from `up` and from a URL."""
    body = textwrap.indent("\n".join(keys), "    ")
    return (
        "workflow:\n  name: w\n  tasks:\n  - {name: up, image: x, command: [sh]}\n"
        "  - name: a\n    image: x\n    inputs: [{task: up}, {url: s3://b/c}]\n"
        + ("" if any(key.startswith("command:") for key in keys) else "    command: [sh]\n")
        + f"{body}\n{tail}"
    )


def arguments(workflow: Workflow) -> list[tuple[Any, ...]]:
    return [argument.parts for argument in workflow.tasks[-1].steps[0].work.arguments]


TEXTS = [
    ("plain", ("plain",)),
    ("{{output}}", (OUTPUT,)),
    ("a {{output}}/b {{input:0}}{{input:1}}", ("a ", OUTPUT, "/b ", read_in(0), read_in(1))),
    ("{{input:up}}/x", (read_in(0), "/x")),
    ("{{workflow_id}}-{{uuid}}", (RUN, "-{{uuid}}")),
    ("<<output>>/x <<input:1>> <<workflow_id>>", (OUTPUT, "/x ", read_in(1), " ", RUN)),
    ("cat <<EOF >>x", ("cat <<EOF >>x",)),
    ("/osmo/data/output", (OUTPUT,)),
    ("ls /osmo/data/output/x", ("ls ", OUTPUT, "/x")),
    ("'/osmo/data/input/1' \"/osmo/data/input/0\"", ("'", read_in(1), "' \"", read_in(0), '"')),
    ("--out=/osmo/data/output", ("--out=", OUTPUT)),
    ("-I/osmo/data/input/0 $(ls /osmo/data/output)", ("-I", read_in(0), " $(ls ", OUTPUT, ")")),
    ("${X:-/osmo/data/output}", ("${X:-", OUTPUT, "}")),
    ("file:///osmo/data/output", ("file://", OUTPUT)),
    ("It is in /osmo/data/output.", ("It is in ", OUTPUT, ".")),
    ("/osmo/data/output.old", ("/osmo/data/output.old",)),
    ("/osmo/data/outputs/x", ("/osmo/data/outputs/x",)),
    ("/osmo/data/output-1 /osmo/data/output_1", ("/osmo/data/output-1 /osmo/data/output_1",)),
    ("/mnt/osmo/data/output", ("/mnt/osmo/data/output",)),
    ("$ROOT/osmo/data/output ${R}/osmo/data/output", ("$ROOT/osmo/data/output ${R}/osmo/data/output",)),
    ("/osmo/data/input/0x /osmo/data/input", ("/osmo/data/input/0x /osmo/data/input",)),
    ("\ue0000\ue001", ("\ue0000\ue001",)),
]


@pytest.mark.parametrize(("text", "parts"), TEXTS)
def test_tokens_and_osmo_s_folders_become_references_in_every_text(text, parts):
    quoted = json.dumps(text)
    made = lower(
        wf(
            f"args: [{quoted}]",
            f"environment: {{V: {quoted}}}",
            f"files: [{{path: /f, contents: {quoted}}}]",
            f"credentials: {{c: {quoted}}}",
        )
    ).tasks[-1]
    template = Template(parts)
    assert made.steps[0].work.arguments[1] == template
    assert made.environment[0].value == template
    assert made.files[0].contents == template
    assert made.secrets[0].folder == template


def test_tokens_in_paths_and_urls():
    made = lower(
        wf(
            "files: [{path: '{{output}}/run.sh', contents: x}, {path: /osmo/data/output/y, contents: z}]",
            "outputs: [{url: 's3://b/{{workflow_id}}'}, {dataset: {name: 'd-{{workflow_id}}', path: x}}]",
            "checkpoint: [{path: '{{output}}/ck', url: 'gs://b/{{workflow_id}}', frequency: 5m},"
            " {path: rel, url: gs://b, frequency: 2}]",
        )
    ).tasks[-1]
    assert [file.path.parts for file in made.files] == [(OUTPUT, "/run.sh"), (OUTPUT, "/y")]
    assert [write.destination for write in made.writes] == [
        Url(Template(("s3://b/", RUN))),
        Dataset(Template(("d-", RUN)), path=Template(("x",))),
    ]
    assert [(point.path.parts, point.interval) for point in made.checkpoints] == [
        ((OUTPUT, "/ck"), 300),
        (("/rel",), 2),
    ]
    assert made.checkpoints[0].url.parts == ("gs://b/", RUN)


def test_base64_is_left_alone():
    made = lower(wf("files: [{path: /f, contents: e3tvdXRwdXR9fSQk, base64: true}]")).tasks[-1]
    assert (made.files[0].contents.literal, made.files[0].encoded) == ("e3tvdXRwdXR9fSQk", True)


def test_a_local_file_is_rendered_and_its_tokens_are_references(tmp_path):
    (tmp_path / "s.sh").write_text("echo {{ 1 + 1 }} {{output}} /osmo/data/input/0\n")
    made = lower(wf("files: [{path: /f, localpath: s.sh}]"), folder=tmp_path).tasks[-1]
    assert made.files[0].contents.parts == ("echo 2 ", OUTPUT, " ", read_in(0), "\n")
    assert made.files[0].local_path == "s.sh"


def test_a_parameter_that_a_local_file_uses_too_is_told(tmp_path):
    (tmp_path / "s.sh").write_text("echo {{ x }}\n")
    text = wf('args: ["{{ x }}"]', "files: [{path: /f, localpath: s.sh}]")
    diagnostics = Diagnostics()
    made = read((Source("wf", text),), ReadSettings(values=("x=7",), folder=tmp_path), diagnostics)
    assert made is not None
    assert made.tasks[-1].files[0].contents.literal == "echo 7\n"
    assert [(item.code.id, item.message) for item in diagnostics] == [
        ("PWX2120", "the local file is built in with `x` at `7`")
    ]


# Kubernetes


KUBERNETES = [
    ("$(A)", (variable("A"),)),
    ("x$(A)y$(B)", ("x", variable("A"), "y", variable("B"))),
    ("$(NONE) $(date)", ("$(NONE) $(date)",)),
    ("$$", ("$",)),
    ("$$(A)", ("$(A)",)),
    ("$$$(A)", ("$", variable("A"))),
    ("$A ${A} $", ("$A ${A} $",)),
    ("$(A", ("$(A",)),
    ("$(SECRET)", (variable("SECRET"),)),
    ("{{output}}$$/$(A)", (OUTPUT, "$/", variable("A"))),
]


@pytest.mark.parametrize(("text", "parts"), KUBERNETES)
def test_kubernetes_expands_commands_and_not_files(text, parts):
    made = lower(
        wf(
            f"command: [{json.dumps(text)}]",
            f"args: [{json.dumps(text)}]",
            "environment: {A: a, B: b}",
            "credentials: {c: {SECRET: key}}",
            f"files: [{{path: /f, contents: {json.dumps(text)}}}]",
        )
    )
    assert arguments(made) == [parts, parts]
    assert made.tasks[-1].files[0].contents.fill(lambda hole: "{{output}}" if hole == OUTPUT else "?") == text


def test_a_variable_sees_those_before_it_in_the_order_of_their_names():
    made = lower(wf("environment: {B: $(A) $(C), C: $$x, A: $(A)}")).tasks[-1]
    assert {item.name: item.value.parts for item in made.environment} == {
        "B": (variable("A"), " $(C)"),
        "C": ("$x",),
        "A": ("$(A)",),
    }
    assert [item.name for item in made.environment] == ["B", "C", "A"]


# exit actions


@pytest.mark.parametrize(
    ("written", "rules"),
    [
        ("{COMPLETE: 0-10, RESCHEDULE: 137}", [("complete", ((0, 10),)), ("retry", ((137, 137),))]),
        ("{reschedule: 1, complete: 2, fail: 3}", [("fail", ((3, 3),)), ("complete", ((2, 2),)), ("retry", ((1, 1),))]),
        ("{Complete: '1,3-5,9'}", [("complete", ((1, 1), (3, 5), (9, 9)))]),
        ("{FAIL: 1-23-4}", [("fail", ((1, 4),))]),
    ],
)
def test_exit_rules_stand_in_the_order_in_which_osmo_asks(written, rules):
    made = lower(wf(f"exitActions: {written}")).tasks[-1]
    assert [(rule.action.value, rule.codes) for rule in made.exit_rules] == rules
    retries = [rule.retry for rule in made.exit_rules if rule.action is ExitAction.RETRY]
    assert all(retry is not None and retry.limit is None for retry in retries)


def test_overlapping_exit_actions_are_kept_and_the_first_rule_is_osmo_s():
    made = lower(wf("exitActions: {COMPLETE: 0-10, RESCHEDULE: 5-20, FAIL: 7}"), strict=False).tasks[-1]
    first = {
        code: next(r.action for r in made.exit_rules if r.codes[0][0] <= code <= r.codes[0][1]) for code in (5, 7, 11)
    }
    assert first == {5: ExitAction.COMPLETE, 7: ExitAction.FAIL, 11: ExitAction.RETRY}


def test_a_range_that_matches_nothing_makes_no_rule():
    assert lower(wf("exitActions: {FAIL: 9-1}"), strict=False).tasks[-1].exit_rules == ()


# groups


def test_edges_are_between_units():
    made = lower(
        "workflow:\n  name: w\n  groups:\n"
        "  - {name: g, tasks: [{name: a, image: x, command: [sh], lead: true}, {name: b, image: x, command: [sh]}]}\n"
        "  - {name: h, barrier: false, ignoreNonleadStatus: no, tasks: [{name: c, image: x, command: [sh],\n"
        "     inputs: [{task: b}, {task: a}, {task: 'old-3:z'}]}]}\n"
        "  timeout: {exec_timeout: 2h, queue_timeout: 0}\n"
    )
    g, h = made.gangs
    assert (g.members, g.lead, g.barrier, g.status.value, g.needs) == (("a", "b"), "a", True, "lead", ())
    assert (h.members, h.lead, h.barrier, h.status.value) == (("c",), "c", False, "all")
    assert [edge.parent for edge in h.needs] == ["g"]
    assert [(gang.run_timeout, gang.queue_timeout) for gang in made.gangs] == [(7200, None)] * 2
    assert all(task.needs == () and task.run_timeout is None for task in made.tasks)
    assert [(read.origin.task, read.origin.run) for read in made.tasks[2].reads] == [
        ("b", None),
        ("a", None),
        ("z", "old-3"),
    ]


def test_a_group_of_one_and_a_plain_task_have_their_own_host_name_only():
    one = "{name: a, image: x, command: [sh, '{{host:a}}', '{{host:b}}']}"
    two = "{name: b, image: x, command: [sh]}"
    plain = lower(f"workflow: {{name: w, tasks: [{one}, {two}]}}\n#" + "{{'{{'}}", strict=False)
    grouped = lower(
        f"workflow: {{name: w, groups: [{{name: g, tasks: [{one}]}}, {{name: h, tasks: [{two}]}}]}}", strict=False
    )
    for made in (plain, grouped):
        parts = [argument.parts for argument in made.tasks[0].steps[0].work.arguments]
        assert parts == [("sh",), (host("a"),), ("{{host:b}}",)]
    assert (len(plain.gangs), [gang.lead for gang in grouped.gangs]) == (0, ["a", "b"])


# parameters


def inputs_of(workflow: Workflow) -> dict[str, tuple[InputType, object]]:
    return {item.name: (item.type, item.default) for item in workflow.inputs}


def test_parameters_stay_in_every_text_and_number():
    made = lower(
        wf(
            "args: ['{{ s }} {{ n }}', \"{{ s | default('x') }}\", '{{ cfg.deep.er }}']",
            "environment: {V: '{{ f }}', W: '{{ b }}'}",
            "files:\n- path: '/{{ s }}'\n  contents: |\n    {{ t | indent(8) }}",
            "outputs: [{url: 's3://b/{{ s }}'}]",
            "checkpoint: [{path: '{{ p }}', url: s3://b, frequency: '{{ d }}'}]",
            tail="  resources: {default: {cpu: {{ n }}, gpu: '{{ n }}', memory: '{{ n }}Gi', storage: '{{ m }}',"
            " platform: '{{ s }}'}}\n  timeout: {exec_timeout: '{{ d }}'}\n"
            'default-values: {s: text, n: 4, f: 2.5, b: true, t: "a\\nb", p: /w, d: 5m, m: 1Ti, '
            "cfg: {deep: {er: v}}}\n",
        )
    )
    assert inputs_of(made) | {"cfg": None} == {
        "s": (InputType.STRING, "text"),
        "n": (InputType.INTEGER, 4),
        "f": (InputType.NUMBER, 2.5),
        "b": (InputType.BOOLEAN, True),
        "t": (InputType.TEXT, "a\nb"),
        "p": (InputType.STRING, "/w"),
        "d": (InputType.STRING, "5m"),
        "m": (InputType.STRING, "1Ti"),
        "cfg": None,
    }
    task, (record,) = made.tasks[-1], made.resources
    assert arguments(made)[1:] == [(param("s"), " ", param("n")), (param("s"),), (param("cfg", "deep", "er"),)]
    printed = Conditional(param("b"), Literal("True"), Literal("False"))  # as Python prints it
    assert [item.value.parts for item in task.environment] == [(param("f"),), (printed,)]
    assert (task.files[0].path.parts, task.files[0].contents.parts) == (("/", param("s")), (param("t"), "\n"))
    assert task.checkpoints[0].path.parts == (param("p"),)
    assert task.checkpoints[0].interval == Call("duration", (param("d"),))
    assert (record.cpus, record.gpus) == (param("n"), param("n"))
    assert record.memory == Binary("*", param("n"), Literal(2**30))
    assert record.storage == Call("quantity", (param("m"),))
    assert record.platform == Template((param("s"),))
    assert task.run_timeout == Call("duration", (param("d"),))
    ((group,),) = (tuple(item for item in made.inputs if item.name == "cfg"),)
    assert (group.type, group.items[0].type, group.items[0].items[0].default) == (InputType.GROUP, InputType.GROUP, "v")


def test_empty_defaults_stay_where_the_text_is_quoted():
    made = lower(wf("args: ['{{ e }}', 'x{{ e }}']", tail="default-values: {e: ''}\n"))
    assert arguments(made)[1:] == [(param("e"),), ("x", param("e"))]
    assert [(item.default, item.has_default, item.optional) for item in made.inputs] == [("", True, True)]


def test_a_default_of_nothing_is_python_s_word_for_it():
    made = lower(wf("args: ['{{ e }}']", tail="default-values: {e: }\n"), strict=False)
    assert arguments(made)[1] == ("None",)


FROZEN = {
    "a loop": ("args:\n{% for i in range(x) %}\n    - a\n{% endfor %}", "x: 2"),
    "a condition": ("args: [a{% if x %}b{% endif %}]", "x: 2"),
    "a quotient": ("args: ['{{ x / 2 }}']", "x: 2"),
    "a filter": ("args: ['{{ x | upper }}']", "x: a"),
    "a name of a resource": ("resource: '{{ x }}'", "x: default"),
    "a pattern": ("outputs: [{url: s3://b, regex: '{{ x }}'}]", "x: a"),
    "a key": ("environment: {'{{ x }}': b}", "x: A"),
    "several arguments": ("args: {{ x }}", "x: [a, b]"),
    "unquoted text that is a number to YAML": ("args: [{{ x }}]", "x: '0x10'"),
    "an exit action": ("exitActions: {FAIL: '{{ x }}'}", "x: 3"),
    "a part of a token": ("args: ['{% raw %}{{input:{% endraw %}{{ x }}{% raw %}}}{% endraw %}']", "x: 1"),
    "a part of a folder of OSMO's": ("args: ['/osmo/data/input/{{ x }}/f']", "x: 1"),
    "the name of a variable of Kubernetes": ("args: ['$({{ x }})']\nenvironment: {A: b}", "x: A"),
    "a token as its value": ("args: ['{{ x }}']", "x: '{{output}}/y'"),
    "a folder of OSMO's as its value": ("args: ['{{ x }}']", "x: /osmo/data/output/y"),
}


@pytest.mark.parametrize("name", FROZEN)
def test_a_variable_with_any_other_use_is_frozen_at_its_value(name):
    line, default = FROZEN[name]
    text = wf(line, tail=f"default-values: {{{default}}}\n")
    diagnostics = Diagnostics()
    made = read((Source("wf.yaml", text),), ReadSettings(), diagnostics)
    assert made is not None, [item.message for item in diagnostics]
    assert made.inputs == ()
    frozen = [item for item in diagnostics if item.code.id == "PWX2120"]
    assert len(frozen) == 1
    assert frozen[0].message.startswith("parameter `x` is frozen at ")
    assert frozen[0].span is not None


def test_a_frozen_value_is_the_value_that_osmo_sees():
    tail = "default-values: {x: '0x10', y: '{{output}}/y', z: A, n: 1}\n"
    made = lower(
        wf("args: [{{ x }}, '{{ y }}', '$({{ z }})', '/osmo/data/input/{{ n }}/f']", "environment: {A: b}", tail=tail),
        strict=False,
    )
    assert arguments(made)[1:] == [("16",), (OUTPUT, "/y"), (variable("A"),), (read_in(1), "/f")]


def test_a_command_substitution_keeps_its_parameter():
    made = lower(wf("args: ['echo $(date {{ x }})']", "environment: {A: b}", tail="default-values: {x: +%F}\n"))
    assert arguments(made)[1] == ("echo $(date ", param("x"), ")")


def test_a_value_from_the_command_line_is_the_new_default():
    text = wf("args: ['{{ x }} {{ y }}']", tail="default-values: {x: 1}\n")
    made = lower(text, x="2", y="007")
    assert inputs_of(made) == {"x": (InputType.INTEGER, 2), "y": (InputType.INTEGER, 7)}


PIECES = st.sampled_from(
    [
        "{{ a }}",
        "{{ b }}",
        "{{ c.d }}",
        "{{a|default(9)}}",
        "{{output}}",
        "{{input:0}}",
        "$HOME ",
        " ",
        "/",
        "x",
        "$$",
        "é",
    ]
)
WORDS = st.text(
    st.characters(codec="utf-8", exclude_characters='{}<>$\\"\ue000\ue001', exclude_categories=("C", "Z")), max_size=6
)
VALUES = st.fixed_dictionaries({"a": WORDS, "b": st.integers(-9, 10**6), "c": WORDS})


@settings(max_examples=40, deadline=None)
@given(args=st.lists(st.lists(PIECES, max_size=6).map("".join), min_size=1, max_size=3), one=VALUES, other=VALUES)
def test_filling_the_holes_is_rendering_with_other_values(args, one, other):
    """What the parameters promise: the IR with other values is what compiling with those values gives."""
    tasks = [_task("up"), _task("a") | {"args": args, "inputs": [{"task": "up"}]}]
    quoted = yaml.safe_dump({"name": "w", "tasks": tasks}, allow_unicode=True, width=10**6, default_style='"')
    spec = "workflow:\n" + textwrap.indent(quoted, "  ")

    def meaning(values: dict[str, Any], override: dict[str, Any] | None = None) -> Any:
        defaults = {"a": values["a"], "b": values["b"], "c": {"d": values["c"]}}
        text = spec + yaml.safe_dump({"default-values": defaults}, allow_unicode=True)
        ours = Ours(lower(text, strict=False))
        assert {path[0] for path in ours.values} == {"a", "b", "c"}
        if override is not None:
            ours.values.update({("a",): override["a"], ("b",): override["b"], ("c", "d"): override["c"]})
        return ours.meaning()["groups"]["a-group"]["tasks"]["a"]["command"]

    assert meaning(one, other) == meaning(other)


def _task(name: str) -> dict[str, Any]:
    return {"name": name, "image": "x", "command": ["sh"]}
