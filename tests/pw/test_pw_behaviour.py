"""What compiled OSMO workflows do when their jobs are run in bash on this machine."""

from __future__ import annotations

import os
import socket
import subprocess
import textwrap
from pathlib import Path

import pytest
from pw_platform import JobRun, run_workflow

import pwxc


def run_osmo(
    text: str, folder: Path, *, allow: tuple[str, ...] = (), copy: str = "", **given: object
) -> dict[str, JobRun]:
    """Compile an OSMO text without containers and run it."""
    options = {"pw.container": "none"} | ({"pw.copy": copy} if copy else {})
    result = pwxc.compile(textwrap.dedent(text), to="pw", origin="osmo", options=options, allow=allow)
    assert result.ok, [item.message for item in result.diagnostics]
    return run_workflow(result.files[0].text, folder, given)


def test_serial_tasks_pass_their_data_on(tmp_path: Path) -> None:
    runs = run_osmo(
        """\
        workflow:
          name: serial
          tasks:
          - name: one
            image: ubuntu:22.04
            command: [sh]
            args: [/tmp/run.sh]
            files:
            - path: /tmp/run.sh
              contents: |
                echo "first" > {{output}}/result.txt
          - name: two
            image: ubuntu:22.04
            command: [sh]
            args: [/tmp/run.sh]
            inputs: [{task: one}]
            files:
            - path: /tmp/run.sh
              contents: |
                cat {{input:0}}/result.txt > {{output}}/both.txt
                echo "second" >> {{output}}/both.txt
          - name: three
            image: ubuntu:22.04
            command: [bash, -c]
            args:
            - |
              cat {{input:1}}/result.txt {{input:two}}/both.txt
              echo "in {{workflow_id}}"
            inputs: [{task: two}, {task: one}]
        """,
        tmp_path,
    )
    assert runs["three"].output == "first\nfirst\nsecond\nin run-7\n"
    assert (tmp_path / "tasks/two/output/both.txt").read_text() == "first\nsecond\n"


def test_a_failure_skips_what_is_behind_it_and_nothing_else(tmp_path: Path) -> None:
    runs = run_osmo(
        """\
        workflow:
          name: failing
          tasks:
          - {name: bad, image: a, command: [bash, -c, 'exit 3']}
          - {name: behind, image: a, command: ['true'], inputs: [{task: bad}]}
          - {name: far, image: a, command: ['true'], inputs: [{task: behind}]}
          - {name: beside, image: a, command: ['true']}
        """,
        tmp_path,
    )
    assert {name: run.status for name, run in runs.items()} == {
        "bad": "error",
        "behind": "skipped",
        "far": "skipped",
        "beside": "completed",
    }
    assert runs["bad"].code == 3


def test_groups_wait_for_groups_and_members_run_at_the_same_time(tmp_path: Path) -> None:
    runs = run_osmo(
        """\
        workflow:
          name: combined
          groups:
          - name: fetch
            tasks:
            - name: download
              lead: true
              image: a
              command: [bash, -c, 'mkdir {{output}}/data; printf "b\\na\\n" > {{output}}/data/f']
          - name: process
            tasks:
            - name: upper
              lead: true
              image: a
              command: [bash, /tmp/go.sh]
              inputs: [{task: download}]
              files:
              - path: /tmp/go.sh
                contents: |
                  tr a-z A-Z < {{input:0}}/data/f > {{output}}/f
                  until [ -e /tmp/pwxc-never ] || [ -e {{output}}/../../sorted/output/f ]; do sleep 0.05; done
            - name: sorted
              image: a
              command: [bash, /tmp/go.sh]
              inputs: [{task: download}]
              files:
              - path: /tmp/go.sh
                contents: "sort {{input:0}}/data/f > {{output}}/f"
          - name: join
            tasks:
            - name: combine
              image: a
              command: [cat, '{{input:0}}/f', '{{input:1}}/f']
              inputs: [{task: upper}, {task: sorted}]
        """,
        tmp_path,
    )
    assert runs["process"].status == "completed", runs["process"].output
    assert runs["join"].output == "B\nA\na\nb\n"


