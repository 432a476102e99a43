"""What the parts of the writer share: the workflow, the names in the output, the options, and the ledger."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from pwxc.diagnostics import Code
from pwxc.fidelity import Ledger
from pwxc.ir.expr import Call, Expr, Literal, Ref, Root
from pwxc.ir.resources import Resources
from pwxc.ir.sweep import Parameter, Range, Values
from pwxc.ir.task import Gang, Task
from pwxc.ir.template import Template
from pwxc.ir.workflow import Workflow, gang_of, units
from pwxc.source import Span
from pwxc_targets.slurm import codes as C  # noqa: N812
from pwxc_targets.slurm.writing.expressions import KINDS, NUMBER, TEXT, UNKNOWN, ShellExpressions, UnsupportedError
from pwxc_targets.slurm.writing.naming import Leaf, Slugs, Variables, leaves
from pwxc_targets.slurm.writing.quoting import assigned, word


@attrs.define
class Context:
    """The state of one writing."""

    workflow: Workflow
    ledger: Ledger
    options: Mapping[str, str]
    slugs: Slugs = attrs.field(factory=Slugs)
    variables: Variables = attrs.field(factory=Variables)
    datum_files: Slugs = attrs.field(factory=Slugs)
    tasks: dict[str, Task] = attrs.field(init=False)
    gangs: dict[str, Gang] = attrs.field(init=False)
    inputs: list[Leaf] = attrs.field(init=False)
    watches: bool = attrs.field(init=False)
    """Whether some task or step is stopped when another task fails."""
    hurrying: frozenset[str] = attrs.field(init=False)
    """Units after whose end something may wait for a machine only so long."""
    _resources: dict[str, Resources] = attrs.field(init=False)
    _kinds: dict[tuple[str, ...], str] = attrs.field(init=False)
    _said: set[tuple[str, str]] = attrs.field(factory=set)

    def __attrs_post_init__(self) -> None:
        """Make the look-up tables."""
        self.tasks = {task.name: task for task in self.workflow.tasks}
        self.gangs = gang_of(self.workflow)
        self.inputs = leaves(self.workflow.inputs)
        self.watches = any(
            task.stop_when_another_fails or any(step.stop_when_another_fails for step in task.steps)
            for task in self.workflow.tasks
        )
        self.hurrying = frozenset(
            edge.parent for unit in units(self.workflow) if unit.queue_timeout is not None for edge in unit.needs
        )
        self._resources = {item.name: item for item in self.workflow.resources}
        self._kinds = {leaf.path: KINDS.get(leaf.input.type, UNKNOWN) for leaf in self.inputs}
        for leaf in self.inputs:
            self.variables.of(leaf.ref)

    @property
    def container(self) -> str:
        """How images are run."""
        return self.options["container"]

    @property
    def retries(self) -> int:
        """How many further attempts there are where the source says no number."""
        return int(self.options["retries"])

    def resources_of(self, task: Task) -> Resources | None:
        """Give what a task asks for."""
        return self._resources.get(task.resources) if task.resources is not None else None

    def resources_beside(self, task: Task) -> list[Resources]:
        """Give what a task asks for beside its own class."""
        return [found for name in task.beside if (found := self._resources.get(name)) is not None]

    def kind_of(self, ref: Ref) -> str:
        """Give the kind of value that a reference has."""
        if ref.root is Root.INPUT:
            return self._kinds.get(ref.path, TEXT if len(ref.path) > 1 else UNKNOWN)
        if ref.root in (Root.SWEEP_INDEX, Root.ATTEMPT):
            return NUMBER
        return UNKNOWN

    def expressions(self, prefix: str = "PWXC_T") -> ShellExpressions:
        """Make a translator of expressions."""
        return ShellExpressions(self.variables, self.kind_of, prefix=prefix)

    def datum_file(self, name: str) -> str:
        """Give the name of the file that holds a datum of the workflow."""
        return self.datum_files.of(name)

    def say(self, code: Code, message: str, span: Span | None = None) -> None:
        """Tell a loss that belongs to a part of a field, once."""
        key = (code.id, message)
        if key not in self._said:
            self._said.add(key)
            self.ledger.diagnostics.add(code, message, span)

    def refuse_expression(self, expr: Expr, where: str) -> None:
        """Tell that the shell cannot work an expression out."""
        message = f"{where}: the shell cannot work out this expression"
        self.say(C.EXPRESSION, message, expr.span)


@attrs.define
class Holes:
    """The holes of the templates of one script as shell variables (the `Names` of `pwxc.shell`)."""

    context: Context
    where: str
    parameters: Mapping[str, Parameter] = attrs.field(factory=dict)
    translator: ShellExpressions = attrs.field(init=False)
    used: dict[Ref, str] = attrs.field(factory=dict)
    computed: dict[Expr, str] = attrs.field(factory=dict)
    protecting: bool = False

    def __attrs_post_init__(self) -> None:
        """Make the translator."""
        self.translator = self.context.expressions("PWXC_X")
        self.translator.number = 0

    def inline(self, expr: Expr) -> str | None:
        """Nothing is replaced before the shell runs."""
        return str(expr.value) if isinstance(expr, Literal) and isinstance(expr.value, int) else None

    def is_tame(self, expr: Expr) -> bool:
        """Only numbers are put in as they are."""
        return True

    def protect(self, text: str) -> str | None:
        """Short text is quoted so that no checker takes it for a slip; long text is taken as it is."""
        return assigned(text) if self.protecting else None

    def variable(self, expr: Expr) -> tuple[str, str]:
        """Give a name for a hole, and the expansion that has its value."""
        name = self.name(expr)
        return name.removeprefix("PWXC_"), f"${{{name}-}}"

    def name(self, expr: Expr) -> str:
        """Give the variable that has a hole's value; lines that work it out are kept until they are taken."""
        if isinstance(expr, Ref):
            name = self.context.variables.of(expr)
            self.used[expr] = name
            return name
        if expr not in self.computed:
            self.computed[expr] = self._compute(expr)
        return self.computed[expr]

    def _compute(self, expr: Expr) -> str:
        for ref in _refs(expr):
            self.used[ref] = self.context.variables.of(ref)
        try:
            if isinstance(expr, Call) and expr.function == "format":
                return self._formatted(expr)
            inner = expr.arguments[0] if isinstance(expr, Call) and expr.function in ("duration", "quantity") else expr
            atom = self.translator.value(inner)
        except UnsupportedError:
            self.context.refuse_expression(expr, self.where)
            atom = None
        name = self.translator.fresh()
        self.translator.lines.append(f"export {name}={atom.word if atom else chr(39) * 2}")
        return name

    def _formatted(self, expr: Call) -> str:
        ref, form = expr.arguments[0], expr.arguments[1] if len(expr.arguments) > 1 else None
        pattern = form.value if isinstance(form, Literal) and isinstance(form.value, str) else ""
        atom = self.translator.value(ref)
        name = self.translator.fresh()
        kinds = self._number_kinds(ref)
        if (pattern.endswith("d") and int in kinds) or (pattern.endswith("f") and float in kinds):
            line = f"{name}=$(LC_ALL=C printf '%{pattern}' {atom.word})"
        else:
            line = f"{name}={atom.word}"
        self.translator.lines.append(f"{line}; export {name}")
        return name

    def _number_kinds(self, ref: Expr) -> set[type]:
        parameter = self.parameters.get(ref.path[0]) if isinstance(ref, Ref) and ref.root is Root.SWEEP else None
        values = parameter.values if parameter is not None else None
        if isinstance(values, Range):
            return {float} if float in {type(values.start), type(values.step)} else {int}
        if isinstance(values, Values):
            return {type(value) for value in values}
        return {int, float}

    def take_lines(self) -> list[str]:
        """Give the lines that work values out, and forget them."""
        lines, self.translator.lines = self.translator.lines, []
        self.computed = {}
        return lines

    def word(self, template: Template) -> str:
        """Give a shell word for a short template."""
        parts = [word(part) if isinstance(part, str) else f'"${{{self.name(part)}-}}"' for part in template.parts]
        return "".join(parts) or "''"


def _refs(expr: Expr) -> list[Ref]:
    from pwxc.ir.expr import refs

    return refs(expr)
