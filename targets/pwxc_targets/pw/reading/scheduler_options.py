"""Options of Slurm, from the fields of the common sub-workflows and from `#SBATCH` lines, into a resource class.

The names are Slurm's long options; the fields of `slurm` groups have the same names with `_` for `-` (pw.md §20.7).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import attrs

from pwxc.ir.entity import Passthrough
from pwxc.ir.resources import Resources
from pwxc.ir.template import Template, join, text
from pwxc.source import Span

SHORT = {
    "A": "account",
    "C": "constraint",
    "G": "gpus",
    "J": "job-name",
    "N": "nodes",
    "c": "cpus-per-task",
    "n": "ntasks",
    "p": "partition",
    "q": "qos",
    "t": "time",
    "w": "nodelist",
    "x": "exclude",
    "a": "array",
    "D": "chdir",
    "o": "output",
    "e": "error",
    "L": "licenses",
    "d": "dependency",
}
"""Slurm's short options that job scripts use."""

_MEMORY = re.compile(r"(\d+)([kmgt]?)b?\Z", re.IGNORECASE)
_POWERS = {"k": 10, "": 20, "m": 20, "g": 30, "t": 40}
_GPU = re.compile(r"(?:gpu:)?(?:(?P<type>[A-Za-z][\w.-]*):)?(?P<count>\d+)\Z")
_OPTION = re.compile(r"--([a-z][a-z-]*)(?:(?:=|\s+)(.*))?\Z|-([A-Za-z])\s*(.*)\Z", re.DOTALL)
_CLOCK = re.compile(r"(?:(\d+)-)?(\d+)(?::(\d+))?(?::(\d+))?\Z")


def parse_slurm_time(value: str) -> int | None:
    """Give the seconds of a time limit: minutes, `MM:SS`, `HH:MM:SS`, `D-HH`, `D-HH:MM` or `D-HH:MM:SS`."""
    matched = _CLOCK.match(value.strip())
    if matched is None:
        return None
    days, *parts = matched.groups()
    numbers = [int(part) for part in parts if part is not None]
    if days is not None:
        hours, minutes, seconds = [*numbers, 0, 0][:3]
    elif len(numbers) == 3:
        hours, minutes, seconds = numbers
    else:
        hours, (minutes, seconds) = 0, [*numbers, 0][:2]
    return ((int(days or 0) * 24 + hours) * 60 + minutes) * 60 + seconds


def parse_memory(value: str) -> int | None:
    """Give the bytes of a Slurm size; a number alone is megabytes."""
    matched = _MEMORY.match(value.strip())
    return int(matched[1]) << _POWERS[matched[2].lower()] if matched is not None else None


def as_template(value: object) -> Template:
    """Give a scalar or template as a template; nothing, `undefined` and empty text are empty."""
    if isinstance(value, Template):
        return value
    return text("" if value is None or value == "undefined" else _word(value))


def _word(value: object) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


@attrs.define
class OptionReader:
    """Gathers the options of one submission; of repeated ones the last counts, as in Slurm."""

    name: str
    span: Span | None = None
    values: dict[str, Any] = attrs.field(factory=dict)
    directives: list[Template] = attrs.field(factory=list)
    kept: list[Passthrough] = attrs.field(factory=list)
    further: list[OptionReader] = attrs.field(factory=list)
    """The further components of a heterogeneous job."""

    def take(self, option: str, value: Template) -> None:
        """Take an option by its long name; one that no field of the class holds stays a directive."""
        if option in _FLAGS:
            self.values[_FLAGS[option]] = True
            return
        if value.literal is not None:
            value = text(value.literal.strip())
        reader = _FIELDS.get(option)
        if not value or reader is None or not reader(self, value):
            self.directives.append(join((text(f"--{option}="), value)) if value else text(f"--{option}"))

    def take_lines(self, lines: Template, path: tuple[str, ...]) -> None:
        """Take `#SBATCH` lines. Text that is known at submission only is kept as it is, under `path`."""
        for line in split_lines(lines):
            start = line.parts[0] if line.parts else ""
            if not isinstance(start, str):
                self.kept.append(Passthrough("pw", path, line, self.span))
            elif start.lstrip().startswith("#SBATCH"):
                self.take_line(_strip(line, "#SBATCH"))
        if self.further:
            # said for the job runner, which does not find such jobs in the queue
            self.directives = [line for line in self.directives if line.literal != "--wait"]

    def take_line(self, line: Template) -> None:
        """Take what stands behind `#SBATCH` in a line; a further component gathers its own."""
        first, rest = (line.parts[0], line.parts[1:]) if line.parts else ("", ())
        found = _OPTION.match(first) if isinstance(first, str) else None
        if isinstance(first, str) and first.partition(" ")[0].strip().lower() in ("hetjob", "packjob"):
            self.further.append(OptionReader(f"{self.name}+{len(self.further) + 1}", self.span))
        if found is None:
            return
        if self.further:
            self.further[-1].take_line(line)
            return
        name = found[1] or SHORT.get(found[3], "")
        value = found[2] if found[1] else found[4]
        if name:
            plain = _comment_free(value or "", last=not rest)
            quoted = _IN_QUOTES.match(plain) if not rest else None
            self.take(name, Template.of(quoted[1] if quoted is not None else plain, *rest))
        else:
            self.directives.append(line)

    def resources(self) -> Resources:
        """Give the class."""
        return Resources(
            name=self.name,
            directives=tuple(self.directives),
            passthrough=tuple(self.kept),
            span=self.span,
            **self.values,
        )


