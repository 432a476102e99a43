"""The surface model into the IR (osmo.md §10 to §20). Texts become templates, groups gangs, task inputs edges."""

from __future__ import annotations

from typing import Any

import attrs

from pwxc.ir.data import Checkpoint, Dataset, InlineFile, Read, Secret, TaskOutput, Url, Variable, Write
from pwxc.ir.entity import Passthrough
from pwxc.ir.expr import Binary, Call, Conditional, Expr, Literal, Ref, Root
from pwxc.ir.inputs import Input, InputType
from pwxc.ir.resources import Container, Resources, Topology
from pwxc.ir.task import Command, Edge, ExitAction, ExitRule, Gang, GangStatus, Retry, Step, Task
from pwxc.ir.template import Template
from pwxc.ir.workflow import Workflow
from pwxc.source import Span
from pwxc.yaml.structure import Reading, Surface, plain, within
from pwxc_targets.osmo import model
from pwxc_targets.osmo.reading.localfiles import read_local_file
from pwxc_targets.osmo.reading.scalars import POWERS, QUANTITY, parse_quantity
from pwxc_targets.osmo.reading.taskrules import EXIT_ORDER, parse_exit_codes
from pwxc_targets.osmo.reading.texts import NO_SCOPE, Texts
from pwxc_targets.osmo.template.expand import Expanded, Settings, render_text
from pwxc_targets.osmo.template.parameters import Parameters, Path, report_used_in_file
from pwxc_targets.osmo.tokens import MARK, Scope, expand_kubernetes, lower_text

_ACTIONS = {"FAIL": ExitAction.FAIL, "COMPLETE": ExitAction.COMPLETE, "RESCHEDULE": ExitAction.RETRY}
_CONTAINER_VARIABLES = frozenset({"OSMO_CONFIG_FILE_DIR", "NVIDIA_VISIBLE_DEVICES"})


