"""Every fault of a specification: a small file that has it, marked «so» at its place, and one beside it without."""

from __future__ import annotations

import re
import textwrap

import pytest

from pwxc.diagnostics import Diagnostic, Diagnostics
from pwxc.registry import ReadSettings
from pwxc.source import Source
from pwxc_targets.osmo import codes as C  # noqa: N812
from pwxc_targets.osmo.read import read

LONG = "n" * 59
FULL = "n" * 64


def spec(*lines: str) -> str:
    """Make a workflow of one task from the lines of its map, or of whole lines that begin with a blank."""
    given = "\n".join(lines)
    keys = {line.split(":")[0] for line in lines}
    base = {"name": "a", "image": "ubuntu:22.04", "command": "[sh]"}
    rest = [f"{key}: {value}" for key, value in base.items() if key not in keys]
    return "workflow:\n  name: w\n  tasks:\n  -\n" + textwrap.indent("\n".join([*rest, given]), "    ") + "\n"


def tasks(*items: str, tail: str = "") -> str:
    lines = [f"  - {{image: x, command: [sh], {item}}}" for item in items]
    return "workflow:\n  name: w\n  tasks:\n" + "\n".join(lines) + "\n" + tail


def group(*items: str, name: str = "g") -> str:
    lines = [f"    - {{image: x, command: [sh], {item}}}" for item in items]
    return f"workflow:\n  name: w\n  groups:\n  - name: {name}\n    tasks:\n" + "\n".join(lines) + "\n"


def lint(text: str, **settings: object) -> tuple[list[Diagnostic], Source]:
    source = Source("wf.yaml", text)
    diagnostics = Diagnostics()
    read((source,), ReadSettings(**settings), diagnostics)
    return list(diagnostics), source


def places(item: Diagnostic) -> tuple[int, int]:
    assert item.span is not None
    span = item.span.resolve()
    return span.start, span.end


