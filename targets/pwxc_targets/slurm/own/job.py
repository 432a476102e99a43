"""A job script that the writer made, back into a task."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import attrs

from pwxc.ir.data import (
    Checkpoint,
    Dataset,
    File,
    InlineFile,
    NamedFile,
    Read,
    Secret,
    TaskOutput,
    Url,
    Variable,
    Write,
)
from pwxc.ir.entity import changed
from pwxc.ir.expr import Call, Expr, Ref, Root
from pwxc.ir.resources import Container
from pwxc.ir.task import Publication, Script, Step, Task
from pwxc.ir.template import Template, text
from pwxc.source import Source
from pwxc_targets.slurm.own.lines import (
    FIXED,
    Names,
    Statement,
    UnreadableError,
    literal_of,
    statements,
    template_of,
    words_of,
)  # fmt: skip
from pwxc_targets.slurm.own.rules import read_rule
from pwxc_targets.slurm.own.steps import START, OwnValues, read_sequence, read_step
from pwxc_targets.slurm.own.sweeps import OwnSweep
from pwxc_targets.slurm.own.tests import test_of
from pwxc_targets.slurm.writing import jobtext as J  # noqa: N812
from pwxc_targets.slurm.writing.expressions import MATH
from pwxc_targets.slurm.writing.naming import meanings
from pwxc_targets.slurm.writing.sweeps import FLOATS


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.escape(template).replace("%s", "[^\n]*").replace("%%", "%"))


_FILL = re.compile(r"# Reads a text into the variable[^\n]*\nfill\(\) \{\n.*?\n\}\n", re.DOTALL)
BLOCKS: list[str | re.Pattern[str]] = [
    J.HEAD, J.INSTANCE, J.PLACES, J.STATE, J.MEMBER_STATE, J.RUN, J.VALUE, J.SELECT, J.TRANSFER, J.SECRET,
    J.SECRET_FOLDER, MATH.lstrip("\n"), FLOATS.lstrip("\n"), J.MARKS, J.FELL, _pattern(J.PARENTS),
    *J.ENDING.split("%s"), _FILL, J.TERMINATED, J.TIMER, J.DEADLINE, J.AGAIN, J.WATCHED, J.SECONDS, J.OTHERS,
    J.NOTE_FAILURE, J.START_CLOCKS, J.CLOCKS, J.CANCEL_OTHERS, J.MAY_CANCEL_OTHERS, J.CANCEL,
]  # fmt: skip
_FILL_LINE = re.compile(r"^  text=\$\{text//'(.*?)'/\"\$\{(\w+)-?\}\"\}$", re.MULTILINE)
_ROUTINE = re.compile(
    r"slug=.*|cd -- \"\$work\" \|\| exit 1|"
    r"instance=.*|export PW_JOB_DIR=.*|export PW_JOB_ID=.*|export PW_MATRIX_INDEX=.*|export PWXC_TASK=.*|"
    r"export TORC_(?:WORKFLOW|JOB|ATTEMPT)_ID=.*|started=\(\)|"
    r"if (?:any_is skipped|! fell) .*; then skip; fi|export PWXC_FILES=\$work/files|"
    r"mkdir -p \"\$\(dirname -- \"\$target\"\)\"|"
    r"case \$image in .*|rc=0|steps \|\| rc=\$\?|if \(\(rc == 0\)\); then|fi|\(exit \"\$rc\"\)|attempt=0|while :; do|"
    r"export PWXC_ATTEMPT=.*|break|done|run cleanup_\d+ \|\| :|for number in \"\$\{started\[@\]\}\"; do .*|"
    r"\}|pick \"\$from\".*|ready=[01]|again|gather|timer \S+|if \[\[ \$PWXC_LIMIT != 0 .*|"
    r"if \[\[ -f \$values/attempt\..*|PWXC_LIMIT=.*|if \(\(another\)\); then stop .*|"
    r"PWXC_HOST_\w+=\$\(hostname\); export PWXC_HOST_\w+"
)


@attrs.define
class OwnJobScript:
    """Reads the text below the directives; `count` is how many instances the submit script says there are."""

    source: Source
    task: Task
    count: int
    slugs: dict[str, str]
    names: Names
    files: dict[str, File]
    strange: list[Statement] = attrs.field(factory=list)
    values: OwnValues = attrs.field(init=False)
    target: Template = attrs.field(factory=Template)
    steps: list[Step] = attrs.field(factory=list)
    cleanup: list[Step] = attrs.field(factory=list)
    wanted: str | None = None
    in_rules: bool = False
    in_ending: bool = False
    walltime: float | None = None
    fail_fast: Expr | None = None
    first: list[Template] = attrs.field(factory=list)
    last: list[Template] = attrs.field(factory=list)
    told: dict[str, tuple[str, ...]] = attrs.field(init=False)
    sweep: OwnSweep = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Start with what every script knows."""
        self.told = meanings(self.source.text)
        reads: Names = {
            name: (Ref(Root.READ_FOLDER, self.told.get(name, (name.removeprefix("PWXC_READ_"),))),)
            for name in re.findall(r"\bPWXC_READ_\w+", self.source.text)
        }
        self.values = OwnValues(self.task.name, {**reads, **FIXED, **self.names}, self.slugs)
        self.sweep = OwnSweep(self.count, self.told, self.values.names)

    def read(self, body: int) -> Task:
        """Read the script from the end of its directives on."""
        if (fill := _FILL.search(self.source.text)) is not None:
            self.values.marks = dict(_FILL_LINE.findall(fill.group()))
        found = list(statements(self.source.text, BLOCKS, body))
        place = 0
        while place < len(found):
            try:
                place += self._take(found, place)
            except (UnreadableError, ValueError, LookupError, StopIteration) as fault:
                told = fault.statement if isinstance(fault, UnreadableError) else None
                self.strange.append(told or found[place])
                place = _after_function(found, place)
        sweep = None
        if self.count:
            try:
                sweep = self.sweep.made(self.task.span)
            except UnreadableError:
                self.strange.append(found[0] if found else Statement("", body))
        if sweep is not None and (self.fail_fast is not None or J.CANCEL_OTHERS in self.source.text):
            sweep = changed(sweep, fail_fast=True if self.fail_fast is None else self.fail_fast)
        return changed(self.task, steps=tuple(self.steps), cleanup=tuple(self.cleanup), sweep=sweep)

    def _add(self, field: str, item: object) -> None:
        self.task = changed(self.task, **{field: (*getattr(self.task, field), item)})

    def _take(self, found: Sequence[Statement], place: int) -> int:
        """Take a statement; gives how many were used."""
        statement = found[place]
        line = statement.text
        if line == "steps() {" or START.fullmatch(line) is not None:
            end = _after_function(found, place)
            self._function(line, found[place + 1 : end - 1])
            return end - place
        if line in ("while :; do", "break"):
            self.in_rules = line != "break"
        elif self.in_rules and (read := read_rule(found, place, self.values)) is not None:
            rule, used = read
            self._add("exit_rules", rule)
            return used
        if self.sweep.take(line):
            return 1
        for pattern, take in _LINES:
            if (match := pattern.fullmatch(line)) is not None and take(self, match, statement):
                return 1
        if not self.values.take(statement) and _ROUTINE.fullmatch(line) is None and not self._export(line):
            raise UnreadableError
        return 1

    def _function(self, line: str, body: Sequence[Statement]) -> None:
        if line == "steps() {":
            read_sequence(body, self.steps, self.values)
            return
        found = START.fullmatch(line)
        name = line.removesuffix("() {")
        try:
            step = read_step(name, body, self.values)
        except UnreadableError:
            if found is not None and not found.group(3):
                (self.steps if found.group(1) == "step" else self.cleanup).append(Step(work=Script(Template())))
            raise
        if found is not None and found.group(3):
            work = step.work
            if isinstance(work, Script):
                self.steps[-1] = changed(self.steps[-1], cleanup=work.text)
        elif found is not None:
            (self.steps if found.group(1) == "step" else self.cleanup).append(step)

    def _export(self, line: str) -> bool:
        found = re.fullmatch(r"export (\w+)=(.*)", line, re.DOTALL)
        if found is None:
            return re.fullmatch(r"export \w+", line) is not None
        name, word = found.groups()
        if name.startswith("PWXC_OUT_") and word.startswith("$PWXC_RUN/output/"):
            slug = word.rpartition("/")[2]
            self.values.names[name] = (Ref(Root.OUTPUT_FOLDER, (self.slugs.get(slug, slug),)),)
        elif name.startswith("PWXC_FILE_"):
            short = self._meant(name, "PWXC_FILE_")
            self.files.setdefault(short, File(name=short, path=template_of(word, self.values.names)))
            self.values.names[name] = (Ref(Root.FILE, (short,)),)
        elif name == "TORC_RETURN_CODE":
            return True
        else:
            self._add("environment", Variable(name=name, value=template_of(word, self.values.names)))
        return True

    def _meant(self, token: str, prefix: str = "") -> str:
        return self.told.get(token, (token.removeprefix(prefix),))[0]

    # data

    def read_files(self, match: re.Match[str], _: Statement) -> bool:
        """Take what the task finds in its inputs."""
        name, word = match.groups()
        short = self._meant(name, "PWXC_READ_")
        self.values.names[name] = (Ref(Root.READ_FOLDER, (short,)),)
        if (output := re.fullmatch(r"\$PWXC_RUN/output/([^/]+)(/\$index)?", word)) is not None:
            parent = self.slugs.get(output.group(1), output.group(1))
            self._add("reads", Read(name=short, origin=TaskOutput(parent)))
        elif re.fullmatch(r"\$work/read/\d+", word):
            self._add("reads", Read(name=short, origin=Dataset(name=text(short))))
        else:
            path = template_of(word, self.values.names)
            self._add("reads", Read(name=short, origin=NamedFile(short)))
            self.files.setdefault(short, File(name=short, path=path))
        return True

    def read_pattern(self, match: re.Match[str], _: Statement) -> bool:
        """Take the part of an input that is wanted."""
        parent = self.slugs.get(match.group(1), match.group(1))
        self._last_read(TaskOutput(parent), literal_of(match.group(2)))
        return True

    def read_url(self, match: re.Match[str], _: Statement) -> bool:
        """Take where an input is fetched from."""
        self._last_read(Url(template_of(match.group(1), self.values.names)), None)
        return True

    def _last_read(self, origin: TaskOutput | Url | NamedFile, pattern: str | None) -> None:
        *others, last = self.task.reads
        self.task = changed(self.task, reads=(*others, changed(last, origin=origin, pattern=pattern)))

    def needed_file(self, match: re.Match[str], _: Statement) -> bool:
        """Take the name and the path of a file that has to be there before or after the steps."""
        word, name, verb = match.groups()
        name = self._meant(name)
        known = self.files.setdefault(name, File(name=name, path=template_of(word, self.values.names)))
        if verb == "was not written":
            self._add("writes", Write(destination=NamedFile(known.name)))
        elif self.task.reads:
            self._last_read(NamedFile(known.name), None)
        return True

    def upload(self, match: re.Match[str], _: Statement) -> bool:
        """Take where the task's output is sent."""
        url = template_of(match.group(2), self.values.names)
        pattern = self.wanted if "/write/" in match.group(1) else None
        self._add("writes", Write(destination=Url(url), pattern=pattern))
        return True

    def upload_pattern(self, match: re.Match[str], _: Statement) -> bool:
        """Take the part of the output that is sent."""
        self.wanted = literal_of(match.group(1))
        return True

    def worker_hook(self, match: re.Match[str], _: Statement) -> bool:
        """Take a command that was meant for each worker: before the steps, or after them."""
        command = template_of(match.group(1), self.values.names)
        (self.last if self.in_ending else self.first).append(command)
        return True

    def ending(self, _match: re.Match[str], statement: Statement) -> bool:
        """Take where the work at the end of the task begins and ends."""
        self.in_ending = statement.text != "fi"
        return True

    def limit(self, match: re.Match[str], _: Statement) -> bool:
        """Take how long the task may run, by itself or by its class of resources."""
        value = self.values.number(match.group(2))
        if match.group(1) == "LIMIT":
            self.task = changed(self.task, run_timeout=value)
        elif isinstance(value, int | float):
            self.walltime = value
        return True

    def late_limit(self, match: re.Match[str], _: Statement) -> bool:
        """Take how long the task may run, where an input says it."""
        made = template_of(match.group(1), self.values.names)
        limit = Call("duration", (made.whole,)) if made.whole is not None else None
        self.task = changed(self.task, run_timeout=limit)
        return True

    def datum(self, match: re.Match[str], _: Statement) -> bool:
        """Take a variable that holds a datum of the workflow."""
        self.values.names[match.group(1)] = (Ref(Root.DATUM, (self._meant(match.group(1), "PWXC_DATUM_"),)),)
        return True

    def secret_folder(self, match: re.Match[str], _: Statement) -> bool:
        """Take a secret that becomes a folder of files."""
        folder = template_of(match.group(2), self.values.names)
        self._add("secrets", Secret(name=literal_of(match.group(1)), folder=folder))
        return True

    def secret(self, match: re.Match[str], _: Statement) -> bool:
        """Take a secret that becomes a variable."""
        variable, name, key = match.group(1), literal_of(match.group(2)), literal_of(match.group(3))
        if variable.startswith(("PWXC_ORG", "PWXC_USER")):
            root = Root.ORGANISATION if variable.startswith("PWXC_ORG") else Root.USER
            self.values.names[variable] = (Ref(root, tuple(key.split("."))),)
            return True
        *others, last = self.task.secrets or (Secret(name=""),)
        if last.name == name:
            last = changed(last, variables=(*last.variables, (variable, key)))
            self.task = changed(self.task, secrets=(*others, last))
        else:
            self._add("secrets", Secret(name=name, variables=((variable, key),)))
        return True

    def file_target(self, match: re.Match[str], _: Statement) -> bool:
        """Take the path of a file that is put somewhere."""
        self.target = template_of(match.group(1), self.values.names)
        return True

    def file_contents(self, match: re.Match[str], statement: Statement) -> bool:
        """Take the contents of a file."""
        contents = text(statement.here or "")
        if statement.text.startswith("printf"):
            contents = Template.of(*self.values.names["content"])
        encoded = match.group(1) == ".base64"
        self._add("files", InlineFile(path=self.target, contents=contents, encoded=encoded))
        return True

    def file_executable(self, _match: re.Match[str], _: Statement) -> bool:
        """Take that the file before can be executed."""
        *others, last = self.task.files
        self.task = changed(self.task, files=(*others, changed(last, executable=True)))
        return True

    def output(self, match: re.Match[str], _: Statement) -> bool:
        """Take a value that the task hands on."""
        value = template_of(match.group(2), self.values.names)
        self._add("outputs", Publication(literal_of(match.group(1)), value.whole or value))
        return True

    # the rest

    def container_image(self, match: re.Match[str], _: Statement) -> bool:
        """Take the image."""
        image = template_of(match.group(1), self.values.names)
        self.task = changed(self.task, container=Container(image=image))
        return True

    def container_call(self, match: re.Match[str], _: Statement) -> bool:
        """Take the folders that the container sees, without those that every task's has."""
        words = [word for word in words_of(match.group(1)) if word != "--bind"]
        mounts = [literal_of(word) for word in words if "$" not in word and not word.startswith("--")]
        container = changed(self.task.container or Container(image=Template()), mounts=tuple(mounts[2:]))
        self.task = changed(self.task, container=container)
        return True

    def mount(self, match: re.Match[str], _: Statement) -> bool:
        """Take a folder that the container sees."""
        if self.task.container is not None:
            mounts = (*self.task.container.mounts, literal_of(match.group(1)))
            self.task = changed(self.task, container=changed(self.task.container, mounts=mounts))
        return True

    def checkpoint(self, match: re.Match[str], _: Statement) -> bool:
        """Take a folder that is copied away while the steps run."""
        path, url = (template_of(word, self.values.names) for word in match.groups())
        self._add("checkpoints", Checkpoint(path=path, url=url, interval=0))
        return True

    def picked_checkpoint(self, match: re.Match[str], _: Statement) -> bool:
        """Take a folder of which some files are copied away while the steps run."""
        path, pattern, url = (template_of(word, self.values.names) for word in match.groups())
        self._add("checkpoints", Checkpoint(path=path, url=url, interval=0, pattern=pattern.literal))
        return True

    def checkpoint_pause(self, match: re.Match[str], _: Statement) -> bool:
        """Take how often the folder before is copied."""
        *others, last = self.task.checkpoints
        interval = self.values.number(match.group(1))
        self.task = changed(self.task, checkpoints=(*others, changed(last, interval=interval)))
        return True

    def folder(self, match: re.Match[str], _: Statement) -> bool:
        """Take the folder in which the steps work; it may be below the one that the source's system has for them."""
        folder = template_of(match.group(1), self.values.names)
        base, start = self.task.working_directory, folder.parts[0] if folder.parts else ""
        if base is not None and isinstance(start, str) and not start.startswith(("/", "~")):
            folder = Template.of(*base.parts, "/", *folder.parts)
        self.task = changed(self.task, working_directory=folder)
        return True

    def place(self, _match: re.Match[str], _: Statement) -> bool:
        """Take that the steps work in the run's folder, which the tasks share.

        A folder of the task's own is no part of what it means: there, no task finds anything of another's.
        """
        self.task = changed(self.task, working_directory=Template.of(Ref(Root.RUN_FOLDER)))
        return True

    def condition(self, match: re.Match[str], _: Statement) -> bool:
        """Take the condition of the task."""
        self.task = changed(self.task, condition=test_of(match.group(1), self.values.names))
        return True

    def may_cancel(self, match: re.Match[str], _: Statement) -> bool:
        """Take what says whether an instance that fails ends the others."""
        self.fail_fast = test_of(match.group(1), self.values.names)
        return True


