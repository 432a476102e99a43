"""`pwxc lint`, `pwxc targets`, `pwxc explain` and the group itself."""

from __future__ import annotations

import json
import re

import pytest


def test_lint_warnings_are_fine(pwxc, folder):
    (folder / "a.toy").write_text("# toy\nlong-name: x\n")
    outcome = pwxc("lint", "a.toy")
    assert (outcome.code, outcome.err) == (0, "")
    assert "warning[PWX4901]" in outcome.out
    assert "a.toy:2:1" in outcome.out


def test_lint_says_nothing_about_a_good_file(pwxc):
    assert pwxc("lint", "-", stdin=b"# toy\na: x\n") == (0, "", "")


def test_lint_errors_are_exit_code_1_and_each_is_told_once(pwxc):
    outcome = pwxc("lint", "-", "--from", "toy", stdin=b"# toy\na\n")
    assert outcome.code == 1
    assert outcome.out.count("PWX2901") == 1


def test_lint_checks_each_file_by_itself_and_all_of_them(pwxc, folder):
    (folder / "a.toy").write_text("# toy\na\n")
    (folder / "b.toy").write_text("# toy\nb\n")
    outcome = pwxc("lint", "a.toy", "missing.toy", "b.toy")
    assert outcome.code == 2
    assert all(name in outcome.out for name in ("a.toy:2:1", "b.toy:2:1", "`missing.toy`"))


@pytest.mark.parametrize("words", [[], ["--from", "tyo", "-"], ["--set", "x", "-"], ["--output-format", "xml", "-"]])
def test_lint_wrong_usage_is_exit_code_2(pwxc, words):
    assert pwxc("lint", *words, stdin=b"# toy\n").code == 2


def test_lint_for_github(pwxc):
    outcome = pwxc("lint", "-", "--output-format", "github", stdin=b"# toy\nlong-name: x\n")
    expected = "::warning file=<stdin>,line=2,col=1,endLine=2,endColumn=10,title=PWX4901 toy-long-name"
    assert outcome.out == f"{expected}::`long-name` is long\n"


def test_lint_as_json_and_sarif_is_a_document_even_without_findings(pwxc):
    assert json.loads(pwxc("lint", "-", "--output-format", "json", stdin=b"# toy\n").out) == []
    log = json.loads(pwxc("lint", "-", "--output-format", "sarif", stdin=b"# toy\n").out)
    assert log["runs"][0]["results"] == []


def test_targets_lists_abilities_options_and_what_is_torn(pwxc):
    outcome = pwxc("targets")
    assert outcome.code == 0
    rows = [re.split(r"\s{2,}", line) for line in outcome.out.splitlines()]
    assert rows[:3] == [
        ["name", "title", "can"],
        ["mute", "Can do nothing"],
        ["toy", "Toy system", "reads, writes, lints"],
    ]
    assert "  toy.split=yes|no  A file a task. [default: no]\n" in outcome.out
    assert "`torn` is installed but cannot be loaded: ImportError" in outcome.err


def test_targets_as_json(pwxc):
    mute, toy, torn = json.loads(pwxc("targets", "--output-format", "json").out)
    assert (mute["reads"], toy["reads"]) == (False, True)
    assert toy["options"][0] == {"name": "split", "default": "no", "values": ["yes", "no"], "help": "A file a task."}
    assert torn["name"] == "torn"


@pytest.mark.parametrize("word", ["PWX1007", "pwx1007", "duplicate-key"])
def test_explain_prints_the_page(pwxc, word):
    outcome = pwxc("explain", word)
    assert outcome.code == 0
    assert outcome.out.startswith("# PWX1007: duplicate-key\n\nSeverity: error.\n\n## What it means\n")
    assert "## What to do" in outcome.out
    assert outcome.out.endswith("```\nname: a\nname: b\n```\n")


def test_explain_knows_the_codes_of_the_systems(pwxc):
    assert "# PWX2901: toy-bad-line" in pwxc("explain", "PWX2901").out
    assert "PWX2901  error    toy-bad-line\n" in pwxc("explain").out


@pytest.mark.parametrize(("word", "near"), [("PWX01007", "PWX1007"), ("duplicate-keys", "duplicate-key")])
def test_explain_suggests_the_nearest_code(pwxc, word, near):
    outcome = pwxc("explain", word)
    assert (outcome.code, outcome.out) == (2, "")
    assert f"did you mean `{near}`?" in outcome.err


def test_an_unknown_command_is_corrected(pwxc):
    outcome = pwxc("complie")
    assert outcome.code == 2
    assert "did you mean `compile`?" in outcome.err


@pytest.mark.parametrize(
    "words", [["--help"], ["compile", "--help"], ["lint", "-h"], ["targets", "-h"], ["explain", "-h"]]
)
def test_help_has_examples(pwxc, words):
    outcome = pwxc(*words)
    assert (outcome.code, outcome.err) == (0, "")
    assert "Examples:\n" in outcome.out


def test_no_command_shows_the_help_and_is_wrong_usage(pwxc):
    outcome = pwxc()
    assert outcome.code == 2
    assert "Commands:" in outcome.err
