"""What a diagnostic code is, and the catalogue in which all codes stand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum

from pwxc.frozen import frozen


class Severity(StrEnum):
    """How bad it is: an error stops the work, a warning does not, a note only tells."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@frozen
class Code:
    """One row of the catalogue.

    `id` is stable and never used again for something else; `name` is a word for people and for `--allow`;
    `meaning`, `remedy` and `example` are the page that `pwxc explain` prints.
    """

    id: str
    name: str
    severity: Severity
    meaning: str
    remedy: str
    example: str = ""


def error(id: str, name: str, meaning: str, remedy: str, example: str = "") -> Code:
    """Make a row for something that stops the work."""
    return Code(id, name, Severity.ERROR, meaning, remedy, example)


def warning(id: str, name: str, meaning: str, remedy: str, example: str = "") -> Code:
    """Make a row for something that a person should look at."""
    return Code(id, name, Severity.WARNING, meaning, remedy, example)


def note(id: str, name: str, meaning: str, remedy: str, example: str = "") -> Code:
    """Make a row for something that is good to know."""
    return Code(id, name, Severity.NOTE, meaning, remedy, example)


@frozen
class Catalogue:
    """All codes, found by id or by name."""

    rows: dict[str, Code]

    @classmethod
    def of(cls, codes: Iterable[Code]) -> Catalogue:
        """Gather codes; two rows with the same id or name are a mistake of ours.

        Raises:
            ValueError: an id or a name stands twice.
        """
        rows: dict[str, Code] = {}
        names: set[str] = set()
        for code in codes:
            if code.id in rows or code.name in names:
                raise ValueError(f"the catalogue has {code.id} or {code.name} twice")
            rows[code.id] = code
            names.add(code.name)
        return cls(dict(sorted(rows.items())))

    def find(self, text: str) -> Code | None:
        """Find a code by its id, in any letter case, or by its name."""
        if (row := self.rows.get(text.upper())) is not None:
            return row
        return next((code for code in self if code.name == text), None)

    def __iter__(self) -> Iterator[Code]:
        """Go through the rows in the order of their ids."""
        return iter(self.rows.values())


def codes_of(namespace: dict[str, object]) -> list[Code]:
    """Give the codes that a module defines at its top level."""
    return [value for value in namespace.values() if isinstance(value, Code)]
