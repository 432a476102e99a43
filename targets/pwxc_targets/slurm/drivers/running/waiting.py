"""Waiting for jobs: `sbatch --wait`, `wait`, and loops that ask the queue until a job has left it (slurm.md §20)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from pwxc.ir.task import Outcome
from pwxc.shell.grammar import AndOr, Command, Node, Pipeline, While, children
from pwxc_targets.slurm import codes as C  # noqa: N812
from pwxc_targets.slurm.drivers.running.interpreter import Interpreter, Waits
from pwxc_targets.slurm.drivers.running.rules import QUEUE, walk
from pwxc_targets.slurm.drivers.text.marks import JOB, jobs_in

_VARIABLE = re.compile(r"\$(?:\{[!#]?([A-Za-z_]\w*|\d)|([A-Za-z_]\w*|\d))")
_EVERYTHING = re.compile(r"(?:-u|--user)[\s=]*[\"']?\$\{?(?:USER|LOGNAME)\b|--me\b")
_NARROWED = re.compile(r"-n\s|--name|-p\s|--partition|-j\s|--jobs?\b|-A\s|--account")
_STATES = re.compile(r"\s-\w*t\s|--states?\b|%[0-9.]*[tT]")
_OTHERS = re.compile(r"\b(?:sacct|scontrol|sinfo|PENDING|PD|RUNNING|COMPLETED)\b")
_COUNTED = re.compile(r"(-gt|-ge|-ne|-eq|-lt|-le|!=|==|>=|>|<)\s*[\"']?(\$?\{?\w+\}?)")


def wait_for(shell: Interpreter, jobs: Iterable[int], outcome: Outcome = Outcome.END) -> None:
    """Let all that is submitted from now on wait for jobs."""
    if not shell.behind:
        shell.frames.refuse_here()
    shell.waits.extend((job, outcome) for job in dict.fromkeys(jobs) if (job, outcome) not in shell.waits)


def settle(waits: Waits, job: int, outcome: Outcome) -> Waits:
    """Give what was waited for, with more said of one job."""
    return [(number, outcome if number == job else known) for number, known in waits]


def under(shell: Interpreter, job: int, outcome: Outcome, run: Callable[[], bool | None]) -> bool | None:
    """Run something that happens only after a certain end of a job that was waited for."""
    before = list(shell.waits)
    shell.waits = settle(shell.waits, job, outcome)
    inside = list(shell.waits)
    try:
        return run()
    finally:
        shell.waits = [*before, *(item for item in shell.waits if item not in inside)]


def is_polling(shell: Interpreter, node: While) -> bool:
    """Follow a loop that asks the queue; gives False if it is not one that waits until jobs have left it."""
    text = shell.texts.cut(node.start, node.end)
    if not QUEUE.search(text):
        return False
    asked = [part for part in _questions(shell, [*node.test, *node.body]) if QUEUE.search(part)]
    queries = [query for part in asked for query in _queries(part)]
    if not queries or any(_STATES.search(part) for part in queries) or any(_OTHERS.search(part) for part in asked):
        return False
    tests = [part for part in _questions(shell, node.body) if part.startswith(("[", "((", "test "))]
    number = _bound(asked, " ".join(_questions(shell, node.test)), tests, shell)
    if number is not None and number > 0:
        message = "the driver holds jobs back while many are in the queue; in the workflow nothing does"
        shell.report(C.THROTTLED, message, shell.span(node.start, node.end))
        return True
    shell.frames.refuse_here()
    if number is None:
        return False
    jobs = list(_jobs(shell, asked))
    if jobs:
        wait_for(shell, jobs)
        return True
    named = any(re.search(r"\b(?:grep|awk|sed)\b(?!\s+-c)", part) for part in asked)
    if (
        shell.submitted
        and not named
        and all(_EVERYTHING.search(part) for part in queries)
        and not any(_NARROWED.search(part) for part in queries)
    ):
        wait_for(shell, range(shell.submitted))
        return True
    return False


def _queries(part: str) -> list[str]:
    """Give the calls of `squeue` in a command."""
    return re.findall(r"\bsqueue\b[^|)`;&]*", re.sub(r"\$\(\s*whoami\s*\)|`\s*whoami\s*`", "$USER", part))


def _questions(shell: Interpreter, nodes: Iterable[Node]) -> list[str]:
    """Give the texts of the commands and pipelines of a loop."""
    found: list[str] = []
    for node in nodes:
        if isinstance(node, Command | Pipeline | AndOr):
            places = [token for part in walk([node]) if isinstance(part, Command) for token in part.words]
            if places:
                found.append(shell.texts.cut(places[0].start, places[-1].end))
        else:
            found.extend(_questions(shell, children(node)))
    return found


def _bound(asked: list[str], test: str, tests: list[str], shell: Interpreter) -> int | None:
    """Give how many jobs may be in the queue when a loop ends; None if that is not clear."""
    if not any(re.search(r"\bwc\b|\bgrep\s+-\w*c", part) for part in asked):
        return 0
    found = next(filter(None, map(_COUNTED.search, (test, *asked, *tests))), None)
    if found is None:
        return None
    value = shell.expander.value(found.group(2))
    if not re.fullmatch(r"\d+", value):
        return None
    most = int(value) - (found.group(1) in ("-ge", ">=", "-lt", "<"))
    header = not any(re.search(r"\s-\w*h\b|--noheader|\bgrep\b|\btail\b|\bsed\b", part) for part in asked)
    return max(0, most - header)


def _jobs(shell: Interpreter, asked: Iterable[str]) -> Iterable[int]:
    """Give the jobs whose ids stand in the variables of some commands."""
    for part in asked:
        for braced, plain in _VARIABLE.findall(part):
            name = braced or plain
            items = shell.state.lists.get(shell.state.target(name))
            values = list(items.values()) if items is not None else [_known(shell, name)]
            for value in values:
                if JOB in value:
                    yield from jobs_in(value)


def _known(shell: Interpreter, name: str) -> str:
    """Give the value of a variable without making it an input."""
    if name.isdigit():
        arguments = shell.state.arguments or []
        return arguments[int(name) - 1] if 0 < int(name) <= len(arguments) else ""
    return shell.state.values.get(shell.state.target(name), "")
