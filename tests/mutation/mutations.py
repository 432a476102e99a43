"""The list: what is broken, in which file, which text becomes which. Every text occurs exactly once in its file."""

# ruff: noqa: E501

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple


class Mutation(NamedTuple):
    """One way to break the compiler. `area` says which tests are near."""

    area: str
    what: str
    file: str
    old: str
    new: str

    @property
    def name(self) -> str:
        """A name for people."""
        return f"{self.area}: {self.what}"


def mutations() -> list[Mutation]:
    """Give all mutations."""
    return [
        *_in("core", "pwxc", CORE),
        *_in("osmo", "targets/pwxc_targets/osmo", OSMO),
        *_in("pw", "targets/pwxc_targets/pw", PW),
        *_in("torc", "targets/pwxc_targets/torc", TORC),
        *_in("slurm", "targets/pwxc_targets/slurm", SLURM),
    ]


def _in(area: str, folder: str, rows: list[tuple[str, str, str, str]]) -> Iterator[Mutation]:
    return (Mutation(area, what, f"{folder}/{file}", old, new) for what, file, old, new in rows)


CORE = [
    (
        "a quote inside quotes is dropped",
        "shell/quote.py",
        "text.replace(\"'\", \"'\\\\''\")",
        'text.replace("\'", "")',
    ),
    ("the sign of a home folder is not quoted", "shell/quote.py", "+=:,./-]", "+=:,./~-]"),
    ("the end of a here-document may stand in its text", "shell/quote.py", "while found in lines:", "while False:"),
    ("a mark may stand in the text", "shell/text.py", "while mark in literal:", "while False:"),
    ("text of unknown values gets a plain end", "shell/text.py", "open_ended=unknown", "open_ended=False"),
    (
        "values are put into plain words",
        "shell/text.py",
        "elif self.names.inline(part) is not None and not self.names.is_tame(part):",
        "elif False:",
    ),
    ("what nobody settled is no loss", "fidelity/ledger.py", "if fate is None and not nested:", "if False:"),
    ("a strict user's warnings are let pass", "fidelity/report.py", "strict and not allowed", "False"),
    (
        "losses that are not allowed are let pass",
        "fidelity/report.py",
        "item.severity is Severity.ERROR and allowed",
        "item.severity is Severity.ERROR",
    ),
    (
        "a range loses its last value",
        "ir/sweep.py",
        "return max(0, int((self.stop - self.start) // self.step) + 1)",
        "return max(0, int((self.stop - self.start) // self.step))",
    ),
    (
        "a failure edge holds after success",
        "semantics/trace.py",
        "return any(state.is_failure for state in states)",
        "return True",
    ),
    (
        "cancelled tasks are no failures",
        "semantics/trace.py",
        "(State.FAILED, State.CANCELLED, State.TIMED_OUT)",
        "(State.FAILED, State.TIMED_OUT)",
    ),
    (
        "an exit rule matches below its range",
        "semantics/running.py",
        "return any(low <= code <= high for",
        "return any(code <= high for",
    ),
    (
        "`exclude` keeps what it names",
        "semantics/expansion.py",
        "if not any(_agree(row, entry, entry)",
        "if any(_agree(row, entry, entry)",
    ),
    (
        "texts that look like numbers are not quoted in YAML",
        "yaml/writer.py",
        'return text[0] not in "+-.0123456789" or (',
        "return True or (",
    ),
    ("a quote inside a YAML scalar is not doubled", "yaml/writer.py", 'text.replace("\'", "\'\'")', "text"),
]

