"""Plain trees to YAML text: the one place that writes YAML.

What is written reads back as the same tree under YAML 1.1 (PyYAML) and under YAML 1.2: a text that either of them
would take for something else is quoted. Lines are never wrapped. The lines are made here and not by PyYAML, whose
dump costs several times as much.
"""

from __future__ import annotations

import re
from binascii import b2a_base64
from collections.abc import Sequence
from datetime import date
from functools import cache, lru_cache

from pwxc.frozen import frozen

__all__ = ["Commented", "Flow", "Quoted", "write_yaml"]

_STEP = "  "
_LONGEST_KEY = 120
_REMEMBERED = 1 << 15

# what both of PyYAML's readers take as it is, without the line breaks that only YAML 1.1 has and the byte order mark
_KEPT = " -~\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff"
_STRANGE_IN_ASCII = re.compile("[^\t\n -~]")
_INDICATORS = frozenset(" ?:,[]{}#&*!|>'\"%@`")
_FLOW_INDICATORS = re.compile(r"[,\[\]{}:?]")
_DASHES = re.compile(r"(?:-|---|\.\.\.)(?: |\Z)")
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n", "null", "~", "<<", "="})
_NUMBER = re.compile(
    r"""[-+]?(?: (?: \d[\d_]*(?:\.[\d_]*)? | \.[\d_]+ ) (?:e[-+]?[\d_]*)?
               | 0[xob][\da-f_]*
               | \d[\d_]*(?::[\d_]+)+(?:\.[\d_]*)?
               | \.(?:inf|nan) )
      | \d{4}-\d\d?-\d\d?(?:[t\x20].*)?""",
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
_ESCAPES = {"\0": "\\0", "\a": "\\a", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\v": "\\v", "\f": "\\f", "\r": "\\r"}
_ESCAPES |= {"\x1b": "\\e", '"': '\\"', "\\": "\\\\"}


@cache
def _strange(*, also: str = "", but: str = "") -> re.Pattern[str]:
    """Give the pattern of what is not kept; such a large set takes long to compile, and few texts need it."""
    return re.compile(f"[{also}]|[^{but}{_KEPT}]" if also else f"[^{but}{_KEPT}]")


def _is_strange_in_block(text: str) -> bool:
    pattern = _STRANGE_IN_ASCII if text.isascii() else _strange(but="\t\n")
    return pattern.search(text) is not None


class Quoted(str):
    """A text that is written in quotes even where it needs none."""

    __slots__ = ()


@frozen
class Flow:
    """A list or map that is written on one line, with brackets."""

    value: Sequence[object] | dict[str, object]


@frozen
class Commented:
    """An entry of a list or map with a comment on the lines above it."""

    value: object
    comment: str


def write_yaml(tree: object, *, comments: Sequence[str] = ()) -> str:
    """Write a tree of maps (with texts as keys), lists, texts, numbers, booleans and None.

    `comments` stand as lines at the top.

    Raises:
        TypeError: the tree has a value of another type.
    """
    out: list[str] = []
    for comment in comments:
        _write_comment(out, comment, "", "")
    _write_entry(out, "", tree, "", "")
    return "".join(out)


def _write_entry(out: list[str], lead: str, value: object, first: str, indent: str) -> None:
    """Write a value behind `lead`, which is a key with its colon or nothing.

    `first` is what stands before the lead; `indent` is the column of what the value belongs to.
    """
    if isinstance(value, Commented):
        _write_comment(out, value.comment, first, indent)
        _write_entry(out, lead, value.value, indent, indent)
    elif not value or not isinstance(value, (dict, list, tuple)):
        gap = " " if lead else ""
        out.append(f"{first}{lead}{gap}{_inline(value, indent)}\n")
    else:
        if lead:
            out.append(f"{first}{lead}\n")
            first = indent = indent + _STEP
        if isinstance(value, dict):
            _write_map(out, value, first, indent)
        else:
            _write_list(out, value, first, indent)


def _write_map(out: list[str], tree: dict[str, object], first: str, indent: str) -> None:
    deeper = indent + _STEP
    for key, value in tree.items():
        lead = _key(key) if type(key) is str else _inline(key, indent) + ":"
        if len(lead) > _LONGEST_KEY:
            lead = f"? {lead[:-1]}\n{indent}:"
        if type(value) is str and "\n" not in value:
            out.append(f"{first}{lead} {_text(value)}\n")
        elif type(value) is dict and value:
            out.append(f"{first}{lead}\n")
            _write_map(out, value, deeper, deeper)
        else:
            _write_entry(out, lead, value, first, indent)
        first = indent


def _write_list(out: list[str], items: Sequence[object], first: str, indent: str) -> None:
    deeper = indent + _STEP
    for item in items:
        if type(item) is str:
            out.append(f"{first}- {_inline(item, indent)}\n")
        elif type(item) is dict and item:
            _write_map(out, item, f"{first}- ", deeper)
        elif isinstance(item, Commented):
            _write_comment(out, item.comment, first, indent)
            _write_list(out, [item.value], indent, indent)
        else:
            _write_entry(out, "", item, f"{first}- ", deeper)
        first = indent


def _write_comment(out: list[str], comment: str, first: str, indent: str) -> None:
    for line in comment.splitlines() or [""]:
        text = _strange(but="\t\n").sub(_escape, line) if _is_strange_in_block(line) else line
        out.append(f"{first}# {text}".rstrip() + "\n")
        first = indent


def _inline(value: object, indent: str) -> str:
    """Give a scalar, a flow collection or an empty one; a text of several lines comes with its further lines."""
    if isinstance(value, Quoted):
        return _quoted(value)
    if isinstance(value, str):
        return _lines(value, indent) if "\n" in value and type(value) is str else _text(str.__str__(value))
    if isinstance(value, Flow):
        return _flow(value.value)
    if isinstance(value, (dict, list, tuple)):
        return "{}" if isinstance(value, dict) else "[]"
    return _number(value)


def _number(value: object) -> str:
    """Give what is no text: null, a boolean, a number; also the dates and bytes that YAML 1.1 has."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        try:
            return int.__repr__(value)
        except ValueError:  # thousands of digits, which Python does not print in decimal
            return hex(value)
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return f"!!binary {_quoted(b2a_base64(value, newline=False).decode('ascii'))}"
    raise TypeError(f"cannot write a value of type {type(value).__name__} as YAML")


def _float(value: float) -> str:
    text = float.__repr__(value)
    if text[-1] in "fn":  # inf, nan
        return text.replace("inf", ".inf").replace("nan", ".nan")
    # YAML 1.1 knows 1.0e-05 and takes 1e-05 for a text
    return text.replace("e", ".0e") if "e" in text and "." not in text else text


@lru_cache(_REMEMBERED)
def _key(text: str) -> str:
    return (text if _is_plain(text) else _quoted(text)) + ":"


@lru_cache(_REMEMBERED)
def _text(text: str) -> str:
    return text if _is_plain(text) else _quoted(text)


def _is_plain(text: str) -> bool:
    """Whether both YAML 1.1 and 1.2 read an unquoted text on one line, outside of brackets, as itself."""
    if not text or text[0] in _INDICATORS or text[-1] in " :" or not _is_printable(text):
        return False
    if ": " in text or " #" in text or (len(text) <= 5 and text.lower() in _WORDS):
        return False
    return text[0] not in "+-.0123456789" or (_DASHES.match(text) is None and _NUMBER.fullmatch(text) is None)


def _is_printable(text: str) -> bool:
    return text.isprintable() if text.isascii() else _strange().search(text) is None


def _quoted(text: str) -> str:
    if _is_printable(text):
        return "'" + text.replace("'", "''") + "'"
    return '"' + _strange(also='"\\\\').sub(_escape, text) + '"'


def _escape(found: re.Match[str]) -> str:
    character = found.group()
    if character in _ESCAPES:
        return _ESCAPES[character]
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _lines(text: str, indent: str) -> str:
    """Write a text of several lines as a literal block if that can hold it exactly, otherwise in quotes."""
    if _is_strange_in_block(text) or not text.strip(" \t\n"):
        return _quoted(text)
    body = text.lstrip("\n")
    # the first line's own blanks would be taken for indentation
    header = "|2" if body[0] in " \t" else "|"
    if not text.endswith("\n"):
        header += "-"
    elif text.endswith("\n\n"):
        header += "+"
    indent += _STEP
    lines = [indent + line if line else "" for line in text.removesuffix("\n").split("\n")]
    return header + "\n" + "\n".join(lines)


def _flow(value: object) -> str:
    if isinstance(value, (Flow, Commented)):
        return _flow(value.value)
    if isinstance(value, str):
        return _flow_text(value)
    if isinstance(value, dict):
        pairs = (f"{_flow_key(key)}: {_flow(item)}" for key, item in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return _number(value)


def _flow_text(text: str) -> str:
    if isinstance(text, Quoted) or _FLOW_INDICATORS.search(text) is not None:
        return _quoted(text)
    return _text(str.__str__(text))


def _flow_key(key: str) -> str:
    text = _flow_text(key)
    return text if len(text) <= _LONGEST_KEY else f"? {text} "
