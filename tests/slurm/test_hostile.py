"""Nothing of a workflow is run but what it wants to run: scripts are executed, and nothing touches the canary."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pwxc import api, compiler
from pwxc.compiler import Policy
from pwxc.registry import OutputFile
from pwxc.source import Source
from pwxc_targets.slurm import TARGET
from tests.semantics.workflow_parts import EVERYTHING
from tests.semantics.workflow_strategies import workflows as made_workflows
from tests.slurm.flows import put
from tests.slurm.hostile import CANARY, SPELLS, Poison

STAND_IN = r"""#!/bin/bash
case ${0##*/} in
  sbatch)
    read -r number <"$PLACE/number"
    echo "$((number + 1))" | tee "$PLACE/number"
    ;;
  scontrol) if [[ $1 == show ]]; then echo n1; echo n2; fi; [[ $1 != requeue ]] ;;
  srun) while [[ $1 == -* ]]; do shift; done; "$@" ;;
  apptainer) while [[ $1 != *://* ]] && (($# > 1)); do shift; done; shift; "$@" ;;
  aws | curl | gsutil | azcopy | rclone | wget | git | ssh) : ;;
  sleep) case $1 in 0.* | [0-9]) : ;; *) exec /usr/bin/sleep "$1" ;; esac ;;
esac
"""
PROGRAMS = (
    "sbatch", "scontrol", "squeue", "scancel", "srun", "apptainer", "aws", "curl", "gsutil", "azcopy", "rclone", "wget",
    "git", "ssh", "sleep",
)  # fmt: skip
FUZZ = int(os.environ.get("PWXC_FUZZ", "4"))


def touched(files: Sequence[OutputFile], place: Path, values: Sequence[str] = ()) -> list[str]:
    """Submit with stand-ins for Slurm, run every script, ask for the state; gives what was touched."""
    programs = place / "bin"
    programs.mkdir(parents=True)
    for name in PROGRAMS:
        (programs / name).write_text(STAND_IN)
        (programs / name).chmod(0o755)
    (place / "number").write_text("100\n")
    secret = place / "home/.pwxc/secrets/folder/file"
    secret.parent.mkdir(parents=True)
    secret.write_text("hidden")
    secret.chmod(0o600)
    environment = {
        "PATH": f"{programs}:/usr/bin:/bin", "PLACE": str(place), "HOME": str(place / "home"), "SLURM_JOB_ID": "7",
        "SLURM_JOB_NODELIST": "n[1-2]", "SLURM_ARRAY_TASK_ID": "1", "SLURM_ARRAY_JOB_ID": "7",
        "PWXC_MAX_ARRAY_SIZE": "1001", "PWXC_SECRET_store_key": "hidden", "LC_ALL": "C.UTF-8",
    }  # fmt: skip
    submit = put({file.path: file for file in files}, place / "out")

    def run(*words: str) -> None:
        # its own session, so that what is left of it ends with it
        process = subprocess.Popen(
            ["bash", *words], cwd=place, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=10)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    run(str(submit), "--help")
    run(str(submit), "--run-dir", str(place / "run"), "--dry-run", *values)
    run(str(submit), "--run-dir", str(place / "run"), *values)
    for script in sorted((place / "run/scripts").glob("*")):
        run(str(script), str(place / "run"), "0")
    run(str(submit), "--run-dir", str(place / "run"), "--status")
    run(str(submit), "--run-dir", str(place / "run"), "--resume", *values)
    return [str(path.relative_to(place)) for path in place.rglob("*") if path.name.startswith(CANARY)]


def test_the_canary_is_seen(tmp_path: Path) -> None:
    """What the workflow itself runs does touch it: the scripts of these tests are really run."""
    done = api.compile(f"name: w\njobs:\n- {{name: a, command: touch {CANARY}}}\n", to="slurm", origin="torc")
    assert touched(done.files, tmp_path) != []


@settings(max_examples=FUZZ, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(
    made_workflows(EVERYTHING, 3), st.permutations(SPELLS), st.sampled_from(["apptainer", "pyxis", "none"]),
    st.sampled_from(["true", "false"]),
)  # fmt: skip
def test_no_text_of_any_workflow_is_run(
    tmp_path_factory: pytest.TempPathFactory, workflow: Any, spells: list[str], container: str, single: str
) -> None:
    poisoned = Poison(spells, commands=False)(workflow)
    options = {"container": container, "single_file": single}
    files, _, _ = compiler.write(poisoned, to=TARGET, options=options, policy=Policy(lossy=True))
    if files:
        assert touched(files, tmp_path_factory.mktemp("canary")) == []


# in the words of the systems

OSMO = """
workflow:
  name: w
  timeout: {exec_timeout: 5m}
  resources: {default: {cpu: 1, memory: 1Gi, platform: p}}
  groups:
  - name: g
    tasks:
    - name: a
      lead: true
      image: img
      command: [printf, "%s"]
      args: [one, "{{output}}"]
      environment: {VARIABLE: value}
      files: [{path: /etc/file, contents: text}]
      credentials: {store: {TOKEN: key}, folder: /run/secrets}
      outputs: [{url: "s3://bucket/out", regex: "x.*"}]
      checkpoint: [{path: /ckpt, url: "s3://bucket/ckpt", frequency: 1m}]
      volumeMounts: ["/data:/data"]
    - {name: b, image: img, command: [printf, two]}
  - name: h
    tasks:
    - name: c
      image: img
      command: [printf]
      args: [three]
      inputs: [{task: a, regex: "y.*"}, {url: "s3://bucket/path"}]
      exitActions: {COMPLETE: "3"}
