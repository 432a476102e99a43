"""The shell that runs built tasks: one task alone, or the members of a gang (osmo.md §15, §20)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from pwxc.ir.task import ExitAction, ExitRule, Gang, GangStatus
from pwxc.shell import quote
from pwxc.shell.stores import Transfers
from pwxc_targets.pw.writing.taskscript import TaskScript, exit_test

_FUNCTION = re.compile(r"(\w+)\(\) \{")
_STOP = """\
stop() {
  local pid
  for pid in "${pids[@]}"; do kill -TERM -- "-$pid" 2> /dev/null || :; done
  for _ in {1..100}; do
    for pid in "${pids[@]}"; do kill -0 -- "-$pid" 2> /dev/null && break; done || return 0
    sleep 0.1
  done
  for pid in "${pids[@]}"; do kill -KILL -- "-$pid" 2> /dev/null || :; done
}"""


def indent(lines: Iterable[str], depth: int = 1) -> list[str]:
    """Indent lines, but not those inside here-documents."""
    indented: list[str] = []
    end: str | None = None
    for line in lines:
        if end is not None:
            indented.append(line)
            end = None if line == end else end
            continue
        indented.append("  " * depth + line if line else line)
        if "<<'PWXC_EOF" in line:
            end = line.rpartition("<<'")[2].partition("'")[0]
    return indented


def prologue(
    name: str, scripts: Sequence[TaskScript], transfers: Transfers, body: Sequence[str], *, spread: bool = False
) -> list[str]:
    """Give the lines that every script begins with: options, the run's folder, the functions that the body uses.

    With `spread` the members run on nodes of their own, so functions and paths have to travel there.
    """
    lines = ["set -euo pipefail", "run=${PW_JOB_DIR:-$PWD}"]
    fill: dict[str, str] = {}
    uses_fill = False
    for script in scripts:
        for shell in (script.stage_text, script.start_text, script.command_text, script.final_text):
            fill |= shell.marks
            uses_fill = uses_fill or bool(shell.preamble)
    functions = [*transfers.preamble()]
    if uses_fill:
        merged = scripts[0].stage_text
        merged.marks = fill
        functions = [*merged.fill_function(), *functions]
    if any("workflow_id" in line for line in (*functions, *body)):
        lines.append(f'workflow_id=${{PW_RUN_SLUG:-{quote(name)}-$(basename "$run")}}')
    if spread:
        known = [found[1] for line in (*functions, *body) if (found := _FUNCTION.match(line)) is not None]
        exported = " ".join(name for name in known if name not in ("stop",))
        body_names = "run workflow_id" if any(line.startswith("workflow_id=") for line in lines) else "run"
        nodes = [
            'mapfile -t nodes < <(scontrol show hostnames "$SLURM_JOB_NODELIST")',
            *(f"export node_{at}=${{nodes[{at}]}}" for at in range(len(scripts))),
            f"export {body_names}",
        ]
        at = next(number for number, line in enumerate(body) if line == "pids=()")
        return [*lines, *nodes, *functions, *body[:at], f"export -f {exported}", "export gang", *body[at:]]
    return [*lines, *functions, *body]


def run_alone(script: TaskScript, retries: int) -> list[str]:
    """Give the lines that run a task and end with its status."""
    lines = [*script.paths(), *script.stage]
    if not (script.rules or script.after or script.before):
        return [*lines, *script.command]
    return [*lines, *_attempts(script, retries), 'exit "$rc"']


def _attempts(script: TaskScript, retries: int, *, again: bool = False) -> list[str]:
    """Give the lines that run a command until an exit rule lets it go, and leave its status in `rc`.

    With `again` an attempt that a rule wants to repeat ends with `rc=again`, for the gang to see.
    """
    once = [
        *script.before,
        "set +e",
        "(",
        *indent(["set -e", *script.command]),
        ")",
        "rc=$?",
        "set -e",
        *(["failed=0"] if script.final_text.lines else []),
        *script.after,
        *_verdict(script.rules, retries, again=again),
        *(['[ "$failed" -eq 0 ] || rc=1'] if script.final_text.lines else []),
    ]
    if again or not _retry_rules(script.rules):
        return once
    return ["tries=0", "while :; do", *indent([*once, "break"]), "done"]


def _retry_rules(rules: Sequence[ExitRule]) -> list[ExitRule]:
    return [rule for rule in rules if rule.action is ExitAction.RETRY and exit_test(rule)]


def _verdict(rules: Sequence[ExitRule], retries: int, *, again: bool) -> list[str]:
    lines: list[str] = []
    for rule in rules:
        test = exit_test(rule)
        if not test:
            continue
        word = "elif" if lines else "if"
        if rule.action is ExitAction.FAIL:
            lines += [f"{word} (({test})); then", '  [ "$rc" -ne 0 ] || rc=1']
        elif rule.action is ExitAction.COMPLETE:
            lines += [f"{word} (({test})); then", "  rc=0"]
        elif again:
            lines += [f"{word} (({test})); then", "  rc=again$rc"]
        else:
            limit = _limit(rule, retries)
            lines += [
                f'{word} (({test})) && [ "$tries" -lt {limit} ]; then',
                "  tries=$((tries + 1))",
                '  echo "exit code $rc: attempt $((tries + 1))" >&2',
                "  continue",
            ]
    return [*lines, "fi"] if lines else []


def _limit(rule: ExitRule, retries: int) -> int:
    limit = rule.retry.limit if rule.retry is not None else None
    return limit if isinstance(limit, int) else retries


def run_gang(gang: Gang, scripts: Sequence[TaskScript], retries: int, launch: Sequence[str] | None = None) -> list[str]:
    """Give the lines that start the members together and end with the gang's status.

    `launch` gives, for each member, the words before `bash -c member_N` when members run on other nodes.
    """
    lead = gang.members.index(gang.lead) + 1
    lines = [f"gang=$run/gangs/{quote(gang.name)}", 'mkdir -p "$gang"']
    for number, script in enumerate(scripts, 1):
        lines += _member(gang, number, script, retries)
    lines += ["pids=()", *_STOP.split("\n"), "trap stop EXIT"]
    repeats = any(_repeats_gang(gang, script) for script in scripts)
    once = ['rm -f "$gang"/status.*']
    if gang.barrier:
        once += [f"stage_{number}" for number in range(1, len(scripts) + 1)]
    once += ["pids=()", "set -m"]  # a process group for each member, so that its children end with it
    for number in range(1, len(scripts) + 1):
        command = (
            f"member_{number}" if launch is None else f"{launch[number - 1]} bash -euo pipefail -c member_{number}"
        )
        once += [f"{command} &", 'pids+=("$!")']
    once += ["set +m", *_watch(gang, lead, len(scripts)), "stop"]
    if not repeats:
        return [*lines, *once, 'exit "$rc"']
    limit = max(_limit(rule, retries) for script in scripts for rule in _retry_rules(script.rules))
    once += [
        f'if [ "$rc" != "${{rc#again}}" ] && [ "$tries" -lt {limit} ]; then',
        "  tries=$((tries + 1))",
        '  echo "exit code ${rc#again}: attempt $((tries + 1)) of the group" >&2',
        "  continue",
        "fi",
        "break",
    ]
    return [*lines, "tries=0", "while :; do", *indent(once), "done", 'exit "${rc#again}"']


def _repeats_gang(gang: Gang, script: TaskScript) -> bool:
    """Whether a member's retry restarts all members: the lead's does, others' where every status counts (§20.4)."""
    deciding = script.task.name == gang.lead or gang.status is GangStatus.ALL
    return deciding and bool(_retry_rules(script.rules))


