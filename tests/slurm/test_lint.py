"""Lint of batch scripts: where each rule speaks, at which place, and look-alikes where it is silent."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pwxc.diagnostics import Diagnostics
from pwxc.registry import ReadSettings
from pwxc.source import Source
from pwxc_targets.slurm.lint import lint


def found(text: str) -> list[tuple[str, str]]:
    """Give the names of the findings with the text at their places."""
    source, diagnostics = Source("job.sh", text), Diagnostics()
    lint((source,), ReadSettings(), diagnostics)
    spans = [(item.code.name, item.span) for item in diagnostics]
    return [(name, text[span.start : span.end] if span is not None else "") for name, span in spans]


def script(lines: str, body: str = "srun ./a\n") -> str:
    """Write a script of directives and a body."""
    return "#!/bin/bash\n" + "".join(f"#SBATCH {line}\n" for line in lines.split("\n") if line) + "\n" + body


MARK = "¦"
"""Stands on both sides of the place in which something is found."""

LATE = [
    "set -e\n¦#SBATCH --time=5¦\n",
    "set -e\n¦#SBATCH --time=5 # c¦ \n",
    "cd x\n\n# words\n¦#SBATCH -N 2¦\n./a\n",
    "cat <<EOF\nx\nEOF\n¦#SBATCH --mem=1G¦\n",
    "echo 'a\nb'\n¦#SBATCH --mem=1G¦\n",
    "x=$(cat <<'E'\n#SBATCH -n1\nE\n)\n¦#SBATCH --mem=1G¦\n",
    "if true; then\n¦#SBATCH -n2¦\nfi\n",
    "echo $((1 << 2))\n¦#SBATCH -n2¦\n",
    'echo it\\\'s ${#a[@]} "${b#"x"}"  # don\'t\n¦#SBATCH -n2¦\n',
    "case $1 in\n  a) x ;;\nesac\n¦#SBATCH hetjob¦\n",
]
NOT_LATE = [
    "cat > job.sh <<EOF\n#!/bin/bash\n#SBATCH --time=5\nEOF\nsbatch job.sh\n",
    "sbatch <<'END'\n#!/bin/bash\n#SBATCH --time=5\nEND\n",
    "cat <<-EOF\n#SBATCH --time=5\n\tEOF\n",
    "echo '#!/bin/bash\n#SBATCH --time=5' > x\n",
    'printf "%s\n#SBATCH --time=5\n" a\n',
    "set -e\n##SBATCH --time=5\n",
    "set -e\n# SBATCH --time=5\n",
    "set -e\n  #SBATCH --time=5\n",
    "x=$(cat <<E\n#SBATCH -n1\nE\n)\n",
    ": '\n#SBATCH --time=5\n'\n",
    "f() {\ncat <<\\E\n#SBATCH -n1\nE\n}\n",
]


@pytest.mark.parametrize("body", LATE)
def test_a_directive_after_a_command_is_reported_at_its_line(body: str) -> None:
    before, late, after = body.split(MARK)
    assert ("slurm-late-directive", late) in found(script("-J x", before + late + after))


@pytest.mark.parametrize("body", NOT_LATE)
def test_text_for_another_script_is_no_late_directive(body: str) -> None:
    assert "slurm-late-directive" not in [name for name, _ in found(script("-J x", body))]


def test_late_directives_of_a_python_program_are_its_comments() -> None:
    head = "#!/usr/bin/env python3\n#SBATCH -n1\nimport os\n"
    assert found(head + "t = '''\n#SBATCH -n2\n'''\n") == []
    assert ("slurm-late-directive", "#SBATCH -n2") in found(head + "it = 'x'\n#SBATCH -n2\n")


TASKS = [
    ("¦--ntasks=4¦", "./solve\n"),
    ("-N 2\n¦--ntasks-per-node=8¦", "python train.py\n"),
    ("¦-n 16¦", "# srun ./a\n./a input\n"),
    ("¦--ntasks=4¦", "echo 'use mpirun'\n./a\n"),
    ("¦--ntasks=4¦", "cat <<'E' > readme\nsrun ./a\nE\n./a\n"),
    ("¦--tasks-per-node=4¦", "apptainer exec x.sif ./a\n"),
    ("¦--ntasks=4¦", "module load gcc\nfor i in a b; do ./a $i; done\n"),
    ("¦--ntasks 4¦", "export OMP_NUM_THREADS=2\n./a > log 2>&1\n"),
    ("¦--ntasks=4¦", "conda activate x\npython -u a.py --lr 0.4\n"),
    ("¦--ntasks=24¦", "./solver\n"),
]
NO_TASKS = [
    ("--ntasks=4", "srun ./a\n"),
    ("--ntasks=4", "mpirun ./a\n"),
    ("--ntasks=4", "mpiexec.hydra -n $SLURM_NTASKS ./a\n"),
    ("--ntasks=4", "parallel ./a ::: 1 2 3\n"),
    ("--ntasks=4", "./a -j ${SLURM_NTASKS}\n"),
    ("--ntasks=4", "./a & ./b &\nwait\n"),
    ("--ntasks=4", "./a --np 4\n"),
    ("--ntasks=16", "./a -j16\n"),
    ("--ntasks=4", "bash run.sh\n"),
    ("--ntasks=4", "source steps\n"),
    ("--ntasks=4", "$LAUNCH ./a\n"),
    ("--ntasks=1", "./a\n"),
    ("--ntasks=1 --cpus-per-task=8", "./a\n"),
    ("--ntasks=4", "apptainer exec x.sif mpirun ./a\n"),
    ("--ntasks=4", "time mpirun ./a\n"),
    ("--ntasks=4", "if [ -f x ]; then\n  srun ./a\nfi\n"),
    ("--ntasks=4", 'eval "$cmd"\n'),
    ("--ntasks=8", "torchrun --nproc_per_node=2 a.py\n"),
    ("--ntasks=8", "(cd x && mpirun ./a)\n"),
    ("--ntasks=8", "cat > c.py <<E\nn = $SLURM_NTASKS\nE\n./a c.py\n"),
]


@pytest.mark.parametrize(("lines", "body"), TASKS)
def test_tasks_that_nothing_starts_are_reported(lines: str, body: str) -> None:
    before, option, after = lines.split(MARK)
    assert ("slurm-tasks-without-srun", option) in found(script(before + option + after, body))


@pytest.mark.parametrize(("lines", "body"), NO_TASKS)
def test_whatever_may_start_tasks_is_trusted(lines: str, body: str) -> None:
    assert "slurm-tasks-without-srun" not in [name for name, _ in found(script(lines, body))]


def test_other_interpreters_start_tasks_in_their_own_way() -> None:
    assert found("#!/usr/bin/env python\n#SBATCH -n4\nfrom mpi4py import MPI\n") == []


STEPS = [
    ("--ntasks=4", "srun -n ¦8¦ ./a\n"),
    ("--ntasks=4", "srun --ntasks=¦8¦ ./a\n"),
    ("--ntasks=4", "srun -N1 -n¦8¦ ./a\n"),
    ("-N 2\n--ntasks-per-node=2", "srun --mpi=pmix -n ¦5¦ ./a\n"),
    ("-n2", "srun -n 1 ./a\nsrun -n ¦3¦ ./b\n"),
    ("-n2", "srun \\\n  --ntasks ¦3¦ \\\n  ./b\n"),
    ("-n2", "for i in 1 2; do\n  srun -n ¦3¦ ./b $i\ndone\n"),
    ("-n2", "x=$(srun -n ¦3¦ hostname)\n"),
    ("-n1", "if ! srun -n ¦2¦ ./b; then exit 1; fi\n"),
    ("-n1", "srun -n ¦2¦ apptainer exec x.sif ./b\n"),
]
NO_STEPS = [
    ("--ntasks=8", "srun -n 8 ./a\n"),
    ("--ntasks=8", "srun ./a -n 16\n"),
    ("--ntasks=8", "# srun -n 16 ./a\n"),
    ("--ntasks=8", "echo 'srun -n 16 ./a'\n"),
    ("--ntasks=8", "cat <<E\nsrun -n 16 ./a\nE\n"),
    ("--ntasks=8", "srun -O -n 16 ./a\n"),
    ("--ntasks=8", "srun --overcommit -n 16 ./a\n"),
    ("--nodes=8", "srun -n 16 ./a\n"),
    ("--ntasks=8", "srun -n $N ./a\n"),
    ("--ntasks=8", "mpirun -n 16 ./a\n"),
    ("-n1\nhetjob\n-n4", "srun --het-group=1 -n 4 ./a\n"),
]


@pytest.mark.parametrize(("lines", "body"), STEPS)
def test_a_step_with_more_tasks_than_its_job_is_reported_at_the_number(lines: str, body: str) -> None:
    before, number, after = body.split(MARK)
    assert ("slurm-step-tasks", number) in found(script(lines, before + number + after))


@pytest.mark.parametrize(("lines", "body"), NO_STEPS)
def test_other_steps_are_left_alone(lines: str, body: str) -> None:
    assert "slurm-step-tasks" not in [name for name, _ in found(script(lines, body))]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("srun ./a\n", True),
        ("srun -n2 ./a\n", True),
        ("mpirun ./a\nif x; then srun ./b; fi\n", True),
        ("srun -c 8 ./a\n", False),
        ("srun -n2 -c8 ./a\n", False),
        ('srun --cpus-per-task="$SLURM_CPUS_PER_TASK" ./a\n', False),
        ("export SRUN_CPUS_PER_TASK=8\nsrun ./a\n", False),
        ("srun hostname\n", False),
        ("# srun ./a\n./a\n", False),
        ("mpirun ./a\n", False),
    ],
)
def test_processors_of_a_step_are_looked_at(body: str, told: bool) -> None:
    assert (("slurm-srun-cpus", "srun") in found(script("--cpus-per-task=8", body))) is told


VALUES = [
    # nothing is expanded
    ("slurm-variable-in-directive", "--output=¦$HOME/x¦"),
    ("slurm-variable-in-directive", "--job-name ¦${USER}_job¦"),
    ("slurm-variable-in-directive", '-J "¦$(date)¦"'),
    ("slurm-variable-in-directive", "-A ¦`whoami`¦"),
    ("slurm-variable-in-directive", "--ntasks=¦$N¦"),
    ("slurm-variable-in-directive", "--array=¦1-$N¦"),
    ("slurm-variable-in-directive", "--array=1-9\n-o ¦x.$SLURM_ARRAY_TASK_ID¦"),
    ("slurm-variable-in-directive", "-o ¦$1.out¦"),
    ("slurm-variable-in-directive", "--chdir=¦${PWD}¦"),
    ("slurm-variable-in-directive", "--output=¦~/x/%j¦"),
    # blanks
    ("slurm-stray-word", "--job-name=my ¦job¦"),
    ("slurm-stray-word", "-J my ¦job¦"),
    ("slurm-stray-word", "--mail-type=BEGIN, ¦END¦"),
    ("slurm-stray-word", "--array=1-9 ¦%2¦"),
    ("slurm-stray-word", "--job-name = ¦x¦"),
    ("slurm-stray-word", "--comment=a\\ ¦b¦"),
    ("slurm-stray-word", "--nodes 2 ¦4¦"),
    ("slurm-stray-word", "--exclusive ¦user¦"),
    ("slurm-stray-word", "-t 5 ¦minutes¦"),
    ("slurm-stray-word", "¦–n¦ 2"),
    ("slurm-directive-words", '--comment=¦"two words # c ¦'),
    # options
    ("slurm-unknown-option", "¦--ntask-per-node=2¦"),
    ("slurm-unknown-option", "¦--workdir=/x¦"),
    ("slurm-unknown-option", "¦--workdir¦ /x"),
    ("slurm-unknown-option", "¦--mem_per_cpu=2G¦"),
    ("slurm-unknown-option", "¦--cpus_per_task=2¦"),
    ("slurm-unknown-option", "¦--job_name=x¦"),
    ("slurm-unknown-option", "¦--exact¦"),
    ("slurm-option-use", "¦--mail=END¦"),
    ("slurm-unknown-option", "¦-gres=gpu:1¦"),
    ("slurm-unknown-option", "¦--image=x¦"),
    ("slurm-option-use", "¦--n=3¦"),
    ("slurm-option-use", "¦--hold=1¦"),
    ("slurm-option-use", "¦--mem¦"),
    ("slurm-single-dash", "¦-partition=gpu¦"),
    ("slurm-single-dash", "¦-output=x¦"),
    ("slurm-short-option-equals", "¦-p=gpu¦"),
    ("slurm-short-option-equals", "¦-J=x¦"),
    ("slurm-abbreviated-option", "¦--part=x¦"),
    ("slurm-abbreviated-option", "¦--cpus-per-t=2¦"),
    # times and sizes
    ("slurm-bad-value", "--time=¦1d¦"),
    ("slurm-bad-value", "--time=¦1:2:3:4¦"),
    ("slurm-bad-value", "-t ¦30m¦"),
    ("slurm-bad-value", "-t¦24h¦"),
    ("slurm-bad-value", "--time-min=¦5:¦"),
    ("slurm-bad-value", "--begin=¦4pm¦"),
    ("slurm-bad-value", "--mem=¦1.5G¦"),
    ("slurm-bad-value", "--mem=¦4Gi¦"),
    ("slurm-bad-value", "--mem-per-cpu=¦2GiB¦"),
    ("slurm-bad-value", "--tmp=¦max¦"),
    ("slurm-bad-value", "--signal=¦NOSUCH¦"),
    ("slurm-bad-value", '--time="¦5 ¦"'),
    ("slurm-bad-value", "--time=¦1d¦#c"),
    ("slurm-bad-value", "--mem=¦4'G'i¦"),
    ("slurm-bad-value", "-t '¦1d¦' # c"),
    ("slurm-minutes-and-seconds", "--time=¦24:00¦"),
    ("slurm-small-memory", "--mem=¦16¦"),
    ("slurm-small-memory", "--mem-per-cpu ¦4¦"),
    # arrays and dependencies
    ("slurm-bad-array", "--array=¦5-1¦"),
    ("slurm-bad-array", "--array=¦1-¦"),
    ("slurm-bad-array", "--array=¦1..9¦"),
    ("slurm-bad-array", "-a ¦1:9¦"),
    ("slurm-bad-array", "-a¦x¦"),
    ("slurm-bad-array", "--array=¦1-9:0¦"),
    ("slurm-bad-array", "--array=¦%3¦"),
    ("slurm-bad-array", "--array=¦-1¦"),
    ("slurm-bad-array", '--array="¦1, 2¦"'),
    ("slurm-bad-array", "-n1 ¦--array=1-3¦\nhetjob\n-n2"),
    ("slurm-bad-dependency", "--dependency=¦afterok:¦"),
    ("slurm-bad-dependency", "--dependency=¦afterok¦"),
    ("slurm-bad-dependency", "--dependency=¦afterok:12,¦"),
    ("slurm-bad-dependency", "--dependency=¦afterOK:x¦"),
    ("slurm-bad-dependency", "-d ¦before:12¦"),
    ("slurm-bad-dependency", "-d ¦afterok:0¦"),
    ("slurm-bad-dependency", "-d ¦afterok=12¦"),
    ("slurm-bad-dependency", "-d ¦singleton:1¦"),
    ("slurm-bad-dependency", "-d ¦afterok:$ID¦"),
    ("slurm-bad-dependency", "-d ¦after:12+x¦"),
    # others
    ("slurm-repeated-option", "-t 5\n¦--time=6¦"),
    ("slurm-memory-twice", "--mem=8G\n¦--mem-per-cpu=1G¦"),
    ("slurm-memory-twice", "--mem-per-cpu=1G ¦--mem=8G¦"),
    ("slurm-export-without-all", "¦--export=A=1¦"),
    ("slurm-mail-word", "--mail-type=¦END,FINISH¦"),
    ("slurm-output-folder", "-o ¦logs/%j.out¦"),
    ("slurm-comment-in-value", "--job-name=a¦#b¦"),
    ("slurm-comment-in-value", "--container-image=nvcr.io¦#nvidia/pytorch:24.01¦"),
    ("slurm-comment-in-value", "--comment=a¦#b -n 2¦"),
    ("slurm-comment-in-value", "-t 5 --comment=nvcr.io¦#nv/x:1 --gpus=2¦  "),
    ("slurm-comment-in-value", "--comment=¦#5 -n 2¦"),
    ("slurm-comment-in-value", "-t 5¦# five -n 2¦"),
    ("slurm-comment-in-value", "-A TRN¦###¦"),
    ("slurm-comment-in-value", "-J a\\#b¦#c¦"),
    ("slurm-memory-twice", "--mem=1G\nhetjob\n¦--mem-per-cpu=1G¦"),
    ("slurm-memory-twice", "--mem=1G\nhetjob\n-n2\nhetjob\n¦--mem-per-gpu=1G¦"),
    ("slurm-directive-continued", "--nodes=2 ¦\\¦"),
]
QUIET = [
    "--output=%x-%j.out", "--output=/dev/null", "--output=slurm-%A_%a.out --array=1-3", "-o out.txt # in $HOME",
    "--comment='costs $5'", "--job-name='a b'", '--job-name="my job"', "--mail-type=BEGIN,END", "-J a -t 5", "-t5 -n1",
    "--nodes=2-4", "--comment=\"it's # 1\"", "--ntasks=1   # one", "--exclusive", "--exclusive=user", "-H -n1",
    "--nice", "--nice=5", "-p gpu", "-pgpu", "--partition gpu", "--mem 4G", "--mem=0", "--mem=4000", "--mem=4gb",
    "--mem=512K", "--time=1-0", "--time=UNLIMITED", "-t 1:00:00", "-t 0", "-t 90", "-t 1-12:30", "--array=0-9%3",
    "--array=1,3,5-7:2", "-a 5", "--array=[1-3]", "--array=0-100:10", "-d singleton", "-d afterok:12:13_4,afterany:5",
    "-d afterok:1?afterany:2", "-d 12", "-d after:12+5", "--dependency=AFTEROK:12", "--export=ALL,A=1", "--export=NONE",
    "--mail-type=ALL", "--mail-type=NONE", "--mail-type=fail,time_limit_80", "-J 'a#b'", "-J a\\#b", "-J x #b",
    "-C 'a|b'", "--signal=B:USR1@60", "--gres=gpu:a100:2", "-G 2", "-t 10 -t 10", "--mail-type=END --mail-type=FAIL",
    "--comment='a'#b", "--comment=\"a#b\" -n 2 # c", "-n 2\t#c", "--mem=1G\nhetjob\n-n2",
    "-n 2\nhetjob\n--mem-per-cpu=1G", "--mem-per-cpu=1G\nhetjob\n--mem=1G", "--mem=1G\nhetjob\n--mem=2G",
    "--chdir=/data", "--tmp=1T", "-o /tmp/x", "-C\\*", "--comment=-", "-J a:b", "--hold",
]  # fmt: skip


@pytest.mark.parametrize(("name", "lines"), VALUES)
def test_a_directive_is_reported_at_the_place_that_is_wrong(name: str, lines: str) -> None:
    before, place, after = lines.split(MARK)
    assert (name, place) in found(script(before + place + after))


@pytest.mark.parametrize("lines", QUIET)
def test_nothing_is_said_about_directives_that_do_what_they_say(lines: str) -> None:
    assert found(script(lines)) == []


def helps(option: str) -> list[str]:
    """Give the help texts that are given to an option that `sbatch` does not have."""
    source, diagnostics = Source("job.sh", script(option)), Diagnostics()
    lint((source,), ReadSettings(), diagnostics)
    return [item.help for item in diagnostics if item.code.name == "slurm-unknown-option"]


@pytest.mark.parametrize(
    ("option", "plugin"), [("--environment=x.toml", "ce"), ("--uenv=a", "uenv"), ("--qqq=1", "any")]
)
def test_the_plug_in_that_may_add_an_option_is_named(option: str, plugin: str) -> None:
    (told,) = helps(option)
    assert f"`--option slurm.plugins={plugin}`" in told
    assert "did you mean" not in told
    source, diagnostics = Source("job.sh", script(option)), Diagnostics()
    lint((source,), ReadSettings(options={"plugins": f"pyxis,{plugin}"}), diagnostics)
    assert not list(diagnostics)


def test_an_option_that_is_nearly_right_may_still_be_a_plug_ins() -> None:
    (told,) = helps("--particion=x")
    assert "`partition`" in told
    assert "`--option slurm.plugins=any`" in told


ALMOST = ["# SBATCH", "#sbatch", " #SBATCH", "\t# SBATCH", "#Sbatch", "#SBTACH", "#SBACTH", "#SBATH", "#BATCH",
          "#!SBATCH", "#SABTCH", "#SBATHC"]  # fmt: skip
COMMENTS = [
    "##SBATCH --time=5", "###SBATCH --time=5", "# SBATCH lines follow", "#--SBATCH", "# the #SBATCH --time option",
    "#PBS -N x", "#BSUB -J x", "#MSUB -l x", "#COBALT -n 4", "#SLURMX -n", "# BATCH -n", "#DW jobdw --x", "# sbatch",
    "#$ -N x", "#BATCHES --x", "# Usage: sbatch --array=1-3 x.sh",
    "#sbatch --array=1-3 run.sh", "# sbatch --mem 2G --wrap 'x'", "## SBATCH --time=5",
]  # fmt: skip


@pytest.mark.parametrize("magic", ALMOST)
def test_a_comment_that_is_meant_as_a_directive_is_reported(magic: str) -> None:
    assert ("slurm-almost-a-directive", f"{magic} --") in found(
        f"#!/bin/bash\n#SBATCH -n1\n{magic} --time=5\nsrun ./a\n"
    )


@pytest.mark.parametrize("comment", COMMENTS)
def test_other_comments_are_no_directives(comment: str) -> None:
    text = f"#!/bin/bash\n#SBATCH --ignore-pbs\n{comment}\nsrun ./a\n"
    assert "slurm-almost-a-directive" not in [name for name, _ in found(text)]


@settings(max_examples=150, deadline=None)
@given(st.text(st.sampled_from("#SBATCH -n2=\"'\\$({<E\n;&|sru")), st.text(max_size=30))
def test_no_script_makes_it_fail(lines: str, other: str) -> None:
    found(f"#!/bin/bash\n#SBATCH -n4\n{lines}\n{other}\n#SBATCH {lines}")
