"""Parallel Works ACTIVATE workflow files."""

from __future__ import annotations

import re

from pwxc.registry import Lazy, Option, Target

_JOBS = re.compile(r"^[\"']?jobs[\"']?[ \t]*:", re.MULTILINE)
_EXECUTE = re.compile(r"^[ \t]+[\"']?execute[\"']?[ \t]*:", re.MULTILINE)
_BODY = re.compile(r"^[ \t]+-?[ \t]*[\"']?(steps|runs-on|ssh|uses|early-cancel|remoteHost)[\"']?[ \t]*:", re.MULTILINE)
_SCHEMA = "activate.parallel.works/workflow.schema.json"
_ACTIONS_ONLY = re.compile(r"^[ \t]+runs-on[\"']?[ \t]*:[ \t]*[\"']?(?:ubuntu|windows|macos|self-hosted)", re.MULTILINE)


def looks_like_pw(text: str, filename: str) -> float:
    """Say how much a text looks like an ACTIVATE workflow: `jobs` with steps, and a form."""
    if _SCHEMA in text:
        return 1.0
    if _JOBS.search(text) is None and '"jobs"' not in text:
        return 0.0
    if _EXECUTE.search(text) is not None or '"execute"' in text:
        return 0.95
    if _BODY.search(text) is None and '"steps"' not in text:
        return 0.0
    return 0.1 if _ACTIONS_ONLY.search(text) is not None else 0.8


TARGET = Target(
    name="pw",
    title="Parallel Works ACTIVATE",
    suffixes=(".yaml", ".yml"),
    sniff=looks_like_pw,
    codes="pwxc_targets.pw.codes",
    read=Lazy("pwxc_targets.pw.read:read"),
    write=Lazy("pwxc_targets.pw.write:write"),
    lint=Lazy("pwxc_targets.pw.lint:lint"),
    options=(
        Option(
            "submit",
            "auto",
            "how tasks run: over ssh, or through the cluster's scheduler; `auto` submits what its source submits",
            ("auto", "ssh", "job_runner"),
        ),
        Option("container", "apptainer", "what runs images; `none` leaves them out", ("apptainer", "none")),
        Option(
            "secrets",
            "password",
            "what a credential becomes: a password input, or a variable of the organisation",
            ("password", "organisation"),
        ),
        Option("copy", "auto", "what copies data from and to stores"),
        Option(
            "retries",
            "3",
            "how often a task is tried again whose source leaves the number to its site",
            pattern=r"\d{1,6}",
        ),
        Option(
            "expansion_limit",
            "10000",
            "how many values of a sweep's variable are written out at most",
            pattern=r"[1-9][0-9]{0,8}",
        ),
        Option("generation", "3", "which generation of the language is written", ("3", "4")),
    ),
)
