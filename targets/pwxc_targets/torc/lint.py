"""What torc's own checks and good habit say about a specification (torc.md §13.3, §15, §19)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Set
from typing import Any

from pwxc.diagnostics import Diagnostics
from pwxc.registry import ReadSettings
from pwxc.source import Source
from pwxc_targets.torc.linting import checks
from pwxc_targets.torc.linting import codes as C  # noqa: N812
from pwxc_targets.torc.linting.rulebook import RuleBook
from pwxc_targets.torc.linting.traps import Traps
from pwxc_targets.torc.linting.versions import Versions
from pwxc_targets.torc.model import Job
from pwxc_targets.torc.read import load_spec
from pwxc_targets.torc.reading.relations import LISTS, VARIABLE
from pwxc_targets.torc.records import tokens_of

_BEFORE_TOKEN = re.compile(r"\$\Z|\{\Z|awk\b[^|;]*\Z")


def lint(sources: tuple[Source, ...], settings: ReadSettings, diagnostics: Diagnostics) -> None:
    """Add what the reader does not say: it is run before."""
    loaded = load_spec(sources[0], Diagnostics())
    if loaded is None:
        return
    for book in (Rules, Traps, Versions):
        book(loaded, sources[0], settings, diagnostics).run()


class Rules(RuleBook):
    """The rules that torc's own checks have, and what follows from names."""

    def check_same_names(self) -> None:
        """Find sweeps whose parameters are not all in the name: the dry run refuses them."""
        for job in self.spec.jobs:
            parameters = self.parameters(job)
            if not parameters:
                continue
            named = {found[1] for found in tokens_of(tuple(parameters)).finditer(job.name)}
            missing = [name for name in parameters if name not in named]
            if missing:
                message = f"`{job.name}` does not name its parameter {', '.join(f'`{name}`' for name in missing)}"
                help_text = "a job that gathers a sweep needs no parameters: select with `depends_on_regexes`"
                self.say(C.DRY_RUN_REFUSES, message, job, "name", help=help_text)

    def check_doubles(self) -> None:
        """Find names that stand twice in an exact list: the server's database refuses them."""
        keys = ("depends_on", *(names for names, *_ in LISTS))
        for job in self.spec.jobs:
            for key in keys:
                for name, count in Counter(getattr(job, key) or ()).items():
                    if count > 1:
                        message = f"`{name}` stands {count} times in `{key}`"
                        self.say(C.TWICE_IN_LIST, message, job, key)

    def check_shell_tokens(self) -> None:
        """Find shell text with a parameter's name in braces: it is replaced, even behind a dollar sign."""
        for job in self.spec.jobs:
            parameters = self.parameters(job)
            text = job.command
            if not parameters or "{" not in text:
                continue
            for found in tokens_of(tuple(parameters)).finditer(text):
                before = text[max(0, found.start() - 200) : found.start()]
                if _BEFORE_TOKEN.search(before) and not VARIABLE.match(text, max(0, found.start() - 1)):
                    message = f"`{before[-1:]}{found[0]}` of `{job.name}` is no shell text: torc puts the parameter in"
                    self.say(C.SHELL_TOKEN, message, job, "command", help="rename the parameter, or write `$name`")
                    break

    def check_spellings(self) -> None:
        """Find texts with two spellings of a parameter: versions to 0.12 replace only one."""
        for job in self.spec.jobs:
            parameters = self.parameters(job)
            if not parameters:
                continue
            for key in ("name", "command"):
                spellings: dict[str, set[str]] = {}
                for found in tokens_of(tuple(parameters)).finditer(getattr(job, key)):
                    spellings.setdefault(found[1], set()).add(found[0])
                for name, ways in spellings.items():
                    if len(ways) > 1:
                        message = f"`{name}` is spelt in {len(ways)} ways; torc to 0.12 replaces only the first"
                        self.say(C.TWO_WAYS, message, job, key)

    def check_literal_actions(self) -> None:
        """Find tokens in actions: nothing is replaced there."""
        names = {name for job in self.spec.jobs for name in self.parameters(job)}
        for action in self.spec.actions or []:
            for key in ("commands", "jobs", "job_name_regexes"):
                for number, text in enumerate(getattr(action, key) or ()):
                    token = tokens_of(tuple(sorted(names))).search(text) if names else None
                    found = token or VARIABLE.search(text)
                    if found is not None:
                        message = f"`{found[0]}` stays as it is: torc replaces nothing in actions"
                        self.say(C.LITERAL_ACTION, message, action, key, number)

    def check_invocation(self) -> None:
        """Find invocation scripts: they are lost in 0.12."""
        for job in self.spec.jobs:
            if job.invocation_script is not None:
                message = f"the invocation script of `{job.name}` never runs in torc 0.12"
                self.say(C.LOST_SCRIPT, message, job, "invocation_script", help="put it into the command")

    def check_execution(self) -> None:
        """Find keys of the wrong execution mode: they fail on creation."""
        for owner, key, message in checks.check_execution(self.spec):
            self.say(C.WRONG_MODE, message, owner, key)

    def check_nodes(self) -> None:
        """Find schedulers of several nodes without jobs of as many."""
        for owner, key, message in checks.check_nodes(self.spec):
            self.say(C.NODE_MISMATCH, message, owner, key)

    def check_resources(self) -> None:
        """Find jobs that do not fit into their allocations."""
        for owner, key, message in checks.check_resources(self.spec):
            self.say(C.DOES_NOT_FIT, message, owner, key)

    def check_paths(self) -> None:
        """Find two files of one path: they make no order."""
        seen: dict[str, str] = {}
        for record in self.spec.files or []:
            first = seen.setdefault(record.path, record.name)
            if first != record.name:
                message = f"`{record.name}` and `{first}` have one path; torc sees no order between their jobs"
                self.say(C.SAME_PATH, message, record, "path")

    def check_unused(self) -> None:
        """Find records that nothing names."""
        jobs = self.spec.jobs
        self._unused("resource record", self.spec.resource_requirements, {job.resource_requirements for job in jobs})
        self._unused("failure handler", self.spec.failure_handlers, {job.failure_handler for job in jobs})
        used = {name for _, name in checks.uses(self.spec)}
        self._unused("scheduler", self.spec.slurm_schedulers, used)
        shared = {name for record in self._swept() for name in record.use_parameters or ()}
        in_env = " ".join((self.spec.env or {}).values())
        for name in self.spec.parameters or {}:
            if name not in shared and "{" + name not in in_env:
                message = f"nothing takes the shared parameter `{name}`: it needs `use_parameters`"
                self.say(C.UNUSED, message, self.spec, "parameters", name)

    def _swept(self) -> Iterator[Any]:
        yield from self.spec.jobs
        yield from self.spec.files or []
        yield from self.spec.user_data or []

    def _unused(self, noun: str, records: Any, used: Set[str | None]) -> None:
        if any(name is not None and "{" in name for name in used):
            return
        for record in records or []:
            if record.name is not None and record.name not in used:
                self.say(C.UNUSED, f"nothing uses the {noun} `{record.name}`", record, "name")

    def check_preference(self) -> None:
        """Find jobs that name no scheduler where the schedulers differ: any allocation may run them."""
        kinds = {(item.gres, item.mem, item.walltime, item.partition) for item in self.spec.slurm_schedulers or []}
        free = [job for job in self.spec.jobs if job.scheduler is None]
        if len(kinds) > 1 and free and self.spec.jobs_sort_method is None:
            message = f"`{free[0].name}` names no scheduler, and the schedulers differ: any allocation may run it"
            self.say(C.ANY_ALLOCATION, message, free[0], "name")

    def check_submit(self) -> None:
        """Look for the action at the start that `torc submit` wants."""
        asks = any(
            action.trigger_type == "on_workflow_start" and action.action_type == "schedule_nodes"
            for action in self.spec.actions or []
        )
        if self.spec.slurm_schedulers and not asks:
            message = "`torc submit` refuses a workflow without an action that schedules nodes on its start"
            self.say(C.NO_ALLOCATION, message, self.spec, "slurm_schedulers")

    def check_planner(self) -> None:
        """Find order that only variables make: the planner of allocations does not see it."""
        for job in self.spec.jobs:
            if self.spec.slurm_schedulers is None and self._only_by_variables(job):
                message = f"the planner of allocations does not see what `{job.name}` waits for"
                self.say(C.INVISIBLE_ORDER, message, job, "command", help="list the files in `input_files` too")
                return

    @staticmethod
    def _only_by_variables(job: Job) -> bool:
        listed = job.depends_on or job.depends_on_regexes or job.input_files or job.input_file_regexes
        return not listed and "${files.input." in job.command
