"""Slurm's rows of the catalogue: 24xx reading and 34xx writing; those of lint, 44xx, stand with its rules."""

from __future__ import annotations

from pwxc.diagnostics.code import error, note, warning
from pwxc_targets.slurm.linting.codes import *  # noqa: F403

# reading a script: PWX2400 to PWX2419

NO_SCRIPT = error(
    "PWX2400",
    "slurm-not-a-script",
    "`sbatch` takes the file for no batch script: it is empty, or its first line is not `#!` with an interpreter.",
    "Start the file with `#!/bin/bash`.",
    "echo hello      # no `#!` in the first line",
)
DOS_LINES = error(
    "PWX2401",
    "slurm-dos-line-ends",
    "Lines end with carriage return and line feed. `sbatch` refuses such a file wherever they stand in it.",
    "Convert the file with `dos2unix`.",
    "#!/bin/bash\\r\n#SBATCH --time=5\\r",
)
CUTTING = error(
    "PWX2402",
    "slurm-directive-words",
    "A directive cannot be cut into words: a quote is open at the end of the line, or a word starts with `:`.",
    "Close the quote. A directive has no continuation lines.",
    '#SBATCH --comment="two words',
)
STRAY_WORD = error(
    "PWX2403",
    "slurm-stray-word",
    "A word in a directive is neither an option nor the value of one. `sbatch` refuses the script.",
    "Put a value with blanks into double quotes, and `#` before a comment. Nothing is expanded in a directive.",
    "#SBATCH --job-name=my job",
)
UNKNOWN_OPTION = error(
    "PWX2404",
    "slurm-unknown-option",
    "`sbatch` has no such option. Sites add some through plug-ins; a plain Slurm refuses those as well.",
    "Correct the spelling. Where a plug-in of the site provides the option, say so with "
    "`--option slurm.plugins=pyxis` (or `shifter`, `ear`, `uenv`, `ce`, `quota`, `any`).",
    "#SBATCH --workdir=/scratch",
)
OPTION_USE = error(
    "PWX2405",
    "slurm-option-use",
    "An option is given in a way that is refused: without the value that it needs, with one that it cannot have, or "
    "shortened so that it may be several.",
    "Write the option in full, with `=` and its value.",
    "#SBATCH --n=3",
)
BAD_VALUE = error(
    "PWX2406",
    "slurm-bad-value",
    "`sbatch` or the controller refuses the value of an option.",
    "Write a value of the form that the message names.",
    "#SBATCH --time=1d",
)
NEWER_OPTION = note(
    "PWX2407",
    "slurm-newer-option",
    "The option exists, but not in every version of Slurm that is in use.",
    "Check the version of the site with `sbatch --version`.",
    "#SBATCH --stepmgr",
)
FOREIGN = error(
    "PWX2408",
    "slurm-foreign-directive",
    "`sbatch` translates `#PBS` and `#BSUB` lines too, and refuses the script over one that it does not know.",
    "Remove those lines, or add `#SBATCH --ignore-pbs`.",
    "#PBS -l unknown=1",
)

ARRAY_KEPT = warning(
    "PWX2410",
    "slurm-array-kept",
    "The indexes of an array cannot be read, so that there is no sweep in the workflow. The option is kept as it is "
    "written; the controller refuses it.",
    "Write `0-9`, `1,3,5` or `0-100:10`; nothing is expanded in a directive.",
    "#SBATCH --array=1-$N",
)

# reading a driver: PWX2420 to PWX2439

DYNAMIC = error(
    "PWX2420",
    "slurm-driver-not-static",
    "A submission in the driver depends on something that is known only when the driver runs, so that it is not "
    "clear what is submitted or what it waits for.",
    "Replace it by fixed lists and by ids that are kept in variables, or write the workflow by hand.",
    'for f in $(ls data); do sbatch job.sh "$f"; done',
)
NO_FILE = error(
    "PWX2421",
    "slurm-script-not-found",
    "The driver submits a script that was not given and is not in the folder of the driver.",
    "Give the script together with the driver, or read the driver where its scripts are.",
    "sbatch not-there.sh",
)
UNKNOWN_ID = error(
    "PWX2422",
    "slurm-unknown-dependency",
    "A dependency names a job that the driver does not submit.",
    "Name a job that the same driver has submitted before.",
    "sbatch --dependency=afterok:12345 job.sh",
)
LOGIN_COMMANDS = warning(
    "PWX2423",
    "slurm-login-commands",
    "The driver runs commands besides `sbatch`, on the machine where it is called. They are not part of the workflow "
    "that is read.",
    "Run them by hand before, or put them into a job.",
    "rsync -a results/ archive/\nsbatch job.sh",
)
NO_JOBS = error(
    "PWX2424",
    "slurm-no-jobs",
    "The file has no directives of `sbatch` and submits nothing.",
    "Check that the right file was given.",
    "#!/bin/bash\necho hello",
)

