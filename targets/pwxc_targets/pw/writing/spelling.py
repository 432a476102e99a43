"""The IR's texts, values and times in the platform's words, with the names that the output has."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Container, Iterator, Mapping
from typing import Any

import attrs

from pwxc.expr.place import rebuild
from pwxc.fidelity import Account
from pwxc.ir.expr import Call, Expr, Literal, Ref, Root, operands, refs
from pwxc.ir.template import Template
from pwxc.ir.walking import holes_in
from pwxc_targets.pw.expressions import print_expression, print_template, protect, unspellable
from pwxc_targets.pw.writing import codes as C  # noqa: N812
from pwxc_targets.pw.writing.context import Writing

SweepPath = Callable[[str, str], tuple[str, ...] | None]
"""Gives the path below `matrix` of a sweep's variable in a format; None when it has none."""


def sweep_uses(value: Any) -> Iterator[tuple[str, str]]:
    """Give the variables of the sweep that a noun reads, each with the format that it is printed in."""
    for hole in holes_in(value):
        yield from _uses(hole)


def _uses(expr: Expr) -> Iterator[tuple[str, str]]:
    formatted = format_of(expr)
    if formatted is not None:
        yield formatted
    elif isinstance(expr, Ref) and expr.root is Root.SWEEP and expr.path:
        yield expr.path[0], ""
    else:
        for part in operands(expr):
            yield from _uses(part)


def format_of(expr: Expr) -> tuple[str, str] | None:
    """Give the variable and the format of a sweep's variable that is printed in a format."""
    if isinstance(expr, Call) and expr.function == "format" and len(expr.arguments) == 2:
        ref, form = expr.arguments
        if isinstance(ref, Ref) and ref.root is Root.SWEEP and len(ref.path) == 1 and isinstance(form, Literal):
            return ref.path[0], str(form.value)
    return None


_PLAIN_VALUE = re.compile(r"[^$`\\\"'\n\r{]*\Z")
_OF_SCRIPTS = (Root.ENVIRONMENT, Root.ATTEMPT)
"""What a script of another system reads while it runs, though the platform has expressions of these names."""


@attrs.define
class Spelling:
    """Prints what belongs to one task, or to the workflow as a whole."""

    writing: Writing
    sweep: SweepPath | None = None
    tame: Container[tuple[str, ...]] = ()
    """The places below `matrix` whose values are plain words."""

    # expressions

    def translate(self, expr: Expr) -> Expr:
        """Give an expression with the names of the output."""
        formatted = format_of(expr)
        if formatted is not None or isinstance(expr, Ref):
            return self._name(expr, formatted)
        parts = operands(expr)
        return rebuild(expr, [self.translate(part) for part in parts]) if parts else expr

    def _name(self, expr: Expr, formatted: tuple[str, str] | None) -> Expr:
        name, form = formatted or ("", "")
        if isinstance(expr, Ref):
            if expr.root is Root.TASK_OUTPUT:
                job = self.writing.jobs.get(expr.path[0], expr.path[0])
                return attrs.evolve(expr, path=(job, *expr.path[1:]))
            if expr.root is not Root.SWEEP or not expr.path:
                return expr
            name = expr.path[0]
        path = self.sweep(name, form) if self.sweep is not None else None
        if path is None:
            return expr
        rest = expr.path[1:] if isinstance(expr, Ref) else ()
        return Ref(Root.SWEEP, (*path, *rest), span=expr.span)

    def is_inline(self, expr: Expr) -> bool:
        """Whether the platform has an expression for a translated hole."""
        if not self.writing.own and any(ref.root in _OF_SCRIPTS for ref in refs(expr)):
            return False
        return not unspellable(expr)

    def hole(self, expr: Expr) -> str:
        """Write an expression with its delimiters."""
        return print_template(Template((self.translate(expr),)))

    # texts

    def expand(self, template: Template) -> Template:
        """Give a text with the names of the output, in which paths of files and constant data stand as text."""
        parts: list[str | Expr] = []
        for part in template.parts:
            if isinstance(part, Ref) and part.root is Root.FILE and (file := self._file(part)) is not None:
                parts += self.expand(file).parts
            elif isinstance(part, Ref) and part.root is Root.DATUM and (text := self._datum(part)) is not None:
                parts.append(text)
            else:
                parts.append(part if isinstance(part, str) else self.translate(part))
        return Template.of(*parts)

    def _file(self, ref: Ref) -> Template | None:
        file = self.writing.files.get(ref.path[0])
        return None if file is None else file.path

    def _datum(self, ref: Ref) -> str | None:
        datum = self.writing.data.get(ref.path[0])
        if datum is None:
            return None
        return json.dumps(datum.value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)

    def late(self, template: Template) -> list[Expr]:
        """Give the holes of an expanded text that the platform has no expression for."""
        return [hole for hole in template.holes if not self.is_inline(hole)]

    def text(self, account: Account, field: str, template: Template) -> str:
        """Write a text for a place where nothing but the platform fills holes."""
        expanded = self.expand(template)
        for hole in self.late(expanded):
            account.drop(field, C.NO_EXPRESSION, f"nothing here can stand for {show_hole(hole)}")
        kept = expanded.map(lambda hole: hole if self.is_inline(hole) else "")
        return print_template(kept if self.writing.own else protect(kept))

    def value(self, account: Account, field: str, value: Any) -> Any:
        """Write plain data in which templates and expressions may stand."""
        if isinstance(value, Template):
            return self.text(account, field, value)
        if isinstance(value, dict):
            return {name: self.value(account, field, item) for name, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(account, field, item) for item in value]
        if isinstance(value, Expr):
            return self.text(account, field, Template((value,)))
        return value

    def condition(self, account: Account, field: str, expr: Expr) -> str:
        """Write a condition; one that cannot be written holds."""
        translated = self.translate(expr)
        if not self.is_inline(translated):
            account.drop(field, C.NO_EXPRESSION, f"no condition can test {show_hole(unspellable(translated)[0])}")
            return "${{ always }}"
        return "${{ " + print_expression(translated) + " }}"

    # single values

    def switch(self, account: Account, field: str, value: bool | Expr) -> bool | str:
        """Write a boolean or an expression."""
        return value if isinstance(value, bool) else str(self.value(account, field, value))

    def duration(self, account: Account, field: str, value: float | Expr) -> str:
        """Write a time: whole numbers with one unit, rounded up, or an expression."""
        if not isinstance(value, int | float):
            inner = value.arguments[0] if isinstance(value, Call) and value.function == "duration" else value
            return str(self.value(account, field, inner))
        return span_of(value)


def span_of(value: float) -> str:
    """Write seconds with the largest unit that leaves a whole number."""
    seconds = max(0, int(-(-value // 1)))
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def show_hole(expr: Expr) -> str:
    """Give an expression as words for a message."""
    if isinstance(expr, Ref):
        return f"`{' '.join((expr.root.value, *expr.path))}`"
    return f"`{expr.function}(…)`" if isinstance(expr, Call) else "this expression"


def kept_by(passthrough: Any, dialect: str) -> Mapping[tuple[str, ...], Any]:
    """Give what one dialect keeps beside a noun, by place."""
    return {item.path: item.value for item in passthrough if item.dialect == dialect}


def is_plain(spelling: Spelling, name: str, value: Template) -> bool:
    """Whether `env` takes a variable as it is; what the platform does to `$` and quotes is not documented."""
    if not re.fullmatch(r"[a-zA-Z0-9_]+", name):
        return False
    return all(_PLAIN_VALUE.match(part) if isinstance(part, str) else spelling.is_inline(part) for part in value.parts)
