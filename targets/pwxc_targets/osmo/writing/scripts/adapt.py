"""The scripts of a task as they run in a container: launchers, software and variables of a machine replaced."""

from __future__ import annotations

import re
from collections.abc import Callable

import attrs

from pwxc.ir.entity import changed
from pwxc.ir.found import Found, Launch, Software, Use
from pwxc.ir.resources import Container
from pwxc.ir.task import Script, Step, Task
from pwxc.ir.template import Template
from pwxc.shell.found.script import flatten, recognise
from pwxc.source import Span
from pwxc_targets.osmo.writing import codes as C  # noqa: N812
from pwxc_targets.osmo.writing.scripts.files import place_in_file
from pwxc_targets.osmo.writing.scripts.images import choose
from pwxc_targets.osmo.writing.scripts.job import Job
from pwxc_targets.osmo.writing.scripts.launcher import shown_command
from pwxc_targets.osmo.writing.scripts.launches import Launches
from pwxc_targets.osmo.writing.scripts.marked import Told, edited, unflattened
from pwxc_targets.osmo.writing.scripts.prologue import word_starts
from pwxc_targets.osmo.writing.scripts.site import site_variables
from pwxc_targets.osmo.writing.scripts.software import silence
from pwxc_targets.osmo.writing.scripts.unfold import Share, Unfolding, unfold

ROOT = "export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1"
"""Lets an Open MPI start in a container, in which everything runs as root."""
SCONTROL = """\
# The hosts of the job, one in a line: there is no scheduler to ask.
scontrol() {
  case "${1-} ${2-}" in
    "show hostname" | "show hostnames") printf '%s\\n' "${3-${SLURM_JOB_NODELIST-}}" | tr , '\\n' ;;
    *) echo "scontrol ${1-}: there is no scheduler here" >&2; return 1 ;;
  esac
}
"""
HOSTNAME = """\
# The address by which the other members reach the first one.
hostname() { printf '%s\\n' "${PWXC_HOSTS%% *}"; }
"""
_HOSTNAMES = re.compile(r"\bscontrol\s+show\s+hostnames?\b")
_OTHER_CONTROL = re.compile(r"\bscontrol\b(?!\s+show\s+hostnames?\b)")
_NAMES_HOST = re.compile(r"(?:\$\(|`)\s*(?:\S*/)?(?:srun\b[^)`]*\s)?hostname\b")
_SHELLS = frozenset(["bash", "sh", "dash", "ksh", "zsh", "ash", "csh", "tcsh"])


@attrs.define
class Adapted:
    """A task whose scripts were made ready for a container."""

    task: Task
    job: Job
    components: tuple[Job, ...] = ()
    """Those of the further classes whose nodes come with the task's own."""
    steps: tuple[Step, ...] = ()
    cleanup: tuple[Step, ...] = ()
    container: Container | None = None
    """The container that the scripts name, where the task itself has none."""
    lines: list[str] = attrs.field(factory=list)
    """What is done first, in the folder of the task."""
    uses: dict[str, tuple[Step, Use]] = attrs.field(factory=dict)
    told: list[tuple[Step, Told]] = attrs.field(factory=list)
    copies: bool = False
    members: list[tuple[Step, ...] | None] = attrs.field(factory=list)
    """The steps of the members of a group, the first one's too, where the nodes share the work; None: it waits."""
    shares: dict[int, Share] = attrs.field(factory=dict)
    """The ranks of each of these."""
    strict: bool = False
    """Whether a failure of any member is one of the whole."""
    seeded: bool = False
    """Whether the script draws random numbers that have to be the same for all members."""

    @property
    def nodes(self) -> int:
        """How many nodes the task has in all."""
        return self.job.nodes + sum(job.nodes for job in self.components)

    @property
    def waiting(self) -> tuple[str, ...]:
        """The further classes whose nodes have nothing to do."""
        found, first = [], self.job.nodes
        for name, job in zip(self.task.beside, self.components, strict=False):
            if not self.members or None in self.members[first : first + job.nodes]:
                found.append(name)
            first += job.nodes
        return tuple(found)


