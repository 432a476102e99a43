"""What a task asks the scheduler for, as long options: fixed ones for the script, late ones for the submit script."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import attrs

from pwxc.ir.expr import Call, Expr, Literal
from pwxc.ir.resources import Resources
from pwxc.ir.template import Template
from pwxc_targets.slurm.batch.cutting import MAGIC, join

_MIB = 1024 * 1024


@attrs.define
class Request:
    """Options in the order in which they are written; those of `late` are shell words worked out at submission."""

    fixed: dict[str, str | None] = attrs.field(factory=dict)
    late: dict[str, str] = attrs.field(factory=dict)

    def set(self, name: str, value: str | None) -> None:
        """Set an option; None is a flag."""
        self.fixed.pop(name, None)
        self.fixed[name] = value

    def lines(self) -> list[str]:
        """Give the directives."""
        return [directive(name, value) for name, value in self.fixed.items()]


def directive(name: str, value: str | None) -> str:
    """Write a directive."""
    text = "" if value is None else f"={join(one_line(value))}"
    return f"{MAGIC} --{name}{text}"


def one_line(text: str) -> str:
    """Give a text without line breaks and other control characters, which a directive cannot hold."""
    return "".join(letter if letter.isprintable() or letter == "\t" else " " for letter in text)


NUMBERS = {"nodes": "nodes", "tasks": "ntasks", "tasks_per_node": "ntasks-per-node", "cpus": "cpus-per-task"}
SIZES = {"memory": "mem", "memory_per_cpu": "mem-per-cpu", "storage": "tmp"}
TEXTS = {
    "partition": "partition", "account": "account", "quality": "qos", "constraint": "constraint",
    "reservation": "reservation", "generic": "gres",
}  # fmt: skip

LateWord = Callable[[Expr | Template, str], str]
"""Gives a shell word for a value that is known at submission; the second argument is `count`, `size` or `text`."""


def request(resources: Resources | None, options: Mapping[str, str], late: LateWord) -> Request:
    """Write a class of resources as options."""
    made = Request()
    if resources is None:
        return _defaults(made, options)
    for field, name in NUMBERS.items():
        _number(made, name, getattr(resources, field), late)
    for field, name in SIZES.items():
        value = getattr(resources, field)
        if isinstance(value, int | float):
            made.set(name, f"{max(1, math.ceil(value / _MIB))}M")
        elif value is not None:
            made.late[name] = late(value, "size")
    for field, name in TEXTS.items():
        template = getattr(resources, field)
        if template is not None:
            _text(made, name, template, late)
    _gpus(made, resources, late)
    _places(made, resources)
    for template in resources.directives:
        _directive(made, template, late)
    return _defaults(made, options)


def _number(made: Request, name: str, value: int | Expr | None, late: LateWord) -> None:
    if isinstance(value, int | float):
        if value > 0:
            made.set(name, str(math.ceil(value)))
    elif value is not None:
        made.late[name] = late(value, "count")


def _text(made: Request, name: str, template: Template, late: LateWord) -> None:
    literal = template.literal
    if literal is None:
        made.late[name] = late(template, "text")
    elif literal:
        made.set(name, literal)


def _gpus(made: Request, resources: Resources, late: LateWord) -> None:
    gpus = resources.gpus
    kind = f":{resources.gpu_type}" if resources.gpu_type else ""
    if isinstance(gpus, int | float):
        if gpus > 0:
            other = made.fixed.get("gres")
            made.set("gres", f"gpu{kind}:{math.ceil(gpus)}" + (f",{other}" if other else ""))
    elif gpus is not None:
        made.late["gres"] = f"gpu{kind}:{late(gpus, 'count')}"


def _places(made: Request, resources: Resources) -> None:
    if resources.exclude_nodes:
        made.set("exclude", ",".join(resources.exclude_nodes))
    if resources.node_list:
        made.set("nodelist", ",".join(resources.node_list))
    if resources.exclusive:
        made.set("exclusive", None)
    if resources.topology:
        made.set("switches", "1" if any(rule.required for rule in resources.topology) else "1@01:00:00")


def _directive(made: Request, template: Template, late: LateWord) -> None:
    literal = template.literal
    if literal is not None:
        name, equals, value = literal.removeprefix("--").partition("=")
        made.set(name, value if equals else None)
        return
    first = template.parts[0]
    if isinstance(first, str) and "=" in first:
        name, _, start = first.removeprefix("--").partition("=")
        made.late[name] = late(Template.of(start, *template.parts[1:]), "text")


def _defaults(made: Request, options: Mapping[str, str]) -> Request:
    for name in ("partition", "account"):
        if options.get(name) and name not in made.fixed and name not in made.late:
            made.set(name, options[name])
    return made


def time_limit(seconds: float) -> str:
    """Write a time limit: whole minutes, rounded up."""
    return str(max(1, math.ceil(seconds / 60)))


def plain_number(value: object) -> float | None:
    """Give a number that is fixed, else None."""
    if isinstance(value, Literal) and isinstance(value.value, int | float):
        return float(value.value)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def unwrap(expr: Expr) -> tuple[Expr, str]:
    """Take a conversion such as `duration(x)` apart into what is converted and the kind of conversion."""
    if isinstance(expr, Call) and expr.function in ("duration", "quantity") and len(expr.arguments) == 1:
        return expr.arguments[0], expr.function
    return expr, ""
