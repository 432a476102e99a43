"""Drivers read by following them, held against bash running them with an `sbatch` that only writes down."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pwxc.ir.expr import Binary, Literal, Ref
from pwxc.ir.sweep import Range
from pwxc.ir.task import Outcome, Script, Task
from tests.slurm.driving import read, same

CASES = [
    # loops become sweeps: what is submitted in a turn may wait for what the same turn submitted
    ("for i in 1 2 3; do id=$(sbatch --parsable a.sh $i); sbatch --dependency=afterok:$id b.sh $i; done", 2),
    ("for i in {01..12}; do TAG=$i sbatch a.sh x$i; done", 1),
    ("for i in $(seq 0 2 10); do sbatch a.sh $i; done; sbatch b.sh $i", 1),
    ("for ((i = 9; i > 0; i -= 2)); do sbatch a.sh $i; done; sbatch b.sh $i", 1),
    ("i=1; while [ $i -le 5 ]; do sbatch a.sh $i; i=$((i+1)); done; sbatch b.sh $i", 1),
    ("i=0; while ((i < 4)); do sbatch a.sh $i; let i+=1; done; sbatch b.sh $i", 1),
    ("names=(x 'y z' w); for n in \"${names[@]}\"; do sbatch a.sh \"$n\"; done", 1),
    ("list='p q r'; for n in $list; do export TAG=$n; sbatch a.sh $n; done", 1),
    ("for x in a b; do for y in 1 2 3; do sbatch a.sh $x $y; done; done", 1),
    ("for n in 'a\"b' '$HOME' 'x;y' '`z`' \"q'r\" 'e f'; do sbatch a.sh \"$n\" \"-$n-\"; done", 1),
    # gathering ids
    ("for i in 1 2 3; do d=$d:$(sbatch --parsable a.sh $i); done; sbatch --dependency=afterok$d c.sh", 1),
    ("for i in 1 2; do j=$(sbatch a.sh $i | awk '{print $4}'); d=${d:+$d:}$j; done\n"
     "sbatch --dependency=afterany:$d c.sh", 1),
    ("d=$(sbatch --parsable b.sh); for i in 1 2; do d=${d:+$d:}$(sbatch --parsable a.sh $i); done\n"
     "sbatch --dependency=afterany:$d c.sh", 1),
    ("for i in 1 2 3; do ids+=($(sbatch --parsable a.sh $i)); done\n"
     "sbatch --dependency=afterok:$(IFS=:; echo \"${ids[*]}\") c.sh", 1),
    ("for x in a b; do for y in 1 2; do all+=($(sbatch --parsable a.sh $x $y)); done; done\n"
     "sbatch --dependency=afterok$(printf ':%s' \"${all[@]}\") c.sh", 1),
    ("for i in 1 2; do d+=,afterany:$(sbatch --parsable a.sh $i); done; sbatch --dependency=${d#,} c.sh", 1),
    ("declare -A id; for n in x y; do id[$n]=$(sbatch --parsable a.sh $n); done\n"
     "for m in x y; do sbatch --dependency=afterok:${id[$m]} b.sh $m; done", 2),
    # what is not expressible is followed turn by turn
    ("p=$(sbatch --parsable a.sh); for i in 1 2 3; do p=$(sbatch --parsable --dependency=afterok:$p b.sh $i); done\n"
     "sbatch --dependency=afterok:$p c.sh", 0),
    ("for i in 1 2 3; do p=$(sbatch --parsable ${p:+--dependency=afterok:$p} a.sh $i); done", 0),
    ("for i in 1 2 3; do ids+=($(sbatch --parsable a.sh $i)); done; sbatch --dependency=afterok:${ids[1]} c.sh", 0),
    ("for i in 1 2 3; do j=$(sbatch --parsable a.sh $i); done; sbatch --dependency=afterok:$j c.sh", 0),
    ("for i in 1 2 3; do d=$d:$(sbatch --parsable a.sh $i); done; sbatch --dependency=afternotok$d c.sh", 0),
    ("for i in 1 2 3; do d=$d:$(sbatch --parsable a.sh $i); sbatch --dependency=afterok$d b.sh $i; done", 0),
    ("for x in a b; do d=; for y in 1 2; do d=$d:$(sbatch --parsable a.sh $x $y); done\n"
     "sbatch --dependency=afterok$d b.sh $x; done", 2),
    ("for i in 1 2 3; do if [ $i -eq 2 ]; then sbatch a.sh two; else sbatch b.sh $i; fi; done", 0),
    ("for i in 1 2 3 4; do [[ $i == 2 ]] && continue; [ $i = 4 ] && break; sbatch a.sh $i; done", 0),
    ("for i in 1 2 3; do sbatch --time=$i a.sh $i; done", 0),
    ("for i in 1 2 3; do sbatch a.sh $((i * 10)); done", 0),
    ("for s in a.sh b.sh; do sbatch $s; done", 0),
    ("declare -A id; for n in x y; do id[$n]=$(sbatch --parsable a.sh $n); done\n"
     "sbatch --dependency=afterok:${id[x]} c.sh", 0),
    # the rest of the shell
    ("f() { local n=$1; shift; sbatch --parsable \"$@\" $n; }; j=$(f one a.sh); f two --dependency=afterok:$j b.sh", 0),
    ("out=$(sbatch a.sh); sbatch --dependency=afterok:${out##* } b.sh", 0),
    ("out=`sbatch a.sh`; set -- $out; sbatch --dependency=afterok:$4 b.sh", 0),
    ("j=$(sbatch a.sh | cut -d' ' -f4); sbatch --dependency=afterok:$j b.sh", 0),
    ("j=$(sbatch a.sh | grep -o '[0-9]*'); sbatch --dependency=afterok:$j b.sh", 0),
    ("j=$(sbatch a.sh | tr -dc 0-9); sbatch --dependency=afterok:$j b.sh", 0),
    ("j=$(sbatch a.sh | sed 's/[^0-9]*//g'); sbatch --dependency=afterok:$j b.sh", 0),
    ("ids=($(sbatch a.sh)); sbatch --dependency=afterok:${ids[-1]} b.sh", 0),
    ("read -r _ _ _ j <<< \"$(sbatch a.sh)\"; sbatch --dependency=afterok:$j b.sh", 0),
    ("sbatch a.sh > id; j=$(cat id | awk '{print $NF}'); sbatch --dependency=afterok:$j b.sh", 0),
    ("run='sbatch --parsable'; j=$($run a.sh); $run --dependency=afterok:$j b.sh", 0),
    ("sbatch --dependency=afterok:$(sbatch --parsable a.sh) b.sh", 0),
    ("m=slow; case $m in f*) sbatch a.sh;; s*|x) sbatch b.sh;; *) sbatch c.sh;; esac", 0),
    ("mkdir -p out || exit 1; true && sbatch a.sh; false || sbatch b.sh; false && sbatch c.sh; :", 0),
    ("while read -r a b; do sbatch a.sh $a $b; done <<EOF\n1 2\n3 4\nEOF", 0),
    ("i=1; while true; do sbatch a.sh $i; i=$((i+1)); [ $i -gt 3 ] && break; done; sbatch b.sh $i", 0),
    ("i=0; while :; do ((i++)); if [ $i = 3 ]; then break; fi; sbatch a.sh $i; done", 0),
    ("n=3; until [ $n -eq 0 ]; do sbatch a.sh $n; n=$((n-1)); done", 0),
    ("(TAG=sub; export TAG; sbatch a.sh); sbatch b.sh", 0),
    ("f() { local id=inner; id=$1; sbatch a.sh $id; }; id=outer; f one; sbatch b.sh $id", 0),
    ("a=(p q r s); sbatch a.sh ${a[@]:1:2}; f() { sbatch b.sh \"${@:2}\"; }; f x y z", 0),
    ("IFS=, read -r x y <<< 'p,q r'; sbatch a.sh $x \"$y\"; T=1 && sbatch b.sh $T", 0),
    ("set x y; sbatch a.sh $2; f() { sbatch b.sh $N; }; N=5 f; sbatch c.sh n$N", 0),
    ("if j=$(sbatch --parsable a.sh); then sbatch --dependency=afterok:$j b.sh; else sbatch c.sh; fi", 0),
    ("j=$(sbatch --parsable a.sh) || exit 1; ! true || sbatch --dependency=afterok:$j b.sh", 0),
    # ids out of what `sbatch` prints
    ("out=$(sbatch a.sh); [[ $out =~ ([0-9]+) ]] || exit; sbatch --dependency=afterok:${BASH_REMATCH[1]} b.sh", 0),
    ("out=$(sbatch a.sh); sbatch --dependency=afterok:${out:20} b.sh", 0),
    ("r=($(sbatch a.sh)); sbatch --dependency=afterok:${r[${#r[@]}-1]} b.sh", 0),
    ("read -a r <<< \"$(sbatch a.sh)\"; sbatch --dependency=afterok:${r[3]} b.sh", 0),
    ("j=$(sbatch a.sh | grep -oP '(?<=job )\\d+'); sbatch --dependency=afterok:$j b.sh", 0),
    ("j=$(sbatch a.sh | sed -n 's/Submitted batch job \\([0-9]*\\)/\\1/p'); sbatch --dependency=afterok:$j b.sh", 0),
    ("sbatch --parsable a.sh | tee id >/dev/null; sbatch --dependency=afterok:$(<id) b.sh", 0),
    ("sbatch a.sh >> ids; sbatch b.sh >> ids; d=$(awk '{print $4}' ids | paste -sd:)\n"
     "sbatch --dependency=afterok:$d c.sh; rm ids", 0),
    ("f() { local -n to=$1; shift; to=$(sbatch --parsable \"$@\"); }; f x a.sh; f y --dependency=afterok:$x b.sh", 0),
    ("f() { declare -g \"$1=$(sbatch --parsable $2)\"; }; f x a.sh; sbatch --dependency=afterok:$x b.sh", 0),
    ("f() { eval \"$1=$(sbatch --parsable $2)\"; }; f x a.sh; sbatch --dependency=afterok:$x b.sh", 0),
    ("j=$(sbatch --parsable a.sh); if [ $? -ne 0 ]; then exit 1; fi; sbatch --dependency=afterok:$j b.sh", 0),
    ("j=$(sbatch --parsable a.sh); [[ $j =~ ^[0-9]+$ ]] && sbatch --dependency=afterok:$j b.sh", 0),
    ("for i in 1 2; do sbatch --parsable a.sh $i; done > ids; mapfile -t all < ids; rm ids\n"
     "sbatch --dependency=afterok$(printf ':%s' \"${all[@]}\") c.sh", 0),
    ("d=$(for i in 1 2; do sbatch --parsable a.sh $i; done | paste -sd:); sbatch --dependency=afterok:$d c.sh", 1),
    ("for i in 1 2; do ids+=($(sbatch --parsable a.sh $i)); done; IFS=,; d=\"${ids[*]/#/afterany:}\"; unset IFS\n"
     "sbatch --dependency=$d c.sh", 1),
    ("for i in 1 2; do d+=\"$(sbatch --parsable a.sh $i):\"; done; sbatch --dependency=afterok:${d::-1} c.sh", 1),
    ("for i in 1 2; do d=\"$d $(sbatch --parsable a.sh $i)\"; done; sbatch --dependency=afterok:${d##* } c.sh", 0),
    ("for i in 1 2; do ids+=($(sbatch --parsable a.sh $i)); done\n"
     "sbatch --dependency=afterok:$(echo ${ids[@]} | awk '{print $1}') c.sh", 0),
    ("for z in p q; do ids=(); ids+=($(sbatch --parsable a.sh $z)); ids=; for i in 1 2; do\n"
     "ids+=\"$(sbatch --parsable b.sh $z $i):\"; done; sbatch --dependency=afterok:${ids%:} c.sh $z; done", 0),
    ("for z in p q; do sbatch --parsable a.sh $z >> ids; sbatch --dependency=afterok:$(paste -sd: ids) b.sh $z\n"
     "done; rm ids", 0),
    # values that a plain use would change
    ("for n in 'a b' 'c d'; do sbatch a.sh $n; done", 0),
    ("for n in 'a b' 'c d'; do x=$(echo $n | awk '{print $1}'); sbatch a.sh $x; done", 0),
    ("for p in x:1 y:2; do IFS=: read -r n v <<< $p; sbatch a.sh $n $v; done", 0),
    ("for n in $(seq -f 'r%02g' 8 10); do sbatch a.sh $n; done; for n in {a..c}{1,2}; do sbatch b.sh $n; done", 2),
    ("for i in 1 2; do printf -v n '%03d' $i; sbatch a.sh $n; done", 0),
    ("for i in 1 2 3; do for j in 1 2; do [ $i$j = 22 ] && break 2; sbatch a.sh $i $j; done; done", 0),
    ("f() { [ $1 -gt 2 ] && return; sbatch a.sh $1; f $(($1 + 1)); }; f 1", 0),
    ("set -a; TAG=x; set +a; sbatch a.sh; export -n TAG; sbatch b.sh", 0),
    ("m=2; case $m in 2) sbatch a.sh;;& [0-9]) sbatch b.sh;& x) sbatch c.sh;; *) sbatch a.sh no;; esac", 0),
    ("SB='sbatch --parsable'; for i in 1 2; do j=$($SB a.sh $i); $SB --dependency=afterok:$j b.sh $i; done", 2),
    ("echo \"sbatch is called\" | cat; x=$(expr 5 - 2); sbatch a.sh $((x % 4))", 0),
    ("x=${x:-5}; y=${x/5/7}; z=run_1.txt; sbatch a.sh $y ${z%.txt} ${z##*_} ${#z} ${z^^}", 0),
]  # fmt: skip


@pytest.mark.parametrize(("driver", "sweeps"), CASES)
def test_a_driver_is_read_as_bash_runs_it(driver: str, sweeps: int, tmp_path: Path) -> None:
    same(driver, tmp_path, sweeps=sweeps)


@pytest.mark.parametrize(
    ("driver", "line", "code"),
    [
        ("while squeue -h | grep -q x; do sleep 5; done\nsbatch a.sh", 2, "PWX2420"),
        ("ssh host sbatch a.sh", 2, "PWX2420"),
        ("ls | xargs -n1 sbatch", 2, "PWX2420"),
        ("echo sbatch a.sh | bash", 2, "PWX2420"),
        ("a=x; for i in {1..60}; do a=$a$a; [ $i = 3 ] && sbatch a.sh; done; sbatch b.sh $a", 2, "PWX2420"),
        ("trap 'sbatch a.sh' EXIT", 2, "PWX2420"),
        (":\n[ -f data ] && sbatch a.sh", 3, "PWX2420"),
        ("for f in *.sh; do sbatch $f; done", 2, "PWX2420"),
        ("for f in $(ls); do sbatch a.sh $f; done", 2, "PWX2420"),
        ("while read f; do sbatch a.sh $f; done < list", 2, "PWX2420"),
        ("j=$(sbatch --parsable a.sh)\nsbatch -d 'afterok:$j' b.sh", 3, "PWX2406"),
        ("j=$(sbatch --parsable a.sh)\nsbatch -d afterok:$j?afterany:$j b.sh", 3, "PWX2420"),
        ("j=$(sbatch --parsable a.sh)\nsbatch -d expand:$j b.sh", 3, "PWX2406"),
        ("j=$(sbatch a.sh)\nsbatch -d afterok:$j b.sh", 3, "PWX2406"),
        ("sbatch -d afterok:$(sacct -n -o jobid) a.sh", 2, "PWX2420"),
        ("sbatch -d afterok:$(cat $1) a.sh", 2, "PWX2420"),
        ("j=$(sbatch --parsable --array=1-3 a.sh)\nsbatch -d afterok:${j}_2 b.sh", 3, "PWX2420"),
        ("for i in 1 2; do d=\"$d?afterok:$(sbatch --parsable a.sh $i)\"; done\nsbatch -d ${d:1} b.sh", 3, "PWX2420"),
        ("for i in 1 2; do d+=$(sbatch --parsable a.sh $i); done\nsbatch -d afterok:$d b.sh", 3, "PWX2406"),
        ("x=${1:-a}\ny=${1:-b}\nsbatch a.sh $x $y", 4, "PWX2420"),
        ("select x in a b; do sbatch a.sh $x; done", 2, "PWX2420"),
        ("j=$(sbatch --parsable a.sh)\nscontrol update JobId=$j Dependency=singleton", 3, "PWX2420"),
        ("j=$(sbatch --parsable a.sh)\nsrun -d afterok:$j true\nsbatch b.sh", 3, "PWX2420"),
        ("SB=sbatch\n[ -f x ] && $SB a.sh", 3, "PWX2420"),
        ("ssh host <<EOF\nsbatch a.sh\nEOF", 2, "PWX2420"),
        ("python3 x.py a.sh\nsbatch a.sh", 3, "PWX2420"),
        ("if [ $(date +%u) = 5 ]; then sbatch a.sh; fi", 2, "PWX2420"),
        ("x=$(sacct -n)\nsbatch a.sh $x", 3, "PWX2420"),
        ("j=$(sbatch --parsable a.sh)\nuntil sacct -j $j | grep -q OK; do sleep 1; done\nsbatch b.sh", 3, "PWX2420"),
        ("x=$(false && echo 1 || python y.py)\nsbatch -d $x a.sh", 3, "PWX2420"),
        ("sbatch --tiem=5 a.sh", 2, "PWX2404"),
        ("sbatch --time=1d a.sh", 2, "PWX2406"),
        ("sbatch -N1 a.sh : -N2 b.sh", 2, "PWX2420"),
        ("sbatch $RANDOM.sh", 2, "PWX2420"),
        ('if [ "$M" = y ]; then j=$(sbatch --parsable a.sh); fi\nsbatch -d afterok:$j b.sh', 3, "PWX2420"),
        ("i=0; while true; do sbatch a.sh; done", 2, "PWX2420"),
        ("d=; for i in {1..20000}; do d=$(sbatch --parsable -d singleton$d a.sh); done", 2, "PWX2420"),
        ("eval \"$1 sbatch a.sh\"", 2, "PWX2420"),
        ("if true; then sbatch a.sh", 2, "PWX2420"),
    ],
)  # fmt: skip
def test_what_is_known_only_at_the_run_is_told_at_its_line(driver: str, line: int, code: str) -> None:
    workflow, found = read(driver)
    assert workflow is None
    first = found.errors[0]
    assert first.span is not None
    assert (first.code.id, first.span.source.position(first.span.start)[0]) == (code, line)


def tasks_of(driver: str, *more: tuple[str, str]) -> dict[str, Task]:
    workflow, found = read(driver, *more)
    assert workflow is not None, [item.message for item in found]
    return {task.name: task for task in workflow.tasks}


def test_a_loop_of_a_million_turns_is_a_range() -> None:
    loops = (
        "for ((i = 1; i <= 1000000; i++)); do", "for i in {1..1000000}; do", "for i in $(seq 1000000); do",
        "i=1; while [ $i -le 1000000 ]; do",
    )  # fmt: skip
    for head in loops:
        step = "i=$((i + 1));" if "while" in head else ""
        tasks = tasks_of(f"{head} j=$(sbatch --parsable a.sh $i); d=$d:$j; {step} done; sbatch -d afterok$d b.sh")
        sweep = tasks["a.sh"].sweep
        assert sweep is not None
        assert sweep.parameters[0].values == Range(1, 1_000_000, 1)
        assert [edge.parent for edge in tasks["b.sh"].needs] == ["a.sh"]


def test_options_of_a_call_and_of_its_environment_win_over_the_script() -> None:
    workflow, _ = read(
        "export SBATCH_TIMELIMIT=30 SBATCH_PARTITION=gpu\nsbatch a.sh\nsbatch -t 7 -J b --array=1-4%2 b.sh"
    )
    assert workflow is not None
    classes = {item.name: item for item in workflow.resources}
    assert [classes[name].walltime for name in ("a.sh", "b")] == [1800, 420]
    assert [str(classes[name].partition and classes[name].partition.literal) for name in ("a.sh", "b")] == ["gpu"] * 2
    sweep = workflow.tasks[1].sweep
    assert sweep is not None
    assert (sweep.size, sweep.limit) == (4, 2)


def test_arguments_are_data() -> None:
    task = tasks_of("sbatch a.sh plain 'x y' $1 pre$2")["a.sh"]
    work = task.steps[0].work
    assert isinstance(work, Script)
    assert (work.text.literal or "").startswith('set -- plain \'x y\' "$PWXC_ARGUMENT_3" "$PWXC_ARGUMENT_4"\n')
    assert [item.name for item in task.environment] == ["PWXC_ARGUMENT_3", "PWXC_ARGUMENT_4"]


def test_arguments_of_a_script_of_another_interpreter_are_refused() -> None:
    python = ("x.py", "#!/usr/bin/env python3\nimport sys\n")
    assert list(tasks_of("sbatch x.py", python)) == ["x.py"]
    workflow, found = read("sbatch x.py 1", python)
    assert workflow is None
    assert [item.code.id for item in found.errors] == ["PWX2429"]


def test_folders_are_followed() -> None:
    tasks = tasks_of("cd x/y\nsbatch a.sh\ncd ..\nsbatch b.sh\n(cd $1; sbatch c.sh)\ncd - >/dev/null; sbatch -J d a.sh")
    told = {name: task.working_directory for name, task in tasks.items()}
    assert [str(told[name] and told[name].literal) for name in ("a.sh", "b.sh", "d")] == ["x/y", "x", "x/y"]
    assert told["c.sh"] is not None
    assert told["c.sh"].literal is None


def test_texts_become_scripts() -> None:
    driver = (
        "sbatch --wrap='python x.py'\n"
        "sbatch -J here <<EOF\n#!/bin/bash\n#SBATCH -t 9\necho \\$HOME $1\nEOF\n"
        "cat > job.sh <<'EOF'\n#!/bin/bash\n#SBATCH -J kept\necho $1\nEOF\nsbatch job.sh\n"
        "for i in 1 2; do sbatch -J each <<EOF\n#!/bin/sh\necho $i\nEOF\ndone\n"
    )
    texts = {}
    for name, task in tasks_of(driver).items():
        work = task.steps[0].work
        assert isinstance(work, Script)
        texts[name] = work.text.fill(lambda hole: f"<{hole.path[0]}>")  # type: ignore[attr-defined]
    assert texts == {
        "wrap": "python x.py\n", "here": "echo $HOME <arg1>\n", "kept": "echo $1\n", "each": "echo <i>\n"
    }  # fmt: skip


def test_waiting_for_a_job_orders_what_follows() -> None:
    tasks = tasks_of("sbatch --wait a.sh\nsbatch b.sh\nset -e\nsbatch -W -J x a.sh\nsbatch c.sh")
    assert [(edge.parent, edge.when) for edge in tasks["c.sh"].needs] == [("a.sh", Outcome.END), ("x", Outcome.SUCCESS)]
    tasks = tasks_of("sbatch -W a.sh &\nsbatch -W b.sh &\nwait\nsbatch c.sh")
    assert [edge.parent for edge in tasks["c.sh"].needs] == ["a.sh", "b.sh"]
    assert tasks["b.sh"].needs == ()


def test_tests_of_inputs_become_conditions() -> None:
    def told(driver: str) -> list[str]:
        return [f"{name}: {shown(task.condition)}" for name, task in tasks_of(driver).items()]

    def shown(condition: object) -> str:
        match condition:
            case Binary(operator, left, right):
                return f"{shown(left)} {operator} {shown(right)}"
            case Ref(_, path):
                return path[0]
            case Literal(value):
                return repr(value)
        return str(condition)

    assert told('if [ "$M" = x ]; then sbatch a.sh; else sbatch b.sh; fi; sbatch c.sh') == [
        "a.sh: M == 'x'", "b.sh: M != 'x'", "c.sh: None",
    ]  # fmt: skip
    assert told("case ${M:-x} in x|y) sbatch a.sh;; esac") == ["a.sh: M == 'x' || M == 'y'"]
    assert told("if [[ -n $M && $M != y ]]; then :; fi; if [[ -n $M ]]; then sbatch a.sh; fi") == ["a.sh: M != ''"]


def test_options_on_the_command_line_of_the_driver_are_inputs() -> None:
    options = "while getopts n:p: o; do case $o in n) N=$OPTARG;; p) P=$OPTARG;; esac; done"
    driver = f"N=5\n{options}\nsbatch -p $P a.sh $N ${{3:-z}}"
    workflow, _ = read(driver)
    assert workflow is not None
    assert {(item.name, item.default, item.has_default) for item in workflow.inputs} == {
        ("N", "5", True), ("P", None, False), ("arg3", "z", True),
    }  # fmt: skip


def inputs_of(driver: str) -> dict[str, tuple[object, str]]:
    """Give the inputs of a driver with their defaults, and the text at their places."""
    workflow, found = read(driver)
    assert workflow is not None, [item.message for item in found]
    return {item.name: (item.default, item.span.text if item.span else "") for item in workflow.inputs}


@pytest.mark.parametrize(
    ("driver", "expected"),
    [
        # what a dropped command needs is no input
        ("sbatch a.sh\nsqueue -u $USER -n $NAME", {}),
        ("echo \"$1 at $(date)\"; mkdir -p $OUT/logs; sbatch a.sh", {}),
        # places
        ("IN=${IN:-x}\nsbatch a.sh $IN", {"IN": ("x", "${IN:-x}")}),
        ("sbatch a.sh pre-${MODE:-full} $OUT", {"MODE": ("full", "${MODE:-full}"), "OUT": (None, "$OUT")}),
        ("shift; sbatch a.sh $1", {"arg2": (None, "$1")}),
        ("sbatch -p $P a.sh", {"P": (None, "$P")}),
        ("sbatch <<EOF\n#!/bin/sh\nrun $IN\nEOF", {"IN": (None, "$IN")}),
        ('if [ "$M" = x ]; then sbatch a.sh; fi', {"M": ("", "$M")}),
        ("N=5\nwhile getopts n: o; do case $o in n) N=$OPTARG;; esac; done\nsbatch a.sh $N", {"N": ("5", "N")}),
        ("D=$(date +%F)\nsbatch a.sh $D", {"D": (None, "D=$(date +%F)")}),
        # the login
        ("sbatch -o $USER/%j a.sh $HOME/x $PATH; cd $HOME/y; sbatch b.sh $(whoami)", {}),
        ("sbatch --mail-user=$USER@x.org a.sh", {"USER": (None, "$USER")}),
    ],
)  # fmt: skip
def test_inputs_are_what_jobs_need_and_know_their_places(driver: str, expected: dict[str, tuple[object, str]]) -> None:
    found = inputs_of(driver)
    assert {name: (default or None, text) for name, (default, text) in found.items()} == {
        name: (default or None, text) for name, (default, text) in expected.items()
    }


def test_variables_of_the_login_stay_text_of_the_shell() -> None:
    tasks = tasks_of(
        'export PATH=$HOME/bin:$PATH\nsbatch --chdir=$HOME/x a.sh $HOME/in "$1"\n'
        "cd ~/y; cd $HOME/y; sbatch -J here <<EOF\n#!/bin/bash\ncd $HOME/z; ls ${USER}s\nEOF\n"
        "cat > job.sh <<EOF\n#!/bin/bash\necho '$HOME'\nEOF\nsbatch job.sh\nsbatch --wrap=\"ls $HOME\""
    )
    texts = {}
    for name, task in tasks.items():
        work = task.steps[0].work
        assert isinstance(work, Script)
        texts[name] = work.text.fill(lambda hole: f"<{getattr(hole, 'path', [hole])[0]}>")
    export = 'export PATH="$HOME/bin:$PATH"\n'
    assert texts == {
        "a.sh": f'set -- "$HOME/in" "$PWXC_ARGUMENT_2"\n{export}echo a\n',
        "here": f"{export}cd $HOME/z; ls ${{USER}}s\n",
        "job.sh": f"{export}echo '<HOME>'\n",
        "wrap": f"{export}ls $HOME\n",
    }
    assert [task.working_directory and task.working_directory.literal for task in tasks.values()] == [
        "~/x", "~/y", "~/y", "~/y",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "loop",
    [
        "i=0; while [ $i -ge 0 ]; do {}; i=$((i+1)); done", "for ((i = 0; ; i++)); do {}; done",
        "for ((i = 9; i > 0; i++)); do {}; done", "i=1; while [ $i -ne 0 ]; do {}; i=$((i+1)); done",
    ],
)  # fmt: skip
def test_a_loop_that_submits_without_end_is_told_soon(loop: str) -> None:
    start = time.process_time()
    workflow, found = read(loop.format("j=$(sbatch --parsable -d singleton:$j a.sh $i $N)"))
    assert workflow is None
    assert "PWX2420" in {item.code.id for item in found.errors}
    assert time.process_time() - start < 8  # 2 on a machine that does nothing else


# drivers made at random

NAMES = ("i", "j")
LOOPS = (
    "for {v} in p q r", "for {v} in {{1..4}}", "for {v} in $(seq 1 2 5)", "for (({v} = 0; {v} < 3; {v}++))",
    "for {v} in {{08..10}}",
)  # fmt: skip


@st.composite
def drivers(draw: st.DrawFn) -> str:
    """Draw a driver of submissions, loops and ways to keep ids; each call has arguments of its own."""
    counter = itertools.count(1)
    lines = draw(blocks(counter, (), 3))
    return "\n".join(["last=", "all=", "other=", "list=()", *lines, "sbatch a.sh"]) + "\n"


@st.composite
def blocks(draw: st.DrawFn, counter: Iterator[int], around: tuple[str, ...], most: int) -> list[str]:
    lines: list[str] = []
    for _ in range(draw(st.integers(1, most))):
        kind = draw(st.integers(0, 9))
        if kind >= 7 and len(around) < 2:
            name = NAMES[len(around)]
            head = draw(st.sampled_from(LOOPS)).format(v=name)
            body = draw(blocks(counter, (*around, name), 2))
            lines += [f"{head}; do", *body, "done"]
        elif kind == 6:
            lines.append(draw(st.sampled_from(["all=", "list=()", "last=", "other=$last", "all=$all$all"])))
        else:
            lines += draw(submission(next(counter), around))
    return lines


@st.composite
def submission(draw: st.DrawFn, number: int, around: tuple[str, ...]) -> list[str]:
    words = " ".join([f"n{number}", *(f"${name}" for name in around)])
    dependency = draw(
        st.sampled_from(
            [
                "", "", "${last:+--dependency=afterok:$last}", "${last:+--dependency=afterany:$last}",
                "${all:+--dependency=afterok$all}", "${all:+--dependency=afternotok$all}",
                "${list:+--dependency=afterany:$(IFS=:; echo \"${list[*]}\")}",
                "${other:+--dependency=after:$other}",
            ]
        )
    )  # fmt: skip
    call = f"sbatch --parsable {dependency} a.sh {words}"
    if draw(st.booleans()):
        return [call]
    keep = draw(st.sampled_from(["last=$id", "all=$all:$id", "list+=($id)", "all=$all:$id; last=$id", ":"]))
    return [f"id=$({call}); {keep}"]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(drivers())
def test_any_driver_is_read_as_bash_runs_it(tmp_path_factory: pytest.TempPathFactory, driver: str) -> None:
    folder = tmp_path_factory.getbasetemp() / "any-driver"
    folder.mkdir(exist_ok=True)
    same(driver, folder)
