"""Tasks and gangs into jobs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pwxc.fidelity import Account, Fate
from pwxc.ir.data import NamedDatum, NamedFile, Read
from pwxc.ir.expr import Root, refs
from pwxc.ir.resources import Placement
from pwxc.ir.sweep import SweepMode
from pwxc.ir.task import Gang, Task
from pwxc.ir.workflow import gang_of, units
from pwxc.shell import is_variable_name, quote
from pwxc_targets.torc.generations import JOB_NAMES
from pwxc_targets.torc.records import tokens_of
from pwxc_targets.torc.units import format_duration
from pwxc_targets.torc.writing import codes as C  # noqa: N812
from pwxc_targets.torc.writing.conditions import UnsupportedError
from pwxc_targets.torc.writing.execution import wants_signal
from pwxc_targets.torc.writing.holes import Holes
from pwxc_targets.torc.writing.jobscript import JobScript
from pwxc_targets.torc.writing.naming import (
    DEFAULT_CLASS,
    JOB_ORDER,
    Named,
    add,
    escape_with_tokens,
    name_pattern,
    safe,
    unique,
)
from pwxc_targets.torc.writing.order import Order
from pwxc_targets.torc.writing.outcomes import Outcomes, Place, lead_of
from pwxc_targets.torc.writing.schedulers import Schedulers
from pwxc_targets.torc.writing.settling import settle_placement
from pwxc_targets.torc.writing.site import gang_class, write_handler
from pwxc_targets.torc.writing.state import Writing
from pwxc_targets.torc.writing.sweeps import Plan, SweepWriter, instance_name, show_value

_VARIABLE = re.compile(r"\$\{(files|user_data)\.(input|output)\.")


class JobWriter:
    """Writes all jobs of a workflow."""

    def __init__(self, writing: Writing, sweeps: SweepWriter) -> None:
        self.writing, self.sweeps = writing, sweeps
        self.gangs = gang_of(writing.workflow)
        self.named: dict[str, Named] = {}
        self.gang_classes: dict[str, int] = {}
        self.default_class = False
        self.variants: dict[tuple[str, int], str] = {}
        keep = writing.workflow.dialect == "torc"
        for unit in units(writing.workflow):
            sweep = unit.sweep if isinstance(unit, Task) else None
            plan = sweeps.plan(sweep)
            self.named[unit.name] = Named(instance_name(unit.name, plan, sweep is not None, keep), plan)
            if plan.rows is not None:
                rows = [(row, "_".join(safe(show_value(value)) for value in row.values())) for row in plan.rows]
                self.named[unit.name].names = unique([f"{unit.name}_{suffix}" for _, suffix in rows])
        self.outcomes = Outcomes(writing, self.named)
        self.order = Order(writing, self.named, self.outcomes)
        self.schedulers = Schedulers(writing)

    def write(self) -> list[dict[str, Any]]:
        """Give the job records."""
        jobs: list[dict[str, Any]] = []
        for unit in units(self.writing.workflow):
            if isinstance(unit, Gang):
                jobs.append(self._gang(unit))
            else:
                jobs.extend(self._task(unit))
        return [self._ordered(job) for job in jobs]

    def _ordered(self, job: dict[str, Any]) -> dict[str, Any]:
        names = JOB_NAMES.get(self.writing.version, {})
        return {names.get(name, name): job[name] for name in JOB_ORDER if name in job}

    # tasks

    def _task(self, task: Task) -> Iterator[dict[str, Any]]:
        named = self.named[task.name]
        with self.writing.account(task) as account:
            self._settle(account, task)
            if named.names is None:
                yield self._job(account, task, named.text, named.plan, None)
                return
            for index, (name, row) in enumerate(zip(named.names, named.plan.rows or [], strict=True)):
                yield self._job(account, task, name, named.plan, row, index)

    def _settle(self, account: Account, task: Task) -> None:
        account.take("name")
        account.take("passthrough")
        for kept in task.passthrough:
            if kept.dialect == "slurm":
                message = f"torc has no place for the `{kept.path[0]}` line of `{task.name}`"
                account.drop("passthrough", C.OPTION_LOST, message, span=kept.span)
        self._drop_limits(account, task)
        if task.sweep is None:
            return
        plan = self.sweeps.plan(task.sweep)
        fate = Fate.EXACT if plan.rows is None else Fate.EMULATED
        with self.writing.ledger.of(task.sweep) as sweep:
            sweep.take("parameters", fate)
            sweep.take("mode", fate)
            sweep.emulate("include", "exclude")
            message = "torc limits jobs at once for each worker only, by `max_parallel_jobs` of an action"
            own = self.writing.own_resources(task)
            span = (own.places or {}).get("--array") if own is not None else None
            sweep.approximate("limit", C.SWEEP_LIMIT, message, span=span, once=True)
            if self.writing.value(task.sweep.fail_fast) is not False:
                sweep.approximate("fail_fast", C.EARLY_CANCEL, "torc does not stop instances when one fails", once=True)
        for parameter in task.sweep.parameters:
            with self.writing.ledger.of(parameter) as item:
                item.take("name")
                if item.noun.values is not None and task.sweep.size is None and plan.columns:
                    item.approximate("values", C.FROZEN_INPUTS, "torc has no inputs: their default values were taken")
                else:
                    item.take("values", fate)
                item.take("format")
                item.take("shared")

    def _drop_limits(self, account: Account, task: Task | Gang) -> None:
        if task.queue_timeout is not None:
            account.approximate("queue_timeout", C.TIME_LIMIT, "torc has no limit for the time in a queue", once=True)
        if isinstance(task, Task) and task.stop_when_another_fails:
            account.drop("stop_when_another_fails", C.EARLY_CANCEL, "torc does not stop a job when another fails")

    def _job(
        self,
        account: Account,
        task: Task,
        name: str,
        plan: Plan,
        row: dict[tuple[str, ...], Any] | None,
        index: int | None = None,
    ) -> dict[str, Any]:
        writing = self.writing
        holes = Holes(task, plan, row, {})
        place = Place(task, name, plan, holes, index)
        job: dict[str, Any] = {"name": name}
        in_env = writing.knows("job", "env") and all(
            is_variable_name(item.name) and self._env_text(holes, item.value) for item in task.environment
        )
        command = JobScript(writing, task, holes, name).build(account, environment=not in_env)
        command = self._limited(account, task, command)
        command = self._tested(account, place, command)
        job["command"] = self._placed(name, command)
        if in_env and task.environment:
            job["env"] = {item.name: holes.text(writing.fold(item.value)) or "" for item in account.take("environment")}
            for item in task.environment:
                with writing.ledger.of(item) as entry:
                    entry.take("name")
                    entry.take("value")
        self._unknown_holes(account, holes)
        self._items(account, task, job, command)
        job.update(self.order.write(account, place))
        self._place(account, task, job)
        self._schedule(job, task, task.resources)
        if plan.columns and row is None:
            job.update(self._parameters(plan))
        return job

    def _parameters(self, plan: Plan) -> dict[str, Any]:
        if plan.shared and self.writing.knows("job", "use_parameters"):
            made: dict[str, Any] = {"use_parameters": list(plan.shared)}
        else:
            made = {"parameters": dict(plan.columns)}
        if plan.mode is SweepMode.ZIP:
            made["parameter_mode"] = "zip"
        return made

    @staticmethod
    def _env_text(holes: Holes, value: Any) -> bool:
        text = holes.text(value)
        return text is not None and "${files." not in text and "${user_data." not in text

    def _unknown_holes(self, account: Account, holes: Holes) -> None:
        if holes.unknown:
            message = "values that only the source's platform knows have to be set in the workers' environment"
            account.manual("steps", C.UNKNOWN_VALUE, message, once=True)

    def _limited(self, account: Account, task: Task, command: str) -> str:
        if task.run_timeout is None:
            return command
        seconds = self.writing.number(task.run_timeout)
        if seconds is None:
            account.approximate("run_timeout", C.TIME_LIMIT, f"the time limit of `{task.name}` is left out")
            return command
        if self.writing.knows("job", "env"):
            # from 0.20.7 on torc ends jobs that run over the runtime of their record
            account.take("run_timeout")
            return command
        account.emulate("run_timeout")
        return f"timeout {max(1, seconds)} bash -c {quote(command)}"

    def _placed(self, name: str, command: str) -> str:
        """Put a long command into a file beside the specification, if torc replaces nothing in it."""
        wanted = self.writing.options["inline_scripts"]
        long = command.count("\n") >= 20
        if wanted == "always" or (wanted == "auto" and not long) or "\n" not in command:
            return command
        if _VARIABLE.search(command) or "{" in name or self.writing.workflow.dialect == "torc":
            return command
        plan = next((item.plan for item in self.named.values() if item.text == name), Plan())
        if plan.columns and tokens_of(tuple(plan.columns)).search(command):
            return command
        from pwxc.registry import OutputFile

        path = f"scripts/{safe(name)}.sh"
        taken = {file.path for file in self.writing.files}
        while path in taken:
            path = path.removesuffix(".sh") + "_.sh"
        text = command if command.startswith("#!") else f"#!/bin/bash\n{command}"
        self.writing.files.append(OutputFile(path, text if text.endswith("\n") else text + "\n", executable=True))
        return f"bash {path}"

    # files and data

    def _items(self, account: Account, task: Task, job: dict[str, Any], command: str) -> None:
        for item in (*account.take("reads"), *account.take("writes")):
            end = item.origin if isinstance(item, Read) else item.destination
            if isinstance(end, NamedFile | NamedDatum):
                with self.writing.ledger.of(item) as entry:
                    entry.whole(Fate.EXACT)
        named = {(found[1], found[2]) for found in _VARIABLE.finditer(command)}
        for output, items in ((False, task.reads), (True, task.writes)):
            for item in items:
                origin = item.destination if output else item.origin  # type: ignore[union-attr]
                if not isinstance(origin, NamedFile | NamedDatum):
                    continue
                kind = "files" if isinstance(origin, NamedFile) else "user_data"
                direction = "output" if output else "input"
                if f"${{{kind}.{direction}.{origin.name}}}" in command:
                    continue
                self._item(task, job, (kind, direction), origin.name, in_variables=(kind, direction) in named)

    def _item(self, task: Task, job: dict[str, Any], key: tuple[str, str], name: str, *, in_variables: bool) -> None:
        kind, direction = key
        record = next((item for item in self.writing.workflow.files if item.name == name), None)
        plan = self.sweeps.plan(record.sweep if record is not None and kind == "files" else None)
        mine = self.sweeps.plan(task.sweep)
        whole = bool(plan.columns) and not set(plan.columns) <= set(mine.columns)
        if in_variables or whole:
            # a list is replaced by the variables of the command; patterns stay
            singular = "file" if kind == "files" else "user_data"
            pattern = name_pattern(name, plan) if whole else "^" + escape_with_tokens(name, mine) + "$"
            add(job, f"{direction}_{singular}_regexes", pattern)
        else:
            add(job, f"{direction}_{kind}", name)

    # place

    def _place(self, account: Account, task: Task, job: dict[str, Any]) -> None:
        account.take("resources")
        resources = task.resources
        if resources in self.writing.resources:
            job["resource_requirements"] = resources
        elif resources is None and self.writing.workflow.dialect != "torc":
            job["resource_requirements"] = DEFAULT_CLASS
            self.default_class = True
        placement: Placement | None = account.take("placement")
        if placement is not None:
            settle_placement(self.writing, placement)
            if placement.allocation is not None:
                job["scheduler"] = placement.allocation
        self._variant(job, task)
        handler = write_handler(self.writing, task)
        account.take("exit_rules")
        if handler is not None:
            job["failure_handler"] = handler
        if task.priority is not None:
            if self.writing.knows("job", "priority") and task.priority >= 0:
                job["priority"] = account.take("priority")
            else:
                message = f"torc {self.writing.version} has no priority of `{task.name}`"
                account.approximate("priority", C.NOT_IN_VERSION, message)
        if wants_signal(self.writing, resources):
            job["supports_termination"] = True
        for entry in task.passthrough:
            if entry.dialect != "torc" or entry.path[0] not in JOB_ORDER:
                continue
            if self.writing.knows("job", entry.path[0]):
                job[entry.path[0]] = entry.value
            else:
                message = f"torc {self.writing.version} has no `{entry.path[0]}` for jobs"
                account.approximate("passthrough", C.NOT_IN_VERSION, message, once=True)

    def _schedule(self, job: dict[str, Any], unit: Task | Gang, resources: str | None, nodes: int = 1) -> None:
        """Name the scheduler whose allocations are like what the source's job asks for."""
        name = self.schedulers.place(self.writing.resources.get(resources or ""), unit, nodes)
        if name is not None:
            job.setdefault("scheduler", name)

    def _variant(self, job: dict[str, Any], unit: Task | Gang) -> None:
        """Let a job with a time limit use a class of its own with that runtime, if its class has no smaller one."""
        seconds = self.writing.number(unit.run_timeout)
        name = job.get("resource_requirements")
        record = self.writing.resources.get(unit.resources or "") if isinstance(unit, Task) else None
        walltime = self.writing.number(record.walltime) if record is not None else None
        if name is None or not self.writing.knows("job", "env"):
            return
        if seconds is None and walltime is None and self.writing.workflow.dialect != "torc":
            self.writing.ledger.add_once(C.CHOSEN_RUNTIME, "tasks without a time limit get one of an hour", unit.span)
        if seconds is None or (walltime is not None and walltime <= seconds):
            return
        self.variants.setdefault((name, max(1, seconds)), f"{name}_{format_duration(max(1, seconds))}")
        job["resource_requirements"] = self.variants[name, max(1, seconds)]

    def _tested(self, account: Account, place: Place, command: str) -> str:
        """Put the tests and notes that the graph asks for around a command."""
        task = lead_of(place.unit, self.writing.tasks)
        try:
            made = self.outcomes.wrap(place, command)
        except UnsupportedError:
            account.drop("condition", C.CONDITION, f"the condition of `{task.name}` cannot be tested in bash")
            return command
        if task.condition is not None:
            self._settle_condition(account, task, place.unit.name)
        return made

    def _settle_condition(self, account: Account, task: Task, unit: str) -> None:
        if task.condition is not None and any(ref.root is Root.INPUT for ref in refs(task.condition)):
            message = f"the condition of `{task.name}` was decided by the inputs' defaults"
            account.approximate("condition", C.FROZEN_INPUTS, message)
        elif unit in self.outcomes.conditions:
            account.approximate("condition", C.TESTED, f"`{task.name}` starts in any case and tests its condition")
        else:
            account.emulate("condition")

    # gangs

    def _gang(self, gang: Gang) -> dict[str, Any]:
        from pwxc_targets.torc.writing.gangs import gang_command

        members = [self.writing.tasks[name] for name in gang.members]
        with self.writing.ledger.of(gang) as account:
            account.take("name")
            account.emulate("members", "lead", "barrier", "status")
            account.cosmetic("passthrough")
            self._drop_limits(account, gang)
            job: dict[str, Any] = {"name": gang.name}
            command = gang_command(self.writing, gang, members)
            if gang.run_timeout is not None:
                seconds = self.writing.number(gang.run_timeout)
                account.emulate("run_timeout")
                if seconds and not self.writing.knows("job", "env"):
                    command = f"timeout {seconds} bash -c {quote(command)}"
            place = Place(gang, gang.name, Plan(), Holes(lead_of(gang, self.writing.tasks), Plan(), None, {}))
        for task in members:
            with self.writing.account(task) as own:
                self._settle(own, task)
                scratch: dict[str, Any] = {}
                self._place(own, task, scratch)
                if task.name == gang.lead:
                    command = self._tested(own, place, command)
                for key in ("scheduler", "failure_handler"):
                    if key in scratch:
                        job[key] = scratch[key]
        job["command"] = self._placed(gang.name, command)
        with self.writing.ledger.of(gang) as account:
            job.update(self.order.write(account, place))
        base = max((task.resources or DEFAULT_CLASS for task in members), key=self._weight)
        if len(members) > 1:
            self.gang_classes[base] = max(self.gang_classes.get(base, 0), len(members))
            job["resource_requirements"] = gang_class(base, self.gang_classes[base])
        else:
            job["resource_requirements"] = base
        self._variant(job, gang)
        self._schedule(job, gang, base, len(members))
        return job

    def _weight(self, name: str) -> tuple[int, int, int]:
        record = self.writing.resources.get(name)
        if record is None:
            return (0, 0, 0)
        number = self.writing.number
        return (number(record.gpus) or 0, number(record.cpus) or 0, number(record.memory) or 0)
