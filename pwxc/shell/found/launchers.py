"""Programs that start processes over an allocation: `srun` and those of MPI (slurm.md §14).

The options are those of all versions of `srun` from 20.02 to 26.05, and of plug-ins that sites have.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import attrs

from pwxc.shell.found.options import Table, Taken, listed, take, take_dashed
from pwxc.shell.found.values import Word

# Slurm's own, and those of the plug-ins pyxis, shifter, uenv, EAR and the container engine
_SRUN = Table.of(
    "account acctg-freq bb bbf bcast-exclude begin chdir cluster-constraint clusters comment constraint "
    "container container-id core-spec cores-per-socket cpu-bind cpu_bind cpu-freq cpus-per-gpu cpus-per-task "
    "deadline delay-boot dependency distribution epilog error exclude export export-file extra extra-node-info "
    "gid gpu-bind gpu-freq gpus gpus-per-node gpus-per-socket gpus-per-task gres gres-flags het-group hint "
    "input job-name jobid licenses mail-type mail-user mcs-label mem mem-bind mem_bind mem-per-cpu mem-per-gpu "
    "mincpus mpi mpi-combine msg-timeout network nodefile nodelist nodes ntasks ntasks-per-core ntasks-per-gpu "
    "ntasks-per-node ntasks-per-socket ntasks-per-tres open-mode output pack-group partition power prefer "
    "priority profile prolog qos relative reservation resources segment signal slurmd-debug sockets-per-node "
    "switches task-epilog task-prolog tasks-per-node thread-spec threads threads-per-core time time-min tmp "
    "tree-width treewidth tres-bind tres-per-task uid wait wckey container-image container-mounts "
    "container-workdir container-name container-save container-env container-unshare container-writable-image "
    "image volume uenv view environment ear ear-policy ear-cpufreq ear-tag",
    "async contiguous disable-status exact external-launcher help hold interactive label multi-prog "
    "no-allocate overcommit overlap oversubscribe preserve-env preserve-slurm-env quiet quit-on-interrupt "
    "reboot spread-job stepmgr test-only unbuffered usage use-min-nodes verbose version wait-for-children "
    "whole consolidate-segments spread-segments container-mount-home no-container-mount-home "
    "container-remap-root no-container-remap-root container-entrypoint no-container-entrypoint "
    "container-entrypoint-log container-writable container-readonly",
    "bcast compress exclusive immediate kill-on-bad-exit nice no-kill propagate pty resv-ports send-libs x11 "
    "oom-kill-step",
    "A=account B=extra-node-info C=constraint D=chdir E=preserve-env F=nodefile G=gpus H=hold I=immediate "
    "J=job-name K=kill-on-bad-exit L=licenses M=clusters N=nodes O=overcommit Q=quiet S=core-spec T=threads "
    "V=version W=wait X=disable-status Z=no-allocate b=begin c=cpus-per-task d=dependency e=error h=help "
    "i=input k=no-kill l=label m=distribution n=ntasks o=output p=partition q=qos r=relative s=oversubscribe "
    "t=time u=unbuffered v=verbose w=nodelist x=exclude",
    abbreviates=True,
)  # fmt: skip
_MPI_VALUES = {
    **dict.fromkeys(
        listed(
            "n np c N ppn perhost npernode npersocket H host hosts hostfile machinefile f x env genvlist envlist "
            "map-by bind-to rank-by rankby bycore cpus-per-proc cpus-per-rank wdir wd rmk bootstrap launcher iface "
            "prefix path output-filename timeout pernode-list rf rankfile am tune l cpu-set cpu-list report-uri tmpdir "
            "binding hostlist rr-map order configfile outfile-pattern errfile-pattern stdin personality prtemca"
        ),
        1,
    ),
    **dict.fromkeys(listed("mca gmca omca pmca genv"), 2),
}
_MPI_FLAGS = frozenset(
    listed(
        "oversubscribe use-hwthread-cpus report-bindings tag-output display-map display-allocation display-devel-map "
        "allow-run-as-root pernode bynode byslot bysocket nooversubscribe bind-to-core bind-to-none bind-to-socket "
        "report-pid v q verbose quiet V version genvall genvnone envall envnone print-rank-map prepend-rank rr "
        "show-progress xterm do-not-launch do-not-resolve nolocal novm leave-session-attached ssh export continuous "
        "merge-stderr-to-stdout output-proctable check_mpi ilp64 s gdb"
    )
)
_JSRUN = (
    "n nrs a tasks_per_rs c cpu_per_rs g gpu_per_rs r rs_per_host b bind d launch_distribution l latency_priority p np "
    "m memory_per_rs smpiargs M E e o stdio_stdout stdio_stderr k t h chdir D f env U erf_input A K"
)
_OTHERS = {
    "aprun": ("n N d S j cc L l e p r sl sn a B", "b q m ss T"),
    "ibrun": ("n np o", "v"),
    "jsrun": (_JSRUN, "X i v immediate"),
    "lrun": ("n N T c g M", "v pack 1"),
    "ccc_mprun": ("n N c p A E T x m f", "d v"),
}
"""Launchers of single makers: options with a value, and flags."""
MPI = frozenset(
    ["mpirun", "mpiexec", "mpiexec.hydra", "mpiexec.slurm", "mpirun_rsh", "mpiexec_mpt", "orterun", "prterun", "prun"]
)
COLON = frozenset(["srun", *MPI])
"""Launchers that take several commands, `:` between them."""
_JOB = {
    "tasks": "NTASKS|NPROCS", "nodes": "NNODES|JOB_NUM_NODES", "cpus": "CPUS_PER_TASK",
    "tasks_per_node": "NTASKS_PER_NODE|TASKS_PER_NODE",
}  # fmt: skip


@attrs.define
class Call:
    """What a launcher was asked for: fields of the launch, and how many words are its own."""

    place: int
    taken: Taken
    fields: dict[str, object] = attrs.field(factory=dict)
    open: bool = False
    image: str | None = None
    """None: it runs in no image; empty: in that of the job."""
    container: str = ""
    """The name of a container that was made before."""
    mounts: list[str] = attrs.field(factory=list)
    privileged: bool = False
    host_network: bool = False

    def count(self, field: str, *names: str) -> None:
        """Take a number; one that is the job's own stays open to the job."""
        word = self.taken.last(*names)
        if word is None:
            return
        if (found := re.fullmatch(r"(\d+)(?:-\d+)?", word.value)) is not None:
            self.fields[field] = int(found.group(1))
        elif _is_of_job(word.value, field):
            return
        elif field == "tasks" and _is_of_job(word.value, "nodes"):
            self.fields.setdefault("tasks_per_node", 1)
        else:
            self.open = True


