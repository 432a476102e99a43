"""A torc text in any of its formats as one positioned tree (torc.md §2, §22)."""

from __future__ import annotations

import json
import re

from pwxc.diagnostics import Diagnostics
from pwxc.source import Source
from pwxc.yaml.nodes import Document, Limits, Node, ScalarNode, compose, walk
from pwxc_targets.torc.formats import codes as C  # noqa: N812

FORMATS = ("yaml", "json", "json5", "kdl")
_SUFFIX = re.compile(r"\.(yaml|yml|json|json5|kdl)\Z", re.IGNORECASE)
_KDL_LINE = re.compile(r"^\s*(?:/\*|//|(?:name|job|user|file|description)\s+\"|action\s*\{)", re.MULTILINE)
_YAML_LINE = re.compile(r"^[\"']?(?:name|jobs|user|files|description)[\"']?\s*:", re.MULTILINE)
_MERGE = re.compile(r"(^|[{,\s-])<<\s*:", re.MULTILINE)
_UNLIKE_YAML = re.compile(r"\t|\\u[dD][89abAB]|[\x7f-\x84\x86-\x9f\ufffe\uffff]")


def format_of(source: Source) -> str:
    """Tell the format by the file's extension, else by its content."""
    found = _SUFFIX.search(source.name)
    if found is not None:
        suffix = found[1].lower()
        return "yaml" if suffix == "yml" else suffix
    text = source.text.lstrip("\ufeff \t\r\n")
    if text.startswith("{") or (text.startswith(("//", "/*")) and re.search(r"^\s*\{", text, re.MULTILINE)):
        return "json" if _is_json(text) else "json5"
    if _KDL_LINE.search(source.text) and not _YAML_LINE.search(source.text):
        return "kdl"
    return "yaml"


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def load(source: Source, diagnostics: Diagnostics) -> Document | None:
    """Read a text; faults are diagnostics and give None."""
    kind = format_of(source)
    if kind in ("json5", "kdl") and len(source.text) > Limits().characters:
        diagnostics.add(C.JSON_SYNTAX if kind == "json5" else C.KDL_SYNTAX, "the text is too large")
        return None
    if kind == "json5":
        from pwxc_targets.torc.formats import json5

        return json5.compose(source, diagnostics)
    if kind == "kdl":
        return _load_kdl(source, diagnostics)
    if kind == "json":
        return _load_json(source, diagnostics)
    document = compose(source, diagnostics)
    if document is not None:
        _refuse_merges(document, diagnostics)
    return document


def _load_kdl(source: Source, diagnostics: Diagnostics) -> Document | None:
    from pwxc_targets.torc.formats.kdl import parse
    from pwxc_targets.torc.formats.kdl_tree import KdlReader

    knots = parse(source, diagnostics)
    return None if knots is None else Document(source, KdlReader(source, diagnostics).tree(knots))


def _load_json(source: Source, diagnostics: Diagnostics) -> Document | None:
    text = source.text
    if len(text) > Limits().characters:
        return compose(source, diagnostics)
    try:
        json.loads(text)
    except json.JSONDecodeError as fault:
        at = min(fault.pos, len(text))
        problem = fault.msg[0].lower() + fault.msg[1:]
        place = source.span(at, min(at + 1, len(text)))
        diagnostics.add(C.JSON_SYNTAX, problem, place, help="a file with comments is JSON5: name it `.json5`")
        return None
    except (RecursionError, ValueError) as fault:
        deep = isinstance(fault, RecursionError)
        diagnostics.add(C.JSON_SYNTAX, "nested too deeply" if deep else "a number is too long")
        return None
    if _UNLIKE_YAML.search(text):
        # tabs and pairs of surrogates are JSON, but not YAML to libyaml
        from pwxc_targets.torc.formats import json5

        return json5.compose(source, diagnostics)
    return compose(source, diagnostics)


def _refuse_merges(document: Document, diagnostics: Diagnostics) -> None:
    """Say that torc knows no merge keys: they have been followed here, and are an unknown field to torc."""
    text = document.source.text
    if "<<" not in text:
        return
    for found in _MERGE.finditer(text):
        at = found.end(1)
        in_comment = "#" in text[text.rfind("\n", 0, at) + 1 : at]
        if not in_comment and not any(_is_text_with(node, at, at + 2) for node in walk(document.root)):
            diagnostics.add(C.MERGE_KEY, "torc does not know merge keys `<<`", document.source.span(at, at + 2))
            return


def _is_text_with(node: Node, start: int, end: int) -> bool:
    return isinstance(node, ScalarNode) and node.start_mark.index <= start and end <= node.end_mark.index