def adapt(task: Task, job: Job, components: tuple[Job, ...], fold: Callable[[Template], str]) -> Adapted | None:
    """Make the scripts of a task ready; None where they ask nothing of their machine.

    `fold` gives a template's text with the inputs' defaults.
    """
    steps = (*task.steps, *task.cleanup)
    looked = [_found(step) for step in steps]
    made = Adapted(task, job, components, task.steps, task.cleanup)
    if not any(looked):
        return made if made.nodes > 1 else None
    ready = [
        step if found is None else _Adapting(made, step, found, fold).step()
        for step, found in zip(steps, looked, strict=True)
    ]
    made.steps, made.cleanup = tuple(ready[: len(task.steps)]), tuple(ready[len(task.steps) :])
    return made


def _found(step: Step) -> Found | None:
    """Give what a script takes from its machine; None when it is nothing."""
    work = step.work
    if not isinstance(work, Script):
        return None
    if work.shell and work.shell[0].rpartition("/")[2] not in _SHELLS:
        return _named(flatten(work.text), step.span)
    if step.found is not None:
        return step.found
    return recognise(work.text, lambda start, end: step.span, work.shell)


def _named(text: str, span: Span | None) -> Found | None:
    """Find the scheduler's variables in a text that no shell reads, by their names."""
    names = dict.fromkeys(re.findall(r"\bSLURM_\w+", text))
    return Found(uses=tuple(Use(name, 0, 0, span) for name in names), complete=False) if names else None


