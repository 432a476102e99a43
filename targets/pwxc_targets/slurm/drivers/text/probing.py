"""Working on texts that hold ids of jobs: it is done twice, with unlike numbers in their place.

What comes out alike, up to the numbers, does not depend on them. Everything else is not known.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import chain

from pwxc_targets.slurm.drivers.text.marks import ALIGNED, JOB, LAST, UNKNOWN, is_fixed, mark

_ID = re.compile(f"([{JOB}{LAST}{ALIGNED}])(\\d+)\\1")
_FIRST_NUMBERS = (71_000_000, 8_200_000_000)
_MOST_JOBS = 900_000


def probed(texts: Iterable[str], work: Callable[[list[str]], str | None]) -> str:
    """Give what `work` makes of texts in which ids of jobs may stand; what depends on the ids is not known."""
    values = list(texts)
    if all(is_fixed(value) for value in values):
        found = work(values)
        return UNKNOWN if found is None else found
    jobs = list(dict.fromkeys(chain.from_iterable(_ID.findall(value) for value in values)))
    if len(jobs) > _MOST_JOBS or any(not is_fixed(_ID.sub("", value)) for value in values):
        return UNKNOWN
    outcomes = [_with_numbers(values, jobs, first, work) for first in _FIRST_NUMBERS]
    return outcomes[0] if outcomes[0] is not None and outcomes[0] == outcomes[1] else UNKNOWN


def _with_numbers(
    values: list[str], jobs: list[tuple[str, str]], first: int, work: Callable[[list[str]], str | None]
) -> str | None:
    number_of = {job: str(first + place) for place, job in enumerate(jobs)}
    if any(re.search(str(first)[:-6] + r"\d{6}", _ID.sub("", value)) for value in values):
        return None  # the text has numbers that look like ours
    found = work([_ID.sub(lambda job: number_of[job.group(1), job.group(2)], value) for value in values])
    if found is None:
        return None
    return re.sub(
        rf"(?<!\d){str(first)[:-6]}\d{{6}}(?!\d)",
        lambda number: _mark_of(number.group(), jobs, first),
        found,
    )


def _mark_of(number: str, jobs: list[tuple[str, str]], first: int) -> str:
    place = int(number) - first
    return mark(*jobs[place]) if place < len(jobs) else number
