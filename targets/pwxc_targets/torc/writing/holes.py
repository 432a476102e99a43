"""Holes of templates in torc's terms: tokens and `${…}` that torc replaces, shell variables for the rest."""

from __future__ import annotations

import re

from pwxc.ir.data import NamedDatum, NamedFile
from pwxc.ir.expr import Expr, Ref, Root
from pwxc.ir.sweep import Range
from pwxc.ir.task import Task
from pwxc.ir.template import Template
from pwxc.shell import quote
from pwxc_targets.torc.writing.sweeps import Plan, show_value, sweep_path

_UNTAME = re.compile(r"['\\\n\r]")
_NOT_NAME = re.compile(r"\W")


class Holes:
    """Says what each hole of one task's templates is in a job of torc (`pwxc.shell.Names`)."""

    def __init__(
        self, task: Task, plan: Plan, row: dict[tuple[str, ...], object] | None, hosts: dict[str, str]
    ) -> None:
        self.task, self.plan, self.row, self.hosts = task, plan, row, hosts
        self.unknown: list[Expr] = []
        self._outputs = {
            write.destination.name for write in task.writes if isinstance(write.destination, NamedFile | NamedDatum)
        }

    def inline(self, expr: Expr) -> str | None:
        """Give the text that torc, or this compilation, puts in the hole's place."""
        path, form = sweep_path(expr)
        if path is not None:
            if self.row is not None:
                return show_value(self.row.get(path), form)
            return self.plan.token(expr)
        if isinstance(expr, Ref) and expr.root in (Root.FILE, Root.DATUM):
            kind = "files" if expr.root is Root.FILE else "user_data"
            name = expr.path[0]
            return "${" + f"{kind}.{'output' if name in self._outputs else 'input'}.{name}" + "}"
        return None

    def is_tame(self, expr: Expr) -> bool:
        """Whether the value can hold no quote, line break or backslash."""
        path, _ = sweep_path(expr)
        if path is None:
            return False
        if self.row is not None:
            return _UNTAME.search(show_value(self.row.get(path))) is None
        values = self.plan.values.get(self.plan.names.get(path, ""))
        if values is None or isinstance(values, Range):
            return values is not None
        return all(_UNTAME.search(show_value(item)) is None for item in values.items)

    def variable(self, expr: Expr) -> tuple[str, str]:
        """Give a mark's name and the shell expression of a value that is known when the job runs."""
        if not isinstance(expr, Ref):
            return self._unknown(expr)
        path = expr.path
        match expr.root:
            case Root.OUTPUT_FOLDER:
                return ("output", "$output") if not path else (f"output_of_{path[0]}", f"$run/tasks/{path[0]}/output")
            case Root.READ_FOLDER:
                return f"input_{path[0]}", f"$task/input/{path[0]}"
            case Root.RUN_ID:
                return "run_id", "${TORC_WORKFLOW_ID-}"
            case Root.RUN_FOLDER:
                return "run", "$run"
            case Root.HOST:
                return f"host_{path[0]}", self.hosts.get(path[0], "127.0.0.1")
            case Root.TASK_OUTPUT:
                return f"value_{'_'.join(path)}", f'$(cat "$run/tasks/{path[0]}/values/{path[-1]}")'
            case Root.ENVIRONMENT:
                return f"variable_{path[0]}", f"${{{path[0]}-}}"
            case Root.ATTEMPT:
                return "attempt", "$((TORC_ATTEMPT_ID - 1))"
        return self._unknown(expr)

    def _unknown(self, expr: Expr) -> tuple[str, str]:
        self.unknown.append(expr)
        words = "_".join((expr.root.value, *expr.path)) if isinstance(expr, Ref) else "expression"
        name = "PWXC_" + _NOT_NAME.sub("_", words).upper()
        return name, f"${{{name}:?has to be set}}"

    def protect(self, text: str) -> str | None:
        """Literal text needs no care: the names of parameters are chosen so that none is in it."""
        del text
        return None

    def text(self, template: Template) -> str | None:
        """Give a template as text that needs no shell; None when it has holes that only the run knows."""
        parts = [part if isinstance(part, str) else self.inline(part) for part in template.parts]
        return None if None in parts else "".join(part for part in parts if part is not None)


def folder(name: str) -> str:
    """Give the shell word of a task's folder below `$run`."""
    return f'"$run"/tasks/{quote(name.replace("/", "_"))}'
