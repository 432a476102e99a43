"""The IR into a torc specification."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pwxc.fidelity import Fate, Ledger
from pwxc.ir.data import Datum, File
from pwxc.ir.sweep import Range, Values
from pwxc.ir.task import Command, Script
from pwxc.ir.template import Template
from pwxc.ir.workflow import Workflow
from pwxc.registry import OutputFile, Written
from pwxc_targets.torc.generations import ACTION_NAMES
from pwxc_targets.torc.model import VERBATIM
from pwxc_targets.torc.parameters import write as write_values
from pwxc_targets.torc.units import format_duration
from pwxc_targets.torc.writing import codes as C  # noqa: N812
from pwxc_targets.torc.writing.emit import emit, kdl_losses
from pwxc_targets.torc.writing.execution import execution_config
from pwxc_targets.torc.writing.holes import Holes
from pwxc_targets.torc.writing.jobs import JobWriter
from pwxc_targets.torc.writing.naming import DEFAULT_CLASS
from pwxc_targets.torc.writing.site import write_allocations, write_found, write_hook, write_request, write_resources
from pwxc_targets.torc.writing.state import Writing, settle_inputs
from pwxc_targets.torc.writing.sweeps import SweepWriter, literal_texts

ORDER = (
    "name",
    "description",
    "project",
    "metadata",
    "parameters",
    "env",
    "jobs",
    "files",
    "user_data",
    "resource_requirements",
    "failure_handlers",
    "slurm_schedulers",
    "slurm_defaults",
    "resource_monitor",
    "actions",
    *VERBATIM,
)
_SUFFIX = {"yaml": "yaml", "json": "json", "json5": "json5", "kdl": "kdl"}


def write(workflow: Workflow, ledger: Ledger, options: Mapping[str, str]) -> Written:
    """Write a workflow as one specification, with scripts beside it where they are long."""
    writing = Writing(workflow, ledger, options)
    tree = _tree(writing)
    kind = options["format"]
    if kind == "kdl":
        with ledger.of(workflow) as account:
            for code, message in kdl_losses(tree):
                account.drop("tasks", code, message)
            account.take("tasks")
    comments = []
    if workflow.dialect != "torc":
        comments = [f"Compiled by pwxc from the {workflow.dialect} workflow `{workflow.name}`."]
    text = emit(tree, kind, comments)
    return Written((OutputFile(f"workflow.{_SUFFIX[kind]}", text), *writing.files))


def _tree(writing: Writing) -> dict[str, Any]:
    workflow = writing.source
    sweeps = SweepWriter(writing)
    if workflow.dialect != "torc":
        sweeps.collect(literal_texts(_templates(workflow)))
    with writing.ledger.of(workflow) as account:
        for field in (
            "name",
            "inputs",
            "presets",
            "tasks",
            "gangs",
            "resources",
            "allocations",
            "files",
            "data",
            "hooks",
        ):
            account.take(field)
        account.cosmetic("dialect")
        settle_inputs(writing)
        tree: dict[str, Any] = {"name": account.take("name")}
        if account.take("description") or writing.version == "r0":
            tree["description"] = workflow.description
        tree.update(_labels(writing, account))
        tree.update(_shared(writing, sweeps, account))
        environment = _environment(writing, account)
        if environment:
            tree["env"] = environment
        jobs = JobWriter(writing, sweeps)
        tree["jobs"] = jobs.write()
        tree["files"] = [_file(writing, sweeps, record) for record in workflow.files]
        tree["user_data"] = [_datum(writing, record) for record in workflow.data]
        tree["resource_requirements"] = write_resources(writing, jobs.gang_classes, jobs.schedulers.covered)
        if jobs.default_class and not any(item["name"] == DEFAULT_CLASS for item in tree["resource_requirements"]):
            tree["resource_requirements"].append(
                {"name": DEFAULT_CLASS, "num_cpus": 1, "num_gpus": 0, "num_nodes": 1, "memory": "1g", "runtime": "PT1H"}
            )
        tree["resource_requirements"] = with_limits(tree["resource_requirements"], jobs.variants, tree["jobs"])
        tree["failure_handlers"] = writing.handler_records
        tree["slurm_schedulers"], tree["slurm_defaults"] = write_allocations(writing)
        tree["slurm_schedulers"].extend(jobs.schedulers.records())
        tree["actions"] = _actions(writing, jobs)
        tree["execution_config"] = execution_config(writing)
        tree.update(_verbatim(writing, account))
        _dropped(writing, account)
    return {name: tree[name] for name in ORDER if name in tree and (tree[name] not in ([], {}) or name == "jobs")}


def with_limits(
    records: list[dict[str, Any]], variants: dict[tuple[str, int], str], jobs: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Add the classes that differ from others only in their runtime; leave out those that no job uses."""
    if not variants:
        return records
    base = {record["name"]: record for record in records}
    made = [
        {**base[name], "name": variant, "runtime": format_duration(seconds)}
        for (name, seconds), variant in variants.items()
        if name in base
    ]
    keys = ("resource_requirements", "resource_requirements_name")
    used = {job[key] for job in jobs for key in keys if key in job}
    return [record for record in (*records, *made) if record["name"] in used]


def _templates(workflow: Workflow) -> Iterator[Template]:
    for record in workflow.resources:
        yield from record.directives
    for task in workflow.tasks:
        if workflow.dialect == "slurm":
            # names of other systems have tokens for the variables of a loop
            yield Template((task.name,))
        if task.working_directory is not None:
            yield task.working_directory
        for step in (*task.steps, *task.cleanup):
            if isinstance(step.work, Script):
                yield step.work.text
            elif isinstance(step.work, Command):
                yield from step.work.arguments
        for item in task.environment:
            yield item.value
        for file in task.files:
            yield file.contents
            yield file.path