OSMO = [
    (
        "an edge is dropped when read",
        "reading/lower.py",
        'edges.setdefault(parent, Edge(parent=parent, implied=True, span=self.span(item, "task")))',
        "edges.clear()",
    ),
    (
        "the first member leads",
        "reading/lower.py",
        "next((task.name for task in group.tasks if task.lead), group.tasks[0].name)",
        "group.tasks[0].name",
    ),
    (
        "whose status counts is turned round",
        "reading/lower.py",
        "GangStatus.LEAD if group.ignore_nonlead_status else GangStatus.ALL",
        "GangStatus.ALL if group.ignore_nonlead_status else GangStatus.LEAD",
    ),
    (
        "the two time limits are swapped",
        "reading/lower.py",
        "            run_timeout=timeouts[0],\n            queue_timeout=timeouts[1],\n            places=self.places,\n            exit_rules",
        "            run_timeout=timeouts[1],\n            queue_timeout=timeouts[0],\n            places=self.places,\n            exit_rules",
    ),
    (
        "arguments are lost",
        "reading/lower.py",
        '*(self._argument(task, value, "args", at) for at, value in enumerate(task.args)),',
        "",
    ),
    ("a barrier is forgotten", "reading/lower.py", "barrier=group.barrier,", ""),
    (
        "exit codes lose the end of a range",
        "reading/lower.py",
        "((low, high) for low, high in parse_exit_codes(codes) if low <= high)",
        "((low, low) for low, high in parse_exit_codes(codes) if low <= high)",
    ),
    ("a day has twelve hours", "writing/amounts.py", '("d", 86400)', '("d", 43200)'),
    ("a Gi is 1000 Mi", "writing/amounts.py", '("Gi", 2**30)', '("Gi", 1000 * 2**20)'),
    (
        "ranges of codes are written as two codes",
        "writing/amounts.py",
        'f"{low}-{high}" for low, high in ranges',
        'f"{low},{high}" for low, high in ranges',
    ),
    (
        "`{{input:N}}` counts from the other end",
        "writing/holes.py",
        'return [Mark("{{input:" + self.numbers.get(name, name) + "}}")]',
        'return [Mark("{{input:" + str(len(self.numbers) - 1 - int(self.numbers.get(name, name))) + "}}")]',
    ),
    (
        "variables of the task are lost",
        "writing/tasks.py",
        "(*self.writing.workflow.environment, *self.task.environment)",
        "(*self.writing.workflow.environment,)",
    ),
    ("the barrier is lost", "writing/tasks.py", 'made["barrier"] = False', "pass"),
    ("whose status counts is lost", "writing/tasks.py", 'made["ignoreNonleadStatus"] = False', "pass"),
    (
        "the wrong member leads",
        "writing/tasks.py",
        "_led(item) if task.name == unit.lead else item",
        "_led(item) if task.name != unit.lead else item",
    ),
    ("a condition of the inputs is lost", "writing/plan.py", 'elif test != "true":', 'elif test == "true":'),
    (
        "children of a task that may fail are cancelled",
        "writing/plan.py",
        "if when in (Outcome.END, Outcome.FAILURE):",
        "if when is Outcome.FAILURE:",
    ),
    (
        "a loop leaves out its last value",
        "writing/sweeps.py",
        "last = values.stop + (1 if values.step > 0 else -1)",
        "last = values.stop",
    ),
    (
        "base64 is forgotten",
        "writing/tasks.py",
        'return made | ({"base64": True} if file.encoded else {})',
        "return made",
    ),
    (
        "a pattern of an output is lost",
        "writing/tasks.py",
        'return made | ({"regex": self.holes.literal(pattern)} if pattern is not None else {})',
        "return made",
    ),
]

