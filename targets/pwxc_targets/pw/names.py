"""Names that the platform takes (pw.md §2), and what the holes of a workflow are called in its scripts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Protocol

import attrs

from pwxc.expr.place import rebuild
from pwxc.ir.expr import Conditional, Expr, Literal, Ref, Root, operands, refs
from pwxc.ir.inputs import Input, InputType
from pwxc.ir.names import free_name
from pwxc.shell import quote
from pwxc_targets.pw.expressions import print_expression

_INLINE_ROOTS = frozenset(
    {Root.INPUT, Root.SWEEP, Root.TASK_OUTPUT, Root.SESSION, Root.ORGANISATION, Root.USER, Root.APP, Root.STATUS}
)
_TAME = frozenset({InputType.INTEGER, InputType.NUMBER, InputType.BOOLEAN})
_OPENING = re.compile(r"\$(?=\{\{|<<)")


def unique_names(names: Iterable[str], alphabet: str = "a-z0-9_-", *, lower: bool = True) -> dict[str, str]:
    """Map names to names of the platform's alphabet, keeping them different and as they are where possible."""
    mapped: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        plain = re.sub(rf"[^{alphabet}]", "-", name.lower() if lower else name)[:250] or "x"
        mapped[name] = free_name(plain, taken)
        taken.add(mapped[name])
    return mapped


def flatten_inputs(inputs: Iterable[Input], prefix: tuple[str, ...] = ()) -> dict[tuple[str, ...], Input]:
    """Give every input by its path, groups left out."""
    found: dict[tuple[str, ...], Input] = {}
    for item in inputs:
        path = (*prefix, item.name)
        if item.type is InputType.GROUP:
            found |= flatten_inputs(item.items, path)
        else:
            found[path] = item
    return found


class Places(Protocol):
    """Where the variables of a sweep are found in a matrix."""

    tame: set[tuple[str, ...]]
    """The places of values that are plain words."""

    def path(self, name: str, form: str) -> tuple[str, ...] | None:
        """Give where a variable is found in a format."""


class HoleNames:
    """Says what the holes of one task's texts are: expressions of the platform, or variables of the script."""

    def __init__(
        self, inputs: Mapping[tuple[str, ...], Input], hosts: Mapping[str, str], matrix: Places | None = None
    ) -> None:
        self.inputs = inputs
        self.hosts = hosts
        self.matrix = matrix

    def inline(self, expr: Expr) -> str | None:
        """Give the `${{ … }}` text of a hole that the platform replaces."""
        if any(ref.root not in _INLINE_ROOTS for ref in refs(expr)):
            return None
        if not isinstance(expr, Ref) or expr.root is Root.SWEEP:
            return "${{ " + print_expression(self._renamed(expr)) + " }}"
        item = self.inputs.get(expr.path) if expr.root is Root.INPUT else None
        if item is not None and item.type is InputType.BOOLEAN:
            # Jinja prints Python's words, the platform prints its own (osmo.md §4, pw.md §9.5)
            return "${{ " + print_expression(Conditional(expr, Literal("True"), Literal("False"))) + " }}"
        return "${{ " + print_expression(expr) + " }}"

    def is_tame(self, expr: Expr) -> bool:
        """Whether the hole is a number or a boolean of the form, or a plain word of a matrix."""
        if isinstance(expr, Ref) and expr.root is Root.SWEEP and self.matrix is not None:
            return self._place(expr) in self.matrix.tame
        item = self.inputs.get(expr.path) if isinstance(expr, Ref) and expr.root is Root.INPUT else None
        return item is not None and item.type in _TAME

    def _place(self, ref: Ref) -> tuple[str, ...]:
        found = self.matrix.path(ref.path[0], "") if self.matrix is not None and ref.path else None
        return ref.path if found is None else (*found, *ref.path[1:])

    def _renamed(self, expr: Expr) -> Expr:
        if isinstance(expr, Ref):
            return attrs.evolve(expr, path=self._place(expr)) if expr.root is Root.SWEEP else expr
        return rebuild(expr, [self._renamed(part) for part in operands(expr)])

    def variable(self, expr: Expr) -> tuple[str, str]:
        """Give the mark and the shell expression of a run-time hole."""
        assert isinstance(expr, Ref)
        name = expr.path[0] if expr.path else ""
        match expr.root:
            case Root.OUTPUT_FOLDER if name:
                return f"output:{name}", f"$run/tasks/{name}/output"
            case Root.OUTPUT_FOLDER:
                return "output", "$output"
            case Root.READ_FOLDER:
                return f"input:{name}", f"$task/input/{name}"
            case Root.RUN_ID:
                return "workflow_id", "$workflow_id"
            case Root.RUN_FOLDER:
                return "run", "$run"
            case Root.HOST:
                return f"host:{name}", self.hosts.get(name, "127.0.0.1")
            case Root.FILE:
                return f"file:{name}", f"$task/files/{name.lstrip('/')}"
            case Root.SWEEP_INDEX:
                return "index", "$PW_MATRIX_INDEX"
            case Root.ATTEMPT:
                return "attempt", "$attempt"
            case _:
                return name or expr.root.value, f"${{{name}-}}"

    def protect(self, text: str) -> str | None:
        """Quote text in which the platform would see an expression, with the opening broken up (pw.md §10)."""
        if _OPENING.search(text) is None:
            return None
        return "'$'".join(quote_always(piece) if piece else "" for piece in _OPENING.split(text))


def quote_always(text: str) -> str:
    """Quote a text even where bash would not need it, so that pieces can stand side by side."""
    quoted = quote(text)
    return quoted if quoted.startswith("'") else f"'{text}'"