class _Adapting:
    """Makes one step ready."""

    def __init__(self, made: Adapted, step: Step, found: Found, fold: Callable[[Template], str]) -> None:
        self.made, self.whole, self.found = made, step, found
        assert isinstance(step.work, Script)
        self.work: Script = step.work
        self.text = flatten(self.work.text)
        self.choice = choose(self.text, found, made.task.container or made.container, fold)
        self.edits, self.told = silence(self.text, found, contained=self.choice.image is not None)
        self.edits += self.choice.edits
        self.told += self.choice.told
        starts = word_starts(self.text) if found.launches else frozenset()
        self.quoted = [launch for launch in found.launches if launch.start not in starts and not launch.joined]
        """Launches that stand in a text for another shell."""

    def step(self) -> Step:
        """Give the step with its new text, and note what is said of it."""
        made = self.made
        made.container = made.container or (self.choice.container if made.task.container is None else None)
        made.lines += self.choice.lines
        for use in self.found.uses:
            made.uses.setdefault(use.name, (self.whole, use))
        self._site()
        self._calls()
        unfolding = self._unfolding()
        if isinstance(unfolding, Unfolding):
            ready = self._unfold(unfolding)
        else:
            outcome = self._launches(unfolding).one_node(self.found.launches)
            ready = self._with_text(edited(self.text, [*self.edits, *outcome.edits]))
            made.copies = made.copies or outcome.copies
            made.lines += [ROOT] if outcome.mpi and ROOT not in made.lines else []
            self.told += outcome.told
        made.told += [(self.whole, told) for told in self.told]
        return ready

    def _launches(self, folded: str = "") -> Launches:
        """Give what takes the launchers out; `folded` says why a command over all nodes is not dealt out."""
        wide = self.made.nodes > 1
        return Launches(self.text, self.found, self.made.job, self.choice.kept, self.quoted, wide=wide, folded=folded)

    def _with_text(self, text: str) -> Step:
        head = "".join(self._functions(text))
        first, newline, rest = text.partition("\n")
        if head and first.startswith("#!"):
            text = f"{first}{newline}{head}{rest}"
        elif head:
            text = head + text
        return changed(self.whole, work=attrs.evolve(self.work, text=unflattened(text, self.work.text)))

    def _functions(self, text: str) -> list[str]:
        """Give the functions that stand for commands of the scheduler."""
        made: list[str] = []
        if "csh" in (self.work.shell or ("",))[0]:
            return made
        if _HOSTNAMES.search(text) is not None:
            self.made.uses.setdefault("SLURM_JOB_NODELIST", (self.whole, Use("SLURM_JOB_NODELIST", 0, 0)))
            made.append(SCONTROL)
        if self.made.nodes > 1 and _NAMES_HOST.search(text) is not None:
            made.append(HOSTNAME)
        return made

    # folders of the site, programs of the scheduler

    def _site(self) -> None:
        """Note the variables of the site, at their places in the file if anything tells where its text stands."""
        if self.work.shell and self.work.shell[0].rpartition("/")[2] not in _SHELLS:
            return
        found = self.found
        known: list[Launch | Software | Use] = [*found.launches, *found.software, *found.uses, *found.calls]
        for use in site_variables(self.text):
            span = _beside(known[0], use) if known else None
            span = span or place_in_file(self.whole, self.text, use.start, use.end)
            self.made.uses.setdefault(use.name, (self.whole, attrs.evolve(use, span=span)))

    def _calls(self) -> None:
        for use in self.found.calls:
            if " " in use.name:
                if self.choice.image is None:
                    message = f"`{use.name}`: there is no container runtime in a container"
                    self.told.append(Told(C.CONTAINER_CALL, message, use.span, manual=True))
                continue
            span = use.span
            if use.name == "scontrol":
                other = _OTHER_CONTROL.search(self.text)
                if other is None:
                    continue
                span = _beside(use, attrs.evolve(use, start=other.start(), end=other.start() + len(use.name))) or span
            message = f"`{use.name}`: there is no scheduler in a container"
            self.told.append(Told(C.SCHEDULER_COMMAND, message, span, manual=True))

    # several nodes

    def _unfolding(self) -> Unfolding | str:
        """Give what each node does, where the scripts of a job do the same on all of them; or say why they do not."""
        made = self.made
        if made.nodes == 1:
            return ""
        untouched = [*self.choice.kept, *self.quoted]
        return _besides(made.task) or unfold(self.text, self.found, (made.job, *made.components), untouched)

    def _unfold(self, unfolding: Unfolding) -> Step:
        """Note what the members of the group do, and give what the first one does."""
        made = self.made
        wide = [launch for part in unfolding.parts for launch in part.launches]
        dealt = {id(launch) for launch in wide}
        outcome = self._launches().one_node([item for item in self.found.launches if id(item) not in dealt])
        self.told += outcome.told
        edits = [*self.edits, *outcome.edits]
        for node in range(made.nodes):
            own = unfolding.shares.get(node)
            text = unfolding.node_text(node, edits, made.job.gpus_each) if own is not None or not node else None
            made.members.append(None if text is None else (self._with_text(text),))
        made.shares = {node: share for node, (_, _, share) in unfolding.shares.items()}
        made.copies = made.copies or outcome.copies or any(share.count != 1 for share in made.shares.values())
        made.strict = unfolding.strict
        made.seeded = "RANDOM" in self.text
        if made.seeded:
            made.uses.setdefault("SLURM_JOB_ID", (self.whole, Use("SLURM_JOB_ID", 0, 0)))
        for launch in wide:
            counts = [share.count for _, own, share in unfolding.shares.values() if own is launch]
            members = "one member" if len(counts) == 1 else f"each of {len(counts)} members"
            work = f"{_copies(counts)}`{shown_command(launch, self.text)}`"
            message = f"{members} of the group runs {work}, without MPI; the group ends with the first member"
            self.told.append(Told(C.UNFOLDED, message, launch.span))
        first = made.members[0]
        assert first is not None
        return first[0]


def _copies(counts: list[int]) -> str:
    """Give the words that say how many copies a member starts."""
    least, most = min(counts, default=1), max(counts, default=1)
    if most == 1 and least == 1:
        return ""
    return f"{most} copies of " if least == most else f"{least} to {most} copies of "


def _besides(task: Task) -> str:
    """Say what a task does besides a single script, which the members of a group could not do together."""
    step = task.steps[0] if len(task.steps) == 1 else None
    if step is None or step.condition is not None or step.ignore_errors:
        return f"`{task.name}` has steps that the members of a group would not do one after the other"
    if task.cleanup or step.cleanup is not None:
        return f"`{task.name}` has a clean-up, which the members of a group would do apart from each other"
    if task.exit_rules or step.retry is not None:
        return f"`{task.name}` is tried again after a failure, which the members of a group would not do together"
    return f"`{task.name}` hands on values, which only one member of a group could do" if task.outputs else ""


def _beside(known: Launch | Software | Use, use: Use) -> Span | None:
    """Give the span of a name by that of something else in the same text, if the file has the name there."""
    if known.span is None:
        return None
    start = known.span.start + use.start - known.start
    found = known.span.source.span(start, start + use.end - use.start)
    return found if start >= 0 and found.text == use.name else None
