"""Switches that take several values, and those that commands share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from pwxc.cli import console

_F = TypeVar("_F", bound=Callable[..., Any])
_CODE = re.compile(r"PWX\d{4}", re.IGNORECASE)
_WORD = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def _is_pair(word: str) -> bool:
    return "=" in word


def _is_code(word: str) -> bool:
    """Whether a word is a code or the name of one; a file without a dot in its name may look like a name."""
    if _CODE.fullmatch(word):
        return True
    if not _WORD.fullmatch(word) or Path(word).exists():
        return False
    from pwxc.catalogue import catalogue

    return catalogue().find(word) is not None


SEVERAL: dict[str, Callable[[str], bool]] = {
    "--set": _is_pair,
    "--set-string": _is_pair,
    "--option": _is_pair,
    "--allow": _is_code,
    "--map": _is_pair,
}
"""Switches that take values until the next switch or the next word that cannot be one of theirs."""


class SeveralValues(click.Command):
    """A command whose switches of `SEVERAL` take more than one value each."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Give every further value a switch of its own."""
        return super().parse_args(ctx, list(spread(args)))


def spread(words: Sequence[str]) -> Iterator[str]:
    """Turn `--set a=1 b=2` into `--set a=1 --set b=2`."""
    current: str | None = None
    awaited = False
    rest = iter(words)
    for word in rest:
        if word == "--":
            yield word
            yield from rest
            return
        switch, equals, _ = word.partition("=")
        if not awaited and word.startswith("--") and switch in SEVERAL:
            current, awaited = switch, not equals
        elif awaited:
            awaited = False
        elif current is not None and not word.startswith("-") and SEVERAL[current](word):
            yield current
        else:
            current = None
        yield word


def _remember_format(ctx: click.Context, parameter: click.Parameter, value: str) -> str:
    ctx.meta[console.FORMAT] = value
    return value


def output_format(*choices: str) -> Callable[[_F], _F]:
    """Make the switch for the format of diagnostics; the first choice is the default."""
    return click.option(
        "--output-format",
        "form",
        type=click.Choice(choices),
        default=choices[0],
        show_default=True,
        is_eager=True,
        callback=_remember_format,
        help="Format of diagnostics.",
    )


def reading_switches(command: _F) -> _F:
    """Add the switches that say how a source is read."""
    for switch in reversed(_READING):
        command = switch(command)
    return command


_READING = (
    click.option("--from", "origin", metavar="SYSTEM", help="System of the source; guessed if not given."),
    click.option("--set", "values", multiple=True, metavar="K=V …", help="Values for the source's parameters."),
    click.option("--set-string", "texts", multiple=True, metavar="K=V …", help="Likewise; V stays text."),
    click.option(
        "--set-file", "files", multiple=True, metavar="FILE", help="A YAML or JSON map of values; --set wins."
    ),
    click.option("--option", "options", multiple=True, metavar="SYSTEM.K=V …", help="Choices; see `pwxc targets`."),
)
