"""ACTIVATE's rows of the catalogue for lint: PWX42xx."""

from __future__ import annotations

from pwxc.diagnostics.code import note, warning

BARE_ON = warning(
    "PWX4200",
    "pw-bare-on",
    "The key `on` stands without quotes. A loader of YAML 1.1 reads it as the boolean true, and the form is gone.",
    "Write `'on':`.",
    "on:\n  execute: {inputs: {}}",
)
OPTIONAL_WITHOUT_DEFAULT = note(
    "PWX4201",
    "pw-optional-without-default",
    "A field may stay empty, is used by a job and has no default. What an absent value becomes in a script differs: "
    "nothing today, the word `undefined` on older platforms.",
    'Give it a default (`default: ""`), or test for both in the script.',
    "nodes:\n  type: number\n  optional: true",
)
NO_OPTIONS = warning(
    "PWX4202",
    "pw-choice-without-options",
    "A field of which a value is chosen has no values to choose from.",
    "Give it `options`.",
    "mode:\n  type: dropdown\n  label: Mode",
)
OPTION_WITHOUT_VALUE = warning(
    "PWX4203",
    "pw-option-without-value",
    "An option has no `value`, so the run gets nothing when it is chosen.",
    "Give it a `value`.",
    "options:\n  - label: Fast",
)
OPTION_WITHOUT_LABEL = note(
    "PWX4204",
    "pw-option-without-label",
    "An option has no `label`, so the form shows its value; a multi-dropdown shows nothing.",
    "Give it a `label`.",
    "options:\n  - value: fast",
)
DEFAULT_NO_OPTION = warning(
    "PWX4205",
    "pw-default-is-no-option",
    "The default of a choice is none of its options.",
    "Use the `value` of an option, not its label.",
    "type: dropdown\ndefault: Fast\noptions: [{value: fast, label: Fast}]",
)
HIDDEN_AND_USED = note(
    "PWX4206",
    "pw-hidden-field-used",
    "A field is hidden at times, is not ignored then, and a job reads it without a condition: the run gets the default "
    "of a field that nobody sees, or nothing when it has none.",
    "Add `ignore: ${{ .hidden }}` and a condition to the job, if the value must not count; give it a default that is "
    "right when the field is hidden, if it must.",
    "partition:\n  type: string\n  hidden: ${{ inputs.local }}",
)
HIDDEN_AND_REQUIRED = warning(
    "PWX4207",
    "pw-hidden-field-required",
    "A field is always hidden, must be filled in and has no default, so the workflow cannot be started.",
    "Give it a default, or make it `optional`, or remove it.",
    "token:\n  type: string\n  hidden: true",
)
STEP_WITHOUT_SSH = note(
    "PWX4208",
    "pw-step-without-ssh",
    "The form asks for a cluster, and this script runs in the user's workspace: neither it nor its job has `ssh`.",
    "Add `ssh: {remoteHost: ${{ inputs.CLUSTER.ip }}}` to the job, unless the script is meant for the workspace.",
    "jobs:\n  train:\n    steps:\n      - run: python train.py",
)
SSH_WITHOUT_HOST = warning(
    "PWX4209",
    "pw-ssh-without-host",
    "An `ssh` block has no `remoteHost`. The platform then runs the steps in the user's workspace without a word.",
    "Add `remoteHost`, or write `ssh: null` if the workspace is meant.",
    "ssh:\n  jumpNodeHost: login.example.org",
)
TILDE = warning(
    "PWX4210",
    "pw-tilde",
    "`~` is the shell's and is expanded neither in form values nor in quotes.",
    "Write `/home/$USER/…` in a default and `$HOME/…` in a script.",
    'default: "~/containers/image.sif"',
)
UNQUOTED = note(
    "PWX4211",
    "pw-unquoted-expansion",
    "A variable stands without quotes in a command: its value is split at blanks and its `*` are expanded.",
    'Write `"$NAME"`.',
    "run: cp $SOURCE $TARGET",
)
STATUS_WITHOUT_NEEDS = warning(
    "PWX4212",
    "pw-status-without-needs",
    "The `if` of a job asks how the jobs in its `needs` have ended, and it has none.",
    "Add the jobs to `needs`.",
    "report:\n  if: ${{ error }}\n  steps: [{run: ./report.sh}]",
)
RETRY_WITHOUT_TIMEOUT = warning(
    "PWX4213",
    "pw-retry-without-timeout",
    "`retry` has no `timeout`: every attempt is cut off after 30 seconds, that of a sub-workflow too.",
    "Give it a `timeout` that one attempt needs at most.",
    "retry: {max-retries: 3}",
)
DUPLICATE_INPUT = warning(
    "PWX4214",
    "pw-duplicate-input",
    "Two fields have the same name below `inputs`, because a group or a page is flattened.",
    "Rename one of them.",
    "inputs:\n  size: {type: number}\n  group: {type: group, flatten: true, items: {size: {type: number}}}",
)
OPTIONAL_STORE_USED = warning(
    "PWX4215",
    "pw-optional-store-without-if",
    "A script uses a store that need not be chosen, and nothing skips it when there is none.",
    "Add `if: ${{ inputs.NAME }}` to the step or the job.",
    "upload:\n  steps:\n    - run: pw storage cp out ${{ inputs.bucket }}",
)
NO_PERMISSIONS = warning(
    "PWX4216",
    "pw-permissions-missing",
    "The run calls the platform, but the file asks for no `permissions`, so its key can do nothing and the call fails.",
    "Add `permissions: ['*']`. A workflow that only others run as a step gets its key from them.",
    "steps:\n  - uses: parallelworks/cancel-jobs\n    with: {jobs: [train]}",
)
ENV_RECURSION = warning(
    "PWX4217",
    "pw-env-recursion",
    "A group of the form is called `env` and the top-level `env` reads it. The platform fails with "
    "`max recursion exceeded`.",
    "Rename the group.",
    "env: {MODE: '${{ inputs.env.mode }}'}",
)
FOREIGN_VARIABLE = warning(
    "PWX4218",
    "pw-foreign-variable",
    "The script writes to a file of GitHub Actions that the platform does not have.",
    "Append `KEY=value` to the file `$OUTPUTS` and read it as `${{ needs.JOB.outputs.KEY }}`.",
    'run: echo "IMAGE=$image" >> $GITHUB_ENV',
)
SEVERAL_REDIRECTS = warning(
    "PWX4219",
    "pw-several-redirects",
    "Of all sessions and links only one may open itself when the run starts.",
    "Keep `redirect` on one of them.",
    "sessions:\n  one: {redirect: true}\n  two: {redirect: true}",
)
