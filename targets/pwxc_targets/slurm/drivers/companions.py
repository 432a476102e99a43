"""The scripts that a driver submits, among the sources or in its folder."""

from __future__ import annotations

from pathlib import Path, PurePath

from pwxc.diagnostics import Diagnostics
from pwxc.source import Source, Span
from pwxc_targets.slurm import codes as C  # noqa: N812


def find_script(
    script: str, driver: Source, sources: list[Source], folder: Path | None, diagnostics: Diagnostics, span: Span
) -> Source | None:
    """Find a script by the end of its path; one that is read from the folder is added to the sources."""
    name = PurePath(script).name
    for source in sources:
        if source.name.endswith(name) and PurePath(source.name).name == name and source is not driver:
            return source
    path = folder / script if folder is not None else None
    if path is None or not path.is_file():
        diagnostics.add(C.NO_FILE, f"the script `{script}` is not there", span)
        return None
    try:
        loaded = Source(str(path), path.read_text(encoding="utf-8-sig"), path)
    except (OSError, ValueError):
        diagnostics.add(C.NO_FILE, f"the script `{path}` cannot be read as UTF-8 text", span)
        return None
    sources.append(loaded)
    return loaded
