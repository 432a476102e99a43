"""The expression language of Parallel Works workflows (pw.md §10): all that readers and writers use of it."""

from __future__ import annotations

from pwxc_targets.pw.expressions.parser import parse_expression
from pwxc_targets.pw.expressions.templates import misread_at, parse_template, print_template, protect
from pwxc_targets.pw.expressions.text import UnspellableError, print_expression, unspellable

__all__ = [
    "UnspellableError",
    "misread_at",
    "parse_expression",
    "parse_template",
    "print_expression",
    "print_template",
    "protect",
    "unspellable",
]
