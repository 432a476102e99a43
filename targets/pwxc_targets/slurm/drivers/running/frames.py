"""Loops that are read as sweeps: one turn is followed, with a mark for what differs from turn to turn."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

import attrs

from pwxc.ir.sweep import Parameter, Range, Values
from pwxc_targets.slurm.drivers.text.expansion import ALL, carried
from pwxc_targets.slurm.drivers.text.marks import (
    ALIGNED,
    CARRIED,
    IF_CARRIED,
    JOB,
    LAST,
    SWEEP,
    is_fixed,
    jobs_in,
    mark,
    names_in,
    replace_marks,
)
from pwxc_targets.slurm.drivers.text.state import State

_APART = re.compile(f"[^\\w{JOB}]")


class UnsweepableError(Exception):
    """A loop cannot be read as a sweep; `loop` is where it starts."""

    def __init__(self, loop: int) -> None:
        super().__init__(loop)
        self.loop = loop


@attrs.frozen
class Items:
    """The values of a loop's variable; a long range is not written out. `width` is how many digits a number has."""

    values: Range | Values
    width: int = 0

    def texts(self) -> Iterator[str]:
        """Go through the values as the shell has them."""
        return (str(item).zfill(self.width) for item in self.values)

    def are_distinct(self) -> bool:
        """Whether no value comes twice, so that instances can be told apart by theirs."""
        return isinstance(self.values, Range) or len(set(self.values.items)) == len(self.values.items)

    @property
    def last(self) -> str:
        """The last value."""
        return str(self.values[len(self.values) - 1]).zfill(self.width)

    def parameter(self, name: str) -> Parameter:
        """Give the parameter of a sweep."""
        return Parameter(name=name, values=self.values, format=f"0{self.width}d" if self.width else "")


