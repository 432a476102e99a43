"""Our evaluation of the template subset against Jinja with OSMO's settings: the same text, or both refuse."""

from __future__ import annotations

from random import Random
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from jinja2 import StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

from pwxc_targets.osmo.symbolic.evaluate import FailsError
from pwxc_targets.osmo.symbolic.parsing import parse
from pwxc_targets.osmo.symbolic.sketch import Decisions, sketch
from pwxc_targets.osmo.symbolic.tree import NotInSubsetError

SERVICE = SandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True)
NAMES = ("n", "s", "flag", "xs", "cfg", "i", "j", "k", "nowhere")
VALUES: dict[str, Any] = {
    "n": 3,
    "s": "a b",
    "flag": True,
    "xs": ["x", 2, 0.5],
    "cfg": {"lr": 0.1, "deep": {"name": "d"}, "on": False},
}


def ours(text: str, values: dict[str, Any]) -> str | None:
    """Give our text, or None when we say that rendering fails."""
    try:
        return sketch(parse(text), values, Decisions()).text
    except FailsError:
        return None


def jinjas(text: str, values: dict[str, Any]) -> str | None:
    try:
        return SERVICE.from_string(text).render(values)
    except Exception:
        return None


def check(text: str, values: dict[str, Any]) -> None:
    try:
        mine = ours(text, values)
    except NotInSubsetError:
        assume(False)
    assert mine == jinjas(text, values)


# what is generated: a seed makes a template, which is much faster than drawing each word of it

ATOMS = (
    *NAMES, "loop.index", "loop.index0", "loop.first", "loop.last", "loop.length", "loop.revindex0",
    "cfg.lr", "cfg['deep'].name", "cfg.deep", "cfg.none", "xs[0]", "xs[-1]", "xs[7]", "s[1]", "-3", "0", "1", "2", "12",
    "0.5", "1.0", "'t'", '"it\'s"', "''", "'a\\nb'", "true", "none", "[1, 2]", "('q',)", "[]",
)  # fmt: skip
FILTERS = (
    "default('d')", "d", "default('z', true)", "string", "int", "float", "lower", "upper", "trim", "length", "first",
    "last", "join('-')", "replace('a', 'bb')", "abs", "round(1)", "indent(2)", "title", "capitalize", "tojson", "sort",
)  # fmt: skip
TESTS = (
    "defined",
    "undefined",
    "none",
    "odd",
    "even",
    "string",
    "number",
    "mapping",
    "divisibleby(2)",
    "divisibleby 3",
)
OPERATORS = ("+", "-", "*", "/", "//", "%", "**", "~", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "and", "or")
TEXTS = ("a", " ", "\n", "\n  ", "x: ", "{", "}", "{ {", "#", "%}", "- b\n", "\t", "é")
LOOPS = (
    "range(n)",
    "range(1, 4)",
    "range(5, 0, -2)",
    "xs",
    "cfg",
    "[(1, 2), (3, 4)]",
    "1, 'b'",
    "range(i)",
    "range(0)",
)
SHAPES = (
    "{a} {op} {b}", "{a} {op} {b}", "({a})", "not {a}", "-{a}", "{a} if {b} else {c}", "{a} if {b}", "{a}|{filter}",
    "{a}|{filter}", "{a} is {no}{test}", "range({a})|list", "[{a}, {b}][{c}]", "'%0{d}d'|format({a})",
    "'{{:0{d}d}}-'.format({a})",
)  # fmt: skip


class Generator:
    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def pick(self, choices: tuple[str, ...]) -> str:
        return self.random.choice(choices)

    def expression(self, depth: int = 2) -> str:
        if depth == 0 or self.random.random() < 0.4:
            return self.pick(ATOMS)
        a, b, c = (self.expression(depth - 1) for _ in range(3))
        words = {"op": self.pick(OPERATORS), "filter": self.pick(FILTERS), "test": self.pick(TESTS)}
        return self.pick(SHAPES).format(a=a, b=b, c=c, no=self.pick(("", "not ")), d=self.random.randint(1, 4), **words)

    def tag(self, head: str) -> str:
        signs = ("", "", "", "-", "+")
        return f"{{%{self.pick(signs)} {head} {self.pick(signs)}%}}"

    def template(self, depth: int = 3) -> str:
        return "".join(self.piece(depth) for _ in range(self.random.randint(0, 3)))

    def piece(self, depth: int) -> str:
        kind = self.random.randrange(8 if depth else 4)
        if kind < 2:
            return self.pick(TEXTS)
        if kind == 2:
            return f"{{{{{self.pick(('', '-', '+'))} {self.expression()} {self.pick(('', '-'))}}}}}"
        if kind == 3:
            return f"{{#{self.pick(('', '-', '+'))} c {self.pick(('', '-', '+'))}#}}"
        return (self.condition, self.loop, self.assignment, self.raw)[kind - 4](depth - 1)

    def condition(self, depth: int) -> str:
        parts = [self.tag(f"if {self.expression()}"), self.template(depth)]
        if self.random.random() < 0.3:
            parts += [self.tag(f"elif {self.expression()}"), self.template(depth)]
        if self.random.random() < 0.5:
            parts += [self.tag("else"), self.template(depth)]
        return "".join((*parts, self.tag("endif")))

    def loop(self, depth: int) -> str:
        values = self.pick(LOOPS) if self.random.random() < 0.8 else self.expression()
        when = f" if {self.expression()}" if self.random.random() < 0.2 else ""
        parts = [self.tag(f"for {self.pick(('i', 'j', 'n', 'i, j'))} in {values}{when}"), self.template(depth)]
        if self.random.random() < 0.3:
            parts += [self.tag("else"), self.template(depth)]
        return "".join((*parts, self.tag("endfor")))

    def assignment(self, depth: int) -> str:
        return self.tag(f"set {self.pick(('i', 'k', 'k', 'n'))} = {self.expression()}") + self.template(depth)

    def raw(self, depth: int) -> str:
        inside = self.pick(("{{ x }}", " {% if %}", "{#", "plain "))
        return self.tag("raw").replace("+%}", "%}") + inside + self.tag("endraw") + self.template(depth)


seeds = st.integers(0, 2**40)
values = st.fixed_dictionaries(
    {
        "n": st.one_of(st.integers(-1, 4), st.sampled_from(("3", ""))),
        "s": st.sampled_from(("", "a b", " A\n", "3", "false")),
        "flag": st.booleans(),
        "xs": st.sampled_from(([], ["x", 2, 0.5], [[1, 2]], ["only"])),
        "cfg": st.just(VALUES["cfg"]),
    }
)


@settings(max_examples=600)
@given(seeds, values)
def test_templates_render_as_jinja_renders_them(seed: int, values: dict[str, Any]) -> None:
    check(Generator(seed).template(), values)


@settings(max_examples=600)
@given(seeds, values)
def test_expressions_print_what_jinja_prints(seed: int, values: dict[str, Any]) -> None:
    check("{% for i in range(2) %}{{ " + Generator(seed).expression(3) + " }};{% endfor %}", values)