"""
PW = """
name: w
timeout: 5m
env: {WHOLE: value}
jobs:
  first:
    ssh: {remoteHost: host, remoteUser: user}
    working-directory: place
    env: {JOB: value}
    steps:
    - {id: made, name: label, run: "printf x >> $OUTPUTS", env: {STEP: value}, working-directory: other}
    - {uses: parallelworks/checkout, with: {repo: "https://host/repo", branch: main, path: here}}
    outputs: {handed: "${{ needs.first.steps.made.outputs.x }}"}
  second:
    needs: [first]
    if: ${{ inputs.word == 'text' }}
    strategy: {matrix: {i: [one, two]}}
    steps: [{run: "printf '%s' '${{ matrix.i }}' \\"${{ inputs.word }}\\"", if: "${{ inputs.kind == 'a' }}"}]
'on':
  execute:
    inputs:
      word: {type: string, label: label, default: text, help: told}
      kind: {type: dropdown, options: [{label: A, value: a}, {label: B, value: b}], default: a}
      deep: {type: group, items: {inner: {type: string, default: text}}}
"""
TORC = """
name: w
user: me
description: about
files: [{name: raw, path: raw.txt}, {name: sum, path: sum.txt}]
user_data: [{name: config, data: {key: value}}]
env: {WHOLE: value}
parameters: {i: "['one','two']"}
resource_requirements: [{name: small, num_cpus: 1, memory: 1g, runtime: PT1H}]
slurm_schedulers:
- {name: s, account: acct, partition: part, qos: q, gres: "gpu:1", walltime: "01:00:00", extra: "--comment=x"}
failure_handlers: [{name: h, rules: [{exit_codes: [7], recovery_script: "printf x", max_retries: 1}]}]
jobs:
- {name: "a_{i}", command: "printf '%s' {i}", use_parameters: [i], resource_requirements: small, scheduler: s}
- name: b
  command: "printf x > ${files.output.raw}"
  failure_handler: h
  env: {JOB: value}
  invocation_script: "env X=1"
- {name: c, command: "cat ${files.input.raw} ${user_data.input.config}", depends_on: [b]}
actions:
- {trigger_type: on_workflow_start, action_type: run_commands, commands: ["printf x"]}
- trigger_type: on_jobs_complete
  action_type: run_commands
  commands: ["printf x"]
  jobs: [b]
  job_name_regexes: ["^c"]
"""
_RUN = {"command", "run", "commands", "recovery_script", "invocation_script"}
"""Keys whose texts are commands, which the workflow wants to run."""


def places(node: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Go through the places of all texts of a document that are no commands, keys of maps included."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield (*above, key, None)
            if key not in _RUN:
                yield from places(value, (*above, key))
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from places(value, (*above, number))
    elif isinstance(node, str):
        yield above


def planted(node: Any, place: tuple[Any, ...], text: str) -> Any:
    """Give a document with a text at a place, or as a key if the place ends with None."""
    key, *rest = place
    if rest == [None]:
        return {text if name == key else name: value for name, value in node.items()}
    changed = planted(node[key], tuple(rest), text) if rest else text
    if isinstance(node, dict):
        return {name: changed if name == key else value for name, value in node.items()}
    return [changed if number == key else value for number, value in enumerate(node)]


DOCUMENTS = {"osmo": OSMO, "pw": PW, "torc": TORC}
SPELL = f"'\"`touch {CANARY}`$(touch {CANARY})'\"; touch {CANARY} #\ntouch {CANARY}\n"


def test_no_text_of_any_file_is_run(tmp_path: Path) -> None:
    """Each place by itself with `PWXC_FUZZ=1000`; otherwise some of them, others in each system."""
    told = []
    for origin, content in DOCUMENTS.items():
        document = yaml.safe_load(content)
        every = list(places(document))
        for number, place in enumerate(every[:: max(1, len(every) // FUZZ)]):
            spell = SPELL if FUZZ < 1000 else SPELLS[number % 26]
            text = yaml.safe_dump(planted(document, place, spell), allow_unicode=True, sort_keys=False)
            source = Source("w.yaml", text)
            done = api.compile(source, to="slurm", origin=origin, options={"slurm.container": "none"}, lossy=True)
            if done.files and touched(done.files, tmp_path / f"{origin}.{number}"):
                told.append((origin, place))
    assert told == []


@pytest.mark.parametrize("spell", [SPELL, *SPELLS[:3]])
def test_no_value_of_an_input_is_run(tmp_path: Path, spell: str) -> None:
    done = api.compile(PW, to="slurm", origin="pw", options={"slurm.container": "none"}, lossy=True)
    assert done.files
    assert touched(done.files, tmp_path, ["--word", spell, f"--deep.inner={spell}"]) == []