def _is_of_job(value: str, field: str) -> bool:
    names = _JOB.get(field)
    return names is not None and re.fullmatch(rf"\$\{{?SLURM_(?:{names})(?::?-\w*)?\}}?", value) is not None


def _devices(call: Call) -> None:
    word = call.taken.last("gpus", "gpus-per-node", "gpus-per-task")
    value = word.value if word is not None else ""
    if word is None and (gres := call.taken.last("gres")) is not None:
        items = [item.strip() for item in gres.value.split(",")]
        value = next((item for item in items if re.match(r"(?:gres/)?gpu\b", item)), "0")
        value = value if ":" in value or value == "0" else "1"
        word = gres
    if word is None:
        return
    number = value.rpartition(":")[2]
    if number.isdecimal():
        call.fields["gpus"] = int(number)
    else:
        call.open = True


def read_srun(words: Sequence[Word]) -> Call:
    """Read what follows `srun`."""
    taken = take(words, _SRUN)
    call = Call(taken.place, taken, open=not taken.understood)
    call.count("tasks_per_node", "ntasks-per-node", "tasks-per-node")
    for field, name in (("tasks", "ntasks"), ("nodes", "nodes"), ("cpus", "cpus-per-task")):
        call.count(field, name)
    _devices(call)
    group = taken.last("het-group", "pack-group")
    if group is not None:
        components = _numbers(group.value)
        call.open = call.open or not components
        call.fields["components"] = components
    if taken.has("multi-prog"):
        call.fields["multi"] = True
    return call


def _numbers(text: str) -> tuple[int, ...]:
    """Read numbers and ranges of them."""
    found: list[int] = []
    for part in text.strip("[]").split(","):
        match = re.fullmatch(r"(\d{1,4})(?:-(\d{1,4}))?", part)
        if match is None:
            return ()
        first = int(match.group(1))
        found.extend(range(first, int(match.group(2) or first) + 1))
    return tuple(found)


def read_mpi(words: Sequence[Word]) -> Call:
    """Read what follows `mpirun` or `mpiexec`, of any maker."""
    taken = take_dashed(words, _MPI_VALUES, _MPI_FLAGS)
    while taken.place < len(words) and re.match(r"[A-Za-z_]\w*=", words[taken.place].value):
        taken.place += 1  # `mpirun_rsh` takes variables before the command
    call = Call(taken.place, taken, open=not taken.understood)
    call.count("tasks", "n", "np", "c")
    call.count("tasks_per_node", "ppn", "perhost", "npernode", "N")
    return call


def _reader(program: str) -> Callable[[Sequence[Word]], Call]:
    values, flags = (listed(names) for names in _OTHERS[program])

    def read(words: Sequence[Word]) -> Call:
        taken = take_dashed(words, dict.fromkeys(values, 1), frozenset(flags))
        call = Call(taken.place, taken, open=not taken.understood)
        if program == "jsrun":
            _resource_sets(call)
            return call
        if program == "lrun":
            call.count("nodes", "N")
            call.count("tasks_per_node", "T")
        call.count("tasks", "n", "np")
        if program == "aprun":
            call.count("tasks_per_node", "N")
        call.count("cpus", "d" if program == "aprun" else "c")
        return call

    return read


def _resource_sets(call: Call) -> None:
    """Count the processes of resource sets."""
    sets, each = call.taken.last("n", "nrs"), call.taken.last("a", "tasks_per_rs")
    number = each.value if each is not None else "1"
    if sets is not None and sets.value.isdecimal() and number.isdecimal():
        call.fields["tasks"] = int(sets.value) * int(number)
    elif sets is not None:
        call.open = True


READERS: dict[str, Callable[[Sequence[Word]], Call]] = {
    "srun": read_srun, **dict.fromkeys(MPI, read_mpi), **{program: _reader(program) for program in _OTHERS},
    "mpprun": read_mpi, "gerun": read_mpi,
}  # fmt: skip
