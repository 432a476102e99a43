"""The grammar of Parallel Works expressions, without our own words on top."""

from __future__ import annotations

import logging
from pathlib import Path

import lark
import pytest
from lark.exceptions import UnexpectedInput

import pwxc_grammars
from pwxc_grammars import load

FOLDER = Path(pwxc_grammars.__file__).parent


def shape(tree: lark.Tree[lark.Token] | lark.Token) -> str:
    """Write a tree with all of its brackets; tokens as they are."""
    if isinstance(tree, lark.Token):
        return str(tree)
    inner = " ".join(shape(child) for child in tree.children)
    return inner if tree.data in ("name", "number", "string") else f"{tree.data}({inner})"


def parse(text: str) -> str:
    return shape(load("pw_expr", "expression").parse(text))


def conflicts(grammar: str, start: str, caplog: pytest.LogCaptureFixture) -> list[str]:
    """What lark says of a grammar when it decides something by itself."""
    caplog.clear()
    with caplog.at_level(logging.DEBUG, logger=lark.logger.name):
        lark.Lark(grammar, parser="lalr", start=start, debug=True, import_paths=[str(FOLDER)])
    return [record.getMessage() for record in caplog.records if "onflict" in record.getMessage()]


def test_there_are_no_conflicts(caplog: pytest.LogCaptureFixture) -> None:
    grammar = FOLDER.joinpath("pw_expr.lark").read_text().replace("%import .common", "%import common")
    assert conflicts(grammar, "expression", caplog) == []
    assert conflicts("start: e\ne: e e | A\nA: /a/", "start", caplog) != []


def test_a_parser_is_built_once() -> None:
    assert load("pw_expr", "expression") is load("pw_expr", "expression")


def test_a_grammar_that_is_not_there() -> None:
    with pytest.raises(FileNotFoundError):
        load("no_such_grammar", "start")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # each operator binds tighter than the one before it
        ("a ? b : c ?? d", "conditional(a b : binary(c ?? d))"),
        ("a ?? b || c", "binary(a ?? binary(b || c))"),
        ("a || b && c", "binary(a || binary(b && c))"),
        ("a && b == c", "binary(a && binary(b == c))"),
        ("a == b < c", "binary(a == binary(b < c))"),
        ("a < b get c", "binary(a < access(b c))"),
        ("a get b range c", "access(a range(b c))"),
        ("a range b + c", "range(a binary(b + c))"),
        ("a + b * c", "binary(a + binary(b * c))"),
        ("a * b ** c", "binary(a * binary(b ** c))"),
        ("-a ** b", "binary(unary(- a) ** b)"),
        ("!a == b", "binary(unary(! a) == b)"),
        ("!!a", "unary(! unary(! a))"),
        # grouping of equals
        ("a - b - c", "binary(binary(a - b) - c)"),
        ("a ** b ** c", "binary(a ** binary(b ** c))"),
        ("a get b get c", "access(access(a b) c)"),
        ("a ? b : c ? d : e", "conditional(a b : conditional(c d : e))"),
        ("a ? b ? c : d : e", "conditional(a conditional(b c : d) : e)"),
        ("a == b != c", "binary(binary(a == b) != c)"),
        # words that are operators only where an operator can stand
        ("get get in", "access(get in)"),
        ("in in in", "binary(in in in)"),
        ("range range range", "range(range range)"),
        ("!in !in includes", "binary(unary(! in) !in includes)"),
        ("a.get.in get get", "access(a.get.in get)"),
        ("getter", "getter"),
        ("a get-b", None),
        # names, numbers, texts
        ("inputs.a-1", "inputs.a-1"),
        ("inputs.a - 1", "binary(inputs.a - 1)"),
        ("inputs.a -1", "binary(inputs.a - 1)"),
        ("5-1", "binary(5 - 1)"),
        ("2xlarge", "2xlarge"),
        ("1.5e-3", "1.5e-3"),
        ("1.5.2", None),
        ("inputs.0.x", "inputs.0.x"),
        ("inputs.l.[index].x.always", "inputs.l.[index].x.always"),
        ("inputs.l[index]", None),
        ("inputs. x", None),
        (".hidden && a", "binary(.hidden && a)"),
        ("'it\"s' + \"it's\"", "binary('it\"s' + \"it's\")"),
        ("'two\nlines'", "'two\nlines'"),
        ("'a' 'b'", None),
        # slices
        ("a get 1:2", "access(a bounds(1 : 2))"),
        ("a get :2", "access(a bounds(: 2))"),
        ("a get 1:", "access(a bounds(1 :))"),
        ("a get 1: get 2", "access(access(a bounds(1 :)) 2)"),
        ("a get 1: && b", "binary(access(a bounds(1 :)) && b)"),
        ("a get 1: - b", "access(a bounds(1 : unary(- b)))"),
        ("a get :", "access(a bounds(:))"),
        ("a get 0 : b", "access(a bounds(0 : b))"),
        ("a get 0:1 get 2", "access(access(a bounds(0 : 1)) 2)"),
        ("a ? b get 1 : c", "conditional(a access(b 1) : c)"),
        ("a ? (b get 1:2) : c", "conditional(a parentheses(( access(b bounds(1 : 2)) )) : c)"),
        ("a ? b get 1:2 : c", None),
        ("1:2", None),
        # calls and lists
        ("range(3)", "call(range 3 ))"),
        ("fromJSON(a) get b", "access(call(fromJSON a )) b)"),
        ("always ()", "call(always ))"),
        ("f(a, b ? c : d)", "call(f a conditional(b c : d) ))"),
        ("f(a,)", None),
        ("[]", "listing([ ])"),
        ("[1,[a]]", "listing([ 1 listing([ a ]) ])"),
        ("[1,]", None),
        # blanks
        ("a!=inputs.x", "binary(a != inputs.x)"),
        ("a===b", "binary(a === b)"),
        ("  a\n||\tb ", "binary(a || b)"),
        ("a = b", None),
        ("", None),
    ],
)
def test_shapes(text: str, expected: str | None) -> None:
    if expected is None:
        with pytest.raises(UnexpectedInput):
            parse(text)
    else:
        assert parse(text) == expected
