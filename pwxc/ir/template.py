"""Text with holes. All text of a workflow that can hold a reference is a template."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from pwxc.frozen import frozen
from pwxc.ir.expr import Expr, Literal, Ref, Root, refs


@frozen
class Template:
    """Literal text and expressions, in order; no two texts are neighbours and none is empty."""

    parts: tuple[str | Expr, ...] = ()

    @classmethod
    def of(cls, *parts: str | Expr) -> Template:
        """Make a template, joining neighbouring texts."""
        joined: list[str | Expr] = []
        for part in parts:
            if isinstance(part, str) and joined and isinstance(joined[-1], str):
                joined[-1] += part
            elif part != "":
                joined.append(part)
        return cls(tuple(joined))

    @property
    def literal(self) -> str | None:
        """The text, when there is no hole."""
        if not self.parts:
            return ""
        if len(self.parts) == 1 and isinstance(self.parts[0], str):
            return self.parts[0]
        return None

    @property
    def whole(self) -> Expr | None:
        """The expression, when the template is one hole and nothing else."""
        if len(self.parts) == 1 and not isinstance(self.parts[0], str):
            return self.parts[0]
        return None

    @property
    def holes(self) -> list[Expr]:
        """The expressions, in order."""
        return [part for part in self.parts if not isinstance(part, str)]

    def refs(self) -> Iterator[Ref]:
        """Give all references in the holes."""
        for part in self.parts:
            if not isinstance(part, str):
                yield from refs(part)

    def uses(self, *roots: Root) -> bool:
        """Whether a hole refers to one of these."""
        return any(ref.root in roots for ref in self.refs())

    def map(self, change: Callable[[Expr], str | Expr]) -> Template:
        """Replace each hole."""
        return Template.of(*(part if isinstance(part, str) else change(part) for part in self.parts))

    def fill(self, give: Callable[[Expr], str]) -> str:
        """Replace each hole by text and give the whole text."""
        return "".join(part if isinstance(part, str) else give(part) for part in self.parts)

    def __bool__(self) -> bool:
        """Whether there is anything in it."""
        return bool(self.parts)


def text(value: str) -> Template:
    """Make a template of one literal text."""
    return Template((value,) if value else ())


def join(templates: Iterable[Template]) -> Template:
    """Put templates one after the other."""
    return Template.of(*(part for template in templates for part in template.parts))


def fold_literals(template: Template) -> Template:
    """Turn holes that are literal values into text."""
    return template.map(lambda hole: str(hole.value) if isinstance(hole, Literal) else hole)
