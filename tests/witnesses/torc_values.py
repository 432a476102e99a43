"""The values of torc's parameters, and texts with them put in, as torc was measured to read them (torc.md §13)."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from pwxc_targets.torc.model import Parameterised, Spec

Scalar = int | float | str
Row = Mapping[str, Scalar]


class UnknownError(Exception):
    """The specification has something that this witness does not know: tables and files of values."""


def values_of(raw: Any) -> list[Scalar]:
    """Read the value of a parameter (§13.1; lists and plain values as in §13.6)."""
    if isinstance(raw, list):
        return [str(item).lower() if isinstance(item, bool) else item for item in raw]
    if not isinstance(raw, str):
        return [str(raw).lower() if isinstance(raw, bool) else raw]
    text = raw.strip()
    if text[:1] == "{" and text[-1:] == "}" and "," not in text:
        text = text[1:-1].strip()
    if text.startswith("@"):
        raise UnknownError("values in a file")
    if text[:1] == "[" and text[-1:] == "]":
        inner = text.lstrip("[").rstrip("]")
        return [_unquoted(_scalar(item.strip())) for item in inner.split(",")] if inner.strip() else []
    if ":" in text:
        return list(_range([_scalar(part.strip()) for part in text.split(":")]))
    return [_scalar(text)]


def _scalar(text: str) -> Scalar:
    if re.fullmatch(r"[-+]?\d+", text):
        return int(text)
    try:
        return text if "_" in text or not text else float(text)
    except ValueError:
        return text


def _unquoted(value: Scalar) -> Scalar:
    return value.strip("'").strip('"') if isinstance(value, str) else value


def _range(parts: list[Scalar]) -> Iterator[Scalar]:
    start, end, *rest = parts
    step = rest[0] if rest else 1
    if isinstance(start, str) or isinstance(end, str) or isinstance(step, str) or step == 0:
        raise UnknownError("a range that torc refuses")
    slack = 0 if isinstance(start, int) and isinstance(end, int) else 1e-10
    at: int | float = start if slack == 0 else float(start)
    while at <= end + slack if step > 0 else at >= end - slack:
        yield at
        at += step


def printed(value: Scalar, form: str = "") -> str:
    """Print a value as torc does (§13.3)."""
    if isinstance(value, int):
        padded = re.fullmatch(r"0(\d+)d", form)
        return str(value) if padded is None else f"{value:0{int(padded[1])}d}"
    if isinstance(value, float):
        precise = re.fullmatch(r"\.(\d+)f", form)
        if precise is not None:
            return f"{value:.{int(precise[1])}f}"
        return f"{Decimal(repr(value)):f}".removesuffix(".0")
    return value


def filled(text: str, row: Row) -> str:
    """Put the values of a row into a text."""
    return re.sub(
        r"\{(\w+)(?::([^}]*))?\}",
        lambda found: printed(row[found[1]], found[2] or "") if found[1] in row else found[0],
        text,
    )


def rows_of(record: Parameterised, spec: Spec) -> list[Row]:
    """Give the rows of a record: its own parameters, or the shared ones that it uses (§13.2, §13.5)."""
    if record.parameters_file or record.use_parameters_file:
        raise UnknownError("a table of parameters")
    chosen = record.parameters
    if chosen is None:
        shared = spec.parameters or {}
        chosen = {name: shared[name] for name in record.use_parameters or () if name in shared}
    columns = {name: values_of(raw) for name, raw in chosen.items()}
    if record.parameter_mode == "zip" and columns:
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return [dict(zip(columns, row, strict=True)) for row in itertools.product(*columns.values())]
