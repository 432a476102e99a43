"""OSMO's rows of the catalogue: 21xx reading, 31xx writing, 41xx lint."""

from __future__ import annotations

from pwxc.diagnostics.code import error, warning

# reading the template layer: PWX2100 to PWX2119


# reading the specification: PWX2120 to PWX2169

BAD_NAME = error(
    "PWX2121",
    "osmo-bad-name",
    "Names of workflows, groups and tasks begin with a letter, end with a letter or digit, and hold letters, digits, "
    "`_` and `-` (osmo.md §19). A special token cannot stand in a name.",
    "Choose another name.",
    "name: 1st_run",
)
LONG_NAME = error(
    "PWX2122",
    "osmo-long-name",
    "A name has at most 64 characters. A task of a plain list becomes a group `NAME-group`, so it has at most 58.",
    "Shorten the name.",
    "tasks:\n- name: a-name-of-more-than-fifty-eight-characters-in-a-plain-list-of-tasks",
)
SAME_NAME = error(
    "PWX2123",
    "osmo-same-name",
    "Groups and tasks share one set of names, compared in lower case with `_` as `-`. A task `a` of a plain list "
    "also takes the name `a-group`.",
    "Rename one of them.",
    "tasks: [{name: a_b, …}, {name: A-B, …}]",
)
BAD_DURATION = error(
    "PWX2124",
    "osmo-bad-duration",
    "A duration is a number of seconds, one whole number with one unit (d, h, m, s, ms, us), or ISO 8601.",
    "Write `90m` for `1h30m`.",
    "exec_timeout: 1h30m",
)
BAD_QUANTITY = error(
    "PWX2125",
    "osmo-bad-quantity",
    "Memory and storage are a number directly followed by a unit; the units are powers of 1024. `GB`, `g` and a blank "
    "before the unit are refused.",
    "Write `16Gi`.",
    "memory: 16GB",
)
BAD_REGEX = error(
    "PWX2126",
    "osmo-bad-regex",
    "`regex` is a Python regular expression, and this one cannot be compiled.",
    "Correct the expression; a literal `*` or `.` needs a backslash.",
    "regex: '*.txt'",
)
TASKS_AND_GROUPS = error(
    "PWX2127",
    "osmo-tasks-and-groups",
    "A workflow has either `tasks` or `groups`.",
    "Put the plain tasks into groups of one.",
    "workflow:\n  tasks: [{name: a, …}]\n  groups: [{name: g, tasks: […]}]",
)
NO_TASKS = error(
    "PWX2128",
    "osmo-no-tasks",
    "A workflow needs at least one task or group, and a group at least one task.",
    "Add a task.",
    "workflow:\n  name: w\n  tasks: []",
)
LEADS = error(
    "PWX2129",
    "osmo-leads",
    "A group of two or more tasks has exactly one with `lead: true`; its end ends the group.",
    "Mark the task whose end ends the others.",
    "groups:\n- name: g\n  tasks: [{name: a, …}, {name: b, …}]      # neither has `lead: true`",
)
NO_COMMAND = error(
    "PWX2130",
    "osmo-no-command",
    "`command` is a list of at least one text: the program.",
    "Name the program, for example `command: [bash]` with the script in `args`.",
    "tasks:\n- {name: a, image: ubuntu:24.04, command: []}",
)
RESERVED_NAME = error(
    "PWX2131",
    "osmo-reserved-name",
    "`osmo-ctrl` is the name of OSMO's own container in every task.",
    "Choose another name.",
    "tasks:\n- name: osmo-ctrl",
)
FILE_PATH = error(
    "PWX2132",
    "osmo-file-path",
    "A file cannot be put at an empty path, at `/`, below `/osmo` (but below `/osmo/data/output/` it can), and two "
    "files of a task cannot have the same path.",
    "Choose another path, for example below `/tmp`.",
    "files:\n- {path: /osmo/run.sh, contents: make}",
)
FILE_CONTENTS = error(
    "PWX2133",
    "osmo-file-contents",
    "A file has either `contents` or `localpath`.",
    "Remove one of the two, or add one.",
    "files:\n- {path: /tmp/run.sh}",
)
LOCAL_FILE = error(
    "PWX2134",
    "osmo-local-file",
    "A file that `localpath` names cannot be read. The path is relative to the workflow file's folder.",
    "Put the file there, or correct the path.",
    "files:\n- {path: /tmp/run.sh, localpath: not-there.sh}",
)
EXIT_ACTION = error(
    "PWX2135",
    "osmo-exit-action",
    "`exitActions` knows COMPLETE, FAIL and RESCHEDULE, in any letter case. RESTART is in a guide, not in the code.",
    "Use one of the three.",
    "exitActions: {RESTART: 1}",
)
EXIT_CODES = error(
    "PWX2136",
    "osmo-exit-codes",
    "Exit codes are numbers and ranges joined by commas, without blanks: `0,1-10,16`.",
    "Write them so, in quotes.",
    "exitActions: {COMPLETE: '1, 2'}",
)
EXIT_OVERLAP = warning(
    "PWX2137",
    "osmo-exit-overlap",
    "Two exit actions claim the same code. OSMO does not ask the file's order: FAIL wins over COMPLETE, and both over "
    "RESCHEDULE.",
    "Give every code to one action.",
    "exitActions: {COMPLETE: 0-5, FAIL: 3}",
)
EXIT_NOTHING = warning(
    "PWX2138",
    "osmo-exit-nothing",
    "A range whose end is smaller than its start matches no code.",
    "Swap the two numbers.",
    "exitActions: {FAIL: 9-1}",
)
INPUT_FORM = error(
    "PWX2139",
    "osmo-input-form",
    "An input is one of `task`, `url` and (6.3) `dataset`; an output is one of `url` and (6.3) `dataset`, "
    "`update_dataset`.",
    "Split it into several items of the list.",
    "inputs:\n- {task: a, url: s3://bucket/x}",
)
UNKNOWN_TASK = error(
    "PWX2140",
    "osmo-unknown-task",
    "An input names a task that the workflow does not have. A group is not a task.",
    "Correct the name; letter case counts.",
    "inputs:\n- task: tran      # the task is called `train`",
)
TASK_ORDER = error(
    "PWX2141",
    "osmo-task-order",
    "A task may read only from tasks of groups that stand earlier in the file: not from a later one, from itself or "
    "from its own group. So no cycle can be written.",
    "Move the upstream task up, or remove the input.",
    "tasks:\n- {name: a, inputs: [{task: b}], …}\n- {name: b, …}",
)
UNKNOWN_RESOURCE = error(
    "PWX2142",
    "osmo-unknown-resource",
    "`resource` names a record that `resources` does not have. Where `resources` is given without `default`, every "
    "task has to name one.",
    "Add the record or correct the name.",
    "resources: {small: {cpu: 1}}\ntasks:\n- {name: a, resource: large, …}",
)
BAD_IMAGE = error(
    "PWX2143",
    "osmo-bad-image",
    "The image is not of the form `[HOST[:PORT]/]PATH[:TAG][@ALGORITHM:HEX]` with a path in lower case.",
    "Write it without a scheme such as `docker://`, in lower case.",
    "image: docker://ubuntu:22.04",
)
BAD_URL = error(
    "PWX2144",
    "osmo-bad-url",
    "A URL begins with s3://, gs://, swift://, tos:// or azure://, in lower case, and names a bucket or container "
    "(swift: HOST/ACCOUNT/CONTAINER; tos: HOST/BUCKET; azure: ACCOUNT/CONTAINER). Parts hold no `,`, `;` and `*`.",
    "Correct the URL.",
    "url: https://example.com/x",
)
BAD_MOUNT = error(
    "PWX2145",
    "osmo-bad-mount",
    "A mount is `SOURCE` or `SOURCE:TARGET`; there are no options such as `:ro`.",
    "Remove what stands behind the second colon.",
    "volumeMounts: ['/data:/data:ro']",
)
BAD_LABEL = error(
    "PWX2146",
    "osmo-bad-label",
    "Labels follow Kubernetes: at most 16; keys `[prefix/]name`; values not empty, at most 63 characters, letters, "
    "digits, `-`, `_`, `.`, and text (quote numbers and booleans).",
    "Correct the label.",
    "labels: {team: robot arm}",
)
BAD_VALUE = error(
    "PWX2147",
    "osmo-bad-value",
    "The value is not one of those that the key takes.",
    "Use one of the values that the message names.",
    "downloadType: stream",
)
TOPOLOGY_KEYS = error(
    "PWX2148",
    "osmo-topology-keys",
    "All tasks that have topology requirements have to use the same set of keys.",
    "Use the same keys in every resource record.",
    "resources:\n  a: {topology: [{key: rack}]}\n  b: {topology: [{key: zone}]}",
)
STRAY_TOKEN = warning(
    "PWX2149",
    "osmo-stray-token",
    "A special token names nothing: an input that the task does not have, or a host outside its own group. OSMO leaves "
    "it in the text as it stands and says nothing.",
    "Correct the number (the first input is 0) or the name; `{{host:T}}` works within one group only.",
    "args: ['cat {{input:1}}/x']    # with one input",
)
MANY_TASKS = warning(
    "PWX2150",
    "osmo-many-tasks",
    "OSMO refuses workflows of more than 20 tasks unless the site has raised `max_num_tasks`.",
    "Ask the site, or split the workflow. Other systems have no such limit.",
    "{% for i in range(30) %}\n- {name: 'task-{{ i }}', …}\n{% endfor %}",
)
BAD_CREDENTIAL = error(
    "PWX2151",
    "osmo-bad-credential",
    "A credential is used as a map of environment names to keys, or as the path of a folder for its files.",
    "Write `credentials: {NAME: {ENV_NAME: key}}`.",
    "credentials: {store: [TOKEN]}",
)
BAD_DATASET = error(
    "PWX2152",
    "osmo-bad-dataset",
    "A dataset's name is `[BUCKET/]NAME[:TAG]`; an output's `path` is relative.",
    "Correct the name.",
    "outputs:\n- dataset: {name: a/b/c}",
)
UNKNOWN_SPEC_KEY = error(
    "PWX2153",
    "osmo-unknown-key",
    "OSMO refuses every key that it does not know. Other systems' keys such as `env`, `ports`, `retries`, "
    "`depends_on` and `when` do not exist here.",
    "Correct the spelling, or use OSMO's own means: `environment`, `exitActions`, `inputs`.",
    "tasks: [{name: a, env: {A: b}, …}]",
)
DUPLICATE_SPEC_KEY = warning(
    "PWX2154",
    "osmo-duplicate-key",
    "A map has the same key twice. OSMO's loader keeps the last one and says nothing; so does this reading.",
    "Remove one of the two.",
    "files:\n- path: /tmp/a\n  contents: x\n  path: /tmp/b",
)
FIXED_TOKEN = warning(
    "PWX2155",
    "osmo-fixed-token",
    "OSMO replaces special tokens in every text of a task. Names of variables, patterns, mounts and the like cannot "
    "hold a reference in the output, so a token in them stays as it is written.",
    "Write the value out, or move the token into a command, a file, a URL or the value of a variable.",
    "environment: {'{{workflow_id}}': x}",
)
LONE_HOST = warning(
    "PWX2156",
    "osmo-lone-host",
    "OSMO gives host names to the members of groups of two or more. In a group of one the token becomes a name that "
    "nothing answers to; the output has the task's own address there.",
    "Use `localhost`, or put the task that is meant into the same group.",
    "tasks: [{name: a, args: ['{{host:a}}'], …}]",
)
