"""An interpreter of OSMO specifications as they are after rendering (osmo.md §5, §8, §10 to §15, §20).

Every task is a member of a group, a plain one of a group of its own. Nothing waits but for groups upstream.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import attrs
from outcomes import CANCELLED, FAILED, SUCCEEDED, TIMED_OUT, Ending, Witnessed

from pwxc.semantics.environment import Environment
from pwxc.semantics.trace import Instance, State
from pwxc.shell import quote
from pwxc_targets.osmo import model

_ORDER = ("FAIL", "COMPLETE", "RESCHEDULE")
"""In which order the service asks the actions: as its database keeps the map (§15)."""
_TOKEN = re.compile(r"\{\{\s*(output|workflow_id|(?:input|host):[^}]*?)\s*\}\}")
_OWN = re.compile(r"/osmo/data/(output|input/(\d+))(?![\w.-])")
_KUBERNETES = re.compile(r"\$\$|\$\(([^)]*)\)")
_BUILT_IN = ("OSMO_CONFIG_FILE_DIR", "NVIDIA_VISIBLE_DEVICES")


@attrs.define(eq=False)
class Member:
    """A task and how it goes."""

    task: model.Task
    group: Group
    state: State | None = None
    began: float | None = None
    ended: float | None = None
    staged: bool = False
    due: float | None = None
    """When its data is there, or when its command ends."""
    code: int = 0
    attempts: int = 0
    retries: int = 0
    work: list[tuple[str, int | None]] = attrs.field(factory=list)

    @property
    def instance(self) -> Instance:
        return Instance(self.task.name)

    @property
    def goes_on(self) -> bool:
        return self.began is not None and self.state is None

    def end(self, state: State, now: float) -> None:
        if self.state is None:
            self.state, self.ended, self.due = state, now, None

    def begin_command(self, environment: Environment, now: float) -> None:
        """Run the command, for the first time or again."""
        self.staged = True
        result = environment.result(self.instance, 0, self.attempts)
        self.attempts += 1
        self.code, self.due = result.code, now + result.duration
        self.work.append((" ".join(map(quote, self.arguments())), None))

    def action(self) -> str | None:
        """Give the exit action for the code: the first in the service's order that names it (§15)."""
        for word in _ORDER:
            for written, codes in self.task.exit_actions.items():
                if written.upper() == word and any(low <= self.code <= high for low, high in _ranges(codes)):
                    return word
        return None

    # what the task is given

    def arguments(self) -> list[str]:
        known = self.variables() | {name: f"<environment {name}>" for name in self._hidden()}
        return [self.text(_kubernetes(word, known)) for word in (*self.task.command, *self.task.args)]

    def _hidden(self) -> Iterator[str]:
        """Give the variables whose values nobody knows: OSMO's own and those of credentials."""
        for name in _BUILT_IN:
            if name not in self.task.environment:
                yield name
        for use in self.task.credentials.values():
            yield from (name for name in use if name not in self.task.environment) if isinstance(use, dict) else ()

    def variables(self) -> dict[str, str]:
        """Give the environment; a value may name variables that come before it (§11)."""
        found: dict[str, str] = {name: f"<environment {name}>" for name in _BUILT_IN}
        for name in sorted(self.task.environment):
            found[name] = self.text(_kubernetes(self.task.environment[name], found))
        return {name: found[name] for name in sorted(self.task.environment)}

    def text(self, written: str) -> str:
        """Replace the tokens (§5); OSMO's own folders have the names that the machine gives them."""
        paths = _TOKEN.sub(self._token, written)
        return _OWN.sub(self._folder, paths)

    def _token(self, found: re.Match[str]) -> str:
        kind, _, argument = found[1].partition(":")
        if kind == "output":
            return "/osmo/data/output"
        if kind == "workflow_id":
            return "<run-id>"
        if kind == "host":
            return f"<host {argument}>" if argument in self.group.names else found[0]
        places = [str(at) for at in range(len(self.task.inputs))]
        named = [at for at, item in enumerate(self.task.inputs) if item.task and item.task.split(":")[-1] == argument]
        if argument in places:
            return f"/osmo/data/input/{argument}"
        return f"/osmo/data/input/{named[0]}" if named else found[0]

    def _folder(self, found: re.Match[str]) -> str:
        if found[2] is None:
            return f"<output-folder {self.task.name}>"
        at = int(found[2])
        return f"<read {self.source(self.task.inputs[at])}>" if at < len(self.task.inputs) else found[0]

    def source(self, item: Any) -> str:
        """Give where an input or output is."""
        if getattr(item, "task", None) is not None:
            return f"<output-folder {item.task}>"
        if item.url is not None:
            return self.text(item.url)
        update = getattr(item, "update_dataset", None)
        if update is not None:
            return "dataset " + " + ".join(map(self.text, (update.name, *update.paths)))
        path = f"/{self.text(item.dataset.path)}" if item.dataset.path else ""
        return f"dataset {self.text(item.dataset.name)}{path}"

    def moved(self) -> Iterator[str]:
        """Give what surrounds the command, in the words of `Record.moved`."""
        for kind, items in (("reads", self.task.inputs), ("writes", self.task.outputs)):
            for item in items:
                regex = item.dataset.regex if item.dataset is not None else item.regex
                yield f"{kind} {self.source(item)}{_matching(regex)}"
        for file in self.task.files:
            contents = file.contents if file.base64 else self.text(file.contents)
            yield f"gets file {self.text(file.path)}: {contents}"
        for point in self.task.checkpoint:
            path = self.text(point.path)
            path = path if path.startswith(("/", "<")) else f"/{path}"
            yield f"copies {path} to {self.text(point.url)} every {point.frequency:g} s{_matching(point.regex)}"
        for name, use in self.task.credentials.items():
            if isinstance(use, dict):
                yield " ".join(["uses secret", name, *(f"{variable}={key}" for variable, key in sorted(use.items()))])
            else:
                yield f"uses secret {name} in {self.text(str(use))}"
        yield f"uses image {self.text(self.task.image)}"

    def ending(self) -> Ending:
        given = tuple(self.variables().items())
        local = any(file.localpath is not None for file in self.task.files)  # whose text is not in the specification
        surroundings = () if local or self.began is None else tuple(self.moved())
        return Ending(
            state=self.state or CANCELLED,
            attempts=self.attempts,
            work=tuple(self.work),
            variables=(given,) * len(self.work),
            cleanups=(),
            moved=None if local else surroundings,
            began=self.began,
            ended=self.ended,
        )


