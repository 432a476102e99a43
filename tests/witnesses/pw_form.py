"""What an ACTIVATE form gives to a run: defaults, what a person entered, what is not passed on (pw.md §9)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import attrs
from pw_expressions import NOTHING, FaultError, fill, item, parse, truth, value_of, whole

from pwxc_targets.pw import form, model


@attrs.define
class Form:
    """The values of a form. What nobody knows has a name in angle brackets, as the environment's values have."""

    fields: Mapping[str, form.Field]
    given: Mapping[str, Any]
    _asked: list[str] = attrs.field(factory=list)

    @classmethod
    def of(cls, written: model.PwWorkflow, given: Mapping[str, Any]) -> Form:
        """Take the form of a workflow, with its pages and flat groups spread out."""
        execute = written.on.execute if written.on is not None else None
        fields = execute.inputs if execute is not None and execute.inputs else {}
        meta = fields.get("$meta")
        wizard = meta.wizard if isinstance(meta, form.Meta) else None
        return cls(dict(_spread(fields, pages=wizard is None or wizard.flatten is not False)), given)

    def value(self, path: list[str]) -> Any:
        """Give the value at a path below `inputs`."""
        name = ".".join(path)
        if name in self._asked:  # a value that needs itself
            return f"<input {name}>"
        self._asked.append(name)
        try:
            return self._walk(self.fields, self.given, path, [])
        finally:
            self._asked.pop()

    def _walk(self, fields: Mapping[str, form.Field], given: Any, path: list[str], above: list[str]) -> Any:
        field, entered = fields.get(path[0]), item(given, path[0])
        if field is None:
            return f"<input {'.'.join([*above, *path])}>" if entered is NOTHING else _below(entered, path[1:])
        if isinstance(field, form.HeaderField) or self._is_on(field, "ignore"):
            return NOTHING
        if isinstance(field, form.GroupField | form.StepField):
            below = field.items if isinstance(field, form.GroupField) else field.options
            inner = dict(_spread(below or {}, pages=True))
            if path[1:]:
                return self._walk(inner, entered, path[1:], [*above, path[0]])
            if entered is NOTHING:
                return {name: self.value([*above, *path, name]) for name in inner}
        if entered is not NOTHING:
            return _below(entered, path[1:])
        default = self._default(field, [*above, *path])
        return default if isinstance(default, str) and default.startswith("<input ") else _below(default, path[1:])

    def _is_on(self, field: form.Field, switch: str) -> bool:
        written = getattr(field, switch)
        if isinstance(written, str) and (inner := whole(written)) is not None:
            try:
                return truth(value_of(parse(inner), lambda name: self._look(name, field), {}))
            except FaultError:
                return False
        return bool(written is True)

    def _look(self, name: str, field: form.Field | None = None) -> Any:
        if name.startswith(".") and field is not None:
            return self._is_on(field, name[1:])
        root, *path = name.split(".")
        if root == "inputs":
            return f"<row {'.'.join(path)}>" if "[index]" in path else self.value(path)
        known = {"org": "organisation", "var": "user", "sessions": "session", "app": "app"}
        return f"<{known[root]} {'.'.join(path)}>" if root in known else name

    def _default(self, field: form.Field, path: list[str]) -> Any:
        default = getattr(field, "default", form.ABSENT)
        if default is not form.ABSENT:
            return self._settled(default)
        kind = field.type
        if kind == "boolean":
            return False
        options = getattr(field, "options", None)
        if kind in ("dropdown", "radio") and isinstance(options, list) and options:
            return _first(options)
        if kind in ("number", "integer"):
            low = getattr(field, "min", None)
            return low if isinstance(low, int | float) else 1
        return NOTHING if getattr(field, "optional", None) is True else f"<input {'.'.join(path)}>"

    def _settled(self, value: Any) -> Any:
        if isinstance(value, str):
            inner = whole(value)
            if inner is None:
                return fill(value, lambda text: value_of(parse(text), self._look, {}))
            try:
                return value_of(parse(inner), self._look, {})
            except FaultError:
                return NOTHING
        if isinstance(value, dict):
            return {name: self._settled(part) for name, part in value.items()}
        return [self._settled(part) for part in value] if isinstance(value, list) else value


def _spread(fields: Mapping[str, Any], *, pages: bool) -> Iterator[tuple[str, form.Field]]:
    for name, field in form.fields_of(fields).items():
        if isinstance(field, form.GroupField) and field.flatten is True:
            yield from _spread(field.items or {}, pages=pages)
        elif isinstance(field, form.StepField) and pages:
            yield from _spread(field.options or {}, pages=pages)
        else:
            yield name, field


def _first(options: list[Any]) -> Any:
    first = options[0]
    if isinstance(first, form.OptionCategory):
        return _first(first.options)
    if isinstance(first, form.Option):
        return first.value if first.value is not None else first.label
    return first


def _below(value: Any, path: list[str]) -> Any:
    for name in path:
        value = item(value, name)
    return value
