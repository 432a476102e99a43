"""Whether a script asks anything of its machine, by a look at its words: most do not, and are left as they are."""

from __future__ import annotations

import re

from pwxc.ir.task import Script, Task

SITE_VARIABLE = (
    r"(?!SLURM|SBATCH|PW_|TORC_)(?:\w*SCRATCH\w*|(?:\w+_)?TMP_?DIR|(?:\w+_)?WORK\d?|(?:\w+_)?W(?:O?RK)_?DIR|CCC\w+DIR|"
    r"(?:MEMBER|PROJ|WORLD)WORK|PROJ(?:ECTS?)?(?:_\w+|DIR|HOME|ROOT|PATH)?|(?:GROUP|PROJECT)_?HOME|STOCKYARD|"
    r"(?:LUSTRE|GPFS|BEEGFS|BEEOND|NVME|JOBFS|PBS_JOBFS|DW_JOB|VSC_DATA)\w*)"
)
"""The names of folders that sites give to the jobs of their machines."""
_WORDS = re.compile(
    r"\b(?:module|modulecmd|ml|lmod|vpkg_\w+|conda|mamba|micromamba|activate|workon|pyenv|source|spack\w*|scl|srun|"
    r"mpi\w+|orterun|prterun|prun|aprun|ibrun|jsrun|lrun|ccc_mprun|mpprun|gerun|apptainer|singularity|shifter|"
    r"podman|docker|nerdctl|enroot|sarus|udocker|ch-run|salloc|seff|scontrol|scancel|squeue|strigger|"
    r"s(?:batch|bcast|gather|acct|info|stat|attach|prio|report|share)\w*|(?:SLURMD?|SBATCH)_\w+)\b"
    rf"|(?:^|[\s;&|({{])\.\s|\.(?:sif|simg)\b|\$\{{?{SITE_VARIABLE}\b",
    re.MULTILINE,
)


def asks(task: Task) -> bool:
    """Whether a script of a task may use software or folders of its machine, a launcher, a runtime or a scheduler."""
    for step in (*task.steps, *task.cleanup):
        if isinstance(step.work, Script):
            for part in step.work.text.parts:
                if isinstance(part, str) and _WORDS.search(part) is not None:
                    return True
    return False
