"""Strategies for drivers: shell scripts that submit jobs, in the many ways in which people write them.

Every submission has a tag `job_…` in the words or in the text of its script, by which it is known again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import attrs
from hypothesis import strategies as st

from pwxc.semantics.environment import Fact, Fails, Takes
from pwxc.semantics.trace import Instance

TAG = re.compile(r"job_\w+")
SCRIPTS = {
    "plain.sh": "#!/bin/bash\n#SBATCH --ntasks=1\n\n# a comment\necho $1\n",
    "short.sh": "#!/bin/bash\n#SBATCH -t 1:30   # two minutes\n#SBATCH --job-name=short\nset -e\necho $1\n",
    "many.sh": "#!/bin/bash\n#SBATCH --array=1-3%2\n#SBATCH --time=0-1\nset -e\necho $1 $SLURM_ARRAY_TASK_ID\n",
}
_CAPTURES = [
    "{v}=$(sbatch --parsable {words})",
    "{v}=`sbatch {words} | awk '{{print $4}}'`",
    "{v}=$(sbatch {words} | cut -d' ' -f4)",
    "{v}=$(sbatch {words} | grep -o '[0-9]*')",
    "out=$(sbatch {words})\n{v}=${{out##* }}",
    "{v}=$(submit {words})",
    "{v}=$(sbatch {words} | sed -E 's/.*job ([0-9]+).*/\\1/')",
    "[[ $(sbatch {words}) =~ [0-9]+ ]] && {v}=${{BASH_REMATCH[0]}}",
    "read -r _ _ _ {v} < <(sbatch {words})",
    "sbatch --parsable {words} > id.txt\n{v}=$(<id.txt)",
    "declare -n into={v}; into=$(sbatch --parsable {words}); unset -n into",
]
_FUNCTIONS = [
    'submit() { sbatch --parsable --nice=0 "$@"; }',
    "step() {",
    "  local tag=$1 waits=${2-} options=()",
    '  if [ -n "$waits" ]; then options+=("--dependency=$waits"); fi',
    '  sbatch --parsable "${options[@]}" short.sh "$tag"',
    "}",
]
_KINDS = ["afterok", "afterok", "afterany", "afternotok", "after"]


@attrs.define
class Text:
    """A driver in the making: its lines, and the variables that hold ids of jobs; of arrays in `arrays` too."""

    lines: list[str]
    ids: list[str] = attrs.field(factory=list)
    arrays: list[str] = attrs.field(factory=list)
    lists: list[str] = attrs.field(factory=list)
    """Variables that hold several ids, each with a colon before it."""
    count: int = 0

    def tag(self) -> str:
        """Give a new tag."""
        self.count += 1
        return f"job_{self.count}"


@st.composite
def drivers(draw: st.DrawFn) -> str:
    """Give the text of a driver."""
    text = Text(["#!/bin/bash", "set -eu", *_FUNCTIONS])
    draw(st.sampled_from([_single, _loop, _chain]))(draw, text)
    for _ in range(draw(st.integers(0, 4))):
        draw(st.sampled_from([_single, _single, _single, _loop, _pairs, _chain, _nested, _called, _export]))(draw, text)
    return "\n".join(text.lines) + "\n"


def _dependency(draw: st.DrawFn, text: Text, *, array: bool) -> list[str]:
    """Give the words that say what a job waits for, perhaps none."""
    names = [*text.ids, *text.lists]
    if not names or draw(st.integers(0, 4)) == 0:
        return []
    if array and text.arrays and draw(st.booleans()):
        return [f"--dependency=aftercorr:${draw(st.sampled_from(text.arrays))}"]
    terms: dict[str, list[str]] = {}
    for name in draw(st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True)):
        kind = draw(st.sampled_from(_KINDS if name in text.ids else ["afterok", "afterany"]))
        terms.setdefault(kind, []).append(f"${name}" if name in text.lists else f":${{{name}}}")
    value = ",".join(kind + "".join(parts) for kind, parts in terms.items())
    if set(terms) == {"after"} and len(value) < 14 and draw(st.booleans()):
        value += "+1"
    return draw(st.sampled_from([[f"--dependency={value}"], ["-d", value], [f'--dependency="{value}"']]))


def _single(draw: st.DrawFn, text: Text) -> None:
    variable, tag = f"id{len(text.lines)}", text.tag()
    kind = draw(st.sampled_from(["plain.sh", "short.sh", "many.sh", "array", "wrap", "here"]))
    words = []
    if kind == "array":
        words.append(draw(st.sampled_from(["--array=0-4:2", "-a 3,1", "--array=1-2"])))
    if draw(st.integers(0, 2)) == 0:
        words.append(draw(st.sampled_from(["--time=5", "-t 1-0", "--time=0:45", "--time=UNLIMITED"])))
    if draw(st.integers(0, 2)) == 0:
        words += ["-J", draw(st.sampled_from(["same", f"x{tag[4:]}"]))]
    array = kind in ("array", "many.sh")
    words += [*draw(st.sampled_from([[], ["--kill-on-invalid-dep=yes"]])), *_dependency(draw, text, array=array)]
    if kind == "here":
        text.lines += [f"{variable}=$(sbatch --parsable {' '.join(words)} <<'EOF'", "#!/bin/bash", "#SBATCH -n 1",
                       f"echo {tag}", "EOF", ")"]  # fmt: skip
    else:
        words += [f"--wrap='echo {tag}'"] if kind == "wrap" else ["plain.sh" if kind == "array" else kind, tag]
        text.lines.append(draw(st.sampled_from(_CAPTURES)).format(v=variable, words=" ".join(words)))
    text.ids.append(variable)
    if array:
        text.arrays.append(variable)


def _loop(draw: st.DrawFn, text: Text) -> None:
    """Submit a job for each of some values; what comes later may wait for all."""
    variable, tag = f"all{len(text.lines)}", text.tag()
    values = draw(st.sampled_from(["a b c", "1 2", "{1..3}", "$(seq 2 3)"]))
    words = [*_dependency(draw, text, array=False), "plain.sh", f"{tag}_$x"]
    text.lines += [f"{variable}=''", f"for x in {values}; do", f"  one=$(sbatch --parsable {' '.join(words)})",
                   f"  {variable}=\"${variable}:$one\"", "done"]  # fmt: skip
    text.lists.append(variable)


def _pairs(draw: st.DrawFn, text: Text) -> None:
    """Submit two jobs for each of some values, the second after the first; the ids are kept in an array."""
    variable, tag, other = f"both{len(text.lines)}", text.tag(), text.tag()
    kind = draw(st.sampled_from(["afterok", "afterany", "afternotok"]))
    text.lines += [f"{variable}=()", "for x in 1 2 3; do", f"  one=$(sbatch --parsable plain.sh {tag}_$x)",
                   f"  two=$(sbatch --parsable -d {kind}:$one short.sh {other}_$x)", f'  {variable}+=("$two")', "done",
                   f'{variable}_ids=$(IFS=:; echo ":${{{variable}[*]}}")']  # fmt: skip
    text.lists.append(f"{variable}_ids")


def _nested(draw: st.DrawFn, text: Text) -> None:
    variable, kind = f"id{len(text.lines)}", draw(st.sampled_from(["afterok", "afterany"]))
    inner = f"$(sbatch --parsable plain.sh {text.tag()})"
    text.lines.append(f"{variable}=$(sbatch --parsable -d {kind}:{inner} short.sh {text.tag()})")
    text.ids.append(variable)


def _called(draw: st.DrawFn, text: Text) -> None:
    """Submit through a function that takes what the job waits for."""
    variable = f"id{len(text.lines)}"
    names = [f"afterok:${name}" for name in text.ids] + [f"afterany${name}" for name in text.lists] + [""]
    text.lines.append(f'{variable}=$(step {text.tag()} "{draw(st.sampled_from(names))}")')
    text.ids.append(variable)


def _chain(draw: st.DrawFn, text: Text) -> None:
    """Submit jobs of which each waits for the one before."""
    variable, tag = f"last{len(text.lines)}", text.tag()
    kind = draw(st.sampled_from(["afterok", "afterany"]))
    text.lines += [f"{variable}=$(sbatch --parsable plain.sh {tag}_0)", "for n in 1 2; do",
                   f"  {variable}=$(sbatch --parsable -d {kind}:${variable} short.sh {tag}_$n)", "done"]  # fmt: skip
    text.ids.append(variable)


def _export(draw: st.DrawFn, text: Text) -> None:
    text.lines.append(draw(st.sampled_from(["export MODE=fast", "export MODE='very slow'", "LOCAL=1", "# nothing"])))


@st.composite
def happenings(draw: st.DrawFn, instances: Sequence[Instance]) -> list[Fact]:
    """Give which instances fail, and how long some take."""
    found: list[Fact] = []
    for instance in draw(st.lists(st.sampled_from(list(instances)), max_size=3, unique=True)):
        if draw(st.booleans()):
            found.append(Fails(instance.task, instance.index, codes=(draw(st.integers(1, 3)),)))
        if draw(st.booleans()):
            seconds = draw(st.sampled_from([2.0, 60.0, 61.0, 121.0, 301.0, 90000.0]))
            found.append(Takes(instance.task, seconds, instance.index))
    return found
