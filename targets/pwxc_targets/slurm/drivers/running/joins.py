"""Commands that are joined by `&&`, `||` and `|`."""

from __future__ import annotations

from pwxc.ir.task import Outcome
from pwxc.shell.grammar import AndOr, Command, Node, Pipeline
from pwxc_targets.slurm.drivers.running.interpreter import Interpreter
from pwxc_targets.slurm.drivers.running.rules import CALL, RUNNERS, ends, submits
from pwxc_targets.slurm.drivers.running.waiting import settle, under


def run_and_or(shell: Interpreter, node: AndOr) -> bool | None:
    """Follow commands of which the later ones run by the outcome of the earlier ones."""
    status: bool | None = True
    for operator, part in node.parts:
        if operator and shell.waited is not None:
            status = _after_waiting(shell, operator, part, shell.waited)
        elif operator and status is None:
            shell.perhaps([part])
        elif not operator or status is (operator == "&&"):
            shell.waited = None
            status = shell.all([part])
    return status


def _after_waiting(shell: Interpreter, operator: str, part: Node, job: int) -> bool | None:
    """Follow a command whose turn comes by the end of a job that `sbatch --wait` has waited for."""
    if operator == "&&":
        under(shell, job, Outcome.SUCCESS, lambda: shell.all([part]))
        shell.waited = job
    elif ends([part], shell.functions):
        shell.waits = settle(shell.waits, job, Outcome.SUCCESS)
        shell.waited = None
        return True
    elif submits([part], shell.functions):
        under(shell, job, Outcome.FAILURE, lambda: shell.all([part]))
        shell.waited = None
    return None


def run_pipeline(shell: Interpreter, node: Pipeline) -> bool | None:
    """Follow commands that read what the one before prints."""
    if len(node.parts) == 1:
        status = shell.all(node.parts)
        return None if status is None else status is not node.negated
    kept = shell.given
    try:
        for part in node.parts[:-1]:
            shell.given = shell.captured(lambda part=part: shell.apart(lambda: shell.all([part])))  # type: ignore[misc]
            _check_runner(shell, node, part)
        last = node.parts[-1]
        _check_runner(shell, node, last)
        status = shell.apart(lambda: shell.all([last]))
    finally:
        shell.given = kept
    return None if status is None else status is not node.negated


def _check_runner(shell: Interpreter, node: Pipeline, part: Node) -> None:
    """Report what runs a text as commands that submit jobs."""
    if part is node.parts[0] or not isinstance(part, Command) or not part.words:
        return
    words = shell.words(part.words[:1])
    if words and words[0] in RUNNERS and shell.given and CALL.search(shell.given):
        message = f"`{words[0]}` submits jobs in a way that is not followed"
        shell.dynamic(message, part.words[0].start, part.words[-1].end)
