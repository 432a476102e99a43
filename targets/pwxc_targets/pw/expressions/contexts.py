"""Which contexts make sense in which key (pw.md §10.4): data, not code."""

from __future__ import annotations

from collections.abc import Mapping

from pwxc.ir.expr import Root

INPUTS = frozenset({Root.INPUT})
FORM = frozenset({Root.INPUT, Root.ROW})
"""Inputs, and the row of a list in which the field itself stands."""
RUNTIME = frozenset(
    {
        Root.INPUT,
        Root.TASK_OUTPUT,
        Root.SWEEP,
        Root.SESSION,
        Root.ORGANISATION,
        Root.USER,
        Root.ENVIRONMENT,
        Root.ATTEMPT,
        Root.APP,
    }
)
"""All that a running step knows; how what came before has ended is known to conditions alone."""

CONTEXTS: Mapping[str, frozenset[Root]] = {
    **dict.fromkeys(
        ("input.hidden", "input.ignore", "input.optional", "input.default", "input.collapsed", "input.disabled"),
        FORM | {Root.ORGANISATION, Root.SELF, Root.APP},
    ),
    **dict.fromkeys(
        (
            "input.resource",
            "input.account",
            "input.partition",
            "input.clusterName",
            "input.namespace",
            "input.option-key",
            "input.options",
            "input.csp",
            "input.region",
            "input.placeholder",
            "input.tooltip",
        ),
        FORM,
    ),
    **dict.fromkeys(("job.if", "step.if"), RUNTIME | {Root.STATUS}),
    **dict.fromkeys(
        (
            "step.run",
            "step.with",
            "step.cleanup",
            "step.env",
            "step.name",
            "step.working-directory",
            "job.env",
            "job.working-directory",
        ),
        RUNTIME,
    ),
    **dict.fromkeys(("job.ssh", "step.ssh"), RUNTIME),
    **dict.fromkeys(
        ("retry.max-retries", "retry.timeout", "retry.interval"),
        frozenset({Root.INPUT, Root.TASK_OUTPUT, Root.ENVIRONMENT, Root.ATTEMPT}),
    ),
    "job.outputs": frozenset({Root.TASK_OUTPUT}),
    "workflow.env": frozenset({Root.INPUT, Root.ORGANISATION}),
    "configurations.inputs": frozenset({Root.ORGANISATION}),
    **dict.fromkeys(
        (
            "strategy.matrix",
            "strategy.max-parallel",
            "sessions.flag",
            "job.timeout",
            "step.timeout",
            "workflow.timeout",
            "step.ignore-errors",
            "job.runs-on",
            "job.needs",
        ),
        INPUTS,
    ),
}
"""For each place, `owner.key`, the roots that are known there. `job.outputs` reads the job's own outputs."""
