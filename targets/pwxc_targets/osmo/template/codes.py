"""What templates and documents have to say: rows PWX21xx."""

from __future__ import annotations

from pwxc.diagnostics import error, note, warning

UNKNOWN_SECTION = error(
    "PWX2100",
    "osmo-unknown-top-level-key",
    "A file may have `workflow`, `default-values` and `version` at the top level and nothing else.",
    "Correct the spelling, remove the key, or indent it so that it stands below `workflow`.",
    "workflow:\n  name: a\nresources: {}",
)

DUPLICATE_SECTION = error(
    "PWX2101",
    "osmo-duplicate-top-level-key",
    "A file with template marks is cut at its column-0 keys before it is YAML, and each may stand there once.",
    "Join the two sections.",
    'workflow: {name: "{{ a }}"}\nworkflow: {name: b}',
)

NO_WORKFLOW = error(
    "PWX2102",
    "osmo-no-workflow",
    "The file has no `workflow`, which holds the specification.",
    "Put everything but `default-values` and `version` below `workflow:`. In a file with template marks that key "
    "has to stand unquoted at the start of a line.",
    "default-values: {a: 1}      # and nothing else",
)

UNDEFINED_NAME = error(
    "PWX2103",
    "osmo-undefined-name",
    "A template expression uses a name that has no value. Values come from `default-values`, `--set` and "
    "`--set-string`, and from nowhere else. Comments of the file are rendered too.",
    "Give the value with `--set NAME=VALUE`, or add a default. A special token is written without blanks: "
    "`{{output}}`, not `{{ output }}`.",
    "workflow:\n  name: train-{{ size }}",
)

TEMPLATE_SYNTAX = error(
    "PWX2104",
    "osmo-template-syntax",
    "The `workflow` section is not a Jinja template. Shell, awk and other systems' expressions are hit too: "
    "`{{`, `{%` and `{#` mean Jinja wherever they stand.",
    "Correct the expression. Where two braces are meant as text, put a blank between them, or write the first as "
    "`{% raw %}{{(dict(a=1)|string)[0]}}{% endraw %}`, which survives both passes.",
    "args: ['${#list[@]}']",
)

TEMPLATE_FAILED = error(
    "PWX2105",
    "osmo-template-failed",
    "The template is well formed, but rendering it failed: a wrong type, an attribute that the sandbox refuses, a "
    "loader that is not there.",
    "Correct the expression that is marked.",
    "name: {{ 'x' + 1 }}",
)

TEMPLATE_COSTLY = error(
    "PWX2106",
    "osmo-template-too-costly",
    "Rendering took more time or memory than any workflow needs, or made too much text. OSMO bounds it as well.",
    "Look for a loop or a power over large numbers, or for a macro that calls itself.",
    "name: {{ 9**9**9 }}",
)

TOKEN_IN_TAG = error(
    "PWX2107",
    "osmo-token-inside-a-tag",
    "A special token stands inside a tag, a text of an expression or a raw block. OSMO puts a placeholder in the "
    "token's place before it renders, and the placeholder comes out undefined.",
    "Move the token out of the tag: `{{output}}/{{ x }}`.",
    "args: [\"{{ '{{output}}/x' }}\"]",
)

BAD_SET_ITEM = error(
    "PWX2108",
    "osmo-bad-set-item",
    "An item of `--set` or `--set-string` has no `=`.",
    "Write `NAME=VALUE`; the value may be empty.",
    "pwxc compile train.yaml --to pw --set epochs",
)

BAD_DEFAULTS = error(
    "PWX2109",
    "osmo-bad-default-values",
    "`default-values` has to be a map of names to values.",
    "Write `NAME: VALUE` lines below it.",
    "default-values:\n- n: 1",
)

UNLOADABLE = error(
    "PWX2110",
    "osmo-unloadable-yaml",
    "The text is YAML, but its loader cannot make a value of a part: a list or map as a key, an unknown tag, a date "
    "that does not exist.",
    'Quote the value. A token or an expression that opens a value needs quotes: `"{{output}}"`.',
    "args: [{{output}}/x]",
)

DROPPED_HEAD = note(
    "PWX2111",
    "osmo-text-above-the-first-section",
    "Everything above the first column-0 key is dropped before rendering, template tags as well.",
    "Move the tag below `workflow:`.",
    "{% set n = 3 %}\nworkflow:\n  name: a",
)

LONG_RANGE = error(
    "PWX2112",
    "osmo-long-range",
    "The sandbox of the service refuses a `range` of more than 100,000 numbers, so OSMO refuses the file. Other "
    "systems may take a sweep of that size.",
    "Split the workflow, or allow this code to compile for a system without such a limit.",
    "{% for i in range(1000000) %}",
)

FROZEN_PARAMETER = warning(
    "PWX2120",
    "osmo-frozen-parameter",
    "A template variable decides the structure of the file (a loop, a condition, a name, a number inside an "
    "expression), so it cannot stay a parameter of the output. Its value of now is built in.",
    "Compile once for each value you need, with `--set NAME=VALUE`.",
    "tasks:\n{% for i in range(n) %}",
)
