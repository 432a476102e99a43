"""Rules about the form (pw.md §9)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import attrs

from pwxc.ir.expr import Root, refs
from pwxc.yaml.nodes import MappingNode, Node
from pwxc_targets.pw import form
from pwxc_targets.pw.form import ABSENT, Field
from pwxc_targets.pw.linting import codes as C  # noqa: N812
from pwxc_targets.pw.linting.subject import File
from pwxc_targets.pw.reading.texts import Use, has_hole

_WRITTEN = frozenset({"string", "number", "integer", "password", "editor", "dropdown", "radio", "duration"})
"""Types whose value a person writes or chooses from the file's own options, so a default makes sense."""
_CHOICES = frozenset({"dropdown", "multi-dropdown", "radio", "checkbox-group"})


@attrs.frozen
class Seen:
    """A field with its path below `inputs`, its key, and the groups around it."""

    path: tuple[str, ...]
    field: Field
    key: Node | None
    groups: tuple[Field, ...] = ()
    row: bool = False
    """It is a field of the rows of a list."""

    @property
    def name(self) -> str:
        """The path as it is written."""
        return ".".join(self.path)


def lint_form(file: File) -> None:
    """Check every field of the form."""
    execute = file.written.on.execute if file.written.on is not None else None
    if execute is None or not execute.inputs:
        return
    fields = list(_walk(file, execute.inputs, file.node(execute, "inputs"), (), ()))
    uses = _uses(file)
    for seen in fields:
        for rule in _RULES:
            rule(file, seen, uses)
    _duplicates(file, fields)


def _walk(
    file: File, fields: Any, node: Node | None, path: tuple[str, ...], groups: tuple[Field, ...], *, row: bool = False
) -> Iterator[Seen]:
    keys = {key.value: key for key, _ in node.value} if isinstance(node, MappingNode) else {}
    for name, field in form.fields_of(fields).items():
        here = (*path, name)
        if isinstance(field, form.GroupField):
            below = path if field.flatten is True else here
            yield from _walk(file, field.items, file.node(field, "items"), below, (*groups, field), row=row)
        elif isinstance(field, form.StepField):
            yield from _walk(file, field.options, file.node(field, "options"), path, (*groups, field), row=row)
        else:
            yield Seen(here, field, keys.get(name), groups, row)
        if isinstance(field, form.ListField) and isinstance(field.template, dict):
            yield from _walk(file, field.template, file.node(field, "template"), here, (*groups, field), row=True)


def _uses(file: File) -> dict[tuple[str, ...], list[Use]]:
    """Give the expressions of jobs by the input that they read and by every group around it."""
    found: dict[tuple[str, ...], list[Use]] = {}
    for use in file.texts.uses:
        if use.job is None and not use.place.startswith("workflow."):
            continue
        for path in {ref.path[:length] for ref in refs(use.expr) if ref.root is Root.INPUT for length in _lengths(ref)}:
            found.setdefault(path, []).append(use)
    return found


def _lengths(ref: Any) -> range:
    return range(1, len(ref.path) + 1)


Rule = Callable[[File, Seen, dict[tuple[str, ...], list[Use]]], None]


def _optional(file: File, seen: Seen, uses: dict[tuple[str, ...], list[Use]]) -> None:
    field = seen.field
    if not isinstance(field, form.ValueField) or field.optional is not True or field.default is not ABSENT:
        return
    if field.type in _WRITTEN and seen.path in uses and not seen.row:
        message = f"`inputs.{seen.name}` may be empty and has no default"
        file.report(C.OPTIONAL_WITHOUT_DEFAULT, message, seen.key)


def _options(file: File, seen: Seen, _: dict[tuple[str, ...], list[Use]]) -> None:
    field: Any = seen.field
    if field.type not in _CHOICES:
        return
    if field.options is ABSENT or field.options in (None, "", [], {}):
        file.report(C.NO_OPTIONS, f"`inputs.{seen.name}` has no options", seen.key)
        return
    options = list(_flat(field.options))
    for option in options:
        if not isinstance(option, form.Option):
            continue
        if option.value is None:
            file.report(C.OPTION_WITHOUT_VALUE, f"an option of `inputs.{seen.name}` has no `value`", option.node)
        elif option.label is None:
            message = f"the option `{option.value}` of `inputs.{seen.name}` has no `label`"
            file.report(C.OPTION_WITHOUT_LABEL, message, option.node)
    _default_option(file, seen, options)


def _default_option(file: File, seen: Seen, options: list[Any]) -> None:
    field: Any = seen.field
    if isinstance(field.options, str) or has_hole(field.default) or field.default in (ABSENT, None, ""):
        return
    known = {_word(option.value if isinstance(option, form.Option) else option) for option in options}
    chosen = field.default if isinstance(field.default, list) else [field.default]
    for value in chosen:
        if not has_hole(value) and _word(value) not in known and not any(has_hole(word) for word in known):
            message = f"the default `{_word(value)}` of `inputs.{seen.name}` is none of its options"
            file.report(C.DEFAULT_NO_OPTION, message, file.node(field, "default"))


def _word(value: Any) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


def _flat(options: Any) -> Iterator[Any]:
    if isinstance(options, dict):
        for listed in options.values():
            yield from _flat(listed)
    for option in options if isinstance(options, list) else ():
        if isinstance(option, form.OptionCategory):
            yield from _flat(option.options)
        else:
            yield option


def _hidden(file: File, seen: Seen, uses: dict[tuple[str, ...], list[Use]]) -> None:
    field: Any = seen.field
    if seen.row or isinstance(field, form.HeaderField):
        return
    around = (*seen.groups, field)
    if any(part.ignore not in (None, False) for part in around):
        return
    default = getattr(field, "default", ABSENT)
    if field.hidden is True and default is ABSENT and not getattr(field, "optional", None) and _asks(field):
        file.report(C.HIDDEN_AND_REQUIRED, f"`inputs.{seen.name}` is hidden, required and has no default", seen.key)
        return
    if not any(has_hole(part.hidden) for part in around):
        return
    bare = [use for use in uses.get(seen.path, []) if not file.is_guarded(use)]
    if bare and default is ABSENT:
        message = f"`inputs.{seen.name}` is read here, and may be hidden and without a value"
        file.say(C.HIDDEN_AND_USED, message, bare[0].expr.span)


def _asks(field: Field) -> bool:
    """Whether a field has to be filled in by a person: a boolean has a value, a picker may choose by itself."""
    return field.type != "boolean" and getattr(field, "autoselect", None) is not True


def _tilde(file: File, seen: Seen, _: dict[tuple[str, ...], list[Use]]) -> None:
    default = getattr(seen.field, "default", ABSENT)
    if isinstance(default, str) and re.match(r"~(?:/|\Z)", default):
        message = f"`~` is not expanded in the default of `inputs.{seen.name}`"
        file.report(C.TILDE, message, file.node(seen.field, "default"))


def _duplicates(file: File, fields: list[Seen]) -> None:
    first: dict[tuple[str, ...], Seen] = {}
    for seen in fields:
        if seen.path in first:
            file.report(C.DUPLICATE_INPUT, f"there are two fields `inputs.{seen.name}`", seen.key)
        first.setdefault(seen.path, seen)


_RULES: tuple[Rule, ...] = (_optional, _options, _hidden, _tilde)
