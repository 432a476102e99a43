"""Diagnostics for tools: JSON, GitHub's workflow commands and SARIF."""

from __future__ import annotations

import json

import pytest

from pwxc.diagnostics import Diagnostic, Related, error, note, warning
from pwxc.diagnostics.github import render_github
from pwxc.diagnostics.render import render_json
from pwxc.diagnostics.sarif import render_sarif
from pwxc.source import Source

BAD = error("PWX9001", "very-bad", "It is bad.", "Make it good.")
ODD = warning("PWX9002", "odd", "It is odd.", "Make it even.")
HM = note("PWX9003", "hm", "It is.", "Nothing.")
SOURCE = Source("dir/a b.yaml", "名: x\nsecond: y\nthird: z\n")
ONE_LINE = SOURCE.span(6, 12)
"""`second`"""
TWO_LINES = SOURCE.span(14, 21)
"""From `y` into `third`."""


def test_json_counts_lines_and_characters_from_one():
    related = (Related(SOURCE.span(3, 4), "there"),)
    item = Diagnostic(BAD, "it is bad", ONE_LINE, "label", ("one", "two"), "help", related)
    assert json.loads(render_json([item])) == [
        {
            "code": "PWX9001",
            "name": "very-bad",
            "severity": "error",
            "message": "it is bad",
            "file": "dir/a b.yaml",
            "start": {"line": 2, "column": 2},
            "end": {"line": 2, "column": 8},
            "label": "label",
            "notes": ["one", "two"],
            "help": "help",
            "related": [
                {
                    "message": "there",
                    "file": "dir/a b.yaml",
                    "start": {"line": 1, "column": 4},
                    "end": {"line": 1, "column": 5},
                }
            ],
        }
    ]


def test_json_without_a_place_says_null():
    (item,) = json.loads(render_json([Diagnostic(HM, "hm")]))
    assert (item["file"], item["start"], item["end"]) == (None, None, None)


@pytest.mark.parametrize(
    ("item", "line"),
    [
        (Diagnostic(HM, "hm"), "::notice title=PWX9003 hm::hm"),
        (
            Diagnostic(ODD, "50% odd", ONE_LINE, help="even\nit"),
            "::warning file=dir/a b.yaml,line=2,col=2,endLine=2,endColumn=8,title=PWX9002 odd"
            "::50%25 odd%0Ahelp: even%0Ait",
        ),
        (
            Diagnostic(BAD, "bad", TWO_LINES),
            "::error file=dir/a b.yaml,line=2,endLine=3,title=PWX9001 very-bad::bad",
        ),
        (
            Diagnostic(BAD, "bad", Source("a:b,c%.yaml", "x").span(0, 0)),
            "::error file=a%3Ab%2Cc%25.yaml,line=1,col=1,endLine=1,endColumn=2,title=PWX9001 very-bad::bad",
        ),
    ],
)
def test_github_commands(item, line):
    assert render_github([item]) == line + "\n"


def test_sarif_results_point_at_their_rules_and_places():
    related = (Related(SOURCE.span(3, 4), "there"),)
    items = [
        Diagnostic(ODD, "odd", ONE_LINE, label="here"),
        Diagnostic(BAD, "bad", TWO_LINES, notes=("why",), help="how", related=related),
        Diagnostic(ODD, "odd again"),
    ]
    log = json.loads(render_sarif(items))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    assert run["columnKind"] == "unicodeCodePoints"
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["PWX9002", "PWX9001"]
    assert [rules[result["ruleIndex"]]["id"] for result in run["results"]] == ["PWX9002", "PWX9001", "PWX9002"]
    odd, bad, again = run["results"]
    (location,) = odd["locations"]
    assert location["message"] == {"text": "here"}
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "dir/a%20b.yaml"},
        "region": {"startLine": 2, "startColumn": 2, "endLine": 2, "endColumn": 8},
    }
    assert bad["level"] == "error"
    assert bad["message"] == {"text": "bad\nwhy\nhelp: how"}
    assert bad["relatedLocations"][0]["message"] == {"text": "there"}
    assert again["locations"] == []


def test_sarif_names_absolute_files_as_uris():
    log = json.loads(render_sarif([Diagnostic(BAD, "bad", Source("/x y/ä.yaml", "a").span(0, 1))]))
    location = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert location == {"uri": "file:///x%20y/%C3%A4.yaml"}
