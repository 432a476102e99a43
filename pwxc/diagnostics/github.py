"""Diagnostics as workflow commands of GitHub Actions, which shows them beside the lines of a change."""

from __future__ import annotations

from collections.abc import Iterable

from pwxc.diagnostics.code import Severity
from pwxc.diagnostics.diagnostic import Diagnostic
from pwxc.diagnostics.place import Place, find_place

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def render_github(diagnostics: Iterable[Diagnostic]) -> str:
    """Give one `::error …::message` line a diagnostic."""
    return "".join(f"{_command(item)}\n" for item in diagnostics)


def _command(item: Diagnostic) -> str:
    properties = {**_place(find_place(item.span)), "title": f"{item.code.id} {item.code.name}"}
    listed = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items())
    notes = [f"note: {note}" for note in item.notes]
    helps = [f"help: {item.help}"] if item.help else []
    return f"::{_COMMANDS[item.severity]} {listed}::{_data(chr(10).join([item.message, *notes, *helps]))}"


def _place(place: Place | None) -> dict[str, object]:
    if place is None:
        return {}
    lines: dict[str, object] = {"file": place.file, "line": place.line, "endLine": place.end_line}
    if place.line != place.end_line:  # the runner drops columns of a place that spans lines, with a complaint
        return lines
    return {
        "file": place.file,
        "line": place.line,
        "col": place.column,
        "endLine": place.end_line,
        "endColumn": max(place.end_column, place.column + 1),
    }


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
