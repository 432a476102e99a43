"""Strategies for the parts of a workflow: texts, steps, rules, sweeps, conditions, inputs."""

from __future__ import annotations

from collections.abc import Collection
from enum import Enum, auto

from hypothesis import strategies as st

from pwxc.ir.data import (
    Variable,
)
from pwxc.ir.entity import changed
from pwxc.ir.expr import Binary, Expr, Literal, Ref, Root, Unary
from pwxc.ir.inputs import Choice, Input, InputType
from pwxc.ir.sweep import Parameter, Range, Sweep, SweepMode, Values
from pwxc.ir.task import (
    ActionCall,
    Command,
    ExitAction,
    ExitRule,
    Retry,
    Script,
    Step,
    Work,
)
from pwxc.ir.template import Template, text


class Feature(Enum):
    """A part of the IR that a workflow may use."""

    OUTCOMES = auto()
    """Edges on anything but success."""
    SWEEPS = auto()
    GANGS = auto()
    STEPS = auto()
    """Several steps, with conditions, repetitions and clean-ups."""
    EXIT_RULES = auto()
    CONDITIONS = auto()
    INPUTS = auto()
    TIMEOUTS = auto()
    HOOKS = auto()
    ENVIRONMENT = auto()
    STOPS = auto()
    """Work that stops when another task fails."""
    PROGRAMS = auto()
    """Programs without a shell, and calls of actions."""
    TEXTS = auto()
    """Texts with every sign that means something to a shell, to YAML or to a template."""
    INPUT_TYPES = auto()
    CONTAINERS = auto()
    RESOURCES = auto()
    PLACEMENT = auto()
    """Hosts, pools and allocations."""
    DATA = auto()
    """Reads and writes of tasks, files, values, objects in stores, checkpoints; and what tasks publish."""
    SECRETS = auto()
    CLEANUP = auto()
    ABOUT = auto()
    """What is said of the whole: description, labels, sessions, a limit for the run."""


EVERYTHING = frozenset(Feature)
WORDS = st.sampled_from(["python train.py", "./solve --fast", "echo done", "true", "wc -l data.csv"])
ODD_TEXTS = st.sampled_from(
    [
        'it\'s "quoted" $HOME `date` $(id) \\',
        "{{ output }} {{input:0}} ${{ inputs.size }} {% if x %} {# no #} {i} %j @output@",
        "a: b # c\n- d\n\ttabbed  \n\nlast",
        "'",
        " leading and trailing ",
        "Größe 漢 🚀",
        "*.txt ~ !x & | ; < > ? [a] {a,b} -n",
        "PWXC_EOF\nEOF\n",
        "0x1F",
        "null",
    ]
)
SECONDS = st.sampled_from([1, 2, 5, 30, 90, 3600, 172800])

GIB = 1024**3


def some_features(most: int = 4) -> st.SearchStrategy[frozenset[Feature]]:
    """Give a few features, so that each pair of them meets without all the others around."""
    return st.frozensets(st.sampled_from(Feature), max_size=most)


@st.composite
def texts(draw: st.DrawFn, features: Collection[Feature], roots: Collection[Expr], words: str = "") -> Template:
    """Give a text: words, perhaps a reference, and where it is asked for signs that have a meaning elsewhere."""
    parts: list[str | Expr] = [words] if words else []
    if roots and draw(st.booleans()):
        parts += [" " if words else "", draw(st.sampled_from(list(roots)))]
    if Feature.TEXTS in features and draw(st.booleans()):
        parts += [" " if parts else "", draw(ODD_TEXTS)]
    return Template.of(*parts)


