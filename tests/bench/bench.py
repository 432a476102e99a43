"""Measure speed and memory against PyYAML's C loader and dumper, and the start against a bare interpreter.

Every measurement runs in a process of its own, with the collector as Python ships it and with compiled modules on
disk, as an installed program has them. Time is that of the processor. What is printed are ratios: seconds say more
about the machine than about pwxc. Nothing here is a test.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

SIZES = (10, 1_000, 10_000)
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""Of every process that is measured, pwxc's and the others alike."""
HEAD = """workflow:
  name: bench
  resources:
    default: {cpu: 1, memory: 1Gi, storage: 1Gi}
    large:
      cpu: 8
      gpu: 1
      memory: 32Gi
      storage: 100Gi
  tasks:
"""
TASK = """  - name: task-{number}
    image: registry.example.com/team/image:1.{number}
    resource: {resource}
    command: [bash]
    args: [/tmp/entry.sh, --index, "{number}"]
    environment:
      INDEX: "{number}"
      MODE: train
    files:
    - path: /tmp/entry.sh
      contents: |
        set -eu
        echo "task {number} of the bench"
        cp -r /opt/data "{{{{output}}}}/data-{number}"
{reads}    outputs:
    - url: s3://bucket/bench/{number}
"""
READS = """    inputs:
    - task: task-{parent}
"""
DEFAULTS = """
default-values:
  unused: 1
"""


def generate(tasks: int) -> str:
    """Give an OSMO workflow with this many tasks; all but every tenth one read from an earlier task."""
    return HEAD + "".join(_tasks(tasks)) + DEFAULTS


def _tasks(count: int) -> Iterator[str]:
    for number in range(count):
        reads = READS.format(parent=number - 1 - number % 7 % max(number, 1)) if number % 10 else ""
        yield TASK.format(number=number, resource="large" if number % 3 else "default", reads=reads)


def measure_compile(text: str, to: str) -> Callable[[], object]:
    """Give the work of one compilation, with all imports behind it."""
    import pwxc

    def work() -> object:
        result = pwxc.compile(text, to=to, origin="osmo", lossy=True)
        if not result.files:
            raise SystemExit(f"the bench does not compile: {result.diagnostics[:3]}")
        return result

    pwxc.compile(generate(2), to=to, origin="osmo", lossy=True)
    return work


def measure_yaml(text: str, to: str) -> Callable[[], object]:
    """Give the work of the yardstick: load the same text and dump what was loaded."""
    import yaml

    def work() -> object:
        return yaml.dump(yaml.load(text, Loader=yaml.CSafeLoader), Dumper=yaml.CSafeDumper)

    yaml.dump(yaml.load(generate(2), Loader=yaml.CSafeLoader), Dumper=yaml.CSafeDumper)
    return work


CHILDREN = {"compile": measure_compile, "yaml": measure_yaml}


def peak() -> int:
    """Give the most memory this process has had, in bytes.

    `ru_maxrss` begins with what the parent had before it started this program; the kernel's own mark does not.
    """
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise SystemExit("the kernel does not tell the peak of memory")


def child(what: str, path: str, to: str) -> None:
    """Do one piece of work and print its seconds and bytes."""
    work = CHILDREN[what](Path(path).read_text(), to)
    before = peak()
    start = time.process_time()
    result = work()
    seconds = time.process_time() - start
    print(json.dumps({"seconds": seconds, "bytes": peak() - before}))
    del result


def run_children(path: Path, to: str, times: int) -> dict[str, tuple[float, float]]:
    """Give the least seconds and the median bytes of each kind of work.

    They take turns, and the least counts, because whatever else the machine does only ever adds.
    """
    runs: dict[str, list[dict[str, float]]] = {what: [] for what in CHILDREN}
    for _ in range(times):
        for what, found in runs.items():
            words = [sys.executable, __file__, "--child", what, str(path), "--to", to]
            found.append(json.loads(run_quietly(words)))
    return {
        what: (min(run["seconds"] for run in found), statistics.median(run["bytes"] for run in found))
        for what, found in runs.items()
    }


def run_quietly(words: list[str]) -> str:
    """Run a program and give what it prints."""
    return subprocess.run(words, check=True, capture_output=True, text=True, env=ENVIRONMENT).stdout


def clock(programs: dict[str, list[str]], times: int = 15) -> dict[str, float]:
    """Give the least seconds of programs, from start to end; they take turns, and each has run once before."""
    seconds: dict[str, list[float]] = {name: [] for name in programs}
    for words in programs.values():
        run_quietly(words)
    for _ in range(times):
        for name, words in programs.items():
            start = spent()
            subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ENVIRONMENT)
            seconds[name].append(spent() - start)
    return {name: min(found) for name, found in seconds.items()}


def spent() -> float:
    """Give the seconds that the processes which have ended have used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def row(name: str, value: float, goal: float | None, detail: str) -> None:
    """Print a line of the table."""
    verdict = "" if goal is None else ("ok" if value <= goal else "MISSED")
    print(
        f"{name:<42} {value:>7.2f}  {f'≤ {goal:g}' if goal is not None else '':>6}  {verdict:<6}  {detail}", flush=True
    )


def sizes(folder: Path, to: str) -> dict[int, Path]:
    """Measure each size and print it; gives the files."""
    paths, seconds = {}, {}
    for size in SIZES:
        paths[size] = folder / f"{size}.yaml"
        paths[size].write_text(generate(size))
        measured = run_children(paths[size], to, 3 if size >= SIZES[-1] else 5)
        (ours, our_bytes), (theirs, their_bytes) = measured["compile"], measured["yaml"]
        seconds[size] = ours
        shown = f"{ours * 1000:.1f} ms against {theirs * 1000:.1f} ms"
        row(f"compile {size:,} tasks / load + dump", ours / theirs, 2 if size > SIZES[0] else None, shown)
        if size > SIZES[0]:
            shown = f"{our_bytes / 2**20:.1f} MiB against {their_bytes / 2**20:.1f} MiB"
            row(f"memory of {size:,} tasks / load + dump", our_bytes / max(their_bytes, 1), 1.5, shown)
    row("growth from 1,000 to 10,000 tasks", seconds[10_000] / seconds[1_000], 13, "10 is linear")
    return paths


def starts(paths: dict[int, Path], to: str) -> None:
    """Measure programs from start to end and print it."""
    script = Path(sys.executable).with_name("pwxc")
    program = [str(script)] if script.exists() else [sys.executable, "-m", "pwxc"]
    seconds = clock(
        {
            "bare": [sys.executable, "-c", "pass"],
            "version": [*program, "--version"],
            "small": [*program, "compile", str(paths[10]), "--to", to, "--lossy"],
        }
    )
    bare, version, small = seconds.values()
    row("pwxc --version / python -c pass", version / bare, 3, f"{version * 1000:.1f} ms against {bare * 1000:.1f} ms")
    row("pwxc compile 10 tasks / python -c pass", small / bare, 15, f"{small * 1000:.1f} ms")


def main() -> None:
    """Print the table, or be one of the processes that it is made from."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", default="pw", help="the system to compile for")
    parser.add_argument("--child", nargs=2, metavar=("WHAT", "FILE"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        child(*given.child, given.to)
        return
    print(f"{'measured':<42} {'ratio':>7}  {'goal':>6}  {'':<6}  osmo to {given.to}")
    with tempfile.TemporaryDirectory() as folder:
        starts(sizes(Path(folder), given.to), given.to)


if __name__ == "__main__":
    main()
