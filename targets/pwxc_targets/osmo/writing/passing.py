"""What OSMO itself overwrites or ignores, back into the file as it stood."""

from __future__ import annotations

from typing import Any

from pwxc_targets.osmo.writing.holes import Holes


def literals(value: Any, holes: Holes) -> Any:
    """Escape every text of plain data."""
    if isinstance(value, str):
        return holes.literal(value)
    if isinstance(value, dict):
        return {key: literals(item, holes) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [literals(item, holes) for item in value]
    return value
