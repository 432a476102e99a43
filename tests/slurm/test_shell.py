"""What is written stands up to bash and to a checker of shell text."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pwxc import api, compiler
from pwxc.compiler import Policy
from pwxc.ir.data import InlineFile
from pwxc.ir.expr import Binary, Literal, Ref, Root
from pwxc.ir.inputs import Input
from pwxc.ir.sweep import Parameter, Sweep, Values
from pwxc.ir.task import Outcome, Task
from pwxc.ir.template import Template, text
from pwxc.ir.workflow import Workflow
from pwxc_targets.slurm import TARGET
from pwxc_targets.slurm.contexts import render
from tests.semantics.workflow_parts import EVERYTHING, Feature, some_features
from tests.semantics.workflow_strategies import workflows as made_workflows
from tests.slurm.flows import after, command, flow, put, script, variable, written
from tests.slurm.hostile import hostile_workflows

CORPUS = Path(os.environ.get("PWXC_CORPUS", Path(__file__).parents[3] / "shared" / "corpus"))
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


SHELLCHECK = pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
OPTIONS = st.fixed_dictionaries(
    {
        "container": st.sampled_from(["apptainer", "pyxis", "none"]),
        "single_file": st.sampled_from(["true", "false"]),
        "retry": st.sampled_from(["requeue", "inside"]),
    }
)


def everything(most: int, features: st.SearchStrategy[frozenset[Feature]]) -> list[str]:
    """Texts that are written for workflows with all that there is, whatever is lost."""
    texts: dict[str, None] = {}

    @settings(max_examples=most, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(features.flatmap(made_workflows) | workflows() | hostile_workflows(), OPTIONS)
    def collect(workflow: Workflow, options: dict[str, str]) -> None:
        files, _, _ = compiler.write(workflow, to=TARGET, options=options, policy=Policy(lossy=True))
        texts.update(dict.fromkeys(file.text for file in files))

    collect()
    return list(texts)


def faults(texts: Iterable[str], folder: Path) -> list[str]:
    """What bash and shellcheck find in scripts."""
    paths = []
    for number, content in enumerate(texts):
        path = folder / f"{number}.sh"
        path.write_text(content)
        paths.append(str(path))
    found = []
    for name in paths:
        found += subprocess.run(["bash", "-n", name], capture_output=True, text=True, check=False).stderr.splitlines()
    for start in range(0, len(paths), 40):
        words = ["shellcheck", "-S", "style", "-f", "gcc", *paths[start : start + 40]]
        found += subprocess.run(words, capture_output=True, text=True, check=False).stdout.splitlines()
    return found


@pytest.mark.shellcheck
@SHELLCHECK
def test_shellcheck_has_nothing_to_say(tmp_path: Path) -> None:
    some = everything(int(os.environ.get("PWXC_FUZZ", "8")), some_features() | st.just(frozenset(EVERYTHING)))
    assert some
    assert faults(some, tmp_path) == []


@pytest.mark.shellcheck
@pytest.mark.corpus
@SHELLCHECK
@pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no corpus at {CORPUS} (PWXC_CORPUS)")
def test_shellcheck_has_nothing_to_say_of_real_workflows(tmp_path: Path) -> None:
    """A sample of the corpus; `PWXC_CORPUS_STEP=1` takes all of it."""
    step = int(os.environ.get("PWXC_CORPUS_STEP", "131"))
    texts: dict[str, None] = {}
    for dialect in ("osmo", "pw", "torc"):
        files = [path for path in sorted((CORPUS / dialect).iterdir()) if path.suffix != ".tsv"]
        for path in files[::step]:
            done = api.compile(path, to="slurm", origin=dialect, lossy=True)
            texts.update(dict.fromkeys(file.text for file in done.files))
    assert texts
    assert faults(texts, tmp_path) == []


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
