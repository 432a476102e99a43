"""Steps that submit through the common sub-workflows, as scripts with resources (pw.md §13).

A step that runs `job_runner`, `script_submitter` or `session_runner` is a script that the scheduler of a cluster
runs: the resources are in its `slurm` group. What decides at run time what is submitted stays a call.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from pwxc.ir.entity import Passthrough, changed
from pwxc.ir.expr import Expr, Ref, Root
from pwxc.ir.resources import Placement, Resources
from pwxc.ir.task import Script, Step
from pwxc.ir.template import Template, join, text
from pwxc.source import Span
from pwxc_targets.pw.reading.actions import SubWorkflow
from pwxc_targets.pw.reading.scheduler_options import OptionReader, as_template

DEFAULTS: Mapping[tuple[str, str], Mapping[str, object]] = {
    ("job_runner", ""): {"time": "04:00:00", "nodes": 1, "cpus_per_task": 4},
    ("script_submitter", ""): {"time": "01:00:00"},
    ("script_submitter", "general"): {"time": "01:00:00"},
    ("script_submitter", "hsp"): {"time": "00:30:00"},
    ("session_runner", ""): {"time": "01:00:00"},
    ("session_runner", "general"): {"time": "01:00:00"},
    ("session_runner", "hsp"): {"time": "00:30:00"},
}
"""What the `slurm` groups of the sub-workflows have when the caller gives nothing, by name and variant."""

_SLURM = (
    *("nodes", "ntasks", "cpus_per_task", "partition", "account", "qos", "time", "gpus", "gres", "mem"),
    *("constraint", "array"),
)
_SWITCHES = ("is_enabled", "is_disabled")
_IDENTITY = ("$yaml", "$host", "$thumbnail")
_IDLE: Mapping[str, tuple[object, ...]] = {
    "inject_markers": (True,),
    "poll_interval": (15,),
    "use_scheduler_agent": (False,),
    "submit_and_exit": (False,),
    "define_cleanup_script": (False,),
    "skip_cleanups_file": (),
}
"""Values of arguments that say what happens anyway (§13), besides nothing at all."""
_MISSING = object()


@attrs.frozen
class Submission:
    """What a submitting step means: the steps that take its place, and the resources of the scheduled one."""

    steps: tuple[Step, ...]
    placement: Placement
    resources: tuple[Resources, ...]
    """What is asked for: of a heterogeneous job, what each component asks for."""


@attrs.define
class Arguments:
    """The arguments of a call, by path; they note which of them were taken."""

    values: Mapping[str, Any]
    taken: set[str] = attrs.field(factory=set)

    def get(self, *path: str) -> Any:
        """Give an argument; below one that is a reference to a group of the form, a reference to its field."""
        self.taken.add(path[0])
        value: Any = self.values
        for at, name in enumerate(path):
            if isinstance(value, Template):
                whole = value.whole
                if isinstance(whole, Ref) and whole.root is Root.INPUT:
                    return Template((attrs.evolve(whole, path=(*whole.path, *path[at:])),))
                return _MISSING
            if not isinstance(value, dict) or name not in value:
                return _MISSING
            value = value[name]
        return value

    def template(self, *path: str) -> Template:
        """Give an argument as text; empty when it is absent."""
        value = self.get(*path)
        return as_template(None if value is _MISSING or isinstance(value, dict | list) else value)

    def switch(self, *path: str, default: bool) -> bool | Expr | None:
        """Give a boolean or an expression; None when it is neither."""
        value = self.get(*path)
        if value is _MISSING or value is None or value == "":
            return default
        if isinstance(value, bool):
            return value
        if isinstance(value, Template):
            return value.whole
        return {"true": True, "false": False}.get(str(value).lower())

    def rest(self, span: Span | None) -> tuple[Passthrough, ...]:
        """Keep the arguments that were not taken."""
        left = [name for name in self.values if name not in self.taken and name not in _IDENTITY]
        left = [name for name in left if self.values[name] not in (None, "", *_IDLE.get(name, ()))]
        return tuple(Passthrough("pw", ("with", name), self.values[name], span) for name in left)


def read_submission(step: Step, called: SubWorkflow, arguments: Mapping[str, Any], name: str) -> Submission | None:
    """Read a submitting step; None when it does not say plainly what it submits.

    `step` is the step as a call; its name, condition, retries and so on are kept. `name` is for the resource class.
    """
    given = Arguments(arguments)
    session = called.name == "session_runner"
    below = ("cluster",) if session else ()
    scheduled = given.switch(*below, "scheduler", default=False)
    if scheduled is None:
        return None
    resources = _resources(given, called, below, name, step.span) if scheduled is not False else ()
    placement = _placement(given, scheduled)
    steps = _session_steps(step, given) if session else _script_steps(step, given)
    if steps is None:
        return None
    last = steps[-1]
    kept = (*last.passthrough, *given.rest(step.span))
    steps = (
        *(changed(first, placement=_login(placement)) for first in steps[:-1]),
        changed(last, passthrough=kept),
    )
    return Submission(steps, placement, resources)


def _placement(given: Arguments, scheduled: bool | Expr) -> Placement:
    resource = given.get("resource")
    whole = resource.whole if isinstance(resource, Template) else None
    if isinstance(whole, Ref):
        host = attrs.evolve(whole, path=(*whole.path, "ip"))
        return Placement(host=Template((host,)), cluster=whole, scheduled=scheduled, span=whole.span)
    return Placement(cluster=whole, scheduled=scheduled)


def _login(placement: Placement) -> Placement:
    return changed(placement, scheduled=False)


def _resources(
    given: Arguments, called: SubWorkflow, below: tuple[str, ...], name: str, span: Span | None
) -> tuple[Resources, ...]:
    reader = OptionReader(name, span)
    defaults = DEFAULTS.get((called.name, called.variant), {})
    for field in _SLURM:
        if given.get(*below, "slurm", field) == "undefined":
            continue  # it is left out: the default is for a field that is not given
        value = given.template(*below, "slurm", field) or as_template(defaults.get(field))
        if value:
            reader.take(field.replace("_", "-"), value)
    reader.take_lines(given.template(*below, "slurm", "scheduler_directives"), ("slurm", "scheduler_directives"))
    group = given.get(*below, "slurm")
    known = {*_SLURM, *_SWITCHES, "scheduler_directives"}
    for field, value in group.items() if isinstance(group, dict) else ():
        if field not in known:
            reader.kept.append(Passthrough("pw", ("slurm", field), value, span))
    pbs = given.get(*below, "pbs")
    if isinstance(pbs, dict) and any(field not in _SWITCHES for field in pbs):
        reader.kept.append(Passthrough("pw", ("pbs",), pbs, span))
    return reader.resources(), *(part.resources() for part in reader.further)


def _script_steps(step: Step, given: Arguments) -> tuple[Step, ...] | None:
    from_file = given.switch("use_existing_script", default=False)
    path, script = given.template("script_path"), given.template("script")
    shell = _shell(given.template("shebang"))
    if from_file is True and path:
        body = join((text("bash "), _quoted(path), text("\n")))
    elif from_file is False and script:
        body = script
    else:
        return None
    folder = _folder(given.template("rundir"))
    made = changed(
        step,
        work=Script(body, shell),
        working_directory=folder or step.working_directory,
        cleanup=step.cleanup or _cleanup(given),
    )
    return (made,)


def _session_steps(step: Step, given: Arguments) -> tuple[Step, ...] | None:
    start = given.template("service", "start_service_script")
    if not start:
        return None
    controller = given.template("service", "controller_script")
    inputs = given.template("service", "inputs_sh")
    folder = _folder(given.template("service", "rundir")) or step.working_directory
    source = join((text(". "), _quoted(inputs), text("\n"))) if inputs else Template()
    run = changed(
        step,
        work=Script(join((source, text("bash "), _quoted(start), text("\n")))),
        working_directory=folder,
    )
    if not controller:
        return (run,)
    before = Step(
        work=Script(join((source, text("bash "), _quoted(controller), text("\n")))),
        name=join((step.name, text(" (controller)"))) if step.name else text("controller"),
        condition=step.condition,
        working_directory=folder,
        stop_when_another_fails=step.stop_when_another_fails,
        environment=step.environment,
        span=step.span,
    )
    return (before, run)


def _cleanup(given: Arguments) -> Template | None:
    """Give the cleanup script's call; the sub-workflow limits it to 300 seconds (§13.1)."""
    path = given.template("cleanup_script_path")
    if not path or given.switch("define_cleanup_script", default=False) is not True:
        given.taken -= {"cleanup_script_path", "define_cleanup_script"}
        return None
    quoted = _quoted(path)
    return join((text("if [ -f "), quoted, text(" ]; then\n  timeout 300 bash "), quoted, text("\nfi\n")))


def _quoted(path: Template) -> Template:
    first = path.parts[0]
    if isinstance(first, str) and first.startswith("~"):
        return path
    return join((text('"'), path, text('"')))


def _folder(rundir: Template) -> Template | None:
    return None if not rundir or rundir.literal in ("${PWD}", "$PWD") else rundir


def _shell(shebang: Template) -> tuple[str, ...]:
    words = (shebang.literal or "").removeprefix("#!").split()
    if not words:
        return ("bash",)
    if words[0].endswith("/env") and len(words) > 1:
        return tuple(words[1:])
    return (words[0].rpartition("/")[2], *words[1:])
