"""What each version of torc says to a specification: parsed or not, refused by dry run or creation (torc.md §19).

First come each version's own keys, required keys and types; then the reader's findings on the names of today, sorted
by who checks for them.
"""

from __future__ import annotations

from typing import Any

from pwxc.diagnostics import Diagnostics
from pwxc.frozen import frozen
from pwxc.registry import ReadSettings
from pwxc.source import Source
from pwxc.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode, children
from pwxc.yaml.schema import core
from pwxc.yaml.structure import keys_of
from pwxc_targets.torc import model
from pwxc_targets.torc.blocks import SORT_METHODS, block_faults, plain_tree
from pwxc_targets.torc.formats.loading import format_of, load
from pwxc_targets.torc.generations import ACTION_NAMES, JOB_NAMES, REQUIRED_R0
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
        "jobs": {
            "parameter_mode",
            "use_parameters",
            "failure_handler",
            "depends_on_regexes",
            "input_file_regexes",
            "output_file_regexes",
            "input_user_data_regexes",
            "output_user_data_regexes",
        },
        "files": {"parameter_mode", "use_parameters"},
    },
    "r1": {
        "spec": {"slurm_defaults", "failure_handlers", "project", "metadata", "use_pending_failed"},
        "jobs": {"parameter_mode", "failure_handler"},
        "files": {"parameter_mode"},
    },
}
_ENUMS = {"jobs_sort_method": set(SORT_METHODS)}
ON_CREATION = {
    C.UNKNOWN_JOB, C.UNKNOWN_ITEM, C.UNKNOWN_RESOURCES, C.UNKNOWN_SCHEDULER, C.UNKNOWN_HANDLER, C.NOTHING_MATCHES,
    C.NOTHING_NEW, C.BAD_PATTERN, C.DOUBLE_NAME, C.CYCLE, C.ZIP_LENGTHS, C.BAD_RANGE, C.INCOMPLETE_ACTION,
    C.EXCLUDED_DEFAULT, C.BAD_VARIABLE, C.BAD_MEMORY, C.BAD_DURATION,
}  # fmt: skip
"""Findings for which the creation of a workflow fails."""
ON_DRY_RUN = {C.SAME_NAME, C.DOUBLE_JOB}
"""Findings that only the dry run has."""


@frozen
class Verdict:
    """What one version says: `ok`, `unparsed`, `create-error` or `create-ok,dry-run-error`; and why."""

    word: str
    reason: str = ""


def verdicts(source: Source, settings: ReadSettings) -> dict[str, str]:
    """Give each version's word."""
    return {version: judge(source, version, settings).word for version in JUDGED}


def judge(source: Source, version: str, settings: ReadSettings) -> Verdict:
    """Give what one version says."""
    diagnostics = Diagnostics()
    document = load(source, diagnostics)
    if document is None or diagnostics.failed or not isinstance(document.root, MappingNode):
        return Verdict("unparsed", _first(diagnostics) or "the text is no map")
    kind = format_of(source)
    checker = _Checker(version, kind)
    if version == "r0" and kind == "kdl":
        # the first reader of KDL is a program of its own: it fills in what is missing, and skips what it does not know
        if not paths_are_properties(source):
            return Verdict("unparsed", "a file needs its path as a property")
        if not checker.takes_parameters(document.root):
            return Verdict("unparsed", checker.fault)
        _forget_selections(document.root)
    elif not checker.parses(document.root):
        return Verdict("unparsed", checker.fault)
    if version in ("r0", "r1") or kind == "kdl":
        _use_names_of(document.root, version, kind)
    else:
        _keep_last(document.root)
    spec = structure_spec(document, diagnostics, strict=version not in ("r0", "r1"))
    if spec is None:
        return Verdict("unparsed", _first(diagnostics))
    Lowering(spec, document, diagnostics, context(settings)).lower()
    return _weigh(spec, version, diagnostics)


