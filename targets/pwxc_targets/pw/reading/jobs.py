"""Jobs into tasks and steps into steps (pw.md §4 to §8, §11, §12)."""

from __future__ import annotations

import re
from typing import Any

import attrs

from pwxc.diagnostics import Related, did_you_mean
from pwxc.ir.data import Variable
from pwxc.ir.entity import Passthrough, changed
from pwxc.ir.expr import Expr, Ref, Root
from pwxc.ir.resources import Placement, Resources
from pwxc.ir.task import ActionCall, Edge, Outcome, Publication, Retry, Script, Step, Task
from pwxc.ir.template import Template
from pwxc.source import Span
from pwxc.yaml.nodes import MappingNode, Node, SequenceNode
from pwxc_targets.pw import model
from pwxc_targets.pw.conditions import read_job_condition, read_step_condition
from pwxc_targets.pw.form import ABSENT
from pwxc_targets.pw.reading import codes as C  # noqa: N812
from pwxc_targets.pw.reading.actions import ACTIONS, SUBMITTER_INPUTS, TARGET_INFO, canonical_name, sub_workflow
from pwxc_targets.pw.reading.agents import absorb_agent
from pwxc_targets.pw.reading.submitters import Submission, read_submission
from pwxc_targets.pw.reading.sweep import read_sweep
from pwxc_targets.pw.reading.texts import Texts

_JOB_NAME = re.compile(r"[a-z0-9_-]{1,255}\Z")
RETRIES, INTERVAL, ATTEMPT_TIMEOUT = 10, 5, 30
"""What `retry` has when it does not say (§6)."""


