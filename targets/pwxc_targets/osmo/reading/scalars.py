"""What OSMO's models take for each kind of scalar (osmo.md §6, §8, §9, §15, §19), as hooks for the converter."""

from __future__ import annotations

import math
import operator
import re
from functools import partial
from typing import Any

import cattrs
from yaml.nodes import MappingNode, ScalarNode

from pwxc.yaml.nodes import Node
from pwxc.yaml.structure import kind_of, make_converter, pairs, reading
from pwxc_targets.osmo import model
from pwxc_targets.osmo.reading import codes as C  # noqa: N812

NAME = re.compile(r"[a-zA-Z]([a-zA-Z0-9_-]*[a-zA-Z0-9])?\Z")
QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]+)?)(.*)\Z", re.DOTALL)
UNITS = {"T": 40, "G": 30, "M": 20, "K": 10}
"""Power of two of each unit; `Ti`, `TiB` are the same as `T`. `B` is 0 and `m` is -10 (§9)."""
POWERS = {unit + tail: power for unit, power in UNITS.items() for tail in ("", "i", "iB")} | {"B": 0, "m": -10}
SECONDS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6}

_SIMPLE = re.compile(r"\s*([+-]?\s*\d+(?:_\d+)*)\s*([a-z]+)\Z")
_ISO = re.compile(
    r"P(?:(?P<d>\d+)D)?(?:T(?:(?P<h>\d+)H)?(?:(?P<m>\d+)M)?(?:(?P<s>\d+(?:\.\d+)?)S)?)?\Z",
)
_LONGEST = 999_999_999 * 86400.0
"""Seconds of Python's longest time."""
MOST_DIGITS = 4300
"""More than these Python does not read as a number."""
_TRUE = frozenset({"true", "yes", "on", "t", "y", "1"})
_FALSE = frozenset({"false", "no", "off", "f", "n", "0"})
_INTEGER = re.compile(r"\s*[+-]?\d+(?:_\d+)*(?:\.0*)?\s*\Z")


def parse_duration(text: str) -> float | None:
    """Give the seconds of a duration text, or None when OSMO would not recognise it (§8)."""
    if (simple := _SIMPLE.match(text)) is not None and simple[2] in SECONDS:
        found = {simple[2]: "".join(simple[1].split())}
    else:
        iso = _ISO.match(text)
        found = {unit: value for unit, value in iso.groupdict().items() if value} if iso is not None else {}
    seconds = sum(float(value) * SECONDS[unit] for unit, value in found.items())
    return seconds if found and abs(seconds) <= _LONGEST else None


def parse_quantity(text: str) -> float | None:
    """Give the bytes of a quantity as OSMO counts them, or None when its unit or number is not one (§9)."""
    matched = QUANTITY.match(text)
    if matched is None:
        return None
    power = POWERS.get(matched[2]) if matched[2] else 0
    size = math.inf if power is None else float(matched[1]) * 2.0**power
    return size if math.isfinite(size) else None


def _value(node: Node) -> Any:
    return reading().schema(node) if isinstance(node, ScalarNode) else node


def _strict_text(node: Any, _: Any) -> Any:
    value = _value(node)
    if isinstance(value, str):
        return value
    help_text = "put it in quotes" if isinstance(node, ScalarNode) and node.value else ""
    return reading().fault(node, f"text is due here, not {kind_of(node)}", help=help_text)


def _text(node: Any, _: Any) -> Any:
    value = _value(node)
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    help_text = "put it in quotes" if isinstance(node, ScalarNode) and node.value else ""
    return reading().fault(node, f"text is due here, not {kind_of(node)}", help=help_text)


def _loose_text(node: Any, kind: Any) -> Any:
    value = _value(node)
    return str(value) if isinstance(value, bool) else _text(node, kind)


def _integer(node: Any, _: Any) -> Any:
    value = _value(node)
    if isinstance(value, bool | int):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and _INTEGER.match(value) and len(value) <= MOST_DIGITS:
        return int(value.partition(".")[0])
    return reading().fault(node, f"a whole number is due here, not `{_shown(node)}`")