def split_lines(template: Template) -> list[Template]:
    """Cut a template at its line ends, blank lines left out."""
    lines: list[list[Any]] = [[]]
    for part in template.parts:
        if not isinstance(part, str):
            lines[-1].append(part)
            continue
        first, *more = part.split("\n")
        lines[-1].append(first)
        lines.extend([line] for line in more)
    made = (Template.of(*line) for line in lines)
    return [line for line in made if line.literal is None or line.literal.strip()]


def _strip(line: Template, word: str) -> Template:
    first = line.parts[0]
    assert isinstance(first, str)
    return Template.of(first.lstrip().removeprefix(word).lstrip(), *line.parts[1:])


_IN_QUOTES = re.compile(r"'([^'\"\\$`]*)'(?:\s+#.*)?\Z")
"""A value in quotes, which neither the job runner's shell nor `sbatch` reads in another way."""


def _comment_free(value: str, *, last: bool) -> str:
    if last and (quoted := _IN_QUOTES.match(value.strip())) is not None:
        return f"'{quoted[1]}'"
    return re.split(r"\s#", value, maxsplit=1)[0].strip() if last else value.lstrip()


# how the value of each option becomes a field: True when it did


def _text_field(name: str) -> Callable[[OptionReader, Template], bool]:
    def read(reader: OptionReader, value: Template) -> bool:
        reader.values[name] = value
        return True

    return read


def _number_field(name: str, parse: Callable[[str], int | None]) -> Callable[[OptionReader, Template], bool]:
    def read(reader: OptionReader, value: Template) -> bool:
        number = value.whole if value.whole is not None else parse(value.literal or "")
        if number is None:
            return False
        reader.values[name] = number
        return True

    return read


def _count(value: str) -> int | None:
    return int(value) if value.strip().isdigit() else None


def _read_gpus(reader: OptionReader, value: Template) -> bool:
    literal = value.literal
    found = _GPU.match(literal.strip()) if literal is not None else None
    if value.whole is not None:
        reader.values["gpus"] = value.whole
        return True
    if found is None:
        return False
    reader.values["gpus"] = int(found["count"])
    if found["type"]:
        reader.values["gpu_type"] = found["type"]
    return True


def _read_all_gpus(reader: OptionReader, value: Template) -> bool:
    # the class counts GPUs of one node; a number for all nodes is the same only where there is one
    return reader.values.get("nodes") in (None, 1) and _read_gpus(reader, value)


def _read_gres(reader: OptionReader, value: Template) -> bool:
    literal = value.literal
    if literal is not None and literal.startswith("gpu") and _read_gpus(reader, _after_gpu(literal)):
        return True
    reader.values["generic"] = value
    return True


def _after_gpu(literal: str) -> Template:
    return text(literal if ":" in literal else f"{literal}:1")


def _names_field(name: str) -> Callable[[OptionReader, Template], bool]:
    def read(reader: OptionReader, value: Template) -> bool:
        if value.literal is None:
            return False
        reader.values[name] = (value.literal,)
        return True

    return read


_FIELDS: dict[str, Callable[[OptionReader, Template], bool]] = {
    "partition": _text_field("partition"),
    "account": _text_field("account"),
    "qos": _text_field("quality"),
    "constraint": _text_field("constraint"),
    "reservation": _text_field("reservation"),
    "nodes": _number_field("nodes", _count),
    "ntasks": _number_field("tasks", _count),
    "ntasks-per-node": _number_field("tasks_per_node", _count),
    "cpus-per-task": _number_field("cpus", _count),
    "time": _number_field("walltime", parse_slurm_time),
    "mem": _number_field("memory", parse_memory),
    "mem-per-cpu": _number_field("memory_per_cpu", parse_memory),
    "gpus": _read_all_gpus,
    "gpus-per-node": _read_gpus,
    "gres": _read_gres,
    "nodelist": _names_field("node_list"),
    "exclude": _names_field("exclude_nodes"),
}
_FLAGS = {"exclusive": "exclusive"}
