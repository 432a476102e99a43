"""Positioned nodes into the surface model: the hooks of the places where the language allows several shapes."""

from __future__ import annotations

from functools import cache
from typing import Any

import cattrs

from pwxc.diagnostics import Diagnostics, did_you_mean
from pwxc.source import Source
from pwxc.yaml.nodes import Document, MappingNode, Node, ScalarNode, SequenceNode, compose
from pwxc.yaml.structure import Hook, Reading, kind_of, make_converter, pairs, plain, reading, structure
from pwxc_targets.pw import form, model
from pwxc_targets.pw.reading import codes as C  # noqa: N812

_WORDS: dict[type, str] = {
    model.Job: "job",
    model.Session: "session",
    model.Link: "link",
    model.Configuration: "configuration",
}


def read_model(source: Source, diagnostics: Diagnostics) -> tuple[Reading, model.PwWorkflow] | None:
    """Read a text as the surface model; None when it has faults, which stand in the diagnostics."""
    document = compose(source, diagnostics)
    if document is None:
        return None
    return structure_document(document, diagnostics)


def structure_document(document: Document, diagnostics: Diagnostics) -> tuple[Reading, model.PwWorkflow] | None:
    """Read a document as the surface model; None when it has faults, which stand in the diagnostics."""
    context = Reading(document, diagnostics)
    before = len(diagnostics.errors)
    made = structure(model.PwWorkflow, document, document.root, converter(), context)
    return (context, made) if made is not None and len(diagnostics.errors) == before else None


@cache
def converter() -> cattrs.Converter:
    """Make the converter of the dialect, once."""
    made = make_converter()
    for alias, hook in (
        (form.Scalar, _scalar),
        (form.Fields, _fields),
        (form.Template, _template),
        (form.Options, _options),
        (model.Names, _names),
        (model.RunsOnValue, _runs_on),
        (model.MatrixValue, _matrix),
        (model.UserVariables, _user_variables),
    ):
        made.register_structure_hook_func(_is(alias), hook)
    for kind, word in _WORDS.items():
        value = model.Session | None if kind is model.Session else kind
        made.register_structure_hook_func(_is(dict[str, value]), _entries(value, word))  # type: ignore[valid-type]
    return made


def _is(kind: Any) -> Any:
    return lambda other: other == kind


def _scalar(node: Any, _: Any) -> Any:
    if isinstance(node, ScalarNode):
        return reading().schema(node)
    return reading().fault(node, f"a single value is due here, not {kind_of(node)}")


def _entries(kind: Any, word: str) -> Hook:
    def hook(node: Any, _: Any) -> Any:
        if not isinstance(node, MappingNode):
            return reading().fault(node, f"a map of {word}s is due here, not {kind_of(node)}")
        inner = converter().get_structure_hook(kind)
        return {
            name.value: _stray(name, child, word) if _is_stray(child) else inner(child, kind)
            for name, child in pairs(node)
        }

    return hook


def _is_stray(node: Node) -> bool:
    return isinstance(node, ScalarNode) and reading().schema(node) is not None


def _stray(name: ScalarNode, child: Node, word: str) -> Any:
    reading().fault(name, f"`{name.value}` is no {word}: a {word} is a map", C.STRAY_ENTRY)
    return plain(child)


def _structured(cls: type, node: Node) -> Any:
    return converter().get_structure_hook(cls)(node, cls)


def _fields(node: Any, _: Any) -> Any:
    if isinstance(node, ScalarNode) and reading().schema(node) is None:
        return None
    if not isinstance(node, MappingNode):
        return reading().fault(node, f"a map of fields is due here, not {kind_of(node)}")
    return {name.value: _entry(name, child) for name, child in pairs(node)}


def _entry(name: ScalarNode, child: Node) -> Any:
    if name.value == "$meta":
        return _structured(form.Meta, child)
    if _is_stray(child):
        return _stray(name, child, "field")
    return _field(child)


def _field(node: Node) -> Any:
    kind = _type_of(node)
    if kind is None:
        return _structured(form.Field, node)
    cls = form.FIELDS.get(str(kind.value))
    if cls is None:
        help_text = did_you_mean(kind.value, form.FIELDS)
        reading().fault(kind, f"unknown field type `{kind.value}`", C.UNKNOWN_TYPE, help=help_text)
        cls = form.ValueField
    return _structured(cls, node)


def _type_of(node: Node) -> ScalarNode | None:
    if isinstance(node, MappingNode):
        for name, child in node.value:
            if name.value == "type" and isinstance(child, ScalarNode):
                return child
    return None


def _template(node: Any, kind: Any) -> Any:
    return _field(node) if _type_of(node) is not None else _fields(node, kind)


def _options(node: Any, _: Any) -> Any:
    if isinstance(node, SequenceNode):
        return [_option(child) for child in node.value]
    if isinstance(node, MappingNode):
        return {name.value: _option_list(name, child) for name, child in pairs(node)}
    return reading().schema(node)


def _option_list(name: ScalarNode, child: Node) -> Any:
    if isinstance(child, ScalarNode) and "${{" not in child.value:
        reading().fault(name, f"`{name.value}` has no list of options", C.STRAY_ENTRY)
    return _options(child, None)


def _option(node: Node) -> Any:
    if not isinstance(node, MappingNode):
        return plain(node)
    names = {name.value for name, _ in node.value}
    return _structured(form.OptionCategory if names & {"category", "options"} else form.Option, node)


def _names(node: Any, _: Any) -> Any:
    if isinstance(node, SequenceNode):
        return [_scalar(child, _) for child in node.value]
    return _scalar(node, _)


def _runs_on(node: Any, _: Any) -> Any:
    if isinstance(node, MappingNode):
        return _structured(model.RunsOn, node)
    return _scalar(node, _)


def _matrix(node: Any, _: Any) -> Any:
    if isinstance(node, SequenceNode):
        return reading().fault(node, "a matrix is a map from variables to lists", C.BAD_MATRIX)
    return plain(node)


def _user_variables(node: Any, _: Any) -> Any:
    if not isinstance(node, MappingNode):
        return plain(node)
    return {name.value: _user_variable(name, child) for name, child in pairs(node)}


def _user_variable(name: ScalarNode, child: Node) -> Any:
    if _is_stray(child):
        return _stray(name, child, "variable")
    kind = model.UserVariable | None
    return converter().get_structure_hook(kind)(child, kind)
