"""Compile the examples to every installed system that can write, and show what comes out."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from pwxc import registry

EXAMPLES = Path(__file__).parent / "examples"
REFUSED = 3


def main() -> int:
    """Show every example in every system; gives 1 if one of them could not be compiled."""
    writers = [target for target in registry.all_targets() if target.write is not None]
    if not writers:
        print("no installed system can write yet")
    failed = [
        f"{example.name} to {target.name}"
        for example in sorted(EXAMPLES.glob("*.yaml"))
        for target in writers
        if not show(example, target.name)
    ]
    if failed:
        print("could not be compiled:", ", ".join(failed))
    return 1 if failed else 0


def show(example: Path, system: str) -> bool:
    """Compile one example, and show the commands, the messages and the files."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["compile", str(example.relative_to(Path.cwd())), "--to", system]
        code = run(words, folder)
        if code == REFUSED:
            code = run([*words, "--lossy"], folder)
        for path in sorted(Path(folder).rglob("*")):
            if path.is_file():
                print(f"\n--- {path.relative_to(folder)}\n")
                print(path.read_text(), end="")
        print()
        return code == 0


def run(words: list[str], folder: str) -> int:
    """Run `pwxc`, saying so."""
    print(f"\n$ pwxc {' '.join(words)} -o {words[3]}/", flush=True)
    return subprocess.run([sys.executable, "-m", "pwxc", *words, "-o", f"{folder}/"], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
