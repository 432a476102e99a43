"""The options of `sbatch`, as data: reading, writing and lint all look here (slurm.md §4, §6).

Rows cover all versions from 20.02 to 26.05. `versions` is empty for options that every version has, else a range such
as `23.02-` or `-23.11`. `kept` says that a later component of a heterogeneous job takes the value over (§10).
"""

from __future__ import annotations

from functools import cache

import attrs

NONE = 0
REQUIRED = 1
OPTIONAL = 2

REFERENCE = "22.05"
"""The version whose reading is the reference; its options are a subset of what later ones have."""


@attrs.frozen
class Option:
    """A row: the long and short name, whether it takes a value, and the codec of the value (`values.py`)."""

    name: str
    short: str
    value: int
    codec: str
    kept: bool = False
    versions: str = ""
    variables: str = ""

    def in_version(self, version: str) -> bool:
        """Whether a version of Slurm has this option."""
        return not self.versions or any(_within(version, part) for part in self.versions.split(","))


def _within(version: str, span: str) -> bool:
    first, _, last = span.partition("-")
    return (not first or _number(first) <= _number(version)) and (not last or _number(version) <= _number(last))


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


# fmt: off
OPTIONS = (
    Option("account", "A", REQUIRED, "text", kept=True, variables="SBATCH_ACCOUNT"),
    Option("acctg-freq", "", REQUIRED, "acctg", kept=True, variables="SBATCH_ACCTG_FREQ"),
    Option("array", "a", REQUIRED, "text", kept=True, variables="SBATCH_ARRAY_INX"),
    Option("batch", "", REQUIRED, "text", kept=True, variables="SBATCH_BATCH"),
    Option("bb", "", REQUIRED, "text", variables="SBATCH_BURST_BUFFER"),
    Option("bbf", "", REQUIRED, "text"),
    Option("begin", "b", REQUIRED, "moment", kept=True),
    Option("chdir", "D", REQUIRED, "folder", kept=True),
    Option("cluster", "", REQUIRED, "text", kept=True),
    Option("cluster-constraint", "", REQUIRED, "text", kept=True, variables="SBATCH_CLUSTER_CONSTRAINT"),
    Option("clusters", "M", REQUIRED, "text", kept=True, variables="SBATCH_CLUSTERS,SLURM_CLUSTERS"),
    Option("comment", "", REQUIRED, "text", kept=True),
    Option("consolidate-segments", "", NONE, "flag", versions="25.11-", variables="SBATCH_CONSOLIDATE_SEGMENTS"),
    Option("constraint", "C", REQUIRED, "text", variables="SBATCH_CONSTRAINT"),
    Option("container", "", REQUIRED, "text", kept=True, versions="21.08-", variables="SBATCH_CONTAINER"),
    Option("container-id", "", REQUIRED, "text", versions="23.02-", variables="SBATCH_CONTAINER_ID"),
    Option("container-type", "", REQUIRED, "text", versions="26.05-", variables="SBATCH_CONTAINER_TYPE"),
    Option("contiguous", "", NONE, "flag"),
    Option("core-spec", "S", REQUIRED, "spec", variables="SBATCH_CORE_SPEC"),
    Option("cores-per-socket", "", REQUIRED, "count"),
    Option("cpu-freq", "", REQUIRED, "cpu_freq", variables="SBATCH_CPU_FREQ_REQ"),
    Option("cpus-per-gpu", "", REQUIRED, "count", variables="SBATCH_CPUS_PER_GPU"),
    Option("cpus-per-task", "c", REQUIRED, "count"),
    Option("deadline", "", REQUIRED, "moment", kept=True),
    Option("delay-boot", "", REQUIRED, "delay", kept=True, variables="SBATCH_DELAY_BOOT"),
    Option("dependency", "d", REQUIRED, "text", kept=True),
    Option("distribution", "m", REQUIRED, "distribution", variables="SBATCH_DISTRIBUTION"),
    Option("error", "e", REQUIRED, "stream", kept=True, variables="SBATCH_ERROR"),
    Option("exclude", "x", REQUIRED, "text", kept=True),
    Option("exclusive", "", OPTIONAL, "exclusive", variables="SBATCH_EXCLUSIVE"),
    Option("export", "", REQUIRED, "text", kept=True, variables="SBATCH_EXPORT"),
    Option("export-file", "", REQUIRED, "text", versions="-23.02,24.05-"),
    Option("external", "", NONE, "flag", versions="25.05-"),
    Option("extra", "", REQUIRED, "text", versions="23.02-"),
    Option("extra-node-info", "B", REQUIRED, "shape"),
    Option("get-user-env", "", OPTIONAL, "user_env", kept=True, variables="SBATCH_GET_USER_ENV"),
    Option("gid", "", REQUIRED, "identity", kept=True),
    Option("gpu-bind", "", REQUIRED, "gpu_bind", variables="SBATCH_GPU_BIND"),
    Option("gpu-freq", "", REQUIRED, "gpu_freq", variables="SBATCH_GPU_FREQ"),
    Option("gpus", "G", REQUIRED, "text", variables="SBATCH_GPUS"),
    Option("gpus-per-node", "", REQUIRED, "text", variables="SBATCH_GPUS_PER_NODE"),
    Option("gpus-per-socket", "", REQUIRED, "text", variables="SBATCH_GPUS_PER_SOCKET"),
    Option("gpus-per-task", "", REQUIRED, "text", variables="SBATCH_GPUS_PER_TASK"),
    Option("gres", "", REQUIRED, "gres", variables="SBATCH_GRES"),
    Option("gres-flags", "", REQUIRED, "gres_flags", variables="SBATCH_GRES_FLAGS"),
    Option("help", "h", NONE, "early"),
    Option("hint", "", REQUIRED, "text", kept=True, variables="SLURM_HINT,SBATCH_HINT"),
    Option("hold", "H", NONE, "flag", kept=True),
    Option("ignore-pbs", "", NONE, "flag", kept=True, variables="SBATCH_IGNORE_PBS"),
    Option("input", "i", REQUIRED, "stream", kept=True, variables="SBATCH_INPUT"),
    Option("job-name", "J", REQUIRED, "text", kept=True, variables="SBATCH_JOB_NAME"),
    Option("kill-on-invalid-dep", "", REQUIRED, "yes_no", kept=True),
    Option("licenses", "L", REQUIRED, "text"),
    Option("mail-type", "", REQUIRED, "mail"),
    Option("mail-user", "", REQUIRED, "text"),
    Option("mcs-label", "", REQUIRED, "text", kept=True),
    Option("mem", "", REQUIRED, "size", kept=True, variables="SBATCH_MEM_PER_NODE"),
    Option("mem-bind", "", REQUIRED, "mem_bind", variables="SBATCH_MEM_BIND"),
    Option("mem-per-cpu", "", REQUIRED, "size", variables="SBATCH_MEM_PER_CPU"),
    Option("mem-per-gpu", "", REQUIRED, "size", variables="SBATCH_MEM_PER_GPU"),
    Option("mem-update", "", REQUIRED, "text", versions="26.05-"),
    Option("mincpus", "", REQUIRED, "count"),
    Option("network", "", REQUIRED, "text", variables="SBATCH_NETWORK"),
    Option("nice", "", OPTIONAL, "nice", kept=True),
    Option("no-kill", "k", OPTIONAL, "no_kill", kept=True, variables="SBATCH_NO_KILL"),
    Option("no-requeue", "", NONE, "requeue", kept=True, variables="SBATCH_NO_REQUEUE"),
    Option("nodefile", "F", REQUIRED, "nodefile"),
    Option("nodelist", "w", REQUIRED, "nodelist"),
    Option("nodes", "N", REQUIRED, "nodes"),
    Option("ntasks", "n", REQUIRED, "count"),
    Option("ntasks-per-core", "", REQUIRED, "count"),
    Option("ntasks-per-gpu", "", REQUIRED, "count", versions="20.11-"),
    Option("ntasks-per-node", "", REQUIRED, "count"),
    Option("ntasks-per-socket", "", REQUIRED, "count"),
    Option("ntasks-per-tres", "", REQUIRED, "count", versions="20.11-"),
    Option("oom-kill-step", "", OPTIONAL, "text", versions="24.11-"),
    Option("open-mode", "", REQUIRED, "open_mode", kept=True, variables="SBATCH_OPEN_MODE"),
    Option("output", "o", REQUIRED, "stream", kept=True, variables="SBATCH_OUTPUT"),
    Option("overcommit", "O", NONE, "flag", variables="SBATCH_OVERCOMMIT"),
    Option("oversubscribe", "s", NONE, "exclusive"),
    Option("parsable", "", NONE, "flag", kept=True),
    Option("partition", "p", REQUIRED, "text", variables="SBATCH_PARTITION"),
    Option("power", "", REQUIRED, "power", versions="-23.11", variables="SBATCH_POWER"),
    Option("prefer", "", REQUIRED, "text", kept=True, versions="22.05-"),
    Option("priority", "", REQUIRED, "priority", kept=True),
    Option("profile", "", REQUIRED, "profile", kept=True, variables="SBATCH_PROFILE"),
    Option("propagate", "", OPTIONAL, "propagate", kept=True),
    Option("qos", "q", REQUIRED, "text", kept=True, variables="SBATCH_QOS"),
    Option("quiet", "Q", NONE, "early"),
    Option("reboot", "", NONE, "flag", kept=True),
    Option("requeue", "", NONE, "requeue", kept=True, variables="SBATCH_REQUEUE"),
    Option("reservation", "", REQUIRED, "text", kept=True, variables="SBATCH_RESERVATION"),
    Option("resources", "", REQUIRED, "text", versions="25.11-"),
    Option("resv-ports", "", OPTIONAL, "text", versions="24.05-"),
    Option("segment", "", REQUIRED, "text", versions="24.05-", variables="SBATCH_SEGMENT_SIZE"),
    Option("signal", "", REQUIRED, "signal", kept=True, variables="SBATCH_SIGNAL"),
    Option("sockets-per-node", "", REQUIRED, "count"),
    Option("spread-job", "", NONE, "flag", variables="SBATCH_SPREAD_JOB"),
    Option("spread-segments", "", NONE, "flag", versions="25.11-", variables="SBATCH_SPREAD_SEGMENTS"),
    Option("stepmgr", "", NONE, "flag", versions="24.05-"),
    Option("switches", "", REQUIRED, "switches"),
    Option("tasks-per-node", "", REQUIRED, "count"),
    Option("test-only", "", NONE, "flag", kept=True),
    Option("thread-spec", "", REQUIRED, "spec", variables="SBATCH_THREAD_SPEC"),
    Option("threads-per-core", "", REQUIRED, "count", variables="SBATCH_THREADS_PER_CORE"),
    Option("time", "t", REQUIRED, "duration", kept=True, variables="SBATCH_TIMELIMIT"),
    Option("time-min", "", REQUIRED, "duration", kept=True),
    Option("tmp", "", REQUIRED, "size"),
    Option("tres-bind", "", REQUIRED, "text", versions="23.11-", variables="SBATCH_TRES_BIND"),
    Option("tres-per-task", "", REQUIRED, "text", versions="23.02-", variables="SBATCH_TRES_PER_TASK"),
    Option("uid", "", REQUIRED, "identity", kept=True),
    Option("usage", "", NONE, "early"),
    Option("use-min-nodes", "", NONE, "flag", variables="SBATCH_USE_MIN_NODES"),
    Option("verbose", "v", NONE, "early", variables="SBATCH_DEBUG"),
    Option("version", "V", NONE, "early"),
    Option("wait", "W", NONE, "flag", kept=True, variables="SBATCH_WAIT"),
    Option("wait-all-nodes", "", REQUIRED, "zero_one", kept=True, variables="SBATCH_WAIT_ALL_NODES"),
    Option("wckey", "", REQUIRED, "text", kept=True, variables="SBATCH_WCKEY"),
    Option("wrap", "", REQUIRED, "early"),)
