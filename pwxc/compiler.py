"""The pipeline on one page: read, lower, pass, raise, write."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import attrs

from pwxc import registry
from pwxc.diagnostics import Diagnostic, Diagnostics, did_you_mean
from pwxc.diagnostics import codes as C  # noqa: N812
from pwxc.fidelity import Ledger, Report
from pwxc.fidelity.report import judge
from pwxc.ir.workflow import Workflow
from pwxc.registry import OutputFile, ReadSettings, Target
from pwxc.source import Source


@attrs.frozen
class Policy:
    """Which losses the user accepts: codes by id or name, all of them, or none and no warnings either."""

    allow: frozenset[str] = frozenset()
    lossy: bool = False
    strict: bool = False


@attrs.frozen
class Compilation:
    """What a compilation gave.

    `files` is empty unless the output may be used: there was no error in the source and no loss was refused.
    """

    files: tuple[OutputFile, ...] = ()
    report: Report = attrs.field(factory=Report)
    diagnostics: tuple[Diagnostic, ...] = ()
    workflow: Workflow | None = None
    source_dialect: str = ""
    guessed: bool = False

    @property
    def refused(self) -> bool:
        """Whether the source was fine and a loss was not allowed."""
        return self.workflow is not None and bool(self.report.refused)

    @property
    def ok(self) -> bool:
        """Whether there is output."""
        return bool(self.files)


def compile_sources(
    sources: Sequence[Source],
    *,
    to: Target,
    origin: Target | None = None,
    settings: ReadSettings | None = None,
    options: Mapping[str, str] | None = None,
    policy: Policy | None = None,
) -> Compilation:
    """Compile texts, which together are one workflow, into the files of another system.

    `origin` is guessed from the first text when it is not given.
    """
    policy = policy or Policy()
    settings = settings or ReadSettings()
    with _collector_paused():
        workflow, diagnostics, reader = read(sources, origin=origin, settings=settings)
        guessed = origin is None and reader is not None
        dialect = reader.name if reader is not None else ""
        if workflow is None:
            return Compilation((), Report(), tuple(diagnostics), None, dialect, guessed)
        files, report, said = write(workflow, to=to, options=options or {}, policy=policy)
    return Compilation(files, report, (*diagnostics, *said), workflow, dialect, guessed)


def read(
    sources: Sequence[Source], *, origin: Target | None = None, settings: ReadSettings | None = None
) -> tuple[Workflow | None, Diagnostics, Target | None]:
    """Read texts into the IR; the workflow is None when there are errors."""
    diagnostics = Diagnostics()
    first = sources[0]
    reader = origin or registry.guess(first.text, first.name)
    if reader is None:
        diagnostics.add(C.UNGUESSABLE, f"cannot tell which system `{first.name}` is written for", first.span(0, 0))
        return None, diagnostics, None
    if reader.read is None:
        diagnostics.add(C.NOT_READABLE, f"`{reader.name}` files cannot be read yet")
        return None, diagnostics, reader
    settings = attrs.evolve(settings or ReadSettings(), options=reader.settle_options(_options(settings)))
    workflow = reader.read(tuple(sources), settings, diagnostics)
    failed = diagnostics.failed and _demote_allowed(diagnostics, settings.allow)
    if failed or workflow is None:
        if origin is None:
            diagnostics.add(C.GUESSED, f"`{first.name}` was read as {reader.title} (`{reader.name}`): that was a guess")
        return None, diagnostics, reader
    return workflow, diagnostics, reader


def _options(settings: ReadSettings | None) -> Mapping[str, str]:
    return settings.options if settings is not None else {}


def _demote_allowed(diagnostics: Diagnostics, allow: frozenset[str]) -> bool:
    """Turn errors that the user allows into warnings; give whether an error is left."""
    diagnostics.items, refused = judge(diagnostics.items, allow=allow, lossy=False, strict=False)
    return bool(refused)


def write(
    workflow: Workflow, *, to: Target, options: Mapping[str, str], policy: Policy
) -> tuple[tuple[OutputFile, ...], Report, list[Diagnostic]]:
    """Write the IR for a system; no files come out when a loss is refused."""
    if to.write is None:
        missing = Diagnostics()
        found = missing.add(C.NOT_READABLE, f"`{to.name}` files cannot be written yet")
        return (), Report(refused=(found,)), [found]
    ledger = Ledger()
    written = to.write(workflow, ledger, to.settle_options(options))
    entries = ledger.close(workflow)
    said, refused = judge(ledger.diagnostics.items, allow=policy.allow, lossy=policy.lossy, strict=policy.strict)
    report = Report(tuple(entries), tuple(refused))
    return (() if refused else written.files), report, said


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Hold Python's cyclic collector: it more than doubles the time of a large load and finds nothing."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def load_source(path: Path | str, data: bytes, diagnostics: Diagnostics) -> Source | None:
    """Decode a file's bytes; a byte-order mark is dropped, anything that is not UTF-8 is a diagnostic."""
    name = str(path)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        before = Source(name, data[: fault.start].decode("utf-8-sig", "replace") + "\ufffd")
        at = len(before.text) - 1
        diagnostics.add(
            C.NOT_TEXT, f"not UTF-8 text: byte 0x{data[fault.start]:02x} at {fault.start}", before.span(at, at + 1)
        )
        return None
    return Source(name, text, Path(path) if name != "<stdin>" else None)


def resolve_target(name: str, diagnostics: Diagnostics) -> Target | None:
    """Find a system by its name, or say which there are."""
    target = registry.find(name)
    if target is None:
        help_text = did_you_mean(name, registry.names())
        diagnostics.add(C.UNKNOWN_DIALECT, f"no system is called `{name}`", help=help_text)
    return target


def split_options(
    items: Iterable[str], targets: Iterable[Target], diagnostics: Diagnostics
) -> dict[str, dict[str, str]]:
    """Sort `TARGET.NAME=VALUE` items by target; unknown targets, names and values are diagnostics."""
    known = {target.name: target for target in targets}
    sorted_items: dict[str, dict[str, str]] = {name: {} for name in known}
    for item in items:
        key, equals, value = item.partition("=")
        system, dot, name = key.partition(".")
        if not equals or not dot:
            diagnostics.add(C.BAD_OPTION, f"`{item}` is not of the form `SYSTEM.NAME=VALUE`")
            continue
        target = known.get(system) or registry.find(system)
        if target is None:
            diagnostics.add(
                C.BAD_OPTION, f"no system is called `{system}`", help=did_you_mean(system, registry.names())
            )
            continue
        option = next((option for option in target.options if option.name == name), None)
        if option is None:
            help_text = did_you_mean(name, [option.name for option in target.options])
            diagnostics.add(C.BAD_OPTION, f"`{system}` has no option `{name}`", help=help_text)
        elif option.values and value not in option.values:
            choices = ", ".join(f"`{choice}`" for choice in option.values)
            diagnostics.add(C.BAD_OPTION, f"`{key}` cannot be `{value}`", help=f"one of {choices}")
        else:
            sorted_items.setdefault(system, {})[name] = value
    return sorted_items
