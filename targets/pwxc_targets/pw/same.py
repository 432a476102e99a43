"""ACTIVATE to ACTIVATE: what was read and not changed since is written as it was.

The reader leaves in `Workflow.origin` the surface model and the workflow that it made of it. A noun that is still
equal to the one that was read has the same meaning, so its construct is taken over word for word; everything else
is made anew from the IR.
"""

from __future__ import annotations

from typing import Any

import attrs

from pwxc.fidelity import Fate, Ledger
from pwxc.ir.task import Task
from pwxc.ir.workflow import Workflow
from pwxc.yaml.structure import to_tree
from pwxc_targets.pw import model


@attrs.frozen(eq=False)
class Own:
    """A file as it was read: its surface model, and the workflow that was made of it."""

    written: model.PwWorkflow
    workflow: Workflow

    def job(self, workflow: Workflow, task: Task) -> model.Job | None:
        """Give the job that a task was read from, if the task and its resources are as they were read."""
        before = next((other for other in self.workflow.tasks if other.name == task.name), None)
        if before is None or (before is not task and before != task):
            return None
        if task.resources is not None and _class(workflow, task.resources) != _class(self.workflow, task.resources):
            return None
        job = self.written.jobs.get(task.name)
        return job if isinstance(job, model.Job) else None

    def form(self, workflow: Workflow) -> model.On | None:
        """Give the form, if the inputs are as they were read."""
        return self.written.on if workflow.inputs == self.workflow.inputs else None


def _class(workflow: Workflow, name: str) -> object:
    return next((record for record in workflow.resources if record.name == name), None)


def own_of(workflow: Workflow) -> Own | None:
    """Give the file that a workflow was read from, if it is one of this dialect."""
    return workflow.origin if isinstance(workflow.origin, Own) else None


def write_own(workflow: Workflow, ledger: Ledger) -> dict[str, Any] | None:
    """Give the tree of the file that a workflow was read from, if nothing has been changed since.

    Everything is then settled in the ledger as exact.
    """
    own = own_of(workflow)
    if own is None or workflow != own.workflow:
        return None
    with ledger.of(workflow) as account:
        account.whole(Fate.EXACT)
    tree: dict[str, Any] = to_tree(own.written)
    return tree


def write_job(workflow: Workflow, task: Task, ledger: Ledger) -> model.Job | None:
    """Give the job that a task was read from, if it is unchanged, and settle the task as exact."""
    own = own_of(workflow)
    job = own.job(workflow, task) if own is not None else None
    if job is not None:
        with ledger.of(task) as account:
            account.whole(Fate.EXACT)
        for record in workflow.resources:
            if record.name == task.resources:
                with ledger.of(record) as account:
                    account.whole(Fate.EXACT)
    return job


def write_form(workflow: Workflow, ledger: Ledger) -> model.On | None:
    """Give the form that the inputs were read from, if they are unchanged, and settle them as exact."""
    own = own_of(workflow)
    found = own.form(workflow) if own is not None else None
    if found is not None:
        for item in workflow.inputs:
            with ledger.of(item) as account:
                account.whole(Fate.EXACT)
    return found
