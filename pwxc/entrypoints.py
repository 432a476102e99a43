"""The entry points of installed distributions, found without `importlib.metadata`.

Importing that costs as much as all of a small compilation. What is read is the same: `entry_points.txt` of every
distribution in the folders of `sys.path`, the first one of a name. A path that holds anything else than folders, or
an import system with a finder of its own, is left to `importlib.metadata`.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from importlib.machinery import PathFinder

_SUFFIXES = (".dist-info", ".egg-info")
_VALUE = re.compile(r"(?P<module>[\w.]+)\s*(?::\s*(?P<name>[\w.]+)\s*)?(?:\[.*\]\s*)?")


class _UnusualError(Exception):
    """Distributions may stand where only `importlib.metadata` finds them."""


def find_entry_points(group: str) -> dict[str, str]:
    """Give where the entry points of a group lead, as `package.module:name`; of several of a name the first."""
    found: dict[str, str] = {}
    try:
        for text in list(_texts()):
            for name, value in _section(text, group):
                found.setdefault(name, value)
    except _UnusualError:
        from importlib.metadata import entry_points

        for point in entry_points(group=group):
            found.setdefault(point.name, f"{point.module}:{point.attr}" if point.attr else point.module)
    return found


def _texts() -> Iterator[str]:
    """Give the text of every distribution's `entry_points.txt`."""
    finders = [finder for finder in sys.meta_path if finder is not PathFinder]
    if any(hasattr(finder, "find_distributions") for finder in finders):
        raise _UnusualError
    seen: set[str] = set()
    for folder in map(os.fspath, sys.path):
        if folder.endswith(".egg"):
            raise _UnusualError
        for name in _names(folder or "."):
            project = re.sub(r"[-_.]+", "_", name.rpartition(".")[0].partition("-")[0]).lower()
            if project not in seen:
                seen.add(project)
                yield from _read(os.path.join(folder, name, "entry_points.txt"))  # noqa: PTH118  # no pathlib


def _names(folder: str) -> list[str]:
    try:
        return [name for name in os.listdir(folder) if name.endswith(_SUFFIXES)]  # noqa: PTH208
    except NotADirectoryError:
        raise _UnusualError from None
    except OSError:
        return []


def _read(path: str) -> Iterator[str]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            yield file.read()
    except OSError:
        return


def _section(text: str, group: str) -> Iterator[tuple[str, str]]:
    """Give the names and values of one section."""
    if f"[{group}]" not in text:
        return
    inside = False
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            inside = line == f"[{group}]"
        elif inside and line and line[0] not in "#;":
            name, _, value = line.partition("=")
            if (parsed := _VALUE.fullmatch(value.strip())) is not None:
                yield name.strip(), f"{parsed['module']}:{parsed['name']}" if parsed["name"] else parsed["module"]
