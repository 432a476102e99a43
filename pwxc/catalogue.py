"""The whole catalogue: the core's codes and those of every installed system."""

from __future__ import annotations

from functools import cache

from pwxc import registry
from pwxc.diagnostics import Catalogue, Code, codes, codes_of, did_you_mean


@cache
def catalogue() -> Catalogue:
    """Gather every code there is."""
    rows = codes_of(vars(codes))
    for target in registry.all_targets():
        rows.extend(registry.target_codes(target))
    return Catalogue.of(rows)


def suggest_code(text: str) -> str:
    """Give a help text with the nearest code, for one that does not exist."""
    names = [name for code in catalogue() for name in (code.id, code.name)]
    near = did_you_mean(text, names)
    return near if near.startswith("did you mean") else "`pwxc explain` lists every code"


def page(code: Code) -> str:
    """Give what there is to know about a code, as Markdown."""
    parts = [
        f"# {code.id}: {code.name}",
        f"Severity: {code.severity}.",
        f"## What it means\n\n{code.meaning}",
        f"## What to do\n\n{code.remedy}",
    ]
    if code.example:
        parts.append(f"## Example\n\n```\n{code.example.rstrip()}\n```")
    return "\n\n".join(parts) + "\n"
