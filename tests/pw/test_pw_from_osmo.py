"""What the ACTIVATE writer makes of OSMO workflows: files that the language takes, scripts that the shell takes."""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pwxc
from pwxc.compiler import Compilation
from pwxc.fidelity import Fate

CORPUS = Path(os.environ.get("PWXC_CORPUS", Path(__file__).parents[3] / "shared" / "corpus")) / "osmo"
WAYS = [
    {},
    {"pw.container": "none"},
    {"pw.submit": "job_runner"},
]
NAMES = [" ".join(f"{key}={value}" for key, value in way.items()) or "as shipped" for way in WAYS]


def osmo(text: str, **more: Any) -> Compilation:
    """Compile an OSMO text to ACTIVATE."""
    return pwxc.compile(textwrap.dedent(text), to="pw", origin="osmo", **more)


def tree(compilation: Compilation) -> Any:
    """Load the one file of a compilation."""
    assert compilation.ok, [item.message for item in compilation.diagnostics]
    (file,) = compilation.files
    return yaml.safe_load(file.text)


def scripts(data: Any) -> list[str]:
    """Give every shell text of a workflow file."""
    steps = [step for job in data["jobs"].values() for step in job["steps"]]
    texts = [text for step in steps for text in (step.get("run"), step.get("with", {}).get("script")) if text]
    return ["#!/bin/bash\n" + text for text in texts]


@pytest.fixture(scope="module")
def corpus() -> list[tuple[str, Path, dict[str, str]]]:
    """The real files with the values that they ask for."""
    if not CORPUS.is_dir():
        pytest.skip(f"no corpus at {CORPUS} (PWXC_CORPUS)")
    with (CORPUS / "INDEX.tsv").open() as index:
        rows = list(csv.DictReader(index, delimiter="\t"))
    return [
        (row["file"], CORPUS / row["file"], dict(item.split("=", 1) for item in row["set"].split())) for row in rows
    ]


@pytest.mark.corpus
@pytest.mark.parametrize("way", WAYS, ids=NAMES)
def test_real_files_become_files_that_the_reader_takes(corpus: Any, way: dict[str, str], tmp_path: Path) -> None:
    written = []
    for name, path, values in corpus:
        strict = pwxc.compile(path, to="pw", origin="osmo", values=values, options=way)
        lossy = pwxc.compile(path, to="pw", origin="osmo", values=values, options=way, lossy=True)
        assert (strict.workflow is None) == (not lossy.ok), name
        if strict.workflow is None:
            assert any(item.span is not None for item in strict.diagnostics), name
            continue
        assert strict.ok or strict.refused, name
        assert sum(lossy.report.totals.values()) == len(list(lossy.report.entries)), name
        workflow, found = pwxc.read(lossy.files[0].text, origin="pw")
        assert workflow is not None, name
        assert [item.message for item in found] == [], name
        for number, script in enumerate(scripts(tree(lossy))):
            file = tmp_path / f"{path.stem}.{number}.sh"
            file.write_text(script)
            written.append(str(file))
    assert len(written) > 90
    checked = subprocess.run(["bash", "-c", 'for f; do bash -n "$f" || exit; done', "-", *written], capture_output=True)
    assert checked.returncode == 0, checked.stderr.decode()
    if shutil.which("shellcheck"):
        found = subprocess.run(["shellcheck", "-S", "warning", "-f", "gcc", *written], capture_output=True, text=True)
        assert found.stdout == ""


