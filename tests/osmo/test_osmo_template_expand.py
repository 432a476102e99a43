"""What is reported about a template, and where."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from pwxc.diagnostics import Diagnostic, Diagnostics
from pwxc.source import Source
from pwxc.yaml.nodes import MappingNode, Node, ScalarNode
from pwxc.yaml.schema import yaml11
from pwxc_targets.osmo.template.expand import Expanded, Settings, chosen_values, expand, render_text

HEAD = "workflow:\n  name: a\n"


def run(text: str, *given: str, strings: tuple[str, ...] = ()) -> tuple[Expanded | None, list[Diagnostic]]:
    diagnostics = Diagnostics()
    return expand(Source("f.yaml", text), Settings(given, strings), diagnostics), diagnostics.items


def data_of(node: Node) -> Any:
    if isinstance(node, ScalarNode):
        return yaml11(node)
    if isinstance(node, MappingNode):
        return {yaml11(key): data_of(value) for key, value in node.value}
    return [data_of(item) for item in node.value]


def workflow(text: str, *given: str, strings: tuple[str, ...] = ()) -> Any:
    expanded, items = run(text, *given, strings=strings)
    assert expanded is not None, [item.message for item in items]
    assert items == []
    return data_of(expanded.document.root)["workflow"]


def shown(item: Diagnostic) -> tuple[str, str, int]:
    """The code, the text that is underlined, and its line."""
    assert item.span is not None
    span = item.span.resolve()
    return item.code.id, span.text, span.source.position(span.start)[0]


REPORTS = [
    # text, [(code, underlined, line)], a word of the help or the notes of the first
    ("workflow:\n  name: a\nresources: {}\n", [("PWX2100", "resources", 3)], "indent it"),
    ("workflow:\n  name: '{{uuid}}'\nversoin: 2\n", [("PWX2100", "versoin", 3)], "`version`"),
    ("workflow:\n  a: '{{uuid}}'\nworkflow:\n  b: 1\n", [("PWX2101", "workflow", 3)], "join"),
    ("# {{ x }}\nname: a\ntasks: []\n", [("PWX2102", "", 1)], "below"),
    ("worfklow:\n  name: {{ x }}\n", [("PWX2102", "", 1)], "worfklow"),
    ("'workflow':\n  name: {{ x }}\n", [("PWX2102", "", 1)], "unquoted"),
    (HEAD + "  b: {{ x }}\n  c: {{ y }}{{ x }}\n", [("PWX2103", "x", 3), ("PWX2103", "y", 4)], "--set x="),
    (HEAD + "  b: {{ nmae }}\ndefault-values:\n  name: 1\n", [("PWX2103", "nmae", 3)], "did you mean `name`"),
    (HEAD + "  b: '{{ output }}'\n", [("PWX2103", "output", 3)], "`{{output}}`"),
    (HEAD + "  # {{ x }}\n", [("PWX2103", "x", 3)], "comments are rendered"),
    (HEAD + "  default-values:\n    x: 1\n  b: {{ x }}\n", [("PWX2103", "x", 5)], "start of a line"),
    (HEAD + "  b: ${{ x }}\n", [("PWX2103", "x", 3)], "another system"),
    (HEAD + "  {% for i in [1] %}{{ i }}{% endfor %}\n  b: {{ i }}\n", [("PWX2103", "i", 4)], ""),
    (HEAD + "  b: {{ x.x | default(1) }}{{ x }}\n", [("PWX2103", "x", 3)], ""),
    (HEAD + "  b: {{ m.y }}\ndefault-values:\n  m: {x: 1}\n", [("PWX2103", "y", 3)], ""),
    (HEAD + "  b: ${#list[@]}\n", [("PWX2104", "{#", 3)], "comment"),
    (HEAD + "  b: awk '{{print $1}}'\n", [("PWX2104", "$", 3)], "blank between"),
    (HEAD + "  b: '{{ input:0 }}'\n", [("PWX2104", ":", 3)], "`{{input:0}}`"),
    (HEAD + "  b: {{ 1 | lowr }}\n", [("PWX2104", "lowr", 3)], "`lower`"),
    (HEAD + "  {% do x %}\n", [("PWX2104", "do", 3)], "extension"),
    (HEAD + "  {% if 1 %}\n  {% for i in [] %}\n  {% endfor %}\n", [("PWX2104", "{% if 1 %}", 3)], ""),
    (HEAD + "  b: {{ (1 }}\n", [("PWX2104", "}", 3)], ""),
    (HEAD + "  b: {% raw %} x\n", [("PWX2104", "{% raw %}", 3)], ""),
    (HEAD + "  b: {{ 'a' + 1 }}\n", [("PWX2105", "{{ 'a' + 1 }}", 3)], ""),
    (HEAD + "  b: {{ ''.__class__ }}\n", [("PWX2105", "{{ ''.__class__ }}", 3)], "sandbox"),
    (HEAD + "  {% include 'x' %}\n", [("PWX2105", "{% include 'x' %}", 3)], "write the text out"),
    (HEAD + "  b: '{% raw %}{{output}}{% endraw %}'\n", [("PWX2107", "{{output}}", 3)], "out of the tag"),
    (
        HEAD + "  b: \"{{ '{{output}}/x' }}\"\n  {% set k = '{{input:0}}' %}\n  c: '{{ k }}'\n",
        [("PWX2107", "{{output}}", 3), ("PWX2107", "{{input:0}}", 4)],
        "",
    ),
    (HEAD + "default-values: [a]\n", [("PWX2109", "[a]", 3)], ""),
    (HEAD + "default-values:\n  x: {{ y }}\n", [("PWX2110", "{ y }", 4)], "quotes"),
    (HEAD + "  b: {{output}}\n", [("PWX2110", "{output}", 3)], "quotes"),
    (HEAD + "  b: {{output}}/x\n", [("PWX1006", "/", 3)], "quotes"),
    (HEAD + "  b: 2024-13-01\n", [("PWX2110", "2024-13-01", 3)], "quotes"),
    (HEAD + "  b: !thing x\n", [("PWX2110", "!thing x", 3)], ""),
    (HEAD + '  b: |\n    {{ x }}\ndefault-values:\n  x: "one\\ntwo"\n', [("PWX1006", "{{ x }}", 4)], "indent(n)"),
    ("{% set x = 1 %}\n" + HEAD + "  b: 1\n", [("PWX2111", "{% set x = 1 %}", 1)], "below"),
    # the second pass
    (HEAD + "  b: '{% raw %}{{ x }}{% endraw %}'\n", [("PWX2103", "x", 3)], "second time"),
    (HEAD + "  b: '{{ x }}'\ndefault-values:\n  x: '{{ y }}'\n", [("PWX2103", "{{ x }}", 3)], "second time"),
    ('{"workflow": {"b": "it\'s \\x7b{ y }}"}}', [("PWX2103", "y", 1)], "second time"),
]


@pytest.mark.parametrize("ends", ["\n", "\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize(("text", "reports", "words"), REPORTS)
def test_report(text: str, reports: list[tuple[str, str, int]], words: str, ends: str) -> None:
    _, items = run(text.replace("\n", ends))
    assert [shown(item) for item in items] == reports
    assert words in " ".join((items[0].help, *items[0].notes))


def test_every_use_of_an_undefined_name_is_shown() -> None:
    text = HEAD + "  b: {{ x }}\n  c: {{ y | default(x) }}{{ a.x }}\n  {% if x is defined %}{% endif %}\n  d: {{ x }}\n"
    _, items = run(text, "a=1")
    (item,) = items
    assert shown(item)[1:] == ("x", 3)
    assert [place.span.resolve().source.position(place.span.resolve().start) for place in item.related] == [
        (4, 21),
        (6, 9),
    ]


def test_a_tag_that_is_left_open_is_shown_where_it_begins() -> None:
    _, items = run(HEAD + "  b: {{ x\n  c: 1\n")
    (item,) = items
    assert shown(item) == ("PWX2104", "c", 4)
    assert [(place.span.resolve().text, place.text) for place in item.related] == [("{{", "the tag begins here")]


def test_an_item_without_equals_sign_is_an_error_for_a_plain_file_too() -> None:
    _, items = run(HEAD, "n")
    assert [item.code.id for item in items] == ["PWX2108"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("4", 4),
        ("007", 7),
        ("1_000", 1000),
        (" 5 ", 5),
        ("-3", -3),
        ("1e3", 1000.0),
        ("2.50", 2.5),
        ("inf", float("inf")),
        ("false", "false"),
        ("", ""),
        ("a=b", "a=b"),
        ("0x10", "0x10"),
    ],
)
def test_set_is_typed_as_python_types_it(text: str, value: object) -> None:
    made = chosen_values(Settings((f"n={text}",)), Diagnostics())["n"]
    assert made == value
    assert type(made) is type(value)


def test_set_string_is_text_and_wins() -> None:
    assert workflow(HEAD + "  b: '{{ n }}'\n", "n=1", "n=2", strings=("n=03",))["b"] == "03"


RAW_HOST = "  b: '{% raw %}{{host:{% endraw %}{{ n }}{% raw %}}}{% endraw %}'\n"

ACCEPTED = [
    (HEAD + "  b: |\n    x {{uuid}}\n", "b", "x {{uuid}}"),  # the section's last newline goes
    (HEAD + "  b: |\n    x\n", "b", "x\n"),  # a plain file keeps it
    (
        HEAD + "  b: '{% raw %}{{host:{% endraw %}{{ n }}{% raw %}}}{% endraw %}'\ndefault-values: {n: t}\n",
        "b",
        "{{host:t}}",
    ),
    (HEAD + "  b: '{% raw %}{{(dict(a=1)|string)[0]}}{% endraw %}{ x }}'\n", "b", "{{ x }}"),
    (HEAD + "  b: <<output>>/x\n", "b", "{{output}}/x"),
    (
        HEAD + "  b: ['<<input:0>>', \"<<host:a>>\", <<workflow_id>>]\n",
        "b",
        ["{{input:0}}", "{{host:a}}", "{{workflow_id}}"],
    ),
    (HEAD + "  b: '{{ \"<<output>>\" }}'\n", "b", "{{output}}"),
    (HEAD + "  c: '{{output}}'\n  b: '{% raw %}{{output}}{% endraw %}'\n", "b", "{{output}}"),
    (HEAD + "  b: cat <<EOF\n", "b", "cat <<EOF"),
    (HEAD + "  b: {{ x }}\ndefault-values:\n  x: on\n", "b", True),
    (HEAD + "  b: {{ x.y[1] }}\ndefault-values:\n  x: {y: [1, 010]}\n", "b", 8),
    (HEAD + "  b: {{ x }}\ndefault-values:\n  x: 1\nversion: nonsense\n", "b", 1),
    (HEAD + "  b: 1{# {{output}} {{ x }} #}\n", "b", 1),
    (HEAD + "  b: '{{ \"{{output}}\" | length }}'\n", "b", 10),
    ('{"workflow": {"name": "a", "b": 1}, "version": 2}', "b", 1),
    ("  workflow:\n    name: a\n    b: 1\n", "b", 1),
    (HEAD + "  b: {{ a }}\ndefault-values: [[a, 1]]\n", "b", 1),  # what `dict` takes
]


@pytest.mark.parametrize(("text", "key", "value"), ACCEPTED)
def test_value(text: str, key: str, value: object) -> None:
    got = workflow(text)[key]
    assert (int(got) if isinstance(value, int) and isinstance(got, str) else got) == value


def test_a_token_of_our_own_spelling_keeps_its_place() -> None:
    text = HEAD + '  b: "{{ x }} <<output>>/x"\n'
    expanded, _ = run(text, "x=1")
    assert expanded is not None
    node = expanded.document.find(expanded.document.root, "workflow", "b")
    assert isinstance(node, ScalarNode)
    assert node.value == "1 {{output}}/x"
    assert expanded.document.inner(node, 2, 12).resolve().text == "<<output>>"


def test_places_of_the_document_and_of_the_defaults_are_in_the_file() -> None:
    text = "default-values:\r\n  n: 10\r\nworkflow:\r\n  name: a-{{ n }}\r\n  b: last\r\n"
    expanded, _ = run(text)
    assert expanded is not None
    assert expanded.templated
    assert text[slice(*expanded.section)] == text[text.index("workflow") :]
    document = expanded.document
    for path, place in [("name", "a-{{ n }}"), ("b", "last")]:
        node = document.find(document.root, "workflow", path)
        assert node is not None
        assert document.span(node).resolve().text == place
    defaults = expanded.defaults_document
    assert defaults is not None
    node = defaults.find(defaults.root, "default-values", "n")
    assert node is not None
    span = defaults.span(node).resolve()
    assert (span.text, span.start) == ("10", text.index("10"))


def test_context_stands_in_for_all_values() -> None:
    diagnostics = Diagnostics()
    text = HEAD + "  b: {{ n }}\ndefault-values:\n  n: 1\n"
    expanded = expand(Source("f", text), Settings(("broken",)), diagnostics, context={"n": "mark"})
    assert expanded is not None
    assert data_of(expanded.document.root)["workflow"]["b"] == "mark"
    assert not diagnostics.items


def test_the_second_pass_knows_only_what_set_gave() -> None:
    text = HEAD + "  b: '{% raw %}{{ n }}{% endraw %}'\ndefault-values:\n  n: 1\n"
    assert workflow(text, "n=2")["b"] == "2"
    assert [item.code.id for item in run(text)[1]] == ["PWX2103"]


def test_other_scalars_are_placed_after_a_second_pass() -> None:
    text = HEAD + "  list: [first, 'it''s {% raw %}{{ n }}{% endraw %}']\n  z: after\n"
    expanded, _ = run(text, "n=2")
    assert expanded is not None
    document = expanded.document
    found = {}
    for path in [("z",), ("list", 0), ("list", 1)]:
        node = document.find(document.root, "workflow", *path)
        assert node is not None
        found[path] = document.span(node).resolve().text
    assert found[("z",)] == "after"
    assert found[("list", 0)] == "first"
    assert "n }}" in found[("list", 1)]


WHERE = Source("f.yaml", "localpath: s.sh")


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("echo {a} ${b}\n", "echo {a} ${b}\n"),
        ("cat {{output}}/x <<output>>\n", "cat {{output}}/x {{output}}\n"),
        ('n is {{ n }}, it\'s "so"\n\ttab\n', 'n is 2, it\'s "so"\n\ttab\n'),
        ("é {{ 'x' ~ n }}\n", "é x2\n"),
    ],
)
@pytest.mark.parametrize("grouped", [False, True])
def test_text_of_a_local_file(text: str, made: str, grouped: bool) -> None:
    got = render_text(text, Settings(("n=2",)), Diagnostics(), WHERE.span(11, 15), grouped=grouped)
    assert got == made


def test_fault_in_a_local_file_is_shown_there() -> None:
    diagnostics = Diagnostics()
    text = "it's {{ n }}\nx {{ lost }}\n"
    assert render_text(text, Settings(("n=2",)), diagnostics, WHERE.span(11, 15)) is None
    (item,) = diagnostics.items
    assert shown(item) == ("PWX2103", "lost", 2)
    assert item.span is not None
    assert item.span.resolve().source.name == "s.sh"
    assert [place.span.text for place in item.related] == ["s.sh"]


PROGRAM = """
import sys
from pwxc.diagnostics import Diagnostics
from pwxc.source import Source
from pwxc_targets.osmo.template.expand import Settings, expand
text = "workflow:\\n  name: a\\n  b: '{{output}}'\\ndefault-values: {n: 1}\\n"
assert expand(Source("f", text), Settings(), Diagnostics()) is not None
sys.exit("jinja2" in sys.modules)
"""


def test_tokens_alone_need_no_jinja() -> None:
    paths = f"import sys; sys.path[:0] = {sys.path!r}\n"
    assert subprocess.run([sys.executable, "-c", paths + PROGRAM], check=False).returncode == 0
