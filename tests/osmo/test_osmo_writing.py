"""What the OSMO writer makes: read back by the reader, which has OSMO's rules, it is the workflow that was written."""

from __future__ import annotations

from random import Random
from typing import Any

import attrs
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pwxc import compiler, registry
from pwxc.compiler import Policy
from pwxc.diagnostics import Severity
from pwxc.ir.data import InlineFile, Variable
from pwxc.ir.expr import Binary, Call, Literal, Ref, Root
from pwxc.ir.inputs import Input, InputType
from pwxc.ir.resources import Container, Resources
from pwxc.ir.sweep import Parameter, Range, Sweep, SweepMode, Values
from pwxc.ir.task import Command, Edge, ExitAction, ExitRule, Gang, Outcome, Retry, Script, Step, Task
from pwxc.ir.template import Template, text
from pwxc.ir.workflow import Workflow
from pwxc.registry import ReadSettings
from pwxc.source import Source

OSMO = registry.find("osmo")
SPARING = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
FROZEN, TOO_MANY = "PWX2120", "PWX2150"
"""What the reader says about a template that decides structure, and about many tasks: not faults of the text."""


def read(source: str, *values: str, texts: tuple[str, ...] = (), clean: bool = True) -> Workflow:
    """Read an OSMO text that the reader has nothing to say about."""
    settings = ReadSettings(values=values, texts=texts)
    found, diagnostics, _ = compiler.read([Source("w.yaml", source)], origin=OSMO, settings=settings)
    said = [item for item in diagnostics if item.code.id not in (FROZEN, TOO_MANY)]
    assert found is not None, f"{[item.message for item in said]}\n{source}"
    assert not clean or not said, f"{[item.message for item in said]}\n{source}"
    return found


def write(workflow: Workflow, *, lossy: bool = False, **options: str) -> str:
    """Write a workflow whose losses are none, unless they are allowed."""
    files, _, messages = compiler.write(workflow, to=OSMO, options=options, policy=Policy(lossy=lossy))
    assert files, [item.message for item in messages]
    return files[0].text


def said(workflow: Workflow, **options: str) -> list[str]:
    """Give the names of what the writer says."""
    return [item.code.name for item in compiler.write(workflow, to=OSMO, options=options, policy=Policy(lossy=True))[2]]


def loaded(source: str, *values: str) -> Any:
    """Give the tasks of a text as plain data, with both passes done."""
    from pwxc.diagnostics import Diagnostics
    from pwxc.yaml.schema import yaml11
    from pwxc.yaml.structure import Reading, plain, within
    from pwxc_targets.osmo import codes as C  # noqa: N812
    from pwxc_targets.osmo.template.expand import Settings, expand

    diagnostics = Diagnostics()
    expanded = expand(Source("w.yaml", source), Settings(set_string=values), diagnostics)
    assert expanded is not None, [item.message for item in diagnostics]
    with within(Reading(expanded.document, diagnostics, yaml11, C.UNKNOWN_SPEC_KEY, C.DUPLICATE_SPEC_KEY)):
        return plain(expanded.document.root)["workflow"]


def task(name: str = "a", script: str | Template = "true", **more: Any) -> Task:
    """Make a task of one script."""
    template = text(script) if isinstance(script, str) else script
    return Task(name=name, steps=(Step(work=Script(template)),), **more)


def foreign(*tasks: Task, **more: Any) -> Workflow:
    """Make a workflow that another system's reader could have made."""
    return Workflow(name="w", dialect="torc", tasks=tasks, **more)


def own(command: tuple[Template, ...] = (text("true"),), **more: Any) -> Workflow:
    """Make a workflow as it is read from OSMO."""
    inputs = more.pop("inputs", ())
    one = Task(name="a", steps=(Step(work=Command(command)),), container=Container(image=text("ubuntu:24.04")), **more)
    return Workflow(name="w", dialect="osmo", tasks=(one,), inputs=inputs)


# text

