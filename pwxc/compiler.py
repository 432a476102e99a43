"""The pipeline on one page: read, lower, pass, raise, write."""

from __future__ import annotations

import gc
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import attrs

from pwxc import registry
from pwxc.diagnostics import Diagnostic, Diagnostics, did_you_mean
from pwxc.diagnostics import codes as C  # noqa: N812
from pwxc.fidelity import Ledger, Report
from pwxc.fidelity.report import judge
from pwxc.files import as_latin1, is_text
from pwxc.frozen import frozen
from pwxc.ir.workflow import Workflow
from pwxc.registry import OutputFile, ReadSettings, Target
from pwxc.source import Source, Span


@frozen
class Policy:
    """Which losses the user accepts: codes by id or name, all of them, or none and no warnings either."""

    allow: frozenset[str] = frozenset()
    lossy: bool = False
    strict: bool = False


@frozen
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
    options: Mapping[str, Mapping[str, str]] | None = None,
    policy: Policy | None = None,
) -> Compilation:
    """Compile texts, which together are one workflow, into the files of another system.

    `origin` is guessed from the first text when it is not given. `options` holds the options of each system by its
    name; those of the system that is read apply as well.
    """
    policy = policy or Policy()
    options = options or {}
    with _collector_paused():
        workflow, diagnostics, reader = read(sources, origin=origin, settings=settings, options=options)
        guessed = origin is None and reader is not None
        dialect = reader.name if reader is not None else ""
        if workflow is None:
            return Compilation((), Report(), tuple(diagnostics), None, dialect, guessed)
        if reader is not None and reader.any_bytes and not to.any_bytes:
            workflow = _as_text(workflow, diagnostics)
        refused = _judge_reading(diagnostics, policy)
        files, report, said = write(workflow, to=to, options=options.get(to.name, {}), policy=policy)
    if refused:
        files, report = (), attrs.evolve(report, refused=(*refused, *report.refused))
    return Compilation(files, report, (*diagnostics, *said), workflow, dialect, guessed)


def _as_text(workflow: Workflow, diagnostics: Diagnostics) -> Workflow:
    """Make texts of what was read from files of another encoding."""
    from pwxc.ir.walking import rebuilt

    origin = workflow.origin if isinstance(workflow.origin, tuple) else ()
    odd = [item for item in origin if isinstance(item, Source) and item.encoding == "bytes"]
    for source in odd:
        message = f"`{source.name}` is not UTF-8 text; other bytes are read as Latin-1"
        diagnostics.add(C.OTHER_ENCODING, message, source.span(0, 0))

    def mended(value: object) -> object:
        if isinstance(value, Source | Span):
            return value
        return as_latin1(value) if type(value) is str else NotImplemented

    made: Workflow = rebuilt(workflow, mended) if odd else workflow
    return made


def _judge_reading(diagnostics: Diagnostics, policy: Policy) -> list[Diagnostic]:
    """Give what a strict user refuses of the reader's warnings."""
    diagnostics.items, refused = judge(diagnostics.items, allow=policy.allow, lossy=policy.lossy, strict=policy.strict)
    return refused


def read(
    sources: Sequence[Source],
    *,
    origin: Target | None = None,
    settings: ReadSettings | None = None,
    options: Mapping[str, Mapping[str, str]] | None = None,
) -> tuple[Workflow | None, Diagnostics, Target | None]:
    """Read texts into the IR; the workflow is None when there are errors."""
    diagnostics = Diagnostics()
    first = sources[0]
    reader = origin or registry.guess(first.text, first.name)
    if reader is None or not reader.any_bytes:
        plain = [is_text(item, diagnostics) for item in sources]  # every file that is none is told
        if not all(plain):
            return None, diagnostics, None
    if reader is None:
        message = f"cannot tell which system `{first.name}` is written for"
        diagnostics.add(C.UNGUESSABLE, message, first.span(0, 0), help="name the system with `--from`")
        return None, diagnostics, None
    if reader.read is None:
        diagnostics.add(C.NOT_READABLE, f"`{reader.name}` files cannot be read yet")
        return None, diagnostics, reader
    settings = _settle(settings, reader, options)
    workflow = reader.read(tuple(sources), settings, diagnostics)
    failed = workflow is None or (diagnostics.failed and _demote_allowed(diagnostics, settings.allow))
    if failed:
        if origin is None:
            message = f"`{first.name}` was read as {reader.title} (`{reader.name}`): that was a guess"
            diagnostics.add(C.GUESSED, message, help="if it is wrong, name the system with `--from`")
        return None, diagnostics, reader
    return workflow, diagnostics, reader