PW = [
    ("`always` asks for success", "conditions.py", '"always": Outcome.END}', '"always": Outcome.SUCCESS}'),
    ("`error` is an edge on any end", "conditions.py", "return Outcome.FAILURE, rest", "return Outcome.END, rest"),
    (
        "a condition besides a status word is lost",
        "conditions.py",
        "        return _OUTCOMES[word], rest",
        "        return _OUTCOMES[word], None",
    ),
    ("`:any` is lost", "reading/jobs.py", 'any_instance=any_ == "any"', "any_instance=False"),
    (
        "`early-cancel` is lost",
        "reading/jobs.py",
        'stop_when_another_fails=step.early_cancel == "any-job-failed"',
        "stop_when_another_fails=False",
    ),
    (
        "`ignore-errors` is lost",
        "reading/jobs.py",
        'ignore_errors=texts.switch(step, step.ignore_errors, "ignore-errors")',
        "ignore_errors=False",
    ),
    ("a clean-up is lost", "reading/jobs.py", 'cleanup=texts.template_of(step, step.cleanup, "cleanup"),', ""),
    ("a minute has a hundred seconds", "reading/texts.py", '"m": 60,', '"m": 100,'),
    ("`fail-fast` is off by default", "reading/sweep.py", '"fail-fast", default=True)', '"fail-fast", default=False)'),
    ("`include` is lost", "reading/sweep.py", "        include=include,\n", ""),
    ("`max-parallel` is lost", "reading/sweep.py", "        limit=limit,\n", ""),
    ("an edge on any end asks for success", "writing/order.py", 'Outcome.END: "always"', 'Outcome.END: "completed"'),
    (
        "an edge is dropped where outcomes are mixed",
        "writing/order.py",
        "needs[_gate(writing, account, edge, name)] = None",
        "_gate(writing, account, edge, name)",
    ),
    (
        "a delay is lost",
        "writing/order.py",
        'f"sleep {edge.delay}\\n" if edge.delay else',
        'f"sleep 0\\n" if edge.delay else',
    ),
    (
        "any instance means all",
        "writing/order.py",
        'needs[f"{job}:any" if edge.any_instance else job] = None',
        "needs[job] = None",
    ),
    (
        "one attempt too many",
        "writing/runner.py",
        '[ "$tries" -lt {limit} ]; then\',\n                "  tries',
        '[ "$tries" -le {limit} ]; then\',\n                "  tries',
    ),
    (
        "a completed code stays what it is",
        "writing/runner.py",
        '[f"{word} (({test})); then", "  rc=0"]',
        '[f"{word} (({test})); then", "  :"]',
    ),
    (
        "the wrong member ends a gang",
        "writing/runner.py",
        "lead = gang.members.index(gang.lead) + 1",
        "lead = len(gang.members) - gang.members.index(gang.lead)",
    ),
    (
        "a gang's barrier is lost",
        "writing/runner.py",
        "    if gang.barrier:\n        once += ",
        "    if False:\n        once += ",
    ),
    (
        "the failure of another member counts for nothing",
        "writing/runner.py",
        "others if gang.status is GangStatus.ALL else []",
        "[]",
    ),
    ("a retry of the platform loses its limit", "writing/exits.py", "max_retries=count,", "max_retries=count + 1,"),
    ("`fail-fast` is not written", "writing/strategy.py", 'matrix.strategy["fail-fast"] =', "_ ="),
    ("the limit of a sweep is not written", "writing/strategy.py", 'matrix.strategy["max-parallel"] =', "_ ="),
    ("an hour has 60 seconds", "writing/spelling.py", '("h", 3600)', '("h", 60)'),
    (
        "variables of a task are lost",
        "writing/taskscript.py",
        'lines.append(f"export {name}={word}" if is_variable_name(name)',
        'lines.append(f"# {name}" if is_variable_name(name)',
    ),
    (
        "a task's own limit is lost",
        "writing/nativejob.py",
        'made.timeout = spelling.duration(account, "run_timeout", limit)',
        "pass",
    ),
]

TORC = [
    (
        "the flag for failing blockers is read wrong",
        "reading/lower.py",
        "Outcome.END if job.cancel_on_blocking_job_failure is False else",
        "Outcome.END if job.cancel_on_blocking_job_failure is True else",
    ),
    ("an implied edge is dropped", "reading/lower.py", "if blocker not in links.blockers:", "if False:"),
    (
        "an instance waits for all instances",
        "reading/lower.py",
        "same_instance=same and not whole",
        "same_instance=False",
    ),
    ("a retry is lost", "reading/lower.py", "exit_rules=self._exit_rules(job),", ""),
    ("variables of a job are lost", "reading/lower.py", "environment=self._environment(job, record),", ""),
    ("a day has twelve hours", "units.py", "int(days or 0) * 86_400", "int(days or 0) * 43_200"),
    ("hours are written as minutes", "units.py", '(hours, "H"), (minutes, "M")', '(hours, "M"), (minutes, "H")'),
    ("a `g` is a thousand `m`", "units.py", "scale = 1024 ** _POWER[unit]", "scale = 1000 ** _POWER[unit]"),
    (
        "the flag for failing blockers is written wrong",
        "writing/order.py",
        "= Outcome.SUCCESS in kinds and not tested",
        "= Outcome.SUCCESS not in kinds and not tested",
    ),
    (
        "an edge is dropped",
        "writing/order.py",
        "                self._block(made, edge, place)",
        "                pass",
    ),
    (
        "an edge is dropped because some file is shared",
        "writing/order.py",
        "return any(isinstance(item.origin, named) and item.origin in written for item in unit.reads)",
        "return any(isinstance(item.origin, named) for item in unit.reads)",
    ),
    (
        "all instances wait for all",
        "writing/order.py",
        "elif not parent.plan.columns or (edge.same_instance and is_aligned(parent.plan, place.plan)):",
        "elif not parent.plan.columns:",
    ),
    ("zipped parameters become a product", "writing/jobs.py", 'made["parameter_mode"] = "zip"', "pass"),
    ("variables of a task are lost", "writing/jobs.py", 'job["env"] = {', "_ = {"),
    ("a time limit is lost", "writing/jobs.py", 'job["resource_requirements"] = self.variants[', "_ = self.variants["),
    (
        "one retry too many",
        "writing/site.py",
        "(2 if limit is None else limit) + 1",
        "(2 if limit is None else limit) + 2",
    ),
    (
        "exit codes lose the end of a range",
        "writing/site.py",
        "range(low, min(high, 255) + 1)",
        "range(low, min(high, 255))",
    ),
    ("a recovery script is lost", "writing/site.py", 'record["recovery_script"] = recovery', "pass"),
    (
        "a hook runs for every job",
        "writing/site.py",
        '    if names:\n        record["jobs"] = names\n    if patterns:\n        record["job_name_regexes"] = patterns\n    if isinstance',
        "    if isinstance",
    ),
    ("the wrong member ends a gang", "writing/gangs.py", "if task.name == gang.lead:", "if task.name != gang.lead:"),
    (
        "others go on when the lead has ended",
        "writing/gangs.py",
        '\'wait "$lead" || rc=$?\', \'kill "${pids[@]}" 2> /dev/null || :\', "wait || :"',
        '\'wait "$lead" || rc=$?\', "wait || :"',
    ),
]

