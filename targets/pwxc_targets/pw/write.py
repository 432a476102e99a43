"""The IR into an ACTIVATE workflow file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pwxc.fidelity import Account, Fate, Ledger
from pwxc.ir.workflow import Workflow, units
from pwxc.registry import OutputFile, Written
from pwxc.yaml.structure import to_tree
from pwxc.yaml.writer import write_yaml
from pwxc_targets.pw.model import Execute, On, PwWorkflow
from pwxc_targets.pw.same import write_form as same_form
from pwxc_targets.pw.same import write_own
from pwxc_targets.pw.writing import codes as C  # noqa: N812
from pwxc_targets.pw.writing.alljobs import is_native, name_jobs, write_jobs
from pwxc_targets.pw.writing.context import Writing
from pwxc_targets.pw.writing.form import cluster_field, settle_name
from pwxc_targets.pw.writing.kept import put_back, settle_kept
from pwxc_targets.pw.writing.ownform import merge_form, write_form, write_presets
from pwxc_targets.pw.writing.scheduling import settle_requests
from pwxc_targets.pw.writing.spelling import Spelling
from pwxc_targets.pw.writing.submission import REQUESTS
from pwxc_targets.pw.writing.toplevel import (
    plain_environment,
    settle_rest,
    write_environment,
    write_permissions,
    write_sessions,
)

SCHEMA = "yaml-language-server: $schema=https://activate.parallel.works/workflow.schema.json"


def write(workflow: Workflow, ledger: Ledger, options: Mapping[str, str]) -> Written:
    """Write a workflow as one `workflow.yaml`."""
    if (own := write_own(workflow, ledger)) is not None:
        return Written((OutputFile("workflow.yaml", write_yaml(own)),))
    writing = Writing(workflow, ledger, options)
    settle_name(writing)
    writing.jobs = name_jobs(units(workflow))
    with ledger.of(workflow) as account:
        account.cosmetic("name", "dialect", "description")
        for field in ("inputs", "tasks", "gangs", "resources", "allocations", "hooks"):
            account.take(field)
        settle_kept(writing, account, workflow.passthrough)
        _settle_resources(writing)
        form = same_form(workflow, ledger)
        fields = {} if form is not None else write_form(writing, workflow.inputs)
        jobs = write_jobs(writing)
        made = PwWorkflow(jobs=jobs)
        _top(writing, account, made)
    inputs: dict[str, Any] = {writing.cluster: cluster_field()} if writing.uses_cluster or not writing.own else {}
    inputs |= {**fields, **writing.added}
    made.on = On(execute=Execute(inputs=inputs)) if inputs or not writing.own else None
    tree = to_tree(made)
    if form is not None:
        tree["on"] = merge_form(to_tree(form), tree.get("on"))
    for path, value in writing.patches:
        if form is None or path[0] != "on":
            put_back(tree, path, value)
    return Written((OutputFile("workflow.yaml", write_yaml(tree, comments=_comments(workflow))),))


def _top(writing: Writing, account: Account, made: PwWorkflow) -> None:
    """Write what stands beside the jobs."""
    workflow = writing.workflow
    settle_rest(writing, account)
    made.permissions = write_permissions(writing, account)
    made.sessions = write_sessions(writing, account)
    made.configurations = write_presets(writing, account.take("presets"))
    account.take("environment")
    variables = write_environment(writing, account, workflow.environment)
    if variables and (writing.own or plain_environment(writing)):
        made.env = variables
    if (limit := account.take("timeout")) is not None:
        made.timeout = Spelling(writing).duration(account, "timeout", limit)


def _settle_resources(writing: Writing) -> None:
    workflow = writing.workflow
    if any(is_native(task) for task in workflow.tasks):
        settle_requests(writing)
        return
    if not writing.scheduled:
        _requests(writing)
    for record in workflow.resources:
        if not any(task.resources == record.name for task in workflow.tasks):
            with writing.ledger.of(record) as entry:
                entry.whole(Fate.COSMETIC)


def _requests(writing: Writing) -> None:
    """Say once for each class of resources that a login node enforces none of them."""
    for record in writing.workflow.resources:
        with writing.ledger.of(record) as account:
            account.emulate("name", *REQUESTS)
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
