"""What each version of torc says to a specification: parsed or not, refused by dry run or creation (torc.md §19).

First come each version's own keys, required keys and types; then the reader's findings on the names of today, sorted
by who checks for them.
"""

from __future__ import annotations

from typing import Any

from pwxc.diagnostics import Diagnostics
from pwxc.registry import ReadSettings
from pwxc.source import Source
from pwxc.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode, children
from pwxc.yaml.schema import core
from pwxc.yaml.structure import keys_of
from pwxc_targets.torc import model
from pwxc_targets.torc.blocks import SORT_METHODS, block_faults, plain_tree
from pwxc_targets.torc.formats.loading import format_of, load
from pwxc_targets.torc.generations import JOB_NAMES
from pwxc_targets.torc.linting.checks import check_execution, check_nodes, check_resources
from pwxc_targets.torc.read import context, structure_spec
from pwxc_targets.torc.reading import codes as C  # noqa: N812
from pwxc_targets.torc.reading.lower import Lowering

RECORDS: dict[str, type] = {
    "jobs": model.Job,
    "files": model.FileSpec,
    "user_data": model.UserData,
    "resource_requirements": model.ResourceRequirements,
    "failure_handlers": model.FailureHandler,
    "slurm_schedulers": model.SlurmScheduler,
    "actions": model.Action,
}
JUDGED = ("r0", "r1", "0.12", "0.25")
_NEW_IN_R4 = {
    "spec": {"variables", "parameters_file", "dynamic_jobs", "access_groups"},
    "jobs": {"label", "parameters_file", "use_parameters_file"},
    "files": {"identifier", "parameters_file", "use_parameters_file"},
    "user_data": {"parameters", "parameter_mode", "use_parameters", "parameters_file", "use_parameters_file"},
    "slurm_schedulers": {"serialize_allocations"},
    "actions": {"start_server_on_head_node"},
}
_NOT_IN_0_12 = {
    "spec": {"env", "execution_config", "slurm_config", "enable_ro_crate"},
    "jobs": {"env", "stdio", "priority"},
    "files": {"st_mtime"},
}
_NOT_IN_0_25 = {"spec": {"jobs_sort_method", "slurm_config"}}
_LATE_IN_OLD = {
    "r0": {
        "spec": {"parameters", "slurm_defaults", "failure_handlers", "project", "metadata", "use_pending_failed"},
        "jobs": {"parameter_mode", "use_parameters", "failure_handler"},
        "files": {"parameter_mode", "use_parameters"},
    },
    "r1": {
        "spec": {"slurm_defaults", "failure_handlers", "project", "metadata", "use_pending_failed"},
        "jobs": {"parameter_mode", "failure_handler"},
        "files": {"parameter_mode"},
    },
}
_REQUIRED_R0 = {
    "spec": ("name", "description", "jobs"),
    "resource_requirements": ("name", "num_cpus", "num_gpus", "num_nodes", "memory", "runtime"),
    "slurm_schedulers": ("account", "nodes", "walltime"),
}
_ENUMS = {"jobs_sort_method": set(SORT_METHODS)}
ON_CREATION = {
    C.UNKNOWN_JOB, C.UNKNOWN_ITEM, C.UNKNOWN_RESOURCES, C.UNKNOWN_SCHEDULER, C.UNKNOWN_HANDLER, C.NOTHING_MATCHES,
    C.BAD_PATTERN, C.DOUBLE_NAME, C.CYCLE, C.ZIP_LENGTHS, C.BAD_RANGE, C.MISSING_PARAMETER_FILE, C.INCOMPLETE_ACTION,
    C.EXCLUDED_DEFAULT, C.BAD_VARIABLE,
}  # fmt: skip
"""Findings for which the creation of a workflow fails."""
ON_DRY_RUN = {C.SAME_NAME}
"""Findings that only the dry run has."""


def verdicts(source: Source, settings: ReadSettings) -> dict[str, str]:
    """Give each version's word: `ok`, `unparsed`, `create-error` or `create-ok,dry-run-error`."""
    return {version: verdict(source, version, settings) for version in JUDGED}


def verdict(source: Source, version: str, settings: ReadSettings) -> str:
    """Give one version's word."""
    diagnostics = Diagnostics()
    document = load(source, diagnostics)
    if document is None or diagnostics.failed or not isinstance(document.root, MappingNode):
        return "unparsed"
    if not _Checker(version, format_of(source)).parses(document.root):
        return "unparsed"
    if version in ("r0", "r1"):
        _use_names_of(document.root, version)
    else:
        _keep_last(document.root)
    spec = structure_spec(document, diagnostics, strict=version not in ("r0", "r1"))
    if spec is None:
        return "unparsed"
    Lowering(spec, document, diagnostics, context(settings)).lower()
    found = {item.code for item in diagnostics}
    if found & ON_CREATION or (version == "0.25" and check_execution(spec)):
        return "create-error"
    if version == "0.12" and check_nodes(spec):
        return "create-error"
    dry = bool(found & ON_DRY_RUN) or (version == "0.25" and bool(check_resources(spec) or check_nodes(spec, new=True)))
    return "create-ok,dry-run-error" if dry and version not in ("r0", "r1") else "ok"


