"""What the writer of OSMO files has to say: PWX31xx."""

from __future__ import annotations

from pwxc.diagnostics.code import error, note, warning

NO_IMAGE = error(
    "PWX3100",
    "osmo-no-image",
    "Every task of OSMO runs in a container, and the source names no image. With `--lossy` a placeholder stands in its "
    "place, which no registry has.",
    "Name an image with everything that the tasks need: `--option osmo.image=ubuntu:24.04`.",
    "jobs:\n- {name: a, command: make}      # torc; which image?",
)
IMAGE_FORM = error(
    "PWX3101",
    "osmo-image-form",
    "OSMO takes images from registries, written `[HOST[:PORT]/]PATH[:TAG][@ALGORITHM:HEX]`; files of images and other "
    "forms have no counterpart. With `--lossy` the image of `osmo.image`, or a placeholder, stands in its place.",
    "Push the image to a registry and name it with `--option osmo.image=IMAGE`.",
    "image: /images/tool.sif",
)
SHARED_FOLDER = warning(
    "PWX3102",
    "osmo-shared-folder",
    "The source's tasks share a folder; OSMO's share nothing. Every task works in its output folder, and what the "
    "tasks before it have left there is copied in first. Files that are written elsewhere, or passed without an order "
    "between the tasks, do not arrive, nor do those of the folder from which a script was submitted.",
    "Let every task that reads a file depend on the one that writes it, and keep paths relative.",
    "jobs:\n- {name: a, command: make > data.txt}\n- {name: b, command: cat data.txt, depends_on: [a]}",
)
ONE_TIMEOUT = warning(
    "PWX3103",
    "osmo-one-timeout",
    "OSMO has one time limit for all groups. The largest of the source's limits is set; smaller ones are kept by "
    "`timeout` in the tasks' scripts.",
    "Nothing, unless the end by `timeout` (exit code 124) matters.",
    "jobs:\n  a: {timeout: 1h, steps: [{run: make}]}\n  b: {timeout: 5m, steps: [{run: make test}]}",
)
QUEUE_LIMIT = warning(
    "PWX3104",
    "osmo-queue-limit",
    "OSMO has one limit of the time in the queue for all groups; the largest of the source's is set.",
    "Nothing, unless the smaller limits matter.",
    "queue_timeout: 10m      # of one task; another one has 1h",
)
RUN_LIMIT = warning(
    "PWX3105",
    "osmo-run-limit",
    "OSMO limits the time of each group and not that of the whole run.",
    "Cancel the run by hand where the limit matters.",
    "timeout: 1h      # of a whole ACTIVATE workflow",
)
OUTCOME = warning(
    "PWX3106",
    "osmo-hidden-failure",
    "In OSMO a failure cancels everything downstream. Where a task has to run after a failure, the failed task counts "
    "as completed, keeps its status in a file, and those that need its success test that file.",
    "Look into the tasks' logs: a failure of these tasks is not shown as one.",
    "jobs:\n"
    "  a: {steps: [{run: make}]}\n"
    "  report:\n"
    "    needs: [a]\n"
    "    if: ${{ always }}\n"
    "    steps: [{run: ./report}]",
)
EDGE = error(
    "PWX3107",
    "osmo-edge",
    "OSMO starts a task when the tasks before it have ended. It cannot wait for a start or for one of several.",
    "Change the order in the source, or allow the loss with `--allow PWX3107`.",
    "sbatch --dependency=after:$first second.sh",
)
DELAY = warning(
    "PWX3108",
    "osmo-delay",
    "The delay after the tasks before is a `sleep` at the head of the script, which holds the task's resources.",
    "Nothing, unless the resources matter.",
    "sbatch --dependency=after:$first+10 second.sh",
)
CONDITION = error(
    "PWX3109",
    "osmo-condition",
    "OSMO has no conditions at run time. A test at the head of the script stands in for simple ones; this one cannot "
    "be written as such.",
    "Simplify the condition, or allow the loss with `--allow PWX3109`: the work then runs always.",
    "if: ${{ canceled }}",
)
LATE_CONDITION = warning(
    "PWX3110",
    "osmo-late-condition",
    "OSMO has no conditions at run time: the task starts, tests the condition and ends at once if it does not hold. It "
    "is then shown as completed.",
    "Nothing, unless the start of the container matters.",
    "if: ${{ needs.a.outputs.n == 1 }}",
)
HOOK = warning(
    "PWX3111",
    "osmo-hook",
    "OSMO runs tasks and nothing else, so commands at points of the run become tasks of their own or lines of every "
    "task's script. Such a task runs only after the success of the tasks before it; what every worker does is done for "
    "every task.",
    "Look whether the commands have to run after a failure too, or once for several tasks.",
    "actions: [{trigger_type: on_workflow_complete, action_type: run_commands, commands: [date]}]",
)
ALLOCATION = warning(
    "PWX3112",
    "osmo-allocation",
    "OSMO asks for what each task needs when it starts; blocks of nodes that workers share are not asked for.",
    "Nothing, unless an account or a partition has to be charged.",
    'slurm_schedulers:\n- {name: nodes, account: proj, nodes: 4, walltime: "04:00:00"}',
)
PLACE = warning(
    "PWX3113",
    "osmo-place",
    "Tasks run where the pool has room, not on the machine that the source names; what is installed or stored there is "
    "not at hand.",
    "Choose the pool with `osmo workflow submit --pool`, and put what is needed into the image.",
    "ssh: {remoteHost: login.example.org}",
)
SITE = warning(
    "PWX3114",
    "osmo-site-request",
    "Accounts, partitions, qualities of service, constraints and further options of a scheduler mean nothing to OSMO.",
    "Choose pool, platform and priority by hand.",
    "#SBATCH --partition=gpu --account=proj --constraint=a100",
)
NODES = warning(
    "PWX3115",
    "osmo-several-nodes",
    "A task of OSMO is one container on one node. Work on several nodes becomes a group: the script runs in the lead, "
    "and the other members wait until it ends. Their addresses are in `PWXC_HOSTS`, but there is no launcher that "
    "starts ranks on them as `srun` does.",
    "Start the ranks from the script, for example with an MPI that reaches the hosts in `PWXC_HOSTS`.",
    "#SBATCH --nodes=4   # a group of four; the script runs in the first",
)
NODES_OF_MEMBER = error(
    "PWX3140",
    "osmo-nodes-of-a-member",
    "A member of a group is one container on one node, so it cannot have several nodes itself; nor can a task have "
    "more than a thousand.",
    "Split the group, or allow the loss with `--allow PWX3140`: the member then runs on one node.",
    "#SBATCH --nodes=2000",
)
SWEEP_TOO_LARGE = error(
    "PWX3116",
    "osmo-sweep-too-large",
    "OSMO renders loops over at most 100,000 values.",
    "Let a task go through several values.",
    'parameters: {i: "1:1000000"}',
)
TOO_MANY_TASKS = warning(
    "PWX3117",
    "osmo-too-many-tasks",
    "OSMO takes 20 tasks in a workflow unless the site has raised its limit.",
    "Ask the site, and name its limit with `--option osmo.max_tasks=N`; or let a task go through several values.",
    'parameters: {i: "1:100"}',
)
UNKNOWN_SWEEP = error(
    "PWX3118",
    "osmo-unknown-sweep",
    "A loop of the file needs values that are known when the workflow is submitted and that can stand in a template. "
    "With `--lossy` the task is written once.",
    "Write the values out in the source.",
    "strategy: {matrix: {file: '${{ needs.list.outputs.files }}'}}",
)
SWEEP_LIMIT = warning(
    "PWX3119",
    "osmo-sweep-limit",
    "OSMO has no limit for the instances of a sweep that run at the same time, and a failing one stops no others.",
    "Choose a pool of the right size.",
    "#SBATCH --array=0-9%3",
)
SECRET_BY_HAND = warning(
    "PWX3120",
    "osmo-secret-by-hand",
    "A secret becomes a credential of OSMO, whose value cannot be carried over.",
    "Make it before the first run: `osmo credential set NAME --type GENERIC --payload KEY=VALUE`.",
    'run: curl -H "Authorization: ${{ org.TOKEN }}" https://example.org',
)
INPUTS_FORM = warning(
    "PWX3121",
    "osmo-form",
    "Inputs become `default-values`, which have a name and a value. Types, choices, limits, visibility and layout of a "
    "form are gone, and saved sets of values too.",
    "Give values with `osmo workflow submit --set NAME=VALUE`.",
    "size: {type: number, default: 4, min: 1, max: 9}",
)
FROZEN_VALUE = warning(
    "PWX3122",
    "osmo-frozen-value",
    "A value depends on an input in a way that a template cannot say in this place, so the input's default is "
    "built in.",
    "Change it in the output, or compile again with another value.",
    "retry: {max-retries: '${{ inputs.tries }}'}",
)
NEEDED_VALUE = warning(
    "PWX3123",
    "osmo-value-needed",
    "An input has no default, and a template needs one: it is empty in the output.",
    "Give it with `osmo workflow submit --set NAME=VALUE`.",
    "folder: {type: string}      # required, and without `default`",
)
ACTION = error(
    "PWX3124",
    "osmo-action",
    "The step calls an action of the source's platform, which OSMO does not have.",
    "Write what it does as a script, or allow the loss with `--allow PWX3124`: the step is then left out.",
    "uses: workflow/me/other",
)
EARLY_CANCEL = warning(
    "PWX3125",
    "osmo-early-cancel",
    "In OSMO a failure stops what comes after it and nothing that runs beside it.",
    "Cancel the run by hand where the waste matters.",
    "early-cancel: any-job-failed",
)
SESSION = warning(
    "PWX3126",
    "osmo-session",
    "OSMO opens no sessions by itself; any port of a running task can be forwarded by command.",
    "Use `osmo workflow port-forward RUN TASK --port PORT`.",
    "sessions: {notebook: {redirect: true}}",
)
PERMISSIONS = warning(
    "PWX3127",
    "osmo-permissions",
    "A run has no rights on the source's platform, so its commands fail there.",
    "Remove the calls of the platform's own tools from the scripts.",
    "permissions: ['*']",
)
UNKNOWN_VALUE = warning(
    "PWX3128",
    "osmo-unknown-value",
    "A value belongs to the source's platform and is not known in OSMO. It is empty unless a variable of that name is "
    "set.",
    "Set the variable in the task's `environment`.",
    "run: echo ${{ app.target.name }}",
)
DATASET = warning(
    "PWX3129",
    "osmo-dataset",
    "Datasets are part of OSMO up to release 6.3; later releases refuse them.",
    "For a later release put the data below a URL.",
    "inputs:\n- dataset: {name: images}",
)
EXIT_ORDER = warning(
    "PWX3130",
    "osmo-exit-order",
    "OSMO asks its exit actions in an order of its own: FAIL, COMPLETE, RESCHEDULE. Codes that several rules claim are "
    "left to the first of them.",
    "Nothing.",
    "exit codes 3 to 5: try again; 4 to 9: count as success",
)
LABEL = warning(
    "PWX3131",
    "osmo-label",
    "Labels follow the rules of Kubernetes: at most 16, short names, values without blanks. Others are kept as "
    "comments.",
    "Shorten the label.",
    'metadata: \'{"paper": "doi:10.1000/1"}\'',
)
FOREIGN_KEYS = warning(
    "PWX3132",
    "osmo-foreign-keys",
    "The source has keys that only its own system knows.",
    "Nothing, unless they matter.",
    "supports_termination: true",
)
MISSING_FILE = warning(
    "PWX3133",
    "osmo-missing-file",
    "A file that no task writes has to be there before the run. OSMO's tasks begin with an empty folder.",
    "Put the file into the image or below a URL, or copy it into the script.",
    "input_files: [table]\nfiles: [{name: table, path: table.csv}]      # no job writes it",
)
PRIORITY = warning(
    "PWX3134",
    "osmo-priority",
    "OSMO has a priority for a whole run, given at submission.",
    "Use `osmo workflow submit --priority`.",
    "priority: 5",
)
ROUNDED = warning(
    "PWX3135",
    "osmo-rounded",
    "The amount is not a whole number of OSMO's units, so it is rounded up.",
    "Nothing.",
    "mem of 1500 bytes, written as 2Ki",
)
HARD_TEXT = error(
    "PWX3136",
    "osmo-hard-text",
    "OSMO replaces its special tokens in every text of a task, so a text that has such a token in it cannot be kept.",
    "Change the text, or allow the loss with `--allow PWX3136`.",
    "run: grep '{{output}}' notes.txt      # in a variable of the environment",
)
CLEANUP = warning(
    "PWX3137",
    "osmo-cleanup",
    "What has to run at the end of a task runs when its script ends; not when OSMO kills, evicts or cancels the task.",
    "Nothing, unless the clean-up must never be left out.",
    "cleanup: rm -rf scratch",
)
MODULES = warning(
    "PWX3138",
    "osmo-machine-software",
    "The script takes software from the machine: modules, environments, files that set them up. A container has none "
    "of it. The command stays in the script as `: COMMAND`, which does nothing, so what it loads has to be in the "
    "image.",
    "Put the software into the image, and its folders into the image's `PATH`.",
    "module load gcc/12.1",
)
RANKS = warning(
    "PWX3141",
    "osmo-ranks",
    "OSMO has no launcher. A small shell program starts the copies of the command beside each other, with "
    "`SLURM_PROCID` and its kin set, and ends with the highest status. The copies know nothing of each other: a "
    "program that uses MPI would run as many times as there are copies, each time with a single rank. Where the script "
    "loads an MPI or asks for one with `--mpi`, the `mpirun` of the image starts them, if it has one.",
    "Nothing for programs that look at their rank; for MPI put an MPI into the image, and call its `mpirun`.",
    "#SBATCH --ntasks=4\nsrun ./work",
)
SCRIPT_IMAGE = warning(
    "PWX3142",
    "osmo-script-image",
    "The script's containers all have one image, which becomes the image of the task. What the script does outside "
    "of them runs in that image too.",
    "Look whether the image has the programs that the script calls around its containers.",
    "python prepare.py\napptainer exec docker://python:3.12 python work.py",
)
CONTAINER_CALL = warning(
    "PWX3143",
    "osmo-container-call",
    "The call of a container runtime cannot be taken out of the script, and a container of OSMO has no runtime "
    "inside. It stays in the text and fails when it is run.",
    "Push an OCI image to a registry and name it in the script, or call the program without the runtime and name the "
    "image with `--option osmo.image=IMAGE`; split a script that uses several images.",
    "apptainer exec tools.sif ./work",
)
LAUNCHER = warning(
    "PWX3144",
    "osmo-launcher",
    "The launcher stays in the text: there is nothing in a container that starts work on other nodes. Where the "
    "launcher is one of MPI, it has to be in the image.",
    "Write what the launcher does for the containers of a group, or start a single command over all nodes.",
    "srun --nodes=1 --nodelist=$second ./server &",
)
UNFOLDED = warning(
    "PWX3145",
    "osmo-unfolded",
    "A command that the source starts on several nodes is run by every member of a group, each with its own ranks. "
    "The group ends when the first member ends, and only what that member writes goes to later tasks.",
    "Nothing for programs whose ranks end together; others have to wait for each other.",
    "#SBATCH --nodes=4\nsrun torchrun --nnodes=4 train.py",
)
SCHEDULER_VARIABLE = warning(
    "PWX3146",
    "osmo-scheduler-variable",
    "The script reads a variable of the scheduler or of its site whose value is not known in OSMO. It is empty unless "
    "the image or the task's environment sets it.",
    "Set the variable in the task's `environment`, or take it out of the script.",
    "echo $SLURM_CLUSTER_NAME\ncd $SCRATCH",
)
SCHEDULER_COMMAND = warning(
    "PWX3147",
    "osmo-scheduler-command",
    "The script calls a program of the scheduler, which a container does not have.",
    "Take the call out, or say in the workflow what it does: the order of tasks, attempts, the time limit.",
    "scontrol requeue $SLURM_JOB_ID",
)
COMPONENTS = warning(
    "PWX3148",
    "osmo-components",
    "A job of several components becomes a group whose members have different resources. The script runs in the first "
    "member; the members of the other components wait until it ends, and their addresses are in "
    "`SLURM_JOB_NODELIST_HET_GROUP_N`.",
    "Write tasks of their own for the work of the other components.",
    "#SBATCH --ntasks=1\n#SBATCH hetjob\n#SBATCH --ntasks=4",
)
BIND = warning(
    "PWX3149",
    "osmo-bind",
    "A container of the script sees a folder of the machine whose path is known only in the run. OSMO mounts only "
    "folders that are named in the file.",
    "Put the files into the image, below a URL in `inputs`, or name the folder itself.",
    "apptainer exec --bind $DATA:/data docker://python:3.12 python work.py",
)
PAIRS = warning(
    "PWX3150",
    "osmo-pairs",
    "An instance of a sweep waits for the instance of the same number of another sweep only where both go over the "
    "same values. Otherwise it waits for all of them.",
    "Give both the same values, or nothing, if the time does not matter.",
    "sbatch --array=0-9 a.sh\nsbatch --array=0-4 --dependency=aftercorr:$a b.sh",
)
NO_WAIT = note(
    "PWX3151",
    "osmo-no-wait",
    "A task is cancelled when a task that it needs has failed. Slurm keeps such a job waiting until somebody ends it, "
    "where neither the job nor the site says otherwise.",
    "Nothing has to be done; `--kill-on-invalid-dep=yes` in the source means the same.",
    "sbatch --dependency=afterok:$first second.sh",
)
EMPTY_WORKFLOW = error(
    "PWX3139",
    "osmo-empty-workflow",
    "A workflow of OSMO has at least one task.",
    "Nothing can be written for a workflow without tasks, or whose conditions never hold.",
    "jobs: []",
)
