"""What a script finds in its environment: the hosts of its group, and the scheduler's variables (slurm.md §11)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pwxc.ir.resources import Resources, further_options
from pwxc.ir.task import Task
from pwxc.ir.template import Template
from pwxc.ir.workflow import Unit
from pwxc.shell import quote
from pwxc.shell.arrays import array_variables
from pwxc_targets.osmo.writing import codes as C  # noqa: N812
from pwxc_targets.osmo.writing.context import Writing
from pwxc_targets.osmo.writing.directives import exported, standard_input
from pwxc_targets.osmo.writing.holes import Holes, Mark, Part
from pwxc_targets.osmo.writing.scripts.job import Job, runs, spread

if TYPE_CHECKING:
    from pwxc_targets.osmo.writing.scripts.adapt import Adapted

_PLATFORM = {"PW_PARENT_JOB_DIR": "$PWD", "PW_JOB_DIR": "$PWD", "TORC_OUTPUT_DIR": "$PWD"}
_RUN_ID = ("PW_RUN_SLUG", "TORC_WORKFLOW_ID")
_JOB_ID = ("SLURM_JOB_ID", "SLURM_JOBID", "SLURM_ARRAY_JOB_ID", "SLURM_HET_JOB_ID", "SLURM_PACK_JOB_ID")
_NOT_SET = frozenset((
    "SLURM_RESTART_COUNT", "SLURM_JOB_DEPENDENCY", "SLURM_JOB_RESERVATION", "SLURM_EXPORT_ENV",
    "SLURM_OVERCOMMIT", "SLURM_HINT", "SLURM_PROFILE", "SLURM_DISTRIBUTION", "SLURM_CONTAINER",
    "SLURM_NTASKS_PER_CORE", "SLURM_NTASKS_PER_SOCKET", "SLURM_NTASKS_PER_GPU",
    "SLURM_THREADS_PER_CORE", "SLURM_CPUS_PER_GPU", "SLURM_GPUS_PER_SOCKET", "SLURM_GPUS_PER_TASK",
    "SLURM_MEM_PER_GPU", "SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", "SLURM_ARRAY_TASK_MIN",
    "SLURM_ARRAY_TASK_MAX", "SLURM_ARRAY_TASK_STEP", "SLURM_ARRAY_JOB_ID", "SLURM_HET_SIZE",
    "SLURM_NTASKS", "SLURM_NPROCS", "SLURM_CPUS_PER_TASK", "SLURM_NTASKS_PER_NODE", "SLURM_GPUS",
    "SLURM_GPUS_PER_NODE", "SLURM_GPUS_ON_NODE", "SLURM_JOB_GPUS", "SLURM_MEM_PER_CPU",
    "SLURM_MEM_PER_NODE", "SLURM_STEP_GPUS",
))  # fmt: skip
"""Variables that Slurm sets only where something was asked for; without it a script does not find them there either."""
_OF_COMPONENT = re.compile(r"(?P<name>SLURM\w*?)_(?:HET|PACK)_GROUP_(?P<number>\d+)\Z")
_MIB = 1 << 20
Line = list[Part]


class Settings:
    """Writes the lines that stand before the script of one task."""

    def __init__(self, writing: Writing, task: Task, unit: Unit, holes: Holes, texts: str) -> None:
        self.writing, self.task, self.unit, self.holes, self.texts = writing, task, unit, holes, texts
        self.adapted, self.node = writing.adapted_of(task)
        self.members = writing.added.hosts.get(unit.name, ())

    def lines(self) -> list[Line]:
        """Give the lines."""
        lines = self._hosts()
        for name, value in _PLATFORM.items():
            if name in self.texts:
                lines.append([f"export {name}={value}"])
        lines += [[f"export {name}=", Mark("{{workflow_id}}")] for name in _RUN_ID if name in self.texts]
        if self.adapted is not None:
            lines += self._scheduler(self.adapted)
            lines += [[line] for line in self.adapted.lines]
        return lines

    def after_copies(self) -> list[Line]:
        """Give the lines that need what the tasks before have left: the file that a script reads from."""
        file = standard_input(self.writing.resources.get(self.task.resources or ""))
        if file is None:
            return []
        folder = self.task.working_directory.literal if self.task.working_directory is not None else None
        return [[f"exec < {quote(f'{folder}/{file}' if folder and not file.startswith('/') else file)} || exit 1"]]

    def _hosts(self) -> list[Line]:
        """Name the hosts of a group that stands in for a task on several nodes."""
        if not self.members or (self.writing.lead(self.unit) is not self.task and not self._spread):
            return []
        listed = [part for name in self.members for part in (*self.holes.host(name), " ")][:-1]
        return [['export PWXC_HOSTS="', *listed, '"']]

    @property
    def _spread(self) -> bool:
        """Whether all members do the same work."""
        return self.adapted is not None and self.node in self.adapted.shares

    # the scheduler's variables

    def _scheduler(self, adapted: Adapted) -> list[Line]:
        lines: list[Line] = []
        given = {item.name for item in (*self.writing.workflow.environment, *self.task.environment)}
        given |= exported(self.writing.resources.get(adapted.task.resources or "")).keys()
        wanted = [name for name in adapted.uses if name not in given]
        numbered = [name for name in _JOB_ID if name in wanted and (name != "SLURM_ARRAY_JOB_ID" or adapted.task.sweep)]
        if numbered:  # the number behind the run's name: scripts calculate with it
            lines += [["pwxc_run=", Mark("{{workflow_id}}")]]
            lines += [[f'export {name}="${{pwxc_run##*-}}"'] for name in numbered]
        known = self._known(adapted)
        for name in wanted:
            if name in numbered:
                continue
            value = known.get(name) or self._of_component(adapted, name) or self._asked(adapted, name)
            if value is not None:
                command = value.startswith('"$(')  # whose status an `export` would hide
                lines += [[f"{name}={value}"], [f"export {name}"]] if command else [[f"export {name}={value}"]]
            elif name not in _NOT_SET:
                self._tell(adapted, name)
                if name.startswith(("SLURM", "SBATCH")):  # another one may be the image's
                    lines.append([f'export {name}="${{{name}-}}"'])
        share = adapted.shares.get(self.node)
        if share is not None and share.count != 1:
            lines.append([f"export PWXC_NODE={share.node} PWXC_FIRST={share.first} PWXC_RANKS={share.total}"])
        lines += [["RANDOM=$SLURM_JOB_ID"]] if adapted.seeded else []
        return lines

    def _asked(self, adapted: Adapted, name: str) -> str | None:
        """Give the value of an option that its variable repeats."""
        record = self.writing.resources.get(adapted.task.resources or "")
        if name not in _NOT_SET or record is None:
            return None
        value = further_options(record).get(name.removeprefix("SLURM_").lower().replace("_", "-"))
        return None if value is None else _word(value)

    def _tell(self, adapted: Adapted, name: str) -> None:
        step, use = adapted.uses[name]
        message = f"the value of `{name}` is not known in OSMO"
        if self.task is not adapted.task:
            return
        with self.writing.ledger.of(step) as entry:
            span = use.span or step.span or self.task.span
            entry.approximate("work", C.SCHEDULER_VARIABLE, message, span=span, once=True)

    def _known(self, adapted: Adapted) -> dict[str, str]:
        """Give the values that are known, as words of the shell."""
        record = self.writing.resources.get(adapted.task.resources or "")
        known = self._of_job(adapted.job, record) | array_variables(adapted.task.sweep) | self._of_place(adapted)
        if adapted.components:
            known["SLURM_HET_SIZE"] = known["SLURM_PACK_SIZE"] = str(1 + len(adapted.components))
        return known

    def _of_job(self, job: Job, record: Resources | None) -> dict[str, str]:
        counts = spread(job.most_tasks, job.nodes)
        cpus = [str(count * (job.cpus or 1)) for count in counts]
        known: dict[str, str | None] = {
            "SLURM_JOB_NUM_NODES": str(job.nodes),
            "SLURM_NNODES": str(job.nodes),
            "SLURM_NTASKS": _text(job.given_tasks),
            "SLURM_NPROCS": _text(job.given_tasks),
            "SLURM_NTASKS_PER_NODE": _text(job.per_node),
            "SLURM_CPUS_PER_TASK": _text(job.cpus),
            "SLURM_CPUS_ON_NODE": cpus[self.node] if self.node < len(cpus) else cpus[0],
            "SLURM_JOB_CPUS_PER_NODE": _word(runs([int(item) for item in cpus])),
            "SLURM_TASKS_PER_NODE": _word(runs(counts)),
            "SLURM_GPUS_ON_NODE": _text(job.gpus),
            "SLURM_JOB_GPUS": _word(",".join(map(str, range(job.gpus)))) if job.gpus else None,
        }
        if record is not None:
            known |= self._of_record(record, job)
        return {name: value for name, value in known.items() if value is not None}

    def _of_record(self, record: Resources, job: Job) -> dict[str, str | None]:
        number = self.writing.number
        memory, each = number(record.memory, "quantity"), number(record.memory_per_cpu, "quantity")
        place = (record.places or {}).get("gpus")
        option = place.text if place is not None else ""
        return {
            "SLURM_MEM_PER_NODE": str(int(memory) // _MIB) if memory else None,
            "SLURM_MEM_PER_CPU": str(int(each) // _MIB) if each else None,
            "SLURM_GPUS_PER_NODE": _text(job.gpus) if "gpus-per-node" in option else None,
            "SLURM_GPUS": str((job.gpus or 0) * job.nodes) if re.match(r"(?:--gpus|-G)\b", option) else None,
            "SLURM_JOB_PARTITION": _literal(record.partition),
            "SLURM_JOB_ACCOUNT": _literal(record.account),
            "SLURM_JOB_QOS": _literal(record.quality),
        }

    def _of_place(self, adapted: Adapted) -> dict[str, str]:
        hosts = '"$(echo "$PWXC_HOSTS" | tr " " ,)"' if self.members else '"$(uname -n)"'
        first = '"${PWXC_HOSTS%% *}"' if self.members else '"$(uname -n)"'
        if self.members and adapted.components:
            hosts = self._hosts_of(adapted, 0)
        return {
            "SLURM_JOB_NAME": _word(adapted.task.name),
            "SLURM_SUBMIT_DIR": '"$PWD"',
            "SLURM_SUBMIT_HOST": first,
            "SLURMD_NODENAME": first,
            "SLURM_TOPOLOGY_ADDR": first,
            "SLURM_JOB_NODELIST": hosts,
            "SLURM_NODELIST": hosts,
            "SLURM_STEP_NODELIST": hosts,
            "SLURM_PROCID": "0",
            "SLURM_LOCALID": "0",
            "SLURM_NODEID": "0",
            "SLURM_GTIDS": "0",
            "SLURM_STEP_ID": "0",
            "SLURM_STEPID": "0",
            "SLURM_TASK_PID": "$$",
            "SLURM_JOB_USER": '"$(id -un)"',
            "SLURM_JOB_UID": '"$(id -u)"',
            "SLURM_JOB_GID": '"$(id -g)"',
            "SLURM_JOB_START_TIME": '"$(date +%s)"',
            "SLURM_TMPDIR": '"$(mktemp -d)"',
            "TMPDIR": '"$(mktemp -d)"',
        }

    # components of a heterogeneous job

    def _of_component(self, adapted: Adapted, name: str) -> str | None:
        found = _OF_COMPONENT.match(name)
        jobs = (adapted.job, *adapted.components)
        if found is None or int(found["number"]) >= len(jobs):
            return None
        number, plain = int(found["number"]), found["name"]
        if plain in ("SLURM_JOB_NODELIST", "SLURM_NODELIST"):
            return self._hosts_of(adapted, number)
        classes = (adapted.task.resources, *adapted.task.beside)
        record = self.writing.resources.get(classes[number] or "") if number < len(classes) else None
        return self._of_job(jobs[number], record).get(plain)

    def _hosts_of(self, adapted: Adapted, number: int) -> str:
        """Give the hosts of one component, cut out of all."""
        jobs = (adapted.job, *adapted.components)
        first = 1 + sum(job.nodes for job in jobs[:number])
        return f'"$(echo "$PWXC_HOSTS" | cut -d " " -f {first}-{first + jobs[number].nodes - 1} | tr " " ,)"'


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)


def _word(text: str) -> str:
    return quote(text)


def _literal(template: Template | None) -> str | None:
    literal = template.literal if template is not None else None
    return None if literal is None else quote(literal)
