"""Positioned nodes into surface models and models into plain trees, by tables that cattrs keeps.

A surface model is a class below `Surface`, made by `surface`, whose fields are made with `key`. A dialect makes one
converter (`make_converter`), adds hooks for its own scalar types, and calls `structure`. A hook never raises: it
reports at the node and gives `INVALID`, so one pass finds every fault of a file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, cast, dataclass_transform, get_args, get_origin

import attrs
import cattrs

from pwxc.diagnostics import Code, Diagnostics, did_you_mean
from pwxc.diagnostics import codes as C  # noqa: N812
from pwxc.frozen import add_methods, frozen
from pwxc.source import Span
from pwxc.yaml.nodes import Document, MappingNode, Node, ScalarNode, SequenceNode
from pwxc.yaml.schema import Schema, core

Hook = Callable[[Any, Any], Any]
"""Takes a node and a type, gives the value or `INVALID`."""
_S = TypeVar("_S", bound="Surface")

_HELPED = 200
"""How many faults of a file get a suggestion, which costs more than all else."""


class _Invalid:
    """The value of a field that could not be read; its diagnostic is already made."""

    def __repr__(self) -> str:
        return "INVALID"


INVALID: Any = _Invalid()


@attrs.define(eq=False)
class Reading:
    """What the hooks know while a document is read."""

    document: Document
    diagnostics: Diagnostics
    schema: Schema = core
    unknown: Code = C.UNKNOWN_KEY_KEPT
    duplicate: Code = C.DUPLICATE_KEY

    def fault(self, node: Node, message: str, code: Code = C.WRONG_TYPE, **more: Any) -> Any:
        """Report a fault at a node; gives `INVALID`, for the hook to hand on."""
        self.diagnostics.add(code, message, self.document.span(node), **more)
        return INVALID


_current: ContextVar[Reading] = ContextVar("reading")


def reading() -> Reading:
    """Give the reading that is under way."""
    return _current.get()


@attrs.define(kw_only=True)
class Surface:
    """A construct of a language as it is written.

    `node` is where it was read (None when it is made for writing); `extra` holds the keys that the language does not
    know, as plain data.
    """

    node: MappingNode | None = attrs.field(default=None, eq=False, repr=False)
    extra: dict[str, Any] = attrs.field(factory=dict)


def key(
    name: str, *, doc: str, source: str = "", default: Any = attrs.NOTHING, factory: Callable[[], Any] | None = None
) -> Any:
    """Make a model's field: its YAML name, a line about it, and where that is documented.

    A field without default is required.
    """
    metadata = {"key": name, "doc": doc, "source": source}
    if factory is not None:
        return attrs.field(factory=factory, kw_only=True, metadata=metadata)
    return attrs.field(default=default, kw_only=True, metadata=metadata)


@dataclass_transform(kw_only_default=True)
def surface(cls: type[_S]) -> type[_S]:
    """Make a class a construct of a language: an attrs class that is made ready when it is first used.

    Languages have many constructs and files use few of them; to make all ready costs more than a small file does.
    """

    def wait(self: Any, **values: Any) -> None:
        ready(type(self))
        self.__init__(**values)

    cls.__init__ = wait  # type: ignore[method-assign]
    _WAITING.add(cls)
    return cls


_WAITING: set[type] = set()


def ready(cls: type) -> None:
    """Let attrs do its part for a model and what it is based on."""
    for base in reversed(cls.__mro__):
        if base in _WAITING:
            _WAITING.discard(base)
            del base.__init__  # type: ignore[misc]
            add_methods(attrs.define(base, kw_only=True, slots=False, eq=False, repr=False), hashable=False)


@contextmanager
def within(context: Reading) -> Iterator[None]:
    """Make a reading the one that is under way."""
    token = _current.set(context)
    try:
        yield
    finally:
        _current.reset(token)


def structure(
    cls: type[_S], document: Document, node: Node, converter: cattrs.Converter, context: Reading
) -> _S | None:
    """Read a node as a model; None when it is no map at all. Faults stand in the diagnostics of `context`."""
    with within(context):
        made = converter.structure(node, cls)
    return None if made is INVALID else made


def make_converter() -> cattrs.Converter:
    """Make a converter that knows models, lists, maps, optional values, texts, numbers and booleans."""
    converter = cattrs.Converter()
    converter.register_structure_hook_factory(_is_surface, lambda cls: _model_hook(cls, converter))
    converter.register_structure_hook_factory(_is_list, lambda kind: _list_hook(kind, converter))
    converter.register_structure_hook_factory(_is_dict, lambda kind: _dict_hook(kind, converter))
    converter.register_structure_hook_factory(_is_optional, lambda kind: _optional_hook(kind, converter))
    converter.register_structure_hook_func(lambda kind: kind is Any, lambda node, _: plain(node))
    for kind, word in ((str, "text"), (int, "a whole number"), (bool, "`true` or `false`"), (float, "a number")):
        converter.register_structure_hook(kind, _scalar_hook(kind, word))
    return converter


def pairs(node: MappingNode) -> Iterator[tuple[ScalarNode, Node]]:
    """Give a map's keys and values; a key that is no scalar or stands twice is reported. The last one counts."""
    if len({key.value for key, _ in node.value if isinstance(key, ScalarNode)}) == len(node.value):
        yield from node.value
        return
    last: dict[str, tuple[ScalarNode, Node]] = {}
    for key_node, value in node.value:
        if not isinstance(key_node, ScalarNode):
            reading().fault(key_node, "a key has to be a scalar")
            continue
        if key_node.value in last:
            first = reading().document.span(last[key_node.value][0])
            _report_duplicate(key_node, first)
        last[key_node.value] = (key_node, value)
    yield from last.values()


