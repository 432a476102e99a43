"""Tasks and groups as OSMO writes them (osmo.md §10 to §17)."""

from __future__ import annotations

from typing import Any

from pwxc.fidelity import Account, Fate
from pwxc.ir.data import Checkpoint, Dataset, InlineFile, NamedDatum, NamedFile, Secret, Url, Write
from pwxc.ir.resources import Container
from pwxc.ir.task import Command, ExitAction, ExitRule, GangStatus, Task
from pwxc.ir.template import Template, text
from pwxc.ir.workflow import Unit
from pwxc.yaml.writer import Quoted
from pwxc_targets.osmo.reading.taskrules import IMAGE
from pwxc_targets.osmo.writing import amounts
from pwxc_targets.osmo.writing import codes as C  # noqa: N812
from pwxc_targets.osmo.writing.context import Writing
from pwxc_targets.osmo.writing.directives import exported
from pwxc_targets.osmo.writing.emit import Text
from pwxc_targets.osmo.writing.holes import Holes
from pwxc_targets.osmo.writing.inputs import instance_name, write_dataset, write_inputs
from pwxc_targets.osmo.writing.passing import literals
from pwxc_targets.osmo.writing.plan import Plan
from pwxc_targets.osmo.writing.resources import written_time
from pwxc_targets.osmo.writing.script import TaskScript, is_plain, limit_prefix
from pwxc_targets.osmo.writing.settle import settle_task

PLACEHOLDER = "registry.invalid/name-an-image"
_KEPT = ("downloadType", "cacheSize", "kpis", "resources", "backend")


def write_unit(writing: Writing, plan: Plan, unit: Unit) -> dict[str, Any]:
    """Give the item of `tasks` or `groups` for a unit."""
    if isinstance(unit, Task):
        task = write_task(writing, plan, unit, unit)
        if not writing.grouped:
            return task
        name = f"{writing.names[unit.name]}-group"
        return {"name": instance_name(name, writing.loops.get(unit.name)), "tasks": [_led(task)]}
    with writing.ledger.of(unit, where=f"groups {writing.groups[unit.name]}") as account:
        made: dict[str, Any] = {"name": instance_name(writing.groups[unit.name], writing.loops.get(unit.name))}
        account.take("name")
        if not account.take("barrier"):
            made["barrier"] = False
        if account.take("status") is GangStatus.ALL:
            made["ignoreNonleadStatus"] = False
        for field in ("members", "lead", "needs", "run_timeout", "queue_timeout"):
            account.take(field)
        made["tasks"] = [
            _led(item) if task.name == unit.lead else item
            for task in writing.members(unit)
            for item in [write_task(writing, plan, task, unit)]
        ]
        account.cosmetic("passthrough")
        plan.settle_edges(unit, account)
    return made


def _led(task: dict[str, Any]) -> dict[str, Any]:
    return {"name": task["name"], "lead": True, **task}


def write_task(writing: Writing, plan: Plan, task: Task, unit: Unit) -> dict[str, Any]:
    """Give the map of a task."""
    with writing.ledger.of(task, where=f"task {writing.names[task.name]}") as account:
        return _TaskWriter(writing, plan, task, unit, account).tree()


