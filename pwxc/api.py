"""The library's calls. They never print, and user input never makes them raise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

from pwxc import compiler
from pwxc.compiler import Compilation, Policy
from pwxc.diagnostics import Diagnostics
from pwxc.diagnostics import codes as C  # noqa: N812
from pwxc.files import is_folder, load_file, load_folder
from pwxc.ir.workflow import Workflow
from pwxc.registry import ReadSettings, Target
from pwxc.source import Source

Text: TypeAlias = str | Path | Source
"""A workflow's text (a `str` with a line break), the path of a file or a folder, or a source that is loaded already."""


def compile(  # noqa: A001
    source: Text | Iterable[Text],
    *,
    to: str,
    origin: str | None = None,
    values: Mapping[str, object] | None = None,
    texts: Mapping[str, str] | None = None,
    options: Mapping[str, str] | None = None,
    allow: Iterable[str] = (),
    lossy: bool = False,
    strict: bool = False,
) -> Compilation:
    """Compile a workflow into another system's files.

    Args:
        source: a text, a path, or several that are one workflow together.
        to: the target's name.
        origin: the source's system; guessed from the content when None.
        values: values for the source's parameters, as `--set` gives them.
        texts: the same for values that stay text whatever they look like, as `--set-string` gives them.
        options: `SYSTEM.NAME` to value, as `--option` gives them.
        allow: codes or names of losses that are accepted.
        lossy: accept every loss.
        strict: refuse on warnings too.
    """
    diagnostics = Diagnostics()
    target = compiler.resolve_target(to, diagnostics)
    reader = _resolve_origin(origin, diagnostics)
    sorted_options = _sort_options(options, diagnostics)
    allowed = _resolve_codes(allow, diagnostics)
    sources = _load(source, reader, diagnostics)
    if target is None or sources is None or diagnostics.failed:
        return Compilation(diagnostics=tuple(diagnostics))
    return compiler.compile_sources(
        sources,
        to=target,
        origin=reader,
        settings=_settings(sources, values, texts, allowed),
        options=sorted_options,
        policy=Policy(allowed, lossy, strict),
    )


def read(
    source: Text | Iterable[Text],
    *,
    origin: str | None = None,
    values: Mapping[str, object] | None = None,
    options: Mapping[str, str] | None = None,
) -> tuple[Workflow | None, Diagnostics]:
    """Read a workflow into the IR; None when there are errors. The arguments are those of `compile`."""
    diagnostics = Diagnostics()
    reader = _resolve_origin(origin, diagnostics)
    sorted_options = _sort_options(options, diagnostics)
    sources = _load(source, reader, diagnostics)
    if sources is None or diagnostics.failed:
        return None, diagnostics
    settings = _settings(sources, values, None, frozenset())
    workflow, found, _ = compiler.read(sources, origin=reader, settings=settings, options=sorted_options)
    return workflow, found


def lint(
    source: Text,
    *,
    origin: str | None = None,
    values: Mapping[str, object] | None = None,
    texts: Mapping[str, str] | None = None,
    options: Mapping[str, str] | None = None,
) -> Diagnostics:
    """Check a workflow by its own system's rules. The arguments are those of `compile`."""
    diagnostics = Diagnostics()
    reader = _resolve_origin(origin, diagnostics)
    sorted_options = _sort_options(options, diagnostics)
    sources = _load(source, reader, diagnostics)
    if sources is None or diagnostics.failed:
        return diagnostics
    settings = _settings(sources, values, texts, frozenset())
    return compiler.lint(sources[0], origin=reader, settings=settings, options=sorted_options)


def _resolve_origin(origin: str | None, diagnostics: Diagnostics) -> Target | None:
    return compiler.resolve_target(origin, diagnostics) if origin is not None else None


def _sort_options(options: Mapping[str, str] | None, diagnostics: Diagnostics) -> dict[str, dict[str, str]]:
    return compiler.split_options([f"{key}={value}" for key, value in (options or {}).items()], diagnostics)


def _resolve_codes(names: Iterable[str], diagnostics: Diagnostics) -> frozenset[str]:
    """Give the ids of codes that may be given by id or by name."""
    given = tuple(names)
    if not given:
        return frozenset()
    from pwxc.catalogue import catalogue, suggest_code

    found = {name: catalogue().find(name) for name in given}
    for name, code in found.items():
        if code is None:
            diagnostics.add(C.BAD_OPTION, f"no diagnostic is called `{name}`", help=suggest_code(name))
    return frozenset(code.id for code in found.values() if code is not None)


def _settings(
    sources: list[Source], values: Mapping[str, object] | None, texts: Mapping[str, str] | None, allow: frozenset[str]
) -> ReadSettings:
    return ReadSettings(
        values=tuple(f"{key}={_as_text(value)}" for key, value in (values or {}).items()),
        texts=tuple(f"{key}={value}" for key, value in (texts or {}).items()),
        folder=sources[0].path.parent if sources[0].path else Path.cwd(),
        allow=allow,
    )


def _as_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _load(source: Text | Iterable[Text], reader: Target | None, diagnostics: Diagnostics) -> list[Source] | None:
    given = [source] if isinstance(source, str | Path | Source) else list(source)
    loaded = [_load_one(item, reader, diagnostics) for item in given]
    return [item for items in loaded for item in items] if loaded and all(loaded) else None


def _load_one(item: Text, reader: Target | None, diagnostics: Diagnostics) -> list[Source]:
    if isinstance(item, Source):
        return [item]
    if isinstance(item, str) and ("\n" in item or item == ""):
        return [Source("<text>", item)]
    if is_folder(item):
        return load_folder(Path(item), reader, diagnostics)
    found = load_file(item, diagnostics)
    return [] if found is None else [found]
