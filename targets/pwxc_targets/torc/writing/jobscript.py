"""The command of a job: the text as it is where that says everything, else a script with folders, steps and copies."""

from __future__ import annotations

import re

from pwxc.fidelity import Account
from pwxc.ir.data import Dataset, InlineFile, NamedDatum, NamedFile, Read, Secret, TaskOutput, Url, Write
from pwxc.ir.expr import Root, refs
from pwxc.ir.task import ActionCall, Command, Script, Step, Task
from pwxc.ir.template import Template
from pwxc.shell import ShellText, is_variable_name, quote
from pwxc.shell.stores import Transfers, can_fetch, can_send, scheme_of
from pwxc_targets.torc.writing import codes as C  # noqa: N812
from pwxc_targets.torc.writing.actions import CHECKOUT, checkout_words, is_checkout
from pwxc_targets.torc.writing.activate import REPORTS_CLOSE, REPORTS_OPEN, RUN_FOLDERS, exports
from pwxc_targets.torc.writing.conditions import IN_TASK, Tests, UnsupportedError, settled
from pwxc_targets.torc.writing.holes import Holes, folder
from pwxc_targets.torc.writing.jobhead import JobHead
from pwxc_targets.torc.writing.options import container_options
from pwxc_targets.torc.writing.settling import is_plain_step, recodes, recoding, settle_steps
from pwxc_targets.torc.writing.state import Writing

_NAMED = (NamedFile, NamedDatum)
_BASH = {(): "", ("bash",): "", ("bash", "-c"): "", ("/bin/bash",): "", ("bash", "-e"): "set -e\n"}
_QUOTED_DOLLAR = re.compile(r"'[^'\n]*[$`][^'\n]*'")


