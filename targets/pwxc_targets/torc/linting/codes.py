"""What torc's lint has to say: PWX43xx."""

from __future__ import annotations

from pwxc.diagnostics import error, note, warning

DRY_RUN_REFUSES = error(
    "PWX4301",
    "torc-dry-run-refuses",
    "The instances of a job have the same name. torc's dry run refuses it, and from 0.26 on the creation does too.",
    "Use a regular expression and drop the parameters, or put them into the name.",
    '- {name: gather, command: make, parameters: {i: "1:3"}}',
)
TWICE_IN_LIST = error(
    "PWX4302",
    "torc-twice-in-list",
    "A name stands twice in a list. The dry run passes; the server's database refuses the second one.",
    "Write each name once.",
    "depends_on: [a, a]",
)
SHELL_TOKEN = warning(
    "PWX4303",
    "torc-shell-token",
    "Shell or awk text in a command has the form of a parameter's token, so torc replaces it. There is no escape.",
    "Rename the parameter, or write `$name` without braces.",
    "for i in 1 2; do echo ${i}; done    # with a parameter `i`",
)
TWO_WAYS = warning(
    "PWX4304",
    "torc-two-spellings-of-a-parameter",
    "When a text has a formatted token, torc to 0.12 replaces only that spelling of the parameter.",
    "Use one spelling in a text.",
    "echo {i} {i:03d}",
)
LITERAL_ACTION = warning(
    "PWX4305",
    "torc-literal-action",
    "Parameters and `${files…}` are not replaced in actions.",
    "Write the names out, or use a pattern.",
    "actions:\n- {trigger_type: on_workflow_start, action_type: run_commands, commands: ['cat ${files.input.f}']}",
)
LOST_SCRIPT = note(
    "PWX4306",
    "torc-lost-script",
    "In torc 0.12 an `invocation_script` never runs; later versions put it in front of the command.",
    "Put the text into the command.",
    "invocation_script: nice",
)
WRONG_MODE = error(
    "PWX4307",
    "torc-wrong-mode",
    "A key of `execution_config` belongs to the other mode, or a priority is negative. Creating the workflow fails; the"
    " dry run does not look.",
    "Remove the key or change the mode.",
    "execution_config: {mode: direct, srun_termination_signal: TERM@30}",
)
NODE_MISMATCH = warning(
    "PWX4308",
    "torc-node-mismatch",
    "An allocation has several nodes, and no job that names its scheduler asks for as many. torc 0.12 refuses it.",
    "Set `num_nodes` of the jobs, or `start_one_worker_per_node`.",
    "slurm_schedulers:\n- {name: wide, account: proj, nodes: 4}      # while its jobs ask for one node",
)
DOES_NOT_FIT = warning(
    "PWX4309",
    "torc-does-not-fit",
    "A job asks for more time, memory or GPUs than its allocation has. torc 0.25 asks before it creates the workflow.",
    "Enlarge the allocation, or reduce the request.",
    'walltime: "01:00:00"      # of the allocation; the job has `runtime: PT4H`',
)
SAME_PATH = warning(
    "PWX4310",
    "torc-same-path",
    "Order follows from files by their names. Two names of one path are two files.",
    "Use one file.",
    "files:\n- {name: a, path: x.txt}\n- {name: b, path: x.txt}",
)
UNUSED = note(
    "PWX4311",
    "torc-unused",
    "A record has no effect because nothing names it.",
    "Remove it, or name it where it is meant.",
    "resource_requirements:\n- {name: large, …}      # and no job asks for `large`",
)
ANY_ALLOCATION = warning(
    "PWX4312",
    "torc-any-allocation",
    "A job without a scheduler is taken by a worker of any allocation.",
    "Name the scheduler on each job.",
    "jobs:\n- {name: a, command: make}      # no `scheduler`, and there are two",
)
NO_ALLOCATION = note(
    "PWX4313",
    "torc-no-allocation",
    "`torc submit` works only with an action that schedules nodes on the workflow's start.",
    "Add such an action, or use `torc submit-slurm`, which plans the allocations.",
    "slurm_schedulers: [{name: nodes, account: proj}]\nactions: []",
)
INVISIBLE_ORDER = note(
    "PWX4314",
    "torc-invisible-order",
    "The planner of allocations reads lists of files, not the variables in commands, so it takes the job for one that"
    " can start at once.",
    "List the files in `input_files` as well.",
    "command: cat ${files.input.table}      # and no `input_files`",
)
VERSIONS = note(
    "PWX4315",
    "torc-versions",
    "Some versions of torc do not take the file as it stands.",
    "`pwxc compile --to torc --option torc.version=` writes it for one of them.",
    "parameters: {lr: [0.1, 0.2]}      # a list, since 0.26",
)
UNTAKEN_PARAMETER = warning(
    "PWX4316",
    "torc-untaken-parameter",
    "Shared parameters reach only the records that name them in `use_parameters`; elsewhere a token is literal text.",
    "Add `use_parameters`.",
    "parameters: {i: \"1:3\"}\njobs:\n- {name: 'a_{i}', command: make}      # no `use_parameters`",
)
ODD_PARAMETER = warning(
    "PWX4317",
    "torc-odd-parameter",
    "The text of a parameter is taken, but in another way than it looks: a list is cut at every comma, a range has a"
    " step and no count.",
    "Write the values out as a list without commas, brackets and braces in them.",
    "lr: '0.0001:0.01:10'",
)
UNESCAPED_VALUE = warning(
    "PWX4318",
    "torc-unescaped-value",
    "A parameter's value goes into a pattern as it is; a dot in it matches any character.",
    "Use exact names, which take parameters too.",
    'depends_on_regexes: ["train_{lr}$"]    # with lr 0.1',
)
LITERAL_TEXT = warning(
    "PWX4319",
    "torc-literal-text",
    "`${files…}` and `${user_data…}` are replaced in commands only, not in environment variables and recovery scripts.",
    "Write the path out.",
    "env: {TABLE: '${files.input.table}'}",
)
NO_EFFECT = note(
    "PWX4320",
    "torc-no-effect",
    "torc reads the key and does nothing with it.",
    "Remove it.",
    "ntasks_per_node: 4",
)
IGNORED_SETTING = warning(
    "PWX4321",
    "torc-ignored-setting",
    "`resource_monitor` is the one block in which torc takes unknown keys, and ignores them.",
    "Correct the name.",
    "resource_monitor: {intervall: 5}",
)
RESERVED_NAME = warning(
    "PWX4322",
    "torc-reserved-name",
    "Every workflow has a resource record called `default` already: 1 CPU, 1 MiB, 1 minute.",
    "Choose another name.",
    "resource_requirements:\n- {name: default, num_cpus: 4, memory: 8g}",
)
COUNTING_WORKER = note(
    "PWX4323",
    "torc-counting-worker",
    "A worker with a largest number of jobs counts them instead of fitting them by CPUs, memory and GPUs.",
    "Choose the number so that the jobs fit, or leave it out.",
    "max_parallel_jobs: 4",
)
MISSED_TRIGGER = note(
    "PWX4324",
    "torc-missed-trigger",
    "A job that is cancelled because a blocker failed is not counted by the actions that wait for it, so they never"
    " fire in that run.",
    "Set `cancel_on_blocking_job_failure: false` on the jobs where the action has to fire in any case.",
    "trigger_type: on_jobs_complete\njobs: [last]      # `last` waits for jobs that may fail",
)
FAR_CANCEL = note(
    "PWX4325",
    "torc-far-cancel",
    "Up to 0.25 a failure reaches the jobs that wait for the failed one, and not reliably those behind them.",
    "Use a later version, or name the first job in `depends_on` of the last one too.",
    "a fails; b depends on a; c depends on b",
)
LOOSE_PATTERN = warning(
    "PWX4326",
    "torc-loose-pattern",
    "A pattern is searched anywhere in a name: `work_1` finds `work_10` and `rework_1` too.",
    "Anchor it with `^` and `$`.",
    "jobs:\n- {name: work_1, command: one}\n- {name: work_10, command: ten}\n"
    "- {name: join, command: join, depends_on_regexes: [work_1]}",
)
PLANNER = note(
    "PWX4327",
    "torc-planner",
    "torc's planner of allocations misreads the resource record. Its own checks do not see it.",
    "Write `slurm_schedulers` yourself; give memory in `m` or `g`.",
    "resource_requirements:\n- {name: big, memory: 1t, runtime: PT1H}",
)
