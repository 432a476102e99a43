"""Shell lines that give a task its data, files, variables and secrets, and that put away what it leaves."""

from __future__ import annotations

import re
from collections.abc import Iterator

import attrs

from pwxc.ir.data import Dataset, NamedDatum, NamedFile, Read, TaskOutput, Url, Write
from pwxc.ir.expr import Literal, Ref, Root
from pwxc.ir.task import Task
from pwxc.ir.template import Template
from pwxc.shell import ShellText, is_variable_name
from pwxc_targets.slurm import codes as C  # noqa: N812
from pwxc_targets.slurm.writing.context import Context, Holes
from pwxc_targets.slurm.writing.naming import plain, step_label
from pwxc_targets.slurm.writing.quoting import word as quoted

FILES = Ref(Root.ENVIRONMENT, ("PWXC_FILES",))
"""Where files are that the source wants at fixed places of a container."""


@attrs.define
class Data:
    """The data of one task. `needs` names the shell functions that the lines use."""

    context: Context
    task: Task
    holes: Holes
    needs: set[str] = attrs.field(factory=set)
    meanings: dict[str, tuple[str, ...]] = attrs.field(factory=dict)
    text: ShellText = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Make the renderer that all parts of the script share."""
        self.text = ShellText(self.holes)

    def word(self, template: Template) -> str:
        """Give a shell word for a template, however long."""
        self.holes.protecting = not any(isinstance(part, str) and "\n" in part for part in template.parts)
        made = self.text.word(template)
        self.holes.protecting = False
        return made

    def take_lines(self) -> list[str]:
        """Give the lines that have to run before what was just rendered, and forget them."""
        lines, self.text.lines = self.text.lines, []
        return [*self.holes.take_lines(), *lines]

    def environment(self) -> Iterator[str]:
        """Set the variables of the workflow and of the task."""
        for variable in (*self.context.workflow.environment, *self.task.environment):
            yield from self.export(variable.name, variable.value)

    def export(self, name: str, value: Template) -> Iterator[str]:
        """Set a variable."""
        if not is_variable_name(name):
            self.context.say(C.NO_COUNTERPART, f"the shell has no variables with the name `{name}`")
            return
        word = self.word(self.here(value))
        yield from self.take_lines()
        yield f"export {name}={word}"

    def here(self, template: Template) -> Template:
        """Point at the files of the task where they are, when no container puts them at their places.

        An expression that is a text, as ACTIVATE needs it to say `${{`, becomes that text.
        """
        template = template.map(
            lambda hole: hole.value if isinstance(hole, Literal) and isinstance(hole.value, str) else hole
        )
        if self.context.container != "none" and self.task.container is not None:
            return template
        places = [file.path for file in self.task.files]
        places += [secret.folder for secret in self.task.secrets if secret.folder is not None]
        paths = [path for place in places if (path := place.literal) and path.startswith("/")]
        if not paths:
            return template
        found = re.compile("|".join(rf"(?<![\w./-]){re.escape(path)}(?![\w-]|\.\w)" for path in paths))
        parts: list[object] = []
        for part in template.parts:
            if isinstance(part, str):
                parts.extend(_around(part, found))
            else:
                parts.append(part)
        return Template.of(*parts)  # type: ignore[arg-type]

    def files(self) -> Iterator[str]:
        """Write the files of the task."""
        if not self.task.files:
            return
        yield "export PWXC_FILES=$work/files"
        for file in self.task.files:
            path = self.holes.word(file.path)
            literal = file.path.literal
            target = f'"$PWXC_FILES"{path}' if literal is None or literal.startswith("/") else f'"$PWXC_FILES"/{path}'
            yield from self.holes.take_lines()
            yield f"target={target}"
            yield 'mkdir -p "$(dirname -- "$target")"'
            yield from self._contents(self.here(file.contents), encoded=file.encoded)
            if file.executable:
                yield 'chmod +x -- "$target"'

    def _contents(self, contents: Template, *, encoded: bool) -> Iterator[str]:
        self.text.write_file('"$target.base64"' if encoded else '"$target"', contents)
        yield from self.take_lines()
        if encoded:
            yield 'base64 -d "$target.base64" >"$target" && rm -f -- "$target.base64"'

    def reads(self) -> Iterator[str]:
        """Bring what has to be there before the first step, and name its places."""
        for number, read in enumerate(self.task.reads):
            yield from self._read(number, read)

    def _read(self, number: int, read: Read) -> Iterator[str]:
        variable = self.context.variables.of(Ref(Root.READ_FOLDER, (read.name,)))
        match read.origin:
            case TaskOutput(task=parent, run=None):
                yield from self._from_task(number, read, variable, parent)
            case Url(url=url):
                self.needs.add("transfer")
                word = self.holes.word(url)
                yield from self.holes.take_lines()
                yield f"export {variable}=$work/read/{number}"
                yield f'fetch {word} "${variable}" || exit 1'
            case NamedFile(name=name):
                path = self.file_word(name)
                yield from self.holes.take_lines()
                yield f"export {variable}={path}"
                yield f'if [[ ! -e {path} ]]; then echo "the file {self.named(name)} is not there" >&2; exit 1; fi'
            case NamedDatum() | Dataset() | TaskOutput():
                yield f"export {variable}=$work/read/{number}"
                yield f'mkdir -p "${variable}"'

    def _from_task(self, number: int, read: Read, variable: str, parent: str) -> Iterator[str]:
        place = f"$PWXC_RUN/output/{self.context.slugs.of(parent)}"
        if self._same_instance(parent):
            place += "/$index"
        if read.pattern is None:
            yield f"export {variable}={place}"
            return
        self.needs.add("pick")
        yield f"export {variable}=$work/read/{number}"
        yield f'pick "{place}" {quoted(read.pattern)} "${variable}"'

    def _same_instance(self, parent: str) -> bool:
        return any(edge.parent == parent and edge.same_instance for edge in self.task.needs)

    def file_word(self, name: str) -> str:
        """Give the path of a file of the workflow as a word."""
        found = next((file for file in self.context.workflow.files if file.name == name), None)
        return self.holes.word(found.path) if found is not None else quoted(name)

    def named(self, name: str) -> str:
        """Give the name of a file as it stands in a message, and remember what it means."""
        told = plain(name)
        if told != name:
            self.meanings[told] = (name,)
        return told

    def secrets(self) -> Iterator[str]:
        """Read the secrets into their variables, or put them into the folders that the task wants."""
        secrets = (*self.context.workflow.secrets, *self.task.secrets)
        if any(secret.folder is not None for secret in secrets):
            yield "export PWXC_FILES=$work/files"
        for secret in secrets:
            if secret.folder is not None:
                self.needs.add("secret-folder")
                path = self.holes.word(secret.folder)
                if not (secret.folder.literal or "/").startswith("/"):
                    path = f"/{path}"
                yield from self.holes.take_lines()
                yield f'secret_folder {quoted(secret.name)} "$PWXC_FILES"{path} || exit 1'
            if not secret.variables:
                continue
            self.needs.add("secret")
            for variable, key in secret.variables:
                if is_variable_name(variable):
                    yield f"{variable}=$(secret {quoted(secret.name)} {quoted(key)}) || exit 1"
                    yield f"export {variable}"

    def checkpoints(self) -> Iterator[str]:
        """Start the loops that copy folders away while the steps run."""
        for number, checkpoint in enumerate(self.task.checkpoints):
            self.needs.add("transfer")
            path, url = self.holes.word(checkpoint.path), self.holes.word(checkpoint.url)
            interval = checkpoint.interval
            pause = str(interval) if isinstance(interval, int | float) else f'"${{{self.holes.name(interval)}}}"'
            yield from self.holes.take_lines()
            if checkpoint.pattern is None:
                yield f"checkpoint_{number}() {{ send {path} {url} || :; }}"
            else:
                self.needs.add("pick")
                picked = f'"$work/picked/{number}"'
                pick = f"pick {path} {quoted(checkpoint.pattern)} {picked}"
                yield f"checkpoint_{number}() {{ {pick} && send {picked} {url} || :; }}"
            yield f"while sleep {pause}; do checkpoint_{number}; done &"

    def last_copies(self) -> Iterator[str]:
        """Copy checkpoints once more, at the end."""
        for number in range(len(self.task.checkpoints)):
            yield f"checkpoint_{number}"

    def uploads(self) -> Iterator[str]:
        """Send what the task leaves for the outside; this happens after a failure too."""
        for number, write in enumerate(self.task.writes):
            if isinstance(write.destination, Url):
                yield from self._upload(number, write, write.destination)

    def _upload(self, number: int, write: Write, destination: Url) -> Iterator[str]:
        self.needs.add("transfer")
        word = self.holes.word(destination.url)
        yield from self.holes.take_lines()
        place = "$PWXC_OUTPUT"
        if write.pattern is not None:
            self.needs.add("pick")
            place = f"$work/write/{number}"
            yield f'pick "$PWXC_OUTPUT" {quoted(write.pattern)} "{place}"'
        yield f'if ! send "{place}" {word}; then if ((rc == 0)); then rc=1; fi; fi'

    def expectations(self) -> Iterator[str]:
        """Fail when a file that the task declares is not there at its end."""
        for write in self.task.writes:
            if isinstance(write.destination, NamedFile):
                path = self.file_word(write.destination.name)
                yield from self.holes.take_lines()
                name = self.named(write.destination.name)
                yield f'if [[ ! -e {path} ]]; then echo "the file {name} was not written" >&2; exit 1; fi'

    def publications(self) -> Iterator[str]:
        """Write down the values that the task hands on."""
        for output in self.task.outputs:
            template = output.value if isinstance(output.value, Template) else Template.of(output.value)
            for ref in template.refs():
                if ref.root is Root.TASK_OUTPUT and ref.path[0] == self.task.name:
                    yield self.own_value(ref)
            word = self.holes.word(template)
            yield from self.holes.take_lines()
            yield f"printf '%s=%s\\n' {quoted(output.name)} {word} >>\"$values/published\""

    def own_value(self, ref: Ref) -> str:
        """Read a value that an earlier step of the same task has published."""
        self.needs.add("value")
        step = step_label(self.task, ref.path[1]) if len(ref.path) > 2 else "*"
        name = self.context.variables.of(ref)
        return f'{name}=$(value "$slug$instance" {quoted(step)} {quoted(ref.path[-1])}); export {name}'

    def bindings(self, refs: list[Ref]) -> Iterator[str]:
        """Set the variables for what the templates refer to."""
        for ref in refs:
            name = self.context.variables.of(ref)
            match ref.root:
                case Root.OUTPUT_FOLDER if ref.path:
                    yield f"export {name}=$PWXC_RUN/output/{self.context.slugs.of(ref.path[0])}"
                case Root.FILE:
                    word = self.file_word(ref.path[0])
                    yield from self.holes.take_lines()
                    yield f"export {name}={word}"
                case Root.DATUM:
                    yield f'{name}=$(cat "$PWXC_RUN/data/{self.context.datum_file(ref.path[0])}"); export {name}'
                case Root.TASK_OUTPUT if ref.path[0] != self.task.name:
                    self.needs.add("value")
                    step = step_label(self.context.tasks.get(ref.path[0]), ref.path[1]) if len(ref.path) > 2 else "*"
                    parent = self.context.slugs.of(ref.path[0])
                    yield f"{name}=$(value {parent} {quoted(step)} {quoted(ref.path[-1])}); export {name}"
                case Root.HOST:
                    yield from self._host(ref, name)
                case Root.ORGANISATION | Root.USER:
                    self.needs.add("secret")
                    yield f"{name}=$(secret {ref.root.value} {quoted('.'.join(ref.path))}) || exit 1"
                    yield f"export {name}"

    def _host(self, ref: Ref, name: str) -> Iterator[str]:
        """Give the node of a task; the gang's script names those of its members."""
        gang = self.context.gangs.get(self.task.name)
        if gang is not None and ref.path[0] in gang.members:
            return
        if ref.path[0] == self.task.name:
            yield f"{name}=$(hostname); export {name}"
            return
        message = f"the node of `{ref.path[0]}` is known to the members of its own gang only"
        self.context.say(C.EXPRESSION, message, ref.span)


def _around(text: str, found: re.Pattern[str]) -> Iterator[object]:
    at = 0
    for match in found.finditer(text):
        yield text[at : match.start()]
        yield FILES
        yield match.group()
        at = match.end()
    yield text[at:]
