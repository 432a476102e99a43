"""Paths as a driver writes them, told from the folder in which it is called."""

from __future__ import annotations

import posixpath

from pwxc_targets.slurm.drivers.text.marks import HERE, LOGIN, UNKNOWN, is_fixed


def joined(folder: str, path: str) -> str:
    """Give a path that is written in a folder as it is seen from where the driver is called."""
    if path.startswith(HERE):
        path, folder = path[1:].lstrip("/"), ""
    if path.startswith(LOGIN):
        folder = ""
    told = posixpath.normpath(posixpath.join(folder, path)) if path or folder else ""
    return "" if told == "." else told


def from_folder(value: str, folder: str) -> str:
    """Replace the path of the folder in which the driver is called by the way that leads there from another folder.

    Where that way is not known the value is not known.
    """
    if HERE not in value:
        return value
    if not is_fixed(folder) or folder.startswith("/") or ".." in folder.split("/"):
        return value.replace(HERE, UNKNOWN)
    return value.replace(HERE, "/".join([".."] * len(folder.split("/"))) if folder else ".")
