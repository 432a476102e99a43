"""What a compilation into torc has decided so far: names, sweeps, values of inputs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from pwxc.diagnostics import Code
from pwxc.expr.evaluate import Bindings, UnknownValueError, evaluate
from pwxc.expr.fold import fold
from pwxc.expr.values import EvaluationError, as_text
from pwxc.fidelity import Account, Fate, Ledger
from pwxc.ir.expr import Binary, Call, Expr, Literal, Ref, Root, Undefined
from pwxc.ir.inputs import Input, InputType
from pwxc.ir.resources import Resources
from pwxc.ir.task import Task
from pwxc.ir.template import Template
from pwxc.ir.workflow import Workflow
from pwxc.registry import OutputFile
from pwxc.source import Span
from pwxc_targets.torc.generations import knows
from pwxc_targets.torc.writing import codes as C  # noqa: N812
from pwxc_targets.torc.writing.hooktasks import HookTasks, find_hooks
from pwxc_targets.torc.writing.together import join_kinds
from pwxc_targets.torc.writing.turns import take_turns

FIRST_RUNTIME = 3600
"""Seconds for what has no time limit: torc's own default."""


@attrs.define
class Writing:
    """One compilation into torc."""

    workflow: Workflow
    ledger: Ledger
    options: Mapping[str, str]
    files: list[OutputFile] = attrs.field(factory=list)
    handlers: dict[tuple[Any, ...], str] = attrs.field(factory=dict)
    """Failure handlers that are needed, by their rules."""
    handler_records: list[dict[str, Any]] = attrs.field(factory=list)
    manual: set[str] = attrs.field(factory=set)
    source: Workflow = attrs.field(init=False)
    """The workflow as it was read; `workflow` has no jobs and steps that stand for actions."""
    found: HookTasks = attrs.field(init=False)
    known: Bindings = attrs.field(init=False)
    tasks: dict[str, Task] = attrs.field(init=False)
    resources: dict[str, Resources] = attrs.field(init=False)
    arrays: dict[str, int] = attrs.field(init=False)
    """The tasks with a sweep, numbered."""
    _own: dict[str, Resources] = attrs.field(init=False)
    _told: set[tuple[str, str, Span | None]] = attrs.field(factory=set, init=False)

    def __attrs_post_init__(self) -> None:
        self.source = self.workflow
        self.found = find_hooks(self.workflow, self.ledger)
        waiting, originals = take_turns(self.found.workflow)
        self.workflow, joined = join_kinds(waiting, self.ledger)
        self.found.originals.update({**joined, **originals})
        self.known = Bindings({Root.INPUT: defaults(self.workflow.inputs)})
        self.tasks = {task.name: task for task in self.workflow.tasks}
        self.resources = {record.name: record for record in self.workflow.resources}
        self._own = {record.name: record for record in self.source.resources}
        swept = (task.name for task in self.workflow.tasks if task.sweep is not None)
        self.arrays = {name: at for at, name in enumerate(swept)}

    def account(self, task: Task) -> Account:
        """Open the account of a task, which may be one that lost steps or edges."""
        return self.ledger.of(self.found.originals.get(task.name, task))

    def own_resources(self, task: Task) -> Resources | None:
        """Give the class that the source's task has; the one that is written may have more nodes (`join_kinds`)."""
        return self._own.get(self.found.originals.get(task.name, task).resources or "")

    def tell(self, code: Code, message: str, span: Span | None) -> None:
        """Say something about a place of the source, once however many tasks stand for it."""
        key = (code.id, message, span)
        if key not in self._told:
            self._told.add(key)
            self.ledger.diagnostics.add(code, message, span)

    @property
    def version(self) -> str:
        """The version of torc that is to read the output."""
        return self.options["version"]

    @property
    def limit(self) -> int:
        """How many instances may be written out."""
        text = self.options["expansion_limit"]
        return int(text) if text.isdecimal() and len(text) < 12 else 10_000

    def knows(self, record: str, key: str) -> bool:
        """Whether that version has a key."""
        return knows(self.version, record, key)

    def fold(self, template: Template) -> Template:
        """Put the inputs' default values into a text; what is not known stays a hole."""
        if not any(not isinstance(part, str) for part in template.parts):
            return template
        return template.map(self._fold_hole)

    def _fold_hole(self, expr: Expr) -> str | Expr:
        if isinstance(expr, Call) and expr.function == "format":
            return expr
        folded = fold(expr, self.known)
        if isinstance(folded, Undefined):
            return ""
        return as_text(folded.value) if isinstance(folded, Literal) else folded

    def value(self, expr: Any) -> Any:
        """Give the value of an expression over inputs, or None; what is no expression is given back."""
        if not isinstance(expr, _EXPRESSIONS):
            return expr
        try:
            found = evaluate(expr, self.known)
        except (EvaluationError, UnknownValueError):
            return self._special(expr)
        return None if isinstance(found, Undefined) else found

    def _special(self, expr: Any) -> Any:
        """Give the value of the two functions that OSMO's quantities and durations have."""
        if isinstance(expr, Call) and expr.function in ("quantity", "duration") and len(expr.arguments) == 1:
            return parse_amount(self.value(expr.arguments[0]), expr.function)
        if isinstance(expr, Binary) and expr.operator == "*":
            left, right = self.value(expr.left), self.value(expr.right)
            try:
                return int(float(left) * float(right))
            except (TypeError, ValueError):
                return None
        return None

    def number(self, value: Any) -> int | None:
        """Give a number that may be an expression or a number in a text."""
        found = self.value(value)
        if isinstance(found, str) and re.fullmatch(r"[0-9]{1,18}", found.strip()):
            return int(found)
        return int(found) if isinstance(found, int | float) and not isinstance(found, bool) else None

    def literal(self, template: Template | None) -> str | None:
        """Give the text of a template over inputs, or None."""
        return None if template is None else self.fold(template).literal


