"""Simulated time.

All that is due at one time is woken first, in one phase; only then come the reactions to what ended, in a phase of
their own. So what happens at the same time has no order, and the order of a file cannot show.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Generator
from typing import TypeAlias

import attrs

from pwxc.semantics.trace import Moment

Life: TypeAlias = Generator[float, None, None]
"""Something that goes on in time: it yields the seconds until it wants to be woken."""


class StoppedError(Exception):
    """Thrown into what goes on, to end it early."""


@attrs.define(eq=False)
class Process:
    """Something that is going on; `due` tells its current place in the queue from forgotten ones."""

    life: Life
    due: int = -1
    ended: bool = False


class Clock:
    """Wakes what is due; `react` is called when nothing more is due at a time, and may start things."""

    def __init__(self) -> None:
        self.time = 0.0
        self.phase = 0
        self._queue: list[tuple[float, int, Process]] = []
        self._number = 0

    @property
    def now(self) -> Moment:
        """The present moment."""
        return Moment(self.time, self.phase)

    def start(self, life: Life) -> Process:
        """Let something begin; it runs up to its first wait at once."""
        process = Process(life)
        self._resume(process, None)
        return process

    def stop(self, process: Process, fault: BaseException) -> None:
        """Throw into something that waits; what it does about it, it does now."""
        if not process.ended:
            self._resume(process, fault)

    def after(self, seconds: float, action: Callable[[], None]) -> Process:
        """Do something later, among the things that are woken."""
        return self.start(_later(seconds, action))

    def run(self, react: Callable[[], bool], limit: float | None = None) -> None:
        """Run until nothing is left to do, or up to the time `limit`.

        `react` says whether it did something, and is called again until it has nothing to do.
        """
        while True:
            self.phase += 1
            if react():
                self._wake()
                continue
            while self._queue and self._queue[0][2].due != self._queue[0][1]:
                heapq.heappop(self._queue)
            if not self._queue or (limit is not None and self._queue[0][0] > limit):
                break
            self.time = self._queue[0][0]
            self._wake()
        if limit is not None and self._queue:
            self.time = limit

    def _wake(self) -> None:
        """Wake all that is due now, without what they in turn want at this very time."""
        self.phase += 1
        due: list[tuple[int, Process]] = []
        while self._queue and self._queue[0][0] <= self.time:
            _, number, process = heapq.heappop(self._queue)
            due.append((number, process))
        for number, process in due:
            if process.due == number:
                self._resume(process, None)

    def _resume(self, process: Process, fault: BaseException | None) -> None:
        try:
            seconds = next(process.life) if fault is None else process.life.throw(fault)
        except (StopIteration, StoppedError):
            process.ended = True
            process.due = -1
            return
        self._number += 1
        process.due = self._number
        heapq.heappush(self._queue, (self.time + max(0.0, seconds), self._number, process))


def _later(seconds: float, action: Callable[[], None]) -> Life:
    yield seconds
    action()
