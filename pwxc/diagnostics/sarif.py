"""Diagnostics as SARIF 2.1.0, the format in which code hosts and editors take the results of static analysis."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pwxc import __version__
from pwxc.diagnostics.code import Code, Severity
from pwxc.diagnostics.diagnostic import Diagnostic
from pwxc.diagnostics.place import Place, find_place
from pwxc.source import Span

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}


def render_sarif(diagnostics: Iterable[Diagnostic]) -> str:
    """Give a log with one run; its rules are the codes that occur."""
    found = list(diagnostics)
    codes = list({item.code.id: item.code for item in found}.values())
    places = {code.id: index for index, code in enumerate(codes)}
    driver = {"name": "pwxc", "semanticVersion": __version__, "rules": [_rule(code) for code in codes]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(item, places[item.code.id]) for item in found],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(code: Code) -> dict[str, Any]:
    return {
        "id": code.id,
        "name": "".join(word.capitalize() for word in code.name.split("-")),
        "shortDescription": {"text": code.name.replace("-", " ")},
        "fullDescription": {"text": code.meaning},
        "help": {"text": code.remedy},
        "defaultConfiguration": {"level": _LEVELS[code.severity]},
    }


def _result(item: Diagnostic, index: int) -> dict[str, Any]:
    helps = [f"help: {item.help}"] if item.help else []
    text = "\n".join([item.message, *item.notes, *helps])
    result: dict[str, Any] = {
        "ruleId": item.code.id,
        "ruleIndex": index,
        "level": _LEVELS[item.severity],
        "message": {"text": text},
        "locations": _locations(item.span, item.label),
    }
    related = [location for other in item.related for location in _locations(other.span, other.text)]
    if related:
        result["relatedLocations"] = related
    return result


def _locations(span: Span | None, text: str) -> list[dict[str, Any]]:
    place = find_place(span)
    if place is None:
        return []
    location: dict[str, Any] = {
        "physicalLocation": {"artifactLocation": {"uri": _uri(place)}, "region": _region(place)},
    }
    if text:
        location["message"] = {"text": text}
    return [location]


def _region(place: Place) -> dict[str, int]:
    return {
        "startLine": place.line,
        "startColumn": place.column,
        "endLine": place.end_line,
        "endColumn": place.end_column,
    }


def _uri(place: Place) -> str:
    path = Path(place.file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix(), errors="surrogateescape")