# fmt: on

NEWER_VALUES = {
    "exclusive": ("topo",),
    "gres-flags": ("one-task-per-sharing", "multiple-tasks-per-sharing", "allow-task-sharing"),
    "begin": ("elevenses",),
    "deadline": ("elevenses",),
}
"""Values that the reference version refuses and later ones take."""

GONE = {
    "workdir": "it is `--chdir` since version 17.11",
    "share": "it is `--oversubscribe` now",
    "jobid": "only `srun` and `salloc` have it",
    "x11": "only `srun` and `salloc` have it",
    "checkpoint": "it is gone since version 20.02",
}
"""Options that `sbatch` once had, or that belong to its siblings, with what to do."""

STEP_ONLY = frozenset(
    [
        "exact",
        "mpi",
        "label",
        "pty",
        "cpu-bind",
        "cpu_bind",
        "immediate",
        "het-group",
        "multi-prog",
        "overlap",
        "kill-on-bad-exit",
        "relative",
        "unbuffered",
        "bcast",
        "epilog",
        "prolog",
        "task-epilog",
        "task-prolog",
        "threads",
        "slurmd-debug",
        "disable-status",
        "preserve-env",
    ]
)
"""Options of `srun` that `sbatch` refuses."""

PLUGINS = {
    "pyxis": (
        "container-image= container-mounts= container-workdir= container-name= container-save= container-env= "
        "container-unshare= container-mount-home no-container-mount-home container-remap-root "
        "no-container-remap-root container-entrypoint no-container-entrypoint container-entrypoint-log "
        "container-writable container-readonly"
    ),
    "shifter": "image= volume= ccm",
    "ear": "ear= ear-policy= ear-verbose= ear-cpufreq= ear-policy-th= ear-user-db= ear-mpi-dist= ear-tag=",
    "uenv": "uenv= view= repo=",
    "ce": "environment=",
    "quota": "quotatype=",
}
"""Options that sites add through plug-ins, by the plug-in's name; those that need a value end with `=`."""

