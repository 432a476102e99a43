"""Diagnostics as text with the source line and carets, and as JSON.

error[PWX2103]: unknown input `n_gpu`
  --> train.yaml:41:27
   |
41 |         torchrun --nproc ${{ inputs.n_gpu }} train.py
   |                              ^^^^^^^^^^^^
   = note: `inputs` here has `n_gpus`, `n_nodes`, `image`
   = help: did you mean `n_gpus`?
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pwxc.diagnostics.code import Severity
from pwxc.diagnostics.diagnostic import Diagnostic
from pwxc.diagnostics.place import Place, find_place
from pwxc.diagnostics.visible import show_line, show_message, width

LONGEST_LINE = 160
"""Cells of a source line that are shown; of a longer one, the part round the marked place."""
_LEAD = 40
_PAINT = {
    Severity.ERROR: "1;31",
    Severity.WARNING: "1;33",
    Severity.NOTE: "1;36",
    "gutter": "1;34",
    "headline": "1",
}


class _Pen:
    """Colours text, or leaves it alone."""

    def __init__(self, colour: bool) -> None:
        self.colour = colour

    def paint(self, kind: Severity | str, text: str) -> str:
        return f"\x1b[{_PAINT[kind]}m{text}\x1b[0m" if self.colour and text else text


def render_text(diagnostics: Iterable[Diagnostic], *, colour: bool = False) -> str:
    """Give diagnostics for people, one after the other with an empty line between; empty when there are none."""
    pen = _Pen(colour)
    return "\n".join("\n".join(_render(item, pen)) + "\n" for item in diagnostics)


def summarise(diagnostics: Iterable[Diagnostic]) -> str:
    """Give the count of errors and warnings in words; empty when there are neither."""
    severities = [item.severity for item in diagnostics]
    counts = [(severities.count(severity), str(severity)) for severity in (Severity.ERROR, Severity.WARNING)]
    return ", ".join(f"{count} {word}{'s' * (count > 1)}" for count, word in counts if count)


def _render(item: Diagnostic, pen: _Pen) -> Iterator[str]:
    headline = pen.paint("headline", f": {show_message(item.message)}")
    yield pen.paint(item.severity, f"{item.severity}[{item.code.id}]") + headline
    place = find_place(item.span)
    related = [(find_place(other.span), other.text) for other in item.related]
    lines = [found.line for found in (place, *(found for found, _ in related)) if found is not None]
    gutter = len(str(max(lines, default=0)))
    if place is not None:
        yield from _snippet(place, "-->", "^", item.label, item.severity, gutter, pen)
    for found, text in related:
        if found is not None:
            yield from _snippet(found, ":::", "-", text, "gutter", gutter, pen)
    for note in item.notes:
        yield from _remark("note", note, gutter, pen)
    if item.help:
        yield from _remark("help", item.help, gutter, pen)


def _snippet(
    place: Place, arrow: str, mark: str, label: str, kind: Severity | str, gutter: int, pen: _Pen
) -> Iterator[str]:
    line = place.source.line(place.line)
    last = place.end_column - 1 if place.end_line == place.line else len(line.rstrip())
    start = min(place.column - 1, len(line))
    before, marked, after = line[:start], line[start : max(last, start)], line[max(last, start) :]
    before, marked, after = _shorten(show_line(before), show_line(marked), show_line(after))
    bar = pen.paint("gutter", f"{' ' * gutter} |")
    yield f"{' ' * gutter}{pen.paint('gutter', arrow)} {show_message(place.file)}:{place.line}:{place.column}"
    yield bar
    yield f"{pen.paint('gutter', f'{place.line:>{gutter}} |')} {before}{marked}{after}".rstrip()
    carets = mark * max(width(marked), 1) + (f" {show_message(label)}" if label else "")
    yield f"{bar} {' ' * width(before)}{pen.paint(kind, carets)}"


def _shorten(before: str, marked: str, after: str) -> tuple[str, str, str]:
    if len(before) + len(marked) + len(after) <= LONGEST_LINE:
        return before, marked, after
    if len(before) > _LEAD:
        before = "…" + before[-_LEAD:]
    room = max(LONGEST_LINE - len(before), _LEAD)
    if len(marked) > room:
        return before, marked[:room] + "…", ""
    room -= len(marked)
    return before, marked, after[:room] + "…" if len(after) > room else after


def _remark(word: str, text: str, gutter: int, pen: _Pen) -> Iterator[str]:
    first, *rest = text.splitlines() or [""]
    margin = " " * gutter
    yield f"{margin} {pen.paint('gutter', '=')} {pen.paint('headline', word)}: {show_message(first)}"
    for line in rest:
        yield f"{margin}         {show_line(line)}".rstrip()


def render_json(diagnostics: Iterable[Diagnostic]) -> str:
    """Give diagnostics as a JSON list; lines and columns count from 1, an end column is behind the last character."""
    import json

    return json.dumps([as_plain(item) for item in diagnostics], indent=2) + "\n"


def as_plain(item: Diagnostic) -> dict[str, object]:
    """Give a diagnostic as plain data."""
    return {
        "code": item.code.id,
        "name": item.code.name,
        "severity": str(item.severity),
        "message": item.message,
        **place_as_plain(find_place(item.span)),
        "label": item.label,
        "notes": list(item.notes),
        "help": item.help,
        "related": [{"message": other.text, **place_as_plain(find_place(other.span))} for other in item.related],
    }


def place_as_plain(place: Place | None) -> dict[str, object]:
    """Give a place as plain data; the values are null when there is none."""
    if place is None:
        return {"file": None, "start": None, "end": None}
    return {
        "file": place.file,
        "start": {"line": place.line, "column": place.column},
        "end": {"line": place.end_line, "column": place.end_column},
    }
