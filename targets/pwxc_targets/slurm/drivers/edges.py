"""What a submission waits for: the value of `--dependency` into edges between tasks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import attrs

from pwxc.diagnostics import Diagnostics
from pwxc.ir.sweep import Range, Values
from pwxc.ir.task import Edge, Outcome
from pwxc.source import Span
from pwxc_targets.slurm import codes as C  # noqa: N812
from pwxc_targets.slurm.batch.lists import Dependency, Term, dependency
from pwxc_targets.slurm.batch.wordvalues import BadValueError
from pwxc_targets.slurm.drivers.running.frames import Frame, Frames, UnsweepableError
from pwxc_targets.slurm.drivers.text.marks import ALIGNED, INPUT, JOB, SWEEP, UNKNOWN, is_fixed, mark

_KINDS = {
    "afterok": Outcome.SUCCESS, "aftercorr": Outcome.SUCCESS, "afterany": Outcome.END, "afternotok": Outcome.FAILURE,
    "after": Outcome.START, "afterburstbuffer": Outcome.END,
}  # fmt: skip
_FIRST_NUMBER = 900_000_000
_ALIGNED_NUMBER = 1_900_000_000
"""Ids of jobs of the driver are numbers from here on while a dependency is read."""
_FOREIGN_NUMBER = 2_900_000_000
"""Ids that are inputs are numbers from here on."""
MOST_EDGES = 200_000
_ALONE = re.compile(f"(?:\\A|(?<=[:,?]))([{JOB}{ALIGNED}])\\d+\\1(?=[:,?_+]|\\Z)")


@attrs.define
class Edges:
    """Reads dependencies. `names` are those of the tasks by the numbers of their submissions; None was refused.

    `arrays` has the indexes of those that are arrays; `tied` is the variable of a loop whose turns go with the tasks of
    an array in the dependency that was read last.
    """

    names: list[str | None]
    diagnostics: Diagnostics
    count: int = 0
    arrays: dict[int, Range | Values] = attrs.field(factory=dict)
    tied: str | None = None

    def read(
        self, value: str | None, waits: Sequence[tuple[int, Outcome]], frames: Frames, span: Span
    ) -> tuple[list[Edge], str]:
        """Give the edges, and the part of the dependency that stays text: it names what is outside the workflow."""
        self.tied = None
        edges = [edge for number, outcome in waits for edge in self._to(number, outcome, frames, span)]
        if value is not None and re.fullmatch(f"{INPUT}[^{INPUT}]*{INPUT}", value):
            self._outside(span)
            return edges, value
        foreign: list[str] = []
        read = self._parsed(value, frames, span, foreign) if value else None
        if read is None:
            return edges, ""
        kept: list[str] = []
        if read.any and len(read.terms) + sum(len(term.jobs) > 1 for term in read.terms) > 1:
            edges.extend(self._any_of(read, span))
        else:
            for term in read.terms:
                outside = [job for job in term.jobs if int(job[0]) >= _FOREIGN_NUMBER]
                kept.extend(_written(term, job, foreign) for job in outside)
                inside = attrs.evolve(term, jobs=tuple(job for job in term.jobs if job not in outside))
                edges.extend(self._of_term(inside, frames, span))
        self.count += len(edges)
        if self.count > MOST_EDGES:
            self._dynamic(f"the driver makes more than {MOST_EDGES:,} dependencies", span)
        if kept:
            self._outside(span)
        kept += ["singleton"] if any(term.kind == "singleton" for term in read.terms) else []
        return list(dict.fromkeys(edges)), ",".join(kept)

    def _outside(self, span: Span) -> None:
        message = "the job waits for a job of another run, which is named when the driver is called"
        self.diagnostics.add(C.OUTSIDE_JOB, message, span)

    def _any_of(self, read: Dependency, span: Span) -> Iterator[Edge]:
        """Read conditions of which one is enough: the first task of an array that ends can be meant, nothing else."""
        jobs = [job for term in read.terms for job in term.jobs]
        place = int(jobs[0][0]) - _FIRST_NUMBER if jobs else -1
        name = self.names[place] if 0 <= place < len(self.names) else None
        indexes = {str(index) for index in self.arrays.get(place, ())}
        if (
            name is None
            or len({number for number, _, _ in jobs}) != 1
            or {term.kind for term in read.terms} != {"afterany"}
            or not indexes
            or {instance for _, instance, _ in jobs} != indexes
        ):
            self._dynamic("conditions joined by `?` have no counterpart: the workflow would wait for all of them", span)
            return
        yield Edge(parent=name, when=Outcome.END, any_instance=True, span=span)

    def _aligned(self, value: str, frames: Frames) -> str:
        """Mark ids of tasks of an array that go with the turns of the loop: `afterok:${id}_$i`."""

        def one(found: re.Match[str]) -> str:
            number, variable = int(found.group(1)), found.group(2)
            frame = frames.stack[-1] if len(frames.stack) == 1 else None
            indexes = self.arrays.get(number)
            if frame is None or frame.variable != variable or indexes is None or number in _inside(frames):
                return found.group()
            if frame.items.width or list(indexes) != list(frame.items.values):
                return found.group()
            self.tied = variable
            return mark(ALIGNED, number)

        return re.sub(f"{JOB}(\\d+){JOB}_{SWEEP}(\\w+){SWEEP}", one, value)

    def _parsed(self, value: str, frames: Frames, span: Span, foreign: list[str]) -> Dependency | None:
        def of_input(found: re.Match[str]) -> str:
            foreign.append(found.group())
            return str(_FOREIGN_NUMBER + len(foreign) - 1)

        value = self._aligned(value, frames)
        ids = re.findall(f"[{JOB}{ALIGNED}]\\d+[{JOB}{ALIGNED}]", value)
        if len(ids) != len(_ALONE.findall(value)):
            frames.refuse(value)
            message = "an id in the dependency runs into what stands beside it"
            self.diagnostics.add(C.BAD_VALUE, message, span, help="put `:` or `,` between ids")
            return None
        numbered = re.sub(f"{JOB}(\\d+){JOB}", lambda found: str(_FIRST_NUMBER + int(found.group(1))), value)
        numbered = re.sub(
            f"{ALIGNED}(\\d+){ALIGNED}", lambda found: str(_ALIGNED_NUMBER + int(found.group(1))), numbered
        )
        numbered = re.sub(f"(?<=:){INPUT}[^{INPUT}]*{INPUT}(?=[:,?_+]|\\Z)", of_input, numbered)
        if not is_fixed(numbered):
            frames.refuse(numbered)
            what = "what the job waits for is known only when the driver runs"
            if INPUT in numbered and UNKNOWN not in numbered:
                what = "what the job waits for is said when the driver is called"
            self._dynamic(what, span)
            return None
        try:
            return dependency(numbered)
        except BadValueError as error:
            shown = re.sub(r"(?:9\d{8}|[12]9\d{8})", "ID", numbered)
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
            if instance not in (None, "*") and [str(item) for item in self.arrays.get(place, ())] != [instance]:
                waited = f"only task {instance} of `{self.names[place]}`"
                message = f"{waited} is waited for, and the workflow would wait for all of them"
                self._dynamic(message, span)
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


def _inside(frames: Frames) -> set[int]:
    """Give the submissions that were made inside loops that are read as sweeps."""
    return {number for number, around in frames.of_job.items() if around}


def _written(term: Term, job: tuple[str, str | None, int], foreign: Sequence[str]) -> str:
    """Give a condition on a job outside the workflow as it was written."""
    number, instance, delay = job
    name = foreign[int(number) - _FOREIGN_NUMBER]
    return f"{term.kind}:{name}{'' if instance is None else f'_{instance}'}{f'+{delay}' if delay else ''}"


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
