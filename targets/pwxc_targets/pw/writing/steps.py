"""Steps with all their keys (pw.md §5, §6); what they run is written by `nativejob`."""

from __future__ import annotations

import attrs

from pwxc.fidelity import Account, Fate
from pwxc.ir.expr import Binary, Expr, Ref, Root
from pwxc.ir.resources import Placement
from pwxc.ir.task import Retry
from pwxc.ir.task import Step as Task_Step
from pwxc_targets.pw import model
from pwxc_targets.pw.conditions import has_status
from pwxc_targets.pw.form import ABSENT
from pwxc_targets.pw.writing import codes as C  # noqa: N812
from pwxc_targets.pw.writing.context import Writing
from pwxc_targets.pw.writing.kept import settle_kept
from pwxc_targets.pw.writing.spelling import Spelling
from pwxc_targets.pw.writing.toplevel import write_environment

_NO_LIMIT = "365d"
"""What an attempt without a limit is given: the platform's own default is 30 seconds (§6)."""


@attrs.frozen
class StepWriter:
    """Writes the keys that all kinds of steps have."""

    writing: Writing
    spelling: Spelling

    def write(self, step: Task_Step, account: Account, *place: str | int) -> model.Step:
        """Write everything of a step but what it runs and where."""
        spelling = self.spelling
        made = model.Step()
        if (name := account.take("name")) is not None:
            made.name = spelling.text(account, "name", name)
        made.id = account.take("id")
        made.if_ = self._condition(account, account.take("condition"))
        made.env = write_environment(self.writing, account, account.take("environment"))
        if (folder := account.take("working_directory")) is not None:
            made.working_directory = spelling.text(account, "working_directory", folder)
        if (limit := account.take("timeout")) is not None:
            made.timeout = spelling.duration(account, "timeout", limit)
        if (retry := account.take("retry")) is not None:
            made.retry = self._retry(retry, step)
        if (cleanup := account.take("cleanup")) is not None:
            made.cleanup = spelling.text(account, "cleanup", cleanup)
        if (ignore := account.take("ignore_errors")) is not False:
            made.ignore_errors = spelling.switch(account, "ignore_errors", ignore)
        if account.take("stop_when_another_fails"):
            made.early_cancel = "any-job-failed"
        settle_kept(self.writing, account, step.passthrough, *place)
        return made

    def _condition(self, account: Account, condition: Expr | None) -> str | None:
        if condition is None:
            return None
        if not self.writing.own and not has_status(condition):
            # right whether or not a condition replaces the default (§11)
            condition = Binary("&&", Ref(Root.STATUS, ("completed",)), condition)
        return self.spelling.condition(account, "condition", condition)

    def _retry(self, retry: Retry, step: Task_Step) -> model.Retry:
        spelling = self.spelling
        with self.writing.ledger.of(retry) as account:
            limit, wait = account.take("limit"), account.take("interval")
            timeout, clean = account.take("attempt_timeout"), account.take("clean")
            if limit is None:
                limit = int(self.writing.options["retries"])
                account.approximate("limit", C.RETRY_LIMIT, f"a step is tried again at most {limit} times")
            if timeout is None:
                timeout = step.timeout
            made = model.Retry(
                max_retries=spelling.value(account, "limit", limit),
                interval=spelling.duration(account, "interval", wait),
                timeout=_NO_LIMIT if timeout is None else spelling.duration(account, "attempt_timeout", timeout),
            )
            if clean is not False:
                made.clean_on_retry = spelling.switch(account, "clean", clean)
        return made


def write_place(
    writing: Writing, spelling: Spelling, placement: Placement | None, *place: str | int
) -> model.Ssh | None:
    """Write where work runs: `ABSENT` for no word about it, None for the workspace."""
    if placement is None:
        return ABSENT  # type: ignore[no-any-return]
    with writing.ledger.of(placement, where=".".join(map(str, place))) as account:
        for field in ("host", "user", "jump_host", "jump_user", "cluster", "allocation"):
            account.take(field)
        account.take("scheduled", Fate.EXACT if writing.own else Fate.EMULATED)
        if placement.pool is not None:
            account.approximate("pool", C.PLACE, "a pool is a name of the source's site")
        texts = [
            None if value is None else spelling.text(account, field, value)
            for field, value in (
                ("host", placement.host),
                ("user", placement.user),
                ("jump_host", placement.jump_host),
                ("jump_user", placement.jump_user),
            )
        ]
        settle_kept(writing, account, placement.passthrough, *place, "ssh")
    if not any(texts) and not placement.passthrough:
        return None
    host, user, jump, jump_user = texts
    return model.Ssh(remote_host=host or "", remote_user=user, jump_node_host=jump, jump_node_user=jump_user)
