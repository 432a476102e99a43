"""The rows of a matrix (pw.md §6)."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from pw_expressions import equal


def rows_of(matrix: Any) -> list[dict[str, Any]]:
    """Work out the rows: the product, without what `exclude` names, then `include`."""
    if isinstance(matrix, list):
        return matrix
    lists = {name: values for name, values in matrix.items() if name not in ("include", "exclude")}
    spread = [values if isinstance(values, list | range) else [values] for values in lists.values()]
    made = [dict(zip(lists, values, strict=True)) for values in itertools.product(*spread)] if lists else []
    dropped = matrix.get("exclude") or []
    made = [row for row in made if not any(_agree(row, entry, entry) for entry in dropped)]
    return _included(made, matrix.get("include") or [], lists)


def _agree(row: Mapping[str, Any], entry: Mapping[str, Any], names: Any) -> bool:
    return all(name in row and equal(row[name], entry[name]) for name in names)


def _included(rows: list[dict[str, Any]], entries: list[dict[str, Any]], names: Mapping[str, Any]) -> list[Any]:
    """Add the entries of `include`: further keys to the rows they agree with, or rows of their own."""
    made, alone = [dict(row) for row in rows], []
    for entry in entries:
        shared = [name for name in entry if name in names]
        hits = [at for at, row in enumerate(rows) if _agree(row, entry, shared)]
        for at in hits:
            made[at] |= {name: value for name, value in entry.items() if name not in names}
        if not hits:
            alone.append(dict(entry))
    return [*made, *alone]
