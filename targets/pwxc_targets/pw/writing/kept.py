"""What only this dialect knows, put back where it stood; what other dialects keep is told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pwxc.fidelity import Account, Fate
from pwxc.ir.entity import Passthrough
from pwxc_targets.pw.writing import codes as C  # noqa: N812
from pwxc_targets.pw.writing.context import Writing


def settle_kept(writing: Writing, account: Account, items: Sequence[Passthrough], *place: str | int) -> None:
    """Have what this dialect keeps put back below a place of the output, and say what of others is left out."""
    account.take("passthrough", Fate.EXACT)
    left: list[str] = []
    for item in items:
        if item.dialect == "pw":
            writing.patches.append(((*place, *item.path), item.value))
        elif not item.inert:
            left.append(".".join(item.path))
    if left:
        names = ", ".join(f"`{name}`" for name in dict.fromkeys(left))
        dialect = writing.workflow.dialect
        span = next((item.span for item in items if item.span is not None and ".".join(item.path) == left[0]), None)
        account.drop("passthrough", C.FOREIGN_SETTING, f"only {dialect} has {names}", once=True, span=span)


def put_back(tree: Any, path: tuple[str | int, ...], value: Any) -> None:
    """Set a value at a place of a tree, making maps on the way; a place that is no longer there is passed over."""
    at = tree
    for number, name in enumerate(path):
        last = number == len(path) - 1
        if isinstance(at, list):
            index = int(name) if str(name).isdigit() else len(at)
            if index >= len(at):
                return
            name = index
        elif not isinstance(at, dict):
            return
        if last:
            at[name] = value
        elif isinstance(at, dict):
            if at.get(name) is None:
                at[name] = {}
            at = at[name]
        else:
            if not isinstance(at[name], dict | list):
                at[name] = {"value": at[name]}
            at = at[name]