def _member(gang: Gang, number: int, script: TaskScript, retries: int) -> list[str]:
    role = ", the lead" if script.task.name == gang.lead else ""
    stage = [f"stage_{number}() {{", *indent([*script.paths(), *script.stage]), "}"]
    body = [*script.paths(local=True)]
    if not gang.barrier:
        body.append(f"stage_{number}")
    body.append("local rc=0")
    body += _attempts(script, retries, again=_repeats_gang(gang, script))
    body += [f'echo "$rc" > "$gang/status.{number}.part"', f'mv "$gang/status.{number}.part" "$gang/status.{number}"']
    return [f"# {script.task.name}{role}", *stage, f"member_{number}() {{", *indent(body), "}"]


def _watch(gang: Gang, lead: int, size: int) -> list[str]:
    """Give the lines that wait for the end of the gang and put its status into `rc`."""
    others = [number for number in range(1, size + 1) if number != lead]
    counted = others if gang.status is GangStatus.ALL else []
    failed = [
        f'if [ -e "$gang/status.{number}" ]; then read -r one < "$gang/status.{number}"; [ "$one" = 0 ] || rc=$one; fi'
        for number in counted
    ]
    ended = f'[ -e "$gang/status.{lead}" ]'
    return [
        "rc=",
        f'while [ -z "$rc" ] && kill -0 "${{pids[{lead - 1}]}}" 2> /dev/null && ! {ended}; do',
        "  sleep 0.2",
        *indent(failed),
        "done",
        *failed,
        f'if [ -z "$rc" ] && {ended}; then rc=$(cat "$gang/status.{lead}"); fi',
        "rc=${rc:-1}",
    ]
