"""The program as a process of its own: start, interrupts, pipes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pwxc import __version__

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PATHS = os.pathsep.join(str(path) for path in (ROOT, ROOT / "grammars", ROOT / "targets", HERE))
WITH_TOY = """
import sys
from toy_system import TOY, Point
from pwxc import registry
registry._entry_points = lambda: {"toy": Point(TOY)}
from pwxc.cli import main
sys.exit(main())
"""


def start(*words: str, **more) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": PATHS, "NO_COLOR": "1", **more.pop("env", {})}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | more
    return subprocess.Popen([sys.executable, *words], env=environment, **pipes)


def run(*words: str, stdin: bytes = b"", **more) -> tuple[int, bytes, bytes]:
    process = start(*words, **more)
    out, err = process.communicate(stdin, timeout=60)
    return process.returncode, out, err


@pytest.mark.parametrize("switch", ["--version", "-V"])
def test_version_imports_next_to_nothing(switch):
    program = (
        "import sys; before = set(sys.modules); from pwxc.cli import main; code = main(sys.argv[1:]);"
        "print(*sorted(set(sys.modules) - before)); sys.exit(code)"
    )
    code, out, err = run("-c", program, switch)
    version, modules = out.decode().splitlines()
    assert (code, version, err) == (0, f"pwxc {__version__}", b"")
    heavy = {"attr", "attrs", "click", "yaml", "lark", "rich", "cattrs", "jinja2", "importlib.metadata", "re"}
    assert not heavy & {name.split(".")[0] for name in modules.split()}


def test_the_module_runs_as_a_program():
    assert run("-m", "pwxc", "--version") == (0, f"pwxc {__version__}\n".encode(), b"")


def test_the_list_of_commands_imports_no_command():
    program = "import sys; from pwxc.cli import main; main(['--help']); print('pwxc.compiler' in sys.modules)"
    assert run("-c", program)[1].endswith(b"False\n")


def test_an_interrupt_is_quiet():
    process = start("-u", "-c", f"import sys\nprint('up')\n{WITH_TOY}", "compile", "-", "--to", "toy")
    assert process.stdout.readline() == b"up\n"
    wait_for_read(process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, b"", b"")


def wait_for_read(process: subprocess.Popen[bytes]) -> None:
    """Wait until the process sleeps in a read of standard input."""
    for _ in range(400):
        if Path(f"/proc/{process.pid}/wchan").exists() and "pipe" in read_or_empty(f"/proc/{process.pid}/wchan"):
            return
        try:
            process.wait(0.025)
        except subprocess.TimeoutExpired:
            continue
        return


def read_or_empty(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""


def test_a_closed_pipe_is_quiet():
    source = b"# toy\n" + b"".join(b"task%d: something that fills the pipe\n" % number for number in range(20_000))
    process = start("-c", WITH_TOY, "compile", "-", "--to", "toy")
    process.stdout.close()
    _, err = process.communicate(source, timeout=60)
    assert (process.returncode, err) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_behind_standard_output_is_told():
    with Path("/dev/full").open("wb") as full:
        code, _, err = run("-c", WITH_TOY, "compile", "-", "--to", "toy", stdin=b"# toy\na: x\n", stdout=full)
    assert code == 2
    assert b"No space left on device" in err
    assert b"Traceback" not in err


def test_output_is_utf_8_whatever_the_locale_says():
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}
    source = "# toy\na: größe\nurgent\N{SNOWMAN}: x\n".encode()
    code, out, err = run("-c", WITH_TOY, "compile", "-", "--to", "toy", "--lossy", stdin=source, env=plain)
    assert (code, out) == (0, source)
    assert "`urgent\N{SNOWMAN}` has a priority".encode() in err


def test_colours_are_for_terminals_only():
    code, _, err = run("-c", WITH_TOY, "compile", "-", "--to", "toy", stdin=b"# toy\na\n", env={"NO_COLOR": ""})
    assert code == 1
    assert b"\x1b" not in err


def test_colours_on_a_terminal_unless_refused():
    pty = pytest.importorskip("pty")
    for refuse, expected in (("", True), ("1", False)):
        master, slave = pty.openpty()
        process = start("-c", WITH_TOY, "compile", "-", "--to", "toy", stderr=slave, env={"NO_COLOR": refuse})
        process.communicate(b"# toy\na\n", timeout=60)
        os.close(slave)
        shown = os.read(master, 65536)
        os.close(master)
        assert b"PWX2901" in shown
        assert (b"\x1b[1;31m" in shown) is expected
