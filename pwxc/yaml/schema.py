"""What a plain scalar is: YAML 1.2 as we want it, and YAML 1.1 as PyYAML has it.

`core` knows null, `true`/`false`, decimal, octal (`0o`), hexadecimal numbers and floats. A number with a leading
zero (`0123`), a time (`12:00:00`), `on`, `yes` stay text. `yaml11` is the schema of PyYAML's safe loader, which
OSMO uses (osmo.md §3): `on` is true, `010` is 8, `12:30` is 750, `2024-01-02` is a date.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from yaml import SafeLoader
from yaml.nodes import ScalarNode

from pwxc.yaml.yaml11 import construct

Scalar = object
"""None, bool, int, float, str, and under `yaml11` also date, datetime and bytes."""
Schema = Callable[[ScalarNode], Scalar]

_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)$")
_BASED = re.compile(r"0o[0-7]+$|0x[0-9a-fA-F]+$")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$")
_SPECIAL: dict[str, Scalar] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_SPECIAL |= {sign + word: float(sign + word[1:]) for sign in ("", "+", "-") for word in (".inf", ".Inf", ".INF")}
_SPECIAL |= dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan"))
_TAG = "tag:yaml.org,2002:"


@lru_cache(maxsize=8192)
def _plain_core(text: str) -> Scalar:
    if text in _SPECIAL:
        return _SPECIAL[text]
    if text[0] not in "+-.0123456789":
        return text
    if _INTEGER.match(text):
        try:
            return int(text)
        except ValueError:  # thousands of digits, which Python does not convert
            return text
    if _BASED.match(text):
        return int(text, 0)
    if _FLOAT.match(text):
        return float(text)
    return text


@lru_cache(maxsize=8192)
def _plain_yaml11(text: str) -> Scalar:
    resolvers = SafeLoader.yaml_implicit_resolvers
    for tag, pattern in resolvers.get(text[:1], []) + resolvers.get(None, []):
        if pattern.match(text):
            try:
                return construct(tag.removeprefix(_TAG), text)
            except ValueError:  # such as 2024-13-01, at which PyYAML itself fails
                return text
    return text


def core(node: ScalarNode) -> Scalar:
    """Give the value of a scalar under YAML 1.2."""
    return _tagged(node, _plain_core)


def yaml11(node: ScalarNode) -> Scalar:
    """Give the value of a scalar as PyYAML's safe loader gives it."""
    return _tagged(node, _plain_yaml11)


def _tagged(node: ScalarNode, plain: Callable[[str], Scalar]) -> Scalar:
    if node.tag:
        return _explicit(node, plain)
    if not node.style:
        return plain(node.value)
    return node.value


def _explicit(node: ScalarNode, plain: Callable[[str], Scalar]) -> Scalar:
    kind = node.tag.removeprefix(_TAG)
    if kind in ("str", "!"):
        return node.value
    if kind in ("int", "float", "bool", "null", "timestamp", "binary"):
        try:
            return construct(kind, node.value)
        except ValueError:
            return node.value
    return plain(node.value) if not node.style else node.value