def _weigh(spec: model.Spec, version: str, diagnostics: Diagnostics) -> Verdict:
    fatal = ON_CREATION | ({C.MISSING_PARAMETER_FILE} if version == "0.25" else set())
    refused = [item.message for item in diagnostics if item.code in fatal]
    dry = [item.message for item in diagnostics if item.code in ON_DRY_RUN]
    if version == "0.25":
        refused.extend(message for *_, message in check_execution(spec))
        dry.extend(message for *_, message in (*check_resources(spec), *check_nodes(spec, new=True)))
    elif version == "0.12":
        refused.extend(message for *_, message in check_nodes(spec))
    if refused:
        return Verdict("create-error", refused[0])
    if dry and version not in ("r0", "r1"):
        return Verdict("create-ok,dry-run-error", dry[0])
    return Verdict("ok")


def _first(diagnostics: Diagnostics) -> str:
    return next((item.message for item in diagnostics.errors), "")


def paths_are_properties(source: Source) -> bool:
    """Whether every `file` of a KDL text has its path as a property."""
    from pwxc_targets.torc.formats.kdl import parse

    return all("path" in knot.properties for knot in parse(source, Diagnostics()) or () if knot.name == "file")


def _forget_selections(root: MappingNode) -> None:
    """Drop the jobs of actions, which the first reader of KDL looked for under other names."""
    for key, value in root.value:
        if key.value == "actions":
            for action in value.value:
                action.value = [pair for pair in action.value if pair[0].value not in ("jobs", "job_name_regexes")]
        elif key.value == "files":
            for record in value.value:
                record.value = [pair for pair in record.value if pair[0].value in ("name", "path")]


