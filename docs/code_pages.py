"""The folder `codes`: a page of every diagnostic, as `pwxc explain CODE` prints it, and an index."""

from __future__ import annotations

from pwxc import registry
from pwxc.catalogue import catalogue, page
from pwxc.diagnostics import Code

HEAD = """\
# Diagnostic codes

Made by `make docs` from the catalogue. `pwxc explain CODE` prints the same pages.

The second digit of a number is its owner: 0 is what all systems share, {owners}. The first
one is the work that it comes from: 0 is the program itself, 1 and 2 reading, 3 writing, 4 checking.
"""
_WORK = {"0": "The program", "1": "Reading any file", "2": "Reading", "3": "Writing", "4": "Checking"}


def pages() -> dict[str, str]:
    """Give a page for each code, and the index."""
    return {"codes/README.md": _index()} | {f"codes/{row.id}.md": page(row) for row in catalogue()}


def _index() -> str:
    titles = _titles()
    owners = ", ".join(f"{digit} {title}" for digit, title in sorted(titles.items()))
    parts = [HEAD.format(owners=owners)]
    section = ""
    for row in catalogue():
        title = _section(row, titles)
        if title != section:
            section = title
            parts.append(f"\n## {title}\n\n| code | name | severity |\n|---|---|---|\n")
        parts.append(f"| [{row.id}]({row.id}.md) | {row.name} | {row.severity} |\n")
    return "".join(parts)


def _titles() -> dict[str, str]:
    """Give each system's title by the digit that its codes have in common."""
    return {registry.target_codes(target)[0].id[4]: target.title for target in registry.all_targets()}


def _section(row: Code, titles: dict[str, str]) -> str:
    work, owner = _WORK[row.id[3]], titles.get(row.id[4])
    if owner is None or row.id[3] in "01":
        return work if row.id[3] in "01" else f"{work} any system"
    return f"{work} {owner}"