@attrs.define(eq=False)
class Group:
    """Tasks that start together."""

    name: str
    plain: bool
    barrier: bool = True
    ignore: bool = True
    members: list[Member] = attrs.field(factory=list)
    upstream: list[Group] = attrs.field(factory=list)
    lead: Member = attrs.field(init=False)
    state: State | None = None
    ready: bool = False
    gets_nodes: float | None = None
    gives_up: float | None = None
    deadline: float | None = None

    @property
    def names(self) -> set[str]:
        return {member.task.name for member in self.members}

    def end_all(self, state: State, now: float) -> None:
        for member in self.members:
            member.end(state, now)

    def settle(self, now: float) -> None:
        """Work out what has ended means for the others and for the group (§20.3)."""
        failed = any(member.state in (FAILED, TIMED_OUT) for member in self.members)
        if not self.ignore and failed:
            self.end_all(FAILED, now)
        elif self.lead.state is not None:
            self.end_all(SUCCEEDED if self.lead.state is SUCCEEDED else FAILED, now)
        if self.state is None and all(member.state is not None for member in self.members):
            counted = [self.lead.state] if self.ignore else [member.state for member in self.members]
            order = (TIMED_OUT, FAILED, CANCELLED)
            self.state = next((state for state in order if state in counted), SUCCEEDED)


