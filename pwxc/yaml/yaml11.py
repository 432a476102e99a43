"""PyYAML's own constructors for YAML 1.1 scalars, called on texts."""

from __future__ import annotations

from typing import Any

from yaml import YAMLError
from yaml.constructor import SafeConstructor
from yaml.nodes import ScalarNode

_constructor = SafeConstructor()


def construct(kind: str, text: str) -> Any:
    """Make the value of a YAML 1.1 scalar of a kind (`int`, `bool`, `timestamp` …) as PyYAML does.

    Raises:
        ValueError: the text is not of that kind.
    """
    if kind in ("merge", "value", "str"):
        return text
    tag = "tag:yaml.org,2002:" + kind
    try:
        return _constructor.yaml_constructors[tag](_constructor, ScalarNode(tag, text))
    except (YAMLError, LookupError, AttributeError, OverflowError) as fault:
        raise ValueError(f"{text!r} is not a {kind}") from fault
