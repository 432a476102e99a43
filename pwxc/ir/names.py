"""Names that have to be unlike each other."""

from __future__ import annotations

from collections.abc import Container


def free_name(wanted: str, taken: Container[str], mark: str = "-") -> str:
    """Give the name that is wanted, or the first free one of `wanted-2`, `wanted-3` and so on."""
    name, number = wanted, 2
    while name in taken:
        name, number = f"{wanted}{mark}{number}", number + 1
    return name