CASES = [
    # names
    (C.BAD_NAME, "`1a` is not a name that OSMO takes", spec("name: «1a»"), spec("name: a1")),
    (C.BAD_NAME, "`a-` is not a name that OSMO takes", spec('name: «"a-"»'), spec("name: a-b")),
    (
        C.BAD_NAME,
        "`{{workflow_id}}` is not a name that OSMO takes",
        spec('name: «"{{workflow_id}}"»'),
        spec('args: ["{{workflow_id}}"]'),
    ),
    (
        C.BAD_NAME,
        "`w-1:b:c` is not a task's name",
        spec("inputs: [{task: «'w-1:b:c'»}]"),
        spec("inputs: [{task: 'w-1:b'}]"),
    ),
    (
        C.LONG_NAME,
        f"`{'n' * 20}…` has 59 characters, the limit in a plain list is 58",
        spec(f"name: «{LONG}»"),
        spec(f"name: {LONG[1:]}"),
    ),
    (
        C.LONG_NAME,
        f"`{'n' * 20}…` has 65 characters, the limit is 64",
        group("name: a", name=f"«{FULL}n»"),
        group("name: a", name=FULL),
    ),
    (
        C.LONG_NAME,
        f"`{'n' * 20}…` has 65 characters, the limit is 64",
        spec().replace("name: w", f"name: «{FULL}n»"),
        spec().replace("name: w", f"name: {FULL}"),
    ),
    (
        C.SAME_NAME,
        "two tasks or groups are called `A-B`",
        tasks("name: a_b", "name: «A-B»"),
        tasks("name: a_b", "name: AB"),
    ),
    (
        C.SAME_NAME,
        "task `a` becomes the group `a-group`, and that name is taken",
        tasks("name: «a»", "name: a-group"),
        tasks("name: a", "name: agroup"),
    ),
    (C.SAME_NAME, "two tasks or groups are called `g`", group("name: «g»"), group("name: h")),
    (C.RESERVED_NAME, "a task cannot be called `OSMO_ctrl`", spec("name: «OSMO_ctrl»"), spec("name: osmo-ctl")),
    # scalars
    (
        C.BAD_DURATION,
        "cannot read `1h30m` as a duration",
        spec() + "  timeout: {exec_timeout: «1h30m»}\n",
        spec() + "  timeout: {exec_timeout: 90m}\n",
    ),
    (
        C.BAD_DURATION,
        "a duration is due here, not a boolean",
        spec("checkpoint: [{path: /w, url: s3://b, frequency: «true»}]"),
        spec("checkpoint: [{path: /w, url: s3://b, frequency: PT1M}]"),
    ),
    (
        C.BAD_QUANTITY,
        "`16GB` has the unit `GB`, which OSMO does not know",
        spec() + "  resources: {default: {memory: «16GB»}}\n",
        spec() + "  resources: {default: {memory: 16GiB}}\n",
    ),
    (
        C.BAD_QUANTITY,
        "`-1Gi` is an amount without a number",
        spec() + "  resources: {default: {storage: «-1Gi»}}\n",
        spec() + "  resources: {default: {storage: 1.5Gi}}\n",
    ),
    (
        C.BAD_REGEX,
        "`*.txt` is not a regular expression: nothing to repeat at position 0",
        spec("outputs: [{url: s3://b, regex: «'*.txt'»}]"),
        spec("outputs: [{url: s3://b, regex: '.*\\.txt'}]"),
    ),
    # shape
    (
        C.TASKS_AND_GROUPS,
        "a workflow cannot have both `tasks` and `groups`",
        spec() + "  groups: «[{name: g, tasks: [{name: b, image: x, command: [sh]}]}]»\n",
        spec() + "  groups: []\n",
    ),
    (C.NO_TASKS, "the workflow has no task", "workflow:\n  «name: w\n  tasks: []»\n", spec()),
    (
        C.NO_TASKS,
        "group `g` has no task",
        "workflow:\n  name: w\n  groups:\n  - {name: g, tasks: «[]»}\n",
        group("name: a"),
    ),
    (
        C.LEADS,
        "group `g` has 0 leads and needs exactly one",
        group("name: a", "name: b", name="«g»"),
        group("name: a", "name: b, lead: true"),
    ),
    (
        C.LEADS,
        "group `g` has 2 leads and needs exactly one",
        group("name: a, lead: yes", "name: b, lead: «1»"),
        group("name: a, lead: no", "name: b, lead: 1"),
    ),
    (C.NO_COMMAND, "task `a` has no command", spec("command: «[]»"), spec("command: [sh]")),
    (C.MANY_TASKS, None, tasks(*(f"name: t{n}" for n in range(21))).replace("name: w", "name: «w»"), None),
    (C.MANY_TASKS, None, None, tasks(*(f"name: t{n}" for n in range(20)))),
    # files
    (
        C.FILE_PATH,
        "a file cannot be put at `/osmo/x`",
        spec("files: [{path: «/osmo/x», contents: ''}]"),
        spec("files: [{path: /osmo/data/output/x, contents: ''}]"),
    ),
    (
        C.FILE_PATH,
        "task `a` has two files at `/x`",
        spec("files:", "- {path: /x, contents: a}", "- {path: «/x», contents: b}"),
        spec("files:", "- {path: /x, contents: a}", "- {path: //x, contents: b}"),
    ),
    (
        C.FILE_CONTENTS,
        "a file has `contents` or `localpath`, not both",
        spec("files: [{path: /x, contents: a, localpath: «b.sh»}]"),
        spec("files: [{path: /x, contents: a}]"),
    ),
    (
        C.FILE_CONTENTS,
        "the file `/x` has no `contents`",
        spec("files: [{path: «/x»}]"),
        spec("files: [{path: /x, contents: ''}]"),
    ),
    (
        C.LOCAL_FILE,
        "cannot read the local file `none/here.sh`: No such file or directory",
        spec("files: [{path: /x, localpath: «none/here.sh»}]"),
        spec("files: [{path: /x, localpath: /dev/null}]"),
    ),
    # exit actions
    (C.EXIT_ACTION, "`RESTART` is no exit action", spec("exitActions: {RESTART: «1»}"), spec("exitActions: {fail: 1}")),
    (
        C.EXIT_CODES,
        "`1, 2` is not a list of exit codes",
        spec("exitActions: {COMPLETE: «'1, 2'»}"),
        spec("exitActions: {COMPLETE: '1,2'}"),
    ),
    (
        C.EXIT_OVERLAP,
        "exit code 3 is claimed by `COMPLETE` and `FAIL`",
        spec("exitActions:", "  COMPLETE: 0-5", "  FAIL: «3»"),
        spec("exitActions:", "  COMPLETE: 0-5", "  FAIL: 6"),
    ),
    (
        C.EXIT_NOTHING,
        "the range `9-1` matches no code",
        spec("exitActions: {FAIL: «9-1»}"),
        spec("exitActions: {FAIL: 1-9}"),
    ),
    # data
    (
        C.INPUT_FORM,
        "`task` or `url` is missing here",
        spec("inputs:", "- «{regex: x}»"),
        spec("inputs: [{url: s3://b}]"),
    ),
    (
        C.INPUT_FORM,
        "`task` and `url` cannot stand in one item",
        tasks("name: b", "name: a, inputs: [{task: b, url: «s3://b»}]"),
        tasks("name: b", "name: a, inputs: [{task: b}, {url: s3://b}]"),
    ),
    (
        C.INPUT_FORM,
        "the `regex` of a dataset stands inside it",
        spec("inputs: [{dataset: {name: d}, regex: «x»}]"),
        spec("inputs: [{dataset: {name: d, regex: x}}]"),
    ),
    (
        C.UNKNOWN_TASK,
        "there is no task `B`",
        tasks("name: b", "name: a, inputs: [{task: «B»}]"),
        tasks("name: b", "name: a, inputs: [{task: b}]"),
    ),
    (
        C.TASK_ORDER,
        "`b` does not stand before this task",
        tasks("name: a, inputs: [{task: «b»}]", "name: b"),
        tasks("name: b", "name: a, inputs: [{task: b}]"),
    ),
    (
        C.TASK_ORDER,
        "`a` does not stand before this task",
        group("name: a, lead: true", "name: b, inputs: [{task: «a»}]"),
        group("name: a, lead: true", "name: b, inputs: [{task: 'w-1:a'}]"),
    ),
    (
        C.UNKNOWN_RESOURCE,
        "there is no resource `big`",
        spec("resource: «big»") + "  resources: {Big: {}}\n",
        spec("resource: big") + "  resources: {big: {}}\n",
    ),
    (
        C.UNKNOWN_RESOURCE,
        "task `a` names no resource, and `resources` has no `default`",
        spec("name: «a»") + "  resources: {big: {}}\n",
        spec("name: a") + "  resources: {default: {}}\n",
    ),
    (
        C.TOPOLOGY_KEYS,
        "tasks use different sets of topology keys",
        tasks(
            "name: a",
            "name: b, resource: r",
            tail="  resources:\n    default: {topology: [{key: rack}]}\n    r: {topology: «[{key: zone}]»}\n",
        ),
        tasks(
            "name: a",
            "name: b",
            tail="  resources:\n    default: {topology: [{key: rack}]}\n    r: {topology: [{key: zone}]}\n",
        ),
    ),
    (C.BAD_URL, "`https` is no kind of store that OSMO knows", spec("inputs: [{url: «https://x/y»}]"), spec()),
    (
        C.BAD_URL,
        "`tos://h` is not a complete tos address",
        spec("outputs: [{url: «tos://h»}]"),
        spec("outputs: [{url: 'tos://h/b'}]"),
    ),
    (
        C.BAD_DATASET,
        "`a b` is not a dataset's name",
        spec("outputs: [{dataset: {name: «a b»}}]"),
        spec("outputs: [{dataset: {name: 'b/a-{{workflow_id}}:v1'}}]"),
    ),
    # the container
    (C.BAD_IMAGE, "`docker://u:1` is not an image", spec("image: «docker://u:1»"), spec("image: localhost/u:1")),
    (
        C.BAD_IMAGE,
        "`{{workflow_id}}` is not an image",
        spec("image: «'{{workflow_id}}'»"),
        spec("image: h.io:5000/a_b/c@sha256:0aF"),
    ),
    (C.BAD_MOUNT, "`/a:/b:ro` is not a mount", spec("volumeMounts: [/c, «/a:/b:ro»]"), spec("volumeMounts: [/a:/b]")),
    (
        C.BAD_CREDENTIAL,
        "a folder or a map of environment names is due here, not a list",
        spec("credentials: {c: «[A]»}"),
        spec("credentials: {c: {A: k}, d: /secrets}"),
    ),
    (C.BAD_VALUE, "`downloadType` cannot be `mount`", spec("downloadType: «mount»"), spec("downloadType: download")),
    (C.BAD_VALUE, "`101%` is not a cache size", spec("cacheSize: «101%»"), spec("cacheSize: 100%")),
    (
        C.BAD_VALUE,
        "`requirementType` cannot be `soft`",
        spec() + "  resources: {default: {topology: [{key: k, requirementType: «soft»}]}}\n",
        spec() + "  resources: {default: {topology: [{key: k, requirementType: preferred}]}}\n",
    ),
    # labels
    (C.BAD_LABEL, "`a b` is not a label's name", spec() + "  labels: {a b: «x»}\n", spec() + "  labels: {a.b/c: x}\n"),
    (
        C.BAD_LABEL,
        "the value of label `a` has to be text",
        spec() + "  labels: {a: «1»}\n",
        spec() + "  labels: {a: '1'}\n",
    ),
    (C.BAD_LABEL, "`` is not a label's value", spec() + "  labels: {a: «''»}\n", spec() + "  labels: {a: b}\n"),
    (
        C.BAD_LABEL,
        "17 labels; the limit is 16",
        spec() + "  labels: «{" + ", ".join(f"l{n}: x" for n in range(17)) + "}»\n",
        spec() + "  labels: {" + ", ".join(f"l{n}: x" for n in range(16)) + "}\n",
    ),
    # keys
    (C.UNKNOWN_SPEC_KEY, "unknown key `env`", spec("«env»: {A: b}"), spec("environment: {env: b}")),
    (
        C.DUPLICATE_SPEC_KEY,
        "the key `A` stands twice in the same map",
        spec("environment: {A: 1, «A»: 2}"),
        spec("environment: {A: 1, a: 2}"),
    ),
    # tokens
    (
        C.STRAY_TOKEN,
        "`{{input:1}}` names nothing here, so OSMO leaves it in the text",
        spec("inputs: [{url: s3://b}]", 'args: ["cat «{{input:1}}»/x"]'),
        spec("inputs: [{url: s3://b}]", 'args: ["cat {{input:0}}/x"]'),
    ),
    (
        C.STRAY_TOKEN,
        "`/osmo/data/input/2` is the folder of an input that this task does not have",
        spec("args: ['cat «/osmo/data/input/2»/x']"),
        spec("args: ['cat /mnt/osmo/data/input/2/x']"),
    ),
    (
        C.STRAY_TOKEN,
        "`{{host:b}}` names nothing here, so OSMO leaves it in the text",
        tasks("name: a, args: ['«{{host:b}}»']", "name: b"),
        group("name: a, lead: true, args: ['{{host:b}}']", "name: b"),
    ),
    (
        C.FIXED_TOKEN,
        "`{{workflow_id}}` cannot be replaced here and stays in the text",
        spec("environment: {'{{workflow_id}}': «x»}"),
        spec("environment: {x: '{{workflow_id}}'}"),
    ),
    (
        C.FIXED_TOKEN,
        "`{{output}}` cannot be replaced here and stays in the text",
        spec("inputs: [{url: s3://b, regex: «'{{output}}'»}]"),
        spec("inputs: [{url: 's3://{{output}}'}]"),
    ),
    (
        C.LONE_HOST,
        "`{{host:a}}` is a name that nothing answers to in a group of one task",
        spec("environment: {H: '«{{host:a}}»:80'}"),
        group("name: a, lead: true, environment: {H: '{{host:a}}:80'}", "name: b"),
    ),
    # templates
    (
        C.FROZEN_PARAMETER,
        "parameter `n` is frozen at `2`: the file's structure depends on it",
        "workflow:\n  name: w\n  tasks:\n{% for i in range(«n») %}\n  - {name: 't{{i}}', image: x, command: [sh]}\n"
        "{% endfor %}\ndefault-values: {n: 2}\n",
        spec('args: ["{{ n }}"]') + "default-values: {n: 2}\n",
    ),
    (
        C.FROZEN_PARAMETER,
        "parameter `d` is frozen at `{{output}}/x`: its value holds what OSMO replaces later",
        spec('args: ["{{ d }}"]') + "default-values: {d: «'{{output}}/x'»}\n",
        spec('args: ["{{ d }}"]') + "default-values: {d: /x}\n",
    ),
]


