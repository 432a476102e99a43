"""The rules that OSMO enforces on a specification as a whole (osmo.md §7, §10, §18, §19, §25)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pwxc.source import Span
from pwxc.yaml.structure import Reading
from pwxc_targets.osmo import model
from pwxc_targets.osmo.reading import codes as C  # noqa: N812
from pwxc_targets.osmo.reading.check import Check
from pwxc_targets.osmo.reading.mending import Mended
from pwxc_targets.osmo.reading.scalars import NAME
from pwxc_targets.osmo.reading.taskrules import check_task

TASK_LIMIT = 20
NAME_LIMIT = 64
LABEL_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?\Z")
LABEL_PREFIX = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*\Z")


def check_workflow(context: Reading, workflow: model.Workflow, mended: Mended) -> None:
    """Report every rule of the service that the specification breaks; `mended` says what could not be read."""
    check = Check(context, workflow, mended)
    if workflow.tasks and workflow.groups:
        check.fault(
            C.TASKS_AND_GROUPS,
            "a workflow cannot have both `tasks` and `groups`",
            check.at(workflow, "groups"),
            help="make each plain task a group of one",
            related=check.at(workflow, "tasks"),
        )
    elif not workflow.tasks and not workflow.groups and id(workflow) not in mended.partial:
        check.fault(C.NO_TASKS, "the workflow has no task", check.at(workflow))
    _check_groups(check)
    _check_names(check)
    _check_dependencies(check)
    _check_resources(check)
    _check_labels(check)
    for task in all_tasks(workflow):
        check_task(check, task)


def all_tasks(workflow: model.Workflow) -> Iterator[model.Task]:
    """Give the tasks of a workflow, in groups or not."""
    yield from workflow.tasks
    for group in workflow.groups:
        yield from group.tasks


def _check_groups(check: Check) -> None:
    for group in check.workflow.groups:
        if id(group) in check.mended.partial:
            continue
        leads = [task for task in group.tasks if task.lead]
        if not group.tasks:
            check.fault(C.NO_TASKS, f"group `{group.name}` has no task", check.at(group, "tasks"))
        elif len(group.tasks) > 1 and len(leads) != 1:
            where = check.at(leads[1], "lead") if leads else check.at(group, "name")
            check.fault(
                C.LEADS,
                f"group `{group.name}` has {len(leads)} leads and needs exactly one",
                where,
                help="mark the task whose end ends the group with `lead: true`" if not leads else "",
                related=check.at(leads[0], "lead") if leads else None,
            )


def _check_names(check: Check) -> None:
    workflow = check.workflow
    seen: dict[str, Span] = {}

    def claim(name: str, span: Span, limit: int) -> None:
        folded = name.lower().replace("_", "-")
        if folded in seen:
            check.fault(C.SAME_NAME, f"two tasks or groups are called `{name}`", span, related=seen[folded])
        seen.setdefault(folded, span)
        if len(name) > limit:
            message = f"`{name[:20]}…` has {len(name)} characters, the limit is {limit}"
            check.fault(C.LONG_NAME, message, span)

    if len(workflow.name) > NAME_LIMIT:
        claim(workflow.name, check.at(workflow, "name"), NAME_LIMIT)
        seen.clear()
    for group in workflow.groups:
        claim(group.name, check.at(group, "name"), NAME_LIMIT)
    for task in all_tasks(workflow):
        claim(task.name, check.at(task, "name"), NAME_LIMIT)
    for task in workflow.tasks:
        if len(task.name) + 6 > NAME_LIMIT >= len(task.name):
            message = f"`{task.name[:20]}…` has {len(task.name)} characters, the limit in a plain list is 58"
            check.fault(C.LONG_NAME, message, check.at(task, "name"))
        folded = f"{task.name}-group".lower().replace("_", "-")
        if folded in seen:
            message = f"task `{task.name}` becomes the group `{task.name}-group`, and that name is taken"
            check.fault(C.SAME_NAME, message, check.at(task, "name"), related=seen[folded])
    check_count(check.context, workflow, sum(1 for _ in all_tasks(workflow)))


def check_count(context: Reading, workflow: model.Workflow, count: int) -> None:
    """Warn when there are more tasks than OSMO takes."""
    if count > TASK_LIMIT:
        message = f"the workflow has {count:,} tasks; OSMO takes {TASK_LIMIT} unless the site allows more"
        check = Check(context, workflow, Mended())
        check.fault(C.MANY_TASKS, message, check.at(workflow, "name"))


def _check_dependencies(check: Check) -> None:
    workflow = check.workflow
    groups = [group.tasks for group in workflow.groups] or [[task] for task in workflow.tasks]
    home: dict[str, int] = {task.name: number for number, tasks in enumerate(groups) for task in tasks}
    for number, tasks in enumerate(groups):
        for task in tasks:
            for item in task.inputs:
                if item.task is not None:
                    _check_upstream(check, item, number, home)


def _check_upstream(check: Check, item: model.TaskInput, number: int, home: dict[str, int]) -> None:
    span = check.at(item, "task")
    run, colon, name = item.task.rpartition(":")
    if not NAME.match(name) or (colon and not NAME.match(run)):
        message = f"`{item.task}` is not a task's name"
        check.fault(C.BAD_NAME, message, span, help="write `TASK`, or `WORKFLOW_ID:TASK` for an earlier run")
    elif not colon and name in check.mended.lost_names:
        return
    elif not colon and name not in home:
        check.fault(C.UNKNOWN_TASK, f"there is no task `{name}`", span, help=check.suggest(name, home))
    elif not colon and home[name] >= number:
        if home[name] == number:
            help_text = "tasks of one group run at the same time and see each other only over the network"
        else:
            help_text = f"move `{name}` up: OSMO asks for upstream tasks to stand first"
        check.fault(C.TASK_ORDER, f"`{name}` does not stand before this task", span, help=help_text)


def _check_resources(check: Check) -> None:
    records = check.workflow.resources
    known = set(records) if records is not None else {"default"}
    for task in all_tasks(check.workflow):
        if task.resource in known or id(task) in check.mended.partial:
            continue
        if task.resource == "default":
            message = f"task `{task.name}` names no resource, and `resources` has no `default`"
            check.fault(C.UNKNOWN_RESOURCE, message, check.at(task, "name"), help=check.suggest("default", known))
        else:
            message = f"there is no resource `{task.resource}`"
            span = check.at(task, "resource")
            check.fault(C.UNKNOWN_RESOURCE, message, span, help=check.suggest(task.resource, known))
    _check_topology(check)


def _check_topology(check: Check) -> None:
    records = check.workflow.resources or {}
    first: tuple[frozenset[str], model.Resource] | None = None
    for name, record in records.items():
        for item in record.topology:
            if item.requirement not in ("required", "preferred"):
                message = f"`requirementType` cannot be `{item.requirement}`"
                span = check.at(item, "requirementType")
                check.fault(C.BAD_VALUE, message, span, help="one of `required`, `preferred`")
        keys = frozenset(item.key_name for item in record.topology)
        if not keys or not any(task.resource == name for task in all_tasks(check.workflow)):
            continue
        if first is not None and first[0] != keys:
            message = "tasks use different sets of topology keys"
            check.fault(C.TOPOLOGY_KEYS, message, check.at(record, "topology"), related=check.at(first[1], "topology"))
        first = first or (keys, record)


def _check_labels(check: Check) -> None:
    workflow = check.workflow
    if len(workflow.labels) > 16:
        check.fault(C.BAD_LABEL, f"{len(workflow.labels)} labels; the limit is 16", check.at(workflow, "labels"))
    for name, value in workflow.labels.items():
        span = check.at(workflow, "labels", name)
        prefix, slash, rest = name.rpartition("/")
        if not LABEL_NAME.match(rest) or (slash and not LABEL_PREFIX.match(prefix)):
            check.fault(C.BAD_LABEL, f"`{name}` is not a label's name", span)
        if not isinstance(value, str):
            check.fault(C.BAD_LABEL, f"the value of label `{name}` has to be text", span, help="put it in quotes")
        elif not LABEL_NAME.match(value):
            check.fault(C.BAD_LABEL, f"`{value}` is not a label's value", span)