@st.composite
def works(draw: st.DrawFn, features: Collection[Feature], roots: Collection[Expr]) -> Work:
    """Give a script, or sometimes a program with its arguments or the call of an action."""
    words = draw(WORDS)
    kind = draw(st.integers(0, 9)) if Feature.PROGRAMS in features else 9
    if kind < 4:
        more = [draw(texts(features, roots, "--more"))] if kind else []
        return Command((*map(text, words.split()), *more))
    if kind == 4:
        return ActionCall("parallelworks/checkout", {"repo": draw(texts(features, roots, "x")), "branch": "main"})
    shells = st.sampled_from([("bash",), ("bash",), ("sh",), ("python3",), ("bash", "-euo", "pipefail")])
    shell = draw(shells) if Feature.PROGRAMS in features else ("bash",)
    return Script(draw(texts(features, roots, words)), shell)


def statuses(features: Collection[Feature]) -> st.SearchStrategy[Ref]:
    """Give the words for how what came before has ended; a step is cancelled only where one may be stopped."""
    words = ["always", "error", *(["canceled"] if Feature.STOPS in features else [])]
    return st.sampled_from(words).map(lambda word: Ref(Root.STATUS, (word,)))


def retries() -> st.SearchStrategy[Retry]:
    """Give retries of one to three further attempts."""
    return st.builds(Retry, limit=st.integers(1, 3), interval=st.sampled_from([0, 5]))


@st.composite
def steps(draw: st.DrawFn, features: Collection[Feature], roots: Collection[Expr], number: int) -> Step:
    """Give a step; where it is asked for, one with a condition, retries and so on."""
    stops = Feature.STOPS in features
    plain = Step(work=draw(works(features, roots)), stop_when_another_fails=stops and draw(st.booleans()))
    if Feature.ENVIRONMENT in features and draw(st.integers(0, 3)) == 0:
        value = draw(texts(features, roots, "own"))
        plain = changed(plain, environment=(Variable(name="STEP", value=value),))
    if Feature.STEPS not in features:
        return plain
    timeouts = Feature.TIMEOUTS in features
    return changed(
        plain,
        id=f"s{number}",
        name=draw(st.none() | st.just(text(f"Step {number}"))),
        condition=draw(st.none() | statuses(features)) if number else None,
        timeout=draw(st.none() | SECONDS) if timeouts else None,
        retry=draw(st.none() | retries()),
        cleanup=draw(st.none() | st.just(text("rm -rf scratch"))),
        ignore_errors=draw(st.booleans()),
        working_directory=draw(st.none() | st.just(text("sub/folder"))),
    )


@st.composite
def exit_rules(draw: st.DrawFn) -> tuple[ExitRule, ...]:
    """Give none to two rules for small exit codes, of which each code has one."""
    some = draw(st.lists(st.sampled_from([((3, 3),), ((1, 2), (4, 6)), ((0, 0),), ((7, 9),)]), max_size=2, unique=True))
    return tuple(draw(_rules(codes)) for codes in (some or draw(st.sampled_from([[], [()]]))))


def _rules(codes: tuple[tuple[int, int], ...]) -> st.SearchStrategy[ExitRule]:
    rule = st.builds(ExitRule, action=st.sampled_from([ExitAction.COMPLETE, ExitAction.FAIL]), codes=st.just(codes))
    script = st.none() | st.just(text("./recover.sh"))
    again = st.builds(
        ExitRule, action=st.just(ExitAction.RETRY), codes=st.just(codes), retry=retries(), recovery=script
    )
    return rule | again


