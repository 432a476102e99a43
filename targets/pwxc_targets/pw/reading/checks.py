"""What expressions refer to, checked when the whole file is known (pw.md §10.3, §10.4, §17)."""

from __future__ import annotations

import re
from collections.abc import Mapping

import attrs

from pwxc.diagnostics import did_you_mean
from pwxc.expr.check import Scope
from pwxc.ir.expr import Expr, Ref, Root, refs
from pwxc.ir.inputs import Input, InputType
from pwxc.ir.sweep import Sweep
from pwxc_targets.pw import model
from pwxc_targets.pw.expressions.codes import UNKNOWN_INPUT
from pwxc_targets.pw.expressions.scopes import Names, check_expression, form_type, scope_of
from pwxc_targets.pw.names import flatten_inputs
from pwxc_targets.pw.reading import codes as C  # noqa: N812
from pwxc_targets.pw.reading.texts import Texts

_ANYTHING = frozenset({"", "input.tooltip", "input.description", "input.label", "job.needs", "strategy.matrix"})
"""Places where names are not checked: what is wrong there is said by the reader, or nothing looks at it."""

_OTHER_SCRIPT = re.compile(r"\bsource\b|(?:^|[;&|(\s])\.\s|\b(?:ba|z|da)?sh\s|\bpython|\./|\.(?:sh|py)\b", re.MULTILINE)
"""A sign that a script runs another one, which may publish for it."""


@attrs.define
class Checker:
    """Checks all expressions of a workflow against what is declared."""

    texts: Texts
    jobs: Mapping[str, model.Job]
    sweeps: Mapping[str, Sweep | None]
    names: Names
    paths: Mapping[tuple[str, ...], Input]
    _scopes: dict[tuple[str, str | None], Scope] = attrs.field(factory=dict)
    _good: set[tuple[str, str | None, Root, tuple[str, ...]]] = attrs.field(factory=set)
    _publishing: dict[str, bool] = attrs.field(factory=dict)

    @classmethod
    def of(
        cls,
        texts: Texts,
        jobs: Mapping[str, model.Job],
        sweeps: Mapping[str, Sweep | None],
        inputs: tuple[Input, ...],
        sessions: frozenset[str],
    ) -> Checker:
        """Make a checker."""
        return cls(texts, jobs, sweeps, Names(form=form_type(inputs), sessions=sessions), flatten_inputs(inputs))

    def run(self) -> None:
        """Check every expression that was read."""
        diagnostics = self.texts.context.diagnostics
        for use in self.texts.uses:
            expr, place = use.expr, use.place
            if place in _ANYTHING:
                continue
            key = (place, use.job, expr.root, expr.path) if isinstance(expr, Ref) else None
            if key is not None and key in self._good:
                continue
            before = len(diagnostics)
            check_expression(expr, self._scope(place, use.job), diagnostics)
            if len(diagnostics) > before:
                self._point_to_inputs(expr, before)
            if use.job is not None:
                self._check_outputs(expr, use.job)
            if key is not None and len(diagnostics) == before:
                self._good.add(key)

    def _point_to_inputs(self, expr: Expr, start: int) -> None:
        """Say where in the form the input is that a reference to another group names."""
        items = self.texts.context.diagnostics.items
        for at in range(start, len(items)):
            item = items[at]
            ref = next((ref for ref in refs(expr) if ref.span == item.span and ref.root is Root.INPUT), None)
            if item.code is UNKNOWN_INPUT and ref is not None and (near := self._elsewhere(ref.path)):
                items[at] = attrs.evolve(item, help=f"did you mean {near}?")

    def _elsewhere(self, path: tuple[str, ...]) -> str:
        """Give the fields that have the same name in another place, or a name much like it."""
        found: list[str] = []
        for at in range(len(path) - 1, -1, -1):
            names = [known for known in self.paths if known[-1] == path[at]]
            found = [
                ".".join(("inputs", *known, *path[at + 1 :])) for known in names if self._fits(known, path[at + 1 :])
            ]
            if found:
                break
        return " or ".join(f"`{name}`" for name in found[:3])

    def _fits(self, known: tuple[str, ...], rest: tuple[str, ...]) -> bool:
        return not rest or (*known, *rest) in self.paths or self.paths[known].type is InputType.CLUSTER

    def _scope(self, place: str, job: str | None) -> Scope:
        found = self._scopes.get((place, job))
        if found is None:
            shown = (
                "job.ssh" if place.startswith("ssh.") else "sessions.flag" if place.startswith("sessions.") else place
            )
            found = self._scopes[place, job] = scope_of(shown, self._names(job))
        return found

    def _names(self, job: str | None) -> Names:
        if job is None:
            return self.names
        found = self.jobs[job]
        needs: frozenset[str] | None = frozenset()
        if isinstance(found.needs, list):
            needs = frozenset({str(name).partition(":")[0] for name in found.needs} | {job})
        elif found.needs is None:
            needs = frozenset({job})
        else:
            needs = None if "${{" in str(found.needs) else frozenset({str(found.needs), job})
        return attrs.evolve(self.names, needs=needs, matrix=self._matrix(job))

    def _matrix(self, job: str) -> frozenset[str] | None:
        sweep = self.sweeps.get(job)
        if sweep is None:
            return frozenset()
        names = {parameter.name for parameter in sweep.parameters}
        for entry in sweep.include:
            names.update(entry)
        strategy = self.jobs[job].strategy
        matrix = strategy.matrix if strategy is not None else None
        if "" in names or not isinstance(matrix, dict) or isinstance(matrix.get("include"), str):
            return None
        return frozenset(names)

    def _check_outputs(self, expr: Expr, job: str) -> None:
        for ref in refs(expr):
            if ref.root is not Root.TASK_OUTPUT or ref.path[0] not in self.jobs:
                continue
            if len(ref.path) == 3:
                self._check_step(ref)
            elif not self._publishes(ref.path[0]):
                message = f"the job `{ref.path[0]}` publishes no outputs"
                self.texts.report(C.NO_OUTPUTS, message, ref.span)

    def _check_step(self, ref: Ref) -> None:
        ids = {str(step.id) for step in self.jobs[ref.path[0]].steps if step.id is not None}
        if ref.path[1] not in ids:
            message = f"the job `{ref.path[0]}` has no step with the id `{ref.path[1]}`"
            self.texts.report(C.UNKNOWN_STEP, message, ref.span, help=did_you_mean(ref.path[1], ids))

    def _publishes(self, job: str) -> bool:
        found = self._publishing.get(job)
        if found is None:
            found = self._publishing[job] = _publishes(self.jobs[job])
        return found


def _publishes(job: model.Job) -> bool:
    """Whether a job may publish anything: its scripts name `OUTPUTS`, or call another script, which may."""
    if job.outputs:
        return True
    return any(
        _may_publish(str(step.run or "")) or str(step.uses or "").startswith("parallelworks/") for step in job.steps
    )


def _may_publish(script: str) -> bool:
    return "OUTPUTS" in script or _OTHER_SCRIPT.search(script) is not None