texts = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\x00{", exclude_categories=["Cs", "Cc"]))
words = st.one_of(
    texts, st.sampled_from(["it's", '"', "$(id)", "`id`", "\\", "a\nb\n", "EOF\nPWXC_EOF\n", "@output@", " "])
)


@st.composite
def specs(draw: st.DrawFn) -> dict[str, Any]:
    """Give OSMO specifications with texts of every kind."""
    tasks = [
        {
            "name": f"t{number}",
            "image": "a",
            "command": [draw(st.sampled_from(["bash", "my prog"])), *draw(st.lists(words, max_size=3))],
            "environment": {"A": draw(words), "B_2": draw(words)},
            "files": [{"path": "/tmp/x y", "contents": draw(words)}, {"path": "/o", "contents": draw(words)}],
            "inputs": [{"task": f"t{number - 1}", "regex": draw(st.sampled_from(["", "a.*"]))}] if number else [],
        }
        for number in range(draw(st.integers(1, 3)))
    ]
    if draw(st.booleans()):
        tasks = [{**task, "lead": at == 0, "inputs": []} for at, task in enumerate(tasks)]
        return {"workflow": {"name": "w", "groups": [{"name": "g", "tasks": tasks}]}}
    return {"workflow": {"name": "w", "tasks": tasks}}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(specs(), st.sampled_from(WAYS))
def test_any_text_gives_a_script_that_bash_reads(spec: dict[str, Any], way: dict[str, str]) -> None:
    compiled = pwxc.compile(yaml.safe_dump(spec, allow_unicode=True), to="pw", origin="osmo", options=way, lossy=True)
    for script in scripts(tree(compiled)):
        checked = subprocess.run(["bash", "-n"], input=script.encode(), capture_output=True)
        assert checked.returncode == 0, checked.stderr.decode()


def test_a_parameter_stays_a_parameter() -> None:
    data = tree(
        osmo(
            """\
            workflow:
              name: "{{ title }}"
              resources: {default: {cpu: "{{ cores }}", memory: "{{ gigs }}Gi"}}
              timeout: {exec_timeout: "{{ limit }}"}
              tasks:
              - name: a
                image: "repo/img:{{ tag }}"
                command: [run, "--n={{ cores }}", "{{ flag }}"]
                environment: {TITLE: "{{ title }}"}
            default-values: {title: it, cores: 4, gigs: 16, limit: 2h, tag: v1, flag: true}
            """,
            options={"pw.submit": "job_runner"},
        )
    )
    inputs = data["on"]["execute"]["inputs"]
    assert {name: (field["type"], field.get("default")) for name, field in inputs.items()} == {
        "cluster": ("compute-clusters", None),
        "title": ("string", "it"),
        "cores": ("number", 4),
        "gigs": ("number", 16),
        "limit": ("string", "2h"),
        "tag": ("string", "v1"),
        "flag": ("boolean", True),
    }
    prepare, submit, _ = data["jobs"]["a"]["steps"]
    runner = submit["with"]
    script = prepare["run"]
    assert runner["slurm"]["cpus_per_task"] == "${{ inputs.cores }}"
    assert runner["slurm"]["mem"] == "${{ inputs.gigs }}G"
    assert "'--n=''${{ inputs.cores }}'" in script or "--n='${{ inputs.cores }}'" in script
    assert "${{ inputs.flag ? 'True' : 'False' }}" in script
    assert "repo/img:${{ inputs.tag }}" in script


@pytest.mark.parametrize(
    ("seconds", "written"),
    [("90m", "90m"), ("3600s", "1h"), ("PT1H30M", "90m"), ("7d", "7d"), ("1500ms", "2s"), ("61s", "61s")],
)
def test_time_limits_are_whole_numbers_with_one_unit(seconds: str, written: str) -> None:
    data = tree(
        osmo(
            f"""\
            workflow:
              name: w
              timeout: {{exec_timeout: {seconds}}}
              tasks: [{{name: a, image: a, command: [b]}}]
            """
        )
    )
    assert data["jobs"]["a"]["timeout"] == written


def test_jobs_keep_names_that_the_platform_takes_and_need_each_other() -> None:
    data = tree(
        osmo(
            """\
            workflow:
              name: w
              groups:
              - name: First_One
                tasks: [{name: A, image: a, command: [b]}, {name: B, lead: true, image: a, command: [b]}]
              - name: second
                tasks: [{name: C, image: a, command: [b], inputs: [{task: A}, {task: B}]}]
            """
        )
    )
    assert list(data["jobs"]) == ["first_one", "second"]
    assert data["jobs"]["second"]["needs"] == ["first_one"]
    assert all(re.fullmatch(r"[a-z0-9_-]{1,255}", name) for name in data["jobs"])
    assert all(job["ssh"] == {"remoteHost": "${{ inputs.cluster.ip }}"} for job in data["jobs"].values())


LOSSES = [
    ("inputs: [{dataset: {name: x}}]", "PWX3206", Fate.DROPPED),
    ("inputs: [{task: 'old-7:x'}]", "PWX3207", Fate.DROPPED),
    ("outputs: [{dataset: {name: x}}]", "PWX3206", Fate.DROPPED),
    ("privileged: true", "PWX3208", Fate.DROPPED),
    ("exitActions: {FAIL: '3006'}", "PWX3205", Fate.DROPPED),
    ("exitActions: {RESCHEDULE: '1'}", "PWX3204", Fate.APPROXIMATED),
    ("credentials: {c: {A: k}}", "PWX3203", Fate.MANUAL),
    ("credentials: {c: /secrets}", "PWX3203", Fate.MANUAL),
    ("outputs: [{url: 'swift://h/a/c'}]", "PWX3212", Fate.MANUAL),
]


@pytest.mark.parametrize(("line", "code", "fate"), LOSSES, ids=[loss[0] for loss in LOSSES])
def test_losses_have_a_code_and_a_place(line: str, code: str, fate: Fate) -> None:
    text = f"workflow:\n  name: w\n  tasks:\n  - name: a\n    image: a\n    command: [b]\n    {line}\n"
    found = [item for item in osmo(text).diagnostics if item.code.id == code]
    assert found, line
    span = found[0].span
    assert span is not None
    assert span.resolve().source.position(span.resolve().start)[0] == 7
    assert osmo(text).ok == (fate is not Fate.DROPPED)
    allowed = osmo(text, allow=[code])
    assert allowed.ok
    assert allowed.report.totals[fate] >= 1


def test_the_same_input_gives_the_same_bytes_in_another_process(tmp_path: Path) -> None:
    source = tmp_path / "w.yaml"
    source.write_text(
        "workflow:\n  name: w\n  tasks:\n  - name: a\n    image: a\n    command: [b]\n"
        "    environment: {Z: '1', A: \"it's\", M: c}\n    credentials: {x: {P: q, O: r}}\n"
    )
    command = [sys.executable, "-m", "pwxc", "compile", str(source), "--to", "pw"]
    outputs = {
        subprocess.run(command, capture_output=True, env={**os.environ, "PYTHONHASHSEED": seed}).stdout
        for seed in ("0", "1", "77")
    }
    assert len(outputs) == 1
    assert outputs != {b""}


SECRETS = [
    ("password", "${{ inputs.credentials.hub_api_key }}"),
    ("organisation", "${{ org.HUB_API_KEY }}"),
]


@pytest.mark.parametrize(("way", "expression"), SECRETS)
@pytest.mark.parametrize("submit", ["ssh", "job_runner"])
def test_credentials_are_asked_for_and_never_stand_in_a_script(way: str, expression: str, submit: str) -> None:
    data = tree(
        osmo(
            """\
            workflow:
              name: w
              tasks:
              - {name: a, image: a, command: [b], credentials: {hub: {TOKEN: api_key}}}
            """,
            options={"pw.secrets": way, "pw.submit": submit},
        )
    )
    values = [value for step in data["jobs"]["a"]["steps"] for value in step.get("env", {}).values()]
    assert values == [expression]
    assert not any(expression in script for script in scripts(data))


def test_a_literal_expression_is_broken_up() -> None:
    compiled = osmo(
        """\
        workflow:
          name: w
          tasks:
          - name: a
            image: a
            command: [echo, '$\\{% raw %}{{(dict(a=1)|string)[0]}}{% endraw %}{ x }}']
        """.replace("$\\", "$"),
        options={"pw.container": "none"},
    )
    assert "${{ x }}" not in compiled.files[0].text
    (script,) = scripts(tree(compiled))
    assert script.rstrip().endswith("echo '$''{{ x }}'")


def test_a_submitted_script_keeps_its_blank_lines_and_its_status(tmp_path: Path) -> None:
    """The job runner's own handling (no platform variables, blank lines removed) is played here by hand."""
    data = tree(
        osmo(
            """\
            workflow:
              name: w
              tasks:
              - name: a
                image: a
                command: [bash, /tmp/go.sh]
                files:
                - path: /tmp/go.sh
                  contents: |
                    cat <<END

                    blank above
                    END
                    touch {{output}}/done
                    exit 6
            """,
            options={"pw.submit": "job_runner", "pw.container": "none"},
        )
    )
    prepare, submit, status = data["jobs"]["a"]["steps"]
    place = {"PATH": os.environ["PATH"], "PW_PARENT_JOB_DIR": str(tmp_path)}
    folder = tmp_path / "jobs/a"
    assert prepare["working-directory"] == submit["with"]["rundir"] == "${PW_PARENT_JOB_DIR}/jobs/a"
    folder.mkdir(parents=True)
    subprocess.run(["bash", "-c", prepare["run"]], cwd=folder, env=place, check=True)
    script = re.sub(r"(?m)^\s*\n", "", submit["with"]["script"])
    ran = subprocess.run(
        ["bash", "-c", script], cwd=folder, env={"PATH": place["PATH"]}, capture_output=True, text=True
    )
    assert ran.stdout == "\nblank above\n"
    assert (tmp_path / "tasks/a/output/done").exists()
    assert subprocess.run(["bash", "-c", status["run"]], cwd=folder, env=place).returncode == 6
