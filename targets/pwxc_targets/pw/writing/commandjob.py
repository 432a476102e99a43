"""What the parts that write a command's job know of it."""

from __future__ import annotations

import attrs

from pwxc.ir.template import Template
from pwxc_targets.pw import model
from pwxc_targets.pw.writing.nativejob import NativeJob


@attrs.define
class CommandJob(NativeJob):
    """A job of one command, with what has to be done around it."""

    hooks: tuple[list[model.Step], list[model.Step]] = ((), ())  # type: ignore[assignment]
    """Steps before and after those of the task."""
    around: tuple[list[str], list[str]] = ((), ())  # type: ignore[assignment]
    """The same as lines, for a task that is submitted."""
    exports: list[tuple[str, Template]] = attrs.field(factory=list)
    """Variables that its scripts set."""
