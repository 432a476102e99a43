"""What a scalar is, under YAML 1.2 and under PyYAML's YAML 1.1."""

from __future__ import annotations

import datetime as dt
import math

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from yaml_trees import composed

from pwxc.yaml.nodes import ScalarNode
from pwxc.yaml.schema import Schema, core, yaml11


def value_of(text: str, schema: Schema) -> object:
    document = composed(f"k: {text}\n")
    node = document.find(document.root, "k")
    assert isinstance(node, ScalarNode)
    return schema(node)


# the scalar, its value under 1.2, its value under 1.1
TABLE = [
    ("", None, None),
    ("~", None, None),
    ("null", None, None),
    ("NULL", None, None),
    ("nUll", "nUll", "nUll"),
    ("true", True, True),
    ("False", False, False),
    ("tRue", "tRue", "tRue"),
    ("yes", "yes", True),
    ("No", "No", False),
    ("on", "on", True),
    ("OFF", "OFF", False),
    ("y", "y", "y"),
    ("0", 0, 0),
    ("-12", -12, -12),
    ("+12", 12, 12),
    ("010", "010", 8),
    ("0123", "0123", 83),
    ("08", "08", "08"),
    ("0o17", 15, "0o17"),
    ("0x1F", 31, 31),
    ("-0x1F", "-0x1F", -31),
    ("0b11", "0b11", 3),
    ("1_000", "1_000", 1000),
    ("1.5", 1.5, 1.5),
    ("1.", 1.0, 1.0),
    (".5", 0.5, 0.5),
    ("-.5", -0.5, "-.5"),
    ("1e3", 1000.0, "1e3"),
    ("1.0e+3", 1000.0, 1000.0),
    ("1.0E3", 1000.0, "1.0E3"),
    (".inf", math.inf, math.inf),
    ("-.INF", -math.inf, -math.inf),
    ("+.inf", math.inf, math.inf),
    ("inf", "inf", "inf"),
    ("nan", "nan", "nan"),
    (".", ".", "."),
    ("+", "+", "+"),
    ("1.2.3", "1.2.3", "1.2.3"),
    ("12:30", "12:30", 750),
    ("12:00:00", "12:00:00", 43200),
    ("01:30:00", "01:30:00", "01:30:00"),
    ("1:1.5", "1:1.5", 61.5),
    ("2024-01-02", "2024-01-02", dt.date(2024, 1, 2)),
    ("2024-01-02 03:04:05", "2024-01-02 03:04:05", dt.datetime(2024, 1, 2, 3, 4, 5)),
    ("2024-13-45", "2024-13-45", "2024-13-45"),
    ("2024-02-30 25:00:00", "2024-02-30 25:00:00", "2024-02-30 25:00:00"),
    ("0b_", "0b_", "0b_"),
    ("0x_", "0x_", "0x_"),
    ("=", "=", "="),
    ("<<", "<<", "<<"),
    ("a b", "a b", "a b"),
    ("'12'", "12", "12"),
    ('"true"', "true", "true"),
    ("|-\n  12", "12", "12"),
    ("''", "", ""),
    ("!!str 12", "12", "12"),
    ("!!str", "", ""),
    ("!!int '12'", 12, 12),
    ("!!float 1", 1.0, 1.0),
    ("!!bool 'yes'", True, True),
    ("!!null ''", None, None),
    ("!!binary aGk=", b"hi", b"hi"),
    ("!!int abc", "abc", "abc"),
    ("!!int ''", "", ""),
    ("!!float ''", "", ""),
    ("!!bool maybe", "maybe", "maybe"),
    ("!!timestamp never", "never", "never"),
    ("!!binary 'é'", "é", "é"),
    ("!local 12", 12, 12),
    ("!local '12'", "12", "12"),
    ("9" * 5000, "9" * 5000, "9" * 5000),
    ("1" + ":1" * 200 + ".5", "1" + ":1" * 200 + ".5", "1" + ":1" * 200 + ".5"),
    ("&a 12", 12, 12),
]


@pytest.mark.parametrize(("text", "new", "old"), TABLE, ids=lambda value: str(value)[:20])
def test_the_value_of_a_scalar(text: str, new: object, old: object) -> None:
    for schema, expected in ((core, new), (yaml11, old)):
        value = value_of(text, schema)
        assert type(value) is type(expected)
        assert value == expected


@pytest.mark.parametrize("text", [".nan", ".NaN", ".NAN"])
def test_not_a_number(text: str) -> None:
    for schema in (core, yaml11):
        value = value_of(text, schema)
        assert isinstance(value, float)
        assert math.isnan(value)


PLAIN = st.one_of(
    st.from_regex(r"[-+]?[0-9][0-9_.:eExXobB+-]{0,9}", fullmatch=True),
    st.from_regex(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ][0-9:.]{1,9}( ?[-+][0-9]{2})?)?", fullmatch=True),
    st.from_regex(r"[-+]?[.=~<yYnNtTfFoOlLaAiIsSuUrRxX]{1,5}", fullmatch=True),
)


@given(PLAIN.filter(lambda text: not text.endswith(":")))
@settings(max_examples=600, deadline=None)
def test_yaml11_is_what_pyyaml_does(text: str) -> None:
    try:
        expected = yaml.safe_load(f"k: {text}\n")["k"]
    except (yaml.YAMLError, ValueError, OverflowError):
        return  # PyYAML fails on it itself
    value = value_of(text, yaml11)
    assert type(value) is type(expected)
    assert value == expected or value != value
