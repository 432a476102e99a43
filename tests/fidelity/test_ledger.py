"""The account adds up: every part of a workflow has one fate, and what a writer does not know is told."""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pwxc
from pwxc import compiler, registry
from pwxc.compiler import Policy
from pwxc.diagnostics import Diagnostics, Severity
from pwxc.fidelity import KEEPING, Fate, Report
from pwxc.ir.data import Checkpoint, InlineFile, Read, Secret, TaskOutput, Url, Variable, Write
from pwxc.ir.entity import entity, is_entity
from pwxc.ir.expr import Ref, Root
from pwxc.ir.inputs import Input, InputType
from pwxc.ir.resources import Container, Resources
from pwxc.ir.task import Command, Edge, ExitAction, ExitRule, Gang, GangStatus, Retry, Step, Task
from pwxc.ir.template import Template, text
from pwxc.ir.workflow import Workflow

ROOT = Path(__file__).resolve().parents[2]
CORPUS = Path(os.environ.get("PWXC_CORPUS", ROOT.parent / "shared" / "corpus")) / "osmo"


def parts(noun: Any) -> Iterator[str]:
    """Give the parts of a noun that count: fields with a value of their own, down to the last noun."""
    for field in attrs.fields(type(noun)):
        value = getattr(noun, field.name)
        default = field.default
        if isinstance(default, attrs.Factory):
            default = default.factory()
        if not field.eq or field.name == "span" or value == default:
            continue
        children = value if isinstance(value, tuple) else (value,)
        if children and all(is_entity(child) for child in children):
            for child in children:
                yield from parts(child)
        else:
            yield field.name


def write(workflow: Workflow, to: str = "pw", **policy: Any) -> tuple[Any, Report, list[Any]]:
    target = registry.find(to)
    assert target is not None
    return compiler.write(workflow, to=target, options={}, policy=Policy(**policy))


def check(workflow: Workflow, files: Any, report: Report, said: list[Any], policy: Policy) -> None:
    counted = Counter(entry.construct.rpartition(".")[2] for entry in report.entries)
    assert counted == Counter(parts(workflow))
    assert sum(report.totals.values()) == len(report.entries)
    assert report.totals == {fate: sum(entry.fate is fate for entry in report.entries) for fate in Fate}
    for entry in report.entries:
        assert (entry.fate in KEEPING) == (entry.code is None), entry
        if entry.code is not None:
            assert entry.why
            assert any(item.code is entry.code for item in said), entry
    assert set(report.refused) <= set(said)
    assert bool(report.refused) == any(item.severity is Severity.ERROR for item in said)
    assert bool(files) == (not report.refused)
    if policy.lossy:
        assert report.refused == ()


def corpus() -> list[dict[str, str]]:
    index = CORPUS / "INDEX.tsv"
    if not index.is_file():
        return []
    with index.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return [row for row in rows if "accepted" in row["verdict_main"] + row["verdict_6_3"]]


@cache
def lowered(name: str, values: str) -> Workflow:
    pairs = dict(item.split("=", 1) for item in values.split())
    workflow, diagnostics = pwxc.read(CORPUS / name, origin="osmo", values=pairs)
    assert workflow is not None, [item.message for item in diagnostics]
    return workflow


@pytest.mark.corpus
@pytest.mark.parametrize("row", corpus(), ids=lambda row: row["file"])
def test_the_report_of_a_real_file_adds_up(row):
    workflow = lowered(row["file"], row["set"])
    files, report, said = write(workflow)
    check(workflow, files, report, said, Policy())
    files, report, said = write(workflow, lossy=True)
    check(workflow, files, report, said, Policy(lossy=True))
    assert files


@pytest.mark.corpus
@pytest.mark.parametrize("row", corpus(), ids=lambda row: row["file"])
def test_each_loss_of_a_real_file_can_be_allowed_by_its_code(row):
    workflow = lowered(row["file"], row["set"])
    _, report, _ = write(workflow)
    codes = {item.code for item in report.refused}
    assert write(workflow, allow=frozenset(code.id for code in codes))[0]
    assert write(workflow, allow=frozenset(code.name for code in codes))[0]
    for code in codes:
        files, left, _ = write(workflow, allow=frozenset(other.id for other in codes - {code}))
        assert not files
        assert {item.code for item in left.refused} == {code}


# made workflows


INPUTS = (
    Input(name="size", type=InputType.INTEGER, default=4, has_default=True, label="size"),
    Input(name="name", default="n", has_default=True, label="name"),
)


