"""Text of torc in any format to the IR."""

from __future__ import annotations

from typing import Any

import attrs

from pwxc.diagnostics import Diagnostics
from pwxc.diagnostics import codes as CORE  # noqa: N812
from pwxc.ir.workflow import Workflow
from pwxc.registry import ReadSettings
from pwxc.source import Source
from pwxc.yaml.nodes import Document, MappingNode, Node, ScalarNode, SequenceNode
from pwxc.yaml.structure import Reading, kind_of, make_converter, structure
from pwxc.yaml.structure import reading as current_reading
from pwxc_targets.torc.formats.loading import format_of, load
from pwxc_targets.torc.generations import RELEASES, Renaming, missing_for_r0, modernise
from pwxc_targets.torc.model import Spec
from pwxc_targets.torc.parameters import Context
from pwxc_targets.torc.reading import codes as C  # noqa: N812
from pwxc_targets.torc.reading.lower import Lowering


@attrs.frozen
class Loaded:
    """A text as far as its surface model."""

    spec: Spec
    document: Document
    renaming: Renaming


def read(sources: tuple[Source, ...], settings: ReadSettings, diagnostics: Diagnostics) -> Workflow | None:
    """Read one specification, beside which scripts of its jobs may stand; None when there are errors."""
    specs = [source for source in sources if not source.text.startswith("#!")] or sources[:1]
    loaded = load_spec(specs[0], diagnostics)
    for other in specs[1:]:
        diagnostics.add(C.ONE_FILE, "a specification of torc is one file", other.span(0, 0))
    if loaded is None:
        return None
    workflow = Lowering(loaded.spec, loaded.document, diagnostics, context(settings)).lower()
    return None if diagnostics.failed else workflow


def context(settings: ReadSettings) -> Context:
    """Give what the reading of parameters depends on."""
    limit = settings.options.get("expansion_limit", "")
    return Context(settings.folder, int(limit) if limit.isdecimal() and len(limit) < 12 else 10_000)


def load_spec(source: Source, diagnostics: Diagnostics) -> Loaded | None:
    """Read a text as a surface model; None when it cannot be one."""
    document = load(source, diagnostics)
    if document is None:
        return None
    renaming = modernise(document.root)
    _report_renaming(document, renaming, diagnostics)
    if isinstance(document.root, MappingNode):
        _fold_variables(document.root, diagnostics, document)
    # the generations before Dec 2025 took no notice of keys that they did not know
    spec = structure_spec(document, diagnostics, strict=not renaming.generation)
    return None if spec is None else Loaded(spec, document, renaming)


def structure_spec(document: Document, diagnostics: Diagnostics, *, strict: bool) -> Spec | None:
    """Structure a document that has the names of today; unknown keys are errors when it is strict."""
    reading = Reading(document, diagnostics, unknown=CORE.UNKNOWN_KEY if strict else CORE.UNKNOWN_KEY_KEPT)
    converter = make_converter()
    if strict:
        reading.duplicate = C.DOUBLE_KEY
    elif format_of(document.source) == "yaml":
        converter.register_structure_hook(str, _lenient_text)
    spec = structure(Spec, document, document.root, converter, reading)
    return None if diagnostics.failed else spec


def _lenient_text(node: Node, _: object) -> Any:
    """Take any scalar for text, as the first versions did in YAML."""
    if isinstance(node, ScalarNode):
        return node.value
    return current_reading().fault(node, f"text is due here, not {kind_of(node)}")


def _report_renaming(document: Document, renaming: Renaming, diagnostics: Diagnostics) -> None:
    for clash in renaming.clashes:
        message = f"`{clash.second.value}` is another name for a key that stands here too"
        diagnostics.add(C.TWO_SPELLINGS, message, document.span(clash.second))
    if renaming.generation:
        old = ", ".join(sorted({f"`{key.value}`" for key, _ in renaming.old_keys}))
        version = RELEASES.get(renaming.generation, "0.6 and before")
        message = f"the key names are those of {version}" + (f": {old}" if old else "")
        at = document.span(renaming.old_keys[0][0]) if renaming.old_keys else None
        diagnostics.add(C.OLD_NAMES, message, at, help="later versions refuse the file as it stands")
        missing = missing_for_r0(document.root) if renaming.generation == "r0" and renaming.old_keys else []
        if missing:
            lacking = ", ".join(f"`{name}`" for name in missing)
            message = f"no version of torc takes the file and keeps its meaning: {version} asks for {lacking}"
            help_text = "the version of early December 2025 takes it and ignores the old keys"
            diagnostics.add(C.NO_VERSION, message, at, help=help_text)


def _fold_variables(root: MappingNode, diagnostics: Diagnostics, document: Document) -> None:
    """Put the workflow's `variables` (0.26 and later) into all texts."""
    named = document.find(root, "variables")
    if not isinstance(named, MappingNode):
        return
    values = {key.value: value.value for key, value in named.value if isinstance(value, ScalarNode)}
    if any("{" in value for value in values.values()):
        diagnostics.add(C.BAD_VARIABLE, "the value of a variable cannot hold braces", document.span(named))
        return
    for key, value in root.value:
        if value is not named and key.value != "use_parameters":
            _fill(value, values, set())


def _fill(node: Node, values: dict[str, str], done: set[int]) -> None:
    if id(node) in done:
        return
    done.add(id(node))
    if isinstance(node, ScalarNode):
        for name, value in values.items():
            if "{" + name + "}" in node.value:
                node.value = _replace(node.value, "{" + name + "}", value)
                node.style = node.style or '"'
    elif isinstance(node, SequenceNode):
        for item in node.value:
            _fill(item, values, done)
    elif isinstance(node, MappingNode):
        for key, item in node.value:
            if key.value != "use_parameters":
                _fill(item, values, done)


def _replace(text: str, token: str, value: str) -> str:
    """Replace a token except where a `$` stands before it."""
    parts = text.split(token)
    joined = parts[0]
    for part in parts[1:]:
        joined += (token if joined.endswith("$") else value) + part
    return joined