class _Checker:
    """The keys, required keys and types of one version."""

    def __init__(self, version: str, format: str) -> None:
        self.version, self.format = version, format
        self.strict = version not in ("r0", "r1")

    def parses(self, root: MappingNode) -> bool:
        """Whether this version structures a text."""
        return self._map(root, "spec", model.Spec) and all(
            self._records(value, key.value) for key, value in root.value if key.value in RECORDS
        )

    def _records(self, node: Node, name: str) -> bool:
        if isinstance(node, ScalarNode) and core(node) is None:
            return name != "jobs"
        if not isinstance(node, SequenceNode):
            return False
        return all(isinstance(item, MappingNode) and self._map(item, name, RECORDS[name]) for item in node.value)

    def known(self, record: str, cls: type) -> dict[str, Any]:
        names = {info.name: info for info in keys_of(cls)}
        gone = set(_NEW_IN_R4.get(record, ()))
        if self.version == "0.12":
            gone |= _NOT_IN_0_12.get(record, set())
        elif self.version == "0.25":
            gone |= _NOT_IN_0_25.get(record, set())
        else:
            gone |= _NOT_IN_0_12.get(record, set()) | _LATE_IN_OLD[self.version].get(record, set())
        known = {name: info for name, info in names.items() if name not in gone}
        if self.version in JOB_NAMES and record == "jobs":
            known = {JOB_NAMES[self.version].get(name, name): info for name, info in known.items()}
        if self.version == "r0" and record == "actions":
            known = {
                {"jobs": "job_names", "scheduler": "scheduler_name"}.get(name, name): i for name, i in known.items()
            }
        return known

    def _map(self, node: MappingNode, record: str, cls: type) -> bool:
        known = self.known(record, cls)
        present = {key.value for key, _ in node.value}
        # the reader of KDL picks what it knows
        if self.strict and self.format != "kdl" and not present <= known.keys():
            return False
        required = [info.name for info in known.values() if info.required]
        if self.version == "r0":
            required = list(_REQUIRED_R0.get(record, required))
        if not set(required) <= present:
            return False
        if not self.strict and len(present) < len(node.value):
            return False
        return all(
            self._fits(value, key.value, known[key.value].type) for key, value in node.value if key.value in known
        )

    def _fits(self, node: Node, key: str, kind: Any) -> bool:
        text = str(kind)
        if key in _ENUMS and isinstance(node, ScalarNode):
            return node.value in _ENUMS[key] or core(node) is None
        if key in ("data", *RECORDS) and key != "data":
            return True
        if key == "parameters":
            return isinstance(node, MappingNode) and all(self._is_text(value) for _, value in node.value)
        if key == "metadata":
            return self._is_text(node)
        if key in ("resource_monitor", "execution_config"):
            return self._block(node, key)
        if isinstance(node, ScalarNode):
            value = core(node)
            if value is None:
                return "None" in text or key == "data"
            if key == "stdio":
                return False
            return key == "data" or self._scalar(value, text)
        return isinstance(node, SequenceNode) == ("list" in text) or key == "data"

    def _scalar(self, value: Any, text: str) -> bool:
        if "bool" in text:
            return isinstance(value, bool)
        if "int" in text:
            return isinstance(value, int) and not isinstance(value, bool)
        if "float" in text:
            return isinstance(value, int | float)
        return "str" in text and (isinstance(value, str) or not self.strict)

    def _is_text(self, node: Node) -> bool:
        return isinstance(node, ScalarNode) and self._scalar(core(node), "str")

    def _block(self, node: Node, key: str) -> bool:
        if not isinstance(node, MappingNode):
            return isinstance(node, ScalarNode) and core(node) is None
        nested = key == "execution_config" or self.version == "0.25"
        return not list(block_faults(key, plain_tree(node), nested=nested))


def _use_names_of(root: MappingNode, version: str) -> None:
    """Keep what an old version looks at and call it as today; what it does not know it ignores."""
    checker = _Checker(version, "")
    for key, value in root.value:
        if key.value not in RECORDS or not isinstance(value, SequenceNode):
            continue
        known = checker.known(key.value, RECORDS[key.value])
        for record in value.value:
            kept: list[tuple[Node, Node]] = []
            for name, inner in record.value:
                if name.value in known:
                    today = known[name.value].name
                    _take_as_text(inner, known[name.value].type)
                    kept.append((ScalarNode(name.tag, today, name.start_mark, name.end_mark, name.style), inner))
            record.value = kept
    known = checker.known("spec", model.Spec)
    root.value = [(key, value) for key, value in root.value if key.value in known]
    for key, value in root.value:
        _take_as_text(value, known[key.value].type)


def _take_as_text(node: Node, kind: Any) -> None:
    """Quote a number where a text is due: the old versions took it."""
    wants_text = kind is str or str(kind).startswith("str |")
    if wants_text and isinstance(node, ScalarNode) and not node.style and core(node) is not None:
        node.style = '"'


def _keep_last(node: Node) -> None:
    """Drop all but the last of equal keys, as the versions that go through JSON do."""
    if isinstance(node, MappingNode):
        last = {key.value: (key, value) for key, value in node.value}
        node.value = list(last.values())
    for child in children(node):
        _keep_last(child)
