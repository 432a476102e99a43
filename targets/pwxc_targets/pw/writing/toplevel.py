"""What stands beside the jobs: environment, sessions, time limit, permissions, labels (pw.md §3, §14)."""

from __future__ import annotations

import re
from typing import Any

from pwxc.fidelity import Account, Fate
from pwxc.ir.task import ActionCall, Script
from pwxc.ir.workflow import Session
from pwxc_targets.pw.writing import codes as C  # noqa: N812
from pwxc_targets.pw.writing.context import Writing
from pwxc_targets.pw.writing.kept import settle_kept
from pwxc_targets.pw.writing.scheduling import is_submitted
from pwxc_targets.pw.writing.spelling import Spelling, is_plain

_CALLS_PLATFORM = re.compile(r"(?:^|[\s;&|(])pw\s+[a-z]", re.MULTILINE)


def write_permissions(writing: Writing, account: Account) -> list[str] | None:
    """Give what the run may do: what the source says, or what its actions need."""
    given: tuple[str, ...] = account.take("permissions")
    if given:
        return list(given)
    if writing.own:
        return None
    return ["*"] if any(_asks(step.work) for task in writing.workflow.tasks for step in task.steps) else None


def _asks(work: object) -> bool:
    if isinstance(work, ActionCall):
        return work.name == "parallelworks/cancel-jobs"
    if not isinstance(work, Script):
        return False
    return any(isinstance(part, str) and _CALLS_PLATFORM.search(part) for part in work.text.parts)


def write_environment(writing: Writing, account: Account, items: Any) -> dict[str, str] | None:
    """Write variables as an `env` map."""
    spelling = Spelling(writing)
    made: dict[str, str] = {}
    for item in items:
        with writing.ledger.of(item) as entry:
            entry.take("name")
            made[item.name] = spelling.text(entry, "value", entry.take("value"))
    return made or None


def plain_environment(writing: Writing) -> bool:
    """Whether the workflow's own variables can stand at the top of the file for all jobs."""
    if writing.plain_environment is None:
        spelling = Spelling(writing)
        plain = all(is_plain(spelling, item.name, item.value) for item in writing.workflow.environment)
        tasks = writing.workflow.tasks
        writing.plain_environment = plain and not any(is_submitted(writing, task) is not False for task in tasks)
    return writing.plain_environment


def write_sessions(writing: Writing, account: Account) -> dict[str, Any] | None:
    """Write the sessions."""
    made = {session.name: _session(writing, session) for session in account.take("sessions")}
    return made or None


def _session(writing: Writing, session: Session) -> dict[str, Any] | None:
    spelling = Spelling(writing)
    with writing.ledger.of(session, where=f"sessions.{session.name}") as account:
        account.take("name")
        made: dict[str, Any] = {}
        if account.take("kind") != "tunnel":
            made["type"] = session.kind
        for name, value in account.take("options").items():
            written = spelling.value(account, "options", value)
            made[name] = written or None if name == "prompt-for-name" else written
        settle_kept(writing, account, session.passthrough, "sessions", session.name)
    return made or None


def settle_rest(writing: Writing, account: Account) -> None:
    """Settle what the platform has no construct for, and what stands elsewhere in the output."""
    account.cosmetic("parameters", "description")
    for parameter in writing.workflow.parameters:
        with writing.ledger.of(parameter) as entry:
            entry.whole(Fate.COSMETIC)
    for secret in account.take("secrets"):
        with writing.ledger.of(secret) as entry:
            message = f"credential `{secret.name}` has to be given to the jobs by hand"
            entry.emulate("variables", "folder")
            entry.manual("name", C.SECRET_BY_HAND, message)
    for file in account.take("files"):
        with writing.ledger.of(file) as entry:
            entry.emulate("name", "path", "sweep")
            entry.cosmetic("modified", "passthrough")
            if file.sweep is not None:
                with writing.ledger.of(file.sweep) as swept:
                    swept.whole(Fate.EMULATED)
    for datum in account.take("data"):
        with writing.ledger.of(datum) as entry:
            entry.emulate("name", "value")
            entry.cosmetic("ephemeral", "passthrough")
    if writing.workflow.labels:
        if writing.workflow.dialect == "torc":
            # torc keeps them for its own records
            account.cosmetic("labels")
        else:
            account.approximate("labels", C.LABELS, "the labels are kept as a comment")
