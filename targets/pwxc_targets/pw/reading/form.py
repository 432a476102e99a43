"""The form into inputs (pw.md §9), and configurations into presets."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import attrs

from pwxc.ir.entity import Passthrough, changed
from pwxc.ir.inputs import Choice, Input, InputType, Preset
from pwxc.source import Span
from pwxc.yaml.nodes import MappingNode, Node, ScalarNode
from pwxc.yaml.structure import Surface, keys_of
from pwxc_targets.pw import form, model
from pwxc_targets.pw.form import ABSENT, Field
from pwxc_targets.pw.input_types import CANONICAL, TYPES
from pwxc_targets.pw.reading import codes as C  # noqa: N812
from pwxc_targets.pw.reading.texts import Texts, has_hole

_PRESENTATION = frozenset(
    (
        *("width", "placeholder", "textarea", "prefillDefault", "slider", "step", "disableLabel", "language"),
        *("optionLabelPosition", "implies", "collapsed", "items-collapsible", "text", "size", "bold", "title"),
        *("nextLabel", "prevLabel", "validateOnNext", "autoselect", "include-workspace", "include-unprovisioned"),
        *("csp", "provider", "multi", "resource", "account", "partition", "region", "includeEmpty", "clusterName"),
        *("namespace", "disabled"),
    )
)
"""Attributes that shape the form: how a field looks and what a picker offers."""
_READ = frozenset({"type", "label", "description", "tooltip", "default", "optional", "hidden", "ignore"})
"""Attributes that are read by themselves, or in which the platform reads no expressions."""
_TIME = re.compile(r"(?:(\d+)-)?(\d+):(\d\d):(\d\d)\Z")


def parse_clock(value: object) -> int | None:
    """Give the seconds of `HH:MM:SS` or `D-HH:MM:SS`."""
    matched = _TIME.match(str(value).strip())
    if matched is None:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in matched.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


@attrs.frozen
class FormReader:
    """Reads the fields of a form. `flat` says that a wizard's pages do not stand in the paths of their fields."""

    texts: Texts
    flat: bool = True

    def read(self, fields: Any, node: Node | None) -> tuple[Input, ...]:
        """Read a map of fields."""
        keys = {key.value: key for key, _ in node.value} if isinstance(node, MappingNode) else {}
        found: list[Input] = []
        for name, field in form.fields_of(fields).items():
            span = self.texts.span(keys.get(name))
            self.texts.check_name(name, "an input", span)
            found.extend(self._spread(name, field, span))
        return tuple(found)

    def _spread(self, name: str, field: Field, span: Span | None) -> tuple[Input, ...]:
        made = self.field(name, field, span)
        is_flat = (isinstance(field, form.GroupField) and field.flatten is True) or (
            isinstance(field, form.StepField) and self.flat
        )
        if not is_flat:
            return (made,)
        return tuple(changed(item, form={**item.form, "page": name}) for item in made.items)

    def field(self, name: str, field: Field, span: Span | None) -> Input:
        """Read a field."""
        kind = str(field.type)
        type_ = TYPES.get(kind, InputType.STRING)
        if isinstance(field, form.StringField) and field.textarea is True:
            type_ = InputType.TEXT
        optional: Any = isinstance(field, form.HeaderField)
        default, has_default = None, False
        if isinstance(field, form.ValueField):
            optional = self.texts.switch(field, field.optional, "optional")
            self.texts.place = "input.default"
            if has_default := field.default is not ABSENT:
                default = self.texts.data(field.default, self.texts.node(field, "default"))
        self._read_presentation(field)
        minimum, maximum = self._limits(field, type_)
        choices, kept = self._choices(field)
        hidden: Any = self.texts.switch(field, field.hidden, "hidden")
        ignored: Any = self.texts.switch(field, field.ignore, "ignore")
        return Input(
            name=name,
            type=type_,
            default=default,
            has_default=has_default,
            optional=optional,
            hidden=hidden,
            ignored=ignored or isinstance(field, form.HeaderField),
            minimum=minimum,
            maximum=maximum,
            choices=choices,
            items=self._items(field),
            label=_line(field.label),
            help=_line(field.tooltip),
            form=_form(field, type_),
            passthrough=(*kept, *self._only_here(field)),
            span=span,
        )

    def _read_presentation(self, field: Field) -> None:
        """Read the expressions of attributes that stay as they are written, so that they are checked."""
        if field.node is None:
            return
        for key, child in field.node.value:
            if isinstance(child, ScalarNode) and key.value not in _READ and has_hole(child.value):
                self.texts.place = f"input.{key.value}"
                self.texts.template(child.value, child)

    def _limits(self, field: Field, type_: InputType) -> tuple[Any, Any]:
        low, high = getattr(field, "min", None), getattr(field, "max", None)
        if type_ is InputType.DURATION:
            return parse_clock(low), parse_clock(high)
        return tuple(value if isinstance(value, int | float) else None for value in (low, high))  # type: ignore[return-value]

    def _items(self, field: Field) -> tuple[Input, ...]:
        if isinstance(field, form.GroupField):
            return self.read(field.items, self.texts.node(field, "items"))
        if isinstance(field, form.StepField):
            return self.read(field.options, self.texts.node(field, "options"))
        if isinstance(field, form.ListField):
            node = self.texts.node(field, "template")
            if isinstance(field.template, Field):
                return (self.field("", field.template, self.texts.span(node)),)
            return self.read(field.template, node)
        return ()

    def _choices(self, field: Field) -> tuple[tuple[Choice, ...], list[Passthrough]]:
        options = getattr(field, "options", ABSENT)
        if isinstance(field, form.StepField) or options is ABSENT:
            return (), []
        if isinstance(options, list):
            if any(isinstance(option, form.OptionCategory) for option in options):
                return tuple(self._flat_choices(options)), self.texts.kept(field, "options")
            return tuple(self._flat_choices(options)), []
        return (), self.texts.kept(field, "options", "option-key")

    def _flat_choices(self, options: Any) -> list[Choice]:
        found: list[Choice] = []
        for option in options if isinstance(options, list) else ():
            if isinstance(option, form.OptionCategory):
                found.extend(self._flat_choices(option.options))
            elif isinstance(option, form.Option):
                label = None if option.label is None else _line(option.label)
                value = option.value if option.value is not None else label
                if isinstance(value, str | int | float):
                    found.append(Choice(value=value, label=label, span=self.texts.at(option.node)))
            elif isinstance(option, str | int | float):
                found.append(Choice(value=option))
        return found

    def _only_here(self, field: Field) -> list[Passthrough]:
        names = [name for name in ("disableValue", "generateCredentials") if self.texts.node(field, name)]
        if isinstance(field, form.ListField):
            names += [name for name in ("min", "max") if self.texts.node(field, name) and _odd(getattr(field, name))]
        found = self.texts.kept(field, *names) + self.texts.unknown(field)
        options = getattr(field, "options", None)
        for index, option in enumerate(options if isinstance(options, list) else ()):
            if isinstance(option, Surface):
                found += self.texts.unknown(option, "options", str(index))
        return found