def test_the_end_of_the_lead_ends_the_group(tmp_path: Path) -> None:
    runs = run_osmo(
        """\
        workflow:
          name: leads
          groups:
          - name: pair
            tasks:
            - {name: helper, image: a, command: [bash, -c, 'sleep 50 & wait; echo "late" > {{output}}/late']}
            - {name: boss, lead: true, image: a, command: [bash, -c, 'sleep 0.3; exit 4']}
        """,
        tmp_path,
    )
    assert (runs["pair"].status, runs["pair"].code) == ("error", 4)
    assert runs["pair"].ended - runs["pair"].began < 20
    assert not (tmp_path / "tasks/helper/output/late").exists()
    assert not any("sleep 50" in line for line in _processes())


def _processes() -> list[str]:
    return [
        " ".join(path.read_text(errors="replace").split("\0"))
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if os.access(path, os.R_OK) and path.exists()
    ]


@pytest.mark.parametrize(
    ("ignore", "code"),
    [("true", 0), ("false", 5)],
    ids=["a helper's failure is ignored", "a helper's failure ends the group"],
)
def test_whose_status_counts(tmp_path: Path, ignore: str, code: int) -> None:
    runs = run_osmo(
        f"""\
        workflow:
          name: statuses
          groups:
          - name: pair
            ignoreNonleadStatus: {ignore}
            tasks:
            - {{name: helper, image: a, command: [bash, -c, 'exit 5']}}
            - {{name: boss, lead: true, image: a, command: [sleep, '1']}}
        """,
        tmp_path,
    )
    assert runs["pair"].code == code


