"""The workflow's inputs as `default-values` and names of the template (osmo.md §4)."""

from __future__ import annotations

from typing import Any

import attrs

from pwxc.expr.evaluate import Bindings, UnknownValueError, evaluate
from pwxc.expr.values import EvaluationError, as_text
from pwxc.ir.expr import Ref, Root, Undefined
from pwxc.ir.inputs import Input, InputType
from pwxc.ir.template import Template
from pwxc_targets.osmo.writing.emit import Hole
from pwxc_targets.osmo.writing.escape import has_marks, has_tokens, is_blocky
from pwxc_targets.osmo.writing.naming import identifier, is_identifier

Path = tuple[str, ...]
_METHODS = frozenset(dir(dict))


@attrs.frozen
class Variable:
    """A name of the template: the expression that prints it, and its value when none is given."""

    expression: str
    default: Any
    several_lines: bool = False
    """Whether it is meant for texts of several lines."""
    loose: bool = False
    """Whether a line break in it is text, and not the template author's affair."""

    @property
    def text(self) -> str:
        """What it prints by default."""
        return self.default if isinstance(self.default, str) else str(self.default)

    def hole(self, *, at_end: bool = False) -> Hole | None:
        """Give the hole that prints it; None when its value cannot stand in a file of this language."""
        text = self.text
        hard = not is_blocky(text) or has_marks(text) or has_tokens(text) or text.endswith("{")
        ending = self.loose and (self.several_lines or text.endswith("\n"))
        if hard or (at_end and text.endswith("\n") and not ending):
            return None
        tame = isinstance(self.default, int | float)
        long = not tame and (self.loose or self.several_lines or "\n" in text)
        return Hole(self.expression, tame, long, text, "'" not in text and "\n" not in text, ending, self.loose)


class Variables:
    """All inputs: what stands in `default-values`, and what a reference becomes."""

    def __init__(self, inputs: tuple[Input, ...], *, own: bool) -> None:
        self.found: dict[Path, Variable] = {}
        self.tree: dict[str, Any] = {}
        self.secrets: dict[Path, str] = {}
        """Inputs that are secret, with the variable of the environment that has their value."""
        self.asked: list[Input] = []
        """Inputs without a default, which a person has to give."""
        self.taken: set[str] = set()
        self.known = Bindings({Root.INPUT: _defaults(inputs)})
        if own:
            self.tree = self._own(inputs, (), "")
            self.taken.update(self.tree)
        else:
            self._flat(inputs, ())

    def _own(self, inputs: tuple[Input, ...], before: Path, expression: str) -> dict[str, Any]:
        tree: dict[str, Any] = {}
        for item in inputs:
            path = (*before, item.name)
            spelled = _step(expression, item.name)
            if item.type is InputType.GROUP:
                tree[item.name] = self._own(item.items, path, spelled)
            else:
                tree[item.name] = item.default
                self.found[path] = Variable(spelled, item.default)
        return tree

    def _flat(self, inputs: tuple[Input, ...], before: Path) -> None:
        for item in inputs:
            path = (*before, item.name)
            if item.type is InputType.GROUP:
                self._flat(item.items, path)
            elif item.type is InputType.SECRET:
                self.secrets[path] = identifier(path, set()).upper()
            elif item.type is not InputType.LIST:
                self._add(path, self._default(item), several_lines=item.type is InputType.TEXT)

    def _default(self, item: Input) -> Any:
        value = item.default
        if isinstance(value, Template):
            value = self.fold(value)
        if value is None and not item.has_default and item.optional is False:
            self.asked.append(item)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, int | float) and not isinstance(value, bool) and str(value) == as_text(value):
            return value
        return as_text(value) if not isinstance(value, dict) else ""

    def _add(self, path: Path, value: Any, *, several_lines: bool = False) -> Variable:
        name = identifier(path, self.taken)
        self.found[path] = Variable(name, value, several_lines, loose=True)
        if self.found[path].hole() is not None:
            self.tree[name] = value
        return self.found[path]

    def of(self, ref: Ref) -> Variable:
        """Give the variable of a reference; what is below an input, or unknown, gets one of its own."""
        found = self.found.get(ref.path)
        if found is None:
            found = self._add(ref.path, as_text(self.value(ref)))
        return found

    def value(self, expr: Any) -> Any:
        """Give the value of an expression with the inputs' defaults; None when it has none."""
        try:
            found = evaluate(expr, self.known)
        except (EvaluationError, UnknownValueError):
            return None
        return None if isinstance(found, Undefined) else found

    def fold(self, template: Template) -> str:
        """Give a template's text with the inputs' defaults; what nobody knows is left out."""
        return template.fill(lambda hole: as_text(self.value(hole)))


def _step(expression: str, name: str) -> str:
    if not expression:
        return name
    return f"{expression}.{name}" if is_identifier(name) and name not in _METHODS else f"{expression}[{name!r}]"


def _defaults(inputs: tuple[Input, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in inputs:
        if item.type is InputType.GROUP:
            found[item.name] = _defaults(item.items)
        elif not isinstance(item.default, Template):
            found[item.name] = item.default
        elif item.default.literal is not None:
            found[item.name] = item.default.literal
    return found
