"""JSON5 texts as positioned nodes, by the grammar `torc_json5.lark`."""

from __future__ import annotations

import re
from typing import Any

from pwxc.diagnostics import Diagnostics
from pwxc.source import Source
from pwxc.yaml.nodes import Document, Limits, Node
from pwxc_targets.torc.formats import codes as C  # noqa: N812
from pwxc_targets.torc.formats.nodes import list_node, map_node, number_text, plain_node, text_node

_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(\r\n|[\s\S]))")
_SINGLE = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "0": "\0"}
_BREAKS = ("\n", "\r", "\r\n", "\u2028", "\u2029")
_WORDS = {"true", "false", "null"}
_SURROGATES = re.compile("[\ud800-\udbff][\udc00-\udfff]")


def compose(source: Source, diagnostics: Diagnostics) -> Document | None:
    """Read a JSON5 text; what is wrong with it is a diagnostic."""
    from lark.exceptions import UnexpectedInput

    from pwxc_grammars import load

    if _too_deep(source.text):
        diagnostics.add(C.JSON_SYNTAX, "nested too deeply")
        return None
    try:
        tree = load("torc_json5", "document").parse(source.text)
    except UnexpectedInput as fault:
        at = fault.pos_in_stream if fault.pos_in_stream is not None and fault.pos_in_stream >= 0 else len(source.text)
        at = min(at, len(source.text))
        shown = source.text[at : at + 1]
        problem = f"`{shown}` cannot stand here" if shown.strip() else "the text ends too early"
        diagnostics.add(C.JSON_SYNTAX, problem, source.span(at, min(at + 1, len(source.text))))
        return None
    fault_at = _Fault()
    root = _node(tree, fault_at)
    if fault_at.place is not None:
        diagnostics.add(C.JSON_SYNTAX, fault_at.message, source.span(*fault_at.place))
        return None
    return Document(source, root)


def _too_deep(text: str) -> bool:
    depth = deepest = 0
    for sign in re.findall(r"[\[{\]}]", text):
        depth += 1 if sign in "[{" else -1
        deepest = max(deepest, depth)
    return deepest > 4 * Limits().depth


class _Fault:
    """The first fault that the grammar does not see."""

    place: tuple[int, int] | None = None
    message = ""


def _node(tree: Any, fault: _Fault) -> Node:
    if not hasattr(tree, "data"):
        return _scalar(tree, fault)
    start, end = tree.meta.start_pos, tree.meta.end_pos
    if tree.data == "sequence":
        return list_node([_node(child, fault) for child in tree.children], start, end)
    pairs: list[tuple[Node, Node]] = [
        (_key(member.children[0]), _node(member.children[1], fault)) for member in tree.children
    ]
    return map_node(pairs, start, end)


def _key(token: Any) -> Node:
    value = _unquote(token) if token.type == "STRING" else str(token)
    return text_node(value, token.start_pos, token.end_pos)


def _scalar(token: Any, fault: _Fault) -> Node:
    start, end = token.start_pos, token.end_pos
    if token.type == "STRING":
        return text_node(_unquote(token), start, end, token[0])
    if token.type == "NUMBER":
        return plain_node(number_text(token), start, end)
    if token not in _WORDS and fault.place is None:
        fault.place, fault.message = (start, end), f"`{token}` is no value; a text stands in quotes"
    return plain_node(str(token), start, end)


def _unquote(token: str) -> str:
    body = token[1:-1]
    if "\\" not in body:
        return body
    joined = _ESCAPE.sub(_unescape, body)
    return _SURROGATES.sub(lambda pair: pair[0].encode("utf-16", "surrogatepass").decode("utf-16"), joined)


def _unescape(found: re.Match[str]) -> str:
    if (digits := found[1] or found[2]) is not None:
        return chr(int(digits, 16))
    return "" if found[3] in _BREAKS else _SINGLE.get(found[3], found[3])
