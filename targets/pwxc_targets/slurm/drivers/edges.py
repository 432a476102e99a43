"""What a submission waits for: the value of `--dependency` into edges between tasks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import attrs

from pwxc.diagnostics import Diagnostics
from pwxc.ir.task import Edge, Outcome
from pwxc.source import Span
from pwxc_targets.slurm import codes as C  # noqa: N812
from pwxc_targets.slurm.batch.lists import Dependency, Term, dependency
from pwxc_targets.slurm.batch.wordvalues import BadValueError
from pwxc_targets.slurm.drivers.frames import Frame, Frames, UnsweepableError
from pwxc_targets.slurm.drivers.marks import ALIGNED, INPUT, JOB, UNKNOWN, is_fixed

_KINDS = {
    "afterok": Outcome.SUCCESS, "aftercorr": Outcome.SUCCESS, "afterany": Outcome.END, "afternotok": Outcome.FAILURE,
    "after": Outcome.START, "afterburstbuffer": Outcome.END,
}  # fmt: skip
_FIRST_NUMBER = 900_000_000
_ALIGNED_NUMBER = 1_900_000_000
"""Ids of jobs of the driver are numbers from here on while a dependency is read."""
MOST_EDGES = 200_000


@attrs.define
class Edges:
    """Reads dependencies. `names` are those of the tasks by the numbers of their submissions; None was refused."""

    names: list[str | None]
    diagnostics: Diagnostics
    count: int = 0

    def read(
        self, value: str | None, waits: Sequence[tuple[int, bool]], frames: Frames, span: Span
    ) -> tuple[list[Edge], str]:
        """Give the edges, and the part of the dependency that stays text."""
        edges = [
            edge
            for number, ok in waits
            for edge in self._to(number, Outcome.SUCCESS if ok else Outcome.END, frames, span)
        ]
        read = self._parsed(value, frames, span) if value else None
        if read is None:
            return edges, ""
        if read.any and len(read.terms) + sum(len(term.jobs) > 1 for term in read.terms) > 1:
            self._dynamic("conditions joined by `?` have no counterpart in the workflow", span)
        edges.extend(edge for term in read.terms for edge in self._of_term(term, frames, span))
        self.count += len(edges)
        if self.count > MOST_EDGES:
            self._dynamic(f"the driver makes more than {MOST_EDGES:,} dependencies", span)
        alone = "singleton" if any(term.kind == "singleton" for term in read.terms) else ""
        return list(dict.fromkeys(edges)), alone

    def _parsed(self, value: str, frames: Frames, span: Span) -> Dependency | None:
        numbered = re.sub(f"{JOB}(\\d+){JOB}", lambda found: str(_FIRST_NUMBER + int(found.group(1))), value)
        numbered = re.sub(
            f"{ALIGNED}(\\d+){ALIGNED}", lambda found: str(_ALIGNED_NUMBER + int(found.group(1))), numbered
        )
        if not is_fixed(numbered):
            frames.refuse(numbered)
            what = "what the job waits for is known only when the driver runs"
            if INPUT in numbered and UNKNOWN not in numbered:
                what = "the job waits for a job that is named when the driver is called"
            self._dynamic(what, span)
            return None
        try:
            return dependency(numbered)
        except BadValueError as error:
            shown = re.sub(r"(?:9\d{8}|19\d{8})", "ID", numbered)
            message = f"`{shown}` is no dependency" if len(shown) < 60 else "the dependency is not one"
            self.diagnostics.add(C.BAD_VALUE, message, span, help=str(error))
            return None

    def _dynamic(self, message: str, span: Span) -> None:
        self.diagnostics.add(C.DYNAMIC, message, span)

    def _of_term(self, term: Term, frames: Frames, span: Span) -> Iterator[Edge]:
        if term.kind == "singleton":
            return
        for number, instance, delay in term.jobs:
            place = int(number)
            aligned = place >= _ALIGNED_NUMBER
            place -= _ALIGNED_NUMBER if aligned else _FIRST_NUMBER
            if not 0 <= place < len(self.names):
                self.diagnostics.add(C.UNKNOWN_ID, f"the driver submits no job with the id `{number}`", span)
                continue
            if instance not in (None, "*"):
                self._dynamic("a dependency on one task of an array has no counterpart", span)
            yield from self._to(
                place, _KINDS[term.kind], frames, span, delay=delay * 60 if term.kind == "after" else 0,
                each=term.kind == "aftercorr", aligned=aligned,
            )  # fmt: skip

    def _to(
        self, place: int, when: Outcome, frames: Frames, span: Span, *, delay: int = 0, each: bool = False,
        aligned: bool = False,
    ) -> Iterator[Edge]:  # fmt: skip
        name = self.names[place]
        around = tuple(frames.stack)
        theirs = frames.of_job.get(place, ())
        same = aligned or (bool(theirs) and theirs == around)
        if not same and theirs:
            _check_fan_in(theirs, around, when)
        if name is not None:
            yield Edge(parent=name, when=when, same_instance=same or each, delay=delay, span=span)


def _check_fan_in(theirs: tuple[Frame, ...], around: tuple[Frame, ...], when: Outcome) -> None:
    """See that all instances of a sweep can be meant.

    Raises:
        UnsweepableError: some of them are, or the condition on all of them is not what an edge says.
    """
    shared = [frame for frame in theirs if frame in around]
    if shared:
        raise UnsweepableError(shared[0].loop)
    if when is Outcome.FAILURE:
        raise UnsweepableError(theirs[0].loop)