def unmark(text: str) -> tuple[str, list[tuple[int, int]]]:
    """Take the marks «» out, and give the places that they enclose."""
    found = []
    while (match := re.search("«([^«»]*)»", text)) is not None:
        text = text[: match.start()] + match[1] + text[match.end() :]
        found.append((match.start(), match.end() - 2))
    return text, found


@pytest.mark.parametrize(("code", "message", "bad"), [case[:3] for case in CASES if case[2]])
def test_a_fault_is_reported_at_its_place(code, message, bad):
    text, expected = unmark(bad)
    found, _ = lint(text)
    assert [(item.code.id, places(item)) for item in found] == [(code.id, place) for place in expected]
    if message is not None:
        assert {item.message for item in found} == {message}


@pytest.mark.parametrize(("code", "good"), [(case[0], case[3]) for case in CASES if case[3]])
def test_the_same_without_the_fault_is_silent(code, good):
    found, _ = lint(good)
    assert [(item.code.id, item.message) for item in found] == []


def test_every_code_of_the_specification_is_in_the_table():
    known = {code.id for code in vars(C).values() if hasattr(code, "id") and "PWX2120" <= code.id < "PWX2200"}
    assert known - {case[0].id for case in CASES} == set()


IN_TEMPLATES = {
    "in a loop, once for each turn": (
        "workflow:\n  name: w\n  tasks:\n{% for i in range(2) %}\n  - name: t{{ i }}\n    image: «Ubuntu»\n"
        "    command: [sh]\n{% endfor %}\n",
        ["PWX2143", "PWX2143"],
    ),
    "behind an expression on the same line": (
        spec('args: ["{{ \'long\' * 9 }}", "«{{input:3}}»"]'),
        ["PWX2149"],
    ),
    "made by an expression": (spec("image: «{{ x }}»") + "default-values: {x: Ubuntu}\n", ["PWX2143"]),
    "in a literal block": (
        spec("args:", "- |", "  one", "  two «{{input:0}}» three", "- x"),
        ["PWX2149"],
    ),
    "in a folded block with an indentation indicator": (
        spec("args:", "- >2-", "    one", "  two", "  and «{{input:0}}» three", "- x"),
        ["PWX2149"],
    ),
    "in double quotes behind escapes": (spec('args: ["\\t\\u00e9 \\\n      «{{input:0}}»"]'), ["PWX2149"]),
    "in single quotes behind a doubled quote": (spec("args: ['it''s «{{input:0}}»']"), ["PWX2149"]),
    "behind a comment of Jinja": (spec("args: [x] {# nothing #}", "image: «Ubuntu»"), ["PWX2143"]),
    "with line ends of Windows": (spec("args: [x]", "image: «Ubuntu»").replace("\n", "\r\n"), ["PWX2143"]),
    "with line ends of Windows in a template": (
        spec("args: ['{{ 1 }}']", "image: «Ubuntu»").replace("\n", "\r\n"),
        ["PWX2143"],
    ),
    "in the second spelling": (spec("args: [a, «<<input:4>>»]"), ["PWX2149"]),
}


