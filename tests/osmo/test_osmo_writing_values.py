"""Rendering a written template with some values gives the file that writing with those values gives.

The template is rendered as the service does it, by jinja2 in two passes; the reader of parameters takes no part.
"""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from test_osmo_writing import foreign, sweep, task

from pwxc import compiler, registry
from pwxc.compiler import Policy
from pwxc.diagnostics import Diagnostics
from pwxc.ir.data import Variable
from pwxc.ir.entity import changed
from pwxc.ir.expr import Binary, Call, Conditional, Expr, Literal, Ref, Root, Unary
from pwxc.ir.inputs import Choice, Input, InputType
from pwxc.ir.resources import Container, Resources
from pwxc.ir.sweep import Range, Values
from pwxc.ir.task import Command, Edge, Gang, Outcome, Retry, Script, Step, Task
from pwxc.ir.template import Template, text
from pwxc.ir.workflow import Workflow
from pwxc.source import Source
from pwxc.yaml.schema import yaml11
from pwxc.yaml.structure import Reading, plain, within
from pwxc_targets.osmo import codes as C  # noqa: N812
from pwxc_targets.osmo.template.expand import Settings, expand

OSMO = registry.find("osmo")
FEW = settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # an example is dear, and a seed gets no smaller
)
MIB = 2**20


def ref(*path: str) -> Ref:
    return Ref(Root.INPUT, path)


WORDS = (
    "a",
    "it's",
    'say "x"',
    "a: b",
    "- a",
    "# a",
    "é 🚀",
    "100%",
    "$HOME",
    "a\\b",
    "null",
    "1",
    "",
    "a\tb",
    "two  ",
)
LINES = ("a\nb", "a\n", "  a\n\nb\n", "\n", "x: [\n- y\n", "a\n\n\n", "é\n")
VALUES: dict[str, tuple[Any, ...]] = {
    "word": (*WORDS, "a\nb", "a\n\n  b"),
    "lines": (*WORDS, *LINES),
    "count": (1, 2, 7),
    "share": (0.5, 2, 1.25),
    "flag": (True, False),
    "kind": ("fast", "slow", "it's"),
    "limit": ("10m", "2h", "90s"),
    "group.word": WORDS,
    "group.flag": (True, False),
}
TYPES = {
    "word": InputType.STRING,
    "lines": InputType.TEXT,
    "count": InputType.INTEGER,
    "share": InputType.NUMBER,
    "flag": InputType.BOOLEAN,
    "kind": InputType.CHOICE,
    "limit": InputType.DURATION,
}


def inputs_of(values: dict[str, Any]) -> tuple[Input, ...]:
    """Give inputs of all kinds with these defaults."""
    choices = tuple(Choice(value=value) for value in VALUES["kind"])
    flat = [
        Input(name=name, type=kind, default=values[name], has_default=True, choices=choices if name == "kind" else ())
        for name, kind in TYPES.items()
    ]
    below = (
        Input(name="word", default=values["group.word"], has_default=True),
        Input(name="flag", type=InputType.BOOLEAN, default=values["group.flag"], has_default=True),
    )
    return (*flat, Input(name="group", type=InputType.GROUP, items=below))


HOLES: tuple[Expr, ...] = (
    ref("word"),
    ref("lines"),
    ref("count"),
    ref("share"),
    ref("flag"),
    ref("kind"),
    ref("group", "word"),
    Conditional(ref("flag"), ref("word"), Literal("none: {{ x }}")),
    Conditional(Binary("==", ref("kind"), Literal("fast")), Literal("a"), ref("group", "word")),
    Binary("+", Literal("x-"), ref("word")),
)
TESTS: tuple[Expr, ...] = (
    ref("flag"),
    Unary("!", ref("group", "flag")),
    Binary("==", ref("kind"), Literal("it's")),
    Binary("&&", ref("flag"), Binary("<", ref("count"), Literal(5))),
    Binary("||", Binary("!=", ref("word"), Literal("a")), Binary(">=", ref("share"), Literal(1))),
)
AROUND = ("", " ", "a", "\n", "{{ a ", "${#b[@]} ", "'", '"', ": ", "- ", "é", "#", "\n\n", "x\n")


def template(random: Random) -> Template:
    parts: list[str | Expr] = [random.choice(AROUND)]
    for _ in range(random.randrange(1, 4)):
        parts += [random.choice(HOLES), random.choice(AROUND)]
    return Template.of(*parts)


def work(random: Random, name: str, **more: Any) -> Task:
    variables = tuple(Variable(name=f"V{at}", value=template(random)) for at in range(6))
    return task(name, template(random), environment=variables, **more)