def counted(first: int, last: int, step: int, width: int = 0) -> Items:
    """Give the items of a range; `last` need not be hit."""
    turns = max(0, (last - first) // step + 1)
    if turns == 0:
        return Items(Values(()))
    return Items(Range(first, first + (turns - 1) * step, step), width)


def listed(texts: Sequence[str]) -> Items:
    """Give the items of a list; numbers that are written plainly are numbers."""
    if texts and all(re.fullmatch(r"0|-?[1-9]\d{0,15}", text) for text in texts):
        numbers = [int(text) for text in texts]
        steps = {after - before for before, after in pairwise(numbers)}
        if len(steps) == 1 and 0 not in steps:
            return Items(Range(numbers[0], numbers[-1], steps.pop()))
        return Items(Values(tuple(numbers)))
    return Items(Values(tuple(texts)))


@attrs.define(eq=False)
class Frame:
    """A loop that is being followed as a sweep."""

    loop: int
    variable: str
    items: Items
    before: State
    carried: frozenset[str] = frozenset()


@attrs.define
class Frames:
    """The loops around the command that is followed, and those around each submission before."""

    state: State
    stack: list[Frame] = attrs.field(factory=list)
    of_job: dict[int, tuple[Frame, ...]] = attrs.field(factory=dict)
    closed: dict[int, Frame] = attrs.field(factory=dict)

    def enter(self, loop: int, variable: str, items: Items, assigned: frozenset[str]) -> None:
        """Begin to follow a loop; what its body sets has a value that is carried from turn to turn."""
        frame = Frame(loop, variable, items, self.state.copy(), assigned - {variable})
        self.stack.append(frame)
        self.state.values[variable] = mark(SWEEP, variable)
        for name in frame.carried:
            if name in self.state.lists:
                self.state.lists[name] = {f"{ALL}-before": carried(name)}
            else:
                self.state.values[name] = carried(name)

    def leave(self) -> None:
        """End a loop: give variables the values that they have after its last turn."""
        frame = self.stack.pop()
        self.closed[frame.loop] = frame
        state = self.state
        for name in list(state.values):
            state.values[name] = self._after(name, state.values[name], frame)
        for name in list(state.lists):
            state.lists[name] = self._list_after(name, state.lists[name], frame)

    def _after(self, name: str, value: str, frame: Frame) -> str:
        if is_fixed(value):
            return value
        own = carried(name)
        if value == own:
            return frame.before.values.get(name, "")
        if own in value and name in frame.carried:
            return self._accumulated(name, value, frame)
        value = replace_marks(
            SWEEP, value, lambda found: frame.items.last if found == frame.variable else mark(SWEEP, found)
        )
        return replace_marks(JOB, value, lambda found: mark(LAST if self._is_inside(int(found), frame) else JOB, found))

    def _is_inside(self, job: int, frame: Frame) -> bool:
        return frame in self.of_job.get(job, ())

    def _accumulated(self, name: str, value: str, frame: Frame) -> str:
        """Give what a variable holds to which every turn appends: one of its parts stands for all turns."""
        old = frame.before.values.get(name, "")
        own = carried(name)
        plain = replace_marks(IF_CARRIED, value, lambda found: found if old else "")
        if own not in plain:
            return plain
        head, _, tail = plain.partition(own)
        if any(part and not _APART.search(part[-1] + part[0]) for part in (head, tail)):
            return own  # nothing stands between what one turn and the next one append
        if CARRIED in head + tail or SWEEP in head + tail or JOB not in head + tail or "?" in head + tail:
            return own  # a use of it is refused
        return head + old + tail

    def _list_after(self, name: str, items: dict[str, str], frame: Frame) -> dict[str, str]:
        if name not in frame.carried:
            return items
        found: dict[str, str] = {}
        for key, item in items.items():
            if key == f"{ALL}-before":
                scalar = frame.before.values.get(name, "")
                first = f"{ALL}-before" if scalar == carried(name) else "0"
                found |= frame.before.lists.get(name) or ({first: scalar} if scalar else {})
            elif key.startswith(ALL) or key.isdigit():
                found[f"{ALL}-{frame.loop}-{len(found)}"] = item
            elif key == mark(SWEEP, frame.variable):
                found[f"{ALL}-each-{frame.loop}"] = item
            else:
                found[key] = self._after(name, item, frame)
        return found

    def find_item(self, items: dict[str, str], key: str) -> str | None:
        """Find what an equal loop stored under the same value of its variable."""
        names = names_in(SWEEP, key)
        if len(names) != 1 or key != mark(SWEEP, names[0]):
            return None
        frame = next((frame for frame in reversed(self.stack) if frame.variable == names[0]), None)
        for other, item in items.items():
            loop = other.removeprefix(f"{ALL}-each-")
            if other != loop and frame is not None and self.closed[int(loop)].items == frame.items:
                return replace_marks(JOB, item, lambda found: mark(ALIGNED, found))
        return None

    def refuse(self, value: str) -> None:
        """Give up reading a loop as a sweep if a value comes from one.

        Raises:
            UnsweepableError: it does.
        """
        for kind in (SWEEP, CARRIED):
            for name in names_in(kind, value):
                for frame in (*self.stack, *self.closed.values()):
                    if name == frame.variable or name in frame.carried:
                        raise UnsweepableError(frame.loop)
        for kind in (LAST, ALIGNED):
            for number in names_in(kind, value):
                frames = self.of_job.get(int(number), ())
                if frames:
                    raise UnsweepableError(frames[0].loop)
        for job in jobs_in(value):
            for frame in self.of_job.get(job, ()):
                raise UnsweepableError(frame.loop)

    def refuse_here(self) -> None:
        """Give up reading the loops around the command as sweeps: their turns happen one after the other.

        Raises:
            UnsweepableError: there are some.
        """
        if self.stack:
            raise UnsweepableError(self.stack[-1].loop)

    def refuse_gathered(self, value: str) -> None:
        """Give up reading a loop as a sweep if one id in a value stands for those of all its turns.

        Raises:
            UnsweepableError: it does.
        """
        for job in jobs_in(value):
            for frame in self.of_job.get(job, ()):
                if frame not in self.stack:
                    raise UnsweepableError(frame.loop)

    def refuse_split(self, value: str, blanks: str) -> None:
        """Give up reading a loop as a sweep if a value of its variable would be cut into words, or be a pattern.

        Raises:
            UnsweepableError: it would.
        """
        for name in names_in(SWEEP, value):
            for frame in self.stack:
                if frame.variable != name:
                    continue
                if isinstance(frame.items.values, Range):
                    plain = not set(blanks) - set(" \t\n")
                else:
                    texts = [str(item) for item in frame.items.values.items]
                    plain = all(text and not set(text) & {*blanks, *"*?["} for text in texts)
                if not plain:
                    raise UnsweepableError(frame.loop)
