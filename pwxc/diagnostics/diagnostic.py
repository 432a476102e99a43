"""A diagnostic, and the list that a reader or a writer adds to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs

from pwxc.diagnostics.code import Code, Severity
from pwxc.frozen import frozen
from pwxc.source import Span


@frozen
class Related:
    """Another place that belongs to the story."""

    span: Span
    text: str


@frozen
class Diagnostic:
    """What is wrong, where, and what to do.

    `message` stands alone: lower case, no full stop, names in backquotes. `label` is printed beside the carets.
    `severity` is the code's own unless a policy changed it.
    """

    code: Code
    message: str
    span: Span | None = None
    label: str = ""
    notes: tuple[str, ...] = ()
    help: str = ""
    related: tuple[Related, ...] = ()
    severity: Severity = attrs.field()

    @severity.default
    def _own_severity(self) -> Severity:
        return self.code.severity


@attrs.define
class Diagnostics:
    """The diagnostics of one piece of work, in the order in which they were found."""

    items: list[Diagnostic] = attrs.field(factory=list)

    def add(
        self,
        code: Code,
        message: str,
        span: Span | None = None,
        *,
        label: str = "",
        notes: Iterable[str] = (),
        help: str = "",
        related: Iterable[Related] = (),
    ) -> Diagnostic:
        """Make a diagnostic and keep it."""
        made = Diagnostic(code, message, span, label, tuple(notes), help, tuple(related))
        self.items.append(made)
        return made

    def extend(self, items: Iterable[Diagnostic]) -> None:
        """Keep diagnostics that were made elsewhere."""
        self.items.extend(items)

    @property
    def errors(self) -> list[Diagnostic]:
        """Those that stop the work."""
        return [item for item in self.items if item.severity is Severity.ERROR]

    @property
    def failed(self) -> bool:
        """Whether there is an error."""
        return any(item.severity is Severity.ERROR for item in self.items)

    def failed_besides(self, allowed: frozenset[str]) -> bool:
        """Whether there is an error that is not among the allowed codes (ids or names)."""
        return any(item.code.id not in allowed and item.code.name not in allowed for item in self.errors)

    def __iter__(self) -> Iterator[Diagnostic]:
        """Go through them in the order in which they were found."""
        return iter(self.items)

    def __len__(self) -> int:
        """How many there are."""
        return len(self.items)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Give a help text that names the nearest known word, or all of them if there are few, or nothing."""
    from difflib import get_close_matches

    names = sorted(set(known))
    folded = {name.lower(): name for name in names}
    near = get_close_matches(word.lower(), folded, n=1, cutoff=0.6)
    if near:
        return f"did you mean `{folded[near[0]]}`?"
    if names and len(names) <= 12:
        return "known here: " + ", ".join(f"`{name}`" for name in names)
    return ""
