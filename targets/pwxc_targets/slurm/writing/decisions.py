"""What a job decides before it begins: whether it is needed, by the marks that those before it have left."""

from __future__ import annotations

import attrs

from pwxc.ir.expr import Expr, Root
from pwxc.ir.expr import refs as refs_of
from pwxc.ir.sweep import Sweep
from pwxc_targets.slurm.writing import jobtext as J  # noqa: N812
from pwxc_targets.slurm.writing.context import Holes
from pwxc_targets.slurm.writing.expressions import UnsupportedError

_STATUS = {
    "always": "true", "never": "false",
    "completed": "! { parents failed || parents cancelled || parents skipped || missing; }",
    "error": "{ parents failed || parents cancelled || missing; }", "canceled": "{ parents cancelled || missing; }",
}  # fmt: skip


@attrs.frozen
class Decision:
    """The units that a job looks at, each a file name, with a colon and their number where it has instances.

    `parents` are all that it waits for, `ended` those whose end it waits for; if one of those in `tested` was skipped,
    or one of those in `fallen` has not failed, or the condition does not hold, the job is skipped.
    """

    parents: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()
    tested: tuple[str, ...] = ()
    fallen: tuple[str, ...] = ()
    condition: Expr | None = None

    def functions(self) -> str:
        """Give the shell functions that the lines call."""
        looks = self.condition is not None and any(ref.root is Root.STATUS for ref in refs_of(self.condition))
        if not (self.tested or self.fallen or looks):
            return ""
        text = J.MARKS + (J.FELL if self.fallen else "")
        return text + (J.PARENTS % (" ".join(self.parents), " ".join(self.ended)) if looks else "")

    def lines(self, holes: Holes) -> list[str]:
        """Give the lines that skip the job where it is not needed."""
        found = [f"if any_is skipped {' '.join(self.tested)}; then skip; fi"] if self.tested else []
        found += [f"if ! fell {parent}; then skip; fi" for parent in self.fallen]
        return found + (self._condition(self.condition, holes) if self.condition is not None else [])

    def _condition(self, condition: Expr, holes: Holes) -> list[str]:
        holes.translator.status = lambda word: _STATUS.get(word, "false")
        for ref in refs_of(condition):
            if ref.root is not Root.STATUS:
                holes.used[ref] = holes.context.variables.of(ref)
        try:
            test = holes.translator.test(condition)
        except UnsupportedError:
            holes.context.refuse_expression(condition, f"the condition of {holes.where}")
            return []
        return [*holes.take_lines(), f"if ! {{ {test}; }}; then skip; fi"]


def fail_fast(sweep: Sweep | None) -> str:
    """Give what an instance of a sweep does at its end for the others of the sweep."""
    if sweep is None or sweep.fail_fast is False:
        return ""
    return J.CANCEL_OTHERS if sweep.fail_fast is True else J.MAY_CANCEL_OTHERS


def fail_fast_lines(sweep: Sweep | None, holes: Holes) -> list[str]:
    """Give the lines that find out whether a failing instance ends the others, where an expression says so."""
    if sweep is None or isinstance(sweep.fail_fast, bool):
        return []
    for ref in refs_of(sweep.fail_fast):
        holes.used[ref] = holes.context.variables.of(ref)
    try:
        test = holes.translator.test(sweep.fail_fast)
    except UnsupportedError:
        holes.context.refuse_expression(sweep.fail_fast, f"whether a failure ends the others of {holes.where}")
        test = "false"
    return [*holes.take_lines(), f"if {test}; then fail_fast=1; else fail_fast=0; fi"]
