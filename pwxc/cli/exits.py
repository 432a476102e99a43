"""Exit codes, and which one a diagnostic asks for."""

from __future__ import annotations

from collections.abc import Iterable

from pwxc.diagnostics import Diagnostic, Severity
from pwxc.diagnostics import codes as C  # noqa: N812

FINE = 0
PROBLEMS = 1
"""The source has errors, or `--check` found a difference."""
USAGE = 2
"""Wrong usage, a file that cannot be read or written, or a fault of pwxc itself."""
REFUSED = 3
"""The source is fine, and a loss was not allowed."""
BROKEN_PIPE = 141

_USAGE_CODES = frozenset(
    code.id
    for code in (
        C.UNREADABLE_FILE,
        C.UNKNOWN_DIALECT,
        C.BAD_OPTION,
        C.CANNOT_WRITE,
        C.NOT_READABLE,
        C.NOT_TEXT,
        C.INTERNAL,
    )
)


def exit_code(diagnostics: Iterable[Diagnostic], *, refused: bool = False) -> int:
    """Give the exit code that diagnostics ask for."""
    errors = [item for item in diagnostics if item.severity is Severity.ERROR]
    if any(item.code.id in _USAGE_CODES for item in errors):
        return USAGE
    if refused:
        return REFUSED
    return PROBLEMS if errors else FINE
