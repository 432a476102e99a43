"""The names in expressions: which context of the platform is which root of the IR, both ways (pw.md §10.3)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pwxc.ir.expr import Call, Expr, Index, Literal, Ref, Root, Undefined
from pwxc.source import Span

ROOTS: Mapping[str, Root] = {
    "inputs": Root.INPUT,
    "matrix": Root.SWEEP,
    "sessions": Root.SESSION,
    "org": Root.ORGANISATION,
    "var": Root.USER,
    "env": Root.ENVIRONMENT,
    "app": Root.APP,
}
"""The contexts whose paths are taken as they are. `needs` and the status words have rules of their own."""

CONTEXTS: Mapping[Root, str] = {root: word for word, root in ROOTS.items()}

STATUS_WORDS = frozenset({"always", "never", "completed", "error", "canceled"})
STATUS_CALLS: Mapping[str, str] = {
    "always": "always",
    "success": "completed",
    "failure": "error",
    "cancelled": "canceled",
}
"""The conditions of the newer generation, by the words of the older one that mean the same."""

FUNCTIONS = frozenset({"range", "fromJSON"})

ATTEMPT = ("env", "PW_WORKFLOW_STEP_CURRENT_RETRY")
"""How the number of the attempt is written; both count from 0."""

ROW_MARK = "[index]"
NAME = re.compile(r"[\w-]+")
PATH = re.compile(r"[A-Za-z_][\w-]*(\.([\w-]+|\[index\]))*")

UNKNOWN = "unknown"
"""Marks a literal that is written without quotes and a call that is written as it is: the platform does not know it."""
INCOMPLETE = "incomplete"
"""Marks a literal that is a reference into `needs` without an output."""

_CONSTANTS: Mapping[str, str | bool | None] = {"true": True, "false": False, "null": None}


def read_name(text: str, span: Span) -> Expr:
    """Give what a word or a dotted path stands for. A word that means nothing is the text of itself."""
    if text.startswith("."):
        return Ref(Root.SELF, (text[1:],), span=span)
    root, *path = text.split(".")
    if not path and root not in ROOTS and root != "needs":
        return _read_word(text, span)
    if root == "needs":
        return _read_output(text, path, span)
    if root not in ROOTS or (ROW_MARK in path and root != "inputs"):
        return Literal(text, span=span, spelling=(UNKNOWN,))
    return _read_path(root, path, span)


def _read_path(root: str, path: list[str], span: Span) -> Ref:
    """Give the reference for a path below one of `ROOTS`."""
    if (root, *path) == ATTEMPT:
        return Ref(Root.ATTEMPT, span=span)
    if ROW_MARK in path:
        return Ref(Root.ROW, tuple(path), span=span)
    return Ref(ROOTS[root], tuple(path), span=span)


def _read_word(text: str, span: Span) -> Expr:
    if text in _CONSTANTS:
        return Literal(_CONSTANTS[text], span=span)
    if text in STATUS_WORDS:
        return Ref(Root.STATUS, (text,), span=span)
    return Undefined(span=span) if text == "undefined" else Literal(text, span=span)


def _read_output(text: str, path: list[str], span: Span) -> Expr:
    match path:
        case [task, "outputs", key, *rest]:
            found: Expr = Ref(Root.TASK_OUTPUT, (task, key), span=span)
        case [task, "steps", step, "outputs", key, *rest]:
            found = Ref(Root.TASK_OUTPUT, (task, step, key), span=span)
        case _:
            return Literal(text, span=span, spelling=(INCOMPLETE,))
    if ROW_MARK in path:
        return Literal(text, span=span, spelling=(INCOMPLETE,))
    for name in rest:
        # a longer path would look like a step's output in the tree
        found = Index(found, Literal(name, span=span), span=span)
    return found


def read_call(function: str, arguments: tuple[Expr, ...], span: Span) -> Expr:
    """Give what a call stands for."""
    if function in STATUS_CALLS and not arguments:
        return Ref(Root.STATUS, (STATUS_CALLS[function],), span=span, spelling=(f"{function}()",))
    return Call(function, arguments, span=span, spelling=() if function in FUNCTIONS else (UNKNOWN,))


def spell(ref: Ref) -> tuple[str, tuple[str, ...]] | None:
    """Give a reference as the platform writes it and the names that only `get` can reach, or None.

    None is given for what the platform has no expression for: a folder, a host, the run's name.
    """
    path = ref.path
    match ref.root:
        case Root.STATUS:
            return _spell_status(ref), ()
        case Root.SELF if len(path) == 1:
            return f".{path[0]}", ()
        case Root.ATTEMPT if not path:
            return ".".join(ATTEMPT), ()
        case Root.TASK_OUTPUT:
            return _spell_output(path)
        case Root.ROW if ROW_MARK in path and all(name == ROW_MARK or NAME.fullmatch(name) for name in path):
            return ".".join(("inputs", *path)), ()
        case root if root in CONTEXTS:
            plain = next((at for at, name in enumerate(path) if not NAME.fullmatch(name)), len(path))
            return ".".join((CONTEXTS[root], *path[:plain])), path[plain:]
    return None


def _spell_status(ref: Ref) -> str:
    word = ref.path[0]
    calls = [mark for mark in ref.spelling if mark.endswith("()") and STATUS_CALLS.get(mark[:-2]) == word]
    return calls[0] if calls else word


def _spell_output(path: tuple[str, ...]) -> tuple[str, tuple[str, ...]] | None:
    if not all(NAME.fullmatch(name) for name in path):
        return None
    match path:
        case (task, key):
            return f"needs.{task}.outputs.{key}", ()
        case (task, step, key):
            return f"needs.{task}.steps.{step}.outputs.{key}", ()
    return None
