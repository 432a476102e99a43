"""What commands print: diagnostics on standard error, results on standard output."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import TextIO

import click

from pwxc.diagnostics import Diagnostic
from pwxc.diagnostics import codes as C  # noqa: N812
from pwxc.diagnostics.render import render_json, render_text, summarise

MOST = 200
"""How many diagnostics are shown as text."""
FORMAT = "pwxc.format"
"""Key of a context's `meta`: the format that the user asked for."""


def wants_colour(stream: TextIO) -> bool:
    """Whether a stream is a terminal that shows colours and whose user has nothing against them (NO_COLOR)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def width(stream: TextIO) -> int:
    """Give how many cells a table may take: the terminal's, or plenty in a file."""
    import shutil

    return shutil.get_terminal_size().columns if stream.isatty() else 160


def emit(diagnostics: Iterable[Diagnostic], form: str) -> None:
    """Print diagnostics on standard error; as JSON a list, even if there are none."""
    write_note(render(diagnostics, form, colour=wants_colour(sys.stderr)))


def render(diagnostics: Iterable[Diagnostic], form: str, *, colour: bool) -> str:
    """Give diagnostics in one of the formats; as text with a count below."""
    items = list(diagnostics)
    if form == "github":
        from pwxc.diagnostics.github import render_github

        return render_github(items)
    if form == "sarif":
        from pwxc.diagnostics.sarif import render_sarif

        return render_sarif(items)
    if form == "json":
        return render_json(items)
    summary = summarise(items)
    hidden = f"… and {len(items) - MOST:,} more\n" if len(items) > MOST else ""
    return render_text(items[:MOST], colour=colour) + hidden + (f"\n{summary}\n" if summary else "")


def write_result(text: str) -> None:
    """Print a result on standard output, in UTF-8 whatever the locale says."""
    _write(text, err=False)


def write_bytes(content: bytes) -> None:
    """Print a file's bytes on standard output."""
    click.echo(content, nl=False)


def write_note(text: str) -> None:
    """Print text on standard error."""
    _write(text, err=True)


def _write(text: str, *, err: bool) -> None:
    click.echo(text.encode("utf-8", "backslashreplace"), nl=False, err=err)


def internal_error(fault: BaseException) -> Diagnostic:
    """Make the diagnostic for a fault of pwxc itself."""
    words = " ".join(str(fault).split())
    message = f"pwxc itself failed: {type(fault).__name__}" + (f": {words[:300]}" if words else "")
    debug = "`PWXC_DEBUG=1` prints where it happened"
    return Diagnostic(C.INTERNAL, message, help=f"please report this with the file that causes it; {debug}")