SLURM = [
    (
        "an array begins at 0",
        "batch/lists.py",
        "return Range(start, start + (stop - start) // step * step, step)",
        "return Range(0, start + (stop - start) // step * step, step)",
    ),
    (
        "the limit of an array is lost",
        "batch/lists.py",
        "        return Array(ranges[0], limit)",
        "        return Array(ranges[0], None)",
    ),
    ("minutes are read as seconds", "lower.py", 'fields["walltime"] = minutes * 60', 'fields["walltime"] = minutes'),
    (
        "memory is read in bytes",
        "lower.py",
        "fields[field] = mebibytes(value) * _MIB",
        "fields[field] = mebibytes(value)",
    ),
    ("a folder is lost", "lower.py", "working_directory=text(chdir) if chdir else None,", ""),
    ("`afterany` becomes `afterok`", "writing/submittext.py", "end) terms+=,afterany:", "end) terms+=,afterok:"),
    (
        "`afternotok` becomes `afterany`",
        "writing/submittext.py",
        "else terms+=,afternotok:",
        "else terms+=,afterany:",
    ),
    (
        "`afterok` becomes `afterany`",
        "writing/submittext.py",
        "success) terms+=,afterok:",
        "success) terms+=,afterany:",
    ),
    (
        "jobs that cannot run are kept for ever",
        "writing/submittext.py",
        "local -a words=(--parsable --kill-on-invalid-dep=yes --export=ALL)",
        "local -a words=(--parsable --export=ALL)",
    ),
    (
        "the last part of an array is one too long",
        "writing/submittext.py",
        "else index=0-$((size - 1)); fi",
        "else index=0-$size; fi",
    ),
    ("first jobs are never released", "writing/submittext.py", "words+=(--hold)", ":"),
    (
        "one attempt too many",
        "writing/retries.py",
        "if [[ $attempt -lt {limit} ]]; then",
        "if [[ $attempt -le {limit} ]]; then",
    ),
    (
        "a completed code stays what it is",
        "writing/retries.py",
        '                    yield "rc=0"',
        '                    yield ":"',
    ),
    (
        "exit codes lose the end of a range",
        "writing/retries.py",
        'f"rc >= {low} && rc <= {high}"',
        'f"rc >= {low} && rc < {high}"',
    ),
    ("a recovery is lost", "writing/retries.py", "yield from self._recovery(rule.recovery)", "pass"),
    ("the wrong member ends a gang", "writing/gangs.py", "if task.name == gang.lead)", "if task.name != gang.lead)"),
    (
        "a gang has a node too few",
        "writing/gangs.py",
        'made.set("nodes", str(sum(map(nodes_of, requests))))',
        'made.set("nodes", str(sum(map(nodes_of, requests)) - 1))',
    ),
    (
        "whose status counts is turned round",
        "writing/gangs.py",
        "WAITS_FOR_EVERY if gang.status is GangStatus.ALL else _WHOLE",
        "_WHOLE if gang.status is GangStatus.ALL else WAITS_FOR_EVERY",
    ),
    (
        "zipped parameters become a product",
        "writing/sweeps.py",
        'place = "index"',
        "place = _place(stride, len(values), size)",
    ),
    (
        "a time limit is lost",
        "writing/requests.py",
        "return str(max(1, math.ceil(seconds / 60)))",
        "return str(max(1, math.ceil(seconds / 3600)))",
    ),
    ("variables are lost", "writing/steps.py", "yield from self.data.export(variable.name, variable.value)", "pass"),
    ("a step's folder is lost", "writing/steps.py", 'yield f"cd -- {word} || return 1"', "pass"),
]