def full() -> Workflow:
    """Make a workflow with everything that the OSMO reader makes."""
    out, run = Ref(Root.OUTPUT_FOLDER), Ref(Root.RUN_ID)
    task = Task(
        name="a",
        steps=(Step(work=Command((text("bash"), Template(("x ", Ref(Root.INPUT, ("size",))))))),),
        container=Container(image=text("u:1"), mounts=("/a:/b",), privileged=True, host_network=True),
        resources="big",
        reads=(Read(name="0", origin=Url(text("s3://b/c")), pattern=".*x"),),
        writes=(Write(destination=Url(Template(("s3://b/", run))), pattern="x"),),
        files=(InlineFile(path=text("/tmp/f"), contents=Template(("echo ", out))),),
        environment=(Variable(name="A", value=Template((Ref(Root.INPUT, ("name",)),))),),
        secrets=(Secret(name="c", variables=(("T", "k"),)), Secret(name="d", folder=text("/s"))),
        checkpoints=(Checkpoint(path=text("/w"), url=text("s3://b"), interval=60.0, pattern="y"),),
        run_timeout=60.0,
        queue_timeout=120.0,
        exit_rules=(
            ExitRule(action=ExitAction.FAIL, codes=((0, 0),)),
            ExitRule(action=ExitAction.RETRY, codes=((137, 140),), retry=Retry(limit=None)),
        ),
    )
    b = Task(name="b", steps=(Step(work=Command((text("sh"), Template((Ref(Root.HOST, ("c",)),))))),))
    c = Task(name="c", steps=(Step(work=Command((text("sh"),))),), reads=(Read(name="0", origin=TaskOutput("a")),))
    gang = Gang(
        name="g",
        members=("b", "c"),
        lead="c",
        barrier=False,
        status=GangStatus.ALL,
        needs=(Edge(parent="a", implied=True),),
        run_timeout=60.0,
    )
    return Workflow(
        name="w",
        dialect="osmo",
        inputs=INPUTS,
        tasks=(task, b, c),
        gangs=(gang,),
        resources=(Resources(name="big", cpus=Ref(Root.INPUT, ("size",)), gpus=1, memory=2**30, storage=2**31),),
        labels=(("team", "x"),),
    )


TARGETS = [target.name for target in registry.all_targets() if target.write is not None]


@pytest.mark.parametrize("to", TARGETS)
def test_the_report_of_a_full_workflow_adds_up(to):
    workflow = full()
    files, report, said = write(workflow, to, lossy=True)
    check(workflow, files, report, said, Policy(lossy=True))


def nouns_below(value: Any) -> Iterator[Any]:
    if is_entity(value):
        yield value
        for field in attrs.fields(type(value)):
            yield from nouns_below(getattr(value, field.name))
    elif isinstance(value, tuple):
        for item in value:
            yield from nouns_below(item)


CLASSES = sorted({type(noun) for noun in nouns_below(full())}, key=lambda cls: cls.__name__)


def renewed(value: Any, old: type, new: type) -> Any:
    """Replace each noun of a class by one of its successor, which has a field more."""
    if is_entity(value):
        fields = {field.name: renewed(getattr(value, field.name), old, new) for field in attrs.fields(type(value))}
        return new(**fields, novelty="x") if type(value) is old else type(value)(**fields)
    if isinstance(value, tuple) and value and is_entity(value[0]):
        return tuple(renewed(item, old, new) for item in value)
    return value


LOST_AS_A_WHOLE = {(Retry, "pw"), (Secret, "slurm"), (Checkpoint, "slurm")}
"""Nouns whose loss a writer tells as a whole, which holds for all that is in them."""


@pytest.mark.parametrize("to", TARGETS)
@pytest.mark.parametrize("old", CLASSES, ids=lambda cls: cls.__name__)
def test_a_field_that_the_writer_does_not_take_is_told(old, to):
    new = entity(
        type(old.__name__, (old,), {"__annotations__": {"novelty": str}, "novelty": "", "__module__": __name__})
    )
    workflow = renewed(full(), old, new)
    count = sum(type(noun) is new for noun in nouns_below(workflow))
    assert count > 0
    _, before, _ = write(full(), to)
    files, report, said = write(workflow, to)
    found = [entry for entry in report.entries if entry.construct.endswith(".novelty")]
    assert len(found) == count
    assert all(entry.fate not in KEEPING for entry in found)
    lost = [entry for entry in found if entry.code is not None and entry.code.id == "PWX3001"]
    if (old, to) in LOST_AS_A_WHOLE:
        assert lost == []
        return
    assert len(lost) == count
    assert not files
    told = [item for item in said if item.code.id == "PWX3001" and "`novelty` is not carried" in item.message]
    assert len(told) == count
    allowed = frozenset({"PWX3001", *(item.code.id for item in before.refused)})
    assert write(workflow, to, allow=allowed)[0]


