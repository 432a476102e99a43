"""`pwxc lint`."""

from __future__ import annotations

import sys

import click

from pwxc.cli import console, exits
from pwxc.cli.switches import SeveralValues, output_format, reading_switches

_EPILOG = """\b
Examples:
  pwxc lint train.yaml
  pwxc lint *.yaml --from osmo --output-format github
  pwxc lint *.yaml --output-format sarif > pwxc.sarif

\b
Exit codes:
  0  no errors (there may be warnings)
  1  errors
  2  wrong usage, or a file that cannot be read
"""


@click.command(cls=SeveralValues, epilog=_EPILOG, short_help="Check workflows by their own system's rules.")
@click.argument("paths", metavar="FILE…", nargs=-1, required=True)
@reading_switches
@output_format("text", "json", "github", "sarif")
def command(
    paths: tuple[str, ...],
    origin: str | None,
    values: tuple[str, ...],
    texts: tuple[str, ...],
    files: tuple[str, ...],
    options: tuple[str, ...],
    form: str,
) -> int:
    """Check workflows by their own system's rules, each FILE by itself; `-` is standard input.

    What is found goes to standard output.
    """
    from pwxc import api
    from pwxc.cli.request import collect_reading, load_sources
    from pwxc.diagnostics import Diagnostics

    found = Diagnostics()
    reading = collect_reading(values, texts, files, options, found)
    if found.failed:
        console.emit(found, "json" if form == "json" else "text")
        return exits.USAGE
    for source in load_sources(paths, found, origin):
        found.extend(
            api.lint(
                source,
                origin=origin,
                values=reading.values.values,
                texts=reading.values.texts,
                options=reading.options,
            )
        )
    console.write_result(console.render(found, form, colour=console.wants_colour(sys.stdout)))
    return exits.exit_code(found)
