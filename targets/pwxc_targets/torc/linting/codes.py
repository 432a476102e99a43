"""What torc's lint has to say: PWX43xx."""

from __future__ import annotations

from pwxc.diagnostics import error, note, warning

DRY_RUN_REFUSES = error(
    "PWX4301",
    "torc-dry-run-refuses",
    "The instances of a job have the same name. torc's dry run refuses it, and from 0.26 on the creation does too.",
    "Use a regular expression and drop the parameters, or put them into the name.",
)
TWICE_IN_LIST = error(
    "PWX4302",
    "torc-twice-in-list",
    "A name stands twice in a list. The dry run passes; the server's database refuses the second one.",
    "Write each name once.",
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
)
LOST_SCRIPT = note(
    "PWX4306",
    "torc-lost-script",
    "In torc 0.12 an `invocation_script` never runs; later versions put it in front of the command.",
    "Put the text into the command.",
)
WRONG_MODE = error(
    "PWX4307",
    "torc-wrong-mode",
    "A key of `execution_config` belongs to the other mode, or a priority is negative. Creating the workflow fails; the"
    " dry run does not look.",
    "Remove the key or change the mode.",
)
NODE_MISMATCH = warning(
    "PWX4308",
    "torc-node-mismatch",
    "An allocation has several nodes, and no job that names its scheduler asks for as many. torc 0.12 refuses it.",
    "Set `num_nodes` of the jobs, or `start_one_worker_per_node`.",
)
DOES_NOT_FIT = warning(
    "PWX4309",
    "torc-does-not-fit",
    "A job asks for more time, memory or GPUs than its allocation has. torc 0.25 asks before it creates the workflow.",
    "Enlarge the allocation, or reduce the request.",
)
SAME_PATH = warning(
    "PWX4310",
    "torc-same-path",
    "Order follows from files by their names. Two names of one path are two files.",
    "Use one file.",
)
UNUSED = note(
    "PWX4311",
    "torc-unused",
    "A record has no effect because nothing names it.",
    "Remove it, or name it where it is meant.",
)
ANY_ALLOCATION = warning(
    "PWX4312",
    "torc-any-allocation",
    "A job without a scheduler is taken by a worker of any allocation.",
    "Name the scheduler on each job.",
)
NO_ALLOCATION = note(
    "PWX4313",
    "torc-no-allocation",
    "`torc submit` works only with an action that schedules nodes on the workflow's start.",
    "Add such an action, or use `torc submit-slurm`, which plans the allocations.",
)
INVISIBLE_ORDER = note(
    "PWX4314",
    "torc-invisible-order",
    "The planner of allocations reads lists of files, not the variables in commands, so it takes the job for one that"
    " can start at once.",
    "List the files in `input_files` as well.",
)
