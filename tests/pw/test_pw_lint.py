"""Lint of ACTIVATE files: each rule once where it speaks and once where it is silent."""

import pytest
from pw_workflows import BASIC

from pwxc.diagnostics import Diagnostics
from pwxc.registry import ReadSettings
from pwxc.source import Source
from pwxc_targets.pw.lint import lint
from pwxc_targets.pw.linting.quoting import find_unquoted


def codes(text):
    diagnostics = Diagnostics()
    lint((Source("w.yaml", text),), ReadSettings(), diagnostics)
    return [item.code.name for item in diagnostics]


def form(fields, run="true", job="", top=""):
    """Make a workflow with a form and one step."""
    return f"""\
{top}
'on': {{execute: {{inputs: {fields}}}}}
jobs:
  a:
    {job}
    steps:
      - run: {run}
"""


SITE = "{site: {type: compute-clusters}}"
GROUP_ENV = "{env: {type: group, items: {m: {type: string, default: ''}}}}"
BUCKET = "{b: {type: bucket, optional: true}}"

RULES = {
    "pw-bare-on": ("on: {}\njobs: {a: {steps: [{run: x}]}}\n", "'on': {}\njobs: {a: {steps: [{run: x}]}}\n"),
    "pw-optional-without-default": (
        form("{n: {type: number, optional: true}}", "echo ${{ inputs.n }}"),
        form("{n: {type: number, optional: true, default: 1}}", "echo ${{ inputs.n }}"),
    ),
    "pw-choice-without-options": (
        form("{m: {type: dropdown}}"),
        form("{m: {type: dropdown, options: [a, b]}}"),
    ),
    "pw-option-without-value": (
        form("{m: {type: dropdown, options: [{label: A}]}}"),
        form("{m: {type: dropdown, options: [{label: A, value: a}]}}"),
    ),
    "pw-option-without-label": (
        form("{m: {type: dropdown, options: [{value: a}]}}"),
        form("{m: {type: dropdown, options: [{value: a, label: A}]}}"),
    ),
    "pw-default-is-no-option": (
        form("{m: {type: dropdown, default: A, options: [{value: a, label: A}]}}"),
        form("{m: {type: dropdown, default: a, options: [{value: a, label: A}]}}"),
    ),
    "pw-hidden-field-used": (
        form("{l: {type: boolean}, p: {type: string, hidden: '${{ inputs.l }}'}}", "echo ${{ inputs.p }}"),
        form(
            "{l: {type: boolean}, p: {type: string, hidden: '${{ inputs.l }}', ignore: '${{ .hidden }}'}}",
            "echo ${{ inputs.p }}",
        ),
    ),
    "pw-hidden-field-required": (
        form("{p: {type: string, hidden: true}}"),
        form("{p: {type: string, hidden: true, default: x}}"),
    ),
    "pw-step-without-ssh": (form(SITE), form(SITE, job="ssh: {remoteHost: '${{ inputs.site.ip }}'}")),
    "pw-ssh-without-host": (
        form("{}", job="ssh: {jumpNodeHost: gate}"),
        form("{}", job="ssh: {jumpNodeHost: gate, remoteHost: h}"),
    ),
    "pw-tilde": (
        form("{p: {type: string, default: ~/x.sif}}"),
        form("{p: {type: string, default: /home/$USER/x.sif}}"),
    ),
    "pw-unquoted-expansion": (form("{}", "cp $SOURCE /tmp"), form("{}", 'cp "$SOURCE" /tmp')),
    "pw-status-without-needs": (
        form("{}", job="if: '${{ error }}'"),
        form("{}", job="if: '${{ always }}'"),
    ),
    "pw-retry-without-timeout": (
        "jobs: {a: {steps: [{run: x, retry: {max-retries: 2}}]}}\n",
        "jobs: {a: {steps: [{run: x, retry: {max-retries: 2, timeout: 1h}}]}}\n",
    ),
    "pw-duplicate-input": (
        form("{n: {type: number}, g: {type: group, flatten: true, items: {n: {type: number}}}}"),
        form("{n: {type: number}, g: {type: group, items: {n: {type: number}}}}"),
    ),
    "pw-optional-store-without-if": (
        form(BUCKET, "cp x ${{ inputs.b }}"),
        form(BUCKET, "cp x ${{ inputs.b }}", job="if: '${{ inputs.b }}'"),
    ),
    "pw-permissions-missing": (
        form("{}", "pw storage cp a b"),
        form("{}", "pw storage cp a b", top="permissions: ['*']"),
    ),
    "pw-env-recursion": (
        form(GROUP_ENV, top="env: {M: '${{ inputs.env.m }}'}"),
        form(GROUP_ENV.replace("{env:", "{settings:"), top="env: {M: '${{ inputs.settings.m }}'}"),
    ),
    "pw-foreign-variable": (form("{}", 'echo "A=b" >> "$GITHUB_ENV"'), form("{}", 'echo "A=b" >> "$OUTPUTS"')),
    "pw-several-redirects": (
        form("{}", top="sessions: {a: {redirect: true}, b: {redirect: true}}"),
        form("{}", top="sessions: {a: {redirect: true}, b: {}}"),
    ),
}


