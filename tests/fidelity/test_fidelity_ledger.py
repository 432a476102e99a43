"""The ledger: what no account settles is reported, and every leaf has an entry."""

from __future__ import annotations

from pwxc.diagnostics import codes as C  # noqa: N812
from pwxc.fidelity import Fate, Ledger, Report
from pwxc.ir.data import Variable
from pwxc.ir.task import Task
from pwxc.ir.template import text
from pwxc.ir.workflow import Workflow

TASK = Task(name="a", priority=3, environment=(Variable(name="X", value=text("1")),))
WORKFLOW = Workflow(name="w", tasks=(TASK,))


def closed():
    ledger = Ledger()
    with ledger.of(WORKFLOW) as account:
        account.take("name")
        account.take("tasks", Fate.EMULATED)
    with ledger.of(TASK, where="jobs.a") as account:
        account.cosmetic("name")
        account.drop("priority", C.NOT_CARRIED, "no priorities here")
    with ledger.of(TASK.environment[0]) as account:
        account.emulate("name", "value")
    return ledger, ledger.close(WORKFLOW)


def test_every_leaf_has_an_entry():
    _, entries = closed()
    assert [(entry.construct, entry.fate, entry.where) for entry in entries] == [
        ("workflow w.name", Fate.EXACT, ""),
        ("workflow w task a.name", Fate.COSMETIC, "jobs.a"),
        ("workflow w task a variable X.name", Fate.EMULATED, "jobs.a"),
        ("workflow w task a variable X.value", Fate.EMULATED, "jobs.a"),
        ("workflow w task a.priority", Fate.DROPPED, ""),
    ]
    assert len(entries) == 5
    assert Report(entries).totals[Fate.EMULATED] == 2


def test_what_is_not_settled_is_reported_though_nobody_asks_for_the_entries():
    ledger = Ledger()
    ledger.of(WORKFLOW).take("name")
    ledger.of(TASK).take("priority")
    entries = ledger.close(WORKFLOW)
    told = ["task a: `name` is not carried into the output"]
    told += [f"variable X: `{name}` is not carried into the output" for name in ("name", "value")]
    assert [item.message for item in ledger.diagnostics] == told
    assert [entry.why for entry in entries if entry.fate is Fate.DROPPED] == told
    assert {entry.code for entry in entries if entry.fate is Fate.DROPPED} == {C.NOT_CARRIED}
    assert len(ledger.diagnostics.items) == 3