@pytest.mark.parametrize("name", IN_TEMPLATES)
def test_places_are_those_of_the_user_s_file(name):
    marked, expected = IN_TEMPLATES[name]
    text, ((low, high),) = unmark(marked)
    found, source = lint(text)
    assert [item.code.id for item in found] == expected
    assert {places(item) for item in found} == {(low, high)}
    assert all(item.span.resolve().source is source for item in found)


def test_a_line_and_a_column_are_those_an_editor_shows():
    found, source = lint("# a\nworkflow:\n  name: w\n  tasks:\n  - {name: a, image: ubuntu, command: [sh], env: {}}\n")
    assert [source.position(places(item)[0]) for item in found] == [(5, 45)]


def test_all_faults_of_a_file_are_told_at_once_and_in_order():
    text, expected = unmark(
        "workflow:\n  name: w\n  tasks:\n"
        "  - name: a\n    image: «Ubuntu»\n    command: «sleep»\n    «env»: {A: b}\n"
        "  - «name»: lost\n    image: ubuntu\n"
        "  - name: b\n    image: ubuntu\n    command: [sh]\n    inputs: [{task: a}, {task: lost}, {task: «zz»}, "
        "{url: «http://x»}]\n    resource: «gpu»\n    files: [{path: «[]», contents: x}, {path: /y, contents: «{}»}]\n"
        "  resources:\n    default: {memory: «16GB», cpu: «many»}\n"
    )
    found, _ = lint(text)
    assert sorted(places(item) for item in found) == sorted(expected)
    assert [places(item)[0] for item in found] == sorted(low for low, _ in expected)


