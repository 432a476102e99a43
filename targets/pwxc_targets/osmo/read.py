"""OSMO files into the IR: expand the template, read the model, hold it against the rules, lower it."""

from __future__ import annotations

from functools import cache

import cattrs

from pwxc.diagnostics import Diagnostic, Diagnostics
from pwxc.ir.workflow import Workflow
from pwxc.registry import ReadSettings
from pwxc.source import Source
from pwxc.yaml.schema import yaml11
from pwxc.yaml.structure import Reading, structure
from pwxc_targets.osmo import model
from pwxc_targets.osmo.reading import codes as C  # noqa: N812
from pwxc_targets.osmo.reading.lower import Lowering
from pwxc_targets.osmo.reading.mending import Mended, mend
from pwxc_targets.osmo.reading.rules import check_workflow
from pwxc_targets.osmo.template.expand import Settings, expand
from pwxc_targets.osmo.template.parameters import Parameters, find_parameters, report_frozen

_PASSABLE = (
    C.UNKNOWN_SPEC_KEY, C.LONG_NAME, C.RESERVED_NAME, C.FILE_PATH, C.LOCAL_FILE, C.UNKNOWN_RESOURCE, C.BAD_IMAGE,
    C.BAD_URL, C.BAD_MOUNT, C.BAD_LABEL, C.TOPOLOGY_KEYS, C.BAD_DATASET,
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
    expanded = expand(source, template, diagnostics)
    if expanded is None:
        return None
    document = expanded.document
    context = Reading(document, diagnostics, yaml11, C.UNKNOWN_SPEC_KEY, C.DUPLICATE_SPEC_KEY)
    section = document.find(document.root, "workflow")
    assert section is not None
    before = len(diagnostics)
    workflow = structure(model.Workflow, document, section, _converter(), context)
    if workflow is None:
        return None
    mended = mend(workflow, document) if diagnostics.failed else Mended()
    check_workflow(context, workflow, mended)
    diagnostics.items[before:] = sorted(diagnostics.items[before:], key=_place)
    if diagnostics.failed_besides(_passable(settings.allow)):
        return None
    parameters = find_parameters(source, template, expanded) if expanded.templated else Parameters()
    lowering = Lowering(context, parameters, template, expanded)
    lowered = lowering.workflow(workflow)
    report_frozen(parameters, lowering.parameter_spans(), diagnostics)
    return None if diagnostics.failed_besides(_passable(settings.allow)) else lowered


def _place(item: Diagnostic) -> int:
    return item.span.start if item.span is not None else 0


def _passable(allowed: frozenset[str]) -> frozenset[str]:
    """Give those of the allowed codes behind which a workflow can be made all the same."""
    return frozenset(code.id for code in _PASSABLE if code.id in allowed or code.name in allowed)