PIECES = ["{{", "}}", "{%", "%}", "{#", "#}", "${{", "{", "}",
          "'", '"', ": ", "- ", " #", "\n", "\n\n", "\t", " ", "  ",
          "é", "🚀", "$", "$$", "$(A)", "$(", "\\", "|", ">", "&", "*", "!", "%", "@", "`", "a", "1", ",", "[", "]",
          "raw", "endraw", "~", "null", "\u00a0", "\x07", "\x85", "${#a[@]}", "{{ x }}"]  # fmt: skip


def some_texts(seed: int, count: int) -> list[str]:
    """Give random texts of these pieces; a workflow holds many of them, so that a few examples say much."""
    random = Random(seed)
    return ["".join(random.choices(PIECES, k=random.randrange(14))) for _ in range(count)]


seeds = st.integers(0, 2**32)


@SPARING
@given(seeds)
def test_text_of_osmo_survives_osmo(seed: int) -> None:
    given_texts = some_texts(seed, 40)
    templates = [text(value) for value in given_texts]
    given_ = own(
        (text("run"), *templates[:8]),
        environment=tuple(Variable(name=f"A{at:02}", value=value) for at, value in enumerate(templates[8:16])),
        files=tuple(InlineFile(path=text(f"/tmp/{at}"), contents=value) for at, value in enumerate(templates[16:])),
    )
    assert read(write(given_)) == given_


@SPARING
@given(seeds)
def test_text_of_other_systems_survives(seed: int) -> None:
    given_texts = some_texts(seed, 30)
    tasks = [task(f"t{at}", value) for at, value in enumerate(given_texts[:12]) if not value.startswith("#!")]
    environment = tuple(Variable(name=f"A{at:02}", value=text(value)) for at, value in enumerate(given_texts[12:]))
    again = read(write(foreign(*tasks, environment=environment), image="ubuntu:24.04", lossy=True))
    for before, after in zip(tasks, again.tasks, strict=True):
        shown = after.files[0].contents.fill(lambda hole: "/out")
        work = before.steps[0].work
        assert isinstance(work, Script)
        assert shown == f"cd /out || exit 1\n{work.text.literal}"
        assert after.environment == environment


@SPARING
@given(seeds)
def test_text_around_a_parameter(seed: int) -> None:
    """Text with a hole in it is the same as before when the value is the default."""
    around, values = some_texts(seed, 24), some_texts(seed + 1, 12)
    variables, inputs = [], []
    for at, value in enumerate(values):
        hole = Ref(Root.INPUT, (f"x{at}",))
        inputs.append(Input(name=f"x{at}", type=InputType.TEXT, default=value, has_default=True))
        before, after = around[2 * at], around[2 * at + 1]
        templates = (Template.of(before, hole, after), Template.of(hole, after), Template.of(before, hole))
        variables += [Variable(name=f"A{at}{way}", value=template) for way, template in enumerate(templates)]
    given_ = foreign(task(environment=tuple(variables)), inputs=tuple(inputs))
    made = read(write(given_, image="a", lossy=True)).tasks[0].environment

    def show(variable: Variable) -> str:
        return variable.value.fill(lambda hole: values[int(hole.path[0][1:])])

    assert {item.name: show(item) for item in made} == {item.name: show(item) for item in variables}


tame_values = st.lists(
    st.sampled_from([*"ab1'\"\\|>&*!%@`,[]:#-", ": ", "- ", " #", "é", "🚀", "null", "1"]), max_size=8
)


@SPARING
@given(tame_values.map("".join), tame_values.map("".join))
def test_other_values_of_a_parameter(value: str, other: str) -> None:
    """Rendering with another value is the same as compiling with it."""
    hole = Ref(Root.INPUT, ("x",))
    template = Template.of("{{ a ", hole, " ${#b} ", hole)

    def made(default: str) -> str:
        return write(
            own(
                (text("run"), template),
                environment=(Variable(name="A", value=Template.of(hole)),),
                files=(InlineFile(path=text("/tmp/x"), contents=Template.of(hole, "\n")),),
                inputs=(Input(name="x", default=default, has_default=True),),
            )
        )

    assert loaded(made(value), f"x={other}") == loaded(made(other))


