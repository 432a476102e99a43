"""The report: every entry is shown, and the totals add up."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from pwxc.diagnostics import Diagnostic, error
from pwxc.fidelity import Entry, Fate, Report
from pwxc.fidelity.render import render_report_json, render_report_text, render_totals
from pwxc.source import Source

LOST = error("PWX9001", "lost", "It is lost.", "Find it.")
SPAN = Source("a.yaml", "one\ntwo\n").span(4, 7)
ENTRIES = (
    Entry("task a.steps", SPAN, Fate.EXACT, where="jobs.a.steps"),
    Entry("task a.priority", SPAN, Fate.DROPPED, why="no [priority] here", code=LOST),
    Entry("workflow.name", None, Fate.COSMETIC),
)
REPORT = Report(ENTRIES, (Diagnostic(LOST, "`a` has a priority", SPAN),))


def test_the_table_has_a_row_an_entry_and_the_totals():
    *_, exact, dropped, cosmetic, totals = [line for line in render_report_text(REPORT).splitlines() if line]
    assert exact.split() == ["a.yaml:2", "task", "a.steps", "exact", "jobs.a.steps"]
    assert "PWX9001: no [priority] here" in dropped
    assert cosmetic.split() == ["workflow.name", "cosmetic"]
    assert totals == "3 parts: 1 exact, 1 dropped, 1 cosmetic; 1 refused"


def test_a_narrow_table_folds_and_loses_nothing():
    shown = render_report_text(REPORT, width=50)
    assert max(map(len, shown.splitlines())) <= 60
    assert "".join(shown.split()).count("[priority]") + "".join(shown.split()).count("priority") >= 2


def test_nothing_read_is_no_table():
    assert render_report_text(Report()) == "0 parts\n"


def test_colours_only_when_asked():
    assert "\x1b[" not in render_report_text(REPORT)
    assert "\x1b[" in render_report_text(REPORT, colour=True)


def test_json_names_fate_place_code_and_refusals():
    plain = json.loads(render_report_json(REPORT))
    assert plain["parts"] == 3
    assert plain["kept"] == 2
    assert plain["entries"][1] == {
        "construct": "task a.priority",
        "fate": "dropped",
        "where": "",
        "why": "no [priority] here",
        "code": "PWX9001",
        "file": "a.yaml",
        "start": {"line": 2, "column": 1},
        "end": {"line": 2, "column": 4},
    }
    assert plain["refused"][0]["message"] == "`a` has a priority"


@given(st.lists(st.sampled_from(Fate), max_size=30))
def test_totals_add_up(fates):
    report = Report(tuple(Entry("x", None, fate) for fate in fates))
    plain = json.loads(render_report_json(report))
    assert sum(plain["totals"].values()) == plain["parts"] == len(fates)
    assert render_totals(report).startswith(f"{len(fates)} part")
