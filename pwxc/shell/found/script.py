"""What a shell script takes from its machine and its scheduler, recognised in its text (slurm.md §14, §15, §21)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

import attrs

from pwxc.ir.entity import changed
from pwxc.ir.expr import Expr
from pwxc.ir.found import Found, Launch, Layer, Software, Use
from pwxc.ir.resources import Container
from pwxc.ir.template import Template
from pwxc.ir.template import text as text_template
from pwxc.shell.found import containers, launchers, lines
from pwxc.shell.found.commands import Around, Simple, Walk
from pwxc.shell.found.launchers import Call
from pwxc.shell.found.options import Taken, behind_wrappers, listed
from pwxc.shell.found.software import makes, taking
from pwxc.shell.found.values import JOINER, Values, Word, hole, hole_number
from pwxc.shell.found.variables import reads
from pwxc.source import Span

_ANYTHING = re.compile(
    r"\b(?:module|ml|modulecmd|lmod|vpkg_\w+|conda|mamba|micromamba|activate|workon|pyenv|source|spack\w*|scl|srun|mpi\w+|"
    r"orterun|prterun|prun|aprun|ibrun|jsrun|lrun|ccc_mprun|mpprun|gerun|apptainer|singularity|shifter|podman|docker|"
    r"nerdctl|enroot|sarus|udocker|ch-run|sbatch|salloc|sbcast|sgather|squeue|scontrol|scancel|sacct|sattach|sinfo|sstat|"
    r"(?:SLURMD?|SBATCH)_\w)|(?:^|[\s;&|({])\.\s|\.(?:sif|simg)\b",
)
"""A text without any of these has nothing to recognise."""
_SHELLS = frozenset(["bash", "sh", "dash", "ksh", "zsh", "mksh", "ash"])
_C_SHELLS = frozenset(["csh", "tcsh"])
_PROGRAMS = frozenset(
    listed(
        "sbatch salloc squeue scontrol scancel sacct sacctmgr sinfo sstat sattach sbcast sgather sprio sreport sshare "
        "strigger seff"
    )
)
_DECLARING = frozenset(["export", "declare", "typeset", "readonly", "local"])
_MANY = frozenset(["xargs", "parallel"])
_IMAGE_FILE = (".sif", ".simg")
SpanOf = Callable[[int, int], Span | None]


def flatten(script: Template) -> str:
    """Give the text of a script with one letter in the place of each hole, so that places in it can be counted."""
    if (literal := script.literal) is not None:
        return literal
    numbers = iter(range(len(script.parts)))
    return script.fill(lambda _: hole(next(numbers)))


def recognise(
    script: str | Template,
    span_of: SpanOf | None = None,
    shell: Sequence[str] = ("bash",),
    *,
    image: str = "",
    inside: bool = False,
) -> Found:
    """Recognise software, launches and variables of the scheduler in a script.

    Args:
        script: the text; a hole of a template counts as one letter in `start`, `command` and `end`.
        span_of: gives the place of a range of the text in the user's file.
        shell: the program that runs the script. Only shells are read; for others nothing is found, and `complete`
            is false.
        image: the image in which a runtime starts what it is given when it names none itself.
        inside: whether all of the script runs in an image, so that what it loads is the image's.
    """
    text = script if isinstance(script, str) else flatten(script)
    found = _recognised(text, shell[0].rpartition("/")[2] if shell else "bash", image, inside)
    holes = [] if isinstance(script, str) else script.holes
    return _placed(found, span_of, holes) if span_of is not None or holes else found


@lru_cache(maxsize=32)
def _recognised(text: str, shell: str, image: str, inside: bool) -> Found:
    if shell not in _SHELLS | _C_SHELLS:
        return Found(complete=False)
    if _ANYTHING.search(text) is None:
        return Found()
    walk = Walk()
    if shell in _SHELLS:
        commands = list(walk.text(text, 0, Around()))
        if walk.complete or commands:
            return _Reader(text, walk, image, inside).read(commands)
    commands = list(lines.commands(text, walk, c_shell=shell in _C_SHELLS))
    walk.complete = False
    return _Reader(text, walk, image, inside).read(commands)


def _placed(found: Found, span_of: SpanOf | None, holes: Sequence[Expr]) -> Found:
    def span(item: Software | Launch | Use) -> Span | None:
        return span_of(item.start, item.end) if span_of is not None else None

    launches = []
    for launch in found.launches:
        container = launch.container
        if container is not None:
            image = _with_holes(container.image, holes)
            container = changed(container, image=image, span=span(launch))
        launches.append(attrs.evolve(launch, container=container, span=span(launch)))
    return Found(
        software=tuple(attrs.evolve(item, span=span(item)) for item in found.software),
        launches=tuple(launches),
        uses=tuple(attrs.evolve(item, span=span(item)) for item in found.uses),
        calls=tuple(attrs.evolve(item, span=span(item)) for item in found.calls),
        complete=found.complete,
    )


def _with_holes(image: Template, holes: Sequence[Expr]) -> Template:
    """Put the holes of the script back into the name of an image."""
    parts: list[str | Expr] = []
    for letter in image.literal or "":
        number = hole_number(letter)
        parts.append(holes[number] if number is not None and number < len(holes) else letter)
    return Template.of(*parts)


@attrs.define
class _Reader:
    """Goes through the commands of a text in its order, and knows what those so far have set and made."""

    text: str
    walk: Walk
    image: str
    inside: bool = False
    """Whether the text that is read runs in an image, so that its software is the image's."""
    values: Values = attrs.field(factory=Values)
    images: containers.Images = attrs.field(factory=containers.Images)
    environments: set[str] = attrs.field(factory=set)
    software: list[Software] = attrs.field(factory=list)
    launches: list[tuple[Launch, str]] = attrs.field(factory=list)
    uses: dict[str, Use] = attrs.field(factory=dict)
    calls: dict[str, Use] = attrs.field(factory=dict)
    set_here: set[str] = attrs.field(factory=set)
    besides: set[str] = attrs.field(factory=set)
    """Functions that are called with `&`."""

    def read(self, commands: Sequence[Simple]) -> Found:
        """Read commands."""
        self.values = Values.of(commands)
        self._all(commands)
        launches = [
            attrs.evolve(launch, background=True) if function in self.besides else launch
            for launch, function in self.launches
        ]
        return Found(
            # commands in `$( )` inside a text that another shell runs are come by twice
            software=tuple(sorted({item.start: item for item in self.software}.values(), key=lambda item: item.start)),
            launches=tuple(sorted({item.start: item for item in launches}.values(), key=lambda item: item.start)),
            uses=tuple(sorted(self.uses.values(), key=lambda item: item.start)),
            calls=tuple(sorted(self.calls.values(), key=lambda item: item.start)),
            complete=self.walk.complete,
        )

    def _all(self, commands: Iterable[Simple]) -> None:
        for command in commands:
            self._reads(command)
            self._command(command)

    def _reads(self, command: Simple) -> None:
        for token in (*command.words, *command.others):
            for name, place in reads(token, self.text):
                if name not in self.set_here and name not in self.uses:
                    self.uses[name] = Use(name, place, place + len(name))

    def _command(self, command: Simple) -> None:
        tokens, around = list(command.words), command.around
        before: list[str] = []
        while tokens and (name := self.values.assign(tokens[0], nested=around.nested or len(tokens) > 1)) is not None:
            before.append(name)
            tokens.pop(0)
        if not tokens:
            self._sets([*before, *command.sets], around)
            return
        words = self.values.words(tokens)
        if words and words[0].program in _DECLARING:
            names = [self.values.assign(token, nested=around.nested) for token in tokens[1:]]
            self._sets([name for name in names if name is not None], around)
        elif words:
            self._run(words, command)

    def _sets(self, names: Iterable[str], around: Around) -> None:
        if not around.nested:
            self.set_here.update(names)

    def _run(self, words: list[Word], command: Simple) -> None:
        at = behind_wrappers(words)
        if at >= len(words):
            self._inner(words[-1:], command.around)
            return
        evaluated = any(word.value == "eval" for word in words[:at])
        words = words[at:]
        if evaluated and len(words) == 1:
            self._inner(words, command.around)
        if command.around.background:
            self.besides.add(words[0].value)
        if self._plain(words) or self._launch(words, command):
            return
        if words[0].program in _MANY:
            starts = (number for number, word in enumerate(words) if _starts(word))
            place = next(starts, None)
            if place is not None:
                around = attrs.evolve(command.around, nested=True)
                self._launch(words[place:], attrs.evolve(command, around=around))
            else:
                self._inner(words[1:], attrs.evolve(command.around, nested=True))
        elif words[0].value == "trap":
            self._inner(words[1:2], attrs.evolve(command.around, nested=True))
        else:
            self._script_of(words, command)

    def _plain(self, words: list[Word]) -> bool:
        """Take a command that is no launch; gives whether it is understood."""
        program = words[0].program
        if (folder := makes(words)) is not None:
            self.environments.add(folder)
        elif (taken := None if self.inside else taking(words, self.environments)) is not None:
            start, end = words[0].start, words[-1].end
            self.software.append(Software(taken.kind, taken.names, start, end, taken.verb, taken.prepares))
        elif program in _PROGRAMS:
            self._call(program, words[0])
        elif self.images.take(program, words[1:]):
            verb = next((word.value for word in words[1:] if not word.value.startswith("-")), "")
            self._call(f"{program} {verb}", words[0])
        else:
            return False
        return program not in ("conda", "mamba", "micromamba") or words[1:2] == []

    def _call(self, name: str, word: Word) -> None:
        self.calls.setdefault(name, Use(name, word.start, word.end))

    # launches

    def _launch(self, words: list[Word], command: Simple) -> bool:
        """Take a command that starts another through launchers; gives whether it is one."""
        if not _starts(words[0]):
            return False
        program = _launcher(words[0])
        parts = _split(words) if program in launchers.COLON else [words]
        for number, part in enumerate(parts):
            launch, rest = self._chain(program, part, joined=number > 0)
            if launch is None or (not rest and launch.container is None):
                if program == "srun":
                    self._call(program, words[0])
                return program == "srun"
            if number and program == "srun" and not launch.components:
                launch = attrs.evolve(launch, components=(number,))
            around = command.around
            open_ = launch.open or any(
                token.start < launch.command and token.end > launch.start for token in command.others
            )
            launch = attrs.evolve(
                launch, background=around.background, nested=around.nested, open=open_, joined=number > 0
            )
            self.launches.append((launch, around.function))
            if rest:
                outside, self.inside = self.inside, self.inside or launch.container is not None
                self._script_of(rest, command)
                self.inside = outside
        return True

    def _chain(self, program: str, words: list[Word], *, joined: bool) -> tuple[Launch | None, list[Word]]:
        """Read launchers, one inside the other; gives the words of what they start, too."""
        draft = _Draft(self.images, self.image)
        at, behind = 0, 0
        while at < len(words) and (joined or _starts(words[at])):
            name = program if joined and not at else _launcher(words[at])
            behind_name = at if joined and not at else at + 1
            call = _call_of(name, words[at], words[behind_name:])
            if call is None:
                break
            behind = behind_name + call.place
            draft.add(name, call, words[at:], behind - at)
            joined = False
            at = behind_wrappers(words, behind)
        if not draft.layers:
            return None, []
        return draft.launch(words, behind), words[behind:]

    # text that another shell runs

    def _script_of(self, words: list[Word], command: Simple) -> None:
        """Look into the text that a shell is given with `-c`, or as a here-document."""
        at = behind_wrappers(words)
        if at >= len(words) or words[at].program not in _SHELLS:
            return
        place, reads_input = at + 1, False
        while place < len(words) and words[place].value.startswith("-"):
            option = words[place].value
            if not option.startswith("--") and "c" in option:
                self._inner(words[place + 1 : place + 2], command.around)
                return
            reads_input = reads_input or (not option.startswith("--") and "s" in option)
            place += 1
        if reads_input or place >= len(words):
            self._here_document(command)

    def _here_document(self, command: Simple) -> None:
        """Look into the last here-document of a command; one whose tabs are taken away is not where it was."""
        token = next((token for token in reversed(command.others) if token.here is not None), None)
        place = self.text.find(token.here, token.end) if token is not None and token.here else -1
        if token is None or token.here is None or place < 0:
            return
        inner = re.sub(r"\\(?=[$`\\])", JOINER, token.here) if token.expanded else token.here
        self._all(list(Walk().text(inner, place, command.around)))

    def _inner(self, words: Sequence[Word], around: Around) -> None:
        for word in words:
            raw = self.text[word.start : word.end]
            inner, quote = raw[1:-1], raw[:1]
            if len(raw) < 2 or quote not in "\"'" or raw[-1] != quote or quote in re.sub(r"\\.", "", inner):
                continue
            if quote == '"':
                inner = re.sub(r"\\(?=[$`\"\\])", JOINER, inner)
            commands = list(Walk().text(inner, word.start + 1, around))
            self._all(commands)