def test_a_literal_token_reaches_the_script() -> None:
    made = write(foreign(task(script="echo '{{output}}' <<output>>\n")), image="a", lossy=True)
    tree = loaded(made)
    contents = tree["tasks"][0]["files"][1]["contents"]
    assert contents == "echo '{@brace@output}}' <@less@output>>\n"
    driver = tree["tasks"][0]["files"][0]["contents"]
    assert "text=${text//'@brace@'/\"{\"}" in driver


def test_no_mark_no_template() -> None:
    made = write(own((text("echo"), text("${a} {a,b} 100%"))))
    assert "{%" not in made
    assert "{{" not in made


def test_the_section_does_not_end_in_a_block() -> None:
    assert read(write(own((text("a"), text("b\nc\n"))))).tasks[0].steps[0].work == Command((text("a"), text("b\nc\n")))
    hole = Ref(Root.INPUT, ("x",))
    given_ = own(
        (text("a"), Template.of(hole, "\n")), inputs=(Input(name="x", default="y", has_default=True, label="x"),)
    )
    assert read(write(given_)) == given_


# a round


ROUND = """\
workflow:
  name: train-{{ size }}
  pool: big
  labels: {team: robots}
  groups:
  - name: prepare
    tasks:
    - name: fetch
      lead: true
      image: "{{ registry }}/tool:1.2"
      command: [bash, -c]
      args:
      - |
        echo {{ note }} > {{output}}/x; echo ${A}
        awk '{ print $1 }'
      environment:
        LEVEL: "010"
        NOTE: |-
          {{ note }}
      inputs:
      - url: s3://bucket/{{ note }}
        regex: '.*\\.txt'
  - name: train
    barrier: false
    ignoreNonleadStatus: false
    tasks:
    - name: master
      lead: true
      image: a/b@sha256:00
      command: [torchrun, '{{host:worker}}', '{{input:0}}/y', '{{workflow_id}}']
      resource: large
      inputs: [{task: fetch}]
      exitActions: {FAIL: '3', COMPLETE: '0,7-9', RESCHEDULE: 3006}
      checkpoint:
      - {path: /c, url: 's3://b/c', frequency: '{{ often }}s', regex: x}
      credentials:
        store: {TOKEN: key}
        files: /secrets
      outputs: [{url: 'gs://b/c'}]
    - name: worker
      image: a/b
      command: [sleep, '1']
      volumeMounts: ['/data:/data']
      privileged: true
      hostNetwork: true
      kpis: [{index: a, path: b}]
      cacheSize: 2Gi
  resources:
    default: {}
    large:
      cpu: "{{ size }}"
      gpu: 2
      memory: "{{ size }}Gi"
      storage: 1.5Gi
      platform: dgx
      nodesExcluded: [n1]
      topology: [{key: rack, requirementType: preferred}]
  timeout: {exec_timeout: 90m, queue_timeout: 5400}
default-values:
  size: 8
  registry: nvcr.io
  note: it's "here"
  often: 30
"""


def test_everything_of_osmo_comes_back() -> None:
    first = read(ROUND)
    made = write(first)
    assert read(made) == first
    assert write(read(made)) == made


def test_every_leaf_of_osmo_is_exact() -> None:
    _, report, messages = compiler.write(read(ROUND), to=OSMO, options={}, policy=Policy())
    assert not messages
    assert {str(entry.fate) for entry in report.entries} <= {"exact", "cosmetic", "emulated"}


# order, groups, names


def test_parents_stand_first() -> None:
    made = read(write(foreign(task("b", needs=(Edge(parent="a"),)), task("a")), image="x", lossy=True))
    assert [item.name for item in made.tasks] == ["a", "b"]
    assert [edge.parent for edge in made.tasks[1].needs] == ["a"]


