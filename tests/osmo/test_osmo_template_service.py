"""Against OSMO's procedure done step by step: cut, render, load, dump, and all of it again."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jinja2 import StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

from pwxc.diagnostics import Diagnostics
from pwxc.source import Source
from pwxc_targets.osmo.template.expand import Settings, expand

MARKS = ("{%", "{{", "{#", "default-values")
TOKENS = re.compile(r"\{\{(uuid|workflow_id|output|input:[^}]+|host:[^}]+)\}\}")
NAMES = {"workflow", "default-values", "version"}


def load(text: str) -> Any:
    """Load with libyaml, as pwxc does; PyYAML's own scanner differs a little in where tabs may stand."""
    return yaml.load(text, yaml.CSafeLoader)


def plain(value: Any) -> str:
    """A text that tells types apart and forgets the order of keys."""
    if isinstance(value, dict):
        return "{" + ", ".join(sorted(f"{plain(key)}: {plain(item)}" for key, item in value.items())) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(plain, value)) + "]"
    return repr(value)


def service(text: str, chosen: dict[str, object]) -> str:
    """One dry run of the service."""
    heads = [*re.finditer(r"(?m)^([a-zA-Z][a-zA-Z0-9_-]*):", text)]
    sections: dict[str, str] = {}
    for number, head in enumerate(heads):
        end = heads[number + 1].start() if number + 1 < len(heads) else len(text)
        assert head[1] in NAMES
        assert head[1] not in sections
        sections[head[1]] = text[head.start() : end]
    values: dict[str, Any] = {}
    if "default-values" in sections:
        values = load(sections["default-values"])["default-values"] or {}
    values = {**values, **chosen}

    def hide(token: re.Match[str]) -> str:
        name = f"hash{abs(hash(token[0]))}"
        values[name] = token[0]
        return "{{" + name + "}}"

    template = TOKENS.sub(hide, sections["workflow"])
    rendered = SandboxedEnvironment(undefined=StrictUndefined).from_string(template).render(values)
    return str(yaml.dump(load(rendered)))


def submitted(text: str, chosen: dict[str, object]) -> Any:
    """What the service loads in the end."""
    if any(mark in text for mark in MARKS):
        text = service(text, chosen)
    else:
        data = load(text)
        assert "workflow" in data
        text = yaml.dump(data)
    return load(service(text, chosen))["workflow"]


def attempt(make: Callable[[], Any]) -> tuple[bool, Any]:
    try:
        return True, make()
    except Exception:  # any refusal counts
        return False, None


FRAGMENTS = [
    "{{ x }}",
    "{{ y }}",
    "{{output}}",
    "{{ output }}",
    "{{input:0}}",
    "{{{output}}}",
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "#}",
    "{# {{ z }} #}",
    "{% if x %}",
    "{% endif %}",
    "{% for i in [1, 2] -%}",
    "{{ i }}",
    "{%- endfor %}",
    "{% raw %}",
    "{% endraw %}",
    "{% raw %}{{ x }}{% endraw %}",
    "{% raw %}{{output}}{% endraw %}",
    "{% raw %}{{(dict(a=1)|string)[0]}}{% endraw %}{ x }}",
    "{{ '{{output}}' }}",
    "{{ '{{ x }}' }}",
    "it's",
    '"',
    "'",
    "a b",
    " é",
    "\t",
    "#",
    "${a}",
    "x: 1",
    "010",
    "on",
    "<<EOF",
    "\\x7b",
    "[",
    "]",
    "{a: b}",
    "\n  ",
    "\n  k: ",
    "\n    ",
    "\n  t: |\n    ",
    "\n",
    "\nversion: 2\n",
    "\ndefault-values:\n  y: 5\n",
    "\ndefault-values: {y: '{{ x }}'}\n",
    "\n  default-values:\n    y: 5\n",
]
parts = st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=9)
files = parts.map(lambda found: "workflow:\n  n: " + "".join(found))


def as_data(document: Any) -> Any:
    """Load the document's own text again, as PyYAML does."""
    return load(document.source.text)["workflow"]


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(files, st.sampled_from([(), ("x=7",), ("x=7", "y=it's")]))
def test_verdict_and_data_are_those_of_the_service(text: str, given_values: tuple[str, ...]) -> None:
    chosen: dict[str, object] = {}
    for item in given_values:
        name, _, value = item.partition("=")
        chosen[name] = int(value) if value.isdigit() else value
    accepted, data = attempt(lambda: submitted(text, chosen))
    diagnostics = Diagnostics()
    expanded = expand(Source("f", text), Settings(given_values), diagnostics)
    assert diagnostics.failed != accepted, [item.message for item in diagnostics]
    for item in diagnostics:
        if item.span is not None:
            span = item.span.resolve()
            assert span.source.text == text
            assert 0 <= span.start <= span.end <= len(text)
    if accepted:
        assert expanded is not None
        assert plain(as_data(expanded.document)) == plain(data)