class JobScript:
    """Builds the command of one job and settles what the task says about running."""

    def __init__(self, writing: Writing, task: Task, holes: Holes, name: str) -> None:
        self.writing, self.task, self.holes, self.name = writing, task, holes, name
        self.shell = ShellText(holes)
        self.lines = self.shell.lines
        self.transfers = Transfers()
        self.functions: dict[str, None] = {}
        self.after: list[str] = []
        self.binds: list[str] = []
        self.head: list[str] = []

    def _contained_words(self, account: Account, *, environment: bool) -> str | None:
        """Give the one line for a single command in a container that needs no folders, files or variables."""
        task = self.task
        container, steps = task.container, task.steps
        if container is None or len(steps) != 1 or not isinstance(steps[0].work, Command):
            return None
        if environment and (task.environment or self.writing.workflow.environment):
            return None
        if container.mounts or self._plain(contained=True) is None:
            return None
        words = self._words(steps[0].work)
        prefix = self._container(account, bind_run=False)
        return None if words is None or self.lines else prefix + words

    def build(self, account: Account, *, environment: bool) -> str:
        """Give the command; with `environment` the variables stand in it too."""
        settle_steps(self.writing, self.task)
        account.emulate("steps", "cleanup", "working_directory")
        for item in (*self.task.reads, *self.task.writes):
            with self.writing.ledger.of(item) as entry:
                entry.take("name" if isinstance(item, Read) else "destination")
                entry.take("implied")
        self.head = JobHead(self.writing, self.task, self.holes).build()
        plain = self._plain()
        if plain is not None:
            exports = self._exports(account) if environment else []
            return "\n".join([*exports, *self.head, plain])
        contained = self._contained_words(account, environment=environment)
        if contained is None:
            return self._composed(account, environment=environment)
        return "\n".join([*self.head, contained])

    # the command as it is

    def _plain(self, *, contained: bool = False) -> str | None:
        task = self.task
        if task.container is not None and not contained:
            return None
        if len(task.steps) != 1 or task.cleanup or task.files or task.secrets or task.checkpoints:
            return None
        if (
            task.outputs
            or self._reports()
            or self._platform_variables()
            or self._where(task.steps[0]) is not None
            or not is_plain_step(task.steps[0])
            or recodes(task.exit_rules)
        ):
            return None
        if not all(isinstance(item.origin, _NAMED) for item in task.reads):
            return None
        if not all(isinstance(item.destination, _NAMED) for item in task.writes):
            return None
        work = task.steps[0].work
        if isinstance(work, Command):
            return self._words(work)
        if not isinstance(work, Script):
            return None
        line = (work.text.literal or "").rstrip("\n")
        if work.shell == ("sh",) and line and "\n" not in line:
            return f"sh -c {quote(line)}"
        text = self.holes.text(self.writing.fold(work.text)) if work.shell in _BASH else None
        return None if text is None else _BASH[work.shell] + text

    def _reports(self) -> bool:
        """Whether the task hands values on by appending lines to the file `$OUTPUTS`, as ACTIVATE's steps do."""
        return any("OUTPUTS" in text for text in self._platform_texts())

    def _platform_variables(self) -> list[str]:
        """Give the lines that set those of ACTIVATE's variables that the task's texts use."""
        return exports(self._platform_texts())

    def _platform_texts(self) -> list[str]:
        if self.writing.workflow.dialect != "pw":
            return []
        steps = (*self.task.steps, *self.task.cleanup)
        templates = [step.work.text for step in steps if isinstance(step.work, Script)]
        templates.extend(where for step in steps if (where := self._where(step)) is not None)
        folded = [self.writing.fold(template) for template in templates]
        return [part for template in folded for part in template.parts if isinstance(part, str)]

    def _where(self, step: Step) -> Template | None:
        """Give the folder of a step; None where it is the run's own, in which the job starts."""
        where = step.working_directory or self.task.working_directory
        folded = None if where is None else self.writing.fold(where)
        return None if folded is None or folded.literal in RUN_FOLDERS else folded

    def _words(self, work: Command) -> str | None:
        shell = ShellText(self.holes)
        words = [shell.word(self.writing.fold(argument)) for argument in work.arguments]
        return None if shell.lines or self._needs_folders(work.arguments) else " ".join(words)

    @staticmethod
    def _needs_folders(templates: tuple[Template, ...]) -> bool:
        roots = (Root.OUTPUT_FOLDER, Root.READ_FOLDER, Root.RUN_FOLDER, Root.TASK_OUTPUT, Root.HOST)
        return any(template.uses(*roots) for template in templates)

    # the script

    def _composed(self, account: Account, *, environment: bool) -> str:
        self.lines.append("rc=0")
        for read in self.task.reads:
            self._read(read)
        for file in self.task.files:
            self._file(file)
        for secret in self.task.secrets:
            self._secret(secret)
        account.emulate("files", "secrets", "working_directory", "outputs")
        self._checkpoints(account)
        if environment:
            self.lines.extend(self._exports(account))
        self.lines.extend(self.head)
        prefix = self._container(account)
        self.lines.extend(self._platform_variables())
        if self._reports():
            self.lines.extend(REPORTS_OPEN)
        for number, step in enumerate(self.task.steps, 1):
            self._step(step, number, prefix)
        for number, step in enumerate(self.task.cleanup, len(self.task.steps) + 1):
            self._step(step, number, prefix, always=True)
        for write in self.task.writes:
            self._write(write)
        if self._reports():
            self.lines.extend(REPORTS_CLOSE)
        self._publish()
        self.lines.extend(self.after)
        self.lines.extend(recoding(self.task.exit_rules))
        self.lines.append('exit "$rc"')
        return "\n".join([*self._head(), *self.lines]) + "\n"

    def _head(self) -> list[str]:
        word = folder(self.name)
        quoted = any(_QUOTED_DOLLAR.search(line) for line in self.lines)
        lines = [
            *(["# shellcheck disable=SC2016"] if quoted else []),
            "set -e",
            "run=${PWXC_RUN:-$PWD/run_$TORC_WORKFLOW_ID}",
            f"task={word}",
            "output=$task/output",
            'mkdir -p "$output" "$task/input"',
        ]
        used = "\n".join(self.lines)
        if "$output" not in used and "fill" not in used:
            lines[-2:] = ['mkdir -p "$task/input"']
        own = [line for function in self.functions for line in function.split("\n")]
        return [*lines, *self.transfers.preamble(), *own, *self.shell.preamble]

    def _read(self, read: Read) -> None:
        with self.writing.ledger.of(read) as entry:
            if isinstance(read.origin, _NAMED):
                entry.take("origin")
                return
            entry.emulate("name", "origin", "pattern")
            place = f'"$task/input/"{quote(read.name)}'
            match read.origin:
                case TaskOutput(task=name, run=None):
                    self._link(f"{folder(name)}/output", place, read.pattern)
                case TaskOutput(task=name, run=run):
                    entry.drop("origin", C.EARLIER_RUN, f"the output of `{name}` of the run `{run}` is out of reach")
                case Url(url=url):
                    self._fetch(entry, url, place, read)
                case Dataset():
                    entry.drop("origin", C.DATASET, "datasets are not known to torc")

    def _link(self, source: str, place: str, pattern: str | None) -> None:
        if pattern is None:
            self.lines.append(f"ln -sfn {source} {place}")
            return
        self.transfers.picks = True
        self.lines.append(f"pick {source} {quote(pattern)} {place}")

    def _fetch(self, entry: Account, url: Template, place: str, read: Read) -> None:
        url = self.writing.fold(url)
        scheme = scheme_of(url)
        if not can_fetch(scheme):
            entry.manual("origin", C.STORE_TOOL, f"no standard command copies from `{scheme}://`")
        self.transfers.fetched.add(scheme)
        word = self.shell.word(url)
        if read.pattern is None:
            self.lines.append(f"fetch {word} {place}")
            return
        self.lines.append(f'fetch {word} "$task/fetched/"{quote(read.name)}')
        self._link(f'"$task/fetched/"{quote(read.name)}', place, read.pattern)

    def _write(self, write: Write) -> None:
        with self.writing.ledger.of(write) as entry:
            if isinstance(write.destination, _NAMED):
                entry.take("destination")
                return
            entry.emulate("destination", "pattern")
            if isinstance(write.destination, Dataset):
                entry.drop("destination", C.DATASET, "datasets are not known to torc")
                return
            url = self.writing.fold(write.destination.url)
            scheme = scheme_of(url)
            if not can_send(scheme):
                entry.manual("destination", C.STORE_TOOL, f"no standard command copies to `{scheme}://`")
            self.transfers.sent.add(scheme)
            source = '"$output"'
            if write.pattern is not None:
                source = '"$task/selected"'
                self.transfers.picks = True
                self.lines.append(f'pick "$output" {quote(write.pattern)} {source}')
            self.lines.append(f"send {source} {self.shell.word(url)} || rc=$((rc ? rc : 1))")

    def _file(self, file: InlineFile) -> None:
        with self.writing.ledger.of(file) as entry:
            entry.emulate("path", "contents", "encoded", "executable")
            entry.cosmetic("local_path")
            path = self.writing.fold(file.path)
            literal = path.literal
            inside = literal is not None and self.task.container is not None and self._contained
            if inside and literal is not None:
                place = f'"$task/files/"{quote(literal.lstrip("/"))}'
                self.binds.append(f"{place}:{quote('/' + literal.lstrip('/'))}")
            else:
                place = self.shell.word(path)
                message = f"`{literal or 'a file'}` is put at its own path on the node, which tasks share"
                entry.approximate("path", C.SHARED_PATH, message, once=True)
            self.lines.append(f'mkdir -p "$(dirname {place})"')
            contents = self.writing.fold(file.contents)
            if file.encoded:
                text = contents.literal or ""
                shell = ShellText(self.holes)
                shell.write_file("-", Template((text if text.endswith("\n") else text + "\n",)))
                self.lines.append(shell.lines[0].replace("cat > -", f"base64 -d > {place}"))
                self.lines.extend(shell.lines[1:])
            else:
                self.shell.write_file(place, contents)
            if file.executable:
                self.lines.append(f"chmod +x {place}")

    def _secret(self, secret: Secret) -> None:
        with self.writing.ledger.of(secret) as entry:
            entry.emulate("name", "variables", "folder")
            what = "folder" if secret.folder is not None else "variables"
            message = f"`{secret.name}` has to be in the environment of the workers"
            if secret.folder is not None:
                message = f"the files of `{secret.name}` have to be put in place by hand"
            entry.manual(what, C.SECRET_BY_HAND, message)
            for variable, key in secret.variables:
                self.lines.append(f': "${{{variable}:?{_word(secret.name)} {_word(key)} is not set}}"')

    def _checkpoints(self, account: Account) -> None:
        for number, point in enumerate(self.task.checkpoints):
            with self.writing.ledger.of(point) as entry:
                entry.emulate("path", "url", "interval", "pattern")
                address = self.writing.fold(point.url)
                self.transfers.sent.add(scheme_of(address))
                path, url = self.shell.word(self.writing.fold(point.path)), self.shell.word(address)
                seconds = self.writing.number(point.interval) or 600
                copy = f"send {path} {url}"
                if point.pattern is not None:
                    self.transfers.picks = True
                    picked = f'"$task/picked/{number}"'
                    copy = f"pick {path} {quote(point.pattern)} {picked} && send {picked} {url}"
                self.lines.append(f"while sleep {seconds}; do {copy} || :; done &")
                self.lines.append(f"checkpoint_{number}=$!")
                self.after.append(f'kill "$checkpoint_{number}" 2> /dev/null || :\n{copy} || :')
        account.emulate("checkpoints")

    def _exports(self, account: Account) -> list[str]:
        lines = []
        inherited = self.writing.workflow.environment if not self.writing.knows("spec", "env") else ()
        account.emulate("environment")
        shell = ShellText(self.holes)
        for item in (*inherited, *self.task.environment):
            with self.writing.ledger.of(item) as entry:
                entry.emulate("name", "value")
            if is_variable_name(item.name):
                word = shell.word(self.writing.fold(item.value))
                if "$(" in word:
                    shell.lines.extend([f"{item.name}={word}", f"export {item.name}"])
                else:
                    shell.lines.append(f"export {item.name}={word}")
            else:
                with self.writing.ledger.of(item) as entry:
                    entry.drop("name", C.VARIABLE_NAME, f"no shell can set the variable `{item.name}`")
        lines.extend([*shell.preamble, *shell.lines])
        return lines

    @property
    def _contained(self) -> bool:
        return self.writing.options["container"] == "apptainer"

    def _container(self, account: Account, *, bind_run: bool = True) -> str:
        container = self.task.container
        if container is None:
            return ""
        with self.writing.ledger.of(container) as entry:
            entry.emulate("image", "mounts")
            entry.cosmetic("passthrough", "host_network")
            if container.privileged:
                entry.drop("privileged", C.PRIVILEGED, "apptainer gives no privileges")
            account.emulate("container")
            if not self._contained:
                shown = self.writing.literal(container.image) or "the image"
                entry.approximate("image", C.NO_IMAGE, f"commands run on the node itself, without `{shown}`", once=True)
                return ""
            image: Template = self.writing.fold(container.image)
            literal = image.literal
            if literal is None or ("://" not in literal and not literal.startswith(("/", "."))):
                image = Template.of("docker://", *image.parts)
            binds = [*(['"$run"'] if bind_run else []), *self.binds, *(quote(mount) for mount in container.mounts)]
            own = self.writing.own_resources(self.task)
            options = ("--nv " if own is not None and own.gpus else "") + container_options(self.writing, own)
            options += "".join(f"--bind {bind} " for bind in binds)
            return f"apptainer exec {options}{self.shell.word(image)} "

    def _step(self, step: Step, number: int, prefix: str, *, always: bool = False) -> None:
        run = self._run(step, number, prefix)
        if run is None:
            return
        variables = [
            f"{item.name}={self.shell.word(self.writing.fold(item.value))}"
            for item in step.environment
            if is_variable_name(item.name)
        ]
        if variables:
            run = f"env {' '.join(variables)} {run}"
        where = self._where(step)
        if where is not None:
            place = self._home(where)
            made = f"mkdir -p {place} && " if self.writing.workflow.dialect == "pw" else ""
            run = f"({made}cd {place} && {run})"
        failed = "|| :" if self.writing.value(step.ignore_errors) is True else "|| rc=$?"
        block = [f"{run} {failed}"]
        guard = "true" if always else self._guard(step)
        if guard == "true":
            self.lines.extend(block)
        elif guard != "false":
            self.lines.extend([f"if {guard}; then", *(f"  {line}" for line in block), "fi"])
        if step.cleanup is not None:
            script = f'"$task/cleanup_{number}.sh"'
            self.shell.write_file(script, self.writing.fold(step.cleanup))
            self.after.append(f"bash {script} || :")

    def _home(self, path: Template) -> str:
        """Give the shell word of a folder, in which a tilde at the beginning is the home folder.

        ACTIVATE hands working folders to a shell, so their variables stay alive.
        """
        literal = path.literal
        if self.writing.workflow.dialect == "pw" and literal is not None and "$" in literal:
            return '"' + re.sub(r'(["\\`])', r"\\\1", literal.replace("~/", "$HOME/", literal.startswith("~/"))) + '"'
        first = path.parts[0] if path.parts else ""
        if isinstance(first, str) and (first == "~" or first.startswith("~/")):
            rest = Template.of(first[2:], *path.parts[1:])
            return '"$HOME"' + (f"/{self.shell.word(rest)}" if rest else "")
        return self.shell.word(path)

    def _guard(self, step: Step) -> str:
        if step.condition is None:
            # nothing has failed before the first step: `set -e` ends the script at once
            return "true" if self.task.steps[0] is step else '[ "$rc" -eq 0 ]'
        made = settled(self.writing, step.condition)
        with self.writing.ledger.of(step) as entry:
            if any(ref.root is Root.INPUT for ref in refs(step.condition)):
                entry.approximate("condition", C.FROZEN_INPUTS, "conditions on inputs were decided by their defaults")
            try:
                test = Tests(self.holes, IN_TASK).test(made)
            except UnsupportedError:
                entry.drop("condition", C.CONDITION, "a condition cannot be tested in bash, and is left out")
                return '[ "$rc" -eq 0 ]'
        return {":": "true"}.get(test, test)

    def _run(self, step: Step, number: int, prefix: str) -> str | None:
        work = step.work
        limit = self.writing.number(step.timeout)
        before = f"timeout {limit} {prefix}" if limit else prefix
        if isinstance(work, ActionCall):
            return self._action(step, work)
        if isinstance(work, Command):
            words = " ".join(self.shell.word(self.writing.fold(argument)) for argument in work.arguments)
            run = f"{before}{words or ':'}"
        else:
            script = f'"$task/step_{number}.sh"'
            self.shell.write_file(script, self.writing.fold(work.text))
            program = " ".join(quote(word) for word in work.shell if word != "-c") or "bash"
            run = f"{before}{program} {script}"
        return self._retried(step, run)

    def _action(self, step: Step, work: ActionCall) -> str | None:
        if not is_checkout(work):
            return None
        self.functions[CHECKOUT] = None
        words = " ".join(self.shell.word(self.writing.fold(word)) for word in checkout_words(work))
        return self._retried(step, f"checkout {words}")

    def _retried(self, step: Step, run: str) -> str:
        if step.retry is None:
            return run
        limit = self.writing.number(step.retry.limit)
        pause = self.writing.number(step.retry.interval) or 0
        tries = " ".join(str(number) for number in range(min(limit if limit is not None else 3, 100)))
        return f"{run} || for _ in {tries or '0'}; do sleep {pause}; {run} && break; done"

    def _publish(self) -> None:
        if self.task.outputs:
            self.lines.append('mkdir -p "$task/values"')
        for item in self.task.outputs:
            value = item.value if isinstance(item.value, Template) else Template((item.value,))
            self.lines.append(
                f"printf '%s' {self.shell.word(self.writing.fold(value))} > \"$task/values/\"{quote(item.name)}"
            )


def _word(text: str) -> str:
    return "".join(sign if sign.isalnum() or sign in "_-" else "_" for sign in text)