def lint(
    source: Source,
    *,
    origin: Target | None = None,
    settings: ReadSettings | None = None,
    options: Mapping[str, Mapping[str, str]] | None = None,
) -> Diagnostics:
    """Check a text by reading it and by its system's own rules; nothing is said twice."""
    _, diagnostics, reader = read([source], origin=origin, settings=settings, options=options)
    if reader is not None and reader.lint is not None:
        reader.lint((source,), _settle(settings, reader, options), diagnostics)
    once: dict[tuple[object, ...], Diagnostic] = {}
    for item in diagnostics:
        once.setdefault(_identity(item), item)
    return Diagnostics(list(once.values()))


def _identity(item: Diagnostic) -> tuple[object, ...]:
    span = item.span.resolve() if item.span is not None else None
    place = (span.source.name, span.start, span.end) if span is not None else None
    return item.code.id, item.message, place


def _settle(
    settings: ReadSettings | None, reader: Target, options: Mapping[str, Mapping[str, str]] | None
) -> ReadSettings:
    settings = settings or ReadSettings()
    given = {**settings.options, **(options or {}).get(reader.name, {})}
    return attrs.evolve(settings, options=reader.settle_options(given))


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
    report = Report(entries, tuple(refused))
    return (() if refused else written.files), report, said


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Hold Python's cyclic collector: it more than doubles the time of a large load and finds nothing.

    What was made meanwhile counts as old afterwards, or the collector would go through all of it at once.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on and not gc.get_freeze_count():
            gc.freeze()
            gc.unfreeze()
        if was_on:
            gc.enable()


def resolve_target(name: str, diagnostics: Diagnostics) -> Target | None:
    """Find a system by its name, or say which there are."""
    target = registry.find(name)
    if target is None and (fault := registry.broken().get(name)) is not None:
        diagnostics.add(C.UNKNOWN_DIALECT, f"the system `{name}` is installed but cannot be loaded", notes=[fault])
    elif target is None:
        help_text = did_you_mean(name, registry.names())
        diagnostics.add(C.UNKNOWN_DIALECT, f"no system is called `{name}`", help=help_text)
    return target


def split_options(items: Iterable[str], diagnostics: Diagnostics) -> dict[str, dict[str, str]]:
    """Sort `SYSTEM.NAME=VALUE` items by system; unknown systems, names and values are diagnostics."""
    sorted_items: dict[str, dict[str, str]] = {}
    for item in items:
        key, equals, value = item.partition("=")
        system, dot, name = key.partition(".")
        if not equals or not dot:
            diagnostics.add(C.BAD_OPTION, f"`{item}` is not of the form `SYSTEM.NAME=VALUE`")
            continue
        target = registry.find(system)
        if target is None:
            help_text = did_you_mean(system, registry.names())
            diagnostics.add(C.BAD_OPTION, f"no system is called `{system}`", help=help_text)
            continue
        option = next((option for option in target.options if option.name == name), None)
        if option is None:
            help_text = did_you_mean(name, [option.name for option in target.options])
            diagnostics.add(C.BAD_OPTION, f"`{system}` has no option `{name}`", help=help_text)
        elif not re.fullmatch(option.pattern, value, re.DOTALL):
            diagnostics.add(C.BAD_OPTION, f"`{key}` cannot be `{value}`", help=option.help)
        elif option.values and value not in option.values:
            choices = ", ".join(f"`{choice}`" for choice in option.values)
            diagnostics.add(C.BAD_OPTION, f"`{key}` cannot be `{value}`", help=f"one of {choices}")
        else:
            sorted_items.setdefault(system, {})[name] = value
    return sorted_items
