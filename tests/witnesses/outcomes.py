"""What a witness says about a run, and how that is held against the trace of the reference machine.

A witness is a small interpreter of one system's own model by that system's own rules. It gets the same `Environment`
as the machine and gives a `Witnessed`; what it does not know (None) is not compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import attrs

from pwxc.semantics.trace import Part, Record, State, Trace

SUCCEEDED, FAILED, SKIPPED = State.SUCCEEDED, State.FAILED, State.SKIPPED
CANCELLED, TIMED_OUT = State.CANCELLED, State.TIMED_OUT


@attrs.frozen
class Ending:
    """How one instance went; `began` is None for what never ran."""

    state: State
    attempts: int | None = None
    """Starts of the whole instance."""
    work: tuple[tuple[str, int | None], ...] | None = None
    """Each text that was run, in order, with its exit code, which is None for what was stopped."""
    variables: tuple[tuple[tuple[str, str], ...], ...] | None = None
    """For each of the texts, the variables that were set, sorted by name."""
    cleanups: tuple[str, ...] | None = None
    moved: tuple[str, ...] | None = None
    """What surrounds the commands, as `Record.moved` spells it, in any order."""
    began: float | None = None
    ended: float | None = None
    timed: bool = True
    """Whether `began` and `ended` are known at all."""


@attrs.frozen
class Witnessed:
    """A whole run, as a witness sees it. Instances have the names `job`, or `job[2]` where there are several."""

    endings: Mapping[str, Ending]
    units: Mapping[str, State] | None = None
    """The states of groups, by name."""
    followed: frozenset[tuple[str, str]] = frozenset()
    """Pairs of instances that ran, of which the second could only begin when the first had ended."""


def states(seen: Witnessed) -> str:
    """Give the states of all instances, for a table."""
    return " ".join(ending.state.value for ending in seen.endings.values())


def differences(trace: Trace, seen: Witnessed) -> list[str]:
    """Give a line for everything in which the machine and a witness disagree."""
    records = {str(instance): record for instance, record in trace.instances.items()}
    if records.keys() != seen.endings.keys():
        return [f"instances: the machine has {sorted(records)}, the witness {sorted(seen.endings)}"]
    found = [f"{name}: {line}" for name, ending in seen.endings.items() for line in _differ(records[name], ending)]
    if seen.units is not None and dict(trace.units) != dict(seen.units):
        found.append(f"units: the machine has {trace.units}, the witness {dict(seen.units)}")
    instances = {str(instance): instance for instance in trace.instances}
    for first, second in sorted(seen.followed):
        if not trace.before(instances[first], instances[second]):
            found.append(f"{second} began before {first} had ended")
    return found


def _differ(record: Record, ending: Ending) -> Iterator[str]:
    work = [ran for ran in record.ran if ran.part is Part.WORK]
    began = None if record.began is None else record.began.time
    pairs: list[tuple[str, object, object]] = [
        ("state", record.state, ending.state),
        ("attempts", record.attempts, ending.attempts),
        ("work", tuple((_plain(ran.text), ran.code) for ran in work), ending.work),
        ("variables", tuple(ran.environment for ran in work), ending.variables),
        ("cleanups", tuple(_plain(ran.text) for ran in record.ran if ran.part is Part.CLEANUP), ending.cleanups),
        ("moved", tuple(sorted(record.moved)), None if ending.moved is None else tuple(sorted(ending.moved))),
    ]
    for what, machine, witness in pairs:
        if witness is not None and machine != witness:
            yield f"{what}: the machine has {machine!r}, the witness {witness!r}"
    if ending.timed and began != ending.began:
        yield f"began: the machine has {began!r}, the witness {ending.began!r}"
    elif ending.timed and began is not None and record.ended is not None and record.ended.time != ending.ended:
        yield f"ended: the machine has {record.ended.time!r}, the witness {ending.ended!r}"


_FAULT = re.compile(r"<fault: [^>]*>")


def _plain(text: str) -> str:
    return _FAULT.sub("<fault>", text)