def test_tasks_outside_gangs_become_groups_of_one() -> None:
    gang = Gang(name="g", members=("m", "n"), lead="n", needs=(Edge(parent="alone"),))
    made = read(write(foreign(task("m"), task("n"), task("alone"), gangs=(gang,)), image="x", lossy=True))
    assert {item.name: (item.members, item.lead) for item in made.gangs} == {
        "alone-group": (("alone",), "alone"),
        "g": (("m", "n"), "n"),
    }
    assert made.gangs[1].needs[0].parent == "alone-group"


@SPARING
@given(st.lists(st.text("ab_-.A 1é/", min_size=1, max_size=70), min_size=1, max_size=6, unique=True))
def test_any_names(names: list[str]) -> None:
    given_ = foreign(*(task(name) for name in names))
    made = read(write(given_, image="x", lossy=True))
    assert len({item.name for item in made.tasks}) == len(names)


def test_names_that_become_groups_do_not_meet() -> None:
    made = read(write(foreign(task("a"), task("a-group"), task("a_group")), image="x", lossy=True))
    assert len(made.tasks) == 3


# sweeps


def sweep(**values: Any) -> Sweep:
    return Sweep(parameters=tuple(Parameter(name=name, values=found) for name, found in values.items()))


def test_a_sweep_is_a_loop() -> None:
    swept = task("t", Template.of("run ", Ref(Root.SWEEP, ("i",)), " ", Ref(Root.SWEEP, ("s",))),
                 sweep=sweep(i=Range(1, 5, 2), s=Values(("x y", "it's"))))  # fmt: skip
    source = write(foreign(swept, task("end", needs=(Edge(parent="t"),))), image="x", lossy=True)
    assert "{% for" in source
    made = loaded(source)["tasks"]
    ran = [item["files"][0]["contents"].splitlines()[-1] for item in made[:-1]]
    assert ran == [f"run {i} {s}" for i in (1, 3, 5) for s in ("x y", "it's")]
    assert [item["task"] for item in made[-1]["inputs"]] == [item["name"] for item in made[:-1]]
    read(source)


def test_instances_follow_instances() -> None:
    over = sweep(i=Range(0, 2))
    first = task("p", sweep=over)
    second = task("c", sweep=over, needs=(Edge(parent="p", same_instance=True),))
    made = loaded(write(foreign(first, second), image="x", lossy=True))["tasks"]
    assert {item["name"]: [one["task"] for one in item["inputs"]] for item in made[3:]} == {
        f"c-{i}": [f"p-{i}"] for i in range(3)
    }


def test_rows_and_zips() -> None:
    body = Template.of(Ref(Root.SWEEP, ("a",)), "/", Ref(Root.SWEEP, ("b",)), "/", Ref(Root.SWEEP_INDEX))
    zipped = attrs.evolve(sweep(a=Range(0.5, 1.5, 0.5), b=Values(("x", "{{", "\n"))), mode=SweepMode.ZIP)
    made = loaded(write(foreign(task("t", body, sweep=zipped)), image="x", lossy=True))["tasks"]
    ran = [item["files"][0]["contents"].partition("exit 1\n")[2] for item in made]
    assert ran == ["0.5/x/0", "1/{{/1", "1.5/\n/2"]


def test_formats_of_values() -> None:
    body = Template.of(Call("format", (Ref(Root.SWEEP, ("i",)), Literal("03d"))))
    made = loaded(write(foreign(task("t", body, sweep=sweep(i=Range(7, 8)))), image="x", lossy=True))["tasks"]
    assert [item["files"][0]["contents"].splitlines()[-1] for item in made] == ["007", "008"]


def test_a_sweep_costs_nothing_to_write() -> None:
    huge = foreign(task("t", sweep=sweep(i=Range(0, 10**12))))
    assert {"osmo-too-many-tasks", "osmo-sweep-too-large"} <= set(said(huge, image="x"))
    assert len(write(huge, image="x", lossy=True)) < 2000
    assert "osmo-too-many-tasks" not in said(foreign(task("t", sweep=sweep(i=Range(0, 30)))), image="x", max_tasks="50")


# conditions


