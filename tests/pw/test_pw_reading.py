"""ACTIVATE files into the IR."""

import pytest
from pw_workflows import BASIC, EVERYTHING

from pwxc.diagnostics import Diagnostics
from pwxc.ir.expr import Binary, Literal, Ref, Root, Unary
from pwxc.ir.inputs import InputType
from pwxc.ir.resources import Placement
from pwxc.ir.sweep import Values
from pwxc.ir.task import ActionCall, Outcome, Script
from pwxc.ir.template import Template
from pwxc.registry import ReadSettings
from pwxc.source import Source
from pwxc_targets.pw.read import read


def load(text, name="solver/workflow.yaml"):
    diagnostics = Diagnostics()
    return read((Source(name, text),), ReadSettings(), diagnostics), diagnostics


def job(lines, inputs="{}", more=""):
    indented = "\n".join("    " + line for line in lines.splitlines())
    return f"{more}\n'on': {{execute: {{inputs: {inputs}}}}}\njobs:\n  a:\n{indented}\n"


def steps_of(lines, **kwargs):
    indented = "\n".join("    " + line for line in lines.splitlines())
    return load(job("steps:\n  -\n" + indented, **kwargs))


def said(text):
    _, diagnostics = load(text)
    found = []
    for item in diagnostics:
        span = item.span.resolve()
        line, column = span.source.position(span.start)
        found.append((item.code.name, line, column))
    return found


def test_the_whole_file():
    workflow, diagnostics = load(BASIC)
    assert not list(diagnostics)
    assert workflow.name == "solver"
    assert workflow.permissions == ("*",)
    assert [task.name for task in workflow.tasks] == ["prepare", "solve", "report"]
    assert [item.type for item in workflow.inputs] == [
        InputType.CLUSTER,
        InputType.CHOICE,
        InputType.GROUP,
        InputType.LIST,
    ]
    mode = workflow.inputs[1]
    assert (mode.default, mode.has_default) == ("fast", True)
    assert [(choice.value, choice.label) for choice in mode.choices] == [("fast", "Fast"), ("slow", "Slow")]
    group = workflow.inputs[2]
    assert group.ignored == Ref(Root.SELF, ("hidden",))
    assert group.items[0].form["type"] == "slurm-partitions"


def test_a_job_becomes_a_task():
    workflow, _ = load(BASIC)
    _, solve, report = workflow.tasks
    assert [(edge.parent, edge.when) for edge in solve.needs] == [("prepare", Outcome.SUCCESS)]
    assert solve.condition == Binary("<=", Ref(Root.SWEEP, ("seed",)), Ref(Root.TASK_OUTPUT, ("prepare", "N")))
    assert solve.run_timeout == 7200
    assert solve.sweep.fail_fast is False
    assert solve.sweep.limit == 2
    assert solve.sweep.parameters[0].values == Values([1, 2, 3])
    assert [(edge.parent, edge.when, edge.any_instance) for edge in report.needs] == [
        ("solve", Outcome.END, False),
        ("prepare", Outcome.END, True),
    ]
    assert report.condition is None
    assert report.outputs[0].value == Ref(Root.TASK_OUTPUT, ("report", "write", "TEXT"))
    assert report.steps[0].placement == Placement()


def test_a_step_keeps_what_it_says():
    workflow, _ = load(BASIC)
    step = workflow.tasks[1].steps[0]
    assert step.stop_when_another_fails
    assert step.ignore_errors is True
    assert step.timeout == 5400
    retry = step.retry
    assert (retry.limit, retry.interval, retry.attempt_timeout, retry.clean) == (2, 30, 3600, True)
    assert step.placement.cluster == Ref(Root.INPUT, ("site",))
    assert step.placement.jump_host == Template(("gate",))
    assert [(kept.path, kept.value) for kept in step.placement.passthrough] == [(("disconnect-timeout",), "5m")]
    assert step.environment[0].value == Template(("4",))


def test_positions_inside_block_scalars_are_exact():
    workflow, _ = load(BASIC)
    holes = workflow.tasks[1].steps[0].work.text.holes
    places = [hole.span.resolve() for hole in holes]
    assert [place.text for place in places] == ["matrix.seed", "needs.prepare.steps.count.outputs.N"]
    line = BASIC.splitlines().index("            --cases ${{ needs.prepare.steps.count.outputs.N }}") + 1
    assert places[1].source.position(places[1].start) == (line, 25)