def _labels(writing: Writing, account: Any) -> dict[str, Any]:
    labels = dict(account.take("labels", Fate.COSMETIC))
    if not labels or not writing.knows("spec", "project"):
        return {}
    project = labels.pop("project", None)
    made = {} if project is None else {"project": project}
    if list(labels) == ["metadata"]:
        made["metadata"] = labels["metadata"]
    elif labels:
        made["metadata"] = json.dumps(labels)
    return made


def _shared(writing: Writing, sweeps: SweepWriter, account: Any) -> dict[str, Any]:
    found: dict[str, str] = {}
    for parameter in account.take("parameters"):
        with writing.ledger.of(parameter) as entry:
            for name in ("name", "values", "format", "shared"):
                entry.take(name)
        text = write_values(parameter.values) if isinstance(parameter.values, Range | Values) else None
        if text is not None and writing.knows("job", "use_parameters"):
            found[parameter.name] = text
    if writing.knows("job", "use_parameters"):
        for task in writing.workflow.tasks:
            plan = sweeps.plan(task.sweep)
            found.update({name: plan.columns[name] for name in plan.shared})
        for record in writing.workflow.files:
            plan = sweeps.plan(record.sweep)
            found.update({name: plan.columns[name] for name in plan.shared})
    return {"parameters": found} if found else {}


def _environment(writing: Writing, account: Any) -> dict[str, str]:
    made = {}
    known = writing.knows("spec", "env")
    for item in account.take("environment", Fate.EXACT if known else Fate.EMULATED):
        text = writing.literal(item.value)
        with writing.ledger.of(item) as entry:
            entry.take("name", Fate.EXACT if known else Fate.EMULATED)
            entry.take("value", Fate.EXACT if known else Fate.EMULATED)
            if text is None:
                entry.approximate("value", C.UNKNOWN_VALUE, f"the value of `{item.name}` is known only in the run")
        made[item.name] = text or ""
    return made if known else {}


def _file(writing: Writing, sweeps: SweepWriter, record: File) -> dict[str, Any]:
    plan = sweeps.plan(record.sweep)
    with writing.ledger.of(record) as account:
        made: dict[str, Any] = {"name": account.take("name")}
        template = writing.fold(account.take("path"))
        holes = Holes(_NOBODY, plan, None, {})
        made["path"] = holes.text(template) or ""
        account.take("sweep")
        account.take("passthrough")
        if record.sweep is not None:
            writing.ledger.of(record.sweep).whole(Fate.EXACT)
        if record.modified is not None:
            if writing.version in ("r0", "0.12"):
                account.cosmetic("modified")
            else:
                made["st_mtime"] = account.take("modified")
    if plan.columns:
        if plan.shared and writing.knows("file", "use_parameters"):
            made["use_parameters"] = list(plan.shared)
        else:
            made["parameters"] = dict(plan.columns)
        if plan.mode.value == "zip":
            made["parameter_mode"] = "zip"
    return made


def _datum(writing: Writing, record: Datum) -> dict[str, Any]:
    with writing.ledger.of(record) as account:
        made: dict[str, Any] = {"name": account.take("name")}
        if account.take("value") is not None:
            made["data"] = record.value
        if account.take("ephemeral"):
            made["is_ephemeral"] = True
        account.take("passthrough")
    return made


def _actions(writing: Writing, jobs: JobWriter) -> list[dict[str, Any]]:
    names = ACTION_NAMES.get(writing.version, {})
    made = [write_hook(writing, hook, jobs.order.select) for hook in writing.workflow.hooks]
    made.extend(
        write_request(asked, *jobs.order.select_units(asked.units)) for asked in jobs.schedulers.requests(jobs.named)
    )
    made.extend(write_found(hook, *jobs.order.select_found(hook)) for hook in writing.found.hooks)
    return [{names.get(name, name): value for name, value in action.items()} for action in made if action is not None]


def _verbatim(writing: Writing, account: Any) -> dict[str, Any]:
    made: dict[str, Any] = {}
    unknown: list[str] = []
    for entry in account.take("passthrough", Fate.COSMETIC):
        name = entry.path[0]
        if entry.dialect != "torc":
            continue
        if name in ORDER and writing.knows("spec", name):
            made[name] = entry.value
        elif name in ORDER:
            unknown.append(name)
    if unknown:
        message = f"torc {writing.version} has no {', '.join(f'`{name}`' for name in unknown)}"
        account.approximate("passthrough", C.NOT_IN_VERSION, message)
    return made


def _dropped(writing: Writing, account: Any) -> None:
    workflow = writing.workflow
    if workflow.timeout is not None:
        account.approximate("timeout", C.TIME_LIMIT, "torc has no time limit for a whole run")
    for session in workflow.sessions:
        with writing.ledger.of(session) as entry:
            for name in ("name", "kind", "options", "passthrough"):
                entry.approximate(name, C.SESSION, f"torc cannot open the session `{session.name}`", once=True)
    account.take("sessions")
    for secret in workflow.secrets:
        with writing.ledger.of(secret) as entry:
            for name in ("name", "variables", "folder"):
                entry.manual(
                    name, C.SECRET_BY_HAND, f"`{secret.name}` has to be in the workers' environment", once=True
                )
    if workflow.permissions:
        account.approximate("permissions", C.PERMISSIONS, "torc gives a run no rights on a platform")


def _nobody() -> Any:
    from pwxc.ir.task import Task

    return Task(name="")


_NOBODY = _nobody()
