"""The script of a task whose work is more than one command: its steps, what they read and what they hand on."""

from __future__ import annotations

import re
from typing import Any

from pwxc.ir.data import NamedFile
from pwxc.ir.entity import fields_of
from pwxc.ir.expr import Expr
from pwxc.ir.task import ActionCall, Command, ExitAction, Outcome, Script, Step, Task
from pwxc.ir.template import Template, text
from pwxc.ir.workflow import Unit
from pwxc.shell import is_variable_name, quote
from pwxc_targets.osmo.writing import codes as C  # noqa: N812
from pwxc_targets.osmo.writing.context import Writing
from pwxc_targets.osmo.writing.emit import Text
from pwxc_targets.osmo.writing.holes import Holes, Mark, Part, joined
from pwxc_targets.osmo.writing.inputs import Inputs
from pwxc_targets.osmo.writing.plan import Plan
from pwxc_targets.osmo.writing.resources import limit_of
from pwxc_targets.osmo.writing.scripts.ranks import RANKS, RANKS_FILE
from pwxc_targets.osmo.writing.scripts.settings import Settings
from pwxc_targets.osmo.writing.settle import is_checkout
from pwxc_targets.osmo.writing.shelltext import (
    ENDED,
    REPORT,
    Shell,
    fill_lines,
    folder_of,
    instance_of,
    status_of,
)

_PLAIN = frozenset({"work", "name", "id", "passthrough", "placement", "stop_when_another_fails"})
Line = list[Part]


def is_plain(writing: Writing, plan: Plan, task: Task, unit: Unit) -> bool:
    """Whether a task is one command that needs no script."""
    steps = writing.steps(task)
    if len(steps) != 1 or not isinstance(steps[0].work, Command) or not _is_bare(steps[0]):
        return False
    if task.cleanup or task.outputs or task.working_directory or _counted(task):
        return False
    return writing.lead(unit) is not task or not (_waits(writing, plan, unit) or plan.reports(unit))


def _waits(writing: Writing, plan: Plan, unit: Unit) -> bool:
    """Whether a unit's script begins with a test or a pause."""
    if plan.tests_of(unit) or unit.name in plan.late:
        return True
    return any(edge.delay for edge in writing.needs(unit))


def _is_bare(step: Step) -> bool:
    return all(
        field.name in _PLAIN or getattr(step, field.name) == field.default for field in fields_of(step)
    ) and not isinstance(step.work, ActionCall)


def _counted(task: Task) -> bool:
    return any(
        rule.action is ExitAction.RETRY and rule.retry is not None and rule.retry.limit is not None
        for rule in task.exit_rules
    )


def limit_prefix(writing: Writing, unit: Unit, task: Task) -> list[str]:
    """Give the command that limits a task which has less time than the file allows."""
    limit = limit_of(writing, unit)
    seconds = writing.number(limit, "duration") if limit is not None else None
    whole = writing.number(writing.timeout, "duration") if writing.timeout is not None else None
    if seconds is None or seconds == whole or limit == writing.timeout:
        return []
    if unit.run_timeout is None and writing.workflow.dialect == "torc":
        return []
    writing.say_built_in(limit)
    message = "time limits that are smaller than the largest are kept by `timeout`"
    writing.ledger.add_once(C.ONE_TIMEOUT, message, task.span)
    for noun, field in (
        (unit, "run_timeout"),
        (task, "run_timeout"),
        (writing.resources.get(task.resources or ""), "walltime"),
    ):
        if noun is not None:
            writing.ledger.of(noun).approximate(field, C.ONE_TIMEOUT, message, once=True)
    return ["timeout", f"{max(1, int(-(-seconds // 1)))}s"]


_SHELLS = frozenset({"bash", "sh", "dash", "ksh", "zsh"})