KEPT_AS_SCRIPT = warning(
    "PWX2425",
    "slurm-driver-kept-as-script",
    "The file submits jobs, but not all of its submissions can be followed. It is kept as one script, as `sbatch` "
    "itself would take it.",
    "Give the scripts that it submits together with it, and replace what the other messages mark.",
    'for file in *.csv; do sbatch job.sh "$file"; done',
)

OWN_LINE = error(
    "PWX2426",
    "slurm-own-line",
    "The script was written by `pwxc`, and a line of it does not read back: it was changed by hand, or it works out "
    "an expression in a way that cannot be turned back.",
    "Change the workflow that the scripts were made from, or accept that what the line does is left out.",
    "#!/bin/bash\n"
    "#SBATCH --job-name=a\n"
    "# a: a job of the workflow that submit.sh submits.\n"
    "echo 'a line that was put in by hand'",
)

SEVERAL_DRIVERS = error(
    "PWX2427",
    "slurm-several-drivers",
    "More than one of the files submits jobs, so that it is not clear which of them the workflow is.",
    "Give the driver first, and after it the scripts that it submits.",
    "pwxc compile submit-all.sh submit-some.sh --from slurm --to torc",
)
NOT_SUBMITTED = warning(
    "PWX2428",
    "slurm-not-submitted",
    "The batch script stands beside the driver, which does not submit it. It is no part of the workflow.",
    "Leave the script out, or compile it by itself.",
    "pwxc compile submit.sh a.sh b.sh --from slurm --to torc      # submit.sh submits a.sh only",
)

ARGUMENTS = error(
    "PWX2429",
    "slurm-arguments",
    "The driver gives arguments to a script that is none of a shell. In the workflow the script is a text that its "
    "interpreter reads, and there is no place for them.",
    "Call the script from a shell script, or let it read variables.",
    "sbatch train.py --epochs 3",
)

TAKEN_AS_DEFAULT = warning(
    "PWX2430",
    "slurm-input-taken-as-default",
    "An input of the driver decides which jobs there are, so that the workflow cannot leave it open. The jobs are "
    "those of its default.",
    "Compile the driver again after the default was changed, or write the workflow by hand.",
    "N=${1:-10}\nfor i in $(seq 1 $N); do sbatch job.sh $i; done",
)
AS_IT_IS = warning(
    "PWX2431",
    "slurm-files-as-they-are",
    "What the driver submits depends on files in its folder. They are taken as they are now.",
    "Compile the driver again when the files have changed.",
    'while read -r name; do sbatch job.sh "$name"; done < names.txt',
)
THROTTLED = warning(
    "PWX2432",
    "slurm-throttled",
    "The driver waits while many jobs are in the queue, and then goes on to submit. No job waits for a certain other "
    "one by this.",
    "Limit how many jobs run at the same time in the other system.",
    "while [ $(squeue -h -u $USER | wc -l) -ge 50 ]; do sleep 60; done",
)
NOT_READ_IN = warning(
    "PWX2433",
    "slurm-not-read-in",
    "The driver reads in a file that was not given and does not lie where the driver looks for it.",
    "Give the file together with the driver. Variables that it sets are inputs of the workflow now.",
    ". ./settings.sh\nsbatch --time=$LIMIT job.sh",
)
SUBMITS_INSIDE = warning(
    "PWX2434",
    "slurm-submits-inside",
    "The script submits jobs while it runs. They are no part of the workflow; the script goes on to submit them.",
    "Submit the jobs from a driver, with dependencies, if they are to be part of the workflow.",
    '#SBATCH --time=60\nsbatch --dependency=afterany:$SLURM_JOB_ID "$0"',
)
LEFT_OUT = warning(
    "PWX2435",
    "slurm-option-left-out",
    "What a job or its output is called is made up when the driver runs, from the date for example. The option is left "
    "out.",
    "Write a fixed name, or use the patterns of Slurm (`%x`, `%j`).",
    'sbatch --output="logs/$(date +%F).out" job.sh',
)
OUTSIDE_JOB = warning(
    "PWX2436",
    "slurm-outside-job",
    "What a job waits for is an input of the driver: the id of a job that somebody else has submitted. It is kept as "
    "the text of the option, which means something to Slurm alone.",
    "Where the other system is not on top of Slurm, wait for that job by hand.",
    "sbatch --dependency=afterok:$1 job.sh",
)
MADE_UP = warning(
    "PWX2437",
    "slurm-made-up-value",
    "A value comes from a command that says something else at every call, such as `date`. It is an input of the "
    "workflow.",
    "Give the value when the workflow is started.",
    'stamp=$(date +%F)\nsbatch job.sh "results/$stamp"',
)

