"""The IR into an ACTIVATE workflow file."""

from __future__ import annotations

from collections.abc import Mapping

from pwxc.fidelity import Fate, Ledger
from pwxc.ir.workflow import Workflow, units
from pwxc.registry import OutputFile, Written
from pwxc.yaml.structure import to_tree
from pwxc.yaml.writer import write_yaml
from pwxc_targets.pw import writing_codes as C  # noqa: N812
from pwxc_targets.pw.context import Writing
from pwxc_targets.pw.jobs import write_unit
from pwxc_targets.pw.model import Execute, On, PwWorkflow
from pwxc_targets.pw.names import unique_names
from pwxc_targets.pw.same import write_own
from pwxc_targets.pw.submission import REQUESTS
from pwxc_targets.pw.writeform import cluster_field, settle_name, write_fields

SCHEMA = "yaml-language-server: $schema=https://activate.parallel.works/workflow.schema.json"


def write(workflow: Workflow, ledger: Ledger, options: Mapping[str, str]) -> Written:
    """Write a workflow as one `workflow.yaml`."""
    if (own := write_own(workflow, ledger)) is not None:
        return Written((OutputFile("workflow.yaml", write_yaml(own)),))
    writing = Writing(workflow, ledger, options)
    settle_name(writing)
    parts = units(workflow)
    writing.jobs = unique_names(unit.name for unit in parts)
    with ledger.of(workflow) as account:
        account.cosmetic("name", "dialect", "description", "passthrough")
        for field in ("inputs", "tasks", "gangs"):
            account.take(field)
        if not writing.scheduled:
            _requests(writing)
        for record in workflow.resources:
            if not any(task.resources == record.name for task in workflow.tasks):
                with ledger.of(record) as entry:
                    entry.whole(Fate.COSMETIC)
        fields = write_fields(writing, workflow.inputs)
        jobs = {writing.jobs[unit.name]: write_unit(writing, unit) for unit in parts}
        if workflow.labels:
            account.approximate("labels", C.LABELS, "the labels are kept as a comment")
    inputs = {writing.cluster: cluster_field(), **fields, **writing.added}
    made = PwWorkflow(on=On(execute=Execute(inputs=inputs)), jobs=jobs)
    return Written((OutputFile("workflow.yaml", write_yaml(to_tree(made), comments=_comments(workflow))),))


def _requests(writing: Writing) -> None:
    """Say once for each class of resources that a login node enforces none of them."""
    for record in writing.workflow.resources:
        with writing.ledger.of(record) as account:
            account.emulate("name")
            asked = [name for name in REQUESTS if getattr(record, name)]
            for name in asked:
                shown = ", ".join(word.replace("_", " ") for word in asked)
                message = f"requests of `{record.name}` are not enforced over ssh: {shown}"
                account.approximate(name, C.REQUESTS_NOT_ENFORCED, message, once=True)
            account.cosmetic("passthrough")


def _comments(workflow: Workflow) -> list[str]:
    comments = [SCHEMA, f"Compiled by pwxc from the {workflow.dialect} workflow `{workflow.name}`."]
    comments.extend(f"label {name}: {value}" for name, value in workflow.labels)
    return comments