@st.composite
def sweeps(draw: st.DrawFn) -> Sweep:
    """Give sweeps of one or two variables and at most ten instances."""
    numbers = st.sampled_from([Range(1, 1), Range(1, 2), Range(1, 3), Range(0, 10, 5), Range(0.1, 0.3, 0.1)])
    parameters = [Parameter(name="i", values=draw(numbers))]
    if draw(st.booleans()):
        values = st.sampled_from([("a", "b"), (0.5, 1.5), ("x", "y", "z")]).map(Values)
        parameters.append(Parameter(name="v", values=draw(values)))
    first = {"i": parameters[0].values[0]} | ({"v": parameters[1].values[0]} if len(parameters) > 1 else {})
    lengths = {len(parameter.values) for parameter in parameters}  # type: ignore[arg-type]
    zips = len(lengths) == 1 and lengths != {1}
    several = lengths != {1}  # no sweep without instances: no system names its task
    return Sweep(
        parameters=tuple(parameters),
        mode=draw(st.sampled_from(SweepMode)) if zips else SweepMode.PRODUCT,
        exclude=draw(st.sampled_from([(), (), (first,)])) if several else (),
        limit=draw(st.none() | st.integers(1, 2)),
        fail_fast=draw(st.booleans()),
    )


def conditions(parents: list[str]) -> st.SearchStrategy[Expr]:
    """Give conditions over the inputs `fast` and `mode` and over what parents publish."""
    fast, mode = Ref(Root.INPUT, ("fast",)), Ref(Root.INPUT, ("mode",))
    found: list[st.SearchStrategy[Expr]] = [
        st.sampled_from([fast, Unary("!", fast), Binary("==", mode, Literal("low"))]),
        st.sampled_from([Binary("&&", fast, Binary("!=", mode, Literal("low")))]),
    ]
    if parents:
        published = st.sampled_from(parents).map(lambda name: Ref(Root.TASK_OUTPUT, (name, "n")))
        found.append(
            st.builds(Binary, st.sampled_from(["<=", "=="]), published, st.sampled_from([Literal(1), Literal(3)]))
        )
    return st.one_of(found)


def inputs(features: Collection[Feature]) -> tuple[Input, ...]:
    """Give the inputs of every workflow, and where it is asked for one of each type."""
    if not {Feature.INPUTS, Feature.CONDITIONS, Feature.INPUT_TYPES} & set(features):
        return ()
    odd = "it's {{ x }} $HOME" if Feature.TEXTS in features else "low"
    plain = (
        Input(name="fast", type=InputType.BOOLEAN, default=True, has_default=True),
        Input(name="size", type=InputType.INTEGER, default=4, has_default=True),
        Input(name="mode", type=InputType.STRING, default=odd, has_default=True),
    )
    return (*plain, *_TYPED) if Feature.INPUT_TYPES in features else plain


_TYPED = (
    Input(name="rate", type=InputType.NUMBER, default=0.5, has_default=True, minimum=0, maximum=1, label="Rate"),
    Input(name="kind", type=InputType.CHOICE, choices=(Choice(value="a"), Choice(value="b", label="B")), help="which"),
    Input(name="many", type=InputType.CHOICES, choices=(Choice(value="a"), Choice(value="b")), optional=True),
    Input(name="notes", type=InputType.TEXT, default="one\ntwo", has_default=True),
    Input(name="pause", type=InputType.DURATION, default="5m", has_default=True),
    Input(name="token", type=InputType.SECRET),
    Input(name="data", type=InputType.FILE, optional=True),
    Input(
        name="more",
        type=InputType.GROUP,
        items=(Input(name="depth", type=InputType.INTEGER, default=2, has_default=True),),
    ),
)


def references(features: Collection[Feature], sweep: Sweep | None) -> list[Expr]:
    """Give what the texts of a task may refer to."""
    roots: list[Expr] = []
    if Feature.INPUTS in features:
        roots += [Ref(Root.INPUT, ("size",)), Ref(Root.INPUT, ("mode",))]
    if Feature.INPUT_TYPES in features:
        roots += [Ref(Root.INPUT, ("rate",)), Ref(Root.INPUT, ("kind",)), Ref(Root.INPUT, ("more", "depth"))]
    if Feature.DATA in features:
        roots += [Ref(Root.OUTPUT_FOLDER), Ref(Root.RUN_ID)]
    if sweep is not None:
        roots += [Ref(Root.SWEEP, (parameter.name,)) for parameter in sweep.parameters]
    return roots
