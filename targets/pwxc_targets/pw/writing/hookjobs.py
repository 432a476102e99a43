"""Hooks as jobs and steps of their own (torc.md §25.6).

A hook's failure fails nothing, so its step ignores errors, and nothing waits for it but the first jobs for a hook of
the workflow's start. What workers do at their start and end becomes steps of every job.
"""

from __future__ import annotations

import re

import attrs

from pwxc.fidelity import Account
from pwxc.ir.task import Edge, Outcome, Task
from pwxc.ir.workflow import Hook, RequestAllocation, RunCommands, Trigger, Unit, gang_of
from pwxc.shell import ShellText
from pwxc_targets.pw import model
from pwxc_targets.pw.writing import codes as C  # noqa: N812
from pwxc_targets.pw.writing.context import Writing, project_folder
from pwxc_targets.pw.writing.kept import settle_kept
from pwxc_targets.pw.writing.nativenames import NativeNames
from pwxc_targets.pw.writing.spelling import Spelling

_NAMES = {
    Trigger.WORKFLOW_START: "workflow-start",
    Trigger.WORKFLOW_COMPLETE: "workflow-complete",
    Trigger.TASKS_READY: "jobs-ready",
    Trigger.TASKS_COMPLETE: "jobs-complete",
    Trigger.WORKER_START: "worker-start",
    Trigger.WORKER_COMPLETE: "worker-complete",
}


@attrs.define
class Hooks:
    """What hooks put around the jobs."""

    writing: Writing
    first: list[str] = attrs.field(factory=list)
    """Jobs that every job without needs waits for."""
    before: list[model.Step] = attrs.field(factory=list)
    after: list[model.Step] = attrs.field(factory=list)
    around: tuple[list[str], list[str]] = attrs.field(factory=lambda: ([], []))
    _waiting: list[tuple[Hook, RunCommands]] = attrs.field(factory=list)

    def read(self) -> None:
        """Settle the hooks, and add the jobs that come first."""
        for hook in self.writing.workflow.hooks:
            with self.writing.ledger.of(hook, where=f"a job for {_NAMES[hook.trigger]}") as account:
                account.emulate("trigger", "tasks", "patterns", "persistent")
                settle_kept(self.writing, account, hook.passthrough)
                if isinstance(hook.action, RequestAllocation):
                    message = "each job asks for its own nodes when it is ready; no nodes are shared or asked for ahead"
                    account.emulate("action")
                    account.approximate("action", C.ALLOCATION, message, once=True)
                    continue
                account.emulate("action")
                self._commands(account, hook, hook.action)

    def _commands(self, account: Account, hook: Hook, action: RunCommands) -> None:
        if hook.trigger is Trigger.WORKFLOW_START or (hook.trigger is Trigger.WORKER_START and not hook.persistent):
            self.first.append(self._add(hook, action))
        elif hook.trigger in (Trigger.WORKER_START, Trigger.WORKER_COMPLETE) and hook.persistent:
            message = "what each worker does at its start or end is done around each job"
            account.approximate("persistent", C.WORKERS, message)
            start = hook.trigger is Trigger.WORKER_START
            step = self._step(hook, action)
            if start:
                self.before.append(step)
                self.around[0].extend(self._lines(action, " || :"))
            else:
                step.if_ = "${{ always }}"
                self.after.append(step)
                self.around[1].extend(self._lines(action, " || :"))
        else:
            self._waiting.append((hook, action))

    def finish(self) -> None:
        """Add the jobs that wait for others."""
        for hook, action in self._waiting:
            name = self._add(hook, action)
            job = self.writing.extra[name]
            with self.writing.ledger.of(hook) as account:
                job.needs, job.if_ = self._order(account, hook, name)

    def _order(self, account: Account, hook: Hook, name: str) -> tuple[list[str] | None, str | None]:
        from pwxc_targets.pw.writing.order import wait_for

        if hook.trigger is Trigger.TASKS_READY:
            edges = [edge for unit in self._units(account, hook) for edge in unit.needs]
            unique = {(edge.parent, edge.when): edge for edge in edges if edge.when is not Outcome.START}
            needs, test = wait_for(self.writing, account, name, list(unique.values()))
            return needs or self.first or None, test
        if hook.trigger is Trigger.TASKS_COMPLETE:
            parents = [unit.name for unit in self._units(account, hook)]
        else:
            parents = list(self.writing.jobs)
        needs, test = wait_for(self.writing, account, name, [Edge(parent=item, when=Outcome.END) for item in parents])
        return needs or self.first or None, test

    def _units(self, account: Account, hook: Hook) -> list[Unit]:
        """Give the selected tasks; for members of a gang, the gang."""
        gangs = gang_of(self.writing.workflow)
        found: list[Unit] = [gangs.get(task.name, task) for task in self._selected(account, hook)]
        return list({unit.name: unit for unit in found}.values())

    def _selected(self, account: Account, hook: Hook) -> list[Task]:
        patterns = []
        for text in hook.patterns:
            try:
                patterns.append(re.compile(text))
            except re.error:
                # the reader has resolved the patterns of its own language to names
                continue
        tasks = self.writing.workflow.tasks
        found = [
            task
            for task in tasks
            if task.name in hook.tasks or (not hook.tasks and any(item.search(task.name) for item in patterns))
        ]
        if not found:
            account.drop("tasks", C.NO_COUNTERPART, "the hook selects no job, so nothing sets it off")
        return found

    def _add(self, hook: Hook, action: RunCommands) -> str:
        from pwxc_targets.pw.writing.foreignjob import cluster_ssh

        name = self.writing.new_job(f"on-{_NAMES[hook.trigger]}")
        needs = list(self.first) if hook.trigger is Trigger.WORKFLOW_START else []
        self.writing.extra[name] = model.Job(
            needs=needs or None,
            ssh=cluster_ssh(self.writing),
            working_directory=project_folder(self.writing),
            steps=[self._step(hook, action)],
        )
        return name

    def _step(self, hook: Hook, action: RunCommands) -> model.Step:
        return model.Step(
            name=f"At {_NAMES[hook.trigger].replace('-', ' ')}",
            run="\n".join(["set -e", *self._lines(action)]) + "\n",
            ignore_errors=True,
        )

    def _lines(self, action: RunCommands, end: str = "") -> list[str]:
        spelling = Spelling(self.writing)
        shell = ShellText(NativeNames(spelling))
        lines = []
        for command in action.commands:
            word = shell.word(spelling.expand(command))
            lines.append(f"bash -c {word}")
        if end:
            lines = ["{ " + " && ".join(lines) + "; }" + end]
        return [*shell.preamble, *shell.lines, *lines]
