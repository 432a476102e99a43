"""What the reader of torc has to say: PWX23xx."""

from __future__ import annotations

from pwxc.diagnostics import error, note, warning

OLD_NAMES = note(
    "PWX2305",
    "torc-old-names",
    "The keys of the file are of an earlier generation of torc, which later ones refuse.",
    "`pwxc compile --to torc` writes the names of today.",
    "blocked_by_job_names: [a]",
)
TWO_SPELLINGS = error(
    "PWX2306",
    "torc-two-spellings",
    "Two names of different generations for the same key stand in one record.",
    "Keep one of them.",
    "depends_on: [a]\nblocked_by: [b]",
)
ONE_FILE = error(
    "PWX2307",
    "torc-one-file",
    "A torc workflow is a single file, and several were given.",
    "Compile them one by one.",
    "pwxc compile one.yaml two.yaml --from torc --to pw",
)
DOUBLE_KEY = warning(
    "PWX2308",
    "torc-double-key",
    "A key stands twice in one map. torc keeps the last one without a word; its versions of 2025 refused the file.",
    "Keep one of the two.",
    "jobs:\n- {name: a, command: make, command: make all}",
)
BAD_RANGE = error(
    "PWX2310",
    "torc-bad-range",
    "The text of a parameter has a colon, so torc reads it as a range, and it is none: a range is `start:end[:step]` of"
    " numbers with a step other than zero.",
    "Correct the range; put texts with colons into a list: `['a:b']`.",
    'i: "1:10:0"',
)
BAD_PARAMETER = error(
    "PWX2311",
    "torc-bad-parameter",
    "A parameter is a text, since 0.26 also a number or a list of scalars.",
    "Write a range, a list or one value.",
    "parameters: {i: {from: 1, to: 3}}",
)
MISSING_PARAMETER_FILE = error(
    "PWX2312",
    "torc-parameter-file",
    "The file from which a parameter or a table of parameters is read is missing or cannot be understood.",
    "The path is relative to the folder of the specification.",
    "parameters_file: not-there.csv",
)
TOO_MANY_INSTANCES = error(
    "PWX2313",
    "torc-too-many-instances",
    "A sweep would have to be written out one by one, because something means single instances of it, and it has more"
    " than the limit.",
    "Select whole sweeps, or raise the limit with `--option torc.expansion_limit=N`.",
    'parameters: {i: "1:1000000"}      # while a job depends on `a_17` alone',
)
ZIP_LENGTHS = error(
    "PWX2314",
    "torc-zip-lengths",
    "With `parameter_mode: zip` the parameters go element by element, so they need equally many values.",
    "Make them equally long, or use the product.",
    "parameters: {i: \"1:3\", s: \"['x','y']\"}\nparameter_mode: zip",
)
EMPTY_SWEEP = warning(
    "PWX2315",
    "torc-empty-sweep",
    "A parameter has no values (an empty list, a range in the wrong direction), so its record vanishes.",
    "Check the bounds and the sign of the step.",
    'i: "5:1"',
)
UNKNOWN_PARAMETER = warning(
    "PWX2316",
    "torc-unknown-parameter",
    "`use_parameters` names a parameter that the workflow does not have. torc ignores it in silence.",
    "Correct the name.",
    "use_parameters: [lerning_rate]",
)
PARAMETERS_REPLACED = warning(
    "PWX2317",
    "torc-parameters-replaced",
    "A record's own `parameters` replace the shared ones; `use_parameters` beside them counts for nothing.",
    "Keep one of the two.",
    'parameters: {i: "1:3"}\nuse_parameters: [j]',
)
UNKNOWN_MODE = warning(
    "PWX2318",
    "torc-unknown-mode",
    "`parameter_mode` is `product` or `zip`, in lower case. torc takes any other text for `product`.",
    "Write `zip` or `product`.",
    "parameter_mode: Zip",
)
BAD_FORMAT = error(
    "PWX2319",
    "torc-bad-format",
    "The format of a parameter asks for more digits than make sense.",
    "Use fewer digits.",
    "command: echo {i:09999d}",
)
IDLE_PARAMETER = warning(
    "PWX2309",
    "torc-idle-parameter",
    "A shared parameter that no record takes cannot be read. torc never looks at it.",
    "Remove or correct it.",
    'parameters: {i: "1:x"}      # and no `use_parameters: [i]`',
)
UNKNOWN_JOB = error(
    "PWX2320",
    "torc-unknown-job",
    "A job is named that does not exist after expansion.",
    "Correct the name. To wait for all instances of a sweep, use `depends_on_regexes`.",
    "depends_on: [prepair]",
)
UNKNOWN_ITEM = error(
    "PWX2321",
    "torc-unknown-file-or-datum",
    "A job names a file or datum that is not in `files` or `user_data`.",
    "Correct the name, or add the record.",
    "input_files: [dta]",
)
UNKNOWN_RESOURCES = error(
    "PWX2322",
    "torc-unknown-resources",
    "A job names a resource record that is not in `resource_requirements`.",
    "Correct the name, or add the record.",
    "resource_requirements: smal",
)
UNKNOWN_SCHEDULER = error(
    "PWX2323",
    "torc-unknown-scheduler",
    "A job or an action names a scheduler that is not in `slurm_schedulers`.",
    "Correct the name, or add the record.",
    "scheduler: gpu_nods",
)
UNKNOWN_HANDLER = error(
    "PWX2324",
    "torc-unknown-handler",
    "A job names a failure handler that does not exist. torc's dry run does not see it, the creation refuses it.",
    "Correct the name, or add the handler.",
    "failure_handler: agian",
)
NOTHING_MATCHES = error(
    "PWX2325",
    "torc-nothing-matches",
    "A pattern matches no name.",
    "Patterns are searched anywhere in the names after expansion; anchor them with `^` and `$` when they fit.",
    'depends_on_regexes: ["^prepare_$"]      # the jobs are `prepare_1`, `prepare_2`',
)
BAD_PATTERN = error(
    "PWX2326",
    "torc-bad-pattern",
    "A regular expression is none, or uses what Rust's regular expressions do not have: look-around, back-references.",
    "Correct the pattern.",
    'depends_on_regexes: ["work_(?!a)"]',
)
DOUBLE_NAME = error(
    "PWX2327",
    "torc-double-name",
    "Two records of a kind have the same name after expansion.",
    "Rename one of them.",
    "files:\n- {name: f, path: a.txt}\n- {name: f, path: b.txt}",
)
SAME_NAME = warning(
    "PWX2328",
    "torc-same-name",
    "The instances of a sweep share names because a parameter is not in the name. Creating the workflow works and makes"
    " several jobs of one name; the dry run refuses it, and so do versions from 0.26 on.",
    "A job that gathers a sweep needs no parameters: drop them and select with a pattern.",
    "name: collect\nparameters: {i: '1:3'}\ndepends_on: ['work_{i}']",
)
DOUBLE_JOB = error(
    "PWX2334",
    "torc-double-job",
    "Two jobs have the same name after expansion. Creating the workflow makes both, and who waits for the name waits"
    " for the last one; the dry run refuses it, and so do versions from 0.26 on.",
    "Rename one of them.",
    'jobs:\n- {name: a, command: make, parameters: {i: "1:3"}}      # `{i}` is not in the name',
)
NOTHING_NEW = error(
    "PWX2335",
    "torc-nothing-new",
    "A pattern selects only what the list of names or a pattern before it has selected already. torc takes that for a"
    " pattern that matches nothing, and refuses it.",
    "Remove the pattern, or the names that it selects.",
    'depends_on: [a]\ndepends_on_regexes: ["^a$"]',
)
NO_VERSION = warning(
    "PWX2336",
    "torc-no-version",
    "The names of keys are those of the first Rust version (November 2025), which refuses the file because required"
    " keys are missing. The version after it takes the file and ignores the old names, so that the jobs have no"
    " dependencies; later ones refuse it. It is read as its names say.",
    "`pwxc compile --to torc` writes a file that current versions take.",
    "jobs:\n- {name: a, command: make, blocked_by_job_names: [b]}\nresource_requirements:\n- {name: small}",
)
CYCLE = error(
    "PWX2329",
    "torc-cycle",
    "Jobs wait for each other, so none of them can start.",
    "Remove one of the dependencies. A pattern may match the job itself.",
    "jobs:\n- {name: a, command: make, depends_on: [b]}\n- {name: b, command: make, depends_on: [a]}",
)
FILE_CYCLE = error(
    "PWX2330",
    "torc-file-cycle",
    "Jobs wait for each other through files or data. torc does not notice; the jobs stay blocked for ever.",
    "Give the file that goes back another name.",
    "jobs:\n- {name: a, command: make, input_files: [f], output_files: [f]}",
)
UNKNOWN_VARIABLE = warning(
    "PWX2331",
    "torc-unknown-variable",
    "A `${files…}` or `${user_data…}` names nothing, or a datum without data. torc leaves the text as it is, and bash"
    " refuses it when the job runs.",
    "Correct the name.",
    "command: cat ${files.input.dta}",
)
LIST_REPLACED = warning(
    "PWX2332",
    "torc-list-replaced",
    "Variables in a command replace the job's list of the same kind: what stands only in the list is lost, with the"
    " order that it gives.",
    "Name the file in the command too, or do without variables.",
    "command: cat ${files.input.a}\ninput_files: [b]      # `b` is lost",
)
BAD_VARIABLE = error(
    "PWX2333",
    "torc-bad-variable",
    "The name of an environment variable is not `[A-Za-z_][A-Za-z0-9_]*`, or a constant holds braces.",
    "Rename it.",
    "env: {1st: x}",
)
BAD_MEMORY = error(
    "PWX2340",
    "torc-bad-memory",
    "torc takes a whole number with one of `k`, `m`, `g`, `t` (powers of 1024) for memory, and nothing else.",
    "Write for example `1536m`.",
    "memory: 1.5GB",
)
BARE_MEMORY = warning(
    "PWX2341",
    "torc-bare-memory",
    "An amount of memory without a unit means bytes to torc's server and MiB to its planner of allocations. It is read"
    " as bytes.",
    "Add a unit.",
    'memory: "1024"',
)
BAD_DURATION = error(
    "PWX2342",
    "torc-bad-duration",
    "`runtime` is an ISO 8601 duration of whole numbers, in capital letters. torc's server refuses others.",
    "Write for example `PT90M`.",
    "runtime: 2h",
)
ODD_DURATION = warning(
    "PWX2351",
    "torc-odd-duration",
    "torc reads the beginning of a duration and takes no notice of the rest: of `PT1H30` an hour, of `PT1.5H` nothing.",
    "Write whole numbers, each with its unit: `PT1H30M`.",
    "runtime: PT1.5H",
)
BAD_COUNT = warning(
    "PWX2343",
    "torc-bad-count",
    "A number of processors, GPUs or nodes makes no sense. torc takes it; here the least that makes sense is taken.",
    "Correct the number.",
    "num_cpus: 0",
)
ODD_WALLTIME = warning(
    "PWX2344",
    "torc-odd-walltime",
    "Short times are hours to one version of torc, and minutes to another and to Slurm. They are read as Slurm does.",
    "Write `HH:MM:SS` or `D-HH:MM:SS`.",
    'walltime: "4:00"',
)
EXCLUDED_DEFAULT = error(
    "PWX2345",
    "torc-excluded-default",
    "`slurm_defaults` cannot have the options that torc writes itself. Creating the workflow fails.",
    "Set them in each scheduler.",
    "slurm_defaults: {nodes: 2}",
)
BOOLEAN_DEFAULT = warning(
    "PWX2346",
    "torc-boolean-default",
    "torc writes a boolean of `slurm_defaults` as `--option=true`, which sbatch does not take for a switch.",
    "Use `extra` of the schedulers.",
    "slurm_defaults: {exclusive: true}",
)
SKIPPED_DEFAULT = warning(
    "PWX2347",
    "torc-skipped-default",
    "torc skips lists, maps and null in `slurm_defaults`.",
    "Write a text, a number or a boolean.",
    "slurm_defaults: {constraint: [a, b]}",
)
UNNAMED = warning(
    "PWX2348",
    "torc-unnamed",
    "torc drops schedulers and data without a name when it creates the workflow.",
    "Name the record.",
    "slurm_schedulers:\n- {account: proj}",
)
IDLE_RULE = warning(
    "PWX2349",
    "torc-idle-rule",
    "A rule with neither exit codes nor `match_all_exit_codes` never applies.",
    "Add the codes.",
    "rules:\n- {max_retries: 3}",
)
NO_RETRY = warning(
    "PWX2350",
    "torc-no-retry",
    "`max_retries` counts attempts, the first included: with 1 or less nothing is tried again.",
    "Write one more than the retries that are meant.",
    "rules:\n- {exit_codes: [75], max_retries: 1}",
)
UNKNOWN_TRIGGER = warning(
    "PWX2360",
    "torc-unknown-trigger",
    "Versions before 0.26 take any text as a trigger; an action with an unknown one never fires.",
    "Use one of the six triggers.",
    "trigger_type: on_job_ready      # `on_jobs_ready`",
)
UNSAID_PERSISTENCE = warning(
    "PWX2361",
    "torc-unsaid-persistence",
    "The guide says that actions of workers are persistent by default (every worker runs them); in torc's code they are"
    " not (the first worker runs them). They are read as the guide says, and `persistent` is written always.",
    "Write `persistent`.",
    "actions:\n- {trigger_type: on_worker_start, action_type: run_commands, commands: [date]}",
)
RESTLESS_ACTION = warning(
    "PWX2362",
    "torc-restless-action",
    "A persistent action on anything but a worker's start or end stays due after it ran, so each worker runs it again"
    " at every poll.",
    "Remove `persistent`.",
    "trigger_type: on_jobs_complete\njobs: [a]\npersistent: true",
)
INCOMPLETE_ACTION = error(
    "PWX2363",
    "torc-incomplete-action",
    "An action lacks what its type needs, or its type is unknown.",
    "`run_commands` needs `commands`; `schedule_nodes` needs `scheduler` and `scheduler_type`.",
    "action_type: run_commands      # and no `commands`",
)
IDLE_ACTION = warning(
    "PWX2364",
    "torc-idle-action",
    "Only the scheduler type `slurm` is ever carried out; torc takes any other and does nothing.",
    "Write `scheduler_type: slurm`.",
    "action_type: schedule_nodes\nscheduler_type: pbs",
)
IDLE_SELECTION = warning(
    "PWX2365",
    "torc-idle-selection",
    "The selection of jobs, or a part of it, has no effect.",
    "Remove it, or use `on_jobs_ready` or `on_jobs_complete`.",
    "trigger_type: on_workflow_start\njobs: [a]",
)
NEVER_FIRES = warning(
    "PWX2366",
    "torc-never-fires",
    "An action on jobs without a selection waits for a count that nothing raises. Versions from 0.26 on refuse it.",
    "Add `jobs` or `job_name_regexes`.",
    "actions:\n- {trigger_type: on_jobs_complete, action_type: run_commands, commands: [date]}      # of which jobs?",
)
BAD_SETTING = error(
    "PWX2367",
    "torc-bad-setting",
    "A setting of torc's own machinery has a word or a type that torc does not take.",
    "Use one of the words that the message names.",
    "resource_monitor: {granularity: TimeSeries}",
)
