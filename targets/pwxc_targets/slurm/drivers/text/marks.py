"""Marks in values for what a script knows only when it runs. A mark is a letter of a private range around a name."""

from __future__ import annotations

import re
from collections.abc import Callable

from pwxc.ir.expr import Expr, Ref, Root
from pwxc.ir.template import Template

JOB = "\ue000"
"""Stands before and behind the number of a submission whose id a value has."""
INPUT = "\ue001"
"""Stands before and behind the name of an input."""
UNKNOWN = "\ue002"
"""Stands for what is known only when the script runs."""
SWEEP = "\ue003"
"""Stands before and behind the name of the variable of a loop that is read as a sweep."""
CARRIED = "\ue004"
"""Stands before and behind the name of a variable whose value comes from the turn of the loop before."""
IF_CARRIED = "\ue005"
"""Stands before and behind a text that is there only if a carried value is not empty."""
LAST = "\ue006"
"""Stands before and behind the number of a submission, of which the last instance is meant."""

ALIGNED = "\ue007"
"""Stands before and behind the number of a submission in an equal loop, of which the same instance is meant."""

HERE = "\ue008"
"""Stands for the path of the folder in which the driver is called."""
PROCESS = "\ue009"
"""Stands before and behind the number of what was started in the background."""
TEMPORARY = "\ue00d"
"""Stands before and behind the number of a file whose name `mktemp` chooses."""

MANY = "\ue00e"
"""Stands behind UNKNOWN where it is not known either how many words there are."""

LOGIN = "\ue00f"
"""Stands before and behind the name of a variable that every login has: it stays text of the shell in scripts."""

_ANY = re.compile("[\ue000-\ue00f]")


def mark(kind: str, name: object) -> str:
    """Give a mark."""
    return f"{kind}{name}{kind}"


def may_be_marks(text: str) -> bool:
    """Whether a text that nobody has marked has letters of marks."""
    return _ANY.search(text) is not None


def is_fixed(value: str) -> bool:
    """Whether a value has no marks."""
    return _ANY.search(value) is None


def is_told(value: str) -> bool:
    """Whether a value has no marks but those of inputs, of sweeps and of the login, which a workflow has too."""
    return is_fixed(re.sub(f"([{INPUT}{SWEEP}{LOGIN}])[^{INPUT}{SWEEP}{LOGIN}]*\\1", "", value))


def names_in(kind: str, value: str) -> list[str]:
    """Give the names in the marks of a kind."""
    return re.findall(f"{kind}([^{kind}]*){kind}", value)


def jobs_in(value: str) -> list[int]:
    """Give the numbers of the submissions whose ids stand in a value."""
    return [int(number) for number in names_in(JOB, value)]


def replace_marks(kind: str, value: str, replace: Callable[[str], str]) -> str:
    """Give a value with the marks of a kind replaced."""
    return re.sub(f"{kind}([^{kind}]*){kind}", lambda found: replace(found.group(1)), value) if kind in value else value


def as_template(value: str) -> Template:
    """Turn marks into references; a variable of the login is an input where there is no shell that knows it."""
    if is_fixed(value):
        return Template.of(value)
    parts: list[str | Expr] = []
    at = 0
    for found in re.finditer(f"([{INPUT}{SWEEP}{LOGIN}])(.*?)\\1", value, re.DOTALL):
        parts.append(value[at : found.start()])
        parts.append(Ref(Root.SWEEP if found.group(1) == SWEEP else Root.INPUT, (found.group(2),)))
        at = found.end()
    return Template.of(*[part for part in (*parts, value[at:]) if part != ""])
