"""Names in the output: of files and jobs, and of the shell variables that hold what templates refer to."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

import attrs

from pwxc.ir.expr import Ref, Root
from pwxc.ir.inputs import Input, InputType
from pwxc.ir.task import Task

_PREFIXES = {
    Root.INPUT: "IN", Root.SWEEP: "SWEEP", Root.READ_FOLDER: "READ", Root.FILE: "FILE", Root.DATUM: "DATUM",
    Root.HOST: "HOST", Root.TASK_OUTPUT: "VALUE",
    Root.ORGANISATION: "ORG", Root.USER: "USER", Root.OUTPUT_FOLDER: "OUT",
    Root.SESSION: "SESSION", Root.APP: "APP", Root.ROW: "ROW",
}  # fmt: skip
_FIXED = {
    Root.SWEEP_INDEX: "PWXC_INDEX", Root.RUN_ID: "PWXC_RUN_ID",
    Root.RUN_FOLDER: "PWXC_RUN", Root.ATTEMPT: "PWXC_ATTEMPT",
}  # fmt: skip
SELECTS = "after or before:"
"""Stands in the script of a hook before the tasks that it belongs to."""


def means(token: str, path: Sequence[str]) -> str:
    """Give the comment that says what a variable or a file name stands for, where that cannot be seen in it."""
    return f"# {token} means {json.dumps(list(path))}"


def meanings(text: str) -> dict[str, tuple[str, ...]]:
    """Give what the comments of a script say of its names."""
    found: dict[str, tuple[str, ...]] = {}
    for token, told in re.findall(r"^# (\S+) means (\[.*\])$", text, re.MULTILINE):
        try:
            path = json.loads(told)
        except ValueError:  # a person's comment
            continue
        if path and all(isinstance(part, str) for part in path):
            found[token] = tuple(path)
    return found


def plain(name: str) -> str:
    """Give a name as it may stand in a message."""
    return re.sub(r"[^\w./-]", "_", name)


def slug(name: str) -> str:
    """Give a name as it may stand in a file name and in a shell word without quotes."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", name).lstrip("-.") or "job"


def step_label(task: Task | None, name: str) -> str:
    """Give the name of the file in which a step leaves its values."""
    steps = task.steps if task is not None else ()
    number = next((number for number, step in enumerate(steps, 1) if step.id == name), 0)
    return name if re.fullmatch(r"\w[\w.-]*", name, re.ASCII) or not number else f"step_{number}"


@attrs.define
class Slugs:
    """File names for jobs, each used once, whatever the letter case."""

    found: dict[str, str] = attrs.field(factory=dict)
    taken: set[str] = attrs.field(factory=lambda: {"submit"})

    def of(self, name: str) -> str:
        """Give the file name of a job."""
        if name not in self.found:
            # `a.1` is the second instance of `a`, and `hook.` begins what stands for a hook
            base = re.sub(r"\.(\d+)$", r"_\1", slug(name)[:120])
            self.found[name] = self._free(re.sub(r"^hook\.", "hook_", base, flags=re.IGNORECASE))
        return self.found[name]

    def of_hook(self, trigger: str, number: int) -> str:
        """Give the file name of the job of a hook."""
        return self._free(f"hook.{trigger}.{number}")

    def _free(self, base: str) -> str:
        made, number = base, 1
        while made.lower() in self.taken:
            number += 1
            made = f"{base}-{number}"
        self.taken.add(made.lower())
        return made


@attrs.define
class Variables:
    """Shell variables for references, each with one meaning."""

    found: dict[tuple[Root, tuple[str, ...]], str] = attrs.field(factory=dict)
    taken: dict[str, tuple[Root, tuple[str, ...]]] = attrs.field(factory=dict)

    def is_plain(self, ref: Ref) -> bool:
        """Whether the name of a reference can be seen in its variable."""
        return len(ref.path) == 1 and self.of(ref) == f"PWXC_{_PREFIXES.get(ref.root, 'X')}_{ref.path[0]}"

    def of(self, ref: Ref) -> str:
        """Give the variable that holds what a reference stands for."""
        if ref.root is Root.ENVIRONMENT:
            return ref.path[0]
        if ref.root is Root.OUTPUT_FOLDER and not ref.path:
            return "PWXC_OUTPUT"
        if ref.root in _FIXED:
            return _FIXED[ref.root]
        key = (ref.root, ref.path)
        if key not in self.found:
            base = "_".join(("PWXC", _PREFIXES.get(ref.root, "X"), *(_word(part) for part in ref.path)))
            made, number = base, 1
            while self.taken.setdefault(made, key) != key:
                number += 1
                made = f"{base}_{number}"
            self.found[key] = made
        return self.found[key]


def _word(part: str) -> str:
    return re.sub(r"[^A-Za-z0-9_]", "_", part)


@attrs.frozen
class Leaf:
    """An input that takes a value, with the names of the groups above it."""

    path: tuple[str, ...]
    input: Input
    option: str = ""
    """The option of the submit script that sets it."""

    @property
    def ref(self) -> Ref:
        """The reference that means it."""
        return Ref(Root.INPUT, self.path)


_OWN_OPTIONS = frozenset({"help", "dry-run", "run-dir", "resume", "wait", "status"})


def leaves(inputs: Sequence[Input]) -> list[Leaf]:
    """Give the inputs that take values, those of groups included, each with an option of its own."""
    taken = set(_OWN_OPTIONS)
    found = []
    for path, item in _values(inputs):
        name = ".".join(re.sub(r"[^A-Za-z0-9_-]", "-", part) for part in path)
        base = f"input-{name}" if name in _OWN_OPTIONS or not name[:1].isalnum() else name
        made, number = base, 1
        while made in taken:
            number += 1
            made = f"{base}-{number}"
        taken.add(made)
        found.append(Leaf(path, item, f"--{made}"))
    return found


def _values(inputs: Sequence[Input], above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Input]]:
    for item in inputs:
        if item.type is InputType.GROUP:
            yield from _values(item.items, (*above, item.name))
        else:
            yield (*above, item.name), item
