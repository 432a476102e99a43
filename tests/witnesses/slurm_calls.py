"""Drivers run by bash itself, with an `sbatch` that only takes notes: what a driver submits, without reading it.

The commands of Slurm are shell functions that every bash of the run gets from `BASH_ENV`; nothing is scheduled.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import attrs

FIRST = 100
"""The number of the first submission."""
_TOOLS = ("awk", "basename", "cat", "cut", "dirname", "grep", "head", "mkdir", "sed", "seq", "sort", "tail", "tr", "wc")
_FLAGS = frozenset({
    "parsable", "hold", "wait", "quiet", "exclusive", "requeue", "no-requeue", "contiguous", "overcommit", "nice",
    "oversubscribe", "spread-job", "reboot", "use-min-nodes", "get-user-env", "no-kill", "propagate", "ignore-pbs",
    "test-only", "verbose", "H", "W", "Q", "v", "O", "s", "k",
})  # fmt: skip
_SHORT = {
    "J": "job-name", "d": "dependency", "a": "array", "t": "time", "H": "hold", "p": "partition", "A": "account",
    "o": "output", "e": "error", "n": "ntasks", "N": "nodes", "c": "cpus-per-task", "D": "chdir", "W": "wait",
    "Q": "quiet",
}  # fmt: skip
_NOTES = r"""
sbatch() {
  local number word script='' parsable='' expects=''
  number=$(<"$NOTES/count")
  printf '%s\n' "$((number + 1))" >"$NOTES/count"
  printf '%s\0' "$@" >"$NOTES/$number.words"
  printf '%s\n' "$PWD" >"$NOTES/$number.folder"
  declare -px >"$NOTES/$number.variables"
  for word in "$@"; do
    if [[ -n $expects ]]; then expects=''; continue; fi
    case $word in --parsable) parsable=1 ;; --wrap | --wrap=*) script=$word ;; esac
    case $word in
      --*=*) ;;
      --*) if [[ " $FLAGS " != *" ${word#--} "* ]]; then expects=1; fi ;;
      -?) if [[ " $FLAGS " != *" ${word#-} "* ]]; then expects=1; fi ;;
      -*) ;;
      *) script=$word; break ;;
    esac
  done
  if [[ -n $script ]]; then
    if [[ -f $script ]]; then cat -- "$script" >"$NOTES/$number.script"; fi
  else
    cat >"$NOTES/$number.script"
  fi
  if [[ -n $parsable ]]; then printf '%s\n' "$number"; else printf 'Submitted batch job %s\n' "$number"; fi
}
scontrol() {
  printf '%s\n' "$*" >>"$NOTES/control"
  if [[ $1 == show && $2 == hostnames ]]; then printf 'n%s\n' 1 2 3 4; fi
}
scancel() { printf '%s\n' "$*" >>"$NOTES/cancelled"; }
squeue() { :; }
sacct() { :; }
sleep() { :; }
"""


@attrs.frozen
class Call:
    """One submission: options from the script and from the call, the script, and what it sees of the driver.

    `options` has the value that counts, empty for a flag; `variables` are those that the driver has exported.
    """

    number: int
    options: Mapping[str, str]
    script: str
    title: str
    arguments: tuple[str, ...]
    variables: Mapping[str, str]

    @property
    def name(self) -> str:
        """The name of the job: given, or that of its file."""
        return self.options.get("job-name") or self.title

    @property
    def body(self) -> str:
        """The script from its first command on."""
        lines = self.script.splitlines(keepends=True)
        return "".join(lines[_first_command(lines) :])


def prepare(notes: Path) -> dict[str, str]:
    """Make a folder for notes; gives the variables that a bash needs to keep them."""
    notes.mkdir(parents=True)
    (notes / "count").write_text(f"{FIRST}\n")
    (notes / "commands.sh").write_text(f"FLAGS='{' '.join(sorted(_FLAGS))}'\n{_NOTES}")
    return {"BASH_ENV": str(notes / "commands.sh"), "NOTES": str(notes)}


def calls_of(driver: Path, *arguments: str, path: str | None = None) -> list[Call]:
    """Run a driver where it lies and give its submissions; programs are found only in `path`, or a few if None."""
    notes = driver.parent / f"notes of {driver.name}"
    environment = {**prepare(notes), "HOME": "/nonexistent", "USER": "somebody", "PATH": path or _few_tools(notes)}
    bash = shutil.which("bash") or "/bin/bash"
    done = subprocess.run(
        [bash, str(driver), *arguments], cwd=driver.parent, env=environment, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    if done.returncode:
        raise AssertionError(f"the driver ended with {done.returncode}: {done.stderr}")
    return noted(notes, environment)


def _few_tools(notes: Path) -> str:
    folder = notes / "tools"
    folder.mkdir()
    for name in _TOOLS:
        found = shutil.which(name)
        if found is not None:
            (folder / name).symlink_to(Path(found).resolve())
    return str(folder)


def noted(notes: Path, environment: Mapping[str, str]) -> list[Call]:
    """Give the submissions that were noted, in their order."""
    last = int((notes / "count").read_text())
    return [_call(notes, number, environment) for number in range(FIRST, last)]


def _call(notes: Path, number: int, environment: Mapping[str, str]) -> Call:
    words = (notes / f"{number}.words").read_bytes().decode().split("\0")[:-1]
    given, rest = _options(words)
    script = notes / f"{number}.script"
    text = f"#!/bin/sh\n{given['wrap']}\n" if "wrap" in given else script.read_text()
    title = "wrap" if "wrap" in given else Path(rest[0]).name if rest else "sbatch"
    variables = dict(_variables((notes / f"{number}.variables").read_text()))
    own = {key: value for key, value in variables.items() if key not in (*environment, "OLDPWD", "PWD", "SHLVL", "_")}
    return Call(number, {**directives(text), **given}, text, title, tuple(rest[1:]), own)


def _variables(text: str) -> Iterator[tuple[str, str]]:
    for word in shlex.split(text.replace("declare -x ", "\n")):
        name, equals, value = word.partition("=")
        if equals and re.fullmatch(r"\w+", name):
            yield name, value


def directives(text: str) -> dict[str, str]:
    """Give the options of the lines before the first command (slurm.md §3)."""
    lines = text.splitlines()
    words = [word for line in lines[: _first_command(lines)] if line.startswith("#SBATCH")
             for word in shlex.split(line[7:], comments=True)]  # fmt: skip
    return _options(words)[0]


def _first_command(lines: Sequence[str]) -> int:
    return next((at for at, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("#")), len(lines))


def _options(words: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Tell options from the script with its arguments (slurm.md §4)."""
    found: dict[str, str] = {}
    left = list(words)
    while left and left[0].startswith("-"):
        word = left.pop(0)
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            value = value if equals or name in _FLAGS else left.pop(0)
        else:
            name = _SHORT.get(word[1], word[1])
            value = word[2:] or ("" if word[1] in _FLAGS else left.pop(0))
        found[name] = value
    return found, left