def _odd(value: object) -> bool:
    return value is not None and not isinstance(value, int | float)


def _line(value: object) -> str:
    if isinstance(value, list):
        return "\n".join(_line(item) for item in value)
    return "" if value is None else str(value)


def _form(field: Field, type_: InputType) -> dict[str, Any]:
    """Gather what only shapes the form."""
    found: dict[str, Any] = {}
    if CANONICAL.get(type_) != field.type:
        found["type"] = field.type
    if field.description is not None:
        found["description"] = field.description
    kind: Any = type(field)
    names = _attributes(kind)
    for key, _ in field.node.value if field.node is not None else ():
        attribute = names.get(key.value) if key.value in _PRESENTATION else None
        if attribute is not None and (value := getattr(field, attribute)) is not None:
            found[key.value] = value
    return found


@cache
def _attributes(cls: Any) -> dict[str, str]:
    return {info.name: info.attribute for info in keys_of(cls)}


def read_presets(
    texts: Texts, configurations: dict[str, model.Configuration], keys: dict[str, Any], inputs: tuple[Input, ...]
) -> tuple[Preset, ...]:
    """Read saved sets of form values; values for inputs that the form does not have are reported."""
    found: list[Preset] = []
    for name, configuration in configurations.items():
        place = "inputs" if configuration.inputs is not None else "variables"
        values = configuration.inputs if configuration.inputs is not None else configuration.variables
        node = texts.node(configuration, place)
        texts.place = "configurations.inputs"
        if place == "variables" and values is not None:
            texts.old_form("`variables` is what one guide calls `inputs`", texts.at(configuration), "write `inputs`")
        _check_values(texts, values, node, inputs, ())
        found.append(
            Preset(
                name=name,
                values=texts.data(values or {}, node),
                passthrough=tuple(texts.unknown(configuration)),
                span=texts.span(keys.get(name)),
            )
        )
    return tuple(found)


def _check_values(
    texts: Texts, values: Any, node: Node | None, inputs: tuple[Input, ...], path: tuple[str, ...]
) -> None:
    from pwxc.diagnostics import did_you_mean

    if not isinstance(values, dict) or not isinstance(node, MappingNode):
        return
    known = {item.name: item for item in inputs}
    for key, child in node.value:
        item = known.get(key.value)
        if item is None and key.value != "v3":
            # `v3: true` marks the payloads of the web form (§9.6)
            name = ".".join((*path, key.value))
            message = f"the form has no input `{name}`"
            texts.report(C.UNKNOWN_PRESET_VALUE, message, texts.span(key), help=did_you_mean(key.value, known))
        elif item is not None and item.type is InputType.GROUP:
            _check_values(texts, values.get(key.value), child, item.items, (*path, key.value))