class TaskScript:
    """Builds the script files of one task; `credentials` are those that its texts need."""

    def __init__(self, writing: Writing, plan: Plan, task: Task, unit: Unit, holes: Holes, inputs: Inputs) -> None:
        self.writing, self.plan, self.task, self.unit = writing, plan, task, unit
        self.holes, self.inputs = holes, inputs
        self.steps = writing.steps(task)
        self.cleanup = writing.cleanup(task)
        self.leads = writing.lead(unit) is task
        self.works = self.leads or task.name in writing.added.nodes
        """Whether it does the unit's own work, as a lead or by its part, and so only where that is wanted."""
        self.shell = Shell(holes)
        self.name = writing.names[task.name]
        self.lines: list[Line] = []
        self.made: list[dict[str, Any]] = []
        self.cleanups: list[str] = []

    @property
    def credentials(self) -> dict[str, Any]:
        """The credentials for the secrets that the texts use: a name each, with one key."""
        made = {}
        for variable, secret in self.shell.secrets.items():
            name = re.sub(r"[^A-Za-z0-9_-]", "-", secret)
            made[name] = {variable: "value"}
            message = f"the credential `{name}` has to be made, with the key `value`"
            self.writing.ledger.add_once(C.SECRET_BY_HAND, message, self.task.span)
        return made

    def command(self) -> list[str | Text]:
        """Give the command that runs the script."""
        return [*limit_prefix(self.writing, self.unit, self.task), *self._program(), f"/tmp/{self.name}.sh"]

    def _program(self) -> list[str]:
        first = self.steps[0].work if len(self.steps) == 1 else None
        if isinstance(first, Script) and self._is_simple():
            return [word for word in first.shell if word != "-c"] or ["bash"]
        return ["bash"]

    def files(self) -> list[dict[str, Any]]:
        """Give the items of `files`."""
        parts = self._simple() if self._is_simple() else None
        if parts is None:
            self._driver()
            parts = joined([part for line in [*self._head(), *self.lines] for part in (*line, "\n")])
        adapted, _ = self.writing.adapted_of(self.task)
        if adapted is not None and adapted.copies:
            self.made.append({"path": RANKS_FILE, "contents": self.holes.write([RANKS])})
        return [{"path": f"/tmp/{self.name}.sh", "contents": self.holes.write(parts)}, *self.made]

    # one script and nothing around it

    def _is_simple(self) -> bool:
        task = self.task
        work = self.steps[0].work if len(self.steps) == 1 and _is_bare(self.steps[0]) else None
        if not isinstance(work, Script):
            return False
        if task.cleanup or task.outputs or task.working_directory or _counted(task) or self._publishes():
            return False
        if self._results():
            return False
        if work.shell[0].rpartition("/")[2] not in _SHELLS:
            return False  # what goes before the text is a shell's
        if self.works and _waits(self.writing, self.plan, self.unit):
            return False
        if self.leads and self.plan.reports(self.unit):
            return False
        probe = Shell(self.holes)
        probe.step_text(work.text)
        return not probe.marks and not probe.secrets

    def _simple(self) -> list[Part]:
        work = self.steps[0].work
        assert isinstance(work, Script)
        body = self.shell.step_text(work.text)
        before = joined([part for line in self._start() for part in (*line, "\n")])
        if before and body and isinstance(body[0], str) and body[0].startswith("#!"):
            first, _, rest = body[0].partition("\n")
            return joined([first + "\n", *before, rest, *body[1:]])
        return joined([*before, *body])

    def _start(self) -> list[Line]:
        """Go to the folder that stands for the shared one, with what the tasks before have left."""
        lines: list[Line] = []
        delay = max((edge.delay for edge in self.writing.needs(self.unit)), default=0)
        if delay and self.works:
            lines.append([f"sleep {delay}"])
        if not self.writing.shared_folder:
            return lines
        lines.append(["cd ", Mark("{{output}}"), " || exit 1"])
        settings = Settings(self.writing, self.task, self.unit, self.holes, self._literal_texts())
        lines += settings.lines()
        folders = [folder for folder in self.inputs.folders if folder]
        if folders or self.inputs.looped:
            message = "files travel along the order of the tasks, in copies: OSMO has no shared folder"
            self.writing.ledger.add_once(C.SHARED_FOLDER, message, self.task.span)
            lines.append(["# What the tasks before have left: there is no folder that tasks share."])
            copy = '[ ! -d "$from" ] || cp -R "$from"/. . || exit 1'
            shown: list[Part] = []
            for folder in folders:
                shown += [" ", Mark(folder)]
            if self.inputs.looped:
                shown = [" /osmo/data/input/*"]
            if len(shown) == 2:
                lines += [["from=", shown[1]], [copy]]
            else:
                lines.append(["for from in", *shown, f"; do {copy}; done"])
        return lines + settings.after_copies()

    def _literal_texts(self) -> str:
        steps = (*self.steps, *self.cleanup)
        templates = [step.work.text for step in steps if isinstance(step.work, Script)]
        return "\n".join(part for template in templates for part in template.parts if isinstance(part, str))

    # the driver of several steps

    def _publishes(self) -> bool:
        return self.writing.workflow.dialect == "pw" and "OUTPUTS" in self._literal_texts()

    def _add(self, *parts: Part) -> None:
        self.lines.append(list(parts))

    def _head(self) -> list[Line]:
        lines: list[Line] = [[f"# Runs the task `{re.sub(r'[^ -~]|`|[{]', '?', self.task.name)}`."], *self._start()]
        lines += [[line] for line in self.shell.functions.values()]
        if self.shell.marks:
            lines += [[line] for line in fill_lines(self.shell.marks)]
            lines.append(["work=$(mktemp -d)"])
        if self._publishes() or self.task.outputs:
            lines.append([f"values=$PWD/.pwxc/values/{quote(folder_of(self.task.name))}"])
        if self._publishes():
            lines.append(["export OUTPUTS=$(mktemp)"])
            lines += [[line] for line in REPORT.split("\n")]
        return lines

    def _driver(self) -> None:
        self._tests()
        self._add("steps() {")
        self._add("  rc=0")
        inside = len(self.lines)
        for number, step in enumerate(self.steps, 1):
            self._step(step, number)
        for number, step in enumerate(self.cleanup, len(self.steps) + 1):
            self.cleanups.append(self._work_file(f"cleanup-{number}", _script_of(step)))
        for path in self._results():
            word = self.shell.word(path)
            self._add('[ "$rc" -ne 0 ] || [ -e ', *word, " ] || { echo missing: ", *word, " >&2; rc=1; }")
        self._publish()
        self.lines[inside:] = [["  ", *line] for line in self.lines[inside:]]
        self._add('  return "$rc"')
        self._add("}")
        if self.cleanups:
            calls: list[Line] = [[f"  bash {name} || :"] for name in reversed(self.cleanups)]
            self.lines[0:0] = [["cleanup() {"], *calls, ["}"]]
            self._add("trap cleanup EXIT")
        self._attempts()
        if self.leads and self.plan.reports(self.unit):
            self._add(*self._tell('"$rc"'))
        self._add('exit "$rc"')

    def _tell(self, text: str) -> list[Part]:
        """Give the command that leaves a text in the file that says how this instance of the unit has ended."""
        place = status_of(self.unit.name)
        folder: list[Part] = [".pwxc/status"] if self.holes.loop is None else place
        return ["mkdir -p ", *folder, f" && printf '%s' {text} > ", *place, *instance_of(self.holes.loop)]

    def _tests(self) -> None:
        if not self.works:
            return
        tests = self.plan.tests_of(self.unit)
        late = self.plan.late.get(self.unit.name)
        if tests or late is not None:
            self._add("skip() { ", *self._tell("skipped"), "; exit 0; }")
            self._add("rc=0")
        for parent, when in tests:
            self._parent_test(parent, when)
        if late is not None:
            test = self._test(late, f"the condition of `{self.unit.name}`")
            if test is not None:
                self._add("if ! ", *test, "; then skip; fi")

    def _parent_test(self, parent: str, when: Outcome) -> None:
        loop = self.writing.loops.get(parent)
        if loop is None or loop is self.holes.loop:
            file = [*status_of(parent), *instance_of(loop)]
            self._add("ended=$(cat ", *file, " 2> /dev/null || echo 0)")
        else:
            if ENDED not in self.shell.functions.values():
                self.shell.functions["ended"] = ENDED
            self._add("ended=$(how_ended ", *status_of(parent), "/*)")
        if when is Outcome.END:
            self._add("case $ended in 0 | skipped) ;; *) rc=1 ;; esac")
            return
        self._add('[ "$ended" != skipped ] || skip')
        self._add('[ "$ended" != 0 ] || skip' if when is Outcome.FAILURE else '[ "$ended" = 0 ] || exit 1')

    def _test(self, condition: Expr, what: str) -> list[Part] | None:
        test = self.shell.test(condition)
        if test is None:
            self.writing.ledger.add_once(C.CONDITION, f"{what} cannot be tested in a script", self.task.span)
        return test

    def _step(self, step: Step, number: int) -> None:
        work = self._run(step, number)
        if work is None:
            return
        guard: list[Part] | None = ['[ "$rc" -eq 0 ]'] if number > 1 else None
        if step.condition is not None:
            guard = self._test(step.condition, f"a condition of `{self.task.name}`")
            if guard is not None and not _has_status(step.condition):
                guard = ['[ "$rc" -eq 0 ] && ', *guard]
        ignored = step.ignore_errors
        if not isinstance(ignored, bool):
            self.writing.say_built_in(ignored)
            ignored = self.writing.variables.value(ignored) is True
        block: list[Line] = [[*work, " || :" if ignored else " || rc=$?"]]
        if step.cleanup is not None:
            self.cleanups.append(self._work_file(f"cleanup-{number}", step.cleanup))
        if self._publishes():
            block.append(["report"])
        if guard is not None:
            inner: list[Line] = [["  ", *line] for line in block]
            block = [["if ", *guard, "; then"], *inner, ["fi"]]
        self.lines += block

    def _run(self, step: Step, number: int) -> list[Part] | None:
        parts: list[Part] = []
        for item in step.environment:
            if is_variable_name(item.name):
                parts += [f"export {item.name}=", *self.shell.word(item.value), "; "]
        for place in (self.task.working_directory, step.working_directory):
            if place is not None:
                word = self._home(place)
                parts += ["mkdir -p ", *word, " && cd ", *word, " && "]
        limit = self.writing.built_in(step.timeout, "duration") if step.timeout is not None else None
        call: list[Part] = [f"timeout {max(1, int(limit))} "] if limit else []
        if isinstance(step.work, Command):
            for at, argument in enumerate(step.work.arguments):
                call += [*([" "] if at else []), *self.shell.word(argument)]
        elif isinstance(step.work, Script):
            program = " ".join(quote(word) for word in step.work.shell if word != "-c") or "bash"
            call.append(f"{program} {self._work_file(f'step-{number}', step.work.text)}")
        elif is_checkout(step.work):
            call = self._checkout(step.work)
        else:
            return None
        return self._retried(step, ["(", *parts, *call, ")"])

    def _home(self, path: Template) -> list[Part]:
        """Give a folder's word, in which a tilde and variables stay alive as they do on the source's platform."""
        literal = path.literal
        if literal is not None and re.fullmatch(r"~?[\w./${}:-]*", literal) and not re.search(r"\{[{%#]", literal):
            return ['"' + literal.replace("~", "$HOME", 1) + '"' if literal.startswith("~") else f'"{literal}"']
        if path.parts and isinstance(path.parts[0], str) and path.parts[0].startswith("~/"):
            return ['"$HOME"/', *self.shell.word(Template.of(path.parts[0][2:], *path.parts[1:]))]
        return self.shell.word(path)

    def _checkout(self, work: ActionCall) -> list[Part]:
        arguments = work.arguments

        def word(key: str) -> list[Part]:
            value = arguments.get(key)
            return self.shell.word(_as_template(value))

        call: list[Part] = ["clone=$(mktemp -d) && git clone --quiet --depth 1 "]
        if arguments.get("branch"):
            call += ["--branch ", *word("branch"), " "]
        call += [*word("repo"), ' "$clone" && rm -rf "$clone/.git" && ']
        place = word("path") if arguments.get("path") else ["."]
        return [*call, "mkdir -p ", *place, ' && cp -R "$clone"/. ', *place]

    def _retried(self, step: Step, call: list[Part]) -> list[Part]:
        if step.retry is None:
            return call
        limit = self.writing.built_in(step.retry.limit)
        pause = self.writing.built_in(step.retry.interval, "duration") or 0
        tries = int(limit) if limit is not None else 3
        again = f'{{ for attempt in $(seq 0 {tries}); do [ "$attempt" = 0 ] || sleep {pause}; '
        return [again, *call, " && break; done; }"]

    def _work_file(self, kind: str, template: Template) -> str:
        """Add a file with a text of the task, and give the shell word of the copy that is run."""
        before = set(self.shell.marks)
        parts = self.shell.step_text(template)
        path = f"/tmp/{self.name}/{kind}.sh"
        self.made.append({"path": path, "contents": self.holes.write(parts)})
        marked = set(self.shell.marks) - before or any(
            mark in part for part in parts if isinstance(part, str) for mark in self.shell.marks
        )
        if not marked:
            return path
        return f'"$(fill {path} "$work/{kind}.sh" && echo "$work/{kind}.sh")"'

    def _results(self) -> list[Template]:
        """Give the paths of the files without which the task has failed (torc.md §25.2)."""
        names = [write.destination.name for write in self.task.writes if isinstance(write.destination, NamedFile)]
        return [file.path for file in self.writing.workflow.files if file.name in names]

    def _publish(self) -> None:
        for item in self.task.outputs:
            value = item.value if isinstance(item.value, Template) else Template.of(item.value)
            self._add(
                "mkdir -p \"$values\" && printf '%s' ", *self.shell.word(value), f' > "$values"/{quote(item.name)}'
            )

    def _attempts(self) -> None:
        rules = [rule for rule in self.task.exit_rules if rule.action is ExitAction.RETRY and rule.retry is not None]
        counted = [rule for rule in rules if rule.retry is not None and rule.retry.limit is not None]
        if not counted:
            self._add("steps")
            self._add("rc=$?")
            return
        self._add("attempt=0")
        self._add("while :; do")
        self._add("  steps")
        self._add("  rc=$?")
        for rule in counted:
            assert rule.retry is not None
            limit = self.writing.built_in(rule.retry.limit) or 0
            tests = [f"{{ [ $rc -ge {low} ] && [ $rc -le {high} ]; }}" for low, high in rule.codes]
            self._add(f"  if [ $attempt -lt {int(limit)} ] && {{ {' || '.join(tests) or '[ $rc -ne 0 ]'}; }}; then")
            self._add("    attempt=$((attempt + 1))")
            if rule.recovery is not None:
                file = self._work_file(f"recovery-{len(self.made)}", rule.recovery)
                self._add(f"    TORC_RETURN_CODE=$rc TORC_ATTEMPT_ID=$attempt bash {file} || :")
            pause = self.writing.built_in(rule.retry.interval, "duration") or 0
            self._add(f"    sleep {pause}")
            self._add("    continue")
            self._add("  fi")
        self._add("  break")
        self._add("done")


def _has_status(condition: Expr) -> bool:
    from pwxc.ir.expr import Root, refs

    return any(ref.root is Root.STATUS for ref in refs(condition))


def _script_of(step: Step) -> Template:
    return step.work.text if isinstance(step.work, Script) else text("")


def _as_template(value: Any) -> Template:
    if isinstance(value, Template):
        return value
    return text(value) if isinstance(value, str) else Template.of(value) if value is not None else text("")
