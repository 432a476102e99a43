"""torc: workflow specifications of NREL's job system, in YAML, JSON, JSON5 and KDL."""

from __future__ import annotations

import re

from pwxc.registry import Lazy, Option, Target

_KEYS = re.compile(
    r"^[ \t]*[\"']?(?:jobs|resource_requirements|slurm_schedulers|failure_handlers|actions)[\"']?\s*:", re.M
)
_JOB_KEYS = re.compile(
    r"[\"']?\b(?:depends_on(?:_regexes)?|blocked_by(?:_job_names|_regexes|_job_name_regexes)?|num_cpus|trigger_type"
    r"|resource_requirements(?:_name)?|input_files|output_files|user_data|slurm_schedulers|use_parameters)\b[\"']?\s*:"
)
_JOBS_LIST = re.compile(r"^[ \t]*[\"']?jobs[\"']?[ \t]*:(?:[ \t\r]*(?:#.*)?\n)*[ \t]*[\[-]", re.M)
_FIRST_KEY = re.compile(r"^([ \t]*)(?!---|%)[^#\s]", re.M)
_INDENT = re.compile(r"\s*")
_NAME = re.compile(r"^[ \t{]*[\"']?name[\"']?\s*:", re.M)
_KDL = re.compile(r"^[ \t]*(?:job|slurm_scheduler|resource_requirements)\s+\"[^\"]*\"\s*\{", re.M)


def sniff(text: str, filename: str) -> float:
    """Tell how much a text looks like a torc specification: a list of jobs, and torc's words."""
    name = filename.lower()
    if name.endswith(".kdl") or _KDL.search(text):
        return 0.9 if _KDL.search(text) else 0.3
    jobs = _JOBS_LIST.search(text)
    if jobs is None or not (text.lstrip().startswith(("{", "/")) or _stands_at_top(text, jobs.start())):
        return 0.0
    score = 0.4
    score += 0.2 if _NAME.search(text) else 0.0
    score += 0.3 if _JOB_KEYS.search(text) else 0.0
    return score + (0.05 if _KEYS.search(text) or name.endswith((".json", ".json5")) else 0.0)


def _stands_at_top(text: str, at: int) -> bool:
    """Whether a key has the indentation of the text's first key."""
    first = _FIRST_KEY.search(text)
    return first is not None and first[1] == (_INDENT.match(text, at) or [""])[0].lstrip("\r\n")


TARGET = Target(
    name="torc",
    title="torc workflow specifications",
    suffixes=(".yaml", ".yml", ".json", ".json5", ".kdl"),
    sniff=sniff,
    codes="pwxc_targets.torc.codes",
    read=Lazy("pwxc_targets.torc.read:read"),
    write=Lazy("pwxc_targets.torc.write:write"),
    lint=Lazy("pwxc_targets.torc.lint:lint"),
    options=(
        Option("version", "0.25", "the torc that is to read the output", ("r0", "r1", "0.12", "0.25", "0.33")),
        Option("format", "yaml", "the format of the output", ("yaml", "json", "json5", "kdl")),
        Option("inline_scripts", "auto", "long scripts in the file, or beside it", ("auto", "always", "never")),
        Option("container", "apptainer", "how a task's image is run", ("apptainer", "none")),
        Option("allocations", "ready", "when nodes are asked for jobs of other systems", ("ready", "start", "none")),
        Option("account", "", "the account of schedulers where the source has none"),
        Option("expansion_limit", "10000", "how many instances of a sweep may be written out"),
    ),
)
