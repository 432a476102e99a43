"""The exit rules of a job script that the writer made."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pwxc.ir.entity import changed
from pwxc.ir.task import ExitAction, ExitRule, Retry
from pwxc_targets.slurm.own.lines import Statement, template_of
from pwxc_targets.slurm.own.steps import OwnValues


def read_rule(found: Sequence[Statement], place: int, values: OwnValues) -> tuple[ExitRule, int] | None:
    """Read a rule for exit codes with what it leads to; gives how many statements were used as well."""
    head = re.fullmatch(r"(?:el)?if \(\(([rc0-9 =<>!&|()]+)\)\); then", found[place].text)
    if head is None:
        return None
    codes = []
    for low, _, high in re.findall(r"rc [=>]= (\d+)( && rc <= (\d+))?", head.group(1)):
        codes.append((int(low), int(high or low)))
    body: list[Statement] = []
    depth, at = 1, place + 1
    while depth:
        line = found[at].text
        depth += line.startswith("if ") and not line.endswith("fi")
        depth -= line == "fi"
        if depth == 1 and line.startswith("elif "):
            break
        body.append(found[at])
        at += 1
    return _action(tuple(codes), body, values), at - place


def _action(codes: tuple[tuple[int, int], ...], body: Sequence[Statement], values: OwnValues) -> ExitRule:
    limit = re.fullmatch(r"if \[\[ \$attempt -lt (\S+) \]\]; then", body[0].text)
    if limit is None:
        completes = any(statement.text == "rc=0" for statement in body)
        return ExitRule(action=ExitAction.COMPLETE if completes else ExitAction.FAIL, codes=codes)
    retry = Retry(limit=values.number(limit.group(1)))  # type: ignore[arg-type]
    recovery = None
    for statement in body:
        if (found := re.fullmatch(r"run sleep (\S+)", statement.text)) is not None:
            retry = changed(retry, interval=values.number(found.group(1)))
        elif (found := re.fullmatch(r"run bash -c (.*) \|\| :", statement.text, re.DOTALL)) is not None:
            recovery = template_of(found.group(1), values.names)
        else:
            values.take(statement)
    return ExitRule(action=ExitAction.RETRY, codes=codes, retry=retry, recovery=recovery)