class _Checker:
    """The keys, required keys and types of one version; `fault` says what was wrong first."""

    def __init__(self, version: str, format: str) -> None:
        self.version, self.format = version, format
        self.strict = version not in ("r0", "r1")
        self.fault = ""

    def parses(self, root: MappingNode) -> bool:
        """Whether this version structures a text."""
        known = self.known("spec", model.Spec)
        return self._map(root, "spec", model.Spec) and all(
            self._records(value, key.value) for key, value in root.value if key.value in RECORDS and key.value in known
        )

    def takes_parameters(self, root: MappingNode) -> bool:
        """Whether the parameters of jobs are texts."""
        jobs = [item for key, value in root.value if key.value == "jobs" for item in value.value]
        held = [value for job in jobs for key, value in job.value if key.value == "parameters"]
        texts = all(self._is_text(value) for item in held for _, value in item.value)
        return texts or self._no("a parameter is no text")

    def _no(self, message: str) -> bool:
        self.fault = self.fault or message
        return False

    def _records(self, node: Node, name: str) -> bool:
        if isinstance(node, ScalarNode) and core(node) is None:
            return name != "jobs" or self._no("`jobs` is missing")
        if not isinstance(node, SequenceNode):
            return self._no(f"`{name}` is no list")
        cls = RECORDS[name]
        maps = all(isinstance(item, MappingNode) for item in node.value) or self._no(f"`{name}` is no list of maps")
        return maps and all(self._map(item, name, cls) for item in node.value)

    def known(self, record: str, cls: type) -> dict[str, Any]:
        """Give the keys that the version knows, by its own names."""
        names = {info.name: info for info in keys_of(cls)}
        gone = set(_NEW_IN_R4.get(record, ()))
        if self.version == "0.12":
            gone |= _NOT_IN_0_12.get(record, set())
        elif self.version == "0.25":
            gone |= _NOT_IN_0_25.get(record, set())
        else:
            gone |= _NOT_IN_0_12.get(record, set()) | _LATE_IN_OLD[self.version].get(record, set())
        known = {name: info for name, info in names.items() if name not in gone}
        if self.format == "kdl":
            # this reader looks for the names of today; old ones are lost, and those of today were lost to the old ones
            lost = {"depends_on", "depends_on_regexes"} if record == "jobs" and not self.strict else set()
            return {name: info for name, info in known.items() if name not in lost}
        if self.version in JOB_NAMES and record == "jobs":
            known = {JOB_NAMES[self.version].get(name, name): info for name, info in known.items()}
        if self.version == "r0" and record == "actions":
            known = {ACTION_NAMES["r0"].get(name, name): info for name, info in known.items()}
        return known

    def _map(self, node: MappingNode, record: str, cls: type) -> bool:
        known = self.known(record, cls)
        present = {key.value for key, _ in node.value}
        unknown = [key.value for key, _ in node.value if key.value not in known]
        # the reader of KDL picks what it knows
        if unknown and self.strict and self.format != "kdl":
            return self._no(f"unknown field `{unknown[0]}`")
        required = [info.name for info in known.values() if info.required]
        if self.version == "r0":
            required = list(REQUIRED_R0.get(record, required))
        missing = [name for name in required if name not in present]
        if missing:
            return self._no(f"missing field `{missing[0]}`")
        if not self.strict and self.format != "kdl" and len(present) < len(node.value):
            return self._no("a key stands twice in one map")
        return all(
            self._fits(value, key.value, known[key.value].type) or self._no(f"`{key.value}` has the wrong type")
            for key, value in node.value
            if key.value in known
        )

    def _fits(self, node: Node, key: str, kind: Any) -> bool:
        text = str(kind)
        if key in _ENUMS and isinstance(node, ScalarNode):
            return node.value in _ENUMS[key] or core(node) is None
        if key in RECORDS or key == "data":
            return True
        if key == "parameters":
            return _is_nothing(node) or (
                isinstance(node, MappingNode) and all(self._is_text(value) for _, value in node.value)
            )
        if key == "metadata":
            return self._is_text(node) or _is_nothing(node)
        if key in ("resource_monitor", "execution_config"):
            return self._block(node, key)
        if isinstance(node, ScalarNode):
            value = core(node)
            if value is None:
                return "None" in text or (kind is str and self._lenient())
            return key != "stdio" and self._scalar(value, text)
        if isinstance(node, SequenceNode):
            return "list" in text and all(self._element(item, text) for item in node.value)
        if key == "stdio" and isinstance(node, MappingNode):
            return self._map(node, "stdio", model.Stdio) and not list(block_faults(key, plain_tree(node)))
        return "dict" in text

    def _element(self, node: Node, text: str) -> bool:
        if "FailureRule" in text:
            return isinstance(node, MappingNode) and self._map(node, "rules", model.FailureRule)
        return isinstance(node, ScalarNode) and self._scalar(core(node), "int" if "[int]" in text else "str")

    def _lenient(self) -> bool:
        """Whether any scalar of YAML is taken for text."""
        return not self.strict and self.format == "yaml"

    def _scalar(self, value: Any, text: str) -> bool:
        if "bool" in text:
            return isinstance(value, bool)
        if "int" in text:
            return isinstance(value, int) and not isinstance(value, bool) and -_INTEGERS <= value < _INTEGERS
        if "float" in text:
            return isinstance(value, int | float)
        return "str" in text and (isinstance(value, str) or self._lenient())

    def _is_text(self, node: Node) -> bool:
        return isinstance(node, ScalarNode) and self._scalar(core(node), "str")

    def _block(self, node: Node, key: str) -> bool:
        if not isinstance(node, MappingNode):
            return _is_nothing(node)
        nested = key == "execution_config" or self.version == "0.25"
        block = plain_tree(node)
        if self.version == "r0" and "enabled" not in block:
            return self._no("missing field `enabled`")
        return not list(block_faults(key, block, nested=nested))


_INTEGERS = 1 << 63


def _is_nothing(node: Node) -> bool:
    return isinstance(node, ScalarNode) and core(node) is None


def _use_names_of(root: MappingNode, version: str, format: str) -> None:
    """Keep what an old version looks at and call it as today; what it does not know it ignores."""
    checker = _Checker(version, format)
    for key, value in root.value:
        if key.value not in RECORDS or not isinstance(value, SequenceNode):
            continue
        known = checker.known(key.value, RECORDS[key.value])
        for record in value.value:
            kept: list[tuple[Node, Node]] = []
            for name, inner in record.value:
                if name.value in known:
                    today = known[name.value].name
                    if format == "yaml":
                        _take_as_text(inner, known[name.value].type)
                    kept.append((ScalarNode(name.tag, today, name.start_mark, name.end_mark, name.style), inner))
            record.value = kept
    known = checker.known("spec", model.Spec)
    root.value = [(key, value) for key, value in root.value if key.value in known]
    for key, value in root.value if format == "yaml" else ():
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
