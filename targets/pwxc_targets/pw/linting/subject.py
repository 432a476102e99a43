"""What the lint rules look at: a file with its surface model, its IR and the expressions that were read."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import attrs

from pwxc.diagnostics import Code
from pwxc.ir.inputs import Input, InputType
from pwxc.ir.workflow import Workflow
from pwxc.source import Span
from pwxc.yaml.nodes import Node
from pwxc.yaml.structure import Surface
from pwxc_targets.pw import model
from pwxc_targets.pw.model import entries
from pwxc_targets.pw.names import flatten_inputs
from pwxc_targets.pw.reading.texts import Texts, Use


@attrs.define(eq=False, slots=False)
class File:
    """A file that is checked."""

    texts: Texts
    written: model.PwWorkflow
    workflow: Workflow

    @cached_property
    def jobs(self) -> dict[str, model.Job]:
        """The jobs by name."""
        return entries(self.written.jobs, model.Job)

    @cached_property
    def inputs(self) -> dict[tuple[str, ...], Input]:
        """The fields by path."""
        return flatten_inputs(self.workflow.inputs)

    @cached_property
    def clusters(self) -> list[str]:
        """The paths of fields that choose a machine with a host."""
        kinds = {None, "compute-resources"}
        return [
            ".".join(path)
            for path, item in self.inputs.items()
            if item.type is InputType.CLUSTER and item.form.get("type") in kinds
        ]

    @cached_property
    def optional_stores(self) -> list[str]:
        """The paths of stores that need not be chosen."""
        return [
            ".".join(path)
            for path, item in self.inputs.items()
            if item.type is InputType.STORAGE and item.optional is not False
        ]

    def steps(self) -> Iterator[tuple[str, model.Job, model.Step]]:
        """Give every step with its job."""
        for name, job in self.jobs.items():
            for step in job.steps:
                yield name, job, step

    def node(self, construct: Surface | Node | None, *path: str | int) -> Node | None:
        """Find a node below a construct."""
        return self.texts.node(construct, *path)

    def is_guarded(self, use: Use) -> bool:
        """Whether the job or the step in which an expression stands has an `if`."""
        if use.job is None:
            return False
        job = self.jobs[use.job]
        if job.if_ is not None or use.expr.span is None:
            return True
        at = use.expr.span.resolve().start
        for step in job.steps:
            if step.node is not None and step.node.start_mark.index <= at < step.node.end_mark.index:
                return step.if_ is not None
        return False

    def report(self, code: Code, message: str, node: Node | None, **more: Any) -> None:
        """Say something about a node."""
        self.texts.report(code, message, self.texts.span(node), **more)

    def say(self, code: Code, message: str, span: Span | None, **more: Any) -> None:
        """Say something about a place."""
        self.texts.report(code, message, span, **more)
