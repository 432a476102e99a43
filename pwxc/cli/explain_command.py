"""`pwxc explain`."""

from __future__ import annotations

import click

from pwxc.cli import console, exits

_EPILOG = """\b
Examples:
  pwxc explain PWX3001
  pwxc explain duplicate-key
  pwxc explain              list every code
"""


@click.command(epilog=_EPILOG, short_help="Explain a diagnostic code.")
@click.argument("code", required=False)
def command(code: str | None) -> int:
    """Explain what a diagnostic CODE means and what to do about it; without CODE, list them all."""
    from pwxc.catalogue import catalogue, page, suggest_code
    from pwxc.diagnostics import Diagnostic
    from pwxc.diagnostics import codes as C  # noqa: N812

    if code is None:
        console.write_result("".join(f"{row.id}  {row.severity:<7}  {row.name}\n" for row in catalogue()))
        return exits.FINE
    row = catalogue().find(code)
    if row is None:
        console.emit([Diagnostic(C.BAD_OPTION, f"there is no code `{code}`", help=suggest_code(code))], "text")
        return exits.USAGE
    console.write_result(page(row))
    return exits.FINE
