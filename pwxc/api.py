"""The library's calls. They never print, and user input never makes them raise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from pwxc import compiler
from pwxc.compiler import Compilation, Policy
from pwxc.diagnostics import Diagnostics
from pwxc.diagnostics import codes as C  # noqa: N812
from pwxc.ir.workflow import Workflow
from pwxc.registry import ReadSettings
from pwxc.source import Source


def compile(  # noqa: A001
    source: str | Path | Iterable[str | Path],
    *,
    to: str,
    origin: str | None = None,
    values: Mapping[str, object] | None = None,
    options: Mapping[str, str] | None = None,
    allow: Iterable[str] = (),
    lossy: bool = False,
    strict: bool = False,
) -> Compilation:
    """Compile a workflow into another system's files.

    Args:
        source: a text (it has a line break), a path, or several paths that are one workflow together.
        to: the target's name.
        origin: the source's system; guessed from the content when None.
        values: values for the source's parameters, as `--set` gives them.
        options: `SYSTEM.NAME` to value, as `--option` gives them.
        allow: codes or names of losses that are accepted.
        lossy: accept every loss.
        strict: refuse on warnings too.
    """
    diagnostics = Diagnostics()
    target = compiler.resolve_target(to, diagnostics)
    reader = compiler.resolve_target(origin, diagnostics) if origin is not None else None
    sources = _load(source, diagnostics)
    items = [f"{key}={value}" for key, value in (options or {}).items()]
    named = [found for found in (target, reader) if found is not None]
    sorted_options = compiler.split_options(items, named, diagnostics)
    if target is None or sources is None or diagnostics.failed:
        return Compilation(diagnostics=tuple(diagnostics))
    allowed = frozenset(allow)
    settings = ReadSettings(
        values=tuple(f"{key}={value}" for key, value in (values or {}).items()),
        folder=sources[0].path.parent if sources[0].path else Path.cwd(),
        options=sorted_options.get(origin or "", {}),
        allow=allowed,
    )
    return compiler.compile_sources(
        sources,
        to=target,
        origin=reader,
        settings=settings,
        options=sorted_options.get(to, {}),
        policy=Policy(allowed, lossy, strict),
    )


def read(
    source: str | Path | Iterable[str | Path], *, origin: str | None = None
) -> tuple[Workflow | None, Diagnostics]:
    """Read a workflow into the IR; None when there are errors."""
    diagnostics = Diagnostics()
    reader = compiler.resolve_target(origin, diagnostics) if origin is not None else None
    sources = _load(source, diagnostics)
    if sources is None or diagnostics.failed:
        return None, diagnostics
    folder = sources[0].path.parent if sources[0].path else Path.cwd()
    workflow, found, _ = compiler.read(sources, origin=reader, settings=ReadSettings(folder=folder))
    return workflow, found


def _load(source: str | Path | Iterable[str | Path], diagnostics: Diagnostics) -> list[Source] | None:
    if isinstance(source, str) and ("\n" in source or source == ""):
        return [Source("<text>", source)]
    paths = [source] if isinstance(source, str | Path) else list(source)
    sources = []
    for path in paths:
        try:
            data = Path(path).read_bytes()
        except (OSError, ValueError) as fault:
            reason = fault.strerror if isinstance(fault, OSError) else str(fault)
            diagnostics.add(C.UNREADABLE_FILE, f"cannot read `{path}`: {reason}")
            continue
        loaded = compiler.load_source(path, data, diagnostics)
        if loaded is not None:
            sources.append(loaded)
    return sources if len(sources) == len(paths) and sources else None
