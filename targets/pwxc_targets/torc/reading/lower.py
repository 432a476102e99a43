"""A torc specification into the IR: jobs, files and data. What jobs run in and around stands in `site`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, cast

from pwxc.ir.data import Datum, File, NamedDatum, NamedFile, Read, Variable, Write
from pwxc.ir.entity import Passthrough
from pwxc.ir.expr import Expr, Ref, Root
from pwxc.ir.resources import Placement
from pwxc.ir.sweep import Parameter, Range, Values
from pwxc.ir.task import Edge, ExitRule, Outcome, Script, Step, Task
from pwxc.ir.template import Template
from pwxc.ir.workflow import Workflow
from pwxc.shell import is_variable_name
from pwxc_targets.torc.blocks import all_faults
from pwxc_targets.torc.model import VERBATIM, FileSpec, Job, UserData
from pwxc_targets.torc.parameters import show
from pwxc_targets.torc.reading import codes as C  # noqa: N812
from pwxc_targets.torc.reading import site
from pwxc_targets.torc.reading.cycles import find_cycle
from pwxc_targets.torc.reading.hooks import lower_hooks
from pwxc_targets.torc.reading.inert import is_inert
from pwxc_targets.torc.reading.reader import Reader
from pwxc_targets.torc.reading.relations import VARIABLE, Resolver
from pwxc_targets.torc.reading.sweeps import SweepReader
from pwxc_targets.torc.records import Record

_LABELS = ("project", "metadata")


class Lowering(Reader):
    """Turns one specification into a workflow."""

    def lower(self) -> Workflow | None:
        """Give the workflow, or None when there are errors."""
        spec = self.spec
        self._check_blocks()
        sweeps = SweepReader(spec, self.document, self.diagnostics, self.context)
        jobs = self._records(spec.jobs, sweeps)
        files = self._records(spec.files or [], sweeps)
        data = self._records([item for item in spec.user_data or [] if item.name is not None], sweeps)
        data = [single for record in data for single in (record.instances() if record.sweep is not None else (record,))]
        resolver = self.resolver = Resolver(self.document, jobs, files, data, self.context.limit)
        for records in (jobs, files):
            self._split_by_class(records)
        actions = spec.actions or []
        found = resolver.settle(
            [action.jobs or [] for action in actions], [action.job_name_regexes or [] for action in actions]
        )
        self.diagnostics.extend(found)
        self._check_names()
        resources, allocations = site.lower_schedulers(self)
        classes = site.lower_resources(self)
        self.rules = site.lower_handlers(self)
        tasks = tuple(self._task(record) for record in resolver.jobs)
        self._check_cycles()
        hooks = lower_hooks(self)
        if self.diagnostics.failed:
            return None
        return Workflow(
            name=spec.name,
            dialect="torc",
            description=spec.description or "",
            parameters=sweeps.shared(),
            environment=self._workflow_environment(sweeps),
            tasks=tasks,
            resources=(*classes, *resources),
            allocations=allocations,
            files=tuple(self._file(record) for record in resolver.files),
            data=tuple(self._datum(record) for record in resolver.data),
            hooks=hooks,
            labels=self._labels(),
            passthrough=tuple(self._verbatim()),
            span=self.document.span(self.document.root),
        )

    def _check_blocks(self) -> None:
        for owner, key, message in all_faults(self.spec):
            self.diagnostics.add(C.BAD_SETTING, message, self.span(owner, key))
        for record in self.spec.user_data or []:
            if record.name is None:
                self.diagnostics.add(C.UNNAMED, "torc drops a datum without a name", self.span(record))

    def _records(self, surfaces: Iterable[Any], sweeps: SweepReader) -> list[Record]:
        made: list[Record] = []
        for index, surface in enumerate(surfaces):
            if not isinstance(surface, Job | FileSpec | UserData):
                continue
            sweep = sweeps.read(surface)
            record = Record(surface, index, surface.name or "", sweep, span=self.head(surface))
            if sweep is not None and record.size == 0:
                self.diagnostics.add(
                    C.EMPTY_SWEEP,
                    f"`{surface.name}` has a parameter without values, so it does not exist",
                    sweep.parameters[0].span or self.head(surface),
                )
                continue
            made.append(record)
        return made

    def _split_by_class(self, records: list[Record]) -> None:
        """Write out jobs whose resources or scheduler differ from instance to instance."""
        for record in list(records):
            surface = record.surface
            if not isinstance(surface, Job) or record.sweep is None:
                continue
            texts = [text for text in (surface.resource_requirements, surface.scheduler) if text is not None]
            if all(record.text(text).literal is not None for text in texts):
                continue
            if record.size > self.context.limit:
                self.resolver.refuse_size(record)
                self.diagnostics.extend(self.resolver.diagnostics)
                continue
            at = records.index(record)
            records[at : at + 1] = list(record.instances())

    def _check_names(self) -> None:
        groups = (("job", self.resolver.jobs), ("file", self.resolver.files), ("datum", self.resolver.data))
        for noun, records in groups:
            seen: dict[str, Record] = {}
            for record in records:
                first = seen.setdefault(record.id, record)
                if first is not record:
                    self._add_double(noun, record)
                elif record.sweep is not None and self._repeats(record):
                    self.diagnostics.add(
                        C.SAME_NAME if noun == "job" else C.DOUBLE_NAME,
                        f"all {record.size:,} instances of `{record.id}` differ in less than their name",
                        record.span,
                        help="drop the parameters and select with a pattern, or put them into the name",
                    )
            self._check_clashes(noun, records)

    def _repeats(self, record: Record) -> bool:
        named = {hole.path[0] for hole in record.name.refs()}
        return any(name not in named and len(values) > 1 for name, values in record.parameters.items()) and (
            (record.size <= 64 and len(set(record.names())) < record.size) or record.size > 64
        )

    def _add_double(self, noun: str, record: Record) -> None:
        code = C.DOUBLE_JOB if noun == "job" else C.DOUBLE_NAME
        plural = "data" if noun == "datum" else f"{noun}s"
        self.diagnostics.add(code, f"there are two {plural} called `{record.id}`", record.span)

    def _check_clashes(self, noun: str, records: list[Record]) -> None:
        swept = [record for record in records if record.sweep is not None and record.name.literal is None]
        single = [record for record in records if record.sweep is None]
        if len(swept) * len(single) > 200_000:
            return
        for record in single:
            if any(other.has_instance(record.id) for other in swept):
                self._add_double(noun, record)

    def _check_cycles(self) -> None:
        graph = {record: [*links.blockers, *links.implied] for record, links in self.resolver.links.items()}
        cycle = find_cycle(graph)
        if cycle:
            names = ", ".join(f"`{record.id}`" for record in cycle)
            explicit = find_cycle({record: list(links.blockers) for record, links in self.resolver.links.items()})
            code = C.CYCLE if explicit else C.FILE_CYCLE
            self.diagnostics.add(code, f"these jobs wait for each other: {names}", cycle[0].span)

    def _task(self, record: Record) -> Task:
        job = cast("Job", record.surface)
        links = self.resolver.links[record]
        step = Step(work=Script(self._command(record, job), ("bash",)), span=self.span(job, "command"))
        placement = None
        if job.scheduler is not None:
            name = record.text(job.scheduler).literal or ""
            site.check_scheduler(self, name, job)
            placement = Placement(scheduled=True, allocation=name, span=self.span(job, "scheduler"))
        resources = None
        if job.resource_requirements is not None:
            resources = record.text(job.resource_requirements).literal
            site.check_class(self, resources or "", job)
        reads = tuple(
            Read(name=link.record.id, origin=_origin(link.record, link.datum), implied=link.implied, span=link.span)
            for link in links.items.values()
            if not link.output
        )
        writes = tuple(
            Write(destination=_origin(link.record, link.datum), implied=link.implied, span=link.span)
            for link in links.items.values()
            if link.output
        )
        return Task(
            name=record.id,
            steps=(step,),
            needs=self._needs(record, job),
            resources=resources,
            placement=placement,
            reads=reads,
            writes=writes,
            environment=self._environment(job, record),
            exit_rules=self._exit_rules(job),
            sweep=record.sweep,
            priority=job.priority,
            passthrough=tuple(self._job_verbatim(job)),
            span=record.span,
        )

    def _needs(self, record: Record, job: Job) -> tuple[Edge, ...]:
        links = self.resolver.links[record]
        when = Outcome.END if job.cancel_on_blocking_job_failure is False else Outcome.SUCCESS
        edges = []
        for blocker, (same, span) in links.blockers.items():
            implied = links.implied.get(blocker)
            whole = implied is not None and not implied[0]
            edges.append(Edge(parent=blocker.id, when=when, same_instance=same and not whole, span=span))
        for blocker, (same, span) in links.implied.items():
            if blocker not in links.blockers:
                edges.append(Edge(parent=blocker.id, when=when, same_instance=same, implied=True, span=span))
        return tuple(edges)

    def _exit_rules(self, job: Job) -> tuple[ExitRule, ...]:
        if job.failure_handler is None:
            return ()
        rules = self.rules.get(job.failure_handler)
        if rules is None:
            at = self.span(job, "failure_handler")
            self.diagnostics.add(C.UNKNOWN_HANDLER, f"there is no failure handler `{job.failure_handler}`", at)
            return ()
        return rules

    def _command(self, record: Record, job: Job) -> Template:
        command = self._text(record, job.command)
        if job.invocation_script is None:
            return command
        # a script of several lines is put before the command, one of a single line in front of it
        script = self._text(record, job.invocation_script)
        between = "\n" if "\n" in job.invocation_script.strip() else " "
        return Template.of(*script.parts, between, *command.parts)

    def _text(self, record: Record, raw: str) -> Template:
        if "${" not in raw:
            return record.text(raw)
        parts: list[str | Expr] = []
        last = 0
        for variable in VARIABLE.finditer(raw):
            found = self.resolver.variable(record, variable)
            if found is None:
                self._warn_unknown(record, variable[0])
                continue
            parts.extend(record.text(raw[last : variable.start()]).parts)
            root = Root.FILE if variable[1] == "files" else Root.DATUM
            parts.append(Ref(root, (found.record.id,), spelling=(variable[2],)))
            last = variable.end()
        parts.extend(record.text(raw[last:]).parts)
        return Template.of(*parts)

    def _warn_unknown(self, record: Record, variable: str) -> None:
        self.diagnostics.add(
            C.UNKNOWN_VARIABLE,
            f"`{record.id}`: nothing is called so, and torc leaves `{variable}` in the text; bash then fails",
            self.span(record.surface, "command"),
        )

    def _environment(self, owner: Any, record: Record) -> tuple[Variable, ...]:
        return tuple(
            Variable(name=name, value=record.text(value), span=self.span(owner, "env", name))
            for name, value in (owner.env or {}).items()
            if self._check_variable(owner, name)
        )

    def _check_variable(self, owner: Any, name: str) -> bool:
        if is_variable_name(name):
            return True
        self.diagnostics.add(C.BAD_VARIABLE, f"`{name}` cannot be the name of a variable", self.span(owner, "env"))
        return False

    def _workflow_environment(self, sweeps: SweepReader) -> tuple[Variable, ...]:
        raw = {name: value for name, value in (self.spec.parameters or {}).items() if isinstance(value, str)}
        single = {}
        for item in sweeps.shared():
            values = single_value(item)
            single[item.name] = show(values) if values is not None else raw.get(item.name, "")
        made = []
        for name, value in (self.spec.env or {}).items():
            if self._check_variable(self.spec, name):
                for parameter, text in single.items():
                    value = value.replace("{" + parameter + "}", text)
                literal = Template((value,) if value else ())
                made.append(Variable(name=name, value=literal, span=self.span(self.spec, "env", name)))
        return tuple(made)

    def _file(self, record: Record) -> File:
        surface = cast("FileSpec", record.surface)
        kept = () if surface.identifier is None else (self._kept(surface, "identifier", surface.identifier),)
        return File(
            name=record.id,
            path=record.text(surface.path),
            modified=surface.st_mtime,
            sweep=record.sweep,
            passthrough=kept,
            span=record.span,
        )

    def _datum(self, record: Record) -> Datum:
        surface = cast("UserData", record.surface)
        value = _filled(surface.data, record)
        return Datum(name=record.id, value=value, ephemeral=surface.is_ephemeral or False, span=record.span)

    def _labels(self) -> tuple[tuple[str, str], ...]:
        found: list[tuple[str, str]] = []
        for name in _LABELS:
            value = getattr(self.spec, name)
            if value is not None:
                found.append((name, value if isinstance(value, str) else json.dumps(value)))
        return tuple(found)

    def _verbatim(self) -> Iterable[Passthrough]:
        for name in VERBATIM:
            value = getattr(self.spec, name)
            if value is not None:
                yield self._kept(self.spec, name, value)
        if self.spec.slurm_defaults and not self.spec.slurm_schedulers:
            yield self._kept(self.spec, "slurm_defaults", self.spec.slurm_defaults)
        yield from site.ignored(self.spec.extra)

    def _kept(self, owner: Any, name: str, value: Any) -> Passthrough:
        inert = is_inert(name, value, handled=bool(self.spec.failure_handlers))
        return Passthrough("torc", (name,), value, self.span(owner, name), inert=inert)

    def _job_verbatim(self, job: Job) -> Iterable[Passthrough]:
        if job.stdio is not None:
            from pwxc.yaml.structure import to_tree

            yield self._kept(job, "stdio", to_tree(job.stdio))
        for name in ("supports_termination", "label"):
            if getattr(job, name) is not None:
                yield self._kept(job, name, getattr(job, name))
        yield from site.ignored(job.extra)


def _origin(record: Record, datum: bool) -> NamedFile | NamedDatum:
    return NamedDatum(record.id) if datum else NamedFile(record.id)


def single_value(parameter: Parameter) -> Any:
    """Give the value of a parameter that has exactly one, else None."""
    values = parameter.values
    return values[0] if isinstance(values, Range | Values) and len(values) == 1 else None


def _filled(value: Any, record: Record) -> Any:
    if not record.bound:
        return value
    if isinstance(value, str):
        return record.text(value).literal
    if isinstance(value, list):
        return [_filled(item, record) for item in value]
    if isinstance(value, dict):
        return {name: _filled(item, record) for name, item in value.items()}
    return value
