"""A folder that the compiler wrote, run by a small Slurm: each script really runs, but time is counted, not waited for.

The commands of the tasks are calls of `probe TASK INDEX STEP`, which ends as the facts of the world say and notes the
attempt. What comes out is a history as `tests/slurm/predicted.py` compares it with the machine.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import attrs

from pwxc.semantics.environment import Result, Scenario
from pwxc.semantics.trace import Instance, State
from tests.slurm.predicted import History
from tests.slurm.predicted import Job as Past
from tests.witnesses.slurm_calls import noted, prepare
from tests.witnesses.slurm_witness import Cluster, Job

_AGAIN = re.compile(r"^exit code \d+: attempt \d+ follows$", re.MULTILINE)
EPOCH = datetime(2026, 1, 1)
"""When a run begins."""
_SHOWN = {
    State.SUCCEEDED: "COMPLETED",
    State.FAILED: "FAILED",
    State.TIMED_OUT: "TIMEOUT",
    State.CANCELLED: "CANCELLED before it ran",
    None: "PENDING",
}
_ATTEMPTS = 8
"""How many attempts of a step have a code of their own; later ones end as the last of them."""
_PROBE = r"""
unset -f sleep
probe() {
  local key="$1.$2.$3" number=0 codes=()
  if [[ -f $NOTES/tried.$key ]]; then number=$(<"$NOTES/tried.$key"); fi
  printf '%s\n' "$((number + 1))" >"$NOTES/tried.$key"
  printf '%s\n' "$1 $2 $3 $number" >>"$NOTES/ran.$SLURM_JOB_ID"
  if [[ -f $NOTES/codes.$key ]]; then read -ra codes <"$NOTES/codes.$key"; else return 0; fi
  if ((number >= ${#codes[@]})); then number=$((${#codes[@]} - 1)); fi
  return "${codes[number]}"
}
scontrol() {
  if [[ $1 == requeue ]]; then : >"$NOTES/requeued.$2"; fi
  if [[ $1 == show && $2 == hostnames ]]; then printf 'n%s\n' 1 2 3 4; fi
}
srun() { while [[ $1 == --* ]]; do shift; done; "$@"; }
export -f probe
"""


@attrs.define
class Folder:
    """A run of a folder in a world, as far as it has gone."""

    folder: Path
    world: Scenario
    steps: Mapping[str, int]
    """How many steps each task has."""
    run: Path = attrs.field(init=False)
    notes: Path = attrs.field(init=False)
    environment: dict[str, str] = attrs.field(init=False)
    attempts: dict[int, int] = attrs.field(factory=dict)

    def __attrs_post_init__(self) -> None:
        self.run, self.notes = self.folder / "run", self.folder / "notes"
        self.environment = {**os.environ, **prepare(self.notes)}

    def history(self, *arguments: str) -> History:
        """Submit, let the jobs run, and tell what became of them."""
        submit = [str(self.folder / "submit.sh"), "--run-dir", str(self.run), *arguments]
        done = self._bash(submit, self.environment)
        if done.returncode:
            raise AssertionError(f"the submit script ended with {done.returncode}: {done.stderr}")
        calls = noted(self.notes, self.environment)
        released = [int(n) for n in re.findall(r"\d+", self._control()) if int(n) in {call.number for call in calls}]
        with (self.notes / "commands.sh").open("a") as commands:
            commands.write(_PROBE)
        self._write_codes()
        cluster = Cluster(calls, self._run, decided=False, released=released)
        cluster.play()
        return self._history(cluster)

    def _control(self) -> str:
        path = self.notes / "control"
        lines = path.read_text().splitlines() if path.exists() else []
        return " ".join(line for line in lines if line.startswith("release "))

    def _bash(self, words: list[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", *words], cwd=self.folder, env=environment, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    def _write_codes(self) -> None:
        for task, count in self.steps.items():
            for index in (None, *range(32)):
                for step in range(count):
                    instance = Instance(task, index)
                    codes = [self.world.result(instance, step, attempt).code for attempt in range(_ATTEMPTS)]
                    if any(codes):
                        key = f"{task}.{'-' if index is None else index}.{step}"
                        (self.notes / f"codes.{key}").write_text(" ".join(map(str, codes)) + "\n")

    def _run(self, job: Job) -> Result:
        """Run the script of a job, again when it puts itself back into the queue."""
        call, number = job.call, id(job)
        script = self.notes / f"{call.number}.script"
        script.write_text(call.script)
        environment = {**self.environment, "SLURM_JOB_ID": str(number), "SLURM_JOB_NODELIST": "n[1-4]"}
        if job.index is not None:
            environment |= {"SLURM_ARRAY_TASK_ID": str(job.index), "SLURM_ARRAY_JOB_ID": str(call.number)}
        again, again_inside = -1, 0
        while True:
            again += 1
            environment["SLURM_RESTART_COUNT"] = str(again)
            done = self._bash([str(script), *call.arguments], environment)
            again_inside += len(_AGAIN.findall(done.stderr))
            mark = self.notes / f"requeued.{number}"
            if not mark.exists():
                break
            mark.unlink()
        self.attempts[number] = 1 + again_inside
        return Result(done.returncode, self._duration(self.notes / f"ran.{number}"))

    def _duration(self, ran: Path) -> float:
        total = 0.0
        for line in ran.read_text().splitlines() if ran.exists() else ():
            task, index, step, attempt = line.split(" ")
            instance = Instance(task, None if index == "-" else int(index))
            total += self.world.result(instance, int(step), int(attempt)).duration
        return total

    def _history(self, cluster: Cluster) -> History:
        marks = {path.name: path.read_text().strip() for path in (self.run / "state").iterdir()}
        lines = (self.run / "submitted.tsv").read_text().splitlines() if (self.run / "submitted.tsv").exists() else []
        titles = {int(number): (slug, title) for slug, number, title in (line.split("\t")[:3] for line in lines)}
        # jobs that only help others to wait are not listed
        past = [self._past(job, *titles[job.call.number], marks) for job in cluster.tasks if job.call.number in titles]
        named = {slug for slug, _ in titles.values()}
        left = {slug: mark for slug, mark in marks.items() if not named & {slug, slug.rpartition(".")[0]}}
        return History(tuple(past), left)

    def _past(self, job: Job, slug: str, title: str, marks: Mapping[str, str]) -> Past:
        index = None if job.index is None else job.index + int(job.call.arguments[-1])
        state, began = _SHOWN[job.state], job.began
        if marks.get(slug if index is None else f"{slug}.{index}") == "skipped" and state == "COMPLETED":
            state, began = "skipped", None
        attempts = self.attempts.get(id(job), 1)
        return Past(title, index, state, _moment(began), _moment(job.ended), attempts)


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else EPOCH + timedelta(seconds=seconds)
