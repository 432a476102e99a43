"""What the writer of torc has to say: PWX33xx."""

from __future__ import annotations

from pwxc.diagnostics import error, warning

FROZEN_INPUTS = warning(
    "PWX3301",
    "torc-frozen-inputs",
    "torc asks for nothing at submission. The default values of the source's inputs were put into the texts, conditions"
    " and sweeps of the output.",
    "Compile with `--set NAME=VALUE` for other values.",
)
PRESETS = warning(
    "PWX3302",
    "torc-presets",
    "Saved sets of input values have no counterpart.",
    "Compile once for each set, with `--set`.",
)
UNKNOWN_SWEEP = error(
    "PWX3303",
    "torc-unknown-sweep",
    "The values of a sweep come from the run or from an input without a default, and torc expands at creation.",
    "Give the values with `--set`.",
)
SWEEP_TOO_LARGE = error(
    "PWX3304",
    "torc-sweep-too-large",
    "A sweep that torc's parameters cannot hold would have to be written out, and has more instances than the limit.",
    "Raise the limit with `--option torc.expansion_limit=N`.",
)
SWEEP_LIMIT = warning(
    "PWX3305",
    "torc-sweep-limit",
    "torc has no limit for the instances of one sweep that run at once.",
    "Start a worker with `--max-parallel-jobs`, or set `max_parallel_jobs` on an action.",
)
EARLY_CANCEL = warning(
    "PWX3306",
    "torc-early-cancel",
    "The failure of a job stops no others that are running.",
    "Cancel by hand with `torc workflows cancel`.",
)
WORKERS_PLACE = warning(
    "PWX3307",
    "torc-workers-place",
    "A job of torc names no machine: it runs where a worker is.",
    "Start the workers on the machines that are meant, or add `slurm_schedulers`.",
)
ALLOCATION_ONLY = warning(
    "PWX3308",
    "torc-allocation-only",
    "What is asked for belongs to an allocation of nodes in torc, not to a job or a scheduler.",
    "Add it to `slurm_schedulers`, or to `extra` there.",
)
UNKNOWN_AMOUNT = warning(
    "PWX3309",
    "torc-unknown-amount",
    "An amount of resources is an expression that is not known when the specification is written.",
    "Give the value with `--set`.",
)
ACCOUNT = warning(
    "PWX3310",
    "torc-account",
    "A Slurm scheduler of torc needs an account, and the source has none.",
    "Give it with `--option torc.account=NAME`.",
)
NO_RETRIES = error(
    "PWX3311",
    "torc-no-retries",
    "The version of torc that was asked for has no failure handlers.",
    "Choose a later one with `--option torc.version=`.",
)
RETRY_LIMIT = warning(
    "PWX3312",
    "torc-retry-limit",
    "torc tries a job again at once, a fixed number of times.",
    "Check `max_retries` of the failure handlers; it counts attempts.",
)
PLATFORM_CODES = warning(
    "PWX3313",
    "torc-platform-exit-codes",
    "Exit codes above 255 are made by the source's platform; no process ends with them.",
    "torc starts jobs again that were lost with their worker.",
)
HOOK_HOLES = error(
    "PWX3314",
    "torc-hook-values",
    "The commands of an action are literal text in torc.",
    "Use variables of the worker's environment.",
)
EDGE_KIND = error(
    "PWX3315",
    "torc-edge-kind",
    "torc's jobs wait for the end of others, or for their success; nothing else.",
    "Test in the command what has happened, or allow the loss.",
)
MIXED_OUTCOMES = warning(
    "PWX3316",
    "torc-mixed-outcomes",
    "A job of torc has one rule for all its blockers: all must succeed, or all must have ended.",
    "Put a job between that absorbs the failure.",
)
CONDITION = error(
    "PWX3317",
    "torc-condition",
    "torc has no conditions on jobs.",
    "Test at the head of the command.",
)
TIME_LIMIT = warning(
    "PWX3318",
    "torc-time-limit",
    "torc has no limit for the time in a queue nor for a whole run.",
    "The walltime of the allocations limits what runs in them.",
)
NOT_IN_VERSION = warning(
    "PWX3319",
    "torc-not-in-version",
    "The version of torc that was asked for does not know a key.",
    "Choose another with `--option torc.version=`.",
)
KDL_CANNOT = error(
    "PWX3320",
    "torc-kdl-cannot",
    "torc's reader of KDL takes no notice of some keys.",
    "Write YAML, which is the default.",
)
UNKNOWN_VALUE = warning(
    "PWX3321",
    "torc-unknown-value",
    "A value is known only to the source's platform. The job stops when the variable that stands for it is not set.",
    "Set the variables `PWXC_…` in the environment of the workers.",
)
SECRET_BY_HAND = warning(
    "PWX3322",
    "torc-secret-by-hand",
    "torc keeps no secrets: they have to be in the environment of the workers.",
    "Export the variables before the workers are started, from a file that only you can read.",
)
NO_IMAGE = warning(
    "PWX3323",
    "torc-no-image",
    "With `torc.container=none` commands run on the node itself.",
    "Install the software there, or use apptainer.",
)
PRIVILEGED = error(
    "PWX3324",
    "torc-privileged",
    "Containers on a shared cluster get no privileges.",
    "Leave it out, or allow the loss.",
)
SHARED_PATH = warning(
    "PWX3325",
    "torc-shared-path",
    "A file that was the task's own in its container is put on the node, where other tasks may see it.",
    "Use the container option, or paths that differ.",
)
STORE_TOOL = warning(
    "PWX3326",
    "torc-store-tool",
    "No standard command copies from or to this kind of store.",
    "Add the command to `fetch` and `publish` in the script.",
)
DATASET = error(
    "PWX3327",
    "torc-dataset",
    "Versioned sets of files are not known to torc.",
    "Put the files into a store or a folder.",
)
EARLIER_RUN = error(
    "PWX3328",
    "torc-earlier-run",
    "The output of an earlier run of another system cannot be reached.",
    "Put the files into a store or a folder.",
)
ACTION_CALL = error(
    "PWX3329",
    "torc-action-call",
    "A step calls an action or workflow of the source's platform.",
    "Write its commands out in the source, or allow the loss and add them by hand.",
)
SESSION = warning(
    "PWX3330",
    "torc-session",
    "torc opens no way into a running job.",
    "Make an ssh tunnel by hand.",
)
PERMISSIONS = warning(
    "PWX3331",
    "torc-permissions",
    "Rights of a run on the source's platform mean nothing to torc.",
    "Commands that need them will not work.",
)
