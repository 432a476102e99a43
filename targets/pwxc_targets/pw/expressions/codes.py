"""ACTIVATE's rows of the catalogue for expressions: PWX2200 to PWX2229."""

from __future__ import annotations

from pwxc.diagnostics import error, warning

EXPRESSION_SYNTAX = error(
    "PWX2200",
    "pw-expression-syntax",
    "What stands between `${{` and `}}` is not an expression. The platform refuses the workflow.",
    "Correct it at the place that is marked. Operators need blanks around them, text needs quotes, and a slice inside "
    "a ternary needs parentheses.",
    "if: ${{ inputs.mode = 'fast' }}    # equality is `==`",
)
UNCLOSED_EXPRESSION = error(
    "PWX2201",
    "pw-unclosed-expression",
    "An expression is opened with `${{` and never closed, or the next one is opened before it is.",
    "Close it with `}}`. A literal `${{` has to be broken up, in a script for example as `'$''{{'`.",
    'run: echo "${{ inputs.name }"',
)
EXPRESSION_TOO_LARGE = error(
    "PWX2202",
    "pw-expression-too-large",
    "An expression is longer or nested deeper than any that is meant for people.",
    "Compute the value in a script and publish it as an output.",
    "run: echo ${{ ((((((((((((((((((((((((((((((((1)))))))))))))))))))))))))))))))) }}      # and much deeper",
)
UNKNOWN_CONTEXT = warning(
    "PWX2203",
    "pw-unknown-context",
    "A dotted name begins with a word that is none of the platform's contexts. It is kept as the text it is.",
    "The contexts are `inputs`, `needs`, `matrix`, `sessions`, `org`, `var`, `env` and `app`. Secrets are variables of "
    "the organisation: `org.NAME`.",
    "${{ secrets.GITHUB_TOKEN }}",
)
INCOMPLETE_REFERENCE = warning(
    "PWX2204",
    "pw-incomplete-reference",
    "A reference into `needs` does not name an output, so it has no value. It is kept as the text it is.",
    "Write `needs.JOB.outputs.NAME`, or `needs.JOB.steps.ID.outputs.NAME` for one step's output.",
    "${{ needs.build.image }}",
)
UNKNOWN_FUNCTION = warning(
    "PWX2205",
    "pw-unknown-function",
    "The language has no function of this name.",
    "There are `fromJSON`, `range`, and the conditions `always()`, `success()`, `failure()` and `cancelled()`.",
    "${{ contains(inputs.name, 'x') }}    # inputs.name includes 'x'",
)
UNKNOWN_INPUT = warning(
    "PWX2206",
    "pw-unknown-input",
    "The form has no input of this name, or the input has no such part, so the reference is always undefined.",
    "Correct the name. The parts of a group are reached by `inputs.GROUP.NAME`.",
    "${{ inputs.n_gpu }}    # the form has `n_gpus`",
)
JOB_NOT_NEEDED = error(
    "PWX2207",
    "pw-job-not-in-needs",
    "An expression reads an output of a job that the `needs` of its own job do not list. The platform refuses the run: "
    "`job X not in needs`.",
    "Add the job to `needs`.",
    "needs: [prepare]\nsteps:\n  - run: echo ${{ needs.build.outputs.tag }}",
)
UNKNOWN_NAME = warning(
    "PWX2208",
    "pw-unknown-name",
    "A session, a matrix variable or another name that an expression uses is declared nowhere.",
    "Correct the name, or declare it.",
    "sessions: {web: {}}\n…\n${{ sessions.wbe }}",
)
CONTEXT_NOT_HERE = warning(
    "PWX2209",
    "pw-context-not-here",
    "The key stands where values of this kind are not known: outputs of jobs in the form, for example, or anything but "
    "inputs in a matrix.",
    "Move the expression, or use a value that is known at that point.",
    "strategy: {matrix: {n: '${{ needs.plan.outputs.cases }}'}}",
)
WRONG_OPERAND = warning(
    "PWX2210",
    "pw-wrong-operand",
    "An operator is applied to a value of a kind for which it has no meaning.",
    "Arithmetic and `<` need numbers, `get` and `in` need lists or maps.",
    "${{ inputs.use_gpu - 1 }}    # `use_gpu` is a boolean",
)
NO_SUCH_CHOICE = warning(
    "PWX2211",
    "pw-no-such-choice",
    "An input is compared with a value that is none of its options, so the comparison always comes out the same.",
    "Correct the value, or add the option.",
    "${{ inputs.mode == 'fsat' }}",
)
