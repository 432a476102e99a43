"""Faults of a script as diagnostics."""

from __future__ import annotations

from pwxc.diagnostics import Code, Diagnostics, did_you_mean
from pwxc.registry import ReadSettings
from pwxc.source import Source
from pwxc_targets.slurm import codes as C  # noqa: N812
from pwxc_targets.slurm.batch.cutting import Word
from pwxc_targets.slurm.batch.directives import Fault, Reading, read_directives
from pwxc_targets.slurm.batch.table import GONE, STEP_ONLY, by_name, names_of, plugin_names, plugin_of

_SHOWN = 60
_CODES: dict[str, Code] = {
    "empty": C.NO_SCRIPT,
    "no-shebang": C.NO_SCRIPT,
    "nul": C.NO_SCRIPT,
    "dos-lines": C.DOS_LINES,
    "cutting": C.CUTTING,
    "stray-word": C.STRAY_WORD,
    "unknown-option": C.UNKNOWN_OPTION,
    "unknown-short": C.UNKNOWN_OPTION,
    "ambiguous": C.OPTION_USE,
    "no-value": C.OPTION_USE,
    "needs-value": C.OPTION_USE,
    "bad-value": C.BAD_VALUE,
    "newer-option": C.NEWER_OPTION,
    "foreign": C.FOREIGN,
}


def tolerated_options(settings: ReadSettings, text: str) -> tuple[str, ...]:
    """Give the options that the site's plug-ins add, as the user says."""
    plugins = [name.strip() for name in settings.options.get("plugins", "").split(",") if name.strip()]
    if "any" in plugins:
        unknown = [fault.help for fault in read_directives(text).faults if fault.kind == "unknown-option"]
        return tuple(name for name in unknown if name not in GONE and name not in STEP_ONLY)
    return tuple(name for plugin in plugins for name in plugin_names(plugin))


def read_source(source: Source, settings: ReadSettings) -> Reading:
    """Read the directives of a script, as the user says with the options of the site's plug-ins."""
    reading = read_directives(source.text, tolerated=tolerated_options(settings, source.text))
    if source.encoding == "utf-8-sig":
        message = "a byte-order mark stands before the first line, so that it is not `#!` with an interpreter"
        reading.faults.insert(0, Fault("no-shebang", message, 0, 0, "save the script without a byte-order mark"))
    return reading


def report_faults(reading: Reading, source: Source, diagnostics: Diagnostics, within: Word | None = None) -> bool:
    """Add the faults of a script to the diagnostics; give whether it may be used."""
    usable = True
    for fault in reading.faults:
        span = source.span(fault.start, fault.end) if within is None else source.span(within.start, within.end)
        code = _CODES[fault.kind]
        help_text = _unknown_help(fault) if fault.kind == "unknown-option" else fault.help
        diagnostics.add(code, fault.message, span, help=help_text)
        usable = usable and fault.kind == "newer-option"
    for start, end in reading.cut_short:
        span = source.span(start, end) if within is None else source.span(within.start, within.end)
        if not any(item.code is C.COMMENT_IN_WORD and item.span == span for item in diagnostics):
            # a script that is submitted several times has one
            message = f"the value ends at `#`: {shown(source.text[start:end])} is a comment"
            diagnostics.add(C.COMMENT_IN_WORD, message, span)
    return usable


def shown(text: str) -> str:
    """Give text of a directive in backquotes, with its end left out where it is long."""
    return f"`{text if len(text) <= _SHOWN else text[: _SHOWN - 1] + '…'}`"


def _unknown_help(fault: Fault) -> str:
    name = fault.help
    if name in GONE:
        return GONE[name]
    if name in STEP_ONLY:
        return "it is an option of `srun`"
    plugin = plugin_of(name)
    if plugin is not None:
        return f"it comes with a plug-in: `--option slurm.plugins={plugin}` says that the site has it"
    guess = did_you_mean(name, [*names_of("26.05"), *by_name()])
    other = "`--option slurm.plugins=any` keeps an option that a plug-in of the site adds"
    return f"{guess} Else {other}" if guess else other