WORDS = st.sampled_from(["x", "a b", "é", "$HOME", "it's", '"', "{{x}}", "${{ inputs.x }}", "\n"])
REFERENCES = st.sampled_from([Ref(Root.OUTPUT_FOLDER), Ref(Root.RUN_ID), Ref(Root.INPUT, ("name",))])
TEMPLATES = st.lists(st.one_of(WORDS, REFERENCES), min_size=1, max_size=3).map(lambda found: Template.of(*found))
FEW = st.lists(TEMPLATES, max_size=2)
AMOUNTS = st.none() | st.integers(1, 2**40) | st.just(Ref(Root.INPUT, ("size",)))
SECONDS = st.none() | st.floats(1, 10**6) | st.just(Ref(Root.INPUT, ("size",)))


@st.composite
def tasks(draw: Any, name: str, parents: tuple[str, ...]) -> Task:
    arguments = tuple(draw(st.lists(TEMPLATES, min_size=1, max_size=2)))
    reads = tuple(Read(name=str(n), origin=TaskOutput(parent)) for n, parent in enumerate(parents))
    return Task(
        name=name,
        steps=(Step(work=Command(arguments)),),
        needs=tuple(Edge(parent=parent, implied=True) for parent in parents),
        reads=reads,
        container=draw(st.none() | st.builds(Container, image=st.just(text("u:1")), host_network=st.booleans())),
        resources=draw(st.sampled_from([None, "r"])),
        environment=tuple(Variable(name=f"V{n}", value=value) for n, value in enumerate(draw(FEW))),
        files=tuple(InlineFile(path=text(f"/tmp/{n}"), contents=value) for n, value in enumerate(draw(FEW))),
        secrets=draw(st.sampled_from([(), (Secret(name="c", variables=(("T", "k"),)),)])),
        run_timeout=draw(SECONDS),
        queue_timeout=draw(SECONDS),
        exit_rules=draw(
            st.sampled_from([(), (ExitRule(action=ExitAction.COMPLETE, codes=((1, 3),)),),
                             (ExitRule(action=ExitAction.RETRY, codes=((9, 9),), retry=Retry(limit=2)),)])
        ),
        priority=draw(st.sampled_from([None, 3])),
    )  # fmt: skip


@st.composite
def workflows(draw: Any) -> Workflow:
    names = ["a", "b", "c"][: draw(st.integers(1, 3))]
    made = []
    for number, name in enumerate(names):
        parents = tuple(parent for parent in names[:number] if draw(st.booleans()))
        made.append(draw(tasks(name, parents)))
    record = Resources(name="r", cpus=draw(AMOUNTS), memory=draw(AMOUNTS), gpus=draw(AMOUNTS), storage=draw(AMOUNTS))
    return Workflow(
        name="w",
        inputs=INPUTS,
        tasks=tuple(made),
        resources=(record,),
        labels=draw(st.sampled_from([(), (("team", "x"),)])),
        description=draw(st.sampled_from(["", "words"])),
    )


@pytest.mark.parametrize("to", TARGETS)
@settings(max_examples=25, deadline=None)
@given(workflow=workflows(), lossy=st.booleans())
def test_the_report_of_any_workflow_adds_up(to, workflow, lossy):
    files, report, said = write(workflow, to, lossy=lossy)
    check(workflow, files, report, said, Policy(lossy=lossy))


def test_nothing_is_counted_that_was_not_read():
    """A workflow with nothing but a name and a task is these parts and no more."""
    workflow = Workflow(name="w", tasks=(Task(name="a", steps=(Step(work=Command((text("x"),))),)),))
    assert sorted(parts(workflow)) == ["name", "name", "work"]
    _, report, _ = write(workflow, lossy=True)
    assert sorted(entry.construct for entry in report.entries) == [
        "workflow w task a step.work",
        "workflow w task a.name",
        "workflow w.name",
    ]


def test_reading_errors_are_not_in_the_report():
    compiled = pwxc.compile("workflow:\n  name: a\n", to="pw", origin="osmo")
    assert (compiled.report, compiled.files, compiled.refused) == (Report(), (), False)
    assert Diagnostics(list(compiled.diagnostics)).failed