@pytest.mark.parametrize("rule", RULES)
def test_the_rule_speaks(rule):
    assert rule in codes(RULES[rule][0])


@pytest.mark.parametrize("rule", RULES)
def test_the_rule_is_silent(rule):
    assert rule not in codes(RULES[rule][1])


def test_every_rule_has_its_pair():
    from pwxc.diagnostics import codes_of
    from pwxc_targets.pw.linting import codes as lint_codes

    assert {code.name for code in codes_of(vars(lint_codes))} == set(RULES)


def test_a_good_file_has_nothing_to_say():
    assert codes(BASIC) == []


def test_quoted_tilde_in_a_script_but_not_in_a_here_document():
    assert codes(form("{}", "'cp \"~/x\" y'")) == ["pw-tilde"]
    script = "|\n          cat <<'E'\n          \"~/x\"\n          E"
    assert codes(form("{}", script)) == []


def test_an_unquoted_expansion_is_told_once_with_its_place():
    diagnostics = Diagnostics()
    text = form("{}", "|\n          true\n          cp $A ${B} $A")
    lint((Source("w.yaml", text),), ReadSettings(), diagnostics)
    assert [item.span.resolve().text for item in diagnostics] == ["$A", "${B}"]
    assert diagnostics.items[0].notes == ("and 1 more in this script",)


@pytest.mark.parametrize(
    ("script", "names"),
    [
        ("echo $A ${B} x$C", ["A", "B", "C"]),
        ("echo \"$A\" '$B' \\$C", []),
        ("x=$A y=${B}; export Z=$C", []),
        ("[[ $A == $B ]] && echo $C", ["C"]),
        ("[ $A = b ]", ["A"]),
        ("echo $? $# $$ $((A + 1)) ${#A[@]}", []),
        ("case $A in x) echo $B;; esac", ["B"]),
        ("for f in $A; do echo $f; done", ["f"]),
        ("# echo $A\necho $B # $C", ["B"]),
        ("cat <<E\n$A\nE\necho $B", ["B"]),
        ("cat <<-'E'\n\t$A\n\tE\necho $B", ["B"]),
        ('echo "$(cat $A)"', ["A"]),
        ("x=$(cat $A)", ["A"]),
        ('x="$(cat "$A" $B)"', ["B"]),
        ("n=3\necho $n", []),
        ("n=$(nproc)\necho $n", ["n"]),
        ("n=$?\nexit $n", []),
        ("cat < $A > $B", ["A", "B"]),
        ("cat <<< $A", []),
        ("$A x", []),
        ("if $A; then echo $B; fi", ["B"]),
        ("if (( $A > 1 )); then :; fi", []),
        ("a=($A)", ["A"]),
        ("echo ${A:+$B}", []),
        ("tee -a $OUTPUTS", []),
        ("echo a#$A", ["A"]),
    ],
)
def test_what_the_shell_splits(script, names):
    assert [item.name for item in find_unquoted(script)] == names


@pytest.mark.parametrize("script", ["'", '"', "$(", "${", "`", "\\", "<<E", "case", "$((", "a=(", "((", "for x in"])
def test_scripts_that_are_cut_off_do_no_harm(script):
    find_unquoted(script)
    find_unquoted(f"echo $A {script}")