def _starts(word: Word) -> bool:
    program = word.program
    return program in launchers.READERS or program in containers.READERS or program.endswith(_IMAGE_FILE)


def _launcher(word: Word) -> str:
    """Give the name of a launcher; an image that is started like a program is run by its runtime."""
    return "apptainer" if word.program.endswith(_IMAGE_FILE) else word.program


def _call_of(name: str, word: Word, rest: Sequence[Word]) -> Call | None:
    if name in launchers.READERS:
        call = launchers.READERS[name](rest)
        if name == "srun":
            containers.take_pyxis(call)
        return call
    if word.program.endswith(_IMAGE_FILE):
        return Call(0, Taken(), {"entrypoint": True}, image=word.value)
    return containers.READERS[name](rest)


def _split(words: list[Word]) -> list[list[Word]]:
    """Split words at those that are a colon."""
    parts: list[list[Word]] = [[]]
    for word in words:
        if word.value == ":":
            parts.append([])
        else:
            parts[-1].append(word)
    return parts if all(parts) else [words]


@attrs.define
class _Draft:
    """A launch that is being put together from the outside in; `image` is that of the job."""

    images: containers.Images
    image: str
    layers: list[Layer] = attrs.field(factory=list)
    fields: dict[str, object] = attrs.field(factory=dict)
    open: bool = False

    def add(self, program: str, call: Call, words: Sequence[Word], own: int) -> None:
        """Take the next launcher: its words, of which so many are its own, and those behind them."""
        first, rest = words[0], words[own:]
        command = rest[0].start if rest else words[-1].end
        # where a variable holds a part of the launcher and a part of the command, the text cannot be cut
        split = not first.first or (bool(rest) and not rest[0].first)
        self.open = self.open or call.open or split or first.is_default
        self.layers.append(Layer(program, first.start, command))
        for name, value in call.fields.items():
            if name in ("entrypoint", "workdir"):
                self.fields[name] = value
            else:
                self.fields.setdefault(name, value)
        image = self.images.of(call, self.image)
        self.images.note(call)
        if image is not None:
            self.fields["container"] = Container(
                image=text_template(image), mounts=tuple(call.mounts), privileged=call.privileged,
                host_network=call.host_network,
            )  # fmt: skip

    def launch(self, words: Sequence[Word], behind: int) -> Launch:
        """Give the launch."""
        first, last = self.layers[0], self.layers[-1]
        return Launch(
            program=first.program, start=first.start, command=last.command, end=words[-1].end, open=self.open,
            layers=tuple(self.layers), **self.fields,  # type: ignore[arg-type]
        )  # fmt: skip
