"""The shell text of one task: its folders, files and data, its command, and what happens when it has ended."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from pwxc.fidelity import Account, Fate
from pwxc.ir.data import Dataset, InlineFile, Read, Secret, TaskOutput, Url, Variable, Write
from pwxc.ir.expr import Expr, Ref, Root
from pwxc.ir.task import Command, ExitRule, Script, Task, Work
from pwxc.ir.template import Template, join, text
from pwxc.shell import ShellText, is_variable_name, quote
from pwxc.shell.stores import Transfers, can_fetch, can_send, scheme_of
from pwxc_targets.pw.names import HoleNames
from pwxc_targets.pw.writing import codes as C  # noqa: N812
from pwxc_targets.pw.writing.context import Writing, folder_field, password_field
from pwxc_targets.pw.writing.strategy import Matrix
from pwxc_targets.pw.writing.toplevel import plain_environment

_PLAIN_VALUE = re.compile(r"[^$`\\\"'\n\r]*\Z")


class TaskScript:
    """Builds the shell text of a task, settling the task's fields in the ledger on the way.

    After `build`, `stage` holds the lines that come before the command, `command` those that run it and end with its
    exit status, `environment` the variables that the step has to be given.
    """

    def __init__(
        self,
        writing: Writing,
        task: Task,
        hosts: dict[str, str],
        transfers: Transfers,
        *,
        alone: bool,
        matrix: Matrix | None = None,
    ) -> None:
        self.writing = writing
        self.task = task
        self.transfers = transfers
        self.alone = alone
        self.names = HoleNames(writing.inputs, hosts, matrix)
        self.stage_text = ShellText(self.names)
        self.start_text = ShellText(self.names)
        self.command_text = ShellText(self.names)
        self.final_text = ShellText(self.names)
        self.environment: dict[str, str] = {}
        self._moved = self._moved_paths()
        self._binds: list[str] = []

    # building

    def build(self, account: Account) -> None:
        """Build the lines; every field that has to do with running is settled here."""
        task = self.task
        self.stage = self.stage_text.lines
        self._folders = ['"$output"', '"$task/scratch"']
        reads = account.take("reads")
        if reads:
            self._folder('"$task/input"')
        for read in reads:
            self._read(read)
        for file in account.take("files", Fate.EMULATED):
            self._file(file)
        for secret in account.take("secrets"):
            self._secret(secret)
        self.before = self.start_text.lines
        self.after: list[str] = []
        for number, point in enumerate(account.take("checkpoints", Fate.EMULATED)):
            with self.writing.ledger.of(point) as entry:
                entry.emulate("path", "url", "interval", "pattern")
                self._checkpoint(number)
        self.stage.insert(0, f"mkdir -p {' '.join(self._folders)}")
        exports = self._environment(account)
        self._command(account, exports)
        self._ending(account)
        account.emulate("steps")
        for step in task.steps:
            with self.writing.ledger.of(step) as entry:
                entry.take("work", Fate.EMULATED)

    def _folder(self, word: str) -> None:
        """Have a folder made before everything else."""
        if word not in self._folders:
            self._folders.append(word)

    def paths(self, *, local: bool = False) -> list[str]:
        """Give the lines that name the task's folders."""
        keyword = "local " if local else ""
        return [f"{keyword}task=$run/tasks/{self._folder_of(self.task)}", f"{keyword}output=$task/output"]

    def _folder_of(self, task: Task) -> str:
        """Give the word of a task's folder below those of all tasks; each instance of a sweep has one of its own."""
        if task.sweep is None:
            return quote(task.name)
        return f'{quote(self.writing.jobs.get(task.name, task.name))}."${{PW_MATRIX_INDEX}}"'

    # data

    def _read(self, read: Read) -> None:
        place = f'"$task/input/{read.name}"'
        with self.writing.ledger.of(read) as account:
            account.emulate("name", "origin", "pattern", "implied")
            match read.origin:
                case TaskOutput(task=name, run=None):
                    self._place(f'"$run/tasks"/{self._folder_of(self.writing.tasks[name])}/output', place, read.pattern)
                case TaskOutput(task=name, run=run):
                    message = f"the output of `{name}` of the earlier run `{run}` has to be given by hand"
                    account.drop("origin", C.EARLIER_RUN, message)
                    self._ask_folder("earlier_runs", f"{run}_{name}", f"Output of {name} of run {run}", place, read)
                case Url(url=url):
                    self._fetch(account, url, place, read)
                case Dataset() as dataset:
                    self._read_dataset(account, dataset, place, read)

    def _place(self, source: str, place: str, pattern: str | None) -> None:
        if pattern is None:
            self.stage.append(f"ln -sfn {source} {place}")
        else:
            self.transfers.picks = True
            self.stage.append(f"pick {source} {quote(pattern)} {place}")

    def _fetch(self, account: Account, url: Template, place: str, read: Read) -> None:
        scheme = scheme_of(url)
        if not can_fetch(scheme, self.transfers.copy):
            account.manual("origin", C.STORE_TOOL, f"no standard command copies from `{scheme}://`")
        self.transfers.fetched.add(scheme)
        word = self.stage_text.word(url)
        if read.pattern is None:
            self.stage.append(f"fetch {word} {place}")
            return
        fetched = f'"$task/fetched/{read.name}"'
        self.stage.append(f"fetch {word} {fetched}")
        self._place(fetched, place, read.pattern)

    def _read_dataset(self, account: Account, dataset: Dataset, place: str, read: Read) -> None:
        name = _label(dataset.name)
        account.drop("origin", C.DATASET, f"dataset `{name}` has to be given as a folder by hand")
        bare = PurePosixPath(name.split(":")[0]).name
        self._folder(place)
        self._ask_folder("datasets", bare, f"Folder of dataset {name}", f'{place[:-1]}/{bare}"', read)

    def _ask_folder(self, group: str, name: str, label: str, place: str, read: Read) -> None:
        field = folder_field(label, "A folder on the cluster that holds the files")
        path = self.writing.ask(group, re.sub(r"[^A-Za-z0-9_-]", "_", name), field)
        source = self.stage_text.word(Template((Ref(Root.INPUT, tuple(path.split(".")[1:])),)))
        self._place(source, place, read.pattern)

    # files and secrets

    def _moved_paths(self) -> dict[str, str]:
        """Give, where there is no container, the injected paths that are put elsewhere."""
        if self.writing.contained:
            return {}
        return {path: path for file in self.task.files if (path := file.path.literal) is not None}

    def _file(self, file: InlineFile) -> None:
        with self.writing.ledger.of(file) as account:
            account.emulate("path", "contents", "encoded", "executable")
            account.cosmetic("local_path")
            literal = file.path.literal
            if literal is None:
                place = self.stage_text.word(file.path)
                self.stage.append(f'mkdir -p "$(dirname {place})"')
            else:
                place = self._inside(literal)
                self._folder(self._inside(str(PurePosixPath(literal).parent)))
            if literal is not None and self.writing.contained:
                target = literal if literal.startswith("/") else f"/{literal}"
                self._binds.append(f"{place}{quote(':' + target)}")
            elif literal is not None:
                message = f"`{literal}` is put below the run's folder, because there is no container"
                account.approximate("path", C.RELOCATED_FILES, message, once=True)
            self._contents(place, file)

    @staticmethod
    def _inside(path: str) -> str:
        return f'"$task/files"/{quote(path.lstrip("/"))}' if path.lstrip("/") else '"$task/files"'

    def _contents(self, place: str, file: InlineFile) -> None:
        encoded = file.contents.literal
        if file.encoded and encoded is not None:
            wrapped = encoded if encoded.endswith("\n") else encoded + "\n"
            shell = ShellText(self.names)
            shell.write_file("-", text(wrapped))
            first, *rest = shell.lines
            self.stage.extend([first.replace("cat > -", f"base64 -d > {place}"), *rest])
        else:
            self.stage_text.write_file(place, self._relocated(file.contents))
        if file.executable:
            self.stage.append(f"chmod +x {place}")

    def _relocated(self, template: Template) -> Template:
        """Put the new place of injected files where a text spells out the old one."""
        for path in sorted(self._moved, key=len, reverse=True):
            template = _replace_path(template, path)
        return template

    def _secret(self, secret: Secret) -> None:
        with self.writing.ledger.of(secret) as account:
            account.emulate("name", "variables", "folder")
            if secret.folder is not None:
                self._secret_folder(account, secret)
                return
            kept = self.writing.options["secrets"] == "organisation"
            becomes = "an organisation variable that has to be made" if kept else "a password input to be filled in"
            account.manual("variables", C.SECRET_BY_HAND, f"credential `{secret.name}` becomes {becomes}")
            for variable, key in secret.variables:
                field = re.sub(r"[^A-Za-z0-9_]", "_", f"{secret.name}_{key}")
                if kept:
                    path = "org." + re.sub(r"^[^A-Z]+", "", field.upper())
                else:
                    path = self.writing.ask("credentials", field, password_field(f"{secret.name}: {key}"))
                alias = variable if self.alone else f"PWXC_SECRET_{field.upper()}"
                self.environment[alias] = "${{ " + path + " }}"
                if alias != variable:
                    self.command_text.lines.append(f'export {variable}="${{{alias}-}}"')

    def _secret_folder(self, account: Account, secret: Secret) -> None:
        message = f"credential `{secret.name}` has to be put into a folder on the cluster by hand"
        account.manual("folder", C.SECRET_BY_HAND, message)
        field = folder_field(
            f"Folder with the files of {secret.name}", "A folder on the cluster, readable by you alone"
        )
        path = self.writing.ask("credentials", re.sub(r"[^A-Za-z0-9_]", "_", f"{secret.name}_folder"), field)
        assert secret.folder is not None
        folder = Template((Ref(Root.INPUT, tuple(path.split(".")[1:])),))
        source = (self.command_text if self.writing.contained else self.stage_text).word(folder)
        if self.writing.contained:
            self._binds.append(f"{source}:{self.command_text.word(secret.folder)}")
        else:
            target = self.stage_text.word(secret.folder)
            self.stage.append(f'mkdir -p "$(dirname {target})" && ln -sfn {source} {target}')

    # environment and command

    def _environment(self, account: Account) -> list[str]:
        """Give export lines, or put the variables into the step's own environment where that is safe."""
        variables = (*self._shared_environment(), *account.take("environment"))
        values = {item.name: self._relocated(item.value) for item in variables}
        for item in variables:
            with self.writing.ledger.of(item) as entry:
                entry.take("name")
                entry.take("value")
        if self.alone and all(self._is_plain(name, value) for name, value in values.items()):
            for name, value in values.items():
                self.environment[name] = value.fill(lambda hole: self.names.inline(hole) or "")
            return []
        lines = []
        for name, value in values.items():
            word = self.command_text.word(value)
            lines.append(f"export {name}={word}" if is_variable_name(name) else f"# not a shell name: {quote(name)}")
        return lines

    def _shared_environment(self) -> tuple[Variable, ...]:
        """Give the workflow's own variables, unless they stand at the top of the file."""
        return () if plain_environment(self.writing) else self.writing.workflow.environment

    def _is_plain(self, name: str, value: Template) -> bool:
        """Whether the platform's `env` takes a variable as it is; what it does to `$` and quotes is not documented."""
        if not re.fullmatch(r"[a-zA-Z0-9_]+", name):
            return False
        return all(
            _PLAIN_VALUE.match(part) is not None if isinstance(part, str) else self.names.inline(part) is not None
            for part in value.parts
        )

    def _command(self, account: Account, exports: list[str]) -> None:
        words = [self.command_text.word(self._relocated(argument)) for argument in self._arguments()]
        lines = self.command_text.lines
        container = self._container(account)
        lines.extend(exports)
        if container:
            lines.extend(container)
            lines.append('"${container[@]}" ' + " ".join(words))
        else:
            lines.extend(['cd "$task/scratch"', " ".join(words)])
        self.command = lines

    def _arguments(self) -> tuple[Template, ...]:
        """Give the command line of the task's work; several steps become one script."""
        works = [step.work for step in self.task.steps]
        match works:
            case [Command(arguments=arguments)]:
                return arguments
            case [Script(text=script, shell=shell)]:
                return (*(text(word) for word in shell), text("-c"), script)
        return (text("bash"), text("-ec"), join(_as_script(work) for work in works))

    def _container(self, account: Account) -> list[str]:
        container = self.task.container
        if container is None:
            return []
        with self.writing.ledger.of(container) as inner:
            if container.privileged:
                inner.drop("privileged", C.PRIVILEGED, f"`{self.task.name}` does not run privileged")
            inner.emulate("host_network", "image", "mounts")
            if not self.writing.contained:
                message = f"image `{_label(container.image)}` is not used: commands run on the machine itself"
                inner.approximate("image", C.IMAGE_NOT_USED, message, once=True)
                self._mounts_by_hand(inner)
                return []
            binds = ['"$run"', *self._binds, *(quote(mount) for mount in container.mounts)]
            image = self.command_text.word(Template.of("docker://", *container.image.parts))
        lines = ["container=(", "  apptainer exec --contain --writable-tmpfs", '  --workdir "$task/scratch"']
        if self._uses_gpus():
            lines.append("  --nv")
        lines.extend(f"  --bind {bind}" for bind in binds)
        return [*lines, f"  {image}", ")", "command -v apptainer > /dev/null || container[0]=singularity"]

    def _mounts_by_hand(self, inner: Account) -> None:
        assert self.task.container is not None
        for mount in self.task.container.mounts:
            source, _, target = mount.partition(":")
            if target not in ("", source):
                message = f"`{source}` cannot be seen at `{target}` without a container"
                inner.approximate("mounts", C.MOUNT_BY_HAND, message)

    def _uses_gpus(self) -> bool:
        record = self.writing.resources.get(self.task.resources or "")
        return record is not None and record.gpus is not None

    # the end

    def _ending(self, account: Account) -> None:
        """Wrap the command in checkpoints, uploads and exit rules, so that the lines end with the task's status."""
        writes = account.take("writes", Fate.EMULATED)
        self.rules: tuple[ExitRule, ...] = account.take("exit_rules", Fate.EMULATED)
        for write in writes:
            self._write(write)
        self.after.extend(self.final_text.lines)

    def _checkpoint(self, number: int) -> None:
        point = self.task.checkpoints[number]
        self.transfers.sent.add(scheme_of(point.url))
        self.before.append(f"checkpoint_{number}_url={self.start_text.word(point.url)}")
        if self.writing.contained:
            place = f'"$task/checkpoint/{number}"'
            self._folder(place)
            self._binds.append(f"{place}:{self.command_text.word(point.path)}")
        else:
            place = self.start_text.word(point.path)
        self.before.append(f"checkpoint_{number}={place}")
        leaf = PurePosixPath(point.path.literal or "checkpoint").name
        seconds = point.interval if isinstance(point.interval, int | float) else self.writing.default_of(point.interval)
        source = f'"$checkpoint_{number}"'
        copy = f'send {source} "${{checkpoint_{number}_url%/}}"/{quote(leaf)}'
        if point.pattern is not None:
            self.transfers.picks = True
            picked = f'"$task/picked/{number}"'
            copy = f"pick {source} {quote(point.pattern)} {picked} && {copy.replace(source, picked)}"
        self.before.append(f"while sleep {_seconds(seconds)}; do {copy} || :; done &")
        self.before.append(f"checkpoint_{number}_loop=$!")
        self.after.append(f'kill "$checkpoint_{number}_loop" 2> /dev/null || :')
        self.after.append(f"{copy} || :")

    def _write(self, write: Write) -> None:
        with self.writing.ledger.of(write) as account:
            account.emulate("destination", "pattern", "implied")
            source = '"$output"'
            if write.pattern is not None:
                self.transfers.picks = True
                source = '"$task/selected"'
                self.final_text.lines.append(f'pick "$output" {quote(write.pattern)} {source}')
            if isinstance(write.destination, Url):
                self._put(account, write.destination.url, source)
            elif isinstance(write.destination, Dataset):
                self._write_dataset(account, write.destination)

    def _put(self, account: Account, url: Template, source: str) -> None:
        scheme = scheme_of(url)
        if not can_send(scheme, self.transfers.copy):
            account.manual("destination", C.STORE_TOOL, f"no standard command copies to `{scheme}://`")
        self.transfers.sent.add(scheme)
        self.final_text.lines.append(f"send {source} {self.final_text.word(url)} || failed=1")

    def _write_dataset(self, account: Account, dataset: Dataset) -> None:
        name = _label(dataset.name)
        account.drop("destination", C.DATASET, f"dataset `{name}` is only left as a folder")
        bare = re.sub(r"[^A-Za-z0-9_-]", "_", PurePosixPath(name.split(":")[0]).name)
        field = folder_field(f"Folder of dataset {name}", "A folder on the cluster that receives the files")
        path = self.writing.ask("datasets", bare, field)
        target = self.final_text.word(Template((Ref(Root.INPUT, tuple(path.split(".")[1:])),)))
        part = f'"$output"/{quote(dataset.path.literal or "")}' if dataset.path else '"$output"/.'
        self.final_text.lines.append(f"{{ mkdir -p {target} && cp -rL {part} {target}; }} || failed=1")