def _report_duplicate(key_node: ScalarNode, first: Span) -> None:
    from pwxc.diagnostics import Related

    reading().fault(
        key_node,
        f"the key `{key_node.value}` stands twice in the same map",
        reading().duplicate,
        related=[Related(first, "first here")],
    )


def plain(node: Node) -> Any:
    """Give a node's content as plain data, by the schema of the reading."""
    if isinstance(node, ScalarNode):
        return reading().schema(node)
    if isinstance(node, SequenceNode):
        return [plain(child) for child in node.value]
    assert isinstance(node, MappingNode)
    return {key_node.value: plain(value) for key_node, value in pairs(node)}


def kind_of(node: Node) -> str:
    """Say what a node is, for a message."""
    if isinstance(node, MappingNode):
        return "a map"
    if isinstance(node, SequenceNode):
        return "a list"
    value = reading().schema(cast("ScalarNode", node))
    names = {NoneType: "nothing", bool: "a boolean", int: "a number", float: "a number", str: "text"}
    return names.get(type(value), "a date" if hasattr(value, "year") else "another type")


@frozen
class KeyInfo:
    """A model's field as the language sees it."""

    attribute: str
    name: str
    required: bool
    default: Any
    type: Any
    doc: str
    source: str


@cache
def keys_of(cls: type) -> tuple[KeyInfo, ...]:
    """Give the keys of a model, in the order of its fields."""
    ready(cls)
    attrs.resolve_types(cls)
    return tuple(
        KeyInfo(
            field.name,
            field.metadata["key"],
            field.default is attrs.NOTHING,
            field.default,
            field.type,
            field.metadata["doc"],
            field.metadata["source"],
        )
        for field in attrs.fields(cls)
        if "key" in field.metadata
    )


def _model_hook(cls: type, converter: cattrs.Converter) -> Hook:
    table: dict[str, tuple[str, Hook, Any]] = {}
    required: set[str] = set()

    def build() -> None:
        for info in keys_of(cls):
            table[info.name] = (info.attribute, converter.get_structure_hook(info.type), info.type)
            if info.required:
                required.add(info.attribute)

    def hook(node: Any, _: Any) -> Any:
        if not table:
            build()
        if not isinstance(node, MappingNode):
            return reading().fault(node, f"a map is due here, not {kind_of(node)}")
        values: dict[str, Any] = {}
        extra: dict[str, Any] = {}
        for key_node, child in pairs(node):
            entry = table.get(key_node.value)
            if entry is None:
                extra[key_node.value] = _unknown(key_node, child, table)
            else:
                values[entry[0]] = entry[1](child, entry[2])
        if not required <= values.keys():
            _report_missing(cls, node, values)
            return INVALID
        return cls(node=node, extra=extra, **values)

    return hook


