"""Templates of the IR as texts of the file: literal text escaped, references as tokens or expressions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import attrs

from pwxc.expr.values import as_text
from pwxc.ir.expr import Call, Conditional, Expr, Literal, Ref, Root, refs
from pwxc.ir.task import Task
from pwxc.ir.template import Template
from pwxc_targets.osmo.writing import codes as C  # noqa: N812
from pwxc_targets.osmo.writing.context import Writing
from pwxc_targets.osmo.writing.emit import Hole, Text, text_of
from pwxc_targets.osmo.writing.escape import (
    double_dollars,
    escape,
    escape_keeping_tokens,
    has_tokens,
    is_blocky,
)
from pwxc_targets.osmo.writing.expressions import Jinja
from pwxc_targets.osmo.writing.sweeps import Loop, instance_parts


@attrs.frozen
class Mark:
    """Text of the template language itself, such as a special token."""

    text: str


Part: TypeAlias = str | Mark | Hole
_STATIC = (Root.INPUT, Root.SWEEP, Root.SWEEP_INDEX)
_PLATFORM = {
    Root.ORGANISATION: "a variable of the organisation",
    Root.USER: "a variable of the user",
    Root.APP: "a cluster that is bound to the app",
    Root.TASK_OUTPUT: "a value that a task publishes",
    Root.ATTEMPT: "the number of the attempt",
    Root.STATUS: "a status word",
    Root.DATUM: "a published value",
}


class Holes:
    """Turns the templates of one task into texts; `task` is None for what belongs to no task."""

    def __init__(self, writing: Writing, task: Task | None = None, loop: Loop | None = None) -> None:
        self.writing, self.task, self.loop = writing, task, loop
        self.numbers: dict[str, str] = {}
        """What stands behind `input:` for each read."""
        self.late: Callable[[Expr], str | None] = lambda expr: None
        """Gives the text for a value that only the run knows, if there is a way."""
        self.jinja = Jinja(self.spell, own=writing.own)

    # text

    def text(self, template: Template, *, kubernetes: bool = False, address: bool = False) -> str | Text:
        """Give the text of a template; with `kubernetes` it is an argument or a variable of the container."""
        return self.write(self.parts(template, kubernetes=kubernetes), kubernetes=kubernetes, address=address)

    def parts(self, template: Template, *, kubernetes: bool = False) -> list[Part]:
        """Resolve the holes of a template; neighbouring literal texts are joined."""
        found: list[Part] = []
        for number, part in enumerate(template.parts):
            at_end = number == len(template.parts) - 1
            found += [part] if isinstance(part, str) else self.resolve(part, kubernetes=kubernetes, at_end=at_end)
        if any(isinstance(part, Hole) and not part.tame for part in found):
            found = self._tamed(found)
        found = joined(found)
        if len(found) > 1 and isinstance(found[-1], Hole) and found[-1].default == "" and not found[-1].loose:
            before = found[-2]
            if isinstance(before, str) and before.endswith("\n"):  # a block would lose the line breaks at its end
                self._frozen()
                found.pop()
        return found

    def _tamed(self, parts: list[Part]) -> list[Part]:
        """Build in the values of wild holes where the text around them can stand in no block."""
        if all(is_blocky(part) for part in parts if isinstance(part, str)):
            return parts
        self._frozen()
        return [
            part.default if isinstance(part, Hole) and not part.tame and part.default is not None else part
            for part in parts
        ]

    def write(self, parts: list[Part], *, kubernetes: bool = False, address: bool = False) -> str | Text:
        """Escape what is literal and make the text."""
        made: list[str | Hole] = []
        for at, part in enumerate(parts):
            follower = parts[at + 1] if at + 1 < len(parts) else None
            if isinstance(part, str):
                made.append(self.literal(part, follower, kubernetes=kubernetes))
            else:
                made.append(part.text if isinstance(part, Mark) else part)
        return text_of(made, address=address)

    def literal(self, text: str, follower: Part | None = None, *, kubernetes: bool = False) -> str:
        """Escape literal text; special tokens in it stay only where OSMO leaves them alone too."""
        if kubernetes:
            text = double_dollars(text, before_hole=follower is not None)
        before_mark = follower is not None
        if self.writing.own:
            return escape_keeping_tokens(text, before_mark=before_mark)
        if has_tokens(text):
            span = self.task.span if self.task is not None else None
            message = "a text holds one of OSMO's special tokens, which would be replaced"
            self.writing.ledger.add_once(C.HARD_TEXT, message, span)
        return escape(text, before_mark=before_mark)

    # holes

    def resolve(self, expr: Expr, *, kubernetes: bool = False, at_end: bool = False) -> list[Part]:
        """Give what stands in a hole's place."""
        match expr:
            case Conditional(Ref(Root.INPUT) as ref, Literal("True"), Literal("False")) if self.writing.own:
                expr = ref  # as this language prints a truth value
        if isinstance(expr, Ref):
            late = self.late(expr) if expr.root not in _STATIC or expr.path in self.writing.variables.secrets else None
            return [late] if late is not None else self._reference(expr, kubernetes=kubernetes, at_end=at_end)
        if isinstance(expr, Literal):
            return [as_text(expr.value)]
        if isinstance(expr, Call) and expr.function in ("quantity", "duration"):
            return self.resolve(expr.arguments[0], at_end=at_end)
        if all(ref.root in _STATIC for ref in refs(expr)):
            printed = self.jinja.value(expr)
            if printed is not None:
                return [self._printed(expr, printed)]
            self._frozen()
            return [as_text(self.writing.variables.value(expr))]
        late = self.late(expr)
        if late is not None:
            return [late]
        self.unknown(expr)
        return [""]

    def _printed(self, expr: Expr, printed: str) -> Hole:
        found = [self.writing.variables.of(ref) for ref in refs(expr) if ref.root is Root.INPUT]
        tame = not found and all(
            self.loop is not None and self.loop.values.get(ref.path, ("", False))[1]
            for ref in refs(expr)
            if ref.root is Root.SWEEP
        )
        long = not tame and any((hole := item.hole()) is not None and hole.long for item in found)
        ending = long and any(item.several_lines for item in found)
        value = self.writing.variables.value(expr)
        return Hole(printed, tame, long, None if value is None else as_text(value), ending=ending, loose=bool(found))

    def _reference(self, ref: Ref, *, kubernetes: bool, at_end: bool) -> list[Part]:
        name = ref.path[0] if ref.path else ""
        match ref.root:
            case Root.INPUT:
                return [self._input(ref, kubernetes=kubernetes, at_end=at_end)]
            case Root.SWEEP | Root.SWEEP_INDEX:
                return [self._sweep(ref)]
            case Root.OUTPUT_FOLDER if name:
                return [
                    Mark(
                        "{{input:" + self.numbers[f"task:{name}"] + "}}"
                        if f"task:{name}" in self.numbers
                        else "{{output}}"
                    )
                ]
            case Root.OUTPUT_FOLDER | Root.RUN_FOLDER:
                return [Mark("{{output}}")]
            case Root.READ_FOLDER:
                return [Mark("{{input:" + self.numbers.get(name, name) + "}}")]
            case Root.RUN_ID:
                return [Mark("{{workflow_id}}")]
            case Root.HOST:
                return self.host(name)
            case Root.FILE:
                return self._file(name)
            case Root.ENVIRONMENT:
                return [Mark(f"$({name})") if kubernetes else f"${{{name}}}"]
            case Root.SESSION:
                return [name]
        self.unknown(ref)
        return [""]

    def _input(self, ref: Ref, *, kubernetes: bool, at_end: bool) -> Part:
        secret = self.writing.variables.secrets.get(ref.path)
        if secret is not None:
            return f"${{{secret}}}"
        variable = self.writing.variables.of(ref)
        hole = variable.hole(at_end=at_end)
        if hole is None:
            self._frozen()
            return variable.text
        if kubernetes and not self.writing.own and "$" in variable.text:
            return attrs.evolve(hole, expression=f"{hole.expression} | replace('$', '$$')")
        return hole

    def _sweep(self, ref: Ref) -> Part:
        if self.loop is None:
            return ""
        if ref.root is Root.SWEEP_INDEX:
            return Hole(self.loop.index, tame=True)
        found = self.loop.values.get(ref.path)
        return Hole(found[0], tame=found[1], long=not found[1]) if found is not None else ""

    def host(self, name: str) -> list[Part]:
        """Give the address of a member of the group."""
        called = self.writing.names.get(name, name)
        if self.loop is None:
            return [Mark("{{host:" + called + "}}")]
        made: list[Part] = []
        for part in instance_parts(called, self.loop):
            if not made:
                made.append(Mark("{% raw %}{{host:" + str(part) + "{% endraw %}"))
            else:
                made.append(Mark(part) if isinstance(part, str) else part)
        return [*made, Mark("{% raw %}}}{% endraw %}")]

    def _file(self, name: str) -> list[Part]:
        record = next((file for file in self.writing.workflow.files if file.name == name), None)
        return [name] if record is None else self.parts(record.path)

    def spell(self, ref: Ref) -> str | None:
        """Give the expression of an input or a sweep's variable, for use in a larger one."""
        if ref.root is Root.INPUT:
            if ref.path in self.writing.variables.secrets:
                return None
            variable = self.writing.variables.of(ref)
            return None if variable.hole() is None else variable.expression
        part = self._sweep(ref) if ref.root in _STATIC else None
        return part.expression if isinstance(part, Hole) else None

    def unknown(self, expr: Any) -> None:
        """Say that nobody here knows a value."""
        ref = next(iter(refs(expr)), None)
        what = _PLATFORM.get(ref.root, "a value of the platform") if ref is not None else "a value of the platform"
        name = f" `{'.'.join(ref.path)}`" if ref is not None and ref.path else ""
        self.writing.ledger.add_once(C.UNKNOWN_VALUE, f"{what}{name} is not known in OSMO", getattr(expr, "span", None))

    def _frozen(self) -> None:
        message = "a value that depends on an input is built in with the input's default"
        self.writing.ledger.add_once(C.FROZEN_VALUE, message, self.task.span if self.task is not None else None)


def joined(parts: list[Part]) -> list[Part]:
    """Join literal texts that are neighbours."""
    found: list[Part] = []
    for part in parts:
        if isinstance(part, str) and found and isinstance(found[-1], str):
            found[-1] += part
        elif part != "":
            found.append(part)
    return found
