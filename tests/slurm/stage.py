"""A folder with the scripts of a workflow and with stand-ins for Slurm, which write down how they are called."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import attrs

from pwxc.ir.task import Task
from pwxc.ir.workflow import Workflow
from tests.slurm.flows import note, put, task, written

SBATCH = r"""#!/bin/bash
number=100
if [[ -f $PLACE/number ]]; then read -r number <"$PLACE/number"; fi
number=$((number + 1))
echo "$number" >"$PLACE/number"
for word; do
  folder=${word#--output=}
  folder=${folder%/*}
  if [[ $word == --output=/*.out && ! -d ${folder//%%/%} ]]; then exit 9; fi
done
{ printf '%s\037' "$@"; printf '\036'; } >>"$PLACE/calls"
if [[ $number == "${FAILS-}" ]]; then echo 'sbatch: error: refused' >&2; exit 1; fi
if [[ -n ${SLOW-} ]]; then touch "$PLACE/sleeping"; sleep "$SLOW"; fi
echo "$number;cluster"
"""
OTHER = """#!/bin/bash
{ printf '%s\\037' "${0##*/}" "$@"; printf '\\036'; } >>"$PLACE/others"
if [[ ${0##*/} == squeue && -f $PLACE/queue ]]; then cat "$PLACE/queue"; fi
"""


@attrs.frozen
class Stage:
    """A folder with the scripts and stand-ins for Slurm's commands."""

    folder: Path
    submit: Path

    def environment(self, **more: str) -> dict[str, str]:
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        return {**os.environ, "PATH": path, "PLACE": str(self.folder), "PWXC_PAUSE": "0.05", **more}

    def __call__(self, *words: str, code: int | None = 0, **more: str) -> str:
        done = subprocess.run(
            [str(self.submit), *words], capture_output=True, text=True, check=False, timeout=60,
            env=self.environment(**more), cwd=self.folder,
        )  # fmt: skip
        assert code is None or done.returncode == code, done.stderr
        return done.stdout + done.stderr

    def calls(self, name: str = "calls") -> list[list[str]]:
        path = self.folder / name
        if not path.exists():
            return []
        return [call.split("\x1f")[:-1] for call in path.read_text().split("\x1e")[:-1]]

    def others(self, command: str) -> list[list[str]]:
        return [call[1:] for call in self.calls("others") if call[0] == command]

    def options(self, name: str) -> dict[str, str]:
        """The options of the latest submission of a job, by its name in files."""
        return self.all_options(name)[-1]

    def all_options(self, name: str) -> list[dict[str, str]]:
        """The options of each submission of a job."""
        return [
            dict(word.partition("=")[::2] for word in call if word.startswith("--"))
            for call in self.calls()
            if any(word.endswith(f"/{name}.sbatch") for word in call)
        ]

    def queue(self, *lines: str) -> None:
        (self.folder / "queue").write_text("".join(f"{line}\n" for line in lines))

    def tell(self, run: str, **states: str) -> None:
        for name, state in states.items():
            (self.folder / run / "state" / name.replace("__", ".")).write_text(f"{state}\n")


@attrs.frozen
class StageMaker:
    folder: Path

    def __call__(self, workflow: Workflow, **options: str) -> Stage:
        programs = self.folder / "bin"
        programs.mkdir(exist_ok=True)
        for name in ("sbatch", "scancel", "scontrol", "squeue"):
            (programs / name).write_text(SBATCH if name == "sbatch" else OTHER)
            (programs / name).chmod(0o755)
        return Stage(self.folder, put(written(workflow, **options), self.folder / "out"))


def chain(*names: str) -> tuple[Task, ...]:
    return tuple(task(name, *note(name), needs=names[at - 1 : at] if at else ()) for at, name in enumerate(names))
