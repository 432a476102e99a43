"""Exit rules of a task whose command is one script: a loop around it, or the platform's own `retry`."""

from __future__ import annotations

import attrs

from pwxc.fidelity import Account
from pwxc.ir.task import ExitAction, ExitRule, Task
from pwxc.ir.template import Template
from pwxc.shell import ShellText
from pwxc_targets.pw import model
from pwxc_targets.pw.writing import codes as C  # noqa: N812
from pwxc_targets.pw.writing.context import Writing
from pwxc_targets.pw.writing.runner import indent
from pwxc_targets.pw.writing.spelling import span_of
from pwxc_targets.pw.writing.taskscript import exit_test

_NO_LIMIT = "365d"


@attrs.frozen
class Loop:
    """The rules of a task."""

    rules: tuple[ExitRule, ...] = ()
    retries: int = 0
    limit: float | None = None
    """Seconds that the task may take in all, if it is limited."""
    counts: bool = False
    """Whether the command may read the number of the attempt from torc's variable."""

    def __bool__(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.rules)

    def refuse(self, writing: Writing) -> Loop:
        """Leave the rules out and say so: they are about several steps together."""
        for rule in self.rules:
            with writing.ledger.of(rule) as account:
                account.drop("action", C.NO_COUNTERPART, "an exit rule cannot be about several steps together")
        return Loop()

    def native(self) -> model.Retry | None:
        """Give the platform's `retry`, if it does the same: one rule for all failures, and nothing in between."""
        if len(self.rules) != 1:
            return None
        rule = self.rules[0]
        if rule.action is not ExitAction.RETRY or rule.codes or rule.recovery is not None or rule.retry is None:
            return None
        wait = rule.retry.interval
        count = self._count(rule)
        if not isinstance(wait, int | float) or count == 0:
            return None
        whole = _NO_LIMIT if self.limit is None else span_of(self.limit)
        timeout = rule.retry.attempt_timeout
        limit = span_of(timeout) if isinstance(timeout, int | float) else whole
        return model.Retry(max_retries=count, interval=span_of(wait), timeout=limit)

    def _count(self, rule: ExitRule) -> int:
        limit = rule.retry.limit if rule.retry is not None else None
        return limit if isinstance(limit, int) else self.retries

    def lines(self, shell: ShellText, once: list[str]) -> list[str]:
        """Give the lines that repeat what `once` does as the rules say; the last status is in `rc`."""
        if not self.rules:
            return once
        lines: list[str] = []
        for rule in self.rules:
            test = exit_test(rule)
            if test:
                lines += self._rule(shell, rule, f"(({test}))", "elif" if lines else "if")
        if not lines:
            return once
        body = [*once, *lines, "fi"]
        if not any(rule.action is ExitAction.RETRY for rule in self.rules):
            return body
        count = ["export TORC_ATTEMPT_ID=1"] if self.counts else []
        return [*count, "tries=0", "while :; do", *indent([*body, "break"]), "done"]

    def _rule(self, shell: ShellText, rule: ExitRule, test: str, word: str) -> list[str]:
        match rule.action:
            case ExitAction.COMPLETE:
                return [f"{word} {test}; then", "  rc=0"]
            case ExitAction.FAIL:
                return [f"{word} {test}; then", '  [ "$rc" -ne 0 ] || rc=1']
        wait = rule.retry.interval if rule.retry is not None else 0
        lines = [
            f'{word} {test} && [ "$tries" -lt {self._count(rule)} ]; then',
            "  tries=$((tries + 1))",
            *self._recovery(shell, rule.recovery),
            *(["  TORC_ATTEMPT_ID=$((tries + 1))"] if self.counts else []),
            '  echo "exit code $rc: attempt $((tries + 1))" >&2',
        ]
        return [*lines, *([f"  sleep {wait:g}"] if isinstance(wait, int | float) and wait else []), "  continue"]

    def _recovery(self, shell: ShellText, recovery: Template | None) -> list[str]:
        if recovery is None:
            return []
        word = shell.word(recovery)
        return [f"  TORC_RETURN_CODE=$rc bash -c {word} || :"]


def settle_rules(writing: Writing, account: Account, task: Task) -> Loop:
    """Settle a task's rules and give them as a loop."""
    rules: tuple[ExitRule, ...] = account.take("exit_rules")
    for rule in rules:
        with writing.ledger.of(rule) as entry:
            entry.emulate("action", "codes", "recovery")
            beyond = [f"{low}-{high}" if low != high else str(low) for low, high in rule.codes if high > 255]
            if beyond:
                entry.drop("codes", C.PLATFORM_CODES, f"the platform never sees exit codes {', '.join(beyond)}")
            if rule.retry is not None:
                with writing.ledger.of(rule.retry) as retry:
                    retry.emulate("limit", "interval", "attempt_timeout", "clean")
                    if not isinstance(rule.retry.limit, int):
                        message = f"`{task.name}` is tried again at most {writing.options['retries']} times"
                        retry.approximate("limit", C.RETRY_LIMIT, message)
    limit = task.run_timeout if isinstance(task.run_timeout, int | float) else None
    return Loop(rules, int(writing.options["retries"]), limit, counts=writing.workflow.dialect == "torc")
