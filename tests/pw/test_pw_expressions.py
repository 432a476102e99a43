"""Parallel Works' expression language: what is read, what it means, how it is written again."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pwxc.diagnostics import Catalogue, Diagnostics, codes_of
from pwxc.expr.evaluate import Bindings, evaluate
from pwxc.expr.values import Value
from pwxc.ir.expr import Binary, Call, Conditional, Expr, Index, Literal, Ref, Root, Slice, Unary, Undefined
from pwxc.ir.template import Template
from pwxc.source import Source
from pwxc_targets.pw.expressions import (
    UnspellableError,
    misread_at,
    parse_expression,
    parse_template,
    print_expression,
    print_template,
    protect,
    unspellable,
)
from pwxc_targets.pw.expressions import codes as C  # noqa: N812
from tests.expr.expr_trees import environments, leaves, trees
from tests.expr.test_expr_fold import outcome

CORPUS = Path(os.environ.get("PWXC_CORPUS", Path(__file__).parents[3] / "shared" / "corpus")) / "pw"


def read(text: str) -> Expr:
    diagnostics = Diagnostics()
    expr = parse_expression(text, Source("x", text).span, diagnostics)
    assert [item.message for item in diagnostics] == []
    assert expr is not None
    return expr


def said(text: str) -> list[tuple[str, str, str, str]]:
    """Code, message, underlined text and help of all that is said about a text with holes."""
    diagnostics = Diagnostics()
    parse_template(text, Source("x", text).span, diagnostics)
    return [(item.code.name[3:], item.message, item.span.text if item.span else "", item.help) for item in diagnostics]


# what is referred to


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("inputs.a.b-c", Ref(Root.INPUT, ("a", "b-c"))),
        ("inputs.cluster.ip", Ref(Root.INPUT, ("cluster", "ip"))),
        ("inputs", Ref(Root.INPUT)),
        ("needs.J.outputs.K", Ref(Root.TASK_OUTPUT, ("J", "K"))),
        ("needs.J.steps.S.outputs.K", Ref(Root.TASK_OUTPUT, ("J", "S", "K"))),
        ("needs.outputs.outputs.outputs", Ref(Root.TASK_OUTPUT, ("outputs", "outputs"))),
        ("needs.J.outputs.K.x", Index(Ref(Root.TASK_OUTPUT, ("J", "K")), Literal("x"))),
        ("matrix.v.k", Ref(Root.SWEEP, ("v", "k"))),
        ("sessions.s", Ref(Root.SESSION, ("s",))),
        ("org.TOKEN", Ref(Root.ORGANISATION, ("TOKEN",))),
        ("var.V", Ref(Root.USER, ("V",))),
        ("env.HOME", Ref(Root.ENVIRONMENT, ("HOME",))),
        ("env.PW_WORKFLOW_STEP_CURRENT_RETRY", Ref(Root.ATTEMPT)),
        ("env.PW_WORKFLOW_STEP_MAX_RETRIES", Ref(Root.ENVIRONMENT, ("PW_WORKFLOW_STEP_MAX_RETRIES",))),
        ("app.target", Ref(Root.APP, ("target",))),
        ("inputs.rows.[index].x.y", Ref(Root.ROW, ("rows", "[index]", "x", "y"))),
        (".hidden", Ref(Root.SELF, ("hidden",))),
        (".ignore", Ref(Root.SELF, ("ignore",))),
        ("always", Ref(Root.STATUS, ("always",))),
        ("always()", Ref(Root.STATUS, ("always",))),
        ("success()", Ref(Root.STATUS, ("completed",))),
        ("failure()", Ref(Root.STATUS, ("error",))),
        ("cancelled()", Ref(Root.STATUS, ("canceled",))),
        ("never", Ref(Root.STATUS, ("never",))),
        ("inputs.always", Ref(Root.INPUT, ("always",))),
        ("New", Literal("New")),
        ("success", Literal("success")),
        ("true", Literal(True)),
        ("null", Literal(None)),
        ("undefined", Undefined()),
        ("'true'", Literal("true")),
        ("007", Literal(7)),
        ("1.50", Literal(1.5)),
        ("-3", Literal(-3)),
        ("- 3", Literal(-3)),
        ("--3", Unary("-", Literal(-3))),
        ("a === b", Binary("==", Literal("a"), Literal("b"))),
        ("a !== b", Binary("!=", Literal("a"), Literal("b"))),
        ("1 range 4", Call("range", (Literal(1), Literal(4)))),
        ("x get 1:", Slice(Literal("x"), Literal(1))),
        ("x get :1", Slice(Literal("x"), None, Literal(1))),
    ],
)
def test_what_words_stand_for(text: str, expected: Expr) -> None:
    assert repr(read(text)) == repr(expected)
    assert repr(read(f" ( {text} ) ")) == repr(expected)


@given(st.from_regex(r"(inputs|needs|matrix|sessions|org|var|env|app)(\.([\w-]{1,4}|\[index\])){1,3}", fullmatch=True))
def test_a_lone_path_is_read_without_the_grammar_as_it_is_with_it(path: str) -> None:
    diagnostics = Diagnostics()
    lone = parse_expression(path, Source("x", path).span, diagnostics)
    grouped = parse_expression(f"({path})", Source("x", path).span, diagnostics)
    assert repr(lone) == repr(grouped)


# what it means: the examples of pw.md §10.2


@pytest.mark.parametrize(
    ("text", "roots", "expected"),
    [
        ("needs.J.outputs.N - 1", {Root.TASK_OUTPUT: {"J": {"N": "5"}}}, 4),
        ("[1,2,3,4] get 0:(inputs.n)", {Root.INPUT: {"n": 2}}, [1, 2]),
        (
            "inputs.workers get env.PW_WORKFLOW_STEP_CURRENT_RETRY get resource get ip",
            {Root.INPUT: {"workers": [{"resource": {"ip": "a"}}, {"resource": {"ip": "b"}}]}, Root.ATTEMPT: "1"},
            "b",
        ),
        (
            "matrix.job_id <= needs.gen.outputs.N_CASES",
            {Root.SWEEP: {"job_id": 3}, Root.TASK_OUTPUT: {"gen": {"N_CASES": "2"}}},
            False,
        ),
        ("inputs.x == '' ? '1h' : inputs.x", {Root.INPUT: {"x": ""}}, "1h"),
        ("inputs.flag && '1' || '0'", {Root.INPUT: {"flag": False}}, "0"),
        ("inputs.p == 'a' && 'A' || inputs.p == 'b' && 'B' || 'C'", {Root.INPUT: {"p": "b"}}, "B"),
        ("inputs.k8s.volumes.pvc != New", {Root.INPUT: {"k8s": {"volumes": {"pvc": "New"}}}}, False),
        ("inputs.clust.ip || localhost", {Root.INPUT: {"clust": {"ip": ""}}}, "localhost"),
        ("inputs.resource.name !includes 'ursa'", {Root.INPUT: {"resource": {"name": "ursa2"}}}, False),
        ("!inputs.tensorboard.enabled", {Root.INPUT: {"tensorboard": {"enabled": True}}}, False),
        # and facts that stand beside the table
        ('org.X == ""', {Root.ORGANISATION: {}}, True),
        ("needs.setup.outputs.rundir + '/x.sh'", {Root.TASK_OUTPUT: {"setup": {"rundir": "/r"}}}, "/r/x.sh"),
        ("inputs.fallback ? error : never", {Root.INPUT: {"fallback": True}, Root.STATUS: {"error": False}}, False),
        ("inputs.gone ?? 'x'", {Root.INPUT: {}}, "x"),
        ("!completed || failure()", {Root.STATUS: {"completed": True, "error": False}}, False),
        ("inputs.a get 1 get 'b' == 2", {Root.INPUT: {"a": [0, {"b": "2"}]}}, True),
    ],
)
def test_values(text: str, roots: dict[Root, Value], expected: Value) -> None:
    value = evaluate(read(text), Bindings(roots))
    assert value == expected
    assert type(value) is type(expected)


def test_a_range_leaves_out_its_end() -> None:
    value = evaluate(read("1 range inputs.n + 1"), Bindings({Root.INPUT: {"n": 3}}))
    assert list(value) == [1, 2, 3]  # type: ignore[arg-type]


# how it is written


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a&&(b||c)", "'a' && ('b' || 'c')"),
        ("(a&&b)||c", "'a' && 'b' || 'c'"),
        ("a - (b - c)", "'a' - ('b' - 'c')"),
        ("(a - b) - c", "'a' - 'b' - 'c'"),
        ("(a ** b) ** c", "('a' ** 'b') ** 'c'"),
        ("a ** (b ** c)", "'a' ** 'b' ** 'c'"),
        ("!(a == b)", "!('a' == 'b')"),
        ("(!a) == b", "!'a' == 'b'"),
        ("(a ? b : c) ? d : e", "('a' ? 'b' : 'c') ? 'd' : 'e'"),
        ("a ? (b ? c : d) : (e ? f : g)", "'a' ? 'b' ? 'c' : 'd' : 'e' ? 'f' : 'g'"),
        ("a ? (b get 1:2) : c get 1:2", "'a' ? ('b' get 1:2) : 'c' get 1:2"),
        ("a ? [b get 1:2] : c", "'a' ? ['b' get 1:2] : 'c'"),
        ("x get 1:(n + 1)", "'x' get 1:('n' + 1)"),
        ("x get (1 get 2)", "'x' get (1 get 2)"),
        ("x get 1 + 1", "'x' get 1 + 1"),
        ("1 range n+1", "1 range 'n' + 1"),
        ("range(1, 3)", "1 range 3"),
        ("range( 3 )", "range(3)"),
        ("'it'", "'it'"),
        ('"it\'s"', '"it\'s"'),
        ('"it"', "'it'"),
        ("a !== b", "'a' !== 'b'"),
        ("a === b == c", "'a' === 'b' == 'c'"),
        ("always() || failure()", "always() || failure()"),
        ("always || error", "always || error"),
        ("-(-3)", "--3"),
        ("2 ** (-1)", "2 ** -1"),
        ("env.PW_WORKFLOW_STEP_CURRENT_RETRY < 2", "env.PW_WORKFLOW_STEP_CURRENT_RETRY < 2"),
        ("inputs.r.[index].x == .hidden", "inputs.r.[index].x == .hidden"),
        ("needs.J.outputs.K.x", "needs.J.outputs.K get 'x'"),
        ("1e999", "1e999"),
        ("true ? null : undefined", "true ? null : undefined"),
    ],
)
def test_writing(text: str, expected: str) -> None:
    assert print_expression(read(text)) == expected
    assert print_expression(read(expected)) == expected


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        (Literal("'\""), "\"'\" + '\"'"),
        (Binary("-", Literal("'\""), Literal(1)), "\"'\" + '\"' - 1"),
        (Binary("*", Literal("'\""), Literal(1)), "(\"'\" + '\"') * 1"),
        (Slice(Slice(Literal("x"), Literal(1)), None, Literal(2)), "('x' get 1:) get :2"),
        (Literal("${{ x }}"), "'${' + '{ x }' + '}'"),
        (Ref(Root.INPUT, ("a", "b c", "d")), "inputs.a get 'b c' get 'd'"),
        (Binary("*", Ref(Root.INPUT, ("b c",)), Literal(2)), "(inputs get 'b c') * 2"),
        (Ref(Root.SWEEP), "matrix"),
    ],
)
def test_writing_what_only_other_dialects_have(expr: Expr, expected: str) -> None:
    assert print_expression(expr) == expected


def quotable(tree: Expr) -> bool:
    """Whether all texts fit into one pair of quotes; otherwise they are written as sums."""
    texts = re.findall(r"Literal\(value=('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")\)", repr(tree))
    plain = [eval(text) for text in texts]
    return all(not ("'" in text and '"' in text) and not re.search(r"\$\{\{|\}\}|\$<<", text) for text in plain)


@given(trees.filter(quotable))
@settings(max_examples=400)
def test_what_is_written_is_read_as_the_same_tree(tree: Expr) -> None:
    written = print_expression(tree)
    assert repr(read(written)) == repr(tree)
    assert print_expression(read(written)) == written


@given(trees, environments)
@settings(max_examples=200)
def test_texts_without_a_fitting_quote_keep_their_value(tree: Expr, environment: Bindings) -> None:
    written = print_expression(tree)
    assert outcome(read(written), environment) == outcome(tree, environment)
    assert print_expression(read(written)) == written


@pytest.mark.parametrize(
    "expr",
    [
        Ref(Root.RUN_FOLDER),
        Ref(Root.HOST, ("t",)),
        Ref(Root.TASK_OUTPUT, ("a b", "k")),
        Ref(Root.SELF, ()),
        Binary("%", Literal(1), Literal(2)),
        Unary("~", Literal(1)),
        Call("length", (Literal("x"),)),
        Literal(float("nan")),
    ],
)
def test_what_the_platform_cannot_say(expr: Expr) -> None:
    around = Conditional(Literal(True), Literal(1), expr)
    assert [repr(part) for part in unspellable(around)] == [repr(expr)]
    with pytest.raises(UnspellableError) as caught:
        print_expression(around)
    assert repr(caught.value.expr) == repr(expr)


@given(trees)
def test_all_that_the_platform_knows_can_be_said(tree: Expr) -> None:
    assert unspellable(tree) == []


# texts with holes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("plain ${VAR} $(cmd) $((1 << 2)) $VAR ${#x} ${{", None),
        (
            "plain ${VAR} $(cmd) $((1 << 2)) $VAR ${#x} {{ x }} }}",
            ("plain ${VAR} $(cmd) $((1 << 2)) $VAR ${#x} {{ x }} }}",),
        ),
        ("cat $<<EOF\nx\nEOF\n a >> b", ("cat $<<EOF\nx\nEOF\n a >> b",)),
        ("${{inputs.a}}", (Ref(Root.INPUT, ("a",)),)),
        ("a${{ inputs.a }}b${{ x }}", ("a", Ref(Root.INPUT, ("a",)), "b", Literal("x"))),
        ("$${{ x }}}", ("$", Literal("x"), "}")),
        ("${${{ x }}", ("${", Literal("x"))),
        ("${{ 'a }} b' }}c", (Literal("a }} b"), "c")),
        ("${{ 'a' ==\n   \"b }}\" }}", (Binary("==", Literal("a"), Literal("b }}")),)),
        ("it's ${{ x }} isn't it", ("it's ", Literal("x"), " isn't it")),
        ("$<< inputs.a >>-$<<x>>", (Ref(Root.INPUT, ("a",)), "-", Literal("x"))),
        ("$<< '>>' >>", (Literal(">>"),)),
        ("$<<<x>>", ("$<<<x>>",)),
    ],
)
def test_holes(text: str, expected: tuple[str | Expr, ...] | None) -> None:
    diagnostics = Diagnostics()
    template = parse_template(text, Source("x", text).span, diagnostics)
    if expected is None:
        assert template.literal == text
        assert len(diagnostics) == 1
    else:
        assert repr(template.parts) == repr(expected)
        assert len(diagnostics) == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a${{inputs.a}}b", "a${{ inputs.a }}b"),
        ("$<<inputs.a>> ${{ b }}", "$<< inputs.a >> ${{ 'b' }}"),
        ("$<< a === b >>", "$<< 'a' === 'b' >>"),
        ("$<< success() >>", "$<< success() >>"),
        ("$<< '>>' >>", "${{ '>>' }}"),
        ("${{ secrets.A }} $<< secrets.B == f( 1 ) >>", "${{ secrets.A }} $<< secrets.B == f(1) >>"),
    ],
)
def test_writing_holes(text: str, expected: str) -> None:
    diagnostics = Diagnostics()
    once = print_template(parse_template(text, Source("x", text).span, diagnostics))
    assert once == expected
    assert print_template(parse_template(once, Source("x", once).span, diagnostics)) == once


@given(st.lists(leaves | st.text("ab$ {}<>'\"\n", max_size=8), max_size=5))
@settings(max_examples=300)
def test_protected_templates_are_read_as_they_were_meant(parts: list[str | Expr]) -> None:
    template = Template.of(*parts)
    written = print_template(protect(template))
    diagnostics = Diagnostics()
    again = parse_template(written, Source("x", written).span, diagnostics)
    assert [item.message for item in diagnostics] == []

    def give(expr: Expr) -> str:
        return outcome(expr, Bindings()) if not isinstance(expr, Literal) else str(expr.value)

    if all(quotable(hole) for hole in template.holes):
        assert again.fill(give) == template.fill(give)


@pytest.mark.parametrize(
    ("text", "place"),
    [("a ${{ x }}", 2), ("${{", 0), ("$<<x>>", 0), ("$<<x", None), ("${x}{{", None), ("$$ {{ x }}", None), ("", None)],
)
def test_where_literal_text_would_be_misread(text: str, place: int | None) -> None:
    assert misread_at(text) == place


@given(st.text("ab$ {}<>'\"\n", max_size=30))
def test_text_that_is_not_misread_stays_text(text: str) -> None:
    diagnostics = Diagnostics()
    template = parse_template(text, Source("x", text).span, diagnostics)
    assert (misread_at(text) is None) == (not template.holes and len(diagnostics) == 0)
    assert misread_at(text) is not None or template.literal == text


# what is said


@pytest.mark.parametrize(
    ("text", "code", "message", "underlined", "help"),
    [
        (
            "x ${{ inputs.a = 'b' }}",
            "expression-syntax",
            "expected an operator or the end, found `=`",
            "=",
            "equality is written `==`",
        ),
        (
            "${{ inputs.a and b }}",
            "expression-syntax",
            "expected an operator or the end, found `and`",
            "and",
            "`and` is written `&&`",
        ),
        ("${{ a == }}", "expression-syntax", "the expression ends where a value should follow", "==", ""),
        ("${{ (a == b }}", "expression-syntax", "the expression ends where `)` should follow", "b", ""),
        ("${{ [1, 2 }}", "expression-syntax", "the expression ends where `]` or `,` should follow", "2", ""),
        ("${{ a ? b }}", "expression-syntax", "the expression ends where `:` or an operator should follow", "b", ""),
        ("${{ (a b) }}", "expression-syntax", "expected `)` or an operator, found `b`", "b", ""),
        ("${{ && a }}", "expression-syntax", "expected a value, found `&&`", "&&", ""),
        ("${{ ) }}", "expression-syntax", "expected a value, found `)`", ")", ""),
        (
            "${{ a, b }}",
            "expression-syntax",
            "expected the end, found `,`",
            ",",
            "a list is written in brackets: `[1, 2]`",
        ),
        (
            "${{ it's }}",
            "expression-syntax",
            "the text that begins here has no closing quote",
            "'s",
            "close it with the same kind of quote; there are no escapes",
        ),
        ("${{ }}", "expression-syntax", "the expression is empty", " ", "write a value between the delimiters"),
        ("a ${{ inputs.a", "unclosed-expression", "this expression is never closed", "${{", "close it with `}}`"),
        (
            "${{ inputs.a }b ${{ inputs.b }}",
            "unclosed-expression",
            "this expression is never closed",
            "${{",
            "it is closed by one brace, two are needed",
        ),
        (
            "a == ${{ x || secrets.GITHUB_TOKEN }}",
            "unknown-context",
            "`secrets.GITHUB_TOKEN` begins with no known context",
            "secrets.GITHUB_TOKEN",
            "secrets are variables of the organisation: `org.NAME`",
        ),
        (
            "${{ input.a }}",
            "unknown-context",
            "`input.a` begins with no known context",
            "input.a",
            "did you mean `inputs`?",
        ),
        (
            "${{ needs.build.tag }}",
            "incomplete-reference",
            "`needs.build.tag` names no output of a job",
            "needs.build.tag",
            "write `needs.JOB.outputs.NAME`",
        ),
        ("${{ Always() }}", "unknown-function", "there is no function `Always`", "Always()", "did you mean `always`?"),
    ],
)
def test_what_is_said(text: str, code: str, message: str, underlined: str, help: str) -> None:
    assert said(text) == [(code, message, underlined, help)]


def test_what_is_wrong_stays_as_text_and_the_rest_is_read() -> None:
    diagnostics = Diagnostics()
    text = "a ${{ x = }} b ${{ y }} ${{ z"
    template = parse_template(text, Source("x", text).span, diagnostics)
    assert template.parts == ("a ${{ x = }} b ", Literal("y"), " ${{ z")
    assert [item.span.start if item.span else -1 for item in diagnostics] == [8, 24]


def test_each_occurrence_of_a_text_has_its_own_places() -> None:
    text = "${{ a == inputs.x }} and ${{ a == inputs.x }}"
    source = Source("x", text)
    template = parse_template(text, source.span, Diagnostics())
    starts = [[ref.span.start for ref in (hole, hole.left, hole.right) if ref.span] for hole in template.holes]  # type: ignore[union-attr]
    assert starts == [[4, 4, 9], [29, 29, 34]]


@given(trees)
def test_places_hold_what_they_name(tree: Expr) -> None:
    written = print_expression(tree)
    source = Source("x", f"a ${{{{ {written} }}}}")
    expr = parse_expression(written, lambda low, high: source.span(low + 6, high + 6), Diagnostics())
    assert expr is not None
    pending = [expr]
    while pending:
        node = pending.pop()
        assert node.span is not None
        assert repr(read(node.span.text)) == repr(node)
        parts = [node.left, node.right] if isinstance(node, Binary) else []
        pending += parts


# nothing breaks


@given(st.text("aiget .'\"!=&|?:+-*/()[]{}$<>,01\n\\é_", max_size=40) | st.text(max_size=40))
@settings(max_examples=400)
def test_no_text_makes_it_raise(text: str) -> None:
    source = Source("x", text)
    diagnostics = Diagnostics()
    expr = parse_expression(text, source.span, diagnostics)
    assert (expr is None) == diagnostics.failed
    for item in diagnostics:
        assert item.span is not None
        assert 0 <= item.span.start <= item.span.end <= len(text)
    parse_template(text, source.span, diagnostics)
    if expr is not None:
        written = print_expression(expr)
        again = Diagnostics()
        assert print_expression(parse_expression(written, source.span, again) or Undefined()) == written
        assert not again.failed


@pytest.mark.parametrize(
    "text",
    [
        "(" * 19_000,
        "!" * 19_000 + "a",
        "a || " * 3_000 + "a",
        "[" * 9_000 + "]" * 9_000,
        "a ? " * 4_000,
        "'" * 50_001,
        "a" * 1_000_000,
        "9" * 19_000,
        "a get " * 3_000 + "0:",
        "((a)) == " * 1_500 + "a",
    ],
    ids=lambda text: text[:8],
)
def test_monsters_are_refused_or_read_in_bounded_time(text: str) -> None:
    before = time.process_time()
    diagnostics = Diagnostics()
    expr = parse_expression(text, Source("x", text).span, diagnostics)
    assert (expr is None) == diagnostics.failed
    assert time.process_time() - before < 2


@pytest.mark.parametrize("unit", ["${{ ", "${{ ' ", "$<< ' ", '${{ " }', "'\"${{", "${{ a }} "], ids=repr)
def test_texts_with_many_openings_take_linear_time(unit: str) -> None:
    text = unit * 20_000
    before = time.process_time()
    parse_template(text, Source("x", text).span, Diagnostics())
    assert time.process_time() - before < 3


def test_long_sums_of_quotes_can_still_be_read() -> None:
    text = "'\"" * 1_000
    assert evaluate(read(print_expression(Literal(text))), Bindings()) == text


def test_the_rows_of_the_catalogue_are_in_their_range() -> None:
    rows = list(Catalogue.of(codes_of(vars(C))))
    assert all("PWX2200" <= row.id <= "PWX2229" and row.remedy and row.meaning for row in rows)


@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS.is_dir(), reason="PWXC_CORPUS is not set")
def test_all_expressions_of_the_corpus() -> None:
    wrong, holes = [], 0
    for path in sorted(CORPUS.glob("*.yaml")):
        source = Source(path.name, path.read_text(encoding="utf-8", errors="replace"))
        diagnostics = Diagnostics()
        template = parse_template(source.text, source.span, diagnostics)
        holes += len(template.holes)
        wrong += [(path.name, item.code.name, item.span.text if item.span else "") for item in diagnostics]
        written = print_template(template)
        again = parse_template(written, source.span, Diagnostics())
        assert repr(again) == repr(template)
        assert print_template(again) == written
    assert holes > 1000
    known = {("pw-unclosed-expression", "${{"), ("pw-unknown-context", "secrets.GITHUB_TOKEN")}
    assert {(code, text) for _, code, text in wrong} <= known
    assert len(wrong) <= 2, wrong
