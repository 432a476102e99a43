"""Names of jobs: patterns for all instances of a sweep, lists of them, safe words."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

import attrs

from pwxc.ir.sweep import Parameter, Range, Sweep, SweepMode, Values
from pwxc_targets.torc import regexes
from pwxc_targets.torc.records import assignments, print_hole, same_values, substitute, tokens_of
from pwxc_targets.torc.writing.sweeps import Plan, show_value

_MOST_COMPARED = 20_000
"""How many values are compared one by one."""
DEFAULT_CLASS = "basic"
"""The class of tasks that ask for nothing; torc's own default is one minute and 1 MiB."""


JOB_ORDER = (
    "name",
    "command",
    "env",
    "depends_on",
    "depends_on_regexes",
    "input_files",
    "input_file_regexes",
    "output_files",
    "output_file_regexes",
    "input_user_data",
    "input_user_data_regexes",
    "output_user_data",
    "output_user_data_regexes",
    "resource_requirements",
    "failure_handler",
    "scheduler",
    "cancel_on_blocking_job_failure",
    "priority",
    "stdio",
    "supports_termination",
    "label",
    "parameters",
    "parameter_mode",
    "use_parameters",
)
"""The keys of a job in the order in which they are written."""


@attrs.define
class Named:
    """How a unit is called in the output: one name, perhaps with tokens, or the names of its written-out instances."""

    text: str
    plan: Plan
    names: list[str] | None = None

    @property
    def size(self) -> int:
        """How many jobs it is."""
        if self.names is not None:
            return len(self.names)
        sizes = [len(values) for values in self.plan.values.values()]
        return math.prod(sizes) if self.plan.mode is SweepMode.PRODUCT else sizes[0]

    def partner(self, index: int | None) -> str | None:
        """Give the name of the written-out instance with a number."""
        return self.names[index] if self.names is not None and index is not None and index < len(self.names) else None


def is_aligned(parent: Plan, child: Plan) -> bool:
    """Whether each instance of a child names one instance of the parent by its own parameters."""
    mine = child.values
    if not parent.columns or not all(name in mine for name in parent.columns):
        return False
    if all(same_values(mine[name], parent.values[name]) for name in parent.columns):
        zipped = parent.mode is SweepMode.ZIP and len(parent.columns) > 1
        return not zipped or child.mode is SweepMode.ZIP
    whole = parent.mode is SweepMode.PRODUCT or len(parent.columns) == 1
    return whole and all(_is_within(mine[name], parent.values[name]) for name in parent.columns)


def _is_within(values: Range | Values, others: Range | Values) -> bool:
    """Whether all values, which print as they are, are among others."""
    if max(len(values), len(others)) > _MOST_COMPARED:
        return False
    known = {(type(item), item) for item in others if isinstance(item, int | str)}
    return all(isinstance(item, int | str) and (type(item), item) in known for item in values)


def add(job: dict[str, Any], key: str, name: str) -> None:
    """Add a name to a list of a job, once."""
    items = job.setdefault(key, [])
    if name not in items:
        items.append(name)


def safe(text: str) -> str:
    """Give a text as a part of a name or path."""
    return re.sub(r"[^A-Za-z0-9_.=+-]", "_", text)


def unique(names: list[str]) -> list[str]:
    """Give names of which none stands twice: later ones get a number."""
    seen: dict[str, int] = {}
    made = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        made.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return made


def values_pattern(plan: Plan, name: str, format: str) -> str:
    """Give a pattern for the texts of a parameter."""
    values = plan.values[name]
    if isinstance(values, Range):
        sign = "-?" if min(values.start, values.stop) < 0 else ""
        whole = all(isinstance(number, int) for number in (values.start, values.stop, values.step))
        return f"{sign}[0-9]+" if whole and "f" not in format else rf"{sign}[0-9]+(\.[0-9]+)?(e-?[0-9]+)?"
    texts = dict.fromkeys(show_value(item, format) for item in values.items)
    return "(" + "|".join(regexes.escape(text) for text in texts) + ")"


def escape_with_tokens(text: str, plan: Plan) -> str:
    """Escape a name for a pattern, but leave the tokens of the job's own parameters."""
    parts, last = [], 0
    for found in tokens_of(tuple(plan.columns)).finditer(text) if plan.columns else ():
        parts.extend([regexes.escape(text[last : found.start()]), found[0]])
        last = found.end()
    return "".join([*parts, regexes.escape(text[last:])])


def name_pattern(text: str, plan: Plan) -> str:
    """Give an anchored pattern for all instances of a name."""
    parts: list[str] = ["^"]
    last = 0
    for found in tokens_of(tuple(plan.columns)).finditer(text) if plan.columns else ():
        parts.append(regexes.escape(text[last : found.start()]))
        parts.append(values_pattern(plan, found[1], found[2] or ""))
        last = found.end()
    return "".join([*parts, regexes.escape(text[last:]), "$"])


def instance_names(text: str, plan: Plan) -> Iterator[str]:
    """Give the names of all instances, one after the other."""
    parameters = tuple(Parameter(name=name, values=values) for name, values in plan.values.items())
    template = substitute(text, plan.values, {})
    for values in assignments(Sweep(parameters=parameters, mode=plan.mode)):
        yield template.fill(lambda hole, values=values: print_hole(hole, values))  # type: ignore[misc]
