"""The blocks of settings that only torc itself understands: their keys and words (torc.md §11, §12)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pwxc.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from pwxc.yaml.schema import core
from pwxc_targets.torc.model import Spec

GRANULARITIES = ("summary", "time_series")
SORT_METHODS = ("gpus_runtime_memory", "gpus_memory_runtime", "none")
MODES = ("direct", "slurm", "auto")
STDIO_MODES = ("separate", "combined", "no_stdout", "no_stderr", "none")
EXECUTION_KEYS = {
    "mode": str,
    "sigkill_headroom_seconds": int,
    "timeout_exit_code": int,
    "staggered_start": bool,
    "limit_resources": bool,
    "termination_signal": str,
    "sigterm_lead_seconds": int,
    "oom_exit_code": int,
    "srun_termination_signal": str,
    "enable_cpu_bind": bool,
    "srun_mpi": str,
    "stdio": dict,
}
_NAMES = {str: "text", int: "a whole number", bool: "`true` or `false`", dict: "a map"}


def all_faults(spec: Spec) -> Iterator[tuple[Any, str, str]]:
    """Find wrong words and types in the blocks of a specification: the record, its key, and what is wrong."""
    for key in ("execution_config", "resource_monitor"):
        for message in block_faults(key, getattr(spec, key) or {}):
            yield spec, key, message
    if spec.jobs_sort_method is not None and spec.jobs_sort_method not in SORT_METHODS:
        yield spec, "jobs_sort_method", _choice("jobs_sort_method", spec.jobs_sort_method, SORT_METHODS)
    for job in spec.jobs:
        if job.stdio is not None and job.stdio.mode not in (None, *STDIO_MODES):
            yield job, "stdio", _choice("mode", job.stdio.mode, STDIO_MODES)


def block_faults(key: str, block: dict[str, Any], *, nested: bool = True) -> Iterator[str]:
    """Find what is wrong in one block; before 0.23 the monitor had no blocks below it."""
    if key == "resource_monitor":
        parts = [block, *((block.get(name) or {} for name in ("jobs", "compute_node")) if nested else ())]
        for part in parts:
            if isinstance(part, dict) and part.get("granularity") not in (None, *GRANULARITIES):
                yield _choice("granularity", part["granularity"], GRANULARITIES)
        return
    if key == "stdio":
        if block.get("mode") not in (None, *STDIO_MODES):
            yield _choice("mode", block["mode"], STDIO_MODES)
        return
    for name, value in block.items():
        kind = EXECUTION_KEYS.get(name)
        if kind is None:
            yield f"`{key}` has no key `{name}`"
        elif value is not None and type(value) is not kind:
            yield f"{_NAMES[kind]} is due for `{name}`"
    if block.get("mode") not in (None, *MODES):
        yield _choice("mode", block["mode"], MODES)
    stdio = block.get("stdio")
    if isinstance(stdio, dict) and stdio.get("mode") not in (None, *STDIO_MODES):
        yield _choice("mode", stdio["mode"], STDIO_MODES)


def _choice(name: str, value: object, known: tuple[str, ...]) -> str:
    return f"`{name}` cannot be `{value}`: one of " + ", ".join(f"`{word}`" for word in known)


def plain_tree(node: Node) -> Any:
    """Give a node's content as plain data."""
    if isinstance(node, ScalarNode):
        return core(node)
    if isinstance(node, SequenceNode):
        return [plain_tree(item) for item in node.value]
    assert isinstance(node, MappingNode)
    return {key.value: plain_tree(value) for key, value in node.value}
