"""The scripts that a driver submits, among the sources or in its folder."""

from __future__ import annotations

import os
from pathlib import Path, PurePath

from pwxc.diagnostics import Diagnostics
from pwxc.source import Source, Span
from pwxc_targets.slurm import codes as C  # noqa: N812


def find_script(
    paths: tuple[str, ...] | str,
    driver: Source,
    sources: list[Source],
    folder: Path | None,
    diagnostics: Diagnostics,
    span: Span,
) -> Source | None:
    """Find a script by the end of its path; one that is read from the folder is added to the sources."""
    paths = (paths,) if isinstance(paths, str) else paths
    name = PurePath(paths[0]).name
    near = [item for item in sources if PurePath(item.name).name == name and item is not driver]
    for path in paths:
        for source in near:
            if PurePath(source.name).parts[-len(PurePath(path).parts) :] == PurePath(path).parts:
                return source
    found = [Path(folder, path) for path in paths] if folder is not None else []
    present = next((path for path in found if os.path.isfile(path)), None)  # noqa: PTH113  # takes any name
    if present is None and len(near) == 1:
        return near[0]
    if present is None:
        message = f"the script `{paths[-1]}` is not there"
        diagnostics.add(C.NO_FILE, message, span)
        return None
    try:
        data = present.read_bytes()
    except OSError as fault:
        diagnostics.add(C.NO_FILE, f"the script `{present}` cannot be read: {fault.strerror}", span)
        return None
    loaded = decode(str(present), data, present)
    sources.append(loaded)
    return loaded


def decode(name: str, data: bytes, path: Path | None) -> Source:
    """Make a source of a script's bytes, which may be of any encoding."""
    try:
        marked = data.startswith(b"\xef\xbb\xbf")
        return Source(name, data.decode("utf-8-sig"), path, encoding="utf-8-sig" if marked else "utf-8")
    except UnicodeDecodeError:
        return Source(name, data.decode("utf-8", "surrogateescape"), path, encoding="bytes")
