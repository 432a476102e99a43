"""`make fuzz`: look for a long time for what breaks a promise.

First texts for each reader, guided by the lines that they reach; then the properties of whole workflows with many more
examples. What is found is written to files in `fuzz-found`, made as small as possible.
"""

# ruff: noqa: T201

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "grammars"), str(ROOT / "targets")]

from tests.fuzz.guided import search, seeds  # noqa: E402
from tests.fuzz.promises import SUFFIXES, reader_check  # noqa: E402

MEMORY = 3 * 2**30
"""Bytes that the process may have."""
FOUND = ROOT / "fuzz-found"


def fuzz_reader(system: str, seconds: float, seed: int) -> int:
    """Look for texts that break a reader's promise; gives how many kinds of fault were found."""
    until, count = time.monotonic() + seconds, 0
    texts = seeds(system, SUFFIXES[system])
    for text, fault in search(reader_check(system), texts, lambda: time.monotonic() < until, seed):
        count += 1
        FOUND.mkdir(exist_ok=True)
        path = FOUND / f"{system}-{seed}-{count}.txt"
        path.write_text(text, errors="surrogatepass")
        print(f"{system}: {fault}\n  {path}", flush=True)
    return count


def main(seconds: float) -> int:
    """Spend half the time on texts and half on whole workflows."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    seed = int(os.environ.get("FUZZ_SEED", str(int(time.time()))))
    print(f"FUZZ_SEED={seed}", flush=True)
    found = sum(fuzz_reader(system, seconds / 2 / len(SUFFIXES), seed) for system in SUFFIXES)
    tests = [str(ROOT / "tests" / "contract" / "test_contract_workflows.py")]
    environment = {**os.environ, "PWXC_FUZZ": str(max(25, int(seconds / 4)))}
    environment.pop("CI", None)
    command = [sys.executable, "-m", "pytest", "-q", f"--hypothesis-seed={seed}", *tests]
    failed = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode != 0
    return 1 if found or failed else 0


if __name__ == "__main__":
    raise SystemExit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 600))
