"""OSMO files into the IR: expand the template, read the model, hold it against the rules, lower it."""

from __future__ import annotations

import re
from functools import cache

import attrs
import cattrs

from pwxc.diagnostics import Diagnostic, Diagnostics
from pwxc.ir.workflow import Workflow
from pwxc.registry import ReadSettings
from pwxc.source import Source
from pwxc.yaml.nodes import Document
from pwxc.yaml.schema import yaml11
from pwxc.yaml.structure import Reading, structure
from pwxc_targets.osmo import model
from pwxc_targets.osmo.reading import codes as C  # noqa: N812
from pwxc_targets.osmo.reading.lower import Lowering
from pwxc_targets.osmo.reading.mending import Mended, mend
from pwxc_targets.osmo.reading.rules import check_count, check_workflow
from pwxc_targets.osmo.template import codes as template_codes
from pwxc_targets.osmo.template.expand import Expanded, Settings, expand
from pwxc_targets.osmo.template.parameters import Parameters, find_parameters, report_frozen

WORTH = re.compile(r"\{%[-+]?\s*(?:for|if|set)\b|\{\{(?!\s*(?:input|host):)[^}]*[^\w\s.}{|][^}]*\}\}")
"""What the reading with marks alone would freeze something for; OSMO's own tokens are none of it."""

_PASSABLE = (
    C.UNKNOWN_SPEC_KEY, C.LONG_NAME, C.RESERVED_NAME, C.FILE_PATH, C.LOCAL_FILE, C.UNKNOWN_RESOURCE, C.BAD_IMAGE,
    C.BAD_URL, C.BAD_MOUNT, C.BAD_LABEL, C.TOPOLOGY_KEYS, C.BAD_DATASET, template_codes.LONG_RANGE,
)  # fmt: skip
"""Errors that leave everything readable, so that a user may allow them: OSMO refuses the file, others need not."""


@cache
def _converter() -> cattrs.Converter:
    from pwxc_targets.osmo.reading.scalars import osmo_converter

    return osmo_converter()


def read(sources: tuple[Source, ...], settings: ReadSettings, diagnostics: Diagnostics) -> Workflow | None:
    """Read an OSMO workflow; None when it has an error that OSMO would refuse too."""
    if len(sources) > 1:
        from pwxc.diagnostics import codes

        diagnostics.add(codes.BAD_OPTION, "an OSMO workflow is one file", sources[1].span(0, 0))
        return None
    (source,) = sources
    template = Settings(set=settings.values, set_string=settings.texts, folder=settings.folder)
    passable = _passable(settings.allow)
    said = Diagnostics()
    expanded = expand(source, template, said, whole=False)
    bearable = passable | {template_codes.LONG_RANGE.id}
    workflow = _read(source, template, expanded, said, bearable) if expanded is not None else None
    if workflow is None and expanded is not None and expanded.rounds:  # a few rounds cannot stand for all
        said = Diagnostics()
        expanded = expand(source, template, said)
        workflow = _read(source, template, expanded, said, passable) if expanded is not None else None
    diagnostics.extend(said)
    return None if said.failed_besides(passable) else workflow


def _read(
    source: Source, template: Settings, expanded: Expanded, diagnostics: Diagnostics, passable: frozenset[str]
) -> Workflow | None:
    before = len(diagnostics)
    context = _context(expanded.document, diagnostics)
    workflow = _check(context)
    diagnostics.items[before:] = sorted(diagnostics.items[before:], key=_place)
    if workflow is None or (diagnostics.failed_besides(passable) and not expanded.rounds):
        return None
    parameters = Parameters()
    if expanded.templated and not expanded.rounds:
        parameters = find_parameters(source, template, expanded)
    lowered = _read_symbolically(source, template, expanded, parameters, diagnostics)
    if lowered is None and not expanded.rounds:
        lowering = Lowering(context, parameters, template, expanded)
        lowered = lowering.workflow(workflow)
        report_frozen(parameters, lowering.parameter_spans(), diagnostics)
    return None if diagnostics.failed_besides(passable) else lowered


def _read_symbolically(
    source: Source, template: Settings, expanded: Expanded, marked: Parameters, diagnostics: Diagnostics
) -> Workflow | None:
    """Read loops as sweeps and conditions as conditions, where that is the same as what was rendered.

    `marked` are the parameters that marks alone find; what freezes more than they do is no gain.
    """
    if expanded.part is None or WORTH.search(expanded.part.text) is None:
        return None
    from pwxc_targets.osmo.symbolic.applying import apply
    from pwxc_targets.osmo.symbolic.reading import read_symbolically

    models: list[model.Workflow] = []

    def holds(document: Document) -> bool:
        scratch = Diagnostics()
        workflow = _check(_context(document, scratch))
        models[:] = [workflow] if workflow is not None else []
        return workflow is not None and not scratch.failed

    found = read_symbolically(source, template, expanded, holds)
    if found is None:
        return None
    frozen, before = set(found.parameters.frozen), set(marked.frozen)
    if not expanded.rounds and not (frozen < before or (frozen == before and found.shape.items)):
        return None
    (workflow,) = models
    said = Diagnostics()
    context = _context(found.document, said)
    lowering = Lowering(context, found.parameters, template, attrs.evolve(expanded, document=found.document))
    lowered = apply(found, lowering.workflow(workflow))
    if said.failed:  # perhaps in a task that is not there by default
        return None
    diagnostics.extend(said)
    context = _context(found.document, diagnostics)
    report_frozen(found.parameters, lowering.parameter_spans(), diagnostics)
    if expanded.rounds:
        _count_tasks(lowered, context, workflow)
    return lowered


def _count_tasks(lowered: Workflow, context: Reading, workflow: model.Workflow) -> None:
    """Say how many tasks there are in all, after the rules have seen a few rounds of long loops."""
    items = context.diagnostics.items
    items[:] = [item for item in items if item.code is not C.MANY_TASKS]
    count = sum(1 if task.sweep is None else task.sweep.size or 0 for task in lowered.tasks)
    check_count(context, workflow, count)


def _context(document: Document, diagnostics: Diagnostics) -> Reading:
    return Reading(document, diagnostics, yaml11, C.UNKNOWN_SPEC_KEY, C.DUPLICATE_SPEC_KEY)


def _check(context: Reading) -> model.Workflow | None:
    """Read the model of a document and hold it against the rules."""
    document = context.document
    section = document.find(document.root, "workflow")
    assert section is not None
    workflow = structure(model.Workflow, document, section, _converter(), context)
    if workflow is not None:
        check_workflow(context, workflow, mend(workflow, document) if context.diagnostics.failed else Mended())
    return workflow


def _place(item: Diagnostic) -> int:
    return item.span.start if item.span is not None else 0


def _passable(allowed: frozenset[str]) -> frozenset[str]:
    """Give those of the allowed codes behind which a workflow can be made all the same."""
    return frozenset(code.id for code in _PASSABLE if code.id in allowed or code.name in allowed)
