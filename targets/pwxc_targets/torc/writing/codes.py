"""What the writer of torc has to say: PWX33xx."""

from __future__ import annotations

from pwxc.diagnostics import error, note, warning

FROZEN_INPUTS = warning(
    "PWX3301",
    "torc-frozen-inputs",
    "torc asks for nothing at submission. The default values of the source's inputs were put into the texts, conditions"
    " and sweeps of the output.",
    "Compile with `--set NAME=VALUE` for other values.",
    'sbatch job.sh "$1"      # torc has no inputs',
)
PRESETS = warning(
    "PWX3302",
    "torc-presets",
    "Saved sets of input values have no counterpart.",
    "Compile once for each set, with `--set`.",
    "configurations: {small: {inputs: {size: 1}}}",
)
UNKNOWN_SWEEP = error(
    "PWX3303",
    "torc-unknown-sweep",
    "The values of a sweep come from the run or from an input without a default, and torc expands at creation.",
    "Give the values with `--set`.",
    "strategy: {matrix: {file: '${{ needs.list.outputs.files }}'}}",
)
SWEEP_TOO_LARGE = error(
    "PWX3304",
    "torc-sweep-too-large",
    "A sweep that torc's parameters cannot hold would have to be written out, and has more instances than the limit.",
    "Raise the limit with `--option torc.expansion_limit=N`.",
    "strategy: {matrix: {i: […], include: […]}}      # more rows than `torc.expansion_limit`",
)
SWEEP_LIMIT = warning(
    "PWX3305",
    "torc-sweep-limit",
    "torc has no limit for the instances of one sweep that run at once.",
    "Start a worker with `--max-parallel-jobs`, or set `max_parallel_jobs` on an action.",
    "strategy: {max-parallel: 2, matrix: {i: [1, 2, 3]}}",
)
EARLY_CANCEL = warning(
    "PWX3306",
    "torc-early-cancel",
    "The failure of a job stops no others that are running.",
    "Cancel by hand with `torc workflows cancel`.",
    "early-cancel: any-job-failed",
)
WORKERS_PLACE = warning(
    "PWX3307",
    "torc-workers-place",
    "A job of torc names no machine: it runs where a worker is.",
    "Start the workers on the machines that are meant, or add `slurm_schedulers`.",
    "ssh: {remoteHost: login.example.org}",
)
ALLOCATION_ONLY = warning(
    "PWX3308",
    "torc-allocation-only",
    "What is asked for belongs to an allocation of nodes in torc, not to a job or a scheduler.",
    "Add it to `slurm_schedulers`, or to `extra` there.",
    "#SBATCH --tmp=4G",
)
UNKNOWN_AMOUNT = warning(
    "PWX3309",
    "torc-unknown-amount",
    "An amount of resources is an expression that is not known when the specification is written.",
    "Give the value with `--set`.",
    "resources: {default: {memory: '{{ size }}'}}      # an input without a default",
)
ACCOUNT = warning(
    "PWX3310",
    "torc-account",
    "A Slurm scheduler of torc needs an account, and the source has none.",
    "Give it with `--option torc.account=NAME`.",
    "#SBATCH --partition=gpu      # and no `--account`",
)
NO_RETRIES = error(
    "PWX3311",
    "torc-no-retries",
    "The version of torc that was asked for has no failure handlers.",
    "Choose a later one with `--option torc.version=`.",
    "pwxc compile train.yaml --to torc --option torc.version=r0",
)
RETRY_LIMIT = warning(
    "PWX3312",
    "torc-retry-limit",
    "torc tries a job again at once, a fixed number of times.",
    "Check `max_retries` of the failure handlers; it counts attempts.",
    "exitActions: {RESCHEDULE: '75'}",
)
PLATFORM_CODES = warning(
    "PWX3313",
    "torc-platform-exit-codes",
    "Exit codes above 255 are made by the source's platform; no process ends with them.",
    "torc starts jobs again that were lost with their worker.",
    "exitActions: {RESCHEDULE: '3006'}",
)
HOOK_HOLES = error(
    "PWX3314",
    "torc-hook-values",
    "The commands of an action are literal text in torc.",
    "Use variables of the worker's environment.",
    "commands: ['echo {i}']      # a reference that only the source resolves",
)
EDGE_KIND = error(
    "PWX3315",
    "torc-edge-kind",
    "torc's jobs wait for others to end; not for their start, nor for some time after it.",
    "Let the job wait in its command, or allow the loss.",
    "sbatch --dependency=after:$first second.sh",
)
TESTED = warning(
    "PWX3316",
    "torc-tested",
    "torc has one rule for all blockers of a job, all succeed or all have ended, and no conditions. The job starts when"
    " all have ended and tests at its head what is asked for; where that is not so, it ends as completed without having"
    " done anything.",
    "Look at `states` in the folder of the run for what really happened.",
    "if: ${{ needs.a.outputs.n == 1 }}",
)
CONDITION = error(
    "PWX3317",
    "torc-condition",
    "The condition of a job or a step has parts that bash cannot work out.",
    "Write it as a test at the head of the command, or allow the loss.",
    "if: ${{ needs.a.outputs.list[0] == 'x' }}",
)
TIME_LIMIT = warning(
    "PWX3318",
    "torc-time-limit",
    "torc has no limit for the time in a queue nor for a whole run.",
    "The walltime of the allocations limits what runs in them.",
    "timeout: 1h      # of a whole workflow",
)
NOT_IN_VERSION = warning(
    "PWX3319",
    "torc-not-in-version",
    "The version of torc that was asked for does not know a key.",
    "Choose another with `--option torc.version=`.",
    "label: second      # in a version that has no labels",
)
KDL_CANNOT = error(
    "PWX3320",
    "torc-kdl-cannot",
    "torc's reader of KDL takes no notice of some keys.",
    "Write YAML, which is the default.",
    "pwxc compile spec.yaml --to torc --option torc.format=kdl",
)
UNKNOWN_VALUE = warning(
    "PWX3321",
    "torc-unknown-value",
    "A value is known only to the source's platform. The job stops when the variable that stands for it is not set.",
    "Set the variables `PWXC_…` in the environment of the workers.",
    "run: make ${{ org.TOKEN }}",
)
SECRET_BY_HAND = warning(
    "PWX3322",
    "torc-secret-by-hand",
    "torc keeps no secrets: they have to be in the environment of the workers.",
    "Export the variables before the workers are started, from a file that only you can read.",
    "credentials: {store: /secrets}",
)
NO_IMAGE = warning(
    "PWX3323",
    "torc-no-image",
    "With `torc.container=none` commands run on the node itself.",
    "Install the software there, or use apptainer.",
    "pwxc compile train.yaml --to torc --option torc.container=none",
)
PRIVILEGED = error(
    "PWX3324",
    "torc-privileged",
    "Containers on a shared cluster get no privileges.",
    "Leave it out, or allow the loss.",
    "privileged: true",
)
SHARED_PATH = warning(
    "PWX3325",
    "torc-shared-path",
    "A file that was the task's own in its container is put on the node, where other tasks may see it.",
    "Use the container option, or paths that differ.",
    "files: [{path: /tmp/run.sh, contents: make}]      # with `torc.container=none`",
)
STORE_TOOL = warning(
    "PWX3326",
    "torc-store-tool",
    "No standard command copies from or to this kind of store.",
    "Add the command to `fetch` and `publish` in the script.",
    "outputs: [{url: swift://host/account/container}]",
)
DATASET = error(
    "PWX3327",
    "torc-dataset",
    "Versioned sets of files are not known to torc.",
    "Put the files into a store or a folder.",
    "inputs: [{dataset: {name: images}}]",
)
EARLIER_RUN = error(
    "PWX3328",
    "torc-earlier-run",
    "The output of an earlier run of another system cannot be reached.",
    "Put the files into a store or a folder.",
    "inputs: [{task: 'old-7:train'}]",
)
ACTION_CALL = error(
    "PWX3329",
    "torc-action-call",
    "A step calls an action or workflow of the source's platform.",
    "Write its commands out in the source, or allow the loss and add them by hand.",
    "uses: workflow/me/other",
)
SESSION = warning(
    "PWX3330",
    "torc-session",
    "torc opens no way into a running job.",
    "Make an ssh tunnel by hand.",
    "sessions: {notebook: {redirect: true}}",
)
PERMISSIONS = warning(
    "PWX3331",
    "torc-permissions",
    "Rights of a run on the source's platform mean nothing to torc.",
    "Commands that need them will not work.",
    "permissions: ['*']",
)
VARIABLE_NAME = error(
    "PWX3332",
    "torc-variable-name",
    "A variable of the environment has a name that torc and the shells that run its jobs do not take: letters, digits "
    "and `_`, not beginning with a digit.",
    "Give the variable another name in the source, or allow the loss with `--allow PWX3332`.",
    "environment: {1: a}   # OSMO takes it, `export 1=a` is no shell",
)
CHOSEN_RUNTIME = warning(
    "PWX3333",
    "torc-chosen-runtime",
    "Every job of torc has a `runtime`, and from 0.20.7 on a worker ends it then. The source names no limit for some "
    "tasks, so one had to be chosen.",
    "Give the tasks a time limit in the source, or correct `runtime` in the output.",
    "tasks:\n- {name: a, image: ubuntu:24.04, command: [make]}      # no `timeout`",
)
WHOLE_SWEEP = warning(
    "PWX3334",
    "torc-whole-sweep",
    "A job waits for all instances of a sweep, where the source asks for one of them.",
    "Give both sweeps the same parameters.",
    "needs: ['a:any']",
)
NOT_AWAITED = warning(
    "PWX3335",
    "torc-not-awaited",
    "Jobs do not wait for the commands of an action at the workflow's start, unless the only worker runs them.",
    "Start one worker first, or make the commands a job that the others depend on.",
    "a hook at the workflow's start, `mkdir -p results`, before the jobs",
)
WORKER_STEPS = warning(
    "PWX3336",
    "torc-worker-steps",
    "Commands that the source runs around each job become actions of the workers, which run them once in each worker.",
    "Put them into the jobs' commands if they have to run around each of them.",
    "a first step of every job that the source writes once",
)
ALLOCATIONS = warning(
    "PWX3337",
    "torc-allocations",
    "torc's jobs ask for no nodes: workers in allocations run them. An allocation of the kind that the source asks for"
    " is requested for each job, and any job that fits may run in it.",
    "`--option torc.allocations=start` asks for all at the start, `none` leaves them to `torc submit-slurm`.",
    "#SBATCH --account=proj",
)
MANY_ALLOCATIONS = warning(
    "PWX3338",
    "torc-many-allocations",
    "A sweep has more jobs than allocations should be asked for at once.",
    "Raise `walltime` of the scheduler so that an allocation runs several jobs, or correct `num_allocations`.",
    "#SBATCH --array=0-999",
)
OF_ALLOCATION = warning(
    "PWX3339",
    "torc-of-allocation",
    "An option acts on the allocation and the worker in it, where it acted on the job.",
    "Check `extra` of the scheduler, and leave the option out where it makes no sense for a worker.",
    "#SBATCH --mail-type=END",
)
OPTION_LOST = warning(
    "PWX3340",
    "torc-option-lost",
    "An option of `sbatch` has no counterpart: it would act on the submission of a job, which torc does not make.",
    "Do by other means what it was for, or leave it out of the source.",
    "#SBATCH --no-kill",
)
BY_NODE = warning(
    "PWX3341",
    "torc-by-node",
    "The source names a number for the whole job, which Slurm spreads over nodes as it likes. torc counts by node, and"
    " is told the number of nodes: one where the source names none.",
    "Give the number of nodes, and numbers for each of them, in the source.",
    "#SBATCH --ntasks=128      # and no `--nodes`",
)
ALLOCATION_VARIABLE = warning(
    "PWX3342",
    "torc-allocation-variable",
    "A variable that Slurm sets describes the allocation of the worker, where it described the job.",
    "Use `TORC_JOB_ID`, `TORC_JOB_NAME` or `TORC_WORKFLOW_ID` in the script, or give the value itself.",
    "mkdir /scratch/$SLURM_JOB_ID",
)
SCHEDULER_CALL = warning(
    "PWX3343",
    "torc-scheduler-call",
    "A program of Slurm that the script calls acts on the allocation of the worker and on the jobs in it, or makes jobs"
    " that torc does not know.",
    "Take the call out of the script; retry rules and dependencies are `failure_handlers` and `depends_on`.",
    "scontrol requeue $SLURM_JOB_ID",
)
TOGETHER = warning(
    "PWX3344",
    "torc-together",
    "torc's jobs have nodes of one kind. A job with components of several kinds gets nodes like the largest of each.",
    "Correct `num_nodes` and the scheduler, and `--het-group` of the steps in the script.",
    "#SBATCH hetjob",
)
SIGNAL = warning(
    "PWX3345",
    "torc-signal",
    "The signal before the end is a setting of the whole workflow, sent before the end of an allocation or of a job's"
    " runtime.",
    "Check `termination_signal` and `sigterm_lead_seconds` in `execution_config`.",
    "#SBATCH --signal=B:USR1@300",
)
STREAM = warning(
    "PWX3346",
    "torc-stream",
    "The name of a file for a stream, or a variable for the environment, is kept with a difference.",
    "Look at the first lines of the job's command.",
    "#SBATCH --output=%j.out",
)
CHOSEN_MEMORY = warning(
    "PWX3347",
    "torc-chosen-memory",
    "Every job of torc has an amount of memory, and from 0.20.7 on a worker ends a job that uses more. The source"
    " leaves it to its site for some tasks, so one had to be chosen.",
    "Give the tasks an amount in the source, or correct `memory` in the output.",
    "#SBATCH --ntasks=1      # and no `--mem`",
)
NO_WAIT = note(
    "PWX3348",
    "torc-no-wait",
    "A job whose dependency can no longer hold is cancelled. Slurm keeps such a job waiting until somebody ends it,"
    " where neither the job nor the site says otherwise.",
    "Nothing has to be done; `--kill-on-invalid-dep=yes` in the source means the same.",
    "sbatch --dependency=afterok:$first second.sh",
)