def _unknown(key_node: ScalarNode, child: Node, table: dict[str, Any]) -> Any:
    context = reading()
    help_text = did_you_mean(key_node.value, table) if len(context.diagnostics) < _HELPED else ""
    context.fault(key_node, f"unknown key `{key_node.value}`", context.unknown, help=help_text)
    return plain(child)


def _report_missing(cls: type, node: MappingNode, values: dict[str, Any]) -> None:
    missing = [info for info in keys_of(cls) if info.required and info.attribute not in values]
    for info in missing:
        at = node.value[0][0] if node.value else node
        reading().fault(
            at, f"`{info.name}` is missing", C.MISSING_KEY, label="in this map", help=f"{info.name}: {info.doc}"
        )


def _list_hook(kind: Any, converter: cattrs.Converter) -> Hook:
    (item,) = get_args(kind)
    found: list[Hook] = []

    def hook(node: Any, _: Any) -> Any:
        if not found:
            found.append(converter.get_structure_hook(item))
        if not isinstance(node, SequenceNode):
            return reading().fault(node, f"a list is due here, not {kind_of(node)}")
        inner = found[0]
        return [inner(child, item) for child in node.value]

    return hook


def _dict_hook(kind: Any, converter: cattrs.Converter) -> Hook:
    _, item = get_args(kind)
    found: list[Hook] = []

    def hook(node: Any, _: Any) -> Any:
        if not found:
            found.append(converter.get_structure_hook(item))
        if not isinstance(node, MappingNode):
            return reading().fault(node, f"a map is due here, not {kind_of(node)}")
        inner = found[0]
        return {key_node.value: inner(child, item) for key_node, child in pairs(node)}

    return hook


def _optional_hook(kind: Any, converter: cattrs.Converter) -> Hook:
    (inner_kind,) = (part for part in get_args(kind) if part is not NoneType)
    found: list[Hook] = []

    def hook(node: Any, _: Any) -> Any:
        if isinstance(node, ScalarNode) and reading().schema(node) is None:
            return None
        if not found:
            found.append(converter.get_structure_hook(inner_kind))
        return found[0](node, inner_kind)

    return hook


def _scalar_hook(expected: type, word: str) -> Hook:
    def hook(node: Any, _: Any) -> Any:
        if isinstance(node, ScalarNode):
            value = reading().schema(node)
            if type(value) is expected or (expected is float and type(value) is int):
                return value
        return reading().fault(node, f"{word} is due here, not {kind_of(node)}")

    return hook


def _is_surface(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Surface)


def _is_list(kind: Any) -> bool:
    return get_origin(kind) is list


def _is_dict(kind: Any) -> bool:
    return get_origin(kind) is dict


def _is_optional(kind: Any) -> bool:
    return get_origin(kind) in (Union, UnionType) and NoneType in get_args(kind) and len(get_args(kind)) == 2


def to_tree(value: Any) -> Any:
    """Turn a model into a plain tree for the writer.

    Keys that were read keep their order; others follow in the order of the model's fields. Defaults are left out
    unless they were written.
    """
    if isinstance(value, Surface):
        return _model_tree(value)
    if isinstance(value, dict):
        return {name: to_tree(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_tree(item) for item in value]
    return value


def _model_tree(model: Surface) -> dict[str, Any]:
    written = {key_node.value for key_node, _ in model.node.value} if model.node is not None else set()
    tree: dict[str, Any] = {}
    for attribute, name, default, is_factory in _tree_table(cast("Any", type(model))):
        value = getattr(model, attribute)
        if name not in written and (value == (default() if is_factory else default)):
            continue
        tree[name] = to_tree(value)
    tree.update(model.extra)
    if model.node is not None:
        order = [key_node.value for key_node, _ in model.node.value if key_node.value in tree]
        tree = {name: tree[name] for name in order} | tree
    return tree


@cache
def _tree_table(cls: type) -> tuple[tuple[str, str, Any, bool], ...]:
    ready(cls)
    table = []
    for field in attrs.fields(cast("Any", cls)):
        if "key" in field.metadata:
            made = isinstance(field.default, attrs.Factory)  # type: ignore[arg-type]
            table.append((field.name, field.metadata["key"], field.default.factory if made else field.default, made))
    return tuple(table)
