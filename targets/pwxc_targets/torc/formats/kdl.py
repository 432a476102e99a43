"""KDL texts as nodes with places, by the grammar `torc_kdl.lark`."""

from __future__ import annotations

import re
from typing import Any

import attrs

from pwxc.diagnostics import Diagnostics
from pwxc.source import Source
from pwxc_targets.torc.formats import codes as C  # noqa: N812

_ESCAPE = re.compile(r"\\(?:u\{([0-9a-fA-F]{1,6})\}|(\s+)|(.))")
_SINGLE = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "s": " ", "\\": "\\", '"': '"', "/": "/"}


@attrs.frozen
class Value:
    """A text, number, boolean or null with its place. `spelling` is a number's own text."""

    value: Any
    start: int
    end: int
    spelling: str = ""


@attrs.define
class Knot:
    """A KDL node: a name, arguments, properties and children."""

    name: str
    start: int
    end: int
    arguments: list[Value] = attrs.field(factory=list)
    properties: dict[str, Value] = attrs.field(factory=dict)
    children: list[Knot] = attrs.field(factory=list)
    name_end: int = 0


def parse(source: Source, diagnostics: Diagnostics) -> list[Knot] | None:
    """Read a KDL text; what is wrong with it is a diagnostic."""
    from lark.exceptions import UnexpectedInput

    from pwxc_grammars import load

    if source.text.count("{") > 10 * (source.text.count("\n") + 100):
        diagnostics.add(C.KDL_SYNTAX, "nested too deeply")
        return None
    try:
        tree = load("torc_kdl", "document").parse(source.text)
        return _knots(tree.children)
    except UnexpectedInput as fault:
        at = fault.pos_in_stream if fault.pos_in_stream is not None and fault.pos_in_stream >= 0 else len(source.text)
        at = min(at, len(source.text))
        rest = source.text[at:].split(None, 1)
        shown = rest[0][:20] if rest else ""
        help_text = "KDL 2 writes `#true`, `#false`, `#null`" if shown in ("true", "false", "null") else ""
        problem = f"`{shown}` cannot stand here" if shown else "the text ends too early"
        diagnostics.add(C.KDL_SYNTAX, problem, source.span(at, at + len(shown)), help=help_text)
        return None
    except (_BadTextError, RecursionError) as fault:
        place = source.span(*fault.args[1:]) if isinstance(fault, _BadTextError) else None
        diagnostics.add(C.KDL_SYNTAX, str(fault.args[0]) if place else "nested too deeply", place)
        return None


class _BadTextError(Exception):
    """A text has an escape or an indentation that KDL does not know; the arguments are message, start and end."""


def _knots(trees: list[Any]) -> list[Knot]:
    return [_knot(tree) for tree in trees if tree.children[0].type != "SLASHDASH"]


def _knot(tree: Any) -> Knot:
    parts = [part for part in tree.children if getattr(part, "type", "") != "TYPE"]
    name = parts[0]
    knot = Knot(_text(name), name.start_pos, tree.meta.end_pos, name_end=name.end_pos)
    for part in parts[1:]:
        inner = [item for item in part.children if getattr(item, "type", "") != "TYPE"]
        if inner and getattr(inner[0], "type", "") == "SLASHDASH":
            continue
        if part.data == "children":
            knot.children.extend(_knots(inner))
        elif part.data == "argument":
            knot.arguments.append(_value(inner[0].children[0]))
        else:
            key, _, *rest = inner[0].children
            knot.properties[_text(key)] = _value(rest[-1].children[0])
    return knot


def _value(token: Any) -> Value:
    start, end = token.start_pos, token.end_pos
    if token.type == "KEYWORD":
        constants = {"#true": True, "#false": False, "#null": None}
        return Value(
            constants.get(token, float(token[1:]) if token[1:] in ("inf", "-inf", "nan") else None), start, end
        )
    if token.type == "NUMBER":
        text = token.replace("_", "")
        is_integer = re.fullmatch(r"[-+]?(?:0[xob][0-9a-fA-F]+|[0-9]+)", text) is not None
        number = (int(text, 0) if re.match(r"[-+]?0[xob]", text) else int(text)) if is_integer else float(text)
        return Value(number, start, end, str(token))
    return Value(_text(token), start, end)


def _text(token: Any) -> str:
    if token.type == "WORD":
        return str(token)
    if token.type == "RAW":
        body = token.strip("#")
        return _dedent(body[3:-3], token, raw=True) if body.startswith('"""') and len(body) > 5 else str(body[1:-1])
    if token.type == "MULTILINE":
        return _dedent(token[3:-3], token, raw=False)
    return _unescape(token[1:-1], token)


def _unescape(body: str, token: Any) -> str:
    def replace(found: re.Match[str]) -> str:
        if found[1]:
            point = int(found[1], 16)
            if point > 0x10FFFF or 0xD800 <= point < 0xE000:
                raise _BadTextError("no such character", token.start_pos, token.end_pos)
            return chr(point)
        if found[2]:
            return ""
        if found[3] not in _SINGLE:
            raise _BadTextError(f"`\\{found[3]}` is no escape of KDL", token.start_pos, token.end_pos)
        return _SINGLE[found[3]]

    return _ESCAPE.sub(replace, body) if "\\" in body else body


def _dedent(body: str, token: Any, *, raw: bool) -> str:
    lines = re.split(r"\r\n|[\n\r]", body)
    if len(lines) < 2 or lines[0].strip() or lines[-1].strip():
        raise _BadTextError('`"""` has to be followed, and preceded, by a line break', token.start_pos, token.end_pos)
    indent = lines[-1]
    kept = []
    for line in lines[1:-1]:
        if not line.strip():
            kept.append("")
        elif line.startswith(indent):
            kept.append(line[len(indent) :])
        else:
            raise _BadTextError("a line is indented less than the closing quotes", token.start_pos, token.end_pos)
    text = "\n".join(kept)
    return text if raw else _unescape(text, token)