def generated(seed: int, values: dict[str, Any]) -> Workflow:
    """Give a workflow that uses its inputs everywhere; the same for a seed, whatever the values are."""
    random = Random(seed)
    index = Ref(Root.SWEEP, ("i",))
    over = sweep(i=Range(1, 2), s=Values(("x", "it's")))
    swept = Template.of("run ", index, " ", Ref(Root.SWEEP, ("s",)), " ", ref("word"), "\n")
    stepped = Task(
        name="steps",
        steps=(
            Step(work=Script(template(random)), condition=random.choice(TESTS)),
            Step(work=Command((text("echo"), template(random)))),
            Step(work=Script(template(random)), environment=(Variable(name="S", value=template(random)),)),
        ),
        needs=(Edge(parent="first"),),
    )
    tasks = (
        work(random, "first", resources="sized"),
        work(random, "second", needs=(Edge(parent="first"),), condition=random.choice(TESTS)),
        work(random, "third", needs=(Edge(parent="second", when=random.choice([Outcome.SUCCESS, Outcome.END])),)),
        task("swept", swept, sweep=over, condition=random.choice([None, *TESTS])),
        task("after", "true\n", needs=(Edge(parent="swept"),)),
        stepped,
        work(random, "lead", container=Container(image=Template.of("tool:", ref("count")))),
        work(random, "helper"),
    )
    gangs = (Gang(name="pair", members=("lead", "helper"), lead="lead", needs=(Edge(parent="second"),)),)
    sized = Resources(
        name="sized", cpus=ref("count"), memory=Binary("*", ref("count"), Literal(MIB * 1024)), gpus=ref("count")
    )
    timeout = {"run_timeout": Call("duration", (ref("limit"),))}
    return foreign(
        *(changed(item, **timeout) for item in tasks),
        inputs=inputs_of(values),
        gangs=tuple(changed(gang, **timeout) for gang in gangs) if seed % 2 else (),
        resources=(sized,),
        environment=(Variable(name="ALL", value=template(random)),),
    )


def written(workflow: Workflow) -> tuple[str, list[str]]:
    options = {"image": "ubuntu:24.04", "max_tasks": "99"}
    files, _, said = compiler.write(workflow, to=OSMO, options=options, policy=Policy(lossy=True))
    return files[0].text, [item.code.name for item in said]


def rendered(source: str, given_values: dict[str, Any] | None = None) -> Any:
    """Give the workflow of a text as plain data, as the service has it after both passes."""
    values = {name.replace(".", "_"): value for name, value in (given_values or {}).items()}
    numbers = tuple(f"{name}={value}" for name, value in values.items() if type(value) in (int, float))
    texts = tuple(
        f"{name}={str(value).lower() if isinstance(value, bool) else value}"
        for name, value in values.items()
        if type(value) not in (int, float)
    )
    said = Diagnostics()
    expanded = expand(Source("w.yaml", source), Settings(set=numbers, set_string=texts), said)
    assert expanded is not None, ([item.message for item in said], source, values)
    with within(Reading(expanded.document, said, yaml11, C.UNKNOWN_SPEC_KEY, C.DUPLICATE_SPEC_KEY)):
        return single_dollars(plain(expanded.document.root)["workflow"])


def single_dollars(value: Any) -> Any:
    """Do what Kubernetes does with two dollars in arguments and variables; our files have none."""
    if isinstance(value, dict):
        return {key: single_dollars(item) for key, item in value.items()}
    if isinstance(value, list):
        return [single_dollars(item) for item in value]
    return value.replace("$$", "$") if isinstance(value, str) else value


def drawn(random: Random) -> dict[str, Any]:
    return {name: random.choice(values) for name, values in VALUES.items()}


@FEW
@given(st.integers(0, 2**32))
def test_rendering_with_values_is_writing_with_values(seed: int) -> None:
    random = Random(seed)
    source, said = written(generated(seed, drawn(random)))
    assert "osmo-frozen-value" not in said
    for _ in range(3):
        values = drawn(random)
        fresh, _ = written(generated(seed, values))
        assert rendered(source, values) == rendered(fresh)


@pytest.mark.parametrize("default", ["a", "a\n", "", "\n", "  a\nb\n\n"])
@pytest.mark.parametrize("value", ["a", "a\n", "b\n\n\n", "", "\n", " x\n  y", "it's\n"])
def test_line_breaks_at_the_end_of_a_value(default: str, value: str) -> None:
    """What a person gives with `--set` is what arrives, whatever the default is."""
    hole = ref("x")
    places = (Template.of(hole), Template.of("a ", hole), Template.of(hole, "\n"), Template.of(hole, hole))
    variables = tuple(Variable(name=f"A{at}", value=item) for at, item in enumerate(places))
    given_ = Input(name="x", type=InputType.TEXT, default=default, has_default=True)
    source, said = written(foreign(task(environment=variables), inputs=(given_,)))
    assert "osmo-frozen-value" not in said
    found = rendered(source, {"x": value})["tasks"][0]["environment"]
    assert [found[f"A{at}"] for at in range(4)] == [value, f"a {value}", f"{value}\n", value * 2]


def test_numbers_that_inputs_decide_in_a_script_are_told() -> None:
    """What the script's text cannot leave open is built in, and said."""
    again = Step(
        work=Script(text("true\n")), retry=Retry(limit=ref("count")), timeout=Call("duration", (ref("limit"),))
    )
    _, said = written(foreign(Task(name="a", steps=(again,)), inputs=inputs_of(drawn(Random(1)))))
    assert "osmo-frozen-value" in said
