"""ACTIVATE workflow files into the IR: the file as a whole (pw.md §3)."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import PurePath
from typing import Any

from pwxc.diagnostics import Diagnostics, Related, did_you_mean
from pwxc.ir.entity import Passthrough, changed
from pwxc.ir.inputs import Input
from pwxc.ir.task import Task
from pwxc.ir.workflow import Session, Workflow
from pwxc.registry import ReadSettings
from pwxc.source import Source
from pwxc.yaml.nodes import MappingNode, Node
from pwxc_targets.pw import form, model
from pwxc_targets.pw.form import ABSENT
from pwxc_targets.pw.model import entries
from pwxc_targets.pw.reading import codes as C  # noqa: N812
from pwxc_targets.pw.reading.checks import Checker
from pwxc_targets.pw.reading.form import FormReader, read_presets
from pwxc_targets.pw.reading.jobs import JobReader
from pwxc_targets.pw.reading.surface import read_model
from pwxc_targets.pw.reading.texts import Texts, has_hole
from pwxc_targets.pw.same import Own

_GENERIC_NAMES = frozenset({"workflow", "", "<stdin>", "<text>"})
_FLAGS = ("redirect", "useTLS", "useCustomDomain", "openAI", "detach")


def read(sources: tuple[Source, ...], settings: ReadSettings, diagnostics: Diagnostics) -> Workflow | None:
    """Read a workflow file; None when it has errors."""
    for source in sources[1:]:
        diagnostics.add(C.SEVERAL_FILES, f"`{source.name}` is a second file", source.span(0, 0))
    found = read_model(sources[0], diagnostics)
    if found is None:
        return None
    context, written = found
    workflow = read_workflow(Texts(context), written)
    return changed(workflow, origin=Own(written, workflow))


def read_workflow(texts: Texts, written: model.PwWorkflow) -> Workflow:
    """Turn a surface model into the IR. What is wrong stands in the diagnostics of the reading."""
    inputs, kept = _inputs(texts, written)
    jobs = entries(written.jobs, model.Job)
    if not jobs:
        texts.report(C.NO_JOBS, "the workflow has no jobs", texts.at(written, "jobs"))
    reader = JobReader(texts, frozenset(jobs))
    keys = _keys(texts.node(written, "jobs"))
    tasks = tuple(reader.read(name, job, keys.get(name)) for name, job in jobs.items())
    texts.job = None
    _check_order(texts, tasks)
    sessions = _sessions(texts, written)
    presets = entries(written.configurations, model.Configuration)
    workflow = Workflow(
        name=_name(texts, written),
        dialect="pw",
        inputs=inputs,
        presets=read_presets(texts, presets, _keys(texts.node(written, "configurations")), inputs),
        environment=reader.environment(written, written.env),
        tasks=tasks,
        resources=tuple(reader.resources),
        sessions=sessions,
        timeout=texts.duration(written, written.timeout, "timeout"),
        permissions=_permissions(texts, written),
        passthrough=(*kept, *_kept(texts, written)),
        span=texts.at(written.node),
    )
    _check_app(texts, written, inputs)
    sweeps = {task.name: task.sweep for task in tasks}
    Checker.of(texts, jobs, sweeps, inputs, frozenset(written.sessions or ())).run()
    return workflow


def _keys(node: Node | None) -> dict[str, Node]:
    return {key.value: key for key, _ in node.value} if isinstance(node, MappingNode) else {}


def _name(texts: Texts, written: model.PwWorkflow) -> str:
    if written.name is not None:
        message = "a workflow has no `name`: the platform names it by its repository or record"
        texts.old_form(message, texts.at(written, "name"), "remove it")
        return str(written.name)
    path = PurePath(texts.context.document.source.name)
    name = path.stem if path.stem not in _GENERIC_NAMES else path.parent.name
    return name or "workflow"


def _inputs(texts: Texts, written: model.PwWorkflow) -> tuple[tuple[Input, ...], list[Passthrough]]:
    execute = written.on.execute if written.on is not None else None
    kept = [*texts.unknown(written.on, "on"), *texts.unknown(execute, "on", "execute")]
    if execute is None or not execute.inputs:
        return (), kept
    meta = execute.inputs.get("$meta")
    wizard = meta.wizard if isinstance(meta, form.Meta) else None
    flat = wizard is None or wizard.flatten is not False
    node = texts.node(execute, "inputs")
    if "$meta" in execute.inputs:
        kept += _verbatim(texts, texts.node(node, "$meta"), ("on", "execute", "inputs", "$meta"))
    return FormReader(texts, flat).read(execute.inputs, node), kept


def _verbatim(texts: Texts, node: Node | None, path: tuple[str, ...]) -> list[Passthrough]:
    return [] if node is None else [Passthrough("pw", path, texts.plain(node), texts.span(node))]


def _permissions(texts: Texts, written: model.PwWorkflow) -> tuple[str, ...]:
    if written.permissions is None:
        return ()
    if not isinstance(written.permissions, list):
        texts.old_form("`permissions` is a list", texts.at(written, "permissions"), "write `permissions: ['*']`")
        return (str(written.permissions),)
    return tuple(str(item) for item in written.permissions)


def _sessions(texts: Texts, written: model.PwWorkflow) -> tuple[Session, ...]:
    keys = _keys(texts.node(written, "sessions"))
    found = []
    for name, session in (written.sessions or {}).items():
        span = texts.span(keys.get(name))
        if session is None:
            found.append(Session(name=name, span=span))
        elif isinstance(session, model.Session):
            found.append(
                Session(
                    name=name,
                    kind=str(session.type or "tunnel"),
                    options=_session_options(texts, session),
                    passthrough=tuple(texts.unknown(session)),
                    span=span,
                )
            )
    return tuple(found)


def _session_options(texts: Texts, session: model.Session) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for name, value in zip(
        _FLAGS,
        (session.redirect, session.use_tls, session.use_custom_domain, session.open_ai, session.detach),
        strict=True,
    ):
        if value is not None:
            options[name] = texts.switch(session, value, name)
    prompt = session.prompt_for_name
    if prompt is not ABSENT:
        options["prompt-for-name"] = {} if prompt is None or prompt.default is None else {"default": prompt.default}
    return options


def _kept(texts: Texts, written: model.PwWorkflow) -> list[Passthrough]:
    """Keep what the IR has no noun for; expressions in it are read all the same, so that they are checked."""
    found = texts.kept(written, "needs", "app", "links") + texts.unknown(written)
    texts.place = "links"
    for link in entries(written.links, model.Link).values():
        for name, value in (("url", link.url), ("redirect", link.redirect), ("detach", link.detach)):
            if has_hole(value):
                texts.template_of(link, value, name)
    for under, constructs in (("sessions", written.sessions), ("jobs", written.jobs)):
        for name, value in (constructs or {}).items():
            if isinstance(value, str | int | float):
                found.append(Passthrough("pw", (under, name), value, texts.at(texts.node(written, under, name))))
    return found


def _check_app(texts: Texts, written: model.PwWorkflow, inputs: tuple[Input, ...]) -> None:
    if not isinstance(written.app, model.App):
        return
    target = str(written.app.target or "")
    span = texts.at(written, "app", "target")
    if not target.startswith("inputs."):
        texts.report(C.NO_APP, "the target of an app is `inputs.PATH`", span)
        return
    known: tuple[Input, ...] = inputs
    for name in target.split(".")[1:]:
        found = next((item for item in known if item.name == name), None)
        if found is None:
            message = f"the form has no input `{target.removeprefix('inputs.')}`"
            texts.report(C.NO_APP, message, span, help=did_you_mean(name, [item.name for item in known]))
            return
        known = found.items


def _check_order(texts: Texts, tasks: tuple[Task, ...]) -> None:
    """Report each circle of jobs once."""
    needs: Mapping[str, list[str]] = {task.name: [edge.parent for edge in task.needs] for task in tasks}
    spans = {(task.name, edge.parent): edge.span for task in tasks for edge in task.needs}
    done: set[str] = set()
    for start in needs:
        path: list[str] = []
        stack = [(start, iter(needs[start]))] if start not in done else []
        path.extend(name for name, _ in stack)
        while stack:
            name, rest = stack[-1]
            following = next(rest, None)
            if following is None:
                done.add(name)
                stack.pop()
                path.pop()
            elif following in path:
                circle = [*path[path.index(following) :], following]
                _report_circle(texts, circle, spans)
            elif following not in done:
                stack.append((following, iter(needs[following])))
                path.append(following)


def _report_circle(texts: Texts, circle: list[str], spans: Mapping[tuple[str, str], Any]) -> None:
    steps = list(pairwise(circle))
    related = [
        Related(span, f"`{child}` waits for `{parent}`")
        for child, parent in steps[:-1]
        if (span := spans[child, parent]) is not None
    ]
    message = f"the job `{circle[0]}` waits for itself"
    if len(circle) > 2:
        message = "jobs wait for each other in a circle: " + " → ".join(f"`{name}`" for name in circle)
    texts.report(C.CYCLE, message, spans[steps[-1]], related=related)