def _as_script(work: Work) -> Template:
    """Give one of several pieces of work as lines of a script; a call of an action has none."""
    if isinstance(work, Script):
        return join((work.text, text("\n")))
    if isinstance(work, Command):
        words = [
            Template.of(*(quote(part) if isinstance(part, str) else part for part in word.parts), " ")
            for word in work.arguments
        ]
        return join((*words, text("\n")))
    return text(f"echo {quote(work.name)} 'cannot be called here' >&2\nexit 1\n")


def _label(template: Template) -> str:
    return template.fill(lambda hole: "{" + (".".join(hole.path) if isinstance(hole, Ref) else "…") + "}")


def _seconds(value: object) -> str:
    if isinstance(value, int | float):
        return f"{value:g}" if value != int(value) else str(int(value))
    return str(value)


def _replace_path(template: Template, path: str) -> Template:
    found = re.compile(rf"(?<![\w./-]){re.escape(path)}(?![\w/-]|\.\w)")
    parts: list[str | Expr] = []
    for part in template.parts:
        if not isinstance(part, str):
            parts.append(part)
            continue
        at = 0
        for match in found.finditer(part):
            parts.extend((part[at : match.start()], Ref(Root.FILE, (path,))))
            at = match.end()
        parts.append(part[at:])
    return Template.of(*parts)


def exit_test(rule: ExitRule) -> str:
    """Give the arithmetic test of a rule's codes on `rc`; codes above 255 never come."""
    ranges = [(low, min(high, 255)) for low, high in rule.codes if low <= 255]
    if not rule.codes:
        return "rc != 0"
    tests = [f"rc == {low}" if low == high else f"(rc >= {low} && rc <= {high})" for low, high in ranges]
    return " || ".join(tests)