_EXPRESSIONS = tuple(Expr.__args__)
_AMOUNT = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)\Z")
_SCALE = {"": 1, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
_TIMES = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "ms": 0.001}


def parse_amount(text: Any, kind: str) -> int | None:
    """Read a quantity (`4Gi`) as bytes or a duration (`2h`) as seconds."""
    if isinstance(text, int | float) and not isinstance(text, bool):
        return int(text)
    found = _AMOUNT.match(text) if isinstance(text, str) else None
    scale = (_SCALE if kind == "quantity" else _TIMES).get(found[2]) if found else None
    return int(float(found[1]) * scale) if found and scale is not None else None


def defaults(inputs: tuple[Input, ...]) -> dict[str, Any]:
    """Give the default values of inputs, as nested maps."""
    found: dict[str, Any] = {}
    for item in inputs:
        if item.type is InputType.GROUP:
            found[item.name] = defaults(item.items)
        elif item.has_default and not isinstance(item.default, Template):
            found[item.name] = item.default
        elif isinstance(item.default, Template) and item.default.literal is not None:
            found[item.name] = item.default.literal
    return found


def settle_inputs(writing: Writing) -> None:
    """Settle the workflow's inputs: torc has none, so their defaults stand in the texts."""
    for item in _all_inputs(writing.workflow.inputs):
        with writing.ledger.of(item) as account:
            account.emulate("name", "type", "items", "has_default")
            account.cosmetic("label", "help", "form", "passthrough", "hidden", "ignored", "optional")
            account.cosmetic("minimum", "maximum", "choices")
            message = "torc has no inputs: their default values were put into the texts"
            account.approximate("default", C.FROZEN_INPUTS, message, once=True)
            if not item.has_default and item.optional is not True and item.type is not InputType.GROUP:
                message = f"torc has no inputs, and `{item.name}` has no default: nothing stands in its place"
                account.approximate("name", C.FROZEN_INPUTS, message, help=f"give it with `--set {item.name}=…`")
        for choice in item.choices:
            with writing.ledger.of(choice) as account:
                account.whole(Fate.COSMETIC)
    for preset in writing.workflow.presets:
        with writing.ledger.of(preset) as account:
            account.cosmetic("name", "passthrough")
            account.approximate("values", C.PRESETS, f"the preset `{preset.name}` is left out")


def _all_inputs(inputs: tuple[Input, ...]) -> Iterator[Input]:
    for item in inputs:
        yield item
        yield from _all_inputs(item.items)


def input_ref(expr: Expr) -> Ref | None:
    """Give the input that an expression is, if it is one and nothing else."""
    return expr if isinstance(expr, Ref) and expr.root is Root.INPUT else None
