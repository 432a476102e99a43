"""The key names of torc's generations, and the turning of old names into those of today (torc.md §1, §20)."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from pwxc.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

VERSIONS = ("r0", "r1", "0.12", "0.25", "0.33")
"""The states of torc that we know: Nov 2025, Dec 2025, Feb 2026, Apr 2026 and later."""
RELEASES = {
    "r0": "the first Rust version (November 2025)",
    "r1": "the version of early December 2025",
    "0.12": "0.12",
    "0.25": "0.25",
    "0.33": "0.33",
}

R0_JOB = {
    "blocked_by_job_names": "depends_on",
    "blocked_by_job_name_regexes": "depends_on_regexes",
    "input_file_names": "input_files",
    "input_file_name_regexes": "input_file_regexes",
    "output_file_names": "output_files",
    "output_file_name_regexes": "output_file_regexes",
    "input_user_data_names": "input_user_data",
    "input_user_data_name_regexes": "input_user_data_regexes",
    "output_data_names": "output_user_data",
    "output_user_data_name_regexes": "output_user_data_regexes",
    "resource_requirements_name": "resource_requirements",
    "scheduler_name": "scheduler",
}
R1_JOB = {"blocked_by": "depends_on", "blocked_by_regexes": "depends_on_regexes"}
R0_ACTION = {"job_names": "jobs", "scheduler_name": "scheduler"}
A_CONFIG = {
    "compute_node_resource_stats": "resource_monitor",
    "prepare_jobs_sort_method": "jobs_sort_method",
}
A_RESOURCES = {"num_cpus": "1", "memory": "1m", "runtime": "P0DT1M"}
A_SCRIPTS = {
    "workflow_startup_script": "on_workflow_start",
    "workflow_completion_script": "on_workflow_complete",
    "worker_startup_script": "on_worker_start",
}


REQUIRED_R0 = {
    "spec": ("name", "description", "jobs"),
    "resource_requirements": ("name", "num_cpus", "num_gpus", "num_nodes", "memory", "runtime"),
    "slurm_schedulers": ("account", "nodes", "walltime"),
}
"""Keys that the first Rust version asked for, where it asked for more than later ones."""


@attrs.frozen
class Clash:
    """Two spellings of one key in the same map."""

    first: ScalarNode
    second: ScalarNode


@attrs.define
class Renaming:
    """What was renamed: the generation whose names were seen (`r0`, `r1`, `a` or none), and faults."""

    generation: str = ""
    clashes: list[Clash] = attrs.field(factory=list)
    """Both spellings of a key stand in one map."""
    old_keys: list[tuple[ScalarNode, str]] = attrs.field(factory=list)
    """Old keys with their names of today."""


def modernise(root: Node) -> Renaming:
    """Turn the old key names of a document into those of today, in place."""
    found = Renaming()
    if not isinstance(root, MappingNode):
        return found
    _flatten_oldest(root, found)
    for record in _records(root, "jobs"):
        _rename(record, R0_JOB, "r0", found)
        _rename(record, R1_JOB, "r1", found)
        if found.generation == "a":
            _strip_kind(record)
    for record in _records(root, "actions"):
        _rename(record, R0_ACTION, "r0", found)
    if not found.generation and _has_r0_marks(root):
        found.generation = "r0"
    return found


def missing_for_r0(root: Node) -> list[str]:
    """Give the keys that the first Rust version asks for and a document lacks."""
    if not isinstance(root, MappingNode):
        return []
    found: dict[str, None] = {}
    for kind, required in REQUIRED_R0.items():
        for record in [root] if kind == "spec" else _records(root, kind):
            present = {key.value for key, _ in record.value if isinstance(key, ScalarNode)}
            found.update(dict.fromkeys(name for name in required if name not in present))
    return list(found)


def _records(root: MappingNode, name: str) -> Iterator[MappingNode]:
    for key, value in root.value:
        if isinstance(key, ScalarNode) and key.value == name and isinstance(value, SequenceNode):
            yield from (item for item in value.value if isinstance(item, MappingNode))


def _rename(record: MappingNode, table: dict[str, str], generation: str, found: Renaming) -> None:
    present = {key.value: key for key, _ in record.value if isinstance(key, ScalarNode)}
    if not present.keys() & table.keys():
        return
    pairs: list[tuple[Node, Node]] = []
    for key, value in record.value:
        new = table.get(key.value) if isinstance(key, ScalarNode) else None
        if new is None:
            pairs.append((key, value))
        elif new in present:
            found.clashes.append(Clash(present[new], key))
        else:
            found.generation = found.generation or generation
            found.old_keys.append((key, new))
            pairs.append((ScalarNode(key.tag, new, key.start_mark, key.end_mark, key.style), value))
    record.value = pairs


def _has_r0_marks(root: MappingNode) -> bool:
    """Whether an action starts a server on its head node, which only the first days of R0 knew."""
    marks = {"start_server_on_head_node"}
    return any(
        isinstance(key, ScalarNode) and key.value in marks
        for action in _records(root, "actions")
        for key, _ in action.value
    )


def _flatten_oldest(root: MappingNode, found: Renaming) -> None:
    """Lift what stands below `schedulers` and `config` in files of 0.6 and before to the top."""
    pairs: list[tuple[Node, Node]] = []
    scripts: list[Node] = []
    for key, value in root.value:
        name = key.value if isinstance(key, ScalarNode) else ""
        if name == "schedulers" and isinstance(value, MappingNode):
            found.generation = "a"
            pairs.extend(value.value)
        elif name == "config" and isinstance(value, MappingNode):
            found.generation = "a"
            for inner, setting in value.value:
                trigger = A_SCRIPTS.get(inner.value)
                if trigger is not None:
                    scripts.append(_startup(inner, setting, trigger))
                else:
                    pairs.append((_renamed(inner, A_CONFIG.get(inner.value, inner.value)), setting))
        else:
            pairs.append((key, value))
    if found.generation == "a":
        names = {key.value for key, _ in pairs}
        if scripts and "actions" not in names:
            first = scripts[0]
            pairs.append((_made("actions", first), SequenceNode("", scripts, first.start_mark, first.end_mark)))
        root.value = pairs
        for record in _records(root, "resource_requirements"):
            _fill_in(record, A_RESOURCES)
        for record in _records(root, "slurm_schedulers"):
            _fill_in(record, {"qos": "normal"})


def _fill_in(record: MappingNode, defaults: dict[str, str]) -> None:
    """Add the keys that 0.6 and before had other defaults for."""
    present = {key.value for key, _ in record.value if isinstance(key, ScalarNode)}
    for name, value in defaults.items():
        if name not in present:
            record.value.append((_made(name, record), _made(value, record, plain=value.isdecimal())))


def _startup(key: ScalarNode, script: Node, trigger: str) -> MappingNode:
    worker = [("persistent", _made("true", key, plain=True))] if trigger.startswith("on_worker") else []
    entries: list[tuple[str, Node]] = [
        ("trigger_type", _made(trigger, key)),
        ("action_type", _made("run_commands", key)),
        ("commands", SequenceNode("", [script], script.start_mark, script.end_mark)),
        *worker,
    ]
    pairs = [(_made(name, key), value) for name, value in entries]
    return MappingNode("", pairs, key.start_mark, script.end_mark)


def _strip_kind(record: MappingNode) -> None:
    """Turn `slurm_schedulers/NAME` into `NAME`."""
    record.value = [
        (key, _made(value.value.partition("/")[2], value))
        if key.value == "scheduler" and isinstance(value, ScalarNode) and "/" in value.value
        else (key, value)
        for key, value in record.value
    ]


def _renamed(key: ScalarNode, name: str) -> ScalarNode:
    return ScalarNode(key.tag, name, key.start_mark, key.end_mark, key.style)


def _made(text: str, at: Node, *, plain: bool = False) -> ScalarNode:
    return ScalarNode("", text, at.start_mark, at.end_mark, "" if plain else '"')


JOB_NAMES: dict[str, dict[str, str]] = {
    "r0": {new: old for old, new in R0_JOB.items()},
    "r1": {new: old for old, new in R1_JOB.items()},
}
"""For writing: the names of today to those of a generation, for jobs."""
ACTION_NAMES: dict[str, dict[str, str]] = {"r0": {new: old for old, new in R0_ACTION.items()}}

SINCE: dict[str, dict[str, str]] = {
    "spec": {
        "project": "0.12",
        "metadata": "0.12",
        "failure_handlers": "0.12",
        "slurm_defaults": "0.12",
        "use_pending_failed": "0.12",
        "env": "0.25",
        "execution_config": "0.25",
        "enable_ro_crate": "0.25",
        "parameters": "r1",
        "dynamic_jobs": "0.33",
        "access_groups": "0.33",
        "variables": "0.33",
    },
    "job": {
        "env": "0.25",
        "stdio": "0.25",
        "priority": "0.25",
        "label": "0.33",
        "failure_handler": "0.12",
        "parameter_mode": "0.12",
        "use_parameters": "r1",
    },
    "file": {"parameter_mode": "0.12", "use_parameters": "r1"},
}
"""The first version that knows a key, where it is not the first of all."""
UNTIL: dict[str, dict[str, str]] = {"spec": {"jobs_sort_method": "0.12"}}


def knows(version: str, record: str, key: str) -> bool:
    """Whether a version has a key."""
    at = VERSIONS.index(version)
    since = SINCE.get(record, {}).get(key)
    until = UNTIL.get(record, {}).get(key)
    return (since is None or at >= VERSIONS.index(since)) and (until is None or at <= VERSIONS.index(until))
