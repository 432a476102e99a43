"""Codes, diagnostics, and how they are shown."""

from pwxc.diagnostics.code import Catalogue, Code, Severity, codes_of, error, note, warning
from pwxc.diagnostics.diagnostic import Diagnostic, Diagnostics, Related, did_you_mean

__all__ = [
    "Catalogue",
    "Code",
    "Diagnostic",
    "Diagnostics",
    "Related",
    "Severity",
    "codes_of",
    "did_you_mean",
    "error",
    "note",
    "warning",
]
