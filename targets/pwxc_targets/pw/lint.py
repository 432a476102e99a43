"""ACTIVATE's own rules and good habit: what reads well and goes wrong at run time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from pwxc.diagnostics import Diagnostics
from pwxc.expr.place import Locate
from pwxc.ir.expr import Ref, Root, refs
from pwxc.registry import ReadSettings
from pwxc.source import Source
from pwxc.yaml.nodes import MappingNode, Node, ScalarNode
from pwxc_targets.pw import model
from pwxc_targets.pw.conditions import has_status
from pwxc_targets.pw.form import ABSENT
from pwxc_targets.pw.linting import codes as C  # noqa: N812
from pwxc_targets.pw.linting.form import lint_form
from pwxc_targets.pw.linting.quoting import blank_documents, find_unquoted
from pwxc_targets.pw.linting.subject import File
from pwxc_targets.pw.read import read_workflow
from pwxc_targets.pw.reading.surface import read_model
from pwxc_targets.pw.reading.texts import Texts

_TILDE_IN_QUOTES = re.compile(r"(?<![\w\\])\"~/")
_FOREIGN = re.compile(r"\bGITHUB_(?:ENV|OUTPUT|PATH|STEP_SUMMARY)\b")
_PLATFORM_CALL = re.compile(
    r"(?:^|[;&|(]|\$\()[ \t]*pw[ \t]+(?:clusters?|workflows?|sessions?|endpoints?|buckets?|storage|agent|ssh|scp|kube"
    r"|kubernetes|auth)\b",
    re.MULTILINE,
)
_HOLE = re.compile(r"\$\{\{.*?\}\}|\$<<.*?>>", re.DOTALL)
_PATHS = frozenset(
    {"path", "rundir", "script_path", "cleanup_script_path", "start_service_script", "controller_script"}
)


def lint(sources: tuple[Source, ...], settings: ReadSettings, diagnostics: Diagnostics) -> None:
    """Check a text that was read before; what reading has said is not said again."""
    found = read_model(sources[0], Diagnostics())
    if found is None:
        return
    context, written = found
    texts = Texts(context)
    workflow = read_workflow(texts, written)
    context.diagnostics = diagnostics
    file = File(texts, written, workflow)
    for rule in _RULES:
        rule(file)


def _bare_on(file: File) -> None:
    for key, _ in file.written.node.value if file.written.node is not None else ():
        if isinstance(key, ScalarNode) and key.value == "on" and not key.style:
            file.report(C.BARE_ON, "`on` without quotes is the boolean true for many loaders", key)


def _tilde(file: File) -> None:
    for place, value, node in _paths(file):
        if isinstance(value, str) and re.match(r"~(?:/|\Z)", value):
            file.report(C.TILDE, f"`~` is not expanded in {place}", node)


def _paths(file: File) -> Iterator[tuple[str, object, Node | None]]:
    for name, job in file.jobs.items():
        yield f"the folder of the job `{name}`", job.working_directory, file.node(job, "working-directory")
        for step in job.steps:
            yield "the folder of a step", step.working_directory, file.node(step, "working-directory")
            yield from _argument_paths(step.with_ or {}, file.node(step, "with"))


def _argument_paths(values: dict[str, object], node: Node | None) -> Iterator[tuple[str, object, Node | None]]:
    for key, child in node.value if isinstance(node, MappingNode) else ():
        value = values.get(key.value)
        if isinstance(value, dict):
            yield from _argument_paths(value, child)
        elif key.value in _PATHS:
            yield f"the argument `{key.value}`", value, child


# scripts


def _scripts(file: File) -> Iterator[tuple[str, Locate]]:
    """Give every script with its expressions made into words of the same length, and a way to point into it."""
    for _, _, step in file.steps():
        for name, value in (("run", step.run), ("cleanup", step.cleanup)):
            node = file.node(step, name)
            if isinstance(value, str) and isinstance(node, ScalarNode):
                yield _HOLE.sub(lambda hole: "x" * len(hole[0]), value), file.texts.locate(node)


def _script_rules(file: File) -> None:
    for script, locate in _scripts(file):
        _unquoted(file, script, locate)
        for found in _TILDE_IN_QUOTES.finditer(blank_documents(script)):
            message = "`~` is not expanded in quotes"
            file.say(C.TILDE, message, locate(found.end() - 2, found.end() - 1), help='write `"$HOME/…"`')
        for found in _FOREIGN.finditer(script):
            file.say(C.FOREIGN_VARIABLE, f"there is no `${found.group()}` here", locate(found.start(), found.end()))


def _unquoted(file: File, script: str, locate: Locate) -> None:
    seen: set[str] = set()
    found = find_unquoted(script)
    for item in found:
        if item.name in seen:
            continue
        seen.add(item.name)
        others = sum(other.name == item.name for other in found) - 1
        notes = (f"and {others} more in this script",) if others else ()
        message = f"`{script[item.low : item.high]}` without quotes is split at blanks"
        file.say(C.UNQUOTED, message, locate(item.low, item.high), notes=notes)


# jobs and steps


def _ssh(file: File) -> None:
    for name, job in file.jobs.items():
        _ssh_host(file, job.ssh, job.node, f"the job `{name}`")
        for step in job.steps:
            _ssh_host(file, step.ssh, step.node, "a step")
        local = [step for step in job.steps if _runs_in_workspace(job, step)]
        if file.clusters and local:
            others = f" and {len(local) - 1} more" if len(local) > 1 else ""
            message = f"this script of the job `{name}`{others} runs in the user's workspace, not on a cluster"
            hint = f"add `ssh: {{remoteHost: ${{{{ inputs.{file.clusters[0]}.ip }}}}}}` to the job if it belongs there"
            file.report(C.STEP_WITHOUT_SSH, message, local[0].node, help=hint)


def _runs_in_workspace(job: model.Job, step: model.Step) -> bool:
    if step.run is None or job.runs_on is not None:
        return False
    return job.ssh is ABSENT and step.ssh is ABSENT and not _PLATFORM_CALL.search(str(step.run))


def _ssh_host(file: File, ssh: model.Ssh | None, node: MappingNode | None, owner: str) -> None:
    if isinstance(ssh, model.Ssh) and ssh.remote_host in (None, ""):
        file.report(C.SSH_WITHOUT_HOST, f"the `ssh` of {owner} has no `remoteHost`", file.node(node, "ssh") or node)


def _retry(file: File) -> None:
    for _, _, step in file.steps():
        if step.retry is not None and step.retry.timeout is None:
            what = "of the sub-workflow " if step.uses is not None else ""
            message = f"without `timeout` every attempt {what}ends after 30 seconds"
            file.say(C.RETRY_WITHOUT_TIMEOUT, message, file.texts.key_span(step.node, "retry"))


def _status(file: File) -> None:
    for use in file.texts.uses:
        if use.place != "job.if" or use.job is None or file.jobs[use.job].needs not in (None, []):
            continue
        words = [ref.path[0] for ref in refs(use.expr) if ref.root is Root.STATUS]
        if has_status(use.expr) and any(word in ("error", "canceled", "completed") for word in words):
            message = f"the job `{use.job}` asks how others ended and needs none"
            file.say(C.STATUS_WITHOUT_NEEDS, message, use.expr.span)


def _optional_store(file: File) -> None:
    stores = file.optional_stores
    for use in file.texts.uses:
        if use.place not in ("step.run", "step.with") or use.job is None:
            continue
        for ref in refs(use.expr):
            name = ".".join(ref.path)
            store = next((path for path in stores if name == path or name.startswith(f"{path}.")), None)
            if isinstance(ref, Ref) and ref.root is Root.INPUT and store and not file.is_guarded(use):
                message = f"`inputs.{store}` may be absent, and this runs all the same"
                hint = f"add `if: ${{{{ inputs.{store} }}}}` to the step"
                file.say(C.OPTIONAL_STORE_USED, message, ref.span, help=hint)


def _permissions(file: File) -> None:
    if file.written.permissions:
        return
    for _, _, step in file.steps():
        calls = isinstance(step.run, str) and _PLATFORM_CALL.search(_HOLE.sub("x", step.run))
        if step.uses in ("parallelworks/cancel-jobs", "cancel-jobs") or calls:
            name = "`cancel-jobs`" if step.uses is not None else "`pw`"
            message = f"{name} needs `permissions`, and the file asks for none"
            file.report(C.NO_PERMISSIONS, message, step.node, help="add `permissions: ['*']` at the top")
            return


def _env_recursion(file: File) -> None:
    for use in file.texts.uses:
        if use.place == "workflow.env":
            for ref in refs(use.expr):
                if ref.root is Root.INPUT and ref.path[:1] == ("env",):
                    message = "the top-level `env` reads a group that is called `env`"
                    file.say(C.ENV_RECURSION, message, ref.span)


def _redirects(file: File) -> None:
    opened: list[str] = []
    for under, constructs in (("sessions", file.written.sessions), ("links", file.written.links)):
        for name, construct in (constructs or {}).items():
            if isinstance(construct, model.Session | model.Link) and construct.redirect is True:
                opened.append(name)
                if len(opened) > 1:
                    message = f"`{opened[0]}` opens itself already"
                    node = file.node(file.written, under, name, "redirect")
                    file.report(C.SEVERAL_REDIRECTS, message, node)


_RULES: tuple[Callable[[File], None], ...] = (
    _bare_on,
    lint_form,
    _tilde,
    _script_rules,
    _ssh,
    _retry,
    _status,
    _optional_store,
    _permissions,
    _env_recursion,
    _redirects,
)
"""All rules, in the order in which they speak."""