STATUS = Ref(Root.STATUS, ("completed",))
ERROR = Ref(Root.STATUS, ("error",))
X = Ref(Root.INPUT, ("x",))


@pytest.mark.parametrize(
    ("needs", "written", "when", "condition"),
    [
        ("[b]", "${{ completed }}", Outcome.SUCCESS, None),
        ("[b]", "always", Outcome.END, None),
        ("[b]", "${{ always }}", Outcome.END, None),
        ("[b]", "success()", Outcome.SUCCESS, None),
        ("[b]", "${{ error }}", Outcome.FAILURE, None),
        ("[b]", "failure()", Outcome.FAILURE, None),
        ("[b, c]", "${{ error }}", Outcome.END, ERROR),
        ("[b]", "${{ never }}", Outcome.END, Literal(False)),
        ("[b]", "${{ canceled }}", Outcome.END, Ref(Root.STATUS, ("canceled",))),
        ("[b]", "${{ !completed }}", Outcome.END, Unary("!", STATUS)),
        ("[b]", "${{ inputs.x }}", Outcome.SUCCESS, X),
        ("[b]", "${{ always && inputs.x }}", Outcome.END, X),
        ("[b]", "${{ inputs.x && error }}", Outcome.FAILURE, X),
        ("[b]", "${{ error || inputs.x }}", Outcome.END, Binary("||", ERROR, X)),
        ("[b]", "true", Outcome.SUCCESS, None),
        ("[b]", "false", Outcome.SUCCESS, Literal(False)),
    ],
)
def test_conditions_of_jobs(needs, written, when, condition):
    text = job(f"needs: {needs}\nif: {written}\nsteps: [{{run: x}}]", inputs="{x: {type: boolean}}")
    workflow, diagnostics = load(text + "  b: {steps: [{run: x}]}\n  c: {steps: [{run: x}]}\n")
    assert not list(diagnostics)
    task = workflow.tasks[0]
    assert {edge.when for edge in task.needs} == {when}
    assert task.condition == condition


@pytest.mark.parametrize(
    ("written", "condition"),
    [
        ("${{ completed }}", None),
        ("${{ error }}", ERROR),
        ("${{ never }}", Literal(False)),
        ("${{ inputs.x }}", Binary("&&", STATUS, X)),
        ("${{ always && inputs.x }}", Binary("&&", Ref(Root.STATUS, ("always",)), X)),
    ],
)
def test_conditions_of_steps(written, condition):
    workflow, _ = steps_of(f"run: x\nif: {written}", inputs="{x: {type: boolean}}")
    assert workflow.tasks[0].steps[0].condition == condition


@pytest.mark.parametrize(
    ("text", "seconds"), [("300", 300), ("30s", 30), ("10m", 600), ("2h", 7200), ("7d", 604800), ("0", 0)]
)
def test_durations(text, seconds):
    workflow, diagnostics = steps_of(f"run: x\ntimeout: {text}")
    assert not list(diagnostics)
    assert workflow.tasks[0].steps[0].timeout == seconds


def test_what_retry_has_by_default():
    workflow, _ = steps_of("run: x\nretry: {}")
    retry = workflow.tasks[0].steps[0].retry
    assert (retry.limit, retry.interval, retry.attempt_timeout, retry.clean) == (10, 5, 30, False)


def test_a_matrix_fails_fast_by_default():
    workflow, _ = load(job("strategy: {matrix: {n: [1]}}\nsteps: [{run: x}]"))
    assert workflow.tasks[0].sweep.fail_fast is True


def test_a_matrix_over_an_input_is_an_expression():
    text = job("strategy: {matrix: {n: '${{ inputs.ns }}'}}\nsteps: [{run: 'echo ${{ matrix.n }}'}]")
    workflow, diagnostics = load(text.replace("inputs: {}", "inputs: {ns: {type: multi-dropdown, options: [1, 2]}}"))
    assert not list(diagnostics)
    assert workflow.tasks[0].sweep.parameters[0].values == Ref(Root.INPUT, ("ns",))


