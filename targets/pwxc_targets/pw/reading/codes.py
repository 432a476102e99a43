"""ACTIVATE's rows of the catalogue for reading files: PWX2230 to PWX2259."""

from __future__ import annotations

from pwxc.diagnostics.code import error, warning

STRAY_ENTRY = warning(
    "PWX2230",
    "pw-stray-entry",
    "A scalar stands in a map of jobs, fields, sessions, links or configurations, each of which is a map itself. "
    "It is kept for the way back into the same language and has no meaning.",
    "Indent the keys that belong to the entry below it, or remove it.",
    "jobs:\n  retries: 3\n  build:\n    steps: [{run: make}]",
)
UNKNOWN_TYPE = warning(
    "PWX2231",
    "pw-unknown-field-type",
    "The form knows no field of this type. Its value is taken for text.",
    "Correct the spelling of the type.",
    "seeds:\n  type: numbr",
)
STEP_WORK = error(
    "PWX2232",
    "pw-step-without-work",
    "A step has exactly one of `run` (a script) and `uses` (an action or another workflow).",
    "Add the one that is missing, or make two steps.",
    "steps:\n  - name: build",
)
BAD_DURATION = error(
    "PWX2233",
    "pw-bad-duration",
    "A time is a whole number with at most one unit of d, h, m, s; without a unit it is seconds.",
    "Write for example `90s`, `10m`, `2h` or `7d`.",
    "timeout: 1 hour",
)
UNKNOWN_NEED = error(
    "PWX2234",
    "pw-unknown-job-in-needs",
    "A job waits for a job that the file does not have.",
    "Correct the name, or add the job.",
    "jobs:\n  a: {steps: [{run: make}]}\n  b: {needs: [aa], steps: [{run: make install}]}",
)
CYCLE = error(
    "PWX2235",
    "pw-cycle",
    "Jobs wait for each other in a circle, so none of them can start.",
    "Remove one of the `needs`.",
    "jobs:\n  a: {needs: [b], steps: [{run: make}]}\n  b: {needs: [a], steps: [{run: make}]}",
)
BAD_NAME = warning(
    "PWX2237",
    "pw-bad-name",
    "The platform's schema takes job names of lower-case letters, digits, `_` and `-` (at most 255), and names of "
    "inputs, outputs and matrix variables of letters, digits, `_` and `-`. Dots are refused everywhere.",
    "Rename it.",
    "jobs:\n  Build.All:\n    steps: [{run: make}]",
)
DUPLICATE_STEP = error(
    "PWX2238",
    "pw-duplicate-step-id",
    "Two steps of a job have the same `id`, so it is not clear whose outputs are meant.",
    "Give each step its own `id`.",
    "steps:\n- {id: one, run: make}\n- {id: one, run: make test}",
)
BAD_VALUE = warning(
    "PWX2239",
    "pw-bad-value",
    "A value is none of those that the key takes. It is kept for the way back into the same language.",
    "Write one of the values that the message names, or an expression.",
    "steps:\n  - run: make\n    early-cancel: true",
)
OLD_FORM = warning(
    "PWX2240",
    "pw-old-form",
    "The file uses a form from before the language was settled, or from older documentation. It is understood.",
    "Write the form that the help names.",
    "jobs:\n  b: {needs: a, steps: [{run: make}]}",
)
UNKNOWN_PRESET_VALUE = warning(
    "PWX2241",
    "pw-configuration-without-input",
    "A configuration gives a value to an input that the form does not have.",
    "Correct the name. A field of a group is given below the group's name.",
    "configurations:\n  small: {inputs: {sise: 1}}      # the form has `size`",
)
UNKNOWN_ARGUMENT = warning(
    "PWX2242",
    "pw-unknown-argument",
    "The built-in action has no such input. The platform passes unknown names over in silence.",
    "Correct the spelling, or remove the argument.",
    "uses: parallelworks/checkout\nwith: {repo: https://example.org/a.git, brnch: main}",
)
MISSING_ARGUMENT = warning(
    "PWX2243",
    "pw-missing-argument",
    "The built-in action needs an input that `with` does not give.",
    "Add it.",
    "uses: parallelworks/checkout\nwith: {repo: https://example.org/a.git}",
)
SSH_AND_RUNS_ON = error(
    "PWX2244",
    "pw-ssh-and-runs-on",
    "A job runs on a host (`ssh`) or in a compute environment (`runs-on`), not both.",
    "Remove one of the two.",
    "jobs:\n"
    "  a:\n"
    "    ssh: {remoteHost: login.example.org}\n"
    "    runs-on: {environment: {cluster: me/cluster, name: gpu}}",
)
NO_JOBS = error(
    "PWX2245",
    "pw-no-jobs",
    "A workflow has at least one job, and a job has at least one step.",
    "Add one.",
    "jobs: {}",
)
BAD_MATRIX = error(
    "PWX2246",
    "pw-bad-matrix",
    "A matrix is a map from variables to lists, or to expressions that give lists; `include` and `exclude` are lists "
    "of maps.",
    "Write the values as a list.",
    "strategy:\n  matrix: [1, 2, 3]",
)
RUN_TIME_MATRIX = error(
    "PWX2247",
    "pw-matrix-over-run-time-values",
    "A matrix is expanded when the workflow is submitted, so it can use literal values and form inputs only. The "
    "platform refuses anything else with `Could not expand matrix jobs`.",
    "Write a literal list as long as it can become, and leave instances out with a job-level `if`.",
    "strategy:\n  matrix:\n    case: ${{ needs.count.outputs.CASES }}",
)
UNKNOWN_JOB = warning(
    "PWX2248",
    "pw-unknown-job-in-action",
    "`cancel-jobs` names a job that the file does not have.",
    "Correct the name.",
    "- uses: parallelworks/cancel-jobs\n  with: {jobs: [trian]}",
)
NO_OUTPUTS = warning(
    "PWX2249",
    "pw-job-without-outputs",
    "The outputs of a job are read, but none of its steps writes to `$OUTPUTS` and it declares no `outputs`.",
    'Write `echo "KEY=value" >> $OUTPUTS` in a step of that job. The outputs of a workflow that a step `uses` do not '
    "come back to the caller.",
    "jobs:\n  a: {steps: [{run: make}]}\n  b:\n    needs: [a]\n    steps: [{run: 'echo ${{ needs.a.outputs.n }}'}]",
)
UNKNOWN_STEP = warning(
    "PWX2250",
    "pw-unknown-step-id",
    "The outputs of a step are read, but the job has no step with this `id`.",
    "Give the step an `id`, or correct the name.",
    "steps:\n- {id: one, run: make}\n- {run: 'echo ${{ steps.on.outputs.n }}'}",
)
NO_APP = warning(
    "PWX2251",
    "pw-app-without-target",
    "An `app` names the input whose cluster it is bound to as `inputs.PATH`, and the form has to have that input.",
    "Write `target: inputs.NAME` with the name of a field of the form.",
    "app: {target: '${{ inputs.word }}'}      # `inputs.word`, without the braces",
)
SEVERAL_FILES = error(
    "PWX2252",
    "pw-several-files",
    "A workflow of this system is one file.",
    "Compile the files one by one.",
    "pwxc compile one.yaml two.yaml --from pw --to slurm",
)