# writing: PWX3400 to PWX3499

NO_COUNTERPART = error(
    "PWX3400",
    "slurm-no-counterpart",
    "Slurm has nothing that does this.",
    "Leave it out of the source, or accept the loss.",
    "privileged: true",
)
CONTAINER_NOT_USED = warning(
    "PWX3401",
    "slurm-container-not-used",
    "The commands run on the node itself: containers are switched off with `slurm.container=none`.",
    "See that the node has what the image provides, or use `--option slurm.container=apptainer` or `pyxis`.",
    "pwxc compile train.yaml --to slurm --option slurm.container=none",
)
QUEUE_LIMIT = warning(
    "PWX3402",
    "slurm-queue-limit",
    "Slurm does not limit how long a job waits, but it ends a job that cannot end before its deadline any more. A job "
    "with a time limit gets a deadline when nothing that it waits for is left.",
    "Nothing, if the job has a time limit; otherwise give it one (`exec_timeout`).",
    "timeout: {queue_timeout: 10m}",
)
SITE_MAPPING = warning(
    "PWX3403",
    "slurm-site-mapping",
    "The source names a kind of machine in the words of its own site. It is written where Slurm has a field for it.",
    "Replace the name by a partition or a feature of the site.",
    "resources: {default: {platform: dgx}}",
)
CHOSEN_LIMIT = warning(
    "PWX3404",
    "slurm-chosen-retry-limit",
    "The source leaves the number of attempts to its site. A number had to be chosen.",
    "Set it with `--option slurm.retries=N`.",
    "exitActions: {RESCHEDULE: '75'}",
)
SECRET = warning(
    "PWX3405",
    "slurm-secret",
    "A secret is read from the environment of the submit script or from a file that only its owner can read.",
    "Create the file, or set the variable, before submitting; the submit script says which.",
    "credentials: {store: /secrets}",
)
TRANSFER = warning(
    "PWX3406",
    "slurm-transfer",
    "Objects are copied with the store's command line tool, which needs to be there and to have its own credentials.",
    "Check that the nodes have the tool and that it is logged in.",
    "inputs: [{url: 's3://bucket/folder'}]",
)
DATASET = error(
    "PWX3407",
    "slurm-dataset",
    "Slurm has no store of versioned data sets.",
    "Replace the data set by a URL or by a folder.",
    "inputs: [{dataset: {name: images}}]",
)
ACTION = error(
    "PWX3408",
    "slurm-action",
    "The step calls an action or a workflow of the source's system, whose text is not at hand.",
    "Replace the step by a script.",
    "uses: workflow/me/other",
)
EXPRESSION = error(
    "PWX3409",
    "slurm-expression",
    "An expression cannot be worked out by the shell, and its value is not known before the run.",
    "Simplify the expression, or work the value out in a step.",
    "if: ${{ needs.a.outputs.list[0] == 'x' }}",
)
GANG_RETRY = warning(
    "PWX3410",
    "slurm-gang-retry",
    "Members of a gang run in one allocation: a member is started again in its place, on the same node.",
    "Nothing, unless the member has to move to another node.",
    "groups:\n- name: g\n  tasks: [{name: a, lead: true, exitActions: {RESCHEDULE: '75'}, …}, {name: b, …}]",
)
PAIRING = warning(
    "PWX3411",
    "slurm-pairing",
    "Slurm ties instance to instance between two arrays only for success. Here every instance waits for the whole "
    "other array.",
    "Nothing, if the longer wait is acceptable.",
    "jobs of one sweep that follow those of another, after any end, i after i",
)
PRIVILEGE = error(
    "PWX3412",
    "slurm-privilege",
    "A job has the rights of its user and no others.",
    "Leave it out of the source, or accept the loss.",
    "privileged: true",
)
TOPOLOGY = warning(
    "PWX3414",
    "slurm-topology",
    "Nearness is asked for with `--switches=1`, which knows one level and no groups.",
    "Ask the site which form of `--switches` or `--constraint` it wants.",
    "resources: {default: {topology: [{key: rack}]}}",
)
FIXED_DIRECTIVE = error(
    "PWX3415",
    "slurm-late-value",
    "A value that is known only at run time stands where the scheduler needs it at submission.",
    "Use an input, which is known at submission.",
    "resources: {nodes: '${{ needs.a.outputs.n }}'}",
)
WORKER_HOOK = warning(
    "PWX3416",
    "slurm-worker-hook",
    "Every job is its own allocation, so what was run once for each worker is run once for each job.",
    "Nothing, if the commands may run more often.",
    "trigger_type: on_worker_start\npersistent: true",
)
PRIORITY = warning(
    "PWX3417",
    "slurm-priority",
    "The priority becomes a `--nice` value; sites limit who may raise a priority.",
    "Ask the site for a quality of service if the priority matters.",
    "priority: 5",
)
PLATFORM = error(
    "PWX3418",
    "slurm-platform-feature",
    "This belongs to the platform of the source: its forms, sessions, rights or stores.",
    "Leave it out of the source, or accept the loss.",
    "sessions: {notebook: {redirect: true}}",
)
HOST = warning(
    "PWX3419",
    "slurm-named-host",
    "The work was meant for a host that the source names. It is submitted to the Slurm where the submit script runs.",
    "Run the submit script on that host.",
    "ssh: {remoteHost: login.example.org}",
)
SWEEP_FROM_INPUT = error(
    "PWX3420",
    "slurm-sweep-from-input",
    "The values of a sweep come from an input, so the size of the array is not known.",
    "Give the values with `--set`, so that the sweep is fixed.",
    "strategy: {matrix: {i: '${{ inputs.list }}'}}",
)
CHECKPOINT = warning(
    "PWX3421",
    "slurm-checkpoint",
    "A loop beside the command copies the folder; the copy at the end is made by a trap, which a hard kill skips.",
    "Leave time for the last copy within the time limit.",
    "checkpoint: [{path: /x, url: 's3://bucket/folder', frequency: 5m}]",
)
MIXED_SWEEP = error(
    "PWX3422",
    "slurm-gang-of-sweeps",
    "Members of a gang have sweeps of their own, which one allocation cannot hold.",
    "Give the sweep to the gang's tasks alike, or unroll it.",
    "a group of two tasks, each of which is repeated over a list of its own",
)
STEP_LIMIT = warning(
    "PWX3424",
    "slurm-limit-of-attempts",
    "A time limit is meant for all attempts of a step, or of a job, together; here each attempt has the limit.",
    "Give the limit to the attempt in the source, where it has a key for that. `--option slurm.retry=inside` keeps all "
    "attempts of a job within one allocation and its time.",
    "timeout: 10m\nretry: {max-retries: 3}",
)
ANY_INSTANCE = warning(
    "PWX3425",
    "slurm-first-instance",
    "The source goes by the first instance of a sweep that ends. Slurm starts what waits with the first instance that "
    "succeeds (or fails, where a failure is waited for), even if another one has ended before.",
    "Nothing, unless instances fail.",
    "needs: ['a:any']",
)
GANG_SHAPE = warning(
    "PWX3440",
    "slurm-gang-shape",
    "A gang is one allocation. The script of a member with several nodes begins on the first of them, and its `srun` "
    "sees the nodes of the whole gang. Where the gang is an array, all nodes are alike: an array has no components.",
    "Name the nodes in the member's own `srun` (`--nodelist`, or `--het-group`), or give each member one node.",
    "a gang of two tasks, one of which asks for four nodes",
)
LONG_SWEEP = error(
    "PWX3426",
    "slurm-long-sweep",
    "A sweep has more instances than may be submitted: each becomes an element of an array, and no scheduler takes so "
    "many.",
    "Look whether the range is meant, or raise the limit with `--option slurm.instance_limit=`.",
    "parameters: {i: '1:1000000000000'}",
)
NO_COMPONENTS = error(
    "PWX3427",
    "slurm-components",
    "A task asks for nodes of several kinds at once. A heterogeneous job cannot be an array, and a member of a gang "
    "has one component.",
    "Write the instances of the sweep as tasks of their own.",
    "for i in 1 2 3; do sbatch het.sh; done",
)