def test_conditions_on_inputs() -> None:
    flag = Input(name="go", type=InputType.BOOLEAN, default=True, has_default=True)
    kind = Input(name="kind", default="x", has_default=True)
    test = Binary("&&", Ref(Root.INPUT, ("go",)), Binary("==", Ref(Root.INPUT, ("kind",)), Literal("x")))
    source = write(
        foreign(
            task("a", condition=test),
            task("b", needs=(Edge(parent="a"),)),
            task("c", needs=(Edge(parent="a", when=Outcome.END),)),
            task("d"),
            inputs=(flag, kind),
        ),
        image="x",
        lossy=True,
    )
    for values in ((), ("go=false",), ("kind=y",)):
        read(source, *values)
        names = [item["name"] for item in loaded(source, *values)["tasks"]]
        assert names == (["a", "b", "c", "d"] if not values else ["c", "d"])


# what is refused or told


@pytest.mark.parametrize(
    ("workflow", "code"),
    [
        (foreign(task()), "osmo-no-image"),
        (foreign(task(container=Container(image=text("/images/a.sif")))), "osmo-image-form"),
        (foreign(task(resources="r"), resources=(Resources(name="r", nodes=4000),)), "osmo-nodes-of-a-member"),
        (foreign(task("a"), task("b", needs=(Edge(parent="a", when=Outcome.START),))), "osmo-edge"),
        (foreign(), "osmo-empty-workflow"),
    ],
)
def test_refusals(workflow: Workflow, code: str) -> None:
    files, report, _ = compiler.write(workflow, to=OSMO, options={}, policy=Policy())
    assert not files
    assert code in [item.code.name for item in report.refused]
    assert all(item.severity is Severity.ERROR for item in report.refused)


def test_limits() -> None:
    made = write(foreign(task("a", run_timeout=3600), task("b", run_timeout=90)), image="x", lossy=True)
    tree = yaml.safe_load(made)["workflow"]
    assert tree["timeout"] == {"exec_timeout": "1h"}
    assert tree["tasks"][0]["command"] == ["bash"]
    assert tree["tasks"][1]["command"] + tree["tasks"][1]["args"] == ["timeout", "90s", "bash", "/tmp/b.sh"]


def test_a_task_without_a_limit_keeps_none() -> None:
    tree = yaml.safe_load(write(foreign(task("a", run_timeout=3600), task("b")), image="x", lossy=True))["workflow"]
    assert "timeout" not in tree
    assert tree["tasks"][0]["command"] == ["timeout"]


def test_amounts() -> None:
    records = (Resources(name="r", cpus=2, tasks=3, memory_per_cpu=2**30, storage=1500, gpus=1),)
    tree = yaml.safe_load(write(foreign(task(resources="r"), task("b"), resources=records), image="x", lossy=True))
    assert tree["workflow"]["resources"] == {
        "r": {"cpu": 6, "gpu": 1, "memory": "6Gi", "storage": "2Ki"},
        "default": {},
    }


def test_exit_rules() -> None:
    rules = (
        ExitRule(action=ExitAction.RETRY, codes=((1, 5),), retry=Retry(limit=None)),
        ExitRule(action=ExitAction.FAIL, codes=((0, 3),)),
    )
    tree = yaml.safe_load(write(foreign(task(exit_rules=rules)), image="x", lossy=True))["workflow"]
    assert tree["tasks"][0]["exitActions"] == {"RESCHEDULE": "1-5", "FAIL": "0"}


def test_a_format_in_a_text_of_one_line() -> None:
    """Quotes around an expression would double those in it, and the template is rendered before it is YAML."""
    shown = Call("format", (Ref(Root.SWEEP, ("x",)), Literal(".2f")))
    step = Step(work=Command((text("run"), Template.of("--x=", shown))))
    swept = Task(name="t", steps=(step,), sweep=sweep(x=Values((0.5, 2.0))))
    made = loaded(write(foreign(swept), image="x", lossy=True))["tasks"]
    assert [item["args"] for item in made] == [["--x=0.50"], ["--x=2.00"]]
