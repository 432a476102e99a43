"""A gang as one job on several nodes: a script for each member, started together by srun (osmo.md §29.3)."""

from __future__ import annotations

from pwxc.ir.task import Gang, GangStatus, Task
from pwxc.ir.template import Template
from pwxc.shell import ShellText
from pwxc_targets.torc.writing import codes as C  # noqa: N812
from pwxc_targets.torc.writing.holes import Holes, folder
from pwxc_targets.torc.writing.jobscript import JobScript
from pwxc_targets.torc.writing.state import Writing
from pwxc_targets.torc.writing.sweeps import Plan


def gang_command(writing: Writing, gang: Gang, members: list[Task]) -> str:
    """Give the command that starts all members, waits for the lead and ends the others."""
    alone = len(members) == 1
    hosts = {task.name: "127.0.0.1" if alone else f"$(host_of {at})" for at, task in enumerate(members)}
    scripts: dict[str, str] = {}
    for task in members:
        holes = Holes(task, Plan(), None, hosts)
        with writing.ledger.of(task) as account:
            scripts[task.name] = JobScript(writing, task, holes, task.name).build(account, environment=True)
            if holes.unknown:
                message = "values that only the source's platform knows have to be set in the workers' environment"
                account.manual("steps", C.UNKNOWN_VALUE, message, once=True)
    if alone:
        return scripts[members[0].name]
    lines = ["set -e", "run=${PWXC_RUN:-$PWD/run_$TORC_WORKFLOW_ID}", "export PWXC_RUN=$run", *_HOSTS.split("\n")]
    for task in members:
        place = folder(task.name)
        lines.append(f"mkdir -p {place}")
        shell = ShellText(Holes(task, Plan(), None, {}))
        script = scripts[task.name]
        body = _HOSTS + "\n" + script if "host_of" in script else script
        shell.write_file(f"{place}/member.sh", Template((body if body.endswith("\n") else body + "\n",)))
        lines.extend(shell.lines)
    lines.extend(["pids=()", "lead=''"])
    for at, task in enumerate(members):
        lines.append(
            f'srun --nodes=1 --ntasks=1 --exact --nodelist="$(host_of {at})" bash {folder(task.name)}/member.sh &'
        )
        lines.append("pids+=($!)")
        if task.name == gang.lead:
            lines.append("lead=$!")
    lines.extend(_wait(gang))
    return "\n".join(lines) + "\n"


_HOSTS = """\
host_of() { scontrol show hostnames "$SLURM_JOB_NODELIST" | sed -n "$(($1 + 1))p"; }"""


def _wait(gang: Gang) -> list[str]:
    if gang.status is GangStatus.LEAD:
        return ["rc=0", 'wait "$lead" || rc=$?', 'kill "${pids[@]}" 2> /dev/null || :', "wait || :", 'exit "$rc"']
    return [
        "rc=0",
        'while [ "$rc" -eq 0 ] && kill -0 "$lead" 2> /dev/null; do wait -n || rc=$?; done',
        'if [ "$rc" -eq 0 ]; then wait "$lead" || rc=$?; fi',
        'kill "${pids[@]}" 2> /dev/null || :',
        "wait || :",
        'exit "$rc"',
    ]
