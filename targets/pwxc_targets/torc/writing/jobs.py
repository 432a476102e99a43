"""Tasks and gangs into jobs."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any

import attrs

from pwxc.fidelity import Account, Fate
from pwxc.ir.data import NamedDatum, NamedFile, Read
from pwxc.ir.resources import Placement
from pwxc.ir.sweep import SweepMode
from pwxc.ir.task import Edge, Gang, Outcome, Task
from pwxc.ir.workflow import Hook, gang_of, units
from pwxc.shell import quote
from pwxc_targets.torc import regexes
from pwxc_targets.torc.generations import JOB_NAMES
from pwxc_targets.torc.parameters import show
from pwxc_targets.torc.records import tokens_of
from pwxc_targets.torc.units import format_duration
from pwxc_targets.torc.writing import codes as C  # noqa: N812
from pwxc_targets.torc.writing.holes import Holes
from pwxc_targets.torc.writing.jobscript import JobScript
from pwxc_targets.torc.writing.naming import (
    DEFAULT_CLASS,
    JOB_ORDER,
    add,
    escape_with_tokens,
    instance_names,
    name_pattern,
    safe,
    unique,
)
from pwxc_targets.torc.writing.settling import settle_placement
from pwxc_targets.torc.writing.site import gang_class, write_handler
from pwxc_targets.torc.writing.state import Writing
from pwxc_targets.torc.writing.sweeps import Plan, SweepWriter, instance_name, show_value

_VARIABLE = re.compile(r"\$\{(files|user_data)\.(input|output)\.")


@attrs.define
class Named:
    """How a unit is called in the output: one name, perhaps with tokens, or the names of its written-out instances."""

    text: str
    plan: Plan
    names: list[str] | None = None


class JobWriter:
    """Writes all jobs of a workflow."""

    def __init__(self, writing: Writing, sweeps: SweepWriter) -> None:
        self.writing, self.sweeps = writing, sweeps
        self.gangs = gang_of(writing.workflow)
        self.named: dict[str, Named] = {}
        self.gang_classes: dict[str, int] = {}
        self.default_class = False
        self._lists: dict[str, list[str] | None] = {}
        self.variants: dict[tuple[str, int], str] = {}
        keep = writing.workflow.dialect == "torc"
        for unit in units(writing.workflow):
            sweep = unit.sweep if isinstance(unit, Task) else None
            plan = sweeps.plan(sweep)
            self.named[unit.name] = Named(instance_name(unit.name, plan, sweep is not None, keep), plan)
            if plan.rows is not None:
                rows = [(row, "_".join(safe(show_value(value)) for value in row.values())) for row in plan.rows]
                self.named[unit.name].names = unique([f"{unit.name}_{suffix}" for _, suffix in rows])

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
        with self.writing.ledger.of(task) as account:
            self._settle(account, task)
            if named.names is None:
                yield self._job(account, task, named.text, named.plan, None)
                return
            for name, row in zip(named.names, named.plan.rows or [], strict=True):
                yield self._job(account, task, name, named.plan, row)

    def _settle(self, account: Account, task: Task) -> None:
        account.take("name")
        account.take("passthrough")
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
            sweep.approximate("limit", C.SWEEP_LIMIT, message, once=True)
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
        self, account: Account, task: Task, name: str, plan: Plan, row: dict[tuple[str, ...], Any] | None
    ) -> dict[str, Any]:
        writing = self.writing
        holes = Holes(task, plan, row, {})
        job: dict[str, Any] = {"name": name}
        in_env = writing.knows("job", "env") and all(self._env_text(holes, item.value) for item in task.environment)
        command = JobScript(writing, task, holes, name).build(account, environment=not in_env)
        command = self._limited(account, task, command)
        job["command"] = self._placed(name, command)
        if in_env and task.environment:
            job["env"] = {item.name: holes.text(writing.fold(item.value)) or "" for item in account.take("environment")}
            for item in task.environment:
                with writing.ledger.of(item) as entry:
                    entry.take("name")
                    entry.take("value")
        self._unknown_holes(account, holes)
        self._items(account, task, job, command)
        job.update(self._order(account, task, plan))
        self._place(account, task, job)
        self._condition(account, task)
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
                if item.implied and f"${{{kind}.{direction}.{origin.name}}}" in command:
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

    # order

    def _order(self, account: Account, unit: Task | Gang, plan: Plan) -> dict[str, Any]:
        made: dict[str, Any] = {}
        outcomes: set[Outcome] = set()
        for edge in account.take("needs"):
            with self.writing.ledger.of(edge) as entry:
                entry.take("parent")
                entry.take("when")
                entry.take("same_instance")
                entry.take("implied")
                self._settle_edge(entry, edge)
            if edge.when is Outcome.START:
                continue
            outcomes.add(Outcome.END if edge.when is Outcome.FAILURE else edge.when)
            if not (edge.implied and self._is_through_item(unit, edge)):
                self._block(made, edge, plan)
        if len(outcomes) > 1:
            with self.writing.ledger.of(unit.needs[0]) as entry:
                message = f"`{unit.name}` waits for success of some and the end of others; here for success of all"
                entry.approximate("when", C.MIXED_OUTCOMES, message)
                if unit.needs[0].when is Outcome.SUCCESS:
                    entry.approximate("parent", C.MIXED_OUTCOMES, message)
        if outcomes:
            made["cancel_on_blocking_job_failure"] = Outcome.SUCCESS in outcomes
        return made

    def _settle_edge(self, entry: Account, edge: Edge) -> None:
        if edge.when is Outcome.FAILURE:
            entry.drop("when", C.EDGE_KIND, f"torc cannot wait for a failure of `{edge.parent}`")
        if edge.when is Outcome.START:
            entry.drop("when", C.EDGE_KIND, f"torc cannot wait for the start of `{edge.parent}`")
        if edge.delay:
            entry.drop("delay", C.EDGE_KIND, f"the delay after `{edge.parent}` is left out")
        message = f"torc waits for all instances of `{edge.parent}`, not for the first"
        entry.approximate("any_instance", C.EDGE_KIND, message)

    def _is_through_item(self, unit: Task | Gang, edge: Edge) -> bool:
        parent = self.writing.tasks.get(edge.parent)
        if parent is None or not isinstance(unit, Task):
            return False
        named = (NamedFile, NamedDatum)
        written = {item.destination for item in parent.writes if isinstance(item.destination, named)}
        return any(isinstance(item.origin, named) and item.origin in written for item in unit.reads)

    def _block(self, made: dict[str, Any], edge: Edge, plan: Plan) -> None:
        parent = self.named.get(edge.parent)
        if parent is None:
            return
        if parent.names is not None:
            for name in parent.names:
                add(made, "depends_on", name)
        elif not parent.plan.columns or (edge.same_instance and set(parent.plan.columns) <= set(plan.columns)):
            add(made, "depends_on", parent.text)
        else:
            names = self._listed(parent)
            if names is None:
                add(made, "depends_on_regexes", name_pattern(parent.text, parent.plan))
            for name in names or ():
                add(made, "depends_on", name)

    def _listed(self, parent: Named) -> list[str] | None:
        """Give the single names of a sweep where a pattern would match other jobs too; None where it does not."""
        if parent.text not in self._lists:
            self._lists[parent.text] = self._list(parent)
        return self._lists[parent.text]

    def _list(self, parent: Named) -> list[str] | None:
        pattern = regexes.compile(name_pattern(parent.text, parent.plan))
        others = [name for item in self.named.values() if item is not parent for name in item.names or [item.text]]
        if not any(pattern.search(name) for name in others):
            return None
        names = list(itertools.islice(instance_names(parent.text, parent.plan), self.writing.limit + 1))
        return names if len(names) <= self.writing.limit else None

    # place

    def _place(self, account: Account, task: Task, job: dict[str, Any]) -> None:
        resources = account.take("resources")
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
        self._variant(job, task.run_timeout)
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
        for entry in task.passthrough:
            if entry.dialect != "torc" or entry.path[0] not in JOB_ORDER:
                continue
            if self.writing.knows("job", entry.path[0]):
                job[entry.path[0]] = entry.value
            else:
                message = f"torc {self.writing.version} has no `{entry.path[0]}` for jobs"
                account.approximate("passthrough", C.NOT_IN_VERSION, message, once=True)

    def _variant(self, job: dict[str, Any], limit: Any) -> None:
        """Let a job with a time limit use a class of its own with that runtime."""
        seconds = self.writing.number(limit)
        name = job.get("resource_requirements")
        if seconds is None or name is None or not self.writing.knows("job", "env"):
            return
        self.variants.setdefault((name, max(1, seconds)), f"{name}_{format_duration(max(1, seconds))}")
        job["resource_requirements"] = self.variants[name, max(1, seconds)]

    def _condition(self, account: Account, task: Task) -> None:
        if task.condition is None:
            return
        value = self.writing.value(task.condition)
        if value is None:
            account.drop("condition", C.CONDITION, f"the condition of `{task.name}` is known only in the run")
        else:
            account.approximate("condition", C.FROZEN_INPUTS, f"the condition of `{task.name}` was decided by defaults")

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
            job["command"] = self._placed(gang.name, command)
            job.update(self._order(account, gang, Plan()))
        for task in members:
            with self.writing.ledger.of(task) as own:
                self._settle(own, task)
                scratch: dict[str, Any] = {}
                self._place(own, task, scratch)
                self._condition(own, task)
                for key in ("scheduler", "failure_handler"):
                    if key in scratch:
                        job[key] = scratch[key]
        base = max((task.resources or DEFAULT_CLASS for task in members), key=self._weight)
        if len(members) > 1:
            self.gang_classes[base] = max(self.gang_classes.get(base, 0), len(members))
            job["resource_requirements"] = gang_class(base, self.gang_classes[base])
        else:
            job["resource_requirements"] = base
        self._variant(job, gang.run_timeout)
        return job

    def _weight(self, name: str) -> tuple[int, int, int]:
        record = self.writing.resources.get(name)
        if record is None:
            return (0, 0, 0)
        number = self.writing.number
        return (number(record.gpus) or 0, number(record.cpus) or 0, number(record.memory) or 0)

    # actions

    def select(self, hook: Hook) -> tuple[list[str], list[str]]:
        """Give the exact names and the patterns that select a hook's tasks."""
        if hook.patterns and self.writing.workflow.dialect == "torc":
            compiled = [regexes.compile(pattern) for pattern in hook.patterns]
            rest = [name for name in hook.tasks if not self._all_match(name, compiled)]
            names, patterns = self._select(rest)
            return names, [*hook.patterns, *patterns]
        return self._select(list(hook.tasks))

    def _all_match(self, name: str, compiled: list[regexes.Pattern]) -> bool:
        sample = self.named[name]
        first = sample.text
        for parameter, values in sample.plan.values.items():
            first = re.sub(r"\{" + re.escape(parameter) + r"(?::[^}]*)?\}", show(values[0]), first)
        return any(pattern.search(first) for pattern in compiled)

    def _select(self, tasks: list[str]) -> tuple[list[str], list[str]]:
        names: list[str] = []
        patterns: list[str] = []
        for task in tasks:
            gang = self.gangs.get(task)
            named = self.named[gang.name if gang is not None else task]
            if named.names is not None:
                names.extend(named.names)
            elif named.plan.columns:
                listed = self._listed(named)
                names.extend(listed or [])
                patterns.extend([] if listed is not None else [name_pattern(named.text, named.plan)])
            elif named.text not in names:
                names.append(named.text)
        return names, patterns
