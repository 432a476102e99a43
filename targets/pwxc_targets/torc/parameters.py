"""The values of a torc parameter (torc.md §13.1) and how they are printed in text (§13.3)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

import attrs

from pwxc.ir.sweep import Range, Values

MAX_WIDTH = 1000
"""The widest padding or precision that a format may ask for."""
_INTEGER = re.compile(r"[-+]?[0-9]+\Z")
_FLOAT = re.compile(r"[-+]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|inf|infinity|nan)\Z", re.IGNORECASE)
_PADDED = re.compile(r"0([0-9]+)d\Z")
_PRECISE = re.compile(r"\.([0-9]+)f\Z")
_COUNTABLE = 1 << 53
_FEW = 1000
"""How many numbers a range of floats has at least to be kept as a range."""
_FRACTION = 64
_LARGEST_EXACT = float(1 << 40)
_TOLERANCE = 1e-10
"""How far torc lets a running sum of floats pass the end of a range."""

Scalar = int | float | str


class ParameterError(Exception):
    """A value that torc refuses; `code` is the name of a row of `codes`."""

    def __init__(self, message: str, code: str = "BAD_RANGE", help: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.help = help


@attrs.frozen
class Context:
    """What the meaning of a value may depend on: where files are looked for, and how long a written-out list may be."""

    folder: Path | None = None
    limit: int = 100_000


def scalar(text: str) -> Scalar:
    """Read one value: an integer of 64 bits, else a float, else the text itself."""
    if _INTEGER.match(text):
        number = int(text) if len(text) < 30 else 1 << 99
        if -(1 << 63) <= number < 1 << 63:
            return number
    if _FLOAT.match(text):
        return float(text)
    return text


def _item(text: str) -> Scalar:
    found = scalar(text.strip())
    return found.strip("'").strip('"') if isinstance(found, str) else found


class _Callbacks:
    """Makes values of what the grammar finds."""

    def item(self, children: list[Any]) -> Scalar:
        return _item(str(children[0]) if children else "")

    def part(self, children: list[Any]) -> str:
        return str(children[0]) if children else ""

    def listing(self, children: list[Any]) -> Any:
        inner = children[1:-1]
        return listed([] if len(inner) == 1 and inner[0] == "" else inner)

    def file(self, children: list[Any]) -> Any:
        return _FromFile(str(children[0])[1:].strip())

    def parts(self, children: list[Any]) -> Any:
        return [str(child) for child in children]


@attrs.frozen
class _FromFile:
    path: str


_CALLBACKS = _Callbacks()


def listed(items: Iterable[Any]) -> Values:
    """Make a list of values."""
    made: Any = tuple(items)
    return Values(made)


def parse(text: str, context: Context | None = None) -> Range | Values:
    """Read the text of a parameter.

    Raises:
        ParameterError: torc refuses it, or it has more values than may be written out.
    """
    return _parse(text, context or Context())


@lru_cache(maxsize=1024)
def _parse(text: str, context: Context) -> Range | Values:
    from pwxc_grammars import load

    stripped = text.strip()
    if stripped.startswith("{") and stripped.endswith("}") and len(stripped) > 1 and "," not in stripped:
        stripped = stripped[1:-1].strip()
    if not stripped:
        return listed([""])
    found: Any = load("torc_parameter", "value", _CALLBACKS).parse(stripped)
    if isinstance(found, _FromFile):
        return _lines_of(found.path, context)
    if isinstance(found, Values):
        return found
    if len(found) == 1:
        return listed([scalar(found[0])])
    return _range(found, stripped, context)


def _range(parts: list[str], text: str, context: Context) -> Range | Values:
    if len(parts) > 3:
        raise ParameterError(f"`{text}` is no range: it has {len(parts)} parts", help="a range is `start:end[:step]`")
    start, end = (scalar(part.strip()) for part in parts[:2])
    if isinstance(start, int) and isinstance(end, int):
        return _integers(start, end, parts[2].strip() if len(parts) == 3 else "1", text)
    if isinstance(start, str) or isinstance(end, str):
        raise ParameterError(
            f"`{text}` is no range of numbers", help="a colon makes a range; a list `['a','b']` holds texts"
        )
    return _floats(float(start), float(end), parts[2].strip() if len(parts) == 3 else "1.0", text, context)


def _integers(start: int, end: int, step_text: str, text: str) -> Range | Values:
    step = scalar(step_text)
    if not isinstance(step, int):
        raise ParameterError(
            f"the step `{step_text}` of a range of integers is no integer", help="write the bounds with a point too"
        )
    _refuse_zero(step, text)
    if abs((end - start) // step) >= _COUNTABLE:
        raise ParameterError(f"`{text}` has more values than can be counted", "TOO_MANY_INSTANCES")
    made = Range(start, end, step)
    return made if (end - start) * step >= 0 else Values(())


def _floats(start: float, end: float, step_text: str, text: str, context: Context) -> Range | Values:
    step = scalar(step_text)
    if isinstance(step, str):
        raise ParameterError(f"the step `{step_text}` is no number")
    _refuse_zero(step, text)
    if not all(math.isfinite(number) for number in (start, end, step)):
        raise ParameterError(f"`{text}` has no end")
    if (end - start) / step > _FEW:
        lazy = _exact_range(start, end, float(step))
        if lazy is not None:
            return lazy
    if (end - start) / step > context.limit:
        raise ParameterError(
            f"`{text}` has more than {context.limit:,} values",
            "TOO_MANY_INSTANCES",
            "`--option torc.expansion_limit=N` allows more",
        )
    # torc adds up; multiplying would give other digits
    values, current = [], start
    while current <= end + _TOLERANCE if step > 0 else current >= end - _TOLERANCE:
        values.append(current)
        current += step
        if current == values[-1]:
            raise ParameterError(f"`{text}` never ends: the step is lost in rounding")
    return listed(values)


def _exact_range(start: float, end: float, step: float) -> Range | None:
    """Give a long range whose running sum is the same as a product, because no sum is rounded; else None."""
    if not all((number * _FRACTION).is_integer() and abs(number) < _LARGEST_EXACT for number in (start, step)):
        return None
    count = math.floor((end - start) / step)
    if abs(end) >= _LARGEST_EXACT or count >= _COUNTABLE:
        return None
    beyond = end + _TOLERANCE if step > 0 else end - _TOLERANCE
    if (start + (count + 1) * step <= beyond) if step > 0 else (start + (count + 1) * step >= beyond):
        count += 1
    return Range(start, start + count * step, step)


def _refuse_zero(step: float, text: str) -> None:
    if step == 0:
        raise ParameterError(f"the step of `{text}` is zero")


def _lines_of(path: str, context: Context) -> Values:
    if not path:
        raise ParameterError("no file is named behind the `@`")
    try:
        data = (context.folder or Path()).joinpath(path).read_text(encoding="utf-8")
    except (OSError, ValueError) as fault:
        reason = fault.strerror if isinstance(fault, OSError) else "not UTF-8 text"
        raise ParameterError(f"cannot read the values of `@{path}`: {reason}", "MISSING_PARAMETER_FILE") from None
    lines = [line.strip() for line in data.splitlines()]
    return listed(scalar(line) for line in lines if line and not line.startswith("#"))


def native(value: object, context: Context | None = None) -> Range | Values:
    """Read a value that is written as a list, number or boolean (0.26 and later) or as text.

    Raises:
        ParameterError: as `parse`; also for maps.
    """
    if isinstance(value, str):
        return parse(value, context)
    items = value if isinstance(value, list) else [value]
    if not all(isinstance(item, str | int | float) for item in items):
        raise ParameterError("a parameter is a text, a number or a list of them", "BAD_PARAMETER")
    return listed(str(item).lower() if isinstance(item, bool) else item for item in items)


def formats(values: Range | Values, format: str) -> bool:
    """Whether a format changes how one of the values is printed."""
    kinds = {type(values.start)} if isinstance(values, Range) else {type(item) for item in values.items}
    return (int in kinds and _PADDED.match(format) is not None) or (
        float in kinds and _PRECISE.match(format) is not None
    )


def show(value: Scalar, format: str = "") -> str:
    """Print a value as torc does; a format that means nothing for its type is ignored."""
    if isinstance(value, int):
        padded = _PADDED.match(format)
        return f"{value:0{min(int(padded[1][:9]), MAX_WIDTH)}d}" if padded else str(value)
    if isinstance(value, float):
        precise = _PRECISE.match(format)
        if precise and math.isfinite(value):
            return f"{value:.{min(int(precise[1][:9]), MAX_WIDTH)}f}"
        return _plain(value)
    return value


def _plain(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return f"{Decimal(repr(value)):f}".removesuffix(".0")


def too_wide(format: str) -> bool:
    """Whether a format asks for an absurd width."""
    found = _PADDED.match(format) or _PRECISE.match(format)
    return found is not None and (len(found[1]) > 9 or int(found[1]) > MAX_WIDTH)


def write(values: Range | Values) -> str | None:
    """Give the text that torc reads as these values; None when there is none (torc.md §23)."""
    if isinstance(values, Range):
        if any(isinstance(number, float) for number in (values.start, values.stop, values.step)):
            if len(values) <= _FEW or _exact_range(values.start, values.stop, float(values.step)) is None:
                return write(listed(values))
            return ":".join(str(_list_item(float(number))) for number in (values.start, values.stop, values.step))
        step = "" if values.step == 1 else f":{values.step}"
        return f"{values.start}:{values.stop}{step}"
    items = [_list_item(item) for item in values.items]
    if not items or any(item is None for item in items):
        return None
    return "[" + ",".join(item for item in items if item is not None) + "]"


def _list_item(value: object) -> str | None:
    if isinstance(value, bool):
        return "'true'" if value else "'false'"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        text = _plain(value)
        return text if isinstance(scalar(text), float) else f"{text}.0"
    if not isinstance(value, str) or value != value.strip("'\"") or any(sign in value for sign in ",[]{}\n\r"):
        return None
    return f"'{value}'"
