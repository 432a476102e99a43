"""Scripts and drivers into the IR, and back."""

from __future__ import annotations

from pathlib import Path

import pytest

from pwxc import compiler
from pwxc.compiler import Policy
from pwxc.diagnostics import Diagnostics
from pwxc.ir.task import Outcome
from pwxc.ir.workflow import Workflow
from pwxc.registry import ReadSettings
from pwxc.source import Source
from pwxc_targets.slurm import TARGET
from pwxc_targets.slurm.batch.lists import array, dependency, node_names, tell_array
from pwxc_targets.slurm.batch.wordvalues import BadValueError

SCRIPT = """\
#!/bin/bash -l
# what it is
#SBATCH -J train --time=1-2   # a day
#SBATCH --gres=gpu:a100:2,lscratch:5 --mem=4G
#SBATCH -a 1-9:2%3
##SBATCH --off
#SBATCH --mail-type=END --comment="a b"

module load x
srun ./train $SLURM_ARRAY_TASK_ID
"""


def read(*texts: tuple[str, str]) -> tuple[Workflow | None, Diagnostics]:
    sources = [Source(name, content) for name, content in texts]
    workflow, found, _ = compiler.read(sources, origin=TARGET, settings=ReadSettings(folder=Path("/nowhere")))
    return workflow, found


def test_a_script_becomes_a_task() -> None:
    workflow, _ = read(("job.sh", SCRIPT))
    assert workflow is not None
    task, resources = workflow.tasks[0], workflow.resources[0]
    assert task.name == "train"
    assert task.sweep is not None
    assert (task.sweep.size, task.sweep.limit) == (5, 3)
    assert (resources.walltime, resources.gpus, resources.gpu_type, resources.memory) == (93600, 2, "a100", 2**32)
    assert resources.generic is not None
    assert resources.generic.literal == "lscratch:5"


def test_a_script_comes_back_byte_for_byte() -> None:
    workflow, _ = read(("job.sh", SCRIPT))
    assert workflow is not None
    files, report, _ = compiler.write(workflow, to=TARGET, options={}, policy=Policy())
    assert [(file.path, file.text) for file in files] == [("job.sh", SCRIPT)]
    assert report.clean


DRIVER = """\
#!/bin/bash
first=$(sbatch --parsable -J first a.sh)
ids=()
for i in 1 2 {5..6}; do
  id=`sbatch -J part$i --dependency=afterok:$first --time=0:30:00 b.sh $i | awk '{print $4}'`
  ids+=($id)
  all=$all:$id
done
sbatch -J end -d afterany$all b.sh "$1"
sbatch -J rescue --dependency=$(IFS=,; echo "afternotok:${ids[0]}") <<EOF
#!/bin/sh
echo \\$HOME $first_word
EOF
"""
A = "#!/bin/bash\n#SBATCH --time=5\necho a\n"


def test_a_driver_becomes_a_graph() -> None:
    workflow, found = read(("driver.sh", DRIVER), ("a.sh", A), ("b.sh", A))
    assert workflow is not None, [item.message for item in found]
    tasks = {task.name: task for task in workflow.tasks}
    assert list(tasks) == ["first", "part1", "part2", "part5", "part6", "end", "rescue"]
    assert [(edge.parent, edge.when) for edge in tasks["part5"].needs] == [("first", Outcome.SUCCESS)]
    assert [edge.parent for edge in tasks["end"].needs] == ["part1", "part2", "part5", "part6"]
    assert {edge.when for edge in tasks["end"].needs} == {Outcome.END}
    assert [(edge.parent, edge.when) for edge in tasks["rescue"].needs] == [("part1", Outcome.FAILURE)]
    assert {item.name for item in workflow.inputs} == {"arg1", "first_word"}
    limits = {item.name: item.walltime for item in workflow.resources}
    assert (limits["first"], limits["part1"]) == (300, 1800)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("for f in $(ls); do sbatch a.sh $f; done", "PWX2420"),
        ('sbatch --dependency=afterok:$(squeue -h -o %i) a.sh', "PWX2420"),
        ("if [ -e x ]; then sbatch a.sh; fi", "PWX2420"),
        ("sbatch missing.sh", "PWX2421"),
        ("sbatch --dependency=afterok:77 a.sh", "PWX2422"),
    ],
)  # fmt: skip
def test_what_cannot_be_followed_is_told_at_its_line(line: str, code: str) -> None:
    workflow, found = read(("driver.sh", f"#!/bin/bash\nx=1\n{line}\n"), ("a.sh", A))
    assert workflow is None
    told = found.errors[0]
    assert told.code.id == code
    assert told.span is not None
    assert told.span.source.position(told.span.start)[0] == 3


def test_arrays_and_node_lists() -> None:
    assert tell_array(array("3,1,2").indexes, None) == "1-3"
    assert tell_array(array("0-7:3%2").indexes, array("0-7:3%2").limit) == "0-6:3%2"
    assert node_names("n1,n[01-03,10],a[1-2]b[3-4]") == [
        "n1",
        "n01",
        "n02",
        "n03",
        "n10",
        "a1b3",
        "a1b4",
        "a2b3",
        "a2b4",
    ]
    found = dependency("afterok:1:2_*,afterany:3?singleton".replace("?", ","))
    assert [term.kind for term in found.terms] == ["afterok", "afterany", "singleton"]
    for text in ("5-1", "1-3:0", "-1", "a", ""):
        with pytest.raises(BadValueError):
            array(text)
    for text in ("afterok:", "after", "foo:1", "afterok:0", "afterok:1,"):
        with pytest.raises(BadValueError):
            dependency(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("set -e\n#SBATCH -n2\n", "PWX4400"),
        ("#SBATCH --output=$USER.out\n", "PWX4401"),
        ("#SBATCH -p=gpu\n", "PWX4402"),
        ("#SBATCH -partition=gpu\n", "PWX4403"),
        ("#SBATCH --part=gpu\n", "PWX4404"),
        ("#SBATCH -n2 -n3\nsrun x\n", "PWX4405"),
        ("#SBATCH -c2\n# SBATCH --time=5\n", "PWX4406"),
        ("#SBATCH -n4\npython x\n", "PWX4407"),
        ("#SBATCH --export=A=1\n", "PWX4409"),
        ("#SBATCH --mem=1G --mem-per-cpu=1G\n", "PWX4410"),
        ("#SBATCH --array=5-1\n", "PWX4412"),
        ("#SBATCH --dependency=afterok:\n", "PWX4413"),
        ("#SBATCH --mail-type=END,FOO\n", "PWX4414"),
        ("#SBATCH --job-name=my job\n", "PWX2403"),
        ("#SBATCH --workdir=/x\n", "PWX2404"),
        ("#SBATCH --time=1d\n", "PWX2406"),
    ],
)
def test_lint_says_what_is_wrong(text: str, code: str) -> None:
    found = Diagnostics()
    assert TARGET.lint is not None
    TARGET.lint((Source("job.sh", "#!/bin/bash\n" + text),), ReadSettings(), found)
    assert [item.code.id for item in found] == [code]


def test_lint_leaves_other_scripts_in_here_documents_alone() -> None:
    found = Diagnostics()
    content = "#!/bin/bash\n#SBATCH -c2\ncat >x <<EOF\n#SBATCH -n2\nEOF\n"
    assert TARGET.lint is not None
    TARGET.lint((Source("job.sh", content),), ReadSettings(), found)
    assert list(found) == []
