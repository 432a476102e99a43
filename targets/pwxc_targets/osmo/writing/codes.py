"""What the writer of OSMO files has to say: PWX31xx."""

from __future__ import annotations

from pwxc.diagnostics.code import error, warning

NO_IMAGE = error(
    "PWX3100",
    "osmo-no-image",
    "Every task of OSMO runs in a container, and the source names no image. With `--lossy` a placeholder stands in its "
    "place, which no registry has.",
    "Name an image with everything that the tasks need: `--option osmo.image=ubuntu:24.04`.",
)
IMAGE_FORM = error(
    "PWX3101",
    "osmo-image-form",
    "OSMO takes images from registries, written `[HOST[:PORT]/]PATH[:TAG][@ALGORITHM:HEX]`; files of images and other "
    "forms have no counterpart. With `--lossy` the image of `osmo.image`, or a placeholder, stands in its place.",
    "Push the image to a registry and name it with `--option osmo.image=IMAGE`.",
)
SHARED_FOLDER = warning(
    "PWX3102",
    "osmo-shared-folder",
    "The source's tasks share a folder; OSMO's share nothing. Every task works in its output folder, and what the "
    "tasks before it have left there is copied in first. Files that are written elsewhere, or passed without an order "
    "between the tasks, do not arrive.",
    "Let every task that reads a file depend on the one that writes it, and keep paths relative.",
)
ONE_TIMEOUT = warning(
    "PWX3103",
    "osmo-one-timeout",
    "OSMO has one time limit for all groups. The largest of the source's limits is set; smaller ones are kept by "
    "`timeout` in the tasks' scripts.",
    "Nothing, unless the end by `timeout` (exit code 124) matters.",
)
QUEUE_LIMIT = warning(
    "PWX3104",
    "osmo-queue-limit",
    "OSMO has one limit of the time in the queue for all groups; the largest of the source's is set.",
    "Nothing, unless the smaller limits matter.",
)
RUN_LIMIT = warning(
    "PWX3105",
    "osmo-run-limit",
    "OSMO limits the time of each group and not that of the whole run.",
    "Cancel the run by hand where the limit matters.",
)
OUTCOME = warning(
    "PWX3106",
    "osmo-hidden-failure",
    "In OSMO a failure cancels everything downstream. Where a task has to run after a failure, the failed task counts "
    "as completed, keeps its status in a file, and those that need its success test that file.",
    "Look into the tasks' logs: a failure of these tasks is not shown as one.",
)
EDGE = error(
    "PWX3107",
    "osmo-edge",
    "OSMO starts a task when the tasks before it have ended. It cannot wait for a start or for one of several.",
    "Change the order in the source, or allow the loss with `--allow PWX3107`.",
)
DELAY = warning(
    "PWX3108",
    "osmo-delay",
    "The delay after the tasks before is a `sleep` at the head of the script, which holds the task's resources.",
    "Nothing, unless the resources matter.",
)
CONDITION = error(
    "PWX3109",
    "osmo-condition",
    "OSMO has no conditions at run time. A test at the head of the script stands in for simple ones; this one cannot "
    "be written as such.",
    "Simplify the condition, or allow the loss with `--allow PWX3109`: the work then runs always.",
)
LATE_CONDITION = warning(
    "PWX3110",
    "osmo-late-condition",
    "OSMO has no conditions at run time: the task starts, tests the condition and ends at once if it does not hold. It "
    "is then shown as completed.",
    "Nothing, unless the start of the container matters.",
)
HOOK = error(
    "PWX3111",
    "osmo-hook",
    "OSMO runs tasks and nothing else: commands at points of the run have no place.",
    "Make a task of the commands, or allow the loss with `--allow PWX3111`.",
)
ALLOCATION = warning(
    "PWX3112",
    "osmo-allocation",
    "OSMO asks for what each task needs when it starts; blocks of nodes that workers share are not asked for.",
    "Nothing, unless an account or a partition has to be charged.",
)
PLACE = warning(
    "PWX3113",
    "osmo-place",
    "Tasks run where the pool has room, not on the machine that the source names; what is installed or stored there is "
    "not at hand.",
    "Choose the pool with `osmo workflow submit --pool`, and put what is needed into the image.",
)
SITE = warning(
    "PWX3114",
    "osmo-site-request",
    "Accounts, partitions, qualities of service, constraints and further options of a scheduler mean nothing to OSMO.",
    "Choose pool, platform and priority by hand.",
)
NODES = error(
    "PWX3115",
    "osmo-several-nodes",
    "A task of OSMO is one container on one node; work on several nodes is a group of tasks that know each other by "
    "name, which cannot be made from a script.",
    "Write the group by hand, or allow the loss with `--allow PWX3115`: the script then runs on one node.",
)
SWEEP_TOO_LARGE = error(
    "PWX3116",
    "osmo-sweep-too-large",
    "OSMO renders loops over at most 100,000 values.",
    "Let a task go through several values.",
)
TOO_MANY_TASKS = warning(
    "PWX3117",
    "osmo-too-many-tasks",
    "OSMO takes 20 tasks in a workflow unless the site has raised its limit.",
    "Ask the site, and name its limit with `--option osmo.max_tasks=N`; or let a task go through several values.",
)
UNKNOWN_SWEEP = error(
    "PWX3118",
    "osmo-unknown-sweep",
    "A loop of the file needs values that are known when the workflow is submitted and that can stand in a template. "
    "With `--lossy` the task is written once.",
    "Write the values out in the source.",
)
SWEEP_LIMIT = warning(
    "PWX3119",
    "osmo-sweep-limit",
    "OSMO has no limit for the instances of a sweep that run at the same time, and a failing one stops no others.",
    "Choose a pool of the right size.",
)
SECRET_BY_HAND = warning(
    "PWX3120",
    "osmo-secret-by-hand",
    "A secret becomes a credential of OSMO, whose value cannot be carried over.",
    "Make it before the first run: `osmo credential set NAME --type GENERIC --payload KEY=VALUE`.",
)
INPUTS_FORM = warning(
    "PWX3121",
    "osmo-form",
    "Inputs become `default-values`, which have a name and a value. Types, choices, limits, visibility and layout of a "
    "form are gone, and saved sets of values too.",
    "Give values with `osmo workflow submit --set NAME=VALUE`.",
)
FROZEN_VALUE = warning(
    "PWX3122",
    "osmo-frozen-value",
    "A value depends on an input in a way that a template cannot say in this place, so the input's default is "
    "built in.",
    "Change it in the output, or compile again with another value.",
)
NEEDED_VALUE = warning(
    "PWX3123",
    "osmo-value-needed",
    "An input has no default, and a template needs one: it is empty in the output.",
    "Give it with `osmo workflow submit --set NAME=VALUE`.",
)
ACTION = error(
    "PWX3124",
    "osmo-action",
    "The step calls an action of the source's platform, which OSMO does not have.",
    "Write what it does as a script, or allow the loss with `--allow PWX3124`: the step is then left out.",
)
EARLY_CANCEL = warning(
    "PWX3125",
    "osmo-early-cancel",
    "In OSMO a failure stops what comes after it and nothing that runs beside it.",
    "Cancel the run by hand where the waste matters.",
)
SESSION = warning(
    "PWX3126",
    "osmo-session",
    "OSMO opens no sessions by itself; any port of a running task can be forwarded by command.",
    "Use `osmo workflow port-forward RUN TASK --port PORT`.",
)
PERMISSIONS = warning(
    "PWX3127",
    "osmo-permissions",
    "A run has no rights on the source's platform, so its commands fail there.",
    "Remove the calls of the platform's own tools from the scripts.",
)
UNKNOWN_VALUE = warning(
    "PWX3128",
    "osmo-unknown-value",
    "A value belongs to the source's platform and is not known in OSMO. It is empty unless a variable of that name is "
    "set.",
    "Set the variable in the task's `environment`.",
)
DATASET = warning(
    "PWX3129",
    "osmo-dataset",
    "Datasets are part of OSMO up to release 6.3; later releases refuse them.",
    "For a later release put the data below a URL.",
)
EXIT_ORDER = warning(
    "PWX3130",
    "osmo-exit-order",
    "OSMO asks its exit actions in an order of its own: FAIL, COMPLETE, RESCHEDULE. Codes that several rules claim are "
    "left to the first of them.",
    "Nothing.",
)
LABEL = warning(
    "PWX3131",
    "osmo-label",
    "Labels follow the rules of Kubernetes: at most 16, short names, values without blanks. Others are kept as "
    "comments.",
    "Shorten the label.",
)
FOREIGN_KEYS = warning(
    "PWX3132",
    "osmo-foreign-keys",
    "The source has keys that only its own system knows.",
    "Nothing, unless they matter.",
)
MISSING_FILE = warning(
    "PWX3133",
    "osmo-missing-file",
    "A file that no task writes has to be there before the run. OSMO's tasks begin with an empty folder.",
    "Put the file into the image or below a URL, or copy it into the script.",
)
PRIORITY = warning(
    "PWX3134",
    "osmo-priority",
    "OSMO has a priority for a whole run, given at submission.",
    "Use `osmo workflow submit --priority`.",
)
ROUNDED = warning(
    "PWX3135",
    "osmo-rounded",
    "The amount is not a whole number of OSMO's units, so it is rounded up.",
    "Nothing.",
)
HARD_TEXT = error(
    "PWX3136",
    "osmo-hard-text",
    "OSMO replaces its special tokens in every text of a task, so a text that has such a token in it cannot be kept.",
    "Change the text, or allow the loss with `--allow PWX3136`.",
)
CLEANUP = warning(
    "PWX3137",
    "osmo-cleanup",
    "What has to run at the end of a task runs when its script ends; not when OSMO kills, evicts or cancels the task.",
    "Nothing, unless the clean-up must never be left out.",
)
MODULES = warning(
    "PWX3138",
    "osmo-machine-software",
    "The script loads modules of the machine, or starts steps of its scheduler, and a container has neither.",
    "Put the software into the image and start programs directly.",
)
EMPTY_WORKFLOW = error(
    "PWX3139",
    "osmo-empty-workflow",
    "A workflow of OSMO has at least one task.",
    "Nothing can be written for a workflow without tasks, or whose conditions never hold.",
)