def _flag(node: Any, _: Any) -> Any:
    value = _value(node)
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float) and value in (0, 1):
        return bool(value)
    if isinstance(value, str) and value.lower() in _TRUE | _FALSE:
        return value.lower() in _TRUE
    return reading().fault(node, f"`true` or `false` is due here, not `{_shown(node)}`")


def _name(node: Any, _: Any) -> Any:
    value = _value(node)
    if not isinstance(value, str):
        return reading().fault(node, f"a name has to be text, not {kind_of(node)}", help="put it in quotes")
    if not NAME.match(value):
        return reading().fault(
            node,
            f"`{_short(value)}` is not a name that OSMO takes",
            C.BAD_NAME,
            help="begin with a letter, end with a letter or digit; letters, digits, `_` and `-` between",
        )
    return value


def _duration(node: Any, _: Any) -> Any:
    value = _value(node)
    if isinstance(value, bool | int | float):
        seconds = float(value) if abs(value) <= _LONGEST else None
    else:
        seconds = parse_duration(value) if isinstance(value, str) else None
    if seconds is None:
        return reading().fault(
            node,
            f"cannot read `{_shown(node)}` as a duration",
            C.BAD_DURATION,
            help="one number and one unit (`90m`, `2h`, `7d`), or ISO 8601 (`PT1H30M`)",
        )
    return seconds


def _frequency(node: Any, kind: Any) -> Any:
    if isinstance(_value(node), bool):
        return reading().fault(node, "a duration is due here, not a boolean", C.BAD_DURATION)
    return _duration(node, kind)


def _quantity(node: Any, _: Any) -> Any:
    value = _value(node)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return reading().fault(node, f"an amount such as `16Gi` is due here, not {kind_of(node)}")
    text = str(value)
    if parse_quantity(text) is None:
        matched = QUANTITY.match(text)
        what = f"the unit `{_short(matched[2].strip())}`" if matched else "an amount without a number"
        if matched and (not matched[2] or matched[2] in POWERS):
            return reading().fault(node, f"`{_short(text)}` is no amount that a machine has", C.BAD_QUANTITY)
        return reading().fault(
            node,
            f"`{_short(text)}` has {what}, which OSMO does not know" if matched else f"`{_short(text)}` is {what}",
            C.BAD_QUANTITY,
            help="write a number directly followed by `Ki`, `Mi`, `Gi` or `Ti`",
        )
    return text


def _regex(node: Any, kind: Any) -> Any:
    text = _strict_text(node, kind)
    if isinstance(text, str):
        try:
            re.compile(text)
        except (re.error, RecursionError, OverflowError) as fault:
            return reading().fault(node, f"`{_short(text)}` is not a regular expression: {fault}", C.BAD_REGEX)
    return text


def _credential(node: Any, kind: Any) -> Any:
    if isinstance(node, MappingNode):
        return {key_node.value: _loose_text(child, kind) for key_node, child in pairs(node)}
    if not isinstance(node, ScalarNode):
        message = f"a folder or a map of environment names is due here, not {kind_of(node)}"
        return reading().fault(node, message, C.BAD_CREDENTIAL)
    return _loose_text(node, kind)


def _shown(node: Any) -> str:
    return _short(node.value) if isinstance(node, ScalarNode) else kind_of(node)


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:79]}…"


def osmo_converter() -> cattrs.Converter:
    """Make the converter for OSMO's models."""
    converter = make_converter()
    hooks = (
        (model.StrictText, _strict_text),
        (model.Text, _text),
        (model.LooseText, _loose_text),
        (model.Integer, _integer),
        (model.Flag, _flag),
        (model.Name, _name),
        (model.Duration, _duration),
        (model.Frequency, _frequency),
        (model.Quantity, _quantity),
        (model.Regex, _regex),
        (model.CredentialUse, _credential),
    )
    for kind, hook in hooks:
        converter.register_structure_hook_func(partial(operator.is_, kind), hook)
    return converter