def _after_function(found: Sequence[Statement], place: int) -> int:
    """Give the place behind a function, or behind a line that starts none."""
    if not found[place].text.endswith("() {"):
        return place + 1
    return next((at + 1 for at in range(place, len(found)) if found[at].text == "}"), len(found))


def _nothing(_job: OwnJobScript, _match: re.Match[str], _statement: Statement) -> bool:
    """Take a line that says nothing which others do not say."""
    return True


_WORD = r"(?:[^\s'\"]|'[^']*'|\"[^\"]*\")+"
_Take = Callable[[OwnJobScript, re.Match[str], Statement], bool]
_TABLE: list[tuple[str, _Take]] = [
    (r"if \(\(ready\)\); then|fi", OwnJobScript.ending),
    (r"export PWXC_(LIMIT|WALLTIME)=(\S+)", OwnJobScript.limit),
    (r"PWXC_LIMIT=\$\(seconds (.*)\); export PWXC_LIMIT", OwnJobScript.late_limit),
    (r"mkdir -p \"\$PWXC_READ_\w+\"", _nothing),
    (r"export (PWXC_READ_\w+)=(.*)", OwnJobScript.read_files),
    (r"pick \"\$PWXC_RUN/output/([^/\"]+)(?:/\$index)?\" (.*) \"\$\w+\"", OwnJobScript.read_pattern),
    (r"fetch (.*) \"\$\w+\" \|\| exit 1", OwnJobScript.read_url),
    (
        r"if \[\[ ! -e (.*) \]\]; then echo \"the file (.*) (is not there|was not written)\" >&2; exit 1; fi",
        OwnJobScript.needed_file,
    ),
    (r"(\w+)=\$\(secret (.*) (\S+)\) \|\| exit 1", OwnJobScript.secret),
    (r"secret_folder (.*) \"\$PWXC_FILES\"(.*) \|\| exit 1", OwnJobScript.secret_folder),
    (r"(\w+)=\$\(cat \"\$PWXC_RUN/data/[^\"]+\"\); export \1", OwnJobScript.datum),
    (r"target=\"\$PWXC_FILES\"(.*)", OwnJobScript.file_target),
    (r"(?:cat|:|printf '%s' \"\$content\") > \"\$target(\.base64)?\"(?: <<'\w+')?", OwnJobScript.file_contents),
    (r"base64 -d \"\$target\.base64\" >.*", _nothing),
    (r"chmod \+x -- \"\$target\"", OwnJobScript.file_executable),
    (r"printf '%s=%s\\n' (\S+) (.*) >>\"\$values/published\"", OwnJobScript.output),
    (r"if ! send \"([^\"]*)\" (.*); then if \(\(rc == 0\)\); then rc=1; fi; fi", OwnJobScript.upload),
    (r"pick \"\$PWXC_OUTPUT\" (.*) \"[^\"]*\"", OwnJobScript.upload_pattern),
    (r"bash -c (.*) \|\| :", OwnJobScript.worker_hook),
    (rf"checkpoint_\d+\(\) \{{ send ({_WORD}) ({_WORD}) \|\| :; \}}", OwnJobScript.checkpoint),
    (
        rf"checkpoint_\d+\(\) \{{ pick ({_WORD}) ({_WORD}) {_WORD} && send {_WORD} ({_WORD}) \|\| :; \}}",
        OwnJobScript.picked_checkpoint,
    ),
    (r"while sleep (\S+); do checkpoint_\d+; done &", OwnJobScript.checkpoint_pause),
    (r"(?:checkpoint_\d+|mounts=.*|image=\$\{image%%.*|if \[\[ \$image != .*|container=\(srun .*)", _nothing),
    (r"mounts\+=,([^$]*)", OwnJobScript.mount),
    (r"image=(.*)", OwnJobScript.container_image),
    (r"container=\((.*) \"\$image\"\)", OwnJobScript.container_call),
    (r"cd -- \"\$PWXC_RUN\" \|\| exit 1", OwnJobScript.place),
    (r"mkdir -p -- (.*) && cd -- .* \|\| exit 1", OwnJobScript.folder),
    (r"if ! \{ (.*); \}; then skip; fi", OwnJobScript.condition),
    (r"if (.*); then fail_fast=1; else fail_fast=0; fi", OwnJobScript.may_cancel),
]
_LINES = [(re.compile(pattern, re.DOTALL), take) for pattern, take in _TABLE]
