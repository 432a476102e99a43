"""A toy system for tests of the command line: a task a line, `name: command`."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pwxc.diagnostics import Diagnostics, error, warning
from pwxc.fidelity import Fate, Ledger
from pwxc.ir.task import Script, Step, Task
from pwxc.ir.template import Template
from pwxc.ir.workflow import Workflow
from pwxc.registry import Option, OutputFile, ReadSettings, Target, Written
from pwxc.source import Source

BAD_LINE = error("PWX2901", "toy-bad-line", "A line is not `name: command`.", "Write a name and a command.")
LONG_NAME = warning("PWX4901", "toy-long-name", "A name is long.", "Choose a shorter one.")
NO_PRIORITY = error("PWX3901", "toy-no-priority", "The toy knows no priorities.", "Remove the priority.")
NO_STOP = warning("PWX3902", "toy-no-stop", "The toy's tasks do not stop each other.", "Remove it.")


class Point:
    """What `importlib.metadata` gives for an entry point."""

    def __init__(self, target: Target | None) -> None:
        self.target = target

    def load(self) -> Target:
        if self.target is None:
            raise ImportError("no such module")
        return self.target


def sniff(text: str, name: str) -> float:
    return 0.9 if text.startswith("# toy") else 0.0


def read(sources: tuple[Source, ...], settings: ReadSettings, diagnostics: Diagnostics) -> Workflow | None:
    tasks = []
    values = dict(item.split("=", 1) for item in (*settings.values, *settings.texts))
    for source in sources:
        at = 0
        for line in re.findall(r"[^\n]*\n|[^\n]+", source.text):
            span = source.span(at, at + len(line.rstrip()))
            at += len(line)
            if line.startswith("#") or not line.strip():
                continue
            if line.startswith("crash"):
                raise RuntimeError("the toy\nbroke")
            name, colon, command = line.strip().partition(": ")
            if not colon:
                diagnostics.add(BAD_LINE, f"`{name}` has no command", span, label="here", help="write `name: command`")
                continue
            for key, value in values.items():
                command = command.replace(f"${key}", value)
            tasks.append(
                Task(
                    name=name,
                    steps=(Step(work=Script(Template((command,))), span=span),),
                    priority=3 if name.startswith("urgent") else None,
                    stop_when_another_fails=name.startswith("stopping"),
                    span=span,
                )
            )
    return None if diagnostics.failed else Workflow(name="toy", dialect="toy", tasks=tuple(tasks))


def write(workflow: Workflow, ledger: Ledger, options: Mapping[str, str]) -> Written:
    lines = []
    with ledger.of(workflow) as account:
        account.whole(Fate.EXACT)
        account.cosmetic("dialect")
    for task in workflow.tasks:
        with ledger.of(task) as account:
            account.drop("priority", NO_PRIORITY, f"`{task.name}` has a priority")
            account.approximate("stop_when_another_fails", NO_STOP, f"`{task.name}` is not stopped")
            (step,) = account.take("steps")
        lines.append(f"{task.name}: {step.work.text.parts[0]}\n")
    if options["split"] == "yes":
        files = [OutputFile(f"{line.partition(':')[0]}.toy", line) for line in lines]
        return Written((OutputFile("sub/run.sh", "#!/bin/sh\n", executable=True), *files))
    return Written((OutputFile("out.toy", "# toy\n" + "".join(lines)),))


def lint(sources: tuple[Source, ...], settings: ReadSettings, diagnostics: Diagnostics) -> None:
    read(sources, settings, diagnostics)
    for source in sources:
        at = source.text.find("long-name")
        if at >= 0:
            diagnostics.add(LONG_NAME, "`long-name` is long", source.span(at, at + 9))


TOY = Target(
    name="toy",
    title="Toy system",
    suffixes=(".toy",),
    sniff=sniff,
    codes=__name__,
    read=read,
    write=write,
    lint=lint,
    options=(
        Option("split", "no", "A file a task.", ("yes", "no")),
        Option("title", "", "A title."),
    ),
)
MUTE = Target(name="mute", title="Can do nothing", suffixes=(), sniff=lambda text, name: 0.0, codes="string")
