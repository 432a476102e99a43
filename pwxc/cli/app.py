"""The group of commands, and what happens when one of them stops early."""

from __future__ import annotations

import os
import signal
import sys
from importlib import import_module
from types import FrameType
from typing import Any, NoReturn

import click

from pwxc import __version__
from pwxc.cli import console, exits

_COMMANDS = {
    "compile": "Compile a workflow into another system's files.",
    "lint": "Check workflows by their own system's rules.",
    "equivalent": "Tell whether two workflows mean the same.",
    "targets": "List the installed systems and their options.",
    "explain": "Explain a diagnostic code.",
}
_EXAMPLES = """\b
Examples:
  pwxc compile train.yaml --to pw
  pwxc compile train.yaml --to pw -o workflow.yaml --set epochs=3
  pwxc lint train.yaml
  pwxc explain PWX3001
"""


class _Commands(click.Group):
    """Imports a command when it is called; the list of commands needs no import."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = import_module(f"pwxc.cli.{cmd_name}_command").command
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        name = args[0]
        if name not in _COMMANDS and not name.startswith("-"):
            from pwxc.diagnostics import did_you_mean

            ctx.fail(f"there is no command `{name}`; {did_you_mean(name, _COMMANDS)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.command(cls=_Commands, epilog=_EXAMPLES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", message="pwxc %(version)s")
def commands() -> None:
    """Compile workflows of HPC and AI clusters from one system's language into another's."""


def run(arguments: list[str]) -> int:
    """Run a command; gives the exit code and never raises, except for an interrupt."""
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        _silence()
        return exits.BROKEN_PIPE
    except OSError as fault:  # such as a full disk behind standard output
        click.echo(f"pwxc: cannot write: {fault.strerror or fault}", err=True)
        _silence()
        return exits.USAGE
    return code


def _run(arguments: list[str]) -> int:
    if "_PWXC_COMPLETE" in os.environ:
        commands.main(arguments, prog_name="pwxc")
    try:
        context = commands.make_context("pwxc", list(arguments))
        with context:
            return _invoke(context)
    except click.exceptions.Exit as stopped:
        return stopped.exit_code
    except click.ClickException as fault:
        fault.show()
        return exits.USAGE


def _invoke(context: click.Context) -> int:
    try:
        return int(commands.invoke(context) or 0)
    except (click.ClickException, click.exceptions.Exit, OSError):
        raise
    except Exception as fault:
        if os.environ.get("PWXC_DEBUG"):
            import traceback

            traceback.print_exc()
        console.emit([console.internal_error(fault)], context.meta.get(console.FORMAT, "text"))
        return exits.USAGE


def clean_up_when_terminated() -> None:
    """Leave by an exception on SIGTERM, so that temporary files are removed on the way out."""
    signal.signal(signal.SIGTERM, _stop)


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


def _silence() -> None:
    """Let what is still in the buffers go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