def test_every_construct_is_understood():
    workflow, diagnostics = load(EVERYTHING)
    assert {item.code.name for item in diagnostics} == {"pw-old-form"}
    assert workflow.timeout == 604800
    assert [session.name for session in workflow.sessions] == ["web", "other"]
    assert workflow.sessions[0].options["useTLS"] == Ref(Root.INPUT, ("tls",))
    names = [item.name for item in workflow.inputs]
    assert names == ["head", "site", "tls", "size", "limit", "kind", "picked", "pvc", "words"]
    limit = workflow.inputs[4]
    assert (limit.minimum, limit.maximum) == (600, 86400)
    assert [choice.value for choice in workflow.inputs[6].choices] == [1, 2]
    assert workflow.presets[0].values == {"size": 1}
    assert {kept.path[0] for kept in workflow.passthrough} == {"on", "needs", "app", "links"}
    modern, matrix, submit = workflow.tasks
    assert modern.placement.scheduled is True
    assert [step.work for step in matrix.cleanup] == [Script(Template(("rm -f x",)))]
    assert matrix.steps[0].work.shell == ("bash", "-l")
    assert submit.resources == "submit"
    assert isinstance(submit.steps[1].work, ActionCall)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            job("needs: [bb]\nsteps: [{run: x}]") + "  b: {steps: [{run: x}]}\n",
            [("pw-unknown-job-in-needs", 5, 13)],
            id="unknown need",
        ),
        pytest.param(
            "jobs:\n  a: {needs: [b], steps: [{run: x}]}\n  b: {needs: [a], steps: [{run: x}]}\n",
            [("pw-cycle", 3, 15)],
            id="cycle",
        ),
        pytest.param("jobs:\n  a: {needs: [a], steps: [{run: x}]}\n", [("pw-cycle", 2, 15)], id="needs itself"),
        pytest.param("jobs: {}\n", [("pw-no-jobs", 1, 7)], id="no jobs"),
        pytest.param("jobs:\n  a: {steps: []}\n", [("pw-no-jobs", 2, 14)], id="no steps"),
        pytest.param("jobs:\n  a: {}\n", [("missing-key", 2, 6)], id="steps missing"),
        pytest.param("'on': {}\n", [("missing-key", 1, 1)], id="jobs missing"),
        pytest.param("jobs:\n  a: {steps: [{name: x}]}\n", [("pw-step-without-work", 2, 16)], id="neither"),
        pytest.param(
            "jobs:\n  a: {steps: [{run: x, uses: y}]}\n", [("pw-step-without-work", 2, 16)], id="run and uses"
        ),
        pytest.param("jobs:\n  a: {steps: [{run: x, timeout: 1 hour}]}\n", [("pw-bad-duration", 2, 33)], id="duration"),
        pytest.param(
            "jobs:\n  a: {steps: [{run: x, id: i}, {run: y, id: i}]}\n",
            [("pw-duplicate-step-id", 2, 45)],
            id="duplicate id",
        ),
        pytest.param(
            "jobs:\n  a: {runs-on: {mode: login}, ssh: {remoteHost: h}, steps: [{run: x}]}\n",
            [("pw-ssh-and-runs-on", 2, 17)],
            id="ssh and runs-on",
        ),
        pytest.param(
            "jobs:\n  a: {strategy: {matrix: [1]}, steps: [{run: x}]}\n", [("pw-bad-matrix", 2, 26)], id="matrix"
        ),
        pytest.param(
            "jobs:\n  a: {steps: [{run: x}]}\n"
            "  b: {needs: [a], strategy: {matrix: {n: '${{ needs.a.outputs.N }}'}}, steps: [{run: x}]}\n",
            [("pw-matrix-over-run-time-values", 3, 47)],
            id="matrix over outputs",
        ),
        pytest.param(
            "jobs:\n  a: {steps: [{run: x}]}\n  b: {needs: [a], steps: [{run: 'echo ${{ needs.a.outputs.N }}'}]}\n",
            [("pw-job-without-outputs", 3, 43)],
            id="outputs of a job without any",
        ),
        pytest.param(
            "jobs:\n  a: {steps: [{id: i, run: 'echo N=1 >> $OUTPUTS'}]}\n"
            "  b: {needs: [a], steps: [{run: 'echo ${{ needs.a.steps.j.outputs.N }}'}]}\n",
            [("pw-unknown-step-id", 3, 43)],
            id="unknown step",
        ),
        pytest.param(
            "jobs:\n  a: {steps: [{run: 'echo N=1 >> $OUTPUTS'}]}\n"
            "  b: {steps: [{run: 'echo ${{ needs.a.outputs.N }}'}]}\n",
            [("pw-job-not-in-needs", 3, 31)],
            id="not in needs",
        ),
        pytest.param("jobs: {A.b: {steps: [{run: x}]}}\n", [("pw-bad-name", 1, 8)], id="job name"),
        pytest.param(
            "jobs: {a: {strategy: {matrix: {a.b: [1]}}, outputs: {c.d: x}, steps: [{run: x}]}}\n",
            [("pw-bad-name", 1, 32), ("pw-bad-name", 1, 54)],
            id="names",
        ),
        pytest.param("jobs: {a: {needs: b, steps: [{run: x}]}, b: {steps: [{run: x}]}}\n", [("pw-old-form", 1, 19)]),
        pytest.param("jobs: {a: {steps: [{uses: checkout, with: {repo: r, branch: m}}]}}\n", [("pw-old-form", 1, 27)]),
        pytest.param(
            "jobs: {a: {steps: [{uses: parallelworks/checkout, with: {repo: r, brnch: m}}]}}\n",
            [("pw-unknown-argument", 1, 67), ("pw-missing-argument", 1, 27)],
        ),
        pytest.param(
            "permissions: ['*']\njobs: {a: {steps: [{uses: parallelworks/cancel-jobs, with: {jobs: [b]}}]}}\n",
            [("pw-unknown-job-in-action", 2, 68)],
        ),
        pytest.param(
            "jobs: {a: {steps: [{run: x, early-cancel: true}]}}\n", [("pw-bad-value", 1, 43)], id="early-cancel"
        ),
        pytest.param("a: [\n", [("yaml-syntax", 2, 1)], id="no YAML"),
        pytest.param("- a\n", [("wrong-type", 1, 1)], id="a list"),
        pytest.param(
            "app: {target: inputs.b}\n'on': {execute: {inputs: {a: {type: compute-clusters}}}}\n"
            "jobs: {j: {steps: [{run: x}]}}\n",
            [("pw-app-without-target", 1, 15)],
        ),
    ],
)
def test_what_is_said(text, expected):
    assert said(text) == expected