def test_a_client_reaches_the_server_of_its_group(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    runs = run_osmo(
        """\
        workflow:
          name: network
          groups:
          - name: pair
            tasks:
            - name: server
              image: a
              command: [python3, -m, http.server, '{{ port }}', --directory, '{{output}}']
            - name: client
              lead: true
              image: a
              command: [bash, /tmp/get.sh]
              files:
              - path: /tmp/get.sh
                contents: |
                  for try in $(seq 100); do
                    if exec 3<> /dev/tcp/{{host:server}}/{{ port }}; then break; fi 2> /dev/null
                    sleep 0.1
                  done
                  printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3
                  head -n 1 <&3
        default-values:
          port: 24831
        """,
        tmp_path,
        port=port,
    )
    assert "200 OK" in runs["pair"].output


@pytest.mark.parametrize(
    ("actions", "code", "expected"),
    [
        ("COMPLETE: 0-10, RESCHEDULE: 11-20", 7, 0),
        ("COMPLETE: '1,3-5'", 2, 2),
        ("COMPLETE: '1,3-5'", 4, 0),
        ("FAIL: 0", 0, 1),
        ("FAIL: 7, COMPLETE: 0-255", 7, 7),
        ("FAIL: 9-1", 5, 5),
    ],
)
def test_exit_actions_turn_codes_into_results(tmp_path: Path, actions: str, code: int, expected: int) -> None:
    runs = run_osmo(
        f"""\
        workflow:
          name: codes
          tasks:
          - {{name: a, image: a, command: [bash, -c, 'exit {code}'], exitActions: {{{actions}}}}}
        """,
        tmp_path,
    )
    assert runs["a"].code == expected


def test_reschedule_tries_again_and_stops_at_the_limit(tmp_path: Path) -> None:
    text = """\
        workflow:
          name: again
          tasks:
          - name: a
            image: a
            command: [bash, -c]
            args:
            - echo x >> {{output}}/tries; [ "$(wc -l < {{output}}/tries)" -ge %d ] || exit 30
            exitActions: {RESCHEDULE: 30}
        """
    assert run_osmo(text % 3, tmp_path)["a"].status == "completed"
    assert (tmp_path / "tasks/a/output/tries").read_text() == "x\n" * 3
    (tmp_path / "second").mkdir()
    assert run_osmo(text % 99, tmp_path / "second")["a"].code == 30
    assert (tmp_path / "second/tasks/a/output/tries").read_text() == "x\n" * 4


def test_the_lead_starts_the_whole_group_again(tmp_path: Path) -> None:
    runs = run_osmo(
        """\
        workflow:
          name: gangs
          groups:
          - name: pair
            tasks:
            - name: helper
              image: a
              command: [bash, -c, 'echo x >> {{output}}/starts; sleep 60']
            - name: boss
              lead: true
              image: a
              command: [bash, -c]
              args:
              - |
                echo x >> {{output}}/starts
                sleep 0.4
                [ "$(wc -l < {{output}}/starts)" -ge 2 ] || exit 3
              exitActions: {RESCHEDULE: 3}
        """,
        tmp_path,
    )
    assert runs["pair"].status == "completed", runs["pair"].output
    assert (tmp_path / "tasks/helper/output/starts").read_text() == "x\n" * 2


HOSTILE = [
    "plain",
    "two  blanks",
    "it's",
    'a "quoted" one',
    "$HOME `id` $(id) ${X:-y} \\n \\",
    "line\nbreak",
    "tab\tand äöü 🚀",
    "-leading",
    "* ? [a] ~ # ! & | ; < > ( )",
    "",
    "trailing\n",
    "${{ inputs.x }} $<< y >> @output@",
    "PWXC_EOF\nPWXC_EOF",
]


def test_arguments_files_and_environment_arrive_as_they_are(tmp_path: Path) -> None:
    import yaml

    script = (
        "import json, os, sys\n"
        "json.dump([sys.argv[1:], os.environ['A'], open(sys.argv[0] + '.txt').read()], sys.stdout)\n"
    )
    tasks = [
        {
            "name": f"t{number}",
            "image": "a",
            "command": ["python3", "/tmp/show.py", text.replace("$$", "$"), "last"],
            "environment": {"A": text},
            "files": [
                {"path": "/tmp/show.py", "contents": script},
                {"path": "/tmp/show.py.txt", "contents": text},
            ],
        }
        for number, text in enumerate(HOSTILE)
        if "{{" not in text
    ]
    spec = yaml.safe_dump({"workflow": {"name": "hostile", "tasks": tasks}}, allow_unicode=True)
    runs = run_osmo(spec, tmp_path)
    import json

    for number, text in enumerate(HOSTILE):
        if "{{" not in text:
            run = runs[f"t{number}"]
            assert run.status == "completed", run.output
            assert json.loads(run.output) == [[text, "last"], text, text], text


@pytest.mark.parametrize("value", [text for text in HOSTILE if text != ""])
def test_a_form_value_is_never_executed(tmp_path: Path, value: str) -> None:
    runs = run_osmo(
        """\
        workflow:
          name: values
          tasks:
          - name: a
            image: a
            command: [printf, '%s|', '{{ x }}', 'pre {{ x }} post', '{{output}}/{{ x }}']
        default-values:
          x: harmless
        """,
        tmp_path,
        x=value,
    )
    output = f"{tmp_path}/tasks/a/output"
    assert runs["a"].output == f"{value}|pre {value} post|{output}/{value}|".replace(
        "@output@", runs_mark(value, output)
    )


def runs_mark(value: str, output: str) -> str:
    """A value that spells the mark of this very text is replaced like OSMO's own tokens are (osmo.md §5)."""
    return output if "@output@" in value else "@output@"


def test_urls_are_copied_before_and_after(tmp_path: Path) -> None:
    store = tmp_path / "store"
    (store / "in").mkdir(parents=True)
    (store / "in/a.txt").write_text("a")
    (store / "in/b.log").write_text("b")
    tool = tmp_path / "tool"
    tool.write_text(
        f"#!/bin/bash\nset -eu\nfrom=${{1/s3:\\/\\/bucket/{store}}} to=${{2/s3:\\/\\/bucket/{store}}}\n"
        'mkdir -p "$to"\ncp -r "$from"/. "$to"/\n'
    )
    tool.chmod(0o755)
    runs = run_osmo(
        """\
        workflow:
          name: urls
          tasks:
          - name: a
            image: a
            command: [bash, -c, 'ls {{input:0}} > {{output}}/seen; echo no > {{output}}/x.tmp; exit 9']
            inputs: [{url: s3://bucket/in, regex: '.*\\.txt'}]
            outputs: [{url: 's3://bucket/{{workflow_id}}/out', regex: 'se'}]
        """,
        tmp_path,
        copy=f"{tool} {{from}} {{to}}",
    )
    assert runs["a"].code == 9
    assert (store / "run-7/out/seen").read_text() == "a.txt\n"
    assert not (store / "run-7/out/x.tmp").exists()


def test_kubernetes_expands_variables_in_arguments(tmp_path: Path) -> None:
    runs = run_osmo(
        """\
        workflow:
          name: expansion
          tasks:
          - name: a
            image: a
            command: [echo, '$(NAME)-$(OTHER) $$(NAME) a$$b $x']
            environment: {NAME: 'of it', BOTH: '$(NAME)!'}
        """,
        tmp_path,
    )
    assert runs["a"].output == "of it-$(OTHER) $(NAME) a$b $x\n"


def test_checkpoints_are_copied_while_the_command_runs_and_at_its_end(tmp_path: Path) -> None:
    tool = tmp_path / "tool"
    tool.write_text(f'#!/bin/bash\nprintf "%s %s\\n" "$(cat "$1/state")" "$2" >> {tmp_path}/log\n')
    tool.chmod(0o755)
    folder = tmp_path / "model"
    runs = run_osmo(
        f"""\
        workflow:
          name: points
          tasks:
          - name: a
            image: a
            command: [bash, -c, 'mkdir -p {folder}; echo 1 > {folder}/state; sleep 1.5; echo 2 > {folder}/state']
            checkpoint: [{{path: {folder}, url: s3://b/c, frequency: 1s}}]
        """,
        tmp_path,
        copy=f"{tool} {{from}} {{to}}",
    )
    assert runs["a"].status == "completed"
    assert (tmp_path / "log").read_text() == "1 s3://b/c/model\n2 s3://b/c/model\n"


def test_a_time_limit_ends_the_job(tmp_path: Path) -> None:
    runs = run_osmo(
        """\
        workflow:
          name: limits
          timeout: {exec_timeout: 1s}
          tasks:
          - {name: a, image: a, command: [sleep, '30']}
        """,
        tmp_path,
    )
    assert runs["a"].status == "error"


def test_images_run_through_apptainer_with_their_files_at_their_own_paths(tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "apptainer").write_text('#!/bin/bash\nprintf "%s\\n" "$@"\n')
    (tools / "apptainer").chmod(0o755)
    result = pwxc.compile(
        textwrap.dedent(
            """\
            workflow:
              name: contained
              resources: {default: {gpu: 1}}
              tasks:
              - name: a
                image: nvcr.io/x/y:1
                command: [bash, /tmp/go.sh, '{{output}}']
                files: [{path: /tmp/go.sh, contents: echo}]
                volumeMounts: ['/data:/mnt']
            """
        ),
        to="pw",
    )
    runs = run_workflow(result.files[0].text, tmp_path, path=str(tools))
    words = runs["a"].output.splitlines()
    assert words[0] == "exec"
    assert "docker://nvcr.io/x/y:1" in words
    assert f"{tmp_path}/tasks/a/files/tmp/go.sh:/tmp/go.sh" in words
    assert "/data:/mnt" in words
    assert "--nv" in words
    assert words[-3:] == ["bash", "/tmp/go.sh", f"{tmp_path}/tasks/a/output"]
    assert subprocess.run(["cat", f"{tmp_path}/tasks/a/files/tmp/go.sh"], capture_output=True).stdout == b"echo"
