"""What the writer of ACTIVATE files has to say: PWX32xx."""

from __future__ import annotations

from pwxc.diagnostics.code import error, note, warning

REQUESTS_NOT_ENFORCED = warning(
    "PWX3200",
    "pw-requests-not-enforced",
    "A step that runs over ssh gets the machine that the cluster input names. Requests for processors, memory, GPUs, "
    "disk or kinds of nodes are not enforced there.",
    "Choose a cluster that is large enough, or submit to its scheduler with `--option pw.submit=job_runner`.",
    "resource_requirements: [{name: small, num_cpus: 4, memory: 8g}]",
)
QUEUE_LIMIT = warning(
    "PWX3201",
    "pw-queue-limit",
    "A limit of the time in the queue has nothing to act on: over ssh there is no queue, and the job runner has no "
    "such setting.",
    "Watch the queue by hand, or set a deadline in the scheduler's directives.",
    "timeout: {queue_timeout: 10m}",
)
IMAGE_NOT_USED = warning(
    "PWX3202",
    "pw-image-not-used",
    "With `pw.container=none` commands run on the machine itself; what the image provides has to be installed there.",
    "Install the software, or compile with `--option pw.container=apptainer`.",
    "pwxc compile train.yaml --to pw --option pw.container=none",
)
SECRET_BY_HAND = warning(
    "PWX3203",
    "pw-secret-by-hand",
    "A credential of the source's store becomes a password input of the form (or a folder on the cluster). Its value "
    "cannot be carried over.",
    "Fill it in when the workflow is run, or replace the input by an organisation variable.",
    "credentials: {store: /secrets}",
)
RETRY_LIMIT = warning(
    "PWX3204",
    "pw-retry-limit",
    "The source leaves the number of attempts to the site, so one was chosen. Attempts run on the same machine with "
    "the same disk.",
    "Choose another number with `--option pw.retries=N`.",
    "exitActions: {RESCHEDULE: '75'}",
)
PLATFORM_CODES = error(
    "PWX3205",
    "pw-platform-exit-codes",
    "Exit codes above 255 are the source system's own (evicted, preempted, upload failed); no such code is ever seen "
    "on this platform.",
    "Leave them out, or allow the loss with `--allow PWX3205`.",
    "exitActions: {RESCHEDULE: '3006'}",
)
DATASET = error(
    "PWX3206",
    "pw-dataset",
    "A versioned dataset has no counterpart. With `--lossy` the data are looked for, or left, in a folder that is "
    "asked for on the form; versions, tags and metadata are gone.",
    "Keep the data at a URL, or allow the loss with `--allow PWX3206` and give the folder when the workflow is run.",
    "inputs: [{dataset: {name: images}}]",
)
EARLIER_RUN = error(
    "PWX3207",
    "pw-earlier-run",
    "The output of an earlier run of the source's system is out of reach. With `--lossy` its folder is asked for on "
    "the form.",
    "Copy the data, or allow the loss with `--allow PWX3207` and give the folder when the workflow is run.",
    "inputs: [{task: 'old-7:train'}]",
)
PRIVILEGED = error(
    "PWX3208",
    "pw-privileged",
    "Containers run as the user, without privileges.",
    "Leave `privileged` out, or allow the loss with `--allow PWX3208`.",
    "privileged: true",
)
LABELS = warning(
    "PWX3209",
    "pw-labels",
    "A run has no labels here; they are kept as a comment, and nothing can be selected by them.",
    "Put what you search for into the run's name.",
    "labels: {team: robots}",
)
ONE_MACHINE = warning(
    "PWX3210",
    "pw-gang-on-one-machine",
    "Over ssh all members of a group run on the machine that the cluster input names, so they share its processors, "
    "GPUs and ports; each member's host is that machine.",
    "Give each member its own port, or submit to the scheduler with `--option pw.submit=job_runner`.",
    "groups:\n- name: g\n  tasks: [{name: server, …}, {name: client, lead: true, …}]",
)
RELOCATED_FILES = warning(
    "PWX3211",
    "pw-relocated-files",
    "Without a container an injected file cannot stand at its own path, which other tasks may use too. It is put below "
    "the run's folder, and the path is replaced wherever a text spells it out.",
    "Where a script builds the path from pieces, correct it by hand, or use `--option pw.container=apptainer`.",
    "files: [{path: /etc/tool.conf, contents: fast}]      # with `pw.container=none`",
)
STORE_TOOL = warning(
    "PWX3212",
    "pw-store-tool",
    "For this kind of store there is no standard command on a cluster, so the copy fails unless one is configured.",
    "Name one: `--option 'pw.copy=rclone copy {from} {to}'`.",
    "outputs: [{url: swift://host/account/container}]",
)
FROZEN_VALUE = warning(
    "PWX3213",
    "pw-frozen-value",
    "An input decides a value that cannot be an expression in this place, so the input's default is built in.",
    "Change it in the output, or compile again with another value.",
    "{% for i in range(count) %}      # `count` is a parameter",
)
MOUNT_BY_HAND = warning(
    "PWX3214",
    "pw-mount-by-hand",
    "Without a container a host folder cannot be seen at another path.",
    "Make a link at the target path, or use `--option pw.container=apptainer`.",
    "volumeMounts: ['/scratch/data:/data']      # with `pw.container=none`",
)
PLACE = warning(
    "PWX3215",
    "pw-place",
    "A site's name for a kind of machine, a topology or a list of nodes to avoid means nothing on another site.",
    "Choose the cluster, partition or constraint by hand.",
    "resources: {default: {platform: dgx}}",
)
NO_COUNTERPART = error(
    "PWX3216",
    "pw-no-counterpart",
    "The platform has nothing that does this.",
    "Leave it out of the source, or allow the loss with `--allow PWX3216`.",
    "sbatch --dependency=after:$first second.sh",
)
SITE_TIME = warning(
    "PWX3217",
    "pw-site-time",
    "The source gives no time limit, and the job runner sets one of 4 hours where none is given.",
    "Write a time limit into the source.",
    "#SBATCH --partition=gpu      # and no `--time`",
)
LARGEST = warning(
    "PWX3218",
    "pw-largest-member",
    "A gang is one submission whose nodes are alike, so the member that asks for most decides for all.",
    "Give the members the same resources, or accept what is asked for too much.",
    "one member with `cpu: 2`, another with `cpu: 16`",
)
NO_EXPRESSION = error(
    "PWX3220",
    "pw-no-expression",
    "A reference stands in a place that only the platform's expressions can fill, and it has none for what is meant: "
    "a folder of the run, a host, a value that a script sets. With `--lossy` nothing stands there.",
    "Work the value out inside a script, or allow the loss with `--allow PWX3220`.",
    "outputs: [{url: 's3://bucket/{{workflow_id}}'}]      # in a place that no script sets",
)
TOO_MANY_VALUES = error(
    "PWX3221",
    "pw-too-many-values",
    "The values of a matrix are written out, because the language of generation 3 has no ranges. So many make a file "
    "that nobody can read. With `--lossy` the first ones are written.",
    "Raise the limit with `--option pw.expansion_limit=N`, or let a script go through the values.",
    'parameters: {i: "1:1000000"}',
)
ALL_INSTANCES = warning(
    "PWX3222",
    "pw-waits-for-all-instances",
    "The source ties instance to instance of two sweeps. Here a job waits for all instances of the job that it needs, "
    "and one that fails keeps all of them back.",
    "Put the commands of both into one job, as two steps.",
    "depends_on: ['a_{i}']",
)
ALLOCATION = warning(
    "PWX3223",
    "pw-no-shared-allocation",
    "The source asks for nodes on which several tasks run side by side. Here each job that is submitted asks the "
    "scheduler for itself, when what it waits for has ended.",
    "For many short jobs, put them into one job that starts them with `srun`.",
    "scheduler: nodes",
)
WORKERS = warning(
    "PWX3224",
    "pw-no-workers",
    "There are no workers. What each of them does when it starts or ends is done before and after each job, so it may "
    "run more often.",
    "Make sure that the commands may be repeated, or take them out of the source.",
    "trigger_type: on_worker_start\npersistent: true",
)
PRIORITY = warning(
    "PWX3225",
    "pw-priority",
    "Jobs have no priority: all that are ready start at the same time.",
    "Order them with `needs`, or limit a matrix with `max-parallel`.",
    "priority: 5",
)
FOREIGN_SETTING = warning(
    "PWX3226",
    "pw-foreign-setting",
    "A setting that only the source's system has is left out.",
    "See whether the workflow relies on it.",
    "execution_config: {mode: direct}",
)
SECOND_COMPONENT = error(
    "PWX3227",
    "pw-heterogeneous-job",
    "The further components of a heterogeneous job are not asked for: the task also stages data or is a member of a "
    "gang, so that its commands stand in one script for one kind of node.",
    "Write the task without files, secrets or gang, or allow the loss with `--allow PWX3227`.",
    "#SBATCH --ntasks=1\n#SBATCH hetjob\n#SBATCH --ntasks=4",
)
DATUM = error(
    "PWX3228",
    "pw-datum",
    "A value that tasks hand to each other through the source's server has nobody to keep it.",
    "Write it into a file of the run's folder, or into `$OUTPUTS`.",
    "output_user_data: [result]",
)
SOURCE_SYSTEM = warning(
    "PWX3229",
    "pw-source-system",
    "A command uses the source's own system: one of its variables, or its command line. Neither is there.",
    "Rewrite the command.",
    "command: torc jobs list $TORC_WORKFLOW_ID",
)
SIGNAL = warning(
    "PWX3230",
    "pw-signal",
    "The source has a signal sent to its batch shell. Here the command runs in a shell of its own below that one, "
    "because something has to be done when it has ended, and the signal does not reach it.",
    "Take `B:` out of `--signal` and start the program with `srun`, or leave `exec` and the trap for EXIT out of the "
    "script.",
    "#SBATCH --signal=B:USR1@60",
)
START = warning(
    "PWX3231",
    "pw-start",
    "No job can wait for the start of another. The job starts together with the other: when what that one waits for "
    "is over.",
    "Nothing, unless the other job may wait long for its nodes; then let it tell the start through a file.",
    "sbatch --dependency=after:$a b.sh",
)
NO_WAIT = note(
    "PWX3235",
    "pw-no-wait",
    "A job whose dependency can no longer hold is skipped. Slurm keeps such a job waiting until somebody ends it, "
    "where neither the job nor the site says otherwise.",
    "Nothing has to be done; `--kill-on-invalid-dep=yes` in the source means the same.",
    "sbatch --dependency=afterok:$first second.sh",
)