def test_a_part_that_cannot_be_read_is_not_blamed_on_others():
    found, _ = lint(
        "workflow:\n  name: w\n  groups:\n"
        "  - name: g\n    tasks:\n    - {name: a, image: x, command: sh, lead: maybe}\n    - {name: b, image: x}\n"
        "  - name: h\n    tasks: [{name: c, image: x, command: [sh], inputs: [{task: b}, {task: a}]}]\n"
        "  - name: i\n    tasks: nothing\n"
        "  - name: j\n    tasks: [{name: 7, image: x, command: [sh], inputs: [{task: c}], resource: []}]\n"
        "  - name: k\n    tasks: [{name: d, image: [], command: [[]], "
        "inputs: [{url: 1}, {dataset: x}], outputs: [x]}]\n"
        "  resources: {big: nothing}\n"
    )
    lacking = "task `{}` names no resource, and `resources` has no `default`"
    rules = [item.message for item in found if not item.code.id.startswith("PWX10")]
    assert rules == [lacking.format(name) for name in "acd"]


@pytest.mark.parametrize("code", ["PWX2153", "osmo-unknown-key"])
def test_what_leaves_the_rest_readable_can_be_allowed(code):
    text = spec("env: {A: b}")
    import pwxc

    assert pwxc.compile(text, to="pw", origin="osmo", allow=[code]).ok
    assert not pwxc.compile(text, to="pw", origin="osmo").ok


@pytest.mark.parametrize(
    "lines", ["command: sh", "exitActions: {RESTART: 1}", "exitActions: {FAIL: x}", "files: [{path: /x}]", "name: 1a"]
)
def test_what_cannot_be_read_is_refused_even_if_it_is_allowed(lines):
    import pwxc

    codes = [item.code.id for item in lint(spec(lines))[0]]
    compiled = pwxc.compile(spec(lines), to="pw", origin="osmo", allow=codes, lossy=True)
    assert not compiled.ok
    assert any(item.severity.name == "ERROR" for item in compiled.diagnostics)