@attrs.define
class JobReader:
    """Reads the jobs of a workflow; `resources` gathers the classes that they need."""

    texts: Texts
    names: frozenset[str]
    resources: list[Resources] = attrs.field(factory=list)

    def read(self, name: str, job: model.Job, key: Node | None) -> Task:
        """Read a job."""
        texts = self.texts
        texts.job = name
        span = texts.span(key)
        if not _JOB_NAME.match(name):
            message = f"`{name}` is no name of a job: lower-case letters, digits, `_` and `-`, at most 255"
            texts.report(C.BAD_NAME, message, span)
        parents, kept = self._needs(job)
        texts.place = "job.if"
        written = texts.expression(job.if_, texts.node(job, "if")) if job.if_ is not None else None
        when, condition = read_job_condition(written, len(parents))
        edges = tuple(changed(edge, when=when) for edge in parents) if when is not Outcome.SUCCESS else parents
        placement, unplaced = self._job_placement(job)
        steps, placement, classes = self._steps(name, job, placement)
        sweep, unswept = read_sweep(texts, job)
        task = Task(
            name=name,
            steps=steps,
            cleanup=self._cleanup(job),
            needs=edges,
            condition=condition,
            resources=classes[0].name if classes else None,
            beside=tuple(item.name for item in classes[1:]),
            placement=placement,
            environment=self.environment(job, job.env),
            outputs=self._outputs(job),
            working_directory=texts.template_of(job, job.working_directory, "working-directory"),
            run_timeout=texts.duration(job, job.timeout, "timeout"),
            sweep=sweep,
            passthrough=(*kept, *unplaced, *unswept, *texts.unknown(job)),
            span=span,
        )
        return self._absorb_agent(task)

    # what it waits for

    def _needs(self, job: model.Job) -> tuple[tuple[Edge, ...], list[Passthrough]]:
        texts, node = self.texts, self.texts.node(job, "needs")
        if isinstance(job.needs, list):
            children = node.value if isinstance(node, SequenceNode) else [None] * len(job.needs)
            found = [self._edge(str(item), child) for item, child in zip(job.needs, children, strict=True)]
            return tuple({edge.parent: edge for edge in found if edge is not None}.values()), []
        if job.needs is None:
            return (), []
        texts.place = "job.needs"
        if texts.whole(job.needs, node) is not None:
            message = "which jobs are needed is known only when the form is filled in"
            texts.report(C.BAD_VALUE, message, texts.span(node), help="write the names as a list")
            return (), texts.kept(job, "needs")
        texts.old_form("`needs` is a list", texts.span(node), f"write `needs: [{job.needs}]`")
        edge = self._edge(str(job.needs), node)
        return () if edge is None else (edge,), []

    def _edge(self, text: str, node: Node | None) -> Edge | None:
        name, _, any_ = text.partition(":")
        span = self.texts.span(node)
        if name not in self.names:
            message = f"there is no job `{name}`"
            self.texts.report(C.UNKNOWN_NEED, message, span, help=did_you_mean(name, self.names))
            return None
        return Edge(parent=name, any_instance=any_ == "any", span=span)

    # where it runs

    def _job_placement(self, job: model.Job) -> tuple[Placement | None, list[Passthrough]]:
        if job.runs_on is None:
            return self.placement(job.ssh), []
        if job.ssh is not ABSENT and job.ssh is not None:
            message = "a job has `ssh` or `runs-on`, not both"
            self.texts.report(C.SSH_AND_RUNS_ON, message, self.texts.at(job, "runs-on"))
        self.texts.place = "job.runs-on"
        kept = self.texts.kept(job, "runs-on")
        span = self.texts.at(job, "runs-on")
        if isinstance(job.runs_on, model.RunsOn):
            target = job.runs_on.target_id
            cluster = self.texts.whole(target, self.texts.node(job.runs_on, "targetId"))
            return Placement(cluster=cluster, scheduled=job.runs_on.mode != "login", span=span), kept
        return Placement(cluster=self.texts.whole(job.runs_on, self.texts.node(job, "runs-on")), scheduled=True), kept

    def placement(self, ssh: model.Ssh | None) -> Placement | None:
        """Read an `ssh` map; None when the key is absent. Null and an empty host are the workspace."""
        if ssh is ABSENT:
            return None
        if ssh is None:
            return Placement()
        texts = self.texts
        texts.place = "job.ssh"
        host = texts.template_of(ssh, ssh.remote_host, "remoteHost")
        return Placement(
            host=host or None,
            user=texts.template_of(ssh, ssh.remote_user, "remoteUser"),
            jump_host=texts.template_of(ssh, ssh.jump_node_host, "jumpNodeHost"),
            jump_user=texts.template_of(ssh, ssh.jump_node_user, "jumpNodeUser"),
            cluster=_cluster(host),
            passthrough=(*texts.kept(ssh, "disconnect-timeout"), *texts.unknown(ssh)),
            span=texts.at(ssh),
        )

    def environment(self, construct: Any, env: dict[str, Any] | None) -> tuple[Variable, ...]:
        """Read an `env` map."""
        node = self.texts.node(construct, "env")
        self.texts.place = "workflow.env" if isinstance(construct, model.PwWorkflow) else "step.env"
        if not isinstance(node, MappingNode) or not env:
            return ()
        values = {key.value: (key, value) for key, value in node.value}
        return tuple(
            Variable(
                name=name, value=self.texts.template(value, values[name][1]), span=self.texts.span(values[name][0])
            )
            for name, value in env.items()
        )

    def _outputs(self, job: model.Job) -> tuple[Publication, ...]:
        node = self.texts.node(job, "outputs")
        self.texts.place = "job.outputs"
        found = []
        for name, value in (job.outputs or {}).items():
            template = self.texts.template(value, self.texts.node(node, name))
            self.texts.check_name(name, "an output", self.texts.key_span(node, name))
            found.append(Publication(name, template if template.whole is None else template.whole))
        return tuple(found)

    # what it does

    def _steps(
        self, name: str, job: model.Job, placement: Placement | None
    ) -> tuple[tuple[Step, ...], Placement | None, tuple[Resources, ...]]:
        if not job.steps:
            self.texts.report(C.NO_JOBS, f"the job `{name}` has no steps", self.texts.at(job, "steps"))
        self._check_ids(job)
        read = [self._step(step) for step in job.steps]
        submissions = [self._submission(name, step, made) for step, made in zip(job.steps, read, strict=True)]
        classes = [found.resources for found in submissions if found is not None and found.resources]
        if len(classes) > 1 and any(other != classes[0] for other in classes[1:]):
            # a task has one class: jobs that submit with several keep their calls
            return tuple(read), placement, ()
        resources = classes[0] if classes else ()
        self.resources.extend(resources)
        if len(read) == 1 and (only := submissions[0]) is not None and len(only.steps) == 1:
            return only.steps, self._merged(only.placement, placement), resources
        steps: list[Step] = []
        for made, found in zip(read, submissions, strict=True):
            if found is None:
                steps.append(made)
            else:
                *before, last = found.steps
                steps += [*before, changed(last, placement=found.placement)]
        return tuple(steps), placement, resources

    def _merged(self, submitted: Placement, job: Placement | None) -> Placement:
        if job is None:
            return submitted
        return changed(
            job,
            host=submitted.host or job.host,
            cluster=submitted.cluster or job.cluster,
            scheduled=submitted.scheduled,
        )

    def _submission(self, job: str, step: model.Step, made: Step) -> Submission | None:
        if not isinstance(made.work, ActionCall):
            return None
        called = sub_workflow(made.work.name, (step.with_ or {}).get("$yaml"))
        if called is None or called.name not in SUBMITTER_INPUTS:
            return None
        if not called.version.startswith("5"):
            for path, known in SUBMITTER_INPUTS[called.name].items():
                self._check_names(called.name, self.texts.node(step, "with", *path), known)
        return read_submission(made, called, made.work.arguments, job)

    def _check_ids(self, job: model.Job) -> None:
        first: dict[str, Span | None] = {}
        for step in job.steps:
            if step.id is None:
                continue
            span = self.texts.at(step, "id")
            if step.id in first:
                place = first[step.id]
                related = [Related(place, "first here")] if place is not None else []
                self.texts.report(C.DUPLICATE_STEP, f"two steps have the id `{step.id}`", span, related=related)
            first.setdefault(step.id, span)

    def _cleanup(self, job: model.Job) -> tuple[Step, ...]:
        if not job.cleanup:
            return ()
        message = "`cleanup` of a job is in older documentation only"
        self.texts.old_form(message, self.texts.at(job, "cleanup"), "give the `cleanup` to a step")
        return tuple(self._step(step) for step in job.cleanup)

    def _step(self, step: model.Step) -> Step:
        texts = self.texts
        texts.place = "step.if"
        condition = texts.expression(step.if_, texts.node(step, "if")) if step.if_ is not None else None
        if step.early_cancel not in (None, "any-job-failed"):
            span = texts.at(step, "early-cancel")
            texts.report(C.BAD_VALUE, "`early-cancel` has one value: `any-job-failed`", span)
        retry, unknown = self._retry(step)
        return Step(
            work=self._work(step),
            name=texts.template_of(step, step.name, "name"),
            id=None if step.id is None else str(step.id),
            condition=read_step_condition(condition),
            environment=self.environment(step, step.env),
            placement=self.placement(step.ssh),
            working_directory=texts.template_of(step, step.working_directory, "working-directory"),
            timeout=texts.duration(step, step.timeout, "timeout"),
            retry=retry,
            cleanup=texts.template_of(step, step.cleanup, "cleanup"),
            ignore_errors=texts.switch(step, step.ignore_errors, "ignore-errors"),
            stop_when_another_fails=step.early_cancel == "any-job-failed",
            passthrough=(*unknown, *texts.unknown(step)),
            span=texts.at(step.node),
        )

    def _work(self, step: model.Step) -> Script | ActionCall:
        texts = self.texts
        if (step.run is None) == (step.uses is None):
            message = (
                "the step has both `run` and `uses`" if step.run is not None else "the step has no `run` or `uses`"
            )
            texts.report(C.STEP_WORK, message, texts.at(step.node))
        if step.uses is None:
            shell = str(step.shell).split() if step.shell is not None else ["bash"]
            return Script(texts.template_of(step, step.run, "run") or Template(), tuple(shell) or ("bash",))
        name = canonical_name(str(step.uses))
        if name != step.uses:
            texts.old_form(f"`{step.uses}` is the action `{name}`", texts.at(step, "uses"), f"write `uses: {name}`")
        texts.place = "step.with"
        arguments = texts.data(step.with_ or {}, texts.node(step, "with"))
        self._check_action(step, name, arguments)
        return ActionCall(name, arguments)

    def _check_action(self, step: model.Step, name: str, arguments: dict[str, Any]) -> None:
        texts = self.texts
        action = ACTIONS.get(name)
        if action is None:
            if name.startswith("parallelworks/"):
                message, span = f"there is no action `{name}`", texts.at(step, "uses")
                texts.report(C.UNKNOWN_ARGUMENT, message, span, help=did_you_mean(name, ACTIONS))
            return
        self._check_names(name, texts.node(step, "with"), action.inputs)
        if name == "parallelworks/update-session":
            self._check_names(name, texts.node(step, "with", "targetInfo"), TARGET_INFO)
        for wanted in action.required:
            if wanted not in arguments:
                texts.report(C.MISSING_ARGUMENT, f"`{name}` needs `{wanted}`", texts.at(step, "uses"))
        if name == "parallelworks/cancel-jobs" and isinstance(arguments.get("jobs"), list):
            self._check_cancelled(step, arguments["jobs"])

    def _check_names(self, action: str, node: Node | None, known: frozenset[str]) -> None:
        for key, _ in node.value if isinstance(node, MappingNode) else ():
            if key.value not in known and not key.value.startswith("$"):
                message, help_text = f"`{action}` has no input `{key.value}`", did_you_mean(key.value, known)
                self.texts.report(C.UNKNOWN_ARGUMENT, message, self.texts.span(key), help=help_text)

    def _check_cancelled(self, step: model.Step, jobs: list[Any]) -> None:
        for index, job in enumerate(jobs):
            if isinstance(job, str) and job not in self.names:
                span = self.texts.at(step, "with", "jobs", index)
                message = f"there is no job `{job}` to cancel"
                self.texts.report(C.UNKNOWN_JOB, message, span, help=did_you_mean(job, self.names))

    def _retry(self, step: model.Step) -> tuple[Retry | None, list[Passthrough]]:
        retry, texts = step.retry, self.texts
        if retry is None:
            return None, []
        limit = texts.count(retry, retry.max_retries, "max-retries")
        interval = texts.duration(retry, retry.interval, "interval")
        timeout = texts.duration(retry, retry.timeout, "timeout")
        made = Retry(
            limit=RETRIES if limit is None else limit,
            interval=INTERVAL if interval is None else interval,
            attempt_timeout=ATTEMPT_TIMEOUT if timeout is None else timeout,
            clean=texts.switch(retry, retry.clean_on_retry, "clean-on-retry"),
            span=texts.at(step, "retry"),
        )
        return made, texts.unknown(retry, "retry")

    def _absorb_agent(self, task: Task) -> Task:
        if task.resources is not None:
            return task
        absorbed = absorb_agent(task)
        if absorbed is None:
            return task
        task, resources = absorbed
        self.resources.append(resources)
        return task


def _cluster(host: Template | None) -> Expr | None:
    """Give the cluster whose address a host is, when it is written as `${{ inputs.CLUSTER.ip }}`."""
    whole = host.whole if host is not None else None
    if isinstance(whole, Ref) and whole.root in (Root.INPUT, Root.APP, Root.SWEEP) and whole.path[-1:] == ("ip",):
        return attrs.evolve(whole, path=whole.path[:-1])
    return None