class _TaskWriter:
    def __init__(self, writing: Writing, plan: Plan, task: Task, unit: Unit, account: Account) -> None:
        self.writing, self.plan, self.task, self.unit, self.account = writing, plan, task, unit, account
        self.holes = Holes(writing, task, writing.loops.get(unit.name))

    def tree(self) -> dict[str, Any]:
        task, account = self.task, self.account
        settle_task(self.writing, task, account)
        if self.task.name not in self.writing.added.tasks:
            self._tell_files()
        self._tell()
        inputs = write_inputs(self.writing, task, self.unit, self.holes, self.plan)
        made: dict[str, Any] = {"name": instance_name(self.writing.names[task.name], self.holes.loop)}
        account.take("name")
        account.take("needs")
        made["image"] = self._image()
        if (record := self._resource()) is not None:
            made["resource"] = record
        made |= self._rights()
        made["credentials"] = self._credentials()
        made["environment"] = self._environment()
        made["inputs"] = inputs.written()
        made["outputs"] = [item for write in task.writes if (item := self._output(write)) is not None]
        made["files"] = [self._file(file) for file in task.files]
        made["checkpoint"] = [self._checkpoint(point) for point in task.checkpoints]
        made["exitActions"] = self._exit_actions()
        made |= self._kept()
        if is_plain(self.writing, self.plan, task, self.unit):
            command = self._command()
        else:
            script = TaskScript(self.writing, self.plan, task, self.unit, self.holes, inputs)
            made["files"], command = [*made["files"], *script.files()], script.command()
            made["credentials"] = {**made["credentials"], **script.credentials}
        made["command"], made["args"] = command[:1], command[1:]
        if isinstance(self.unit, Task):
            self.plan.settle_edges(self.unit, account)
        self.plan.settle_condition(task, self.unit, account)
        for field in ("reads", "writes", "files", "steps"):
            account.take(field)
        return {key: value for key, value in made.items() if value not in ([], {})}

    def _tell(self) -> None:
        """Say what has become of the task's scripts; what a person has to do counts for the step in the end."""
        adapted = self.writing.scripts.get(self.task.name)
        for step, told in sorted(adapted.told, key=lambda pair: pair[1].manual) if adapted is not None else ():
            with self.writing.ledger.of(step) as entry:
                settle = entry.manual if told.manual else entry.approximate
                settle("work", told.code, told.message, span=told.span or step.span or self.task.span)

    def _tell_files(self) -> None:
        """Say that the folder of submission is not there, where the first tasks of a scheduler's scripts use it."""
        if self.writing.workflow.dialect != "slurm" or self.writing.needs(self.unit) or not self.task.steps:
            return
        from pwxc_targets.osmo.writing.scripts.files import submitted_file

        step = self.task.steps[0]
        found = submitted_file(step)
        if found is not None:
            name, span = found
            message = f"`{name}`: a task begins with an empty folder, not with the one it was submitted from"
            with self.writing.ledger.of(step) as entry:
                entry.approximate("work", C.SHARED_FOLDER, message, span=span or self.task.span)

    def _resource(self) -> str | None:
        wanted = self.account.take("resources")
        found = self.writing.classes.get(wanted) if wanted is not None else None
        found = found or self.writing.empty_class
        return None if found == "default" else found

    def _image(self) -> str | Text:
        container = self._container()
        default = self.writing.options["image"]
        if container is None:
            if default:
                return self.holes.literal(default)
            if self.task.name in self.writing.added.tasks:
                return PLACEHOLDER  # said of the source's own tasks
            self._ask_for_image()
            return PLACEHOLDER
        with self.writing.ledger.of(container) as inner:
            template: Template = inner.take("image")
            self._settle_container(inner)
            literal = template.literal
            if literal is not None and literal.startswith("docker://"):
                template = Template.of(literal.removeprefix("docker://"))
            literal = template.literal
            if literal is not None and not IMAGE.match(literal):
                message = f"`{literal}` is not an image of a registry"
                inner.manual("image", C.IMAGE_FORM, message)
                return self.holes.literal(default) if default else PLACEHOLDER
        return self.holes.text(template, address=True)

    def _container(self) -> Container | None:
        """Give the container of the task, or the one in which its scripts start their commands."""
        adapted, _ = self.writing.adapted_of(self.task)
        return self.task.container or (adapted.container if adapted is not None else None)

    def _ask_for_image(self) -> None:
        message, advice = f"`{self.task.name}` needs an image", "`--option osmo.image=IMAGE` names one"
        if not self.task.steps:
            self.account.warn(C.NO_IMAGE, message, help=advice)
            return
        with self.writing.ledger.of(self.task.steps[0]) as entry:
            entry.manual("work", C.NO_IMAGE, message, span=self.task.span, help=advice)

    def _settle_container(self, inner: Account) -> None:
        for field in ("mounts", "privileged", "host_network"):
            inner.take(field)
        inner.cosmetic("passthrough")
        self.account.take("container")

    def _rights(self) -> dict[str, Any]:
        container = self._container()
        if container is None:
            return {}
        mounts = [self.holes.literal(mount) for mount in container.mounts]
        switches = {"privileged": container.privileged, "hostNetwork": container.host_network}
        return {"volumeMounts": mounts} | {key: True for key, value in switches.items() if value}

    def _environment(self) -> dict[str, Any]:
        record = self.writing.resources.get(self.task.resources or "") if not self.writing.own else None
        made: dict[str, Any] = {}
        for name, value in exported(record).items():
            made[name] = _in_quotes(self.holes.text(text(value), kubernetes=True))
        for item in (*self.writing.workflow.environment, *self.task.environment):
            with self.writing.ledger.of(item) as entry:
                entry.take("name")
                made[self.holes.literal(item.name)] = _in_quotes(self.holes.text(entry.take("value"), kubernetes=True))
        return made

    def _credentials(self) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for secret in (*self.writing.workflow.secrets, *self.task.secrets):
            made[self.holes.literal(secret.name)] = self._credential(secret)
        return made

    def _credential(self, secret: Secret) -> Any:
        with self.writing.ledger.of(secret) as entry:
            entry.take("name")
            variables = entry.take("variables")
            folder = entry.take("folder")
            if not self.writing.own:
                entry.manual("name", C.SECRET_BY_HAND, f"the credential `{secret.name}` has to be made", once=True)
        if folder is not None:
            return self.holes.text(folder)
        return {self.holes.literal(name): self.holes.literal(key) for name, key in variables}

    def _output(self, write: Write) -> dict[str, Any] | None:
        with self.writing.ledger.of(write) as entry:
            destination = entry.take("destination")
            pattern = entry.take("pattern")
            entry.cosmetic("implied")
            if isinstance(destination, Dataset):
                entry.approximate("destination", C.DATASET, "datasets end with OSMO's release 6.3", once=True)
                return write_dataset(destination, self.holes, pattern)
            if isinstance(destination, NamedFile | NamedDatum):
                entry.emulate("destination")
        if not isinstance(destination, Url):
            return None
        made: dict[str, Any] = {"url": self.holes.text(destination.url, address=True)}
        return made | ({"regex": self.holes.literal(pattern)} if pattern is not None else {})

    def _file(self, file: InlineFile) -> dict[str, Any]:
        with self.writing.ledger.of(file) as entry:
            for field in ("path", "contents", "encoded"):
                entry.take(field)
            entry.cosmetic("local_path")
            entry.emulate("executable")
        made: dict[str, Any] = {
            "path": self.holes.text(file.path, address=True),
            "contents": self.holes.text(file.contents),
        }
        return made | ({"base64": True} if file.encoded else {})

    def _checkpoint(self, point: Checkpoint) -> dict[str, Any]:
        with self.writing.ledger.of(point) as entry:
            for field in ("path", "url", "interval", "pattern"):
                entry.take(field)
        made: dict[str, Any] = {
            "path": self.holes.text(point.path, address=True),
            "url": self.holes.text(point.url, address=True),
            "frequency": written_time(self.writing, self.holes, point.interval) or 0,
        }
        return made | ({"regex": self.holes.literal(point.pattern)} if point.pattern is not None else {})

    def _exit_actions(self) -> dict[str, str]:
        native: list[ExitRule] = []
        for rule in self.task.exit_rules:
            with self.writing.ledger.of(rule) as entry:
                counted = rule.action is ExitAction.RETRY and rule.retry is not None and rule.retry.limit is not None
                for field in ("action", "codes", "retry", "recovery"):
                    entry.take(field, Fate.EMULATED if counted else Fate.EXACT)
                if rule.retry is not None:
                    retried = self.writing.ledger.of(rule.retry)
                    for field in ("limit", "interval", "attempt_timeout", "clean"):
                        retried.take(field, Fate.EMULATED if counted else Fate.EXACT)
            if not counted:
                native.append(rule)
        made, changed = amounts.exit_actions(native)
        if changed:
            self.account.approximate("exit_rules", C.EXIT_ORDER, f"`{self.task.name}` has rules for the same codes")
        if self.task.name in self.plan.masked:
            made["COMPLETE"] = "0-255"
            made = {action: codes for action, codes in made.items() if action == "COMPLETE"}
        return {action: Quoted(codes) for action, codes in made.items()}

    def _kept(self) -> dict[str, Any]:
        found = {item.path[0]: item.value for item in self.task.passthrough if item.dialect == "osmo"}
        foreign = [item for item in self.task.passthrough if item.dialect != "osmo" and not item.inert]
        self.account.take("passthrough")
        if foreign:
            told = ", ".join(sorted({f"`{'.'.join(item.path)}`" for item in foreign}))
            message = f"only {foreign[0].dialect} knows {told} of `{self.task.name}`"
            self.account.approximate("passthrough", C.FOREIGN_KEYS, message, span=foreign[0].span)
        return {key: literals(found[key], self.holes) for key in _KEPT if key in found}

    def _command(self) -> list[str | Text]:
        (step,) = self.task.steps
        with self.writing.ledger.of(step) as entry:
            work = entry.take("work")
            entry.cosmetic("name", "id", "passthrough")
        assert isinstance(work, Command)
        limit = limit_prefix(self.writing, self.unit, self.task)
        return [*limit, *(self.holes.text(argument, kubernetes=True) for argument in work.arguments)]


def _in_quotes(value: str | Text) -> str | Text:
    """Write a text of one line in quotes, so that no reader of YAML takes it for anything else (osmo.md §30)."""
    return Quoted(value) if isinstance(value, str) and "\n" not in value else value
