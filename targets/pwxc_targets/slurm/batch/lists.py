"""Arrays, dependencies and node lists (slurm.md §5.5, §8, §9)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import attrs

from pwxc.ir.sweep import Range, Values
from pwxc_targets.slurm.batch.wordvalues import BadValueError

LARGEST_INDEX = 4_000_000
"""No site lets an array have a greater index."""


@attrs.frozen
class Array:
    """The indexes of an array, and how many of its tasks may run at the same time."""

    indexes: Range | Values
    limit: int | None = None


@attrs.frozen
class Term:
    """A condition on jobs; `kind` is in lower case. Each job has an id, perhaps an instance and minutes of delay."""

    kind: str
    jobs: tuple[tuple[str, str | None, int], ...] = ()


@attrs.frozen
class Dependency:
    """Conditions that have to hold: all of them, or any of them."""

    terms: tuple[Term, ...]
    any: bool = False


def _parse(text: str, start: str, due: str) -> Any:
    from lark.exceptions import LarkError

    from pwxc_grammars import load

    try:
        return load("sbatch", start).parse(text)
    except LarkError:
        raise BadValueError(due) from None


_ARRAY_DUE = "indexes are due: `0-9`, `1,3,5` or `0-100:10`, with `%4` behind for at most four at a time"


def array(text: str) -> Array:
    """Read the indexes of an array.

    Raises:
        BadValueError: the controller would refuse it.
    """
    tree = _parse(text, "array", _ARRAY_DUE)
    ranges: list[Range] = []
    limit: int | None = None
    for child in tree.children:
        if child.data == "limit":
            word = str(child.children[0]) if child.children else ""
            limit = int(word) if word.isdigit() and int(word) > 0 else None
        else:
            ranges.append(_range([int(number) for number in child.children]))
    if len(ranges) == 1:
        return Array(ranges[0], limit)
    indexes = sorted({int(index) for part in ranges for index in part})
    return Array(_compact(indexes), limit)


def _range(numbers: list[int]) -> Range:
    start, stop, step = (*numbers, *[numbers[0], 1][len(numbers) - 1 :])[:3]
    if stop < start or step < 1 or stop > LARGEST_INDEX:
        raise BadValueError(_ARRAY_DUE)
    return Range(start, start + (stop - start) // step * step, step)


def _compact(indexes: list[int]) -> Range | Values:
    steps = {after - before for before, after in pairwise(indexes)}
    if len(steps) == 1:
        return Range(indexes[0], indexes[-1], steps.pop())
    return Values(tuple(indexes))


def tell_array(indexes: Range | Values, limit: int | None) -> str:
    """Write the indexes of an array."""
    if isinstance(indexes, Range):
        told = str(indexes.start) if len(indexes) == 1 else f"{indexes.start}-{indexes.stop}"
        told += f":{indexes.step}" if indexes.step != 1 and len(indexes) > 1 else ""
    else:
        told = ",".join(_runs([int(index) for index in indexes]))
    return told + (f"%{limit}" if limit else "")


def _runs(indexes: list[int]) -> list[str]:
    runs: list[list[int]] = []
    for index in sorted(set(indexes)):
        if runs and runs[-1][1] == index - 1:
            runs[-1][1] = index
        else:
            runs.append([index, index])
    return [str(low) if low == high else f"{low}-{high}" for low, high in runs]


_DEPENDENCY_DUE = "conditions are due: `afterok:ID[:ID]`, `afterany:ID`, `singleton`, joined by `,` or by `?`"


def dependency(text: str) -> Dependency:
    """Read what a job waits for.

    Raises:
        BadValueError: the controller would refuse it.
    """
    tree = _parse(text, "dependency", _DEPENDENCY_DUE)
    terms = []
    joined_by_or = False
    for child in tree.children:
        if not hasattr(child, "data"):
            joined_by_or = child.type == "OR"
        elif child.data == "kinded":
            kind, *jobs = child.children
            terms.append(Term(str(kind).lower(), tuple(_job(job) for job in jobs)))
        elif child.data == "singleton":
            terms.append(Term("singleton"))
        else:
            terms.append(Term("afterany", (_job(child.children[0]),)))
    return Dependency(tuple(terms), joined_by_or)


def _job(tree: Any) -> tuple[str, str | None, int]:
    number, *rest = (str(part) for part in tree.children)
    if int(number) == 0:
        raise BadValueError(_DEPENDENCY_DUE)
    instance = next((part[1:] for part in rest if part.startswith("_")), None)
    delay = next((int(part[1:]) for part in rest if part.startswith("+")), 0)
    return number, instance, delay


_NODES_DUE = "names of nodes are due: `n1,n[01-10,12]`"


def node_names(text: str, most: int = 100_000) -> list[str]:
    """Expand a list of nodes.

    Raises:
        BadValueError: it is none, or it names more than `most` nodes.
    """
    tree = _parse(text, "node_list", _NODES_DUE)
    names: list[str] = []
    for name in tree.children:
        found = [""]
        for part in name.children:
            pieces = _expand(part) if hasattr(part, "data") else [str(part)]
            if len(found) * len(pieces) > most:
                raise BadValueError(f"more than {most:,} nodes are named")
            found = [head + tail for head in found for tail in pieces]
        names.extend(found)
    return names


def _expand(brackets: Any) -> list[str]:
    pieces: list[str] = []
    for span in brackets.children:
        low, high = (str(span.children[0]), str(span.children[-1]))
        if int(high) < int(low) or int(high) - int(low) > LARGEST_INDEX:
            raise BadValueError(_NODES_DUE)
        pieces.extend(str(number).zfill(len(low)) for number in range(int(low), int(high) + 1))
    return pieces
