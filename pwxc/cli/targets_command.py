"""`pwxc targets`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pwxc.cli import console, exits
from pwxc.cli.switches import output_format

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pwxc.registry import Option, Target

_EPILOG = """\b
Examples:
  pwxc targets
  pwxc targets --output-format json
"""


@click.command(epilog=_EPILOG, short_help="List the installed systems and their options.")
@output_format("text", "json")
def command(form: str) -> int:
    """List the installed systems, what each can do, and the options that `--option SYSTEM.NAME=VALUE` sets."""
    from pwxc import registry

    targets = registry.all_targets()
    if form == "json":
        import json

        plain = [_as_plain(target) for target in targets]
        plain += [{"name": name, "fault": fault} for name, fault in registry.broken().items()]
        console.write_result(json.dumps(plain, indent=2) + "\n")
        return exits.FINE
    rows = [("name", "title", "can")]
    rows += [(target.name, target.title, ", ".join(_abilities(target))) for target in targets]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    lines = [f"{name:<{widths[0]}}  {title:<{widths[1]}}  {can}".rstrip() for name, title, can in rows]
    for target in targets:
        lines += _option_lines(target)
    console.write_result("\n".join(lines) + "\n")
    for name, fault in registry.broken().items():
        console.write_note(f"`{name}` is installed but cannot be loaded: {fault}\n")
    return exits.FINE


def _abilities(target: Target) -> list[str]:
    able = (("reads", target.read), ("writes", target.write), ("lints", target.lint))
    return [word for word, function in able if function is not None]


def _option_lines(target: Target) -> Iterator[str]:
    if not target.options:
        return
    yield ""
    yield f"options of {target.name}:"
    heads = [_head(target, option) for option in target.options]
    wide = max(map(len, heads))
    for head, option in zip(heads, target.options, strict=True):
        default = f" [default: {option.default}]" if option.default else ""
        yield f"  {head:<{wide}}  {option.help}{default}"


def _head(target: Target, option: Option) -> str:
    return f"{target.name}.{option.name}={'|'.join(option.values) or 'TEXT'}"


def _as_plain(target: Target) -> dict[str, object]:
    options = [
        {"name": option.name, "default": option.default, "values": list(option.values), "help": option.help}
        for option in target.options
    ]
    return {
        "name": target.name,
        "title": target.title,
        "suffixes": list(target.suffixes),
        "reads": target.read is not None,
        "writes": target.write is not None,
        "lints": target.lint is not None,
        "options": options,
    }