@attrs.define
class Run:
    """A run of a specification."""

    environment: Environment
    groups: list[Group]
    exec_timeout: float | None
    queue_timeout: float | None
    now: float = 0.0

    def go(self) -> None:
        while True:
            while [group for group in self.groups if self._start(group)]:
                self._settle([])
            times = list(self._times())
            if not times:
                return
            self.now = min(times)
            again = [member for group in self.groups for member in self._wake(group)]
            self._settle(again)

    def _times(self) -> Iterator[float]:
        for group in self.groups:
            yield from (time for time in (group.gets_nodes, group.gives_up) if time is not None)
            for member in group.members:
                if member.due is not None:
                    yield member.due if group.deadline is None else min(member.due, group.deadline)

    def _settle(self, again: list[Member]) -> None:
        for group in self.groups:
            if group.state is None:
                group.settle(self.now)
        for group in {id(member.group): member.group for member in again}.values():
            asking = [member for member in again if member.group is group and member.goes_on]
            if group.lead in asking or (asking and not group.ignore):
                for other in group.members:  # §20.4: what still waits for its data ignores it
                    if other not in again and other.goes_on and other.staged:
                        other.begin_command(self.environment, self.now)

    def _start(self, group: Group) -> bool:
        """Start a group when all groups upstream have completed (§20.2)."""
        if group.ready or any(other.state is None for other in group.upstream):
            return False
        group.ready = True
        if any(other.state is not SUCCEEDED for other in group.upstream):
            group.end_all(CANCELLED, self.now)
            return True
        waits = max(self.environment.queued(member.instance) for member in group.members)
        if self.queue_timeout and waits > self.queue_timeout:
            group.gives_up = self.now + self.queue_timeout
        elif waits:
            group.gets_nodes = self.now + waits
        else:
            self._begin(group)
        return True

    def _begin(self, group: Group) -> None:
        group.deadline = self.now + self.exec_timeout if self.exec_timeout else None
        staging = [self.environment.staging(member.instance) for member in group.members]
        if group.barrier:
            staging = [max(staging)] * len(staging)
        for member, wait in zip(group.members, staging, strict=True):
            member.began, member.due = self.now, self.now + wait
            if not wait:
                member.begin_command(self.environment, self.now)

    def _wake(self, group: Group) -> list[Member]:
        """Do what is due in a group, and give the members that are scheduled again."""
        if group.gives_up == self.now:
            group.gives_up = None
            group.end_all(TIMED_OUT, self.now)
        if group.gets_nodes == self.now:
            group.gets_nodes = None
            self._begin(group)
        again = []
        for member in group.members:
            if member.due == self.now:
                if not member.staged:
                    member.begin_command(self.environment, self.now)
                elif self._is_tried_again(member):
                    again.append(member)
            if member.goes_on and group.deadline is not None and group.deadline <= self.now:
                member.end(TIMED_OUT, self.now)
        return again

    def _is_tried_again(self, member: Member) -> bool:
        member.work[-1] = (member.work[-1][0], member.code)
        action = member.action()
        if action == "RESCHEDULE" and member.retries < self.environment.site_retries():
            member.retries += 1
            member.begin_command(self.environment, self.now)
            return True
        failed = action == "FAIL" or (action != "COMPLETE" and member.code != 0)
        member.end(FAILED if failed else SUCCEEDED, self.now)
        return False


def _ranges(codes: str) -> Iterator[tuple[int, int]]:
    for part in codes.split(","):
        ends = part.split("-")
        yield int(ends[0]), int(ends[-1])


def _matching(regex: str) -> str:
    return f" matching {regex}" if regex else ""


def _kubernetes(text: str, known: dict[str, str]) -> str:
    """Expand `$(NAME)` and `$$` as Kubernetes does in a container's arguments and variables."""
    return _KUBERNETES.sub(lambda found: "$" if found[1] is None else known.get(found[1], found[0]), text)


def _groups(spec: model.Workflow) -> list[Group]:
    groups = [Group(f"{task.name}-group", plain=True) for task in spec.tasks]
    for group, task in zip(groups, spec.tasks, strict=True):
        group.members = [Member(task, group)]
    for written in spec.groups:
        group = Group(written.name, False, written.barrier, written.ignore_nonlead_status)
        group.members = [Member(task, group) for task in written.tasks]
        groups.append(group)
    homes: dict[str, Group] = {member.task.name: group for group in groups for member in group.members}
    for group in groups:
        group.lead = next((member for member in group.members if member.task.lead), group.members[0])
        read = [item.task for member in group.members for item in member.task.inputs if item.task is not None]
        group.upstream = [homes[name] for name in dict.fromkeys(read) if name in homes]
    return groups


def witness(spec: model.Workflow, environment: Environment) -> Witnessed:
    """Run a specification. A site's own limits are not known, but for the number of retries."""
    groups = _groups(spec)
    timeout = spec.timeout
    limits = (None, None) if timeout is None else (timeout.exec_timeout, timeout.queue_timeout)
    Run(environment, groups, *limits).go()
    followed = {
        (first.task.name, second.task.name)
        for group in groups
        for other in group.upstream
        for first in other.members
        for second in group.members
        if second.began is not None
    }
    endings: dict[str, Ending] = {member.task.name: member.ending() for group in groups for member in group.members}
    return Witnessed(
        endings,
        {group.name: group.state or CANCELLED for group in groups if not group.plain},
        frozenset(followed),
    )
