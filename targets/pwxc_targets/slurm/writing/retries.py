"""The attempts of a task: exit codes that mean something else, and further attempts.

A further attempt is a requeue: the job goes back into the queue, so it can start on another node and has its whole time
limit again, while what depends on it goes on waiting. Where Slurm does not take the job back, and where a limit counts
over all attempts, the next attempt runs in the same allocation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs

from pwxc.ir.expr import Expr
from pwxc.ir.task import ExitAction, ExitRule, Retry, Task
from pwxc.ir.template import Template
from pwxc_targets.slurm.writing.context import Context, Holes


def requeues(context: Context, task: Task) -> bool:
    """Whether a further attempt of a task goes through the queue."""
    retries = any(rule.action is ExitAction.RETRY for rule in task.exit_rules)
    in_gang = task.name in context.gangs
    return retries and not in_gang and task.run_timeout is None and context.options["retry"] != "inside"


@attrs.define
class Attempts:
    """Writes the lines that run the steps, as often as the rules of the task want it."""

    context: Context
    task: Task
    holes: Holes
    needs: set[str]
    member: bool = False

    def lines(self, ended: Sequence[str]) -> Iterator[str]:
        """Give the lines; those of `ended` stand right behind the steps."""
        rules = self.task.exit_rules
        if not rules:
            yield from ("export PWXC_ATTEMPT=0", "rc=0", "steps || rc=$?", *ended)
            return
        if requeues(self.context, self.task) and not self.member:
            self.needs.add("again")
            yield 'if [[ -f $values/attempt.${SLURM_JOB_ID-} ]]; then attempt=$(<"$values/attempt.$SLURM_JOB_ID"); fi'
        yield from ("while :; do", "export PWXC_ATTEMPT=$attempt")
        if self.context.workflow.dialect == "torc":
            yield "export TORC_ATTEMPT_ID=$((attempt + 1))"
        yield from ("rc=0", "steps || rc=$?", *ended, *self._rules(rules), "break", "done")

    def _rules(self, rules: Sequence[ExitRule]) -> Iterator[str]:
        for number, rule in enumerate(rules):
            yield f"{'elif' if number else 'if'} {_codes(rule)}; then"
            match rule.action:
                case ExitAction.COMPLETE:
                    yield 'printf \'exit-code=%s\\n\' "$rc" >>"$values/published"'
                    yield "rc=0"
                case ExitAction.FAIL:
                    yield "if ((rc == 0)); then rc=1; fi"
                case ExitAction.RETRY:
                    yield from self._retry(rule, rule.retry or Retry(limit=None))
        yield "fi"

    def _retry(self, rule: ExitRule, retry: Retry) -> Iterator[str]:
        limit = self._number(self.context.retries if retry.limit is None else retry.limit)
        interval = self._number(retry.interval)
        yield from self.holes.take_lines()
        yield f"if [[ $attempt -lt {limit} ]]; then"
        yield "attempt=$((attempt + 1))"
        yield 'echo "exit code $rc: attempt $((attempt + 1)) follows" >&2'
        if rule.recovery is not None:
            yield "export TORC_RETURN_CODE=$rc PWXC_EXIT_CODE=$rc"
            yield from self._recovery(rule.recovery)
        if interval != "0":
            yield f"run sleep {interval}"
        if "again" in self.needs:
            yield "again"
        yield "continue"
        yield "fi"

    def _recovery(self, recovery: Template) -> Iterator[str]:
        word = self.holes.word(recovery)
        yield from self.holes.take_lines()
        yield f"run bash -c {word} || :"

    def _number(self, value: float | Expr) -> str:
        if isinstance(value, int | float):
            return f"{value:g}"
        return f'"${{{self.holes.name(value)}:-0}}"'


def _codes(rule: ExitRule) -> str:
    if not rule.codes:
        return "((rc != 0))"
    tests = [f"rc == {low}" if low == high else f"rc >= {low} && rc <= {high}" for low, high in rule.codes]
    if len(tests) > 1:
        tests = [f"({test})" if "&&" in test else test for test in tests]
    return f"(({' || '.join(tests)}))"
