"""Steps that were read from `session_runner`, back into its call (pw.md §13.3).

The reader turns its start script into a scheduled step, which keeps the session, and its controller script into a
step before it. What the two run is recognised by the text that the reader gives them.
"""

from __future__ import annotations

import re
from typing import Any

from pwxc.ir.task import Script, Step
from pwxc.ir.template import Template
from pwxc_targets.pw.writing.spelling import kept_by

SESSION_RUNNER = "github/parallelworks/interactive_session"
_PATH = r"(?:\"([^\"]*)\"|(~\S*))"
_RUNS = re.compile(rf"(?:\. {_PATH}\n)?bash {_PATH}\n\Z")
_MARK = "\0"


def find_session(step: Step) -> Any:
    """Give the session that a scheduled step serves; None when it serves none."""
    return kept_by(step.passthrough, "pw").get(("with", "session"))


def service_of(steps: tuple[Step, ...], at: int) -> tuple[dict[str, Template], bool] | None:
    """Give the `service` group of the call that the step `at` stands for, and whether the step before belongs to it.

    None when the step is not of the form that the reader gives.
    """
    found = _paths(steps[at])
    if found is None:
        return None
    inputs, start = found
    service = {"start_service_script": start} | ({"inputs_sh": inputs} if inputs is not None else {})
    if (folder := steps[at].working_directory) is not None:
        service["rundir"] = folder
    before = steps[at - 1] if at else None
    if before is None or not _is_controller(before, steps[at]):
        return service, False
    controller = _paths(before)
    if controller is None or controller[0] != inputs or before.working_directory != steps[at].working_directory:
        return service, False
    return service | {"controller_script": controller[1]}, True


def _is_controller(step: Step, main: Step) -> bool:
    ending = step.name.parts[-1] if step.name is not None and step.name.parts else ""
    named = isinstance(ending, str) and ending.endswith("controller" if main.name is None else " (controller)")
    place = step.placement
    return named and place is not None and place.scheduled is False and step.condition == main.condition


def _paths(step: Step) -> tuple[Template | None, Template] | None:
    if not isinstance(step.work, Script):
        return None
    template = step.work.text
    if any(isinstance(part, str) and _MARK in part for part in template.parts):
        return None
    found = _RUNS.match(template.fill(lambda hole: _MARK))
    if found is None:
        return None
    holes = iter(template.holes)
    texts = [found[1] or found[2], found[3] or found[4]]
    inputs, start = (None if text is None else _fill(text, holes) for text in texts)
    assert start is not None
    return inputs, start


def _fill(text: str, holes: Any) -> Template:
    pieces = text.split(_MARK)
    parts: list[Any] = [pieces[0]]
    for piece in pieces[1:]:
        parts += [next(holes), piece]
    return Template.of(*parts)
