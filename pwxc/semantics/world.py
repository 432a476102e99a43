"""A workflow with its environment: values of inputs, and what instances hand to each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from pwxc.expr.evaluate import item
from pwxc.expr.values import UNDEFINED, EvaluationError, Value
from pwxc.ir.expr import Expr, Ref, Root
from pwxc.ir.inputs import Input, InputType
from pwxc.ir.task import Task
from pwxc.ir.template import Template
from pwxc.ir.workflow import Workflow
from pwxc.semantics.environment import Environment
from pwxc.semantics.expansion import Row
from pwxc.semantics.resolve import Scope, is_known, symbol
from pwxc.semantics.trace import Instance


class Publisher(Protocol):
    """A run, as far as others read what it publishes."""

    task: Task
    instance: Instance
    scope: Scope

    @property
    def publishes(self) -> bool:
        """Whether what it published can be read."""

    def has_run(self, step: str) -> bool:
        """Whether the step with this id has started."""


class World:
    """What all instances of a run share."""

    def __init__(self, workflow: Workflow, environment: Environment) -> None:
        self.workflow, self.environment = workflow, environment
        self.tasks: dict[str, Task] = {task.name: task for task in workflow.tasks}
        self.files = {file.name: file for file in workflow.files}
        self.data = {datum.name: datum for datum in workflow.data}
        self.rows: dict[str, Mapping[int, Row]] = {}
        self.runs: dict[str, dict[int | None, Publisher]] = {}
        self._walltimes = {record.name: record.walltime for record in workflow.resources}
        self._given = environment.inputs()
        self._inputs: dict[tuple[str, ...], Value] = {}
        self._forms = {
            (task.name, parameter.name): parameter.format
            for task in workflow.tasks
            if task.sweep is not None
            for parameter in task.sweep.parameters
            if parameter.format
        }

    def time_limit(self, task: Task, scope: Scope) -> float | None:
        """Give the seconds that a task may run: its own limit or that of its resources, whichever is less."""
        limits = [scope.number(limit) for limit in (task.run_timeout, self._walltimes.get(task.resources or ""))]
        return min((limit for limit in limits if limit), default=None)

    def format_of(self, task: str, variable: str) -> str:
        """Give the format in which a variable of a sweep is printed."""
        return self._forms.get((task, variable), "")

    # inputs

    def input(self, path: tuple[str, ...]) -> Value:
        """Give the value of an input or of a part of it; its name in brackets if nobody knows it."""
        if path not in self._inputs:
            self._inputs[path] = symbol(Root.INPUT, path)  # what stands for an input that needs itself
            self._inputs[path] = self._input(path)
        return self._inputs[path]

    def _input(self, path: tuple[str, ...]) -> Value:
        given: Any = self._given
        declared: Sequence[Input] = self.workflow.inputs
        for at, name in enumerate(path):
            found = next((each for each in declared if each.name == name), None)
            given = given.get(name) if isinstance(given, Mapping) else None
            if found is None:
                return symbol(Root.INPUT, path) if given is None else _below(given, path[at + 1 :])
            if self._is_ignored(found):
                return UNDEFINED
            if found.type is not InputType.GROUP or at == len(path) - 1:
                return self._value(found, given, path[: at + 1], path[at + 1 :])
            declared = found.items
        return UNDEFINED

    def _value(self, found: Input, given: Any, path: tuple[str, ...], rest: tuple[str, ...]) -> Value:
        if found.type is InputType.GROUP and given is None:
            return {each.name: self.input((*path, each.name)) for each in found.items}
        value = given if given is not None else self._default(found, (*path, *rest))
        return value if isinstance(value, str) and value.startswith("<input ") else _below(value, rest)

    def _default(self, found: Input, path: tuple[str, ...]) -> Value:
        if found.has_default or found.default is not None:
            scope = Scope(self)
            default = found.default
            if isinstance(default, Template) and default.whole is not None:
                default = default.whole
            if isinstance(default, Expr):
                try:
                    return scope.value(default)
                except EvaluationError:
                    return UNDEFINED
            value: Value = scope.data(default)
            return value
        if found.type is InputType.BOOLEAN:
            return False
        if found.type is InputType.CHOICE and found.choices:
            return found.choices[0].value
        if found.type in (InputType.NUMBER, InputType.INTEGER):
            return found.minimum if found.minimum is not None else 1
        return UNDEFINED if found.optional is True else symbol(Root.INPUT, path)

    def _is_ignored(self, found: Input) -> bool:
        ignored = found.ignored
        if isinstance(ignored, Ref) and ignored.root is Root.SELF:
            ignored = found.hidden
        return Scope(self).truth(ignored)

    # what instances publish

    def published(self, path: tuple[str, ...], asking: Scope) -> Value:
        """Give a value that a task published, undefined if it did not get that far (pw.md §11, §12).

        What its own steps have published a task can read until it has cleaned up, also when it is cancelled.
        Of a sweep the instance with the asker's number is meant, if there is one, and the first one otherwise.
        """
        if len(path) < 2 or path[0] not in self.runs:
            return symbol(Root.TASK_OUTPUT, path)
        runs = self.runs[path[0]]
        index = asking.instance.index if asking.instance is not None else None
        run = runs.get(index) or runs.get(None) or next(iter(runs.values()), None)
        if run is None or not (run.publishes or asking is run.scope):
            return UNDEFINED
        step, key = (None, path[1]) if len(path) == 2 else (path[1], path[2])
        if step is not None:
            return self.environment.output(run.instance, step, key) if run.has_run(step) else UNDEFINED
        for publication in run.task.outputs:
            if publication.name == key and asking is not run.scope:
                return _published(publication.value, run.scope)
        return self.environment.output(run.instance, None, key)


def _published(value: Expr | Template, scope: Scope) -> Value:
    if isinstance(value, Template):
        return scope.text(value)
    try:
        return scope.value(value)
    except EvaluationError:
        return UNDEFINED


def _below(value: Value, path: tuple[str, ...]) -> Value:
    for step in path:
        if not is_known(value):
            return value
        value = item(value, step)
    return value
