"""What torc cannot wait for is tested by the jobs: really run, they do what the reference machine says."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from torc_files import written
from torc_worker import run_jobs

from pwxc.ir.expr import Binary, Expr, Literal, Ref, Root, Unary
from pwxc.ir.sweep import Parameter, Range, Sweep
from pwxc.ir.task import Edge, Outcome, Publication, Script, Step, Task
from pwxc.ir.template import Template
from pwxc.ir.workflow import Workflow
from pwxc.semantics.environment import Fails, Scenario
from pwxc.semantics.machine import execute

SWEEP = Sweep(parameters=(Parameter(name="i", values=Range(1, 2)),))
STATUS = [Ref(Root.STATUS, (word,)) for word in ("always", "completed", "error", "canceled")]
CONDITIONS: list[Expr | None] = [None, None, None, *STATUS, Unary("!", STATUS[1]), Literal(False)]


@st.composite
def graphs(draw: st.DrawFn) -> tuple[Workflow, frozenset[str]]:
    """Draw a graph of tasks with edges of every kind, and those that fail."""
    tasks: list[Task] = []
    for number in range(draw(st.integers(2, 5))):
        name = f"t{number}"
        swept = draw(st.integers(0, 3)) == 0
        parents = draw(st.lists(st.sampled_from(tasks), unique_by=lambda task: task.name, max_size=3)) if tasks else []
        kinds = (Outcome.SUCCESS, Outcome.SUCCESS, Outcome.FAILURE, Outcome.END)
        needs = tuple(
            Edge(parent=task.name, when=draw(st.sampled_from(kinds)), same_instance=swept and task.sweep is not None)
            for task in parents
        )
        text = (f"echo {name}_", Ref(Root.SWEEP, ("i",)), " >> log") if swept else (f"echo {name} >> log",)
        end = f"; exit ${{{name}_fails-0}}"
        tasks.append(
            Task(
                name=name,
                steps=(Step(work=Script(Template((*text[:-1], text[-1] + end)))),),
                needs=needs,
                condition=draw(st.sampled_from(CONDITIONS)),
                sweep=SWEEP if swept else None,
            )
        )
    failing = draw(st.frozensets(st.sampled_from([task.name for task in tasks])))
    return Workflow(name="w", dialect="slurm", tasks=tuple(tasks)), failing


def ran(workflow: Workflow, failing: frozenset[str]) -> set[str]:
    """Give what the reference machine runs."""
    trace = execute(workflow, Scenario(Fails(task=name, codes=(3,)) for name in failing))
    return {
        each.task if each.index is None else f"{each.task}_{each.index + 1}"
        for each, record in trace.instances.items()
        if record.ran
    }


@settings(max_examples=30, deadline=None)
@given(graphs())
def test_the_same_jobs_do_something(pair: tuple[Workflow, frozenset[str]]) -> None:
    workflow, failing = pair
    made, ledger, _ = written(workflow)
    assert not [item for item in ledger.diagnostics if item.code.severity == "error"]
    with tempfile.TemporaryDirectory() as folder:
        run_jobs(made, Path(folder), {f"{name}_fails": "3" for name in failing})
        log = Path(folder, "log")
        assert set(log.read_text().split() if log.exists() else ()) == ran(workflow, failing)


def command(text: str) -> tuple[Step, ...]:
    return (Step(work=Script(Template((text,)))),)


def test_what_asks_for_nothing_special_is_left_alone():
    tasks = (
        Task(name="a", steps=command("x")),
        Task(name="b", steps=command("y"), needs=(Edge(parent="a"),)),
        Task(name="c", steps=command("z"), needs=(Edge(parent="a", when=Outcome.END),)),
    )
    jobs = yaml.safe_load(written(Workflow(name="w", dialect="pw", tasks=tasks))[0].files[0].text)["jobs"]
    assert [job["command"] for job in jobs] == ["x", "y", "z"]
    assert [job.get("cancel_on_blocking_job_failure") for job in jobs] == [None, True, False]


VALUE = Ref(Root.TASK_OUTPUT, ("a", "n"))


@pytest.mark.parametrize(
    ("condition", "runs"),
    [
        (Binary("==", VALUE, Literal("7")), True),
        (Binary("!=", VALUE, Literal("7")), False),
        (Binary(">", VALUE, Literal(10)), False),
        (Binary("&&", Binary("<=", VALUE, Literal(7)), Unary("!", Binary("==", VALUE, Literal("x y")))), True),
        (Binary("||", Binary("includes", VALUE, Literal("8")), VALUE), True),
    ],
)
def test_conditions_look_at_what_other_jobs_hand_on(condition: Expr, runs: bool, tmp_path: Path) -> None:
    tasks = (
        Task(name="a", steps=command("true"), outputs=(Publication("n", Template(("7",))),)),
        Task(name="b", steps=command("echo b >> log"), needs=(Edge(parent="a"),), condition=condition),
    )
    made, ledger, _ = written(Workflow(name="w", dialect="pw", tasks=tasks))
    assert {item.code.name for item in ledger.diagnostics} == {"torc-tested", "torc-chosen-runtime"}
    assert set(run_jobs(made, tmp_path).values()) == {0}
    assert (tmp_path / "log").exists() is runs


def test_a_condition_that_bash_cannot_work_out_is_refused():
    condition = Binary("<", Binary("+", VALUE, Literal(1)), Literal(3))
    tasks = (
        Task(name="a", steps=command("true"), outputs=(Publication("n", Template(("7",))),)),
        Task(name="b", steps=command("x"), needs=(Edge(parent="a"),), condition=condition),
    )
    _, ledger, _ = written(Workflow(name="w", dialect="pw", tasks=tasks))
    assert "torc-condition" in {item.code.name for item in ledger.diagnostics}
