"""KDL nodes into the tree that the other formats have, as torc's own reader does it (torc.md §21).

What torc does not look at is left out, with a diagnostic: there the words of a file mean nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from pwxc.diagnostics import Diagnostics, did_you_mean
from pwxc.source import Source
from pwxc.yaml.nodes import MappingNode, Node
from pwxc_targets.torc.formats import codes as C  # noqa: N812
from pwxc_targets.torc.formats.kdl import Knot, Value
from pwxc_targets.torc.formats.nodes import from_value, list_node, map_node, number_text, plain_node, text_node

Pairs = list[tuple[Node, Node]]

TOP_SCALARS = (
    "name",
    "user",
    "description",
    "compute_node_wait_for_new_jobs_seconds",
    "compute_node_expiration_buffer_seconds",
    "compute_node_ignore_workflow_completion",
    "compute_node_wait_for_healthy_database_minutes",
    "jobs_sort_method",
    "use_pending_failed",
)
JOB_SCALARS = (
    "command",
    "invocation_script",
    "cancel_on_blocking_job_failure",
    "supports_termination",
    "resource_requirements",
    "scheduler",
    "failure_handler",
    "parameter_mode",
)
JOB_LISTS = {
    "depends_on": "depends_on",
    "depends_on_regexes": "depends_on_regexes",
    "input_user_data": "input_user_data",
    "output_user_data": "output_user_data",
    "input_file": "input_files",
    "output_file": "output_files",
}
RESOURCE_SCALARS = ("num_cpus", "num_gpus", "num_nodes", "memory", "runtime")
SCHEDULER_SCALARS = (
    "account",
    "partition",
    "qos",
    "walltime",
    "nodes",
    "mem",
    "gres",
    "tmp",
    "ntasks_per_node",
    "extra",
)
ACTION_SCALARS = (
    "trigger_type",
    "action_type",
    "scheduler",
    "scheduler_type",
    "num_allocations",
    "start_one_worker_per_node",
    "max_parallel_jobs",
    "persistent",
)


class KdlReader:
    """Turns the nodes of one text into a tree."""

    def __init__(self, source: Source, diagnostics: Diagnostics) -> None:
        self.source = source
        self.diagnostics = diagnostics

    def tree(self, knots: list[Knot]) -> MappingNode:
        """Give the tree of a whole text."""
        pairs: Pairs = []
        lists: dict[str, list[Knot]] = {}
        records: dict[str, tuple[str, Callable[[Knot], Node]]] = {
            "job": ("jobs", self._job),
            "file": ("files", self._file),
            "user_data": ("user_data", self._user_data),
            "resource_requirements": ("resource_requirements", self._resources),
            "slurm_scheduler": ("slurm_schedulers", self._scheduler),
            "failure_handler": ("failure_handlers", self._handler),
            "action": ("actions", self._action),
        }
        maps = ("parameters", "env", "resource_monitor", "slurm_defaults", "execution_config")
        for knot in knots:
            if knot.name in TOP_SCALARS:
                pairs.append(self._pair(knot))
            elif knot.name in maps:
                pairs.append(self._map_pair(knot))
            elif knot.name in records:
                lists.setdefault(knot.name, []).append(knot)
            else:
                self._ignored(knot, (*TOP_SCALARS, *maps, *records))
        for name, found in lists.items():
            key, make = records[name]
            pairs.append((self._key(found[0], key), self._listing([make(knot) for knot in found], found)))
        if "job" not in lists:
            pairs.append((text_node("jobs", 0, 0), list_node([], 0, 0)))
        return map_node(pairs, 0, len(self.source.text))

    def _listing(self, items: list[Node], knots: list[Knot]) -> Node:
        return list_node(items, knots[0].start, knots[-1].end)

    def _key(self, knot: Knot, name: str | None = None) -> Node:
        return text_node(name or knot.name, knot.start, knot.name_end)

    def _pair(self, knot: Knot) -> tuple[Node, Node]:
        if len(knot.arguments) > 1:
            self._extra(knot)
        value = self._value(knot.arguments[0]) if knot.arguments else plain_node("null", knot.start, knot.end)
        return self._key(knot), value

    def _value(self, value: Value) -> Node:
        if isinstance(value.value, str):
            return text_node(value.value, value.start, value.end)
        if value.spelling:
            return plain_node(number_text(value.spelling), value.start, value.end)
        return from_value(value.value, value.start, value.end)

    def _map_pair(self, knot: Knot) -> tuple[Node, Node]:
        return self._key(knot), self._map(knot)

    def _map(self, knot: Knot) -> Node:
        pairs: Pairs = []
        for child in knot.children:
            pairs.append(self._map_pair(child) if child.children else self._pair(child))
        return map_node(pairs, knot.start, knot.end)

    def _extra(self, knot: Knot) -> None:
        place = self.source.span(knot.arguments[1].start, knot.arguments[-1].end)
        self.diagnostics.add(
            C.KDL_IGNORED,
            f"`{knot.name}` takes one value; torc ignores the others",
            place,
            help=f"repeat `{knot.name}` for each value",
        )

    def _ignored(self, knot: Knot, known: tuple[str, ...]) -> None:
        self.diagnostics.add(
            C.KDL_IGNORED,
            f"torc ignores `{knot.name}` here without a word",
            self.source.span(knot.start, knot.name_end),
            help=did_you_mean(knot.name, known),
        )

    def _named(self, knot: Knot) -> Pairs:
        if not knot.arguments or not isinstance(knot.arguments[0].value, str):
            return []
        name = knot.arguments[0]
        return [(text_node("name", knot.start, knot.name_end), text_node(name.value, name.start, name.end))]

    def _repeated(self, knots: list[Knot], *, all_arguments: bool = False) -> Node:
        items: list[Node] = []
        for knot in knots:
            if not all_arguments and len(knot.arguments) > 1:
                self._extra(knot)
            chosen = knot.arguments if all_arguments else knot.arguments[:1]
            items.extend(self._value(value) for value in chosen)
        return self._listing(items, knots)

    def _job(self, knot: Knot) -> Node:
        pairs = self._named(knot)
        lists: dict[str, list[Knot]] = {}
        known = (*JOB_SCALARS, *JOB_LISTS, "parameters", "env", "stdio", "use_parameters")
        for child in knot.children:
            if child.name in JOB_SCALARS:
                pairs.append(self._pair(child))
            elif child.name in ("parameters", "env", "stdio"):
                pairs.append(self._map_pair(child))
            elif child.name in JOB_LISTS:
                lists.setdefault(JOB_LISTS[child.name], []).append(child)
            elif child.name == "use_parameters":
                pairs.append((self._key(child), self._repeated([child], all_arguments=True)))
            else:
                self._ignored(child, known)
        pairs.extend((self._key(found[0], name), self._repeated(found)) for name, found in lists.items())
        return map_node(pairs, knot.start, knot.end)

    def _file(self, knot: Knot) -> Node:
        pairs = self._named(knot)
        if "path" in knot.properties:
            value = knot.properties["path"]
            pairs.append((text_node("path", value.start, value.start), self._value(value)))
        for child in knot.children:
            if child.name in ("path", "parameter_mode"):
                pairs.append(self._pair(child))
            elif child.name == "parameters":
                pairs.append(self._map_pair(child))
            elif child.name == "use_parameters":
                pairs.append((self._key(child), self._repeated([child], all_arguments=True)))
            else:
                self._ignored(child, ("path", "parameters", "parameter_mode", "use_parameters"))
        return map_node(pairs, knot.start, knot.end)

    def _user_data(self, knot: Knot) -> Node:
        pairs = self._named(knot)
        for child in knot.children:
            if child.name == "is_ephemeral":
                pairs.append(self._pair(child))
            elif child.name == "data":
                pairs.append((self._key(child), self._json(child)))
            else:
                self._ignored(child, ("data", "is_ephemeral"))
        return map_node(pairs, knot.start, knot.end)

    def _json(self, knot: Knot) -> Node:
        first = knot.arguments[0] if knot.arguments else Value(None, knot.start, knot.end)
        try:
            return from_value(json.loads(str(first.value)), first.start, first.end)
        except (ValueError, RecursionError):
            self.diagnostics.add(
                C.KDL_SYNTAX, "`data` is JSON as text in KDL", self.source.span(first.start, first.end)
            )
            return plain_node("null", first.start, first.end)

    def _scalars(self, knot: Knot, known: tuple[str, ...]) -> Node:
        pairs = self._named(knot)
        for child in knot.children:
            if child.name in known:
                pairs.append(self._pair(child))
            else:
                self._ignored(child, known)
        return map_node(pairs, knot.start, knot.end)

    def _resources(self, knot: Knot) -> Node:
        return self._scalars(knot, RESOURCE_SCALARS)

    def _scheduler(self, knot: Knot) -> Node:
        return self._scalars(knot, SCHEDULER_SCALARS)

    def _handler(self, knot: Knot) -> Node:
        rules: list[Node] = []
        for child in knot.children:
            if child.name != "rule":
                self._ignored(child, ("rule",))
                continue
            pairs: Pairs = []
            for part in child.children:
                if part.name == "exit_codes":
                    pairs.append((self._key(part), self._repeated([part], all_arguments=True)))
                elif part.name in ("match_all_exit_codes", "recovery_script", "max_retries"):
                    pairs.append(self._pair(part))
                else:
                    self._ignored(part, ("exit_codes", "match_all_exit_codes", "recovery_script", "max_retries"))
            rules.append(map_node(pairs, child.start, child.end))
        key = text_node("rules", knot.start, knot.name_end)
        return map_node([*self._named(knot), (key, list_node(rules, knot.start, knot.end))], knot.start, knot.end)

    def _action(self, knot: Knot) -> Node:
        pairs: Pairs = []
        lists: dict[str, list[Node]] = {}
        at: dict[str, Knot] = {}
        for child in knot.children:
            name = {"job": "jobs", "command": "commands"}.get(child.name, child.name)
            if child.name in ACTION_SCALARS:
                pairs.append(self._pair(child))
            elif name in ("jobs", "job_name_regexes", "commands") and child.name != "commands":
                whole = child.name in ("jobs", "job_name_regexes")
                items = self._repeated([child], all_arguments=whole)
                lists.setdefault(name, []).extend(items.value)
                at.setdefault(name, child)
            else:
                self._ignored(child, (*ACTION_SCALARS, "job", "jobs", "job_name_regexes", "command"))
        pairs.extend(
            (self._key(at[name], name), list_node(items, at[name].start, knot.end)) for name, items in lists.items()
        )
        return map_node(pairs, knot.start, knot.end)
