"""References resolved for one instance: to values where they are known, to a name in angle brackets otherwise."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

from pwxc.expr.evaluate import evaluate, item
from pwxc.expr.values import UNDEFINED, EvaluationError, Value, as_text, is_number
from pwxc.ir.data import Dataset, Datum, Destination, File, NamedDatum, NamedFile, Origin, TaskOutput, Url
from pwxc.ir.expr import Call, Expr, Ref, Root, Undefined
from pwxc.ir.task import ActionCall, Command, Script, Task, Work
from pwxc.ir.template import Template
from pwxc.ir.workflow import Workflow
from pwxc.semantics.trace import Instance
from pwxc.shell import quote

if TYPE_CHECKING:
    from pwxc.semantics.expansion import Row

NOTHING: Mapping[str, Value] = {}


class Surroundings(Protocol):
    """What an instance is part of, as far as its references lead there."""

    workflow: Workflow
    tasks: dict[str, Task]
    files: dict[str, File]
    data: dict[str, Datum]

    def format_of(self, task: str, variable: str) -> str:
        """Give the format in which a variable of a sweep is printed."""

    def input(self, path: tuple[str, ...]) -> Value:
        """Give the value of an input or of a part of it."""

    def published(self, path: tuple[str, ...], asking: Scope) -> Value:
        """Give a value that a task published."""


class Scope:
    """What references mean in one instance of a task, or in the workflow as a whole when there is none."""

    def __init__(self, world: Surroundings, instance: Instance | None = None, row: Row = NOTHING) -> None:
        self.world, self.instance, self.row = world, instance, row
        self.attempt = 0
        self.status: Mapping[str, bool] = {}
        self.variables: dict[str, str] = {}

    def lookup(self, ref: Ref) -> Value:
        """Give the value of a reference (see `Root` for what its path is)."""
        found = _LOOKUPS.get(ref.root)
        return found(self, ref.path) if found is not None else symbol(ref.root, ref.path)

    def value(self, expr: Expr) -> Value:
        """Give the value of an expression.

        Raises:
            EvaluationError: it has none.
        """
        if isinstance(expr, Call) and expr.function in _PRINTING:
            return _PRINTING[expr.function]([self.value(part) for part in expr.arguments])
        return evaluate(expr, self)

    def number(self, value: float | Expr | None) -> float | None:
        """Give a number of seconds or of attempts; None for what is not said or is no number."""
        if value is None or isinstance(value, int | float):
            return value
        try:
            found = _duration([self.value(value)])
        except EvaluationError:
            return None
        return found if isinstance(found, int | float) and not isinstance(found, bool) else None

    def truth(self, value: bool | Expr) -> bool:
        """Give the truth of a switch; one without a value is off."""
        from pwxc.expr.values import truth

        if isinstance(value, bool):
            return value
        try:
            return truth(self.value(value))
        except EvaluationError:
            return False

    def text(self, template: Template) -> str:
        """Give a text with all holes filled; a hole without a value is shown as a fault."""
        literal = template.literal
        return literal if literal is not None else template.fill(self._fill)

    def _fill(self, hole: Expr) -> str:
        try:
            value = self.value(hole)
        except EvaluationError as fault:
            return f"<fault: {fault}>"
        return _decimal(value) if isinstance(value, float) else as_text(value)

    def data(self, value: Any) -> Any:
        """Give data in which all templates are filled."""
        if isinstance(value, Template):
            return self.text(value)
        if isinstance(value, Mapping):
            return {key: self.data(part) for key, part in value.items()}
        if isinstance(value, list | tuple):
            return [self.data(part) for part in value]
        return value

    def work(self, work: Work) -> str:
        """Give what a step runs as text: a script as it is, a program quoted, a call with its arguments as JSON."""
        match work:
            case Script():
                return self.text(work.text)
            case Command():
                return " ".join(quote(self.text(argument)) for argument in work.arguments)
            case ActionCall():
                arguments = json.dumps(self.data(work.arguments), sort_keys=True, default=str)
                return f"uses {work.name} {arguments}"

    def origin(self, origin: Origin | Destination) -> str:
        """Give the place that data comes from or goes to."""
        match origin:
            case TaskOutput():
                run = f"{origin.run}:" if origin.run is not None else ""
                return symbol(Root.OUTPUT_FOLDER, (f"{run}{origin.task}",))
            case Url():
                return self.text(origin.url)
            case Dataset():
                part = f"/{self.text(origin.path)}" if origin.path is not None else ""
                update = "".join(f" + {self.text(each)}" for each in origin.update or ())
                return f"dataset {self.text(origin.name)}{part}{update}"
            case NamedFile():
                return f"file {as_text(_file(self, (origin.name,)))}"
            case NamedDatum():
                return f"datum {origin.name}"


def _sweep(scope: Scope, path: tuple[str, ...]) -> Value:
    if not path or path[0] not in scope.row:
        return UNDEFINED
    value: Value = scope.row[path[0]]
    for step in path[1:]:
        value = item(value, step)
    form = scope.world.format_of(scope.instance.task, path[0]) if scope.instance and len(path) == 1 else ""
    return _formatted([value, form]) if form else value


def _index(scope: Scope, path: tuple[str, ...]) -> Value:
    return UNDEFINED if scope.instance is None or scope.instance.index is None else scope.instance.index


def _own_folder(scope: Scope, path: tuple[str, ...]) -> Value:
    own = scope.instance.task if scope.instance is not None else ""
    return symbol(Root.OUTPUT_FOLDER, path or (own,))


def _read(scope: Scope, path: tuple[str, ...]) -> Value:
    task = scope.world.tasks.get(scope.instance.task) if scope.instance is not None else None
    for read in task.reads if task is not None else ():
        if path[:1] == (read.name,):
            return f"<read {scope.origin(read.origin)}>"
    return symbol(Root.READ_FOLDER, path)


def _file(scope: Scope, path: tuple[str, ...]) -> Value:
    file = scope.world.files.get(path[0]) if path else None
    return symbol(Root.FILE, path) if file is None else scope.text(file.path)


def _datum(scope: Scope, path: tuple[str, ...]) -> Value:
    datum = scope.world.data.get(path[0]) if path else None
    if datum is None or datum.value is None:
        return symbol(Root.DATUM, path)
    return json.dumps(datum.value, sort_keys=True, separators=(",", ":"), default=str)


def _environment(scope: Scope, path: tuple[str, ...]) -> Value:
    return scope.variables.get(path[0], symbol(Root.ENVIRONMENT, path)) if path else UNDEFINED


_LOOKUPS: dict[Root, Callable[[Scope, tuple[str, ...]], Value]] = {
    Root.INPUT: lambda scope, path: scope.world.input(path),
    Root.SWEEP: _sweep,
    Root.SWEEP_INDEX: _index,
    Root.OUTPUT_FOLDER: _own_folder,
    Root.READ_FOLDER: _read,
    Root.FILE: _file,
    Root.DATUM: _datum,
    Root.TASK_OUTPUT: lambda scope, path: scope.world.published(path, scope),
    Root.ENVIRONMENT: _environment,
    Root.ATTEMPT: lambda scope, path: scope.attempt,
    Root.STATUS: lambda scope, path: bool(path) and scope.status.get(path[0], False),
}


def symbol(root: Root, path: tuple[str, ...]) -> str:
    """Give the name that stands for a value that only a real run has."""
    return f"<{' '.join([root.value, '.'.join(path)]).strip()}>"


def _formatted(arguments: list[Value]) -> Value:
    value, form = arguments[0], as_text(arguments[1]) if len(arguments) > 1 else ""
    if form and is_number(value):
        try:
            return format(value, form)
        except ValueError:
            return value
    return value


_SPAN = re.compile(r"\s*(\d+)\s*(us|ms|s|m|h|d)\s*")
_ISO = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")
_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600, "d": 86400}


def _duration(arguments: list[Value]) -> Value:
    """Give the seconds of a duration; a value of another form stays what it is."""
    value = arguments[0]
    if not isinstance(value, str):
        return value
    if (found := _SPAN.fullmatch(value)) is not None:
        return int(found[1]) * _SECONDS[found[2]]
    if (iso := _ISO.fullmatch(value)) is not None and len(value) > 1:
        days, hours, minutes, seconds = (float(part or 0) for part in iso.groups())
        return days * 86400 + hours * 3600 + minutes * 60 + seconds
    try:
        return float(value)
    except ValueError:
        return value


_PRINTING: dict[str, Callable[[list[Value]], Value]] = {
    "format": _formatted,
    "duration": _duration,
    "quantity": lambda arguments: arguments[0],
}
"""Functions that readers put around a reference, to say how its value is written."""


def _decimal(value: float) -> str:
    """Give a number without an exponent, as sweeps print it (torc.md §13.3)."""
    plain = as_text(value)
    return f"{Decimal(plain):f}" if "e" in plain else plain


def is_known(value: Value) -> bool:
    """Whether there is a value at all."""
    return not isinstance(value, Undefined)
