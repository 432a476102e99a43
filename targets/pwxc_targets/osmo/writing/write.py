"""The IR into an OSMO workflow file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pwxc.diagnostics import Diagnostic
from pwxc.fidelity import Fate, Ledger
from pwxc.ir.workflow import Workflow
from pwxc.registry import OutputFile, Written
from pwxc.yaml.writer import write_yaml
from pwxc_targets.osmo.reading.rules import LABEL_NAME, LABEL_PREFIX
from pwxc_targets.osmo.writing import codes as C  # noqa: N812
from pwxc_targets.osmo.writing.context import Writing
from pwxc_targets.osmo.writing.emit import Guarded, Tag, ends_in_block, lines_of
from pwxc_targets.osmo.writing.holes import Holes
from pwxc_targets.osmo.writing.naming import Names
from pwxc_targets.osmo.writing.passing import literals
from pwxc_targets.osmo.writing.plan import Plan
from pwxc_targets.osmo.writing.resources import plan_timeout, write_resources, write_timeout
from pwxc_targets.osmo.writing.settle import settle_workflow
from pwxc_targets.osmo.writing.tasks import PLACEHOLDER, write_unit

_MOST_LABELS = 16
_END = "# OSMO takes off the last line break of this section, so no text may end it."


def write(workflow: Workflow, ledger: Ledger, options: Mapping[str, str]) -> Written:
    """Write a workflow as one `workflow.yaml`."""
    writing = Writing(workflow, ledger, options)
    plan = Plan(writing)
    comments: list[str] = []
    with ledger.of(workflow) as account:
        settle_workflow(writing, account)
        tree = _tree(writing, plan, comments)
    head = [] if writing.own else [f"# Compiled by pwxc from the {workflow.dialect} workflow `{_line(workflow.name)}`."]
    lines = [*head, *(f"# {_line(comment)}" for comment in comments)]
    if writing.variables.tree:
        lines += write_yaml({"default-values": writing.variables.tree}).removesuffix("\n").split("\n")
        if not ends_in_block(writing.variables.tree):  # an empty line would belong to the text
            lines.append("")
    body = lines_of({"workflow": tree})
    closing = [_END] if ends_in_block(tree) else []
    _say_once(ledger)
    return Written((OutputFile("workflow.yaml", "\n".join([*lines, *body, *closing]) + "\n"),))


def _say_once(ledger: Ledger) -> None:
    """Leave out what was said before of the same place: jobs that a loop submits share theirs."""
    said: dict[object, Diagnostic] = {}
    for item in ledger.diagnostics:
        said.setdefault((item.code.id, item.message, item.span), item)
    ledger.diagnostics.items[:] = said.values()


def _line(text: str) -> str:
    """Make a comment's text: one line without marks."""
    return re.sub(r"[^ -~]", " ", text).replace("{", "(").replace("default-values", "defaults")


def _tree(writing: Writing, plan: Plan, comments: list[str]) -> dict[str, Any]:
    workflow = writing.workflow
    name = Names(keep=writing.own).claim(workflow.name)
    kept = {item.path[0]: item.value for item in workflow.passthrough if item.dialect == "osmo"}
    holes = Holes(writing)
    tree: dict[str, Any] = {"name": name}
    for key in ("pool", "backend"):
        if key in kept:
            tree[key] = literals(kept[key], holes)
    labels = _labels(writing, comments)
    plan_timeout(writing)
    resources = write_resources(writing)
    key = "groups" if writing.grouped else "tasks"
    items: Any = []
    size = 0
    for unit in writing.order:
        if unit.name in plan.left_out:
            for task in writing.members(unit):
                writing.ledger.of(task).whole(Fate.EMULATED)
            writing.ledger.of(unit).whole(Fate.EMULATED)
            continue
        loop = writing.loops.get(unit.name)
        size += (loop.size if loop is not None else 1) * len(writing.members(unit))
        condition = plan.conditions.get(unit.name)
        heads = [*(loop.heads if loop is not None else []), *([f"{{% if {condition} %}}"] if condition else [])]
        ends = [*(["{% endif %}"] if condition else []), *(loop.ends if loop is not None else [])]
        items += [*map(Tag, heads), write_unit(writing, plan, unit), *map(Tag, ends)]
    if size > writing.most_tasks:
        message = f"the workflow has {size:,} tasks; OSMO takes {writing.most_tasks:,} unless the site allows more"
        writing.ledger.add_once(C.TOO_MANY_TASKS, message, workflow.span)
    if not items:
        writing.ledger.add_once(C.EMPTY_WORKFLOW, "the workflow has no task", workflow.span)
        idle = {"name": "nothing", "image": writing.options["image"] or PLACEHOLDER, "command": ["true"]}
        items = [{"name": "nothing-group", "tasks": [{**idle, "lead": True}]}] if writing.grouped else [idle]
    units = [unit.name for unit in writing.order if unit.name not in plan.left_out]
    if units and all(name in plan.conditions and name not in writing.loops for name in units):
        tests = dict.fromkeys(plan.conditions[name] for name in units)
        items = Guarded(items, f"({' or '.join(f'({test})' for test in tests)})")
    parts = {"labels": labels, key: items, "resources": resources, "timeout": write_timeout(writing)}
    return tree | {name: value for name, value in parts.items() if value}


def _labels(writing: Writing, comments: list[str]) -> dict[str, str]:
    made: dict[str, str] = {}
    with writing.ledger.of(writing.source) as account:
        for name, value in account.take("labels"):
            prefix, slash, rest = name.rpartition("/")
            fits = LABEL_NAME.match(rest) and (not slash or LABEL_PREFIX.match(prefix)) and LABEL_NAME.match(value)
            if fits and len(made) < _MOST_LABELS:
                made[name] = value
            else:
                comments.append(f"label {name}: {value}")
                account.approximate("labels", C.LABEL, f"the label `{name}` is kept as a comment")
    if writing.workflow.description:
        comments += writing.workflow.description.splitlines()
    return made
