"""`pwxc compile`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from pwxc.cli import console, exits
from pwxc.cli.switches import SeveralValues, output_format, reading_switches
from pwxc.diagnostics import Diagnostics
from pwxc.diagnostics import codes as C  # noqa: N812

if TYPE_CHECKING:
    from pathlib import Path

    from pwxc.compiler import Compilation
    from pwxc.registry import OutputFile

_EPILOG = """\b
Examples:
  pwxc compile train.yaml --to pw                       print the result
  pwxc compile train.yaml --to slurm -o out/            several files, in a folder
  pwxc compile train.yaml --to pw -o wf.yaml --check    exit 1 if wf.yaml is not current
  pwxc compile - --from osmo --to pw --set epochs=3 lr=0.1 < train.yaml

The report goes to standard output if the files go elsewhere (-o), and to standard error otherwise.

\b
Exit codes:
  0  fine
  1  the source has errors, or --check or --diff found a difference
  2  wrong usage, or a file that cannot be read or written
  3  a loss was refused; see --allow, --lossy
"""


@click.command(cls=SeveralValues, epilog=_EPILOG, short_help="Compile a workflow into another system's files.")
@click.argument("sources", metavar="SOURCE…", nargs=-1, required=True)
@click.option("--to", "target", metavar="SYSTEM", required=True, help="System to compile for.")
@click.option("-o", "--output", metavar="FILE|DIR|-", help="Where to write; `-`, the default, is standard output.")
@reading_switches
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if the files of -o are not current.")
@click.option("--diff", is_flag=True, help="Write nothing; show what would change, exit 1 if anything would.")
@click.option("--report", type=click.Choice(["text", "json"]), help="Print what was kept and lost.")
@click.option("--allow", multiple=True, metavar="CODE …", help="Accept losses, by code or by name.")
@click.option("--lossy", is_flag=True, help="Accept every loss.")
@click.option("--strict", is_flag=True, help="Refuse on warnings too.")
@output_format("text", "json")
def command(
    sources: tuple[str, ...],
    target: str,
    output: str | None,
    origin: str | None,
    values: tuple[str, ...],
    texts: tuple[str, ...],
    files: tuple[str, ...],
    options: tuple[str, ...],
    check: bool,
    diff: bool,
    report: str | None,
    allow: tuple[str, ...],
    lossy: bool,
    strict: bool,
    form: str,
) -> int:
    """Compile a workflow into another system's files.

    Several SOURCEs are one workflow together, as are the files of a folder; `-` is standard input.
    """
    from pwxc import api
    from pwxc.cli.request import collect_reading, load_sources

    on_disk = output not in (None, "-")
    if (check or diff) and not on_disk:
        raise click.UsageError("--check and --diff compare with files: name them with -o")
    found = Diagnostics()
    reading = collect_reading(values, texts, files, options, found)
    loaded = load_sources(sources, found, origin)
    if found.failed:
        console.emit(found, form)
        return exits.USAGE
    compilation = api.compile(
        loaded,
        to=target,
        origin=origin,
        values=reading.values.values,
        texts=reading.values.texts,
        options=reading.options,
        allow=allow,
        lossy=lossy,
        strict=strict,
    )
    found.extend(compilation.diagnostics)
    code = exits.exit_code(found, refused=compilation.refused)
    if code == exits.FINE:
        code = _deliver(compilation, output or "-", found, form, compare=check or diff)
    else:
        console.emit(found, form)
    if report is not None and compilation.workflow is not None:
        _print_report(compilation, report, on_stdout=on_disk and not (check or diff))
    return code


def _deliver(compilation: Compilation, output: str, found: Diagnostics, form: str, *, compare: bool) -> int:
    """Print, write or compare the files."""
    if output == "-":
        return _print(compilation.files, found, form)
    from pwxc.outputs import find_differences, place_files, write_files

    placed = place_files(compilation.files, output, found)
    differences: dict[Path, str] = {}
    if placed is not None and compare:
        differences = find_differences(placed, found)
    elif placed is not None:
        write_files(placed, found)
    console.emit(found, form)
    console.write_result("".join(differences.values()))
    return exits.exit_code(found) or (exits.PROBLEMS if differences else exits.FINE)


def _print(files: Sequence[OutputFile], found: Diagnostics, form: str) -> int:
    if len(files) > 1:
        names = ", ".join(f"`{file.path}`" for file in files[:5]) + (", …" if len(files) > 5 else "")
        found.add(C.BAD_OPTION, f"{len(files)} files come out: {names}", help="name a folder for them with `-o DIR/`")
    console.emit(found, form)
    if len(files) > 1:
        return exits.USAGE
    from pwxc.files import encode

    console.write_bytes(encode(files[0].text))
    return exits.FINE


def _print_report(compilation: Compilation, form: str, *, on_stdout: bool) -> None:
    from pwxc.fidelity.render import render_report_json, render_report_text

    if form == "json":
        text = render_report_json(compilation.report)
    else:
        stream = sys.stdout if on_stdout else sys.stderr
        text = render_report_text(compilation.report, width=console.width(stream), colour=console.wants_colour(stream))
    (console.write_result if on_stdout else console.write_note)(text)