_ALIASES = {"tasks-per-node": "ntasks-per-node"}


def canonical(name: str) -> str:
    """Give the name under which an option is told."""
    return _ALIASES.get(name, name)


@cache
def by_name() -> dict[str, Option]:
    """Give all options by their long names."""
    return {option.name: option for option in OPTIONS}


@cache
def by_short() -> dict[str, Option]:
    """Give the options that have a short name by it."""
    return {option.short: option for option in OPTIONS if option.short}


@cache
def names_of(version: str) -> tuple[str, ...]:
    """Give the long names that a version has, in order."""
    return tuple(option.name for option in OPTIONS if option.in_version(version))


@cache
def _plugin_options() -> dict[str, tuple[str, int]]:
    """Give the plug-in of each option that one adds, and whether it takes a value."""
    return {
        word.removesuffix("="): (plugin, REQUIRED if word.endswith("=") else NONE)
        for plugin, words in PLUGINS.items()
        for word in words.split()
    }


def plugin_names(plugin: str) -> tuple[str, ...]:
    """Give the options that a plug-in adds."""
    return tuple(name for name, (owner, _) in _plugin_options().items() if owner == plugin)


def plugin_of(name: str) -> str | None:
    """Give the plug-in that is known to add an option."""
    return _plugin_options().get(name, (None, NONE))[0]


def plugin_value(name: str) -> int:
    """Whether an option of a plug-in takes a value; of an unknown one, it may."""
    return _plugin_options().get(name, ("", OPTIONAL))[1]
