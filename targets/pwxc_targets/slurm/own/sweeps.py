"""The sweep of a job script that the writer made, from the lines that work out the values of an instance."""

from __future__ import annotations

import re
from collections.abc import Callable

import attrs

from pwxc.ir.entity import Plain, changed
from pwxc.ir.expr import Ref, Root
from pwxc.ir.sweep import Parameter, Range, Sweep, SweepMode, Values
from pwxc.source import Span
from pwxc_targets.slurm.own.lines import Names, UnreadableError, literal_of, typed, words_of

_PLACE = re.compile(r"index(?: / (?P<stride>\d+))?(?: % (?P<count>\d+))?")


@attrs.define
class OwnSweep:
    """What the lines so far have said; `count` is how many instances the submit script says there are."""

    count: int
    told: dict[str, tuple[str, ...]]
    names: Names
    columns: list[tuple[str, str, Values | Range]] = attrs.field(factory=list)
    table: list[str] = attrs.field(factory=list)

    def take(self, line: str) -> bool:
        """Take a line, if it is one of the sweep's."""
        for pattern, take in _LINES:
            if (match := pattern.fullmatch(line)) is not None:
                take(self, match)
                return True
        return False

    def table_of(self, match: re.Match[str]) -> None:
        """Take the values of a parameter."""
        self.table = [literal_of(word) for word in words_of(match.group(1))]

    def column(self, match: re.Match[str]) -> None:
        """Take the variable that is looked up in the table."""
        name, place = match.groups()
        self._column(name, place, Values(typed(self.table)))

    def whole_numbers(self, match: re.Match[str]) -> None:
        """Take a variable that is a number of a range of whole numbers."""
        start, place, step = int(match["start"]), match["place"], int(match["step"] or 1)
        self._column(match["name"], place, Range(start, start + step * (self._length(place) - 1), step))

    def numbers(self, match: re.Match[str]) -> None:
        """Take a variable that is a number of a range."""
        (start, step), place = typed([match["start"], match["step"]]), match["place"]
        stop = float(match["start"]) + float(match["step"]) * (self._length(place) - 1)
        stop = float(f"{stop:.15g}")  # as a person wrote it
        start = float(match["start"]) if isinstance(start, int) and isinstance(step, int) else start
        self._column(match["name"], place, Range(start, stop, step))

    def _length(self, place: str) -> int:
        found = _PLACE.fullmatch(place)
        if found is None:
            raise UnreadableError
        if found["count"]:
            return int(found["count"])
        return self.count // int(found["stride"] or 1)

    def _column(self, variable: str, place: str, values: Values | Range) -> None:
        path = self.told.get(variable, (variable.removeprefix("PWXC_SWEEP_"),))
        self.names[variable] = (Ref(Root.SWEEP, path),)
        if len(path) == 1:
            self.columns.append((path[0], place, values))
            return
        # a value that is a map has a variable for each of its keys
        before = self.columns.pop() if self.columns and self.columns[-1][0] == path[0] else None
        rows: list[dict[str, Plain]] = [dict(row) for row in before[2]] if before is not None else [{} for _ in values]  # type: ignore[arg-type]
        for row, value in zip(rows, values, strict=True):
            row[path[1]] = value
        self.columns.append((path[0], place, Values(tuple(rows))))

    def made(self, span: Span | None) -> Sweep:
        """Give the sweep.

        Raises:
            UnreadableError: the parameters do not give the number of instances.
        """
        parameters = tuple(Parameter(name=name, values=values, span=span) for name, _, values in self.columns)
        places = [place for _, place, _ in self.columns]
        zipped = len(places) > 1 and set(places) == {"index"}
        sweep = Sweep(parameters=parameters, mode=SweepMode.ZIP if zipped else SweepMode.PRODUCT, span=span)
        if not parameters:
            sweep = changed(sweep, parameters=(Parameter(name="index", values=Range(0, self.count - 1)),))
        if sweep.size != self.count or (not zipped and len(set(places)) != len(places)):
            raise UnreadableError
        return sweep


_TABLE: list[tuple[str, Callable[[OwnSweep, re.Match[str]], None]]] = [
    (r"table=\((.*)\)", OwnSweep.table_of),
    (r"export (PWXC_SWEEP_\w+)=\$\{table\[([^\]]+)\]\}", OwnSweep.column),
    (
        r"(?P<name>PWXC_SWEEP_\w+)=\$\(\((?P<start>-?\d+) \+ \((?P<place>[^)]+)\)(?: \* (?P<step>-?\d+))?\)\)",
        OwnSweep.whole_numbers,
    ),
    (
        r"(?P<name>PWXC_SWEEP_\w+)=\$\(step (?P<start>\S+) (?P<step>\S+) \$\(\((?P<place>[^)]+)\)\)\)",
        OwnSweep.numbers,
    ),
]
_LINES = [(re.compile(pattern, re.DOTALL), take) for pattern, take in _TABLE]