class Lowering(Texts):
    """Lowers one specification that has passed the rules."""

    def __init__(self, context: Reading, parameters: Parameters, settings: Settings, expanded: Expanded) -> None:
        super().__init__(context, parameters)
        self.settings = settings
        self.expanded = expanded

    # the whole

    def workflow(self, spec: model.Workflow) -> Workflow:
        """Lower a specification."""
        self.resources = spec.resources or {}
        self.grouped = bool(spec.groups)
        gangs: list[Gang] = []
        tasks: list[Task] = []
        homes: dict[str, str] = {task.name: group.name for group in spec.groups for task in group.tasks}
        homes |= {task.name: task.name for task in spec.tasks}
        timeouts = self._timeouts(spec.timeout)
        self.places = self._places(spec.timeout, run_timeout="exec_timeout", queue_timeout="queue_timeout")
        for group in spec.groups:
            gangs.append(self._gang(group, homes, timeouts))
            members = frozenset(task.name for task in group.tasks)
            tasks.extend(self._task(task, members, (), (None, None)) for task in group.tasks)
        tasks.extend(
            self._task(task, frozenset({task.name}), self._edges([task], homes), timeouts) for task in spec.tasks
        )
        return Workflow(
            name=spec.name,
            dialect="osmo",
            inputs=self._inputs(),
            tasks=tuple(tasks),
            gangs=tuple(gangs),
            resources=tuple(self._resource(name, record) for name, record in self.resources.items()),
            labels=tuple(spec.labels.items()),
            passthrough=self._kept(spec, "pool", "backend"),
            span=self.span(spec, "name"),
        )

    def _timeouts(self, timeout: model.Timeout | None) -> tuple[float | Expr | None, float | Expr | None]:
        if timeout is None:
            return None, None
        return (
            self._number(timeout, timeout.exec_timeout, "duration", "exec_timeout"),
            self._number(timeout, timeout.queue_timeout, "duration", "queue_timeout"),
        )

    def _gang(self, group: model.Group, homes: dict[str, str], timeouts: tuple[Any, Any]) -> Gang:
        lead = next((task.name for task in group.tasks if task.lead), group.tasks[0].name)
        return Gang(
            name=group.name,
            members=tuple(task.name for task in group.tasks),
            lead=lead,
            barrier=group.barrier,
            status=GangStatus.LEAD if group.ignore_nonlead_status else GangStatus.ALL,
            needs=self._edges(group.tasks, homes),
            run_timeout=timeouts[0],
            queue_timeout=timeouts[1],
            places=self.places,
            span=self.span(group, "name"),
        )

    def _edges(self, tasks: list[model.Task], homes: dict[str, str]) -> tuple[Edge, ...]:
        """Give the edges of a unit: it waits for the unit of every task that one of its members reads from."""
        edges: dict[str, Edge] = {}
        for task in tasks:
            for item in task.inputs:
                if item.task is not None and item.task in homes:
                    parent = homes[item.task]
                    edges.setdefault(parent, Edge(parent=parent, implied=True, span=self.span(item, "task")))
        return tuple(edges.values())

    # a task

    def _task(
        self, task: model.Task, members: frozenset[str], needs: tuple[Edge, ...], timeouts: tuple[Any, Any]
    ) -> Task:
        self.scope = _scope(task, members)
        command = (
            *(self._argument(task, value, "command", at) for at, value in enumerate(task.command)),
            *(self._argument(task, value, "args", at) for at, value in enumerate(task.args)),
        )
        lowered = Task(
            name=task.name,
            steps=(Step(work=Command(command), span=self.span(task, "command")),),
            needs=needs,
            container=self._container(task),
            resources=task.resource if task.resource in self.resources else None,
            reads=tuple(self._read(task, at, item) for at, item in enumerate(task.inputs)),
            writes=tuple(self._write(output) for output in task.outputs),
            files=tuple(file for item in task.files if (file := self._file(item)) is not None),
            environment=self._environment(task),
            secrets=self._secrets(task),
            checkpoints=tuple(self._checkpoint(point) for point in task.checkpoint),
            run_timeout=timeouts[0],
            queue_timeout=timeouts[1],
            places=self.places,
            exit_rules=self._exit_rules(task),
            passthrough=self._kept(task, "downloadType", "cacheSize", "kpis", "resources", "backend"),
            span=self.span(task, "name"),
        )
        self.scope = NO_SCOPE
        return lowered

    def _argument(self, task: model.Task, value: str, *path: str | int) -> Template:
        return expand_kubernetes(self.text(task, value, *path), self.scope.variables)

    def _container(self, task: model.Task) -> Container:
        return Container(
            image=self.text(task, task.image, "image"),
            mounts=self.plain_texts(task, task.volume_mounts, "volumeMounts"),
            privileged=task.privileged,
            host_network=task.host_network,
            places=self._places(task, mounts="volumeMounts", privileged="privileged", host_network="hostNetwork"),
            span=self.span(task, "image"),
        )

    def _environment(self, task: model.Task) -> tuple[Variable, ...]:
        known: set[str] = set(_CONTAINER_VARIABLES)
        variables = {}
        for name in sorted(task.environment):  # Kubernetes sees them in the order of the client's dump
            template = self.text(task, task.environment[name], "environment", name)
            value = expand_kubernetes(template, frozenset(known))
            span = self.span(task, "environment", name)
            variables[name] = Variable(name=self.plain_text(name, span), value=value, span=span)
            known.add(name)
        return tuple(variables[name] for name in task.environment)

    def _secrets(self, task: model.Task) -> tuple[Secret, ...]:
        secrets = []
        for name, use in task.credentials.items():
            span = self.span(task, "credentials", name)
            self.plain_text(name, span)
            if isinstance(use, dict):
                for variable, key in use.items():
                    self.plain_text(f"{variable} {key}", self.span(task, "credentials", name, variable))
                secrets.append(Secret(name=name, variables=tuple(use.items()), span=span))
            else:
                folder = self.text(task, str(use), "credentials", name)
                secrets.append(Secret(name=name, folder=folder, span=span))
        return tuple(secrets)

    def _read(self, task: model.Task, number: int, item: model.TaskInput) -> Read:
        origin: TaskOutput | Url | Dataset
        pattern = self._pattern(item)
        if item.task is not None:
            run, _, name = item.task.rpartition(":")
            origin = TaskOutput(name, run or None)
        elif item.url is not None:
            origin = Url(self.text(item, item.url, "url"))
        else:
            origin = self._dataset(item.dataset)
            pattern = self._pattern(item.dataset)
        return Read(name=str(number), origin=origin, pattern=pattern, span=self.span(item))

    def _write(self, output: model.TaskOutput) -> Write:
        span = self.span(output)
        if output.url is not None:
            url = Url(self.text(output, output.url, "url"))
            return Write(destination=url, pattern=self._pattern(output), span=span)
        if output.dataset is not None:
            dataset = self._dataset(output.dataset)
            return Write(destination=dataset, pattern=self._pattern(output.dataset), span=span)
        update = output.update_dataset
        paths = tuple(self.text(update, value, "paths", at) for at, value in enumerate(update.paths))
        name = self.text(update, update.name, "name")
        more = self._details(update)
        return Write(destination=Dataset(name, update=paths, metadata=more[0], labels=more[1]), span=span)

    def _dataset(self, dataset: model.DatasetRef) -> Dataset:
        return Dataset(
            self.text(dataset, dataset.name, "name"),
            dataset.localpath,
            self.text(dataset, dataset.path, "path") if dataset.path else None,
            None,
            *self._details(dataset),
        )

    def _details(self, dataset: model.DatasetRef | model.DatasetUpdate) -> tuple[tuple[str, ...], tuple[str, ...]]:
        return (
            self.plain_texts(dataset, dataset.metadata, "metadata"),
            self.plain_texts(dataset, dataset.labels, "labels"),
        )

    def _pattern(self, item: model.TaskInput | model.TaskOutput | model.DatasetRef | model.Checkpoint) -> str | None:
        return self.plain_text(item.regex, self.span(item, "regex")) if item.regex else None

    def _file(self, file: model.InjectedFile) -> InlineFile | None:
        if file.localpath is not None:
            contents = self._local_text(file)
        elif file.base64:
            contents = Template.of(file.contents)
        else:
            contents = self.text(file, file.contents, "contents")
        if contents is None:
            return None
        return InlineFile(
            path=self.text(file, file.path, "path"),
            contents=contents,
            encoded=file.base64,
            local_path=file.localpath,
            span=self.span(file, "path"),
        )

    def _local_text(self, file: model.InjectedFile) -> Template | None:
        span = self.span(file, "localpath")
        raw = read_local_file(file, self.settings.folder, self.context, span)
        if raw is None:
            return None
        text = render_text(raw, self.settings, self.context.diagnostics, span, grouped=self.grouped)
        if text is None:
            return None
        report_used_in_file(raw, self.parameters, span, self.context.diagnostics)
        return lower_text(text, self.scope, [], lambda low, high: span, lambda token: self._stray(token, span))

    def _checkpoint(self, point: model.Checkpoint) -> Checkpoint:
        interval = self._number(point, point.frequency, "duration", "frequency")
        path = self.text(point, point.path, "path")
        if not point.path.startswith("/") and not path.uses(Root.OUTPUT_FOLDER, Root.READ_FOLDER):
            path = Template.of("/", *path.parts)
        return Checkpoint(
            path=path,
            url=self.text(point, point.url, "url"),
            interval=interval if interval is not None else 0,
            pattern=self._pattern(point),
            span=self.span(point, "path"),
        )

    def _exit_rules(self, task: model.Task) -> tuple[ExitRule, ...]:
        rules = []
        for action, codes in task.exit_actions.items():
            ranges = tuple((low, high) for low, high in parse_exit_codes(codes) if low <= high)
            if ranges:
                span = self.span(task, "exitActions", action)
                kind = _ACTIONS[action.upper()]
                retry = Retry(limit=None, span=span) if kind is ExitAction.RETRY else None
                rules.append(
                    (EXIT_ORDER.index(action.upper()), ExitRule(action=kind, codes=ranges, retry=retry, span=span))
                )
        return tuple(rule for _, rule in sorted(rules, key=lambda pair: pair[0]))

    # resources and inputs

    def _resource(self, name: str, record: model.Resource) -> Resources:
        return Resources(
            name=name,
            cpus=self._number(record, record.cpu, "integer", "cpu") or None,
            gpus=self._number(record, record.gpu, "integer", "gpu") or None,
            memory=self._amount(record, record.memory, "memory"),
            storage=self._amount(record, record.storage, "storage"),
            platform=self.text(record, record.platform, "platform") if record.platform is not None else None,
            exclude_nodes=tuple(record.nodes_excluded),
            topology=tuple(
                Topology(item.key_name, item.group, item.requirement == "required") for item in record.topology
            ),
            places=self._places(
                record,
                cpus="cpu",
                gpus="gpu",
                memory="memory",
                storage="storage",
                platform="platform",
                exclude_nodes="nodesExcluded",
                topology="topology",
            ),
            span=self.span(record) if record.node is not None else None,
        )

    def _amount(self, record: model.Resource, text: str | None, key: str) -> int | Expr | None:
        if text is None:
            return None
        hole = self._hole(record, key)
        if hole is not None:
            matched = QUANTITY.match(text)
            number = MARK.fullmatch(hole[: len(hole) - len(matched[2])]) if matched and matched[2] else None
            if number is not None and matched is not None and hole.endswith(matched[2]):
                ref = attrs.evolve(self.parameters.marks[int(number[1])], span=self.span(record, key))
                return Binary("*", ref, Literal(2 ** POWERS[matched[2]])) if POWERS[matched[2]] >= 0 else ref
            template = self.text(record, text, key)
            if isinstance(template.whole, Ref):
                return Call("quantity", (template.whole,))
        size = parse_quantity(text)
        assert size is not None
        return int(size)

    def _number(self, construct: Surface, value: Any, kind: str, key: str) -> Any:
        """Give a number, or the reference that stands in its place; zero counts as not given for durations (§8)."""
        if value is None:
            return None
        hole = self._hole(construct, key)
        if hole is not None:
            template = self.text(construct, "", key)
            ref = template.whole
            if kind == "duration" and template.parts[1:] == ("s",) and self._is_number(template.parts[0]):
                ref = template.holes[0]  # a number of seconds, which as a text needs a unit
            ref = ref.test if isinstance(ref, Conditional) else ref  # a truth value is 0 or 1
            if isinstance(ref, Ref):
                return Call("duration", (ref,)) if kind == "duration" else ref
        return value or None

    def _is_number(self, ref: object) -> bool:
        value = self.parameters.values.get(ref.path) if isinstance(ref, Ref) else None
        return isinstance(value, int | float) and not isinstance(value, bool)

    def _inputs(self) -> tuple[Input, ...]:
        spans = self.parameter_spans()
        tree: dict[str, Any] = {}
        for path in self.parameters.paths:
            level = tree
            for name in path[:-1]:
                level = level.setdefault(name, {})
            level[path[-1]] = self.parameters.values[path]
        return tuple(_input(name, value, (name,), spans) for name, value in tree.items())

    def parameter_spans(self) -> dict[Path, Span]:
        """Give the place of each variable's default."""
        document = self.expanded.defaults_document
        if document is None:
            return {}
        found = {}
        for path in self.parameters.values:
            node = document.find(document.root, "default-values", *path)
            if node is not None:
                found[path] = document.span(node)
        return found

    # what is kept as it stands

    def _kept(self, construct: Surface, *keys: str) -> tuple[Passthrough, ...]:
        """Keep what OSMO itself overwrites or ignores, for the way back."""
        kept = []
        for key in keys:
            node = self.document.find(construct.node, key)
            if node is not None:
                with within(self.context):
                    kept.append(Passthrough("osmo", (key,), plain(node), self.document.span(node), inert=True))
        return tuple(kept)


def _scope(task: model.Task, members: frozenset[str]) -> Scope:
    reads: dict[str, str] = {}
    for number, item in enumerate(task.inputs):
        reads[str(number)] = str(number)
        if item.task is not None:
            reads.setdefault(item.task.rpartition(":")[2], str(number))
    variables = set(task.environment) | _CONTAINER_VARIABLES
    for use in task.credentials.values():
        if isinstance(use, dict):
            variables |= set(use)
    return Scope(reads, members, frozenset(variables))


def _input(name: str, value: Any, path: Path, spans: dict[Path, Span]) -> Input:
    if isinstance(value, dict):
        items = tuple(_input(key, item, (*path, key), spans) for key, item in value.items())
        return Input(name=name, type=InputType.GROUP, items=items, label=name)
    if isinstance(value, bool):
        kind = InputType.BOOLEAN
    elif isinstance(value, int):
        kind = InputType.INTEGER
    elif isinstance(value, float):
        kind = InputType.NUMBER
    else:
        kind = InputType.TEXT if "\n" in value else InputType.STRING
    return Input(
        name=name, type=kind, default=value, has_default=True, optional=value == "", label=name, span=spans.get(path)
    )
