"""The report of what was kept and lost, as text and as JSON."""

from __future__ import annotations

from typing import Any

from pwxc.diagnostics.place import find_place
from pwxc.diagnostics.render import as_plain, place_as_plain
from pwxc.diagnostics.visible import show_message
from pwxc.fidelity.fate import KEEPING, Fate
from pwxc.fidelity.ledger import Entry
from pwxc.fidelity.report import Report

_STYLES = {Fate.APPROXIMATED: "yellow", Fate.MANUAL: "yellow", Fate.DROPPED: "red"}


def render_report_text(report: Report, *, width: int = 120, colour: bool = False) -> str:
    """Give the account as a table, a row a part of the source, and the totals below it.

    `width` is in cells of a terminal; long cells are folded.
    """
    from io import StringIO

    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=False)
    for title in ("source", "construct", "fate", "where", "why"):
        table.add_column(title, overflow="fold", no_wrap=title == "fate")
    for entry in report.entries:
        style = _STYLES.get(entry.fate, "")
        why = f"{entry.code.id}: {entry.why}" if entry.code is not None else entry.why
        cells = (_place(entry), entry.construct, str(entry.fate), entry.where, why)
        table.add_row(*(Text(show_message(cell)) for cell in cells), style=style)
    out = StringIO()
    console = Console(file=out, width=width, force_terminal=colour, no_color=not colour, highlight=False)
    if report.entries:
        console.print(table)
    totals = "\n".join(line.rstrip() for line in out.getvalue().splitlines())
    return (f"{totals}\n" if totals else "") + render_totals(report) + "\n"


def render_totals(report: Report) -> str:
    """Give the totals in a line, such as `7 parts: 6 exact, 1 dropped`."""
    totals = report.totals
    counted = sum(totals.values())
    each = ", ".join(f"{count} {fate}" for fate, count in totals.items() if count)
    line = f"{counted} part{'s' * (counted != 1)}" + (f": {each}" if each else "")
    return line + (f"; {len(report.refused)} refused" if report.refused else "")


def render_report_json(report: Report) -> str:
    """Give the account as JSON: totals that add up to `parts`, every entry, and the losses that were refused."""
    import json

    totals = report.totals
    plain = {
        "parts": sum(totals.values()),
        "kept": sum(count for fate, count in totals.items() if fate in KEEPING),
        "totals": {str(fate): count for fate, count in totals.items()},
        "entries": [_entry_as_plain(entry) for entry in report.entries],
        "refused": [as_plain(item) for item in report.refused],
    }
    return json.dumps(plain, indent=2) + "\n"


def _entry_as_plain(entry: Entry) -> dict[str, Any]:
    return {
        "construct": entry.construct,
        "fate": str(entry.fate),
        "where": entry.where,
        "why": entry.why,
        "code": entry.code.id if entry.code is not None else None,
        **place_as_plain(find_place(entry.span)),
    }


def _place(entry: Entry) -> str:
    place = find_place(entry.span)
    return f"{place.file}:{place.line}" if place is not None else ""
