"""What is written stands up to bash and to a checker of shell text."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pwxc.ir.data import InlineFile
from pwxc.ir.expr import Binary, Literal, Ref, Root
from pwxc.ir.inputs import Input
from pwxc.ir.sweep import Parameter, Sweep, Values
from pwxc.ir.task import Outcome, Task
from pwxc.ir.template import Template, text
from pwxc.ir.workflow import Workflow
from pwxc_targets.slurm.contexts import render
from tests.slurm.flows import after, command, flow, put, script, variable, written

HOSTILE = st.text(st.sampled_from("ab '\"$`\\\n;&|(){}<>*?~#!%=-:,.\té漢@"), min_size=1, max_size=14)


@st.composite
def workflows(draw: st.DrawFn) -> Workflow:
    names = draw(st.lists(HOSTILE, min_size=1, max_size=3, unique=True))
    value = Template.of(draw(HOSTILE), Ref(Root.INPUT, ("x",)), draw(HOSTILE))
    tasks = []
    for number, name in enumerate(names):
        needs = [after(names[number - 1], draw(st.sampled_from(list(Outcome))))] if number else []
        sweep = None
        if draw(st.booleans()):
            sweep = Sweep(
                parameters=(Parameter(name="p", values=Values(draw(st.lists(HOSTILE, min_size=1, max_size=3)))),)
            )
        condition = Binary("==", Ref(Root.INPUT, ("x",)), Literal(draw(HOSTILE))) if draw(st.booleans()) else None
        tasks.append(
            Task(
                name=name, needs=tuple(needs), sweep=sweep,
                steps=(command("echo", value, draw(HOSTILE)), script("echo \"", Ref(Root.INPUT, ("x",)), "\"\n")),
                environment=(variable("V", value),),
                files=(InlineFile(path=text("/tmp/f"), contents=value),),
                condition=condition,
            )
        )  # fmt: skip
    inputs = (Input(name="x", default=draw(HOSTILE), has_default=True, help=draw(HOSTILE)),)
    return flow(*tasks, name=draw(HOSTILE), inputs=inputs, description=draw(HOSTILE))


@pytest.mark.shellcheck
@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(workflows())
def test_shellcheck_has_nothing_to_say(tmp_path: Path, workflow: Workflow) -> None:
    for old in (tmp_path / "out").glob("*"):
        old.unlink()
    put(written(workflow), tmp_path / "out")
    paths = sorted(str(path) for path in (tmp_path / "out").iterdir())
    done = subprocess.run(["shellcheck", "-S", "style", *paths], capture_output=True, text=True, check=False)
    assert done.stdout == ""


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(workflows())
def test_bash_reads_it(tmp_path: Path, workflow: Workflow) -> None:
    submit = put(written(workflow, single_file="true"), tmp_path / "out")
    done = subprocess.run(["bash", "-n", str(submit)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@settings(max_examples=25, deadline=None)
@given(HOSTILE)
def test_a_value_is_data_wherever_a_hole_stands(value: str) -> None:
    x = Ref(Root.INPUT, ("x",))
    template = Template.of(
        "printf %s \"", x, "\"; printf '%s' '<", x, ">'; cat <<EOF\n", x,
        "\nEOF\n: # ", x, "\nprintf %s \"$(printf %s \"", x, "\")\""
    )  # fmt: skip
    rendered = render(template, lambda hole: "X")
    assert not rendered.verbatim
    done = subprocess.run(
        ["bash", "-c", rendered.text], capture_output=True, env={"X": value, "PATH": "/usr/bin:/bin"}, check=True
    )
    assert done.stdout.decode() == f"{value}<{value}>{value}\n{value.rstrip(chr(10))}"


def test_a_quoted_here_document_is_told() -> None:
    x = Ref(Root.INPUT, ("x",))
    assert render(Template.of("cat <<'EOF'\n", x, "\nEOF\n"), lambda hole: "X").verbatim
    assert not render(Template.of("cat <<'EOF'\nit's\nEOF\necho ", x), lambda hole: "X").verbatim