def test_the_name_of_a_wrong_input_is_found_in_its_group():
    inputs = "{infra: {type: group, items: {image: {type: string}, site: {type: compute-clusters}}}}"
    _, diagnostics = steps_of("run: echo ${{ inputs.image }} ${{ inputs.site.ip }}", inputs=inputs)
    assert [item.help for item in diagnostics] == [
        "did you mean `inputs.infra.image`?",
        "did you mean `inputs.infra.site.ip`?",
    ]


def test_the_same_fault_at_two_places_has_two_positions():
    text = job("steps:\n  - run: echo ${{ inputs.x }}\n  - run: echo ${{ inputs.x }}")
    places = [place[1:] for place in said(text)]
    assert len(places) == len(set(places)) == 2


def test_input_given_by_a_configuration_has_to_exist():
    text = job("steps: [{run: x}]", inputs="{g: {type: group, items: {size: {type: number}}}}")
    _, diagnostics = load(text + "configurations:\n  One: {inputs: {g: {sise: 1}, v3: true}}\n")
    assert [(item.code.name, item.help) for item in diagnostics] == [
        ("pw-configuration-without-input", "did you mean `size`?")
    ]


def test_unknown_types_are_text():
    workflow, diagnostics = load(job("steps: [{run: x}]", inputs="{a: {type: numbr, default: 3}}"))
    assert [(item.code.name, item.help) for item in diagnostics] == [
        ("pw-unknown-field-type", "did you mean `number`?")
    ]
    assert workflow.inputs[0].type is InputType.STRING


@pytest.mark.parametrize("text", ["x", "jobs", "jobs: [1]", "jobs: {a: }", "jobs: {a: {steps: 3}}", "{}", "jobs: 1"])
def test_nonsense_is_refused_without_a_traceback(text):
    workflow, diagnostics = load(text)
    assert diagnostics.failed or workflow is None
