"""Whatever is given as a workflow: a diagnostic soon, little memory, no traceback, nothing written."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import pwxc
from pwxc import cli

ROOT = Path(__file__).resolve().parents[1]
PATHS = os.pathsep.join(str(ROOT / part) for part in (".", "grammars", "targets"))
SECONDS = 10
"""The goal is 2 on an idle machine; this leaves room for a busy one."""
MEGABYTES = 500

GOOD = """\
workflow:
  name: w
  tasks:
  - name: a
    image: ubuntu:22.04
    command: [bash, /tmp/run.sh]
    environment: {SIZE: "{{ size }}"}
    files:
    - path: /tmp/run.sh
      contents: |
        echo "$SIZE" > {{output}}/x
  - name: b
    image: ubuntu:22.04
    command: ["cat"]
    args: ["{{input:0}}/x"]
    inputs: [{task: a}]
default-values:
  size: 4
"""


def template(inside: str) -> bytes:
    """Make a file whose only fault is in a template."""
    return GOOD.replace("echo", inside + "\n        echo").encode()


def section(inside: str) -> bytes:
    """Make a file that is no template, with more lines in its `workflow`."""
    return f"workflow:\n  name: w\n  tasks:\n  - name: a\n    image: x\n    command: [sh]\n{inside}\n".encode()


def bomb(levels: int) -> bytes:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, levels)]
    return ("workflow:\n" + "\n".join("  " + line for line in lines)).encode()


LOOP = "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"
FILES = {
    "empty": b"",
    "blanks": b" \n\n  \n",
    "only comments": b"# workflow:\n#   name: a\n",
    "binary": bytes(range(256)) * 64,
    "an image": b"\x89PNG\r\n\x1a\n" + bytes(4096),
    "nul": GOOD.replace("echo", "ec\0ho").encode(),
    "not UTF-8": GOOD.replace("echo", "größe").encode("latin-1"),
    "UTF-16": GOOD.encode("utf-16"),
    "a lone surrogate": b"workflow:\n  name: \xed\xa0\x80\n",
    "a list at the top": b"- workflow:\n    name: a\n    tasks: []\n",
    "a text at the top": b"workflow\n",
    "a number at the top": b"12\n",
    "a null workflow": b"workflow:\n",
    "a list as workflow": b"workflow: [tasks, groups]\n",
    "brackets": b"[" * 10_000_000,
    "brackets in a workflow": b"workflow:\n  name: a\n  tasks: " + b"[" * 10_000_000,
    "braces": b"workflow: " + b"{" * 10_000_000,
    "nested maps": b"workflow:\n  tasks: " + b"{a: " * 5_000,
    "dashes": b"workflow:\n  tasks:\n  " + b"- " * 1_000_000,
    "one long line": b"workflow:\n  name: " + b"a" * 20_000_000 + b"\n",
    "many keys": b"workflow:\n  tasks: []\n" + b"".join(b"  k%d: v\n" % n for n in range(100_000)),
    "alias bomb": bomb(12),
    "an alias to itself": b"workflow: &a\n  name: x\n  tasks: [*a]\n",
    "an alias to nothing": b"workflow:\n  name: x\n  tasks: *nothing\n",
    "a tag of Python": b"workflow:\n  name: !!python/object/apply:os.system ['echo hi']\n  tasks: []\n",
    "tabs": b"workflow:\n\tname: a\n\ttasks: []\n",
    "two documents": b"workflow:\n  name: a\n---\nworkflow:\n  name: b\n",
    "control characters": GOOD.replace("echo", "\x07\x1b[31m").encode(),
    "a huge range": template("{% for i in range(10**9) %}x{% endfor %}"),
    "a slow loop": template(LOOP),
    "a loop in a loop in a loop": template(LOOP.replace("{% endfor %}", LOOP + "{% endfor %}", 1)),
    "a long output": template("{% for i in range(99999) %}" + "x" * 5000 + "{% endfor %}"),
    "a power": template("{{ 9**(9**9) }}"),
    "a power of a variable": template("{{ (size * 1000) ** (10 ** 9) }}"),
    "a long text": template("{{ 'x' * 10**10 }}"),
    "a long list": template("{{ ([0] * 10**9) | length }}"),
    "a long join": template("{{ range(99999) | join('x' * 99999) }}"),
    "a wide format": template("{{ '%01000000000d' % 1 }}"),
    "a wide format by method": template("{{ '{:01000000000d}'.format(1) }}"),
    "a wide centre": template("{{ 'x' | center(10**10) }}"),
    "lorem ipsum": template("{{ lipsum(n=10**8) }}"),
    "classes": template("{{ ''.__class__.__mro__ }}"),
    "classes by a filter": template("{{ '' | attr('__class__') }}"),
    "globals": template("{{ lipsum.__globals__ }}"),
    "a macro that calls itself": template("{% macro f(n) %}{{ f(n + 1) }}{% endmacro %}{{ f(0) }}"),
    "two macros that call each other": template(
        "{% macro f(n) %}{{ g(n) }}{% endmacro %}{% macro g(n) %}{{ f(n) }}{{ f(n) }}{% endmacro %}{{ f(0) }}"
    ),
    "a loop that calls itself": template("{% for i in [[1]] recursive %}{{ loop([i]) }}{% endfor %}"),
    "a list that grows": template("{% set l = [1] %}{% for i in l %}{% if l.append(i) %}{% endif %}{% endfor %}"),
    "a list in itself": template("{% set l = [] %}{% if l.append(l) %}{% endif %}{{ l }}{{ l | tojson }}"),
    "many parentheses": template("{{ " + "(" * 20_000 + "1" + ")" * 20_000 + " }}"),
    "many operators": template("{{ 1" + " + 1" * 50_000 + " }}"),
    "many minus signs": template("{{ " + "-" * 50_000 + "1 }}"),
    "many opening braces": template("{{" * 100_000),
    "many blocks": template("{% if 1 %}" * 20_000),
    "an open comment": template("{#"),
    "an open raw block": template("{% raw %}"),
    "an include": template("{% include '/etc/passwd' %}"),
    "an undefined name": template("{{ nothing }}"),
    "a bad pattern": GOOD.replace("inputs: [{task: a}]", "inputs: [{task: a, regex: '(' }]").encode(),
    "a deep pattern": GOOD.replace("{task: a}", "{task: a, regex: '" + "(" * 9000 + ")" * 9000 + "'}").encode(),
    "a long number": GOOD.replace("size: 4", "size: " + "9" * 100_000).encode(),
    "a long exponent": GOOD.replace("[{task: a}]", "[{task: a}]\n    resource: 1.0e+999999999").encode(),
    "a long duration": section("  timeout: {exec_timeout: " + "9" * 9999 + "d}"),
    "an endless duration": section("  timeout: {exec_timeout: .inf}"),
    "a duration that is no number": section("  timeout: {exec_timeout: .nan}"),
    "a long number of cores": section("  resources: {default: {cpu: '" + "9" * 9999 + "'}}"),
    "a core that is no number": section("  resources: {default: {cpu: .inf}}"),
    "a long exit code": section("    exitActions: {FAIL: '" + "1" * 9999 + "'}"),
    "a slow exit code": section("    exitActions: {FAIL: '" + "1" * 60 + "x'}"),
    "a long quantity": section("  resources: {default: {memory: " + "9" * 9999 + "Gi}}"),
    "tokens that do not end": template("{{input:" * 100_000),
    "tokens above the first section": b"{{ " * 300_000 + b"\n" + GOOD.encode() + b"x: 1\n",
    "tokens in a default that do not end": (GOOD.replace("size: 4", "size: '" + "{{input:" * 50_000 + "'")).encode(),
    "blanks in a token of a default": (GOOD.replace("size: 4", "size: '{{input:" + " " * 200_000 + "'")).encode(),
    "many undefined names": template("".join(f"{{{{ n{n} }}}}" for n in range(5_000))),
    "many uses of an undefined name": template("{{ n }}" * 20_000),
    "many tags above a fault": template("{% if 1 %}{% endif %}" * 10_000 + "{{ n }}"),
    "many unknown tasks": section("  - {name: b, image: x, command: [sh], inputs: [" + "{task: zz}, " * 20_000 + "]}"),
}
FINE = {
    "line ends of Windows": GOOD.replace("\n", "\r\n").encode(),
    "a byte order mark": b"\xef\xbb\xbf" + GOOD.encode(),
    "both": b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode(),
    "no newline at the end": GOOD.rstrip().encode(),
    "characters beyond the basic plane": GOOD.replace("echo", "echo \N{PILE OF POO}").encode(),
    "many blank lines": GOOD.encode() + b"\n" * 200_000,
    "blank lines above": b"\n" * 200_000 + GOOD.encode(),
    "variables that do not end": GOOD.replace('"cat"', '"cat", "' + "$(" * 100_000 + '"').encode(),
    "private characters": GOOD.replace("echo", "echo \ue0000\ue001 \ue000").encode(),
}


@attrs.frozen
class Ended:
    """What a run of the program left."""

    code: int
    out: str
    err: str
    seconds: float
    megabytes: float
    """By how much it grew."""

    def check(self, *codes: int) -> None:
        assert self.code in codes, self.err
        assert "error[PWX" in self.err
        assert "PWX0999" not in self.err
        assert "Traceback" not in self.err
        assert len(self.err) < 100_000
        assert self.out == ""
        assert self.seconds < SECONDS
        assert self.megabytes < MEGABYTES


def run(folder: Path, *words: str, stdin: bytes = b"") -> Ended:
    """Run the command line in a fork, which saves the start of an interpreter."""
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        given.write(stdin)
        given.seek(0)
        return _fork((given, out, err), folder, list(words))


def _fork(streams: tuple[Any, ...], folder: Path, words: list[str]) -> Ended:
    started = time.perf_counter()
    # a fork begins with what the tests before it have left in memory
    before = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    child = os.fork()
    if child == 0:
        code = 99
        try:
            for number, stream in enumerate(streams):
                os.dup2(stream.fileno(), number)
            os.chdir(folder)
            sys.stdin, sys.stdout, sys.stderr = (open(n, mode) for n, mode in enumerate("rww"))  # noqa: PTH123, SIM115
            code = int(cli.main(words) or 0)
            sys.stdout.flush()
            sys.stderr.flush()
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
        finally:
            os._exit(code)
    _, status, usage = os.wait4(child, 0)
    seconds = time.perf_counter() - started
    for stream in streams[1:]:
        stream.seek(0)
    said = [stream.read().decode() for stream in streams[1:]]
    return Ended(os.waitstatus_to_exitcode(status), *said, seconds, usage.ru_maxrss / 1024 - before)


@pytest.mark.parametrize("name", FILES)
def test_a_bad_file_is_refused(name, tmp_path):
    (tmp_path / "wf.yaml").write_bytes(FILES[name])
    ended = run(tmp_path, "compile", "wf.yaml", "--from", "osmo", "--to", "pw", "-o", "out.yaml")
    ended.check(1, 2)
    assert [path.name for path in tmp_path.iterdir()] == ["wf.yaml"]


OPENINGS = (
    "(",
    "( ",
    "((",
    "$(",
    "$((",
    "${",
    "[[ ",
    "{ ",
    '"$(',
    "`$(",
    "if x; then ",
    "while x; do ",
    "case x in a) ",
)
REPEATED = (
    *OPENINGS,
    "<<E ",
    "srun a | ",
    "srun a && ",
    "f() { ",
    "'",
    "srun ",
    "module load a; ",
    "sbatch $(",
    "$((1+",
)


@pytest.mark.parametrize("text", REPEATED)
def test_a_script_that_opens_over_and_over_takes_no_time(text, tmp_path):
    (tmp_path / "job.sbatch").write_text("#!/bin/bash\n#SBATCH -t 5\nsrun a\n" + text * 10_000)
    ended = run(tmp_path, "compile", "job.sbatch", "--to", "osmo", "-o", "out/", "--option", "osmo.image=x", "--lossy")
    assert ended.code in (0, 1)
    assert "Traceback" not in ended.err
    assert "PWX0999" not in ended.err
    assert ended.seconds < SECONDS
    assert ended.megabytes < MEGABYTES


@pytest.mark.parametrize("name", FINE)
def test_a_file_with_odd_letters_is_read(name, tmp_path):
    (tmp_path / "wf.yaml").write_bytes(FINE[name])
    ended = run(tmp_path, "compile", "wf.yaml", "--to", "pw")
    assert ended.code == 0, ended.err
    assert "'on':" in ended.out
    assert ended.seconds < SECONDS


@pytest.mark.parametrize(
    "name", ["empty", "binary", "brackets", "alias bomb", "a slow loop", "a list at the top", "blanks", "many keys"]
)
def test_without_the_name_of_a_system_it_is_refused_too(name, tmp_path):
    run(tmp_path, "compile", "-", "--to", "pw", stdin=FILES[name]).check(1, 2)


@pytest.mark.parametrize("name", ["brackets", "alias bomb", "a slow loop", "a macro that calls itself", "a long text"])
def test_a_process_of_its_own_is_as_quick_and_small(name, tmp_path):
    program = (
        "import resource, sys\n"
        "from pwxc.cli import main\n"
        "code = main()\n"
        "print('memory', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)\n"
        "sys.exit(code)"
    )
    environment = {**os.environ, "PYTHONPATH": PATHS, "NO_COLOR": "1"}
    (tmp_path / "wf.yaml").write_bytes(FILES[name])
    words = ("compile", "wf.yaml", "--from", "osmo", "--to", "pw", "-o", "out.yaml")
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", program, *words],
        capture_output=True, env=environment, timeout=120, check=False, cwd=tmp_path,
    )  # fmt: skip
    seconds = time.perf_counter() - started
    err, _, memory = done.stderr.decode().rpartition("memory ")
    Ended(done.returncode, done.stdout.decode(), err, seconds, int(memory) / 1024).check(1, 2)
    assert [path.name for path in tmp_path.iterdir()] == ["wf.yaml"]


@pytest.mark.parametrize("path", ["a folder", "none.yaml", "none/none.yaml", "n\0l.yaml", "x" * 5000])
def test_what_is_no_file_is_a_wrong_usage(path, tmp_path):
    (tmp_path / "a folder").mkdir()
    compiled = pwxc.compile(tmp_path / path, to="pw")
    assert [item.code.id for item in compiled.diagnostics] == ["PWX0001"]
    if "\0" not in path:
        ended = run(tmp_path, "compile", path, "--from", "osmo", "--to", "pw", "-o", "out.yaml")
        ended.check(2)
        assert [found.name for found in tmp_path.iterdir()] == ["a folder"]


def test_a_local_file_may_be_as_bad(tmp_path):
    spec = GOOD.replace('contents: |\n        echo "$SIZE" > {{output}}/x', "localpath: script")
    assert "localpath" in spec
    source = tmp_path / "wf.yaml"
    source.write_text(spec)
    script = tmp_path / "script"
    calls_itself = b"{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}"
    for content in (b"\xff\xfe\0", b"{{ ''.__class__ }}", LOOP.encode(), b"{{" * 10_000, calls_itself):
        script.write_bytes(content)
        compiled = pwxc.compile(source, to="pw", origin="osmo", lossy=True)
        assert not compiled.ok
        assert [item.severity.name for item in compiled.diagnostics].count("ERROR") == 1
    script.unlink()
    script.mkdir()
    assert [item.code.id for item in pwxc.compile(source, to="pw", origin="osmo").diagnostics] == ["PWX2134"]


WORDS = """
{{ }} {% %} {# [ ] { } : - ' " | >- &a *a <<: !! ? , ~ \\ {{output}} {{input:0}} <<output>> {{host:a}} $(SIZE) $$ null
/osmo/data/output true 0x 1e9 {{size}} {%endfor%} é 010 .inf 2024-01-02 !!python/name:x 9-1 s3:// s3://b {{input:
"""
PIECES = WORDS.split()
PIECES += [" ", "\n", "\t", "\r", "\0", "\x85", "\u2028", "\ue0000\ue001", "\N{PILE OF POO}", "- ", "? ", "# "]
PIECES += ["workflow:\n", "groups: []\n", "default-values:\n", "{% for i in range(size) %}"]
RICH = """\
workflow:
  name: w
  labels: {team: a}
  groups:
  - name: g
    ignoreNonleadStatus: false
    tasks:
    - name: a
      lead: true
      image: ubuntu:22.04
      command: [bash, -c, "echo $(SIZE) {{size}} > {{output}}/x"]
      environment: {SIZE: "{{size}}", PEER: "{{host:b}}"}
      credentials: {c: {TOKEN: key}, d: /secrets}
      exitActions: {COMPLETE: "0-3,7", RESCHEDULE: 137}
      checkpoint: [{path: "{{output}}", url: "s3://b/{{workflow_id}}", frequency: 5m}]
    - {name: b, image: x, command: [sh], resource: big, volumeMounts: [/a:/b], hostNetwork: true}
  - name: h
    tasks:
    - name: c
      image: x
      command: [cat, "{{input:a}}/x", /osmo/data/input/1/y]
      inputs: [{task: a, regex: ".*x"}, {url: "gs://b/c"}, {dataset: {name: d}}]
      outputs: [{url: "s3://b/{{name}}"}]
      files: [{path: /tmp/f, contents: "{% for i in range(2) %}{{i}}{{name}}{% endfor %}"}]
  resources:
    default: {cpu: "{{size}}", memory: "{{size}}Gi", topology: [{key: rack}]}
    big: {gpu: 1, platform: "{{name}}", nodesExcluded: [n1]}
  timeout: {exec_timeout: 2h, queue_timeout: PT1H}
default-values: {size: 4, name: n, unused: {a: [1, 2]}}
"""
MUTATIONS = st.lists(
    st.tuples(
        st.sampled_from(["cut", "insert", "double", "swap"]),
        st.integers(0, len(RICH)),
        st.integers(0, 40),
        st.sampled_from(PIECES),
    ),
    min_size=1,
    max_size=5,
)


def mutate(text: str, changes: list[tuple[str, int, int, str]]) -> str:
    for kind, at, length, piece in changes:
        end = at + length
        if kind == "cut":
            text = text[:at] + text[end:]
        elif kind == "insert":
            text = text[:at] + piece + text[at:]
        elif kind == "double":
            text = text[:end] + text[at:end] + text[end:]
        else:
            text = text[:at] + piece + text[end:]
    return text


@settings(max_examples=200, deadline=None)
@given(MUTATIONS)
@example([])
@example([("insert", 0, 0, "\ue0000\ue001")])
@example([("insert", RICH.index("echo"), 0, "\ue0000\ue001 ")])
@example([("swap", RICH.index("[bash"), len('[bash, -c, "echo $(SIZE) {{size}} > {{output}}/x"]'), "null")])
def test_a_changed_file_is_read_or_refused_and_never_raises(changes):
    text = mutate(RICH, changes)
    compiled = pwxc.compile(text + "\n", to="pw", origin="osmo", lossy=True)
    errors = [item for item in compiled.diagnostics if item.severity.name == "ERROR"]
    assert compiled.ok != bool(errors)
    for item in compiled.diagnostics:
        if item.span is not None:
            span = item.span.resolve()
            assert 0 <= span.start <= span.end <= len(span.source.text)
